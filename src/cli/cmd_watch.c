/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle unit validated` and `raffle unit watch`: how the units do, and who is shut out (GLI-31 5.4.2). */
#include "commands.h"

static const option_spec validated_options[] = {
    {"failed", NULL, "it failed; without this, it passed"},
    {"text", "TEXT", "what was seen; private"},
    {NULL, NULL, NULL},
};

static int validated(cli *c)
{
    uint64_t unit = 0;
    int32_t disabled = 0;
    if (!options_positional(&c->options, 1, "UNIT", 1, RAFFLE_UNIT_MAX, &unit))
        return cli_usage_fault(c);
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    if (raffle_unit_validated(c->raffle, &c->by, (uint32_t)unit, !cli_flag(c, "failed"), cli_option(c, "text"),
                              &disabled, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("unit %llu %s\n", (unsigned long long)unit,
               disabled                ? "failed too often, and is DISABLED"
               : cli_flag(c, "failed") ? "failed"
                                       : "passed");
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(unit));
    json_put(o, "passed", json_must(json_boolean(!cli_flag(c, "failed"))));
    json_put(o, "disabled", json_must(json_boolean(disabled != 0)));
    json_end(o, true, stdout);
    return CLI_DONE;
}

const command cmd_unit_validated = {
    .name = "unit validated",
    .usage = "STORE UNIT [--failed] [--text TEXT] --by ID:ROLE",
    .summary = "a unit passed or failed its validation; whoever fails as often as the rules say is disabled",
    .example = "  raffle unit validated gala.raffle 3 --failed --by gateway:system",
    .options = validated_options,
    .min = 2,
    .max = 2,
    .run = validated,
};

static const option_spec no_options[] = {{NULL, NULL, NULL}};

static int watch(cli *c)
{
    uint32_t silent = 0, disabled = 0;
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    if (raffle_units_watch(c->raffle, &c->by, &silent, &disabled, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("silent %u, disabled %u\n", silent, disabled);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "silent", json_count(silent));
    json_put(o, "disabled", json_count(disabled));
    json_end(o, true, stdout);
    return CLI_DONE;
}

const command cmd_unit_watch = {
    .name = "unit watch",
    .usage = "STORE --by ID:ROLE",
    .summary = "write down which units have been silent for too long; to be run every few minutes",
    .example = "  raffle unit watch gala.raffle --by gateway:system",
    .options = no_options,
    .min = 1,
    .max = 1,
    .run = watch,
};
