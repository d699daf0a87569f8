/* SPDX-License-Identifier: Apache-2.0 */
/* The Edmonton night: what its files share. Orders of 200 draw numbers through many units, some sent twice, many taken back. */
#ifndef BENCH_NIGHT_H
#define BENCH_NIGHT_H

#include "bench.h"

#include <stdbool.h>

enum {
    NIGHT_UNITS_MAX = 64,
    NIGHT_COUNT = 200 /* draw numbers an order */
};

typedef struct night_options {
    char store[512], keys[300];
    uint64_t orders, voids;
    unsigned units;
    double rate, seconds; /* orders a second, and for how long; the rest as fast as it goes */
} night_options;

/* What a sending of an order was answered. */
typedef struct night_answer {
    uint32_t unit; /* 0: none */
    uint32_t replayed;
    uint64_t serial, first;
} night_answer;

typedef struct night {
    night_options options;
    raffle *r;
    raffle_unit *unit[NIGHT_UNITS_MAX];
    night_answer *answer, *again; /* of each order, and of its second sending */
    float *ms;                    /* of each order that was sent at the rate */
} night;

/* What a stretch of the night took. */
typedef struct night_stretch {
    double seconds, processor; /* of the clock; of all processors, by this process and its children */
    uint64_t calls;
    uint64_t syncs;      /* of SQLite's, in this process, */
    double sync_seconds; /* and the time of the clock that threads spent in them */
} night_stretch;

/* Every 20th order is sent twice, half of those to another unit; the unit of a sending, counted from 0. */
bool night_twice(uint64_t order);
unsigned night_unit(const night *n, uint64_t order, bool again);
/* Exactly `voids` orders of all are taken back. */
bool night_void(const night *n, uint64_t order);

/* Sells orders [from, to) at `rate` a second (0: as fast as it goes), a thread a unit; takes them back; */
night_stretch night_sell(night *n, uint64_t from, uint64_t to, double rate);
night_stretch night_take_back(night *n);
/* seals, acknowledges, draws and audits, and counts everything. Returns the number of faults. */
unsigned night_end(night *n);
unsigned night_count(night *n);

#endif
