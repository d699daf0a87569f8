/* SPDX-License-Identifier: Apache-2.0 */
/* Values, objects and arrays of rules, read strictly, and the sentence for each fault. */
#include "rules_parse.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <string.h>

/* --- where a fault is --- */

rf_rules_path rf_rules_member(const rf_rules_path *parent, const char *name, size_t length)
{
    rf_rules_path p;
    size_t parent_length = strnlen(parent->text, sizeof parent->text);
    size_t n = length < 32 ? length : 32;
    if (parent_length + n + 2 > sizeof p.text)
        parent_length = 0;
    memcpy(p.text, parent->text, parent_length);
    if (parent_length > 0)
        p.text[parent_length++] = '.';
    memcpy(p.text + parent_length, name, n);
    p.text[parent_length + n] = 0;
    return p;
}

static rf_rules_path path_element(const rf_rules_path *parent, size_t i)
{
    rf_rules_path p = *parent;
    char number[24];
    size_t digits = 0, length = strlen(p.text);
    do
        number[digits++] = (char)('0' + i % 10);
    while ((i /= 10) > 0);
    if (length + digits + 3 > sizeof p.text)
        return p;
    p.text[length++] = '[';
    while (digits > 0)
        p.text[length++] = number[--digits];
    p.text[length++] = ']';
    p.text[length] = 0;
    return p;
}

raffle_rc rf_rules_fault(const rf_rules_input *p, raffle_rc rc, const rf_rules_path *at, const char *what)
{
    if (p->in.fault != NULL)
        return rf_fail(p->err, RAFFLE_INVALID, "the rules are not JSON that can be read: %s at byte %zu (%s)",
                       p->in.fault, p->in.at, at->text[0] ? at->text : "top level");
    return rf_fail(p->err, rc, "rules: \"%s\" %s", at->text[0] ? at->text : "top level", what);
}

/* --- values --- */

raffle_rc rf_rules_int(rf_rules_input *p, const rf_rules_path *at, int64_t min, int64_t max, int64_t *out)
{
    int64_t value;
    if (rf_json_peek(&p->in) != RF_JSON_INT || !rf_json_take_int(&p->in, &value))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be an integer");
    if (value < min || value > max)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" is %lld; it must be %lld to %lld", at->text,
                       (long long)value, (long long)min, (long long)max);
    *out = value;
    return RAFFLE_OK;
}

raffle_rc rf_rules_bool(rf_rules_input *p, const rf_rules_path *at, bool *out)
{
    if (rf_json_peek(&p->in) != RF_JSON_BOOL || !rf_json_take_bool(&p->in, out))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be true or false");
    return RAFFLE_OK;
}

/* A string into a fixed array; `max` bytes at most. */
raffle_rc rf_rules_string(rf_rules_input *p, const rf_rules_path *at, char *out, size_t max)
{
    rf_json_text text;
    if (rf_json_peek(&p->in) != RF_JSON_STRING || !rf_json_take_string(&p->in, &text))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be a string");
    size_t length = rf_json_unescape(&text, out, max);
    if (length == SIZE_MAX)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" is longer than %zu bytes", at->text, max);
    out[length] = 0;
    return strlen(out) == length ? RAFFLE_OK : rf_rules_fault(p, RAFFLE_INVALID, at, "holds a NUL character");
}

raffle_rc rf_rules_text(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_NAME_SIZE])
{
    raffle_rc rc = rf_rules_string(p, at, out, RAFFLE_NAME_MAX);
    if (rc == RAFFLE_OK && !rf_text_valid(out, strlen(out), RAFFLE_NAME_MAX))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be 1 to 64 bytes of UTF-8 without control characters");
    return rc;
}

raffle_rc rf_rules_word(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_WORD_SIZE])
{
    raffle_rc rc = rf_rules_string(p, at, out, RAFFLE_WORD_MAX);
    if (rc == RAFFLE_OK && !rf_word_valid(out, strlen(out), RAFFLE_WORD_MAX))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "rules: \"%s\" is \"%s\"; a word is 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit",
                       at->text, out);
    return rc;
}

raffle_rc rf_rules_time(rf_rules_input *p, const rf_rules_path *at, int64_t *out)
{
    char text[32];
    raffle_rc rc = rf_rules_string(p, at, text, sizeof text - 1);
    if (rc == RAFFLE_OK && !rf_time_parse(text, strlen(text), out))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "rules: \"%s\" is \"%s\"; a time is written like 2026-11-21T18:30:00.000Z", at->text, text);
    return rc;
}

raffle_rc rf_rules_origin(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_ORIGIN_SIZE])
{
    raffle_rc rc = rf_rules_string(p, at, out, 200);
    if (rc == RAFFLE_OK && !rf_origin_valid(out, strlen(out)))
        return rf_fail(
            p->err, RAFFLE_INVALID,
            "rules: \"%s\" is \"%s\"; it is written like raffle.example/gala-2026, without a segment \"unit\"",
            at->text, out);
    return rc;
}

/* One of `n` words; stores which. */
raffle_rc rf_rules_choice(rf_rules_input *p, const rf_rules_path *at, const char *const *words, size_t n, size_t *out)
{
    char text[RAFFLE_WORD_SIZE];
    raffle_rc rc = rf_rules_string(p, at, text, RAFFLE_WORD_MAX);
    if (rc != RAFFLE_OK)
        return rc;
    for (*out = 0; *out < n; (*out)++)
        if (strcmp(words[*out], text) == 0)
            return RAFFLE_OK;
    return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" is \"%s\", which is none of its choices (\"%s\", \"%s\" …)",
                   at->text, text, words[0], words[1]);
}

/* --- objects: a reader for each member, found by name --- */

static const rf_rules_field *find_field(const rf_rules_field *fields, size_t n, const char *name, size_t length,
                                        uint32_t *seen)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(fields[i].name) != length || memcmp(fields[i].name, name, length) != 0)
            continue;
        if (*seen & UINT32_C(1) << i)
            return NULL;
        *seen |= UINT32_C(1) << i;
        return &fields[i];
    }
    return NULL;
}

raffle_rc rf_rules_object(rf_rules_input *p, const rf_rules_path *at, const rf_rules_field *fields, size_t n, void *to)
{
    const char *name;
    size_t length;
    uint32_t seen = 0;
    if (rf_json_peek(&p->in) != RF_JSON_OBJECT || !rf_json_enter_object(&p->in))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        rf_rules_path member = rf_rules_member(at, name, length);
        const rf_rules_field *f = find_field(fields, n, name, length, &seen);
        if (f == NULL)
            return rf_rules_fault(p, RAFFLE_INVALID, &member, "is not a member that rules have here, or stands twice");
        raffle_rc rc = f->read(p, &member, to);
        if (rc != RAFFLE_OK)
            return rc;
    }
    if (p->in.fault != NULL)
        return rf_rules_fault(p, RAFFLE_INVALID, at, "");
    for (size_t i = 0; i < n; i++) {
        rf_rules_path member = rf_rules_member(at, fields[i].name, strlen(fields[i].name));
        if (fields[i].required && !(seen & UINT32_C(1) << i))
            return rf_rules_fault(p, RAFFLE_INVALID, &member, "is missing");
    }
    return RAFFLE_OK;
}

raffle_rc rf_rules_array(rf_rules_input *p, const rf_rules_path *at, size_t max, rf_rules_element read, void *to,
                         size_t *count)
{
    if (rf_json_peek(&p->in) != RF_JSON_ARRAY || !rf_json_enter_array(&p->in))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be an array");
    for (*count = 0; rf_json_next_element(&p->in); (*count)++) {
        rf_rules_path element = path_element(at, *count);
        if (*count == max)
            return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" has more than %zu elements", at->text, max);
        raffle_rc rc = read(p, &element, *count, to);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return p->in.fault == NULL ? RAFFLE_OK : rf_rules_fault(p, RAFFLE_INVALID, at, "");
}
