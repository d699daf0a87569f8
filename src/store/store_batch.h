/* SPDX-License-Identifier: Apache-2.0 */
/* The guard between a `fill` and the batch that a store hands it: both sides are checked against the contract. */
#ifndef RF_STORE_BATCH_H
#define RF_STORE_BATCH_H

#include "store.h"

/* One append. `called` and `result` tell afterwards whether the store asked, and what it was answered last. */
typedef struct rf_guard {
    uint32_t log;
    raffle_store_fill fill;
    void *fill_ctx;
    bool called;
    raffle_rc result;
    raffle_store_batch batch; /* the store's */
    uint64_t next;            /* index of the next record */
} rf_guard;

/* A raffle_store_fill, with an rf_guard as its context. */
raffle_rc rf_guard_fill(void *guard, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err);

#endif
