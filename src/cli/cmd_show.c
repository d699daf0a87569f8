/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle show`: a log's records as they are, a line each. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const option_spec options_of[] = {
    {"private", NULL, "private parts too"},
    {"follow", NULL, "go on with records as they are written"},
    {NULL, NULL, NULL},
};

typedef struct walk {
    uint32_t log;
    uint64_t from, count;
    bool with_private, follow;
} walk;

static int read_arguments(cli *c, walk *w)
{
    const char *log = cli_positional(c, 1);
    uint64_t number = 0;
    *w = (walk){.count = UINT64_MAX, .with_private = cli_flag(c, "private"), .follow = cli_flag(c, "follow")};
    if (strcmp(log, "control") != 0 && !(number_parse(log, &number) && number <= RAFFLE_UNIT_MAX))
        return cli_usage(c, "the log is \"%.20s\"; it is \"control\" or the number of a unit", log);
    w->log = (uint32_t)number;
    if (!options_positional(&c->options, 2, "FROM", 0, UINT64_C(1) << 53, &w->from) ||
        !options_positional(&c->options, 3, "COUNT", 0, UINT64_C(1) << 53, &w->count))
        return cli_usage_fault(c);
    return CLI_DONE;
}

/* Whether the bytes can stand in a line of JSON as they are. */
static bool is_json(const char *text, size_t length)
{
    json_t *value = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    const bool good = json_is_object(value) && memchr(text, '\n', length) == NULL;
    json_decref(value);
    return good;
}

/* The bytes themselves stand in the line, so that they can be hashed again. */
static int print_json(cli *c, const walk *w, const raffle_record *record)
{
    if (!is_json(record->leaf, record->leaf_length) ||
        (record->private_part != NULL && !is_json(record->private_part, record->private_length)))
        return cli_fail_as(c, RAFFLE_CORRUPT, "record %llu is not JSON", (unsigned long long)record->index);
    printf("{\"index\":%llu,\"leaf\":", (unsigned long long)record->index);
    fwrite(record->leaf, 1, record->leaf_length, stdout);
    if (w->with_private && record->private_part != NULL) {
        fputs(",\"private\":", stdout);
        fwrite(record->private_part, 1, record->private_length, stdout);
    }
    fputs("}\n", stdout);
    return CLI_DONE;
}

/* A damaged record must not steer the terminal. */
static void print_text(const char *label, const char *bytes, size_t length)
{
    char *text = memory_grow(NULL, length + 1);
    memcpy(text, bytes, length);
    text[length] = 0;
    for (size_t i = 0; i < length; i++)
        text[i] = text[i] == 0 ? '?' : text[i];
    text_clean(text);
    printf("%s%s\n", label, text);
    free(text);
}

static int print(cli *c, const walk *w, const raffle_record *record)
{
    char index[32];
    if (c->json)
        return print_json(c, w, record);
    snprintf(index, sizeof index, "%8llu  ", (unsigned long long)record->index);
    print_text(index, record->leaf, record->leaf_length);
    if (w->with_private && record->private_part != NULL)
        print_text("          ", record->private_part, record->private_length);
    return CLI_DONE;
}

static void wait_a_little(void)
{
    const struct timespec while_ = {0, 200000000};
    fflush(stdout);
    nanosleep(&while_, NULL);
}

static int show(cli *c, const walk *w, raffle_cursor *cursor)
{
    for (uint64_t n = 0; n < w->count;) {
        raffle_record record;
        raffle_record_init(&record, sizeof record);
        raffle_rc rc = raffle_cursor_next(cursor, &record, &c->err);
        if (rc == RAFFLE_NOT_FOUND && !w->follow)
            return CLI_DONE;
        if (rc == RAFFLE_NOT_FOUND) {
            wait_a_little();
            if (ferror(stdout))
                return CLI_DONE;
            continue;
        }
        int status = rc == RAFFLE_OK ? print(c, w, &record) : cli_fail(c);
        if (status != CLI_DONE)
            return status;
        n++;
    }
    return CLI_DONE;
}

static int run(cli *c)
{
    walk w;
    raffle_cursor *cursor = NULL;
    int status = read_arguments(c, &w);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_READING);
    if (status != CLI_DONE)
        return status;
    status =
        raffle_cursor_open(c->raffle, w.log, w.from, &cursor, &c->err) == RAFFLE_OK ? show(c, &w, cursor) : cli_fail(c);
    raffle_cursor_free(cursor);
    return status;
}

const command cmd_show = {
    .name = "show",
    .usage = "STORE LOG [FROM [COUNT]] [--follow] [--private]",
    .summary = "a log's records as they are, a line each; LOG is \"control\" or the number of a unit",
    .example = "  raffle show gala.raffle control\n  raffle show gala.raffle 1 0 20 --json | jq .leaf.t",
    .options = options_of,
    .min = 2,
    .max = 4,
    .run = run,
};
