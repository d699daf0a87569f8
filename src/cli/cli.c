/* SPDX-License-Identifier: Apache-2.0 */
/* What every command shares: opening the raffle, saying what failed, and reading what it was given. */
#include "cli.h"
#include "times.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- saying what is wrong --- */

json_t *cli_error_json(const char *rc, const char *message, uint32_t detail)
{
    json_t *error = json_must(json_object());
    json_put(error, "rc", json_text(rc));
    json_put(error, "message", json_text(message));
    json_put(error, "detail", json_count(detail));
    return error;
}

static int say(const cli *c, const char *rc, const char *message, uint32_t detail, int status)
{
    if (c->json) {
        json_t *top = json_must(json_object());
        json_put(top, "error", cli_error_json(rc, message, detail));
        json_end(top, false, stdout);
        return status;
    }
    char text[512];
    snprintf(text, sizeof text, "%s", message);
    text_clean(text);
    fflush(stdout);
    fprintf(stderr, "raffle: %s\n", text);
    return status;
}

int cli_fail(cli *c)
{
    return say(c, raffle_rc_name(c->err.rc), c->err.message, c->err.detail, CLI_FAILED);
}

const char *cli_sentence(const raffle_error *err)
{
    char prefix[24];
    const int length = snprintf(prefix, sizeof prefix, "line %u: ", err->detail);
    return err->detail != 0 && strncmp(err->message, prefix, (size_t)length) == 0 ? err->message + length
                                                                                  : err->message;
}

int cli_fail_as(cli *c, raffle_rc rc, const char *format, ...)
{
    char message[400];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    (void)raffle_error_set(&c->err, rc, 0, message);
    return say(c, raffle_rc_name(rc), message, 0, CLI_FAILED);
}

int cli_usage(cli *c, const char *format, ...)
{
    char message[400];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    say(c, raffle_rc_name(RAFFLE_MISUSE), message, 0, CLI_USAGE);
    if (!c->json && c->command != NULL)
        fprintf(stderr, "usage: raffle %s %s\n", c->command->name, c->command->usage);
    return CLI_USAGE;
}

int cli_usage_fault(cli *c)
{
    return cli_usage(c, "%s", c->options.fault);
}

void cli_note(const cli *c, const char *format, ...)
{
    char text[512];
    va_list list;
    if (c->json)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    text_clean(text);
    fprintf(stderr, "%s\n", text);
}

/* --- what was given --- */

const char *cli_positional(const cli *c, size_t i)
{
    return i < c->options.positionals ? c->options.positional[i] : NULL;
}

const char *cli_option(const cli *c, const char *name)
{
    return options_get(&c->options, name);
}

bool cli_flag(const cli *c, const char *name)
{
    return options_has(&c->options, name);
}

bool cli_copy(char *to, size_t size, const char *from)
{
    const size_t length = strlen(from);
    if (length >= size)
        return false;
    memcpy(to, from, length + 1);
    return true;
}

/* 1970 itself is how the library says that there is no bound. */
int cli_time(cli *c, const char *name, int64_t *at)
{
    const char *text = cli_option(c, name);
    if (text == NULL)
        return CLI_DONE;
    if (!time_parse(text, at) || *at == 0)
        return cli_usage(c, "--%s is \"%.40s\", which is no time like 2026-11-21T18:30:00.000Z", name, text);
    return CLI_DONE;
}

const char *cli_keys(const cli *c)
{
    const char *keys = cli_option(c, "keys");
    return keys != NULL ? keys : getenv("RAFFLE_KEYS");
}

static bool no_actor(raffle_error *err, const char *format, const char *text)
{
    char message[200];
    snprintf(message, sizeof message, format, text);
    (void)raffle_error_set(err, RAFFLE_INVALID, 0, message);
    return false;
}

/* The last colon counts, so that an id may hold some. */
bool cli_parse_actor(const char *text, raffle_actor *actor, raffle_error *err)
{
    char id[RAFFLE_NAME_SIZE];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || (size_t)(colon - text) > RAFFLE_NAME_MAX)
        return no_actor(err, "\"%.80s\" is no actor, which is written ID:ROLE, like ann:seller", text);
    const raffle_role role = raffle_role_parse(colon + 1);
    if (role == 0)
        return no_actor(err, "\"%.40s\" is no role; seller, supervisor, manager, administrator, auditor and system are",
                        colon + 1);
    memcpy(id, text, (size_t)(colon - text));
    id[colon - text] = 0;
    return raffle_actor_init(actor, sizeof *actor, id, role, err) == RAFFLE_OK;
}

static int parse_actor(cli *c, const char *from, const char *text, raffle_actor *actor)
{
    return cli_parse_actor(text, actor, &c->err) ? CLI_DONE : cli_usage(c, "%s: %s", from, c->err.message);
}

int cli_actors(cli *c)
{
    const char *by = cli_option(c, "by"), *environment = getenv("RAFFLE_ACTOR"), *ok = cli_option(c, "ok");
    int status;
    if (by == NULL && (environment == NULL || environment[0] == 0))
        return cli_usage(c, "who does it is missing: --by ID:ROLE, or RAFFLE_ACTOR in the environment");
    status = by != NULL ? parse_actor(c, "--by", by, &c->by) : parse_actor(c, "RAFFLE_ACTOR", environment, &c->by);
    if (status == CLI_DONE && ok != NULL) {
        status = parse_actor(c, "--ok", ok, &c->ok);
        c->has_ok = status == CLI_DONE;
    }
    return status;
}

static char *read_all(FILE *file, size_t max, size_t *length)
{
    char *text = memory_grow(NULL, 1);
    size_t room = 0, n = 0;
    do {
        room = room == 0 ? 4096 : 2 * room;
        room = room > max + 1 ? max + 1 : room; /* a byte more than is allowed shows that there is more */
        text = memory_grow(text, room + 1);
        n += fread(text + n, 1, room - n, file);
    } while (n == room && room <= max);
    text[n] = 0;
    *length = n;
    return text;
}

char *cli_read_file(cli *c, const char *path, size_t max, size_t *length, int *status)
{
    const bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (file == NULL) {
        *status = cli_fail_as(c, errno == ENOENT ? RAFFLE_NOT_FOUND : RAFFLE_IO, "%.200s: %s", path, strerror(errno));
        return NULL;
    }
    errno = 0;
    char *text = read_all(file, max, length);
    const bool failed = ferror(file);
    const int why = errno;
    if (!standard)
        fclose(file);
    if (!failed && *length <= max)
        return text;
    free(text);
    *status = failed ? cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(why))
                     : cli_fail_as(c, RAFFLE_LIMIT, "%.200s has more than %zu bytes", path, max);
    return NULL;
}

int cli_read_validation(cli *c, char out[CLI_SECRET_SIZE])
{
    const char *value = cli_option(c, "validation");
    size_t length = 0;
    int byte;
    if (value == NULL)
        return cli_usage(c, "--validation - is missing; the validation number is read from standard input");
    if (strcmp(value, "-") != 0)
        return cli_usage(c, "--validation takes \"-\" alone: the number is a secret, and is read from standard input");
    if (isatty(STDIN_FILENO))
        cli_note(c, "validation number:");
    while ((byte = getc(stdin)) != EOF && byte != '\n')
        if (length < CLI_SECRET_SIZE)
            out[length++] = (char)byte;
    if (length > 0 && out[length - 1] == '\r')
        length--;
    if (length == 0 || length >= CLI_SECRET_SIZE || memchr(out, 0, length) != NULL) {
        explicit_bzero(out, CLI_SECRET_SIZE);
        return cli_fail_as(c, RAFFLE_INVALID, "standard input holds no validation number");
    }
    out[length] = 0;
    return CLI_DONE;
}

/* --- the raffle --- */

int cli_open(cli *c, cli_need need)
{
    const char *store = cli_positional(c, 0);
    int status = need == NEED_ACTOR ? cli_actors(c) : CLI_DONE;
    if (status != CLI_DONE)
        return status;
    if (raffle_open(store, need == NEED_READING ? "" : cli_keys(c), &c->host.table, &c->raffle, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    raffle_info_init(&c->info, sizeof c->info);
    if (raffle_describe(c->raffle, &c->info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return CLI_DONE;
}

raffle_rc cli_unit(cli *c, uint32_t number)
{
    raffle_unit *unit;
    if (c->unit != NULL && c->unit_number == number)
        return RAFFLE_OK;
    raffle_rc rc = raffle_unit_open(c->raffle, number, &unit, &c->err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_unit_free(c->unit);
    c->unit = unit;
    c->unit_number = number;
    return RAFFLE_OK;
}

void cli_close(cli *c)
{
    raffle_unit_free(c->unit);
    raffle_free(c->raffle);
    c->unit = NULL;
    c->raffle = NULL;
}

/* --- how values are written --- */

const char *cli_money(const cli *c, int64_t minor, char out[MONEY_SIZE])
{
    money_format(minor, c->info.digits, c->info.currency, out);
    return out;
}

const char *cli_local(const cli *c, int64_t at, char out[32])
{
    char local[32];
    if (raffle_local_time(c->raffle, at, local, NULL) != RAFFLE_OK) {
        time_format(at, out);
        return out;
    }
    /* 2026-11-21T18:30:00.000-07:00: people want no T and no milliseconds. */
    snprintf(out, 32, "%.10s %.8s%.8s", local, local + 11, local + 23);
    return out;
}

const char *cli_number(uint32_t unit, uint64_t number, char out[RAFFLE_NUMBER_SIZE])
{
    if (raffle_number_format(unit, number, out, NULL) != RAFFLE_OK)
        snprintf(out, RAFFLE_NUMBER_SIZE, "%u-%llu", unit, (unsigned long long)number);
    return out;
}

json_t *json_time(int64_t at)
{
    char text[TIME_SIZE];
    time_format(at, text);
    return json_must(json_string(text));
}

json_t *series_json(const raffle_info *info)
{
    json_t *o = json_must(json_object());
    json_put(o, "name", json_text(info->series));
    json_put(o, "number", json_count(info->series_number));
    return o;
}

json_t *json_count(uint64_t count)
{
    return json_must(json_integer((json_int_t)count));
}

json_t *json_hex(const uint8_t *bytes, size_t n)
{
    char text[2 * 64 + 1];
    hex_format(bytes, n <= 64 ? n : 64, text);
    return json_must(json_string(text));
}

int cli_self_verify(cli *c)
{
    const char *path = getenv("RAFFLE_MANIFEST"), *key = getenv("RAFFLE_MANIFEST_KEY");
    size_t length;
    int status = CLI_DONE;
    if (path == NULL || path[0] == 0)
        return CLI_DONE;
    if (key == NULL)
        return cli_usage(c, "RAFFLE_MANIFEST is set, and RAFFLE_MANIFEST_KEY is not");
    char *text = cli_read_file(c, path, 1 << 20, &length, &status);
    if (text != NULL && raffle_self_verify(text, length, key, &c->err) != RAFFLE_OK)
        status = cli_fail(c);
    free(text);
    return status;
}
