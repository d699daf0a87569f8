/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of entries and the names of tiles: a bundle is read to its last byte or refused, and written again is the same; every name is bounded. */
#include "bytes.h"
#include "fuzz.h"
#include "tile.h"

enum {
    HEAD = 13 /* a width of two bytes, a size of eight, a level, and two bytes of an index's place */
};

/* Entry by entry, as a reader does, and put together again. */
static void check_bundle(const uint8_t *bytes, size_t length, uint32_t width)
{
    const uint8_t *entry;
    size_t at = 0, n, again_length = 0;
    uint32_t entries = 0;
    uint8_t *again = fuzz_alloc(length);
    const bool valid = rf_bundle_valid(bytes, length, width);
    while (rf_bundle_next(bytes, length, &at, &entry, &n)) {
        fuzz_require(n > 0 && n <= RF_ENTRY_MAX && at <= length, "an entry lies in its bundle");
        again_length += rf_bundle_put(again + again_length, entry, n);
        entries++;
    }
    fuzz_require(fuzz_same(again, again_length, bytes, at), "what was read is written again as it was");
    fuzz_require(valid == (at == length && entries == width), "a bundle is valid when nothing is left of it");
    free(again);
}

/* The widths around a level's end, and the names of its tiles. */
static void check_names(uint64_t size, uint32_t level, uint64_t back)
{
    const uint64_t hashes = rf_tile_hashes(size, level), last = hashes / RF_TILE_WIDTH;
    const uint64_t index = back > last ? 0 : last - back;
    char path[RF_TILE_PATH_SIZE];
    rf_tile tile = {.level = level, .index = index, .width = rf_tile_width(size, level, index)};
    fuzz_require(rf_tile_width(size, level, last) == hashes % RF_TILE_WIDTH, "the last tile holds what is left");
    fuzz_require(rf_tile_width(size, level, last + 1) == 0, "nothing follows the last tile");
    fuzz_require(index == last || tile.width == RF_TILE_WIDTH, "the tiles before are full");
    const size_t length = rf_tile_path(&tile, path);
    fuzz_require(length < sizeof path && strlen(path) == length, "a name fits");
    tile.index = size; /* any number */
    tile.entries = true;
    fuzz_require(rf_tile_path(&tile, path) < sizeof path, "every name fits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    check_names(rf_get_be(data + 2, 8), data[10], rf_get_be(data + 11, 2));
    uint8_t *bundle = fuzz_alloc(size - HEAD);
    memcpy(bundle, data + HEAD, size - HEAD);
    check_bundle(bundle, size - HEAD, (uint32_t)rf_get_be(data, 2));
    free(bundle);
    return 0;
}
