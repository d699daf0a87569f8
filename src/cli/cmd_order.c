/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle order` and `raffle ticket`: what was sold, found again. */
#include "commands.h"
#include "ticket_html.h"
#include "ticket_print.h"
#include "ticket_ref.h"

#include <string.h>

static const option_spec no_options[] = {{NULL, NULL, NULL}};
static const option_spec ticket_options[] = {
    TICKET_REF_OPTIONS,
    {"format", "text|html|svg|json",
     "the fields and QR codes; a page to print; the QR codes alone; default: the fields"},
    {"address", "URL", "where its receipt is, for a QR code; {unit} and {serial} stand for the ticket's"},
    {NULL, NULL, NULL},
};

static int run_order(cli *c)
{
    ticket_list list = {0};
    int status = cli_open(c, NEED_KEYS);
    if (status == CLI_DONE && ticket_order(c->raffle, cli_positional(c, 1), &list, &c->err) != RAFFLE_OK)
        status = cli_fail(c);
    if (status == CLI_DONE)
        status = tickets_print(c, list.ticket, list.n);
    ticket_list_free(&list);
    return status;
}

static int print_as(cli *c, const char *format, const ticket_list *list)
{
    if (format != NULL && strcmp(format, "html") == 0)
        return tickets_print_html(c, list->ticket, list->n);
    if (format != NULL && strcmp(format, "svg") == 0)
        return tickets_print_svg(c, list->ticket, list->n);
    return tickets_print_full(c, list->ticket, list->n, format != NULL);
}

/* --format json is --json; with another one they contradict each other. */
static int read_format(cli *c, const char *format)
{
    static const char *const formats[] = {"text", "html", "svg", "json"};
    size_t i = 0;
    if (format == NULL)
        return cli_option(c, "address") == NULL || c->json ? CLI_DONE
                                                           : cli_usage(c, "--address needs a --format to stand in");
    while (i < 4 && strcmp(format, formats[i]) != 0)
        i++;
    if (i == 4)
        return cli_usage(c, "--format is \"%.20s\"; it is text, html, svg or json", format);
    if (c->json && i != 3)
        return cli_usage(c, "--json and --format %s are two formats", format);
    c->json = i == 3;
    return CLI_DONE;
}

static int run_ticket(cli *c)
{
    const char *format = cli_option(c, "format");
    ticket_list list = {0};
    int status = read_format(c, format);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_KEYS);
    if (status == CLI_DONE)
        status = ticket_ref(c, &list);
    if (status == CLI_DONE)
        status = print_as(c, format, &list);
    ticket_list_free(&list);
    return status;
}

const command cmd_order = {
    .name = "order",
    .usage = "STORE KEY",
    .summary = "the tickets of an order",
    .example = "  raffle order gala.raffle web-81723",
    .options = no_options,
    .min = 2,
    .max = 2,
    .run = run_order,
};

const command cmd_ticket = {
    .name = "ticket",
    .usage = "STORE " TICKET_REF_USAGE " [--format text|html|svg|json] [--address URL]",
    .summary = "a ticket with all that stands on it, its validation number included",
    .example =
        "  raffle ticket gala.raffle --number 1-0000042\n  raffle ticket gala.raffle --validation - < number.txt\n"
        "  raffle ticket gala.raffle --order web-81723 --format html --address 'https://gala.example/{unit}/{serial}'",
    .options = ticket_options,
    .min = 1,
    .max = 1,
    .run = run_ticket,
};
