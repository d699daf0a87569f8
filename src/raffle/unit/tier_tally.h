/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets by tier while sales go on: counted once, and on from there, beside the state that the logs' fold keeps. */
#ifndef RF_RAFFLE_TIER_TALLY_H
#define RF_RAFFLE_TIER_TALLY_H

#include "prize_value.h"
#include "raffle_impl.h"

/* Fills live->tier from the control log and the units 1 … `units`. The first call of a handle reads all of their records, later ones what is new. A log that is
 * damaged counts as far as it can be read. */
raffle_rc rf_tier_tally_all(raffle *r, uint32_t units, rf_live_pot *live, raffle_error *err);

#endif
