/* SPDX-License-Identifier: Apache-2.0 */
/* Verifications against the voids, forfeits against the times of the records after them. */
#include "places.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

/* --- voids --- */

typedef enum when {
    BEFORE,
    AFTER,
    UNKNOWN
} when;

/* What a unit that is away wrote counts from the upload that brought it: its clock is its own. */
static when order_by_syncs(const raffle_audit *a, uint32_t unit, const rf_void *v, uint64_t index)
{
    size_t n;
    const rf_sync *sync = rf_syncs_of(&a->syncs, unit, &n);
    for (size_t i = 0; i < n; i++)
        if (v->index < sync[i].size)
            return sync[i].index < index ? BEFORE : AFTER;
    return AFTER;
}

/* A void in a unit's log, and record `index` of the control log, as far as seals tell which was first. */
static when order_by_seals(const raffle_audit *a, uint32_t unit, const rf_void *v, uint64_t index)
{
    size_t n;
    if (unit <= a->control.units && a->control.unit[unit - 1].away)
        return order_by_syncs(a, unit, v, index);
    const rf_sealed *sealed = rf_seals_of(a, unit, &n);
    for (size_t i = 0; i < n; i++) {
        if (sealed[i].kind != 0 && sealed[i].index < index && v->index < sealed[i].says.size)
            return BEFORE;
        if (sealed[i].kind != 0 && sealed[i].index > index && sealed[i].says.reconciled &&
            v->index >= sealed[i].says.size)
            return AFTER;
    }
    return UNKNOWN;
}

/* Where seals do not tell, their times do. */
static when order_of(const raffle_audit *a, uint32_t unit, const rf_void *v, uint64_t index, int64_t at)
{
    const when sealed = order_by_seals(a, unit, v, index);
    if (sealed != UNKNOWN)
        return sealed;
    if (v->at < at - RF_DOUBT_MS)
        return BEFORE;
    return v->at > at + RF_DOUBT_MS ? AFTER : UNKNOWN;
}

static const rf_void *void_of(const raffle_audit *a, const rf_place *place)
{
    if (place->unit < 1 || place->unit > a->units)
        return NULL;
    return rf_voids_find(&a->unit[place->unit - 1].voids, place->serial);
}

static bool was_void(const raffle_audit *a, const rf_place *place, uint64_t index, int64_t at, bool if_unknown)
{
    const rf_void *v = void_of(a, place);
    if (v == NULL)
        return false;
    if (v->log == 0)
        return v->index < index;
    const when order = order_of(a, place->unit, v, index, at);
    return order == BEFORE || (order == UNKNOWN && if_unknown);
}

/* Whether a ticket that has a place was taken back when its draw's outcome was known: with the result, with the asking for its seed, or with the beacon's
 * round. In the control log the fold sees to it, for as long as the place is not lost. */
static bool was_taken_back(const raffle_audit *a, const rf_control *c, int prize, const rf_place *place)
{
    const rf_prize_state *p = &c->prize[prize];
    const rf_void *v = void_of(a, place);
    if (v == NULL || v->log == 0)
        return false;
    if (order_of(a, place->unit, v, p->result, p->result_at) == AFTER)
        return true;
    return order_by_seals(a, place->unit, v, p->result) == UNKNOWN && v->at > p->known_at + RF_DOUBT_MS;
}

/* --- records --- */

/* The place that a record names; NULL when it names none, which the fold says. */
static const rf_place_state *find_place(const rf_control *c, const rf_record *r, int *prize)
{
    *prize = rf_rules_prize(c->rules, r->prize.text, r->prize.length);
    if (*prize < 0)
        return NULL;
    const rf_prize_state *p = &c->prize[*prize];
    if (p->state != RAFFLE_PRIZE_DRAWN || p->result != (uint64_t)r->result)
        return NULL;
    return r->place >= 1 && (uint64_t)r->place <= p->places ? &p->place[r->place - 1] : NULL;
}

static void check_verified(raffle_audit *a, const rf_control *c, const rf_record *r)
{
    int prize;
    const rf_place_state *p = find_place(c, r, &prize);
    if (p == NULL)
        return;
    const bool says_void = rf_text_is(&r->outcome, "void");
    if (says_void == was_void(a, &p->place, c->size, r->at, says_void)) {
        if (says_void && was_taken_back(a, c, prize, &p->place))
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, c->size, "winner",
                     "ticket %u/%llu was refused as void, and was taken back when it was known that it had won",
                     p->place.unit, (unsigned long long)p->place.serial);
        return;
    }
    rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, c->size, "winner",
             says_void ? "ticket %u/%llu was refused as void, and was not void then"
                       : "ticket %u/%llu was verified, and was void then",
             p->place.unit, (unsigned long long)p->place.serial);
}

static raffle_rc add_lapsed(rf_places *places, uint64_t index, int64_t due, raffle_error *err)
{
    if (places->n == places->cap) {
        size_t cap = places->cap > 0 ? 2 * places->cap : 16;
        rf_lapsed *grown = realloc(places->lapsed, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        places->lapsed = grown;
        places->cap = cap;
    }
    places->lapsed[places->n++] = (rf_lapsed){index, due};
    return RAFFLE_OK;
}

static raffle_rc remember_forfeit(rf_places *places, const rf_control *c, const rf_record *r, raffle_error *err)
{
    int prize;
    const rf_place_state *p = find_place(c, r, &prize);
    const int64_t due = p == NULL ? 0 : rf_control_claim_by(c, prize, p);
    if (rf_has(r, RF_F_OK) || due == 0)
        return RAFFLE_OK;
    return r->at < due ? RAFFLE_OK : add_lapsed(places, c->size, due, err); /* sooner, the fold refuses it */
}

/* The clock went back to `at`: periods that end later were not over. */
static void take_back(raffle_audit *a, rf_places *places, int64_t at)
{
    size_t kept = 0;
    for (size_t i = 0; i < places->n; i++) {
        const rf_lapsed *l = &places->lapsed[i];
        if (l->due > at)
            rf_fault(
                &a->faults, RAFFLE_FAULT_INTEGRITY, 0, l->index, "forfeit",
                "nobody approved the forfeit, and the clock that had ended the claim period was set back afterwards");
        else
            places->lapsed[kept++] = *l;
    }
    places->n = kept;
}

/* The fold judges a claim by its time; that the claim period was over before is seen when the clock had been further. */
static void check_claimed(raffle_audit *a, const rf_places *places, const rf_control *c, const rf_record *r)
{
    int prize;
    const rf_place_state *p = find_place(c, r, &prize);
    if (p == NULL || p->state != RAFFLE_PLACE_OFFICIAL)
        return;
    const int64_t claim_by = rf_control_claim_by(c, prize, p);
    if (claim_by != 0 && r->at < claim_by && places->latest >= claim_by)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, c->size, "claim",
                 "the claim period was over when the clock was set back, and the claim came after that");
}

raffle_rc rf_places_follow(raffle_audit *a, rf_places *places, const rf_control *control, const rf_record *record,
                           raffle_error *err)
{
    if (record->at < control->last_at)
        take_back(a, places, record->at);
    if (control->rules != NULL && (record->type == RF_CLAIM || record->type == RF_CLAIM_WAIT))
        check_claimed(a, places, control, record);
    places->latest = record->at > places->latest ? record->at : places->latest;
    if (control->rules == NULL)
        return RAFFLE_OK;
    if (record->type == RF_WINNER_VERIFY && !a->withheld)
        check_verified(a, control, record);
    return record->type == RF_FORFEIT ? remember_forfeit(places, control, record, err) : RAFFLE_OK;
}

/* --- at the end --- */

/* Of a ticket that holds a place none is taken back, and a void one is not verified: in whatever order, one of the two was not allowed. */
static void check_held(raffle_audit *a, const rf_control *c, int i, const rf_place_state *p)
{
    const rf_prize_state *prize = &c->prize[i];
    const rf_void *v = void_of(a, &p->place);
    if (v == NULL || rf_place_lost(p->state))
        return;
    if ((p->state == RAFFLE_PLACE_DRAWN || p->state == RAFFLE_PLACE_ALTERNATE) && !was_taken_back(a, c, i, &p->place))
        return;
    rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, prize->result, "winner",
             "place %u is held by ticket %u/%llu, which is void by record %llu of log %u",
             (unsigned)(p - prize->place) + 1, p->place.unit, (unsigned long long)p->place.serial,
             (unsigned long long)v->index, v->log);
}

void rf_places_end(raffle_audit *a, const rf_control *control)
{
    for (size_t i = 0; control->rules != NULL && i < control->rules->prizes; i++)
        for (size_t k = 0; k < control->prize[i].places; k++)
            check_held(a, control, (int)i, &control->prize[i].place[k]);
}

void rf_places_clear(rf_places *places)
{
    free(places->lapsed);
    memset(places, 0, sizeof *places);
}
