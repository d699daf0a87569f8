/* SPDX-License-Identifier: Apache-2.0 */
/* The Voided Draw Number Report, GLI-31 2.8.1(e): every voided ticket with its draw numbers and its validation number. */
#include "report_impl.h"

#include "validation.h"
#include <sodium.h>

static const rf_column columns[] = {
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"serial", "Ticket", RF_CELL_COUNT, 8, false},
    {"first", "First number", RF_CELL_TEXT, 14, false},
    {"last", "Last number", RF_CELL_TEXT, 14, false},
    {"numbers", "Numbers", RF_CELL_COUNT, 7, false},
    {"validation", "Validation number", RF_CELL_TEXT, 29, true},
    {"price", "Price", RF_CELL_MONEY, 10, false},
    {"sold_at", "Sold at", RF_CELL_TIME, 29, false},
    {"voided_at", "Voided at", RF_CELL_TIME, 29, false},
    {"reason", "Reason", RF_CELL_TEXT, 8, false},
    {"by", "Role", RF_CELL_TEXT, 10, false},
    {"actor", "Voided by", RF_CELL_TEXT, 16, true},
};

/* Without keys there is none. */
static raffle_rc put_validation(rf_report *p, uint32_t unit, const rf_ticket_at *ticket)
{
    rf_unit *u;
    char number[RF_VN_SIZE] = "";
    raffle_rc rc = rf_unit_get(p->raffle, unit, &u, p->err);
    if (rc == RAFFLE_OK && u->ku != NULL)
        rf_vn_make(p->hash, number, u->ku, unit, ticket->serial, ticket->at);
    rf_row_string(p, number);
    sodium_memzero(number, sizeof number);
    return rc;
}

static raffle_rc put_row(rf_report *p, const raffle_record *raw, const rf_record *r, const rf_ticket_at *ticket)
{
    rf_private part;
    bool there;
    const uint32_t unit = (uint32_t)r->unit;
    rf_row_begin(p);
    rf_row_count(p, unit);
    rf_row_count(p, r->serial);
    rf_row_number(p, unit, ticket->first);
    rf_row_number(p, unit, ticket->first + (uint64_t)ticket->count - 1);
    rf_row_count(p, r->count);
    raffle_rc rc = put_validation(p, unit, ticket);
    if (rc == RAFFLE_OK)
        rc = rf_report_private(p, raw, r, &part, &there);
    if (rc != RAFFLE_OK)
        return rc;
    rf_row_money(p, r->price);
    rf_row_time(p, ticket->at);
    rf_row_time(p, r->at);
    rf_row_text(p, &r->reason);
    rf_row_string(p, raffle_role_name(r->by));
    rf_row_text(p, there ? &part.actor : NULL);
    rc = rf_row_end(p);
    sodium_memzero(p->scratch, sizeof p->scratch);
    return rc;
}

static raffle_rc put_void(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                          const uint8_t leaf[32])
{
    rf_ticket_at ticket;
    (void)log;
    (void)leaf;
    if (r->type != RF_VOID || !rf_report_of(p, (uint32_t)r->unit) || !rf_report_in(p, r->at))
        return RAFFLE_OK;
    raffle_rc rc = rf_report_ticket(p, (uint32_t)r->unit, (uint64_t)r->serial, &ticket);
    if (rc == RAFFLE_OK)
        rc = rf_report_tally(p, ctx, r);
    return rc == RAFFLE_OK ? put_row(p, raw, r, &ticket) : rc;
}

static raffle_rc run(rf_report *p)
{
    rf_tally sum = {0};
    raffle_rc rc = rf_report_scan_units(p, put_void, &sum);
    if (rc == RAFFLE_OK)
        rc = rf_report_scan(p, 0, put_void, &sum);
    rf_total_count(p, "voids", "Tickets voided", sum.voids);
    rf_total_count(p, "void_numbers", "Draw numbers voided", sum.void_numbers);
    rf_total_money(p, "void_gross", "Money of voided tickets", sum.void_gross);
    rf_total_count(p, "misprints", "Of the voided tickets, misprints", sum.misprints);
    return rc;
}

const rf_report_def rf_report_voids = {.name = "voids",
                                       .title = "Voided Draw Number Report",
                                       .source = "GLI-31 2.8.1(e)",
                                       .columns = columns,
                                       .n = sizeof columns / sizeof *columns,
                                       .run = run};
