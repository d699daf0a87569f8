/* SPDX-License-Identifier: Apache-2.0 */
/* The RSU Corruption Log, GLI-31 2.8.1(g): sales units that a seal took without all their sales, and those whose records are damaged. */
#include "report_impl.h"

#include "error.h"
#include <string.h>

static const rf_column columns[] = {
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"name", "Name", RF_CELL_TEXT, 20, false},
    {"operator", "Operator", RF_CELL_TEXT, 16, true},
    {"why", "Why", RF_CELL_TEXT, 14, false},
    {"collected", "Money collected", RF_CELL_MONEY, 15, false},
    {"void_gross", "Money of voids", RF_CELL_MONEY, 14, false},
    {"tickets", "Tickets", RF_CELL_COUNT, 8, false},
    {"numbers", "Numbers", RF_CELL_COUNT, 9, false},
    {"sealed", "Records sealed", RF_CELL_COUNT, 14, false},
    {"records", "Records here", RF_CELL_COUNT, 12, false},
    {"sealed_at", "Sealed at", RF_CELL_TIME, 29, false},
};

/* A unit's sums, and who sold last on it: the operator. */
typedef struct unit_sums {
    rf_tally tally;
    char operator_[RF_SELLER_SIZE];
} unit_sums;

static raffle_rc take(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                      const uint8_t leaf[32])
{
    unit_sums *s = ctx;
    (void)log;
    (void)leaf;
    raffle_rc rc = rf_report_tally(p, &s->tally, r);
    if (rc != RAFFLE_OK || r->type != RF_SALE)
        return rc;
    return rf_report_seller(p, raw, r, s->operator_);
}

/* The final seal's word; before it the early one's. */
static const rf_seal_state *seal_of(const rf_report *p)
{
    return p->control.final.kind != 0 ? &p->control.final : &p->control.early;
}

static const rf_seal_unit *sealed(const rf_report *p, uint32_t unit)
{
    const rf_seal_state *seal = seal_of(p);
    return seal->kind != 0 && unit <= seal->units ? &seal->unit[unit - 1] : NULL;
}

static raffle_rc put(rf_report *p, uint32_t unit, const char *why, const unit_sums *s, bool damaged)
{
    const rf_seal_unit *seal = sealed(p, unit);
    rf_row_begin(p);
    rf_row_count(p, unit);
    rf_row_string(p, p->control.unit[unit - 1].name);
    rf_row_string(p, damaged ? NULL : s->operator_);
    rf_row_string(p, why);
    rf_row_money(p, s->tally.gross);
    rf_row_money(p, s->tally.void_gross);
    rf_row_count(p, s->tally.tickets);
    rf_row_count(p, s->tally.numbers);
    if (seal != NULL)
        rf_row_count(p, (int64_t)seal->size);
    else
        rf_row_none(p);
    rf_row_count(p, (int64_t)p->unit_log[unit - 1].size);
    if (seal != NULL)
        rf_row_time(p, seal_of(p)->at);
    return rf_row_end(p);
}

/* What could be read before the damage is shown: it is the money that is known of. */
static raffle_rc judge(rf_report *p, uint32_t unit, rf_tally *sum)
{
    unit_sums s = {0};
    raffle_error why = RAFFLE_ERROR_INIT, *err = p->err;
    const rf_seal_unit *seal = sealed(p, unit);
    p->err = &why;
    raffle_rc rc = p->unit_log[unit - 1].damaged ? RAFFLE_CORRUPT : rf_report_scan(p, unit, take, &s);
    p->err = err;
    const bool damaged = rc == RAFFLE_CORRUPT, left = seal != NULL && !seal->reconciled;
    if (rc != RAFFLE_OK && !damaged)
        return rf_fail_as(err, &why);
    if (!damaged && !left)
        return RAFFLE_OK;
    rc = rf_report_tally_sum(p, sum, &s.tally);
    return rc == RAFFLE_OK ? put(p, unit, damaged ? "damaged" : "not reconciled", &s, damaged) : rc;
}

static raffle_rc run(rf_report *p)
{
    rf_tally sum = {0};
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        if (rf_report_of(p, unit))
            rc = judge(p, unit, &sum);
    rf_total_count(p, "units", "Sales units", (int64_t)p->rows);
    rf_total_money(p, "collected", "Money collected", sum.gross);
    rf_total_money(p, "void_gross", "Money of voided tickets", sum.void_gross);
    return rc;
}

const rf_report_def rf_report_corruption = {.name = "corruption",
                                            .title = "RSU Corruption Log",
                                            .source = "GLI-31 2.8.1(g)",
                                            .columns = columns,
                                            .n = sizeof columns / sizeof *columns,
                                            .run = run};
