/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC_DRBG with SHA-256, step by step as in SP 800-90A Rev. 1 section 10.1.2. */
#include "hmac_drbg.h"

#include "error.h"
#include <sodium.h>
#include <string.h>

enum {
    BLOCK = 32,   /* outlen */
    SPANS_MAX = 3 /* strings that are fed to one update */
};
#define REQUESTS_MAX (UINT64_C(1) << 48) /* between reseeds, SP 800-90A table 2 */

/* V = HMAC(K, V). HMAC writes its output after the last look at its inputs, so that it may replace one of them. */
static void next_block(rf_drbg *d)
{
    rf_hmac_spans(d->hash, d->v, d->key, BLOCK, &(rf_span){d->v, BLOCK}, 1);
}

/* K = HMAC(K, V || tag || data), V = HMAC(K, V). */
static void mix(rf_drbg *d, uint8_t tag, const rf_span *data, size_t n)
{
    rf_span spans[2 + SPANS_MAX] = {{d->v, BLOCK}, {&tag, 1}};
    memcpy(spans + 2, data, n * sizeof *data);
    rf_hmac_spans(d->hash, d->key, d->key, BLOCK, spans, 2 + n);
    next_block(d);
}

/* HMAC_DRBG_Update, section 10.1.2.2. */
static void update(rf_drbg *d, const rf_span *data, size_t n)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        length += data[i].length;
    mix(d, 0x00, data, n);
    if (length > 0)
        mix(d, 0x01, data, n);
}

static raffle_rc check_input(const char *name, size_t length, size_t least, raffle_error *err)
{
    if (length < least)
        return rf_fail(err, RAFFLE_INVALID, "HMAC_DRBG: the %s has %zu bytes, fewer than %zu", name, length, least);
    if (length > RF_DRBG_INPUT_MAX)
        return rf_fail(err, RAFFLE_INVALID, "HMAC_DRBG: the %s has %zu bytes, more than %d", name, length,
                       RF_DRBG_INPUT_MAX);
    return RAFFLE_OK;
}

/* A counter of 0 is a state that was cleared, or never made. */
static raffle_rc check_state(const rf_drbg *d, raffle_error *err)
{
    if (d->reseed_counter == 0)
        return rf_fail(err, RAFFLE_RNG, "HMAC_DRBG: it is not instantiated, or failed before");
    return RAFFLE_OK;
}

/* A digest that failed leaves zeros behind it: nothing of such a state may be used. */
static raffle_rc check_hash(rf_drbg *d, raffle_error *err)
{
    if (rf_sha256_ok(d->hash))
        return RAFFLE_OK;
    rf_drbg_clear(d);
    return rf_fail(err, RAFFLE_RNG, "HMAC_DRBG: SHA-256 failed in the cryptographic library");
}

raffle_rc rf_drbg_instantiate(rf_drbg *d, rf_sha256 *hash, const uint8_t *entropy, size_t entropy_length,
                              const uint8_t *nonce, size_t nonce_length, const uint8_t *personalisation,
                              size_t personalisation_length, raffle_error *err)
{
    raffle_rc rc = check_input("entropy input", entropy_length, RF_DRBG_ENTROPY_MIN, err);
    if (rc == RAFFLE_OK)
        rc = check_input("nonce", nonce_length, RF_DRBG_NONCE_MIN, err);
    if (rc == RAFFLE_OK)
        rc = check_input("personalisation", personalisation_length, 0, err);
    if (rc != RAFFLE_OK)
        return rc;

    /* Section 10.1.2.3. */
    const rf_span seed[] = {
        {entropy, entropy_length}, {nonce, nonce_length}, {personalisation, personalisation_length}};
    d->hash = hash;
    memset(d->key, 0x00, BLOCK);
    memset(d->v, 0x01, BLOCK);
    update(d, seed, 3);
    d->reseed_counter = 1;
    return check_hash(d, err);
}

raffle_rc rf_drbg_reseed(rf_drbg *d, const uint8_t *entropy, size_t entropy_length, const uint8_t *additional,
                         size_t additional_length, raffle_error *err)
{
    raffle_rc rc = check_state(d, err);
    if (rc == RAFFLE_OK)
        rc = check_input("entropy input", entropy_length, RF_DRBG_ENTROPY_MIN, err);
    if (rc == RAFFLE_OK)
        rc = check_input("additional input", additional_length, 0, err);
    if (rc != RAFFLE_OK)
        return rc;

    /* Section 10.1.2.4. */
    const rf_span seed[] = {{entropy, entropy_length}, {additional, additional_length}};
    update(d, seed, 2);
    d->reseed_counter = 1;
    return check_hash(d, err);
}

static raffle_rc check_request(const rf_drbg *d, size_t length, size_t additional_length, raffle_error *err)
{
    if (length > RF_DRBG_REQUEST_MAX)
        return rf_fail(err, RAFFLE_INVALID, "HMAC_DRBG: %zu bytes are asked for at once, more than %d", length,
                       RF_DRBG_REQUEST_MAX);
    if (d->reseed_counter > REQUESTS_MAX)
        return rf_fail(err, RAFFLE_RNG, "HMAC_DRBG: 2^48 requests since it was seeded");
    return check_input("additional input", additional_length, 0, err);
}

/* Section 10.1.2.5, without its step 1. */
static void generate(rf_drbg *d, uint8_t *out, size_t length, const rf_span *additional)
{
    if (additional->length > 0)
        update(d, additional, 1);
    for (size_t done = 0; done < length;) {
        size_t part = length - done < BLOCK ? length - done : BLOCK;
        next_block(d);
        memcpy(out + done, d->v, part);
        done += part;
    }
    update(d, additional, 1);
    d->reseed_counter++;
}

raffle_rc rf_drbg_generate(rf_drbg *d, uint8_t *out, size_t length, const uint8_t *additional, size_t additional_length,
                           raffle_error *err)
{
    raffle_rc rc = check_state(d, err);
    if (rc == RAFFLE_OK)
        rc = check_request(d, length, additional_length, err);
    if (rc == RAFFLE_OK) {
        generate(d, out, length, &(rf_span){additional, additional_length});
        rc = check_hash(d, err);
    }
    if (rc != RAFFLE_OK && length > 0)
        sodium_memzero(out, length);
    return rc;
}

void rf_drbg_clear(rf_drbg *d)
{
    sodium_memzero(d, sizeof *d);
}
