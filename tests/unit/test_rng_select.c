/* SPDX-License-Identifier: Apache-2.0 */
/* The selection of a draw against an independent implementation's vectors, and all words of small widths through below(n). */
#include "bytes.h"
#include "select.h"
#include "vectors.h"

static uint64_t number(const char *text)
{
    uint64_t value = 0;
    ck_assert(rf_decimal_parse(text, strlen(text), UINT64_MAX, &value));
    return value;
}

static bool equals_hex(const json_t *vector, const char *member, const uint8_t *bytes, size_t length)
{
    uint8_t expected[64];
    ck_assert_uint_eq(vector_hex(vector, member, expected, sizeof expected), length);
    return memcmp(bytes, expected, length) == 0;
}

/* Runs the picks; false when one is not as expected. */
static bool picks_match(const json_t *vector, rf_select *s, raffle_rc *rc)
{
    const json_t *picks = json_object_get(vector, "picks");
    bool match = true;
    for (size_t i = 0; i < json_array_size(picks); i++) {
        uint64_t pick = 0;
        *rc = rf_select_next(s, &pick, NULL);
        if (*rc != RAFFLE_OK)
            return false;
        match &= pick == number(json_string_value(json_array_get(picks, i)));
    }
    return match && rf_select_rejected(s) == (uint64_t)vector_int(vector, "rejected");
}

/* The first Generate call's bytes, through the words of a selection that is not used for anything else. */
static bool first_matches(const json_t *vector, rf_sha256 *h, const uint8_t *seed, const uint8_t *c,
                          const uint8_t *beacon, size_t beacon_length)
{
    uint8_t first[64];
    rf_select *s = NULL;
    ck_assert_int_eq(rf_select_new(h, seed, c, beacon, beacon_length, 1, &s, NULL), RAFFLE_OK);
    for (size_t at = 0; at < sizeof first; at += 8) {
        uint64_t word = 0;
        ck_assert_int_eq(rf_select_word(s, &word, NULL), RAFFLE_OK);
        rf_put_be(first + at, word, 8);
    }
    rf_select_free(s);
    return equals_hex(vector, "first", first, sizeof first);
}

static bool case_holds(const json_t *vector, rf_sha256 *h, raffle_rc *rc)
{
    uint8_t root[32], seed[RF_SEED_SIZE], beacon[64], c[32], commitment[32];
    size_t beacon_length = vector_hex(vector, "beacon", beacon, sizeof beacon);
    ck_assert_uint_eq(vector_hex(vector, "root", root, sizeof root), 32);
    ck_assert_uint_eq(vector_hex(vector, "seed", seed, sizeof seed), RF_SEED_SIZE);
    rf_draw_commitment(h, c, vector_text(vector, "origin"), number(vector_text(vector, "intent")), root);
    rf_seed_commitment(h, commitment, seed);
    rf_select *s = NULL;
    *rc = rf_select_new(h, seed, c, beacon, beacon_length, number(vector_text(vector, "n")), &s, NULL);
    if (*rc != RAFFLE_OK)
        return false;
    bool holds = equals_hex(vector, "commitment", c, 32) && equals_hex(vector, "seed_commitment", commitment, 32) &&
                 first_matches(vector, h, seed, c, beacon, beacon_length);
    holds &= picks_match(vector, s, rc);
    rf_select_free(s);
    return holds;
}

START_TEST(draw_vectors)
{
    rf_sha256 *h = rf_sha256_new();
    json_t *file = vectors_load("draw"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        raffle_rc rc;
        const char *error = json_string_value(json_object_get(vector, "error"));
        ck_assert_msg(case_holds(vector, h, &rc) == vector_valid(vector), "%s", vector_name(vector));
        ck_assert_msg(strcmp(raffle_rc_name(rc), error == NULL ? "RAFFLE_OK" : error) == 0, "%s: %s",
                      vector_name(vector), raffle_rc_name(rc));
    }
    ck_assert_uint_ge(i, 70);
    json_decref(file);
    rf_sha256_free(h);
}
END_TEST

/* --- below(n) --- */

/* Every word of 8 bits, for every n: each value has the same number of words, and fewer than n words are rejected. */
START_TEST(below_is_uniform_over_all_words_of_8_bits)
{
    for (uint64_t n = 1; n <= 256; n++) {
        unsigned count[256] = {0}, rejected = 0;
        for (uint64_t x = 0; x < 256; x++) {
            uint64_t value = n;
            if (!rf_below_accept(x, 8, n, &value))
                rejected++;
            else
                count[value]++;
        }
        for (uint64_t value = 0; value < 256; value++)
            ck_assert_uint_eq(count[value], value < n ? 256 / n : 0);
        ck_assert_uint_eq(rejected, 256 % n);
    }
}
END_TEST

/* The words that are rejected are the highest ones. */
START_TEST(below_rejects_the_top)
{
    for (unsigned bits = 1; bits <= 10; bits++) {
        const uint64_t words = UINT64_C(1) << bits;
        for (uint64_t n = 1; n <= words; n++) {
            for (uint64_t x = 0; x < words; x++) {
                uint64_t value = n;
                ck_assert_int_eq(rf_below_accept(x, bits, n, &value), x < words - words % n);
                ck_assert_uint_eq(value, x < words - words % n ? x % n : n);
            }
        }
    }
}
END_TEST

__extension__ typedef unsigned __int128 u128;

/* The limit for words of 64 bits, 2^64 - (2^64 mod n), by arithmetic in 128 bits. */
START_TEST(below_at_the_limit_of_64_bits)
{
    static const uint64_t some[] = {1,
                                    2,
                                    3,
                                    10,
                                    49,
                                    1000000,
                                    UINT32_MAX,
                                    UINT64_C(1) << 32,
                                    UINT64_C(9223372036854775807),
                                    UINT64_C(9223372036854775808),
                                    UINT64_C(9223372036854775809),
                                    UINT64_MAX - 1,
                                    UINT64_MAX};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const u128 words = (u128)1 << 64, limit = words - words % some[i];
        uint64_t value = 0, last = (uint64_t)(limit - 1);
        ck_assert(rf_below_accept(last, 64, some[i], &value));
        ck_assert_uint_eq(value, some[i] - 1);
        if (limit < words)
            ck_assert(!rf_below_accept((uint64_t)limit, 64, some[i], &value));
        ck_assert_int_eq(rf_below_accept(UINT64_MAX, 64, some[i], &value), limit == words);
    }
}
END_TEST

START_TEST(below_refuses_what_makes_no_sense)
{
    uint64_t value = 99;
    ck_assert(!rf_below_accept(0, 64, 0, &value));
    ck_assert(!rf_below_accept(0, 8, 257, &value));
    ck_assert(!rf_below_accept(256, 8, 256, &value));
    ck_assert_uint_eq(value, 99);
}
END_TEST

/* All pairs of words of 4 bits through below(3) and below(2): each of the six ordered selections of 2 of 3 equally often. */
START_TEST(two_steps_over_all_words)
{
    unsigned count[3][3] = {{0}};
    for (uint64_t x = 0; x < 16; x++) {
        for (uint64_t y = 0; y < 16; y++) {
            uint64_t a, b;
            if (!rf_below_accept(x, 4, 3, &a) || !rf_below_accept(y, 4, 2, &b))
                continue;
            uint64_t places[3] = {0, 1, 2};
            places[a] = 0;
            count[a][places[1 + b]]++;
        }
    }
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++)
            ck_assert_uint_eq(count[a][b], a == b ? 0 : 5 * 8);
    }
}
END_TEST

/* --- the handle --- */

static rf_select *over_zeros(rf_sha256 *h, uint64_t n)
{
    static const uint8_t zeros[48];
    rf_drbg d;
    rf_select *s = NULL;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, zeros, 32, zeros, 16, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_select_over(&d, n, &s, NULL), RAFFLE_OK);
    return s;
}

START_TEST(below_one_uses_a_word)
{
    rf_sha256 *h = rf_sha256_new();
    rf_select *a = over_zeros(h, 1), *b = over_zeros(h, 1);
    uint64_t word_a = 0, word_b = 0, value = 1;
    ck_assert_int_eq(rf_select_below(a, 1, &value, NULL), RAFFLE_OK);
    ck_assert_uint_eq(value, 0);
    ck_assert_int_eq(rf_select_word(b, &word_b, NULL), RAFFLE_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(rf_select_word(a, &word_a, NULL), RAFFLE_OK);
        ck_assert_int_eq(rf_select_word(b, &word_b, NULL), RAFFLE_OK);
        ck_assert_uint_eq(word_a, word_b);
    }
    rf_select_free(a);
    rf_select_free(b);
    rf_sha256_free(h);
}
END_TEST

START_TEST(a_permutation_has_each_number_once_and_ends)
{
    enum {
        N = 20000
    };
    static bool seen[N];
    rf_sha256 *h = rf_sha256_new();
    rf_select *s = over_zeros(h, N);
    raffle_error err = {.struct_size = sizeof err};
    uint64_t pick = N;
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(rf_select_next(s, &pick, &err), RAFFLE_OK);
        ck_assert(pick < N && !seen[pick]);
        seen[pick] = true;
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(rf_select_next(s, &pick, &err), RAFFLE_NOT_FOUND);
    rf_select_free(s);
    rf_sha256_free(h);
}
END_TEST

START_TEST(nothing_to_select_from)
{
    static const uint8_t zeros[48];
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    rf_select *s = NULL, *one = over_zeros(h, 1);
    uint64_t value;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, zeros, 32, zeros, 16, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_select_over(&d, 0, &s, NULL), RAFFLE_INVALID);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(rf_select_below(one, 0, &value, NULL), RAFFLE_INVALID);
    rf_select_free(one);
    rf_select_free(NULL);
    rf_sha256_free(h);
}
END_TEST

/* A DRBG that is used up stops the selection, and it does not come back. */
START_TEST(a_failing_drbg_fails_the_selection)
{
    static const uint8_t zeros[48];
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    rf_select *s = NULL;
    uint64_t pick = 7;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, zeros, 32, zeros, 16, NULL, 0, NULL), RAFFLE_OK);
    d.reseed_counter = UINT64_C(1) << 48;
    ck_assert_int_eq(rf_select_over(&d, 1000000, &s, NULL), RAFFLE_OK);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(rf_select_next(s, &pick, NULL), RAFFLE_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(rf_select_next(s, &pick, NULL), RAFFLE_RNG);
    rf_select_free(s);
    rf_sha256_free(h);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, draw_vectors);
    tcase_add_test(tests, below_is_uniform_over_all_words_of_8_bits);
    tcase_add_test(tests, below_rejects_the_top);
    tcase_add_test(tests, below_at_the_limit_of_64_bits);
    tcase_add_test(tests, below_refuses_what_makes_no_sense);
    tcase_add_test(tests, two_steps_over_all_words);
    tcase_add_test(tests, below_one_uses_a_word);
    tcase_add_test(tests, a_permutation_has_each_number_once_and_ends);
    tcase_add_test(tests, nothing_to_select_from);
    tcase_add_test(tests, a_failing_drbg_fails_the_selection);
}

int main(void)
{
    return run_tests("rng_select", add);
}
