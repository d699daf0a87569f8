/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a report: gathered and handed to the host, or compared with a report that is read; and cells as text. */
#include "report_impl.h"

#include "error.h"
#include "timestamp.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char rf_report_nothing[] = "No activity in this interval.";

void rf_out_flush(rf_report *p)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    if (p->rc == RAFFLE_OK && p->used > 0 && p->write(p->write_ctx, p->buffer, p->used, &theirs) != RAFFLE_OK)
        p->rc = rf_fail_host(p->err, "the report could not be written", &theirs);
    p->used = 0;
}

void rf_out(rf_report *p, const char *bytes, size_t length)
{
    if (p->compare != NULL) {
        if (p->rc == RAFFLE_OK)
            p->rc = rf_compare_bytes(p->compare, bytes, length, p->err);
        return;
    }
    while (length > 0 && p->rc == RAFFLE_OK) {
        const size_t room = RF_REPORT_BUFFER - p->used, n = length < room ? length : room;
        memcpy(p->buffer + p->used, bytes, n);
        p->used += n;
        bytes += n;
        length -= n;
        if (p->used == RF_REPORT_BUFFER)
            rf_out_flush(p);
    }
}

void rf_out_string(rf_report *p, const char *text)
{
    rf_out(p, text, strlen(text));
}

void rf_out_format(rf_report *p, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (p->rc == RAFFLE_OK && (n < 0 || (size_t)n >= sizeof text))
        p->rc = rf_fail(p->err, RAFFLE_LIMIT, "a line of the report is longer than %zu bytes", sizeof text - 1);
    if (p->rc == RAFFLE_OK)
        rf_out(p, text, (size_t)n);
}

void rf_out_private(rf_report *p, const char *json, size_t length)
{
    if (p->compare == NULL)
        rf_out(p, json, length);
    else if (p->rc == RAFFLE_OK)
        p->rc = rf_compare_private(p->compare, json, length, p->err);
}

/* --- cells as people and spreadsheets read them --- */

static void plain_money(const rf_report *p, int64_t minor, char out[RF_CELL_SIZE])
{
    const int digits = (int)p->control.rules->digits;
    int64_t unit = 1;
    for (int i = 0; i < digits; i++)
        unit *= 10;
    const int64_t amount = minor < 0 ? -minor : minor;
    const char *sign = minor < 0 ? "-" : "";
    if (digits == 0)
        snprintf(out, RF_CELL_SIZE, "%s%lld", sign, (long long)amount);
    else
        snprintf(out, RF_CELL_SIZE, "%s%lld.%0*lld", sign, (long long)(amount / unit), digits,
                 (long long)(amount % unit));
}

size_t rf_cell_plain(const rf_report *p, const rf_cell *cell, char out[RF_CELL_SIZE])
{
    out[0] = 0;
    switch (cell->kind) {
    case RF_CELL_NONE:
        break;
    case RF_CELL_TEXT:
        memcpy(out, cell->text, cell->length);
        out[cell->length] = 0;
        break;
    case RF_CELL_COUNT:
        snprintf(out, RF_CELL_SIZE, "%lld", (long long)cell->value);
        break;
    case RF_CELL_MONEY:
        plain_money(p, cell->value, out);
        break;
    case RF_CELL_TIME:
        memset(out, 0, 32);
        (void)rf_time_format_local(out, cell->value, rf_rules_offset(p->control.rules, cell->value));
        break;
    }
    return strlen(out);
}

/* --- the head --- */

typedef void (*head_line)(rf_report *p, const char *label, const char *value);

static void time_line(rf_report *p, head_line line, const char *label, int64_t at, const char *none)
{
    char text[RF_CELL_SIZE];
    const rf_cell cell = {.kind = at == 0 ? RF_CELL_NONE : RF_CELL_TIME, .value = at};
    (void)rf_cell_plain(p, &cell, text);
    line(p, label, at == 0 ? none : text);
}

static void head_raffle(rf_report *p, head_line line)
{
    const rf_rules *rules = p->control.rules;
    char text[RAFFLE_NAME_SIZE + 64];
    line(p, "Organisation", rules->organisation);
    if (rules->licence[0] != 0)
        line(p, "Licence", rules->licence);
    line(p, "Raffle", rules->name);
    if (rules->series[0] != 0) {
        snprintf(text, sizeof text, "%s, number %lld", rules->series, (long long)rules->series_number);
        line(p, "Series", text);
    }
    line(p, "Origin", rules->origin);
    if (rules->place[0] != 0)
        line(p, "Place", rules->place);
    if (rules->rehearsal)
        line(p, "REHEARSAL", "this raffle is a rehearsal");
    if (p->how.unit != 0) {
        snprintf(text, sizeof text, "%u, %s", p->how.unit, p->control.unit[p->how.unit - 1].name);
        line(p, "Sales unit", text);
    }
    line(p, "Currency", rules->currency);
    time_line(p, line, "Sales from", rules->opens, "");
    time_line(p, line, "Sales before", rules->closes, "");
}

static void head_draws(rf_report *p, head_line line)
{
    char text[32];
    if (p->aborted > 0) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)p->aborted);
        line(p, "Draws aborted", text);
    }
    if (p->asked_again > 0) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)p->asked_again);
        line(p, "Seeds asked for again", text);
    }
}

void rf_head_lines(rf_report *p, head_line line)
{
    char text[192], hex[65] = "";
    snprintf(text, sizeof text, "%s (%s)", p->def->title, p->def->source);
    line(p, "Report", text);
    head_raffle(p, line);
    time_line(p, line, "From", p->how.from, "the first record");
    time_line(p, line, "Before", p->how.to, "the last record");
    time_line(p, line, "Made", p->made, "");
    if (p->how.maker[0] != 0)
        line(p, "Made by", p->how.maker);
    head_draws(p, line);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", p->control_log.root[i]);
    snprintf(text, sizeof text, "control log, %llu records, root %s", (unsigned long long)p->control_log.size, hex);
    line(p, "Computed from", text);
}
