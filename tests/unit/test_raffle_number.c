/* SPDX-License-Identifier: Apache-2.0 */
/* Printed draw numbers: there and back, the bounds, and what is no draw number. */
#include "number.h"
#include "vectors.h"

static raffle_error err;

static void setup(void)
{
    raffle_error_init(&err, sizeof err);
}

static void check(const char *text, uint32_t unit, uint64_t number)
{
    uint32_t u = 0;
    uint64_t n = 0;
    ck_assert_msg(raffle_number_parse(text, &u, &n, &err) == RAFFLE_OK, "%s: %s", text, err.message);
    ck_assert_msg(u == unit && n == number, "%s", text);
}

START_TEST(as_printed)
{
    static const struct {
        uint32_t unit;
        uint64_t number;
        const char *text;
    } cases[] = {{1, 1, "1-0000001"},
                 {1, 42, "1-0000042"},
                 {12, 9999999, "12-9999999"},
                 {3, 10000000, "3-10000000"},
                 {65535, 1234567, "65535-1234567"},
                 {65535, RF_NUMBER_MAX, "65535-1099511627775"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[RAFFLE_NUMBER_SIZE];
        memset(out, 'x', sizeof out);
        ck_assert_int_eq(raffle_number_format(cases[i].unit, cases[i].number, out, &err), RAFFLE_OK);
        ck_assert_str_eq(out, cases[i].text);
        check(out, cases[i].unit, cases[i].number);
    }
}
END_TEST

START_TEST(there_and_back)
{
    for (uint64_t i = 1; i < 20000; i++) {
        const uint64_t number = (i * UINT64_C(0x9e3779b97f4a7c15) >> (24 + i % 40)) + 1;
        const uint32_t unit = (uint32_t)(i * 7 % 65535) + 1;
        char out[RAFFLE_NUMBER_SIZE];
        if (number > RF_NUMBER_MAX)
            continue;
        ck_assert_int_eq(raffle_number_format(unit, number, out, &err), RAFFLE_OK);
        check(out, unit, number);
    }
}
END_TEST

START_TEST(zeros_may_be_missing)
{
    check("1-42", 1, 42);
    check("1-042", 1, 42);
    check("1-000042", 1, 42);
    check("65535-1", 65535, 1);
}
END_TEST

START_TEST(no_draw_numbers)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "1",
                                      "1-",
                                      "-1",
                                      "1-0",
                                      "1-0000000",
                                      "0-0000001",
                                      "00-1",
                                      "01-0000001",
                                      "65536-1",
                                      "70000-1",
                                      "1-00000042",
                                      "1-010000000",
                                      "1-1099511627776",
                                      "1-18446744073709551617",
                                      " 1-0000001",
                                      "1-0000001 ",
                                      "1 -0000001",
                                      "1- 0000001",
                                      "+1-0000001",
                                      "1-+000001",
                                      "1--0000001",
                                      "1-0000001-",
                                      "1_0000001",
                                      "1-0x00001",
                                      "1-000000a",
                                      "a-0000001",
                                      "1-0000001\n",
                                      "1\342\200\2231",
                                      "1-1.0",
                                      "4294967297-0000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t unit = 99;
        uint64_t number = 98;
        setup();
        ck_assert_msg(raffle_number_parse(bad[i], &unit, &number, &err) == RAFFLE_INVALID, "%s", bad[i]);
        ck_assert(unit == 99 && number == 98 && err.rc == RAFFLE_INVALID && err.message[0] != '\0');
    }
}
END_TEST

START_TEST(a_long_text_is_cut_in_the_sentence)
{
    char text[5000];
    uint32_t unit;
    uint64_t number;
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(raffle_number_parse(text, &unit, &number, &err), RAFFLE_INVALID);
    memset(text + 2, '0', sizeof text - 3);
    text[1] = '-';
    ck_assert_int_eq(raffle_number_parse(text, &unit, &number, &err), RAFFLE_INVALID);
}
END_TEST

START_TEST(no_such_number_is_printed)
{
    char out[RAFFLE_NUMBER_SIZE] = "untouched";
    ck_assert_int_eq(raffle_number_format(0, 1, out, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_number_format(65536, 1, out, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_number_format(1, 0, out, &err), RAFFLE_INVALID);
    ck_assert_int_eq(raffle_number_format(1, RF_NUMBER_MAX + 1, out, &err), RAFFLE_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "1099511627776"));
    ck_assert_str_eq(out, "untouched");
}
END_TEST

START_TEST(null_is_misuse)
{
    uint32_t unit;
    uint64_t number;
    ck_assert_int_eq(raffle_number_format(1, 1, NULL, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_number_parse(NULL, &unit, &number, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_number_parse("1-1", NULL, &number, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_number_parse("1-1", &unit, NULL, &err), RAFFLE_MISUSE);
    ck_assert_str_eq(err.message, "number is NULL");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, as_printed);
    tcase_add_test(tests, there_and_back);
    tcase_add_test(tests, zeros_may_be_missing);
    tcase_add_test(tests, no_draw_numbers);
    tcase_add_test(tests, a_long_text_is_cut_in_the_sentence);
    tcase_add_test(tests, no_such_number_is_printed);
    tcase_add_test(tests, null_is_misuse);
}

int main(void)
{
    return run_tests("number", add);
}
