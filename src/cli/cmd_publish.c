/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle publish`: the logs as a folder of tiles, for any web server. */
#include "commands.h"
#include "progress.h"

static const option_spec options_of[] = {
    {"hashes", NULL,
     "of the units hash tiles alone: what was sold is withheld, and the audit of the folder is incomplete"},
    {NULL, NULL, NULL},
};

static raffle_rc show_progress(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    (void)err;
    progress_at(ctx, done, total);
    return RAFFLE_OK;
}

static int print_json(const raffle_publish_info *info)
{
    json_t *top = json_must(json_object()), *o = json_must(json_object());
    json_put(o, "logs", json_count(info->logs));
    json_put(o, "records", json_count(info->records));
    json_put(o, "added", json_count(info->added));
    json_put(o, "files", json_count(info->files));
    json_put(o, "bytes", json_count(info->bytes));
    json_put(o, "removed", json_count(info->removed));
    json_put(top, "published", o);
    json_end(top, true, stdout);
    return CLI_DONE;
}

static int print(cli *c, const raffle_publish_info *info)
{
    char records[MONEY_SIZE], added[MONEY_SIZE], files[MONEY_SIZE];
    if (c->json)
        return print_json(info);
    count_format(info->records, records);
    count_format(info->added, added);
    count_format(info->files, files);
    printf("%s records of %u logs are published in %s, %s of them new; %s files written\n", records, info->logs,
           cli_positional(c, 1), added, files);
    return CLI_DONE;
}

static int run(cli *c)
{
    raffle_publish_options how;
    raffle_publish_info info;
    progress bar;
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    raffle_publish_options_init(&how, sizeof how);
    raffle_publish_info_init(&info, sizeof info);
    progress_begin(&bar, "publish", !c->json);
    how.flags = cli_flag(c, "hashes") ? RAFFLE_PUBLISH_HASHES : 0;
    how.progress = show_progress;
    how.progress_ctx = &bar;
    raffle_rc rc = raffle_publish(c->raffle, cli_positional(c, 1), &how, &info, &c->err);
    progress_clear(&bar);
    return rc == RAFFLE_OK ? print(c, &info) : cli_fail(c);
}

const command cmd_publish = {
    .name = "publish",
    .usage = "STORE FOLDER [--hashes]",
    .summary = "the logs as a folder that any web server can hold and anyone can audit; again: what changed",
    .example = "  raffle publish gala.raffle public",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
