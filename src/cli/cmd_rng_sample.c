/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle rng sample`: raw bytes of a provider, or draws picked as a draw of a raffle picks, for a lab's collections. */
#include "commands.h"
#include "progress.h"
#include "sample_out.h"
#include "sample_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const option_spec options_of[] = {
    {"rng", "URI", "the provider: system:, pkcs11:…, kms:…, or test:seed=HEX"},
    {"bytes", "N", "raw bytes of the provider"},
    {"range", "N", "numbers from 0 to N - 1, picked as a draw picks them"},
    {"picks", "K", "so many in each draw; default: 1"},
    {"draws", "D", "so many draws; default: 1"},
    {"replace", NULL, "with replacement: a number may come again in a draw. Default: all different"},
    {"seed-every", "S", "a fresh seed every S draws; default: 1, as a raffle does"},
    {"first", "F", "the number of the first draw, when others collect those before it; default: 1"},
    {"format", "text|binary",
     "a draw a line; or each number in 4 bytes (8 when N is over 2^32), lowest first. Default: text"},
    {"out", "FILE", "default: standard output. A collection that broke goes on, by FILE.state"},
    {"split", "BYTES", "FILE.000001, FILE.000002 and so on, of at most so many bytes each"},
    {"plan", NULL, "measures the acceptance plan of 31.85 billion picks, and collects nothing"},
    {NULL, NULL, NULL},
};

enum {
    CHUNK = 1024,
    TEXT_BYTES = 32, /* of a line */
    NUMBERS_MAX = 1 << 24,
    NUMBERS_AT_ONCE = 1 << 14,
    NUMBER_TEXT = 21 /* a number and what follows it */
};
#define DRAWS_MAX (UINT64_C(1) << 56) /* so that the bytes of all seeds can be counted */

typedef struct sample {
    cli *c;
    raffle_rng *rng;
    uint64_t bytes, range, picks, draws, seed_every, first, split;
    bool binary, replace;
    char what[SAMPLE_WHAT_MAX];
    sample_out out;
    progress progress;
    uint64_t *numbers; /* a batch of draws */
    char *line;        /* a record */
} sample;

static int out_failed(sample *s)
{
    return cli_fail_as(s->c, RAFFLE_IO, "%s", s->out.fault);
}

/* The stream of `test:` goes on where the draws or bytes before left it; other providers are not asked for what nobody reads. */
static int skip(sample *s, uint64_t bytes)
{
    uint8_t chunk[CHUNK];
    if (strcmp(raffle_rng_name(s->rng), "test") != 0)
        return CLI_DONE;
    for (; bytes > 0; bytes -= bytes < CHUNK ? bytes : CHUNK)
        if (raffle_rng_fill(s->rng, chunk, bytes < CHUNK ? (size_t)bytes : CHUNK, CLI_TIMEOUT_MS, &s->c->err) !=
            RAFFLE_OK)
            return cli_fail(s->c);
    return CLI_DONE;
}

/* --- bytes --- */

static bool write_hex(sample *s, const uint8_t *bytes, size_t n)
{
    char hex[2 * TEXT_BYTES + 1], line[2 * TEXT_BYTES + 32];
    for (size_t i = 0; i < n; i += TEXT_BYTES) {
        hex_format(bytes + i, n - i < TEXT_BYTES ? n - i : TEXT_BYTES, hex);
        const int length = snprintf(line, sizeof line, s->c->json ? "{\"bytes\":\"%s\"}\n" : "%s\n", hex);
        if (!sample_out_record(&s->out, line, (size_t)length))
            return false;
    }
    return true;
}

static int sample_bytes(sample *s)
{
    uint8_t chunk[CHUNK];
    int status = skip(s, s->out.done);
    for (uint64_t done = s->out.done; status == CLI_DONE && done < s->bytes;) {
        const size_t n = s->bytes - done < CHUNK ? (size_t)(s->bytes - done) : CHUNK;
        if (raffle_rng_fill(s->rng, chunk, n, CLI_TIMEOUT_MS, &s->c->err) != RAFFLE_OK)
            return cli_fail(s->c);
        done += n;
        if (!(s->binary ? sample_out_record(&s->out, chunk, n) : write_hex(s, chunk, n)) ||
            !sample_out_done(&s->out, done, false))
            return out_failed(s);
        progress_at(&s->progress, done, s->bytes);
    }
    return status;
}

/* --- draws --- */

static size_t number_width(const sample *s)
{
    return s->range <= UINT64_C(1) << 32 ? 4 : 8;
}

static bool write_binary(sample *s, const uint64_t *picked)
{
    const size_t width = number_width(s);
    char *to = s->line;
    for (uint64_t i = 0; i < s->picks; i++)
        for (size_t k = 0; k < width; k++)
            *to++ = (char)(picked[i] >> (8 * k));
    return sample_out_record(&s->out, s->line, (size_t)(to - s->line));
}

static char *put_number(char *to, uint64_t number)
{
    char digits[NUMBER_TEXT];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

static bool write_text(sample *s, uint64_t draw, const uint64_t *picked)
{
    const char between = s->c->json ? ',' : ' ';
    char *to = s->line;
    if (s->c->json)
        to += sprintf(to, "{\"draw\":%" PRIu64 ",\"numbers\":[", draw);
    for (uint64_t i = 0; i < s->picks; i++) {
        to = put_number(to, picked[i]);
        *to++ = between;
    }
    to--; /* no blank or comma after the last */
    if (s->c->json) {
        *to++ = ']';
        *to++ = '}';
    }
    *to++ = '\n';
    return sample_out_record(&s->out, s->line, (size_t)(to - s->line));
}

static bool write_draws(sample *s, uint64_t first, uint64_t draws)
{
    for (uint64_t i = 0; i < draws; i++) {
        const uint64_t *picked = s->numbers + i * s->picks;
        if (!(s->binary ? write_binary(s, picked) : write_text(s, first + i, picked)))
            return false;
    }
    return true;
}

/* Draws of one call: those of a seed, or as many as fill a batch. */
static uint64_t batch_of(const sample *s)
{
    if (s->seed_every > 1)
        return s->seed_every;
    return s->picks < NUMBERS_AT_ONCE ? NUMBERS_AT_ONCE / s->picks : 1;
}

static int collect(sample *s)
{
    const uint64_t batch = batch_of(s);
    const uint32_t flags =
        (s->replace ? RAFFLE_COLLECT_REPLACE : 0) | (s->seed_every > 1 ? RAFFLE_COLLECT_ONE_SEED : 0);
    int status = skip(s, (s->first - 1 + s->out.done) / s->seed_every * SAMPLE_SEED);
    for (uint64_t done = s->out.done; status == CLI_DONE && done < s->draws;) {
        const uint64_t n = s->draws - done < batch ? s->draws - done : batch;
        if (raffle_rng_collect(s->rng, flags, s->range, (size_t)s->picks, s->numbers, (size_t)n, CLI_TIMEOUT_MS,
                               &s->c->err) != RAFFLE_OK)
            return cli_fail(s->c);
        if (!write_draws(s, s->first + done, n) || !sample_out_done(&s->out, done + n, false))
            return out_failed(s);
        done += n;
        progress_at(&s->progress, done, s->draws);
    }
    return status;
}

static int sample_draws(sample *s)
{
    s->numbers = memory_grow(NULL, (size_t)(batch_of(s) * s->picks) * sizeof *s->numbers);
    s->line = memory_grow(NULL, (size_t)s->picks * NUMBER_TEXT + 64);
    const int status = collect(s);
    free(s->line);
    free(s->numbers);
    return status;
}

/* --- the command --- */

static int read_numbers(cli *c, sample *s)
{
    if (!options_number(&c->options, "bytes", 1, INT64_MAX, &s->bytes) ||
        !options_number(&c->options, "range", 1, UINT64_MAX, &s->range) ||
        !options_number(&c->options, "picks", 1, NUMBERS_MAX, &s->picks) ||
        !options_number(&c->options, "draws", 1, DRAWS_MAX, &s->draws) ||
        !options_number(&c->options, "seed-every", 1, NUMBERS_MAX, &s->seed_every) ||
        !options_number(&c->options, "first", 1, DRAWS_MAX, &s->first) ||
        !options_number(&c->options, "split", 1, INT64_MAX, &s->split))
        return cli_usage_fault(c);
    if (s->bytes == 0 && !s->replace && s->picks > s->range)
        return cli_usage(c, "--picks is more than --range has numbers");
    if (s->seed_every * s->picks > NUMBERS_MAX)
        return cli_usage(c, "--seed-every and --picks: more than %d numbers to a seed", NUMBERS_MAX);
    if ((s->first - 1) % s->seed_every != 0)
        return cli_usage(c, "--first is not the first draw of a seed");
    return CLI_DONE;
}

static int read_format(cli *c, sample *s)
{
    const char *format = cli_option(c, "format");
    s->binary = format != NULL && strcmp(format, "binary") == 0;
    if (format != NULL && !s->binary && strcmp(format, "text") != 0)
        return cli_usage(c, "--format is text or binary");
    if (s->binary && c->json)
        return cli_usage(c, "--format binary and --json exclude each other");
    return CLI_DONE;
}

static int read_options(cli *c, sample *s)
{
    static const char *const of_draws[] = {"picks", "draws", "replace", "seed-every", "first"};
    *s = (sample){.c = c, .picks = 1, .draws = 1, .seed_every = 1, .first = 1, .replace = cli_flag(c, "replace")};
    const bool bytes = cli_flag(c, "bytes");
    if (cli_option(c, "rng") == NULL)
        return cli_usage(c, "--rng URI is missing");
    if (cli_flag(c, "plan"))
        return bytes || cli_flag(c, "range") ? cli_usage(c, "--plan has ranges and draws of its own") : CLI_DONE;
    if (bytes == cli_flag(c, "range"))
        return cli_usage(c, "a sample is of --bytes N, or of --range N");
    for (size_t i = 0; bytes && i < sizeof of_draws / sizeof *of_draws; i++)
        if (cli_flag(c, of_draws[i]))
            return cli_usage(c, "--%s goes with --range", of_draws[i]);
    if (cli_flag(c, "split") && !cli_flag(c, "out"))
        return cli_usage(c, "--split goes with --out");
    const int status = read_format(c, s);
    return status == CLI_DONE ? read_numbers(c, s) : status;
}

/* Everything that decides what the file holds, but not who gives it: a provider's URI may hold a secret. */
/* The seed of `test:` is part of it; what other URIs hold may be a PIN. */
static void describe(sample *s)
{
    const char *name = raffle_rng_name(s->rng), *from = strcmp(name, "test") == 0 ? cli_option(s->c, "rng") : name;
    const char *format = s->binary ? "binary" : s->c->json ? "json" : "text";
    if (s->bytes > 0)
        snprintf(s->what, sizeof s->what, "%s, %s, bytes %" PRIu64 ", split %" PRIu64, from, format, s->bytes,
                 s->split);
    else
        snprintf(s->what, sizeof s->what,
                 "%s, %s, range %" PRIu64 ", picks %" PRIu64 "%s, draws %" PRIu64 ", seed-every %" PRIu64
                 ", first %" PRIu64 ", split %" PRIu64,
                 from, format, s->range, s->picks, s->replace ? ", replace" : "", s->draws, s->seed_every, s->first,
                 s->split);
}

static int take_sample(sample *s)
{
    if (s->out.done > 0)
        cli_note(s->c, "going on after %" PRIu64 " %s", s->out.done, s->bytes > 0 ? "bytes" : "draws");
    progress_begin(&s->progress, "sample", !s->c->json);
    int status = s->bytes > 0 ? sample_bytes(s) : sample_draws(s);
    progress_clear(&s->progress);
    if (status == CLI_DONE)
        return sample_out_finish(&s->out) ? CLI_DONE : out_failed(s);
    /* What a broken collection has is kept; that this fails too adds nothing to what was said. */
    (void)sample_out_done(&s->out, s->out.done, true);
    return status;
}

static int run(cli *c)
{
    sample s;
    int status = read_options(c, &s);
    if (status != CLI_DONE)
        return status;
    if (raffle_rng_open(cli_option(c, "rng"), &c->host.table, &s.rng, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    describe(&s);
    if (cli_flag(c, "plan"))
        status = sample_plan(c, s.rng);
    else if (sample_out_open(&s.out, cli_option(c, "out"), s.split, s.what))
        status = take_sample(&s);
    else
        status = out_failed(&s);
    sample_out_close(&s.out);
    raffle_rng_free(s.rng);
    return status;
}

const command cmd_rng_sample = {
    .name = "rng sample",
    .usage = "--rng URI (--bytes N | --range N [--picks K] [--draws D] [--replace] | --plan)\n"
             "         [--seed-every S] [--first F] [--format text|binary] [--out FILE [--split BYTES]]",
    .summary = "randomness for a lab's tests: raw bytes, or draws picked as a raffle picks them",
    .example =
        "  raffle rng sample --rng system: --bytes 12000000 --format binary --out raw.bin\n"
        "  raffle rng sample --rng system: --range 49 --picks 6 --draws 51000000 --format binary --out outcomes.bin",
    .options = options_of,
    .min = 0,
    .max = 0,
    .run = run,
};
