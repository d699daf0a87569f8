/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over the control log: rules, seals, acknowledgements (GLI-31 2.6), and voids there; units are in fold_units.c, events in fold_event.c,
 * draws in fold_draw.c. */
#include "fold_draw.h"
#include "fold_drum.h"

#include "error.h"
#include "fold_event.h"
#include "fold_keys.h"
#include "fold_tiers.h"
#include "fold_units.h"
#include <stdlib.h>
#include <string.h>

void rf_control_init(rf_control *c)
{
    memset(c, 0, sizeof *c);
    c->open_prize = -1;
}

void rf_control_clear(rf_control *c)
{
    for (size_t i = 0; c->prize != NULL && i < c->rules->prizes; i++)
        free(c->prize[i].place);
    free(c->prize);
    free(c->rules);
    free(c->unit);
    free(c->early.unit);
    free(c->final.unit);
    free(c->run_unit);
    free(c->pick);
    free(c->printed.at);
    free(c->reprinted.at);
    rf_control_init(c);
}

raffle_rc rf_control_role(const rf_control *c, rf_op op, raffle_role role, raffle_error *err)
{
    if (rf_rules_may(c->rules, op, role))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_ROLE, "the role %s may not %s", raffle_role_name(role), rf_op_name(op));
}

raffle_rc rf_control_approved(const rf_control *c, const rf_record *r, raffle_error *err)
{
    if (!rf_has(r, RF_F_OK))
        return rf_fail(err, RAFFLE_APPROVAL, "a %s needs a second approver here", rf_type_name(r->type));
    if (!rf_rules_may(c->rules, RF_OP_APPROVE, r->ok))
        return rf_fail(err, RAFFLE_APPROVAL, "the role %s may not be the second approver", raffle_role_name(r->ok));
    return RAFFLE_OK;
}

/* --- raffle.open --- */

static raffle_rc apply_open(rf_control *c, const rf_record *r, const uint8_t leaf_hash[32], raffle_error *err)
{
    if (r->format != 1)
        return rf_fail(err, RAFFLE_NEWER, "the raffle's records have format %lld; this build reads format 1",
                       (long long)r->format);
    if (r->by != RAFFLE_MANAGER && r->by != RAFFLE_ADMINISTRATOR)
        return rf_fail(err, RAFFLE_ROLE, "the role %s may not open a raffle", raffle_role_name(r->by));
    rf_rules *rules = malloc(sizeof *rules);
    if (rules == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_rules_parse(rules, r->rules.text, r->rules.length, err);
    rf_prize_state *prize = rc == RAFFLE_OK ? calloc(rules->prizes, sizeof *prize) : NULL;
    if (prize == NULL || !rf_text_copy(&r->key, c->key, sizeof c->key)) {
        free(rules);
        free(prize);
        return rc != RAFFLE_OK ? rc
               : prize == NULL ? rf_nomem(err)
                               : rf_fail(err, RAFFLE_CORRUPT, "the control key is too long");
    }
    for (size_t i = 0; i < rules->prizes; i++)
        prize[i].state = RAFFLE_PRIZE_WAITING;
    c->rules = rules;
    c->prize = prize;
    memcpy(c->ticket_key, r->ticket_key, 32);
    memcpy(c->open, leaf_hash, 32);
    return RAFFLE_OK;
}

/* --- seals (design section 8) --- */

/* Sums that are too large are found at the seal, by the totals that these add up to. */
static void add_tiers(rf_control *c, const rf_tier_count *tier)
{
    if (c->run == 0)
        memset(c->run_tier, 0, sizeof c->run_tier);
    for (size_t i = 0; i < c->rules->tiers; i++) {
        c->run_tier[i].tickets += tier[i].tickets;
        c->run_tier[i].voids += tier[i].voids;
    }
}

static raffle_rc apply_seal_unit(rf_control *c, const rf_record *r, raffle_error *err)
{
    rf_tier_count tier[RF_TIERS_MAX];
    raffle_rc rc = rf_control_role(c, RF_OP_SEAL, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->final.kind != 0)
        return rf_fail(err, RAFFLE_CLOSED, "the final seal is there, and no other follows it");
    if ((uint64_t)r->unit != c->run + 1 || c->run >= c->units)
        return rf_fail(err, RAFFLE_SEQUENCE, "the seal takes unit %lld after unit %zu of %zu", (long long)r->unit,
                       c->run, c->units);
    if (r->voids > r->tickets || r->void_numbers > r->numbers || r->void_gross > r->gross)
        return rf_fail(err, RAFFLE_CORRUPT, "the seal of unit %lld counts more voids than sales", (long long)r->unit);
    rc = rf_units_sealed(&c->unit[c->run], r, err);
    if (rc == RAFFLE_OK)
        rc = rf_tiers_read(c->rules, r, tier, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_seal_unit *grown = realloc(c->run_unit, (c->run + 1) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    c->run_unit = grown;
    add_tiers(c, tier);
    rf_seal_unit *u = &c->run_unit[c->run++];
    *u = (rf_seal_unit){.size = (uint64_t)r->size,
                        .tickets = (uint64_t)r->tickets,
                        .numbers = (uint64_t)r->numbers,
                        .voids = (uint64_t)r->voids,
                        .void_numbers = (uint64_t)r->void_numbers,
                        .gross = r->gross,
                        .void_gross = r->void_gross,
                        .unit = (uint32_t)r->unit,
                        .reconciled = r->reconciled};
    memcpy(u->root, r->root, 32);
    memcpy(u->void_root, r->void_root, 32);
    return RAFFLE_OK;
}

/* Sums stay within what a record can say, whatever a hostile log claims. */
static bool add(int64_t *sum, int64_t value)
{
    if (*sum > RF_JSON_INT_MAX - value)
        return false;
    *sum += value;
    return true;
}

static bool add_count(uint64_t *sum, uint64_t value)
{
    *sum += value; /* each at most 2^53-1: no overflow before the comparison */
    return *sum <= (uint64_t)RF_JSON_INT_MAX;
}

static raffle_rc sum_run(const rf_control *c, rf_seal_unit *sum, uint64_t *unreconciled, raffle_error *err)
{
    *sum = (rf_seal_unit){0};
    *unreconciled = 0;
    for (size_t i = 0; i < c->run; i++) {
        const rf_seal_unit *u = &c->run_unit[i];
        if (!add_count(&sum->tickets, u->tickets) || !add_count(&sum->numbers, u->numbers) ||
            !add_count(&sum->voids, u->voids) || !add_count(&sum->void_numbers, u->void_numbers) ||
            !add(&sum->gross, u->gross) || !add(&sum->void_gross, u->void_gross))
            return rf_fail(err, RAFFLE_LIMIT, "the units of the seal sum up to more than a record can say");
        *unreconciled += !u->reconciled;
    }
    return RAFFLE_OK;
}

static bool same_totals(const rf_seal_unit *sum, const rf_record *r)
{
    return sum->tickets == (uint64_t)r->tickets && sum->numbers == (uint64_t)r->numbers &&
           sum->voids == (uint64_t)r->voids && sum->void_numbers == (uint64_t)r->void_numbers &&
           sum->gross == r->gross && sum->void_gross == r->void_gross;
}

/* What this log can tell of it: unit.start and unit.close are two records. That the last is the close, the unit's log tells. */
static raffle_rc check_closed(const rf_control *c, const rf_record *r, raffle_error *err)
{
    for (size_t i = 0; rf_text_is(&r->kind, "final") && i < c->run; i++)
        if (c->run_unit[i].reconciled && c->run_unit[i].size < 2)
            return rf_fail(err, RAFFLE_CORRUPT, "the final seal takes %llu records of unit %zu, which is not closed",
                           (unsigned long long)c->run_unit[i].size, i + 1);
    return RAFFLE_OK;
}

static raffle_rc check_seal(const rf_control *c, const rf_record *r, const rf_seal_unit *sum, uint64_t unreconciled,
                            raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_SEAL, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->run == 0 || c->run != c->units || (uint64_t)r->units != c->units || (uint64_t)r->first != c->size - c->run)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the seal covers %lld units from record %lld on; %zu of %zu stand before it",
                       (long long)r->units, (long long)r->first, c->run, c->units);
    if (!same_totals(sum, r) || unreconciled != (uint64_t)r->unreconciled)
        return rf_fail(err, RAFFLE_STATE_DIFFERS, "the seal's totals are not the sums over its units");
    rc = check_closed(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    return unreconciled == 0 && !rf_units_twice(c) ? RAFFLE_OK : rf_control_approved(c, r, err);
}

/* An early seal serves an early prize that is not drawn. */
static raffle_rc check_waits(const rf_control *c, const rf_record *r, raffle_error *err)
{
    bool waits = !rf_text_is(&r->kind, "early");
    for (size_t i = 0; i < c->rules->prizes; i++)
        waits = waits || (c->rules->prize[i].seal == RAFFLE_SEAL_EARLY && rf_control_waits(c, i));
    return waits ? RAFFLE_OK : rf_fail(err, RAFFLE_SEQUENCE, "no prize waits for an early seal");
}

static raffle_rc apply_seal(rf_control *c, const rf_record *r, raffle_error *err)
{
    uint64_t unreconciled;
    rf_seal_unit sum;
    raffle_rc rc = sum_run(c, &sum, &unreconciled, err);
    if (rc == RAFFLE_OK)
        rc = check_seal(c, r, &sum, unreconciled, err);
    if (rc == RAFFLE_OK)
        rc = check_waits(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_seal_state *seal = rf_text_is(&r->kind, "early") ? &c->early : rf_text_is(&r->kind, "final") ? &c->final : NULL;
    if (seal == NULL)
        return rf_fail(err, RAFFLE_CORRUPT, "a seal is early or final, not \"%.*s\"", (int)r->kind.length,
                       r->kind.text);
    free(seal->unit);
    *seal = (rf_seal_state){.kind = seal == &c->early ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL,
                            .index = c->size,
                            .first = (uint64_t)r->first,
                            .unreconciled = unreconciled,
                            .at = r->at,
                            .units = c->run,
                            .unit = c->run_unit,
                            .sum = sum};
    memcpy(seal->tier, c->run_tier, sizeof seal->tier);
    c->run = 0;
    c->run_unit = NULL;
    return RAFFLE_OK;
}

static raffle_rc apply_ack(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_ACK, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_seal_state *seal = c->final.kind != 0 && c->final.index == (uint64_t)r->seal ? &c->final : &c->early;
    if (seal->kind == 0 || seal->index != (uint64_t)r->seal)
        return rf_fail(err, RAFFLE_NOT_FOUND, "record %lld is not the newest seal of its kind", (long long)r->seal);
    if (seal->acknowledged)
        return rf_fail(err, RAFFLE_EXISTS, "the voids of seal %lld are acknowledged already", (long long)r->seal);
    if ((uint64_t)r->voids != seal->sum.voids)
        return rf_fail(err, RAFFLE_STATE_DIFFERS, "%lld voids are acknowledged; the seal has %llu", (long long)r->voids,
                       (unsigned long long)seal->sum.voids);
    seal->acknowledged = true;
    return RAFFLE_OK;
}

/* --- voids in the control log --- */

static raffle_rc apply_void(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_VOID, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_void_reason(&r->reason, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r->unit < 1 || (uint64_t)r->unit > c->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %lld", (long long)r->unit);
    if (rf_control_holds_place(c, (uint32_t)r->unit, (uint64_t)r->serial))
        return rf_fail(err, RAFFLE_DRAWN, "ticket %lld/%lld holds a place in a result", (long long)r->unit,
                       (long long)r->serial);
    if (c->void_gross > RF_JSON_INT_MAX - r->price || c->void_numbers + (uint64_t)r->count > (uint64_t)RF_JSON_INT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the control log voids more than a record can say");
    rf_take(taken, rf_key_void((uint32_t)r->unit, (uint64_t)r->serial));
    rf_take(taken, rf_key_void_ordinal(0, c->voids));
    c->voids++;
    c->void_numbers += (uint64_t)r->count;
    c->void_gross += r->price;
    c->unit[r->unit - 1].control_voids++;
    c->unit[r->unit - 1].control_void_gross += r->price;
    return RAFFLE_OK;
}

/* --- the whole --- */

/* Whoever stands as a second approver is one, also where none was needed. */
static raffle_rc check_ok(const rf_control *c, const rf_record *r, raffle_error *err)
{
    return r->type != RF_RAFFLE_OPEN && rf_has(r, RF_F_OK) ? rf_control_approved(c, r, err) : RAFFLE_OK;
}

/* What an open draw is made of. */
static bool goes_on(rf_type type)
{
    return type == RF_EVENT || type == RF_DRAW_PICKS || type == RF_DRAW_RESULT || type == RF_DRAW_ABORT ||
           type == RF_DRAW_CALL || type == RF_DRAW_MANUAL;
}

static raffle_rc check_place(const rf_control *c, const rf_record *r, raffle_error *err)
{
    if ((c->size == 0) != (r->type == RF_RAFFLE_OPEN))
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of the control log is a %s", (unsigned long long)c->size,
                       rf_type_name(r->type));
    if (rf_has(r, RF_F_N))
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of the control log counts draw numbers",
                       (unsigned long long)c->size);
    if (r->at < c->last_at && !(r->type == RF_EVENT && rf_text_is(&r->code, "clock.reset")))
        return rf_fail(err, RAFFLE_CLOCK, "record %llu of the control log is %lld ms earlier than the one before it",
                       (unsigned long long)c->size, (long long)(c->last_at - r->at));
    /* Between an intent and its result the control log takes only events (design section 9). */
    if (c->open_prize >= 0 && !goes_on(r->type))
        return rf_fail(err, RAFFLE_DRAW_OPEN, "a %s must wait: the draw of \"%s\" is open", rf_type_name(r->type),
                       c->rules->prize[c->open_prize].name);
    return RAFFLE_OK;
}

static raffle_rc apply(rf_control *c, const rf_record *r, const uint8_t leaf_hash[32], rf_taken_list *taken,
                       raffle_error *err)
{
    switch (r->type) {
    case RF_RAFFLE_OPEN:
        return apply_open(c, r, leaf_hash, err);
    case RF_UNIT_ENROL:
    case RF_UNIT_ENABLE:
    case RF_UNIT_DISABLE:
    case RF_UNIT_QUOTA:
    case RF_UNIT_UNENROL:
    case RF_UNIT_SYNC:
        return rf_units_apply(c, r, err);
    case RF_SEAL_UNIT:
        return apply_seal_unit(c, r, err);
    case RF_SEAL:
        return apply_seal(c, r, err);
    case RF_VOIDS_ACK:
        return apply_ack(c, r, err);
    case RF_VOID:
        return apply_void(c, r, taken, err);
    case RF_EVENT:
        return rf_control_event(c, r, taken, err);
    case RF_CASH:
        return rf_units_cash(c, r, err);
    case RF_PRINT:
    case RF_REPRINT:
        return rf_print_apply(c, r, err);
    case RF_SALE:
    case RF_UNIT_START:
    case RF_UNIT_CLOSE:
        return rf_fail(err, RAFFLE_CORRUPT, "a %s has no place in the control log", rf_type_name(r->type));
    default:
        return rf_draw_apply(c, r, taken, err);
    }
}

raffle_rc rf_control_apply(rf_control *c, const rf_record *r, const uint8_t leaf_hash[32], rf_taken_list *taken,
                           raffle_error *err)
{
    if (taken != NULL)
        taken->n = 0;
    raffle_rc rc = check_place(c, r, err);
    if (rc == RAFFLE_OK)
        rc = check_ok(c, r, err);
    if (rc == RAFFLE_OK)
        rc = apply(c, r, leaf_hash, taken, err);
    if (rc != RAFFLE_OK)
        return rc;
    /* A run of seal.unit records that something else interrupts counts for nothing (design section 8). */
    if (r->type != RF_SEAL_UNIT)
        c->run = 0;
    c->last_at = r->at;
    c->size++;
    return RAFFLE_OK;
}
