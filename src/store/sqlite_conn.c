/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the SQLite file: settings, prepared statements, waiting for locks, failures; and those that read. */
#include "sqlite_db.h"

#include "error.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

int64_t rf_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t rf_deadline(int32_t timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : rf_now() + (int64_t)timeout_ms * 1000;
}

void rf_pause(long times)
{
    const struct timespec pause = {.tv_nsec = times * 100000};
    nanosleep(&pause, NULL);
}

/* SQLite's own handler sleeps for milliseconds; a commit takes less. */
static int wait_for_lock(void *ctx, int tries)
{
    const rf_conn *conn = ctx;
    (void)tries;
    if (rf_now() >= conn->busy_until)
        return 0;
    rf_pause(1);
    return 1;
}

static int note_wal_size(void *ctx, sqlite3 *db, const char *name, int pages)
{
    rf_conn *conn = ctx;
    (void)db;
    (void)name;
    conn->wal_pages = pages;
    return SQLITE_OK;
}

static raffle_rc status_of(int code)
{
    if (code == SQLITE_IOERR_NOMEM)
        return RAFFLE_NOMEM;
    if (code == SQLITE_IOERR_CORRUPTFS)
        return RAFFLE_CORRUPT;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RAFFLE_BUSY;
    case SQLITE_NOMEM:
        return RAFFLE_NOMEM;
    case SQLITE_READONLY:
        return RAFFLE_READONLY;
    case SQLITE_FULL:
        return RAFFLE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:     /* a row longer than any of ours */
    case SQLITE_CONSTRAINT: /* a row that must not be there */
    case SQLITE_MISMATCH:
    case SQLITE_ERROR: /* a table or a column that is missing */
    case SQLITE_SCHEMA:
        return RAFFLE_CORRUPT;
    default:
        return RAFFLE_IO;
    }
}

raffle_rc rf_conn_fail(const rf_conn *conn, int code, const char *doing, raffle_error *err)
{
    return rf_fail(err, status_of(code), "cannot %s: %s (%d) in %s", doing, sqlite3_errstr(code), code,
                   conn->owner->path);
}

/* The database may be an attacker's: nothing that its schema defines may run, and no row may be longer than ours. */
static void harden(sqlite3 *db)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, RF_SQLITE_LENGTH);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

/* The file as SQLite has it open: opening and closing it ourselves would drop SQLite's locks. */
static raffle_rc look_at_file(rf_conn *conn, raffle_error *err)
{
    static const char magic[16] = "SQLite format 3";
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    char head[16] = {0};
    int code = sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file->pMethods->xFileSize(file, &size);
    if (code == SQLITE_OK && size >= 16)
        code = file->pMethods->xRead(file, head, 16, 0);
    if (code != SQLITE_OK)
        return rf_conn_fail(conn, code, "read the first bytes", err);
    conn->empty = size == 0;
    if (!conn->empty && memcmp(head, magic, sizeof magic) != 0)
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "%s is no SQLite file, and holds no raffle", conn->owner->path);
    return RAFFLE_OK;
}

/* The checkpoint is ours, run when a group has been answered. */
static const char settings[] = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;"
                               "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                               "PRAGMA max_page_count = " RF_SCRUB_PAGES_MAX;

static raffle_rc set_up(rf_conn *conn, bool write, raffle_error *err)
{
    harden(conn->db);
    sqlite3_busy_handler(conn->db, wait_for_lock, conn);
    raffle_rc rc = look_at_file(conn, err);
    if (rc == RAFFLE_OK)
        rc = rf_scrub_attach(conn->db, &conn->scrub, err);
    if (rc != RAFFLE_OK)
        return rc;
    int code = sqlite3_exec(conn->db, settings, NULL, NULL, NULL);
    if (code == SQLITE_OK && !write)
        code = sqlite3_exec(conn->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return rf_conn_fail(conn, code, "open the store", err);
    sqlite3_wal_hook(conn->db, note_wal_size, conn);
    return RAFFLE_OK;
}

raffle_rc rf_conn_open(const rf_sqlite *db, bool write, rf_conn **out, raffle_error *err)
{
    rf_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return rf_nomem(err);
    conn->owner = db;
    conn->turn = -1;
    conn->busy_until = rf_deadline(db->timeout_ms);
    int flags = SQLITE_OPEN_NOMUTEX | (db->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    if (db->uri != NULL)
        flags |= SQLITE_OPEN_URI;
    int code = sqlite3_open_v2(db->uri == NULL ? db->path : db->uri, &conn->db, flags, NULL);
    raffle_rc rc = RAFFLE_OK;
    if (code != SQLITE_OK) {
        if (conn->db != NULL)
            code = sqlite3_extended_errcode(conn->db);
        rc = rf_conn_fail(conn, code, "open the store", err);
    }
    if (rc == RAFFLE_OK)
        rc = set_up(conn, write, err);
    if (rc != RAFFLE_OK) {
        rf_conn_close(conn);
        return rc;
    }
    *out = conn;
    return RAFFLE_OK;
}

void rf_conn_close(rf_conn *conn)
{
    if (conn == NULL)
        return;
    for (size_t i = 0; i < RF_SQL_COUNT; i++)
        sqlite3_finalize(conn->statement[i]);
    conn->busy_until = 0;
    rf_turn_close(conn);
    sqlite3_close(conn->db);
    rf_scrub_free(conn->scrub);
    free(conn);
}

raffle_rc rf_conn_statement(rf_conn *conn, rf_sql which, sqlite3_stmt **out, raffle_error *err)
{
    if (conn->statement[which] == NULL) {
        int code = sqlite3_prepare_v3(conn->db, rf_sql_text(which), -1, SQLITE_PREPARE_PERSISTENT,
                                      &conn->statement[which], NULL);
        if (code != SQLITE_OK)
            return rf_conn_fail(conn, code, "read the tables", err);
    }
    *out = conn->statement[which];
    return RAFFLE_OK;
}

raffle_rc rf_conn_finish(rf_conn *conn, sqlite3_stmt *statement, const char *doing, raffle_error *err)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? RAFFLE_OK : rf_conn_fail(conn, code, doing, err);
}

raffle_rc rf_conn_run(rf_conn *conn, rf_sql which, const char *doing, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    raffle_rc rc = rf_conn_statement(conn, which, &statement, err);
    return rc == RAFFLE_OK ? rf_conn_finish(conn, statement, doing, err) : rc;
}

/* The number alone is asked for, and not the times, as stat() would: since Linux 6.13 a file whose times somebody saw gets exact ones with
 * the next write, and that write's sync takes half as long again. */
static bool wal_in_place(rf_conn *conn)
{
    char name[PATH_MAX + 4];
    struct statx st;
    int length = snprintf(name, sizeof name, "%s-wal", conn->owner->path);
    if (length < 0 || (size_t)length >= sizeof name || statx(AT_FDCWD, name, 0, STATX_INO, &st) != 0)
        return false;
    const dev_t device = makedev(st.stx_dev_major, st.stx_dev_minor);
    if (conn->wal_inode == 0) {
        conn->wal_device = device;
        conn->wal_inode = st.stx_ino;
    }
    return device == conn->wal_device && st.stx_ino == conn->wal_inode;
}

raffle_rc rf_conn_in_place(rf_conn *conn, raffle_error *err)
{
    int moved = 0;
    (void)sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved == 0 && wal_in_place(conn))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_IO,
                   "%s%s was removed, moved or replaced while it was open: what is written now would be lost",
                   conn->owner->path, moved != 0 ? "" : "-wal");
}

raffle_rc rf_reader_take(rf_sqlite *db, rf_conn **out, raffle_error *err)
{
    pthread_mutex_lock(&db->lock);
    rf_conn *conn = db->idle;
    uint64_t generation = db->generation;
    if (conn != NULL) {
        db->idle = conn->next;
        db->idle_count--;
    }
    pthread_mutex_unlock(&db->lock);
    if (conn == NULL) {
        /* Never a wait for another reader, who may be waiting for us: a sink may read. */
        raffle_rc rc = rf_conn_open(db, false, &conn, err);
        if (rc != RAFFLE_OK)
            return rc;
        conn->generation = generation;
    }
    conn->busy_until = rf_deadline(db->timeout_ms);
    *out = conn;
    return RAFFLE_OK;
}

/* A connection whose transaction could not be ended would show its next user what was there then. */
void rf_reader_return(rf_sqlite *db, rf_conn *conn)
{
    pthread_mutex_lock(&db->lock);
    bool keep = sqlite3_get_autocommit(conn->db) != 0 && conn->generation == db->generation &&
                db->idle_count < RF_SQLITE_READERS;
    if (keep) {
        conn->next = db->idle;
        db->idle = conn;
        db->idle_count++;
    }
    pthread_mutex_unlock(&db->lock);
    if (!keep)
        rf_conn_close(conn);
}

void rf_readers_close(rf_sqlite *db)
{
    pthread_mutex_lock(&db->lock);
    rf_conn *conn = db->idle;
    db->idle = NULL;
    db->idle_count = 0;
    db->generation++;
    pthread_mutex_unlock(&db->lock);
    while (conn != NULL) {
        rf_conn *next = conn->next;
        rf_conn_close(conn);
        conn = next;
    }
}
