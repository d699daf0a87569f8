/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of the numbers themselves and of the draws that they make: GLI-31 4.2.2 (a), (b), (h), (i), (j) and (l). */
#include "assess_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* --- parts --- */

void assess_put(assess_test *t, const char *name, double statistic, double freedom, uint64_t n, double p)
{
    /* A value beyond all numbers is a rejection, never a part that is missing. */
    const bool finite = isfinite(statistic) && isfinite(p);
    if (t->parts < ASSESS_PARTS)
        t->part[t->parts++] = (assess_part){name, finite ? statistic : DBL_MAX, freedom, n, finite ? p : 0};
}

void assess_put_chi2(assess_test *t, const char *name, const chi2 *sum)
{
    if (sum->freedom >= 1)
        assess_put(t, name, sum->statistic, sum->freedom, sum->n, math_chi2_p(sum->statistic, sum->freedom));
}

void assess_put_classes(assess_test *t, const char *name, const uint64_t *count, const double *chance, size_t classes)
{
    chi2 sum = {0, 0, 0};
    chi2_add(&sum, count, chance, classes);
    assess_put_chi2(t, name, &sum);
}

void assess_put_product(assess_test *t, const char *name, const assess_product *p)
{
    if (p->n < ASSESS_SUM_MIN)
        return;
    const double z = p->sum / sqrt((double)p->n);
    assess_put(t, name, z, 0, p->n, math_normal_p(z));
}

/* --- (a) chi-square, (b) frequency --- */

/* Without replacement the counts of the numbers vary less, and the same for every class: by (N - K) / (N - 1), as a hypergeometric variance is
 * to a binomial one. */
static double less_varied(const assess_shape *shape)
{
    const double n = (double)shape->range, k = (double)assess_counted_picks(shape);
    return shape->replace ? 1 : (n - k) / (n - 1);
}

static void put_numbers(const assess_shape *shape, assess_test *t, const char *name, const uint64_t *count,
                        const double *chance, size_t classes)
{
    chi2 sum = {0, 0, 0};
    chi2_add(&sum, count, chance, classes);
    sum.statistic /= less_varied(shape);
    assess_put_chi2(t, name, &sum);
}

void assess_chi_square(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_CELLS];
    const uint64_t n = shape->range, width = (n - 1) / ASSESS_CELLS + 1, cells = (n - 1) / width + 1;
    for (uint64_t i = 0; i < cells; i++)
        chance[i] = (double)(n - i * width < width ? n - i * width : width) / (double)n;
    put_numbers(shape, t, width == 1 ? "numbers" : "numbers in cells", c->by_value, chance, (size_t)cells);
    if (width == 1)
        return;
    for (uint64_t i = 0; i < ASSESS_CELLS; i++) {
        const uint64_t numbers = n / ASSESS_CELLS + (i < n % ASSESS_CELLS);
        chance[i] = (double)numbers / (double)n;
    }
    put_numbers(shape, t, "remainders by 16384", c->by_remainder, chance, ASSESS_CELLS);
}

/* How many of 0 … n - 1 have the bit. */
static double share_with_bit(uint64_t n, unsigned bit)
{
    const uint64_t one = UINT64_C(1) << bit, below = n & (one - 1);
    const uint64_t full = bit == 63 ? 0 : n >> (bit + 1) << bit;
    return ((double)full + ((n & one) != 0 ? (double)below : 0)) / (double)n;
}

static void put_bits(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    const double n = (double)c->totals;
    double largest = 0;
    size_t bits = 0;
    for (unsigned b = 0; b < ASSESS_BITS && (shape->range - 1) >> b != 0; b++) {
        const double share = share_with_bit(shape->range, b), mixed = share * (1 - share);
        if (n * mixed < ASSESS_SUM_MIN)
            continue;
        const double z = ((double)c->bit[b] - n * share) / sqrt(n * mixed * less_varied(shape));
        largest = fmax(largest, fabs(z));
        bits++;
    }
    if (bits > 0)
        assess_put(t, "bits", largest, 0, c->totals, math_smallest(math_normal_p(largest), bits));
}

static void put_positions(assess_test *t, const char *name, const uint64_t (*position)[ASSESS_BASE])
{
    chi2 sum = {0, 0, 0};
    for (size_t i = 0; i < ASSESS_POSITIONS; i++)
        chi2_add(&sum, position[i], NULL, ASSESS_BASE);
    assess_put_chi2(t, name, &sum);
}

static void put_monobit(assess_test *t, const char *name, uint64_t ones, uint64_t n)
{
    double statistic;
    if (n < ASSESS_SUM_MIN)
        return;
    const double p = math_monobit_p(ones, n, &statistic);
    assess_put(t, name, statistic, 0, n, p);
}

void assess_frequency(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    put_positions(t, "high digits by position", c->position[0]);
    put_positions(t, "low digits by position", c->position[1]);
    put_bits(shape, c, t);
    put_monobit(t, "high halves", c->ones[0], c->bits[0]);
    put_monobit(t, "odd and even", c->ones[1], c->bits[1]);
}

/* --- (h) Kolmogorov-Smirnov --- */

void assess_kolmogorov(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    uint64_t n = 0, below = 0;
    double largest = 0;
    (void)shape;
    for (size_t i = 0; i < ASSESS_STEPS; i++)
        n += c->step[i];
    if (n < ASSESS_SUM_MIN)
        return;
    for (size_t i = 0; i < ASSESS_STEPS; i++) {
        below += c->step[i];
        largest = fmax(largest, fabs((double)below / (double)n - (double)(i + 1) / ASSESS_STEPS));
    }
    assess_put(t, "largest distance", largest, 0, n, math_ks_p(largest, n));
}

/* --- (i) adjacency --- */

/* The chance of `a` neighbours in a draw of k out of n. */
static double neighbour_chance(uint64_t n, uint64_t k, uint64_t a)
{
    if (a >= k || k - a > n - k + 1)
        return 0;
    return (double)expl(math_choose(k - 1, a) + math_choose(n - k + 1, k - a) - math_choose(n, k));
}

static void fill_chances(double chance[ASSESS_SHARED + 1], double (*of)(uint64_t, uint64_t, uint64_t), uint64_t n,
                         uint64_t k)
{
    double left = 1;
    for (uint64_t i = 0; i < ASSESS_SHARED; i++) {
        chance[i] = of(n, k, i);
        left -= chance[i];
    }
    chance[ASSESS_SHARED] = fmax(0, left);
}

void assess_adjacency(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_SHARED + 1], near[ASSESS_NEAR];
    if (!shape->replace) {
        fill_chances(chance, neighbour_chance, shape->range, shape->picks);
        assess_put_classes(t, "neighbours in a draw", c->neighbours, chance, ASSESS_SHARED + 1);
    }
    /* Distances 0, 1, 2 to 3, 4 to 7 … and half of the circle, which is one place as 0 is. */
    for (size_t i = 0; i < ASSESS_NEAR; i++)
        near[i] = ldexp(1, i == 0 || i == ASSESS_NEAR - 1 ? 0 : (int)i) / ldexp(1, ASSESS_NEAR - 1);
    assess_put_classes(t, "distance to the value before", c->near, near, ASSESS_NEAR);
}

/* --- (d) overlaps --- */

/* The chance that two draws of k out of n share `a` numbers. */
static double shared_chance(uint64_t n, uint64_t k, uint64_t a)
{
    if (a > k || k - a > n - k)
        return 0;
    return (double)expl(math_choose(k, a) + math_choose(n - k, k - a) - math_choose(n, k));
}

/* With replacement: `a` of k places have the number that they had before. */
static double same_chance(uint64_t n, uint64_t k, uint64_t a)
{
    if (a > k)
        return 0;
    return (double)expl(math_choose(k, a) + (long double)(k - a) * log1pl(-1 / (long double)n) -
                        (long double)a * logl((long double)n));
}

/* The counts of patterns that are a digit shorter. */
static void shorten(const uint64_t *count, uint64_t *to, size_t patterns)
{
    for (size_t i = 0; i < patterns; i++) {
        to[i] = 0;
        for (size_t k = 0; k < ASSESS_BASE; k++)
            to[i] += count[i * ASSESS_BASE + k];
    }
}

/* The first difference of psi-square over overlapping triples, SP 800-22 2.11.4 (5). */
static void put_patterns(assess_test *t, const char *name, const uint64_t *triple)
{
    enum {
        PAIRS = ASSESS_BASE * ASSESS_BASE,
        TRIPLES = PAIRS * ASSESS_BASE
    };
    uint64_t pair[PAIRS], n = 0;
    shorten(triple, pair, PAIRS);
    for (size_t i = 0; i < PAIRS; i++)
        n += pair[i];
    if (n / TRIPLES < 5)
        return;
    const double difference = math_psi2(triple, TRIPLES) - math_psi2(pair, PAIRS);
    assess_put(t, name, difference, TRIPLES - PAIRS, n, math_chi2_p(difference, TRIPLES - PAIRS));
}

void assess_overlaps(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    double chance[ASSESS_SHARED + 1];
    fill_chances(chance, shape->replace ? same_chance : shared_chance, shape->range, shape->picks);
    assess_put_classes(t, "numbers of the draw before", c->shared, chance, ASSESS_SHARED + 1);
    put_patterns(t, "triples of high digits", c->triple[0]);
    put_patterns(t, "triples of low digits", c->triple[1]);
}

/* --- (j) order statistics --- */

/* The chance that all numbers of a draw are below `border`. */
static double all_below(const assess_shape *shape, uint64_t border)
{
    const uint64_t n = shape->range, k = shape->picks;
    if (shape->replace)
        return pow((double)border / (double)n, (double)k);
    return border < k ? 0 : (double)expl(math_choose(border, k) - math_choose(n, k));
}

static uint64_t find_border(const assess_shape *shape, double chance)
{
    uint64_t low = 1, high = shape->range;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (all_below(shape, middle) >= chance)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

assess_shape assess_eight_values(void)
{
    return (assess_shape){UINT64_C(1) << ASSESS_VALUE_BITS, ASSESS_EIGHT, true};
}

void assess_extreme_classes(const assess_shape *shape, uint64_t border[ASSESS_EXTREMES], double chance[ASSESS_EXTREMES])
{
    double before = 0;
    for (size_t i = 0; i < ASSESS_EXTREMES; i++) {
        border[i] = i + 1 == ASSESS_EXTREMES ? shape->range : find_border(shape, (double)(i + 1) / ASSESS_EXTREMES);
        const double below = i + 1 == ASSESS_EXTREMES ? 1 : all_below(shape, border[i]);
        chance[i] = fmax(0, below - before);
        before = below;
    }
}

void assess_order(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    uint64_t border[ASSESS_EXTREMES];
    double chance[ASSESS_EXTREMES];
    assess_extreme_classes(shape, border, chance);
    assess_put_classes(t, "largest of a draw", c->most, chance, ASSESS_EXTREMES);
    assess_put_classes(t, "smallest of a draw", c->least, chance, ASSESS_EXTREMES);
    const assess_shape eight = assess_eight_values();
    assess_extreme_classes(&eight, border, chance);
    assess_put_classes(t, "largest of eight values", c->most_of_eight, chance, ASSESS_EXTREMES);
}

/* --- (l) interplay correlation --- */

void assess_interplay(const assess_shape *shape, const assess_counts *c, assess_test *t)
{
    static const char *const names[ASSESS_BETWEEN] = {"one place apart",   "two places apart",  "three places apart",
                                                      "four places apart", "five places apart", "six places apart",
                                                      "seven places apart"};
    (void)shape;
    assess_put_classes(t, "pairs of places", c->pair, NULL, ASSESS_BASE * ASSESS_BASE);
    for (size_t i = 0; i < ASSESS_BETWEEN; i++)
        assess_put_product(t, names[i], &c->products.between[i]);
}
