/* SPDX-License-Identifier: Apache-2.0 */
/* The validation number: the vectors, every mistyped character and swap of a number, and what a failure says. */
#include "validation.h"
#include "vectors.h"

static rf_sha256 *h;
static raffle_error err;
static uint8_t ku[32];
static const uint8_t k[32] = {1, 2, 3};
static const char origin[] = "raffle.example/gala";

static void setup(void)
{
    h = rf_sha256_new();
    raffle_error_init(&err, sizeof err);
    rf_vn_unit_key(h, ku, k, origin, 7);
}

static void teardown(void)
{
    rf_sha256_free(h);
}

/* In memory of just its size, so that the address sanitizer sees reading beyond it. */
static raffle_rc parse(rf_vn *vn, const char *text, size_t length)
{
    char *exact = malloc(length == 0 ? 1 : length);
    memcpy(exact, text, length);
    raffle_rc rc = rf_vn_parse(vn, exact, length, &err);
    free(exact);
    return rc;
}

static uint64_t serial_of(const json_t *vector)
{
    return strtoull(vector_text(vector, "serial"), NULL, 10);
}

static bool reads(const json_t *vector, const uint8_t key[32], const char *name)
{
    rf_vn vn;
    const char *error = json_string_value(json_object_get(vector, "error"));
    char text[256];
    const size_t length = vector_bytes(vector, "text", "text_hex", text, sizeof text);
    raffle_rc rc = parse(&vn, text, length);
    ck_assert_msg(strcmp(raffle_rc_name(rc), error == NULL ? "RAFFLE_OK" : error) == 0, "%s", name);
    return rc == RAFFLE_OK && vn.unit == vector_int(vector, "unit") && rf_vn_serial(h, &vn, key) == serial_of(vector) &&
           rf_vn_check(h, &vn, key, serial_of(vector), vector_int(vector, "at"));
}

static bool holds(const json_t *vector)
{
    uint8_t master[32], key[32], expected[32];
    char out[RF_VN_SIZE];
    const uint32_t unit = (uint32_t)vector_int(vector, "unit");
    vector_hex(vector, "key", master, sizeof master);
    rf_vn_unit_key(h, key, master, vector_text(vector, "origin"), unit);
    if (vector_is(vector, "unit_key")) {
        vector_hex(vector, "unit_key", expected, sizeof expected);
        return memcmp(expected, key, sizeof key) == 0;
    }
    if (vector_is(vector, "make")) {
        rf_vn_make(h, out, key, unit, serial_of(vector), vector_int(vector, "at"));
        return strcmp(out, vector_text(vector, "number")) == 0;
    }
    ck_assert(vector_is(vector, "read"));
    return reads(vector, key, vector_name(vector));
}

START_TEST(validation_vectors)
{
    json_t *file = vectors_load("validation"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
        ck_assert_msg(holds(vector) == vector_valid(vector), "%s", vector_name(vector));
    ck_assert_uint_ge(i, 265);
    json_decref(file);
}
END_TEST

START_TEST(check37_vectors)
{
    json_t *file = vectors_load("check37"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        const char *text = vector_text(vector, "text");
        const size_t n = strlen(text);
        const bool fits = n > 1 && rf_check37(text, n - 1) == text[n - 1];
        ck_assert_msg(fits == vector_valid(vector), "%s", vector_name(vector));
    }
    ck_assert_uint_ge(i, 2375);
    json_decref(file);
}
END_TEST

START_TEST(what_is_made_is_read)
{
    rf_vn vn;
    char out[RF_VN_SIZE];
    for (uint64_t i = 0; i < 2000; i++) {
        const uint64_t serial = (i * UINT64_C(0x9e3779b97f4a7c15)) >> (24 + i % 40);
        const int64_t at = (int64_t)(i * i * i);
        rf_vn_make(h, out, ku, 7, serial, at);
        ck_assert_uint_eq(strlen(out), RF_VN_SIZE - 1);
        ck_assert_int_eq(parse(&vn, out, strlen(out)), RAFFLE_OK);
        ck_assert_uint_eq(vn.unit, 7);
        ck_assert_uint_eq(rf_vn_serial(h, &vn, ku), serial);
        ck_assert(rf_vn_check(h, &vn, ku, serial, at));
        ck_assert(!rf_vn_check(h, &vn, ku, serial, at + 1));
        ck_assert(!rf_vn_check(h, &vn, ku, serial ^ 1, at));
    }
}
END_TEST

/* What a reader takes for the same character: the case, and before the check character I, L and O. */
static bool same_character(char a, char b, size_t place)
{
    static const char *const alike[] = {"1IiLl", "0Oo"};
    for (size_t i = 0; place < 24 && i < 2; i++)
        if (strchr(alike[i], a) != NULL && strchr(alike[i], b) != NULL)
            return true;
    return (a >= 'a' && a <= 'z' ? a - 32 : a) == (b >= 'a' && b <= 'z' ? b - 32 : b);
}

static void compact(char out[26], const char *number)
{
    for (size_t i = 0, n = 0; number[i] != '\0'; i++)
        if (number[i] != '-')
            out[n++] = number[i];
    out[25] = '\0';
}

START_TEST(every_mistyped_byte_is_refused)
{
    for (uint64_t serial = 1; serial <= 40; serial++) {
        rf_vn vn, right;
        char out[RF_VN_SIZE], text[26];
        rf_vn_make(h, out, ku, 7, serial, 5);
        compact(text, out);
        ck_assert_int_eq(parse(&right, text, 25), RAFFLE_OK);
        for (size_t i = 0; i < 25; i++) {
            const char before = text[i];
            for (int c = 0; c < 256; c++) {
                text[i] = (char)c;
                const bool read = parse(&vn, text, 25) == RAFFLE_OK;
                ck_assert_msg(read == (c != 0 && same_character((char)c, before, i)), "0x%02x for %c at %zu", c, before,
                              i);
                if (read)
                    ck_assert(vn.unit == right.unit && memcmp(vn.tag, right.tag, 8) == 0 &&
                              memcmp(vn.masked, right.masked, 5) == 0);
            }
            text[i] = before;
        }
    }
}
END_TEST

START_TEST(every_swap_is_refused)
{
    for (uint64_t serial = 1; serial <= 200; serial++) {
        rf_vn vn;
        char out[RF_VN_SIZE], text[26];
        rf_vn_make(h, out, ku, 7, serial, 5);
        compact(text, out);
        for (size_t i = 0; i < 25; i++)
            for (size_t j = i + 1; j < 25; j++) {
                char swapped[26];
                memcpy(swapped, text, sizeof swapped);
                swapped[i] = text[j];
                swapped[j] = text[i];
                if (text[i] != text[j])
                    ck_assert_msg(parse(&vn, swapped, 25) == RAFFLE_INVALID || !rf_vn_check(h, &vn, ku, serial, 5),
                                  "%s", swapped);
            }
    }
}
END_TEST

/* GLI-31 4.3: neither unit, serial nor time of the neighbour tells a number: half of the bits change. */
START_TEST(neighbours_differ_in_half_of_their_bits)
{
    size_t bits = 0;
    for (uint64_t serial = 0; serial < 1000; serial++) {
        rf_vn a, b;
        char out[RF_VN_SIZE];
        rf_vn_make(h, out, ku, 7, serial, 5);
        ck_assert_int_eq(parse(&a, out, strlen(out)), RAFFLE_OK);
        rf_vn_make(h, out, ku, 7, serial + 1, 5);
        ck_assert_int_eq(parse(&b, out, strlen(out)), RAFFLE_OK);
        for (size_t i = 0; i < 8; i++)
            bits += (size_t)__builtin_popcount(a.tag[i] ^ b.tag[i]);
        for (size_t i = 0; i < 5; i++)
            bits += (size_t)__builtin_popcount(a.masked[i] ^ b.masked[i]);
    }
    /* 104,000 fair bits: 6 standard deviations around the half. */
    ck_assert_uint_gt(bits, 52000 - 968);
    ck_assert_uint_lt(bits, 52000 + 968);
}
END_TEST

START_TEST(no_failure_tells_the_number)
{
    static const char *const bad[] = {"",
                                      "000J3-SPE42-90ZF8-9PKAV-XMQWQ",
                                      "000J3-SPE42-90ZF8-9PKAV-XMQW",
                                      "U00J3-SPE42-90ZF8-9PKAV-XMQWP",
                                      "000J3-SPE42-90ZF8-9PKAV-XMQWP-0",
                                      "000000000000000000000000*"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rf_vn vn = {.unit = 99};
        raffle_error_init(&err, sizeof err);
        ck_assert_int_eq(parse(&vn, bad[i], strlen(bad[i])), RAFFLE_INVALID);
        ck_assert_uint_eq(vn.unit, 99);
        ck_assert_int_eq(err.rc, RAFFLE_INVALID);
        ck_assert_str_ne(err.message, "");
        for (size_t at = 0; at + 5 <= strlen(bad[i]); at++) {
            char part[6] = "";
            memcpy(part, bad[i] + at, 5);
            ck_assert_msg(strstr(err.message, part) == NULL, "%s", err.message);
        }
    }
}
END_TEST

START_TEST(a_check_character_of_other_characters_is_none)
{
    ck_assert_int_eq(rf_check37("A9*9", 4), '\0');
    ck_assert_int_eq(rf_check37("a", 1), '\0');
    ck_assert_int_eq(rf_check37("\xc3\x84", 2), '\0');
    ck_assert_int_eq(rf_check37("", 0), '1');
    ck_assert_int_eq(rf_check37("A999914123456", 13), 'N');
    ck_assert_int_eq(rf_check37("G123498654321", 13), 'H');
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, validation_vectors);
    tcase_add_test(tests, check37_vectors);
    tcase_add_test(tests, what_is_made_is_read);
    tcase_add_test(tests, every_mistyped_byte_is_refused);
    tcase_add_test(tests, every_swap_is_refused);
    tcase_add_test(tests, neighbours_differ_in_half_of_their_bits);
    tcase_add_test(tests, no_failure_tells_the_number);
    tcase_add_test(tests, a_check_character_of_other_characters_is_none);
}

int main(void)
{
    return run_tests("validation", add);
}
