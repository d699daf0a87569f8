/* SPDX-License-Identifier: Apache-2.0 */
/* A till that sells one ticket at a time beside somebody who imports batches of 1,000: a thread or a process, in its unit or in another one. */
#include "bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SALES = 1000,    /* of the till's, each scenario */
    PAUSE_US = 2000, /* between two of them */
    BATCH = 1000,
    IMPORTERS = 2 /* at most */
};

/* Shared with the processes. */
typedef struct import {
    atomic_bool stop;
    atomic_ulong batches;
} import;

typedef struct scenario {
    const char *what;
    int threads, processes;
    uint32_t unit; /* that they import into; the till is unit 1 */
} scenario;

static const scenario scenarios[] = {{"alone", 0, 0, 0},
                                     {"a thread, same unit", 1, 0, 1},
                                     {"a thread, another unit", 1, 0, 2},
                                     {"a process, same unit", 0, 1, 1},
                                     {"a process, another unit", 0, 1, 2},
                                     {"two processes, another unit", 0, 2, 2},
                                     {"a thread and a process, another unit", 1, 1, 2}};

static uint64_t runs; /* each importer's order keys are its own */

typedef struct importer {
    import *shared;
    raffle_unit *unit;
    uint64_t run;
    pthread_t thread;
} importer;

static void *work(void *ctx)
{
    importer *m = ctx;
    for (uint64_t i = 0; !atomic_load(&m->shared->stop); i++) {
        bench_sell_stride(m->unit, m->run, i * BATCH, 1, BATCH, BATCH, BENCH_UUID7);
        atomic_fetch_add(&m->shared->batches, 1);
    }
    return NULL;
}

static raffle *open_unit(const char *store, uint32_t number, raffle_unit **unit)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    bench_check(raffle_open(store, NULL, NULL, &r, &err), &err, "open");
    bench_check(raffle_unit_open(r, number, unit, &err), &err, "unit");
    return r;
}

static pid_t start_process(const char *store, const scenario *s, import *shared, uint64_t run)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    importer m = {.shared = shared, .run = run};
    raffle *r = open_unit(store, s->unit, &m.unit);
    work(&m);
    raffle_unit_free(m.unit);
    raffle_free(r);
    _exit(0);
}

static void sleep_us(long us)
{
    const struct timespec pause = {.tv_nsec = us * 1000};
    nanosleep(&pause, NULL);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The till's latencies, in milliseconds, ascending; returns the seconds it took. */
static double sell_at_till(raffle_unit *unit, uint64_t run, double ms[SALES])
{
    const double began = bench_now();
    for (uint64_t i = 0; i < SALES; i++) {
        ms[i] = bench_sell_stride(unit, run, i, 1, 1, 1, BENCH_UUID7) * 1000;
        sleep_us(PAUSE_US);
    }
    qsort(ms, SALES, sizeof *ms, compare);
    return bench_now() - began;
}

static void print(const char *what, const double ms[SALES], double import_rate)
{
    printf("  %-38s p50 %6.2f  p99 %6.2f  max %6.2f ms; imported %.0f a second\n", what, ms[SALES / 2],
           ms[SALES * 99 / 100], ms[SALES - 1], import_rate);
    fflush(stdout);
}

static void run_scenario(const char *store, const scenario *s, import *shared)
{
    pid_t pid[IMPORTERS];
    importer m[IMPORTERS];
    double ms[SALES];
    raffle_unit *till = NULL;
    atomic_store(&shared->stop, false);
    atomic_store(&shared->batches, 0);
    for (int i = 0; i < s->processes; i++)
        pid[i] = start_process(store, s, shared, ++runs);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = open_unit(store, 1, &till);
    for (int i = 0; i < s->threads; i++) {
        m[i] = (importer){.shared = shared, .run = ++runs};
        bench_check(raffle_unit_open(r, s->unit, &m[i].unit, &err), &err, "unit");
        pthread_create(&m[i].thread, NULL, work, &m[i]);
    }
    bench_sell_stride(till, ++runs, 0, 1, 1, 1, BENCH_UUID7); /* the first sale of a handle verifies what is there */
    while (s->threads + s->processes > 0 && atomic_load(&shared->batches) < 2)
        sleep_us(PAUSE_US);
    const unsigned long before = atomic_load(&shared->batches);
    const double seconds = sell_at_till(till, ++runs, ms);
    print(s->what, ms, (double)(atomic_load(&shared->batches) - before) * BATCH / seconds);
    atomic_store(&shared->stop, true);
    for (int i = 0; i < s->threads; i++) {
        pthread_join(m[i].thread, NULL);
        raffle_unit_free(m[i].unit);
    }
    for (int i = 0; i < s->processes; i++)
        waitpid(pid[i], NULL, 0);
    raffle_unit_free(till);
    raffle_free(r);
}

int bench_till(void)
{
    char folder[256], store[300];
    import *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    bench_folder(folder);
    snprintf(store, sizeof store, "%s/bench.raffle", folder);
    raffle_free(bench_create_units(store, NULL, 2, "[{\"name\":\"first\"}]"));
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        run_scenario(store, &scenarios[i], shared);
    bench_remove(folder);
    munmap(shared, sizeof *shared);
    return 0;
}
