/* SPDX-License-Identifier: Apache-2.0 */
/* Making a report: the list of reports, what is asked for, the snapshot of the logs, and the frame around the rows. */
#include "report_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const rf_report_def *const reports[] = {
    &rf_report_drawing, &rf_report_exceptions,  &rf_report_tickets,    &rf_report_sales,
    &rf_report_voids,   &rf_report_unit_events, &rf_report_corruption, &rf_report_events,
    &rf_report_summary, &rf_report_accounts,    &rf_report_units,
};
enum {
    REPORTS = sizeof reports / sizeof reports[0]
};

const char *raffle_report_name(uint32_t i)
{
    return i < REPORTS ? reports[i]->name : NULL;
}

const char *raffle_report_title(uint32_t i)
{
    return i < REPORTS ? reports[i]->title : NULL;
}

const char *raffle_report_source(uint32_t i)
{
    return i < REPORTS ? reports[i]->source : NULL;
}

const rf_report_def *rf_report_find(const char *name)
{
    for (size_t i = 0; i < REPORTS; i++)
        if (strcmp(reports[i]->name, name) == 0)
            return reports[i];
    return NULL;
}

/* --- what is asked for --- */

static raffle_rc check_interval(const raffle_report_options *how, raffle_error *err)
{
    if (how->from < 0 || how->from > RF_TIME_MAX || how->to < 0 || how->to > RF_TIME_MAX)
        return rf_fail(err, RAFFLE_INVALID,
                       "the interval is from %lld ms to %lld ms; times are of the years 1970 to 9999",
                       (long long)how->from, (long long)how->to);
    if (how->to != 0 && how->from >= how->to)
        return rf_fail(err, RAFFLE_INVALID, "the interval begins at %lld ms and ends at %lld ms, not after it",
                       (long long)how->from, (long long)how->to);
    return RAFFLE_OK;
}

static const rf_format *format_of(int32_t format)
{
    switch (format) {
    case RAFFLE_REPORT_TEXT:
        return &rf_format_text;
    case RAFFLE_REPORT_CSV:
        return &rf_format_csv;
    case RAFFLE_REPORT_JSON:
        return &rf_format_json;
    case RAFFLE_REPORT_HTML:
        return &rf_format_html;
    default:
        return NULL;
    }
}

raffle_rc rf_report_check(rf_report *p, raffle_error *err)
{
    raffle_report_options *how = &p->how;
    if (memchr(how->name, 0, sizeof how->name) == NULL || memchr(how->maker, 0, sizeof how->maker) == NULL)
        return rf_fail(err, RAFFLE_INVALID, "the report's name, or its maker's, has no end");
    p->def = rf_report_find(how->name);
    p->format = format_of(how->format);
    if (p->def == NULL)
        return rf_fail_at(err, RAFFLE_NOT_FOUND, 1, "there is no report \"%s\"", how->name);
    if (p->format == NULL)
        return rf_fail(err, RAFFLE_INVALID, "%d is no format of a report", how->format);
    if (how->maker[0] != 0 && !rf_text_valid(how->maker, strlen(how->maker), RAFFLE_NAME_MAX))
        return rf_fail(err, RAFFLE_INVALID, "the maker's name is no text of at most %d bytes", RAFFLE_NAME_MAX);
    if (p->def->whole && how->unit != 0)
        return rf_fail(err, RAFFLE_INVALID, "the report \"%s\" is of the whole raffle, not of unit %u", how->name,
                       how->unit);
    return check_interval(how, err);
}

/* --- the snapshot --- */

/* The size and root of now; or, when a report is verified, whether the log had those. */
static raffle_rc snapshot_log(rf_report *p, uint32_t number, rf_report_log *is, raffle_error *err)
{
    rf_log *log;
    const rf_vkey *vkey;
    uint64_t size;
    uint8_t root[32];
    raffle_rc rc = rf_log_named(p->raffle, number, &log, &vkey, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_log_root(log, &size, root);
    if (p->compare == NULL) {
        is->size = size;
        memcpy(is->root, root, sizeof is->root);
        return RAFFLE_OK;
    }
    if (is->size > size)
        return rf_fail(err, RAFFLE_HISTORY, "the report is of %llu records of log %u, which has %llu",
                       (unsigned long long)is->size, number, (unsigned long long)size);
    rc = rf_log_root_at(log, is->size, root, err);
    if (rc == RAFFLE_OK && memcmp(root, is->root, sizeof root) != 0)
        return rf_fail(err, RAFFLE_HISTORY, "the first %llu records of log %u are others than those of the report",
                       (unsigned long long)is->size, number);
    return rc;
}

static raffle_rc fold(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                      const uint8_t leaf[32])
{
    rf_taken_list taken = {0};
    (void)ctx;
    (void)log;
    (void)raw;
    p->aborted += r->type == RF_DRAW_ABORT;
    p->asked_again += r->type == RF_EVENT && rf_text_is(&r->code, "draw.ask-again");
    return rf_control_apply(&p->control, r, leaf, &taken, p->err);
}

/* A log that is damaged is what the corruption log is there to say. */
static raffle_rc snapshot_unit(rf_report *p, uint32_t unit, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_report_log *is = &p->unit_log[unit - 1];
    raffle_rc rc = snapshot_log(p, unit, is, &why);
    if (rc == RAFFLE_CORRUPT && p->def == &rf_report_corruption) {
        *is = (rf_report_log){.damaged = true};
        return RAFFLE_OK;
    }
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
}

static raffle_rc snapshot_units(rf_report *p, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    if (p->compare == NULL && p->control.units > 0) {
        p->unit_log = calloc(p->control.units, sizeof *p->unit_log);
        if (p->unit_log == NULL)
            return rf_nomem(err);
        p->units = p->control.units;
    }
    if (p->units != p->control.units)
        return rf_fail(err, RAFFLE_MISMATCH, "the report names %zu units, and the raffle had %zu", p->units,
                       p->control.units);
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        rc = snapshot_unit(p, unit, err);
    return rc;
}

static void count_work(rf_report *p)
{
    p->total = 2 * p->control_log.size;
    for (uint32_t unit = 1; unit <= p->units; unit++)
        if (rf_report_of(p, unit))
            p->total += p->unit_log[unit - 1].size * (p->def == &rf_report_tickets ? 2 : 1);
}

raffle_rc rf_report_snapshot(rf_report *p, raffle_error *err)
{
    rf_control_init(&p->control);
    raffle_rc rc = snapshot_log(p, 0, &p->control_log, err);
    if (rc == RAFFLE_OK)
        rc = rf_report_scan(p, 0, fold, NULL);
    if (rc == RAFFLE_OK && p->control.rules == NULL)
        return rf_fail(err, RAFFLE_MISMATCH, "the report is of no records");
    if (rc == RAFFLE_OK)
        rc = snapshot_units(p, err);
    if (rc == RAFFLE_OK && p->how.unit > p->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no unit %u in %s", p->how.unit, p->raffle->origin);
    count_work(p);
    return rc;
}

/* --- the signed checkpoints as they are kept --- */

static raffle_rc put_note(rf_report *p, uint32_t log, uint64_t size, char *note, size_t *n)
{
    size_t length;
    uint64_t found;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(p->raffle->store, log, RF_NOTE_LATEST, &found, note, RF_NOTE_MAX, &length, &why);
    if (rc == RAFFLE_NOT_FOUND || (rc == RAFFLE_OK && found > size))
        return RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rf_fail_as(p->err, &why);
    rf_out_format(p, "%s\n{\"log\":%u,\"note\":", (*n)++ == 0 ? "" : ",", log);
    rf_json_writer w;
    const size_t cap = 6 * RF_NOTE_MAX + 2;
    char *json = malloc(cap);
    if (json == NULL)
        return rf_nomem(p->err);
    rf_json_init(&w, json, cap);
    rf_json_string(&w, note, length);
    rf_out(p, json, w.ok ? w.length : 0);
    rf_out(p, "}", 1);
    free(json);
    return w.ok ? p->rc : rf_fail(p->err, RAFFLE_CORRUPT, "the kept checkpoint of log %u is no text", log);
}

static raffle_rc put_notes(rf_report *p)
{
    size_t n = 0;
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = put_note(p, 0, p->control_log.size, note, &n);
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        if (rf_report_of(p, unit) && p->unit_log[unit - 1].size > 0)
            rc = put_note(p, unit, p->unit_log[unit - 1].size, note, &n);
    free(note);
    rf_out_string(p, "]}\n");
    return rc;
}

/* --- the frame --- */

raffle_rc rf_report_run(rf_report *p)
{
    p->format->begin(p);
    raffle_rc rc = p->rc == RAFFLE_OK ? p->def->run(p) : p->rc;
    if (rc != RAFFLE_OK)
        return rc;
    p->format->end(p);
    return p->rc;
}

void rf_report_clear(rf_report *p)
{
    rf_control_clear(&p->control);
    rf_sha256_free(p->hash);
    free(p->unit_log);
    if (p->buffer != NULL)
        sodium_memzero(p->buffer, RF_REPORT_BUFFER);
    free(p->buffer);
    sodium_memzero(p, sizeof *p);
    free(p);
}

static raffle_rc make(rf_report *p, raffle_error *err)
{
    p->hash = rf_sha256_new();
    p->buffer = malloc(RF_REPORT_BUFFER);
    if (p->hash == NULL || p->buffer == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_clock_read(p->raffle, &p->made, err);
    if (rc == RAFFLE_OK)
        rc = rf_report_snapshot(p, err);
    if (rc == RAFFLE_OK)
        rc = rf_report_run(p);
    if (rc == RAFFLE_OK && p->format == &rf_format_json)
        rc = put_notes(p);
    if (rc == RAFFLE_OK) {
        rf_out_flush(p);
        rc = p->rc;
    }
    return rc;
}

raffle_rc raffle_report_write(raffle *r, const raffle_report_options *options, raffle_write write, void *ctx,
                              raffle_error *err)
{
    raffle_error mine = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && (options == NULL || write == NULL))
        rc = rf_null(err, options == NULL ? "options" : "write");
    if (rc != RAFFLE_OK)
        return rc;
    rf_report *p = calloc(1, sizeof *p);
    if (p == NULL)
        return rf_nomem(err);
    p->raffle = r;
    p->write = write;
    p->write_ctx = ctx;
    p->err = &mine;
    rc = rf_struct_in(&p->how, sizeof p->how, options, "options", &mine);
    if (rc == RAFFLE_OK)
        rc = rf_report_check(p, &mine);
    if (rc == RAFFLE_OK)
        rc = make(p, &mine);
    rf_report_clear(p);
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &mine);
}

void raffle_report_options_init(raffle_report_options *options, size_t size)
{
    rf_struct_init(options, size);
}

void raffle_report_info_init(raffle_report_info *info, size_t size)
{
    rf_struct_init(info, size);
}
