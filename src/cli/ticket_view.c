/* SPDX-License-Identifier: Apache-2.0 */
/* All that stands on a ticket. */
#include "ticket_view.h"

#include <stdarg.h>
#include <string.h>

void ticket_numbers(const raffle_ticket *ticket, char *out, size_t size)
{
    char first[RAFFLE_NUMBER_SIZE], last[RAFFLE_NUMBER_SIZE];
    cli_number(ticket->unit, ticket->first, first);
    if (ticket->count == 1)
        snprintf(out, size, "%s", first);
    else
        snprintf(out, size, "%s to %s", first, cli_number(ticket->unit, ticket->first + ticket->count - 1, last));
}

void ticket_identity(const raffle_ticket *ticket, char out[40])
{
    snprintf(out, 40, "%u/%llu", ticket->unit, (unsigned long long)ticket->serial);
}

raffle_rc ticket_view_get(cli *c, const raffle_ticket *ticket, ticket_view *view)
{
    *view = (ticket_view){.ticket = ticket};
    raffle_unit_info_init(&view->unit, sizeof view->unit);
    raffle_rc rc = cli_unit(c, ticket->unit);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_validation(c->unit, ticket->serial, view->validation, &c->err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_describe(c->raffle, ticket->unit, &view->unit, &c->err);
    return rc;
}

void ticket_view_end(ticket_view *view)
{
    explicit_bzero(view->validation, sizeof view->validation);
}

__attribute__((format(printf, 4, 5))) static void add(ticket_field *field, size_t *n, const char *name,
                                                      const char *format, ...)
{
    va_list list;
    va_start(list, format);
    field[*n].name = name;
    vsnprintf(field[*n].value, sizeof field[*n].value, format, list);
    va_end(list);
    (*n)++;
}

/* GLI-31 2.3.1 (a), (b) and (h). */
static void add_event(const cli *c, ticket_field *field, size_t *n)
{
    add(field, n, "organisation", "%s", c->info.organisation);
    add(field, n, "event", "%s", c->info.name);
    if (c->info.series[0] != 0)
        add(field, n, "series", "%s, number %u", c->info.series, c->info.series_number);
    if (c->info.place[0] != 0)
        add(field, n, "place", "%s", c->info.place);
    add(field, n, "origin", "%s", c->info.origin);
    add(field, n, "licence", "%s", c->info.licence[0] != 0 ? c->info.licence : "none");
}

/* GLI-31 2.3.1 (c) to (g). */
static void add_sale(const cli *c, const ticket_view *view, ticket_field *field, size_t *n)
{
    const raffle_ticket *ticket = view->ticket;
    char numbers[2 * RAFFLE_NUMBER_SIZE + 8], local[32], money[MONEY_SIZE];
    ticket_numbers(ticket, numbers, sizeof numbers);
    add(field, n, "draw numbers", "%s", numbers);
    add(field, n, "issued", "%s", cli_local(c, ticket->at, local));
    add(field, n, "sales unit", "%u, %s", view->unit.number, view->unit.name);
    add(field, n, "price", "%s (%s)", cli_money(c, ticket->price, money), ticket->tier);
    add(field, n, "validation number", "%s", view->validation);
}

size_t ticket_fields(const cli *c, const ticket_view *view, ticket_field field[TICKET_FIELDS])
{
    const raffle_ticket *ticket = view->ticket;
    char identity[40], hash[2 * RAFFLE_HASH_SIZE + 1];
    size_t n = 0;
    add_event(c, field, &n);
    add_sale(c, view, field, &n);
    ticket_identity(ticket, identity);
    add(field, &n, "ticket", "%s", identity);
    add(field, &n, "order", "%s", ticket->order[0] != 0 ? ticket->order : "erased");
    add(field, &n, "state", "%s%s", ticket->flags & RAFFLE_TICKET_VOID ? "VOID" : "sold",
        ticket->flags & RAFFLE_TICKET_REPRINTED ? ", " TICKET_REPRINT : "");
    hex_format(c->info.rules_hash, RAFFLE_HASH_SIZE, hash);
    add(field, &n, "rules", "%s", hash);
    return n;
}
