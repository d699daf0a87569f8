/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps of a published folder: a copy of the checkpoint that is stamped, the authority's response, and the list of them (docs/spec/publishing.md). */
#include "abi.h"
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
    char line[24];
    bool good = true;
    rf_bytes list = {0};
    raffle_error why = RAFFLE_ERROR_INIT;
    const size_t more = (size_t)snprintf(line, sizeof line, "%" PRIu64 "\n", size);
    raffle_rc rc = rf_folder_get(folder, list_path, LIST_MAX, &list, &why);
    const bool there = rc == RAFFLE_OK && has_line((const char *)list.at, list.length, line, &good);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        rc = rf_fail_as(err, &why);
    else if (!good)
        rc = rf_fail(err, RAFFLE_CORRUPT, "%s is not a list of sizes", list_path);
    else if (there)
        rc = RAFFLE_OK;
    else if (list.length + more > LIST_MAX)
        rc = rf_fail(err, RAFFLE_LIMIT, "%s is full", list_path);
    else if (!rf_bytes_room(&list, more))
        rc = rf_nomem(err);
    else {
        memcpy(list.at + list.length, line, more);
        rc = rf_folder_put(folder, list_path, list.at, list.length + more, true, err);
    }
    free(list.at);
    return rc;
}

/* --- the copy --- */

static raffle_rc read_size(const char *path, const rf_bytes *bytes, uint64_t *size, raffle_error *err)
{
    rf_checkpoint says;
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, (const char *)bytes->at, bytes->length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&says, note->text, note->text_length, &why);
    free(note);
    if (rc != RAFFLE_OK)
        return rf_fail(err, rc == RAFFLE_NOMEM ? rc : RAFFLE_CORRUPT, "%s is no checkpoint: %s", path, why.message);
    *size = says.size;
    return RAFFLE_OK;
}

/* A stamp that is there is over its copy, which so is never replaced: then it takes the checkpoint's place in `note`. */
static raffle_rc keep_copy(rf_folder *folder, uint64_t size, rf_bytes *note, raffle_error *err)
{
    char path[PATH_SIZE];
    rf_bytes copy = {0};
    raffle_error why = RAFFLE_ERROR_INIT;
    path_of(size, "checkpoint", path);
    raffle_rc rc = rf_folder_get(folder, path, RF_NOTE_MAX, &copy, &why);
    if (rc == RAFFLE_OK) {
        free(note->at);
        *note = copy;
        return RAFFLE_OK;
    }
    free(copy.at);
    if (rc != RAFFLE_NOT_FOUND)
        return rf_fail_as(err, &why);
    rc = rf_folder_put(folder, path, note->at, note->length, true, err);
    return rc == RAFFLE_OK ? rf_folder_sync(folder, err) : rc;
}

static raffle_rc begin(rf_folder *folder, uint64_t *size, uint8_t *query, size_t cap, size_t *query_length,
                       raffle_error *err)
{
    static const char path[] = "control/checkpoint";
    rf_bytes note = {0};
    uint64_t says = 0;
    raffle_rc rc = rf_folder_get(folder, path, RF_NOTE_MAX, &note, err);
    if (rc == RAFFLE_OK)
        rc = read_size(path, &note, &says, err);
    if (rc == RAFFLE_OK)
        rc = keep_copy(folder, says, &note, err);
    if (rc == RAFFLE_OK)
        rc = raffle_timestamp_query(note.at, note.length, query, cap, query_length, err);
    if (rc == RAFFLE_OK)
        *size = says;
    free(note.at);
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

/* A stamp that is there proves more than a later one of the same bytes: it is kept, when it is as good by the same authorities. */
static raffle_rc find_earlier(rf_folder *folder, const char *path, const rf_bytes *copy, const char *authorities,
                              raffle_timestamp *says, bool *kept, raffle_error *err)
{
    rf_bytes token = {0};
    raffle_timestamp before = RAFFLE_TIMESTAMP_INIT;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_folder_get(folder, path, RAFFLE_TIMESTAMP_MAX, &token, &why);
    if (rc == RAFFLE_OK)
        rc = raffle_timestamp_verify(copy->at, copy->length, token.at, token.length, authorities, &before, &why);
    free(token.at);
    *kept = rc == RAFFLE_OK && before.at <= says->at;
    if (*kept)
        *says = before;
    return rc == RAFFLE_NOMEM ? rf_fail_as(err, &why) : RAFFLE_OK;
}

static raffle_rc finish(rf_folder *folder, uint64_t size, const uint8_t *response, size_t length,
                        const char *authorities, raffle_timestamp *says, raffle_error *err)
{
    char path[PATH_SIZE];
    rf_bytes copy = {0};
    bool kept = false;
    path_of(size, "checkpoint", path);
    raffle_rc rc = rf_folder_get(folder, path, RF_NOTE_MAX, &copy, err);
    if (rc == RAFFLE_OK)
        rc = raffle_timestamp_verify(copy.at, copy.length, response, length, authorities, says, err);
    path_of(size, "token.tsr", path);
    if (rc == RAFFLE_OK)
        rc = find_earlier(folder, path, &copy, authorities, says, &kept, err);
    free(copy.at);
    if (rc == RAFFLE_OK && !kept)
        rc = rf_folder_put(folder, path, response, length, true, err);
    if (rc == RAFFLE_OK)
        rc = add_to_list(folder, size, err);
    return rc == RAFFLE_OK ? rf_folder_sync(folder, err) : rc;
}

raffle_rc raffle_timestamp_finish(const char *folder, uint64_t size, const uint8_t *response, size_t response_length,
                                  const char *authorities, raffle_timestamp *timestamp, raffle_error *err)
{
    rf_folder *out = NULL;
    raffle_timestamp says = RAFFLE_TIMESTAMP_INIT;
    if (folder == NULL || response == NULL)
        return rf_null(err, folder == NULL ? "folder" : "response");
    raffle_rc rc = timestamp == NULL ? RAFFLE_OK : rf_struct_check(timestamp, "timestamp", err);
    if (rc == RAFFLE_OK)
        rc = open_published(folder, &out, err);
    if (rc == RAFFLE_OK)
        rc = finish(out, size, response, response_length, authorities, &says, err);
    rf_folder_free(out);
    if (rc == RAFFLE_OK && timestamp != NULL)
        rf_struct_out(timestamp, rf_struct_size(timestamp), &says, sizeof says);
    return rc;
}
