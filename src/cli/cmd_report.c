/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle report`, and `raffle verify --report`: reports as they stream from the library into a file, and out of one to be proved. */
#include "commands.h"
#include "progress.h"

#include <errno.h>
#include <string.h>

static const option_spec options_of[] = {
    {"from", "TIME", "records from this time on, RFC 3339; default: from the first"},
    {"to", "TIME", "records before this time; default: to the last"},
    {"unit", "N", "of this sales unit alone"},
    {"format", "FORMAT", "text, csv, json or html; default: text, with --json json"},
    {"out", "FILE", "into this file instead of standard output"},
    {NULL, NULL, NULL},
};

/* --- what is asked for --- */

static int32_t format_of(const char *name)
{
    static const char *const names[] = {"", "text", "csv", "json", "html"};
    for (int32_t i = RAFFLE_REPORT_TEXT; i <= RAFFLE_REPORT_HTML; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return 0;
}

static int take_maker(cli *c, raffle_report_options *how)
{
    const char *by = cli_option(c, "by");
    if (by == NULL)
        return CLI_DONE;
    if (!cli_parse_actor(by, &c->by, &c->err))
        return cli_usage(c, "--by: %s", c->err.message);
    memcpy(how->maker, c->by.id, sizeof how->maker);
    return CLI_DONE;
}

static int take_options(cli *c, raffle_report_options *how)
{
    uint64_t unit = 0;
    const char *format = cli_option(c, "format");
    raffle_report_options_init(how, sizeof *how);
    how->format = format_of(format != NULL ? format : c->json ? "json" : "text");
    if (how->format == 0)
        return cli_usage(c, "--format is \"%.20s\"; it is text, csv, json or html", format);
    if (!options_number(&c->options, "unit", 1, RAFFLE_UNIT_MAX, &unit))
        return cli_usage_fault(c);
    how->unit = (uint32_t)unit;
    if (!cli_copy(how->name, sizeof how->name, cli_positional(c, 1)))
        return cli_usage(c, "there is no report \"%.40s\"", cli_positional(c, 1));
    int status = cli_time(c, "from", &how->from);
    if (status == CLI_DONE)
        status = cli_time(c, "to", &how->to);
    return status == CLI_DONE ? take_maker(c, how) : status;
}

/* --- making one --- */

static raffle_rc show_progress(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    (void)err;
    progress_at(ctx, done, total);
    return RAFFLE_OK;
}

static raffle_rc write_bytes(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    if (fwrite(bytes, 1, length, ctx) == length)
        return RAFFLE_OK;
    return raffle_error_set(err, RAFFLE_IO, 0, strerror(errno));
}

static int write_report(cli *c, raffle_report_options *how, FILE *to, const char *name)
{
    progress bar;
    progress_begin(&bar, "report", !c->json && to != stdout);
    how->progress = show_progress;
    how->progress_ctx = &bar;
    raffle_rc rc = raffle_report_write(c->raffle, how, write_bytes, to, &c->err);
    progress_clear(&bar);
    if (rc == RAFFLE_OK && fflush(to) == 0)
        return CLI_DONE;
    return rc == RAFFLE_OK ? cli_fail_as(c, RAFFLE_IO, "%.200s: %s", name, strerror(errno)) : cli_fail(c);
}

/* A report that was not finished is none: the file has its name only when it is whole, and an older one stays until then. */
static int write_file(cli *c, raffle_report_options *how, const char *path)
{
    char part[4096];
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return cli_usage(c, "--out is longer than a path can be");
    FILE *file = fopen(part, "wb");
    if (file == NULL)
        return cli_fail_as(c, RAFFLE_IO, "%.200s: %s", part, strerror(errno));
    int status = write_report(c, how, file, part);
    if (fclose(file) != 0 && status == CLI_DONE)
        status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", part, strerror(errno));
    if (status == CLI_DONE && rename(part, path) != 0)
        status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    if (status != CLI_DONE)
        (void)remove(part);
    return status;
}

/* Validation numbers alone need keys. The raffle is not described first: a damaged unit must not hide the report that says so. */
static raffle_rc open_raffle(cli *c, const char *store, const char *keys)
{
    return raffle_open(store, keys, &c->host.table, &c->raffle, &c->err);
}

static int run(cli *c)
{
    raffle_report_options how;
    const char *out = cli_option(c, "out"), *keys = cli_keys(c);
    int status = take_options(c, &how);
    if (status != CLI_DONE)
        return status;
    if (keys == NULL && strcmp(how.name, "voids") != 0)
        keys = "";
    if (open_raffle(c, cli_positional(c, 0), keys) != RAFFLE_OK)
        return cli_fail(c);
    return out != NULL ? write_file(c, &how, out) : write_report(c, &how, stdout, "standard output");
}

const command cmd_report = {
    .name = "report",
    .usage = "STORE NAME [--from TIME] [--to TIME] [--unit N] [--format FORMAT] [--out FILE]",
    .summary = "a report: drawing, exceptions, tickets, sales, voids, unit-events, corruption, events, summary, "
               "accounts, units",
    .example = "  raffle report gala.raffle drawing --format html --out drawing.html\n"
               "  raffle report gala.raffle sales --from 2026-11-21T18:00:00.000Z --to 2026-11-21T20:00:00.000Z",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};

/* --- proving one --- */

static raffle_rc read_bytes(void *ctx, char *bytes, size_t cap, size_t *length, raffle_error *err)
{
    FILE *file = ctx;
    *length = fread(bytes, 1, cap, file);
    return ferror(file) ? raffle_error_set(err, RAFFLE_IO, 0, strerror(errno)) : RAFFLE_OK;
}

static int print_good(const cli *c, const char *path, const raffle_report_info *info)
{
    if (c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "file", json_text(path));
        json_put(o, "good", json_true());
        json_put(o, "report", json_text(info->name));
        json_put(o, "rows", json_count(info->rows));
        json_put(o, "records", json_count(info->records));
        json_put(o, "control_size", json_count(info->control_size));
        json_put(o, "private_cells", json_count(info->private_cells));
        json_put(o, "notes", json_count(info->notes));
        json_end(o, false, stdout);
        return CLI_DONE;
    }
    printf("good: the report \"%s\" says what %llu records say, in %llu rows; %u signed checkpoint%s in it hold%s\n",
           info->name, (unsigned long long)info->records, (unsigned long long)info->rows, info->notes,
           info->notes == 1 ? "" : "s", info->notes == 1 ? "s" : "");
    if (info->private_cells > 0)
        printf("%llu cells are private, and could not be compared here\n", (unsigned long long)info->private_cells);
    return CLI_DONE;
}

/* What is wrong with the report, and not with the store or the memory. */
static bool is_fault(raffle_rc rc)
{
    return rc == RAFFLE_INVALID || rc == RAFFLE_MISMATCH || rc == RAFFLE_HISTORY || rc == RAFFLE_SIGNATURE ||
           rc == RAFFLE_NOT_FOUND;
}

static int print_bad(const cli *c, const char *path)
{
    if (c->json) {
        json_t *o = cli_error_json(raffle_rc_name(c->err.rc), c->err.message, c->err.detail);
        json_put(o, "file", json_text(path));
        json_put(o, "good", json_false());
        json_end(o, false, stdout);
        return CLI_FAULT;
    }
    char name[300];
    snprintf(name, sizeof name, "%.290s", path);
    text_clean(name);
    printf("bad: %s: %s\n", name, c->err.message);
    return CLI_FAULT;
}

static int verify_file(cli *c, const char *path, FILE *file)
{
    raffle_report_info info;
    raffle_report_info_init(&info, sizeof info);
    raffle_rc rc = raffle_report_verify(c->raffle, read_bytes, file, &info, &c->err);
    if (rc == RAFFLE_OK)
        return print_good(c, path, &info);
    return is_fault(rc) ? print_bad(c, path) : cli_fail(c);
}

/* With --key, the raffle in the store must be the one that the key is of. */
static int check_key(cli *c)
{
    const char *key = cli_option(c, "key");
    if (key == NULL)
        return CLI_DONE;
    raffle_info_init(&c->info, sizeof c->info);
    if (raffle_describe(c->raffle, &c->info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (strcmp(c->info.control_key, key) == 0)
        return CLI_DONE;
    return cli_fail_as(c, RAFFLE_KEY, "the raffle's control key is another one than --key");
}

int report_verify(cli *c)
{
    const char *path = cli_option(c, "report"), *keys = cli_keys(c);
    if (c->options.positionals != 1)
        return cli_usage(c, "--report FILE is verified against one STORE or FOLDER");
    if (open_raffle(c, cli_positional(c, 0), keys != NULL ? keys : "") != RAFFLE_OK)
        return cli_fail(c);
    int status = check_key(c);
    if (status != CLI_DONE)
        return status;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    status = verify_file(c, path, file);
    (void)fclose(file);
    return status;
}
