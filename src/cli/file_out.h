/* SPDX-License-Identifier: Apache-2.0 */
/* What a command writes: into the file of an option, or to standard output. */
#ifndef CLI_FILE_OUT_H
#define CLI_FILE_OUT_H

#include "cli.h"

/* Writes a file anew; `secret`: for its owner alone, and never over one that is there. What failed is said, and what was begun removed. */
int file_write(cli *c, const char *path, const void *bytes, size_t length, bool secret);
/* The same for the file in option `name`, or standard output. */
int file_out(cli *c, const char *name, const void *bytes, size_t length);

/* Gives what is whole its name, a file or a folder; nothing that came to be there meanwhile is replaced, where the file system knows how. errno says what failed. */
bool file_give_name(const char *part, const char *path);
/* Makes the name of a file durable, which it is when its folder is; errno says what failed. */
bool file_sync_name(const char *path);

/* Bytes that are gathered before they are written, by a raffle_write(): nothing is written when what makes them fails. */
typedef struct file_bytes {
    char *bytes;
    size_t length, cap;
} file_bytes;
raffle_rc file_gather(void *ctx, const char *bytes, size_t length, raffle_error *err);
/* Wipes and frees. */
void file_forget(file_bytes *gathered);

#endif
