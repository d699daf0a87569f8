/* SPDX-License-Identifier: Apache-2.0 */
/* The uploads that the control log names, by unit. */
#include "syncs.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

raffle_rc rf_syncs_add(rf_syncs *s, const rf_record *record, uint64_t index, raffle_error *err)
{
    if (s->n == s->cap) {
        const size_t cap = s->cap > 0 ? 2 * s->cap : 64;
        rf_sync *grown = realloc(s->sync, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        s->sync = grown;
        s->cap = cap;
    }
    rf_sync *sync = &s->sync[s->n++];
    *sync = (rf_sync){.size = (uint64_t)record->size, .index = index, .unit = (uint32_t)record->unit};
    memcpy(sync->root, record->root, 32);
    return RAFFLE_OK;
}

static int compare(const void *left, const void *right)
{
    const rf_sync *a = left, *b = right;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void rf_syncs_end(rf_syncs *s)
{
    if (s->n > 1)
        qsort(s->sync, s->n, sizeof *s->sync, compare);
}

static size_t first_from(const rf_syncs *s, uint32_t unit)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->sync[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const rf_sync *rf_syncs_of(const rf_syncs *s, uint32_t unit, size_t *n)
{
    const size_t first = first_from(s, unit);
    *n = first_from(s, unit + 1) - first;
    return *n > 0 ? s->sync + first : NULL;
}

void rf_syncs_clear(rf_syncs *s)
{
    free(s->sync);
    *s = (rf_syncs){0};
}
