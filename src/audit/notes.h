/* SPDX-License-Identifier: Apache-2.0 */
/* What was signed or anchored of a log, against its tree (design sections 12 and 13). */
#ifndef RF_AUDIT_NOTES_H
#define RF_AUDIT_NOTES_H

#include "faults.h"
#include "note.h"
#include "store.h"

/* Whose notes: the log's name and key, as raffle.open or unit.enrol say. */
typedef struct rf_signer {
    uint32_t log;
    bool known; /* `vkey` is set */
    char origin[RAFFLE_ORIGIN_SIZE + 16];
    rf_vkey vkey;
} rf_signer;

/* Sets up a signer; a key that is malformed, or of another name, is a fault of the control log's record `index`. */
void rf_signer_init(rf_signer *signer, uint32_t log, const char *origin, const char *vkey, uint64_t index,
                    rf_faults *faults);

/* Reads a note and checks its name and signature; true, and what it says. Faults are of record `index` of log `log`. */
bool rf_note_check(const rf_signer *signer, const char *note, size_t length, uint32_t log, uint64_t index,
                   rf_faults *faults, rf_checkpoint *out);

/* What the store keeps of a log beside its records: read before its size, which may grow meanwhile. */
typedef struct rf_seen {
    bool has_note, has_anchor;
    uint64_t note_size, anchor_size;
    uint8_t anchor[32];
} rf_seen;
raffle_rc rf_seen_read(rf_seen *seen, raffle_store *store, uint32_t log, rf_faults *faults, raffle_error *err);
/* A log that is shorter than what was seen of it. */
void rf_seen_check_size(const rf_seen *seen, uint32_t log, uint64_t size, rf_faults *faults);

/* The stored note over `size` records, when there is one, against their root; NULL: a log that is shorter, whose root is not known. */
raffle_rc rf_stored_note_check(const rf_signer *signer, raffle_store *store, uint64_t size, const uint8_t *root,
                               rf_faults *faults, raffle_error *err);

/* The anchor against the root at its size. */
void rf_seen_check_anchor(const rf_seen *seen, uint32_t log, const uint8_t root[32], rf_faults *faults);

#endif
