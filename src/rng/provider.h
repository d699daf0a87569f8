/* SPDX-License-Identifier: Apache-2.0 */
/* A handle over a provider of randomness: its name, its table, and what a seed of a draw must pass (design section 9, step 2). */
#ifndef RF_RNG_PROVIDER_H
#define RF_RNG_PROVIDER_H

#include "select.h"
#include <raffle/ext/rng.h>
#include <raffle/rng.h>

enum {
    RF_RNG_CALL_MAX = 1024 /* bytes that a provider is asked for at once */
};

/* A handle under any name, the built-in ones too. `ctx` is the handle's on RAFFLE_OK only. */
raffle_rc rf_rng_make(const char *name, const raffle_rng_table *table, void *ctx, raffle_rng **out, raffle_error *err);

/* The built-in providers, by what follows their scheme in the URI. */
raffle_rc rf_rng_system(const char *parameters, raffle_rng **out, raffle_error *err);
raffle_rc rf_rng_test(const char *parameters, raffle_rng **out, raffle_error *err);
raffle_rc rf_rng_kms(const char *parameters, const raffle_host *host, raffle_rng **out, raffle_error *err);
/* By the whole URI; in builds with p11-kit only. */
raffle_rc rf_rng_pkcs11(const char *uri, const raffle_host *host, raffle_rng **out, raffle_error *err);

/* The seed E of a draw. RAFFLE_RNG_UNHEALTHY: a health test failed, now or before, or one of its three blocks of 16 bytes repeats.
 * RAFFLE_RNG_SEED: it is the last seed of this handle again. `seed` is zeroed on failure. `evidence`: by what the provider's own records know the call, or "". */
raffle_rc rf_rng_seed(raffle_rng *rng, uint8_t seed[RF_SEED_SIZE], char evidence[RAFFLE_NAME_SIZE], int32_t timeout_ms,
                      raffle_error *err);

/* Whether a health test failed: then every call on the handle gives RAFFLE_RNG_UNHEALTHY, and only a new handle begins afresh. */
bool rf_rng_unhealthy(raffle_rng *rng);

static inline const char *rf_rng_name(const raffle_rng *rng)
{
    return raffle_rng_name(rng);
}

/* 1 for the deterministic provider, which only a rehearsal may use. */
uint8_t rf_rng_is_test(const raffle_rng *rng);

/* One more reference, to be released by raffle_rng_free(). */
raffle_rng *rf_rng_ref(raffle_rng *rng);

#endif
