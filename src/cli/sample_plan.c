/* SPDX-License-Identifier: Apache-2.0 */
/* The acceptance plan, measured: each of its collections runs for a moment, with a fresh seed for each draw. */
#include "sample_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* All without replacement. */
static const struct {
    uint32_t range, picks, millions;
} sets[] = {
    {2, 1, 1},       {17, 5, 20},      {31, 12, 50},    {57, 20, 50},     {105, 7, 100},
    {194, 30, 100},  {358, 20, 100},   {660, 40, 50},   {1217, 50, 50},   {2243, 10, 200},
    {4135, 12, 200}, {7622, 4, 500},   {14050, 9, 200}, {25899, 75, 20},  {47742, 10, 200},
    {65536, 5, 500}, {72859, 10, 200}, {80989, 25, 50}, {90007, 15, 100}, {100000, 100, 10},
};

enum {
    SETS = sizeof sets / sizeof *sets,
    BATCH = 1 << 14 /* picks of a call */
};
static const double moment = 0.25; /* seconds */

static double now(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds a draw; negative: it failed. */
static double measure(cli *c, raffle_rng *rng, uint64_t *numbers, size_t range, size_t picks)
{
    const size_t draws = BATCH / picks;
    const double began = now();
    double passed = 0;
    size_t done = 0;
    while (passed < moment) {
        if (raffle_rng_collect(rng, 0, range, picks, numbers, draws, CLI_TIMEOUT_MS, &c->err) != RAFFLE_OK)
            return -1;
        done += draws;
        passed = now() - began;
    }
    return passed / (double)done;
}

static void add_row(table *t, size_t i, double a_draw)
{
    char range[MONEY_SIZE], draws[MONEY_SIZE];
    const double draw_count = sets[i].millions * 1e6;
    count_format(sets[i].range, range);
    count_format((uint64_t)draw_count, draws);
    table_add(t, "%s", range);
    table_add(t, "%u", sets[i].picks);
    table_add(t, "%s", draws);
    table_add(t, "%.2f", sets[i].picks / a_draw / 1e6);
    table_add(t, "%.1f", draw_count * a_draw / 60);
}

static json_t *row_json(size_t i, double a_draw)
{
    json_t *row = json_must(json_object());
    json_put(row, "range", json_count(sets[i].range));
    json_put(row, "picks", json_count(sets[i].picks));
    json_put(row, "draws", json_count(UINT64_C(1000000) * sets[i].millions));
    json_put(row, "picks_per_second", json_real(sets[i].picks / a_draw));
    json_put(row, "seconds", json_real(sets[i].millions * 1e6 * a_draw));
    return row;
}

static void print_text(const double a_draw[SETS], double picks, double seconds)
{
    static const column columns[] = {
        {"range", true}, {"picks", true}, {"draws", true}, {"million picks a second", true}, {"minutes", true}};
    table t;
    table_begin(&t, columns, 5);
    for (size_t i = 0; i < SETS; i++)
        add_row(&t, i, a_draw[i]);
    table_end(&t, stdout);
    printf("\n%.2f billion picks: %.1f hours on one core, each draw freshly seeded, before writing\n", picks / 1e9,
           seconds / 3600);
}

static void print_json(const double a_draw[SETS], double picks, double seconds)
{
    json_t *top = json_must(json_object()), *list = json_must(json_array());
    for (size_t i = 0; i < SETS; i++)
        json_add(list, row_json(i, a_draw[i]));
    json_put(top, "collections", list);
    json_put(top, "picks", json_real(picks));
    json_put(top, "seconds", json_real(seconds));
    json_end(top, false, stdout);
}

int sample_plan(cli *c, raffle_rng *rng)
{
    double a_draw[SETS], picks = 0, seconds = 0;
    size_t measured = 0;
    uint64_t *numbers = memory_grow(NULL, BATCH * sizeof *numbers);
    for (; measured < SETS; measured++) {
        const double draws = sets[measured].millions * 1e6;
        a_draw[measured] = measure(c, rng, numbers, sets[measured].range, sets[measured].picks);
        if (a_draw[measured] < 0)
            break;
        picks += draws * sets[measured].picks;
        seconds += draws * a_draw[measured];
    }
    free(numbers);
    if (measured < SETS)
        return cli_fail(c);
    (c->json ? print_json : print_text)(a_draw, picks, seconds);
    return CLI_DONE;
}
