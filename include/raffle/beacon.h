/* SPDX-License-Identifier: Apache-2.0 */
/* The public beacon of committed draws, drand's quicknet: a round every three seconds, whose value nobody knows before its time. */
#ifndef RAFFLE_BEACON_H
#define RAFFLE_BEACON_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_BEACON_SIZE = 48 /* bytes of a round's value: a compressed BLS12-381 signature in G1 */
};

/* The first round whose time is at or after `at` (milliseconds, UTC); and a round's time, -1 for round 0 or one beyond the year 9999. */
RAFFLE_API uint64_t raffle_beacon_round(int64_t at);
RAFFLE_API int64_t raffle_beacon_time(uint64_t round);

/* Reads what drand's servers publish of a round, JSON with `round`, `signature` and, optionally, `randomness`, which must be the SHA-256 of the
 * signature. Nothing is verified beyond that: see raffle_beacon_verify. At most 4,096 bytes. RAFFLE_INVALID names the member at fault; RAFFLE_MISMATCH:
 * the randomness is not that of the signature. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_beacon_parse(const char *json, size_t length, uint64_t *round,
                                                          uint8_t value[RAFFLE_BEACON_SIZE], raffle_error *err);

/* A host's verification of a round's value: the BLS signature under quicknet's public key, over SHA-256(u64be(round)). RAFFLE_OK: it is good;
 * RAFFLE_SIGNATURE: it is not; anything else: it could not be found out. examples/beacon/ holds two. */
typedef raffle_rc (*raffle_beacon_verify)(void *ctx, uint64_t round, const uint8_t value[RAFFLE_BEACON_SIZE],
                                          raffle_error *err);

RAFFLE_END

#endif
