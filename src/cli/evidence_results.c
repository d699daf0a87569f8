/* SPDX-License-Identifier: Apache-2.0 */
/* The results of a test run among the evidence: read, checked, and written as they are and as a page. */
#include "evidence.h"
#include "sha256.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESULTS_MAX = 16 << 20
};

/* What was read, and what it adds up to. */
typedef struct results {
    evidence *e;
    const char *path;
    json_t *top;
    uint64_t clauses, passed, failed;
} results;

static int malformed(const results *r, const char *what)
{
    return cli_fail_as(r->e->c, RAFFLE_INVALID, "%.200s is no results of tests/matrix/gli_31.py: %s", r->path, what);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* --- the page --- */

/* A text that is nothing but text in a cell of a table. */
static void put_text(const char *text, FILE *to)
{
    for (; *text != 0; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
    }
}

static bool put_open(const json_t *clause, FILE *to)
{
    const json_t *open = json_object_get(clause, "open");
    for (size_t i = 0; i < json_array_size(open); i++) {
        const char *text = json_string_value(json_array_get(open, i));
        if (text == NULL)
            return false;
        fputs(i > 0 ? "; " : " ", to);
        put_text(text, to);
    }
    fputs(" |", to);
    return json_is_array(open);
}

static bool put_tests(const json_t *clause, FILE *to)
{
    const json_t *tests = json_object_get(clause, "tests");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *at = json_array_get(tests, i);
        const char *test = text_of(at, "test"), *result = text_of(at, "result");
        if (test == NULL || result == NULL)
            return false;
        fputs(i > 0 ? ", " : " ", to);
        put_text(test, to);
        fputs(" ", to);
        put_text(result, to);
    }
    fputs(" |\n", to);
    return json_is_array(tests);
}

static bool put_clause(results *r, const json_t *clause, FILE *to)
{
    static const char *const cells[] = {"clause", "about", "status", "how"};
    fputs("|", to);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        const char *text = text_of(clause, cells[i]);
        if (text == NULL)
            return false;
        fputs(" ", to);
        put_text(text, to);
        fputs(" |", to);
    }
    r->clauses++;
    return put_open(clause, to) && put_tests(clause, to);
}

static int make_page(results *r, FILE *to)
{
    const json_t *clauses = json_object_get(r->top, "clauses");
    fputs("# GLI-31 v1.1, clause by clause, with the results of the tests\n\n"
          "[gli-31.md](gli-31.md) explains the words. Of which build: manifest.json, and results/gli-31.json.\n\n"
          "| clause | about | status | where and how | open | tests |\n|---|---|---|---|---|---|\n",
          to);
    if (json_array_size(clauses) == 0)
        return malformed(r, "it has no clauses");
    for (size_t i = 0; i < json_array_size(clauses); i++)
        if (!put_clause(r, json_array_get(clauses, i), to))
            return malformed(r, "a clause is malformed");
    return CLI_DONE;
}

static int write_page(results *r)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&bytes, &length);
    int status = to != NULL ? make_page(r, to) : cli_fail_as(r->e->c, RAFFLE_NOMEM, "out of memory");
    if (to != NULL && fclose(to) != 0 && status == CLI_DONE)
        status = cli_fail_as(r->e->c, RAFFLE_NOMEM, "out of memory");
    if (status == CLI_DONE)
        status = evidence_write(r->e, "documents/gli-31-results.md", false, bytes, length);
    free(bytes);
    return status;
}

/* --- what it adds up to --- */

static int count_tests(results *r)
{
    const char *name;
    json_t *result;
    json_t *tests = json_object_get(r->top, "tests");
    if (json_object_size(tests) == 0)
        return malformed(r, "it has no tests");
    json_object_foreach(tests, name, result)
    {
        const char *word = json_string_value(result);
        if (word == NULL || (strcmp(word, "passed") != 0 && strcmp(word, "failed") != 0))
            return malformed(r, "a test neither passed nor failed");
        if (strcmp(word, "passed") == 0)
            r->passed++;
        else
            r->failed++;
    }
    r->e->fault = r->e->fault || r->failed > 0;
    return CLI_DONE;
}

static bool is_hash(const json_t *of, const char *name, const uint8_t hash[RAFFLE_HASH_SIZE])
{
    char hex[2 * RAFFLE_HASH_SIZE + 1];
    const char *said = text_of(of, name);
    hex_format(hash, RAFFLE_HASH_SIZE, hex);
    return said != NULL && strcmp(said, hex) == 0;
}

static int compare_build(results *r, bool *same)
{
    uint8_t library[RAFFLE_HASH_SIZE], own[RAFFLE_HASH_SIZE];
    char path[PATH_MAX];
    const json_t *of = json_object_get(r->top, "of");
    if (raffle_self_hash(path, sizeof path, library, &r->e->c->err) != RAFFLE_OK)
        return cli_fail(r->e->c);
    if (!sha256_file("/proc/self/exe", own))
        return cli_fail_as(r->e->c, RAFFLE_IO, "/proc/self/exe cannot be read");
    *same = is_hash(of, "library", library) && is_hash(of, "command", own);
    return CLI_DONE;
}

static int take_in(results *r, const char *text, size_t length, json_t *about)
{
    bool same = false;
    if (r->top == NULL || json_integer_value(json_object_get(r->top, "format")) != 1)
        return malformed(r, "another format");
    int status = count_tests(r);
    if (status == CLI_DONE)
        status = compare_build(r, &same);
    if (status == CLI_DONE)
        status = evidence_folder(r->e, "results");
    if (status == CLI_DONE)
        status = evidence_write(r->e, "results/gli-31.json", false, text, length);
    if (status == CLI_DONE)
        status = write_page(r);
    if (status != CLI_DONE)
        return status;
    json_t *o = json_must(json_object());
    json_put(o, "of_this_build", json_must(json_boolean(same)));
    json_put(o, "clauses", json_count(r->clauses));
    json_put(o, "passed", json_count(r->passed));
    json_put(o, "failed", json_count(r->failed));
    json_put(about, "results", o);
    if (!same)
        cli_note(r->e->c, "the results are of another build than this");
    return CLI_DONE;
}

int evidence_results(evidence *e, const char *path, json_t *about)
{
    size_t length;
    int status = CLI_DONE;
    char *text = cli_read_file(e->c, path, RESULTS_MAX, &length, &status);
    if (text == NULL)
        return status;
    results r = {.e = e, .path = path, .top = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL)};
    status = take_in(&r, text, length, about);
    json_decref(r.top);
    free(text);
    return status;
}
