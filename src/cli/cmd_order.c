/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle order` and `raffle ticket`: what was sold, found again. */
#include "commands.h"
#include "ticket_print.h"
#include "ticket_ref.h"

static const option_spec no_options[] = {{NULL, NULL, NULL}};
static const option_spec ticket_options[] = {TICKET_REF_OPTIONS, {NULL, NULL, NULL}};

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

static int run_ticket(cli *c)
{
    ticket_list list = {0};
    int status = cli_open(c, NEED_KEYS);
    if (status == CLI_DONE)
        status = ticket_ref(c, &list);
    if (status == CLI_DONE)
        status = tickets_print_full(c, list.ticket, list.n);
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
    .usage = "STORE " TICKET_REF_USAGE,
    .summary = "a ticket with all that stands on it, its validation number included",
    .example =
        "  raffle ticket gala.raffle --number 1-0000042\n  raffle ticket gala.raffle --validation - < number.txt",
    .options = ticket_options,
    .min = 1,
    .max = 1,
    .run = run_ticket,
};
