/* SPDX-License-Identifier: Apache-2.0 */
/* What the command lends to the library: a clock, the system's or a replayed one, and its log. */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <raffle/ext/host.h>
#include <stdbool.h>

typedef struct host {
    raffle_host table; /* to be given at every open */
    bool quiet;        /* log lines are dropped */
    bool replayed;
    int64_t now; /* of a replayed clock; INT64_MIN: not set yet, the system's time */
} host;

/* The environment's RAFFLE_CLOCK, when it is set, is a replayed clock that stands still. False: it is no time. */
bool host_init(host *h, bool quiet);

/* From now on the clock is replayed; it stands where it is set. Before the raffle is opened. */
void host_replay(host *h);
void host_set(host *h, int64_t ms);

#endif
