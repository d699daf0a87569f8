/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt's checkpoints and records, from the store. */
#include "receipt_make.h"
#include "unit_impl.h"

#include "error.h"
#include <string.h>

raffle_rc rf_receipt_enter(raffle *r, uint32_t number, rf_unit **unit, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    if (r->keys != NULL)
        rc = rf_enter_unit_write(r, err);
    else if (!rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, number, unit, err);
    return rc == RAFFLE_OK && !rf_log_halted((*unit)->log) ? rf_log_refresh((*unit)->log, err) : rc;
}

raffle_rc rf_receipt_kept_note(raffle *r, uint32_t log, uint64_t index, char *note, size_t *length, uint64_t *size,
                               raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(r->store, log, RF_NOTE_LATEST, size, note, RF_NOTE_MAX, length, &why);
    if (rc == RAFFLE_OK && *size <= index)
        return RAFFLE_NOT_FOUND;
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? rc : rf_fail_as(err, &why);
}

raffle_rc rf_receipt_keep_lines(const rf_vkey *key, const rf_policy *policy, char *note, size_t *length,
                                raffle_error *err)
{
    rf_note parsed;
    char kept[RF_NOTE_MAX];
    raffle_rc rc = rf_note_parse(&parsed, note, *length, err);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t n = rf_receipt_note(&parsed, key, policy, kept);
    if (n == 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the checkpoint that is kept of %s is not signed by its key", key->name);
    memcpy(note, kept, n);
    *length = n;
    return RAFFLE_OK;
}

typedef struct taking {
    char *leaf;
    size_t most, length;
} taking;

static raffle_rc take_leaf(void *ctx, const raffle_record *record, raffle_error *err)
{
    taking *t = ctx;
    if (record->leaf_length > t->most)
        return rf_fail(err, RAFFLE_LIMIT, "record %llu has %u bytes; a receipt holds at most %zu",
                       (unsigned long long)record->index, record->leaf_length, t->most);
    memcpy(t->leaf, record->leaf, record->leaf_length);
    t->length = record->leaf_length;
    return RAFFLE_OK;
}

raffle_rc rf_receipt_prove(raffle *r, uint32_t log, uint64_t size, char *leaf, size_t most, rf_receipt_part *part,
                           raffle_error *err)
{
    rf_log *of = log == 0 ? r->log : rf_unit_opened(r, log)->log;
    taking t = {.leaf = leaf, .most = most};
    rf_receipt_proof *proof = &part->proof;
    raffle_rc rc = rf_store_read(r->store, log, proof->index, 1, take_leaf, &t, err);
    part->leaf = leaf;
    part->leaf_length = t.length;
    return rc == RAFFLE_OK ? rf_log_inclusion(of, proof->index, size, proof->hash, &proof->hashes, err) : rc;
}

raffle_rc rf_receipt_give(const char *text, size_t n, char *out, size_t cap, size_t *length, raffle_error *err)
{
    *length = n;
    if (out == NULL || cap < n + 1)
        return rf_fail(err, RAFFLE_TOO_SMALL, "the receipt needs %zu bytes, and %zu are there", n + 1, cap);
    memcpy(out, text, n);
    out[n] = 0;
    return RAFFLE_OK;
}
