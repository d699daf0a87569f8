/* SPDX-License-Identifier: Apache-2.0 */
/* The one parser of options, used by every command: --flags, --options with a value, and positionals. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An option that a command has. Lists end with a name of NULL. */
typedef struct option_spec {
    const char *name;  /* without "--" */
    const char *value; /* what its value is called in the help; NULL: a flag */
    const char *help;
} option_spec;

enum {
    OPTIONS_MAX = 32
};

typedef struct option_given {
    const char *name;
    const char *value; /* "" for a flag */
} option_given;

/* What was given. Everything points into argv. */
typedef struct options {
    char **positional;
    size_t positionals;
    option_given given[OPTIONS_MAX];
    size_t n_given;
    char fault[200]; /* a sentence, after a function returned false */
} options;

/* Parses `argc` arguments, those after the command's name, by two lists: the command's own and the common ones. The array is
 * reordered: its beginning holds the positionals. `--name=value` and `--name value` are the same, `--` ends the options. */
bool options_parse(options *o, const option_spec *own, const option_spec *common, int argc, char **argv);

/* The value of an option, "" for a flag; NULL when it was not given. */
const char *options_get(const options *o, const char *name);
bool options_has(const options *o, const char *name);

/* A decimal number without sign or blanks. */
bool number_parse(const char *text, uint64_t *out);

/* An option's number, min to max; `*out` stays as it is when the option was not given. */
bool options_number(options *o, const char *name, uint64_t min, uint64_t max, uint64_t *out);

/* The same for a positional, called `name` in the sentence. */
bool options_positional(options *o, size_t i, const char *name, uint64_t min, uint64_t max, uint64_t *out);

#endif
