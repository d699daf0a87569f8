/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle witness`: asks the rules' witnesses to cosign a log's newest checkpoint, and shows what they answered. */
#include "commands.h"
#include "witnesses.h"

#include <stdlib.h>
#include <string.h>

static const option_spec options_of[] = {
    {"log", "LOG", "\"control\", or the number of a unit; default: control"},
    {"policy", NULL, "print the policy with the control key, for those who verify cosignatures, and ask nobody"},
    {NULL, NULL, NULL},
};

static int read_log(cli *c, uint32_t *log)
{
    uint64_t unit = 0;
    const char *text = cli_option(c, "log");
    *log = 0;
    if (text == NULL || strcmp(text, "control") == 0)
        return CLI_DONE;
    if (!number_parse(text, &unit) || unit < 1 || unit > 65535)
        return cli_usage(c, "--log is \"%.40s\"; it is \"control\", or the number of a unit", text);
    *log = (uint32_t)unit;
    return CLI_DONE;
}

static int print_policy(cli *c)
{
    size_t length = 0;
    if (raffle_witness_policy(c->raffle, NULL, 0, &length, &c->err) != RAFFLE_TOO_SMALL)
        return cli_fail(c);
    char *text = memory_grow(NULL, length + 1);
    raffle_rc rc = raffle_witness_policy(c->raffle, text, length + 1, &length, &c->err);
    if (rc == RAFFLE_OK && c->json) {
        json_t *top = json_must(json_object());
        json_put(top, "policy", json_text(text));
        json_end(top, true, stdout);
    } else if (rc == RAFFLE_OK) {
        fputs(text, stdout);
    }
    free(text);
    return rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

/* What is there now is signed; but a draw that waits has its intent's checkpoint cosigned, and no later one. */
static int newest(cli *c, uint32_t log, uint64_t *size)
{
    char note[RAFFLE_NOTE_SIZE];
    size_t length = 0;
    raffle_rc rc = log == 0 && c->info.drawing
                       ? raffle_checkpoint_get(c->raffle, 0, UINT64_MAX, note, sizeof note, &length, &c->err)
                       : raffle_checkpoint(c->raffle, log, note, sizeof note, &length, &c->err);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    const char *line = strchr(note, '\n');
    char *end = line == NULL ? NULL : strchr(line + 1, '\n');
    if (end != NULL)
        *end = 0;
    if (end == NULL || !number_parse(line + 1, size))
        return cli_fail_as(c, RAFFLE_CORRUPT, "the checkpoint has no size");
    return CLI_DONE;
}

static void print_json(const cli *c, uint32_t log, uint64_t size, const witness_answer *answers, bool reached)
{
    json_t *top = json_must(json_object()), *list = json_must(json_array());
    for (uint32_t i = 0; i < c->info.witnesses; i++) {
        const raffle_error *err = &answers[i].err;
        json_t *o = json_must(json_object());
        json_put(o, "name", json_text(answers[i].witness.name));
        json_put(o, "cosigned", json_must(json_boolean(err->rc == RAFFLE_OK)));
        if (err->rc != RAFFLE_OK)
            json_put(o, "error", cli_error_json(raffle_rc_name(err->rc), err->message, err->detail));
        json_add(list, o);
    }
    json_put(top, "log", json_count(log));
    json_put(top, "size", json_count(size));
    json_put(top, "quorum", json_must(json_boolean(reached)));
    json_put(top, "witnesses", list);
    json_end(top, true, stdout);
}

static void print_text(const cli *c, uint64_t size, const witness_answer *answers, bool reached)
{
    static const column columns[] = {{"witness", false}, {"checkpoint", true}, {"answer", false}};
    table t;
    table_begin(&t, columns, 3);
    for (uint32_t i = 0; i < c->info.witnesses; i++) {
        table_add(&t, "%s", answers[i].witness.name);
        table_add(&t, "%llu", (unsigned long long)size);
        table_add(&t, "%s", answers[i].err.rc == RAFFLE_OK ? "cosigned" : answers[i].err.message);
    }
    table_end(&t, stdout);
    puts(reached ? "the quorum is reached" : "NO QUORUM");
}

/* One that saw another history is heard, even when the others are enough. */
static int verdict(const cli *c, const witness_answer *answers, bool reached)
{
    for (uint32_t i = 0; i < c->info.witnesses; i++)
        if (answers[i].err.rc == RAFFLE_HISTORY)
            return CLI_FAULT;
    return reached ? CLI_DONE : CLI_FAILED;
}

static int ask_all(cli *c, uint32_t log)
{
    witness_answer answers[WITNESSES_MAX] = {{.asked = false}};
    uint64_t size = 0;
    bool reached = false;
    if (c->info.witnesses == 0)
        return cli_fail_as(c, RAFFLE_NOT_FOUND, "the rules ask no witnesses");
    int status = newest(c, log, &size);
    if (status == CLI_DONE)
        status = witnesses_ask(c, log, size, true, answers, &reached);
    if (status != CLI_DONE)
        return status;
    if (c->json)
        print_json(c, log, size, answers, reached);
    else
        print_text(c, size, answers, reached);
    return verdict(c, answers, reached);
}

static int run(cli *c)
{
    uint32_t log;
    int status = read_log(c, &log);
    if (status == CLI_DONE)
        status = cli_open(c, cli_flag(c, "policy") ? NEED_READING : NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    return cli_flag(c, "policy") ? print_policy(c) : ask_all(c, log);
}

const command cmd_witness = {
    .name = "witness",
    .usage = "STORE [--log LOG] [--policy]",
    .summary = "ask the rules' witnesses to cosign the newest checkpoint; 1: no quorum, 3: one saw another history",
    .example = "  raffle witness gala.raffle\n  raffle witness gala.raffle --log 1\n  raffle witness gala.raffle "
               "--policy > policy",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
