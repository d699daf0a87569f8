/* SPDX-License-Identifier: Apache-2.0 */
/* The command as a host. */
#include "host.h"

#include "output.h"
#include "times.h"
#include <raffle/raffle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static raffle_rc read_clock(void *ctx, int64_t *ms, raffle_error *err)
{
    const host *h = ctx;
    struct timespec now;
    if (h->now != INT64_MIN) {
        *ms = h->now;
        return RAFFLE_OK;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return raffle_error_set(err, RAFFLE_HOST, 0, "the system's clock cannot be read");
    *ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return RAFFLE_OK;
}

static void write_log(void *ctx, int32_t level, const char *line)
{
    const host *h = ctx;
    char text[512];
    if (h->quiet || level > RAFFLE_LOG_WARNING)
        return;
    snprintf(text, sizeof text, "%s", line);
    text_clean(text);
    fprintf(stderr, "raffle: %s: %s\n", level == RAFFLE_LOG_ERROR ? "error" : "warning", text);
}

bool host_init(host *h, bool quiet)
{
    const char *replayed = getenv("RAFFLE_CLOCK");
    memset(h, 0, sizeof *h);
    raffle_host_init(&h->table, sizeof h->table);
    h->table.ctx = h;
    h->table.clock = read_clock;
    h->table.log = write_log;
    h->quiet = quiet;
    h->now = INT64_MIN;
    if (replayed == NULL || replayed[0] == 0)
        return true;
    host_replay(h);
    return time_parse(replayed, &h->now);
}

void host_replay(host *h)
{
    h->replayed = true;
    h->table.flags |= RAFFLE_HOST_REPLAYED_CLOCK;
}

void host_set(host *h, int64_t ms)
{
    h->now = ms;
}
