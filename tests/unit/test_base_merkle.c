/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree against a recursive reading of RFC 6962 for every size up to MAX, every mutation of every proof, and vectors. */
#include "merkle.h"
#include "vectors.h"

enum {
    MAX = 130,
    PROOF_MAX = 64
};

static rf_sha256 *h;
static uint8_t leaves[MAX][32];         /* leaf hashes */
static uint8_t known[MAX][MAX + 1][32]; /* the root of leaves [from, to): the reference, computed once for each pair */

static void setup(void)
{
    h = rf_sha256_new();
    for (uint8_t i = 0; i < MAX; i++) {
        const uint8_t leaf[3] = {i, 'x', i};
        rf_leaf_hash(h, leaves[i], leaf, 1 + i % 3u);
    }
    for (size_t length = 1; length <= MAX; length++) {
        size_t k = 1;
        while (2 * k < length)
            k *= 2;
        for (size_t from = 0; from + length <= MAX; from++) {
            if (length == 1)
                memcpy(known[from][from + 1], leaves[from], 32);
            else
                rf_node_hash(h, known[from][from + length], known[from][from + k], known[from + k][from + length]);
        }
    }
}

static void teardown(void)
{
    rf_sha256_free(h);
}

static const uint8_t *reference_root(size_t from, size_t to)
{
    return from == to ? rf_empty_root : known[from][to];
}

/* PATH(m, D[from:to]) of RFC 6962 section 2.1.1; returns its length. */
static size_t reference_path(uint8_t (*proof)[32], size_t m, size_t from, size_t to)
{
    if (to - from == 1)
        return 0;
    size_t k = 1;
    while (2 * k < to - from)
        k *= 2;
    bool left = m < k;
    size_t n = left ? reference_path(proof, m, from, from + k) : reference_path(proof, m - k, from + k, to);
    memcpy(proof[n], left ? reference_root(from + k, to) : reference_root(from, from + k), 32);
    return n + 1;
}

/* SUBPROOF(m, D[from:to], whole) of RFC 6962 section 2.1.2; returns its length. */
static size_t reference_subproof(uint8_t (*proof)[32], size_t m, size_t from, size_t to, bool whole)
{
    if (m == to - from) {
        if (whole)
            return 0;
        memcpy(proof[0], reference_root(from, to), 32);
        return 1;
    }
    size_t k = 1;
    while (2 * k < to - from)
        k *= 2;
    bool left = m <= k;
    size_t n = left ? reference_subproof(proof, m, from, from + k, whole)
                    : reference_subproof(proof, m - k, from + k, to, false);
    memcpy(proof[n], left ? reference_root(from + k, to) : reference_root(from, from + k), 32);
    return n + 1;
}

/* The hashes of a plan's nodes from the reference, folded. */
static void fold_plan(const rf_proof_plan *plan, uint8_t (*proof)[32])
{
    uint8_t hashes[128][32];
    for (size_t i = 0; i < plan->nodes; i++) {
        size_t from = plan->node[i].index << plan->node[i].level, to = from + ((size_t)1 << plan->node[i].level);
        memcpy(hashes[i], reference_root(from, to), 32);
    }
    rf_proof_fold(h, plan, (const uint8_t(*)[32])hashes, proof);
}

START_TEST(range_has_the_roots_of_every_size)
{
    rf_range range;
    rf_range_init(&range);
    for (size_t size = 0; size <= MAX; size++) {
        uint8_t root[32];
        rf_range_root(h, &range, root);
        ck_assert_mem_eq(root, reference_root(0, size), 32);
        rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
        size_t n = rf_range_nodes(size, nodes);
        ck_assert_uint_eq(n, (size_t)__builtin_popcountll(size));
        for (size_t i = 0, from = 0; i < n; i++) {
            size_t width = (size_t)1 << nodes[i].level;
            ck_assert_uint_eq(nodes[i].index << nodes[i].level, from);
            ck_assert_mem_eq(range.hash[i], reference_root(from, from + width), 32);
            from += width;
            ck_assert(i + 1 < n || from == size);
        }
        if (size < MAX)
            rf_range_push(h, &range, leaves[size], NULL, NULL);
    }
}
END_TEST

typedef struct seen {
    size_t n;
    uint32_t level;     /* of the last node */
    uint64_t last_leaf; /* after it */
} seen;

static void check_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    seen *s = ctx;
    size_t from = index << level, to = from + ((size_t)1 << level);
    ck_assert_mem_eq(hash, reference_root(from, to), 32);
    ck_assert_uint_eq(level, s->last_leaf == to ? s->level + 1 : 1);
    s->level = level;
    s->last_leaf = to;
    s->n++;
}

START_TEST(range_reports_every_complete_node_once)
{
    seen s = {0, 0, 0};
    rf_range range;
    rf_range_init(&range);
    for (size_t i = 0; i < 128; i++)
        rf_range_push(h, &range, leaves[i], check_node, &s);
    ck_assert_uint_eq(s.n, 127);
}
END_TEST

/* Every way to begin with whole nodes and to go on with leaves. */
START_TEST(range_takes_nodes)
{
    for (uint32_t level = 0; level <= 6; level++) {
        size_t width = (size_t)1 << level;
        for (size_t nodes = 0; nodes * width <= MAX; nodes++) {
            rf_range range;
            rf_range_init(&range);
            for (size_t i = 0; i < nodes; i++)
                rf_range_push_node(h, &range, level, reference_root(i * width, (i + 1) * width), NULL, NULL);
            for (size_t i = nodes * width; i < MAX; i++)
                rf_range_push(h, &range, leaves[i], NULL, NULL);
            uint8_t root[32];
            rf_range_root(h, &range, root);
            ck_assert_uint_eq(range.size, MAX);
            ck_assert_mem_eq(root, reference_root(0, MAX), 32);
        }
    }
}
END_TEST

START_TEST(inclusion_of_every_leaf_in_every_size)
{
    for (size_t size = 1; size <= MAX; size++) {
        for (size_t index = 0; index < size; index++) {
            uint8_t expected[PROOF_MAX][32], proof[PROOF_MAX][32];
            size_t n = reference_path(expected, index, 0, size);
            rf_proof_plan plan;
            ck_assert(rf_inclusion_plan(&plan, index, size));
            ck_assert_uint_eq(plan.items, n);
            ck_assert_uint_eq(rf_inclusion_length(index, size), n);
            fold_plan(&plan, proof);
            ck_assert(n == 0 || memcmp(proof, expected, 32 * n) == 0);
            ck_assert(rf_inclusion_check(h, index, size, leaves[index], (const uint8_t(*)[32])proof, n,
                                         reference_root(0, size)));
        }
    }
}
END_TEST

START_TEST(consistency_of_every_pair_of_sizes)
{
    for (size_t size = 1; size <= MAX; size++) {
        for (size_t old = 1; old <= size; old++) {
            uint8_t expected[PROOF_MAX][32], proof[PROOF_MAX][32];
            size_t n = reference_subproof(expected, old, 0, size, true);
            rf_proof_plan plan;
            ck_assert(rf_consistency_plan(&plan, old, size));
            ck_assert_uint_eq(plan.items, n);
            ck_assert_uint_eq(rf_consistency_length(old, size), n);
            fold_plan(&plan, proof);
            ck_assert(n == 0 || memcmp(proof, expected, 32 * n) == 0);
            ck_assert(rf_consistency_check(h, old, size, reference_root(0, old), reference_root(0, size),
                                           (const uint8_t(*)[32])proof, n));
        }
    }
}
END_TEST

typedef struct inclusion {
    uint64_t index, size;
    uint8_t leaf[32], root[32], proof[PROOF_MAX + 1][32];
    size_t n;
} inclusion;

static bool check_inclusion(const inclusion *p)
{
    return rf_inclusion_check(h, p->index, p->size, p->leaf, (const uint8_t(*)[32])p->proof, p->n, p->root);
}

static void mutate_inclusion(inclusion *p)
{
    ck_assert(check_inclusion(p));
    for (size_t i = 0; i < p->n; i++) {
        p->proof[i][i % 32] ^= 0x10;
        ck_assert(!check_inclusion(p));
        p->proof[i][i % 32] ^= 0x10;
    }
    p->root[31] ^= 1;
    ck_assert(!check_inclusion(p));
    p->root[31] ^= 1;
    p->leaf[0] ^= 1;
    ck_assert(!check_inclusion(p));
    p->leaf[0] ^= 1;
    for (size_t n = 0; n <= p->n + 1; n++) {
        inclusion longer = *p;
        longer.n = n;
        ck_assert(check_inclusion(&longer) == (n == p->n));
    }
    for (uint64_t index = 0; index <= p->size; index++) {
        inclusion other = *p;
        other.index = index;
        ck_assert(check_inclusion(&other) == (index == p->index));
    }
}

START_TEST(inclusion_mutations_are_refused)
{
    for (size_t size = 1; size <= 70; size++) {
        for (size_t index = 0; index < size; index++) {
            inclusion p = {.index = index, .size = size};
            p.n = reference_path(p.proof, index, 0, size);
            memcpy(p.leaf, leaves[index], 32);
            memcpy(p.root, reference_root(0, size), 32);
            mutate_inclusion(&p);
        }
    }
}
END_TEST

typedef struct consistency {
    uint64_t old, size;
    uint8_t old_root[32], root[32], proof[PROOF_MAX + 1][32];
    size_t n;
} consistency;

static bool check_consistency(const consistency *p)
{
    return rf_consistency_check(h, p->old, p->size, p->old_root, p->root, (const uint8_t(*)[32])p->proof, p->n);
}

static void mutate_consistency(consistency *p)
{
    ck_assert(check_consistency(p));
    for (size_t i = 0; i < p->n; i++) {
        p->proof[i][i % 32] ^= 0x10;
        ck_assert(!check_consistency(p));
        p->proof[i][i % 32] ^= 0x10;
    }
    p->root[31] ^= 1;
    ck_assert(!check_consistency(p));
    p->root[31] ^= 1;
    p->old_root[0] ^= 1;
    ck_assert(!check_consistency(p));
    p->old_root[0] ^= 1;
    for (size_t n = 0; n <= p->n + 1; n++) {
        consistency longer = *p;
        longer.n = n;
        ck_assert(check_consistency(&longer) == (n == p->n));
    }
    for (uint64_t old = 0; old <= p->size + 1; old++) {
        consistency other = *p;
        other.old = old;
        ck_assert(check_consistency(&other) == (old == p->old));
    }
}

START_TEST(consistency_mutations_are_refused)
{
    for (size_t size = 1; size <= 70; size++) {
        for (size_t old = 1; old <= size; old++) {
            consistency p = {.old = old, .size = size};
            p.n = reference_subproof(p.proof, old, 0, size, true);
            memcpy(p.old_root, reference_root(0, old), 32);
            memcpy(p.root, reference_root(0, size), 32);
            mutate_consistency(&p);
        }
    }
}
END_TEST

START_TEST(from_nothing_only_the_empty_proof)
{
    const uint8_t one[1][32] = {{0}};
    ck_assert(rf_consistency_check(h, 0, 0, rf_empty_root, rf_empty_root, NULL, 0));
    ck_assert(rf_consistency_check(h, 0, 5, rf_empty_root, reference_root(0, 5), NULL, 0));
    ck_assert(!rf_consistency_check(h, 0, 5, reference_root(0, 1), reference_root(0, 5), NULL, 0));
    ck_assert(!rf_consistency_check(h, 0, 0, rf_empty_root, reference_root(0, 1), NULL, 0));
    ck_assert(!rf_consistency_check(h, 0, 5, rf_empty_root, reference_root(0, 5), one, 1));
    ck_assert(!rf_consistency_check(h, 0, RF_TREE_MAX_SIZE + 1, rf_empty_root, reference_root(0, 5), NULL, 0));
}
END_TEST

START_TEST(numbers_without_sense_are_refused)
{
    rf_proof_plan plan;
    const struct {
        uint64_t a, size;
    } inclusions[] = {{0, 0}, {1, 1}, {5, 5}, {UINT64_MAX, 1}, {0, RF_TREE_MAX_SIZE + 1}, {0, UINT64_MAX}},
      consistencies[] = {{0, 0}, {0, 1}, {2, 1}, {1, RF_TREE_MAX_SIZE + 1}, {UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < sizeof inclusions / sizeof *inclusions; i++) {
        ck_assert(!rf_inclusion_plan(&plan, inclusions[i].a, inclusions[i].size));
        ck_assert_uint_eq(rf_inclusion_length(inclusions[i].a, inclusions[i].size), SIZE_MAX);
    }
    for (size_t i = 0; i < sizeof consistencies / sizeof *consistencies; i++) {
        ck_assert(!rf_consistency_plan(&plan, consistencies[i].a, consistencies[i].size));
        ck_assert_uint_eq(rf_consistency_length(consistencies[i].a, consistencies[i].size), SIZE_MAX);
    }
    ck_assert(!rf_inclusion_check(h, 0, 0, leaves[0], NULL, SIZE_MAX, leaves[0]));
    ck_assert(!rf_consistency_check(h, 2, 1, leaves[0], leaves[0], NULL, SIZE_MAX));
}
END_TEST

/* No tree of this size exists; plans of the largest must still fit their arrays and agree with the lengths. */
static void check_large(uint64_t a, uint64_t size)
{
    rf_proof_plan plan;
    ck_assert(rf_inclusion_plan(&plan, a, size));
    ck_assert_uint_eq(plan.items, rf_inclusion_length(a, size));
    ck_assert(plan.items <= 64 && plan.nodes <= 128);
    if (a == 0)
        return;
    ck_assert(rf_consistency_plan(&plan, a, size));
    ck_assert_uint_eq(plan.items, rf_consistency_length(a, size));
    ck_assert(plan.items <= 64 && plan.nodes <= 128);
}

START_TEST(plans_of_the_largest_trees)
{
    for (uint64_t size = RF_TREE_MAX_SIZE - 3; size <= RF_TREE_MAX_SIZE; size++) {
        for (uint32_t level = 0; level < RF_TREE_MAX_LEVEL; level++) {
            uint64_t a = UINT64_C(1) << level;
            check_large(a, size);
            check_large(a - 1, size);
            check_large(size - a, size);
            check_large(size - 1 - a / 2, size);
        }
    }
    rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
    ck_assert_uint_eq(rf_range_nodes(RF_TREE_MAX_SIZE, nodes), 1);
    ck_assert_uint_eq(rf_range_nodes(RF_TREE_MAX_SIZE - 1, nodes), RF_TREE_MAX_LEVEL);
    ck_assert_uint_eq(rf_range_nodes(RF_TREE_MAX_SIZE + 1, nodes), 0);
}
END_TEST

/* A short leaf is hashed from a copy, a long one is not. */
START_TEST(leaves_of_every_length)
{
    uint8_t bytes[1100] = {0}, out[32], expected[32];
    for (size_t length = 0; length < sizeof bytes; length++) {
        rf_leaf_hash(h, out, bytes + 1, length);
        rf_sha256_of(h, expected, bytes, length + 1); /* bytes[0] is the prefix 0x00 */
        ck_assert_mem_eq(out, expected, 32);
    }
    rf_leaf_hash(h, out, NULL, 0);
    rf_sha256_of(h, expected, bytes, 1);
    ck_assert_mem_eq(out, expected, 32);
}
END_TEST

static size_t read_hashes(const json_t *vector, const char *member, uint8_t (*out)[32])
{
    const json_t *list = json_object_get(vector, member), *hash;
    ck_assert(json_is_array(list) && json_array_size(list) <= PROOF_MAX);
    size_t i;
    json_array_foreach(list, i, hash) ck_assert_uint_eq(vector_unhex(json_string_value(hash), out[i], 32), 32);
    return i;
}

static bool check_root_vector(const json_t *vector)
{
    uint8_t expected[32], root[32], leaf[64], hash[32];
    vector_hex(vector, "root", expected, 32);
    const json_t *hex;
    size_t i;
    rf_range range;
    rf_range_init(&range);
    json_array_foreach(json_object_get(vector, "leaves"), i, hex)
    {
        rf_leaf_hash(h, hash, leaf, vector_unhex(json_string_value(hex), leaf, sizeof leaf));
        rf_range_push(h, &range, hash, NULL, NULL);
    }
    rf_range_root(h, &range, root);
    return memcmp(root, expected, 32) == 0;
}

static bool check_vector(const json_t *vector)
{
    uint8_t proof[PROOF_MAX][32], first[32], root[32];
    if (vector_is(vector, "root"))
        return check_root_vector(vector);
    size_t n = read_hashes(vector, "proof", proof);
    uint64_t size = (uint64_t)vector_int(vector, "size");
    vector_hex(vector, "root", root, 32);
    if (vector_is(vector, "inclusion")) {
        vector_hex(vector, "leaf_hash", first, 32);
        return rf_inclusion_check(h, (uint64_t)vector_int(vector, "index"), size, first, (const uint8_t(*)[32])proof, n,
                                  root);
    }
    ck_assert(vector_is(vector, "consistency"));
    vector_hex(vector, "old_root", first, 32);
    return rf_consistency_check(h, (uint64_t)vector_int(vector, "old_size"), size, first, root,
                                (const uint8_t(*)[32])proof, n);
}

START_TEST(merkle_vectors)
{
    json_t *file = vectors_load("merkle"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
        ck_assert_msg(check_vector(vector) == vector_valid(vector), "%s", vector_name(vector));
    ck_assert_uint_ge(i, 135);
    json_decref(file);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, range_has_the_roots_of_every_size);
    tcase_add_test(tests, range_reports_every_complete_node_once);
    tcase_add_test(tests, range_takes_nodes);
    tcase_add_test(tests, inclusion_of_every_leaf_in_every_size);
    tcase_add_test(tests, consistency_of_every_pair_of_sizes);
    tcase_add_test(tests, inclusion_mutations_are_refused);
    tcase_add_test(tests, consistency_mutations_are_refused);
    tcase_add_test(tests, from_nothing_only_the_empty_proof);
    tcase_add_test(tests, numbers_without_sense_are_refused);
    tcase_add_test(tests, plans_of_the_largest_trees);
    tcase_add_test(tests, leaves_of_every_length);
    tcase_add_test(tests, merkle_vectors);
}

int main(void)
{
    return run_tests("merkle", add);
}
