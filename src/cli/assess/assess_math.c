/* SPDX-License-Identifier: Apache-2.0 */
/* The mathematics of the fifteen tests, over libm alone. */
#include "assess_math.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    TERMS_MAX = 1000000,
    EXPECTED_MIN = 10, /* in each class of a chi-square test */
    FREEDOM_BOTH = 10
};

/* --- distributions --- */

/* P(a, x) by its series, DLMF 8.11.4; for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int i = 1; i < TERMS_MAX && term > sum * DBL_EPSILON / 4; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum;
}

/* Q(a, x) by its continued fraction, DLMF 8.9.2, with the algorithm of Lentz; for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int i = 1; i < TERMS_MAX; i++) {
        const double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

void math_gamma(double a, double x, double *p, double *q)
{
    *p = 0;
    *q = 1;
    if (x <= 0)
        return;
    const double factor = exp((double)(a * logl(x) - x - lgammal(a)));
    if (x < a + 1) {
        *p = fmin(1, factor * gamma_series(a, x));
        *q = 1 - *p;
    } else {
        *q = fmin(1, factor * gamma_fraction(a, x));
        *p = 1 - *q;
    }
}

static double both_tails(double lower, double upper)
{
    return fmin(1, 2 * fmin(lower, upper));
}

double math_chi2_p(double statistic, double freedom)
{
    double p, q;
    math_gamma(freedom / 2, statistic / 2, &p, &q);
    return freedom < FREEDOM_BOTH ? q : both_tails(p, q);
}

double math_normal_p(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

/* Two series of the same function (Kolmogorov 1933, and its theta transform), each where it converges fast. */
double math_kolmogorov(double x)
{
    double sum = 0;
    if (x < 0.04)
        return 1;
    if (x < 1) {
        for (int k = 1; k < 20; k += 2)
            sum += exp(-k * k * M_PI * M_PI / (8 * x * x));
        return 1 - sqrt(2 * M_PI) / x * sum;
    }
    for (int k = 1; k < 20; k++)
        sum += (k % 2 == 1 ? 2 : -2) * exp(-2.0 * k * k * x * x);
    return sum;
}

double math_ks_p(double d, uint64_t n)
{
    const double root = sqrt((double)n);
    const double upper = math_kolmogorov((root + 0.12 + 0.11 / root) * d);
    return both_tails(1 - upper, upper);
}

/* ln of n (n - 1) … (n - k + 1). Differences of ln n! lose their digits when n is large: there the logarithms of 1 - i / n are summed as series. */
static long double falling(uint64_t n, uint64_t k)
{
    const long double whole = (long double)n, part = (long double)k;
    if (n <= UINT64_C(1) << 34)
        return lgammal(whole + 1) - lgammal(whole - part + 1);
    return part * logl(whole) - part * (part - 1) / (2 * whole) -
           (part - 1) * part * (2 * part - 1) / (12 * whole * whole);
}

long double math_choose(uint64_t n, uint64_t k)
{
    return falling(n, k) - lgammal((long double)k + 1);
}

double math_binomial_tail(uint64_t n, uint64_t k, double p)
{
    long double sum = 0;
    for (uint64_t i = k; i <= n; i++)
        sum += expl(math_choose(n, i) + (long double)i * logl(p) + (long double)(n - i) * log1pl(-p));
    return fmin(1, (double)sum);
}

double math_smallest(double p, size_t n)
{
    return p >= 1 ? 1 : -expm1((double)n * log1p(-p));
}

/* --- chi-square --- */

static void add_class(chi2 *c, double *waiting, double observed, double expected)
{
    if (expected > 0)
        c->statistic += (observed - expected) * (observed - expected) / expected;
    *waiting = 0;
    c->freedom += 1;
}

void chi2_add(chi2 *c, const uint64_t *count, const double *chance, size_t classes)
{
    chi2 own = {0, -1, 0};
    double observed = 0, expected = 0, last_observed = 0, last_expected = 0;
    for (size_t i = 0; i < classes; i++)
        own.n += count[i];
    /* A class is held back until the next one is full: what is left at the end joins it. */
    for (size_t i = 0; i < classes; i++) {
        observed += (double)count[i];
        expected += (double)own.n * (chance != NULL ? chance[i] : 1 / (double)classes);
        if (expected < EXPECTED_MIN)
            continue;
        if (last_expected > 0)
            add_class(&own, &last_expected, last_observed, last_expected);
        last_observed = observed;
        last_expected = expected;
        observed = expected = 0;
    }
    if (last_expected > 0)
        add_class(&own, &last_expected, last_observed + observed, last_expected + expected);
    if (own.freedom < 1)
        return;
    c->statistic += own.statistic;
    c->freedom += own.freedom;
    c->n += own.n;
}

/* --- SP 800-22 --- */

double math_monobit_p(uint64_t ones, uint64_t n, double *statistic)
{
    *statistic = fabs(2 * (double)ones - (double)n) / sqrt((double)n);
    return erfc(*statistic / sqrt(2));
}

double math_runs_p(uint64_t ones, uint64_t n, uint64_t runs, double *statistic)
{
    const double count = (double)n, share = (double)ones / count, mixed = share * (1 - share);
    *statistic = (double)runs;
    if (fabs(share - 0.5) >= 2 / sqrt(count))
        return 0;
    return erfc(fabs((double)runs - 2 * count * mixed) / (2 * sqrt(2 * count) * mixed));
}

double math_psi2(const uint64_t *count, size_t patterns)
{
    uint64_t n = 0;
    double sum = 0;
    for (size_t i = 0; i < patterns; i++)
        n += count[i];
    const double expected = (double)n / (double)patterns;
    for (size_t i = 0; i < patterns; i++)
        sum += ((double)count[i] - expected) * ((double)count[i] - expected);
    return n == 0 ? 0 : sum / expected;
}

/* --- chances of classes --- */

void math_gap_chances(double hit, double *chance, size_t max)
{
    double miss = 1;
    for (size_t i = 0; i < max; i++) {
        chance[i] = miss * hit;
        miss *= 1 - hit;
    }
    chance[max] = miss;
}

/* The chance that `have` of the digits were seen, digit by digit. */
void math_coupon_chances(unsigned base, double *chance, size_t max)
{
    double have[64] = {1};
    double left = 1;
    for (size_t length = 1; length < base + max; length++) {
        const double complete = have[base - 1] / base;
        for (unsigned k = base - 1; k > 0; k--)
            have[k] = have[k] * k / base + have[k - 1] * (base - k + 1) / base;
        have[0] = 0;
        if (length < base)
            continue;
        chance[length - base] = complete;
        left -= complete;
    }
    chance[max] = fmax(0, left);
}

/* The chance that `have` digits of the hand are different, digit by digit. */
void math_poker_chances(unsigned base, unsigned hand, double *chance)
{
    double have[64] = {1};
    for (unsigned i = 0; i < hand; i++)
        for (unsigned k = i + 1; k-- > 0;) {
            have[k + 1] += have[k] * (base - k) / base;
            have[k] = have[k] * k / base;
        }
    memcpy(chance, have + 1, hand * sizeof *chance);
}

/* Knuth, TAOCP 3.3.2 I, algorithm S: the chance of `k` repeats so far, ball by ball. */
void math_repeat_chances(uint32_t urns, uint32_t n, double *chance, size_t max)
{
    memset(chance, 0, (max + 1) * sizeof *chance);
    chance[0] = 1;
    for (uint32_t ball = 0; ball < n; ball++)
        for (size_t k = max + 1; k-- > 0;) {
            const double taken = ball < k ? 0 : (double)(ball - k) / urns;
            if (k < max) {
                chance[k + 1] += chance[k] * taken;
                chance[k] *= 1 - taken;
            }
        }
}
