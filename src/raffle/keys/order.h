/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps of an order key: a keyed hash, so that once the private part is erased nothing in the store tells what the key was.
 * A key that is a UUIDv7 (RFC 9562 section 5.7) keeps its time in front of the hash: the time of the sale is public in the leaf anyway, and
 * neighbours in time stay neighbours in the index, which makes it several times faster.
 */
#ifndef RF_RAFFLE_ORDER_H
#define RF_RAFFLE_ORDER_H

#include "sha256.h"

enum {
    RF_ORDER_KEY_SIZE = 16,
    RF_ORDER_HASH_MAX = 22 /* six bytes of time and sixteen of hash */
};

/* HMAC-SHA-256(K, "libraffle/order/v1" || 0 || origin)[0..16). */
void rf_order_key(rf_sha256 *h, uint8_t out[RF_ORDER_KEY_SIZE], const uint8_t k[32], const char *origin);
/* [u48be(time) of a UUIDv7] || SipHash-2-4-128(order). Returns the length. */
size_t rf_order_hash(uint8_t out[RF_ORDER_HASH_MAX], const uint8_t key[RF_ORDER_KEY_SIZE], const char *order,
                     size_t length);

#endif
