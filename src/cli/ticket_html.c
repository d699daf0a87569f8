/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as a page to print, and their codes as SVG. */
#include "ticket_html.h"

#include "ticket_code.h"
#include <stdlib.h>
#include <string.h>

enum {
    ROW = 220, /* of the drawing: a code of 200 with its caption below */
    SIDE = 200
};

/* A ticket with its codes, `address` and its code only with --address. */
typedef struct sheet {
    ticket_view view;
    char text[TICKET_CODE_SIZE];
    char address[TICKET_ADDRESS_MAX];
    qr code, receipt;
} sheet;

/* --- collecting --- */

static void sheet_end(sheet *s)
{
    qr_free(&s->code);
    qr_free(&s->receipt);
    ticket_view_end(&s->view);
    explicit_bzero(s->text, sizeof s->text);
}

static int sheet_begin(cli *c, const raffle_ticket *ticket, bool codes, sheet *s)
{
    *s = (sheet){0};
    if (ticket_view_get(c, ticket, &s->view) != RAFFLE_OK)
        return cli_fail(c);
    ticket_code(c, &s->view, s->text);
    int status = ticket_address(c, &s->view, s->address);
    if (status != CLI_DONE || !codes)
        return status;
    if (qr_make(s->text, &s->code, &c->err) != RAFFLE_OK ||
        (s->address[0] != 0 && qr_make(s->address, &s->receipt, &c->err) != RAFFLE_OK))
        return cli_fail(c);
    return CLI_DONE;
}

/* Nothing is printed before every ticket is at hand. */
static int sheets_begin(cli *c, const raffle_ticket *ticket, size_t n, bool codes, sheet **out)
{
    sheet *sheets = memory_grow(NULL, n * sizeof *sheets);
    int status = CLI_DONE;
    memset(sheets, 0, n * sizeof *sheets);
    for (size_t i = 0; status == CLI_DONE && i < n; i++)
        status = sheet_begin(c, &ticket[i], codes, &sheets[i]);
    *out = sheets;
    return status;
}

static void sheets_free(sheet *sheets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sheet_end(&sheets[i]);
    free(sheets);
}

/* --- the page --- */

/* On a roll the codes come below the fields, on a page that is wide beside them. Not by a media query, which some printers answer with another
 * width than that of the paper. */
static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<style>\n"
    "@page { margin: 4mm }\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0; background: #fff; color: #000; font: 9pt/1.35 system-ui, sans-serif; overflow-wrap: anywhere }\n"
    "article { max-width: 180mm; margin: 0 auto; padding: 3mm 0; display: flex; flex-wrap: wrap; break-inside: avoid "
    "}\n"
    "article + article { border-top: 1px dashed #000; break-before: auto }\n"
    "h1 { font-size: 14pt; line-height: 1.2; margin: 0 0 2mm; flex: 0 0 100%; text-align: center }\n"
    ".notice { border: 2px solid #000; font-weight: bold; text-align: center; padding: 1mm; margin: 0 0 2mm; flex: 0 0 "
    "100% }\n"
    "dl { flex: 4 1 66mm; align-content: start; display: grid; grid-template-columns: 20mm 1fr; gap: .6mm 2mm; margin: "
    "0 }\n"
    "dt { color: #333 }\n"
    "dd { margin: 0; font-weight: 600 }\n"
    "dt.wide, dd.wide { grid-column: 1 / -1 }\n"
    "dd.wide { font: bold 11pt/1.3 ui-monospace, monospace; margin-bottom: 1mm }\n"
    "dd.small { font: 7pt/1.3 ui-monospace, monospace }\n"
    ".codes { flex: 1 1 44mm }\n"
    "figure { margin: 0 auto 3mm; text-align: center; break-inside: avoid }\n"
    "figure svg { width: 40mm; height: 40mm; display: block; margin: 0 auto }\n"
    "figcaption { font-size: 7.5pt }\n"
    "</style>\n";

static void put_figure(const qr *code, const char *caption, FILE *to)
{
    const int side = code->width + 2 * QR_QUIET;
    if (code->width == 0)
        return;
    fprintf(to, "<figure><svg viewBox=\"-%d -%d %d %d\" role=\"img\" aria-label=\"QR code: ", QR_QUIET, QR_QUIET, side,
            side);
    html_text(caption, to);
    fputs("\">", to);
    qr_path(code, to);
    fputs("</svg><figcaption>", to);
    html_text(caption, to);
    fputs("</figcaption></figure>\n", to);
}

/* How a field stands out: "draw numbers" and "validation number" are read aloud at a counter. */
static const char *class_of(const char *name)
{
    if (strcmp(name, "draw numbers") == 0 || strcmp(name, "validation number") == 0)
        return " class=\"wide\"";
    return strcmp(name, "rules") == 0 || strcmp(name, "origin") == 0 || strcmp(name, "order") == 0 ? " class=\"small\""
                                                                                                   : "";
}

/* <bdi>: a name written from right to left does not turn its neighbours around. */
static void put_field(const char *name, const char *value, FILE *to)
{
    fprintf(to, "<dt%s>%s</dt><dd%s><bdi>", class_of(name), name, class_of(name));
    html_text(value, to);
    fputs("</bdi></dd>\n", to);
}

static void put_ticket(const cli *c, const sheet *s, FILE *to)
{
    ticket_field field[TICKET_FIELDS];
    const size_t n = ticket_fields(c, &s->view, field);
    fputs("<article>\n<h1><bdi>", to);
    html_text(c->info.name, to);
    fputs("</bdi></h1>\n", to);
    if (c->info.rehearsal)
        fputs("<p class=\"notice\">" TICKET_REHEARSAL "</p>\n", to);
    if (s->view.ticket->flags & RAFFLE_TICKET_VOID)
        fputs("<p class=\"notice\">VOID: this ticket was taken back</p>\n", to);
    if (s->view.ticket->flags & RAFFLE_TICKET_REPRINTED)
        fputs("<p class=\"notice\">" TICKET_REPRINT "</p>\n", to);
    fputs("<dl>\n", to);
    for (size_t i = 0; i < n; i++)
        put_field(field[i].name, field[i].value, to);
    if (s->address[0] != 0)
        put_field("receipt", s->address, to);
    fputs("</dl>\n", to);
    if (s->code.width > 0) {
        fputs("<div class=\"codes\">\n", to);
        put_figure(&s->code, "This ticket. Show it to nobody before you claim.", to);
        put_figure(&s->receipt, "The address of its receipt", to);
        fputs("</div>\n", to);
    }
    fputs("</article>\n", to);
    explicit_bzero(field, sizeof field);
}

int tickets_print_html(cli *c, const raffle_ticket *ticket, size_t n)
{
    sheet *sheets = NULL;
    int status = sheets_begin(c, ticket, n, qr_available(), &sheets);
    if (status == CLI_DONE && !qr_available())
        cli_note(c, "there are no QR codes: this build was made without libqrencode");
    if (status == CLI_DONE) {
        fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n", stdout);
        fputs(head, stdout);
        fputs("<title>", stdout);
        html_text(c->info.name, stdout);
        fputs("</title>\n</head>\n<body>\n", stdout);
        for (size_t i = 0; i < n; i++)
            put_ticket(c, &sheets[i], stdout);
        fputs("</body>\n</html>\n", stdout);
    }
    sheets_free(sheets, n);
    return status;
}

/* --- the drawing --- */

static void put_code(const qr *code, double x, double y, const char *what, const char *identity, FILE *to)
{
    const int side = code->width + 2 * QR_QUIET;
    if (code->width == 0)
        return;
    fprintf(to, "<g transform=\"translate(%g %g) scale(%.6f) translate(%d %d)\">", x, y, (double)SIDE / side, QR_QUIET,
            QR_QUIET);
    qr_path(code, to);
    fprintf(to, "</g>\n<text x=\"%g\" y=\"%g\">%s %s</text>\n", x + SIDE / 2.0, y + SIDE + 4, what, identity);
}

static void put_drawing(const cli *c, const sheet *sheets, size_t n, FILE *to)
{
    const int width = sheets[0].receipt.width > 0 ? 2 * SIDE : SIDE, height = (int)n * ROW;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "role=\"img\">\n<title>",
            width, height, width, height);
    html_text(c->info.name, to);
    fprintf(to, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height);
    fputs("<g font-family=\"sans-serif\" font-size=\"10\" text-anchor=\"middle\">\n", to);
    for (size_t i = 0; i < n; i++) {
        char identity[40];
        ticket_identity(sheets[i].view.ticket, identity);
        put_code(&sheets[i].code, 0, (double)i * ROW, c->info.rehearsal ? "REHEARSAL: ticket" : "ticket", identity, to);
        put_code(&sheets[i].receipt, SIDE, (double)i * ROW, "receipt of", identity, to);
    }
    fputs("</g>\n</svg>\n", to);
}

int tickets_print_svg(cli *c, const raffle_ticket *ticket, size_t n)
{
    sheet *sheets = NULL;
    int status = sheets_begin(c, ticket, n, true, &sheets);
    if (status == CLI_DONE)
        put_drawing(c, sheets, n, stdout);
    sheets_free(sheets, n);
    return status;
}
