/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of the order in which values come: GLI-31 4.2.2 (c), (e), (f), (g), (k), (m), (n) and (o). The classical ones are Knuth's, TAOCP 3.3.2. */
#include "assess_parts.h"
#include "assess_state.h"

void assess_gap(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_GAPS + 1];
    (void)shape;
    math_gap_chances(2.0 / ASSESS_BASE, chance, ASSESS_GAPS);
    assess_put_classes(t, "high digits", c->gap[0], chance, ASSESS_GAPS + 1);
    assess_put_classes(t, "low digits", c->gap[1], chance, ASSESS_GAPS + 1);
}

void assess_poker(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_HAND];
    (void)shape;
    math_poker_chances(ASSESS_BASE, ASSESS_HAND, chance);
    assess_put_classes(t, "high digits", c->hand[0], chance, ASSESS_HAND);
    assess_put_classes(t, "low digits", c->hand[1], chance, ASSESS_HAND);
}

void assess_coupon(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_COUPONS + 1];
    (void)shape;
    math_coupon_chances(ASSESS_BASE / 2, chance, ASSESS_COUPONS);
    assess_put_classes(t, "high digits", c->coupon[0], chance, ASSESS_COUPONS + 1);
    assess_put_classes(t, "low digits", c->coupon[1], chance, ASSESS_COUPONS + 1);
}

void assess_permutation(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    (void)shape;
    assess_put_classes(t, "orders of five", c->order, NULL, ASSESS_ORDERS);
}

static void put_runs(assess_test *t, const char *name, uint64_t ones, uint64_t n, uint64_t changes)
{
    double statistic;
    if (n < ASSESS_SUM_MIN)
        return;
    const double p = math_runs_p(ones, n, changes + 1, &statistic);
    assess_put(t, name, statistic, 0, n, p);
}

void assess_runs(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    (void)shape;
    put_runs(t, "high halves", c->ones[0], c->bits[0], c->changes[0]);
    put_runs(t, "odd and even", c->ones[1], c->bits[1], c->changes[1]);
}

void assess_serial(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    static const char *const names[ASSESS_LAGS] = {"lag 1", "lag 2", "lag 3", "lag 4",
                                                   "lag 5", "lag 6", "lag 7", "lag 8"};
    (void)shape;
    for (size_t i = 0; i < ASSESS_LAGS; i++)
        assess_put_product(t, names[i], &c->products.lag[i]);
    assess_put_product(t, "the draw before", &c->products.before);
}

static void put_residues(assess_test *t, const char *name, const uint64_t (*residue)[ASSESS_BASE])
{
    chi2 sum = {0, 0, 0};
    for (size_t i = 0; i < ASSESS_BASE; i++)
        chi2_add(&sum, residue[i], NULL, ASSESS_BASE);
    assess_put_chi2(t, name, &sum);
}

void assess_subsequences(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    static const char *const names[ASSESS_STRIDES] = {"stride 16",  "stride 32",  "stride 64",   "stride 128",
                                                      "stride 256", "stride 512", "stride 1024", "stride 2048"};
    (void)shape;
    put_residues(t, "every 16th high digit", c->residue[0]);
    put_residues(t, "every 16th low digit", c->residue[1]);
    for (size_t i = 0; i < ASSESS_STRIDES; i++)
        assess_put_product(t, names[i], &c->products.stride[i]);
}

void assess_poisson(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_REPEATS + 1];
    (void)shape;
    math_repeat_chances(UINT32_C(1) << ASSESS_VALUE_BITS, ASSESS_BLOCK, chance, ASSESS_REPEATS);
    assess_put_classes(t, "repeats in blocks of 1024", c->repeats, chance, ASSESS_REPEATS + 1);
}
