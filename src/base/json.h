/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical JSON, the profile "libraffle-rec-1": RFC 8785 limited to objects, arrays, strings, booleans and integers within
 * 2^53-1; member names match [a-z][a-z0-9_]* and ascend strictly; strings are valid UTF-8 and escape only what they must.
 * The writer builds it in a buffer of the caller's; the reader is a pull reader over bytes. Neither allocates.
 */
#ifndef RF_BASE_JSON_H
#define RF_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_JSON_INT_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

enum {
    RF_JSON_DEPTH = 16,
    RF_JSON_MEMBERS = 512 /* rf_json_canonicalise: members of an object and of those around it */
};

/* --- writer. A failure (no room, integer too large, invalid UTF-8) sticks; test `ok` once, at the end. Commas are its own. --- */
typedef struct rf_json_writer {
    char *out;
    size_t cap, length;
    bool ok;
    bool comma; /* a value stands before the next one */
} rf_json_writer;

void rf_json_init(rf_json_writer *w, char *out, size_t cap);
void rf_json_begin_object(rf_json_writer *w);
void rf_json_end_object(rf_json_writer *w);
void rf_json_begin_array(rf_json_writer *w);
void rf_json_end_array(rf_json_writer *w);
/* A member's name, which must be plain ASCII. Names must be given in ascending order: the writer does not sort. */
void rf_json_key(rf_json_writer *w, const char *name, size_t length);
void rf_json_int(rf_json_writer *w, int64_t value);
void rf_json_bool(rf_json_writer *w, bool value);
void rf_json_string(rf_json_writer *w, const char *text, size_t length);
void rf_json_hex(rf_json_writer *w, const uint8_t *bytes, size_t n);
/* Bytes that are canonical already. */
void rf_json_raw(rf_json_writer *w, const char *json, size_t length);

/* --- reader --- */
typedef enum rf_json_type {
    RF_JSON_NONE, /* nothing left, or malformed: see `fault` */
    RF_JSON_OBJECT,
    RF_JSON_ARRAY,
    RF_JSON_STRING,
    RF_JSON_INT,
    RF_JSON_BOOL
} rf_json_type;

typedef struct rf_json_reader {
    const char *in;
    size_t length, at;
    /* Canonical bytes only: no white space, ascending names, minimal escapes. Else any JSON of the profile's names and values, in any order
     * but no duplicates that are neighbours, with white space: for rules and vectors. */
    bool strict;
    /* NULL, or a few words on the first fault, `at` being where; it sticks: every later call fails. */
    const char *fault;
    int depth;
    bool first[RF_JSON_DEPTH + 1];            /* nothing read yet at this depth */
    const char *last_name[RF_JSON_DEPTH + 1]; /* for the order of names */
    size_t last_name_length[RF_JSON_DEPTH + 1];
} rf_json_reader;

/* A string as it stands between its quotes: `escaped` when it holds escapes and must be decoded. */
typedef struct rf_json_text {
    const char *text;
    size_t length;
    bool escaped;
} rf_json_text;

void rf_json_reader_init(rf_json_reader *r, const char *in, size_t length, bool strict);
/* What the next value is, without taking it. */
rf_json_type rf_json_peek(rf_json_reader *r);
/* Enters the object or array that comes next. */
bool rf_json_enter_object(rf_json_reader *r);
bool rf_json_enter_array(rf_json_reader *r);
/* In an object: the next member's name (names never hold escapes), or false at the end, which is then left, or at a fault. */
bool rf_json_next_key(rf_json_reader *r, const char **name, size_t *length);
/* In an array: true when there is another element; false at the end, which is then left, or at a fault. */
bool rf_json_next_element(rf_json_reader *r);
bool rf_json_take_int(rf_json_reader *r, int64_t *value);
bool rf_json_take_bool(rf_json_reader *r, bool *value);
bool rf_json_take_string(rf_json_reader *r, rf_json_text *text);
/* Takes the next value whatever it is, checks it, and gives its bytes. */
bool rf_json_take_any(rf_json_reader *r, const char **json, size_t *length);
/* True when the input is used up and there was no fault. */
bool rf_json_done(rf_json_reader *r);

/* Decodes the escapes; returns the length, or SIZE_MAX when it does not fit into `cap`. No NUL is added. */
size_t rf_json_unescape(const rf_json_text *text, char *out, size_t cap);

/* Rewrites JSON of the profile's values (read unstrictly) as canonical bytes: members sorted, duplicates refused, at most RF_JSON_MEMBERS of
 * them open at a time, so that hostile input stays cheap. Needs no allocation; `cap` as large as `length` always suffices. Returns the length,
 * or SIZE_MAX with `*fault` and `*at`. */
size_t rf_json_canonicalise(const char *in, size_t length, char *out, size_t cap, const char **fault, size_t *at);

#endif
