/* SPDX-License-Identifier: Apache-2.0 */
/* The audit's calls: a good raffle passes and its sums are right, options, progress, pinned keys, struct sizes. */
#include "audit_raffle.h"
#include "failing_store.h"

START_TEST(good_raffle_passes)
{
    for (unsigned threads = 0; threads <= 4; threads++) {
        raffle_verdict v;
        ar_use("good");
        raffle_audit *audit = ar_audit(threads, &v);
        ar_print(audit);
        ck_assert_int_eq(v.passed, 1);
        ck_assert_uint_eq(v.faults + v.integrity + v.incomplete, 0);
        ck_assert_uint_eq(v.tickets, AR_SALES + AR_FEW);
        ck_assert_uint_eq(v.voids, 4);
        ck_assert_uint_eq(v.draws, 3);
        ck_assert_uint_eq(v.private_missing, 1);
        ck_assert_int_eq(v.key_pinned, 0);
        ck_assert_uint_eq(v.records, ar_number("SELECT count(*) FROM record"));
        ck_assert_uint_eq(
            v.numbers,
            ar_number(
                "SELECT sum(json_extract(leaf, '$.count')) FROM record WHERE json_extract(leaf, '$.t') = 'sale'"));
        ck_assert_int_eq(
            v.gross,
            (int64_t)ar_number(
                "SELECT sum(json_extract(leaf, '$.price')) FROM record WHERE json_extract(leaf, '$.t') = 'sale'"));
        ck_assert_int_eq(
            v.void_gross,
            (int64_t)ar_number(
                "SELECT sum(json_extract(leaf, '$.price')) FROM record WHERE json_extract(leaf, '$.t') = 'void'"));
        raffle_audit_free(audit);
        ar_unuse();
    }
}
END_TEST

START_TEST(unfinished_raffle_passes)
{
    raffle_verdict v;
    ar_use("old");
    char own_anchor[200];
    raffle_audit *audit = ar_audit(2, &v);
    ar_print(audit);
    ck_assert_int_eq(v.passed, 1);
    ck_assert_uint_eq(v.draws, 1);
    raffle_audit_free(audit);
    snprintf(own_anchor, sizeof own_anchor, "%s-anchor", ar_path);
    ck_assert_int_eq(access(own_anchor, F_OK), 0);
}
END_TEST

START_TEST(draws_are_described)
{
    static const char *const prizes[] = {"bird", "first", "many"};
    static const uint32_t places[] = {2, 3, 610};
    raffle_verdict v;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    ar_use("good");
    raffle_audit *audit = ar_audit(1, &v);
    for (uint32_t i = 0; i < 3; i++) {
        AR_OK(raffle_audit_draw_at(audit, i, &d, &ar_err));
        ck_assert_str_eq(d.prize, prizes[i]);
        ck_assert_str_eq(d.provider, "system");
        ck_assert_uint_eq(d.places, places[i]);
        ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_CERTIFIED);
        ck_assert_uint_eq(d.attempt, 1);
        ck_assert_uint_eq(d.asked, 1);
        ck_assert_int_eq(d.redraw_excluded, 1);
        ck_assert_uint_eq(d.result, ar_find(0, "draw.result", (int)i));
        ck_assert_uint_eq(
            d.numbers,
            i == 0
                ? v.numbers - ar_number("SELECT sum(json_extract(leaf, '$.count')) FROM record WHERE id >> 40 = 2 AND "
                                        "json_extract(leaf, '$.t') = 'sale'")
                : v.numbers);
    }
    ck_assert_int_eq(raffle_audit_draw_at(audit, 3, &d, &ar_err), RAFFLE_NOT_FOUND);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(without_anchor_a_redraw_is_not_excluded)
{
    char path[200];
    raffle_verdict v;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    ar_use("good");
    snprintf(path, sizeof path, "%s-anchor", ar_path);
    ck_assert_int_eq(unlink(path), 0);
    raffle_audit *audit = ar_audit(1, &v);
    ck_assert_int_eq(v.passed, 1);
    AR_OK(raffle_audit_draw_at(audit, 0, &d, &ar_err));
    ck_assert_int_eq(d.redraw_excluded, 0);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_CERTIFIED);
    raffle_audit_free(audit);
}
END_TEST

START_TEST(pinned_key)
{
    char key[RAFFLE_VKEY_SIZE], other[RAFFLE_VKEY_SIZE];
    raffle_verdict v = RAFFLE_VERDICT_INIT;
    ar_use("good");
    ar_text(key, sizeof key, "SELECT json_extract(leaf, '$.key') FROM record WHERE id = 0");
    ar_text(other, sizeof other, "SELECT json_extract(leaf, '$.key') FROM record WHERE id = 1");
    AR_OK(raffle_audit_store(ar_path, NULL, key, &v, &ar_err));
    ck_assert_int_eq(v.key_pinned, 1);
    ck_assert_int_eq(v.passed, 1);
    AR_OK(raffle_audit_store(ar_path, NULL, other, &v, &ar_err));
    ck_assert_int_eq(v.key_pinned, 0);
    ck_assert_uint_eq(v.integrity, 1);
    ck_assert_int_eq(raffle_audit_store(ar_path, NULL, "no key", &v, &ar_err), RAFFLE_INVALID);
    AR_OK(raffle_audit_store(ar_path, NULL, NULL, &v, &ar_err));
    ck_assert_int_eq(v.passed, 1);
}
END_TEST

typedef struct steps {
    uint64_t done, total;
    int calls, stop_at;
} steps;

static raffle_rc count_steps(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    steps *s = ctx;
    ck_assert_uint_ge(done, s->done);
    s->done = done;
    s->total = total;
    return ++s->calls == s->stop_at ? raffle_error_set(err, RAFFLE_HOST, 17, "enough") : RAFFLE_OK;
}

START_TEST(progress_is_told_and_may_end_it)
{
    steps s = {0};
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    options.progress = count_steps;
    options.progress_ctx = &s;
    ar_use("good");
    AR_OK(raffle_audit_run(ar_path, NULL, &options, &audit, &ar_err));
    raffle_audit_free(audit);
    ck_assert_uint_eq(s.done, s.total);
    ck_assert_int_ge(s.calls, 2);
    for (int i = 1; i <= s.calls; i++) {
        steps t = {.stop_at = i};
        options.threads = 2;
        options.progress_ctx = &t;
        audit = NULL;
        ck_assert_int_eq(raffle_audit_run(ar_path, NULL, &options, &audit, &ar_err), RAFFLE_HOST);
        ck_assert_str_eq(ar_err.message, "enough");
        ck_assert_uint_eq(ar_err.token, 17);
        ck_assert_ptr_null(audit);
        if (i > 3)
            break;
    }
}
END_TEST

START_TEST(arguments)
{
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    raffle_verdict v = RAFFLE_VERDICT_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    ar_use("good");
    ck_assert_int_eq(raffle_audit_run(NULL, NULL, NULL, &audit, &ar_err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_audit_run(ar_path, NULL, NULL, NULL, &ar_err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_audit_run_with(NULL, NULL, &audit, &ar_err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_audit_run("/nowhere/at all", NULL, NULL, &audit, &ar_err), RAFFLE_NOT_FOUND);
    options.threads = 65;
    ck_assert_int_eq(raffle_audit_run(ar_path, NULL, &options, &audit, &ar_err), RAFFLE_INVALID);
    options.threads = 64;
    AR_OK(raffle_audit_run(ar_path, NULL, &options, &audit, &ar_err));
    ck_assert_int_eq(raffle_audit_verdict(NULL, &v, &ar_err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_audit_verdict(audit, NULL, &ar_err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_audit_fault_at(audit, 0, &fault, &ar_err), RAFFLE_NOT_FOUND);
    v.struct_size = 16; /* an older program's: no byte beyond is written */
    v.passed = 77;
    AR_OK(raffle_audit_verdict(audit, &v, &ar_err));
    ck_assert_int_eq(v.passed, 1 * (offsetof(raffle_verdict, passed) < 16 ? 1 : 77));
    ck_assert_uint_eq(v.records, 0);
    ck_assert_uint_eq(v.struct_size, 16);
    raffle_audit_free(audit);
    raffle_audit_free(NULL);
}
END_TEST

START_TEST(many_faults_are_counted_and_a_thousand_kept)
{
    raffle_verdict v;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    ar_use("good");
    ar_sql(AR_SALES - 1,
           "UPDATE record SET private = private || ' ' WHERE id BETWEEN %lld AND %lld AND private IS NOT NULL",
           ar_id(1, 1), ar_id(1, AR_SALES));
    ar_sql(AR_SALES, "UPDATE record SET leaf = leaf || ' ' WHERE id BETWEEN %lld AND %lld", ar_id(1, 1),
           ar_id(1, AR_SALES));
    raffle_audit *audit = ar_audit(2, &v);
    ck_assert_uint_gt(v.faults, 1300);
    AR_OK(raffle_audit_fault_at(audit, 999, &fault, &ar_err));
    ck_assert_int_eq(raffle_audit_fault_at(audit, 1000, &fault, &ar_err), RAFFLE_NOT_FOUND);
    raffle_audit_free(audit);
}
END_TEST

/* --- a store whose surroundings fail --- */

static raffle_store *open_failing(failing_store *f)
{
    raffle_store *store;
    char uri[200];
    snprintf(uri, sizeof uri, "sqlite:%s?readonly=1", ar_path);
    AR_OK(raffle_store_open(uri, NULL, &f->inner, &ar_err));
    AR_OK(failing_store_new(f, &store, &ar_err));
    return store;
}

/* Whatever call fails, first or later, the audit failed and found nothing. */
START_TEST(the_surroundings_are_no_fault)
{
    ar_use("good");
    for (int which = FAILING_ORIGIN; which < FAILING_CALLS; which++) {
        for (raffle_rc rc = RAFFLE_NOMEM; rc <= RAFFLE_FORKED; rc++) {
            failing_store f = {
                .which = (failing_call)which, .rc = rc, .good = which == FAILING_ORIGIN || rc % 2 == 0 ? 0 : 2};
            raffle_store *store = open_failing(&f);
            raffle_audit *audit = NULL;
            raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
            options.threads = 1 + (unsigned)rc % 2;
            ck_assert_int_eq(raffle_audit_run_with(store, &options, &audit, &ar_err), rc);
            ck_assert_ptr_null(audit);
            ck_assert_str_eq(ar_err.message, "the cable is out");
            ck_assert_uint_eq(ar_err.token, 42);
            raffle_store_free(store);
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {good_raffle_passes,
                                  unfinished_raffle_passes,
                                  draws_are_described,
                                  without_anchor_a_redraw_is_not_excluded,
                                  pinned_key,
                                  progress_is_told_and_may_end_it,
                                  arguments,
                                  many_faults_are_counted_and_a_thousand_kept,
                                  the_surroundings_are_no_fault};
    return ar_main("audit_audit", tests, sizeof tests / sizeof *tests);
}
