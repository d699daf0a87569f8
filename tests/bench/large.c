/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on a large raffle: opening, drawing, proofs, and the audit on one and two threads. Made once, of RAFFLE_BENCH_SALES sales. */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

static char made[256]; /* the folder of the large raffle, until the program ends */

static void remove_made(void)
{
    bench_remove(made);
}

static void published_path(char out[300])
{
    snprintf(out, 300, "%s/published", made);
}

static void store_path(char out[300])
{
    snprintf(out, 300, "%s/bench.raffle", made);
}

/* BENCH_RUNS draws of each number of winners, in turns. */
static const unsigned winners[] = {1, 10, 1000};

enum {
    WINNERS = sizeof winners / sizeof *winners
};

static void prize_name(char out[RAFFLE_WORD_SIZE], int run, size_t i)
{
    snprintf(out, RAFFLE_WORD_SIZE, "p%d-%u", run, winners[i]);
}

static void write_prizes(char *out, size_t cap)
{
    size_t at = 0;
    char name[RAFFLE_WORD_SIZE];
    for (int run = 0; run < BENCH_RUNS; run++)
        for (size_t i = 0; i < WINNERS; i++) {
            prize_name(name, run, i);
            at += (size_t)snprintf(out + at, cap - at, "%s{\"name\":\"%s\",\"winners\":%u}", at == 0 ? "[" : ",", name,
                                   winners[i]);
        }
    snprintf(out + at, cap - at, "]");
}

void bench_large_make(void)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit *unit = NULL;
    if (made[0] != 0)
        return;
    bench_folder(made);
    atexit(remove_made);
    char prizes[2048];
    write_prizes(prizes, sizeof prizes);
    raffle *r = bench_create(made, prizes);
    bench_check(raffle_unit_open(r, 1, &unit, &err), &err, "unit");
    bench_sell(unit, 1, bench_sales(), 10000, BENCH_UUID7);
    raffle_unit_free(unit);
    raffle_free(r);
    printf("  (%llu sales, %llu draw numbers)\n", (unsigned long long)bench_sales(),
           (unsigned long long)bench_sales() * 10);
}

const char *bench_large_folder(void)
{
    return made;
}

raffle *bench_large_open(void)
{
    char store[300];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    store_path(store);
    bench_check(raffle_open(store, NULL, NULL, &r, &err), &err, "open");
    return r;
}

uint64_t bench_large_seal(raffle *r)
{
    static raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_error err = RAFFLE_ERROR_INIT;
    if (seal.numbers > 0)
        return seal.numbers;
    double began = bench_now();
    bench_check(raffle_seal(r, &boss, NULL, RAFFLE_SEAL_FINAL, &seal, &err), &err, "seal");
    printf("  close and seal, everything folded again: %.2f s\n", bench_now() - began);
    bench_check(raffle_voids_ack(r, &boss, seal.index, &err), &err, "ack");
    return seal.numbers;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Runs `work` in a process of its own, so that its memory is its own. */
static int in_child(void (*work)(void))
{
    int status = 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work();
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status != 0;
}

static void measure_open(void)
{
    double seconds[BENCH_RUNS];
    long before = peak_kib();
    for (int i = 0; i < BENCH_RUNS; i++) {
        double began = bench_now();
        raffle *r = bench_large_open();
        seconds[i] = bench_now() - began;
        raffle_free(r);
    }
    printf("  opening: %.1f ms, %ld KiB more than before\n", bench_median(seconds, BENCH_RUNS) * 1e3,
           peak_kib() - before);
}

int bench_open(void)
{
    bench_large_make();
    return in_child(measure_open);
}

static double draw_prize(raffle *r, raffle_rng *rng, const raffle_actor *by, int run, size_t i)
{
    char name[RAFFLE_WORD_SIZE];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_draw *draw = NULL;
    prize_name(name, run, i);
    bench_check(raffle_draw_begin(r, by, name, NULL, &draw, &err), &err, "begin");
    const double began = bench_now();
    bench_check(raffle_draw_finish(draw, rng, NULL, -1, &err), &err, "finish");
    const double seconds = bench_now() - began;
    raffle_draw_free(draw);
    return seconds;
}

/* What a draw costs beside the provider's call and the commits: beside the same draw of one winner. */
int bench_draw(void)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    double seconds[WINNERS][BENCH_RUNS], median[WINNERS];
    bench_large_make();
    raffle *r = bench_large_open();
    const uint64_t numbers = bench_large_seal(r);
    bench_check(raffle_rng_open("system:", NULL, &rng, &err), &err, "rng");
    for (int run = 0; run < BENCH_RUNS; run++)
        for (size_t i = 0; i < WINNERS; i++)
            seconds[i][run] = draw_prize(r, rng, &boss, run, i);
    for (size_t i = 0; i < WINNERS; i++) {
        median[i] = bench_median(seconds[i], BENCH_RUNS);
        printf(
            "  %4u winners of %llu numbers: %.2f ms with two commits and the provider, %.2f ms beside one winner's\n",
            winners[i], (unsigned long long)numbers, median[i] * 1e3, (median[i] - median[0]) * 1e3);
    }
    raffle_rng_free(rng);
    raffle_free(r);
    return 0;
}

static unsigned audit_threads;

static bool audit_published;

static void measure_audit(void)
{
    char store[300];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_audit *audit = NULL;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    options.threads = audit_threads;
    audit_published ? published_path(store) : store_path(store);
    double began = bench_now();
    bench_check(raffle_audit_run(store, NULL, &options, &audit, &err), &err, "audit");
    double seconds = bench_now() - began;
    bench_check(raffle_audit_verdict(audit, &verdict, &err), &err, "verdict");
    printf("  %u thread%s: %.0f records a second, peak %ld MiB, %s\n", audit_threads, audit_threads == 1 ? "" : "s",
           (double)verdict.records / seconds, peak_kib() / 1024, verdict.passed ? "passed" : "FAILED");
    raffle_audit_free(audit);
}

int bench_audit(void)
{
    int failed = 0;
    bench_large_make();
    for (audit_threads = 1; audit_threads <= 2; audit_threads++)
        failed |= in_child(measure_audit);
    return failed;
}

static void measure_publish(void)
{
    char folder[300];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_publish_info info = RAFFLE_PUBLISH_INFO_INIT;
    published_path(folder);
    raffle *r = bench_large_open();
    for (int again = 0; again < 2; again++) {
        double began = bench_now();
        bench_check(raffle_publish(r, folder, NULL, &info, &err), &err, "publish");
        double seconds = bench_now() - began;
        printf("  %s: %llu records, %llu files, %.0f MB in %.2f s, peak %ld MiB\n", again ? "again" : "publishing",
               (unsigned long long)info.records, (unsigned long long)info.files, (double)info.bytes / 1e6, seconds,
               peak_kib() / 1024);
    }
    raffle_free(r);
}

int bench_publish(void)
{
    int failed = 0;
    bench_large_make();
    failed |= in_child(measure_publish);
    audit_published = true;
    for (audit_threads = 1; audit_threads <= 2; audit_threads++)
        failed |= in_child(measure_audit);
    audit_published = false;
    return failed;
}

int bench_proof(void)
{
    enum {
        PROOFS = 500
    };
    raffle_error err = RAFFLE_ERROR_INIT;
    uint8_t proof[64 * 32], root[32], leaf_hash[32];
    raffle_record record = {.struct_size = sizeof record};
    raffle_cursor *cursor = NULL;
    size_t n = 0;
    uint64_t size = 0;
    double making = 0, verifying = 0;
    bench_large_make();
    raffle *r = bench_large_open();
    bench_check(raffle_root(r, 1, UINT64_MAX, &size, root, &err), &err, "root");
    for (uint64_t i = 0; i < PROOFS; i++) {
        uint64_t index = i * UINT64_C(7919) * 131 % size;
        bench_check(raffle_cursor_open(r, 1, index, &cursor, &err), &err, "cursor");
        bench_check(raffle_cursor_next(cursor, &record, &err), &err, "record");
        bench_check(raffle_leaf_hash(record.leaf, record.leaf_length, leaf_hash, &err), &err, "hash");
        raffle_cursor_free(cursor);
        double began = bench_now();
        bench_check(raffle_inclusion(r, 1, index, size, proof, &n, &err), &err, "proof");
        making += bench_now() - began;
        began = bench_now();
        bench_check(raffle_inclusion_verify(index, size, leaf_hash, proof, n, root, &err), &err, "verify");
        verifying += bench_now() - began;
    }
    printf("  %zu hashes: made in %.0f us, verified in %.1f us\n", n, making / PROOFS * 1e6, verifying / PROOFS * 1e6);
    raffle_free(r);
    return 0;
}
