/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the control log's fold that concerns events. */
#ifndef RF_RAFFLE_FOLD_EVENT_H
#define RF_RAFFLE_FOLD_EVENT_H

#include "fold.h"

/* Applies an event to the control log. */
raffle_rc rf_control_event(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err);

#endif
