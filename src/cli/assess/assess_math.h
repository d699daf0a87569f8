/* SPDX-License-Identifier: Apache-2.0 */
/* The mathematics of the fifteen tests: special functions, chi-square over classes, and the tests that SP 800-22 defines. */
#ifndef CLI_ASSESS_MATH_H
#define CLI_ASSESS_MATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), each exact where it is small; a > 0, x >= 0. */
void math_gamma(double a, double x, double *p, double *q);
/* Too large a statistic is too uneven for chance, too small a one too even: both tails count, the lower one from ten degrees of freedom on, below
 * which counts are too few to be suspiciously even. */
double math_chi2_p(double statistic, double freedom);
double math_normal_p(double z);
/* Kolmogorov's limit distribution: the chance of sqrt(n) D >= x. */
double math_kolmogorov(double x);
/* The p-value of D over n values, both tails, with the correction of Stephens (1970) for a finite n. */
double math_ks_p(double d, uint64_t n);
/* The chance of at least `k` of `n`, each with the chance p. */
double math_binomial_tail(uint64_t n, uint64_t k, double p);
/* ln of n over k; 0 <= k <= n, and beyond an n of 2^34, k <= 2^20. */
long double math_choose(uint64_t n, uint64_t k);
/* The p-value of the smallest of `n` independent ones (Sidak). */
double math_smallest(double p, size_t n);

/* A sum of chi-square statistics. Neighbouring classes are taken together until each expects 10. */
typedef struct chi2 {
    double statistic, freedom;
    uint64_t n;
} chi2;
/* Adds counts of classes with these chances, NULL: equal ones; nothing when there are too few for two classes. */
void chi2_add(chi2 *c, const uint64_t *count, const double *chance, size_t classes);

/* SP 800-22 2.1 and 2.3: `ones` of `n` bits, in `runs` runs. */
double math_monobit_p(uint64_t ones, uint64_t n, double *statistic);
double math_runs_p(uint64_t ones, uint64_t n, uint64_t runs, double *statistic);
/* SP 800-22 2.11, for an alphabet of `base`: psi-square of the counts of patterns. */
double math_psi2(const uint64_t *count, size_t patterns);

/* Chances of the classes, for `gap` 0 … max - 1 and "max and more"; `length` of a coupon set from `base` up, the same way. */
void math_gap_chances(double hit, double *chance, size_t max);
void math_coupon_chances(unsigned base, double *chance, size_t max);
/* 1 … hand different digits in a hand. */
void math_poker_chances(unsigned base, unsigned hand, double *chance);
/* `repeats` 0 … max - 1 and "max and more" when `n` balls fall into `urns`. */
void math_repeat_chances(uint32_t urns, uint32_t n, double *chance, size_t max);

#endif
