/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts that buyers brought back: a raffle keeps what they promise, and every way of not keeping it shows. */
#include "audit_raffle.h"

#include "promises.h"
#include <raffle/receipt.h>
#include <sodium.h>

enum {
    RECEIPTS = 6
};

static char text[RECEIPTS][RAFFLE_RECEIPT_MAX + 1];
static size_t length[RECEIPTS];
static size_t receipts;
static raffle_rc ending; /* what comes after the last one */

static raffle_rc give(void *ctx, uint64_t i, const char **name, const char **out, size_t *n, raffle_error *err)
{
    static char names[RECEIPTS][16];
    (void)ctx;
    if (i >= receipts)
        return ending == RAFFLE_IO ? raffle_error_set(err, ending, 0, "the disk is gone") : ending;
    snprintf(names[i], sizeof names[i], "r%u", (unsigned)i);
    *name = names[i];
    *out = text[i];
    *n = length[i];
    return RAFFLE_OK;
}

static void take(raffle *r, uint32_t unit, uint64_t serial)
{
    AR_OK(raffle_receipt(r, unit, serial, text[receipts], sizeof text[0], &length[receipts], &ar_err));
    receipts++;
}

/* Receipts of two tickets and a void one in unit 1, and of one in unit 2 when `sold`; of a copy, which is left. */
static void take_all(const char *name, bool sold)
{
    raffle *r = NULL;
    receipts = 0;
    ending = RAFFLE_NOT_FOUND;
    ar_use(name);
    AR_OK(raffle_open(ar_path, NULL, NULL, &r, &ar_err));
    take(r, 1, 1);
    take(r, 1, 10);
    take(r, 1, 300);
    if (sold)
        take(r, 2, 7);
    raffle_free(r);
}

static raffle_rc audit(const char *store, const char *key, raffle_audit **out, raffle_verdict *verdict)
{
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    options.receipt = give;
    snprintf(options.control_key, sizeof options.control_key, "%s", key);
    raffle_rc rc = raffle_audit_run(store, NULL, &options, out, &ar_err);
    raffle_verdict_init(verdict, sizeof *verdict);
    if (rc == RAFFLE_OK)
        AR_OK(raffle_audit_verdict(*out, verdict, &ar_err));
    return rc;
}

/* How many of the receipts were kept; the faults of this kind. */
static uint64_t kept(const char *store, const char *code, int32_t kind, uint32_t log, unsigned *found)
{
    raffle_verdict v;
    raffle_audit *a = NULL;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    AR_OK(audit(store, "", &a, &v));
    ck_assert_uint_eq(v.receipts, receipts);
    ck_assert_int_eq(v.passed, v.faults == 0);
    *found = 0;
    for (uint64_t i = 0; raffle_audit_fault_at(a, i, &fault, NULL) == RAFFLE_OK; i++)
        if (strcmp(fault.code, code) == 0) {
            ck_assert_int_eq(fault.kind, kind);
            ck_assert_uint_eq(fault.log, log);
            ck_assert_ptr_nonnull(strstr(fault.message, "r"));
            ++*found;
        }
    raffle_audit_free(a);
    return v.receipts_kept;
}

static void all_kept(const char *store)
{
    unsigned found;
    ck_assert_uint_eq(kept(store, "promise", 0, 0, &found), receipts);
    ck_assert_uint_eq(found, 0);
}

START_TEST(kept_promises)
{
    raffle_verdict v;
    raffle_audit *a = NULL;
    take_all("good", true);
    AR_OK(audit(ar_path, "", &a, &v));
    ck_assert_int_eq(v.passed, 1);
    ck_assert_uint_eq(v.receipts, 4);
    ck_assert_uint_eq(v.receipts_kept, 4);
    raffle_audit_free(a);
    take_all("old", false); /* under the early seal, and held against all that came after it */
    ar_unuse();
    ar_use("good");
    all_kept(ar_path);
}
END_TEST

static void check_published(uint32_t flags, const char *name)
{
    char path[160];
    raffle *r = NULL;
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    options.flags = flags;
    snprintf(path, sizeof path, "%s/%s-%ld", ar_folder, name, (long)getpid());
    AR_OK(raffle_open(ar_path, NULL, NULL, &r, &ar_err));
    AR_OK(raffle_publish(r, path, &options, NULL, &ar_err));
    raffle_free(r);
    all_kept(path);
}

START_TEST(of_what_is_published)
{
    take_all("good", true);
    check_published(0, "public");
    check_published(RAFFLE_PUBLISH_HASHES, "hashes");
}
END_TEST

START_TEST(an_altered_record)
{
    unsigned found;
    take_all("good", true);
    ar_leaf(1, 400, "\"price\":", "\"price\":1");
    ck_assert_uint_eq(kept(ar_path, "promise", RAFFLE_FAULT_INTEGRITY, 1, &found), 1); /* that of unit 2 */
    ck_assert_uint_eq(found, 3);
}
END_TEST

START_TEST(an_altered_control_record)
{
    unsigned found;
    take_all("good", true);
    ar_leaf(0, 0, "Club", "Clab");
    ck_assert_uint_eq(kept(ar_path, "promise", RAFFLE_FAULT_INTEGRITY, 0, &found), 0);
    ck_assert_uint_eq(found, 4);
}
END_TEST

/* The store of an hour ago. */
START_TEST(a_truncated_history)
{
    unsigned found;
    take_all("good", true);
    ar_unuse();
    ar_use("old");
    ck_assert_uint_eq(kept(ar_path, "promise", RAFFLE_FAULT_COMPLETENESS, 0, &found), 0);
    ck_assert_uint_eq(found, 4);
}
END_TEST

/* Cut off, and gone on with other sales: of the same length, signed by the same keys, and in itself without a fault. */
START_TEST(truncated_and_continued)
{
    unsigned found;
    raffle *r = NULL;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_verdict v;
    take_all("good", true);
    const uint64_t size = ar_number("SELECT size FROM log WHERE log = 0");
    ar_unuse();
    ar_use("old");
    AR_OK(raffle_open(ar_path, NULL, NULL, &r, &ar_err));
    ar_sell(r, 2, 1000, AR_FEW, 1);
    for (uint64_t i = 0; i < size; i++)
        AR_OK(raffle_event(r, &ar_sue, 0, "x.door", "door", "", &ar_err));
    AR_OK(raffle_seal(r, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    raffle_free(r);
    raffle_audit_free(ar_audit(1, &v));
    ck_assert_int_eq(v.passed, 1);
    ck_assert_uint_eq(kept(ar_path, "promise", RAFFLE_FAULT_INTEGRITY, 0, &found), 0);
    ck_assert_uint_eq(found, 4);
}
END_TEST

START_TEST(what_is_no_receipt)
{
    unsigned found;
    take_all("good", true);
    length[0] = 0;
    text[1][length[1] / 2] ^= 1;
    length[3] = RAFFLE_RECEIPT_MAX + 1;
    ck_assert_uint_eq(kept(ar_path, "receipt", RAFFLE_FAULT_COMPLETENESS, 0, &found), 1);
    ck_assert_uint_eq(found, 3);
}
END_TEST

/* Under another key the receipts are none, and neither is the raffle. */
START_TEST(another_key)
{
    char key[RF_VKEY_SIZE];
    uint8_t pk[32], sk[64];
    rf_vkey vkey;
    raffle_verdict v;
    raffle_audit *a = NULL;
    take_all("good", true);
    ck_assert_int_eq(crypto_sign_keypair(pk, sk), 0);
    AR_OK(rf_vkey_make(&vkey, "raffle.example/audit", RF_NOTE_ED25519, pk, &ar_err));
    rf_vkey_format(&vkey, key);
    AR_OK(audit(ar_path, key, &a, &v));
    ck_assert_uint_eq(v.receipts_kept, 0);
    ck_assert_uint_eq(ar_count(a, RAFFLE_FAULT_INTEGRITY, 0, 0, "control-key"), 1);
    ck_assert_uint_eq(ar_count(a, RAFFLE_FAULT_COMPLETENESS, 0, 0, "receipt"), 4);
    raffle_audit_free(a);
}
END_TEST

START_TEST(nothing_to_judge_by)
{
    take_all("good", true);
    ar_sql(1, "DELETE FROM record WHERE id = 0");
    raffle_verdict v;
    raffle_audit *a = NULL;
    AR_OK(audit(ar_path, "", &a, &v));
    ck_assert_uint_eq(v.receipts_kept, 0);
    ck_assert_int_eq(v.passed, 0);
    ck_assert_uint_eq(ar_count(a, RAFFLE_FAULT_COMPLETENESS, 0, 0, "receipt"), 1);
    raffle_audit_free(a);
}
END_TEST

START_TEST(a_host_that_fails)
{
    raffle_verdict v;
    raffle_audit *a = NULL;
    take_all("good", true);
    ending = RAFFLE_IO;
    ck_assert_int_eq(audit(ar_path, "", &a, &v), RAFFLE_IO);
    ck_assert_str_eq(ar_err.message, "the disk is gone");
    ending = RAFFLE_MISUSE; /* without a sentence */
    ck_assert_int_eq(audit(ar_path, "", &a, &v), RAFFLE_MISUSE);
}
END_TEST

/* Tickets that the final seal left out, and units that are not there. */
START_TEST(left_out)
{
    rf_seal_unit sealed[1] = {{.size = 10}};
    rf_promise promise[4] = {{.name = "in", .unit = 1, .serial = 9},
                             {.name = "behind", .unit = 1, .serial = 10},
                             {.name = "unit", .unit = 2, .serial = 1},
                             {.name = "none", .unit = 3, .serial = 1}};
    rf_promises promises = {.promise = promise, .n = 4};
    rf_control control = {.final = {.kind = RAFFLE_SEAL_FINAL, .units = 1, .unit = sealed}};
    rf_faults faults = {0};
    ck_assert_uint_eq(rf_promises_end(&promises, &control, 2, &faults), 1);
    ck_assert_uint_eq(faults.incomplete, 3);
    ck_assert_uint_eq(faults.integrity, 0);
    ck_assert_ptr_nonnull(strstr(faults.kept[0].message, "behind: ticket 1/10: the final seal left it out"));
    ck_assert_ptr_nonnull(strstr(faults.kept[1].message, "unit: ticket 2/1: the final seal left it out"));
    ck_assert_ptr_nonnull(strstr(faults.kept[2].message, "none: ticket 3/1: the unit's log is shorter"));
    rf_faults_clear(&faults);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {kept_promises,
                                  of_what_is_published,
                                  an_altered_record,
                                  an_altered_control_record,
                                  a_truncated_history,
                                  truncated_and_continued,
                                  what_is_no_receipt,
                                  another_key,
                                  nothing_to_judge_by,
                                  a_host_that_fails,
                                  left_out};
    return ar_main("audit_promises", tests, sizeof tests / sizeof *tests);
}
