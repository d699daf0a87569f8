/* SPDX-License-Identifier: Apache-2.0 */
/* Finding keys and walking them in the order of their bytes. */
#include "sqlite_db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

enum {
    CHUNK = 1024 /* keys of one snapshot */
};

size_t rf_key_blob(uint8_t out[RF_SQLITE_KEY_SIZE], uint32_t scope, const uint8_t *key, size_t length)
{
    out[0] = (uint8_t)scope;
    if (length > 0)
        memcpy(out + 1, key, length);
    return length + 1;
}

/* A row from a blob and an id; false when no append of ours wrote them. */
static bool make_row(raffle_store_key *row, const uint8_t *blob, size_t length, int id_type, int64_t id)
{
    if (blob == NULL || length < 2 || length > RF_SQLITE_KEY_SIZE || id_type != SQLITE_INTEGER || id < 0 ||
        id >> 40 > RF_LOG_MAX)
        return false;
    *row = (raffle_store_key){.struct_size = sizeof *row, .scope = blob[0], .length = (uint32_t)length - 1};
    row->log = (uint32_t)(id >> 40);
    row->index = (uint64_t)id & (RF_LOG_RECORDS_MAX - 1);
    memcpy(row->key, blob + 1, length - 1);
    return true;
}

raffle_rc rf_key_get(rf_conn *conn, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                     raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_KEY_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    uint8_t blob[RF_SQLITE_KEY_SIZE];
    size_t blob_length = rf_key_blob(blob, scope, key, length);
    sqlite3_bind_blob(statement, 1, blob, (int)blob_length, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    bool good = code == SQLITE_ROW &&
                make_row(row, blob, blob_length, sqlite3_column_type(statement, 0), sqlite3_column_int64(statement, 0));
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no such key of scope %" PRIu32, scope);
    if (code != SQLITE_ROW)
        return rf_conn_fail(conn, code, "read a key", err);
    return good ? RAFFLE_OK : rf_fail(err, RAFFLE_CORRUPT, "a key of scope %" PRIu32 " names no record", scope);
}

raffle_rc rf_sqlite_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                         raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_key_get(conn, scope, key, length, row, err);
    rf_reader_return(ctx, conn);
    return rc;
}

/* Blobs [from, to), the last ones first when it goes back. */
typedef struct span {
    bool back;
    uint8_t from[RF_SQLITE_KEY_SIZE + 1], to[RF_SQLITE_KEY_SIZE + 1];
    size_t from_length, to_length;
    uint64_t left;
    raffle_store_sink_key sink;
    void *sink_ctx;
} span;

/* The least blob greater than every one that begins with `blob`; beyond ff…ff, a blob longer than any key. */
static size_t after_all(uint8_t *blob, size_t length)
{
    while (length > 0 && blob[length - 1] == 0xff)
        length--;
    if (length > 0) {
        blob[length - 1]++;
        return length;
    }
    memset(blob, 0xff, RF_SQLITE_KEY_SIZE + 1);
    return RF_SQLITE_KEY_SIZE + 1;
}

/* The least blob greater than `blob`. */
static size_t just_after(uint8_t *blob, size_t length)
{
    blob[length] = 0;
    return length + 1;
}

static raffle_rc give_key(span *s, sqlite3_stmt *statement, raffle_error *err)
{
    raffle_store_key row;
    const uint8_t *blob = NULL;
    if (sqlite3_column_type(statement, 0) == SQLITE_BLOB)
        blob = sqlite3_column_blob(statement, 0);
    size_t length = (size_t)sqlite3_column_bytes(statement, 0);
    if (!make_row(&row, blob, length, sqlite3_column_type(statement, 1), sqlite3_column_int64(statement, 1)))
        return rf_fail(err, RAFFLE_CORRUPT, "a row of the keys of scope %d is damaged", s->from[0]);
    if (s->back) {
        memcpy(s->to, blob, length);
        s->to_length = length;
    } else {
        memcpy(s->from, blob, length);
        s->from_length = just_after(s->from, length);
    }
    s->left--;
    return s->sink(s->sink_ctx, &row, err);
}

static raffle_rc scan_chunk(rf_conn *conn, span *s, bool *more, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, s->back ? RF_SQL_KEY_SCAN_BACK : RF_SQL_KEY_SCAN, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    /* One end moves while rows are taken: SQLite keeps copies of its own. */
    int code = sqlite3_bind_blob(statement, 1, s->from, (int)s->from_length, SQLITE_TRANSIENT);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(statement, 2, s->to, (int)s->to_length, SQLITE_TRANSIENT);
    if (code != SQLITE_OK) /* without them no key is found, and none would seem to be there */
        return rf_conn_fail(conn, code, "walk the keys", err);
    sqlite3_bind_int64(statement, 3, s->left < CHUNK ? (int64_t)s->left : CHUNK);
    size_t rows = 0;
    while (rc == RAFFLE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        rc = give_key(s, statement, err);
        rows++;
    }
    sqlite3_reset(statement);
    *more = rows == CHUNK && s->left > 0;
    if (rc == RAFFLE_OK && code != SQLITE_DONE)
        rc = rf_conn_fail(conn, code, "walk the keys", err);
    return rc;
}

static raffle_rc scan_span(void *ctx, span *s, raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    for (bool more = true; rc == RAFFLE_OK && more;)
        rc = scan_chunk(conn, s, &more, err);
    rf_reader_return(ctx, conn);
    return rc;
}

static void span_of(span *s, uint32_t scope, const uint8_t *prefix, size_t prefix_length)
{
    s->from_length = rf_key_blob(s->from, scope, prefix, prefix_length);
    s->to_length = rf_key_blob(s->to, scope, prefix, prefix_length);
    s->to_length = after_all(s->to, s->to_length);
}

raffle_rc rf_sqlite_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                         size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                         raffle_error *err)
{
    span s = {.left = count, .sink = sink, .sink_ctx = sink_ctx};
    span_of(&s, scope, prefix, prefix_length);
    if (after_length > 0 && rf_key_compare(after, after_length, prefix, prefix_length) >= 0) {
        s.from_length = rf_key_blob(s.from, scope, after, after_length);
        s.from_length = just_after(s.from, s.from_length);
    }
    return scan_span(ctx, &s, err);
}

raffle_rc rf_sqlite_scan_back(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                              const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                              void *sink_ctx, raffle_error *err)
{
    span s = {.back = true, .left = count, .sink = sink, .sink_ctx = sink_ctx};
    uint8_t end[RF_SQLITE_KEY_SIZE];
    span_of(&s, scope, prefix, prefix_length);
    const size_t length = rf_key_blob(end, scope, before, before_length);
    if (before_length > 0 && rf_key_compare(end, length, s.to, s.to_length) < 0) {
        memcpy(s.to, end, length);
        s.to_length = length;
    }
    return scan_span(ctx, &s, err);
}
