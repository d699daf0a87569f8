/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of the file that this code was loaded from (GLI-31 3.6.1). One of the files that GLI examines line by line. */
#include <raffle/version.h>

#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An address inside the file, read-only data: a function's could be that of a stub in the program. */
static const char inside[] = "libraffle";

/* The path of a line of /proc/self/maps, "from-to rights offset device inode   path", when the line's range holds `address`. NULL otherwise.
 */
static const char *path_at(const char *line, uintptr_t address)
{
    char *rest;
    const uintptr_t from = strtoul(line, &rest, 16);
    const uintptr_t to = *rest == '-' ? strtoul(rest + 1, &rest, 16) : 0;
    if (address < from || address >= to)
        return NULL;
    return strchr(rest, '/');
}

/* The path of the file that is mapped at `inside`; the caller frees it. It ends in " (deleted)" when the file is gone or was replaced. */
static char *loaded_path(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL, *path = NULL;
    size_t cap = 0;
    while (maps != NULL && path == NULL && getline(&line, &cap, maps) > 0) {
        line[strcspn(line, "\n")] = '\0';
        const char *found = path_at(line, (uintptr_t)inside);
        if (found != NULL)
            path = strdup(found);
    }
    free(line);
    if (maps != NULL)
        fclose(maps);
    return path;
}

static raffle_rc hash_file(int fd, const char *path, uint8_t hash[32], raffle_error *err)
{
    crypto_hash_sha256_state state;
    uint8_t block[16384];
    crypto_hash_sha256_init(&state);
    for (;;) {
        const ssize_t n = read(fd, block, sizeof block);
        if (n == 0)
            break;
        if (n > 0)
            crypto_hash_sha256_update(&state, block, (size_t)n);
        else if (errno != EINTR)
            return rf_fail(err, RAFFLE_IO, "%s, which the library was loaded from, cannot be read", path);
    }
    crypto_hash_sha256_final(&state, hash);
    return RAFFLE_OK;
}

static raffle_rc hash_path(const char *path, uint8_t hash[32], raffle_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the library was loaded from \"%.150s\": that file was removed, or another put in its place",
                       path);
    if (fd < 0)
        return rf_fail(err, RAFFLE_IO, "the library was loaded from \"%s\", which cannot be opened", path);
    raffle_rc rc = hash_file(fd, path, hash, err);
    close(fd);
    return rc;
}

raffle_rc raffle_self_hash(char *path, size_t path_size, uint8_t hash[32], raffle_error *err)
{
    uint8_t digest[32];
    if (path == NULL || hash == NULL)
        return rf_null(err, path == NULL ? "path" : "hash");
    char *loaded = loaded_path();
    if (loaded == NULL)
        return rf_fail(err, RAFFLE_IO, "/proc/self/maps does not tell where the library was loaded from");
    const size_t size = strlen(loaded) + 1;
    raffle_rc rc = size > path_size
                       ? rf_fail(err, RAFFLE_TOO_SMALL, "the library's path takes %zu bytes, not %zu", size, path_size)
                       : hash_path(loaded, digest, err);
    if (rc == RAFFLE_OK) {
        memcpy(path, loaded, size);
        memcpy(hash, digest, sizeof digest);
    }
    free(loaded);
    return rc;
}
