/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC_DRBG against NIST's vectors, against OpenSSL's and mbed TLS's HMAC-DRBG over random inputs, and at its limits. */
#include "hmac_drbg.h"
#include "vectors.h"
#include <mbedtls/hmac_drbg.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

enum {
    INPUT_MAX = 256
};

/* A byte string of a case; no such member: of length 0. */
typedef struct bytes {
    uint8_t data[INPUT_MAX];
    size_t length;
} bytes;

static bytes get(const json_t *vector, const char *member)
{
    bytes b = {.length = 0};
    if (json_object_get(vector, member) != NULL)
        b.length = vector_hex(vector, member, b.data, sizeof b.data);
    return b;
}

static raffle_rc reseed_if(rf_drbg *d, const json_t *vector, const char *entropy_member, const bytes *additional,
                           raffle_error *err)
{
    if (json_object_get(vector, entropy_member) == NULL)
        return RAFFLE_OK;
    bytes entropy = get(vector, entropy_member);
    return rf_drbg_reseed(d, entropy.data, entropy.length, additional->data, additional->length, err);
}

/* A Generate call, after a reseed with its additional input under prediction resistance (SP 800-90A §9.3.1, step 7). */
static raffle_rc generate(rf_drbg *d, const json_t *vector, const char *i, uint8_t *out, size_t length,
                          raffle_error *err)
{
    char name[32];
    snprintf(name, sizeof name, "additional_%s", i);
    bytes additional = get(vector, name);
    snprintf(name, sizeof name, "pr_entropy_%s", i);
    raffle_rc rc = reseed_if(d, vector, name, &additional, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (json_object_get(vector, name) != NULL)
        additional.length = 0;
    return rf_drbg_generate(d, out, length, additional.data, additional.length, err);
}

static raffle_rc run(rf_sha256 *h, const json_t *vector, uint8_t *out, size_t length, raffle_error *err)
{
    bytes entropy = get(vector, "entropy"), nonce = get(vector, "nonce"),
          personalisation = get(vector, "personalisation"), additional = get(vector, "reseed_additional");
    rf_drbg d = {0};
    raffle_rc rc = rf_drbg_instantiate(&d, h, entropy.data, entropy.length, nonce.data, nonce.length,
                                       personalisation.data, personalisation.length, err);
    if (rc == RAFFLE_OK)
        rc = reseed_if(&d, vector, "reseed_entropy", &additional, err);
    if (rc == RAFFLE_OK)
        rc = generate(&d, vector, "1", out, length, err);
    if (rc == RAFFLE_OK)
        rc = generate(&d, vector, "2", out, length, err);
    rf_drbg_clear(&d);
    return rc;
}

static void check_case(rf_sha256 *h, const json_t *vector, uint8_t *out)
{
    raffle_error err = {.struct_size = sizeof err};
    bytes expected = get(vector, "output");
    size_t length = expected.length;
    if (json_object_get(vector, "length") != NULL)
        length = (size_t)vector_int(vector, "length");
    raffle_rc rc = run(h, vector, out, length, &err);
    const char *error = json_string_value(json_object_get(vector, "error"));
    ck_assert_msg(strcmp(raffle_rc_name(rc), error == NULL ? "RAFFLE_OK" : error) == 0, "%s: %s", vector_name(vector),
                  raffle_rc_name(rc));
    if (error != NULL)
        ck_assert_msg(!vector_valid(vector) && err.rc == rc && err.message[0] != '\0', "%s", vector_name(vector));
    else
        ck_assert_msg((memcmp(out, expected.data, length) == 0) == vector_valid(vector), "%s", vector_name(vector));
}

START_TEST(nist_vectors)
{
    static uint8_t out[RF_DRBG_REQUEST_MAX + 1];
    rf_sha256 *h = rf_sha256_new();
    json_t *file = vectors_load("hmac_drbg"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector) check_case(h, vector, out);
    ck_assert_uint_ge(i, 720 + 60);
    json_decref(file);
    rf_sha256_free(h);
}
END_TEST

/* --- OpenSSL's generator over a TEST-RAND parent --- */

typedef struct oracle {
    EVP_RAND_CTX *parent, *child;
} oracle;

static void feed(EVP_RAND_CTX *parent, bytes *entropy)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, entropy->data, entropy->length),
        OSSL_PARAM_construct_end()};
    ck_assert_int_eq(EVP_RAND_CTX_set_params(parent, params), 1);
}

static EVP_RAND_CTX *new_rand(const char *name, EVP_RAND_CTX *parent)
{
    EVP_RAND *rand = EVP_RAND_fetch(NULL, name, NULL);
    ck_assert_ptr_nonnull(rand);
    EVP_RAND_CTX *ctx = EVP_RAND_CTX_new(rand, parent);
    EVP_RAND_free(rand);
    ck_assert_ptr_nonnull(ctx);
    return ctx;
}

static oracle oracle_new(bytes *entropy, bytes *nonce, const bytes *personalisation)
{
    oracle o;
    unsigned strength = 256, never = 0;
    time_t no_time = 0;
    char mac[] = "HMAC", digest[] = "SHA256";
    OSSL_PARAM parent[] = {
        OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, entropy->data, entropy->length),
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_NONCE, nonce->data, nonce->length),
        OSSL_PARAM_construct_end()};
    /* Without these two it reseeds by itself after 256 requests and after an hour. */
    OSSL_PARAM child[] = {OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_MAC, mac, 0),
                          OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, digest, 0),
                          OSSL_PARAM_construct_uint(OSSL_DRBG_PARAM_RESEED_REQUESTS, &never),
                          OSSL_PARAM_construct_time_t(OSSL_DRBG_PARAM_RESEED_TIME_INTERVAL, &no_time),
                          OSSL_PARAM_construct_end()};
    o.parent = new_rand("TEST-RAND", NULL);
    ck_assert_int_eq(EVP_RAND_instantiate(o.parent, strength, 0, NULL, 0, parent), 1);
    o.child = new_rand("HMAC-DRBG", o.parent);
    /* A pointer that is NULL would stand for a personalisation of OpenSSL's own. */
    ck_assert_int_eq(EVP_RAND_instantiate(o.child, strength, 0, personalisation->data, personalisation->length, child),
                     1);
    return o;
}

static void oracle_free(oracle *o)
{
    EVP_RAND_CTX_free(o->child);
    EVP_RAND_CTX_free(o->parent);
}

/* splitmix64: the same inputs in every run. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bytes some(uint64_t *state, size_t least, size_t most)
{
    bytes b = {.length = least + next(state) % (most - least + 1)};
    for (size_t i = 0; i < b.length; i++)
        b.data[i] = (uint8_t)next(state);
    return b;
}

/* None, every other time. */
static bytes some_additional(uint64_t *state)
{
    bytes additional = some(state, 0, 80);
    if (next(state) % 2 == 0)
        additional.length = 0;
    return additional;
}

/* Prediction resistance, SP 800-90A 9.3.1 step 7: a reseed that takes the additional input, then a request without. */
static void generate_resistant(rf_drbg *d, const bytes *entropy, const bytes *additional, uint8_t *out, size_t length)
{
    ck_assert_int_eq(rf_drbg_reseed(d, entropy->data, entropy->length, additional->data, additional->length, NULL),
                     RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_generate(d, out, length, NULL, 0, NULL), RAFFLE_OK);
}

static void compare_resistant(rf_drbg *d, oracle *o, uint64_t *state)
{
    uint8_t mine[1024], theirs[1024];
    size_t length = 1 + next(state) % sizeof mine;
    bytes entropy = some(state, 32, 96), additional = some_additional(state);
    feed(o->parent, &entropy);
    generate_resistant(d, &entropy, &additional, mine, length);
    ck_assert_int_eq(EVP_RAND_generate(o->child, theirs, length, 256, 1, additional.data, additional.length), 1);
    ck_assert_mem_eq(mine, theirs, length);
}

static void compare_generate(rf_drbg *d, oracle *o, uint64_t *state)
{
    uint8_t mine[1024], theirs[1024];
    size_t length = 1 + next(state) % sizeof mine;
    bytes additional = some_additional(state);
    ck_assert_int_eq(rf_drbg_generate(d, mine, length, additional.data, additional.length, NULL), RAFFLE_OK);
    ck_assert_int_eq(EVP_RAND_generate(o->child, theirs, length, 256, 0, additional.data, additional.length), 1);
    ck_assert_mem_eq(mine, theirs, length);
}

static void compare_reseed(rf_drbg *d, oracle *o, uint64_t *state)
{
    bytes entropy = some(state, 32, 96), additional = some(state, 0, 80);
    feed(o->parent, &entropy);
    ck_assert_int_eq(rf_drbg_reseed(d, entropy.data, entropy.length, additional.data, additional.length, NULL),
                     RAFFLE_OK);
    ck_assert_int_eq(EVP_RAND_reseed(o->child, 0, NULL, 0, additional.data, additional.length), 1);
}

START_TEST(equals_openssl)
{
    uint64_t state = 1;
    rf_sha256 *h = rf_sha256_new();
    for (int round = 0; round < 200; round++) {
        bytes entropy = some(&state, 32, 96), nonce = some(&state, 16, 48), personalisation = some(&state, 0, 100);
        rf_drbg d;
        oracle o = oracle_new(&entropy, &nonce, &personalisation);
        ck_assert_int_eq(rf_drbg_instantiate(&d, h, entropy.data, entropy.length, nonce.data, nonce.length,
                                             personalisation.data, personalisation.length, NULL),
                         RAFFLE_OK);
        for (int i = 0; i < 8; i++) {
            if (next(&state) % 4 == 0)
                compare_reseed(&d, &o, &state);
            if (next(&state) % 4 == 0)
                compare_resistant(&d, &o, &state);
            compare_generate(&d, &o, &state);
        }
        oracle_free(&o);
    }
    rf_sha256_free(h);
}
END_TEST

/* More requests than OpenSSL's default allows between reseeds: ours must not reseed, or change, by itself. */
START_TEST(equals_openssl_over_many_requests)
{
    uint64_t state = 2;
    bytes entropy = some(&state, 32, 32), nonce = some(&state, 16, 16), none = {.length = 0};
    rf_drbg d;
    rf_sha256 *h = rf_sha256_new();
    oracle o = oracle_new(&entropy, &nonce, &none);
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, entropy.data, 32, nonce.data, 16, NULL, 0, NULL), RAFFLE_OK);
    for (int i = 0; i < 1000; i++)
        compare_generate(&d, &o, &state);
    ck_assert_uint_eq(d.reseed_counter, 1001);
    oracle_free(&o);
    rf_sha256_free(h);
}
END_TEST

/* --- mbed TLS, over an entropy source that gives the bytes it was told --- */

typedef struct told {
    bytes bytes;
    size_t given;
} told;

static int tell(void *ctx, unsigned char *out, size_t length)
{
    told *t = ctx;
    ck_assert_uint_le(t->given + length, t->bytes.length);
    memcpy(out, t->bytes.data + t->given, length);
    t->given += length;
    return 0;
}

/* Its nonce is half as long as its entropy input, and comes from the same source, after it. */
static void mbed_start(mbedtls_hmac_drbg_context *theirs, rf_drbg *mine, rf_sha256 *hash, told *source, uint64_t *state)
{
    const bytes personalisation = some(state, 0, 100);
    *source = (told){.bytes = some(state, 48, 48)};
    mbedtls_hmac_drbg_init(theirs);
    ck_assert_int_eq(mbedtls_hmac_drbg_seed(theirs, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), tell, source,
                                            personalisation.data, personalisation.length),
                     0);
    ck_assert_uint_eq(source->given, 48);
    ck_assert_int_eq(rf_drbg_instantiate(mine, hash, source->bytes.data, 32, source->bytes.data + 32, 16,
                                         personalisation.data, personalisation.length, NULL),
                     RAFFLE_OK);
}

static void mbed_reseed(mbedtls_hmac_drbg_context *theirs, rf_drbg *mine, told *source, uint64_t *state)
{
    const bytes additional = some(state, 0, 80);
    *source = (told){.bytes = some(state, 32, 32)};
    ck_assert_int_eq(mbedtls_hmac_drbg_reseed(theirs, additional.data, additional.length), 0);
    ck_assert_int_eq(rf_drbg_reseed(mine, source->bytes.data, 32, additional.data, additional.length, NULL), RAFFLE_OK);
}

static void mbed_generate(mbedtls_hmac_drbg_context *theirs, rf_drbg *mine, told *source, uint64_t *state)
{
    uint8_t a[MBEDTLS_HMAC_DRBG_MAX_REQUEST], b[sizeof a];
    const size_t length = 1 + next(state) % sizeof a;
    const bytes additional = some_additional(state);
    const bool resistant = next(state) % 3 == 0;
    *source = (told){.bytes = some(state, 32, 32)};
    mbedtls_hmac_drbg_set_prediction_resistance(theirs, resistant ? MBEDTLS_HMAC_DRBG_PR_ON : MBEDTLS_HMAC_DRBG_PR_OFF);
    ck_assert_int_eq(mbedtls_hmac_drbg_random_with_add(theirs, a, length, additional.data, additional.length), 0);
    ck_assert_uint_eq(source->given, resistant ? 32 : 0);
    if (resistant)
        generate_resistant(mine, &source->bytes, &additional, b, length);
    else
        ck_assert_int_eq(rf_drbg_generate(mine, b, length, additional.data, additional.length, NULL), RAFFLE_OK);
    ck_assert_mem_eq(a, b, length);
}

START_TEST(equals_mbed_tls)
{
    uint64_t state = 3;
    rf_sha256 *hash = rf_sha256_new();
    for (int round = 0; round < 500; round++) {
        mbedtls_hmac_drbg_context theirs;
        rf_drbg mine;
        told source;
        mbed_start(&theirs, &mine, hash, &source, &state);
        for (int i = 0; i < 8; i++) {
            if (next(&state) % 4 == 0)
                mbed_reseed(&theirs, &mine, &source, &state);
            mbed_generate(&theirs, &mine, &source, &state);
        }
        mbedtls_hmac_drbg_free(&theirs);
    }
    rf_sha256_free(hash);
}
END_TEST

/* --- limits --- */

static const uint8_t zeros[64];

static void start(rf_drbg *d, rf_sha256 *h)
{
    ck_assert_int_eq(rf_drbg_instantiate(d, h, zeros, 32, zeros, 16, NULL, 0, NULL), RAFFLE_OK);
}

START_TEST(largest_request)
{
    static uint8_t out[RF_DRBG_REQUEST_MAX + 1];
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    start(&d, h);
    ck_assert_int_eq(rf_drbg_generate(&d, out, RF_DRBG_REQUEST_MAX, NULL, 0, NULL), RAFFLE_OK);
    memset(out, 0xff, sizeof out);
    ck_assert_int_eq(rf_drbg_generate(&d, out, RF_DRBG_REQUEST_MAX + 1, NULL, 0, NULL), RAFFLE_INVALID);
    for (size_t i = 0; i < sizeof out; i++)
        ck_assert_uint_eq(out[i], 0);
    rf_sha256_free(h);
}
END_TEST

START_TEST(longest_inputs)
{
    const size_t most = RF_DRBG_INPUT_MAX;
    uint8_t *input = calloc(1, most + 1), out[8];
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, input, most, input, most, input, most, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, input, most + 1, input, 16, NULL, 0, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, input, 32, input, most + 1, NULL, 0, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, input, 32, input, 16, input, most + 1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(rf_drbg_reseed(&d, input, most + 1, NULL, 0, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(rf_drbg_reseed(&d, input, 32, input, most + 1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(rf_drbg_generate(&d, out, 8, input, most + 1, NULL), RAFFLE_INVALID);
    rf_sha256_free(h);
    free(input);
}
END_TEST

START_TEST(requests_between_reseeds)
{
    uint8_t out[8] = {1};
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    start(&d, h);
    d.reseed_counter = UINT64_C(1) << 48;
    ck_assert_int_eq(rf_drbg_generate(&d, out, sizeof out, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_generate(&d, out, sizeof out, NULL, 0, NULL), RAFFLE_RNG);
    ck_assert_mem_eq(out, zeros, sizeof out);
    ck_assert_int_eq(rf_drbg_reseed(&d, zeros, 32, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_generate(&d, out, sizeof out, NULL, 0, NULL), RAFFLE_OK);
    rf_sha256_free(h);
}
END_TEST

START_TEST(cleared_state_gives_nothing)
{
    uint8_t out[8] = {1};
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d, empty = {0};
    start(&d, h);
    rf_drbg_clear(&d);
    ck_assert_mem_eq(&d, &empty, sizeof d);
    ck_assert_int_eq(rf_drbg_generate(&d, out, sizeof out, NULL, 0, NULL), RAFFLE_RNG);
    ck_assert_mem_eq(out, zeros, sizeof out);
    ck_assert_int_eq(rf_drbg_reseed(&d, zeros, 32, NULL, 0, NULL), RAFFLE_RNG);
    rf_sha256_free(h);
}
END_TEST

START_TEST(request_of_nothing_moves_on)
{
    uint8_t a[32], b[32];
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d, e;
    start(&d, h);
    start(&e, h);
    ck_assert_int_eq(rf_drbg_generate(&d, NULL, 0, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_generate(&d, a, sizeof a, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_drbg_generate(&e, b, sizeof b, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_mem_ne(a, b, sizeof a);
    rf_sha256_free(h);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, nist_vectors);
    tcase_add_test(tests, equals_openssl);
    tcase_add_test(tests, equals_openssl_over_many_requests);
    tcase_add_test(tests, equals_mbed_tls);
    tcase_add_test(tests, largest_request);
    tcase_add_test(tests, longest_inputs);
    tcase_add_test(tests, requests_between_reseeds);
    tcase_add_test(tests, cleared_state_gives_nothing);
    tcase_add_test(tests, request_of_nothing_moves_on);
}

int main(void)
{
    return run_tests("rng_hmac_drbg", add);
}
