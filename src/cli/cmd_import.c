/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle import`: the orders and voids of a day from a file, a line each. Bad lines are reported, good ones go on. */
#include "commands.h"
#include "csv.h"
#include "import_batch.h"
#include "progress.h"
#include "times.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const option_spec options_of[] = {
    {"replay", NULL, "in rehearsals: the file's times are the clock"},
    {"from", "TIME", "only lines at this time or later, RFC 3339"},
    {"until", "TIME", "only lines before this time"},
    {NULL, NULL, NULL},
};

typedef struct import {
    cli *c;
    bool replay, timed;
    int64_t from, until;
    csv csv;
    uint64_t size; /* of the file, 0 when it is not known */
    import_counts counts;
    import_batches *batches;
    json_t *bad_lines;
    progress progress;
} import;

static void bad_line(void *ctx, uint64_t line, raffle_rc rc, const char *reason)
{
    import *i = ctx;
    if (i->c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "line", json_count(line));
        json_put(o, "rc", json_string(raffle_rc_name(rc)));
        json_put(o, "reason", json_text(reason));
        json_add(i->bad_lines, o);
        return;
    }
    progress_clear(&i->progress);
    cli_note(i->c, "line %llu: %s", (unsigned long long)line, reason);
}

static void count_bad(import *i, const char *reason)
{
    i->counts.lines++;
    i->counts.bad++;
    bad_line(i, i->csv.line, RAFFLE_INVALID, reason);
}

/* --- the file --- */

/* False: nothing can go on. */
static bool take_row(import *i)
{
    import_line line;
    raffle_error err = RAFFLE_ERROR_INIT;
    if (!import_read(i->csv.field, i->timed, &i->c->by, &line, &err)) {
        count_bad(i, err.message);
        return true;
    }
    if (i->timed && (line.at < i->from || line.at >= i->until))
        return true;
    i->counts.lines++;
    line.line = i->csv.line;
    return line.is_void ? import_void(i->batches, &line) : import_add(i->batches, &line);
}

static bool take_lines(import *i)
{
    for (;;) {
        switch (csv_next(&i->csv)) {
        case CSV_END:
            return import_flush(i->batches);
        case CSV_BAD:
            count_bad(i, i->csv.fault);
            break;
        case CSV_ROW:
            if (!take_row(i))
                return false;
            break;
        default:
            (void)raffle_error_set(&i->c->err, RAFFLE_IO, 0, strerror(errno));
            (void)import_flush(i->batches);
            return false;
        }
        progress_at(&i->progress, i->csv.bytes, i->size);
    }
}

static int check_header(import *i)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    csv_result result = csv_next(&i->csv);
    if (result == CSV_ROW && import_header(i->csv.field, &err))
        return CLI_DONE;
    if (result == CSV_ERROR)
        return cli_fail_as(i->c, RAFFLE_IO, "the file cannot be read: %s", strerror(errno));
    return cli_fail_as(i->c, RAFFLE_INVALID, "line 1: %s",
                       result == CSV_END   ? "the file is empty"
                       : result == CSV_BAD ? i->csv.fault
                                           : err.message);
}

/* --- what became of it --- */

static int print_json(import *i, bool ended)
{
    json_t *o = json_must(json_object()), *top = json_must(json_object());
    json_put(o, "lines", json_count(i->counts.lines));
    json_put(o, "sold", json_count(i->counts.sold));
    json_put(o, "tickets", json_count(i->counts.tickets));
    json_put(o, "replayed", json_count(i->counts.replayed));
    json_put(o, "voids", json_count(i->counts.voids));
    json_put(o, "bad", json_count(i->counts.bad));
    json_put(o, "bad_lines", json_incref(i->bad_lines));
    json_put(top, "import", o);
    if (!ended)
        json_put(top, "error", cli_error_json(raffle_rc_name(i->c->err.rc), i->c->err.message, i->c->err.detail));
    json_end(top, true, stdout);
    return ended && i->counts.bad == 0 ? CLI_DONE : CLI_FAILED;
}

static void row(table *t, const char *name, uint64_t count)
{
    char text[MONEY_SIZE];
    count_format(count, text);
    table_add(t, "%s", name);
    table_add(t, "%s", text);
}

static int print(import *i, bool ended)
{
    static const column columns[] = {{NULL, false}, {NULL, true}};
    table t;
    if (i->c->json)
        return print_json(i, ended);
    table_begin(&t, columns, 2);
    row(&t, "lines", i->counts.lines);
    row(&t, "orders sold", i->counts.sold);
    row(&t, "tickets", i->counts.tickets);
    row(&t, "orders voided", i->counts.voids);
    row(&t, "sent twice", i->counts.replayed);
    row(&t, "bad", i->counts.bad);
    table_end(&t, stdout);
    if (!ended)
        return cli_fail_as(i->c, i->c->err.rc, "the import stopped before its end, and can be sent again: %s",
                           i->c->err.message);
    return i->counts.bad == 0 ? CLI_DONE : CLI_FAILED;
}

/* --- the command --- */

static int read_time(import *i, const char *name, int64_t *ms)
{
    const char *text = cli_option(i->c, name);
    if (text == NULL)
        return CLI_DONE;
    i->timed = true;
    return time_parse(text, ms) ? CLI_DONE
                                : cli_usage(i->c, "--%s is no time; it is written like 2026-11-21T18:30:00.000Z", name);
}

static int import_file(import *i, FILE *file)
{
    struct stat status_of;
    csv_init(&i->csv, file, IMPORT_COLUMNS);
    if (fstat(fileno(file), &status_of) == 0 && S_ISREG(status_of.st_mode))
        i->size = (uint64_t)status_of.st_size;
    int status = check_header(i);
    if (status == CLI_DONE)
        status = cli_open(i->c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    progress_begin(&i->progress, "import", !i->c->json);
    i->batches = import_batches_new(i->c, i->replay, &i->counts, bad_line, i);
    i->bad_lines = json_must(json_array());
    const bool ended = take_lines(i);
    progress_clear(&i->progress);
    status = print(i, ended);
    json_decref(i->bad_lines);
    import_batches_free(i->batches);
    return status;
}

static int run(cli *c)
{
import i = {.c = c, .replay = cli_flag(c, "replay"), .from = INT64_MIN, .until = INT64_MAX };
    const char *path = cli_positional(c, 1);
    i.timed = i.replay;
    int status = read_time(&i, "from", &i.from);
    if (status == CLI_DONE)
        status = read_time(&i, "until", &i.until);
    if (status == CLI_DONE)
        status = cli_actors(c);
    if (status != CLI_DONE)
        return status;
    if (i.replay)
        host_replay(&c->host);
    const bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (file == NULL)
        return cli_fail_as(c, errno == ENOENT ? RAFFLE_NOT_FOUND : RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    status = import_file(&i, file);
    if (!standard)
        fclose(file);
    return status;
}

const command cmd_import = {
    .name = "import",
    .usage = "STORE FILE [--replay] [--from TIME] [--until TIME] --by ID:ROLE",
    .summary = "sell and void what a CSV file lists, a line an order; bad lines are reported, and none is half done",
    .example =
        "  raffle import gala.raffle sales.csv --by importer:system\n"
        "\n"
        "The file's first line is kind,at,unit,order,tier,count,payment,buyer,channel,reason,by; kind is sale or "
        "void:\n"
        "  sale,2026-11-15T01:00:01.681Z,3,web-81723,15-for-10,2,card-77,b-19,till,,tom:seller\n"
        "  void,2026-11-15T01:04:44.020Z,,web-81723,,,,,,refund,sue:supervisor\n"
        "A line that is sent again is done once. An empty `by` is --by; `at` counts with --replay, --from and --until.",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
