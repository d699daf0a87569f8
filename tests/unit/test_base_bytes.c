/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: round trips of every length, and everything near a valid text that is none. */
#include "bytes.h"
#include "vectors.h"

static bool text_is(bool (*valid)(const char *, size_t, size_t), const char *text, size_t max)
{
    return valid(text, strlen(text), max);
}

START_TEST(big_endian_numbers)
{
    uint8_t out[8];
    rf_put_be(out, UINT64_C(0x0102030405060708), 8);
    ck_assert_mem_eq(out, "\1\2\3\4\5\6\7\10", 8);
    ck_assert_uint_eq(rf_get_be(out, 8), UINT64_C(0x0102030405060708));
    rf_put_be(out, UINT64_C(0xffffffffff), 5);
    ck_assert_mem_eq(out, "\xff\xff\xff\xff\xff\6\7\10", 8);
    ck_assert_uint_eq(rf_get_be(out, 5), UINT64_C(0xffffffffff));
    ck_assert_uint_eq(rf_get_be(out, 0), 0);
}
END_TEST

START_TEST(hex_of_every_byte_and_length)
{
    uint8_t bytes[256 + 9], back[sizeof bytes];
    char hex[2 * sizeof bytes + 1], expected[2 * sizeof bytes + 1];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
        snprintf(expected + 2 * i, 3, "%02x", bytes[i]);
    }
    for (size_t n = 0; n <= sizeof bytes; n++) {
        hex[2 * n] = '!';
        rf_hex_encode(hex, bytes, n);
        ck_assert_mem_eq(hex, expected, 2 * n);
        ck_assert_int_eq(hex[2 * n], '!');
        ck_assert(rf_hex_decode(back, n, hex, 2 * n));
        ck_assert_mem_eq(back, bytes, n);
    }
}
END_TEST

START_TEST(hex_is_exact_and_lower_case)
{
    uint8_t out[4];
    ck_assert(!rf_hex_decode(out, 2, "00f", 3));
    ck_assert(!rf_hex_decode(out, 2, "00", 2));
    ck_assert(!rf_hex_decode(out, 1, "0000", 4));
    for (int c = 0; c < 256; c++) {
        char text[2] = {'0', (char)c};
        bool digit = c != 0 && strchr("0123456789abcdef", c) != NULL;
        ck_assert(rf_hex_decode(out, 1, text, 2) == digit);
        text[0] = (char)c;
        text[1] = '0';
        ck_assert(rf_hex_decode(out, 1, text, 2) == digit);
    }
}
END_TEST

/* RFC 4648 section 10. */
START_TEST(base64_of_the_rfc)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t n = strlen(pairs[i][0]), length = strlen(pairs[i][1]), back;
        ck_assert_uint_eq(rf_base64_encode(text, (const uint8_t *)pairs[i][0], n), length);
        ck_assert_uint_eq(rf_base64_length(n), length);
        ck_assert(memcmp(text, pairs[i][1], length) == 0);
        ck_assert(rf_base64_decode(bytes, n, &back, text, length) && back == n);
        ck_assert(memcmp(bytes, pairs[i][0], n) == 0);
        ck_assert(n == 0 || !rf_base64_decode(bytes, n - 1, &back, text, length));
    }
}
END_TEST

/* Of all texts of four characters, exactly those that the encoder makes. */
START_TEST(base64_accepts_only_what_encodes_back)
{
    static const char tried[] = "AQgwBz09+/=-_ \n";
    size_t accepted = 0;
    for (size_t i = 0; i < 15 * 15 * 15 * 15; i++) {
        const char text[4] = {tried[i % 15], tried[i / 15 % 15], tried[i / 225 % 15], tried[i / 3375]};
        uint8_t bytes[3];
        char back[4];
        size_t n;
        if (!rf_base64_decode(bytes, 3, &n, text, 4))
            continue;
        accepted++;
        ck_assert_uint_eq(rf_base64_encode(back, bytes, n), 4);
        ck_assert_mem_eq(back, text, 4);
    }
    /* Ten of the characters are digits. The last one before "==" has four unused bits, before "=" two, which are to be zero. */
    size_t four = 0, two = 0;
    for (const char *c = "AQgwBz09+/"; *c != '\0'; c++) {
        size_t value = (size_t)(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", *c) -
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
        four += value % 16 == 0;
        two += value % 4 == 0;
    }
    ck_assert_uint_eq(accepted, 10 * 10 * 10 * 10 + 10 * 10 * two + 10 * four);
}
END_TEST

START_TEST(base64_refuses)
{
    static const char *const texts[] = {"Zg",       "Zg=",      "Zg===",  "=",         "==",   "====", "Z===",
                                        "Zg==Zg==", "Zm8=Zm8=", "Zm9v\n", "Zm9v Zm9v", "Zh==", "Zm9=", "Zg=a"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t bytes[16];
        size_t n;
        ck_assert_msg(!rf_base64_decode(bytes, sizeof bytes, &n, texts[i], strlen(texts[i])), "%s", texts[i]);
    }
}
END_TEST

static size_t encode_utf8(uint32_t code, char out[4])
{
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return n;
}

START_TEST(utf8_of_every_code_point)
{
    for (uint32_t code = 0; code <= 0x110000; code++) {
        char text[4];
        uint32_t back = 0;
        size_t n = encode_utf8(code, text);
        bool valid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        ck_assert(rf_utf8_valid(text, n) == valid);
        ck_assert(rf_utf8_next(text, n, &back) == (valid ? n : 0));
        ck_assert(!valid || back == code);
        ck_assert(!rf_utf8_valid(text, n - 1) || n == 1);
    }
}
END_TEST

/* Of all texts of three bytes, those that are made of the encodings of valid code points: counted by arithmetic. */
START_TEST(utf8_of_every_three_bytes)
{
    size_t valid = 0;
    for (uint32_t i = 0; i < 1 << 24; i++) {
        const char text[3] = {(char)(i >> 16), (char)(i >> 8), (char)i};
        valid += rf_utf8_valid(text, 3);
    }
    ck_assert_uint_eq(valid, 128 * 128 * 128 + 2 * 128 * 1920 + (65536 - 2048 - 2048));
}
END_TEST

START_TEST(utf8_across_the_fast_path)
{
    for (size_t at = 0; at < 24; at++) {
        char text[26];
        memset(text, 'a', sizeof text);
        memcpy(text + at, "\xc3\xa9", 2);
        ck_assert(rf_utf8_valid(text, sizeof text));
        ck_assert(!rf_utf8_valid(text, at + 1));
        text[at + 1] = '\xc3';
        ck_assert(!rf_utf8_valid(text, sizeof text));
    }
    ck_assert(rf_utf8_valid(NULL, 0));
}
END_TEST

START_TEST(decimals)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool valid;
        uint64_t value;
    } cases[] = {{"0", 0, true, 0},
                 {"7", 7, true, 7},
                 {"8", 7, false, 0},
                 {"10", 9, false, 0},
                 {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
                 {"18446744073709551616", UINT64_MAX, false, 0},
                 {"99999999999999999999", UINT64_MAX, false, 0},
                 {"100000000000000000000", UINT64_MAX, false, 0},
                 {"9223372036854775807", INT64_MAX, true, INT64_MAX},
                 {"9223372036854775808", INT64_MAX, false, 0},
                 {"", 9, false, 0},
                 {"00", 9, false, 0},
                 {"01", 9, false, 0},
                 {"+1", 9, false, 0},
                 {"-1", 9, false, 0},
                 {"-0", 9, false, 0},
                 {" 1", 99, false, 0},
                 {"1 ", 99, false, 0},
                 {"1.", 99, false, 0},
                 {"a", 99, false, 0},
                 {"1:", 99, false, 0},
                 {"/", 99, false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 12345;
        bool valid = rf_decimal_parse(cases[i].text, strlen(cases[i].text), cases[i].max, &value);
        ck_assert_msg(valid == cases[i].valid, "%s", cases[i].text);
        ck_assert_uint_eq(value, valid ? cases[i].value : 12345);
    }
}
END_TEST

START_TEST(words)
{
    static const char *const good[] = {"a", "0", "five-for-20", "a.b_c-d", "z."};
    static const char *const bad[] = {"", "A", "-a", ".a", "_a", "a b", "a/b", "\xc3\xa9", "a\n", "a+"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(text_is(rf_word_valid, good[i], 32), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!text_is(rf_word_valid, bad[i], 32), "%s", bad[i]);
    ck_assert(text_is(rf_word_valid, "abcd", 4) && !text_is(rf_word_valid, "abcde", 4));
}
END_TEST

START_TEST(texts)
{
    static const char *const good[] = {" ", "Anna & Bob", "\xc3\xa9", "\xc2\xa0", "\xf0\x9f\x98\x80", "\"\\"};
    static const char *const bad[] = {"",         "a\nb", "\x1f", "\x7f",        "\xc2\x80",
                                      "\xc2\x9f", "\xff", "\xc3", "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(text_is(rf_text_valid, good[i], 64), "case %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!text_is(rf_text_valid, bad[i], 64), "case %zu", i);
    ck_assert(!rf_text_valid("a\0b", 3, 64));
    ck_assert(text_is(rf_text_valid, "abcd", 4) && !text_is(rf_text_valid, "abcde", 4));
}
END_TEST

START_TEST(origins)
{
    static const char *const good[] = {
        "raffle.example", "raffle.example/gala", "a/b_c/d.e-f", "-", "a/units", "a/uni/t", "a/_"};
    static const char *const bad[] = {"",       "/",        "a/",  "/a",     "a//b", "unit",  "unit/a",
                                      "a/unit", "a/unit/b", "A",   "a_b",    "a b",  "a/b c", "a\n",
                                      "a/B",    "\xc3\xa9", "a+b", "a:80/b", "a/b/"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(rf_origin_valid(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!rf_origin_valid(bad[i], strlen(bad[i])), "%s", bad[i]);
    char longest[201];
    memset(longest, 'a', sizeof longest);
    ck_assert(rf_origin_valid(longest, 200) && !rf_origin_valid(longest, 201));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, big_endian_numbers);
    tcase_add_test(tests, hex_of_every_byte_and_length);
    tcase_add_test(tests, hex_is_exact_and_lower_case);
    tcase_add_test(tests, base64_of_the_rfc);
    tcase_add_test(tests, base64_accepts_only_what_encodes_back);
    tcase_add_test(tests, base64_refuses);
    tcase_add_test(tests, utf8_of_every_code_point);
    tcase_add_test(tests, utf8_of_every_three_bytes);
    tcase_add_test(tests, utf8_across_the_fast_path);
    tcase_add_test(tests, decimals);
    tcase_add_test(tests, words);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, origins);
}

int main(void)
{
    return run_tests("bytes", add);
}
