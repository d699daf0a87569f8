/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles from records. Every hash that goes into a tile goes into the range too, whose root is compared at the end. */
#include "tiles.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

enum {
    READ_MOST = 16384 /* records of one read: no transaction stays open for long */
};

typedef struct level {
    uint64_t index; /* of the tile that is being filled */
    uint32_t width;
    uint8_t hash[RF_TILE_BYTES];
} level;

typedef struct maker {
    const rf_tree *tree;
    const rf_tiles *what;
    rf_tile_sink sink;
    void *ctx;
    raffle_rc rc; /* of a sink that a push of the range called */
    raffle_error error;
    rf_range range;
    uint8_t *bundle;
    size_t bundle_length, bundle_cap;
    level level[RF_TILE_LEVELS];
} maker;

/* --- giving tiles --- */

static raffle_rc give_bundle(maker *m, raffle_error *err)
{
    const level *l = &m->level[0];
    const rf_tile tile = {.entries = true, .index = l->index, .width = l->width};
    if (!m->what->entries)
        return RAFFLE_OK;
    const size_t length = m->bundle_length;
    m->bundle_length = 0;
    return m->sink(m->ctx, &tile, m->bundle, length, err);
}

static raffle_rc give_tile(maker *m, uint32_t number, raffle_error *err)
{
    const level *l = &m->level[number];
    const rf_tile tile = {.level = number, .index = l->index, .width = l->width};
    raffle_rc rc = number == 0 ? give_bundle(m, err) : RAFFLE_OK;
    return rc == RAFFLE_OK ? m->sink(m->ctx, &tile, l->hash, (size_t)l->width * 32, err) : rc;
}

static raffle_rc add_hash(maker *m, uint32_t number, const uint8_t hash[32], raffle_error *err)
{
    level *l = &m->level[number];
    memcpy(l->hash + (size_t)l->width * 32, hash, 32);
    if (++l->width < RF_TILE_WIDTH)
        return RAFFLE_OK;
    raffle_rc rc = give_tile(m, number, err);
    l->index++;
    l->width = 0;
    return rc;
}

/* What is left over at the end; a partial tile that `from` records have too is no news. */
static raffle_rc give_partial_tiles(maker *m, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t i = 0; rc == RAFFLE_OK && i < RF_TILE_LEVELS; i++)
        if (m->level[i].width > 0 && rf_tile_hashes(m->what->from, i) != rf_tile_hashes(m->what->to, i))
            rc = give_tile(m, i, err);
    return rc;
}

/* --- taking records --- */

static void take_node(void *ctx, uint32_t node_level, uint64_t index, const uint8_t hash[32])
{
    maker *m = ctx;
    (void)index;
    if (m->rc == RAFFLE_OK && node_level % RF_TILE_HEIGHT == 0)
        m->rc = add_hash(m, node_level / RF_TILE_HEIGHT, hash, &m->error);
}

static raffle_rc add_entry(maker *m, const raffle_record *record, raffle_error *err)
{
    const size_t need = m->bundle_length + 2 + record->leaf_length;
    if (need > m->bundle_cap) {
        const size_t cap = need + need / 2;
        uint8_t *grown = realloc(m->bundle, cap);
        if (grown == NULL)
            return rf_nomem(err);
        m->bundle = grown;
        m->bundle_cap = cap;
    }
    m->bundle_length += rf_bundle_put(m->bundle + m->bundle_length, record->leaf, record->leaf_length);
    return RAFFLE_OK;
}

static raffle_rc take_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    maker *m = ctx;
    uint8_t leaf[32];
    raffle_rc rc = m->what->entries ? add_entry(m, record, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    rf_leaf_hash(m->tree->hash, leaf, record->leaf, record->leaf_length);
    rc = add_hash(m, 0, leaf, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_range_push(m->tree->hash, &m->range, leaf, take_node, m);
    return m->rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &m->error);
}

/* --- the whole --- */

/* The hashes of the unfinished tiles above the first record, largest subtrees first, so that the range follows. */
static raffle_rc begin(maker *m, uint64_t start, raffle_error *err)
{
    rf_range_init(&m->range);
    for (uint32_t i = RF_TILE_LEVELS; i-- > 0;) {
        level *l = &m->level[i];
        const uint64_t hashes = rf_tile_hashes(start, i);
        l->index = hashes / RF_TILE_WIDTH;
        l->width = (uint32_t)(hashes % RF_TILE_WIDTH);
        for (uint32_t k = 0; k < l->width; k++) {
            uint8_t *hash = l->hash + (size_t)k * 32;
            raffle_rc rc = rf_tree_node(m->tree, i * RF_TILE_HEIGHT, l->index * RF_TILE_WIDTH + k, hash, err);
            if (rc != RAFFLE_OK)
                return rc;
            rf_range_push_node(m->tree->hash, &m->range, i * RF_TILE_HEIGHT, hash, NULL, NULL);
        }
    }
    return RAFFLE_OK;
}

static raffle_rc read_records(maker *m, raffle_error *err)
{
    while (m->range.size < m->what->to) {
        const uint64_t at = m->range.size, left = m->what->to - at;
        raffle_rc rc =
            rf_store_read(m->tree->store, m->tree->log, at, left < READ_MOST ? left : READ_MOST, take_record, m, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (m->range.size == at)
            return rf_fail(err, RAFFLE_CORRUPT, "record %llu of log %u is missing", (unsigned long long)at,
                           m->tree->log);
    }
    return RAFFLE_OK;
}

static raffle_rc check_root(const maker *m, raffle_error *err)
{
    uint8_t root[32];
    rf_range_root(m->tree->hash, &m->range, root);
    if (memcmp(root, m->what->root, 32) == 0)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_CORRUPT, "the first %llu records of log %u are not those that were signed",
                   (unsigned long long)m->what->to, m->tree->log);
}

raffle_rc rf_tiles_make(const rf_tree *tree, const rf_tiles *what, rf_tile_sink sink, void *ctx, raffle_error *err)
{
    maker *m = calloc(1, sizeof *m);
    if (m == NULL)
        return rf_nomem(err);
    *m = (maker){.tree = tree, .what = what, .sink = sink, .ctx = ctx, .error = RAFFLE_ERROR_INIT};
    raffle_rc rc = begin(m, what->from - what->from % RF_TILE_WIDTH, err);
    if (rc == RAFFLE_OK)
        rc = read_records(m, err);
    if (rc == RAFFLE_OK)
        rc = check_root(m, err);
    if (rc == RAFFLE_OK)
        rc = give_partial_tiles(m, err);
    free(m->bundle);
    free(m);
    return rc;
}
