/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges, roots and proofs from a store, against the recursion of RFC 6962 section 2.1; nodes and records that are lost. */
#include "tree.h"

#include "error.h"
#include "memory_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORDS = 1100,
    SIZES = 600,
    /* logs with the same records, and */
    WITH_NODES = 1,
    WITHOUT_NODES = 2,
    WITH_LOWEST = 3, /* the nodes of the kept level alone */
    WITH_WRONG = 4   /* those, and none of them right */
};

static raffle_store_table inner; /* the memory store's own functions */
static uint64_t read_count;      /* records that were read */
static uint64_t lost;            /* reading stops before this record */
static raffle_rc node_rc;        /* what reading a node fails with, or RAFFLE_OK */
static raffle_store *store;
static rf_sha256 *hash;
static uint8_t leaves[RECORDS][32];
static raffle_error err;

/* --- a memory store that counts, loses and fails --- */

typedef struct counter {
    raffle_store_sink_record sink;
    void *ctx;
} counter;

static raffle_rc count_record(void *ctx, const raffle_record *record, raffle_error *error)
{
    const counter *c = ctx;
    read_count++;
    return c->sink(c->ctx, record, error);
}

static raffle_rc counting_read(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                               void *sink_ctx, raffle_error *error)
{
    counter c = {sink, sink_ctx};
    if (from >= lost)
        return RAFFLE_OK;
    if (count > lost - from)
        count = lost - from;
    return inner.read(ctx, log, from, count, count_record, &c, error);
}

static raffle_rc failing_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t out[32],
                              raffle_error *error)
{
    if (node_rc != RAFFLE_OK)
        return rf_fail(error, node_rc, "nodes cannot be read");
    return inner.node(ctx, log, level, index, out, error);
}

/* --- filling it --- */

static size_t leaf_of(uint64_t index, char leaf[64])
{
    return (size_t)snprintf(leaf, 64, "{\"i\":%llu}", (unsigned long long)index);
}

typedef struct filler {
    uint32_t log;
    const raffle_store_batch *batch;
    raffle_error *err;
    raffle_rc rc;
} filler;

static void put_node(void *ctx, uint32_t level, uint64_t index, const uint8_t node[32])
{
    filler *f = ctx;
    uint8_t wrong[32] = {0};
    const bool wanted = f->log == WITH_NODES || (f->log != WITHOUT_NODES && level == RF_TREE_KEPT_LEVEL);
    if (f->rc == RAFFLE_OK && level >= RF_TREE_KEPT_LEVEL && wanted)
        f->rc = f->batch->node(f->batch->ctx, level, index, f->log == WITH_WRONG ? wrong : node, f->err);
}

static raffle_rc fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *error)
{
    filler *f = ctx;
    rf_range range;
    f->batch = batch;
    f->err = error;
    f->rc = RAFFLE_OK;
    rf_range_init(&range);
    for (uint64_t i = head->size; f->rc == RAFFLE_OK && i < RECORDS; i++) {
        char leaf[64];
        const raffle_record record = {
            .struct_size = sizeof record, .leaf = leaf, .leaf_length = (uint32_t)leaf_of(i, leaf), .index = i};
        f->rc = batch->records(batch->ctx, &record, 1, error);
        rf_range_push(hash, &range, leaves[i], put_node, f);
    }
    return f->rc;
}

static void set_up(void)
{
    raffle_store_table table;
    raffle_error_init(&err, sizeof err);
    hash = rf_sha256_new();
    for (uint64_t i = 0; i < RECORDS; i++) {
        char leaf[64];
        rf_leaf_hash(hash, leaves[i], leaf, leaf_of(i, leaf));
    }
    memory_store_table(&table);
    inner = table;
    table.read = counting_read;
    table.node = failing_node;
    lost = UINT64_MAX;
    node_rc = RAFFLE_OK;
    ck_assert_int_eq(raffle_store_new(&table, memory_store_new(), &store, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_create(store, "raffle.example/tree", &err), RAFFLE_OK);
    for (uint32_t log = WITH_NODES; log <= WITH_WRONG; log++) {
        filler f = {.log = log};
        raffle_rc rc = rf_store_append(store, log, fill, &f, -1, &err);
        ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    }
    read_count = 0;
}

static void tear_down(void)
{
    raffle_store_free(store);
    rf_sha256_free(hash);
}

static rf_tree tree_of(uint32_t log)
{
    return (rf_tree){.store = store, .hash = hash, .log = log};
}

/* --- the oracle: MTH of RFC 6962 section 2.1, word for word --- */

static void naive_root(uint64_t from, uint64_t size, uint8_t out[32])
{
    uint8_t left[32], right[32];
    uint64_t k = 1;
    if (size == 0) {
        rf_sha256_of(hash, out, "", 0);
        return;
    }
    if (size == 1) {
        memcpy(out, leaves[from], 32);
        return;
    }
    while (2 * k < size)
        k *= 2;
    naive_root(from, k, left);
    naive_root(from + k, size - k, right);
    rf_node_hash(hash, out, left, right);
}

static void check_size(uint32_t log, uint64_t size)
{
    const rf_tree t = tree_of(log);
    uint8_t root[32], want[32], folded[32];
    rf_range range;
    naive_root(0, size, want);
    ck_assert_int_eq(rf_tree_root(&t, size, root, &err), RAFFLE_OK);
    ck_assert_mem_eq(root, want, 32);
    ck_assert_int_eq(rf_tree_range(&t, size, &range, &err), RAFFLE_OK);
    ck_assert_uint_eq(range.size, size);
    rf_range_root(hash, &range, folded);
    ck_assert_mem_eq(folded, want, 32);
    rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
    size_t n = rf_range_nodes(size, nodes);
    for (size_t i = 0; i < n; i++) {
        naive_root(nodes[i].index << nodes[i].level, UINT64_C(1) << nodes[i].level, want);
        ck_assert_mem_eq(range.hash[i], want, 32);
    }
}

START_TEST(roots_and_ranges_of_all_sizes)
{
    for (uint64_t size = 0; size <= SIZES; size++)
        check_size((uint32_t)_i, size);
    for (uint64_t size = 1020; size <= RECORDS; size += 4)
        check_size((uint32_t)_i, size);
}
END_TEST

/* A range goes on from where it is, as a log does that opens and appends. */
START_TEST(ranges_can_be_continued)
{
    const rf_tree t = tree_of(WITH_NODES);
    for (uint64_t size = 0; size < SIZES; size += 37) {
        rf_range range;
        uint8_t root[32], want[32];
        ck_assert_int_eq(rf_tree_range(&t, size, &range, &err), RAFFLE_OK);
        for (uint64_t i = size; i < SIZES; i++)
            rf_range_push(hash, &range, leaves[i], NULL, NULL);
        rf_range_root(hash, &range, root);
        naive_root(0, SIZES, want);
        ck_assert_mem_eq(root, want, 32);
    }
}
END_TEST

START_TEST(nodes_of_all_levels)
{
    const rf_tree t = tree_of((uint32_t)_i);
    for (uint32_t level = 0; level <= 10; level++)
        for (uint64_t index = 0; (index + 1) << level <= RECORDS; index += level < 6 ? 1 + (40U >> level) : 1) {
            uint8_t node[32], want[32];
            ck_assert_int_eq(rf_tree_node(&t, level, index, node, &err), RAFFLE_OK);
            naive_root(index << level, UINT64_C(1) << level, want);
            ck_assert_mem_eq(node, want, 32);
        }
}
END_TEST

/* What is kept is not computed. */
START_TEST(kept_nodes_are_read)
{
    const rf_tree kept = tree_of(WITH_NODES), none = tree_of(WITHOUT_NODES), wrong = tree_of(WITH_WRONG);
    uint8_t root[32], want[32];
    ck_assert_int_eq(rf_tree_root(&kept, 1024, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(read_count, 0);
    ck_assert_int_eq(rf_tree_root(&kept, 1024 + 3, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(read_count, 3);
    read_count = 0;
    ck_assert_int_eq(rf_tree_root(&none, 1024, root, &err), RAFFLE_OK);
    ck_assert_uint_eq(read_count, 1024);
    naive_root(0, 256, want);
    ck_assert_int_eq(rf_tree_root(&wrong, 256, root, &err), RAFFLE_OK);
    ck_assert_mem_ne(root, want, 32);
}
END_TEST

/* --- proofs --- */

static void check_inclusion(uint32_t log, uint64_t index, uint64_t size, const uint8_t root[32])
{
    const rf_tree t = tree_of(log);
    uint8_t proof[64][32];
    size_t n = SIZE_MAX;
    ck_assert_int_eq(rf_tree_inclusion(&t, index, size, proof, &n, &err), RAFFLE_OK);
    ck_assert_uint_eq(n, rf_inclusion_length(index, size));
    ck_assert(rf_inclusion_check(hash, index, size, leaves[index], (const uint8_t(*)[32])proof, n, root));
    if (n == 0)
        return;
    proof[(index + size) % n][size % 32] ^= 1;
    ck_assert(!rf_inclusion_check(hash, index, size, leaves[index], (const uint8_t(*)[32])proof, n, root));
}

static void check_consistency(uint32_t log, uint64_t old_size, uint64_t size, const uint8_t root[32])
{
    const rf_tree t = tree_of(log);
    uint8_t proof[64][32], old_root[32];
    size_t n = SIZE_MAX;
    naive_root(0, old_size, old_root);
    ck_assert_int_eq(rf_tree_consistency(&t, old_size, size, proof, &n, &err), RAFFLE_OK);
    ck_assert_uint_eq(n, old_size == 0 ? 0 : rf_consistency_length(old_size, size));
    ck_assert(rf_consistency_check(hash, old_size, size, old_root, root, (const uint8_t(*)[32])proof, n));
    if (n == 0)
        return;
    proof[(old_size + size) % n][size % 32] ^= 1;
    ck_assert(!rf_consistency_check(hash, old_size, size, old_root, root, (const uint8_t(*)[32])proof, n));
}

static void check_proofs(uint32_t log, uint64_t size, uint64_t step)
{
    uint8_t root[32];
    naive_root(0, size, root);
    for (uint64_t i = size % step; i < size; i += step)
        check_inclusion(log, i, size, root);
    for (uint64_t i = 0; i <= size; i += step)
        check_consistency(log, i, size, root);
    if (size > 0)
        check_inclusion(log, size - 1, size, root);
    check_consistency(log, size, size, root);
}

START_TEST(proofs_of_small_trees)
{
    for (uint64_t size = 0; size <= 40; size++)
        check_proofs((uint32_t)_i, size, 1);
}
END_TEST

START_TEST(proofs_of_larger_trees)
{
    static const uint64_t sizes[] = {127, 128, 255, 256, 257, 300, 511, 512, 513, 600, 767, 768, 769, 1023, 1024, 1025};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_proofs((uint32_t)_i, sizes[i], 29);
    check_proofs((uint32_t)_i, RECORDS, 13);
}
END_TEST

START_TEST(numbers_that_make_no_sense)
{
    const rf_tree t = tree_of(WITH_NODES);
    uint8_t proof[64][32];
    size_t n = 0;
    rf_range range;
    ck_assert_int_eq(rf_tree_inclusion(&t, 0, 0, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_inclusion(&t, 600, 600, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_inclusion(&t, UINT64_MAX, 600, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_inclusion(&t, 0, RF_TREE_MAX_SIZE + 1, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_consistency(&t, 601, 600, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_consistency(&t, 0, RF_TREE_MAX_SIZE + 1, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_consistency(&t, 1, UINT64_MAX, proof, &n, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_tree_range(&t, RF_TREE_MAX_SIZE + 1, &range, &err), RAFFLE_CORRUPT);
    ck_assert_str_ne(err.message, "");
}
END_TEST

/* --- what is lost --- */

START_TEST(a_missing_record_is_corrupt)
{
    const rf_tree kept = tree_of(WITH_NODES), none = tree_of(WITHOUT_NODES);
    uint8_t root[32], proof[64][32];
    size_t n = 0;
    lost = 500;
    ck_assert_int_eq(rf_tree_root(&none, 500, root, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_tree_root(&none, 501, root, &err), RAFFLE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "record 500"));
    ck_assert_int_eq(rf_tree_root(&none, 600, root, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_tree_node(&none, 0, 500, root, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_tree_node(&none, 9, 0, root, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_tree_node(&kept, 9, 0, root, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_tree_inclusion(&kept, 501, 512, proof, &n, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_tree_consistency(&kept, 500, 512, proof, &n, &err), RAFFLE_CORRUPT);
}
END_TEST

START_TEST(beyond_the_end_is_corrupt)
{
    const rf_tree t = tree_of(WITH_NODES);
    uint8_t root[32];
    ck_assert_int_eq(rf_tree_root(&t, RECORDS, root, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_tree_root(&t, RECORDS + 1, root, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_tree_root(&t, 2048, root, &err), RAFFLE_CORRUPT);
}
END_TEST

/* A node that cannot be read is no node that is lost. */
START_TEST(a_failing_store_is_handed_on)
{
    const rf_tree t = tree_of(WITH_NODES);
    uint8_t root[32];
    node_rc = RAFFLE_IO;
    ck_assert_int_eq(rf_tree_root(&t, 512, root, &err), RAFFLE_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "nodes cannot be read"));
    ck_assert_uint_eq(read_count, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("journal_tree");
    TCase *c = tcase_create("tree");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 120);
    const TTest *const each_log[] = {roots_and_ranges_of_all_sizes, nodes_of_all_levels, proofs_of_small_trees,
                                     proofs_of_larger_trees};
    const TTest *const tests[] = {ranges_can_be_continued,     kept_nodes_are_read,       numbers_that_make_no_sense,
                                  a_missing_record_is_corrupt, beyond_the_end_is_corrupt, a_failing_store_is_handed_on};
    for (size_t i = 0; i < sizeof each_log / sizeof *each_log; i++)
        tcase_add_loop_test(c, each_log[i], WITH_NODES, WITH_LOWEST + 1);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
