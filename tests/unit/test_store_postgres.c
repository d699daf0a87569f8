/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL store over a real server, RAFFLE_POSTGRES (an URI whose user may create databases): the conformance suite;
 * opening, several raffles, damage, conflicts, connections that are lost, rights.
 */
#include "store_suite.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char uri[512], database[64];
static raffle_error err;

/* --- a stranger's connection --- */

static PGconn *stranger(const char *to)
{
    PGconn *pg = PQconnectdb(to);
    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    return pg;
}

static void sql_at(const char *to, const char *text)
{
    PGconn *pg = stranger(to);
    PGresult *r = PQexec(pg, text);
    const ExecStatusType status = PQresultStatus(r);
    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", text, PQerrorMessage(pg));
    PQclear(r);
    PQfinish(pg);
}

/* --- a database of each test's own --- */

static const char *server(void)
{
    const char *given = getenv("RAFFLE_POSTGRES");
    ck_assert_msg(given != NULL, "RAFFLE_POSTGRES names no server");
    return given;
}

/* The server's URI with another database in its path, and perhaps another user. */
static void name_database(char *out, size_t cap, const char *user, const char *name)
{
    const char *at = strchr(server(), '@'), *path = at == NULL ? NULL : strchr(at, '/');
    ck_assert_ptr_nonnull(path);
    if (user == NULL)
        snprintf(out, cap, "%.*s/%s", (int)(path - server()), server(), name);
    else
        snprintf(out, cap, "postgresql://%s%.*s/%s", user, (int)(path - at), at, name);
}

static void make_database(void)
{
    static unsigned count;
    char text[128];
    err = (raffle_error)RAFFLE_ERROR_INIT;
    snprintf(database, sizeof database, "t%ld_%u", (long)getpid(), count++);
    snprintf(text, sizeof text, "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", database);
    sql_at(server(), text);
    name_database(uri, sizeof uri, NULL, database);
}

static void drop_database(void)
{
    char text[128];
    snprintf(text, sizeof text, "DROP DATABASE %s WITH (FORCE)", database);
    sql_at(server(), text);
}

static raffle_rc open_with(const char *query, raffle_store **out)
{
    char text[640];
    snprintf(text, sizeof text, "%s%s", uri, query);
    return raffle_store_open(text, NULL, out, &err);
}

static raffle_store *open_new(void)
{
    raffle_store *opened = NULL;
    make_database();
    raffle_rc rc = open_with("?create=1", &opened);
    ck_assert_msg(rc == RAFFLE_OK, "open: %s", err.message);
    return opened;
}

int main(void)
{
    static const store_suite conformance = {"postgres", open_new, drop_database};
    Suite *suite = suite_create("store_postgres");
    suite_add_tcase(suite, store_suite_tcase(&conformance));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
