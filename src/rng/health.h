/* SPDX-License-Identifier: Apache-2.0 */
/* Health tests over the bytes of a provider, SP 800-90B section 4.4: repetition count, adaptive proportion, and a block that repeats.
 * One of the files that GLI examines line by line. */
#ifndef RF_RNG_HEALTH_H
#define RF_RNG_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A sample is a byte, and H = 8 bits of entropy are claimed for it, for providers give conditioned output. alpha = 2^-30.
 * Repetition count, 4.4.1:      C = 1 + ceil(30 / H) = 5.
 * Adaptive proportion, 4.4.2:   C = 1 + CRITBINOM(512, 2^-H, 1 - alpha) = 16: of 512 bytes at most 15 have a given value with
 *                               probability 1 - 2^-31.2, at most 14 with 1 - 2^-28.2.
 * tests/integration/rng_health.py computes both with exact fractions.
 */
enum {
    RF_HEALTH_ALPHA = 30,
    RF_HEALTH_REPEATS = 5,
    RF_HEALTH_WINDOW = 512,
    RF_HEALTH_PROPORTION = 16,
    RF_HEALTH_BLOCK = 16,
    RF_HEALTH_BLOCKS = 2,     /* equal blocks, one after the other or within a seed */
    RF_HEALTH_START_UP = 1024 /* bytes of the start-up test, 4.3 item 4 */
};

typedef enum rf_health_test {
    RF_HEALTH_NONE,
    RF_HEALTH_REPETITION_COUNT,
    RF_HEALTH_ADAPTIVE_PROPORTION,
    RF_HEALTH_REPEATED_BLOCK
} rf_health_test;

/* Holds up to 32 bytes of output: keep it in secure memory. All zeros is the beginning. */
typedef struct rf_health {
    rf_health_test failed; /* the first test that did; sticks */
    uint8_t repeated;      /* 4.4.1: A; `repeats` is B */
    unsigned repeats;
    uint8_t first; /* 4.4.2: A, the first byte of the window; `equal` is B */
    unsigned seen, equal;
    uint8_t block[RF_HEALTH_BLOCK], before[RF_HEALTH_BLOCK];
    unsigned filled; /* bytes of `block` */
    bool has_before;
} rf_health;

/* What failed, for a sentence: "the repetition count test: 5 equal bytes in a row, cut-off 5". A test fails in the moment in which its
 * count reaches the cut-off, and never counts further. */
typedef struct rf_health_fault {
    const char *test, *counted;
    unsigned cutoff;
} rf_health_fault;

/* The continuous tests over the next bytes, from wherever the last ones ended. False once a test failed, now or before. */
bool rf_health_feed(rf_health *h, const uint8_t *bytes, size_t n);
/* The start-up test: the same from the beginning, over RF_HEALTH_START_UP bytes: two windows. What failed before stays failed. */
bool rf_health_start_up(rf_health *h, const uint8_t *bytes, size_t n);
/* No two blocks of a seed may be equal, neighbours or not. `n` is a multiple of the block's size. */
bool rf_health_seed(rf_health *h, const uint8_t *seed, size_t n);
/* False when no test failed. */
bool rf_health_failed(const rf_health *h, rf_health_fault *out);

#endif
