/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that go back or leap, their reset, replayed ones in rehearsals; and events. */
#include "fixture.h"

static raffle_rc sell_at(const char *order, int64_t at, raffle_ticket *ticket)
{
    raffle_sale sale = fx_line(order, "one");
    sale.at = at;
    raffle_ticket_init(ticket, sizeof *ticket);
    return raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 5000, ticket, &fx.err);
}

static raffle_rc event(const raffle_actor *by, uint32_t unit, const char *code)
{
    return raffle_event(fx.raffle, by, unit, code, NULL, NULL, &fx.err);
}

START_TEST(a_clock_a_little_behind_is_jitter)
{
    raffle_ticket ticket;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    static const int64_t behind[] = {1, 1000, 2000};
    for (size_t i = 0; i < 3; i++) {
        char order[8];
        snprintf(order, sizeof order, "b%zu", i);
        fx.now = FX_NOW - behind[i];
        FX_OK(sell_at(order, 0, &ticket));
        ck_assert_int_eq(ticket.at, FX_NOW); /* that of the record before it */
        FX_OK(event(&fx_boss, 0, "x.note"));
    }
    fx.now = FX_NOW - 2001;
    FX_REFUSED(RAFFLE_CLOCK, sell_at("c", 0, &ticket));
    fx_said("2 s behind");
    FX_REFUSED(RAFFLE_CLOCK, event(&fx_boss, 0, "x.note"));
    fx.now = FX_NOW + 1;
    FX_OK(sell_at("c", 0, &ticket));
    ck_assert_int_eq(ticket.at, FX_NOW + 1);
}
END_TEST

START_TEST(a_clock_that_went_back_is_reset_by_a_supervisor)
{
    raffle_ticket ticket;
    char leaf[1024];
    fx_create(FX_RULES);
    fx_sell("a", "one");
    fx.now = FX_NOW - 3000;
    FX_REFUSED(RAFFLE_CLOCK, sell_at("b", 0, &ticket));
    FX_REFUSED(RAFFLE_CLOCK, raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    FX_REFUSED(RAFFLE_CLOCK, raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    FX_REFUSED(RAFFLE_CLOCK, raffle_unit_disable(fx.raffle, &fx_boss, 1, "x", &fx.err));
    FX_REFUSED(RAFFLE_ROLE, event(&fx_seller, 1, "clock.reset"));
    FX_REFUSED(RAFFLE_ROLE, event(&fx_auditor, 0, "clock.reset"));
    FX_OK(event(&fx_super, 1, "clock.reset"));
    fx_leaf(1, 2, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"at\":\"2026-11-21T19:59:57.000Z\""));
    FX_OK(sell_at("b", 0, &ticket));
    ck_assert_int_eq(ticket.at, FX_NOW - 3000);
    FX_REFUSED(RAFFLE_CLOCK, event(&fx_super, 0, "x.note")); /* each log has its own time */
    FX_OK(event(&fx_super, 0, "clock.reset"));
    FX_OK(event(&fx_super, 0, "x.note"));
    fx_close();
    fx_open();
    FX_OK(sell_at("c", 0, &ticket));
    ck_assert_int_eq(ticket.at, FX_NOW - 3000);
}
END_TEST

START_TEST(a_leap_is_reset_too)
{
    raffle_ticket ticket;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    fx.now = FX_NOW + FX_HOUR; /* up to an hour is a slow day */
    FX_OK(sell_at("b", 0, &ticket));
    fx.now += 2 * FX_HOUR;
    FX_REFUSED(RAFFLE_CLOCK, sell_at("c", 0, &ticket));
    fx_said("leapt forward by 7200 s");
    FX_REFUSED(RAFFLE_CLOCK, event(&fx_boss, 0, "x.note"));
    FX_OK(event(&fx_super, 1, "clock.reset"));
    FX_OK(sell_at("c", 0, &ticket));
    ck_assert_int_eq(ticket.at, fx.now);
    FX_OK(event(&fx_super, 0, "clock.reset"));
    FX_OK(event(&fx_boss, 0, "x.note"));
}
END_TEST

START_TEST(a_clock_that_shows_no_time)
{
    raffle_ticket ticket;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    static const int64_t none[] = {-1, INT64_MIN, INT64_MAX, INT64_C(253402300800000)};
    for (size_t i = 0; i < 4; i++) {
        fx.now = none[i];
        FX_REFUSED(RAFFLE_CLOCK, sell_at("b", 0, &ticket));
        FX_REFUSED(RAFFLE_CLOCK, event(&fx_super, 1, "clock.reset"));
    }
    fx.clock_rc = 12345;
    FX_REFUSED(RAFFLE_HOST, event(&fx_super, 1, "x.note"));
    fx_said("the clock stands");
}
END_TEST

static raffle_rc endless(void *ctx, int64_t *ms, raffle_error *err)
{
    (void)ctx;
    (void)ms;
    memset(err->message, 'x', sizeof err->message);
    err->token = 5;
    return RAFFLE_HOST;
}

START_TEST(a_sentence_without_an_end_is_ended)
{
    fx_create(FX_RULES);
    fx.host.clock = endless;
    fx_close();
    fx_open();
    ck_assert_int_eq(event(&fx_super, 1, "x.note"), RAFFLE_HOST);
    ck_assert_ptr_nonnull(strstr(fx.err.message, "the host's clock failed: xxx"));
    ck_assert_uint_eq(strspn(strchr(fx.err.message, ':') + 2, "x"), sizeof fx.err.message - 1 - 25);
    ck_assert_uint_eq(fx.err.token, 5);
    raffle_error_init(&fx.err, sizeof fx.err);
}
END_TEST

/* --- rehearsals --- */

#define REHEARSAL                                                                                                      \
    "{\"origin\":\"raffle.example/rehearsal\",\"name\":\"R\",\"organisation\":\"S\",\"currency\":\"CAD\","             \
    "\"rehearsal\":true,\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"   \
    "\"rng\":[\"test\",\"host:coin\"]," FX_TIERS FX_PRIZES "}"

START_TEST(a_replayed_clock_leaps_as_it_likes)
{
    raffle_ticket ticket;
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    fx_create(REHEARSAL);
    ck_assert_int_eq(fx_info().rehearsal, 1);
    fx_sell("a", "one");
    fx.now += 5 * FX_HOUR;
    FX_OK(sell_at("b", 0, &ticket));
    FX_OK(sell_at("c", fx.now + 1000, &ticket)); /* a line's own time */
    ck_assert_int_eq(ticket.at, fx.now + 1000);
    FX_OK(sell_at("d", fx.now + 500, &ticket)); /* never before the record before it */
    ck_assert_int_eq(ticket.at, fx.now + 1000);
    FX_REFUSED(RAFFLE_WINDOW, sell_at("e", FX_NOW + 9 * FX_HOUR, &ticket));
    FX_REFUSED(RAFFLE_INVALID, sell_at("e", -5, &ticket));
    FX_REFUSED(RAFFLE_INVALID, sell_at("e", INT64_MAX, &ticket));
}
END_TEST

START_TEST(a_batch_of_replayed_times)
{
    static raffle_sale sale[200];
    static raffle_ticket ticket[200];
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    fx.now = FX_NOW - FX_HOUR;
    fx_create(REHEARSAL);
    int64_t last = fx.now;
    for (size_t i = 0; i < 200; i++) {
        char order[16];
        snprintf(order, sizeof order, "o-%zu", i / 2);
        sale[i] = fx_line(order, "one");
        sale[i].at = fx.now + (int64_t)(i * 37 % 100) * 10;
        raffle_ticket_init(&ticket[i], sizeof ticket[i]);
    }
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, sale, 200, 5000, ticket, &fx.err));
    for (size_t i = 0; i < 200; i += 2) {
        last = sale[i].at > last ? sale[i].at : last; /* an order has the time of its first line */
        ck_assert_int_eq(ticket[i].at, last);
        ck_assert_int_eq(ticket[i + 1].at, last);
    }
}
END_TEST

/* Now is not before what was replayed a moment ago. */
START_TEST(now_after_replayed_times)
{
    static raffle_sale sale[40];
    static raffle_ticket ticket[40];
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    fx_create(REHEARSAL);
    for (size_t n = 3; n <= 40; n += 37) { /* made by the caller, and by the worker */
        for (size_t i = 0; i < n; i++) {
            char order[16];
            snprintf(order, sizeof order, "o-%zu-%zu", n, i);
            sale[i] = fx_line(order, "one");
            sale[i].at = i % 2 == 0 ? fx.now + 5000 + (int64_t)n : 0;
            raffle_ticket_init(&ticket[i], sizeof ticket[i]);
        }
        FX_OK(raffle_unit_sell(fx.unit, &fx_seller, sale, n, 5000, ticket, &fx.err));
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(ticket[i].at, fx.now + 5000 + (int64_t)n);
        fx.now += 10000;
    }
}
END_TEST

START_TEST(a_rehearsal_draws_with_the_test_provider)
{
    raffle_rng *test = NULL;
    raffle_draw *draw = NULL;
    fx_create(REHEARSAL);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_rng_open("test:seed=0123", NULL, &test, &fx.err));
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_OK(raffle_draw_finish(draw, test, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    raffle_rng_free(test);
    fx_close();
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    fx_open();
}
END_TEST

START_TEST(only_rehearsals_replay)
{
    raffle *r = NULL;
    fx_create(FX_RULES);
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    FX_FAILS(RAFFLE_REHEARSAL, raffle_open(fx.store, NULL, &fx.host, &r, &fx.err));
    ck_assert_ptr_null(r);
}
END_TEST

/* --- events --- */

START_TEST(events_of_hosts)
{
    static const char *const good[] = {"x.a", "x.some-thing.else_1", "auth.mismatch", "printer.paper-out",
                                       "ticket.failed"};
    static const char *const bad[] = {"",
                                      "X.a",
                                      "y.a",
                                      "private.erased",
                                      "draw.ask",
                                      "draw.ask-failed",
                                      "validation.failed",
                                      "printer.on-fire",
                                      "x.a b",
                                      "x.abcdefghijklmnopqrstuvwxyz01234"};
    char text[300], leaf[1024];
    fx_create(FX_RULES);
    fx_sell("a", "one");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        FX_OK(event(&fx_seller, 0, good[i]));
        FX_OK(event(&fx_system, 1, good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FX_REFUSED(RAFFLE_INVALID, event(&fx_boss, 0, bad[i]));
        FX_REFUSED(RAFFLE_INVALID, event(&fx_boss, 1, bad[i]));
    }
    FX_REFUSED(RAFFLE_NOT_FOUND, event(&fx_boss, 2, "x.a"));
    FX_REFUSED(RAFFLE_INVALID, raffle_event(fx.raffle, &fx_boss, 1, "x.a", "Two words", NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_event(fx.raffle, &fx_boss, 1, "x.a", NULL, "a\nb", &fx.err));
    memset(text, 't', 257);
    text[257] = 0;
    FX_REFUSED(RAFFLE_INVALID, raffle_event(fx.raffle, &fx_boss, 1, "x.a", NULL, text, &fx.err));
    memset(text, '"', 256);
    text[256] = 0;
    FX_OK(raffle_event(fx.raffle, &fx_boss, 1, "x.a", "printer", text, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.a", "a234567890123456789012345678901b", "", &fx.err));
    fx_leaf(1, fx_size(1) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"component\":\"printer\""));
    ck_assert_ptr_null(strstr(leaf, "\\\""));
}
END_TEST

START_TEST(an_event_begins_a_log)
{
    fx_create(FX_RULES);
    FX_REFUSED(RAFFLE_ROLE, event(&fx_seller, 1, "clock.reset"));
    FX_OK(event(&fx_seller, 1, "x.a"));
    ck_assert_uint_eq(fx_size(1), 2);
    ck_assert_uint_eq(fx_sell("a", "one").serial, 2);
}
END_TEST

FX_MAIN("raffle_clock", a_clock_a_little_behind_is_jitter, a_clock_that_went_back_is_reset_by_a_supervisor,
        a_leap_is_reset_too, a_clock_that_shows_no_time, a_sentence_without_an_end_is_ended,
        a_replayed_clock_leaps_as_it_likes, a_batch_of_replayed_times, now_after_replayed_times,
        a_rehearsal_draws_with_the_test_provider, only_rehearsals_replay, events_of_hosts, an_event_begins_a_log)
