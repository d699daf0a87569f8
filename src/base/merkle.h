/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256: hashing, the compact range, which nodes a root or a proof needs, and the
 * verifiers of RFC 9162 sections 2.1.3.2 and 2.1.4.2 with exact proof lengths. Pure: no I/O, no allocation.
 * A node (level, index) is the root of the complete subtree over leaves [index * 2^level, (index + 1) * 2^level).
 */
#ifndef RF_BASE_MERKLE_H
#define RF_BASE_MERKLE_H

#include "sha256.h"
#include <stdbool.h>

enum {
    RF_TREE_MAX_LEVEL = 48 /* no log has 2^48 records */
};
#define RF_TREE_MAX_SIZE (UINT64_C(1) << RF_TREE_MAX_LEVEL)

typedef struct rf_node_id {
    uint32_t level;
    uint64_t index;
} rf_node_id;

/* The root of the empty tree: SHA-256 of nothing. */
extern const uint8_t rf_empty_root[32];

/* SHA-256(0x00 || leaf), SHA-256(0x01 || left || right). */
void rf_leaf_hash(rf_sha256 *h, uint8_t out[32], const void *leaf, size_t length);
void rf_node_hash(rf_sha256 *h, uint8_t out[32], const uint8_t left[32], const uint8_t right[32]);

/* A compact range: the roots of the complete subtrees that make up the first `size` leaves, largest first; there are popcount(size). */
typedef struct rf_range {
    uint64_t size;
    uint8_t hash[RF_TREE_MAX_LEVEL + 1][32];
} rf_range;

/* Called for each complete subtree that a push completes, lowest level first, from level 1. May be NULL. */
typedef void (*rf_node_sink)(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32]);

void rf_range_init(rf_range *range);
/* The nodes that the range of a tree of `size` leaves consists of, in its order; returns their number. */
size_t rf_range_nodes(uint64_t size, rf_node_id nodes[RF_TREE_MAX_LEVEL + 1]);
/* Appends one leaf hash. */
void rf_range_push(rf_sha256 *h, rf_range *range, const uint8_t leaf[32], rf_node_sink sink, void *ctx);
/* Appends a complete subtree of 2^level leaves; `range->size` must be a multiple of 2^level. */
void rf_range_push_node(rf_sha256 *h, rf_range *range, uint32_t level, const uint8_t hash[32], rf_node_sink sink,
                        void *ctx);
/* The root of the tree so far; the empty root for size 0. */
void rf_range_root(rf_sha256 *h, const rf_range *range, uint8_t root[32]);

/* What an inclusion or a consistency proof consists of. A proof's hash may be the root of an incomplete subtree: it is then folded from
 * several nodes. Each item is the run nodes[first .. first + count), left to right, folded from the right:
 * H(n0, H(n1, ... H(nk-1, nk))). */
typedef struct rf_proof_plan {
    size_t items;
    size_t nodes;
    struct {
        size_t first, count;
    } item[64];
    rf_node_id node[128];
} rf_proof_plan;

/* The plan for leaf `index` of a tree of `size` leaves, or from `old_size` to `size`; false when the numbers make no sense
 * (index >= size; old_size > size or 0; size > RF_TREE_MAX_SIZE). old_size == size: no items. */
bool rf_inclusion_plan(rf_proof_plan *plan, uint64_t index, uint64_t size);
bool rf_consistency_plan(rf_proof_plan *plan, uint64_t old_size, uint64_t size);
/* Folds the hashes of plan->node, given in their order, into the proof's items. */
void rf_proof_fold(rf_sha256 *h, const rf_proof_plan *plan, const uint8_t (*hashes)[32], uint8_t (*proof)[32]);

/* The exact number of hashes of a proof. For numbers that the plans refuse: SIZE_MAX. */
size_t rf_inclusion_length(uint64_t index, uint64_t size);
size_t rf_consistency_length(uint64_t old_size, uint64_t size);

/* The verifiers. old_size 0: only an empty proof and the empty root as old root. */
bool rf_inclusion_check(rf_sha256 *h, uint64_t index, uint64_t size, const uint8_t leaf_hash[32],
                        const uint8_t (*proof)[32], size_t n, const uint8_t root[32]);
bool rf_consistency_check(rf_sha256 *h, uint64_t old_size, uint64_t size, const uint8_t old_root[32],
                          const uint8_t root[32], const uint8_t (*proof)[32], size_t n);

#endif
