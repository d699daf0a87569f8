/* SPDX-License-Identifier: Apache-2.0 */
/* A Fisher-Yates shuffle of 0 … n - 1 from the front, kept sparse: only the numbers that left their place are stored, so that k picks
 * cost O(k). It makes no choice itself; who drives it chooses. */
#ifndef RF_RNG_SHUFFLE_H
#define RF_RNG_SHUFFLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number that stands at a place that is not its own. */
typedef struct rf_displaced {
    uint64_t place_1; /* the place + 1; 0: the slot is free */
    uint64_t number;
} rf_displaced;

typedef struct rf_shuffle {
    uint64_t n;
    uint64_t taken;      /* places 0 … taken - 1 are settled */
    rf_displaced *slots; /* open addressing, linear probing; a power of two, at most half full */
    size_t slot_count, used;
    uint64_t *dense; /* instead of the slots, once it is the smaller: the number at each place */
} rf_shuffle;

void rf_shuffle_init(rf_shuffle *s, uint64_t n);
void rf_shuffle_clear(rf_shuffle *s);
/* Makes room for one more rf_shuffle_take(); false when memory is not to be had, and nothing has changed then. */
bool rf_shuffle_reserve(rf_shuffle *s);
/* Step i = `taken`: swaps the numbers at the places i and j, i <= j < n, and gives the one that is now at i. rf_shuffle_reserve() comes first. */
uint64_t rf_shuffle_take(rf_shuffle *s, uint64_t j);

#endif
