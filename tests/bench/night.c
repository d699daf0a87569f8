/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The night of Edmonton, August 2020, whose system gave way: at least 304,000 orders for 60.8 million draw numbers, 200,000 of them taken back. First ten times the
 * rate of its worst minute for a while, then the rest flat out.
 * Usage: night [--store URI] [--keys URI] [--orders N] [--voids N] [--units N] [--rate N] [--seconds N]
 */
#include "night.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: night [--store URI] [--keys URI] [--orders N] [--voids N] [--units N] [--rate N] [--seconds N]\n",
          stderr);
    return 2;
}

static bool take_option(night_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--store") == 0)
        snprintf(o->store, sizeof o->store, "%s", value);
    else if (strcmp(name, "--keys") == 0)
        snprintf(o->keys, sizeof o->keys, "%s", value);
    else if (strcmp(name, "--orders") == 0)
        o->orders = strtoull(value, NULL, 10);
    else if (strcmp(name, "--voids") == 0)
        o->voids = strtoull(value, NULL, 10);
    else if (strcmp(name, "--units") == 0)
        o->units = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--rate") == 0)
        o->rate = strtod(value, NULL);
    else if (strcmp(name, "--seconds") == 0)
        o->seconds = strtod(value, NULL);
    else
        return false;
    return true;
}

static bool sane(const night_options *o)
{
    return o->orders > 0 && o->voids <= o->orders && o->units >= 2 && o->units <= NIGHT_UNITS_MAX && o->rate >= 0 &&
           o->seconds >= 0;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_syncs(const night_stretch *s)
{
    if (s->syncs > 0)
        printf("    %llu syncs of %.2f ms, %.1f calls each\n", (unsigned long long)s->syncs,
               s->sync_seconds / (double)s->syncs * 1000, (double)s->calls / (double)s->syncs);
    fflush(stdout);
}

/* At the rate; returns how many orders went out. */
static uint64_t at_rate(night *n)
{
    const night_options *o = &n->options;
    const double wanted = o->rate * o->seconds;
    const uint64_t count = wanted < (double)o->orders ? (uint64_t)wanted : o->orders;
    if (count == 0)
        return 0;
    const night_stretch s = night_sell(n, 0, count, o->rate);
    qsort(n->ms, count, sizeof *n->ms, compare);
    printf("  %.0f orders a second for %.1f s, durable: %.3f of one core, %.0f us a call; p50 %.2f ms, p99 %.2f ms, "
           "max %.2f ms\n",
           (double)count / s.seconds, s.seconds, s.processor / s.seconds, s.processor / (double)s.calls * 1e6,
           (double)n->ms[count / 2], (double)n->ms[count * 99 / 100], (double)n->ms[count - 1]);
    print_syncs(&s);
    return count;
}

static void print_stretch(const char *what, const night_stretch *s)
{
    printf("  %s: %llu in %.1f s, %.0f a second; %.2f cores, %.0f us each\n", what, (unsigned long long)s->calls,
           s->seconds, (double)s->calls / s->seconds, s->processor / s->seconds, s->processor / (double)s->calls * 1e6);
    print_syncs(s);
}

static unsigned run(night *n)
{
    const uint64_t sent = at_rate(n);
    night_stretch s = night_sell(n, sent, n->options.orders, 0);
    if (s.calls > 0)
        print_stretch("flat out, orders and what is sent again", &s);
    s = night_take_back(n);
    if (s.calls > 0)
        print_stretch("taken back", &s);
    unsigned faults = night_count(n);
    if (faults == 0)
        faults = night_end(n);
    printf("  %llu orders, %llu draw numbers, %llu voids: %u faults\n", (unsigned long long)n->options.orders,
           (unsigned long long)n->options.orders * NIGHT_COUNT, (unsigned long long)n->options.voids, faults);
    return faults;
}

static void open_units(night *n)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    for (unsigned u = 0; u < n->options.units; u++)
        bench_check(raffle_unit_open(n->r, u + 1, &n->unit[u], &err), &err, "unit");
}

static void close_all(night *n)
{
    for (unsigned u = 0; u < n->options.units; u++)
        raffle_unit_free(n->unit[u]);
    raffle_free(n->r);
    free(n->answer);
    free(n->again);
    free(n->ms);
}

int main(int argc, char **argv)
{
    night n = {.options = {.orders = 304000, .voids = 200000, .units = 16, .rate = 333, .seconds = 20}};
    char folder[256];
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !take_option(&n.options, argv[i], argv[i + 1]))
            return usage();
    if (!sane(&n.options))
        return usage();
    bench_folder(folder);
    if (n.options.store[0] == 0)
        snprintf(n.options.store, sizeof n.options.store, "sqlite:%s/night.raffle", folder);
    if (n.options.keys[0] == 0)
        snprintf(n.options.keys, sizeof n.options.keys, "file:%s/night.keys", folder);
    n.answer = calloc(n.options.orders, sizeof *n.answer);
    n.again = calloc(n.options.orders, sizeof *n.again);
    n.ms = calloc(n.options.orders, sizeof *n.ms);
    if (n.answer == NULL || n.again == NULL || n.ms == NULL)
        return 1;
    n.r = bench_create_units(n.options.store, n.options.keys, n.options.units, "[{\"name\":\"first\",\"winners\":10}]");
    open_units(&n);
    const unsigned faults = run(&n);
    close_all(&n);
    bench_remove(folder);
    return faults > 0;
}
