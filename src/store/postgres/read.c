/* SPDX-License-Identifier: Apache-2.0 */
/* Reading heads, records and nodes, each in one statement and so of one moment, and telling rows that no append of ours could have left. */
#include "postgres/db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

enum {
    CHUNK = 512 /* records of one answer */
};

/* --- heads --- */

/* `control` and `found` are the same size, of the log's own row and of the control log's: they change together. */
bool rf_pg_head_take(const PGresult *r, uint32_t log, raffle_store_head *head)
{
    const char *state = NULL;
    size_t length = 0;
    uint64_t control = 0, found = 0;
    bool none = false, no_control = false, no_state = false, no_found = false;
    memset(head, 0, sizeof *head);
    head->struct_size = sizeof *head;
    head->log = log;
    if (PQntuples(r) != 1 || !rf_pg_number(r, 0, 0, RF_LOG_RECORDS_MAX, &head->size, &none) ||
        !rf_pg_number(r, 0, 1, RF_LOG_RECORDS_MAX, &control, &no_control) ||
        !rf_pg_value(r, 0, 2, RF_PG_BYTEA, RAFFLE_STORE_STATE_MAX, &state, &length, &no_state) ||
        !rf_pg_number(r, 0, 3, RF_LOG_RECORDS_MAX, &found, &no_found))
        return false;
    if (none != no_control || no_found || (!none && control != found) || (none && !no_state))
        return false;
    head->control_size = found;
    if (!no_state)
        memcpy(head->state, state, length);
    head->state_length = no_state ? 0 : (uint32_t)length;
    return log != 0 || head->size == head->control_size;
}

typedef struct reading_head {
    rf_pg_read read; /* first */
    int32_t raffle;
    uint32_t log;
    raffle_store_head *head;
} reading_head;

static raffle_rc run_head(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    const reading_head *h = (const reading_head *)read;
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    raffle_store_head found;
    rf_pg_int4(&p, (uint32_t)h->raffle);
    rf_pg_int4(&p, h->log);
    raffle_rc rc = rf_pg_ask(c, RF_PG_HEAD_GET, &p, "read a log's head", &r, err);
    if (rc == RAFFLE_OK && !rf_pg_head_take(r, h->log, &found))
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": its head is damaged", h->log);
    if (rc == RAFFLE_OK)
        *h->head = found;
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    reading_head h = {.read = {.run = run_head}, .log = log, .head = head};
    raffle_rc rc = rf_pg_raffle(ctx, &h.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &h.read, err) : rc;
}

raffle_rc rf_pg_head_make(rf_pg_conn *c, int32_t which, uint32_t log, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    rf_pg_int4(&p, (uint32_t)which);
    rf_pg_int4(&p, log);
    raffle_rc rc = rf_pg_ask(c, RF_PG_HEAD_MAKE, &p, "begin a log", &r, err);
    PQclear(r);
    return rc;
}

/* --- records --- */

/* Records [next, end) of a log. */
typedef struct reading {
    rf_pg_read read; /* first */
    int32_t raffle;
    uint32_t log;
    uint64_t next, end;
    raffle_store_sink_record sink;
    void *sink_ctx;
} reading;

static raffle_rc ask_rows(rf_pg_conn *c, const reading *g, uint64_t limit, PGresult **out, raffle_error *err)
{
    rf_pg_params p = {.n = 0};
    rf_pg_int4(&p, (uint32_t)g->raffle);
    rf_pg_int4(&p, g->log);
    rf_pg_int8(&p, g->next);
    rf_pg_int8(&p, limit);
    return rf_pg_ask(c, RF_PG_RECORDS_GET, &p, "read records", out, err);
}

static raffle_rc give_record(reading *g, const PGresult *r, int row, raffle_error *err)
{
    raffle_record record = {.struct_size = sizeof record, .index = g->next};
    uint64_t index = 0;
    size_t length = 0, private_length = 0;
    bool none = false;
    if (!rf_pg_number(r, row, 1, INT64_MAX, &index, NULL) || index != g->next)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": record %" PRIu64 " is missing", g->log, g->next);
    bool good = rf_pg_value(r, row, 2, RF_PG_TEXT, RAFFLE_RECORD_MAX, &record.leaf, &length, NULL) && length > 0 &&
                rf_pg_value(r, row, 3, RF_PG_TEXT, RAFFLE_PRIVATE_MAX, &record.private_part, &private_length, &none) &&
                (none || private_length > 0);
    if (!good)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ", record %" PRIu64 ": it is no text, or too long", g->log,
                       g->next);
    record.leaf_length = (uint32_t)length;
    record.private_length = (uint32_t)private_length;
    g->next++;
    g->read.started = true;
    return g->sink(g->sink_ctx, &record, err);
}

/* The rows of an answer, and at the log's end one more, which must not be there. */
static raffle_rc give_rows(reading *g, const PGresult *r, uint64_t wanted, raffle_error *err)
{
    uint64_t size = 0;
    bool none = false;
    if (PQntuples(r) < 1 || PQnfields(r) != 4 || !rf_pg_number(r, 0, 0, RF_LOG_RECORDS_MAX, &size, &none))
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": its head is damaged", g->log);
    g->end = g->end > size ? size : g->end;
    const uint64_t stop = g->next + wanted < g->end ? g->next + wanted : g->end;
    const int rows = PQgetisnull(r, 0, 1) != 0 ? 0 : PQntuples(r);
    raffle_rc rc = RAFFLE_OK;
    int i = 0;
    for (; rc == RAFFLE_OK && i < rows && g->next < stop; i++)
        rc = give_record(g, r, i, err);
    if (rc == RAFFLE_OK && g->next < stop)
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": record %" PRIu64 " is missing", g->log, g->next);
    if (rc == RAFFLE_OK && i < rows && g->next == size)
        rc =
            rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 " has %" PRIu64 " records, and rows beyond them", g->log, size);
    return rc;
}

static raffle_rc run_records(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    reading *g = (reading *)read;
    raffle_rc rc = RAFFLE_OK;
    do {
        if (!c->in_txn) /* of each answer: what the sink does takes its own time */
            c->until = rf_pg_deadline(c->owner->timeout_ms);
        const uint64_t wanted = g->end - g->next < CHUNK ? g->end - g->next : CHUNK;
        PGresult *r = NULL;
        rc = ask_rows(c, g, wanted + 1, &r, err);
        if (rc == RAFFLE_OK)
            rc = give_rows(g, r, wanted, err);
        PQclear(r);
    } while (rc == RAFFLE_OK && g->next < g->end);
    return rc;
}

raffle_rc rf_pg_records_within(rf_pg_conn *c, int32_t which, uint32_t log, uint64_t from, uint64_t count,
                               raffle_store_sink_record sink, void *sink_ctx, raffle_error *err)
{
    reading g = {.raffle = which, .log = log, .next = from, .end = from + count, .sink = sink, .sink_ctx = sink_ctx};
    return run_records(c, &g.read, err);
}

raffle_rc rf_pg_records(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                        void *sink_ctx, raffle_error *err)
{
    reading g = {.read = {.run = run_records},
                 .log = log,
                 .next = from,
                 .end = from + count,
                 .sink = sink,
                 .sink_ctx = sink_ctx};
    raffle_rc rc = rf_pg_raffle(ctx, &g.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &g.read, err) : rc;
}

/* --- nodes --- */

typedef struct reading_node {
    rf_pg_read read; /* first */
    int32_t raffle;
    uint32_t log, level;
    uint64_t index;
    uint8_t *hash;
} reading_node;

static raffle_rc run_node(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    const reading_node *n = (const reading_node *)read;
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    const char *hash = NULL;
    size_t length = 0;
    rf_pg_int4(&p, (uint32_t)n->raffle);
    rf_pg_int4(&p, n->log);
    rf_pg_int4(&p, n->level);
    rf_pg_int8(&p, n->index);
    raffle_rc rc = rf_pg_ask(c, RF_PG_NODE_GET, &p, "read a node", &r, err);
    if (rc == RAFFLE_OK && PQntuples(r) == 0)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "log %" PRIu32 ": node %" PRIu64 " of level %" PRIu32 " was not kept",
                     n->log, n->index, n->level);
    else if (rc == RAFFLE_OK && (!rf_pg_value(r, 0, 0, RF_PG_BYTEA, 32, &hash, &length, NULL) || length != 32))
        rc = rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": node %" PRIu64 " of level %" PRIu32 " is no hash", n->log,
                     n->index, n->level);
    if (rc == RAFFLE_OK)
        memcpy(n->hash, hash, 32);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err)
{
    reading_node n = {.read = {.run = run_node}, .log = log, .level = level, .index = index, .hash = hash};
    raffle_rc rc = rf_pg_raffle(ctx, &n.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &n.read, err) : rc;
}
