/* SPDX-License-Identifier: Apache-2.0 */
/* The ranks of a draw: how many of the numbers before each are smaller. Without replacement the i-th number less its rank is uniform among the
 * range - i numbers that were left, whatever came before: these are the independent values that sequential tests need. */
#include "assess.h"

enum {
    SHORT = 32 /* insertion is as fast up to here */
};

static void insert_all(const uint64_t *numbers, size_t n, uint64_t *sorted, uint32_t *rank)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > numbers[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = numbers[i];
        rank[i] = (uint32_t)at;
    }
}

/* Merges two sorted runs. What comes from the right one is larger than so many of the left one, which all came before it. */
static void merge(const assess_ranked *left, size_t lefts, const assess_ranked *right, size_t rights, assess_ranked *to,
                  uint32_t *rank)
{
    size_t l = 0, r = 0;
    while (l < lefts || r < rights) {
        if (r == rights || (l < lefts && left[l].number <= right[r].number)) {
            *to++ = left[l++];
        } else {
            rank[right[r].place] += (uint32_t)l;
            *to++ = right[r++];
        }
    }
}

static void merge_all(const uint64_t *numbers, size_t n, uint64_t *sorted, uint32_t *rank, assess_ranked *from,
                      assess_ranked *to)
{
    for (size_t i = 0; i < n; i++) {
        from[i] = (assess_ranked){numbers[i], (uint32_t)i};
        rank[i] = 0;
    }
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            const size_t lefts = n - at < width ? n - at : width;
            const size_t rights = n - at - lefts < width ? n - at - lefts : width;
            merge(from + at, lefts, from + at + lefts, rights, to + at, rank);
        }
        assess_ranked *swap = from;
        from = to;
        to = swap;
    }
    for (size_t i = 0; i < n; i++)
        sorted[i] = from[i].number;
}

void assess_ranks(const uint64_t *numbers, size_t n, uint64_t *sorted, uint32_t *rank, assess_ranked *spare)
{
    if (n <= SHORT)
        insert_all(numbers, n, sorted, rank);
    else
        merge_all(numbers, n, sorted, rank, spare, spare + n);
}
