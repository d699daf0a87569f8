/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle event`: a significant event, written to a log. */
#include "commands.h"

static const option_spec options_of[] = {
    {"unit", "N", "to the log of this sales unit; default: to the control log"},
    {"component", "WORD", "what it concerns: printer-3"},
    {"text", "TEXT", "free text, kept private"},
    {NULL, NULL, NULL},
};

static int run(cli *c)
{
    uint64_t unit = 0;
    const char *code = cli_positional(c, 1);
    if (!options_number(&c->options, "unit", 1, RAFFLE_UNIT_MAX, &unit))
        return cli_usage_fault(c);
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    if (raffle_event(c->raffle, &c->by, (uint32_t)unit, code, cli_option(c, "component"), cli_option(c, "text"),
                     &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("event %s is written\n", code);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "event", json_text(code));
    json_put(o, "unit", json_count(unit));
    json_end(o, true, stdout);
    return CLI_DONE;
}

const command cmd_event = {
    .name = "event",
    .usage = "STORE CODE [--unit N] [--component WORD] [--text TEXT] --by ID:ROLE",
    .summary = "write a significant event; clock.reset lets a log go on whose clock leapt",
    .example = "  raffle event gala.raffle printer.paper-out --unit 2 --component printer-3 --by ann:seller",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
