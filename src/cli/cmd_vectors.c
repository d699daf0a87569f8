/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle vectors`: runs published vectors against this build. */
#include "commands.h"

#include <stdlib.h>

enum {
    VECTORS_MAX = 64 << 20,
    FILES_MAX = 10000
};

static const option_spec no_options[] = {{NULL, NULL, NULL}};

/* What all files gave. */
typedef struct totals {
    json_t *files;
    table table;
    uint64_t passed, failed;
    int status;
} totals;

static void add(const cli *c, totals *t, const char *path, uint64_t passed, uint64_t failed, raffle_rc rc,
                const char *message)
{
    t->passed += passed;
    t->failed += failed;
    if (rc == RAFFLE_MISMATCH)
        t->status = CLI_FAULT;
    else if (rc != RAFFLE_OK && t->status == CLI_DONE)
        t->status = CLI_FAILED;
    if (!c->json) {
        table_add(&t->table, "%s", path);
        table_add(&t->table, "%llu", (unsigned long long)passed);
        table_add(&t->table, "%llu", (unsigned long long)failed);
        table_add(&t->table, "%s", message);
        return;
    }
    json_t *o = json_must(json_object());
    json_put(o, "file", json_text(path));
    json_put(o, "passed", json_count(passed));
    json_put(o, "failed", json_count(failed));
    if (rc != RAFFLE_OK)
        json_put(o, "error", cli_error_json(raffle_rc_name(rc), message, 0));
    json_add(t->files, o);
}

static int run_file(cli *c, totals *t, const char *path)
{
    size_t length;
    int status = CLI_DONE;
    uint64_t passed = 0, failed = 0;
    char *text = cli_read_file(c, path, VECTORS_MAX, &length, &status);
    if (text == NULL)
        return status;
    raffle_rc rc = raffle_vectors(text, length, &passed, &failed, &c->err);
    add(c, t, path, passed, failed, rc, rc == RAFFLE_OK ? "" : c->err.message);
    free(text);
    return CLI_DONE;
}

static void print_json(totals *t)
{
    json_t *top = json_must(json_object());
    json_put(top, "files", json_incref(t->files));
    json_put(top, "passed", json_count(t->passed));
    json_put(top, "failed", json_count(t->failed));
    json_end(top, true, stdout);
}

static int run(cli *c)
{
    static const column columns[] = {{"file", false}, {"passed", true}, {"failed", true}, {"", false}};
    totals t = {.files = json_must(json_array())};
    int status = CLI_DONE;
    table_begin(&t.table, columns, 4);
    for (size_t i = 0; status == CLI_DONE && i < c->options.positionals; i++)
        status = run_file(c, &t, cli_positional(c, i));
    if (c->json && status == CLI_DONE)
        print_json(&t);
    table_end(&t.table, stdout);
    if (!c->json && status == CLI_DONE)
        printf("%llu passed, %llu failed\n", (unsigned long long)t.passed, (unsigned long long)t.failed);
    json_decref(t.files);
    return status == CLI_DONE ? t.status : status;
}

const command cmd_vectors = {
    .name = "vectors",
    .usage = "FILE…",
    .summary = "run published vectors against this build",
    .example = "  raffle vectors tests/vectors/*.json",
    .options = no_options,
    .min = 1,
    .max = FILES_MAX,
    .run = run,
};
