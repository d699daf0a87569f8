/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle sell`: one order of some tickets of a tier. */
#include "commands.h"
#include "ticket_print.h"

#include <stdlib.h>

static const option_spec options_of[] = {
    {"unit", "N", "the sales unit; default: 1, and at a till its own"},
    {"tier", "NAME", "the price tier"},
    {"order", "KEY", "the order's key: sold once, however often it is sent; default: a new one"},
    {"count", "C", "how many tickets; default: 1"},
    {"payment", "TEXT", "the payment's reference, kept private"},
    {"buyer", "TAG", "an opaque tag for the buyer, kept private"},
    {"channel", "WORD", "web, till, kiosk …, kept private"},
    {NULL, NULL, NULL},
};

/* Copies an option into a field of the sale, when it was given. */
static bool take(cli *c, const char *name, char *to, size_t size, int *status)
{
    const char *value = cli_option(c, name);
    if (value == NULL || cli_copy(to, size, value))
        return true;
    *status = cli_usage(c, "--%s is too long", name);
    return false;
}

static int read_sale(cli *c, raffle_sale *sale, uint64_t *unit, uint64_t *count)
{
    int status = CLI_DONE;
    *unit = 0;
    *count = 1;
    raffle_sale_init(sale, sizeof *sale);
    if (cli_option(c, "tier") == NULL)
        return cli_usage(c, "--tier NAME is missing");
    if (!options_number(&c->options, "unit", 1, RAFFLE_UNIT_MAX, unit) ||
        !options_number(&c->options, "count", 1, RAFFLE_ORDER_MAX, count))
        return cli_usage_fault(c);
    if (*count > 1 && cli_option(c, "order") == NULL)
        return cli_usage(c, "an order of several tickets needs --order KEY");
    (void)(take(c, "tier", sale->tier, RAFFLE_WORD_MAX + 1, &status) &&
           take(c, "order", sale->order, RAFFLE_NAME_MAX + 1, &status) &&
           take(c, "payment", sale->payment, RAFFLE_NAME_MAX + 1, &status) &&
           take(c, "buyer", sale->buyer, RAFFLE_NAME_MAX + 1, &status) &&
           take(c, "channel", sale->channel, RAFFLE_WORD_MAX + 1, &status));
    return status;
}

static int sell(cli *c, const raffle_sale *sale, uint32_t unit, size_t count)
{
    raffle_sale *sales = memory_grow(NULL, count * sizeof *sales);
    raffle_ticket *tickets = memory_grow(NULL, count * sizeof *tickets);
    for (size_t i = 0; i < count; i++) {
        sales[i] = *sale;
        raffle_ticket_init(&tickets[i], sizeof tickets[i]);
    }
    raffle_rc rc = cli_unit(c, unit);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_sell(c->unit, &c->by, sales, count, CLI_TIMEOUT_MS, tickets, &c->err);
    if (rc == RAFFLE_OK && (tickets[0].flags & RAFFLE_TICKET_REPLAYED))
        cli_note(c, "this order was sold before; these are its tickets");
    int status = rc == RAFFLE_OK ? tickets_print(c, tickets, count) : cli_fail_as(c, rc, "%s", cli_sentence(&c->err));
    if (rc == RAFFLE_OK && sale->order[0] == 0)
        cli_note(c, "order %s", tickets[0].order);
    free(sales);
    free(tickets);
    return status;
}

static int run(cli *c)
{
    raffle_sale sale;
    uint64_t unit, count;
    int status = read_sale(c, &sale, &unit, &count);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    if (unit == 0)
        unit = c->info.till != 0 ? c->info.till : 1;
    return sell(c, &sale, (uint32_t)unit, (size_t)count);
}

const command cmd_sell = {
    .name = "sell",
    .usage = "STORE --tier NAME [--order KEY] [--unit N] [--count C] [--payment TEXT] [--buyer TAG] [--channel WORD] "
             "--by ID:ROLE",
    .summary = "sell the tickets of an order, and print them with their validation numbers",
    .example = "  raffle sell gala.raffle --unit 1 --tier 15-for-10 --order web-81723 --count 2 --by ann:seller",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
