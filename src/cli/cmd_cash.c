/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle cash`: money that was counted, and what is short or over, of a unit or of a seller. */
#include "commands.h"

static const option_spec options_of[] = {
    {"counted", "AMOUNT", "write that so much was counted, in minor units; without it, only the balance is shown"},
    {"kind", "WORD", "with --counted: cash, card …; default: cash"},
    {"seller", "ID", "whose it is: the id of the actor who sold; private"},
    {"text", "TEXT", "with --counted: a remark; private"},
    {NULL, NULL, NULL},
};

static int print_balance(cli *c, uint32_t unit)
{
    raffle_cash_info info;
    char gross[MONEY_SIZE], given_back[MONEY_SIZE], counted[MONEY_SIZE], difference[MONEY_SIZE];
    raffle_cash_info_init(&info, sizeof info);
    if (raffle_cash_balance(c->raffle, unit, cli_option(c, "seller"), &info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("taken %s, given back %s, counted %s: %s %s\n", cli_money(c, info.gross, gross),
               cli_money(c, info.void_gross, given_back), cli_money(c, info.counted, counted),
               info.difference < 0 ? "SHORT" : "over",
               cli_money(c, info.difference < 0 ? -info.difference : info.difference, difference));
        if (info.unknown > 0)
            cli_note(c, "the sellers of %llu tickets are erased", (unsigned long long)info.unknown);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(unit));
    json_put(o, "tickets", json_count(info.tickets));
    json_put(o, "voids", json_count(info.voids));
    json_put(o, "gross", json_integer(info.gross));
    json_put(o, "void_gross", json_integer(info.void_gross));
    json_put(o, "counted", json_integer(info.counted));
    json_put(o, "difference", json_integer(info.difference));
    json_put(o, "unknown", json_count(info.unknown));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int run(cli *c)
{
    uint64_t unit = 0, counted = 0;
    const bool writes = cli_option(c, "counted") != NULL;
    const char *kind = cli_option(c, "kind");
    if (!options_positional(&c->options, 1, "UNIT", 1, RAFFLE_UNIT_MAX, &unit) ||
        !options_number(&c->options, "counted", 0, INT64_MAX, &counted))
        return cli_usage_fault(c);
    if (!writes && (kind != NULL || cli_option(c, "text") != NULL))
        return cli_usage(c, "--kind and --text go with --counted");
    int status = cli_open(c, writes ? NEED_ACTOR : NEED_READING);
    if (status != CLI_DONE)
        return status;
    if (writes && raffle_cash(c->raffle, &c->by, (uint32_t)unit, kind != NULL ? kind : "cash", (int64_t)counted,
                              cli_option(c, "seller"), cli_option(c, "text"), &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return print_balance(c, (uint32_t)unit);
}

const command cmd_cash = {
    .name = "cash",
    .usage = "STORE UNIT [--counted AMOUNT [--kind WORD] [--text TEXT]] [--seller ID] [--by ID:ROLE]",
    .summary = "reconcile the money of a unit, or of a seller there, with what the records say",
    .example = "  raffle cash gala.raffle 1 --counted 121250 --seller ann --by sue:supervisor\n"
               "  raffle cash gala.raffle 1",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
