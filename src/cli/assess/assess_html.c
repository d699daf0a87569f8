/* SPDX-License-Identifier: Apache-2.0 */
/* The page of an assessment, and the sentences that it shares with text and JSON. */
#include "assess_html.h"

#include "output.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    WIDTH = 640,
    HEIGHT = 200,
    MARGIN = 40,
    COLUMNS = 64 /* of the plot of the numbers */
};

const char *assess_verdict_name(assess_verdict verdict)
{
    static const char *const names[] = {"pass", "low", "FAIL", "refused"};
    return names[verdict];
}

void assess_sentence(const assess_result *r, char out[256])
{
    if (r->failed > 0)
        snprintf(out, 256, "not random: %zu of the fifteen tests reject it, judged together", r->failed);
    else if (r->rejected_p < r->share || r->uniform_p < r->share)
        snprintf(out, 256, "not random: the p-values of its streams are not spread as chance spreads them");
    else if (r->refused > 0)
        snprintf(out, 256, "undecided: the sample is too small for %zu of the fifteen tests", r->refused);
    else
        snprintf(out, 256, "nothing speaks against it at %.6g %%", 100 * (1 - r->alpha));
}

/* --- plots --- */

static void begin_plot(const char *title, FILE *to)
{
    fprintf(to,
            "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n"
            "<rect x=\"%d\" y=\"10\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n",
            title, WIDTH, HEIGHT + MARGIN, title, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 20);
}

static double across(double share)
{
    return MARGIN + share * (WIDTH - 2 * MARGIN);
}

/* 0 is the bottom, 1 the top. */
static double up(double share)
{
    return 10 + (1 - fmin(fmax(share, 0), 1)) * (HEIGHT - 20);
}

static void put_label(double x, double y, const char *text, FILE *to)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, y, text);
}

static void put_line(double height, const char *label, FILE *to)
{
    fprintf(to, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", MARGIN, WIDTH - MARGIN, up(height),
            up(height));
    put_label(2, up(height) + 4, label, to);
}

static void put_bar(double left, double right, double low, double high, bool bad, FILE *to)
{
    fprintf(to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n", across(left) + 1,
            up(high), fmax(1, across(right) - across(left) - 2), fmax(1, up(low) - up(high)), bad ? "bad" : "bar");
}

/* Bars of -log10 p, to 6. */
static void plot_tests(const assess_result *r, FILE *to)
{
    const double top = 6;
    begin_plot("The fifteen tests: how small each p-value is, in powers of ten", to);
    for (size_t i = 0; i < ASSESS_TESTS; i++) {
        const assess_test *t = &r->test[i];
        const char letter[] = {t->clause, 0};
        if (t->verdict != ASSESS_REFUSED)
            put_bar((double)i / ASSESS_TESTS, (double)(i + 1) / ASSESS_TESTS, 0, -log10(fmax(t->p, 1e-300)) / top,
                    t->verdict == ASSESS_FAIL, to);
        put_label(across(((double)i + 0.4) / ASSESS_TESTS), HEIGHT + 10, letter, to);
    }
    put_line(-log10(r->alpha) / top, "alpha", to);
    put_line(-log10(r->share / ASSESS_TESTS) / top, "Holm", to);
    fputs("</svg>\n", to);
}

/* A histogram of the streams' p-values. */
static void plot_streams(const assess_result *r, FILE *to)
{
    unsigned count[10] = {0};
    for (size_t i = 0; i < r->pools; i++)
        count[(size_t)fmin(9, r->pooled[i] * 10)]++;
    begin_plot("The p-values of the streams, which chance spreads evenly", to);
    for (size_t i = 0; i < 10; i++)
        put_bar((double)i / 10, (double)(i + 1) / 10, 0, count[i] * 10.0 / (double)r->pools / 3, false, to);
    put_line(1.0 / 3, "even", to);
    put_label(across(0), HEIGHT + 10, "0", to);
    put_label(across(1), HEIGHT + 10, "1", to);
    fputs("</svg>\n", to);
}

/* How far each of 64 equal shares of the values is from what is expected, in standard deviations. */
static void plot_values(const assess_counts *c, FILE *to)
{
    uint64_t count[COLUMNS] = {0}, n = 0;
    for (size_t i = 0; i < ASSESS_STEPS; i++) {
        count[i / (ASSESS_STEPS / COLUMNS)] += c->step[i];
        n += c->step[i];
    }
    if (n == 0)
        return;
    const double expected = (double)n / COLUMNS, deviation = sqrt(expected * (1 - 1.0 / COLUMNS));
    begin_plot("Values from the lowest to the highest: standard deviations from even", to);
    for (size_t i = 0; i < COLUMNS; i++) {
        const double z = ((double)count[i] - expected) / deviation;
        put_bar((double)i / COLUMNS, (double)(i + 1) / COLUMNS, fmin(0.5, 0.5 + z / 10), fmax(0.5, 0.5 + z / 10),
                fabs(z) > 5, to);
    }
    put_line(0.8, "+3", to);
    put_line(0.2, "-3", to);
    fputs("</svg>\n", to);
}

/* --- the tables --- */

static void put_test(const assess_test *t, FILE *to)
{
    if (t->parts == 0)
        fprintf(to,
                "<tr class=\"refused\"><td>%c</td><td>%s</td><td colspan=\"5\">the sample is too "
                "small</td><td>refused</td></tr>\n",
                t->clause, t->name);
    for (size_t i = 0; i < t->parts; i++) {
        const assess_part *part = &t->part[i];
        fprintf(to, "<tr class=\"%s\">", assess_verdict_name(t->verdict));
        if (i == 0)
            fprintf(to, "<td rowspan=\"%zu\">%c</td><td rowspan=\"%zu\">%s</td>", t->parts, t->clause, t->parts,
                    t->name);
        fprintf(to, "<td>%s</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%.6g</td><td class=\"n\">", part->name,
                part->n, part->statistic);
        if (part->freedom > 0)
            fprintf(to, "%.0f", part->freedom);
        fprintf(to, "</td><td class=\"n\">%.6f</td>", part->p);
        if (i == 0)
            fprintf(to, "<td rowspan=\"%zu\">%.6f %s</td>", t->parts, t->p, assess_verdict_name(t->verdict));
        fputs("</tr>\n", to);
    }
}

static void put_head(const assess_result *r, const char *source, FILE *to)
{
    char sentence[256];
    assess_sentence(r, sentence);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Assessment of a "
          "sample</title>\n<style>\n"
          "body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 "
          "1em;color:#222}table{border-collapse:collapse}\n"
          "td,th{border:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}.n{text-align:right}\n"
          "svg{width:100%;max-width:640px}text{font-size:11px;fill:#444}line{stroke:#888;stroke-dasharray:4}\n"
          ".frame{fill:none;stroke:#bbb}.bar{fill:#4a7ab0}.bad{fill:#c0392b}tr.FAIL td{background:#f8d7d3}\n"
          "tr.low td{background:#fdf3d0}tr.refused td{background:#eee}\n</style>\n</head>\n<body>\n<h1>Assessment of a "
          "sample</h1>\n<p>",
          to);
    html_text(source, to);
    fprintf(to,
            ": %" PRIu64 " draws of %" PRIu64 " from 0 to %" PRIu64
            ", %s replacement.</p>\n<p><strong>%s</strong></p>\n",
            r->draws, r->shape.picks, r->shape.range - 1, r->shape.replace ? "with" : "without", sentence);
}

static void put_judgement(const assess_result *r, FILE *to)
{
    fprintf(to, "<h2>Judged together</h2>\n<ul>\n<li>Holm's procedure at %.6g: %zu rejected.</li>\n", r->share,
            r->failed);
    if (r->pools > 0)
        fprintf(to,
                "<li>Of %zu p-values of %zu streams, %zu are below %.6g; the chance of so many is %.6f.</li>\n"
                "<li>Kolmogorov-Smirnov of these p-values: %.6f.</li>\n",
                r->pools, r->streams, r->rejected, r->alpha, r->rejected_p, r->uniform_p);
    fputs("</ul>\n", to);
}

void assess_html(const assess_result *r, const assess_counts *c, const char *source, FILE *to)
{
    put_head(r, source, to);
    fputs("<table>\n<tr><th></th><th>test</th><th>statistic "
          "of</th><th>counted</th><th>value</th><th>freedom</th><th>p</th>"
          "<th>test's p</th></tr>\n",
          to);
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        put_test(&r->test[i], to);
    fputs("</table>\n", to);
    put_judgement(r, to);
    plot_tests(r, to);
    if (r->pools > 0)
        plot_streams(r, to);
    plot_values(c, to);
    fputs("</body>\n</html>\n", to);
}
