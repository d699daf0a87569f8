/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle event`: a significant event, written to a log. */
#include "commands.h"

static const option_spec options_of[] = {
    {"unit", "N", "to the log of this sales unit; default: to the control log"},
    {"component", "WORD", "what it concerns: printer-3"},
    {"text", "TEXT", "free text, kept private"},
    {"element", "TEXT", "of data.altered: what was altered"},
    {"old", "TEXT", "of data.altered: its value before"},
    {"new", "TEXT", "of data.altered: its value after; --text says why, --ok who approved it"},
    {"login", "TEXT", "of remote.begin: under which login"},
    {"from", "TEXT", "of remote.begin: from where"},
    {"began", "RECORD", "of remote.end: the record of the remote.begin"},
    {NULL, NULL, NULL},
};

static int take_options(cli *c, raffle_event_details *details)
{
    uint64_t unit = 0;
    raffle_event_details_init(details, sizeof *details);
    if (!options_number(&c->options, "unit", 1, RAFFLE_UNIT_MAX, &unit) ||
        !options_number(&c->options, "began", 1, INT64_MAX, &details->begin))
        return cli_usage_fault(c);
    details->unit = (uint32_t)unit;
    details->code = cli_positional(c, 1);
    details->component = cli_option(c, "component");
    details->text = cli_option(c, "text");
    details->element = cli_option(c, "element");
    details->old_value = cli_option(c, "old");
    details->new_value = cli_option(c, "new");
    details->login = cli_option(c, "login");
    details->from = cli_option(c, "from");
    return CLI_DONE;
}

static int run(cli *c)
{
    raffle_event_details details;
    uint64_t index = 0;
    int status = take_options(c, &details);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    details.ok = c->has_ok ? &c->ok : NULL;
    if (raffle_event_write(c->raffle, &c->by, &details, &index, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("event %s is written, record %llu\n", details.code, (unsigned long long)index);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "event", json_text(details.code));
    json_put(o, "unit", json_count(details.unit));
    json_put(o, "index", json_count(index));
    json_end(o, true, stdout);
    return CLI_DONE;
}

const command cmd_event = {
    .name = "event",
    .usage = "STORE CODE [--unit N] [--component WORD] [--text TEXT] [--element TEXT [--old TEXT] [--new TEXT]] "
             "[--login TEXT --from TEXT] [--began RECORD] --by ID:ROLE [--ok ID:ROLE]",
    .summary = "write a significant event; clock.reset lets a log go on whose clock leapt",
    .example = "  raffle event gala.raffle printer.paper-out --unit 2 --component printer-3 --by ann:seller\n"
               "  raffle event gala.raffle data.altered --component accounting --element \"float, drawer 3\" --old 200 "
               "--new 250 --text \"counted again\" --by sue:supervisor --ok boss:manager\n"
               "  raffle event gala.raffle remote.begin --login vendor-7 --from 203.0.113.9 --by boss:manager\n"
               "  raffle event gala.raffle remote.end --began 12 --text \"firmware 2.1\" --by boss:manager",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
