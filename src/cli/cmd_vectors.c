/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle vectors`: runs published vectors against this build, NIST's ACVP sets for hmacDRBG among them. */
#include "acvp.h"
#include "commands.h"

#include <stdlib.h>
#include <string.h>

enum {
    VECTORS_MAX = 64 << 20,
    FILES_MAX = 10000
};

static const option_spec options_of[] = {
    {"expected", "FILE", "the answers to FILE, an ACVP set that does not hold them"},
    {NULL, NULL, NULL},
};

/* What all files gave. */
typedef struct totals {
    json_t *files;
    table table;
    uint64_t passed, failed;
    int status;
} totals;

/* What a file gave. */
typedef struct result {
    uint64_t passed, failed, left_out; /* left out: of an ACVP set, the cases that are of other modes */
    raffle_rc rc;
} result;

static void add_json(totals *t, const char *path, const result *r, const char *message)
{
    json_t *o = json_must(json_object());
    json_put(o, "file", json_text(path));
    json_put(o, "passed", json_count(r->passed));
    json_put(o, "failed", json_count(r->failed));
    if (r->left_out > 0)
        json_put(o, "left_out", json_count(r->left_out));
    if (r->rc != RAFFLE_OK)
        json_put(o, "error", cli_error_json(raffle_rc_name(r->rc), message, 0));
    json_add(t->files, o);
}

static void add_row(totals *t, const char *path, const result *r, const char *message)
{
    table_add(&t->table, "%s", path);
    table_add(&t->table, "%llu", (unsigned long long)r->passed);
    table_add(&t->table, "%llu", (unsigned long long)r->failed);
    if (r->rc == RAFFLE_OK && r->left_out > 0)
        table_add(&t->table, "%llu cases of other modes than SHA2-256 left out", (unsigned long long)r->left_out);
    else
        table_add(&t->table, "%s", message);
}

static void add(const cli *c, totals *t, const char *path, const result *r)
{
    const char *message = r->rc == RAFFLE_OK ? "" : c->err.message;
    t->passed += r->passed;
    t->failed += r->failed;
    if (r->rc == RAFFLE_MISMATCH)
        t->status = CLI_FAULT;
    else if (r->rc != RAFFLE_OK && t->status == CLI_DONE)
        t->status = CLI_FAILED;
    if (c->json)
        add_json(t, path, r, message);
    else
        add_row(t, path, r, message);
}

static result run_acvp(cli *c, const json_t *set, const json_t *answers)
{
    result r = {.rc = RAFFLE_OK};
    char *text = acvp_rewrite(set, answers, &r.left_out, &c->err);
    r.rc = text == NULL ? c->err.rc : raffle_vectors(text, strlen(text), &r.passed, &r.failed, &c->err);
    free(text);
    return r;
}

/* What is no ACVP set is the library's to judge, whatever it is. */
static result run_text(cli *c, const char *text, size_t length, const json_t *answers)
{
    result r = {.rc = RAFFLE_OK};
    json_t *file = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *set = acvp_set(file);
    if (set != NULL)
        r = run_acvp(c, set, answers);
    else if (answers != NULL)
        r.rc = raffle_error_set(&c->err, RAFFLE_INVALID, 0, "--expected goes with an ACVP set, which this is not");
    else
        r.rc = raffle_vectors(text, length, &r.passed, &r.failed, &c->err);
    json_decref(file);
    return r;
}

static int run_file(cli *c, totals *t, const char *path, const json_t *answers)
{
    size_t length;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, VECTORS_MAX, &length, &status);
    if (text == NULL)
        return status;
    const result r = run_text(c, text, length, answers);
    add(c, t, path, &r);
    free(text);
    return CLI_DONE;
}

/* The file of --expected; NULL without one, or when it is none. */
static json_t *read_expected(cli *c, int *status)
{
    size_t length;
    const char *path = cli_option(c, "expected");
    if (path == NULL)
        return NULL;
    if (c->options.positionals != 1) {
        *status = cli_usage(c, "--expected goes with one FILE");
        return NULL;
    }
    char *text = cli_read_file(c, path, VECTORS_MAX, &length, status);
    json_t *file = text == NULL ? NULL : json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    if (*status == CLI_DONE && acvp_set(file) == NULL)
        *status = cli_fail_as(c, RAFFLE_INVALID, "%.200s holds no ACVP answers", path);
    return file;
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
    json_t *expected = read_expected(c, &status);
    table_begin(&t.table, columns, 4);
    for (size_t i = 0; status == CLI_DONE && i < c->options.positionals; i++)
        status = run_file(c, &t, cli_positional(c, i), acvp_set(expected));
    if (c->json && status == CLI_DONE)
        print_json(&t);
    table_end(&t.table, stdout);
    if (!c->json && status == CLI_DONE)
        printf("%llu passed, %llu failed\n", (unsigned long long)t.passed, (unsigned long long)t.failed);
    json_decref(t.files);
    json_decref(expected);
    return status == CLI_DONE ? t.status : status;
}

const command cmd_vectors = {
    .name = "vectors",
    .usage = "FILE… [--expected FILE]",
    .summary = "run published vectors against this build",
    .example = "  raffle vectors tests/vectors/*.json\n"
               "  raffle vectors prompt.json --expected expectedResults.json",
    .options = options_of,
    .min = 1,
    .max = FILES_MAX,
    .run = run,
};
