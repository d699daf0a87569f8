/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the control log's fold that concerns drum draws and their counterfoils. */
#ifndef RF_RAFFLE_FOLD_DRUM_H
#define RF_RAFFLE_FOLD_DRUM_H

#include "fold.h"

/* What becomes of a draw number that is called, tried in this order (GLI-31 2.6.4). */
typedef enum rf_outcome {
    RF_OUTCOME_UNSOLD,      /* it is not among the seal's */
    RF_OUTCOME_VOID,        /* its ticket was void at the seal */
    RF_OUTCOME_NOT_ENTERED, /* its tier takes no part */
    RF_OUTCOME_AGAIN,       /* it has a place in this draw already */
    RF_OUTCOME_BARRED,      /* by the one-win rule */
    RF_OUTCOME_TAKEN,       /* it takes the next place */
    RF_OUTCOMES
} rf_outcome;

const char *rf_outcome_name(rf_outcome outcome);
/* Whether the number is one of the seal's. */
bool rf_drum_sold(const rf_seal_state *seal, uint64_t unit, uint64_t number);
/* What the places so far make of it: RF_OUTCOME_AGAIN, _BARRED or _TAKEN. */
rf_outcome rf_drum_judge(const rf_control *c, const rf_place *place);

/* An intent for a drum needs a counterfoil of every number of the seal, or a second approver. RAFFLE_APPROVAL. */
raffle_rc rf_drum_intent(const rf_control *c, int prize, const rf_record *r, raffle_error *err);
/* draw.call and draw.manual. */
raffle_rc rf_drum_apply(rf_control *c, const rf_record *r, raffle_error *err);
/* print and reprint. */
raffle_rc rf_print_apply(rf_control *c, const rf_record *r, raffle_error *err);

#endif
