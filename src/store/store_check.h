/* SPDX-License-Identifier: Apache-2.0 */
/* What a record, a key and a head may be: the checks that hold in both directions, to a store and from it. */
#ifndef RF_STORE_CHECK_H
#define RF_STORE_CHECK_H

#include "store.h"

/* `rc` is the status of a failure: RAFFLE_INVALID for what a caller gave, RAFFLE_CORRUPT for what a store gave. */
raffle_rc rf_check_record(const raffle_record *record, uint32_t log, uint64_t index, raffle_rc rc, raffle_error *err);
raffle_rc rf_check_key(const raffle_store_key *key, raffle_rc rc, raffle_error *err);
raffle_rc rf_check_head(const raffle_store_head *head, uint32_t log, raffle_error *err);
/* Records from a store on their way to a sink: a raffle_store_sink_record with one of these as its context checks them. What goes wrong is kept, whatever the
 * store makes of it. */
typedef struct rf_reading {
    uint32_t log;
    uint64_t next, end;
    raffle_store_sink_record sink;
    void *sink_ctx;
    raffle_error *err;
    raffle_rc result;
} rf_reading;
raffle_rc rf_reading_take(void *reading, const raffle_record *record, raffle_error *err);
/* Arguments of a caller. */
raffle_rc rf_check_log(uint32_t log, raffle_error *err);
raffle_rc rf_check_note(uint64_t size, const char *note, size_t length, raffle_error *err);
raffle_rc rf_check_node(uint32_t level, uint64_t index, raffle_error *err);

/* Hands on what a function of a store's failed with: its sentence and token, and its status if a store may fail so, else RAFFLE_HOST: the layers above
 * would take it for their own. `also`: the one that this function alone may give. `from` is what the function was given; it may hold nothing. */
raffle_rc rf_check_answer(raffle_rc rc, raffle_error *from, const char *function, raffle_rc also, raffle_error *err);

#endif
