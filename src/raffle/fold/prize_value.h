/* SPDX-License-Identifier: Apache-2.0 */
/* What a prize is worth (docs/spec/prizes.md; GLI-31 2.2.1, 2.5.1): one function for the display while sales go on and for what is paid. */
#ifndef RF_RAFFLE_PRIZE_VALUE_H
#define RF_RAFFLE_PRIZE_VALUE_H

#include "fold.h"

typedef struct rf_prize_value {
    int64_t value;     /* of all its winners together, minor units; at most 2^53-1 */
    int64_t overflow;  /* what was above the cap; at most 2^53-1 */
    int64_t each;      /* what each winner of the rules gets, */
    int64_t remainder; /* and what is left of the value then */
} rf_prize_value;

/* By its rule alone, from its pot and from what the prize before it passed on, each 0 … 2^53-1. */
rf_prize_value rf_prize_value_of(const rf_prize_rule *rule, int64_t pot, int64_t passed);

/* The pots while sales go on; beside the whole, the money of each tier when the rules have a prize whose pot is "entered". */
typedef struct rf_live_pot {
    int64_t all;
    int64_t tier[RF_TIERS_MAX];
} rf_live_pot;

/* How a prize of a raffle stands. */
typedef struct rf_prize_worth {
    rf_prize_value is;
    bool known;    /* false: it depends on sales that are not sealed, and no live pot was given */
    bool estimate; /* it does, and was computed from the live pot */
} rf_prize_worth;

/* Prize `i`, from the pot that it was drawn from, else that of the newest seal of its kind, else `live`, which may be NULL. */
rf_prize_worth rf_prize_worth_of(const rf_control *c, size_t i, const rf_live_pot *live);
/* What of a prize that was drawn its winners get: nothing, when none of them found its ace; nor by a redraw, whose place the value of the first prize pays for. */
int64_t rf_prize_awarded(const rf_control *c, size_t i);
/* What of it the rules of the next raffle have as `carry`: what is above its cap, where the rules say so, and all of it when nobody found its ace. */
int64_t rf_prize_carry(const rf_control *c, size_t i, const rf_prize_value *is);
/* Whether that needs a live pot. */
bool rf_prize_needs_live(const rf_control *c, size_t i);
/* The pot of a seal for a prize. */
int64_t rf_prize_seal_pot(const rf_control *c, size_t i, const rf_seal_state *seal);

#endif
