/* SPDX-License-Identifier: Apache-2.0 */
/* The file in which the command keeps the secret seed of a committed draw, from before its intent until its result: five lines, each a word and a
 * value. */
#include "seed_file.h"

#include "file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX = 1024
};
static const char head[] = "libraffle-seed-1 ";

static int fail(cli *c, const char *path, const char *what)
{
    return cli_fail_as(c, RAFFLE_IO, "%s: %s: %s", path, what, strerror(errno));
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR)
            return false;
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

int seed_file_write(cli *c, const char *path, const kept_seed *kept)
{
    char text[FILE_MAX], hex[2 * SEED_SIZE + 1];
    hex_format(kept->seed, SEED_SIZE, hex);
    const int n = snprintf(text, sizeof text, "%s%s\nprovider %s\nraffle %s\nprize %s\nevidence %s\n", head, hex,
                           kept->provider, kept->origin, kept->prize, kept->evidence);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(c, path, "the seed's file cannot be made");
    const bool good = write_all(fd, text, (size_t)n) && fsync(fd) == 0;
    const int error = errno;
    close(fd);
    explicit_bzero(text, sizeof text);
    explicit_bzero(hex, sizeof hex);
    if (good && file_sync_name(path))
        return CLI_DONE;
    errno = good ? errno : error;
    unlink(path);
    return fail(c, path, "the seed cannot be kept");
}

static bool take_hex(const char *hex, uint8_t *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 2 * n; i++) {
        const char *at = hex[i] == 0 ? NULL : strchr(digits, hex[i]);
        if (at == NULL)
            return false;
        const uint8_t value = (uint8_t)(at - digits);
        out[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
    }
    return true;
}

/* The value of the line that begins with `word`; `*at` goes to the next line. */
static bool take_line(char **at, const char *word, char *out, size_t size)
{
    const size_t n = strlen(word);
    char *end = strchr(*at, '\n');
    if (end == NULL || strncmp(*at, word, n) != 0)
        return false;
    *end = 0;
    const bool good = cli_copy(out, size, *at + n);
    *at = end + 1;
    return good;
}

static bool parse(char *text, kept_seed *kept)
{
    char hex[2 * SEED_SIZE + 1] = "";
    char *at = text;
    const bool good = take_line(&at, head, hex, sizeof hex) && strlen(hex) == 2 * SEED_SIZE &&
                      take_hex(hex, kept->seed, SEED_SIZE) &&
                      take_line(&at, "provider ", kept->provider, sizeof kept->provider) &&
                      take_line(&at, "raffle ", kept->origin, sizeof kept->origin) &&
                      take_line(&at, "prize ", kept->prize, sizeof kept->prize) &&
                      take_line(&at, "evidence ", kept->evidence, sizeof kept->evidence) && *at == 0;
    explicit_bzero(hex, sizeof hex);
    return good;
}

int seed_file_read(cli *c, const char *path, kept_seed *kept, bool *there)
{
    char text[FILE_MAX];
    struct stat is;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (there != NULL)
        *there = fd >= 0;
    if (fd < 0)
        return there != NULL && errno == ENOENT ? CLI_DONE : fail(c, path, "the seed's file cannot be read");
    const bool sound = fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & 077) == 0;
    const ssize_t n = sound ? read(fd, text, sizeof text - 1) : -1;
    close(fd);
    if (!sound)
        return cli_fail_as(c, RAFFLE_IO, "%s: others than its owner may read the seed's file, or it is none", path);
    if (n < 0)
        return fail(c, path, "the seed's file cannot be read");
    text[n] = 0;
    const bool good = strlen(text) == (size_t)n && parse(text, kept);
    explicit_bzero(text, sizeof text);
    return good ? CLI_DONE : cli_fail_as(c, RAFFLE_INVALID, "%s holds no seed of a draw", path);
}

int seed_file_remove(cli *c, const char *path)
{
    return unlink(path) == 0 ? CLI_DONE : fail(c, path, "the seed's file cannot be removed");
}
