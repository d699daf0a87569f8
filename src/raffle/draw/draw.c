/* SPDX-License-Identifier: Apache-2.0 */
/* A draw's handle and its intent (design section 9, steps 1 and 2): begun before any randomness is seen, resumed after a crash, aborted by two (GLI-31
 * 4.2.6, 4.4). */
#include "draw_impl.h"

#include "abi.h"
#include "beacon.h"
#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

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
                               .finished = finished,
                               .committed = c->rules->prize[prize].committed,
                               .drum = c->rules->prize[prize].drum};
    if (info->drum) {
        info->calls = finished ? 0 : c->calls;
        info->taken = (uint32_t)(finished ? p->places : c->picks);
    }
    memcpy(info->prize, c->rules->prize[prize].name, sizeof info->prize);
    if (!info->committed)
        return;
    info->round = rf_control_round(c, prize);
    info->round_at = raffle_beacon_time(info->round);
    info->fallback_round = info->round + RF_BEACON_FALLBACK_ROUNDS;
    info->fallback_at = raffle_beacon_time(info->fallback_round);
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

raffle_rc rf_draw_provider(const raffle *r, const raffle_rng *rng, raffle_error *err)
{
    if (!rf_rules_provider(r->rules, raffle_rng_name(rng)))
        return rf_fail(err, RAFFLE_RNG_NOT_PINNED, "the rules do not allow the provider \"%s\"", raffle_rng_name(rng));
    if (rf_rng_is_test(rng) && !r->rules->rehearsal)
        return rf_fail(err, RAFFLE_REHEARSAL, "the provider \"%s\" is for rehearsals", raffle_rng_name(rng));
    return RAFFLE_OK;
}

/* What a draw is begun with. */
typedef struct beginning {
    raffle *raffle;
    const raffle_actor *by;
    int prize;
    raffle_draw_options options;
    raffle_actor ok; /* struct_size 0: none */
} beginning;

void rf_draw_provider_failed(raffle *r, const raffle_actor *by, const raffle_rng *rng, const raffle_error *why)
{
    rf_tell(r, RAFFLE_LOG_WARNING, why->message);
    if (why->rc == RAFFLE_RNG_UNHEALTHY)
        (void)rf_draw_write_event(r, by, NULL, "rng.unhealthy", raffle_rng_name(rng), 0, NULL, NULL);
}

/* A provider that will be asked must give healthy bytes before the intent; one that gave its seed did. */
static raffle_rc try_provider(const beginning *b, raffle_error *err)
{
    uint8_t trial[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE];
    raffle_rc rc = rf_draw_provider(b->raffle, b->options.rng, err);
    if (rc != RAFFLE_OK || b->raffle->rules->prize[b->prize].committed)
        return rc;
    raffle_error why = RAFFLE_ERROR_INIT;
    rc = rf_rng_seed(b->options.rng, trial, evidence, rf_timeout(b->raffle), &why);
    sodium_memzero(trial, sizeof trial);
    if (rc == RAFFLE_OK)
        return rc;
    rf_draw_provider_failed(b->raffle, b->by, b->options.rng, &why);
    return rf_fail_as(err, &why);
}

static raffle_rc check_reason(const beginning *b, raffle_error *err)
{
    const rf_prize_rule *rule = &b->raffle->rules->prize[b->prize];
    const char *reason = b->options.reason;
    if (rule->redraw_of < 0 && reason != NULL)
        return rf_fail(err, RAFFLE_INVALID, "options: \"%s\" is no redraw, and takes no reason", rule->name);
    if (rule->redraw_of >= 0 &&
        (reason == NULL || !rf_word_valid(reason, strnlen(reason, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX)))
        return rf_fail(err, RAFFLE_INVALID, "options: the redraw \"%s\" needs a word for its reason", rule->name);
    return RAFFLE_OK;
}

static raffle_rc check_options(beginning *b, const raffle_draw_options *options, raffle_error *err)
{
    const rf_prize_rule *rule = &b->raffle->rules->prize[b->prize];
    raffle_rc rc = options == NULL ? RAFFLE_OK : rf_struct_in(&b->options, sizeof b->options, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool none = sodium_is_zero(b->options.commitment, sizeof b->options.commitment);
    if (b->options.flags != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "options: flags %#x are not known", b->options.flags);
    if (none == rule->committed || (!rule->committed && b->options.evidence[0] != 0))
        return rf_fail(err, RAFFLE_INVALID, "the seed of \"%s\" is %s: its intent %s commitment", rule->name,
                       rule->committed ? "committed" : "random", rule->committed ? "needs a" : "takes no");
    if (rule->committed && b->options.rng == NULL)
        return rf_null(err, "options->rng");
    if (rule->drum && b->options.rng != NULL)
        return rf_fail(err, RAFFLE_INVALID, "\"%s\" is drawn from a drum: no provider is asked", rule->name);
    rc = rf_approver_in(&b->ok, b->options.ok, b->by, err);
    if (rc != RAFFLE_OK)
        return rc;
    const char *evidence = b->options.evidence;
    if (evidence[0] != 0 && !rf_text_valid(evidence, strnlen(evidence, RAFFLE_NAME_SIZE), RAFFLE_NAME_MAX))
        return rf_fail(err, RAFFLE_INVALID, "options: evidence is at most %d bytes of UTF-8 without control characters",
                       RAFFLE_NAME_MAX);
    rc = check_reason(b, err);
    return rc != RAFFLE_OK || b->options.rng == NULL ? rc : try_provider(b, err);
}

static void set_commitment(const beginning *b, rf_record *record)
{
    memcpy(record->commitment, b->options.commitment, sizeof record->commitment);
    record->provider = rf_text_of(raffle_rng_name(b->options.rng));
    record->has |= rf_bit(RF_F_COMMITMENT) | rf_bit(RF_F_PROVIDER);
    if (b->options.evidence[0] == 0)
        return;
    record->evidence = rf_text_of(b->options.evidence);
    record->has |= rf_bit(RF_F_EVIDENCE);
}

static raffle_rc make_intent(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    const beginning *b = ctx;
    const rf_control *c = &b->raffle->control;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    const rf_prize_rule *rule = &c->rules->prize[b->prize];
    const rf_seal_state *seal = rf_control_seal(c, b->prize);
    record->type = RF_DRAW_INTENT;
    record->prize = rf_text_of(rule->name);
    record->seal = (int64_t)seal->index;
    record->numbers = (int64_t)seal->sum.numbers;
    record->attempt = c->prize[b->prize].attempts + 1;
    record->has = rf_bit(RF_F_PRIZE) | rf_bit(RF_F_SEAL) | rf_bit(RF_F_NUMBERS) | rf_bit(RF_F_ATTEMPT);
    if (rule->committed)
        set_commitment(b, record);
    if (rule->redraw_of >= 0) {
        record->result = (int64_t)c->prize[rule->redraw_of].result;
        record->reason = rf_text_of(b->options.reason);
        record->has |= rf_bit(RF_F_RESULT) | rf_bit(RF_F_REASON);
    }
    return RAFFLE_OK;
}

raffle_rc raffle_draw_begin(raffle *r, const raffle_actor *by, const char *prize, const raffle_draw_options *options,
                            raffle_draw **out, raffle_error *err)
{
    raffle_actor actor;
    beginning b = {.raffle = r, .by = &actor};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && (prize == NULL || out == NULL))
        rc = rf_null(err, prize == NULL ? "prize" : "out");
    if (rc != RAFFLE_OK)
        return rc;
    b.prize = rf_rules_prize(r->rules, prize, strnlen(prize, RAFFLE_WORD_SIZE));
    if (b.prize < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.40s\"", prize);
    rc = check_options(&b, options, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_control_op op = {.raffle = r, .by = &actor, .ok = &b.ok, .make = make_intent, .ctx = &b, .signed_note = true};
    rc = rf_control_append(&op, err);
    return rc == RAFFLE_OK ? new_draw(r, b.prize, op.index, &actor, out, err) : rc;
}

/* --- resume and abort --- */

raffle_rc rf_draw_write_event(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *code,
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
        rc = rf_draw_write_event(r, &actor, &approver, "draw.ask-again", NULL, o.ask, NULL, err);
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
