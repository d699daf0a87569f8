/* SPDX-License-Identifier: Apache-2.0 */
/* The night's sending: a thread a unit, one order a call, at a rate whose clock does not wait for answers, or flat out; and the taking back. */
#include "night.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Syncs are counted where SQLite makes them: this definition comes before libc's. */
static atomic_ulong syncs, sync_us;

int fdatasync(int fd);
int fdatasync(int fd)
{
    const double began = bench_now();
    const int rc = (int)syscall(SYS_fdatasync, fd);
    atomic_fetch_add(&syncs, 1);
    atomic_fetch_add(&sync_us, (unsigned long)((bench_now() - began) * 1e6));
    return rc;
}

bool night_twice(uint64_t order)
{
    return order % 20 == 7;
}

unsigned night_unit(const night *n, uint64_t order, bool again)
{
    const unsigned elsewhere = again && order % 40 == 7 ? 1 + (unsigned)(order / 40 % (n->options.units - 1)) : 0;
    return (unsigned)((order + elsewhere) % n->options.units);
}

bool night_void(const night *n, uint64_t order)
{
    const uint64_t v = n->options.voids, all = n->options.orders;
    return (order + 1) * v / all > order * v / all;
}

typedef struct till {
    night *n;
    unsigned unit; /* from 0 */
    uint64_t from, to;
    double rate, began;
    uint64_t calls;
    pthread_t thread;
} till;

static void wait_until(double when)
{
    const struct timespec t = {.tv_sec = (time_t)when, .tv_nsec = (long)((when - (double)(time_t)when) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        ;
}

static void send_order(till *t, uint64_t order, night_answer *answer)
{
    static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_sale sale = RAFFLE_SALE_INIT;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    bench_order_key(sale.order, BENCH_UUID7, 0, order);
    memcpy(sale.tier, "200-for-50", sizeof "200-for-50");
    bench_check(raffle_unit_sell(t->n->unit[t->unit], &ann, &sale, 1, -1, &ticket, &err), &err, "sell");
    *answer = (night_answer){.unit = ticket.unit,
                             .replayed = ticket.flags & RAFFLE_TICKET_REPLAYED,
                             .serial = ticket.serial,
                             .first = ticket.first};
    t->calls++;
}

/* An order's second sending goes out at the time of its first, by whichever thread has the unit: either may come first. */
static void *sell(void *ctx)
{
    till *t = ctx;
    for (uint64_t i = t->from; i < t->to; i++) {
        const bool first = night_unit(t->n, i, false) == t->unit;
        const bool again = night_twice(i) && night_unit(t->n, i, true) == t->unit;
        const double due = t->rate > 0 ? t->began + (double)(i - t->from) / t->rate : 0;
        if ((first || again) && t->rate > 0)
            wait_until(due);
        if (first)
            send_order(t, i, &t->n->answer[i]);
        if (first && t->rate > 0)
            t->n->ms[i] = (float)((bench_now() - due) * 1000);
        if (again)
            send_order(t, i, &t->n->again[i]);
    }
    return NULL;
}

static void *take_back(void *ctx)
{
    static const raffle_actor sue = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR);
    raffle_error err = RAFFLE_ERROR_INIT;
    till *t = ctx;
    for (uint64_t i = 0; i < t->n->options.orders; i++) {
        const night_answer *a = &t->n->answer[i];
        if (a->unit != t->unit + 1 || !night_void(t->n, i))
            continue;
        bench_check(raffle_void(t->n->r, &sue, a->unit, a->serial, "refund", &err), &err, "void");
        t->calls++;
    }
    return NULL;
}

static double processor_now(void)
{
    double seconds = 0;
    for (int i = 0; i < 2; i++) {
        struct rusage u;
        getrusage(i == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN, &u);
        seconds += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec);
        seconds += (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    }
    return seconds;
}

static night_stretch run(night *n, void *(*work)(void *), uint64_t from, uint64_t to, double rate)
{
    till tills[NIGHT_UNITS_MAX];
    night_stretch s = {.seconds = 0};
    atomic_store(&syncs, 0);
    atomic_store(&sync_us, 0);
    const double processor = processor_now(), began = bench_now();
    for (unsigned u = 0; u < n->options.units; u++) {
        tills[u] = (till){.n = n, .unit = u, .from = from, .to = to, .rate = rate, .began = began};
        if (pthread_create(&tills[u].thread, NULL, work, &tills[u]) != 0) {
            perror("thread");
            exit(1);
        }
    }
    for (unsigned u = 0; u < n->options.units; u++) {
        pthread_join(tills[u].thread, NULL);
        s.calls += tills[u].calls;
    }
    s.seconds = bench_now() - began;
    s.processor = processor_now() - processor;
    s.syncs = atomic_load(&syncs);
    s.sync_seconds = (double)atomic_load(&sync_us) / 1e6;
    return s;
}

night_stretch night_sell(night *n, uint64_t from, uint64_t to, double rate)
{
    return run(n, sell, from, to, rate);
}

night_stretch night_take_back(night *n)
{
    return run(n, take_back, 0, 0, 0);
}
