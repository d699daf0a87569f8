/* SPDX-License-Identifier: Apache-2.0 */
/* A log: appends of all sizes, groups, what fails and what waits, two handles on one store, checkpoints, other histories, damage. */
#include "log.h"

#include "error.h"
#include "failing_store.h"
#include "log_impl.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/* The thread sanitizer of clang 14 knows sem_timedwait() and not sem_clockwait(): what a semaphore orders would look like a race. */
int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
    struct timespec now, by;
    clock_gettime(clock, &now);
    clock_gettime(CLOCK_REALTIME, &by);
    by.tv_sec += until->tv_sec - now.tv_sec;
    by.tv_nsec += until->tv_nsec - now.tv_nsec;
    by.tv_sec += (by.tv_nsec >= 1000000000) - (by.tv_nsec < 0);
    by.tv_nsec = (by.tv_nsec + 1000000000) % 1000000000;
    return sem_timedwait(sem, &by);
}
#endif
#endif

#define RAFFLE_ORIGIN "raffle.example/log"
#define LOG_ORIGIN RAFFLE_ORIGIN "/1"

enum {
    LOG = 1,
    SCOPE = 3,
    THREADS = 16,
    LEAF_MAX = 64
};

static char folder[64], path[96];
static raffle_error err;

/* --- a fold: how many records there are, and a sum over their bytes in order --- */

typedef struct sums {
    uint64_t size, sum;
} sums;

typedef struct fold {
    sums now, before;
    size_t applied, begun, undone, refreshed;
    bool dirty;          /* until it is refreshed: what is applied meets a state that is not whole */
    size_t busy;         /* so many times `begin` asks for a refresh */
    raffle_rc apply_rc;  /* what `apply` fails with */
    uint64_t control_at; /* the control log's size, as `begin` saw it */
} fold;

static void add_leaf(fold *f, const char *leaf, size_t length)
{
    for (size_t i = 0; i < length; i++)
        f->now.sum = f->now.sum * 31 + (unsigned char)leaf[i];
    f->now.size++;
}

static raffle_rc fold_apply(void *ctx, const raffle_record *record, const uint8_t leaf_hash[32], raffle_error *error)
{
    fold *f = ctx;
    (void)leaf_hash;
    if (f->dirty)
        return rf_fail(error, RAFFLE_CORRUPT, "record %" PRIu64 " meets a state that is not whole", record->index);
    if (f->apply_rc != RAFFLE_OK)
        return rf_fail(error, f->apply_rc, "record %" PRIu64 " makes no sense", record->index);
    if (record->index != f->now.size)
        return rf_fail(error, RAFFLE_MISUSE, "record %" PRIu64 " was given out of order", record->index);
    add_leaf(f, record->leaf, record->leaf_length);
    f->applied++;
    return RAFFLE_OK;
}

static raffle_rc fold_begin(void *ctx, uint64_t control_size, raffle_error *error)
{
    fold *f = ctx;
    f->control_at = control_size;
    if (f->busy > 0) {
        f->busy--;
        return rf_fail(error, RAFFLE_BUSY, "something is missing");
    }
    f->begun++;
    f->before = f->now;
    return RAFFLE_OK;
}

static void fold_undo(void *ctx)
{
    fold *f = ctx;
    f->undone++;
    f->now = f->before;
}

static raffle_rc fold_refresh(void *ctx, raffle_error *error)
{
    fold *f = ctx;
    (void)error;
    f->dirty = false;
    f->refreshed++;
    return RAFFLE_OK;
}

static size_t fold_save(void *ctx, uint8_t *out)
{
    fold *f = ctx;
    memcpy(out, &f->now, sizeof f->now);
    return sizeof f->now;
}

/* --- a handle: a store of its own, a fold, a log --- */

typedef struct handle {
    raffle_store *store;
    fold fold;
    rf_log *log;
} handle;

static handle one, two;

static void open_store(handle *h)
{
    char uri[160];
    snprintf(uri, sizeof uri, "sqlite:%s?create=1", path);
    raffle_rc rc = raffle_store_open(uri, NULL, &h->store, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
}

static raffle_rc open_log(handle *h, bool threads)
{
    const rf_log_fold calls = {&h->fold, fold_apply, fold_begin, fold_undo, fold_refresh, fold_save};
    raffle_store_head head;
    h->fold = (fold){.begun = 0};
    raffle_store_head_init(&head, sizeof head);
    raffle_rc rc = rf_store_head(h->store, LOG, &head, &err);
    if (rc == RAFFLE_OK && head.state_length == sizeof h->fold.now)
        memcpy(&h->fold.now, head.state, sizeof h->fold.now);
    return rc == RAFFLE_OK ? rf_log_open(h->store, LOG, LOG_ORIGIN, &calls, threads, &h->log, &err) : rc;
}

static void open_handle(handle *h)
{
    open_store(h);
    ck_assert_int_eq(open_log(h, true), RAFFLE_OK);
}

static void close_handle(handle *h)
{
    rf_log_free(h->log);
    raffle_store_free(h->store);
    h->log = NULL;
    h->store = NULL;
}

static void set_up(void)
{
    const char *tmp = getenv("TMPDIR");
    ck_assert_int_ge(sodium_init(), 0);
    raffle_error_init(&err, sizeof err);
    snprintf(folder, sizeof folder, "%.32s/raffle-log-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/gala", folder);
    open_store(&one);
    ck_assert_int_eq(rf_store_create(one.store, RAFFLE_ORIGIN, &err), RAFFLE_OK);
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
}

static void tear_down(void)
{
    close_handle(&one);
    close_handle(&two);
    DIR *dir = opendir(folder);
    char file[384];
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
    }
    closedir(dir);
    rmdir(folder);
}

/* --- requests --- */

/* Holds a build up until it is let go. */
typedef struct gate {
    sem_t entered, open;
} gate;

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

typedef struct job {
    rf_request request;
    handle *handle;
    const char *name;
    size_t records;
    uint64_t rows;     /* that it says it writes */
    size_t padding;    /* so many bytes longer is each leaf */
    raffle_rc fail;    /* after everything was built */
    const char *key;   /* taken for the first record */
    gate *gate;        /* waited at before everything is built */
    size_t calls;      /* results: how often it was built, */
    uint64_t first;    /* the index of its first record, */
    bool taken;        /* whether the key was taken already, */
    raffle_error *err; /* where its failure goes; NULL: err */
    raffle_rc rc;      /* and how it ended */
} job;

static size_t leaf_of(const job *j, size_t i, char *leaf)
{
    return (size_t)sprintf(leaf, "{\"name\":\"%.20s\",\"i\":%zu,\"p\":\"%0*d\"}", j->name, i, (int)j->padding + 1, 0);
}

static raffle_rc build_record(job *j, rf_txn *txn, size_t i, raffle_error *error)
{
    char *room = NULL;
    raffle_rc rc = rf_txn_room(txn, LEAF_MAX + j->padding, &room, error);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = leaf_of(j, i, room);
    rc = rf_txn_add(txn, length, i % 2 == 0 ? NULL : "private", i % 2 == 0 ? 0 : 7, error);
    if (rc == RAFFLE_OK)
        add_leaf(&j->handle->fold, room, length);
    return rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *error)
{
    job *j = ctx;
    raffle_store_key owner;
    raffle_rc rc = RAFFLE_OK;
    j->calls++;
    j->first = rf_txn_size(txn);
    if (j->gate != NULL) {
        sem_post(&j->gate->entered);
        wait_for(&j->gate->open);
    }
    if (j->key != NULL)
        rc = rf_txn_key(txn, SCOPE, (const uint8_t *)j->key, strlen(j->key), j->first, &j->taken, &owner, error);
    for (size_t i = 0; rc == RAFFLE_OK && i < j->records; i++)
        rc = build_record(j, txn, i, error);
    if (rc == RAFFLE_OK && j->fail != RAFFLE_OK)
        rc = rf_fail(error, j->fail, "%s was told to fail", j->name);
    return rc;
}

static raffle_rc run_for(job *j, int32_t timeout_ms)
{
    j->request = (rf_request){.build = build, .ctx = j, .timeout_ms = timeout_ms, .rows = j->rows};
    return j->rc = rf_log_append(j->handle->log, &j->request, j->err == NULL ? &err : j->err);
}

static raffle_rc run(job *j)
{
    return run_for(j, -1);
}

static void append(handle *h, const char *name, size_t records)
{
    job j = {.handle = h, .name = name, .records = records};
    raffle_rc rc = run(&j);
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", name, err.message);
}

/* --- what is there --- */

/* The leaf hashes of what is in the store. */
typedef struct contents {
    rf_sha256 *hash;
    uint64_t n;
    uint8_t (*leaf)[32];
    sums sums;
} contents;

static raffle_rc collect(void *ctx, const raffle_record *record, raffle_error *error)
{
    contents *c = ctx;
    (void)error;
    fold f = {.now = c->sums};
    add_leaf(&f, record->leaf, record->leaf_length);
    c->sums = f.now;
    rf_leaf_hash(c->hash, c->leaf[c->n++], record->leaf, record->leaf_length);
    return RAFFLE_OK;
}

static contents read_all(handle *h, uint64_t size)
{
    contents c = {.hash = rf_sha256_new(), .leaf = calloc(size + 1, 32)};
    ck_assert(c.hash != NULL && c.leaf != NULL);
    raffle_rc rc = rf_store_read(h->store, LOG, 0, size, collect, &c, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    ck_assert_uint_eq(c.n, size);
    return c;
}

static void free_contents(contents *c)
{
    rf_sha256_free(c->hash);
    free(c->leaf);
}

/* MTH of RFC 6962 section 2.1. */
static void naive_root(const contents *c, uint64_t from, uint64_t size, uint8_t out[32])
{
    uint8_t left[32], right[32];
    uint64_t k = 1;
    if (size == 0) {
        memcpy(out, rf_empty_root, 32);
        return;
    }
    if (size == 1) {
        memcpy(out, c->leaf[from], 32);
        return;
    }
    while (2 * k < size)
        k *= 2;
    naive_root(c, from, k, left);
    naive_root(c, from + k, size - k, right);
    rf_node_hash(c->hash, out, left, right);
}

static void check_nodes(handle *h, const contents *c)
{
    uint8_t node[32], want[32];
    for (uint32_t level = RF_TREE_KEPT_LEVEL; level < 16; level++) {
        const uint64_t complete = c->n >> level;
        for (uint64_t i = 0; i < complete; i++) {
            ck_assert_int_eq(rf_store_node(h->store, LOG, level, i, node, &err), RAFFLE_OK);
            naive_root(c, i << level, UINT64_C(1) << level, want);
            ck_assert_mem_eq(node, want, 32);
        }
        ck_assert_int_eq(rf_store_node(h->store, LOG, level, complete, node, &err), RAFFLE_NOT_FOUND);
    }
}

/* The store, the handle, the fold, the state and the anchor all say the same, and there are `size` records. */
static void check_log(handle *h, uint64_t size)
{
    raffle_store_head head;
    uint8_t root[32], want[32];
    uint64_t found = UINT64_MAX;
    raffle_store_head_init(&head, sizeof head);
    ck_assert_int_eq(rf_store_head(h->store, LOG, &head, &err), RAFFLE_OK);
    ck_assert_uint_eq(head.size, size);
    ck_assert_uint_eq(rf_log_size(h->log), size);
    contents c = read_all(h, size);
    naive_root(&c, 0, size, want);
    rf_log_root(h->log, &found, root);
    ck_assert_uint_eq(found, size);
    ck_assert_mem_eq(root, want, 32);
    ck_assert_mem_eq(&h->fold.now, &c.sums, sizeof c.sums);
    check_nodes(h, &c);
    free_contents(&c);
    if (size == 0)
        return;
    ck_assert_uint_eq(head.state_length, sizeof c.sums);
    ck_assert_mem_eq(head.state, &c.sums, sizeof c.sums);
    ck_assert_int_eq(rf_store_anchor_get(h->store, LOG, &found, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(found, size);
    ck_assert_mem_eq(root, want, 32);
}

static bool key_there(handle *h, const char *key)
{
    raffle_store_key row;
    raffle_rc rc = rf_store_find(h->store, SCOPE, (const uint8_t *)key, strlen(key), &row, &err);
    ck_assert(rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND);
    return rc == RAFFLE_OK;
}

static void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, text, NULL, NULL, &message);
    ck_assert_msg(code == SQLITE_OK, "%s: %s", text, message);
    sqlite3_close(db);
}

/* --- appending --- */

static const size_t sizes[] = {1, 15, 16, 17, 255, 256, 511, 512, 513, 600, 1024, 1536, 1537, 2048, 5000};

START_TEST(one_request_of_any_size)
{
    const size_t size = sizes[_i];
    append(&one, "all", size);
    check_log(&one, size);
    append(&one, "more", 1);
    append(&one, "again", size);
    check_log(&one, 2 * size + 1);
    close_handle(&one);
    open_handle(&one);
    check_log(&one, 2 * size + 1);
    append(&one, "later", 300);
    check_log(&one, 2 * size + 301);
}
END_TEST

START_TEST(without_threads)
{
    rf_log_free(one.log);
    one.log = NULL;
    ck_assert_int_eq(open_log(&one, false), RAFFLE_OK);
    append(&one, "all", sizes[_i]);
    check_log(&one, sizes[_i]);
}
END_TEST

START_TEST(one_by_one)
{
    for (size_t i = 1; i <= 300; i++)
        append(&one, "small", 1);
    check_log(&one, 300);
}
END_TEST

/* A chunk is full by its bytes before it is by its records. */
START_TEST(long_records)
{
    job j = {.handle = &one, .name = "long", .records = 40, .padding = 60000};
    ck_assert_int_eq(run(&j), RAFFLE_OK);
    check_log(&one, 40);
    j = (job){.handle = &one, .name = "longest", .records = 3, .padding = RAFFLE_RECORD_MAX - LEAF_MAX};
    ck_assert_int_eq(run(&j), RAFFLE_OK);
    check_log(&one, 43);
}
END_TEST

static raffle_rc build_elsewhere(void *ctx, rf_txn *txn, raffle_error *error)
{
    static const char leaf[] = "{\"elsewhere\":true}";
    job *j = ctx;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < j->records; i++) {
        rc = i % 3 == 0 ? build_record(j, txn, i, error) : rf_txn_add_leaf(txn, leaf, sizeof leaf - 1, NULL, 0, error);
        if (i % 3 != 0)
            add_leaf(&j->handle->fold, leaf, sizeof leaf - 1);
    }
    return rc;
}

START_TEST(leaves_from_elsewhere)
{
    job j = {.handle = &one, .name = "mixed", .records = 2000};
    rf_request r = {.build = build_elsewhere, .ctx = &j, .timeout_ms = -1};
    ck_assert_int_eq(rf_log_append(one.log, &r, &err), RAFFLE_OK);
    check_log(&one, 2000);
}
END_TEST

typedef struct lengths {
    size_t leaf, private_part;
} lengths;

static raffle_rc build_lengths(void *ctx, rf_txn *txn, raffle_error *error)
{
    static const char bytes[RAFFLE_RECORD_MAX + 1] = "{}";
    const lengths *l = ctx;
    return rf_txn_add_leaf(txn, bytes, l->leaf, bytes, l->private_part, error);
}

START_TEST(records_beyond_the_limits)
{
    static lengths bad[] = {{0, 0}, {RAFFLE_RECORD_MAX + 1, 0}, {2, RAFFLE_PRIVATE_MAX + 1}};
    append(&one, "before", 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rf_request r = {.build = build_lengths, .ctx = &bad[i], .timeout_ms = -1};
        ck_assert_int_eq(rf_log_append(one.log, &r, &err), RAFFLE_LIMIT);
    }
    check_log(&one, 3);
}
END_TEST

START_TEST(keys_are_taken_once)
{
    job first = {.handle = &one, .name = "first", .records = 2, .key = "order-1"};
    job second = {.handle = &one, .name = "second", .records = 1, .key = "order-1"};
    ck_assert_int_eq(run(&first), RAFFLE_OK);
    ck_assert_int_eq(run(&second), RAFFLE_OK);
    ck_assert(!first.taken && second.taken);
    check_log(&one, 3);
}
END_TEST

typedef struct rooted {
    job job;
    uint8_t root[32];
} rooted;

static raffle_rc build_rooted(void *ctx, rf_txn *txn, raffle_error *error)
{
    static const char note[] = "text\n\n\xe2\x80\x94 name AAAA\n";
    rooted *r = ctx;
    raffle_rc rc = build(&r->job, txn, error);
    if (rc == RAFFLE_OK)
        rc = rf_txn_root(txn, r->root, error);
    return rc == RAFFLE_OK ? rf_txn_note(txn, note, sizeof note - 1, error) : rc;
}

START_TEST(the_root_within_a_transaction)
{
    rooted r = {.job = {.handle = &one, .name = "rooted", .records = 700}};
    rf_request request = {.build = build_rooted, .ctx = &r, .timeout_ms = -1};
    uint8_t root[32];
    char note[64];
    uint64_t size = 0;
    size_t length = 0;
    append(&one, "before", 10);
    ck_assert_int_eq(rf_log_append(one.log, &request, &err), RAFFLE_OK);
    check_log(&one, 710);
    rf_log_root(one.log, &size, root);
    ck_assert_mem_eq(r.root, root, 32);
    ck_assert_int_eq(rf_store_note_get(one.store, LOG, 710, &size, note, sizeof note, &length, &err), RAFFLE_OK);
    r.job.fail = RAFFLE_INVALID;
    ck_assert_int_eq(rf_log_append(one.log, &request, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_note_get(one.store, LOG, 1410, &size, note, sizeof note, &length, &err),
                     RAFFLE_NOT_FOUND);
    check_log(&one, 710);
}
END_TEST

/* --- groups --- */

static void *run_job(void *ctx)
{
    run(ctx);
    return NULL;
}

/* What one thread of many does: a request of its own after the other. */
typedef struct worker_thread {
    pthread_t thread;
    handle *handle;
    size_t requests, failures;
    int32_t timeout_ms;
    unsigned number;
    raffle_error err;
} worker_thread;

static void *run_requests(void *ctx)
{
    worker_thread *w = ctx;
    char name[24];
    raffle_error_init(&w->err, sizeof w->err);
    for (size_t i = 0; i < w->requests; i++) {
        snprintf(name, sizeof name, "t%u-%zu", w->number, i);
        job j = {.handle = w->handle, .name = name, .records = 1 + i % 4, .key = name, .err = &w->err};
        w->failures += run_for(&j, w->timeout_ms) != RAFFLE_OK || j.taken;
    }
    return NULL;
}

static size_t run_threads(worker_thread *w, size_t n, handle *first, handle *second, size_t requests,
                          int32_t timeout_ms)
{
    size_t failures = 0;
    for (size_t i = 0; i < n; i++) {
        w[i] = (worker_thread){.handle = i % 2 == 0 ? first : second,
                               .requests = requests,
                               .timeout_ms = timeout_ms,
                               .number = (unsigned)i};
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, run_requests, &w[i]), 0);
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(w[i].thread, NULL);
        failures += w[i].failures;
    }
    return failures;
}

/* Every key is there, and its record is the first of that request: nothing twice, nothing torn. */
static raffle_rc check_first(void *ctx, const raffle_record *record, raffle_error *error)
{
    (void)error;
    char want[64];
    size_t length = (size_t)snprintf(want, sizeof want, "{\"name\":\"%s\",\"i\":0,", (const char *)ctx);
    ck_assert(record->leaf_length > length);
    ck_assert_mem_eq(record->leaf, want, length);
    return RAFFLE_OK;
}

static void check_threads(handle *h, size_t n, size_t requests)
{
    uint64_t records = 0;
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < requests; i++) {
            char name[24];
            raffle_store_key row;
            snprintf(name, sizeof name, "t%zu-%zu", t, i);
            ck_assert_int_eq(rf_store_find(h->store, SCOPE, (const uint8_t *)name, strlen(name), &row, &err),
                             RAFFLE_OK);
            ck_assert_int_eq(rf_store_read(h->store, LOG, row.index, 1, check_first, name, &err), RAFFLE_OK);
            records += 1 + i % 4;
        }
    check_log(h, records);
}

/* For as long as it takes, and with a time that suffices. */
START_TEST(many_threads)
{
    worker_thread w[THREADS];
    ck_assert_uint_eq(run_threads(w, THREADS, &one, &one, 40, _i == 0 ? -1 : 60000), 0);
    check_threads(&one, THREADS, 40);
    ck_assert_uint_le(one.fold.begun, THREADS * 40);
}
END_TEST

static void open_gate(gate *g)
{
    sem_init(&g->entered, 0, 0);
    sem_init(&g->open, 0, 0);
}

static void close_gate(gate *g)
{
    sem_destroy(&g->entered);
    sem_destroy(&g->open);
}

/* A thread whose commit is held up in `build`. */
static void start_leader(pthread_t *thread, job *j, gate *g)
{
    open_gate(g);
    j->gate = g;
    ck_assert_int_eq(pthread_create(thread, NULL, run_job, j), 0);
    wait_for(&g->entered);
}

static void end_leader(pthread_t thread, gate *g)
{
    sem_post(&g->open);
    pthread_join(thread, NULL);
    close_gate(g);
}

static void wait_queued(rf_log *log, size_t n)
{
    for (size_t queued = 0; queued != n; sched_yield()) {
        pthread_mutex_lock(&log->lock);
        queued = log->queued;
        pthread_mutex_unlock(&log->lock);
    }
}

static void start_jobs(pthread_t *threads, job *jobs, raffle_error *errors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        errors[i] = (raffle_error)RAFFLE_ERROR_INIT;
        jobs[i].handle = &one;
        jobs[i].err = &errors[i];
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
}

START_TEST(those_who_wait_are_one_group)
{
    gate g;
    pthread_t leader, threads[THREADS];
    raffle_error errors[THREADS], own = RAFFLE_ERROR_INIT;
    job first = {.handle = &one, .name = "leader", .records = 1, .err = &own}, jobs[THREADS];
    start_leader(&leader, &first, &g);
    for (size_t i = 0; i < THREADS; i++)
        jobs[i] = (job){.name = "member", .records = i + 1};
    start_jobs(threads, jobs, errors, THREADS);
    wait_queued(one.log, THREADS);
    end_leader(leader, &g);
    bool seen[THREADS * (THREADS + 1) / 2 + 1] = {true};
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(jobs[i].rc, RAFFLE_OK);
        ck_assert_uint_eq(jobs[i].calls, 1);
        for (size_t k = 0; k <= i; k++) {
            ck_assert(!seen[jobs[i].first + k]);
            seen[jobs[i].first + k] = true;
        }
    }
    ck_assert_uint_eq(one.fold.begun, 2);
    check_log(&one, 1 + THREADS * (THREADS + 1) / 2);
}
END_TEST

/* Of ten who wait, with 13 rows each and 8 for the head, a transaction of 64 rows holds four. */
START_TEST(a_group_fits_into_a_transaction)
{
    enum {
        WAITING = 10
    };
    gate g;
    pthread_t leader, threads[WAITING];
    raffle_error errors[WAITING], own = RAFFLE_ERROR_INIT;
    static failing_store limited; /* outlives the test, with the handle */
    limited = (failing_store){.inner = one.store, .batch_rows = _i == 0 ? 64 : 1};
    job first = {.handle = &one, .name = "leader", .records = 1, .err = &own}, jobs[WAITING];
    rf_log_free(one.log);
    ck_assert_int_eq(failing_store_new(&limited, &one.store, &err), RAFFLE_OK);
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
    start_leader(&leader, &first, &g);
    for (size_t i = 0; i < WAITING; i++)
        jobs[i] = (job){.name = "member", .records = 6, .rows = 12};
    start_jobs(threads, jobs, errors, WAITING);
    wait_queued(one.log, WAITING);
    end_leader(leader, &g);
    for (size_t i = 0; i < WAITING; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(jobs[i].rc, RAFFLE_OK);
    }
    ck_assert_uint_eq(one.fold.begun, 1 + (_i == 0 ? 3 : WAITING));
    check_log(&one, 1 + 6 * WAITING);
}
END_TEST

/* --- those who lead without a request --- */

static void *lead_once(void *ctx)
{
    handle *h = ctx;
    rf_log_lead(h->log);
    rf_log_follow(h->log);
    return NULL;
}

/* A checkpoint or a refresh is handed the lead: a seller who comes by before it has woken waits for it. When both wait they take turns. */
START_TEST(sellers_keep_nobody_out)
{
    raffle_error own = RAFFLE_ERROR_INIT;
    job sale = {.handle = &one, .name = "sale", .records = 1, .err = &own};
    pthread_t other, seller;
    size_t outsiders = 0;
    rf_log_lead(one.log);
    ck_assert_int_eq(pthread_create(&other, NULL, lead_once, &one), 0);
    for (; outsiders != 1; sched_yield()) {
        pthread_mutex_lock(&one.log->lock);
        outsiders = one.log->outsiders;
        pthread_mutex_unlock(&one.log->lock);
    }
    if (_i == 1) {
        ck_assert_int_eq(pthread_create(&seller, NULL, run_job, &sale), 0);
        wait_queued(one.log, 1);
    }
    pthread_mutex_lock(&one.log->lock);
    rf_log_pass_on(one.log);
    ck_assert(one.log->leading); /* whoever appends now is queued */
    ck_assert(one.log->handed == (_i == 0));
    pthread_mutex_unlock(&one.log->lock);
    if (_i == 0)
        ck_assert_int_eq(pthread_create(&seller, NULL, run_job, &sale), 0);
    pthread_join(other, NULL);
    pthread_join(seller, NULL);
    ck_assert_int_eq(sale.rc, RAFFLE_OK);
    check_log(&one, 1);
}
END_TEST

/* --- what fails --- */

START_TEST(a_build_that_fails_undoes_everything)
{
    job j = {.handle = &one, .name = "bad", .records = sizes[_i], .fail = RAFFLE_QUOTA, .key = "lost"};
    append(&one, "before", 300);
    ck_assert_int_eq(run(&j), RAFFLE_QUOTA);
    ck_assert_str_eq(err.message, "bad was told to fail");
    ck_assert_uint_eq(one.fold.undone, 1);
    ck_assert(!key_there(&one, "lost"));
    ck_assert(!rf_log_halted(one.log));
    check_log(&one, 300);
    append(&one, "after", 300);
    check_log(&one, 600);
}
END_TEST

/* Three in a group, of which the second fails after 600 records. */
static void fail_in_a_group(raffle_rc fail, job jobs[3], raffle_error errors[3])
{
    gate g;
    pthread_t leader, threads[3];
    raffle_error own = RAFFLE_ERROR_INIT;
    job first = {.handle = &one, .name = "leader", .records = 1, .err = &own};
    jobs[0] = (job){.name = "fine", .records = 20};
    jobs[1] = (job){.name = "bad", .records = 600, .fail = fail};
    jobs[2] = (job){.name = "fine", .records = 1};
    start_leader(&leader, &first, &g);
    start_jobs(threads, jobs, errors, 3);
    wait_queued(one.log, 3);
    end_leader(leader, &g);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(first.rc, RAFFLE_OK);
    ck_assert_int_eq(jobs[1].rc, fail);
    ck_assert_str_eq(errors[1].message, "bad was told to fail");
}

START_TEST(a_refusal_leaves_its_group)
{
    job jobs[3];
    raffle_error errors[3];
    fail_in_a_group(RAFFLE_QUOTA, jobs, errors);
    ck_assert_int_eq(jobs[0].rc, RAFFLE_OK);
    ck_assert_int_eq(jobs[2].rc, RAFFLE_OK);
    ck_assert_uint_eq(jobs[1].calls, 1);
    check_log(&one, 22);
    append(&one, "after", 3);
    check_log(&one, 25);
}
END_TEST

static failing_store unsure; /* outlives the test, with the handle */

static void open_unsure(void)
{
    rf_log_free(one.log);
    unsure.inner = one.store;
    ck_assert_int_eq(failing_store_new(&unsure, &one.store, &err), RAFFLE_OK);
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
}

static raffle_rc refuse_at_first(void *ctx, rf_txn *txn, raffle_error *error)
{
    job *j = ctx;
    j->fail = j->calls == 0 ? RAFFLE_QUOTA : RAFFLE_OK;
    return build(j, txn, error);
}

/* A store that begins anew may show what it did not show before: who was refused in the first try is asked again. */
START_TEST(a_refusal_is_the_last_try_s)
{
    job j = {.handle = &one, .name = "order", .records = 2};
    unsure = (failing_store){.refills = true};
    open_unsure();
    j.request = (rf_request){.build = refuse_at_first, .ctx = &j, .timeout_ms = -1};
    raffle_rc rc = rf_log_append(one.log, &j.request, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    ck_assert_uint_eq(j.calls, 2);
    check_log(&one, 2);
}
END_TEST

/* Nor is a refusal, or that there was nothing to add, the answer when the store failed with something else: what it rests on may not be there. */
START_TEST(a_refusal_is_not_the_store_s_failure)
{
    static const raffle_rc failures[] = {RAFFLE_IO, RAFFLE_FULL, RAFFLE_UNKNOWN};
    job j = {.handle = &one, .name = "order", .records = _i % 2 == 0 ? 2 : 0, .fail = _i % 2 == 0 ? RAFFLE_QUOTA : 0};
    unsure = (failing_store){.refused = failures[_i / 2]};
    open_unsure();
    ck_assert_int_eq(run(&j), failures[_i / 2]);
    unsure.refused = RAFFLE_OK;
    check_log(&one, 0);
    append(&one, "after", 3);
    check_log(&one, 3);
}
END_TEST

START_TEST(a_failure_ends_its_group)
{
    job jobs[3];
    raffle_error errors[3];
    fail_in_a_group(RAFFLE_IO, jobs, errors);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(jobs[i].rc, RAFFLE_IO);
        ck_assert_str_eq(errors[i].message, "bad was told to fail");
    }
    check_log(&one, 1);
    append(&one, "after", 3);
    check_log(&one, 4);
}
END_TEST

START_TEST(nothing_to_add_changes_nothing)
{
    job j = {.handle = &one, .name = "nothing", .key = "nobody"};
    ck_assert_int_eq(run(&j), RAFFLE_OK);
    ck_assert_uint_eq(j.calls, 1);
    ck_assert(!key_there(&one, "nobody"));
    check_log(&one, 0);
    append(&one, "some", 20);
    one.fold.undone = 0;
    ck_assert_int_eq(run(&j), RAFFLE_OK);
    ck_assert_uint_eq(one.fold.undone, 1);
    ck_assert(!key_there(&one, "nobody"));
    check_log(&one, 20);
}
END_TEST

START_TEST(a_store_that_fails_undoes_everything)
{
    append(&one, "before", 5);
    sql("INSERT INTO record (id, leaf) VALUES ((1 << 40) + 1400, '{}')"); /* in the way of the third chunk */
    job j = {.handle = &one, .name = "bad", .records = 2000};
    ck_assert_int_eq(run(&j), RAFFLE_CORRUPT);
    sql("DELETE FROM record WHERE id = (1 << 40) + 1400");
    check_log(&one, 5);
    ck_assert_int_eq(run(&j), RAFFLE_HALTED); /* it found damage */
    close_handle(&one);
    open_handle(&one);
    ck_assert_int_eq(run(&j), RAFFLE_OK);
    check_log(&one, 2005);
}
END_TEST

static raffle_rc build_again(void *ctx, rf_txn *txn, raffle_error *error)
{
    job *j = ctx;
    job inner = {.handle = j->handle, .name = "inner", .records = 1};
    j->rc = run(&inner);
    ck_assert_uint_eq(inner.calls, 0);
    return build_record(j, txn, 0, error);
}

START_TEST(entering_it_again_is_misuse)
{
    job j = {.handle = &one, .name = "outer"};
    rf_request r = {.build = build_again, .ctx = &j, .timeout_ms = -1};
    ck_assert_int_eq(rf_log_append(one.log, &r, &err), RAFFLE_OK);
    ck_assert_int_eq(j.rc, RAFFLE_MISUSE);
    check_log(&one, 1);
}
END_TEST

/* --- what waits --- */

START_TEST(out_of_time_behind_a_leader)
{
    gate g;
    pthread_t leader;
    raffle_error own = RAFFLE_ERROR_INIT;
    job first = {.handle = &one, .name = "leader", .records = 4, .err = &own};
    job late = {.handle = &one, .name = "late", .records = 1, .key = "late"};
    start_leader(&leader, &first, &g);
    ck_assert_int_eq(run_for(&late, 20), RAFFLE_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(err.message, "20 ms"));
    ck_assert_int_eq(run_for(&late, 0), RAFFLE_TIMEOUT);
    ck_assert_uint_eq(late.calls, 0);
    end_leader(leader, &g);
    ck_assert_int_eq(first.rc, RAFFLE_OK);
    ck_assert(!key_there(&one, "late"));
    check_log(&one, 4);
    ck_assert_int_eq(run_for(&late, 5000), RAFFLE_OK);
    check_log(&one, 5);
}
END_TEST

/* One whose time runs out in the middle of the queue leaves the others where they are. */
START_TEST(out_of_time_among_others)
{
    gate g;
    pthread_t leader, threads[4];
    raffle_error errors[4], own = RAFFLE_ERROR_INIT;
    job first = {.handle = &one, .name = "leader", .records = 1, .err = &own};
    job jobs[4] = {{.name = "a", .records = 1},
                   {.name = "b", .records = 1},
                   {.name = "c", .records = 1},
                   {.name = "d", .records = 1}};
    job late = {.handle = &one, .name = "late", .records = 1};
    start_leader(&leader, &first, &g);
    start_jobs(threads, jobs, errors, 2);
    wait_queued(one.log, 2);
    ck_assert_int_eq(run_for(&late, 10), RAFFLE_TIMEOUT);
    wait_queued(one.log, 2);
    start_jobs(threads + 2, jobs + 2, errors + 2, 2);
    wait_queued(one.log, 4);
    ck_assert_int_eq(run_for(&late, 10), RAFFLE_TIMEOUT);
    end_leader(leader, &g);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(jobs[i].rc, RAFFLE_OK);
    }
    check_log(&one, 5);
}
END_TEST

/* --- two handles --- */

START_TEST(two_handles_in_turn)
{
    open_handle(&two);
    for (size_t i = 1; i <= 10; i++) {
        append(&one, "one", 70);
        append(&two, "two", 30);
        ck_assert_uint_eq(two.fold.applied, 70 * i);
        ck_assert_uint_eq(one.fold.applied, 30 * (i - 1));
    }
    check_log(&two, 1000);
    ck_assert_uint_eq(rf_log_size(one.log), 970);
    ck_assert_int_eq(rf_log_refresh(one.log, &err), RAFFLE_OK);
    check_log(&one, 1000);
}
END_TEST

START_TEST(two_handles_at_once)
{
    worker_thread w[4];
    open_handle(&two);
    ck_assert_uint_eq(run_threads(w, 4, &one, &two, 50, _i == 0 ? -1 : 60000), 0);
    ck_assert_int_eq(rf_log_refresh(one.log, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_log_refresh(two.log, &err), RAFFLE_OK);
    check_threads(&one, 4, 50);
    check_threads(&two, 4, 50);
}
END_TEST

/* Without an anchor that tells of them, what others wrote is found inside of the transaction, and followed there: it cannot be overtaken again. */
START_TEST(caught_up_within_the_transaction)
{
    char uri[160];
    const bool within = _i == 0;
    const size_t records = within ? 4096 : 4097;
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=none", path);
    ck_assert_int_eq(raffle_store_open(uri, NULL, &two.store, &err), RAFFLE_OK);
    ck_assert_int_eq(open_log(&two, true), RAFFLE_OK);
    append(&one, "one", records);
    job j = {.handle = &two, .name = "fails", .records = 3, .fail = RAFFLE_LIMIT};
    ck_assert_int_eq(run(&j), RAFFLE_LIMIT);
    ck_assert_uint_eq(two.fold.applied, records);
    ck_assert_uint_eq(two.fold.refreshed, within ? 1 : 2); /* one for the failure */
    append(&two, "two", 5);
    ck_assert_uint_eq(two.fold.applied, records);
    append(&one, "last", 1); /* the one with the anchor */
    check_log(&one, records + 6);
}
END_TEST

START_TEST(what_makes_no_sense_within_a_transaction_halts)
{
    char uri[160];
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=none", path);
    ck_assert_int_eq(raffle_store_open(uri, NULL, &two.store, &err), RAFFLE_OK);
    ck_assert_int_eq(open_log(&two, true), RAFFLE_OK);
    append(&one, "strange", 3);
    two.fold.apply_rc = RAFFLE_CORRUPT;
    job j = {.handle = &two, .name = "halted", .records = 1};
    ck_assert_int_eq(run(&j), RAFFLE_CORRUPT);
    ck_assert(rf_log_halted(two.log) && !rf_log_forked(two.log));
    two.fold.apply_rc = RAFFLE_OK;
    ck_assert_int_eq(run(&j), RAFFLE_HALTED);
    ck_assert_uint_eq(j.calls, 0);
    check_log(&one, 3);
}
END_TEST

START_TEST(begin_asks_for_a_refresh)
{
    one.fold.busy = 3;
    append(&one, "patient", 2);
    ck_assert_uint_eq(one.fold.refreshed, 3);
    check_log(&one, 2);
    one.fold.busy = SIZE_MAX;
    job j = {.handle = &one, .name = "never", .records = 1};
    ck_assert_int_eq(run_for(&j, 0), RAFFLE_BUSY);
    ck_assert_uint_eq(j.calls, 0);
    one.fold.busy = 0;
    append(&one, "again", 1);
    check_log(&one, 3);
}
END_TEST

START_TEST(records_that_make_no_sense_halt)
{
    open_handle(&two);
    append(&one, "strange", 1);
    two.fold.apply_rc = RAFFLE_CORRUPT;
    ck_assert_int_eq(rf_log_refresh(two.log, &err), RAFFLE_CORRUPT);
    ck_assert(rf_log_halted(two.log) && !rf_log_forked(two.log));
    two.fold.apply_rc = RAFFLE_OK;
    job j = {.handle = &two, .name = "halted", .records = 1};
    ck_assert_int_eq(run(&j), RAFFLE_HALTED);
    check_log(&one, 1);
}
END_TEST

/* --- roots and proofs --- */

START_TEST(roots_and_proofs)
{
    static const uint64_t some[] = {1, 2, 255, 256, 257, 511, 600, 700};
    uint8_t root[32], old_root[32], proof[64][32];
    size_t n = 0;
    append(&one, "all", 700);
    contents c = read_all(&one, 700);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const uint64_t size = some[i], index = size / 2;
        naive_root(&c, 0, size, root);
        ck_assert_int_eq(rf_log_root_at(one.log, size, old_root, &err), RAFFLE_OK);
        ck_assert_mem_eq(old_root, root, 32);
        ck_assert_int_eq(rf_log_inclusion(one.log, index, size, proof, &n, &err), RAFFLE_OK);
        ck_assert(rf_inclusion_check(c.hash, index, size, c.leaf[index], (const uint8_t(*)[32])proof, n, root));
        naive_root(&c, 0, 700, root);
        ck_assert_int_eq(rf_log_consistency(one.log, size, 700, proof, &n, &err), RAFFLE_OK);
        ck_assert(rf_consistency_check(c.hash, size, 700, old_root, root, (const uint8_t(*)[32])proof, n));
    }
    free_contents(&c);
    ck_assert_int_eq(rf_log_root_at(one.log, 701, root, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_log_inclusion(one.log, 1, 701, proof, &n, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_log_consistency(one.log, 1, 701, proof, &n, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_log_inclusion(one.log, 700, 700, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_log_consistency(one.log, 3, 2, proof, &n, &err), RAFFLE_INVALID);
}
END_TEST

/* --- checkpoints --- */

typedef struct signer {
    rf_vkey vkey;
    uint8_t secret[64];
    size_t signatures;
    raffle_rc fail;
    bool anchored; /* the anchor had the size that was signed */
} signer;

static signer key, other_key;

static void make_key(signer *s, const char *name)
{
    uint8_t public_key[32];
    *s = (signer){.signatures = 0};
    crypto_sign_keypair(public_key, s->secret);
    ck_assert_int_eq(rf_vkey_make(&s->vkey, name, RF_NOTE_ED25519, public_key, &err), RAFFLE_OK);
}

static raffle_rc sign(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64], raffle_error *error)
{
    signer *s = ctx;
    uint64_t size = UINT64_MAX;
    uint8_t root[32];
    rf_checkpoint checkpoint;
    if (s->fail != RAFFLE_OK)
        return rf_fail(error, s->fail, "no key today");
    s->signatures++;
    crypto_sign_detached(signature, NULL, message, length, s->secret);
    s->anchored = rf_store_anchor_get(one.store, LOG, &size, root, NULL) == RAFFLE_OK &&
                  rf_checkpoint_parse(&checkpoint, (const char *)message, length, NULL) == RAFFLE_OK &&
                  checkpoint.size == size && memcmp(checkpoint.root, root, 32) == 0;
    return RAFFLE_OK;
}

static char note[RF_NOTE_MAX], stored[RF_NOTE_MAX];

static size_t take_checkpoint(handle *h, uint64_t size)
{
    size_t length = 0;
    uint64_t found = UINT64_MAX;
    raffle_rc rc = rf_log_checkpoint(h->log, &key.vkey, sign, &key, note, &length, &found, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    ck_assert_uint_eq(found, size);
    return length;
}

/* The note that is kept for the size is this one, and says what the log is. */
static void check_stored(handle *h, uint64_t size, size_t length)
{
    rf_note parsed;
    rf_checkpoint checkpoint;
    uint8_t root[32];
    uint64_t found = 0;
    size_t kept = 0;
    raffle_rc rc = rf_store_note_get(h->store, LOG, RF_NOTE_LATEST, &found, stored, sizeof stored, &kept, &err);
    ck_assert_int_eq(rc, RAFFLE_OK);
    ck_assert_uint_eq(found, size);
    ck_assert_uint_eq(kept, length);
    ck_assert_mem_eq(stored, note, length);
    ck_assert_int_eq(rf_note_parse(&parsed, note, length, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_note_verify(&parsed, &key.vkey, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_checkpoint_parse(&checkpoint, parsed.text, parsed.text_length, &err), RAFFLE_OK);
    ck_assert_str_eq(checkpoint.origin, LOG_ORIGIN);
    ck_assert_uint_eq(checkpoint.size, size);
    rf_log_root(h->log, &found, root);
    ck_assert_mem_eq(checkpoint.root, root, 32);
}

static void set_up_keys(void)
{
    set_up();
    make_key(&key, LOG_ORIGIN);
    make_key(&other_key, LOG_ORIGIN);
}

START_TEST(a_checkpoint_is_anchored_and_stored)
{
    for (uint64_t size = 0; size <= 600; size += 300) {
        key.anchored = false;
        check_stored(&one, size, take_checkpoint(&one, size));
        ck_assert(key.anchored);
        append(&one, "more", 300);
    }
    ck_assert_uint_eq(key.signatures, 3);
    ck_assert_int_eq(rf_log_check(one.log, &key.vkey, &err), RAFFLE_OK);
    ck_assert(!rf_log_halted(one.log));
    check_log(&one, 900);
}
END_TEST

START_TEST(a_size_is_signed_once)
{
    char before[RF_NOTE_MAX];
    append(&one, "all", 20);
    size_t length = take_checkpoint(&one, 20);
    memcpy(before, note, length);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(take_checkpoint(&one, 20), length);
        ck_assert_mem_eq(note, before, length);
    }
    close_handle(&one);
    open_handle(&one);
    ck_assert_uint_eq(take_checkpoint(&one, 20), length);
    ck_assert_mem_eq(note, before, length);
    ck_assert_uint_eq(key.signatures, 1);
}
END_TEST

START_TEST(a_checkpoint_that_cannot_be_signed)
{
    size_t length = 0;
    uint64_t size = 0;
    append(&one, "all", 20);
    key.fail = RAFFLE_KEY;
    ck_assert_int_eq(rf_log_checkpoint(one.log, &key.vkey, sign, &key, note, &length, &size, &err), RAFFLE_KEY);
    ck_assert_str_eq(err.message, "no key today");
    ck_assert_int_eq(rf_store_note_get(one.store, LOG, RF_NOTE_LATEST, &size, stored, sizeof stored, &length, &err),
                     RAFFLE_NOT_FOUND);
    key.fail = RAFFLE_OK;
    check_stored(&one, 20, take_checkpoint(&one, 20));
}
END_TEST

/* With the anchor that tells of it, and without. */
START_TEST(a_checkpoint_covers_what_others_committed)
{
    char anchor[160];
    open_handle(&two);
    append(&two, "others", 20);
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    if (_i == 1)
        ck_assert_int_eq(unlink(anchor), 0);
    one.fold.dirty = true;
    check_stored(&one, 20, take_checkpoint(&one, 20));
}
END_TEST

/* The anchor cannot be written, and then it can. */
START_TEST(an_anchor_that_failed_is_tried_again)
{
    char anchor[160];
    uint64_t size = 0;
    uint8_t root[32];
    append(&one, "all", 20);
    ck_assert_int_eq(rf_log_anchor_again(one.log, &err), RAFFLE_OK);
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    ck_assert_int_eq(unlink(anchor), 0);
    ck_assert_int_eq(mkdir(anchor, 0700), 0);
    ck_assert_int_eq(rf_log_anchor_again(one.log, &err), RAFFLE_OK); /* none has failed */
    ck_assert_int_eq(rf_log_anchor(one.log, &err), RAFFLE_IO);
    ck_assert_int_eq(rf_log_anchor_again(one.log, &err), RAFFLE_IO);
    ck_assert_int_eq(rmdir(anchor), 0);
    ck_assert_int_eq(rf_log_anchor_again(one.log, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(one.store, LOG, &size, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 20);
}
END_TEST

START_TEST(the_anchor_on_demand)
{
    uint64_t size = 0;
    uint8_t root[32], mine[32];
    append(&one, "all", 20);
    ck_assert_int_eq(rf_log_anchor(one.log, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(one.store, LOG, &size, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 20);
    rf_log_root(one.log, &size, mine);
    ck_assert_mem_eq(root, mine, 32);
}
END_TEST

/* --- other histories --- */

/* Signs and keeps a note beside the log. */
static void put_note(const signer *s, const char *origin, uint64_t size, const uint8_t root[32])
{
    char text[RF_CHECKPOINT_TEXT_MAX];
    uint8_t signature[64];
    size_t n = rf_checkpoint_format(text, sizeof text, origin, size, root);
    crypto_sign_detached(signature, NULL, (const uint8_t *)text, n, s->secret);
    size_t length = rf_note_format(note, sizeof note, text, n, &s->vkey, signature);
    ck_assert_uint_gt(length, 0);
    ck_assert_int_eq(rf_store_note_put(one.store, LOG, size, note, length, &err), RAFFLE_OK);
}

static void expect_refused(handle *h, raffle_rc rc, uint64_t size)
{
    job j = {.handle = h, .name = "refused", .records = 1};
    size_t length = 0;
    uint64_t found = 0;
    ck_assert_int_eq(run(&j), rc);
    ck_assert_uint_eq(j.calls, 0);
    ck_assert_int_eq(rf_log_writable(h->log, &err), rc);
    const size_t before = key.signatures;
    ck_assert_int_eq(rf_log_checkpoint(h->log, &key.vkey, sign, &key, note, &length, &found, &err), rc);
    ck_assert_uint_eq(key.signatures, before);
    ck_assert_uint_eq(rf_log_size(h->log), size);
}

static void expect_forked(handle *h, uint64_t size)
{
    ck_assert_int_eq(rf_log_check(h->log, &key.vkey, &err), RAFFLE_OK);
    ck_assert(rf_log_forked(h->log) && rf_log_halted(h->log));
    expect_refused(h, RAFFLE_HISTORY, size);
}

static void expect_corrupt(handle *h, uint64_t size)
{
    ck_assert_int_eq(rf_log_check(h->log, &key.vkey, &err), RAFFLE_CORRUPT);
    ck_assert(!rf_log_forked(h->log) && rf_log_halted(h->log));
    expect_refused(h, RAFFLE_HALTED, size);
}

static const uint8_t wrong_root[32] = {1, 2, 3};

/* The store keeps no note that is behind its latest. */
START_TEST(a_checkpoint_that_cannot_be_stored)
{
    size_t length = 0;
    uint64_t size = 0;
    append(&one, "all", 20);
    put_note(&key, LOG_ORIGIN, 25, wrong_root);
    ck_assert_int_eq(rf_log_checkpoint(one.log, &key.vkey, sign, &key, note, &length, &size, &err), RAFFLE_HISTORY);
    ck_assert_uint_eq(size, 0);
    sql("DELETE FROM note");
    check_stored(&one, 20, take_checkpoint(&one, 20));
}
END_TEST

START_TEST(a_note_with_another_root)
{
    append(&one, "all", 600);
    put_note(&key, LOG_ORIGIN, (uint64_t)_i, wrong_root);
    expect_forked(&one, 600);
}
END_TEST

START_TEST(a_note_by_another_key)
{
    uint8_t root[32];
    uint64_t size = 0;
    append(&one, "all", 600);
    rf_log_root(one.log, &size, root);
    put_note(&other_key, LOG_ORIGIN, size, root);
    expect_corrupt(&one, 600);
}
END_TEST

START_TEST(a_note_of_another_log)
{
    uint8_t root[32];
    uint64_t size = 0;
    append(&one, "all", 600);
    rf_log_root(one.log, &size, root);
    put_note(&key, RAFFLE_ORIGIN "/2", size, root);
    expect_corrupt(&one, 600);
}
END_TEST

START_TEST(a_note_that_is_none)
{
    static const char bad[] = "no\n\nnote";
    append(&one, "all", 6);
    ck_assert_int_eq(rf_store_note_put(one.store, LOG, 6, bad, sizeof bad - 1, &err), RAFFLE_OK);
    expect_corrupt(&one, 6);
}
END_TEST

static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length);
    ck_assert_uint_eq(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void write_file(const char *name, const char *bytes, size_t length)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* What a restored backup is: the database of an hour ago, the anchor of now. */
static void restore_older(size_t then, size_t since)
{
    size_t length = 0;
    append(&one, "then", then);
    close_handle(&one);
    char *copy = read_file(path, &length);
    open_handle(&one);
    append(&one, "since", since);
    close_handle(&one);
    write_file(path, copy, length);
    free(copy);
}

START_TEST(an_older_store)
{
    restore_older(300, 20);
    open_handle(&one);
    ck_assert_uint_eq(rf_log_size(one.log), 300);
    expect_forked(&one, 300);
}
END_TEST

START_TEST(an_older_store_without_a_check)
{
    restore_older(300, 20);
    open_handle(&one);
    expect_refused(&one, RAFFLE_HISTORY, 300);
    ck_assert(rf_log_forked(one.log));
}
END_TEST

/* The same size again, and other records. */
START_TEST(an_older_store_that_went_on)
{
    char anchor[128], kept[128];
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    snprintf(kept, sizeof kept, "%s/kept", folder);
    restore_older(300, 20);
    ck_assert_int_eq(rename(anchor, kept), 0);
    open_handle(&one);
    append(&one, "other", _i == 0 ? 20 : 40);
    close_handle(&one);
    ck_assert_int_eq(rename(kept, anchor), 0);
    open_handle(&one);
    expect_forked(&one, _i == 0 ? 320 : 340);
}
END_TEST

START_TEST(an_anchor_ahead_by_another_handle)
{
    open_handle(&two);
    append(&one, "ahead", 20);
    ck_assert_int_eq(rf_log_check(two.log, &key.vkey, &err), RAFFLE_OK);
    ck_assert(!rf_log_halted(two.log));
    ck_assert_uint_eq(two.fold.applied, 20);
    append(&two, "two", 5);
    check_log(&two, 25);
}
END_TEST

/* A commit that failed leaves a fold that must be folded again before others' records are given to it. */
START_TEST(an_anchor_ahead_of_a_fold_to_be_refreshed)
{
    open_handle(&two);
    append(&one, "ahead", 20);
    two.fold.dirty = true;
    append(&two, "two", 5);
    ck_assert(!rf_log_halted(two.log));
    check_log(&two, 25);
}
END_TEST

START_TEST(a_store_that_shrinks_under_a_handle)
{
    append(&one, "all", 20);
    sql("UPDATE log SET size = 10 WHERE log = 1; DELETE FROM record WHERE id >= (1 << 40) + 10");
    ck_assert_int_eq(rf_log_refresh(one.log, &err), RAFFLE_HISTORY);
    ck_assert(rf_log_forked(one.log));
    expect_refused(&one, RAFFLE_HISTORY, 20);
}
END_TEST

/* Another copy of the store, at the same anchor, was faster: its history is the one that was seen. */
START_TEST(the_anchor_on_demand_of_another_history)
{
    append(&one, "all", 20);
    ck_assert_int_eq(rf_store_anchor_put(one.store, LOG, _i == 0 ? 21 : 25, wrong_root, true, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_log_anchor(one.log, &err), RAFFLE_HISTORY);
    expect_refused(&one, RAFFLE_HISTORY, 20);
}
END_TEST

/* Others committed and signed more while this one was signing: no other history, and no failure. */
static raffle_rc sign_slowly(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64],
                             raffle_error *error)
{
    char theirs[RF_NOTE_MAX];
    uint64_t size = 0;
    size_t n = 0;
    if (two.log != NULL) {
        append(&two, "faster", 5);
        ck_assert_int_eq(rf_log_checkpoint(two.log, &key.vkey, sign, &key, theirs, &n, &size, &err), RAFFLE_OK);
        close_handle(&two);
    }
    return sign(ctx, message, length, signature, error);
}

START_TEST(a_checkpoint_that_was_overtaken)
{
    size_t length = 0;
    uint64_t size = 0;
    append(&one, "all", 20);
    open_handle(&two);
    raffle_rc rc = rf_log_checkpoint(one.log, &key.vkey, sign_slowly, &key, note, &length, &size, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    ck_assert_uint_eq(size, 25);
    check_stored(&one, 25, length);
    ck_assert(!rf_log_halted(one.log));
}
END_TEST

/* What is kept for a size came from the store, which others can write: it leaves only when it is this log's own. */
START_TEST(a_kept_note_that_is_not_our_own)
{
    uint8_t root[32];
    size_t length = 0;
    uint64_t size = 0;
    append(&one, "all", 20);
    rf_log_root(one.log, &size, root);
    if (_i == 0)
        put_note(&other_key, LOG_ORIGIN, 20, root);
    else if (_i == 1)
        put_note(&key, LOG_ORIGIN, 20, wrong_root);
    else
        ck_assert_int_eq(rf_store_note_put(one.store, LOG, 20, "no\n\nnote", 8, &err), RAFFLE_OK);
    raffle_rc rc = rf_log_checkpoint(one.log, &key.vkey, sign, &key, note, &length, &size, &err);
    ck_assert_int_eq(rc, _i == 1 ? RAFFLE_HISTORY : RAFFLE_CORRUPT);
    expect_refused(&one, _i == 1 ? RAFFLE_HISTORY : RAFFLE_HALTED, 20);
}
END_TEST

/* Nothing but the records says what is signed: not the cache of nodes, which the handle was opened from. */
START_TEST(poisoned_nodes_are_not_signed)
{
    char anchor[160];
    size_t length = 0;
    uint64_t size = 0;
    append(&one, "all", 600);
    rf_log_free(one.log);
    one.log = NULL;
    sql(_i == 0 ? "UPDATE node SET hash = zeroblob(32) WHERE id = (1 << 38) + (9 << 32)"
                : "UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 3");
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    ck_assert_int_eq(unlink(anchor), 0);
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
    ck_assert_int_eq(rf_log_check(one.log, &key.vkey, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_log_checkpoint(one.log, &key.vkey, sign, &key, note, &length, &size, &err), RAFFLE_CORRUPT);
    ck_assert_uint_eq(key.signatures, 0);
    expect_refused(&one, RAFFLE_HALTED, 600);
}
END_TEST

/* Damage that a commit meets, in the store or in the anchor, stops the handle for good: mended behind its back, it stays stopped. */
static void spoil_anchor(void)
{
    char anchor[160], bytes[1024];
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    memset(bytes, 'x', sizeof bytes);
    FILE *file = fopen(anchor, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, 512L * (1 + 2 * LOG), SEEK_SET);
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
}

static const struct {
    const char *harm, *mend;
} meets[] = {{"UPDATE log SET size = 'x' WHERE log = 1", "UPDATE log SET size = 21 WHERE log = 1"},
             {"INSERT INTO record VALUES ((1 << 40) + 21, '{}', NULL)", "DELETE FROM record WHERE id = (1 << 40) + 21"},
             {NULL, NULL}};

START_TEST(damage_that_a_commit_meets_halts)
{
    char anchor[160];
    append(&one, "all", 20);
    append(&one, "again", 1);
    const uint64_t size = rf_log_size(one.log);
    if (meets[_i].harm != NULL)
        sql(meets[_i].harm);
    else
        spoil_anchor();
    job j = {.handle = &one, .name = "met", .records = 1};
    ck_assert_int_eq(run(&j), RAFFLE_CORRUPT);
    snprintf(anchor, sizeof anchor, "%s-anchor", path);
    if (meets[_i].mend != NULL)
        sql(meets[_i].mend);
    else
        ck_assert_int_eq(unlink(anchor), 0);
    expect_refused(&one, RAFFLE_HALTED, size);
}
END_TEST

/* --- damage --- */

static void expect_damage_found(bool full)
{
    ck_assert_int_eq(rf_log_verify(one.log, full, &err), RAFFLE_CORRUPT);
    ck_assert(rf_log_halted(one.log) && !rf_log_forked(one.log));
    expect_refused(&one, RAFFLE_HALTED, 600);
}

static const char *const damages[] = {
    "UPDATE record SET leaf = '{}' WHERE id = (1 << 40)", "UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 255",
    "UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 599", "DELETE FROM record WHERE id = (1 << 40) + 300",
    "DELETE FROM record WHERE id = (1 << 40) + 599"};

START_TEST(damage_is_found)
{
    append(&one, "all", 600);
    ck_assert_int_eq(rf_log_verify(one.log, true, &err), RAFFLE_OK);
    sql(damages[_i / 2]);
    if (_i % 2 == 0) { /* a handle that has not looked yet, and need not look at everything */
        rf_log_free(one.log);
        one.log = NULL;
        raffle_rc rc = open_log(&one, true);
        if (rc == RAFFLE_CORRUPT) /* what its range is made of is missing */
            return;
        ck_assert_int_eq(rc, RAFFLE_OK);
        if (_i / 2 == 2) { /* nothing but the anchor knows what the last record was */
            expect_forked(&one, 600);
            return;
        }
    }
    expect_damage_found(_i % 2 != 0);
}
END_TEST

/* Records before the checkpoint are left to a full check. */
START_TEST(damage_before_the_checkpoint)
{
    append(&one, "all", 580);
    take_checkpoint(&one, 580);
    append(&one, "more", 20);
    rf_log_free(one.log);
    one.log = NULL;
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
    ck_assert_int_eq(rf_log_check(one.log, &key.vkey, &err), RAFFLE_OK);
    sql("UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 3");
    ck_assert_int_eq(rf_log_verify(one.log, false, &err), RAFFLE_OK);
    expect_damage_found(true);
}
END_TEST

START_TEST(damage_after_the_checkpoint)
{
    append(&one, "all", 580);
    take_checkpoint(&one, 580);
    append(&one, "more", 20);
    rf_log_free(one.log);
    one.log = NULL;
    ck_assert_int_eq(open_log(&one, true), RAFFLE_OK);
    ck_assert_int_eq(rf_log_check(one.log, &key.vkey, &err), RAFFLE_OK);
    sql("UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 590");
    expect_damage_found(false);
}
END_TEST

static void add_appending(Suite *s)
{
    const int n = (int)(sizeof sizes / sizeof *sizes);
    TCase *c = tcase_create("append");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, one_request_of_any_size, 0, n);
    tcase_add_loop_test(c, without_threads, 0, n);
    tcase_add_loop_test(c, a_build_that_fails_undoes_everything, 0, n);
    tcase_add_loop_test(c, many_threads, 0, 2);
    tcase_add_loop_test(c, two_handles_at_once, 0, 2);
    tcase_add_loop_test(c, a_group_fits_into_a_transaction, 0, 2);
    tcase_add_loop_test(c, a_refusal_is_not_the_store_s_failure, 0, 6);
    tcase_add_loop_test(c, sellers_keep_nobody_out, 0, 2);
    tcase_add_loop_test(c, caught_up_within_the_transaction, 0, 2);
    const TTest *const tests[] = {one_by_one,
                                  long_records,
                                  leaves_from_elsewhere,
                                  records_beyond_the_limits,
                                  keys_are_taken_once,
                                  the_root_within_a_transaction,
                                  those_who_wait_are_one_group,
                                  a_failure_ends_its_group,
                                  a_refusal_leaves_its_group,
                                  a_refusal_is_the_last_try_s,
                                  nothing_to_add_changes_nothing,
                                  a_store_that_fails_undoes_everything,
                                  entering_it_again_is_misuse,
                                  out_of_time_behind_a_leader,
                                  out_of_time_among_others,
                                  two_handles_in_turn,
                                  what_makes_no_sense_within_a_transaction_halts,
                                  begin_asks_for_a_refresh,
                                  records_that_make_no_sense_halt,
                                  roots_and_proofs};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
}

static void add_checks(Suite *s)
{
    TCase *c = tcase_create("check");
    tcase_add_checked_fixture(c, set_up_keys, tear_down);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, a_note_with_another_root, 599, 602); /* behind, as far as, and ahead of the log */
    tcase_add_loop_test(c, an_older_store_that_went_on, 0, 2);
    tcase_add_loop_test(c, a_checkpoint_covers_what_others_committed, 0, 2);
    tcase_add_loop_test(c, the_anchor_on_demand_of_another_history, 0, 2);
    tcase_add_loop_test(c, a_kept_note_that_is_not_our_own, 0, 3);
    tcase_add_loop_test(c, poisoned_nodes_are_not_signed, 0, 2);
    tcase_add_loop_test(c, damage_that_a_commit_meets_halts, 0, (int)(sizeof meets / sizeof *meets));
    tcase_add_loop_test(c, damage_is_found, 0, 2 * (int)(sizeof damages / sizeof *damages));
    const TTest *const tests[] = {a_checkpoint_is_anchored_and_stored,
                                  a_size_is_signed_once,
                                  a_checkpoint_that_cannot_be_signed,
                                  a_checkpoint_that_cannot_be_stored,
                                  a_checkpoint_that_was_overtaken,
                                  the_anchor_on_demand,
                                  an_anchor_that_failed_is_tried_again,
                                  a_note_by_another_key,
                                  a_note_of_another_log,
                                  a_note_that_is_none,
                                  an_older_store,
                                  an_older_store_without_a_check,
                                  an_anchor_ahead_by_another_handle,
                                  an_anchor_ahead_of_a_fold_to_be_refreshed,
                                  a_store_that_shrinks_under_a_handle,
                                  damage_before_the_checkpoint,
                                  damage_after_the_checkpoint};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
}

int main(void)
{
    Suite *s = suite_create("journal_log");
    add_appending(s);
    add_checks(s);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
