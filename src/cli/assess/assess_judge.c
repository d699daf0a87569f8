/* SPDX-License-Identifier: Apache-2.0 */
/* One verdict of fifteen tests: their p-values over the whole sample by Holm's procedure, and over its streams by the number of rejections and by
 * how even the p-values are. */
#include "assess.h"
#include "assess_math.h"
#include "assess_state.h"

#include "output.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOLS_MIN = 5 * ASSESS_TESTS /* p-values of streams that say anything together */
};

static const struct {
    const char *name;
    void (*judge)(const assess_shape *shape, const assess_counts *c, assess_test *t);
} kinds[ASSESS_TESTS] = {
    {"chi-square", assess_chi_square},
    {"frequency", assess_frequency},
    {"gap", assess_gap},
    {"overlaps", assess_overlaps},
    {"poker", assess_poker},
    {"coupon collector", assess_coupon},
    {"permutation", assess_permutation},
    {"Kolmogorov-Smirnov", assess_kolmogorov},
    {"adjacency", assess_adjacency},
    {"order statistic", assess_order},
    {"runs", assess_runs},
    {"interplay correlation", assess_interplay},
    {"serial correlation", assess_serial},
    {"subsequences", assess_subsequences},
    {"Poisson", assess_poisson},
};

void assess_evaluate(const assess_shape *shape, const assess_counts *c, assess_test out[ASSESS_TESTS])
{
    const assess_shape counted = assess_counted_shape(shape);
    for (size_t i = 0; i < ASSESS_TESTS; i++) {
        assess_test *t = &out[i];
        *t = (assess_test){.clause = (char)('a' + (int)i), .name = kinds[i].name, .p = 1};
        kinds[i].judge(&counted, c, t);
        for (size_t k = 0; k < t->parts; k++)
            t->p = fmin(t->p, t->part[k].p);
        t->p = math_smallest(t->p, t->parts);
        t->verdict = t->parts > 0 ? ASSESS_PASS : ASSESS_REFUSED;
    }
}

/* --- streams --- */

static void subtract(assess_product *p, const assess_product *mark, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i].sum -= mark[i].sum;
        p[i].n -= mark[i].n;
    }
}

_Static_assert(offsetof(assess_counts, products) % sizeof(uint64_t) == 0, "counts come first, and are 64 bits each");

/* All but the products are counts. */
static void since_mark(const assess *a, assess_counts *out)
{
    const assess_products *mark = &a->mark.products;
    uint64_t *to = (uint64_t *)(void *)out;
    const uint64_t *from = (const uint64_t *)(const void *)&a->mark;
    *out = a->c;
    for (size_t i = 0; i < offsetof(assess_counts, products) / sizeof *to; i++)
        to[i] -= from[i];
    subtract(out->products.between, mark->between, ASSESS_BETWEEN);
    subtract(out->products.lag, mark->lag, ASSESS_LAGS);
    subtract(&out->products.before, &mark->before, 1);
    subtract(out->products.stride, mark->stride, ASSESS_STRIDES);
}

void assess_stream(assess *a)
{
    assess_test test[ASSESS_TESTS];
    if (a->streams == ASSESS_STREAMS)
        return;
    assess_counts *own = memory_grow(NULL, sizeof *own);
    since_mark(a, own);
    assess_evaluate(&a->given, own, test);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        if (test[i].verdict != ASSESS_REFUSED)
            a->pooled[a->pools++] = test[i].p;
    a->streams++;
    a->mark = a->c;
    free(own);
}

/* --- the verdict --- */

static int compare(const void *one, const void *other)
{
    const double x = *(const double *)one, y = *(const double *)other;
    return (x > y) - (x < y);
}

/* D of p-values against the even distribution, and its p-value: too many small ones and too many large ones both count. */
static double uniform_p(const double *pooled, size_t n)
{
    double sorted[ASSESS_STREAMS * ASSESS_TESTS], largest = 0;
    memcpy(sorted, pooled, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fmax(sorted[i] - (double)i / (double)n, (double)(i + 1) / (double)n - sorted[i]));
    const double root = sqrt((double)n);
    return math_kolmogorov((root + 0.12 + 0.11 / root) * largest);
}

/* Holm (1979): the smallest p-value against level / n, the next against level / (n - 1), until one is not rejected. */
static void judge_holm(assess_result *r, double level)
{
    bool judged[ASSESS_TESTS] = {false};
    for (size_t left = ASSESS_TESTS - r->refused; left > 0; left--) {
        size_t smallest = ASSESS_TESTS;
        for (size_t i = 0; i < ASSESS_TESTS; i++)
            if (!judged[i] && r->test[i].verdict != ASSESS_REFUSED &&
                (smallest == ASSESS_TESTS || r->test[i].p < r->test[smallest].p))
                smallest = i;
        if (r->test[smallest].p > level / (double)left)
            return;
        judged[smallest] = true;
        r->test[smallest].verdict = ASSESS_FAIL;
        r->failed++;
    }
}

static void judge_streams(assess_result *r)
{
    for (size_t i = 0; i < r->pools; i++)
        r->rejected += r->pooled[i] < r->alpha;
    r->rejected_p = math_binomial_tail(r->pools, r->rejected, r->alpha);
    r->uniform_p = uniform_p(r->pooled, r->pools);
}

void assess_judge(const assess *a, double alpha, assess_result *out)
{
    *out = (assess_result){.shape = a->given,
                           .alpha = alpha,
                           .draws = a->draws,
                           .numbers = a->c.numbers,
                           .rejected_p = 1,
                           .uniform_p = 1,
                           .share = alpha};
    assess_evaluate(&a->given, &a->c, out->test);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        out->refused += out->test[i].verdict == ASSESS_REFUSED;
    if (a->pools >= POOLS_MIN) {
        out->streams = a->streams;
        out->pools = a->pools;
        out->share = alpha / 3;
        memcpy(out->pooled, a->pooled, sizeof out->pooled);
        judge_streams(out);
    }
    judge_holm(out, out->share);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        if (out->test[i].verdict == ASSESS_PASS && out->test[i].p < alpha) {
            out->test[i].verdict = ASSESS_LOW;
            out->low++;
        }
    out->passed =
        out->failed == 0 && out->refused == 0 && out->rejected_p >= out->share && out->uniform_p >= out->share;
}

const assess_counts *assess_counted(const assess *a)
{
    return &a->c;
}
