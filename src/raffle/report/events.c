/* SPDX-License-Identifier: Apache-2.0 */
/* Events: those of the raffle in all its logs (GLI-31 5.6), and the RSU Event Log, all that happened to each sales unit but its sales (2.8.1(f)). */
#include "report_impl.h"

static const rf_column columns[] = {
    {"at", "At", RF_CELL_TIME, 29, false},
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"log", "In log", RF_CELL_COUNT, 6, false},
    {"record", "Record", RF_CELL_COUNT, 8, false},
    {"code", "Code", RF_CELL_TEXT, 20, false},
    {"component", "Component", RF_CELL_TEXT, 14, false},
    {"count", "Count", RF_CELL_COUNT, 7, false},
    {"serial", "Ticket", RF_CELL_COUNT, 8, false},
    {"reason", "Reason", RF_CELL_TEXT, 12, false},
    {"by", "Role", RF_CELL_TEXT, 13, false},
    {"actor", "By", RF_CELL_TEXT, 16, true},
    {"ok", "Approved by role", RF_CELL_TEXT, 16, false},
    {"approver", "Approved by", RF_CELL_TEXT, 16, true},
    {"text", "Text", RF_CELL_TEXT, 30, true},
    {"login", "Login", RF_CELL_TEXT, 12, true},
    {"from", "From", RF_CELL_TEXT, 15, true},
    {"element", "Altered", RF_CELL_TEXT, 16, true},
    {"old", "Old value", RF_CELL_TEXT, 16, true},
    {"new", "New value", RF_CELL_TEXT, 16, true},
};

static uint32_t unit_of(uint32_t log, const rf_record *r)
{
    if (log > 0)
        return log;
    return rf_has(r, RF_F_UNIT) ? (uint32_t)r->unit : 0;
}

static void optional_count(rf_report *p, const rf_record *r, rf_field field, int64_t value)
{
    if (rf_has(r, field))
        rf_row_count(p, value);
    else
        rf_row_none(p);
}

static void optional_text(rf_report *p, const rf_record *r, rf_field field, const rf_text *text)
{
    rf_row_text(p, rf_has(r, field) ? text : NULL);
}

/* An event's code; of any other record its type. */
static void put_code(rf_report *p, const rf_record *r)
{
    if (r->type == RF_EVENT)
        rf_row_text(p, &r->code);
    else
        rf_row_string(p, rf_type_name(r->type));
}

static void put_place(rf_report *p, uint32_t log, const raffle_record *raw, const rf_record *r)
{
    const uint32_t unit = unit_of(log, r);
    rf_row_begin(p);
    rf_row_time(p, r->at);
    if (unit > 0)
        rf_row_count(p, unit);
    else
        rf_row_none(p);
    rf_row_count(p, log);
    rf_row_count(p, (int64_t)raw->index);
}

static raffle_rc put(rf_report *p, uint32_t log, const raffle_record *raw, const rf_record *r)
{
    rf_private part = {0};
    bool there;
    raffle_rc rc = rf_report_private(p, raw, r, &part, &there);
    if (rc != RAFFLE_OK)
        return rc;
    put_place(p, log, raw, r);
    put_code(p, r);
    optional_text(p, r, RF_F_COMPONENT, &r->component);
    optional_count(p, r, RF_F_COUNT, r->count);
    optional_count(p, r, RF_F_SERIAL, r->serial);
    optional_text(p, r, RF_F_REASON, &r->reason);
    rf_row_string(p, raffle_role_name(r->by));
    rf_row_text(p, there ? &part.actor : NULL);
    rf_row_string(p, rf_has(r, RF_F_OK) ? raffle_role_name(r->ok) : NULL);
    rf_row_text(p, there && (part.has & rf_bit(RF_P_OK)) != 0 ? &part.ok : NULL);
    rf_row_text(p, there && (part.has & rf_bit(RF_P_TEXT)) != 0 ? &part.text : NULL);
    rf_row_part(p, &part, RF_P_LOGIN, &part.login);
    rf_row_part(p, &part, RF_P_FROM, &part.from);
    rf_row_part(p, &part, RF_P_ELEMENT, &part.element);
    rf_row_part(p, &part, RF_P_OLD, &part.old_value);
    rf_row_part(p, &part, RF_P_NEW, &part.new_value);
    return rf_row_end(p);
}

static bool wanted(const rf_report *p, uint32_t log, const rf_record *r)
{
    const uint32_t unit = unit_of(log, r);
    return rf_report_in(p, r->at) && (p->how.unit == 0 || p->how.unit == unit);
}

static raffle_rc put_event(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                           const uint8_t leaf[32])
{
    (void)ctx;
    (void)leaf;
    return r->type == RF_EVENT && wanted(p, log, r) ? put(p, log, raw, r) : RAFFLE_OK;
}

/* Of the control log what names a unit; of a unit's log all but its sales, which the Bearer Tickets Report has. */
static raffle_rc put_of_unit(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                             const uint8_t leaf[32])
{
    (void)ctx;
    (void)leaf;
    return r->type != RF_SALE && unit_of(log, r) > 0 && wanted(p, log, r) ? put(p, log, raw, r) : RAFFLE_OK;
}

static raffle_rc scan_all(rf_report *p, rf_report_sink sink)
{
    raffle_rc rc = rf_report_scan(p, 0, sink, NULL);
    if (rc == RAFFLE_OK)
        rc = rf_report_scan_units(p, sink, NULL);
    rf_total_count(p, "events", "Entries", (int64_t)p->rows);
    return rc;
}

static raffle_rc run_events(rf_report *p)
{
    return scan_all(p, put_event);
}

static raffle_rc run_unit_events(rf_report *p)
{
    return scan_all(p, put_of_unit);
}

const rf_report_def rf_report_events = {.name = "events",
                                        .title = "Significant Events",
                                        .source = "GLI-31 5.6.1, 5.6.2",
                                        .columns = columns,
                                        .n = sizeof columns / sizeof *columns,
                                        .run = run_events};

const rf_report_def rf_report_unit_events = {.name = "unit-events",
                                             .title = "RSU Event Log",
                                             .source = "GLI-31 2.8.1(f)",
                                             .columns = columns,
                                             .n = sizeof columns / sizeof *columns,
                                             .run = run_unit_events};
