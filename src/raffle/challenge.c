/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges (GLI-31 6.1.4: a unit authenticates itself anew before it uploads): made without being remembered, read, and known again by their code. */
#include "till_impl.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <stdio.h>
#include <string.h>

static const char magic[] = "libraffle/challenge/v1";

enum {
    FIELDS = 8,       /* magic origin unit size root issued nonce code */
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
        !rf_hex_decode(c->code, 32, field[7].data, field[7].length))
        return false;
    c->unit = (uint32_t)unit;
    c->issued = (int64_t)issued;
    return true;
}

raffle_rc rf_challenge_read(rf_challenge *c, const char *text, raffle_error *err)
{
    rf_span field[FIELDS];
    if (strnlen(text, RAFFLE_CHALLENGE_SIZE) < RAFFLE_CHALLENGE_SIZE && split(text, field) &&
        read_fields(c, field, text))
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_INVALID, "this is no challenge of a raffle");
}

/* --- the code: HMAC under a key from K, so that the raffle knows its own challenge again and keeps nothing --- */

static raffle_rc make_code(raffle *r, const char *text, size_t length, uint8_t code[32], raffle_error *err)
{
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *k = sodium_malloc(64);
    raffle_rc rc = hash == NULL || k == NULL ? rf_nomem(err) : rf_raffle_ticket_key(r, k, err);
    if (rc == RAFFLE_OK) {
        const rf_span label[] = {{magic, sizeof magic}, {r->origin, strlen(r->origin)}};
        const rf_span said = {text, length};
        rf_hmac_spans(hash, k + 32, k, 32, label, 2);
        rf_hmac_spans(hash, code, k + 32, 32, &said, 1);
        rc = rf_sha256_ok(hash) ? rc : rf_fail(err, RAFFLE_IO, "OpenSSL's SHA-256 stopped working");
    }
    sodium_free(k);
    rf_sha256_free(hash);
    return rc;
}

raffle_rc rf_challenge_make(raffle *r, uint32_t unit, uint64_t size, const uint8_t root[32], char *out,
                            raffle_error *err)
{
    char root_digits[65] = "", nonce_digits[2 * NONCE + 1] = "", code_digits[65] = "";
    uint8_t nonce[NONCE], code[32];
    int64_t now;
    raffle_rc rc = rf_clock_read(r, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    randombytes_buf(nonce, sizeof nonce);
    rf_hex_encode(root_digits, root, 32);
    rf_hex_encode(nonce_digits, nonce, NONCE);
    const int n = snprintf(out, RAFFLE_CHALLENGE_SIZE, "%s %s %u %llu %s %lld %s", magic, r->origin, unit,
                           (unsigned long long)size, root_digits, (long long)now, nonce_digits);
    rc = make_code(r, out, (size_t)n, code, err);
    rf_hex_encode(code_digits, code, 32);
    if (rc == RAFFLE_OK)
        (void)snprintf(out + n, RAFFLE_CHALLENGE_SIZE - (size_t)n, " %s", code_digits);
    else
        out[0] = '\0';
    return rc;
}

raffle_rc rf_challenge_check(raffle *r, uint32_t unit, const char *text, rf_challenge *c, raffle_error *err)
{
    uint8_t code[32];
    int64_t now;
    raffle_rc rc = rf_challenge_read(c, text, err);
    if (rc == RAFFLE_OK && (strcmp(c->origin, r->origin) != 0 || c->unit != unit))
        rc = rf_fail(err, RAFFLE_MISMATCH, "the challenge is for unit %u of %s", c->unit, c->origin);
    if (rc == RAFFLE_OK)
        rc = make_code(r, text, c->signed_length, code, err);
    if (rc == RAFFLE_OK && sodium_memcmp(code, c->code, 32) != 0)
        rc = rf_fail(err, RAFFLE_SIGNATURE, "the challenge is none that this raffle gave");
    if (rc == RAFFLE_OK)
        rc = rf_clock_read(r, &now, err);
    if (rc == RAFFLE_OK && (now - c->issued > RAFFLE_CHALLENGE_LIFE_MS || c->issued - now > AHEAD_MS))
        rc = rf_fail(err, RAFFLE_SEQUENCE, "the challenge is %lld s old, and no longer fresh: ask for another one",
                     (long long)(now - c->issued) / 1000);
    return rc;
}
