/* SPDX-License-Identifier: Apache-2.0 */
/* One alteration of a unit's log each, made in the store's file: the audit must expose it, at the right place. */
#include "audit_raffle.h"

enum {
    SINGLE = 4,     /* a single sale: tier "one", 1 number, 500 */
    WHOLE_END = 706 /* records of unit 1: start, sales, three voids, an event, the close */
};

/* --- a byte of a sale, and what depends on it --- */

static void expect_tree_broken(void)
{
    ar_expect_integrity(1, 0, "node");
    ar_expect_integrity(1, WHOLE_END, "checkpoint");
    ar_expect_integrity(0, ar_find(0, "seal.unit", 0), "seal");
}

START_TEST(price)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"price\":500", "\"price\":501");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(count)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"count\":1", "\"count\":2");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(tier)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"tier\":\"one\"", "\"tier\":\"onf\"");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(whole_other_tier)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"count\":1", "\"count\":10");
    ar_leaf(1, SINGLE, "\"price\":500", "\"price\":2000");
    ar_leaf(1, SINGLE, "\"tier\":\"one\"", "\"tier\":\"ten\"");
    ar_expect_integrity(1, SINGLE + 1, "fold"); /* its first number is no longer the next */
    expect_tree_broken();
}
END_TEST

START_TEST(number)
{
    char n[32];
    ar_use("good");
    ar_text(n, sizeof n, "SELECT '\"n\":' || json_extract(leaf, '$.n') FROM record WHERE id = %lld", ar_id(1, SINGLE));
    ar_leaf(1, SINGLE, n, "\"n\":900");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(earlier)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "{\"at\":\"20", "{\"at\":\"19");
    ar_expect_integrity(1, SINGLE, "not-canonical"); /* before 1970 no time is written */
    expect_tree_broken();
}
END_TEST

START_TEST(earlier_by_years)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "{\"at\":\"202", "{\"at\":\"201");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(later)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "{\"at\":\"202", "{\"at\":\"209");
    ar_expect_integrity(1, SINGLE + 1, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(role)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"by\":\"seller\"", "\"by\":\"auditor\"");
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(another_role_that_may)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"by\":\"seller\"", "\"by\":\"manager\"");
    expect_tree_broken(); /* nothing else tells */
}
END_TEST

START_TEST(hash_of_the_private_part)
{
    char p[80], other[80];
    ar_use("good");
    ar_text(p, sizeof p, "SELECT '\"p\":\"' || json_extract(leaf, '$.p') FROM record WHERE id = %lld",
            ar_id(1, SINGLE));
    memcpy(other, p, sizeof other);
    other[10] = p[10] == '0' ? '1' : '0';
    ar_leaf(1, SINGLE, p, other);
    ar_expect_integrity(1, SINGLE, "private");
    expect_tree_broken();
}
END_TEST

START_TEST(upper_case_hex)
{
    ar_use("good");
    ar_sql(1,
           "UPDATE record SET leaf = replace(leaf, json_extract(leaf, '$.p'), upper(json_extract(leaf, '$.p'))) WHERE "
           "id = %lld",
           ar_id(1, SINGLE));
    ar_expect_integrity(1, SINGLE, "not-canonical");
    expect_tree_broken();
}
END_TEST

START_TEST(white_space)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"t\":\"sale\"", "\"t\": \"sale\"");
    ar_expect_integrity(1, SINGLE, "not-canonical");
}
END_TEST

START_TEST(leading_zero)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"price\":500", "\"price\":0500");
    ar_expect_integrity(1, SINGLE, "not-canonical");
}
END_TEST

START_TEST(escape_that_need_not_be)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"tier\":\"one\"", "\"tier\":\"\\u006fne\"");
    ar_expect_integrity(1, SINGLE, "not-canonical");
}
END_TEST

START_TEST(unknown_member)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"t\":\"sale\"", "\"sold\":1,\"t\":\"sale\"");
    ar_expect_integrity(1, SINGLE, "not-canonical");
}
END_TEST

START_TEST(no_record_at_all)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET leaf = 'x' WHERE id = %lld", ar_id(1, SINGLE));
    ar_expect_integrity(1, SINGLE, "not-canonical");
}
END_TEST

START_TEST(one_damaged_record_hides_no_other)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET leaf = 'x' WHERE id = %lld", ar_id(1, SINGLE));
    ar_leaf(1, 301, "\"price\":", "\"price\":1");
    ar_leaf(2, SINGLE, "\"price\":", "\"price\":1");
    ar_expect_integrity(1, SINGLE, "not-canonical");
    ar_expect_integrity(1, 301, "fold");
    ar_expect_integrity(2, SINGLE, "fold");
    ar_expect_integrity(1, 256, "node");
}
END_TEST

/* --- whole records --- */

START_TEST(swapped)
{
    ar_use("good");
    ar_sql(3,
           "UPDATE record SET id = -1 WHERE id = %lld; UPDATE record SET id = %lld WHERE id = %lld; UPDATE record SET "
           "id = %lld WHERE id = -1",
           ar_id(1, SINGLE), ar_id(1, SINGLE), ar_id(1, SINGLE + 1), ar_id(1, SINGLE + 1));
    ar_expect_integrity(1, SINGLE, "fold");
    expect_tree_broken();
}
END_TEST

START_TEST(last_removed)
{
    ar_use("good");
    ar_sql(2, "DELETE FROM record WHERE id = %lld; UPDATE log SET size = size - 1 WHERE log = 1",
           ar_id(1, WHOLE_END - 1));
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-seal");
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-note");
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-anchor");
}
END_TEST

START_TEST(last_row_removed)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM record WHERE id = %lld", ar_id(1, WHOLE_END - 1));
    ar_expect_incomplete(1, WHOLE_END - 1, "missing");
}
END_TEST

START_TEST(hidden_row)
{
    ar_use("good");
    ar_sql(1, "UPDATE log SET size = size - 1 WHERE log = 1");
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-seal");
    ar_expect_integrity(1, WHOLE_END - 1, "store");
}
END_TEST

START_TEST(middle_removed)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM record WHERE id = %lld", ar_id(1, 300));
    ar_expect_incomplete(1, 300, "missing");
    ar_expect_integrity(1, 256, "node");
}
END_TEST

START_TEST(middle_removed_and_closed_up)
{
    ar_use("good");
    ar_sql(1 + WHOLE_END - 301 + 1,
           "DELETE FROM record WHERE id = %lld;"
           "UPDATE record SET id = -id WHERE id > %lld AND id < %lld; UPDATE log SET size = size - 1 WHERE log = 1",
           ar_id(1, 300), ar_id(1, 300), ar_id(2, 0));
    ar_sql(WHOLE_END - 301, "UPDATE record SET id = -id - 1 WHERE id < 0");
    ar_expect_integrity(1, 300, "fold");
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-note");
}
END_TEST

START_TEST(record_added)
{
    ar_use("good");
    ar_sql(2,
           "INSERT INTO record SELECT %lld, leaf, private FROM record WHERE id = %lld; UPDATE log SET size = size + 1 "
           "WHERE log = 1",
           ar_id(1, WHOLE_END), ar_id(1, SINGLE));
    ar_expect_integrity(1, WHOLE_END, "after-seal");
    ar_expect_integrity(1, WHOLE_END, "fold");
    ar_expect_integrity(1, WHOLE_END, "order-twice");
}
END_TEST

START_TEST(whole_log_removed)
{
    ar_use("good");
    ar_sql(AR_FEW + 2 + 1, "DELETE FROM record WHERE id >= %lld AND id < %lld; UPDATE log SET size = 0 WHERE log = 2",
           ar_id(2, 0), ar_id(3, 0));
    ar_expect_incomplete(2, 0, "behind-seal");
    ar_expect_incomplete(2, 0, "behind-note");
}
END_TEST

START_TEST(size_beyond_everything)
{
    ar_use("good");
    ar_sql(1, "UPDATE log SET size = 1099511627776 WHERE log = 1");
    ar_expect_incomplete(1, WHOLE_END, "missing");
}
END_TEST

START_TEST(unit_that_was_never_enrolled)
{
    ar_use("good");
    ar_sql(3,
           "DELETE FROM log WHERE log = 4; INSERT INTO log VALUES (4, 2, NULL);"
           "INSERT INTO record SELECT id + (2 << 40), leaf, private FROM record WHERE id IN (%lld, %lld)",
           ar_id(2, 0), ar_id(2, 1));
    ar_expect_integrity(4, 0, "not-enrolled");
    ar_expect_integrity(4, 0, "fold");
    ar_expect_integrity(4, 1, "order-twice");
}
END_TEST

START_TEST(start_of_another_unit)
{
    ar_use("good");
    ar_leaf(1, 0, "\"unit\":1", "\"unit\":2");
    ar_expect_integrity(1, 0, "fold");
}
END_TEST

START_TEST(totals_of_the_close)
{
    ar_use("good");
    ar_leaf(1, WHOLE_END - 1, "\"voids\":3", "\"voids\":2");
    ar_expect_integrity(1, WHOLE_END - 1, "fold");
}
END_TEST

/* --- private parts and orders --- */

START_TEST(private_part_changed)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET private = replace(private, 'ann', 'amn') WHERE id = %lld", ar_id(1, SINGLE));
    ar_expect_integrity(1, SINGLE, "private");
}
END_TEST

START_TEST(private_part_not_canonical)
{
    ar_use("good");
    ar_private(1, SINGLE,
               "{\"actor\":\"ann\", "
               "\"line\":0,\"lines\":1,\"order\":\"order-1-00003\",\"salt\":\"00000000000000000000000000000000\"}");
    ar_expect_integrity(1, SINGLE, "private");
}
END_TEST

START_TEST(private_part_of_a_void)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET private = replace(private, 'sue', 'sub') WHERE id = %lld", ar_id(1, AR_VOID_FIRST));
    ar_expect_integrity(1, AR_VOID_FIRST, "private");
}
END_TEST

START_TEST(private_part_without_its_order)
{
    ar_use("good");
    ar_private(1, SINGLE, "{\"actor\":\"ann\",\"salt\":\"00000000000000000000000000000000\"}");
    ar_expect_integrity(1, SINGLE, "private");
}
END_TEST

START_TEST(erased_private_parts_are_counted)
{
    raffle_verdict v;
    ar_use("good");
    ar_sql(5, "UPDATE record SET private = NULL WHERE id IN (%lld, %lld, %lld, %lld, %lld)", ar_id(1, SINGLE),
           ar_id(1, 502), ar_id(1, 503), ar_id(1, 506), ar_id(0, 0));
    raffle_audit *audit = ar_audit(1, &v);
    ck_assert_int_eq(v.passed, 1);
    ck_assert_uint_eq(v.private_missing, 6);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(order_twice_in_one_unit)
{
    ar_use("good");
    ar_private(1, 60,
               "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"order-1-00003\",\"salt\":"
               "\"00000000000000000000000000000000\"}");
    ar_expect_integrity(1, 60, "order-twice");
}
END_TEST

START_TEST(order_twice_in_two_units)
{
    ar_use("good");
    ar_private(2, 7,
               "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"order-1-00003\",\"salt\":"
               "\"00000000000000000000000000000000\"}");
    ar_expect_integrity(2, 7, "order-twice");
}
END_TEST

START_TEST(order_with_a_line_too_few)
{
    ar_use("good");
    ar_private(1, 505,
               "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"another\",\"salt\":"
               "\"00000000000000000000000000000000\"}");
    ar_expect_integrity(1, 505, "order-lines");
}
END_TEST

START_TEST(order_that_does_not_begin)
{
    ar_use("good");
    ar_private(1, SINGLE,
               "{\"actor\":\"ann\",\"line\":1,\"lines\":2,\"order\":\"another\",\"salt\":"
               "\"00000000000000000000000000000000\"}");
    ar_expect_integrity(1, SINGLE, "order-lines");
}
END_TEST

START_TEST(order_that_the_log_cuts_off)
{
    ar_use("good");
    ar_private(1, 700,
               "{\"actor\":\"ann\",\"line\":0,\"lines\":2,\"order\":\"another\",\"salt\":"
               "\"00000000000000000000000000000000\"}");
    ar_expect_incomplete(1, 701, "order-lines");
}
END_TEST

/* --- voids --- */

START_TEST(void_twice)
{
    ar_use("good");
    ar_leaf(1, AR_VOID_FIRST + 1, "\"serial\":20", "\"serial\":10");
    ar_expect_integrity(1, AR_VOID_FIRST + 1, "void-twice");
    ar_expect_integrity(1, AR_VOID_FIRST + 1, "key-extra");
}
END_TEST

START_TEST(void_twice_in_both_logs)
{
    ar_use("good");
    ar_leaf(0, ar_find(0, "void", 0), "\"serial\":5", "\"serial\":10");
    ar_leaf(0, ar_find(0, "void", 0), "\"unit\":2", "\"unit\":1");
    ar_expect_integrity(0, ar_find(0, "void", 0), "void-twice");
}
END_TEST

START_TEST(void_of_another_price)
{
    ar_use("good");
    ar_leaf(1, AR_VOID_FIRST, "\"price\":500", "\"price\":499");
    ar_expect_integrity(1, AR_VOID_FIRST, "void");
    ar_expect_integrity(0, ar_find(0, "seal.unit", 0), "seal");
}
END_TEST

START_TEST(void_of_no_ticket)
{
    ar_use("good");
    ar_leaf(1, AR_VOID_FIRST + 1, "\"serial\":20", "\"serial\":701");
    ar_expect_integrity(1, AR_VOID_FIRST + 1, "void");
}
END_TEST

START_TEST(control_void_of_no_ticket)
{
    ar_use("good");
    ar_leaf(0, ar_find(0, "void", 0), "\"serial\":5", "\"serial\":5000");
    ar_expect_integrity(0, ar_find(0, "void", 0), "void");
}
END_TEST

START_TEST(void_of_another_ticket)
{
    ar_use("good");
    ar_leaf(1, AR_VOID_FIRST, "\"serial\":10", "\"serial\":13");
    ar_expect_integrity(1, AR_VOID_FIRST, "key-missing");
    ar_expect_integrity(0, ar_find(0, "seal.unit", 0), "seal"); /* void_root */
}
END_TEST

/* --- keys, nodes, notes, anchors --- */

START_TEST(void_key_deleted)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM key WHERE key = x'0200010000000014'");
    ar_expect_integrity(1, AR_VOID_FIRST + 1, "key-missing");
}
END_TEST

START_TEST(void_key_of_another_record)
{
    ar_use("good");
    ar_sql(1, "UPDATE key SET id = %lld WHERE key = x'0200010000000014'", ar_id(1, 3));
    ar_expect_integrity(1, AR_VOID_FIRST + 1, "key-wrong");
}
END_TEST

START_TEST(void_key_added)
{
    ar_use("good");
    ar_sql(1, "INSERT INTO key VALUES (x'0200010000000002', %lld)", ar_id(1, 2));
    ar_expect_integrity(1, 2, "key-extra");
}
END_TEST

START_TEST(event_key_deleted)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM key WHERE key = (SELECT min(key) FROM key WHERE key > x'03000165')");
    ar_expect_integrity(1, AR_VOID_FIRST + 3, "key-missing");
}
END_TEST

START_TEST(wrong_node)
{
    ar_use("good");
    ar_sql(1, "UPDATE node SET hash = zeroblob(32) WHERE id = (1 << 38) + (8 << 32) + 1");
    ar_expect_integrity(1, 256, "node");
}
END_TEST

START_TEST(wrong_node_above)
{
    ar_use("good");
    ar_sql(1, "UPDATE node SET hash = zeroblob(32) WHERE id = (1 << 38) + (9 << 32)");
    ar_expect_integrity(1, 0, "node");
}
END_TEST

START_TEST(malformed_node)
{
    ar_use("good");
    ar_sql(1, "UPDATE node SET hash = zeroblob(31) WHERE id = (1 << 38) + (8 << 32)");
    ar_expect_integrity(1, 0, "node");
}
END_TEST

START_TEST(missing_nodes_are_no_fault)
{
    raffle_verdict v;
    ar_use("good");
    ar_sql((int)ar_number("SELECT count(*) FROM node"), "DELETE FROM node WHERE 1");
    raffle_audit *audit = ar_audit(1, &v);
    ck_assert_int_eq(v.passed, 1);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(changed_signature)
{
    ar_use("good");
    ar_sql(1, "UPDATE note SET note = substr(note, 1, length(note) - 20) || CASE substr(note, length(note) - 19, 1) "
              "WHEN 'A' THEN 'B' ELSE 'A' END || substr(note, length(note) - 18) "
              "WHERE log = 2 AND size > 0");
    ar_expect_integrity(2, AR_FEW + 2, "checkpoint");
}
END_TEST

START_TEST(note_of_another_log)
{
    ar_use("good");
    ar_sql(1, "UPDATE note SET note = (SELECT note FROM note WHERE log = 1 AND size = %d) WHERE log = 2 AND size > 0",
           WHOLE_END);
    ar_expect_integrity(2, AR_FEW + 2, "checkpoint");
}
END_TEST

START_TEST(note_of_another_size)
{
    ar_use("good");
    ar_sql(1, "UPDATE note SET size = 23 WHERE log = 2 AND size > 0");
    ar_expect_integrity(2, 23, "checkpoint");
    ar_expect_incomplete(2, AR_FEW + 2, "behind-note");
}
END_TEST

START_TEST(older_copy_against_the_anchor)
{
    char from[400], to[200];
    ar_use("old");
    snprintf(from, sizeof from, "cp '%s/good-anchor' '%s-anchor'", ar_folder, ar_path);
    ck_assert_int_eq(system(from), 0);
    snprintf(to, sizeof to, "%s-anchor", ar_path);
    ck_assert_int_eq(access(to, F_OK), 0);
    ar_expect_incomplete(1, WHOLE_END - 1, "behind-anchor");
    ar_expect_incomplete(0, ar_number("SELECT size FROM log WHERE log = 0"), "behind-anchor");
    ar_expect_incomplete(2, 0, "behind-anchor");
}
END_TEST

/* The same size, with another history: nothing in the store tells. */
START_TEST(other_history_than_the_anchor)
{
    ar_use("good");
    ar_leaf(1, SINGLE, "\"by\":\"seller\"", "\"by\":\"manager\"");
    ar_sql((int)ar_number("SELECT count(*) FROM note"), "DELETE FROM note");
    ar_sql((int)ar_number("SELECT count(*) FROM node"), "DELETE FROM node WHERE 1");
    ar_expect_integrity(1, WHOLE_END, "anchor");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {price,
                                  count,
                                  tier,
                                  whole_other_tier,
                                  number,
                                  earlier,
                                  earlier_by_years,
                                  later,
                                  role,
                                  another_role_that_may,
                                  hash_of_the_private_part,
                                  upper_case_hex,
                                  white_space,
                                  leading_zero,
                                  escape_that_need_not_be,
                                  unknown_member,
                                  no_record_at_all,
                                  one_damaged_record_hides_no_other,
                                  swapped,
                                  last_removed,
                                  last_row_removed,
                                  hidden_row,
                                  middle_removed,
                                  middle_removed_and_closed_up,
                                  record_added,
                                  whole_log_removed,
                                  size_beyond_everything,
                                  unit_that_was_never_enrolled,
                                  start_of_another_unit,
                                  totals_of_the_close,
                                  private_part_changed,
                                  private_part_not_canonical,
                                  private_part_of_a_void,
                                  private_part_without_its_order,
                                  erased_private_parts_are_counted,
                                  order_twice_in_one_unit,
                                  order_twice_in_two_units,
                                  order_with_a_line_too_few,
                                  order_that_does_not_begin,
                                  order_that_the_log_cuts_off,
                                  void_twice,
                                  void_twice_in_both_logs,
                                  void_of_another_price,
                                  void_of_no_ticket,
                                  control_void_of_no_ticket,
                                  void_of_another_ticket,
                                  void_key_deleted,
                                  void_key_of_another_record,
                                  void_key_added,
                                  event_key_deleted,
                                  wrong_node,
                                  wrong_node_above,
                                  malformed_node,
                                  missing_nodes_are_no_fault,
                                  changed_signature,
                                  note_of_another_log,
                                  note_of_another_size,
                                  older_copy_against_the_anchor,
                                  other_history_than_the_anchor};
    return ar_main("audit_check_unit", tests, sizeof tests / sizeof *tests);
}
