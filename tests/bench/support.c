/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, clocks, medians, and raffles to be measured. */
#include "bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

uint64_t bench_sales(void)
{
    return number_of("RAFFLE_BENCH_SALES", 1000000);
}

uint64_t bench_voids(void)
{
    return number_of("RAFFLE_BENCH_VOIDS", 2000);
}

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

void bench_print(const char *what, double a, double b, const char *unit)
{
    printf("  %s: %.0f against %.0f %s, ratio %.2f\n", what, a, b, unit, a / b);
}

void bench_folder(char out[256])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(out, 256, "%s/raffle-bench-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(out) == NULL) {
        perror(out);
        exit(1);
    }
}

void bench_remove(const char *folder)
{
    char path[600];
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR)
            bench_remove(path);
        else
            unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

void bench_check(raffle_rc rc, const raffle_error *err, const char *what)
{
    if (rc == RAFFLE_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, raffle_rc_name(rc), err->message);
    exit(1);
}

/* "[{"name":"unit 1"},…]" */
static void list_units(char *out, size_t cap, unsigned units)
{
    size_t at = 0;
    for (unsigned i = 1; i <= units && at < cap; i++)
        at += (size_t)snprintf(out + at, cap - at, "%s{\"name\":\"unit %u\"}", i == 1 ? "[" : ",", i);
    snprintf(out + at, cap - at, "]");
}

raffle *bench_create_units(const char *store, const char *keys, unsigned units, const char *prizes)
{
    static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);
    raffle_error err = RAFFLE_ERROR_INIT;
    char rules[4096], list[2048], opens[32], closes[32];
    raffle *r = NULL;
    const char *origin = strchr(store, '#'); /* picks a raffle where a store holds several */
    time_t now = time(NULL), from = now - 86400, until = now + 86400;
    struct tm tm;
    strftime(opens, sizeof opens, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&from, &tm));
    strftime(closes, sizeof closes, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&until, &tm));
    list_units(list, sizeof list, units);
    int length = snprintf(
        rules, sizeof rules,
        "{\"origin\":\"%s\",\"name\":\"Bench\",\"organisation\":\"Bench\",\"currency\":\"CAD\","
        "\"sales\":{\"opens\":\"%s\",\"closes\":\"%s\"},\"tiers\":[{\"name\":\"10-for-10\",\"count\":10,\"price\":1000}"
        ","
        "{\"name\":\"200-for-50\",\"count\":200,\"price\":5000}],\"units\":%s,\"prizes\":%s}",
        origin == NULL ? "raffle.example/bench" : origin + 1, opens, closes, list, prizes);
    bench_check(raffle_create(store, keys, NULL, rules, (size_t)length, &boss, &r, &err), &err, "create");
    return r;
}

raffle *bench_create(const char *folder, const char *prizes)
{
    char store[300];
    snprintf(store, sizeof store, "%s/bench.raffle", folder);
    return bench_create_units(store, NULL, 1, prizes);
}

/* A 64-bit mix of a counter: reproducible, and as good as random for an index. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void bench_order_key(char out[RAFFLE_NAME_SIZE], bench_keys kind, uint64_t run, uint64_t i)
{
    const uint64_t a = mix(run << 40 | i), b = mix(a);
    const uint64_t ms = kind == BENCH_UUID7 ? UINT64_C(1790000000000) + (run << 24) + i / 20 : mix(b) & 0xffffffffffff;
    memset(out, 0, RAFFLE_NAME_SIZE);
    snprintf(out, RAFFLE_NAME_SIZE, "%08llx-%04llx-%c%03llx-%04llx-%012llx", (unsigned long long)(ms >> 16),
             (unsigned long long)(ms & 0xffff), kind == BENCH_UUID7 ? '7' : '4', (unsigned long long)(a & 0xfff),
             (unsigned long long)(0x8000 | (a >> 12 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
}

double bench_sell(raffle_unit *unit, uint64_t run, uint64_t n, size_t batch, bench_keys kind)
{
    return bench_sell_stride(unit, run, 0, 1, n, batch, kind);
}

double bench_sell_stride(raffle_unit *unit, uint64_t run, uint64_t first, uint64_t stride, uint64_t n, size_t batch,
                         bench_keys kind)
{
    static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_sale *sales = calloc(batch, sizeof *sales);
    raffle_ticket *tickets = calloc(batch, sizeof *tickets);
    double seconds = 0;
    for (uint64_t done = 0; done < n; done += batch) {
        size_t m = n - done < batch ? (size_t)(n - done) : batch;
        for (size_t i = 0; i < m; i++) {
            raffle_sale_init(&sales[i], sizeof sales[i]);
            raffle_ticket_init(&tickets[i], sizeof tickets[i]);
            bench_order_key(sales[i].order, kind, run, first + (done + i) * stride);
            memcpy(sales[i].tier, "10-for-10", 10);
        }
        double begin = bench_now();
        bench_check(raffle_unit_sell(unit, &ann, sales, m, -1, tickets, &err), &err, "sell");
        seconds += bench_now() - begin;
    }
    free(sales);
    free(tickets);
    return seconds;
}
