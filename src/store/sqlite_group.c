/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: whoever comes first leads, begins a transaction, runs the requests of all who wait by then, each in a savepoint,
 * commits once and wakes them. While the disk works on that, the next group gathers.
 */
#include "sqlite_db.h"

#include "error.h"
#include <errno.h>
#include <time.h>

enum {
    POLITE_TRIES = 100 /* half a millisecond apart */
};

/* --- the transaction --- */

static bool in_transaction(const rf_sqlite *db)
{
    return db->writer != NULL && sqlite3_get_autocommit(db->writer->db) == 0;
}

/* Rolling back may find no memory either; a connection that is closed has rolled back. What is half done must never meet a COMMIT. */
static void roll_back(rf_sqlite *db)
{
    if (!in_transaction(db))
        return;
    (void)rf_conn_run(db->writer, RF_SQL_ROLLBACK, "roll back", NULL);
    if (!in_transaction(db))
        return;
    rf_conn_close(db->writer);
    db->writer = NULL;
}

static raffle_rc begin_in_turn(rf_conn *conn, raffle_error *err)
{
    rf_turn_take(conn);
    raffle_rc rc = rf_conn_run(conn, RF_SQL_BEGIN_WRITE, "begin to write", err);
    rf_turn_give(conn);
    return rc;
}

/* Whether nobody but the importer waits in this process. */
static bool may_be_polite(rf_sqlite *db)
{
    pthread_mutex_lock(&db->lock);
    const bool alone = db->queue == NULL || db->queue->next == NULL;
    const bool may = db->writer->polite && pthread_equal(db->importer, db->leader) && alone;
    pthread_mutex_unlock(&db->lock);
    return may;
}

/* While nobody who writes little waits; RAFFLE_BUSY when that was not so for a while. */
static raffle_rc begin_politely(rf_sqlite *db, raffle_error *err)
{
    rf_conn *conn = db->writer;
    const int64_t deadline = conn->busy_until;
    raffle_rc rc = RAFFLE_BUSY;
    conn->busy_until = 0;
    for (int i = 0; rc == RAFFLE_BUSY && i < POLITE_TRIES && may_be_polite(db) && (i == 0 || rf_now() < deadline);
         i++) {
        if (i > 0)
            rf_pause(5);
        if (!rf_turn_try(conn))
            continue;
        rc = rf_conn_run(conn, RF_SQL_BEGIN_WRITE, "begin to write", err);
        rf_turn_give(conn);
    }
    conn->busy_until = deadline;
    return rc;
}

static raffle_rc begin(rf_sqlite *db, int64_t deadline, raffle_error *err)
{
    if (db->writer == NULL) {
        raffle_rc rc = rf_conn_open(db, true, &db->writer, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    if (db->writer == NULL)
        return rf_fail(err, RAFFLE_IO, "%s: no connection to write", db->path);
    db->writer->busy_until = deadline;
    raffle_rc rc = begin_politely(db, err);
    if (rc == RAFFLE_BUSY)
        rc = begin_in_turn(db->writer, err);
    db->writer->changes = sqlite3_total_changes(db->writer->db);
    if (rc == RAFFLE_OK)
        rc = rf_conn_in_place(db->writer, err);
    if (rc != RAFFLE_OK)
        roll_back(db);
    return rc;
}

static void run_alone(rf_sqlite *db, rf_write *request)
{
    request->rc = request->run(db->writer, request, &request->error);
    if (request->rc != RAFFLE_OK)
        roll_back(db);
}

static void run_in_savepoint(rf_sqlite *db, rf_write *request)
{
    rf_conn *conn = db->writer;
    request->rc = rf_conn_run(conn, RF_SQL_SAVEPOINT, "begin to write", &request->error);
    if (request->rc == RAFFLE_OK)
        request->rc = request->run(conn, request, &request->error);
    if (request->rc == RAFFLE_OK)
        request->rc = rf_conn_run(conn, RF_SQL_RELEASE, "write", &request->error);
    if (request->rc == RAFFLE_OK || !in_transaction(db))
        return;
    if (rf_conn_run(conn, RF_SQL_ROLLBACK_TO, "roll back", NULL) != RAFFLE_OK ||
        rf_conn_run(conn, RF_SQL_RELEASE, "roll back", NULL) != RAFFLE_OK)
        roll_back(db);
}

static size_t count_live(const rf_write *group)
{
    size_t n = 0;
    for (; group != NULL; group = group->next)
        n += group->live;
    return n;
}

/* Runs everybody. Gives the request whose failure ended the whole transaction, as a full disk does, or NULL. */
static rf_write *run_all(rf_sqlite *db, rf_write *group)
{
    bool alone = count_live(group) == 1;
    for (rf_write *r = group; r != NULL; r = r->next) {
        if (!r->live)
            continue;
        if (alone)
            run_alone(db, r);
        else
            run_in_savepoint(db, r);
        if (!in_transaction(db))
            return r;
    }
    return NULL;
}

static void fail_live(rf_write *group, raffle_rc rc, const raffle_error *error)
{
    for (; group != NULL; group = group->next) {
        if (group->live && group->rc == RAFFLE_OK) {
            group->rc = rc;
            group->error = *error;
        }
    }
}

/* --- a commit that failed --- */

raffle_rc rf_wal_truncate(rf_conn *conn, raffle_error *err)
{
    int code = sqlite3_wal_checkpoint_v2(conn->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? RAFFLE_OK : rf_conn_fail(conn, code, "empty the write-ahead log", err);
}

static raffle_rc reopen(rf_sqlite *db, raffle_error *err)
{
    rf_conn_close(db->writer);
    db->writer = NULL;
    rf_readers_close(db);
    raffle_rc rc = rf_conn_open(db, true, &db->writer, err);
    if (rc != RAFFLE_OK)
        return rc;
    /* What a failed fsync() left in the page cache is not on the disk, and may never be. Folding the write-ahead log writes it
     * again, elsewhere, and leaves nothing that could rise from the log later. */
    db->writer->busy_until = rf_deadline(db->timeout_ms);
    return rf_wal_truncate(db->writer, err);
}

static void settle_one(rf_sqlite *db, rf_write *r, raffle_rc reopened, const raffle_error *commit,
                       const raffle_error *reopening)
{
    bool there = false;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = reopened;
    if (rc == RAFFLE_OK && r->find != NULL)
        rc = r->find(db->writer, r, &there, &own);
    if (rc == RAFFLE_OK && there)
        return;
    if (rc == RAFFLE_OK && r->find != NULL) {
        r->rc = rf_fail_as(&r->error, commit);
        return;
    }
    const char *why = reopened != RAFFLE_OK ? reopening->message
                      : rc != RAFFLE_OK     ? own.message
                                            : "nothing tells whether it is there";
    r->rc = rf_fail(&r->error, RAFFLE_UNKNOWN, "%s; and then: %s", commit->message, why);
}

/* A read alone never proves failure (design §13): only what is left after reopening and folding the log does. */
static void settle(rf_sqlite *db, rf_write *group, const raffle_error *commit)
{
    raffle_error reopening = RAFFLE_ERROR_INIT;
    raffle_rc reopened = reopen(db, &reopening);
    for (rf_write *r = group; r != NULL; r = r->next) {
        if (r->live && r->rc == RAFFLE_OK)
            settle_one(db, r, reopened, commit, &reopening);
    }
}

/* Who was refused saw rows of others in the same transaction, a key that is taken among them, which are not there now. */
static void mark_refused(rf_write *group)
{
    bool others = false;
    for (const rf_write *r = group; r != NULL; r = r->next)
        others = others || (r->live && r->rc == RAFFLE_OK);
    for (rf_write *r = group; r != NULL; r = r->next)
        r->again = others && r->live && r->rc != RAFFLE_OK;
}

static void keep_marked(rf_write *group)
{
    for (rf_write *r = group; r != NULL; r = r->next) {
        r->live = r->again;
        if (!r->again)
            continue;
        r->rc = RAFFLE_OK;
        raffle_error_init(&r->error, sizeof r->error);
    }
}

/* Afterwards those are live who are to be run again. */
static void commit(rf_sqlite *db, rf_write *group)
{
    raffle_error error = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_conn_run(db->writer, RF_SQL_COMMIT, "commit", &error);
    for (rf_write *r = group; r != NULL; r = r->next)
        r->again = false;
    if (rc != RAFFLE_OK) {
        roll_back(db);
        mark_refused(group);
        /* The record that commits is written last: when the disk was full before it, it is not there. */
        if (rc == RAFFLE_FULL || rc == RAFFLE_BUSY)
            fail_live(group, rc, &error);
        else
            settle(db, group, &error);
    }
    keep_marked(group);
}

/* --- the group --- */

/* A request whose failure ends the transaction takes its own failure; the others begin again without it, as do those who were refused when what
 * they saw could not be committed. */
static void run_group(rf_sqlite *db, rf_write *group, int64_t deadline)
{
    bool begun = true;
    while (count_live(group) > 0) {
        raffle_error error = RAFFLE_ERROR_INIT;
        raffle_rc rc = begun ? RAFFLE_OK : begin(db, deadline, &error);
        if (rc != RAFFLE_OK) {
            fail_live(group, rc, &error);
            return;
        }
        begun = false;
        rf_write *culprit = run_all(db, group);
        if (culprit == NULL) {
            commit(db, group);
            continue;
        }
        culprit->live = false;
        if (culprit->rc == RAFFLE_OK)
            culprit->rc = rf_fail(&culprit->error, RAFFLE_CORRUPT, "the transaction ended by itself");
        for (rf_write *r = group; r != NULL; r = r->next)
            r->rc = r->live ? RAFFLE_OK : r->rc;
    }
}

static rf_write *take_queue(rf_sqlite *db)
{
    rf_write *group = db->queue;
    db->queue = NULL;
    db->queue_end = &db->queue;
    for (rf_write *r = group; r != NULL; r = r->next) {
        r->taken = true;
        r->live = true;
        r->rc = RAFFLE_OK;
        raffle_error_init(&r->error, sizeof r->error);
    }
    return group;
}

static void remove_from_queue(rf_sqlite *db, rf_write *request)
{
    rf_write **at = &db->queue;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    if (db->queue_end == &request->next)
        db->queue_end = at;
}

/* The waiter may be gone as soon as the lock is: `next` is read before. */
static void answer(rf_write *group)
{
    while (group != NULL) {
        rf_write *next = group->next;
        group->done = true;
        pthread_cond_signal(&group->wake);
        group = next;
    }
}

/* Called and left with the lock held. */
static void lead(rf_sqlite *db, rf_write *own)
{
    db->leading = true;
    db->leader = pthread_self();
    pthread_mutex_unlock(&db->lock);
    raffle_error error = RAFFLE_ERROR_INIT;
    raffle_rc rc = begin(db, own->deadline, &error);
    pthread_mutex_lock(&db->lock);
    if (rc != RAFFLE_OK) {
        remove_from_queue(db, own);
        own->rc = rc;
        own->error = error;
        own->done = true;
    } else {
        rf_write *group = take_queue(db);
        pthread_mutex_unlock(&db->lock);
        run_group(db, group, own->deadline);
        pthread_mutex_lock(&db->lock);
        answer(group);
    }
    const bool fold = rc == RAFFLE_OK && rf_fold_due(db);
    db->leading = false;
    if (db->queue != NULL)
        pthread_cond_signal(&db->queue->wake);
    if (fold)
        rf_fold_begin(db);
}

static int wait_for_leader(rf_sqlite *db, rf_write *request)
{
    if (request->deadline == INT64_MAX || request->taken)
        return pthread_cond_wait(&request->wake, &db->lock);
    const struct timespec until = {.tv_sec = request->deadline / 1000000,
                                   .tv_nsec = request->deadline % 1000000 * 1000};
    return pthread_cond_timedwait(&request->wake, &db->lock, &until);
}

/* A batch may fail without a sentence. */
static raffle_rc hand_back(const rf_write *request, raffle_error *err)
{
    if (request->rc == RAFFLE_OK || request->error.rc == request->rc)
        return request->rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &request->error);
    return rf_fail(err, request->rc, "the batch failed: %s", raffle_rc_text(request->rc));
}

static raffle_rc join(rf_sqlite *db, rf_write *request, raffle_error *err)
{
    if (db->leading && pthread_equal(db->leader, pthread_self()))
        return rf_fail(err, RAFFLE_MISUSE, "the store was written to from within its own batch");
    request->next = NULL;
    *db->queue_end = request;
    db->queue_end = &request->next;
    while (db->leading && !request->done) {
        int code = wait_for_leader(db, request);
        if (code == ETIMEDOUT && db->leading && !request->taken) {
            remove_from_queue(db, request);
            return rf_fail(err, RAFFLE_TIMEOUT, "out of time while others were writing; nothing was written");
        }
    }
    if (!request->done)
        lead(db, request);
    return hand_back(request, err);
}

raffle_rc rf_group_write(rf_sqlite *db, rf_write *request, int32_t timeout_ms, raffle_error *err)
{
    if (db->readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only", db->path);
    request->deadline = rf_deadline(timeout_ms);
    request->taken = request->done = false;
    raffle_error_init(&request->error, sizeof request->error);
    if (pthread_cond_init(&request->wake, &db->monotonic) != 0)
        return rf_nomem(err);
    pthread_mutex_lock(&db->lock);
    raffle_rc rc = join(db, request, err);
    pthread_mutex_unlock(&db->lock);
    pthread_cond_destroy(&request->wake);
    return rc;
}
