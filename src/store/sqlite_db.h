/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the SQLite store share: the store, its connections with their prepared statements, and the requests to
 * write. One connection writes, for whoever leads a group of requests; any number of others read.
 */
#ifndef RF_STORE_SQLITE_DB_H
#define RF_STORE_SQLITE_DB_H

#include "anchor.h"
#include "sqlite_scrub.h"
#include "store.h"
#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

enum {
    RF_SQLITE_FORMAT = 1,               /* user_version */
    RF_SQLITE_APPLICATION = 0x5241464c, /* application_id, "RAFL" */
    RF_SQLITE_READERS = 8,              /* connections that are kept for reading */
    RF_SQLITE_CHECKPOINT = 10000,       /* pages of the write-ahead log */
    RF_SQLITE_KEY_SIZE = RAFFLE_STORE_KEY_MAX + 1,
    RF_SQLITE_LENGTH = 1 << 17 /* no row is longer: a record and its private part, a note */
};
typedef enum rf_sql {
    RF_SQL_BEGIN_WRITE,
    RF_SQL_BEGIN_READ,
    RF_SQL_COMMIT,
    RF_SQL_ROLLBACK,
    RF_SQL_SAVEPOINT,
    RF_SQL_ROLLBACK_TO,
    RF_SQL_RELEASE,
    RF_SQL_HEAD_GET,
    RF_SQL_HEAD_PUT,
    RF_SQL_RECORD_PUT,
    RF_SQL_RECORD_GET,
    RF_SQL_RECORD_ERASE,
    RF_SQL_NODE_PUT,
    RF_SQL_NODE_GET,
    RF_SQL_KEY_PUT,
    RF_SQL_KEY_GET,
    RF_SQL_KEY_SCAN,
    RF_SQL_KEY_SCAN_BACK,
    RF_SQL_NOTE_PUT,
    RF_SQL_NOTE_GET,
    RF_SQL_NOTE_LATEST,
    RF_SQL_META_PUT,
    RF_SQL_META_GET,
    RF_SQL_COUNT
} rf_sql;

typedef struct rf_sqlite rf_sqlite;

/* A connection, used by one thread at a time. */
typedef struct rf_conn {
    sqlite3 *db;
    rf_scrub *scrub;
    bool empty; /* the file, when it was opened */
    const rf_sqlite *owner;
    sqlite3_stmt *statement[RF_SQL_COUNT]; /* prepared when first used */
    int64_t busy_until;                    /* by rf_now() */
    int wal_pages;                         /* after the last commit */
    int changes;                           /* rows that it wrote, ever, before this transaction */
    uint64_t generation;
    bool polite;        /* it wrote much, and lets those who write little go first */
    int64_t rude_until; /* until then it waits for nobody's turn */
    int turn;           /* the file whose lock is the turn to write, or -1 */
    dev_t wal_device;   /* the write-ahead log's file, when it was opened … */
    ino_t wal_inode;    /* … or 0 */
    struct rf_conn *next;
} rf_conn;

/* Something to write in a transaction of its own or shared. The waiter's, on its stack; the leader fills in the results. */
typedef struct rf_write {
    /* Writes. A failure undoes what this request wrote. May be called again, from the beginning. */
    raffle_rc (*run)(rf_conn *conn, struct rf_write *request, raffle_error *err);
    /* After a commit that failed: whether it is there after all. NULL: that cannot be told. */
    raffle_rc (*find)(rf_conn *conn, struct rf_write *request, bool *there, raffle_error *err);
    int64_t deadline;
    pthread_cond_t wake;
    struct rf_write *next;
    bool taken, done;
    bool live;  /* has part in the transaction that is open */
    bool again; /* is to be run in another one */
    raffle_rc rc;
    raffle_error error;
} rf_write;

struct rf_sqlite {
    char *path; /* absolute: the working folder may change */
    char *uri;  /* NULL, or how a file is opened that can have no -shm */
    bool readonly, no_threads;
    int32_t timeout_ms; /* of calls without one of their own */
    pid_t pid;
    rf_anchor *anchor; /* NULL: none */
    rf_conn *writer;   /* the leader's */

    pthread_mutex_t lock; /* guards what follows */
    pthread_condattr_t monotonic;
    rf_write *queue, **queue_end;
    bool leading;
    pthread_t leader;
    pthread_t importer; /* who led the last group that wrote much */
    bool folding;       /* somebody folds the write-ahead log … */
    pthread_t folder;
    bool folder_started; /* and is to be joined */
    int folded;          /* … which had so many pages when it was folded last; 0: it began anew */
    rf_conn *idle;
    size_t idle_count;
    uint64_t generation; /* connections of an older one are closed when they come back */
    char origin[RAFFLE_ORIGIN_SIZE];
};

/* --- sqlite_conn.c --- */
int64_t rf_now(void); /* microseconds, monotonic */
int64_t rf_deadline(int32_t timeout_ms);
void rf_pause(long times); /* between two looks at a lock: so many times 100 µs */
raffle_rc rf_conn_open(const rf_sqlite *db, bool write, rf_conn **out, raffle_error *err);
void rf_conn_close(rf_conn *conn);
/* The status for a result code of SQLite's, with a sentence that begins "cannot <doing>". */
raffle_rc rf_conn_fail(const rf_conn *conn, int code, const char *doing, raffle_error *err);
raffle_rc rf_conn_statement(rf_conn *conn, rf_sql which, sqlite3_stmt **out, raffle_error *err);
/* Runs a statement that gives no rows. */
raffle_rc rf_conn_run(rf_conn *conn, rf_sql which, const char *doing, raffle_error *err);
/* Steps a statement with its values bound, resets it, and expects no rows. */
raffle_rc rf_conn_finish(rf_conn *conn, sqlite3_stmt *statement, const char *doing, raffle_error *err);
/* Whether the files that the writing connection has open are still those of their names; the first call takes note of the write-ahead log's. What is
 * committed into others is lost when they are closed. */
raffle_rc rf_conn_in_place(rf_conn *conn, raffle_error *err);
/* A connection for reading, and back. */
raffle_rc rf_reader_take(rf_sqlite *db, rf_conn **out, raffle_error *err);
void rf_reader_return(rf_sqlite *db, rf_conn *conn);
/* Closes the connections that nobody uses; the others when they come back. */
void rf_readers_close(rf_sqlite *db);

/* --- sqlite_schema.c --- */
const char *rf_sql_text(rf_sql which);
/* RAFFLE_NOT_RAFFLE, RAFFLE_NEWER, RAFFLE_CORRUPT. `*empty`: a database without anything in it. */
raffle_rc rf_schema_check(rf_conn *conn, bool *empty, raffle_error *err);
raffle_rc rf_schema_create(rf_conn *conn, raffle_error *err);

/* --- sqlite_turn.c --- */
/* Takes its turn to ask for the write lock, if nobody else has one; waits for it, until `busy_until` at most; gives it on; forgets it with the
 * connection. */
bool rf_turn_try(rf_conn *conn);
void rf_turn_take(rf_conn *conn);
void rf_turn_give(rf_conn *conn);
void rf_turn_close(rf_conn *conn);

/* --- sqlite_fold.c --- */
/* With the lock held, by the one who has just led: how much that wrote, and whether the write-ahead log is to be folded, and that work, begun. Waits for its end. */
bool rf_fold_due(rf_sqlite *db);
void rf_fold_begin(rf_sqlite *db);
void rf_fold_end(rf_sqlite *db);

/* --- sqlite_group.c --- */
/* Runs the request in a transaction, which it may share with others, and waits until that is durable. */
raffle_rc rf_group_write(rf_sqlite *db, rf_write *request, int32_t timeout_ms, raffle_error *err);
/* Moves the whole write-ahead log into the database and empties its file. */
raffle_rc rf_wal_truncate(rf_conn *conn, raffle_error *err);

/* --- rows --- */
static inline int64_t rf_record_id(uint32_t log, uint64_t index)
{
    return (int64_t)(((uint64_t)log << 40) + index);
}

static inline int64_t rf_node_id_of(uint32_t log, uint32_t level, uint64_t index)
{
    return (int64_t)((uint64_t)log << 38 | (uint64_t)level << 32 | index);
}

/* The scope as one byte, then the key: the order of the blobs is the order of scopes and keys. */
size_t rf_key_blob(uint8_t out[RF_SQLITE_KEY_SIZE], uint32_t scope, const uint8_t *key, size_t length);
/* The head by the statement that gives it; sets all of `head`. */
raffle_rc rf_head_get(rf_conn *conn, uint32_t log, raffle_store_head *head, raffle_error *err);
/* The row of a key; RAFFLE_NOT_FOUND. */
raffle_rc rf_key_get(rf_conn *conn, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                     raffle_error *err);
raffle_rc rf_note_write(rf_conn *conn, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err);

/* --- the functions of the table --- */
raffle_rc rf_sqlite_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err);
raffle_rc rf_sqlite_create(void *ctx, const char *origin, raffle_error *err);
raffle_rc rf_sqlite_put_back(void *ctx, const char *origin, raffle_error *err);
raffle_rc rf_sqlite_anchor_of(void *ctx, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                              raffle_error *err);
raffle_rc rf_sqlite_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err);
raffle_rc rf_sqlite_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                           uint64_t *size, raffle_error *err);
raffle_rc rf_sqlite_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                         void *sink_ctx, raffle_error *err);
raffle_rc rf_sqlite_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err);
raffle_rc rf_sqlite_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                         raffle_error *err);
raffle_rc rf_sqlite_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                         size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                         raffle_error *err);
raffle_rc rf_sqlite_scan_back(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                              const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                              void *sink_ctx, raffle_error *err);
raffle_rc rf_sqlite_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length,
                             raffle_error *err);
raffle_rc rf_sqlite_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                             size_t *length, raffle_error *err);
raffle_rc rf_sqlite_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err);
raffle_rc rf_sqlite_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err);
raffle_rc rf_sqlite_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                               raffle_error *err);

#endif
