/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: big-endian numbers, lower-case hex, strict base64 (RFC 4648 section 4), UTF-8 and word checks. Pure. */
#ifndef RF_BASE_BYTES_H
#define RF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void rf_put_be(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        out[i] = (uint8_t)value;
}

static inline uint64_t rf_get_be(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | in[i];
    return value;
}

/* Writes 2 * n characters; no NUL. */
void rf_hex_encode(char *out, const uint8_t *in, size_t n);
/* Exactly 2 * n lower-case digits; false otherwise. */
bool rf_hex_decode(uint8_t *out, size_t n, const char *in, size_t length);

/* 4 * ceil(n / 3) characters with padding; no NUL. Returns their number. */
size_t rf_base64_encode(char *out, const uint8_t *in, size_t n);
static inline size_t rf_base64_length(size_t n)
{
    return (n + 2) / 3 * 4;
}
/* Canonical base64 only: padding, no white space, unused bits zero. Stores the length; false when malformed or longer than `cap`. */
bool rf_base64_decode(uint8_t *out, size_t cap, size_t *n, const char *in, size_t length);

/* The length of the well-formed UTF-8 sequence that `text` begins with, 1 to 4, and its code point; 0 when there is none. */
size_t rf_utf8_next(const char *text, size_t length, uint32_t *code);

static inline bool rf_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool rf_utf8_valid(const char *text, size_t length);

/* A decimal without sign or leading zero, at most `max`. */
bool rf_decimal_parse(const char *text, size_t length, uint64_t max, uint64_t *out);

/* A word of the API: [a-z0-9][a-z0-9._-]*, 1 to `max` bytes. */
bool rf_word_valid(const char *text, size_t length, size_t max);

/* A text of the API: valid UTF-8 without control characters (below U+0020, U+007F to U+009F), 1 to `max` bytes. */
bool rf_text_valid(const char *text, size_t length, size_t max);

/* A raffle's origin: [a-z0-9.-]+(/[a-z0-9._-]+)*, at most 200 bytes, no segment `unit` (design section 2). */
bool rf_origin_valid(const char *text, size_t length);

#endif
