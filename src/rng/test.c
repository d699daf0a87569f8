/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `test:seed=HEX`, for rehearsals: a stream of bytes that the seed determines. Builds for certification leave it out. */
#include "provider.h"

#include "bytes.h"
#include "error.h"

#ifdef RAFFLE_WITH_TEST_RNG
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEED_MAX = 64,
    BLOCK = 64 /* bytes of one Generate call */
};

/* In secure memory. */
typedef struct test_rng {
    pthread_mutex_t lock;
    rf_sha256 *hash;
    rf_drbg drbg;
    uint8_t block[BLOCK];
    size_t left; /* bytes of `block` that were not handed out yet: how the stream is cut up makes no difference */
} test_rng;

static raffle_rc fill_locked(test_rng *t, uint8_t *out, size_t length, size_t *filled, raffle_error *err)
{
    while (*filled < length) {
        if (t->left == 0) {
            raffle_rc rc = rf_drbg_generate(&t->drbg, t->block, BLOCK, NULL, 0, err);
            if (rc != RAFFLE_OK)
                return rc;
            t->left = BLOCK;
        }
        size_t part = length - *filled < t->left ? length - *filled : t->left;
        memcpy(out + *filled, t->block + BLOCK - t->left, part);
        t->left -= part;
        *filled += part;
    }
    return RAFFLE_OK;
}

static raffle_rc fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err)
{
    (void)evidence;
    (void)timeout_ms;
    test_rng *t = ctx;
    pthread_mutex_lock(&t->lock);
    raffle_rc rc = fill_locked(t, out, length, filled, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static void release(void *ctx)
{
    test_rng *t = ctx;
    pthread_mutex_destroy(&t->lock);
    rf_sha256_free(t->hash);
    sodium_free(t); /* wipes it */
}

/* The entropy input is SHA-256 of the seed, the nonce 16 zero bytes, the personalisation "libraffle/test/v1". */
static raffle_rc instantiate(test_rng *t, const uint8_t *seed, size_t length, raffle_error *err)
{
    static const char label[] = "libraffle/test/v1";
    static const uint8_t nonce[RF_DRBG_NONCE_MIN];
    uint8_t entropy[32];
    rf_sha256_of(t->hash, entropy, seed, length);
    return rf_drbg_instantiate(&t->drbg, t->hash, entropy, sizeof entropy, nonce, sizeof nonce, (const uint8_t *)label,
                               sizeof label - 1, err);
}

static raffle_rc parse(const char *parameters, uint8_t seed[SEED_MAX], size_t *length, raffle_error *err)
{
    static const char key[] = "seed=";
    if (strncmp(parameters, key, sizeof key - 1) != 0)
        return rf_fail(err, RAFFLE_INVALID, "\"test:\" is not followed by \"seed=\"");
    const char *hex = parameters + sizeof key - 1;
    size_t digits = strlen(hex);
    if (digits == 0 || digits > 2 * SEED_MAX || !rf_hex_decode(seed, digits / 2, hex, digits))
        return rf_fail(err, RAFFLE_INVALID, "the seed of \"test:\" is not 1 to %d bytes in lower-case hex", SEED_MAX);
    *length = digits / 2;
    return RAFFLE_OK;
}

static test_rng *make(void)
{
    test_rng *t = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *t);
    if (t == NULL)
        return NULL;
    memset(t, 0, sizeof *t);
    t->hash = rf_sha256_new();
    if (t->hash == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
        rf_sha256_free(t->hash);
        sodium_free(t);
        return NULL;
    }
    return t;
}

raffle_rc rf_rng_test(const char *parameters, raffle_rng **out, raffle_error *err)
{
    uint8_t seed[SEED_MAX];
    size_t length = 0;
    raffle_rc rc = parse(parameters, seed, &length, err);
    if (rc != RAFFLE_OK)
        return rc;
    test_rng *t = make();
    if (t == NULL)
        return rf_nomem(err);
    rc = instantiate(t, seed, length, err);
    if (rc == RAFFLE_OK) {
        const raffle_rng_table table = {.struct_size = sizeof table, .fill = fill, .free = release};
        rc = rf_rng_make("test", &table, t, out, err);
    }
    if (rc != RAFFLE_OK)
        release(t);
    return rc;
}

#else

raffle_rc rf_rng_test(const char *parameters, raffle_rng **out, raffle_error *err)
{
    (void)parameters;
    (void)out;
    return rf_fail(err, RAFFLE_UNSUPPORTED, "the provider \"test:\" is not in this build");
}

#endif
