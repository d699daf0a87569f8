/* SPDX-License-Identifier: Apache-2.0 */
/* Appending: the head is read and `fill` called within the transaction; each row goes through a statement that is kept. */
#include "sqlite_db.h"

#include "error.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One append. The last leaf is kept: a log that holds it at its place holds the whole append. */
typedef struct appending {
    rf_write request; /* first: a pointer to one is a pointer to the other */
    rf_sqlite *db;
    uint32_t log;
    raffle_store_fill fill;
    void *fill_ctx;
    rf_conn *conn;
    uint64_t next;
    bool changed; /* size or state */
    raffle_rc failed;
    char *last;
    size_t last_length;
    raffle_store_head head; /* as it was */
    size_t state_length;    /* SIZE_MAX: as it was */
    uint8_t state[RAFFLE_STORE_STATE_MAX];
} appending;

static raffle_rc keep_failure(appending *a, raffle_rc rc)
{
    if (a->failed == RAFFLE_OK)
        a->failed = rc;
    return rc;
}

/* RAFFLE_OK with `*taken`: somebody has the key. */
static raffle_rc put_key(rf_conn *conn, sqlite3_stmt *statement, const raffle_store_key *key, bool *taken,
                         raffle_error *err)
{
    uint8_t blob[RF_SQLITE_KEY_SIZE];
    size_t length = rf_key_blob(blob, key->scope, key->key, key->length);
    sqlite3_bind_blob(statement, 1, blob, (int)length, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, rf_record_id(key->log, key->index));
    raffle_rc rc = rf_conn_finish(conn, statement, "write a key", err);
    *taken = rc == RAFFLE_OK && sqlite3_changes(conn->db) == 0;
    return rc;
}

static raffle_rc batch_keys(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                            raffle_error *err)
{
    appending *a = ctx;
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(a->conn, RF_SQL_KEY_PUT, &statement, err);
    size_t i = 0;
    for (bool taken = false; rc == RAFFLE_OK && i < n; i++) {
        rc = put_key(a->conn, statement, &keys[i], &taken, err);
        if (taken)
            break;
    }
    if (rc == RAFFLE_OK && i < n)
        rc = rf_key_get(a->conn, keys[i].scope, keys[i].key, keys[i].length, owner, err);
    *done = i;
    return keep_failure(a, rc);
}

static raffle_rc keep_last(appending *a, const raffle_record *record, raffle_error *err)
{
    char *copy = realloc(a->last, record->leaf_length);
    if (copy == NULL)
        return rf_nomem(err);
    memcpy(copy, record->leaf, record->leaf_length);
    a->last = copy;
    a->last_length = record->leaf_length;
    return RAFFLE_OK;
}

static raffle_rc put_record(appending *a, sqlite3_stmt *statement, const raffle_record *record, raffle_error *err)
{
    if (record->index != a->next)
        return rf_fail(err, RAFFLE_INVALID,
                       "log %" PRIu32 ": record %" PRIu64 " comes where record %" PRIu64 " must be", a->log,
                       record->index, a->next);
    sqlite3_bind_int64(statement, 1, rf_record_id(a->log, record->index));
    sqlite3_bind_text(statement, 2, record->leaf, (int)record->leaf_length, SQLITE_STATIC);
    if (record->private_part != NULL)
        sqlite3_bind_text(statement, 3, record->private_part, (int)record->private_length, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, 3);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "log %" PRIu32 " says that it ends before record %" PRIu64 ", which is there", a->log,
                       record->index);
    if (code != SQLITE_DONE)
        return rf_conn_fail(a->conn, code, "write a record", err);
    a->next++;
    a->changed = true;
    return RAFFLE_OK;
}

static raffle_rc batch_records(void *ctx, const raffle_record *records, size_t n, raffle_error *err)
{
    appending *a = ctx;
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(a->conn, RF_SQL_RECORD_PUT, &statement, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++)
        rc = put_record(a, statement, &records[i], err);
    if (rc == RAFFLE_OK && n > 0)
        rc = keep_last(a, &records[n - 1], err);
    return keep_failure(a, rc);
}

static raffle_rc batch_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *err)
{
    appending *a = ctx;
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(a->conn, RF_SQL_NODE_PUT, &statement, err);
    if (rc != RAFFLE_OK)
        return keep_failure(a, rc);
    sqlite3_bind_int64(statement, 1, rf_node_id_of(a->log, level, index));
    sqlite3_bind_blob(statement, 2, hash, 32, SQLITE_STATIC);
    return keep_failure(a, rf_conn_finish(a->conn, statement, "write a node", err));
}

static raffle_rc batch_state(void *ctx, const uint8_t *state, size_t length, raffle_error *err)
{
    appending *a = ctx;
    if (length > RAFFLE_STORE_STATE_MAX)
        return keep_failure(a, rf_fail(err, RAFFLE_INVALID, "a state of %zu bytes", length));
    if (length > 0)
        memcpy(a->state, state, length);
    a->state_length = length;
    a->changed = true;
    return RAFFLE_OK;
}

static raffle_rc batch_note(void *ctx, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    appending *a = ctx;
    return keep_failure(a, rf_note_write(a->conn, a->log, size, note, length, err));
}

/* Through a connection for reading: what others in this very transaction wrote is not committed. */
static raffle_rc batch_read(void *ctx, uint64_t from, uint64_t count, raffle_store_sink_record sink, void *sink_ctx,
                            raffle_error *err)
{
    appending *a = ctx;
    return keep_failure(a, rf_sqlite_read(a->db, a->log, from, count, sink, sink_ctx, err));
}

static raffle_rc put_head(appending *a, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(a->conn, RF_SQL_HEAD_PUT, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_int64(statement, 1, a->log);
    sqlite3_bind_int64(statement, 2, (int64_t)a->next);
    bool kept = a->state_length == SIZE_MAX;
    size_t length = kept ? a->head.state_length : a->state_length;
    if (length > 0)
        sqlite3_bind_blob(statement, 3, kept ? a->head.state : a->state, (int)length, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, 3);
    return rf_conn_finish(a->conn, statement, "write the head", err);
}

static raffle_rc call_fill(appending *a, raffle_error *err)
{
    const raffle_store_batch batch = {.struct_size = sizeof batch,
                                      .ctx = a,
                                      .keys = batch_keys,
                                      .records = batch_records,
                                      .node = batch_node,
                                      .state = batch_state,
                                      .note = batch_note,
                                      .read = batch_read};
    return a->fill(a->fill_ctx, &a->head, &batch, err);
}

static raffle_rc run_append(rf_conn *conn, rf_write *request, raffle_error *err)
{
    appending *a = (appending *)request;
    a->conn = conn;
    a->changed = false;
    a->failed = RAFFLE_OK;
    a->last_length = 0;
    a->state_length = SIZE_MAX;
    raffle_rc rc = rf_head_get(conn, a->log, &a->head, err);
    if (rc != RAFFLE_OK)
        return rc;
    a->next = a->head.size;
    rc = call_fill(a, err);
    if (rc == RAFFLE_OK && a->failed != RAFFLE_OK)
        rc = rf_fail(err, a->failed, "log %" PRIu32 ": a row could not be written: %s", a->log,
                     raffle_rc_text(a->failed));
    if (rc == RAFFLE_OK && a->changed)
        rc = put_head(a, err);
    return rc;
}

static raffle_rc find_append(rf_conn *conn, rf_write *request, bool *there, raffle_error *err)
{
    const appending *a = (const appending *)request;
    sqlite3_stmt *statement = NULL;
    if (a->last_length == 0)
        return rf_fail(err, RAFFLE_UNKNOWN, "there is no record to look for");
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_RECORD_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    int64_t id = rf_record_id(a->log, a->next - 1);
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, id + 1);
    sqlite3_bind_int64(statement, 3, 1);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const void *leaf = sqlite3_column_blob(statement, 1);
        size_t length = (size_t)sqlite3_column_bytes(statement, 1);
        *there = leaf != NULL && length == a->last_length && memcmp(leaf, a->last, length) == 0;
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? RAFFLE_OK
                                                     : rf_conn_fail(conn, code, "look for the last record", err);
}

raffle_rc rf_sqlite_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                           uint64_t *size, raffle_error *err)
{
    appending a;
    a.request = (rf_write){.run = run_append, .find = find_append};
    a.db = ctx;
    a.log = log;
    a.fill = fill;
    a.fill_ctx = fill_ctx;
    a.last = NULL;
    a.last_length = 0;
    raffle_rc rc = rf_group_write(ctx, &a.request, timeout_ms, err);
    free(a.last);
    if (rc == RAFFLE_OK)
        *size = a.next;
    return rc;
}
