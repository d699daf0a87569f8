/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL store over a real server, by tests/servers/postgres.py: RAFFLE_POSTGRES, an URI whose user may create databases, and
 * RAFFLE_POSTGRES_TCP, one that wants a password. The conformance suite;
 * opening, several raffles, damage, conflicts, connections that are lost, rights.
 */
#include "cutting_proxy.h"
#include "store_suite.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char uri[512];
static const char database[] = "raffles";
static raffle_store *store;
static raffle_error err;

/* --- a stranger's connection --- */

static void ignore_notice(void *ctx, const char *notice)
{
    (void)ctx;
    (void)notice;
}

static PGconn *stranger(const char *to)
{
    PGconn *pg = PQconnectdb(to);
    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    PQsetNoticeProcessor(pg, ignore_notice, NULL);
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

static void sql(const char *text)
{
    sql_at(uri, text);
}

/* --- answers on their way --- */

static int fail_in;        /* the answer of so many-th INSERT is lost, as when libpq finds no memory for it */
static const char *meddle; /* what somebody else does after the next answer with rows */

PGresult *PQgetResult(PGconn *conn)
{
    PGresult *(*next)(PGconn *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "PQgetResult");
    PGresult *r = next(conn);
    const char *text = meddle;
    if (text != NULL && PQresultStatus(r) == PGRES_TUPLES_OK && PQnfields(r) != 2) {
        meddle = NULL;
        sql(text);
    }
    if (fail_in == 0 || r == NULL || strncmp(PQcmdStatus(r), "INSERT", 6) != 0 || --fail_in > 0)
        return r;
    PQclear(r);
    return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
}

static atomic_bool secret_freed; /* memory with "hunter2" in it was given back */

void PQconninfoFree(PQconninfoOption *options)
{
    void (*next)(PQconninfoOption *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "PQconninfoFree");
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        secret_freed = secret_freed || (o->val != NULL && strstr(o->val, "hunter2") != NULL);
    next(options);
}

static const char *sql_text(const char *query)
{
    static char out[512];
    PGconn *pg = stranger(uri);
    PGresult *r = PQexec(pg, query);
    ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", query, PQerrorMessage(pg));
    snprintf(out, sizeof out, "%s", PQntuples(r) == 0 ? "" : PQgetvalue(r, 0, 0));
    PQclear(r);
    PQfinish(pg);
    return out;
}

/* --- a database, empty for each test --- */

static const char *server(void)
{
    const char *given = getenv("RAFFLE_POSTGRES");
    ck_assert_msg(given != NULL, "RAFFLE_POSTGRES names no server");
    return given;
}

/* An URI of the server's with another user and another database. */
static void name_database_at(const char *base, char *out, size_t cap, const char *user, const char *name)
{
    const char *at = base == NULL ? NULL : strchr(base, '@'), *path = at == NULL ? NULL : strchr(at, '/');
    ck_assert_ptr_nonnull(path);
    snprintf(out, cap, "postgresql://%s%.*s/%s", user, (int)(path - at), at, name);
}

static void name_database(char *out, size_t cap, const char *user, const char *name)
{
    name_database_at(server(), out, cap, user, name);
}

/* Made once for the program, whose tests may be its children, and emptied for each: making one takes longer than most of the tests. */
static void make_database(void)
{
    char text[128];
    err = (raffle_error)RAFFLE_ERROR_INIT;
    snprintf(text, sizeof text, "ALTER DATABASE %s RESET ALL", database);
    sql_at(server(), text);
    name_database(uri, sizeof uri, "raffle", database);
    sql("DROP SCHEMA IF EXISTS raffle CASCADE; DROP FUNCTION IF EXISTS public.meddle");
}

static void leave_database(void)
{
    uri[0] = '\0';
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

static void set_up(void)
{
    store = open_new();
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_OK);
}

static void tear_down(void)
{
    raffle_store_free(store);
    store = NULL;
    leave_database();
}

static void reopen(const char *query)
{
    raffle_store_free(store);
    store = NULL;
    raffle_rc rc = open_with(query, &store);
    ck_assert_msg(rc == RAFFLE_OK, "open: %s", err.message);
}

static void expect_open(const char *query, raffle_rc expected)
{
    raffle_store *other = NULL;
    raffle_rc rc = open_with(query, &other);
    ck_assert_msg(rc == expected, "%s: %s, not %s: %s", query, raffle_rc_name(rc), raffle_rc_name(expected),
                  err.message);
    raffle_store_free(other);
}

/* --- opening --- */

START_TEST(reopened_store_has_it_all)
{
    const raffle_store_key key = store_key(1, "order", 1, 4);
    raffle_store_key row;
    store_job job = {.prefix = "a", .records = 700, .keys = &key, .key_count = 1, .state = "state"};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    reopen("");
    ck_assert_uint_eq(store_check_log(store, 1), 700);
    ck_assert_int_eq(rf_store_find(store, 1, key.key, key.length, &row, &err), RAFFLE_OK);
    ck_assert_uint_eq(row.index, 4);
    reopen("#" STORE_ORIGIN);
    ck_assert_uint_eq(store_check_log(store, 1), 700);
}
END_TEST

START_TEST(database_without_a_raffle)
{
    sql("DROP SCHEMA raffle CASCADE");
    expect_open("", RAFFLE_NOT_RAFFLE);
    expect_open("?create=1", RAFFLE_OK);
    expect_open("", RAFFLE_NOT_FOUND);
    expect_open("?create=1&readonly=1", RAFFLE_INVALID);
}
END_TEST

START_TEST(tables_that_were_half_made)
{
    store_append(store, 1, 3, "a");
    sql("DELETE FROM raffle.meta; DROP TABLE raffle.node");
    expect_open("", RAFFLE_NOT_RAFFLE);
    expect_open("?create=1", RAFFLE_OK);
    reopen("");
    ck_assert_uint_eq(store_check_log(store, 1), 3);
}
END_TEST

/* What is opened while somebody else makes its tables is not there yet, or is; it is not damaged. */
START_TEST(tables_that_are_being_made)
{
    raffle_store *other = NULL;
    sql("DELETE FROM raffle.meta; DROP TABLE raffle.node");
    meddle = "CREATE TABLE raffle.node (raffle integer NOT NULL, log integer NOT NULL, level integer NOT NULL, "
             "idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (raffle, log, level, idx)); "
             "INSERT INTO raffle.meta (key, value) VALUES ('format', '1')";
    ck_assert_int_eq(open_with("", &other), RAFFLE_NOT_RAFFLE);
    ck_assert_ptr_null(meddle);
    reopen("");
}
END_TEST

START_TEST(several_raffles_in_a_database)
{
    const raffle_store_key key = store_key(1, "order", 1, 0);
    store_job job = {.prefix = "b", .records = 5, .keys = &key, .key_count = 1};
    store_append(store, 1, 2, "a");
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    reopen("?create=1#raffle.example/second");
    ck_assert_int_eq(rf_store_create(store, "raffle.example/third", &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_create(store, "raffle.example/second", &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(store, 1), 0);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, 1);
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    expect_open("", RAFFLE_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, STORE_ORIGIN ", raffle.example/second"));
    expect_open("#raffle.example/fourth", RAFFLE_NOT_FOUND);
    expect_open("#Not an origin", RAFFLE_INVALID);
    reopen("#" STORE_ORIGIN);
    ck_assert_uint_eq(store_check_log(store, 1), 7);
}
END_TEST

/* Both make the tables and the raffle, at the same time. */
static void *create_at_once(void *ctx)
{
    raffle_error e = RAFFLE_ERROR_INIT;
    raffle_store *other = NULL;
    char text[640];
    snprintf(text, sizeof text, "%s?create=1#%s", uri, (const char *)ctx);
    raffle_rc rc = raffle_store_open(text, NULL, &other, &e);
    if (rc == RAFFLE_OK)
        rc = rf_store_create(other, ctx, &e);
    if (rc != RAFFLE_OK)
        fprintf(stderr, "# create: %s\n", e.message);
    raffle_store_free(other);
    return rc == RAFFLE_OK ? ctx : NULL;
}

START_TEST(raffles_created_at_the_same_time)
{
    static char origins[4][32];
    pthread_t thread[4];
    void *good = NULL;
    sql("DROP SCHEMA raffle CASCADE");
    for (int i = 0; i < 4; i++) {
        snprintf(origins[i], sizeof *origins, "raffle.example/r%d", i);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, create_at_once, origins[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &good);
        ck_assert_ptr_nonnull(good);
    }
    ck_assert_str_eq(sql_text("SELECT string_agg(raffle::text, ' ' ORDER BY raffle) FROM raffle.raffle"), "1 2 3 4");
}
END_TEST

START_TEST(other_formats)
{
    sql("UPDATE raffle.meta SET value = '2'");
    expect_open("", RAFFLE_NEWER);
    sql("UPDATE raffle.meta SET value = '0'");
    expect_open("", RAFFLE_CORRUPT);
    sql("UPDATE raffle.meta SET value = 'one'");
    expect_open("", RAFFLE_CORRUPT);
}
END_TEST

static const char *const alterations[] = {
    "ALTER TABLE raffle.record ADD COLUMN more text",
    "ALTER TABLE raffle.log ALTER COLUMN size TYPE numeric",
    "ALTER TABLE raffle.record ALTER COLUMN private SET NOT NULL",
    "ALTER TABLE raffle.record DROP CONSTRAINT record_pkey",
    "ALTER TABLE raffle.key DROP CONSTRAINT key_pkey, ADD PRIMARY KEY (raffle, key) DEFERRABLE",
    "DROP VIEW raffle.event_index; ALTER TABLE raffle.key ALTER COLUMN key TYPE text COLLATE \"en-x-icu\"",
    "ALTER TABLE raffle.record ENABLE ROW LEVEL SECURITY",
    "CREATE RULE nothing AS ON DELETE TO raffle.note DO INSTEAD NOTHING",
    ("CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
     "CREATE TRIGGER meddle BEFORE INSERT ON raffle.record FOR EACH ROW EXECUTE FUNCTION public.meddle()"),
    "DROP TABLE raffle.note",
};

START_TEST(altered_tables_are_refused)
{
    sql(alterations[_i]);
    expect_open("", RAFFLE_CORRUPT);
    expect_open("?create=1", RAFFLE_CORRUPT);
}
END_TEST

START_TEST(database_of_another_encoding)
{
    sql_at(server(), "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'");
    char keep[sizeof uri];
    memcpy(keep, uri, sizeof uri);
    name_database(uri, sizeof uri, "raffle", "latin");
    expect_open("?create=1", RAFFLE_UNSUPPORTED);
    memcpy(uri, keep, sizeof uri);
    sql_at(server(), "DROP DATABASE latin");
}
END_TEST

START_TEST(readonly_is_read)
{
    store_append(store, 1, 3, "a");
    reopen("?readonly=1");
    store_job job = {.prefix = "a", .records = 1};
    ck_assert_uint_eq(store_check_log(store, 1), 3);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_note_put(store, 1, 3, "a\n\nb\n", 5, &err), RAFFLE_READONLY);
}
END_TEST

START_TEST(anchor_beside_a_database)
{
    uint8_t root[32] = {1}, found[32];
    uint64_t size = 0;
    char query[128], path[64];
    snprintf(path, sizeof path, "/tmp/raffle-anchor-%ld", (long)getpid());
    snprintf(query, sizeof query, "?anchor=file:%s", path);
    reopen(query);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 10, root, true, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 10);
    ck_assert_int_eq(rf_store_anchor_put(store, 0, 3, root, true, &err), RAFFLE_OK);
    sql("DROP SCHEMA raffle CASCADE");
    snprintf(query, sizeof query, "?create=1&anchor=file:%s", path);
    reopen(query);
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_HISTORY);
    unlink(path);
    expect_open("?anchor=nowhere", RAFFLE_INVALID);
}
END_TEST

/* --- URIs and passwords --- */

static const char *const bad_uris[] = {
    "postgresql://u:s3cret@127.0.0.1:1/db?nokey=1",
    "postgresql://u:s3cret%zz@127.0.0.1:1/db",
    "postgresql://u:x#s3cret@127.0.0.1:1/db",
    "postgresql://u:s3cret@[::1/db",
    "postgresql://u@127.0.0.1:1/db?create=s3cret%zz",
    "postgresql://u@127.0.0.1:1/db?password=s3cret&password=%",
    "postgresql://u@127.0.0.1:1/db?x&s3cret@",
    "postgresql://u:x@s3cret@127.0.0.1:1/db",
    "postgresql://u:s3cret/s3cret@127.0.0.1:1/db",
    "postgresql://u@127.0.0.1:1/db?create=1&create=1",
    "postgresql://u@127.0.0.1:1/db?dialect=oracle",
    "postgresql://u@127.0.0.1:1/db?readonly=2",
    "postgres:s3cret",
};

START_TEST(bad_uris_show_no_password)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(raffle_store_open(bad_uris[_i], NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
    if (_i == 0)
        ck_assert_ptr_nonnull(strstr(err.message, "\"nokey\""));
}
END_TEST

/* Passwords, of the server's and of a client's key. */
START_TEST(secrets_of_a_uri_are_wiped)
{
    raffle_store *other = NULL;
    secret_freed = false;
    ck_assert_int_eq(raffle_store_open("postgresql://u:hunter2@b%40c/db?sslpassword=hunter2", NULL, &other, &err),
                     RAFFLE_INVALID);
    ck_assert(!secret_freed);
}
END_TEST

START_TEST(server_that_is_not_there)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(raffle_store_open("postgres://u:s3cret?s3cret@127.0.0.1:1/db", NULL, &other, &err), RAFFLE_IO);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
}
END_TEST

typedef struct asked {
    unsigned times;
    char what[640];
    const char *answer;
    raffle_rc rc;
} asked;

static raffle_rc secret(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *e)
{
    asked *a = ctx;
    a->times++;
    snprintf(a->what, sizeof a->what, "%s", what);
    if (a->rc != RAFFLE_OK)
        return raffle_error_set(e, a->rc, 77, "no password today");
    ck_assert_uint_le(strlen(a->answer), cap);
    *length = strlen(a->answer);
    memcpy(out, a->answer, *length);
    return RAFFLE_OK;
}

static raffle_rc open_asked(const char *to, asked *a, raffle_store **out)
{
    raffle_host host = RAFFLE_HOST_INIT;
    host.ctx = a;
    host.secret = secret;
    return raffle_store_open(to, &host, out, &err);
}

START_TEST(password_comes_from_the_host_at_each_connection)
{
    char to[sizeof uri];
    asked a = {.answer = "s3cret pass"};
    raffle_store *other = NULL;
    sql("DROP ROLE IF EXISTS asked; CREATE ROLE asked LOGIN SUPERUSER PASSWORD 's3cret pass'");
    name_database_at(getenv("RAFFLE_POSTGRES_TCP"), to, sizeof to, "asked", database);
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_OK);
    ck_assert_uint_eq(a.times, 1);
    ck_assert_str_eq(a.what + 9, to);
    ck_assert_int_eq(memcmp(a.what, "password:", 9), 0);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'asked'");
    ck_assert_uint_eq(store_check_log(other, 1), 0);
    ck_assert_uint_eq(a.times, 2);
    raffle_store_free(other);
    a.answer = "s3cret wrong";
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "password"));
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
    a.rc = RAFFLE_QUOTA;
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_HOST);
    ck_assert_uint_eq(err.token, 77);
    a.rc = RAFFLE_NOT_FOUND;
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_IO);
    a.rc = RAFFLE_OK;
    a.answer = "";
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_HOST);
}
END_TEST

START_TEST(password_in_the_uri_works_too)
{
    char to[sizeof uri];
    asked a = {.answer = "not asked for"};
    raffle_store *other = NULL;
    sql("DROP ROLE IF EXISTS asked; CREATE ROLE asked LOGIN SUPERUSER PASSWORD 's3cret pass'");
    name_database_at(getenv("RAFFLE_POSTGRES_TCP"), to, sizeof to, "asked:s3cret%20pass", database);
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_OK);
    raffle_store_free(other);
    name_database_at(getenv("RAFFLE_POSTGRES_TCP"), to, sizeof to, "asked", database);
    strcat(to, "?password=s3cret%20pass");
    ck_assert_int_eq(open_asked(to, &a, &other), RAFFLE_OK);
    raffle_store_free(other);
    ck_assert_uint_eq(a.times, 0);
    ck_assert_int_eq(rf_store_beside(to, ".keys", to, sizeof to, &err), RAFFLE_INVALID);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
}
END_TEST

/* --- damage --- */

typedef struct damage {
    const char *sql;
    const char *where; /* that meets it */
} damage;

static const damage damages[] = {
    {"UPDATE raffle.log SET size = -1 WHERE log = 1", "head read append"},
    {"UPDATE raffle.log SET control = 7 WHERE log = 1", "head"},
    {"UPDATE raffle.log SET size = 2, control = 3 WHERE log = 0", "head control"},
    {"UPDATE raffle.log SET state = decode(repeat('00', 5000), 'hex') WHERE log = 1", "head append"},
    {"UPDATE raffle.log SET size = 2 WHERE log = 1", "read append"},
    {"UPDATE raffle.log SET size = 9 WHERE log = 1", "read"},
    {"DELETE FROM raffle.log WHERE log = 0", "head control"},
    {"DELETE FROM raffle.record WHERE log = 1 AND idx = 1", "read"},
    {"UPDATE raffle.record SET idx = -1 WHERE log = 1 AND idx = 0", "read"},
    {"UPDATE raffle.record SET leaf = '' WHERE log = 1 AND idx = 2", "read"},
    {"UPDATE raffle.record SET leaf = repeat('x', 65536) WHERE log = 1 AND idx = 2", "read"},
    {"UPDATE raffle.record SET private = repeat('x', 16385) WHERE log = 1 AND idx = 2", "read"},
    {"UPDATE raffle.key SET log = 65536", "find scan"},
    {"UPDATE raffle.key SET idx = -1", "find scan"},
    {"UPDATE raffle.key SET key = '016zz'", "scan"},
    {"UPDATE raffle.key SET key = upper(key)", "scan"},
    {"UPDATE raffle.node SET hash = '\\x00'", "node"},
    {"UPDATE raffle.note SET note = repeat('x', 16385)", "note"},
    {"UPDATE raffle.note SET size = -5", "note"},
};

static raffle_rc ignore_record(void *ctx, const raffle_record *record, raffle_error *e)
{
    (void)ctx, (void)record, (void)e;
    return RAFFLE_OK;
}

static raffle_rc ignore_key(void *ctx, const raffle_store_key *key, raffle_error *e)
{
    (void)ctx, (void)key, (void)e;
    return RAFFLE_OK;
}

static raffle_rc fill_node_and_note(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                    raffle_error *e)
{
    const uint8_t hash[32] = {1};
    (void)ctx, (void)head;
    raffle_rc rc = batch->node(batch->ctx, 8, 0, hash, e);
    return rc == RAFFLE_OK ? batch->note(batch->ctx, 3, "a\n\nb\n", 5, e) : rc;
}

static void expect(const damage *d, const char *what, raffle_rc rc)
{
    const raffle_rc expected = strstr(d->where, what) != NULL ? RAFFLE_CORRUPT : RAFFLE_OK;
    if (rc != expected && !(expected == RAFFLE_OK && rc == RAFFLE_NOT_FOUND))
        ck_abort_msg("%s: %s gave %s: %s", d->sql, what, raffle_rc_name(rc), err.message);
}

START_TEST(damage_is_told)
{
    static raffle_store_head head;
    const damage *d = &damages[_i];
    const raffle_store_key key = store_key(1, "order", 1, 0);
    raffle_store_key row;
    uint8_t hash[32];
    char note[16];
    uint64_t size = 0;
    size_t length = 0;
    store_job job = {.prefix = "a", .records = 3, .keys = &key, .key_count = 1};
    store_job more = {.prefix = "b", .records = 1};
    store_append(store, 0, 3, "c");
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_append(store, 1, fill_node_and_note, NULL, -1, &err), RAFFLE_OK);
    sql(d->sql);
    expect(d, "head", rf_store_head(store, 1, &head, &err));
    expect(d, "control", rf_store_head(store, 0, &head, &err));
    expect(d, "read", rf_store_read(store, 1, 0, 99, ignore_record, NULL, &err));
    expect(d, "find", rf_store_find(store, 1, key.key, key.length, &row, &err));
    expect(d, "scan", rf_store_scan(store, 1, NULL, 0, NULL, 0, 99, ignore_key, NULL, &err));
    expect(d, "node", rf_store_node(store, 1, 8, 0, hash, &err));
    expect(d, "note", rf_store_note_get(store, 1, RF_NOTE_LATEST, &size, note, sizeof note, &length, &err));
    expect(d, "append", store_job_run(store, 1, &more, 2000, &err));
}
END_TEST

static raffle_rc fill_no_text(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                              raffle_error *e)
{
    const raffle_record record = {.struct_size = sizeof record, .leaf = ctx, .leaf_length = 3, .index = head->size};
    return batch->records(batch->ctx, &record, 1, e);
}

START_TEST(records_that_are_no_utf8_are_refused)
{
    ck_assert_int_eq(rf_store_append(store, 1, fill_no_text,
                                     "a\xff"
                                     "b",
                                     -1, &err),
                     RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_append(store, 1, fill_no_text, "a\0b", -1, &err), RAFFLE_INVALID);
    ck_assert_uint_eq(store_check_log(store, 1), 0);
    store_append(store, 1, 1, "a");
}
END_TEST

/* --- many writers --- */

START_TEST(handles_take_turns)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(open_with("", &other), RAFFLE_OK);
    for (unsigned i = 0; i < 6; i++) {
        store_append(i % 2 == 0 ? store : other, 1, 3, "a");
        store_append(i % 3 == 0 ? other : store, 0, 1, "c");
    }
    ck_assert_uint_eq(store_check_log(other, 1), 18);
    ck_assert_uint_eq(store_check_log(store, 0), 6);
    ck_assert_str_eq(sql_text("SELECT string_agg(size || ' ' || control, ', ' ORDER BY log) FROM raffle.log"),
                     "6 6, 18 6");
    raffle_store_free(other);
}
END_TEST

/* Keys that somebody else took are believed to be free at first. */
START_TEST(taken_keys_are_found_out)
{
    const raffle_store_key theirs[] = {store_key(1, "b", 2, 0), store_key(1, "d", 2, 1)};
    const raffle_store_key mine[] = {store_key(1, "a", 1, 0), store_key(1, "b", 1, 1), store_key(1, "c", 1, 2)};
    store_job other = {.prefix = "o", .records = 2, .keys = theirs, .key_count = 2};
    store_job job = {.prefix = "a", .records = 1, .keys = mine, .key_count = 3};
    raffle_store_key row;
    ck_assert_int_eq(store_job_run(store, 2, &other, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.calls, 2);
    ck_assert_uint_eq(job.done, 1);
    ck_assert_uint_eq(job.owner.log, 2);
    ck_assert_uint_eq(job.owner.index, 0);
    ck_assert_int_eq(rf_store_find(store, 1, mine[0].key, 1, &row, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_find(store, 1, mine[2].key, 1, &row, &err), RAFFLE_NOT_FOUND);
    ck_assert_uint_eq(store_check_log(store, 1), 1);
}
END_TEST

/* Refuses when its key is free, and is satisfied when it is taken. */
static raffle_rc fill_refusing_the_free(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                        raffle_error *e)
{
    store_job *job = ctx;
    job->calls++;
    (void)head;
    job->owner.struct_size = sizeof job->owner;
    raffle_rc rc = batch->keys(batch->ctx, job->keys, 1, &job->done, &job->owner, e);
    return rc == RAFFLE_OK && job->done == 1 ? raffle_error_set(e, RAFFLE_QUOTA, 5, "there was room for none") : rc;
}

START_TEST(refusals_stand_only_when_the_keys_were_free)
{
    const raffle_store_key taken = store_key(1, "b", 2, 0), fresh = store_key(1, "x", 1, 0);
    store_job other = {.prefix = "o", .records = 1, .keys = &taken, .key_count = 1};
    store_job job = {.keys = &taken}, free_one = {.keys = &fresh};
    ck_assert_int_eq(store_job_run(store, 2, &other, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_append(store, 1, fill_refusing_the_free, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.calls, 2);
    ck_assert_uint_eq(job.done, 0);
    ck_assert_int_eq(rf_store_append(store, 1, fill_refusing_the_free, &free_one, -1, &err), RAFFLE_QUOTA);
    ck_assert_uint_eq(err.token, 5);
    ck_assert_uint_eq(free_one.calls, 1);
    ck_assert_uint_eq(store_check_log(store, 1), 0);
}
END_TEST

enum {
    RACERS = 4,
    RACES = 40,
    ORDERS = 8
};

typedef struct racer {
    pthread_t thread;
    uint32_t log;
    size_t won, failures;
} racer;

/* Each offers the same orders to a log of its own, in another order than the others. */
static void *race(void *ctx)
{
    racer *r = ctx;
    for (unsigned i = 0; i < RACES; i++) {
        raffle_store_key keys[ORDERS];
        char text[32];
        for (unsigned k = 0; k < ORDERS; k++) {
            snprintf(text, sizeof text, "%u/%u", i, r->log % 2 == 0 ? k : ORDERS - 1 - k);
            keys[k] = store_key(1, text, r->log, i);
        }
        for (unsigned k = 0; k < ORDERS;) {
            store_job job = {.prefix = "a", .records = 1, .keys = keys + k, .key_count = ORDERS - k};
            raffle_rc rc = store_job_run(store, r->log, &job, 20000, NULL);
            r->failures += rc != RAFFLE_OK || (job.done < job.key_count && job.owner.log == r->log);
            r->won += job.done;
            k += (unsigned)job.done + 1;
        }
    }
    return NULL;
}

START_TEST(one_order_goes_to_one_log)
{
    static racer racers[RACERS];
    size_t won = 0;
    for (uint32_t i = 0; i < RACERS; i++) {
        racers[i] = (racer){.log = i + 1};
        ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        ck_assert_uint_eq(racers[i].failures, 0);
        won += racers[i].won;
    }
    ck_assert_uint_eq(won, RACES * ORDERS);
    ck_assert_str_eq(sql_text("SELECT count(*) FROM raffle.key"), "320");
}
END_TEST

/* What the control log's append does while a unit's is under way. */
static void *append_control(void *ctx)
{
    store_job job = {.prefix = "c", .records = 1};
    raffle_rc rc = store_job_run(ctx, 0, &job, 20000, NULL);
    return rc == RAFFLE_OK ? ctx : NULL;
}

static raffle_rc fill_while_control_waits(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                          raffle_error *e)
{
    store_job job = {.prefix = "u", .records = 1};
    ck_assert_uint_eq(head->control_size, 1);
    ck_assert_int_eq(pthread_create(ctx, NULL, append_control, store), 0);
    while (strcmp(sql_text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                           " AND query LIKE 'UPDATE raffle.log SET control%'"),
                  "1") != 0)
        usleep(1000);
    ck_assert_str_eq(sql_text("SELECT size FROM raffle.log WHERE log = 0"), "1");
    return store_job_fill(&job, head, batch, e);
}

/* A commit to a unit's log and one to the control log never pass each other. */
START_TEST(control_log_waits_for_a_unit_s_commit)
{
    pthread_t control;
    void *good = NULL;
    store_append(store, 0, 1, "c");
    store_append(store, 2, 1, "a");
    store_append(store, 1, 1, "a");
    ck_assert_int_eq(rf_store_append(store, 1, fill_while_control_waits, &control, 20000, &err), RAFFLE_OK);
    pthread_join(control, &good);
    ck_assert_ptr_nonnull(good);
    ck_assert_str_eq(sql_text("SELECT string_agg(size || ' ' || control, ', ' ORDER BY log) FROM raffle.log"),
                     "2 2, 2 2, 1 2");
}
END_TEST

/* --- time and connections --- */

START_TEST(database_that_is_read_only)
{
    char text[128];
    store_job job = {.prefix = "a", .records = 1};
    snprintf(text, sizeof text, "ALTER DATABASE %s SET default_transaction_read_only = on", database);
    sql_at(server(), text);
    reopen("");
    ck_assert_int_eq(store_job_run(store, 1, &job, 2000, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_READONLY);
    ck_assert_uint_eq(store_check_log(store, 1), 0);
}
END_TEST

/* What else the database, or the role, has for defaults does not matter. */
START_TEST(other_defaults)
{
    char text[512];
    const raffle_store_key key = store_key(1, "b", 1, 0), again = store_key(1, "b", 2, 0);
    store_job job = {.prefix = "o", .records = 2, .keys = &key, .key_count = 1};
    store_job other = {.prefix = "o", .records = 2, .keys = &again, .key_count = 1};
    snprintf(text, sizeof text,
             "ALTER DATABASE %s SET default_transaction_isolation = 'serializable';"
             "ALTER DATABASE %s SET synchronous_commit = off; ALTER DATABASE %s SET search_path = raffle",
             database, database, database);
    sql_at(server(), text);
    reopen("");
    ck_assert_int_eq(store_job_run(store, 1, &job, 20000, &err), RAFFLE_OK);
    ck_assert_int_eq(store_job_run(store, 2, &other, 20000, &err), RAFFLE_OK);
    ck_assert_uint_eq(other.done, 0);
    store_append(store, 0, 1, "c");
    ck_assert_int_eq(rf_store_note_put(store, 1, 2, "a\n\nb\n", 5, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_OK);
}
END_TEST

static raffle_rc slow_sink(void *ctx, const raffle_record *record, raffle_error *e)
{
    (void)e;
    if (record->index % 600 == 0)
        usleep(700000);
    ++*(unsigned *)ctx;
    return RAFFLE_OK;
}

/* The time of a read is that of the server's answers, and not of whoever takes the records. */
START_TEST(reads_are_as_slow_as_their_sink)
{
    raffle_host host = RAFFLE_HOST_INIT;
    raffle_store *hasty = NULL;
    unsigned seen = 0;
    store_append(store, 1, 1300, "a");
    host.timeout_ms = 1;
    ck_assert_int_eq(raffle_store_open(uri, &host, &hasty, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_read(hasty, 1, 0, 1300, slow_sink, &seen, &err), RAFFLE_OK);
    ck_assert_uint_eq(seen, 1300);
    raffle_store_free(hasty);
}
END_TEST

START_TEST(log_that_somebody_else_holds)
{
    store_append(store, 1, 1, "a");
    store_job job = {.prefix = "a", .records = 1};
    PGconn *pg = stranger(uri);
    PQclear(PQexec(pg, "BEGIN; SELECT * FROM raffle.log WHERE log = 1 FOR UPDATE"));
    ck_assert_int_eq(store_job_run(store, 1, &job, 1200, &err), RAFFLE_TIMEOUT);
    ck_assert_uint_eq(job.calls, 0);
    store_append(store, 2, 1, "a");
    PQclear(PQexec(pg, "ROLLBACK"));
    PQfinish(pg);
    store_append(store, 1, 1, "a");
    ck_assert_uint_eq(store_check_log(store, 1), 2);
}
END_TEST

static const char kill_all[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE datname = current_database() AND pid <> pg_backend_pid()";

START_TEST(connections_that_died_are_made_anew)
{
    static raffle_store_head head;
    store_append(store, 1, 3, "a");
    sql(kill_all);
    ck_assert_uint_eq(store_check_log(store, 1), 3);
    sql(kill_all);
    store_append(store, 1, 3, "a");
    sql(kill_all);
    ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_OK);
    sql(kill_all);
    ck_assert_int_eq(rf_store_note_put(store, 1, 6, "a\n\nb\n", 5, &err), RAFFLE_OK);
    sql(kill_all);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(store, 1), 6);
}
END_TEST

static raffle_rc fill_and_lose_the_connection(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                              raffle_error *e)
{
    store_job *job = ctx;
    if (job->calls == 0)
        sql(kill_all);
    return store_job_fill(job, head, batch, e);
}

/* The server cannot have committed what it was never told to; with few records all is in the flight of the COMMIT, which is another matter. */
START_TEST(connection_lost_before_the_commit)
{
    store_job job = {.prefix = "a", .records = 20000};
    ck_assert_int_eq(rf_store_append(store, 1, fill_and_lose_the_connection, &job, 20000, &err), RAFFLE_OK);
    ck_assert_uint_ge(job.calls, 2);
    ck_assert_uint_eq(store_check_log(store, 1), 20000);
}
END_TEST

static char proxy_folder[64];

/* The store through a proxy, whose marked request is that of a COMMIT: the name of its statement after that of no portal. */
static void reopen_through_proxy(cut how, unsigned times)
{
    char *fault = NULL, escaped[128] = "", *out = escaped;
    const char *host = NULL, *port = "5432";
    PQconninfoOption *options = PQconninfoParse(server(), &fault);
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        host = strcmp(o->keyword, "host") == 0 && o->val != NULL ? o->val : host;
        port = strcmp(o->keyword, "port") == 0 && o->val != NULL ? o->val : port;
    }
    snprintf(proxy_folder, sizeof proxy_folder, "/tmp/raffle-proxy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(proxy_folder));
    cutting_proxy_start(proxy_folder, host, port);
    PQconninfoFree(options);
    for (const char *p = proxy_folder; *p != '\0'; p++)
        out += sprintf(out, *p == '/' ? "%%2F" : "%c", *p);
    snprintf(uri, sizeof uri, "postgresql://raffle@%s/%s", escaped, database);
    reopen("");
    cutting_proxy_arm(how, times, "\0raffle1\0", 9);
}

static void leave_proxy(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", proxy_folder);
    unlink(path);
    rmdir(proxy_folder);
    name_database(uri, sizeof uri, "raffle", database);
}

static const cut cuts[] = {CUT_REQUEST, CUT_ANSWER};

/* Of a commit that went under, and of one that did not, the store finds out what became. */
START_TEST(commits_that_are_cut_are_settled)
{
    const raffle_store_key key = store_key(1, "order", 1, 2);
    store_job job = {.prefix = "a", .records = 3, .keys = &key, .key_count = 1};
    store_append(store, 1, 2, "z");
    reopen_through_proxy(cuts[_i % 2], 1 + (unsigned)_i / 2);
    raffle_rc rc = store_job_run(store, 1, &job, 20000, &err);
    ck_assert_msg(rc == RAFFLE_OK, "append: %s", err.message);
    ck_assert_uint_eq(cutting_proxy_count(), cuts[_i % 2] == CUT_ANSWER ? 1 : 1 + (unsigned)_i / 2);
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    ck_assert_str_eq(sql_text("SELECT count(*) FROM raffle.key"), "1");
    leave_proxy();
}
END_TEST

/* Records, or keys, whose answer could not be read, and which are committed. */
START_TEST(answers_that_find_no_memory)
{
    const raffle_store_key key = store_key(1, "order", 1, 2);
    store_job job = {.prefix = "a", .records = 3, .keys = &key, .key_count = 1};
    store_append(store, 1, 2, "z");
    fail_in = 1 + _i;
    raffle_rc rc = store_job_run(store, 1, &job, 20000, &err);
    ck_assert_int_eq(fail_in, 0);
    ck_assert_msg(rc == RAFFLE_OK, "append: %s", err.message);
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    ck_assert_str_eq(sql_text("SELECT count(*) FROM raffle.key"), "1");
}
END_TEST

/* A server that says nothing any more: the time holds, and the outcome is not known. */
START_TEST(server_that_falls_silent)
{
    struct timespec before, after;
    store_job job = {.prefix = "a", .records = 3};
    store_append(store, 1, 2, "z");
    reopen_through_proxy(CUT_SILENCE, 99);
    clock_gettime(CLOCK_MONOTONIC, &before);
    ck_assert_int_eq(store_job_run(store, 1, &job, 1500, &err), RAFFLE_UNKNOWN);
    clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_le(after.tv_sec - before.tv_sec, 30);
    cutting_proxy_arm(CUT_NOTHING, 0, "", 0);
    store_append(store, 1, 1, "b");
    ck_assert_uint_eq(store_check_log(store, 1), 3);
    leave_proxy();
}
END_TEST

START_TEST(notes_and_raffles_of_a_cut_commit)
{
    reopen_through_proxy(CUT_ANSWER, 1);
    ck_assert_int_eq(rf_store_note_put(store, 1, 3, "a\n\nb\n", 5, &err), RAFFLE_OK);
    ck_assert_str_eq(sql_text("SELECT count(*) FROM raffle.note"), "1");
    leave_proxy();
}
END_TEST

/* --- rights --- */

/* docs/spec/store-postgres.md: a role that sells, and can neither change nor take away what was sold. */
START_TEST(rights_of_a_role_that_may_not_write)
{
    raffle_store *other = NULL;
    store_job job = {.prefix = "a", .records = 1};
    char to[sizeof uri];
    store_append(store, 1, 3, "a");
    sql("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA raffle TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA raffle "
        "TO reader");
    name_database(to, sizeof to, "reader", database);
    ck_assert_int_eq(raffle_store_open(to, NULL, &other, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(other, 1), 3);
    ck_assert_int_eq(store_job_run(other, 1, &job, 2000, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_erase(other, 1, 0, &err), RAFFLE_READONLY);
    ck_assert_int_eq(store_job_run(other, 7, &job, 2000, &err), RAFFLE_READONLY);
    raffle_store_free(other);
    sql("DROP OWNED BY reader; DROP ROLE reader");
}
END_TEST

/* --- the limits of Aurora DSQL, on a server that has none --- */

START_TEST(limits_of_dsql)
{
    reopen("?dialect=dsql");
    store_job most = {.prefix = "a", .records = 2999}, more = {.prefix = "a", .records = 3000};
    ck_assert_uint_eq(rf_store_batch_rows(store), 3000);
    ck_assert_int_eq(store_job_run(store, 1, &more, -1, &err), RAFFLE_LIMIT);
    ck_assert_int_eq(store_job_run(store, 1, &most, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(store, 1), 2999);
}
END_TEST

static TCase *opening(void)
{
    TCase *c = tcase_create("opening");
    const TTest *const tests[] = {reopened_store_has_it_all,        database_without_a_raffle,
                                  tables_that_were_half_made,       tables_that_are_being_made,
                                  secrets_of_a_uri_are_wiped,       several_raffles_in_a_database,
                                  raffles_created_at_the_same_time, other_formats,
                                  database_of_another_encoding,     readonly_is_read,
                                  anchor_beside_a_database,         password_comes_from_the_host_at_each_connection,
                                  password_in_the_uri_works_too,    rights_of_a_role_that_may_not_write,
                                  server_that_is_not_there,         limits_of_dsql};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, altered_tables_are_refused, 0, sizeof alterations / sizeof *alterations);
    tcase_add_loop_test(c, bad_uris_show_no_password, 0, sizeof bad_uris / sizeof *bad_uris);
    return c;
}

static TCase *working(void)
{
    TCase *c = tcase_create("working");
    const TTest *const tests[] = {records_that_are_no_utf8_are_refused,
                                  handles_take_turns,
                                  taken_keys_are_found_out,
                                  refusals_stand_only_when_the_keys_were_free,
                                  one_order_goes_to_one_log,
                                  control_log_waits_for_a_unit_s_commit,
                                  database_that_is_read_only,
                                  other_defaults,
                                  reads_are_as_slow_as_their_sink,
                                  log_that_somebody_else_holds,
                                  connections_that_died_are_made_anew,
                                  connection_lost_before_the_commit,
                                  server_that_falls_silent,
                                  notes_and_raffles_of_a_cut_commit};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, damage_is_told, 0, sizeof damages / sizeof *damages);
    tcase_add_loop_test(c, commits_that_are_cut_are_settled, 0, 6);
    tcase_add_loop_test(c, answers_that_find_no_memory, 0, 2);
    return c;
}

static bool create_database(void)
{
    const char *given = getenv("RAFFLE_POSTGRES");
    PGconn *pg = PQconnectdb(given == NULL ? "postgresql://?" : given);
    PGresult *r = PQexec(pg, "CREATE DATABASE raffles TEMPLATE template0 ENCODING 'UTF8'");
    const bool created = given != NULL && PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!created)
        fprintf(stderr, "RAFFLE_POSTGRES: %s\n", PQerrorMessage(pg));
    PQclear(r);
    PQfinish(pg);
    return created;
}

int main(void)
{
    static const store_suite postgres = {.name = "conformance: postgresql", .open = open_new, .close = leave_database};
    TCase *const own[] = {opening(), working()};
    if (!create_database())
        return EXIT_FAILURE;
    Suite *s = suite_create("store_postgres");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        tcase_add_checked_fixture(own[i], set_up, tear_down);
        tcase_set_timeout(own[i], 120);
        suite_add_tcase(s, own[i]);
    }
    suite_add_tcase(s, store_suite_tcase(&postgres));
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
