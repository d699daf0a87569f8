/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `system:`, the kernel's generator through getrandom(2): completely or not at all, and nothing weaker in its place. */
#include "provider.h"

#include "error.h"
#include "timestamp.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>

enum {
    RETRY_MS = 10 /* between looks at a generator that the kernel has not seeded yet, early at boot */
};

/* EINTR and EAGAIN are no failures while there is time. */
static raffle_rc judge(int error, int64_t deadline, raffle_error *err)
{
    if (error == EINTR)
        return RAFFLE_OK;
    if (error != EAGAIN)
        return rf_fail(err, RAFFLE_RNG, "getrandom: it failed with errno %d", error);
    if (rf_clock_monotonic() >= deadline)
        return rf_fail(err, RAFFLE_TIMEOUT, "getrandom: the kernel's generator is not seeded yet");
    nanosleep(&(struct timespec){0, RETRY_MS * 1000000L}, NULL);
    return RAFFLE_OK;
}

static raffle_rc fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err)
{
    (void)ctx;
    (void)evidence;
    const unsigned flags = timeout_ms < 0 ? 0 : GRND_NONBLOCK;
    const int64_t deadline = rf_clock_monotonic() + timeout_ms;
    while (*filled < length) {
        ssize_t n = getrandom(out + *filled, length - *filled, flags);
        raffle_rc rc = RAFFLE_OK;
        if (n < 0)
            rc = judge(errno, deadline, err);
        else if (n == 0)
            rc = rf_fail(err, RAFFLE_RNG, "getrandom: it gave nothing");
        else
            *filled += (size_t)n;
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

raffle_rc rf_rng_system(const char *parameters, raffle_rng **out, raffle_error *err)
{
    if (*parameters != '\0')
        return rf_fail(err, RAFFLE_INVALID, "\"system:\" takes no parameters, not \"%s\"", parameters);
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fill};
    return rf_rng_make("system", &table, NULL, out, err);
}
