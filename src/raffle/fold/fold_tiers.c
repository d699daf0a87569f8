/* SPDX-License-Identifier: Apache-2.0 */
/* Counting tickets by tier, and whether what a seal says of them adds up to its totals. */
#include "fold_tiers.h"

#include "error.h"
#include <string.h>

bool rf_tiers_counted(const rf_rules *rules)
{
    for (size_t i = 0; i < rules->prizes; i++)
        if (rules->prize[i].pot == RF_POT_ENTERED)
            return true;
    return false;
}

int64_t rf_tier_net(const rf_tier *tier, const rf_tier_count *count)
{
    return count->tickets > count->voids ? (int64_t)(count->tickets - count->voids) * tier->price : 0;
}

void rf_tiers_sold(const rf_rules *rules, const rf_record *sale, rf_tier_count *count)
{
    const int i = rf_rules_tier(rules, sale->tier.text, sale->tier.length);
    if (i >= 0)
        count[i].tickets++;
}

void rf_tiers_voided(const rf_rules *rules, const rf_record *sale, rf_tier_count *count)
{
    const int i = rf_rules_tier(rules, sale->tier.text, sale->tier.length);
    if (i >= 0)
        count[i].voids++;
}

/* --- against the totals --- */

/* What the counts of one kind add up to; false: to more than a record can say. */
typedef struct sums {
    uint64_t tickets, numbers, gross;
} sums;

static bool add(sums *s, const rf_tier *tier, uint64_t tickets)
{
    uint64_t numbers, gross;
    return !__builtin_mul_overflow(tickets, (uint64_t)tier->count, &numbers) &&
           !__builtin_mul_overflow(tickets, (uint64_t)tier->price, &gross) &&
           !__builtin_add_overflow(s->tickets, tickets, &s->tickets) &&
           !__builtin_add_overflow(s->numbers, numbers, &s->numbers) &&
           !__builtin_add_overflow(s->gross, gross, &s->gross);
}

static bool are(const sums *s, int64_t tickets, int64_t numbers, int64_t gross)
{
    return s->tickets == (uint64_t)tickets && s->numbers == (uint64_t)numbers && s->gross == (uint64_t)gross;
}

static bool add_up(const rf_rules *rules, const rf_record *r, const rf_tier_count *count)
{
    sums sold = {0}, voided = {0};
    for (size_t i = 0; i < rules->tiers; i++)
        if (count[i].voids > count[i].tickets || !add(&sold, &rules->tier[i], count[i].tickets) ||
            !add(&voided, &rules->tier[i], count[i].voids))
            return false;
    return are(&sold, r->tickets, r->numbers, r->gross) && are(&voided, r->voids, r->void_numbers, r->void_gross);
}

raffle_rc rf_tiers_read(const rf_rules *rules, const rf_record *r, rf_tier_count *count, raffle_error *err)
{
    const bool counted = rf_tiers_counted(rules);
    if (rf_has(r, RF_F_TIERS) != counted)
        return rf_fail(err, RAFFLE_CORRUPT, "the seal of unit %lld %s", (long long)r->unit,
                       counted ? "does not count its tickets by tier, which a prize's pot needs"
                               : "counts its tickets by tier, which no prize's pot needs");
    memset(count, 0, rules->tiers * sizeof *count);
    if (!counted)
        return RAFFLE_OK;
    raffle_rc rc = rf_tier_counts_decode(&r->tiers, count, rules->tiers, err);
    if (rc == RAFFLE_OK && !add_up(rules, r, count))
        return rf_fail(err, RAFFLE_STATE_DIFFERS, "the tiers in the seal of unit %lld do not add up to its totals",
                       (long long)r->unit);
    return rc;
}

size_t rf_tiers_format(const rf_rules *rules, const rf_tier_count *count, char *out, size_t cap)
{
    rf_json_writer w;
    rf_json_init(&w, out, cap);
    rf_tier_counts_encode(&w, count, rules->tiers);
    return w.ok ? w.length : 0;
}
