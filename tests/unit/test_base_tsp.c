/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps: the vectors, a response with each byte altered and cut at each length, certificates that are none, and queries into buffers of every size. */
#include "vectors.h"

#include <openssl/err.h>
#include <raffle/timestamp.h>

static raffle_error err;
static json_t *file;
static const char *data, *authorities;
static uint8_t response[RAFFLE_TIMESTAMP_MAX];
static size_t length;
static raffle_timestamp says;

static const json_t *case_named(const char *name)
{
    size_t i;
    const json_t *vector;
    json_array_foreach(json_object_get(file, "cases"), i,
                       vector) if (strcmp(vector_name(vector), name) == 0) return vector;
    ck_abort_msg("no case %s", name);
}

static void setup(void)
{
    raffle_error_init(&err, sizeof err);
    raffle_timestamp_init(&says, sizeof says);
    file = vectors_load("timestamp");
    const json_t *good = case_named("good");
    data = vector_text(good, "data");
    authorities = vector_text(good, "authorities");
    length = vector_hex(good, "response", response, sizeof response);
}

static void teardown(void)
{
    ck_assert_uint_eq(ERR_peek_error(), 0); /* nothing is left in the thread's queue */
    json_decref(file);
}

static raffle_rc verify(const uint8_t *bytes, size_t n, const char *trusted)
{
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    memcpy(exact, bytes, n);
    raffle_rc rc = raffle_timestamp_verify(data, strlen(data), exact, n, trusted, &says, &err);
    free(exact);
    ck_assert(rc == RAFFLE_OK || (err.rc == rc && err.message[0] != 0));
    return rc;
}

START_TEST(a_good_one_says_when_and_who)
{
    ck_assert_int_eq(verify(response, length, authorities), RAFFLE_OK);
    ck_assert_int_eq(says.trusted, 1);
    ck_assert_int_eq(says.at, vector_int(case_named("good"), "at"));
    ck_assert_str_eq(says.authority, "Test Time Stamps");
    ck_assert_int_eq(verify(response, length, NULL), RAFFLE_OK);
    ck_assert_int_eq(says.trusted, 0);
}
END_TEST

/* What CMS does not sign (RFC 5652 5.4): the status, versions, parameters and the name of the signature's algorithm, which each say the same in another way. */
START_TEST(no_altered_byte_says_something_else)
{
    size_t accepted = 0;
    for (size_t i = 0; i < length; i++) {
        response[i] ^= 1;
        raffle_timestamp_init(&says, sizeof says);
        if (verify(response, length, authorities) == RAFFLE_OK) {
            accepted++;
            ck_assert_int_eq(says.at, vector_int(case_named("good"), "at"));
            ck_assert_str_eq(says.authority, "Test Time Stamps");
        } else {
            ck_assert_int_eq(says.at, 0);
        }
        response[i] ^= 1;
    }
    ck_assert_uint_le(accepted, 15);
}
END_TEST

START_TEST(no_shorter_or_longer_one_is_accepted)
{
    for (size_t n = 0; n < length; n++)
        ck_assert_int_eq(verify(response, n, authorities), RAFFLE_INVALID);
    response[length] = 0;
    ck_assert_int_eq(verify(response, length + 1, authorities), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_timestamp_verify(data, strlen(data), response, RAFFLE_TIMESTAMP_MAX + 1, NULL, NULL, &err),
                     RAFFLE_LIMIT);
}
END_TEST

START_TEST(authorities_are_certificates)
{
    char *twice, *garbled;
    ck_assert_int_eq(verify(response, length, ""), RAFFLE_INVALID);
    ck_assert_int_eq(verify(response, length, "no certificate"), RAFFLE_INVALID);
    ck_assert_int_gt(
        asprintf(&twice, "%s%s", vector_text(case_named("of another authority"), "authorities"), authorities), 0);
    ck_assert_int_eq(verify(response, length, twice), RAFFLE_OK);
    /* a second one that cannot be read is not passed over */
    ck_assert_int_gt(asprintf(&garbled, "%s%s", authorities, authorities), 0);
    garbled[strlen(authorities) + 200] = '*';
    ck_assert_int_eq(verify(response, length, garbled), RAFFLE_INVALID);
    free(garbled);
    free(twice);
}
END_TEST

START_TEST(a_query_into_every_buffer)
{
    uint8_t query[RAFFLE_TIMESTAMP_QUERY_MAX];
    size_t needed = 0, n;
    ck_assert_int_eq(raffle_timestamp_query(data, strlen(data), NULL, 0, &needed, &err), RAFFLE_TOO_SMALL);
    ck_assert_uint_eq(needed, strlen(vector_text(case_named("a query"), "query")) / 2);
    for (size_t cap = 0; cap < sizeof query; cap++) {
        memset(query, 0x5a, sizeof query);
        raffle_rc rc = raffle_timestamp_query(data, strlen(data), query, cap, &n, &err);
        ck_assert_int_eq(rc, cap < needed ? RAFFLE_TOO_SMALL : RAFFLE_OK);
        ck_assert_uint_eq(n, needed);
        ck_assert_uint_eq(query[cap < needed ? 0 : needed], 0x5a);
    }
    ck_assert_int_eq(raffle_timestamp_query(NULL, 1, query, sizeof query, &n, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_timestamp_query(data, 1, query, sizeof query, NULL, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_timestamp_verify(data, 1, NULL, 0, NULL, NULL, &err), RAFFLE_MISUSE);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_good_one_says_when_and_who);
    tcase_add_test(tests, no_altered_byte_says_something_else);
    tcase_add_test(tests, no_shorter_or_longer_one_is_accepted);
    tcase_add_test(tests, authorities_are_certificates);
    tcase_add_test(tests, a_query_into_every_buffer);
}

int main(void)
{
    return run_tests("base_tsp", add);
}
