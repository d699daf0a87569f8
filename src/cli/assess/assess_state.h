/* SPDX-License-Identifier: Apache-2.0 */
/* What counting remembers from number to number. */
#ifndef CLI_ASSESS_STATE_H
#define CLI_ASSESS_STATE_H

#include "assess.h"

enum {
    ASSESS_BLOCK = 1024, /* values, among which repeats are counted */
    ASSESS_PAST = 4096   /* values that are remembered for correlations: a power of two */
};

/* Values that wait to be joined into one that is uniform below m. */
typedef struct assess_join {
    uint64_t value, m;
    bool full; /* it was taken: the next value begins anew */
} assess_join;

struct assess {
    assess_shape given, shape; /* as told, and as counted */
    uint64_t draws;            /* as told */
    assess_counts c, mark;     /* all, and what it was when the stream began */
    double pooled[ASSESS_STREAMS * ASSESS_TESTS];
    size_t streams, pools;
    uint64_t *group; /* single picks that wait for a draw of eight */
    size_t in_group;
    uint64_t *sorted, *last; /* this draw and the one before; with replacement the latter as it came */
    uint32_t *rank;
    assess_ranked *spare;
    uint64_t width; /* numbers of a cell */
    unsigned bits;
    uint64_t border[ASSESS_EXTREMES], border_of_eight[ASSESS_EXTREMES];
    assess_join digits, values;
    /* Digits, from both ends. */
    uint64_t digit_count, since[ASSESS_ENDS], since_set[ASSESS_ENDS];
    unsigned hand[ASSESS_ENDS], in_hand[ASSESS_ENDS], coupons[ASSESS_ENDS], pattern[ASSESS_ENDS], bit[ASSESS_ENDS];
    /* 20-bit values. */
    uint64_t value_count, five[5], most_of_eight;
    uint32_t value, block[ASSESS_BLOCK];
    size_t in_block;
    uint64_t repeated, seen[(1 << ASSESS_VALUE_BITS) / 64];
    /* Values with mean 0 and variance 1. */
    uint64_t past_count, scaled;
    double mean, scale, past[ASSESS_PAST], *before;
    unsigned pair;
};

#endif
