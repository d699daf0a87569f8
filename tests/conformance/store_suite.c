/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance suite of stores: the contract of raffle/ext/store.h, sentence by sentence. */
#include "store_suite.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const store_suite *suite;
static raffle_store *store;
static raffle_error err;

static void set_up(void)
{
    err = (raffle_error)RAFFLE_ERROR_INIT;
    store = suite->open();
    ck_assert_ptr_nonnull(store);
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_OK);
}

static void tear_down(void)
{
    raffle_store_free(store);
    store = NULL;
    suite->close();
}

/* --- batches --- */

enum {
    STEP = 64 /* records that are handed over at once */
};

static raffle_rc give_records(const store_job *job, uint64_t from, size_t n, const raffle_store_batch *batch,
                              raffle_error *e)
{
    char leaf[STEP][96], part[STEP][96];
    raffle_record records[STEP];
    for (size_t i = 0; i < n; i++) {
        snprintf(leaf[i], sizeof leaf[i], "{\"i\":%" PRIu64 ",\"p\":\"%s\"}", from + i, job->prefix);
        snprintf(part[i], sizeof part[i], "private %s %" PRIu64 ";", job->prefix, from + i);
        records[i] = (raffle_record){.struct_size = sizeof records[i], .index = from + i};
        records[i].leaf = leaf[i];
        records[i].leaf_length = (uint32_t)strlen(leaf[i]);
        records[i].private_part = part[i];
        records[i].private_length = (uint32_t)strlen(part[i]);
    }
    return batch->records(batch->ctx, records, n, e);
}

raffle_rc store_job_fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    store_job *job = ctx;
    raffle_rc rc = RAFFLE_OK;
    job->calls++;
    job->size = head->size;
    job->control_size = head->control_size;
    memset(job->state_before, 0, sizeof job->state_before);
    memcpy(job->state_before, head->state, head->state_length < 63 ? head->state_length : 63);
    job->done = 0;
    if (job->key_count > 0) {
        job->owner.struct_size = sizeof job->owner;
        rc = batch->keys(batch->ctx, job->keys, job->key_count, &job->done, &job->owner, e);
    }
    for (size_t at = 0; rc == RAFFLE_OK && at < job->records; at += STEP)
        rc = give_records(job, head->size + at, job->records - at < STEP ? job->records - at : STEP, batch, e);
    if (rc == RAFFLE_OK && job->state != NULL)
        rc = batch->state(batch->ctx, (const uint8_t *)job->state, strlen(job->state), e);
    if (rc == RAFFLE_OK && job->fail != RAFFLE_OK)
        rc = raffle_error_set(e, job->fail, 7, "the test wants this to fail");
    return rc;
}

raffle_rc store_job_run(raffle_store *s, uint32_t log, store_job *job, int32_t timeout_ms, raffle_error *e)
{
    return rf_store_append(s, log, store_job_fill, job, timeout_ms, e);
}

void store_append(raffle_store *s, uint32_t log, size_t records, const char *prefix)
{
    raffle_error e = RAFFLE_ERROR_INIT;
    store_job job = {.prefix = prefix, .records = records};
    raffle_rc rc = store_job_run(s, log, &job, -1, &e);
    ck_assert_msg(rc == RAFFLE_OK, "append: %s", e.message);
}

raffle_store_key store_key(uint32_t scope, const char *text, uint32_t log, uint64_t index)
{
    raffle_store_key key = {.struct_size = sizeof key, .scope = scope, .log = log, .index = index};
    key.length = (uint32_t)strlen(text);
    memcpy(key.key, text, key.length);
    return key;
}

static raffle_rc check_record(void *ctx, const raffle_record *record, raffle_error *e)
{
    uint64_t *seen = ctx;
    char begin[64];
    int n = snprintf(begin, sizeof begin, "{\"i\":%" PRIu64 ",\"p\":\"", *seen);
    (void)e;
    ck_assert_uint_eq(record->index, *seen);
    ck_assert_uint_gt(record->leaf_length, n);
    ck_assert_int_eq(memcmp(record->leaf, begin, (size_t)n), 0);
    (*seen)++;
    return RAFFLE_OK;
}

uint64_t store_check_log(raffle_store *s, uint32_t log)
{
    raffle_error e = RAFFLE_ERROR_INIT;
    uint64_t seen = 0;
    static raffle_store_head head;
    raffle_rc rc = rf_store_read(s, log, 0, UINT64_MAX, check_record, &seen, &e);
    ck_assert_msg(rc == RAFFLE_OK, "read: %s", e.message);
    ck_assert_int_eq(rf_store_head(s, log, &head, NULL), RAFFLE_OK);
    ck_assert_uint_eq(head.size, seen);
    return seen;
}

/* A record as a sink saw it. */
typedef struct seen_record {
    size_t count;
    uint64_t first, last;
    char leaf[128], part[128];
    raffle_rc stop; /* what the sink answers */
} seen_record;

static raffle_rc see_record(void *ctx, const raffle_record *record, raffle_error *e)
{
    seen_record *seen = ctx;
    if (seen->count++ == 0)
        seen->first = record->index;
    seen->last = record->index;
    snprintf(seen->leaf, sizeof seen->leaf, "%.*s", (int)record->leaf_length, record->leaf);
    snprintf(seen->part, sizeof seen->part, "%.*s", (int)record->private_length,
             record->private_part == NULL ? "" : record->private_part);
    return seen->stop == RAFFLE_OK ? RAFFLE_OK : raffle_error_set(e, seen->stop, 9, "the sink has seen enough");
}

static seen_record read_some(uint32_t log, uint64_t from, uint64_t count)
{
    seen_record seen = {.count = 0};
    ck_assert_int_eq(rf_store_read(store, log, from, count, see_record, &seen, &err), RAFFLE_OK);
    return seen;
}

static uint64_t size_of(uint32_t log)
{
    static raffle_store_head head;
    ck_assert_int_eq(rf_store_head(store, log, &head, &err), RAFFLE_OK);
    return head.size;
}

/* --- origin --- */

START_TEST(origin_is_kept)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_OK);
    ck_assert_str_eq(origin, STORE_ORIGIN);
}
END_TEST

START_TEST(second_create_is_refused)
{
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_EXISTS);
    ck_assert_int_eq(rf_store_create(store, "raffle.example/other", &err), RAFFLE_EXISTS);
    origin_is_kept_fn(0);
}
END_TEST

/* --- heads and records --- */

START_TEST(new_log_is_empty)
{
    static raffle_store_head head;
    ck_assert_int_eq(rf_store_head(store, 7, &head, &err), RAFFLE_OK);
    ck_assert_uint_eq(head.size, 0);
    ck_assert_uint_eq(head.control_size, 0);
    ck_assert_uint_eq(head.state_length, 0);
    ck_assert_uint_eq(read_some(7, 0, 10).count, 0);
}
END_TEST

START_TEST(records_come_back)
{
    store_append(store, 1, 3, "a");
    store_append(store, 1, 2, "b");
    store_append(store, 0, 1, "control");
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    seen_record one = read_some(1, 3, 1);
    ck_assert_str_eq(one.leaf, "{\"i\":3,\"p\":\"b\"}");
    ck_assert_str_eq(one.part, "private b 3;");
    ck_assert_str_eq(read_some(0, 0, 1).leaf, "{\"i\":0,\"p\":\"control\"}");
}
END_TEST

START_TEST(reads_end_at_the_log_s_end)
{
    store_append(store, 1, 5, "a");
    store_append(store, 2, 5, "b");
    seen_record seen = read_some(1, 3, 100);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.last, 4);
    ck_assert_uint_eq(read_some(1, 5, 100).count, 0);
    ck_assert_uint_eq(read_some(1, UINT64_MAX, UINT64_MAX).count, 0);
    ck_assert_uint_eq(read_some(1, 1, UINT64_MAX).count, 4);
    ck_assert_uint_eq(read_some(1, 1, 0).count, 0);
}
END_TEST

START_TEST(many_records_come_in_order)
{
    store_append(store, 3, 5000, "a");
    ck_assert_uint_eq(store_check_log(store, 3), 5000);
    seen_record seen = read_some(3, 1023, 1026);
    ck_assert_uint_eq(seen.count, 1026);
    ck_assert_uint_eq(seen.first, 1023);
    ck_assert_uint_eq(seen.last, 2048);
}
END_TEST

START_TEST(sink_ends_a_read)
{
    store_append(store, 1, 5, "a");
    seen_record seen = {.stop = RAFFLE_VOIDED};
    ck_assert_int_eq(rf_store_read(store, 1, 0, 5, see_record, &seen, &err), RAFFLE_VOIDED);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(err.token, 9);
    ck_assert_uint_eq(store_check_log(store, 1), 5);
}
END_TEST

static raffle_rc fill_extremes(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                               raffle_error *e)
{
    static char leaf[RAFFLE_RECORD_MAX], part[RAFFLE_PRIVATE_MAX];
    memset(leaf, 'x', sizeof leaf);
    memset(part, 'y', sizeof part);
    raffle_record records[2] = {
        {.struct_size = sizeof *records, .leaf = leaf, .leaf_length = sizeof leaf, .index = head->size},
        {.struct_size = sizeof *records, .leaf = "1", .leaf_length = 1, .index = head->size + 1}};
    (void)ctx;
    records[0].private_part = part;
    records[0].private_length = sizeof part;
    return batch->records(batch->ctx, records, 2, e);
}

static raffle_rc see_extremes(void *ctx, const raffle_record *record, raffle_error *e)
{
    unsigned *seen = ctx;
    (void)e;
    ck_assert_uint_eq(record->leaf_length, record->index == 0 ? RAFFLE_RECORD_MAX : 1);
    ck_assert_uint_eq(record->private_length, record->index == 0 ? RAFFLE_PRIVATE_MAX : 0);
    ck_assert_int_eq(record->private_part == NULL, record->index == 1);
    ck_assert_int_eq(record->leaf[record->leaf_length - 1], record->index == 0 ? 'x' : '1');
    (*seen)++;
    return RAFFLE_OK;
}

START_TEST(longest_and_shortest_records)
{
    unsigned seen = 0;
    ck_assert_int_eq(rf_store_append(store, RF_LOG_MAX, fill_extremes, NULL, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_read(store, RF_LOG_MAX, 0, 9, see_extremes, &seen, &err), RAFFLE_OK);
    ck_assert_uint_eq(seen, 2);
}
END_TEST

START_TEST(head_tells_the_control_log_s_size)
{
    store_append(store, 0, 4, "c");
    store_job job = {.prefix = "a", .records = 1};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.size, 0);
    ck_assert_uint_eq(job.control_size, 4);
    store_job control = {.prefix = "c", .records = 1};
    ck_assert_int_eq(store_job_run(store, 0, &control, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(control.size, 4);
    ck_assert_uint_eq(control.control_size, 4);
}
END_TEST

START_TEST(state_is_kept_and_replaced)
{
    store_job first = {.prefix = "a", .records = 1, .state = "state one"};
    store_job second = {.prefix = "a", .records = 1};
    store_job third = {.prefix = "a", .state = "two"};
    store_job last = {.prefix = "a", .state = ""};
    static raffle_store_head head;
    ck_assert_int_eq(store_job_run(store, 1, &first, -1, &err), RAFFLE_OK);
    ck_assert_str_eq(first.state_before, "");
    ck_assert_int_eq(store_job_run(store, 1, &second, -1, &err), RAFFLE_OK);
    ck_assert_str_eq(second.state_before, "state one");
    ck_assert_int_eq(store_job_run(store, 1, &third, -1, &err), RAFFLE_OK);
    ck_assert_str_eq(third.state_before, "state one");
    ck_assert_int_eq(store_job_run(store, 1, &last, -1, &err), RAFFLE_OK);
    ck_assert_str_eq(last.state_before, "two");
    ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_OK);
    ck_assert_uint_eq(head.state_length, 0);
    ck_assert_uint_eq(head.size, 2);
}
END_TEST

static raffle_rc fill_whole_state(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                  raffle_error *e)
{
    static uint8_t state[RAFFLE_STORE_STATE_MAX];
    (void)ctx;
    (void)head;
    memset(state, 0xa5, sizeof state);
    return batch->state(batch->ctx, state, sizeof state, e);
}

START_TEST(largest_state)
{
    static raffle_store_head head;
    ck_assert_int_eq(rf_store_append(store, 2, fill_whole_state, NULL, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_head(store, 2, &head, &err), RAFFLE_OK);
    ck_assert_uint_eq(head.state_length, RAFFLE_STORE_STATE_MAX);
    ck_assert_uint_eq(head.state[RAFFLE_STORE_STATE_MAX - 1], 0xa5);
}
END_TEST

/* --- all or nothing --- */

START_TEST(failing_fill_leaves_nothing)
{
    store_append(store, 1, 2, "a");
    raffle_store_key key = store_key(1, "order", 1, 2), row;
    store_job job = {.prefix = "b", .records = 200, .keys = &key, .key_count = 1, .state = "new", .fail = RAFFLE_QUOTA};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_QUOTA);
    ck_assert_int_eq(err.rc, RAFFLE_QUOTA);
    ck_assert_uint_eq(err.token, 7);
    ck_assert_uint_eq(store_check_log(store, 1), 2);
    ck_assert_int_eq(rf_store_find(store, 1, key.key, key.length, &row, &err), RAFFLE_NOT_FOUND);
    static raffle_store_head head;
    ck_assert_int_eq(rf_store_head(store, 1, &head, &err), RAFFLE_OK);
    ck_assert_uint_eq(head.state_length, 0);
    store_append(store, 1, 1, "c");
    ck_assert_str_eq(read_some(1, 2, 1).leaf, "{\"i\":2,\"p\":\"c\"}");
}
END_TEST

static raffle_rc fill_gap(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    raffle_record record = {.struct_size = sizeof record, .leaf = "1", .leaf_length = 1, .index = head->size + 1};
    (void)ctx;
    batch->records(batch->ctx, &record, 1, e);
    return RAFFLE_OK; /* as if nothing had happened */
}

START_TEST(gap_is_refused_even_when_fill_ignores_it)
{
    store_append(store, 1, 1, "a");
    ck_assert_int_eq(rf_store_append(store, 1, fill_gap, NULL, -1, &err), RAFFLE_INVALID);
    ck_assert_uint_eq(store_check_log(store, 1), 1);
}
END_TEST

static raffle_rc fill_nothing(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                              raffle_error *e)
{
    (void)ctx;
    (void)head;
    (void)batch;
    (void)e;
    return RAFFLE_OK;
}

START_TEST(empty_batch_changes_nothing)
{
    store_append(store, 1, 1, "a");
    ck_assert_int_eq(rf_store_append(store, 1, fill_nothing, NULL, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(store, 1), 1);
}
END_TEST

START_TEST(failure_without_a_sentence_is_handed_back)
{
    store_job job = {.prefix = "a", .records = 1, .fail = RAFFLE_BUSY};
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, NULL), RAFFLE_BUSY);
    ck_assert_uint_eq(size_of(1), 0);
}
END_TEST

/* --- keys --- */

START_TEST(keys_are_found)
{
    const raffle_store_key keys[] = {store_key(1, "one", 5, 0), store_key(255, "one", 5, 1), store_key(0, "o", 5, 2)};
    store_job job = {.prefix = "a", .records = 3, .keys = keys, .key_count = 3};
    raffle_store_key row;
    ck_assert_int_eq(store_job_run(store, 5, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(rf_store_find(store, keys[i].scope, keys[i].key, keys[i].length, &row, &err), RAFFLE_OK);
        ck_assert_uint_eq(row.log, 5);
        ck_assert_uint_eq(row.index, i);
        ck_assert_uint_eq(row.scope, keys[i].scope);
    }
    ck_assert_int_eq(rf_store_find(store, 2, keys[0].key, keys[0].length, &row, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_find(store, 1, keys[0].key, 2, &row, &err), RAFFLE_NOT_FOUND);
}
END_TEST

START_TEST(taken_key_names_its_owner)
{
    const raffle_store_key first = store_key(1, "order", 1, 0);
    const raffle_store_key second[] = {store_key(1, "fresh", 2, 0), store_key(1, "order", 2, 0),
                                       store_key(1, "never", 2, 0)};
    store_job one = {.prefix = "a", .records = 1, .keys = &first, .key_count = 1};
    store_job two = {.prefix = "b", .records = 1, .keys = second, .key_count = 3};
    raffle_store_key row;
    ck_assert_int_eq(store_job_run(store, 1, &one, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(store_job_run(store, 2, &two, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(two.done, 1);
    ck_assert_uint_eq(two.owner.log, 1);
    ck_assert_uint_eq(two.owner.index, 0);
    ck_assert_int_eq(rf_store_find(store, 1, second[0].key, second[0].length, &row, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_find(store, 1, second[2].key, second[2].length, &row, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_find(store, 1, first.key, first.length, &row, &err), RAFFLE_OK);
    ck_assert_uint_eq(row.log, 1);
}
END_TEST

START_TEST(key_twice_in_one_batch)
{
    const raffle_store_key keys[] = {store_key(1, "x", 1, 0), store_key(1, "y", 1, 1), store_key(1, "x", 1, 2)};
    store_job job = {.prefix = "a", .records = 3, .keys = keys, .key_count = 3};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, 2);
    ck_assert_uint_eq(job.owner.index, 0);
}
END_TEST

START_TEST(longest_key_and_bytes_of_all_kinds)
{
    raffle_store_key key = {.struct_size = sizeof key,
                            .scope = 9,
                            .length = RAFFLE_STORE_KEY_MAX,
                            .log = 65535,
                            .index = RF_LOG_RECORDS_MAX - 1};
    for (unsigned i = 0; i < RAFFLE_STORE_KEY_MAX; i++)
        key.key[i] = (uint8_t)(i * 4);
    store_job job = {.prefix = "a", .records = 1, .keys = &key, .key_count = 1};
    raffle_store_key row;
    ck_assert_int_eq(store_job_run(store, 65535, &job, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_find(store, 9, key.key, key.length, &row, &err), RAFFLE_OK);
    ck_assert_uint_eq(row.index, RF_LOG_RECORDS_MAX - 1);
    ck_assert_uint_eq(row.log, 65535);
}
END_TEST

/* --- scans --- */

typedef struct seen_keys {
    size_t count;
    char text[512];
} seen_keys;

static raffle_rc see_key(void *ctx, const raffle_store_key *key, raffle_error *e)
{
    seen_keys *seen = ctx;
    (void)e;
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%.*s ", (int)key->length, (const char *)key->key);
    seen->count++;
    return RAFFLE_OK;
}

static const char *scan(const char *prefix, const char *after, uint64_t count)
{
    static seen_keys seen;
    memset(&seen, 0, sizeof seen);
    raffle_rc rc = rf_store_scan(store, 3, (const uint8_t *)prefix, strlen(prefix), (const uint8_t *)after,
                                 strlen(after), count, see_key, &seen, &err);
    ck_assert_msg(rc == RAFFLE_OK, "scan: %s", err.message);
    return seen.text;
}

static void put_scan_keys(void)
{
    static const char *const texts[] = {"b/2", "a", "b/1", "b", "c", "b/10", "b/\xff", "a/"};
    raffle_store_key keys[10];
    for (size_t i = 0; i < 8; i++)
        keys[i] = store_key(3, texts[i], 1, i);
    keys[8] = store_key(2, "b/other", 1, 8);
    keys[9] = store_key(4, "b/other", 1, 9);
    store_job job = {.prefix = "a", .records = 10, .keys = keys, .key_count = 10};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, 10);
}

START_TEST(scan_goes_by_bytes)
{
    put_scan_keys();
    ck_assert_str_eq(scan("", "", 99), "a a/ b b/1 b/10 b/2 b/\xff c ");
    ck_assert_str_eq(scan("b/", "", 99), "b/1 b/10 b/2 b/\xff ");
    ck_assert_str_eq(scan("b", "", 99), "b b/1 b/10 b/2 b/\xff ");
    ck_assert_str_eq(scan("d", "", 99), "");
    ck_assert_str_eq(scan("b/\xff", "", 99), "b/\xff ");
}
END_TEST

START_TEST(scan_goes_on_after)
{
    put_scan_keys();
    ck_assert_str_eq(scan("b/", "", 2), "b/1 b/10 ");
    ck_assert_str_eq(scan("b/", "b/10", 2), "b/2 b/\xff ");
    ck_assert_str_eq(scan("b/", "b/1", 1), "b/10 ");
    ck_assert_str_eq(scan("b/", "b/\xff", 9), "");
    ck_assert_str_eq(scan("b/", "a", 1), "b/1 ");
    ck_assert_str_eq(scan("b/", "z", 9), "");
    ck_assert_str_eq(scan("", "c", 0), "");
}
END_TEST

static const char *scan_back(const char *prefix, const char *before, uint64_t count)
{
    static seen_keys seen;
    memset(&seen, 0, sizeof seen);
    raffle_rc rc = rf_store_scan_back(store, 3, (const uint8_t *)prefix, strlen(prefix), (const uint8_t *)before,
                                      strlen(before), count, see_key, &seen, &err);
    ck_assert_msg(rc == RAFFLE_OK, "scan back: %s", err.message);
    return seen.text;
}

START_TEST(scan_goes_back)
{
    put_scan_keys();
    ck_assert_str_eq(scan_back("", "", 99), "c b/\xff b/2 b/10 b/1 b a/ a ");
    ck_assert_str_eq(scan_back("b/", "", 99), "b/\xff b/2 b/10 b/1 ");
    ck_assert_str_eq(scan_back("b/", "", 2), "b/\xff b/2 ");
    ck_assert_str_eq(scan_back("b/", "b/2", 2), "b/10 b/1 ");
    ck_assert_str_eq(scan_back("b/", "b/10", 9), "b/1 ");
    ck_assert_str_eq(scan_back("b/", "b/1", 9), "");
    ck_assert_str_eq(scan_back("b/", "a", 9), "");
    ck_assert_str_eq(scan_back("b/", "z", 1), "b/\xff ");
    ck_assert_str_eq(scan_back("d", "", 9), "");
    ck_assert_str_eq(scan_back("", "", 0), "");
}
END_TEST

static raffle_rc refuse_key(void *ctx, const raffle_store_key *key, raffle_error *e)
{
    (void)key;
    (*(int *)ctx)++;
    return raffle_error_set(e, RAFFLE_HOST, 0, "enough");
}

START_TEST(scan_back_ends_with_its_sink)
{
    int calls = 0;
    put_scan_keys();
    ck_assert_int_eq(rf_store_scan_back(store, 3, NULL, 0, NULL, 0, 9, refuse_key, &calls, &err), RAFFLE_HOST);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(rf_store_scan_back(store, 3, NULL, 0, NULL, 0, UINT64_MAX, refuse_key, &calls, &err),
                     RAFFLE_LIMIT);
    ck_assert_int_eq(rf_store_scan_back(store, 256, NULL, 0, NULL, 0, 9, refuse_key, &calls, &err), RAFFLE_INVALID);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(long_scan)
{
    enum {
        N = 3000
    };
    static raffle_store_key keys[N];
    char text[16];
    for (unsigned i = 0; i < N; i++) {
        snprintf(text, sizeof text, "%06u", (i * 1237) % N);
        keys[i] = store_key(200, text, 1, i);
    }
    store_job job = {.prefix = "a", .records = 1, .keys = keys, .key_count = N};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_uint_eq(job.done, N);
    seen_keys seen = {.count = 0};
    ck_assert_int_eq(rf_store_scan(store, 200, NULL, 0, NULL, 0, UINT64_MAX, see_key, &seen, &err), RAFFLE_OK);
    ck_assert_uint_eq(seen.count, N);
    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(rf_store_scan(store, 200, (const uint8_t *)"00", 2, NULL, 0, 1025, see_key, &seen, &err),
                     RAFFLE_OK);
    ck_assert_uint_eq(seen.count, 1025);
    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(rf_store_scan_back(store, 200, (const uint8_t *)"00", 2, NULL, 0, 1500, see_key, &seen, &err),
                     RAFFLE_OK);
    ck_assert_uint_eq(seen.count, 1500);
    ck_assert_int_eq(strncmp(seen.text, "002999 002998 ", 14), 0);
}
END_TEST

/* --- nodes --- */

static raffle_rc fill_nodes(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    uint8_t hash[32];
    (void)ctx;
    (void)head;
    memset(hash, 8, sizeof hash);
    raffle_rc rc = batch->node(batch->ctx, 8, 0, hash, e);
    memset(hash, 9, sizeof hash);
    if (rc == RAFFLE_OK)
        rc = batch->node(batch->ctx, 9, 0, hash, e);
    memset(hash, 10, sizeof hash);
    if (rc == RAFFLE_OK)
        rc = batch->node(batch->ctx, 8, UINT32_MAX, hash, e);
    return rc;
}

START_TEST(nodes_are_kept)
{
    uint8_t hash[32];
    ck_assert_int_eq(rf_store_append(store, 65535, fill_nodes, NULL, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_append(store, 65535, fill_nodes, NULL, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_node(store, 65535, 8, 0, hash, &err), RAFFLE_OK);
    ck_assert_uint_eq(hash[31], 8);
    ck_assert_int_eq(rf_store_node(store, 65535, 9, 0, hash, &err), RAFFLE_OK);
    ck_assert_uint_eq(hash[0], 9);
    ck_assert_int_eq(rf_store_node(store, 65535, 8, UINT32_MAX, hash, &err), RAFFLE_OK);
    ck_assert_uint_eq(hash[0], 10);
    ck_assert_int_eq(rf_store_node(store, 65535, 8, 1, hash, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_node(store, 1, 8, 0, hash, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_node(store, 1, 7, 0, hash, &err), RAFFLE_INVALID);
}
END_TEST

/* --- notes --- */

static raffle_rc put_note(uint64_t size, const char *note)
{
    return rf_store_note_put(store, 1, size, note, strlen(note), &err);
}

static void expect_note(uint64_t size, uint64_t found_size, const char *note)
{
    char text[RAFFLE_STORE_NOTE_MAX];
    size_t length = 0;
    uint64_t found = 0;
    ck_assert_int_eq(rf_store_note_get(store, 1, size, &found, text, sizeof text, &length, &err), RAFFLE_OK);
    ck_assert_uint_eq(found, found_size);
    ck_assert_uint_eq(length, strlen(note));
    ck_assert_int_eq(memcmp(text, note, length), 0);
}

START_TEST(notes_are_kept_by_size)
{
    char text[16];
    size_t length = 0;
    uint64_t size = 0;
    ck_assert_int_eq(rf_store_note_get(store, 1, RF_NOTE_LATEST, &size, text, sizeof text, &length, &err),
                     RAFFLE_NOT_FOUND);
    ck_assert_int_eq(put_note(3, "three\n\nsigned\n"), RAFFLE_OK);
    ck_assert_int_eq(put_note(5, "five\n\nsigned\n"), RAFFLE_OK);
    expect_note(3, 3, "three\n\nsigned\n");
    expect_note(5, 5, "five\n\nsigned\n");
    expect_note(RF_NOTE_LATEST, 5, "five\n\nsigned\n");
    ck_assert_int_eq(rf_store_note_get(store, 1, 4, &size, text, sizeof text, &length, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_note_get(store, 2, RF_NOTE_LATEST, &size, text, sizeof text, &length, &err),
                     RAFFLE_NOT_FOUND);
}
END_TEST

START_TEST(notes_never_go_back)
{
    ck_assert_int_eq(put_note(5, "five\n\nsigned\n"), RAFFLE_OK);
    ck_assert_int_eq(put_note(4, "four\n\nsigned\n"), RAFFLE_HISTORY);
    ck_assert_int_eq(put_note(5, "other\n\nsigned\n"), RAFFLE_HISTORY);
    ck_assert_int_eq(put_note(5, "five\nmore\n\nsigned\n"), RAFFLE_HISTORY);
    expect_note(RF_NOTE_LATEST, 5, "five\n\nsigned\n");
    ck_assert_int_eq(put_note(5, "five\n\nsigned\nand cosigned\n"), RAFFLE_OK);
    expect_note(5, 5, "five\n\nsigned\nand cosigned\n");
}
END_TEST

START_TEST(note_that_does_not_fit)
{
    char text[4];
    size_t length = 0;
    uint64_t size = 0;
    ck_assert_int_eq(put_note(5, "five\n\nsigned\n"), RAFFLE_OK);
    ck_assert_int_eq(rf_store_note_get(store, 1, 5, &size, text, sizeof text, &length, &err), RAFFLE_TOO_SMALL);
    ck_assert_uint_eq(length, 13);
}
END_TEST

START_TEST(note_without_signatures_is_refused)
{
    ck_assert_int_eq(put_note(5, "five\nsigned\n"), RAFFLE_INVALID);
    ck_assert_int_eq(put_note(5, "\n\nsigned\n"), RAFFLE_OK); /* an empty text is the journal's to refuse */
    ck_assert_int_eq(put_note(6, ""), RAFFLE_INVALID);
}
END_TEST

static raffle_rc fill_note(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    const char *note = ctx;
    raffle_rc rc = give_records(&(store_job){.prefix = "n"}, head->size, 1, batch, e);
    return rc == RAFFLE_OK ? batch->note(batch->ctx, head->size + 1, note, strlen(note), e) : rc;
}

START_TEST(note_in_an_append)
{
    ck_assert_int_eq(rf_store_append(store, 1, fill_note, "one\n\nsigned\n", -1, &err), RAFFLE_OK);
    expect_note(RF_NOTE_LATEST, 1, "one\n\nsigned\n");
    ck_assert_int_eq(put_note(7, "seven\n\nsigned\n"), RAFFLE_OK);
    ck_assert_int_eq(rf_store_append(store, 1, fill_note, "two\n\nsigned\n", -1, &err), RAFFLE_HISTORY);
    ck_assert_uint_eq(store_check_log(store, 1), 1);
}
END_TEST

/* --- erasing --- */

START_TEST(erase_takes_the_private_part_alone)
{
    store_append(store, 1, 3, "a");
    ck_assert_int_eq(rf_store_erase(store, 1, 1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_erase(store, 1, 1, &err), RAFFLE_OK);
    ck_assert_str_eq(read_some(1, 0, 1).part, "private a 0;");
    ck_assert_str_eq(read_some(1, 1, 1).part, "");
    ck_assert_str_eq(read_some(1, 1, 1).leaf, "{\"i\":1,\"p\":\"a\"}");
    ck_assert_str_eq(read_some(1, 2, 1).part, "private a 2;");
}
END_TEST

START_TEST(erase_what_is_not_there)
{
    store_append(store, 1, 3, "a");
    ck_assert_int_eq(rf_store_erase(store, 1, 3, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_erase(store, 2, 0, &err), RAFFLE_NOT_FOUND);
}
END_TEST

/* --- the anchor --- */

START_TEST(anchor_never_goes_back)
{
    uint8_t a[32], b[32], found[32];
    uint64_t size = 0;
    memset(a, 0xaa, sizeof a);
    memset(b, 0xbb, sizeof b);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 10, a, true, &err), RAFFLE_OK);
    if (!rf_store_has_anchor(store))
        return;
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 9, b, true, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 10);
    ck_assert_mem_eq(found, a, 32);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 10, b, true, &err), RAFFLE_HISTORY);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 11, b, false, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 11);
    ck_assert_int_eq(rf_store_anchor_get(store, 2, &size, found, &err), RAFFLE_NOT_FOUND);
}
END_TEST

/* For raffle_restore(): the empty store has seen nothing, then it holds the raffle, and its anchor is found under that origin and no other. */
START_TEST(put_back_makes_what_create_makes)
{
    uint8_t root[32] = {1}, found[32];
    uint64_t size = 0;
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_store_free(store);
    suite->close();
    store = suite->open();
    ck_assert_int_eq(rf_store_anchor_of(store, STORE_ORIGIN, 1, &size, found, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_store_put_back(store, STORE_ORIGIN, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_OK);
    ck_assert_str_eq(origin, STORE_ORIGIN);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 10, root, true, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_of(store, STORE_ORIGIN, 1, &size, found, &err), RAFFLE_NOT_FOUND); /* not yet */
    rf_store_put_back_over(store);
    ck_assert_int_eq(rf_store_put_back(store, STORE_ORIGIN, &err), RAFFLE_EXISTS);
    store_append(store, 1, 3, "p");
    ck_assert_uint_eq(store_check_log(store, 1), 3);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 3, root, true, &err), RAFFLE_OK);
    if (!rf_store_has_anchor(store))
        return;
    ck_assert_int_eq(rf_store_anchor_of(store, STORE_ORIGIN, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(found, root, 32);
    ck_assert_int_ne(rf_store_anchor_of(store, STORE_ORIGIN "2", 1, &size, found, &err), RAFFLE_OK);
}
END_TEST

/* --- threads --- */

enum {
    WRITERS = 8,
    LOGS = 4,
    ROUNDS = 60
};

typedef struct writer {
    pthread_t thread;
    unsigned number;
    size_t failures, written;
} writer;

/* Every fifth batch fails on purpose, and every batch takes a key of its own. */
static void *write_rounds(void *ctx)
{
    writer *w = ctx;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[32];
        snprintf(text, sizeof text, "%u-%u", w->number, i);
        raffle_store_key key = store_key(1, text, w->number % LOGS, i);
        store_job job = {.prefix = text, .records = 1 + i % 3, .keys = &key, .key_count = 1};
        job.fail = i % 5 == 4 ? RAFFLE_QUOTA : RAFFLE_OK;
        raffle_rc rc = store_job_run(store, w->number % LOGS, &job, -1, NULL);
        if (rc != job.fail || job.done != 1)
            w->failures++;
        if (rc == RAFFLE_OK)
            w->written += job.records;
    }
    return NULL;
}

static void *read_rounds(void *ctx)
{
    size_t *failures = ctx;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t seen = 0;
        if (rf_store_read(store, i % LOGS, 0, UINT64_MAX, check_record, &seen, NULL) != RAFFLE_OK)
            (*failures)++;
    }
    return NULL;
}

START_TEST(concurrent_appends_lose_nothing)
{
    static writer writers[WRITERS];
    size_t expected[LOGS] = {0}, keys = 0, reader_failures = 0;
    pthread_t reader;
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i].number = i;
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_rounds, &writers[i]), 0);
    }
    ck_assert_int_eq(pthread_create(&reader, NULL, read_rounds, &reader_failures), 0);
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        ck_assert_uint_eq(writers[i].failures, 0);
        expected[i % LOGS] += writers[i].written;
    }
    pthread_join(reader, NULL);
    ck_assert_uint_eq(reader_failures, 0);
    for (uint32_t i = 0; i < LOGS; i++)
        ck_assert_uint_eq(store_check_log(store, i), expected[i]);
    seen_keys seen = {.count = 0};
    ck_assert_int_eq(rf_store_scan(store, 1, NULL, 0, NULL, 0, UINT64_MAX, see_key, &seen, &err), RAFFLE_OK);
    keys = WRITERS * (ROUNDS - ROUNDS / 5);
    ck_assert_uint_eq(seen.count, keys);
}
END_TEST

/* --- arguments --- */

START_TEST(arguments_out_of_range)
{
    static raffle_store_head head;
    uint8_t bytes[RAFFLE_STORE_KEY_MAX + 1] = {0};
    raffle_store_key row;
    store_job job = {.prefix = "a", .records = 1};
    ck_assert_int_eq(rf_store_head(store, 65536, &head, &err), RAFFLE_INVALID);
    ck_assert_int_eq(store_job_run(store, 65536, &job, -1, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_find(store, 256, bytes, 1, &row, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_find(store, 1, bytes, 65, &row, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_find(store, 1, bytes, 0, &row, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_erase(store, 1, UINT64_MAX, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_store_create(store, "Not An Origin", &err), RAFFLE_INVALID);
    ck_assert_uint_eq(job.calls, 0);
}
END_TEST

START_TEST(key_of_too_large_a_scope)
{
    raffle_store_key key = store_key(256, "x", 1, 0);
    store_job job = {.prefix = "a", .records = 1, .keys = &key, .key_count = 1};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_INVALID);
    ck_assert_uint_eq(size_of(1), 0);
}
END_TEST

TCase *store_suite_tcase(const store_suite *s)
{
    suite = s;
    TCase *c = tcase_create(s->name);
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 120);
    const TTest *const tests[] = {origin_is_kept,
                                  second_create_is_refused,
                                  new_log_is_empty,
                                  records_come_back,
                                  reads_end_at_the_log_s_end,
                                  many_records_come_in_order,
                                  sink_ends_a_read,
                                  longest_and_shortest_records,
                                  head_tells_the_control_log_s_size,
                                  state_is_kept_and_replaced,
                                  largest_state,
                                  failing_fill_leaves_nothing,
                                  gap_is_refused_even_when_fill_ignores_it,
                                  empty_batch_changes_nothing,
                                  failure_without_a_sentence_is_handed_back,
                                  keys_are_found,
                                  taken_key_names_its_owner,
                                  key_twice_in_one_batch,
                                  longest_key_and_bytes_of_all_kinds,
                                  scan_goes_by_bytes,
                                  scan_goes_on_after,
                                  scan_goes_back,
                                  scan_back_ends_with_its_sink,
                                  long_scan,
                                  nodes_are_kept,
                                  notes_are_kept_by_size,
                                  notes_never_go_back,
                                  note_that_does_not_fit,
                                  note_without_signatures_is_refused,
                                  note_in_an_append,
                                  erase_takes_the_private_part_alone,
                                  erase_what_is_not_there,
                                  anchor_never_goes_back,
                                  put_back_makes_what_create_makes,
                                  concurrent_appends_lose_nothing,
                                  arguments_out_of_range,
                                  key_of_too_large_a_scope};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    return c;
}
