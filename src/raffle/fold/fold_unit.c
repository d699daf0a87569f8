/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over a unit's log: sales, voids, events and the close (GLI-31 2.2, 2.3.3, 2.6.2, 4.4.1). */
#include "error.h"
#include "fold_keys.h"
#include "number.h"
#include <string.h>

void rf_unit_state_init(rf_unit_state *s)
{
    memset(s, 0, sizeof *s);
    s->next = 1;
}

bool rf_unit_has_room(const rf_unit_state *s, uint64_t numbers, int64_t gross)
{
    return numbers <= RF_NUMBER_MAX - s->numbers && gross <= RF_JSON_INT_MAX - s->gross;
}

static raffle_rc check_role(const rf_unit_frame *frame, rf_op op, raffle_role role, raffle_error *err)
{
    if (rf_rules_may(frame->rules, op, role))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_ROLE, "the role %s may not %s", raffle_role_name(role), rf_op_name(op));
}

static raffle_rc apply_start(const rf_unit_frame *frame, const rf_record *r, raffle_error *err)
{
    if (r->unit != frame->unit || memcmp(r->open, frame->open, 32) != 0)
        return rf_fail(err, RAFFLE_MISMATCH,
                       "the log says it is unit %lld of another raffle, and not unit %u of this one",
                       (long long)r->unit, frame->unit);
    return RAFFLE_OK;
}

static raffle_rc apply_sale(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, raffle_error *err)
{
    const rf_rules *rules = frame->rules;
    int i = rf_rules_tier(rules, r->tier.text, r->tier.length);
    if (i < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no tier \"%.*s\"", (int)r->tier.length, r->tier.text);
    if (r->count != rules->tier[i].count || r->price != rules->tier[i].price)
        return rf_fail(err, RAFFLE_INVALID, "%lld numbers for %lld is not what tier \"%s\" costs", (long long)r->count,
                       (long long)r->price, rules->tier[i].name);
    if (r->at < rules->opens || r->at >= rules->closes)
        return rf_fail(err, RAFFLE_WINDOW, "a sale %lld s %s the sales window",
                       (long long)(r->at < rules->opens ? rules->opens - r->at : r->at - rules->closes) / 1000,
                       r->at < rules->opens ? "before" : "after the end of");
    raffle_rc rc = check_role(frame, RF_OP_SELL, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!rf_unit_has_room(s, (uint64_t)r->count, r->price))
        return rf_fail(err, RAFFLE_LIMIT, "unit %u has sold as much as a record can say", frame->unit);
    s->next += (uint64_t)r->count;
    s->numbers += (uint64_t)r->count;
    s->gross += r->price;
    s->tickets++;
    return RAFFLE_OK;
}

raffle_rc rf_void_reason(const rf_text *reason, raffle_error *err)
{
    static const char *const reasons[] = {"refund", "payment", "misprint", "error", "other"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (rf_text_is(reason, reasons[i]))
            return RAFFLE_OK;
    return rf_fail(err, RAFFLE_INVALID, "\"%.*s\" is no reason for a void: refund, payment, misprint, error or other",
                   (int)(reason->length < RAFFLE_WORD_MAX ? reason->length : RAFFLE_WORD_MAX), reason->text);
}

static raffle_rc apply_void(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, rf_taken_list *taken,
                            raffle_error *err)
{
    if (r->unit != frame->unit || r->serial < 1 || (uint64_t)r->serial >= s->size)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no ticket %lld/%lld to void in unit %u", (long long)r->unit,
                       (long long)r->serial, frame->unit);
    if (s->voids >= s->tickets || s->void_numbers + (uint64_t)r->count > s->numbers ||
        s->void_gross + r->price > s->gross)
        return rf_fail(err, RAFFLE_CORRUPT, "unit %u voids more than it sold", frame->unit);
    raffle_rc rc = check_role(frame, RF_OP_VOID, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_void_reason(&r->reason, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_take(taken, rf_key_void(frame->unit, (uint64_t)r->serial));
    rf_take(taken, rf_key_void_ordinal(frame->unit, s->voids));
    s->voids++;
    s->void_numbers += (uint64_t)r->count;
    s->void_gross += r->price;
    return RAFFLE_OK;
}

static raffle_rc apply_event(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, rf_taken_list *taken,
                             raffle_error *err)
{
    raffle_rc rc = check_role(frame, rf_text_is(&r->code, "clock.reset") ? RF_OP_CLOCK : RF_OP_EVENT, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_event_check(r, s->size, err);
    if (rc == RAFFLE_OK && rf_has(r, RF_F_ASK))
        rc = rf_fail(err, RAFFLE_CORRUPT, "an event of a unit's log names an asking");
    if (rc == RAFFLE_OK && rf_has(r, RF_F_OK) && !rf_rules_may(frame->rules, RF_OP_APPROVE, r->ok))
        rc = rf_fail(err, RAFFLE_APPROVAL, "the role %s may not be the second approver", raffle_role_name(r->ok));
    if (rc != RAFFLE_OK)
        return rc;
    rf_take_event(taken, r, frame->unit, s->size);
    s->events++;
    return RAFFLE_OK;
}

static raffle_rc apply_close(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, raffle_error *err)
{
    if ((uint64_t)r->tickets != s->tickets || (uint64_t)r->numbers != s->numbers || r->gross != s->gross ||
        (uint64_t)r->voids != s->voids || (uint64_t)r->void_numbers != s->void_numbers ||
        r->void_gross != s->void_gross)
        return rf_fail(err, RAFFLE_STATE_DIFFERS, "unit %u closes with totals that its records do not add up to",
                       frame->unit);
    raffle_rc rc = check_role(frame, RF_OP_CLOSE, r->by, err);
    if (rc == RAFFLE_OK)
        s->closed = 1;
    return rc;
}

raffle_rc rf_unit_apply(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, rf_taken_list *taken,
                        raffle_error *err)
{
    raffle_rc rc;
    if (taken != NULL)
        taken->n = 0;
    if (s->closed)
        return rf_fail(err, RAFFLE_CLOSED, "unit %u is closed", frame->unit);
    if ((s->size == 0) != (r->type == RF_UNIT_START))
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of unit %u is a %s", (unsigned long long)s->size, frame->unit,
                       rf_type_name(r->type));
    if (!rf_has(r, RF_F_N) || (uint64_t)r->n != s->next)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of unit %u has n %lld; the next draw number is %llu",
                       (unsigned long long)s->size, frame->unit, (long long)r->n, (unsigned long long)s->next);
    if (r->at < s->last_at && !(r->type == RF_EVENT && rf_text_is(&r->code, "clock.reset")))
        return rf_fail(err, RAFFLE_CLOCK, "record %llu of unit %u is %lld ms earlier than the one before it",
                       (unsigned long long)s->size, frame->unit, (long long)(s->last_at - r->at));
    switch (r->type) {
    case RF_UNIT_START:
        rc = apply_start(frame, r, err);
        break;
    case RF_SALE:
        rc = apply_sale(frame, s, r, err);
        break;
    case RF_VOID:
        rc = apply_void(frame, s, r, taken, err);
        break;
    case RF_EVENT:
        rc = apply_event(frame, s, r, taken, err);
        break;
    case RF_UNIT_CLOSE:
        rc = apply_close(frame, s, r, err);
        break;
    default:
        rc = rf_fail(err, RAFFLE_CORRUPT, "a %s has no place in a unit's log", rf_type_name(r->type));
    }
    if (rc != RAFFLE_OK)
        return rc;
    s->last_at = r->at;
    s->size++;
    return RAFFLE_OK;
}
