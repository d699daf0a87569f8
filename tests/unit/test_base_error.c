/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and their words, and what a raffle_error holds after a failure: whole characters, nothing else, in its place. */
#include "bytes.h"
#include "error.h"
#include "vectors.h"

START_TEST(names_and_texts)
{
    ck_assert_str_eq(raffle_rc_name(RAFFLE_OK), "RAFFLE_OK");
    ck_assert_str_eq(raffle_rc_name(RAFFLE_WINDOW), "RAFFLE_WINDOW");
    ck_assert_str_eq(raffle_rc_name(RAFFLE_RNG_SEED), "RAFFLE_RNG_SEED");
    ck_assert_str_eq(raffle_rc_text(RAFFLE_WINDOW), "outside the sales window");
    ck_assert_str_eq(raffle_rc_name(-1), "RAFFLE_?");
    ck_assert_str_eq(raffle_rc_name(11), "RAFFLE_?");
    ck_assert_str_eq(raffle_rc_text(INT32_MAX), "unknown status");
}
END_TEST

/* The numbers of the header are frozen: each block is without gaps, and every number has a name and a text of its own. */
START_TEST(every_status_is_in_the_table)
{
    static const struct {
        raffle_rc first, last;
    } blocks[] = {{0, 10}, {20, 37}, {40, 48}, {60, 70}, {80, 83}};
    size_t known = 0, expected = 0;
    for (raffle_rc rc = -5; rc < 200; rc++)
        known += strcmp(raffle_rc_name(rc), "RAFFLE_?") != 0;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        for (raffle_rc rc = blocks[i].first; rc <= blocks[i].last; rc++, expected++) {
            ck_assert_msg(strncmp(raffle_rc_name(rc), "RAFFLE_", 7) == 0 && raffle_rc_name(rc)[7] != '?', "%d", rc);
            for (raffle_rc other = 0; other < rc; other++) {
                ck_assert_str_ne(raffle_rc_name(rc), raffle_rc_name(other));
                ck_assert(strcmp(raffle_rc_text(other), "unknown status") == 0 ||
                          strcmp(raffle_rc_text(rc), raffle_rc_text(other)) != 0);
            }
        }
    }
    ck_assert_uint_eq(known, expected);
}
END_TEST

START_TEST(macro_and_function_are_equal)
{
    raffle_error by_macro = RAFFLE_ERROR_INIT, by_function;
    memset(&by_function, 0xff, sizeof by_function);
    raffle_error_init(&by_function, sizeof by_function);
    ck_assert_mem_eq(&by_macro, &by_function, sizeof by_macro);
    raffle_error_init(NULL, sizeof by_function);
}
END_TEST

START_TEST(failing_fills_every_field)
{
    raffle_error err = {sizeof err, 7, 7, 7, 7, "old words"};
    ck_assert_int_eq(rf_fail(&err, RAFFLE_INVALID, "unit %d of '%s'", 3, "gala"), RAFFLE_INVALID);
    ck_assert_int_eq(err.rc, RAFFLE_INVALID);
    ck_assert_str_eq(err.message, "unit 3 of 'gala'");
    ck_assert(err.detail == 0 && err.reserved == 0 && err.token == 0);
    ck_assert_int_eq(rf_fail_at(&err, RAFFLE_LIMIT, 42, "line %d", 42), RAFFLE_LIMIT);
    ck_assert_uint_eq(err.detail, 42);
    ck_assert_int_eq(raffle_error_set(&err, RAFFLE_HOST, UINT64_MAX, "the host said no"), RAFFLE_HOST);
    ck_assert(err.token == UINT64_MAX && err.detail == 0);
    ck_assert_str_eq(err.message, "the host said no");
    ck_assert_int_eq(raffle_error_set(&err, RAFFLE_IO, 0, NULL), RAFFLE_IO);
    ck_assert_str_eq(err.message, raffle_rc_text(RAFFLE_IO));
}
END_TEST

START_TEST(null_and_out_of_memory)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    ck_assert_int_eq(rf_null(&err, "sales"), RAFFLE_MISUSE);
    ck_assert_str_eq(err.message, "sales is NULL");
    ck_assert_int_eq(rf_nomem(&err), RAFFLE_NOMEM);
    ck_assert_str_eq(err.message, "out of memory");
}
END_TEST

START_TEST(without_an_error_only_the_status)
{
    ck_assert_int_eq(rf_fail(NULL, RAFFLE_IO, "%s", "x"), RAFFLE_IO);
    ck_assert_int_eq(rf_fail_at(NULL, RAFFLE_IO, 1, "%s", "x"), RAFFLE_IO);
    ck_assert_int_eq(rf_null(NULL, "x"), RAFFLE_MISUSE);
    ck_assert_int_eq(rf_nomem(NULL), RAFFLE_NOMEM);
    ck_assert_int_eq(raffle_error_set(NULL, RAFFLE_IO, 0, "x"), RAFFLE_IO);
}
END_TEST

START_TEST(an_error_without_its_size_is_not_written)
{
    raffle_error err, before;
    memset(&err, 0, sizeof err);
    err.struct_size = sizeof err - 1;
    before = err;
    ck_assert_int_eq(rf_fail(&err, RAFFLE_IO, "x"), RAFFLE_IO);
    ck_assert_mem_eq(&err, &before, sizeof err);
}
END_TEST

/* A message of `n` plain characters and then a character of 1 to 4 bytes, which stays whole or is left out. */
START_TEST(messages_are_cut_at_a_character)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    raffle_error err = RAFFLE_ERROR_INIT;
    const size_t room = sizeof err.message - 1;
    for (size_t n = room - 6; n <= room + 6; n++) {
        for (size_t bytes = 1; bytes <= 4; bytes++) {
            char text[512];
            memset(text, 'a', n);
            memcpy(text + n, characters[bytes - 1], bytes + 1);
            size_t expected = n + bytes <= room ? n + bytes : n < room ? n : room;
            rf_fail(&err, RAFFLE_INVALID, "%s", text);
            ck_assert_uint_eq(strlen(err.message), expected);
            ck_assert(rf_utf8_valid(err.message, expected));
            raffle_error_set(&err, RAFFLE_HOST, 1, text);
            ck_assert_uint_eq(strlen(err.message), expected);
        }
    }
}
END_TEST

START_TEST(long_messages_of_two_bytes_a_character_fill_the_room)
{
    char text[2000];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 2 == 0 ? '\xc2' : '\x85'; /* U+0085, a control character */
    text[sizeof text - 1] = '\0';
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_fail(&err, RAFFLE_INVALID, "%s", text);
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);
    ck_assert_uint_eq(strspn(err.message, "?"), sizeof err.message - 1);
}
END_TEST

START_TEST(control_characters_and_bad_bytes_become_question_marks)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_fail(&err, RAFFLE_INVALID, "a%sb", "\n\x1b[0m\x7f\xc2\x9b\xff\xe2\x82");
    ck_assert_str_eq(err.message, "a??[0m?????b");
    rf_fail(&err, RAFFLE_INVALID, "%s", "\xc3\xa9\xe2\x82\xac");
    ck_assert_str_eq(err.message, "\xc3\xa9\xe2\x82\xac");
}
END_TEST

START_TEST(a_message_may_quote_the_message_before)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_fail(&err, RAFFLE_IO, "disk");
    rf_fail(&err, RAFFLE_CORRUPT, "log 1: %s", err.message);
    ck_assert_str_eq(err.message, "log 1: disk");
    raffle_error_set(&err, RAFFLE_HOST, 0, err.message + 4);
    ck_assert_str_eq(err.message, "1: disk");
}
END_TEST

START_TEST(a_failure_is_passed_on_whole)
{
    raffle_error from = RAFFLE_ERROR_INIT, to = RAFFLE_ERROR_INIT;
    raffle_error_set(&from, RAFFLE_HOST, 99, "the host said no");
    from.detail = 3;
    ck_assert_int_eq(rf_fail_as(&to, &from), RAFFLE_HOST);
    ck_assert_mem_eq(&to, &from, sizeof to);
    ck_assert_int_eq(rf_fail_as(NULL, &from), RAFFLE_HOST);
}
END_TEST

START_TEST(what_a_hosts_function_said_is_handed_on)
{
    raffle_error theirs = RAFFLE_ERROR_INIT, err = RAFFLE_ERROR_INIT;
    raffle_error_set(&theirs, RAFFLE_IO, 99, "no tape");
    ck_assert_int_eq(rf_fail_host(&err, "the backup could not be written", &theirs), RAFFLE_HOST);
    ck_assert_int_eq(err.rc, RAFFLE_HOST);
    ck_assert_str_eq(err.message, "the backup could not be written: no tape");
    ck_assert_uint_eq(err.token, 99);
    memset(theirs.message, 'x', sizeof theirs.message); /* without an end */
    ck_assert_int_eq(rf_fail_host(NULL, "x", &theirs), RAFFLE_HOST);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, what_a_hosts_function_said_is_handed_on);
    tcase_add_test(tests, names_and_texts);
    tcase_add_test(tests, every_status_is_in_the_table);
    tcase_add_test(tests, macro_and_function_are_equal);
    tcase_add_test(tests, failing_fills_every_field);
    tcase_add_test(tests, null_and_out_of_memory);
    tcase_add_test(tests, without_an_error_only_the_status);
    tcase_add_test(tests, an_error_without_its_size_is_not_written);
    tcase_add_test(tests, messages_are_cut_at_a_character);
    tcase_add_test(tests, long_messages_of_two_bytes_a_character_fill_the_room);
    tcase_add_test(tests, control_characters_and_bad_bytes_become_question_marks);
    tcase_add_test(tests, a_message_may_quote_the_message_before);
    tcase_add_test(tests, a_failure_is_passed_on_whole);
}

int main(void)
{
    return run_tests("error", add);
}
