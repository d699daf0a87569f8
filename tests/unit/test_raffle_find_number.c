/* SPDX-License-Identifier: Apache-2.0 */
/* Which sale holds a draw number: every number of small units against a list, how many records are read, and stores that count falsely. */
#include "find_number.h"

#include "memory_store.h"
#include "vectors.h"

enum {
    RECORDS = 300,
    UNIT = 3
};

/* A unit's log as the test knows it: what record i is, its `n`, and how many numbers it sold. */
typedef struct line {
    rf_type type;
    int64_t n, count;
    bool counts; /* has `n` */
} line;

static line lines[RECORDS];
static size_t known;
static raffle_store *store;
static raffle_error err;
static rf_ticket_at found;
static unsigned reads;
static raffle_rc read_rc;
static raffle_store_table memory;

static raffle_rc counted_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                              void *sink_ctx, raffle_error *e)
{
    reads++;
    if (read_rc != RAFFLE_OK)
        return raffle_error_set(e, read_rc, 0, "the test wants this to fail");
    return memory.read(ctx, log, from, count, sink, sink_ctx, e);
}

static void setup(void)
{
    raffle_store_table table;
    memory_store_table(&memory);
    table = memory;
    table.read = counted_read;
    raffle_error_init(&err, sizeof err);
    ck_assert_int_eq(raffle_store_new(&table, memory_store_new(), &store, &err), RAFFLE_OK);
    read_rc = RAFFLE_OK;
    known = 0;
}

static void teardown(void)
{
    raffle_store_free(store);
}

/* --- writing a unit's log --- */

static rf_record record_of(const line *l, size_t index)
{
    rf_record r = {.type = l->type,
                   .has = rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_T),
                   .by = RAFFLE_SELLER,
                   .at = INT64_C(1795291200000) + (int64_t)index,
                   .n = l->n,
                   .unit = 1,
                   .serial = 1,
                   .count = l->count,
                   .price = 100 * (int64_t)index};
    r.has |= l->counts ? rf_bit(RF_F_N) : 0;
    r.tier = rf_text_of(index % 2 == 0 ? "even" : "odd");
    r.code = r.reason = rf_text_of("word");
    if (l->type == RF_SALE)
        r.has |= rf_bit(RF_F_COUNT) | rf_bit(RF_F_PRICE) | rf_bit(RF_F_TIER);
    if (l->type == RF_VOID)
        r.has |=
            rf_bit(RF_F_UNIT) | rf_bit(RF_F_SERIAL) | rf_bit(RF_F_REASON) | rf_bit(RF_F_COUNT) | rf_bit(RF_F_PRICE);
    if (l->type == RF_EVENT)
        r.has |= rf_bit(RF_F_CODE);
    if (l->type == RF_UNIT_START)
        r.has |= rf_bit(RF_F_UNIT) | rf_bit(RF_F_OPEN);
    return r;
}

static raffle_rc give_bytes(const raffle_store_batch *batch, uint64_t index, const char *leaf, size_t length,
                            raffle_error *e)
{
    const raffle_record record = {.struct_size = sizeof record,
                                  .index = index,
                                  .leaf = leaf,
                                  .leaf_length = (uint32_t)length,
                                  .private_part = "{}",
                                  .private_length = 2};
    return batch->records(batch->ctx, &record, 1, e);
}

static raffle_rc fill_lines(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    (void)ctx;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = head->size; rc == RAFFLE_OK && i < known; i++) {
        char leaf[512];
        const rf_record r = record_of(&lines[i], i);
        size_t length = rf_record_encode(&r, leaf, sizeof leaf);
        ck_assert_uint_gt(length, 0);
        rc = give_bytes(batch, i, leaf, length, e);
    }
    return rc;
}

static raffle_rc fill_text(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    return give_bytes(batch, head->size, ctx, strlen(ctx), e);
}

static void append(raffle_store_fill fill, void *ctx)
{
    raffle_error_init(&err, sizeof err);
    ck_assert_msg(rf_store_append(store, UNIT, fill, ctx, -1, &err) == RAFFLE_OK, "%s", err.message);
}

static void add_line(rf_type type, int64_t n, int64_t count)
{
    ck_assert_uint_lt(known, RECORDS);
    lines[known++] = (line){type, n, count, true};
}

/* --- asking --- */

static raffle_rc find(uint64_t size, uint64_t numbers, uint64_t number)
{
    raffle_error_init(&err, sizeof err);
    reads = 0;
    memset(&found, 0x5a, sizeof found);
    raffle_rc rc = rf_find_number(store, UNIT, size, numbers, number, &found, &err);
    ck_assert_int_eq(err.rc, rc);
    ck_assert_int_eq(err.message[0] != 0, rc != RAFFLE_OK);
    return rc;
}

/* A third of the steps halve what is left. */
static unsigned most_reads(uint64_t size)
{
    unsigned halvings = 1;
    while (size > 1) {
        size -= size / 2;
        halvings++;
    }
    return 3 * halvings;
}

static void check_found(size_t serial, uint64_t number)
{
    const line *l = &lines[serial];
    ck_assert_msg(found.serial == serial && found.first == (uint64_t)l->n && found.count == l->count,
                  "number %llu: sale %llu instead of %zu", (unsigned long long)number, (unsigned long long)found.serial,
                  serial);
    ck_assert_int_eq(found.price, 100 * (int64_t)serial);
    ck_assert_int_eq(found.at, INT64_C(1795291200000) + (int64_t)serial);
    ck_assert_str_eq(found.tier, serial % 2 == 0 ? "even" : "odd");
}

/* Every number of the first `size` records by the list; returns how many numbers there are. */
static uint64_t check_prefix(size_t size)
{
    uint64_t numbers = 0;
    for (size_t i = 0; i < size; i++)
        numbers += lines[i].type == RF_SALE ? (uint64_t)lines[i].count : 0;
    uint64_t number = 1;
    for (size_t i = 0; i < size; i++) {
        for (int64_t k = 0; lines[i].type == RF_SALE && k < lines[i].count; k++, number++) {
            ck_assert_msg(find(size, numbers, number) == RAFFLE_OK, "%zu records, number %llu: %s", size,
                          (unsigned long long)number, err.message);
            check_found(i, number);
            ck_assert_msg(reads <= most_reads(size), "%u reads of %zu records", reads, size);
        }
    }
    ck_assert_uint_eq(number, numbers + 1);
    const uint64_t beyond[] = {0, numbers + 1, numbers + 2, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        ck_assert_int_eq(find(size, numbers, beyond[i]), RAFFLE_NOT_FOUND);
        ck_assert_uint_eq(reads, 0);
    }
    return numbers;
}

static uint64_t check_prefixes(void)
{
    append(fill_lines, NULL);
    for (size_t size = 0; size < known; size += size < 40 ? 1 : 37)
        (void)check_prefix(size);
    return check_prefix(known);
}

/* A small generator, so that every run is the same. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* --- units that are as they should be --- */

START_TEST(a_unit_without_a_record)
{
    ck_assert_uint_eq(check_prefix(0), 0);
    add_line(RF_UNIT_START, 1, 0);
    append(fill_lines, NULL);
    ck_assert_uint_eq(check_prefix(1), 0);
}
END_TEST

START_TEST(one_number_a_sale)
{
    for (int64_t n = 1; n <= RECORDS; n++)
        add_line(RF_SALE, n, 1);
    ck_assert_uint_eq(check_prefixes(), RECORDS);
    ck_assert_int_eq(find(RECORDS, RECORDS, 150), RAFFLE_OK);
    ck_assert_uint_eq(reads, 1); /* even counts: the first guess */
}
END_TEST

START_TEST(uneven_counts_with_voids_and_events_between)
{
    for (uint32_t seed = 1; seed <= 8; seed++) {
        teardown();
        setup();
        uint32_t state = seed;
        int64_t n = 1;
        add_line(RF_UNIT_START, n, 0);
        while (known < RECORDS) {
            const uint32_t what = next_random(&state) % 10;
            const rf_type type = what < seed ? (what % 2 ? RF_VOID : RF_EVENT) : RF_SALE;
            const int64_t count = next_random(&state) % 7 == 0 ? 60 : 1 + next_random(&state) % 5;
            add_line(type, n, count);
            n += type == RF_SALE ? count : 0;
        }
        ck_assert_uint_eq(check_prefixes(), (uint64_t)n - 1);
    }
}
END_TEST

START_TEST(long_runs_without_a_sale)
{
    int64_t n = 1;
    for (size_t i = 0; i < RECORDS; i++) {
        const bool sale = i == 130 || i == 131 || i == RECORDS - 1;
        add_line(sale ? RF_SALE : i % 2 ? RF_VOID : RF_EVENT, n, 2);
        n += sale ? 2 : 0;
    }
    ck_assert_uint_eq(check_prefixes(), 6);
}
END_TEST

/* The worst for interpolation: each sale is as large as all before it, or all after it, together. */
START_TEST(counts_that_double)
{
    for (unsigned falling = 0; falling < 2; falling++) {
        teardown();
        setup();
        int64_t n = 1;
        for (unsigned i = 0; i < 51; i++) {
            const int64_t count = INT64_C(1) << (falling ? 50 - i : i);
            add_line(RF_SALE, n, count);
            add_line(RF_EVENT, n + count, 0);
            n += count;
        }
        append(fill_lines, NULL);
        for (size_t i = 0; i < known; i += 2) {
            const int64_t first = lines[i].n, last = first + lines[i].count - 1,
                          at[] = {first, first + (last - first) / 2, last};
            for (size_t k = 0; k < 3; k++) {
                ck_assert_int_eq(find(known, (uint64_t)n - 1, (uint64_t)at[k]), RAFFLE_OK);
                check_found(i, (uint64_t)at[k]);
                ck_assert_uint_le(reads, most_reads(known));
            }
        }
    }
}
END_TEST

START_TEST(records_beyond_the_size_do_not_count)
{
    for (int64_t i = 0; i < 20; i++)
        add_line(RF_SALE, 1 + 5 * i, 5);
    append(fill_lines, NULL);
    ck_assert_int_eq(find(10, 50, 51), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(find(10, 100, 51), RAFFLE_CORRUPT); /* said to be sold, and not among them */
    ck_assert_int_eq(find(11, 100, 51), RAFFLE_OK);
    check_found(10, 51);
}
END_TEST

/* --- units that are not --- */

START_TEST(numbers_that_no_sale_holds)
{
    add_line(RF_UNIT_START, 1, 0);
    add_line(RF_SALE, 1, 5);
    add_line(RF_SALE, 11, 5); /* six to ten are in no sale */
    add_line(RF_EVENT, 16, 0);
    append(fill_lines, NULL);
    for (uint64_t number = 1; number <= 30; number++) {
        const bool sold = number <= 5 || (number >= 11 && number <= 15);
        ck_assert_int_eq(find(4, 30, number), sold ? RAFFLE_OK : RAFFLE_CORRUPT);
        if (!sold)
            ck_assert_ptr_nonnull(strstr(err.message, "unit 3: no sale holds draw number"));
    }
}
END_TEST

/* Whatever the records claim, it ends soon, with a sale that claims the number or with RAFFLE_CORRUPT. */
START_TEST(records_that_count_at_random)
{
    static const int64_t extremes[] = {0, 1, 2, 500, INT64_C(1) << 40, INT64_C(9007199254740991)};
    for (uint32_t seed = 1; seed <= 12; seed++) {
        teardown();
        setup();
        uint32_t state = seed * 77;
        while (known < RECORDS) {
            const uint32_t r = next_random(&state);
            add_line(seed == 12 || r % 3 == 0 ? RF_EVENT : RF_SALE, seed % 2 ? extremes[r % 6] : (int64_t)r % 1000,
                     seed % 3 ? extremes[next_random(&state) % 6] : (int64_t)r % 4);
        }
        append(fill_lines, NULL);
        for (uint64_t number = 1; number <= 1000; number += 3) {
            raffle_rc rc = find(RECORDS, 1000, number);
            ck_assert_uint_le(reads, most_reads(RECORDS));
            ck_assert(rc == RAFFLE_CORRUPT || (rc == RAFFLE_OK && seed != 12));
            if (rc == RAFFLE_OK)
                check_found(found.serial, number);
            ck_assert(rc != RAFFLE_OK || (found.first <= number && number - found.first < (uint64_t)found.count));
        }
        ck_assert_int_ne(find(RECORDS, UINT64_MAX - 1, UINT64_MAX - 1), RAFFLE_OK);
        ck_assert_uint_le(reads, most_reads(RECORDS));
    }
}
END_TEST

START_TEST(every_record_claims_the_same)
{
    static const int64_t n[] = {0, 1, 7, INT64_C(9007199254740991)};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        teardown();
        setup();
        while (known < RECORDS)
            add_line(RF_SALE, n[i], 0); /* a sale of nothing */
        append(fill_lines, NULL);
        for (uint64_t number = 1; number <= 20; number++) {
            ck_assert_int_eq(find(RECORDS, 20, number), RAFFLE_CORRUPT);
            ck_assert_uint_le(reads, most_reads(RECORDS));
        }
    }
}
END_TEST

START_TEST(a_record_that_does_not_count)
{
    add_line(RF_EVENT, 1, 0);
    lines[0].counts = false; /* as in the control log */
    append(fill_lines, NULL);
    ck_assert_int_eq(find(1, 1, 1), RAFFLE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "does not count draw numbers"));
}
END_TEST

START_TEST(a_record_that_is_none)
{
    static const char *const bad[] = {"x", "{}", "{\"n\":1}", "{\"at\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[16];
        teardown();
        setup();
        strcpy(text, bad[i]);
        append(fill_text, text);
        ck_assert_int_eq(find(1, 1, 1), RAFFLE_CORRUPT);
    }
}
END_TEST

START_TEST(a_log_that_is_shorter_than_it_should_be)
{
    add_line(RF_SALE, 1, 5);
    append(fill_lines, NULL);
    ck_assert_int_eq(find(100, 500, 400), RAFFLE_CORRUPT);
    ck_assert_int_eq(find(UINT64_C(1) << 40, UINT64_C(1) << 40, (UINT64_C(1) << 40) - 1), RAFFLE_CORRUPT);
    ck_assert_int_eq(find(100, 500, 1), RAFFLE_OK); /* which is guessed at once */
}
END_TEST

START_TEST(a_store_that_fails)
{
    add_line(RF_SALE, 1, 5);
    append(fill_lines, NULL);
    read_rc = RAFFLE_IO;
    ck_assert_int_eq(find(1, 5, 3), RAFFLE_IO);
    ck_assert_str_eq(err.message, "the test wants this to fail");
    ck_assert_uint_eq(reads, 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_unit_without_a_record);
    tcase_add_test(tests, one_number_a_sale);
    tcase_add_test(tests, uneven_counts_with_voids_and_events_between);
    tcase_add_test(tests, long_runs_without_a_sale);
    tcase_add_test(tests, counts_that_double);
    tcase_add_test(tests, records_beyond_the_size_do_not_count);
    tcase_add_test(tests, numbers_that_no_sale_holds);
    tcase_add_test(tests, records_that_count_at_random);
    tcase_add_test(tests, every_record_claims_the_same);
    tcase_add_test(tests, a_record_that_does_not_count);
    tcase_add_test(tests, a_record_that_is_none);
    tcase_add_test(tests, a_log_that_is_shorter_than_it_should_be);
    tcase_add_test(tests, a_store_that_fails);
}

int main(void)
{
    return run_tests("find_number", add);
}
