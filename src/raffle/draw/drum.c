/* SPDX-License-Identifier: Apache-2.0 */
/* Eligibility: the walk over the permutation, from draw numbers to tickets to places. */
#include "drum.h"

#include "bytes.h"
#include "error.h"
#include "find_number.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* --- a set of 64-bit keys, for the one-win rule --- */

typedef struct key_set {
    uint64_t *slot; /* key + 1; 0 is free */
    size_t cap, used;
} key_set;

static size_t set_place(const key_set *s, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (s->cap - 1);
    while (s->slot[at] != 0 && s->slot[at] != key + 1)
        at = (at + 1) & (s->cap - 1);
    return at;
}

static bool set_has(const key_set *s, uint64_t key)
{
    return s->cap > 0 && s->slot[set_place(s, key)] != 0;
}

static bool set_add(key_set *s, uint64_t key)
{
    if (2 * (s->used + 1) > s->cap) {
        key_set larger = {.cap = s->cap > 0 ? 2 * s->cap : 64, .used = s->used};
        larger.slot = calloc(larger.cap, sizeof *larger.slot);
        if (larger.slot == NULL)
            return false;
        for (size_t i = 0; i < s->cap; i++)
            if (s->slot[i] != 0)
                larger.slot[set_place(&larger, s->slot[i] - 1)] = s->slot[i];
        free(s->slot);
        *s = larger;
    }
    size_t at = set_place(s, key);
    s->used += s->slot[at] == 0;
    s->slot[at] = key + 1;
    return true;
}

/* --- the walk --- */

enum {
    SKIP_VOID = 1,
    SKIP_NOT_ENTERED = 2,
    SKIP_BARRED = 3
};

typedef struct walk {
    const rf_drum *drum;
    const rf_prize_rule *rule;
    const rf_seal_state *seal;
    uint64_t *until; /* [i]: draw numbers of units 1 … i + 1 */
    key_set barred;
    EVP_MD_CTX *skips;
    rf_drawn *out;
    size_t cap; /* of out->place */
} walk;

static uint64_t bar_key(rf_one_win rule, const rf_place *p)
{
    return (uint64_t)p->unit << 40 | (rule == RF_ONE_WIN_TICKET ? p->serial : p->number);
}

/* Who holds, or held, a winner's place in an earlier result, forfeited or not. */
static raffle_rc bar_winners(walk *w, raffle_error *err)
{
    const rf_control *c = w->drum->control;
    for (size_t i = 0; w->rule->one_win != RF_ONE_WIN_NONE && i < c->rules->prizes; i++)
        for (size_t k = 0; k < c->prize[i].places; k++)
            if (c->prize[i].place[k].state != RAFFLE_PLACE_ALTERNATE &&
                !set_add(&w->barred, bar_key(w->rule->one_win, &c->prize[i].place[k].place)))
                return rf_nomem(err);
    return RAFFLE_OK;
}

static raffle_rc sum_units(walk *w, raffle_error *err)
{
    uint64_t sum = 0;
    w->until = calloc(w->seal->units > 0 ? w->seal->units : 1, sizeof *w->until);
    if (w->until == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < w->seal->units; i++)
        w->until[i] = sum += w->seal->unit[i].numbers;
    return RAFFLE_OK;
}

/* Element `x` of 0 … N - 1, in unit order and in each unit in number order. */
static const rf_seal_unit *locate(const walk *w, uint64_t x, uint64_t *number)
{
    size_t low = 0, high = w->seal->units - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x < w->until[middle])
            high = middle;
        else
            low = middle + 1;
    }
    *number = x - (low > 0 ? w->until[low - 1] : 0) + 1;
    return &w->seal->unit[low];
}

static bool entered(const rf_drum *drum, const char *tier)
{
    const rf_rules *rules = drum->control->rules;
    int i = rf_rules_tier(rules, tier, strlen(tier));
    return i >= 0 && (rules->prize[drum->prize].entered & UINT64_C(1) << i) != 0;
}

static raffle_rc skip(walk *w, int reason, const rf_place *p, raffle_error *err)
{
    uint8_t entry[8];
    entry[0] = (uint8_t)reason;
    rf_put_be(entry + 1, p->unit, 2);
    rf_put_be(entry + 3, p->number, 5);
    w->out->skipped_void += reason == SKIP_VOID;
    w->out->skipped_not_entered += reason == SKIP_NOT_ENTERED;
    w->out->skipped_barred += reason == SKIP_BARRED;
    return EVP_DigestUpdate(w->skips, entry, sizeof entry) == 1 ? RAFFLE_OK : rf_nomem(err);
}

static raffle_rc add_place(walk *w, const rf_place *p, raffle_error *err)
{
    rf_drawn *out = w->out;
    const size_t n = out->winners + out->alternates;
    if (n == w->cap) {
        size_t cap = w->cap > 0 ? 2 * w->cap : 16;
        rf_place *grown = realloc(out->place, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        out->place = grown;
        w->cap = cap;
    }
    out->place[n] = *p;
    if (out->winners < (uint64_t)w->rule->winners)
        out->winners++;
    else
        out->alternates++;
    if (w->rule->one_win != RF_ONE_WIN_NONE && !set_add(&w->barred, bar_key(w->rule->one_win, p)))
        return rf_nomem(err);
    return RAFFLE_OK;
}

static raffle_rc consider(walk *w, uint64_t x, raffle_error *err)
{
    rf_place p;
    rf_ticket_at ticket;
    bool is_void = false;
    const rf_seal_unit *unit = locate(w, x, &p.number);
    p.unit = unit->unit;
    raffle_rc rc = rf_find_number(w->drum->store, unit->unit, unit->size, unit->numbers, p.number, &ticket, err);
    if (rc != RAFFLE_OK)
        return rc;
    p.serial = ticket.serial;
    rc = w->drum->is_void(w->drum->ctx, p.unit, p.serial, &is_void, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (is_void)
        return skip(w, SKIP_VOID, &p, err);
    if (!entered(w->drum, ticket.tier))
        return skip(w, SKIP_NOT_ENTERED, &p, err);
    if (w->rule->one_win != RF_ONE_WIN_NONE && set_has(&w->barred, bar_key(w->rule->one_win, &p)))
        return skip(w, SKIP_BARRED, &p, err);
    return add_place(w, &p, err);
}

/* Where few are eligible among many the walk goes on to the permutation's end: who is skipped is counted and hashed, so that it cannot end sooner
 * without another result. It then takes a step a draw number, each of them a search in the unit's log, and at most 16 bytes of memory a draw number
 * (8 once the shuffle is an array: shuffle.c), whatever the number of steps; the places and those they bar are bounded by the rules. */
static raffle_rc walk_permutation(walk *w, rf_select *permutation, raffle_error *err)
{
    const uint64_t wanted = (uint64_t)w->rule->winners + (uint64_t)w->rule->alternates;
    for (uint64_t i = 0; i < w->seal->sum.numbers && w->out->winners + w->out->alternates < wanted; i++) {
        uint64_t x;
        raffle_rc rc = rf_select_next(permutation, &x, err);
        if (rc == RAFFLE_OK)
            rc = consider(w, x, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return EVP_DigestFinal_ex(w->skips, w->out->skips, NULL) == 1 ? RAFFLE_OK : rf_nomem(err);
}

raffle_rc rf_drum_draw(const rf_drum *drum, rf_select *permutation, rf_drawn *drawn, raffle_error *err)
{
    walk w = {.drum = drum,
              .rule = &drum->control->rules->prize[drum->prize],
              .seal = rf_control_seal(drum->control, drum->prize),
              .out = drawn};
    memset(drawn, 0, sizeof *drawn);
    w.skips = EVP_MD_CTX_new();
    raffle_rc rc = w.skips == NULL || EVP_DigestInit_ex(w.skips, EVP_sha256(), NULL) != 1 ? rf_nomem(err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        rc = sum_units(&w, err);
    if (rc == RAFFLE_OK)
        rc = bar_winners(&w, err);
    if (rc == RAFFLE_OK)
        rc = walk_permutation(&w, permutation, err);
    drawn->rejected = rf_select_rejected(permutation);
    EVP_MD_CTX_free(w.skips);
    free(w.until);
    free(w.barred.slot);
    if (rc != RAFFLE_OK)
        rf_drawn_clear(drawn);
    return rc;
}

void rf_drawn_clear(rf_drawn *drawn)
{
    free(drawn->place);
    memset(drawn, 0, sizeof *drawn);
}

raffle_rc rf_drum_run(const rf_drum *drum, const rf_draw_input *input, rf_drawn *drawn, raffle_error *err)
{
    uint8_t c[32];
    rf_select *permutation = NULL;
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    rf_draw_commitment(hash, c, input->origin, input->intent, input->root);
    raffle_rc rc = rf_select_new(hash, input->seed, c, input->beacon, input->beacon == NULL ? 0 : RF_BEACON_SIZE,
                                 input->numbers, &permutation, err);
    if (rc == RAFFLE_OK)
        rc = rf_drum_draw(drum, permutation, drawn, err);
    rf_select_free(permutation);
    rf_sha256_free(hash);
    return rc;
}

raffle_rc rf_drum_call(const rf_drum *drum, uint32_t unit, uint64_t number, rf_call *call, raffle_error *err)
{
    rf_ticket_at ticket;
    bool is_void = false;
    const rf_seal_state *seal = rf_control_seal(drum->control, drum->prize);
    *call = (rf_call){.place = {.number = number, .unit = unit}, .outcome = RF_OUTCOME_UNSOLD};
    if (!rf_drum_sold(seal, unit, number))
        return RAFFLE_OK;
    const rf_seal_unit *sealed = &seal->unit[unit - 1];
    raffle_rc rc = rf_find_number(drum->store, unit, sealed->size, sealed->numbers, number, &ticket, err);
    if (rc == RAFFLE_OK)
        rc = drum->is_void(drum->ctx, unit, ticket.serial, &is_void, err);
    if (rc != RAFFLE_OK)
        return rc;
    call->place.serial = ticket.serial;
    call->outcome = is_void                       ? RF_OUTCOME_VOID
                    : !entered(drum, ticket.tier) ? RF_OUTCOME_NOT_ENTERED
                                                  : rf_drum_judge(drum->control, &call->place);
    return RAFFLE_OK;
}
