/* SPDX-License-Identifier: Apache-2.0 */
/* The live draw (design section 9): intent, seed, result, each durable before the next, and resumed after a crash (GLI-31 4.2.6, 4.4). */
#include "drum.h"
#include "provider.h"
#include "ticket.h"
#include "unit_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct raffle_draw {
    raffle *raffle;
    int prize;
    uint64_t intent;
    raffle_actor by;
    uint8_t *seed; /* in secure memory */
    bool has_seed;
    uint64_t ask;                    /* index of the asking that gave the seed */
    char provider[RAFFLE_NAME_SIZE]; /* that gave the seed */
    char evidence[RAFFLE_NAME_SIZE]; /* by what its own records know the call, or "" */
    size_t note_length;
    char note[RF_NOTE_MAX + 1];
};

/* --- handles --- */

void raffle_draw_free(raffle_draw *draw)
{
    if (draw == NULL)
        return;
    sodium_free(draw->seed);
    rf_raffle_unref(draw->raffle);
    free(draw);
}

const char *raffle_draw_checkpoint(const raffle_draw *draw)
{
    return draw == NULL ? NULL : draw->note;
}

static raffle_rc new_draw(raffle *r, int prize, uint64_t intent, const raffle_actor *by, raffle_draw **out,
                          raffle_error *err)
{
    uint64_t size;
    raffle_draw *draw = calloc(1, sizeof *draw);
    if (draw == NULL)
        return rf_nomem(err);
    draw->raffle = rf_raffle_ref(r);
    draw->prize = prize;
    draw->intent = intent;
    draw->by = *by;
    draw->seed = sodium_malloc(RF_SEED_SIZE);
    raffle_rc rc = draw->seed == NULL ? rf_nomem(err) : rf_log_anchor(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_note_get(r->store, 0, intent + 1, &size, draw->note, RF_NOTE_MAX, &draw->note_length, err);
    if (rc == RAFFLE_OK)
        *out = draw;
    else
        raffle_draw_free(draw);
    return rc;
}

static void fill_info(const rf_control *c, int prize, bool finished, raffle_draw_info *info)
{
    const rf_prize_state *p = &c->prize[prize];
    *info = (raffle_draw_info){.attempt = p->attempts,
                               .intent = p->intent,
                               .at = p->intent_at,
                               .numbers = p->numbers,
                               .asked = finished ? 0 : c->asked,
                               .pending = !finished && c->ask != 0,
                               .finished = finished};
    memcpy(info->prize, c->rules->prize[prize].name, sizeof info->prize);
}

raffle_rc raffle_draw_pending(raffle *r, raffle_draw_info *info, raffle_error *err)
{
    raffle_draw_info mine;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    const int open = r->control.open_prize;
    if (open >= 0)
        fill_info(&r->control, open, false, &mine);
    pthread_rwlock_unlock(&r->control_lock);
    if (open < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no intent is open");
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return RAFFLE_OK;
}

raffle_rc raffle_draw_describe(const raffle_draw *draw, raffle_draw_info *info, raffle_error *err)
{
    raffle_draw_info mine;
    if (draw == NULL)
        return rf_null(err, "draw");
    raffle *r = draw->raffle;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    fill_info(&r->control, draw->prize, r->control.prize[draw->prize].state == RAFFLE_PRIZE_DRAWN, &mine);
    pthread_rwlock_unlock(&r->control_lock);
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return RAFFLE_OK;
}

/* --- begin --- */

static raffle_rc check_provider(const raffle *r, const raffle_rng *rng, raffle_error *err)
{
    if (!rf_rules_provider(r->rules, raffle_rng_name(rng)))
        return rf_fail(err, RAFFLE_RNG_NOT_PINNED, "the rules do not allow the provider \"%s\"", raffle_rng_name(rng));
    if (rf_rng_is_test(rng) && !r->rules->rehearsal)
        return rf_fail(err, RAFFLE_REHEARSAL, "the provider \"%s\" is for rehearsals", raffle_rng_name(rng));
    return RAFFLE_OK;
}

/* A provider that is known beforehand must be allowed, and give healthy bytes, before the intent. */
static raffle_rc check_options(raffle *r, const raffle_draw_options *options, raffle_error *err)
{
    raffle_draw_options o;
    uint8_t trial[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE];
    if (options == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (o.flags != 0 || !sodium_is_zero(o.commitment, sizeof o.commitment))
        return rf_fail(err, RAFFLE_UNSUPPORTED, "committed draws are not in this version");
    if (o.rng == NULL)
        return RAFFLE_OK;
    rc = check_provider(r, o.rng, err);
    if (rc == RAFFLE_OK)
        rc = rf_rng_seed(o.rng, trial, evidence, rf_timeout(r), err);
    sodium_memzero(trial, sizeof trial);
    return rc;
}

typedef struct beginning {
    raffle *raffle;
    const char *prize;
    int index; /* out */
} beginning;

static raffle_rc make_intent(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    beginning *b = ctx;
    const rf_control *c = &b->raffle->control;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    b->index = rf_rules_prize(c->rules, b->prize, strlen(b->prize));
    if (b->index < 0)
        return rf_fail(err, RAFFLE_INVALID, "there is no prize \"%.40s\"", b->prize);
    const rf_seal_state *seal = rf_control_seal(c, b->index);
    record->type = RF_DRAW_INTENT;
    record->prize = rf_text_of(c->rules->prize[b->index].name);
    record->seal = (int64_t)seal->index;
    record->numbers = (int64_t)seal->sum.numbers;
    record->attempt = c->prize[b->index].attempts + 1;
    record->has = rf_bit(RF_F_PRIZE) | rf_bit(RF_F_SEAL) | rf_bit(RF_F_NUMBERS) | rf_bit(RF_F_ATTEMPT);
    return RAFFLE_OK;
}

raffle_rc raffle_draw_begin(raffle *r, const raffle_actor *by, const char *prize, const raffle_draw_options *options,
                            raffle_draw **out, raffle_error *err)
{
    raffle_actor actor;
    beginning b = {.raffle = r, .prize = prize};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && (prize == NULL || out == NULL))
        rc = rf_null(err, prize == NULL ? "prize" : "out");
    if (rc == RAFFLE_OK && rf_rules_prize(r->rules, prize, strnlen(prize, RAFFLE_WORD_SIZE)) < 0)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.40s\"", prize);
    if (rc == RAFFLE_OK)
        rc = check_options(r, options, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_control_op op = {.raffle = r, .by = &actor, .make = make_intent, .ctx = &b, .signed_note = true};
    rc = rf_control_append(&op, err);
    return rc == RAFFLE_OK ? new_draw(r, b.index, op.index, &actor, out, err) : rc;
}

/* --- resume and abort --- */

/* `ask`: the asking that the event ends, or 0. */
static raffle_rc write_event(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *code,
                             const char *provider, uint64_t ask, uint64_t *index, raffle_error *err)
{
    rf_record event = {.type = RF_EVENT, .has = rf_bit(RF_F_CODE), .code = rf_text_of(code), .ask = (int64_t)ask};
    if (ask != 0)
        event.has |= rf_bit(RF_F_ASK);
    if (provider != NULL) {
        event.component = (rf_text){provider, strcspn(provider, ":"), false};
        event.has |= rf_bit(RF_F_COMPONENT);
    }
    return rf_control_one(r, by, ok, NULL, &event, index, err);
}

/* What is open: prize, intent, and the asking whose answer is not written, or 0. */
typedef struct opened {
    int prize;
    uint64_t intent, ask;
    int64_t attempt;
} opened;

static raffle_rc open_intent(raffle *r, opened *o, raffle_error *err)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    *o = (opened){.prize = c->open_prize, .ask = c->ask};
    if (o->prize >= 0) {
        o->intent = c->prize[o->prize].intent;
        o->attempt = c->prize[o->prize].attempts;
    }
    pthread_rwlock_unlock(&r->control_lock);
    return o->prize >= 0 ? RAFFLE_OK : rf_fail(err, RAFFLE_NOT_FOUND, "no intent is open");
}

raffle_rc raffle_draw_resume(raffle *r, const raffle_actor *by, const raffle_actor *ok, raffle_draw **out,
                             raffle_error *err)
{
    raffle_actor actor, approver;
    opened o;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK && out == NULL)
        rc = rf_null(err, "out");
    if (rc == RAFFLE_OK && !rf_rules_may(r->rules, RF_OP_DRAW, actor.role))
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not draw", raffle_role_name(actor.role));
    if (rc == RAFFLE_OK)
        rc = open_intent(r, &o, err);
    if (rc == RAFFLE_OK && o.ask != 0)
        rc = write_event(r, &actor, &approver, "draw.ask-again", NULL, o.ask, NULL, err);
    return rc == RAFFLE_OK ? new_draw(r, o.prize, o.intent, &actor, out, err) : rc;
}

raffle_rc raffle_draw_abort(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *reason,
                            raffle_error *err)
{
    raffle_actor actor, approver;
    opened o;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK && reason == NULL)
        rc = rf_null(err, "reason");
    if (rc == RAFFLE_OK && !rf_word_valid(reason, strnlen(reason, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "an abort needs a word for its reason");
    if (rc == RAFFLE_OK)
        rc = open_intent(r, &o, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {.type = RF_DRAW_ABORT,
                        .has = rf_bit(RF_F_INTENT) | rf_bit(RF_F_PRIZE) | rf_bit(RF_F_ATTEMPT) | rf_bit(RF_F_REASON),
                        .intent = (int64_t)o.intent,
                        .prize = rf_text_of(r->rules->prize[o.prize].name),
                        .attempt = o.attempt,
                        .reason = rf_text_of(reason)};
    return rf_control_one(r, &actor, &approver, NULL, &record, NULL, err);
}

/* --- finish --- */

/* Asks once. That it is asked is durable before it is, and so is a failure; what lies between a crash leaves open. */
static raffle_rc ask(raffle_draw *draw, raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    raffle *r = draw->raffle;
    const char *name = raffle_rng_name(rng);
    raffle_rc rc = write_event(r, &draw->by, NULL, "draw.ask", name, 0, &draw->ask, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_rng_seed(rng, draw->seed, draw->evidence, timeout_ms, err);
    if (rc != RAFFLE_OK) {
        (void)write_event(r, &draw->by, NULL, "draw.ask-failed", name, draw->ask, NULL, NULL);
        return rc;
    }
    draw->has_seed = true;
    memcpy(draw->provider, name, strnlen(name, RAFFLE_NAME_MAX));
    return RAFFLE_OK;
}

typedef struct at_seal {
    raffle *raffle;
    const rf_seal_state *seal;
} at_seal;

static raffle_rc void_at_seal(void *ctx, uint32_t unit, uint64_t serial, bool *out, raffle_error *err)
{
    const at_seal *s = ctx;
    uint32_t log = 0;
    uint64_t index = 0;
    raffle_rc rc = rf_void_find(s->raffle, unit, serial, out, &log, &index, err);
    if (rc == RAFFLE_OK && *out)
        *out = index < (log == 0 ? s->seal->first : s->seal->unit[unit - 1].size);
    return rc;
}

/* The stored note must be the control key's over the intent and everything before it, as the records here have it. */
static raffle_rc check_note(const raffle_draw *draw, uint8_t root[32], raffle_error *err)
{
    const raffle *r = draw->raffle;
    rf_checkpoint checkpoint;
    rf_note note;
    raffle_rc rc = rf_note_parse(&note, draw->note, draw->note_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(&note, &r->vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&checkpoint, note.text, note.text_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_root_at(r->log, draw->intent + 1, root, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(checkpoint.origin, r->origin) != 0 || checkpoint.size != draw->intent + 1 ||
        memcmp(checkpoint.root, root, 32) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the checkpoint kept for intent %llu is another one",
                       (unsigned long long)draw->intent);
    return RAFFLE_OK;
}

static raffle_rc select_winners(raffle_draw *draw, rf_drawn *drawn, raffle_error *err)
{
    raffle *r = draw->raffle;
    rf_control control; /* as it was at the intent: nothing else can have changed it since */
    uint8_t root[32];
    raffle_rc rc = check_note(draw, root, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_refold(r, draw->intent + 1, &control, err);
    if (rc != RAFFLE_OK)
        return rc;
    at_seal seal = {r, rf_control_seal(&control, draw->prize)};
    rf_drum drum = {r->store, &control, draw->prize, void_at_seal, &seal};
    rc = rf_drum_run(&drum, draw->seed, r->origin, draw->intent, root, control.prize[draw->prize].numbers, drawn, err);
    rf_control_clear(&control);
    return rc;
}

typedef struct result {
    raffle_draw *draw;
    const rf_drawn *drawn;
    int64_t attempt, numbers;
    char places[RF_PLACES_MAX * 80];
} result;

static rf_text encode_places(result *q, size_t first, size_t n)
{
    rf_json_writer w;
    rf_json_init(&w, q->places, sizeof q->places);
    rf_places_encode(&w, q->drawn->place + first, n);
    return (rf_text){q->places, w.ok ? w.length : 0, false};
}

static void make_result(result *q, size_t first, size_t n, rf_record *r)
{
    const raffle_draw *draw = q->draw;
    const rf_drawn *d = q->drawn;
    r->type = RF_DRAW_RESULT;
    r->prize = rf_text_of(draw->raffle->rules->prize[draw->prize].name);
    r->attempt = q->attempt;
    r->intent = (int64_t)draw->intent;
    r->numbers = q->numbers;
    r->note = (rf_text){draw->note, draw->note_length, false};
    r->provider = rf_text_of(draw->provider);
    memcpy(r->seed, draw->seed, sizeof r->seed);
    r->ask = (int64_t)draw->ask;
    r->winners = (int64_t)d->winners;
    r->alternates = (int64_t)d->alternates;
    r->rejected = (int64_t)d->rejected;
    r->skipped_void = (int64_t)d->skipped_void;
    r->skipped_not_entered = (int64_t)d->skipped_not_entered;
    r->skipped_barred = (int64_t)d->skipped_barred;
    memcpy(r->skips, d->skips, 32);
    r->has = rf_bit(RF_F_ASK) | rf_bit(RF_F_PRIZE) | rf_bit(RF_F_ATTEMPT) | rf_bit(RF_F_INTENT) | rf_bit(RF_F_NUMBERS) |
             rf_bit(RF_F_NOTE) | rf_bit(RF_F_PROVIDER) | rf_bit(RF_F_SEED) | rf_bit(RF_F_WINNERS) |
             rf_bit(RF_F_ALTERNATES) | rf_bit(RF_F_REJECTED) | rf_bit(RF_F_SKIPPED_VOID) |
             rf_bit(RF_F_SKIPPED_NOT_ENTERED) | rf_bit(RF_F_SKIPPED_BARRED) | rf_bit(RF_F_SKIPS);
    if (draw->evidence[0] != 0) {
        r->evidence = rf_text_of(draw->evidence);
        r->has |= rf_bit(RF_F_EVIDENCE);
    }
    if (n > 0) {
        r->places = encode_places(q, first, n);
        r->has |= rf_bit(RF_F_PLACES);
    }
}

/* A seed counts while its asking is the newest, and was not given up for lost: else whoever holds two could choose. */
static bool seed_counts(const raffle_draw *draw, const rf_control *c)
{
    return c->ask != 0 && c->ask == draw->ask;
}

static raffle_rc seed_lost(const raffle_draw *draw, raffle_error *err)
{
    return rf_fail(err, RAFFLE_APPROVAL,
                   "the seed for \"%s\" was given up for lost, and the draw resumed elsewhere; it is not used",
                   draw->raffle->rules->prize[draw->prize].name);
}

/* Places beyond 500 go into draw.picks records before the result, in the same append. */
static raffle_rc make_records(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    result *q = ctx;
    const size_t places = q->drawn->winners + q->drawn->alternates;
    const size_t last = places == 0 ? 0 : (places - 1) / RF_PLACES_MAX;
    if (i == 0 && !seed_counts(q->draw, &q->draw->raffle->control))
        return seed_lost(q->draw, err);
    if (i > last)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no more");
    if (i == last) {
        make_result(q, i * RF_PLACES_MAX, places - i * RF_PLACES_MAX, record);
        return RAFFLE_OK;
    }
    record->type = RF_DRAW_PICKS;
    record->intent = (int64_t)q->draw->intent;
    record->first = (int64_t)(i * RF_PLACES_MAX + 1);
    record->places = encode_places(q, i * RF_PLACES_MAX, RF_PLACES_MAX);
    record->has = rf_bit(RF_F_INTENT) | rf_bit(RF_F_FIRST) | rf_bit(RF_F_PLACES);
    return RAFFLE_OK;
}

static raffle_rc write_result(raffle_draw *draw, const rf_drawn *drawn, raffle_error *err)
{
    raffle *r = draw->raffle;
    result *q = calloc(1, sizeof *q);
    if (q == NULL)
        return rf_nomem(err);
    q->draw = draw;
    q->drawn = drawn;
    pthread_rwlock_rdlock(&r->control_lock);
    q->attempt = r->control.prize[draw->prize].attempts;
    q->numbers = (int64_t)r->control.prize[draw->prize].numbers;
    pthread_rwlock_unlock(&r->control_lock);
    rf_control_op op = {.raffle = r, .by = &draw->by, .make = make_records, .ctx = q, .signed_note = true};
    raffle_rc rc = rf_control_append(&op, err);
    free(q);
    return rc;
}

static raffle_rc check_still_open(raffle_draw *draw, raffle_error *err)
{
    raffle *r = draw->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_prize_state *p = &r->control.prize[draw->prize];
    const bool open = r->control.open_prize == draw->prize && p->intent == draw->intent;
    const bool drawn = p->state == RAFFLE_PRIZE_DRAWN;
    const bool pending = r->control.ask != 0;
    const bool counts = seed_counts(draw, &r->control);
    pthread_rwlock_unlock(&r->control_lock);
    const char *name = r->rules->prize[draw->prize].name;
    if (drawn)
        return rf_fail(err, RAFFLE_DRAWN, "prize \"%s\" is drawn", name);
    if (!open)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the intent for \"%s\" is no longer open", name);
    if (draw->has_seed && !counts) {
        sodium_memzero(draw->seed, RF_SEED_SIZE);
        draw->has_seed = false;
        return seed_lost(draw, err);
    }
    if (pending && !draw->has_seed)
        return rf_fail(
            err, RAFFLE_APPROVAL,
            "the provider was asked for \"%s\", and its answer is lost; resume the draw with a second approver", name);
    return RAFFLE_OK;
}

static raffle_rc check_finish(const raffle_finish_options *options, raffle_error *err)
{
    raffle_finish_options o;
    if (options == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc == RAFFLE_OK && (o.flags != 0 || o.round != 0 || !sodium_is_zero(o.beacon, sizeof o.beacon) ||
                            !sodium_is_zero(o.seed, sizeof o.seed)))
        return rf_fail(err, RAFFLE_UNSUPPORTED, "beacons and committed seeds are not in this version");
    return rc;
}

raffle_rc raffle_draw_finish(raffle_draw *draw, raffle_rng *rng, const raffle_finish_options *options,
                             int32_t timeout_ms, raffle_error *err)
{
    rf_drawn drawn;
    if (draw == NULL || rng == NULL)
        return rf_null(err, draw == NULL ? "draw" : "rng");
    raffle *r = draw->raffle;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = check_finish(options, err);
    if (rc == RAFFLE_OK)
        rc = check_still_open(draw, err);
    if (rc == RAFFLE_OK)
        rc = check_provider(r, rng, err);
    if (rc == RAFFLE_OK && !draw->has_seed)
        rc = ask(draw, rng, timeout_ms, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = select_winners(draw, &drawn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = write_result(draw, &drawn, err);
    rf_drawn_clear(&drawn);
    if (rc != RAFFLE_OK)
        return rc;
    sodium_memzero(draw->seed, RF_SEED_SIZE);
    return rf_control_anchored(r, "the result", err);
}
