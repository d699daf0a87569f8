/* SPDX-License-Identifier: Apache-2.0 */
/* A raffle's handle: opened, kept alive by what depends on it, and released. */
#include "open_impl.h"

#include "abi.h"
#include "buyer.h"
#include "error.h"
#include "order.h"
#include "sha256.h"
#include "unit_impl.h"
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
    if (r->buyer_key != NULL)
        sodium_memzero(r->buyer_key, RF_BUYER_KEY_SIZE);
}

static void destroy(raffle *r)
{
    for_units(r, rf_unit_destroy);
    for (size_t i = 0; i < sizeof r->page / sizeof *r->page; i++)
        free(atomic_load(&r->page[i]));
    rf_log_free(r->log);
    rf_control_clear(&r->control);
    free(r->rules);
    free(r->tally);
    sodium_free(r->order_key);
    sodium_free(r->buyer_key);
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

raffle_rc rf_raffle_new(raffle_store *store, raffle_keys *keys, const raffle_host *host, raffle **out,
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

raffle_rc rf_raffle_open_log(raffle *r, raffle_error *err)
{
    rf_log_fold fold = rf_control_fold(r);
    return rf_log_open(r->store, 0, r->origin, &fold, false, &r->log, err);
}

raffle_rc rf_raffle_bare(raffle_store *store, const char *origin, raffle **out, raffle_error *err)
{
    raffle *r = NULL;
    raffle_rc rc = rf_raffle_new(store, NULL, NULL, &r, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(r->origin, origin, strlen(origin) + 1);
    rc = rf_raffle_open_log(r, err);
    if (rc == RAFFLE_OK)
        *out = r;
    else
        rf_raffle_unref(r);
    return rc;
}

/* Folds the control log from its first record, and takes from it what never changes. */
raffle_rc rf_raffle_load_control(raffle *r, raffle_error *err)
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
        rc = rf_raffle_open_log(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_raffle_load_control(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_secrets_open(r, err);
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
    raffle_rc rc = rf_raffle_new(store, keys, host, &r, err);
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

/* --- by URI --- */

raffle_rc rf_default_keys(const char *store, char out[RAFFLE_TEXT_MAX], raffle_error *err)
{
    memcpy(out, "file:", 5);
    return rf_store_beside(store, ".keys", out + 5, RAFFLE_TEXT_MAX - 5, err);
}

raffle_rc rf_lend_host(raffle_host *lent, const raffle_host *host, raffle_error *err)
{
    raffle_rc rc = rf_host_in(lent, host, err);
    lent->release = NULL;
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
