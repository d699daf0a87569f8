/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON: what the strict reader accepts is rewritten to the same bytes, and the canonical form of anything is accepted and its own. */
#include "fuzz.h"
#include "json.h"

static void rewrite_value(rf_json_reader *r, rf_json_writer *w);

static void rewrite_object(rf_json_reader *r, rf_json_writer *w)
{
    const char *name;
    size_t length;
    fuzz_require(rf_json_enter_object(r), "an object that was accepted is entered");
    rf_json_begin_object(w);
    while (rf_json_next_key(r, &name, &length)) {
        rf_json_key(w, name, length);
        rewrite_value(r, w);
    }
    rf_json_end_object(w);
}

static void rewrite_array(rf_json_reader *r, rf_json_writer *w)
{
    fuzz_require(rf_json_enter_array(r), "an array that was accepted is entered");
    rf_json_begin_array(w);
    while (rf_json_next_element(r))
        rewrite_value(r, w);
    rf_json_end_array(w);
}

static void rewrite_string(rf_json_reader *r, rf_json_writer *w)
{
    rf_json_text text;
    fuzz_require(rf_json_take_string(r, &text), "a string that was accepted is taken");
    char *plain = fuzz_alloc(text.length);
    size_t length = rf_json_unescape(&text, plain, text.length);
    fuzz_require(length <= text.length, "a string does not grow when its escapes are decoded");
    fuzz_require(text.escaped || fuzz_same(plain, length, text.text, text.length), "a plain string is its own text");
    rf_json_string(w, plain, length);
    free(plain);
}

static void rewrite_value(rf_json_reader *r, rf_json_writer *w)
{
    int64_t number = 0;
    bool truth = false;
    switch (rf_json_peek(r)) {
    case RF_JSON_OBJECT:
        rewrite_object(r, w);
        break;
    case RF_JSON_ARRAY:
        rewrite_array(r, w);
        break;
    case RF_JSON_STRING:
        rewrite_string(r, w);
        break;
    case RF_JSON_INT:
        fuzz_require(rf_json_take_int(r, &number), "an integer that was accepted is taken");
        rf_json_int(w, number);
        break;
    case RF_JSON_BOOL:
        fuzz_require(rf_json_take_bool(r, &truth), "a boolean that was accepted is taken");
        rf_json_bool(w, truth);
        break;
    default:
        fuzz_require(false, "a value that was accepted is there");
    }
}

static bool accepted(const char *json, size_t length, bool strict)
{
    rf_json_reader r;
    const char *value = NULL;
    size_t value_length = 0;
    rf_json_reader_init(&r, json, length, strict);
    bool good = rf_json_take_any(&r, &value, &value_length) && rf_json_done(&r);
    fuzz_require(!good || !strict || fuzz_same(value, value_length, json, length),
                 "a strict value is all of what was read");
    fuzz_require(good || r.fault != NULL || r.at < length, "what is refused has a fault, or bytes that follow");
    return good;
}

static void check_strict(const char *json, size_t length)
{
    rf_json_reader r;
    rf_json_writer w;
    char *out = fuzz_alloc(length);
    rf_json_reader_init(&r, json, length, true);
    rf_json_init(&w, out, length);
    rewrite_value(&r, &w);
    fuzz_require(rf_json_done(&r) && w.ok && fuzz_same(out, w.length, json, length),
                 "what the strict reader accepts is written as the same bytes");
    free(out);
}

/* Whether the name at `at` stands between quotes more than once. */
static bool stands_twice(const char *json, size_t length, size_t at)
{
    const char *end = memchr(json + at, '"', length - at);
    fuzz_require(at > 0 && end != NULL, "a name stands between quotes");
    const char *quoted = json + at - 1;
    const size_t n = (size_t)(end - quoted) + 1;
    size_t found = 0;
    for (const char *p = json; p != NULL; found++) {
        p = memmem(p, length - (size_t)(p - json), quoted, n);
        if (p == NULL)
            break;
        p++;
    }
    return found > 1;
}

static void check_refusal(const char *json, size_t length, bool strict, const char *fault, size_t at)
{
    fuzz_require(fault != NULL && at <= length, "a refusal names its fault, and where it is");
    const bool many = strcmp(fault, "too many members") == 0, twice = strcmp(fault, "a name twice") == 0;
    fuzz_require(!strict || many, "canonical bytes have a canonical form");
    fuzz_require(many || twice || !accepted(json, length, false), "what is accepted unstrictly has a canonical form");
    fuzz_require(!twice || stands_twice(json, length, at), "a name that is refused stands there twice");
}

static void check_canonical(const char *json, size_t length, bool strict)
{
    const char *fault = NULL;
    size_t at = 0;
    char *once = fuzz_alloc(length), *twice = fuzz_alloc(length);
    size_t n = rf_json_canonicalise(json, length, once, length, &fault, &at);
    if (n == SIZE_MAX) {
        check_refusal(json, length, strict, fault, at);
    } else {
        fuzz_require(accepted(json, length, false), "what is rewritten is accepted unstrictly");
        fuzz_require(n <= length && accepted(once, n, true), "the canonical form is accepted strictly");
        fuzz_require(fuzz_same(once, n, twice, rf_json_canonicalise(once, n, twice, n, &fault, &at)),
                     "the canonical form is its own");
        fuzz_require(!strict || fuzz_same(once, n, json, length), "canonical bytes are their own canonical form");
    }
    free(once);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    bool strict = accepted(json, size, true);
    fuzz_require(!strict || accepted(json, size, false), "what is accepted strictly is accepted unstrictly");
    if (strict)
        check_strict(json, size);
    check_canonical(json, size, strict);
    return 0;
}
