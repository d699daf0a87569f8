/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a manifest. */
#include "manifest.h"

#include "error.h"
#include "json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AROUND = 512,                                              /* what is not a log's */
    LOG_MOST = RAFFLE_VKEY_SIZE + RAFFLE_ORIGIN_SIZE + 16 + 64 /* bytes of a log */
};

static void member(rf_json_writer *w, const char *name, const char *value)
{
    rf_json_key(w, name, strlen(name));
    rf_json_string(w, value, strlen(value));
}

static void add_log(rf_json_writer *w, const char *key, const char *name, const char *path)
{
    rf_json_begin_object(w);
    member(w, "key", key);
    member(w, "name", name);
    member(w, "path", path);
    rf_json_end_object(w);
}

static void add_unit(rf_json_writer *w, const rf_control *control, size_t number)
{
    char name[RAFFLE_ORIGIN_SIZE + 16], path[24];
    snprintf(name, sizeof name, "%s/unit/%zu", control->rules->origin, number);
    snprintf(path, sizeof path, "unit/%zu", number);
    add_log(w, control->unit[number - 1].key, name, path);
}

raffle_rc rf_manifest_make(const rf_control *control, bool hashes, char **out, size_t *length, raffle_error *err)
{
    const size_t cap = AROUND + (1 + control->units) * LOG_MOST;
    rf_json_writer w;
    char *bytes = malloc(cap);
    if (bytes == NULL)
        return rf_nomem(err);
    rf_json_init(&w, bytes, cap);
    rf_json_begin_object(&w);
    member(&w, "entries", hashes ? "control" : "all");
    rf_json_key(&w, "format", 6);
    rf_json_int(&w, 1);
    rf_json_key(&w, "logs", 4);
    rf_json_begin_array(&w);
    add_log(&w, control->key, control->rules->origin, "control");
    for (size_t i = 1; i <= control->units; i++)
        add_unit(&w, control, i);
    rf_json_end_array(&w);
    member(&w, "origin", control->rules->origin);
    rf_json_end_object(&w);
    if (!w.ok) {
        free(bytes);
        return rf_fail(err, RAFFLE_CORRUPT, "the control log names keys that no manifest can hold");
    }
    *out = bytes;
    *length = w.length;
    return RAFFLE_OK;
}
