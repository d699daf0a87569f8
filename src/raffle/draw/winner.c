/* SPDX-License-Identifier: Apache-2.0 */
/* From a drawn place to a prize paid out (GLI-31 2.6.5, 2.7.1): verification by the ticket presented, official, claimed, forfeited. */
#include "ticket.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <string.h>

/* A place as the caller names it, looked up in the state. */
typedef struct target {
    int prize;
    uint32_t place;
    uint64_t result;
    rf_place_state state;
    int64_t claim_by;
} target;

static raffle_rc find(raffle *r, const char *prize, uint32_t place, target *t, raffle_error *err)
{
    if (prize == NULL)
        return rf_null(err, "prize");
    t->prize = rf_rules_prize(r->rules, prize, strnlen(prize, RAFFLE_WORD_SIZE));
    t->place = place;
    if (t->prize < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.40s\"", prize);
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_prize_state *p = &r->control.prize[t->prize];
    const size_t places = p->places;
    const bool drawn = p->state == RAFFLE_PRIZE_DRAWN;
    if (drawn && place >= 1 && place <= places) {
        t->state = p->place[place - 1];
        t->result = p->result;
        t->claim_by = rf_control_claim_by(&r->control, t->prize, &t->state);
    }
    pthread_rwlock_unlock(&r->control_lock);
    if (!drawn)
        return rf_fail(err, RAFFLE_NOT_FOUND, "prize \"%s\" is not drawn", prize);
    if (place < 1 || place > places)
        return rf_fail(err, RAFFLE_NOT_FOUND, "prize \"%s\" has places 1 to %zu, not %u", prize, places, place);
    return RAFFLE_OK;
}

static raffle_rc enter(raffle *r, const raffle_actor *by, raffle_actor *actor, const char *prize, uint32_t place,
                       target *t, raffle_error *err)
{
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(actor, by, "by", err);
    return rc == RAFFLE_OK ? find(r, prize, place, t, err) : rc;
}

static rf_record make_record(raffle *r, rf_type type, const target *t)
{
    return (rf_record){.type = type,
                       .has = rf_bit(RF_F_PRIZE) | rf_bit(RF_F_PLACE) | rf_bit(RF_F_RESULT),
                       .prize = rf_text_of(r->rules->prize[t->prize].name),
                       .place = t->place,
                       .result = (int64_t)t->result};
}

/* A place that is lost: who takes over is found out when it is, under the control log's lock. */
typedef struct loss {
    raffle *raffle;
    const target *target;
    rf_record record;
    uint32_t promotion; /* out: 0 for none */
} loss;

static raffle_rc make_loss(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    loss *l = ctx;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    *record = l->record;
    l->promotion = rf_control_promotion(&l->raffle->control, l->target->prize);
    if (l->promotion != 0) {
        record->promoted = l->promotion;
        record->has |= rf_bit(RF_F_PROMOTED);
    }
    return RAFFLE_OK;
}

static raffle_rc lose(loss *l, const raffle_actor *by, const raffle_actor *ok, raffle_error *err)
{
    rf_control_op op = {.raffle = l->raffle, .by = by, .ok = ok, .make = make_loss, .ctx = l};
    return rf_control_append(&op, err);
}

/* The ticket that was presented must be the one that holds the place. `is_void`: it is that ticket, and it is void. */
static raffle_rc check_ticket(raffle *r, const target *t, const char *validation, bool *is_void, raffle_error *err)
{
    rf_sold sold;
    if (validation == NULL)
        return rf_null(err, "validation");
    raffle_rc rc = rf_validation_find(r, validation, &sold, err);
    if (rc == RAFFLE_INVALID)
        rf_validation_failed(r);
    if (rc != RAFFLE_OK)
        return rc;
    if (sold.ticket.unit != t->state.place.unit || sold.ticket.serial != t->state.place.serial)
        return rf_fail(err, RAFFLE_MISMATCH,
                       "the validation number is that of ticket %u/%llu, and the place is held by ticket %u/%llu",
                       sold.ticket.unit, (unsigned long long)sold.ticket.serial, t->state.place.unit,
                       (unsigned long long)t->state.place.serial);
    *is_void = sold.ticket.flags & RAFFLE_TICKET_VOID;
    return RAFFLE_OK;
}

static void give_pick(const target *t, raffle_pick *pick)
{
    raffle_pick mine = {.place = t->place,
                        .state = t->state.state,
                        .unit = t->state.place.unit,
                        .number = t->state.place.number,
                        .serial = t->state.place.serial,
                        .called_at = t->state.called_at,
                        .claim_by = t->claim_by,
                        .found = t->state.found};
    rf_struct_out(pick, rf_struct_size(pick), &mine, sizeof mine);
}

raffle_rc raffle_pick_at(raffle *r, const char *prize, uint32_t place, raffle_pick *pick, raffle_error *err)
{
    target t;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(pick, "pick", err);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = find(r, prize, place, &t, err);
    if (rc == RAFFLE_OK)
        give_pick(&t, pick);
    return rc;
}

/* A place that does not wait for this is refused before a void ticket could cost it its place. */
static raffle_rc check_waits(const target *t, raffle_error *err)
{
    if (t->state.state != RAFFLE_PLACE_DRAWN)
        return rf_fail(err, RAFFLE_SEQUENCE, "place %u does not wait for a verification", t->place);
    return RAFFLE_OK;
}

raffle_rc raffle_winner_verify(raffle *r, const raffle_actor *by, const char *prize, uint32_t place,
                               const char *validation, raffle_pick *now, uint32_t *promoted, raffle_error *err)
{
    raffle_actor actor;
    target t;
    bool is_void = false;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc == RAFFLE_OK && now != NULL)
        rc = rf_struct_check(now, "now", err);
    if (rc == RAFFLE_OK && !rf_rules_may(r->rules, RF_OP_VERIFY, actor.role))
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not verify", raffle_role_name(actor.role));
    if (rc == RAFFLE_OK)
        rc = check_waits(&t, err);
    if (rc == RAFFLE_OK)
        rc = check_ticket(r, &t, validation, &is_void, err);
    if (rc != RAFFLE_OK)
        return rc;
    loss l = {r, &t, make_record(r, RF_WINNER_VERIFY, &t), 0};
    l.record.outcome = rf_text_of(is_void ? "void" : "verified");
    l.record.has |= rf_bit(RF_F_OUTCOME);
    rc = is_void ? lose(&l, &actor, NULL, err) : rf_control_one(r, &actor, NULL, NULL, &l.record, NULL, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (promoted != NULL)
        *promoted = l.promotion;
    t.state.state = is_void ? RAFFLE_PLACE_REFUSED : RAFFLE_PLACE_VERIFIED;
    if (now != NULL)
        give_pick(&t, now);
    return RAFFLE_OK;
}

raffle_rc raffle_winner_official(raffle *r, const raffle_actor *by, const char *prize, uint32_t place,
                                 raffle_error *err)
{
    raffle_actor actor;
    target t;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = make_record(r, RF_WINNER_OFFICIAL, &t);
    return rf_control_one(r, &actor, NULL, NULL, &record, NULL, err);
}

raffle_rc raffle_winner_pick(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *prize,
                             uint32_t place, uint32_t envelope, int32_t outcome, uint32_t *promoted, raffle_error *err)
{
    raffle_actor actor, approver;
    target t;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK && outcome != RAFFLE_ACE_FOUND && outcome != RAFFLE_ACE_MISSED)
        rc = rf_fail(err, RAFFLE_INVALID, "an envelope has the ace, or has not; %d says neither", outcome);
    if (rc == RAFFLE_OK && envelope == 0)
        rc = rf_fail(err, RAFFLE_INVALID, "envelopes are counted from 1");
    if (rc != RAFFLE_OK)
        return rc;
    const bool missed = outcome == RAFFLE_ACE_MISSED;
    loss l = {r, &t, make_record(r, RF_WINNER_PICK, &t), 0};
    l.record.envelope = envelope;
    l.record.outcome = rf_text_of(missed ? "missed" : "found");
    l.record.has |= rf_bit(RF_F_ENVELOPE) | rf_bit(RF_F_OUTCOME);
    rc = missed && r->rules->prize[t.prize].must_go ? lose(&l, &actor, &approver, err)
                                                    : rf_control_one(r, &actor, &approver, NULL, &l.record, NULL, err);
    if (rc == RAFFLE_OK && promoted != NULL)
        *promoted = l.promotion;
    return rc;
}

/* The ticket that was presented is the place's, and good. */
static raffle_rc check_presented(raffle *r, const target *t, const char *validation, raffle_error *err)
{
    bool is_void = false;
    raffle_rc rc = check_ticket(r, t, validation, &is_void, err);
    return rc == RAFFLE_OK && is_void ? rf_fail(err, RAFFLE_VOIDED, "the ticket of place %u is void", t->place) : rc;
}

static raffle_rc pay(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *prize, uint32_t place,
                     const char *validation, const char *papers, raffle_error *err)
{
    raffle_actor actor, approver;
    target t;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK)
        rc = check_presented(r, &t, validation, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = make_record(r, RF_CLAIM, &t);
    record.papers = papers != NULL;
    record.has |= papers != NULL ? rf_bit(RF_F_PAPERS) : 0;
    return rf_control_one(r, &actor, &approver, papers, &record, NULL, err);
}

raffle_rc raffle_claim(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *prize, uint32_t place,
                       const char *validation, raffle_error *err)
{
    return pay(r, by, ok, prize, place, validation, NULL, err);
}

raffle_rc raffle_claim_papers(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *prize,
                              uint32_t place, const char *validation, const char *papers, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (papers == NULL)
        return rf_null(err, "papers");
    if (!rf_text_valid(papers, strnlen(papers, RAFFLE_TEXT_MAX + 1), RAFFLE_TEXT_MAX))
        return rf_fail(err, RAFFLE_INVALID, "papers are named by 1 to %d bytes of UTF-8 without control characters",
                       RAFFLE_TEXT_MAX);
    return pay(r, by, ok, prize, place, validation, papers, err);
}

raffle_rc raffle_claim_wait(raffle *r, const raffle_actor *by, const char *prize, uint32_t place,
                            const char *validation, raffle_error *err)
{
    raffle_actor actor;
    target t;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc == RAFFLE_OK)
        rc = check_presented(r, &t, validation, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = make_record(r, RF_CLAIM_WAIT, &t);
    return rf_control_one(r, &actor, NULL, NULL, &record, NULL, err);
}

raffle_rc raffle_forfeit(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *prize, uint32_t place,
                         const char *reason, uint32_t *promoted, raffle_error *err)
{
    raffle_actor actor, approver;
    target t;
    raffle_rc rc = enter(r, by, &actor, prize, place, &t, err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK && reason == NULL)
        rc = rf_null(err, "reason");
    if (rc == RAFFLE_OK && !rf_word_valid(reason, strnlen(reason, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a forfeit needs a word for its reason");
    if (rc != RAFFLE_OK)
        return rc;
    loss l = {r, &t, make_record(r, RF_FORFEIT, &t), 0};
    l.record.reason = rf_text_of(reason);
    l.record.has |= rf_bit(RF_F_REASON);
    rc = lose(&l, &actor, &approver, err);
    if (rc == RAFFLE_OK && promoted != NULL)
        *promoted = l.promotion;
    return rc;
}
