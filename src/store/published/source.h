/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of a published raffle come from: a folder, or a web server. */
#ifndef RF_STORE_PUBLISHED_SOURCE_H
#define RF_STORE_PUBLISHED_SOURCE_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's bytes, in memory that grows; released by free(). */
typedef struct rf_bytes {
    uint8_t *at;
    size_t length, cap;
} rf_bytes;

/* Makes room for `more` bytes after those that there are; false: out of memory. */
bool rf_bytes_room(rf_bytes *bytes, size_t more);

typedef struct rf_source {
    void *ctx;
    /* The whole file, for any thread. RAFFLE_NOT_FOUND: there is none. RAFFLE_CORRUPT: it has more than `max` bytes, or is no file. Anything else:
     * it could not be found out. `out` is empty before, has memory after RAFFLE_OK, and may have some after a failure. */
    raffle_rc (*get)(void *ctx, const char *path, size_t max, rf_bytes *out, raffle_error *err);
    void (*free)(void *ctx);
} rf_source;

raffle_rc rf_source_folder(const char *path, rf_source *out, raffle_error *err);
/* An address, "https://…": RAFFLE_INVALID for one with a user, a query or a fragment; RAFFLE_UNSUPPORTED in builds without libcurl. */
raffle_rc rf_source_http(const char *address, rf_source *out, raffle_error *err);

#endif
