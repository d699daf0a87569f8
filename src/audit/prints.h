/* SPDX-License-Identifier: Apache-2.0 */
/* Whether counterfoils are those of draw numbers that were sold. */
#ifndef RF_AUDIT_PRINTS_H
#define RF_AUDIT_PRINTS_H

#include "audit_impl.h"

/* Holds the `print` that is record `index` of the control log against its unit's log. */
raffle_rc rf_check_print(raffle_audit *a, const rf_record *print, uint64_t index, raffle_error *err);

#endif
