/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle create`: a raffle from its rules, with its keys and its first sales units. */
#include "commands.h"

#include <stdlib.h>

enum {
    RULES_MAX = 1 << 20
};

static const option_spec options_of[] = {
    {"rules", "FILE", "the rules, JSON; \"-\": standard input"},
    {NULL, NULL, NULL},
};

static int print_json(const cli *c)
{
    json_t *o = json_must(json_object());
    json_put(o, "origin", json_text(c->info.origin));
    json_put(o, "name", json_text(c->info.name));
    json_put(o, "rehearsal", json_boolean(c->info.rehearsal));
    json_put(o, "rules_hash", json_hex(c->info.rules_hash, sizeof c->info.rules_hash));
    json_put(o, "control_key", json_text(c->info.control_key));
    json_put(o, "units", json_count(c->info.units));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int print(const cli *c)
{
    char hash[2 * RAFFLE_HASH_SIZE + 1];
    if (c->json)
        return print_json(c);
    hex_format(c->info.rules_hash, RAFFLE_HASH_SIZE, hash);
    printf("%s, %s: made%s\n", c->info.origin, c->info.name, c->info.rehearsal ? ", a REHEARSAL" : "");
    printf("rules        %s\n", hash);
    printf("control key  %s\n", c->info.control_key);
    printf("sales units  %u\n", c->info.units);
    return CLI_DONE;
}

static int run(cli *c)
{
    size_t length;
    int status = cli_option(c, "rules") != NULL ? cli_actors(c) : cli_usage(c, "--rules FILE is missing");
    if (status == CLI_DONE)
        status = cli_self_verify(c);
    if (status != CLI_DONE)
        return status;
    char *rules = cli_read_file(c, cli_option(c, "rules"), RULES_MAX, &length, &status);
    if (rules == NULL)
        return status;
    raffle_rc rc =
        raffle_create(cli_positional(c, 0), cli_keys(c), &c->host.table, rules, length, &c->by, &c->raffle, &c->err);
    free(rules);
    raffle_info_init(&c->info, sizeof c->info);
    if (rc != RAFFLE_OK || raffle_describe(c->raffle, &c->info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return print(c);
}

const command cmd_create = {
    .name = "create",
    .usage = "STORE --rules FILE --by ID:ROLE [--keys URI]",
    .summary = "make a raffle: its control log with the frozen rules, its keys, its sales units",
    .example = "  raffle create gala.raffle --rules rules.json --by boss:manager",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
