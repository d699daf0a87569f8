/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding the write-ahead log into the database once it is long, in a thread that lives for that alone: nobody's sale waits for it, and
 * others go on writing. What they added meanwhile is folded in a turn of its own: only a log that is folded to its end begins anew.
 */
#include "sqlite_db.h"

#include <signal.h>

enum {
    SMALL = 400,      /* rows: who wrote fewer goes first */
    TURN_US = 100000, /* to come to the end of the log */
};

/* Called by the leader, with the lock. */
bool rf_fold_due(rf_sqlite *db)
{
    rf_conn *conn = db->writer;
    if (conn == NULL)
        return false;
    const unsigned rows = (unsigned)sqlite3_total_changes(conn->db) - (unsigned)conn->changes;
    conn->polite = rows >= SMALL;
    if (conn->polite)
        db->importer = db->leader;
    if (db->folding)
        return false;
    if (conn->wal_pages < db->folded)
        db->folded = 0; /* it began anew */
    if (conn->wal_pages - db->folded < RF_SQLITE_CHECKPOINT)
        return false;
    db->folded = conn->wal_pages;
    db->folding = true;
    return true;
}

/* What cannot be folded now, because somebody reads, or folds in another process, is folded when the log has grown again. */
static void fold(rf_conn *conn)
{
    conn->busy_until = 0;
    if (sqlite3_wal_checkpoint_v2(conn->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
        return;
    conn->busy_until = rf_now() + TURN_US;
    rf_turn_take(conn);
    (void)sqlite3_wal_checkpoint_v2(conn->db, "main", SQLITE_CHECKPOINT_FULL, NULL, NULL);
    rf_turn_give(conn);
}

static void *work(void *ctx)
{
    rf_sqlite *db = ctx;
    rf_conn *conn = NULL;
    if (rf_reader_take(db, &conn, NULL) == RAFFLE_OK) {
        fold(conn);
        rf_reader_return(db, conn);
    }
    pthread_mutex_lock(&db->lock);
    db->folding = false;
    pthread_mutex_unlock(&db->lock);
    return NULL;
}

/* The thread inherits the mask: signals are the host's. */
static bool start(rf_sqlite *db)
{
    sigset_t all, old;
    sigfillset(&all);
    if (db->no_threads || pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
        return false;
    db->folder_started = pthread_create(&db->folder, NULL, work, db) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return db->folder_started;
}

/* The thread before has given the lock back for the last time. */
void rf_fold_begin(rf_sqlite *db)
{
    rf_fold_end(db);
    if (start(db))
        return;
    pthread_mutex_unlock(&db->lock);
    work(db);
    pthread_mutex_lock(&db->lock);
}

void rf_fold_end(rf_sqlite *db)
{
    if (db->folder_started)
        pthread_join(db->folder, NULL);
    db->folder_started = false;
}
