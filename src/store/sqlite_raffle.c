/* SPDX-License-Identifier: Apache-2.0 */
/* Which raffle the file holds, its anchor, and the erasing of private parts. */
#include "sqlite_db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

/* --- origin --- */

static raffle_rc get_origin(rf_conn *conn, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_META_GET, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_text(statement, 1, "origin", -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    int length = code == SQLITE_ROW ? sqlite3_column_bytes(statement, 0) : 0;
    bool good = code == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_TEXT && length > 0 &&
                length < RAFFLE_ORIGIN_SIZE;
    if (good) {
        memset(origin, 0, RAFFLE_ORIGIN_SIZE);
        memcpy(origin, sqlite3_column_blob(statement, 0), (size_t)length);
    }
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s holds no raffle yet", conn->owner->path);
    if (code != SQLITE_ROW)
        return rf_conn_fail(conn, code, "read the origin", err);
    return good ? RAFFLE_OK : rf_fail(err, RAFFLE_CORRUPT, "%s: the raffle's origin is damaged", conn->owner->path);
}

static bool known_origin(rf_sqlite *db, char origin[RAFFLE_ORIGIN_SIZE])
{
    pthread_mutex_lock(&db->lock);
    memcpy(origin, db->origin, RAFFLE_ORIGIN_SIZE);
    pthread_mutex_unlock(&db->lock);
    return origin[0] != '\0';
}

/* Read once: it never changes. */
raffle_rc rf_sqlite_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    rf_sqlite *db = ctx;
    rf_conn *conn = NULL;
    char found[RAFFLE_ORIGIN_SIZE];
    if (known_origin(db, origin))
        return RAFFLE_OK;
    raffle_rc rc = rf_reader_take(db, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = get_origin(conn, found, err);
    rf_reader_return(db, conn);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(origin, found, sizeof found);
    pthread_mutex_lock(&db->lock);
    memcpy(db->origin, found, sizeof found);
    pthread_mutex_unlock(&db->lock);
    return RAFFLE_OK;
}

typedef struct creating {
    rf_write request; /* first */
    const char *origin;
} creating;

static raffle_rc run_create(rf_conn *conn, rf_write *request, raffle_error *err)
{
    const creating *c = (const creating *)request;
    char found[RAFFLE_ORIGIN_SIZE];
    sqlite3_stmt *statement = NULL;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = get_origin(conn, found, &own);
    if (rc == RAFFLE_OK)
        return rf_fail(err, RAFFLE_EXISTS, "%s holds the raffle %s", conn->owner->path, found);
    if (rc != RAFFLE_NOT_FOUND)
        return rf_fail_as(err, &own);
    rc = rf_conn_statement(conn, RF_SQL_META_PUT, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_text(statement, 1, "origin", -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, c->origin, -1, SQLITE_STATIC);
    return rf_conn_finish(conn, statement, "write the origin", err);
}

static raffle_rc find_create(rf_conn *conn, rf_write *request, bool *there, raffle_error *err)
{
    const creating *c = (const creating *)request;
    char found[RAFFLE_ORIGIN_SIZE];
    raffle_rc rc = get_origin(conn, found, err);
    *there = rc == RAFFLE_OK && strcmp(found, c->origin) == 0;
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}

raffle_rc rf_sqlite_put_back(void *ctx, const char *origin, raffle_error *err)
{
    rf_sqlite *db = ctx;
    creating c = {.request = {.run = run_create, .find = find_create}, .origin = origin};
    return rf_group_write(db, &c.request, db->timeout_ms, err);
}

raffle_rc rf_sqlite_create(void *ctx, const char *origin, raffle_error *err)
{
    const rf_sqlite *db = ctx;
    raffle_rc rc = db->anchor == NULL ? RAFFLE_OK : rf_anchor_unseen(db->anchor, origin, err);
    return rc == RAFFLE_OK ? rf_sqlite_put_back(ctx, origin, err) : rc;
}

/* --- anchor --- */

raffle_rc rf_sqlite_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err)
{
    rf_sqlite *db = ctx;
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_rc rc = rf_sqlite_origin(db, origin, err);
    return rc == RAFFLE_OK ? rf_anchor_get(db->anchor, origin, log, size, root, err) : rc;
}

raffle_rc rf_sqlite_anchor_of(void *ctx, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                              raffle_error *err)
{
    const rf_sqlite *db = ctx;
    return db->anchor != NULL ? rf_anchor_get(db->anchor, origin, log, size, root, err)
                              : rf_fail(err, RAFFLE_NOT_FOUND, "%s has no anchor", db->path);
}

raffle_rc rf_sqlite_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                               raffle_error *err)
{
    rf_sqlite *db = ctx;
    char origin[RAFFLE_ORIGIN_SIZE];
    if (db->readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only, and so is its anchor", db->path);
    raffle_rc rc = rf_sqlite_origin(db, origin, err);
    return rc == RAFFLE_OK ? rf_anchor_put(db->anchor, origin, log, size, root, durable != 0, err) : rc;
}

/* --- erasing --- */

typedef struct erasing {
    rf_write request; /* first */
    uint32_t log;
    uint64_t index;
} erasing;

static raffle_rc run_erase(rf_conn *conn, rf_write *request, raffle_error *err)
{
    const erasing *e = (const erasing *)request;
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, RF_SQL_RECORD_ERASE, &statement, err);
    if (rc != RAFFLE_OK)
        return rc;
    sqlite3_bind_int64(statement, 1, rf_record_id(e->log, e->index));
    rc = rf_conn_finish(conn, statement, "erase a private part", err);
    if (rc == RAFFLE_OK && sqlite3_changes(conn->db) == 0)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no record %" PRIu64, e->log, e->index);
    return rc;
}

/* The row's bytes are overwritten (secure_delete); older copies of its page go when the write-ahead log is folded and emptied. */
raffle_rc rf_sqlite_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err)
{
    rf_sqlite *db = ctx;
    rf_conn *conn = NULL;
    erasing e = {.request = {.run = run_erase}, .log = log, .index = index};
    raffle_rc rc = rf_group_write(db, &e.request, db->timeout_ms, err);
    if (rc == RAFFLE_OK)
        rc = rf_reader_take(db, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_wal_truncate(conn, err);
    rf_reader_return(db, conn);
    return rc;
}
