/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes and anchors. */
#include "notes.h"

#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rf_signer_init(rf_signer *signer, uint32_t log, const char *origin, const char *vkey, uint64_t index,
                    rf_faults *faults)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    memset(signer, 0, sizeof *signer);
    signer->log = log;
    if (log == 0)
        snprintf(signer->origin, sizeof signer->origin, "%s", origin);
    else
        snprintf(signer->origin, sizeof signer->origin, "%s/unit/%u", origin, log);
    if (rf_vkey_parse(&signer->vkey, vkey, strlen(vkey), &why) != RAFFLE_OK)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, index, "key", "the key of %s: %s", signer->origin, why.message);
    else if (strcmp(signer->vkey.name, signer->origin) != 0 || signer->vkey.type != RF_NOTE_ED25519)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, index, "key", "the key of %s is one of %s", signer->origin,
                 signer->vkey.name);
    else
        signer->known = true;
}

bool rf_note_check(const rf_signer *signer, const char *note, size_t length, uint32_t log, uint64_t index,
                   rf_faults *faults, rf_checkpoint *out)
{
    rf_note parsed;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_note_parse(&parsed, note, length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(out, parsed.text, parsed.text_length, &why);
    if (rc == RAFFLE_OK && strcmp(out->origin, signer->origin) != 0)
        rc = rf_fail(&why, RAFFLE_SIGNATURE, "a checkpoint of %s stands for one of %s", out->origin, signer->origin);
    if (rc == RAFFLE_OK && signer->known)
        rc = rf_note_verify(&parsed, &signer->vkey, &why);
    if (rc == RAFFLE_OK)
        return signer->known;
    rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index, "checkpoint", "%s", why.message);
    return false;
}

raffle_rc rf_seen_read(rf_seen *seen, raffle_store *store, uint32_t log, rf_faults *faults, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    char note[RF_NOTE_MAX];
    size_t length;
    memset(seen, 0, sizeof *seen);
    raffle_rc rc = rf_store_anchor_get(store, log, &seen->anchor_size, seen->anchor, &why);
    seen->has_anchor = rc == RAFFLE_OK;
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND &&
        (rc = rf_fault_or_fail(faults, log, 0, "anchor", &why, err)) != RAFFLE_OK)
        return rc;
    rc = rf_store_note_get(store, log, RF_NOTE_LATEST, &seen->note_size, note, sizeof note, &length, &why);
    seen->has_note = rc == RAFFLE_OK;
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK
                                                     : rf_fault_or_fail(faults, log, 0, "checkpoint", &why, err);
}

void rf_seen_check_size(const rf_seen *seen, uint32_t log, uint64_t size, rf_faults *faults)
{
    if (seen->has_note && seen->note_size > size)
        rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, log, size, "behind-note",
                 "the log has %llu records; its latest checkpoint is over %llu", (unsigned long long)size,
                 (unsigned long long)seen->note_size);
    if (seen->has_anchor && seen->anchor_size > size)
        rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, log, size, "behind-anchor",
                 "the log has %llu records; its anchor saw %llu", (unsigned long long)size,
                 (unsigned long long)seen->anchor_size);
}

raffle_rc rf_stored_note_check(const rf_signer *signer, raffle_store *store, uint64_t size, const uint8_t *root,
                               rf_faults *faults, raffle_error *err)
{
    char note[RF_NOTE_MAX];
    size_t length;
    uint64_t found;
    rf_checkpoint checkpoint;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(store, signer->log, size, &found, note, sizeof note, &length, &why);
    if (rc == RAFFLE_NOT_FOUND)
        return RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rf_fault_or_fail(faults, signer->log, size, "checkpoint", &why, err);
    if (!rf_note_check(signer, note, length, signer->log, size, faults, &checkpoint))
        return RAFFLE_OK;
    if (checkpoint.size != size)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, signer->log, size, "checkpoint",
                 "the checkpoint kept for %llu records is over %llu", (unsigned long long)size,
                 (unsigned long long)checkpoint.size);
    else if (root != NULL && memcmp(checkpoint.root, root, 32) != 0)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, signer->log, size, "checkpoint",
                 "the first %llu records are not those that were signed", (unsigned long long)size);
    return RAFFLE_OK;
}

void rf_seen_check_anchor(const rf_seen *seen, uint32_t log, const uint8_t root[32], rf_faults *faults)
{
    if (memcmp(seen->anchor, root, 32) != 0)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, seen->anchor_size, "anchor",
                 "the first %llu records are not those that the anchor saw", (unsigned long long)seen->anchor_size);
}
