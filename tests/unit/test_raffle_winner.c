/* SPDX-License-Identifier: Apache-2.0 */
/* From a drawn place to a prize paid out: verification, official, claim, forfeit, promotion; and validation numbers that are wrong. */
#include "fixture.h"

#include <pthread.h>

#define BOARD(rule)                                                                                                    \
    FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"alternates\":2,\"claim_days\":30," rule "}," \
                     "{\"name\":\"first\",\"winners\":2,\"alternates\":3,\"claim_days\":0," rule "}]}"

static raffle_rc verify(const raffle_actor *by, const char *prize, uint32_t place, const char *validation,
                        raffle_pick *now, uint32_t *promoted)
{
    return raffle_winner_verify(fx.raffle, by, prize, place, validation, now, promoted, &fx.err);
}

static const char *validation_of(const char *prize, uint32_t place)
{
    static char number[RAFFLE_VALIDATION_SIZE];
    raffle_pick pick = fx_pick(prize, place);
    return fx_validation(pick.unit, pick.serial, number);
}

static void draw_bird(const char *rules)
{
    fx_create(rules);
    fx_sell_many(fx.unit, "one", 12);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
}

START_TEST(the_whole_way)
{
    char number[RAFFLE_VALIDATION_SIZE];
    raffle_pick now = RAFFLE_PICK_INIT;
    uint32_t promoted = 99;
    draw_bird(BOARD("\"one_win\":\"ticket\""));
    strcpy(number, validation_of("bird", 1));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_winner_official(fx.raffle, &fx_super, "bird", 1, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_claim(fx.raffle, &fx_super, &fx_boss, "bird", 1, number, &fx.err));
    FX_OK(verify(&fx_super, "bird", 1, number, &now, &promoted));
    ck_assert_uint_eq(promoted, 0);
    ck_assert_int_eq(now.state, RAFFLE_PLACE_VERIFIED);
    ck_assert_uint_eq(now.place, 1);
    FX_REFUSED(RAFFLE_SEQUENCE, verify(&fx_super, "bird", 1, number, &now, &promoted));
    FX_OK(raffle_winner_official(fx.raffle, &fx_super, "bird", 1, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_winner_official(fx.raffle, &fx_super, "bird", 1, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_claim(fx.raffle, &fx_super, NULL, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_claim(fx.raffle, &fx_super, &fx_super, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_claim(fx.raffle, &fx_super, &fx_seller, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_claim(fx.raffle, &fx_seller, &fx_super, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_MISMATCH,
               raffle_claim(fx.raffle, &fx_super, &fx_boss, "bird", 1, validation_of("bird", 2), &fx.err));
    FX_OK(raffle_claim(fx.raffle, &fx_super, &fx_boss, "bird", 1, number, &fx.err));
    ck_assert_int_eq(fx_pick("bird", 1).state, RAFFLE_PLACE_CLAIMED);
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_claim(fx.raffle, &fx_super, &fx_boss, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 1, "late", NULL, &fx.err));
    fx_close();
    fx_open();
    ck_assert_int_eq(fx_pick("bird", 1).state, RAFFLE_PLACE_CLAIMED);
}
END_TEST

START_TEST(what_a_verification_refuses)
{
    char number[RAFFLE_VALIDATION_SIZE];
    draw_bird(BOARD("\"one_win\":\"ticket\""));
    strcpy(number, validation_of("bird", 1));
    FX_REFUSED(RAFFLE_ROLE, verify(&fx_seller, "bird", 1, number, NULL, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, verify(&fx_super, "bird", 0, number, NULL, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, verify(&fx_super, "bird", 4, number, NULL, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, verify(&fx_super, "first", 1, number, NULL, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, verify(&fx_super, "none", 1, number, NULL, NULL));
    FX_REFUSED(RAFFLE_SEQUENCE, verify(&fx_super, "bird", 2, validation_of("bird", 2), NULL, NULL)); /* an alternate */
    FX_REFUSED(RAFFLE_MISMATCH, verify(&fx_super, "bird", 1, validation_of("bird", 2), NULL, NULL));
    FX_FAILS(RAFFLE_INVALID, verify(&fx_super, "bird", 1, "", NULL, NULL));
    FX_REFUSED(RAFFLE_INVALID, verify(&fx_super, "bird", 1, "000J3-SPE42-90ZF8-9PKAV-XMQWP", NULL, NULL)); /* foreign */
    raffle_info before = fx_info();
    for (size_t i = 0; i < strlen(number); i++) { /* mistyped in each place */
        char typed[RAFFLE_VALIDATION_SIZE];
        strcpy(typed, number);
        if (typed[i] == '-')
            continue;
        typed[i] = typed[i] == '7' ? '8' : '7';
        FX_FAILS(RAFFLE_INVALID, verify(&fx_super, "bird", 1, typed, NULL, NULL));
        ck_assert_ptr_null(strstr(fx.err.message, typed));
    }
    ck_assert_uint_le(fx_info().control_size, before.control_size + 1); /* counted, and written once a minute */
    char loose[64];
    size_t n = 0;
    for (size_t i = 0; number[i] != 0; i++) { /* small letters, without hyphens, with spaces */
        if (number[i] == '-')
            continue;
        loose[n++] = (char)(number[i] >= 'A' && number[i] <= 'Z' ? number[i] + 32 : number[i]);
        if (i % 3 == 0)
            loose[n++] = ' ';
    }
    loose[n] = 0;
    FX_OK(verify(&fx_super, "bird", 1, loose, NULL, NULL));
}
END_TEST

START_TEST(failed_numbers_are_written_once_a_minute)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    char leaf[1024], number[RAFFLE_VALIDATION_SIZE];
    fx_create(FX_RULES);
    fx_sell("a", "one");
    const uint64_t before = fx_size(0);
    for (int i = 0; i < 20; i++)
        FX_FAILS(RAFFLE_INVALID,
                 raffle_ticket_by_validation(fx.raffle, "000J3-SPE42-90ZF8-9PKAV-XMQWP", &ticket, &fx.err));
    ck_assert_uint_eq(fx_size(0), before + 1);
    fx_leaf(0, before, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"code\":\"validation.failed\""));
    ck_assert_ptr_nonnull(strstr(leaf, "\"count\":1"));
    FX_OK(raffle_ticket_by_validation(fx.raffle, fx_validation(1, 1, number), &ticket, &fx.err));
    ck_assert_uint_eq(ticket.serial, 1);
    raffle_unit *u = fx_unit(1);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_unit_validation(u, 0, number, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_unit_validation(u, 2, number, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_unit_validation(u, UINT64_MAX, number, &fx.err));
    raffle_unit_free(u);
}
END_TEST

/* What could not be written is not forgotten. */
START_TEST(failed_numbers_are_written_when_they_can_be)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    char leaf[1024];
    fx_create(FX_RULES);
    fx_sell("a", "one");
    const uint64_t before = fx_size(0);
    fx.clock_rc = RAFFLE_IO; /* no record without a time */
    for (int i = 0; i < 3; i++)
        FX_FAILS(RAFFLE_INVALID,
                 raffle_ticket_by_validation(fx.raffle, "000J3-SPE42-90ZF8-9PKAV-XMQWP", &ticket, &fx.err));
    fx.clock_rc = RAFFLE_OK;
    ck_assert_uint_eq(fx_size(0), before);
    FX_FAILS(RAFFLE_INVALID, raffle_ticket_by_validation(fx.raffle, "000J3-SPE42-90ZF8-9PKAV-XMQWP", &ticket, &fx.err));
    ck_assert_uint_eq(fx_size(0), before + 1);
    fx_leaf(0, before, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"code\":\"validation.failed\",\"count\":4"));
}
END_TEST

START_TEST(a_void_ticket_loses_its_place)
{
    raffle_pick now = RAFFLE_PICK_INIT;
    uint32_t promoted = 99;
    fx_create(BOARD("\"one_win\":\"ticket\""));
    fx_sell_many(fx.unit, "one", 3);
    fx_seal(RAFFLE_SEAL_EARLY);
    for (uint64_t serial = 1; serial <= 3; serial++) /* after the seal: all of them */
        FX_OK(raffle_void(fx.raffle, &fx_super, 1, serial, "refund", &fx.err));
    fx_draw("bird");
    for (uint32_t place = 1; place <= 3; place++) {
        FX_OK(verify(&fx_super, "bird", place, validation_of("bird", place), &now, &promoted));
        ck_assert_int_eq(now.state, RAFFLE_PLACE_REFUSED);
        ck_assert_uint_eq(promoted, place < 3 ? place + 1 : 0);
        ck_assert_int_eq(fx_pick("bird", place).state, RAFFLE_PLACE_REFUSED);
        if (place < 3)
            ck_assert_int_eq(fx_pick("bird", place + 1).state, RAFFLE_PLACE_DRAWN);
    }
    FX_REFUSED(RAFFLE_SEQUENCE, verify(&fx_super, "bird", 3, validation_of("bird", 3), NULL, NULL));
}
END_TEST

START_TEST(a_forfeit_before_and_after_the_claim_period)
{
    uint32_t promoted = 99;
    draw_bird(BOARD("\"one_win\":\"ticket\""));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 1, "late", &promoted, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, &fx_seller, "bird", 1, "late", &promoted, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_forfeit(fx.raffle, &fx_super, &fx_boss, "bird", 1, "late", &promoted, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 1, "", &promoted, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 2, "late", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 99);
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 1, "late", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 2);
    fx.now += 30 * FX_DAY - 1;
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 2, "late", &promoted, &fx.err));
    fx.now += 1;
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 2, "late", NULL, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 3, "late", &promoted, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 3, "late", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 0); /* nobody is left */
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 3, "late", &promoted, &fx.err));
}
END_TEST

/* Tickets of ten numbers each: alternates of one prize win another, and are skipped. */
static void promote(bool number)
{
    uint32_t promoted = 0, barred = 0;
    fx_create(number ? BOARD("\"one_win\":\"number\"") : BOARD("\"one_win\":\"ticket\""));
    fx_sell_many(fx.unit, number ? "one" : "ten", 4);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    raffle_pick winner = fx_pick("bird", 1), second = fx_pick("bird", 2), third = fx_pick("bird", 3);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first"); /* two winners of three tickets that are left: at least one is an alternate of "bird" */
    for (uint32_t place = 1; place <= 2; place++) {
        raffle_pick pick = fx_pick("first", place);
        ck_assert_uint_ne(pick.serial, winner.serial);
        barred |= pick.serial == second.serial ? 1 : 0;
        barred |= pick.serial == third.serial ? 2 : 0;
    }
    ck_assert_uint_ne(barred, 0);
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", 1, "late", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, barred == 3 ? 0 : barred == 1 ? 3 : 2);
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "first", &prize, &fx.err));
    if (prize.places == 3 && promoted != 0) { /* the alternate of "first" is the one who was promoted: barred in turn */
        FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "first", 1, "late", &promoted, &fx.err));
        ck_assert_uint_eq(promoted, 0);
    }
}

START_TEST(barred_alternates_are_not_promoted)
{
    promote(false);
}
END_TEST

START_TEST(nor_by_their_number)
{
    promote(true);
}
END_TEST

START_TEST(without_the_rule_everybody_is_promoted)
{
    uint32_t promoted = 0;
    draw_bird(BOARD("\"one_win\":\"none\""));
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    for (uint32_t place = 1; place <= 2; place++) {
        FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "bird", place, "late", &promoted, &fx.err));
        ck_assert_uint_eq(promoted, place + 1);
    }
    for (uint32_t place = 1; place <= 3;
         place++) { /* at once: no claim period; winners 1 and 2, alternates from 3 on */
        FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "first", place, "late", &promoted, &fx.err));
        ck_assert_uint_eq(promoted, place + 2);
    }
}
END_TEST

typedef struct loser {
    pthread_t thread;
    raffle *raffle;
    uint32_t place, promoted;
    raffle_rc rc;
} loser;

static void *lose_place(void *ctx)
{
    loser *l = ctx;
    l->rc = raffle_forfeit(l->raffle, &fx_boss, NULL, "first", l->place, "late", &l->promoted, NULL);
    return NULL;
}

/* Each promotes another alternate, whoever comes first. */
START_TEST(forfeits_at_once)
{
    loser l[2];
    draw_bird(BOARD("\"one_win\":\"none\""));
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    raffle *other = fx_another();
    for (uint32_t i = 0; i < 2; i++) {
        l[i] = (loser){.raffle = i == 0 ? fx.raffle : other, .place = i + 1};
        ck_assert_int_eq(pthread_create(&l[i].thread, NULL, lose_place, &l[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(l[i].thread, NULL);
        ck_assert_int_eq(l[i].rc, RAFFLE_OK);
    }
    ck_assert_uint_eq(l[0].promoted + l[1].promoted, 3 + 4);
    raffle_free(other);
}
END_TEST

START_TEST(another_handle_follows)
{
    char number[RAFFLE_VALIDATION_SIZE];
    draw_bird(BOARD("\"one_win\":\"ticket\""));
    raffle *other = fx_another();
    strcpy(number, validation_of("bird", 1));
    FX_OK(raffle_winner_verify(other, &fx_super, "bird", 1, number, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, verify(&fx_super, "bird", 1, number, NULL, NULL));
    FX_OK(raffle_winner_official(fx.raffle, &fx_super, "bird", 1, &fx.err));
    FX_OK(raffle_claim(other, &fx_super, &fx_boss, "bird", 1, number, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_claim(fx.raffle, &fx_super, &fx_boss, "bird", 1, number, &fx.err));
    raffle_free(other);
}
END_TEST

/* --- deadlines and papers --- */

#define PAPER_RULES                                                                                                    \
    FX_HEAD FX_TIERS                                                                                                   \
        "\"prizes\":[{\"name\":\"big\",\"amount\":90000,\"papers_above\":59999,\"claim_days\":5,\"alternates\":1},"    \
        "{\"name\":\"two\",\"amount\":90000,\"winners\":2,\"papers_above\":45000,\"claim_days\":0}]}"

static void official(const char *prize, uint32_t place, char validation[RAFFLE_VALIDATION_SIZE])
{
    const raffle_pick pick = fx_pick(prize, place);
    fx_validation(pick.unit, pick.serial, validation);
    FX_OK(raffle_winner_verify(fx.raffle, &fx_boss, prize, place, validation, NULL, NULL, &fx.err));
    FX_OK(raffle_winner_official(fx.raffle, &fx_boss, prize, place, &fx.err));
}

static void draw_with_papers(void)
{
    fx_create(PAPER_RULES);
    fx_sell_many(fx.unit, "one", 8);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("big");
}

START_TEST(a_claim_comes_in_time)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    uint32_t promoted = 0;
    draw_with_papers();
    const int64_t drawn = fx.now;
    official("big", 1, validation);
    ck_assert_int_eq(fx_pick("big", 1).claim_by, drawn + 5 * FX_DAY);
    ck_assert_int_eq(fx_pick("big", 1).called_at, drawn);
    fx.now = drawn + 5 * FX_DAY;
    FX_REFUSED(RAFFLE_CLOCK, raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, "id", &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_EXPIRED,
               raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, "id", &fx.err));
    FX_REFUSED(RAFFLE_EXPIRED, raffle_claim_wait(fx.raffle, &fx_boss, "big", 1, validation, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "big", 1, "unclaimed", &promoted, &fx.err));
    ck_assert_int_eq(fx_pick("big", 1).state, RAFFLE_PLACE_EXPIRED);
    ck_assert_uint_eq(promoted, 2);
}
END_TEST

/* Who takes over has as long as who was drawn: the night's guide promises the place to the alternate. */
START_TEST(an_alternate_has_a_claim_period_of_its_own)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    uint32_t promoted = 0;
    draw_with_papers();
    fx.now += 5 * FX_DAY;
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "big", 1, "unclaimed", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 2);
    ck_assert_int_eq(fx_pick("big", 2).claim_by, fx.now + 5 * FX_DAY);
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, NULL, "big", 2, "unclaimed", NULL, &fx.err));
    official("big", 2, validation);
    fx.now += 5 * FX_DAY - 1;
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_OK(raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 2, validation, "form 17", &fx.err));
    ck_assert_int_eq(fx_pick("big", 2).state, RAFFLE_PLACE_CLAIMED);
}
END_TEST

START_TEST(the_claim_period_of_an_alternate_ends)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    draw_with_papers();
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "big", 1, "gone", NULL, &fx.err));
    official("big", 2, validation);
    fx.now += 5 * FX_DAY;
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_EXPIRED,
               raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 2, validation, "id", &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "big", 2, "unclaimed", NULL, &fx.err));
    ck_assert_int_eq(fx_pick("big", 2).state, RAFFLE_PLACE_EXPIRED);
}
END_TEST

START_TEST(large_prizes_wait_for_papers)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    draw_with_papers();
    official("big", 1, validation);
    FX_REFUSED(RAFFLE_PAPERS, raffle_claim(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, "", &fx.err));
    FX_REFUSED(RAFFLE_MISUSE, raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, NULL, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_claim_wait(fx.raffle, &fx_seller, "big", 1, validation, &fx.err));
    FX_OK(raffle_claim_wait(fx.raffle, &fx_super, "big", 1, validation, &fx.err));
    ck_assert_int_eq(fx_pick("big", 1).state, RAFFLE_PLACE_WAITING);
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_claim_wait(fx.raffle, &fx_super, "big", 1, validation, &fx.err));
    fx.now += 6 * FX_DAY; /* whoever came in time may look for papers */
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, NULL, "big", 1, "no-papers", NULL, &fx.err));
    FX_REFUSED(RAFFLE_PAPERS, raffle_claim(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, &fx.err));
    FX_OK(raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "big", 1, validation, "form 17", &fx.err));
    ck_assert_int_eq(fx_pick("big", 1).state, RAFFLE_PLACE_CLAIMED);
}
END_TEST

START_TEST(who_waits_forfeits_by_two)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    draw_with_papers();
    official("big", 1, validation);
    FX_OK(raffle_claim_wait(fx.raffle, &fx_super, "big", 1, validation, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "big", 1, "no-papers", NULL, &fx.err));
    ck_assert_int_eq(fx_pick("big", 1).state, RAFFLE_PLACE_FORFEITED);
}
END_TEST

START_TEST(small_prizes_ask_for_no_papers_and_some_have_no_deadline)
{
    char validation[RAFFLE_VALIDATION_SIZE];
    draw_with_papers();
    fx_draw("two"); /* 45,000 for each of two: not more than the rules say */
    official("two", 1, validation);
    ck_assert_int_eq(fx_pick("two", 1).claim_by, 0);
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_claim_wait(fx.raffle, &fx_super, "two", 1, validation, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE,
               raffle_claim_papers(fx.raffle, &fx_boss, &fx_super, "two", 1, validation, "id", &fx.err));
    fx.now += 900 * FX_DAY;
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.reset", NULL, NULL, &fx.err));
    FX_OK(raffle_claim(fx.raffle, &fx_boss, &fx_super, "two", 1, validation, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "two", 2, "gone", NULL, &fx.err));
    ck_assert_int_eq(fx_pick("two", 2).state, RAFFLE_PLACE_FORFEITED);
}
END_TEST

FX_MAIN("raffle_winner", the_whole_way, what_a_verification_refuses, failed_numbers_are_written_once_a_minute,
        failed_numbers_are_written_when_they_can_be, a_void_ticket_loses_its_place,
        a_forfeit_before_and_after_the_claim_period, barred_alternates_are_not_promoted, nor_by_their_number,
        without_the_rule_everybody_is_promoted, forfeits_at_once, another_handle_follows, a_claim_comes_in_time,
        an_alternate_has_a_claim_period_of_its_own, the_claim_period_of_an_alternate_ends, large_prizes_wait_for_papers,
        who_waits_forfeits_by_two, small_prizes_ask_for_no_papers_and_some_have_no_deadline)
