/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC against published vectors, and the ways to cut the same input into spans. */
#include "sha256.h"
#include "vectors.h"

START_TEST(sha256_vectors)
{
    rf_sha256 *h = rf_sha256_new();
    json_t *file = vectors_load("sha256"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        uint8_t message[1024], expected[32], digest[32];
        size_t length = vector_hex(vector, "message", message, sizeof message);
        ck_assert_uint_eq(vector_hex(vector, "digest", expected, 32), 32);
        rf_sha256_of(h, digest, message, length);
        ck_assert_msg((memcmp(digest, expected, 32) == 0) == vector_valid(vector), "%s", vector_name(vector));
    }
    ck_assert_uint_ge(i, 9);
    json_decref(file);
    rf_sha256_free(h);
}
END_TEST

START_TEST(hmac_vectors)
{
    rf_sha256 *h = rf_sha256_new();
    json_t *file = vectors_load("hmac_sha256"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        uint8_t key[256], message[256], expected[32], mac[32];
        size_t key_length = vector_hex(vector, "key", key, sizeof key);
        size_t length = vector_hex(vector, "message", message, sizeof message);
        ck_assert_uint_eq(vector_hex(vector, "mac", expected, 32), 32);
        rf_hmac_spans(h, mac, key, key_length, &(rf_span){message, length}, 1);
        ck_assert_msg((memcmp(mac, expected, 32) == 0) == vector_valid(vector), "%s", vector_name(vector));
    }
    ck_assert_uint_ge(i, 16);
    json_decref(file);
    rf_sha256_free(h);
}
END_TEST

START_TEST(spans_are_concatenated)
{
    rf_sha256 *h = rf_sha256_new();
    uint8_t message[150], whole[32], mac[32], cut[32];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    rf_sha256_of(h, whole, message, sizeof message);
    rf_hmac_spans(h, mac, message, 20, &(rf_span){message, sizeof message}, 1);
    for (size_t i = 0; i <= sizeof message; i++) {
        const rf_span spans[3] = {{message, i}, {NULL, 0}, {message + i, sizeof message - i}};
        rf_sha256_spans(h, cut, spans, 3);
        ck_assert_mem_eq(cut, whole, 32);
        rf_hmac_spans(h, cut, message, 20, spans, 3);
        ck_assert_mem_eq(cut, mac, 32);
    }
    rf_sha256_free(h);
}
END_TEST

/* At each byte, what was added so far is what one call gives; and a look changes nothing. */
START_TEST(pieces_add_up)
{
    rf_sha256 *h = rf_sha256_new(), *whole = rf_sha256_new();
    uint8_t message[150], so_far[32], wanted[32];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i <= sizeof message; i++) {
        rf_sha256_so_far(h, so_far);
        rf_sha256_of(whole, wanted, message, i);
        ck_assert_mem_eq(so_far, wanted, 32);
        rf_sha256_add(h, message + i, i < sizeof message);
    }
    ck_assert(rf_sha256_ok(h));
    rf_sha256_free(h);
    rf_sha256_free(whole);
}
END_TEST

/* Callers hash a digest into itself. */
START_TEST(output_may_be_the_input)
{
    rf_sha256 *h = rf_sha256_new();
    uint8_t in[32] = "abc", apart[32];
    rf_sha256_of(h, apart, in, 32);
    rf_sha256_of(h, in, in, 32);
    ck_assert_mem_eq(in, apart, 32);
    rf_hmac_spans(h, apart, in, 32, &(rf_span){in, 32}, 1);
    rf_hmac_spans(h, in, in, 32, &(rf_span){in, 32}, 1);
    ck_assert_mem_eq(in, apart, 32);
    rf_sha256_free(h);
}
END_TEST

START_TEST(objects_are_independent_and_stay_ok)
{
    rf_sha256 *a = rf_sha256_new(), *b = rf_sha256_new();
    ck_assert(a != NULL && b != NULL && a != b);
    uint8_t x[32], y[32];
    rf_sha256_of(a, x, "x", 1);
    rf_sha256_of(b, y, "x", 1);
    ck_assert_mem_eq(x, y, 32);
    ck_assert(rf_sha256_ok(a) && rf_sha256_ok(b));
    rf_sha256_free(a);
    rf_sha256_free(b);
    rf_sha256_free(NULL);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, sha256_vectors);
    tcase_add_test(tests, hmac_vectors);
    tcase_add_test(tests, spans_are_concatenated);
    tcase_add_test(tests, pieces_add_up);
    tcase_add_test(tests, output_may_be_the_input);
    tcase_add_test(tests, objects_are_independent_and_stay_ok);
}

int main(void)
{
    return run_tests("sha256", add);
}
