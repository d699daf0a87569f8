/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a `fill` hands over in PostgreSQL: sent as it comes, without waiting. Keys are believed to be free, unless they are known
 * to be taken; the database says at the end whether that was so, and if not, `fill` is called again, knowing better.
 */
#ifndef RF_STORE_POSTGRES_BATCH_H
#define RF_STORE_POSTGRES_BATCH_H

#include "postgres/db.h"

typedef struct rf_pg_batch {
    rf_pg_conn *conn; /* of this try */
    int32_t raffle;
    uint32_t log;
    raffle_store_head head; /* as it was */
    uint64_t next;          /* index of the next record */
    uint64_t first;         /* … of the first one in `leaf` */
    size_t flying;          /* statements with records that were sent */
    uint64_t rows, bytes;   /* of the transaction */
    raffle_rc failed;       /* the first failure of a function of the batch */
    rf_pg_keyset mine;      /* handed over, believed to be free */
    rf_pg_keyset taken;     /* known to be taken, from earlier tries; keys are never given back */
    rf_pg_array leaf, part;
    rf_pg_array level, place, hash; /* nodes */
    rf_pg_array key, key_log, key_index;
    char *note; /* or NULL */
    size_t note_length;
    uint64_t note_size;
    bool has_state;
    size_t state_length;
    uint8_t state[RAFFLE_STORE_STATE_MAX];
} rf_pg_batch;

/* Where a flight failed. */
typedef enum rf_pg_part {
    RF_PG_PART_RECORDS,
    RF_PG_PART_KEYS,
    RF_PG_PART_OTHERS
} rf_pg_part;

void rf_pg_batch_free(rf_pg_batch *b);
/* Before each `fill`: forgets everything but the keys that are known to be taken. */
void rf_pg_batch_begin(rf_pg_batch *b, rf_pg_conn *c);
raffle_store_batch rf_pg_batch_table(rf_pg_batch *b);
bool rf_pg_batch_empty(const rf_pg_batch *b);
/* Queues what was not sent yet, the log's head last; takes the answers, of which the first failure counts. */
raffle_rc rf_pg_batch_send(rf_pg_batch *b, raffle_error *err);
raffle_rc rf_pg_batch_take(rf_pg_batch *b, rf_pg_part *part, raffle_error *err);
/* Queues the question which of the keys that were handed over are taken; takes the answer: how many were not known to be. */
raffle_rc rf_pg_batch_ask_keys(rf_pg_batch *b, raffle_error *err);
raffle_rc rf_pg_batch_take_keys(rf_pg_batch *b, size_t *found, raffle_error *err);

#endif
