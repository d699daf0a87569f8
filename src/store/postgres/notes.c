/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes: one for each size, never going back. */
#include "postgres/db.h"

#include "error.h"
#include "timestamp.h"
#include <inttypes.h>
#include <string.h>

/* --- reading --- */

typedef struct reading {
    rf_pg_read read; /* first */
    int32_t raffle;
    uint32_t log;
    uint64_t size;
    uint64_t *note_size;
    char *note;
    size_t cap, *length;
} reading;

static raffle_rc no_note(uint32_t log, uint64_t size, raffle_error *err)
{
    if (size == RF_NOTE_LATEST)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no note", log);
    return rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no note over %" PRIu64 " records", log, size);
}

/* The note of a size, or the latest. The text is the answer's, which the caller clears. */
static raffle_rc ask_note(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t size, PGresult **out,
                          uint64_t *note_size, const char **note, size_t *length, raffle_error *err)
{
    const bool latest = size == RF_NOTE_LATEST;
    rf_pg_params p = {.n = 0};
    *out = NULL;
    if (!latest && size > RF_LOG_RECORDS_MAX)
        return no_note(log, size, err);
    rf_pg_int4(&p, (uint32_t)which);
    rf_pg_int4(&p, log);
    if (!latest)
        rf_pg_int8(&p, size);
    raffle_rc rc = rf_pg_ask(c, latest ? RF_PG_NOTE_LATEST : RF_PG_NOTE_GET, &p, "read a note", out, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (PQntuples(*out) == 0)
        return no_note(log, size, err);
    if (!rf_pg_number(*out, 0, 0, RF_LOG_RECORDS_MAX, note_size, NULL) || (!latest && *note_size != size) ||
        !rf_pg_value(*out, 0, 1, RF_PG_TEXT, RAFFLE_STORE_NOTE_MAX, note, length, NULL))
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": a note is damaged", log);
    return RAFFLE_OK;
}

static raffle_rc run_get(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    const reading *g = (const reading *)read;
    PGresult *r = NULL;
    const char *text = "";
    size_t n = 0;
    raffle_rc rc = ask_note(c, g->raffle, g->log, g->size, &r, g->note_size, &text, &n, err);
    if (rc == RAFFLE_OK) {
        *g->length = n;
        if (n <= g->cap)
            memcpy(g->note, text, n);
        else
            rc = rf_fail(err, RAFFLE_TOO_SMALL, "log %" PRIu32 ": the note over %" PRIu64 " records has %zu bytes",
                         g->log, *g->note_size, n);
    }
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                         size_t *length, raffle_error *err)
{
    reading g = {.read = {.run = run_get},
                 .log = log,
                 .size = size,
                 .note_size = note_size,
                 .note = note,
                 .cap = cap,
                 .length = length};
    raffle_rc rc = rf_pg_raffle(ctx, &g.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &g.read, err) : rc;
}

/* --- writing --- */

/* Against the latest note. */
raffle_rc rf_pg_note_compare(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t size, const char *note, size_t length,
                             raffle_error *err)
{
    PGresult *r = NULL;
    rf_note_at kept = {0, "", 0};
    const rf_note_at next = {size, note, length};
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = ask_note(c, which, log, RF_NOTE_LATEST, &r, &kept.size, &kept.note, &kept.length, &own);
    if (rc == RAFFLE_OK)
        rc = rf_note_may_follow(log, &kept, &next, err);
    else
        rc = rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &own);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_note_send(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t size, const char *note, size_t length,
                          raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    rf_pg_int4(&p, (uint32_t)which);
    rf_pg_int4(&p, log);
    rf_pg_int8(&p, size);
    rf_pg_bytes(&p, note, length);
    return rf_pg_send(c, RF_PG_NOTE_PUT, &p, err);
}

/* A note on its own. */
typedef struct putting {
    int32_t raffle;
    uint32_t log;
    uint64_t size;
    const char *note;
    size_t length;
} putting;

/* The log's row is locked, so that notes of a log are put one after the other. `*unborn`: it is not there yet. */
static raffle_rc lock_log(rf_pg_conn *c, const putting *p, bool *unborn, raffle_error *err)
{
    rf_pg_params params = {.n = 0};
    PGresult *r = NULL;
    rf_pg_int4(&params, (uint32_t)p->raffle);
    rf_pg_int4(&params, p->log);
    raffle_rc rc = rf_pg_begin(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_HEAD_LOCK, &params, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_sync(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_begun(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_take(c, "lock the log", &r, err);
    if (!c->broken) {
        raffle_rc ended = rf_pg_end(c, rc == RAFFLE_OK ? err : NULL);
        rc = rc == RAFFLE_OK ? ended : rc;
    }
    *unborn = rc == RAFFLE_OK && PQntuples(r) == 0;
    PQclear(r);
    return rc;
}

static raffle_rc commit_note(rf_pg_conn *c, const putting *p, raffle_error *err)
{
    raffle_rc rc = rf_pg_note_send(c, p->raffle, p->log, p->size, p->note, p->length, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_COMMIT, NULL, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_sync(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_done(c, "write a note", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_committed(c, err);
    return rf_pg_in_doubt(c, rc, err);
}

static raffle_rc put(rf_pg_conn *c, const putting *p, raffle_error *err)
{
    bool unborn = false;
    raffle_rc rc = lock_log(c, p, &unborn, err);
    if (rc == RAFFLE_OK && unborn) {
        rf_pg_rollback(c);
        rc = rf_pg_head_make(c, p->raffle, p->log, err);
        if (rc == RAFFLE_OK)
            rc = lock_log(c, p, &unborn, err);
    }
    if (rc == RAFFLE_OK)
        rc = rf_pg_note_compare(c, p->raffle, p->log, p->size, p->note, p->length, err);
    return rc == RAFFLE_OK ? commit_note(c, p, err) : rc;
}

/* The same note may be put twice, so that whatever failed on the way may be tried again. */
raffle_rc rf_pg_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    rf_pg *db = ctx;
    putting p = {.log = log, .size = size, .note = note, .length = length};
    const int64_t until = rf_pg_deadline(db->timeout_ms);
    if (db->uri.readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only", db->uri.label);
    raffle_rc rc = rf_pg_raffle(db, &p.raffle, err);
    while (rc == RAFFLE_OK) {
        rf_pg_conn *c = NULL;
        raffle_error own = RAFFLE_ERROR_INIT;
        rc = rf_pg_conn_take(db, until, false, &c, &own);
        if (rc != RAFFLE_OK)
            return rf_fail_as(err, &own);
        rc = put(c, &p, &own);
        const bool died = c->broken && c->used;
        const bool again = rc != RAFFLE_OK && (died || (!c->broken && rf_pg_conflict(c)));
        rf_pg_conn_return(c);
        if (!again || rf_clock_monotonic() >= until)
            return rc == RAFFLE_OK ? rc : rf_fail_as(err, &own);
        if (died)
            rf_pg_conns_close(db);
        rc = RAFFLE_OK;
    }
    return rc;
}
