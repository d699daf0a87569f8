/* SPDX-License-Identifier: Apache-2.0 */
/* Reading voids by their keys or records, and proofs over their tree, which no store keeps. */
#include "void_list.h"

#include "bytes.h"
#include "error.h"
#include "fold.h"
#include "record.h"
#include <stdlib.h>
#include <string.h>

enum {
    NODE_LEVEL = 4 /* below, leaves are hashed again: of 16 a proof needs 15 at most */
};

static raffle_rc add(rf_void_list *list, uint64_t serial, raffle_error *err)
{
    if (list->n == list->cap) {
        size_t cap = list->cap > 0 ? 2 * list->cap : 256;
        uint64_t *grown = realloc(list->serial, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        list->serial = grown;
        list->cap = cap;
    }
    list->serial[list->n++] = serial;
    return RAFFLE_OK;
}

/* --- by their keys --- */

static raffle_rc collect(void *ctx, const raffle_store_key *row, raffle_error *err)
{
    rf_void_list *list = ctx;
    if (row->length != 7 || (row->log != 0 && row->log != list->unit))
        return rf_fail(err, RAFFLE_CORRUPT, "a void of unit %u is kept by log %u", list->unit, row->log);
    const uint64_t serial = rf_get_be(row->key + 2, 5);
    if (serial >= list->size || row->index >= (row->log == 0 ? list->control : list->size))
        return RAFFLE_OK;
    return add(list, serial, err);
}

/* --- by their records, of a published copy, which has no keys --- */

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    rf_record record;
    rf_void_list *list = ctx;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK || record.type != RF_VOID || (uint64_t)record.unit != list->unit ||
        (uint64_t)record.serial >= list->size)
        return rc;
    return add(list, (uint64_t)record.serial, err);
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static raffle_rc read_records(raffle_store *store, rf_void_list *list, raffle_error *err)
{
    raffle_rc rc = rf_store_read(store, list->unit, 0, list->size, take_record, list, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_read(store, 0, 0, list->control, take_record, list, err);
    if (list->n > 1)
        qsort(list->serial, list->n, sizeof *list->serial, ascending);
    return rc;
}

/* --- the list --- */

/* The key is unit and serial, big-endian: a scan gives the serials ascending. */
raffle_rc rf_void_list_read(raffle_store *store, rf_void_list *list, raffle_error *err)
{
    uint8_t prefix[2];
    if (rf_store_published(store))
        return read_records(store, list, err);
    rf_put_be(prefix, list->unit, 2);
    return rf_store_scan(store, RF_SCOPE_VOID, prefix, 2, NULL, 0, UINT64_MAX, collect, list, err);
}

size_t rf_void_list_place(const rf_void_list *list, uint64_t serial)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list->serial[middle] < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void rf_void_leaf_hash(rf_sha256 *hash, uint64_t serial, uint8_t out[32])
{
    uint8_t leaf[5];
    rf_put_be(leaf, serial, sizeof leaf);
    rf_leaf_hash(hash, out, leaf, sizeof leaf);
}

/* Where the nodes of a level begin in `node`; of the level above the highest: how many nodes there are. */
static size_t level_at(const rf_void_list *list, uint32_t level)
{
    size_t at = 0;
    for (uint32_t i = NODE_LEVEL; i < level; i++)
        at += list->n >> i;
    return at;
}

static void keep_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    const rf_void_list *list = ctx;
    if (level >= NODE_LEVEL)
        memcpy(list->node[level_at(list, level) + index], hash, 32);
}

raffle_rc rf_void_list_hash(rf_void_list *list, rf_sha256 *hash, uint8_t root[32], raffle_error *err)
{
    rf_range range;
    uint8_t leaf[32];
    const size_t nodes = level_at(list, RF_TREE_MAX_LEVEL + 1);
    list->node = malloc((nodes > 0 ? nodes : 1) * sizeof *list->node);
    if (list->node == NULL)
        return rf_nomem(err);
    rf_range_init(&range);
    for (size_t i = 0; i < list->n; i++) {
        rf_void_leaf_hash(hash, list->serial[i], leaf);
        rf_range_push(hash, &range, leaf, keep_node, list);
    }
    rf_range_root(hash, &range, root);
    return RAFFLE_OK;
}

void rf_void_list_clear(rf_void_list *list)
{
    free(list->serial);
    free(list->node);
    *list = (rf_void_list){0};
}

static void get_node(const rf_void_list *list, rf_sha256 *hash, const rf_node_id *node, uint8_t out[32])
{
    rf_range range;
    uint8_t leaf[32];
    if (node->level >= NODE_LEVEL) {
        memcpy(out, list->node[level_at(list, node->level) + node->index], 32);
        return;
    }
    rf_range_init(&range);
    for (uint64_t i = node->index << node->level; i < (node->index + 1) << node->level; i++) {
        rf_void_leaf_hash(hash, list->serial[i], leaf);
        rf_range_push(hash, &range, leaf, NULL, NULL);
    }
    rf_range_root(hash, &range, out);
}

size_t rf_void_list_prove(const rf_void_list *list, rf_sha256 *hash, size_t index, uint8_t (*proof)[32])
{
    rf_proof_plan plan;
    uint8_t nodes[sizeof plan.node / sizeof *plan.node][32];
    if (!rf_inclusion_plan(&plan, index, list->n))
        return 0;
    for (size_t i = 0; i < plan.nodes; i++)
        get_node(list, hash, &plan.node[i], nodes[i]);
    rf_proof_fold(hash, &plan, (const uint8_t(*)[32])nodes, proof);
    return plan.items;
}
