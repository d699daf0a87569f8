/* SPDX-License-Identifier: Apache-2.0 */
/* The one pass over a sale's bytes. */
#include "sale.h"

#include "bytes.h"
#include "json_scan.h"
#include "record.h"
#include "timestamp.h"
#include <string.h>

enum {
    TEXT_MAX = 512, /* as the decoder has it */
    WORD_MAX = RAFFLE_WORD_MAX
};

/* The bytes that are left. A read that goes wrong makes `good` false, and leaves the rest alone. */
typedef struct scan {
    const char *at, *end;
    bool good;
} scan;

static inline size_t left(const scan *s)
{
    return (size_t)(s->end - s->at);
}

static inline void fixed(scan *s, const char *bytes, size_t length)
{
    if (!s->good || left(s) < length || memcmp(s->at, bytes, length) != 0) {
        s->good = false;
        return;
    }
    s->at += length;
}

#define FIXED(s, text) fixed(s, text, sizeof(text) - 1)

/* Whether these bytes come next; they are not required. */
static inline bool follows(const scan *s, const char *bytes, size_t length)
{
    return s->good && left(s) >= length && memcmp(s->at, bytes, length) == 0;
}

/* 0, or digits that do not begin with 0, within 2^53-1; the byte after it is the caller's to check. */
static inline int64_t integer(scan *s)
{
    const char *from = s->at;
    uint64_t value = 0;
    while (s->at < s->end && s->at - from < 17 && (unsigned char)(*s->at - '0') <= 9)
        value = value * 10 + (uint64_t)(*s->at++ - '0');
    if (s->at == from || value > (uint64_t)RF_JSON_INT_MAX || (*from == '0' && s->at - from > 1))
        s->good = false;
    return (int64_t)value;
}

/* The length of the plain ASCII text that comes next, which a quote must end; 0 when there is none. DEL is plain to JSON and not to us. */
static inline size_t text(scan *s, size_t max)
{
    if (!s->good)
        return 0;
    size_t n = rf_json_plain_length(s->at, left(s));
    if (n == 0 || n > max || n == left(s) || s->at[n] != '"' || memchr(s->at, 0x7f, n) != NULL) {
        s->good = false;
        return 0;
    }
    s->at += n;
    return n;
}

static inline void read_time(scan *s, rf_sale_memory *m, int64_t *at)
{
    if (!s->good || left(s) < RF_TIME_LENGTH) {
        s->good = false;
        return;
    }
    if (!m->at_known || memcmp(m->at_text, s->at, RF_TIME_LENGTH) != 0) {
        m->at_known = rf_time_parse(s->at, RF_TIME_LENGTH, &m->at);
        if (!m->at_known) {
            s->good = false;
            return;
        }
        memcpy(m->at_text, s->at, RF_TIME_LENGTH);
    }
    *at = m->at;
    s->at += RF_TIME_LENGTH;
}

static inline void read_role(scan *s, rf_sale_memory *m, raffle_role *by)
{
    const char *from = s->at;
    size_t n = text(s, sizeof m->by_text - 1);
    if (!s->good)
        return;
    if (n != m->by_length || memcmp(from, m->by_text, n) != 0) {
        memcpy(m->by_text, from, n);
        m->by_text[n] = 0;
        m->by_length = n;
        m->by = raffle_role_parse(m->by_text);
    }
    s->good = m->by != 0;
    *by = m->by;
}

static inline void read_tier(scan *s, rf_sale_memory *m, const rf_rules *rules, int *tier)
{
    const char *from = s->at;
    size_t n = text(s, WORD_MAX);
    if (!s->good)
        return;
    const char *last = rules->tier[m->tier].name;
    if (memcmp(last, from, n) != 0 || last[n] != 0)
        m->tier = rf_rules_tier(rules, from, n);
    s->good = m->tier >= 0;
    *tier = m->tier;
    m->tier = m->tier < 0 ? 0 : m->tier;
}

static inline bool is_hex(const char *digits, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good &= (unsigned char)(digits[i] - '0') <= 9 || (unsigned char)(digits[i] - 'a') <= 5;
    return good;
}

bool rf_sale_read(rf_sale_memory *memory, const rf_rules *rules, const char *leaf, size_t length, rf_sale_leaf *out)
{
    scan s = {leaf, leaf + length, true};
    FIXED(&s, "{\"at\":\"");
    read_time(&s, memory, &out->at);
    FIXED(&s, "\",\"by\":\"");
    read_role(&s, memory, &out->by);
    FIXED(&s, "\",\"count\":");
    out->count = integer(&s);
    FIXED(&s, ",\"n\":");
    out->n = integer(&s);
    FIXED(&s, ",\"p\":\"");
    if (!s.good || left(&s) < 64 || !is_hex(s.at, 64))
        return false;
    out->p = s.at;
    s.at += 64;
    FIXED(&s, "\",\"price\":");
    out->price = integer(&s);
    FIXED(&s, ",\"t\":\"sale\",\"tier\":\"");
    read_tier(&s, memory, rules, &out->tier);
    FIXED(&s, "\"}");
    return s.good && s.at == s.end && out->n >= 1;
}

/* A member that need not be there, with a text, whose length it returns; `name` as it stands, from the comma to the opening quote. */
static inline size_t optional(scan *s, const char *name, size_t length, size_t max)
{
    if (!follows(s, name, length))
        return 0;
    s->at += length;
    const size_t n = text(s, max);
    FIXED(s, "\"");
    return n;
}

#define OPTIONAL(s, name, max) optional(s, name, sizeof(name) - 1, max)

static inline void read_channel(scan *s)
{
    if (!follows(s, ",\"channel\":\"", 12))
        return;
    s->at += 12;
    const char *from = s->at;
    size_t n = text(s, WORD_MAX);
    FIXED(s, "\"");
    s->good = s->good && rf_word_valid(from, n, WORD_MAX);
}

bool rf_sale_read_private(const char *json, size_t length, rf_sale_private *out)
{
    scan s = {json, json + length, true};
    FIXED(&s, "{\"actor\":\"");
    (void)text(&s, TEXT_MAX);
    FIXED(&s, "\"");
    out->buyer = s.at + sizeof(",\"buyer\":\"") - 1;
    out->buyer_length = OPTIONAL(&s, ",\"buyer\":\"", TEXT_MAX);
    read_channel(&s);
    FIXED(&s, ",\"line\":");
    out->line = integer(&s);
    FIXED(&s, ",\"lines\":");
    out->lines = integer(&s);
    FIXED(&s, ",\"order\":\"");
    out->order = s.at;
    out->order_length = text(&s, TEXT_MAX);
    FIXED(&s, "\"");
    (void)OPTIONAL(&s, ",\"payment\":\"", TEXT_MAX);
    FIXED(&s, ",\"salt\":\"");
    if (!s.good || left(&s) != 34 || !is_hex(s.at, 32))
        return false;
    s.at += 32;
    FIXED(&s, "\"}");
    return s.good;
}
