/* SPDX-License-Identifier: Apache-2.0 */
/* The master list of sales units, GLI-31 5.4.1: who each is, who operates it, what it sold, and how it answered (5.4.2). */
#include "report_impl.h"

#include "error.h"

static const rf_column columns[] = {
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"name", "Name", RF_CELL_TEXT, 20, false},
    {"key", "Public key", RF_CELL_TEXT, 40, false},
    {"operator", "Operator", RF_CELL_TEXT, 16, true},
    {"state", "State", RF_CELL_TEXT, 12, false},
    {"place", "Its log", RF_CELL_TEXT, 8, false},
    {"quota", "Quota of numbers", RF_CELL_COUNT, 16, false},
    {"tickets", "Tickets issued", RF_CELL_COUNT, 14, false},
    {"numbers", "Numbers issued", RF_CELL_COUNT, 14, false},
    {"last_at", "Last sale", RF_CELL_TIME, 29, false},
    {"failures", "Failed validations", RF_CELL_COUNT, 18, false},
    {"seen_at", "Last validated", RF_CELL_TIME, 29, false},
};

/* What a unit sold, and by whom last: its operator. */
typedef struct last_sale {
    rf_tally tally;
    int64_t at; /* 0: none */
    bool closed;
    char operator_[RF_SELLER_SIZE];
} last_sale;

static raffle_rc take(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                      const uint8_t leaf[32])
{
    last_sale *s = ctx;
    (void)log;
    (void)leaf;
    s->closed = s->closed || r->type == RF_UNIT_CLOSE;
    raffle_rc rc = rf_report_tally(p, &s->tally, r);
    if (rc != RAFFLE_OK || r->type != RF_SALE || !rf_report_in(p, r->at))
        return rc;
    s->at = r->at;
    return rf_report_seller(p, raw, r, s->operator_);
}

static const char *state_of(const rf_unit_row *u, bool closed)
{
    return u->unenrolled ? "un-enrolled" : closed ? "closed" : u->enabled ? "enabled" : "disabled";
}

static void put_time(rf_report *p, int64_t at)
{
    if (at > 0)
        rf_row_time(p, at);
    else
        rf_row_none(p);
}

static raffle_rc put(rf_report *p, uint32_t unit, rf_tally *sum)
{
    const rf_unit_row *u = &p->control.unit[unit - 1];
    last_sale s = {.at = 0};
    raffle_rc rc = rf_report_scan(p, unit, take, &s);
    if (rc == RAFFLE_OK)
        rc = rf_report_tally_sum(p, sum, &s.tally);
    if (rc != RAFFLE_OK)
        return rc;
    rf_row_begin(p);
    rf_row_count(p, unit);
    rf_row_string(p, u->name);
    rf_row_string(p, u->key);
    rf_row_string(p, s.operator_);
    rf_row_string(p, state_of(u, s.closed));
    rf_row_string(p, u->away ? "away" : "here");
    rf_row_count(p, (int64_t)u->quota);
    rf_row_count(p, s.tally.tickets);
    rf_row_count(p, s.tally.numbers);
    put_time(p, s.at);
    rf_row_count(p, (int64_t)u->failures);
    put_time(p, u->seen);
    return rf_row_end(p);
}

static raffle_rc run(rf_report *p)
{
    rf_tally sum = {0};
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        if (rf_report_of(p, unit))
            rc = put(p, unit, &sum);
    rf_total_count(p, "units", "Sales units", (int64_t)p->rows);
    rf_total_tally(p, &sum);
    return rc;
}

const rf_report_def rf_report_units = {.name = "units",
                                       .title = "Master List of Sales Units",
                                       .source = "GLI-31 5.4.1, 5.4.2",
                                       .columns = columns,
                                       .n = sizeof columns / sizeof *columns,
                                       .run = run};
