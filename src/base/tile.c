/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles and bundles of entries. */
#include "tile.h"

#include "bytes.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t rf_tile_hashes(uint64_t size, uint32_t level)
{
    return level < RF_TILE_LEVELS ? size >> (RF_TILE_HEIGHT * level) : 0;
}

uint32_t rf_tile_width(uint64_t size, uint32_t level, uint64_t index)
{
    const uint64_t hashes = rf_tile_hashes(size, level);
    if (index > hashes / RF_TILE_WIDTH)
        return 0;
    return index < hashes / RF_TILE_WIDTH ? RF_TILE_WIDTH : (uint32_t)(hashes % RF_TILE_WIDTH);
}

/* Groups of three digits, all but the last with an x in front. */
static size_t format_index(uint64_t index, char *out)
{
    unsigned group[7]; /* 2^64 - 1 has as many */
    int n = 0;
    size_t length = 0;
    do {
        group[n++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index > 0);
    while (n-- > 1)
        length += (size_t)sprintf(out + length, "x%03u/", group[n]);
    return length + (size_t)sprintf(out + length, "%03u", group[0]);
}

size_t rf_tile_path(const rf_tile *tile, char out[RF_TILE_PATH_SIZE])
{
    size_t n =
        tile->entries ? (size_t)sprintf(out, "tile/entries/") : (size_t)sprintf(out, "tile/%" PRIu32 "/", tile->level);
    n += format_index(tile->index, out + n);
    if (tile->width < RF_TILE_WIDTH)
        n += (size_t)sprintf(out + n, ".p/%" PRIu32, tile->width);
    return n;
}

size_t rf_bundle_put(uint8_t *out, const void *entry, size_t length)
{
    rf_put_be(out, length, 2);
    memcpy(out + 2, entry, length);
    return 2 + length;
}

bool rf_bundle_next(const uint8_t *bytes, size_t length, size_t *at, const uint8_t **entry, size_t *entry_length)
{
    if (length - *at < 2)
        return false;
    const size_t n = (size_t)rf_get_be(bytes + *at, 2);
    if (n == 0 || length - *at - 2 < n)
        return false;
    *entry = bytes + *at + 2;
    *entry_length = n;
    *at += 2 + n;
    return true;
}

bool rf_bundle_valid(const uint8_t *bytes, size_t length, uint32_t width)
{
    const uint8_t *entry;
    size_t at = 0, n;
    for (uint32_t i = 0; i < width; i++)
        if (!rf_bundle_next(bytes, length, &at, &entry, &n))
            return false;
    return at == length;
}
