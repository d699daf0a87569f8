/* SPDX-License-Identifier: Apache-2.0 */
/* A raffle's handle: made, opened, kept alive by what depends on it, and released. */
#include "raffle_impl.h"

#include "abi.h"
#include "error.h"
#include "keys_pkcs11.h"
#include "order.h"
#include "sha256.h"
#include "unit_impl.h"
#include "validation.h"
#include <limits.h>
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- lifetime --- */

raffle *rf_raffle_ref(raffle *r)
{
    pthread_mutex_lock(&r->lock);
    r->refs++;
    pthread_mutex_unlock(&r->lock);
    return r;
}

static void for_units(raffle *r, void (*run)(rf_unit *u))
{
    for (size_t i = 0; i < sizeof r->page / sizeof *r->page; i++) {
        rf_unit_page *page = atomic_load(&r->page[i]);
        for (size_t k = 0; page != NULL && k < sizeof page->unit / sizeof *page->unit; k++)
            run(atomic_load(&page->unit[k]));
    }
}

static void wipe_unit(rf_unit *u)
{
    if (u != NULL && u->ku != NULL)
        sodium_memzero(u->ku, 32);
}

/* In a forked child locks may be held for ever, and what is open is the parent's: secrets are wiped, and everything is left to exit. */
static void wipe(raffle *r)
{
    for_units(r, wipe_unit);
    if (r->order_key != NULL)
        sodium_memzero(r->order_key, RF_ORDER_KEY_SIZE);
}

static void destroy(raffle *r)
{
    for_units(r, rf_unit_destroy);
    for (size_t i = 0; i < sizeof r->page / sizeof *r->page; i++)
        free(atomic_load(&r->page[i]));
    rf_log_free(r->log);
    rf_control_clear(&r->control);
    free(r->rules);
    sodium_free(r->order_key);
    raffle_keys_free(r->keys);
    raffle_store_free(r->store);
    if (r->owns_host && r->host.release != NULL)
        r->host.release(r->host.ctx);
    pthread_rwlock_destroy(&r->control_lock);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void rf_raffle_unref(raffle *r)
{
    if (r == NULL)
        return;
    if (r->pid != getpid()) {
        wipe(r);
        return;
    }
    pthread_mutex_lock(&r->lock);
    bool last = --r->refs == 0;
    pthread_mutex_unlock(&r->lock);
    if (last)
        destroy(r);
}

void raffle_free(raffle *r)
{
    rf_raffle_unref(r);
}

int32_t rf_timeout(const raffle *r)
{
    return r->host.timeout_ms == 0 ? 10000 : r->host.timeout_ms;
}

raffle_rc rf_enter(const raffle *r, raffle_error *err)
{
    if (r == NULL)
        return rf_null(err, "raffle");
    if (r->pid != getpid())
        return rf_fail(err, RAFFLE_FORKED, "the raffle %s was opened before fork()", r->origin);
    return RAFFLE_OK;
}

/* Once a handle, before its first write: the newest records are hashed again (GLI-31 3.4.3). */
static raffle_rc verify_once(raffle *r, raffle_error *err)
{
    pthread_mutex_lock(&r->lock);
    const bool verified = r->verified;
    pthread_mutex_unlock(&r->lock);
    if (verified)
        return RAFFLE_OK;
    raffle_rc rc =
        rf_log_verify(r->log, false, err); /* several may come here: the first does it, the others wait for it */
    pthread_mutex_lock(&r->lock);
    r->verified = r->verified || rc == RAFFLE_OK;
    pthread_mutex_unlock(&r->lock);
    return rc;
}

/* What was committed when the anchor could not be written is made good before more is. */
static raffle_rc anchor_again(raffle *r, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_log_anchor_again(r->log, &why);
    if (rc == RAFFLE_OK)
        return RAFFLE_OK;
    rf_fail(err, rc, "the newest records of %s are still not anchored: %s", r->origin, why.message);
    if (err != NULL)
        err->token = why.token;
    return rc;
}

raffle_rc rf_not_at_till(const raffle *r, raffle_error *err)
{
    return r->till == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_AWAY, "this is the till of unit %u: the control log of %s is written elsewhere",
                         r->till, r->origin);
}

raffle_rc rf_enter_write(raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_not_at_till(r, err);
    return rc == RAFFLE_OK ? rf_enter_unit_write(r, err) : rc;
}

raffle_rc rf_enter_unit_write(raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r->keys == NULL)
        return rf_fail(err, RAFFLE_KEY, "the raffle %s was opened without keys, to be read", r->origin);
    rc = rf_log_writable(r->log, err);
    if (rc == RAFFLE_OK)
        rc = anchor_again(r, err);
    if (rc == RAFFLE_OK)
        rc = verify_once(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_refresh(r->log, err);
    rf_tell_log(r, r->log);
    return rc;
}

/* --- making the handle --- */

static raffle_rc new_handle(raffle_store *store, raffle_keys *keys, const raffle_host *host, raffle **out,
                            raffle_error *err)
{
    if (sodium_init() < 0)
        return rf_fail(err, RAFFLE_IO, "libsodium finds no source of randomness");
    raffle *r = calloc(1, sizeof *r);
    if (r == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_host_in(&r->host, host, err);
    if (rc != RAFFLE_OK) {
        free(r);
        return rc;
    }
    r->refs = 1;
    r->pid = getpid();
    pthread_mutex_init(&r->lock, NULL);
    pthread_rwlock_init(&r->control_lock, NULL);
    rf_control_init(&r->control);
    r->store = rf_store_ref(store);
    r->keys = keys == NULL ? NULL : rf_keys_ref(keys);
    *out = r;
    return RAFFLE_OK;
}

static raffle_rc open_control_log(raffle *r, raffle_error *err)
{
    rf_log_fold fold = rf_control_fold(r);
    return rf_log_open(r->store, 0, r->origin, &fold, false, &r->log, err);
}

raffle_rc rf_raffle_bare(raffle_store *store, const char *origin, raffle **out, raffle_error *err)
{
    raffle *r = NULL;
    raffle_rc rc = new_handle(store, NULL, NULL, &r, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(r->origin, origin, strlen(origin) + 1);
    rc = open_control_log(r, err);
    if (rc == RAFFLE_OK)
        *out = r;
    else
        rf_raffle_unref(r);
    return rc;
}

/* Folds the control log from its first record, and takes from it what never changes. */
static raffle_rc load_control(raffle *r, raffle_error *err)
{
    r->control_dirty = true;
    raffle_rc rc = rf_log_refresh(r->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r->control.size == 0)
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "the store holds %s, which was never opened: its making was cut off",
                       r->origin);
    rc = rf_vkey_parse(&r->vkey, r->control.key, strlen(r->control.key), err);
    if (rc != RAFFLE_OK || strcmp(r->vkey.name, r->origin) != 0 || r->vkey.type != RF_NOTE_ED25519)
        return rf_fail(err, RAFFLE_CORRUPT, "the control key in raffle.open is not one of %s", r->origin);
    if (strcmp(r->control.rules->origin, r->origin) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the rules are those of %s, in a store of %s", r->control.rules->origin,
                       r->origin);
    r->rules = malloc(sizeof *r->rules);
    if (r->rules == NULL)
        return rf_nomem(err);
    *r->rules = *r->control.rules;
    memcpy(r->open, r->control.open, 32);
    if ((r->host.flags & RAFFLE_HOST_REPLAYED_CLOCK) && !r->rules->rehearsal)
        return rf_fail(err, RAFFLE_REHEARSAL, "%s is no rehearsal: its clock cannot be replayed", r->origin);
    return RAFFLE_OK;
}

/* What stands in the log for the ticket key K. */
static void key_commitment(rf_sha256 *hash, uint8_t out[32], const char *origin, const uint8_t key[32])
{
    const rf_span spans[] = {{"libraffle/ticket-key/v1", 24}, {origin, strlen(origin) + 1}, {key, 32}};
    rf_sha256_spans(hash, out, spans, 3);
}

/* A secret of 32 bytes from the host, into secure memory; RAFFLE_NOT_FOUND when it keeps none by this name. */
static raffle_rc host_secret(raffle *r, const char *what, uint8_t out[32], raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    size_t length = SIZE_MAX;
    if (r->host.secret == NULL)
        return RAFFLE_NOT_FOUND;
    raffle_rc rc = r->host.secret(r->host.ctx, what, out, 32, &length, &theirs);
    if ((rc == RAFFLE_OK && length == 32) || rc == RAFFLE_NOT_FOUND)
        return rc;
    rf_fail(err, RAFFLE_HOST, "the host's secret \"%s\" failed: %s", what,
            rc == RAFFLE_OK ? "not 32 bytes" : theirs.message);
    if (err != NULL)
        err->token = theirs.token;
    return RAFFLE_HOST;
}

/* From the host when it keeps secrets, else from the keys. */
raffle_rc rf_raffle_ticket_key(raffle *r, uint8_t k[32], raffle_error *err)
{
    raffle_rc rc = host_secret(r, "ticket-key", k, err);
    return rc == RAFFLE_NOT_FOUND ? rf_keys_ticket_key(r->keys, r->origin, k, err) : rc;
}

static raffle_rc till_ticket_key(raffle *r, uint32_t unit, uint8_t ku[32], raffle_error *err)
{
    raffle_rc rc = host_secret(r, "unit-ticket-key", ku, err);
    return rc == RAFFLE_NOT_FOUND ? rf_keys_unit_ticket_key(r->keys, r->origin, unit, ku, err) : rc;
}

raffle_rc rf_raffle_unit_ticket_key(raffle *r, uint32_t unit, uint8_t ku[32], raffle_error *err)
{
    if (r->till == unit)
        return till_ticket_key(r, unit, ku, err);
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *k = sodium_malloc(32);
    raffle_rc rc = hash == NULL || k == NULL ? rf_nomem(err) : rf_raffle_ticket_key(r, k, err);
    if (rc == RAFFLE_OK)
        rf_vn_unit_key(hash, ku, k, r->origin, unit);
    sodium_free(k);
    rf_sha256_free(hash);
    return rc;
}

void rf_unit_key_commitment(rf_sha256 *hash, const uint8_t ku[32], uint8_t out[32])
{
    const rf_span spans[] = {{"libraffle/unit-key/v1", 22}, {ku, 32}};
    rf_sha256_spans(hash, out, spans, 2);
}

/* Reads K, and derives from it; with `expected`, K must be the key that this commits to. */
static raffle_rc load_secrets(raffle *r, const uint8_t *expected, uint8_t commitment[32], raffle_error *err)
{
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *k = sodium_malloc(32);
    r->order_key = sodium_malloc(RF_ORDER_KEY_SIZE);
    raffle_rc rc = hash == NULL || k == NULL || r->order_key == NULL ? rf_nomem(err) : rf_raffle_ticket_key(r, k, err);
    if (rc != RAFFLE_OK)
        goto out;
    key_commitment(hash, commitment, r->origin, k);
    if (expected != NULL && sodium_memcmp(commitment, expected, 32) != 0)
        rc = rf_fail(err, RAFFLE_KEY, "the ticket key is not the one that raffle.open of %s commits to", r->origin);
    rf_order_key(hash, r->order_key, k, r->origin);
out:
    sodium_free(k);
    rf_sha256_free(hash);
    return rc;
}

/* What a till has in place of K: order keys are told apart by a key of its own, since its store is. */
static raffle_rc load_till(raffle *r, const rf_unit_row *row, raffle_error *err)
{
    uint8_t commitment[32];
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *ku = sodium_malloc(32);
    r->order_key = sodium_malloc(RF_ORDER_KEY_SIZE);
    raffle_rc rc =
        hash == NULL || ku == NULL || r->order_key == NULL ? rf_nomem(err) : till_ticket_key(r, r->till, ku, err);
    if (rc != RAFFLE_OK)
        goto out;
    rf_unit_key_commitment(hash, ku, commitment);
    if (sodium_memcmp(commitment, row->ticket_key, 32) != 0)
        rc = rf_fail(err, RAFFLE_KEY, "the ticket key of unit %u is not the one that its unit.enrol commits to",
                     r->till);
    rf_order_key(hash, r->order_key, ku, r->origin);
out:
    sodium_free(ku);
    rf_sha256_free(hash);
    return rc;
}

/* The unit that is away and whose key is here; 0: none. */
static uint32_t find_till(raffle *r)
{
    for (uint32_t i = 0; i < r->control.units; i++) {
        const rf_unit_row *row = &r->control.unit[i];
        char name[16];
        rf_vkey vkey;
        uint8_t public_key[32];
        snprintf(name, sizeof name, "unit-%u", i + 1);
        if (row->away && !row->unenrolled && rf_vkey_parse(&vkey, row->key, strlen(row->key), NULL) == RAFFLE_OK &&
            rf_keys_public_key(r->keys, r->origin, name, public_key, NULL) == RAFFLE_OK &&
            memcmp(public_key, vkey.key, 32) == 0)
            return i + 1;
    }
    return 0;
}

static raffle_rc check_keys(raffle *r, raffle_error *err)
{
    uint8_t public_key[32], commitment[32];
    raffle_error why = RAFFLE_ERROR_INIT;
    if (r->keys == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_keys_public_key(r->keys, r->origin, "control", public_key, &why);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        return rf_fail_as(err, &why);
    if (rc == RAFFLE_NOT_FOUND) {
        r->till = find_till(r);
        return r->till != 0 ? load_till(r, &r->control.unit[r->till - 1], err)
                            : rf_fail(err, RAFFLE_KEY, "the keys hold no control key of %s", r->origin);
    }
    if (memcmp(public_key, r->vkey.key, 32) != 0)
        return rf_fail(err, RAFFLE_KEY, "the control key is not the one that raffle.open of %s names", r->origin);
    return load_secrets(r, r->control.ticket_key, commitment, err);
}

static raffle_rc open_units(raffle *r, raffle_error *err)
{
    const bool full = r->host.flags & RAFFLE_HOST_VERIFY_FULL;
    raffle_rc rc = full ? rf_log_verify(r->log, true, err) : RAFFLE_OK;
    for (uint32_t number = 1; rc == RAFFLE_OK && number <= r->control.units; number++) {
        rf_unit *u;
        rc = rf_unit_get(r, number, &u, err);
        if (rc == RAFFLE_OK && full)
            rc = rf_log_verify(u->log, true, err);
    }
    return rc;
}

static raffle_rc open_handle(raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_store_origin(r->store, r->origin, err);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_fail(err, RAFFLE_NOT_RAFFLE, "the store holds no raffle");
    if (rc == RAFFLE_OK)
        rc = open_control_log(r, err);
    if (rc == RAFFLE_OK)
        rc = load_control(r, err);
    if (rc == RAFFLE_OK)
        rc = check_keys(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_check(r->log, &r->vkey, err);
    if (rc == RAFFLE_OK)
        rc = open_units(r, err);
    rf_tell_log(r, r->log);
    return rc;
}

raffle_rc raffle_open_with(raffle_store *store, raffle_keys *keys, const raffle_host *host, raffle **out,
                           raffle_error *err)
{
    raffle *r = NULL;
    if (store == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : "out");
    raffle_rc rc = new_handle(store, keys, host, &r, err);
    if (rc == RAFFLE_OK)
        rc = open_handle(r, err);
    if (rc != RAFFLE_OK) {
        rf_raffle_unref(r);
        return rc;
    }
    r->owns_host = true;
    *out = r;
    return RAFFLE_OK;
}

/* --- create --- */

typedef struct creation {
    raffle *raffle;
    raffle_actor by;
    const char *keys_note; /* where the keys are, to be noted; NULL: they are the host's */
    rf_rules *rules;
    char *frozen;
    size_t frozen_length;
} creation;

static raffle_rc freeze_rules(creation *c, const char *rules, size_t length, raffle_error *err)
{
    c->rules = malloc(sizeof *c->rules);
    c->frozen = malloc(RF_RULES_MAX);
    if (c->rules == NULL || c->frozen == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_rules_parse(c->rules, rules, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    c->frozen_length = rf_rules_format(c->rules, c->frozen, RF_RULES_MAX);
    if (c->frozen_length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the rules do not fit into a record: %d bytes are the most", RF_RULES_MAX);
    return RAFFLE_OK;
}

/* Everything that can be refused before anything is made. */
static raffle_rc check_creation(creation *c, const raffle_host *host, const char *rules, size_t length,
                                const raffle_actor *by, raffle_error *err)
{
    raffle_host copy;
    raffle_rc rc = rf_actor_in(&c->by, by, "by", err);
    if (rc == RAFFLE_OK && c->by.role != RAFFLE_MANAGER && c->by.role != RAFFLE_ADMINISTRATOR)
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not create a raffle", raffle_role_name(c->by.role));
    if (rc == RAFFLE_OK)
        rc = freeze_rules(c, rules, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_host_in(&copy, host, err);
    if (rc == RAFFLE_OK && (copy.flags & RAFFLE_HOST_REPLAYED_CLOCK) && !c->rules->rehearsal)
        rc = rf_fail(err, RAFFLE_REHEARSAL, "the rules are no rehearsal: the clock cannot be replayed");
    return rc;
}

static void drop_creation(creation *c)
{
    free(c->rules);
    free(c->frozen);
}

/* A key that is there already is kept: a log may name it. */
raffle_rc rf_raffle_make_key(raffle *r, const char *name, raffle_error *err)
{
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_keys_make(r->keys, r->origin, name, &quiet);
    return rc == RAFFLE_OK || rc == RAFFLE_EXISTS ? RAFFLE_OK : rf_fail_as(err, &quiet);
}

/* A host whose secrets are others, such as a token's PIN, leaves the ticket key to the keys. What else it answers is judged when the key is loaded. */
static raffle_rc host_keeps_ticket_key(const raffle *r, bool *keeps, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    size_t length = SIZE_MAX;
    *keeps = false;
    if (r->host.secret == NULL)
        return RAFFLE_OK;
    uint8_t *k = sodium_malloc(32);
    if (k == NULL)
        return rf_nomem(err);
    *keeps = r->host.secret(r->host.ctx, "ticket-key", k, 32, &length, &theirs) != RAFFLE_NOT_FOUND;
    sodium_free(k);
    return RAFFLE_OK;
}

static raffle_rc write_open(creation *c, raffle_error *err)
{
    bool host_keeps = false;
    raffle *r = c->raffle;
    char key[RF_VKEY_SIZE];
    uint8_t public_key[32];
    rf_record record = {.type = RF_RAFFLE_OPEN,
                        .has = rf_bit(RF_F_FORMAT) | rf_bit(RF_F_KEY) | rf_bit(RF_F_RULES) | rf_bit(RF_F_TICKET_KEY),
                        .format = 1,
                        .rules = {c->frozen, c->frozen_length, false}};
    raffle_rc rc = rf_raffle_make_key(r, "control", err);
    if (rc == RAFFLE_OK)
        rc = host_keeps_ticket_key(r, &host_keeps, err);
    if (rc == RAFFLE_OK && !host_keeps)
        rc = rf_raffle_make_key(r, "ticket", err);
    if (rc == RAFFLE_OK)
        rc = rf_keys_public_key(r->keys, r->origin, "control", public_key, err);
    if (rc == RAFFLE_OK)
        rc = rf_vkey_make(&r->vkey, r->origin, RF_NOTE_ED25519, public_key, err);
    if (rc == RAFFLE_OK)
        rc = load_secrets(r, NULL, record.ticket_key, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_vkey_format(&r->vkey, key);
    record.key = rf_text_of(key);
    return rf_control_open(r, &c->by, c->keys_note, &record, err);
}

/* The same call again finishes what was cut off; a raffle that is complete, or has other rules, exists. */
static raffle_rc check_again(const creation *c, raffle_error *err)
{
    const raffle *r = c->raffle;
    const size_t units = c->rules->units > 0 ? c->rules->units : 1;
    char *frozen = malloc(RF_RULES_MAX);
    if (frozen == NULL)
        return rf_nomem(err);
    size_t length = rf_rules_format(r->rules, frozen, RF_RULES_MAX);
    const bool same = length == c->frozen_length && memcmp(frozen, c->frozen, length) == 0;
    free(frozen);
    const bool complete = r->control.units >= units && r->control.unit[units - 1].enabled;
    if (!same || complete || r->control.size > 1 + 2 * units)
        return rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s already", r->origin);
    return RAFFLE_OK;
}

static raffle_rc make_units(creation *c, raffle_error *err)
{
    raffle *r = c->raffle;
    const size_t units = c->rules->units > 0 ? c->rules->units : 1;
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t i = 0; rc == RAFFLE_OK && i < units; i++) {
        raffle_unit_options unit = {.struct_size = sizeof unit, .name = "unit 1"};
        if (c->rules->units > 0) {
            unit.quota = (uint64_t)c->rules->unit[i].quota;
            memcpy(unit.name, c->rules->unit[i].name, sizeof unit.name);
        }
        uint32_t number = i + 1;
        if (r->control.units <= i)
            rc = rf_unit_enrol(r, &c->by, &unit, &number, err);
        if (rc == RAFFLE_OK && !r->control.unit[i].enabled)
            rc = rf_unit_change(r, &c->by, RF_UNIT_ENABLE, number, NULL, 0, err);
    }
    return rc;
}

static raffle_rc create_in_store(creation *c, raffle_error *err)
{
    raffle *r = c->raffle;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_origin(r->store, r->origin, &quiet);
    if (rc == RAFFLE_NOT_FOUND) {
        memcpy(r->origin, c->rules->origin, sizeof r->origin);
        rc = rf_store_create(r->store, r->origin, err);
    } else if (rc == RAFFLE_OK && strcmp(r->origin, c->rules->origin) != 0) {
        return rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s", r->origin);
    } else if (rc != RAFFLE_OK) {
        return rf_fail_as(err, &quiet);
    }
    if (rc == RAFFLE_OK)
        rc = open_control_log(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_log_size(r->log) == 0) {
        rc = write_open(c, err);
        return rc == RAFFLE_OK ? load_control(r, err) : rc;
    }
    rc = load_control(r, err);
    if (rc == RAFFLE_OK)
        rc = check_again(c, err);
    return rc == RAFFLE_OK ? check_keys(r, err) : rc;
}

static raffle_rc create(raffle_store *store, raffle_keys *keys, const char *keys_note, const raffle_host *host,
                        const char *rules, size_t length, const raffle_actor *by, raffle **out, raffle_error *err)
{
    creation c = {.keys_note = keys_note};
    raffle_rc rc = check_creation(&c, host, rules, length, by, err);
    if (rc == RAFFLE_OK)
        rc = new_handle(store, keys, host, &c.raffle, err);
    if (rc == RAFFLE_OK)
        rc = create_in_store(&c, err);
    if (rc == RAFFLE_OK)
        rc = make_units(&c, err);
    drop_creation(&c);
    if (rc != RAFFLE_OK) {
        rf_raffle_unref(c.raffle);
        return rc;
    }
    c.raffle->owns_host = true;
    *out = c.raffle;
    return RAFFLE_OK;
}

raffle_rc raffle_create_with(raffle_store *store, raffle_keys *keys, const raffle_host *host, const char *rules,
                             size_t length, const raffle_actor *by, raffle **out, raffle_error *err)
{
    if (store == NULL || keys == NULL || rules == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : keys == NULL ? "keys" : rules == NULL ? "rules" : "out");
    return create(store, keys, NULL, host, rules, length, by, out, err);
}

raffle_rc raffle_rules_check(const char *rules, size_t length, raffle_error *err)
{
    creation c = {0};
    if (rules == NULL)
        return rf_null(err, "rules");
    raffle_rc rc = freeze_rules(&c, rules, length, err);
    drop_creation(&c);
    return rc;
}

/* --- by URI --- */

raffle_rc rf_default_keys(const char *store, char out[RAFFLE_TEXT_MAX], raffle_error *err)
{
    memcpy(out, "file:", 5);
    return rf_store_beside(store, ".keys", out + 5, RAFFLE_TEXT_MAX - 5, err);
}

static bool is_token(const char *keys)
{
    return strncmp(keys, "pkcs11:", 7) == 0;
}

/* Where the keys are, as the next opening needs it: a folder by its whole path, whatever the working folder is then; a token without its PIN. */
static raffle_rc note_keys(const char *keys, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err)
{
#ifdef RAFFLE_WITH_PKCS11
    if (is_token(keys))
        return rf_keys_pkcs11_note(keys, out, err);
#endif
    char folder[PATH_MAX] = "";
    const bool relative = strncmp(keys, "file:", 5) == 0 && keys[5] != '/';
    if (relative && getcwd(folder, sizeof folder) == NULL)
        return rf_fail(err, RAFFLE_IO, "the working folder has no path, and the keys are noted by theirs");
    int n = relative ? snprintf(out, RAFFLE_TEXT_MAX + 1, "file:%s/%s", folder, keys + 5)
                     : snprintf(out, RAFFLE_TEXT_MAX + 1, "%s", keys);
    if (n < 0 || n > RAFFLE_TEXT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the URI of the keys has %d bytes with its folder; %d can be noted", n,
                       RAFFLE_TEXT_MAX);
    return RAFFLE_OK;
}

raffle_rc rf_lend_host(raffle_host *lent, const raffle_host *host, raffle_error *err)
{
    raffle_rc rc = rf_host_in(lent, host, err);
    lent->release = NULL;
    return rc;
}

raffle_rc raffle_create(const char *store, const char *keys, const raffle_host *host, const char *rules, size_t length,
                        const raffle_actor *by, raffle **out, raffle_error *err)
{
    raffle_store *s = NULL;
    raffle_keys *k = NULL;
    char beside[RAFFLE_TEXT_MAX], noted[RAFFLE_TEXT_MAX + 1];
    raffle_host lent;
    if (store == NULL || rules == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : rules == NULL ? "rules" : "out");
    /* Once before the store is opened, so that a refusal leaves no file. */
    creation trial = {0};
    raffle_rc rc = check_creation(&trial, host, rules, length, by, err);
    drop_creation(&trial);
    if (rc == RAFFLE_OK)
        rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK && keys == NULL) {
        rc = rf_default_keys(store, beside, err);
        keys = beside;
    }
    if (rc == RAFFLE_OK)
        rc = note_keys(keys, noted, err);
    if (rc == RAFFLE_OK)
        rc = raffle_keys_open(is_token(keys) ? keys : noted, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_open(store, &lent, true, &s, err);
    if (rc == RAFFLE_OK)
        rc = create(s, k, noted, host, rules, length, by, out, err);
    raffle_keys_free(k);
    raffle_store_free(s);
    return rc;
}

typedef struct noted_keys {
    char uri[RAFFLE_TEXT_MAX + 1];
} noted_keys;

static raffle_rc read_noted(void *ctx, const raffle_record *record, raffle_error *err)
{
    noted_keys *noted = ctx;
    rf_private p;
    if (record->private_part == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_private_decode(&p, record->private_part, record->private_length, err);
    if (rc == RAFFLE_OK && (p.has & rf_bit(RF_P_KEYS)) && !rf_text_copy(&p.keys, noted->uri, sizeof noted->uri))
        noted->uri[0] = 0;
    return rc;
}

/* The folder of keys that stands beside a store which notes none, as a till's does; "" when there is none. */
static void find_beside(const char *store, char uri[RAFFLE_TEXT_MAX + 1])
{
    struct stat st;
    if (rf_default_keys(store, uri, NULL) != RAFFLE_OK || stat(uri + 5, &st) != 0 || !S_ISDIR(st.st_mode))
        uri[0] = 0;
}

raffle_rc raffle_open(const char *store, const char *keys, const raffle_host *host, raffle **out, raffle_error *err)
{
    raffle_store *s = NULL;
    raffle_keys *k = NULL;
    noted_keys noted = {""};
    if (store == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : "out");
    raffle_host lent;
    raffle_rc rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK)
        rc = raffle_store_open(store, &lent, &s, err);
    if (rc == RAFFLE_OK && keys == NULL) {
        rc = rf_store_read(s, 0, 0, 1, read_noted, &noted, err);
        keys = noted.uri;
        if (rc == RAFFLE_OK && keys[0] == 0)
            find_beside(store, noted.uri);
    }
    if (rc == RAFFLE_OK && keys[0] != 0)
        rc = raffle_keys_open(keys, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = raffle_open_with(s, k, host, out, err);
    raffle_keys_free(k);
    raffle_store_free(s);
    return rc;
}
