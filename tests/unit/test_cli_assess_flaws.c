/* SPDX-License-Identifier: Apache-2.0 */
/* Each of the fifteen tests catches the flaw that it exists for, generators that are known to be bad are caught, and a good one passes, whatever is
 * drawn. All from fixed seeds. */
#include "assess.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBERS = 400000
};

/* --- a good generator: splitmix64 --- */

static uint64_t state;

static uint64_t word(void)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

__extension__ typedef unsigned __int128 wide;

static uint64_t below(uint64_t n)
{
    return (uint64_t)(((wide)word() * n) >> 64);
}

static bool chance(double p)
{
    return (double)(word() >> 11) * 0x1p-53 < p;
}

/* --- draws --- */

typedef void (*maker)(uint64_t *draw, const assess_shape *shape);

static void good(uint64_t *draw, const assess_shape *shape)
{
    for (size_t i = 0; i < shape->picks; i++) {
        bool again = true;
        while (again) {
            draw[i] = below(shape->range);
            again = false;
            for (size_t k = 0; k < i && !shape->replace; k++)
                again |= draw[k] == draw[i];
        }
    }
}

static uint64_t last[64]; /* the draw before, or what a flaw remembers */
static uint64_t count;

static void judge(maker make, const assess_shape *shape, size_t draws, assess_result *r)
{
    uint64_t draw[64];
    assess *a = assess_new(shape);
    memset(last, 0, sizeof last);
    count = 0;
    for (size_t i = 0; i < draws; i++) {
        make(draw, shape);
        count++;
        assess_add(a, draw, 1);
        if ((i + 1) * ASSESS_STREAMS % draws < ASSESS_STREAMS)
            assess_stream(a);
    }
    assess_judge(a, 0.01, r);
    assess_free(a);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        for (size_t k = 0; k < r->test[i].parts; k++)
            ck_assert(r->test[i].part[k].p >= 0 && r->test[i].part[k].p <= 1);
}

/* --- a flaw for each test --- */

/* (a): 16-bit words modulo 10,007, of which 65,536 is no multiple: words of 16 bits show within this sample what more bits show later. */
static void modulo(uint64_t *draw, const assess_shape *shape)
{
    for (size_t i = 0; i < shape->picks; i++)
        draw[i] = (word() >> 48) % shape->range;
}

/* (b): bit 4 is always 0. */
static void stuck(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    for (size_t i = 0; i < shape->picks; i++)
        draw[i] &= ~UINT64_C(16);
}

/* (c): a low value never follows a low value. */
static void no_short_gap(uint64_t *draw, const assess_shape *shape)
{
    do
        good(draw, shape);
    while (last[0] < shape->range / 8 && draw[0] < shape->range / 8);
    last[0] = draw[0];
}

/* (d): one draw in ten keeps a number of the draw before. */
static void keeps_one(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    bool there = false;
    for (size_t i = 0; i < shape->picks; i++)
        there |= draw[i] == last[0];
    if (count > 0 && !there && chance(0.1))
        draw[below(shape->picks)] = last[0];
    memcpy(last, draw, shape->picks * sizeof *draw);
}

/* (e): of every five high digits one in twenty hands has a pair made different. */
static void fewer_pairs(uint64_t *draw, const assess_shape *shape)
{
    const uint64_t share = shape->range / 16;
    good(draw, shape);
    for (uint64_t i = 0; i < count % 5; i++)
        while (draw[0] / share == last[i] / share && chance(0.2))
            good(draw, shape);
    last[count % 5] = draw[0];
}

/* (f): a bag of the eight classes, which is drawn empty before it is filled. */
static void bag(uint64_t *draw, const assess_shape *shape)
{
    const uint64_t share = shape->range / 8;
    do
        good(draw, shape);
    while ((last[0] >> draw[0] / share & 1) != 0);
    last[0] |= UINT64_C(1) << draw[0] / share;
    if (last[0] == 255)
        last[0] = 0;
}

/* (g): one draw in ten begins with its smallest number. */
static void smallest_first(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    size_t at = 0;
    for (size_t i = 1; i < shape->picks; i++)
        at = draw[i] < draw[at] ? i : at;
    if (!chance(0.1))
        return;
    const uint64_t swap = draw[0];
    draw[0] = draw[at];
    draw[at] = swap;
}

/* (h): a scaling that is not linear. */
static void curved(uint64_t *draw, const assess_shape *shape)
{
    for (size_t i = 0; i < shape->picks; i++)
        draw[i] = (uint64_t)(pow((double)(word() >> 11) * 0x1p-53, 1.02) * (double)shape->range);
}

/* (i): a number in fifty is a neighbour of the one before it in the draw. */
static void neighbours(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    if (draw[0] + 1 == shape->range || !chance(0.1))
        return;
    for (size_t i = 2; i < shape->picks; i++)
        if (draw[i] == draw[0] + 1)
            return;
    draw[1] = draw[0] + 1;
}

/* (j): one draw in ten is drawn again when its largest number is high. */
static void low_maximum(uint64_t *draw, const assess_shape *shape)
{
    uint64_t most = 0;
    good(draw, shape);
    for (size_t i = 0; i < shape->picks; i++)
        most = draw[i] > most ? draw[i] : most;
    if (most > shape->range - shape->range / 50 && chance(0.2))
        good(draw, shape);
}

/* (k): the half stays in three of a hundred. */
static void sticky(uint64_t *draw, const assess_shape *shape)
{
    const uint64_t half = shape->range / 2;
    good(draw, shape);
    if (chance(0.03))
        draw[0] = draw[0] % half + (last[0] >= half ? half : 0);
    last[0] = draw[0];
}

/* (l): the third place leans on the first. */
static void leaning(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    if (chance(0.05))
        draw[2] = (draw[0] + shape->range / 100 + below(shape->range / 100)) % shape->range;
}

/* (m): a value leans on the one before. */
static void serial(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    if (chance(0.03))
        draw[0] = last[0];
    last[0] = draw[0];
}

/* (n): every 32nd value leans on what was 32 before. */
static void stride(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    if (chance(0.03))
        draw[0] = last[count % 32];
    last[count % 32] = draw[0];
}

/* (o): one value in a thousand comes again soon, but not where a correlation over fixed distances sees it. */
static void comes_again(uint64_t *draw, const assess_shape *shape)
{
    good(draw, shape);
    if (chance(0.001))
        draw[0] = last[below(64)];
    last[count % 64] = draw[0];
}

static const struct {
    char clause;
    maker make;
    assess_shape shape;
} flaws[] = {
    {'a', modulo, {10007, 1, true}},
    {'b', stuck, {1000000, 1, true}},
    {'c', no_short_gap, {1000000000, 1, true}},
    {'d', keeps_one, {1000, 5, false}},
    {'e', fewer_pairs, {UINT64_C(1) << 30, 1, true}},
    {'f', bag, {UINT64_C(1) << 30, 1, true}},
    {'g', smallest_first, {1000, 5, false}},
    {'h', curved, {1000000000, 1, true}},
    {'i', neighbours, {1000, 5, false}},
    {'j', low_maximum, {1000, 5, false}},
    {'k', sticky, {1000000000, 1, true}},
    {'l', leaning, {1000000000, 5, true}},
    {'m', serial, {1000000000, 1, true}},
    {'n', stride, {1000000000, 1, true}},
    {'o', comes_again, {1000000000, 1, true}},
};

START_TEST(the_test_catches_its_flaw)
{
    assess_result r;
    state = 1;
    judge(flaws[_i].make, &flaws[_i].shape, (size_t)(NUMBERS / flaws[_i].shape.picks), &r);
    const assess_test *t = &r.test[flaws[_i].clause - 'a'];
    ck_assert_msg(t->verdict == ASSESS_FAIL, "(%c) %s: p %g", t->clause, t->name, t->p);
    ck_assert(!r.passed);
}
END_TEST

/* --- generators that are known to be bad --- */

/* A linear congruential generator of 31 bits, whose low bits have short periods. */
static void lcg_low(uint64_t *draw, const assess_shape *shape)
{
    last[0] = (last[0] * 1103515245 + 12345) & 0x7fffffff;
    draw[0] = last[0] % shape->range;
}

/* The same, its high bits: a full period would be too even. */
static void lcg_whole(uint64_t *draw, const assess_shape *shape)
{
    last[0] = (last[0] * 1103515245 + 12345) & 0x3ffff;
    draw[0] = last[0] * shape->range >> 18;
}

/* RANDU, whose triples lie in 15 planes. */
static void randu(uint64_t *draw, const assess_shape *shape)
{
    last[0] = last[0] == 0 ? 1 : last[0] * 65539 & 0x7fffffff;
    draw[0] = last[0] * shape->range >> 31;
}

/* A cycle of 5,000. */
static void cycle(uint64_t *draw, const assess_shape *shape)
{
    if (count % 5000 == 0)
        state = 99;
    good(draw, shape);
}

/* A Mersenne generator of 16 bits scaled to a range that it cannot fill. */
static void narrow(uint64_t *draw, const assess_shape *shape)
{
    draw[0] = (word() >> 48) * shape->range >> 16;
}

/* The median of three words. */
static void humped(uint64_t *draw, const assess_shape *shape)
{
    const uint64_t a = below(shape->range), b = below(shape->range);
    draw[0] = (a + b) / 2;
}

/* A counter. */
static void counter(uint64_t *draw, const assess_shape *shape)
{
    draw[0] = count % shape->range;
}

/* Always the same. */
static void constant(uint64_t *draw, const assess_shape *shape)
{
    for (size_t i = 0; i < shape->picks; i++)
        draw[i] = i * 7 % shape->range;
}

/* A shuffle that swaps with any place, not with those that are left. */
static void naive_shuffle(uint64_t *draw, const assess_shape *shape)
{
    uint64_t all[64];
    for (size_t i = 0; i < shape->range; i++)
        all[i] = i;
    for (size_t i = 0; i < shape->range; i++) {
        const uint64_t k = below(shape->range), swap = all[i];
        all[i] = all[k];
        all[k] = swap;
    }
    memcpy(draw, all, shape->picks * sizeof *draw);
}

static const struct {
    maker make;
    assess_shape shape;
} bad[] = {
    {lcg_low, {64, 1, true}},        {lcg_whole, {1 << 18, 1, true}},  {randu, {1000000, 1, true}},
    {cycle, {1000000, 1, true}},     {narrow, {1000000, 1, true}},     {humped, {1000, 1, true}},
    {counter, {1000, 1, true}},      {constant, {49, 6, false}},       {constant, {1000000000, 10, false}},
    {naive_shuffle, {49, 6, false}}, {naive_shuffle, {10, 10, false}},
};

START_TEST(bad_generators_are_caught)
{
    assess_result r;
    state = 2;
    judge(bad[_i].make, &bad[_i].shape, (size_t)(NUMBERS / bad[_i].shape.picks), &r);
    ck_assert(!r.passed && r.failed > 0);
}
END_TEST

/* --- a good one --- */

static const assess_shape shapes[] = {
    {2, 1, false},          {3, 2, false},          {10, 10, false},         {17, 5, false},
    {49, 6, false},         {49, 6, true},          {300, 40, false},        {100000, 64, false},
    {65536, 3, true},       {1000000000, 1, false}, {1000000000, 20, false}, {(UINT64_C(1) << 32) + 1, 5, true},
    {UINT64_MAX, 2, false},
};

START_TEST(a_good_generator_passes)
{
    assess_result r;
    const assess_shape *shape = &shapes[_i];
    state = 3;
    judge(good, shape, (size_t)(4 * NUMBERS / shape->picks), &r);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        ck_assert_msg(r.test[i].verdict == ASSESS_PASS || r.test[i].verdict == ASSESS_LOW ||
                          r.test[i].verdict == ASSESS_REFUSED,
                      "(%c) %g", r.test[i].clause, r.test[i].p);
    ck_assert(r.failed == 0 && r.rejected_p >= r.share && r.uniform_p >= r.share);
    ck_assert(r.refused == 0 || (shape->range < 4 && r.refused == 1 && r.test[14].verdict == ASSESS_REFUSED));
}
END_TEST

/* Of 40 samples none may be rejected more often than chance allows: three of a hundred would be, at 1 %, once in a thousand times. */
START_TEST(good_samples_are_rarely_rejected)
{
    assess_result r;
    const assess_shape shape = {1000, 5, false};
    unsigned rejected = 0;
    state = 4;
    for (int i = 0; i < 40; i++) {
        judge(good, &shape, 20000, &r);
        rejected += r.failed > 0 || r.rejected_p < r.share || r.uniform_p < r.share;
    }
    ck_assert_uint_le(rejected, 2);
}
END_TEST

/* --- samples that are too small, and shapes --- */

START_TEST(small_samples_are_refused_by_test)
{
    assess_result r;
    const assess_shape shape = {49, 6, false};
    state = 5;
    for (size_t draws = 0; draws < 40; draws++) {
        judge(good, &shape, draws == 0 ? 1 : draws, &r);
        ck_assert(!r.passed && r.refused > 0 && r.streams == 0);
    }
    assess *a = assess_new(&shape);
    assess_stream(a);
    assess_judge(a, 0.01, &r);
    ck_assert(r.refused == ASSESS_TESTS && r.failed == 0 && !r.passed);
    assess_free(a);
}
END_TEST

START_TEST(how_draws_are_handed_over_makes_no_difference)
{
    static const assess_shape of[] = {{1000, 1, false}, {1000, 7, false}, {1000, 7, true}};
    static uint64_t numbers[7 * 1000];
    for (size_t i = 0; i < 3; i++) {
        assess *a = assess_new(&of[i]), *b = assess_new(&of[i]);
        state = 6;
        for (size_t k = 0; k < 1000; k++)
            good(numbers + k * of[i].picks, &of[i]);
        assess_add(a, numbers, 1000);
        for (size_t k = 0; k < 1000; k++)
            assess_add(b, numbers + k * of[i].picks, 1);
        ck_assert_mem_eq(assess_counted(a), assess_counted(b), sizeof(assess_counts));
        assess_free(a);
        assess_free(b);
    }
}
END_TEST

START_TEST(shapes_that_make_sense)
{
    const char *why;
    ck_assert(!assess_shape_valid(&(assess_shape){1, 1, true}, &why) && why != NULL);
    ck_assert(!assess_shape_valid(&(assess_shape){5, 0, true}, &why));
    ck_assert(!assess_shape_valid(&(assess_shape){5, 6, false}, &why));
    ck_assert(!assess_shape_valid(&(assess_shape){5, ASSESS_PICKS_MAX + 1, true}, &why));
    ck_assert(assess_shape_valid(&(assess_shape){5, 6, true}, &why) && why == NULL);
    ck_assert(assess_shape_valid(&(assess_shape){2, 2, false}, &why));
}
END_TEST

/* Both ways of sorting, against counting. */
START_TEST(ranks)
{
    static uint64_t numbers[1000], sorted[1000];
    static uint32_t rank[1000];
    static assess_ranked spare[2000];
    static const size_t lengths[] = {1, 2, 3, 31, 32, 33, 64, 65, 100, 1000};
    state = 7;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t n = lengths[i];
        for (size_t k = 0; k < n; k++)
            numbers[k] = word();
        assess_ranks(numbers, n, sorted, rank, spare);
        for (size_t k = 0; k < n; k++) {
            uint32_t smaller = 0;
            for (size_t j = 0; j < k; j++)
                smaller += numbers[j] < numbers[k];
            ck_assert_uint_eq(rank[k], smaller);
            ck_assert(k == 0 || sorted[k - 1] < sorted[k]);
        }
    }
}
END_TEST

/* The classes of the largest number, against every draw of 3 out of 9. */
START_TEST(chances_of_the_largest)
{
    for (int replace = 0; replace < 2; replace++) {
        const assess_shape shape = {9, 3, replace == 1};
        uint64_t border[ASSESS_EXTREMES];
        double chances[ASSESS_EXTREMES], seen[ASSESS_EXTREMES] = {0}, all = 0;
        assess_extreme_classes(&shape, border, chances);
        for (unsigned way = 0; way < 729; way++) {
            const unsigned a = way % 9, b = way / 9 % 9, c = way / 81;
            if (!shape.replace && (a == b || b == c || a == c))
                continue;
            const unsigned most = a > b ? (a > c ? a : c) : (b > c ? b : c);
            size_t i = 0;
            while (most >= border[i])
                i++;
            seen[i]++;
            all++;
        }
        for (size_t i = 0; i < ASSESS_EXTREMES; i++)
            ck_assert(fabs(chances[i] - seen[i] / all) < 1e-12);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assess_flaws");
    TCase *tests = tcase_create("assess_flaws");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, the_test_catches_its_flaw, 0, (int)(sizeof flaws / sizeof *flaws));
    tcase_add_loop_test(tests, bad_generators_are_caught, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_loop_test(tests, a_good_generator_passes, 0, (int)(sizeof shapes / sizeof *shapes));
    tcase_add_test(tests, good_samples_are_rarely_rejected);
    tcase_add_test(tests, small_samples_are_refused_by_test);
    tcase_add_test(tests, how_draws_are_handed_over_makes_no_difference);
    tcase_add_test(tests, shapes_that_make_sense);
    tcase_add_test(tests, ranks);
    tcase_add_test(tests, chances_of_the_largest);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
