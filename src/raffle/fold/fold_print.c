/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over counterfoils: which draw numbers have one, and what was printed again, by two (GLI-31 2.4, 3.3.2). */
#include "fold_drum.h"

#include "error.h"
#include "fold_draw.h"
#include <stdlib.h>

static raffle_rc add(rf_printed_list *list, const rf_printed *printed, raffle_error *err)
{
    if (list->n == list->cap) {
        const size_t cap = list->cap > 0 ? 2 * list->cap : 16;
        rf_printed *grown = realloc(list->at, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        list->at = grown;
        list->cap = cap;
    }
    list->at[list->n++] = *printed;
    return RAFFLE_OK;
}

/* How many records of the unit there are its own log tells. */
static raffle_rc apply_print(rf_control *c, rf_unit_row *u, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_PRINT, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if ((uint64_t)r->first != u->printed + 1 || r->count == 0)
        return rf_fail(err, RAFFLE_SEQUENCE, "%lld counterfoils from %lld on: unit %lld has them up to %llu",
                       (long long)r->count, (long long)r->first, (long long)r->unit, (unsigned long long)u->printed);
    if (u->printed + (uint64_t)r->count > (uint64_t)RF_JSON_INT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "unit %lld has more counterfoils than a record can say", (long long)r->unit);
    rc = add(&c->printed,
             &(rf_printed){.unit = (uint32_t)r->unit,
                           .first = (uint64_t)r->first,
                           .count = (uint64_t)r->count,
                           .size = (uint64_t)r->size,
                           .index = c->size},
             err);
    if (rc == RAFFLE_OK)
        u->printed += (uint64_t)r->count;
    return rc;
}

/* Counterfoils that were printed, or a ticket. */
static raffle_rc apply_reprint(rf_control *c, const rf_unit_row *u, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_REPRINT, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool ticket = rf_has(r, RF_F_SERIAL);
    if (rf_has(r, RF_F_FIRST) == ticket || rf_has(r, RF_F_COUNT) == ticket)
        return rf_fail(err, RAFFLE_CORRUPT, "what is printed again is a ticket or a range of counterfoils");
    if (!ticket && (r->first < 1 || r->count < 1 || (uint64_t)r->first > u->printed ||
                    (uint64_t)r->count > u->printed - (uint64_t)r->first + 1))
        return rf_fail(err, RAFFLE_NOT_FOUND, "%lld counterfoils from %lld on: unit %lld has them up to %llu",
                       (long long)r->count, (long long)r->first, (long long)r->unit, (unsigned long long)u->printed);
    return add(&c->reprinted,
               &(rf_printed){.unit = (uint32_t)r->unit,
                             .first = ticket ? 0 : (uint64_t)r->first,
                             .count = ticket ? 0 : (uint64_t)r->count,
                             .serial = ticket ? (uint64_t)r->serial : 0,
                             .index = c->size},
               err);
}

raffle_rc rf_print_apply(rf_control *c, const rf_record *r, raffle_error *err)
{
    if ((uint64_t)r->unit > c->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %lld", (long long)r->unit);
    rf_unit_row *u = &c->unit[r->unit - 1];
    return r->type == RF_PRINT ? apply_print(c, u, r, err) : apply_reprint(c, u, r, err);
}
