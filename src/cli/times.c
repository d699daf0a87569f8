/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339, read by hand and written by libc's calendar. */
#include "times.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t last_ms = INT64_C(253402300799999); /* 9999-12-31T23:59:59.999Z */

/* `n` digits, whose value is min to max. */
static bool digits(const char **at, int n, int min, int max, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *out = value;
    return value >= min && value <= max;
}

static bool character(const char **at, char c)
{
    return *(*at)++ == c;
}

static bool fraction(const char **at, int *ms)
{
    *ms = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, n++)
        if (n < 3)
            *ms = *ms * 10 + (**at - '0');
    for (int i = n; i < 3; i++)
        *ms *= 10;
    return n >= 1 && n <= 9;
}

/* Minutes east of UTC. */
static bool offset(const char **at, int *minutes)
{
    const char sign = *(*at)++;
    int hours = 0, rest = 0;
    *minutes = 0;
    if (sign == 'Z')
        return true;
    if ((sign != '+' && sign != '-') || !digits(at, 2, 0, 23, &hours) || !character(at, ':') ||
        !digits(at, 2, 0, 59, &rest))
        return false;
    *minutes = (hours * 60 + rest) * (sign == '-' ? -1 : 1);
    return true;
}

static bool day_exists(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

bool time_parse(const char *text, int64_t *ms)
{
    int year, month, day, hour, minute, second, milli, east;
    const char *at = text;
    if (!digits(&at, 4, 1969, 9999, &year) || !character(&at, '-') || !digits(&at, 2, 1, 12, &month) ||
        !character(&at, '-') || !digits(&at, 2, 1, 31, &day) || !day_exists(year, month, day) || !character(&at, 'T'))
        return false;
    if (!digits(&at, 2, 0, 23, &hour) || !character(&at, ':') || !digits(&at, 2, 0, 59, &minute) ||
        !character(&at, ':') || !digits(&at, 2, 0, 59, &second) || !fraction(&at, &milli) || !offset(&at, &east) ||
        *at != 0)
        return false;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    const int64_t value = ((int64_t)timegm(&tm) - (int64_t)east * 60) * 1000 + milli;
    if (value < 0 || value > last_ms)
        return false;
    *ms = value;
    return true;
}

void time_format(int64_t ms, char out[TIME_SIZE])
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    out[0] = 0;
    if (ms < 0 || ms > last_ms || gmtime_r(&seconds, &tm) == NULL)
        return;
    const size_t n = strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, TIME_SIZE - n, ".%03dZ", (int)(ms % 1000));
}
