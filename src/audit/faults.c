/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults. */
#include "faults.h"

#include "error.h"
#include <stdarg.h>
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

void rf_fault(rf_faults *f, int32_t kind, uint32_t log, uint64_t index, const char *code, const char *format, ...)
{
    char sentence[sizeof(raffle_fault) - offsetof(raffle_fault, message)];
    raffle_error cut = RAFFLE_ERROR_INIT;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    count(f, kind);
    raffle_fault *fault = make_room(f);
    if (fault == NULL)
        return;
    *fault = (raffle_fault){.struct_size = sizeof *fault, .kind = kind, .log = log, .index = index};
    memcpy(fault->code, code, strnlen(code, sizeof fault->code - 1));
    (void)rf_fail(&cut, RAFFLE_CORRUPT, "%s", sentence); /* whole characters, and no control characters */
    memcpy(fault->message, cut.message, strnlen(cut.message, sizeof fault->message - 1));
}

raffle_rc rf_fault_or_fail(rf_faults *f, uint32_t log, uint64_t index, const char *code, const raffle_error *why,
                           raffle_error *err)
{
    switch (why->rc) {
    case RAFFLE_NOMEM:
    case RAFFLE_IO:
    case RAFFLE_BUSY:
    case RAFFLE_TIMEOUT:
    case RAFFLE_HOST:
    case RAFFLE_FORKED:
    case RAFFLE_MISUSE:
        return rf_fail_as(err, why);
    default:
        rf_fault(f, RAFFLE_FAULT_INTEGRITY, log, index, code, "%s", why->message);
        return RAFFLE_OK;
    }
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
