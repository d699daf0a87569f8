/* SPDX-License-Identifier: Apache-2.0 */
/* The tickets of a unit's sealed prefix that are void, serials ascending: the leaves of a seal's void_root (docs/spec/seal.md). */
#ifndef RF_RAFFLE_VOID_LIST_H
#define RF_RAFFLE_VOID_LIST_H

#include "merkle.h"
#include "store.h"

typedef struct rf_void_list {
    uint64_t *serial;
    size_t n, cap;
    uint8_t (*node)[32]; /* of complete subtrees of 16 leaves and more, level by level; NULL: not hashed */
    uint32_t unit;
    uint64_t size;    /* of the sealed prefix: a ticket beyond it is not sealed, and neither is its void */
    uint64_t control; /* and a void that the control log wrote from this index on came after the seal */
} rf_void_list;

/* Fills the list, whose `unit`, `size` and `control` are set, and nothing else; cleared by the caller, whatever came back. */
raffle_rc rf_void_list_read(raffle_store *store, rf_void_list *list, raffle_error *err);
/* Hashes the tree, so that proofs cost a few hashes each; gives its root. RAFFLE_NOMEM. */
raffle_rc rf_void_list_hash(rf_void_list *list, rf_sha256 *hash, uint8_t root[32], raffle_error *err);
void rf_void_list_clear(rf_void_list *list);
/* How many of them are below a serial: its place, when it is there. */
size_t rf_void_list_place(const rf_void_list *list, uint64_t serial);
/* SHA-256(00 || u40be(serial)). */
void rf_void_leaf_hash(rf_sha256 *hash, uint64_t serial, uint8_t out[32]);
/* The inclusion proof of the `index`-th, index < n, of a list that was hashed; returns its number of hashes, at most 64. */
size_t rf_void_list_prove(const rf_void_list *list, rf_sha256 *hash, size_t index, uint8_t (*proof)[32]);

#endif
