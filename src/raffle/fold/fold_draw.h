/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the control log's fold that concerns draws and places. */
#ifndef RF_RAFFLE_FOLD_DRAW_H
#define RF_RAFFLE_FOLD_DRAW_H

#include "fold.h"

/* Applies a draw's or a winner's record. */
raffle_rc rf_draw_apply(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err);
/* What an event means for an open draw: draw.ask, draw.ask-failed, draw.ask-again. */
raffle_rc rf_draw_event(rf_control *c, const rf_record *r, raffle_error *err);
/* What the records of an open draw have in common: the open intent, and the role. */
raffle_rc rf_draw_check(const rf_control *c, const rf_record *r, raffle_error *err);
/* The open draw ends with the places that were found, known from `known_at` on. */
void rf_draw_end(rf_control *c, const rf_record *r, int64_t known_at);
/* Whether a ticket holds a winner's or an alternate's place that is not lost. */
bool rf_control_holds_place(const rf_control *c, uint32_t unit, uint64_t serial);

/* Whether the record's role may, and whether it carries a second approver who may. */
raffle_rc rf_control_role(const rf_control *c, rf_op op, raffle_role role, raffle_error *err);
raffle_rc rf_control_approved(const rf_control *c, const rf_record *r, raffle_error *err);

#endif
