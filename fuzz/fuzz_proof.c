/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle proofs: the verifiers end at any sizes and lengths, accept the proofs of a real tree, and no altered or wrongly long one. */
#include "bytes.h"
#include "fuzz.h"
#include "merkle.h"

/*
 * An input: a mode, two numbers of eight bytes, a byte that picks what is altered, and the proof's hashes. Mode 0 takes the proof as it is; mode 1 makes a tree
 * of as many leaves as the second number says, up to a bound, and a right proof, which is then altered.
 */
enum {
    HEAD = 18,
    MOST_HASHES = 130,
    MOST_LEAVES = 300,
    BYTES = 32
};

typedef struct input {
    uint64_t a, b; /* an index, or an older size; a size */
    uint8_t pick;
    size_t n;
    uint8_t proof[MOST_HASHES + 1][BYTES];
} input;

static rf_sha256 *hash;

/* --- the naive tree, RFC 6962 section 2.1 as it is written --- */

static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k < n - k)
        k *= 2;
    return k;
}

static void leaf(uint8_t out[BYTES], uint64_t i)
{
    uint8_t bytes[8];
    rf_put_be(bytes, i, sizeof bytes);
    rf_leaf_hash(hash, out, bytes, sizeof bytes);
}

static void naive_root(uint8_t out[BYTES], uint64_t from, uint64_t n)
{
    uint8_t left[BYTES], right[BYTES];
    if (n == 1) {
        leaf(out, from);
        return;
    }
    naive_root(left, from, split(n));
    naive_root(right, from + split(n), n - split(n));
    rf_node_hash(hash, out, left, right);
}

/* The length of PATH(m, D[n]). */
static size_t naive_path_length(uint64_t m, uint64_t n)
{
    size_t length = 0;
    for (; n > 1; length++) {
        uint64_t k = split(n);
        n = m < k ? k : n - k;
        m = m < k ? m : m - k;
    }
    return length;
}

/* The length of SUBPROOF(m, D[n], true), for 0 < m <= n. */
static size_t naive_subproof_length(uint64_t m, uint64_t n)
{
    size_t length = 0;
    bool whole = true;
    for (; m != n; length++) {
        uint64_t k = split(n);
        whole = whole && m <= k;
        n = m <= k ? k : n - k;
        m = m <= k ? m : m - k;
    }
    return length + !whole;
}

/* --- hostile numbers --- */

static void check_lengths(const input *in)
{
    static rf_proof_plan plan;
    bool path = in->a < in->b && in->b <= RF_TREE_MAX_SIZE;
    fuzz_require(rf_inclusion_length(in->a, in->b) == (path ? naive_path_length(in->a, in->b) : SIZE_MAX),
                 "an inclusion proof has the length of PATH, or none");
    fuzz_require(rf_inclusion_plan(&plan, in->a, in->b) == path, "an inclusion proof is planned where it has a length");
    fuzz_require(!path || (plan.items == rf_inclusion_length(in->a, in->b) && plan.nodes <= 128), "it has its length");

    bool subproof = in->a > 0 && in->a <= in->b && in->b <= RF_TREE_MAX_SIZE;
    fuzz_require(rf_consistency_length(in->a, in->b) == (subproof ? naive_subproof_length(in->a, in->b) : SIZE_MAX),
                 "a consistency proof has the length of SUBPROOF, or none");
    fuzz_require(rf_consistency_plan(&plan, in->a, in->b) == subproof,
                 "a consistency proof is planned where it has one");
    fuzz_require(!subproof || (plan.items == rf_consistency_length(in->a, in->b) && plan.nodes <= 128),
                 "it has its length");

    rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
    const size_t count = rf_range_nodes(in->b, nodes);
    fuzz_require(count == (in->b <= RF_TREE_MAX_SIZE ? (size_t)__builtin_popcountll(in->b) : 0),
                 "a range has a node for each bit of its size");
}

/* Roots that the proof's own hashes give: only a length that is right may be accepted, and nobody finds hashes that are. */
static void check_hostile(const input *in)
{
    const uint8_t(*proof)[BYTES] = in->proof;
    const uint8_t *root = in->proof[0], *old_root = in->proof[in->n / 2];
    bool included = rf_inclusion_check(hash, in->a, in->b, old_root, proof, in->n, root);
    fuzz_require(!included || (in->n == 0 && in->b == 1 && in->a == 0), "only a tree of one leaf needs no proof");
    bool consistent = rf_consistency_check(hash, in->a, in->b, old_root, root, proof, in->n);
    bool empty = in->a == 0 && memcmp(old_root, rf_empty_root, BYTES) == 0;
    fuzz_require(!consistent || (in->n == 0 && in->b <= RF_TREE_MAX_SIZE && (in->a == in->b || empty)),
                 "only a tree that did not grow, or grew from nothing, needs no proof");
}

/* --- right proofs, altered --- */

static void node_hashes(const rf_proof_plan *plan, uint8_t (*hashes)[BYTES])
{
    for (size_t i = 0; i < plan->nodes; i++)
        naive_root(hashes[i], plan->node[i].index << plan->node[i].level, UINT64_C(1) << plan->node[i].level);
}

/* A right proof from a plan; returns its length. */
static size_t make_proof(const rf_proof_plan *plan, uint8_t (*proof)[BYTES])
{
    uint8_t hashes[128][BYTES];
    node_hashes(plan, hashes);
    rf_proof_fold(hash, plan, (const uint8_t(*)[BYTES])hashes, proof);
    return plan->items;
}

/* What a right proof is altered in: its length, by one either way, or one bit of it. False when there is nothing to alter. */
static bool alter(uint8_t (*proof)[BYTES], size_t *n, uint8_t pick)
{
    if (pick % 3 == 0) {
        memset(proof[*n], pick, BYTES);
        ++*n;
        return true;
    }
    if (*n == 0)
        return false;
    if (pick % 3 == 1)
        --*n;
    else
        proof[pick % *n][pick / 8] ^= (uint8_t)(1 << pick % 8);
    return true;
}

/* A proof of one hash too many or too few leads to another root: it is refused under that one, too. */
static void check_inclusion_length(uint64_t index, uint64_t size, const uint8_t leaf_hash[BYTES],
                                   uint8_t (*proof)[BYTES], size_t n)
{
    uint8_t root[BYTES];
    const uint8_t(*p)[BYTES] = (const uint8_t(*)[BYTES])proof;
    naive_root(root, 0, size);
    memset(proof[n], 0xa5, BYTES);
    rf_node_hash(hash, root, proof[n], root);
    fuzz_require(!rf_inclusion_check(hash, index, size, leaf_hash, p, n + 1, root), "a longer proof is refused");
    if (size < 2)
        return;
    const uint64_t k = split(size);
    naive_root(root, index < k ? 0 : k, index < k ? k : size - k);
    fuzz_require(!rf_inclusion_check(hash, index, size, leaf_hash, p, n - 1, root), "a shorter proof is refused");
}

static void check_consistency_length(uint64_t old_size, uint64_t size, uint8_t (*proof)[BYTES], size_t n)
{
    uint8_t old_root[BYTES], root[BYTES];
    const uint8_t(*p)[BYTES] = (const uint8_t(*)[BYTES])proof;
    naive_root(old_root, 0, old_size);
    naive_root(root, 0, size);
    memset(proof[n], 0xa5, BYTES);
    rf_node_hash(hash, old_root, proof[n], old_root);
    rf_node_hash(hash, root, proof[n], root);
    fuzz_require(!rf_consistency_check(hash, old_size, size, old_root, root, p, n + 1), "a longer proof is refused");
}

static void check_inclusion(uint64_t index, uint64_t size, uint8_t pick)
{
    rf_proof_plan plan;
    uint8_t proof[MOST_HASHES][BYTES], leaf_hash[BYTES], other[BYTES], root[BYTES];
    fuzz_require(rf_inclusion_plan(&plan, index, size), "a leaf of a tree has a proof");
    size_t n = make_proof(&plan, proof);
    leaf(leaf_hash, index);
    leaf(other, index + 1);
    naive_root(root, 0, size);
    const uint8_t(*p)[BYTES] = (const uint8_t(*)[BYTES])proof;
    fuzz_require(rf_inclusion_check(hash, index, size, leaf_hash, p, n, root), "a right proof is accepted");
    fuzz_require(!rf_inclusion_check(hash, index, size, other, p, n, root), "another leaf is refused");
    fuzz_require(size < 2 || !rf_inclusion_check(hash, index ^ 1, size, leaf_hash, p, n, root),
                 "another index is refused");
    check_inclusion_length(index, size, leaf_hash, proof, n);
    if (alter(proof, &n, pick))
        fuzz_require(!rf_inclusion_check(hash, index, size, leaf_hash, p, n, root), "an altered proof is refused");
}

static void check_consistency(uint64_t old_size, uint64_t size, uint8_t pick)
{
    rf_proof_plan plan;
    uint8_t proof[MOST_HASHES][BYTES], old_root[BYTES], root[BYTES];
    fuzz_require(rf_consistency_plan(&plan, old_size, size), "an older tree has a proof");
    size_t n = make_proof(&plan, proof);
    naive_root(old_root, 0, old_size);
    naive_root(root, 0, size);
    const uint8_t(*p)[BYTES] = (const uint8_t(*)[BYTES])proof;
    fuzz_require(rf_consistency_check(hash, old_size, size, old_root, root, p, n), "a right proof is accepted");
    fuzz_require(old_size == size || !rf_consistency_check(hash, old_size, size, root, root, p, n),
                 "another old root is refused");
    check_consistency_length(old_size, size, proof, n);
    if (alter(proof, &n, pick))
        fuzz_require(!rf_consistency_check(hash, old_size, size, old_root, root, p, n), "an altered proof is refused");
}

static void check_tree(const input *in)
{
    const uint64_t size = 1 + in->b % MOST_LEAVES;
    check_inclusion(in->a % size, size, in->pick);
    check_consistency(1 + in->a % size, size, in->pick);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static input in;
    if (hash == NULL)
        hash = rf_sha256_new();
    fuzz_require(hash != NULL, "there is a digest");
    if (size < HEAD)
        return 0;
    in.a = rf_get_be(data + 1, 8);
    in.b = rf_get_be(data + 9, 8);
    in.pick = data[17];
    in.n = (size - HEAD) / BYTES < MOST_HASHES ? (size - HEAD) / BYTES : MOST_HASHES;
    memset(in.proof, 0, sizeof in.proof);
    memcpy(in.proof, data + HEAD, in.n * BYTES);
    if (data[0] % 2 == 0) {
        check_lengths(&in);
        check_hostile(&in);
    } else {
        check_tree(&in);
    }
    return 0;
}
