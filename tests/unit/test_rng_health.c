/* SPDX-License-Identifier: Apache-2.0 */
/* The health tests: where they stop sources that are stuck, biased, alternating or short of breath, that they let good ones pass, and
 * that a handle remembers. */
#include "health.h"
#include "provider.h"
#include "vectors.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LONG = 1 << 20,
    NEVER = LONG + 1
};

/* splitmix64: the same bytes in every run. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void good(uint8_t *out, size_t length, uint64_t seed)
{
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(next(&seed) >> 56);
}

/* After how many bytes the tests stop the source, in LONG of them; NEVER: not at all. */
static size_t caught(uint8_t (*source)(size_t at, void *ctx), void *ctx)
{
    rf_health h = {0};
    for (size_t i = 0; i < LONG; i++) {
        const uint8_t byte = source(i, ctx);
        if (!rf_health_feed(&h, &byte, 1))
            return i + 1;
    }
    return NEVER;
}

static rf_health_test test_that_fails(const uint8_t *bytes, size_t n)
{
    rf_health h = {0};
    rf_health_feed(&h, bytes, n);
    return h.failed;
}

/* --- sources that are ill --- */

static uint8_t cycle(size_t at, void *ctx)
{
    return (uint8_t)(at % *(size_t *)ctx);
}

START_TEST(a_stuck_source)
{
    for (int value = 0; value < 256; value++) {
        uint8_t bytes[RF_HEALTH_REPEATS];
        memset(bytes, value, sizeof bytes);
        ck_assert_int_eq(test_that_fails(bytes, sizeof bytes - 1), RF_HEALTH_NONE);
        ck_assert_int_eq(test_that_fails(bytes, sizeof bytes), RF_HEALTH_REPETITION_COUNT);
    }
}
END_TEST

/* After how many bytes a cycle of `period` values, all different, is to be stopped: when the window's first byte came as often as the cut-off
 * says, or when two blocks are equal. */
static size_t stopped(size_t period)
{
    const size_t proportion = (RF_HEALTH_PROPORTION - 1) * period + 1;
    const size_t blocks = RF_HEALTH_BLOCK % period == 0 ? 2 * RF_HEALTH_BLOCK : NEVER;
    const size_t window = proportion <= RF_HEALTH_WINDOW ? proportion : NEVER;
    return window < blocks ? window : blocks;
}

START_TEST(an_alternating_source)
{
    size_t period = 2;
    ck_assert_uint_eq(caught(cycle, &period), stopped(2));
    ck_assert_uint_eq(stopped(2), 31);
}
END_TEST

/* From 35 on no test sees them: that a seed comes again is another test's business. */
START_TEST(cycles_of_34_bytes_and_shorter)
{
    for (size_t period = 3; period <= 256; period++)
        ck_assert_uint_eq(caught(cycle, &period), stopped(period));
    ck_assert_uint_eq(stopped(34), 511);
    ck_assert_uint_eq(stopped(35), NEVER);
}
END_TEST

/* One value in every `one_in` bytes too many. */
typedef struct biased {
    uint64_t state, one_in;
} biased;

static uint8_t biased_byte(size_t at, void *ctx)
{
    (void)at;
    biased *b = ctx;
    return next(&b->state) % b->one_in == 0 ? 0x41 : (uint8_t)(next(&b->state) >> 56);
}

/* The largest number of bytes over some sources, for a bound that says how late it may be. */
static size_t latest(uint64_t one_in)
{
    size_t last = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        biased b = {seed, one_in};
        const size_t n = caught(biased_byte, &b);
        last = n > last ? n : last;
    }
    return last;
}

START_TEST(biased_sources)
{
    ck_assert_uint_lt(latest(2), 4096);
    ck_assert_uint_lt(latest(4), 16384);
    ck_assert_uint_lt(latest(8), 65536);
    ck_assert_uint_lt(latest(16), 262144);
}
END_TEST

/* A value that becomes commoner by one in 2^20 with each byte: at the end nothing else comes. */
static uint8_t drifting_byte(size_t at, void *ctx)
{
    uint64_t *state = ctx;
    return next(state) % LONG < at ? 0x41 : (uint8_t)(next(state) >> 56);
}

START_TEST(a_source_that_becomes_biased_slowly)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t state = seed;
        ck_assert_uint_lt(caught(drifting_byte, &state), LONG / 4);
    }
}
END_TEST

START_TEST(a_block_that_repeats)
{
    uint8_t bytes[160];
    good(bytes, sizeof bytes, 1);
    memcpy(bytes + 96, bytes + 80, 16);
    ck_assert_int_eq(test_that_fails(bytes, 111), RF_HEALTH_NONE);
    ck_assert_int_eq(test_that_fails(bytes, 112), RF_HEALTH_REPEATED_BLOCK);
    bytes[111] ^= 1;
    ck_assert_int_eq(test_that_fails(bytes, sizeof bytes), RF_HEALTH_NONE);
    for (size_t at = 0; at < 16; at++) { /* three times, wherever it begins */
        good(bytes, sizeof bytes, 1);
        memcpy(bytes + at + 16, bytes + at, 16);
        memcpy(bytes + at + 32, bytes + at, 16);
        ck_assert_int_eq(test_that_fails(bytes, at + 48), RF_HEALTH_REPEATED_BLOCK);
    }
}
END_TEST

START_TEST(blocks_of_a_seed)
{
    static const size_t pairs[][2] = {{0, 1}, {0, 2}, {1, 2}};
    uint8_t seed[48];
    for (size_t i = 0; i < 3; i++) {
        rf_health h = {0};
        good(seed, sizeof seed, 2);
        ck_assert(rf_health_seed(&h, seed, sizeof seed));
        memcpy(seed + 16 * pairs[i][1], seed + 16 * pairs[i][0], 16);
        ck_assert(!rf_health_seed(&h, seed, sizeof seed));
        ck_assert_int_eq(h.failed, RF_HEALTH_REPEATED_BLOCK);
    }
}
END_TEST

/* --- the cut-offs, and sources that are well --- */

/* A window in which the first byte comes `equal` times, never twice running, in bytes that are otherwise good. */
static void window_of(uint8_t *out, unsigned equal)
{
    for (size_t i = 0; i < RF_HEALTH_WINDOW; i++)
        out[i] = (uint8_t)(1 + i % 255);
    for (size_t i = 0; i < RF_HEALTH_WINDOW; i++)
        out[i] = i % 2 == 0 && i / 2 < equal ? 0 : out[i];
}

START_TEST(windows)
{
    uint8_t bytes[3 * RF_HEALTH_WINDOW];
    for (size_t i = 0; i < 3; i++)
        window_of(bytes + i * RF_HEALTH_WINDOW, RF_HEALTH_PROPORTION - 1);
    ck_assert_int_eq(test_that_fails(bytes, sizeof bytes), RF_HEALTH_NONE);
    bytes[2 * RF_HEALTH_WINDOW - 1] = 0; /* the last byte of the second window is one too many */
    ck_assert_int_eq(test_that_fails(bytes, 2 * RF_HEALTH_WINDOW - 1), RF_HEALTH_NONE);
    ck_assert_int_eq(test_that_fails(bytes, 2 * RF_HEALTH_WINDOW), RF_HEALTH_ADAPTIVE_PROPORTION);
}
END_TEST

START_TEST(how_it_is_cut_makes_no_difference)
{
    static uint8_t bytes[100000];
    uint64_t state = 3;
    good(bytes, sizeof bytes, 3);
    const size_t end = 77777 + RF_HEALTH_REPEATS - 1;
    memset(bytes + 77777, 9, RF_HEALTH_REPEATS);
    rf_health whole = {0}, cut = {0};
    rf_health_feed(&whole, bytes, end);
    for (size_t at = 0, n; at < end; at += n) {
        n = next(&state) % 100;
        n = n < end - at ? n : end - at;
        ck_assert(rf_health_feed(&cut, bytes + at, n));
    }
    ck_assert_mem_eq(&whole, &cut, sizeof whole);
    ck_assert(!rf_health_feed(&cut, bytes + end, 1));
    ck_assert(!rf_health_feed(&cut, bytes, 1));
}
END_TEST

START_TEST(start_up_begins_anew_but_forgets_no_failure)
{
    uint8_t bytes[RF_HEALTH_START_UP];
    uint8_t same[RF_HEALTH_REPEATS];
    rf_health h = {0};
    rf_health_fault fault;
    good(bytes, sizeof bytes, 4);
    memset(same, 7, sizeof same);
    rf_health_feed(&h, same, sizeof same - 1);
    ck_assert(!rf_health_failed(&h, &fault));
    bytes[0] = 7;
    ck_assert(rf_health_start_up(&h, bytes, sizeof bytes));
    ck_assert_uint_eq(h.seen, 0); /* two whole windows */
    ck_assert(!rf_health_feed(&h, same, sizeof same));
    ck_assert(!rf_health_start_up(&h, bytes, sizeof bytes));
    ck_assert(rf_health_failed(&h, &fault));
    ck_assert_str_eq(fault.test, "repetition count");
    ck_assert_uint_eq(fault.cutoff, RF_HEALTH_REPEATS);
}
END_TEST

/* 10^8 bytes: expected false alarms of the repetition count 0.023, of the adaptive proportion 0.0006. */
START_TEST(a_hundred_million_good_bytes)
{
    enum {
        TOTAL = 100000000,
        CALL = 50000
    };
    static const uint8_t zeros[48];
    static uint8_t bytes[CALL];
    rf_sha256 *hash = rf_sha256_new();
    rf_drbg d;
    rf_health h = {0};
    ck_assert_int_eq(rf_drbg_instantiate(&d, hash, zeros, 32, zeros, 16, NULL, 0, NULL), RAFFLE_OK);
    for (size_t done = 0; done < TOTAL; done += CALL) {
        ck_assert_int_eq(rf_drbg_generate(&d, bytes, CALL, NULL, 0, NULL), RAFFLE_OK);
        ck_assert(rf_health_feed(&h, bytes, CALL));
    }
    rf_sha256_free(hash);
}
END_TEST

/* --- a handle --- */

/* A provider that is good until it has given `well` bytes, and then stuck. */
typedef struct ailing {
    atomic_size_t given, calls;
    size_t well;
    raffle_rc rc; /* of every call, when it is not RAFFLE_OK */
    useconds_t takes;
    raffle_rng *self; /* tested from the callback */
    raffle_rc self_rc;
} ailing;

static raffle_rc ailing_fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                             int32_t timeout_ms, raffle_error *err)
{
    (void)evidence;
    ailing *a = ctx;
    const size_t from = atomic_fetch_add(&a->given, length);
    a->calls++;
    if (a->takes > 0)
        usleep(a->takes);
    if (a->self != NULL)
        a->self_rc = raffle_rng_test(a->self, timeout_ms, NULL);
    if (a->rc != RAFFLE_OK)
        return raffle_error_set(err, a->rc, 0, "no");
    good(out, length, from);
    if (from + length > a->well)
        memset(out, 0xaa, length);
    *filled = length;
    return RAFFLE_OK;
}

static raffle_rng *over(ailing *a)
{
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = ailing_fill};
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_new("host:ailing", &table, a, &rng, NULL), RAFFLE_OK);
    return rng;
}

static bool is_zero(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Every call on the handle is refused, gives zeros, and does not ask the provider. */
static void assert_unhealthy(raffle_rng *rng, const ailing *a)
{
    const size_t calls = a->calls;
    uint8_t bytes[100], seed[RF_SEED_SIZE];
    uint64_t picks[3] = {1, 2, 3};
    char evidence[RAFFLE_NAME_SIZE];
    raffle_error err = {.struct_size = sizeof err};
    memset(bytes, 1, sizeof bytes);
    memset(seed, 1, sizeof seed);
    ck_assert_int_eq(raffle_rng_fill(rng, bytes, sizeof bytes, -1, &err), RAFFLE_RNG_UNHEALTHY);
    ck_assert_str_eq(
        err.message,
        "the provider \"host:ailing\" failed the repetition count test: 5 equal bytes in a row, cut-off 5");
    ck_assert_int_eq(raffle_rng_fill(rng, NULL, 0, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert_int_eq(raffle_rng_pick(rng, 10, picks, 3, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert(is_zero(bytes, sizeof bytes) && is_zero(seed, sizeof seed) && is_zero(picks, sizeof picks));
    ck_assert(rf_rng_unhealthy(rng));
    ck_assert_uint_eq(a->calls, calls);
}

START_TEST(the_start_up_test_comes_before_the_first_byte)
{
    uint8_t out[10];
    ailing a = {.well = SIZE_MAX};
    raffle_rng *rng = over(&a);
    ck_assert_uint_eq(a.calls, 0);
    ck_assert_int_eq(raffle_rng_fill(rng, out, 0, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.calls, 0);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.calls, 2);
    ck_assert_uint_eq(a.given, 1034);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.calls, 3);
    ck_assert(!rf_rng_unhealthy(rng));
    raffle_rng_free(rng);
}
END_TEST

START_TEST(a_start_up_test_that_fails)
{
    uint8_t out[10];
    ailing a = {.well = 0};
    raffle_rng *rng = over(&a);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert_uint_eq(a.calls, 1);
    a.well = SIZE_MAX;
    assert_unhealthy(rng, &a);
    raffle_rng_free(rng);
    rng = over(&a); /* a new handle begins afresh */
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(a_start_up_test_that_could_not_be_made)
{
    uint8_t out[10];
    ailing a = {.well = SIZE_MAX, .rc = RAFFLE_HOST};
    raffle_rng *rng = over(&a);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_HOST);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_HOST);
    ck_assert(!rf_rng_unhealthy(rng));
    a = (ailing){.well = SIZE_MAX};
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.given, 1034); /* it is made then */
    raffle_rng_free(rng);
}
END_TEST

START_TEST(a_provider_that_breaks_is_found_and_remembered)
{
    uint8_t out[4096];
    ailing a = {.well = 3000};
    raffle_rng *rng = over(&a);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.given, 1024);
    memset(out, 1, sizeof out);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    ck_assert(is_zero(out, sizeof out)); /* what came before it broke, too */
    ck_assert_uint_eq(a.calls, 3);
    a.well = SIZE_MAX;
    assert_unhealthy(rng, &a);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(a_test_on_demand_finds_it)
{
    ailing a = {.well = 2048};
    raffle_rng *rng = over(&a);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    assert_unhealthy(rng, &a);
    raffle_rng_free(rng);
    ck_assert_int_eq(raffle_rng_test(NULL, -1, NULL), RAFFLE_MISUSE);
}
END_TEST

START_TEST(a_test_on_demand_from_the_callback_and_after_fork)
{
    ailing a = {.well = SIZE_MAX};
    raffle_rng *rng = over(&a);
    a.self = rng;
    ck_assert_int_eq(raffle_rng_test(rng, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(a.self_rc, RAFFLE_MISUSE);
    a.self = NULL;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(raffle_rng_test(rng, -1, NULL) == RAFFLE_FORKED ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    raffle_rng_free(rng);
}
END_TEST

/* The start-up test takes from the same time; when it took all of it, nothing is asked any more. */
START_TEST(one_deadline_for_the_start_up_test_too)
{
    uint8_t out[10];
    ailing a = {.well = SIZE_MAX, .takes = 60000};
    raffle_rng *rng = over(&a);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 50, NULL), RAFFLE_TIMEOUT);
    ck_assert_uint_eq(a.calls, 1);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_uint_eq(a.calls, 2); /* it was passed all the same */
    raffle_rng_free(rng);
}
END_TEST

#ifdef RAFFLE_WITH_TEST_RNG
/* The published stream begins with a handle's first byte; a test on demand takes 1,024 bytes of it. */
START_TEST(the_stream_of_test_stays)
{
    static const uint8_t begins[] = {0x59, 0x66, 0xd2, 0xd5}; /* docs/guide/randomness.md */
    uint8_t whole[1100], part[76];
    raffle_rng *a = NULL, *b = NULL;
    ck_assert_int_eq(raffle_rng_open("test:seed=2a", NULL, &a, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_open("test:seed=2a", NULL, &b, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_fill(a, whole, sizeof whole, -1, NULL), RAFFLE_OK);
    ck_assert_mem_eq(whole, begins, sizeof begins);
    ck_assert_int_eq(raffle_rng_test(b, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_fill(b, part, sizeof part, -1, NULL), RAFFLE_OK);
    ck_assert_mem_eq(part, whole + 1024, sizeof part);
    raffle_rng_free(a);
    raffle_rng_free(b);
}
END_TEST
#endif

/* --- threads --- */

/* Once a call is refused, so is each later one. */
static void *until_it_breaks(void *arg)
{
    raffle_rng *rng = arg;
    uint8_t out[100];
    intptr_t wrong = 0;
    bool broken = false;
    for (int i = 0; i < 2000; i++) {
        raffle_rc rc = i % 10 == 0 ? raffle_rng_test(rng, -1, NULL) : raffle_rng_fill(rng, out, sizeof out, -1, NULL);
        wrong += rc != RAFFLE_OK && rc != RAFFLE_RNG_UNHEALTHY;
        wrong += broken && rc == RAFFLE_OK;
        wrong += rc == RAFFLE_RNG_UNHEALTHY && !rf_rng_unhealthy(rng);
        broken |= rc != RAFFLE_OK;
    }
    return (void *)(wrong + !broken);
}

START_TEST(threads_all_hear_of_it)
{
    pthread_t threads[4];
    ailing a = {.well = 300000};
    raffle_rng *rng = over(&a);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, until_it_breaks, rng), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    assert_unhealthy(rng, &a);
    raffle_rng_free(rng);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_stuck_source);
    tcase_add_test(tests, an_alternating_source);
    tcase_add_test(tests, cycles_of_34_bytes_and_shorter);
    tcase_add_test(tests, biased_sources);
    tcase_add_test(tests, a_source_that_becomes_biased_slowly);
    tcase_add_test(tests, a_block_that_repeats);
    tcase_add_test(tests, blocks_of_a_seed);
    tcase_add_test(tests, windows);
    tcase_add_test(tests, how_it_is_cut_makes_no_difference);
    tcase_add_test(tests, start_up_begins_anew_but_forgets_no_failure);
    tcase_add_test(tests, a_hundred_million_good_bytes);
    tcase_add_test(tests, the_start_up_test_comes_before_the_first_byte);
    tcase_add_test(tests, a_start_up_test_that_fails);
    tcase_add_test(tests, a_start_up_test_that_could_not_be_made);
    tcase_add_test(tests, a_provider_that_breaks_is_found_and_remembered);
    tcase_add_test(tests, a_test_on_demand_finds_it);
    tcase_add_test(tests, a_test_on_demand_from_the_callback_and_after_fork);
    tcase_add_test(tests, one_deadline_for_the_start_up_test_too);
#ifdef RAFFLE_WITH_TEST_RNG
    tcase_add_test(tests, the_stream_of_test_stays);
#endif
    tcase_add_test(tests, threads_all_hear_of_it);
}

int main(void)
{
    return run_tests("rng_health", add);
}
