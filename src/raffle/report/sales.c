/* SPDX-License-Identifier: Apache-2.0 */
/* Sales by RSU, GLI-31 2.8.1(d): what each sales unit sold, voided and misprinted. */
#include "report_impl.h"

#include "error.h"
#include <stdlib.h>

static const rf_column columns[] = {
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"name", "Name", RF_CELL_TEXT, 20, false},
    {"tickets", "Tickets sold", RF_CELL_COUNT, 12, false},
    {"first", "First number", RF_CELL_TEXT, 14, false},
    {"last", "Last number", RF_CELL_TEXT, 14, false},
    {"numbers", "Numbers sold", RF_CELL_COUNT, 12, false},
    {"gross", "Money taken", RF_CELL_MONEY, 14, false},
    {"voids", "Tickets voided", RF_CELL_COUNT, 14, false},
    {"void_numbers", "Numbers voided", RF_CELL_COUNT, 14, false},
    {"void_gross", "Money of voids", RF_CELL_MONEY, 14, false},
    {"misprints", "Misprints", RF_CELL_COUNT, 9, false},
    {"misprint_numbers", "Misprinted numbers", RF_CELL_COUNT, 18, false},
    {"net", "Net sales", RF_CELL_MONEY, 14, false},
};

static void put_number(rf_report *p, uint32_t unit, int64_t number)
{
    if (number > 0)
        rf_row_number(p, unit, (uint64_t)number);
    else
        rf_row_none(p);
}

static raffle_rc put_unit(rf_report *p, uint32_t unit, const rf_tally *t)
{
    if (t->tickets == 0 && t->voids == 0)
        return RAFFLE_OK;
    rf_row_begin(p);
    rf_row_count(p, unit);
    rf_row_string(p, p->control.unit[unit - 1].name);
    rf_row_count(p, t->tickets);
    put_number(p, unit, t->first);
    put_number(p, unit, t->last);
    rf_row_count(p, t->numbers);
    rf_row_money(p, t->gross);
    rf_row_count(p, t->voids);
    rf_row_count(p, t->void_numbers);
    rf_row_money(p, t->void_gross);
    rf_row_count(p, t->misprints);
    rf_row_count(p, t->misprint_numbers);
    rf_row_money(p, t->gross - t->void_gross);
    return rf_row_end(p);
}

static raffle_rc run(rf_report *p)
{
    rf_tally sum = {0}, *tally = calloc(p->units + 1, sizeof *tally);
    if (tally == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = rf_report_tally_units(p, tally);
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++) {
        if (!rf_report_of(p, unit))
            continue;
        rc = rf_report_tally_sum(p, &sum, &tally[unit - 1]);
        if (rc == RAFFLE_OK)
            rc = put_unit(p, unit, &tally[unit - 1]);
    }
    free(tally);
    rf_total_tally(p, &sum);
    rf_total_count(p, "misprints", "Of the voided tickets, misprints", sum.misprints);
    rf_total_count(p, "misprint_numbers", "Draw numbers of misprints", sum.misprint_numbers);
    return rc;
}

const rf_report_def rf_report_sales = {.name = "sales",
                                       .title = "Sales by RSU",
                                       .source = "GLI-31 2.8.1(d)",
                                       .columns = columns,
                                       .n = sizeof columns / sizeof *columns,
                                       .run = run};
