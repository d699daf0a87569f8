/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest and the tiles of a published copy. */
#include "published.h"

#include "error.h"
#include "manifest.h"
#include <stdlib.h>
#include <string.h>

enum {
    MORE = 16 /* bytes by which one kind of manifest is longer than the other */
};

/* --- the manifest --- */

static raffle_rc compare_manifest(raffle_store *store, const rf_control *control, uint64_t size, char *found,
                                  size_t cap, bool *withheld, rf_faults *faults, raffle_error *err)
{
    static const char control_only[] = "{\"entries\":\"control\",";
    char *must = NULL;
    size_t length, must_length;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_manifest(store, found, cap, &length, &why);
    if (rc == RAFFLE_NOT_FOUND) {
        rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, 0, size, "manifest", "%s", why.message);
        return RAFFLE_OK;
    }
    if (rc != RAFFLE_OK)
        return rf_fault_or_fail(faults, 0, size, "manifest", &why, err);
    *withheld = length >= strlen(control_only) && memcmp(found, control_only, strlen(control_only)) == 0;
    rc = rf_manifest_make(control, *withheld, &must, &must_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (length != must_length || memcmp(found, must, length) != 0)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, size, "manifest",
                 "the manifest is not the one that follows from the control log");
    free(must);
    return RAFFLE_OK;
}

raffle_rc rf_manifest_check(raffle_store *store, const rf_control *control, uint64_t size, bool *withheld,
                            rf_faults *faults, raffle_error *err)
{
    char *bytes;
    size_t length;
    if (control->rules == NULL)
        return RAFFLE_OK; /* nothing follows from it, which was reported */
    raffle_rc rc = rf_manifest_make(control, false, &bytes, &length, err);
    if (rc != RAFFLE_OK)
        return rc;
    char *found = realloc(bytes, length + MORE);
    if (found == NULL) {
        free(bytes);
        return rf_nomem(err);
    }
    rc = compare_manifest(store, control, size, found, length + MORE, withheld, faults, err);
    free(found);
    return rc;
}

/* --- leaf hashes --- */

static raffle_rc turn_to(rf_leaf_tile *t, raffle_store *store, uint32_t log, uint64_t tile, rf_faults *faults,
                         raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (t->next == tile + 1)
        return RAFFLE_OK;
    t->next = tile + 1;
    t->reported = false;
    raffle_rc rc = rf_store_tile(store, log, 0, tile, t->hash, &t->width, &why);
    if (rc == RAFFLE_OK)
        return rc;
    t->width = 0;
    if (rc != RAFFLE_NOT_FOUND)
        return rf_fault_or_fail(faults, log, tile * RF_TILE_WIDTH, "tile", &why, err);
    rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, log, tile * RF_TILE_WIDTH, "tile", "%s", why.message);
    return RAFFLE_OK;
}

raffle_rc rf_leaf_tile_get(rf_leaf_tile *t, raffle_store *store, uint32_t log, uint64_t index, uint8_t hash[32],
                           bool *there, rf_faults *faults, raffle_error *err)
{
    const size_t place = (size_t)(index % RF_TILE_WIDTH);
    raffle_rc rc = turn_to(t, store, log, index / RF_TILE_WIDTH, faults, err);
    *there = rc == RAFFLE_OK && place < t->width;
    if (*there)
        memcpy(hash, t->hash + place * 32, 32);
    return rc;
}

raffle_rc rf_leaf_tile_check(rf_leaf_tile *t, raffle_store *store, uint32_t log, uint64_t index, const uint8_t hash[32],
                             rf_faults *faults, raffle_error *err)
{
    uint8_t says[32];
    bool there;
    raffle_rc rc = rf_leaf_tile_get(t, store, log, index, says, &there, faults, err);
    if (rc != RAFFLE_OK || !there || t->reported || memcmp(says, hash, 32) == 0)
        return rc;
    t->reported = true;
    rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index, "tile", "the published hash of this record is not its own");
    return RAFFLE_OK;
}

/* --- nodes --- */

raffle_rc rf_kept_node_check(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, const uint8_t hash[32],
                             bool *broken, rf_faults *faults, raffle_error *err)
{
    uint8_t kept[32];
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_node(store, log, level, index, kept, &why);
    *broken = false;
    if (rc == RAFFLE_OK && memcmp(kept, hash, 32) != 0)
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, log, index << level, "node",
                 "the kept hash of the %llu records from here on is not theirs", 1ULL << level);
    if (rc == RAFFLE_OK)
        return rc;
    *broken = rc != RAFFLE_NOT_FOUND;
    if (rc != RAFFLE_NOT_FOUND)
        return rf_fault_or_fail(faults, log, index << level, "node", &why, err);
    if (!rf_store_published(store) || level % RF_TILE_HEIGHT != 0)
        return RAFFLE_OK; /* nodes may lag behind, and are then computed from the records */
    *broken = true;
    rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, log, index << level, "tile", "%s", why.message);
    return RAFFLE_OK;
}
