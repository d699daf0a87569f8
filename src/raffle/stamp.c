/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps of a published folder: a copy of the checkpoint that is stamped, the authority's response, and the list of them (docs/spec/publishing.md). */
#include "bytes.h"
#include "error.h"
#include "note.h"
#include "published/folder.h"
#include <inttypes.h>
#include <raffle/timestamp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_SIZE = 64,
    LIST_MAX = 65536
};

static const char list_path[] = "control/timestamp/list";

static void path_of(uint64_t size, const char *file, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "control/timestamp/%" PRIu64 "/%s", size, file);
}

/* --- the list --- */

/* Whether a list has this line; `*good` is false when it is no list. */
static bool has_line(const char *list, size_t length, const char *line, bool *good)
{
    uint64_t size;
    bool found = false;
    *good = true;
    for (const char *at = list, *end = list + length; *good && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        *good = stop != NULL && rf_decimal_parse(at, (size_t)(stop - at), UINT64_MAX, &size);
        if (!*good)
            break;
        found = found || ((size_t)(stop + 1 - at) == strlen(line) && memcmp(at, line, strlen(line)) == 0);
        at = stop + 1;
    }
    return found;
}

static raffle_rc add_to_list(rf_folder *folder, uint64_t size, raffle_error *err)
{
    char line[24], *list = malloc(LIST_MAX);
    size_t length = 0;
    bool good;
    raffle_error why = RAFFLE_ERROR_INIT;
    if (list == NULL)
        return rf_nomem(err);
    const size_t more = (size_t)snprintf(line, sizeof line, "%" PRIu64 "\n", size);
    raffle_rc rc = rf_folder_get(folder, list_path, list, LIST_MAX, &length, &why);
    const bool there = rc == RAFFLE_OK && has_line(list, length, line, &good);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        rc = rf_fail_as(err, &why);
    else if (rc == RAFFLE_OK && !good)
        rc = rf_fail(err, RAFFLE_CORRUPT, "%s is not a list of sizes", list_path);
    else if (length + more > LIST_MAX)
        rc = rf_fail(err, RAFFLE_LIMIT, "%s is full", list_path);
    else if (there)
        rc = RAFFLE_OK;
    else {
        memcpy(list + length, line, more);
        rc = rf_folder_put(folder, list_path, list, length + more, err);
    }
    free(list);
    return rc;
}

/* --- the copy --- */

static raffle_rc read_size(const char *path, const char *bytes, size_t length, uint64_t *size, raffle_error *err)
{
    rf_checkpoint says;
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, bytes, length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&says, note->text, note->text_length, &why);
    free(note);
    if (rc != RAFFLE_OK)
        return rf_fail(err, rc == RAFFLE_NOMEM ? rc : RAFFLE_CORRUPT, "%s is no checkpoint: %s", path, why.message);
    *size = says.size;
    return RAFFLE_OK;
}

/* A stamp that is there is over its copy, which so is never replaced. */
static raffle_rc keep_copy(rf_folder *folder, uint64_t size, const char *note, size_t length, char *copy,
                           size_t *copy_length, raffle_error *err)
{
    char path[PATH_SIZE];
    raffle_error why = RAFFLE_ERROR_INIT;
    path_of(size, "checkpoint", path);
    raffle_rc rc = rf_folder_get(folder, path, copy, RF_NOTE_MAX, copy_length, &why);
    if (rc != RAFFLE_NOT_FOUND)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    memcpy(copy, note, length);
    *copy_length = length;
    rc = rf_folder_put(folder, path, note, length, err);
    return rc == RAFFLE_OK ? rf_folder_sync(folder, err) : rc;
}

static raffle_rc begin(rf_folder *folder, uint64_t *size, uint8_t *query, size_t cap, size_t *query_length,
                       raffle_error *err)
{
    static const char path[] = "control/checkpoint";
    char note[RF_NOTE_MAX], copy[RF_NOTE_MAX];
    size_t length, copy_length;
    uint64_t says = 0;
    raffle_rc rc = rf_folder_get(folder, path, note, sizeof note, &length, err);
    if (rc == RAFFLE_OK)
        rc = read_size(path, note, length, &says, err);
    if (rc == RAFFLE_OK)
        rc = keep_copy(folder, says, note, length, copy, &copy_length, err);
    if (rc == RAFFLE_OK)
        rc = raffle_timestamp_query(copy, copy_length, query, cap, query_length, err);
    if (rc == RAFFLE_OK)
        *size = says;
    return rc;
}

/* --- the calls --- */

/* Nothing but a published folder is written to. */
static raffle_rc open_published(const char *path, rf_folder **out, raffle_error *err)
{
    rf_folder *folder = NULL;
    raffle_rc rc = rf_folder_open(path, &folder, err);
    rf_folder_free(folder);
    return rc == RAFFLE_OK ? rf_folder_write(path, out, err) : rc;
}

raffle_rc raffle_timestamp_begin(const char *folder, uint64_t *size, uint8_t *query, size_t cap, size_t *query_length,
                                 raffle_error *err)
{
    rf_folder *out = NULL;
    if (folder == NULL || size == NULL || query_length == NULL)
        return rf_null(err, folder == NULL ? "folder" : size == NULL ? "size" : "query_length");
    raffle_rc rc = open_published(folder, &out, err);
    if (rc == RAFFLE_OK)
        rc = begin(out, size, query, cap, query_length, err);
    rf_folder_free(out);
    return rc;
}

static raffle_rc finish(rf_folder *folder, uint64_t size, const uint8_t *response, size_t length,
                        const char *authorities, raffle_timestamp *timestamp, raffle_error *err)
{
    char path[PATH_SIZE], copy[RF_NOTE_MAX];
    size_t copy_length;
    path_of(size, "checkpoint", path);
    raffle_rc rc = rf_folder_get(folder, path, copy, sizeof copy, &copy_length, err);
    if (rc == RAFFLE_OK)
        rc = raffle_timestamp_verify(copy, copy_length, response, length, authorities, timestamp, err);
    path_of(size, "token.tsr", path);
    if (rc == RAFFLE_OK)
        rc = rf_folder_put(folder, path, response, length, err);
    if (rc == RAFFLE_OK)
        rc = add_to_list(folder, size, err);
    return rc == RAFFLE_OK ? rf_folder_sync(folder, err) : rc;
}

raffle_rc raffle_timestamp_finish(const char *folder, uint64_t size, const uint8_t *response, size_t response_length,
                                  const char *authorities, raffle_timestamp *timestamp, raffle_error *err)
{
    rf_folder *out = NULL;
    if (folder == NULL || response == NULL)
        return rf_null(err, folder == NULL ? "folder" : "response");
    raffle_rc rc = open_published(folder, &out, err);
    if (rc == RAFFLE_OK)
        rc = finish(out, size, response, response_length, authorities, timestamp, err);
    rf_folder_free(out);
    return rc;
}
