/* SPDX-License-Identifier: Apache-2.0 */
/* A report as one JSON object, a row a line: the form that can be proved (docs/guide/reports.md). */
#include "report_impl.h"

#include "bytes.h"
#include "timestamp.h"
#include <stdio.h>
#include <string.h>

enum {
    TEXT_MAX = 6 * RF_REPORT_SCRATCH + 2
};

static size_t json_text(char out[TEXT_MAX], const char *text, size_t length)
{
    rf_json_writer w;
    rf_json_init(&w, out, TEXT_MAX);
    rf_json_string(&w, text, length);
    return w.ok ? w.length : 0;
}

void rf_out_json_text(rf_report *p, const char *text, size_t length)
{
    char json[TEXT_MAX];
    rf_out(p, json, json_text(json, text, length));
}

static void member(rf_report *p, const char *name, const char *text)
{
    rf_out_format(p, "\"%s\":", name);
    rf_out_json_text(p, text, strlen(text));
}

static void time_member(rf_report *p, const char *name, int64_t at)
{
    char text[RF_TIME_LENGTH + 1] = "";
    (void)rf_time_format(text, at);
    rf_out_format(p, "\"%s\":\"%s\"", name, text);
}

/* --- the head --- */

static void put_raffle(rf_report *p)
{
    const rf_rules *rules = p->control.rules;
    rf_out_string(p, ",\n\"raffle\":{");
    member(p, "origin", rules->origin);
    rf_out_string(p, ",");
    member(p, "name", rules->name);
    rf_out_string(p, ",");
    member(p, "organisation", rules->organisation);
    rf_out_string(p, ",");
    member(p, "licence", rules->licence);
    rf_out_string(p, ",");
    member(p, "place", rules->place);
    if (rules->series[0] != 0) {
        rf_out_string(p, ",\"series\":{");
        member(p, "name", rules->series);
        rf_out_format(p, ",\"number\":%lld}", (long long)rules->series_number);
    }
    rf_out_format(p, ",\"currency\":\"%s\",\"digits\":%d,\"rehearsal\":%s,", rules->currency, (int)rules->digits,
                  rules->rehearsal ? "true" : "false");
    time_member(p, "opens", rules->opens);
    rf_out_string(p, ",");
    time_member(p, "closes", rules->closes);
    rf_out_string(p, "}");
}

static void put_interval(rf_report *p)
{
    rf_out_string(p, ",\n\"interval\":{");
    if (p->how.from != 0)
        time_member(p, "from", p->how.from);
    if (p->how.from != 0 && p->how.to != 0)
        rf_out_string(p, ",");
    if (p->how.to != 0)
        time_member(p, "to", p->how.to);
    rf_out_string(p, "}");
}

static void put_made(rf_report *p)
{
    char local[RF_CELL_SIZE];
    const rf_cell cell = {.kind = RF_CELL_TIME, .value = p->made};
    (void)rf_cell_plain(p, &cell, local);
    rf_out_format(p, ",\"unit\":%u,", p->how.unit);
    time_member(p, "made", p->made);
    rf_out_format(p, ",\"made_local\":\"%s\",", local);
    member(p, "maker", p->how.maker);
}

static void put_log(rf_report *p, const rf_report_log *log)
{
    char hex[65] = "";
    rf_hex_encode(hex, log->root, sizeof log->root);
    rf_out_format(p, "\"size\":%llu,\"root\":\"%s\"}", (unsigned long long)log->size, hex);
}

static void put_checkpoint(rf_report *p)
{
    rf_out_string(p, ",\n\"checkpoint\":{\"control\":{");
    put_log(p, &p->control_log);
    rf_out_string(p, ",\"units\":[");
    for (size_t i = 0; i < p->units; i++) {
        rf_out_format(p, "%s\n{\"unit\":%zu,", i == 0 ? "" : ",", i + 1);
        put_log(p, &p->unit_log[i]);
    }
    rf_out_string(p, "]}");
}

static void put_columns(rf_report *p)
{
    static const char *const kinds[] = {"none", "text", "count", "money", "time"};
    rf_out_string(p, ",\n\"columns\":[");
    for (size_t i = 0; i < p->def->n; i++) {
        const rf_column *c = &p->def->columns[i];
        rf_out_format(p, "%s\n{\"name\":\"%s\",\"title\":\"%s\",\"kind\":\"%s\",\"private\":%s}", i == 0 ? "" : ",",
                      c->name, c->title, kinds[c->kind], c->private ? "true" : "false");
    }
    rf_out_string(p, "]");
}

static void begin(rf_report *p)
{
    rf_out_string(p, "{");
    member(p, "report", p->def->name);
    rf_out_format(p, ",\"format\":%d,", RF_REPORT_FORMAT);
    member(p, "title", p->def->title);
    rf_out_string(p, ",");
    member(p, "source", p->def->source);
    put_raffle(p);
    put_interval(p);
    put_made(p);
    put_checkpoint(p);
    rf_out_format(p, ",\n\"draws_aborted\":%llu,\"draws_asked_again\":%llu", (unsigned long long)p->aborted,
                  (unsigned long long)p->asked_again);
    put_columns(p);
    rf_out_string(p, ",\n\"rows\":[");
}

/* --- rows and totals --- */

static size_t json_cell(const rf_cell *cell, char out[TEXT_MAX])
{
    switch (cell->kind) {
    case RF_CELL_TEXT:
        return json_text(out, cell->text, cell->length);
    case RF_CELL_COUNT:
    case RF_CELL_MONEY:
        return (size_t)snprintf(out, TEXT_MAX, "%lld", (long long)cell->value);
    case RF_CELL_TIME:
        memset(out, 0, RF_TIME_LENGTH + 3);
        out[0] = '"';
        (void)rf_time_format(out + 1, cell->value);
        out[RF_TIME_LENGTH + 1] = '"';
        return RF_TIME_LENGTH + 2;
    case RF_CELL_NONE:
        break;
    }
    memcpy(out, "null", 4);
    return 4;
}

static void row(rf_report *p)
{
    char json[TEXT_MAX];
    rf_out_string(p, p->rows > 1 ? ",\n[" : "\n[");
    for (size_t i = 0; i < p->def->n; i++) {
        const size_t length = json_cell(&p->cell[i], json);
        if (i > 0)
            rf_out(p, ",", 1);
        if (p->def->columns[i].private)
            rf_out_private(p, json, length);
        else
            rf_out(p, json, length);
    }
    rf_out(p, "]", 1);
}

static void end(rf_report *p)
{
    char json[TEXT_MAX];
    rf_out_format(p, "],\n\"activity\":%s,\n\"totals\":{", p->rows > 0 ? "true" : "false");
    for (size_t i = 0; i < p->n_totals; i++) {
        rf_out_format(p, "%s\n\"%s\":", i == 0 ? "" : ",", p->totals[i].name);
        rf_out(p, json, json_cell(&p->totals[i].cell, json));
    }
    rf_out_string(p, "},\n\"notes\":[");
}

const rf_format rf_format_json = {begin, row, end};
