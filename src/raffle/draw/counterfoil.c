/* SPDX-License-Identifier: Apache-2.0 */
/* Counterfoils (GLI-31 2.4): made from the tickets' records and never typed, counted as they are printed, and printed again by two. */
#include "ticket.h"

#include "bytes.h"
#include "error.h"
#include "find_number.h"
#include "unit_impl.h"
#include "validation.h"
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 256 /* tickets that are read at once */
};

/* --- the walk --- */

typedef struct walk {
    raffle *raffle;
    rf_unit *unit;
    rf_sha256 *hash;
    raffle_counterfoil_take take;
    void *ctx;
    uint64_t first, end;                /* draw numbers from `first` on, before `end` */
    rf_printed_list printed, reprinted; /* of the unit, as they were when the walk began */
    size_t next;                        /* the first printing that does not end before the number under way */
    size_t n;
    rf_ticket_at ticket[BATCH];
} walk;

static raffle_rc take_ticket(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    walk *w = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && r.type == RF_SALE)
        w->ticket[w->n++] = (rf_ticket_at){
            .serial = bytes->index, .first = (uint64_t)r.n, .count = r.count, .price = r.price, .at = r.at};
    return rc;
}

/* Those of the list that are of the unit's counterfoils. */
static raffle_rc copy_printed(const rf_printed_list *list, uint32_t unit, rf_printed_list *out, raffle_error *err)
{
    for (size_t i = 0; i < list->n; i++)
        out->cap += list->at[i].unit == unit && list->at[i].count > 0;
    if (out->cap == 0)
        return RAFFLE_OK;
    out->at = calloc(out->cap, sizeof *out->at);
    if (out->at == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].unit == unit && list->at[i].count > 0)
            out->at[out->n++] = list->at[i];
    return RAFFLE_OK;
}

static raffle_rc read_printed(walk *w, raffle_error *err)
{
    raffle *r = w->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    raffle_rc rc = copy_printed(&r->control.printed, w->unit->number, &w->printed, err);
    if (rc == RAFFLE_OK)
        rc = copy_printed(&r->control.reprinted, w->unit->number, &w->reprinted, err);
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

static bool covers(const rf_printed *p, uint64_t number)
{
    return number >= p->first && number - p->first < p->count;
}

/* Numbers come in their order, and so do the printings of a unit: each is passed once. */
static const rf_printed *printing_of(walk *w, uint64_t number)
{
    while (w->next < w->printed.n && number >= w->printed.at[w->next].first + w->printed.at[w->next].count)
        w->next++;
    return w->next < w->printed.n && covers(&w->printed.at[w->next], number) ? &w->printed.at[w->next] : NULL;
}

static uint32_t print_flags(walk *w, uint64_t number, bool is_void, uint32_t log, uint64_t index)
{
    uint32_t flags = is_void ? RAFFLE_COUNTERFOIL_VOID : 0;
    const rf_printed *p = printing_of(w, number);
    const bool was_void = p != NULL && is_void && index < (log == 0 ? p->index : p->size);
    flags |= p != NULL && !was_void ? RAFFLE_COUNTERFOIL_PRINTED : 0;
    flags |= p != NULL && is_void && !was_void ? RAFFLE_COUNTERFOIL_IN_DRUM : 0;
    for (size_t i = 0; i < w->reprinted.n; i++)
        flags |= covers(&w->reprinted.at[i], number) ? RAFFLE_COUNTERFOIL_REPRINTED : 0;
    return flags;
}

static raffle_rc give_ticket(walk *w, const rf_ticket_at *ticket, raffle_error *err)
{
    raffle *r = w->raffle;
    bool is_void = false;
    uint32_t log = 0;
    uint64_t index = 0;
    raffle_counterfoil c = {.struct_size = sizeof c,
                            .unit = w->unit->number,
                            .serial = ticket->serial,
                            .at = ticket->at,
                            .price = ticket->price};
    raffle_rc rc = rf_void_find(r, c.unit, c.serial, &is_void, &log, &index, err);
    if (rc == RAFFLE_OK)
        rf_vn_make(w->hash, c.validation, w->unit->ku, c.unit, c.serial, c.at);
    const uint64_t end = ticket->first + (uint64_t)ticket->count;
    for (c.number = ticket->first > w->first ? ticket->first : w->first;
         rc == RAFFLE_OK && c.number < end && c.number < w->end; c.number++) {
        c.flags = print_flags(w, c.number, is_void, log, index);
        rc = w->take(w->ctx, &c, err);
    }
    return rc;
}

static raffle_rc give_all(walk *w, uint64_t serial, uint64_t size, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    while (rc == RAFFLE_OK && serial < size) {
        const uint64_t n = size - serial < BATCH ? size - serial : BATCH;
        w->n = 0;
        rc = rf_store_read(w->raffle->store, w->unit->number, serial, n, take_ticket, w, err);
        for (size_t i = 0; rc == RAFFLE_OK && i < w->n; i++) {
            if (w->ticket[i].first >= w->end)
                return RAFFLE_OK;
            rc = give_ticket(w, &w->ticket[i], err);
        }
        serial += n;
    }
    return rc;
}

raffle_rc raffle_counterfoils(raffle *r, uint32_t unit, uint64_t first, uint64_t count, raffle_counterfoil_take take,
                              void *ctx, raffle_error *err)
{
    rf_unit_state state;
    rf_ticket_at at;
    walk w = {.raffle = r, .take = take, .ctx = ctx, .first = first};
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && take == NULL)
        rc = rf_null(err, "take");
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &w.unit, err);
    if (rc == RAFFLE_OK && w.unit->ku == NULL)
        rc = rf_unit_no_ticket_key(w.unit, "counterfoils", err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(w.unit, &state, err);
    if (rc == RAFFLE_OK && count > state.numbers)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "unit %u has sold %llu draw numbers, not %llu", unit,
                     (unsigned long long)state.numbers, (unsigned long long)count);
    if (rc == RAFFLE_OK)
        rc = rf_find_number(r->store, unit, state.size, state.numbers, first, &at, err);
    if (rc != RAFFLE_OK)
        return rc;
    w.end = count == 0 || count > state.numbers - first + 1 ? state.numbers + 1 : first + count;
    w.hash = rf_sha256_new();
    rc = w.hash != NULL ? read_printed(&w, err) : rf_nomem(err);
    if (rc == RAFFLE_OK)
        rc = give_all(&w, at.serial, state.size, err);
    rf_sha256_free(w.hash);
    free(w.printed.at);
    free(w.reprinted.at);
    return rc;
}

/* --- what is printed --- */

raffle_rc raffle_print(raffle *r, const raffle_actor *by, uint32_t unit, uint64_t first, uint64_t count,
                       raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    rf_unit_state state;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc == RAFFLE_OK && (first < 1 || count < 1 || first > state.numbers || count > state.numbers - first + 1))
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "unit %u has sold %llu draw numbers, not %llu from %llu on", unit,
                     (unsigned long long)state.numbers, (unsigned long long)count, (unsigned long long)first);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {.type = RF_PRINT,
                        .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_FIRST) | rf_bit(RF_F_COUNT) | rf_bit(RF_F_SIZE),
                        .unit = unit,
                        .first = (int64_t)first,
                        .count = (int64_t)count,
                        .size = (int64_t)state.size};
    return rf_control_one(r, &actor, NULL, NULL, &record, NULL, err);
}

static raffle_rc reprint(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *reason,
                         rf_record *record, raffle_error *err)
{
    raffle_actor approver;
    raffle_rc rc = rf_approver_in(&approver, ok, by, err);
    if (rc == RAFFLE_OK && reason == NULL)
        rc = rf_null(err, "reason");
    if (rc == RAFFLE_OK && !rf_word_valid(reason, strnlen(reason, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a reprint needs a word for its reason");
    if (rc != RAFFLE_OK)
        return rc;
    record->type = RF_REPRINT;
    record->reason = rf_text_of(reason);
    record->has |= rf_bit(RF_F_UNIT) | rf_bit(RF_F_REASON);
    return rf_control_one(r, by, &approver, NULL, record, NULL, err);
}

raffle_rc raffle_reprint(raffle *r, const raffle_actor *by, const raffle_actor *ok, uint32_t unit, uint64_t first,
                         uint64_t count, const char *reason, raffle_error *err)
{
    raffle_actor actor;
    rf_unit_row row;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_row_get(r, unit, &row, err);
    if (rc == RAFFLE_OK && (first < 1 || count < 1 || first > row.printed || count > row.printed - first + 1))
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "unit %u has counterfoils up to %llu, not %llu from %llu on", unit,
                     (unsigned long long)row.printed, (unsigned long long)count, (unsigned long long)first);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {
        .has = rf_bit(RF_F_FIRST) | rf_bit(RF_F_COUNT), .unit = unit, .first = (int64_t)first, .count = (int64_t)count};
    return reprint(r, &actor, ok, reason, &record, err);
}

raffle_rc raffle_ticket_reprint(raffle *r, const raffle_actor *by, const raffle_actor *ok, uint32_t unit,
                                uint64_t serial, const char *reason, raffle_error *err)
{
    raffle_actor actor;
    rf_sold sold;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(r, unit, serial, 1, &sold, err);
    if (rc == RAFFLE_OK && (sold.ticket.flags & RAFFLE_TICKET_VOID) != 0)
        rc = rf_fail(err, RAFFLE_VOIDED, "ticket %u/%llu is void", unit, (unsigned long long)serial);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {.has = rf_bit(RF_F_SERIAL), .unit = unit, .serial = (int64_t)serial};
    return reprint(r, &actor, ok, reason, &record, err);
}
