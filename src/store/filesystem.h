/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of other machines, whose locks cannot be trusted; and making files so that their names last. */
#ifndef RF_STORE_FILESYSTEM_H
#define RF_STORE_FILESYSTEM_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stdint.h>

/* The name of a network file system by statfs's f_type, or NULL. */
const char *rf_network_fs(uint64_t type);

/* RAFFLE_NETWORK_FS names the file system that `path`, or when there is no such file its folder, is on. */
raffle_rc rf_check_local(const char *path, raffle_error *err);

/* The path from the root; the caller frees it. */
raffle_rc rf_absolute_path(const char *path, char **out, raffle_error *err);

/* Makes an empty file, 0600 less the umask, without opening it: closing a file drops the process's locks on it, SQLite's too.
 * RAFFLE_EXISTS, RAFFLE_NOT_FOUND (its folder), RAFFLE_READONLY. */
raffle_rc rf_make_file(const char *path, raffle_error *err);

/* Whether files can be made beside `path`. */
bool rf_folder_writable(const char *path);

/* fsync() of the folder that `path` is in. */
raffle_rc rf_sync_folder(const char *path, raffle_error *err);

#endif
