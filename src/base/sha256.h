/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC-SHA-256 over OpenSSL, with the digest fetched once and contexts that are reused: the one-shot calls of
 * OpenSSL 3 cost three times as much for short inputs. A context belongs to one thread at a time. */
#ifndef RF_BASE_SHA256_H
#define RF_BASE_SHA256_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rf_sha256 rf_sha256;

/* NULL when memory or the digest is not to be had. */
rf_sha256 *rf_sha256_new(void);
void rf_sha256_free(rf_sha256 *h);

/* A run of bytes. */
typedef struct rf_span {
    const void *data;
    size_t length;
} rf_span;

/* False once a digest failed, which only an OpenSSL provider that stops itself brings about (a FIPS module in its error
 * state): what was computed then is all zeros. Whoever draws randomness from an HMAC must ask; a verifier need not. */
bool rf_sha256_ok(const rf_sha256 *h);

/* SHA-256 of the spans, one after the other. */
void rf_sha256_spans(rf_sha256 *h, uint8_t out[32], const rf_span *spans, size_t n);
void rf_sha256_of(rf_sha256 *h, uint8_t out[32], const void *data, size_t length);

/* SHA-256 of what comes piece by piece, over an object that does nothing else. */
void rf_sha256_add(rf_sha256 *h, const void *data, size_t length);
/* Of all that was added; more may follow. */
void rf_sha256_so_far(rf_sha256 *h, uint8_t out[32]);

/* HMAC-SHA-256 (RFC 2104) of the spans under a key of any length. The key block is wiped. */
void rf_hmac_spans(rf_sha256 *h, uint8_t out[32], const uint8_t *key, size_t key_length, const rf_span *spans,
                   size_t n);

#endif
