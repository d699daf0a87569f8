/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts held against the logs: what was signed to a ticket's holder must be in them, and what was promised in the drum. */
#ifndef RF_AUDIT_PROMISES_H
#define RF_AUDIT_PROMISES_H

#include "faults.h"
#include "fold.h"

/* What a good receipt binds the logs to: their roots at two sizes, in which its records are. */
typedef struct rf_promise {
    char name[96];
    uint32_t unit;
    bool broken; /* and reported */
    uint64_t serial, control_size, unit_size;
    uint8_t control_root[32], unit_root[32];
} rf_promise;

/* Zeroed: none. */
typedef struct rf_promises {
    rf_promise *promise; /* by the control log's size, and after rf_promises_end_control() by unit */
    size_t n, cap, next;
    uint64_t given; /* receipts, good or not */
    bool read;
} rf_promises;

/* Verifies the receipts that the options give by this key. One that is none is a fault. */
raffle_rc rf_promises_read(rf_promises *p, const raffle_audit_options *options, const char *key, rf_faults *faults,
                           raffle_error *err);
/* The control log's root at a size; sizes ascend. */
void rf_promises_at_control(rf_promises *p, uint64_t size, const uint8_t root[32], rf_faults *faults);
/* The control log has ended. */
void rf_promises_end_control(rf_promises *p, uint64_t size, rf_faults *faults);
/* Those of a unit. */
rf_promise *rf_promises_of(const rf_promises *p, uint32_t unit, size_t *n);
/* The unit's root at the promise's size; NULL: its log, of `size` records, does not reach it. */
void rf_promise_at_unit(rf_promise *promise, uint64_t size, const uint8_t *root, rf_faults *faults);
/* The logs were read: what is left are units without one, and tickets that the final seal left out. Returns how many promises were kept. */
uint64_t rf_promises_end(rf_promises *p, const rf_control *control, size_t units, rf_faults *faults);
void rf_promises_clear(rf_promises *p);

#endif
