/* SPDX-License-Identifier: Apache-2.0 */
/* The mathematics of the assessment against mpmath at 40 digits, the worked examples of SP 800-22 Rev. 1a, and enumeration. */
#include "assess_math.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void close_to(double seen, double wanted, double relative)
{
    ck_assert_msg(fabs(seen - wanted) <= relative * fabs(wanted), "%.17g, not %.17g", seen, wanted);
}

START_TEST(incomplete_gamma)
{
    static const double cases[][4] = {
        {0.5, 0.001, 0.035670591729679885, 0.96432940827032011},
        {0.5, 0.5, 0.6826894921370859, 0.3173105078629141},
        {0.5, 20, 0.99999999974603714, 2.539628589470865e-10},
        {1, 1, 0.63212055882855768, 0.36787944117144232},
        {2, 0.8, 0.19120786458900115, 0.80879213541099885},
        {2, 1.6, 0.47506905321389597, 0.52493094678610403},
        {7.5, 3, 0.020252253282186635, 0.97974774671781337},
        {32, 20, 0.0080917546698351158, 0.99190824533016488},
        {32, 50, 0.99731371710534498, 0.0026862828946550171},
        {127.5, 127.5, 0.51177747822959366, 0.48822252177040634},
        {1920, 1900, 0.32620524334744749, 0.67379475665255251},
        {1920, 2100, 0.99996747346590423, 3.2526534095765162e-5},
        {8191.5, 8191.5, 0.50146928954318219, 0.49853071045681781},
        {8191.5, 7800, 5.5940051775211255e-6, 0.99999440599482248},
        {8191.5, 8700, 0.99999998203794984, 1.7962050160212134e-8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p, q;
        math_gamma(cases[i][0], cases[i][1], &p, &q);
        close_to(p, cases[i][2], 1e-11);
        close_to(q, cases[i][3], 1e-11);
    }
}
END_TEST

START_TEST(edges_of_the_incomplete_gamma)
{
    double p, q;
    math_gamma(3, 0, &p, &q);
    ck_assert(p == 0 && q == 1);
    math_gamma(3, 1e6, &p, &q);
    ck_assert(p == 1 && q >= 0 && q < 1e-300);
    math_gamma(8191.5, 1e9, &p, &q);
    ck_assert(p == 1 && q >= 0 && q < 1e-300);
}
END_TEST

START_TEST(kolmogorov)
{
    static const double cases[][2] = {
        {0.3, 0.99999069419866543},   {0.5, 0.96394524366487509},  {0.8276, 0.49995841656354728},
        {0.999, 0.27107316411506395}, {1.0, 0.26999967167735452},  {1.36, 0.04948587675537791},
        {2, 0.00067092525577969535},  {4, 2.5328331098188351e-14},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        close_to(math_kolmogorov(cases[i][0]), cases[i][1], 1e-11);
    ck_assert(math_kolmogorov(0) == 1);
    ck_assert(math_kolmogorov(0.1) == 1);
}
END_TEST

START_TEST(binomial_tails)
{
    close_to(math_binomial_tail(150, 0, 0.01), 1, 1e-12);
    close_to(math_binomial_tail(150, 1, 0.01), 0.77854821276113878, 1e-12);
    close_to(math_binomial_tail(150, 5, 0.01), 0.017987494546488857, 1e-12);
    close_to(math_binomial_tail(150, 12, 0.01), 4.8198305845219367e-8, 1e-12);
    close_to(math_binomial_tail(10, 10, 0.5), 0.0009765625, 1e-12);
    close_to(math_binomial_tail(75, 4, 0.2), 0.99993269365064713, 1e-12);
}
END_TEST

START_TEST(binomial_coefficients)
{
    close_to((double)expl(math_choose(49, 6)), 13983816, 1e-14);
    close_to((double)expl(math_choose(1000, 0)), 1, 1e-14);
    close_to((double)math_choose((UINT64_C(1) << 40) + 5, 3), 81.385902197976296, 1e-12);
    close_to((double)math_choose(UINT64_MAX, 2), 88.029691931113054, 1e-14);
    close_to((double)math_choose(UINT64_MAX, 1 << 20), 33028538.061713861, 1e-14);
    /* Both ways at the border between them. */
    const uint64_t border = UINT64_C(1) << 34;
    close_to((double)(math_choose(border + 1, 1 << 20) - math_choose(border, 1 << 20)), 0x1p-14, 1e-3);
}
END_TEST

START_TEST(smallest_of_some)
{
    close_to(math_smallest(0.01, 1), 0.01, 1e-12);
    close_to(math_smallest(0.01, 10), 0.095617924991195510, 1e-12);
    close_to(math_smallest(1e-20, 10), 1e-19, 1e-12);
    ck_assert(math_smallest(1, 5) == 1);
    ck_assert(math_smallest(0, 5) == 0);
}
END_TEST

START_TEST(both_tails_of_chi_square)
{
    /* 1 degree of freedom: only the upper tail. 100: half of the middle is on either side. */
    close_to(math_chi2_p(3.841458820694124, 1), 0.05, 1e-9);
    ck_assert(math_chi2_p(0, 1) == 1);
    ck_assert(math_chi2_p(0, 100) == 0);
    close_to(math_chi2_p(135.80672317102677, 100), 0.02, 1e-9);
    close_to(math_chi2_p(70.06489492539978, 100), 0.02, 1e-9);
}
END_TEST

/* --- SP 800-22 --- */

static const char pi_bits[] =
    "11001001000011111101101010100010001000010110100011000010001101001100010011000110011000101000"
    "10111000";

static uint64_t count_ones(const char *bits)
{
    uint64_t ones = 0;
    for (; *bits != 0; bits++)
        ones += *bits == '1';
    return ones;
}

static uint64_t count_runs(const char *bits)
{
    uint64_t runs = 1;
    for (size_t i = 1; bits[i] != 0; i++)
        runs += bits[i] != bits[i - 1];
    return runs;
}

START_TEST(monobit_examples)
{
    double statistic;
    close_to(math_monobit_p(count_ones("1011010101"), 10, &statistic), 0.527089, 1e-6);
    close_to(statistic, 0.632455532, 1e-8);
    ck_assert_uint_eq(strlen(pi_bits), 100);
    close_to(math_monobit_p(count_ones(pi_bits), 100, &statistic), 0.109599, 1e-5);
    close_to(statistic, 1.6, 1e-12);
}
END_TEST

START_TEST(runs_examples)
{
    double statistic;
    close_to(math_runs_p(count_ones("1001101011"), 10, count_runs("1001101011"), &statistic), 0.147232, 1e-5);
    ck_assert(statistic == 7);
    close_to(math_runs_p(count_ones(pi_bits), 100, count_runs(pi_bits), &statistic), 0.500798, 1e-5);
    ck_assert(statistic == 52);
    /* Its precondition, 2.3.4 (2): the frequency test fails. */
    ck_assert(math_runs_p(80, 100, 32, &statistic) == 0);
}
END_TEST

/* 2.11.4: 0011011101, overlapping patterns around the circle. */
START_TEST(serial_example)
{
    static const uint64_t three[] = {0, 1, 1, 2, 1, 2, 2, 1}, two[] = {1, 3, 3, 3}, one[] = {4, 6};
    double p, q;
    close_to(math_psi2(three, 8), 2.8, 1e-12);
    close_to(math_psi2(two, 4), 1.2, 1e-12);
    close_to(math_psi2(one, 2), 0.4, 1e-12);
    math_gamma(2, 1.6 / 2, &p, &q);
    close_to(q, 0.808792, 1e-6);
    math_gamma(1, 0.8 / 2, &p, &q);
    close_to(q, 0.670320, 1e-6);
    ck_assert(math_psi2((const uint64_t[4]){0}, 4) == 0);
}
END_TEST

/* --- chi-square over classes --- */

START_TEST(classes_are_taken_together)
{
    /* Expected 60, 6, 6, 48: the second and third are one class; what is left over joins the last. */
    static const uint64_t count[] = {50, 10, 2, 58};
    static const double chance[] = {0.5, 0.05, 0.05, 0.4};
    chi2 sum = {0, 0, 0};
    chi2_add(&sum, count, chance, 4);
    close_to(sum.statistic, 100.0 / 60 + 0 + 100.0 / 48, 1e-12);
    ck_assert(sum.freedom == 2 && sum.n == 120);
    static const uint64_t more[] = {30, 28, 2};
    static const double uneven[] = {0.5, 0.45, 0.05};
    sum = (chi2){0, 0, 0};
    chi2_add(&sum, more, uneven, 3);
    close_to(sum.statistic + 1, 1, 1e-12);
    ck_assert(sum.freedom == 1);
}
END_TEST

START_TEST(too_little_for_classes)
{
    static const uint64_t few[] = {5, 5}, none[] = {0, 0, 0};
    chi2 sum = {0, 0, 0};
    chi2_add(&sum, few, NULL, 2);
    chi2_add(&sum, none, NULL, 3);
    ck_assert(sum.statistic == 0 && sum.freedom == 0 && sum.n == 0);
}
END_TEST

/* --- chances --- */

static double sum_of(const double *chance, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += chance[i];
    return sum;
}

START_TEST(chances_of_gaps)
{
    double chance[65];
    math_gap_chances(0.125, chance, 64);
    close_to(chance[0], 0.125, 1e-15);
    close_to(chance[2], 0.125 * 0.875 * 0.875, 1e-15);
    close_to(sum_of(chance, 65), 1, 1e-12);
}
END_TEST

START_TEST(chances_of_hands)
{
    double chance[5];
    math_poker_chances(16, 5, chance);
    /* 16! / (16 - k)! {5 over k} / 16^5, with the Stirling numbers 1, 15, 25, 10, 1. */
    close_to(chance[0], 16.0 / 1048576, 1e-12);
    close_to(chance[1], 15 * 240.0 / 1048576, 1e-12);
    close_to(chance[2], 25 * 3360.0 / 1048576, 1e-12);
    close_to(chance[3], 10 * 43680.0 / 1048576, 1e-12);
    close_to(chance[4], 524160.0 / 1048576, 1e-12);
}
END_TEST

START_TEST(chances_of_coupons)
{
    double chance[65];
    math_coupon_chances(8, chance, 64);
    close_to(chance[0], 40320.0 / 16777216, 1e-12);       /* 8! / 8^8 */
    close_to(chance[1], 28 * 40320.0 / 134217728, 1e-12); /* {8 over 7} 8! / 8^9 */
    close_to(sum_of(chance, 65), 1, 1e-12);
}
END_TEST

/* Against all 5^4 ways in which four balls fall into five urns. */
START_TEST(chances_of_repeats)
{
    double chance[4];
    unsigned count[4] = {0};
    math_repeat_chances(5, 4, chance, 3);
    for (unsigned way = 0; way < 625; way++) {
        unsigned urns = 0, left = way;
        for (int ball = 0; ball < 4; ball++, left /= 5)
            urns |= 1U << left % 5;
        count[4 - __builtin_popcount(urns)]++;
    }
    for (size_t i = 0; i < 4; i++)
        close_to(chance[i], count[i] / 625.0, 1e-12);
    double many[9];
    math_repeat_chances(UINT32_C(1) << 20, 1024, many, 8);
    close_to(sum_of(many, 9), 1, 1e-12);
    close_to(many[1] / many[0], 0.4995, 1e-2); /* near Poisson's 1023 * 1024 / 2^21 */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assess_math");
    TCase *tests = tcase_create("assess_math");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, incomplete_gamma);
    tcase_add_test(tests, edges_of_the_incomplete_gamma);
    tcase_add_test(tests, kolmogorov);
    tcase_add_test(tests, binomial_tails);
    tcase_add_test(tests, binomial_coefficients);
    tcase_add_test(tests, smallest_of_some);
    tcase_add_test(tests, both_tails_of_chi_square);
    tcase_add_test(tests, monobit_examples);
    tcase_add_test(tests, runs_examples);
    tcase_add_test(tests, serial_example);
    tcase_add_test(tests, classes_are_taken_together);
    tcase_add_test(tests, too_little_for_classes);
    tcase_add_test(tests, chances_of_gaps);
    tcase_add_test(tests, chances_of_hands);
    tcase_add_test(tests, chances_of_coupons);
    tcase_add_test(tests, chances_of_repeats);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
