/* SPDX-License-Identifier: Apache-2.0 */
/* The validation number on a ticket (design section 11; GLI-31 2.3.2): made from the ticket's identity and time under a key, and undone again. One
 * of the files that GLI examines line by line. */
#ifndef RF_RAFFLE_VALIDATION_H
#define RF_RAFFLE_VALIDATION_H

#include "sha256.h"

enum {
    RF_VN_BODY = 24,      /* characters of Crockford's base32 */
    RF_VN_LENGTH = 25,    /* with the check character */
    RF_VN_SIZE = 30,      /* printed 5x5 with hyphens, and a NUL */
    RF_VN_TEXT_MAX = 128, /* bytes of what somebody typed; more are refused */
    RF_VN_TAG = 8,
    RF_VN_SERIAL = 5
};

/* A number that was read: nothing in it is proved yet. */
typedef struct rf_vn {
    uint32_t unit;
    uint8_t tag[RF_VN_TAG];
    uint8_t masked[RF_VN_SERIAL];
} rf_vn;

/* K_u = HMAC-SHA-256(K, "libraffle/vn/unit/v1" || 0 || origin || 0 || u16be(unit)), with the raffle's origin. All zeros when the digest failed. */
void rf_vn_unit_key(rf_sha256 *h, uint8_t ku[32], const uint8_t k[32], const char *origin, uint32_t unit);

/* The printed number. `serial` is below 2^40. Empty when the digest failed (rf_sha256_ok). */
void rf_vn_make(rf_sha256 *h, char out[RF_VN_SIZE], const uint8_t ku[32], uint32_t unit, uint64_t serial, int64_t at);

/* Reads what was typed: drops hyphens and spaces, folds case, and before the check character I and L to 1 and O to 0. RAFFLE_INVALID; the sentence
 * says what is wrong and never what was typed. */
raffle_rc rf_vn_parse(rf_vn *vn, const char *text, size_t length, raffle_error *err);

/* Undoes the mask: the serial that the number claims. */
uint64_t rf_vn_serial(rf_sha256 *h, const rf_vn *vn, const uint8_t ku[32]);

/* Whether it is the number of the ticket `serial`, sold at `at`. Constant time. */
bool rf_vn_check(rf_sha256 *h, const rf_vn *vn, const uint8_t ku[32], uint64_t serial, int64_t at);

/* The check character of ISO 7064 MOD 37,2 over characters 0-9 and A-Z: one of these or '*'. NUL when `text` holds another character. */
char rf_check37(const char *text, size_t length);

#endif
