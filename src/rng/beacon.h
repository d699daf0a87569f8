/* SPDX-License-Identifier: Apache-2.0 */
/* What a committed draw takes from the beacon (docs/spec/draw.md): the check of a round by the host's hook, and the seed that stands in for a lost one. */
#ifndef RF_RNG_BEACON_H
#define RF_RNG_BEACON_H

#include "select.h"
#include <raffle/beacon.h>

enum {
    RF_BEACON_FALLBACK_ROUNDS = 28800 /* 24 hours: how much later the round is that a lost seed is made from */
};

/* Calls the hook. RAFFLE_UNSUPPORTED: there is none. RAFFLE_SIGNATURE: the value is not the round's. RAFFLE_HOST: the hook failed. */
raffle_rc rf_beacon_check(raffle_beacon_verify verify, void *ctx, uint64_t round, const uint8_t value[RF_BEACON_SIZE],
                          raffle_error *err);

/* SHA-384("libraffle/fallback/v1" || 0 || C || B'). RAFFLE_RNG: the cryptographic library failed. */
raffle_rc rf_beacon_fallback(uint8_t seed[RF_SEED_SIZE], const uint8_t c[32], const uint8_t beacon[RF_BEACON_SIZE],
                             raffle_error *err);

#endif
