/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: made with the host's password, set up so that what is committed is durable, kept while they are good. */
#include "postgres/db.h"

#include "error.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTIONS_MOST = 96,
    READ_TRIES = 4,     /* of a read that meets conflicts */
    SECRET_MOST = 16384 /* a token of AWS's has two thousand bytes */
};

/* --- the password --- */

/* The host's sentence is its own, and handed on as such: that it holds no password is for the host to see to. */
static raffle_rc host_fault(raffle_error *theirs, raffle_error *err)
{
    theirs->message[sizeof theirs->message - 1] = '\0';
    rf_fail(err, RAFFLE_HOST, "the host's secret \"password:\" failed: %s", theirs->message);
    if (err != NULL)
        err->token = theirs->token;
    return RAFFLE_HOST;
}

/* `*out` in secure memory, or NULL: there is none, and libpq looks where it is used to. */
static raffle_rc ask_host(const rf_pg *db, char **out, raffle_error *err)
{
    char what[4096 + 16];
    *out = NULL;
    if (db->host.secret == NULL)
        return RAFFLE_OK;
    char *secret = sodium_malloc(SECRET_MOST + 1);
    if (secret == NULL)
        return rf_nomem(err);
    raffle_error theirs = RAFFLE_ERROR_INIT;
    size_t length = SIZE_MAX;
    snprintf(what, sizeof what, "password:%s", db->uri.text);
    raffle_rc rc = db->host.secret(db->host.ctx, what, (uint8_t *)secret, SECRET_MOST, &length, &theirs);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        rc = host_fault(&theirs, err);
    else if (rc == RAFFLE_OK && (length == 0 || length > SECRET_MOST || memchr(secret, '\0', length) != NULL))
        rc = rf_fail(err, RAFFLE_HOST, "the host's secret \"password:\" is not 1 to %d bytes without a zero",
                     SECRET_MOST);
    if (rc == RAFFLE_OK) {
        secret[length] = '\0';
        *out = secret;
        return RAFFLE_OK;
    }
    sodium_free(secret);
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}

/* --- connecting --- */

static void ignore_notice(void *ctx, const PGresult *notice)
{
    (void)ctx;
    (void)notice;
}

static PGconn *start(const rf_pg *db, const char *password)
{
    const char *keyword[OPTIONS_MOST], *value[OPTIONS_MOST];
    size_t n = 0;
    keyword[n] = "fallback_application_name";
    value[n++] = "libraffle";
    for (const PQconninfoOption *o = db->uri.options; o->keyword != NULL && n < OPTIONS_MOST - 3; o++) {
        if (o->val == NULL || strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "client_encoding") == 0)
            continue;
        keyword[n] = o->keyword;
        value[n++] = o->val;
    }
    keyword[n] = "client_encoding";
    value[n++] = "UTF8";
    if (password != NULL) {
        keyword[n] = "password";
        value[n++] = password;
    }
    keyword[n] = value[n] = NULL;
    return PQconnectStartParams(keyword, value, 0);
}

static raffle_rc poll_connect(rf_pg_conn *c, raffle_error *err)
{
    bool write = true;
    for (;;) {
        if (PQstatus(c->pg) == CONNECTION_BAD)
            return rf_pg_lost(c, "connect", err);
        raffle_rc rc = rf_pg_wait(c, write, err);
        if (rc != RAFFLE_OK)
            return rc;
        const PostgresPollingStatusType status = PQconnectPoll(c->pg);
        if (status == PGRES_POLLING_OK)
            return RAFFLE_OK;
        if (status == PGRES_POLLING_FAILED)
            return rf_pg_lost(c, "connect", err);
        write = status == PGRES_POLLING_WRITING;
    }
}

static raffle_rc connect_with(rf_pg_conn *c, const char *password, raffle_error *err)
{
    c->pg = start(c->owner, password);
    if (c->pg == NULL)
        return rf_nomem(err);
    PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    raffle_rc rc = poll_connect(c, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1)
        return rf_pg_lost(c, "set up the connection", err);
    const char *encoding = PQparameterStatus(c->pg, "server_encoding");
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "%s: the database's encoding is %s; it must be UTF8",
                       c->owner->uri.label, encoding == NULL ? "not known" : encoding);
    return RAFFLE_OK;
}

static raffle_rc open_connection(rf_pg_conn *c, raffle_error *err)
{
    const char *given = c->owner->uri.password;
    char *asked = NULL;
    raffle_rc rc = given != NULL ? RAFFLE_OK : ask_host(c->owner, &asked, err);
    if (rc == RAFFLE_OK)
        rc = connect_with(c, given != NULL ? given : asked, err);
    sodium_free(asked);
    return rc;
}

/* --- setting up --- */

/* Durable, whatever the defaults of the server, the database and the role are; and nothing is left locked for long by a host that vanished. */
static const char *const settings[] = {
    "SET search_path = pg_catalog",
    "SET synchronous_commit = on",
    "SET default_transaction_isolation = 'read committed'",
    "SET idle_in_transaction_session_timeout = 60000",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
};

static raffle_rc send_settings(rf_pg_conn *c, size_t *n, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (*n = 0; rc == RAFFLE_OK && *n < sizeof settings / sizeof *settings; (*n)++)
        rc = rf_pg_send_text(c, settings[*n], err);
    if (rc == RAFFLE_OK && c->owner->uri.readonly) {
        rc = rf_pg_send_text(c, "SET default_transaction_read_only = on", err);
        (*n)++;
    }
    return rc;
}

static bool is_text(const PGresult *r, int column, const char *text)
{
    const char *value = NULL;
    size_t length = 0;
    return rf_pg_value(r, 0, column, RF_PG_TEXT, 16, &value, &length, NULL) && length == strlen(text) &&
           memcmp(value, text, length) == 0;
}

/* A standby shows what may be lost, or not yet there; without fsync a crash loses what was committed. */
static raffle_rc judge_server(const rf_pg_conn *c, const PGresult *r, raffle_error *err)
{
    const bool readonly = c->owner->uri.readonly;
    const char *label = c->owner->uri.label;
    if (!is_text(r, 0, "false") && !readonly)
        return rf_fail(err, RAFFLE_READONLY, "%s is a standby: a raffle is written to the primary alone", label);
    if (!is_text(r, 1, "on") && !readonly)
        return rf_fail(err, RAFFLE_UNSUPPORTED,
                       "the server of %s runs with fsync off: what it says is committed may be lost", label);
    return RAFFLE_OK;
}

static raffle_rc set_up(rf_pg_conn *c, raffle_error *err)
{
    PGresult *r = NULL;
    size_t n = 0;
    raffle_rc rc = send_settings(c, &n, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_send_text(c, "SELECT pg_is_in_recovery()::text, current_setting('fsync')", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_sync(c, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++)
        rc = rf_pg_done(c, "set up the connection", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_take(c, "look at the server", &r, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_end(c, err);
    if (rc == RAFFLE_OK)
        rc = judge_server(c, r, err);
    PQclear(r);
    return rc;
}

static raffle_rc prepare(rf_pg_conn *c, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    char name[16];
    if (c->prepared)
        return RAFFLE_OK;
    for (int i = 0; rc == RAFFLE_OK && i < RF_PG_SQL_COUNT; i++) {
        snprintf(name, sizeof name, "raffle%d", i);
        if (PQsendPrepare(c->pg, name, rf_pg_sql_text(i, c->owner->uri.dsql), 0, NULL) != 1)
            rc = rf_pg_lost(c, "prepare a statement", err);
        else
            c->queued++;
    }
    if (rc == RAFFLE_OK)
        rc = rf_pg_sync(c, err);
    for (int i = 0; rc == RAFFLE_OK && i < RF_PG_SQL_COUNT; i++)
        rc = rf_pg_done(c, "prepare a statement", err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_end(c, err);
    c->prepared = rc == RAFFLE_OK;
    return rc;
}

/* --- taking and giving back --- */

/* After fork() the child must not end the parent's session; then nobody calls here (store.c). */
static void close_conn(rf_pg_conn *c)
{
    if (c != NULL)
        PQfinish(c->pg);
    free(c);
}

static raffle_rc new_conn(rf_pg *db, int64_t until, uint64_t generation, rf_pg_conn **out, raffle_error *err)
{
    rf_pg_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return rf_nomem(err);
    c->owner = db;
    c->until = until;
    c->born = rf_clock_monotonic();
    c->generation = generation;
    raffle_rc rc = open_connection(c, err);
    if (rc == RAFFLE_OK && !db->uri.dsql)
        rc = set_up(c, err);
    if (rc == RAFFLE_OK)
        *out = c;
    else
        close_conn(c);
    return rc;
}

static bool is_old(const rf_pg_conn *c)
{
    return c->owner->uri.dsql && rf_clock_monotonic() - c->born > RF_PG_DSQL_AGE_MS;
}

static rf_pg_conn *take_idle(rf_pg *db, uint64_t *generation)
{
    pthread_mutex_lock(&db->lock);
    rf_pg_conn *c = db->idle;
    *generation = db->generation;
    if (c != NULL) {
        db->idle = c->next;
        db->idle_count--;
    }
    pthread_mutex_unlock(&db->lock);
    return c;
}

raffle_rc rf_pg_conn_take(rf_pg *db, int64_t until, bool bare, rf_pg_conn **out, raffle_error *err)
{
    uint64_t generation = 0;
    raffle_rc rc = RAFFLE_OK;
    rf_pg_conn *c = take_idle(db, &generation);
    if (c != NULL && is_old(c)) {
        close_conn(c);
        c = NULL;
    }
    if (c == NULL) /* never a wait for another caller, who may be waiting for us: a sink may read */
        rc = new_conn(db, until, generation, &c, err);
    if (rc != RAFFLE_OK)
        return rc;
    c->until = until;
    if (!bare)
        rc = prepare(c, err);
    if (rc == RAFFLE_OK) {
        *out = c;
        return RAFFLE_OK;
    }
    const bool died = c->used && c->broken;
    close_conn(c);
    if (!died)
        return rc;
    rf_pg_conns_close(db);
    return rf_pg_conn_take(db, until, bare, out, err);
}

void rf_pg_conn_return(rf_pg_conn *c)
{
    if (c == NULL)
        return;
    rf_pg *db = c->owner;
    if (c->queued > 0)
        c->broken = true;
    rf_pg_rollback(c);
    pthread_mutex_lock(&db->lock);
    const bool keep = !c->broken && c->generation == db->generation && db->idle_count < RF_PG_IDLE;
    if (keep) {
        c->used = true;
        c->next = db->idle;
        db->idle = c;
        db->idle_count++;
    }
    pthread_mutex_unlock(&db->lock);
    if (!keep)
        close_conn(c);
}

void rf_pg_conns_close(rf_pg *db)
{
    pthread_mutex_lock(&db->lock);
    rf_pg_conn *c = db->idle;
    db->idle = NULL;
    db->idle_count = 0;
    db->generation++;
    pthread_mutex_unlock(&db->lock);
    while (c != NULL) {
        rf_pg_conn *next = c->next;
        close_conn(c);
        c = next;
    }
}

/* On a new connection when an old one had died, and after a conflict: Aurora DSQL says so to whoever reads after the schema changed. */
static bool reads_again(const rf_pg_conn *c, const rf_pg_read *read, raffle_rc rc, unsigned *conflicts)
{
    if (rc == RAFFLE_OK || read->started)
        return false;
    return c->broken ? rc == RAFFLE_IO && c->used : rf_pg_conflict(c) && ++*conflicts < READ_TRIES;
}

raffle_rc rf_pg_read_run(rf_pg *db, rf_pg_read *read, raffle_error *err)
{
    const int64_t until = rf_pg_deadline(db->timeout_ms);
    unsigned conflicts = 0;
    for (;;) {
        rf_pg_conn *c = NULL;
        raffle_error own = RAFFLE_ERROR_INIT;
        read->started = false;
        raffle_rc rc = rf_pg_conn_take(db, until, false, &c, &own);
        if (rc != RAFFLE_OK)
            return rf_fail_as(err, &own);
        rc = read->run(c, read, &own);
        const bool again = reads_again(c, read, rc, &conflicts), died = c->broken;
        rf_pg_conn_return(c);
        if (!again)
            return rc == RAFFLE_OK ? rc : rf_fail_as(err, &own);
        if (died)
            rf_pg_conns_close(db);
    }
}
