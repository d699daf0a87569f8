/* SPDX-License-Identifier: Apache-2.0 */
/* The one loop that JSON's reader and writer spend their time in: how much of a string is plain ASCII, eight bytes at a time. */
#ifndef RF_BASE_JSON_SCAN_H
#define RF_BASE_JSON_SCAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ASCII that stands for itself between quotes. */
static inline bool rf_json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The top bit of each byte that is not plain, exact up to the first such byte. */
static inline uint64_t rf_json_not_plain(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    return (eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops;
}

/* The number of plain bytes that `text` begins with. */
static inline size_t rf_json_plain_length(const char *text, size_t length)
{
    size_t at = 0;
    for (; length - at >= 8; at += 8) {
        uint64_t eight;
        memcpy(&eight, text + at, 8);
        uint64_t found = rf_json_not_plain(le64toh(eight));
        if (found != 0)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
    while (at < length && rf_json_is_plain((unsigned char)text[at]))
        at++;
    return at;
}

#endif
