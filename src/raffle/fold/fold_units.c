/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over what the control log says of sales units: enrolled, enabled, disabled (GLI-31 6.1.3), and, of one that is away, what it uploaded
 * (6.1.4). */
#include "fold_units.h"
#include "fold_draw.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

/* A till without a link sells into memory that is bounded, and does not sell for ever. */
static raffle_rc check_away(const rf_record *r, raffle_error *err)
{
    if (rf_has(r, RF_F_AWAY) != rf_has(r, RF_F_NOTE))
        return rf_fail(err, RAFFLE_CORRUPT, "unit %lld is enrolled with %s", (long long)r->unit,
                       rf_has(r, RF_F_AWAY) ? "no proof of its key" : "a proof that only one that is away gives");
    if (rf_has(r, RF_F_AWAY) && (r->away > RAFFLE_AWAY_HOURS_MAX || r->quota == 0))
        return rf_fail(err, RAFFLE_LIMIT, "unit %lld is away, and has %s", (long long)r->unit,
                       r->quota == 0 ? "no quota" : "too many hours");
    return RAFFLE_OK;
}

static raffle_rc apply_enrol(rf_control *c, const rf_record *r, raffle_error *err)
{
    if (c->units >= RAFFLE_UNIT_MAX || (uint64_t)r->unit != c->units + 1)
        return rf_fail(err, RAFFLE_CORRUPT, "unit %lld is enrolled after unit %zu", (long long)r->unit, c->units);
    raffle_rc rc = check_away(r, err);
    if (rc == RAFFLE_OK && rf_has(r, RF_F_AWAY) && c->rules->buyer_tickets > 0)
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "unit %lld is away, where the tickets of a buyer cannot be counted",
                     (long long)r->unit);
    if (rc != RAFFLE_OK)
        return rc;
    rf_unit_row row = {.quota = (uint64_t)r->quota,
                       .index = c->size,
                       .away = rf_has(r, RF_F_AWAY),
                       .away_hours = rf_has(r, RF_F_AWAY) ? (uint32_t)r->away : 0,
                       .heard = r->at};
    if (!rf_text_copy(&r->name, row.name, sizeof row.name) || !rf_text_copy(&r->key, row.key, sizeof row.key))
        return rf_fail(err, RAFFLE_CORRUPT, "the name or key of unit %lld is too long", (long long)r->unit);
    memcpy(row.ticket_key, r->ticket_key, 32);
    memcpy(row.sync_root, rf_empty_root, 32);
    rf_unit_row *grown = realloc(c->unit, (c->units + 1) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    c->unit = grown;
    c->unit[c->units++] = row;
    return RAFFLE_OK;
}

/* What a final seal took whole stays so; what follows a unit that it did not reconcile is kept, and never drawn. */
static raffle_rc check_sealed(const rf_control *c, const rf_record *r, raffle_error *err)
{
    const rf_seal_state *final = &c->final;
    if (final->kind == 0 || (uint64_t)r->unit > final->units || !final->unit[r->unit - 1].reconciled)
        return RAFFLE_OK;
    return (uint64_t)r->size == final->unit[r->unit - 1].size
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_CLOSED, "the final seal took %llu records of unit %lld, which were all",
                         (unsigned long long) final->unit[r->unit - 1].size, (long long)r->unit);
}

static raffle_rc apply_sync(const rf_control *c, rf_unit_row *u, const rf_record *r, raffle_error *err)
{
    if (!u->away)
        return rf_fail(err, RAFFLE_CORRUPT, "unit %lld is not away, and uploads nothing", (long long)r->unit);
    if (r->size < 1)
        return rf_fail(err, RAFFLE_CORRUPT, "unit %lld uploaded nothing", (long long)r->unit);
    if ((uint64_t)r->size < u->sync_size || (uint64_t)r->twice < u->twice)
        return rf_fail(err, RAFFLE_HISTORY, "unit %lld uploaded more than these %lld records before",
                       (long long)r->unit, (long long)r->size);
    if ((uint64_t)r->size == u->sync_size && memcmp(r->root, u->sync_root, 32) != 0)
        return rf_fail(err, RAFFLE_HISTORY, "unit %lld uploaded other %lld records before", (long long)r->unit,
                       (long long)r->size);
    raffle_rc rc = check_sealed(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    u->sync_size = (uint64_t)r->size;
    u->sync_index = c->size;
    u->twice = (uint64_t)r->twice;
    u->heard = r->at;
    memcpy(u->sync_root, r->root, 32);
    return RAFFLE_OK;
}

static void seen(rf_unit_row *u, int64_t at)
{
    u->failures = 0;
    u->missed = 0;
    u->seen = at;
}

raffle_rc rf_units_cash(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_CASH, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if ((uint64_t)r->unit > c->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %lld", (long long)r->unit);
    rf_unit_row *u = &c->unit[r->unit - 1];
    if (r->counted > RF_JSON_INT_MAX - u->counted)
        return rf_fail(err, RAFFLE_LIMIT, "unit %lld handed in more than a record can say", (long long)r->unit);
    u->counted += r->counted;
    return RAFFLE_OK;
}

void rf_units_event(rf_control *c, const rf_record *r)
{
    if (!rf_has(r, RF_F_UNIT) || (uint64_t)r->unit > c->units)
        return;
    rf_unit_row *u = &c->unit[r->unit - 1];
    const bool silent = rf_text_is(&r->code, "unit.silent");
    if (rf_text_is(&r->code, "unit.seen"))
        seen(u, r->at);
    if (silent)
        u->missed = r->at;
    if (silent || rf_text_is(&r->code, "unit.auth-failed"))
        u->failures++;
}

static raffle_rc apply_change(const rf_control *c, rf_unit_row *u, const rf_record *r, raffle_error *err)
{
    if (u->unenrolled)
        return rf_fail(err, RAFFLE_DISABLED, "unit %lld was un-enrolled", (long long)r->unit);
    switch (r->type) {
    case RF_UNIT_ENABLE:
    case RF_UNIT_DISABLE:
        if (u->enabled == (r->type == RF_UNIT_ENABLE))
            return rf_fail(err, RAFFLE_EXISTS, "unit %lld is %s already", (long long)r->unit,
                           u->enabled ? "enabled" : "disabled");
        u->enabled = r->type == RF_UNIT_ENABLE;
        u->was_enabled = u->was_enabled || u->enabled;
        if (u->enabled)
            seen(u, r->at);
        break;
    case RF_UNIT_QUOTA:
        if (u->away && r->quota == 0)
            return rf_fail(err, RAFFLE_LIMIT, "unit %lld is away, and must have a quota", (long long)r->unit);
        u->quota = (uint64_t)r->quota;
        break;
    case RF_UNIT_SYNC:
        return apply_sync(c, u, r, err);
    default:
        if (u->sync_size > 0)
            return rf_fail(err, RAFFLE_SEQUENCE, "unit %lld has uploaded records, and stays enrolled",
                           (long long)r->unit);
        u->enabled = false;
        u->unenrolled = true;
    }
    u->heard = r->at;
    return RAFFLE_OK;
}

/* An upload proves by itself who sent it: whatever serves the tills may write that it came, and shut out a till that it catches. */
static raffle_rc check_role(const rf_control *c, const rf_record *r, raffle_error *err)
{
    if ((r->type == RF_UNIT_SYNC || r->type == RF_UNIT_DISABLE) && r->by == RAFFLE_SYSTEM)
        return RAFFLE_OK;
    return rf_control_role(c, RF_OP_UNITS, r->by, err);
}

raffle_rc rf_units_apply(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_role(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->final.kind != 0 && r->type != RF_UNIT_DISABLE && r->type != RF_UNIT_SYNC)
        return rf_fail(err, RAFFLE_CLOSED, "after the final seal no unit is enrolled or changed");
    if (r->type == RF_UNIT_ENROL)
        return apply_enrol(c, r, err);
    if (r->unit < 1 || (uint64_t)r->unit > c->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %lld", (long long)r->unit);
    return apply_change(c, &c->unit[r->unit - 1], r, err);
}

raffle_rc rf_units_sealed(const rf_unit_row *u, const rf_record *r, raffle_error *err)
{
    if (r->tickets > 0 && !u->was_enabled)
        return rf_fail(err, RAFFLE_DISABLED, "the seal counts %lld tickets of unit %lld, which was never enabled",
                       (long long)r->tickets, (long long)r->unit);
    if (!u->away || ((uint64_t)r->size == u->sync_size && memcmp(r->root, u->sync_root, 32) == 0))
        return RAFFLE_OK;
    if (!r->reconciled && (uint64_t)r->size < u->sync_size) /* the rest decayed here; its root the unit's log tells */
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_CORRUPT, "the seal takes %lld records of unit %lld, which is away and uploaded %llu",
                   (long long)r->size, (long long)r->unit, (unsigned long long)u->sync_size);
}

const rf_unit_row *rf_control_unit(const rf_control *c, uint32_t number)
{
    static const rf_unit_row none = {.unenrolled = true};
    return number >= 1 && number <= c->units ? &c->unit[number - 1] : &none;
}

bool rf_units_twice(const rf_control *c)
{
    for (size_t i = 0; i < c->units; i++)
        if (c->unit[i].twice > 0)
            return true;
    return false;
}
