/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges, roots and proofs of a log in a store. */
#include "tree.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

/* Pushes the leaves of records as they are read. */
typedef struct leaf_reader {
    rf_sha256 *hash;
    rf_range *range;
    uint64_t next; /* index of the next record */
} leaf_reader;

static raffle_rc push_leaf(void *ctx, const raffle_record *record, raffle_error *err)
{
    leaf_reader *reader = ctx;
    uint8_t leaf[32];
    if (record->index != reader->next)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu came where %llu was asked for",
                       (unsigned long long)record->index, (unsigned long long)reader->next);
    reader->next++;
    rf_leaf_hash(reader->hash, leaf, record->leaf, record->leaf_length);
    rf_range_push(reader->hash, reader->range, leaf, NULL, NULL);
    return RAFFLE_OK;
}

/* Pushes the records [from, to) of the log onto a range. */
static raffle_rc push_records(const rf_tree *t, rf_range *range, uint64_t from, uint64_t to, raffle_error *err)
{
    leaf_reader reader = {t->hash, range, from};
    if (from == to)
        return RAFFLE_OK;
    raffle_rc rc = rf_store_read(t->store, t->log, from, to - from, push_leaf, &reader, err);
    if (rc == RAFFLE_OK && reader.next != to)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of log %u is missing", (unsigned long long)reader.next,
                       t->log);
    return rc;
}

static raffle_rc compute_node(const rf_tree *t, uint32_t level, uint64_t index, uint8_t out[32], raffle_error *err)
{
    rf_range range;
    uint8_t left[32], right[32];
    if (level <= RF_TREE_KEPT_LEVEL) {
        rf_range_init(&range);
        raffle_rc rc = push_records(t, &range, index << level, (index + 1) << level, err);
        if (rc == RAFFLE_OK)
            rf_range_root(t->hash, &range, out);
        return rc;
    }
    raffle_rc rc = rf_tree_node(t, level - 1, 2 * index, left, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_node(t, level - 1, 2 * index + 1, right, err);
    if (rc == RAFFLE_OK)
        rf_node_hash(t->hash, out, left, right);
    return rc;
}

raffle_rc rf_tree_node(const rf_tree *t, uint32_t level, uint64_t index, uint8_t out[32], raffle_error *err)
{
    if (level < RF_TREE_KEPT_LEVEL)
        return compute_node(t, level, index, out, err);
    raffle_rc rc = rf_store_node(t->store, t->log, level, index, out, NULL);
    if (rc == RAFFLE_NOT_FOUND)
        return compute_node(t, level, index, out, err);
    return rc == RAFFLE_OK ? rc : rf_store_node(t->store, t->log, level, index, out, err);
}

raffle_rc rf_tree_range(const rf_tree *t, uint64_t size, rf_range *range, raffle_error *err)
{
    rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
    uint8_t hash[32];
    if (size > RF_TREE_MAX_SIZE)
        return rf_fail(err, RAFFLE_CORRUPT, "log %u cannot have %llu records", t->log, (unsigned long long)size);
    size_t n = rf_range_nodes(size, nodes);
    rf_range_init(range);
    for (size_t i = 0; i < n && nodes[i].level >= RF_TREE_KEPT_LEVEL; i++) {
        raffle_rc rc = rf_tree_node(t, nodes[i].level, nodes[i].index, hash, err);
        if (rc != RAFFLE_OK)
            return rc;
        rf_range_push_node(t->hash, range, nodes[i].level, hash, NULL, NULL);
    }
    return push_records(t, range, range->size, size, err);
}

raffle_rc rf_tree_root(const rf_tree *t, uint64_t size, uint8_t root[32], raffle_error *err)
{
    rf_range range;
    raffle_rc rc = rf_tree_range(t, size, &range, err);
    if (rc == RAFFLE_OK)
        rf_range_root(t->hash, &range, root);
    return rc;
}

/* Fills a plan from the store. */
static raffle_rc fill_plan(const rf_tree *t, const rf_proof_plan *plan, uint8_t (*proof)[32], raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    uint8_t(*hashes)[32] = calloc(plan->nodes > 0 ? plan->nodes : 1, 32);
    if (hashes == NULL)
        return rf_nomem(err);
    for (size_t i = 0; rc == RAFFLE_OK && i < plan->nodes; i++)
        rc = rf_tree_node(t, plan->node[i].level, plan->node[i].index, hashes[i], err);
    if (rc == RAFFLE_OK)
        rf_proof_fold(t->hash, plan, (const uint8_t(*)[32])hashes, proof);
    free(hashes);
    return rc;
}

raffle_rc rf_tree_inclusion(const rf_tree *t, uint64_t index, uint64_t size, uint8_t (*proof)[32], size_t *n,
                            raffle_error *err)
{
    rf_proof_plan plan;
    if (!rf_inclusion_plan(&plan, index, size))
        return rf_fail(err, RAFFLE_INVALID, "there is no record %llu among the first %llu", (unsigned long long)index,
                       (unsigned long long)size);
    raffle_rc rc = fill_plan(t, &plan, proof, err);
    if (rc == RAFFLE_OK)
        *n = plan.items;
    return rc;
}

raffle_rc rf_tree_consistency(const rf_tree *t, uint64_t old_size, uint64_t size, uint8_t (*proof)[32], size_t *n,
                              raffle_error *err)
{
    rf_proof_plan plan;
    if (old_size == 0 && size <= RF_TREE_MAX_SIZE) {
        *n = 0; /* anything extends the empty tree */
        return RAFFLE_OK;
    }
    if (!rf_consistency_plan(&plan, old_size, size))
        return rf_fail(err, RAFFLE_INVALID, "%llu records are no extension of %llu", (unsigned long long)size,
                       (unsigned long long)old_size);
    raffle_rc rc = fill_plan(t, &plan, proof, err);
    if (rc == RAFFLE_OK)
        *n = plan.items;
    return rc;
}
