/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle rng sample`: raw bytes of a provider, or numbers chosen as a draw chooses them, for a lab's collections; and `raffle rng health`. */
#include "commands.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const option_spec sample_options[] = {
    {"rng", "URI", "the provider: system:, or test:seed=HEX"},
    {"bytes", "N", "raw bytes of the provider"},
    {"range", "N", "numbers from 0 to N - 1, chosen as a draw chooses them"},
    {"picks", "K", "so many in each draw, all different; default: 1"},
    {"draws", "D", "so many draws, each freshly seeded; default: 1"},
    {"binary", NULL, "bytes as they are; numbers as eight bytes each, the highest first. Default: text"},
    {"out", "FILE", "default: standard output"},
    {NULL, NULL, NULL},
};

enum {
    CHUNK = 1024,
    TEXT_BYTES = 32, /* of a line */
    PICKS_MAX = 1 << 24,
    HEALTH_BYTES = 1024 /* of the start-up test */
};

typedef struct sample {
    cli *c;
    raffle_rng *rng;
    FILE *out;
    uint64_t bytes, range, picks, draws;
    bool binary;
    progress progress;
} sample;

/* --- bytes --- */

static void write_hex(const sample *s, const uint8_t *bytes, size_t n)
{
    char text[2 * TEXT_BYTES + 1];
    for (size_t i = 0; i < n; i += TEXT_BYTES) {
        hex_format(bytes + i, n - i < TEXT_BYTES ? n - i : TEXT_BYTES, text);
        fprintf(s->out, s->c->json ? "{\"bytes\":\"%s\"}\n" : "%s\n", text);
    }
}

static int sample_bytes(sample *s)
{
    uint8_t chunk[CHUNK];
    for (uint64_t done = 0; done < s->bytes && !ferror(s->out);) {
        const size_t n = s->bytes - done < CHUNK ? (size_t)(s->bytes - done) : CHUNK;
        if (raffle_rng_fill(s->rng, chunk, n, CLI_TIMEOUT_MS, &s->c->err) != RAFFLE_OK)
            return cli_fail(s->c);
        if (s->binary)
            fwrite(chunk, 1, n, s->out);
        else
            write_hex(s, chunk, n);
        done += n;
        progress_at(&s->progress, done, s->bytes);
    }
    return CLI_DONE;
}

/* --- draws --- */

static void write_binary(const sample *s, const uint64_t *picked)
{
    for (uint64_t i = 0; i < s->picks; i++) {
        uint8_t bytes[8];
        for (size_t k = 0; k < 8; k++)
            bytes[k] = (uint8_t)(picked[i] >> (56 - 8 * k));
        fwrite(bytes, 1, 8, s->out);
    }
}

static void write_text(const sample *s, uint64_t draw, const uint64_t *picked)
{
    const char *between = s->c->json ? "," : " ";
    if (s->c->json)
        fprintf(s->out, "{\"draw\":%llu,\"numbers\":[", (unsigned long long)draw);
    for (uint64_t i = 0; i < s->picks; i++)
        fprintf(s->out, "%s%llu", i > 0 ? between : "", (unsigned long long)picked[i]);
    fputs(s->c->json ? "]}\n" : "\n", s->out);
}

static int sample_draws(sample *s)
{
    uint64_t *picked = memory_grow(NULL, (size_t)s->picks * sizeof *picked);
    int status = CLI_DONE;
    for (uint64_t draw = 1; status == CLI_DONE && draw <= s->draws && !ferror(s->out); draw++) {
        if (raffle_rng_pick(s->rng, s->range, picked, (size_t)s->picks, CLI_TIMEOUT_MS, &s->c->err) != RAFFLE_OK)
            status = cli_fail(s->c);
        else if (s->binary)
            write_binary(s, picked);
        else
            write_text(s, draw, picked);
        progress_at(&s->progress, draw, s->draws);
    }
    free(picked);
    return status;
}

/* --- the commands --- */

static int read_options(cli *c, sample *s)
{
    *s = (sample){.c = c, .picks = 1, .draws = 1, .binary = cli_flag(c, "binary"), .out = stdout};
    const bool bytes = cli_flag(c, "bytes"), range = cli_flag(c, "range");
    if (cli_option(c, "rng") == NULL)
        return cli_usage(c, "--rng URI is missing");
    if (bytes == range)
        return cli_usage(c, "a sample is of --bytes N, or of --range N");
    if (bytes && (cli_flag(c, "picks") || cli_flag(c, "draws")))
        return cli_usage(c, "--picks and --draws go with --range");
    if (s->binary && c->json)
        return cli_usage(c, "--binary and --json exclude each other");
    if (!options_number(&c->options, "bytes", 1, INT64_MAX, &s->bytes) ||
        !options_number(&c->options, "range", 1, UINT64_MAX, &s->range) ||
        !options_number(&c->options, "picks", 1, PICKS_MAX, &s->picks) ||
        !options_number(&c->options, "draws", 1, INT64_MAX, &s->draws))
        return cli_usage_fault(c);
    if (range && s->picks > s->range)
        return cli_usage(c, "--picks is more than --range has numbers");
    return CLI_DONE;
}

static int take_sample(sample *s)
{
    progress_begin(&s->progress, "sample", !s->c->json);
    int status = s->bytes > 0 ? sample_bytes(s) : sample_draws(s);
    progress_clear(&s->progress);
    return status;
}

/* What a disk that is full leaves behind is said. */
static int write_to(sample *s, const char *path)
{
    s->out = fopen(path, "wb");
    if (s->out == NULL)
        return cli_fail_as(s->c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    int status = take_sample(s);
    const bool written = !ferror(s->out);
    if ((fclose(s->out) != 0 || !written) && status == CLI_DONE)
        status = cli_fail_as(s->c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    return status;
}

static int run_sample(cli *c)
{
    sample s;
    const char *path = cli_option(c, "out");
    int status = read_options(c, &s);
    if (status != CLI_DONE)
        return status;
    if (raffle_rng_open(cli_option(c, "rng"), &c->host.table, &s.rng, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    status = path != NULL ? write_to(&s, path) : take_sample(&s);
    raffle_rng_free(s.rng);
    return status;
}

const command cmd_rng_sample = {
    .name = "rng sample",
    .usage = "--rng URI (--bytes N | --range N [--picks K] [--draws D]) [--binary] [--out FILE]",
    .summary = "randomness for a lab's tests: raw bytes, or numbers chosen as a draw chooses them",
    .example = "  raffle rng sample --rng system: --bytes 10000000 --binary --out sample.bin\n"
               "  raffle rng sample --rng system: --range 49 --picks 6 --draws 100000 > draws.txt",
    .options = sample_options,
    .min = 0,
    .max = 0,
    .run = run_sample,
};

static const option_spec health_options[] = {
    {"rng", "URI", "the provider: system:, or test:seed=HEX"},
    {NULL, NULL, NULL},
};

static void print_health(const cli *c, const char *name)
{
    if (!c->json) {
        printf("%s: %d bytes passed the health tests\n", name, HEALTH_BYTES);
        return;
    }
    json_t *o = json_must(json_object());
    json_put(o, "rng", json_text(name));
    json_put(o, "bytes", json_count(HEALTH_BYTES));
    json_put(o, "passed", json_must(json_true()));
    json_end(o, true, stdout);
}

static int run_health(cli *c)
{
    raffle_rng *rng;
    if (cli_option(c, "rng") == NULL)
        return cli_usage(c, "--rng URI is missing");
    if (raffle_rng_open(cli_option(c, "rng"), &c->host.table, &rng, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = CLI_DONE;
    const raffle_rc rc = raffle_rng_test(rng, CLI_TIMEOUT_MS, &c->err);
    if (rc == RAFFLE_OK)
        print_health(c, raffle_rng_name(rng));
    else
        status = cli_fail(c);
    raffle_rng_free(rng);
    return rc == RAFFLE_RNG_UNHEALTHY ? CLI_FAULT : status;
}

const command cmd_rng_health = {
    .name = "rng health",
    .usage = "--rng URI",
    .summary = "health tests over 1,024 bytes of a provider",
    .example = "  raffle rng health --rng system:",
    .options = health_options,
    .min = 0,
    .max = 0,
    .run = run_health,
};
