/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of orders, and the search for keys that came twice: a partition in place by the leading bits, then small tables. */
#include "orders.h"

#include "error.h"
#include "sha256.h"
#include <stdlib.h>
#include <string.h>

enum {
    BITS = 8, /* of one step of the partition */
    BUCKETS = 1 << BITS,
    SMALL = 256, /* prints that a table takes */
    TABLE = 4 * SMALL,
    LOOK_MOST = 1024 /* keys that are looked at again: more faults than that are not kept */
};

/* --- the walk --- */

static raffle_rc keep(rf_orders *orders, uint64_t print, raffle_error *err)
{
    if (orders->n == orders->cap) {
        size_t cap = orders->cap > 0 ? orders->cap + orders->cap / 2 : 65536;
        uint64_t *grown = realloc(orders->print, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        orders->print = grown;
        orders->cap = cap;
    }
    orders->print[orders->n++] = print;
    return RAFFLE_OK;
}

static bool is_open(const rf_order_walk *walk)
{
    return walk->next < walk->lines;
}

static void check_beginning(const rf_order_walk *walk, rf_faults *faults, uint32_t log, uint64_t index,
                            const rf_brief *brief)
{
    if (is_open(walk) && !walk->unknown)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index, "order-lines", "the order before has %u of its %u lines",
                 walk->next, walk->lines);
    else if (brief->line != 0 && !walk->unknown)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index, "order-lines", "an order begins with its line %u",
                 brief->line + 1u);
    if (brief->line >= brief->lines)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index, "order-lines", "line %u of an order of %u",
                 brief->line + 1u, (unsigned)brief->lines);
}

raffle_rc rf_orders_add(rf_orders *orders, rf_order_walk *walk, rf_faults *faults, uint32_t log, uint64_t index,
                        const rf_brief *brief, raffle_error *err)
{
    if (is_open(walk) && brief->line == walk->next && brief->lines == walk->lines && brief->order == walk->print) {
        walk->next++;
        walk->unknown = false;
        return RAFFLE_OK;
    }
    check_beginning(walk, faults, log, index, brief);
    *walk = (rf_order_walk){.print = brief->order, .next = brief->line + 1u, .lines = brief->lines};
    return keep(orders, brief->order, err);
}

void rf_orders_unknown(rf_order_walk *walk)
{
    walk->next += is_open(walk);
    walk->unknown = true;
}

void rf_orders_end(rf_order_walk *walk, rf_faults *faults, uint32_t log, uint64_t size)
{
    if (is_open(walk) && !walk->unknown)
        rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, log, size, "order-lines", "the order before has %u of its %u lines",
                 walk->next, walk->lines);
    *walk = (rf_order_walk){0};
}

void rf_orders_clear(rf_orders *orders)
{
    free(orders->print);
    memset(orders, 0, sizeof *orders);
}

/* --- prints that come twice --- */

typedef struct search {
    uint64_t *found; /* the front of the array itself: what is written there was read before */
    size_t cap, n;
    uint64_t extra;
} search;

static void add_found(search *s, uint64_t print)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->found[i] == print)
            return;
    if (s->n < s->cap)
        s->found[s->n++] = print;
}

static void search_small(search *s, const uint64_t *print, size_t n)
{
    uint64_t table[TABLE];
    bool used[TABLE] = {false};
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)(print[i] & (TABLE - 1)); /* the leading bits are alike by now */
        while (used[at] && table[at] != print[i])
            at = (at + 1) & (TABLE - 1);
        if (used[at]) {
            s->extra++;
            add_found(s, print[i]);
        }
        used[at] = true;
        table[at] = print[i];
    }
}

static size_t bucket_of(uint64_t print, int shift)
{
    return (size_t)(print >> shift) & (BUCKETS - 1);
}

/* The partition of McIlroy, Bostic and McIlroy, "Engineering radix sort" (1993): each print is swapped into its bucket. */
static void partition(uint64_t *print, size_t n, int shift, size_t end[BUCKETS])
{
    size_t next[BUCKETS];
    memset(end, 0, BUCKETS * sizeof *end);
    for (size_t i = 0; i < n; i++)
        end[bucket_of(print[i], shift)]++;
    for (size_t b = 0, sum = 0; b < BUCKETS; b++) {
        next[b] = sum;
        sum += end[b];
        end[b] = sum;
    }
    for (size_t b = 0; b < BUCKETS; b++) {
        while (next[b] < end[b]) {
            uint64_t moving = print[next[b]];
            for (size_t to; (to = bucket_of(moving, shift)) != b;) {
                uint64_t other = print[next[to]];
                print[next[to]++] = moving;
                moving = other;
            }
            print[next[b]++] = moving;
        }
    }
}

/* The recursion ends after eight steps, when all bits are used up: what is left are equals. */
static void search_range(search *s, uint64_t *print, size_t n, int shift)
{
    if (n <= SMALL) {
        search_small(s, print, n);
        return;
    }
    if (shift < 0) {
        s->extra += n - 1;
        add_found(s, print[0]);
        return;
    }
    size_t end[BUCKETS];
    partition(print, n, shift, end);
    for (size_t b = 0, from = 0; b < BUCKETS; from = end[b++])
        if (end[b] - from > 1)
            search_range(s, print + from, end[b] - from, shift - BITS);
}

size_t rf_prints_twice(uint64_t *print, size_t n, size_t cap, uint64_t *extra)
{
    uint64_t found[LOOK_MOST];
    search s = {.found = found, .cap = cap < LOOK_MOST ? cap : LOOK_MOST};
    search_range(&s, print, n, 64 - BITS);
    if (s.n > 0)
        memcpy(print, found, s.n * sizeof *found);
    *extra += s.extra;
    return s.n;
}

/* --- where --- */

/* A key that may have come twice, and where it was met. */
typedef struct sighting {
    uint64_t print, index;
    uint32_t log;
    uint8_t hash[32]; /* of the key itself */
} sighting;

typedef struct look {
    const rf_segment_frame *frame;
    const uint64_t *print;
    size_t prints;
    rf_sha256 *hash;
    uint32_t log;
    uint64_t last; /* print of the last order */
    bool has_last;
    sighting *seen;
    size_t n, cap;
} look;

static int compare_prints(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool is_wanted(const look *l, uint64_t print)
{
    return bsearch(&print, l->print, l->prints, sizeof print, compare_prints) != NULL;
}

static raffle_rc add_sighting(look *l, uint64_t print, uint64_t index, const rf_text *order, raffle_error *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 64;
        sighting *grown = realloc(l->seen, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        l->seen = grown;
        l->cap = cap;
    }
    sighting *s = &l->seen[l->n++];
    *s = (sighting){.print = print, .index = index, .log = l->log};
    rf_sha256_of(l->hash, s->hash, order->text, order->length);
    return RAFFLE_OK;
}

static raffle_rc look_at(void *ctx, const raffle_record *record, raffle_error *err)
{
    look *l = ctx;
    rf_private p;
    if (record->private_length == 0 ||
        rf_private_decode(&p, record->private_part, record->private_length, NULL) != RAFFLE_OK)
        return RAFFLE_OK;
    if (!(p.has & rf_bit(RF_P_ORDER))) {
        l->has_last = false;
        return RAFFLE_OK;
    }
    const uint64_t print = rf_order_print(l->frame->order_key, p.order.text, p.order.length);
    const bool same = l->has_last && l->last == print && p.line > 0;
    l->last = print;
    l->has_last = true;
    return same || !is_wanted(l, print) ? RAFFLE_OK : add_sighting(l, print, record->index, &p.order, err);
}

/* Damaged or missing records were reported before. */
static raffle_rc look_through(look *l, uint64_t size, raffle_error *err)
{
    for (uint64_t from = 0; from < size; from += RF_SEGMENT_SIZE) {
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = rf_store_read(l->frame->store, l->log, from, RF_SEGMENT_SIZE, look_at, l, &why);
        if (rc != RAFFLE_OK && rc != RAFFLE_CORRUPT)
            return rf_fail_as(err, &why);
    }
    return RAFFLE_OK;
}

static int compare_keys(const sighting *a, const sighting *b)
{
    if (a->print != b->print)
        return a->print < b->print ? -1 : 1;
    return memcmp(a->hash, b->hash, 32);
}

/* Stable for what qsort() makes of it: log and index decide last. */
static int compare(const void *left, const void *right)
{
    const sighting *a = left, *b = right;
    int keys = compare_keys(a, b);
    if (keys != 0)
        return keys;
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Two stores cannot tell each other what they sell: what a unit that is away sold twice stands in its unit.sync, and needed a second approver at the
 * seal (docs/spec/sales.md). */
static bool is_declared(const rf_control *control, const sighting *a, const sighting *b, uint64_t *declared)
{
    const bool away = (a->log <= control->units && control->unit[a->log - 1].away) ||
                      (b->log <= control->units && control->unit[b->log - 1].away);
    if (!away || *declared == 0)
        return false;
    --*declared;
    return true;
}

static uint64_t report(look *l, const rf_control *control, rf_faults *faults)
{
    uint64_t reported = 0, declared = 0;
    for (size_t i = 0; i < control->units; i++)
        declared += control->unit[i].twice;
    if (l->n > 1)
        qsort(l->seen, l->n, sizeof *l->seen, compare);
    for (size_t i = 1; i < l->n; i++) {
        const sighting *s = &l->seen[i], *first = s - 1;
        if (compare_keys(first, s) != 0 || is_declared(control, first, s, &declared))
            continue;
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, s->log, s->index, "order-twice",
                 "its order key is that of ticket %u/%llu too", first->log, (unsigned long long)first->index);
        reported++;
    }
    return reported;
}

raffle_rc rf_orders_check(rf_orders *orders, const rf_segment_frame *frame, const uint64_t *size, size_t logs,
                          const rf_control *control, rf_faults *faults, raffle_error *err)
{
    look l = {.frame = frame, .print = orders->print};
    uint64_t extra = 0;
    raffle_rc rc = RAFFLE_OK;
    l.prints = rf_prints_twice(orders->print, orders->n, LOOK_MOST, &extra);
    if (l.prints > 0)
        qsort(orders->print, l.prints, sizeof *orders->print, compare_prints);
    if (l.prints > 0 && (l.hash = rf_sha256_new()) == NULL)
        rc = rf_nomem(err);
    for (size_t i = 0; rc == RAFFLE_OK && l.prints > 0 && i < logs; i++) {
        l.log = (uint32_t)i + 1;
        l.has_last = false;
        rc = look_through(&l, size[i], err);
    }
    if (rc == RAFFLE_OK) {
        uint64_t reported = report(&l, control, faults);
        /* Chance makes one in millions of raffles look twice at a key; so many are no chance, and are counted as they are. */
        if (l.prints == LOOK_MOST && extra > reported)
            faults->integrity += extra - reported;
    }
    rf_sha256_free(l.hash);
    free(l.seen);
    rf_orders_clear(orders);
    return rc;
}
