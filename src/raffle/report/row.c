/* SPDX-License-Identifier: Apache-2.0 */
/* The row under way, cell by cell, and the totals. */
#include "report_impl.h"

#include "error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rf_row_begin(rf_report *p)
{
    p->cells = 0;
    p->scratch_used = 0;
}

static rf_cell *next_cell(rf_report *p)
{
    rf_cell *cell = &p->cell[p->cells];
    if (p->cells < RF_REPORT_CELLS - 1)
        p->cells++;
    *cell = (rf_cell){.kind = RF_CELL_NONE};
    return cell;
}

void rf_row_none(rf_report *p)
{
    (void)next_cell(p);
}

void rf_row_bytes(rf_report *p, const char *text, size_t length)
{
    rf_cell *cell = next_cell(p);
    if (length == 0 || length > RF_REPORT_SCRATCH - p->scratch_used)
        return;
    char *to = p->scratch + p->scratch_used;
    memcpy(to, text, length);
    p->scratch_used += length;
    *cell = (rf_cell){.kind = RF_CELL_TEXT, .text = to, .length = length};
}

void rf_row_string(rf_report *p, const char *text)
{
    rf_row_bytes(p, text, text == NULL ? 0 : strlen(text));
}

/* Texts of records have at most 512 bytes, and a row's fit: see RF_REPORT_SCRATCH. */
void rf_row_text(rf_report *p, const rf_text *text)
{
    char plain[1024];
    if (text != NULL && rf_text_copy(text, plain, sizeof plain))
        rf_row_string(p, plain);
    else
        rf_row_none(p);
}

void rf_row_part(rf_report *p, const rf_private *part, rf_private_field field, const rf_text *text)
{
    rf_row_text(p, (part->has & rf_bit(field)) != 0 ? text : NULL);
}

void rf_row_format(rf_report *p, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    rf_row_string(p, text);
}

static void value_cell(rf_report *p, rf_cell_kind kind, int64_t value)
{
    rf_cell *cell = next_cell(p);
    cell->kind = kind;
    cell->value = value;
}

void rf_row_count(rf_report *p, int64_t value)
{
    value_cell(p, RF_CELL_COUNT, value);
}

void rf_row_money(rf_report *p, int64_t value)
{
    value_cell(p, RF_CELL_MONEY, value);
}

void rf_row_time(rf_report *p, int64_t at)
{
    value_cell(p, RF_CELL_TIME, at);
}

void rf_row_number(rf_report *p, uint32_t unit, uint64_t number)
{
    char text[RAFFLE_NUMBER_SIZE];
    if (raffle_number_format(unit, number, text, NULL) == RAFFLE_OK)
        rf_row_string(p, text);
    else
        rf_row_none(p);
}

raffle_rc rf_row_end(rf_report *p)
{
    while (p->cells < p->def->n)
        rf_row_none(p);
    p->rows++;
    p->format->row(p);
    return p->rc;
}

/* --- totals --- */

static void total(rf_report *p, const char *name, const char *title, rf_cell_kind kind, int64_t value)
{
    if (p->n_totals < RF_REPORT_TOTALS)
        p->totals[p->n_totals++] = (rf_total){name, title, {.kind = kind, .value = value}};
}

void rf_total_count(rf_report *p, const char *name, const char *title, int64_t value)
{
    total(p, name, title, RF_CELL_COUNT, value);
}

void rf_total_money(rf_report *p, const char *name, const char *title, int64_t value)
{
    total(p, name, title, RF_CELL_MONEY, value);
}

void rf_total_none(rf_report *p, const char *name, const char *title)
{
    total(p, name, title, RF_CELL_NONE, 0);
}

void rf_total_tally(rf_report *p, const rf_tally *t)
{
    rf_total_count(p, "tickets", "Tickets sold, void ones included", t->tickets);
    rf_total_count(p, "numbers", "Draw numbers sold, void ones included", t->numbers);
    rf_total_money(p, "gross", "Money taken", t->gross);
    rf_total_count(p, "voids", "Tickets voided", t->voids);
    rf_total_count(p, "void_numbers", "Draw numbers voided", t->void_numbers);
    rf_total_money(p, "void_gross", "Money of voided tickets", t->void_gross);
    rf_total_money(p, "net", "Money taken less that of voided tickets", t->gross - t->void_gross);
}
