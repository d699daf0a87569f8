/* SPDX-License-Identifier: Apache-2.0 */
/* The sparse Fisher-Yates shuffle: a hash table of displaced numbers, and an array once that takes less memory. */
#include "shuffle.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS_MIN = 64
};

void rf_shuffle_init(rf_shuffle *s, uint64_t n)
{
    memset(s, 0, sizeof *s);
    s->n = n;
}

void rf_shuffle_clear(rf_shuffle *s)
{
    free(s->slots);
    free(s->dense);
    memset(s, 0, sizeof *s);
}

/* The slot of a place, or the free one where it belongs. */
static rf_displaced *find(rf_displaced *slots, size_t slot_count, uint64_t place)
{
    /* Fibonacci hashing: the multiplier is 2^64 divided by the golden ratio. */
    uint64_t at = (place * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; at++) {
        rf_displaced *slot = &slots[at & (slot_count - 1)];
        if (slot->place_1 == 0 || slot->place_1 == place + 1)
            return slot;
    }
}

static bool grow_sparse(rf_shuffle *s, size_t slot_count)
{
    rf_displaced *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < s->slot_count; i++) {
        /* The settled places are never looked at again. */
        if (s->slots[i].place_1 > s->taken)
            *find(slots, slot_count, s->slots[i].place_1 - 1) = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->slot_count = slot_count;
    s->used = 0;
    for (size_t i = 0; i < slot_count; i++)
        s->used += slots[i].place_1 != 0;
    return true;
}

static bool make_dense(rf_shuffle *s)
{
    uint64_t *dense = calloc((size_t)s->n, sizeof *dense);
    if (dense == NULL)
        return false;
    for (uint64_t i = 0; i < s->n; i++)
        dense[i] = i;
    for (size_t i = 0; i < s->slot_count; i++) {
        if (s->slots[i].place_1 != 0)
            dense[s->slots[i].place_1 - 1] = s->slots[i].number;
    }
    free(s->slots);
    s->slots = NULL;
    s->slot_count = 0;
    s->dense = dense;
    return true;
}

bool rf_shuffle_reserve(rf_shuffle *s)
{
    if (s->dense != NULL || s->used < s->slot_count / 2)
        return true;
    size_t slot_count = s->slot_count == 0 ? SLOTS_MIN : 2 * s->slot_count;
    /* The array has n entries of half a slot's size. */
    if (s->n / 2 <= slot_count)
        return make_dense(s);
    return grow_sparse(s, slot_count);
}

static uint64_t take_dense(rf_shuffle *s, uint64_t i, uint64_t j)
{
    uint64_t number = s->dense[j];
    s->dense[j] = s->dense[i];
    return number;
}

static uint64_t take_sparse(rf_shuffle *s, uint64_t i, uint64_t j)
{
    const rf_displaced *own = find(s->slots, s->slot_count, i);
    uint64_t displaced = own->place_1 == 0 ? i : own->number;
    if (i == j)
        return displaced;
    rf_displaced *slot = find(s->slots, s->slot_count, j);
    uint64_t number = slot->place_1 == 0 ? j : slot->number;
    s->used += slot->place_1 == 0;
    *slot = (rf_displaced){j + 1, displaced};
    return number;
}

uint64_t rf_shuffle_take(rf_shuffle *s, uint64_t j)
{
    uint64_t i = s->taken++;
    return s->dense != NULL ? take_dense(s, i, j) : take_sparse(s, i, j);
}
