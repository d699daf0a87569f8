/* SPDX-License-Identifier: Apache-2.0 */
/* A call to sell on its way: what sell.c and sell_answer.c share. */
#ifndef RF_RAFFLE_SELL_IMPL_H
#define RF_RAFFLE_SELL_IMPL_H

#include "order.h"
#include "unit_impl.h"

typedef struct rf_sell rf_sell;
typedef struct rf_sell_buyer rf_sell_buyer;

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
    uint32_t buyer; /* 1 + index among the call's buyers; 0: the rules do not limit them, or it has none */
    uint32_t made;  /* 1 + index among the keys that the library made; 0: the caller's */
    rf_sell_outcome outcome;
    uint32_t order_hash_length, private_length;
    uint8_t order_hash[RF_ORDER_HASH_MAX];
    uint8_t p[32];
    const char *private_part;
    /* The leaf as it will be when no order before it is dropped: made ahead, with `first` and `at`. Length 0: not made. */
    const char *leaf;
    uint32_t leaf_length;
    uint32_t owner_log;
    uint64_t owner_index;
    uint64_t serial, first;
    int64_t at;
} rf_sell_line_state;

/* The first of the lines that failed, and its sentence; `line` is SIZE_MAX when there is none. */
typedef struct rf_sell_fault {
    size_t line;
    raffle_error error;
} rf_sell_fault;

struct rf_sell {
    rf_unit *unit;
    const raffle_actor *by;
    rf_text actor;
    const raffle_sale *sales;
    size_t step, n;
    rf_sha256 *hash;
    rf_sell_line_state *line;
    char (*made)[RAFFLE_NAME_SIZE];
    rf_sell_buyer *buyer; /* whose tickets the rules limit */
    size_t buyers;
    bool recount; /* a buyer turned out to have more in the transaction than before it */
    char *arena;  /* the private parts, one after the other */
    size_t arena_used;
    /* How many lines have their private parts: the worker goes ahead of the leader, who waits when he catches up. */
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t prepared;
    rf_task task;
    bool ahead; /* the transaction has begun: the leaves can be made, too, from … */
    uint64_t ahead_next;
    int64_t ahead_last_at;
    char start[512];
    /* of the transaction */
    int64_t at;
    uint64_t quota;
    raffle_rc stopped; /* what kept the whole call from selling */
    raffle_rc refusal;
    char refusal_text[120];
    /* The first line that failed: its own fields, as the worker found them; and the state or the rules, in the transaction. */
    rf_sell_fault checked, judged;
    raffle_error clock_fault;
    bool by_order; /* the answer is each order's own, also when the call failed as a whole */
};

const raffle_sale *rf_sell_line(const rf_sell *q, size_t i);
const char *rf_sell_order(const rf_sell *q, size_t i);
/* Remembers the failure when no earlier line failed; returns `rc`. */
raffle_rc rf_sell_fail(rf_sell_fault *fault, size_t i, raffle_rc rc, const char *sentence);

/* sell_buyer.c: the call's buyers, and how many tickets each has; that again; before each try of the transaction; whether an order's buyers may have its
 * tickets, RAFFLE_LIMIT; and the place that a line takes, which was added. Each does nothing when the rules do not limit them. */
raffle_rc rf_sell_find_buyers(rf_sell *q, raffle_error *err);
raffle_rc rf_sell_recount_buyers(rf_sell *q, raffle_error *err);
void rf_sell_start_buyers(rf_sell *q);
raffle_rc rf_sell_judge_buyers(rf_sell *q, size_t i, char sentence[120]);
raffle_rc rf_sell_take_place(rf_sell *q, rf_txn *txn, size_t i, raffle_error *err);

/* Fills the tickets: what was sold, what was sold before, and what failed. `failure` is what the call as a whole failed with, `rc` its status. */
raffle_rc rf_sell_answer(rf_sell *q, const raffle_error *failure, raffle_rc rc, raffle_ticket *tickets,
                         raffle_error *err);

#endif
