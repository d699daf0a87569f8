/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps against the control log's tree. Who is missing or wrong is a fault; that nobody stamped is none. */
#include "stamps.h"

#include "bytes.h"
#include "error.h"
#include <inttypes.h>
#include <raffle/timestamp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX = 65536,
    PATH_SIZE = 64
};

/* --- the list --- */

static bool add_line(rf_stamps *stamps, const char *line, size_t length)
{
    uint64_t size;
    if (!rf_decimal_parse(line, length, UINT64_MAX, &size))
        return false;
    for (size_t i = 0; i < stamps->n; i++)
        if (stamps->size[i] == size)
            return false;
    stamps->size[stamps->n++] = size;
    return true;
}

static bool parse_list(rf_stamps *stamps, const char *list, size_t length)
{
    for (const char *at = list, *end = list + length, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL || !add_line(stamps, at, (size_t)(stop - at)))
            return false;
    }
    return true;
}

raffle_rc rf_stamps_read(rf_stamps *stamps, raffle_store *store, rf_faults *faults, raffle_error *err)
{
    size_t length;
    raffle_error why = RAFFLE_ERROR_INIT;
    char *list = malloc(LIST_MAX);
    stamps->size = calloc(LIST_MAX / 2, sizeof *stamps->size); /* a line has two bytes at least */
    if (list == NULL || stamps->size == NULL) {
        free(list);
        return rf_nomem(err);
    }
    raffle_rc rc = rf_store_file(store, "control/timestamp/list", list, LIST_MAX, &length, &why);
    if (rc == RAFFLE_OK && !parse_list(stamps, list, length))
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, 0, "timestamp", "the list of time stamps is none");
    else if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        rc = rf_fault_or_fail(faults, 0, 0, "timestamp", &why, err);
    else
        rc = RAFFLE_OK;
    free(list);
    return rc;
}

/* --- a stamp --- */

static raffle_rc read_file(raffle_store *store, uint64_t size, const char *name, char *out, size_t cap, size_t *length,
                           raffle_error *err)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "control/timestamp/%" PRIu64 "/%s", size, name);
    return rf_store_file(store, path, out, cap, length, err);
}

/* A file that is missing or damaged is a fault, and not the surroundings'. */
static raffle_rc missing(rf_faults *faults, uint64_t size, const raffle_error *why, raffle_error *err)
{
    if (why->rc != RAFFLE_NOT_FOUND)
        return rf_fault_or_fail(faults, 0, size, "timestamp", why, err);
    rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, 0, size, "timestamp", "%s", why->message);
    return RAFFLE_OK;
}

/* Whether the copy is a checkpoint of this log that was right; else it was reported. */
static bool copy_is_right(const rf_signer *signer, const char *note, size_t length, uint64_t size,
                          const uint8_t root[32], rf_faults *faults)
{
    rf_checkpoint says;
    if (!rf_note_check(signer, note, length, 0, size, faults, &says))
        return false;
    if (says.size == size && memcmp(says.root, root, 32) == 0)
        return true;
    rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, size, "timestamp",
             "a checkpoint was stamped that is not the log's: over %" PRIu64 " records", says.size);
    return false;
}

static raffle_rc check_token(rf_stamps *stamps, raffle_store *store, const char *note, size_t note_length,
                             uint64_t size, const char *authorities, rf_faults *faults, raffle_error *err)
{
    size_t length;
    raffle_timestamp says = RAFFLE_TIMESTAMP_INIT;
    raffle_error why = RAFFLE_ERROR_INIT;
    char *token = malloc(RAFFLE_TIMESTAMP_MAX);
    if (token == NULL)
        return rf_nomem(err);
    raffle_rc rc = read_file(store, size, "token.tsr", token, RAFFLE_TIMESTAMP_MAX, &length, &why);
    if (rc != RAFFLE_OK) {
        free(token);
        return missing(faults, size, &why, err);
    }
    rc = raffle_timestamp_verify(note, note_length, (const uint8_t *)token, length, authorities, &says, &why);
    free(token);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    if (rc != RAFFLE_OK) {
        rf_fault(faults, RAFFLE_FAULT_INTEGRITY, 0, size, "timestamp", "%s", why.message);
        return RAFFLE_OK;
    }
    stamps->good++;
    stamps->trusted += says.trusted != 0;
    stamps->at = says.at > stamps->at ? says.at : stamps->at;
    return RAFFLE_OK;
}

static raffle_rc check_stamp(rf_stamps *stamps, raffle_store *store, const rf_signer *signer, uint64_t size,
                             const uint8_t root[32], const char *authorities, rf_faults *faults, raffle_error *err)
{
    size_t length;
    char note[RF_NOTE_MAX];
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = read_file(store, size, "checkpoint", note, sizeof note, &length, &why);
    if (rc != RAFFLE_OK)
        return missing(faults, size, &why, err);
    if (!copy_is_right(signer, note, length, size, root, faults))
        return RAFFLE_OK;
    return check_token(stamps, store, note, length, size, authorities, faults, err);
}

raffle_rc rf_stamps_check(rf_stamps *stamps, raffle_store *store, const rf_signer *signer, uint64_t size,
                          const uint8_t root[32], const char *authorities, rf_faults *faults, raffle_error *err)
{
    for (size_t i = 0; i < stamps->n; i++)
        if (stamps->size[i] == size)
            return check_stamp(stamps, store, signer, size, root, authorities, faults, err);
    return RAFFLE_OK;
}

void rf_stamps_end(const rf_stamps *stamps, uint64_t size, rf_faults *faults)
{
    for (size_t i = 0; i < stamps->n; i++)
        if (stamps->size[i] > size || stamps->size[i] == 0)
            rf_fault(faults, RAFFLE_FAULT_COMPLETENESS, 0, size, "timestamp",
                     "the log has %" PRIu64 " records; %" PRIu64 " were stamped", size, stamps->size[i]);
}

void rf_stamps_clear(rf_stamps *stamps)
{
    free(stamps->size);
    stamps->size = NULL;
    stamps->n = 0;
}
