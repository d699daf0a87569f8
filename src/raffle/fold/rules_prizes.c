/* SPDX-License-Identifier: Apache-2.0 */
/* The prizes of rules: their members, and what must fit together in one. */
#include "rules_parse.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

static const int64_t money_max = INT64_C(1000000000000);

/* Which tiers are entered may stand before the tiers are known: names are kept and looked up at the end. */
typedef struct prize_parse {
    rf_prize_rule *rule;
    size_t entered;
    char tier[RF_TIERS_MAX][RAFFLE_WORD_SIZE], redraw_of[RAFFLE_WORD_SIZE];
    bool given;
} prize_parse;

static rf_prize_rule *prize_rule(void *to)
{
    return ((prize_parse *)to)->rule;
}

static raffle_rc prize_name(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_word(p, at, prize_rule(to)->name);
}

static raffle_rc prize_title(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, prize_rule(to)->title);
}

static raffle_rc prize_seal(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"early", "final"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 2, &i);
    prize_rule(to)->seal = i == 0 ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL;
    return rc;
}

static raffle_rc prize_winners(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, RF_PLACES_PER_PRIZE, &prize_rule(to)->winners);
}

static raffle_rc prize_alternates(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, RF_PLACES_PER_PRIZE, &prize_rule(to)->alternates);
}

static raffle_rc prize_one_win(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"none", "number", "ticket"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 3, &i);
    prize_rule(to)->one_win = (rf_one_win)i;
    return rc;
}

static raffle_rc prize_claim_days(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, 3650, &prize_rule(to)->claim_days);
}

static raffle_rc prize_amount(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->amount);
}

static raffle_rc prize_papers_above(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->papers_above);
}

static raffle_rc prize_share(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, 10000, &prize_rule(to)->share);
}

static raffle_rc prize_start(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->start);
}

static raffle_rc prize_carry(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->carry);
}

static raffle_rc prize_carry_from(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_origin(p, at, prize_rule(to)->carry_from);
}

static raffle_rc prize_minimum(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->minimum);
}

static raffle_rc prize_cap(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &prize_rule(to)->cap);
}

static raffle_rc prize_above(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"keep", "carry", "next"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 3, &i);
    prize_rule(to)->above = (rf_above)(i + RF_ABOVE_KEEP);
    return rc;
}

static raffle_rc prize_round(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"down", "up", "nearest"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 3, &i);
    prize_rule(to)->round = (rf_round)(i + RF_ROUND_DOWN);
    return rc;
}

static raffle_rc prize_ace(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, RF_ENVELOPES_MAX, &prize_rule(to)->ace);
}

static raffle_rc prize_redraw_of(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_word(p, at, ((prize_parse *)to)->redraw_of);
}

static raffle_rc prize_must_go(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_bool(p, at, &prize_rule(to)->must_go);
}

static raffle_rc prize_round_to(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, money_max, &prize_rule(to)->round_to);
}

static raffle_rc prize_pot(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"all", "entered"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 2, &i);
    prize_rule(to)->pot = (rf_pot)(i + RF_POT_ALL);
    return rc;
}

static raffle_rc prize_seed(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"random", "committed"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 2, &i);
    prize_rule(to)->committed = i == 1;
    return rc;
}

static raffle_rc prize_draw(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"rng", "drum"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 2, &i);
    prize_rule(to)->drum = i == 1;
    return rc;
}

static raffle_rc prize_beacon_delay(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, RF_BEACON_DELAY_MAX, &prize_rule(to)->beacon_delay);
}

static raffle_rc prize_tier(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    return rf_rules_word(p, at, ((prize_parse *)to)->tier[i]);
}

static raffle_rc prize_tiers(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    prize_parse *q = to;
    q->given = true;
    raffle_rc rc = rf_rules_array(p, at, RF_TIERS_MAX, prize_tier, q, &q->entered);
    return rc == RAFFLE_OK && q->entered == 0 ? rf_rules_fault(p, RAFFLE_INVALID, at, "has no element") : rc;
}

static raffle_rc enter_tiers(rf_rules_input *p, const rf_rules_path *at, const rf_rules *rules, const prize_parse *q)
{
    q->rule->entered = q->given ? 0 : rules->tiers == 64 ? UINT64_MAX : (UINT64_C(1) << rules->tiers) - 1;
    for (size_t i = 0; i < q->entered; i++) {
        int tier = rf_rules_tier(rules, q->tier[i], strlen(q->tier[i]));
        if (tier < 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.tiers\" names \"%s\", which is no tier", at->text,
                           q->tier[i]);
        q->rule->entered |= UINT64_C(1) << tier;
    }
    return RAFFLE_OK;
}

static raffle_rc find_redrawn(rf_rules_input *p, const rf_rules_path *at, const rf_rules *rules, size_t i,
                              const prize_parse *q)
{
    for (size_t k = 0; k < i && q->redraw_of[0] != 0; k++)
        if (strcmp(rules->prize[k].name, q->redraw_of) == 0)
            q->rule->redraw_of = (int32_t)k;
    return q->redraw_of[0] == 0 || q->rule->redraw_of >= 0
               ? RAFFLE_OK
               : rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.redraw_of\" is \"%s\", which is no earlier prize",
                         at->text, q->redraw_of);
}

static raffle_rc read_prize(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    static const rf_rules_field fields[] = {
        {"name", prize_name, true},
        {"title", prize_title, false},
        {"seal", prize_seal, false},
        {"winners", prize_winners, false},
        {"alternates", prize_alternates, false},
        {"one_win", prize_one_win, false},
        {"claim_days", prize_claim_days, false},
        {"draw", prize_draw, false},
        {"papers_above", prize_papers_above, false},
        {"amount", prize_amount, false},
        {"share", prize_share, false},
        {"start", prize_start, false},
        {"carry", prize_carry, false},
        {"carry_from", prize_carry_from, false},
        {"minimum", prize_minimum, false},
        {"cap", prize_cap, false},
        {"above", prize_above, false},
        {"round", prize_round, false},
        {"round_to", prize_round_to, false},
        {"pot", prize_pot, false},
        {"ace", prize_ace, false},
        {"must_go", prize_must_go, false},
        {"redraw_of", prize_redraw_of, false},
        {"seed", prize_seed, false},
        {"beacon_delay", prize_beacon_delay, false},
        {"tiers", prize_tiers, false},
    };
    rf_rules *rules = to;
    rf_prize_rule *rule = &rules->prize[i];
    prize_parse *q = calloc(1, sizeof *q);
    if (q == NULL)
        return rf_nomem(p->err);
    *rule = (rf_prize_rule){.seal = RAFFLE_SEAL_FINAL,
                            .winners = 1,
                            .claim_days = 30,
                            .one_win = RF_ONE_WIN_TICKET,
                            .papers_above = -1,
                            .amount = -1,
                            .share = -1,
                            .start = -1,
                            .carry = -1,
                            .minimum = -1,
                            .cap = -1,
                            .redraw_of = -1};
    q->rule = rule;
    raffle_rc rc = rf_rules_object(p, at, fields, sizeof fields / sizeof fields[0], q);
    if (rc == RAFFLE_OK)
        rc = enter_tiers(p, at, rules, q);
    if (rc == RAFFLE_OK)
        rc = find_redrawn(p, at, rules, i, q);
    free(q);
    if (rc != RAFFLE_OK)
        return rc;
    if (rule->title[0] == 0)
        memcpy(rule->title, rule->name, sizeof rule->name);
    if (rule->amount >= 0 && rule->share >= 0)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" has both an amount and a share", at->text);
    for (size_t k = 0; k < i; k++)
        if (strcmp(rules->prize[k].name, rule->name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another prize has", at->text,
                           rule->name);
    if (i > 0 && rule->seal == RAFFLE_SEAL_EARLY && rules->prize[i - 1].seal == RAFFLE_SEAL_FINAL)
        return rf_fail(
            p->err, RAFFLE_INVALID,
            "rules: \"%s.seal\" is \"early\", after a prize of the final seal: prizes stand in drawing order",
            at->text);
    return RAFFLE_OK;
}

raffle_rc rf_rules_read_prizes(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    raffle_rc rc = rf_rules_array(p, at, RF_PRIZES_MAX, read_prize, to, &((rf_rules *)to)->prizes);
    return rc == RAFFLE_OK && ((rf_rules *)to)->prizes == 0 ? rf_rules_fault(p, RAFFLE_INVALID, at, "has no element")
                                                            : rc;
}

/* --- what must fit together --- */

/* A redraw gives one lost place away once more, from the same numbers, and is worth what that place was: it has no money of its own. What nobody found of an ace is carried over instead. */
static raffle_rc check_redraw(const rf_rules *rules, const rf_prize_rule *prize, raffle_error *err)
{
    if (prize->redraw_of < 0)
        return RAFFLE_OK;
    const rf_prize_rule *first = &rules->prize[prize->redraw_of];
    if (prize->seal != first->seal || prize->entered != first->entered)
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: prize \"%s\" has another seal or other tiers than \"%s\", whose redraw it is",
                       prize->name, first->name);
    if (prize->winners != 1 || rf_prize_is_money(prize) || prize->ace > 0 || first->ace > 0)
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: the redraw \"%s\" has money of its own, more than one winner, or an ace", prize->name);
    return RAFFLE_OK;
}

/* A committed draw without a beacon would be its operator's choice, and a round that is near could be known before the intent is published. */
static raffle_rc check_beacon(const rf_rules *rules, const rf_prize_rule *prize, raffle_error *err)
{
    if (!prize->committed && prize->beacon_delay != 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: \"beacon_delay\" of prize \"%s\" is for a committed seed",
                       prize->name);
    if (!prize->committed)
        return RAFFLE_OK;
    if (!rules->beacon)
        return rf_fail(err, RAFFLE_INVALID, "rules: the committed seed of prize \"%s\" needs a \"beacon\"",
                       prize->name);
    if (prize->beacon_delay < RF_BEACON_DELAY_MIN)
        return rf_fail(err, RAFFLE_LIMIT, "rules: \"beacon_delay\" of prize \"%s\" is %lld seconds, fewer than %d",
                       prize->name, (long long)prize->beacon_delay, RF_BEACON_DELAY_MIN);
    return RAFFLE_OK;
}

static raffle_rc check_drum(const rf_prize_rule *prize, raffle_error *err)
{
    return prize->drum && prize->committed
               ? rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is drawn from a drum, and has no seed to commit to",
                         prize->name)
               : RAFFLE_OK;
}

/* Members that say what becomes of money, of a prize that is none. */
static bool has_idle_member(const rf_prize_rule *prize)
{
    return prize->cap >= 0 || prize->above != 0 || prize->round != 0 || prize->round_to != 0;
}

/* The guarantee and the cap hold whichever way is rounded: both are amounts that rounding leaves alone. */
static raffle_rc check_bounds(const rf_prize_rule *prize, raffle_error *err)
{
    const int64_t step = prize->round_to > 0 ? prize->round_to : 1;
    if (prize->cap >= 0 && prize->minimum > prize->cap)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has a minimum of %lld above its cap of %lld",
                       prize->name, (long long)prize->minimum, (long long)prize->cap);
    if ((prize->cap > 0 && prize->cap % step != 0) || (prize->minimum > 0 && prize->minimum % step != 0))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: the minimum and the cap of prize \"%s\" must be multiples of its \"round_to\", %lld",
                       prize->name, (long long)step);
    return RAFFLE_OK;
}

static raffle_rc check_carry(const rf_rules *rules, const rf_prize_rule *prize, raffle_error *err)
{
    if ((prize->carry >= 0) != (prize->carry_from[0] != 0))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: prize \"%s\" has one of \"carry\" and \"carry_from\" without the other", prize->name);
    if (strcmp(prize->carry_from, rules->origin) == 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is carried over from this raffle itself", prize->name);
    return RAFFLE_OK;
}

/* One winner chooses at a time, and what is not found is carried over. */
static raffle_rc check_ace(const rf_prize_rule *prize, raffle_error *err)
{
    if (prize->must_go && prize->ace == 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" must go, and has no \"ace\"", prize->name);
    if (prize->ace > 0 && (prize->winners != 1 || !rf_prize_is_money(prize)))
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has an \"ace\", and is not money for one winner",
                       prize->name);
    return RAFFLE_OK;
}

static raffle_rc check_money(const rf_rules *rules, size_t i, raffle_error *err)
{
    const rf_prize_rule *prize = &rules->prize[i];
    if (!rf_prize_is_money(prize) && has_idle_member(prize))
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is no money that could be capped or rounded",
                       prize->name);
    if (prize->pot != 0 && prize->share < 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has a \"pot\", and no share of it", prize->name);
    if (prize->above != 0 && prize->cap < 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has an \"above\", and no \"cap\"", prize->name);
    if (prize->above == RF_ABOVE_NEXT && (i + 1 == rules->prizes || !rf_prize_is_money(&rules->prize[i + 1])))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: what is above the cap of prize \"%s\" goes to the next, and none that is money follows",
                       prize->name);
    raffle_rc rc = check_ace(prize, err);
    if (rc == RAFFLE_OK)
        rc = check_bounds(prize, err);
    return rc == RAFFLE_OK ? check_carry(rules, prize, err) : rc;
}

raffle_rc rf_rules_check_prize(const rf_rules *rules, size_t i, raffle_error *err)
{
    raffle_rc rc = check_beacon(rules, &rules->prize[i], err);
    if (rc == RAFFLE_OK)
        rc = check_drum(&rules->prize[i], err);
    if (rc == RAFFLE_OK)
        rc = check_redraw(rules, &rules->prize[i], err);
    return rc == RAFFLE_OK ? check_money(rules, i, err) : rc;
}
