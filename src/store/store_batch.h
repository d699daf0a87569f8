/* SPDX-License-Identifier: Apache-2.0 */
/* The guard between a `fill` and the batch that a store hands it: both sides are checked against the contract. */
#ifndef RF_STORE_BATCH_H
#define RF_STORE_BATCH_H

#include "store.h"

enum {
    RF_GUARD_TRIES = 8 /* of one append whose outcome is not known */
};

/* The last record that a try handed over: a log that holds it at its place holds all of them, since each has a hash of its own. */
typedef struct rf_tried {
    char *leaf;
    uint32_t length; /* 0: no record */
    uint64_t index;
} rf_tried;

/* One append. `called` and `result` tell afterwards whether the store asked, and what it was answered last. */
typedef struct rf_guard {
    uint32_t log;
    raffle_store_fill fill;
    void *fill_ctx;
    bool called;
    raffle_rc result;
    raffle_store_batch batch; /* the store's */
    uint64_t next;            /* index of the next record */
    uint64_t base;            /* the log's size before */
    bool same_base;           /* only under the same size again … */
    bool overtaken;           /* … which it has no longer: `fill` was not called */
    size_t tries;
    rf_tried tried[RF_GUARD_TRIES]; /* the one under way is [tries] */
} rf_guard;
void rf_guard_clear(rf_guard *guard);

/* A raffle_store_fill, with an rf_guard as its context. */
raffle_rc rf_guard_fill(void *guard, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err);

#endif
