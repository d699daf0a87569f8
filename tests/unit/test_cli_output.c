/* SPDX-License-Identifier: Apache-2.0 */
/* What the command prints: money, tables, cleaned text, times, JSON; and the SHA-256 of a file. */
#include "output.h"
#include "sha256.h"
#include "times.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void money_is(int64_t minor, uint32_t digits, const char *currency, const char *expected)
{
    char text[MONEY_SIZE];
    money_format(minor, digits, currency, text);
    ck_assert_str_eq(text, expected);
}

static void html_is(const char *text, const char *expected)
{
    char *out = NULL;
    size_t length;
    FILE *to = open_memstream(&out, &length);
    html_text(text, to);
    fclose(to);
    ck_assert_str_eq(out, expected);
    free(out);
}

START_TEST(html)
{
    html_is("", "");
    html_is("Gala 50/50, \xc3\xa9", "Gala 50/50, \xc3\xa9");
    html_is("<b a='1' c=\"2\">&amp;", "&#60;b a=&#39;1&#39; c=&#34;2&#34;&#62;&#38;amp;");
}
END_TEST

START_TEST(money)
{
    money_is(0, 2, "CAD", "0.00 CAD");
    money_is(5, 2, "CAD", "0.05 CAD");
    money_is(1250, 2, "CAD", "12.50 CAD");
    money_is(-5, 2, "CAD", "-0.05 CAD");
    money_is(-123456, 2, "CAD", "-1,234.56 CAD");
    money_is(100000, 2, "", "1,000.00");
    money_is(1500, 0, "JPY", "1,500 JPY");
    money_is(1500, 3, "KWD", "1.500 KWD");
    money_is(1, 8, "XXX", "0.00000001 XXX");
    money_is(INT64_C(9007199254740991), 2, "CAD", "90,071,992,547,409.91 CAD");
    money_is(INT64_MAX, 0, "JPY", "9,223,372,036,854,775,807 JPY");
    money_is(INT64_MIN, 2, "CAD", "-92,233,720,368,547,758.08 CAD");
}
END_TEST

START_TEST(counts)
{
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1,000"},
                 {123456, "123,456"},
                 {1234567, "1,234,567"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    char text[MONEY_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        count_format(cases[i].count, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(nothing_steers_the_terminal)
{
    char text[] = "a\x1b[31m\nb\x7f\xc2\x9b"
                  "c\xc3\xa9\xc2\xa0";
    text_clean(text);
    ck_assert_str_eq(text, "a?[31m?b???c\xc3\xa9\xc2\xa0");
    char cut[] = "\xc2";
    text_clean(cut);
    ck_assert_str_eq(cut, "\xc2");
}
END_TEST

/* What a table prints. */
static void printed(table *t, char *out, size_t size)
{
    FILE *file = fmemopen(out, size, "w");
    ck_assert_ptr_nonnull(file);
    table_end(t, file);
    fclose(file);
}

START_TEST(tables)
{
    static const column columns[] = {{"name", false}, {"n", true}, {"rest", false}};
    char text[400];
    table t;
    table_begin(&t, columns, 3);
    table_add(&t, "%s", "\xc3\xa9t\xc3\xa9 long");
    table_add(&t, "%d", 5);
    table_add(&t, "%s", "");
    table_add(&t, "%s", "x\n");
    table_add(&t, "%d", 1000);
    table_add(&t, "%s", "end");
    printed(&t, text, sizeof text);
    ck_assert_str_eq(text, "name         n  rest\n"
                           "\xc3\xa9t\xc3\xa9 long     5\n"
                           "x?        1000  end\n");
}
END_TEST

START_TEST(tables_without_headings)
{
    static const column columns[] = {{NULL, false}, {NULL, true}};
    char text[400];
    table t;
    table_begin(&t, columns, 2);
    for (int i = 0; i < 200; i++)
        table_add(&t, "%d", i);
    char *big = malloc(4000);
    ck_assert_ptr_nonnull(big);
    printed(&t, big, 4000);
    ck_assert_int_eq(strncmp(big, "0      1\n2      3\n", 18), 0);
    free(big);
    table_begin(&t, columns, 2);
    memcpy(text, "x", 2);
    printed(&t, text, sizeof text);
    ck_assert_str_eq(text, "x"); /* nothing was written */
}
END_TEST

START_TEST(json_of_any_bytes)
{
    json_t *good = json_text("\xc3\xa9"), *bad = json_text("a\xff\xc3");
    ck_assert_str_eq(json_string_value(good), "\xc3\xa9");
    ck_assert_str_eq(json_string_value(bad), "a??");
    json_decref(good);
    json_decref(bad);
}
END_TEST

START_TEST(times_that_are)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T23:30:00-00:30", 0},
        {"2026-09-21T14:13:20.000Z", 1790000000000},
        {"2026-09-21T14:13:20Z", 1790000000000},
        {"2026-09-21T14:13:20.5Z", 1790000000500},
        {"2026-09-21T14:13:20.123456789Z", 1790000000123},
        {"2026-09-21T07:13:20.000-07:00", 1790000000000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1, again = -1;
        char text[TIME_SIZE];
        ck_assert_msg(time_parse(cases[i].text, &ms), "%s", cases[i].text);
        ck_assert_int_eq(ms, cases[i].ms);
        time_format(ms, text);
        ck_assert(time_parse(text, &again));
        ck_assert_int_eq(again, ms);
    }
}
END_TEST

START_TEST(times_that_are_not)
{
    static const char *const bad[] = {
        "",
        "2026-09-21",
        "2026-09-21T14:13:20",
        "2026-09-21 14:13:20Z",
        "2026-09-21t14:13:20z",
        "2026-9-21T14:13:20Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-09-21T24:00:00Z",
        "2026-09-21T14:60:00Z",
        "2026-09-21T14:13:60Z",
        "2026-09-21T14:13:20.Z",
        "2026-09-21T14:13:20.1234567890Z",
        "2026-09-21T14:13:20+24:00",
        "2026-09-21T14:13:20+02:60",
        "2026-09-21T14:13:20+0200",
        "2026-09-21T14:13:20Z ",
        "2026-09-21T14:13:20ZZ",
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59-00:01",
        "-026-09-21T14:13:20Z",
        "2026-09-21T14:13",
    };
    int64_t ms = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!time_parse(bad[i], &ms), "%s", bad[i]);
    ck_assert_int_eq(ms, 7);
    char text[TIME_SIZE];
    time_format(-1, text);
    ck_assert_str_eq(text, "");
    time_format(INT64_MAX, text);
    ck_assert_str_eq(text, "");
}
END_TEST

static void hash_is(const char *bytes, size_t repeat, const char *expected)
{
    char path[] = "/tmp/test_cli_output.XXXXXX", text[65];
    uint8_t hash[32];
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < repeat; i++)
        ck_assert_uint_eq(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    fclose(file);
    ck_assert(sha256_file(path, hash));
    unlink(path);
    hex_format(hash, sizeof hash, text);
    ck_assert_str_eq(text, expected);
}

/* FIPS 180-4's examples, and the lengths around a block's end (checked against another implementation). */
START_TEST(sha256_of_files)
{
    uint8_t hash[32];
    hash_is("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_is("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    hash_is("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    hash_is("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    hash_is("a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
    hash_is("a", 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
    hash_is("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    hash_is("a", 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
    hash_is("a", 120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c");
    ck_assert(!sha256_file("/nowhere/at/all", hash));
    ck_assert(!sha256_file("/", hash));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *tests = tcase_create("output");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, html);
    tcase_add_test(tests, money);
    tcase_add_test(tests, counts);
    tcase_add_test(tests, nothing_steers_the_terminal);
    tcase_add_test(tests, tables);
    tcase_add_test(tests, tables_without_headings);
    tcase_add_test(tests, json_of_any_bytes);
    tcase_add_test(tests, times_that_are);
    tcase_add_test(tests, times_that_are_not);
    tcase_add_test(tests, sha256_of_files);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
