/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending in two flights: the first begins a transaction and locks the log's head, the second carries all rows and the COMMIT.
 * Whatever the database finds against it before that, the transaction is begun again.
 */
#include "postgres/batch.h"

#include "error.h"
#include "timestamp.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    LOST_MOST = 3,  /* connections of one append that may be lost before its COMMIT */
    BLIND_MOST = 16 /* times that a key is said to be taken, and not shown */
};

typedef struct appending {
    rf_pg *db;
    rf_pg_conn *conn; /* NULL: to be taken */
    int64_t until;
    raffle_store_fill fill;
    void *fill_ctx;
    bool unborn;   /* the log's row was made a moment ago */
    bool refused;  /* `fill` refused, believing keys to be free */
    bool taken;    /* a key was said to be taken, … */
    size_t blind;  /* … and none was shown, so often */
    size_t tries;  /* conflicts */
    size_t lost;   /* connections that died */
    uint64_t seen; /* the size under which a record was there already; UINT64_MAX: none */
    raffle_error refusal;
    rf_pg_batch b;
} appending;

/* What a try ended with: its status counts, or it is begun again. */
typedef enum outcome {
    DONE,
    AGAIN
} outcome;

/* --- the first flight --- */

static raffle_rc queue_start(appending *a, bool rolls_back, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    rf_pg_conn *c = a->conn;
    rf_pg_int4(&p, (uint32_t)a->b.raffle);
    rf_pg_int4(&p, a->b.log);
    raffle_rc rc = rolls_back ? rf_pg_send(c, RF_PG_ROLLBACK, NULL, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        rc = rf_pg_begin(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_HEAD_LOCK, &p, err);
    if (rc == RAFFLE_OK && a->b.mine.n > 0)
        rc = rf_pg_batch_ask_keys(&a->b, err);
    return rc == RAFFLE_OK ? rf_pg_sync(c, err) : rc;
}

static raffle_rc take_head(appending *a, bool *unborn, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = rf_pg_take(a->conn, "lock the log", &r, err);
    *unborn = rc == RAFFLE_OK && PQntuples(r) == 0;
    if (rc == RAFFLE_OK && !*unborn && !rf_pg_head_take(r, a->b.log, &a->b.head))
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": its head is damaged", a->b.log);
    PQclear(r);
    return rc;
}

/* Begins, and locks the head; after a try whose keys were not all free, looks which: `*found` that were not known to be taken. */
static raffle_rc start(appending *a, bool *unborn, size_t *found, raffle_error *err)
{
    rf_pg_conn *c = a->conn;
    const bool rolls_back = c->in_txn;
    raffle_rc rc = queue_start(a, rolls_back, err);
    if (rc == RAFFLE_OK && rolls_back)
        rc = rf_pg_done(c, "roll back", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_begun(c, err);
    if (rc == RAFFLE_OK)
        rc = take_head(a, unborn, err);
    if (rc == RAFFLE_OK && a->b.mine.n > 0)
        rc = rf_pg_batch_take_keys(&a->b, found, err);
    if (c->broken)
        return rc;
    raffle_rc ended = rf_pg_end(c, rc == RAFFLE_OK ? err : NULL);
    return rc == RAFFLE_OK ? ended : rc;
}

/* A log that was never written has no row, until its first append makes one, in a transaction of its own. */
static raffle_rc make_row(appending *a, raffle_error *err)
{
    if (a->unborn)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": the row of its head, or the control log's, is gone",
                       a->b.log);
    rf_pg_rollback(a->conn);
    return rf_pg_head_make(a->conn, a->b.raffle, a->b.log, err);
}

/* --- the second flight --- */

static raffle_rc send_all(appending *a, raffle_error *err)
{
    raffle_rc rc = rf_pg_batch_send(&a->b, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(a->conn, RF_PG_COMMIT, NULL, err);
    return rc == RAFFLE_OK ? rf_pg_sync(a->conn, err) : rc;
}

/* A record that is there although the log says that it ends before it: a conflict, unless the log says so still. */
static bool collided(appending *a)
{
    const bool again = a->seen == a->b.head.size;
    a->seen = a->b.head.size;
    return !again;
}

static outcome judge(appending *a, rf_pg_part part, raffle_error *err)
{
    const rf_pg_conn *c = a->conn;
    a->taken = part == RF_PG_PART_KEYS && rf_pg_state_is(c, "23505");
    if (rf_pg_conflict(c) || a->taken)
        return AGAIN;
    if (part != RF_PG_PART_RECORDS || !rf_pg_state_is(c, "23505"))
        return DONE;
    if (collided(a))
        return AGAIN;
    rf_fail(err, RAFFLE_CORRUPT,
            "log %" PRIu32 " says that it ends before record %" PRIu64 ", or soon after, which is there", a->b.log,
            a->b.head.size);
    return DONE;
}

static raffle_rc commit(appending *a, outcome *out, raffle_error *err)
{
    rf_pg_part part = RF_PG_PART_OTHERS;
    raffle_rc rc = send_all(a, err);
    const bool sent = rc == RAFFLE_OK; /* else the server never saw the COMMIT, and answers nothing */
    if (sent)
        rc = rf_pg_batch_take(&a->b, &part, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_committed(a->conn, err);
    else if (sent && !a->conn->broken)
        rc = rf_pg_not_committed(a->conn, rc, err);
    if (a->conn->broken)
        return rf_pg_in_doubt(a->conn, rc, err);
    *out = rc == RAFFLE_OK ? DONE : judge(a, part, err);
    return rc;
}

/* --- one try --- */

static raffle_rc call_fill(appending *a, raffle_error *err)
{
    const raffle_store_batch batch = rf_pg_batch_table(&a->b);
    raffle_rc rc = a->fill(a->fill_ctx, &a->b.head, &batch, err);
    if (rc == RAFFLE_OK && a->b.failed != RAFFLE_OK)
        rc = rf_fail(err, a->b.failed, "log %" PRIu32 ": a row could not be written: %s", a->b.log,
                     raffle_rc_text(a->b.failed));
    return rc;
}

/* A batch may fail without a sentence. */
static void keep_refusal(appending *a, raffle_rc rc, const raffle_error *why)
{
    a->refusal = *why;
    if (why->rc != rc)
        rf_fail(&a->refusal, rc, "the batch failed: %s", raffle_rc_text(rc));
}

/* What was refused in the belief that keys were free is refused only when they were. */
static raffle_rc refuse(appending *a, raffle_rc rc, const raffle_error *why, outcome *out, raffle_error *err)
{
    keep_refusal(a, rc, why);
    if (a->conn->queued > 0 && rf_pg_sync(a->conn, NULL) == RAFFLE_OK)
        (void)rf_pg_end(a->conn, NULL);
    a->refused = a->b.mine.n > 0 && !a->conn->broken;
    *out = a->refused ? AGAIN : DONE;
    return rf_fail_as(err, &a->refusal);
}

static raffle_rc fill_and_commit(appending *a, outcome *out, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_pg_batch_begin(&a->b, a->conn);
    raffle_rc rc = call_fill(a, &why);
    if (rc != RAFFLE_OK)
        return refuse(a, rc, &why, out, err);
    return rf_pg_batch_empty(&a->b) ? RAFFLE_OK : commit(a, out, err);
}

static raffle_rc try_append(appending *a, outcome *out, raffle_error *err)
{
    bool unborn = false;
    size_t found = 0;
    raffle_rc rc = a->conn == NULL ? rf_pg_conn_take(a->db, a->until, false, &a->conn, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    rc = start(a, &unborn, &found, err);
    if (rc == RAFFLE_OK && unborn) {
        rc = make_row(a, err);
        a->unborn = rc == RAFFLE_OK;
        *out = rc == RAFFLE_OK || rf_pg_conflict(a->conn) ? AGAIN : DONE;
    } else if (rc == RAFFLE_OK && a->refused && found == 0) {
        rc = rf_fail_as(err, &a->refusal);
    } else if (rc == RAFFLE_OK && a->taken && found == 0 && ++a->blind > BLIND_MOST) {
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": a key is taken that the table of keys does not show",
                     a->b.log);
    } else if (rc == RAFFLE_OK) {
        a->refused = a->taken = false;
        rc = fill_and_commit(a, out, err);
    } else if (!a->conn->broken && rf_pg_conflict(a->conn)) {
        *out = AGAIN;
    }
    return rc;
}

/* --- the append --- */

/* Nothing was committed: a connection that is lost before COMMIT is no more than a conflict. */
static bool replaces_connection(appending *a, raffle_rc rc)
{
    if (a->conn == NULL || !a->conn->broken || rc == RAFFLE_OK || rc == RAFFLE_UNKNOWN || rc == RAFFLE_TIMEOUT)
        return false;
    if (a->conn->used)
        rf_pg_conns_close(a->db);
    rf_pg_conn_return(a->conn);
    a->conn = NULL;
    return ++a->lost <= LOST_MOST;
}

static void pause_before(size_t tries)
{
    const struct timespec t = {.tv_nsec = (1L << (tries < 7 ? tries : 7)) * 100000L};
    if (tries > 1)
        nanosleep(&t, NULL);
}

static raffle_rc append(appending *a, raffle_error *err)
{
    for (;;) {
        outcome out = DONE;
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = try_append(a, &out, &why);
        const bool late = rf_clock_monotonic() >= a->until;
        if (out == DONE && (late || !replaces_connection(a, rc)))
            return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
        if (late)
            return rf_fail(err, RAFFLE_BUSY, "log %" PRIu32 ": others were in the way until the time was over: %s",
                           a->b.log, why.message);
        if (a->conn != NULL && rf_pg_conflict(a->conn))
            pause_before(++a->tries);
    }
}

raffle_rc rf_pg_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                       uint64_t *size, raffle_error *err)
{
    rf_pg *db = ctx;
    appending a = {.db = db,
                   .until = rf_pg_deadline(timeout_ms),
                   .fill = fill,
                   .fill_ctx = fill_ctx,
                   .seen = UINT64_MAX,
                   .refusal = RAFFLE_ERROR_INIT,
                   .b = {.log = log}};
    if (db->uri.readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only", db->uri.label);
    raffle_rc rc = rf_pg_raffle(db, &a.b.raffle, err);
    if (rc == RAFFLE_OK)
        rc = append(&a, err);
    rf_pg_conn_return(a.conn);
    if (rc == RAFFLE_OK)
        *size = a.b.next;
    rf_pg_batch_free(&a.b);
    return rc;
}
