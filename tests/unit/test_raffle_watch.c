/* SPDX-License-Identifier: Apache-2.0 */
/* Units that are validated: what is written, and when one is shut out. */
#include "fixture.h"

#include <pthread.h>

#define WATCH_RULES FX_HEAD FX_TIERS FX_PRIZES ",\"watch\":{\"failures\":3,\"minutes\":10}}"
#define MINUTE INT64_C(60000)

static raffle_rc validated(uint32_t unit, int32_t passed, int32_t *disabled)
{
    return raffle_unit_validated(fx.raffle, &fx_system, unit, passed, NULL, disabled, &fx.err);
}

START_TEST(a_unit_that_fails_too_often_is_shut_out)
{
    int32_t disabled = -1;
    raffle_sale line = fx_line("late", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    fx_create(WATCH_RULES);
    for (int i = 1; i <= 2; i++) {
        FX_OK(validated(1, 0, &disabled));
        ck_assert_int_eq(disabled, 0);
        ck_assert_uint_eq(fx_unit_info(1).failures, (uint64_t)i);
    }
    FX_OK(validated(1, 1, &disabled)); /* it counts anew */
    ck_assert_uint_eq(fx_unit_info(1).failures, 0);
    for (int i = 0; i < 3; i++)
        FX_OK(validated(1, 0, &disabled));
    ck_assert_int_eq(disabled, 1);
    ck_assert_int_eq(fx_unit_info(1).enabled, 0);
    FX_REFUSED(RAFFLE_DISABLED, raffle_unit_sell(fx.unit, &fx_seller, &line, 1, 500, &ticket, &fx.err));
    char leaf[1024];
    fx_leaf(0, fx_size(0) - 2, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"code\":\"unit.auth-failed\",\"count\":3"));
    fx_leaf(0, fx_size(0) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"reason\":\"failures\",\"t\":\"unit.disable\""));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_admin, 1, &fx.err));
    ck_assert_uint_eq(fx_unit_info(1).failures, 0);
    fx_sell("after", "one");
}
END_TEST

START_TEST(what_passes_is_written_now_and_then)
{
    fx_create(WATCH_RULES);
    const uint64_t before = fx_size(0);
    const int64_t enabled = fx_unit_info(1).seen;
    FX_OK(validated(1, 1, NULL));
    ck_assert_uint_eq(fx_size(0), before);
    fx.now = enabled + 5 * MINUTE;
    FX_OK(validated(1, 1, NULL));
    ck_assert_uint_eq(fx_size(0), before + 1);
    ck_assert_int_eq(fx_unit_info(1).seen, fx.now);
    FX_OK(validated(1, 1, NULL));
    ck_assert_uint_eq(fx_size(0), before + 1);
}
END_TEST

START_TEST(silence_counts_as_failure_and_sales_are_heard)
{
    uint32_t silent = 9, disabled = 9;
    fx_create(WATCH_RULES);
    FX_OK(raffle_units_watch(fx.raffle, &fx_system, &silent, &disabled, &fx.err));
    ck_assert_uint_eq(silent, 0);
    fx.now += 9 * MINUTE;
    fx_sell("a", "one");
    fx.now += 9 * MINUTE;
    FX_OK(raffle_units_watch(fx.raffle, &fx_system, &silent, &disabled, &fx.err));
    ck_assert_uint_eq(silent, 0);
    for (uint32_t i = 1; i <= 3; i++) {
        fx.now += 10 * MINUTE;
        FX_OK(raffle_units_watch(fx.raffle, &fx_system, &silent, &disabled, &fx.err));
        ck_assert_uint_eq(silent, 1);
        ck_assert_uint_eq(disabled, i == 3);
        FX_OK(raffle_units_watch(fx.raffle, &fx_system, &silent, &disabled, &fx.err)); /* once in ten minutes */
        ck_assert_uint_eq(silent, 0);
    }
    fx.now += 10 * MINUTE; /* whoever is disabled may be silent */
    FX_OK(raffle_units_watch(fx.raffle, &fx_system, &silent, &disabled, &fx.err));
    ck_assert_uint_eq(silent, 0);
}
END_TEST

typedef struct watcher {
    pthread_t thread;
    pthread_barrier_t *start;
    raffle *raffle;
    uint32_t silent;
    raffle_rc rc;
} watcher;

static void *watch(void *ctx)
{
    watcher *w = ctx;
    pthread_barrier_wait(w->start);
    w->rc = raffle_units_watch(w->raffle, &fx_system, &w->silent, NULL, NULL);
    return NULL;
}

/* Two processes that watch at the same moment: ten minutes of silence are one failure, not two. */
START_TEST(silence_counts_once_whoever_watches)
{
    enum {
        ROUNDS = 40
    };
    pthread_barrier_t start;
    fx_create(FX_HEAD FX_TIERS FX_PRIZES ",\"watch\":{\"failures\":1000,\"minutes\":10}}");
    raffle *other = fx_another();
    ck_assert_int_eq(pthread_barrier_init(&start, NULL, 2), 0);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        watcher w[2] = {{.start = &start, .raffle = fx.raffle}, {.start = &start, .raffle = other}};
        fx.now += 10 * MINUTE;
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(pthread_create(&w[i].thread, NULL, watch, &w[i]), 0);
        for (int i = 0; i < 2; i++) {
            pthread_join(w[i].thread, NULL);
            ck_assert_int_eq(w[i].rc, RAFFLE_OK);
        }
        ck_assert_uint_eq(w[0].silent + w[1].silent, 1);
        ck_assert_uint_eq(fx_unit_info(1).failures, round);
    }
    pthread_barrier_destroy(&start);
    raffle_free(other);
}
END_TEST

START_TEST(while_a_draw_is_open_the_failure_is_written_and_the_next_one_shuts_out)
{
    raffle_draw *draw = NULL;
    int32_t disabled = -1;
    fx_create(WATCH_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(validated(1, 0, NULL));
    FX_OK(validated(1, 0, NULL));
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_OK(validated(1, 0, &disabled));
    ck_assert_int_eq(disabled, 0);
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err));
    raffle_draw_free(draw);
    FX_OK(validated(1, 0, &disabled));
    ck_assert_int_eq(disabled, 1);
}
END_TEST

START_TEST(bad_input)
{
    char text[300];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    fx_create(WATCH_RULES);
    FX_REFUSED(RAFFLE_NOT_FOUND, validated(0, 0, NULL));
    FX_REFUSED(RAFFLE_NOT_FOUND, validated(2, 0, NULL));
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_validated(fx.raffle, &fx_seller, 1, 0, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_units_watch(fx.raffle, &fx_seller, NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_validated(fx.raffle, &fx_system, 1, 0, text, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_validated(fx.raffle, &fx_system, 1, 0, "a\nb", NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_validated(NULL, &fx_system, 1, 0, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_units_watch(NULL, &fx_system, NULL, NULL, &fx.err));
}
END_TEST

START_TEST(without_a_watch_failures_are_counted_only)
{
    int32_t disabled = -1;
    fx_create(FX_RULES);
    FX_REFUSED(RAFFLE_UNSUPPORTED, raffle_units_watch(fx.raffle, &fx_system, NULL, NULL, &fx.err));
    for (int i = 0; i < 20; i++)
        FX_OK(validated(1, 0, &disabled));
    ck_assert_int_eq(disabled, 0);
    ck_assert_uint_eq(fx_unit_info(1).failures, 20);
}
END_TEST

START_TEST(a_sale_that_the_host_refused_is_on_record)
{
    fx_create(FX_RULES);
    FX_OK(raffle_event(fx.raffle, &fx_seller, 1, "sale.refused", "self-excluded", "ref 8812", &fx.err));
    char leaf[1024];
    fx_leaf(1, fx_size(1) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"code\":\"sale.refused\",\"component\":\"self-excluded\""));
    ck_assert_ptr_null(strstr(leaf, "8812"));
}
END_TEST

FX_MAIN("raffle_watch", a_unit_that_fails_too_often_is_shut_out, what_passes_is_written_now_and_then,
        silence_counts_as_failure_and_sales_are_heard, silence_counts_once_whoever_watches,
        while_a_draw_is_open_the_failure_is_written_and_the_next_one_shuts_out, bad_input,
        without_a_watch_failures_are_counted_only, a_sale_that_the_host_refused_is_on_record)
