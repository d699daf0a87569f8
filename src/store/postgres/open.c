/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and freeing the PostgreSQL store: whether its tables are ours, making them, and the table of its functions. */
#include "postgres/postgres.h"

#include "error.h"
#include "filesystem.h"
#include "postgres/db.h"
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT_MS = 10000
};

static void free_memory(rf_pg *db)
{
    rf_anchor_free(db->anchor);
    pthread_mutex_destroy(&db->lock);
    rf_pg_uri_clear(&db->uri);
    free(db);
}

/* In a forked child the connections are the parent's: they are left to exit. */
static void rf_pg_free(void *ctx)
{
    rf_pg *db = ctx;
    if (db->pid != getpid())
        return;
    rf_pg_conns_close(db);
    free_memory(db);
}

static raffle_rc prepare_tables(rf_pg_conn *c, bool create, raffle_error *err)
{
    bool missing = false;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_pg_schema_check(c, &missing, &own);
    if (rc == RAFFLE_OK || !missing || !create)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &own);
    rc = rf_pg_schema_create(c, err);
    return rc == RAFFLE_OK ? rf_pg_schema_check(c, &missing, err) : rc;
}

static raffle_rc look_at_database(rf_pg *db, bool create, raffle_error *err)
{
    rf_pg_conn *c = NULL;
    raffle_rc rc = rf_pg_conn_take(db, rf_pg_deadline(db->timeout_ms), true, &c, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = prepare_tables(c, create, err);
    rf_pg_conn_return(c);
    return rc;
}

/* A raffle that is not there yet can be created; one that is not, and is only to be read, is a failure of the first call. */
static raffle_rc look_for_raffle(rf_pg *db, bool create, raffle_error *err)
{
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_pg_pick(db, &own);
    if (rc == RAFFLE_OK || (rc == RAFFLE_NOT_FOUND && create))
        return RAFFLE_OK;
    return rf_fail_as(err, &own);
}

static raffle_rc set_anchor(rf_pg *db, raffle_error *err)
{
    char *path = NULL;
    if (db->uri.anchor == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_absolute_path(db->uri.anchor, &path, err);
    if (rc == RAFFLE_OK)
        rc = rf_anchor_new(path, &db->anchor, err);
    free(path);
    return rc;
}

static void fill_table(raffle_store_table *table, const rf_pg *db)
{
    *table = (raffle_store_table){.struct_size = sizeof *table,
                                  .batch_rows = db->uri.dsql ? RF_PG_DSQL_ROWS : 0,
                                  .batch_bytes = db->uri.dsql ? RF_PG_DSQL_BYTES : 0,
                                  .origin = rf_pg_origin,
                                  .create = rf_pg_create,
                                  .put_back = rf_pg_put_back,
                                  .anchor_of = rf_pg_anchor_of,
                                  .head = rf_pg_head,
                                  .append = rf_pg_append,
                                  .read = rf_pg_records,
                                  .node = rf_pg_node,
                                  .find = rf_pg_find,
                                  .scan = rf_pg_scan,
                                  .scan_back = rf_pg_scan_back,
                                  .note_put = rf_pg_note_put,
                                  .note_get = rf_pg_note_get,
                                  .erase = rf_pg_erase,
                                  .free = rf_pg_free};
    if (db->anchor != NULL) {
        table->anchor_get = rf_pg_anchor_get;
        table->anchor_put = rf_pg_anchor_put;
    }
}

static raffle_rc open_database(rf_pg *db, const char *uri, bool create, raffle_error *err)
{
    if (PQisthreadsafe() == 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "the libpq that is linked was built without threads");
    if (sodium_init() < 0)
        return rf_fail(err, RAFFLE_IO, "libsodium finds no source of randomness");
    raffle_rc rc = rf_pg_uri_parse(&db->uri, uri, err);
    create = rc == RAFFLE_OK && (create || db->uri.create);
    if (rc == RAFFLE_OK && create && db->uri.readonly)
        rc = rf_fail(err, RAFFLE_INVALID, "URI: a raffle cannot be made with readonly=1");
    if (rc == RAFFLE_OK)
        rc = set_anchor(db, err);
    if (rc == RAFFLE_OK)
        rc = look_at_database(db, create, err);
    return rc == RAFFLE_OK ? look_for_raffle(db, create, err) : rc;
}

raffle_rc rf_postgres_open(const char *uri, const raffle_host *host, bool create, raffle_store_table *table, void **ctx,
                           raffle_error *err)
{
    rf_pg *db = calloc(1, sizeof *db);
    if (db == NULL)
        return rf_nomem(err);
    if (pthread_mutex_init(&db->lock, NULL) != 0) {
        free(db);
        return rf_nomem(err);
    }
    db->host = *host;
    db->pid = getpid();
    db->timeout_ms = host->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : host->timeout_ms;
    raffle_rc rc = open_database(db, uri, create, err);
    if (rc != RAFFLE_OK) {
        rf_pg_conns_close(db);
        free_memory(db);
        return rc;
    }
    fill_table(table, db);
    *ctx = db;
    return RAFFLE_OK;
}
