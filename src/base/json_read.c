/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON of the profile "libraffle-rec-1", strictly (canonical bytes only) or not, by pulling value after value. */
#include "bytes.h"
#include "json.h"
#include "json_scan.h"

#include <string.h>

void rf_json_reader_init(rf_json_reader *r, const char *in, size_t length, bool strict)
{
    r->in = in;
    r->length = length;
    r->at = 0;
    r->strict = strict;
    r->fault = NULL;
    r->depth = 0;
}

/* The first fault stays. */
static bool fail(rf_json_reader *r, const char *fault)
{
    if (r->fault == NULL)
        r->fault = fault;
    return false;
}

static bool fail_at(rf_json_reader *r, size_t at, const char *fault)
{
    if (r->fault == NULL)
        r->at = at;
    return fail(r, fault);
}

static void skip_space(rf_json_reader *r)
{
    if (r->strict)
        return;
    while (r->at < r->length && (r->in[r->at] == ' ' || (r->in[r->at] >= '\t' && r->in[r->at] <= '\r' &&
                                                         r->in[r->at] != '\v' && r->in[r->at] != '\f')))
        r->at++;
}

/* The byte that comes next, after white space where that may stand; '\0', which no JSON begins with, at the end or after a fault. */
static char next_byte(rf_json_reader *r)
{
    skip_space(r);
    return r->at < r->length && r->fault == NULL ? r->in[r->at] : '\0';
}

static bool take_byte(rf_json_reader *r, char byte, const char *fault)
{
    if (next_byte(r) != byte)
        return fail(r, fault);
    r->at++;
    return true;
}

rf_json_type rf_json_peek(rf_json_reader *r)
{
    char c = next_byte(r);
    switch (c) {
    case '{':
        return RF_JSON_OBJECT;
    case '[':
        return RF_JSON_ARRAY;
    case '"':
        return RF_JSON_STRING;
    case 't':
    case 'f':
        return RF_JSON_BOOL;
    default:
        break;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return RF_JSON_INT;
    if (r->at < r->length && c != '}' && c != ']' && c != ',')
        fail(r, "no value of the profile");
    return RF_JSON_NONE;
}

/* --- objects and arrays --- */

static bool enter(rf_json_reader *r, char bracket, const char *fault)
{
    if (next_byte(r) != bracket)
        return fail(r, fault);
    if (r->depth == RF_JSON_DEPTH)
        return fail(r, "nested too deeply");
    r->at++;
    r->depth++;
    r->first[r->depth] = true;
    r->last_name[r->depth] = "";
    r->last_name_length[r->depth] = 0;
    return true;
}

bool rf_json_enter_object(rf_json_reader *r)
{
    return enter(r, '{', "an object is expected");
}

bool rf_json_enter_array(rf_json_reader *r)
{
    return enter(r, '[', "an array is expected");
}

/* Past the comma to the next member or element; false after the closing bracket, which is then left, or at a fault. */
static bool advance(rf_json_reader *r, char bracket)
{
    char c = next_byte(r);
    if (r->depth == 0)
        return fail(r, "not in an object or array");
    if (c == bracket) {
        r->at++;
        r->depth--;
        return false;
    }
    if (r->first[r->depth]) {
        r->first[r->depth] = false;
        return r->fault == NULL;
    }
    return take_byte(r, ',', "a comma or the closing bracket is expected");
}

bool rf_json_next_element(rf_json_reader *r)
{
    if (!advance(r, ']'))
        return false;
    return rf_json_peek(r) != RF_JSON_NONE || fail(r, "a value is expected");
}

/* What a name may hold: 1 at its beginning too, 2 after it. */
static const uint8_t name_bytes[256] = {
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1,
    ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['0'] = 2, ['1'] = 2, ['2'] = 2, ['3'] = 2,
    ['4'] = 2, ['5'] = 2, ['6'] = 2, ['7'] = 2, ['8'] = 2, ['9'] = 2, ['_'] = 2};

/* The length of the name that `text` begins with; 0 when there is none. */
static size_t name_length(const char *text, size_t length)
{
    if (length == 0 || name_bytes[(uint8_t)text[0]] != 1)
        return 0;
    size_t at = 1;
    while (at < length && name_bytes[(uint8_t)text[at]] != 0)
        at++;
    return at;
}

/* Negative, 0, positive: `name` is before, equal to, after the last name at this depth. Names mostly differ in their first byte. */
static int compare_to_last(const rf_json_reader *r, const char *name, size_t length)
{
    const char *last = r->last_name[r->depth];
    size_t last_length = r->last_name_length[r->depth];
    size_t shorter = length < last_length ? length : last_length;
    for (size_t i = 0; i < shorter; i++) {
        if (name[i] != last[i])
            return (unsigned char)name[i] - (unsigned char)last[i];
    }
    return (length > last_length) - (length < last_length);
}

static bool check_order(rf_json_reader *r, const char *name, size_t length, size_t at)
{
    int order = compare_to_last(r, name, length);
    if (order == 0)
        return fail_at(r, at, "a name twice");
    if (order < 0 && r->strict)
        return fail_at(r, at, "names do not ascend");
    r->last_name[r->depth] = name;
    r->last_name_length[r->depth] = length;
    return true;
}

bool rf_json_next_key(rf_json_reader *r, const char **name, size_t *length)
{
    if (!advance(r, '}') || !take_byte(r, '"', "a name is expected"))
        return false;
    size_t from = r->at, to = from + name_length(r->in + from, r->length - from);
    if (to == from || to == r->length || r->in[to] != '"')
        return fail_at(r, to, "a name must match [a-z][a-z0-9_]*");
    r->at = to + 1;
    if (!take_byte(r, ':', "a colon is expected") || !check_order(r, r->in + from, to - from, from))
        return false;
    *name = r->in + from;
    *length = to - from;
    return true;
}

/* --- values --- */

bool rf_json_take_int(rf_json_reader *r, int64_t *value)
{
    char c = next_byte(r);
    size_t at = r->at;
    bool negative = c == '-';
    if (negative)
        at++;
    size_t from = at;
    uint64_t number = 0;
    /* 17 digits are too many, and cannot overflow. */
    for (; at < r->length && at - from < 17 && (unsigned char)(r->in[at] - '0') <= 9; at++)
        number = number * 10 + (uint64_t)(r->in[at] - '0');
    if (at == from || r->fault != NULL)
        return fail(r, "an integer is expected");
    if (r->in[from] == '0' && (negative || at - from > 1))
        return fail(r, "an integer begins with 0");
    if (number > (uint64_t)RF_JSON_INT_MAX)
        return fail(r, "an integer beyond 2^53-1");
    if (at < r->length && (r->in[at] == '.' || r->in[at] == 'e' || r->in[at] == 'E'))
        return fail_at(r, at, "a number that is no integer");
    r->at = at;
    *value = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

bool rf_json_take_bool(rf_json_reader *r, bool *value)
{
    char c = next_byte(r);
    size_t left = r->length - r->at;
    const char *text = r->in + r->at;
    if (c == 't' && left >= 4 && memcmp(text, "true", 4) == 0) {
        r->at += 4;
        *value = true;
        return true;
    }
    if (c == 'f' && left >= 5 && memcmp(text, "false", 5) == 0) {
        r->at += 5;
        *value = false;
        return true;
    }
    return fail(r, "true or false is expected");
}

/* Four hex digits, in either case; -1 when they are not. */
static int32_t hex4(const char *text)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)text[i], lower = c | 0x20;
        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static bool is_surrogate(int32_t unit, int32_t from)
{
    return unit >= from && unit < from + 0x400;
}

/* The length of the \u escape at `text`, or of the pair of surrogates, and its code point; 0 when it is none. */
static size_t unicode_escape(const char *text, size_t left, uint32_t *code)
{
    int32_t unit = left >= 6 ? hex4(text + 2) : -1;
    if (unit < 0 || is_surrogate(unit, 0xdc00))
        return 0;
    *code = (uint32_t)unit;
    if (!is_surrogate(unit, 0xd800))
        return 6;
    int32_t low = left >= 12 && text[6] == '\\' && text[7] == 'u' ? hex4(text + 8) : -1;
    if (!is_surrogate(low, 0xdc00))
        return 0;
    *code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    return 12;
}

/* The length of the escape at `text`, which is a backslash, and what it stands for; 0 when JSON has no such escape. */
static size_t read_escape(const char *text, size_t left, uint32_t *code)
{
    static const char stands_for[128] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    if (left < 2)
        return 0;
    if (text[1] == 'u')
        return unicode_escape(text, left, code);
    *code = (unsigned char)text[1] < 0x80 ? (uint32_t)stands_for[(unsigned char)text[1]] : 0;
    return *code == 0 ? 0 : 2;
}

/* Whether the canonical form writes `code` with this escape: the short one where there is one, else \u00xx in lower case. */
static bool is_minimal_escape(const char *text, size_t length, uint32_t code)
{
    if (length == 2)
        return code != '/';
    bool has_short = code == '\b' || code == '\t' || code == '\n' || code == '\f' || code == '\r';
    return code < 0x20 && !has_short && (text[5] <= '9' || text[5] >= 'a');
}

/* The length of what stands at `text` and is not plain: an escape or a character beyond ASCII; 0 after a fault. */
static size_t check_special(rf_json_reader *r, const char *text, size_t left)
{
    uint32_t code;
    size_t n;
    if ((unsigned char)*text < 0x20) {
        fail(r, "a control character in a string");
        return 0;
    }
    if (*text != '\\') {
        n = rf_utf8_next(text, left, &code);
        if (n == 0)
            fail(r, "invalid UTF-8");
        return n;
    }
    n = read_escape(text, left, &code);
    if (n == 0) {
        fail(r, "an invalid escape");
    } else if (r->strict && !is_minimal_escape(text, n, code)) {
        fail(r, "an escape that the canonical form does not use");
        n = 0;
    }
    return n;
}

bool rf_json_take_string(rf_json_reader *r, rf_json_text *text)
{
    if (!take_byte(r, '"', "a string is expected"))
        return false;
    size_t from = r->at;
    bool escaped = false;
    for (;;) {
        r->at += rf_json_plain_length(r->in + r->at, r->length - r->at);
        if (r->at == r->length)
            return fail(r, "a string without its end");
        char c = r->in[r->at];
        if (c == '"')
            break;
        size_t n = check_special(r, r->in + r->at, r->length - r->at);
        if (n == 0)
            return false;
        escaped = escaped || c == '\\';
        r->at += n;
    }
    *text = (rf_json_text){r->in + from, r->at - from, escaped};
    r->at++;
    return true;
}

static bool skip_value(rf_json_reader *r);

static bool skip_object(rf_json_reader *r)
{
    const char *name;
    size_t length;
    if (!rf_json_enter_object(r))
        return false;
    while (rf_json_next_key(r, &name, &length)) {
        if (!skip_value(r))
            return false;
    }
    return r->fault == NULL;
}

static bool skip_array(rf_json_reader *r)
{
    if (!rf_json_enter_array(r))
        return false;
    while (rf_json_next_element(r)) {
        if (!skip_value(r))
            return false;
    }
    return r->fault == NULL;
}

/* Takes and checks a value. The recursion ends at RF_JSON_DEPTH. */
static bool skip_value(rf_json_reader *r)
{
    rf_json_text text;
    int64_t number;
    bool truth;
    switch (rf_json_peek(r)) {
    case RF_JSON_OBJECT:
        return skip_object(r);
    case RF_JSON_ARRAY:
        return skip_array(r);
    case RF_JSON_STRING:
        return rf_json_take_string(r, &text);
    case RF_JSON_INT:
        return rf_json_take_int(r, &number);
    case RF_JSON_BOOL:
        return rf_json_take_bool(r, &truth);
    default:
        return fail(r, "a value is expected");
    }
}

bool rf_json_take_any(rf_json_reader *r, const char **json, size_t *length)
{
    skip_space(r);
    size_t from = r->at;
    if (!skip_value(r))
        return false;
    *json = r->in + from;
    *length = r->at - from;
    return true;
}

bool rf_json_done(rf_json_reader *r)
{
    skip_space(r);
    return r->fault == NULL && r->depth == 0 && r->at == r->length;
}

/* --- decoding --- */

static size_t put_utf8(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

size_t rf_json_unescape(const rf_json_text *text, char *out, size_t cap)
{
    size_t length = 0;
    for (size_t at = 0; at < text->length;) {
        const char *from = text->text + at;
        size_t left = text->length - at, taken, bytes;
        char decoded[4];
        const char *piece = from;
        if (*from == '\\') {
            uint32_t code = 0;
            taken = read_escape(from, left, &code);
            bytes = put_utf8(decoded, code);
            piece = decoded;
        } else {
            const char *escape = memchr(from, '\\', left);
            taken = bytes = escape == NULL ? left : (size_t)(escape - from);
        }
        if (taken == 0 || bytes > cap - length)
            return SIZE_MAX;
        memcpy(out + length, piece, bytes);
        length += bytes;
        at += taken;
    }
    return length;
}
