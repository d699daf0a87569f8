/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: anchored, stored, and only then released, so that a log never signs two histories (C2SP tlog-checkpoint). */
#include "log_impl.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 16 /* of a checkpoint that others keep overtaking */
};

/* Signs the range as it is. */
static raffle_rc make_note(rf_log *log, const rf_vkey *vkey, rf_sign sign, void *sign_ctx, char *note, size_t *length,
                           raffle_error *err)
{
    char text[RF_CHECKPOINT_TEXT_MAX];
    uint8_t root[32], signature[64];
    rf_range_root(log->tree.hash, &log->range, root);
    size_t n = rf_checkpoint_format(text, sizeof text, log->origin, log->range.size, root);
    if (n == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the origin %s is too long for a checkpoint", log->origin);
    raffle_rc rc = sign(sign_ctx, (const uint8_t *)text, n, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    *length = rf_note_format(note, RF_NOTE_MAX, text, n, vkey, signature);
    return *length > 0 ? RAFFLE_OK : rf_fail(err, RAFFLE_LIMIT, "the checkpoint of %s is too long", log->origin);
}

/* The note that is stored for this size, if any: a size is signed once. It comes from outside, and leaves only when it is this log's own. */
static raffle_rc stored_note(rf_log *log, const rf_vkey *vkey, char *note, size_t *length, raffle_error *err)
{
    uint64_t size;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_store_note_get(log->store, log->number, log->range.size, &size, note, RF_NOTE_MAX, length, &quiet);
    if (rc == RAFFLE_OK)
        rc = rf_log_check_note(log, vkey, size, note, *length, &quiet);
    rf_log_stop_if_damaged(log, rc);
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? rc : rf_fail_as(err, &quiet);
}

/* The store refuses a note that is behind its latest. That is no other history when this log went on meanwhile: `*overtaken`. */
static raffle_rc keep_note(rf_log *log, const char *note, size_t length, bool *overtaken, raffle_error *err)
{
    const uint64_t size = log->range.size;
    raffle_error refused = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_put(log->store, log->number, size, note, length, &refused);
    if (rc == RAFFLE_HISTORY && rf_log_catch_up(log, err) == RAFFLE_OK)
        *overtaken = log->range.size > size;
    return rc == RAFFLE_OK || *overtaken ? RAFFLE_OK : rf_fail_as(err, &refused);
}

/* The anchor has it durably, and is of this history after that too: another copy of the store may have written there since the last look. */
static raffle_rc anchor_durably(rf_log *log, raffle_error *err)
{
    uint8_t root[32];
    rf_range_root(log->tree.hash, &log->range, root);
    raffle_rc rc = rf_store_anchor_put(log->store, log->number, log->range.size, root, true, err);
    return rc == RAFFLE_OK ? rf_log_check_anchor(log, err) : rc;
}

/* One try. `*overtaken`: others went on meanwhile, and what they committed is to be signed too. */
static raffle_rc try_checkpoint(rf_log *log, const rf_vkey *vkey, rf_sign sign, void *sign_ctx, char *note,
                                size_t *length, bool *overtaken, raffle_error *err)
{
    raffle_rc rc = rf_log_catch_up(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_check_anchor(log, err);
    const uint64_t size = log->range.size;
    if (rc == RAFFLE_OK)
        rc = anchor_durably(log, err);
    *overtaken = rc == RAFFLE_OK && log->range.size != size;
    if (rc != RAFFLE_OK || *overtaken)
        return rc;
    rc = stored_note(log, vkey, note, length, err);
    if (rc != RAFFLE_NOT_FOUND)
        return rc;
    rc = make_note(log, vkey, sign, sign_ctx, note, length, err);
    return rc == RAFFLE_OK ? keep_note(log, note, *length, overtaken, err) : rc;
}

static raffle_rc checkpoint(rf_log *log, const rf_vkey *vkey, rf_sign sign, void *sign_ctx, char *note, size_t *length,
                            raffle_error *err)
{
    bool overtaken = true;
    raffle_rc rc = rf_log_writable(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_verify_once(log, false, err);
    for (unsigned tries = 0; rc == RAFFLE_OK && overtaken && tries < TRIES; tries++)
        rc = try_checkpoint(log, vkey, sign, sign_ctx, note, length, &overtaken, err);
    if (rc == RAFFLE_OK && overtaken)
        rc = rf_fail(err, RAFFLE_BUSY, "%s was appended to by others %d times while it was signed", log->origin,
                     (int)TRIES);
    return rc;
}

raffle_rc rf_log_anchor(rf_log *log, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_log_lead(log);
    raffle_rc rc = anchor_durably(log, &why);
    rf_log_note_anchor(log, true, rc, &why);
    rf_log_follow(log);
    return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &why);
}

raffle_rc rf_log_anchor_again(rf_log *log, raffle_error *err)
{
    pthread_mutex_lock(&log->view);
    const bool failed = log->unanchored;
    pthread_mutex_unlock(&log->view);
    return failed ? rf_log_anchor(log, err) : RAFFLE_OK;
}

raffle_rc rf_log_checkpoint(rf_log *log, const rf_vkey *vkey, rf_sign sign, void *sign_ctx, char *note, size_t *length,
                            uint64_t *size, raffle_error *err)
{
    rf_log_lead(log);
    raffle_rc rc = checkpoint(log, vkey, sign, sign_ctx, note, length, err);
    if (rc == RAFFLE_OK)
        *size = log->range.size;
    rf_log_follow(log);
    return rc;
}

static raffle_rc cosign(rf_log *log, uint64_t size, const rf_policy *policy, const char *lines, size_t length,
                        char *note, uint64_t *by, raffle_error *err)
{
    uint64_t found;
    size_t kept = 0;
    raffle_rc rc = rf_log_writable(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_note_get(log->store, log->number, size, &found, note, RF_NOTE_MAX, &kept, err);
    size_t merged = kept;
    if (rc == RAFFLE_OK)
        rc = rf_policy_add(policy, note, RF_NOTE_MAX, &merged, lines, length, by, err);
    if (rc != RAFFLE_OK || merged == kept)
        return rc;
    return rf_store_note_put(log->store, log->number, size, note, merged, err);
}

raffle_rc rf_log_cosign(rf_log *log, uint64_t size, const rf_policy *policy, const char *lines, size_t length,
                        uint64_t *by, raffle_error *err)
{
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    rf_log_lead(log);
    raffle_rc rc = cosign(log, size, policy, lines, length, note, by, err);
    rf_log_follow(log);
    free(note);
    return rc;
}
