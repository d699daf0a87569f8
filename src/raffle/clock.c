/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that stamps records (GLI-31 5.3.1): never backwards, and no leap that nobody has looked at. */
#include "raffle_impl.h"

#include "error.h"
#include "timestamp.h"

static const int64_t behind_ms = 2000;  /* a clock this much behind the newest record is taken for jitter */
static const int64_t leap_ms = 3600000; /* a clock that gained this much on the time that passed has leapt */

raffle_rc rf_clock_read(raffle *r, int64_t *now, raffle_error *err)
{
    int64_t ms = INT64_MIN;
    if (r->host.clock == NULL) {
        ms = rf_clock_now();
    } else {
        raffle_error theirs = RAFFLE_ERROR_INIT;
        if (r->host.clock(r->host.ctx, &ms, &theirs) != RAFFLE_OK)
            return rf_fail_host(err, "the host's clock failed", &theirs);
    }
    if (ms < 0 || ms > RF_TIME_MAX)
        return rf_fail(err, RAFFLE_CLOCK, "the clock shows %lld ms, which is no time between 1970 and 9999",
                       (long long)ms);
    *now = ms;
    return RAFFLE_OK;
}

/* A machine's clock is compared with the time that passed; a replayed one leaps as it likes. */
static bool has_leapt(const raffle *r, int64_t now, int64_t monotonic, int64_t last_clock, int64_t last_monotonic)
{
    if (last_monotonic == 0 || (r->host.flags & RAFFLE_HOST_REPLAYED_CLOCK))
        return false;
    return now - last_clock - (monotonic - last_monotonic) > leap_ms;
}

raffle_rc rf_clock_next(raffle *r, int64_t last_at, int64_t *last_clock, int64_t *last_monotonic, bool reset,
                        int64_t *at, raffle_error *err)
{
    int64_t now, monotonic = rf_clock_monotonic();
    raffle_rc rc = rf_clock_read(r, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!reset && now < last_at - behind_ms)
        return rf_fail(err, RAFFLE_CLOCK,
                       "the clock is %lld s behind the newest record; a supervisor must write clock.reset",
                       (long long)(last_at - now) / 1000);
    if (!reset && has_leapt(r, now, monotonic, *last_clock, *last_monotonic))
        return rf_fail(err, RAFFLE_CLOCK, "the clock leapt forward by %lld s; a supervisor must write clock.reset",
                       (long long)(now - *last_clock) / 1000);
    *last_clock = now;
    *last_monotonic = monotonic;
    *at = reset || now > last_at ? now : last_at;
    return RAFFLE_OK;
}
