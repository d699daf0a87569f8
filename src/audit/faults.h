/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as they are found: all are counted, the first thousand kept. */
#ifndef RF_AUDIT_FAULTS_H
#define RF_AUDIT_FAULTS_H

#include <raffle/audit.h>

enum {
    RF_FAULTS_KEPT = 1000
};

/* Zeroed: none. One thread at a time. */
typedef struct rf_faults {
    raffle_fault *kept;
    size_t n, cap;
    uint64_t integrity, incomplete;
} rf_faults;

/* A fault of the record at `index` of a log. One that there is no memory for is counted and not kept. */
void rf_fault(rf_faults *f, int32_t kind, uint32_t log, uint64_t index, const char *code, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* The same, for the status that reading something gave: damage is a fault of integrity, and RAFFLE_OK is returned; what the surroundings did is handed back,
 * with its sentence in `err`. */
raffle_rc rf_fault_or_fail(rf_faults *f, uint32_t log, uint64_t index, const char *code, const raffle_error *why,
                           raffle_error *err);
/* Appends what `from` has to `to`, and empties it. */
void rf_faults_move(rf_faults *to, rf_faults *from);
void rf_faults_clear(rf_faults *f);

#endif
