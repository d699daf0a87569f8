/* SPDX-License-Identifier: Apache-2.0 */
/* The fifteen tests that GLI-31 4.2.2 names, over draws of numbers 0 … range - 1: counting in constant memory, then a p-value each, then one
 * verdict. docs/guide/lab.md says what each test counts. */
#ifndef CLI_ASSESS_H
#define CLI_ASSESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ASSESS_TESTS = 15,
    ASSESS_PARTS = 10,   /* of a test */
    ASSESS_STREAMS = 10, /* consecutive parts of the sample, which are judged by themselves too */
    ASSESS_PICKS_MAX = 1 << 20
};

/* Sizes of what is counted. */
enum {
    ASSESS_CELLS = 1 << 14,
    ASSESS_BITS = 64,
    ASSESS_POSITIONS = 16, /* the last one stands for all that follow */
    ASSESS_BASE = 16,
    ASSESS_ENDS = 2, /* high and low digits */
    ASSESS_GAPS = 64,
    ASSESS_SHARED = 64,
    ASSESS_HAND = 5,
    ASSESS_COUPONS = 64,
    ASSESS_ORDERS = 120, /* of five values */
    ASSESS_STEPS = 1 << 16,
    ASSESS_VALUE_BITS = 20,
    ASSESS_EIGHT = 8,
    ASSESS_NEAR = 21, /* binary orders of magnitude of a distance below 2^20 */
    ASSESS_EXTREMES = 32,
    ASSESS_BETWEEN = 7, /* places apart in a draw */
    ASSESS_LAGS = 8,    /* 1 to 8 */
    ASSESS_STRIDES = 8, /* 16, 32 … 2,048 */
    ASSESS_REPEATS = 8
};

typedef struct assess_shape {
    uint64_t range, picks;
    bool replace;
} assess_shape;

/* A sum of products of values with mean 0 and variance 1. */
typedef struct assess_product {
    double sum;
    uint64_t n;
} assess_product;

typedef struct assess_products {
    assess_product between[ASSESS_BETWEEN]; /* so many places apart in a draw */
    assess_product lag[ASSESS_LAGS], before, stride[ASSESS_STRIDES];
} assess_products;

/* Everything that is counted, all sums: the difference of two of these is what was counted between them. */
typedef struct assess_counts {
    uint64_t draws, numbers;
    uint64_t by_value[ASSESS_CELLS], by_remainder[ASSESS_CELLS], totals; /* of the first half of the range's picks */
    uint64_t bit[ASSESS_BITS];
    uint64_t position[ASSESS_ENDS][ASSESS_POSITIONS][ASSESS_BASE];
    uint64_t gap[ASSESS_ENDS][ASSESS_GAPS + 1];
    uint64_t triple[ASSESS_ENDS][ASSESS_BASE * ASSESS_BASE * ASSESS_BASE];
    uint64_t shared[ASSESS_SHARED + 1];
    uint64_t hand[ASSESS_ENDS][ASSESS_HAND];
    uint64_t coupon[ASSESS_ENDS][ASSESS_COUPONS + 1];
    uint64_t order[ASSESS_ORDERS];
    uint64_t step[ASSESS_STEPS];
    uint64_t neighbours[ASSESS_SHARED + 1];
    uint64_t near[ASSESS_NEAR];
    uint64_t most[ASSESS_EXTREMES], least[ASSESS_EXTREMES], most_of_eight[ASSESS_EXTREMES];
    uint64_t changes[ASSESS_ENDS], bits[ASSESS_ENDS], ones[ASSESS_ENDS];
    uint64_t pair[ASSESS_BASE * ASSESS_BASE];
    uint64_t residue[ASSESS_ENDS][ASSESS_BASE][ASSESS_BASE];
    uint64_t repeats[ASSESS_REPEATS + 1];
    assess_products products; /* the last field: all before it are counts */
} assess_counts;

/* A statistic of a test. */
typedef struct assess_part {
    const char *name;
    double statistic;
    double freedom; /* of a chi-square; 0: it is none */
    uint64_t n;     /* what it counted */
    double p;
} assess_part;

/* What is said of a test. */
typedef enum assess_verdict {
    ASSESS_PASS,
    ASSESS_LOW,    /* below alpha by itself, but not when the fifteen are judged together */
    ASSESS_FAIL,   /* rejected when they are judged together */
    ASSESS_REFUSED /* the sample is too small for it */
} assess_verdict;

typedef struct assess_test {
    const char *name;
    assess_part part[ASSESS_PARTS];
    size_t parts;
    double p; /* of the smallest part, for so many of them */
    assess_verdict verdict;
    char clause; /* 'a' to 'o' */
} assess_test;

typedef struct assess_result {
    assess_shape shape;
    double alpha;
    uint64_t draws, numbers;
    assess_test test[ASSESS_TESTS];
    size_t refused, low, failed;
    /* The p-values of the tests over each stream by itself. */
    double pooled[ASSESS_STREAMS * ASSESS_TESTS];
    size_t streams, pools, rejected; /* streams, their p-values, and those below alpha */
    double rejected_p, uniform_p;    /* the chance of so many rejections; Kolmogorov-Smirnov of the p-values */
    double share;                    /* of alpha, for each of the three criteria, or the one */
    bool passed;
} assess_result;

typedef struct assess assess;

/* A sentence in `*why` when the shape makes no sense. */
bool assess_shape_valid(const assess_shape *shape, const char **why);
/* `shape` is a valid one. */
assess *assess_new(const assess_shape *shape);
/* Draws of shape.picks numbers below shape.range, without replacement all different, one after the other. */
void assess_add(assess *a, const uint64_t *numbers, size_t draws);
/* A stream ends here. */
void assess_stream(assess *a);
/* The counts so far, and the verdict. */
const assess_counts *assess_counted(const assess *a);
void assess_judge(const assess *a, double alpha, assess_result *out);
void assess_free(assess *a);

/* --- the parts of it, each in a file of its own --- */

/* A number, and where it stood. */
typedef struct assess_ranked {
    uint64_t number;
    uint32_t place;
} assess_ranked;
/* Sorts `n` numbers into `sorted`, and gives for each how many of those before it are smaller. `spare` has room for 2 * n. */
void assess_ranks(const uint64_t *numbers, size_t n, uint64_t *sorted, uint32_t *rank, assess_ranked *spare);

/* The shape that is counted: single picks are taken as draws of eight with replacement. */
assess_shape assess_counted_shape(const assess_shape *shape);
/* The picks of a draw that chi-square and bits count: no more than half of the range without replacement, for those of a whole permutation
 * are always the same. */
uint64_t assess_counted_picks(const assess_shape *shape);
/* Eight values of 20 bits, as a shape. */
assess_shape assess_eight_values(void);
/* The largest number of a draw falls into class i when it is below border[i], and into none before. `chance` of each class. */
void assess_extreme_classes(const assess_shape *shape, uint64_t border[ASSESS_EXTREMES],
                            double chance[ASSESS_EXTREMES]);

/* The tests, by the order of their clauses. Each adds the parts that it can judge from these counts. */
void assess_chi_square(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_frequency(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_gap(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_overlaps(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_poker(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_coupon(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_permutation(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_kolmogorov(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_adjacency(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_order(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_runs(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_interplay(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_serial(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_subsequences(const assess_shape *shape, const assess_counts *c, assess_test *t);
void assess_poisson(const assess_shape *shape, const assess_counts *c, assess_test *t);

/* All fifteen over these counts: parts and p-values, no verdicts. */
void assess_evaluate(const assess_shape *shape, const assess_counts *c, assess_test out[ASSESS_TESTS]);

#endif
