/* SPDX-License-Identifier: Apache-2.0 */
/* The beacon: rounds and their times, what is published of them, the hook, and the seed that stands in for a lost one. */
#include "beacon.h"

#include "bytes.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
#define FALLBACK "5e6612e2d1d0607426bf31162ccf410fe6160c71995cae48ffa90f88d1e8dee5dd87f66c2d7acd1ab9ffaeafcc0bbbb0"
#define RANDOMNESS "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587"

static raffle_error err = RAFFLE_ERROR_INIT;

START_TEST(rounds_and_times)
{
    const int64_t genesis = INT64_C(1692803367000);
    ck_assert_uint_eq(raffle_beacon_round(INT64_MIN), 1);
    ck_assert_uint_eq(raffle_beacon_round(0), 1);
    ck_assert_uint_eq(raffle_beacon_round(genesis), 1);
    ck_assert_uint_eq(raffle_beacon_round(genesis + 1), 2);
    ck_assert_uint_eq(raffle_beacon_round(genesis + 3000), 2);
    ck_assert_uint_eq(raffle_beacon_round(genesis + 3001), 3);
    ck_assert_uint_eq(raffle_beacon_round(INT64_C(1694775603000)), 657413); /* 2023-09-15T11:00:03Z */
    ck_assert_int_eq(raffle_beacon_time(657413), INT64_C(1694775603000));
    ck_assert_int_eq(raffle_beacon_time(27946612), INT64_C(1776643200000)); /* 2026-04-20T00:00:00Z */
    ck_assert_int_eq(raffle_beacon_time(1), genesis);
    ck_assert_int_eq(raffle_beacon_time(0), -1);
    ck_assert_int_eq(raffle_beacon_time(UINT64_MAX), -1);
    const uint64_t last = raffle_beacon_round(INT64_C(253402300797000));
    ck_assert_int_gt(raffle_beacon_time(last), 0);
    ck_assert_int_eq(raffle_beacon_time(last + 2), -1);
    for (int64_t at = genesis; at < genesis + 20000; at += 7) {
        const uint64_t round = raffle_beacon_round(at);
        ck_assert_int_ge(raffle_beacon_time(round), at);
        ck_assert(round == 1 || raffle_beacon_time(round - 1) < at);
    }
}
END_TEST

static raffle_rc parse(const char *json, uint64_t *round, uint8_t value[48])
{
    return raffle_beacon_parse(json, strlen(json), round, value, &err);
}

START_TEST(what_is_published)
{
    static const char *const good[] = {
        "{\"round\":657413,\"randomness\":\"" RANDOMNESS "\",\"signature\":\"" SIGNATURE "\"}",
        " {\n\"signature\" : \"" SIGNATURE "\", \"round\" : 657413 }\n",
        "{\"round\":657413,\"signature\":\"" SIGNATURE "\",\"previous_signature\":\"\"}",
    };
    uint8_t wanted[48];
    ck_assert(rf_hex_decode(wanted, 48, SIGNATURE, 96));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint8_t value[48] = {0};
        uint64_t round = 0;
        ck_assert_msg(parse(good[i], &round, value) == RAFFLE_OK, "%s", err.message);
        ck_assert_uint_eq(round, 657413);
        ck_assert_mem_eq(value, wanted, 48);
    }
}
END_TEST

START_TEST(what_is_not)
{
    static const struct {
        const char *json, *says;
        raffle_rc rc;
    } bad[] = {
        {"", "object", RAFFLE_INVALID},
        {"[]", "object", RAFFLE_INVALID},
        {"{}", "round", RAFFLE_INVALID},
        {"{\"round\":1}", "signature", RAFFLE_INVALID},
        {"{\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":0,\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":-1,\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":1.5,\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":9007199254740992,\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"" SIGNATURE "00\"}", "signature", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"b7\"}", "signature", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"x\"}", "signature", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":7}", "signature", RAFFLE_INVALID},
        {"{\"round\":1,\"x\":2,\"round\":1,\"signature\":\"" SIGNATURE "\"}", "round", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"" SIGNATURE "\"} {}", "JSON", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"" SIGNATURE "\"", "JSON", RAFFLE_INVALID},
        {"{\"round\":1,\"signature\":\"" SIGNATURE "\",\"randomness\":\"" RANDOMNESS "\"}", NULL, RAFFLE_OK},
        {"{\"round\":1,\"signature\":\"" SIGNATURE
         "\",\"randomness\":\"0c1873a13f3545aeade8401532ef5519920652eee6b0d2b1"
         "9ca12643b87b3587\"}",
         "randomness", RAFFLE_MISMATCH},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t round = 9;
        uint8_t value[48] = {5};
        const raffle_rc rc = parse(bad[i].json, &round, value);
        ck_assert_msg(rc == bad[i].rc, "%s: %s", bad[i].json, err.message);
        if (rc == RAFFLE_OK)
            continue;
        ck_assert_msg(strstr(err.message, bad[i].says) != NULL, "%s: %s", bad[i].json, err.message);
        ck_assert_uint_eq(round, 9);
        ck_assert_uint_eq(value[0], 5);
    }
    char *endless = malloc(5000);
    uint64_t round;
    uint8_t value[48];
    memset(endless, ' ', 5000);
    ck_assert_int_eq(raffle_beacon_parse(endless, 5000, &round, value, &err), RAFFLE_INVALID);
    free(endless);
    ck_assert_int_eq(raffle_beacon_parse(NULL, 0, &round, value, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_beacon_parse("{}", 2, NULL, value, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_beacon_parse("{}", 2, &round, NULL, &err), RAFFLE_MISUSE);
}
END_TEST

static raffle_rc answers(void *ctx, uint64_t round, const uint8_t value[48], raffle_error *error)
{
    const raffle_rc rc = *(const raffle_rc *)ctx;
    ck_assert_uint_eq(round, 12);
    ck_assert_uint_eq(value[0], 1);
    return rc == RAFFLE_IO ? raffle_error_set(error, rc, 77, "the line is dead") : rc;
}

START_TEST(the_hook)
{
    const uint8_t value[48] = {1};
    raffle_rc rc = RAFFLE_OK;
    ck_assert_int_eq(rf_beacon_check(answers, &rc, 12, value, &err), RAFFLE_OK);
    rc = RAFFLE_SIGNATURE;
    ck_assert_int_eq(rf_beacon_check(answers, &rc, 12, value, &err), RAFFLE_SIGNATURE);
    ck_assert_ptr_nonnull(strstr(err.message, "12"));
    rc = RAFFLE_IO;
    ck_assert_int_eq(rf_beacon_check(answers, &rc, 12, value, &err), RAFFLE_HOST);
    ck_assert_str_eq(err.message, "the line is dead");
    ck_assert_uint_eq(err.token, 77);
    rc = 4711;
    ck_assert_int_eq(rf_beacon_check(answers, &rc, 12, value, &err), RAFFLE_HOST);
    ck_assert_int_eq(rf_beacon_check(NULL, NULL, 12, value, &err), RAFFLE_UNSUPPORTED);
}
END_TEST

/* Computed by Python's hashlib. */
START_TEST(the_seed_in_the_place_of_a_lost_one)
{
    uint8_t c[32], beacon[48], seed[48], wanted[48];
    memset(c, 0xaa, sizeof c);
    memset(beacon, 0x42, sizeof beacon);
    ck_assert(rf_hex_decode(wanted, 48, FALLBACK, 96));
    ck_assert_int_eq(rf_beacon_fallback(seed, c, beacon, &err), RAFFLE_OK);
    ck_assert_mem_eq(seed, wanted, 48);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng_beacon");
    TCase *tests = tcase_create("beacon");
    tcase_add_test(tests, rounds_and_times);
    tcase_add_test(tests, what_is_published);
    tcase_add_test(tests, what_is_not);
    tcase_add_test(tests, the_hook);
    tcase_add_test(tests, the_seed_in_the_place_of_a_lost_one);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
