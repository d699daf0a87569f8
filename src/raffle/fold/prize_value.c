/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a prize, in integers: share of the pot or amount, plus what is put in, then the minimum, the cap, and rounding. */
#include "prize_value.h"

#include "fold_tiers.h"

enum {
    PARTS = 10000 /* of a minor unit: a share is in basis points */
};

/* Whole minor units, and ten-thousandths of one. */
typedef struct exact {
    int64_t whole, part;
} exact;

/* A pot is at most 2^53-1 and a share at most 10,000 basis points: no product here is above 2^53. */
static exact share_of(int64_t pot, int64_t share)
{
    const int64_t rest = pot % PARTS * share;
    return (exact){pot / PARTS * share + rest / PARTS, rest % PARTS};
}

static int64_t given(int64_t value)
{
    return value > 0 ? value : 0;
}

/* Each summand is at most 2^53-1, and there are four. What no record could say counts as the most that one can. */
static exact add_up(const rf_prize_rule *rule, int64_t pot, int64_t passed)
{
    exact sum = rule->share >= 0 ? share_of(pot, rule->share) : (exact){given(rule->amount), 0};
    sum.whole += given(rule->start) + given(rule->carry) + passed;
    return sum.whole < RF_JSON_INT_MAX ? sum : (exact){RF_JSON_INT_MAX, 0};
}

static bool rounds_up(rf_round how, int64_t rest, int64_t part, int64_t step)
{
    if (how == RF_ROUND_UP)
        return rest > 0 || part > 0;
    /* Half of a step and more: 2 (rest + part / PARTS) >= step. */
    return how == RF_ROUND_NEAREST && (2 * rest + 2 * part / PARTS >= step);
}

static int64_t round_off(const rf_prize_rule *rule, exact sum)
{
    const int64_t step = rule->round_to > 0 ? rule->round_to : 1;
    const int64_t rest = sum.whole % step, down = sum.whole - rest;
    if (!rounds_up(rule->round, rest, sum.part, step) || down > RF_JSON_INT_MAX - step)
        return down;
    return down + step;
}

rf_prize_value rf_prize_value_of(const rf_prize_rule *rule, int64_t pot, int64_t passed)
{
    rf_prize_value v = {0};
    exact sum = add_up(rule, pot, passed);
    if (sum.whole < given(rule->minimum))
        sum = (exact){rule->minimum, 0};
    if (rule->cap >= 0 && sum.whole >= rule->cap) {
        v.overflow = sum.whole - rule->cap;
        sum = (exact){rule->cap, 0};
    }
    v.value = round_off(rule, sum);
    v.each = v.value / rule->winners;
    v.remainder = v.value % rule->winners;
    return v;
}

/* --- within a raffle --- */

/* The tiers' money is part of the seal's, which the fold has seen add up. */
int64_t rf_prize_seal_pot(const rf_control *c, size_t i, const rf_seal_state *seal)
{
    int64_t sum = 0;
    const rf_rules *rules = c->rules;
    if (rules->prize[i].pot != RF_POT_ENTERED)
        return seal->sum.gross - seal->sum.void_gross;
    for (size_t t = 0; t < rules->tiers; t++)
        sum += rules->prize[i].entered & UINT64_C(1) << t ? rf_tier_net(&rules->tier[t], &seal->tier[t]) : 0;
    return sum;
}

static int64_t live_pot(const rf_control *c, size_t i, const rf_live_pot *live)
{
    int64_t sum = 0;
    const rf_rules *rules = c->rules;
    if (rules->prize[i].pot != RF_POT_ENTERED)
        return given(live->all);
    for (size_t t = 0; t < rules->tiers; t++)
        sum += rules->prize[i].entered & UINT64_C(1) << t ? live->tier[t] : 0;
    return given(sum);
}

static bool is_sealed(const rf_control *c, size_t i)
{
    return c->prize[i].state == RAFFLE_PRIZE_DRAWN || rf_control_seal(c, (int)i)->kind != 0;
}

/* Where the chain of prizes begins that pass on to the next, down to `i`. */
static size_t chain_start(const rf_control *c, size_t i)
{
    while (i > 0 && c->rules->prize[i - 1].above == RF_ABOVE_NEXT)
        i--;
    return i;
}

/* Whose value it is that a place of prize `i` has: a redraw's is that of the prize that was drawn first. */
static size_t first_draw(const rf_control *c, size_t i)
{
    while (c->rules->prize[i].redraw_of >= 0)
        i = (size_t)c->rules->prize[i].redraw_of;
    return i;
}

bool rf_prize_needs_live(const rf_control *c, size_t i)
{
    i = first_draw(c, i);
    for (size_t k = chain_start(c, i); k <= i; k++)
        if (c->rules->prize[k].share >= 0 && !is_sealed(c, k))
            return true;
    return false;
}

static int64_t pot_of(const rf_control *c, size_t i, const rf_live_pot *live)
{
    if (c->prize[i].state == RAFFLE_PRIZE_DRAWN)
        return (int64_t)c->prize[i].pot;
    if (is_sealed(c, i))
        return rf_prize_seal_pot(c, i, rf_control_seal(c, (int)i));
    return live != NULL ? live_pot(c, i, live) : 0;
}

rf_prize_worth rf_prize_worth_of(const rf_control *c, size_t i, const rf_live_pot *live)
{
    const bool redraw = c->rules->prize[i].redraw_of >= 0;
    const bool open = rf_prize_needs_live(c, i);
    rf_prize_worth w = {.known = !open || live != NULL, .estimate = open && live != NULL};
    int64_t passed = 0;
    i = first_draw(c, i);
    for (size_t k = chain_start(c, i); k <= i; k++) {
        w.is = rf_prize_value_of(&c->rules->prize[k], pot_of(c, k, live), passed);
        passed = w.is.overflow;
    }
    if (redraw)
        w.is = (rf_prize_value){.value = w.is.each, .each = w.is.each};
    return w;
}

/* --- what becomes of it --- */

/* Somebody chose and missed, and nobody is left who may choose or has found it. */
static bool was_missed(const rf_control *c, size_t i)
{
    bool missed = false;
    const rf_prize_state *p = &c->prize[i];
    for (size_t k = 0; p->state == RAFFLE_PRIZE_DRAWN && k < p->places; k++) {
        const int32_t state = p->place[k].state;
        missed = missed || state == RAFFLE_PLACE_MISSED;
        if (state != RAFFLE_PLACE_ALTERNATE && !rf_place_lost(state))
            return false;
    }
    return missed;
}

int64_t rf_prize_awarded(const rf_control *c, size_t i)
{
    const rf_prize_state *p = &c->prize[i];
    if (p->state != RAFFLE_PRIZE_DRAWN || p->places == 0 || was_missed(c, i) || c->rules->prize[i].redraw_of >= 0)
        return 0;
    return rf_prize_worth_of(c, i, NULL).is.value;
}

int64_t rf_prize_carry(const rf_control *c, size_t i, const rf_prize_value *is)
{
    const int64_t over = c->rules->prize[i].above == RF_ABOVE_CARRY ? is->overflow : 0;
    return over + (was_missed(c, i) ? is->value : 0);
}
