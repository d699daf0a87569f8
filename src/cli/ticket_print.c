/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as people and machines read them. */
#include "ticket_print.h"

#include "ticket_code.h"
#include <string.h>
#include <unistd.h>

static raffle_rc validation_of(cli *c, const raffle_ticket *ticket, char out[RAFFLE_VALIDATION_SIZE])
{
    raffle_rc rc = cli_unit(c, ticket->unit);
    return rc == RAFFLE_OK ? raffle_unit_validation(c->unit, ticket->serial, out, &c->err) : rc;
}

static const char *state_of(const raffle_ticket *ticket)
{
    if (ticket->flags & RAFFLE_TICKET_VOID)
        return "void";
    return ticket->flags & RAFFLE_TICKET_REPLAYED ? "sold before" : "sold";
}

/* --- for machines --- */

static json_t *numbers_json(const raffle_ticket *ticket)
{
    json_t *numbers = json_must(json_array());
    char text[RAFFLE_NUMBER_SIZE];
    for (uint32_t i = 0; i < ticket->count; i++)
        json_add(numbers, json_string(cli_number(ticket->unit, ticket->first + i, text)));
    return numbers;
}

static json_t *ticket_json(const raffle_ticket *ticket, const char *validation)
{
    json_t *o = json_must(json_object());
    char identity[40];
    ticket_identity(ticket, identity);
    json_put(o, "ticket", json_string(identity));
    json_put(o, "unit", json_count(ticket->unit));
    json_put(o, "serial", json_count(ticket->serial));
    json_put(o, "order", json_text(ticket->order));
    json_put(o, "tier", json_text(ticket->tier));
    json_put(o, "numbers", numbers_json(ticket));
    json_put(o, "price", json_integer(ticket->price));
    json_put(o, "at", json_time(ticket->at));
    json_put(o, "validation", json_string(validation));
    json_put(o, "void", json_boolean(ticket->flags & RAFFLE_TICKET_VOID));
    json_put(o, "reprinted", json_boolean(ticket->flags & RAFFLE_TICKET_REPRINTED));
    json_put(o, "replayed", json_boolean(ticket->flags & RAFFLE_TICKET_REPLAYED));
    return o;
}

static int add_event_fields(cli *c, json_t *o, const ticket_view *view)
{
    char local[32], code[TICKET_CODE_SIZE], address[TICKET_ADDRESS_MAX];
    int status = ticket_address(c, view, address);
    json_put(o, "organisation", json_text(c->info.organisation));
    json_put(o, "event", json_text(c->info.name));
    json_put(o, "place", json_text(c->info.place));
    json_put(o, "origin", json_text(c->info.origin));
    json_put(o, "licence", json_text(c->info.licence));
    if (c->info.series[0] != 0)
        json_put(o, "series", series_json(&c->info));
    json_put(o, "rehearsal", json_boolean(c->info.rehearsal));
    json_put(o, "rules_hash", json_hex(c->info.rules_hash, sizeof c->info.rules_hash));
    json_put(o, "unit_name", json_text(view->unit.name));
    json_put(o, "currency", json_text(c->info.currency));
    json_put(o, "digits", json_count(c->info.digits));
    json_put(o, "local_time", json_text(cli_local(c, view->ticket->at, local)));
    ticket_code(c, view, code);
    json_put(o, "code", json_string(code));
    explicit_bzero(code, sizeof code);
    if (address[0] != 0)
        json_put(o, "address", json_string(address));
    return status;
}

/* --- for people --- */

static void print_full(const cli *c, const ticket_view *view)
{
    static const column columns[] = {{NULL, false}, {NULL, false}};
    ticket_field field[TICKET_FIELDS];
    const size_t n = ticket_fields(c, view, field);
    table t;
    table_begin(&t, columns, 2);
    for (size_t i = 0; i < n; i++) {
        table_add(&t, "%s", field[i].name);
        table_add(&t, "%s", field[i].value);
    }
    if (c->info.rehearsal) {
        table_add(&t, "%s", "");
        table_add(&t, "%s", TICKET_REHEARSAL);
    }
    table_end(&t, stdout);
    explicit_bzero(field, sizeof field);
}

static int print_code(cli *c, const char *heading, const char *text)
{
    qr code;
    if (qr_make(text, &code, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    printf("\n%s\n", heading);
    qr_text(&code, isatty(STDOUT_FILENO), stdout);
    qr_free(&code);
    return CLI_DONE;
}

/* The ticket's code, and that of its receipt's address when there is one. */
static int print_codes(cli *c, const ticket_view *view, const char *address)
{
    char text[TICKET_CODE_SIZE], heading[TICKET_ADDRESS_MAX + 16];
    ticket_code(c, view, text);
    int status = print_code(c, "this ticket", text);
    explicit_bzero(text, sizeof text);
    snprintf(heading, sizeof heading, "its receipt: %s", address);
    return status == CLI_DONE && address[0] != 0 ? print_code(c, heading, address) : status;
}

static int print_all_json(cli *c, const raffle_ticket *ticket, size_t n, bool full)
{
    json_t *list = json_must(json_array()), *top = json_must(json_object());
    int status = CLI_DONE;
    for (size_t i = 0; status == CLI_DONE && i < n; i++) {
        ticket_view view = {.ticket = &ticket[i]};
        raffle_rc rc = full ? ticket_view_get(c, &ticket[i], &view) : validation_of(c, &ticket[i], view.validation);
        status = rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
        if (status == CLI_DONE) {
            json_add(list, ticket_json(&ticket[i], view.validation));
            status = full ? add_event_fields(c, json_array_get(list, i), &view) : CLI_DONE;
        }
        ticket_view_end(&view);
    }
    json_put(top, "tickets", list);
    if (status == CLI_DONE)
        json_end(top, true, stdout);
    else
        json_decref(top);
    return status;
}

int tickets_print(cli *c, const raffle_ticket *ticket, size_t n)
{
    static const column columns[] = {{"ticket", false}, {"draw numbers", false},      {"tier", false}, {"price", true},
                                     {"issued", false}, {"validation number", false}, {"state", false}};
    char validation[RAFFLE_VALIDATION_SIZE], numbers[80], money[MONEY_SIZE], local[32];
    table t;
    if (c->json)
        return print_all_json(c, ticket, n, false);
    raffle_rc rc = RAFFLE_OK;
    table_begin(&t, columns, 7);
    for (size_t i = 0; i < n && (rc = validation_of(c, &ticket[i], validation)) == RAFFLE_OK; i++) {
        ticket_numbers(&ticket[i], numbers, sizeof numbers);
        table_add(&t, "%u/%llu", ticket[i].unit, (unsigned long long)ticket[i].serial);
        table_add(&t, "%s", numbers);
        table_add(&t, "%s", ticket[i].tier);
        table_add(&t, "%s", cli_money(c, ticket[i].price, money));
        table_add(&t, "%s", cli_local(c, ticket[i].at, local));
        table_add(&t, "%s", validation);
        table_add(&t, "%s", state_of(&ticket[i]));
    }
    table_end(&t, stdout);
    return rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

static int print_ticket(cli *c, const raffle_ticket *ticket, bool first, bool codes)
{
    ticket_view view;
    char address[TICKET_ADDRESS_MAX] = "";
    int status = ticket_view_get(c, ticket, &view) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
    if (status == CLI_DONE && codes)
        status = ticket_address(c, &view, address);
    if (status == CLI_DONE) {
        fputs(first ? "" : "\n", stdout);
        print_full(c, &view);
        status = codes ? print_codes(c, &view, address) : CLI_DONE;
    }
    ticket_view_end(&view);
    return status;
}

int tickets_print_full(cli *c, const raffle_ticket *ticket, size_t n, bool codes)
{
    int status = CLI_DONE;
    if (c->json)
        return print_all_json(c, ticket, n, true);
    if (codes && !qr_available())
        cli_note(c, "there are no QR codes: this build was made without libqrencode");
    for (size_t i = 0; status == CLI_DONE && i < n; i++)
        status = print_ticket(c, &ticket[i], i == 0, codes && qr_available());
    return status;
}
