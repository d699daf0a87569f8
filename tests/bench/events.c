/* SPDX-License-Identifier: Apache-2.0 */
/* Finding events among a million (RAFFLE_BENCH_EVENTS) in eight units' logs, by each index and by several together. */
#include "bench.h"

#include "unit_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNITS = 8,
    BATCH = 500,
    STEP_MS = 37, /* between two events */
    COMPONENTS = 100,
    LIMIT = 100
};

static const int64_t begin_ms = INT64_C(1790000000000);

static const char *const codes[] = {
    "comm.fail",         "comm.up",         "component.down", "component.up", "printer.paper-low",
    "printer.paper-out", "printer.failure", "clock.sync",     "x.door",       "x.cash-drop"};

static uint64_t events_wanted(void)
{
    const char *text = getenv("RAFFLE_BENCH_EVENTS");
    return text != NULL ? strtoull(text, NULL, 10) : 1000000;
}

/* --- writing them --- */

/* Some events of one unit, in one transaction. */
typedef struct writing {
    rf_unit *unit;
    uint64_t first; /* number of the first, counted over all units */
    rf_sha256 *hash;
    char private_part[BATCH + 1][128];
} writing;

/* "x.door" of "gate" is rare. */
static rf_record make_event(uint64_t i, char component[RAFFLE_WORD_SIZE])
{
    rf_record r = {.type = RF_EVENT, .at = begin_ms + (int64_t)i * STEP_MS, .by = RAFFLE_SYSTEM};
    const uint64_t dice = i * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    r.has = rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N) | rf_bit(RF_F_CODE) |
            rf_bit(RF_F_COMPONENT);
    r.n = 1;
    r.code = rf_text_of(codes[dice % 10]);
    snprintf(component, RAFFLE_WORD_SIZE, "printer-%u", (unsigned)(dice / 16 % COMPONENTS));
    if (i % 100003 == 7)
        snprintf(component, RAFFLE_WORD_SIZE, "gate");
    r.component = rf_text_of(component);
    return r;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    static const raffle_actor machine = RAFFLE_ACTOR_INIT("bench", RAFFLE_SYSTEM);
    writing *w = ctx;
    char component[RAFFLE_WORD_SIZE];
    raffle_rc rc = rf_unit_begin_log(w->unit, txn, w->hash, &machine, begin_ms, w->private_part[BATCH], 128, err);
    for (uint64_t i = 0; rc == RAFFLE_OK && i < BATCH; i++) {
        rf_record r = make_event(w->first + i * UNITS, component);
        char *part = w->private_part[i];
        const size_t n = (size_t)snprintf(part, 128, "{\"actor\":\"bench\",\"salt\":\"%032llx\"}",
                                          (unsigned long long)(w->first + i * UNITS));
        rf_sha256_of(w->hash, r.p, part, n);
        rc = rf_unit_add(w->unit, txn, &r, part, n, err);
    }
    return rc;
}

static void write_batch(raffle_unit *unit, uint64_t first)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    writing *w = calloc(1, sizeof *w);
    w->unit = unit->unit;
    w->first = first;
    w->hash = rf_sha256_new();
    rf_request request = {.build = build, .ctx = w, .timeout_ms = 10000};
    bench_check(rf_log_append(w->unit->log, &request, &err), &err, "events");
    rf_sha256_free(w->hash);
    free(w);
}

static void write_all(raffle *r, uint64_t n)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    const double began = bench_now();
    for (uint64_t first = 0; first < n; first += (uint64_t)BATCH * UNITS)
        for (uint32_t u = 0; u < UNITS; u++) {
            raffle_unit *unit = NULL;
            bench_check(raffle_unit_open(r, u + 1, &unit, &err), &err, "unit");
            write_batch(unit, first + u);
            raffle_unit_free(unit);
        }
    printf("  (%llu events in %u logs, written in %.1f s)\n", (unsigned long long)n, UNITS, bench_now() - began);
}

/* --- finding them --- */

typedef struct question {
    const char *what;
    const char *code, *component;
    uint32_t flags, log;
    int64_t from_s, to_s; /* seconds after the first event */
    uint32_t limit;
} question;

static const question questions[] = {
    {"the newest hundred", "", "", RAFFLE_EVENT_NEWEST, 0, 0, 0, LIMIT},
    {"the first hundred of an hour", "", "", 0, 0, 18000, 21600, LIMIT},
    {"a code, the newest hundred", "printer.paper-out", "", RAFFLE_EVENT_NEWEST, 0, 0, 0, LIMIT},
    {"a component, the newest hundred", "", "printer-42", RAFFLE_EVENT_NEWEST, 0, 0, 0, LIMIT},
    {"a unit, the newest hundred", "", "", RAFFLE_EVENT_NEWEST | RAFFLE_EVENT_IN_LOG, 5, 0, 0, LIMIT},
    {"code and component, the newest hundred", "printer.paper-out", "printer-42", RAFFLE_EVENT_NEWEST, 0, 0, 0, LIMIT},
    {"code, component, unit and an hour", "printer.paper-out", "printer-42", RAFFLE_EVENT_IN_LOG, 5, 18000, 21600,
     LIMIT},
    {"a rare component and a common code, all", "x.door", "gate", 0, 0, 0, 0, 0},
    {"all thousand or so of a code and a component", "comm.up", "printer-7", 0, 0, 0, 0, 0},
    {"all of a component, ten thousand", "", "printer-42", 0, 0, 0, 0, 0},
};

static raffle_rc count_hit(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)hit;
    (void)err;
    (*(uint64_t *)ctx)++;
    return RAFFLE_OK;
}

static double find(raffle *r, const question *q, uint64_t *hits)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_event_query query = RAFFLE_EVENT_QUERY_INIT;
    query.flags = q->flags;
    query.log = q->log;
    query.limit = q->limit;
    query.from = q->from_s > 0 ? begin_ms + q->from_s * 1000 : 0;
    query.to = q->to_s > 0 ? begin_ms + q->to_s * 1000 : 0;
    snprintf(query.code, sizeof query.code, "%s", q->code);
    snprintf(query.component, sizeof query.component, "%s", q->component);
    *hits = 0;
    const double began = bench_now();
    bench_check(raffle_event_find(r, &query, count_hit, hits, NULL, &err), &err, "find");
    return bench_now() - began;
}

static void ask_all(raffle *r)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        double runs[BENCH_RUNS];
        uint64_t hits = 0;
        const double first = find(r, &questions[i], &hits);
        for (int run = 0; run < BENCH_RUNS; run++)
            runs[run] = find(r, &questions[i], &hits);
        printf("  %-46s %6llu found, %7.2f ms (%.2f ms the first time)\n", questions[i].what, (unsigned long long)hits,
               bench_median(runs, BENCH_RUNS) * 1e3, first * 1e3);
    }
}

/* RAFFLE_BENCH_STORE: a store's URI instead of a SQLite file's. */
int bench_events(void)
{
    char folder[256], store[300], keys[300];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    const char *uri = getenv("RAFFLE_BENCH_STORE");
    bench_folder(folder);
    snprintf(store, sizeof store, "%s", uri != NULL ? uri : "");
    if (uri == NULL)
        snprintf(store, sizeof store, "%s/bench.raffle", folder);
    snprintf(keys, sizeof keys, "file:%s/keys", folder);
    r = bench_create_units(store, keys, UNITS, "[{\"name\":\"first\"}]");
    write_all(r, events_wanted());
    raffle_free(r);
    const double began = bench_now();
    bench_check(raffle_open(store, "", NULL, &r, &err), &err, "open");
    printf("  (opened in %.1f ms)\n", (bench_now() - began) * 1e3);
    ask_all(r);
    raffle_free(r);
    bench_remove(folder);
    return 0;
}
