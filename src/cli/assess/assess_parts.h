/* SPDX-License-Identifier: Apache-2.0 */
/* How a test gets its parts. A part that has too little to count is left out: a test without parts is refused. */
#ifndef CLI_ASSESS_PARTS_H
#define CLI_ASSESS_PARTS_H

#include "assess.h"
#include "assess_math.h"

enum {
    ASSESS_SUM_MIN = 100 /* terms of a sum that is taken as normal */
};

/* A part with its p-value. */
void assess_put(assess_test *t, const char *name, double statistic, double freedom, uint64_t n, double p);
/* A sum of chi-square statistics; left out when it has no freedom. */
void assess_put_chi2(assess_test *t, const char *name, const chi2 *sum);
/* Counts of classes with these chances, NULL: equal ones. */
void assess_put_classes(assess_test *t, const char *name, const uint64_t *count, const double *chance, size_t classes);
/* A sum of products, which has the mean 0 and the variance n. */
void assess_put_product(assess_test *t, const char *name, const assess_product *p);

#endif
