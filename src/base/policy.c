/* SPDX-License-Identifier: Apache-2.0 */
/* Witness policies: strict reading, the quorum over a note, and merging cosignatures into one. */
#include "policy.h"

#include "bytes.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

/* --- words of a line --- */

typedef struct parse {
    rf_policy *policy;
    size_t line; /* from 1 */
    const char *at;
    size_t left;      /* of the line */
    uint64_t members; /* of any group so far */
    raffle_error *err;
} parse;

static bool is(rf_policy_text word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0;
}

static bool same(rf_policy_text a, rf_policy_text b)
{
    return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* The next word, "" when there is none; the space behind it is taken with it. */
static rf_policy_text take_word(parse *p)
{
    const char *space = memchr(p->at, ' ', p->left);
    const rf_policy_text word = {p->at, space == NULL ? p->left : (size_t)(space - p->at)};
    const size_t used = word.length + (space != NULL);
    p->at += used;
    p->left -= used;
    return word;
}

static int shown(rf_policy_text word)
{
    return word.length < RF_POLICY_NAME_MAX ? (int)word.length : RF_POLICY_NAME_MAX;
}

static raffle_rc bad_word(const parse *p, rf_policy_text word, const char *what)
{
    return rf_fail(p->err, RAFFLE_INVALID, "line %zu of the policy: \"%.*s\" %s", p->line, shown(word), word.text,
                   what);
}

/* The set of the one witness or group of this name; 0: there is none. */
static uint64_t find(const rf_policy *policy, rf_policy_text name)
{
    for (size_t i = 0; i < policy->witnesses; i++)
        if (same(policy->witness[i].name, name))
            return UINT64_C(1) << i;
    for (size_t i = 0; i < policy->groups; i++)
        if (same(policy->group[i].name, name))
            return UINT64_C(1) << (RF_POLICY_WITNESSES + i);
    return 0;
}

static raffle_rc new_name(parse *p, rf_policy_text *name)
{
    *name = take_word(p);
    if (!rf_text_valid(name->text, name->length, RF_POLICY_NAME_MAX))
        return bad_word(p, *name, "is no name of 1 to 64 bytes");
    if (is(*name, "none") || find(p->policy, *name) != 0)
        return bad_word(p, *name, "is a name that is there already");
    return RAFFLE_OK;
}

/* --- lines --- */

/* http:// or https://, a host, visible ASCII, and neither user, query nor fragment: what is sent there is put behind it. */
static bool url_valid(rf_policy_text url)
{
    const size_t scheme = url.length > 7 && memcmp(url.text, "http://", 7) == 0    ? 7
                          : url.length > 8 && memcmp(url.text, "https://", 8) == 0 ? 8
                                                                                   : 0;
    if (scheme == 0 || url.length > RF_POLICY_URL_MAX || url.text[scheme] == '/' || url.text[scheme] == ':')
        return false;
    for (size_t i = scheme; i < url.length; i++)
        if (url.text[i] <= ' ' || url.text[i] > '~' || strchr("?#@\\\"<>", url.text[i]) != NULL)
            return false;
    return true;
}

/* A key's owner is known by the key, whatever the names (C2SP tlog-cosignature: the name is not signed). */
static raffle_rc check_key(const parse *p, const rf_policy_witness *w)
{
    if (w->vkey.type != RF_NOTE_COSIGNATURE)
        return bad_word(p, w->name, "has a key that is not of type 0x04, for cosignatures");
    for (size_t i = 0; i < p->policy->witnesses; i++)
        if (memcmp(p->policy->witness[i].vkey.key, w->vkey.key, sizeof w->vkey.key) == 0)
            return bad_word(p, w->name, "has the key of another witness");
    return RAFFLE_OK;
}

static raffle_rc take_witness(parse *p)
{
    rf_policy_witness w = {.url = {"", 0}};
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = new_name(p, &w.name);
    if (rc != RAFFLE_OK)
        return rc;
    if (p->policy->witnesses == RF_POLICY_WITNESSES)
        return rf_fail(p->err, RAFFLE_LIMIT, "line %zu of the policy: more than %d witnesses", p->line,
                       RF_POLICY_WITNESSES);
    const rf_policy_text key = take_word(p);
    if (rf_vkey_parse(&w.vkey, key.text, key.length, &why) != RAFFLE_OK)
        return rf_fail(p->err, RAFFLE_INVALID, "line %zu of the policy: %s", p->line, why.message);
    rc = check_key(p, &w);
    if (rc != RAFFLE_OK)
        return rc;
    if (p->at[-1] == ' ') {
        w.url = take_word(p);
        if (!url_valid(w.url))
            return bad_word(p, w.name, "has an address that is not http:// or https://, a host and a path");
    }
    p->policy->witness[p->policy->witnesses++] = w;
    return RAFFLE_OK;
}

static raffle_rc take_members(parse *p, rf_policy_group *group)
{
    do {
        const rf_policy_text word = take_word(p);
        const uint64_t member = find(p->policy, word);
        if (member == 0)
            return bad_word(p, word, "is neither a witness nor a group of the lines before");
        if (p->members & member)
            return bad_word(p, word, "is a member already: whoever signs counts once");
        p->members |= member;
        group->members |= member;
    } while (p->at[-1] == ' ');
    return RAFFLE_OK;
}

static raffle_rc take_group(parse *p)
{
    rf_policy_group group = {.members = 0};
    uint64_t needed = 0;
    raffle_rc rc = new_name(p, &group.name);
    if (rc != RAFFLE_OK)
        return rc;
    if (p->policy->groups == RF_POLICY_GROUPS)
        return rf_fail(p->err, RAFFLE_LIMIT, "line %zu of the policy: more than %d groups", p->line, RF_POLICY_GROUPS);
    const rf_policy_text how = take_word(p);
    if (!is(how, "all") && !is(how, "any") && !rf_decimal_parse(how.text, how.length, 64, &needed))
        return bad_word(p, how, "is neither \"all\", \"any\" nor a number");
    rc = take_members(p, &group);
    if (rc != RAFFLE_OK)
        return rc;
    const unsigned members = (unsigned)__builtin_popcountll(group.members);
    group.needed = is(how, "all") ? members : is(how, "any") ? 1 : (unsigned)needed;
    if (group.needed == 0 || group.needed > members)
        return rf_fail(p->err, RAFFLE_INVALID, "line %zu of the policy: %.*s of %u members", p->line, shown(how),
                       how.text, members);
    p->policy->group[p->policy->groups++] = group;
    return RAFFLE_OK;
}

static raffle_rc take_quorum(parse *p)
{
    const rf_policy_text word = take_word(p);
    if (p->policy->quorum != 0)
        return bad_word(p, word, "is a second quorum");
    p->policy->quorum = find(p->policy, word);
    return p->policy->quorum != 0 ? RAFFLE_OK
                                  : bad_word(p, word, "is neither a witness nor a group of the lines before");
}

static raffle_rc take_line(parse *p)
{
    if (p->left == 0 || p->left > RF_POLICY_LINE_MAX || !rf_text_valid(p->at, p->left, RF_POLICY_LINE_MAX))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "line %zu of the policy is empty, longer than %d bytes, or holds what is no text", p->line,
                       RF_POLICY_LINE_MAX);
    const rf_policy_text word = take_word(p);
    raffle_rc rc = is(word, "witness")  ? take_witness(p)
                   : is(word, "group")  ? take_group(p)
                   : is(word, "quorum") ? take_quorum(p)
                                        : bad_word(p, word, "is neither \"witness\", \"group\" nor \"quorum\"");
    if (rc == RAFFLE_OK && (p->left > 0 || p->at[-1] == ' '))
        rc = rf_fail(p->err, RAFFLE_INVALID, "line %zu of the policy goes on after its end", p->line);
    return rc;
}

raffle_rc rf_policy_parse(rf_policy *policy, const char *text, size_t length, raffle_error *err)
{
    parse p = {.policy = policy, .err = err};
    *policy = (rf_policy){.witnesses = 0};
    if (length > RF_POLICY_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a policy of %zu bytes is longer than %d", length, RF_POLICY_MAX);
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        p.line++;
        if (end == NULL)
            return rf_fail(err, RAFFLE_INVALID, "line %zu of the policy does not end", p.line);
        p.at = text + at;
        p.left = (size_t)(end - p.at);
        raffle_rc rc = take_line(&p);
        if (rc != RAFFLE_OK)
            return rc;
        at = (size_t)(end - text) + 1;
    }
    return policy->quorum != 0 ? RAFFLE_OK : rf_fail(err, RAFFLE_INVALID, "the policy has no quorum");
}

/* --- the quorum --- */

raffle_rc rf_policy_cosigned(const rf_policy *policy, const rf_note *note, uint64_t before, uint64_t *cosigned,
                             raffle_error *err)
{
    uint64_t found = 0;
    for (size_t i = 0; i < policy->witnesses; i++) {
        uint64_t seconds = 0;
        if (!rf_note_names(note, &policy->witness[i].vkey))
            continue;
        raffle_rc rc = rf_note_verify_cosignature(note, &policy->witness[i].vkey, &seconds, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (seconds > 0 && (before == UINT64_MAX || seconds < before)) /* 0: the time was left out */
            found |= UINT64_C(1) << i;
    }
    *cosigned = found;
    return RAFFLE_OK;
}

/* A group's members come before it: one pass is enough. */
bool rf_policy_reached(const rf_policy *policy, uint64_t cosigned)
{
    uint64_t have = cosigned & ((UINT64_C(1) << RF_POLICY_WITNESSES) - 1);
    for (size_t i = 0; i < policy->groups; i++)
        if ((unsigned)__builtin_popcountll(have & policy->group[i].members) >= policy->group[i].needed)
            have |= UINT64_C(1) << (RF_POLICY_WITNESSES + i);
    return (have & policy->quorum) != 0;
}

/* --- merging --- */

/* The note's text with other signature lines, parsed. The caller frees the bytes. */
static raffle_rc parse_lines(const rf_note *note, const char *lines, size_t length, rf_note *given, char **bytes,
                             raffle_error *err)
{
    if (length > RF_NOTE_MAX)
        return rf_fail(err, RAFFLE_SIGNATURE, "%zu bytes of signature lines are more than %d", length, RF_NOTE_MAX);
    *bytes = malloc(note->text_length + 1 + length);
    if (*bytes == NULL)
        return rf_nomem(err);
    memcpy(*bytes, note->text, note->text_length);
    (*bytes)[note->text_length] = '\n';
    if (length > 0)
        memcpy(*bytes + note->text_length + 1, lines, length);
    raffle_error why = RAFFLE_ERROR_INIT;
    if (rf_note_parse(given, *bytes, note->text_length + 1 + length, &why) != RAFFLE_OK ||
        given->text_length != note->text_length)
        return rf_fail(err, RAFFLE_SIGNATURE, "the signature lines cannot be read: %s",
                       why.message[0] ? why.message : "there is an empty one");
    return RAFFLE_OK;
}

static raffle_rc append_missing(const rf_policy *policy, const rf_note *note, const rf_note *given, char *bytes,
                                size_t cap, size_t *length, raffle_error *err)
{
    size_t end = *length;
    for (size_t i = 0; i < policy->witnesses; i++) {
        const rf_vkey *vkey = &policy->witness[i].vkey;
        if (!rf_note_names(given, vkey) || rf_note_names(note, vkey))
            continue;
        const size_t n = rf_note_copy_line(given, vkey, bytes + end, cap - end);
        if (n == 0)
            return rf_fail(err, RAFFLE_LIMIT, "the note has no room for the cosignature by '%s'", vkey->name);
        end += n;
    }
    *length = end;
    return RAFFLE_OK;
}

static raffle_rc merge(const rf_policy *policy, const rf_note *note, const rf_note *given, char *bytes, size_t cap,
                       size_t *length, uint64_t *by, raffle_error *err)
{
    raffle_rc rc = rf_policy_cosigned(policy, given, UINT64_MAX, by, err);
    if (rc == RAFFLE_OK && *by == 0)
        rc = rf_fail(err, RAFFLE_SIGNATURE, "none of the %zu signature lines is by a witness of the rules",
                     given->signatures);
    return rc == RAFFLE_OK ? append_missing(policy, note, given, bytes, cap, length, err) : rc;
}

raffle_rc rf_policy_add(const rf_policy *policy, char *bytes, size_t cap, size_t *length, const char *lines,
                        size_t lines_length, uint64_t *by, raffle_error *err)
{
    char *with_lines = NULL;
    rf_note *note = calloc(2, sizeof *note), *given = note == NULL ? NULL : note + 1;
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, bytes, *length, err);
    if (rc == RAFFLE_OK)
        rc = parse_lines(note, lines, lines_length, given, &with_lines, err);
    if (rc == RAFFLE_OK)
        rc = merge(policy, note, given, bytes, cap < RF_NOTE_MAX ? cap : RF_NOTE_MAX, length, by, err);
    free(with_lines);
    free(note);
    return rc;
}
