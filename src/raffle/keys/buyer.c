/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a buyer's tickets. */
#include "buyer.h"

#include "bytes.h"
#include <sodium.h>
#include <string.h>

void rf_buyer_key(rf_sha256 *h, uint8_t out[RF_BUYER_KEY_SIZE], const uint8_t k[32], const char *origin)
{
    const rf_span spans[] = {{"libraffle/buyer/v1", 19}, {origin, strlen(origin)}};
    rf_hmac_spans(h, out, k, 32, spans, 2);
}

void rf_buyer_hash(rf_sha256 *h, uint8_t out[RF_BUYER_HASH_SIZE], const uint8_t key[RF_BUYER_KEY_SIZE], const char *tag,
                   size_t length)
{
    uint8_t mac[32];
    const rf_span spans[] = {{tag, length}};
    rf_hmac_spans(h, mac, key, RF_BUYER_KEY_SIZE, spans, 1);
    memcpy(out, mac, RF_BUYER_HASH_SIZE);
    sodium_memzero(mac, sizeof mac);
}

void rf_buyer_row(uint8_t out[RF_BUYER_ROW_SIZE], const uint8_t hash[RF_BUYER_HASH_SIZE], uint32_t ordinal)
{
    memcpy(out, hash, RF_BUYER_HASH_SIZE);
    rf_put_be(out + RF_BUYER_HASH_SIZE, ordinal, 4);
}
