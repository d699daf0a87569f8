/* SPDX-License-Identifier: Apache-2.0 */
/* The sparse shuffle against swaps in a plain array, and all choices of small shuffles: each ordered selection comes up once. */
#include "shuffle.h"
#include "vectors.h"

enum {
    SMALL_MAX = 8
};

static uint64_t take(rf_shuffle *s, uint64_t j)
{
    ck_assert(rf_shuffle_reserve(s));
    return rf_shuffle_take(s, j);
}

/* The picks of n numbers by the choices j_i = i + choice[i]; as one number in base n. */
static uint64_t selection(uint64_t n, unsigned picks, const uint64_t *choice)
{
    rf_shuffle s;
    uint64_t code = 0;
    rf_shuffle_init(&s, n);
    for (unsigned i = 0; i < picks; i++)
        code = code * n + take(&s, i + choice[i]);
    rf_shuffle_clear(&s);
    return code;
}

/* Whether the code's digits in base n differ from each other. */
static bool distinct(uint64_t code, uint64_t n, unsigned picks)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < picks; i++, code /= n)
        seen |= 1u << (code % n);
    return (unsigned)__builtin_popcount(seen) == picks;
}

/* The next tuple with choice[i] < n - i; false after the last one. */
static bool advance(uint64_t n, unsigned picks, uint64_t *choice)
{
    for (unsigned i = picks; i-- > 0;) {
        if (++choice[i] < n - i)
            return true;
        choice[i] = 0;
    }
    return false;
}

static void check_all_choices(uint64_t n, unsigned picks)
{
    uint64_t codes = 1, choice[SMALL_MAX] = {0};
    for (unsigned i = 0; i < picks; i++)
        codes *= n;
    uint8_t *count = calloc(codes, 1);
    do
        count[selection(n, picks, choice)]++;
    while (advance(n, picks, choice));
    for (uint64_t code = 0; code < codes; code++)
        ck_assert_uint_eq(count[code], distinct(code, n, picks));
    free(count);
}

START_TEST(each_selection_once)
{
    for (uint64_t n = 1; n <= 7; n++) {
        for (unsigned picks = 1; picks <= n; picks++)
            check_all_choices(n, picks);
    }
}
END_TEST

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 20;
}

static void check_against_array(uint64_t n, uint64_t seed)
{
    uint64_t *places = malloc(n * sizeof *places);
    for (uint64_t i = 0; i < n; i++)
        places[i] = i;
    rf_shuffle s;
    rf_shuffle_init(&s, n);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t j = i + next(&seed) % (n - i), number = places[j];
        places[j] = places[i];
        places[i] = number;
        ck_assert_uint_eq(take(&s, j), number);
    }
    ck_assert_uint_eq(s.taken, n);
    rf_shuffle_clear(&s);
    free(places);
}

/* Sizes below, at and above those where the table grows and where the array takes over. */
START_TEST(equals_an_array)
{
    for (uint64_t n = 1; n <= 300; n++)
        check_against_array(n, n);
    for (uint64_t n = 511; n <= 515; n++)
        check_against_array(n, n);
    check_against_array(5000, 1);
    check_against_array(100003, 2);
    check_against_array(1000000, 3);
}
END_TEST

/* Choices that always meet displaced numbers, or never do. */
START_TEST(extreme_choices)
{
    rf_shuffle first, last;
    const uint64_t n = 10000;
    rf_shuffle_init(&first, n);
    rf_shuffle_init(&last, n);
    for (uint64_t i = 0; i < n; i++) {
        ck_assert_uint_eq(take(&first, i), i);
        ck_assert_uint_eq(take(&last, n - 1), i == 0 ? n - 1 : i - 1);
    }
    ck_assert_uint_eq(first.used, 0);
    rf_shuffle_clear(&first);
    rf_shuffle_clear(&last);
}
END_TEST

START_TEST(largest_n)
{
    rf_shuffle s;
    rf_shuffle_init(&s, UINT64_MAX);
    ck_assert_uint_eq(take(&s, UINT64_MAX - 1), UINT64_MAX - 1);
    ck_assert_uint_eq(take(&s, UINT64_MAX - 1), 0);
    ck_assert_uint_eq(take(&s, UINT64_MAX - 1), 1);
    ck_assert_uint_eq(take(&s, 3), 3);
    rf_shuffle_clear(&s);
}
END_TEST

/* k picks store at most k numbers, and the table stays within four slots a pick. */
START_TEST(memory_follows_the_picks)
{
    rf_shuffle s;
    uint64_t state = 7;
    const uint64_t n = UINT64_C(1) << 40;
    rf_shuffle_init(&s, n);
    for (uint64_t i = 0; i < 100000; i++) {
        take(&s, i + next(&state) % (n - i));
        ck_assert_uint_le(s.used, i + 1);
        ck_assert_uint_le(2 * s.used, s.slot_count);
        ck_assert_uint_le(s.slot_count, i < 32 ? 64 : 4 * i);
    }
    ck_assert_ptr_null(s.dense);
    rf_shuffle_clear(&s);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, each_selection_once);
    tcase_add_test(tests, equals_an_array);
    tcase_add_test(tests, extreme_choices);
    tcase_add_test(tests, largest_n);
    tcase_add_test(tests, memory_follows_the_picks);
}

int main(void)
{
    return run_tests("rng_shuffle", add);
}
