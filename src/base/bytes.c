/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to text and back: hex, base64, UTF-8, decimals, and the character sets of words, texts and origins. */
#include "bytes.h"

#include <endian.h>
#include <string.h>

/* The eight digits of four bytes, the first in the lowest byte. */
static uint64_t hex_of_four(const uint8_t *in)
{
    uint64_t x = (uint64_t)in[0] | (uint64_t)in[1] << 16 | (uint64_t)in[2] << 32 | (uint64_t)in[3] << 48;
    uint64_t nibbles = (x >> 4 & UINT64_C(0x000f000f000f000f)) | (x & UINT64_C(0x000f000f000f000f)) << 8;
    uint64_t letters = (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return nibbles + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
}

/* Four bytes at a time: records are full of hashes. */
void rf_hex_encode(char *out, const uint8_t *in, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;
    for (; n - i >= 4; i += 4) {
        uint64_t eight = htole64(hex_of_four(in + i));
        memcpy(out + 2 * i, &eight, 8);
    }
    for (; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
}

static const int8_t hex_value[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

bool rf_hex_decode(uint8_t *out, size_t n, const char *in, size_t length)
{
    if (length % 2 != 0 || length / 2 != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value[(uint8_t)in[2 * i]] - 1, low = hex_value[(uint8_t)in[2 * i + 1]] - 1;
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t rf_base64_encode(char *out, const uint8_t *in, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3, out += 4) {
        size_t left = n - i;
        uint32_t group =
            (uint32_t)in[i] << 16 | (uint32_t)(left > 1 ? in[i + 1] : 0) << 8 | (uint32_t)(left > 2 ? in[i + 2] : 0);
        out[0] = digits[group >> 18];
        out[1] = digits[group >> 12 & 63];
        out[2] = left > 1 ? digits[group >> 6 & 63] : '=';
        out[3] = left > 2 ? digits[group & 63] : '=';
    }
    return rf_base64_length(n);
}

/* The value of a base64 digit, or -1. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* `digits` digits, 2 to 4, as the upper bits of a 24-bit group. */
static bool base64_group(const char *in, size_t digits, uint32_t *group)
{
    *group = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = base64_value(in[i]);
        if (value < 0)
            return false;
        *group |= (uint32_t)value << (18 - 6 * i);
    }
    return true;
}

bool rf_base64_decode(uint8_t *out, size_t cap, size_t *n, const char *in, size_t length)
{
    if (length % 4 != 0)
        return false;
    size_t padding = 0;
    if (length > 0 && in[length - 1] == '=')
        padding = in[length - 2] == '=' ? 2 : 1;
    size_t size = length / 4 * 3 - padding;
    if (size > cap)
        return false;

    for (size_t at = 0, done = 0; at < length; at += 4, done += 3) {
        size_t bytes = size - done < 3 ? size - done : 3;
        uint32_t group;
        if (!base64_group(in + at, bytes + 1, &group))
            return false;
        if (group & (UINT32_C(0xffffff) >> (8 * bytes)))
            return false; /* unused bits, RFC 4648 section 3.5 */
        for (size_t i = 0; i < bytes; i++)
            out[done + i] = (uint8_t)(group >> (16 - 8 * i));
    }
    *n = size;
    return true;
}

/* The length that a first byte asks for, the bits of the code point in it, and the smallest code point of that length. */
static size_t utf8_lead(uint8_t lead, uint32_t *code, uint32_t *least)
{
    if (lead < 0x80) {
        *code = lead;
        *least = 0;
        return 1;
    }
    if ((lead & 0xe0) == 0xc0) {
        *code = lead & 0x1f;
        *least = 0x80;
        return 2;
    }
    if ((lead & 0xf0) == 0xe0) {
        *code = lead & 0x0f;
        *least = 0x800;
        return 3;
    }
    if ((lead & 0xf8) == 0xf0) {
        *code = lead & 0x07;
        *least = 0x10000;
        return 4;
    }
    return 0;
}

size_t rf_utf8_next(const char *text, size_t length, uint32_t *code)
{
    const uint8_t *byte = (const uint8_t *)text;
    uint32_t value = 0, least = 0;
    size_t n = length == 0 ? 0 : utf8_lead(byte[0], &value, &least);
    if (n == 0 || n > length)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (byte[i] & 0x3f);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return n;
}

bool rf_utf8_valid(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint64_t eight;
        if (length - at >= 8) {
            memcpy(&eight, text + at, 8);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += 8;
                continue;
            }
        }
        uint32_t code;
        size_t n = rf_utf8_next(text + at, length - at, &code);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

bool rf_decimal_parse(const char *text, size_t length, uint64_t max, uint64_t *out)
{
    if (length == 0 || length > 20 || (length > 1 && text[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(uint8_t)text[i] - '0';
        if (digit > 9 || value > max / 10 || digit > max - value * 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool rf_word_valid(const char *text, size_t length, size_t max)
{
    if (length == 0 || length > max || !is_lower_or_digit(text[0]))
        return false;
    for (size_t i = 1; i < length; i++) {
        if (!is_lower_or_digit(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
            return false;
    }
    return true;
}

bool rf_text_valid(const char *text, size_t length, size_t max)
{
    if (length == 0 || length > max)
        return false;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        if (text[at] >= 0x20 && text[at] < 0x7f) {
            at++; /* nearly every character there is */
            continue;
        }
        size_t n = rf_utf8_next(text + at, length - at, &code);
        if (n == 0 || rf_is_control(code))
            return false;
        at += n;
    }
    return true;
}

/* A segment of an origin. The first one may hold no underscore: it is a host's name. */
static bool segment_valid(const char *text, size_t length, bool first)
{
    if (length == 0 || (length == 4 && memcmp(text, "unit", 4) == 0))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_lower_or_digit(text[i]) && text[i] != '.' && text[i] != '-' && (first || text[i] != '_'))
            return false;
    }
    return true;
}

bool rf_origin_valid(const char *text, size_t length)
{
    if (length == 0 || length > 200)
        return false;
    for (size_t from = 0; from <= length;) {
        const char *slash = memchr(text + from, '/', length - from);
        size_t to = slash == NULL ? length : (size_t)(slash - text);
        if (!segment_valid(text + from, to - from, from == 0))
            return false;
        from = to + 1;
    }
    return true;
}
