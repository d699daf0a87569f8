/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles: the examples of C2SP tlog-tiles, every size up to MAX against counting, and bundles cut everywhere. */
#include "tile.h"
#include "vectors.h"

enum {
    MAX = 70000
};

static const char *path(uint32_t level, uint64_t index, uint32_t width)
{
    static char out[RF_TILE_PATH_SIZE];
    const rf_tile tile = {.level = level, .index = index, .width = width};
    ck_assert_uint_eq(rf_tile_path(&tile, out), strlen(out));
    return out;
}

START_TEST(names)
{
    ck_assert_str_eq(path(0, 0, 256), "tile/0/000");
    ck_assert_str_eq(path(0, 5, 256), "tile/0/005");
    ck_assert_str_eq(path(0, 999, 256), "tile/0/999");
    ck_assert_str_eq(path(0, 1000, 256), "tile/0/x001/000");
    ck_assert_str_eq(path(2, 1234067, 256), "tile/2/x001/x234/067");
    ck_assert_str_eq(path(0, 273, 112), "tile/0/273.p/112");
    ck_assert_str_eq(path(1, 1, 17), "tile/1/001.p/17");
    ck_assert_str_eq(path(0, UINT64_MAX, 255), "tile/0/x018/x446/x744/x073/x709/x551/615.p/255");
    const rf_tile entries = {.entries = true, .index = 1000, .width = 1};
    char out[RF_TILE_PATH_SIZE];
    rf_tile_path(&entries, out);
    ck_assert_str_eq(out, "tile/entries/x001/000.p/1");
}
END_TEST

/* The specification's own example, 70,000 records; and 256, whose tile is full and hashed into the level above. */
START_TEST(examples)
{
    ck_assert_uint_eq(rf_tile_width(70000, 0, 272), 256);
    ck_assert_uint_eq(rf_tile_width(70000, 0, 273), 112);
    ck_assert_uint_eq(rf_tile_width(70000, 0, 274), 0);
    ck_assert_uint_eq(rf_tile_width(70000, 1, 0), 256);
    ck_assert_uint_eq(rf_tile_width(70000, 1, 1), 17);
    ck_assert_uint_eq(rf_tile_width(70000, 1, 2), 0);
    ck_assert_uint_eq(rf_tile_width(70000, 2, 0), 1);
    ck_assert_uint_eq(rf_tile_width(70000, 3, 0), 0);
    ck_assert_uint_eq(rf_tile_width(256, 0, 0), 256);
    ck_assert_uint_eq(rf_tile_width(256, 0, 1), 0);
    ck_assert_uint_eq(rf_tile_width(256, 1, 0), 1);
    ck_assert_uint_eq(rf_tile_width(0, 0, 0), 0);
    ck_assert_uint_eq(rf_tile_width(UINT64_MAX, 63, 0), 0);
    ck_assert_uint_eq(rf_tile_hashes(RF_TREE_MAX_SIZE, RF_TILE_LEVELS - 1), 1);
    ck_assert_uint_eq(rf_tile_hashes(RF_TREE_MAX_SIZE, RF_TILE_LEVELS), 0);
}
END_TEST

/* The widths of a level's tiles are its hashes, and nothing follows the last one. */
START_TEST(widths)
{
    for (uint64_t size = 0; size <= MAX; size += size < 600 ? 1 : 251) {
        uint64_t hashes = size;
        for (uint32_t level = 0; level < RF_TILE_LEVELS; level++, hashes /= 256) {
            uint64_t sum = 0, index = 0;
            for (uint32_t width = 256; width == 256; index++)
                sum += width = rf_tile_width(size, level, index);
            ck_assert_uint_eq(sum, hashes);
            ck_assert_uint_eq(rf_tile_width(size, level, index), 0);
        }
    }
}
END_TEST

START_TEST(bundles)
{
    uint8_t bytes[64];
    size_t n = rf_bundle_put(bytes, "a", 1), at = 0, length;
    const uint8_t *entry;
    n += rf_bundle_put(bytes + n, "\0\0{}", 4);
    n += rf_bundle_put(bytes + n, "xyz", 3);
    ck_assert_uint_eq(n, 14);
    ck_assert_mem_eq(bytes, "\0\1a\0\4\0\0{}\0\3xyz", 14);
    ck_assert(rf_bundle_valid(bytes, n, 3));
    for (size_t cut = 0; cut < n; cut++)
        ck_assert(!rf_bundle_valid(bytes, cut, 3));
    ck_assert(!rf_bundle_valid(bytes, n + 1, 3));
    ck_assert(!rf_bundle_valid(bytes, n, 2));
    ck_assert(!rf_bundle_valid(bytes, n, 4));
    ck_assert(rf_bundle_valid(bytes, 0, 0));
    ck_assert(rf_bundle_next(bytes, n, &at, &entry, &length));
    ck_assert(rf_bundle_next(bytes, n, &at, &entry, &length));
    ck_assert_uint_eq(length, 4);
    ck_assert_mem_eq(entry, "\0\0{}", 4);
    ck_assert(rf_bundle_next(bytes, n, &at, &entry, &length));
    ck_assert(!rf_bundle_next(bytes, n, &at, &entry, &length));
}
END_TEST

/* An entry of no bytes is none of ours; the longest is. */
START_TEST(edges)
{
    static uint8_t bytes[2 + RF_ENTRY_MAX], entry[RF_ENTRY_MAX];
    ck_assert(!rf_bundle_valid((const uint8_t *)"\0\0", 2, 1));
    ck_assert(!rf_bundle_valid((const uint8_t *)"\xff\xff", 2, 1));
    ck_assert_uint_eq(rf_bundle_put(bytes, entry, sizeof entry), sizeof bytes);
    ck_assert(rf_bundle_valid(bytes, sizeof bytes, 1));
    ck_assert(!rf_bundle_valid(bytes, sizeof bytes - 1, 1));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, names);
    tcase_add_test(tests, examples);
    tcase_add_test(tests, widths);
    tcase_add_test(tests, bundles);
    tcase_add_test(tests, edges);
}

int main(void)
{
    return run_tests("tile", add);
}
