/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges (GLI-31 6.1.4: a unit authenticates itself anew before it uploads): made without being remembered, signed by the control key, and
 * read on both sides. */
#include "till_impl.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <stdio.h>
#include <string.h>

static const char magic[] = "libraffle/challenge/v1";

enum {
    FIELDS = 8,       /* magic origin unit size root issued nonce signature */
    AHEAD_MS = 60000, /* clocks of two processes may differ by so much */
    NONCE = 16
};

/* --- reading --- */

static bool split(const char *text, rf_span field[FIELDS])
{
    size_t n = 0;
    for (const char *at = text; n < FIELDS; at++) {
        const size_t length = strcspn(at, " ");
        field[n++] = (rf_span){at, length};
        at += length;
        if (*at == '\0')
            return n == FIELDS;
    }
    return false;
}

static bool read_fields(rf_challenge *c, const rf_span field[FIELDS], const char *text)
{
    uint64_t unit, issued;
    uint8_t nonce[NONCE];
    size_t n = 0;
    if (field[0].length != sizeof magic - 1 || memcmp(field[0].data, magic, sizeof magic - 1) != 0 ||
        !rf_origin_valid(field[1].data, field[1].length))
        return false;
    memcpy(c->origin, field[1].data, field[1].length);
    c->origin[field[1].length] = '\0';
    c->signed_length = (size_t)((const char *)field[7].data - 1 - text);
    if (!rf_decimal_parse(field[2].data, field[2].length, RAFFLE_UNIT_MAX, &unit) ||
        !rf_decimal_parse(field[3].data, field[3].length, (uint64_t)RF_JSON_INT_MAX, &c->size) ||
        !rf_hex_decode(c->root, 32, field[4].data, field[4].length) ||
        !rf_decimal_parse(field[5].data, field[5].length, RF_TIME_MAX, &issued) ||
        !rf_hex_decode(nonce, NONCE, field[6].data, field[6].length) ||
        !rf_base64_decode(c->signature, sizeof c->signature, &n, field[7].data, field[7].length) || n != 64)
        return false;
    c->unit = (uint32_t)unit;
    c->issued = (int64_t)issued;
    return true;
}

static raffle_rc read_challenge(rf_challenge *c, const char *text, raffle_error *err)
{
    rf_span field[FIELDS];
    if (strnlen(text, RAFFLE_CHALLENGE_SIZE) < RAFFLE_CHALLENGE_SIZE && split(text, field) &&
        read_fields(c, field, text))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_INVALID, "this is no challenge of a raffle");
}

/* Signed, because a till that is told of records which it has not stops for good: nobody else may tell it. A line without a newline is no note. */
raffle_rc rf_challenge_verify(const raffle *r, uint32_t unit, const char *text, rf_challenge *c, raffle_error *err)
{
    raffle_rc rc = read_challenge(c, text, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(c->origin, r->origin) != 0 || c->unit != unit)
        return rf_fail(err, RAFFLE_MISMATCH, "the challenge is for unit %u of %s", c->unit, c->origin);
    if (crypto_sign_verify_detached(c->signature, (const uint8_t *)text, c->signed_length, r->vkey.key) != 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the challenge is none that this raffle gave");
    return RAFFLE_OK;
}

raffle_rc rf_challenge_fresh(raffle *r, const rf_challenge *c, raffle_error *err)
{
    int64_t now;
    raffle_rc rc = rf_clock_read(r, &now, err);
    if (rc == RAFFLE_OK && (now - c->issued > RAFFLE_CHALLENGE_LIFE_MS || c->issued - now > AHEAD_MS))
        rc = rf_fail(err, RAFFLE_SEQUENCE, "the challenge is %lld s old, and no longer fresh: ask for another one",
                     (long long)(now - c->issued) / 1000);
    return rc;
}

raffle_rc rf_challenge_make(raffle *r, uint32_t unit, uint64_t size, const uint8_t root[32], char *out,
                            raffle_error *err)
{
    char text[RAFFLE_CHALLENGE_SIZE] = "", root_digits[65] = "", nonce_digits[2 * NONCE + 1] = "",
         signature_text[96] = "";
    uint8_t nonce[NONCE], signature[64];
    int64_t now;
    raffle_rc rc = rf_clock_read(r, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    randombytes_buf(nonce, sizeof nonce);
    rf_hex_encode(root_digits, root, 32);
    rf_hex_encode(nonce_digits, nonce, NONCE);
    const int n = snprintf(text, sizeof text, "%s %s %u %llu %s %lld %s", magic, r->origin, unit,
                           (unsigned long long)size, root_digits, (long long)now, nonce_digits);
    rc = rf_keys_sign(r->keys, r->origin, "control", (const uint8_t *)text, (size_t)n, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_base64_encode(signature_text, signature, sizeof signature);
    (void)snprintf(text + n, sizeof text - (size_t)n, " %s", signature_text);
    memcpy(out, text, sizeof text);
    return RAFFLE_OK;
}
