/* SPDX-License-Identifier: Apache-2.0 */
/* What a handle knows of secrets: the ticket key K, or a till's K_u, from the host or the keys, held against what the control log commits to; and the key
 * of order hashes, derived from it. */
#include "open_impl.h"

#include "buyer.h"
#include "error.h"
#include "order.h"
#include "validation.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

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
raffle_rc rf_secrets_load(raffle *r, const uint8_t *expected, uint8_t commitment[32], raffle_error *err)
{
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *k = sodium_malloc(32);
    r->order_key = sodium_malloc(RF_ORDER_KEY_SIZE);
    r->buyer_key = sodium_malloc(RF_BUYER_KEY_SIZE);
    raffle_rc rc = hash == NULL || k == NULL || r->order_key == NULL || r->buyer_key == NULL
                       ? rf_nomem(err)
                       : rf_raffle_ticket_key(r, k, err);
    if (rc != RAFFLE_OK)
        goto out;
    key_commitment(hash, commitment, r->origin, k);
    if (expected != NULL && sodium_memcmp(commitment, expected, 32) != 0)
        rc = rf_fail(err, RAFFLE_KEY, "the ticket key is not the one that raffle.open of %s commits to", r->origin);
    rf_order_key(hash, r->order_key, k, r->origin);
    rf_buyer_key(hash, r->buyer_key, k, r->origin);
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

/* Whether the key of unit `i` + 1 is here. */
static raffle_rc holds_unit(raffle *r, uint32_t i, bool *holds, raffle_error *err)
{
    char name[16];
    rf_vkey vkey;
    uint8_t public_key[32];
    raffle_error why = RAFFLE_ERROR_INIT;
    const rf_unit_row *row = &r->control.unit[i];
    *holds = false;
    if (!row->away || rf_vkey_parse(&vkey, row->key, strlen(row->key), NULL) != RAFFLE_OK)
        return RAFFLE_OK;
    snprintf(name, sizeof name, "unit-%u", i + 1);
    raffle_rc rc = rf_keys_public_key(r->keys, r->origin, name, public_key, &why);
    *holds = rc == RAFFLE_OK && memcmp(public_key, vkey.key, 32) == 0;
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &why);
}

/* The unit that is away and whose key is here. One that was un-enrolled, too: it may have sold what nobody else knows of. */
static raffle_rc find_till(raffle *r, raffle_error *err)
{
    bool holds = false;
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t i = 0; rc == RAFFLE_OK && !holds && i < r->control.units; i++) {
        rc = holds_unit(r, i, &holds, err);
        if (holds)
            r->till = i + 1;
    }
    return rc == RAFFLE_OK && !holds ? rf_fail(err, RAFFLE_KEY, "the keys hold no control key of %s", r->origin) : rc;
}

raffle_rc rf_secrets_open(raffle *r, raffle_error *err)
{
    uint8_t public_key[32], commitment[32];
    raffle_error why = RAFFLE_ERROR_INIT;
    if (r->keys == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_keys_public_key(r->keys, r->origin, "control", public_key, &why);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        return rf_fail_as(err, &why);
    if (rc == RAFFLE_NOT_FOUND) {
        rc = find_till(r, err);
        return rc == RAFFLE_OK ? load_till(r, &r->control.unit[r->till - 1], err) : rc;
    }
    if (memcmp(public_key, r->vkey.key, 32) != 0)
        return rf_fail(err, RAFFLE_KEY, "the control key is not the one that raffle.open of %s names", r->origin);
    return rf_secrets_load(r, r->control.ticket_key, commitment, err);
}

/* A key that is there already is kept: a log may name it. */
raffle_rc rf_raffle_make_key(raffle *r, const char *name, raffle_error *err)
{
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_keys_make(r->keys, r->origin, name, &quiet);
    return rc == RAFFLE_OK || rc == RAFFLE_EXISTS ? RAFFLE_OK : rf_fail_as(err, &quiet);
}

/* A host whose secrets are others, such as a token's PIN, leaves the ticket key to the keys. What else it answers is judged when the key is loaded. */
raffle_rc rf_secrets_host_keeps(const raffle *r, bool *keeps, raffle_error *err)
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
