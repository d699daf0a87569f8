/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables, a statement a transaction, and telling whether a database has them as they were made. */
#include "postgres/db.h"

#include "bytes.h"
#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 8,
    TEXT_MOST = 4096
};

/* Columns with their types, and primary keys, of our tables; and how many of these have what might act by itself. */
static const char look[] =
    "SELECT string_agg(c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)"
    " || CASE WHEN a.attnotnull THEN ' !' ELSE '' END, ', ' ORDER BY c.relname, a.attnum),"
    " (SELECT string_agg(p.relname || ' ' || (SELECT string_agg(b.attname, ' ' ORDER BY u.n)"
    " FROM unnest(k.conkey) WITH ORDINALITY AS u(num, n)"
    " JOIN pg_attribute AS b ON b.attrelid = k.conrelid AND b.attnum = u.num), ', ' ORDER BY p.relname)"
    " FROM pg_constraint AS k JOIN pg_class AS p ON p.oid = k.conrelid JOIN pg_namespace AS q ON q.oid = p.relnamespace"
    " WHERE q.nspname = 'raffle' AND k.contype = 'p' AND NOT k.condeferrable"
    " AND p.relname IN ('key', 'log', 'meta', 'node', 'note', 'raffle', 'record')),"
    " (count(*) FILTER (WHERE c.relkind <> 'r' OR c.relhastriggers OR c.relhasrules OR c.relrowsecurity))::int8,"
    " (count(*) FILTER (WHERE c.relname = 'key' AND a.attname = 'key' AND a.attcollation <> 950))::int8"
    " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid"
    " WHERE n.nspname = 'raffle' AND c.relkind NOT IN ('i', 'I') AND a.attnum > 0 AND NOT a.attisdropped"
    " AND c.relname IN ('key', 'log', 'meta', 'node', 'note', 'raffle', 'record')";

static const char columns[] =
    "key.raffle integer !, key.key text !, key.log integer !, key.idx bigint !, "
    "log.raffle integer !, log.log integer !, log.size bigint !, log.control bigint !, log.state bytea, "
    "meta.key text !, meta.value text !, "
    "node.raffle integer !, node.log integer !, node.level integer !, node.idx bigint !, node.hash bytea !, "
    "note.raffle integer !, note.log integer !, note.size bigint !, note.note text !, "
    "raffle.raffle integer !, raffle.origin text !, "
    "record.raffle integer !, record.log integer !, record.idx bigint !, record.leaf text !, record.private text";
static const char primary_keys[] = "key raffle key, log raffle log, meta key, node raffle log level idx, "
                                   "note raffle log size, raffle raffle, record raffle log idx";

static bool is_text(const PGresult *r, int column, const char *text, bool *null)
{
    const char *value = NULL;
    size_t length = 0;
    return rf_pg_value(r, 0, column, RF_PG_TEXT, TEXT_MOST, &value, &length, null) && !*null &&
           length == strlen(text) && memcmp(value, text, length) == 0;
}

static raffle_rc no_tables(const rf_pg_conn *c, bool *missing, raffle_error *err)
{
    *missing = true;
    return rf_fail(err, RAFFLE_NOT_RAFFLE, "%s holds no raffle: it has no tables, or not all, of the library's",
                   c->owner->uri.label);
}

static raffle_rc judge_format(const rf_pg_conn *c, const PGresult *r, bool *missing, raffle_error *err)
{
    const char *value = NULL;
    size_t length = 0;
    uint64_t format = 0;
    if (PQntuples(r) == 0)
        return no_tables(c, missing, err);
    if (!rf_pg_value(r, 0, 0, RF_PG_TEXT, 16, &value, &length, NULL) ||
        !rf_decimal_parse(value, length, INT32_MAX, &format) || format == 0)
        return rf_pg_damaged(c, "the format in the table meta", err);
    if (format > RF_PG_FORMAT)
        return rf_fail(err, RAFFLE_NEWER, "%s has format %d; this build reads %d", c->owner->uri.label, (int)format,
                       (int)RF_PG_FORMAT);
    return RAFFLE_OK;
}

static raffle_rc check_format(rf_pg_conn *c, bool *missing, raffle_error *err)
{
    PGresult *r = NULL;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_pg_ask_text(c, "SELECT value FROM raffle.meta WHERE key = 'format'", "read the format", &r, &own);
    if (rc == RAFFLE_OK)
        rc = judge_format(c, r, missing, err);
    else if (rf_pg_state_is(c, "42P01"))
        rc = no_tables(c, missing, err);
    else
        rf_fail_as(err, &own);
    PQclear(r);
    return rc;
}

static raffle_rc judge_tables(const rf_pg_conn *c, const PGresult *r, raffle_error *err)
{
    bool null = false;
    uint64_t odd = 0, collated = 0;
    if (!is_text(r, 0, columns, &null))
        return rf_fail(err, RAFFLE_CORRUPT, "%s: the columns of the tables are not as they were made",
                       c->owner->uri.label);
    if (!is_text(r, 1, primary_keys, &null))
        return rf_fail(err, RAFFLE_CORRUPT, "%s: the primary keys of the tables are not as they were made",
                       c->owner->uri.label);
    if (!rf_pg_number(r, 0, 2, INT64_MAX, &odd, NULL) || odd > 0)
        return rf_fail(err, RAFFLE_CORRUPT, "%s: a table of the raffle's has triggers, rules or policies",
                       c->owner->uri.label);
    if (!rf_pg_number(r, 0, 3, INT64_MAX, &collated, NULL) || (collated > 0 && !c->owner->uri.dsql))
        return rf_fail(err, RAFFLE_CORRUPT, "%s: the keys are not compared byte by byte", c->owner->uri.label);
    return RAFFLE_OK;
}

/* The format first: it is written last, so that tables which are looked at after it are whole, also when somebody else is making them. */
raffle_rc rf_pg_schema_check(rf_pg_conn *c, bool *missing, raffle_error *err)
{
    PGresult *r = NULL;
    *missing = false;
    raffle_rc rc = check_format(c, missing, err);
    if (rc == RAFFLE_OK)
        rc = rf_pg_ask_text(c, look, "look at the tables", &r, err);
    if (rc == RAFFLE_OK)
        rc = judge_tables(c, r, err);
    PQclear(r);
    return rc;
}

/* Somebody else may be making the same at this moment: then it is there, or is tried again. */
static bool is_overtaken(const rf_pg_conn *c)
{
    return rf_pg_conflict(c) || rf_pg_state_is(c, "23505") || rf_pg_state_is(c, "42P06") ||
           rf_pg_state_is(c, "42P07") || rf_pg_state_is(c, "42710") || rf_pg_state_is(c, "XX000");
}

static raffle_rc make(rf_pg_conn *c, const char *sql, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    raffle_error own = RAFFLE_ERROR_INIT;
    for (int i = 0; i < TRIES; i++) {
        PGresult *r = NULL;
        rc = rf_pg_ask_text(c, sql, "make the tables", &r, &own);
        PQclear(r);
        if (rc == RAFFLE_OK || c->broken || !is_overtaken(c))
            break;
    }
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &own);
}

raffle_rc rf_pg_schema_create(rf_pg_conn *c, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    const bool dsql = c->owner->uri.dsql;
    for (size_t i = 0; rc == RAFFLE_OK && rf_pg_ddl(i, dsql) != NULL; i++)
        rc = make(c, rf_pg_ddl(i, dsql), err);
    return rc;
}
