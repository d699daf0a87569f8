/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tiles of a log from its records, in one pass (C2SP tlog-tiles). */
#ifndef RF_JOURNAL_TILES_H
#define RF_JOURNAL_TILES_H

#include "tile.h"
#include "tree.h"

/* Takes a tile. Anything but RAFFLE_OK ends the making. */
typedef raffle_rc (*rf_tile_sink)(void *ctx, const rf_tile *tile, const uint8_t *bytes, size_t length,
                                  raffle_error *err);

/* What is to be made: the tiles of the first `to` records, whose root is `root`, but for those that the first `from` records have too. */
typedef struct rf_tiles {
    uint64_t from, to;
    const uint8_t *root;
    bool entries; /* bundles of entries too */
} rf_tiles;

/* RAFFLE_CORRUPT: the records are not those of the root, which shows when the tiles were made. */
raffle_rc rf_tiles_make(const rf_tree *tree, const rf_tiles *what, rf_tile_sink sink, void *ctx, raffle_error *err);

#endif
