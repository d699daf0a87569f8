/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of a provider: opening, a host's table and its failures, the seed of a draw, picks, fork and re-entry. */
#include "provider.h"
#include "vectors.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* A host's provider that does as it is told. */
typedef struct fake {
    raffle_rc rc;
    uint64_t token;
    const char *message;  /* NULL: none is stored */
    const char *evidence; /* NULL: none */
    bool clears;          /* the whole error, before it stores the token */
    size_t fail_from;     /* calls that succeed before it fails with `rc` */
    size_t short_by;      /* bytes that it leaves out */
    const uint8_t *bytes; /* what it gives, over and over; NULL: a counter */
    size_t size;
    atomic_size_t calls;
    size_t largest;
    int32_t timeout_ms; /* of the last call */
    useconds_t takes;   /* microseconds a call */
    raffle_rng *self;   /* entered from the callback */
    raffle_rc self_rc;
    atomic_int freed;
} fake;

static raffle_rc fake_fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                           int32_t timeout_ms, raffle_error *err)
{
    fake *f = ctx;
    if (f->evidence != NULL)
        memcpy(evidence, f->evidence, strnlen(f->evidence, RAFFLE_NAME_SIZE));
    ck_assert_uint_eq(*filled, 0);
    size_t call = f->calls++;
    f->largest = length > f->largest ? length : f->largest;
    f->timeout_ms = timeout_ms;
    if (f->takes > 0)
        usleep(f->takes);
    if (f->self != NULL)
        f->self_rc = raffle_rng_fill(f->self, out, length, timeout_ms, err);
    for (size_t i = 0; i < length; i++)
        out[i] = f->bytes != NULL ? f->bytes[i % f->size] : (uint8_t)(call + i);
    if (f->rc != RAFFLE_OK && call >= f->fail_from) {
        if (f->message != NULL)
            raffle_error_set(err, f->rc, f->token, f->message);
        if (f->clears)
            memset(err, 0, sizeof *err);
        err->token = f->token;
        return f->rc;
    }
    *filled = length - f->short_by;
    return RAFFLE_OK;
}

static void fake_free(void *ctx)
{
    ((fake *)ctx)->freed++;
}

static raffle_rng *unused_over(fake *f)
{
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fake_fill, .free = fake_free};
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_new("host:fake", &table, f, &rng, NULL), RAFFLE_OK);
    return rng;
}

/* The same, with its start-up test made while it is still well. */
static raffle_rng *over(fake *f)
{
    const fake told = *f;
    *f = (fake){0};
    raffle_rng *rng = unused_over(f);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_OK);
    *f = told;
    return rng;
}

static void assert_zeros(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ck_assert_uint_eq(bytes[i], 0);
}

/* --- making --- */

START_TEST(table_init)
{
    raffle_rng_table table;
    memset(&table, 0xff, sizeof table);
    raffle_rng_table_init(&table, sizeof table);
    ck_assert_uint_eq(table.struct_size, sizeof table);
    ck_assert_uint_eq(table.flags, 0);
    ck_assert(table.fill == NULL && table.free == NULL);
}
END_TEST

START_TEST(names)
{
    static const char *const bad[] = {"",         "system",
                                      "test",     "host",
                                      "host:",    "cloud",
                                      "Host:a",   "host:A",
                                      "host:a b", "host:-",
                                      "host: a",  "host:\xc3\xa9",
                                      "host:a\n", "host:abcdefghijklmnopqrstuvwxyzabcdefg"};
    static const char *const good[] = {"host:a", "host:cloud", "host:a.b-c_d", "host:abcdefghijklmnopqrstuvwxyzabcdef"};
    fake f = {0};
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fake_fill, .free = fake_free};
    raffle_rng *rng = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(raffle_rng_new(bad[i], &table, &f, &rng, NULL) == RAFFLE_INVALID, "%s", bad[i]);
    ck_assert_ptr_null(rng);
    ck_assert_int_eq(f.freed, 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(raffle_rng_new(good[i], &table, &f, &rng, NULL), RAFFLE_OK);
        ck_assert_str_eq(raffle_rng_name(rng), good[i]);
        ck_assert_uint_eq(rf_rng_is_test(rng), 0);
        raffle_rng_free(rng);
        ck_assert_int_eq(f.freed, (int)i + 1);
    }
}
END_TEST

/* A table of a later version, with one function more. */
typedef struct longer_table {
    raffle_rng_table known;
    uint64_t more;
} longer_table;

START_TEST(tables_of_other_sizes)
{
    fake f = {0};
    raffle_rng *rng = NULL;
    raffle_rng_table table = {.struct_size = 0, .fill = fake_fill, .free = fake_free};
    ck_assert_int_eq(raffle_rng_new("host:a", &table, &f, &rng, NULL), RAFFLE_MISUSE);
    table.struct_size = offsetof(raffle_rng_table, free);
    ck_assert_int_eq(raffle_rng_new("host:a", &table, &f, &rng, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    ck_assert_int_eq(f.freed, 0); /* a table so short has no `free` */
    table.struct_size = offsetof(raffle_rng_table, fill);
    ck_assert_int_eq(raffle_rng_new("host:a", &table, &f, &rng, NULL), RAFFLE_MISUSE);
    longer_table longer = {{sizeof longer, 0, fake_fill, fake_free}, 0};
    ck_assert_int_eq(raffle_rng_new("host:a", &longer.known, &f, &rng, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    longer.more = 1;
    ck_assert_int_eq(raffle_rng_new("host:a", &longer.known, &f, &rng, NULL), RAFFLE_UNSUPPORTED);
    table = (raffle_rng_table){sizeof table, 1, fake_fill, fake_free};
    ck_assert_int_eq(raffle_rng_new("host:a", &table, &f, &rng, NULL), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(f.freed, 1);
}
END_TEST

START_TEST(nulls)
{
    fake f = {0};
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fake_fill};
    raffle_rng *rng = NULL;
    uint8_t byte;
    uint64_t pick;
    ck_assert_int_eq(raffle_rng_new(NULL, &table, &f, &rng, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_new("host:a", NULL, &f, &rng, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_new("host:a", &table, &f, NULL, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_open(NULL, NULL, &rng, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_open("system:", NULL, NULL, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_fill(NULL, &byte, 1, -1, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_pick(NULL, 1, &pick, 1, -1, NULL), RAFFLE_MISUSE);
    rng = over(&f);
    ck_assert_int_eq(raffle_rng_fill(rng, NULL, 1, -1, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_pick(rng, 1, NULL, 1, -1, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_fill(rng, NULL, 0, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(f.calls, 0);
    raffle_rng_free(rng);
    raffle_rng_free(NULL);
    ck_assert_ptr_null(raffle_rng_name(NULL));
}
END_TEST

START_TEST(uris)
{
    static const struct {
        const char *uri;
        raffle_rc rc;
    } bad[] = {{"", RAFFLE_INVALID},
               {"system", RAFFLE_INVALID},
               {"system:x", RAFFLE_INVALID},
               {"host:fake", RAFFLE_UNSUPPORTED},
#ifdef RAFFLE_WITH_PKCS11
               {"pkcs11:slot-id=1?pin-value=1234", RAFFLE_INVALID},
#else
               {"pkcs11:slot-id=1?pin-value=1234", RAFFLE_UNSUPPORTED},
#endif
#ifndef RAFFLE_WITH_KMS
               {"kms:?region=r", RAFFLE_UNSUPPORTED},
#endif
               {"SYSTEM:", RAFFLE_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raffle_error err = {.struct_size = sizeof err};
        raffle_rng *rng = NULL;
        ck_assert_msg(raffle_rng_open(bad[i].uri, NULL, &rng, &err) == bad[i].rc, "%s", bad[i].uri);
        ck_assert_ptr_null(rng);
        ck_assert_str_ne(err.message, "");
        ck_assert_msg(strstr(err.message, "1234") == NULL, "a PIN in the sentence: %s", err.message);
    }
}
END_TEST

static void count_release(void *ctx)
{
    ++*(int *)ctx;
}

START_TEST(the_host_is_released_once)
{
    int released = 0;
    raffle_host host = {.struct_size = sizeof host, .ctx = &released, .release = count_release};
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_open("nonsense", &host, &rng, NULL), RAFFLE_INVALID);
    host.flags = 1u << 31;
    ck_assert_int_eq(raffle_rng_open("system:", &host, &rng, NULL), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(released, 0);
    host.flags = 0;
    ck_assert_int_eq(raffle_rng_open("system:", &host, &rng, NULL), RAFFLE_OK);
    ck_assert_str_eq(rf_rng_name(rng), "system");
    ck_assert_ptr_eq(rf_rng_ref(rng), rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(released, 0);
    raffle_rng_free(rng);
    ck_assert_int_eq(released, 1);
}
END_TEST

/* --- filling --- */

START_TEST(fill_asks_in_parts)
{
    uint8_t out[2500];
    fake f = {0};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(f.calls, 3);
    ck_assert_uint_eq(f.largest, 1024);
    ck_assert_int_eq(f.timeout_ms, -1);
    for (size_t i = 0; i < sizeof out; i++)
        ck_assert_uint_eq(out[i], (uint8_t)(i / 1024 + i % 1024));
    ck_assert_int_eq(raffle_rng_fill(rng, out, 1, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(f.timeout_ms, 0);
    raffle_rng_free(rng);
}
END_TEST

static void check_failure(raffle_rc theirs, raffle_rc ours)
{
    uint8_t out[1500];
    fake f = {.rc = theirs, .token = 0x1234567890abcdef, .message = "no entropy today", .fail_from = 1};
    raffle_rng *rng = over(&f);
    raffle_error err = {.struct_size = sizeof err};
    memset(out, 0xff, sizeof out);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, &err), ours);
    assert_zeros(out, sizeof out);
    ck_assert_int_eq(err.rc, ours);
    ck_assert_uint_eq(err.token, f.token);
    ck_assert_str_eq(err.message, "no entropy today");
    raffle_rng_free(rng);
}

START_TEST(failures_keep_status_token_and_sentence)
{
    check_failure(RAFFLE_RNG, RAFFLE_RNG);
    check_failure(RAFFLE_HOST, RAFFLE_HOST);
    check_failure(RAFFLE_TIMEOUT, RAFFLE_TIMEOUT);
    check_failure(RAFFLE_NOMEM, RAFFLE_RNG);
    check_failure(RAFFLE_RNG_SEED, RAFFLE_RNG);
    check_failure(12345, RAFFLE_HOST);
    check_failure(-1, RAFFLE_HOST);
}
END_TEST

START_TEST(failure_without_a_sentence)
{
    uint8_t out[10];
    fake f = {.rc = RAFFLE_IO};
    raffle_rng *rng = over(&f);
    raffle_error err = {.struct_size = sizeof err};
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, &err), RAFFLE_RNG);
    ck_assert_int_eq(err.rc, RAFFLE_RNG);
    ck_assert_ptr_nonnull(strstr(err.message, "host:fake"));
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_RNG);
    raffle_rng_free(rng);
}
END_TEST

/* Whatever way it fails, there is a sentence that names it, and its token when it stored one. */
START_TEST(every_failure_has_its_sentence_and_token)
{
    static const char tail[] = "0123456789012345678901234567890123456789012345678901234567890123456789012345";
    const fake ways[] = {{.rc = RAFFLE_IO, .token = 77},
                         {.rc = RAFFLE_HOST, .token = 78, .clears = true},
                         {.rc = RAFFLE_HOST, .message = "host:fake says no"},
                         {.rc = 12345, .token = 79, .message = ""},
                         {.short_by = 1},
                         {.short_by = (size_t)-1}, /* more than it was asked for */
                         {.evidence = "\x01"},
                         {.evidence = tail}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint8_t out[RF_SEED_SIZE];
        char evidence[RAFFLE_NAME_SIZE];
        fake f = ways[i];
        raffle_rng *rng = over(&f);
        raffle_error err = RAFFLE_ERROR_INIT;
        raffle_rc rc =
            i % 2 == 0 ? raffle_rng_fill(rng, out, sizeof out, -1, &err) : rf_rng_seed(rng, out, evidence, -1, &err);
        ck_assert_int_ne(rc, RAFFLE_OK);
        ck_assert_int_eq(err.rc, rc);
        ck_assert_msg(strstr(err.message, "host:fake") != NULL, "%zu: %s", i, err.message);
        ck_assert_uint_eq(err.token, f.token);
        assert_zeros(out, sizeof out);
        raffle_rng_free(rng);
    }
}
END_TEST

START_TEST(a_short_fill_is_a_failure)
{
    uint8_t out[100];
    fake f = {.short_by = 1};
    raffle_rng *rng = over(&f);
    raffle_error err = {.struct_size = sizeof err};
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, &err), RAFFLE_RNG);
    assert_zeros(out, sizeof out);
    ck_assert_ptr_nonnull(strstr(err.message, "99 bytes of 100"));
    raffle_rng_free(rng);
}
END_TEST

/* Each part of a long fill has what is left of the time; none begins when nothing is. */
START_TEST(time_is_shared_by_the_parts)
{
    uint8_t out[4096];
    fake f = {.takes = 30000};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 50, NULL), RAFFLE_TIMEOUT);
    assert_zeros(out, sizeof out);
    ck_assert_uint_lt(f.calls, 4);
    ck_assert_int_le(f.timeout_ms, 50);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(entering_from_the_callback)
{
    uint8_t out[10];
    fake f = {0};
    raffle_rng *rng = over(&f);
    f.self = rng;
    f.self_rc = RAFFLE_OK;
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(f.self_rc, RAFFLE_MISUSE);
    ck_assert_uint_eq(f.calls, 1);
    f.self = NULL;
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
}
END_TEST

/* Exit status of a child that calls everything: 0 when each call gave RAFFLE_FORKED. */
static int in_child(raffle_rng *rng)
{
    char evidence[RAFFLE_NAME_SIZE];
    uint8_t out[48];
    uint64_t pick;
    bool forked = raffle_rng_fill(rng, out, 1, -1, NULL) == RAFFLE_FORKED &&
                  rf_rng_seed(rng, out, evidence, -1, NULL) == RAFFLE_FORKED &&
                  raffle_rng_pick(rng, 10, &pick, 1, -1, NULL) == RAFFLE_FORKED && pick == 0;
    raffle_rng_free(rng);
    return forked ? 0 : 1;
}

START_TEST(after_fork)
{
    fake f = {0};
    raffle_rng *rng = over(&f);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(in_child(rng));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_uint_eq(f.calls, 0);
    raffle_rng_free(rng);
}
END_TEST

/* --- the seed --- */

static raffle_rc seed_of(const uint8_t bytes[RF_SEED_SIZE], uint8_t seed[RF_SEED_SIZE])
{
    char evidence[RAFFLE_NAME_SIZE];
    fake f = {.bytes = bytes, .size = RF_SEED_SIZE};
    raffle_rng *rng = over(&f);
    memset(seed, 0xee, RF_SEED_SIZE);
    raffle_rc rc = rf_rng_seed(rng, seed, evidence, -1, NULL);
    raffle_rng_free(rng);
    return rc;
}

START_TEST(unhealthy_seeds)
{
    uint8_t good[RF_SEED_SIZE], bytes[RF_SEED_SIZE], seed[RF_SEED_SIZE];
    for (size_t i = 0; i < sizeof good; i++)
        good[i] = (uint8_t)i;
    ck_assert_int_eq(seed_of(good, seed), RAFFLE_OK);
    ck_assert_mem_eq(seed, good, sizeof seed);
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof bytes);
        ck_assert_int_eq(seed_of(bytes, seed), RAFFLE_RNG_UNHEALTHY);
        assert_zeros(seed, sizeof seed);
    }
    static const int repeats[][2] = {{0, 1}, {0, 2}, {1, 2}};
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes, good, sizeof bytes);
        memcpy(bytes + 16 * repeats[i][1], bytes + 16 * repeats[i][0], 16);
        ck_assert_int_eq(seed_of(bytes, seed), RAFFLE_RNG_UNHEALTHY);
        bytes[16 * repeats[i][1] + 15] ^= 1;
        ck_assert_int_eq(seed_of(bytes, seed), RAFFLE_OK);
    }
}
END_TEST

START_TEST(the_same_seed_again)
{
    char evidence[RAFFLE_NAME_SIZE];
    uint8_t first[RF_SEED_SIZE], second[RF_SEED_SIZE], seed[RF_SEED_SIZE];
    for (size_t i = 0; i < RF_SEED_SIZE; i++) {
        first[i] = (uint8_t)i;
        second[i] = (uint8_t)(i == 47 ? 99 : i);
    }
    fake f = {.bytes = first, .size = RF_SEED_SIZE};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_RNG_SEED);
        assert_zeros(seed, sizeof seed);
    }
    f.bytes = second;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    ck_assert_mem_eq(seed, second, sizeof seed);
    f.bytes = first;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    f.rc = RAFFLE_TIMEOUT;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_TIMEOUT);
    raffle_rng_free(rng);
}
END_TEST

/* --- picks --- */

START_TEST(picks_are_those_of_a_draw_seeded_like_it)
{
    uint8_t seed[RF_SEED_SIZE];
    uint64_t out[20];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    fake f = {.bytes = seed, .size = sizeof seed};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_pick(rng, 1000, out, 20, -1, NULL), RAFFLE_OK);
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    rf_select *s = NULL;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, seed, 32, seed + 32, 16, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_select_over(&d, 1000, &s, NULL), RAFFLE_OK);
    for (size_t i = 0; i < 20; i++) {
        uint64_t pick = 0;
        ck_assert_int_eq(rf_select_next(s, &pick, NULL), RAFFLE_OK);
        ck_assert_uint_eq(out[i], pick);
    }
    rf_select_free(s);
    rf_sha256_free(h);
    /* The provider repeats itself: no second pick. */
    ck_assert_int_eq(raffle_rng_pick(rng, 1000, out, 20, -1, NULL), RAFFLE_RNG_SEED);
    for (size_t i = 0; i < 20; i++)
        ck_assert_uint_eq(out[i], 0);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(picks_that_make_no_sense)
{
    uint64_t out[4] = {7, 7, 7, 7};
    fake f = {0};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_pick(rng, 10, out, 0, -1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_rng_pick(rng, 3, out, 4, -1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_rng_pick(rng, 0, out, 1, -1, NULL), RAFFLE_INVALID);
    ck_assert_uint_eq(out[0], 7);
    ck_assert_uint_eq(f.calls, 0);
    raffle_rng_free(rng);
}
END_TEST

static raffle_rng *test_rng(void)
{
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_open("test:seed=2a", NULL, &rng, NULL), RAFFLE_OK);
    return rng;
}

START_TEST(a_collection_is_draw_after_draw)
{
    uint64_t all[50 * 6], one[6];
    raffle_rng *a = test_rng(), *b = test_rng();
    ck_assert_int_eq(raffle_rng_collect(a, 0, 49, 6, all, 50, -1, NULL), RAFFLE_OK);
    for (size_t i = 0; i < 50; i++) {
        ck_assert_int_eq(raffle_rng_pick(b, 49, one, 6, -1, NULL), RAFFLE_OK);
        ck_assert_mem_eq(one, all + 6 * i, sizeof one);
    }
    raffle_rng_free(a);
    raffle_rng_free(b);
}
END_TEST

/* The words of one seed, mapped by below(range), whatever the cut into draws. */
START_TEST(a_collection_with_replacement_is_the_mapped_words)
{
    uint64_t all[300], want;
    uint8_t seed[RF_SEED_SIZE];
    raffle_rng *a = test_rng(), *b = test_rng();
    const uint32_t flags = RAFFLE_COLLECT_REPLACE | RAFFLE_COLLECT_ONE_SEED;
    ck_assert_int_eq(raffle_rng_collect(a, flags, 7, 100, all, 3, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_fill(b, seed, sizeof seed, -1, NULL), RAFFLE_OK);
    rf_sha256 *h = rf_sha256_new();
    rf_drbg d;
    rf_select *s = NULL;
    ck_assert_int_eq(rf_drbg_instantiate(&d, h, seed, 32, seed + 32, 16, NULL, 0, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_select_over(&d, 7, &s, NULL), RAFFLE_OK);
    for (size_t i = 0; i < 300; i++) {
        ck_assert_int_eq(rf_select_below(s, 7, &want, NULL), RAFFLE_OK);
        ck_assert_uint_eq(all[i], want);
    }
    rf_select_free(s);
    rf_sha256_free(h);
    raffle_rng_free(a);
    raffle_rng_free(b);
}
END_TEST

START_TEST(one_seed_gives_permutation_after_permutation)
{
    uint64_t all[20 * 10];
    raffle_rng *rng = test_rng();
    ck_assert_int_eq(raffle_rng_collect(rng, RAFFLE_COLLECT_ONE_SEED, 10, 10, all, 20, -1, NULL), RAFFLE_OK);
    for (size_t i = 0; i < 20; i++) {
        unsigned seen = 0;
        for (size_t k = 0; k < 10; k++)
            seen |= 1U << all[10 * i + k];
        ck_assert_uint_eq(seen, 1023);
        ck_assert(i == 0 || memcmp(all + 10 * i, all + 10 * (i - 1), 10 * sizeof *all) != 0);
    }
    raffle_rng_free(rng);
}
END_TEST

START_TEST(collections_that_make_no_sense)
{
    uint64_t out[4] = {7, 7, 7, 7};
    fake f = {0};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_collect(NULL, 0, 3, 2, out, 2, -1, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_collect(rng, 0, 3, 2, NULL, 2, -1, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_rng_collect(rng, 4, 3, 2, out, 2, -1, NULL), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(raffle_rng_collect(rng, RAFFLE_COLLECT_REPLACE, 0, 2, out, 2, -1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_rng_collect(rng, 0, 3, 4, out, 1, -1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_rng_collect(rng, 0, 3, 2, out, 0, -1, NULL), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_rng_collect(rng, 0, 3, 2, out, SIZE_MAX / 8, -1, NULL), RAFFLE_INVALID);
    ck_assert_uint_eq(out[0], 7);
    ck_assert_uint_eq(f.calls, 0);
    raffle_rng_free(rng);
}
END_TEST

/* The second seed cannot be had: nothing of the first draw is left. */
START_TEST(a_collection_that_breaks_leaves_nothing)
{
    uint64_t out[4] = {7, 7, 7, 7};
    fake f = {.rc = RAFFLE_RNG, .fail_from = 1};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(raffle_rng_collect(rng, 0, 9, 2, out, 2, -1, NULL), RAFFLE_RNG);
    ck_assert_uint_eq(f.calls, 2);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(out[i], 0);
    raffle_rng_free(rng);
}
END_TEST

/* --- threads --- */

static void *hammer(void *arg)
{
    char evidence[RAFFLE_NAME_SIZE];
    raffle_rng *rng = arg;
    uint8_t out[1100], seed[RF_SEED_SIZE];
    uint64_t picks[5];
    intptr_t failed = 0;
    for (int i = 0; i < 100; i++) {
        failed += raffle_rng_fill(rng, out, sizeof out, -1, NULL) != RAFFLE_OK;
        failed += rf_rng_seed(rng, seed, evidence, -1, NULL) != RAFFLE_OK;
        failed += raffle_rng_pick(rng, 1000000, picks, 5, 1000, NULL) != RAFFLE_OK;
    }
    raffle_rng_free(rng);
    return (void *)failed;
}

static void check_threads(const char *uri)
{
    pthread_t threads[4];
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_open(uri, NULL, &rng, NULL), RAFFLE_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, rf_rng_ref(rng)), 0);
    raffle_rng_free(rng);
    for (int i = 0; i < 4; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}

START_TEST(evidence_is_handed_on_and_checked)
{
    uint8_t seed[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE];
    char longest[RAFFLE_NAME_SIZE] = "";
    memset(longest, 'x', RAFFLE_NAME_MAX);
    const struct {
        const char *text;
        raffle_rc rc;
    } cases[] = {{NULL, RAFFLE_OK},     {"req-1 of 2", RAFFLE_OK}, {longest, RAFFLE_OK},
                 {"a\nb", RAFFLE_HOST}, {"\xc3\xa9", RAFFLE_HOST}, {"\x7f", RAFFLE_HOST}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake f = {.evidence = cases[i].text};
        raffle_rng *rng = over(&f);
        raffle_error err = RAFFLE_ERROR_INIT;
        ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, &err), cases[i].rc);
        if (cases[i].rc == RAFFLE_OK)
            ck_assert_str_eq(evidence, cases[i].text == NULL ? "" : cases[i].text);
        else
            assert_zeros(seed, sizeof seed);
        raffle_rng_free(rng);
    }
    memset(longest, 'x', RAFFLE_NAME_SIZE - 1);
    fake f = {.evidence = longest};
    raffle_rng *rng = over(&f);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_HOST);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(several_threads)
{
    check_threads("system:");
#ifdef RAFFLE_WITH_TEST_RNG
    check_threads("test:seed=00");
#endif
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, table_init);
    tcase_add_test(tests, evidence_is_handed_on_and_checked);
    tcase_add_test(tests, names);
    tcase_add_test(tests, tables_of_other_sizes);
    tcase_add_test(tests, nulls);
    tcase_add_test(tests, uris);
    tcase_add_test(tests, the_host_is_released_once);
    tcase_add_test(tests, fill_asks_in_parts);
    tcase_add_test(tests, failures_keep_status_token_and_sentence);
    tcase_add_test(tests, failure_without_a_sentence);
    tcase_add_test(tests, every_failure_has_its_sentence_and_token);
    tcase_add_test(tests, a_short_fill_is_a_failure);
    tcase_add_test(tests, time_is_shared_by_the_parts);
    tcase_add_test(tests, entering_from_the_callback);
    tcase_add_test(tests, after_fork);
    tcase_add_test(tests, unhealthy_seeds);
    tcase_add_test(tests, the_same_seed_again);
    tcase_add_test(tests, picks_are_those_of_a_draw_seeded_like_it);
    tcase_add_test(tests, picks_that_make_no_sense);
    tcase_add_test(tests, a_collection_is_draw_after_draw);
    tcase_add_test(tests, a_collection_with_replacement_is_the_mapped_words);
    tcase_add_test(tests, one_seed_gives_permutation_after_permutation);
    tcase_add_test(tests, collections_that_make_no_sense);
    tcase_add_test(tests, a_collection_that_breaks_leaves_nothing);
    tcase_add_test(tests, several_threads);
}

int main(void)
{
    return run_tests("rng_provider", add);
}
