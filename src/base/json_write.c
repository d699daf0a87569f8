/* SPDX-License-Identifier: Apache-2.0 */
/* Writing canonical JSON (the profile "libraffle-rec-1") into the caller's buffer, and rewriting any JSON of the profile as such. */
#include "bytes.h"
#include "json.h"
#include "json_scan.h"

#include <string.h>

void rf_json_init(rf_json_writer *w, char *out, size_t cap)
{
    *w = (rf_json_writer){out, cap, 0, true, false};
}

/* Room for `n` more bytes, or the writer fails for good. */
static bool has_room(rf_json_writer *w, size_t n)
{
    if (w->ok && w->cap - w->length >= n)
        return true;
    w->ok = false;
    return false;
}

static void put(rf_json_writer *w, const char *bytes, size_t n)
{
    memcpy(w->out + w->length, bytes, n);
    w->length += n;
}

static void put_char(rf_json_writer *w, char c)
{
    w->out[w->length++] = c;
}

/* Writes the comma that a value or a name needs before it; false when there is no room for that and `n` bytes. */
static bool begin(rf_json_writer *w, size_t n)
{
    if (!has_room(w, n + w->comma))
        return false;
    if (w->comma)
        put_char(w, ',');
    w->comma = true;
    return true;
}

static void open_bracket(rf_json_writer *w, char bracket)
{
    if (!begin(w, 1))
        return;
    put_char(w, bracket);
    w->comma = false;
}

static void close_bracket(rf_json_writer *w, char bracket)
{
    if (!has_room(w, 1))
        return;
    put_char(w, bracket);
    w->comma = true;
}

void rf_json_begin_object(rf_json_writer *w)
{
    open_bracket(w, '{');
}

void rf_json_end_object(rf_json_writer *w)
{
    close_bracket(w, '}');
}

void rf_json_begin_array(rf_json_writer *w)
{
    open_bracket(w, '[');
}

void rf_json_end_array(rf_json_writer *w)
{
    close_bracket(w, ']');
}

void rf_json_key(rf_json_writer *w, const char *name, size_t length)
{
    if (!begin(w, length + 3))
        return;
    put_char(w, '"');
    put(w, name, length);
    put_char(w, '"');
    put_char(w, ':');
    w->comma = false;
}

static const char two_digits[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414"
                                 "2434445464748495051525354555657585960616263646566676869"
                                 "707172737475767778798081828384858687888990919293949596979899";

void rf_json_int(rf_json_writer *w, int64_t value)
{
    if (value > RF_JSON_INT_MAX || value < -RF_JSON_INT_MAX) {
        w->ok = false;
        return;
    }
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = (uint64_t)(value < 0 ? -value : value);
    while (rest >= 100) { /* two at a time: half the divisions */
        memcpy(&digits[at -= 2], &two_digits[rest % 100 * 2], 2);
        rest /= 100;
    }
    if (rest >= 10)
        digits[--at] = two_digits[rest * 2 + 1];
    digits[--at] = rest >= 10 ? two_digits[rest * 2] : (char)('0' + rest);
    if (value < 0)
        digits[--at] = '-';
    if (begin(w, sizeof digits - at))
        put(w, digits + at, sizeof digits - at);
}

void rf_json_bool(rf_json_writer *w, bool value)
{
    size_t n = value ? 4 : 5;
    if (begin(w, n))
        put(w, value ? "true" : "false", n);
}

void rf_json_hex(rf_json_writer *w, const uint8_t *bytes, size_t n)
{
    if (n > SIZE_MAX / 2 - 3) {
        w->ok = false;
        return;
    }
    if (!begin(w, 2 * n + 2))
        return;
    put_char(w, '"');
    rf_hex_encode(w->out + w->length, bytes, n);
    w->length += 2 * n;
    put_char(w, '"');
}

void rf_json_raw(rf_json_writer *w, const char *json, size_t length)
{
    if (begin(w, length))
        put(w, json, length);
}

/* RFC 8785 section 3.2.2.2: the short form of a character that must be escaped where there is one, else \u00xx. */
static void put_escape(rf_json_writer *w, uint8_t c)
{
    static const char names[128] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char escape[6] = {'\\', names[c], '0', '0'};
    size_t n = 2;
    if (names[c] == '\0') {
        escape[1] = 'u';
        rf_hex_encode(escape + 4, &c, 1);
        n = 6;
    }
    if (has_room(w, n))
        put(w, escape, n);
}

/* Text between quotes: runs of plain characters, escapes, and UTF-8 as it is. */
static void put_text(rf_json_writer *w, const char *text, size_t length)
{
    for (size_t at = 0; at < length && w->ok;) {
        size_t n = rf_json_plain_length(text + at, length - at);
        if (n == 0 && (unsigned char)text[at] < 0x80) {
            put_escape(w, (uint8_t)text[at++]);
            continue;
        }
        uint32_t code;
        if (n == 0 && (n = rf_utf8_next(text + at, length - at, &code)) == 0)
            w->ok = false;
        else if (has_room(w, n))
            put(w, text + at, n);
        at += n;
    }
}

void rf_json_string(rf_json_writer *w, const char *text, size_t length)
{
    if (!begin(w, 1))
        return;
    put_char(w, '"');
    put_text(w, text, length);
    if (has_room(w, 1))
        put_char(w, '"');
}

/* --- rewriting --- */

typedef struct member {
    uint32_t name_at, name_length, value_at;
} member;

typedef struct rewriter {
    rf_json_reader in;
    rf_json_writer out;
    size_t members; /* of the objects that are open */
    member member[RF_JSON_MEMBERS];
} rewriter;

static bool refuse(rewriter *c, size_t at, const char *fault)
{
    if (c->in.fault == NULL) {
        c->in.fault = fault;
        c->in.at = at;
    }
    return false;
}

/* The escape that `text` begins with, as the bytes it stands for; its length is added to *at. */
static void rewrite_escape(rf_json_writer *w, const rf_json_text *text, size_t *at)
{
    const char *escape = text->text + *at;
    size_t left = text->length - *at, n = escape[1] != 'u' ? 2 : 6;
    bool high = n == 6 && left >= 12 && (escape[2] | 0x20) == 'd' && strchr("89abAB", escape[3]) != NULL;
    n = high ? 12 : n;
    char decoded[4];
    size_t bytes = rf_json_unescape(&(rf_json_text){escape, n, true}, decoded, sizeof decoded);
    if (bytes == SIZE_MAX)
        w->ok = false;
    else
        put_text(w, decoded, bytes);
    *at += n;
}

static void rewrite_string(rf_json_writer *w, const rf_json_text *text)
{
    if (!begin(w, 1))
        return;
    put_char(w, '"');
    for (size_t at = 0; at < text->length && w->ok;) {
        const char *escape = memchr(text->text + at, '\\', text->length - at);
        size_t end = escape == NULL ? text->length : (size_t)(escape - text->text);
        put_text(w, text->text + at, end - at);
        at = end;
        if (escape != NULL)
            rewrite_escape(w, text, &at);
    }
    if (has_room(w, 1))
        put_char(w, '"');
}

/* As memcmp() and then the shorter first: the order of names. */
static int compare_names(const char *in, const member *a, const member *b)
{
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(in + a->name_at, in + b->name_at, shorter);
    return order != 0 ? order : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

/* Reads an object's members, checking their values, and keeps where they stand in the order of their names: by insertion, which is one
 * comparison for a member that is in its place, and bounded by RF_JSON_MEMBERS for the others. */
static bool collect_members(rewriter *c, size_t first)
{
    const char *name, *value;
    size_t name_length, length;
    while (rf_json_next_key(&c->in, &name, &name_length)) {
        if (c->members == RF_JSON_MEMBERS)
            return refuse(c, c->in.at, "too many members");
        if (!rf_json_take_any(&c->in, &value, &length))
            return false;
        member m = {(uint32_t)(name - c->in.in), (uint32_t)name_length, (uint32_t)(value - c->in.in)};
        size_t at = c->members++;
        int order = -1;
        for (; at > first && (order = compare_names(c->in.in, &c->member[at - 1], &m)) > 0; at--)
            c->member[at] = c->member[at - 1];
        if (at > first && order == 0)
            return refuse(c, m.name_at, "a name twice");
        c->member[at] = m;
    }
    return c->in.fault == NULL;
}

static bool rewrite_value(rewriter *c);

/* Every member is read twice at each depth, so input of the greatest depth RF_JSON_DEPTH times. */
static bool rewrite_object(rewriter *c)
{
    size_t first = c->members;
    if (!rf_json_enter_object(&c->in) || !collect_members(c, first))
        return false;
    size_t end = c->in.at;
    rf_json_begin_object(&c->out);
    for (size_t i = first; i < c->members; i++) {
        rf_json_key(&c->out, c->in.in + c->member[i].name_at, c->member[i].name_length);
        c->in.at = c->member[i].value_at;
        if (!rewrite_value(c))
            return false;
    }
    rf_json_end_object(&c->out);
    c->in.at = end;
    c->members = first;
    return true;
}

static bool rewrite_array(rewriter *c)
{
    if (!rf_json_enter_array(&c->in))
        return false;
    rf_json_begin_array(&c->out);
    while (rf_json_next_element(&c->in)) {
        if (!rewrite_value(c))
            return false;
    }
    rf_json_end_array(&c->out);
    return c->in.fault == NULL;
}

static bool rewrite_scalar(rewriter *c, rf_json_type type)
{
    rf_json_text text;
    int64_t number;
    bool truth;
    if (type == RF_JSON_STRING && rf_json_take_string(&c->in, &text))
        rewrite_string(&c->out, &text);
    else if (type == RF_JSON_BOOL && rf_json_take_bool(&c->in, &truth))
        rf_json_bool(&c->out, truth);
    else if (type != RF_JSON_STRING && type != RF_JSON_BOOL && rf_json_take_int(&c->in, &number))
        rf_json_int(&c->out, number);
    return c->in.fault == NULL;
}

static bool rewrite_value(rewriter *c)
{
    rf_json_type type = rf_json_peek(&c->in);
    if (type == RF_JSON_OBJECT)
        return rewrite_object(c);
    return type == RF_JSON_ARRAY ? rewrite_array(c) : rewrite_scalar(c, type);
}

size_t rf_json_canonicalise(const char *in, size_t length, char *out, size_t cap, const char **fault, size_t *at)
{
    rewriter c;
    c.members = 0;
    rf_json_reader_init(&c.in, in, length, false);
    rf_json_init(&c.out, out, cap);
    if (length > UINT32_MAX)
        refuse(&c, 0, "too long");
    else if (rewrite_value(&c) && !rf_json_done(&c.in))
        refuse(&c, c.in.at, "more after the value");
    if (!c.out.ok)
        refuse(&c, c.in.at, "no room for the canonical form");
    if (c.in.fault == NULL)
        return c.out.length;
    *fault = c.in.fault;
    *at = c.in.at;
    return SIZE_MAX;
}
