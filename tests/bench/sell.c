/* SPDX-License-Identifier: Apache-2.0 */
/* Selling: in batches, one by one, and from many threads, each against bare SQLite. */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int compare_batches(const char *what, uint64_t n, size_t batch, bench_keys kind)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    double mine[BENCH_RUNS], bare_rate[BENCH_RUNS];
    char folder[256];
    raffle_unit *unit = NULL;
    bench_folder(folder);
    raffle *r = bench_create(folder, "[{\"name\":\"first\"}]");
    bench_bare *bare = bench_bare_open(folder);
    bench_check(raffle_unit_open(r, 1, &unit, &err), &err, "unit");
    bench_sell(unit, 1000, batch, batch, kind); /* warm */
    bench_bare_insert(bare, 1000, batch, batch, kind);
    for (uint64_t run = 0; run < BENCH_RUNS; run++) {
        mine[run] = (double)n / bench_sell(unit, run, n, batch, kind);
        bare_rate[run] = (double)n / bench_bare_insert(bare, run, n, batch, kind);
    }
    bench_print(what, bench_median(mine, BENCH_RUNS), bench_median(bare_rate, BENCH_RUNS), "sales a second");
    bench_bare_close(bare);
    raffle_unit_free(unit);
    raffle_free(r);
    bench_remove(folder);
    return 0;
}

int bench_sell_uuid7(void)
{
    return compare_batches("batches of 1,000, UUIDv7", 200000, 1000, BENCH_UUID7);
}

int bench_sell_random(void)
{
    return compare_batches("batches of 1,000, random", 100000, 1000, BENCH_RANDOM);
}

int bench_sell_one(void)
{
    return compare_batches("one by one", 3000, 1, BENCH_UUID7);
}

/* --- threads --- */

/* Commits are counted where SQLite makes them durable: this definition comes before libc's. */
static atomic_ulong syncs;

int fdatasync(int fd);
int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

typedef struct seller {
    raffle_unit *unit;
    uint64_t run, number, threads, n;
    pthread_t thread;
} seller;

static void *work(void *ctx)
{
    seller *s = ctx;
    bench_sell_stride(s->unit, 100 + s->run, s->number, s->threads, s->n, 1, BENCH_UUID7);
    return NULL;
}

int bench_sell_threads(void)
{
    enum {
        THREADS = 32,
        EACH = 1500
    };
    raffle_error err = RAFFLE_ERROR_INIT;
    char folder[256];
    raffle_unit *unit = NULL;
    double one[BENCH_RUNS], many[BENCH_RUNS], group[BENCH_RUNS];
    bench_folder(folder);
    raffle *r = bench_create(folder, "[{\"name\":\"first\"}]");
    bench_check(raffle_unit_open(r, 1, &unit, &err), &err, "unit");
    for (uint64_t run = 0; run < BENCH_RUNS; run++) {
        seller sellers[THREADS];
        one[run] = 2000 / bench_sell(unit, run, 2000, 1, BENCH_UUID7);
        double began = bench_now();
        unsigned long before = atomic_load(&syncs);
        for (uint64_t i = 0; i < THREADS; i++) {
            sellers[i] = (seller){.unit = unit, .run = run, .number = i, .threads = THREADS, .n = EACH};
            pthread_create(&sellers[i].thread, NULL, work, &sellers[i]);
        }
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(sellers[i].thread, NULL);
        many[run] = THREADS * EACH / (bench_now() - began);
        group[run] = THREADS * EACH / (double)(atomic_load(&syncs) - before);
    }
    printf("  records a commit: %.1f\n", bench_median(group, BENCH_RUNS));
    bench_print("32 threads against one", bench_median(many, BENCH_RUNS), bench_median(one, BENCH_RUNS),
                "sales a second");
    raffle_unit_free(unit);
    raffle_free(r);
    bench_remove(folder);
    return 0;
}
