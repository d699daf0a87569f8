/* SPDX-License-Identifier: Apache-2.0 */
/* The command raffle: finds the command in one table, reads its options, runs it, and says how it ended. */
#include "commands.h"

#include <errno.h>
#include <string.h>

/* A row each, whatever their number is. */
/* clang-format off */
static const command *const commands[] = {
    &cmd_create,
    &cmd_unit_enrol,
    &cmd_unit_enable,
    &cmd_unit_disable,
    &cmd_unit_quota,
    &cmd_unit_close,
    &cmd_unit_receipt,
    &cmd_unit_unenrol,
    &cmd_unit_validated,
    &cmd_unit_watch,
    &cmd_unit_apply,
    &cmd_unit_kit,
    &cmd_unit_install,
    &cmd_unit_challenge,
    &cmd_unit_export,
    &cmd_unit_upload,
    &cmd_unit_update,
    &cmd_sell,
    &cmd_import,
    &cmd_order,
    &cmd_ticket,
    &cmd_void,
    &cmd_erase,
    &cmd_counterfoils,
    &cmd_print,
    &cmd_reprint,
    &cmd_cash,
    &cmd_seal,
    &cmd_ack,
    &cmd_draw,
    &cmd_witness,
    &cmd_verify_winner,
    &cmd_official,
    &cmd_pick,
    &cmd_claim,
    &cmd_forfeit,
    &cmd_status,
    &cmd_show,
    &cmd_event,
    &cmd_events,
    &cmd_audit,
    &cmd_publish,
    &cmd_timestamp,
    &cmd_report,
    &cmd_receipt,
    &cmd_verify,
    &cmd_selfcheck,
    &cmd_evidence,
    &cmd_backup,
    &cmd_restore,
    &cmd_mirror,
    &cmd_rng_health,
    &cmd_rng_sample,
    &cmd_rng_assess,
    &cmd_vectors,
    NULL,
};
/* clang-format on */

static const option_spec common[] = {
    {"keys", "URI", "where the keys are, file:DIR; also RAFFLE_KEYS; default: as the raffle was made"},
    {"by", "ID:ROLE", "who does it, like ann:seller; also RAFFLE_ACTOR"},
    {"ok", "ID:ROLE", "a second approver"},
    {"json", NULL, "output for machines, errors too"},
    {"help", NULL, "this text"},
    {NULL, NULL, NULL},
};

/* --- help --- */

static void add_options(table *t, const option_spec *list)
{
    for (; list->name != NULL; list++) {
        table_add(t, "  --%s%s%s", list->name, list->value != NULL ? " " : "", list->value != NULL ? list->value : "");
        table_add(t, "%s", list->help);
    }
}

static int print_help(const command *of)
{
    static const column columns[] = {{NULL, false}, {NULL, false}};
    table t;
    printf("usage: raffle %s %s\n\n%s\n\n", of->name, of->usage, of->summary);
    table_begin(&t, columns, 2);
    add_options(&t, of->options);
    add_options(&t, common);
    table_end(&t, stdout);
    printf("\nexample:\n%s\n", of->example);
    return CLI_DONE;
}

static int print_overview(FILE *to, int status)
{
    static const column columns[] = {{NULL, false}, {NULL, false}};
    table t;
    fputs("usage: raffle COMMAND STORE … [--help] [--json] [--keys URI] [--by ID:ROLE] [--ok ID:ROLE]\n"
          "STORE is a store's URI, or the path of a SQLite file.\n\n",
          to);
    table_begin(&t, columns, 2);
    for (const command *const *at = commands; *at != NULL; at++) {
        table_add(&t, "  %s", (*at)->name);
        table_add(&t, "%s", (*at)->summary);
    }
    table_end(&t, to);
    fputs("\nraffle COMMAND --help shows its options and an example. raffle --version.\n"
          "Exit status: 0 done, 1 could not, 2 usage, 3 an audit or a verification found a fault.\n",
          to);
    return status;
}

/* --- finding the command --- */

/* The number of arguments that name the command: one or two; 0 when they do not. */
static int names(const char *name, int argc, char **argv)
{
    const char *space = strchr(name, ' ');
    if (space == NULL)
        return argc >= 1 && strcmp(argv[0], name) == 0;
    const size_t length = (size_t)(space - name);
    return argc >= 2 && strlen(argv[0]) == length && memcmp(argv[0], name, length) == 0 &&
                   strcmp(argv[1], space + 1) == 0
               ? 2
               : 0;
}

static const command *find(int argc, char **argv, int *words)
{
    for (const command *const *at = commands; *at != NULL; at++)
        if ((*words = names((*at)->name, argc, argv)) > 0)
            return *at;
    return NULL;
}

static bool asks_for_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* --- running it --- */

static int check_and_run(cli *c)
{
    const command *of = c->command;
    if (cli_flag(c, "help"))
        return print_help(of);
    if (c->options.positionals < of->min)
        return cli_usage(c, "%s needs %zu argument%s, and got %zu", of->name, of->min, of->min == 1 ? "" : "s",
                         c->options.positionals);
    if (c->options.positionals > of->max)
        return cli_usage(c, "%s takes %zu argument%s; \"%.60s\" is one more", of->name, of->max,
                         of->max == 1 ? "" : "s", c->options.positional[of->max]);
    if (!host_init(&c->host, c->json))
        return cli_usage(c, "RAFFLE_CLOCK is no time; it is written like 2026-11-21T18:30:00.000Z");
    return of->run(c);
}

/* What was printed may have met a full disk. */
static int end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "raffle: standard output could not be written: %s\n", strerror(errno));
    return status == CLI_DONE ? CLI_FAILED : status;
}

int main(int argc, char **argv)
{
    cli c = {.err = RAFFLE_ERROR_INIT};
    int words, status;
    if (argc < 2)
        return print_overview(stderr, CLI_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return end_output(print_overview(stdout, CLI_DONE));
    if (strcmp(argv[1], "--version") == 0) {
        printf("raffle %s, library %s\n", RAFFLE_VERSION, raffle_version());
        return end_output(CLI_DONE);
    }
    c.json = asks_for_json(argc - 1, argv + 1);
    c.command = find(argc - 1, argv + 1, &words);
    if (c.command == NULL)
        return end_output(cli_usage(&c, "there is no command \"%.40s\"; raffle --help lists them", argv[1]));
    if (!options_parse(&c.options, c.command->options, common, argc - 1 - words, argv + 1 + words))
        status = cli_usage_fault(&c);
    else
        status = check_and_run(&c);
    cli_close(&c);
    return end_output(status);
}
