/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of what a prize is worth. */
#include "prize_value.h"
#include "vectors_impl.h"

static int64_t money(rf_vector *v, const char *member, int64_t missing)
{
    return rf_vector_has(v, member) ? (int64_t)rf_vector_number(v, member) : missing;
}

static rf_round way(rf_vector *v)
{
    if (!rf_vector_has(v, "round"))
        return 0;
    return rf_vector_is(v, "round", "up")        ? RF_ROUND_UP
           : rf_vector_is(v, "round", "nearest") ? RF_ROUND_NEAREST
                                                 : RF_ROUND_DOWN;
}

bool rf_vectors_prize(rf_vector *v)
{
    const rf_prize_rule rule = {.amount = money(v, "amount", -1),
                                .share = money(v, "share", -1),
                                .start = money(v, "start", -1),
                                .carry = money(v, "carry", -1),
                                .minimum = money(v, "minimum", -1),
                                .cap = money(v, "cap", -1),
                                .round = way(v),
                                .round_to = money(v, "round_to", 0),
                                .winners = money(v, "winners", 1)};
    const uint64_t pot = rf_vector_number(v, "pot"), passed = rf_vector_number(v, "passed");
    const int64_t most = INT64_C(1000000000000);
    if (pot > RF_JSON_INT_MAX || passed > RF_JSON_INT_MAX || rule.share > 10000 || rule.winners < 1 ||
        rule.start > most || rule.carry > most || rule.amount > most || rule.round_to > most)
        return false;
    const rf_prize_value is = rf_prize_value_of(&rule, (int64_t)pot, (int64_t)passed);
    return (uint64_t)is.value == rf_vector_number(v, "value") &&
           (uint64_t)is.overflow == rf_vector_number(v, "overflow") &&
           (uint64_t)is.each == rf_vector_number(v, "each") &&
           (uint64_t)is.remainder == rf_vector_number(v, "remainder");
}
