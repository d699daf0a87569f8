/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share: the entry that libFuzzer calls, and the check that makes a finding of a property that does not hold. */
#ifndef RF_FUZZ_H
#define RF_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the program at a property that an input breaks, which libFuzzer and the replay report as a crash. */
static inline void fuzz_require(bool holds, const char *property)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", property);
    abort();
}

static inline bool fuzz_same(const void *a, size_t a_length, const void *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

/* `size` bytes of memory of their own, at least one, so that the address sanitizer sees a step beyond them. */
static inline void *fuzz_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    fuzz_require(memory != NULL, "there is memory");
    return memory;
}

#endif
