/* SPDX-License-Identifier: Apache-2.0 */
/* The order of promises, and their faults: "receipt" for one that is none, "promise" for one that was not kept. */
#include "promises.h"

#include "error.h"
#include "receipt_verify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static int by_control(const void *left, const void *right)
{
    const rf_promise *a = left, *b = right;
    return (a->control_size > b->control_size) - (a->control_size < b->control_size);
}

static int by_unit(const void *left, const void *right)
{
    const rf_promise *a = left, *b = right;
    return (a->unit > b->unit) - (a->unit < b->unit);
}

static void sort(rf_promises *p, int (*order)(const void *, const void *))
{
    if (p->n > 1)
        qsort(p->promise, p->n, sizeof *p->promise, order);
}

static rf_promise *make_room(rf_promises *p)
{
    if (p->n == p->cap) {
        const size_t cap = p->cap > 0 ? 2 * p->cap : 16;
        rf_promise *grown = realloc(p->promise, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        p->promise = grown;
        p->cap = cap;
    }
    return &p->promise[p->n];
}

/* Anybody can write a file that is no receipt: it says nothing about what is there, only that something was not shown. */
static raffle_rc add(rf_promises *p, const char *name, const char *text, size_t length, const char *key,
                     rf_faults *faults, raffle_error *err)
{
    rf_receipt_roots roots;
    raffle_receipt_info info = RAFFLE_RECEIPT_INFO_INIT;
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_promise *promise = make_room(p);
    if (promise == NULL)
        return rf_nomem(err);
    p->given++;
    raffle_rc rc = rf_receipt_verify(text, length, key, &info, &roots, &why);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    if (rc != RAFFLE_OK) {
        rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, 0, 0, "receipt", "%.95s is no receipt of this raffle: %s", name,
                 why.message);
        return RAFFLE_OK;
    }
    *promise = (rf_promise){
        .unit = info.unit, .serial = info.serial, .control_size = info.control_size, .unit_size = info.unit_size};
    memcpy(promise->control_root, roots.control, 32);
    memcpy(promise->unit_root, roots.unit, 32);
    snprintf(promise->name, sizeof promise->name, "%s", name);
    p->n++;
    return RAFFLE_OK;
}

raffle_rc rf_promises_read(rf_promises *p, const raffle_audit_options *options, const char *key, rf_faults *faults,
                           raffle_error *err)
{
    if (options->receipt == NULL || p->read)
        return RAFFLE_OK;
    p->read = true;
    for (uint64_t i = 0;; i++) {
        const char *name = NULL, *text = NULL;
        size_t length = 0;
        raffle_error theirs = RAFFLE_ERROR_INIT;
        raffle_rc rc = options->receipt(options->receipt_ctx, i, &name, &text, &length, &theirs);
        if (rc == RAFFLE_NOT_FOUND)
            break;
        if (rc != RAFFLE_OK && theirs.rc == rc)
            return rf_fail_as(err, &theirs);
        if (rc != RAFFLE_OK || name == NULL || text == NULL)
            return rf_fail(err, rc != RAFFLE_OK ? rc : RAFFLE_MISUSE, "receipt %llu could not be had",
                           (unsigned long long)i);
        rc = add(p, name, text, length, key, faults, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    sort(p, by_control);
    return RAFFLE_OK;
}

/* --- the control log --- */

/* One fault a receipt. */
static void break_promise(rf_promise *promise, int32_t kind, uint32_t log, uint64_t index, const char *sentence,
                          uint64_t size, rf_faults *faults)
{
    if (promise->broken)
        return;
    promise->broken = true;
    rf_fault(faults, kind, log, index, "promise", "%s: ticket %u/%llu: %s %llu records", promise->name, promise->unit,
             (unsigned long long)promise->serial, sentence, (unsigned long long)size);
}

void rf_promises_at_control(rf_promises *p, uint64_t size, const uint8_t root[32], rf_faults *faults)
{
    for (; p->next < p->n && p->promise[p->next].control_size <= size; p->next++)
        if (memcmp(p->promise[p->next].control_root, root, 32) != 0)
            break_promise(&p->promise[p->next], RAFFLE_FAULT_INTEGRITY, 0, size,
                          "the receipt has another root of the control log's first", size, faults);
}

void rf_promises_end_control(rf_promises *p, uint64_t size, rf_faults *faults)
{
    for (; p->next < p->n; p->next++)
        break_promise(&p->promise[p->next], RAFFLE_FAULT_COMPLETENESS, 0, size,
                      "the control log is shorter than the receipt's", p->promise[p->next].control_size, faults);
    sort(p, by_unit);
}

/* --- units --- */

rf_promise *rf_promises_of(const rf_promises *p, uint32_t unit, size_t *n)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (p->promise[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    *n = 0;
    while (low + *n < p->n && p->promise[low + *n].unit == unit)
        ++*n;
    return *n > 0 ? p->promise + low : NULL;
}

void rf_promise_at_unit(rf_promise *promise, uint64_t size, const uint8_t *root, rf_faults *faults)
{
    if (root == NULL)
        break_promise(promise, RAFFLE_FAULT_COMPLETENESS, promise->unit, size,
                      "the unit's log is shorter than the receipt's", promise->unit_size, faults);
    else if (memcmp(promise->unit_root, root, 32) != 0)
        break_promise(promise, RAFFLE_FAULT_INTEGRITY, promise->unit, promise->unit_size,
                      "the receipt has another root of the unit's first", promise->unit_size, faults);
}

static bool in_drum(const rf_seal_state *final, const rf_promise *promise)
{
    return promise->unit <= final->units && promise->serial < final->unit[promise->unit - 1].size;
}

uint64_t rf_promises_end(rf_promises *p, const rf_control *control, size_t units, rf_faults *faults)
{
    uint64_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        rf_promise *promise = &p->promise[i];
        if (promise->unit > units)
            rf_promise_at_unit(promise, 0, NULL, faults);
        else if (control->final.kind != 0 && !in_drum(&control->final, promise))
            break_promise(promise, RAFFLE_FAULT_COMPLETENESS, 0, control->final.index,
                          "the final seal left it out; it has of the unit",
                          promise->unit <= control->final.units ? control->final.unit[promise->unit - 1].size : 0,
                          faults);
        kept += !promise->broken;
    }
    return kept;
}

void rf_promises_clear(rf_promises *p)
{
    free(p->promise);
    *p = (rf_promises){0};
}
