/* SPDX-License-Identifier: Apache-2.0 */
/* The Bearer Tickets Report, GLI-31 2.8.1(c): every ticket that was sold. It prints no validation numbers: whoever holds it could claim with them. */
#include "report_impl.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

static const rf_column columns[] = {
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},   {"serial", "Ticket", RF_CELL_COUNT, 8, false},
    {"first", "First number", RF_CELL_TEXT, 14, false}, {"last", "Last number", RF_CELL_TEXT, 14, false},
    {"numbers", "Numbers", RF_CELL_COUNT, 7, false},    {"price", "Price", RF_CELL_MONEY, 10, false},
    {"tier", "Tier", RF_CELL_TEXT, 12, false},          {"sold_at", "Sold at", RF_CELL_TIME, 29, false},
    {"status", "Status", RF_CELL_TEXT, 6, false},
};

/* Which tickets of the unit under way are void: a bit a record, found before its tickets are written. */
typedef struct voids {
    uint8_t *bit;
    size_t cap;
    uint32_t unit;
    /* Those in the control log, of units that were closed: by unit. */
    rf_place *late;
    size_t n_late, next_late;
} voids;

static void mark(const rf_report *p, voids *v, uint64_t serial)
{
    if (serial < p->unit_log[v->unit - 1].size)
        v->bit[serial / 8] |= (uint8_t)(1U << serial % 8);
}

static raffle_rc find_void(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                           const uint8_t leaf[32])
{
    (void)log;
    (void)raw;
    (void)leaf;
    if (r->type == RF_VOID)
        mark(p, ctx, (uint64_t)r->serial);
    return RAFFLE_OK;
}

static raffle_rc find_late(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                           const uint8_t leaf[32])
{
    voids *v = ctx;
    (void)log;
    (void)raw;
    (void)leaf;
    if (r->type == RF_VOID && v->n_late < p->control.voids)
        v->late[v->n_late++] = (rf_place){.unit = (uint32_t)r->unit, .serial = (uint64_t)r->serial};
    return RAFFLE_OK;
}

static int by_unit(const void *a, const void *b)
{
    const rf_place *x = a, *y = b;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static raffle_rc gather_late(rf_report *p, voids *v)
{
    if (p->control.voids == 0)
        return RAFFLE_OK;
    v->late = calloc((size_t)p->control.voids, sizeof *v->late);
    if (v->late == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = rf_report_scan(p, 0, find_late, v);
    if (rc == RAFFLE_OK)
        qsort(v->late, v->n_late, sizeof *v->late, by_unit);
    return rc;
}

/* Units are asked for in order. */
static void mark_late(const rf_report *p, voids *v)
{
    while (v->next_late < v->n_late && v->late[v->next_late].unit < v->unit)
        v->next_late++;
    for (; v->next_late < v->n_late && v->late[v->next_late].unit == v->unit; v->next_late++)
        mark(p, v, v->late[v->next_late].serial);
}

typedef struct tickets {
    voids voids;
    rf_tally sold; /* in the interval, whenever it was voided */
    int64_t voided, voided_numbers, voided_gross;
} tickets;

static raffle_rc add_void(rf_report *p, tickets *t, const rf_record *r)
{
    t->voided++;
    raffle_rc rc = rf_report_add(p, &t->voided_numbers, r->count);
    return rc == RAFFLE_OK ? rf_report_add(p, &t->voided_gross, r->price) : rc;
}

static raffle_rc put_ticket(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                            const uint8_t leaf[32])
{
    tickets *t = ctx;
    (void)leaf;
    if (r->type != RF_SALE || !rf_report_in(p, r->at))
        return RAFFLE_OK;
    const bool is_void = t->voids.bit[raw->index / 8] >> raw->index % 8 & 1;
    raffle_rc rc = rf_report_tally(p, &t->sold, r);
    if (rc == RAFFLE_OK && is_void)
        rc = add_void(p, t, r);
    if (rc != RAFFLE_OK)
        return rc;
    rf_row_begin(p);
    rf_row_count(p, log);
    rf_row_count(p, (int64_t)raw->index);
    rf_row_number(p, log, (uint64_t)r->n);
    rf_row_number(p, log, (uint64_t)(r->n + r->count - 1));
    rf_row_count(p, r->count);
    rf_row_money(p, r->price);
    rf_row_text(p, &r->tier);
    rf_row_time(p, r->at);
    rf_row_string(p, is_void ? "void" : "sold");
    return rf_row_end(p);
}

static raffle_rc prepare(rf_report *p, voids *v, uint32_t unit)
{
    const size_t bytes = (size_t)(p->unit_log[unit - 1].size / 8 + 1);
    if (v->bit == NULL || bytes > v->cap) {
        uint8_t *grown = realloc(v->bit, bytes);
        if (grown == NULL)
            return rf_nomem(p->err);
        v->bit = grown;
        v->cap = bytes;
    }
    memset(v->bit, 0, bytes);
    v->unit = unit;
    return RAFFLE_OK;
}

static raffle_rc put_unit(rf_report *p, tickets *t, uint32_t unit)
{
    raffle_rc rc = prepare(p, &t->voids, unit);
    if (rc != RAFFLE_OK)
        return rc;
    mark_late(p, &t->voids);
    rc = rf_report_scan(p, unit, find_void, &t->voids);
    return rc == RAFFLE_OK ? rf_report_scan(p, unit, put_ticket, t) : rc;
}

static raffle_rc run(rf_report *p)
{
    tickets t = {.voids = {.bit = NULL}};
    raffle_rc rc = gather_late(p, &t.voids);
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        if (rf_report_of(p, unit))
            rc = put_unit(p, &t, unit);
    free(t.voids.bit);
    free(t.voids.late);
    rf_total_count(p, "tickets", "Tickets sold", t.sold.tickets);
    rf_total_count(p, "numbers", "Draw numbers sold", t.sold.numbers);
    rf_total_money(p, "gross", "Their price", t.sold.gross);
    rf_total_count(p, "voids", "Of these tickets, void now", t.voided);
    rf_total_count(p, "void_numbers", "Of these draw numbers, void now", t.voided_numbers);
    rf_total_money(p, "void_gross", "Price of those that are void now", t.voided_gross);
    return rc;
}

const rf_report_def rf_report_tickets = {.name = "tickets",
                                         .title = "Bearer Tickets Report",
                                         .source = "GLI-31 2.8.1(c)",
                                         .columns = columns,
                                         .n = sizeof columns / sizeof *columns,
                                         .run = run};
