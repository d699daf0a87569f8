/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of a log in a store: nodes that the store keeps, and everything else computed from records. */
#ifndef RF_JOURNAL_TREE_H
#define RF_JOURNAL_TREE_H

#include "merkle.h"
#include "store.h"

enum {
    RF_TREE_KEPT_LEVEL = 8 /* nodes from this level on are kept; those below are computed */
};

/* A log in a store, and a hash to work with: one thread at a time. */
typedef struct rf_tree {
    raffle_store *store;
    rf_sha256 *hash;
    uint32_t log;
} rf_tree;

/* The hash of a node. A node that the store has lost is computed from its records. RAFFLE_CORRUPT: records are missing. */
raffle_rc rf_tree_node(const rf_tree *t, uint32_t level, uint64_t index, uint8_t out[32], raffle_error *err);
/* The compact range and the root of the first `size` records. */
raffle_rc rf_tree_range(const rf_tree *t, uint64_t size, rf_range *range, raffle_error *err);
raffle_rc rf_tree_root(const rf_tree *t, uint64_t size, uint8_t root[32], raffle_error *err);
/* Proofs, at most 64 hashes. RAFFLE_INVALID: numbers that make no sense. */
raffle_rc rf_tree_inclusion(const rf_tree *t, uint64_t index, uint64_t size, uint8_t (*proof)[32], size_t *n,
                            raffle_error *err);
raffle_rc rf_tree_consistency(const rf_tree *t, uint64_t old_size, uint64_t size, uint8_t (*proof)[32], size_t *n,
                              raffle_error *err);

#endif
