/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as people and machines read them, with the fields of GLI-31 2.3.1. */
#ifndef CLI_TICKET_PRINT_H
#define CLI_TICKET_PRINT_H

#include "cli.h"

/* Each of these asks the library for the tickets' validation numbers; they say what failed, and return how the command ends. */

/* A table, a line a ticket; or, as JSON, {"tickets": […]}. */
int tickets_print(cli *c, const raffle_ticket *ticket, size_t n);

/* Each ticket with all that stands on it, and with `codes` its QR codes; or, as JSON, {"tickets": […]} with the same. */
int tickets_print_full(cli *c, const raffle_ticket *ticket, size_t n, bool codes);

#endif
