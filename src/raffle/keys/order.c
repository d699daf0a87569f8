/* SPDX-License-Identifier: Apache-2.0 */
/* The keyed hash of order keys, by libsodium's SipHash. */
#include "order.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_shorthash_siphashx24_BYTES == 16 && crypto_shorthash_siphashx24_KEYBYTES == RF_ORDER_KEY_SIZE,
               "SipHash-2-4-128");

void rf_order_key(rf_sha256 *h, uint8_t out[RF_ORDER_KEY_SIZE], const uint8_t k[32], const char *origin)
{
    uint8_t mac[32];
    const rf_span spans[] = {{"libraffle/order/v1", 19}, {origin, strlen(origin)}};
    rf_hmac_spans(h, mac, k, 32, spans, 2);
    memcpy(out, mac, RF_ORDER_KEY_SIZE);
    sodium_memzero(mac, sizeof mac);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "tttttttt-tttt-7xxx-xxxx-xxxxxxxxxxxx": the 48 bits of time. */
static int uuid7_time(uint8_t out[6], const char *order, size_t length)
{
    size_t digits = 0;
    if (length != 36 || order[8] != '-' || order[13] != '-' || order[14] != '7' || order[18] != '-' || order[23] != '-')
        return 0;
    for (size_t i = 0; i < 13; i++) {
        if (i == 8)
            continue;
        int d = hex_digit(order[i]);
        if (d < 0)
            return 0;
        out[digits / 2] = (uint8_t)(digits % 2 == 0 ? d << 4 : out[digits / 2] | d);
        digits++;
    }
    return 1;
}

size_t rf_order_hash(uint8_t out[RF_ORDER_HASH_MAX], const uint8_t key[RF_ORDER_KEY_SIZE], const char *order,
                     size_t length)
{
    size_t n = uuid7_time(out, order, length) ? 6 : 0;
    crypto_shorthash_siphashx24(out + n, (const uint8_t *)order, length, key);
    return n + 16;
}
