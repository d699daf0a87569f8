/* SPDX-License-Identifier: Apache-2.0 */
/* Times against libc's calendar for every day until the year 9999, and what is near a time but none. */
#include "timestamp.h"
#include "vectors.h"

#include <time.h>

#define DAY_MS INT64_C(86400000)

static bool parses(const char *text)
{
    int64_t ms;
    return rf_time_parse(text, strlen(text), &ms);
}

START_TEST(every_day_as_libc_has_it)
{
    for (int64_t day = 0; day <= RF_TIME_MAX / DAY_MS; day++) {
        /* A different time on each day. */
        int64_t ms = day * DAY_MS + day * 7919 % DAY_MS, back = -1;
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;
        char expected[64], text[RF_TIME_LENGTH + 1] = "";
        size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
        snprintf(expected + n, sizeof expected - n, ".%03dZ", (int)(ms % 1000));
        ck_assert(rf_time_format(text, ms));
        ck_assert_str_eq(text, expected);
        ck_assert(rf_time_parse(text, RF_TIME_LENGTH, &back));
        ck_assert_int_eq(back, ms);
    }
}
END_TEST

START_TEST(the_ends_of_time)
{
    char text[RF_TIME_LENGTH + 1] = "";
    ck_assert(rf_time_format(text, 0));
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    ck_assert(rf_time_format(text, RF_TIME_MAX));
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    ck_assert(rf_time_format(text, 1790000000000));
    ck_assert_str_eq(text, "2026-09-21T14:13:20.000Z");
    ck_assert(!rf_time_format(text, -1) && !rf_time_format(text, RF_TIME_MAX + 1));
    ck_assert(!rf_time_format(text, INT64_MIN) && !rf_time_format(text, INT64_MAX));
}
END_TEST

START_TEST(only_this_form_is_read)
{
    static const char *const bad[] = {
        "",
        "2026-11-21T18:30:00.000",
        "2026-11-21T18:30:00.000Z ",
        " 2026-11-21T18:30:00.00Z",
        "2026-11-21T18:30:00Z",
        "2026-11-21T18:30:00.00Z",
        "2026-11-21T18:30:00.0000Z",
        "2026-11-21T18:30:00.000z",
        "2026-11-21t18:30:00.000Z",
        "2026-11-21 18:30:00.000Z",
        "2026-11-21T18:30:00,000Z",
        "2026-11-21T18:30:00.000+00:00",
        "2026/11/21T18:30:00.000Z",
        "2026-11-21T18.30.00.000Z",
        "+026-11-21T18:30:00.000Z",
        "2026-1 -21T18:30:00.000Z",
        "2026-11-21T18:30:0:.000Z",
        "2026-11-21T18:30:00.-01Z",
    };
    ck_assert(parses("2026-11-21T18:30:00.000Z"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!parses(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(only_times_that_exist_are_read)
{
    static const char *const good[] = {"2024-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z",
                                       "1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"};
    static const char *const bad[] = {
        "2026-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z", "2026-04-31T00:00:00.000Z", "2026-11-21T24:00:00.000Z",
        "2026-11-21T23:60:00.000Z", "2016-12-31T23:59:60.000Z", "1969-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(parses(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!parses(bad[i]), "%s", bad[i]);
}
END_TEST

/* Every byte that is changed gives another time that formats as it was read, or none. */
START_TEST(every_changed_byte)
{
    char text[] = "2026-11-21T18:30:00.000Z", back[RF_TIME_LENGTH];
    for (size_t i = 0; i < RF_TIME_LENGTH; i++) {
        char before = text[i];
        for (int c = 0; c < 256; c++) {
            int64_t ms;
            text[i] = (char)c;
            if (!rf_time_parse(text, RF_TIME_LENGTH, &ms))
                continue;
            ck_assert(rf_time_format(back, ms));
            ck_assert_mem_eq(back, text, RF_TIME_LENGTH);
        }
        text[i] = before;
    }
}
END_TEST

START_TEST(local_times)
{
    static const struct {
        int64_t ms;
        int32_t offset;
        const char *text;
    } cases[] = {{1790000000000, -420, "2026-09-21T07:13:20.000-07:00"},
                 {1790000000000, 0, "2026-09-21T14:13:20.000+00:00"},
                 {1790000000123, 345, "2026-09-21T19:58:20.123+05:45"},
                 {1790000000000, 840, "2026-09-22T04:13:20.000+14:00"},
                 {0, -420, "1969-12-31T17:00:00.000-07:00"},
                 {0, -1439, "1969-12-31T00:01:00.000-23:59"},
                 {RF_TIME_MAX, -1, "9999-12-31T23:58:59.999-00:01"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[30] = "";
        ck_assert(rf_time_format_local(text, cases[i].ms, cases[i].offset));
        ck_assert_str_eq(text, cases[i].text);
    }
    char text[30];
    ck_assert(!rf_time_format_local(text, -1, 0) && !rf_time_format_local(text, RF_TIME_MAX, 1));
    ck_assert(!rf_time_format_local(text, 0, 1440) && !rf_time_format_local(text, 0, -1440));
    ck_assert(!rf_time_format_local(text, 0, INT32_MIN) && !rf_time_format_local(text, INT64_MAX, 0));
}
END_TEST

START_TEST(clocks)
{
    int64_t before = (int64_t)time(NULL) * 1000, now = rf_clock_now();
    ck_assert_int_ge(now, before - 1000);
    ck_assert_int_le(now, before + 60000);
    int64_t first = rf_clock_monotonic(), last = first;
    for (int i = 0; i < 1000; i++) {
        int64_t next = rf_clock_monotonic();
        ck_assert_int_ge(next, last);
        last = next;
    }
    ck_assert_int_gt(first, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, every_day_as_libc_has_it);
    tcase_add_test(tests, the_ends_of_time);
    tcase_add_test(tests, only_this_form_is_read);
    tcase_add_test(tests, only_times_that_exist_are_read);
    tcase_add_test(tests, every_changed_byte);
    tcase_add_test(tests, local_times);
    tcase_add_test(tests, clocks);
}

int main(void)
{
    return run_tests("timestamp", add);
}
