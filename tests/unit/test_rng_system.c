/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's generator behind a getrandom() of this program's own, which is interrupted, gives less, is not seeded, or fails. */
#include "provider.h"
#include "vectors.h"
#include <errno.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the next calls do, one character each: 'i' EINTR, 'a' EAGAIN, 'n' ENOSYS, '0' nothing, '1' one byte; then the kernel. */
static const char *script = "";
static bool forever; /* the last character stays */
static unsigned last_flags;

static ssize_t fail_with(int error)
{
    errno = error;
    return -1;
}

ssize_t getrandom(void *out, size_t length, unsigned flags)
{
    char step = *script;
    if (step != '\0' && !(forever && script[1] == '\0'))
        script++;
    last_flags = flags;
    switch (step) {
    case 'i':
        return fail_with(EINTR);
    case 'a':
        return fail_with(EAGAIN);
    case 'n':
        return fail_with(ENOSYS);
    case '0':
        return 0;
    case '1':
        length = 1;
        break;
    default:
        break;
    }
    return syscall(SYS_getrandom, out, length, flags);
}

static raffle_rc fill(const char *steps, bool stay, uint8_t *out, size_t length, int32_t timeout_ms)
{
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_open("system:", NULL, &rng, NULL), RAFFLE_OK);
    script = steps;
    forever = stay;
    raffle_rc rc = raffle_rng_fill(rng, out, length, timeout_ms, NULL);
    script = "";
    forever = false;
    raffle_rng_free(rng);
    return rc;
}

/* 64 bytes of which 60 are zero do not come from a generator that works. */
static bool filled(const uint8_t *out, size_t length)
{
    size_t zeros = 0;
    for (size_t i = 0; i < length; i++)
        zeros += out[i] == 0;
    return zeros < length - 4;
}

START_TEST(fills)
{
    uint8_t a[64] = {0}, b[64] = {0};
    ck_assert_int_eq(fill("", false, a, sizeof a, -1), RAFFLE_OK);
    ck_assert_uint_eq(last_flags, 0);
    ck_assert_int_eq(fill("", false, b, sizeof b, 0), RAFFLE_OK);
    ck_assert_uint_eq(last_flags, GRND_NONBLOCK);
    ck_assert(filled(a, sizeof a) && filled(b, sizeof b));
    ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

START_TEST(interrupted_and_short)
{
    uint8_t out[64] = {0};
    ck_assert_int_eq(fill("ii1i11111111111111111111111111", false, out, sizeof out, -1), RAFFLE_OK);
    ck_assert(filled(out, sizeof out));
    memset(out, 0, sizeof out);
    ck_assert_int_eq(fill("aaii1a", false, out, sizeof out, 10000), RAFFLE_OK);
    ck_assert(filled(out, sizeof out));
}
END_TEST

static void check_failure(const char *steps, bool stay, int32_t timeout_ms, raffle_rc rc)
{
    static const uint8_t zeros[64];
    uint8_t out[64];
    memset(out, 0xff, sizeof out);
    ck_assert_int_eq(fill(steps, stay, out, sizeof out, timeout_ms), rc);
    ck_assert_mem_eq(out, zeros, sizeof out);
}

START_TEST(failures)
{
    check_failure("n", true, -1, RAFFLE_RNG);
    check_failure("1n", true, 1000, RAFFLE_RNG);
    check_failure("0", false, -1, RAFFLE_RNG);
    check_failure("a", true, 0, RAFFLE_TIMEOUT);
    check_failure("1a", true, 25, RAFFLE_TIMEOUT);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, fills);
    tcase_add_test(tests, interrupted_and_short);
    tcase_add_test(tests, failures);
}

int main(void)
{
    return run_tests("rng_system", add);
}
