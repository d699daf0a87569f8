/* SPDX-License-Identifier: Apache-2.0 */
/* The method table of one connection's database file, with a xWrite that wipes. The write-ahead log is another file: its copies go
 * when it is emptied. */
#include "sqlite_scrub.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

enum {
    LEAF_OF_TABLE = 0x0d,
    PAGE_HEADER = 8, /* of a leaf */
    PAGE_MAX = 65536
};

struct rf_scrub {
    sqlite3_io_methods methods; /* first: the file points to it */
    const sqlite3_io_methods *real;
};

static int two_bytes(const unsigned char *p)
{
    return p[0] << 8 | p[1];
}

void rf_scrub_range(const unsigned char *page, int size, int *from, int *to)
{
    *from = *to = 0;
    if (size < 512 || page[0] != LEAF_OF_TABLE)
        return;
    int cells_end = PAGE_HEADER + 2 * two_bytes(page + 3);
    int content = two_bytes(page + 5);
    if (content == 0)
        content = PAGE_MAX;
    if (cells_end >= content || content > size)
        return;
    *from = cells_end;
    *to = content;
}

static int wipe_and_write(const rf_scrub *scrub, sqlite3_file *file, const unsigned char *page, int n, sqlite3_int64 at,
                          int from, int to)
{
    unsigned char *copy = malloc((size_t)n);
    if (copy == NULL)
        return SQLITE_IOERR_NOMEM;
    memcpy(copy, page, (size_t)n);
    memset(copy + from, 0, (size_t)(to - from));
    int code = scrub->real->xWrite(file, copy, n, at);
    free(copy);
    return code;
}

static int write_scrubbed(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    const rf_scrub *scrub = (const rf_scrub *)file->pMethods;
    const unsigned char *page = data;
    int from = 0, to = 0;
    if (at > 0) /* the first page begins with the file's header */
        rf_scrub_range(page, n, &from, &to);
    while (from < to && page[from] == 0)
        from++;
    if (from == to)
        return scrub->real->xWrite(file, data, n, at);
    return wipe_and_write(scrub, file, page, n, at, from, to);
}

raffle_rc rf_scrub_attach(sqlite3 *db, rf_scrub **out, raffle_error *err)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || file == NULL || file->pMethods == NULL)
        return rf_fail(err, RAFFLE_IO, "SQLite does not show the file it has open (%d)", code);
    rf_scrub *scrub = calloc(1, sizeof *scrub);
    if (scrub == NULL)
        return rf_nomem(err);
    /* What a newer SQLite may have added to the table is not copied, so it is not promised either. */
    scrub->methods = *file->pMethods;
    if (scrub->methods.iVersion > 3)
        scrub->methods.iVersion = 3;
    scrub->methods.xWrite = write_scrubbed;
    scrub->real = file->pMethods;
    file->pMethods = &scrub->methods;
    *out = scrub;
    return RAFFLE_OK;
}

void rf_scrub_free(rf_scrub *scrub)
{
    free(scrub);
}
