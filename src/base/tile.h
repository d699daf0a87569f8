/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-tiles v0.1.0: which tiles a tree has, what they are called, and bundles of entries. Pure: no I/O, no allocation. */
#ifndef RF_BASE_TILE_H
#define RF_BASE_TILE_H

#include "merkle.h"

enum {
    RF_TILE_HEIGHT = 8,
    RF_TILE_WIDTH = 1 << RF_TILE_HEIGHT, /* hashes, or entries, of a full tile */
    RF_TILE_BYTES = RF_TILE_WIDTH * 32,
    RF_TILE_LEVELS = RF_TREE_MAX_LEVEL / RF_TILE_HEIGHT + 1,
    RF_TILE_PATH_SIZE = 64,
    RF_ENTRY_MAX = 65535,
    RF_BUNDLE_MAX = RF_TILE_WIDTH * (2 + RF_ENTRY_MAX)
};

typedef struct rf_tile {
    bool entries; /* a bundle of entries, of level 0 */
    uint32_t level;
    uint64_t index;
    uint32_t width; /* RF_TILE_WIDTH: a full one */
} rf_tile;

/* The hashes of a level in the tree of `size` records. */
uint64_t rf_tile_hashes(uint64_t size, uint32_t level);
/* The width of a tile in that tree; 0: there is none. */
uint32_t rf_tile_width(uint64_t size, uint32_t level, uint64_t index);
/* Its path under the log's folder, "tile/0/x001/x234/067" or "tile/entries/000.p/7", with a NUL; returns its length. */
size_t rf_tile_path(const rf_tile *tile, char out[RF_TILE_PATH_SIZE]);

/* An entry of a bundle: u16be(length) || bytes. `out` has room for 2 + `length`, at most RF_ENTRY_MAX; returns what was written. */
size_t rf_bundle_put(uint8_t *out, const void *entry, size_t length);
/* Whether the bytes are exactly `width` entries, none of them empty: no record is. */
bool rf_bundle_valid(const uint8_t *bytes, size_t length, uint32_t width);
/* The entry at `*at` of a bundle that is valid, and steps past it; false at the end. */
bool rf_bundle_next(const uint8_t *bytes, size_t length, size_t *at, const uint8_t **entry, size_t *entry_length);

#endif
