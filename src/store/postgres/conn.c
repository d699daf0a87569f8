/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on their way: queued in libpq's pipeline, sent and answered without ever blocking for longer than the call's time.
 * A flight is what is sent before the server is asked to answer: one round trip.
 */
#include "postgres/db.h"

#include "error.h"
#include "timestamp.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    ROLLBACK_MS = 1000,
    TEXT_MOST = 180
};

int64_t rf_pg_deadline(int32_t timeout_ms)
{
    const int64_t ms = timeout_ms < RF_PG_LEAST_MS ? RF_PG_LEAST_MS : timeout_ms;
    return timeout_ms < 0 ? INT64_MAX : rf_clock_monotonic() + ms;
}

/* --- failures --- */

/* One line, and without the password, whatever a server makes of what it was sent. */
static void clean(const rf_pg_conn *c, const char *text, char out[TEXT_MOST])
{
    const char *password = c->pg == NULL ? NULL : PQpass(c->pg);
    if (text == NULL)
        text = "";
    if (password != NULL && password[0] != '\0' && strstr(text, password) != NULL)
        text = "the server's words hold the password, and are left out";
    snprintf(out, TEXT_MOST, "%s", text);
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    for (size_t n = strlen(out); n > 0 && out[n - 1] == ' '; n--)
        out[n - 1] = '\0';
}

bool rf_pg_state_is(const rf_pg_conn *c, const char *state)
{
    return strncmp(c->state, state, strlen(state)) == 0;
}

bool rf_pg_conflict(const rf_pg_conn *c)
{
    return rf_pg_state_is(c, "40001") || rf_pg_state_is(c, "40P01");
}

/* By SQLSTATE (PostgreSQL 15, appendix A): the longest match of these. */
static raffle_rc status_of(const char *state)
{
    static const struct {
        const char *state;
        raffle_rc rc;
    } known[] = {
        {"40", RAFFLE_BUSY},        {"55P03", RAFFLE_BUSY},    {"57014", RAFFLE_TIMEOUT}, {"25006", RAFFLE_READONLY},
        {"42501", RAFFLE_READONLY}, /* a right that the role does not have */
        {"53100", RAFFLE_FULL},     {"53200", RAFFLE_NOMEM},   {"53300", RAFFLE_BUSY},    {"54", RAFFLE_LIMIT},
        {"22021", RAFFLE_INVALID},  {"22P05", RAFFLE_INVALID},                            /* text that is no UTF-8 */
        {"42P01", RAFFLE_CORRUPT},  {"42703", RAFFLE_CORRUPT}, {"3F000", RAFFLE_CORRUPT}, /* tables that are not ours */
        {"23", RAFFLE_CORRUPT},     {"XX001", RAFFLE_CORRUPT}, {"XX002", RAFFLE_CORRUPT},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(state, known[i].state, strlen(known[i].state)) == 0)
            return known[i].rc;
    return RAFFLE_IO;
}

static raffle_rc fail_result(rf_pg_conn *c, const PGresult *r, const char *doing, raffle_error *err)
{
    char text[TEXT_MOST];
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    snprintf(c->state, sizeof c->state, "%s", state == NULL ? "" : state);
    clean(c, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), text);
    return rf_fail(err, status_of(c->state), "cannot %s: %s (%s) in %s", doing, text, c->state, c->owner->uri.label);
}

raffle_rc rf_pg_lost(rf_pg_conn *c, const char *doing, raffle_error *err)
{
    char text[TEXT_MOST];
    clean(c, PQerrorMessage(c->pg), text);
    c->broken = true;
    c->state[0] = '\0';
    return rf_fail(err, RAFFLE_IO, "cannot %s: %s (%s)", doing, text[0] == '\0' ? "the connection is lost" : text,
                   c->owner->uri.label);
}

raffle_rc rf_pg_damaged(const rf_pg_conn *c, const char *what, raffle_error *err)
{
    return rf_fail(err, RAFFLE_CORRUPT, "%s: %s is not what was written", c->owner->uri.label, what);
}

/* --- waiting --- */

static int time_left(const rf_pg_conn *c)
{
    if (c->until == INT64_MAX)
        return -1;
    const int64_t left = c->until - rf_clock_monotonic();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

raffle_rc rf_pg_wait(rf_pg_conn *c, bool write, raffle_error *err)
{
    struct pollfd p = {.fd = PQsocket(c->pg), .events = (short)(POLLIN | (write ? POLLOUT : 0))};
    for (;;) {
        const int left = time_left(c);
        const int n = poll(&p, 1, left);
        if (n > 0)
            return RAFFLE_OK;
        if (n < 0 && errno != EINTR)
            return rf_pg_lost(c, "wait for the server", err);
        if (n == 0 && left >= 0) {
            c->broken = true;
            return rf_fail(err, RAFFLE_TIMEOUT, "the server of %s did not answer in time", c->owner->uri.label);
        }
    }
}

raffle_rc rf_pg_flush(rf_pg_conn *c, raffle_error *err)
{
    for (;;) {
        const int more = PQflush(c->pg);
        if (more == 0)
            return RAFFLE_OK;
        raffle_rc rc = more < 0 ? rf_pg_lost(c, "send to the server", err) : rf_pg_wait(c, true, err);
        if (rc != RAFFLE_OK)
            return rc;
        /* What it answers meanwhile is taken in, so that it can go on reading. */
        if (PQconsumeInput(c->pg) == 0)
            return rf_pg_lost(c, "read from the server", err);
    }
}

/* The next result, or NULL at the end of a statement's. */
static raffle_rc next_result(rf_pg_conn *c, PGresult **out, raffle_error *err)
{
    while (PQisBusy(c->pg) != 0) {
        raffle_rc rc = rf_pg_wait(c, false, err);
        if (rc == RAFFLE_OK && PQconsumeInput(c->pg) == 0)
            rc = rf_pg_lost(c, "read from the server", err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    *out = PQgetResult(c->pg);
    return PQstatus(c->pg) == CONNECTION_OK ? RAFFLE_OK : rf_pg_lost(c, "read from the server", err);
}

/* --- sending --- */

raffle_rc rf_pg_send(rf_pg_conn *c, rf_pg_sql which, rf_pg_params *params, raffle_error *err)
{
    static const int binary[RF_PG_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1};
    char name[16];
    const rf_pg_params none = {.n = 0};
    if (params == NULL)
        params = (rf_pg_params *)&none;
    snprintf(name, sizeof name, "raffle%d", (int)which);
    if (PQsendQueryPrepared(c->pg, name, params->n, params->value, params->length, binary, 1) != 1)
        return rf_pg_lost(c, "send a statement", err);
    c->queued++;
    return RAFFLE_OK;
}

raffle_rc rf_pg_send_text(rf_pg_conn *c, const char *sql, raffle_error *err)
{
    if (PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) != 1)
        return rf_pg_lost(c, "send a statement", err);
    c->queued++;
    return RAFFLE_OK;
}

raffle_rc rf_pg_sync(rf_pg_conn *c, raffle_error *err)
{
    c->state[0] = '\0';
    if (PQpipelineSync(c->pg) != 1)
        return rf_pg_lost(c, "send to the server", err);
    return rf_pg_flush(c, err);
}

/* --- answers --- */

static raffle_rc unexpected(rf_pg_conn *c, raffle_error *err)
{
    c->broken = true;
    return rf_fail(err, RAFFLE_IO, "the server of %s gave an answer that nothing had asked for", c->owner->uri.label);
}

raffle_rc rf_pg_take(rf_pg_conn *c, const char *doing, PGresult **out, raffle_error *err)
{
    PGresult *r = NULL, *after = NULL;
    *out = NULL;
    if (c->queued == 0)
        return unexpected(c, err);
    c->queued--;
    raffle_rc rc = next_result(c, &r, err);
    const ExecStatusType status = PQresultStatus(r); /* of NULL: a fatal error */
    if (rc == RAFFLE_OK)
        rc = next_result(c, &after, err);
    if (rc == RAFFLE_OK && (r == NULL || after != NULL))
        rc = unexpected(c, err);
    else if (rc == RAFFLE_OK && status == PGRES_FATAL_ERROR)
        rc = fail_result(c, r, doing, err);
    else if (rc == RAFFLE_OK && status == PGRES_PIPELINE_ABORTED)
        rc = rf_fail(err, status_of(c->state), "cannot %s: what came before it had failed", doing);
    else if (rc == RAFFLE_OK && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        rc = unexpected(c, err);
    PQclear(after);
    if (rc == RAFFLE_OK)
        *out = r;
    else
        PQclear(r);
    return rc;
}

raffle_rc rf_pg_done(rf_pg_conn *c, const char *doing, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = rf_pg_take(c, doing, &r, err);
    PQclear(r);
    return rc;
}

static raffle_rc take_sync(rf_pg_conn *c, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = next_result(c, &r, err);
    if (rc == RAFFLE_OK && PQresultStatus(r) != PGRES_PIPELINE_SYNC)
        rc = unexpected(c, err);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_end(rf_pg_conn *c, raffle_error *err)
{
    while (c->queued > 0 && !c->broken)
        (void)rf_pg_done(c, "go on", NULL);
    if (c->broken)
        return rf_fail(err, RAFFLE_IO, "the connection to %s is lost", c->owner->uri.label);
    return take_sync(c, err);
}

/* The flight that was just queued, of one statement whose answer counts. */
static raffle_rc answer(rf_pg_conn *c, const char *doing, PGresult **out, raffle_error *err)
{
    raffle_rc rc = rf_pg_sync(c, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_pg_take(c, doing, out, err);
    raffle_rc ended = c->broken ? rc : rf_pg_end(c, rc == RAFFLE_OK ? err : NULL);
    if (rc != RAFFLE_OK || ended == RAFFLE_OK)
        return rc;
    PQclear(*out);
    *out = NULL;
    return ended;
}

raffle_rc rf_pg_ask(rf_pg_conn *c, rf_pg_sql which, rf_pg_params *params, const char *doing, PGresult **out,
                    raffle_error *err)
{
    *out = NULL;
    raffle_rc rc = rf_pg_send(c, which, params, err);
    return rc == RAFFLE_OK ? answer(c, doing, out, err) : rc;
}

raffle_rc rf_pg_ask_text(rf_pg_conn *c, const char *sql, const char *doing, PGresult **out, raffle_error *err)
{
    *out = NULL;
    raffle_rc rc = rf_pg_send_text(c, sql, err);
    return rc == RAFFLE_OK ? answer(c, doing, out, err) : rc;
}

/* --- transactions --- */

/* The server ends by itself what a host that has vanished left behind: a power of two, so that it seldom changes. 0: never. */
static int32_t server_limit(const rf_pg_conn *c)
{
    const int left = time_left(c);
    int32_t limit = RF_PG_LEAST_MS;
    if (c->owner->uri.dsql || left < 0 || left > INT32_MAX / 4)
        return 0;
    while (limit <= left)
        limit *= 2;
    return limit;
}

raffle_rc rf_pg_begin(rf_pg_conn *c, raffle_error *err)
{
    const int32_t limit = server_limit(c);
    raffle_rc rc = RAFFLE_OK;
    c->limits = limit != c->limit_ms;
    if (c->limits) { /* ended before BEGIN, or it would be part of the transaction, and undone with it */
        char text[16];
        rf_pg_params p = {.n = 0};
        snprintf(text, sizeof text, "%d", (int)limit);
        rf_pg_text(&p, text);
        rc = rf_pg_send(c, RF_PG_TIMEOUT, &p, err);
        if (rc == RAFFLE_OK)
            rc = rf_pg_sync(c, err);
        c->limit_ms = limit;
    }
    if (rc == RAFFLE_OK)
        rc = rf_pg_send(c, RF_PG_BEGIN, NULL, err);
    c->in_txn = true;
    return rc;
}

/* What follows it in the pipeline runs whether or not the limit could be set; one that could not is set by the next transaction. */
static raffle_rc take_limit(rf_pg_conn *c, raffle_error *err)
{
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_pg_done(c, "limit the time of statements", &own);
    if (c->broken)
        return rf_fail_as(err, &own);
    if (rc != RAFFLE_OK)
        c->limit_ms = -1;
    c->state[0] = '\0';
    return take_sync(c, err);
}

raffle_rc rf_pg_begun(rf_pg_conn *c, raffle_error *err)
{
    raffle_rc rc = c->limits ? take_limit(c, err) : RAFFLE_OK;
    return rc == RAFFLE_OK ? rf_pg_done(c, "begin a transaction", err) : rc;
}

/* What a server says to COMMIT when it has not committed: a conflict, a constraint, a transaction that had failed. Whatever else it says, Aurora
 * DSQL's "server unavailable" (XX000) and SQL's "statement completion unknown" (40003) among it, leaves it open. */
static bool has_refused(const rf_pg_conn *c)
{
    return !c->broken && !rf_pg_state_is(c, "40003") &&
           (rf_pg_state_is(c, "40") || rf_pg_state_is(c, "23") || rf_pg_state_is(c, "25"));
}

raffle_rc rf_pg_committed(rf_pg_conn *c, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_rc rc = rf_pg_take(c, "commit", &r, err);
    const bool committed = rc == RAFFLE_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0;
    PQclear(r);
    if (rc == RAFFLE_OK && !committed)
        rc = rf_fail(err, RAFFLE_IO, "the server of %s rolled back what was to be committed", c->owner->uri.label);
    else if (rc != RAFFLE_OK && !has_refused(c))
        c->broken = true;
    if (!c->broken)
        (void)rf_pg_end(c, NULL); /* what the server said stands */
    c->in_txn = false;
    return committed ? RAFFLE_OK : rc;
}

raffle_rc rf_pg_not_committed(rf_pg_conn *c, raffle_rc rc, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    PGresult *r = NULL;
    while (c->queued > 1 && !c->broken)
        (void)rf_pg_done(c, "go on", NULL);
    if (c->broken)
        return rc;
    const bool committed = rf_pg_take(c, "commit", &r, NULL) == RAFFLE_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0;
    PQclear(r);
    if (!c->broken)
        (void)rf_pg_end(c, NULL);
    if (!committed || rc == RAFFLE_CORRUPT)
        return rc;
    c->in_txn = false;
    if (err != NULL)
        why = *err;
    return rf_fail(err, RAFFLE_UNKNOWN, "it was committed, although: %s", why.message);
}

raffle_rc rf_pg_in_doubt(const rf_pg_conn *c, raffle_rc rc, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (rc == RAFFLE_OK || !c->broken)
        return rc;
    if (err != NULL)
        why = *err;
    return rf_fail(err, RAFFLE_UNKNOWN, "it may have been committed: %s", why.message);
}

void rf_pg_rollback(rf_pg_conn *c)
{
    PGresult *r = NULL;
    const int64_t until = c->until;
    if (c->broken || !c->in_txn)
        return;
    if (until != INT64_MAX)
        c->until = rf_clock_monotonic() + ROLLBACK_MS;
    c->broken = rf_pg_ask(c, RF_PG_ROLLBACK, NULL, "roll back", &r, NULL) != RAFFLE_OK;
    PQclear(r);
    c->in_txn = false;
    c->until = until;
}
