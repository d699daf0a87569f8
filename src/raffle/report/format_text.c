/* SPDX-License-Identifier: Apache-2.0 */
/* A report as text in columns of fixed width; what is longer shifts its own line alone. */
#include "report_impl.h"

#include "bytes.h"
#include <string.h>

/* Characters, not bytes. */
static int length_of(const char *text)
{
    int n = 0;
    for (; *text != 0; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void spaces(rf_report *p, int n)
{
    for (; n > 0; n--)
        rf_out(p, " ", 1);
}

static bool right(rf_cell_kind kind)
{
    return kind == RF_CELL_COUNT || kind == RF_CELL_MONEY;
}

static void put_cell(rf_report *p, size_t i, const char *text)
{
    const rf_column *c = &p->def->columns[i];
    const int pad = c->width - length_of(text);
    if (i > 0)
        rf_out(p, "  ", 2);
    if (right(c->kind))
        spaces(p, pad);
    rf_out_string(p, text);
    if (!right(c->kind) && i + 1 < p->def->n)
        spaces(p, pad);
}

static void line(rf_report *p, const char *label, const char *value)
{
    rf_out_string(p, label);
    spaces(p, 24 - length_of(label));
    rf_out_string(p, value);
    rf_out(p, "\n", 1);
}

static void begin(rf_report *p)
{
    rf_head_lines(p, line);
    rf_out(p, "\n", 1);
    for (size_t i = 0; i < p->def->n; i++)
        put_cell(p, i, p->def->columns[i].title);
    rf_out(p, "\n", 1);
}

static void row(rf_report *p)
{
    char text[RF_CELL_SIZE];
    for (size_t i = 0; i < p->def->n; i++) {
        (void)rf_cell_plain(p, &p->cell[i], text);
        put_cell(p, i, text);
    }
    rf_out(p, "\n", 1);
}

static void end(rf_report *p)
{
    char text[RF_CELL_SIZE];
    if (p->rows == 0) {
        rf_out_string(p, rf_report_nothing);
        rf_out(p, "\n", 1);
    }
    rf_out(p, "\n", 1);
    for (size_t i = 0; i < p->n_totals; i++) {
        const rf_total *t = &p->totals[i];
        (void)rf_cell_plain(p, &t->cell, text);
        rf_out_string(p, t->title);
        spaces(p, 60 - length_of(t->title) - length_of(text));
        rf_out(p, " ", 1);
        rf_out_string(p, t->cell.kind == RF_CELL_NONE ? "not known" : text);
        rf_out(p, "\n", 1);
    }
}

const rf_format rf_format_text = {begin, row, end};
