/* SPDX-License-Identifier: Apache-2.0 */
/* Times: milliseconds since the epoch, and RFC 3339 in UTC with exactly three decimals; no leap seconds. Pure but for the two clocks. */
#ifndef RF_BASE_TIMESTAMP_H
#define RF_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RF_TIME_LENGTH = 24 /* "2026-11-21T18:30:00.000Z" */
};
#define RF_TIME_MAX INT64_C(253402300799999) /* the end of the year 9999 */

/* Writes 24 characters, no NUL; false outside 0 … RF_TIME_MAX. */
bool rf_time_format(char *out, int64_t ms);
/* Reads exactly that form, and only dates and times that exist. */
bool rf_time_parse(const char *text, size_t length, int64_t *ms);
/* The same with an offset in minutes from UTC, "2026-11-21T18:30:00.000-07:00": 29 characters, no NUL. */
bool rf_time_format_local(char *out, int64_t ms, int32_t offset_minutes);

int64_t rf_clock_now(void);       /* the system's clock */
int64_t rf_clock_monotonic(void); /* milliseconds that pass while the machine sleeps, too */

#endif
