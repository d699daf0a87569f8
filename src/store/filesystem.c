/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, file systems and folders. */
#include "filesystem.h"

#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The f_type of statfs(2). FUSE is left out: it is local as often as not. */
static const struct {
    uint32_t type;
    const char *name;
} network[] = {
    {0x6969, "NFS"},      {0x517b, "SMB"},        {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
    {0x5346414f, "AFS"},  {0x6b414653, "AFS"},    {0x00c36400, "Ceph"},  {0x01021997, "9P"},
    {0x73757245, "Coda"}, {0x0bd00bd0, "Lustre"}, {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},
};

const char *rf_network_fs(uint64_t type)
{
    for (size_t i = 0; i < sizeof network / sizeof *network; i++) {
        if (network[i].type == (uint32_t)type) /* f_type is signed, and its upper half means nothing */
            return network[i].name;
    }
    return NULL;
}

static raffle_rc fail_errno(const char *doing, const char *path, raffle_error *err)
{
    int code = errno;
    raffle_rc rc = RAFFLE_IO;
    if (code == ENOENT || code == ENOTDIR)
        rc = RAFFLE_NOT_FOUND;
    else if (code == EEXIST)
        rc = RAFFLE_EXISTS;
    else if (code == EROFS || code == EACCES || code == EPERM)
        rc = RAFFLE_READONLY;
    else if (code == ENOSPC || code == EDQUOT)
        rc = RAFFLE_FULL;
    else if (code == ENOMEM)
        rc = RAFFLE_NOMEM;
    char text[64];
    return rf_fail(err, rc, "cannot %s %s: %s", doing, path, strerror_r(code, text, sizeof text));
}

/* The folder of an absolute path; the caller frees it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

raffle_rc rf_check_local(const char *path, raffle_error *err)
{
    struct statfs found;
    int failed = statfs(path, &found);
    if (failed != 0 && errno == ENOENT) {
        char *folder = folder_of(path);
        if (folder == NULL)
            return rf_nomem(err);
        failed = statfs(folder, &found);
        free(folder);
    }
    if (failed != 0)
        return fail_errno("look at the file system of", path, err);
    const char *name = rf_network_fs((uint64_t)found.f_type);
    if (name != NULL)
        return rf_fail(err, RAFFLE_NETWORK_FS, "%s is on %s, a network file system, whose locks cannot be trusted",
                       path, name);
    return RAFFLE_OK;
}

raffle_rc rf_absolute_path(const char *path, char **out, raffle_error *err)
{
    if (path[0] == '\0')
        return rf_fail(err, RAFFLE_INVALID, "the path of the store is empty");
    if (strnlen(path, PATH_MAX) == PATH_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the path of the store has more than %d bytes", PATH_MAX - 1);
    if (path[0] == '/') {
        *out = strdup(path);
        return *out == NULL ? rf_nomem(err) : RAFFLE_OK;
    }
    char *folder = getcwd(NULL, 0);
    if (folder == NULL)
        return fail_errno("find the working folder for", path, err);
    int n = asprintf(out, "%s/%s", folder, path);
    free(folder);
    return n < 0 ? rf_nomem(err) : RAFFLE_OK;
}

raffle_rc rf_make_file(const char *path, raffle_error *err)
{
    return mknod(path, S_IFREG | 0600, 0) == 0 ? RAFFLE_OK : fail_errno("make", path, err);
}

bool rf_folder_writable(const char *path)
{
    char *folder = folder_of(path);
    bool writable = folder != NULL && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0;
    free(folder);
    return writable;
}

raffle_rc rf_sync_folder(const char *path, raffle_error *err)
{
    char *folder = folder_of(path);
    if (folder == NULL)
        return rf_nomem(err);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    raffle_rc rc = RAFFLE_OK;
    if (fd < 0 || fsync(fd) != 0)
        rc = fail_errno("sync", folder, err);
    if (fd >= 0)
        close(fd);
    free(folder);
    return rc;
}
