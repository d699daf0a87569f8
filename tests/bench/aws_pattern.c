/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pattern that AWS recommends to those who leave its ledger database: an audit table in PostgreSQL whose trigger chains each row to the one before by a hash, through
 * a head row that is locked; one row a transaction. The same body as a sale's leaf and private part, the same order key in a unique index.
 */
#include "scale.h"

#include "bench.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const char tables[] =
    "DROP TABLE IF EXISTS bench_ledger; DROP TABLE IF EXISTS bench_head;"
    "CREATE TABLE bench_head (id int PRIMARY KEY, seq bigint NOT NULL, hash bytea NOT NULL);"
    "INSERT INTO bench_head VALUES (1, 0, '\\x');"
    "CREATE TABLE bench_ledger (seq bigint PRIMARY KEY, prev bytea NOT NULL, hash bytea NOT NULL, order_key text NOT "
    "NULL "
    "UNIQUE, leaf text NOT NULL, private text NOT NULL);"
    "CREATE OR REPLACE FUNCTION bench_chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE bench_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash INTO NEW.seq, NEW.prev;"
    "NEW.hash := sha256(NEW.prev || convert_to(NEW.leaf, 'UTF8'));"
    "UPDATE bench_head SET hash = NEW.hash WHERE id = 1;"
    "RETURN NEW; END $$;"
    "CREATE TRIGGER bench_chain BEFORE INSERT ON bench_ledger FOR EACH ROW EXECUTE FUNCTION bench_chain();";

static const char leaf[] = "{\"at\":\"2026-11-21T20:15:00.000Z\",\"by\":\"seller\",\"count\":10,\"n\":1234567,"
                           "\"p\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"price\":1000,"
                           "\"t\":\"sale\",\"tier\":\"10-for-10\"}";
static const char private_part[] =
    "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"019a0000-0000-7000-8000-000000000000\","
    "\"salt\":\"0123456789abcdef0123456789abcdef\"}";

typedef struct pattern {
    const char *server;
    atomic_ulong next;
} pattern;

static PGconn *enter(const char *server)
{
    PGconn *c = PQconnectdb(server);
    if (PQstatus(c) == CONNECTION_OK)
        return c;
    fprintf(stderr, "%s\n", PQerrorMessage(c));
    exit(1);
}

static void expect(PGconn *c, PGresult *r)
{
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s\n", PQerrorMessage(c));
        exit(1);
    }
    PQclear(r);
}

static void *insert(void *ctx)
{
    scale_client *c = ctx;
    pattern *p = scale_shared(c);
    PGconn *conn = enter(p->server);
    expect(conn,
           PQprepare(conn, "put",
                     "INSERT INTO bench_ledger (order_key, leaf, private) VALUES ($1, $2, $3) RETURNING seq", 3, NULL));
    while (scale_go_on(c)) {
        char key[RAFFLE_NAME_SIZE];
        bench_order_key(key, BENCH_UUID7, 1, atomic_fetch_add(&p->next, 1));
        const char *values[] = {key, leaf, private_part};
        expect(conn, PQexecPrepared(conn, "put", 3, values, NULL, NULL, 0));
    }
    PQfinish(conn);
    return NULL;
}

scale_point aws_pattern_run(const char *server, unsigned clients, double seconds)
{
    pattern p = {.server = server};
    PGconn *conn = enter(server);
    expect(conn, PQexec(conn, "SET client_min_messages = warning"));
    expect(conn, PQexec(conn, tables));
    PQfinish(conn);
    return scale_run(clients, seconds, insert, &p);
}
