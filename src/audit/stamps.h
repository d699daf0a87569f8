/* SPDX-License-Identifier: Apache-2.0 */
/* The time stamps of a published copy (docs/spec/publishing.md): each over a checkpoint of the control log that was right. */
#ifndef RF_AUDIT_STAMPS_H
#define RF_AUDIT_STAMPS_H

#include "notes.h"

/* Zeroed: none. */
typedef struct rf_stamps {
    uint64_t *size; /* records that were stamped, in the order of the list */
    size_t n;
    uint64_t good, trusted;
    int64_t at; /* the newest of the good ones */
} rf_stamps;

/* Reads the list, of a published copy that has one. */
raffle_rc rf_stamps_read(rf_stamps *stamps, raffle_store *store, rf_faults *faults, raffle_error *err);
/* The control log had this root at this size: what was stamped of that size is verified. `authorities` is optional. */
raffle_rc rf_stamps_check(rf_stamps *stamps, raffle_store *store, const rf_signer *signer, uint64_t size,
                          const uint8_t root[32], const char *authorities, rf_faults *faults, raffle_error *err);
/* What was stamped beyond the log's end. */
void rf_stamps_end(const rf_stamps *stamps, uint64_t size, rf_faults *faults);
/* Keeps what was counted. */
void rf_stamps_clear(rf_stamps *stamps);

#endif
