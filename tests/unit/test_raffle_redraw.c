/* SPDX-License-Identifier: Apache-2.0 */
/* Redraws: when they wait, what their intent needs, and what they are worth. */
#include "fixture.h"

/* A prize for two winners with an alternate, and two redraws of its places, with a prize between them. */
#define RULES(more)                                                                                                    \
    FX_HEAD FX_TIERS                                                                                                   \
        "\"prizes\":[{\"name\":\"first\",\"amount\":1001,\"winners\":2,\"alternates\":1,\"claim_days\":0},"            \
        "{\"name\":\"again\",\"redraw_of\":\"first\"" more "},{\"name\":\"car\"},"                                     \
        "{\"name\":\"third\",\"redraw_of\":\"first\"},{\"name\":\"last\",\"redraw_of\":\"again\"}]}"

static void draw_first(const char *rules)
{
    fx_create(rules);
    fx_sell_many(fx.unit, "one", 12);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
}

static raffle_prize prize(const char *name)
{
    raffle_prize is = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, name, &is, &fx.err));
    return is;
}

static void lose(const char *name, uint32_t place)
{
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, name, place, "unclaimed", NULL, &fx.err));
}

static raffle_rc begin(const char *name, const char *reason, const raffle_actor *ok, raffle_draw **draw)
{
    raffle_draw_options how = {.struct_size = sizeof how};
    how.rng = fx.rng;
    how.reason = reason;
    how.ok = ok;
    return raffle_draw_begin(fx.raffle, &fx_boss, name, &how, draw, &fx.err);
}

static void redraw(const char *name)
{
    raffle_draw *draw = NULL;
    FX_OK(begin(name, "unclaimed", &fx_super, &draw));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, -1, &fx.err));
    raffle_draw_free(draw);
}

START_TEST(a_redraw_waits_for_a_lost_place)
{
    raffle_draw *draw = NULL;
    draw_first(RULES(""));
    ck_assert_str_eq(prize("again").redraw_of, "first");
    ck_assert_str_eq(prize("first").redraw_of, "");
    ck_assert_int_eq(prize("again").waits, 0);
    ck_assert_int_eq(prize("car").waits, 1);
    FX_REFUSED(RAFFLE_SEQUENCE, begin("again", "unclaimed", &fx_super, &draw));
    fx_said("none is without a winner");
    lose("first", 1); /* goes to the alternate */
    FX_REFUSED(RAFFLE_SEQUENCE, begin("again", "unclaimed", &fx_super, &draw));
    fx_draw("car"); /* which the redraw does not hold up */
    lose("first", 2);
    ck_assert_int_eq(prize("again").waits, 1);
    ck_assert_int_eq(prize("third").waits, 1);
    FX_REFUSED(RAFFLE_SEQUENCE, begin("third", "unclaimed", &fx_super, &draw));
    fx_said("comes after \"again\"");
    redraw("again");
    FX_REFUSED(RAFFLE_DRAWN, begin("again", "unclaimed", &fx_super, &draw));
    ck_assert_int_eq(prize("third").waits, 0);
    lose("first", 3);
    redraw("third");
    lose("again", 1);
    redraw("last");
    lose("last", 1);
    ck_assert_int_eq(prize("last").waits, 0);
    fx_close();
    fx_open();
    ck_assert_int_eq(prize("last").state, RAFFLE_PRIZE_DRAWN);
}
END_TEST

START_TEST(its_intent_has_a_reason_and_a_second_approver)
{
    raffle_draw *draw = NULL;
    draw_first(RULES(""));
    FX_REFUSED(RAFFLE_INVALID, begin("car", "unclaimed", &fx_super, &draw));
    fx_said("takes no reason");
    lose("first", 1);
    lose("first", 2);
    FX_REFUSED(RAFFLE_INVALID, begin("again", NULL, &fx_super, &draw));
    FX_REFUSED(RAFFLE_INVALID, begin("again", "", &fx_super, &draw));
    FX_REFUSED(RAFFLE_INVALID, begin("again", "Not A Word", &fx_super, &draw));
    FX_REFUSED(RAFFLE_APPROVAL, begin("again", "unclaimed", NULL, &draw));
    FX_REFUSED(RAFFLE_APPROVAL, begin("again", "unclaimed", &fx_seller, &draw));
    FX_OK(begin("again", "unclaimed", &fx_super, &draw));
    raffle_draw_info info = {.struct_size = sizeof info};
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    raffle_draw_free(draw);
    char intent[1000], result[40];
    fx_leaf(0, info.intent, intent, sizeof intent);
    snprintf(result, sizeof result, "\"result\":%llu", (unsigned long long)prize("first").result);
    ck_assert_ptr_nonnull(strstr(intent, "\"reason\":\"unclaimed\""));
    ck_assert_ptr_nonnull(strstr(intent, result));
}
END_TEST

START_TEST(it_is_worth_what_the_place_was)
{
    draw_first(RULES(",\"papers_above\":499"));
    ck_assert_int_eq(prize("again").value, 500); /* half of 1,001, whose last cent stays with the organisation */
    ck_assert_int_eq(prize("again").each, 500);
    ck_assert_int_eq(prize("again").remainder, 0);
    ck_assert_int_eq(prize("last").value, 500);
    lose("first", 1);
    lose("first", 2);
    redraw("again");
    const raffle_pick pick = fx_pick("again", 1);
    char validation[RAFFLE_VALIDATION_SIZE];
    fx_validation(pick.unit, pick.serial, validation);
    FX_OK(raffle_winner_verify(fx.raffle, &fx_boss, "again", 1, validation, NULL, NULL, &fx.err));
    FX_OK(raffle_winner_official(fx.raffle, &fx_boss, "again", 1, &fx.err));
    FX_REFUSED(RAFFLE_PAPERS, raffle_claim(fx.raffle, &fx_boss, &fx_super, "again", 1, validation, &fx.err));
}
END_TEST

FX_MAIN("raffle_redraw", a_redraw_waits_for_a_lost_place, its_intent_has_a_reason_and_a_second_approver,
        it_is_worth_what_the_place_was)
