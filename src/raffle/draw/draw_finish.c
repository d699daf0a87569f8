/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a draw (design section 9, steps 2 to 10): the seed, asked for in writing or revealed, the beacon verified, the winners selected, the result durable
 * (GLI-31 4.2.6, 4.4). */
#include "draw_impl.h"
#include "ticket.h"

#include "abi.h"
#include "beacon.h"
#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What a committed draw is finished with, beside the seed; NULL stands for a random draw. */
typedef struct revealed {
    bool lost; /* the seed follows from `fallback` */
    uint64_t round;
    uint8_t beacon[RF_BEACON_SIZE], fallback[RF_BEACON_SIZE];
} revealed;

static const char *prize_name(const raffle_draw *draw)
{
    return draw->raffle->rules->prize[draw->prize].name;
}

static bool is_committed(const raffle_draw *draw)
{
    return draw->raffle->rules->prize[draw->prize].committed;
}

static void wipe_seed(raffle_draw *draw)
{
    sodium_memzero(draw->seed, RF_SEED_SIZE);
    draw->has_seed = false;
}

/* --- a random draw's seed --- */

/* A seed counts while its asking is the newest, and was not given up for lost: else whoever holds two could choose. */
static bool seed_counts(const raffle_draw *draw, const rf_control *c)
{
    return c->ask != 0 && c->ask == draw->ask;
}

static raffle_rc seed_superseded(const raffle_draw *draw, raffle_error *err)
{
    return rf_fail(err, RAFFLE_APPROVAL,
                   "the seed for \"%s\" was given up for lost, and the draw resumed elsewhere; it is not used",
                   prize_name(draw));
}

static raffle_rc check_asked(raffle_draw *draw, raffle_error *err)
{
    raffle *r = draw->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const bool pending = r->control.ask != 0;
    const bool counts = seed_counts(draw, &r->control);
    pthread_rwlock_unlock(&r->control_lock);
    if (draw->has_seed && !counts) {
        wipe_seed(draw);
        return seed_superseded(draw, err);
    }
    if (pending && !draw->has_seed)
        return rf_fail(
            err, RAFFLE_APPROVAL,
            "the provider was asked for \"%s\", and its answer is lost; resume the draw with a second approver",
            prize_name(draw));
    return RAFFLE_OK;
}

/* Asks once. That it is asked is durable before it is, and so is a failure; what lies between a crash leaves open. */
static raffle_rc ask(raffle_draw *draw, raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    raffle *r = draw->raffle;
    const char *name = raffle_rng_name(rng);
    raffle_rc rc = rf_draw_write_event(r, &draw->by, NULL, "draw.ask", name, 0, &draw->ask, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_error why = RAFFLE_ERROR_INIT;
    rc = rf_rng_seed(rng, draw->seed, draw->evidence, timeout_ms, &why);
    if (rc != RAFFLE_OK) {
        (void)rf_draw_write_event(r, &draw->by, NULL, "draw.ask-failed", name, draw->ask, NULL, NULL);
        rf_draw_provider_failed(r, &draw->by, rng, &why);
        return rf_fail_as(err, &why);
    }
    draw->has_seed = true;
    memcpy(draw->provider, name, strnlen(name, RAFFLE_NAME_MAX));
    return RAFFLE_OK;
}

static raffle_rc ask_for_seed(raffle_draw *draw, raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    if (rng == NULL)
        return rf_null(err, "rng");
    raffle_rc rc = check_asked(draw, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_provider(draw->raffle, rng, err);
    if (rc != RAFFLE_OK || draw->has_seed)
        return rc;
    if (rf_rng_unhealthy(rng))
        return rf_fail(err, RAFFLE_RNG_UNHEALTHY,
                       "the provider \"%s\" failed a health test before; open it anew when it is mended",
                       raffle_rng_name(rng));
    return ask(draw, rng, timeout_ms, err);
}

/* --- a committed draw's seed and beacon --- */

static raffle_rc check_round(const raffle_draw *draw, const raffle_finish_options *o, raffle_error *err)
{
    raffle *r = draw->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const uint64_t round = rf_control_round(&r->control, draw->prize);
    pthread_rwlock_unlock(&r->control_lock);
    if (o->round != round)
        return rf_fail(err, RAFFLE_MISMATCH, "round %llu of the beacon was given; the intent for \"%s\" fixes %llu",
                       (unsigned long long)o->round, prize_name(draw), (unsigned long long)round);
    return RAFFLE_OK;
}

static raffle_rc check_members(const raffle_finish_options *o, bool lost, raffle_error *err)
{
    if (sodium_is_zero(o->beacon, sizeof o->beacon))
        return rf_fail(err, RAFFLE_INVALID, "options: the beacon's value is missing");
    if (sodium_is_zero(o->seed, sizeof o->seed) != lost)
        return rf_fail(err, RAFFLE_INVALID, "options: the seed is %s", lost ? "given, and said to be lost" : "missing");
    if (sodium_is_zero(o->fallback, sizeof o->fallback) == lost)
        return rf_fail(err, RAFFLE_INVALID, "options: the fallback's value is %s",
                       lost ? "missing" : "given, and the seed not lost");
    return RAFFLE_OK;
}

static raffle_rc verify_beacon(const raffle_finish_options *o, bool lost, raffle_error *err)
{
    raffle_rc rc = rf_beacon_check(o->verify, o->verify_ctx, o->round, o->beacon, err);
    if (rc == RAFFLE_OK && lost)
        rc = rf_beacon_check(o->verify, o->verify_ctx, o->round + RF_BEACON_FALLBACK_ROUNDS, o->fallback, err);
    return rc;
}

static raffle_rc check_seed(const raffle_draw *draw, const uint8_t seed[RF_SEED_SIZE], raffle_error *err)
{
    raffle *r = draw->raffle;
    uint8_t is[32], wanted[32];
    raffle_rc rc = raffle_seed_commitment(seed, is, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    memcpy(wanted, r->control.prize[draw->prize].commitment, sizeof wanted);
    pthread_rwlock_unlock(&r->control_lock);
    return memcmp(is, wanted, sizeof is) == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_MISMATCH, "the seed is not the one that the intent for \"%s\" committed to",
                         prize_name(draw));
}

static void take_revealed(raffle_draw *draw, const raffle_finish_options *o, bool lost, revealed *out)
{
    raffle *r = draw->raffle;
    *out = (revealed){.lost = lost, .round = o->round};
    memcpy(out->beacon, o->beacon, sizeof out->beacon);
    memcpy(out->fallback, o->fallback, sizeof out->fallback);
    memcpy(draw->seed, o->seed, RF_SEED_SIZE); /* a lost one is zero, and made when the root is known */
    draw->has_seed = true;
    pthread_rwlock_rdlock(&r->control_lock);
    memcpy(draw->provider, r->control.prize[draw->prize].provider, sizeof draw->provider);
    pthread_rwlock_unlock(&r->control_lock);
}

static raffle_rc reveal(raffle_draw *draw, const raffle_finish_options *options, revealed *out, raffle_error *err)
{
    raffle_finish_options o;
    raffle_rc rc = rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool lost = (o.flags & RAFFLE_FINISH_SEED_LOST) != 0;
    if ((o.flags & ~(uint32_t)(RAFFLE_FINISH_SEED_LOST | RAFFLE_FINISH_QUORUM_LATE)) != 0)
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "options: flags %#x are not known", o.flags);
    if (rc == RAFFLE_OK)
        rc = check_round(draw, &o, err);
    if (rc == RAFFLE_OK)
        rc = check_members(&o, lost, err);
    if (rc == RAFFLE_OK && !lost)
        rc = check_seed(draw, o.seed, err);
    if (rc == RAFFLE_OK)
        rc = verify_beacon(&o, lost, err);
    if (rc == RAFFLE_OK)
        take_revealed(draw, &o, lost, out);
    sodium_memzero(o.seed, sizeof o.seed);
    return rc;
}

/* A random draw's options say nothing. */
static raffle_rc check_random_options(const raffle_finish_options *options, raffle_error *err)
{
    raffle_finish_options o;
    if (options == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc == RAFFLE_OK &&
        (o.flags != 0 || o.round != 0 || !sodium_is_zero(o.beacon, sizeof o.beacon) ||
         !sodium_is_zero(o.seed, sizeof o.seed) || !sodium_is_zero(o.fallback, sizeof o.fallback) || o.ok != NULL))
        rc = rf_fail(err, RAFFLE_INVALID,
                     "options: a random draw takes no beacon, no committed seed and no second approver");
    return rc;
}

/* --- witnesses --- */

/* The intent's checkpoint as it is kept now: since the draw was begun, its witnesses added to it. */
static raffle_rc read_cosigned(raffle_draw *draw, raffle_error *err)
{
    uint64_t size;
    raffle_rc rc = rf_store_note_get(draw->raffle->store, 0, draw->intent + 1, &size, draw->cosigned, RF_NOTE_MAX,
                                     &draw->cosigned_length, err);
    return rc == RAFFLE_NOT_FOUND
               ? rf_fail(err, RAFFLE_CORRUPT, "the checkpoint of intent %llu is gone", (unsigned long long)draw->intent)
               : rc;
}

/* The intent is fixed before anybody can know what follows from it: before the provider is asked, a number called, or the beacon's round. */
raffle_rc rf_draw_witnessed(raffle_draw *draw, bool late, raffle_error *err)
{
    raffle *r = draw->raffle;
    raffle_rc rc = read_cosigned(draw, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    const uint64_t before = late ? UINT64_MAX : rf_control_cosign_before(&r->control, draw->prize);
    rc = rf_control_quorum(&r->control, draw->prize, draw->cosigned, draw->cosigned_length, before, err);
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

static raffle_rc check_witnesses(raffle_draw *draw, const raffle_finish_options *options, raffle_error *err)
{
    raffle_finish_options o = {.flags = 0};
    raffle_rc rc = options == NULL ? RAFFLE_OK : rf_struct_in(&o, sizeof o, options, "options", err);
    const bool late = (o.flags & RAFFLE_FINISH_QUORUM_LATE) != 0;
    sodium_memzero(&o, sizeof o);
    return rc == RAFFLE_OK ? rf_draw_witnessed(draw, late, err) : rc;
}

/* --- selection --- */

raffle_rc rf_void_at_seal(void *ctx, uint32_t unit, uint64_t serial, bool *out, raffle_error *err)
{
    const rf_at_seal *s = ctx;
    uint32_t log = 0;
    uint64_t index = 0;
    raffle_rc rc = rf_void_find(s->raffle, unit, serial, out, &log, &index, err);
    if (rc == RAFFLE_OK && *out)
        *out = index < (log == 0 ? s->seal->first : s->seal->unit[unit - 1].size);
    return rc;
}

/* The stored note must be the control key's over the intent and everything before it, as the records here have it. */
raffle_rc rf_draw_check_note(const raffle_draw *draw, uint8_t root[32], raffle_error *err)
{
    const raffle *r = draw->raffle;
    rf_checkpoint checkpoint;
    rf_note note;
    raffle_rc rc = rf_note_parse(&note, draw->cosigned, draw->cosigned_length, err);
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

static raffle_rc make_lost_seed(raffle_draw *draw, const uint8_t root[32], const revealed *shown, raffle_error *err)
{
    uint8_t c[32];
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    rf_draw_commitment(hash, c, draw->raffle->origin, draw->intent, root);
    rf_sha256_free(hash);
    return rf_beacon_fallback(draw->seed, c, shown->fallback, err);
}

static raffle_rc select_winners(raffle_draw *draw, const revealed *shown, rf_drawn *drawn, raffle_error *err)
{
    raffle *r = draw->raffle;
    rf_control control; /* as it was at the intent: nothing else can have changed it since */
    uint8_t root[32];
    raffle_rc rc = rf_draw_check_note(draw, root, err);
    if (rc == RAFFLE_OK && shown != NULL && shown->lost)
        rc = make_lost_seed(draw, root, shown, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_refold(r, draw->intent + 1, &control, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_at_seal seal = {r, rf_control_seal(&control, draw->prize)};
    const rf_drum drum = {r->store, &control, draw->prize, rf_void_at_seal, &seal};
    const rf_draw_input input = {.origin = r->origin,
                                 .intent = draw->intent,
                                 .root = root,
                                 .seed = draw->seed,
                                 .beacon = shown == NULL ? NULL : shown->beacon,
                                 .numbers = control.prize[draw->prize].numbers};
    rc = rf_drum_run(&drum, &input, drawn, err);
    rf_control_clear(&control);
    return rc;
}

/* --- the result --- */

typedef struct result {
    raffle_draw *draw;
    const revealed *shown;
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

static void set_asked(const raffle_draw *draw, rf_record *r)
{
    r->ask = (int64_t)draw->ask;
    r->has |= rf_bit(RF_F_ASK);
    if (draw->evidence[0] == 0)
        return;
    r->evidence = rf_text_of(draw->evidence);
    r->has |= rf_bit(RF_F_EVIDENCE);
}

static void set_revealed(const revealed *shown, rf_record *r)
{
    r->round = (int64_t)shown->round;
    memcpy(r->beacon, shown->beacon, sizeof r->beacon);
    r->has |= rf_bit(RF_F_ROUND) | rf_bit(RF_F_BEACON);
    if (!shown->lost)
        return;
    memcpy(r->fallback, shown->fallback, sizeof r->fallback);
    r->has |= rf_bit(RF_F_FALLBACK);
}

static void set_drawn(const rf_drawn *d, rf_record *r)
{
    r->winners = (int64_t)d->winners;
    r->alternates = (int64_t)d->alternates;
    r->rejected = (int64_t)d->rejected;
    r->skipped_void = (int64_t)d->skipped_void;
    r->skipped_not_entered = (int64_t)d->skipped_not_entered;
    r->skipped_barred = (int64_t)d->skipped_barred;
    memcpy(r->skips, d->skips, 32);
    r->has |= rf_bit(RF_F_WINNERS) | rf_bit(RF_F_ALTERNATES) | rf_bit(RF_F_REJECTED) | rf_bit(RF_F_SKIPPED_VOID) |
              rf_bit(RF_F_SKIPPED_NOT_ENTERED) | rf_bit(RF_F_SKIPPED_BARRED) | rf_bit(RF_F_SKIPS);
}

static void make_result(result *q, size_t first, size_t n, rf_record *r)
{
    const raffle_draw *draw = q->draw;
    r->type = RF_DRAW_RESULT;
    r->prize = rf_text_of(prize_name(draw));
    r->attempt = q->attempt;
    r->intent = (int64_t)draw->intent;
    r->numbers = q->numbers;
    r->note = (rf_text){draw->cosigned, draw->cosigned_length, false};
    r->provider = rf_text_of(draw->provider);
    memcpy(r->seed, draw->seed, sizeof r->seed);
    r->has = rf_bit(RF_F_PRIZE) | rf_bit(RF_F_ATTEMPT) | rf_bit(RF_F_INTENT) | rf_bit(RF_F_NUMBERS) |
             rf_bit(RF_F_NOTE) | rf_bit(RF_F_PROVIDER) | rf_bit(RF_F_SEED);
    set_drawn(q->drawn, r);
    if (q->shown != NULL)
        set_revealed(q->shown, r);
    else
        set_asked(draw, r);
    if (n > 0) {
        r->places = encode_places(q, first, n);
        r->has |= rf_bit(RF_F_PLACES);
    }
}

/* Places beyond 500 go into draw.picks records before the result, in the same append. */
static raffle_rc make_records(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    result *q = ctx;
    const size_t places = q->drawn->winners + q->drawn->alternates;
    const size_t last = places == 0 ? 0 : (places - 1) / RF_PLACES_MAX;
    if (i == 0 && q->shown == NULL && !seed_counts(q->draw, &q->draw->raffle->control))
        return seed_superseded(q->draw, err);
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

static raffle_rc write_result(raffle_draw *draw, const revealed *shown, const rf_drawn *drawn, raffle_error *err)
{
    raffle *r = draw->raffle;
    result *q = calloc(1, sizeof *q);
    if (q == NULL)
        return rf_nomem(err);
    q->draw = draw;
    q->shown = shown;
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

/* --- the call --- */

raffle_rc rf_draw_check_open(const raffle_draw *draw, raffle_error *err)
{
    raffle *r = draw->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_prize_state *p = &r->control.prize[draw->prize];
    const bool open = r->control.open_prize == draw->prize && p->intent == draw->intent;
    const bool drawn = p->state == RAFFLE_PRIZE_DRAWN;
    pthread_rwlock_unlock(&r->control_lock);
    if (drawn)
        return rf_fail(err, RAFFLE_DRAWN, "prize \"%s\" is drawn", prize_name(draw));
    if (!open)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the intent for \"%s\" is no longer open", prize_name(draw));
    return RAFFLE_OK;
}

raffle_rc raffle_draw_finish(raffle_draw *draw, raffle_rng *rng, const raffle_finish_options *options,
                             int32_t timeout_ms, raffle_error *err)
{
    rf_drawn drawn;
    revealed shown;
    if (draw == NULL)
        return rf_null(err, "draw");
    raffle *r = draw->raffle;
    if (r->rules->prize[draw->prize].drum)
        return rf_draw_finish_drum(draw, rng, options, err);
    const bool committed = is_committed(draw);
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && !committed)
        rc = check_random_options(options, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_check_open(draw, err);
    if (rc == RAFFLE_OK)
        rc = check_witnesses(draw, options, err);
    if (rc == RAFFLE_OK)
        rc = committed ? reveal(draw, options, &shown, err) : ask_for_seed(draw, rng, timeout_ms, err);
    if (rc == RAFFLE_OK)
        rc = select_winners(draw, committed ? &shown : NULL, &drawn, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = write_result(draw, committed ? &shown : NULL, &drawn, err);
    rf_drawn_clear(&drawn);
    if (rc != RAFFLE_OK)
        return rc;
    wipe_seed(draw);
    return rf_control_anchor(r, "the result", err);
}
