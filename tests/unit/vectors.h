/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tests/vectors/ in unit tests: the file of an algorithm, its cases, and their members. A malformed file fails the test. */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loads <algorithm>.json; release it with json_decref(). */
static inline json_t *vectors_load(const char *algorithm)
{
    const char *folder = getenv("RAFFLE_VECTORS");
    ck_assert_msg(folder != NULL, "RAFFLE_VECTORS must name the folder of the vectors");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.json", folder, algorithm);
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(file != NULL, "%s:%d: %s", path, error.line, error.text);
    ck_assert_str_eq(json_string_value(json_object_get(file, "format")), "libraffle-vectors-1");
    ck_assert_str_eq(json_string_value(json_object_get(file, "algorithm")), algorithm);
    return file;
}

static inline const char *vector_text(const json_t *vector, const char *member)
{
    const char *text = json_string_value(json_object_get(vector, member));
    ck_assert_msg(text != NULL, "no text `%s` in the case", member);
    return text;
}

static inline const char *vector_name(const json_t *vector)
{
    return vector_text(vector, "name");
}

static inline bool vector_valid(const json_t *vector)
{
    const json_t *valid = json_object_get(vector, "valid");
    ck_assert(json_is_boolean(valid));
    return json_is_true(valid);
}

static inline bool vector_is(const json_t *vector, const char *kind)
{
    return strcmp(vector_text(vector, "kind"), kind) == 0;
}

static inline int64_t vector_int(const json_t *vector, const char *member)
{
    const json_t *number = json_object_get(vector, member);
    ck_assert_msg(json_is_integer(number), "no integer `%s` in the case", member);
    return json_integer_value(number);
}

/* Bytes from hexadecimal text; returns their number. */
static inline size_t vector_unhex(const char *hex, uint8_t *out, size_t cap)
{
    size_t length = strlen(hex) / 2;
    ck_assert(strlen(hex) % 2 == 0 && length <= cap);
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return length;
}

static inline size_t vector_hex(const json_t *vector, const char *member, uint8_t *out, size_t cap)
{
    return vector_unhex(vector_text(vector, member), out, cap);
}

/* A member that stands as text or, when it is no text, in hexadecimal under another name; returns its length. */
static inline size_t vector_bytes(const json_t *vector, const char *text, const char *hex, char *out, size_t cap)
{
    const json_t *value = json_object_get(vector, text);
    if (value == NULL)
        return vector_hex(vector, hex, (uint8_t *)out, cap);
    size_t length = json_string_length(value);
    ck_assert(length <= cap);
    memcpy(out, json_string_value(value), length);
    return length;
}

/* A test program's main(): runs one suite of one case. */
static inline int run_tests(const char *name, void (*add)(TCase *tests))
{
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 120);
    add(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
