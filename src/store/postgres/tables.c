/* SPDX-License-Identifier: Apache-2.0 */
/* The text of every statement: the tables, the views for auditors, and what is prepared on each connection. */
#include "postgres/db.h"

/* Object names are written with their schema throughout: no search path decides what they mean. */
static const char *const ddl[] = {
    "CREATE SCHEMA IF NOT EXISTS raffle",
    "CREATE TABLE IF NOT EXISTS raffle.meta (key text PRIMARY KEY, value text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS raffle.raffle (raffle integer PRIMARY KEY, origin text NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS raffle.log (raffle integer NOT NULL, log integer NOT NULL, size bigint NOT NULL,"
    " control bigint NOT NULL, state bytea, PRIMARY KEY (raffle, log))",
    "CREATE TABLE IF NOT EXISTS raffle.record (raffle integer NOT NULL, log integer NOT NULL, idx bigint NOT NULL,"
    " leaf text NOT NULL, private text, PRIMARY KEY (raffle, log, idx))",
    NULL, /* the table of keys, below */
    "CREATE TABLE IF NOT EXISTS raffle.node (raffle integer NOT NULL, log integer NOT NULL, level integer NOT NULL,"
    " idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (raffle, log, level, idx))",
    "CREATE TABLE IF NOT EXISTS raffle.note (raffle integer NOT NULL, log integer NOT NULL, size bigint NOT NULL,"
    " note text NOT NULL, PRIMARY KEY (raffle, log, size))",

    "CREATE OR REPLACE VIEW raffle.entry AS SELECT raffle, log, idx, leaf::jsonb ->> 't' AS type,"
    " leaf::jsonb ->> 'at' AS at, leaf::jsonb ->> 'by' AS role, leaf, private FROM raffle.record",

    "CREATE OR REPLACE VIEW raffle.ticket AS SELECT raffle, log AS unit, idx AS serial, at, role,"
    " (leaf::jsonb ->> 'n')::bigint AS first_number,"
    " (leaf::jsonb ->> 'n')::bigint + (leaf::jsonb ->> 'count')::bigint - 1 AS last_number,"
    " (leaf::jsonb ->> 'count')::bigint AS count, (leaf::jsonb ->> 'price')::bigint AS price,"
    " leaf::jsonb ->> 'tier' AS tier FROM raffle.entry WHERE type = 'sale'",

    "CREATE OR REPLACE VIEW raffle.void AS SELECT raffle, log, idx, at, role, (leaf::jsonb ->> 'unit')::bigint AS unit,"
    " (leaf::jsonb ->> 'serial')::bigint AS serial, leaf::jsonb ->> 'reason' AS reason,"
    " (leaf::jsonb ->> 'count')::bigint AS count, (leaf::jsonb ->> 'price')::bigint AS price"
    " FROM raffle.entry WHERE type = 'void'",

    "CREATE OR REPLACE VIEW raffle.unit AS SELECT raffle, idx, at, role, type,"
    " (leaf::jsonb ->> 'unit')::bigint AS unit, leaf::jsonb ->> 'name' AS name,"
    " (leaf::jsonb ->> 'quota')::bigint AS quota FROM raffle.entry WHERE log = 0 AND type LIKE 'unit.%'",

    "CREATE OR REPLACE VIEW raffle.seal AS SELECT raffle, idx, at, role, type,"
    " (leaf::jsonb ->> 'unit')::bigint AS unit, (leaf::jsonb ->> 'size')::bigint AS size,"
    " leaf::jsonb ->> 'root' AS root, (leaf::jsonb ->> 'tickets')::bigint AS tickets,"
    " (leaf::jsonb ->> 'gross')::bigint AS gross"
    " FROM raffle.entry WHERE log = 0 AND type IN ('seal.unit', 'seal')",

    "CREATE OR REPLACE VIEW raffle.draw AS SELECT raffle, idx, at, role, type, leaf::jsonb ->> 'prize' AS prize,"
    " (leaf::jsonb ->> 'attempt')::bigint AS attempt, leaf FROM raffle.entry WHERE log = 0 AND type LIKE 'draw.%'",

    /* The places of a result, those of the draw.picks between its intent and itself too; and of a drum draw, one for
       each number that was called and took one. */
    "CREATE OR REPLACE VIEW raffle.place AS SELECT r.raffle, r.idx, r.leaf::jsonb ->> 'prize' AS prize,"
    " (r.leaf::jsonb ->> 'attempt')::bigint AS attempt,"
    " p.ordinality - 1 + CASE e.type WHEN 'draw.picks' THEN (e.leaf::jsonb ->> 'first')::bigint"
    " ELSE (r.leaf::jsonb ->> 'winners')::bigint + (r.leaf::jsonb ->> 'alternates')::bigint"
    " - jsonb_array_length(e.leaf::jsonb -> 'places') + 1 END AS place,"
    " (p.value ->> 'unit')::bigint AS unit, (p.value ->> 'number')::bigint AS number,"
    " (p.value ->> 'serial')::bigint AS serial"
    " FROM raffle.entry AS r, raffle.entry AS e,"
    " jsonb_array_elements(e.leaf::jsonb -> 'places') WITH ORDINALITY AS p(value, ordinality)"
    " WHERE r.log = 0 AND r.type = 'draw.result' AND e.raffle = r.raffle AND e.log = 0"
    " AND e.idx > (r.leaf::jsonb ->> 'intent')::bigint AND e.idx <= r.idx AND e.type IN ('draw.picks', 'draw.result')"
    " UNION ALL SELECT r.raffle, r.idx, r.leaf::jsonb ->> 'prize', (r.leaf::jsonb ->> 'attempt')::bigint,"
    " (SELECT count(*) FROM raffle.entry AS c WHERE c.raffle = r.raffle AND c.log = 0 AND c.type = 'draw.call'"
    " AND c.idx > (r.leaf::jsonb ->> 'intent')::bigint AND c.idx <= e.idx AND c.leaf::jsonb ->> 'outcome' = 'taken'),"
    " (e.leaf::jsonb ->> 'unit')::bigint, (e.leaf::jsonb ->> 'number')::bigint, (e.leaf::jsonb ->> 'serial')::bigint"
    " FROM raffle.entry AS r, raffle.entry AS e"
    " WHERE r.log = 0 AND r.type = 'draw.manual' AND e.raffle = r.raffle AND e.log = 0"
    " AND e.idx > (r.leaf::jsonb ->> 'intent')::bigint AND e.idx < r.idx AND e.type = 'draw.call'"
    " AND e.leaf::jsonb ->> 'outcome' = 'taken'",

    "CREATE OR REPLACE VIEW raffle.claim AS SELECT raffle, idx, at, role, type, leaf::jsonb ->> 'prize' AS prize,"
    " (leaf::jsonb ->> 'place')::bigint AS place, leaf FROM raffle.entry"
    " WHERE log = 0"
    " AND type IN ('winner.verify', 'winner.official', 'winner.pick', 'claim', 'claim.wait', 'forfeit')",

    "CREATE OR REPLACE VIEW raffle.event AS SELECT raffle, idx, at, role, leaf::jsonb ->> 'code' AS code,"
    " leaf::jsonb ->> 'component' AS component FROM raffle.entry WHERE log = 0 AND type = 'event'",

    "CREATE OR REPLACE VIEW raffle.unit_event AS SELECT raffle, log AS unit, idx, at, role,"
    " leaf::jsonb ->> 'code' AS code, leaf::jsonb ->> 'component' AS component FROM raffle.entry"
    " WHERE log > 0 AND type = 'event'",

    /* Searched by ranges of `key`: the indexes of events (docs/spec/sales.md). */
    "CREATE OR REPLACE VIEW raffle.event_index AS SELECT k.raffle, k.key, k.log, k.idx, r.leaf::jsonb ->> 'at' AS at,"
    " r.leaf::jsonb ->> 'by' AS role, r.leaf::jsonb ->> 'code' AS code, r.leaf::jsonb ->> 'component' AS component"
    " FROM raffle.key AS k JOIN raffle.record AS r ON r.raffle = k.raffle AND r.log = k.log AND r.idx = k.idx"
    " WHERE k.key >= '03' AND r.leaf::jsonb ->> 't' = 'event'",

    /* Last: a schema that has it has all the others. */
    "INSERT INTO raffle.meta (key, value) VALUES ('format', '1') ON CONFLICT DO NOTHING",
};

/* Keys are compared byte by byte, which is all that Aurora DSQL does, and without being told so. */
#define KEYS(collation)                                                                                                \
    "CREATE TABLE IF NOT EXISTS raffle.key (raffle integer NOT NULL, key text" collation " NOT NULL,"                  \
    " log integer NOT NULL, idx bigint NOT NULL, PRIMARY KEY (raffle, key))"

const char *rf_pg_ddl(size_t index, bool dsql)
{
    if (index >= sizeof ddl / sizeof *ddl)
        return NULL;
    if (ddl[index] != NULL)
        return ddl[index];
    return dsql ? KEYS("") : KEYS(" COLLATE pg_catalog.\"C\"");
}

static const char *const statements[RF_PG_SQL_COUNT] = {
    /* Whatever the database's default is: the argument for what follows rests on it (docs/spec/store-postgres.md). */
    [RF_PG_BEGIN] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    [RF_PG_COMMIT] = "COMMIT",
    [RF_PG_ROLLBACK] = "ROLLBACK",
    [RF_PG_TIMEOUT] = "SELECT set_config('statement_timeout', $1::text, false)",
    /* One row in any case: a log that was never written may have no row of its own. */
    [RF_PG_HEAD_GET] = "SELECT l.size, l.control, l.state, c.size FROM (SELECT 1) AS one"
                       " LEFT JOIN raffle.log AS l ON l.raffle = $1::int4 AND l.log = $2::int4"
                       " LEFT JOIN raffle.log AS c ON c.raffle = $1::int4 AND c.log = 0",
    [RF_PG_HEAD_LOCK] = "SELECT l.size, l.control, l.state, l.control FROM raffle.log AS l"
                        " WHERE l.raffle = $1::int4 AND l.log = $2::int4 FOR UPDATE",
    /* The lock on the control log's row keeps the new row from missing what is appended there. */
    [RF_PG_HEAD_MAKE] = "INSERT INTO raffle.log (raffle, log, size, control)"
                        " SELECT $1::int4, $2::int4, 0, c.size FROM raffle.log AS c"
                        " WHERE c.raffle = $1::int4 AND c.log = 0 FOR UPDATE ON CONFLICT DO NOTHING",
    [RF_PG_HEAD_PUT] = "UPDATE raffle.log SET size = $3::int8, state = $4::bytea"
                       " WHERE raffle = $1::int4 AND log = $2::int4",
    [RF_PG_CONTROL_PUT] = "UPDATE raffle.log SET control = $2::int8,"
                          " size = CASE log WHEN 0 THEN $2::int8 ELSE size END,"
                          " state = CASE log WHEN 0 THEN $3::bytea ELSE state END WHERE raffle = $1::int4",
    [RF_PG_RECORDS_PUT] = "INSERT INTO raffle.record (raffle, log, idx, leaf, private)"
                          " SELECT $1::int4, $2::int4, $3::int8 + t.n - 1, t.leaf, t.private"
                          " FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS t(leaf, private, n)",
    [RF_PG_RECORDS_GET] = "SELECT l.size, r.idx, r.leaf, r.private FROM (SELECT 1) AS one"
                          " LEFT JOIN raffle.log AS l ON l.raffle = $1::int4 AND l.log = $2::int4"
                          " LEFT JOIN (SELECT idx, leaf, private FROM raffle.record WHERE raffle = $1::int4"
                          " AND log = $2::int4 AND idx >= $3::int8 ORDER BY idx LIMIT $4::int8) AS r"
                          " ON true ORDER BY r.idx",
    [RF_PG_ERASE] = "UPDATE raffle.record SET private = NULL"
                    " WHERE raffle = $1::int4 AND log = $2::int4 AND idx = $3::int8",
    /* A node is a function of the records before it: one that is there already is the same. */
    [RF_PG_NODES_PUT] =
        "INSERT INTO raffle.node (raffle, log, level, idx, hash)"
        " SELECT $1::int4, $2::int4, t.level, t.idx, t.hash"
        " FROM unnest($3::int4[], $4::int8[], $5::bytea[]) AS t(level, idx, hash) ON CONFLICT DO NOTHING",
    [RF_PG_NODE_GET] = "SELECT hash FROM raffle.node"
                       " WHERE raffle = $1::int4 AND log = $2::int4 AND level = $3::int4 AND idx = $4::int8",
    [RF_PG_KEYS_PUT] = "INSERT INTO raffle.key (raffle, key, log, idx) SELECT $1::int4, t.key, t.log, t.idx"
                       " FROM unnest($2::text[], $3::int4[], $4::int8[]) AS t(key, log, idx)",
    /* A row of its own for each: key = ANY ($2), planned while the table is small, walks all keys of the raffle until somebody analyzes. */
    [RF_PG_KEYS_GET] = "SELECT k.key, k.log, k.idx FROM unnest($2::text[]) AS t(key), LATERAL (SELECT key, log, idx"
                       " FROM raffle.key WHERE raffle = $1::int4 AND key = t.key LIMIT 1) AS k",
    [RF_PG_KEYS_SCAN] = "SELECT key, log, idx FROM raffle.key WHERE raffle = $1::int4 AND key >= $2::text"
                        " AND key < $3::text ORDER BY key LIMIT $4::int8",
    [RF_PG_KEYS_SCAN_BACK] = "SELECT key, log, idx FROM raffle.key WHERE raffle = $1::int4 AND key >= $2::text"
                             " AND key < $3::text ORDER BY key DESC LIMIT $4::int8",
    [RF_PG_NOTE_PUT] = "INSERT INTO raffle.note (raffle, log, size, note)"
                       " VALUES ($1::int4, $2::int4, $3::int8, $4::text)"
                       " ON CONFLICT (raffle, log, size) DO UPDATE SET note = excluded.note",
    [RF_PG_NOTE_GET] = "SELECT size, note FROM raffle.note"
                       " WHERE raffle = $1::int4 AND log = $2::int4 AND size = $3::int8",
    [RF_PG_NOTE_LATEST] = "SELECT size, note FROM raffle.note WHERE raffle = $1::int4 AND log = $2::int4"
                          " ORDER BY size DESC LIMIT 1",
    [RF_PG_RAFFLES] = "SELECT raffle, origin FROM raffle.raffle ORDER BY raffle LIMIT 100",
    [RF_PG_RAFFLE_GET] = "SELECT raffle, origin FROM raffle.raffle WHERE origin = $1::text",
    [RF_PG_RAFFLE_PUT] = "INSERT INTO raffle.raffle (raffle, origin)"
                         " SELECT coalesce(max(raffle), 0) + 1, $1::text FROM raffle.raffle RETURNING raffle",
    [RF_PG_CONTROL_MAKE] = "INSERT INTO raffle.log (raffle, log, size, control)"
                           " SELECT raffle, 0, 0, 0 FROM raffle.raffle WHERE origin = $1::text",
};

const char *rf_pg_sql_text(rf_pg_sql which, bool dsql)
{
    return dsql && which == RF_PG_BEGIN ? "BEGIN" : statements[which];
}
