/* SPDX-License-Identifier: Apache-2.0 */
/* Parse, encode again, compare. */
#include "leaf.h"

#include <string.h>

static void damaged(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, const char *code,
                    const char *sentence)
{
    rf_fault(check->faults, RAFFLE_FAULT_INTEGRITY, log, bytes->index, code, "%s", sentence);
}

static bool same_again(const rf_leaf_check *check, size_t length, const char *bytes, size_t bytes_length)
{
    return length == bytes_length && memcmp(check->again, bytes, length) == 0;
}

static bool inspect_leaf(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, rf_leaf *leaf)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (rf_record_decode(&leaf->record, bytes->leaf, bytes->leaf_length, &why) != RAFFLE_OK) {
        damaged(check, log, bytes, "not-canonical", why.message);
        return false;
    }
    size_t length = rf_record_encode(&leaf->record, check->again, sizeof check->again);
    if (!same_again(check, length, bytes->leaf, bytes->leaf_length)) {
        damaged(check, log, bytes, "not-canonical", "the record's bytes are not those that its content is written as");
        return false;
    }
    return true;
}

/* The sentences name members, never what they hold. */
static bool inspect_private(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, rf_leaf *leaf)
{
    uint8_t hash[32];
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_sha256_of(check->hash, hash, bytes->private_part, bytes->private_length);
    if (leaf->decoded && memcmp(hash, leaf->record.p, 32) != 0) {
        damaged(check, log, bytes, "private", "the private part is not the one whose hash stands in the record");
        return false;
    }
    if (rf_private_decode(&leaf->private_part, bytes->private_part, bytes->private_length, &why) != RAFFLE_OK) {
        damaged(check, log, bytes, "private", why.message);
        return false;
    }
    size_t length = rf_private_encode(&leaf->private_part, check->again, sizeof check->again);
    if (!same_again(check, length, bytes->private_part, bytes->private_length)) {
        damaged(check, log, bytes, "private", "the private part's bytes are not those that its content is written as");
        return false;
    }
    return true;
}

/* The roles of two approvers are public, that they are two persons is private. */
static void inspect_approver(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, const rf_leaf *leaf)
{
    const rf_private *p = &leaf->private_part;
    if (!rf_has(&leaf->record, RF_F_OK))
        return;
    if (!(p->has & rf_bit(RF_P_OK)))
        damaged(check, log, bytes, "approver", "the private part lacks the second approver");
    else if (p->ok.length == p->actor.length && memcmp(p->ok.text, p->actor.text, p->ok.length) == 0)
        damaged(check, log, bytes, "approver", "the second approver is the first one");
}

void rf_leaf_inspect(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, rf_leaf *leaf)
{
    leaf->decoded = inspect_leaf(check, log, bytes, leaf);
    if (bytes->private_length == 0) {
        check->private_missing++;
        leaf->has_private = false;
        return;
    }
    leaf->has_private = inspect_private(check, log, bytes, leaf);
    if (leaf->decoded && leaf->has_private)
        inspect_approver(check, log, bytes, leaf);
}
