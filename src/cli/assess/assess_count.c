/* SPDX-License-Identifier: Apache-2.0 */
/* Counting: each number is counted as it is, and through its rank as a uniform value among so many, from which exact rejection makes
 * digits (base 16, from both ends) and 20-bit values that are independent and equally likely. */
#include "assess.h"
#include "assess_state.h"

#include "output.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGIT_MIN = 256,
    VALUE_BITS = ASSESS_VALUE_BITS,
    FIVE = 5
};
#define VALUE_MIN (UINT64_C(1) << 28)

/* --- the shape --- */

bool assess_shape_valid(const assess_shape *shape, const char **why)
{
    *why = NULL;
    if (shape->range < 2)
        *why = "a range below 2 has nothing random";
    else if (shape->picks < 1 || shape->picks > ASSESS_PICKS_MAX)
        *why = "a draw has 1 to 1048576 picks";
    else if (!shape->replace && shape->picks > shape->range)
        *why = "there are more picks than the range has numbers";
    return *why == NULL;
}

assess_shape assess_counted_shape(const assess_shape *shape)
{
    return shape->picks == 1 ? (assess_shape){shape->range, ASSESS_EIGHT, true} : *shape;
}

uint64_t assess_counted_picks(const assess_shape *shape)
{
    return shape->replace || shape->picks <= shape->range / 2 ? shape->picks : shape->range / 2;
}

assess *assess_new(const assess_shape *shape)
{
    assess *a = memory_grow(NULL, sizeof *a);
    memset(a, 0, sizeof *a);
    a->given = *shape;
    a->shape = assess_counted_shape(shape);
    const size_t picks = (size_t)a->shape.picks;
    a->group = memory_grow(NULL, picks * sizeof *a->group);
    a->sorted = memory_grow(NULL, picks * sizeof *a->sorted);
    a->last = memory_grow(NULL, picks * sizeof *a->last);
    a->rank = memory_grow(NULL, picks * sizeof *a->rank);
    a->spare = memory_grow(NULL, 2 * picks * sizeof *a->spare);
    a->before = memory_grow(NULL, picks * sizeof *a->before);
    a->width = (a->shape.range - 1) / ASSESS_CELLS + 1;
    a->bits = 0;
    while (a->bits < ASSESS_BITS && (a->shape.range - 1) >> a->bits != 0)
        a->bits++;
    double chance[ASSESS_EXTREMES];
    assess_extreme_classes(&a->shape, a->border, chance);
    const assess_shape eight = assess_eight_values();
    assess_extreme_classes(&eight, a->border_of_eight, chance);
    a->digits.m = a->values.m = 1;
    return a;
}

void assess_free(assess *a)
{
    if (a == NULL)
        return;
    free(a->group);
    free(a->sorted);
    free(a->last);
    free(a->rank);
    free(a->spare);
    free(a->before);
    free(a);
}

/* --- values that are uniform and independent --- */

/* Joins a value that is uniform below m to those that wait, until they are one that is uniform below at least `enough`. */
static bool join(assess_join *j, uint64_t value, uint64_t m, uint64_t enough)
{
    if (j->full || j->m > UINT64_MAX / m)
        *j = (assess_join){0, 1, false};
    j->value = j->value * m + value;
    j->m *= m;
    j->full = j->m >= enough;
    return j->full;
}

static void count_gap(assess *a, size_t end, bool hit)
{
    uint64_t *since = &a->since[end];
    if (!hit) {
        ++*since;
        return;
    }
    a->c.gap[end][*since < ASSESS_GAPS ? *since : ASSESS_GAPS]++;
    *since = 0;
}

static void count_hand(assess *a, size_t end, unsigned digit)
{
    a->hand[end] |= 1U << digit;
    if (++a->in_hand[end] < ASSESS_HAND)
        return;
    a->c.hand[end][__builtin_popcount(a->hand[end]) - 1]++;
    a->hand[end] = a->in_hand[end] = 0;
}

static void count_coupon(assess *a, size_t end, unsigned digit)
{
    const unsigned base = ASSESS_BASE / 2;
    a->coupons[end] |= 1U << digit;
    a->since_set[end]++;
    if (a->coupons[end] != (1U << base) - 1)
        return;
    const uint64_t more = a->since_set[end] - base;
    a->c.coupon[end][more < ASSESS_COUPONS ? more : ASSESS_COUPONS]++;
    a->coupons[end] = 0;
    a->since_set[end] = 0;
}

/* `eighth` is the same digit in base 8, and `bit` in base 2, from its own end. */
static void count_digit(assess *a, size_t end, size_t position, unsigned digit, unsigned eighth, unsigned bit)
{
    assess_counts *c = &a->c;
    c->position[end][position][digit]++;
    count_gap(a, end, eighth == 0);
    count_hand(a, end, digit);
    count_coupon(a, end, eighth);
    a->pattern[end] = (a->pattern[end] << 4 | digit) & 0xfff;
    if (a->digit_count >= 2)
        c->triple[end][a->pattern[end]]++;
    c->changes[end] += a->digit_count > 0 && a->bit[end] != bit;
    a->bit[end] = bit;
    c->bits[end]++;
    c->ones[end] += bit;
    c->residue[end][a->digit_count % ASSESS_BASE][digit]++;
}

static void count_digits(assess *a, size_t position, uint64_t value, uint64_t m)
{
    const uint64_t share = m / ASSESS_BASE;
    if (value >= share * ASSESS_BASE)
        return;
    const unsigned high = (unsigned)(value / share), low = (unsigned)(value % ASSESS_BASE);
    count_digit(a, 0, position, high, high >> 1, high >> 3);
    count_digit(a, 1, position, low, low & 7, low & 1);
    a->digit_count++;
}

/* The number of the order of five values among the 120 of them, ASSESS_ORDERS when two are equal. */
static unsigned order_of(const uint64_t value[FIVE])
{
    unsigned order = 0;
    for (unsigned i = 0; i < FIVE; i++) {
        unsigned smaller = 0;
        for (unsigned k = i + 1; k < FIVE; k++) {
            if (value[k] == value[i])
                return ASSESS_ORDERS;
            smaller += value[k] < value[i];
        }
        order = order * (FIVE - i) + smaller;
    }
    return order;
}

static void count_order(assess *a, const uint64_t value[FIVE])
{
    const unsigned order = order_of(value);
    if (order < ASSESS_ORDERS)
        a->c.order[order]++;
}

/* A block of values: how many of them the block had before. */
static void count_repeat(assess *a, uint32_t value)
{
    uint64_t *word = &a->seen[value / 64];
    const uint64_t bit = UINT64_C(1) << value % 64;
    a->repeated += (*word & bit) != 0;
    *word |= bit;
    a->block[a->in_block++] = value;
    if (a->in_block < ASSESS_BLOCK)
        return;
    a->c.repeats[a->repeated < ASSESS_REPEATS ? a->repeated : ASSESS_REPEATS]++;
    for (size_t i = 0; i < ASSESS_BLOCK; i++)
        a->seen[a->block[i] / 64] = 0;
    a->in_block = 0;
    a->repeated = 0;
}

/* The distance to the value before, around the circle, by its binary order of magnitude. */
static void count_near(assess *a, uint32_t value)
{
    const uint32_t circle = UINT32_C(1) << VALUE_BITS;
    uint32_t distance = (value - a->value) & (circle - 1);
    distance = distance > circle / 2 ? circle - distance : distance;
    a->c.near[distance == 0 ? 0 : 32 - __builtin_clz(distance)] += a->value_count > 0;
    a->value = value;
}

static size_t class_of(const uint64_t border[ASSESS_EXTREMES], uint64_t most)
{
    size_t low = 0, high = ASSESS_EXTREMES - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (most < border[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void count_eight(assess *a, uint64_t value)
{
    const uint64_t at = a->value_count % ASSESS_EIGHT;
    a->most_of_eight = at > 0 && a->most_of_eight > value ? a->most_of_eight : value;
    if (at == ASSESS_EIGHT - 1)
        a->c.most_of_eight[class_of(a->border_of_eight, a->most_of_eight)]++;
}

static void count_value(assess *a, uint64_t value, uint64_t m)
{
    const size_t step = (size_t)((double)value / (double)m * ASSESS_STEPS);
    a->c.step[step < ASSESS_STEPS ? step : ASSESS_STEPS - 1]++;
    const uint64_t share = m >> VALUE_BITS, small = value / share;
    if (small >> VALUE_BITS != 0)
        return;
    count_repeat(a, (uint32_t)small);
    count_near(a, (uint32_t)small);
    count_eight(a, small);
    if (a->shape.replace || a->shape.picks < FIVE) {
        a->five[a->value_count % FIVE] = small;
        if (a->value_count % FIVE == FIVE - 1)
            count_order(a, a->five);
    }
    a->value_count++;
}

/* --- correlations --- */

static void multiply(assess_product *p, double x, double y)
{
    p->sum += x * y;
    p->n++;
}

/* The value as one with mean 0 and variance 1. */
static double standard(assess *a, uint64_t value, uint64_t m)
{
    if (m != a->scaled) {
        a->scaled = m;
        a->mean = ((double)m - 1) / 2;
        a->scale = sqrt(12 / (((double)m - 1) * ((double)m + 1)));
    }
    return ((double)value - a->mean) * a->scale;
}

static void count_products(assess *a, size_t at, double x)
{
    assess_counts *c = &a->c;
    const uint64_t now = a->past_count++;
    for (size_t lag = 1; lag <= ASSESS_LAGS && lag <= now; lag++) {
        const double y = a->past[(now - lag) % ASSESS_PAST];
        multiply(&c->products.lag[lag - 1], x, y);
        if (lag <= at && lag <= ASSESS_BETWEEN)
            multiply(&c->products.between[lag - 1], x, y);
    }
    for (size_t i = 0; i < ASSESS_STRIDES && (UINT64_C(16) << i) <= now; i++)
        multiply(&c->products.stride[i], x, a->past[(now - (UINT64_C(16) << i)) % ASSESS_PAST]);
    if (a->c.draws > 0)
        multiply(&c->products.before, x, a->before[at]);
    a->before[at] = x;
    a->past[now % ASSESS_PAST] = x;
}

/* --- draws --- */

static void count_total(assess *a, uint64_t number)
{
    assess_counts *c = &a->c;
    c->totals++;
    c->by_value[a->width == 1 ? number : number / a->width]++;
    c->by_remainder[number % ASSESS_CELLS]++;
    for (unsigned b = 0; b < a->bits; b++)
        c->bit[b] += number >> b & 1;
}

static void count_pair(assess *a, size_t at, uint64_t value, uint64_t m)
{
    const uint64_t share = m / ASSESS_BASE;
    const bool good = share > 0 && value < share * ASSESS_BASE;
    const unsigned digit = good ? (unsigned)(value / share) : ASSESS_BASE;
    if (at % 2 == 0)
        a->pair = digit;
    else if (good && a->pair < ASSESS_BASE)
        a->c.pair[a->pair * ASSESS_BASE + digit]++;
}

/* The value at a place of the draw, uniform below m whatever came before it. */
static void count_uniform(assess *a, size_t at, uint64_t value, uint64_t m)
{
    if (m < 2)
        return;
    count_products(a, at, standard(a, value, m));
    count_pair(a, at, value, m);
    if (join(&a->digits, value, m, DIGIT_MIN))
        count_digits(a, at < ASSESS_POSITIONS ? at : ASSESS_POSITIONS - 1, a->digits.value, a->digits.m);
    if (join(&a->values, value, m, VALUE_MIN))
        count_value(a, a->values.value, a->values.m);
}

static void count_extremes(assess *a)
{
    const uint64_t last = a->shape.range - 1;
    a->c.most[class_of(a->border, a->sorted[a->shape.picks - 1])]++;
    a->c.least[class_of(a->border, last - a->sorted[0])]++;
}

/* Both draws are sorted and without replacement. */
static uint64_t shared_sorted(const uint64_t *one, const uint64_t *other, size_t n)
{
    uint64_t shared = 0;
    for (size_t i = 0, k = 0; i < n && k < n;) {
        shared += one[i] == other[k];
        const bool step_one = one[i] <= other[k], step_other = other[k] <= one[i];
        i += step_one;
        k += step_other;
    }
    return shared;
}

static void count_set(assess *a)
{
    const size_t n = (size_t)a->shape.picks;
    uint64_t neighbours = 0;
    for (size_t i = 1; i < n; i++)
        neighbours += a->sorted[i] == a->sorted[i - 1] + 1;
    a->c.neighbours[neighbours < ASSESS_SHARED ? neighbours : ASSESS_SHARED]++;
    if (a->c.draws > 0) {
        const uint64_t shared = shared_sorted(a->sorted, a->last, n);
        a->c.shared[shared < ASSESS_SHARED ? shared : ASSESS_SHARED]++;
    }
    uint64_t *swap = a->sorted;
    a->sorted = a->last;
    a->last = swap;
}

/* With replacement: numbers that are those of the draw before, place by place. */
static void count_same(assess *a, const uint64_t *numbers)
{
    uint64_t same = 0;
    for (size_t i = 0; i < a->shape.picks; i++) {
        same += a->c.draws > 0 && numbers[i] == a->last[i];
        a->last[i] = numbers[i];
    }
    if (a->c.draws > 0)
        a->c.shared[same < ASSESS_SHARED ? same : ASSESS_SHARED]++;
}

/* The smallest and the largest, in the places where sorting puts them: with replacement nothing else is asked for. */
static void find_ends(const uint64_t *numbers, size_t n, uint64_t *sorted)
{
    uint64_t least = numbers[0], most = numbers[0];
    for (size_t i = 1; i < n; i++) {
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
    }
    sorted[0] = least;
    sorted[n - 1] = most;
}

static void count_draw(assess *a, const uint64_t *numbers)
{
    const size_t n = (size_t)a->shape.picks;
    const uint64_t totals = assess_counted_picks(&a->shape);
    if (a->shape.replace)
        find_ends(numbers, n, a->sorted);
    else
        assess_ranks(numbers, n, a->sorted, a->rank, a->spare);
    for (size_t i = 0; i < n; i++) {
        if (i < totals)
            count_total(a, numbers[i]);
        if (a->shape.replace)
            count_uniform(a, i, numbers[i], a->shape.range);
        else
            count_uniform(a, i, numbers[i] - a->rank[i], a->shape.range - i);
    }
    count_extremes(a);
    if (a->shape.replace)
        count_same(a, numbers);
    else
        count_set(a);
    for (size_t i = 0; !a->shape.replace && i + FIVE <= n; i += FIVE)
        count_order(a, numbers + i);
    a->c.draws++;
}

void assess_add(assess *a, const uint64_t *numbers, size_t draws)
{
    a->draws += draws;
    a->c.numbers += draws * a->given.picks;
    if (a->given.picks == a->shape.picks) {
        for (size_t i = 0; i < draws; i++)
            count_draw(a, numbers + i * a->shape.picks);
        return;
    }
    for (size_t i = 0; i < draws; i++) {
        a->group[a->in_group++] = numbers[i];
        if (a->in_group == a->shape.picks) {
            count_draw(a, a->group);
            a->in_group = 0;
        }
    }
}
