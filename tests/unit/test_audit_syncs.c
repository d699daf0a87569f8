/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads of a unit that is away, each altered in one way in the store's file: the audit must expose it, at the right place. */
#include "audit_raffle.h"

#include <raffle/till.h>

enum {
    TENT =
        2, /* the unit that is away: start, sales "a" and "b", which it uploads; a sale "c" while it is disabled, and the close */
    LATE = 3, /* index of "c" */
    TENT_SIZE = 5,
    A_WHILE = 600000
};

static const char rules[] =
    "{\"origin\":\"raffle.example/audit\",\"name\":\"Audit\",\"organisation\":\"Club\",\"currency\":\"CAD\","
    "\"sales\":{\"opens\":\"2020-01-01T00:00:00.000Z\",\"closes\":\"2100-01-01T00:00:00.000Z\"},"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500}],\"units\":[{\"name\":\"a\"}],"
    "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"winners\":1},{\"name\":\"first\",\"winners\":1}],"
    "\"rng\":[\"system\"]}";

static int64_t now = INT64_C(1795291200000);

static raffle_rc tell(void *ctx, int64_t *ms, raffle_error *err)
{
    (void)ctx;
    (void)err;
    *ms = now;
    return RAFFLE_OK;
}

/* What travels between the two. */
static char box[1 << 16];
static size_t box_length;

static raffle_rc pack(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)ctx;
    (void)err;
    ar_require(box_length + length <= sizeof box, __LINE__, "the box is full");
    memcpy(box + box_length, bytes, length);
    box_length += length;
    return RAFFLE_OK;
}

static void sell(raffle_unit *unit, const char *order)
{
    raffle_sale sale;
    raffle_ticket ticket;
    raffle_sale_init(&sale, sizeof sale);
    raffle_ticket_init(&ticket, sizeof ticket);
    strcpy(sale.tier, "one");
    snprintf(sale.order, sizeof sale.order, "%s", order);
    AR_OK(raffle_unit_sell(unit, &ar_ann, &sale, 1, 5000, &ticket, &ar_err));
}

static void upload(raffle *r, raffle_unit *tent)
{
    char challenge[RAFFLE_CHALLENGE_SIZE];
    box_length = 0;
    AR_OK(raffle_unit_challenge(r, TENT, challenge, &ar_err));
    AR_OK(raffle_unit_export(tent, challenge, pack, NULL, &ar_err));
    AR_OK(raffle_unit_upload(r, &ar_boss, box, box_length, NULL, &ar_err));
}

static raffle_unit *make_tent(raffle *r, const raffle_host *host, raffle **till)
{
    char store[160], keys[160];
    raffle_unit_options o;
    raffle_unit *tent;
    uint32_t number;
    raffle_unit_options_init(&o, sizeof o);
    snprintf(store, sizeof store, "sqlite:%s/tent", ar_folder);
    snprintf(keys, sizeof keys, "file:%s/tent.keys", ar_folder);
    strcpy(o.name, "tent");
    o.quota = 50;
    o.away = 1;
    o.hours = 24;
    AR_OK(raffle_unit_apply(keys, NULL, "raffle.example/audit", TENT, o.key, o.proof, &ar_err));
    AR_OK(raffle_unit_enrol(r, &ar_boss, &o, &number, &ar_err));
    AR_OK(raffle_unit_enable(r, &ar_boss, number, &ar_err));
    AR_OK(raffle_unit_kit(r, number, pack, NULL, &ar_err));
    AR_OK(raffle_unit_install(store, keys, host, box, box_length, NULL, till, &ar_err));
    AR_OK(raffle_unit_open(*till, number, &tent, &ar_err));
    return tent;
}

/* It does not hear that it is disabled, and may not know. */
static void sell_late(raffle *r, raffle_unit *tent)
{
    now += A_WHILE;
    AR_OK(raffle_unit_disable(r, &ar_boss, TENT, "lost", &ar_err));
    now += A_WHILE;
    sell(tent, "c");
    now += A_WHILE;
    AR_OK(raffle_unit_enable(r, &ar_boss, TENT, &ar_err));
    AR_OK(raffle_unit_close(tent, &ar_sue, &ar_err));
}

static void make(void)
{
    char path[160];
    raffle *r, *till;
    raffle_unit *here;
    raffle_host host = RAFFLE_HOST_INIT;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    ar_require(mkdtemp(ar_folder) != NULL, __LINE__, ar_folder);
    host.clock = tell;
    snprintf(path, sizeof path, "sqlite:%s/good", ar_folder);
    AR_OK(raffle_create(path, NULL, &host, rules, strlen(rules), &ar_boss, &r, &ar_err));
    AR_OK(raffle_unit_open(r, 1, &here, &ar_err));
    sell(here, "z");
    raffle_unit_free(here);
    raffle_unit *tent = make_tent(r, &host, &till);
    sell(tent, "a");
    sell(tent, "b");
    upload(r, tent);
    AR_OK(raffle_seal(r, &ar_boss, &ar_sue, RAFFLE_SEAL_EARLY, &seal, &ar_err));
    sell_late(r, tent);
    upload(r, tent);
    AR_OK(raffle_seal(r, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    raffle_unit_free(tent);
    raffle_free(till);
    raffle_free(r);
}

/* A member of a leaf whose value is a string, with its name and the comma behind it. */
static void member(char *out, size_t cap, uint64_t index, const char *name)
{
    ar_text(out, cap,
            "SELECT '\"%s\":' || substr(substr(leaf, instr(leaf, '\"%s\":') + length('%s') + 3), 1, "
            "instr(substr(leaf, instr(leaf, '\"%s\":') + length('%s') + 3), '\",')) || ',' FROM record WHERE id = %lld",
            name, name, name, name, name, ar_id(0, index));
}

static void alter_signature(uint64_t index)
{
    char note[600], other[600];
    member(note, sizeof note, index, "note");
    strcpy(other, note);
    size_t at = strlen(other) - 20;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    ar_leaf(0, index, note, other);
}

START_TEST(an_upload_and_a_sale_that_knew_no_better)
{
    raffle_verdict verdict;
    ar_use("good");
    raffle_audit *audit = ar_audit(2, &verdict);
    ar_print(audit);
    ck_assert_int_eq(verdict.passed, 1);
    raffle_audit_free(audit);
}
END_TEST

/* The same sale of a unit that is here. */
START_TEST(a_sale_while_disabled)
{
    char note[600];
    ar_use("good");
    const uint64_t enrolled = ar_find(0, "unit.enrol", 1);
    member(note, sizeof note, enrolled, "note");
    ar_leaf(0, enrolled, note, "");
    ar_leaf(0, enrolled, "\"away\":24,", "");
    ar_expect_integrity(TENT, LATE, "not-enabled");
    ar_expect_integrity(0, ar_find(0, "unit.sync", 0), "fold");
}
END_TEST

START_TEST(signature_of_a_proof)
{
    ar_use("good");
    alter_signature(ar_find(0, "unit.enrol", 1));
    ar_expect_integrity(0, ar_find(0, "unit.enrol", 1), "checkpoint");
}
END_TEST

START_TEST(proof_over_records)
{
    char note[600], other[600];
    ar_use("good");
    const uint64_t enrolled = ar_find(0, "unit.enrol", 1);
    member(note, sizeof note, enrolled, "note");
    member(other, sizeof other, ar_find(0, "unit.sync", 0), "note");
    ar_leaf(0, enrolled, note, other);
    ar_expect_integrity(0, enrolled, "checkpoint");
}
END_TEST

START_TEST(signature_of_an_upload)
{
    ar_use("good");
    alter_signature(ar_find(0, "unit.sync", 1));
    ar_expect_integrity(0, ar_find(0, "unit.sync", 1), "checkpoint");
}
END_TEST

START_TEST(note_of_another_upload)
{
    char note[600], other[600];
    ar_use("good");
    const uint64_t first = ar_find(0, "unit.sync", 0);
    member(note, sizeof note, first, "note");
    member(other, sizeof other, ar_find(0, "unit.sync", 1), "note");
    ar_leaf(0, first, note, other);
    ar_expect_integrity(0, first, "sync");
}
END_TEST

START_TEST(other_records_than_uploaded)
{
    ar_use("good");
    ar_leaf(TENT, 1, "\"by\":\"seller\"", "\"by\":\"manager\"");
    ar_expect_integrity(0, ar_find(0, "unit.sync", 0), "sync");
    ar_expect_integrity(0, ar_find(0, "unit.sync", 1), "sync");
}
END_TEST

START_TEST(other_records_than_uploaded_later)
{
    raffle_verdict verdict;
    ar_use("good");
    ar_leaf(TENT, LATE, "\"by\":\"seller\"", "\"by\":\"manager\"");
    ar_expect_integrity(0, ar_find(0, "unit.sync", 1), "sync");
    raffle_audit *audit = ar_audit(1, &verdict);
    ck_assert_uint_eq(ar_count(audit, RAFFLE_FAULT_INTEGRITY, 0, ar_find(0, "unit.sync", 0), "sync"), 0);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(fewer_records_than_uploaded)
{
    raffle_verdict verdict;
    ar_use("good");
    ar_sql(2, "DELETE FROM record WHERE id = %lld; UPDATE log SET size = %d WHERE log = %d", ar_id(TENT, TENT_SIZE - 1),
           TENT_SIZE - 1, TENT);
    ar_expect_incomplete(TENT, TENT_SIZE - 1, "behind-sync");
    raffle_audit *audit = ar_audit(1, &verdict);
    ck_assert_uint_eq(ar_count(audit, RAFFLE_FAULT_COMPLETENESS, TENT, TENT_SIZE - 1, "behind-sync"), 1);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(no_records_at_all)
{
    ar_use("good");
    ar_sql(6, "DELETE FROM record WHERE id >> 40 = %d; DELETE FROM log WHERE log = %d", TENT, TENT);
    ar_expect_incomplete(TENT, 0, "behind-sync");
}
END_TEST

/* That of a unit which is here need not end in its close. */
START_TEST(early_seal_without_the_close)
{
    raffle_verdict verdict;
    ar_use("good");
    const uint64_t sealed = ar_find(0, "seal.unit", 1);
    ar_leaf(0, sealed, "\"reconciled\":false", "\"reconciled\":true");
    ar_expect_integrity(0, sealed, "seal");
    raffle_audit *audit = ar_audit(1, &verdict);
    ck_assert_uint_eq(ar_count(audit, RAFFLE_FAULT_INTEGRITY, 0, ar_find(0, "seal.unit", 0), "seal"), 0);
    raffle_audit_free(audit);
}
END_TEST

/* The fold refuses it: it is named once, and its root is not compared. */
START_TEST(upload_of_a_unit_that_is_here)
{
    raffle_verdict verdict;
    ar_use("good");
    const uint64_t sync = ar_find(0, "unit.sync", 0);
    ar_leaf(0, sync, "\"unit\":2", "\"unit\":1");
    ar_expect_integrity(0, sync, "fold");
    raffle_audit *audit = ar_audit(1, &verdict);
    ck_assert_uint_eq(ar_count(audit, RAFFLE_FAULT_INTEGRITY, 0, sync, "sync"), 0);
    raffle_audit_free(audit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {an_upload_and_a_sale_that_knew_no_better,
                                  a_sale_while_disabled,
                                  signature_of_a_proof,
                                  proof_over_records,
                                  signature_of_an_upload,
                                  note_of_another_upload,
                                  other_records_than_uploaded,
                                  other_records_than_uploaded_later,
                                  fewer_records_than_uploaded,
                                  no_records_at_all,
                                  early_seal_without_the_close,
                                  upload_of_a_unit_that_is_here};
    return ar_run("audit_syncs", make, tests, sizeof tests / sizeof *tests);
}
