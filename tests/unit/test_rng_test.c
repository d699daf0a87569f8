/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `test:` against an independent implementation's vectors; a build without it refuses it. */
#include "bytes.h"
#include "provider.h"
#include "vectors.h"

#ifdef RAFFLE_WITH_TEST_RNG

static raffle_rng *open_seed(const char *hex, raffle_rc *rc, raffle_error *err)
{
    char uri[256];
    raffle_rng *rng = NULL;
    snprintf(uri, sizeof uri, "test:seed=%s", hex);
    *rc = raffle_rng_open(uri, NULL, &rng, err);
    return rng;
}

static bool stream_matches(const json_t *vector, const char *seed, size_t step)
{
    uint8_t expected[4096], out[4096];
    size_t length = vector_hex(vector, "stream", expected, sizeof expected);
    raffle_rc rc;
    raffle_rng *rng = open_seed(seed, &rc, NULL);
    for (size_t at = 0; at < length; at += step)
        ck_assert_int_eq(raffle_rng_fill(rng, out + at, length - at < step ? length - at : step, -1, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    return memcmp(out, expected, length) == 0;
}

static bool picks_match(const json_t *vector, const char *seed)
{
    uint64_t range, out[16];
    const char *text = vector_text(vector, "range");
    ck_assert(rf_decimal_parse(text, strlen(text), UINT64_MAX, &range));
    const json_t *picks = json_object_get(vector, "picks");
    raffle_rc rc;
    raffle_rng *rng = open_seed(seed, &rc, NULL);
    ck_assert_int_eq(raffle_rng_pick(rng, range, out, json_array_size(picks), -1, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    for (size_t i = 0; i < json_array_size(picks); i++) {
        char pick[24];
        snprintf(pick, sizeof pick, "%llu", (unsigned long long)out[i]);
        if (strcmp(pick, json_string_value(json_array_get(picks, i))) != 0)
            return false;
    }
    return true;
}

START_TEST(vectors)
{
    json_t *file = vectors_load("rng_test"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        const char *seed = vector_text(vector, "seed"), *error = json_string_value(json_object_get(vector, "error"));
        raffle_rc rc;
        raffle_rng *rng = open_seed(seed, &rc, NULL);
        ck_assert_msg(strcmp(raffle_rc_name(rc), error == NULL ? "RAFFLE_OK" : error) == 0, "%s", vector_name(vector));
        raffle_rng_free(rng);
        if (rc != RAFFLE_OK)
            continue;
        /* However the stream is cut up. */
        static const size_t steps[] = {1, 7, 48, 64, 1024, 4096};
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
            ck_assert_msg(stream_matches(vector, seed, steps[s]) == vector_valid(vector), "%s", vector_name(vector));
        ck_assert_msg(picks_match(vector, seed) == vector_valid(vector), "%s", vector_name(vector));
    }
    ck_assert_uint_ge(i, 9);
    json_decref(file);
}
END_TEST

START_TEST(malformed_seeds)
{
    static const char *const bad[] = {"0", "000", "0G", "AA", "00 ", " 00", "00&x=1", "0x00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raffle_error err = {.struct_size = sizeof err};
        raffle_rc rc;
        ck_assert_ptr_null(open_seed(bad[i], &rc, &err));
        ck_assert_int_eq(rc, RAFFLE_INVALID);
        ck_assert_str_ne(err.message, "");
    }
}
END_TEST

START_TEST(is_named_and_known_as_test)
{
    raffle_rc rc;
    raffle_rng *rng = open_seed("00", &rc, NULL), *system = NULL;
    ck_assert_int_eq(raffle_rng_open("system:", NULL, &system, NULL), RAFFLE_OK);
    ck_assert_str_eq(raffle_rng_name(rng), "test");
    ck_assert_uint_eq(rf_rng_is_test(rng), 1);
    ck_assert_uint_eq(rf_rng_is_test(system), 0);
    raffle_rng_free(rng);
    raffle_rng_free(system);
}
END_TEST

/* Seeds taken one after the other differ, so that a rehearsal's draws do. */
START_TEST(seeds_differ)
{
    char evidence[RAFFLE_NAME_SIZE];
    uint8_t seed[RF_SEED_SIZE], before[RF_SEED_SIZE] = {0};
    raffle_rc rc;
    raffle_rng *rng = open_seed("00", &rc, NULL);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, 0, NULL), RAFFLE_OK);
        ck_assert_mem_ne(seed, before, sizeof seed);
        memcpy(before, seed, sizeof seed);
    }
    raffle_rng_free(rng);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, vectors);
    tcase_add_test(tests, malformed_seeds);
    tcase_add_test(tests, is_named_and_known_as_test);
    tcase_add_test(tests, seeds_differ);
}

#else

START_TEST(is_not_in_this_build)
{
    raffle_rng *rng = NULL;
    raffle_error err = {.struct_size = sizeof err};
    ck_assert_int_eq(raffle_rng_open("test:seed=00", NULL, &rng, &err), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(raffle_rng_open("test:", NULL, &rng, &err), RAFFLE_UNSUPPORTED);
    ck_assert_ptr_null(rng);
    ck_assert_ptr_nonnull(strstr(err.message, "test:"));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, is_not_in_this_build);
}

#endif

int main(void)
{
    return run_tests("rng_test", add);
}
