/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering rows into arrays, and sending them: a statement for some hundreds of records, one for all keys, one for all nodes. */
#include "postgres/batch.h"

#include "error.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_RECORDS = 512, /* of one statement */
    CHUNK_BYTES = 1 << 18
};

void rf_pg_batch_free(rf_pg_batch *b)
{
    rf_pg_array_free(&b->leaf);
    rf_pg_array_free(&b->part);
    rf_pg_array_free(&b->level);
    rf_pg_array_free(&b->place);
    rf_pg_array_free(&b->hash);
    rf_pg_array_free(&b->key);
    rf_pg_array_free(&b->key_log);
    rf_pg_array_free(&b->key_index);
    rf_pg_keyset_free(&b->mine);
    rf_pg_keyset_free(&b->taken);
    free(b->note);
}

static void reset_records(rf_pg_batch *b)
{
    rf_pg_array_reset(&b->leaf, RF_PG_TEXT);
    rf_pg_array_reset(&b->part, RF_PG_TEXT);
    b->first = b->next;
}

void rf_pg_batch_begin(rf_pg_batch *b, rf_pg_conn *c)
{
    b->conn = c;
    b->next = b->head.size;
    b->flying = 0;
    b->rows = 1; /* the head */
    b->bytes = 0;
    b->failed = RAFFLE_OK;
    b->has_state = false;
    free(b->note);
    b->note = NULL;
    rf_pg_keyset_clear(&b->mine);
    reset_records(b);
    rf_pg_array_reset(&b->level, RF_PG_INT4);
    rf_pg_array_reset(&b->place, RF_PG_INT8);
    rf_pg_array_reset(&b->hash, RF_PG_BYTEA);
}

bool rf_pg_batch_empty(const rf_pg_batch *b)
{
    return b->next == b->head.size && b->mine.n == 0 && b->level.count == 0 && b->note == NULL && !b->has_state;
}

static raffle_rc keep_failure(rf_pg_batch *b, raffle_rc rc)
{
    if (b->failed == RAFFLE_OK)
        b->failed = rc;
    return rc;
}

/* One more row, against what a transaction may hold in Aurora DSQL. */
static raffle_rc count(rf_pg_batch *b, size_t bytes, raffle_error *err)
{
    b->rows++;
    b->bytes += bytes;
    if (!b->conn->owner->uri.dsql || (b->rows <= RF_PG_DSQL_ROWS && b->bytes <= RF_PG_DSQL_BYTES))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_LIMIT,
                   "a transaction of Aurora DSQL holds %d rows of records, keys and nodes, and %d bytes",
                   (int)RF_PG_DSQL_ROWS, (int)RF_PG_DSQL_BYTES);
}

/* --- keys --- */

static bool make_owner(raffle_store_key *owner, const rf_pg_key *key)
{
    return rf_pg_key_row(owner, key->hex, key->length, key->log, key->index);
}

static raffle_rc batch_keys(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                            raffle_error *err)
{
    rf_pg_batch *b = ctx;
    raffle_rc rc = RAFFLE_OK;
    for (*done = 0; *done < n; (*done)++) {
        rf_pg_key key;
        rf_pg_key_from(&key, &keys[*done]);
        const rf_pg_key *there = rf_pg_keyset_find(&b->taken, &key);
        if (there == NULL)
            there = rf_pg_keyset_find(&b->mine, &key);
        if (there != NULL) {
            if (!make_owner(owner, there))
                rc = rf_pg_damaged(b->conn, "the row of a key", err);
            break;
        }
        rc = rf_pg_keyset_add(&b->mine, &key, err);
        if (rc == RAFFLE_OK)
            rc = count(b, key.length, err);
        if (rc != RAFFLE_OK)
            break;
    }
    return keep_failure(b, rc);
}

/* In the order of their texts: two transactions that wait for each other's keys would be ended by the server, a second later. */
static raffle_rc fill_keys(rf_pg_batch *b, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    rf_pg_keyset_sort(&b->mine);
    rf_pg_array_reset(&b->key, RF_PG_TEXT);
    rf_pg_array_reset(&b->key_log, RF_PG_INT4);
    rf_pg_array_reset(&b->key_index, RF_PG_INT8);
    for (size_t i = 0; rc == RAFFLE_OK && i < b->mine.n; i++) {
        const rf_pg_key *key = &b->mine.key[i];
        rc = rf_pg_array_add(&b->key, key->hex, key->length, err);
        if (rc == RAFFLE_OK)
            rc = rf_pg_array_add_number(&b->key_log, key->log, err);
        if (rc == RAFFLE_OK)
            rc = rf_pg_array_add_number(&b->key_index, key->index, err);
    }
    return rc;
}

static raffle_rc send_keys(rf_pg_batch *b, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    raffle_rc rc = fill_keys(b, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_pg_int4(&p, (uint32_t)b->raffle);
    rf_pg_array_param(&p, &b->key);
    rf_pg_array_param(&p, &b->key_log);
    rf_pg_array_param(&p, &b->key_index);
    return rf_pg_send(b->conn, RF_PG_KEYS_PUT, &p, err);
}

raffle_rc rf_pg_batch_ask_keys(rf_pg_batch *b, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    raffle_rc rc = fill_keys(b, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_pg_int4(&p, (uint32_t)b->raffle);
    rf_pg_array_param(&p, &b->key);
    return rf_pg_send(b->conn, RF_PG_KEYS_GET, &p, err);
}

raffle_rc rf_pg_batch_take_keys(rf_pg_batch *b, size_t *found, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = rf_pg_take(b->conn, "read the keys that are taken", &r, err);
    *found = 0;
    for (int i = 0; rc == RAFFLE_OK && i < PQntuples(r); i++) {
        raffle_store_key row;
        rf_pg_key key;
        if (!rf_pg_key_take(r, i, &row)) {
            rc = rf_pg_damaged(b->conn, "the row of a key", err);
            break;
        }
        rf_pg_key_from(&key, &row);
        if (rf_pg_keyset_find(&b->mine, &key) == NULL) {
            rc = rf_pg_damaged(b->conn, "a key that was not asked for", err);
            break;
        }
        *found += rf_pg_keyset_find(&b->taken, &key) == NULL;
        rc = rf_pg_keyset_add(&b->taken, &key, err);
    }
    PQclear(r);
    return rc;
}

/* --- records --- */

static raffle_rc send_records(rf_pg_batch *b, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    rf_pg_int4(&p, (uint32_t)b->raffle);
    rf_pg_int4(&p, b->log);
    rf_pg_int8(&p, b->first);
    rf_pg_array_param(&p, &b->leaf);
    rf_pg_array_param(&p, &b->part);
    raffle_rc rc = rf_pg_send(b->conn, RF_PG_RECORDS_PUT, &p, err);
    b->flying += rc == RAFFLE_OK;
    reset_records(b);
    return rc;
}

static raffle_rc put_record(rf_pg_batch *b, const raffle_record *record, raffle_error *err)
{
    if (record->index != b->next)
        return rf_fail(err, RAFFLE_INVALID,
                       "log %" PRIu32 ": record %" PRIu64 " comes where record %" PRIu64 " must be", b->log,
                       record->index, b->next);
    raffle_rc rc = count(b, (size_t)record->leaf_length + record->private_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_array_add(&b->leaf, record->leaf, record->leaf_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_array_add(&b->part, record->private_part, record->private_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    b->next++;
    if (b->leaf.count < CHUNK_RECORDS && b->leaf.length + b->part.length < CHUNK_BYTES)
        return RAFFLE_OK;
    rc = send_records(b, err);
    return rc == RAFFLE_OK ? rf_pg_flush(b->conn, err) : rc;
}

static raffle_rc batch_records(void *ctx, const raffle_record *records, size_t n, raffle_error *err)
{
    rf_pg_batch *b = ctx;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++)
        rc = put_record(b, &records[i], err);
    return keep_failure(b, rc);
}

/* --- nodes, state, note --- */

static raffle_rc batch_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *err)
{
    rf_pg_batch *b = ctx;
    raffle_rc rc = count(b, 32, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_array_add_number(&b->level, level, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_array_add_number(&b->place, index, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_array_add(&b->hash, hash, 32, err);
    return keep_failure(b, rc);
}

static raffle_rc send_nodes(rf_pg_batch *b, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    rf_pg_int4(&p, (uint32_t)b->raffle);
    rf_pg_int4(&p, b->log);
    rf_pg_array_param(&p, &b->level);
    rf_pg_array_param(&p, &b->place);
    rf_pg_array_param(&p, &b->hash);
    return rf_pg_send(b->conn, RF_PG_NODES_PUT, &p, err);
}

static raffle_rc batch_state(void *ctx, const uint8_t *state, size_t length, raffle_error *err)
{
    rf_pg_batch *b = ctx;
    if (length > RAFFLE_STORE_STATE_MAX)
        return keep_failure(b, rf_fail(err, RAFFLE_INVALID, "a state of %zu bytes", length));
    if (length > 0)
        memcpy(b->state, state, length);
    b->state_length = length;
    b->has_state = true;
    return RAFFLE_OK;
}

/* Takes the answers to the records that were sent. */
static raffle_rc land(rf_pg_batch *b, raffle_error *err)
{
    if (b->flying == 0)
        return RAFFLE_OK;
    raffle_rc rc = rf_pg_sync(b->conn, err);
    for (; rc == RAFFLE_OK && b->flying > 0; b->flying--)
        rc = rf_pg_done(b->conn, "write records", err);
    return rc == RAFFLE_OK ? rf_pg_end(b->conn, err) : rc;
}

/* Compared here, by a round trip of its own: few appends carry a note. */
static raffle_rc take_note(rf_pg_batch *b, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    raffle_rc rc = land(b, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_note_compare(b->conn, b->raffle, b->log, size, note, length, err);
    if (rc == RAFFLE_OK && b->note != NULL)
        rc = rf_fail(err, RAFFLE_INVALID, "log %" PRIu32 ": two notes in one append", b->log);
    if (rc == RAFFLE_OK)
        rc = count(b, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    b->note = malloc(length);
    if (b->note == NULL)
        return rf_nomem(err);
    memcpy(b->note, note, length);
    b->note_length = length;
    b->note_size = size;
    return RAFFLE_OK;
}

static raffle_rc batch_note(void *ctx, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    rf_pg_batch *b = ctx;
    return keep_failure(b, take_note(b, size, note, length, err));
}

/* Nothing of this transaction's own has been sent yet. */
static raffle_rc batch_read(void *ctx, uint64_t from, uint64_t count, raffle_store_sink_record sink, void *sink_ctx,
                            raffle_error *err)
{
    rf_pg_batch *b = ctx;
    return keep_failure(b, rf_pg_records_within(b->conn, b->raffle, b->log, from, count, sink, sink_ctx, err));
}

raffle_store_batch rf_pg_batch_table(rf_pg_batch *b)
{
    return (raffle_store_batch){.struct_size = sizeof(raffle_store_batch),
                                .ctx = b,
                                .keys = batch_keys,
                                .records = batch_records,
                                .node = batch_node,
                                .state = batch_state,
                                .note = batch_note,
                                .read = batch_read};
}

/* --- the flight --- */

/* The control log's size stands in the row of every log, so that a commit to one and a commit to the control log meet in a row. */
static raffle_rc send_head(const rf_pg_batch *b, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    const bool control = b->log == 0;
    const size_t length = b->has_state ? b->state_length : b->head.state_length;
    rf_pg_int4(&p, (uint32_t)b->raffle);
    if (!control)
        rf_pg_int4(&p, b->log);
    rf_pg_int8(&p, b->next);
    rf_pg_bytes(&p, length == 0 ? NULL : b->has_state ? b->state : b->head.state, length);
    return rf_pg_send(b->conn, control ? RF_PG_CONTROL_PUT : RF_PG_HEAD_PUT, &p, err);
}

static bool has_head(const rf_pg_batch *b)
{
    return b->next != b->head.size || b->has_state;
}

raffle_rc rf_pg_batch_send(rf_pg_batch *b, raffle_error *err)
{
    raffle_rc rc = b->leaf.count > 0 ? send_records(b, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK && b->mine.n > 0)
        rc = send_keys(b, err);
    if (rc == RAFFLE_OK && b->level.count > 0)
        rc = send_nodes(b, err);
    if (rc == RAFFLE_OK && b->note != NULL)
        rc = rf_pg_note_send(b->conn, b->raffle, b->log, b->note_size, b->note, b->note_length, err);
    return rc == RAFFLE_OK && has_head(b) ? send_head(b, err) : rc;
}

/* That exactly one row was changed; of the control log's append, at least that one. */
static raffle_rc take_head(const rf_pg_batch *b, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = rf_pg_take(b->conn, "write the head", &r, err);
    const char *rows = rc == RAFFLE_OK ? PQcmdTuples(r) : "";
    if (rc == RAFFLE_OK && (b->log == 0 ? strcmp(rows, "0") == 0 : strcmp(rows, "1") != 0))
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": the row of its head is gone", b->log);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_batch_take(rf_pg_batch *b, rf_pg_part *part, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    *part = RF_PG_PART_RECORDS;
    for (size_t i = 0; rc == RAFFLE_OK && i < b->flying; i++)
        rc = rf_pg_done(b->conn, "write records", err);
    if (rc == RAFFLE_OK)
        *part = RF_PG_PART_KEYS;
    if (rc == RAFFLE_OK && b->mine.n > 0)
        rc = rf_pg_done(b->conn, "write keys", err);
    if (rc == RAFFLE_OK)
        *part = RF_PG_PART_OTHERS;
    if (rc == RAFFLE_OK && b->level.count > 0)
        rc = rf_pg_done(b->conn, "write nodes", err);
    if (rc == RAFFLE_OK && b->note != NULL)
        rc = rf_pg_done(b->conn, "write a note", err);
    return rc == RAFFLE_OK && has_head(b) ? take_head(b, err) : rc;
}
