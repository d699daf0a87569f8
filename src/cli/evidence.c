/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of evidence: made under a name of its own, hashed, and renamed when it is whole. */
#include "evidence.h"

#include "file_out.h"
#include "self_run.h"
#include "sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY_BYTES = 1 << 16
};

static int io_failed(evidence *e, const char *path)
{
    const int why = errno;
    progress_clear(&e->bar);
    errno = why;
    return cli_fail_as(e->c, errno == EEXIST ? RAFFLE_EXISTS : RAFFLE_IO, "%.200s: %s", path, strerror(errno));
}

int evidence_path(evidence *e, const char *name, char out[PATH_MAX])
{
    const int length = snprintf(out, PATH_MAX, "%s/%s", e->part, name);
    return length < PATH_MAX ? CLI_DONE : cli_fail_as(e->c, RAFFLE_LIMIT, "%.200s: the path is too long", name);
}

static void step(evidence *e)
{
    progress_at(&e->bar, e->done++, e->steps);
}

/* --- the folder --- */

static int take_path(evidence *e, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length >= PATH_MAX - 16)
        return cli_usage(e->c, "FOLDER is empty, or longer than a path can be");
    memcpy(e->path, path, length);
    e->path[length] = 0;
    return CLI_DONE;
}

int evidence_begin(evidence *e, cli *c, const char *path, uint64_t steps)
{
    struct stat found;
    *e = (evidence){.c = c, .steps = steps};
    int status = take_path(e, path);
    if (status != CLI_DONE)
        return status;
    if (lstat(e->path, &found) == 0)
        return cli_fail_as(c, RAFFLE_EXISTS, "%.200s is there already", e->path);
    snprintf(e->part, sizeof e->part, "%.*s.XXXXXX", (int)(sizeof e->part - 8), e->path);
    if (mkdtemp(e->part) == NULL) {
        e->part[0] = 0;
        return io_failed(e, e->path);
    }
    e->files = json_must(json_array());
    progress_begin(&e->bar, "evidence", !c->json);
    return CLI_DONE;
}

int evidence_folder(evidence *e, const char *name)
{
    char path[PATH_MAX];
    int status = evidence_path(e, name, path);
    if (status != CLI_DONE)
        return status;
    return mkdir(path, 0777) == 0 ? CLI_DONE : io_failed(e, path);
}

void evidence_drop(evidence *e)
{
    if (e->part[0] != 0)
        evidence_remove(e->part);
    progress_clear(&e->bar);
    json_decref(e->files);
}

/* --- its files --- */

void evidence_note(evidence *e, const char *name, bool varies)
{
    json_t *file = json_must(json_object());
    json_put(file, "path", json_text(name));
    json_put(file, "varies", json_must(json_boolean(varies)));
    json_add(e->files, file);
}

static FILE *open_new(evidence *e, const char *name, char path[PATH_MAX])
{
    if (evidence_path(e, name, path) != CLI_DONE)
        return NULL;
    FILE *file = fopen(path, "wbx");
    if (file == NULL)
        (void)io_failed(e, path);
    return file;
}

int evidence_write(evidence *e, const char *name, bool varies, const char *bytes, size_t length)
{
    char path[PATH_MAX];
    FILE *file = open_new(e, name, path);
    if (file == NULL)
        return CLI_FAILED;
    const bool written = fwrite(bytes, 1, length, file) == length;
    if (fclose(file) != 0 || !written)
        return io_failed(e, path);
    evidence_note(e, name, varies);
    step(e);
    return CLI_DONE;
}

static bool copy_bytes(FILE *from, FILE *to)
{
    char bytes[COPY_BYTES];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
        if (fwrite(bytes, 1, n, to) != n)
            return false;
    return !ferror(from);
}

int evidence_copy(evidence *e, const char *from, const char *name)
{
    char path[PATH_MAX];
    FILE *source = fopen(from, "rb");
    if (source == NULL)
        return io_failed(e, from);
    FILE *to = open_new(e, name, path);
    if (to == NULL) {
        fclose(source);
        return CLI_FAILED;
    }
    const bool copied = copy_bytes(source, to);
    fclose(source);
    if (fclose(to) != 0 || !copied)
        return io_failed(e, from);
    evidence_note(e, name, false);
    return CLI_DONE;
}

/* --- what this command prints --- */

/* The last line that was said, without the command's name: what came before were warnings. */
static int run_failed(evidence *e, const char *const *argv, char *said)
{
    static const char prefix[] = "raffle: ";
    const bool two = strcmp(argv[1], "rng") == 0;
    size_t length = strlen(said);
    while (length > 0 && said[length - 1] == '\n')
        said[--length] = 0;
    char *line = strrchr(said, '\n');
    line = line != NULL ? line + 1 : said;
    if (strncmp(line, prefix, sizeof prefix - 1) == 0)
        line += sizeof prefix - 1;
    progress_clear(&e->bar);
    return cli_fail_as(e->c, RAFFLE_INVALID, "raffle %s%s%s: %s", argv[1], two ? " " : "", two ? argv[2] : "",
                       line[0] != 0 ? line : "it did not end");
}

int evidence_run(evidence *e, const char *name, bool varies, bool inside, const char **argv, int *verdict)
{
    char path[PATH_MAX], said[1000];
    int status = name != NULL ? evidence_path(e, name, path) : CLI_DONE;
    if (status != CLI_DONE)
        return status;
    argv[0] = "raffle";
    status = self_run(argv, inside ? e->part : NULL, name != NULL ? path : NULL, said, sizeof said);
    if (status != CLI_DONE && status != CLI_FAULT)
        return run_failed(e, argv, said);
    if (name != NULL)
        evidence_note(e, name, varies);
    e->fault = e->fault || status == CLI_FAULT;
    if (verdict != NULL)
        *verdict = status;
    step(e);
    return CLI_DONE;
}

/* --- its end --- */

static int add_hash(evidence *e, json_t *file, FILE *sums)
{
    char path[PATH_MAX], hex[2 * RAFFLE_HASH_SIZE + 1];
    uint8_t hash[RAFFLE_HASH_SIZE];
    struct stat found;
    const char *name = json_string_value(json_object_get(file, "path"));
    int status = evidence_path(e, name, path);
    if (status != CLI_DONE)
        return status;
    if (stat(path, &found) != 0 || !sha256_file(path, hash))
        return io_failed(e, path);
    hex_format(hash, sizeof hash, hex);
    json_put(file, "bytes", json_count((uint64_t)found.st_size));
    json_put(file, "sha256", json_text(hex));
    return fprintf(sums, "%s  %s\n", hex, name) > 0 ? CLI_DONE : io_failed(e, path);
}

static int write_manifest(evidence *e, const json_t *about)
{
    char *text = json_dumps(about, JSON_INDENT(1));
    const size_t length = text != NULL ? strlen(text) : 0;
    if (text == NULL)
        return cli_fail_as(e->c, RAFFLE_NOMEM, "out of memory");
    text[length] = '\n'; /* in the place of the NUL */
    const int status = evidence_write(e, "manifest.json", true, text, length + 1);
    free(text);
    return status;
}

/* The manifest lists every file but itself and SHA256SUMS, which has every file but itself. */
static int write_sums(evidence *e, json_t *about, FILE *sums)
{
    const size_t n = json_array_size(e->files);
    json_t *listed = json_must(json_array());
    json_put(about, "files", listed);
    for (size_t i = 0; i < n; i++) {
        json_t *file = json_array_get(e->files, i);
        int status = add_hash(e, file, sums);
        if (status != CLI_DONE)
            return status;
        json_add(listed, json_incref(file));
    }
    int status = write_manifest(e, about);
    return status == CLI_DONE ? add_hash(e, json_array_get(e->files, n), sums) : status;
}

static int sync_folder(evidence *e, const char *path, int (*sync)(int))
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && sync(fd) == 0;
    const int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return good ? CLI_DONE : io_failed(e, path);
}

/* The folder that it stands in. */
static int sync_parent(evidence *e)
{
    char *slash = strrchr(e->part, '/');
    if (slash != NULL)
        slash[slash == e->part ? 1 : 0] = 0;
    const int status = sync_folder(e, slash != NULL ? e->part : ".", fsync);
    e->part[0] = 0; /* it has its name, and is not removed any more */
    return status;
}

static int give_name(evidence *e)
{
    return file_give_name(e->part, e->path) ? sync_parent(e) : io_failed(e, e->path);
}

int evidence_end(evidence *e, json_t *about)
{
    char path[PATH_MAX];
    FILE *sums = open_new(e, "SHA256SUMS", path);
    if (sums == NULL)
        return CLI_FAILED;
    int status = write_sums(e, about, sums);
    if (fclose(sums) != 0 && status == CLI_DONE)
        status = io_failed(e, path);
    if (status == CLI_DONE)
        status = sync_folder(e, e->part, syncfs);
    return status == CLI_DONE ? give_name(e) : status;
}
