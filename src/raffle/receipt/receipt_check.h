/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that verifying checkpoints, tickets' receipts and those of units' closes share: a log's name, a checkpoint, a record proved under it. */
#ifndef RF_RAFFLE_RECEIPT_CHECK_H
#define RF_RAFFLE_RECEIPT_CHECK_H

#include "receipt_text.h"
#include "record.h"
#include "sha256.h"

/* A checkpoint of this log, signed by this key, and cosigned by whom it says: a bit in `*cosigned` for each witness of the policy. NULL: by nobody else. */
raffle_rc rf_receipt_check_note(const rf_receipt_part *part, const rf_vkey *key, const rf_policy *policy,
                                rf_checkpoint *head, uint64_t *cosigned, raffle_error *err);

/* That the leaf is included, by exactly as many hashes as it must be; `what` is named in the sentence. */
raffle_rc rf_receipt_check_proof(rf_sha256 *hash, const rf_receipt_proof *proof, const void *leaf, size_t leaf_length,
                                 uint64_t size, const uint8_t root[32], const char *what, raffle_error *err);

/* The record that a part proves, which points into the part's leaf. */
raffle_rc rf_receipt_check_record(rf_sha256 *hash, const rf_receipt_part *part, const rf_checkpoint *head, rf_type type,
                                  rf_record *record, raffle_error *err);

/* --- checkpoint_verify.c --- */
/* A log's name: its raffle's origin, and for a unit "/unit/<n>" behind it; `*log` is 0 for the control log. */
bool rf_log_name_read(const char *name, char origin[RAFFLE_ORIGIN_SIZE], uint32_t *log);

#endif
