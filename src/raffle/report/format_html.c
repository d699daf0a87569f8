/* SPDX-License-Identifier: Apache-2.0 */
/* A report as a page that prints on A4 and Letter: no scripts, nothing from elsewhere, heads repeated on every sheet. */
#include "report_impl.h"

#include <string.h>

static const char style[] =
    "@page{size:auto;margin:15mm 12mm}"
    "body{font:10pt/1.35 sans-serif;color:#000;background:#fff;margin:1em}"
    "h1{font-size:15pt;margin:0 0 .4em}"
    ".rehearsal{border:2pt solid #000;padding:.3em .6em;font-weight:bold}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1em}"
    "th,td{border:.4pt solid #777;padding:.15em .35em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".head,.totals{width:auto}.head th,.totals th{font-weight:normal}"
    "@media print{body{margin:0;font-size:8.5pt}}";

static void put_text(rf_report *p, const char *text)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '&':
            rf_out_string(p, "&amp;");
            break;
        case '<':
            rf_out_string(p, "&lt;");
            break;
        case '>':
            rf_out_string(p, "&gt;");
            break;
        case '"':
            rf_out_string(p, "&quot;");
            break;
        case '\'':
            rf_out_string(p, "&#39;");
            break;
        default:
            rf_out(p, text, 1);
        }
    }
}

static void head_line(rf_report *p, const char *label, const char *value)
{
    rf_out_string(p, "<tr><th scope=\"row\">");
    put_text(p, label);
    rf_out_string(p, "</th><td>");
    put_text(p, value);
    rf_out_string(p, "</td></tr>\n");
}

static bool right(rf_cell_kind kind)
{
    return kind == RF_CELL_COUNT || kind == RF_CELL_MONEY;
}

static void put_headings(rf_report *p)
{
    rf_out_string(p, "<table>\n<thead><tr>");
    for (size_t i = 0; i < p->def->n; i++) {
        rf_out_string(p, right(p->def->columns[i].kind) ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        put_text(p, p->def->columns[i].title);
        rf_out_string(p, "</th>");
    }
    rf_out_string(p, "</tr></thead>\n<tbody>\n");
}

static void begin(rf_report *p)
{
    const rf_rules *rules = p->control.rules;
    rf_out_string(p, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                     "'unsafe-inline'\">"
                     "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    put_text(p, p->def->title);
    rf_out_string(p, ", ");
    put_text(p, rules->name);
    rf_out_string(p, "</title>\n<style>");
    rf_out_string(p, style);
    rf_out_string(p, "</style></head>\n<body>\n<h1>");
    put_text(p, p->def->title);
    rf_out_string(p, "</h1>\n");
    if (rules->rehearsal)
        rf_out_string(p, "<p class=\"rehearsal\">REHEARSAL</p>\n");
    rf_out_string(p, "<table class=\"head\"><tbody>\n");
    rf_head_lines(p, head_line);
    rf_out_string(p, "</tbody></table>\n");
    put_headings(p);
}

static void row(rf_report *p)
{
    char text[RF_CELL_SIZE];
    rf_out_string(p, "<tr>");
    for (size_t i = 0; i < p->def->n; i++) {
        (void)rf_cell_plain(p, &p->cell[i], text);
        rf_out_string(p, right(p->def->columns[i].kind) ? "<td class=\"n\">" : "<td>");
        put_text(p, text);
        rf_out_string(p, "</td>");
    }
    rf_out_string(p, "</tr>\n");
}

static void end(rf_report *p)
{
    char text[RF_CELL_SIZE];
    if (p->rows == 0) {
        rf_out_format(p, "<tr><td colspan=\"%zu\">", p->def->n);
        put_text(p, rf_report_nothing);
        rf_out_string(p, "</td></tr>\n");
    }
    rf_out_string(p, "</tbody></table>\n<table class=\"totals\"><tbody>\n");
    for (size_t i = 0; i < p->n_totals; i++) {
        const rf_total *t = &p->totals[i];
        (void)rf_cell_plain(p, &t->cell, text);
        rf_out_string(p, "<tr><th scope=\"row\">");
        put_text(p, t->title);
        rf_out_string(p, "</th><td class=\"n\">");
        put_text(p, t->cell.kind == RF_CELL_NONE ? "not known" : text);
        rf_out_string(p, "</td></tr>\n");
    }
    rf_out_string(p, "</tbody></table>\n</body></html>\n");
}

const rf_format rf_format_html = {begin, row, end};
