/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON: the vectors against reader, writer and rewriting, every cut and every changed byte of a record, and the limits. */
#include "bytes.h"
#include "json.h"
#include "vectors.h"

/* Input in memory of exactly its size, so that reading beyond it is seen by the address sanitizer. */
static char *exact_copy(const char *bytes, size_t length)
{
    char *copy = malloc(length == 0 ? 1 : length);
    ck_assert(copy != NULL);
    memcpy(copy, bytes, length);
    return copy;
}

static bool is_canonical(const char *bytes, size_t length)
{
    char *in = exact_copy(bytes, length);
    rf_json_reader r;
    const char *json;
    size_t n;
    rf_json_reader_init(&r, in, length, true);
    bool ok = rf_json_take_any(&r, &json, &n) && rf_json_done(&r);
    ck_assert(!ok || (json == in && n == length));
    ck_assert(ok || r.fault != NULL || r.at < length);
    free(in);
    return ok;
}

/* Into a buffer that is as large as the input, as the header promises to be enough. SIZE_MAX when refused. */
static size_t rewrite(const char *bytes, size_t length, char *out)
{
    char *in = exact_copy(bytes, length), *exact = malloc(length == 0 ? 1 : length);
    const char *fault = NULL;
    size_t at = SIZE_MAX, n = rf_json_canonicalise(in, length, exact, length, &fault, &at);
    ck_assert((n == SIZE_MAX) == (fault != NULL));
    ck_assert(n == SIZE_MAX ? at <= length : n <= length);
    if (n != SIZE_MAX)
        memcpy(out, exact, n);
    free(in);
    free(exact);
    return n;
}

/* Reads a value and writes it again through the writer's calls. */
static void copy_value(rf_json_reader *r, rf_json_writer *w)
{
    const char *name;
    size_t length;
    rf_json_text text;
    int64_t number;
    bool truth;
    char decoded[1024];
    switch (rf_json_peek(r)) {
    case RF_JSON_OBJECT:
        ck_assert(rf_json_enter_object(r));
        rf_json_begin_object(w);
        while (rf_json_next_key(r, &name, &length)) {
            rf_json_key(w, name, length);
            copy_value(r, w);
        }
        rf_json_end_object(w);
        break;
    case RF_JSON_ARRAY:
        ck_assert(rf_json_enter_array(r));
        rf_json_begin_array(w);
        while (rf_json_next_element(r))
            copy_value(r, w);
        rf_json_end_array(w);
        break;
    case RF_JSON_STRING:
        ck_assert(rf_json_take_string(r, &text));
        length = rf_json_unescape(&text, decoded, sizeof decoded);
        ck_assert(text.escaped == (memchr(text.text, '\\', text.length) != NULL));
        rf_json_string(w, decoded, length);
        break;
    case RF_JSON_INT:
        ck_assert(rf_json_take_int(r, &number));
        rf_json_int(w, number);
        break;
    case RF_JSON_BOOL:
        ck_assert(rf_json_take_bool(r, &truth));
        rf_json_bool(w, truth);
        break;
    default:
        ck_abort_msg("no value: %s", r->fault);
    }
}

/* The writer makes the same bytes of what the reader read, in a buffer of just their length, and refuses any shorter one. */
static void check_writer(const char *json, size_t length, const char *name)
{
    for (size_t cap = length; cap + 3 > length && cap <= length; cap--) {
        char *out = malloc(cap == 0 ? 1 : cap);
        rf_json_reader r;
        rf_json_writer w;
        rf_json_reader_init(&r, json, length, true);
        rf_json_init(&w, out, cap);
        copy_value(&r, &w);
        ck_assert_msg(rf_json_done(&r), "%s", name);
        ck_assert_msg(w.ok == (cap == length), "%s with %zu bytes of %zu", name, cap, length);
        ck_assert_msg(!w.ok || (w.length == length && memcmp(out, json, length) == 0), "%s", name);
        free(out);
    }
}

static void check_vector(const json_t *vector)
{
    char in[16384], out[16384];
    const char *name = vector_name(vector);
    size_t length = vector_bytes(vector, "text", "hex", in, sizeof in);
    if (vector_is(vector, "canonical")) {
        bool valid = vector_valid(vector);
        ck_assert_msg(is_canonical(in, length) == valid, "%s", name);
        if (valid) {
            check_writer(in, length, name);
            ck_assert_msg(rewrite(in, length, out) == length && memcmp(in, out, length) == 0, "%s", name);
        }
        return;
    }
    ck_assert(vector_is(vector, "rewrite"));
    size_t n = rewrite(in, length, out);
    ck_assert_msg((n != SIZE_MAX) == vector_valid(vector), "%s", name);
    if (n == SIZE_MAX)
        return;
    const char *canonical = vector_text(vector, "canonical");
    ck_assert_msg(n == strlen(canonical) && memcmp(out, canonical, n) == 0, "%s", name);
    ck_assert_msg(is_canonical(out, n), "%s", name);
}

START_TEST(json_vectors)
{
    json_t *file = vectors_load("json"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector) check_vector(vector);
    ck_assert_uint_ge(i, 235);
    json_decref(file);
}
END_TEST

START_TEST(no_prefix_of_a_record_is_a_record)
{
    char sale[] = "{\"at\":\"2026\",\"n\":5,\"ok\":true,\"q\":[1,-2,{\"x\":\"\\n\\u001f\xc3\xa9\"}]}", out[256];
    size_t length = sizeof sale - 1;
    ck_assert(is_canonical(sale, length));
    for (size_t n = 0; n < length; n++) {
        ck_assert(!is_canonical(sale, n));
        ck_assert_uint_eq(rewrite(sale, n, out), SIZE_MAX);
    }
}
END_TEST

/* Whatever is still accepted after a byte was changed must be what rewriting makes of it: strict means canonical. */
START_TEST(every_changed_byte_is_refused_or_canonical)
{
    char sale[] = "{\"at\":\"2026\",\"n\":50,\"ok\":true,\"q\":[1,-2,{\"x\":\"\\n\\u001f\xc3\xa9\"}]}", out[256];
    size_t length = sizeof sale - 1, accepted = 0;
    for (size_t i = 0; i < length; i++) {
        char before = sale[i];
        for (int c = 0; c < 256; c++) {
            sale[i] = (char)c;
            bool strict = is_canonical(sale, length);
            size_t n = rewrite(sale, length, out);
            bool same = n == length && memcmp(out, sale, length) == 0;
            ck_assert_msg(strict == same, "byte %zu as 0x%02x: %.*s", i, c, (int)length, sale);
            accepted += strict;
        }
        sale[i] = before;
    }
    ck_assert_uint_gt(accepted, length);
}
END_TEST

START_TEST(reading_a_record)
{
    rf_json_reader r;
    const char *name;
    size_t length;
    int64_t number;
    bool truth;
    rf_json_text text;
    const char *sale = "{\"by\":\"seller\",\"n\":-17,\"ok\":false,\"q\":[],\"x\":{}}";
    rf_json_reader_init(&r, sale, strlen(sale), true);
    ck_assert_int_eq(rf_json_peek(&r), RF_JSON_OBJECT);
    ck_assert(rf_json_enter_object(&r));
    ck_assert(rf_json_next_key(&r, &name, &length) && length == 2 && memcmp(name, "by", 2) == 0);
    ck_assert(rf_json_take_string(&r, &text) && text.length == 6 && !text.escaped);
    ck_assert_mem_eq(text.text, "seller", 6);
    ck_assert(rf_json_next_key(&r, &name, &length) && rf_json_take_int(&r, &number));
    ck_assert_int_eq(number, -17);
    ck_assert(rf_json_next_key(&r, &name, &length) && rf_json_take_bool(&r, &truth));
    ck_assert(!truth);
    ck_assert(rf_json_next_key(&r, &name, &length) && rf_json_enter_array(&r));
    ck_assert(!rf_json_next_element(&r) && r.fault == NULL);
    ck_assert(rf_json_next_key(&r, &name, &length) && rf_json_enter_object(&r));
    ck_assert(!rf_json_next_key(&r, &name, &length) && r.fault == NULL);
    ck_assert(!rf_json_done(&r));
    ck_assert(!rf_json_next_key(&r, &name, &length));
    ck_assert(rf_json_done(&r));
    ck_assert_int_eq(rf_json_peek(&r), RF_JSON_NONE);
    ck_assert(!rf_json_next_key(&r, &name, &length) && r.fault != NULL);
}
END_TEST

START_TEST(the_first_fault_sticks)
{
    rf_json_reader r;
    int64_t number;
    bool truth;
    rf_json_text text;
    const char *name, *json, *in = "[1,\"a\",2]";
    size_t length;
    rf_json_reader_init(&r, in, strlen(in), true);
    ck_assert(rf_json_enter_array(&r) && rf_json_next_element(&r));
    ck_assert(!rf_json_take_string(&r, &text));
    const char *fault = r.fault;
    ck_assert_ptr_nonnull(fault);
    ck_assert_uint_eq(r.at, 1);
    ck_assert(!rf_json_take_int(&r, &number) && !rf_json_take_bool(&r, &truth) &&
              !rf_json_take_any(&r, &json, &length));
    ck_assert(!rf_json_next_element(&r) && !rf_json_next_key(&r, &name, &length));
    ck_assert(!rf_json_enter_array(&r) && !rf_json_enter_object(&r) && !rf_json_done(&r));
    ck_assert_int_eq(rf_json_peek(&r), RF_JSON_NONE);
    ck_assert_ptr_eq(r.fault, fault);
    ck_assert_uint_eq(r.at, 1);
}
END_TEST

START_TEST(taking_any_gives_its_bytes)
{
    rf_json_reader r;
    const char *json, *in = " [ {\"b\" : [1, 2], \"a\":\"x\"} , 7 ] ";
    size_t length;
    int64_t number;
    rf_json_reader_init(&r, in, strlen(in), false);
    ck_assert(rf_json_enter_array(&r) && rf_json_next_element(&r) && rf_json_take_any(&r, &json, &length));
    ck_assert_uint_eq(length, strlen("{\"b\" : [1, 2], \"a\":\"x\"}"));
    ck_assert_ptr_eq(json, in + 3);
    ck_assert(rf_json_next_element(&r) && rf_json_take_int(&r, &number) && number == 7);
    ck_assert(!rf_json_next_element(&r) && rf_json_done(&r));
}
END_TEST

/* A reader of unknown members that does not look at values must not get past a missing one. */
START_TEST(an_element_that_is_missing_is_no_element)
{
    static const char *const inputs[] = {"[,1]", "[1,]", "[1,,2]", "[1,", "[", "[}", "[:"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        rf_json_reader r;
        const char *json;
        size_t length;
        rf_json_reader_init(&r, inputs[i], strlen(inputs[i]), true);
        ck_assert(rf_json_enter_array(&r));
        while (rf_json_next_element(&r))
            ck_assert_msg(rf_json_take_any(&r, &json, &length), "%s", inputs[i]);
        ck_assert_msg(r.fault != NULL, "%s", inputs[i]);
    }
}
END_TEST

START_TEST(unescaping)
{
    static const struct {
        const char *text, *decoded;
    } cases[] = {{"", ""},
                 {"plain", "plain"},
                 {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
                 {"\\u0041\\u00e9\\u20AC\\ud83d\\ude00", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
                 {"x\\u001fy", "x\x1fy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_json_text text = {cases[i].text, strlen(cases[i].text), true};
        size_t length = strlen(cases[i].decoded);
        char *out = malloc(length + 1);
        ck_assert_uint_eq(rf_json_unescape(&text, out, length), length);
        ck_assert(memcmp(out, cases[i].decoded, length) == 0);
        ck_assert(length == 0 || rf_json_unescape(&text, out, length - 1) == SIZE_MAX);
        free(out);
    }
}
END_TEST

/* Text that no reader let through must not make it read beyond its end. */
START_TEST(unescaping_refuses_what_is_no_escape)
{
    static const char *const texts[] = {"\\",      "a\\",     "\\x",        "\\u",    "\\u12",
                                        "\\u123g", "\\ud83d", "\\ud83d\\u", "\\ude00"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]);
        char *exact = exact_copy(texts[i], length), out[16];
        ck_assert_uint_eq(rf_json_unescape(&(rf_json_text){exact, length, true}, out, sizeof out), SIZE_MAX);
        free(exact);
    }
}
END_TEST

START_TEST(writing_hex_and_raw)
{
    char out[64];
    rf_json_writer w;
    const uint8_t bytes[9] = {0, 1, 0x9a, 0xab, 0xff, 0x10, 0x0f, 0xf0, 0x55};
    rf_json_init(&w, out, sizeof out);
    rf_json_begin_array(&w);
    rf_json_hex(&w, bytes, sizeof bytes);
    rf_json_hex(&w, bytes, 0);
    rf_json_raw(&w, "{\"a\":1}", 7);
    rf_json_bool(&w, true);
    rf_json_end_array(&w);
    ck_assert(w.ok);
    const char *expected = "[\"00019aabff100ff055\",\"\",{\"a\":1},true]";
    ck_assert_uint_eq(w.length, strlen(expected));
    ck_assert_mem_eq(out, expected, w.length);
}
END_TEST

static bool write_int(int64_t value)
{
    char out[32];
    rf_json_writer w;
    rf_json_init(&w, out, sizeof out);
    rf_json_int(&w, value);
    return w.ok;
}

static bool write_string(const char *text, size_t length)
{
    char out[64];
    rf_json_writer w;
    rf_json_init(&w, out, sizeof out);
    rf_json_string(&w, text, length);
    return w.ok;
}

START_TEST(writing_refuses_what_cannot_be_read)
{
    ck_assert(write_int(RF_JSON_INT_MAX) && write_int(-RF_JSON_INT_MAX));
    ck_assert(!write_int(RF_JSON_INT_MAX + 1) && !write_int(-RF_JSON_INT_MAX - 1));
    ck_assert(!write_int(INT64_MAX) && !write_int(INT64_MIN));
    ck_assert(write_string("\xc3\xa9", 2) && write_string("\0", 1) && write_string(NULL, 0));
    ck_assert(!write_string("\xc3", 1) && !write_string("plain text\xff", 11) && !write_string("\xed\xa0\x80", 3));
}
END_TEST

START_TEST(a_failed_writer_stays_failed)
{
    char out[4];
    rf_json_writer w;
    rf_json_init(&w, out, sizeof out);
    rf_json_string(&w, "too long", 8);
    ck_assert(!w.ok);
    rf_json_begin_object(&w);
    rf_json_key(&w, "a", 1);
    rf_json_int(&w, 1);
    rf_json_bool(&w, true);
    rf_json_hex(&w, (const uint8_t *)"a", 1);
    rf_json_raw(&w, "1", 1);
    rf_json_string(&w, "", 0);
    rf_json_end_object(&w);
    ck_assert(!w.ok && w.length <= sizeof out);
}
END_TEST

/* The worst order for sorting by insertion, in as many objects as fit into a megabyte, still takes a moment only. */
START_TEST(hostile_objects_are_bounded)
{
    enum {
        SIZE = 1 << 20
    };
    char *in = malloc(SIZE), *out = malloc(SIZE);
    size_t length = 0, at;
    const char *fault;
    in[length++] = '[';
    while (length < SIZE - 8192) {
        in[length++] = '{';
        for (int i = 511; i >= 0; i--)
            length += (size_t)sprintf(in + length, "\"%c%c\":1%s", 'a' + i / 26, 'a' + i % 26, i == 0 ? "}," : ",");
    }
    in[length - 1] = ']';
    size_t n = rf_json_canonicalise(in, length, out, SIZE, &fault, &at);
    ck_assert_uint_eq(n, length);
    ck_assert_mem_eq(out, "[{\"aa\":1,\"ab\":1", 15);
    free(in);
    free(out);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, json_vectors);
    tcase_add_test(tests, no_prefix_of_a_record_is_a_record);
    tcase_add_test(tests, every_changed_byte_is_refused_or_canonical);
    tcase_add_test(tests, reading_a_record);
    tcase_add_test(tests, the_first_fault_sticks);
    tcase_add_test(tests, taking_any_gives_its_bytes);
    tcase_add_test(tests, an_element_that_is_missing_is_no_element);
    tcase_add_test(tests, unescaping);
    tcase_add_test(tests, unescaping_refuses_what_is_no_escape);
    tcase_add_test(tests, writing_hex_and_raw);
    tcase_add_test(tests, writing_refuses_what_cannot_be_read);
    tcase_add_test(tests, a_failed_writer_stays_failed);
    tcase_add_test(tests, hostile_objects_are_bounded);
}

int main(void)
{
    return run_tests("json", add);
}
