/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle void`: tickets taken back, whole. */
#include "commands.h"
#include "ticket_ref.h"

static const option_spec options_of[] = {
    TICKET_REF_OPTIONS,
    {"reason", "WORD", "refund, payment, misprint, error or other"},
    {NULL, NULL, NULL},
};

static void report(const cli *c, json_t *voided, const raffle_ticket *ticket)
{
    char identity[40];
    snprintf(identity, sizeof identity, "%u/%llu", ticket->unit, (unsigned long long)ticket->serial);
    if (c->json)
        json_add(voided, json_string(identity));
    else
        printf("ticket %s is void\n", identity);
}

/* Of an order, what is void already is passed over; when all of it is, that is the failure. */
static int void_tickets(cli *c, const ticket_list *list, const char *reason)
{
    json_t *voided = json_must(json_array()), *top;
    size_t done = 0;
    for (size_t i = 0; i < list->n; i++) {
        const raffle_ticket *ticket = &list->ticket[i];
        const bool last = i + 1 == list->n && done == 0;
        if ((ticket->flags & RAFFLE_TICKET_VOID) && !last)
            continue;
        if (raffle_void(c->raffle, &c->by, ticket->unit, ticket->serial, reason, &c->err) != RAFFLE_OK) {
            json_decref(voided);
            return cli_fail(c);
        }
        report(c, voided, ticket);
        done++;
    }
    if (!c->json) {
        json_decref(voided);
        return CLI_DONE;
    }
    top = json_must(json_object());
    json_put(top, "voided", voided);
    json_end(top, true, stdout);
    return CLI_DONE;
}

static int run(cli *c)
{
    ticket_list list = {0};
    const char *reason = cli_option(c, "reason");
    int status = reason != NULL ? cli_open(c, NEED_ACTOR) : cli_usage(c, "--reason WORD is missing");
    if (status == CLI_DONE)
        status = ticket_ref(c, &list);
    if (status == CLI_DONE)
        status = void_tickets(c, &list, reason);
    ticket_list_free(&list);
    return status;
}

const command cmd_void = {
    .name = "void",
    .usage = "STORE " TICKET_REF_USAGE " --reason WORD --by ID:ROLE",
    .summary = "take back a ticket, or all tickets of an order; their draw numbers are dead for good",
    .example = "  raffle void gala.raffle --ticket 1/42 --reason refund --by sue:supervisor",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
