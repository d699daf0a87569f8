/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle erase`: the private parts of tickets, taken away for good. */
#include "commands.h"
#include "ticket_ref.h"

static const option_spec options_of[] = {
    TICKET_REF_OPTIONS,
    {NULL, NULL, NULL},
};

static int erase_tickets(cli *c, const ticket_list *list)
{
    json_t *erased = json_must(json_array()), *top = json_must(json_object());
    int status = CLI_DONE;
    for (size_t i = 0; status == CLI_DONE && i < list->n; i++) {
        const raffle_ticket *ticket = &list->ticket[i];
        char identity[40];
        snprintf(identity, sizeof identity, "%u/%llu", ticket->unit, (unsigned long long)ticket->serial);
        if (raffle_ticket_erase(c->raffle, &c->by, ticket->unit, ticket->serial, &c->err) != RAFFLE_OK)
            status = cli_fail(c);
        else if (c->json)
            json_add(erased, json_string(identity));
        else
            printf("what was private of ticket %s is erased\n", identity);
    }
    json_put(top, "erased", erased);
    if (c->json && status == CLI_DONE)
        json_end(top, true, stdout);
    else
        json_decref(top);
    return status;
}

static int run(cli *c)
{
    ticket_list list = {0};
    int status = cli_open(c, NEED_ACTOR);
    if (status == CLI_DONE)
        status = ticket_ref(c, &list);
    if (status == CLI_DONE)
        status = erase_tickets(c, &list);
    ticket_list_free(&list);
    return status;
}

const command cmd_erase = {
    .name = "erase",
    .usage = "STORE " TICKET_REF_USAGE " --by ID:ROLE",
    .summary = "erase what is private of a ticket, or of all tickets of an order: order key, seller, payment, buyer; "
               "no proof needs it",
    .example = "  raffle erase gala.raffle --ticket 1/42 --by boss:manager",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
