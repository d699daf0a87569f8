/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over draws: intents in the frozen order, results, and the places' way from drawn to claimed (GLI-31 2.6.4 to 2.7.1, 4.4.1). */
#include "fold_draw.h"
#include "fold_drum.h"

#include "beacon.h"
#include "error.h"
#include "fold_keys.h"
#include "prize_value.h"
#include <raffle/rng.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_ms = INT64_C(86400000);

const rf_seal_state *rf_control_seal(const rf_control *c, int prize)
{
    return c->rules->prize[prize].seal == RAFFLE_SEAL_EARLY ? &c->early : &c->final;
}

/* Places of a prize that were a winner's, are lost, and went to no alternate; less the redraws for them that are drawn. */
static int64_t vacancies(const rf_control *c, int32_t prize)
{
    const rf_prize_state *p = &c->prize[prize];
    const int64_t winners = c->rules->prize[prize].winners;
    int64_t vacant = p->places < (uint64_t)winners ? (int64_t)p->places : winners;
    for (size_t k = 0; k < p->places; k++)
        vacant -= p->place[k].state != RAFFLE_PLACE_ALTERNATE && !rf_place_lost(p->place[k].state);
    for (size_t i = (size_t)prize + 1; i < c->rules->prizes; i++)
        vacant -= c->rules->prize[i].redraw_of == prize && c->prize[i].state == RAFFLE_PRIZE_DRAWN;
    return vacant;
}

bool rf_control_waits(const rf_control *c, size_t prize)
{
    const int32_t first = c->rules->prize[prize].redraw_of;
    if (c->prize[prize].state == RAFFLE_PRIZE_DRAWN)
        return false;
    return first < 0 || (c->prize[first].state == RAFFLE_PRIZE_DRAWN && vacancies(c, first) > 0);
}

int rf_control_next_prize(const rf_control *c)
{
    for (size_t i = 0; i < c->rules->prizes; i++)
        if (rf_control_waits(c, i))
            return (int)i;
    return -1;
}

uint64_t rf_control_round(const rf_control *c, int prize)
{
    return raffle_beacon_round(c->prize[prize].intent_at + c->rules->prize[prize].beacon_delay * 1000);
}

/* --- one-win rule --- */

static bool was_winner(const rf_place_state *p)
{
    return p->state != RAFFLE_PLACE_ALTERNATE;
}

bool rf_control_barred(const rf_control *c, rf_one_win rule, const rf_place *place)
{
    if (rule == RF_ONE_WIN_NONE)
        return false;
    for (size_t i = 0; i < c->rules->prizes; i++) {
        for (size_t k = 0; k < c->prize[i].places; k++) {
            const rf_place_state *p = &c->prize[i].place[k];
            if (!was_winner(p) || p->place.unit != place->unit)
                continue;
            if (rule == RF_ONE_WIN_TICKET ? p->place.serial == place->serial : p->place.number == place->number)
                return true;
        }
    }
    return false;
}

uint32_t rf_control_promotion(const rf_control *c, int prize)
{
    const rf_prize_state *s = &c->prize[prize];
    for (size_t k = 0; k < s->places; k++)
        if (s->place[k].state == RAFFLE_PLACE_ALTERNATE &&
            !rf_control_barred(c, c->rules->prize[prize].one_win, &s->place[k].place))
            return (uint32_t)k + 1;
    return 0;
}

bool rf_place_lost(int32_t state)
{
    return state == RAFFLE_PLACE_FORFEITED || state == RAFFLE_PLACE_REFUSED || state == RAFFLE_PLACE_EXPIRED ||
           state == RAFFLE_PLACE_MISSED;
}

int64_t rf_control_claim_by(const rf_control *c, int prize, const rf_place_state *place)
{
    const int64_t days = c->rules->prize[prize].claim_days;
    return days == 0 ? 0 : place->since + days * day_ms;
}

bool rf_control_papers(const rf_control *c, int prize)
{
    const rf_prize_rule *rule = &c->rules->prize[prize];
    return rule->papers_above >= 0 && rf_prize_worth_of(c, (size_t)prize, NULL).is.each > rule->papers_above;
}

bool rf_control_holds_place(const rf_control *c, uint32_t unit, uint64_t serial)
{
    for (size_t i = 0; i < c->rules->prizes; i++) {
        for (size_t k = 0; k < c->prize[i].places; k++) {
            const rf_place_state *p = &c->prize[i].place[k];
            if (p->place.unit == unit && p->place.serial == serial && !rf_place_lost(p->state))
                return true;
        }
    }
    return false;
}

/* --- intent to result --- */

static raffle_rc check_provider(const rf_control *c, const rf_record *r, char provider[RAFFLE_NAME_SIZE],
                                raffle_error *err)
{
    if (!rf_text_copy(&r->provider, provider, RAFFLE_NAME_SIZE) || !rf_rules_provider(c->rules, provider))
        return rf_fail(err, RAFFLE_RNG_NOT_PINNED, "the provider \"%.*s\" is not one that the rules allow",
                       (int)r->provider.length, r->provider.text);
    return RAFFLE_OK;
}

/* A committed draw names its seed's commitment and provider before anybody can know the beacon; a random one has neither yet. */
static raffle_rc take_commitment(rf_control *c, int prize, const rf_record *r, raffle_error *err)
{
    rf_prize_state *p = &c->prize[prize];
    const rf_prize_rule *rule = &c->rules->prize[prize];
    char provider[RAFFLE_NAME_SIZE] = "";
    if (rf_has(r, RF_F_COMMITMENT) != rule->committed || rf_has(r, RF_F_PROVIDER) != rule->committed ||
        (rf_has(r, RF_F_EVIDENCE) && !rule->committed))
        return rf_fail(err, RAFFLE_INVALID, "the seed of \"%s\" is %s by the rules: its intent %s commitment",
                       rule->name, rule->committed ? "committed" : "random",
                       rule->committed ? "needs a" : "carries no");
    raffle_rc rc = rule->committed ? check_provider(c, r, provider, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    for (size_t i = 0; rule->committed && i < c->rules->prizes; i++)
        if (c->rules->prize[i].committed && c->prize[i].attempts > 0 &&
            memcmp(c->prize[i].commitment, r->commitment, 32) == 0)
            return rf_fail(err, RAFFLE_RNG_SEED, "the commitment for \"%s\" is that of \"%s\": its seed is known",
                           rule->name, c->rules->prize[i].name);
    memcpy(p->commitment, r->commitment, sizeof p->commitment);
    memcpy(p->provider, provider, sizeof p->provider);
    return RAFFLE_OK;
}

/* A redraw names the first draw, the reason, and who else is for it (GLI-31 4.4.1: nothing is drawn again but as the rules say). */
static raffle_rc check_redraw(const rf_control *c, int prize, const rf_record *r, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[prize];
    const bool redraw = rule->redraw_of >= 0;
    if (rf_has(r, RF_F_REASON) != redraw || rf_has(r, RF_F_RESULT) != redraw)
        return rf_fail(err, RAFFLE_INVALID, "\"%s\" is %s by the rules: its intent %s a reason", rule->name,
                       redraw ? "a redraw" : "no redraw", redraw ? "needs" : "takes no");
    if (redraw && (uint64_t)r->result != c->prize[rule->redraw_of].result)
        return rf_fail(err, RAFFLE_CORRUPT, "the redraw \"%s\" names record %lld; the first draw's result is %llu",
                       rule->name, (long long)r->result, (unsigned long long)c->prize[rule->redraw_of].result);
    return redraw ? rf_control_approved(c, r, err) : RAFFLE_OK;
}

/* The prizes before it are drawn, and of a redraw a place is lost. */
static raffle_rc check_turn(const rf_control *c, int prize, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[prize];
    const int next = rf_control_next_prize(c);
    if (c->prize[prize].state == RAFFLE_PRIZE_DRAWN)
        return rf_fail(err, RAFFLE_DRAWN, "prize \"%s\" is drawn already", rule->name);
    if (!rf_control_waits(c, (size_t)prize))
        return rf_fail(err, RAFFLE_SEQUENCE,
                       "\"%s\" is the redraw of a lost place of \"%s\", and none is without a winner", rule->name,
                       c->rules->prize[rule->redraw_of].name);
    if (prize != next)
        return rf_fail(err, RAFFLE_SEQUENCE, "prize \"%s\" comes after \"%s\", which is not drawn", rule->name,
                       c->rules->prize[next].name);
    return RAFFLE_OK;
}

static raffle_rc apply_intent(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_DRAW, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    int i = rf_rules_prize(c->rules, r->prize.text, r->prize.length);
    if (i < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.*s\"", (int)r->prize.length, r->prize.text);
    rf_prize_state *p = &c->prize[i];
    const rf_seal_state *seal = rf_control_seal(c, i);
    const char *name = c->rules->prize[i].name;
    rc = check_turn(c, i, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (seal->kind == 0)
        return rf_fail(err, RAFFLE_NOT_SEALED, "prize \"%s\" is drawn from %s seal, which is missing", name,
                       c->rules->prize[i].seal == RAFFLE_SEAL_EARLY ? "an early" : "the final");
    if (!seal->acknowledged)
        return rf_fail(err, RAFFLE_NOT_ACKED, "the voids of seal %llu are not acknowledged",
                       (unsigned long long)seal->index);
    if (seal->sum.numbers == 0)
        return rf_fail(err, RAFFLE_EMPTY, "seal %llu holds no draw number", (unsigned long long)seal->index);
    if ((uint64_t)r->seal != seal->index || (uint64_t)r->numbers != seal->sum.numbers ||
        (uint64_t)r->attempt != p->attempts + 1u)
        return rf_fail(err, RAFFLE_CORRUPT, "the intent for \"%s\" names seal %lld, %lld numbers, attempt %lld", name,
                       (long long)r->seal, (long long)r->numbers, (long long)r->attempt);
    if (c->altered != 0) /* GLI-31 3.5.2, 5.8.1 */
        return rf_fail(
            err, RAFFLE_HALTED,
            "a program was found to be another one, by record %llu: no draw begins before it is verified again",
            (unsigned long long)c->altered);
    rc = check_redraw(c, i, r, err);
    if (rc == RAFFLE_OK)
        rc = rf_drum_intent(c, i, r, err);
    if (rc == RAFFLE_OK)
        rc = take_commitment(c, i, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    p->state = RAFFLE_PRIZE_INTENT;
    p->attempts++;
    p->seal = seal->index;
    p->numbers = seal->sum.numbers;
    p->pot = (uint64_t)rf_prize_seal_pot(c, (size_t)i, seal);
    p->intent = c->size;
    p->intent_at = r->at;
    c->open_prize = i;
    c->asked = 0;
    c->ask = 0;
    c->picks = 0;
    c->calls = 0;
    return RAFFLE_OK;
}

static raffle_rc check_open(const rf_control *c, const rf_record *r, raffle_error *err)
{
    if (c->open_prize < 0 || c->prize[c->open_prize].intent != (uint64_t)r->intent)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no intent %lld is open for this %s", (long long)r->intent,
                       rf_type_name(r->type));
    return RAFFLE_OK;
}

raffle_rc rf_draw_check(const rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_open(c, r, err);
    return rc == RAFFLE_OK ? rf_control_role(c, RF_OP_DRAW, r->by, err) : rc;
}

static raffle_rc check_drawing(const rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = rf_draw_check(c, r, err);
    if (rc == RAFFLE_OK && c->rules->prize[c->open_prize].drum)
        rc = rf_fail(err, RAFFLE_SEQUENCE, "\"%s\" is drawn from a drum: no %s", c->rules->prize[c->open_prize].name,
                     rf_type_name(r->type));
    return rc;
}

/* Adds the places of a record behind those that are there. */
static raffle_rc add_places(rf_control *c, const rf_record *r, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    rf_place place[RF_PLACES_MAX];
    size_t n;
    raffle_rc rc = rf_places_decode(&r->places, place, RF_PLACES_MAX, &n, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (n == 0)
        return rf_fail(err, RAFFLE_CORRUPT, "a %s without a place", rf_type_name(r->type));
    if (c->picks + n > (size_t)rule->winners + rule->alternates)
        return rf_fail(err, RAFFLE_CORRUPT, "%zu places for \"%s\", whose rules have %lld winners and %lld alternates",
                       c->picks + n, rule->name, (long long)rule->winners, (long long)rule->alternates);
    rf_place_state *grown = realloc(c->pick, (c->picks + n) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    c->pick = grown;
    for (size_t i = 0; i < n; i++)
        c->pick[c->picks + i] = (rf_place_state){.place = place[i], .called_at = r->at};
    c->picks += n;
    return RAFFLE_OK;
}

static raffle_rc apply_picks(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_drawing(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if ((uint64_t)r->first != c->picks + 1)
        return rf_fail(err, RAFFLE_CORRUPT, "places from %lld on follow place %zu", (long long)r->first, c->picks);
    const size_t before = c->picks;
    rc = add_places(c, r, err);
    if (rc == RAFFLE_OK && c->picks != before + RF_PLACES_MAX) {
        rc = rf_fail(err, RAFFLE_CORRUPT, "a draw.picks of %zu places: one has %d, and the rest is in the result",
                     c->picks - before, RF_PLACES_MAX);
        c->picks = before;
    }
    return rc;
}

/* The seed's asking must be the newest, and not given up for lost: else whoever holds two answers could choose. */
static raffle_rc check_asked(const rf_control *c, const rf_record *r, const rf_prize_rule *rule, raffle_error *err)
{
    if (rf_has(r, RF_F_BEACON) || rf_has(r, RF_F_ROUND) || rf_has(r, RF_F_FALLBACK))
        return rf_fail(err, RAFFLE_INVALID, "the result for \"%s\" carries a beacon, which its rules do not ask for",
                       rule->name);
    if (c->ask == 0 || !rf_has(r, RF_F_ASK) || (uint64_t)r->ask != c->ask)
        return rf_fail(err, RAFFLE_SEQUENCE,
                       "the result for \"%s\" has a seed that nobody was asked for, or whose asking was given up",
                       rule->name);
    return RAFFLE_OK;
}

static raffle_rc check_commitment(const rf_prize_state *p, const rf_record *r, const rf_prize_rule *rule,
                                  raffle_error *err)
{
    uint8_t commitment[32];
    raffle_rc rc = raffle_seed_commitment(r->seed, commitment, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (memcmp(commitment, p->commitment, sizeof commitment) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the seed for \"%s\" is not the one that its intent committed to",
                       rule->name);
    return RAFFLE_OK;
}

/* The round follows from the intent's time; a result earlier than its round could not have known it. That a seed which stands in for a lost one is the
 * right one follows from the tree's root, which the fold does not have: the audit computes it. */
static raffle_rc check_revealed(const rf_control *c, const rf_record *r, const char *provider, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    const rf_prize_state *p = &c->prize[c->open_prize];
    const uint64_t round = rf_control_round(c, c->open_prize);
    const bool lost = rf_has(r, RF_F_FALLBACK);
    if (rf_has(r, RF_F_ASK) || !rf_has(r, RF_F_BEACON) || !rf_has(r, RF_F_ROUND) || rf_has(r, RF_F_EVIDENCE))
        return rf_fail(err, RAFFLE_INVALID, "the result for \"%s\" needs a beacon, and nobody is asked for its seed",
                       rule->name);
    if ((uint64_t)r->round != round)
        return rf_fail(err, RAFFLE_MISMATCH, "the result for \"%s\" takes round %lld of the beacon, not %llu",
                       rule->name, (long long)r->round, (unsigned long long)round);
    if (strcmp(provider, p->provider) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the seed for \"%s\" was committed to by the provider \"%s\"", rule->name,
                       p->provider);
    if (r->at < raffle_beacon_time(round + (lost ? RF_BEACON_FALLBACK_ROUNDS : 0)))
        return rf_fail(err, RAFFLE_SEQUENCE, "round %llu of the beacon, for \"%s\", is not there yet",
                       (unsigned long long)round + (lost ? RF_BEACON_FALLBACK_ROUNDS : 0), rule->name);
    return lost ? RAFFLE_OK : check_commitment(p, r, rule, err);
}

static raffle_rc check_result(const rf_control *c, const rf_record *r, raffle_error *err)
{
    const rf_prize_state *p = &c->prize[c->open_prize];
    const rf_prize_rule *rule = &c->rules->prize[c->open_prize];
    char provider[RAFFLE_NAME_SIZE];
    if (!rf_text_is(&r->prize, rule->name) || (uint64_t)r->attempt != p->attempts || (uint64_t)r->numbers != p->numbers)
        return rf_fail(err, RAFFLE_CORRUPT, "the result is not that of the open intent for \"%s\"", rule->name);
    raffle_rc rc = check_provider(c, r, provider, err);
    if (rc ==
        RAFFLE_OK) /* that cosignatures were in time is for the audit to say: a draw whose witnesses were late is finished, and marked */
        rc = rf_control_quorum_of(c, c->open_prize, &r->note, UINT64_MAX, err);
    if (rc == RAFFLE_OK)
        rc = rule->committed ? check_revealed(c, r, provider, err) : check_asked(c, r, rule, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r->winners > rule->winners || r->alternates > rule->alternates ||
        (r->alternates > 0 && r->winners < rule->winners))
        return rf_fail(err, RAFFLE_CORRUPT, "the result for \"%s\" has %lld winners and %lld alternates", rule->name,
                       (long long)r->winners, (long long)r->alternates);
    return RAFFLE_OK;
}

void rf_draw_end(rf_control *c, const rf_record *r, int64_t known_at)
{
    for (size_t i = 0; i < c->picks; i++) {
        c->pick[i].state = i < (uint64_t)r->winners ? RAFFLE_PLACE_DRAWN : RAFFLE_PLACE_ALTERNATE;
        c->pick[i].since = r->at;
    }
    rf_prize_state *p = &c->prize[c->open_prize];
    p->state = RAFFLE_PRIZE_DRAWN;
    p->result = c->size;
    p->result_at = r->at;
    p->known_at = known_at;
    p->places = c->picks;
    p->place = c->pick;
    c->pick = NULL;
    c->picks = 0;
    c->open_prize = -1;
    c->ask = 0;
}

static raffle_rc apply_result(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_drawing(c, r, err);
    if (rc == RAFFLE_OK)
        rc = check_result(c, r, err);
    const size_t before = c->picks;
    if (rc == RAFFLE_OK && rf_has(r, RF_F_PLACES))
        rc = add_places(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->picks != (uint64_t)(r->winners + r->alternates)) {
        rc = rf_fail(err, RAFFLE_CORRUPT, "the result has %zu places for %lld winners and %lld alternates", c->picks,
                     (long long)r->winners, (long long)r->alternates);
        c->picks = before;
        return rc;
    }
    rf_draw_end(c, r,
                c->rules->prize[c->open_prize].committed ? raffle_beacon_time(rf_control_round(c, c->open_prize))
                                                         : c->ask_at);
    return RAFFLE_OK;
}

static raffle_rc apply_abort(rf_control *c, const rf_record *r, raffle_error *err)
{
    raffle_rc rc = check_open(c, r, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_role(c, RF_OP_DRAW, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_approved(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_prize_state *p = &c->prize[c->open_prize];
    if (c->rules->prize[c->open_prize].committed)
        return rf_fail(err, RAFFLE_SEQUENCE, "the seed of \"%s\" is committed: its draw is finished, never aborted",
                       c->rules->prize[c->open_prize].name);
    if (!rf_text_is(&r->prize, c->rules->prize[c->open_prize].name) || (uint64_t)r->attempt != p->attempts)
        return rf_fail(err, RAFFLE_CORRUPT, "the abort is not that of the open intent");
    p->state = RAFFLE_PRIZE_WAITING;
    c->open_prize = -1;
    c->ask = 0;
    c->picks = 0;
    return RAFFLE_OK;
}

static raffle_rc apply_ask(rf_control *c, const rf_record *r, raffle_error *err)
{
    if (c->ask != 0)
        return rf_fail(
            err, RAFFLE_APPROVAL,
            "a provider was asked for this draw, and its answer is lost: asking again needs a second approver");
    if (rf_has(r, RF_F_ASK))
        return rf_fail(err, RAFFLE_CORRUPT, "a \"draw.ask\" names another asking");
    if (c->rules->prize[c->open_prize].drum)
        return rf_fail(err, RAFFLE_SEQUENCE, "\"%s\" is drawn from a drum: no provider is asked",
                       c->rules->prize[c->open_prize].name);
    if (c->rules->prize[c->open_prize].committed)
        return rf_fail(err, RAFFLE_SEQUENCE, "the seed of \"%s\" is committed: nobody is asked for another",
                       c->rules->prize[c->open_prize].name);
    c->asked++;
    c->ask = c->size;
    c->ask_at = r->at;
    return RAFFLE_OK;
}

/* Its failure, or that it is given up for lost: of exactly the asking that waits. */
static raffle_rc end_ask(rf_control *c, const rf_record *r, bool lost, raffle_error *err)
{
    if (c->ask == 0 || !rf_has(r, RF_F_ASK) || (uint64_t)r->ask != c->ask)
        return rf_fail(err, RAFFLE_SEQUENCE, "\"%.*s\" ends an asking that nobody waits for", (int)r->code.length,
                       r->code.text);
    raffle_rc rc = lost ? rf_control_approved(c, r, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        c->ask = 0;
    return rc;
}

raffle_rc rf_draw_event(rf_control *c, const rf_record *r, raffle_error *err)
{
    const bool ask = rf_text_is(&r->code, "draw.ask");
    const bool failed = rf_text_is(&r->code, "draw.ask-failed");
    const bool lost = rf_text_is(&r->code, "draw.ask-again");
    if (!ask && !failed && !lost)
        return rf_has(r, RF_F_ASK)
                   ? rf_fail(err, RAFFLE_CORRUPT, "a \"%.*s\" names an asking", (int)r->code.length, r->code.text)
                   : RAFFLE_OK;
    if (c->open_prize < 0)
        return rf_fail(err, RAFFLE_SEQUENCE, "\"%.*s\" without an open intent", (int)r->code.length, r->code.text);
    return ask ? apply_ask(c, r, err) : end_ask(c, r, lost, err);
}

/* --- places --- */

static raffle_rc find_place(rf_control *c, const rf_record *r, int *prize, rf_place_state **place, raffle_error *err)
{
    *prize = rf_rules_prize(c->rules, r->prize.text, r->prize.length);
    if (*prize < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.*s\"", (int)r->prize.length, r->prize.text);
    rf_prize_state *p = &c->prize[*prize];
    if (p->state != RAFFLE_PRIZE_DRAWN || p->result != (uint64_t)r->result)
        return rf_fail(err, RAFFLE_NOT_FOUND, "record %lld is not the result of prize \"%s\"", (long long)r->result,
                       c->rules->prize[*prize].name);
    if (r->place < 1 || (uint64_t)r->place > p->places)
        return rf_fail(err, RAFFLE_NOT_FOUND, "prize \"%s\" has places 1 to %zu, not %lld",
                       c->rules->prize[*prize].name, p->places, (long long)r->place);
    *place = &p->place[r->place - 1];
    return RAFFLE_OK;
}

/* The place is lost: it gets `state`, and the next alternate becomes a winner, which the record must name, and has the whole claim period before it. */
static raffle_rc lose_place(rf_control *c, const rf_record *r, int prize, rf_place_state *place, int32_t state,
                            raffle_error *err)
{
    uint32_t next = rf_control_promotion(c, prize);
    if (rf_has(r, RF_F_PROMOTED) != (next != 0) || (next != 0 && (uint64_t)r->promoted != next))
        return rf_fail(err, RAFFLE_CORRUPT, "place %lld is lost to place %lld; the next alternate is place %u",
                       (long long)r->place, (long long)(rf_has(r, RF_F_PROMOTED) ? r->promoted : 0), next);
    place->state = state;
    if (next != 0) {
        c->prize[prize].place[next - 1].state = RAFFLE_PLACE_DRAWN;
        c->prize[prize].place[next - 1].since = r->at;
    }
    return RAFFLE_OK;
}

static const char *state_name(int32_t state)
{
    switch (state) {
    case RAFFLE_PLACE_ALTERNATE:
        return "an alternate";
    case RAFFLE_PLACE_DRAWN:
        return "drawn";
    case RAFFLE_PLACE_VERIFIED:
        return "verified";
    case RAFFLE_PLACE_OFFICIAL:
        return "official";
    case RAFFLE_PLACE_WAITING:
        return "waiting for papers";
    case RAFFLE_PLACE_CLAIMED:
        return "claimed";
    default:
        return "lost";
    }
}

static raffle_rc wrong_state(const rf_record *r, const rf_place_state *place, raffle_error *err)
{
    return rf_fail(err, RAFFLE_SEQUENCE, "place %lld is %s: no %s now", (long long)r->place, state_name(place->state),
                   rf_type_name(r->type));
}

static raffle_rc apply_verify(rf_control *c, const rf_record *r, int prize, rf_place_state *place, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_VERIFY, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place->state != RAFFLE_PLACE_DRAWN)
        return wrong_state(r, place, err);
    if (rf_text_is(&r->outcome, "void"))
        return lose_place(c, r, prize, place, RAFFLE_PLACE_REFUSED, err);
    if (!rf_text_is(&r->outcome, "verified") || rf_has(r, RF_F_PROMOTED))
        return rf_fail(err, RAFFLE_CORRUPT, "a verification ends \"verified\" or \"void\", not \"%.*s\"",
                       (int)r->outcome.length, r->outcome.text);
    place->state = RAFFLE_PLACE_VERIFIED;
    return RAFFLE_OK;
}

static raffle_rc apply_official(rf_control *c, const rf_record *r, rf_place_state *place, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_VERIFY, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place->state != RAFFLE_PLACE_VERIFIED)
        return wrong_state(r, place, err);
    place->state = RAFFLE_PLACE_OFFICIAL;
    return RAFFLE_OK;
}

/* The winner of a prize with an ace chooses an envelope, in front of two (catch the ace). */
static raffle_rc check_envelope(const rf_control *c, const rf_record *r, int prize, const rf_place_state *place,
                                raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[prize];
    const uint64_t opened = c->prize[prize].opened;
    if (rule->ace == 0)
        return rf_fail(err, RAFFLE_SEQUENCE, "\"%s\" has no ace to be found", rule->name);
    if (place->state != RAFFLE_PLACE_OFFICIAL || place->found)
        return wrong_state(r, place, err);
    if (r->envelope < 1 || r->envelope > rule->ace)
        return rf_fail(err, RAFFLE_INVALID, "\"%s\" has envelopes 1 to %lld, not %lld", rule->name,
                       (long long)rule->ace, (long long)r->envelope);
    if (opened & UINT64_C(1) << (r->envelope - 1))
        return rf_fail(err, RAFFLE_EXISTS, "envelope %lld of \"%s\" was opened before", (long long)r->envelope,
                       rule->name);
    return RAFFLE_OK;
}

static raffle_rc miss_ace(rf_control *c, const rf_record *r, int prize, rf_place_state *place, raffle_error *err)
{
    const rf_prize_rule *rule = &c->rules->prize[prize];
    if (__builtin_popcountll(c->prize[prize].opened) + 1 >= rule->ace)
        return rf_fail(err, RAFFLE_INVALID, "envelope %lld is the last one of \"%s\", and the ace is in it",
                       (long long)r->envelope, rule->name);
    if (rule->must_go)
        return lose_place(c, r, prize, place, RAFFLE_PLACE_MISSED, err);
    if (rf_has(r, RF_F_PROMOTED))
        return rf_fail(err, RAFFLE_CORRUPT, "nobody is promoted by who misses the ace of \"%s\"", rule->name);
    place->state = RAFFLE_PLACE_MISSED;
    return RAFFLE_OK;
}

static raffle_rc apply_pick(rf_control *c, const rf_record *r, int prize, rf_place_state *place, raffle_error *err)
{
    const bool found = rf_text_is(&r->outcome, "found");
    raffle_rc rc = rf_control_role(c, RF_OP_VERIFY, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_approved(c, r, err);
    if (rc == RAFFLE_OK)
        rc = check_envelope(c, r, prize, place, err);
    if (rc == RAFFLE_OK && ((!found && !rf_text_is(&r->outcome, "missed")) || (found && rf_has(r, RF_F_PROMOTED))))
        rc = rf_fail(err, RAFFLE_CORRUPT, "a pick ends \"found\" or \"missed\", not \"%.*s\"", (int)r->outcome.length,
                     r->outcome.text);
    if (rc == RAFFLE_OK && !found)
        rc = miss_ace(c, r, prize, place, err);
    if (rc != RAFFLE_OK)
        return rc;
    place->found = found;
    c->prize[prize].opened |= found ? 0 : UINT64_C(1) << (r->envelope - 1);
    return RAFFLE_OK;
}

/* Whoever has not chosen has won nothing yet. */
static raffle_rc check_found(const rf_control *c, int prize, const rf_place_state *place, raffle_error *err)
{
    return c->rules->prize[prize].ace == 0 || place->found
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_SEQUENCE, "the winner of \"%s\" has not found its ace",
                         c->rules->prize[prize].name);
}

static raffle_rc check_in_time(const rf_control *c, const rf_record *r, int prize, const rf_place_state *place,
                               raffle_error *err)
{
    const int64_t claim_by = rf_control_claim_by(c, prize, place);
    return claim_by == 0 || r->at < claim_by
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_EXPIRED, "the claim period of \"%s\", %lld days, is over",
                         c->rules->prize[prize].name, (long long)c->rules->prize[prize].claim_days);
}

static raffle_rc check_papers(const rf_control *c, const rf_record *r, int prize, raffle_error *err)
{
    const bool seen = rf_has(r, RF_F_PAPERS) && r->papers;
    if (rf_has(r, RF_F_PAPERS) && (!r->papers || !rf_control_papers(c, prize)))
        return rf_fail(err, RAFFLE_SEQUENCE, "no papers are asked for \"%s\"", c->rules->prize[prize].name);
    return seen || !rf_control_papers(c, prize)
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_PAPERS, "\"%s\" is worth more than %lld: it is paid out against papers",
                         c->rules->prize[prize].name, (long long)c->rules->prize[prize].papers_above);
}

static raffle_rc apply_claim(rf_control *c, const rf_record *r, int prize, rf_place_state *place, rf_taken_list *taken,
                             raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_CLAIM, r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_approved(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place->state != RAFFLE_PLACE_OFFICIAL && place->state != RAFFLE_PLACE_WAITING)
        return wrong_state(r, place, err);
    rc = check_found(c, prize, place, err);
    if (rc == RAFFLE_OK && place->state == RAFFLE_PLACE_OFFICIAL)
        rc = check_in_time(c, r, prize, place, err);
    if (rc == RAFFLE_OK)
        rc = check_papers(c, r, prize, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_take(taken, rf_key_claim((uint64_t)r->result, (uint64_t)r->place));
    place->state = RAFFLE_PLACE_CLAIMED;
    return RAFFLE_OK;
}

static raffle_rc apply_wait(const rf_control *c, const rf_record *r, int prize, rf_place_state *place,
                            raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_CLAIM, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place->state != RAFFLE_PLACE_OFFICIAL)
        return wrong_state(r, place, err);
    if (!rf_control_papers(c, prize))
        return rf_fail(err, RAFFLE_SEQUENCE, "no papers are asked for \"%s\"", c->rules->prize[prize].name);
    rc = check_found(c, prize, place, err);
    if (rc == RAFFLE_OK)
        rc = check_in_time(c, r, prize, place, err);
    if (rc == RAFFLE_OK)
        place->state = RAFFLE_PLACE_WAITING;
    return rc;
}

/* Before the claim period is over a forfeit is an exception (design section 9), and so it is while somebody who came in time looks for papers. */
static raffle_rc apply_forfeit(rf_control *c, const rf_record *r, int prize, rf_place_state *place, raffle_error *err)
{
    raffle_rc rc = rf_control_role(c, RF_OP_FORFEIT, r->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place->state == RAFFLE_PLACE_ALTERNATE || place->state == RAFFLE_PLACE_CLAIMED || rf_place_lost(place->state))
        return wrong_state(r, place, err);
    const int64_t claim_by = rf_control_claim_by(c, prize, place);
    const bool waits = place->state == RAFFLE_PLACE_WAITING;
    if (waits || r->at < claim_by)
        rc = rf_control_approved(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool expired = !waits && claim_by != 0 && r->at >= claim_by;
    return lose_place(c, r, prize, place, expired ? RAFFLE_PLACE_EXPIRED : RAFFLE_PLACE_FORFEITED, err);
}

static raffle_rc apply_place(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err)
{
    int prize;
    rf_place_state *place = NULL;
    raffle_rc rc = find_place(c, r, &prize, &place, err);
    if (rc != RAFFLE_OK)
        return rc;
    switch (r->type) {
    case RF_WINNER_VERIFY:
        return apply_verify(c, r, prize, place, err);
    case RF_WINNER_OFFICIAL:
        return apply_official(c, r, place, err);
    case RF_WINNER_PICK:
        return apply_pick(c, r, prize, place, err);
    case RF_CLAIM:
        return apply_claim(c, r, prize, place, taken, err);
    case RF_CLAIM_WAIT:
        return apply_wait(c, r, prize, place, err);
    default:
        return apply_forfeit(c, r, prize, place, err);
    }
}

raffle_rc rf_draw_apply(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err)
{
    switch (r->type) {
    case RF_DRAW_INTENT:
        return apply_intent(c, r, err);
    case RF_DRAW_PICKS:
        return apply_picks(c, r, err);
    case RF_DRAW_RESULT:
        return apply_result(c, r, err);
    case RF_DRAW_ABORT:
        return apply_abort(c, r, err);
    case RF_DRAW_CALL:
    case RF_DRAW_MANUAL:
        return rf_drum_apply(c, r, err);
    default:
        return apply_place(c, r, taken, err);
    }
}
