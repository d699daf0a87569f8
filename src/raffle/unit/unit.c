/* SPDX-License-Identifier: Apache-2.0 */
/* A unit inside a raffle's handle: its log, its fold, and the state that is kept beside the head as a cache of it. */
#include "fold_tiers.h"
#include "unit_impl.h"

#include "bytes.h"
#include "error.h"
#include "number.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the state beside the head: a version, eleven counters, and eight bytes of SHA-256 over both --- */

enum {
    STATE_VERSION = 1,
    STATE_COUNTERS = 11,
    STATE_LENGTH = 1 + 8 * STATE_COUNTERS,
    STATE_CHECK = 8
};

static void state_check(rf_sha256 *hash, const uint8_t *state, uint8_t check[STATE_CHECK])
{
    uint8_t digest[32];
    rf_sha256_of(hash, digest, state, STATE_LENGTH);
    memcpy(check, digest, STATE_CHECK);
}

static void state_write(uint8_t *out, const rf_unit_state *s)
{
    const uint64_t counters[STATE_COUNTERS] = {s->size,
                                               s->next,
                                               s->tickets,
                                               s->numbers,
                                               s->voids,
                                               s->void_numbers,
                                               s->events,
                                               (uint64_t)s->gross,
                                               (uint64_t)s->void_gross,
                                               (uint64_t)s->last_at,
                                               (uint64_t)s->closed};
    out[0] = STATE_VERSION;
    for (size_t i = 0; i < STATE_COUNTERS; i++)
        rf_put_be(out + 1 + 8 * i, counters[i], 8);
}

/* Whether the counters are such as the fold can have made them: nothing computed from them overflows. */
static bool state_plausible(const rf_unit_state *s)
{
    return s->next == s->numbers + 1 && s->numbers <= RF_NUMBER_MAX && s->tickets <= s->size && s->events <= s->size &&
           s->voids <= s->tickets && s->void_numbers <= s->numbers && s->gross >= 0 && s->gross <= RF_JSON_INT_MAX &&
           s->void_gross >= 0 && s->void_gross <= s->gross && s->last_at >= 0 && s->last_at <= RF_TIME_MAX &&
           (s->closed == 0 || s->closed == 1);
}

static void state_read(rf_unit_state *s, const uint8_t *in)
{
    uint64_t c[STATE_COUNTERS];
    for (size_t i = 0; i < STATE_COUNTERS; i++)
        c[i] = rf_get_be(in + 1 + 8 * i, 8);
    *s = (rf_unit_state){.size = c[0],
                         .next = c[1],
                         .tickets = c[2],
                         .numbers = c[3],
                         .voids = c[4],
                         .void_numbers = c[5],
                         .events = c[6],
                         .gross = (int64_t)c[7],
                         .void_gross = (int64_t)c[8],
                         .last_at = (int64_t)c[9],
                         .closed = (int32_t)c[10]};
}

/* --- the fold's callbacks --- */

/* `tier`: tickets by tier, or NULL. */
static raffle_rc apply_bytes(const rf_unit_frame *frame, rf_unit_state *state, const raffle_record *record,
                             rf_tier_count *tier, raffle_error *err)
{
    rf_record decoded;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_record_decode(&decoded, record->leaf, record->leaf_length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_unit_apply(frame, state, &decoded, NULL, &why);
    if (rc == RAFFLE_OK && tier != NULL && decoded.type == RF_SALE)
        rf_tiers_sold(frame->rules, &decoded, tier);
    return rc == RAFFLE_OK ? rc
                           : rf_fail(err, RAFFLE_CORRUPT, "unit %u, record %llu: %s", frame->unit,
                                     (unsigned long long)record->index, why.message);
}

static raffle_rc follow(void *ctx, const raffle_record *record, const uint8_t leaf_hash[32], raffle_error *err)
{
    rf_unit *u = ctx;
    (void)leaf_hash;
    pthread_mutex_lock(&u->lock);
    u->building = false;
    raffle_rc rc = apply_bytes(&u->frame, &u->state, record, NULL, err);
    pthread_mutex_unlock(&u->lock);
    return rc;
}

/* A commit reads the control log's head in its own transaction, so that disabling a unit holds for every commit that begins later. */
static raffle_rc begin(void *ctx, uint64_t control_size, raffle_error *err)
{
    rf_unit *u = ctx;
    pthread_rwlock_rdlock(&u->raffle->control_lock);
    u->control_size = control_size;
    raffle_rc rc = rf_unit_control_same(u, err);
    pthread_rwlock_unlock(&u->raffle->control_lock);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&u->lock);
    u->before = u->state;
    u->building = true;
    pthread_mutex_unlock(&u->lock);
    return RAFFLE_OK;
}

raffle_rc rf_unit_control_same(const rf_unit *u, raffle_error *err)
{
    const raffle *r = u->raffle;
    if (r->control_dirty || r->control.size != u->control_size)
        return rf_fail(err, RAFFLE_BUSY, "the control log has grown");
    return RAFFLE_OK;
}

static void undo(void *ctx)
{
    rf_unit *u = ctx;
    pthread_mutex_lock(&u->lock);
    u->state = u->before;
    u->building = false;
    pthread_mutex_unlock(&u->lock);
}

static raffle_rc refresh(void *ctx, raffle_error *err)
{
    return rf_log_refresh(((rf_unit *)ctx)->raffle->log, err);
}

static size_t save(void *ctx, uint8_t *out)
{
    rf_unit *u = ctx;
    rf_sha256 *hash = u->state_hash;
    state_write(out, &u->state);
    state_check(hash, out, out + STATE_LENGTH);
    return STATE_LENGTH + STATE_CHECK;
}

/* --- opening --- */

void rf_unit_destroy(rf_unit *u)
{
    if (u == NULL)
        return;
    rf_log_free(u->log);
    sodium_free(u->ku);
    rf_sha256_free(u->state_hash);
    rf_void_list_clear(&u->voids);
    free(u->tally);
    pthread_mutex_destroy(&u->voids_lock);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

typedef struct refold {
    const rf_unit_frame *frame;
    rf_unit_state *state;
    rf_tier_count *tier;
    rf_sha256 *hash; /* NULL: no root is asked for */
    rf_range range;
} refold;

static raffle_rc refold_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    refold *again = ctx;
    uint8_t leaf[32];
    if (again->hash != NULL) {
        rf_leaf_hash(again->hash, leaf, record->leaf, record->leaf_length);
        rf_range_push(again->hash, &again->range, leaf, NULL, NULL);
    }
    return apply_bytes(again->frame, again->state, record, again->tier, err);
}

static raffle_rc refold_rest(rf_unit *u, uint64_t size, refold *again, raffle_error *err)
{
    const uint64_t from = again->state->size;
    raffle_rc rc = size <= from
                       ? RAFFLE_OK
                       : rf_store_read(u->raffle->store, u->number, from, size - from, refold_record, again, err);
    if (rc == RAFFLE_OK && again->state->size != size)
        return rf_fail(err, RAFFLE_CORRUPT, "unit %u: record %llu is missing", u->number,
                       (unsigned long long)again->state->size);
    return rc;
}

raffle_rc rf_unit_refold_on(rf_unit *u, uint64_t size, rf_unit_state *state, raffle_error *err)
{
    refold again = {.frame = &u->frame, .state = state};
    return refold_rest(u, size, &again, err);
}

raffle_rc rf_unit_refold(rf_unit *u, uint64_t size, rf_unit_state *state, raffle_error *err)
{
    rf_unit_state_init(state);
    return rf_unit_refold_on(u, size, state, err);
}

raffle_rc rf_unit_refold_root(rf_unit *u, uint64_t size, rf_sha256 *hash, rf_unit_state *state, uint8_t root[32],
                              rf_tier_count *tier, raffle_error *err)
{
    refold again = {.frame = &u->frame, .state = state, .tier = tier, .hash = hash};
    rf_unit_state_init(state);
    raffle_rc rc = refold_rest(u, size, &again, err);
    rf_range_root(hash, &again.range, root);
    return rc;
}

/* The state beside the head, when it is whole and of this size; else the records are folded. */
static raffle_rc load_state(rf_unit *u, raffle_error *err)
{
    const uint64_t size = rf_log_size(u->log);
    uint8_t check[STATE_CHECK];
    raffle_store_head *head = malloc(sizeof *head);
    if (head == NULL)
        return rf_nomem(err);
    raffle_store_head_init(head, sizeof *head);
    raffle_rc rc = rf_store_head(u->raffle->store, u->number, head, err);
    bool whole = rc == RAFFLE_OK && head->state_length == STATE_LENGTH + STATE_CHECK && head->state[0] == STATE_VERSION;
    if (whole) {
        state_check(u->state_hash, head->state, check);
        state_read(&u->state, head->state);
        whole = memcmp(check, head->state + STATE_LENGTH, STATE_CHECK) == 0 && u->state.size == size &&
                state_plausible(&u->state);
    }
    free(head);
    return rc != RAFFLE_OK || whole ? rc : rf_unit_refold(u, size, &u->state, err);
}

static raffle_rc load_key(rf_unit *u, raffle_error *err)
{
    const raffle *r = u->raffle;
    if (r->keys == NULL || (r->till != 0 && r->till != u->number))
        return RAFFLE_OK;
    u->ku = sodium_malloc(32);
    return u->ku == NULL ? rf_nomem(err) : rf_raffle_unit_ticket_key(u->raffle, u->number, u->ku, err);
}

raffle_rc rf_unit_no_ticket_key(const rf_unit *u, const char *what, raffle_error *err)
{
    const uint32_t till = u->raffle->till;
    return till != 0 ? rf_fail(err, RAFFLE_KEY, "%s of unit %u need its ticket key, and this is the till of unit %u",
                               what, u->number, till)
                     : rf_fail(err, RAFFLE_KEY, "%s need the ticket key, and the raffle was opened without keys", what);
}

/* What a seal says of the unit: false when it says nothing, or that records were lost. */
static bool sealed_as(rf_unit *u, const rf_seal_state *seal, uint64_t *size, uint8_t root[32])
{
    pthread_rwlock_rdlock(&u->raffle->control_lock);
    const bool known = seal->kind != 0 && u->number <= seal->units && seal->unit[u->number - 1].reconciled;
    if (known) {
        *size = seal->unit[u->number - 1].size;
        memcpy(root, seal->unit[u->number - 1].root, 32);
    }
    pthread_rwlock_unlock(&u->raffle->control_lock);
    return known;
}

/* The control log has seen the unit too: one that was cut off below a seal, or altered, sells no serial again, whoever took away anchor and notes. */
static raffle_rc check_seals(rf_unit *u, raffle_error *err)
{
    const rf_seal_state *seals[] = {&u->raffle->control.early, &u->raffle->control.final};
    uint64_t size = 0;
    uint8_t root[32];
    for (size_t i = 0; i < 2; i++) {
        if (!sealed_as(u, seals[i], &size, root))
            continue;
        raffle_rc rc = rf_log_check_seen(u->log, "seal", size, root, err);
        if (rc != RAFFLE_OK)
            return rc == RAFFLE_HISTORY ? RAFFLE_OK : rc; /* marked: it can be read, and not written */
    }
    return RAFFLE_OK;
}

static bool find_row(raffle *r, uint32_t number, rf_unit_row *row)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const bool there = number >= 1 && number <= r->control.units;
    if (there)
        *row = r->control.unit[number - 1];
    pthread_rwlock_unlock(&r->control_lock);
    return there;
}

/* What the raffle says that it has of this till's log is here: one that was set back, or made anew from a later kit, sells no serial again. */
static raffle_rc check_synced(rf_unit *u, raffle_error *err)
{
    rf_unit_row row;
    if (u->raffle->till != u->number || !find_row(u->raffle, u->number, &row))
        return RAFFLE_OK;
    pthread_mutex_lock(&u->lock);
    const bool seen = row.sync_size <= u->synced;
    pthread_mutex_unlock(&u->lock);
    if (seen)
        return RAFFLE_OK;
    raffle_rc rc = rf_log_check_seen(u->log, "unit.sync", row.sync_size, row.sync_root, err);
    rf_tell_log(u->raffle, u->log);
    pthread_mutex_lock(&u->lock);
    if (rc == RAFFLE_OK && row.sync_size > u->synced)
        u->synced = row.sync_size;
    pthread_mutex_unlock(&u->lock);
    return rc;
}

/* A unit that is damaged can be read as far as it goes, and not written; the raffle stays open. */
static raffle_rc check_unit(rf_unit *u, raffle_error *err)
{
    raffle_error found = RAFFLE_ERROR_INIT;
    raffle_rc rc = load_state(u, &found);
    if (rc == RAFFLE_CORRUPT)
        rf_log_stop(u->log, rc);
    if (rc == RAFFLE_OK)
        rc = rf_log_check(u->log, &u->vkey, &found);
    if (rc == RAFFLE_OK && !rf_log_halted(u->log))
        rc = check_seals(u, &found);
    if (rc == RAFFLE_OK && !rf_log_halted(u->log))
        rc = check_synced(u, &found);
    if (rc == RAFFLE_HISTORY && rf_log_forked(u->log))
        return RAFFLE_OK;
    return rc == RAFFLE_OK || rc == RAFFLE_CORRUPT ? RAFFLE_OK : rf_fail_as(err, &found);
}

static raffle_rc open_unit(raffle *r, uint32_t number, const rf_unit_row *row, rf_unit **out, raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE + 16];
    rf_unit *u = calloc(1, sizeof *u);
    if (u == NULL)
        return rf_nomem(err);
    pthread_mutex_init(&u->lock, NULL);
    pthread_mutex_init(&u->voids_lock, NULL);
    u->raffle = r;
    u->number = number;
    u->away = r->till != 0 ? r->till != number : row->away;
    u->frame = (rf_unit_frame){.rules = r->rules, .unit = number};
    u->state_hash = rf_sha256_new();
    memcpy(u->frame.open, r->open, 32);
    rf_unit_state_init(&u->state);
    snprintf(origin, sizeof origin, "%s/unit/%u", r->origin, number);
    rf_log_fold fold = {u, follow, begin, undo, refresh, save};
    raffle_rc rc = u->state_hash == NULL ? rf_nomem(err) : rf_vkey_parse(&u->vkey, row->key, strlen(row->key), err);
    if (rc == RAFFLE_OK && strcmp(u->vkey.name, origin) != 0)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the key of unit %u is that of %s", number, u->vkey.name);
    if (rc == RAFFLE_OK)
        rc = rf_log_open(r->store, number, origin, &fold, !(r->host.flags & RAFFLE_HOST_NO_THREADS), &u->log, err);
    if (rc == RAFFLE_OK)
        rc = load_key(u, err);
    if (rc == RAFFLE_OK)
        rc = check_unit(u, err);
    if (rc != RAFFLE_OK) {
        rf_unit_destroy(u);
        return rc;
    }
    *out = u;
    return RAFFLE_OK;
}

rf_unit *rf_unit_opened(raffle *r, uint32_t number)
{
    if (number < 1 || number > RAFFLE_UNIT_MAX)
        return NULL;
    rf_unit_page *page = atomic_load(&r->page[(number - 1) / 256]);
    return page == NULL ? NULL : atomic_load(&page->unit[(number - 1) % 256]);
}

/* Puts the unit into its place; one that another thread opened meanwhile stays, and this one goes. */
static raffle_rc keep_unit(raffle *r, rf_unit *u, raffle_error *err)
{
    const uint32_t i = u->number - 1;
    rf_unit_page *page = atomic_load(&r->page[i / 256]);
    if (page == NULL) {
        rf_unit_page *fresh = calloc(1, sizeof *fresh);
        if (fresh == NULL) {
            rf_unit_destroy(u);
            return rf_nomem(err);
        }
        if (atomic_compare_exchange_strong(&r->page[i / 256], &page, fresh))
            page = fresh;
        else
            free(fresh);
    }
    rf_unit *there = NULL;
    if (!atomic_compare_exchange_strong(&page->unit[i % 256], &there, u))
        rf_unit_destroy(u);
    return RAFFLE_OK;
}

/* A unit that is not known may have been enrolled by somebody else, a moment ago. */
raffle_rc rf_unit_row_get(raffle *r, uint32_t number, rf_unit_row *row, raffle_error *err)
{
    if (find_row(r, number, row))
        return RAFFLE_OK;
    raffle_rc rc = rf_log_halted(r->log) ? RAFFLE_OK : rf_log_refresh(r->log, err);
    if (rc != RAFFLE_OK || find_row(r, number, row))
        return rc;
    return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %u in %s", number, r->origin);
}

raffle_rc rf_unit_get(raffle *r, uint32_t number, rf_unit **out, raffle_error *err)
{
    rf_unit_row row;
    rf_unit *u = NULL;
    *out = rf_unit_opened(r, number);
    if (*out != NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_unit_row_get(r, number, &row, err);
    if (rc == RAFFLE_OK)
        rc = open_unit(r, number, &row, &u, err);
    if (rc == RAFFLE_OK)
        rc = keep_unit(r, u, err);
    *out = rf_unit_opened(r, number);
    if (*out != NULL)
        rf_tell_log(r, (*out)->log);
    return rc;
}

/* What a transaction under way has folded is in no store yet, and may never be. */
raffle_rc rf_unit_current(rf_unit *u, rf_unit_state *state, raffle_error *err)
{
    raffle_rc rc = rf_log_halted(u->log) ? RAFFLE_OK : rf_log_refresh(u->log, err);
    rf_tell_log(u->raffle, u->log);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&u->lock);
    *state = u->building && u->state.size != rf_log_size(u->log) ? u->before : u->state;
    pthread_mutex_unlock(&u->lock);
    return RAFFLE_OK;
}

static raffle_rc verify_unit(rf_unit *u, raffle_error *err)
{
    pthread_mutex_lock(&u->lock);
    const bool verified = u->verified;
    pthread_mutex_unlock(&u->lock);
    if (verified)
        return RAFFLE_OK;
    raffle_rc rc =
        rf_log_verify(u->log, false, err); /* several may come here: the first does it, the others wait for it */
    pthread_mutex_lock(&u->lock);
    u->verified = u->verified || rc == RAFFLE_OK;
    pthread_mutex_unlock(&u->lock);
    rf_tell_log(u->raffle, u->log);
    return rc;
}

raffle_rc rf_unit_enter_upload(rf_unit *u, raffle_error *err)
{
    raffle_rc rc = rf_enter(u->raffle, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (u->raffle->keys == NULL)
        return rf_fail(err, RAFFLE_KEY, "the raffle %s was opened without keys, to be read", u->raffle->origin);
    rc = rf_log_writable(u->raffle->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_writable(u->log, err);
    return rc == RAFFLE_OK ? verify_unit(u, err) : rc;
}

raffle_rc rf_unit_enter_write(rf_unit *u, raffle_error *err)
{
    raffle_rc rc = rf_enter(u->raffle, err);
    if (rc == RAFFLE_OK && u->away)
        return rf_fail(err, RAFFLE_AWAY,
                       u->raffle->till != 0 ? "this is the till of another unit than %u"
                                            : "unit %u is away: its log is written by its till",
                       u->number);
    if (rc == RAFFLE_OK)
        rc = rf_unit_enter_upload(u, err);
    return rc == RAFFLE_OK ? check_synced(u, err) : rc;
}
