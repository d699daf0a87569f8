/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buyer's tickets, where the rules limit them: each takes a key of the store, a keyed hash of the buyer's tag and the ticket's place among that buyer's,
 * 1, 2, …; so no two processes sell one the same place, and once the private parts are erased nothing in the store tells what the tag was.
 */
#ifndef RF_RAFFLE_BUYER_H
#define RF_RAFFLE_BUYER_H

#include "sha256.h"

enum {
    RF_BUYER_KEY_SIZE = 32,
    RF_BUYER_HASH_SIZE = 16,
    RF_BUYER_ROW_SIZE = 20
};

/* HMAC-SHA-256(K, "libraffle/buyer/v1" || 0 || origin). */
void rf_buyer_key(rf_sha256 *h, uint8_t out[RF_BUYER_KEY_SIZE], const uint8_t k[32], const char *origin);
/* HMAC-SHA-256(key, tag)[0..16). */
void rf_buyer_hash(rf_sha256 *h, uint8_t out[RF_BUYER_HASH_SIZE], const uint8_t key[RF_BUYER_KEY_SIZE], const char *tag,
                   size_t length);
/* hash || u32be(ordinal). */
void rf_buyer_row(uint8_t out[RF_BUYER_ROW_SIZE], const uint8_t hash[RF_BUYER_HASH_SIZE], uint32_t ordinal);

#endif
