/* SPDX-License-Identifier: Apache-2.0 */
/* The file or the parts of a sample, and its state, FILE.state: a line of JSON that is replaced whole, after what it counts is durable. */
#include "sample_out.h"

#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SAVE_EVERY_MS = 5000,
    NAME_SIZE = SAMPLE_PATH_MAX + 32
};

__attribute__((format(printf, 2, 3))) static bool fault(sample_out *o, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(o->fault, sizeof o->fault, format, list);
    va_end(list);
    return false;
}

static bool fault_at(sample_out *o, const char *name)
{
    return fault(o, "%.200s: %s", name, strerror(errno));
}

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void part_name(const sample_out *o, char out[NAME_SIZE])
{
    if (o->split == 0)
        snprintf(out, NAME_SIZE, "%s", o->path);
    else
        snprintf(out, NAME_SIZE, "%s.%06" PRIu64, o->path, o->part);
}

/* Opens the part with the bytes that it is to have already. */
static bool open_part(sample_out *o)
{
    char name[NAME_SIZE];
    struct stat is;
    part_name(o, name);
    o->fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | (o->part_bytes == 0 ? O_TRUNC : 0), 0666);
    if (o->fd < 0 || fstat(o->fd, &is) != 0)
        return fault_at(o, name);
    o->kept = S_ISREG(is.st_mode);
    if (o->part_bytes == 0)
        return true;
    if ((uint64_t)is.st_size < o->part_bytes)
        return fault(o, "%.200s has %" PRId64 " bytes, fewer than the state beside it counts", name,
                     (int64_t)is.st_size);
    if (ftruncate(o->fd, (off_t)o->part_bytes) != 0 || lseek(o->fd, 0, SEEK_END) < 0)
        return fault_at(o, name);
    return true;
}

/* --- the state --- */

static void state_name(const sample_out *o, const char *suffix, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%s.state%s", o->path, suffix);
}

static bool read_count(json_t *state, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(state, name);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool take_state(sample_out *o, json_t *state, const char *name)
{
    const char *what = json_string_value(json_object_get(state, "sample"));
    if (what == NULL || !read_count(state, "done", &o->done) || !read_count(state, "part", &o->part) ||
        !read_count(state, "bytes", &o->part_bytes) || o->part == 0)
        return fault(o, "%.200s is no state of a sample", name);
    if (strcmp(what, o->what) != 0)
        return fault(o, "%.100s is of another sample (%.150s); remove it to begin anew", name, what);
    return true;
}

/* No state is no fault. */
static bool read_state(sample_out *o)
{
    char name[NAME_SIZE];
    json_error_t why;
    state_name(o, "", name);
    if (access(name, F_OK) != 0)
        return errno == ENOENT ? true : fault_at(o, name);
    json_t *state = json_load_file(name, 0, &why);
    bool good = state != NULL ? take_state(o, state, name) : fault(o, "%.150s: %.100s", name, why.text);
    json_decref(state);
    return good;
}

static bool replace_state(sample_out *o, const json_t *state)
{
    char name[NAME_SIZE], next[NAME_SIZE];
    state_name(o, "", name);
    state_name(o, ".new", next);
    const int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return fault_at(o, next);
    bool good = json_dumpfd(state, fd, JSON_COMPACT) == 0 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good && rename(next, name) == 0 ? true : fault_at(o, name);
}

static bool save_state(sample_out *o)
{
    json_t *state = json_must(json_object());
    json_put(state, "sample", json_text(o->what));
    json_put(state, "done", json_integer((json_int_t)o->done));
    json_put(state, "part", json_integer((json_int_t)o->part));
    json_put(state, "bytes", json_integer((json_int_t)o->part_bytes));
    const bool good = replace_state(o, state);
    json_decref(state);
    return good;
}

/* --- writing --- */

static bool flush(sample_out *o)
{
    for (size_t at = 0; at < o->used;) {
        const ssize_t n = write(o->fd, o->buffer + at, o->used - at);
        if (n < 0 && errno != EINTR)
            return fault_at(o, o->path != NULL ? o->path : "standard output");
        at += n > 0 ? (size_t)n : 0;
    }
    o->used = 0;
    return true;
}

static bool next_part(sample_out *o)
{
    if (!flush(o))
        return false;
    if ((o->kept && fsync(o->fd) != 0) || close(o->fd) != 0)
        return fault_at(o, o->path);
    o->part++;
    o->part_bytes = 0;
    return open_part(o);
}

bool sample_out_open(sample_out *o, const char *path, uint64_t split, const char *what)
{
    *o = (sample_out){.path = path, .split = split, .what = what, .fd = STDOUT_FILENO, .part = 1};
    if (path != NULL && strlen(path) > SAMPLE_PATH_MAX)
        return fault(o, "the name of the file has more than %d bytes", SAMPLE_PATH_MAX);
    if (path != NULL && (!read_state(o) || !open_part(o)))
        return false;
    o->buffer = memory_grow(NULL, SAMPLE_BUFFER);
    o->saved_ms = now_ms();
    return true;
}

bool sample_out_record(sample_out *o, const void *bytes, size_t n)
{
    if (o->split != 0 && o->part_bytes > 0 && o->part_bytes + n > o->split && !next_part(o))
        return false;
    const char *from = bytes;
    for (size_t left = n; left > 0;) {
        if (o->used == SAMPLE_BUFFER && !flush(o))
            return false;
        const size_t take = left < SAMPLE_BUFFER - o->used ? left : SAMPLE_BUFFER - o->used;
        memcpy(o->buffer + o->used, from, take);
        o->used += take;
        from += take;
        left -= take;
    }
    o->part_bytes += n;
    return true;
}

bool sample_out_done(sample_out *o, uint64_t done, bool last)
{
    /* After a fault nobody knows what of the buffer the file has. */
    if (o->fault[0] != 0)
        return false;
    o->done = done;
    if (!o->kept || (!last && now_ms() - o->saved_ms < SAVE_EVERY_MS))
        return true;
    o->saved_ms = now_ms();
    if (!flush(o))
        return false;
    return fsync(o->fd) == 0 ? save_state(o) : fault_at(o, o->path);
}

bool sample_out_finish(sample_out *o)
{
    char name[NAME_SIZE];
    if (!flush(o))
        return false;
    if (o->path == NULL)
        return true;
    const bool durable = !o->kept || fsync(o->fd) == 0;
    const int fd = o->fd;
    o->fd = -1;
    if (close(fd) != 0 || !durable)
        return fault_at(o, o->path);
    if (!o->kept)
        return true;
    state_name(o, "", name);
    return unlink(name) == 0 || errno == ENOENT ? true : fault_at(o, name);
}

void sample_out_close(sample_out *o)
{
    if (o->path != NULL && o->fd >= 0)
        close(o->fd);
    free(o->buffer);
    o->buffer = NULL;
    o->fd = -1;
}
