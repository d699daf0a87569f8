/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and files write them: RFC 3339. */
#ifndef CLI_TIMES_H
#define CLI_TIMES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TIME_SIZE = 32
};

/* RFC 3339 with any offset, `T` and `Z` in capitals, up to nine digits of a second, cut to milliseconds; 1970 to 9999. No leap seconds. */
bool time_parse(const char *text, int64_t *ms);

/* "2026-11-21T18:30:00.000Z"; "" for a time that cannot be written so. */
void time_format(int64_t ms, char out[TIME_SIZE]);

#endif
