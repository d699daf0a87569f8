/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of evidence: copying one in, and removing one. */
#include "evidence.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = 5000 /* another folder than that of the documents was named */
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

void evidence_remove(const char *path)
{
    char *const paths[] = {(char *)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *at = NULL; walk != NULL && (at = fts_read(walk)) != NULL;) {
        if (at->fts_info == FTS_DP)
            (void)rmdir(at->fts_accpath);
        else if (at->fts_info != FTS_D)
            (void)unlink(at->fts_accpath);
    }
    if (walk != NULL)
        fts_close(walk);
}

static bool is_left_out(const FTSENT *at, bool deep, const char *const *left_out)
{
    if (at->fts_level == 0)
        return false;
    if (at->fts_name[0] == '.' || (at->fts_info == FTS_D && !deep))
        return true;
    for (; at->fts_level == 1 && left_out != NULL && *left_out != NULL; left_out++)
        if (strcmp(at->fts_name, *left_out) == 0)
            return true;
    return false;
}

/* SHA256SUMS has names as they are. */
static bool is_plain(const char *name)
{
    for (; *name != 0; name++)
        if ((unsigned char)*name < ' ' || *name == '\\' || *name == 0x7f)
            return false;
    return true;
}

/* A link to a file is followed, one to a folder is not. */
static bool is_file(const FTSENT *at)
{
    struct stat found;
    return at->fts_info == FTS_F ||
           (at->fts_info == FTS_SL && stat(at->fts_accpath, &found) == 0 && S_ISREG(found.st_mode));
}

static int take(evidence *e, const FTSENT *at, const char *to, size_t prefix)
{
    char name[PATH_MAX];
    if (at->fts_level == 0 || (at->fts_info != FTS_D && !is_file(at)))
        return CLI_DONE;
    if (!is_plain(at->fts_path) || snprintf(name, sizeof name, "%s%s", to, at->fts_path + prefix) >= (int)sizeof name)
        return cli_fail_as(e->c, RAFFLE_INVALID, "%.200s has a name that no list of files can hold", at->fts_path);
    if (at->fts_info == FTS_D)
        return evidence_folder(e, name);
    return json_array_size(e->files) < FILES_MAX
               ? evidence_copy(e, at->fts_accpath, name)
               : cli_fail_as(e->c, RAFFLE_LIMIT, "%.200s: more than %d files", at->fts_path, FILES_MAX);
}

static int copy_all(evidence *e, FTS *walk, const char *to, size_t prefix, bool deep, const char *const *left_out)
{
    FTSENT *at;
    int status = CLI_DONE;
    errno = 0;
    while (status == CLI_DONE && (at = fts_read(walk)) != NULL) {
        if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR || at->fts_info == FTS_NS)
            return cli_fail_as(e->c, RAFFLE_IO, "%.200s: %s", at->fts_path, strerror(at->fts_errno));
        if (is_left_out(at, deep, left_out))
            (void)fts_set(walk, at, FTS_SKIP);
        else
            status = take(e, at, to, prefix);
        errno = 0;
    }
    return status == CLI_DONE && errno != 0 ? cli_fail_as(e->c, RAFFLE_IO, "%.200s: %s", to, strerror(errno)) : status;
}

int evidence_tree(evidence *e, const char *from, const char *to, bool deep, const char *const *left_out)
{
    char *const paths[] = {(char *)from, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (walk == NULL)
        return cli_fail_as(e->c, RAFFLE_IO, "%.200s: %s", from, strerror(errno));
    const int status = copy_all(e, walk, to, strlen(from), deep, left_out);
    fts_close(walk);
    return status;
}
