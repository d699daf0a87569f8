/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of options: what it takes, what it refuses, and that no value is repeated that could be a secret. */
#include "options.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const option_spec own[] = {{"count", "N", ""}, {"replay", NULL, ""}, {NULL, NULL, NULL}};
static const option_spec common[] = {{"by", "ID:ROLE", ""}, {"json", NULL, ""}, {NULL, NULL, NULL}};

enum {
    MOST = 16
};

/* Parses words that blanks separate; "''" is the empty word. */
static bool parse(options *o, char *words, char *argv[MOST])
{
    int argc = 0;
    char *save = NULL;
    for (char *word = strtok_r(words, " ", &save); word != NULL && argc < MOST; word = strtok_r(NULL, " ", &save))
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return options_parse(o, own, common, argc, argv);
}

static void refused(const char *line, const char *words)
{
    options o;
    char text[200], *argv[MOST];
    snprintf(text, sizeof text, "%s", line);
    ck_assert_msg(!parse(&o, text, argv), "%s", line);
    ck_assert_msg(strstr(o.fault, words) != NULL, "%s: \"%s\" does not say \"%s\"", line, o.fault, words);
}

START_TEST(options_and_positionals)
{
    options o;
    char text[] = "store --count 3 sales.csv --replay --by=ann:seller -", *argv[MOST];
    ck_assert(parse(&o, text, argv));
    ck_assert_uint_eq(o.positionals, 3);
    ck_assert_str_eq(o.positional[0], "store");
    ck_assert_str_eq(o.positional[1], "sales.csv");
    ck_assert_str_eq(o.positional[2], "-");
    ck_assert_str_eq(options_get(&o, "count"), "3");
    ck_assert_str_eq(options_get(&o, "by"), "ann:seller");
    ck_assert_str_eq(options_get(&o, "replay"), "");
    ck_assert(options_has(&o, "replay") && !options_has(&o, "json"));
    ck_assert_ptr_null(options_get(&o, "json"));
}
END_TEST

START_TEST(values)
{
    options o;
    char text[] = "--count=a=b --by -", *argv[MOST];
    ck_assert(parse(&o, text, argv));
    ck_assert_str_eq(options_get(&o, "count"), "a=b");
    ck_assert_str_eq(options_get(&o, "by"), "-");
    char empty[] = "--count= --by ''";
    ck_assert(parse(&o, empty, argv));
    ck_assert_str_eq(options_get(&o, "count"), "");
    ck_assert_str_eq(options_get(&o, "by"), "");
    char dashes[] = "--by=--json";
    ck_assert(parse(&o, dashes, argv));
    ck_assert_str_eq(options_get(&o, "by"), "--json");
    ck_assert(!options_has(&o, "json"));
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    options o;
    char text[] = "--json -- --count -x --", *argv[MOST];
    ck_assert(parse(&o, text, argv));
    ck_assert_uint_eq(o.positionals, 3);
    ck_assert_str_eq(o.positional[0], "--count");
    ck_assert_str_eq(o.positional[1], "-x");
    ck_assert_str_eq(o.positional[2], "--");
}
END_TEST

START_TEST(refusals)
{
    refused("--nothing", "no option --nothing");
    refused("--coun 3", "no option --coun");
    refused("--counts 3", "no option --counts");
    refused("--=3", "no option --");
    refused("-n 3", "written --name");
    refused("--count", "--count needs a value: N");
    refused("--count --json", "--count needs a value");
    refused("--replay=yes", "--replay takes no value");
    refused("--count 1 --count 2", "--count is given twice");
    refused("--json --json", "--json is given twice");
}
END_TEST

START_TEST(no_value_is_repeated)
{
    static const char *const lines[] = {"--pin=S3CRET", "--replay=S3CRET", "--by S3CRET --by S3CRET",
                                        "--by=S3CRET --count"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        options o;
        char text[80], *argv[MOST];
        snprintf(text, sizeof text, "%s", lines[i]);
        ck_assert(!parse(&o, text, argv));
        ck_assert_ptr_null(strstr(o.fault, "S3CRET"));
    }
}
END_TEST

START_TEST(numbers)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "18446744073709551616", "99999999999999999999999", "one"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!number_parse(bad[i], &value), "%s", bad[i]);
    ck_assert_uint_eq(value, 7);
    ck_assert(number_parse("0", &value) && value == 0);
    ck_assert(number_parse("007", &value) && value == 7);
    ck_assert(number_parse("18446744073709551615", &value) && value == UINT64_MAX);
}
END_TEST

START_TEST(numbers_in_bounds)
{
    options o;
    uint64_t value = 42;
    char text[] = "--count 10 12", *argv[MOST];
    ck_assert(parse(&o, text, argv));
    ck_assert(options_number(&o, "absent", 1, 5, &value) && value == 42);
    ck_assert(options_number(&o, "count", 10, 10, &value) && value == 10);
    ck_assert(!options_number(&o, "count", 1, 9, &value));
    ck_assert_str_eq(o.fault, "--count is \"10\"; it must be a number from 1 to 9");
    ck_assert(!options_number(&o, "count", 11, 20, &value) && value == 10);
    ck_assert(options_positional(&o, 0, "UNIT", 1, 12, &value) && value == 12);
    ck_assert(options_positional(&o, 1, "UNIT", 1, 12, &value) && value == 12);
    ck_assert(!options_positional(&o, 0, "UNIT", 1, 11, &value));
    ck_assert_str_eq(o.fault, "UNIT is \"12\"; it must be a number from 1 to 11");
}
END_TEST

/* As many as there is room for, and one more. */
START_TEST(too_many)
{
    static option_spec many[OPTIONS_MAX + 2];
    static char name[OPTIONS_MAX + 1][8], flag[OPTIONS_MAX + 1][16];
    char *argv[OPTIONS_MAX + 1];
    options o;
    for (size_t i = 0; i <= OPTIONS_MAX; i++) {
        snprintf(name[i], sizeof name[i], "o%zu", i);
        snprintf(flag[i], sizeof flag[i], "--o%zu", i);
        many[i] = (option_spec){name[i], NULL, ""};
        argv[i] = flag[i];
    }
    ck_assert(options_parse(&o, many, common, OPTIONS_MAX, argv));
    ck_assert(!options_parse(&o, many, common, OPTIONS_MAX + 1, argv));
    ck_assert_ptr_nonnull(strstr(o.fault, "more than 32"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_test(tests, options_and_positionals);
    tcase_add_test(tests, values);
    tcase_add_test(tests, two_dashes_end_the_options);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, no_value_is_repeated);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, numbers_in_bounds);
    tcase_add_test(tests, too_many);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
