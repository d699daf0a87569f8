/* SPDX-License-Identifier: Apache-2.0 */
/* Times: RFC 3339 with three decimals from and to milliseconds, on the proleptic Gregorian calendar, and the two clocks. */
#include "timestamp.h"

#include <string.h>
#include <time.h>

enum {
    MINUTE_MS = 60000,
    DAY_MS = 86400000,
    EPOCH_DAY = 719468, /* days from 0000-03-01 to 1970-01-01 */
    ERA_DAYS = 146097   /* days in 400 years */
};

static void put_digits(char *out, uint32_t value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
}

/* The number in `digits` digits at `text`; sets *ok to false where there are others. */
static uint32_t get_digits(const char *text, int digits, bool *ok)
{
    uint32_t value = 0;
    for (int i = 0; i < digits; i++) {
        uint32_t digit = (uint32_t)(unsigned char)text[i] - '0';
        if (digit > 9)
            *ok = false;
        value = value * 10 + digit;
    }
    return value;
}

/* A date from days since 0000-03-01: years begin in March, so that the leap day is a year's last. */
static void date_of(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint32_t era = days / ERA_DAYS, day_of_era = days % ERA_DAYS;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    uint32_t year_of_era = year % 400;
    uint32_t march_month = month > 2 ? month - 3 : month + 9;
    uint32_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    return year / 400 * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "2026-11-21T18:30:00.000": 23 characters, of milliseconds since 0000-03-01. */
static void format_date_time(char *out, uint64_t ms)
{
    uint32_t year, month, day, rest = (uint32_t)(ms % DAY_MS);
    date_of((uint32_t)(ms / DAY_MS), &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000", 23);
    put_digits(out, year, 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, day, 2);
    put_digits(out + 11, rest / 3600000, 2);
    put_digits(out + 14, rest / MINUTE_MS % 60, 2);
    put_digits(out + 17, rest / 1000 % 60, 2);
    put_digits(out + 20, rest % 1000, 3);
}

static uint64_t since_year_0(int64_t ms)
{
    return (uint64_t)(ms + (int64_t)EPOCH_DAY * DAY_MS);
}

bool rf_time_format(char *out, int64_t ms)
{
    if (ms < 0 || ms > RF_TIME_MAX)
        return false;
    format_date_time(out, since_year_0(ms));
    out[23] = 'Z';
    return true;
}

bool rf_time_parse(const char *text, size_t length, int64_t *ms)
{
    if (length != RF_TIME_LENGTH || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
        text[16] != ':' || text[19] != '.' || text[23] != 'Z')
        return false;
    bool ok = true;
    uint32_t year = get_digits(text, 4, &ok), month = get_digits(text + 5, 2, &ok), day = get_digits(text + 8, 2, &ok);
    uint32_t hour = get_digits(text + 11, 2, &ok), minute = get_digits(text + 14, 2, &ok);
    uint32_t second = get_digits(text + 17, 2, &ok), milli = get_digits(text + 20, 3, &ok);
    if (!ok || year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t days = (int64_t)days_of(year, month, day) - EPOCH_DAY;
    *ms = days * DAY_MS + ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + milli;
    return true;
}

bool rf_time_format_local(char *out, int64_t ms, int32_t offset_minutes)
{
    if (ms < 0 || ms > RF_TIME_MAX || offset_minutes <= -24 * 60 || offset_minutes >= 24 * 60)
        return false;
    int64_t local = ms + (int64_t)offset_minutes * MINUTE_MS;
    if (local > RF_TIME_MAX)
        return false;
    uint32_t offset = (uint32_t)(offset_minutes < 0 ? -offset_minutes : offset_minutes);
    format_date_time(out, since_year_0(local));
    out[23] = offset_minutes < 0 ? '-' : '+';
    put_digits(out + 24, offset / 60, 2);
    out[26] = ':';
    put_digits(out + 27, offset % 60, 2);
    return true;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t rf_clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t rf_clock_monotonic(void)
{
    return read_clock(CLOCK_BOOTTIME);
}
