/* SPDX-License-Identifier: Apache-2.0 */
/* Money that was counted, and the balance of a unit and of its sellers. */
#include "fixture.h"

static raffle_cash_info balance(uint32_t unit, const char *seller)
{
    raffle_cash_info info;
    raffle_cash_info_init(&info, sizeof info);
    FX_OK(raffle_cash_balance(fx.raffle, unit, seller, &info, &fx.err));
    ck_assert_uint_eq(info.unit, unit);
    ck_assert_int_eq(info.difference, info.counted - (info.gross - info.void_gross));
    return info;
}

static void sell_by(const char *id, const char *order, const char *tier)
{
    raffle_actor by;
    raffle_sale line = fx_line(order, tier);
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_OK(raffle_actor_init(&by, sizeof by, id, RAFFLE_SELLER, &fx.err));
    FX_OK(raffle_unit_sell(fx.unit, &by, &line, 1, 500, &ticket, &fx.err));
}

START_TEST(units_and_sellers_are_reconciled)
{
    fx_create(FX_RULES);
    sell_by("ann", "a", "ten");
    sell_by("zoe", "b", "ten");
    sell_by("ann", "c", "one");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err)); /* one of ann's */
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "cash", 500, "ann", NULL, &fx.err));
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "cash", 1500, "zoe", "a note is missing", &fx.err));
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "card", 400, "zoe", NULL, &fx.err));
    raffle_cash_info all = balance(1, NULL), ann = balance(1, "ann"), zoe = balance(1, "zoe"), cid = balance(1, "cid");
    ck_assert_int_eq(all.gross, 4500);
    ck_assert_int_eq(all.void_gross, 2000);
    ck_assert_int_eq(all.counted, 2400);
    ck_assert_int_eq(all.difference, -100);
    ck_assert_uint_eq(ann.tickets, 2);
    ck_assert_uint_eq(ann.voids, 1);
    ck_assert_int_eq(ann.difference, 0);
    ck_assert_int_eq(zoe.gross, 2000);
    ck_assert_int_eq(zoe.counted, 1900);
    ck_assert_int_eq(zoe.difference, -100);
    ck_assert_uint_eq(cid.tickets, 0);
    ck_assert_int_eq(cid.counted, 0);
    char leaf[1024];
    fx_leaf(0, fx_size(0) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"counted\":400,\"kind\":\"card\""));
    ck_assert_ptr_null(strstr(leaf, "zoe")); /* who it was is private */
}
END_TEST

START_TEST(voids_after_the_close_are_the_units_too)
{
    fx_create(FX_RULES);
    sell_by("ann", "a", "ten");
    sell_by("ann", "b", "ten");
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "error", &fx.err)); /* in the control log */
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "cash", 2100, NULL, NULL, &fx.err));
    ck_assert_int_eq(balance(1, NULL).difference, 100);
    ck_assert_int_eq(balance(1, "ann").void_gross, 2000);
    ck_assert_uint_eq(balance(1, "ann").voids, 1);
}
END_TEST

START_TEST(sellers_that_were_erased_are_counted)
{
    fx_create(FX_RULES);
    sell_by("ann", "a", "ten");
    sell_by("ann", "b", "one");
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    raffle_cash_info ann = balance(1, "ann");
    ck_assert_uint_eq(ann.tickets, 1);
    ck_assert_uint_eq(ann.unknown, 1);
}
END_TEST

START_TEST(bad_input)
{
    raffle_cash_info info = {0};
    char text[300];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    fx_create(FX_RULES);
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_cash(fx.raffle, &fx_super, 0, "cash", 1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_cash(fx.raffle, &fx_super, 2, "cash", 1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_cash(fx.raffle, &fx_seller, 1, "cash", 1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "Cash", 1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "cash", -1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "cash", INT64_MAX, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "cash", 1, "", NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "cash", 1, text, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_cash(fx.raffle, &fx_super, 1, "cash", 1, NULL, text, &fx.err));
    FX_REFUSED(RAFFLE_MISUSE, raffle_cash(fx.raffle, &fx_super, 1, NULL, 1, NULL, NULL, &fx.err));
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "cash", (INT64_C(1) << 53) - 1, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_LIMIT, raffle_cash(fx.raffle, &fx_super, 1, "cash", 1, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_cash_balance(fx.raffle, 1, NULL, &info, &fx.err));
    raffle_cash_info_init(&info, sizeof info);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_cash_balance(fx.raffle, 2, NULL, &info, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_cash_balance(fx.raffle, 1, "", &info, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_cash_balance(NULL, 1, NULL, &info, &fx.err));
}
END_TEST

FX_MAIN("raffle_cash", units_and_sellers_are_reconciled, voids_after_the_close_are_the_units_too,
        sellers_that_were_erased_are_counted, bad_input)
