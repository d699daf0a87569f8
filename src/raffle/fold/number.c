/* SPDX-License-Identifier: Apache-2.0 */
/* Draw numbers as they are printed, and as they are typed: zeros of the padding may be missing, nothing else. */
#include "number.h"

#include "bytes.h"
#include "error.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    DIGITS = 7 /* at least; zeros fill up */
};

raffle_rc raffle_number_format(uint32_t unit, uint64_t number, char out[RAFFLE_NUMBER_SIZE], raffle_error *err)
{
    if (out == NULL)
        return rf_null(err, "out");
    if (unit < 1 || unit > RAFFLE_UNIT_MAX)
        return rf_fail(err, RAFFLE_INVALID, "there is no sales unit %" PRIu32 ": they are numbered 1 to %d", unit,
                       RAFFLE_UNIT_MAX);
    if (number < 1 || number > RF_NUMBER_MAX)
        return rf_fail(err, RAFFLE_INVALID, "there is no draw number %" PRIu64 ": they are counted from 1 to %" PRIu64,
                       number, RF_NUMBER_MAX);
    memset(out, 0, RAFFLE_NUMBER_SIZE);
    snprintf(out, RAFFLE_NUMBER_SIZE, "%" PRIu32 "-%0*" PRIu64, unit, DIGITS, number);
    return RAFFLE_OK;
}

/* Digits with zeros before them only as far as the padding goes. */
static bool parse_padded(const char *text, size_t length, uint64_t *number)
{
    size_t zeros = 0;
    while (zeros + 1 < length && text[zeros] == '0')
        zeros++;
    if (zeros > 0 && length > DIGITS)
        return false;
    return rf_decimal_parse(text + zeros, length - zeros, RF_NUMBER_MAX, number) && *number >= 1;
}

raffle_rc raffle_number_parse(const char *text, uint32_t *unit, uint64_t *number, raffle_error *err)
{
    if (text == NULL || unit == NULL || number == NULL)
        return rf_null(err, text == NULL ? "text" : unit == NULL ? "unit" : "number");
    const size_t length = strnlen(text, RAFFLE_NUMBER_SIZE);
    const char *hyphen = memchr(text, '-', length);
    const size_t head = hyphen == NULL ? 0 : (size_t)(hyphen - text);
    uint64_t u = 0, n = 0;
    if (length == RAFFLE_NUMBER_SIZE || hyphen == NULL || !rf_decimal_parse(text, head, RAFFLE_UNIT_MAX, &u) ||
        u == 0 || !parse_padded(hyphen + 1, length - head - 1, &n))
        return rf_fail(err, RAFFLE_INVALID, "\"%.*s\" is no draw number, which looks like 1-0000042", (int)length,
                       text);
    *unit = (uint32_t)u;
    *number = n;
    return RAFFLE_OK;
}
