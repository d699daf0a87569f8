/* SPDX-License-Identifier: Apache-2.0 */
/* Writing files whole, or not at all. */
#include "file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_file(const char *path, bool secret)
{
    if (!secret)
        return fopen(path, "wb");
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (fd >= 0 && file == NULL)
        close(fd);
    return file;
}

int file_write(cli *c, const char *path, const void *bytes, size_t length, bool secret)
{
    FILE *file = open_file(path, secret);
    if (file == NULL)
        return cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    const bool written = fwrite(bytes, 1, length, file) == length;
    if (fclose(file) == 0 && written)
        return CLI_DONE;
    const int status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    (void)remove(path);
    return status;
}

int file_out(cli *c, const char *name, const void *bytes, size_t length)
{
    const char *path = cli_option(c, name);
    if (path != NULL)
        return file_write(c, path, bytes, length, false);
    if (fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0)
        return CLI_DONE;
    return cli_fail_as(c, RAFFLE_IO, "standard output: %s", strerror(errno));
}

bool file_give_name(const char *part, const char *path)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(part, path) == 0;
}

bool file_sync_name(const char *path)
{
    char copy[PATH_MAX];
    if (!cli_copy(copy, sizeof copy, path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return good;
}

raffle_rc file_gather(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    file_bytes *g = ctx;
    (void)err;
    if (length > g->cap - g->length) {
        /* Not by realloc(), which would leave a kit's secret behind. */
        file_bytes larger = {NULL, g->length, 2 * (g->length + length) + 4096};
        larger.bytes = memory_grow(NULL, larger.cap);
        if (g->length > 0)
            memcpy(larger.bytes, g->bytes, g->length);
        file_forget(g);
        *g = larger;
    }
    memcpy(g->bytes + g->length, bytes, length);
    g->length += length;
    return RAFFLE_OK;
}

void file_forget(file_bytes *gathered)
{
    if (gathered->bytes != NULL)
        explicit_bzero(gathered->bytes, gathered->length);
    free(gathered->bytes);
    memset(gathered, 0, sizeof *gathered);
}
