/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of CSV: what RFC 4180 allows, and each way in which a line can be damaged, which costs that line alone. */
#include "csv.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A reader over bytes; close() it. */
static csv *open_bytes(const char *bytes, size_t length, size_t columns)
{
    FILE *file = tmpfile();
    csv *c = malloc(sizeof *c);
    ck_assert(file != NULL && c != NULL);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    rewind(file);
    csv_init(c, file, columns);
    return c;
}

static csv *open_text(const char *text, size_t columns)
{
    return open_bytes(text, strlen(text), columns);
}

static void close_csv(csv *c)
{
    ck_assert_int_eq(csv_next(c), CSV_END);
    fclose(c->file);
    free(c);
}

static void expect(csv *c, uint64_t line, const char *a, const char *b)
{
    ck_assert_int_eq(csv_next(c), CSV_ROW);
    ck_assert_uint_eq(c->line, line);
    ck_assert_str_eq(c->field[0], a);
    ck_assert_str_eq(c->field[1], b);
}

static void expect_bad(csv *c, uint64_t line, const char *words)
{
    ck_assert_int_eq(csv_next(c), CSV_BAD);
    ck_assert_uint_eq(c->line, line);
    ck_assert_msg(strstr(c->fault, words) != NULL, "\"%s\" does not say \"%s\"", c->fault, words);
}

/* The second line of three is damaged. */
static void one_bad_line(const char *line, size_t length, const char *words)
{
    char text[3 * CSV_LINE_MAX];
    memcpy(text, "a,b\n", 4);
    memcpy(text + 4, line, length);
    memcpy(text + 4 + length, "\nc,d\n", 5);
    csv *c = open_bytes(text, length + 9, 2);
    expect(c, 1, "a", "b");
    expect_bad(c, 2, words);
    expect(c, 3, "c", "d");
    close_csv(c);
}

START_TEST(plain_lines)
{
    csv *c = open_text("a,b\n,\r\n x , y \nlast,line", 2);
    expect(c, 1, "a", "b");
    expect(c, 2, "", "");
    expect(c, 3, " x ", " y ");
    expect(c, 4, "last", "line");
    ck_assert_uint_eq(c->bytes, 24);
    close_csv(c);
}
END_TEST

START_TEST(quotes)
{
    csv *c = open_text("\"a\",\"b\"\n\"\",\"x,y\"\n\"say \"\"hi\"\"\",\"\"\"\"\r\nx,\"\"\n\"\"\"\",z", 2);
    expect(c, 1, "a", "b");
    expect(c, 2, "", "x,y");
    expect(c, 3, "say \"hi\"", "\"");
    expect(c, 4, "x", "");
    expect(c, 5, "\"", "z");
    close_csv(c);
}
END_TEST

START_TEST(damaged_quotes)
{
    static const char *const open[] = {"\"a,b", "a,\"b", "a,\"", "a,\"b\"\"", "\"\"\",b", "a,\"\"\""};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        one_bad_line(open[i], strlen(open[i]), "not closed");
    one_bad_line("\"a\"x,b", 6, "follows the closing quote");
    one_bad_line("\"a\" ,b", 6, "follows the closing quote");
    one_bad_line("a,b\"", 4, "a quote in a field without quotes");
    one_bad_line("a, \"b\"", 6, "a quote in a field without quotes");
}
END_TEST

START_TEST(columns)
{
    one_bad_line("a", 1, "has 1 columns; it must have 2");
    one_bad_line("a,b,", 4, "more than 2 columns");
    one_bad_line("a,b,c", 5, "more than 2 columns");
    one_bad_line("", 0, "empty");
    one_bad_line("\r", 1, "empty");
}
END_TEST

START_TEST(bytes_that_no_text_has)
{
    one_bad_line("a\0,b", 4, "control character, 0x00");
    one_bad_line("a\tb,c", 5, "control character, 0x09");
    one_bad_line("a\rb,c", 5, "control character, 0x0d");
    one_bad_line("a,b\r\r", 5, "control character, 0x0d");
    one_bad_line("a\x7f,b", 4, "control character, 0x7f");
    one_bad_line("a\xc2\x9b,b", 5, "control character, 0x9b");
    one_bad_line("a\x1b[31m,b", 8, "control character, 0x1b");
}
END_TEST

START_TEST(only_utf_8)
{
    static const char *const bad[] = {"\xff,b",
                                      "\x80,b",
                                      "a,\xc3",
                                      "\xc0\xaf,b",
                                      "\xc1\xbf,b",
                                      "\xe0\x80\xaf,b",
                                      "\xed\xa0\x80,b",
                                      "\xe2\x82,b",
                                      "\xf4\x90\x80\x80,b",
                                      "\xf5\x80\x80\x80,b",
                                      "\xf0\x8f\xbf\xbf,b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        one_bad_line(bad[i], strlen(bad[i]), "not UTF-8");
    csv *c = open_text("\xc3\xa9t\xc3\xa9,\xe2\x82\xac\n\xf0\x9f\x8e\x9f,\xed\x9f\xbf\n\xf4\x8f\xbf\xbf,\xc2\xa0", 2);
    expect(c, 1, "\xc3\xa9t\xc3\xa9", "\xe2\x82\xac");
    expect(c, 2, "\xf0\x9f\x8e\x9f", "\xed\x9f\xbf");
    expect(c, 3, "\xf4\x8f\xbf\xbf", "\xc2\xa0");
    close_csv(c);
}
END_TEST

/* A line of `length` bytes, of two columns, with this end. */
static csv *long_line(size_t length, const char *end)
{
    char *text = malloc(length + 16);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    text[1] = ',';
    const size_t rest = (size_t)snprintf(text + length, 16, "%sc,d\n", end);
    csv *c = open_bytes(text, length + rest, 2);
    free(text);
    return c;
}

START_TEST(the_longest_line)
{
    static const char *const ends[] = {"\n", "\r\n"};
    for (size_t i = 0; i < 2; i++) {
        csv *c = long_line(CSV_LINE_MAX, ends[i]);
        ck_assert_int_eq(csv_next(c), CSV_ROW);
        ck_assert_uint_eq(strlen(c->field[1]), CSV_LINE_MAX - 2);
        expect(c, 2, "c", "d");
        close_csv(c);
        for (size_t beyond = 1; beyond < 4; beyond++) {
            c = long_line(CSV_LINE_MAX + beyond, ends[i]);
            expect_bad(c, 1, "4096 are the most");
            expect(c, 2, "c", "d");
            close_csv(c);
        }
        c = long_line(10 * CSV_LINE_MAX, ends[i]);
        expect_bad(c, 1, "4096 are the most");
        expect(c, 2, "c", "d");
        close_csv(c);
    }
}
END_TEST

START_TEST(no_bytes_and_no_file)
{
    csv *c = open_text("", 2);
    close_csv(c);
    FILE *folder = fopen("/", "r");
    csv *broken = malloc(sizeof *broken);
    ck_assert(folder != NULL && broken != NULL);
    csv_init(broken, folder, 2);
    ck_assert_int_eq(csv_next(broken), CSV_ERROR);
    fclose(folder);
    FILE *endless = fopen("/dev/zero", "r");
    ck_assert_ptr_nonnull(endless);
    csv_init(broken, endless, 2);
    ck_assert_int_eq(csv_next(broken), CSV_ERROR);
    ck_assert_int_eq(errno, EFBIG);
    fclose(endless);
    free(broken);
}
END_TEST

/* Whatever the bytes are, each line is a row or bad, and the lines are counted. */
START_TEST(any_bytes)
{
    static const char alphabet[] = "ab,\"\"\r\n\n\xc3\xa9\0";
    unsigned state = 1;
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t lines = 0, seen = 0;
        for (size_t i = 0; i < sizeof text; i++) {
            state = state * 1103515245 + 12345;
            text[i] = alphabet[state / 65536 % (sizeof alphabet - 1)];
            lines += text[i] == '\n';
        }
        lines += text[sizeof text - 1] != '\n';
        csv *c = open_bytes(text, sizeof text, 2);
        for (csv_result r; (r = csv_next(c)) != CSV_END; seen++)
            ck_assert(r == CSV_ROW || r == CSV_BAD);
        ck_assert_uint_eq(seen, lines);
        ck_assert_uint_eq(c->line, lines);
        close_csv(c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tests = tcase_create("csv");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, plain_lines);
    tcase_add_test(tests, quotes);
    tcase_add_test(tests, damaged_quotes);
    tcase_add_test(tests, columns);
    tcase_add_test(tests, bytes_that_no_text_has);
    tcase_add_test(tests, only_utf_8);
    tcase_add_test(tests, the_longest_line);
    tcase_add_test(tests, no_bytes_and_no_file);
    tcase_add_test(tests, any_bytes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
