/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in a folder that only its owner may enter: a log's key as the one line that Go's note package writes, the ticket key as a line of ours.
 * A key is made once, whole and durable, and never overwritten. */
#include "keys.h"

#include "bytes.h"
#include "error.h"
#include "filesystem.h"
#include "note.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 640, /* the longest key file */
    TYPED = 33,           /* the type of a key, and its seed */
    TYPED_TEXT = 44,      /* the same in base64 */
    FILE_SIZE = 64        /* the name of a file in the folder */
};

typedef struct keyfile {
    char *directory; /* from the root */
} keyfile;

/* What is secret, in secure memory. */
typedef struct secret {
    uint8_t typed[TYPED]; /* 01 || seed */
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    char line[LINE_MAX_BYTES];
} secret;

/* --- names --- */

/* "control" and "unit-N" are the keys of logs, whose names are their origins. */
static void log_name(char out[256], const char *origin, const char *name)
{
    if (strncmp(name, "unit-", 5) == 0)
        snprintf(out, 256, "%s/unit/%s", origin, name + 5);
    else
        snprintf(out, 256, "%s", origin);
}

static void file_name(char out[FILE_SIZE], const char *name)
{
    snprintf(out, FILE_SIZE, "%.32s.key", name);
}

static raffle_rc io_fault(raffle_error *err, const char *what, const char *folder, const char *file)
{
    const int why = errno;
    char text[64];
    raffle_rc rc = RAFFLE_IO;
    if (why == ENOSPC || why == EDQUOT)
        rc = RAFFLE_FULL;
    else if (why == EROFS)
        rc = RAFFLE_READONLY;
    else if (why == EACCES || why == EPERM || why == ELOOP)
        rc = RAFFLE_KEY;
    return rf_fail(err, rc, "%s %s/%s: %s", what, folder, file, strerror_r(why, text, sizeof text));
}

/* --- reading --- */

static raffle_rc check_owner(const struct stat *st, const char *folder, const char *file, raffle_error *err)
{
    if (st->st_uid != geteuid())
        return rf_fail(err, RAFFLE_KEY, "%s/%s belongs to another user", folder, file);
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return rf_fail(err, RAFFLE_KEY, "%s/%s can be entered or read by others: chmod go= it", folder, file);
    return RAFFLE_OK;
}

/* What was checked is what is used afterwards: files are opened relative to this descriptor. */
static raffle_rc open_directory(const keyfile *k, int *out, raffle_error *err)
{
    struct stat st;
    int fd = open(k->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no folder of keys %s", k->directory);
    if (fd < 0 && errno == ENOTDIR)
        return rf_fail(err, RAFFLE_KEY, "%s is no folder", k->directory);
    if (fd < 0)
        return io_fault(err, "opening", k->directory, "");
    raffle_rc rc =
        fstat(fd, &st) == 0 ? check_owner(&st, k->directory, "", err) : io_fault(err, "looking at", k->directory, "");
    if (rc != RAFFLE_OK) {
        close(fd);
        return rc;
    }
    *out = fd;
    return RAFFLE_OK;
}

static raffle_rc read_all(int fd, const char *folder, const char *file, char line[LINE_MAX_BYTES], size_t *length,
                          raffle_error *err)
{
    struct stat st;
    *length = 0;
    if (fstat(fd, &st) != 0)
        return io_fault(err, "looking at", folder, file);
    raffle_rc rc = check_owner(&st, folder, file, err);
    if (rc == RAFFLE_OK && (!S_ISREG(st.st_mode) || st.st_size > LINE_MAX_BYTES))
        rc = rf_fail(err, RAFFLE_KEY, "%s/%s is no key file", folder, file);
    while (rc == RAFFLE_OK && *length < LINE_MAX_BYTES) {
        ssize_t n = read(fd, line + *length, LINE_MAX_BYTES - *length);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            rc = io_fault(err, "reading", folder, file);
        *length += n > 0 ? (size_t)n : 0;
    }
    return rc;
}

/* The file's one line; the length is without the newline. */
static raffle_rc read_line(const keyfile *k, const char *name, char line[LINE_MAX_BYTES], size_t *length,
                           raffle_error *err)
{
    char file[FILE_SIZE];
    int directory = -1;
    file_name(file, name);
    raffle_rc rc = open_directory(k, &directory, err);
    if (rc != RAFFLE_OK)
        return rc;
    /* Not blocking: somebody may have put a pipe there. */
    int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        rc = errno == ENOENT ? rf_fail(err, RAFFLE_NOT_FOUND, "there is no key %s/%s", k->directory, file)
                             : io_fault(err, "opening", k->directory, file);
    close(directory);
    if (fd < 0)
        return rc;
    rc = read_all(fd, k->directory, file, line, length, err);
    close(fd);
    if (rc != RAFFLE_OK)
        return rc;
    if (*length == 0 || line[--*length] != '\n' || memchr(line, '\n', *length) != NULL)
        return rf_fail(err, RAFFLE_KEY, "%s/%s is not one line", k->directory, file);
    return RAFFLE_OK;
}

/* "PRIVATE+KEY+<name>+<8 hex id>+<base64(01 || seed)>". */
static bool parse_private(secret *s, size_t length, const char *name, uint8_t id[4], bool *other_name)
{
    static const char prefix[] = "PRIVATE+KEY+";
    const char *rest = s->line + sizeof prefix - 1, *end = s->line + length;
    size_t n;
    if (length < sizeof prefix - 1 || memcmp(s->line, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *plus = memchr(rest, '+', (size_t)(end - rest));
    if (plus == NULL || end - plus != 1 + 8 + 1 + TYPED_TEXT || plus[9] != '+')
        return false;
    *other_name = (size_t)(plus - rest) != strlen(name) || memcmp(rest, name, strlen(name)) != 0;
    return rf_hex_decode(id, 4, plus + 1, 8) && rf_base64_decode(s->typed, TYPED, &n, plus + 10, TYPED_TEXT) &&
           n == TYPED && s->typed[0] == RF_NOTE_ED25519;
}

static raffle_rc load_key(const keyfile *k, const char *origin, const char *name, secret *s, uint8_t public_key[32],
                          raffle_error *err)
{
    char expected[256];
    uint8_t id[4], right_id[4];
    size_t length;
    bool other_name = false;
    log_name(expected, origin, name);
    raffle_rc rc = read_line(k, name, s->line, &length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!parse_private(s, length, expected, id, &other_name))
        return rf_fail(err, RAFFLE_KEY, "%s/%s.key is no key", k->directory, name);
    if (other_name)
        return rf_fail(err, RAFFLE_MISMATCH, "%s/%s.key is the key of another log than %s", k->directory, name,
                       expected);
    crypto_sign_seed_keypair(public_key, s->key, s->typed + 1);
    /* The id is a checksum of the seed: what was damaged must not become another key. */
    rf_key_id(right_id, expected, RF_NOTE_ED25519, public_key);
    if (memcmp(id, right_id, 4) != 0)
        return rf_fail(err, RAFFLE_KEY, "%s/%s.key is damaged: its id is not that of its key", k->directory, name);
    return RAFFLE_OK;
}

static raffle_rc keyfile_public(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    secret *s = sodium_malloc(sizeof *s);
    raffle_rc rc = s == NULL ? rf_nomem(err) : load_key(ctx, origin, name, s, out, err);
    sodium_free(s);
    return rc;
}

static raffle_rc keyfile_sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                              uint8_t out[64], raffle_error *err)
{
    uint8_t public_key[32];
    secret *s = sodium_malloc(sizeof *s);
    raffle_rc rc = s == NULL ? rf_nomem(err) : load_key(ctx, origin, name, s, public_key, err);
    if (rc == RAFFLE_OK)
        crypto_sign_detached(out, NULL, message, length, s->key);
    sodium_free(s);
    return rc;
}

static const char ticket_prefix[] = "libraffle-ticket-key-1 ";

static raffle_rc parse_ticket(const keyfile *k, const char *name, const char *line, size_t length, const char *owner,
                              uint8_t out[32], raffle_error *err)
{
    const size_t prefix = sizeof ticket_prefix - 1, owner_length = strlen(owner);
    if (length < prefix + 2 + 64 || memcmp(line, ticket_prefix, prefix) != 0 || line[length - 65] != ' ' ||
        !rf_hex_decode(out, 32, line + length - 64, 64))
        return rf_fail(err, RAFFLE_KEY, "%s/%s.key is no ticket key", k->directory, name);
    if (length - prefix - 65 != owner_length || memcmp(line + prefix, owner, owner_length) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "%s/%s.key is the key of another raffle than %s", k->directory, name,
                       owner);
    return RAFFLE_OK;
}

static raffle_rc read_ticket(const keyfile *k, const char *name, const char *owner, uint8_t out[32], raffle_error *err)
{
    size_t length;
    secret *s = sodium_malloc(sizeof *s);
    raffle_rc rc = s == NULL ? rf_nomem(err) : read_line(k, name, s->line, &length, err);
    if (rc == RAFFLE_OK)
        rc = parse_ticket(k, name, s->line, length, owner, out, err);
    sodium_free(s);
    return rc;
}

static raffle_rc keyfile_ticket(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    return read_ticket(ctx, "ticket", origin, out, err);
}

/* K_u's file, and the log that it says it belongs to. */
static void unit_ticket_names(const char *origin, uint32_t unit, char name[16], char owner[256])
{
    char log[16];
    snprintf(name, 16, "ticket-%u", unit);
    snprintf(log, sizeof log, "unit-%u", unit);
    log_name(owner, origin, log);
}

static raffle_rc keyfile_unit_ticket(void *ctx, const char *origin, uint32_t unit, uint8_t out[32], raffle_error *err)
{
    char name[16], owner[256];
    unit_ticket_names(origin, unit, name, owner);
    return read_ticket(ctx, name, owner, out, err);
}

/* --- making --- */

static raffle_rc make_directory(const keyfile *k, int *directory, raffle_error *err)
{
    if (mkdir(k->directory, S_IRWXU) != 0 && errno != EEXIST)
        return io_fault(err, "making", k->directory, "");
    return open_directory(k, directory, err);
}

/* Secrets go through no formatting function of libc's, whose buffers nobody wipes. Both return the length with the newline. */
static size_t format_key(secret *s, const char *origin, const char *name)
{
    char full[256];
    uint8_t public_key[32], id[4];
    log_name(full, origin, name);
    s->typed[0] = RF_NOTE_ED25519;
    randombytes_buf(s->typed + 1, TYPED - 1);
    crypto_sign_seed_keypair(public_key, s->key, s->typed + 1);
    rf_key_id(id, full, RF_NOTE_ED25519, public_key);
    size_t at = (size_t)snprintf(s->line, LINE_MAX_BYTES, "PRIVATE+KEY+%s+", full);
    rf_hex_encode(s->line + at, id, 4);
    at += 8;
    s->line[at++] = '+';
    at += rf_base64_encode(s->line + at, s->typed, TYPED);
    s->line[at++] = '\n';
    return at;
}

static size_t format_ticket(secret *s, const char *owner, const uint8_t key[32])
{
    size_t at = (size_t)snprintf(s->line, LINE_MAX_BYTES, "%s%s ", ticket_prefix, owner);
    rf_hex_encode(s->line + at, key, 32);
    at += 64;
    s->line[at++] = '\n';
    return at;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Makes the file's name last, and the folder's own: also when the key exists, since who made it may have been cut off just before. */
static raffle_rc sync_names(const keyfile *k, int directory, raffle_error *err)
{
    if (fsync(directory) != 0)
        return io_fault(err, "syncing", k->directory, "");
    /* The folder around it may not be ours to open. */
    if (rf_sync_folder(k->directory, NULL) != RAFFLE_OK && syncfs(directory) != 0)
        return io_fault(err, "syncing", k->directory, "..");
    return RAFFLE_OK;
}

static raffle_rc write_temporary(const keyfile *k, int directory, const char *temporary, const char *line,
                                 size_t length, raffle_error *err)
{
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return io_fault(err, "making", k->directory, temporary);
    /* The umask may have taken the owner's own rights. */
    const bool written = fchmod(fd, S_IRUSR | S_IWUSR) == 0 && write_all(fd, line, length) && fsync(fd) == 0;
    raffle_rc rc = written ? RAFFLE_OK : io_fault(err, "writing", k->directory, temporary);
    close(fd);
    return rc;
}

/* A temporary file, synced, then linked under its name: link() fails when the name is taken, so that no key is ever overwritten. */
static raffle_rc publish(const keyfile *k, int directory, const char *name, const char *line, size_t length,
                         raffle_error *err)
{
    char file[FILE_SIZE], temporary[FILE_SIZE];
    file_name(file, name);
    snprintf(temporary, sizeof temporary, ".%.32s.%08x", name, randombytes_random());
    raffle_rc rc = write_temporary(k, directory, temporary, line, length, err);
    if (rc == RAFFLE_OK && linkat(directory, temporary, directory, file, 0) != 0)
        rc = errno == EEXIST ? rf_fail(err, RAFFLE_EXISTS, "the key %s/%s is there already", k->directory, file)
                             : io_fault(err, "making", k->directory, file);
    unlinkat(directory, temporary, 0);
    if (rc != RAFFLE_OK && rc != RAFFLE_EXISTS)
        return rc;
    raffle_rc synced = sync_names(k, directory, err);
    return synced == RAFFLE_OK ? rc : synced;
}

/* `key`: of 32 bytes, whose owner is `owner`; NULL: a new log's key. */
static raffle_rc make_file(const keyfile *k, const char *name, const char *owner, const uint8_t *key, raffle_error *err)
{
    int directory = -1;
    raffle_rc rc = make_directory(k, &directory, err);
    if (rc != RAFFLE_OK)
        return rc;
    secret *s = sodium_malloc(sizeof *s);
    if (s == NULL) {
        rc = rf_nomem(err);
    } else {
        size_t length = key != NULL ? format_ticket(s, owner, key) : format_key(s, owner, name);
        rc = publish(k, directory, name, s->line, length, err);
    }
    sodium_free(s);
    close(directory);
    return rc;
}

static raffle_rc keyfile_make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    if (strcmp(name, "ticket") != 0)
        return make_file(ctx, name, origin, NULL, err);
    uint8_t *key = sodium_malloc(32);
    if (key == NULL)
        return rf_nomem(err);
    randombytes_buf(key, 32);
    raffle_rc rc = make_file(ctx, name, origin, key, err);
    sodium_free(key);
    return rc;
}

static raffle_rc keyfile_unit_ticket_keep(void *ctx, const char *origin, uint32_t unit, const uint8_t key[32],
                                          raffle_error *err)
{
    char name[16], owner[256];
    unit_ticket_names(origin, unit, name, owner);
    return make_file(ctx, name, owner, key, err);
}

static void keyfile_free(void *ctx)
{
    keyfile *k = ctx;
    free(k->directory);
    free(k);
}

raffle_rc rf_keyfile_open(const char *directory, raffle_keys_table *table, void **ctx, raffle_error *err)
{
    keyfile *k = calloc(1, sizeof *k);
    raffle_rc rc = k == NULL ? rf_nomem(err) : rf_absolute_path(directory, &k->directory, err);
    if (rc != RAFFLE_OK) {
        free(k);
        return rc;
    }
    for (size_t n = strlen(k->directory); n > 1 && k->directory[n - 1] == '/'; n--)
        k->directory[n - 1] = '\0';
    *table = (raffle_keys_table){.struct_size = sizeof *table,
                                 .make = keyfile_make,
                                 .public_key = keyfile_public,
                                 .sign = keyfile_sign,
                                 .ticket_key = keyfile_ticket,
                                 .free = keyfile_free,
                                 .unit_ticket_key = keyfile_unit_ticket,
                                 .unit_ticket_key_keep = keyfile_unit_ticket_keep};
    *ctx = k;
    return RAFFLE_OK;
}
