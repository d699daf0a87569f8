/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that is published: files that appear whole, under paths that lead nowhere else. Paths are relative, and the library's own: "unit/1/checkpoint". */
#ifndef RF_STORE_PUBLISHED_FOLDER_H
#define RF_STORE_PUBLISHED_FOLDER_H

#include "published/source.h"

typedef struct rf_folder rf_folder;

/* Opens a folder to read from it, from any thread. RAFFLE_NOT_FOUND. */
raffle_rc rf_folder_open(const char *path, rf_folder **out, raffle_error *err);
/* Opens a folder to write into it, one thread at a time, and makes it when it is not there. It is locked until it is freed: RAFFLE_BUSY, another
 * process, or thread, writes into it. */
raffle_rc rf_folder_write(const char *path, rf_folder **out, raffle_error *err);
void rf_folder_free(rf_folder *folder);

/* Reads a file, as rf_source.get does; no link to it is followed. */
raffle_rc rf_folder_get(const rf_folder *folder, const char *path, size_t max, rf_bytes *out, raffle_error *err);
/* Writes a file beside its place and renames it there; folders on the way are made. No link is followed. `synced`: its bytes are on the disk before it has
 * its name, so that a power cut leaves the old file or the new one; other files wait for rf_folder_sync(). */
raffle_rc rf_folder_put(rf_folder *folder, const char *path, const void *bytes, size_t length, bool synced,
                        raffle_error *err);
/* Returns when the disk has all that was written. */
raffle_rc rf_folder_sync(const rf_folder *folder, raffle_error *err);

/* Calls `partial` for each partial tile under `path`, "unit/1/tile". It may remove it. */
typedef raffle_rc (*rf_folder_partial)(void *ctx, const char *path, raffle_error *err);
raffle_rc rf_folder_partials(const rf_folder *folder, const char *path, rf_folder_partial partial, void *ctx,
                             raffle_error *err);
/* Removes a file, and its folder when that is empty then. It is fine when it is not there. */
raffle_rc rf_folder_remove(const rf_folder *folder, const char *path, raffle_error *err);

#endif
