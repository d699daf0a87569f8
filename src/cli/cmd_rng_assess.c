/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle rng assess`: the fifteen tests of GLI-31 4.2.2 over a sample's files, or over draws that it takes itself. */
#include "assess.h"
#include "assess_html.h"
#include "assess_read.h"
#include "commands.h"
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const option_spec options_of[] = {
    {"rng", "URI", "instead of files: a provider, from which draws are taken as `rng sample` takes them"},
    {"range", "N", "the numbers are 0 to N - 1"},
    {"picks", "K", "so many in each draw; default: 1"},
    {"draws", "D", "with --rng: so many draws"},
    {"replace", NULL, "with replacement: a number may come again in a draw"},
    {"seed-every", "S", "with --rng: a fresh seed every S draws; default: 1"},
    {"input", "text|binary", "how the files are written; default: text"},
    {"alpha", "A", "the chance that a good generator is rejected, 0.001 to 0.2; default: 0.01"},
    {"format", "text|json|html", "default: text"},
    {NULL, NULL, NULL},
};

enum {
    FILES_MAX = 10000,
    NUMBERS_AT_ONCE = 1 << 14,
    NUMBERS_MAX = 1 << 24,
    LOOK_EVERY = 1024 /* draws, after which the bar is drawn anew */
};

typedef enum out_format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_HTML
} out_format;

typedef struct assessment {
    cli *c;
    assess_shape shape;
    uint64_t draws, seed_every;
    double alpha;
    bool binary;
    out_format format;
    assess *a;
    uint64_t *numbers;
    progress progress;
    uint64_t done, total; /* bytes of files, or draws */
    uint64_t streams;     /* that ended */
    uint64_t looked;
} assessment;

/* Of `total`, `done` has been counted: streams end at its tenths. */
static void advance(assessment *s, uint64_t done)
{
    s->done = done;
    while (s->streams < ASSESS_STREAMS &&
           (double)s->done >= (double)s->total * (double)(s->streams + 1) / ASSESS_STREAMS) {
        assess_stream(s->a);
        s->streams++;
    }
    if (++s->looked % LOOK_EVERY == 0)
        progress_at(&s->progress, s->done, s->total);
}

/* --- files --- */

static int file_failed(assessment *s, const assess_file *f)
{
    return cli_fail_as(s->c, RAFFLE_INVALID, "%s", f->fault);
}

static int measure_files(assessment *s)
{
    assess_file f;
    for (size_t i = 0; cli_positional(s->c, i) != NULL; i++) {
        if (!assess_file_open(&f, cli_positional(s->c, i), s->binary, &s->shape))
            return file_failed(s, &f);
        s->total += f.size;
        assess_file_close(&f);
    }
    return s->total > 0 ? CLI_DONE : cli_fail_as(s->c, RAFFLE_INVALID, "there is nothing in the files");
}

static int count_file(assessment *s, const char *path)
{
    assess_file f;
    int got;
    const uint64_t before = s->done;
    if (!assess_file_open(&f, path, s->binary, &s->shape))
        return file_failed(s, &f);
    while ((got = assess_file_next(&f, s->numbers)) == 1) {
        assess_add(s->a, s->numbers, 1);
        advance(s, before + f.read);
    }
    const int status = got < 0 ? file_failed(s, &f) : CLI_DONE;
    assess_file_close(&f);
    return status;
}

static int count_files(assessment *s)
{
    int status = measure_files(s);
    for (size_t i = 0; status == CLI_DONE && cli_positional(s->c, i) != NULL; i++)
        status = count_file(s, cli_positional(s->c, i));
    return status;
}

/* --- a provider --- */

static uint64_t batch_of(const assessment *s)
{
    if (s->seed_every > 1)
        return s->seed_every;
    return s->shape.picks < NUMBERS_AT_ONCE ? NUMBERS_AT_ONCE / s->shape.picks : 1;
}

static int count_draws(assessment *s, raffle_rng *rng)
{
    const uint64_t batch = batch_of(s);
    const uint32_t flags =
        (s->shape.replace ? RAFFLE_COLLECT_REPLACE : 0) | (s->seed_every > 1 ? RAFFLE_COLLECT_ONE_SEED : 0);
    s->total = s->draws;
    while (s->done < s->total) {
        const size_t n = (size_t)(s->total - s->done < batch ? s->total - s->done : batch);
        if (raffle_rng_collect(rng, flags, s->shape.range, (size_t)s->shape.picks, s->numbers, n, CLI_TIMEOUT_MS,
                               &s->c->err) != RAFFLE_OK)
            return cli_fail(s->c);
        for (size_t i = 0; i < n; i++) {
            assess_add(s->a, s->numbers + i * s->shape.picks, 1);
            advance(s, s->done + 1);
        }
    }
    return CLI_DONE;
}

static int count_provider(assessment *s)
{
    raffle_rng *rng;
    if (raffle_rng_open(cli_option(s->c, "rng"), &s->c->host.table, &rng, &s->c->err) != RAFFLE_OK)
        return cli_fail(s->c);
    const int status = count_draws(s, rng);
    raffle_rng_free(rng);
    return status;
}

/* --- what is said --- */

static void add_test(table *t, const assess_test *test)
{
    const bool judged = test->verdict != ASSESS_REFUSED;
    table_add(t, "%c", test->clause);
    table_add(t, "%s", test->name);
    table_add(t, "%s", judged ? "" : "the sample is too small");
    for (int i = 0; i < 3; i++)
        table_add(t, "%s", "");
    if (judged)
        table_add(t, "%.6f", test->p);
    else
        table_add(t, "%s", "");
    table_add(t, "%s", assess_verdict_name(test->verdict));
}

static void add_part(table *t, const assess_part *part)
{
    table_add(t, "%s", "");
    table_add(t, "%s", "");
    table_add(t, "%s", part->name);
    table_add(t, "%" PRIu64, part->n);
    table_add(t, "%.6g", part->statistic);
    if (part->freedom > 0)
        table_add(t, "%.0f", part->freedom);
    else
        table_add(t, "%s", "");
    table_add(t, "%.6f", part->p);
    table_add(t, "%s", "");
}

static void print_tests(const assess_result *r)
{
    static const column columns[] = {{"4.2.2", false},  {"test", false},   {"statistic of", false},
                                     {"counted", true}, {"value", true},   {"freedom", true},
                                     {"p", true},       {"verdict", false}};
    table t;
    table_begin(&t, columns, 8);
    for (size_t i = 0; i < ASSESS_TESTS; i++) {
        add_test(&t, &r->test[i]);
        for (size_t k = 0; k < r->test[i].parts; k++)
            add_part(&t, &r->test[i].part[k]);
    }
    table_end(&t, stdout);
}

static void print_text(const assess_result *r)
{
    char sentence[256];
    print_tests(r);
    printf("\n%" PRIu64 " draws, %" PRIu64 " numbers. Holm's procedure at %.6g: %zu rejected", r->draws, r->numbers,
           r->share, r->failed);
    if (r->pools > 0)
        printf(".\n%zu p-values of %zu streams: %zu below %.6g, the chance of so many %.6f; Kolmogorov-Smirnov %.6f",
               r->pools, r->streams, r->rejected, r->alpha, r->rejected_p, r->uniform_p);
    assess_sentence(r, sentence);
    printf(".\n%s\n", sentence);
}

static json_t *part_json(const assess_part *part)
{
    json_t *object = json_must(json_object());
    json_put(object, "name", json_text(part->name));
    json_put(object, "counted", json_count(part->n));
    json_put(object, "statistic", json_real(part->statistic));
    if (part->freedom > 0)
        json_put(object, "freedom", json_real(part->freedom));
    json_put(object, "p", json_real(part->p));
    return object;
}

static json_t *test_json(const assess_test *test)
{
    char clause[] = "4.2.2(a)", verdict[8];
    json_t *object = json_must(json_object()), *parts = json_must(json_array());
    clause[6] = test->clause;
    snprintf(verdict, sizeof verdict, "%s", test->verdict == ASSESS_FAIL ? "fail" : assess_verdict_name(test->verdict));
    for (size_t i = 0; i < test->parts; i++)
        json_add(parts, part_json(&test->part[i]));
    json_put(object, "clause", json_text(clause));
    json_put(object, "name", json_text(test->name));
    json_put(object, "verdict", json_text(verdict));
    json_put(object, "p", test->parts > 0 ? json_real(test->p) : json_null());
    json_put(object, "parts", parts);
    return object;
}

static json_t *together_json(const assess_result *r)
{
    json_t *object = json_must(json_object());
    json_put(object, "level", json_real(r->share));
    json_put(object, "rejected", json_count(r->failed));
    json_put(object, "streams", json_count(r->streams));
    json_put(object, "stream_p_values", json_count(r->pools));
    json_put(object, "stream_rejections", json_count(r->rejected));
    json_put(object, "stream_rejections_p", json_real(r->rejected_p));
    json_put(object, "stream_uniform_p", json_real(r->uniform_p));
    return object;
}

static void print_json(const assess_result *r)
{
    char sentence[256];
    json_t *top = json_must(json_object()), *tests = json_must(json_array());
    assess_sentence(r, sentence);
    json_put(top, "passed", json_boolean(r->passed));
    json_put(top, "sentence", json_text(sentence));
    /* JSON has no integers beyond 2^63 here; nothing is lost that a lab would miss. */
    json_put(top, "range",
             r->shape.range <= INT64_MAX ? json_count(r->shape.range) : json_real((double)r->shape.range));
    json_put(top, "picks", json_count(r->shape.picks));
    json_put(top, "replace", json_boolean(r->shape.replace));
    json_put(top, "draws", json_count(r->draws));
    json_put(top, "alpha", json_real(r->alpha));
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        json_add(tests, test_json(&r->test[i]));
    json_put(top, "tests", tests);
    json_put(top, "together", together_json(r));
    json_end(top, true, stdout);
}

/* Where the sample came from; of a provider the name alone, for its URI may hold a secret. */
static void source_of(const assessment *s, char out[300])
{
    const char *uri = cli_option(s->c, "rng"), *path = cli_positional(s->c, 0);
    if (uri != NULL)
        snprintf(out, 300, "The provider %.*s", (int)strcspn(uri, ":"), uri);
    else
        snprintf(out, 300, "%.200s%s", path, cli_positional(s->c, 1) != NULL ? " and what follows it" : "");
    text_clean(out);
}

/* A sample that is too small is a failure that names the tests; one that is not random is a fault. */
static int end(const assessment *s, const assess_result *r)
{
    char names[300] = "";
    if (r->failed > 0 || r->rejected_p < r->share || r->uniform_p < r->share)
        return CLI_FAULT;
    if (r->refused == 0)
        return CLI_DONE;
    for (size_t i = 0; i < ASSESS_TESTS; i++)
        if (r->test[i].verdict == ASSESS_REFUSED)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] != 0 ? ", " : "",
                     r->test[i].name);
    cli_note(s->c, "raffle: the sample is too small for: %s", names);
    return CLI_FAILED;
}

static int report(assessment *s)
{
    char source[300];
    assess_result *r = memory_grow(NULL, sizeof *r);
    assess_judge(s->a, s->alpha, r);
    source_of(s, source);
    if (s->format == FORMAT_HTML)
        assess_html(r, assess_counted(s->a), source, stdout);
    else if (s->format == FORMAT_JSON)
        print_json(r);
    else
        print_text(r);
    const int status = end(s, r);
    free(r);
    return status;
}

/* --- the command --- */

static bool read_alpha(const char *text, double *out)
{
    char *after;
    if (text == NULL)
        return true;
    *out = strtod(text, &after);
    return *after == 0 && after != text && *out >= 1e-3 && *out <= 0.2;
}

static int read_words(cli *c, assessment *s)
{
    const char *format = cli_option(c, "format"), *input = cli_option(c, "input");
    static const char *const formats[] = {"text", "json", "html"};
    s->format = c->json ? FORMAT_JSON : FORMAT_TEXT;
    if (format != NULL) {
        int i = 0;
        while (i < 3 && strcmp(format, formats[i]) != 0)
            i++;
        if (i == 3)
            return cli_usage(c, "--format is text, json or html");
        s->format = (out_format)i;
    }
    s->binary = input != NULL && strcmp(input, "binary") == 0;
    if (input != NULL && !s->binary && strcmp(input, "text") != 0)
        return cli_usage(c, "--input is text or binary");
    return read_alpha(cli_option(c, "alpha"), &s->alpha) ? CLI_DONE
                                                         : cli_usage(c, "--alpha is a number from 0.001 to 0.2");
}

static int read_numbers(cli *c, assessment *s)
{
    const char *why;
    if (!options_number(&c->options, "range", 2, UINT64_MAX, &s->shape.range) ||
        !options_number(&c->options, "picks", 1, ASSESS_PICKS_MAX, &s->shape.picks) ||
        !options_number(&c->options, "draws", 1, INT64_MAX / 2, &s->draws) ||
        !options_number(&c->options, "seed-every", 1, NUMBERS_MAX, &s->seed_every))
        return cli_usage_fault(c);
    if (!assess_shape_valid(&s->shape, &why))
        return cli_usage(c, "%s", why);
    if (s->seed_every * s->shape.picks > NUMBERS_MAX)
        return cli_usage(c, "--seed-every and --picks: more than %d numbers to a seed", NUMBERS_MAX);
    return CLI_DONE;
}

static int read_options(cli *c, assessment *s)
{
    *s = (assessment){.c = c, .shape = {0, 1, cli_flag(c, "replace")}, .seed_every = 1, .alpha = 0.01};
    const bool rng = cli_flag(c, "rng");
    if (!cli_flag(c, "range"))
        return cli_usage(c, "--range N is missing");
    if (rng == (cli_positional(c, 0) != NULL))
        return cli_usage(c, "what is assessed is files, or a provider: --rng URI");
    if (rng != cli_flag(c, "draws"))
        return cli_usage(c, "--draws D goes with --rng URI");
    if (!rng && cli_flag(c, "seed-every"))
        return cli_usage(c, "--seed-every goes with --rng");
    const int status = read_words(c, s);
    return status == CLI_DONE ? read_numbers(c, s) : status;
}

static int run(cli *c)
{
    assessment s;
    int status = read_options(c, &s);
    if (status != CLI_DONE)
        return status;
    s.a = assess_new(&s.shape);
    s.numbers = memory_grow(NULL, (size_t)(batch_of(&s) * s.shape.picks) * sizeof *s.numbers);
    progress_begin(&s.progress, "assess", !c->json);
    status = cli_flag(c, "rng") ? count_provider(&s) : count_files(&s);
    progress_clear(&s.progress);
    if (status == CLI_DONE)
        status = report(&s);
    free(s.numbers);
    assess_free(s.a);
    return status;
}

const command cmd_rng_assess = {
    .name = "rng assess",
    .usage = "(FILE… [--input text|binary] | --rng URI --draws D [--seed-every S])\n"
             "         --range N [--picks K] [--replace] [--alpha A] [--format text|json|html]",
    .summary = "the fifteen tests of GLI-31 4.2.2 over a sample, judged together",
    .example = "  raffle rng assess outcomes.bin --input binary --range 49 --picks 6\n"
               "  raffle rng assess --rng system: --range 100000 --picks 10 --draws 1000000 --format html > page.html",
    .options = options_of,
    .min = 0,
    .max = FILES_MAX,
    .run = run,
};
