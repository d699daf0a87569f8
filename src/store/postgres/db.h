/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL store share: the store, its connections, how statements are sent and answered, and the
 * parameters that go with them. A connection is one thread's at a time, always in libpq's pipeline mode, never blocking.
 */
#ifndef RF_STORE_POSTGRES_DB_H
#define RF_STORE_POSTGRES_DB_H

#include "anchor.h"
#include "postgres/conninfo.h"
#include "store.h"
#include <pthread.h>
#include <sys/types.h>

enum {
    RF_PG_FORMAT = 1, /* of the tables */
    RF_PG_IDLE = 32,  /* connections that are kept */
    RF_PG_PARAMS = 8, /* of a statement */
    RF_PG_KEY_SIZE = 2 * (RAFFLE_STORE_KEY_MAX + 1) + 1,
    RF_PG_LEAST_MS = 1000,         /* a call that has no time left waits so long for the server's answers */
    RF_PG_DSQL_ROWS = 3000,        /* of one transaction in Aurora DSQL … */
    RF_PG_DSQL_BYTES = 10000000,   /* … which says 10 MiB */
    RF_PG_DSQL_AGE_MS = 50 * 60000 /* of a connection, which lives for an hour there */
};

typedef enum rf_pg_sql {
    RF_PG_BEGIN,
    RF_PG_COMMIT,
    RF_PG_ROLLBACK,
    RF_PG_TIMEOUT,
    RF_PG_HEAD_GET,
    RF_PG_HEAD_LOCK,
    RF_PG_HEAD_MAKE,
    RF_PG_HEAD_PUT,
    RF_PG_CONTROL_PUT,
    RF_PG_RECORDS_PUT,
    RF_PG_RECORDS_GET,
    RF_PG_ERASE,
    RF_PG_NODES_PUT,
    RF_PG_NODE_GET,
    RF_PG_KEYS_PUT,
    RF_PG_KEYS_GET,
    RF_PG_KEYS_SCAN,
    RF_PG_KEYS_SCAN_BACK,
    RF_PG_NOTE_PUT,
    RF_PG_NOTE_GET,
    RF_PG_NOTE_LATEST,
    RF_PG_RAFFLES,
    RF_PG_RAFFLE_GET,
    RF_PG_RAFFLE_PUT,
    RF_PG_CONTROL_MAKE,
    RF_PG_SQL_COUNT
} rf_pg_sql;

typedef struct rf_pg rf_pg;

typedef struct rf_pg_conn {
    PGconn *pg;
    rf_pg *owner;
    int64_t until;    /* by rf_clock_monotonic(), of the call that has it; INT64_MAX: no end */
    int64_t born;     /* when it was made */
    size_t queued;    /* statements whose answers were not taken yet */
    bool prepared;    /* the statements */
    bool used;        /* before: the server may have gone meanwhile */
    bool broken;      /* to be closed; what was under way is lost */
    bool in_txn;      /* BEGIN was sent */
    bool limits;      /* … and before it the server's own limit of a statement's time, … */
    int32_t limit_ms; /* … as it was set last */
    char state[6];    /* SQLSTATE of the last failure, or "" */
    uint64_t generation;
    struct rf_pg_conn *next;
} rf_pg_conn;

struct rf_pg {
    rf_pg_uri uri;
    raffle_host host; /* borrowed callbacks */
    int32_t timeout_ms;
    pid_t pid;
    rf_anchor *anchor; /* NULL: none */

    pthread_mutex_t lock; /* guards what follows */
    rf_pg_conn *idle;
    size_t idle_count;
    uint64_t generation; /* connections of an older one are closed when they come back */
    int32_t raffle;      /* its number in the database; 0: not known yet */
    char origin[RAFFLE_ORIGIN_SIZE];
};

/* --- parameters and rows (array.c) --- */

/* Of one statement, in binary; texts and arrays are borrowed until it was sent. */
typedef struct rf_pg_params {
    int n;
    const char *value[RF_PG_PARAMS];
    int length[RF_PG_PARAMS];
    uint8_t number[RF_PG_PARAMS][8];
} rf_pg_params;
void rf_pg_int4(rf_pg_params *p, uint32_t value);
void rf_pg_int8(rf_pg_params *p, uint64_t value);
void rf_pg_bytes(rf_pg_params *p, const void *bytes, size_t length); /* NULL: NULL */
void rf_pg_text(rf_pg_params *p, const char *text);

/* An array of one dimension in PostgreSQL's binary form. */
typedef struct rf_pg_array {
    uint8_t *bytes;
    size_t length, cap;
    uint32_t type, count;
    bool nulls;
} rf_pg_array;
enum {
    RF_PG_INT4 = 23, /* object identifiers of types, frozen in pg_type.dat */
    RF_PG_INT8 = 20,
    RF_PG_TEXT = 25,
    RF_PG_BYTEA = 17
};
void rf_pg_array_reset(rf_pg_array *a, uint32_t type);
void rf_pg_array_free(rf_pg_array *a);
/* One more element; NULL for NULL. RAFFLE_NOMEM. */
raffle_rc rf_pg_array_add(rf_pg_array *a, const void *bytes, size_t length, raffle_error *err);
raffle_rc rf_pg_array_add_number(rf_pg_array *a, uint64_t value, raffle_error *err);
void rf_pg_array_param(rf_pg_params *p, rf_pg_array *a);

/* A column of an answer, whose type and length are checked; false: it is not what was asked for. NULL is `*null`, or false where that is NULL. */
bool rf_pg_number(const PGresult *r, int row, int column, uint64_t max, uint64_t *out, bool *null);
bool rf_pg_value(const PGresult *r, int row, int column, uint32_t type, size_t max, const char **out, size_t *length,
                 bool *null);

/* --- conn.c: statements on their way --- */

int64_t rf_pg_deadline(int32_t timeout_ms);
/* Waits until the socket can be read, or written when `write`. RAFFLE_TIMEOUT, RAFFLE_IO. */
raffle_rc rf_pg_wait(rf_pg_conn *c, bool write, raffle_error *err);
/* Queues a statement. */
raffle_rc rf_pg_send(rf_pg_conn *c, rf_pg_sql which, rf_pg_params *params, raffle_error *err);
/* The same for one that is not prepared. */
raffle_rc rf_pg_send_text(rf_pg_conn *c, const char *sql, raffle_error *err);
/* Sends what is queued, and waits until the socket has taken it. */
raffle_rc rf_pg_flush(rf_pg_conn *c, raffle_error *err);
/* Ends a flight: the server answers it. */
raffle_rc rf_pg_sync(rf_pg_conn *c, raffle_error *err);
/* The answer to the next statement; `*out` is the caller's to clear, and NULL after a failure. */
raffle_rc rf_pg_take(rf_pg_conn *c, const char *doing, PGresult **out, raffle_error *err);
/* The same for one whose rows nobody wants. */
raffle_rc rf_pg_done(rf_pg_conn *c, const char *doing, raffle_error *err);
/* Takes what is left of a flight, up to its end. A failure breaks the connection. */
raffle_rc rf_pg_end(rf_pg_conn *c, raffle_error *err);
/* One statement in a flight of its own. */
raffle_rc rf_pg_ask(rf_pg_conn *c, rf_pg_sql which, rf_pg_params *params, const char *doing, PGresult **out,
                    raffle_error *err);
raffle_rc rf_pg_ask_text(rf_pg_conn *c, const char *sql, const char *doing, PGresult **out, raffle_error *err);
/* Queues BEGIN, and before it, where that has changed, the server's own limit of a statement's time; `rf_pg_begun` takes their answers. */
raffle_rc rf_pg_begin(rf_pg_conn *c, raffle_error *err);
raffle_rc rf_pg_begun(rf_pg_conn *c, raffle_error *err);
/* Takes the answer to COMMIT, which ends the flight. RAFFLE_UNKNOWN. */
raffle_rc rf_pg_committed(rf_pg_conn *c, raffle_error *err);
/* Takes what is left of a flight that ends with COMMIT, after a statement before that failed with `rc`. RAFFLE_UNKNOWN when it was committed all the
 * same: libpq itself fails to read an answer when it finds no memory, and the server knows nothing of that. */
raffle_rc rf_pg_not_committed(rf_pg_conn *c, raffle_rc rc, raffle_error *err);
/* What a flight with a COMMIT in it failed with: RAFFLE_UNKNOWN when the connection broke before all was answered. */
raffle_rc rf_pg_in_doubt(const rf_pg_conn *c, raffle_rc rc, raffle_error *err);
/* Rolls back, or breaks the connection, which does so too. */
void rf_pg_rollback(rf_pg_conn *c);
/* A failure of the connection itself: what libpq says of it. Breaks it. */
raffle_rc rf_pg_lost(rf_pg_conn *c, const char *doing, raffle_error *err);
raffle_rc rf_pg_damaged(const rf_pg_conn *c, const char *what, raffle_error *err);
bool rf_pg_state_is(const rf_pg_conn *c, const char *state);
/* Whether the last failure was a conflict with another transaction, after which the same may succeed. */
bool rf_pg_conflict(const rf_pg_conn *c);

/* --- connect.c: connections --- */

/* One that is free, or a new one; the statements are prepared unless `bare`. */
raffle_rc rf_pg_conn_take(rf_pg *db, int64_t until, bool bare, rf_pg_conn **out, raffle_error *err);
void rf_pg_conn_return(rf_pg_conn *c);
/* Closes those that nobody uses; the others when they come back. */
void rf_pg_conns_close(rf_pg *db);

/* Something to read on a connection; once more on a new one when the first was an old one that had died, or after a conflict, while `started` is still false. */
typedef struct rf_pg_read {
    raffle_rc (*run)(rf_pg_conn *c, struct rf_pg_read *read, raffle_error *err);
    bool started; /* a sink saw something */
} rf_pg_read;
raffle_rc rf_pg_read_run(rf_pg *db, rf_pg_read *read, raffle_error *err);

/* --- tables.c, schema.c --- */
const char *rf_pg_sql_text(rf_pg_sql which, bool dsql);
/* The index-th statement that makes tables and views; NULL after the last. */
const char *rf_pg_ddl(size_t index, bool dsql);
/* RAFFLE_NOT_RAFFLE with `*missing`: there are no tables; RAFFLE_NEWER, RAFFLE_CORRUPT. */
raffle_rc rf_pg_schema_check(rf_pg_conn *c, bool *missing, raffle_error *err);
raffle_rc rf_pg_schema_create(rf_pg_conn *c, raffle_error *err);

/* --- keyset.c: keys in memory --- */

typedef struct rf_pg_key {
    char hex
        [RF_PG_KEY_SIZE]; /* of the scope's byte and the key: the order of the texts is the order of scopes and keys */
    uint8_t length;       /* of `hex` */
    uint32_t log;
    uint64_t index;
} rf_pg_key;
typedef struct rf_pg_keyset {
    rf_pg_key *key;
    size_t n, cap, slots;
    uint32_t *slot; /* 1 + an index into `key`, 0: free */
} rf_pg_keyset;
void rf_pg_keyset_clear(rf_pg_keyset *set); /* keeps the memory */
void rf_pg_keyset_free(rf_pg_keyset *set);
const rf_pg_key *rf_pg_keyset_find(const rf_pg_keyset *set, const rf_pg_key *key);
raffle_rc rf_pg_keyset_add(rf_pg_keyset *set, const rf_pg_key *key, raffle_error *err);
/* In the order of their texts; what was found by rf_pg_keyset_find() is so no longer. */
void rf_pg_keyset_sort(rf_pg_keyset *set);
size_t rf_pg_key_hex(char out[RF_PG_KEY_SIZE], uint32_t scope, const uint8_t *key, size_t length);
/* From and to the rows of the contract; false: no append of ours wrote it. */
void rf_pg_key_from(rf_pg_key *out, const raffle_store_key *key);
bool rf_pg_key_row(raffle_store_key *row, const char *hex, size_t length, uint64_t log, uint64_t index);
/* A row of an answer: key, log, idx. */
bool rf_pg_key_take(const PGresult *r, int i, raffle_store_key *row);

/* --- heads, notes --- */
bool rf_pg_head_take(const PGresult *r, uint32_t log, raffle_store_head *head);
/* Makes the row of a log that was never written, when it is not there. */
raffle_rc rf_pg_head_make(rf_pg_conn *c, int32_t which, uint32_t log, raffle_error *err);
/* In a transaction that holds the log: that the note does not go back. */
raffle_rc rf_pg_note_compare(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t size, const char *note, size_t length,
                             raffle_error *err);
raffle_rc rf_pg_note_send(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t size, const char *note, size_t length,
                          raffle_error *err);
/* The raffle's number; RAFFLE_NOT_FOUND. */
raffle_rc rf_pg_raffle(rf_pg *db, int32_t *which, raffle_error *err);
/* Finds the raffle that the URI picks, or the only one. RAFFLE_NOT_FOUND, RAFFLE_INVALID when there are several. */
raffle_rc rf_pg_pick(rf_pg *db, raffle_error *err);

/* --- the functions of the table --- */
raffle_rc rf_pg_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err);
raffle_rc rf_pg_create(void *ctx, const char *origin, raffle_error *err);
raffle_rc rf_pg_put_back(void *ctx, const char *origin, raffle_error *err);
raffle_rc rf_pg_anchor_of(void *ctx, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                          raffle_error *err);
raffle_rc rf_pg_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err);
raffle_rc rf_pg_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                       uint64_t *size, raffle_error *err);
raffle_rc rf_pg_records(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                        void *sink_ctx, raffle_error *err);
/* The same on a connection that is inside of a transaction. */
raffle_rc rf_pg_records_within(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t from, uint64_t count,
                               raffle_store_sink_record sink, void *sink_ctx, raffle_error *err);
raffle_rc rf_pg_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err);
raffle_rc rf_pg_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                     raffle_error *err);
raffle_rc rf_pg_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                     size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                     raffle_error *err);
raffle_rc rf_pg_scan_back(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *before,
                          size_t before_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                          raffle_error *err);
raffle_rc rf_pg_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err);
raffle_rc rf_pg_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                         size_t *length, raffle_error *err);
raffle_rc rf_pg_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err);
raffle_rc rf_pg_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err);
raffle_rc rf_pg_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                           raffle_error *err);

#endif
