/* SPDX-License-Identifier: Apache-2.0 */
/* Drum draws: counterfoils, numbers that are called, taken or rejected, and what an audit says of a log that judges them otherwise. */
#include "fixture.h"

#include "fold_drum.h"
#include "record.h"

#define DRUM_PRIZES                                                                                                    \
    "\"prizes\":[{\"name\":\"first\",\"draw\":\"drum\",\"alternates\":1,\"share\":5000},"                              \
    "{\"name\":\"second\",\"draw\":\"drum\",\"winners\":2,\"tiers\":[\"ten\"]}]"
#define DRUM_RULES FX_HEAD FX_TIERS DRUM_PRIZES "}"
/* No RNG at all: what some regulators demand. */
#define NO_RNG_RULES                                                                                                   \
    "{\"origin\":\"raffle.example/fixture\",\"name\":\"Fixture\",\"organisation\":\"Society\",\"currency\":\"CAD\","   \
    "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"}," FX_TIERS DRUM_PRIZES \
    "}"

static raffle_rc begin(const char *prize, const raffle_actor *ok, raffle_draw **draw)
{
    raffle_draw_options how;
    raffle_draw_options_init(&how, sizeof how);
    how.ok = ok;
    return raffle_draw_begin(fx.raffle, &fx_boss, prize, &how, draw, &fx.err);
}

static raffle_rc finish(raffle_draw *draw, const raffle_actor *ok)
{
    raffle_finish_options how;
    raffle_finish_options_init(&how, sizeof how);
    how.ok = ok;
    return raffle_draw_finish(draw, NULL, &how, 5000, &fx.err);
}

static int32_t call(raffle_draw *draw, uint32_t unit, uint64_t number)
{
    raffle_call is;
    raffle_call_init(&is, sizeof is);
    FX_OK(raffle_draw_call(draw, unit, number, &is, &fx.err));
    ck_assert_uint_eq(is.unit, unit);
    ck_assert_uint_eq(is.number, number);
    ck_assert_int_eq(is.place != 0, is.outcome == RAFFLE_CALL_TAKEN);
    ck_assert_int_eq(is.serial == 0, is.outcome == RAFFLE_CALL_UNSOLD);
    return is.outcome;
}

/* Tickets 1/1 (numbers 1 to 10), 1/2 (11), 1/3 (12 to 21), 1/4 (22 to 31, void), and all their counterfoils. */
static void sell_and_print(const char *rules)
{
    fx_create(rules);
    fx_sell("a", "ten");
    fx_sell("b", "one");
    fx_sell("c", "ten");
    fx_sell("d", "ten");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 4, "refund", &fx.err));
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 1, 31, &fx.err));
    fx_seal(RAFFLE_SEAL_FINAL);
}

/* --- calls --- */

START_TEST(every_number_that_is_called_is_judged_and_written)
{
    raffle_draw *draw = NULL;
    raffle_draw_info info = {.struct_size = sizeof info};
    sell_and_print(NO_RNG_RULES);
    FX_OK(begin("first", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 32), RAFFLE_CALL_UNSOLD);
    ck_assert_int_eq(call(draw, 2, 1), RAFFLE_CALL_UNSOLD);
    ck_assert_int_eq(call(draw, 1, 25), RAFFLE_CALL_VOID);
    ck_assert_int_eq(call(draw, 1, 3), RAFFLE_CALL_TAKEN);
    ck_assert_int_eq(call(draw, 1, 3), RAFFLE_CALL_AGAIN);
    ck_assert_int_eq(call(draw, 1, 10), RAFFLE_CALL_BARRED); /* the same ticket */
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    ck_assert_int_eq(info.drum, 1);
    ck_assert_uint_eq(info.taken, 1);
    ck_assert_uint_eq(info.calls, 6);
    FX_REFUSED(RAFFLE_APPROVAL, finish(draw, NULL));
    ck_assert_int_eq(call(draw, 1, 11), RAFFLE_CALL_TAKEN);
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_call(draw, 1, 12, NULL, &fx.err)); /* every place is taken */
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err));
    FX_OK(finish(draw, NULL));
    FX_REFUSED(RAFFLE_DRAWN, finish(draw, NULL));
    raffle_draw_free(draw);
    ck_assert_uint_eq(fx_pick("first", 1).number, 3);
    ck_assert_uint_eq(fx_pick("first", 1).serial, 1);
    ck_assert_int_eq(fx_pick("first", 1).state, RAFFLE_PLACE_DRAWN);
    ck_assert_uint_eq(fx_pick("first", 2).number, 11);
    ck_assert_int_eq(fx_pick("first", 2).state, RAFFLE_PLACE_ALTERNATE);

    /* The next prize: earlier winners are barred, and its tiers count. */
    FX_OK(begin("second", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 11), RAFFLE_CALL_NOT_ENTERED);
    ck_assert_int_eq(call(draw, 1, 4), RAFFLE_CALL_BARRED);
    ck_assert_int_eq(call(draw, 1, 20), RAFFLE_CALL_TAKEN);
    FX_REFUSED(RAFFLE_APPROVAL, finish(draw, &fx_seller));
    FX_OK(finish(draw, &fx_chief)); /* nobody else is in the drum */
    raffle_draw_free(draw);
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "second", &prize, &fx.err));
    ck_assert_uint_eq(prize.places, 1);
    ck_assert_int_eq(prize.drum, 1);
}
END_TEST

START_TEST(a_drum_draw_goes_on_after_a_crash_and_from_another_handle)
{
    raffle_draw *draw = NULL;
    sell_and_print(DRUM_RULES);
    FX_OK(begin("first", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 1), RAFFLE_CALL_TAKEN);
    raffle_draw_free(draw);
    fx_close();
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    ck_assert_int_eq(call(draw, 1, 12), RAFFLE_CALL_TAKEN);
    FX_OK(finish(draw, NULL));
    raffle_draw_free(draw);
    ck_assert_uint_eq(fx_pick("first", 1).number, 1);
    ck_assert_uint_eq(fx_pick("first", 2).number, 12);
}
END_TEST

START_TEST(an_aborted_drum_draw_begins_anew)
{
    raffle_draw *draw = NULL;
    sell_and_print(DRUM_RULES);
    FX_OK(begin("first", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 1), RAFFLE_CALL_TAKEN);
    FX_OK(raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "drum-fell", &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_draw_call(draw, 1, 2, NULL, &fx.err));
    raffle_draw_free(draw);
    FX_OK(begin("first", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 2), RAFFLE_CALL_TAKEN);
    ck_assert_int_eq(call(draw, 1, 11), RAFFLE_CALL_TAKEN);
    FX_OK(finish(draw, NULL));
    raffle_draw_free(draw);
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "first", &prize, &fx.err));
    ck_assert_uint_eq(prize.attempt, 2);
    ck_assert_uint_eq(prize.places, 2);
}
END_TEST

START_TEST(a_ticket_whose_number_was_called_is_not_taken_back)
{
    raffle_draw *draw = NULL;
    fx_create(FX_HEAD FX_TIERS
              "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"draw\":\"drum\"},{\"name\":\"last\"}]}");
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 1, 20, &fx.err));
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(begin("bird", NULL, &draw));
    ck_assert_int_eq(call(draw, 1, 5), RAFFLE_CALL_TAKEN);
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    FX_OK(finish(draw, NULL));
    raffle_draw_free(draw);
    FX_REFUSED(RAFFLE_DRAWN, raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
}
END_TEST

START_TEST(an_rng_and_a_drum_do_not_mix)
{
    raffle_draw *draw = NULL;
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_call(draw, 1, 1, NULL, &fx.err));
    raffle_draw_free(draw);
    FX_REFUSED(RAFFLE_MISUSE, raffle_draw_call(NULL, 1, 1, NULL, &fx.err));
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, finish(draw, &fx_chief));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err));
    raffle_draw_free(draw);
}
END_TEST

START_TEST(a_drum_takes_no_provider_and_no_impossible_number)
{
    raffle_draw *draw = NULL;
    raffle_draw_options how;
    sell_and_print(DRUM_RULES);
    raffle_draw_options_init(&how, sizeof how);
    how.rng = fx.rng;
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "first", &how, &draw, &fx.err));
    FX_OK(begin("first", NULL, &draw));
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_call(draw, 0, 1, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_call(draw, 65536, 1, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_call(draw, 1, 0, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_call(draw, 1, UINT64_C(1) << 60, NULL, &fx.err));
    raffle_call wrong = {0};
    FX_REFUSED(RAFFLE_MISUSE, raffle_draw_call(draw, 1, 1, &wrong, &fx.err));
    raffle_draw_free(draw);
}
END_TEST

/* --- counterfoils --- */

typedef struct seen {
    size_t n, printed, reprinted, is_void, in_drum;
    uint64_t first, last;
    char validation[RAFFLE_VALIDATION_SIZE];
} seen;

static raffle_rc look(void *ctx, const raffle_counterfoil *c, raffle_error *err)
{
    seen *s = ctx;
    (void)err;
    if (s->n++ == 0)
        s->first = c->number;
    s->last = c->number;
    s->printed += (c->flags & RAFFLE_COUNTERFOIL_PRINTED) != 0;
    s->reprinted += (c->flags & RAFFLE_COUNTERFOIL_REPRINTED) != 0;
    s->is_void += (c->flags & RAFFLE_COUNTERFOIL_VOID) != 0;
    s->in_drum += (c->flags & RAFFLE_COUNTERFOIL_IN_DRUM) != 0;
    memcpy(s->validation, c->validation, sizeof s->validation);
    ck_assert_uint_eq(c->unit, 1);
    return RAFFLE_OK;
}

static seen counterfoils(uint64_t first, uint64_t count)
{
    seen s = {0};
    FX_OK(raffle_counterfoils(fx.raffle, 1, first, count, look, &s, &fx.err));
    return s;
}

START_TEST(counterfoils_are_made_from_tickets_and_counted_as_they_are_printed)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    fx_create(DRUM_RULES);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_counterfoils(fx.raffle, 1, 1, 0, look, NULL, &fx.err));
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    fx_sell("c", "one");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err)); /* never printed */
    seen s = counterfoils(1, 0);
    ck_assert_uint_eq(s.n, 21);
    ck_assert_uint_eq(s.printed, 0);
    ck_assert_uint_eq(s.is_void, 10);
    ck_assert_str_eq(s.validation, fx_validation(1, 3, validation));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_print(fx.raffle, &fx_seller, 1, 2, 3, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_print(fx.raffle, &fx_seller, 1, 1, 22, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_print(fx.raffle, &fx_seller, 1, 1, 0, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_print(fx.raffle, &fx_seller, 2, 1, 1, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_print(fx.raffle, &fx_auditor, 1, 1, 15, &fx.err));
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 1, 15, &fx.err));
    ck_assert_uint_eq(fx_unit_info(1).printed, 15);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "misprint", &fx.err)); /* five of its numbers were printed */
    s = counterfoils(1, 0);
    ck_assert_uint_eq(s.printed, 5);
    ck_assert_uint_eq(s.in_drum, 5);
    ck_assert_uint_eq(s.is_void, 20);
    s = counterfoils(14, 4);
    ck_assert_uint_eq(s.n, 4);
    ck_assert_uint_eq(s.first, 14);
    ck_assert_uint_eq(s.last, 17);
    ck_assert_uint_eq(s.in_drum, 2);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_counterfoils(fx.raffle, 1, 22, 0, look, &s, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_counterfoils(fx.raffle, 1, 1, 0, NULL, NULL, &fx.err));
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 16, 6, &fx.err));
    s = counterfoils(16, 0);
    ck_assert_uint_eq(s.in_drum, 0); /* it was void when they went to print */
    ck_assert_uint_eq(s.printed, 1);
}
END_TEST

static raffle_rc stop_at_third(void *ctx, const raffle_counterfoil *c, raffle_error *err)
{
    (void)c;
    (void)err;
    return ++*(int *)ctx == 3 ? RAFFLE_BUSY : RAFFLE_OK;
}

START_TEST(a_printer_can_stop_the_walk)
{
    int n = 0;
    fx_create(DRUM_RULES);
    fx_sell("a", "ten");
    ck_assert_int_eq(raffle_counterfoils(fx.raffle, 1, 1, 0, stop_at_third, &n, NULL), RAFFLE_BUSY);
    ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(what_is_printed_again_is_flagged_and_takes_two)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    fx_create(DRUM_RULES);
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 1, 1, "torn", &fx.err));
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 1, 10, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_reprint(fx.raffle, &fx_super, NULL, 1, 2, 3, "torn", &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_reprint(fx.raffle, &fx_seller, &fx_boss, 1, 2, 3, "torn", &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 2, 3, "Torn", &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 10, 2, "torn", &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 0, 2, "torn", &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 2, UINT64_MAX, "torn", &fx.err));
    FX_OK(raffle_reprint(fx.raffle, &fx_super, &fx_boss, 1, 2, 3, "torn", &fx.err));
    ck_assert_uint_eq(counterfoils(1, 0).reprinted, 3);
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_ticket_reprint(fx.raffle, &fx_super, &fx_boss, 1, 9, "lost", &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_ticket_reprint(fx.raffle, &fx_super, NULL, 1, 2, "lost", &fx.err));
    FX_OK(raffle_ticket_reprint(fx.raffle, &fx_super, &fx_boss, 1, 2, "lost", &fx.err));
    FX_OK(raffle_ticket_get(fx.raffle, 1, 2, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPRINTED);
    FX_OK(raffle_ticket_get(fx.raffle, 1, 1, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, 0);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "refund", &fx.err));
    FX_REFUSED(RAFFLE_VOIDED, raffle_ticket_reprint(fx.raffle, &fx_super, &fx_boss, 1, 2, "lost", &fx.err));
}
END_TEST

/* At a till that has been open all night, too (GLI-31 3.3.2d). */
START_TEST(what_another_handle_printed_again_is_flagged)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    char validation[RAFFLE_VALIDATION_SIZE];
    size_t n = 0;
    fx_create(DRUM_RULES);
    fx_sell("a", "ten");
    raffle *other[4];
    for (int i = 0; i < 4; i++) {
        other[i] = fx_another();
        FX_OK(raffle_ticket_get(other[i], 1, 1, &ticket, &fx.err));
        ck_assert_uint_eq(ticket.flags, 0);
    }
    FX_OK(raffle_ticket_reprint(fx.raffle, &fx_super, &fx_boss, 1, 1, "lost", &fx.err));
    FX_OK(raffle_ticket_get(other[0], 1, 1, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPRINTED);
    FX_OK(raffle_ticket_by_number(other[1], "1-0000003", &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPRINTED);
    FX_OK(raffle_ticket_by_validation(other[2], fx_validation(1, 1, validation), &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPRINTED);
    FX_OK(raffle_order_tickets(other[3], "a", &ticket, 1, &n, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPRINTED);
    for (int i = 0; i < 4; i++)
        raffle_free(other[i]);
}
END_TEST

START_TEST(a_drum_without_all_counterfoils_takes_two)
{
    raffle_draw *draw = NULL;
    fx_create(DRUM_RULES);
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 1, 19, &fx.err));
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_REFUSED(RAFFLE_APPROVAL, begin("first", NULL, &draw));
    fx_said("19 of its 20");
    FX_REFUSED(RAFFLE_APPROVAL, begin("first", &fx_boss, &draw)); /* the same person */
    FX_REFUSED(RAFFLE_APPROVAL, begin("first", &fx_seller, &draw));
    FX_OK(raffle_print(fx.raffle, &fx_seller, 1, 20, 1, &fx.err));
    FX_OK(begin("first", NULL, &draw));
    raffle_draw_free(draw);
}
END_TEST

/* --- rules --- */

START_TEST(rules_of_a_drum)
{
    static const struct {
        const char *rng, *prize;
        raffle_rc rc;
    } cases[] = {
        {"", "\"draw\":\"drum\"", RAFFLE_OK},
        {"\"rng\":[],", "\"draw\":\"drum\"", RAFFLE_OK},
        {"\"rng\":[\"system\"],", "\"draw\":\"drum\"", RAFFLE_OK},
        {"\"rng\":[],", "\"draw\":\"rng\"", RAFFLE_INVALID},
        {"\"rng\":[],", "\"winners\":1", RAFFLE_INVALID},
        {"", "\"draw\":\"barrel\"", RAFFLE_INVALID},
        {"", "\"draw\":\"drum\",\"seed\":\"committed\",\"beacon_delay\":60", RAFFLE_INVALID},
        {"", "\"draw\":\"drum\",\"beacon_delay\":60", RAFFLE_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rules[2048];
        snprintf(
            rules, sizeof rules,
            "{\"origin\":\"raffle.example/x\",\"name\":\"X\",\"organisation\":\"Y\",\"currency\":\"CAD\",\"sales\":"
            "{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},%s"
            "\"tiers\":[{\"name\":\"a\",\"count\":1,\"price\":1}],\"beacon\":\"quicknet\",\"prizes\":[{\"name\":\"p\",%"
            "s}]}",
            cases[i].rng, cases[i].prize);
        ck_assert_msg(raffle_rules_check(rules, strlen(rules), &fx.err) == cases[i].rc, "%zu: %s", i, fx.err.message);
        fx.err = (raffle_error)RAFFLE_ERROR_INIT;
    }
}
END_TEST

FX_MAIN("raffle_draw_call", every_number_that_is_called_is_judged_and_written,
        a_drum_draw_goes_on_after_a_crash_and_from_another_handle, an_aborted_drum_draw_begins_anew,
        a_ticket_whose_number_was_called_is_not_taken_back, an_rng_and_a_drum_do_not_mix,
        a_drum_takes_no_provider_and_no_impossible_number,
        counterfoils_are_made_from_tickets_and_counted_as_they_are_printed, a_printer_can_stop_the_walk,
        what_is_printed_again_is_flagged_and_takes_two, what_another_handle_printed_again_is_flagged,
        a_drum_without_all_counterfoils_takes_two, rules_of_a_drum)
