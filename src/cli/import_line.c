/* SPDX-License-Identifier: Apache-2.0 */
/* What must stand in a line of an import. */
#include "import_line.h"

#include "cli.h"
#include "options.h"
#include "times.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[IMPORT_COLUMNS] = {"kind",    "at",    "unit",    "order",  "tier", "count",
                                                  "payment", "buyer", "channel", "reason", "by"};

__attribute__((format(printf, 2, 3))) static bool bad(raffle_error *err, const char *format, ...)
{
    char message[200];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    (void)raffle_error_set(err, RAFFLE_INVALID, 0, message);
    return false;
}

bool import_header(const char *const *field, raffle_error *err)
{
    for (size_t i = 0; i < IMPORT_COLUMNS; i++)
        if (strcmp(field[i], names[i]) != 0)
            return bad(err, "column %zu of the header is \"%.40s\"; it must be \"%s\"", i + 1, field[i], names[i]);
    return true;
}

static bool take_text(const char *const *field, size_t col, size_t max, char *out, bool needed, raffle_error *err)
{
    const size_t length = strlen(field[col]);
    if (length == 0 && needed)
        return bad(err, "%s is empty", names[col]);
    if (length > max)
        return bad(err, "%s has %zu bytes; %zu are the most", names[col], length, max);
    memcpy(out, field[col], length + 1);
    return true;
}

static bool take_number(const char *const *field, size_t col, uint32_t max, uint32_t *out, raffle_error *err)
{
    uint64_t value;
    if (!number_parse(field[col], &value) || value < 1 || value > max)
        return bad(err, "%s is \"%.20s\"; it must be a number from 1 to %u", names[col], field[col], max);
    *out = (uint32_t)value;
    return true;
}

static bool must_be_empty(const char *const *field, size_t first, size_t last, const char *kind, raffle_error *err)
{
    for (size_t i = first; i <= last; i++)
        if (field[i][0] != 0)
            return bad(err, "%s is \"%.20s\"; it must be empty in a line of kind %s", names[i], field[i], kind);
    return true;
}

static bool read_sale(const char *const *field, import_line *out, raffle_error *err)
{
    raffle_sale *s = &out->sale;
    return take_number(field, IMPORT_UNIT, RAFFLE_UNIT_MAX, &out->unit, err) &&
           take_text(field, IMPORT_TIER, RAFFLE_WORD_MAX, s->tier, true, err) &&
           take_number(field, IMPORT_COUNT, RAFFLE_ORDER_MAX, &out->count, err) &&
           take_text(field, IMPORT_PAYMENT, RAFFLE_NAME_MAX, s->payment, false, err) &&
           take_text(field, IMPORT_BUYER, RAFFLE_NAME_MAX, s->buyer, false, err) &&
           take_text(field, IMPORT_CHANNEL, RAFFLE_WORD_MAX, s->channel, false, err) &&
           must_be_empty(field, IMPORT_REASON, IMPORT_REASON, "sale", err);
}

/* A void takes back the whole order: a tier or a count in its line would say otherwise. */
static bool read_void(const char *const *field, import_line *out, raffle_error *err)
{
    if (field[IMPORT_UNIT][0] != 0 && !take_number(field, IMPORT_UNIT, RAFFLE_UNIT_MAX, &out->unit, err))
        return false;
    return must_be_empty(field, IMPORT_TIER, IMPORT_CHANNEL, "void", err) &&
           take_text(field, IMPORT_REASON, RAFFLE_WORD_MAX, out->reason, true, err);
}

static bool read_by(const char *const *field, const raffle_actor *who, import_line *out, raffle_error *err)
{
    if (field[IMPORT_BY][0] == 0) {
        out->by = *who;
        return true;
    }
    return cli_parse_actor(field[IMPORT_BY], &out->by, err);
}

bool import_read(const char *const *field, bool timed, const raffle_actor *who, import_line *out, raffle_error *err)
{
    memset(out, 0, sizeof *out);
    raffle_sale_init(&out->sale, sizeof out->sale);
    out->is_void = strcmp(field[IMPORT_KIND], "void") == 0;
    if (!out->is_void && strcmp(field[IMPORT_KIND], "sale") != 0)
        return bad(err, "kind is \"%.20s\"; sale and void are kinds", field[IMPORT_KIND]);
    if (timed && (!time_parse(field[IMPORT_AT], &out->at) || out->at == 0))
        return bad(err, "at is \"%.40s\"; a time is written like 2026-11-21T18:30:00.000Z", field[IMPORT_AT]);
    return take_text(field, IMPORT_ORDER, RAFFLE_NAME_MAX, out->sale.order, true, err) &&
           (out->is_void ? read_void(field, out, err) : read_sale(field, out, err)) && read_by(field, who, out, err);
}
