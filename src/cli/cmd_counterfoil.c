/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle counterfoils`, `raffle print` and `raffle reprint`: what goes into the drum, and what is printed again (GLI-31 2.4, 3.3.2). */
#include "commands.h"
#include "ticket_ref.h"

#include <string.h>

/* --- counterfoils --- */

static const option_spec list_options[] = {
    {"from", "NUMBER", "the first draw number; default: 1"},
    {"count", "N", "how many; default: all that are sold"},
    {"in-drum", NULL, "only those of void tickets that may lie in the drum, and are to be taken out"},
    {NULL, NULL, NULL},
};

typedef struct listing {
    cli *c;
    bool in_drum;
} listing;

static const char *state_of(const raffle_counterfoil *f)
{
    if (f->flags & RAFFLE_COUNTERFOIL_IN_DRUM)
        return "void, in the drum";
    if (f->flags & RAFFLE_COUNTERFOIL_VOID)
        return "void";
    if (f->flags & RAFFLE_COUNTERFOIL_REPRINTED)
        return "reprinted";
    return f->flags & RAFFLE_COUNTERFOIL_PRINTED ? "printed" : "not printed";
}

/* A line each, in both forms: there may be millions. */
static raffle_rc print_one(void *ctx, const raffle_counterfoil *f, raffle_error *err)
{
    const listing *l = ctx;
    char number[RAFFLE_NUMBER_SIZE], at[32], money[MONEY_SIZE];
    (void)err;
    if (l->in_drum && !(f->flags & RAFFLE_COUNTERFOIL_IN_DRUM))
        return RAFFLE_OK;
    cli_number(f->unit, f->number, number);
    if (!l->c->json) {
        printf("%s  %s  %s  %s  %s\n", number, cli_local(l->c, f->at, at), cli_money(l->c, f->price, money),
               f->validation, state_of(f));
        return RAFFLE_OK;
    }
    json_t *o = json_must(json_object());
    json_put(o, "number", json_string(number));
    json_put(o, "unit", json_count(f->unit));
    json_put(o, "serial", json_count(f->serial));
    json_put(o, "at", json_time(f->at));
    json_put(o, "price", json_integer(f->price));
    json_put(o, "validation", json_string(f->validation));
    json_put(o, "state", json_string(state_of(f)));
    json_end(o, false, stdout);
    return RAFFLE_OK;
}

static int list(cli *c)
{
    uint64_t unit = 0, first = 1, count = 0;
    listing l = {c, cli_flag(c, "in-drum")};
    if (!options_positional(&c->options, 1, "UNIT", 1, RAFFLE_UNIT_MAX, &unit) ||
        !options_number(&c->options, "from", 1, INT64_MAX, &first) ||
        !options_number(&c->options, "count", 1, INT64_MAX, &count))
        return cli_usage_fault(c);
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    if (!c->json)
        printf("%s, %s\n", c->info.name, c->info.place[0] != 0 ? c->info.place : c->info.origin);
    return raffle_counterfoils(c->raffle, (uint32_t)unit, first, count, print_one, &l, &c->err) == RAFFLE_OK
               ? CLI_DONE
               : cli_fail(c);
}

const command cmd_counterfoils = {
    .name = "counterfoils",
    .usage = "STORE UNIT [--from NUMBER] [--count N] [--in-drum]",
    .summary = "the counterfoils of a unit, a line each",
    .example = "  raffle counterfoils gala.raffle 1 --from 1 --count 500",
    .options = list_options,
    .min = 2,
    .max = 2,
    .run = list,
};

/* --- print --- */

static const option_spec no_options[] = {{NULL, NULL, NULL}};

static int print_result(cli *c, uint64_t unit, uint64_t first, uint64_t count, const char *what)
{
    if (!c->json) {
        printf("unit %llu: %llu counterfoils from %llu on %s\n", (unsigned long long)unit, (unsigned long long)count,
               (unsigned long long)first, what);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(unit));
    json_put(o, "first", json_count(first));
    json_put(o, "count", json_count(count));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int print(cli *c)
{
    uint64_t unit = 0, count = 0;
    raffle_unit_info info;
    raffle_unit_info_init(&info, sizeof info);
    if (!options_positional(&c->options, 1, "UNIT", 1, RAFFLE_UNIT_MAX, &unit) ||
        (cli_positional(c, 2) != NULL && !options_positional(&c->options, 2, "COUNT", 1, INT64_MAX, &count)))
        return cli_usage_fault(c);
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    if (raffle_unit_describe(c->raffle, (uint32_t)unit, &info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    count = count != 0 ? count : info.numbers - info.printed;
    if (count == 0)
        return cli_fail_as(c, RAFFLE_EMPTY, "unit %llu has a counterfoil of each of its %llu draw numbers",
                           (unsigned long long)unit, (unsigned long long)info.numbers);
    if (raffle_print(c->raffle, &c->by, (uint32_t)unit, info.printed + 1, count, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return print_result(c, unit, info.printed + 1, count, "go to print");
}

const command cmd_print = {
    .name = "print",
    .usage = "STORE UNIT [COUNT] --by ID:ROLE",
    .summary = "write that the next counterfoils of a unit go to print; `counterfoils` lists them",
    .example = "  raffle print gala.raffle 1 --by ann:seller",
    .options = no_options,
    .min = 2,
    .max = 3,
    .run = print,
};

/* --- reprint --- */

static const option_spec reprint_options[] = {
    {"ticket", "U/SERIAL", "the ticket with this serial in unit U"},
    {"number", "U-NNNNNNN", "the counterfoil of this draw number"},
    {"count", "N", "with --number: it and those after it; default: 1"},
    {"reason", "WORD", "why"},
    {NULL, NULL, NULL},
};

static int reprint_range(cli *c, const char *reason)
{
    uint32_t unit = 0;
    uint64_t number = 0, count = 1;
    if (!options_number(&c->options, "count", 1, INT64_MAX, &count))
        return cli_usage_fault(c);
    if (raffle_number_parse(cli_option(c, "number"), &unit, &number, &c->err) != RAFFLE_OK ||
        raffle_reprint(c->raffle, &c->by, c->has_ok ? &c->ok : NULL, unit, number, count, reason, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return print_result(c, unit, number, count, "are printed again");
}

static int reprint_ticket(cli *c, const char *reason)
{
    ticket_list list = {0};
    int status = ticket_ref(c, &list);
    if (status == CLI_DONE && raffle_ticket_reprint(c->raffle, &c->by, c->has_ok ? &c->ok : NULL, list.ticket->unit,
                                                    list.ticket->serial, reason, &c->err) != RAFFLE_OK)
        status = cli_fail(c);
    if (status == CLI_DONE && !c->json)
        printf("ticket %u/%llu is printed again\n", list.ticket->unit, (unsigned long long)list.ticket->serial);
    if (status == CLI_DONE && c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "unit", json_count(list.ticket->unit));
        json_put(o, "serial", json_count(list.ticket->serial));
        json_end(o, true, stdout);
    }
    ticket_list_free(&list);
    return status;
}

static int reprint(cli *c)
{
    const char *reason = cli_option(c, "reason");
    const bool ticket = cli_option(c, "ticket") != NULL;
    if (reason == NULL)
        return cli_usage(c, "--reason WORD is missing");
    if (ticket == (cli_option(c, "number") != NULL))
        return cli_usage(c, "one of --ticket and --number says what is printed again");
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    return ticket ? reprint_ticket(c, reason) : reprint_range(c, reason);
}

const command cmd_reprint = {
    .name = "reprint",
    .usage = "STORE (--ticket U/SERIAL | --number U-NNNNNNN [--count N]) --reason WORD --by ID:ROLE --ok ID:ROLE",
    .summary = "write that a ticket or counterfoils are printed again; both are flagged",
    .example = "  raffle reprint gala.raffle --ticket 1/42 --reason lost --by sue:supervisor --ok boss:manager",
    .options = reprint_options,
    .min = 1,
    .max = 1,
    .run = reprint,
};
