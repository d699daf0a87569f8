/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting tickets by their buyers, and counting. */
#include "buyers.h"

#include "error.h"
#include <stdlib.h>

raffle_rc rf_buyers_add(rf_buyers *buyers, uint64_t print, uint32_t log, uint64_t index, raffle_error *err)
{
    if (buyers->n == buyers->cap) {
        const size_t cap = buyers->cap > 0 ? buyers->cap + buyers->cap / 2 : 4096;
        rf_bought *grown = realloc(buyers->list, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        buyers->list = grown;
        buyers->cap = cap;
    }
    buyers->list[buyers->n++] = (rf_bought){print, index, log};
    return RAFFLE_OK;
}

static int compare(const void *left, const void *right)
{
    const rf_bought *a = left, *b = right;
    if (a->print != b->print)
        return a->print < b->print ? -1 : 1;
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void rf_buyers_check(rf_buyers *buyers, uint64_t limit, rf_faults *faults)
{
    if (buyers->n > 1)
        qsort(buyers->list, buyers->n, sizeof *buyers->list, compare);
    for (size_t i = 0, end; i < buyers->n; i = end) {
        for (end = i + 1; end < buyers->n && buyers->list[end].print == buyers->list[i].print;)
            end++;
        if (end - i <= limit)
            continue;
        const rf_bought *first = &buyers->list[i + limit];
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, first->log, first->index, "buyer",
                 "its buyer has %llu tickets; the rules allow %llu", (unsigned long long)(end - i),
                 (unsigned long long)limit);
    }
}

void rf_buyers_clear(rf_buyers *buyers)
{
    free(buyers->list);
    *buyers = (rf_buyers){0};
}
