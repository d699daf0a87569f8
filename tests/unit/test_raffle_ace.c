/* SPDX-License-Identifier: Apache-2.0 */
/* Catch the ace: envelopes that miss and one that does not, claims that wait for it, and what is carried over. */
#include "fixture.h"

/* `more`: members of the jackpot. */
#define ACE(more)                                                                                                      \
    FX_HEAD FX_TIERS                                                                                                   \
        "\"prizes\":[{\"name\":\"jackpot\",\"share\":5000,\"carry\":1000,\"carry_from\":\"raffle.example/"             \
        "last\",\"ace\":3," more "},{\"name\":\"car\",\"cap\":100,\"amount\":250,\"above\":\"carry\"}]}"
#define MUST_GO ACE("\"must_go\":true,\"alternates\":3")
#define MAY_STAY ACE("\"alternates\":3")

static char validation[RAFFLE_VALIDATION_SIZE];

static void draw_jackpot(const char *rules)
{
    fx_create(rules);
    fx_sell_many(fx.unit, "one", 8); /* 4,000 */
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("jackpot");
}

static void make_official(uint32_t place)
{
    const raffle_pick pick = fx_pick("jackpot", place);
    fx_validation(pick.unit, pick.serial, validation);
    FX_OK(raffle_winner_verify(fx.raffle, &fx_boss, "jackpot", place, validation, NULL, NULL, &fx.err));
    FX_OK(raffle_winner_official(fx.raffle, &fx_boss, "jackpot", place, &fx.err));
}

static raffle_rc choose(uint32_t place, uint32_t envelope, int32_t outcome, uint32_t *promoted)
{
    return raffle_winner_pick(fx.raffle, &fx_boss, &fx_super, "jackpot", place, envelope, outcome, promoted, &fx.err);
}

static raffle_rc claim(uint32_t place)
{
    return raffle_claim(fx.raffle, &fx_boss, &fx_super, "jackpot", place, validation, &fx.err);
}

static raffle_prize jackpot(void)
{
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "jackpot", &prize, &fx.err));
    return prize;
}

START_TEST(who_finds_the_ace_is_paid)
{
    draw_jackpot(MAY_STAY);
    ck_assert_uint_eq(jackpot().ace, 3);
    ck_assert_int_eq(jackpot().must_go, 0);
    ck_assert_int_eq(jackpot().value, 3000);
    FX_REFUSED(RAFFLE_SEQUENCE, choose(1, 1, RAFFLE_ACE_FOUND, NULL));
    make_official(1);
    FX_REFUSED(RAFFLE_SEQUENCE, claim(1));
    fx_said("has not found its ace");
    FX_REFUSED(RAFFLE_INVALID, choose(1, 0, RAFFLE_ACE_FOUND, NULL));
    FX_REFUSED(RAFFLE_INVALID, choose(1, 4, RAFFLE_ACE_FOUND, NULL));
    FX_REFUSED(RAFFLE_INVALID, choose(1, 1, 3, NULL));
    FX_REFUSED(RAFFLE_SEQUENCE, choose(2, 1, RAFFLE_ACE_FOUND, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, choose(9, 1, RAFFLE_ACE_FOUND, NULL));
    FX_REFUSED(RAFFLE_APPROVAL,
               raffle_winner_pick(fx.raffle, &fx_boss, NULL, "jackpot", 1, 1, RAFFLE_ACE_FOUND, NULL, &fx.err));
    FX_REFUSED(RAFFLE_ROLE,
               raffle_winner_pick(fx.raffle, &fx_seller, &fx_super, "jackpot", 1, 1, RAFFLE_ACE_FOUND, NULL, &fx.err));
    FX_OK(choose(1, 3, RAFFLE_ACE_FOUND, NULL));
    ck_assert_int_eq(fx_pick("jackpot", 1).found, 1);
    ck_assert_int_eq(fx_pick("jackpot", 1).state, RAFFLE_PLACE_OFFICIAL);
    FX_REFUSED(RAFFLE_SEQUENCE, choose(1, 1, RAFFLE_ACE_MISSED, NULL));
    FX_OK(claim(1));
    ck_assert_int_eq(jackpot().carry, 0);
}
END_TEST

START_TEST(who_misses_leaves_it_to_the_next_raffle)
{
    uint32_t promoted = 7;
    draw_jackpot(MAY_STAY);
    make_official(1);
    FX_OK(choose(1, 2, RAFFLE_ACE_MISSED, &promoted));
    ck_assert_uint_eq(promoted, 0);
    ck_assert_int_eq(fx_pick("jackpot", 1).state, RAFFLE_PLACE_MISSED);
    ck_assert_int_eq(fx_pick("jackpot", 2).state, RAFFLE_PLACE_ALTERNATE);
    ck_assert_int_eq(jackpot().carry, 3000);
    FX_REFUSED(RAFFLE_SEQUENCE, claim(1));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "jackpot", 1, "late", NULL, &fx.err));
    fx_close();
    fx_open();
    ck_assert_int_eq(jackpot().carry, 3000);
    raffle_prize car = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "car", &car, &fx.err));
    ck_assert_int_eq(car.value, 100);
    ck_assert_int_eq(car.carry, 150);
}
END_TEST

START_TEST(a_jackpot_that_must_go)
{
    uint32_t promoted = 0;
    draw_jackpot(MUST_GO);
    make_official(1);
    FX_OK(choose(1, 2, RAFFLE_ACE_MISSED, &promoted));
    ck_assert_uint_eq(promoted, 2);
    ck_assert_int_eq(jackpot().carry, 0);
    make_official(2);
    FX_REFUSED(RAFFLE_EXISTS, choose(2, 2, RAFFLE_ACE_MISSED, NULL));
    FX_OK(choose(2, 3, RAFFLE_ACE_MISSED, &promoted));
    ck_assert_uint_eq(promoted, 3);
    make_official(3);
    FX_REFUSED(RAFFLE_INVALID, choose(3, 1, RAFFLE_ACE_MISSED, NULL));
    fx_said("the last one");
    FX_OK(choose(3, 1, RAFFLE_ACE_FOUND, NULL));
    FX_OK(claim(3));
    ck_assert_int_eq(jackpot().carry, 0);
}
END_TEST

/* Whoever found it, and does not come for it: the next may choose that envelope, too. */
START_TEST(an_ace_that_was_found_and_forfeited)
{
    uint32_t promoted = 0;
    draw_jackpot(MUST_GO);
    make_official(1);
    FX_OK(choose(1, 2, RAFFLE_ACE_FOUND, NULL));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "jackpot", 1, "unclaimed", &promoted, &fx.err));
    ck_assert_uint_eq(promoted, 2);
    make_official(2);
    FX_REFUSED(RAFFLE_SEQUENCE, claim(2));
    FX_OK(choose(2, 2, RAFFLE_ACE_FOUND, NULL));
    FX_OK(claim(2));
}
END_TEST

START_TEST(nobody_is_left_to_choose)
{
    draw_jackpot(ACE("\"must_go\":true,\"alternates\":1"));
    make_official(1);
    FX_OK(choose(1, 1, RAFFLE_ACE_MISSED, NULL));
    make_official(2);
    FX_OK(choose(2, 2, RAFFLE_ACE_MISSED, NULL));
    ck_assert_int_eq(jackpot().carry, 3000);
}
END_TEST

START_TEST(a_prize_without_an_ace)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    FX_REFUSED(RAFFLE_SEQUENCE,
               raffle_winner_pick(fx.raffle, &fx_boss, &fx_super, "bird", 1, 1, RAFFLE_ACE_FOUND, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE,
             raffle_winner_pick(NULL, &fx_boss, &fx_super, "bird", 1, 1, RAFFLE_ACE_FOUND, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE,
             raffle_winner_pick(fx.raffle, &fx_boss, &fx_super, NULL, 1, 1, RAFFLE_ACE_FOUND, NULL, &fx.err));
}
END_TEST

FX_MAIN("raffle_ace", who_finds_the_ace_is_paid, who_misses_leaves_it_to_the_next_raffle, a_jackpot_that_must_go,
        an_ace_that_was_found_and_forfeited, nobody_is_left_to_choose, a_prize_without_an_ace)
