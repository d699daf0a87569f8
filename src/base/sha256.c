/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC-SHA-256: one fetched digest and one context for an object's whole life. */
#include "sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 64,
    DIGEST = 32
};

struct rf_sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx, *copy; /* copy: for what was added so far */
    bool failed;
};

rf_sha256 *rf_sha256_new(void)
{
    rf_sha256 *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->ctx = EVP_MD_CTX_new();
    h->copy = EVP_MD_CTX_new();
    if (h->md == NULL || h->ctx == NULL || h->copy == NULL || EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1) {
        rf_sha256_free(h);
        return NULL;
    }
    return h;
}

void rf_sha256_free(rf_sha256 *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->copy);
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

bool rf_sha256_ok(const rf_sha256 *h)
{
    return !h->failed;
}

static bool update_all(rf_sha256 *h, const rf_span *spans, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (spans[i].length > 0 && EVP_DigestUpdate(h->ctx, spans[i].data, spans[i].length) != 1)
            return false;
    }
    return true;
}

/* SHA-256 of head || spans. The head may be empty. */
static void digest(rf_sha256 *h, uint8_t out[DIGEST], rf_span head, const rf_span *spans, size_t n)
{
    if (EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1 && update_all(h, &head, 1) && update_all(h, spans, n) &&
        EVP_DigestFinal_ex(h->ctx, out, NULL) == 1)
        return;
    /* Only a provider that stopped itself (a FIPS module in its error state) gets here. */
    h->failed = true;
    memset(out, 0, DIGEST);
}

void rf_sha256_spans(rf_sha256 *h, uint8_t out[32], const rf_span *spans, size_t n)
{
    digest(h, out, (rf_span){NULL, 0}, spans, n);
}

void rf_sha256_of(rf_sha256 *h, uint8_t out[32], const void *data, size_t length)
{
    digest(h, out, (rf_span){data, length}, NULL, 0);
}

void rf_sha256_add(rf_sha256 *h, const void *data, size_t length)
{
    h->failed |= length > 0 && EVP_DigestUpdate(h->ctx, data, length) != 1;
}

void rf_sha256_so_far(rf_sha256 *h, uint8_t out[32])
{
    h->failed |= EVP_MD_CTX_copy_ex(h->copy, h->ctx) != 1 || EVP_DigestFinal_ex(h->copy, out, NULL) != 1;
    if (h->failed)
        memset(out, 0, DIGEST);
}

void rf_hmac_spans(rf_sha256 *h, uint8_t out[32], const uint8_t *key, size_t key_length, const rf_span *spans, size_t n)
{
    uint8_t block[BLOCK] = {0}, inner[DIGEST];
    if (key_length > BLOCK)
        rf_sha256_of(h, block, key, key_length);
    else if (key_length > 0)
        memcpy(block, key, key_length);

    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36;
    digest(h, inner, (rf_span){block, BLOCK}, spans, n);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    digest(h, out, (rf_span){block, BLOCK}, &(rf_span){inner, DIGEST}, 1);

    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(inner, sizeof inner);
}
