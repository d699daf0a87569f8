/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults. */
#include "faults.h"

#include "error.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static raffle_fault *make_room(rf_faults *f)
{
    if (f->n == RF_FAULTS_KEPT)
        return NULL;
    if (f->n == f->cap) {
        size_t cap = f->cap > 0 ? 2 * f->cap : 8;
        raffle_fault *grown = realloc(f->kept, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        f->kept = grown;
        f->cap = cap;
    }
    return &f->kept[f->n++];
}

static void count(rf_faults *f, int32_t kind)
{
    f->integrity += kind == RAFFLE_FAULT_INTEGRITY;
    f->incomplete += kind == RAFFLE_FAULT_COMPLETENESS;
}

static void __attribute__((format(printf, 2, 0))) keep(raffle_fault *fault, const char *format, va_list arguments)
{
    char sentence[sizeof fault->message];
    raffle_error cut = RAFFLE_ERROR_INIT;
    /* When it reads several files the checker forgets the caller's va_start(). NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    if (vsnprintf(sentence, sizeof sentence, format, arguments) < 0)
        sentence[0] = '\0';
    (void)rf_fail(&cut, RAFFLE_CORRUPT, "%s", sentence); /* whole characters, and no control characters */
    memcpy(fault->message, cut.message, strnlen(cut.message, sizeof fault->message - 1));
}

void rf_fault(rf_faults *f, int32_t kind, uint32_t log, uint64_t index, const char *code, const char *format, ...)
{
    va_list arguments;
    count(f, kind);
    raffle_fault *fault = make_room(f);
    if (fault == NULL)
        return;
    *fault = (raffle_fault){.struct_size = sizeof *fault, .kind = kind, .log = log, .index = index};
    memcpy(fault->code, code, strnlen(code, sizeof fault->code - 1));
    va_start(arguments, format);
    keep(fault, format, arguments);
    va_end(arguments);
}

/* The surroundings, and how the store was called: they say nothing about the raffle. */
static bool is_own_failure(raffle_rc rc)
{
    return rc == RAFFLE_MISUSE || rc == RAFFLE_UNSUPPORTED || (rc >= RAFFLE_NOMEM && rc < RAFFLE_CORRUPT);
}

raffle_rc rf_fault_or_fail(rf_faults *f, uint32_t log, uint64_t index, const char *code, const raffle_error *why,
                           raffle_error *err)
{
    if (is_own_failure(why->rc))
        return rf_fail_as(err, why);
    rf_fault(f, RAFFLE_FAULT_INTEGRITY, log, index, code, "%s", why->message);
    return RAFFLE_OK;
}

void rf_faults_move(rf_faults *to, rf_faults *from)
{
    to->integrity += from->integrity;
    to->incomplete += from->incomplete;
    for (size_t i = 0; i < from->n; i++) {
        raffle_fault *room = make_room(to);
        if (room == NULL)
            break;
        *room = from->kept[i];
    }
    from->n = 0;
    from->integrity = from->incomplete = 0;
}

void rf_faults_clear(rf_faults *f)
{
    free(f->kept);
    memset(f, 0, sizeof *f);
}
