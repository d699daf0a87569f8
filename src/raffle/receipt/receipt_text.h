/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a receipt (docs/spec/receipts.md), read strictly and written: the same parts have one text. Pure; verifies nothing. */
#ifndef RF_RAFFLE_RECEIPT_TEXT_H
#define RF_RAFFLE_RECEIPT_TEXT_H

#include "policy.h"
#include <raffle/receipt.h>
#include <raffle/types.h>

enum {
    RF_RECEIPT_LEAF_MAX = 4096, /* bytes of a record that a receipt can hold; of raffle.open any record's */
    RF_RECEIPT_LEAVES = RAFFLE_RECORD_MAX + 4 * RF_RECEIPT_LEAF_MAX,
    RF_RECEIPT_HASHES = 63 /* of a proof: tlog-proof's limit */
};

typedef struct rf_receipt_proof {
    uint64_t index;
    size_t hashes;
    uint8_t hash[RF_RECEIPT_HASHES + 1][32]; /* one more: what makes a proof has room for 64 */
} rf_receipt_proof;

/* A C2SP tlog-proof: a record, its place, and the checkpoint that it is proved under. */
typedef struct rf_receipt_part {
    rf_receipt_proof proof;
    size_t leaf_length;
    const char *leaf; /* in the receipt's `leaves` */
    const char *note; /* a signed note; points into what was read, or to what the maker keeps */
    size_t note_length;
} rf_receipt_part;

/* A serial among the voids of a seal.unit. */
typedef struct rf_receipt_void {
    uint64_t serial;
    rf_receipt_proof proof;
} rf_receipt_void;

typedef struct rf_receipt {
    int32_t proves; /* RAFFLE_RECEIPT_… */
    char origin[RAFFLE_ORIGIN_SIZE];
    uint32_t unit;
    uint64_t serial;
    bool has_open; /* the rules name witnesses, and so the first part is */
    rf_receipt_part open;
    rf_receipt_part enrol, sale;
    rf_receipt_part seal_unit, seal; /* these, and the voids: not of a promise */
    size_t voids;
    rf_receipt_void near[2];
    size_t used;
    char leaves[RF_RECEIPT_LEAVES];
} rf_receipt;

/* "promise", "drum", "void". */
const char *rf_receipt_word(int32_t proves);

/* RAFFLE_INVALID, with the line; RAFFLE_NEWER. */
raffle_rc rf_receipt_read(rf_receipt *receipt, const char *text, size_t length, raffle_error *err);
/* Returns the length, without a NUL; 0 when it does not fit. */
size_t rf_receipt_write(const rf_receipt *receipt, char *out, size_t cap);

/* A tlog-proof that stands alone, like the receipt of a unit's close: the same, and the lines count from its own first. `part` points into `leaf` and `text`. */
raffle_rc rf_tlog_proof_read(rf_receipt_part *part, char leaf[RF_RECEIPT_LEAF_MAX], const char *text, size_t length,
                             raffle_error *err);
size_t rf_tlog_proof_write(const rf_receipt_part *part, char *out, size_t cap);

/* A checkpoint as a receipt has it: the log's own signature, then the cosignatures of the policy's witnesses (NULL: none), in the policy's order, and nobody
 * else's. `out` has RF_NOTE_MAX bytes; returns the length, 0 when the log did not sign or it does not fit. */
size_t rf_receipt_note(const rf_note *note, const rf_vkey *own, const rf_policy *policy, char *out);

#endif
