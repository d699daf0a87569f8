/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 section 2.1: hashing, the compact range, the plans of proofs, and their verifiers. */
#include "merkle.h"

#include <string.h>

enum {
    LEAF_PREFIX = 0x00,
    NODE_PREFIX = 0x01,
    SMALL_LEAF = 512 /* up to here a copy is cheaper than a second update of the digest */
};

const uint8_t rf_empty_root[32] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                   0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                   0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

void rf_leaf_hash(rf_sha256 *h, uint8_t out[32], const void *leaf, size_t length)
{
    uint8_t input[1 + SMALL_LEAF];
    input[0] = LEAF_PREFIX;
    if (length > SMALL_LEAF) {
        rf_sha256_spans(h, out, (const rf_span[]){{input, 1}, {leaf, length}}, 2);
        return;
    }
    if (length > 0)
        memcpy(input + 1, leaf, length);
    rf_sha256_of(h, out, input, 1 + length);
}

void rf_node_hash(rf_sha256 *h, uint8_t out[32], const uint8_t left[32], const uint8_t right[32])
{
    uint8_t input[65];
    input[0] = NODE_PREFIX;
    memcpy(input + 1, left, 32);
    memcpy(input + 33, right, 32);
    rf_sha256_of(h, out, input, sizeof input);
}

static size_t popcount(uint64_t x)
{
    return (size_t)__builtin_popcountll(x);
}

static uint32_t bit_length(uint64_t x)
{
    return x == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(x);
}

static bool is_power_of_two(uint64_t x)
{
    return popcount(x) == 1;
}

/* The largest power of two below n, for n >= 2: where RFC 6962 splits n leaves. */
static uint64_t split_point(uint64_t n)
{
    const unsigned bits = bit_length(n - 1);
    return bits > 0 ? UINT64_C(1) << (bits - 1) : 0;
}

/* --- the compact range --- */

void rf_range_init(rf_range *range)
{
    range->size = 0;
}

/* The nodes of the leaves [from, from + size), where `from` is a multiple of the smallest power of two that is at least `size`. */
static size_t run_nodes(uint64_t from, uint64_t size, rf_node_id *nodes)
{
    size_t n = 0;
    while (size > 0) {
        uint32_t level = bit_length(size) - 1;
        nodes[n++] = (rf_node_id){level, from >> level};
        from += UINT64_C(1) << level;
        size -= UINT64_C(1) << level;
    }
    return n;
}

size_t rf_range_nodes(uint64_t size, rf_node_id nodes[RF_TREE_MAX_LEVEL + 1])
{
    return size > RF_TREE_MAX_SIZE ? 0 : run_nodes(0, size, nodes);
}

void rf_range_push_node(rf_sha256 *h, rf_range *range, uint32_t level, const uint8_t hash[32], rf_node_sink sink,
                        void *ctx)
{
    size_t n = popcount(range->size);
    uint64_t index = range->size >> level;
    range->size += UINT64_C(1) << level;

    uint8_t node[32];
    memcpy(node, hash, 32);
    for (; index & 1; index >>= 1) {
        rf_node_hash(h, node, range->hash[--n], node);
        level++;
        if (sink != NULL)
            sink(ctx, level, index >> 1, node);
    }
    memcpy(range->hash[n], node, 32);
}

void rf_range_push(rf_sha256 *h, rf_range *range, const uint8_t leaf[32], rf_node_sink sink, void *ctx)
{
    rf_range_push_node(h, range, 0, leaf, sink, ctx);
}

/* H(n0, H(n1, ... H(nk-1, nk))) of k + 1 >= 1 hashes. */
static void fold_from_right(rf_sha256 *h, uint8_t out[32], const uint8_t (*hashes)[32], size_t n)
{
    memcpy(out, hashes[n - 1], 32);
    for (size_t i = n - 1; i-- > 0;)
        rf_node_hash(h, out, hashes[i], out);
}

void rf_range_root(rf_sha256 *h, const rf_range *range, uint8_t root[32])
{
    if (range->size == 0)
        memcpy(root, rf_empty_root, 32);
    else
        fold_from_right(h, root, range->hash, popcount(range->size));
}

/* --- plans --- */

/* The runs of leaves [from, to) whose roots make up a proof, root's child first: the reverse of the proof's order. */
typedef struct leaf_runs {
    size_t n;
    struct {
        uint64_t from, to;
    } run[64];
} leaf_runs;

static void add_run(leaf_runs *runs, uint64_t from, uint64_t to)
{
    runs->run[runs->n].from = from;
    runs->run[runs->n].to = to;
    runs->n++;
}

static void plan_runs(rf_proof_plan *plan, const leaf_runs *runs)
{
    plan->items = 0;
    plan->nodes = 0;
    for (size_t i = runs->n; i-- > 0;) {
        uint64_t from = runs->run[i].from;
        size_t count = run_nodes(from, runs->run[i].to - from, plan->node + plan->nodes);
        plan->item[plan->items].first = plan->nodes;
        plan->item[plan->items].count = count;
        plan->items++;
        plan->nodes += count;
    }
}

/* PATH(m, D[n]) of RFC 6962 section 2.1.1, walked from the root down. */
bool rf_inclusion_plan(rf_proof_plan *plan, uint64_t index, uint64_t size)
{
    if (index >= size || size > RF_TREE_MAX_SIZE)
        return false;
    leaf_runs runs = {.n = 0};
    uint64_t from = 0, to = size;
    while (to - from > 1) {
        uint64_t middle = from + split_point(to - from);
        if (index < middle) {
            add_run(&runs, middle, to);
            to = middle;
        } else {
            add_run(&runs, from, middle);
            from = middle;
        }
    }
    plan_runs(plan, &runs);
    return true;
}

/* SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2, walked from the root down; b is true as long as `from` is 0. */
bool rf_consistency_plan(rf_proof_plan *plan, uint64_t old_size, uint64_t size)
{
    if (old_size == 0 || old_size > size || size > RF_TREE_MAX_SIZE)
        return false;
    leaf_runs runs = {.n = 0};
    uint64_t from = 0, to = size;
    while (to != old_size) {
        uint64_t middle = from + split_point(to - from);
        if (old_size <= middle) {
            add_run(&runs, middle, to);
            to = middle;
        } else {
            add_run(&runs, from, middle);
            from = middle;
        }
    }
    if (from != 0)
        add_run(&runs, from, to);
    plan_runs(plan, &runs);
    return true;
}

void rf_proof_fold(rf_sha256 *h, const rf_proof_plan *plan, const uint8_t (*hashes)[32], uint8_t (*proof)[32])
{
    for (size_t i = 0; i < plan->items; i++)
        fold_from_right(h, proof[i], hashes + plan->item[i].first, plan->item[i].count);
}

/* --- exact lengths and verifiers --- */

size_t rf_inclusion_length(uint64_t index, uint64_t size)
{
    if (index >= size || size > RF_TREE_MAX_SIZE)
        return SIZE_MAX;
    uint32_t inner = bit_length(index ^ (size - 1));
    return inner + popcount(index >> inner);
}

size_t rf_consistency_length(uint64_t old_size, uint64_t size)
{
    if (old_size == 0 || old_size > size || size > RF_TREE_MAX_SIZE)
        return SIZE_MAX;
    if (old_size == size)
        return 0;
    uint32_t shift = (uint32_t)__builtin_ctzll(old_size);
    uint32_t inner = bit_length((old_size - 1) ^ (size - 1));
    size_t seed = is_power_of_two(old_size) ? 0 : 1;
    return seed + inner - shift + popcount((old_size - 1) >> inner);
}

/* RFC 9162 section 2.1.3.2. */
bool rf_inclusion_check(rf_sha256 *h, uint64_t index, uint64_t size, const uint8_t leaf_hash[32],
                        const uint8_t (*proof)[32], size_t n, const uint8_t root[32])
{
    size_t length = rf_inclusion_length(index, size);
    if (length == SIZE_MAX || n != length)
        return false;
    uint64_t fn = index, sn = size - 1;
    uint8_t r[32];
    memcpy(r, leaf_hash, 32);
    for (size_t i = 0; i < n; i++) {
        if (fn & 1 || fn == sn) {
            rf_node_hash(h, r, proof[i], r);
            for (; fn != 0 && !(fn & 1); sn >>= 1)
                fn >>= 1;
        } else {
            rf_node_hash(h, r, r, proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, 32) == 0;
}

/* RFC 9162 section 2.1.4.2, for 0 < old_size < size and a proof of the right length. */
static bool fold_consistency(rf_sha256 *h, uint64_t old_size, uint64_t size, const uint8_t old_root[32],
                             const uint8_t root[32], const uint8_t (*proof)[32], size_t n)
{
    uint64_t fn = old_size - 1, sn = size - 1;
    for (; fn & 1; sn >>= 1)
        fn >>= 1;
    size_t i = 0;
    uint8_t fr[32], sr[32];
    memcpy(fr, is_power_of_two(old_size) ? old_root : proof[i++], 32);
    memcpy(sr, fr, 32);
    for (; i < n; i++) {
        if (fn & 1 || fn == sn) {
            rf_node_hash(h, fr, proof[i], fr);
            rf_node_hash(h, sr, proof[i], sr);
            for (; fn != 0 && !(fn & 1); sn >>= 1)
                fn >>= 1;
        } else {
            rf_node_hash(h, sr, sr, proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, old_root, 32) == 0 && memcmp(sr, root, 32) == 0;
}

bool rf_consistency_check(rf_sha256 *h, uint64_t old_size, uint64_t size, const uint8_t old_root[32],
                          const uint8_t root[32], const uint8_t (*proof)[32], size_t n)
{
    if (old_size == 0)
        return size <= RF_TREE_MAX_SIZE && n == 0 && memcmp(old_root, rf_empty_root, 32) == 0 &&
               (size > 0 || memcmp(root, rf_empty_root, 32) == 0);
    size_t length = rf_consistency_length(old_size, size);
    if (length == SIZE_MAX || n != length)
        return false;
    if (old_size == size)
        return memcmp(old_root, root, 32) == 0;
    return fold_consistency(h, old_size, size, old_root, root, proof, n);
}
