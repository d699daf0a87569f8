/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and freeing the SQLite store: what kind of file it is, making it, and the table of its functions. */
#include "sqlite.h"

#include "error.h"
#include "filesystem.h"
#include "sqlite_db.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT_MS = 10000
};

raffle_rc rf_sqlite_options_from(rf_sqlite_options *options, const rf_uri *uri, raffle_error *err)
{
    static const char *const known[] = {"anchor", "create", "readonly", NULL};
    *options = (rf_sqlite_options){.path = rf_uri_rest(uri)};
    raffle_rc rc = rf_uri_only(uri, known, err);
    if (rc == RAFFLE_OK)
        rc = rf_uri_flag(uri, "create", &options->create, err);
    if (rc == RAFFLE_OK)
        rc = rf_uri_flag(uri, "readonly", &options->readonly, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_uri_fragment(uri) != NULL)
        return rf_fail(err, RAFFLE_INVALID, "URI: sqlite: takes no fragment \"#%s\"; a '#' in a path is written %%23",
                       rf_uri_fragment(uri));
    if (options->create && options->readonly)
        return rf_fail(err, RAFFLE_INVALID, "URI: create=1 and readonly=1 exclude each other");
    const char *anchor = rf_uri_get(uri, "anchor");
    options->no_anchor = anchor != NULL && strcmp(anchor, "none") == 0;
    if (anchor == NULL || options->no_anchor)
        return RAFFLE_OK;
    if (strncmp(anchor, "file:", 5) != 0 || anchor[5] == '\0')
        return rf_fail(err, RAFFLE_INVALID, "URI: anchor is \"%s\"; it can be file:PATH or none", anchor);
    options->anchor = anchor + 5;
    return RAFFLE_OK;
}

/* --- what kind of file --- */

static raffle_rc use_wal(rf_conn *conn, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(conn->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code != SQLITE_OK)
        return rf_conn_fail(conn, code, "use a write-ahead log", err);
    code = sqlite3_step(statement);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    bool good = mode != NULL && strcmp(mode, "wal") == 0;
    code = sqlite3_finalize(statement);
    if (code != SQLITE_OK)
        return rf_conn_fail(conn, code, "use a write-ahead log", err);
    return good ? RAFFLE_OK : rf_fail(err, RAFFLE_IO, "%s can have no write-ahead log", conn->owner->path);
}

static raffle_rc prepare_file(rf_conn *conn, bool create, raffle_error *err)
{
    bool empty = false;
    if (conn->empty && !create)
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "%s is empty, and holds no raffle", conn->owner->path);
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_schema_check(conn, &empty, &own);
    if (rc == RAFFLE_NOT_RAFFLE && empty && create) {
        rc = use_wal(conn, err);
        return rc == RAFFLE_OK ? rf_schema_create(conn, err) : rc;
    }
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &own);
    return conn->owner->readonly ? RAFFLE_OK : use_wal(conn, err);
}

/* --- opening --- */

/* A file in a folder that cannot be written has no -shm. When it has no -wal either, nobody is writing it. */
static raffle_rc set_immutable(rf_sqlite *db, raffle_error *err)
{
    size_t length = strlen(db->path);
    char *uri = malloc(3 * length + sizeof "file:?immutable=1");
    if (uri == NULL)
        return rf_nomem(err);
    char *out = stpcpy(uri, "file:");
    for (const char *p = db->path; *p != '\0'; p++) {
        if (*p == '%' || *p == '?' || *p == '#')
            out += sprintf(out, "%%%02X", (unsigned)*p);
        else
            *out++ = *p;
    }
    memcpy(out, "?immutable=1", sizeof "?immutable=1");
    db->uri = uri;
    db->readonly = true;
    return RAFFLE_OK;
}

static bool has_wal(const rf_sqlite *db)
{
    char *wal = NULL;
    struct stat st;
    if (asprintf(&wal, "%s-wal", db->path) < 0)
        return true;
    bool found = stat(wal, &st) != 0 ? errno != ENOENT : st.st_size > 0;
    free(wal);
    return found;
}

static raffle_rc open_first(rf_sqlite *db, bool create, raffle_error *err)
{
    rf_conn *conn = NULL;
    raffle_rc rc = rf_conn_open(db, !db->readonly, &conn, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (sqlite3_db_readonly(conn->db, "main") == 1)
        db->readonly = true;
    rc = prepare_file(conn, create, err);
    if (rc == RAFFLE_OK && !db->readonly)
        rc = rf_conn_in_place(conn, err);
    if (rc == RAFFLE_OK && !db->readonly) {
        db->writer = conn;
        return RAFFLE_OK;
    }
    rf_conn_close(conn);
    return rc;
}

static raffle_rc open_file(rf_sqlite *db, bool create, raffle_error *err)
{
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = open_first(db, create, &own);
    bool refused = rc == RAFFLE_IO || rc == RAFFLE_READONLY;
    if (refused && !rf_folder_writable(db->path) && !has_wal(db)) {
        rc = set_immutable(db, err);
        return rc == RAFFLE_OK ? open_first(db, false, err) : rc;
    }
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &own);
}

/* Whether the file is there; `*made`: it is now. */
static raffle_rc find_file(const rf_sqlite *db, bool create, bool *made, raffle_error *err)
{
    struct stat st;
    raffle_rc rc = rf_check_local(db->path, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (stat(db->path, &st) == 0 && !S_ISREG(st.st_mode))
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "%s is no file", db->path);
    if (stat(db->path, &st) == 0)
        return RAFFLE_OK;
    if (errno != ENOENT)
        return rf_fail(err, RAFFLE_IO, "cannot look at %s", db->path);
    if (!create)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no file %s", db->path);
    raffle_error own = RAFFLE_ERROR_INIT;
    rc = rf_make_file(db->path, &own);
    if (rc == RAFFLE_EXISTS)
        return RAFFLE_OK; /* somebody else was faster */
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &own);
    *made = true;
    return rf_sync_folder(db->path, err);
}

/* A file that we made and could not fill goes again, while nobody has written into it. */
static void unmake(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && st.st_size == 0)
        unlink(path);
}

static raffle_rc set_anchor(rf_sqlite *db, const rf_sqlite_options *options, raffle_error *err)
{
    char *path = NULL;
    raffle_rc rc = RAFFLE_OK;
    if (options->no_anchor)
        return RAFFLE_OK;
    if (options->anchor != NULL)
        rc = rf_absolute_path(options->anchor, &path, err);
    else if (asprintf(&path, "%s-anchor", db->path) < 0)
        rc = rf_nomem(err);
    if (rc == RAFFLE_OK)
        rc = rf_anchor_new(path, &db->anchor, err);
    free(path);
    return rc;
}

/* A link and its file are one store: one anchor, and one write-ahead log, which SQLite keeps beside the file. */
static raffle_rc set_path(rf_sqlite *db, const char *path, raffle_error *err)
{
    raffle_rc rc = rf_absolute_path(path, &db->path, err);
    char *real = rc == RAFFLE_OK ? realpath(db->path, NULL) : NULL;
    if (real == NULL)
        return rc; /* a file that is not there yet, or not to be had: the next call says so */
    free(db->path);
    db->path = real;
    return RAFFLE_OK;
}

static void init_locks(rf_sqlite *db)
{
    pthread_mutex_init(&db->lock, NULL);
    pthread_condattr_init(&db->monotonic);
    pthread_condattr_setclock(&db->monotonic, CLOCK_MONOTONIC);
}

static void free_memory(rf_sqlite *db)
{
    rf_anchor_free(db->anchor);
    pthread_condattr_destroy(&db->monotonic);
    pthread_mutex_destroy(&db->lock);
    free(db->uri);
    free(db->path);
    free(db);
}

/* After fork() the child must not close the parent's connections: that would fold its write-ahead log. They are left to exit. */
static void rf_sqlite_free(void *ctx)
{
    rf_sqlite *db = ctx;
    if (db->pid != getpid())
        return;
    rf_fold_end(db);
    rf_conn_close(db->writer);
    rf_readers_close(db);
    free_memory(db);
}

static void fill_table(raffle_store_table *table, const rf_sqlite *db)
{
    *table = (raffle_store_table){.struct_size = sizeof *table,
                                  .origin = rf_sqlite_origin,
                                  .create = rf_sqlite_create,
                                  .put_back = rf_sqlite_put_back,
                                  .anchor_of = rf_sqlite_anchor_of,
                                  .head = rf_sqlite_head,
                                  .append = rf_sqlite_append,
                                  .read = rf_sqlite_read,
                                  .node = rf_sqlite_node,
                                  .find = rf_sqlite_find,
                                  .scan = rf_sqlite_scan,
                                  .scan_back = rf_sqlite_scan_back,
                                  .note_put = rf_sqlite_note_put,
                                  .note_get = rf_sqlite_note_get,
                                  .erase = rf_sqlite_erase,
                                  .free = rf_sqlite_free};
    if (db->anchor != NULL) {
        table->anchor_get = rf_sqlite_anchor_get;
        table->anchor_put = rf_sqlite_anchor_put;
    }
}

raffle_rc rf_sqlite_open(const rf_sqlite_options *options, raffle_store_table *table, void **ctx, raffle_error *err)
{
    if (sqlite3_threadsafe() == 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "the SQLite that is linked was built without threads");
    rf_sqlite *db = calloc(1, sizeof *db);
    if (db == NULL)
        return rf_nomem(err);
    init_locks(db);
    db->pid = getpid();
    db->readonly = options->readonly;
    db->no_threads = options->no_threads;
    db->timeout_ms = options->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : options->timeout_ms;
    db->queue_end = &db->queue;
    bool made = false;
    raffle_rc rc = set_path(db, options->path, err);
    if (rc == RAFFLE_OK)
        rc = set_anchor(db, options, err);
    if (rc == RAFFLE_OK)
        rc = find_file(db, options->create, &made, err);
    if (rc == RAFFLE_OK)
        rc = open_file(db, options->create, err);
    if (rc != RAFFLE_OK) {
        if (made)
            unmake(db->path);
        free_memory(db);
        return rc;
    }
    fill_table(table, db);
    *ctx = db;
    return RAFFLE_OK;
}
