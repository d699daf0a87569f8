/* SPDX-License-Identifier: Apache-2.0 */
/* How a ticket is named on the command line: by its order's key, its identity, one of its draw numbers, or its validation number. */
#ifndef CLI_TICKET_REF_H
#define CLI_TICKET_REF_H

#include "cli.h"

/* For a command's list of options. */
#define TICKET_REF_OPTIONS                                                                                             \
    {"order", "KEY", "the tickets of this order"}, {"ticket", "U/SERIAL", "the ticket with this serial in unit U"},    \
        {"number", "U-NNNNNNN", "the ticket with this draw number"},                                                   \
    {                                                                                                                  \
        "validation", "-", "the ticket whose validation number is a line of standard input"                            \
    }
#define TICKET_REF_USAGE "(--order KEY | --ticket U/SERIAL | --number U-NNNNNNN | --validation -)"

typedef struct ticket_list {
    raffle_ticket *ticket;
    size_t n;
} ticket_list;

/* The tickets that were named, at least one; an order may have several. Says what is wrong and returns how the command ends, or CLI_DONE. The raffle
 * is open. `list` is released by ticket_list_free(), whatever came back. */
int ticket_ref(cli *c, ticket_list *list);

/* The tickets of an order. */
raffle_rc ticket_order(raffle *r, const char *order, ticket_list *list, raffle_error *err);
void ticket_list_free(ticket_list *list);

#endif
