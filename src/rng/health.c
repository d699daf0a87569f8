/* SPDX-License-Identifier: Apache-2.0 */
/* Health tests over the bytes of a provider, SP 800-90B sections 4.4.1 and 4.4.2, and a block that repeats. Pure: no I/O, no allocation. */
#include "health.h"

#include <sodium.h>
#include <string.h>

/* Repetition count, 4.4.1. */
static void count_repeats(rf_health *h, uint8_t byte)
{
    h->repeats = h->repeats > 0 && byte == h->repeated ? h->repeats + 1 : 1;
    h->repeated = byte;
    if (h->repeats >= RF_HEALTH_REPEATS)
        h->failed = RF_HEALTH_REPETITION_COUNT;
}

/* Adaptive proportion, 4.4.2: windows do not overlap, and the first byte of each counts. */
static void count_proportion(rf_health *h, uint8_t byte)
{
    if (h->seen == 0) {
        h->first = byte;
        h->equal = 0;
    }
    h->equal += byte == h->first;
    h->seen = (h->seen + 1) % RF_HEALTH_WINDOW;
    if (h->equal >= RF_HEALTH_PROPORTION)
        h->failed = RF_HEALTH_ADAPTIVE_PROPORTION;
}

static void compare_blocks(rf_health *h, uint8_t byte)
{
    h->block[h->filled++] = byte;
    if (h->filled < RF_HEALTH_BLOCK)
        return;
    if (h->has_before && sodium_memcmp(h->block, h->before, RF_HEALTH_BLOCK) == 0)
        h->failed = RF_HEALTH_REPEATED_BLOCK;
    memcpy(h->before, h->block, RF_HEALTH_BLOCK);
    h->has_before = true;
    h->filled = 0;
}

bool rf_health_feed(rf_health *h, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n && h->failed == RF_HEALTH_NONE; i++) {
        compare_blocks(h, bytes[i]);
        count_proportion(h, bytes[i]);
        count_repeats(h, bytes[i]);
    }
    return h->failed == RF_HEALTH_NONE;
}

bool rf_health_start_up(rf_health *h, const uint8_t *bytes, size_t n)
{
    *h = (rf_health){.failed = h->failed};
    return rf_health_feed(h, bytes, n);
}

bool rf_health_seed(rf_health *h, const uint8_t *seed, size_t n)
{
    for (size_t i = 0; i + RF_HEALTH_BLOCK <= n; i += RF_HEALTH_BLOCK)
        for (size_t j = 0; j < i; j += RF_HEALTH_BLOCK)
            if (h->failed == RF_HEALTH_NONE && sodium_memcmp(seed + i, seed + j, RF_HEALTH_BLOCK) == 0)
                h->failed = RF_HEALTH_REPEATED_BLOCK;
    return h->failed == RF_HEALTH_NONE;
}

bool rf_health_failed(const rf_health *h, rf_health_fault *out)
{
    static const rf_health_fault faults[] = {
        [RF_HEALTH_REPETITION_COUNT] = {"repetition count", "bytes in a row", RF_HEALTH_REPEATS},
        [RF_HEALTH_ADAPTIVE_PROPORTION] = {"adaptive proportion", "bytes in a window of 512", RF_HEALTH_PROPORTION},
        [RF_HEALTH_REPEATED_BLOCK] = {"repeated block", "blocks of 16 bytes", RF_HEALTH_BLOCKS},
    };
    if (h->failed == RF_HEALTH_NONE)
        return false;
    *out = faults[h->failed];
    return true;
}
