/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle selfcheck`: which library and which command this is (GLI-31 3.5.1, 3.6.1), and whether they are those of a manifest. */
#include "commands.h"
#include "sha256.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const option_spec options_of[] = {
    {"manifest", "FILE",
     "lines as sha256sum writes them, or with --key a signed manifest; the library and the command must be in it, by "
     "their files' names"},
    {"key", "VKEY", "the key of who signed the manifest"},
    {NULL, NULL, NULL},
};

enum {
    MANIFEST_MAX = 1 << 20,
    HEX_LENGTH = 64
};

/* A file that is checked. */
typedef struct part {
    const char *what;
    char path[PATH_MAX];
    char hash[HEX_LENGTH + 1];
    uint8_t bytes[RAFFLE_HASH_SIZE];
    bool checked, matches;
} part;

/* --- the two files --- */

static int find_library(cli *c, part *p)
{
    uint8_t hash[RAFFLE_HASH_SIZE], own[RAFFLE_HASH_SIZE];
    char path[PATH_MAX];
    p->what = "library";
    if (raffle_self_hash(path, sizeof path, hash, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    /* The file that a link leads to is the one that a manifest names. */
    if (realpath(path, p->path) == NULL || !sha256_file(p->path, own))
        return cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    if (memcmp(hash, own, sizeof hash) != 0)
        return cli_fail_as(c, RAFFLE_CORRUPT, "the library computes another SHA-256 of %.200s than this command does",
                           p->path);
    memcpy(p->bytes, hash, sizeof p->bytes);
    hex_format(hash, sizeof hash, p->hash);
    return CLI_DONE;
}

static int find_command(cli *c, part *p)
{
    uint8_t hash[RAFFLE_HASH_SIZE];
    p->what = "command";
    const ssize_t length = readlink("/proc/self/exe", p->path, sizeof p->path - 1);
    if (length < 0 || !sha256_file("/proc/self/exe", hash))
        return cli_fail_as(c, RAFFLE_IO, "/proc/self/exe: %s", strerror(errno));
    p->path[length] = 0;
    memcpy(p->bytes, hash, sizeof p->bytes);
    hex_format(hash, sizeof hash, p->hash);
    return CLI_DONE;
}

/* --- the manifest --- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "HASH  NAME" or "HASH *NAME": ends the hash, and returns the name. NULL: the line is none. */
static const char *split_line(char *line)
{
    if (strspn(line, "0123456789abcdef") != HEX_LENGTH || line[HEX_LENGTH] != ' ' ||
        (line[HEX_LENGTH + 1] != ' ' && line[HEX_LENGTH + 1] != '*') || line[HEX_LENGTH + 2] == 0)
        return NULL;
    line[HEX_LENGTH] = 0;
    return line + HEX_LENGTH + 2;
}

/* A file that stands twice in the manifest must match both times. */
static void compare(part *p, const char *hash, const char *name)
{
    if (strcmp(base_name(name), base_name(p->path)) != 0)
        return;
    p->matches = (!p->checked || p->matches) && strcmp(hash, p->hash) == 0;
    p->checked = true;
}

static int read_manifest(cli *c, const char *path, part *parts, size_t n)
{
    size_t length;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, MANIFEST_MAX, &length, &status), *save = NULL;
    if (text == NULL)
        return status;
    if (memchr(text, 0, length) != NULL)
        status = cli_fail_as(c, RAFFLE_INVALID, "the manifest holds a NUL");
    for (char *line = strtok_r(text, "\n", &save); status == CLI_DONE && line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *name = split_line(line);
        if (name == NULL)
            status = cli_fail_as(c, RAFFLE_INVALID, "the manifest has a line that sha256sum does not write: \"%.80s\"",
                                 line);
        for (size_t i = 0; status == CLI_DONE && i < n; i++)
            compare(&parts[i], line, name);
    }
    free(text);
    return status;
}

static bool differs(raffle_rc rc)
{
    return rc == RAFFLE_CORRUPT || rc == RAFFLE_NOT_FOUND;
}

/* The signature is the library's to verify; what the raffle is to know of it is written there. */
static int read_signed(cli *c, const char *path, const char *key, part *parts, size_t n)
{
    size_t length;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, MANIFEST_MAX, &length, &status);
    if (text == NULL)
        return status;
    raffle_rc rc = RAFFLE_OK;
    if (c->raffle != NULL)
        rc = raffle_self_check(c->raffle, &c->by, text, length, key, &c->err);
    if (rc != RAFFLE_OK && !differs(rc))
        status = cli_fail(c);
    for (size_t i = 0; status == CLI_DONE && i < n; i++) {
        rc = raffle_manifest_verify(text, length, key, base_name(parts[i].path), parts[i].bytes, &c->err);
        parts[i].checked = rc != RAFFLE_NOT_FOUND;
        parts[i].matches = rc == RAFFLE_OK;
        if (rc != RAFFLE_OK && !differs(rc))
            status = cli_fail(c);
    }
    free(text);
    return status;
}

/* --- what was found --- */

static const char *verdict_of(const part *p, bool compared)
{
    if (!compared)
        return "";
    return !p->checked ? "NOT IN THE MANIFEST" : p->matches ? "as in the manifest" : "DIFFERS FROM THE MANIFEST";
}

static void print_json(const part *parts, size_t n, bool compared, bool good)
{
    json_t *top = json_must(json_object());
    json_put(top, "version", json_string(raffle_version()));
    json_put(top, "command_version", json_string(RAFFLE_VERSION));
    json_put(top, "build", json_loads(raffle_build(), 0, NULL));
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_must(json_object());
        json_put(o, "file", json_text(parts[i].path));
        json_put(o, "sha256", json_string(parts[i].hash));
        if (compared)
            json_put(o, "matches", json_boolean(parts[i].checked && parts[i].matches));
        json_put(top, parts[i].what, o);
    }
    if (compared)
        json_put(top, "passed", json_boolean(good));
    json_end(top, true, stdout);
}

static void print(const part *parts, size_t n, bool compared)
{
    static const column columns[] = {{NULL, false}, {NULL, false}, {NULL, false}, {NULL, false}};
    table t;
    printf("raffle %s, library %s\n%s\n\n", RAFFLE_VERSION, raffle_version(), raffle_build());
    table_begin(&t, columns, 4);
    for (size_t i = 0; i < n; i++) {
        table_add(&t, "%s", parts[i].what);
        table_add(&t, "%s", parts[i].hash);
        table_add(&t, "%s", parts[i].path);
        table_add(&t, "%s", verdict_of(&parts[i], compared));
    }
    table_end(&t, stdout);
}

static int run(cli *c)
{
    part parts[2] = {0};
    const char *manifest = cli_option(c, "manifest"), *key = cli_option(c, "key");
    if (key != NULL && manifest == NULL)
        return cli_usage(c, "--key is of who signed a --manifest");
    if (cli_positional(c, 0) != NULL && key == NULL)
        return cli_usage(c, "a raffle is told of a signed manifest: --manifest FILE --key VKEY");
    int status = cli_positional(c, 0) != NULL ? cli_open(c, NEED_ACTOR) : CLI_DONE;
    if (status == CLI_DONE)
        status = find_library(c, &parts[0]);
    if (status == CLI_DONE)
        status = find_command(c, &parts[1]);
    if (status == CLI_DONE && manifest != NULL)
        status = key != NULL ? read_signed(c, manifest, key, parts, 2) : read_manifest(c, manifest, parts, 2);
    if (status != CLI_DONE)
        return status;
    const bool good = parts[0].checked && parts[0].matches && parts[1].checked && parts[1].matches;
    if (c->json)
        print_json(parts, 2, manifest != NULL, good);
    else
        print(parts, 2, manifest != NULL);
    return manifest == NULL || good ? CLI_DONE : CLI_FAULT;
}

const command cmd_selfcheck = {
    .name = "selfcheck",
    .usage = "[STORE] [--manifest FILE [--key VKEY]] [--by ID:ROLE]",
    .summary =
        "version, build, and the SHA-256 of the library and the command; with a manifest, whether they are those",
    .example = "  raffle selfcheck --manifest release.sha256\n"
               "  raffle selfcheck gala.raffle --manifest release.manifest --key \"$MAKER\" --by cron:system",
    .options = options_of,
    .min = 0,
    .max = 1,
    .run = run,
};
