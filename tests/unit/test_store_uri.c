/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of stores. */
#include "uri.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rf_uri uri;

static void parse(const char *text)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_uri_parse(&uri, text, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", text, err.message);
}

static void refuse(const char *text, const char *names)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    ck_assert_int_eq(rf_uri_parse(&uri, text, &err), RAFFLE_INVALID);
    ck_assert_msg(strstr(err.message, names) != NULL, "%s: %s", text, err.message);
}

START_TEST(scheme_and_rest)
{
    parse("sqlite:/var/lib/gala.raffle");
    ck_assert_str_eq(uri.scheme, "sqlite");
    ck_assert_str_eq(rf_uri_rest(&uri), "/var/lib/gala.raffle");
    ck_assert_uint_eq(uri.queries, 0);
    ck_assert_ptr_null(rf_uri_fragment(&uri));
}
END_TEST

START_TEST(query_and_fragment)
{
    parse("postgresql://db.example:5432/raffles?sslmode=require&x=#raffle.example/gala");
    ck_assert_str_eq(rf_uri_rest(&uri), "//db.example:5432/raffles");
    ck_assert_str_eq(rf_uri_get(&uri, "sslmode"), "require");
    ck_assert_str_eq(rf_uri_get(&uri, "x"), "");
    ck_assert_ptr_null(rf_uri_get(&uri, "y"));
    ck_assert_str_eq(rf_uri_fragment(&uri), "raffle.example/gala");
}
END_TEST

START_TEST(escapes_are_decoded)
{
    parse("sqlite:a%20b%3fc%23?anchor=file:%2Ftmp%26%3D&k%65y=%C3%A9");
    ck_assert_str_eq(rf_uri_rest(&uri), "a b?c#");
    ck_assert_str_eq(rf_uri_get(&uri, "anchor"), "file:/tmp&=");
    ck_assert_str_eq(rf_uri_get(&uri, "key"), "\xc3\xa9");
}
END_TEST

START_TEST(value_may_hold_equals_and_question_marks)
{
    parse("sqlite:p?anchor=a=b?c");
    ck_assert_str_eq(rf_uri_get(&uri, "anchor"), "a=b?c");
}
END_TEST

START_TEST(copy_of_a_uri)
{
    parse("sqlite:p?a=1");
    rf_uri copy = uri;
    memset(&uri, 0xff, sizeof uri);
    ck_assert_str_eq(rf_uri_rest(&copy), "p");
    ck_assert_str_eq(rf_uri_get(&copy, "a"), "1");
}
END_TEST

START_TEST(bad_escapes)
{
    refuse("sqlite:a%", "a%");
    refuse("sqlite:a%2", "a%2");
    refuse("sqlite:a%2g", "a%2g");
    refuse("sqlite:a%g2", "a%g2");
    refuse("sqlite:a?b=%f&c=1", "%f");
    refuse("sqlite:a%00b", "NUL");
}
END_TEST

START_TEST(bad_pairs)
{
    refuse("sqlite:a?", "key=value");
    refuse("sqlite:a?b", "\"b\"");
    refuse("sqlite:a?=b", "=b");
    refuse("sqlite:a?b=1&", "key=value");
    refuse("sqlite:a?b=1&&c=1", "key=value");
    refuse("sqlite:a?b=1&b=2", "\"b\"");
    refuse("sqlite:a?b=1&%62=2", "\"b\"");
}
END_TEST

START_TEST(what_is_a_scheme)
{
    ck_assert(rf_uri_has_scheme("sqlite:x"));
    ck_assert(rf_uri_has_scheme("a+b-c.d:"));
    ck_assert(!rf_uri_has_scheme("gala.raffle"));
    ck_assert(!rf_uri_has_scheme("./a:b"));
    ck_assert(!rf_uri_has_scheme("1a:b"));
    ck_assert(!rf_uri_has_scheme(":b"));
    ck_assert(!rf_uri_has_scheme(""));
    refuse("gala.raffle", "gala.raffle");
    refuse("an-unreasonably-long-scheme-of-more-than-31:x", "an-unreasonably");
}
END_TEST

START_TEST(bounds)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    char text[RF_URI_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "sqlite:", 7);
    text[RF_URI_MAX] = '\0';
    ck_assert_int_eq(rf_uri_parse(&uri, text, &err), RAFFLE_OK);
    ck_assert_uint_eq(strlen(rf_uri_rest(&uri)), RF_URI_MAX - 7);
    text[RF_URI_MAX] = 'a';
    text[RF_URI_MAX + 1] = '\0';
    ck_assert_int_eq(rf_uri_parse(&uri, text, &err), RAFFLE_LIMIT);
    ck_assert_int_eq(rf_uri_parse(&uri, "s:?a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=", &err), RAFFLE_OK);
    ck_assert_int_eq(rf_uri_parse(&uri, "s:?a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=&q=", &err), RAFFLE_LIMIT);
}
END_TEST

/* The most parts that fit: every part costs a NUL. */
START_TEST(fullest_uri_fits)
{
    char text[RF_URI_MAX + 1] = "s:r?";
    for (char c = 'a'; c <= 'p'; c++)
        sprintf(text + strlen(text), "%c=%s", c, c < 'p' ? "&" : "");
    size_t length = strlen(text);
    memset(text + length, 'v', RF_URI_MAX - length);
    text[RF_URI_MAX - 2] = '#';
    text[RF_URI_MAX] = '\0';
    parse(text);
    ck_assert_str_eq(rf_uri_fragment(&uri), "v");
    ck_assert_uint_le(uri.used, sizeof uri.text);
}
END_TEST

START_TEST(unknown_keys_are_named)
{
    static const char *const known[] = {"anchor", "create", NULL};
    raffle_error err = RAFFLE_ERROR_INIT;
    parse("sqlite:p?anchor=x&creat=1");
    ck_assert_int_eq(rf_uri_only(&uri, known, &err), RAFFLE_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "\"creat\""));
    parse("sqlite:p?anchor=x&create=1");
    ck_assert_int_eq(rf_uri_only(&uri, known, &err), RAFFLE_OK);
}
END_TEST

START_TEST(flags)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    bool value = true;
    parse("sqlite:p?a=0&b=1&c=yes&d=");
    ck_assert_int_eq(rf_uri_flag(&uri, "a", &value, &err), RAFFLE_OK);
    ck_assert(!value);
    ck_assert_int_eq(rf_uri_flag(&uri, "missing", &value, &err), RAFFLE_OK);
    ck_assert(!value);
    ck_assert_int_eq(rf_uri_flag(&uri, "b", &value, &err), RAFFLE_OK);
    ck_assert(value);
    ck_assert_int_eq(rf_uri_flag(&uri, "c", &value, &err), RAFFLE_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "\"yes\""));
    ck_assert_int_eq(rf_uri_flag(&uri, "d", &value, &err), RAFFLE_INVALID);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_uri");
    TCase *c = tcase_create("uri");
    const TTest *const tests[] = {scheme_and_rest,
                                  query_and_fragment,
                                  escapes_are_decoded,
                                  value_may_hold_equals_and_question_marks,
                                  copy_of_a_uri,
                                  bad_escapes,
                                  bad_pairs,
                                  what_is_a_scheme,
                                  bounds,
                                  fullest_uri_fits,
                                  unknown_keys_are_named,
                                  flags};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
