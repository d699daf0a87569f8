/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes: one for each size, never going back. */
#include "sqlite_db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

/* The note of a size, or the latest. The text is the statement's, which the caller resets. */
static raffle_rc step_note(rf_conn *conn, uint32_t log, uint64_t size, sqlite3_stmt **out, uint64_t *note_size,
                           const char **note, size_t *length, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc =
        rf_conn_statement(conn, size == RF_NOTE_LATEST ? RF_SQL_NOTE_LATEST : RF_SQL_NOTE_GET, &statement, err);
    *out = statement;
    if (rc != RAFFLE_OK)
        return rc;
    if (size != RF_NOTE_LATEST && size > RF_LOG_RECORDS_MAX)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no note over %" PRIu64 " records", log, size);
    sqlite3_bind_int64(statement, 1, log);
    if (size != RF_NOTE_LATEST)
        sqlite3_bind_int64(statement, 2, (int64_t)size);
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE && size == RF_NOTE_LATEST)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no note", log);
    if (code == SQLITE_DONE)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no note over %" PRIu64 " records", log, size);
    if (code != SQLITE_ROW)
        return rf_conn_fail(conn, code, "read a note", err);
    int64_t found = sqlite3_column_int64(statement, 0);
    bool text = sqlite3_column_type(statement, 0) == SQLITE_INTEGER && sqlite3_column_type(statement, 1) == SQLITE_TEXT;
    *note = sqlite3_column_blob(statement, 1);
    *length = (size_t)sqlite3_column_bytes(statement, 1);
    *note_size = (uint64_t)found;
    if (!text || *note == NULL || *length > RAFFLE_STORE_NOTE_MAX || found < 0 || (uint64_t)found > RF_LOG_RECORDS_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": a note is damaged", log);
    return RAFFLE_OK;
}

static raffle_rc copy_note(rf_conn *conn, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                           size_t *length, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *text = "";
    size_t n = 0;
    raffle_rc rc = step_note(conn, log, size, &statement, note_size, &text, &n, err);
    if (rc == RAFFLE_OK) {
        *length = n;
        if (n <= cap)
            memcpy(note, text, n);
        else
            rc = rf_fail(err, RAFFLE_TOO_SMALL, "log %" PRIu32 ": the note over %" PRIu64 " records has %zu bytes", log,
                         *note_size, n);
    }
    sqlite3_reset(statement);
    return rc;
}

raffle_rc rf_sqlite_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                             size_t *length, raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_reader_take(ctx, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = copy_note(conn, log, size, note_size, note, cap, length, err);
    rf_reader_return(ctx, conn);
    return rc;
}

/* Against the latest note. */
static raffle_rc compare_latest(rf_conn *conn, uint32_t log, uint64_t size, const char *note, size_t length,
                                raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    rf_note_at kept = {0, "", 0};
    const rf_note_at next = {size, note, length};
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = step_note(conn, log, RF_NOTE_LATEST, &statement, &kept.size, &kept.note, &kept.length, &own);
    if (rc == RAFFLE_OK)
        rc = rf_note_may_follow(log, &kept, &next, err);
    else
        rc = rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &own);
    sqlite3_reset(statement);
    return rc;
}

raffle_rc rf_note_write(rf_conn *conn, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = compare_latest(conn, log, size, note, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_conn_statement(conn, RF_SQL_NOTE_PUT, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)size);
    sqlite3_bind_text(statement, 3, note, (int)length, SQLITE_STATIC);
    return rf_conn_finish(conn, statement, "write a note", err);
}

/* A note on its own. */
typedef struct putting {
    rf_write request; /* first */
    uint32_t log;
    uint64_t size;
    const char *note;
    size_t length;
} putting;

static raffle_rc run_put(rf_conn *conn, rf_write *request, raffle_error *err)
{
    const putting *p = (const putting *)request;
    return rf_note_write(conn, p->log, p->size, p->note, p->length, err);
}

static raffle_rc find_put(rf_conn *conn, rf_write *request, bool *there, raffle_error *err)
{
    const putting *p = (const putting *)request;
    sqlite3_stmt *statement = NULL;
    uint64_t size = 0;
    const char *kept = "";
    size_t length = 0;
    raffle_rc rc = step_note(conn, p->log, p->size, &statement, &size, &kept, &length, err);
    *there = rc == RAFFLE_OK && length == p->length && memcmp(kept, p->note, length) == 0;
    sqlite3_reset(statement);
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}

raffle_rc rf_sqlite_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    const rf_sqlite *db = ctx;
    putting p = {
        .request = {.run = run_put, .find = find_put}, .log = log, .size = size, .note = note, .length = length};
    return rf_group_write(ctx, &p.request, db->timeout_ms, err);
}
