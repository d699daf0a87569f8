/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of an audit and the calls of audit.h: the control log, the units, the draws, the verdict. */
#include "audit_impl.h"

#include "abi.h"
#include "error.h"
#include <raffle/ext/store.h>
#include <sched.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS_MOST = 64
};

void raffle_verdict_init(raffle_verdict *verdict, size_t size)
{
    rf_struct_init(verdict, size);
}

void raffle_fault_init(raffle_fault *fault, size_t size)
{
    rf_struct_init(fault, size);
}

void raffle_audit_draw_init(raffle_audit_draw *draw, size_t size)
{
    rf_struct_init(draw, size);
}

void raffle_audit_options_init(raffle_audit_options *options, size_t size)
{
    rf_struct_init(options, size);
}

/* --- the handle --- */

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > THREADS_MOST ? THREADS_MOST : (unsigned)n;
}

static raffle_rc read_options(raffle_audit_options *mine, const raffle_audit_options *options, raffle_error *err)
{
    rf_vkey vkey;
    raffle_audit_options_init(mine, sizeof *mine);
    raffle_rc rc = options == NULL ? RAFFLE_OK : rf_struct_in(mine, sizeof *mine, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (mine->threads > THREADS_MOST)
        return rf_fail(err, RAFFLE_INVALID, "options: %u threads; %d are the most", mine->threads, (int)THREADS_MOST);
    if (mine->threads == 0)
        mine->threads = processors();
    const size_t length = strnlen(mine->control_key, sizeof mine->control_key);
    if (length == sizeof mine->control_key)
        return rf_fail(err, RAFFLE_INVALID, "options: the control key does not end");
    return length == 0 ? RAFFLE_OK : rf_vkey_parse(&vkey, mine->control_key, length, err);
}

/* What only the checks need. */
static void drop_work(raffle_audit *a)
{
    for (size_t i = 0; a->unit != NULL && i < a->units; i++) {
        rf_voids_clear(&a->unit[i].voids);
        free(a->unit[i].mark);
        free(a->unit[i].tier);
    }
    free(a->unit);
    for (size_t i = 0; i < a->seals; i++)
        free(a->sealed[i].tier);
    a->seals = 0;
    free(a->sealed);
    free(a->control_void);
    rf_syncs_clear(&a->syncs);
    for (size_t i = 0; a->allowed != NULL && i < a->alloweds; i++)
        free(a->allowed[i].change);
    free(a->allowed);
    rf_control_clear(&a->control);
    rf_stamps_clear(&a->stamps);
    rf_promises_clear(&a->promises);
    rf_sha256_free(a->hash);
    raffle_store_free(a->store);
    a->unit = NULL;
    a->sealed = NULL;
    a->control_void = NULL;
    a->allowed = NULL;
    a->hash = NULL;
    a->store = NULL;
}

void raffle_audit_free(raffle_audit *a)
{
    if (a == NULL)
        return;
    drop_work(a);
    rf_faults_clear(&a->faults);
    free(a->draw);
    free(a);
}

raffle_rc rf_audit_progress(raffle_audit *a, uint64_t records, raffle_error *err)
{
    a->done += records;
    if (a->options.progress == NULL)
        return RAFFLE_OK;
    raffle_error theirs = RAFFLE_ERROR_INIT;
    raffle_rc rc = a->options.progress(a->options.progress_ctx, a->done, a->total, &theirs);
    if (rc == RAFFLE_OK)
        return rc;
    if (theirs.rc == rc)
        return rf_fail_as(err, &theirs);
    return rf_fail(err, rc, "the audit was ended after %llu of %llu records", (unsigned long long)a->done,
                   (unsigned long long)a->total);
}

/* --- the audit --- */

static void conclude(raffle_audit *a)
{
    raffle_verdict *v = &a->verdict;
    v->struct_size = sizeof *v;
    v->draws = (uint32_t)a->draws;
    v->timestamps = a->stamps.good;
    v->timestamps_trusted = a->stamps.trusted;
    v->stamped_at = a->stamps.at;
    v->integrity = a->faults.integrity;
    v->incomplete = a->faults.incomplete;
    v->faults = v->integrity + v->incomplete;
    v->passed = v->faults == 0;
    v->withheld = a->withheld;
    /* A draw that follows from its seed proves little when the records around it are not right, whoever vouches for the seed: what was in the drum is not
     * what was sold. */
    for (size_t i = 0; i < a->draws; i++)
        if (a->draw[i].assurance != RAFFLE_ASSURANCE_WRONG && v->integrity > 0)
            a->draw[i].assurance = RAFFLE_ASSURANCE_OPERATOR;
}

static void note_currency(raffle_audit *a)
{
    const rf_rules *rules = a->control.rules;
    if (rules == NULL)
        return;
    memcpy(a->verdict.currency, rules->currency, sizeof rules->currency);
    a->verdict.digits = (uint32_t)rules->digits;
}

/* Faults of a copy that was published anew meanwhile say nothing: what was read may be of two moments, and tiles of the first be gone. */
static raffle_rc check_moment(raffle_audit *a, raffle_error *err)
{
    size_t length;
    char manifest[1];
    raffle_error why = RAFFLE_ERROR_INIT;
    if (a->faults.integrity + a->faults.incomplete == 0)
        return RAFFLE_OK;
    return rf_store_manifest(a->store, manifest, sizeof manifest, &length, &why) == RAFFLE_BUSY ? rf_fail_as(err, &why)
                                                                                                : RAFFLE_OK;
}

static raffle_rc run(raffle_audit *a, raffle_error *err)
{
    raffle_rc rc = rf_store_origin(a->store, a->origin, err);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "the store holds no raffle");
    if (rc == RAFFLE_OK)
        rc = rf_check_control(a, err);
    if (rc == RAFFLE_OK)
        rc = rf_audit_progress(a, 0, err);
    if (rc == RAFFLE_OK)
        rc = rf_check_units(a, err);
    if (rc != RAFFLE_OK)
        return rc;
    a->verdict.receipts = a->promises.given;
    a->verdict.receipts_kept = rf_promises_end(&a->promises, &a->control, a->units, &a->faults);
    rc = rf_check_draws(a, err);
    return rc == RAFFLE_OK && a->published ? check_moment(a, err) : rc;
}

raffle_rc raffle_audit_run_with(raffle_store *store, const raffle_audit_options *options, raffle_audit **out,
                                raffle_error *err)
{
    raffle_audit_options mine;
    if (store == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : "out");
    raffle_rc rc = read_options(&mine, options, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (sodium_init() < 0)
        return rf_fail(err, RAFFLE_IO, "libsodium finds no source of randomness");
    raffle_audit *a = calloc(1, sizeof *a);
    if (a == NULL)
        return rf_nomem(err);
    a->options = mine;
    a->store = rf_store_ref(store);
    a->published = rf_store_published(store);
    a->hash = rf_sha256_new();
    rf_control_init(&a->control);
    rc = a->hash == NULL ? rf_nomem(err) : run(a, err);
    if (rc != RAFFLE_OK) {
        raffle_audit_free(a);
        return rc;
    }
    note_currency(a);
    drop_work(a);
    conclude(a);
    *out = a;
    return RAFFLE_OK;
}

raffle_rc raffle_audit_run(const char *uri, const raffle_host *host, const raffle_audit_options *options,
                           raffle_audit **out, raffle_error *err)
{
    raffle_store *store = NULL;
    if (uri == NULL || out == NULL)
        return rf_null(err, uri == NULL ? "store" : "out");
    raffle_rc rc = raffle_store_open(uri, host, &store, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_audit_run_with(store, options, out, err);
    raffle_store_free(store);
    return rc;
}

/* --- what it found --- */

raffle_rc raffle_audit_verdict(const raffle_audit *audit, raffle_verdict *verdict, raffle_error *err)
{
    if (audit == NULL)
        return rf_null(err, "audit");
    raffle_rc rc = rf_struct_check(verdict, "verdict", err);
    if (rc == RAFFLE_OK)
        rf_struct_out(verdict, rf_struct_size(verdict), &audit->verdict, sizeof audit->verdict);
    return rc;
}

raffle_rc raffle_audit_fault_at(const raffle_audit *audit, uint64_t i, raffle_fault *fault, raffle_error *err)
{
    if (audit == NULL)
        return rf_null(err, "audit");
    raffle_rc rc = rf_struct_check(fault, "fault", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (i >= audit->faults.n)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%zu faults were kept", audit->faults.n);
    rf_struct_out(fault, rf_struct_size(fault), &audit->faults.kept[i], sizeof *fault);
    return RAFFLE_OK;
}

raffle_rc raffle_audit_draw_at(const raffle_audit *audit, uint32_t i, raffle_audit_draw *draw, raffle_error *err)
{
    if (audit == NULL)
        return rf_null(err, "audit");
    raffle_rc rc = rf_struct_check(draw, "draw", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (i >= audit->draws)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%zu draws were replayed", audit->draws);
    rf_struct_out(draw, rf_struct_size(draw), &audit->draw[i], sizeof *draw);
    return RAFFLE_OK;
}

raffle_rc raffle_audit_store(const char *store, const raffle_host *host, const char *control_key,
                             raffle_verdict *verdict, raffle_error *err)
{
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    raffle_rc rc = rf_struct_check(verdict, "verdict", err);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t length = control_key == NULL ? 0 : strnlen(control_key, sizeof options.control_key);
    if (length == sizeof options.control_key)
        return rf_fail(err, RAFFLE_INVALID, "the control key is too long");
    if (length > 0)
        memcpy(options.control_key, control_key, length);
    rc = raffle_audit_run(store, host, &options, &audit, err);
    if (rc == RAFFLE_OK)
        rc = raffle_audit_verdict(audit, verdict, err);
    raffle_audit_free(audit);
    return rc;
}
