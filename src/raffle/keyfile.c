/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in a folder that only its owner may enter: a log's key as the one line that Go's note package writes, the ticket key as a line of ours.
 * A key is made once, whole and durable, and never overwritten. */
#include "keys.h"

#include "bytes.h"
#include "error.h"
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
    PATH_BYTES = 1024
};

typedef struct keyfile {
    char directory[PATH_BYTES];
    pid_t pid;
} keyfile;

/* --- names --- */

/* "control" and "unit-N" are the keys of logs, whose names are their origins. */
static void log_name(char out[256], const char *origin, const char *name)
{
    if (strncmp(name, "unit-", 5) == 0)
        snprintf(out, 256, "%s/unit/%s", origin, name + 5);
    else
        snprintf(out, 256, "%s", origin);
}

static void file_path(char out[PATH_BYTES + 64], const keyfile *k, const char *name)
{
    snprintf(out, PATH_BYTES + 64, "%s/%.32s.key", k->directory, name);
}

static raffle_rc io_fault(raffle_error *err, const char *what, const char *path)
{
    const int why = errno;
    return rf_fail(err, why == ENOSPC || why == EDQUOT ? RAFFLE_FULL : RAFFLE_IO, "%s of %s: %s", what, path, strerror(why));
}

/* --- reading --- */

static raffle_rc check_owner(const struct stat *st, const char *path, raffle_error *err)
{
    if (st->st_uid != geteuid())
        return rf_fail(err, RAFFLE_KEY, "%s belongs to another user", path);
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return rf_fail(err, RAFFLE_KEY, "%s can be entered or read by others: chmod go= it", path);
    return RAFFLE_OK;
}

static raffle_rc check_directory(const keyfile *k, raffle_error *err)
{
    struct stat st;
    if (stat(k->directory, &st) != 0)
        return errno == ENOENT ? rf_fail(err, RAFFLE_NOT_FOUND, "there are no keys in %s", k->directory) : io_fault(err, "stat", k->directory);
    if (!S_ISDIR(st.st_mode))
        return rf_fail(err, RAFFLE_KEY, "%s is no folder", k->directory);
    return check_owner(&st, k->directory, err);
}

static raffle_rc read_all(int fd, const char *path, char *out, size_t cap, size_t *length, raffle_error *err)
{
    struct stat st;
    *length = 0;
    if (fstat(fd, &st) != 0)
        return io_fault(err, "stat", path);
    raffle_rc rc = check_owner(&st, path, err);
    if (rc == RAFFLE_OK && (!S_ISREG(st.st_mode) || st.st_size > (off_t)cap))
        rc = rf_fail(err, RAFFLE_KEY, "%s is no key file", path);
    while (rc == RAFFLE_OK && *length < cap) {
        ssize_t n = read(fd, out + *length, cap - *length);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            rc = io_fault(err, "read", path);
        *length += n > 0 ? (size_t)n : 0;
    }
    return rc;
}

/* The whole file, which must be one line, into secure memory of LINE_MAX_BYTES; the length is without the newline. */
static raffle_rc read_line(const keyfile *k, const char *name, char *line, size_t *length, raffle_error *err)
{
    char path[PATH_BYTES + 64];
    file_path(path, k, name);
    raffle_rc rc = check_directory(k, err);
    if (rc != RAFFLE_OK)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? rf_fail(err, RAFFLE_NOT_FOUND, "there is no key %s", path) : io_fault(err, "opening", path);
    rc = read_all(fd, path, line, LINE_MAX_BYTES, length, err);
    close(fd);
    if (rc != RAFFLE_OK)
        return rc;
    if (*length == 0 || line[--*length] != '\n' || memchr(line, '\n', *length) != NULL)
        return rf_fail(err, RAFFLE_KEY, "%s is not one line", path);
    return RAFFLE_OK;
}

/* "PRIVATE+KEY+<name>+<8 hex id>+<base64(01 || seed)>". */
static bool parse_private(const char *line, size_t length, const char *name, uint8_t seed[32], bool *other_name)
{
    static const char prefix[] = "PRIVATE+KEY+";
    uint8_t id[4], key[33];
    size_t n, name_length = strlen(name);
    const char *rest = line + sizeof prefix - 1;
    const char *end = line + length;
    if (length < sizeof prefix - 1 || memcmp(line, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *plus = memchr(rest, '+', (size_t)(end - rest));
    if (plus == NULL || end - plus < 10 || plus[9] != '+')
        return false;
    *other_name = (size_t)(plus - rest) != name_length || memcmp(rest, name, name_length) != 0;
    bool right = rf_hex_decode(id, 4, plus + 1, 8) && rf_base64_decode(key, sizeof key, &n, plus + 10, (size_t)(end - plus - 10)) && n == 33 &&
                 key[0] == RF_NOTE_ED25519;
    if (right)
        memcpy(seed, key + 1, 32);
    sodium_memzero(key, sizeof key);
    return right;
}

/* The seed of a log's key, and its public key. `secret` is secure memory of crypto_sign_SECRETKEYBYTES. */
static raffle_rc load_key(const keyfile *k, const char *origin, const char *name, uint8_t *secret, uint8_t public_key[32], raffle_error *err)
{
    char expected[256];
    size_t length;
    bool other_name = false;
    char *line = sodium_malloc(LINE_MAX_BYTES);
    uint8_t *seed = sodium_malloc(32);
    log_name(expected, origin, name);
    raffle_rc rc = line == NULL || seed == NULL ? rf_nomem(err) : read_line(k, name, line, &length, err);
    if (rc == RAFFLE_OK && !parse_private(line, length, expected, seed, &other_name))
        rc = rf_fail(err, RAFFLE_KEY, "%s/%s.key is no key", k->directory, name);
    else if (rc == RAFFLE_OK && other_name)
        rc = rf_fail(err, RAFFLE_MISMATCH, "%s/%s.key is the key of another log than %s", k->directory, name, expected);
    if (rc == RAFFLE_OK)
        crypto_sign_seed_keypair(public_key, secret, seed);
    sodium_free(line);
    sodium_free(seed);
    return rc;
}

static raffle_rc enter(const keyfile *k, raffle_error *err)
{
    return k->pid == getpid() ? RAFFLE_OK : rf_fail(err, RAFFLE_FORKED, "the keys in %s were opened before fork()", k->directory);
}

static raffle_rc keyfile_public(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    uint8_t *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    raffle_rc rc = secret == NULL ? rf_nomem(err) : enter(ctx, err);
    if (rc == RAFFLE_OK)
        rc = load_key(ctx, origin, name, secret, out, err);
    sodium_free(secret);
    return rc;
}

static raffle_rc keyfile_sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length, uint8_t out[64],
                              raffle_error *err)
{
    uint8_t public_key[32];
    uint8_t *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    raffle_rc rc = secret == NULL ? rf_nomem(err) : enter(ctx, err);
    if (rc == RAFFLE_OK)
        rc = load_key(ctx, origin, name, secret, public_key, err);
    if (rc == RAFFLE_OK)
        crypto_sign_detached(out, NULL, message, length, secret);
    sodium_free(secret);
    return rc;
}

static const char ticket_prefix[] = "libraffle-ticket-key-1 ";

static raffle_rc parse_ticket(const keyfile *k, const char *line, size_t length, const char *origin, uint8_t out[32], raffle_error *err)
{
    const size_t prefix = sizeof ticket_prefix - 1, origin_length = strlen(origin);
    if (length < prefix + 2 + 64 || memcmp(line, ticket_prefix, prefix) != 0 || line[length - 65] != ' ' ||
        !rf_hex_decode(out, 32, line + length - 64, 64))
        return rf_fail(err, RAFFLE_KEY, "%s/ticket.key is no ticket key", k->directory);
    if (length - prefix - 65 != origin_length || memcmp(line + prefix, origin, origin_length) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "%s/ticket.key is the key of another raffle than %s", k->directory, origin);
    return RAFFLE_OK;
}

static raffle_rc keyfile_ticket(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    size_t length;
    char *line = sodium_malloc(LINE_MAX_BYTES);
    raffle_rc rc = line == NULL ? rf_nomem(err) : enter(ctx, err);
    if (rc == RAFFLE_OK)
        rc = read_line(ctx, "ticket", line, &length, err);
    if (rc == RAFFLE_OK)
        rc = parse_ticket(ctx, line, length, origin, out, err);
    sodium_free(line);
    return rc;
}

/* --- making --- */

static raffle_rc make_directory(const keyfile *k, raffle_error *err)
{
    if (mkdir(k->directory, S_IRWXU) != 0 && errno != EEXIST)
        return io_fault(err, "making", k->directory);
    return check_directory(k, err);
}

/* Fills `line` with a new key; returns its length with the newline. */
static size_t format_key(char *line, const char *origin, const char *name)
{
    char full[256], hex[9] = "", base64[48] = "";
    uint8_t public_key[32], id[4];
    uint8_t *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES + 33);
    if (secret == NULL)
        return 0;
    uint8_t *typed = secret + crypto_sign_SECRETKEYBYTES; /* 01 || seed */
    log_name(full, origin, name);
    typed[0] = RF_NOTE_ED25519;
    randombytes_buf(typed + 1, 32);
    crypto_sign_seed_keypair(public_key, secret, typed + 1);
    rf_key_id(id, full, RF_NOTE_ED25519, public_key);
    rf_hex_encode(hex, id, 4);
    rf_base64_encode(base64, typed, 33);
    int n = snprintf(line, LINE_MAX_BYTES, "PRIVATE+KEY+%s+%s+%s\n", full, hex, base64);
    sodium_memzero(base64, sizeof base64);
    sodium_free(secret);
    return n > 0 && n < LINE_MAX_BYTES ? (size_t)n : 0;
}

static size_t format_ticket(char *line, const char *origin)
{
    char hex[65] = "";
    uint8_t *key = sodium_malloc(32);
    if (key == NULL)
        return 0;
    randombytes_buf(key, 32);
    rf_hex_encode(hex, key, 32);
    int n = snprintf(line, LINE_MAX_BYTES, "%s%s %s\n", ticket_prefix, origin, hex);
    sodium_memzero(hex, sizeof hex);
    sodium_free(key);
    return n > 0 && n < LINE_MAX_BYTES ? (size_t)n : 0;
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

static raffle_rc sync_directory(const keyfile *k, raffle_error *err)
{
    int fd = open(k->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    raffle_rc rc = synced ? RAFFLE_OK : io_fault(err, "fsync", k->directory);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A temporary file, synced, then linked under its name: link() fails when the name is taken, so that no key is ever overwritten. */
static raffle_rc publish(const keyfile *k, const char *name, const char *line, size_t length, raffle_error *err)
{
    char path[PATH_BYTES + 64], temporary[PATH_BYTES + 64];
    raffle_rc rc = RAFFLE_OK;
    file_path(path, k, name);
    snprintf(temporary, sizeof temporary, "%s/.%.32s.%08x", k->directory, name, randombytes_random());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return io_fault(err, "making", temporary);
    if (!write_all(fd, line, length) || fsync(fd) != 0)
        rc = io_fault(err, "writing", temporary);
    close(fd);
    if (rc == RAFFLE_OK && link(temporary, path) != 0)
        rc = errno == EEXIST ? rf_fail(err, RAFFLE_EXISTS, "the key %s is there already", path) : io_fault(err, "making", path);
    unlink(temporary);
    return rc == RAFFLE_OK ? sync_directory(k, err) : rc;
}

static raffle_rc keyfile_make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    const keyfile *k = ctx;
    char *line = sodium_malloc(LINE_MAX_BYTES);
    raffle_rc rc = line == NULL ? rf_nomem(err) : enter(k, err);
    if (rc == RAFFLE_OK)
        rc = make_directory(k, err);
    if (rc == RAFFLE_OK) {
        size_t length = strcmp(name, "ticket") == 0 ? format_ticket(line, origin) : format_key(line, origin, name);
        rc = length == 0 ? rf_nomem(err) : publish(k, name, line, length, err);
    }
    sodium_free(line);
    return rc;
}

static void keyfile_free(void *ctx)
{
    free(ctx);
}

raffle_rc rf_keyfile_open(const char *directory, raffle_keys_table *table, void **ctx, raffle_error *err)
{
    const size_t length = strlen(directory);
    if (length >= PATH_BYTES)
        return rf_fail(err, RAFFLE_INVALID, "the folder of keys has a path of %zu bytes", length);
    keyfile *k = calloc(1, sizeof *k);
    if (k == NULL)
        return rf_nomem(err);
    memcpy(k->directory, directory, length);
    k->pid = getpid();
    *table = (raffle_keys_table){.struct_size = sizeof *table,
                                 .make = keyfile_make,
                                 .public_key = keyfile_public,
                                 .sign = keyfile_sign,
                                 .ticket_key = keyfile_ticket,
                                 .free = keyfile_free};
    *ctx = k;
    return RAFFLE_OK;
}
