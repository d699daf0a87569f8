/* SPDX-License-Identifier: Apache-2.0 */
/* Prizes that grow: the estimate while sales go on, the value from the seal on, what is passed on, and pots of some tiers alone. */
#include "fixture.h"

#define GROWING                                                                                                        \
    FX_HEAD FX_TIERS "\"prizes\":["                                                                                    \
                     "{\"name\":\"bird\",\"seal\":\"early\",\"share\":1000,\"minimum\":300},"                          \
                     "{\"name\":\"first\",\"share\":5000,\"start\":100,\"carry\":50,\"carry_from\":\"raffle.example/"  \
                     "last\",\"cap\":2000,\"above\":\"next\",\"round_to\":50},"                                        \
                     "{\"name\":\"second\",\"amount\":7,\"winners\":2,\"cap\":1000,\"above\":\"carry\"},"              \
                     "{\"name\":\"hat\",\"amount\":900}]}"

#define BUY_INS                                                                                                        \
    FX_HEAD FX_TIERS "\"prizes\":["                                                                                    \
                     "{\"name\":\"bird\",\"seal\":\"early\",\"share\":10000,\"pot\":\"entered\",\"tiers\":[\"ten\"]}," \
                     "{\"name\":\"ones\",\"share\":5000,\"pot\":\"entered\",\"tiers\":[\"one\",\"free\"]},"            \
                     "{\"name\":\"all\",\"share\":10000,\"pot\":\"all\",\"tiers\":[\"ten\"]}]}"

static raffle_prize prize(const char *name)
{
    raffle_prize is = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, name, &is, &fx.err));
    return is;
}

static void worth(const char *name, int64_t value, int64_t overflow, int estimate)
{
    const raffle_prize is = prize(name);
    ck_assert_msg(is.value == value && is.overflow == overflow && is.estimate == estimate,
                  "%s is worth %lld, %lld more above its cap, estimate %d", name, (long long)is.value,
                  (long long)is.overflow, is.estimate);
    ck_assert_int_eq(is.each * is.winners + is.remainder, value);
    ck_assert_int_ge(is.remainder, 0);
    ck_assert_int_lt(is.remainder, is.winners);
}

static void void_ticket(uint64_t serial)
{
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, serial, "refund", &fx.err));
}

START_TEST(a_prize_grows_with_the_sales)
{
    fx_create(GROWING);
    worth("bird", 300, 0, 1);
    worth("first", 150, 0, 1);
    worth("second", 7, 0, 1);
    worth("hat", 900, 0, 0);
    fx_sell_many(fx.unit, "one", 3); /* 1,500 */
    worth("bird", 300, 0, 1);
    worth("first", 900, 0, 1);
    fx_sell("big", "ten"); /* 3,500 */
    worth("bird", 350, 0, 1);
    worth("first", 1900, 0, 1);
    void_ticket(1); /* 3,000 */
    worth("bird", 300, 0, 1);
    worth("first", 1650, 0, 1);
    fx_sell_many(fx.unit, "ten", 1); /* 5,000 */
    worth("first", 2000, 650, 1);
    worth("second", 657, 0, 1);
}
END_TEST

START_TEST(from_its_seal_on_a_prize_is_final)
{
    fx_create(GROWING);
    fx_sell_many(fx.unit, "ten", 2); /* 4,000 */
    fx_seal(RAFFLE_SEAL_EARLY);
    worth("bird", 400, 0, 0);
    worth("first", 2000, 150, 1);
    fx_draw("bird");
    fx_sell_many(fx.unit, "ten", 2); /* 8,000 */
    worth("bird", 400, 0, 0);
    worth("second", 1000, 1157, 1);
    fx_seal(RAFFLE_SEAL_FINAL);
    worth("first", 2000, 2150, 0);
    worth("second", 1000, 1157, 0);
    fx_draw("first");
    fx_draw("second");
    worth("first", 2000, 2150, 0);
    worth("second", 1000, 1157, 0);
    ck_assert_int_eq(prize("second").each, 500);
    fx_close();
    fx_open();
    worth("second", 1000, 1157, 0);
}
END_TEST

START_TEST(pots_of_the_tiers_that_are_entered)
{
    fx_create(BUY_INS);
    fx_sell_many(fx.unit, "one", 4); /* 2,000: serials 1 to 4 */
    fx_sell_many(fx.unit, "ten", 2); /* 4,000: 5 and 6 */
    fx_sell_many(fx.unit, "free", 3);
    worth("bird", 4000, 0, 1);
    worth("ones", 1000, 0, 1);
    worth("all", 6000, 0, 1);
    void_ticket(2);
    void_ticket(5);
    worth("bird", 2000, 0, 1);
    worth("ones", 750, 0, 1);
    worth("all", 3500, 0, 1);
    raffle *other = fx_another();
    raffle_prize is = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(other, "ones", &is, &fx.err));
    ck_assert_int_eq(is.value, 750);
    raffle_free(other);
    fx_seal(RAFFLE_SEAL_EARLY);
    worth("bird", 2000, 0, 0);
    fx_draw("bird");
    fx_sell_many(fx.unit, "ten", 1);
    fx_sell_many(fx.unit, "one", 1);
    worth("bird", 2000, 0, 0);
    worth("ones", 1000, 0, 1);
    FX_OK(raffle_unit_close(fx.unit, &fx_super, &fx.err));
    void_ticket(3); /* by the control log: the unit is closed */
    worth("ones", 750, 0, 1);
    fx_seal(RAFFLE_SEAL_FINAL);
    worth("ones", 750, 0, 0);
    worth("all", 5500, 0, 0);
    fx_draw("ones");
    fx_close();
    fx_open();
    worth("ones", 750, 0, 0);
}
END_TEST

START_TEST(a_seal_without_such_a_prize_counts_no_tiers)
{
    char leaf[4096];
    fx_create(GROWING);
    fx_sell_many(fx.unit, "ten", 2);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_leaf(0, fx_size(0) - 3, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"t\":\"seal.unit\""));
    ck_assert_ptr_null(strstr(leaf, "\"tiers\""));
}
END_TEST

START_TEST(a_seal_counts_its_tiers)
{
    char leaf[4096];
    fx_create(BUY_INS);
    fx_sell_many(fx.unit, "ten", 2);
    fx_sell_many(fx.unit, "free", 1);
    void_ticket(1);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_leaf(0, fx_size(0) - 3, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"tiers\":[{\"tickets\":0,\"voids\":0},{\"tickets\":2,\"voids\":1},"
                                       "{\"tickets\":1,\"voids\":0}]"));
}
END_TEST

FX_MAIN("raffle_prize", a_prize_grows_with_the_sales, from_its_seal_on_a_prize_is_final,
        pots_of_the_tiers_that_are_entered, a_seal_without_such_a_prize_counts_no_tiers, a_seal_counts_its_tiers)
