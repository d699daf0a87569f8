/* SPDX-License-Identifier: Apache-2.0 */
/* Voids (GLI-31 2.3.3): into the unit's log while it is open, else into the control log. */
#include "fold_draw.h"
#include "ticket.h"
#include "unit_impl.h"

#include "beacon.h"
#include "error.h"
#include <string.h>

static raffle_rc check_reason(const char *reason, raffle_error *err)
{
    if (reason == NULL)
        return rf_null(err, "reason");
    const rf_text text = {reason, strnlen(reason, RAFFLE_WORD_SIZE), false};
    return rf_void_reason(&text, err);
}

/* A ticket in a result, or an open draw, is a matter of the control log's. */
static raffle_rc check_drawn(raffle *r, uint32_t unit, uint64_t serial, raffle_error *err)
{
    pthread_rwlock_rdlock(&r->control_lock);
    bool holds = rf_control_holds_place(&r->control, unit, serial);
    pthread_rwlock_unlock(&r->control_lock);
    return holds ? rf_fail(err, RAFFLE_DRAWN, "ticket %u/%llu holds a place in a result", unit,
                           (unsigned long long)serial)
                 : RAFFLE_OK;
}

static raffle_rc check_ticket(raffle *r, uint32_t unit, uint64_t serial, rf_sold *sold, raffle_error *err)
{
    raffle_rc rc = rf_sold_read(r, unit, serial, 1, sold, err);
    if (rc == RAFFLE_OK && (sold->ticket.flags & RAFFLE_TICKET_VOID))
        return rf_fail(err, RAFFLE_VOIDED, "ticket %u/%llu is void already", unit, (unsigned long long)serial);
    return rc == RAFFLE_OK ? check_drawn(r, unit, serial, err) : rc;
}

/* Between the moment in which the outcome can be known and the result, nobody takes back a ticket that is in the drum: the provider was asked, a number called, or the
 * beacon's round is there. (The control log takes no void while a draw is open.) */
static raffle_rc check_drawing(raffle *r, uint32_t unit, uint64_t serial, int64_t at, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    if (c->open_prize >= 0) {
        const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
        const rf_seal_state *seal = rf_control_seal(c, c->open_prize);
        const bool known = rule->committed ? at >= raffle_beacon_time(rf_control_round(c, c->open_prize))
                                           : c->ask != 0 || c->calls > 0;
        if (known && unit <= seal->units && serial < seal->unit[unit - 1].size)
            rc = rf_fail(err, RAFFLE_DRAW_OPEN,
                         "ticket %u/%llu is being drawn for \"%s\"; take it back after the result", unit,
                         (unsigned long long)serial, rule->name);
    }
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

/* Within the transaction, with both logs caught up: it may have been drawn since. Where nothing is left that is not void, so is this ticket; of
 * others the key tells. */
static raffle_rc check_still_free(void *ctx, const rf_unit_state *state, rf_record *record, raffle_error *err)
{
    if (state->voids >= state->tickets || state->void_numbers + (uint64_t)record->count > state->numbers ||
        state->void_gross + record->price > state->gross)
        return rf_fail(err, RAFFLE_VOIDED, "ticket %lld/%lld is void already", (long long)record->unit,
                       (long long)record->serial);
    const uint32_t unit = (uint32_t)record->unit;
    const uint64_t serial = (uint64_t)record->serial;
    raffle_rc rc = check_drawn(ctx, unit, serial, err);
    return rc == RAFFLE_OK ? check_drawing(ctx, unit, serial, record->at, err) : rc;
}

/* While a till sells, its tickets are taken back there. One that is shut out does not come back for it. */
static raffle_rc check_away(raffle *r, const rf_unit *u, const rf_unit_state *state, raffle_error *err)
{
    rf_unit_row row;
    if (!u->away || state->closed)
        return RAFFLE_OK;
    raffle_rc rc = rf_unit_row_get(r, u->number, &row, err);
    if (rc == RAFFLE_OK && row.enabled)
        rc = rf_fail(err, RAFFLE_AWAY, "unit %u is away: its till takes tickets back, until it is closed or disabled",
                     u->number);
    return rc;
}

raffle_rc raffle_void(raffle *r, const raffle_actor *by, uint32_t unit, uint64_t serial, const char *reason,
                      raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    rf_sold sold;
    rf_unit_state state;
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = check_reason(reason, err);
    if (rc == RAFFLE_OK && !rf_rules_may(r->rules, RF_OP_VOID, actor.role))
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not void", raffle_role_name(actor.role));
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = check_ticket(r, unit, serial, &sold, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_unit_op op = {.unit = u, .by = &actor, .check = check_still_free, .ctx = r};
    raffle_error closed = RAFFLE_ERROR_INIT; /* by somebody else, a moment ago: then it goes to the control log */
    op.record = (rf_record){.type = RF_VOID,
                            .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_SERIAL) | rf_bit(RF_F_REASON) | rf_bit(RF_F_COUNT) |
                                   rf_bit(RF_F_PRICE),
                            .unit = unit,
                            .serial = (int64_t)serial,
                            .reason = rf_text_of(reason),
                            .count = sold.ticket.count,
                            .price = sold.ticket.price};
    rc = check_away(r, u, &state, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!state.closed && !rf_log_halted(u->log) && !u->away) {
        rc = rf_unit_enter_write(u, &closed);
        rc = rc == RAFFLE_OK ? rf_unit_append(&op, &closed) : rc;
        if (rc != RAFFLE_CLOSED)
            return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &closed);
    }
    return rf_control_one(r, &actor, NULL, NULL, &op.record, NULL, err);
}
