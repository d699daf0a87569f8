/* SPDX-License-Identifier: Apache-2.0 */
/* Order keys: prints that come twice against a plain search, and the lines of orders as they follow one another. */
#include "orders.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

/* Xorshift64 (Marsaglia 2003): the same in every run. */
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Compares with sorting and looking at neighbours. */
static void check_twice(const uint64_t *print, size_t n)
{
    uint64_t *sorted = malloc((n + 1) * sizeof *sorted), *work = malloc((n + 1) * sizeof *work), extra = 0,
             wanted_extra = 0;
    size_t wanted = 0;
    if (n > 0) {
        memcpy(sorted, print, n * sizeof *print);
        memcpy(work, print, n * sizeof *print);
        qsort(sorted, n, sizeof *sorted, compare);
    }
    for (size_t i = 1; i < n; i++) {
        if (sorted[i] != sorted[i - 1])
            continue;
        wanted_extra++;
        if (i == 1 || sorted[i - 1] != sorted[i - 2])
            sorted[wanted++] = sorted[i];
    }
    const size_t found = rf_prints_twice(work, n, 1024, &extra);
    ck_assert_uint_eq(extra, wanted_extra);
    ck_assert_uint_eq(found, wanted < 1024 ? wanted : 1024);
    qsort(work, found, sizeof *work, compare);
    if (wanted <= 1024)
        ck_assert(found == 0 || memcmp(work, sorted, found * sizeof *work) == 0);
    free(sorted);
    free(work);
}

START_TEST(few_prints)
{
    static const uint64_t none[] = {1, 2, 3}, twice[] = {1, 2, 1}, thrice[] = {7, 7, 7};
    check_twice(none, 0);
    check_twice(none, 1);
    check_twice(none, 3);
    check_twice(twice, 3);
    check_twice(thrice, 3);
}
END_TEST

START_TEST(many_prints)
{
    const size_t n = 200000;
    uint64_t *print = malloc(n * sizeof *print);
    for (size_t i = 0; i < n; i++)
        print[i] = next_random();
    check_twice(print, n);
    for (size_t i = 0; i < 500; i++)
        print[next_random() % n] = print[next_random() % n];
    check_twice(print, n);
    for (size_t i = 0; i < 5000; i++)
        print[next_random() % n] = print[next_random() % n];
    check_twice(print, n);
    free(print);
}
END_TEST

START_TEST(prints_that_are_alike)
{
    const size_t n = 5000;
    uint64_t *print = malloc(n * sizeof *print);
    for (size_t i = 0; i < n; i++)
        print[i] = i;
    check_twice(print, n);
    for (size_t i = 0; i < n; i++)
        print[i] = (uint64_t)i << 56 | i % 17;
    check_twice(print, n);
    for (size_t i = 0; i < n; i++)
        print[i] = 42;
    check_twice(print, n);
    for (size_t i = 0; i < n; i++)
        print[i] = i < n / 2 ? 0 : UINT64_MAX;
    check_twice(print, n);
    free(print);
}
END_TEST

/* --- lines --- */

typedef struct line {
    uint64_t order; /* 0: erased; UINT64_MAX: no sale */
    uint16_t line, lines;
} line;

/* The faults that the walk over these records finds, and the prints that it keeps. */
static uint64_t walk_faults(const line *lines, size_t n, size_t *kept)
{
    rf_orders orders = {0};
    rf_order_walk walk = {0};
    rf_faults faults = {0};
    for (size_t i = 0; i < n; i++) {
        const rf_brief b = {.order = lines[i].order, .line = lines[i].line, .lines = lines[i].lines, .has_order = true};
        if (lines[i].order == 0)
            rf_orders_unknown(&walk);
        else if (lines[i].order == UINT64_MAX)
            rf_orders_end(&walk, &faults, 1, i);
        else
            ck_assert_int_eq(rf_orders_add(&orders, &walk, &faults, 1, i, &b, NULL), RAFFLE_OK);
    }
    rf_orders_end(&walk, &faults, 1, n);
    *kept = orders.n;
    rf_orders_clear(&orders);
    uint64_t found = faults.integrity + faults.incomplete;
    rf_faults_clear(&faults);
    return found;
}

#define CHECK_WALK(faults, prints, ...)                                                                                \
    do {                                                                                                               \
        const line records[] = {__VA_ARGS__};                                                                          \
        size_t kept;                                                                                                   \
        ck_assert_uint_eq(walk_faults(records, sizeof records / sizeof *records, &kept), faults);                      \
        ck_assert_uint_eq(kept, prints);                                                                               \
    } while (0)

START_TEST(good_orders)
{
    CHECK_WALK(0, 1, {5, 0, 1});
    CHECK_WALK(0, 2, {5, 0, 1}, {6, 0, 1});
    CHECK_WALK(0, 1, {5, 0, 3}, {5, 1, 3}, {5, 2, 3});
    CHECK_WALK(0, 2, {5, 0, 2}, {5, 1, 2}, {UINT64_MAX, 0, 0}, {6, 0, 2}, {6, 1, 2});
}
END_TEST

START_TEST(erased_lines)
{
    CHECK_WALK(0, 0, {0, 0, 0});
    CHECK_WALK(0, 1, {5, 0, 3}, {0, 0, 0}, {5, 2, 3});
    CHECK_WALK(0, 1, {0, 0, 0}, {5, 1, 2}, {UINT64_MAX, 0, 0});
    CHECK_WALK(0, 1, {5, 0, 2}, {0, 0, 0}, {UINT64_MAX, 0, 0});
    CHECK_WALK(0, 2, {0, 0, 0}, {5, 1, 2}, {0, 0, 0}, {6, 0, 1});
    CHECK_WALK(0, 2, {5, 0, 2}, {0, 0, 0}, {6, 0, 1});
}
END_TEST

START_TEST(broken_orders)
{
    CHECK_WALK(1, 1, {5, 0, 2});
    CHECK_WALK(1, 1, {5, 0, 2}, {UINT64_MAX, 0, 0});
    CHECK_WALK(1, 2, {5, 0, 2}, {6, 0, 1});
    CHECK_WALK(1, 2, {5, 0, 1}, {6, 1, 2});
    CHECK_WALK(1, 2, {5, 0, 3}, {5, 2, 3});
    CHECK_WALK(1, 1, {5, 0, 0});
    CHECK_WALK(2, 3, {5, 0, 2}, {5, 1, 3}, {5, 2, 3}, {UINT64_MAX, 0, 0}, {5, 0, 2});
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_orders");
    TCase *c = tcase_create("orders");
    const TTest *const tests[] = {few_prints,  many_prints,  prints_that_are_alike,
                                  good_orders, erased_lines, broken_orders};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
