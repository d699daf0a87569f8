/* SPDX-License-Identifier: Apache-2.0 */
/* Reading heads, records and nodes, each call in its own snapshot, and telling rows that no append of ours could have left. */
#include "sqlite_db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

enum {
    CHUNK = 1024 /* records of one read transaction: a checkpoint waits for no longer */
};

/* --- heads --- */

static bool take_size(sqlite3_stmt *statement, int column, uint64_t *size)
{
    int type = sqlite3_column_type(statement, column);
    int64_t value = sqlite3_column_int64(statement, column); /* 0 for NULL: never written */
    *size = (uint64_t)value;
    return type == SQLITE_NULL || (type == SQLITE_INTEGER && value >= 0 && (uint64_t)value <= RF_LOG_RECORDS_MAX);
}

static bool take_state(sqlite3_stmt *statement, raffle_store_head *head)
{
    int type = sqlite3_column_type(statement, 1);
    if (type == SQLITE_NULL)
        return true;
    const void *state = sqlite3_column_blob(statement, 1);
    int length = sqlite3_column_bytes(statement, 1);
    if (type != SQLITE_BLOB || state == NULL || length > RAFFLE_STORE_STATE_MAX)
        return false;
    memcpy(head->state, state, (size_t)length);
    head->state_length = (uint32_t)length;
    return true;
}

raffle_rc rf_head_get(rf_conn *conn, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_HEAD_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    head->struct_size = sizeof *head;
    head->log = log;
    head->state_length = head->reserved = 0;
    sqlite3_bind_int64(statement, 1, log);
    int code = sqlite3_step(statement);
    bool good = code == SQLITE_ROW && take_size(statement, 0, &head->size) && take_state(statement, head) &&
                take_size(statement, 2, &head->control_size);
    sqlite3_reset(statement);
    if (code != SQLITE_ROW)
        return rf_conn_fail(conn, code, "read a log's head", err);
    memset(head->state + head->state_length, 0, sizeof head->state - head->state_length);
    return good ? RAFFLE_OK : rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": its head is damaged", log);
}

raffle_rc rf_sqlite_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_head_get(conn, log, head, err);
    rf_reader_return(ctx, conn);
    return rc;
}

/* --- records --- */

/* Records [next, end) of a log, with `size` records when the chunk was read. */
typedef struct range {
    uint32_t log;
    uint64_t next, end, size;
    raffle_store_sink_record sink;
    void *sink_ctx;
} range;

/* Text of one of our columns as it stands; column_text() would copy it to add a NUL. */
static bool take_text(sqlite3_stmt *statement, int column, size_t max, const char **text, uint32_t *length)
{
    if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
        return false;
    *text = sqlite3_column_blob(statement, column);
    int bytes = sqlite3_column_bytes(statement, column);
    *length = (uint32_t)bytes;
    return *text != NULL && bytes > 0 && (size_t)bytes <= max;
}

static raffle_rc give_record(range *r, sqlite3_stmt *statement, raffle_error *err)
{
    raffle_record record = {.struct_size = sizeof record, .index = r->next};
    int64_t id = sqlite3_column_int64(statement, 0);
    if (r->next == r->size)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "log %" PRIu32 " has %" PRIu64 " records, and a row beyond them: record %" PRIu64, r->log,
                       r->size, (uint64_t)(id - rf_record_id(r->log, 0)));
    if (id != rf_record_id(r->log, r->next))
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": record %" PRIu64 " is missing", r->log, r->next);
    bool good = take_text(statement, 1, RAFFLE_RECORD_MAX, &record.leaf, &record.leaf_length);
    if (good && sqlite3_column_type(statement, 2) != SQLITE_NULL)
        good = take_text(statement, 2, RAFFLE_PRIVATE_MAX, &record.private_part, &record.private_length);
    if (!good)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ", record %" PRIu64 ": it is no text, or too long", r->log,
                       r->next);
    r->next++;
    return r->sink(r->sink_ctx, &record, err);
}

/* Steps through rows up to `stop`; at the log's end looks for one more, which must not be there. */
static raffle_rc read_rows(rf_conn *conn, range *r, uint64_t stop, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_RECORD_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    bool at_end = stop == r->size;
    sqlite3_bind_int64(statement, 1, rf_record_id(r->log, r->next));
    sqlite3_bind_int64(statement, 2, rf_record_id(r->log, at_end ? RF_LOG_RECORDS_MAX : stop));
    sqlite3_bind_int64(statement, 3, (int64_t)(stop - r->next) + at_end);
    int code = SQLITE_ROW;
    while (rc == RAFFLE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give_record(r, statement, err);
    sqlite3_reset(statement);
    if (rc == RAFFLE_OK && code != SQLITE_DONE)
        rc = rf_conn_fail(conn, code, "read records", err);
    if (rc == RAFFLE_OK && r->next < stop)
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": record %" PRIu64 " is missing", r->log, r->next);
    return rc;
}

/* One read transaction, so that the head and the rows are of one moment. */
static raffle_rc read_chunk(rf_conn *conn, range *r, raffle_error *err)
{
    raffle_store_head head;
    raffle_rc rc = rf_conn_run(conn, RF_SQL_BEGIN_READ, "begin to read", err);
    if (rc != RAFFLE_OK)
        return rc;
    head.size = 0;
    rc = rf_head_get(conn, r->log, &head, err);
    if (rc == RAFFLE_OK) {
        r->size = head.size;
        if (r->end > r->size)
            r->end = r->size;
    }
    uint64_t stop = r->end > r->next && r->end - r->next > CHUNK ? r->next + CHUNK : r->end;
    if (rc == RAFFLE_OK && r->next <= stop)
        rc = read_rows(conn, r, stop, err);
    raffle_rc ended = rf_conn_run(conn, RF_SQL_COMMIT, "end reading", rc == RAFFLE_OK ? err : NULL);
    return rc == RAFFLE_OK ? ended : rc;
}

raffle_rc rf_sqlite_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                         void *sink_ctx, raffle_error *err)
{
    range r = {.log = log, .next = from, .end = from + count, .sink = sink, .sink_ctx = sink_ctx};
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    do {
        rc = read_chunk(conn, &r, err);
    } while (rc == RAFFLE_OK && r.next < r.end);
    rf_reader_return(ctx, conn);
    return rc;
}

/* --- nodes --- */

static raffle_rc get_node(rf_conn *conn, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32],
                          raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_NODE_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_int64(statement, 1, rf_node_id_of(log, level, index));
    int code = sqlite3_step(statement);
    bool good = code == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_BLOB &&
                sqlite3_column_bytes(statement, 0) == 32;
    if (good)
        memcpy(hash, sqlite3_column_blob(statement, 0), 32);
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 ": node %" PRIu64 " of level %" PRIu32 " was not kept",
                       log, index, level);
    if (code != SQLITE_ROW)
        return rf_conn_fail(conn, code, "read a node", err);
    return good ? RAFFLE_OK
                : rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": node %" PRIu64 " of level %" PRIu32 " is no hash", log,
                          index, level);
}

raffle_rc rf_sqlite_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = get_node(conn, log, level, index, hash, err);
    rf_reader_return(ctx, conn);
    return rc;
}
