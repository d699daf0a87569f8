/* SPDX-License-Identifier: Apache-2.0 */
/* What making a ticket's receipt and that of a unit's close share: a checkpoint that is kept, a record with its proof, and the way in and out. */
#ifndef RF_RAFFLE_RECEIPT_MAKE_H
#define RF_RAFFLE_RECEIPT_MAKE_H

#include "raffle_impl.h"
#include "receipt_text.h"

/* The unit, after catching up. A raffle that can be written makes good an anchor that could not be written, before a note leaves. */
raffle_rc rf_receipt_enter(raffle *r, uint32_t number, rf_unit **unit, raffle_error *err);

/* The newest note that is kept of a log, when it covers record `index`; else RAFFLE_NOT_FOUND, without a sentence. */
raffle_rc rf_receipt_kept_note(raffle *r, uint32_t log, uint64_t index, char *note, size_t *length, uint64_t *size,
                               raffle_error *err);
/* Leaves of a note's signatures those that a receipt has: see rf_receipt_note(). Whether they are right is found out when the receipt is verified,
 * before it is given. */
raffle_rc rf_receipt_keep_lines(const rf_vkey *key, const rf_policy *policy, char *note, size_t *length,
                                raffle_error *err);

/* Reads record part->proof.index of a log into `leaf`, which has room for `most` bytes, and proves it in the first `size`. A unit's after
 * rf_receipt_enter(). */
raffle_rc rf_receipt_prove(raffle *r, uint32_t log, uint64_t size, char *leaf, size_t most, rf_receipt_part *part,
                           raffle_error *err);

/* Copies it to the caller, NUL-ended: RAFFLE_TOO_SMALL. */
raffle_rc rf_receipt_give(const char *text, size_t n, char *out, size_t cap, size_t *length, raffle_error *err);

#endif
