/* SPDX-License-Identifier: Apache-2.0 */
/* The anchor file: reading and writing its slots under a lock of the open file, which threads and processes both respect. */
#include "anchor.h"

#include "bytes.h"
#include "error.h"
#include "filesystem.h"
#include "sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <raffle/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SLOT = 512, /* a sector: written whole or not at all */
    SUM_SIZE = 64
};

static const char magic[] = "libraffle anchor 1 ";

struct rf_anchor {
    pthread_mutex_t lock; /* around `hash` */
    rf_sha256 *hash;
    char path[];
};

/* A slot as it was read. */
typedef struct slot {
    bool empty; /* never written */
    bool valid;
    uint64_t size;
    uint8_t root[32];
} slot;

static raffle_rc fail_io(const rf_anchor *anchor, const char *doing, raffle_error *err)
{
    int code = errno;
    raffle_rc rc = RAFFLE_IO;
    if (code == ENOSPC || code == EDQUOT)
        rc = RAFFLE_FULL;
    else if (code == EROFS)
        rc = RAFFLE_READONLY;
    else if (code == ENOMEM)
        rc = RAFFLE_NOMEM;
    char text[64];
    return rf_fail(err, rc, "cannot %s the anchor %s: %s", doing, anchor->path, strerror_r(code, text, sizeof text));
}

raffle_rc rf_anchor_new(const char *path, rf_anchor **out, raffle_error *err)
{
    size_t length = strlen(path) + 1;
    rf_anchor *anchor = malloc(sizeof *anchor + length);
    if (anchor == NULL)
        return rf_nomem(err);
    memcpy(anchor->path, path, length);
    anchor->hash = rf_sha256_new();
    if (anchor->hash == NULL || pthread_mutex_init(&anchor->lock, NULL) != 0) {
        rf_sha256_free(anchor->hash);
        free(anchor);
        return rf_nomem(err);
    }
    *out = anchor;
    return RAFFLE_OK;
}

void rf_anchor_free(rf_anchor *anchor)
{
    if (anchor == NULL)
        return;
    pthread_mutex_destroy(&anchor->lock);
    rf_sha256_free(anchor->hash);
    free(anchor);
}

/* The checksum covers the origin, so that a slot of another raffle's anchor does not pass. */
static void checksum(rf_anchor *anchor, const char *origin, const char *line, size_t length, char sum[SUM_SIZE])
{
    uint8_t digest[32];
    const rf_span spans[] = {{origin, strlen(origin) + 1}, {line, length}};
    pthread_mutex_lock(&anchor->lock);
    rf_sha256_spans(anchor->hash, digest, spans, 2);
    pthread_mutex_unlock(&anchor->lock);
    rf_hex_encode(sum, digest, sizeof digest);
}

/* "log 1 size 1000 root <hex> sum <hex>", filled up with spaces, and a newline: a slot can be read by people. */
static void format_slot(rf_anchor *anchor, const char *origin, uint32_t log, uint64_t size, const uint8_t root[32],
                        char out[SLOT])
{
    char hex[65] = "";
    rf_hex_encode(hex, root, 32);
    int n = snprintf(out, SLOT, "log %" PRIu32 " size %" PRIu64 " root %s sum ", log, size, hex);
    size_t length = (size_t)n;
    checksum(anchor, origin, out, length, out + length);
    memset(out + length + SUM_SIZE, ' ', SLOT - length - SUM_SIZE - 1);
    out[SLOT - 1] = '\n';
}

static bool all_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* Reads the numbers and the root, then writes the slot anew and compares: one form, and the checksum with it. */
static void parse_slot(rf_anchor *anchor, const char *origin, uint32_t log, const char in[SLOT], slot *out)
{
    *out = (slot){.empty = all_zero(in, SLOT)};
    if (out->empty)
        return;
    char text[SLOT], hex[65] = "";
    memcpy(text, in, SLOT);
    text[SLOT - 1] = '\0';
    uint64_t found_log = 0;
    /* What it cannot say, the comparison below does. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, "log %5" SCNu64 " size %13" SCNu64 " root %64[0-9a-f] sum ", &found_log, &out->size, hex) != 3)
        return;
    if (found_log != log || !rf_hex_decode(out->root, 32, hex, strlen(hex)))
        return;
    format_slot(anchor, origin, log, out->size, out->root, text);
    out->valid = memcmp(text, in, SLOT) == 0;
}

static off_t slot_offset(uint32_t log, int which)
{
    return (off_t)SLOT * (1 + 2 * (off_t)log + which);
}

static raffle_rc read_slots(rf_anchor *anchor, int fd, const char *origin, uint32_t log, slot out[2], raffle_error *err)
{
    char bytes[2 * SLOT] = {0};
    if (pread(fd, bytes, sizeof bytes, slot_offset(log, 0)) < 0)
        return fail_io(anchor, "read", err);
    parse_slot(anchor, origin, log, bytes, &out[0]);
    parse_slot(anchor, origin, log, bytes + SLOT, &out[1]);
    return RAFFLE_OK;
}

/* The newest of the two, or -1. */
static int newest(const slot slots[2])
{
    if (slots[0].valid && slots[1].valid)
        return slots[1].size > slots[0].size;
    return slots[0].valid ? 0 : slots[1].valid ? 1 : -1;
}

static raffle_rc lock_file(const rf_anchor *anchor, int fd, short type, raffle_error *err)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    while (fcntl(fd, F_OFD_SETLKW, &lock) != 0) {
        if (errno != EINTR)
            return fail_io(anchor, "lock", err);
    }
    return RAFFLE_OK;
}

/* Closing alone would leave the lock to a child that was forked in between, and has the same open file. */
static void unlock_and_close(int fd)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    (void)fcntl(fd, F_OFD_SETLK, &lock);
    close(fd);
}

static void format_header(const char *origin, char out[SLOT])
{
    memset(out, ' ', SLOT);
    memcpy(out, magic, sizeof magic - 1);
    memcpy(out + sizeof magic - 1, origin, strlen(origin));
    out[SLOT - 1] = '\n';
}

/* A header that was never finished is as good as none: nothing was written after it. Other bytes are somebody else's, and stay. */
static raffle_rc check_header(const rf_anchor *anchor, int fd, const char *origin, bool *missing, raffle_error *err)
{
    char expected[SLOT], found[SLOT] = {0};
    format_header(origin, expected);
    ssize_t n = pread(fd, found, SLOT, 0);
    if (n < 0)
        return fail_io(anchor, "read", err);
    *missing = all_zero(found, SLOT) || (n < SLOT && memcmp(found, expected, (size_t)n) == 0);
    if (*missing || memcmp(found, expected, SLOT) == 0)
        return RAFFLE_OK;
    if (n < SLOT || memcmp(found, magic, sizeof magic - 1) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "%s is no anchor file", anchor->path);
    int length = (int)strcspn(found + sizeof magic - 1, " \n");
    if (length >= RAFFLE_ORIGIN_SIZE)
        return rf_fail(err, RAFFLE_CORRUPT, "the first line of the anchor %s is damaged", anchor->path);
    return rf_fail(err, RAFFLE_MISMATCH, "the anchor %s is of the raffle %.*s, not of %s", anchor->path, length,
                   found + sizeof magic - 1, origin);
}

/* Opens for reading under a shared lock; RAFFLE_NOT_FOUND without a sentence of its own when there is nothing. */
static raffle_rc open_to_read(const rf_anchor *anchor, const char *origin, int *out, raffle_error *err)
{
    int fd = open(anchor->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no anchor %s", anchor->path);
    if (fd < 0)
        return fail_io(anchor, "open", err);
    bool missing = false;
    raffle_rc rc = lock_file(anchor, fd, F_RDLCK, err);
    if (rc == RAFFLE_OK)
        rc = check_header(anchor, fd, origin, &missing, err);
    if (rc == RAFFLE_OK && missing)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "the anchor %s is empty", anchor->path);
    if (rc != RAFFLE_OK) {
        unlock_and_close(fd);
        return rc;
    }
    *out = fd;
    return RAFFLE_OK;
}

raffle_rc rf_anchor_get(rf_anchor *anchor, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                        raffle_error *err)
{
    int fd = -1;
    raffle_rc rc = open_to_read(anchor, origin, &fd, err);
    if (rc != RAFFLE_OK)
        return rc;
    slot slots[2];
    rc = read_slots(anchor, fd, origin, log, slots, err);
    unlock_and_close(fd);
    if (rc != RAFFLE_OK)
        return rc;
    int which = newest(slots);
    if (which < 0 && slots[0].empty && slots[1].empty)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the anchor %s holds nothing of log %" PRIu32, anchor->path, log);
    /* One slot that was torn while it was written first: as if it had not been. */
    if (which < 0 && slots[1].empty)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the anchor %s holds only an unfinished line of log %" PRIu32,
                       anchor->path, log);
    if (which < 0)
        return rf_fail(err, RAFFLE_CORRUPT, "both lines of log %" PRIu32 " in the anchor %s are damaged", log,
                       anchor->path);
    *size = slots[which].size;
    memcpy(root, slots[which].root, 32);
    return RAFFLE_OK;
}

static raffle_rc write_block(const rf_anchor *anchor, int fd, const char block[SLOT], off_t at, raffle_error *err)
{
    ssize_t n = pwrite(fd, block, SLOT, at);
    if (n == SLOT)
        return RAFFLE_OK;
    if (n >= 0)
        errno = ENOSPC;
    return fail_io(anchor, "write", err);
}

/* A new file's name reaches the disk before its first line does. */
static raffle_rc begin_file(const rf_anchor *anchor, int fd, const char *origin, raffle_error *err)
{
    char header[SLOT];
    format_header(origin, header);
    raffle_rc rc = write_block(anchor, fd, header, 0, err);
    if (rc == RAFFLE_OK && fsync(fd) != 0)
        rc = fail_io(anchor, "sync", err);
    return rc == RAFFLE_OK ? rf_sync_folder(anchor->path, err) : rc;
}

/* Writes the slot that holds the older value, or none. */
static raffle_rc put_slot(rf_anchor *anchor, int fd, const char *origin, uint32_t log, uint64_t size,
                          const uint8_t root[32], raffle_error *err)
{
    slot slots[2];
    raffle_rc rc = read_slots(anchor, fd, origin, log, slots, err);
    if (rc != RAFFLE_OK)
        return rc;
    int which = newest(slots);
    if (which < 0 && !slots[1].empty)
        return rf_fail(err, RAFFLE_CORRUPT, "both lines of log %" PRIu32 " in the anchor %s are damaged", log,
                       anchor->path);
    if (which >= 0 && slots[which].size == size && memcmp(slots[which].root, root, 32) != 0)
        return rf_fail(err, RAFFLE_HISTORY, "the anchor %s knows another root of log %" PRIu32 " at size %" PRIu64,
                       anchor->path, log, size);
    if (which >= 0 && slots[which].size >= size)
        return RAFFLE_OK;
    char block[SLOT];
    format_slot(anchor, origin, log, size, root, block);
    return write_block(anchor, fd, block, slot_offset(log, which == 0), err);
}

static raffle_rc put_open(rf_anchor *anchor, int fd, const char *origin, uint32_t log, uint64_t size,
                          const uint8_t root[32], bool durable, raffle_error *err)
{
    bool missing = false;
    raffle_rc rc = lock_file(anchor, fd, F_WRLCK, err);
    if (rc == RAFFLE_OK)
        rc = check_header(anchor, fd, origin, &missing, err);
    if (rc == RAFFLE_OK && missing)
        rc = begin_file(anchor, fd, origin, err);
    if (rc == RAFFLE_OK)
        rc = put_slot(anchor, fd, origin, log, size, root, err);
    /* Also when nothing changed: an earlier write may not have reached the disk. */
    if (rc == RAFFLE_OK && durable && fdatasync(fd) != 0)
        rc = fail_io(anchor, "sync", err);
    return rc;
}

raffle_rc rf_anchor_put(rf_anchor *anchor, const char *origin, uint32_t log, uint64_t size, const uint8_t root[32],
                        bool durable, raffle_error *err)
{
    int fd = open(anchor->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return fail_io(anchor, "open", err);
    raffle_rc rc = put_open(anchor, fd, origin, log, size, root, durable, err);
    unlock_and_close(fd);
    return rc;
}

raffle_rc rf_anchor_unseen(rf_anchor *anchor, const char *origin, raffle_error *err)
{
    uint64_t size = 0;
    uint8_t root[32];
    raffle_error own = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_anchor_get(anchor, origin, 0, &size, root, &own);
    if (rc == RAFFLE_OK && size > 0)
        return rf_fail(err, RAFFLE_HISTORY,
                       "the anchor saw %" PRIu64
                       " records of the control log of %s, whose store is lost: it is to be put "
                       "back, and not made anew",
                       size, origin);
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &own);
}
