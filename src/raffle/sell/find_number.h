/* SPDX-License-Identifier: Apache-2.0 */
/* Which ticket a draw number belongs to: each record of a unit carries `n`, the next draw number, so that the sale is found by interpolation. */
#ifndef RF_RAFFLE_FIND_NUMBER_H
#define RF_RAFFLE_FIND_NUMBER_H

#include "record.h"
#include "store.h"

typedef struct rf_ticket_at {
    uint64_t serial, first;
    int64_t count, price, at;
    char tier[RAFFLE_WORD_SIZE];
} rf_ticket_at;

/* Looks among the first `size` records of unit `unit`, of which `numbers` draw numbers were sold. RAFFLE_NOT_FOUND; RAFFLE_CORRUPT. */
raffle_rc rf_find_number(raffle_store *store, uint32_t unit, uint64_t size, uint64_t numbers, uint64_t number,
                         rf_ticket_at *ticket, raffle_error *err);

#endif
