/* SPDX-License-Identifier: Apache-2.0 */
/* Where the command gets the value of a beacon's round, and what verifies it: files, servers and other programs. */
#include "beacon.h"
#include "fetch.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PUBLISHED_MAX = 4096,
    COMMAND_MAX = 4096
};

static const char chain[] = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971";

/* A program of the shell with arguments that are digits alone. */
static int run(const char *program, const char *arguments, char *out, size_t cap, size_t *length)
{
    char line[COMMAND_MAX];
    const int n = snprintf(line, sizeof line, "%s %s", program, arguments);
    return n < 0 || (size_t)n >= sizeof line ? PROGRAM_FAILED : program_run(line, out, cap, length);
}

static int from_command(cli *c, const char *program, uint64_t round, char *json, size_t *length)
{
    char argument[24];
    snprintf(argument, sizeof argument, "%llu", (unsigned long long)round);
    const int status = run(program, argument, json, PUBLISHED_MAX, length);
    if (status == PROGRAM_ENDLESS)
        return cli_fail_as(c, RAFFLE_IO, "the command for the beacon's round did not end, or prints too much");
    return status == 0 ? CLI_DONE
                       : cli_fail_as(c, RAFFLE_IO, "the command for the beacon's round ended with status %d", status);
}

static int from_server(cli *c, const char *url, uint64_t round, char *json, size_t *length)
{
    char address[COMMAND_MAX];
    const size_t end = strlen(url) - (url[strlen(url) - 1] == '/');
    const int n =
        snprintf(address, sizeof address, "%.*s/%s/public/%llu", (int)end, url, chain, (unsigned long long)round);
    if (n < 0 || (size_t)n >= sizeof address)
        return cli_fail_as(c, RAFFLE_INVALID, "the beacon's address is too long");
    return fetch(c, address, NULL, json, PUBLISHED_MAX, length);
}

static int from_file(cli *c, const char *path, char *json, size_t *length)
{
    int status = CLI_DONE;
    char *bytes = cli_read_file(c, path, PUBLISHED_MAX, length, &status);
    if (bytes != NULL)
        memcpy(json, bytes, *length);
    free(bytes);
    return status;
}

/* A file of a foreign file system may seem to be a program: what begins as JSON does is none. */
static bool is_document(const char *path)
{
    struct stat is;
    if (stat(path, &is) != 0 || !S_ISREG(is.st_mode))
        return false;
    if ((is.st_mode & 0111) == 0)
        return true;
    FILE *file = fopen(path, "r");
    const int first = file == NULL ? EOF : fgetc(file);
    if (file != NULL)
        fclose(file);
    return first == '{';
}

int beacon_get(cli *c, const char *source, uint64_t round, uint8_t value[RAFFLE_BEACON_SIZE])
{
    char json[PUBLISHED_MAX];
    size_t length = 0;
    uint64_t got = 0;
    int status;
    if (strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0)
        status = from_server(c, source, round, json, &length);
    else if (is_document(source))
        status = from_file(c, source, json, &length);
    else
        status = from_command(c, source, round, json, &length);
    if (status != CLI_DONE)
        return status;
    if (raffle_beacon_parse(json, length, &got, value, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (got != round)
        return cli_fail_as(c, RAFFLE_MISMATCH, "the beacon gave round %llu; the intent fixes round %llu",
                           (unsigned long long)got, (unsigned long long)round);
    return CLI_DONE;
}

const char *beacon_verifier(const cli *c)
{
    const char *given = cli_option(c, "beacon-verifier");
    return given != NULL ? given : getenv("RAFFLE_BEACON_VERIFIER");
}

raffle_rc beacon_verify(void *ctx, uint64_t round, const uint8_t value[RAFFLE_BEACON_SIZE], raffle_error *err)
{
    char hex[2 * RAFFLE_BEACON_SIZE + 1], arguments[160], said[256], sentence[200];
    size_t length = 0;
    hex_format(value, RAFFLE_BEACON_SIZE, hex);
    snprintf(arguments, sizeof arguments, "%llu %s", (unsigned long long)round, hex);
    const char *const *program = ctx;
    const int status = run(*program, arguments, said, sizeof said, &length);
    if (status == 0)
        return RAFFLE_OK;
    if (status == 1) {
        snprintf(sentence, sizeof sentence, "the value is not that of round %llu of the beacon, says the verifier",
                 (unsigned long long)round);
        return raffle_error_set(err, RAFFLE_SIGNATURE, 0, sentence);
    }
    snprintf(sentence, sizeof sentence, "the beacon's verifier ended with status %d, and verified nothing", status);
    return raffle_error_set(err, RAFFLE_IO, 0, sentence);
}
