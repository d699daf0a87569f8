/* SPDX-License-Identifier: Apache-2.0 */
/* The selection of a draw: commitments, words, below(n) and the permutation (design section 9, steps 4 to 8). */
#include "select.h"

#include "bytes.h"
#include "error.h"
#include "shuffle.h"
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum {
    WORD = 8,
    WORDS_SIZE = 64 /* bytes of one Generate call: eight words */
};

struct rf_select {
    rf_drbg drbg;
    uint8_t words[WORDS_SIZE];
    size_t left; /* bytes of `words` that are not used yet */
    uint64_t rejected;
    bool broken; /* too many words rejected in a row: nothing comes any more */
    rf_shuffle shuffle;
};

void rf_draw_commitment(rf_sha256 *h, uint8_t c[32], const char *origin, uint64_t intent, const uint8_t root[32])
{
    static const char label[] = "libraffle/draw/v1"; /* hashed with its NUL, as is the origin */
    uint8_t index[8];
    rf_put_be(index, intent, sizeof index);
    const rf_span spans[] = {{label, sizeof label}, {origin, strlen(origin) + 1}, {index, sizeof index}, {root, 32}};
    rf_sha256_spans(h, c, spans, 4);
}

void rf_seed_commitment(rf_sha256 *h, uint8_t out[32], const uint8_t seed[RF_SEED_SIZE])
{
    static const char label[] = "libraffle/seed/v1"; /* hashed with its NUL */
    const rf_span spans[] = {{label, sizeof label}, {seed, RF_SEED_SIZE}};
    rf_sha256_spans(h, out, spans, 2);
}

static raffle_rc make(uint64_t n, rf_select **out, raffle_error *err)
{
    if (n == 0)
        return rf_fail(err, RAFFLE_INVALID, "there are 0 numbers to select from");
    if (sodium_init() < 0)
        return rf_fail(err, RAFFLE_RNG, "libsodium cannot be initialised");
    rf_select *s = sodium_malloc(sizeof *s);
    if (s == NULL)
        return rf_nomem(err);
    memset(s, 0, sizeof *s);
    rf_shuffle_init(&s->shuffle, n);
    *out = s;
    return RAFFLE_OK;
}

/* SHA-256(C || B) is the personalisation. */
static raffle_rc instantiate(rf_select *s, rf_sha256 *h, const uint8_t seed[RF_SEED_SIZE], const uint8_t c[32],
                             const uint8_t *beacon, size_t beacon_length, raffle_error *err)
{
    uint8_t personalisation[32];
    const rf_span spans[] = {{c, 32}, {beacon, beacon_length}};
    rf_sha256_spans(h, personalisation, spans, 2);
    return rf_drbg_instantiate(&s->drbg, h, seed, RF_DRBG_ENTROPY_MIN, seed + RF_DRBG_ENTROPY_MIN, RF_DRBG_NONCE_MIN,
                               personalisation, sizeof personalisation, err);
}

raffle_rc rf_select_new(rf_sha256 *h, const uint8_t seed[RF_SEED_SIZE], const uint8_t c[32], const uint8_t *beacon,
                        size_t beacon_length, uint64_t n, rf_select **out, raffle_error *err)
{
    if (beacon_length != 0 && beacon_length != RF_BEACON_SIZE)
        return rf_fail(err, RAFFLE_INVALID, "the beacon value has %zu bytes, not 0 or %d", beacon_length,
                       RF_BEACON_SIZE);
    rf_select *s = NULL;
    raffle_rc rc = make(n, &s, err);
    if (rc == RAFFLE_OK)
        rc = instantiate(s, h, seed, c, beacon, beacon_length, err);
    if (rc != RAFFLE_OK) {
        rf_select_free(s);
        return rc;
    }
    *out = s;
    return RAFFLE_OK;
}

raffle_rc rf_select_over(const rf_drbg *drbg, uint64_t n, rf_select **out, raffle_error *err)
{
    rf_select *s = NULL;
    raffle_rc rc = make(n, &s, err);
    if (rc != RAFFLE_OK)
        return rc;
    s->drbg = *drbg;
    *out = s;
    return RAFFLE_OK;
}

void rf_select_again(rf_select *s, const rf_drbg *drbg, uint64_t n)
{
    rf_shuffle_clear(&s->shuffle);
    rf_shuffle_init(&s->shuffle, n);
    if (drbg == NULL)
        return;
    s->drbg = *drbg;
    sodium_memzero(s->words, sizeof s->words);
    s->left = 0;
    s->rejected = 0;
    s->broken = false;
}

void rf_select_free(rf_select *s)
{
    if (s == NULL)
        return;
    rf_shuffle_clear(&s->shuffle);
    sodium_free(s); /* wipes it */
}

uint64_t rf_select_rejected(const rf_select *s)
{
    return s->rejected;
}

raffle_rc rf_select_word(rf_select *s, uint64_t *out, raffle_error *err)
{
    if (s->left == 0) {
        raffle_rc rc = rf_drbg_generate(&s->drbg, s->words, WORDS_SIZE, NULL, 0, err);
        if (rc != RAFFLE_OK)
            return rc;
        s->left = WORDS_SIZE;
    }
    *out = rf_get_be(s->words + WORDS_SIZE - s->left, WORD);
    s->left -= WORD;
    return RAFFLE_OK;
}

/* Accepts x below 2^bits - (2^bits mod n): the largest multiple of n that the words reach, so that each remainder has equally many words. */
bool rf_below_accept(uint64_t x, unsigned bits, uint64_t n, uint64_t *out)
{
    const uint64_t last = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1; /* 2^bits - 1 */
    if (n == 0 || n - 1 > last || x > last)
        return false;
    const uint64_t excess = (last % n + 1) % n; /* 2^bits mod n */
    if (x > last - excess)
        return false;
    *out = x % n;
    return true;
}

raffle_rc rf_select_below(rf_select *s, uint64_t n, uint64_t *out, raffle_error *err)
{
    if (n == 0)
        return rf_fail(err, RAFFLE_INVALID, "there is no number below 0");
    for (int i = 0; i < RF_REJECT_MAX && !s->broken; i++) {
        uint64_t word;
        raffle_rc rc = rf_select_word(s, &word, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (rf_below_accept(word, 64, n, out))
            return RAFFLE_OK;
        s->rejected++;
    }
    s->broken = true;
    return rf_fail(err, RAFFLE_RNG, "%d words in a row were rejected for numbers below %" PRIu64, RF_REJECT_MAX, n);
}

raffle_rc rf_select_next(rf_select *s, uint64_t *out, raffle_error *err)
{
    const uint64_t i = s->shuffle.taken;
    if (i == s->shuffle.n)
        return rf_fail(err, RAFFLE_NOT_FOUND, "all %" PRIu64 " numbers have been selected", i);
    /* Memory comes before the word: a call that is made again after RAFFLE_NOMEM must not have used one up. */
    if (!rf_shuffle_reserve(&s->shuffle))
        return rf_nomem(err);
    uint64_t step;
    raffle_rc rc = rf_select_below(s, s->shuffle.n - i, &step, err);
    if (rc != RAFFLE_OK)
        return rc;
    *out = rf_shuffle_take(&s->shuffle, i + step);
    return RAFFLE_OK;
}
