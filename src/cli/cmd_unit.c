/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle unit …`: sales units enrolled, enabled, disabled, given a quota, closed with a receipt, and un-enrolled. */
#include "commands.h"
#include "file_out.h"

#include <stdlib.h>
#include <string.h>

static const option_spec no_options[] = {{NULL, NULL, NULL}};

static const option_spec enrol_options[] = {
    {"name", "NAME", "unlike that of the other units"},
    {"quota", "N", "the most draw numbers that it may sell; default: no limit"},
    {"enable", NULL, "let it sell at once"},
    {"key", "FILE", "of a till elsewhere: what `unit apply` wrote there"},
    {"hours", "N", "for which that till may sell without hearing from the raffle; default: no limit"},
    {"kit", "FILE", "write what that till is installed from here: a secret"},
    {NULL, NULL, NULL},
};

static const option_spec disable_options[] = {
    {"reason", "WORD", "why; default: operator"},
    {NULL, NULL, NULL},
};

static const option_spec close_options[] = {
    {"receipt", "FILE", "write the receipt of the close into this file: all that the unit sold, signed by it"},
    {NULL, NULL, NULL},
};

static const option_spec receipt_options[] = {
    {"out", "FILE", "write the receipt into this file; default: standard output"},
    {NULL, NULL, NULL},
};

/* Says what became of the unit. */
static int done(const cli *c, uint32_t number, const char *what)
{
    if (!c->json) {
        printf("unit %u %s\n", number, what);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(number));
    json_put(o, "done", json_string(what));
    json_end(o, true, stdout);
    return CLI_DONE;
}

/* The unit's number is the second positional. */
static int open_unit(cli *c, uint32_t *number)
{
    uint64_t value = 0;
    if (!options_positional(&c->options, 1, "the unit's number", 1, RAFFLE_UNIT_MAX, &value))
        return cli_usage_fault(c);
    *number = (uint32_t)value;
    return cli_open(c, NEED_ACTOR);
}

/* A till's application: its key, an empty line, and the proof. */
static int take_application(cli *c, raffle_unit_options *unit)
{
    size_t length;
    uint64_t hours = 0;
    int status = CLI_DONE;
    if (cli_option(c, "key") == NULL)
        return cli_option(c, "hours") == NULL && cli_option(c, "kit") == NULL
                   ? CLI_DONE
                   : cli_usage(c, "--hours and --kit are for a till elsewhere, which has a --key FILE");
    if (!options_number(&c->options, "hours", 0, RAFFLE_AWAY_HOURS_MAX, &hours))
        return cli_usage_fault(c);
    char *text = cli_read_file(c, cli_option(c, "key"), sizeof unit->key + sizeof unit->proof, &length, &status);
    if (text == NULL)
        return status;
    char *proof = strstr(text, "\n\n");
    if (proof == NULL)
        status = cli_fail_as(c, RAFFLE_INVALID, "%.200s is no key and proof as `raffle unit apply` writes them",
                             cli_option(c, "key"));
    else
        *proof = '\0';
    if (status == CLI_DONE &&
        (!cli_copy(unit->key, sizeof unit->key, text) || !cli_copy(unit->proof, sizeof unit->proof, proof + 2)))
        status = cli_fail_as(c, RAFFLE_INVALID, "%.200s: its key or proof is too long", cli_option(c, "key"));
    free(text);
    unit->away = 1;
    unit->hours = (uint32_t)hours;
    return status;
}

static int run_enrol(cli *c)
{
    raffle_unit_options unit;
    uint32_t number = 0;
    const char *name = cli_option(c, "name");
    raffle_unit_options_init(&unit, sizeof unit);
    if (name == NULL)
        return cli_usage(c, "--name NAME is missing");
    if (!cli_copy(unit.name, sizeof unit.name, name))
        return cli_usage(c, "--name is longer than %d bytes", RAFFLE_NAME_MAX);
    if (!options_number(&c->options, "quota", 1, UINT64_C(1) << 53, &unit.quota))
        return cli_usage_fault(c);
    int status = take_application(c, &unit);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = raffle_unit_enrol(c->raffle, &c->by, &unit, &number, &c->err);
    if (rc == RAFFLE_OK && cli_flag(c, "enable"))
        rc = raffle_unit_enable(c->raffle, &c->by, number, &c->err);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    if (cli_option(c, "kit") != NULL && (status = till_write_kit(c, number, cli_option(c, "kit"))) != CLI_DONE)
        return status;
    return done(c, number, cli_flag(c, "enable") ? "enrolled and enabled" : "enrolled");
}

static int run_enable(cli *c)
{
    uint32_t number = 0;
    int status = open_unit(c, &number);
    if (status != CLI_DONE)
        return status;
    return raffle_unit_enable(c->raffle, &c->by, number, &c->err) == RAFFLE_OK ? done(c, number, "enabled")
                                                                               : cli_fail(c);
}

static int run_disable(cli *c)
{
    uint32_t number = 0;
    const char *reason = cli_option(c, "reason");
    int status = open_unit(c, &number);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = raffle_unit_disable(c->raffle, &c->by, number, reason != NULL ? reason : "operator", &c->err);
    return rc == RAFFLE_OK ? done(c, number, "disabled") : cli_fail(c);
}

static int run_quota(cli *c)
{
    uint32_t number = 0;
    uint64_t quota = 0;
    if (!options_positional(&c->options, 2, "the quota", 0, UINT64_C(1) << 53, &quota))
        return cli_usage_fault(c);
    int status = open_unit(c, &number);
    if (status != CLI_DONE)
        return status;
    return raffle_unit_quota(c->raffle, &c->by, number, quota, &c->err) == RAFFLE_OK ? done(c, number, "has its quota")
                                                                                     : cli_fail(c);
}

static int run_unenrol(cli *c)
{
    uint32_t number = 0;
    int status = open_unit(c, &number);
    if (status != CLI_DONE)
        return status;
    return raffle_unit_unenrol(c->raffle, &c->by, number, &c->err) == RAFFLE_OK ? done(c, number, "un-enrolled")
                                                                                : cli_fail(c);
}

/* The receipt of its close, to where this option says. */
static int give_receipt(cli *c, uint32_t number, const char *option)
{
    char text[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    size_t length;
    raffle_rc rc = raffle_unit_close_receipt(c->raffle, number, text, sizeof text, &length, &c->err);
    return rc == RAFFLE_OK ? file_out(c, option, text, length) : cli_fail(c);
}

static int run_receipt(cli *c)
{
    uint64_t number = 0;
    if (!options_positional(&c->options, 1, "the unit's number", 1, RAFFLE_UNIT_MAX, &number))
        return cli_usage_fault(c);
    const int status = cli_open(c, NEED_KEYS);
    return status == CLI_DONE ? give_receipt(c, (uint32_t)number, "out") : status;
}

static int run_close(cli *c)
{
    uint32_t number = 0;
    int status = open_unit(c, &number);
    if (status != CLI_DONE)
        return status;
    if (cli_unit(c, number) != RAFFLE_OK || raffle_unit_close(c->unit, &c->by, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (cli_option(c, "receipt") != NULL && (status = give_receipt(c, number, "receipt")) != CLI_DONE) {
        cli_note(c, "unit %u is closed all the same; `raffle unit receipt` gives its receipt again", number);
        return status;
    }
    return done(c, number, "closed");
}

const command cmd_unit_enrol = {
    .name = "unit enrol",
    .usage = "STORE --name NAME [--quota N] [--enable] [--key FILE [--hours N] [--kit FILE]] --by ID:ROLE",
    .summary = "enrol a sales unit, with a log and a key of its own",
    .example =
        "  raffle unit enrol gala.raffle --name till-3 --quota 50000 --by boss:manager\n"
        "  raffle unit enrol gala.raffle --name tent --quota 5000 --key tent.key --hours 24 --kit tent.kit --enable",
    .options = enrol_options,
    .min = 1,
    .max = 1,
    .run = run_enrol,
};

const command cmd_unit_enable = {
    .name = "unit enable",
    .usage = "STORE UNIT --by ID:ROLE",
    .summary = "let a sales unit sell",
    .example = "  raffle unit enable gala.raffle 3 --by boss:manager",
    .options = no_options,
    .min = 2,
    .max = 2,
    .run = run_enable,
};

const command cmd_unit_disable = {
    .name = "unit disable",
    .usage = "STORE UNIT [--reason WORD] --by ID:ROLE",
    .summary = "keep a sales unit from selling",
    .example = "  raffle unit disable gala.raffle 3 --reason broken --by boss:manager",
    .options = disable_options,
    .min = 2,
    .max = 2,
    .run = run_disable,
};

const command cmd_unit_quota = {
    .name = "unit quota",
    .usage = "STORE UNIT NUMBERS --by ID:ROLE",
    .summary = "set the most draw numbers that a sales unit may sell; 0: no limit",
    .example = "  raffle unit quota gala.raffle 3 80000 --by boss:manager",
    .options = no_options,
    .min = 3,
    .max = 3,
    .run = run_quota,
};

const command cmd_unit_close = {
    .name = "unit close",
    .usage = "STORE UNIT [--receipt FILE] --by ID:ROLE",
    .summary = "end a sales unit's log for good",
    .example = "  raffle unit close gala.raffle 3 --receipt 3.close --by boss:manager",
    .options = close_options,
    .min = 2,
    .max = 2,
    .run = run_close,
};

const command cmd_unit_receipt = {
    .name = "unit receipt",
    .usage = "STORE UNIT [--out FILE]",
    .summary = "the receipt of a sales unit's close: all that it sold, signed by it",
    .example = "  raffle unit receipt gala.raffle 3 --out 3.close",
    .options = receipt_options,
    .min = 2,
    .max = 2,
    .run = run_receipt,
};

const command cmd_unit_unenrol = {
    .name = "unit unenrol",
    .usage = "STORE UNIT --by ID:ROLE",
    .summary = "take out a sales unit that never sold",
    .example = "  raffle unit unenrol gala.raffle 3 --by boss:manager",
    .options = no_options,
    .min = 2,
    .max = 2,
    .run = run_unenrol,
};
