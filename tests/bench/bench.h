/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the benchmark share: a folder of their own, raffles to sell into, medians, and bare SQLite. */
#ifndef BENCH_H
#define BENCH_H

#include <raffle/raffle.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_row {
    const char *name, *what;
    int (*run)(void); /* 0: it ran */
} bench_row;

int bench_sell_uuid7(void);
int bench_sell_random(void);
int bench_sell_one(void);
int bench_sell_threads(void);
int bench_till(void);
int bench_split(void);
int bench_draw(void);
int bench_open(void);
int bench_audit(void);
int bench_publish(void);
int bench_proof(void);
int bench_receipt(void);
int bench_events(void);
int bench_backup(void);
int bench_picks(void);

enum {
    BENCH_RUNS = 5
};

/* How large the large rows are: RAFFLE_BENCH_SALES, by default 1,000,000. */
uint64_t bench_sales(void);
/* And how many of them are void when receipts are made: RAFFLE_BENCH_VOIDS, by default 2,000. */
uint64_t bench_voids(void);

/* The large raffle: made once, opened, and sealed once; returns the draw numbers in the drum. */
void bench_large_make(void);
raffle *bench_large_open(void);
const char *bench_large_folder(void); /* where its store is, bench.raffle */
uint64_t bench_large_seal(raffle *r);

double bench_now(void); /* seconds */
double bench_median(double *values, size_t n);
/* "<what>: <a> against <b> <unit>, ratio <a/b>". */
void bench_print(const char *what, double a, double b, const char *unit);

/* A fresh folder under TMPDIR, and its removal with everything in it. */
void bench_folder(char out[256]);
void bench_remove(const char *folder);

/* A raffle with one unit in `folder`, or with `units` of them in `store`, and the tiers 10-for-10 and 200-for-50, called as the
 * URI says after its #; ends the program when it cannot. */
raffle *bench_create(const char *folder, const char *prizes);
raffle *bench_create_units(const char *store, const char *keys, unsigned units, const char *prizes);
void bench_check(raffle_rc rc, const raffle_error *err, const char *what);

typedef enum bench_keys {
    BENCH_UUID7,
    BENCH_RANDOM
} bench_keys;
/* The order key of sale `i`; the same for both sides of a comparison. */
void bench_order_key(char out[RAFFLE_NAME_SIZE], bench_keys kind, uint64_t run, uint64_t i);

/* Sells `n` tickets in batches; returns the seconds. */
double bench_sell(raffle_unit *unit, uint64_t run, uint64_t n, size_t batch, bench_keys kind);
/* The same with the order keys first, first + stride, …: many threads together sell in the order of time. */
double bench_sell_stride(raffle_unit *unit, uint64_t run, uint64_t first, uint64_t stride, uint64_t n, size_t batch,
                         bench_keys kind);

/* Bare SQLite in `folder`: the rows that a raffle of the same sales holds. */
typedef struct bench_bare bench_bare;
bench_bare *bench_bare_open(const char *folder);
double bench_bare_insert(bench_bare *bare, uint64_t run, uint64_t n, size_t batch, bench_keys kind);
void bench_bare_close(bench_bare *bare);

#endif
