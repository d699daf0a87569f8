/* SPDX-License-Identifier: Apache-2.0 */
/* Voids: sorted by serial, so that one pass over the sales and one over the keys suffices. */
#include "voids.h"

#include "bytes.h"
#include "error.h"
#include "fold_keys.h"
#include <stdlib.h>
#include <string.h>

enum {
    RUN_GAP = 32 /* sales between two voids that are read along rather than sought past */
};

raffle_rc rf_voids_add(rf_voids *voids, const rf_void *one, raffle_error *err)
{
    if (voids->n == voids->cap) {
        size_t cap = voids->cap > 0 ? 2 * voids->cap : 64;
        rf_void *grown = realloc(voids->list, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        voids->list = grown;
        voids->cap = cap;
    }
    voids->list[voids->n++] = *one;
    return RAFFLE_OK;
}

void rf_voids_clear(rf_voids *voids)
{
    free(voids->list);
    memset(voids, 0, sizeof *voids);
}

/* --- each ticket once --- */

/* The unit's own log first: the control log takes voids when the unit is closed. */
static int compare(const void *left, const void *right)
{
    const rf_void *a = left, *b = right;
    if (a->serial != b->serial)
        return a->serial < b->serial ? -1 : 1;
    if (a->log != b->log)
        return a->log != 0 ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void drop_repeated(const rf_void_frame *f, rf_voids *voids)
{
    size_t kept = 0;
    for (size_t i = 0; i < voids->n; i++) {
        const rf_void *v = &voids->list[i];
        if (kept > 0 && voids->list[kept - 1].serial == v->serial)
            rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "void-twice",
                     "ticket %u/%llu is void already, by record %llu of log %u", f->unit, (unsigned long long)v->serial,
                     (unsigned long long)voids->list[kept - 1].index, voids->list[kept - 1].log);
        else
            voids->list[kept++] = *v;
    }
    voids->n = kept;
}

/* --- against the sales --- */

typedef struct sales {
    const rf_void_frame *frame;
    rf_voids *voids;
    size_t next; /* the void that is looked for */
} sales;

static int32_t tier_of(const rf_rules *rules, const rf_record *sale)
{
    return rules != NULL && sale->type == RF_SALE ? rf_rules_tier(rules, sale->tier.text, sale->tier.length) : -1;
}

static void compare_sale(const rf_void_frame *f, rf_void *v, const rf_record *sale)
{
    v->tier = tier_of(f->rules, sale);
    if (sale->type != RF_SALE)
        rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "void",
                 "record %llu of unit %u is a %s, and no ticket", (unsigned long long)v->serial, f->unit,
                 rf_type_name(sale->type));
    else if (sale->count != v->count || sale->price != v->price)
        rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "void",
                 "ticket %u/%llu was sold with %lld numbers for %lld, not %u for %lld", f->unit,
                 (unsigned long long)v->serial, (long long)sale->count, (long long)sale->price, v->count,
                 (long long)v->price);
    else if (v->log == 0 && sale->at - v->at > f->doubt_ms)
        rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "void",
                 "ticket %u/%llu was void %lld s before it was sold", f->unit, (unsigned long long)v->serial,
                 (long long)(sale->at - v->at) / 1000);
}

/* A record that does not decode was reported before. */
static raffle_rc take_sale(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    sales *s = ctx;
    rf_record record;
    (void)err;
    if (s->next == s->voids->n || s->voids->list[s->next].serial != bytes->index)
        return RAFFLE_OK;
    if (rf_record_decode(&record, bytes->leaf, bytes->leaf_length, NULL) == RAFFLE_OK)
        compare_sale(s->frame, &s->voids->list[s->next], &record);
    s->next++;
    return RAFFLE_OK;
}

/* The voids from `first` on whose sales lie close together. */
static size_t run_end(const rf_voids *voids, size_t first, uint64_t size)
{
    size_t end = first + 1;
    while (end < voids->n && voids->list[end].serial < size &&
           voids->list[end].serial - voids->list[end - 1].serial <= RUN_GAP)
        end++;
    return end;
}

static raffle_rc check_sales(const rf_void_frame *f, rf_voids *voids, raffle_error *err)
{
    sales s = {f, voids, 0};
    while (s.next < voids->n && voids->list[s.next].serial < f->size) {
        const size_t end = run_end(voids, s.next, f->size);
        const uint64_t from = voids->list[s.next].serial;
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc =
            rf_store_read(f->store, f->unit, from, voids->list[end - 1].serial - from + 1, take_sale, &s, &why);
        if (rc != RAFFLE_OK && (rc = rf_fault_or_fail(f->faults, f->unit, from, "store", &why, err)) != RAFFLE_OK)
            return rc;
        s.next = end;
    }
    for (; s.next < voids->n; s.next++)
        rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, voids->list[s.next].log, voids->list[s.next].index, "void",
                 "there is no ticket %u/%llu", f->unit, (unsigned long long)voids->list[s.next].serial);
    return RAFFLE_OK;
}

/* --- against the keys --- */

typedef struct keys {
    const rf_void_frame *frame;
    const rf_voids *voids;
    size_t next;
} keys;

static void key_missing(const rf_void_frame *f, const rf_void *v)
{
    rf_fault(f->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "key-missing",
             "the void of ticket %u/%llu has no key: it could be voided again", f->unit, (unsigned long long)v->serial);
}

/* What was written while the audit ran is not its matter. */
static bool is_newer(const rf_void_frame *f, const raffle_store_key *row)
{
    return row->index >= (row->log == 0 ? f->control_size : f->size);
}

static raffle_rc take_key(void *ctx, const raffle_store_key *row, raffle_error *err)
{
    keys *k = ctx;
    const rf_voids *voids = k->voids;
    const uint64_t serial = row->length == 7 ? rf_get_be(row->key + 2, 5) : UINT64_MAX;
    (void)err;
    while (k->next < voids->n && voids->list[k->next].serial < serial)
        key_missing(k->frame, &voids->list[k->next++]);
    if (k->next == voids->n || voids->list[k->next].serial != serial) {
        if (!is_newer(k->frame, row))
            rf_fault(k->frame->faults, RAFFLE_FAULT_INTEGRITY, row->log, row->index, "key-extra",
                     "a key says that ticket %u/%llu is void, and no record does", k->frame->unit,
                     (unsigned long long)serial);
        return RAFFLE_OK;
    }
    const rf_void *v = &voids->list[k->next++];
    if (row->log != v->log || row->index != v->index)
        rf_fault(k->frame->faults, RAFFLE_FAULT_INTEGRITY, v->log, v->index, "key-wrong",
                 "the key of this void names record %llu of log %u", (unsigned long long)row->index, row->log);
    return RAFFLE_OK;
}

static raffle_rc check_keys(const rf_void_frame *f, const rf_voids *voids, raffle_error *err)
{
    keys k = {f, voids, 0};
    uint8_t prefix[2];
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_put_be(prefix, f->unit, 2);
    raffle_rc rc = rf_store_scan(f->store, RF_SCOPE_VOID, prefix, 2, NULL, 0, UINT64_MAX, take_key, &k, &why);
    if (rc != RAFFLE_OK)
        rc = rf_fault_or_fail(f->faults, f->unit, f->size, "key-missing", &why, err);
    while (rc == RAFFLE_OK && k.next < voids->n)
        key_missing(f, &voids->list[k.next++]);
    return rc;
}

raffle_rc rf_voids_check(const rf_void_frame *frame, rf_voids *voids, raffle_error *err)
{
    if (voids->n > 1)
        qsort(voids->list, voids->n, sizeof *voids->list, compare);
    drop_repeated(frame, voids);
    raffle_rc rc = check_sales(frame, voids, err);
    return rc == RAFFLE_OK && !rf_store_published(frame->store) ? check_keys(frame, voids, err)
                                                                : rc; /* a copy has no keys */
}

/* --- at a seal --- */

/* A ticket beyond the sealed prefix is not sealed, and neither is its void. */
static bool counts(const rf_void *v, uint64_t size, uint64_t control)
{
    return v->serial < size && v->index < (v->log == 0 ? control : size);
}

const rf_void *rf_voids_find(const rf_voids *voids, uint64_t serial)
{
    size_t low = 0, high = voids->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (voids->list[middle].serial < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low < voids->n && voids->list[low].serial == serial ? &voids->list[low] : NULL;
}

bool rf_voids_have(const rf_voids *voids, uint64_t serial, uint64_t size, uint64_t control)
{
    const rf_void *v = rf_voids_find(voids, serial);
    return v != NULL && counts(v, size, control);
}

void rf_voids_tiers(const rf_voids *voids, uint64_t size, uint64_t control, rf_tier_count *count)
{
    for (size_t i = 0; i < voids->n; i++)
        if (voids->list[i].tier >= 0 && counts(&voids->list[i], size, control))
            count[voids->list[i].tier].voids++;
}

void rf_voids_sum(const rf_voids *voids, uint64_t size, uint64_t control, rf_sha256 *hash, rf_seal_unit *sum)
{
    rf_range range;
    rf_range_init(&range);
    sum->voids = sum->void_numbers = 0;
    sum->void_gross = 0;
    for (size_t i = 0; i < voids->n; i++) {
        const rf_void *v = &voids->list[i];
        uint8_t leaf[5], leaf_hash[32];
        if (!counts(v, size, control))
            continue;
        sum->voids++;
        sum->void_numbers += v->count;
        sum->void_gross =
            (int64_t)((uint64_t)sum->void_gross + (uint64_t)v->price); /* hostile prices may add up to anything */
        rf_put_be(leaf, v->serial, 5);
        rf_leaf_hash(hash, leaf_hash, leaf, sizeof leaf);
        rf_range_push(hash, &range, leaf_hash, NULL, NULL);
    }
    rf_range_root(hash, &range, sum->void_root);
}
