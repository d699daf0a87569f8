/* SPDX-License-Identifier: Apache-2.0 */
/* The one parser of options. A fault never repeats a value that could be a secret: of values, only numbers are quoted. */
#include "options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool fault(options *o, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(o->fault, sizeof o->fault, format, list);
    va_end(list);
    return false;
}

static const option_spec *find(const option_spec *list, const char *name, size_t length)
{
    for (; list != NULL && list->name != NULL; list++)
        if (strlen(list->name) == length && memcmp(list->name, name, length) == 0)
            return list;
    return NULL;
}

static bool add(options *o, const option_spec *spec, const char *value)
{
    if (options_has(o, spec->name))
        return fault(o, "--%s is given twice", spec->name);
    if (o->n_given == OPTIONS_MAX)
        return fault(o, "more than %d options are given", OPTIONS_MAX);
    o->given[o->n_given++] = (option_given){spec->name, value};
    return true;
}

/* Takes the option at `*at`, and its value when that is an argument of its own. */
static bool take(options *o, const option_spec *own, const option_spec *common, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    const size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const option_spec *spec = find(own, name, length);
    if (spec == NULL)
        spec = find(common, name, length);
    if (spec == NULL)
        return fault(o, "there is no option --%.*s here", (int)(length < 40 ? length : 40), name);
    if (spec->value == NULL)
        return equals == NULL ? add(o, spec, "") : fault(o, "--%s takes no value", spec->name);
    if (equals != NULL)
        return add(o, spec, equals + 1);
    if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
        return fault(o, "--%s needs a value: %s", spec->name, spec->value);
    *at += 1;
    return add(o, spec, argv[*at]);
}

bool options_parse(options *o, const option_spec *own, const option_spec *common, int argc, char **argv)
{
    memset(o, 0, sizeof *o);
    o->positional = argv;
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (ended || argv[i][0] != '-' || argv[i][1] == 0)
            argv[o->positionals++] = argv[i];
        else if (argv[i][1] != '-')
            return fault(o, "options are written --name; \"%.20s\" is none", argv[i]);
        else if (!take(o, own, common, argc, argv, &i))
            return false;
    }
    return true;
}

const char *options_get(const options *o, const char *name)
{
    for (size_t i = 0; i < o->n_given; i++)
        if (strcmp(o->given[i].name, name) == 0)
            return o->given[i].value;
    return NULL;
}

bool options_has(const options *o, const char *name)
{
    return options_get(o, name) != NULL;
}

bool number_parse(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (text[0] == 0)
        return false;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool number(options *o, const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value;
    if (!number_parse(text, &value) || value < min || value > max)
        return fault(o, "%s is \"%.40s\"; it must be a number from %" PRIu64 " to %" PRIu64, name, text, min, max);
    *out = value;
    return true;
}

bool options_number(options *o, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
    char dashed[40];
    const char *text = options_get(o, name);
    if (text == NULL)
        return true;
    snprintf(dashed, sizeof dashed, "--%s", name);
    return number(o, dashed, text, min, max, out);
}

bool options_positional(options *o, size_t i, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
    return i >= o->positionals || number(o, name, o->positional[i], min, max, out);
}
