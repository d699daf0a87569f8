/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as a page to print, on A4, Letter or an 80 mm roll, and their codes as SVG. */
#ifndef CLI_TICKET_HTML_H
#define CLI_TICKET_HTML_H

#include "cli.h"

/* A page of its own, that loads nothing. */
int tickets_print_html(cli *c, const raffle_ticket *ticket, size_t n);

/* One drawing: a row a ticket, its code and, with --address, that of its receipt. */
int tickets_print_svg(cli *c, const raffle_ticket *ticket, size_t n);

#endif
