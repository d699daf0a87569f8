/* SPDX-License-Identifier: Apache-2.0 */
/* One alteration of the control log each, made in the store's file: the audit must expose it, at the right place. */
#include "audit_raffle.h"

static uint64_t control_size(void)
{
    return ar_number("SELECT size FROM log WHERE log = 0");
}

/* --- rules, units --- */

START_TEST(rules_changed)
{
    ar_use("good");
    ar_leaf(0, 0, "\"name\":\"Audit\"", "\"name\":\"Augit\"");
    ar_expect_integrity(1, 0, "fold"); /* every unit names the leaf hash of raffle.open */
    ar_expect_integrity(0, ar_find(0, "draw.intent", 0) + 1, "checkpoint");
}
END_TEST

START_TEST(first_record_damaged)
{
    ar_use("good");
    ar_leaf(0, 0, "\"format\":1", "\"format\":01");
    ar_expect_integrity(0, 0, "not-canonical");
    ar_expect_incomplete(0, 0, "open");
}
END_TEST

START_TEST(first_record_removed)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM record WHERE id = 0");
    ar_expect_incomplete(0, 0, "missing");
    ar_expect_incomplete(0, 0, "open");
    ar_expect_integrity(1, 0, "not-enrolled");
}
END_TEST

START_TEST(control_key_changed)
{
    char key[RAFFLE_VKEY_SIZE], other[RAFFLE_VKEY_SIZE];
    ar_use("good");
    ar_text(key, sizeof key, "SELECT json_extract(leaf, '$.key') FROM record WHERE id = 0");
    ar_text(other, sizeof other, "SELECT json_extract(leaf, '$.key') FROM record WHERE id = 1");
    ar_leaf(0, 0, key, other);
    ar_expect_integrity(0, 0, "key");
}
END_TEST

START_TEST(control_key_malformed)
{
    ar_use("good");
    ar_leaf(0, 0, "\"key\":\"raffle", "\"key\":\"rafflf");
    ar_expect_integrity(0, 0, "key");
}
END_TEST

START_TEST(unit_key_changed)
{
    ar_use("good");
    ar_leaf(0, 1, "/unit/1+", "/unit/2+");
    ar_expect_integrity(0, 0, "key");
}
END_TEST

START_TEST(role_of_an_enrolment)
{
    ar_use("good");
    ar_leaf(0, 1, "\"by\":\"manager\"", "\"by\":\"seller\"");
    ar_expect_integrity(0, 1, "fold");
}
END_TEST

/* --- records --- */

START_TEST(record_removed)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "event", 1);
    ar_sql(1, "DELETE FROM record WHERE id = %lld", ar_id(0, index));
    ar_expect_incomplete(0, index, "missing");
}
END_TEST

START_TEST(last_record_removed)
{
    uint64_t size;
    ar_use("good");
    size = control_size();
    ar_sql(2, "DELETE FROM record WHERE id = %lld; UPDATE log SET size = size - 1 WHERE log = 0", ar_id(0, size - 1));
    ar_expect_incomplete(0, size - 1, "behind-anchor");
}
END_TEST

START_TEST(everything_after_the_draw_removed)
{
    uint64_t size;
    ar_use("good");
    size = ar_find(0, "draw.result", 1) + 1;
    ar_sql((int)(control_size() - size) + 1,
           "DELETE FROM record WHERE id >= %lld AND id < %lld; UPDATE log SET size = %llu WHERE log = 0",
           ar_id(0, size), ar_id(1, 0), (unsigned long long)size);
    ar_expect_incomplete(0, size, "behind-anchor");
    ar_expect_incomplete(0, size, "behind-note");
}
END_TEST

START_TEST(hidden_row)
{
    uint64_t size;
    ar_use("good");
    size = control_size();
    ar_sql(1, "UPDATE log SET size = size - 1 WHERE log = 0");
    ar_expect_integrity(0, size - 1, "store");
    ar_expect_incomplete(0, size - 1, "behind-anchor");
}
END_TEST

START_TEST(private_part_changed)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET private = replace(private, 'boss', 'bosz') WHERE id = 2");
    ar_expect_integrity(0, 2, "private");
}
END_TEST

START_TEST(size_beyond_everything)
{
    uint64_t size;
    ar_use("good");
    size = control_size();
    ar_sql(1, "UPDATE log SET size = 1099511627776 WHERE log = 0");
    ar_expect_incomplete(0, size, "missing");
}
END_TEST

/* --- seals --- */

START_TEST(root_in_a_seal)
{
    uint64_t index;
    char root[80], other[80];
    ar_use("good");
    index = ar_find(0, "seal.unit", 0);
    ar_text(root, sizeof root, "SELECT '\"root\":\"' || json_extract(leaf, '$.root') FROM record WHERE id = %lld",
            ar_id(0, index));
    memcpy(other, root, sizeof other);
    other[9] = root[9] == '0' ? '1' : '0';
    ar_leaf(0, index, root, other);
    ar_expect_integrity(0, index, "seal");
}
END_TEST

START_TEST(void_root_in_a_seal)
{
    uint64_t index;
    char root[80], other[80];
    ar_use("good");
    index = ar_find(0, "seal.unit", 0);
    ar_text(root, sizeof root,
            "SELECT '\"void_root\":\"' || json_extract(leaf, '$.void_root') FROM record WHERE id = %lld",
            ar_id(0, index));
    memcpy(other, root, sizeof other);
    other[20] = root[20] == '0' ? '1' : '0';
    ar_leaf(0, index, root, other);
    ar_expect_integrity(0, index, "seal");
}
END_TEST

static void seal_member(const char *from, const char *to)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "seal.unit", 0);
    ar_leaf(0, index, from, to);
    ar_expect_integrity(0, index, "seal");
    ar_unuse();
}

START_TEST(sums_in_a_seal)
{
    seal_member("\"tickets\":700", "\"tickets\":701");
    seal_member("\"voids\":3", "\"voids\":2");
    seal_member("\"gross\":", "\"gross\":1");
    seal_member("\"numbers\":", "\"numbers\":1");
    seal_member("\"void_gross\":", "\"void_gross\":1");
    seal_member("\"void_numbers\":", "\"void_numbers\":1");
    ar_use("good");
}
END_TEST

START_TEST(size_in_a_seal)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "seal.unit", 0);
    ar_leaf(0, index, "\"size\":705", "\"size\":704");
    ar_expect_integrity(0, index, "seal");
    ar_leaf(0, index, "\"size\":704", "\"size\":7000");
    ar_expect_incomplete(1, 706, "behind-seal");
}
END_TEST

/* The early seal is of the log before its close, so that only the final one must end in it. */
START_TEST(early_seal_called_final)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "seal", 0);
    ar_leaf(0, index, "\"kind\":\"early\"", "\"kind\":\"final\"");
    ar_expect_integrity(0, ar_find(0, "seal.unit", 0), "seal");
    ar_expect_integrity(1, 705, "after-seal");
}
END_TEST

START_TEST(note_in_a_seal)
{
    uint64_t index;
    char note[600], other[600];
    ar_use("good");
    index = ar_find(0, "seal.unit", 0);
    ar_text(note, sizeof note,
            "SELECT substr(leaf, instr(leaf, '\"note\":'), instr(leaf, '\",\"numbers\"') - instr(leaf, '\"note\":')) "
            "FROM record WHERE id = %lld",
            ar_id(0, index));
    strcpy(other, note);
    size_t at = strlen(other) - 20;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    ar_leaf(0, index, note, other);
    ar_expect_integrity(0, index, "checkpoint");
}
END_TEST

START_TEST(sum_of_a_seal)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "seal", 0);
    ar_leaf(0, index, "\"gross\":", "\"gross\":1");
    ar_expect_integrity(0, index, "fold");
}
END_TEST

START_TEST(acknowledged_voids)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "voids.ack", 1);
    ar_leaf(0, index, "\"voids\":3", "\"voids\":4");
    ar_expect_integrity(0, index, "fold");
}
END_TEST

/* --- notes, keys --- */

START_TEST(changed_note)
{
    ar_use("good");
    ar_sql(1,
           "UPDATE note SET note = substr(note, 1, length(note) - 20) || CASE substr(note, length(note) - 19, 1) WHEN "
           "'A' THEN 'B' ELSE 'A' END || substr(note, length(note) - 18) WHERE "
           "log = 0 AND size = %llu",
           (unsigned long long)ar_find(0, "draw.intent", 0) + 1);
    ar_expect_integrity(0, ar_find(0, "draw.intent", 0) + 1, "checkpoint");
}
END_TEST

START_TEST(note_with_another_size)
{
    uint64_t size;
    ar_use("good");
    size = ar_find(0, "draw.intent", 0) + 1;
    ar_sql(1, "UPDATE note SET size = %llu WHERE log = 0 AND size = %llu", (unsigned long long)size + 1,
           (unsigned long long)size);
    ar_expect_integrity(0, size + 1, "checkpoint");
}
END_TEST

START_TEST(no_note_at_all)
{
    ar_use("good");
    ar_sql(1, "UPDATE note SET note = 'x' WHERE log = 0 AND size = %llu",
           (unsigned long long)ar_find(0, "draw.intent", 0) + 1);
    ar_expect_integrity(0, ar_find(0, "draw.intent", 0) + 1, "checkpoint");
}
END_TEST

START_TEST(claim_key_deleted)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM key WHERE substr(key, 1, 1) = x'06'");
    ar_expect_integrity(0, ar_find(0, "claim", 0), "key-missing");
}
END_TEST

START_TEST(event_key_of_another_record)
{
    ar_use("good");
    ar_sql(1, "UPDATE key SET id = id + 1 WHERE key = (SELECT min(key) FROM key WHERE key > x'03000065')");
    ar_expect_integrity(0, ar_find(0, "event", 0), "key-wrong");
}
END_TEST

START_TEST(void_key_of_the_control_log_deleted)
{
    ar_use("good");
    ar_sql(1, "DELETE FROM key WHERE key = x'0200020000000005'");
    ar_expect_integrity(0, ar_find(0, "void", 0), "key-missing");
}
END_TEST

START_TEST(other_history_than_the_anchor)
{
    ar_use("good");
    ar_sql((int)ar_number("SELECT count(*) FROM note"), "DELETE FROM note");
    ar_sql(1, "UPDATE record SET leaf = replace(leaf, '\"by\":\"manager\"', '\"by\":\"administrator\"') WHERE id = 2");
    ar_expect_integrity(0, control_size(), "anchor");
}
END_TEST

START_TEST(no_raffle)
{
    char path[128];
    raffle_store *store;
    raffle_audit *audit = NULL;
    snprintf(path, sizeof path, "sqlite:%s/empty-%ld?create=1", ar_folder, (long)getpid());
    AR_OK(raffle_store_open(path, NULL, &store, &ar_err));
    ck_assert_int_eq(raffle_audit_run_with(store, NULL, &audit, &ar_err), RAFFLE_NOT_RAFFLE);
    raffle_store_free(store);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {rules_changed,
                                  first_record_damaged,
                                  first_record_removed,
                                  control_key_changed,
                                  control_key_malformed,
                                  unit_key_changed,
                                  role_of_an_enrolment,
                                  record_removed,
                                  last_record_removed,
                                  everything_after_the_draw_removed,
                                  hidden_row,
                                  private_part_changed,
                                  size_beyond_everything,
                                  root_in_a_seal,
                                  void_root_in_a_seal,
                                  sums_in_a_seal,
                                  size_in_a_seal,
                                  early_seal_called_final,
                                  note_in_a_seal,
                                  sum_of_a_seal,
                                  acknowledged_voids,
                                  changed_note,
                                  note_with_another_size,
                                  no_note_at_all,
                                  claim_key_deleted,
                                  event_key_of_another_record,
                                  void_key_of_the_control_log_deleted,
                                  other_history_than_the_anchor,
                                  no_raffle};
    return ar_main("audit_check_control", tests, sizeof tests / sizeof *tests);
}
