/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint of a receipt, and a record that is proved under it. */
#include "receipt_check.h"

#include "error.h"
#include "merkle.h"
#include <string.h>

raffle_rc rf_receipt_check_note(const rf_receipt_part *part, const rf_vkey *key, const rf_policy *policy,
                                rf_checkpoint *head, uint64_t *cosigned, raffle_error *err)
{
    rf_note note;
    char again[RF_NOTE_MAX];
    *cosigned = 0;
    raffle_rc rc = rf_note_parse(&note, part->note, part->note_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(&note, key, err);
    if (rc == RAFFLE_OK && (rf_receipt_note(&note, key, policy, again) != part->note_length ||
                            memcmp(again, part->note, part->note_length) != 0))
        rc = rf_fail(
            err, RAFFLE_SIGNATURE,
            "the checkpoint of %s has signatures of others than its log and the rules' witnesses, or in another order",
            key->name);
    if (rc == RAFFLE_OK && policy != NULL)
        rc = rf_policy_cosigned(policy, &note, UINT64_MAX, cosigned, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(head, note.text, note.text_length, err);
    if (rc == RAFFLE_OK && strcmp(head->origin, key->name) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the checkpoint signed by %s is of another log", key->name);
    return rc;
}

raffle_rc rf_receipt_check_proof(rf_sha256 *hash, const rf_receipt_proof *proof, const void *leaf, size_t leaf_length,
                                 uint64_t size, const uint8_t root[32], const char *what, raffle_error *err)
{
    uint8_t leaf_hash[32];
    const unsigned long long index = proof->index;
    const size_t needed = rf_inclusion_length(proof->index, size);
    if (needed == SIZE_MAX)
        return rf_fail(err, RAFFLE_PROOF, "the %s is said to be at %llu of %llu", what, index,
                       (unsigned long long)size);
    if (proof->hashes != needed)
        return rf_fail(err, RAFFLE_PROOF, "the proof of the %s has %zu hashes; at %llu of %llu it has %zu", what,
                       proof->hashes, index, (unsigned long long)size, needed);
    rf_leaf_hash(hash, leaf_hash, leaf, leaf_length);
    if (!rf_inclusion_check(hash, proof->index, size, leaf_hash, (const uint8_t(*)[32])proof->hash, proof->hashes,
                            root))
        return rf_fail(err, RAFFLE_PROOF, "the proof of the %s does not hold", what);
    return RAFFLE_OK;
}

raffle_rc rf_receipt_check_record(rf_sha256 *hash, const rf_receipt_part *part, const rf_checkpoint *head, rf_type type,
                                  rf_record *record, raffle_error *err)
{
    const char *name = rf_type_name(type);
    raffle_rc rc =
        rf_receipt_check_proof(hash, &part->proof, part->leaf, part->leaf_length, head->size, head->root, name, err);
    if (rc == RAFFLE_OK)
        rc = rf_record_decode(record, part->leaf, part->leaf_length, err);
    if (rc == RAFFLE_OK && record->type != type)
        rc = rf_fail(err, RAFFLE_MISMATCH, "record %llu of %s is a %s, not a %s", (unsigned long long)part->proof.index,
                     head->origin, rf_type_name(record->type), name);
    return rc;
}
