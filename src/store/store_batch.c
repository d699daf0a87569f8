/* SPDX-License-Identifier: Apache-2.0 */
/* Checks what passes between a `fill` and a store. A failure of one of the batch's functions fails the whole fill. */
#include "store_batch.h"

#include "abi.h"
#include "error.h"
#include "store_check.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What fails once makes the fill fail, even when it goes on as if nothing had happened. */
static raffle_rc keep(rf_guard *guard, raffle_rc rc)
{
    if (guard->result == RAFFLE_OK)
        guard->result = rc;
    return rc;
}

static raffle_rc check_keys(const raffle_store_key *keys, size_t n, raffle_error *err)
{
    for (size_t i = 0; i < n; i++) {
        raffle_rc rc = rf_check_key(&keys[i], RAFFLE_INVALID, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

static raffle_rc take_owner(const raffle_store_key *key, const raffle_store_key *found, raffle_store_key *owner,
                            raffle_error *err)
{
    raffle_rc rc = rf_check_key(found, RAFFLE_CORRUPT, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (found->scope != key->scope || rf_key_compare(found->key, found->length, key->key, key->length) != 0)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the store says that a key of scope %" PRIu32 " is taken, and shows another one", key->scope);
    *owner = *found;
    owner->struct_size = sizeof *owner;
    return RAFFLE_OK;
}

static raffle_rc guard_keys(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                            raffle_error *err)
{
    rf_guard *guard = ctx;
    *done = 0;
    if (n == 0)
        return RAFFLE_OK;
    raffle_rc rc = check_keys(keys, n, err);
    if (rc != RAFFLE_OK)
        return keep(guard, rc);
    size_t taken = 0;
    raffle_store_key found = {.struct_size = sizeof found};
    raffle_error own = RAFFLE_ERROR_INIT;
    rc = rf_check_answer(guard->batch.keys(guard->batch.ctx, keys, n, &taken, &found, &own), &own, "keys", RAFFLE_OK,
                         err);
    if (rc == RAFFLE_OK && taken > n)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the store wrote %zu keys of %zu", taken, n);
    if (rc == RAFFLE_OK && taken < n)
        rc = take_owner(&keys[taken], &found, owner, err);
    if (rc == RAFFLE_OK)
        *done = taken;
    return keep(guard, rc);
}

static raffle_rc keep_last(rf_guard *guard, const raffle_record *record, raffle_error *err)
{
    rf_tried *tried = &guard->tried[guard->tries];
    char *copy = realloc(tried->leaf, record->leaf_length);
    if (copy == NULL)
        return rf_nomem(err);
    memcpy(copy, record->leaf, record->leaf_length);
    *tried = (rf_tried){copy, record->leaf_length, record->index};
    return RAFFLE_OK;
}

void rf_guard_clear(rf_guard *guard)
{
    for (size_t i = 0; i < RF_GUARD_TRIES; i++)
        free(guard->tried[i].leaf);
}

static raffle_rc guard_records(void *ctx, const raffle_record *records, size_t n, raffle_error *err)
{
    rf_guard *guard = ctx;
    for (size_t i = 0; i < n; i++) {
        raffle_rc rc = rf_check_record(&records[i], guard->log, guard->next + i, RAFFLE_INVALID, err);
        if (rc != RAFFLE_OK)
            return keep(guard, rc);
    }
    if (n == 0)
        return RAFFLE_OK;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_check_answer(guard->batch.records(guard->batch.ctx, records, n, &own), &own, "records", RAFFLE_OK, err);
    if (rc == RAFFLE_OK)
        rc = keep_last(guard, &records[n - 1], err);
    if (rc == RAFFLE_OK)
        guard->next += n;
    return keep(guard, rc);
}

static raffle_rc guard_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *err)
{
    rf_guard *guard = ctx;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_check_node(level, index, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_answer(guard->batch.node(guard->batch.ctx, level, index, hash, &own), &own, "node", RAFFLE_OK,
                             err);
    return keep(guard, rc);
}

static raffle_rc guard_state(void *ctx, const uint8_t *state, size_t length, raffle_error *err)
{
    rf_guard *guard = ctx;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = RAFFLE_OK;
    if (length > RAFFLE_STORE_STATE_MAX)
        rc = rf_fail(err, RAFFLE_INVALID, "a state of %zu bytes; %d may be kept", length, (int)RAFFLE_STORE_STATE_MAX);
    if (rc == RAFFLE_OK)
        rc = rf_check_answer(guard->batch.state(guard->batch.ctx, state, length, &own), &own, "state", RAFFLE_OK, err);
    return keep(guard, rc);
}

static raffle_rc guard_note(void *ctx, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    rf_guard *guard = ctx;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_check_note(size, note, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_answer(guard->batch.note(guard->batch.ctx, size, note, length, &own), &own, "note", RAFFLE_OK,
                             err);
    return keep(guard, rc);
}

static raffle_rc guard_read(void *ctx, uint64_t from, uint64_t count, raffle_store_sink_record sink, void *sink_ctx,
                            raffle_error *err)
{
    rf_guard *guard = ctx;
    raffle_error own = RAFFLE_ERROR_INIT;
    rf_reading r = {
        .log = guard->log, .next = from, .end = from + count, .sink = sink, .sink_ctx = sink_ctx, .err = err};
    raffle_rc rc = guard->batch.read(guard->batch.ctx, from, count, rf_reading_take, &r, &own);
    return keep(guard, r.result != RAFFLE_OK ? r.result : rf_check_answer(rc, &own, "read", RAFFLE_OK, err));
}

static raffle_rc take_batch(rf_guard *guard, const raffle_store_batch *batch, raffle_error *err)
{
    raffle_rc rc = rf_struct_in(&guard->batch, sizeof guard->batch, batch, "batch", err);
    if (rc != RAFFLE_OK)
        return rc;
    const raffle_store_batch *b = &guard->batch;
    if (b->keys == NULL || b->records == NULL || b->node == NULL || b->state == NULL || b->note == NULL)
        return rf_fail(err, RAFFLE_MISUSE, "the store's batch lacks a function");
    return RAFFLE_OK;
}

raffle_rc rf_guard_fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    rf_guard *guard = ctx;
    raffle_store_head mine;
    guard->called = true;
    guard->result = rf_struct_in(&mine, sizeof mine, head, "head", err);
    if (guard->result == RAFFLE_OK)
        guard->result = rf_check_head(&mine, guard->log, err);
    if (guard->result == RAFFLE_OK)
        guard->result = take_batch(guard, batch, err);
    if (guard->result != RAFFLE_OK)
        return guard->result;
    guard->overtaken = guard->same_base && mine.size != guard->base;
    if (guard->overtaken)
        return guard->result =
                   rf_fail(err, RAFFLE_BUSY, "log %" PRIu32 " has grown since the append was tried", guard->log);
    mine.struct_size = sizeof mine;
    guard->next = guard->base = mine.size;
    guard->tried[guard->tries].length = 0;
    const raffle_store_batch checked = {.struct_size = sizeof checked,
                                        .ctx = guard,
                                        .keys = guard_keys,
                                        .records = guard_records,
                                        .node = guard_node,
                                        .state = guard_state,
                                        .note = guard_note,
                                        .read = guard->batch.read != NULL ? guard_read : NULL};
    raffle_rc rc = guard->fill(guard->fill_ctx, &mine, &checked, err);
    if (rc != RAFFLE_OK)
        guard->result = rc;
    else if (guard->result != RAFFLE_OK)
        return rf_fail(err, guard->result, "the batch for log %" PRIu32 " failed: %s", guard->log,
                       raffle_rc_text(guard->result));
    return guard->result;
}
