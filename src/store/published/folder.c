/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a published folder. */
#include "published/folder.h"

#include "error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEPT = 4, /* folders that are kept open: those of entries and of hash tiles are written in turn */
    PATH_MOST = 192,
    DEPTH_MOST = 12
};

static const char draft[] = ".publish.new";

typedef struct kept {
    int fd; /* -1: none */
    char path[PATH_MOST];
} kept;

struct rf_folder {
    int fd;
    size_t next; /* of `kept`, to be taken for another folder */
    kept kept[KEPT];
    char path[];
};

static raffle_rc fail_errno(const rf_folder *f, const char *doing, const char *path, raffle_error *err)
{
    const int code = errno;
    raffle_rc rc = RAFFLE_IO;
    if (code == ENOENT)
        rc = RAFFLE_NOT_FOUND;
    else if (code == EROFS || code == EACCES || code == EPERM)
        rc = RAFFLE_READONLY;
    else if (code == ENOSPC || code == EDQUOT)
        rc = RAFFLE_FULL;
    else if (code == ENOMEM)
        rc = RAFFLE_NOMEM;
    char text[64];
    return rf_fail(err, rc, "cannot %s %s%s%s: %s", doing, f->path, path[0] != 0 ? "/" : "", path,
                   strerror_r(code, text, sizeof text));
}

/* --- opening --- */

static raffle_rc new_folder(const char *path, rf_folder **out, raffle_error *err)
{
    const size_t length = strnlen(path, PATH_MAX);
    if (length == 0 || length == PATH_MAX)
        return rf_fail(err, RAFFLE_INVALID, "the folder's path has %zu bytes, and not 1 to %d", length, PATH_MAX - 1);
    rf_folder *f = calloc(1, sizeof *f + length + 1);
    if (f == NULL)
        return rf_nomem(err);
    memcpy(f->path, path, length);
    for (size_t i = 0; i < KEPT; i++)
        f->kept[i].fd = -1;
    f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = f;
    return RAFFLE_OK;
}

raffle_rc rf_folder_open(const char *path, rf_folder **out, raffle_error *err)
{
    rf_folder *f = NULL;
    raffle_rc rc = new_folder(path, &f, err);
    if (rc == RAFFLE_OK && f->fd < 0)
        rc = fail_errno(f, "open the folder", "", err);
    if (rc == RAFFLE_OK)
        *out = f;
    else
        rf_folder_free(f);
    return rc;
}

static raffle_rc make_and_lock(rf_folder *f, raffle_error *err)
{
    if (f->fd < 0 && errno == ENOENT && mkdir(f->path, 0777) == 0)
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0)
        return fail_errno(f, "open the folder", "", err);
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? rf_fail(err, RAFFLE_BUSY, "somebody publishes into %s at this moment", f->path)
                                    : fail_errno(f, "lock the folder", "", err);
    if (unlinkat(f->fd, draft, 0) != 0 && errno != ENOENT)
        return fail_errno(f, "remove", draft, err);
    return RAFFLE_OK;
}

raffle_rc rf_folder_write(const char *path, rf_folder **out, raffle_error *err)
{
    rf_folder *f = NULL;
    raffle_rc rc = new_folder(path, &f, err);
    if (rc == RAFFLE_OK)
        rc = make_and_lock(f, err);
    if (rc == RAFFLE_OK)
        *out = f;
    else
        rf_folder_free(f);
    return rc;
}

void rf_folder_free(rf_folder *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++)
        if (f->kept[i].fd >= 0)
            close(f->kept[i].fd);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

/* --- reading --- */

bool rf_bytes_room(rf_bytes *bytes, size_t more)
{
    const size_t need = bytes->length + more;
    if (need <= bytes->cap)
        return true;
    uint8_t *grown = realloc(bytes->at, need);
    if (grown == NULL)
        return false;
    bytes->at = grown;
    bytes->cap = need;
    return true;
}

/* One byte more than it says is asked for, so that a file that grows meanwhile is found out. */
static raffle_rc read_whole(const rf_folder *f, int fd, const char *path, size_t size, rf_bytes *out, raffle_error *err)
{
    if (!rf_bytes_room(out, size + 1))
        return rf_nomem(err);
    while (out->length <= size) {
        const ssize_t got = read(fd, out->at + out->length, size + 1 - out->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(f, "read", path, err);
        if (got == 0)
            return RAFFLE_OK;
        out->length += (size_t)got;
    }
    return rf_fail(err, RAFFLE_CORRUPT, "%s grew while it was read", path);
}

raffle_rc rf_folder_get(const rf_folder *f, const char *path, size_t max, rf_bytes *out, raffle_error *err)
{
    struct stat found;
    /* Not waiting for whoever would write into a pipe. */
    const int fd = openat(f->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ELOOP || errno == ENXIO))
        return rf_fail(err, RAFFLE_CORRUPT, "%s is no plain file", path);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s is missing", path);
    if (fd < 0)
        return fail_errno(f, "open", path, err);
    raffle_rc rc;
    if (fstat(fd, &found) != 0)
        rc = fail_errno(f, "look at", path, err);
    else if (!S_ISREG(found.st_mode))
        rc = rf_fail(err, RAFFLE_CORRUPT, "%s is no plain file", path);
    else if ((uint64_t)found.st_size > max)
        rc = rf_fail(err, RAFFLE_CORRUPT, "%s has %lld bytes, and can have %zu", path, (long long)found.st_size, max);
    else
        rc = read_whole(f, fd, path, (size_t)found.st_size, out, err);
    close(fd);
    return rc;
}

static raffle_rc source_get(void *ctx, const char *path, size_t max, rf_bytes *out, raffle_error *err)
{
    return rf_folder_get(ctx, path, max, out, err);
}

static void source_free(void *ctx)
{
    rf_folder_free(ctx);
}

raffle_rc rf_source_folder(const char *path, rf_source *out, raffle_error *err)
{
    rf_folder *f = NULL;
    raffle_rc rc = rf_folder_open(path, &f, err);
    if (rc == RAFFLE_OK)
        *out = (rf_source){f, source_get, source_free};
    return rc;
}

/* --- writing --- */

/* Steps into a folder that may be made; `at` is closed unless it is the root. */
static int step(const rf_folder *f, int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0777) == 0 || errno == EEXIST))
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int code = errno;
    if (at != f->fd)
        close(at);
    errno = code;
    return fd;
}

static int walk(const rf_folder *f, const char *path)
{
    char names[PATH_MOST], *rest = NULL;
    int at = f->fd;
    memcpy(names, path, strlen(path) + 1);
    for (const char *name = strtok_r(names, "/", &rest); at >= 0 && name != NULL; name = strtok_r(NULL, "/", &rest))
        at = step(f, at, name);
    return at;
}

/* The folder of a file, kept open; `*name` is the file's. */
static raffle_rc parent(rf_folder *f, const char *path, int *fd, const char **name, raffle_error *err)
{
    char folder[PATH_MOST];
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    *name = slash == NULL ? path : slash + 1;
    *fd = f->fd;
    if (length == 0)
        return RAFFLE_OK;
    if (length >= sizeof folder)
        return rf_fail(err, RAFFLE_LIMIT, "the path %s is too long", path);
    memcpy(folder, path, length);
    folder[length] = 0;
    for (size_t i = 0; i < KEPT; i++)
        if (f->kept[i].fd >= 0 && strcmp(f->kept[i].path, folder) == 0) {
            *fd = f->kept[i].fd;
            return RAFFLE_OK;
        }
    *fd = walk(f, folder);
    if (*fd < 0)
        return fail_errno(f, "make the folder", folder, err);
    kept *k = &f->kept[f->next++ % KEPT];
    if (k->fd >= 0)
        close(k->fd);
    k->fd = *fd;
    memcpy(k->path, folder, length + 1);
    return RAFFLE_OK;
}

static bool write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static raffle_rc write_draft(const rf_folder *f, const char *path, const void *bytes, size_t length, bool synced,
                             raffle_error *err)
{
    const int fd = openat(f->fd, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_errno(f, "make", draft, err);
    const bool written = write_all(fd, bytes, length) && (!synced || fdatasync(fd) == 0);
    const int code = errno;
    const bool closed = close(fd) == 0;
    if (written && closed)
        return RAFFLE_OK;
    errno = written ? errno : code;
    return fail_errno(f, "write", path, err);
}

raffle_rc rf_folder_put(rf_folder *f, const char *path, const void *bytes, size_t length, bool synced,
                        raffle_error *err)
{
    int fd;
    const char *name;
    raffle_rc rc = parent(f, path, &fd, &name, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = write_draft(f, path, bytes, length, synced, err);
    if (rc == RAFFLE_OK && renameat(f->fd, draft, fd, name) != 0)
        rc = fail_errno(f, "replace", path, err);
    if (rc != RAFFLE_OK)
        (void)unlinkat(f->fd, draft, 0);
    return rc;
}

raffle_rc rf_folder_sync(const rf_folder *f, raffle_error *err)
{
    return syncfs(f->fd) == 0 ? RAFFLE_OK : fail_errno(f, "sync", "", err);
}

/* --- partial tiles --- */

typedef struct partials {
    const rf_folder *folder;
    rf_folder_partial partial;
    void *ctx;
} partials;

static bool ends_in_p(const char *name)
{
    const size_t length = strlen(name);
    return length > 2 && strcmp(name + length - 2, ".p") == 0;
}

static raffle_rc walk_partials(const partials *p, char path[PATH_MOST], size_t length, int depth, raffle_error *err);

/* An entry of a folder: of a partial tile's a width, else a folder below. */
static raffle_rc take_name(const partials *p, char path[PATH_MOST], size_t length, const struct dirent *entry,
                           int depth, raffle_error *err)
{
    const size_t name = strlen(entry->d_name);
    const bool widths = ends_in_p(path);
    if (entry->d_name[0] == '.' || length + 1 + name >= PATH_MOST)
        return RAFFLE_OK;
    if (!widths && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
        return RAFFLE_OK;
    path[length] = '/';
    memcpy(path + length + 1, entry->d_name, name + 1);
    raffle_rc rc = widths ? p->partial(p->ctx, path, err) : walk_partials(p, path, length + 1 + name, depth + 1, err);
    path[length] = 0;
    return rc;
}

/* What is no folder, or is gone, has no partial tiles. */
static raffle_rc walk_partials(const partials *p, char path[PATH_MOST], size_t length, int depth, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    const int fd = openat(p->folder->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 || depth > DEPTH_MOST ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return RAFFLE_OK;
    }
    for (struct dirent *entry; rc == RAFFLE_OK && (entry = readdir(dir)) != NULL;)
        rc = take_name(p, path, length, entry, depth, err);
    closedir(dir);
    return rc;
}

raffle_rc rf_folder_partials(const rf_folder *f, const char *path, rf_folder_partial partial, void *ctx,
                             raffle_error *err)
{
    char below[PATH_MOST];
    const partials p = {f, partial, ctx};
    const size_t length = strlen(path);
    if (length >= sizeof below)
        return rf_fail(err, RAFFLE_LIMIT, "the path %s is too long", path);
    memcpy(below, path, length + 1);
    return walk_partials(&p, below, length, 0, err);
}

raffle_rc rf_folder_remove(const rf_folder *f, const char *path, raffle_error *err)
{
    char folder[PATH_MOST];
    const char *slash = strrchr(path, '/');
    if (unlinkat(f->fd, path, 0) != 0 && errno != ENOENT)
        return fail_errno(f, "remove", path, err);
    if (slash == NULL || (size_t)(slash - path) >= sizeof folder)
        return RAFFLE_OK;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = 0;
    (void)unlinkat(f->fd, folder, AT_REMOVEDIR); /* not while it holds something */
    return RAFFLE_OK;
}
