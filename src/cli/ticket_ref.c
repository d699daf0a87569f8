/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the ticket that was named. */
#include "ticket_ref.h"

#include <stdlib.h>
#include <string.h>

static void reserve(ticket_list *list, size_t n)
{
    list->ticket = memory_grow(list->ticket, n * sizeof *list->ticket);
    memset(list->ticket, 0, n * sizeof *list->ticket);
    raffle_ticket_init(list->ticket, sizeof *list->ticket);
    list->n = n;
}

void ticket_list_free(ticket_list *list)
{
    free(list->ticket);
    *list = (ticket_list){0};
}

raffle_rc ticket_order(raffle *r, const char *order, ticket_list *list, raffle_error *err)
{
    size_t n = 0;
    reserve(list, 8);
    raffle_rc rc = raffle_order_tickets(r, order, list->ticket, list->n, &n, err);
    if (rc == RAFFLE_OK && n > list->n) {
        reserve(list, n);
        rc = raffle_order_tickets(r, order, list->ticket, list->n, &n, err);
    }
    list->n = rc == RAFFLE_OK ? n : 0;
    return rc;
}

/* U/SERIAL, as tickets are printed. */
static int by_identity(cli *c, const char *text, ticket_list *list)
{
    char unit_text[8];
    uint64_t unit, serial;
    const char *slash = strchr(text, '/');
    const size_t length = slash != NULL ? (size_t)(slash - text) : 0;
    if (length < 1 || length >= sizeof unit_text)
        return cli_usage(c, "--ticket is \"%.40s\"; a ticket is written U/SERIAL, like 1/42", text);
    memcpy(unit_text, text, length);
    unit_text[length] = 0;
    if (!number_parse(unit_text, &unit) || unit < 1 || unit > RAFFLE_UNIT_MAX || !number_parse(slash + 1, &serial))
        return cli_usage(c, "--ticket is \"%.40s\"; a ticket is written U/SERIAL, like 1/42", text);
    reserve(list, 1);
    return raffle_ticket_get(c->raffle, (uint32_t)unit, serial, list->ticket, &c->err) == RAFFLE_OK ? CLI_DONE
                                                                                                    : cli_fail(c);
}

static int by_validation(cli *c, ticket_list *list)
{
    char validation[CLI_SECRET_SIZE];
    int status = cli_read_validation(c, validation);
    if (status != CLI_DONE)
        return status;
    reserve(list, 1);
    raffle_rc rc = raffle_ticket_by_validation(c->raffle, validation, list->ticket, &c->err);
    explicit_bzero(validation, sizeof validation);
    return rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

int ticket_ref(cli *c, ticket_list *list)
{
    const char *order = cli_option(c, "order"), *identity = cli_option(c, "ticket"), *number = cli_option(c, "number");
    const bool validation = cli_flag(c, "validation");
    if ((order != NULL) + (identity != NULL) + (number != NULL) + validation != 1)
        return cli_usage(c, "a ticket is named by one of --order, --ticket, --number and --validation");
    if (validation)
        return by_validation(c, list);
    if (identity != NULL)
        return by_identity(c, identity, list);
    if (order != NULL)
        return ticket_order(c->raffle, order, list, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
    reserve(list, 1);
    return raffle_ticket_by_number(c->raffle, number, list->ticket, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}
