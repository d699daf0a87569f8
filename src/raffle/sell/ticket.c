/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tickets back: by identity, by draw number, by order key, by validation number (GLI-31 2.7.1). */
#include "ticket.h"

#include "abi.h"
#include "error.h"
#include "find_number.h"
#include "fold_keys.h"
#include "order.h"
#include "unit_impl.h"
#include "validation.h"
#include <stdlib.h>
#include <string.h>

/* --- from records --- */

typedef struct reader {
    rf_sold *sold;
    uint32_t unit;
    size_t seen;
} reader;

static raffle_rc take_private(rf_sold *sold, const raffle_record *bytes, raffle_error *err)
{
    rf_private p;
    raffle_rc rc = rf_private_decode(&p, bytes->private_part, bytes->private_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    sold->has_private = true;
    sold->line = p.has & rf_bit(RF_P_LINE) ? p.line : 0;
    sold->lines = p.has & rf_bit(RF_P_LINES) ? p.lines : 1;
    bool fits = !(p.has & rf_bit(RF_P_ORDER)) || rf_text_copy(&p.order, sold->ticket.order, sizeof sold->ticket.order);
    fits = fits && (!(p.has & rf_bit(RF_P_BUYER)) || rf_text_copy(&p.buyer, sold->buyer, sizeof sold->buyer));
    fits = fits && (!(p.has & rf_bit(RF_P_PAYMENT)) || rf_text_copy(&p.payment, sold->payment, sizeof sold->payment));
    return fits ? RAFFLE_OK
                : rf_fail(err, RAFFLE_CORRUPT, "a private part of ticket %llu is too long",
                          (unsigned long long)bytes->index);
}

static raffle_rc take_sale(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reader *in = ctx;
    rf_sold *sold = &in->sold[in->seen];
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r.type != RF_SALE)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%u/%llu is no ticket", in->unit, (unsigned long long)bytes->index);
    memset(sold, 0, sizeof *sold);
    sold->ticket = (raffle_ticket){.struct_size = sizeof sold->ticket,
                                   .unit = in->unit,
                                   .count = (uint32_t)r.count,
                                   .serial = bytes->index,
                                   .first = (uint64_t)r.n,
                                   .price = r.price,
                                   .at = r.at};
    if (!rf_text_copy(&r.tier, sold->ticket.tier, sizeof sold->ticket.tier))
        return rf_fail(err, RAFFLE_CORRUPT, "the tier of ticket %u/%llu is too long", in->unit,
                       (unsigned long long)bytes->index);
    in->seen++;
    return bytes->private_part == NULL ? RAFFLE_OK : take_private(sold, bytes, err);
}

raffle_rc rf_void_find(raffle *r, uint32_t unit, uint64_t serial, bool *is_void, uint32_t *log, uint64_t *index,
                       raffle_error *err)
{
    raffle_store_key row;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    rf_taken key = rf_key_void(unit, serial);
    raffle_rc rc = rf_store_find(r->store, key.scope, key.key, key.length, &row, &quiet);
    *is_void = rc == RAFFLE_OK;
    if (rc == RAFFLE_OK && log != NULL)
        *log = row.log;
    if (rc == RAFFLE_OK && index != NULL)
        *index = row.index;
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &quiet);
}

static bool was_reprinted(raffle *r, uint32_t unit, uint64_t serial)
{
    bool was = false;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_printed_list *list = &r->control.reprinted;
    for (size_t i = 0; i < list->n && !was; i++)
        was = list->at[i].unit == unit && list->at[i].serial == serial;
    pthread_rwlock_unlock(&r->control_lock);
    return was;
}

raffle_rc rf_sold_read(raffle *r, uint32_t unit, uint64_t index, size_t n, rf_sold *sold, raffle_error *err)
{
    reader in = {sold, unit, 0};
    raffle_rc rc = rf_store_read(r->store, unit, index, n, take_sale, &in, err);
    if (rc == RAFFLE_OK && in.seen != n)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no ticket %u/%llu", unit,
                       (unsigned long long)(index + in.seen));
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++) {
        bool is_void = false;
        rc = rf_void_find(r, unit, index + i, &is_void, NULL, NULL, err);
        sold[i].ticket.flags =
            (is_void ? RAFFLE_TICKET_VOID : 0) | (was_reprinted(r, unit, index + i) ? RAFFLE_TICKET_REPRINTED : 0);
    }
    return rc;
}

raffle_rc rf_sold_by_number(raffle *r, uint32_t unit, uint64_t number, uint64_t size, rf_sold *sold, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state state;
    rf_ticket_at at;
    raffle_rc rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc == RAFFLE_OK)
        rc = rf_find_number(r->store, unit, size < state.size ? size : state.size, state.numbers, number, &at, err);
    return rc == RAFFLE_OK ? rf_sold_read(r, unit, at.serial, 1, sold, err) : rc;
}

raffle_rc rf_sold_check_order(const rf_sold *sold, const char *order, raffle_error *err)
{
    if (!sold->has_private || strncmp(sold->ticket.order, order, RAFFLE_NAME_MAX) == 0)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_CORRUPT, "the key of this order names ticket %u/%llu, which is of another order",
                   sold->ticket.unit, (unsigned long long)sold->ticket.serial);
}

raffle_rc rf_order_find(raffle *r, const char *order, uint32_t *log, uint64_t *index, raffle_error *err)
{
    uint8_t hash[RF_ORDER_HASH_MAX];
    raffle_store_key row;
    if (r->order_key == NULL)
        return rf_fail(err, RAFFLE_KEY, "orders are found by the ticket key, and the raffle was opened without keys");
    size_t length = rf_order_hash(hash, r->order_key, order, strnlen(order, RAFFLE_NAME_MAX));
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_find(r->store, RF_SCOPE_ORDER, hash, length, &row, &why);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no order with this key");
    if (rc != RAFFLE_OK) {
        (void)rf_fail_as(err, &why);
        return rc;
    }
    *log = row.log;
    *index = row.index;
    return RAFFLE_OK;
}

raffle_rc rf_validation_find(raffle *r, const char *validation, rf_sold *sold, raffle_error *err)
{
    rf_vn vn;
    rf_unit *u;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_vn_parse(&vn, validation, strnlen(validation, 128), err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_unit_get(r, vn.unit, &u, &quiet);
    if (rc == RAFFLE_OK && u->ku == NULL)
        return rf_unit_no_ticket_key(u, "validation numbers", err);
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    const uint64_t serial = rc == RAFFLE_OK ? rf_vn_serial(hash, &vn, u->ku) : 0;
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(r, vn.unit, serial, 1, sold, &quiet);
    const bool right = rc == RAFFLE_OK && rf_vn_check(hash, &vn, u->ku, serial, sold->ticket.at);
    rf_sha256_free(hash);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        return rf_fail_as(err, &quiet);
    return right ? RAFFLE_OK : rf_fail(err, RAFFLE_INVALID, "the validation number is not one of %s", r->origin);
}

/* --- public calls --- */

raffle_rc raffle_unit_validation(raffle_unit *unit, uint64_t serial, char out[RAFFLE_VALIDATION_SIZE],
                                 raffle_error *err)
{
    rf_sold sold;
    if (unit == NULL || out == NULL)
        return rf_null(err, unit == NULL ? "unit" : "out");
    rf_unit *u = unit->unit;
    raffle_rc rc = rf_enter(u->raffle, err);
    if (rc == RAFFLE_OK && u->ku == NULL)
        return rf_unit_no_ticket_key(u, "validation numbers", err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(u->raffle, u->number, serial, 1, &sold, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    rf_vn_make(hash, out, u->ku, u->number, serial, sold.ticket.at);
    rf_sha256_free(hash);
    return RAFFLE_OK;
}

static raffle_rc give(raffle_ticket *ticket, const rf_sold *sold)
{
    rf_struct_out(ticket, rf_struct_size(ticket), &sold->ticket, sizeof sold->ticket);
    return RAFFLE_OK;
}

/* What was printed again, perhaps by another process, the control log tells. */
static raffle_rc enter(raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    return rc == RAFFLE_OK && !rf_log_halted(r->log) ? rf_log_refresh(r->log, err) : rc;
}

static raffle_rc enter_for(raffle *r, const raffle_ticket *ticket, raffle_error *err)
{
    raffle_rc rc = enter(r, err);
    return rc == RAFFLE_OK ? rf_struct_check(ticket, "ticket", err) : rc;
}

raffle_rc raffle_ticket_get(raffle *r, uint32_t unit, uint64_t serial, raffle_ticket *ticket, raffle_error *err)
{
    rf_sold sold;
    rf_unit *u;
    raffle_rc rc = enter_for(r, ticket, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(r, unit, serial, 1, &sold, err);
    return rc == RAFFLE_OK ? give(ticket, &sold) : rc;
}

raffle_rc raffle_ticket_by_number(raffle *r, const char *number, raffle_ticket *ticket, raffle_error *err)
{
    rf_sold sold;
    uint32_t unit;
    uint64_t n;
    raffle_rc rc = enter_for(r, ticket, err);
    if (rc == RAFFLE_OK)
        rc = raffle_number_parse(number, &unit, &n, err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_by_number(r, unit, n, UINT64_MAX, &sold, err);
    return rc == RAFFLE_OK ? give(ticket, &sold) : rc;
}

raffle_rc raffle_ticket_by_validation(raffle *r, const char *validation, raffle_ticket *ticket, raffle_error *err)
{
    rf_sold sold;
    raffle_rc rc = enter_for(r, ticket, err);
    if (rc == RAFFLE_OK && validation == NULL)
        return rf_null(err, "validation");
    if (rc == RAFFLE_OK)
        rc = rf_validation_find(r, validation, &sold, err);
    if (rc == RAFFLE_INVALID)
        rf_validation_failed(r);
    return rc == RAFFLE_OK ? give(ticket, &sold) : rc;
}

raffle_rc raffle_order_tickets(raffle *r, const char *order, raffle_ticket *tickets, size_t cap, size_t *n,
                               raffle_error *err)
{
    uint32_t log;
    uint64_t index;
    rf_sold first;
    raffle_rc rc = enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (order == NULL || n == NULL)
        return rf_null(err, order == NULL ? "order" : "n");
    if (cap > 0 && (rc = rf_struct_check(tickets, "tickets", err)) != RAFFLE_OK)
        return rc;
    rc = rf_order_find(r, order, &log, &index, err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(r, log, index, 1, &first, err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_check_order(&first, order, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!first.has_private)
        return rf_fail(err, RAFFLE_ERASED, "the order was sold as ticket %u/%llu, and what it held has been erased",
                       log, (unsigned long long)index);
    const size_t lines = first.lines >= 1 && first.lines <= RAFFLE_ORDER_MAX ? (size_t)first.lines : 1;
    rf_sold *sold = calloc(lines, sizeof *sold);
    if (sold == NULL)
        return rf_nomem(err);
    rc = rf_sold_read(r, log, index, lines, sold, err);
    const size_t step = cap > 0 ? rf_struct_size(tickets) : 0;
    for (size_t i = 0; rc == RAFFLE_OK && i < lines && i < cap; i++)
        rf_struct_out((char *)tickets + i * step, step, &sold[i].ticket, sizeof sold[i].ticket);
    if (rc == RAFFLE_OK)
        *n = lines;
    free(sold);
    return rc;
}

raffle_rc raffle_ticket_erase(raffle *r, const raffle_actor *by, uint32_t unit, uint64_t serial, raffle_error *err)
{
    rf_sold sold;
    rf_unit *u;
    raffle_actor actor;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && !rf_rules_may(r->rules, RF_OP_ERASE, actor.role))
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not erase", raffle_role_name(actor.role));
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_sold_read(r, unit, serial, 1, &sold, err);
    if (rc != RAFFLE_OK)
        return rc;
    /* That it was erased is said first: an erasure that nobody wrote down would look like damage. */
    rf_record event = {.type = RF_EVENT,
                       .has = rf_bit(RF_F_CODE) | rf_bit(RF_F_UNIT) | rf_bit(RF_F_SERIAL),
                       .code = rf_text_of("private.erased"),
                       .unit = unit,
                       .serial = (int64_t)serial};
    rc = rf_control_one(r, &actor, NULL, NULL, &event, NULL, err);
    return rc == RAFFLE_OK ? rf_store_erase(r->store, unit, serial, err) : rc;
}
