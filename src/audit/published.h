/* SPDX-License-Identifier: Apache-2.0 */
/* What a published copy has beside its records, each byte against what follows from them: the manifest, and the tiles of hashes. */
#ifndef RF_AUDIT_PUBLISHED_H
#define RF_AUDIT_PUBLISHED_H

#include "faults.h"
#include "fold.h"
#include "store.h"
#include "tile.h"

/* The manifest against the control log. `*withheld`: it says that the units' entries are not published. */
raffle_rc rf_manifest_check(raffle_store *store, const rf_control *control, uint64_t size, bool *withheld,
                            rf_faults *faults, raffle_error *err);

/* The tile of leaf hashes that is walked through. Zeroed: none. */
typedef struct rf_leaf_tile {
    uint64_t next;  /* 1 + the index of the tile; 0: none */
    uint32_t width; /* 0: it is missing or damaged, which was reported */
    bool reported;
    uint8_t hash[RF_TILE_BYTES];
} rf_leaf_tile;

/* The published leaf hash of a record, whose own is `hash`. One fault a tile. */
raffle_rc rf_leaf_tile_check(rf_leaf_tile *t, raffle_store *store, uint32_t log, uint64_t index, const uint8_t hash[32],
                             rf_faults *faults, raffle_error *err);
/* The published leaf hash; false when there is none, which was reported. */
raffle_rc rf_leaf_tile_get(rf_leaf_tile *t, raffle_store *store, uint32_t log, uint64_t index, uint8_t hash[32],
                           bool *there, rf_faults *faults, raffle_error *err);

/* A node of a complete subtree against the one that the store keeps: one that is there must be right, and a published copy has those of its
 * tiles. `*broken`: what the store gave was damaged or missing, and was reported. */
raffle_rc rf_kept_node_check(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, const uint8_t hash[32],
                             bool *broken, rf_faults *faults, raffle_error *err);

#endif
