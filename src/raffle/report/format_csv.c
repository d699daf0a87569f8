/* SPDX-License-Identifier: Apache-2.0 */
/* A report as CSV (RFC 4180): every line has the same number of fields, and the first says what the line is. */
#include "report_impl.h"

#include <string.h>

/* A label and a value need two fields beside the first. */
static size_t width(const rf_report *p)
{
    return p->def->n < 2 ? 2 : p->def->n;
}

/* A spreadsheet takes a text that begins so for a formula; an apostrophe before it makes it a text again. */
static bool is_formula(const char *text)
{
    return text[0] != 0 && strchr("=+-@\t\r", text[0]) != NULL;
}

static void field(rf_report *p, const char *value, bool text)
{
    const bool guard = text && is_formula(value);
    rf_out(p, ",", 1);
    if (!guard && strpbrk(value, ",\"\r\n") == NULL) {
        rf_out_string(p, value);
        return;
    }
    rf_out_string(p, guard ? "\"'" : "\"");
    for (; *value != 0; value++)
        rf_out(p, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1);
    rf_out(p, "\"", 1);
}

static void pair(rf_report *p, const char *kind, const char *label, const char *value, bool text)
{
    rf_out_string(p, kind);
    field(p, label, true);
    field(p, value, text);
    for (size_t i = 2; i < width(p); i++)
        rf_out(p, ",", 1);
    rf_out(p, "\r\n", 2);
}

static void head_line(rf_report *p, const char *label, const char *value)
{
    pair(p, "head", label, value, true);
}

static void begin(rf_report *p)
{
    rf_head_lines(p, head_line);
    rf_out_string(p, "columns");
    for (size_t i = 0; i < width(p); i++)
        field(p, i < p->def->n ? p->def->columns[i].name : "", true);
    rf_out(p, "\r\n", 2);
}

static void row(rf_report *p)
{
    char text[RF_CELL_SIZE];
    rf_out(p, "row", 3);
    for (size_t i = 0; i < width(p); i++) {
        const rf_cell *cell = &p->cell[i];
        if (i < p->def->n)
            (void)rf_cell_plain(p, cell, text);
        field(p, i < p->def->n ? text : "", cell->kind == RF_CELL_TEXT);
    }
    rf_out(p, "\r\n", 2);
}

static void end(rf_report *p)
{
    char text[RF_CELL_SIZE];
    if (p->rows == 0)
        pair(p, "none", rf_report_nothing, "", true);
    for (size_t i = 0; i < p->n_totals; i++) {
        (void)rf_cell_plain(p, &p->totals[i].cell, text);
        pair(p, "total", p->totals[i].name, text, false);
    }
}

const rf_format rf_format_csv = {begin, row, end};
