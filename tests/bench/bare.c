/* SPDX-License-Identifier: Apache-2.0 */
/* Bare SQLite: the same rows, keys, batches, settings and durability, and nothing else. Leaves and private parts are made beforehand. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_bare {
    sqlite3 *db;
    sqlite3_stmt *record, *key, *begin, *commit;
    int64_t next;
};

enum {
    LEAF = 208,
    PRIVATE = 136
};

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) == SQLITE_OK)
        return statement;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

bench_bare *bench_bare_open(const char *folder)
{
    char path[300];
    bench_bare *bare = calloc(1, sizeof *bare);
    snprintf(path, sizeof path, "%s/bare.db", folder);
    if (bare == NULL || sqlite3_open(path, &bare->db) != SQLITE_OK)
        exit(1);
    run(bare->db,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=10000; PRAGMA secure_delete=ON;"
        "CREATE TABLE record (id INTEGER PRIMARY KEY, leaf TEXT NOT NULL, private TEXT) STRICT;"
        "CREATE TABLE okey (key BLOB PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;");
    bare->record = prepare(bare->db, "INSERT INTO record (id, leaf, private) VALUES (?1, ?2, ?3)");
    bare->key = prepare(bare->db, "INSERT OR IGNORE INTO okey (key, id) VALUES (?1, ?2)");
    bare->begin = prepare(bare->db, "BEGIN IMMEDIATE");
    bare->commit = prepare(bare->db, "COMMIT");
    bare->next = INT64_C(1) << 40;
    return bare;
}

void bench_bare_close(bench_bare *bare)
{
    sqlite3_finalize(bare->record);
    sqlite3_finalize(bare->key);
    sqlite3_finalize(bare->begin);
    sqlite3_finalize(bare->commit);
    sqlite3_close(bare->db);
    free(bare);
}

typedef struct row {
    char leaf[LEAF], private_part[PRIVATE], key[RAFFLE_NAME_SIZE];
} row;

/* Rows of the length that a sale has. */
static void fill(row *r, uint64_t i)
{
    snprintf(r->leaf, LEAF,
             "{\"at\":\"2026-11-22T21:08:42.453Z\",\"by\":\"seller\",\"count\":10,\"n\":%llu,\"p\":"
             "\"4c93fd9058ff5bbf50a33f2ba6bc9522d33712079050b4f3e110cfd5abc4c002\",\"price\":1000,\"t\":\"sale\","
             "\"tier\":\"10-for-10\"}",
             (unsigned long long)i * 10 + 1);
    snprintf(
        r->private_part, PRIVATE,
        "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"%s\",\"salt\":\"444a486a5e92b960958df7d854a3205e\"}",
        r->key);
}

static void step(sqlite3 *db, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE) {
        fprintf(stderr, "bare: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_reset(statement);
}

static void insert(bench_bare *bare, const row *r)
{
    sqlite3_bind_blob(bare->key, 1, r->key, 36, SQLITE_STATIC);
    sqlite3_bind_int64(bare->key, 2, bare->next);
    step(bare->db, bare->key);
    sqlite3_bind_int64(bare->record, 1, bare->next++);
    sqlite3_bind_text(bare->record, 2, r->leaf, (int)strlen(r->leaf), SQLITE_STATIC);
    sqlite3_bind_text(bare->record, 3, r->private_part, (int)strlen(r->private_part), SQLITE_STATIC);
    step(bare->db, bare->record);
}

double bench_bare_insert(bench_bare *bare, uint64_t run_number, uint64_t n, size_t batch, bench_keys kind)
{
    row *rows = calloc(batch, sizeof *rows);
    double seconds = 0;
    for (uint64_t done = 0; done < n; done += batch) {
        size_t m = n - done < batch ? (size_t)(n - done) : batch;
        for (size_t i = 0; i < m; i++) {
            bench_order_key(rows[i].key, kind, run_number, done + i);
            fill(&rows[i], done + i);
        }
        double began = bench_now();
        step(bare->db, bare->begin);
        for (size_t i = 0; i < m; i++)
            insert(bare, &rows[i]);
        step(bare->db, bare->commit);
        seconds += bench_now() - began;
    }
    free(rows);
    return seconds;
}
