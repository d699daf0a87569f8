/* SPDX-License-Identifier: Apache-2.0 */
/* What every command shares: how it is described, what it was given, the raffle it opened, and how it ends. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "host.h"
#include "options.h"
#include "output.h"
#include <raffle/raffle.h>

/* How the command ends. */
enum {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* it could not; also an import with bad lines */
    CLI_USAGE = 2,
    CLI_FAULT = 3 /* an audit or a verification found a fault */
};

enum {
    CLI_TIMEOUT_MS = 30000
};

typedef struct cli cli;

/* A command: a row of the table in main.c. */
typedef struct command {
    const char *name;    /* one word, or two: "unit enrol" */
    const char *usage;   /* what follows the name */
    const char *summary; /* a line */
    const char *example; /* command lines, one a line */
    const option_spec *options;
    size_t min, max; /* positionals */
    int (*run)(cli *c);
} command;

struct cli {
    const command *command;
    options options;
    bool json;
    raffle_error err; /* of the call that failed last */
    host host;
    raffle *raffle;
    raffle_info info; /* as it was when the raffle was opened */
    raffle_actor by;  /* who acts, and who approves */
    raffle_actor ok;
    bool has_ok;
    raffle_unit *unit; /* the unit that was used last */
    uint32_t unit_number;
};

/* What a command needs of the raffle. */
typedef enum cli_need {
    NEED_READING, /* no key and no actor */
    NEED_KEYS,    /* validation numbers and order keys */
    NEED_ACTOR    /* it writes */
} cli_need;

/* Opens the raffle that the first positional names. Each of these says what is wrong and returns how the command ends, or CLI_DONE. */
int cli_open(cli *c, cli_need need);
/* An actor from ID:ROLE; false, with a sentence in c->err, when it is none. */
bool cli_parse_actor(const char *text, raffle_actor *actor, raffle_error *err);
/* The actor in --by or RAFFLE_ACTOR, and the second one in --ok. */
int cli_actors(cli *c);
/* The value of --keys or RAFFLE_KEYS; NULL: neither. */
const char *cli_keys(const cli *c);
void cli_close(cli *c);

/* Makes c->unit the unit. */
raffle_rc cli_unit(cli *c, uint32_t number);

/* With RAFFLE_MANIFEST and RAFFLE_MANIFEST_KEY in the environment: that the library is the one which was signed (GLI-31 3.5.2). */
int cli_self_verify(cli *c);

/* A positional, NULL beyond the last; an option's value. */
const char *cli_positional(const cli *c, size_t i);
const char *cli_option(const cli *c, const char *name);
bool cli_flag(const cli *c, const char *name);

/* The time in an option, into `*at`, which stays as it is without one. Returns how the command ends when it is none, or 1970 itself, which is how the library
 * says that there is no bound; else CLI_DONE. */
int cli_time(cli *c, const char *name, int64_t *at);

/* Says what failed, c->err, and returns CLI_FAILED. */
int cli_fail(cli *c);
/* The sentence of a call that sells, without "line 3: " before it: that is a place in the call, which means nothing outside. */
const char *cli_sentence(const raffle_error *err);
/* A failure of the command's own. */
__attribute__((format(printf, 3, 4))) int cli_fail_as(cli *c, raffle_rc rc, const char *format, ...);
/* A failure as --json shows it: {"rc", "message", "detail"}. */
json_t *cli_error_json(const char *rc, const char *message, uint32_t detail);
/* Says what is wrong with the command line, and returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(cli *c, const char *format, ...);
/* The same for the fault that the options' parser left. */
int cli_usage_fault(cli *c);

/* A remark for people, on stderr; nothing when the output is for machines. */
__attribute__((format(printf, 2, 3))) void cli_note(const cli *c, const char *format, ...);

/* Copies an argument into an array of the library's; false when it is too long. */
bool cli_copy(char *to, size_t size, const char *from);

/* Money in the raffle's currency; a time as the event's local time, "2026-11-21 18:30:00-07:00"; a draw number as printed. */
const char *cli_money(const cli *c, int64_t minor, char out[MONEY_SIZE]);
const char *cli_local(const cli *c, int64_t at, char out[32]);
const char *cli_number(uint32_t unit, uint64_t number, char out[RAFFLE_NUMBER_SIZE]);

/* The same for machines: a time in UTC. */
json_t *json_time(int64_t at);
json_t *json_count(uint64_t count);
/* Which raffle of a series it is. */
json_t *series_json(const raffle_info *info);
json_t *json_hex(const uint8_t *bytes, size_t n);

/* Reads a whole file of at most `max` bytes, "-": standard input. NULL when it cannot be; what failed is said, and `*status` is how the
 * command ends. The bytes are ended by a NUL of their own. */
char *cli_read_file(cli *c, const char *path, size_t max, size_t *length, int *status);

/* Reads the validation number of a ticket: the value of --validation must be "-", and the number is a line of standard input, so that it never
 * stands in a list of processes or in a shell's history. */
enum {
    CLI_SECRET_SIZE = 80
};
int cli_read_validation(cli *c, char out[CLI_SECRET_SIZE]);

#endif
