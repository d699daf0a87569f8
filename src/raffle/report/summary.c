/* SPDX-License-Identifier: Apache-2.0 */
/* The event summary (N.D. Admin. Code 99-01.3-16-09.5(2)(d)), a row a price tier; and lottery accounts (UKGC LCCP 11.1.1), a row. */
#include "prize_value.h"
#include "report_impl.h"

#include "error.h"
#include <string.h>

static const rf_column columns[] = {
    {"tier", "Tier", RF_CELL_TEXT, 16, false},
    {"count", "Numbers a ticket", RF_CELL_COUNT, 16, false},
    {"price", "Price", RF_CELL_MONEY, 10, false},
    {"tickets", "Tickets sold", RF_CELL_COUNT, 12, false},
    {"numbers", "Numbers sold", RF_CELL_COUNT, 12, false},
    {"gross", "Money taken", RF_CELL_MONEY, 14, false},
    {"voids", "Tickets voided", RF_CELL_COUNT, 14, false},
    {"void_numbers", "Numbers voided", RF_CELL_COUNT, 14, false},
    {"void_gross", "Money of voids", RF_CELL_MONEY, 14, false},
    {"net", "Net sales", RF_CELL_MONEY, 14, false},
};

/* What both reports add up of the records. */
typedef struct sums {
    rf_tally tier[RF_TIERS_MAX], all;
    bool was_counted; /* somebody counted money, */
    int64_t counted;  /* of all kinds, so much */
} sums;

static raffle_rc add_cash(rf_report *p, sums *s, const rf_record *r)
{
    s->was_counted = true;
    return rf_report_add(p, &s->counted, r->counted);
}

/* A void does not name its tier; the ticket that it voids does. */
static raffle_rc take(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                      const uint8_t leaf[32])
{
    sums *s = ctx;
    rf_ticket_at ticket;
    char name[RAFFLE_WORD_SIZE];
    (void)log;
    (void)raw;
    (void)leaf;
    if ((r->type != RF_SALE && r->type != RF_VOID && r->type != RF_CASH) || !rf_report_in(p, r->at))
        return RAFFLE_OK;
    if (r->type == RF_CASH)
        return add_cash(p, s, r);
    if (r->type == RF_VOID) {
        raffle_rc rc = rf_report_ticket(p, (uint32_t)r->unit, (uint64_t)r->serial, &ticket);
        if (rc != RAFFLE_OK)
            return rc;
    }
    const char *of = r->type == RF_VOID ? ticket.tier : name;
    const bool fits = r->type == RF_VOID || rf_text_copy(&r->tier, name, sizeof name);
    const int i = fits ? rf_rules_tier(p->control.rules, of, strnlen(of, RAFFLE_WORD_SIZE)) : -1;
    return i >= 0 ? rf_report_tally(p, &s->tier[i], r)
                  : rf_fail(p->err, RAFFLE_CORRUPT, "a ticket is of a tier that the rules do not have");
}

static raffle_rc scan(rf_report *p, sums *s)
{
    raffle_rc rc = rf_report_scan(p, 0, take, s);
    if (rc == RAFFLE_OK)
        rc = rf_report_scan_units(p, take, s);
    for (size_t i = 0; i < p->control.rules->tiers && rc == RAFFLE_OK; i++)
        rc = rf_report_tally_sum(p, &s->all, &s->tier[i]);
    return rc;
}

static raffle_rc put_tier(rf_report *p, const rf_tier *tier, const rf_tally *t)
{
    if (t->tickets == 0 && t->voids == 0)
        return RAFFLE_OK;
    rf_row_begin(p);
    rf_row_string(p, tier->name);
    rf_row_count(p, tier->count);
    rf_row_money(p, tier->price);
    rf_row_count(p, t->tickets);
    rf_row_count(p, t->numbers);
    rf_row_money(p, t->gross);
    rf_row_count(p, t->voids);
    rf_row_count(p, t->void_numbers);
    rf_row_money(p, t->void_gross);
    rf_row_money(p, t->gross - t->void_gross);
    return rf_row_end(p);
}

/* Draw numbers that there are to be sold: the units' quotas. -1: a unit has none, and no end. */
static int64_t available(const rf_report *p)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->units; i++) {
        const rf_unit_row *unit = &p->control.unit[i];
        if (unit->unenrolled)
            continue;
        if (unit->quota == 0 || (int64_t)unit->quota > RF_JSON_INT_MAX - sum)
            return -1;
        sum += (int64_t)unit->quota;
    }
    return sum;
}

/* Unsold is what is left of all that there was, whenever it was sold; so an interval has none. */
static int64_t unsold(const rf_report *p, const rf_tally *sum)
{
    const int64_t all = available(p);
    const bool part = p->how.from != 0 || p->how.to != 0;
    return all < 0 || part || all < sum->numbers ? -1 : all - sum->numbers;
}

static void total_or_none(rf_report *p, const char *name, const char *title, int64_t value)
{
    if (value >= 0)
        rf_total_count(p, name, title, value);
    else
        rf_total_none(p, name, title);
}

static raffle_rc prizes(rf_report *p, int64_t *sum)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < p->control.rules->prizes && rc == RAFFLE_OK; i++) {
        const rf_prize_state *is = &p->control.prize[i];
        if (is->state == RAFFLE_PRIZE_DRAWN && is->places > 0 && rf_report_in(p, is->result_at))
            rc = rf_report_add(p, sum, rf_prize_awarded(&p->control, i));
    }
    return rc;
}

/* Where nobody counted, nobody knows what is missing. */
static void put_cash(rf_report *p, const sums *s, int64_t net)
{
    if (s->was_counted) {
        rf_total_money(p, "cash", "Money counted", s->counted);
        rf_total_money(p, "long_short", "Money counted less net sales", s->counted - net);
        return;
    }
    rf_total_none(p, "cash", "Money counted");
    rf_total_none(p, "long_short", "Money counted less net sales");
}

static raffle_rc run(rf_report *p)
{
    sums s = {0};
    int64_t awarded = 0;
    raffle_rc rc = scan(p, &s);
    if (rc == RAFFLE_OK)
        rc = prizes(p, &awarded);
    for (size_t i = 0; i < p->control.rules->tiers && rc == RAFFLE_OK; i++)
        rc = put_tier(p, &p->control.rules->tier[i], &s.tier[i]);
    rf_total_count(p, "units", "Sales units", (int64_t)p->units);
    total_or_none(p, "available", "Draw numbers available", available(p));
    rf_total_tally(p, &s.all);
    total_or_none(p, "unsold", "Draw numbers not sold", unsold(p, &s.all));
    rf_total_money(p, "prizes", "Value of the prizes drawn", awarded);
    const int64_t net = s.all.gross - s.all.void_gross;
    rf_total_money(p, "adjusted", "Adjusted gross: net sales less prizes", net - awarded);
    put_cash(p, &s, net);
    rf_total_none(p, "deposit", "Deposit");
    return rc;
}

const rf_report_def rf_report_summary = {.name = "summary",
                                         .title = "Event Summary",
                                         .source = "N.D. Admin. Code 99-01.3-16-09.5(2)(d)",
                                         .columns = columns,
                                         .n = sizeof columns / sizeof *columns,
                                         .whole = true,
                                         .run = run};

/* --- accounts --- */

static const rf_column account_columns[] = {
    {"proceeds", "Proceeds", RF_CELL_MONEY, 14, false},
    {"prizes", "Prizes", RF_CELL_MONEY, 14, false},
    {"expenses", "Expenses", RF_CELL_MONEY, 14, false},
    {"good_cause", "To the good cause", RF_CELL_MONEY, 17, false},
    {"left", "Proceeds less prizes", RF_CELL_MONEY, 20, false},
    {"tickets", "Tickets sold", RF_CELL_COUNT, 12, false},
    {"numbers", "Numbers sold", RF_CELL_COUNT, 12, false},
    {"unsold", "Numbers not sold", RF_CELL_COUNT, 16, false},
};

/* Expenses, and so what the good cause gets of the rest, are the operator's books'; the library has no record of them. */
static raffle_rc put_account(rf_report *p, const rf_tally *sum, int64_t awarded)
{
    const int64_t proceeds = sum->gross - sum->void_gross, left = unsold(p, sum);
    rf_row_begin(p);
    rf_row_money(p, proceeds);
    rf_row_money(p, awarded);
    rf_row_none(p);
    rf_row_none(p);
    rf_row_money(p, proceeds - awarded);
    rf_row_count(p, sum->tickets - sum->voids);
    rf_row_count(p, sum->numbers - sum->void_numbers);
    if (left >= 0)
        rf_row_count(p, left);
    return rf_row_end(p);
}

static raffle_rc run_accounts(rf_report *p)
{
    sums s = {0};
    int64_t awarded = 0;
    raffle_rc rc = scan(p, &s);
    if (rc == RAFFLE_OK)
        rc = prizes(p, &awarded);
    if (rc == RAFFLE_OK && (s.all.tickets > 0 || s.all.voids > 0 || awarded > 0))
        rc = put_account(p, &s.all, awarded);
    rf_total_tally(p, &s.all);
    rf_total_money(p, "prizes", "Value of the prizes drawn", awarded);
    return rc;
}

const rf_report_def rf_report_accounts = {.name = "accounts",
                                          .title = "Lottery Accounts",
                                          .source = "UKGC LCCP 11.1.1",
                                          .columns = account_columns,
                                          .n = sizeof account_columns / sizeof *account_columns,
                                          .whole = true,
                                          .run = run_accounts};
