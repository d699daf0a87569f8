/* SPDX-License-Identifier: Apache-2.0 */
/* The receipts in a folder, one after the other, for the audit. */
#ifndef RAFFLE_CLI_RECEIPT_FOLDER_H
#define RAFFLE_CLI_RECEIPT_FOLDER_H

#include "cli.h"

#include <dirent.h>

typedef struct receipt_folder {
    const char *path;
    struct dirent **entry; /* by name */
    size_t n;
    char text[RAFFLE_RECEIPT_MAX + 1];
} receipt_folder;

/* Lists the files of a folder: all but those whose names begin with a dot. CLI_DONE; CLI_FAILED also when there is none. Closed by
 * receipt_folder_close(). */
int receipt_folder_open(cli *c, const char *path, receipt_folder **out);
/* For raffle_audit_options: `ctx` is the folder. */
raffle_rc receipt_folder_get(void *ctx, uint64_t i, const char **name, const char **text, size_t *length,
                             raffle_error *err);
void receipt_folder_close(receipt_folder *folder);

#endif
