/* SPDX-License-Identifier: Apache-2.0 */
/* The night's end: sealed, acknowledged, drawn and audited; and every answer counted against what is there. */
#include "night.h"

#include <raffle/ext/rng.h>
#include <stdio.h>
#include <stdlib.h>

static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

static unsigned fault(bool found, const char *what, uint64_t order)
{
    if (found)
        printf("  FAULT: %s, order %llu\n", what, (unsigned long long)order);
    return found;
}

static unsigned expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected)
        printf("  FAULT: %s: %llu, not %llu\n", what, (unsigned long long)found, (unsigned long long)expected);
    return found != expected;
}

/* Every sending was answered, both with the same ticket, and one of them sold it. */
static unsigned count_answers(const night *n)
{
    unsigned faults = 0;
    for (uint64_t i = 0; i < n->options.orders; i++) {
        const night_answer *a = &n->answer[i], *b = &n->again[i];
        faults += fault(a->unit == 0, "no answer", i);
        if (!night_twice(i))
            continue;
        faults += fault(b->unit != a->unit || b->serial != a->serial || b->first != a->first, "two tickets", i);
        faults += fault((a->replayed != 0) == (b->replayed != 0), "sold twice, or never", i);
    }
    return faults;
}

static int compare(const void *a, const void *b)
{
    const night_answer *x = a, *y = b;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* No draw number is on two tickets, and none is missing between them. */
static unsigned count_numbers(const night *n)
{
    unsigned faults = 0;
    const uint64_t orders = n->options.orders;
    night_answer *sorted = malloc(orders * sizeof *sorted);
    if (sorted == NULL)
        return 1;
    for (uint64_t i = 0; i < orders; i++)
        sorted[i] = n->answer[i];
    qsort(sorted, orders, sizeof *sorted, compare);
    for (uint64_t i = 0; i < orders; i++) {
        const bool begins = i == 0 || sorted[i].unit != sorted[i - 1].unit;
        const uint64_t next = begins ? 1 : sorted[i - 1].first + NIGHT_COUNT;
        faults += fault(sorted[i].first != next, "a gap or a number on two tickets", i);
    }
    free(sorted);
    return faults;
}

/* What is in the store under an order's key is what was answered; of every tenth. */
static unsigned look_up(const night *n)
{
    unsigned faults = 0;
    raffle_error err = RAFFLE_ERROR_INIT;
    for (uint64_t i = 0; i < n->options.orders; i += 10) {
        char key[RAFFLE_NAME_SIZE];
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        size_t found = 0;
        bench_order_key(key, BENCH_UUID7, 0, i);
        bench_check(raffle_order_tickets(n->r, key, &ticket, 1, &found, &err), &err, "order");
        const night_answer *a = &n->answer[i];
        faults += fault(found != 1 || ticket.unit != a->unit || ticket.serial != a->serial, "another ticket", i);
        faults += fault(((ticket.flags & RAFFLE_TICKET_VOID) != 0) != night_void(n, i), "void, or not", i);
    }
    return faults;
}

unsigned night_count(night *n)
{
    const night_options *o = &n->options;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_info info = RAFFLE_INFO_INIT;
    bench_check(raffle_describe(n->r, &info, &err), &err, "describe");
    unsigned faults = expect("tickets", info.tickets, o->orders) + expect("voids", info.voids, o->voids);
    faults += expect("draw numbers", info.numbers, o->orders * NIGHT_COUNT);
    faults += expect("money", (uint64_t)info.gross, o->orders * 5000);
    return faults + count_answers(n) + count_numbers(n) + look_up(n);
}

static double since(double *then)
{
    const double now = bench_now(), took = now - *then;
    *then = now;
    return took;
}

static unsigned draw(night *n)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_draw *drawn = NULL;
    raffle_rng *rng = NULL;
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    bench_check(raffle_draw_begin(n->r, &boss, "first", NULL, &drawn, &err), &err, "draw");
    bench_check(raffle_rng_open("system:", NULL, &rng, &err), &err, "system:");
    bench_check(raffle_draw_finish(drawn, rng, NULL, -1, &err), &err, "draw");
    raffle_rng_free(rng);
    raffle_draw_free(drawn);
    bench_check(raffle_prize_by_name(n->r, "first", &prize, &err), &err, "prize");
    return expect("places", prize.places, 10);
}

static unsigned audit(night *n)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    bench_check(raffle_audit_store(n->options.store, NULL, NULL, &verdict, &err), &err, "audit");
    unsigned faults = expect("faults of the audit", verdict.faults, 0);
    faults += expect("audited tickets", verdict.tickets, n->options.orders);
    faults += expect("audited voids", verdict.voids, n->options.voids);
    return faults + expect("audited draw numbers", verdict.numbers, n->options.orders * NIGHT_COUNT);
}

unsigned night_end(night *n)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    double then = bench_now();
    bench_check(raffle_seal(n->r, &boss, NULL, RAFFLE_SEAL_FINAL, &seal, &err), &err, "seal");
    bench_check(raffle_voids_ack(n->r, &boss, seal.index, &err), &err, "acknowledge");
    printf("  closed, folded again, sealed, acknowledged: %.2f s\n", since(&then));
    unsigned faults = expect("sealed draw numbers", seal.numbers, n->options.orders * NIGHT_COUNT);
    faults += expect("sealed voids", seal.voids, n->options.voids);
    faults += draw(n);
    printf("  drawn, 10 winners of %llu: %.1f ms\n", (unsigned long long)seal.numbers, since(&then) * 1000);
    faults += audit(n);
    printf("  audited: %.2f s\n", since(&then));
    return faults;
}
