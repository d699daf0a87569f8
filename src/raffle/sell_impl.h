/* SPDX-License-Identifier: Apache-2.0 */
/* A call to sell on its way: what sell.c and sell_answer.c share. */
#ifndef RF_RAFFLE_SELL_IMPL_H
#define RF_RAFFLE_SELL_IMPL_H

#include "order.h"
#include "unit_impl.h"

typedef struct rf_sell rf_sell;

/* What became of an order; kept in its first line. */
typedef enum rf_sell_outcome {
    RF_SELL_NONE,
    RF_SELL_SOLD,
    RF_SELL_TAKEN,  /* its key was taken: it was sold before */
    RF_SELL_REFUSED /* by the state or the rules; it may still have been sold before */
} rf_sell_outcome;

typedef struct rf_sell_line_state {
    raffle_rc rc;
    int tier;
    uint32_t order_first, order_lines; /* the order that this line is of */
    uint32_t made;                     /* 1 + index among the keys that the library made; 0: the caller's */
    rf_sell_outcome outcome;
    uint32_t order_hash_length, private_length;
    uint8_t order_hash[RF_ORDER_HASH_MAX];
    uint8_t p[32];
    const char *private_part;
    uint32_t owner_log;
    uint64_t owner_index;
    uint64_t serial, first;
    int64_t at;
} rf_sell_line_state;

/* Lines whose private parts are made together. */
typedef struct rf_sell_chunk {
    rf_sell *sell;
    size_t begin, end, used;
    char *arena;
    rf_task task;
} rf_sell_chunk;

struct rf_sell {
    rf_unit *unit;
    const raffle_actor *by;
    rf_text actor;
    const raffle_sale *sales;
    size_t step, n;
    rf_sha256 *hash;
    rf_sell_line_state *line;
    char (*made)[RAFFLE_NAME_SIZE];
    char *arena;
    rf_sell_chunk *chunk;
    bool prepared; /* the private parts were made before the log was touched */
    char start[512];
    /* of the transaction */
    int64_t at;
    uint64_t base; /* index of this call's first record */
    uint64_t quota;
    raffle_rc stopped; /* what kept the whole call from selling */
    raffle_rc refusal;
    char refusal_text[120];
    /* the first line that failed; after checking alone, too */
    size_t first_fault, checked_fault;
    raffle_error fault;
};

const raffle_sale *rf_sell_line(const rf_sell *q, size_t i);
const char *rf_sell_order(const rf_sell *q, size_t i);

/* Fills the tickets: what was sold, what was sold before, and what failed. */
raffle_rc rf_sell_answer(rf_sell *q, raffle_rc rc, const raffle_error *failure, raffle_ticket *tickets, raffle_error *err);

#endif
