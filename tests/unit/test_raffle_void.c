/* SPDX-License-Identifier: Apache-2.0 */
/* Voids: in the unit's log, in the control log after the close, and every refusal. */
#include "fixture.h"

#include <pthread.h>

static raffle_rc take_back(const raffle_actor *by, uint32_t unit, uint64_t serial, const char *reason)
{
    return raffle_void(fx.raffle, by, unit, serial, reason, &fx.err);
}

START_TEST(a_void_takes_the_ticket_back_whole)
{
    fx_create(FX_RULES);
    fx_sell("a", "one");
    raffle_ticket ticket = fx_sell("b", "ten"), again = RAFFLE_TICKET_INIT;
    FX_OK(take_back(&fx_super, 1, ticket.serial, "refund"));
    raffle_info info = fx_info();
    ck_assert_uint_eq(info.tickets, 2);
    ck_assert_uint_eq(info.voids, 1);
    ck_assert_int_eq(info.gross, 2500);
    ck_assert_int_eq(info.void_gross, 2000);
    ck_assert_int_eq(info.pot, 500);
    FX_OK(raffle_ticket_get(fx.raffle, 1, ticket.serial, &again, &fx.err));
    ck_assert_uint_eq(again.flags, RAFFLE_TICKET_VOID);
    FX_OK(raffle_ticket_by_number(fx.raffle, "1-0000011", &again, &fx.err));
    ck_assert_uint_eq(again.flags, RAFFLE_TICKET_VOID);
    ck_assert_uint_eq(fx_sell("c", "one").first, 12); /* its numbers are not sold again */
}
END_TEST

START_TEST(every_refusal)
{
    fx_create(FX_RULES);
    raffle_ticket ticket = fx_sell("a", "one");
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, 0, "refund")); /* unit.start */
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, 2, "refund"));
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, UINT64_MAX, "refund"));
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, (UINT64_C(1) << 40) + 1, "refund"));
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 2, 1, "refund"));
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 0, 1, "refund"));
    FX_REFUSED(RAFFLE_ROLE, take_back(&fx_seller, 1, 1, "refund"));
    FX_REFUSED(RAFFLE_ROLE, take_back(&fx_auditor, 1, 1, "refund"));
    FX_REFUSED(RAFFLE_INVALID, take_back(&fx_super, 1, 1, "because"));
    FX_REFUSED(RAFFLE_INVALID, take_back(&fx_super, 1, 1, ""));
    static const char *const reasons[] = {"refund", "payment", "misprint", "error", "other"};
    for (size_t i = 0; i < 5; i++) {
        char order[8];
        snprintf(order, sizeof order, "r%zu", i);
        ticket = fx_sell(order, "one");
        FX_OK(take_back(&fx_boss, 1, ticket.serial, reasons[i]));
        FX_REFUSED(RAFFLE_VOIDED, take_back(&fx_super, 1, ticket.serial, reasons[i]));
        FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, ticket.serial + 1, "refund")); /* a void is no ticket */
    }
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_VOIDED, take_back(&fx_super, 1, ticket.serial, "refund"));
}
END_TEST

START_TEST(a_disabled_unit_still_takes_voids)
{
    fx_create(FX_RULES);
    raffle_ticket ticket = fx_sell("a", "one");
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 1, "lunch", &fx.err));
    FX_OK(take_back(&fx_super, 1, ticket.serial, "refund"));
    ck_assert_uint_eq(fx_unit_info(1).voids, 1);
}
END_TEST

START_TEST(after_the_close_voids_go_to_the_control_log)
{
    fx_create(FX_RULES);
    raffle_ticket first = fx_sell("a", "one"), second = fx_sell("b", "ten");
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    const uint64_t unit = fx_size(1), control = fx_size(0);
    FX_OK(take_back(&fx_super, 1, second.serial, "misprint"));
    ck_assert_uint_eq(fx_size(1), unit);
    ck_assert_uint_eq(fx_size(0), control + 1);
    ck_assert_uint_eq(fx_info().voids, 1);
    ck_assert_int_eq(fx_info().pot, 500);
    FX_REFUSED(RAFFLE_VOIDED, take_back(&fx_super, 1, second.serial, "misprint"));
    FX_REFUSED(RAFFLE_ROLE, take_back(&fx_seller, 1, first.serial, "misprint"));
    FX_REFUSED(RAFFLE_NOT_FOUND, take_back(&fx_super, 1, 3, "misprint")); /* unit.close */
    raffle_seal_info seal = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(seal.voids, 1);
    ck_assert_int_eq(seal.void_gross, 2000);
    FX_OK(take_back(&fx_super, 1, first.serial, "refund")); /* changes no seal */
    ck_assert_int_eq(fx_info().pot, 0);
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.voids, 1);
}
END_TEST

START_TEST(another_handle_closes_the_unit)
{
    fx_create(FX_RULES);
    raffle_ticket ticket = fx_sell("a", "one");
    raffle *other = fx_another();
    raffle_unit *unit = NULL;
    FX_OK(raffle_unit_open(other, 1, &unit, &fx.err));
    FX_OK(raffle_unit_close(unit, &fx_boss, &fx.err));
    FX_OK(take_back(&fx_super, 1, ticket.serial, "refund"));
    FX_FAILS(RAFFLE_VOIDED, raffle_void(other, &fx_super, 1, ticket.serial, "refund", &fx.err));
    raffle_unit_free(unit);
    raffle_free(other);
}
END_TEST

START_TEST(a_ticket_in_a_result_is_not_voided)
{
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"alternates\":1},"
                               "{\"name\":\"first\",\"winners\":2,\"alternates\":1}]}");
    raffle *other = fx_another();
    fx_sell_many(fx.unit, "one", 6);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    raffle_pick winner = fx_pick("bird", 1), alternate = fx_pick("bird", 2);
    FX_REFUSED(RAFFLE_DRAWN, take_back(&fx_super, 1, winner.serial, "refund"));
    FX_REFUSED(RAFFLE_DRAWN, take_back(&fx_super, 1, alternate.serial, "refund"));
    FX_FAILS(RAFFLE_DRAWN, raffle_void(other, &fx_super, 1, winner.serial, "refund", &fx.err));
    uint32_t promoted = 0;
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 1, "no-show", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 2);
    FX_OK(take_back(&fx_super, 1, winner.serial, "refund")); /* the place is lost */
    FX_REFUSED(RAFFLE_DRAWN, take_back(&fx_super, 1, alternate.serial, "refund"));
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    for (uint32_t i = 1; i <= 3; i++)
        FX_REFUSED(RAFFLE_DRAWN, take_back(&fx_super, 1, fx_pick("first", i).serial, "refund"));
    raffle_free(other);
}
END_TEST

START_TEST(during_a_draw_only_open_units_take_voids)
{
    raffle_draw *draw = NULL;
    fx_create(FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}");
    raffle_unit *second = fx_unit(2);
    fx_sell_many(fx.unit, "one", 3);
    fx_sell_many(second, "one", 3);
    FX_OK(raffle_unit_close(second, &fx_boss, &fx.err));
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_OK(take_back(&fx_super, 1, 1, "refund"));
    FX_REFUSED(RAFFLE_DRAW_OPEN, take_back(&fx_super, 2, 1, "refund"));
    FX_OK(raffle_draw_abort(fx.raffle, &fx_boss, &fx_super, "test", &fx.err));
    FX_OK(take_back(&fx_super, 2, 1, "refund"));
    raffle_draw_free(draw);
    raffle_unit_free(second);
}
END_TEST

START_TEST(voids_of_every_ticket)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "ten", 300);
    for (uint64_t serial = 300; serial >= 1; serial--)
        FX_OK(take_back(&fx_super, 1, serial, "error"));
    ck_assert_int_eq(fx_info().pot, 0);
    raffle_seal_info seal = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(seal.voids, 300);
    ck_assert_uint_eq(seal.numbers, 3000);
}
END_TEST

/* --- several at once: each ticket is void once, and nobody else's call fails with it --- */

enum {
    VOIDERS = 8,
    TICKETS = 40
};

typedef struct voider {
    unsigned number, done, late, odd;
} voider;

static void *void_all(void *ctx)
{
    voider *v = ctx;
    for (uint64_t serial = 1; serial <= TICKETS; serial++) {
        raffle_rc rc = raffle_void(fx.raffle, &fx_super, 1, serial, "refund", NULL);
        v->done += rc == RAFFLE_OK;
        v->late += rc == RAFFLE_VOIDED;
        v->odd += rc != RAFFLE_OK && rc != RAFFLE_VOIDED;
        v->odd += raffle_event(fx.raffle, &fx_seller, v->number % 2, "x.beside", NULL, NULL, NULL) != RAFFLE_OK;
    }
    return NULL;
}

static void void_together(void)
{
    static voider v[VOIDERS];
    pthread_t thread[VOIDERS];
    unsigned done = 0, late = 0;
    for (unsigned i = 0; i < VOIDERS; i++) {
        v[i] = (voider){.number = fx_unit_info(1).closed ? 0 : i};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, void_all, &v[i]), 0);
    }
    for (unsigned i = 0; i < VOIDERS; i++) {
        pthread_join(thread[i], NULL);
        done += v[i].done;
        late += v[i].late;
        ck_assert_uint_eq(v[i].odd, 0);
    }
    ck_assert_uint_eq(done, TICKETS);
    ck_assert_uint_eq(late, TICKETS * (VOIDERS - 1));
    ck_assert_uint_eq(fx_info().voids, TICKETS);
}

START_TEST(voids_at_once_in_a_unit)
{
    fx.host.timeout_ms = -1; /* the thread sanitizer does not know sem_clockwait() */
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "ten", TICKETS);
    void_together();
}
END_TEST

START_TEST(voids_at_once_in_the_control_log)
{
    fx.host.timeout_ms = -1; /* the thread sanitizer does not know sem_clockwait() */
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "ten", TICKETS);
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    void_together();
}
END_TEST

/* A provider that takes a ticket back through another handle while it is asked: who gives the seed knows who wins. */
typedef struct meddler {
    raffle *other;
    uint64_t given;
    raffle_rc sealed, later; /* what became of a ticket in the drum, and of one that was sold after the seal */
} meddler;

static raffle_rc meddle(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                        int32_t timeout_ms, raffle_error *err)
{
    meddler *m = ctx;
    (void)timeout_ms;
    (void)err;
    evidence[0] = 0;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)((m->given * length + i + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
    m->sealed = raffle_void(m->other, &fx_super, 1, 1, "refund", NULL);
    m->later = raffle_void(m->other, &fx_super, 1, 4 + m->given, "refund", NULL);
    m->given++;
    *filled = length;
    return RAFFLE_OK;
}

START_TEST(nobody_takes_back_what_is_being_drawn)
{
    raffle_rng_table table;
    raffle_rng *rng = NULL;
    raffle_draw *draw = NULL;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_sell_many(fx.unit, "one", 40);
    meddler m = {.other = fx_another()};
    raffle_rng_table_init(&table, sizeof table);
    table.fill = meddle;
    FX_OK(raffle_rng_new("host:coin", &table, &m, &rng, &fx.err));
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_OK(raffle_draw_finish(draw, rng, NULL, 0, &fx.err));
    ck_assert_uint_gt(m.given, 0);
    ck_assert_int_eq(m.sealed, RAFFLE_DRAW_OPEN);
    ck_assert_int_eq(m.later, RAFFLE_OK);
    raffle_draw_free(draw);
    raffle_rng_free(rng);
    raffle_free(m.other);
}
END_TEST

FX_MAIN("raffle_void", nobody_takes_back_what_is_being_drawn, voids_at_once_in_a_unit, voids_at_once_in_the_control_log,
        a_void_takes_the_ticket_back_whole, every_refusal, a_disabled_unit_still_takes_voids,
        after_the_close_voids_go_to_the_control_log, another_handle_closes_the_unit, a_ticket_in_a_result_is_not_voided,
        during_a_draw_only_open_units_take_voids, voids_of_every_ticket)
