/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over drum draws: each number that is called, taken or rejected, and their end (GLI-31 2.6.4, 4.1.1). */
#include "fold_drum.h"

#include "error.h"
#include "fold_draw.h"
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[RF_OUTCOMES] = {
    [RF_OUTCOME_UNSOLD] = "unsold", [RF_OUTCOME_VOID] = "void",     [RF_OUTCOME_NOT_ENTERED] = "not-entered",
    [RF_OUTCOME_AGAIN] = "again",   [RF_OUTCOME_BARRED] = "barred", [RF_OUTCOME_TAKEN] = "taken"};

const char *rf_outcome_name(rf_outcome outcome)
{
    return outcome_names[outcome];
}

bool rf_drum_sold(const rf_seal_state *seal, uint64_t unit, uint64_t number)
{
    return unit >= 1 && unit <= seal->units && number >= 1 && number <= seal->unit[unit - 1].numbers;
}

rf_outcome rf_drum_judge(const rf_control *c, const rf_place *place)
{
    const rf_one_win rule = c->rules->prize[c->open_prize].one_win;
    bool same_ticket = false;
    for (size_t i = 0; i < c->picks; i++) {
        const rf_place *p = &c->pick[i].place;
        if (p->unit == place->unit && p->number == place->number)
            return RF_OUTCOME_AGAIN;
        same_ticket = same_ticket || (p->unit == place->unit && p->serial == place->serial);
    }
    return (rule == RF_ONE_WIN_TICKET && same_ticket) || rf_control_barred(c, rule, place) ? RF_OUTCOME_BARRED
                                                                                           : RF_OUTCOME_TAKEN;
}

raffle_rc rf_drum_intent(const rf_control *c, int prize, const rf_record *r, raffle_error *err)
{
    const rf_seal_state *seal = rf_control_seal(c, prize);
    for (size_t i = 0; c->rules->prize[prize].drum && !rf_has(r, RF_F_OK) && i < seal->units; i++)
        if (c->unit[i].printed < seal->unit[i].numbers)
            return rf_fail(err, RAFFLE_APPROVAL,
                           "unit %zu has counterfoils of %llu of its %llu draw numbers: drawing \"%s\" needs a second "
                           "approver",
                           i + 1, (unsigned long long)c->unit[i].printed, (unsigned long long)seal->unit[i].numbers,
                           c->rules->prize[prize].name);
    return RAFFLE_OK;
}

static raffle_rc check_by_hand(const rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_draw_check(c, r, err);
    if (rc == RAFFLE_OK && !c->rules->prize[c->open_prize].drum)
        rc = rf_fail(err, RAFFLE_SEQUENCE, "\"%s\" is drawn by an RNG: no %s", c->rules->prize[c->open_prize].name,
                     rf_type_name(r->type));
    return rc;
}

static size_t places_of(const rf_prize_rule *rule)
{
    return (size_t)(rule->winners + rule->alternates);
}

static raffle_rc check_call(const rf_control *c, const rf_record *r, rf_outcome *outcome, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    const bool sold = rf_drum_sold(rf_control_seal(c, c->open_prize), (uint64_t)r->unit, (uint64_t)r->number);
    if (c->picks >= places_of(rule))
        return rf_fail(err, RAFFLE_SEQUENCE, "every place of \"%s\" is taken; its draw is to be ended", rule->name);
    *outcome = RF_OUTCOME_UNSOLD;
    while (*outcome < RF_OUTCOMES && !rf_text_is(&r->outcome, outcome_names[*outcome]))
        (*outcome)++;
    if (*outcome == RF_OUTCOMES || sold == (*outcome == RF_OUTCOME_UNSOLD) || rf_has(r, RF_F_SERIAL) != sold)
        return rf_fail(err, RAFFLE_CORRUPT, "the draw number %lld-%07lld, which was %s, is called \"%.*s\"",
                       (long long)r->unit, (long long)r->number, sold ? "sold" : "not sold", (int)r->outcome.length,
                       r->outcome.text);
    if (*outcome < RF_OUTCOME_AGAIN) /* void or not entered: the units' logs tell, and the audit reads them */
        return RAFFLE_OK;
    const rf_place place = {(uint64_t)r->number, (uint64_t)r->serial, (uint32_t)r->unit};
    return rf_drum_judge(c, &place) == *outcome
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_CORRUPT, "the draw number %lld-%07lld is \"%s\", not \"%s\"", (long long)r->unit,
                         (long long)r->number, outcome_names[rf_drum_judge(c, &place)], outcome_names[*outcome]);
}

static raffle_rc add_pick(rf_control *c, const rf_record *r, raffle_error *err)
{
    rf_place_state *grown = realloc(c->pick, (c->picks + 1) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    c->pick = grown;
    c->pick[c->picks++] =
        (rf_place_state){.place = {(uint64_t)r->number, (uint64_t)r->serial, (uint32_t)r->unit}, .called_at = r->at};
    return RAFFLE_OK;
}

static raffle_rc apply_call(rf_control *c, const rf_record *r, raffle_error *err)
{
    rf_outcome outcome = RF_OUTCOME_UNSOLD;
    raffle_rc rc = check_by_hand(c, r, err);
    if (rc == RAFFLE_OK)
        rc = check_call(c, r, &outcome, err);
    if (rc == RAFFLE_OK && outcome == RF_OUTCOME_TAKEN)
        rc = add_pick(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->calls++ == 0)
        c->ask_at = r->at;
    return RAFFLE_OK;
}

/* A drum that holds too few for every place is an exception that two people state. */
static raffle_rc check_short(const rf_control *c, const rf_record *r, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    if (c->picks == places_of(rule))
        return RAFFLE_OK;
    if (!rf_has(r, RF_F_OK))
        return rf_fail(err, RAFFLE_APPROVAL,
                       "%zu of the %zu places of \"%s\" are taken: ending its draw needs a second "
                       "approver",
                       c->picks, places_of(rule), rule->name);
    return RAFFLE_OK;
}

static raffle_rc apply_manual(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_by_hand(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    const rf_prize_state *p = &c->prize[c->open_prize];
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    const uint64_t winners = c->picks < (uint64_t)rule->winners ? c->picks : (uint64_t)rule->winners;
    if (!rf_text_is(&r->prize, rule->name) || (uint64_t)r->attempt != p->attempts ||
        (uint64_t)r->numbers != p->numbers || (uint64_t)r->count != c->calls || (uint64_t)r->winners != winners ||
        (uint64_t)r->alternates != c->picks - winners)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the end is not that of the open draw of \"%s\", with %zu places and %llu calls", rule->name,
                       c->picks, (unsigned long long)c->calls);
    rc = check_short(c, r, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_quorum_of(c, c->open_prize, &r->note, UINT64_MAX, err);
    if (rc == RAFFLE_OK)
        rf_draw_end(c, r, c->calls > 0 ? c->ask_at : r->at);
    return rc;
}

raffle_rc rf_drum_apply(rf_control *c, const rf_record *r, raffle_error *err)
{
    return r->type == RF_DRAW_CALL ? apply_call(c, r, err) : apply_manual(c, r, err);
}
