/* SPDX-License-Identifier: Apache-2.0 */
/* What the control log says of uploads: a unit that is away had these records, and signed them (GLI-31 6.1.4). */
#ifndef RF_AUDIT_SYNCS_H
#define RF_AUDIT_SYNCS_H

#include "notes.h"
#include "record.h"
#include <stddef.h>

/* A `unit.sync` that the fold took. */
typedef struct rf_sync {
    uint64_t size, index; /* of the unit's log; in the control log */
    uint32_t unit;
    uint8_t root[32];
} rf_sync;

/* Zeroed: none. */
typedef struct rf_syncs {
    rf_sync *sync; /* after rf_syncs_end() by unit, in the order of the control log */
    size_t n, cap;
} rf_syncs;

raffle_rc rf_syncs_add(rf_syncs *s, const rf_record *record, uint64_t index, raffle_error *err);
/* The control log has ended. */
void rf_syncs_end(rf_syncs *s);
/* Those of a unit, whose sizes the fold lets only grow. */
const rf_sync *rf_syncs_of(const rf_syncs *s, uint32_t unit, size_t *n);
void rf_syncs_clear(rf_syncs *s);

#endif
