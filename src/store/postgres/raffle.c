/* SPDX-License-Identifier: Apache-2.0 */
/* The raffles of a database, and which of them this is; erasing; the anchor. */
#include "postgres/db.h"

#include "bytes.h"
#include "error.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TRIES = 8,
    LIST_MOST = 160
};

/* --- which raffle --- */

static void remember(rf_pg *db, int32_t which, const char *origin)
{
    pthread_mutex_lock(&db->lock);
    db->raffle = which;
    snprintf(db->origin, sizeof db->origin, "%s", origin);
    pthread_mutex_unlock(&db->lock);
}

static int32_t known(rf_pg *db, char origin[RAFFLE_ORIGIN_SIZE])
{
    pthread_mutex_lock(&db->lock);
    const int32_t which = db->raffle;
    memcpy(origin, db->origin, RAFFLE_ORIGIN_SIZE);
    pthread_mutex_unlock(&db->lock);
    return which;
}

/* A row of an answer: number and origin. */
static bool take_raffle(const PGresult *r, int row, int32_t *which, char origin[RAFFLE_ORIGIN_SIZE])
{
    uint64_t number = 0;
    const char *text = NULL;
    size_t length = 0;
    if (!rf_pg_number(r, row, 0, INT32_MAX, &number, NULL) || number == 0 ||
        !rf_pg_value(r, row, 1, RF_PG_TEXT, RAFFLE_ORIGIN_SIZE - 1, &text, &length, NULL) ||
        !rf_origin_valid(text, length))
        return false;
    memset(origin, 0, RAFFLE_ORIGIN_SIZE);
    memcpy(origin, text, length);
    *which = (int32_t)number;
    return true;
}

static void list_raffles(const PGresult *r, char out[LIST_MOST])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < PQntuples(r) && used < LIST_MOST - 8; i++) {
        char origin[RAFFLE_ORIGIN_SIZE];
        int32_t which = 0;
        if (!take_raffle(r, i, &which, origin))
            continue;
        int n = snprintf(out + used, LIST_MOST - used, "%s%s", used == 0 ? "" : ", ", origin);
        used = used + (size_t)n < LIST_MOST ? used + (size_t)n : LIST_MOST;
    }
}

static raffle_rc judge_raffles(rf_pg *db, const PGresult *r, raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE], list[LIST_MOST];
    int32_t which = 0;
    const char *picked = db->uri.origin;
    if (PQntuples(r) == 0 && picked[0] != '\0')
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s holds no raffle %s", db->uri.label, picked);
    if (PQntuples(r) == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s holds no raffle yet", db->uri.label);
    list_raffles(r, list);
    if (PQntuples(r) > 1)
        return rf_fail(err, RAFFLE_INVALID, "%s holds several raffles: pick one by #origin: %s", db->uri.label, list);
    if (!take_raffle(r, 0, &which, origin) || (picked[0] != '\0' && strcmp(picked, origin) != 0))
        return rf_fail(err, RAFFLE_CORRUPT, "%s: a raffle's number or origin is damaged", db->uri.label);
    remember(db, which, origin);
    return RAFFLE_OK;
}

static raffle_rc run_pick(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    rf_pg *db = c->owner;
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    const bool picked = db->uri.origin[0] != '\0';
    (void)read;
    if (picked)
        rf_pg_text(&p, db->uri.origin);
    raffle_rc rc = rf_pg_ask(c, picked ? RF_PG_RAFFLE_GET : RF_PG_RAFFLES, &p, "look for the raffle", &r, err);
    if (rc == RAFFLE_OK)
        rc = judge_raffles(db, r, err);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_pick(rf_pg *db, raffle_error *err)
{
    rf_pg_read read = {.run = run_pick};
    return rf_pg_read_run(db, &read, err);
}

/* Looked up once: neither changes. */
raffle_rc rf_pg_raffle(rf_pg *db, int32_t *which, raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    *which = known(db, origin);
    if (*which != 0)
        return RAFFLE_OK;
    raffle_rc rc = rf_pg_pick(db, err);
    *which = known(db, origin);
    return rc;
}

raffle_rc rf_pg_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    rf_pg *db = ctx;
    int32_t which = 0;
    raffle_rc rc = rf_pg_raffle(db, &which, err);
    if (rc == RAFFLE_OK)
        (void)known(db, origin);
    return rc;
}

/* --- creating --- */

static raffle_rc make_raffle(rf_pg_conn *c, const char *origin, int32_t *which, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    uint64_t number = 0;
    rf_pg_text(&p, origin);
    raffle_rc rc = rf_pg_begin(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_RAFFLE_PUT, &p, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_CONTROL_MAKE, &p, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_COMMIT, NULL, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_sync(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_begun(c, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_take(c, "write the origin", &r, err);
    if (rc == RAFFLE_OK && !(PQntuples(r) == 1 && rf_pg_number(r, 0, 0, INT32_MAX, &number, NULL) && number > 0))
        rc = rf_pg_damaged(c, "the number of the new raffle", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_done(c, "begin the control log", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_committed(c, err);
    else if (!c->broken)
        rc = rf_pg_not_committed(c, rc, err);
    PQclear(r);
    *which = (int32_t)number;
    return rf_pg_in_doubt(c, rc, err);
}

/* RAFFLE_OK: there is none of that origin. */
static raffle_rc look_for(rf_pg_conn *c, const char *origin, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    rf_pg_text(&p, origin);
    raffle_rc rc = rf_pg_ask(c, RF_PG_RAFFLE_GET, &p, "look for the raffle", &r, err);
    if (rc == RAFFLE_OK && PQntuples(r) > 0)
        rc = rf_fail(err, RAFFLE_EXISTS, "%s holds the raffle %s", c->owner->uri.label, origin);
    PQclear(r);
    return rc;
}

static raffle_rc create_on(rf_pg_conn *c, const char *origin, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    raffle_error own = RAFFLE_ERROR_INIT;
    for (int i = 0; i < TRIES; i++) {
        int32_t which = 0;
        rc = look_for(c, origin, &own);
        if (rc == RAFFLE_OK)
            rc = make_raffle(c, origin, &which, &own);
        if (rc == RAFFLE_OK) {
            remember(c->owner, which, origin);
            return RAFFLE_OK;
        }
        /* Somebody else took the number, or the origin, at the same time. */
        const bool again = !c->broken && (rf_pg_state_is(c, "23505") || rf_pg_conflict(c));
        rf_pg_rollback(c);
        if (!again)
            break;
    }
    return rf_fail_as(err, &own);
}

static raffle_rc check_create(rf_pg *db, const char *origin, raffle_error *err)
{
    char there[RAFFLE_ORIGIN_SIZE];
    if (db->uri.readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only", db->uri.label);
    if (known(db, there) != 0)
        return rf_fail(err, RAFFLE_EXISTS, "%s holds the raffle %s", db->uri.label, there);
    if (db->uri.origin[0] != '\0' && strcmp(db->uri.origin, origin) != 0)
        return rf_fail(err, RAFFLE_INVALID, "the URI picks the raffle %s, and that of %s is to be made", db->uri.origin,
                       origin);
    return RAFFLE_OK;
}

raffle_rc rf_pg_put_back(void *ctx, const char *origin, raffle_error *err)
{
    rf_pg *db = ctx;
    rf_pg_conn *c = NULL;
    raffle_rc rc = check_create(db, origin, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_conn_take(db, rf_pg_deadline(db->timeout_ms), false, &c, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = create_on(c, origin, err);
    rf_pg_conn_return(c);
    return rc;
}

raffle_rc rf_pg_create(void *ctx, const char *origin, raffle_error *err)
{
    rf_pg *db = ctx;
    raffle_rc rc = check_create(db, origin, err);
    if (rc == RAFFLE_OK && db->anchor != NULL)
        rc = rf_anchor_unseen(db->anchor, origin, err);
    return rc == RAFFLE_OK ? rf_pg_put_back(ctx, origin, err) : rc;
}

/* --- erasing --- */

static raffle_rc erase_on(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t index, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    rf_pg_int4(&p, (uint32_t)which);
    rf_pg_int4(&p, log);
    rf_pg_int8(&p, index);
    raffle_rc rc = rf_pg_ask(c, RF_PG_ERASE, &p, "erase a private part", &r, err);
    if (rc == RAFFLE_OK && strcmp(PQcmdTuples(r), "0") == 0)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 " has no record %" PRIu64, log, index);
    else if (rc == RAFFLE_OK && strcmp(PQcmdTuples(r), "1") != 0)
        rc = rf_pg_damaged(c, "the number of rows that were erased", err);
    PQclear(r);
    return rc;
}

/* May be done twice, so that a connection that had died is no failure. The row's old version stays in the table until it is vacuumed. */
raffle_rc rf_pg_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err)
{
    rf_pg *db = ctx;
    int32_t which = 0;
    if (db->uri.readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only", db->uri.label);
    raffle_rc rc = rf_pg_raffle(db, &which, err);
    for (bool again = rc == RAFFLE_OK; again;) {
        rf_pg_conn *c = NULL;
        raffle_error own = RAFFLE_ERROR_INIT;
        rc = rf_pg_conn_take(db, rf_pg_deadline(db->timeout_ms), false, &c, &own);
        if (rc == RAFFLE_OK)
            rc = erase_on(c, which, log, index, &own);
        again = c != NULL && c->broken && c->used;
        rf_pg_conn_return(c);
        if (again)
            rf_pg_conns_close(db);
        else if (rc != RAFFLE_OK)
            return rf_fail_as(err, &own);
    }
    return rc;
}

/* --- anchor --- */

raffle_rc rf_pg_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err)
{
    rf_pg *db = ctx;
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_rc rc = rf_pg_origin(db, origin, err);
    return rc == RAFFLE_OK ? rf_anchor_get(db->anchor, origin, log, size, root, err) : rc;
}

raffle_rc rf_pg_anchor_of(void *ctx, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                          raffle_error *err)
{
    const rf_pg *db = ctx;
    return db->anchor != NULL ? rf_anchor_get(db->anchor, origin, log, size, root, err)
                              : rf_fail(err, RAFFLE_NOT_FOUND, "%s has no anchor", db->uri.label);
}

raffle_rc rf_pg_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                           raffle_error *err)
{
    rf_pg *db = ctx;
    char origin[RAFFLE_ORIGIN_SIZE];
    if (db->uri.readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is open for reading only, and so is its anchor", db->uri.label);
    raffle_rc rc = rf_pg_origin(db, origin, err);
    return rc == RAFFLE_OK ? rf_anchor_put(db->anchor, origin, log, size, root, durable != 0, err) : rc;
}
