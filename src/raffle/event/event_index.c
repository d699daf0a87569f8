/* SPDX-License-Identifier: Apache-2.0 */
/* The indexes of events made again from the records: rows that are missing are written, and nothing else. */
#include "fold_keys.h"
#include "raffle_impl.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 256, /* records read together */
    KEYS = 4,    /* of an event */
    ROWS_MAX = CHUNK * KEYS
};

typedef struct indexing {
    raffle *raffle;
    uint32_t log;
    size_t n;        /* rows: of a chunk's events, then those of them that are missing */
    size_t from, to; /* those that one transaction writes */
    uint64_t added;
    raffle_store_key row[ROWS_MAX];
} indexing;

/* In canonical JSON these bytes stand nowhere but where they mean it: a quote within a string has a backslash before it. */
static bool may_be_event(const raffle_record *record)
{
    static const char type[] = "\"t\":\"event\"";
    return memmem(record->leaf, record->leaf_length, type, sizeof type - 1) != NULL;
}

static raffle_rc take_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    indexing *x = ctx;
    rf_record r;
    rf_taken_list taken = {.n = 0};
    if (!may_be_event(record))
        return RAFFLE_OK;
    raffle_rc rc = rf_record_decode(&r, record->leaf, record->leaf_length, err);
    if (rc != RAFFLE_OK || r.type != RF_EVENT)
        return rc;
    rf_take_event(&taken, &r, x->log, record->index);
    for (size_t i = 0; i < taken.n && x->n < ROWS_MAX; i++) {
        raffle_store_key *row = &x->row[x->n++];
        *row = (raffle_store_key){.struct_size = sizeof *row, .scope = taken.key[i].scope, .log = x->log};
        row->length = taken.key[i].length;
        row->index = record->index;
        memcpy(row->key, taken.key[i].key, taken.key[i].length);
    }
    return RAFFLE_OK;
}

/* A row that names another record cannot be taken back: a store has no call for that, and needs none. */
static raffle_rc check_owner(const raffle_store_key *row, const raffle_store_key *owner, raffle_error *err)
{
    if (owner->log == row->log && owner->index == row->index)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_CORRUPT,
                   "an index of events names record %llu of log %u in place of record %llu of log %u",
                   (unsigned long long)owner->index, owner->log, (unsigned long long)row->index, row->log);
}

static raffle_rc keep_missing(indexing *x, raffle_error *err)
{
    size_t missing = 0;
    for (size_t i = 0; i < x->n; i++) {
        const raffle_store_key *row = &x->row[i];
        raffle_store_key found;
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = rf_store_find(x->raffle->store, row->scope, row->key, row->length, &found, &why);
        if (rc == RAFFLE_OK)
            rc = check_owner(row, &found, &why);
        else if (rc == RAFFLE_NOT_FOUND) {
            x->row[missing++] = *row;
            rc = RAFFLE_OK;
        }
        if (rc != RAFFLE_OK)
            return rf_fail_as(err, &why);
    }
    x->n = missing;
    return RAFFLE_OK;
}

/* Keys without records. A row that came from elsewhere meanwhile is as good. */
static raffle_rc fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    const indexing *x = ctx;
    (void)head;
    for (size_t i = x->from; i < x->to; i++) {
        raffle_store_key owner = {.struct_size = sizeof owner};
        size_t done = 0;
        raffle_rc rc = batch->keys(batch->ctx, &x->row[i], 1, &done, &owner, err);
        if (rc == RAFFLE_OK && done == 0)
            rc = check_owner(&x->row[i], &owner, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

/* In as many transactions as the store wants. */
static raffle_rc write_missing(indexing *x, raffle_error *err)
{
    const uint64_t most = rf_store_batch_rows(x->raffle->store);
    const size_t step = most > 0 && most < ROWS_MAX ? (size_t)most : ROWS_MAX;
    raffle_rc rc = RAFFLE_OK;
    for (x->from = 0; rc == RAFFLE_OK && x->from < x->n; x->from = x->to) {
        x->to = x->n - x->from < step ? x->n : x->from + step;
        rc = rf_store_append(x->raffle->store, x->log, fill, x, rf_timeout(x->raffle), err);
        x->added += rc == RAFFLE_OK ? x->to - x->from : 0;
    }
    return rc;
}

static raffle_rc index_chunk(indexing *x, uint64_t from, raffle_error *err)
{
    x->n = 0;
    raffle_rc rc = rf_store_read(x->raffle->store, x->log, from, CHUNK, take_record, x, err);
    if (rc == RAFFLE_OK)
        rc = keep_missing(x, err);
    return rc == RAFFLE_OK ? write_missing(x, err) : rc;
}

static raffle_rc index_log(indexing *x, raffle_error *err)
{
    raffle_store_head head;
    raffle_rc rc = rf_store_head(x->raffle->store, x->log, &head, err);
    for (uint64_t from = 0; rc == RAFFLE_OK && from < head.size; from += CHUNK)
        rc = index_chunk(x, from, err);
    return rc;
}

static uint32_t count_units(raffle *r)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const uint32_t units = (uint32_t)r->control.units;
    pthread_rwlock_unlock(&r->control_lock);
    return units;
}

raffle_rc raffle_event_reindex(raffle *r, uint64_t *added, raffle_error *err)
{
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    indexing *x = calloc(1, sizeof *x);
    if (x == NULL)
        return rf_nomem(err);
    x->raffle = r;
    const uint32_t units = count_units(r);
    for (x->log = 0; rc == RAFFLE_OK && x->log <= units; x->log++)
        rc = index_log(x, err);
    if (added != NULL)
        *added = x->added;
    free(x);
    return rc;
}
