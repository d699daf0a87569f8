/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a case of a vector file: strings, hex, numbers and lists, decoded into the case's scratch memory. */
#include "vectors_impl.h"

#include "bytes.h"
#include <stdalign.h>
#include <string.h>

static void fault(rf_vector *v, const char *member)
{
    if (v->fault == NULL)
        v->fault = member;
}

void *rf_vector_memory(rf_vector *v, size_t size)
{
    const size_t align = alignof(max_align_t), from = (v->used + align - 1) / align * align;
    if (from > v->cap || size > v->cap - from) {
        v->exhausted = true;
        return NULL;
    }
    v->used = from + size;
    return v->scratch + from;
}

bool rf_span_is(rf_span a, const void *data, size_t length)
{
    return a.length == length && (length == 0 || memcmp(a.data, data, length) == 0);
}

static const rf_vector_member *find(const rf_vector *v, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < v->members; i++) {
        if (v->member[i].name_length == length && memcmp(v->member[i].name, name, length) == 0)
            return &v->member[i];
    }
    return NULL;
}

bool rf_vector_has(const rf_vector *v, const char *member)
{
    return find(v, member) != NULL;
}

/* A reader over the member's value; over nothing when it is missing, which fails at the first take. */
static rf_json_reader reader_of(const rf_vector *v, const char *member)
{
    rf_json_reader r;
    const rf_vector_member *m = find(v, member);
    rf_json_reader_init(&r, m == NULL ? "" : m->json, m == NULL ? 0 : m->length, false);
    return r;
}

/* --- strings and hex --- */

static bool take_text(rf_vector *v, rf_json_reader *r, rf_span *out)
{
    rf_json_text text;
    if (!rf_json_take_string(r, &text))
        return false;
    char *decoded = rf_vector_memory(v, text.length + 1);
    const size_t length = decoded == NULL ? SIZE_MAX : rf_json_unescape(&text, decoded, text.length);
    if (length == SIZE_MAX)
        return false;
    decoded[length] = '\0';
    *out = (rf_span){decoded, length};
    return true;
}

static bool take_hex(rf_vector *v, rf_json_reader *r, rf_span *out)
{
    rf_json_text text;
    if (!rf_json_take_string(r, &text))
        return false;
    uint8_t *bytes = rf_vector_memory(v, text.length / 2 + 1);
    if (bytes == NULL || !rf_hex_decode(bytes, text.length / 2, text.text, text.length))
        return false;
    *out = (rf_span){bytes, text.length / 2};
    return true;
}

rf_span rf_vector_text(rf_vector *v, const char *member)
{
    rf_json_reader r = reader_of(v, member);
    rf_span out = {"", 0};
    if (!take_text(v, &r, &out))
        fault(v, member);
    return out;
}

bool rf_vector_is(rf_vector *v, const char *member, const char *text)
{
    return rf_span_is(rf_vector_text(v, member), text, strlen(text));
}

rf_span rf_vector_hex(rf_vector *v, const char *member)
{
    rf_json_reader r = reader_of(v, member);
    rf_span out = {"", 0};
    if (!take_hex(v, &r, &out))
        fault(v, member);
    return out;
}

rf_span rf_vector_hex_if(rf_vector *v, const char *member)
{
    return rf_vector_has(v, member) ? rf_vector_hex(v, member) : (rf_span){"", 0};
}

void rf_vector_bytes(rf_vector *v, const char *member, uint8_t *out, size_t n)
{
    const rf_span bytes = rf_vector_hex(v, member);
    memset(out, 0, n);
    if (bytes.length == n)
        memcpy(out, bytes.data, n);
    else
        fault(v, member);
}

rf_span rf_vector_text_or_hex(rf_vector *v, const char *text, const char *hex)
{
    return rf_vector_has(v, text) ? rf_vector_text(v, text) : rf_vector_hex(v, hex);
}

/* --- numbers --- */

uint64_t rf_vector_number(rf_vector *v, const char *member)
{
    rf_json_reader r = reader_of(v, member);
    rf_json_text text;
    int64_t integer = -1;
    uint64_t number = 0;
    if (rf_json_peek(&r) == RF_JSON_STRING && rf_json_take_string(&r, &text) &&
        rf_decimal_parse(text.text, text.length, UINT64_MAX, &number))
        return number;
    if (rf_json_take_int(&r, &integer) && integer >= 0)
        return (uint64_t)integer;
    fault(v, member);
    return 0;
}

bool rf_vector_bool(rf_vector *v, const char *member)
{
    rf_json_reader r = reader_of(v, member);
    bool value = false;
    if (!rf_json_take_bool(&r, &value))
        fault(v, member);
    return value;
}

/* --- lists --- */

static size_t count(rf_json_reader r)
{
    const char *json;
    size_t n = 0, length;
    if (!rf_json_enter_array(&r))
        return 0;
    while (rf_json_next_element(&r) && rf_json_take_any(&r, &json, &length))
        n++;
    return n;
}

static const rf_span *list(rf_vector *v, const char *member, bool (*take)(rf_vector *, rf_json_reader *, rf_span *),
                           size_t *n)
{
    rf_json_reader r = reader_of(v, member);
    const size_t elements = count(r);
    rf_span *items = rf_vector_memory(v, (elements + 1) * sizeof *items);
    bool ok = items != NULL && rf_json_enter_array(&r);
    *n = 0;
    while (ok && rf_json_next_element(&r)) {
        ok = *n < elements && take(v, &r, &items[*n]);
        *n += ok;
    }
    if (!ok || r.fault != NULL) {
        fault(v, member);
        *n = 0;
    }
    return items;
}

const rf_span *rf_vector_list(rf_vector *v, const char *member, size_t *n)
{
    return list(v, member, take_text, n);
}

const rf_span *rf_vector_hex_list(rf_vector *v, const char *member, size_t *n)
{
    return list(v, member, take_hex, n);
}

const uint8_t (*rf_vector_hashes(rf_vector *v, const char *member, size_t *n))[32]
{
    const rf_span *items = list(v, member, take_hex, n);
    uint8_t(*hashes)[32] = rf_vector_memory(v, (*n + 1) * sizeof *hashes);
    for (size_t i = 0; hashes != NULL && i < *n; i++) {
        if (items[i].length == 32) {
            memcpy(hashes[i], items[i].data, 32);
        } else {
            fault(v, member);
            memset(hashes[i], 0, 32);
        }
    }
    if (hashes == NULL)
        *n = 0;
    return (const uint8_t(*)[32])hashes;
}

/* --- what a case claims --- */

bool rf_vector_hash_is(rf_vector *v, const char *member, const uint8_t hash[32])
{
    uint8_t expected[32];
    rf_vector_bytes(v, member, expected, sizeof expected);
    return memcmp(expected, hash, sizeof expected) == 0;
}

bool rf_vector_number_is(rf_vector *v, const char *member, uint64_t number)
{
    return !rf_vector_has(v, member) || rf_vector_number(v, member) == number;
}

bool rf_vector_kind_fault(rf_vector *v)
{
    fault(v, "kind");
    return false;
}
