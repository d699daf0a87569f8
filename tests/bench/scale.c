/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Curves: sales one by one, durable, by 1 to 64 clients into 1 to 16 units of one raffle; JSON, a line a point. On PostgreSQL beside each the pattern of a
 * hash chain by a trigger, on the same server. tests/bench/plot.py draws them.
 * Usage: scale [--store URI] [--server URI] [--seconds N] [--units N] [--clients N] [--rounds N]
 */
#include "scale.h"

#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNITS_MAX = 16,
    SAMPLES = 100000 /* latencies that one client keeps at most */
};

struct scale_client {
    unsigned number;
    void *shared;
    double until, began;
    size_t n, kept;
    float *ms;
    pthread_t thread;
};

unsigned scale_number(const scale_client *c)
{
    return c->number;
}

void *scale_shared(const scale_client *c)
{
    return c->shared;
}

int scale_go_on(scale_client *c)
{
    const double now = bench_now();
    if (c->began > 0) {
        c->n++;
        if (c->kept < SAMPLES)
            c->ms[c->kept++] = (float)((now - c->began) * 1000);
    }
    c->began = now;
    return now < c->until;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Takes the clients' samples together. */
static scale_point sum_up(const scale_client *c, unsigned clients, double seconds)
{
    size_t n = 0, kept = 0;
    for (unsigned i = 0; i < clients; i++) {
        n += c[i].n;
        kept += c[i].kept;
    }
    float *all = malloc((kept + 1) * sizeof *all);
    if (all == NULL || kept == 0)
        exit(1);
    kept = 0;
    for (unsigned i = 0; i < clients; i++) {
        memcpy(all + kept, c[i].ms, c[i].kept * sizeof *all);
        kept += c[i].kept;
    }
    qsort(all, kept, sizeof *all, compare);
    const scale_point p = {(double)n / seconds, (double)all[kept / 2], (double)all[kept * 99 / 100]};
    free(all);
    return p;
}

scale_point scale_run(unsigned clients, double seconds, void *(*client)(void *), void *shared)
{
    static scale_client c[SCALE_CLIENTS_MAX];
    const double began = bench_now();
    for (unsigned i = 0; i < clients; i++) {
        c[i] = (scale_client){.number = i, .shared = shared, .until = began + seconds};
        c[i].ms = malloc(SAMPLES * sizeof *c[i].ms);
        if (c[i].ms == NULL || pthread_create(&c[i].thread, NULL, client, &c[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < clients; i++)
        pthread_join(c[i].thread, NULL);
    const scale_point p = sum_up(c, clients, bench_now() - began);
    for (unsigned i = 0; i < clients; i++)
        free(c[i].ms);
    return p;
}

/* --- the raffle's clients --- */

typedef struct raffle_clients {
    raffle_unit **unit;
    unsigned units;
    atomic_ulong next; /* order */
} raffle_clients;

static void *sell(void *ctx)
{
    static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    scale_client *c = ctx;
    raffle_clients *r = scale_shared(c);
    raffle_unit *unit = r->unit[scale_number(c) % r->units];
    raffle_error err = RAFFLE_ERROR_INIT;
    while (scale_go_on(c)) {
        raffle_sale sale = RAFFLE_SALE_INIT;
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        bench_order_key(sale.order, BENCH_UUID7, 0, atomic_fetch_add(&r->next, 1));
        memcpy(sale.tier, "10-for-10", 10);
        bench_check(raffle_unit_sell(unit, &ann, &sale, 1, -1, &ticket, &err), &err, "sell");
    }
    return NULL;
}

typedef struct options {
    char store[512];
    const char *server; /* NULL: no pattern beside */
    double seconds;
    unsigned units, clients, rounds; /* the most */
} options;

static void print(const char *kind, unsigned units, unsigned clients, scale_point p)
{
    printf("{\"store\":\"%s\",\"units\":%u,\"clients\":%u,\"per_second\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n", kind,
           units, clients, p.per_second, p.p50_ms, p.p99_ms);
    fflush(stdout);
}

static void run_round(const options *o, raffle_clients *r)
{
    const char *kind = strncmp(o->store, "postgres", 8) == 0 ? "postgresql" : "sqlite";
    for (unsigned clients = 1; clients <= o->clients; clients *= 2) {
        for (r->units = 1; r->units <= o->units && r->units <= clients; r->units *= 2)
            print(kind, r->units, clients, scale_run(clients, o->seconds, sell, r));
#ifdef RAFFLE_WITH_POSTGRES
        if (o->server != NULL)
            print("hash-chain-trigger", 1, clients, aws_pattern_run(o->server, clients, o->seconds));
#endif
    }
}

static int take_option(options *o, const char *name, const char *value)
{
    if (strcmp(name, "--store") == 0)
        snprintf(o->store, sizeof o->store, "%s", value);
    else if (strcmp(name, "--server") == 0)
        o->server = value;
    else if (strcmp(name, "--seconds") == 0)
        o->seconds = strtod(value, NULL);
    else if (strcmp(name, "--units") == 0)
        o->units = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--clients") == 0)
        o->clients = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--rounds") == 0)
        o->rounds = (unsigned)strtoul(value, NULL, 10);
    else
        return 0;
    return o->units >= 1 && o->units <= UNITS_MAX && o->clients >= 1 && o->clients <= SCALE_CLIENTS_MAX;
}

int main(int argc, char **argv)
{
    options o = {.seconds = 1, .units = 16, .clients = 64, .rounds = 1};
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit *unit[UNITS_MAX] = {NULL};
    raffle_clients r = {.unit = unit};
    char folder[256], keys[300];
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !take_option(&o, argv[i], argv[i + 1])) {
            fputs("usage: scale [--store URI] [--server URI] [--seconds N] [--units N] [--clients N] [--rounds N]\n",
                  stderr);
            return 2;
        }
    }
    bench_folder(folder);
    if (o.store[0] == 0)
        snprintf(o.store, sizeof o.store, "sqlite:%s/scale.raffle", folder);
    snprintf(keys, sizeof keys, "file:%s/scale.keys", folder);
    raffle *raffle_ = bench_create_units(o.store, keys, UNITS_MAX, "[{\"name\":\"first\"}]");
    for (unsigned u = 0; u < UNITS_MAX; u++)
        bench_check(raffle_unit_open(raffle_, u + 1, &unit[u], &err), &err, "unit");
    for (unsigned i = 0; i < o.rounds; i++)
        run_round(&o, &r);
    for (unsigned u = 0; u < UNITS_MAX; u++)
        raffle_unit_free(unit[u]);
    raffle_free(raffle_);
    bench_remove(folder);
    return 0;
}
