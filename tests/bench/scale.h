/* SPDX-License-Identifier: Apache-2.0 */
/* What the curves and the pattern that they are compared with share. */
#ifndef BENCH_SCALE_H
#define BENCH_SCALE_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCALE_CLIENTS_MAX = 256
};

/* One point: how many sales a second, and how long one took. */
typedef struct scale_point {
    double per_second, p50_ms, p99_ms;
} scale_point;

/* Runs `client` in as many threads for `seconds`; each calls scale_go_on() with the start of each sale until that says no. */
typedef struct scale_client scale_client;
scale_point scale_run(unsigned clients, double seconds, void *(*client)(void *), void *shared);
unsigned scale_number(const scale_client *c); /* from 0 */
void *scale_shared(const scale_client *c);
int scale_go_on(scale_client *c); /* 0: it is over; else the last sale, if any, is counted, and the next begins */

/* The pattern that AWS recommends in place of its ledger database: a hash chain by a trigger, one row a transaction. `server`: of libpq. */
scale_point aws_pattern_run(const char *server, unsigned clients, double seconds);

#endif
