/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets counted by their tier, for prizes that take a share of what was paid for them alone (GLI-31 4.4.1(b)): in seals, and as sales go on. */
#ifndef RF_RAFFLE_FOLD_TIERS_H
#define RF_RAFFLE_FOLD_TIERS_H

#include "record.h"
#include "rules.h"

/* Whether a prize has the pot "entered": then each seal.unit counts its tickets by tier, else none does. */
bool rf_tiers_counted(const rf_rules *rules);
/* The money of a tier's tickets that are not void. */
int64_t rf_tier_net(const rf_tier *tier, const rf_tier_count *count);
/* One ticket more of a sale's tier; the fold has judged the sale. */
void rf_tiers_sold(const rf_rules *rules, const rf_record *sale, rf_tier_count *count);
/* And one of them void. */
void rf_tiers_voided(const rf_rules *rules, const rf_record *sale, rf_tier_count *count);
/* Of a seal.unit: whether the counts are there when they must be, and add up to its totals; into `count`, which has a place for each tier. RAFFLE_CORRUPT,
 * RAFFLE_STATE_DIFFERS. */
raffle_rc rf_tiers_read(const rf_rules *rules, const rf_record *r, rf_tier_count *count, raffle_error *err);
/* Their JSON; its length, 0 when it does not fit. */
size_t rf_tiers_format(const rf_rules *rules, const rf_tier_count *count, char *out, size_t cap);

enum {
    RF_TIERS_JSON_MAX = RF_TIERS_MAX * 64
};

#endif
