/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of keys: opening by URI, calling the table, checking what it gives, remembering public keys. */
#include "keys.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "keys_pkcs11.h"
#include "uri.h"
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    KEY_NAME_SIZE = 16, /* "unit-65535" */
    CACHE = 64          /* a newer key takes the place of an older one */
};

/* A public key that was checked. No name: the place is free. */
typedef struct cached {
    char origin[RAFFLE_ORIGIN_SIZE];
    char name[KEY_NAME_SIZE];
    uint8_t key[32];
} cached;

struct raffle_keys {
    raffle_keys_table table;
    void *ctx;
    raffle_host host; /* `release` is all that is used of it */
    pid_t pid;
    atomic_uint references;
    pthread_mutex_t lock; /* over what follows; never held over the table */
    cached cache[CACHE];
};

void raffle_keys_table_init(raffle_keys_table *table, size_t size)
{
    rf_struct_init(table, size);
}

/* --- making and freeing --- */

static raffle_rc read_table(raffle_keys_table *mine, const raffle_keys_table *theirs, raffle_error *err)
{
    raffle_rc rc = rf_struct_in(mine, sizeof *mine, theirs, "table", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (mine->flags != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "table: flags %#x are not known", mine->flags);
    if (mine->make == NULL || mine->public_key == NULL)
        return rf_null(err, mine->make == NULL ? "table->make" : "table->public_key");
    if (mine->sign == NULL || mine->ticket_key == NULL)
        return rf_null(err, mine->sign == NULL ? "table->sign" : "table->ticket_key");
    return RAFFLE_OK;
}

raffle_rc raffle_keys_new(const raffle_keys_table *table, void *ctx, raffle_keys **out, raffle_error *err)
{
    raffle_keys_table copy;
    if (out == NULL)
        return rf_null(err, "out");
    raffle_rc rc = read_table(&copy, table, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (sodium_init() < 0)
        return rf_fail(err, RAFFLE_IO, "libsodium finds no source of randomness");
    raffle_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL || pthread_mutex_init(&keys->lock, NULL) != 0) {
        free(keys);
        return rf_nomem(err);
    }
    keys->table = copy;
    keys->ctx = ctx;
    keys->pid = getpid();
    atomic_init(&keys->references, 1);
    *out = keys;
    return RAFFLE_OK;
}

static raffle_rc open_files(const char *uri, raffle_keys **out, raffle_error *err)
{
    static const char *const none[] = {NULL};
    rf_uri parsed;
    raffle_rc rc = rf_uri_parse(&parsed, uri, err);
    if (rc == RAFFLE_OK)
        rc = rf_uri_only(&parsed, none, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_uri_fragment(&parsed) != NULL || rf_uri_rest(&parsed)[0] == '\0')
        return rf_fail(err, RAFFLE_INVALID, "the keys' URI \"%s\" is not \"file:\" and a folder", uri);
    raffle_keys_table table = {.struct_size = sizeof table};
    void *ctx = NULL;
    rc = rf_keyfile_open(rf_uri_rest(&parsed), &table, &ctx, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_keys_new(&table, ctx, out, err);
    if (rc != RAFFLE_OK)
        table.free(ctx);
    return rc;
}

#ifdef RAFFLE_WITH_PKCS11
static raffle_rc open_token(const char *uri, const raffle_host *host, raffle_keys **out, raffle_error *err)
{
    raffle_keys_table table = {.struct_size = sizeof table};
    void *ctx = NULL;
    raffle_rc rc = rf_keys_pkcs11_open(uri, host, &table, &ctx, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_keys_new(&table, ctx, out, err);
    if (rc != RAFFLE_OK)
        table.free(ctx);
    return rc;
}
#endif

static raffle_rc open_builtin(const char *uri, const raffle_host *host, raffle_keys **out, raffle_error *err)
{
    if (strncmp(uri, "file:", 5) == 0)
        return open_files(uri, out, err);
#ifdef RAFFLE_WITH_PKCS11
    if (strncmp(uri, "pkcs11:", 7) == 0)
        return open_token(uri, host, out, err);
#else
    (void)host;
#endif
    /* Only the scheme is named: what follows may hold a PIN. */
    const size_t scheme = strcspn(uri, ":");
    if (uri[scheme] != ':' || scheme == 0 || scheme > RF_SCHEME_MAX)
        return rf_fail(err, RAFFLE_INVALID, "the keys' URI has no scheme such as \"file:\"");
    return rf_fail(err, RAFFLE_UNSUPPORTED, "there are no keys \"%.*s:\" in this build", (int)scheme, uri);
}

raffle_rc raffle_keys_open(const char *uri, const raffle_host *host, raffle_keys **out, raffle_error *err)
{
    if (uri == NULL || out == NULL)
        return rf_null(err, uri == NULL ? "uri" : "out");
    raffle_host copy;
    raffle_keys *keys = NULL;
    raffle_rc rc = rf_host_in(&copy, host, err);
    if (rc == RAFFLE_OK)
        rc = open_builtin(uri, &copy, &keys, err);
    if (rc != RAFFLE_OK)
        return rc;
    keys->host = copy;
    *out = keys;
    return RAFFLE_OK;
}

raffle_keys *rf_keys_ref(raffle_keys *keys)
{
    atomic_fetch_add_explicit(&keys->references, 1, memory_order_relaxed);
    return keys;
}

/* In a forked child the table, the host and the lock are the parent's. */
void raffle_keys_free(raffle_keys *keys)
{
    if (keys == NULL || keys->pid != getpid())
        return;
    if (atomic_fetch_sub_explicit(&keys->references, 1, memory_order_acq_rel) != 1)
        return;
    if (keys->table.free != NULL)
        keys->table.free(keys->ctx);
    if (keys->host.release != NULL)
        keys->host.release(keys->host.ctx);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

/* --- calling the table --- */

static bool is_log_name(const char *name)
{
    uint64_t unit = 0;
    if (strcmp(name, "control") == 0)
        return true;
    return strncmp(name, "unit-", 5) == 0 &&
           rf_decimal_parse(name + 5, strnlen(name + 5, KEY_NAME_SIZE), RAFFLE_UNIT_MAX, &unit) && unit >= 1;
}

static raffle_rc enter(const raffle_keys *keys, const char *origin, const char *name, raffle_error *err)
{
    if (getpid() != keys->pid)
        return rf_fail(err, RAFFLE_FORKED, "the keys were opened by process %ld, before fork()", (long)keys->pid);
    if (!rf_origin_valid(origin, strnlen(origin, RAFFLE_ORIGIN_SIZE)))
        return rf_fail(err, RAFFLE_INVALID, "keys are asked for by an origin that is none");
    if (!is_log_name(name) && strcmp(name, "ticket") != 0)
        return rf_fail(err, RAFFLE_INVALID, "there is no key by the name \"%.*s\"", KEY_NAME_SIZE, name);
    return RAFFLE_OK;
}

/* Hands on a failure of the table's, always with a sentence; a status that this library does not know becomes RAFFLE_HOST. */
static raffle_rc hand_on(raffle_rc rc, raffle_error *theirs, const char *name, raffle_error *err)
{
    theirs->message[sizeof theirs->message - 1] = '\0';
    if (theirs->message[0] == '\0') {
        const uint64_t token = theirs->token;
        rf_fail_at(theirs, rc, theirs->detail, "the keys failed with status %d for \"%s\"", rc, name);
        theirs->token = token;
    }
    theirs->rc = strcmp(raffle_rc_name(rc), "RAFFLE_?") == 0 ? RAFFLE_HOST : rc;
    return rf_fail_as(err, theirs);
}

raffle_rc rf_keys_make(raffle_keys *keys, const char *origin, const char *name, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    raffle_rc rc = enter(keys, origin, name, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = keys->table.make(keys->ctx, origin, name, &theirs);
    return rc == RAFFLE_OK ? RAFFLE_OK : hand_on(rc, &theirs, name, err);
}

/* --- public keys --- */

/* FNV-1a over both. */
static cached *place_of(raffle_keys *keys, const char *origin, const char *name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (const char *c = origin; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    return &keys->cache[hash % CACHE];
}

static bool recall(raffle_keys *keys, const char *origin, const char *name, uint8_t out[32])
{
    pthread_mutex_lock(&keys->lock);
    const cached *place = place_of(keys, origin, name);
    const bool found = strcmp(place->name, name) == 0 && strcmp(place->origin, origin) == 0;
    if (found)
        memcpy(out, place->key, 32);
    pthread_mutex_unlock(&keys->lock);
    return found;
}

static void remember(raffle_keys *keys, const char *origin, const char *name, const uint8_t key[32])
{
    pthread_mutex_lock(&keys->lock);
    cached *place = place_of(keys, origin, name);
    memcpy(place->origin, origin, strlen(origin) + 1);
    memcpy(place->name, name, strlen(name) + 1);
    memcpy(place->key, key, 32);
    pthread_mutex_unlock(&keys->lock);
}

static raffle_rc check_log_name(const char *name, raffle_error *err)
{
    return is_log_name(name) ? RAFFLE_OK : rf_fail(err, RAFFLE_INVALID, "\"%s\" is not the key of a log", name);
}

raffle_rc rf_keys_public_key(raffle_keys *keys, const char *origin, const char *name, uint8_t out[32],
                             raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    uint8_t key[32] = {0};
    raffle_rc rc = enter(keys, origin, name, err);
    if (rc == RAFFLE_OK)
        rc = check_log_name(name, err);
    if (rc != RAFFLE_OK || recall(keys, origin, name, out))
        return rc;
    rc = keys->table.public_key(keys->ctx, origin, name, key, &theirs);
    if (rc != RAFFLE_OK)
        return hand_on(rc, &theirs, name, err);
    /* Zeros, a table that did nothing, are a point of small order. */
    if (crypto_core_ed25519_is_valid_point(key) != 1)
        return rf_fail(err, RAFFLE_KEY, "the public key \"%s\" that the keys gave is no Ed25519 key", name);
    remember(keys, origin, name, key);
    memcpy(out, key, 32);
    return RAFFLE_OK;
}

/* --- what needs the secret: a key that is missing is RAFFLE_KEY now --- */

static raffle_rc missing_is_key(raffle_rc rc)
{
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_KEY : rc;
}

/* A signature that nobody can verify must not reach a log's note. */
raffle_rc rf_keys_sign(raffle_keys *keys, const char *origin, const char *name, const uint8_t *message, size_t length,
                       uint8_t out[64], raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    uint8_t key[32], signature[64] = {0};
    raffle_rc rc = rf_keys_public_key(keys, origin, name, key, &theirs);
    if (rc == RAFFLE_OK)
        rc = keys->table.sign(keys->ctx, origin, name, message, length, signature, &theirs);
    if (rc != RAFFLE_OK)
        return hand_on(missing_is_key(rc), &theirs, name, err);
    if (crypto_sign_verify_detached(signature, message, length, key) != 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the signature that the keys gave for \"%s\" is not its public key's",
                       name);
    memcpy(out, signature, 64);
    return RAFFLE_OK;
}

/* What a table gave as a ticket key: wiped when it is none. */
static raffle_rc check_ticket_key(raffle_rc rc, const char *origin, uint8_t out[32], raffle_error *theirs,
                                  raffle_error *err)
{
    if (rc == RAFFLE_OK && !sodium_is_zero(out, 32))
        return RAFFLE_OK;
    sodium_memzero(out, 32);
    if (rc == RAFFLE_OK)
        return rf_fail(err, RAFFLE_KEY, "the ticket key of %s that the keys gave is all zeros", origin);
    return hand_on(missing_is_key(rc), theirs, "ticket", err);
}

raffle_rc rf_keys_ticket_key(raffle_keys *keys, const char *origin, uint8_t out[32], raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    raffle_rc rc = enter(keys, origin, "ticket", err);
    if (rc != RAFFLE_OK)
        return rc;
    sodium_memzero(out, 32);
    return check_ticket_key(keys->table.ticket_key(keys->ctx, origin, out, &theirs), origin, out, &theirs, err);
}

raffle_rc rf_keys_unit_ticket_key(raffle_keys *keys, const char *origin, uint32_t unit, uint8_t out[32],
                                  raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    raffle_rc rc = enter(keys, origin, "ticket", err);
    if (rc != RAFFLE_OK)
        return rc;
    sodium_memzero(out, 32);
    if (keys->table.unit_ticket_key == NULL)
        return rf_fail(err, RAFFLE_KEY, "the keys hold no ticket key of a single unit");
    return check_ticket_key(keys->table.unit_ticket_key(keys->ctx, origin, unit, out, &theirs), origin, out, &theirs,
                            err);
}

raffle_rc rf_keys_unit_ticket_key_keep(raffle_keys *keys, const char *origin, uint32_t unit, const uint8_t key[32],
                                       raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    raffle_rc rc = enter(keys, origin, "ticket", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (keys->table.unit_ticket_key_keep == NULL)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "the keys keep no ticket key of a single unit");
    rc = keys->table.unit_ticket_key_keep(keys->ctx, origin, unit, key, &theirs);
    return rc == RAFFLE_OK ? RAFFLE_OK : hand_on(rc, &theirs, "ticket", err);
}
