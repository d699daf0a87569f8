/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, the views for auditors, and the text of every statement; making them, and telling whether a file has them. */
#include "sqlite_db.h"

#include "error.h"
#include <string.h>

/* A table as it is made; sqlite_schema keeps this text, so that opening can compare it. */
typedef struct table {
    const char *name, *sql;
} table;

static const table tables[] = {
    {"meta", "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"},
    {"log", "CREATE TABLE log (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, state BLOB)"},
    /* id = log * 2^40 + index: one integer key is a third faster than a composite one (design §15). */
    {"record", "CREATE TABLE record (id INTEGER PRIMARY KEY, leaf TEXT NOT NULL, private TEXT)"},
    {"key", "CREATE TABLE key (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID"},
    /* id = log * 2^38 + level * 2^32 + index. */
    {"node", "CREATE TABLE node (id INTEGER PRIMARY KEY, hash BLOB NOT NULL)"},
    {"note", "CREATE TABLE note (log INTEGER NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (log, "
             "size)) WITHOUT ROWID"},
};

/* What an auditor may ask in SQL of a copy. Nothing in the library reads them. */
static const char *const views[] = {
    "CREATE VIEW entry AS SELECT id >> 40 AS log, id & 1099511627775 AS idx, json_extract(leaf, '$.t') AS type,"
    " json_extract(leaf, '$.at') AS at, json_extract(leaf, '$.by') AS role, leaf, private FROM record",

    "CREATE VIEW ticket AS SELECT log AS unit, idx AS serial, at, role, json_extract(leaf, '$.n') AS first_number,"
    " json_extract(leaf, '$.n') + json_extract(leaf, '$.count') - 1 AS last_number, json_extract(leaf, '$.count') AS "
    "count,"
    " json_extract(leaf, '$.price') AS price, json_extract(leaf, '$.tier') AS tier FROM entry WHERE type = 'sale'",

    "CREATE VIEW void AS SELECT log, idx, at, role, json_extract(leaf, '$.unit') AS unit, json_extract(leaf, "
    "'$.serial') AS serial,"
    " json_extract(leaf, '$.reason') AS reason, json_extract(leaf, '$.count') AS count, json_extract(leaf, '$.price') "
    "AS price"
    " FROM entry WHERE type = 'void'",

    "CREATE VIEW unit AS SELECT idx, at, role, type, json_extract(leaf, '$.unit') AS unit, json_extract(leaf, "
    "'$.name') AS name,"
    " json_extract(leaf, '$.quota') AS quota FROM entry WHERE log = 0 AND type LIKE 'unit.%'",

    "CREATE VIEW seal AS SELECT idx, at, role, type, json_extract(leaf, '$.unit') AS unit, json_extract(leaf, "
    "'$.size') AS size,"
    " json_extract(leaf, '$.root') AS root, json_extract(leaf, '$.tickets') AS tickets, json_extract(leaf, '$.gross') "
    "AS gross"
    " FROM entry WHERE log = 0 AND type IN ('seal.unit', 'seal')",

    "CREATE VIEW draw AS SELECT idx, at, role, type, json_extract(leaf, '$.prize') AS prize, json_extract(leaf, "
    "'$.attempt') AS attempt,"
    " leaf FROM entry WHERE log = 0 AND type LIKE 'draw.%'",

    /* The places of a result, those of the draw.picks between its intent and itself too; and of a drum draw, one for
       each number that was called and took one. */
    "CREATE VIEW place AS SELECT r.id AS idx, json_extract(r.leaf, '$.prize') AS prize, json_extract(r.leaf, "
    "'$.attempt') AS attempt,"
    " p.key + CASE json_extract(e.leaf, '$.t') WHEN 'draw.picks' THEN json_extract(e.leaf, '$.first') ELSE"
    " json_extract(r.leaf, '$.winners') + json_extract(r.leaf, '$.alternates') - json_array_length(e.leaf, '$.places') "
    "+ 1"
    " END AS place, json_extract(p.value, '$.unit') AS unit, json_extract(p.value, '$.number') AS number,"
    " json_extract(p.value, '$.serial') AS serial"
    " FROM record AS r, record AS e, json_each(e.leaf, '$.places') AS p"
    " WHERE r.id < 1099511627776 AND json_extract(r.leaf, '$.t') = 'draw.result'"
    " AND e.id > json_extract(r.leaf, '$.intent') AND e.id <= r.id"
    " AND json_extract(e.leaf, '$.t') IN ('draw.picks', 'draw.result')"
    " UNION ALL SELECT r.id, json_extract(r.leaf, '$.prize'), json_extract(r.leaf, '$.attempt'),"
    " row_number() OVER (PARTITION BY r.id ORDER BY e.id), json_extract(e.leaf, '$.unit'),"
    " json_extract(e.leaf, '$.number'), json_extract(e.leaf, '$.serial') FROM record AS r, record AS e"
    " WHERE r.id < 1099511627776 AND json_extract(r.leaf, '$.t') = 'draw.manual'"
    " AND e.id > json_extract(r.leaf, '$.intent') AND e.id < r.id"
    " AND json_extract(e.leaf, '$.t') = 'draw.call' AND json_extract(e.leaf, '$.outcome') = 'taken'",

    "CREATE VIEW claim AS SELECT idx, at, role, type, json_extract(leaf, '$.prize') AS prize, json_extract(leaf, "
    "'$.place') AS place, leaf"
    " FROM entry WHERE log = 0 AND type IN ('winner.verify', 'winner.official', 'winner.pick', 'claim', 'claim.wait',"
    " 'forfeit')",

    "CREATE VIEW event AS SELECT idx, at, role, json_extract(leaf, '$.code') AS code, json_extract(leaf, "
    "'$.component') AS component"
    " FROM entry WHERE log = 0 AND type = 'event'",

    "CREATE VIEW unit_event AS SELECT log AS unit, idx, at, role, json_extract(leaf, '$.code') AS code,"
    " json_extract(leaf, '$.component') AS component FROM entry WHERE log > 0 AND type = 'event'",

    /* Searched by ranges of `key`: the indexes of events (docs/spec/sales.md). */
    "CREATE VIEW event_index AS SELECT k.key, k.id >> 40 AS log, k.id & 1099511627775 AS idx,"
    " json_extract(r.leaf, '$.at') AS at, json_extract(r.leaf, '$.by') AS role, json_extract(r.leaf, '$.code') AS code,"
    " json_extract(r.leaf, '$.component') AS component FROM key AS k CROSS JOIN record AS r"
    " WHERE k.key >= x'03' AND r.id = k.id AND json_extract(r.leaf, '$.t') = 'event'",
};

/* One row in any case: a log that was never written has no row of its own. */
static const char head_get[] = "SELECT l.size, l.state, c.size FROM (SELECT 1)"
                               " LEFT JOIN log AS l ON l.log = ?1 LEFT JOIN log AS c ON c.log = 0";
static const char head_put[] = "INSERT INTO log (log, size, state) VALUES (?1, ?2, ?3)"
                               " ON CONFLICT (log) DO UPDATE SET size = ?2, state = ?3";

static const char *const statements[RF_SQL_COUNT] = {
    [RF_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [RF_SQL_BEGIN_READ] = "BEGIN",
    [RF_SQL_COMMIT] = "COMMIT",
    [RF_SQL_ROLLBACK] = "ROLLBACK",
    [RF_SQL_SAVEPOINT] = "SAVEPOINT request",
    [RF_SQL_ROLLBACK_TO] = "ROLLBACK TO request",
    [RF_SQL_RELEASE] = "RELEASE request",
    [RF_SQL_HEAD_GET] = head_get,
    [RF_SQL_HEAD_PUT] = head_put,
    [RF_SQL_RECORD_PUT] = "INSERT INTO record (id, leaf, private) VALUES (?1, ?2, ?3)",
    [RF_SQL_RECORD_GET] = "SELECT id, leaf, private FROM record WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
    [RF_SQL_RECORD_ERASE] = "UPDATE record SET private = NULL WHERE id = ?1",
    [RF_SQL_NODE_PUT] = "INSERT OR REPLACE INTO node (id, hash) VALUES (?1, ?2)",
    [RF_SQL_NODE_GET] = "SELECT hash FROM node WHERE id = ?1",
    [RF_SQL_KEY_PUT] = "INSERT OR IGNORE INTO key (key, id) VALUES (?1, ?2)",
    [RF_SQL_KEY_GET] = "SELECT id FROM key WHERE key = ?1",
    [RF_SQL_KEY_SCAN] = "SELECT key, id FROM key WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
    [RF_SQL_KEY_SCAN_BACK] = "SELECT key, id FROM key WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3",
    [RF_SQL_NOTE_PUT] = "INSERT OR REPLACE INTO note (log, size, note) VALUES (?1, ?2, ?3)",
    [RF_SQL_NOTE_GET] = "SELECT size, note FROM note WHERE log = ?1 AND size = ?2",
    [RF_SQL_NOTE_LATEST] = "SELECT size, note FROM note WHERE log = ?1 ORDER BY size DESC LIMIT 1",
    [RF_SQL_META_PUT] = "INSERT INTO meta (key, value) VALUES (?1, ?2)",
    [RF_SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
};

const char *rf_sql_text(rf_sql which)
{
    return statements[which];
}

static raffle_rc execute(rf_conn *conn, const char *sql, raffle_error *err)
{
    int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? RAFFLE_OK : rf_conn_fail(conn, code, "make the tables", err);
}

/* The first column of the first row, as a number; 0 when there is no row. */
static raffle_rc number_of(rf_conn *conn, const char *sql, const char *bound, int64_t *out, raffle_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(conn->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return rf_conn_fail(conn, code, "read the tables", err);
    if (bound != NULL)
        sqlite3_bind_text(statement, 1, bound, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    code = sqlite3_finalize(statement);
    return code == SQLITE_OK ? RAFFLE_OK : rf_conn_fail(conn, code, "read the tables", err);
}

static raffle_rc make_all(rf_conn *conn, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < sizeof tables / sizeof *tables; i++)
        rc = execute(conn, tables[i].sql, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < sizeof views / sizeof *views; i++)
        rc = execute(conn, views[i], err);
    if (rc != RAFFLE_OK)
        return rc;
    char text[96];
    sqlite3_snprintf(sizeof text, text, "PRAGMA application_id = %d; PRAGMA user_version = %d", RF_SQLITE_APPLICATION,
                     RF_SQLITE_FORMAT);
    return execute(conn, text, err);
}

/* In one transaction: a file has all of it or nothing. Another process may have been faster. */
raffle_rc rf_schema_create(rf_conn *conn, raffle_error *err)
{
    raffle_rc rc = execute(conn, "BEGIN IMMEDIATE", err);
    if (rc != RAFFLE_OK)
        return rc;
    bool empty = true;
    raffle_error ignored = RAFFLE_ERROR_INIT;
    rc = rf_schema_check(conn, &empty, &ignored);
    if (rc != RAFFLE_OK && empty)
        rc = make_all(conn, err);
    else if (rc != RAFFLE_OK)
        rf_fail_as(err, &ignored);
    if (rc == RAFFLE_OK)
        rc = execute(conn, "COMMIT", err);
    if (rc != RAFFLE_OK && sqlite3_get_autocommit(conn->db) == 0)
        sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static raffle_rc check_tables(rf_conn *conn, raffle_error *err)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        int64_t found = 0;
        raffle_rc rc = number_of(conn, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql = ?1",
                                 tables[i].sql, &found, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (found != 1)
            return rf_fail(err, RAFFLE_CORRUPT, "%s: the table %s is missing or altered", conn->owner->path,
                           tables[i].name);
    }
    return RAFFLE_OK;
}

raffle_rc rf_schema_check(rf_conn *conn, bool *empty, raffle_error *err)
{
    int64_t application = 0, version = 0, objects = 0;
    *empty = false;
    raffle_rc rc = number_of(conn, "PRAGMA application_id", NULL, &application, err);
    if (rc == RAFFLE_OK)
        rc = number_of(conn, "PRAGMA user_version", NULL, &version, err);
    if (rc == RAFFLE_OK)
        rc = number_of(conn, "SELECT count(*) FROM sqlite_schema", NULL, &objects, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (application != RF_SQLITE_APPLICATION) {
        *empty = application == 0 && version == 0 && objects == 0;
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "%s is a database, and holds no raffle", conn->owner->path);
    }
    if (version > RF_SQLITE_FORMAT)
        return rf_fail(err, RAFFLE_NEWER, "%s has format %lld; this build reads %d", conn->owner->path,
                       (long long)version, (int)RF_SQLITE_FORMAT);
    if (version < RF_SQLITE_FORMAT)
        return rf_fail(err, RAFFLE_CORRUPT, "%s has format %lld, which never was", conn->owner->path,
                       (long long)version);
    return check_tables(conn, err);
}
