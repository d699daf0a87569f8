/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC_DRBG with SHA-256, SP 800-90A Rev. 1 section 10.1.2, without hidden reseeding. Prediction resistance (9.3.1, step 7) is the caller's:
 * a reseed that takes the additional input, then a request without. One of the files that GLI examines line by line. */
#ifndef RF_RNG_HMAC_DRBG_H
#define RF_RNG_HMAC_DRBG_H

#include "sha256.h"

enum {
    RF_DRBG_REQUEST_MAX = 65536, /* bytes a Generate call may give: 2^19 bits */
    RF_DRBG_ENTROPY_MIN = 32,    /* bytes of entropy input, security strength 256 */
    RF_DRBG_NONCE_MIN = 16,
    RF_DRBG_INPUT_MAX = 1 << 20 /* our bound on each input string; the standard's is 2^35 bits */
};

/* The working state. Keep it in secure memory; rf_drbg_clear() wipes it. */
typedef struct rf_drbg {
    rf_sha256 *hash; /* borrowed */
    uint8_t key[32], v[32];
    uint64_t reseed_counter;
} rf_drbg;

/* RAFFLE_INVALID: an input is shorter or longer than the limits above. A length of 0 stands for no personalisation or additional input. */
raffle_rc rf_drbg_instantiate(rf_drbg *d, rf_sha256 *hash, const uint8_t *entropy, size_t entropy_length,
                              const uint8_t *nonce, size_t nonce_length, const uint8_t *personalisation,
                              size_t personalisation_length, raffle_error *err);
raffle_rc rf_drbg_reseed(rf_drbg *d, const uint8_t *entropy, size_t entropy_length, const uint8_t *additional,
                         size_t additional_length, raffle_error *err);
/* RAFFLE_INVALID: more than RF_DRBG_REQUEST_MAX bytes. RAFFLE_RNG: 2^48 requests since the last reseed. */
raffle_rc rf_drbg_generate(rf_drbg *d, uint8_t *out, size_t length, const uint8_t *additional, size_t additional_length,
                           raffle_error *err);
void rf_drbg_clear(rf_drbg *d);

#endif
