/* SPDX-License-Identifier: Apache-2.0 */
/* The Exception Report, GLI-31 2.8.1(b): changes of parameters, corrections, overrides and voids, with what was before and after where that is known. */
#include "event_codes.h"
#include "report_impl.h"

#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rf_column columns[] = {
    {"at", "At", RF_CELL_TIME, 29, false},
    {"log", "In log", RF_CELL_COUNT, 6, false},
    {"record", "Record", RF_CELL_COUNT, 8, false},
    {"kind", "Kind", RF_CELL_TEXT, 10, false},
    {"what", "What", RF_CELL_TEXT, 20, false},
    {"subject", "Of", RF_CELL_TEXT, 22, false},
    {"before", "Before", RF_CELL_TEXT, 12, false},
    {"after", "After", RF_CELL_TEXT, 12, false},
    {"reason", "Reason", RF_CELL_TEXT, 12, false},
    {"by", "Role", RF_CELL_TEXT, 13, false},
    {"actor", "By", RF_CELL_TEXT, 16, true},
    {"ok", "Approved by role", RF_CELL_TEXT, 16, false},
    {"approver", "Approved by", RF_CELL_TEXT, 16, true},
    {"text", "Text", RF_CELL_TEXT, 30, true},
    {"element", "Altered", RF_CELL_TEXT, 16, true},
    {"old", "Old value", RF_CELL_TEXT, 16, true},
    {"new", "New value", RF_CELL_TEXT, 16, true},
};

/* What the walk over the control log knows of a unit so far. */
typedef struct seen_unit {
    int64_t quota, twice;
    bool enabled;
} seen_unit;

typedef struct exceptions {
    seen_unit *unit; /* [n] is unit n; [0] of records that name none of these */
    size_t units;
    int64_t parameters, corrections, overrides, voids, failures;
} exceptions;

static seen_unit *unit_of(const exceptions *e, const rf_record *r)
{
    return &e->unit[rf_has(r, RF_F_UNIT) && (uint64_t)r->unit <= e->units ? r->unit : 0];
}

typedef enum kind {
    NORMAL,
    PARAMETER,
    CORRECTION,
    OVERRIDE,
    VOID,
    FAILURE
} kind;

static const char *const kind_names[] = {"", "parameter", "correction", "override", "void", "failure"};

static kind kind_of_event(const rf_record *r)
{
    const rf_event_code *code = rf_event_code_find(&r->code);
    if (code != NULL && code->kind != RF_EVENT_NORMAL)
        return code->kind == RF_EVENT_CORRECTION ? CORRECTION : FAILURE;
    return rf_has(r, RF_F_OK) ? OVERRIDE : NORMAL;
}

/* A claim always has two actors, which is no override, and so has the choice of an envelope. */
static kind kind_of(const exceptions *e, const rf_record *r)
{
    switch (r->type) {
    case RF_UNIT_ENROL:
    case RF_UNIT_ENABLE:
    case RF_UNIT_DISABLE:
    case RF_UNIT_QUOTA:
    case RF_UNIT_UNENROL:
        return PARAMETER;
    case RF_VOID:
        return VOID;
    case RF_EVENT:
        return kind_of_event(r);
    case RF_DRAW_ABORT:
    case RF_FORFEIT:
    case RF_REPRINT:
        return CORRECTION;
    case RF_WINNER_VERIFY:
        return rf_text_is(&r->outcome, "void") ? CORRECTION : NORMAL;
    case RF_SEAL_UNIT:
        return r->reconciled ? NORMAL : FAILURE;
    case RF_UNIT_SYNC:
        return r->twice > unit_of(e, r)->twice ? FAILURE : NORMAL;
    case RF_CLAIM:
    case RF_WINNER_PICK:
        return NORMAL;
    default:
        return rf_has(r, RF_F_OK) ? OVERRIDE : NORMAL;
    }
}

static void put_subject(rf_report *p, const rf_record *r)
{
    char prize[RAFFLE_WORD_SIZE];
    if (rf_has(r, RF_F_SERIAL) && rf_has(r, RF_F_UNIT))
        rf_row_format(p, "ticket %lld/%lld", (long long)r->unit, (long long)r->serial);
    else if (rf_has(r, RF_F_UNIT))
        rf_row_format(p, "unit %lld", (long long)r->unit);
    else if (rf_has(r, RF_F_PRIZE) && rf_has(r, RF_F_PLACE) && rf_text_copy(&r->prize, prize, sizeof prize))
        rf_row_format(p, "prize %s, place %lld", prize, (long long)r->place);
    else if (rf_has(r, RF_F_PRIZE) && rf_text_copy(&r->prize, prize, sizeof prize))
        rf_row_format(p, "prize %s, attempt %lld", prize, (long long)r->attempt);
    else
        rf_row_text(p, rf_has(r, RF_F_COMPONENT) ? &r->component : NULL);
}

static void put_state(rf_report *p, const char *before, const char *after)
{
    rf_row_string(p, before);
    rf_row_string(p, after);
}

/* Before and after: the unit's state as the records so far have it. */
static void put_change(rf_report *p, const exceptions *e, const rf_record *r)
{
    const seen_unit *u = unit_of(e, r);
    switch (r->type) {
    case RF_UNIT_ENROL:
        rf_row_none(p);
        rf_row_format(p, "quota %lld", (long long)r->quota);
        break;
    case RF_UNIT_ENABLE:
        put_state(p, "disabled", "enabled");
        break;
    case RF_UNIT_DISABLE:
        put_state(p, "enabled", "disabled");
        break;
    case RF_UNIT_UNENROL:
        put_state(p, u->enabled ? "enabled" : "disabled", "un-enrolled");
        break;
    case RF_UNIT_QUOTA:
        rf_row_format(p, "quota %lld", (long long)u->quota);
        rf_row_format(p, "quota %lld", (long long)r->quota);
        break;
    case RF_UNIT_SYNC:
        rf_row_format(p, "%lld sold twice", (long long)u->twice);
        rf_row_format(p, "%lld sold twice", (long long)r->twice);
        break;
    case RF_VOID:
        put_state(p, "sold", "void");
        break;
    default:
        rf_row_none(p);
        rf_row_none(p);
    }
}

static void follow(exceptions *e, const rf_record *r)
{
    seen_unit *u = unit_of(e, r);
    if (r->type == RF_UNIT_ENROL || r->type == RF_UNIT_QUOTA)
        u->quota = r->quota;
    if (r->type == RF_UNIT_ENABLE || r->type == RF_UNIT_DISABLE)
        u->enabled = r->type == RF_UNIT_ENABLE;
    if (r->type == RF_UNIT_SYNC)
        u->twice = r->twice;
}

static void count(exceptions *e, kind k)
{
    e->parameters += k == PARAMETER;
    e->corrections += k == CORRECTION;
    e->overrides += k == OVERRIDE;
    e->voids += k == VOID;
    e->failures += k == FAILURE;
}

static raffle_rc put(rf_report *p, const exceptions *e, kind k, uint32_t log, const raffle_record *raw,
                     const rf_record *r)
{
    rf_private part = {0};
    bool there;
    raffle_rc rc = rf_report_private(p, raw, r, &part, &there);
    if (rc != RAFFLE_OK)
        return rc;
    rf_row_begin(p);
    rf_row_time(p, r->at);
    rf_row_count(p, log);
    rf_row_count(p, (int64_t)raw->index);
    rf_row_string(p, kind_names[k]);
    if (r->type == RF_EVENT)
        rf_row_text(p, &r->code);
    else
        rf_row_string(p, rf_type_name(r->type));
    put_subject(p, r);
    put_change(p, e, r);
    rf_row_text(p, rf_has(r, RF_F_REASON) ? &r->reason : NULL);
    rf_row_string(p, raffle_role_name(r->by));
    rf_row_text(p, there ? &part.actor : NULL);
    rf_row_string(p, rf_has(r, RF_F_OK) ? raffle_role_name(r->ok) : NULL);
    rf_row_text(p, there && (part.has & rf_bit(RF_P_OK)) != 0 ? &part.ok : NULL);
    rf_row_text(p, there && (part.has & rf_bit(RF_P_TEXT)) != 0 ? &part.text : NULL);
    rf_row_part(p, &part, RF_P_ELEMENT, &part.element);
    rf_row_part(p, &part, RF_P_OLD, &part.old_value);
    rf_row_part(p, &part, RF_P_NEW, &part.new_value);
    return rf_row_end(p);
}

static bool about(const rf_report *p, uint32_t log, const rf_record *r)
{
    const uint32_t unit = log > 0 ? log : rf_has(r, RF_F_UNIT) ? (uint32_t)r->unit : 0;
    return rf_report_in(p, r->at) && (p->how.unit == 0 || p->how.unit == unit);
}

static raffle_rc take(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                      const uint8_t leaf[32])
{
    exceptions *e = ctx;
    raffle_rc rc = RAFFLE_OK;
    (void)leaf;
    const kind k = kind_of(e, r);
    if (k != NORMAL && about(p, log, r)) {
        count(e, k);
        rc = put(p, e, k, log, raw, r);
    }
    if (log == 0)
        follow(e, r);
    return rc;
}

static raffle_rc run(rf_report *p)
{
    exceptions e = {.unit = calloc(p->units + 1, sizeof *e.unit), .units = p->units};
    if (e.unit == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = rf_report_scan(p, 0, take, &e);
    if (rc == RAFFLE_OK)
        rc = rf_report_scan_units(p, take, &e);
    free(e.unit);
    rf_total_count(p, "parameters", "Changes of parameters", e.parameters);
    rf_total_count(p, "corrections", "Corrections", e.corrections);
    rf_total_count(p, "overrides", "Overrides", e.overrides);
    rf_total_count(p, "voids", "Voids", e.voids);
    rf_total_count(p, "failures", "Failures", e.failures);
    return rc;
}

const rf_report_def rf_report_exceptions = {.name = "exceptions",
                                            .title = "Exception Report",
                                            .source = "GLI-31 2.8.1(b)",
                                            .columns = columns,
                                            .n = sizeof columns / sizeof *columns,
                                            .run = run};
