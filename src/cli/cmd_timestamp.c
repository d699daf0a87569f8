/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle timestamp`: a time-stamping authority's word (RFC 3161) on what is published, over the network or by files that somebody carries. */
#include "commands.h"
#include "fetch.h"
#include "file_out.h"

#include <stdlib.h>
#include <string.h>

enum {
    AUTHORITIES_MAX = 1 << 20
};

static const option_spec options_of[] = {
    {"tsa", "URL", "ask this authority, and publish what it answers"},
    {"query", "FILE", "write the query here, for somebody who asks for us"},
    {"reply", "FILE", "publish this answer …"},
    {"size", "N", "… to the query over N records"},
    {"authorities", "FILE", "certificates that are trusted, PEM; without them anybody may have signed"},
    {NULL, NULL, NULL},
};

static int print_query(const cli *c, uint64_t size, const char *path)
{
    if (c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "size", json_count(size));
        json_put(o, "query", json_text(path));
        json_end(o, true, stdout);
    } else {
        printf("the query over %llu records is in %s; publish the answer with --reply FILE --size %llu\n",
               (unsigned long long)size, path, (unsigned long long)size);
    }
    return CLI_DONE;
}

static int print_stamp(const cli *c, uint64_t size, const raffle_timestamp *stamp)
{
    char at[32];
    if (c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "size", json_count(size));
        json_put(o, "at", json_time(stamp->at));
        json_put(o, "authority", json_text(stamp->authority));
        json_put(o, "trusted", json_boolean(stamp->trusted));
        json_end(o, true, stdout);
    } else {
        cli_local(c, stamp->at, at);
        printf("%llu records were there at %s, says %s%s\n", (unsigned long long)size, at,
               stamp->authority[0] != 0 ? stamp->authority : "somebody without a name",
               stamp->trusted ? "" : ", whose certificate nobody vouched for: see --authorities");
    }
    return CLI_DONE;
}

/* The answer is verified before it is published. */
static int finish(cli *c, uint64_t size, const void *answer, size_t length)
{
    int status = CLI_DONE;
    size_t pem_length;
    raffle_timestamp stamp = RAFFLE_TIMESTAMP_INIT;
    const char *path = cli_option(c, "authorities");
    char *pem = path == NULL ? NULL : cli_read_file(c, path, AUTHORITIES_MAX, &pem_length, &status);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = raffle_timestamp_finish(cli_positional(c, 0), size, answer, length, pem, &stamp, &c->err);
    free(pem);
    return rc == RAFFLE_OK ? print_stamp(c, size, &stamp) : cli_fail(c);
}

static int ask(cli *c, uint64_t size, const uint8_t *query, size_t length)
{
    size_t answered = 0;
    const fetch_body send = {"application/timestamp-query", query, length, 0};
    char *answer = memory_grow(NULL, RAFFLE_TIMESTAMP_MAX);
    int status = fetch(c, cli_option(c, "tsa"), &send, answer, RAFFLE_TIMESTAMP_MAX, &answered);
    if (status == CLI_DONE)
        status = finish(c, size, answer, answered);
    free(answer);
    return status;
}

static int begin(cli *c)
{
    uint8_t query[RAFFLE_TIMESTAMP_QUERY_MAX];
    size_t length;
    uint64_t size;
    const char *path = cli_option(c, "query");
    if (raffle_timestamp_begin(cli_positional(c, 0), &size, query, sizeof query, &length, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (path == NULL)
        return ask(c, size, query, length);
    int status = file_write(c, path, query, length, false);
    return status == CLI_DONE ? print_query(c, size, path) : status;
}

static int take_reply(cli *c)
{
    int status = CLI_DONE;
    size_t length;
    uint64_t size;
    if (!number_parse(cli_option(c, "size"), &size))
        return cli_usage(c, "--size is \"%.40s\", not a number of records", cli_option(c, "size"));
    char *answer = cli_read_file(c, cli_option(c, "reply"), RAFFLE_TIMESTAMP_MAX, &length, &status);
    if (status == CLI_DONE)
        status = finish(c, size, answer, length);
    free(answer);
    return status;
}

static int run(cli *c)
{
    const int ways =
        (cli_option(c, "tsa") != NULL) + (cli_option(c, "query") != NULL) + (cli_option(c, "reply") != NULL);
    if (ways != 1)
        return cli_usage(c, "one of --tsa, --query and --reply says how the authority is asked");
    if ((cli_option(c, "reply") != NULL) != (cli_option(c, "size") != NULL))
        return cli_usage(c, "--reply and --size belong together");
    return cli_option(c, "reply") != NULL ? take_reply(c) : begin(c);
}

const command cmd_timestamp = {
    .name = "timestamp",
    .usage = "FOLDER (--tsa URL | --query FILE | --reply FILE --size N) [--authorities FILE]",
    .summary = "a time-stamping authority's word that what is published was there (RFC 3161)",
    .example = "  raffle timestamp public --tsa https://tsa.example/ --authorities tsa.pem",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
