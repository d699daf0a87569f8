/* SPDX-License-Identifier: Apache-2.0 */
/* The validation number: u16be(unit) || tag || masked serial, in Crockford's base32, with an ISO 7064 MOD 37,2 check character (design section 11). */
#include "validation.h"

#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <string.h>

enum {
    BYTES = 15, /* 2 + RF_VN_TAG + RF_VN_SERIAL: exactly RF_VN_BODY characters of five bits */
    PROOF = RF_VN_TAG + RF_VN_SERIAL
};

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* --- the check character, ISO/IEC 7064:2003 --- */

static int value37(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

char rf_check37(const char *text, size_t length)
{
    static const char characters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
    int p = 0;
    for (size_t i = 0; i < length; i++) {
        const int value = value37(text[i]);
        if (value < 0)
            return '\0';
        p = (p + value) * 2 % 37;
    }
    return characters[(38 - p) % 37];
}

/* --- keys, tag and mask --- */

void rf_vn_unit_key(rf_sha256 *h, uint8_t ku[32], const uint8_t k[32], const char *origin, uint32_t unit)
{
    static const char label[] = "libraffle/vn/unit/v1";
    uint8_t number[2];
    rf_put_be(number, unit, sizeof number);
    /* Label and origin with their NUL, which separates. */
    const rf_span spans[] = {{label, sizeof label}, {origin, strlen(origin) + 1}, {number, sizeof number}};
    rf_hmac_spans(h, ku, k, 32, spans, 3);
}

static void make_tag(rf_sha256 *h, uint8_t tag[RF_VN_TAG], const uint8_t ku[32], uint64_t serial, int64_t at)
{
    static const char label[] = "libraffle/vn/v1";
    uint8_t message[RF_VN_SERIAL + 8], mac[32];
    rf_put_be(message, serial, RF_VN_SERIAL);
    rf_put_be(message + RF_VN_SERIAL, (uint64_t)at, 8);
    const rf_span spans[] = {{label, sizeof label}, {message, sizeof message}};
    rf_hmac_spans(h, mac, ku, 32, spans, 2);
    memcpy(tag, mac, RF_VN_TAG);
    sodium_memzero(mac, sizeof mac);
}

static uint64_t mask_of(rf_sha256 *h, const uint8_t tag[RF_VN_TAG], const uint8_t ku[32])
{
    static const char label[] = "libraffle/vn/mask/v1";
    uint8_t mac[32];
    const rf_span spans[] = {{label, sizeof label}, {tag, RF_VN_TAG}};
    rf_hmac_spans(h, mac, ku, 32, spans, 2);
    const uint64_t mask = rf_get_be(mac, RF_VN_SERIAL);
    sodium_memzero(mac, sizeof mac);
    return mask;
}

/* tag || masked serial: what only the holder of K_u can make. */
static void make_proof(rf_sha256 *h, uint8_t proof[PROOF], const uint8_t ku[32], uint64_t serial, int64_t at)
{
    make_tag(h, proof, ku, serial, at);
    rf_put_be(proof + RF_VN_TAG, serial ^ mask_of(h, proof, ku), RF_VN_SERIAL);
}

uint64_t rf_vn_serial(rf_sha256 *h, const rf_vn *vn, const uint8_t ku[32])
{
    return rf_get_be(vn->masked, RF_VN_SERIAL) ^ mask_of(h, vn->tag, ku);
}

bool rf_vn_check(rf_sha256 *h, const rf_vn *vn, const uint8_t ku[32], uint64_t serial, int64_t at)
{
    uint8_t expected[PROOF], given[PROOF];
    make_proof(h, expected, ku, serial, at);
    memcpy(given, vn->tag, RF_VN_TAG);
    memcpy(given + RF_VN_TAG, vn->masked, RF_VN_SERIAL);
    const bool equal = sodium_memcmp(expected, given, PROOF) == 0;
    sodium_memzero(expected, sizeof expected);
    sodium_memzero(given, sizeof given);
    /* A digest that failed gives zeros, which anybody could type. */
    return equal && rf_sha256_ok(h);
}

/* --- text --- */

static void encode(char out[RF_VN_BODY], const uint8_t bytes[BYTES])
{
    for (size_t group = 0; group < BYTES / 5; group++) {
        const uint64_t bits = rf_get_be(bytes + 5 * group, 5);
        for (size_t i = 0; i < 8; i++)
            out[8 * group + i] = alphabet[bits >> (35 - 5 * i) & 31];
    }
}

static void decode(uint8_t bytes[BYTES], const char text[RF_VN_BODY])
{
    for (size_t group = 0; group < BYTES / 5; group++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 8; i++)
            bits = bits << 5 | (uint64_t)((const char *)memchr(alphabet, text[8 * group + i], 32) - alphabet);
        rf_put_be(bytes + 5 * group, bits, 5);
    }
}

void rf_vn_make(rf_sha256 *h, char out[RF_VN_SIZE], const uint8_t ku[32], uint32_t unit, uint64_t serial, int64_t at)
{
    uint8_t bytes[BYTES];
    char text[RF_VN_LENGTH];
    rf_put_be(bytes, unit, 2);
    make_proof(h, bytes + 2, ku, serial, at);
    encode(text, bytes);
    text[RF_VN_BODY] = rf_check37(text, RF_VN_BODY);
    for (size_t group = 0; group < 5; group++) {
        memcpy(out + 6 * group, text + 5 * group, 5);
        out[6 * group + 5] = group < 4 ? '-' : '\0';
    }
    if (!rf_sha256_ok(h))
        memset(out, 0, RF_VN_SIZE);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, sizeof text);
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The character of the alphabet that was meant, or NUL. The check character may be any of 37 and is not folded. */
static char meant(char c, size_t place)
{
    c = upper(c);
    if (place == RF_VN_BODY)
        return c == '*' || value37(c) >= 0 ? c : '\0';
    if (c == 'I' || c == 'L')
        return '1';
    if (c == 'O')
        return '0';
    return c != '\0' && memchr(alphabet, c, 32) != NULL ? c : '\0';
}

/* The 25 characters without what was typed between them. */
static raffle_rc collect(char out[RF_VN_LENGTH], const char *text, size_t length, raffle_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-' || text[i] == ' ')
            continue;
        if (n == RF_VN_LENGTH)
            return rf_fail(err, RAFFLE_INVALID, "the validation number has more than %d characters", RF_VN_LENGTH);
        out[n] = meant(text[i], n);
        if (out[n] == '\0')
            return rf_fail(err, RAFFLE_INVALID, "character %zu of the validation number is none that it can hold",
                           n + 1);
        n++;
    }
    if (n < RF_VN_LENGTH)
        return rf_fail(err, RAFFLE_INVALID, "the validation number has %zu characters of %d", n, RF_VN_LENGTH);
    return RAFFLE_OK;
}

static raffle_rc take_apart(rf_vn *vn, const char number[RF_VN_LENGTH], uint8_t bytes[BYTES], raffle_error *err)
{
    if (rf_check37(number, RF_VN_BODY) != number[RF_VN_BODY])
        return rf_fail(err, RAFFLE_INVALID, "the validation number is mistyped: its check character does not fit");
    decode(bytes, number);
    const uint32_t unit = (uint32_t)rf_get_be(bytes, 2);
    if (unit == 0)
        return rf_fail(err, RAFFLE_INVALID, "the validation number names no sales unit");
    vn->unit = unit;
    memcpy(vn->tag, bytes + 2, RF_VN_TAG);
    memcpy(vn->masked, bytes + 2 + RF_VN_TAG, RF_VN_SERIAL);
    return RAFFLE_OK;
}

raffle_rc rf_vn_parse(rf_vn *vn, const char *text, size_t length, raffle_error *err)
{
    char number[RF_VN_LENGTH];
    uint8_t bytes[BYTES];
    if (length >= RF_VN_TEXT_MAX)
        return rf_fail(err, RAFFLE_INVALID, "the validation number is longer than %d bytes", RF_VN_TEXT_MAX - 1);
    raffle_rc rc = collect(number, text, length, err);
    if (rc == RAFFLE_OK)
        rc = take_apart(vn, number, bytes, err);
    sodium_memzero(number, sizeof number);
    sodium_memzero(bytes, sizeof bytes);
    return rc;
}
