/* SPDX-License-Identifier: Apache-2.0 */
/* Every draw again: from the seed in its result, with the audit's own knowledge of the voids, and the control log as it was then (design section 9). */
#include "audit_impl.h"

#include "beacon.h"
#include "drum.h"
#include "error.h"
#include "places.h"
#include "prints.h"
#include <stdlib.h>
#include <string.h>

typedef struct replay {
    raffle_audit *audit;
    rf_control control; /* as it was before the record that comes */
    rf_range range;
    uint8_t root[32]; /* of the control log up to and with the last intent */
    uint64_t intent;
    rf_record record;
    rf_places places;
    uint64_t faults_before; /* this draw's are counted from here */
    int64_t latest;         /* time of any record so far */
    bool beacon_verified;   /* of this draw */
    bool witnessed;         /* the quorum cosigned this draw's intent, in time */
    bool called_wrong;      /* a number that was called in this drum draw was judged otherwise */
} replay;

static uint64_t faults_of(const raffle_audit *a)
{
    return a->faults.integrity + a->faults.incomplete;
}

static void wrong(replay *r, const char *sentence)
{
    rf_fault(&r->audit->faults, RAFFLE_FAULT_INTEGRITY, 0, r->control.size, "draw", "%s", sentence);
}

/* --- voids --- */

static raffle_rc void_at_seal(void *ctx, uint32_t unit, uint64_t serial, bool *out, raffle_error *err)
{
    const replay *r = ctx;
    const rf_seal_state *seal = rf_control_seal(&r->control, r->control.open_prize);
    (void)err;
    *out = unit >= 1 && unit <= seal->units && unit <= r->audit->units &&
           rf_voids_have(&r->audit->unit[unit - 1].voids, serial, seal->unit[unit - 1].size, seal->first);
    return RAFFLE_OK;
}

/* --- comparing --- */

/* The places of the picks records before, and of the result. */
static bool same_places(const replay *r, const rf_drawn *drawn)
{
    rf_place last[RF_PLACES_MAX];
    size_t n = 0;
    const rf_control *c = &r->control;
    if (rf_has(&r->record, RF_F_PLACES) &&
        rf_places_decode(&r->record.places, last, RF_PLACES_MAX, &n, NULL) != RAFFLE_OK)
        return false;
    if (c->picks + n != drawn->winners + drawn->alternates)
        return false;
    for (size_t i = 0; i < c->picks + n; i++) {
        const rf_place *says = i < c->picks ? &c->pick[i].place : &last[i - c->picks];
        if (says->unit != drawn->place[i].unit || says->number != drawn->place[i].number ||
            says->serial != drawn->place[i].serial)
            return false;
    }
    return true;
}

static void compare(replay *r, const rf_drawn *drawn)
{
    const rf_record *says = &r->record;
    if ((uint64_t)says->winners != drawn->winners || (uint64_t)says->alternates != drawn->alternates ||
        !same_places(r, drawn))
        wrong(r, "the places are not those that follow from the seed");
    if ((uint64_t)says->rejected != drawn->rejected)
        wrong(r, "the number of rejected words is another");
    if ((uint64_t)says->skipped_void != drawn->skipped_void ||
        (uint64_t)says->skipped_not_entered != drawn->skipped_not_entered ||
        (uint64_t)says->skipped_barred != drawn->skipped_barred || memcmp(says->skips, drawn->skips, 32) != 0)
        wrong(r, "the draw numbers that were skipped are others");
}

static raffle_rc draw_again(replay *r, raffle_error *err)
{
    raffle_audit *a = r->audit;
    const rf_drum drum = {a->store, &r->control, r->control.open_prize, void_at_seal, r};
    rf_drawn drawn;
    raffle_error why = RAFFLE_ERROR_INIT;
    const rf_draw_input input = {.origin = a->origin,
                                 .intent = r->intent,
                                 .root = r->root,
                                 .seed = r->record.seed,
                                 .beacon = rf_has(&r->record, RF_F_BEACON) ? r->record.beacon : NULL,
                                 .numbers = r->control.prize[r->control.open_prize].numbers};
    raffle_rc rc = rf_drum_run(&drum, &input, &drawn, &why);
    if (rc != RAFFLE_OK)
        return rf_fault_or_fail(&a->faults, 0, r->control.size, "draw", &why, err);
    compare(r, &drawn);
    rf_drawn_clear(&drawn);
    return RAFFLE_OK;
}

/* --- a committed draw's beacon and seed --- */

/* A hook that could not find out ends the audit; one that says no is a fault. */
static raffle_rc check_value(replay *r, uint64_t round, const uint8_t value[RF_BEACON_SIZE], raffle_error *err)
{
    const raffle_audit_options *o = &r->audit->options;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_beacon_check(o->beacon, o->beacon_ctx, round, value, &why);
    if (rc == RAFFLE_SIGNATURE)
        rf_fault(&r->audit->faults, RAFFLE_FAULT_INTEGRITY, 0, r->control.size, "beacon", "%s", why.message);
    return rc == RAFFLE_OK || rc == RAFFLE_SIGNATURE ? RAFFLE_OK : rf_fail_as(err, &why);
}

static raffle_rc check_beacon(replay *r, raffle_error *err)
{
    const uint64_t round = (uint64_t)r->record.round;
    const uint64_t faults = faults_of(r->audit);
    if (r->audit->options.beacon == NULL)
        return RAFFLE_OK;
    raffle_rc rc = check_value(r, round, r->record.beacon, err);
    if (rc == RAFFLE_OK && rf_has(&r->record, RF_F_FALLBACK))
        rc = check_value(r, round + RF_BEACON_FALLBACK_ROUNDS, r->record.fallback, err);
    r->beacon_verified = rc == RAFFLE_OK && faults_of(r->audit) == faults;
    return rc;
}

/* The seed that stands in for a lost one is nobody's choice; that the committed one is missing is a fault all the same. */
static raffle_rc check_fallback(replay *r, raffle_error *err)
{
    uint8_t c[32], seed[RF_SEED_SIZE];
    rf_draw_commitment(r->audit->hash, c, r->audit->origin, r->intent, r->root);
    raffle_rc rc = rf_beacon_fallback(seed, c, r->record.fallback, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (memcmp(seed, r->record.seed, sizeof seed) != 0)
        wrong(r, "the seed is not the one that follows from the later round");
    rf_fault(&r->audit->faults, RAFFLE_FAULT_COMPLETENESS, 0, r->control.size, "seed-lost",
             "the seed that the intent committed to is lost");
    return RAFFLE_OK;
}

/* Nobody is asked about a round that the intent does not fix: the fold refused it, and who verifies may not know what to say of round 0. */
static bool has_round(const replay *r)
{
    const rf_control *c = &r->control;
    return rf_has(&r->record, RF_F_BEACON) && rf_has(&r->record, RF_F_ROUND) &&
           c->rules->prize[c->open_prize].committed && (uint64_t)r->record.round == rf_control_round(c, c->open_prize);
}

static raffle_rc check_committed(replay *r, raffle_error *err)
{
    r->beacon_verified = false;
    if (!has_round(r))
        return RAFFLE_OK;
    raffle_rc rc = check_beacon(r, err);
    return rc == RAFFLE_OK && rf_has(&r->record, RF_F_FALLBACK) ? check_fallback(r, err) : rc;
}

/* A clock that was set back lets an intent choose a round that is known already. */
static void check_intent_time(replay *r)
{
    if (rf_has(&r->record, RF_F_COMMITMENT) && r->record.at < r->latest)
        rf_fault(&r->audit->faults, RAFFLE_FAULT_INTEGRITY, 0, r->control.size, "backdated",
                 "the intent is %lld ms earlier than a record before it, and its beacon's round may have been known",
                 (long long)(r->latest - r->record.at));
    r->latest = r->record.at > r->latest ? r->record.at : r->latest;
}

/* The checkpoint of the intent in the result: signed, and of exactly the records up to the intent. */
static raffle_rc check_intent_note(replay *r, raffle_error *err)
{
    raffle_audit *a = r->audit;
    rf_checkpoint checkpoint;
    char *note = malloc(r->record.note.length + 1);
    if (note == NULL)
        return rf_nomem(err);
    if (!rf_text_copy(&r->record.note, note, r->record.note.length + 1))
        wrong(r, "the intent's checkpoint is malformed");
    else if (rf_note_check(&a->signer, note, strlen(note), 0, r->control.size, &a->faults, &checkpoint) &&
             (checkpoint.size != r->intent + 1 || memcmp(checkpoint.root, r->root, 32) != 0))
        wrong(r, "the intent's checkpoint is over other records");
    free(note);
    return RAFFLE_OK;
}

/* The fold asks for the quorum, or there is a fault already; here, whether it was there before anybody could know the outcome. */
static raffle_rc check_quorum(replay *r, raffle_error *why)
{
    const rf_control *c = &r->control;
    if (c->rules->policy_length == 0)
        return RAFFLE_OK;
    const uint64_t before = rf_control_cosign_before(c, c->open_prize);
    raffle_rc rc = rf_control_quorum_of(c, c->open_prize, &r->record.note, before, why);
    r->witnessed = rc == RAFFLE_OK;
    return rc;
}

/* Not wrong, but no proof to outsiders either. */
static void report_late(replay *r, const raffle_error *why)
{
    const rf_control *c = &r->control;
    if (rf_control_quorum_of(c, c->open_prize, &r->record.note, UINT64_MAX, NULL) == RAFFLE_OK)
        rf_fault(&r->audit->faults, RAFFLE_FAULT_COMPLETENESS, 0, c->size, "quorum-late", "%s", why->message);
}

/* --- a result --- */

static raffle_audit_draw *add_draw(raffle_audit *a)
{
    raffle_audit_draw *grown = realloc(a->draw, (a->draws + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    a->draw = grown;
    raffle_audit_draw *d = &a->draw[a->draws++];
    *d = (raffle_audit_draw){.struct_size = sizeof *d};
    return d;
}

static int32_t assurance(const replay *r, const raffle_audit_draw *d)
{
    if (faults_of(r->audit) != r->faults_before)
        return RAFFLE_ASSURANCE_WRONG;
    /* What was called is on record; that it came out of the drum, those who watched it know. */
    if (r->control.rules->rehearsal || strcmp(d->provider, "test") == 0 || r->record.type == RF_DRAW_MANUAL)
        return RAFFLE_ASSURANCE_OPERATOR;
    /* A committed draw proves its fairness to outsiders, and to them alone who can see that the intent came before the round. */
    if (d->committed)
        return d->beacon_verified && r->witnessed ? RAFFLE_ASSURANCE_VERIFIABLE : RAFFLE_ASSURANCE_OPERATOR;
    return RAFFLE_ASSURANCE_CERTIFIED;
}

static raffle_rc describe(replay *r, int prize, bool follows, raffle_error *err)
{
    const rf_record *record = &r->record;
    raffle_audit *a = r->audit;
    raffle_audit_draw *d = add_draw(a);
    if (d == NULL)
        return rf_nomem(err);
    (void)rf_text_copy(&record->prize, d->prize, sizeof d->prize);
    if (record->type == RF_DRAW_MANUAL)
        memcpy(d->provider, "drum", sizeof "drum");
    else
        (void)rf_text_copy(&record->provider, d->provider, sizeof d->provider);
    d->result = r->control.size;
    d->attempt = (uint32_t)record->attempt;
    d->asked = r->control.asked;
    d->places = (uint32_t)(record->winners + record->alternates);
    d->numbers = prize >= 0 ? r->control.prize[prize].numbers : (uint64_t)record->numbers;
    d->skipped = record->type == RF_DRAW_MANUAL
                     ? r->control.calls - r->control.picks
                     : (uint64_t)(record->skipped_void + record->skipped_not_entered + record->skipped_barred);
    d->committed = rf_has(record, RF_F_BEACON);
    d->beacon_verified = d->committed && r->beacon_verified;
    d->seed_lost = rf_has(record, RF_F_FALLBACK);
    d->round = d->committed ? (uint64_t)record->round : 0;
    d->witnessed = r->witnessed;
    d->redraw_excluded = r->witnessed || (a->anchored && a->control_seen.anchor_size > r->intent);
    d->assurance = follows ? assurance(r, d) : RAFFLE_ASSURANCE_WRONG;
    return RAFFLE_OK;
}

/* Whose ticket a number is on, and whether it was void, stands in records that are not there. */
static raffle_rc leave_out(replay *r)
{
    char prize[RAFFLE_WORD_SIZE] = "?";
    (void)rf_text_copy(&r->record.prize, prize, sizeof prize);
    rf_fault(&r->audit->faults, RAFFLE_FAULT_COMPLETENESS, 0, r->control.size, "withheld",
             "the draw of %s cannot be replayed: what was sold is not published", prize);
    return RAFFLE_OK;
}

/* Of a final seal its units' logs are told; an early one may be followed by another, and matters when it is drawn from. */
static void report_left_out(replay *r, int prize)
{
    const rf_seal_state *seal = rf_control_seal(&r->control, prize);
    if (seal->kind == RAFFLE_SEAL_EARLY && seal->unreconciled > 0)
        rf_fault(&r->audit->faults, RAFFLE_FAULT_COMPLETENESS, 0, r->control.size, "left-out",
                 "what was drawn from is a seal that took %llu units without all that they sold",
                 (unsigned long long)seal->unreconciled);
}

static raffle_rc check_result(replay *r, raffle_error *err)
{
    const int prize = r->control.open_prize;
    r->faults_before = faults_of(r->audit);
    r->witnessed = false;
    if (prize < 0 || rf_control_seal(&r->control, prize)->kind == 0)
        return describe(r, prize, false, err); /* the fold said that there is no intent for it */
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = check_quorum(r, &why);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    rc = check_intent_note(r, err);
    if (rc == RAFFLE_OK)
        rc = check_committed(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r->audit->withheld) {
        report_left_out(r, prize);
        return leave_out(r);
    }
    rc = draw_again(r, err);
    if (rc == RAFFLE_OK)
        rc = describe(r, prize, true, err);
    if (rc != RAFFLE_OK)
        return rc;
    report_left_out(r, prize);
    if (why.rc == RAFFLE_QUORUM)
        report_late(r, &why);
    return RAFFLE_OK;
}

/* --- a drum draw --- */

/* Every number that was called, judged again. */
static raffle_rc check_call(replay *r, raffle_error *err)
{
    raffle_audit *a = r->audit;
    const rf_control *c = &r->control;
    const int prize = c->open_prize;
    rf_call call;
    raffle_error why = RAFFLE_ERROR_INIT;
    if (prize < 0 || !c->rules->prize[prize].drum || a->withheld || rf_control_seal(c, prize)->kind == 0)
        return RAFFLE_OK; /* the fold refused it; or its ticket is in records that are not there */
    const rf_drum drum = {a->store, c, prize, void_at_seal, r};
    raffle_rc rc = rf_drum_call(&drum, (uint32_t)r->record.unit, (uint64_t)r->record.number, &call, &why);
    if (rc != RAFFLE_OK)
        return rf_fault_or_fail(&a->faults, 0, c->size, "draw", &why, err);
    const uint64_t serial = rf_has(&r->record, RF_F_SERIAL) ? (uint64_t)r->record.serial : 0;
    if (!rf_text_is(&r->record.outcome, rf_outcome_name(call.outcome)) || call.place.serial != serial) {
        wrong(r, "the number that was called is another ticket's, or is judged otherwise");
        r->called_wrong = true;
    }
    return RAFFLE_OK;
}

static raffle_rc check_manual(replay *r, raffle_error *err)
{
    const int prize = r->control.open_prize;
    r->faults_before = faults_of(r->audit);
    r->witnessed = false;
    if (prize < 0 || rf_control_seal(&r->control, prize)->kind == 0)
        return describe(r, prize, false, err); /* the fold said that there is no intent for it */
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = check_quorum(r, &why);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    rc = check_intent_note(r, err);
    if (rc == RAFFLE_OK && r->audit->withheld) {
        report_left_out(r, prize);
        return leave_out(r);
    }
    if (rc == RAFFLE_OK)
        rc = describe(r, prize, !r->called_wrong, err);
    if (rc == RAFFLE_OK)
        report_left_out(r, prize);
    return rc;
}

static raffle_rc check_drawn(replay *r, raffle_error *err)
{
    switch (r->record.type) {
    case RF_DRAW_INTENT:
        r->called_wrong = false;
        return RAFFLE_OK;
    case RF_DRAW_CALL:
        return check_call(r, err);
    case RF_DRAW_MANUAL:
        return check_manual(r, err);
    case RF_DRAW_RESULT:
        return check_result(r, err);
    case RF_PRINT:
        return rf_check_print(r->audit, &r->record, r->control.size, err);
    default:
        return RAFFLE_OK;
    }
}

/* --- walking --- */

/* What is wrong with the records themselves was reported when the control log was checked. */
static raffle_rc follow(replay *r, const uint8_t leaf_hash[32], raffle_error *err)
{
    rf_taken_list taken;
    raffle_error why = RAFFLE_ERROR_INIT;
    const size_t draws = r->audit->draws;
    check_intent_time(r);
    raffle_rc rc = check_drawn(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_places_follow(r->audit, &r->places, &r->control, &r->record, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_control_follow(&r->control, &r->record, leaf_hash, &taken, &why);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    if (rc != RAFFLE_OK && r->audit->draws > draws)
        r->audit->draw[draws].assurance = RAFFLE_ASSURANCE_WRONG;
    return RAFFLE_OK;
}

static void grow(replay *r, const uint8_t leaf_hash[32], bool intent, uint64_t index)
{
    rf_range_push(r->audit->hash, &r->range, leaf_hash, NULL, NULL);
    if (!intent)
        return;
    r->intent = index;
    rf_range_root(r->audit->hash, &r->range, r->root);
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    replay *r = ctx;
    uint8_t leaf_hash[32];
    raffle_rc rc = RAFFLE_OK;
    rf_leaf_hash(r->audit->hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    const bool decoded = rf_record_decode(&r->record, bytes->leaf, bytes->leaf_length, NULL) == RAFFLE_OK;
    if (decoded && (bytes->index == 0 || r->control.rules != NULL))
        rc = follow(r, leaf_hash, err);
    else
        r->control.size++;
    grow(r, leaf_hash, decoded && r->record.type == RF_DRAW_INTENT, bytes->index);
    return rc;
}

static raffle_rc take_missing(void *ctx, uint64_t index, const char *why, raffle_error *err)
{
    static const uint8_t unknown[32] = {0};
    replay *r = ctx;
    (void)why;
    (void)err;
    r->control.size++;
    grow(r, unknown, false, index);
    return RAFFLE_OK;
}

/* The log is read a second time for the draws, and whoever keeps it may give another one, or none, then. */
static void check_same_log(replay *r)
{
    uint8_t root[32];
    raffle_audit *a = r->audit;
    rf_range_root(a->hash, &r->range, root);
    if (memcmp(root, a->root, sizeof root) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, r->range.size, "store",
                 "the control log is another one than when it was checked");
}

raffle_rc rf_check_draws(raffle_audit *a, raffle_error *err)
{
    replay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return rf_nomem(err);
    r->audit = a;
    rf_control_init(&r->control);
    rf_range_init(&r->range);
    const rf_control_sink sink = {r, take_record, take_missing};
    raffle_rc rc = rf_control_walk(a, a->control.size, &sink, err);
    if (rc == RAFFLE_OK)
        check_same_log(r);
    if (rc == RAFFLE_OK)
        rf_places_end(a, &r->control);
    rf_places_clear(&r->places);
    rf_control_clear(&r->control);
    free(r);
    return rc;
}
