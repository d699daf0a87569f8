/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over what the control log says of sales units. */
#ifndef RF_RAFFLE_FOLD_UNITS_H
#define RF_RAFFLE_FOLD_UNITS_H

#include "fold.h"

/* unit.enrol, unit.enable, unit.disable, unit.quota, unit.unenrol, unit.sync. */
raffle_rc rf_units_apply(rf_control *c, const rf_record *r, raffle_error *err);
/* Whether a seal.unit takes tickets of a unit that was enabled some time, and of one that is away what it uploaded: no more, and no less. */
raffle_rc rf_units_sealed(const rf_unit_row *u, const rf_record *r, raffle_error *err);

/* cash. */
raffle_rc rf_units_cash(rf_control *c, const rf_record *r, raffle_error *err);
/* What an event says of a unit: unit.seen, unit.auth-failed, unit.silent. */
void rf_units_event(rf_control *c, const rf_record *r);

#endif
