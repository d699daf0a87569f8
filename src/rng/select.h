/* SPDX-License-Identifier: Apache-2.0 */
/* The selection of a draw (docs/spec/draw.md): words from the DRBG, below(n) by exact rejection, and a Fisher-Yates shuffle from the front,
 * kept sparse. One of the files that GLI examines line by line. */
#ifndef RF_RNG_SELECT_H
#define RF_RNG_SELECT_H

#include "hmac_drbg.h"
#include <stdbool.h>

enum {
    RF_SEED_SIZE = 48, /* E: 32 bytes of entropy input and 16 of nonce */
    RF_BEACON_SIZE = 48,
    RF_REJECT_MAX = 256 /* words rejected one after the other before the generator is called broken: below 2^-256 */
};

typedef struct rf_select rf_select; /* in secure memory */

/* C = SHA-256("libraffle/draw/v1" || 0 || origin || 0 || u64be(intent) || root). */
void rf_draw_commitment(rf_sha256 *h, uint8_t c[32], const char *origin, uint64_t intent, const uint8_t root[32]);
/* SHA-256("libraffle/seed/v1" || 0 || E): what the intent of a committed draw carries. */
void rf_seed_commitment(rf_sha256 *h, uint8_t out[32], const uint8_t seed[RF_SEED_SIZE]);

/* A selection among 0 … n - 1 (n >= 1) from the seed E, the commitment C and the beacon value B (0 or RF_BEACON_SIZE bytes):
 * the DRBG's personalisation is SHA-256(C || B). `h` is borrowed: it must outlive the selection. */
raffle_rc rf_select_new(rf_sha256 *h, const uint8_t seed[RF_SEED_SIZE], const uint8_t c[32], const uint8_t *beacon,
                        size_t beacon_length, uint64_t n, rf_select **out, raffle_error *err);
/* The same over a DRBG that is instantiated already and is copied: for rf_rng_pick and tests. */
raffle_rc rf_select_over(const rf_drbg *drbg, uint64_t n, rf_select **out, raffle_error *err);
/* Begins another permutation, of 0 … n - 1 (n >= 1), in the memory that `s` has: over another DRBG, which is copied, or with the words
 * that follow when it is NULL. */
void rf_select_again(rf_select *s, const rf_drbg *drbg, uint64_t n);
/* The next element of the permutation; RAFFLE_NOT_FOUND after n of them. RAFFLE_NOMEM, RAFFLE_RNG. */
raffle_rc rf_select_next(rf_select *s, uint64_t *out, raffle_error *err);
/* How many words were rejected so far. */
uint64_t rf_select_rejected(const rf_select *s);
void rf_select_free(rf_select *s);

/* The next 64-bit word, and below(n): exposed for the vectors and the exhaustive tests. */
raffle_rc rf_select_word(rf_select *s, uint64_t *out, raffle_error *err);
raffle_rc rf_select_below(rf_select *s, uint64_t n, uint64_t *out, raffle_error *err);
/* The mapping alone, for words of `bits` bits (1 to 64): true and the value when `x` is accepted. */
bool rf_below_accept(uint64_t x, unsigned bits, uint64_t n, uint64_t *out);

#endif
