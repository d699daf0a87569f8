/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of the folder counts as a receipt: one that is none is for the audit to say. */
#include "receipt_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int receipt_folder_open(cli *c, const char *path, receipt_folder **out)
{
    receipt_folder *folder = calloc(1, sizeof *folder);
    *out = folder;
    if (folder == NULL)
        return cli_fail_as(c, RAFFLE_NOMEM, "out of memory");
    folder->path = path;
    const int n = scandir(path, &folder->entry, is_shown, by_name);
    if (n < 0)
        return cli_fail_as(c, errno == ENOENT ? RAFFLE_NOT_FOUND : RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    folder->n = (size_t)n;
    return n > 0 ? CLI_DONE : cli_fail_as(c, RAFFLE_NOT_FOUND, "there is no receipt in %.200s", path);
}

/* A folder, or a pipe that nobody writes into: no receipt, and nothing to wait for. */
static bool is_no_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && !S_ISREG(found.st_mode);
}

/* One byte more than a receipt can have tells the audit that it is too long. */
raffle_rc receipt_folder_get(void *ctx, uint64_t i, const char **name, const char **text, size_t *length,
                             raffle_error *err)
{
    char path[4096], sentence[240];
    receipt_folder *folder = ctx;
    if (i >= folder->n)
        return RAFFLE_NOT_FOUND;
    *name = folder->entry[i]->d_name;
    *text = folder->text;
    const int written = snprintf(path, sizeof path, "%s/%s", folder->path, *name);
    if (is_no_file(path)) {
        *length = 0;
        return RAFFLE_OK;
    }
    FILE *file = written > 0 && (size_t)written < sizeof path ? fopen(path, "rb") : NULL;
    if (file != NULL)
        *length = fread(folder->text, 1, sizeof folder->text, file);
    const bool read = file != NULL && !ferror(file);
    if (file != NULL)
        fclose(file);
    if (read)
        return RAFFLE_OK;
    snprintf(sentence, sizeof sentence, "%.150s cannot be read", *name);
    return raffle_error_set(err, RAFFLE_IO, 0, sentence);
}

void receipt_folder_close(receipt_folder *folder)
{
    for (size_t i = 0; folder != NULL && i < folder->n; i++)
        free(folder->entry[i]);
    if (folder != NULL)
        free(folder->entry);
    free(folder);
}
