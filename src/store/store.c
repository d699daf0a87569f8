/* SPDX-License-Identifier: Apache-2.0 */
/* The store handle: counts its users, refuses calls after fork(), and checks what a store's table is given and gives back. */
#include "store.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "postgres/postgres.h"
#include "published/published.h"
#include "sqlite.h"
#include "store_batch.h"
#include "store_check.h"
#include "timestamp.h"
#include "uri.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct raffle_store {
    raffle_store_table table;
    void *ctx;
    pid_t pid;
    atomic_uint users;
    void (*release)(void *ctx); /* of the host that it was opened with, or NULL */
    void *release_ctx;
    bool putting_back; /* what is here is behind the anchor, until all of it is */
    bool settles; /* an append whose outcome is not known was looked into by the store itself, as far as it can be */
};

void raffle_store_table_init(raffle_store_table *table, size_t size)
{
    rf_struct_init(table, size);
}

void raffle_store_key_init(raffle_store_key *key, size_t size)
{
    rf_struct_init(key, size);
}

void raffle_store_head_init(raffle_store_head *head, size_t size)
{
    rf_struct_init(head, size);
}

void raffle_store_batch_init(raffle_store_batch *batch, size_t size)
{
    rf_struct_init(batch, size);
}

static bool has_functions(const raffle_store_table *t)
{
    return t->origin && t->create && t->head && t->append && t->read && t->node && t->find && t->scan && t->note_put &&
           t->note_get && t->erase && t->free;
}

static raffle_rc check_table(const raffle_store_table *table, raffle_error *err)
{
    if (table->flags != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED,
                       "table: flags are %#" PRIx32 ", which this version of the library does not know", table->flags);
    if (!has_functions(table))
        return rf_fail(err, RAFFLE_MISUSE, "table: a function is missing");
    if ((table->manifest == NULL) != (table->tile == NULL) || (table->manifest == NULL) != (table->file == NULL))
        return rf_fail(err, RAFFLE_MISUSE, "table: one of manifest, tile and file is missing");
    if ((table->anchor_get == NULL) != (table->anchor_put == NULL))
        return rf_fail(err, RAFFLE_MISUSE, "table: one of anchor_get and anchor_put is missing");
    if ((table->anchor_of == NULL) != (table->put_back == NULL))
        return rf_fail(err, RAFFLE_MISUSE, "table: one of anchor_of and put_back is missing");
    return RAFFLE_OK;
}

/* `ctx` becomes the handle's only when this succeeds. */
raffle_rc raffle_store_new(const raffle_store_table *table, void *ctx, raffle_store **out, raffle_error *err)
{
    raffle_store_table mine;
    if (out == NULL)
        return rf_null(err, "out");
    raffle_rc rc = rf_struct_in(&mine, sizeof mine, table, "table", err);
    if (rc == RAFFLE_OK)
        rc = check_table(&mine, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_store *store = malloc(sizeof *store);
    if (store == NULL)
        return rf_nomem(err);
    store->table = mine;
    store->ctx = ctx;
    store->pid = getpid();
    store->settles = false;
    store->putting_back = false;
    store->release = NULL;
    store->release_ctx = NULL;
    atomic_init(&store->users, 1);
    *out = store;
    return RAFFLE_OK;
}

static raffle_rc open_source(rf_source *source, raffle_store_table *table, void **ctx, raffle_error *err)
{
    raffle_rc rc = rf_published_open(source, table, ctx, err);
    if (rc != RAFFLE_OK)
        source->free(source->ctx);
    return rc;
}

static raffle_rc open_folder(const char *path, raffle_store_table *table, void **ctx, raffle_error *err)
{
    rf_source source;
    raffle_rc rc = rf_source_folder(path, &source, err);
    return rc == RAFFLE_OK ? open_source(&source, table, ctx, err) : rc;
}

static raffle_rc open_address(const char *address, raffle_store_table *table, void **ctx, raffle_error *err)
{
    rf_source source;
    raffle_rc rc = rf_source_http(address, &source, err);
    return rc == RAFFLE_OK ? open_source(&source, table, ctx, err) : rc;
}

static bool is_address(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

/* Before anything else reads it: such a URI may hold a password, which no sentence may show. */
static bool is_database(const char *text)
{
    return strncasecmp(text, "postgresql:", 11) == 0 || strncasecmp(text, "postgres:", 9) == 0;
}

static raffle_rc open_database(const char *uri, bool create, const raffle_host *host, raffle_store_table *table,
                               void **ctx, raffle_error *err)
{
#ifdef RAFFLE_WITH_POSTGRES
    return rf_postgres_open(uri, host, create, table, ctx, err);
#else
    (void)uri, (void)create, (void)host, (void)table, (void)ctx;
    return rf_fail(err, RAFFLE_UNSUPPORTED, "this build has no store postgresql:, which needs libpq");
#endif
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static raffle_rc open_uri(const char *text, bool create, const raffle_host *host, raffle_store_table *table, void **ctx,
                          raffle_error *err)
{
    rf_uri uri;
    raffle_rc rc = rf_uri_parse(&uri, text, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(uri.scheme, "folder") == 0) {
        rc = rf_uri_only(&uri, (const char *const[]){NULL}, err);
        return rc == RAFFLE_OK ? open_folder(rf_uri_rest(&uri), table, ctx, err) : rc;
    }
    if (strcmp(uri.scheme, "sqlite") != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED,
                       "no store of this build is called %s: (a file of that name: write ./%s:…)", uri.scheme,
                       uri.scheme);
    rf_sqlite_options options;
    rc = rf_sqlite_options_from(&options, &uri, err);
    if (rc != RAFFLE_OK)
        return rc;
    options.create = options.create || create;
    options.timeout_ms = host->timeout_ms;
    options.no_threads = (host->flags & RAFFLE_HOST_NO_THREADS) != 0;
    return rf_sqlite_open(&options, table, ctx, err);
}

static raffle_rc open_any(const char *text, bool create, const raffle_host *host, raffle_store_table *table, void **ctx,
                          raffle_error *err)
{
    if (is_database(text))
        return open_database(text, create, host, table, ctx, err);
    if (is_address(text))
        return open_address(text, table, ctx, err);
    if (!rf_uri_has_scheme(text) && is_folder(text))
        return open_folder(text, table, ctx, err);
    if (rf_uri_has_scheme(text))
        return open_uri(text, create, host, table, ctx, err);
    const rf_sqlite_options options = {.path = text,
                                       .create = create,
                                       .timeout_ms = host->timeout_ms,
                                       .no_threads = (host->flags & RAFFLE_HOST_NO_THREADS) != 0};
    return rf_sqlite_open(&options, table, ctx, err);
}

raffle_rc raffle_store_open(const char *uri, const raffle_host *host, raffle_store **out, raffle_error *err)
{
    return rf_store_open(uri, host, false, out, err);
}

raffle_rc rf_store_beside(const char *store, const char *suffix, char *out, size_t cap, raffle_error *err)
{
    rf_uri uri;
    const char *path = store;
    if (is_database(store))
        return rf_fail(err, RAFFLE_INVALID, "the store is a database, and nothing lies beside it: the keys need a URI");
    if (rf_uri_has_scheme(store)) {
        raffle_rc rc = rf_uri_parse(&uri, store, err);
        if (rc != RAFFLE_OK)
            return rc;
        path = rf_uri_rest(&uri);
    }
    const size_t length = strlen(path), tail = strlen(suffix);
    if (length == 0 || length + tail >= cap)
        return rf_fail(err, RAFFLE_INVALID, "the store has no path, or too long a one, for something to lie beside it");
    memcpy(out, path, length);
    memcpy(out + length, suffix, tail + 1);
    return RAFFLE_OK;
}

/* Of the host SQLite needs its timeout and its word on threads; PostgreSQL its secrets, too. */
raffle_rc rf_store_open(const char *uri, const raffle_host *host, bool create, raffle_store **out, raffle_error *err)
{
    if (uri == NULL)
        return rf_null(err, "uri");
    if (out == NULL)
        return rf_null(err, "out");
    raffle_host mine;
    raffle_store_table table;
    void *ctx = NULL;
    raffle_rc rc = rf_host_in(&mine, host, err);
    if (rc == RAFFLE_OK)
        rc = open_any(uri, create, &mine, &table, &ctx, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_store_new(&table, ctx, out, err);
    if (rc != RAFFLE_OK) {
        table.free(ctx);
        return rc;
    }
    (*out)->settles = !is_database(uri);
    (*out)->release = mine.release;
    (*out)->release_ctx = mine.ctx;
    return RAFFLE_OK;
}

raffle_store *rf_store_ref(raffle_store *store)
{
    if (store != NULL)
        atomic_fetch_add_explicit(&store->users, 1, memory_order_relaxed);
    return store;
}

/* In a forked child the store is the parent's, and stays open. */
void raffle_store_free(raffle_store *store)
{
    if (store == NULL || store->pid != getpid())
        return;
    if (atomic_fetch_sub_explicit(&store->users, 1, memory_order_acq_rel) != 1)
        return;
    store->table.free(store->ctx);
    if (store->release != NULL)
        store->release(store->release_ctx);
    free(store);
}

uint64_t rf_store_batch_rows(const raffle_store *store)
{
    return store->table.batch_rows;
}

uint64_t rf_store_batch_bytes(const raffle_store *store)
{
    return store->table.batch_bytes;
}

bool rf_store_has_anchor(const raffle_store *store)
{
    return store->table.anchor_get != NULL;
}

bool rf_store_published(const raffle_store *store)
{
    return store->table.manifest != NULL;
}

static raffle_rc check_process(const raffle_store *store, raffle_error *err)
{
    if (store->pid != getpid())
        return rf_fail(err, RAFFLE_FORKED, "the store was opened in process %ld, before fork()", (long)store->pid);
    return RAFFLE_OK;
}

raffle_rc rf_store_origin(raffle_store *store, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    char found[RAFFLE_ORIGIN_SIZE] = "";
    rc = rf_check_answer(store->table.origin(store->ctx, found, &own), &own, "origin", RAFFLE_NOT_FOUND, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = strnlen(found, sizeof found);
    if (length == sizeof found || !rf_origin_valid(found, length))
        return rf_fail(err, RAFFLE_CORRUPT, "the store's origin is malformed");
    memcpy(origin, found, sizeof found);
    return RAFFLE_OK;
}

static raffle_rc create(raffle_store *store, const char *origin, bool put_back, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!rf_origin_valid(origin, strnlen(origin, RAFFLE_ORIGIN_SIZE)))
        return rf_fail(err, RAFFLE_INVALID, "\"%s\" is no origin of a raffle", origin);
    raffle_error own = RAFFLE_ERROR_INIT;
    rc = put_back ? store->table.put_back(store->ctx, origin, &own) : store->table.create(store->ctx, origin, &own);
    /* RAFFLE_MISMATCH: the anchor is another raffle's. */
    return rf_check_answer(rc, &own, put_back ? "put_back" : "create",
                           rc == RAFFLE_MISMATCH ? RAFFLE_MISMATCH : RAFFLE_EXISTS, err);
}

raffle_rc rf_store_create(raffle_store *store, const char *origin, raffle_error *err)
{
    return create(store, origin, false, err);
}

raffle_rc rf_store_put_back(raffle_store *store, const char *origin, raffle_error *err)
{
    raffle_rc rc = create(store, origin, store->table.put_back != NULL, err);
    store->putting_back = rc == RAFFLE_OK;
    return rc;
}

void rf_store_put_back_again(raffle_store *store)
{
    store->putting_back = true;
}

void rf_store_put_back_over(raffle_store *store)
{
    store->putting_back = false;
}

raffle_rc rf_store_head(raffle_store *store, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_store_head found = {.struct_size = sizeof found};
    rc = rf_check_answer(store->table.head(store->ctx, log, &found, &own), &own, "head", RAFFLE_OK, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_head(&found, log, err);
    if (rc != RAFFLE_OK)
        return rc;
    *head = found;
    head->struct_size = sizeof *head;
    return RAFFLE_OK;
}

/* What a store claims to have appended, against what it was given. */
static raffle_rc check_appended(const rf_guard *guard, uint64_t size, raffle_error *err)
{
    if (!guard->called)
        return rf_fail(err, RAFFLE_CORRUPT, "the store appended to log %" PRIu32 " without asking for records",
                       guard->log);
    if (guard->result != RAFFLE_OK)
        return rf_fail(err, RAFFLE_CORRUPT, "the store appended to log %" PRIu32 " although the batch had failed: %s",
                       guard->log, raffle_rc_text(guard->result));
    if (size < guard->next || size > RF_LOG_RECORDS_MAX)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the store appended up to record %" PRIu64 " of log %" PRIu32 ", and says its size is %" PRIu64,
                       guard->next, guard->log, size);
    return RAFFLE_OK;
}

/* --- an append whose outcome is not known (design section 13) --- */

typedef struct settling {
    raffle_store *store;
    rf_guard guard;
    int32_t timeout_ms;
    int64_t began;
} settling;

static int32_t time_left(const settling *s)
{
    if (s->timeout_ms <= 0)
        return s->timeout_ms;
    const int64_t passed = rf_clock_monotonic() - s->began;
    return passed >= s->timeout_ms ? 0 : (int32_t)(s->timeout_ms - passed);
}

static raffle_rc try_append(settling *s, raffle_error *err)
{
    raffle_error own = RAFFLE_ERROR_INIT;
    uint64_t found = 0;
    s->guard.called = s->guard.overtaken = false;
    s->guard.result = RAFFLE_OK;
    raffle_rc rc =
        s->store->table.append(s->store->ctx, s->guard.log, rf_guard_fill, &s->guard, time_left(s), &found, &own);
    rc = rf_check_answer(rc, &own, "append", s->guard.result, err); /* a fill may refuse with any status */
    return rc == RAFFLE_OK ? check_appended(&s->guard, found, err) : rc;
}

typedef enum whereabouts {
    THERE,
    OTHERS,  /* another record has its place: it will never be there */
    EARLIER, /* one of an earlier try, which was not known either */
    NOWHERE, /* which proves nothing */
    NO_ANSWER
} whereabouts;

typedef struct looking {
    const rf_guard *guard;
    whereabouts found;
} looking;

static bool same_leaf(const rf_tried *tried, const raffle_record *record)
{
    return tried->index == record->index && tried->length == record->leaf_length &&
           memcmp(tried->leaf, record->leaf, record->leaf_length) == 0;
}

static raffle_rc compare_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    looking *l = ctx;
    (void)err;
    l->found = same_leaf(&l->guard->tried[l->guard->tries], record) ? THERE : OTHERS;
    for (size_t i = 0; l->found == OTHERS && i < l->guard->tries; i++)
        l->found = same_leaf(&l->guard->tried[i], record) ? EARLIER : OTHERS;
    return RAFFLE_OK;
}

/* The last record of each try, from the latest on. One that wrote none has nothing to look for. */
static whereabouts look(const settling *s)
{
    const rf_guard *g = &s->guard;
    looking l = {g, NOWHERE};
    for (size_t i = g->tries + 1; l.found == NOWHERE && i-- > 0;)
        if (g->tried[i].length > 0 &&
            rf_store_read(s->store, g->log, g->tried[i].index, 1, compare_record, &l, NULL) != RAFFLE_OK)
            return NO_ANSWER;
    return l.found == NOWHERE && g->overtaken ? OTHERS : l.found;
}

static void pause_before(size_t attempt)
{
    const struct timespec t = {.tv_nsec = (1L << attempt) * 500000L};
    nanosleep(&t, NULL);
}

/* Repeats the append under the same size: only what is then committed, or stands in its place, tells what became of it. Another batch under that
 * size is as good as the first, and keeps it out; one that `fill` refuses, or that fails, tells nothing. */
static raffle_rc settle(settling *s, raffle_error *err)
{
    rf_guard *g = &s->guard;
    for (size_t i = 1; i < RF_GUARD_TRIES; i++) {
        const whereabouts found = look(s);
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = RAFFLE_UNKNOWN;
        if (found == THERE)
            return RAFFLE_OK;
        if (found == EARLIER || (i > 1 && time_left(s) == 0))
            break;
        pause_before(i);
        if (found != NO_ANSWER) {
            g->same_base = found == NOWHERE;
            g->tries += found == NOWHERE;
            rc = try_append(s, &why);
            g->tries -= found == NOWHERE && (!g->called || g->overtaken);
        }
        if (rc == RAFFLE_OK || (found == OTHERS && rc != RAFFLE_UNKNOWN))
            return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
        if (g->result != RAFFLE_OK && !g->overtaken)
            break;
    }
    return RAFFLE_UNKNOWN; /* `err` says why, from the first try */
}

raffle_rc rf_store_append(raffle_store *store, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                          raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc != RAFFLE_OK)
        return rc;
    settling s = {.store = store, .timeout_ms = timeout_ms, .began = rf_clock_monotonic()};
    s.guard = (rf_guard){.log = log, .fill = fill, .fill_ctx = fill_ctx};
    raffle_error own = RAFFLE_ERROR_INIT;
    rc = try_append(&s, &own);
    if (rc == RAFFLE_UNKNOWN && !store->settles && s.guard.called && s.guard.result == RAFFLE_OK)
        rc = settle(&s, &own);
    rf_guard_clear(&s.guard);
    return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &own);
}

raffle_rc rf_store_read(raffle_store *store, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                        void *sink_ctx, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc != RAFFLE_OK || count == 0 || from >= RF_LOG_RECORDS_MAX)
        return rc;
    if (count > RF_LOG_RECORDS_MAX - from)
        count = RF_LOG_RECORDS_MAX - from;
    raffle_error own = RAFFLE_ERROR_INIT;
    rf_reading r = {.log = log, .next = from, .end = from + count, .sink = sink, .sink_ctx = sink_ctx, .err = err};
    rc = store->table.read(store->ctx, log, from, count, rf_reading_take, &r, &own);
    return r.result != RAFFLE_OK ? r.result : rf_check_answer(rc, &own, "read", RAFFLE_OK, err);
}

raffle_rc rf_store_node(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32],
                        raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_node(level, index, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    uint8_t found[32] = {0};
    rc = rf_check_answer(store->table.node(store->ctx, log, level, index, found, &own), &own, "node", RAFFLE_NOT_FOUND,
                         err);
    if (rc == RAFFLE_OK)
        memcpy(hash, found, sizeof found);
    return rc;
}

static raffle_rc check_key_argument(uint32_t scope, size_t length, raffle_error *err)
{
    if (scope > RF_SCOPE_MAX || length > RAFFLE_STORE_KEY_MAX)
        return rf_fail(err, RAFFLE_INVALID, "a key of scope %" PRIu32 " and %zu bytes", scope, length);
    return RAFFLE_OK;
}

raffle_rc rf_store_file(raffle_store *store, const char *path, char *out, size_t cap, size_t *length, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    size_t found = 0;
    rc = rf_check_answer(store->table.file(store->ctx, path, out, cap, &found, &own), &own, "file", RAFFLE_NOT_FOUND,
                         err);
    if (rc == RAFFLE_OK && found > cap)
        return rf_fail(err, RAFFLE_CORRUPT, "the store gave %zu bytes of %s, and %zu were asked for", found, path, cap);
    *length = found;
    return rc;
}

raffle_rc rf_store_manifest(raffle_store *store, char *out, size_t cap, size_t *length, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    size_t found = 0;
    rc = rf_check_answer(store->table.manifest(store->ctx, out, cap, &found, &own), &own, "manifest", RAFFLE_NOT_FOUND,
                         err);
    if (rc == RAFFLE_OK && found > cap)
        return rf_fail(err, RAFFLE_CORRUPT, "the store gave a manifest of %zu bytes, and %zu were asked for", found,
                       cap);
    *length = found;
    return rc;
}

raffle_rc rf_store_tile(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, uint8_t hashes[8192],
                        uint32_t *width, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    uint32_t found = 0;
    rc = rf_check_answer(store->table.tile(store->ctx, log, level, index, hashes, &found, &own), &own, "tile",
                         RAFFLE_NOT_FOUND, err);
    if (rc == RAFFLE_OK && (found == 0 || found > 256))
        return rf_fail(err, RAFFLE_CORRUPT, "the store gave a tile of %" PRIu32 " hashes", found);
    *width = found;
    return rc;
}

raffle_rc rf_store_find(raffle_store *store, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                        raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = check_key_argument(scope, length, err);
    if (rc == RAFFLE_OK && length == 0)
        rc = rf_fail(err, RAFFLE_INVALID, "a key of scope %" PRIu32 " and no bytes", scope);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_store_key found = {.struct_size = sizeof found};
    rc = rf_check_answer(store->table.find(store->ctx, scope, key, length, &found, &own), &own, "find",
                         RAFFLE_NOT_FOUND, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_key(&found, RAFFLE_CORRUPT, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (found.scope != scope || rf_key_compare(found.key, found.length, key, length) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the store gave another key of scope %" PRIu32 " than was asked for",
                       scope);
    *row = found;
    row->struct_size = sizeof *row;
    return RAFFLE_OK;
}

/* A scan on its way. `last` is the key that came last, or where it began; empty: going back, none. */
typedef struct scanning {
    bool back;
    uint32_t scope;
    const uint8_t *prefix;
    size_t prefix_length;
    uint8_t last[RAFFLE_STORE_KEY_MAX];
    size_t last_length;
    uint64_t left;
    raffle_store_sink_key sink;
    void *sink_ctx;
    raffle_error *err;
    raffle_rc result;
} scanning;

static raffle_rc check_order(const scanning *s, const raffle_store_key *key)
{
    raffle_rc rc = rf_check_key(key, RAFFLE_CORRUPT, s->err);
    if (rc != RAFFLE_OK)
        return rc;
    bool wanted = s->left > 0 && key->scope == s->scope && key->length >= s->prefix_length &&
                  rf_key_compare(key->key, s->prefix_length, s->prefix, s->prefix_length) == 0;
    const int order = rf_key_compare(key->key, key->length, s->last, s->last_length);
    if (!wanted || (s->back ? s->last_length > 0 && order >= 0 : order <= 0))
        return rf_fail(s->err, RAFFLE_CORRUPT,
                       "a scan of scope %" PRIu32 " gave a key that was not asked for or is out of order", s->scope);
    return RAFFLE_OK;
}

static raffle_rc take_key(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    (void)err;
    scanning *s = ctx;
    raffle_store_key mine;
    if (s->result == RAFFLE_OK)
        s->result = rf_struct_in(&mine, sizeof mine, key, "key", s->err);
    if (s->result == RAFFLE_OK)
        s->result = check_order(s, &mine);
    if (s->result != RAFFLE_OK)
        return s->result;
    s->left--;
    s->last_length = mine.length;
    memcpy(s->last, mine.key, mine.length);
    mine.struct_size = sizeof mine;
    s->result = s->sink(s->sink_ctx, &mine, s->err);
    return s->result;
}

static raffle_rc check_scan(const raffle_store *store, uint32_t scope, size_t prefix_length, size_t end_length,
                            raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = check_key_argument(scope, prefix_length, err);
    return rc == RAFFLE_OK ? check_key_argument(scope, end_length, err) : rc;
}

raffle_rc rf_store_scan(raffle_store *store, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                        const uint8_t *after, size_t after_length, uint64_t count, raffle_store_sink_key sink,
                        void *sink_ctx, raffle_error *err)
{
    raffle_rc rc = check_scan(store, scope, prefix_length, after_length, err);
    if (rc != RAFFLE_OK || count == 0)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    scanning s = {.scope = scope, .prefix = prefix, .prefix_length = prefix_length, .last_length = after_length};
    s.left = count;
    s.sink = sink;
    s.sink_ctx = sink_ctx;
    s.err = err;
    if (after_length > 0)
        memcpy(s.last, after, after_length);
    rc = store->table.scan(store->ctx, scope, prefix, prefix_length, after, after_length, count, take_key, &s, &own);
    return s.result != RAFFLE_OK ? s.result : rf_check_answer(rc, &own, "scan", RAFFLE_OK, err);
}

/* The last rows of a scan that goes forward, in a ring. */
typedef struct last_rows {
    raffle_store_key *row;
    uint64_t cap, n; /* n: all that came */
    const uint8_t *before;
    size_t before_length;
    bool done;
} last_rows;

static raffle_rc keep_last(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    last_rows *last = ctx;
    if (last->before_length > 0 && rf_key_compare(key->key, key->length, last->before, last->before_length) >= 0) {
        last->done = true;
        return rf_fail(err, RAFFLE_NOT_FOUND, "no more of them");
    }
    last->row[last->n++ % last->cap] = *key;
    return RAFFLE_OK;
}

static raffle_rc scan_forward(raffle_store *store, scanning *s, last_rows *last, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_store_scan(store, s->scope, s->prefix, s->prefix_length, NULL, 0, UINT64_MAX, keep_last, last, &why);
    if (last->done)
        rc = RAFFLE_OK;
    else if (rc != RAFFLE_OK)
        rc = rf_fail_as(err, &why);
    const uint64_t kept = last->n < last->cap ? last->n : last->cap;
    for (uint64_t i = 1; rc == RAFFLE_OK && i <= kept; i++)
        rc = s->sink(s->sink_ctx, &last->row[(last->n - i) % last->cap], err);
    return rc;
}

raffle_rc rf_store_scan_back(raffle_store *store, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                             const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                             void *sink_ctx, raffle_error *err)
{
    raffle_rc rc = check_scan(store, scope, prefix_length, before_length, err);
    if (rc != RAFFLE_OK || count == 0)
        return rc;
    if (count > RF_SCAN_BACK_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a scan back is of %d rows at most", (int)RF_SCAN_BACK_MAX);
    scanning s = {.back = true, .scope = scope, .prefix = prefix, .prefix_length = prefix_length, .left = count};
    s.sink = sink;
    s.sink_ctx = sink_ctx;
    s.err = err;
    s.last_length = before_length;
    if (before_length > 0)
        memcpy(s.last, before, before_length);
    if (store->table.scan_back != NULL) {
        raffle_error own = RAFFLE_ERROR_INIT;
        rc = store->table.scan_back(store->ctx, scope, prefix, prefix_length, before, before_length, count, take_key,
                                    &s, &own);
        return s.result != RAFFLE_OK ? s.result : rf_check_answer(rc, &own, "scan_back", RAFFLE_OK, err);
    }
    last_rows last = {.cap = count, .before = before, .before_length = before_length};
    last.row = malloc(count * sizeof *last.row);
    if (last.row == NULL)
        return rf_nomem(err);
    rc = scan_forward(store, &s, &last, err);
    free(last.row);
    return rc;
}

raffle_rc rf_store_note_put(raffle_store *store, uint32_t log, uint64_t size, const char *note, size_t length,
                            raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_note(size, note, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    return rf_check_answer(store->table.note_put(store->ctx, log, size, note, length, &own), &own, "note_put",
                           RAFFLE_OK, err);
}

raffle_rc rf_store_note_get(raffle_store *store, uint32_t log, uint64_t size, uint64_t *note_size, char *note,
                            size_t cap, size_t *length, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    uint64_t found_size = 0;
    size_t found = 0;
    rc = store->table.note_get(store->ctx, log, size, &found_size, note, cap, &found, &own);
    if (rc == RAFFLE_TOO_SMALL)
        *length = found;
    if (rc != RAFFLE_OK)
        return rf_check_answer(rc, &own, "note_get", RAFFLE_NOT_FOUND, err);
    bool right_size = size == RF_NOTE_LATEST ? found_size <= RF_LOG_RECORDS_MAX : found_size == size;
    if (!right_size || found == 0 || found > cap || found > RAFFLE_STORE_NOTE_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": the store gave a note of size %" PRIu64 " and %zu bytes",
                       log, found_size, found);
    *note_size = found_size;
    *length = found;
    return RAFFLE_OK;
}

raffle_rc rf_store_erase(raffle_store *store, uint32_t log, uint64_t index, raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc == RAFFLE_OK && index >= RF_LOG_RECORDS_MAX)
        rc = rf_fail(err, RAFFLE_INVALID, "record %" PRIu64 " is beyond the largest log", index);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    return rf_check_answer(store->table.erase(store->ctx, log, index, &own), &own, "erase", RAFFLE_NOT_FOUND, err);
}

static raffle_rc judge_anchor(raffle_rc rc, raffle_error *own, const char *function, uint32_t log, uint64_t found,
                              raffle_error *err)
{
    rc = rf_check_answer(rc, own, function, rc == RAFFLE_MISMATCH ? RAFFLE_MISMATCH : RAFFLE_NOT_FOUND, err);
    if (rc == RAFFLE_OK && found > RF_LOG_RECORDS_MAX)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the anchor says that log %" PRIu32 " has %" PRIu64 " records", log, found);
    return rc;
}

raffle_rc rf_store_anchor_get(raffle_store *store, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc == RAFFLE_OK && (!rf_store_has_anchor(store) || store->putting_back))
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "the store has no anchor");
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    uint64_t found = 0;
    uint8_t hash[32] = {0};
    rc = store->table.anchor_get(store->ctx, log, &found, hash, &own);
    rc = judge_anchor(rc, &own, "anchor_get", log, found, err);
    if (rc != RAFFLE_OK)
        return rc;
    *size = found;
    memcpy(root, hash, sizeof hash);
    return RAFFLE_OK;
}

raffle_rc rf_store_anchor_of(raffle_store *store, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                             raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK && store->table.anchor_of == NULL)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "the store has no anchor that can be asked before there is a raffle");
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    uint64_t found = 0;
    uint8_t hash[32] = {0};
    rc = store->table.anchor_of(store->ctx, origin, log, &found, hash, &own);
    rc = judge_anchor(rc, &own, "anchor_of", log, found, err);
    if (rc != RAFFLE_OK)
        return rc;
    *size = found;
    memcpy(root, hash, sizeof hash);
    return RAFFLE_OK;
}

raffle_rc rf_store_anchor_put(raffle_store *store, uint32_t log, uint64_t size, const uint8_t root[32], bool durable,
                              raffle_error *err)
{
    raffle_rc rc = check_process(store, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_log(log, err);
    if (rc == RAFFLE_OK && size > RF_LOG_RECORDS_MAX)
        rc = rf_fail(err, RAFFLE_INVALID, "an anchor over %" PRIu64 " records", size);
    if (rc != RAFFLE_OK || !rf_store_has_anchor(store) || store->putting_back)
        return rc;
    raffle_error own = RAFFLE_ERROR_INIT;
    rc = store->table.anchor_put(store->ctx, log, size, root, durable, &own);
    return rf_check_answer(rc, &own, "anchor_put", rc == RAFFLE_MISMATCH ? RAFFLE_MISMATCH : RAFFLE_OK, err);
}
