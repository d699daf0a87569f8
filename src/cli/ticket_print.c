/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as people and machines read them. */
#include "ticket_print.h"

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
    snprintf(identity, sizeof identity, "%u/%llu", ticket->unit, (unsigned long long)ticket->serial);
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
    json_put(o, "replayed", json_boolean(ticket->flags & RAFFLE_TICKET_REPLAYED));
    return o;
}

static void add_event_fields(const cli *c, json_t *o, const raffle_ticket *ticket, const raffle_unit_info *unit)
{
    char local[32];
    json_put(o, "organisation", json_text(c->info.organisation));
    json_put(o, "event", json_text(c->info.name));
    json_put(o, "origin", json_text(c->info.origin));
    json_put(o, "licence", json_text(c->info.licence));
    json_put(o, "rehearsal", json_boolean(c->info.rehearsal));
    json_put(o, "rules_hash", json_hex(c->info.rules_hash, sizeof c->info.rules_hash));
    json_put(o, "unit_name", json_text(unit->name));
    json_put(o, "currency", json_text(c->info.currency));
    json_put(o, "digits", json_count(c->info.digits));
    json_put(o, "local_time", json_text(cli_local(c, ticket->at, local)));
}

/* --- for people --- */

static void pair(table *t, const char *name, const char *value)
{
    table_add(t, "%s", name);
    table_add(t, "%s", value);
}

/* GLI-31 2.3.1 (a) to (h), and what lets the holder find the record. */
static void print_full(const cli *c, const raffle_ticket *ticket, const raffle_unit_info *unit, const char *validation)
{
    static const column columns[] = {{NULL, false}, {NULL, false}};
    char text[160], hash[2 * RAFFLE_HASH_SIZE + 1], money[MONEY_SIZE], local[32];
    table t;
    table_begin(&t, columns, 2);
    pair(&t, "organisation", c->info.organisation);
    pair(&t, "event", c->info.name);
    pair(&t, "origin", c->info.origin);
    pair(&t, "licence", c->info.licence[0] != 0 ? c->info.licence : "none");
    ticket_numbers(ticket, text, sizeof text);
    pair(&t, "draw numbers", text);
    pair(&t, "issued", cli_local(c, ticket->at, local));
    snprintf(text, sizeof text, "%u, %s", unit->number, unit->name);
    pair(&t, "sales unit", text);
    snprintf(text, sizeof text, "%s (%s)", cli_money(c, ticket->price, money), ticket->tier);
    pair(&t, "price", text);
    pair(&t, "validation number", validation);
    snprintf(text, sizeof text, "%u/%llu", ticket->unit, (unsigned long long)ticket->serial);
    pair(&t, "ticket", text);
    pair(&t, "order", ticket->order[0] != 0 ? ticket->order : "erased");
    pair(&t, "state", ticket->flags & RAFFLE_TICKET_VOID ? "VOID" : "sold");
    hex_format(c->info.rules_hash, RAFFLE_HASH_SIZE, hash);
    pair(&t, "rules", hash);
    if (c->info.rehearsal)
        pair(&t, "", "REHEARSAL: this ticket wins nothing");
    table_end(&t, stdout);
}

static int print_all_json(cli *c, const raffle_ticket *ticket, size_t n, bool full)
{
    json_t *list = json_must(json_array()), *top = json_must(json_object());
    raffle_unit_info unit;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++) {
        char validation[RAFFLE_VALIDATION_SIZE];
        raffle_unit_info_init(&unit, sizeof unit);
        rc = validation_of(c, &ticket[i], validation);
        if (rc == RAFFLE_OK && full)
            rc = raffle_unit_describe(c->raffle, ticket[i].unit, &unit, &c->err);
        if (rc != RAFFLE_OK)
            break;
        json_add(list, ticket_json(&ticket[i], validation));
        if (full)
            add_event_fields(c, json_array_get(list, i), &ticket[i], &unit);
    }
    json_put(top, "tickets", list);
    if (rc == RAFFLE_OK)
        json_end(top, true, stdout);
    else
        json_decref(top);
    return rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
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

int tickets_print_full(cli *c, const raffle_ticket *ticket, size_t n)
{
    if (c->json)
        return print_all_json(c, ticket, n, true);
    for (size_t i = 0; i < n; i++) {
        char validation[RAFFLE_VALIDATION_SIZE];
        raffle_unit_info unit;
        raffle_unit_info_init(&unit, sizeof unit);
        if (validation_of(c, &ticket[i], validation) != RAFFLE_OK ||
            raffle_unit_describe(c->raffle, ticket[i].unit, &unit, &c->err) != RAFFLE_OK)
            return cli_fail(c);
        if (i > 0)
            putchar('\n');
        print_full(c, &ticket[i], &unit, validation);
    }
    return CLI_DONE;
}
