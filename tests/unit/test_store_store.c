/* SPDX-License-Identifier: Apache-2.0 */
/* The store handle over a host's table: the conformance suite over a store in memory, and what a faulty or hostile store may do. */
#include "memory_store.h"
#include "store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a good store --- */

static raffle_store *open_memory(void)
{
    raffle_store_table table;
    raffle_store *store = NULL;
    memory_store_table(&table);
    memory_store *memory = memory_store_new();
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_eq(raffle_store_new(&table, memory, &store, NULL), RAFFLE_OK);
    return store;
}

static void close_memory(void)
{
}

/* --- a store that says what the test wants it to say --- */

typedef struct liar {
    raffle_rc rc;
    const char *origin; /* NULL: an array without an end */
    raffle_store_head head;
    bool call_fill, ignore_fill, good_batch;
    raffle_rc batch_rc;
    uint64_t appended;
    size_t keys_done;
    raffle_store_key owner, row;
    raffle_record record;
    size_t repeat; /* records, rows */
    bool ignore_sink;
    uint64_t note_size;
    size_t note_length;
    int freed;
} liar;

static liar lie;
static raffle_store *store;
static raffle_error err;

static raffle_rc liar_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *e)
{
    (void)ctx;
    (void)e;
    memset(origin, 'a', RAFFLE_ORIGIN_SIZE);
    if (lie.origin != NULL)
        strcpy(origin, lie.origin);
    return lie.rc;
}

static raffle_rc liar_create(void *ctx, const char *origin, raffle_error *e)
{
    (void)ctx;
    (void)origin;
    memset(e->message, 'x', sizeof e->message); /* no end */
    e->rc = lie.rc;
    return lie.rc;
}

static raffle_rc liar_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)e;
    *head = lie.head;
    return lie.rc;
}

static raffle_rc liar_keys(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                           raffle_error *e)
{
    (void)ctx;
    (void)keys;
    (void)n;
    (void)e;
    *done = lie.keys_done;
    *owner = lie.owner;
    return RAFFLE_OK;
}

static raffle_rc liar_records(void *ctx, const raffle_record *records, size_t n, raffle_error *e)
{
    (void)ctx;
    (void)records;
    (void)n;
    (void)e;
    return lie.batch_rc;
}

static raffle_rc liar_node_put(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *e)
{
    (void)ctx;
    (void)level;
    (void)index;
    (void)hash;
    (void)e;
    return RAFFLE_OK;
}

static raffle_rc liar_state(void *ctx, const uint8_t *state, size_t length, raffle_error *e)
{
    (void)ctx;
    (void)state;
    (void)length;
    (void)e;
    return RAFFLE_OK;
}

static raffle_rc liar_batch_note(void *ctx, uint64_t size, const char *note, size_t length, raffle_error *e)
{
    (void)ctx;
    (void)size;
    (void)note;
    (void)length;
    (void)e;
    return RAFFLE_OK;
}

static raffle_rc liar_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                             uint64_t *size, raffle_error *e)
{
    raffle_store_batch batch = {
        .struct_size = sizeof batch, .keys = liar_keys, .records = liar_records, .state = liar_state};
    (void)ctx;
    (void)log;
    (void)timeout_ms;
    if (lie.good_batch) {
        batch.node = liar_node_put;
        batch.note = liar_batch_note;
    }
    raffle_rc rc = lie.call_fill ? fill(fill_ctx, &lie.head, &batch, e) : lie.rc;
    *size = lie.appended;
    return lie.ignore_fill ? RAFFLE_OK : rc;
}

static raffle_rc liar_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                           void *sink_ctx, raffle_error *e)
{
    raffle_rc rc = lie.rc;
    raffle_record record = lie.record;
    (void)ctx;
    (void)log;
    (void)from;
    (void)count;
    for (size_t i = 0; rc == RAFFLE_OK && i < lie.repeat; i++, record.index++) {
        rc = sink(sink_ctx, &record, e);
        if (lie.ignore_sink)
            rc = RAFFLE_OK;
    }
    return rc;
}

static raffle_rc liar_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)level;
    (void)index;
    (void)e;
    memset(hash, 1, 32);
    return lie.rc;
}

static raffle_rc liar_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                           raffle_error *e)
{
    (void)ctx;
    (void)scope;
    (void)key;
    (void)length;
    (void)e;
    *row = lie.row;
    return lie.rc;
}

static raffle_rc liar_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                           size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                           raffle_error *e)
{
    raffle_rc rc = lie.rc;
    (void)ctx;
    (void)scope;
    (void)prefix;
    (void)prefix_length;
    (void)after;
    (void)after_length;
    (void)count;
    for (size_t i = 0; i < lie.repeat; i++)
        rc = sink(sink_ctx, &lie.row, e);
    return lie.ignore_sink ? RAFFLE_OK : rc;
}

static raffle_rc liar_scan_back(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                                const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                                void *sink_ctx, raffle_error *e)
{
    return liar_scan(ctx, scope, prefix, prefix_length, before, before_length, count, sink, sink_ctx, e);
}

static raffle_rc liar_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)size;
    (void)note;
    (void)length;
    memset(e, 0, sizeof *e);
    return lie.rc;
}

static raffle_rc liar_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                               size_t *length, raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)size;
    (void)e;
    memset(note, 'n', cap);
    *note_size = lie.note_size;
    *length = lie.note_length;
    return lie.rc;
}

static raffle_rc liar_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)index;
    return raffle_error_set(e, lie.rc, 42, "said the liar");
}

static raffle_rc liar_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)e;
    (void)root;
    *size = lie.appended;
    return lie.rc;
}

static raffle_rc liar_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                                 raffle_error *e)
{
    (void)ctx;
    (void)log;
    (void)size;
    (void)root;
    (void)durable;
    (void)e;
    return lie.rc;
}

static void liar_free(void *ctx)
{
    ((liar *)ctx)->freed++;
}

static raffle_store_table liar_table(void)
{
    raffle_store_table table;
    raffle_store_table_init(&table, sizeof table);
    table.origin = liar_origin;
    table.create = liar_create;
    table.head = liar_head;
    table.append = liar_append;
    table.read = liar_read;
    table.node = liar_node;
    table.find = liar_find;
    table.scan = liar_scan;
    table.scan_back = liar_scan_back;
    table.note_put = liar_note_put;
    table.note_get = liar_note_get;
    table.erase = liar_erase;
    table.anchor_get = liar_anchor_get;
    table.anchor_put = liar_anchor_put;
    table.free = liar_free;
    return table;
}

static void open_liar(void)
{
    raffle_store_table table = liar_table();
    memset(&lie, 0, sizeof lie);
    lie.head.struct_size = sizeof lie.head;
    lie.head.log = 1;
    lie.owner.struct_size = lie.row.struct_size = sizeof lie.row;
    lie.record = (raffle_record){.struct_size = sizeof lie.record, .leaf = "1", .leaf_length = 1};
    lie.good_batch = true;
    err = (raffle_error)RAFFLE_ERROR_INIT;
    ck_assert_int_eq(raffle_store_new(&table, &lie, &store, &err), RAFFLE_OK);
}

static void close_liar(void)
{
    raffle_store_free(store);
    ck_assert_int_eq(lie.freed, 1);
}

/* --- the handle --- */

START_TEST(freed_with_the_last_user)
{
    ck_assert_ptr_eq(rf_store_ref(store), store);
    ck_assert_ptr_null(rf_store_ref(NULL));
    raffle_store_free(store);
    ck_assert_int_eq(lie.freed, 0);
    raffle_store_free(NULL);
}
END_TEST

static void refuse_table(const raffle_store_table *table, raffle_rc rc)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(raffle_store_new(table, &lie, &other, &err), rc);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(lie.freed, 0); /* the context stays the host's */
}

START_TEST(table_without_a_function)
{
    const raffle_store_table whole = liar_table();
    refuse_table(NULL, RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_store_new(&whole, &lie, NULL, &err), RAFFLE_MISUSE);
    size_t first = offsetof(raffle_store_table, origin), last = offsetof(raffle_store_table, free);
    for (size_t at = first; at <= last; at += sizeof(void (*)(void))) {
        raffle_store_table table = whole;
        memset((char *)&table + at, 0, sizeof(void (*)(void)));
        refuse_table(&table, RAFFLE_MISUSE);
    }
}
END_TEST

START_TEST(table_without_an_anchor)
{
    raffle_store_table table = liar_table();
    raffle_store *other = NULL;
    uint8_t root[32] = {0};
    uint64_t size = 0;
    table.anchor_get = NULL;
    table.anchor_put = NULL;
    ck_assert_int_eq(raffle_store_new(&table, &lie, &other, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(other, 1, &size, root, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_anchor_put(other, 1, 5, root, true, &err), RAFFLE_OK);
    raffle_store_free(other);
    lie.freed = 0;
}
END_TEST

START_TEST(table_of_another_size)
{
    struct {
        raffle_store_table table;
        uint64_t more;
    } longer = {.table = liar_table()};
    raffle_store *other = NULL;
    longer.table.struct_size = sizeof longer;
    ck_assert_int_eq(raffle_store_new(&longer.table, &lie, &other, &err), RAFFLE_OK);
    raffle_store_free(other);
    lie.freed = 0;
    longer.more = 1;
    refuse_table(&longer.table, RAFFLE_UNSUPPORTED);
    raffle_store_table table = liar_table();
    table.struct_size = 0;
    refuse_table(&table, RAFFLE_MISUSE);
    table = liar_table();
    table.flags = 1;
    refuse_table(&table, RAFFLE_UNSUPPORTED);
}
END_TEST

START_TEST(batch_limits_are_told)
{
    raffle_store_table table = liar_table();
    raffle_store *other = NULL;
    table.batch_rows = 3000;
    table.batch_bytes = 1 << 20;
    ck_assert_int_eq(raffle_store_new(&table, &lie, &other, &err), RAFFLE_OK);
    ck_assert_uint_eq(rf_store_batch_rows(other), 3000);
    ck_assert_uint_eq(rf_store_batch_bytes(other), 1 << 20);
    raffle_store_free(other);
    lie.freed = 0;
}
END_TEST

START_TEST(child_of_fork_is_refused)
{
    pid_t child = fork();
    if (child == 0) {
        char origin[RAFFLE_ORIGIN_SIZE];
        static raffle_store_head head;
        store_job job = {.prefix = "a", .records = 1};
        bool refused = rf_store_origin(store, origin, NULL) == RAFFLE_FORKED &&
                       rf_store_head(store, 1, &head, NULL) == RAFFLE_FORKED &&
                       store_job_run(store, 1, &job, 0, NULL) == RAFFLE_FORKED &&
                       rf_store_erase(store, 1, 0, NULL) == RAFFLE_FORKED;
        _exit(refused ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- lies --- */

START_TEST(bad_origins)
{
    char origin[RAFFLE_ORIGIN_SIZE] = "untouched";
    static const char *const bad[] = {NULL, "", "No Origin", "a/unit/b", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lie.origin = bad[i];
        ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_CORRUPT);
    }
    ck_assert_str_eq(origin, "untouched");
    lie.origin = STORE_ORIGIN;
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_OK);
}
END_TEST

START_TEST(statuses_and_sentences)
{
    lie.rc = 12345;
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_HOST);
    lie.rc = -1;
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_HOST);
    lie.rc = RAFFLE_IO;
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_IO);
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_IO);
    ck_assert_str_eq(err.message, "said the liar");
    ck_assert_uint_eq(err.token, 42);
    ck_assert_int_eq(rf_store_note_put(store, 1, 1, "a\n\nb\n", 5, &err), RAFFLE_IO);
    ck_assert_int_eq(err.rc, RAFFLE_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "note_put"));
    ck_assert_int_eq(rf_store_note_put(store, 1, 1, "a\n\nb\n", 5, NULL), RAFFLE_IO);
}
END_TEST

static void refuse_head(void)
{
    static raffle_store_head head;
    store_job job = {.prefix = "a"};
    lie.call_fill = true;
    ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    ck_assert_uint_eq(job.calls, 0);
}

START_TEST(bad_heads)
{
    lie.head.state_length = RAFFLE_STORE_STATE_MAX + 1;
    refuse_head();
    lie.head.state_length = 0;
    lie.head.size = RF_LOG_RECORDS_MAX + 1;
    refuse_head();
    lie.head.size = 0;
    lie.head.control_size = UINT64_MAX;
    refuse_head();
    lie.head.control_size = 0;
    lie.head.log = 2;
    refuse_head();
}
END_TEST

START_TEST(control_log_of_two_sizes)
{
    static raffle_store_head head;
    lie.head.log = 0;
    lie.head.size = 1;
    ck_assert_int_eq(rf_store_head(store, 0, &head, &err), RAFFLE_CORRUPT);
}
END_TEST

START_TEST(append_that_did_not_ask)
{
    store_job job = {.prefix = "a"};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.rc = RAFFLE_FULL;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_FULL);
}
END_TEST

START_TEST(append_that_ignored_the_failure)
{
    store_job job = {.prefix = "a", .fail = RAFFLE_QUOTA};
    lie.call_fill = true;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_QUOTA);
    lie.ignore_fill = true;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
}
END_TEST

/* A failure of which the store said nothing must not look like none to who asks the error. */
START_TEST(batch_that_fails_silently)
{
    store_job job = {.prefix = "a", .records = 1};
    lie.call_fill = true;
    lie.batch_rc = RAFFLE_FULL;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_FULL);
    ck_assert_int_eq(err.rc, RAFFLE_FULL);
    ck_assert_ptr_nonnull(strstr(err.message, "records"));
    lie.batch_rc = 12345;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_HOST);
    ck_assert_int_eq(err.rc, RAFFLE_HOST);
}
END_TEST

/* What a raffle refuses with is not for a store to say; "not found" is, where something is looked for. */
START_TEST(statuses_of_others)
{
    static const raffle_rc others[] = {RAFFLE_EXISTS, RAFFLE_MISMATCH, RAFFLE_VOIDED, RAFFLE_RNG, RAFFLE_NOT_FOUND};
    store_job job = {.prefix = "a"};
    raffle_store_head head;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        lie.rc = others[i];
        ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_HOST);
        ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_HOST);
    }
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_NOT_FOUND);
    lie.rc = RAFFLE_EXISTS;
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_EXISTS);
}
END_TEST

START_TEST(append_that_lost_records)
{
    store_job job = {.prefix = "a", .records = 3};
    lie.call_fill = true;
    lie.appended = 2;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.appended = 3;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    lie.appended = UINT64_MAX;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
}
END_TEST

START_TEST(batch_without_functions)
{
    store_job job = {.prefix = "a"};
    lie.call_fill = true;
    lie.good_batch = false;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_MISUSE);
}
END_TEST

START_TEST(key_owners)
{
    raffle_store_key key = store_key(1, "mine", 1, 0);
    store_job job = {.prefix = "a", .keys = &key, .key_count = 1};
    lie.call_fill = true;
    lie.keys_done = 2;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.keys_done = 0;
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.owner = store_key(1, "other", 1, 0);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.owner = store_key(1, "mine", 65536, 0);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    lie.owner = store_key(1, "mine", 1, 0);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, 0);
}
END_TEST

static raffle_rc count_record(void *ctx, const raffle_record *record, raffle_error *e)
{
    (void)record;
    (void)e;
    (*(size_t *)ctx)++;
    return RAFFLE_OK;
}

static size_t read_one(raffle_rc rc)
{
    size_t seen = 0;
    ck_assert_int_eq(rf_store_read(store, 1, 0, 1, count_record, &seen, &err), rc);
    return seen;
}

START_TEST(bad_records)
{
    lie.repeat = 1;
    ck_assert_uint_eq(read_one(RAFFLE_OK), 1);
    lie.record.index = 1;
    read_one(RAFFLE_CORRUPT);
    lie.record.index = 0;
    lie.record.leaf_length = RAFFLE_RECORD_MAX + 1;
    read_one(RAFFLE_CORRUPT);
    lie.record.leaf_length = 0;
    read_one(RAFFLE_CORRUPT);
    lie.record.leaf_length = 1;
    lie.record.leaf = NULL;
    read_one(RAFFLE_CORRUPT);
    lie.record.leaf = "1";
    lie.record.private_length = 1;
    read_one(RAFFLE_CORRUPT);
    lie.record.private_part = "p";
    lie.record.private_length = RAFFLE_PRIVATE_MAX + 1;
    read_one(RAFFLE_CORRUPT);
    lie.record.private_length = 0;
    read_one(RAFFLE_CORRUPT);
    lie.record.private_length = 1;
    ck_assert_uint_eq(read_one(RAFFLE_OK), 1);
    lie.record.struct_size = 0;
    ck_assert_uint_eq(read_one(RAFFLE_MISUSE), 0);
}
END_TEST

/* The last field of a record is one that a shorter struct would lack: it reads as zero. */
START_TEST(record_of_an_older_host)
{
    lie.repeat = 1;
    lie.record.struct_size = offsetof(raffle_record, index);
    lie.record.index = 77;
    ck_assert_uint_eq(read_one(RAFFLE_OK), 1);
}
END_TEST

START_TEST(too_many_records)
{
    lie.repeat = 2;
    ck_assert_uint_eq(read_one(RAFFLE_CORRUPT), 1);
    lie.ignore_sink = true;
    ck_assert_uint_eq(read_one(RAFFLE_CORRUPT), 1);
}
END_TEST

START_TEST(bad_rows)
{
    raffle_store_key row = {.struct_size = 1};
    const raffle_store_key bad[] = {store_key(1, "other", 1, 0), store_key(2, "key", 1, 0),
                                    store_key(1, "key", 65536, 0), store_key(1, "key", 1, RF_LOG_RECORDS_MAX),
                                    store_key(1, "", 1, 0)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lie.row = bad[i];
        ck_assert_int_eq(rf_store_find(store, 1, (const uint8_t *)"key", 3, &row, &err), RAFFLE_CORRUPT);
    }
    lie.row = store_key(1, "key", 1, 0);
    lie.row.length = UINT32_MAX;
    ck_assert_int_eq(rf_store_find(store, 1, (const uint8_t *)"key", 3, &row, &err), RAFFLE_CORRUPT);
    ck_assert_uint_eq(row.struct_size, 1);
    lie.row.length = 3;
    ck_assert_int_eq(rf_store_find(store, 1, (const uint8_t *)"key", 3, &row, &err), RAFFLE_OK);
    ck_assert_uint_eq(row.struct_size, sizeof row);
}
END_TEST

static raffle_rc count_key(void *ctx, const raffle_store_key *key, raffle_error *e)
{
    (void)key;
    (void)e;
    (*(size_t *)ctx)++;
    return RAFFLE_OK;
}

static size_t scan_all(const char *prefix, const char *after, uint64_t count, raffle_rc rc)
{
    size_t seen = 0;
    ck_assert_int_eq(rf_store_scan(store, 1, (const uint8_t *)prefix, strlen(prefix), (const uint8_t *)after,
                                   strlen(after), count, count_key, &seen, &err),
                     rc);
    return seen;
}

static size_t scan_back_all(const char *prefix, const char *before, uint64_t count, raffle_rc rc)
{
    size_t seen = 0;
    ck_assert_int_eq(rf_store_scan_back(store, 1, (const uint8_t *)prefix, strlen(prefix), (const uint8_t *)before,
                                        strlen(before), count, count_key, &seen, &err),
                     rc);
    return seen;
}

START_TEST(bad_scans_back)
{
    lie.repeat = 1;
    lie.row = store_key(1, "key", 1, 0);
    ck_assert_uint_eq(scan_back_all("ke", "kez", 1, RAFFLE_OK), 1);
    ck_assert_uint_eq(scan_back_all("ke", "", 1, RAFFLE_OK), 1);
    ck_assert_uint_eq(scan_back_all("x", "", 1, RAFFLE_CORRUPT), 0);
    ck_assert_uint_eq(scan_back_all("k", "key", 1, RAFFLE_CORRUPT), 0);
    ck_assert_uint_eq(scan_back_all("k", "kea", 1, RAFFLE_CORRUPT), 0);
    lie.repeat = 2;
    ck_assert_uint_eq(scan_back_all("", "", 9, RAFFLE_CORRUPT), 1);
    ck_assert_uint_eq(scan_back_all("", "", 1, RAFFLE_CORRUPT), 1);
    lie.ignore_sink = true;
    lie.row.scope = 2;
    ck_assert_uint_eq(scan_back_all("", "", 9, RAFFLE_CORRUPT), 0);
    lie.row.scope = 1;
    lie.row.length = 65;
    ck_assert_uint_eq(scan_back_all("", "", 9, RAFFLE_CORRUPT), 0);
}
END_TEST

START_TEST(bad_scans)
{
    lie.repeat = 1;
    lie.row = store_key(1, "key", 1, 0);
    ck_assert_uint_eq(scan_all("ke", "kex", 1, RAFFLE_OK), 1);
    ck_assert_uint_eq(scan_all("x", "", 1, RAFFLE_CORRUPT), 0);
    ck_assert_uint_eq(scan_all("keys", "", 1, RAFFLE_CORRUPT), 0);
    ck_assert_uint_eq(scan_all("k", "key", 1, RAFFLE_CORRUPT), 0);
    ck_assert_uint_eq(scan_all("k", "kf", 1, RAFFLE_CORRUPT), 0);
    lie.repeat = 2;
    ck_assert_uint_eq(scan_all("", "", 9, RAFFLE_CORRUPT), 1);
    ck_assert_uint_eq(scan_all("", "", 1, RAFFLE_CORRUPT), 1);
    lie.ignore_sink = true;
    ck_assert_uint_eq(scan_all("", "", 9, RAFFLE_CORRUPT), 1);
    lie.row.scope = 2;
    ck_assert_uint_eq(scan_all("", "", 9, RAFFLE_CORRUPT), 0);
    lie.row.scope = 1;
    lie.row.length = 65;
    ck_assert_uint_eq(scan_all("", "", 9, RAFFLE_CORRUPT), 0);
}
END_TEST

static void get_note(uint64_t asked, uint64_t size, size_t given, raffle_rc rc)
{
    char note[8];
    size_t length = 99;
    uint64_t found = 99;
    lie.note_size = size;
    lie.note_length = given;
    ck_assert_int_eq(rf_store_note_get(store, 1, asked, &found, note, sizeof note, &length, &err), rc);
    ck_assert_uint_eq(found, rc == RAFFLE_OK ? size : 99);
}

START_TEST(bad_notes)
{
    get_note(5, 5, 8, RAFFLE_OK);
    get_note(5, 5, 9, RAFFLE_CORRUPT);
    get_note(5, 5, 0, RAFFLE_CORRUPT);
    get_note(5, 6, 8, RAFFLE_CORRUPT);
    get_note(RF_NOTE_LATEST, UINT64_MAX, 8, RAFFLE_CORRUPT);
    get_note(RF_NOTE_LATEST, 6, 8, RAFFLE_OK);
}
END_TEST

START_TEST(bad_anchor)
{
    uint8_t root[32];
    uint64_t size = 99;
    lie.appended = RF_LOG_RECORDS_MAX + 1;
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, root, &err), RAFFLE_CORRUPT);
    ck_assert_uint_eq(size, 99);
}
END_TEST

START_TEST(texts_of_notes)
{
    ck_assert_uint_eq(rf_note_text_length("a\n\nb\n", 5), 2);
    ck_assert_uint_eq(rf_note_text_length("a\n\nb\n\nc\n", 8), 5);
    ck_assert_uint_eq(rf_note_text_length("a\nb\n", 4), 0);
    ck_assert_uint_eq(rf_note_text_length("\n", 1), 0);
    ck_assert_uint_eq(rf_note_text_length("\n\n", 2), 1);
    ck_assert_uint_eq(rf_note_text_length("ab", 2), 0);
}
END_TEST

START_TEST(opening_by_uri)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(raffle_store_open(NULL, NULL, &other, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_store_open("sqlite:x", NULL, NULL, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_store_open("oracle:x", NULL, &other, &err), RAFFLE_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "oracle"));
    ck_assert_int_eq(raffle_store_open("sqlite:x?verify=full", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "verify"));
    ck_assert_int_eq(raffle_store_open("sqlite:x?create=2", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("sqlite:x?create=1&readonly=1", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("sqlite:x?anchor=x", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("sqlite:x?anchor=file:", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("sqlite:x#gala", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("sqlite:", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_store_open("", NULL, &other, &err), RAFFLE_INVALID);
    ck_assert_ptr_null(other);
}
END_TEST

/* --- a store that loses its answer --- */

typedef enum loss {
    LOSS_NONE,
    LOSS_AFTER,    /* it was committed */
    LOSS_BEFORE,   /* it was not */
    LOSS_OVERTAKEN /* it was not, and somebody else's record came */
} loss;

typedef struct lossy {
    memory_store *memory;
    raffle_store_table table; /* the memory's */
    loss loss[16];            /* of each append */
    size_t appends;
    size_t blind; /* reads that find nothing */
    bool ghost;   /* the second append is asked for under the size before the first, which is there */
    raffle_rc read_rc;
} lossy;

static lossy lost;

/* What a host's batch of one record says; another each time, as the salt of its private part makes it. */
typedef struct asked {
    size_t calls, records;
    uint64_t size; /* of the log, as it was last asked */
    raffle_rc refuse;
    size_t refuse_from;
} asked;

static raffle_rc fill_asked(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    asked *a = ctx;
    char leaf[64];
    a->size = head->size;
    if (a->calls++ >= a->refuse_from && a->refuse != RAFFLE_OK)
        return raffle_error_set(e, a->refuse, 0, "no more");
    if (a->records == 0)
        return batch->note(batch->ctx, head->size, "a\n\nb\n", 5, e);
    snprintf(leaf, sizeof leaf, "{\"call\":%zu}", a->calls);
    const raffle_record record = {
        .struct_size = sizeof record, .leaf = leaf, .leaf_length = (uint32_t)strlen(leaf), .index = head->size};
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < a->records; i++) {
        raffle_record next = record;
        next.index += i;
        rc = batch->records(batch->ctx, &next, 1, e);
    }
    return rc;
}

static raffle_rc swallow_records(void *ctx, const raffle_record *records, size_t n, raffle_error *e)
{
    (void)ctx;
    (void)records;
    (void)n;
    (void)e;
    return RAFFLE_OK;
}

static raffle_rc lossy_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                              uint64_t *size, raffle_error *e)
{
    lossy *l = ctx;
    asked other = {.records = 1, .calls = 100};
    const loss how = l->appends < 16 ? l->loss[l->appends] : LOSS_BEFORE;
    raffle_store_head head = {.struct_size = sizeof head, .log = log};
    const raffle_store_batch none = {.struct_size = sizeof none,
                                     .keys = liar_keys,
                                     .records = swallow_records,
                                     .node = liar_node_put,
                                     .state = liar_state,
                                     .note = liar_batch_note};
    if (l->ghost && l->appends == 1)
        head.size = 3;
    else if (how == LOSS_NONE || how == LOSS_AFTER) {
        raffle_rc rc = l->table.append(l->memory, log, fill, fill_ctx, timeout_ms, size, e);
        l->appends++;
        return rc != RAFFLE_OK || how == LOSS_NONE ? rc : raffle_error_set(e, RAFFLE_UNKNOWN, 7, "the line is dead");
    } else
        (void)l->table.head(l->memory, log, &head, e);
    l->appends++;
    raffle_rc rc = fill(fill_ctx, &head, &none, e);
    if (rc == RAFFLE_OK && how == LOSS_OVERTAKEN)
        rc = l->table.append(l->memory, log, fill_asked, &other, timeout_ms, size, e);
    return rc == RAFFLE_OK ? raffle_error_set(e, RAFFLE_UNKNOWN, 7, "the line is dead") : rc;
}

static raffle_rc lossy_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                            void *sink_ctx, raffle_error *e)
{
    lossy *l = ctx;
    if (l->read_rc != RAFFLE_OK)
        return raffle_error_set(e, l->read_rc, 0, "no disk");
    if (l->blind > 0) {
        l->blind--;
        return RAFFLE_OK;
    }
    return l->table.read(l->memory, log, from, count, sink, sink_ctx, e);
}

static raffle_rc lossy_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *e)
{
    return lost.table.head(((lossy *)ctx)->memory, log, head, e);
}

static void lossy_free(void *ctx)
{
    lost.table.free(((lossy *)ctx)->memory);
}

/* A log of three records. */
static void open_lossy(void)
{
    raffle_store_table table = liar_table();
    memset(&lost, 0, sizeof lost);
    memory_store_table(&lost.table);
    lost.memory = memory_store_new();
    table.append = lossy_append;
    table.read = lossy_read;
    table.head = lossy_head;
    table.free = lossy_free;
    err = (raffle_error)RAFFLE_ERROR_INIT;
    ck_assert_int_eq(raffle_store_new(&table, &lost, &store, &err), RAFFLE_OK);
    asked first = {.records = 3};
    ck_assert_int_eq(rf_store_append(store, 1, fill_asked, &first, -1, &err), RAFFLE_OK);
    lost.appends = 0;
}

static uint64_t lossy_size(void)
{
    raffle_store_head head;
    ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_OK);
    return head.size;
}

static void expect_append(asked *a, raffle_rc rc, size_t calls, uint64_t size)
{
    const raffle_rc got = rf_store_append(store, 1, fill_asked, a, 1000, &err);
    ck_assert_msg(got == rc, "%s: %s", raffle_rc_name(got), err.message);
    ck_assert_uint_eq(a->calls, calls);
    ck_assert_uint_eq(lossy_size(), size);
    if (rc == RAFFLE_UNKNOWN) {
        ck_assert_str_eq(err.message, "the line is dead");
        ck_assert_uint_eq(err.token, 7);
    } else if (rc == RAFFLE_OK)
        ck_assert_int_eq(err.rc, RAFFLE_OK);
    raffle_store_free(store);
    err = (raffle_error)RAFFLE_ERROR_INIT;
}

START_TEST(lost_after_the_commit)
{
    for (size_t blind = 0; blind < 2; blind++) { /* the read comes too early: then the repeated append finds it */
        asked a = {.records = 2};
        open_lossy();
        lost.loss[0] = LOSS_AFTER;
        lost.blind = blind;
        expect_append(&a, RAFFLE_OK, 1, 5);
    }
}
END_TEST

START_TEST(lost_before_the_commit)
{
    for (size_t times = 1; times < 5; times++) {
        asked a = {.records = 2};
        open_lossy();
        for (size_t i = 0; i < times; i++)
            lost.loss[i] = LOSS_BEFORE;
        lost.loss[times] = times % 2 == 0 ? LOSS_AFTER : LOSS_NONE;
        expect_append(&a, RAFFLE_OK, times + 1, 5);
    }
}
END_TEST

/* Others took its place: it can never be there, and is tried anew behind them, or refused. */
START_TEST(lost_and_overtaken)
{
    for (size_t records = 1; records < 4; records += 2) {
        asked a = {.records = records}, b = {.records = records, .refuse = RAFFLE_CLOSED, .refuse_from = 1};
        open_lossy();
        lost.loss[0] = LOSS_OVERTAKEN;
        expect_append(&a, RAFFLE_OK, 2, 4 + records);
        ck_assert_uint_eq(a.size, 4);
        open_lossy();
        lost.loss[0] = LOSS_OVERTAKEN;
        expect_append(&b, RAFFLE_CLOSED, 2, 4);
    }
}
END_TEST

START_TEST(lost_for_good)
{
    asked a = {.records = 1}, refused = {.records = 1, .refuse = RAFFLE_CLOSED, .refuse_from = 1},
          hasty = {.records = 1};
    open_lossy();
    for (size_t i = 0; i < 16; i++)
        lost.loss[i] = LOSS_BEFORE;
    expect_append(&a, RAFFLE_UNKNOWN, 8, 3);
    open_lossy();
    lost.loss[0] = LOSS_BEFORE;
    expect_append(&refused, RAFFLE_UNKNOWN, 2, 3); /* a refusal commits nothing, and proves nothing */
    open_lossy();
    lost.loss[0] = lost.loss[1] = LOSS_BEFORE;
    ck_assert_int_eq(rf_store_append(store, 1, fill_asked, &hasty, 0, &err), RAFFLE_UNKNOWN);
    ck_assert_uint_eq(hasty.calls, 2); /* no time, one more try */
    raffle_store_free(store);
}
END_TEST

START_TEST(lost_with_the_reads)
{
    asked a = {.records = 1};
    open_lossy();
    lost.loss[0] = LOSS_AFTER;
    lost.read_rc = RAFFLE_IO;
    expect_append(&a, RAFFLE_UNKNOWN, 1, 4);
}
END_TEST

/* The first try arrives after the second, and neither was answered: what stands there is not what the caller holds. */
START_TEST(an_earlier_try_that_came_late)
{
    asked a = {.records = 1};
    open_lossy();
    lost.loss[0] = LOSS_AFTER;
    lost.blind = 1;
    lost.ghost = true;
    expect_append(&a, RAFFLE_UNKNOWN, 2, 4);
}
END_TEST

START_TEST(lost_without_a_record)
{
    asked a = {0};
    open_lossy();
    lost.loss[0] = LOSS_AFTER;
    expect_append(&a, RAFFLE_OK, 2, 3);
}
END_TEST

int main(void)
{
    static const store_suite memory = {.name = "conformance: memory", .open = open_memory, .close = close_memory};
    Suite *s = suite_create("store_store");
    TCase *c = tcase_create("handle");
    tcase_add_checked_fixture(c, open_liar, close_liar);
    const TTest *const tests[] = {freed_with_the_last_user,
                                  table_without_a_function,
                                  table_without_an_anchor,
                                  table_of_another_size,
                                  batch_limits_are_told,
                                  child_of_fork_is_refused,
                                  bad_origins,
                                  statuses_and_sentences,
                                  bad_heads,
                                  control_log_of_two_sizes,
                                  append_that_did_not_ask,
                                  append_that_ignored_the_failure,
                                  append_that_lost_records,
                                  batch_that_fails_silently,
                                  statuses_of_others,
                                  batch_without_functions,
                                  key_owners,
                                  bad_records,
                                  record_of_an_older_host,
                                  too_many_records,
                                  bad_rows,
                                  bad_scans,
                                  bad_scans_back,
                                  bad_notes,
                                  bad_anchor,
                                  texts_of_notes,
                                  opening_by_uri};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    const TTest *const losses[] = {lost_after_the_commit, lost_before_the_commit, lost_and_overtaken,
                                   lost_for_good,         lost_with_the_reads,    an_earlier_try_that_came_late,
                                   lost_without_a_record};
    TCase *answers = tcase_create("answers");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        tcase_add_test(answers, losses[i]);
    suite_add_tcase(s, answers);
    suite_add_tcase(s, store_suite_tcase(&memory));
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
