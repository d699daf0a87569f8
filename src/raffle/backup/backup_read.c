/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a backup's lines: bounded, well formed, in their order, and hashed; what they mean is for others. */
#include "backup_impl.h"

#include "bytes.h"
#include "error.h"
#include "store.h"
#include <errno.h>
#include <inttypes.h>
#include <raffle/log.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MOST = RAFFLE_RECORD_MAX > RAFFLE_PRIVATE_MAX ? RAFFLE_RECORD_MAX : RAFFLE_PRIVATE_MAX,
    BUFFER = 1 << 18
};

typedef struct input {
    FILE *file;
    const char *path;
    const rf_backup_sink *sink;
    rf_backup_end *end;
    rf_sha256 *hash;
    char *line; /* secret, as private parts are: LINE_MOST bytes and a NUL */
    size_t length;
    char *leaf; /* the line before it */
    size_t leaf_length;
    char *note;
    char *buffer;   /* the stream's: secret, too */
    uint64_t *size; /* [log] */
    size_t logs;
    raffle_error *err;
} input;

static raffle_rc cut(const input *in, const char *what)
{
    return rf_fail(in->err, RAFFLE_CORRUPT, "the backup was cut off or altered: %s is missing or malformed", what);
}

/* --- lines --- */

static raffle_rc no_more(const input *in, const char *what)
{
    return ferror(in->file) ? rf_fail(in->err, RAFFLE_IO, "%.150s: %s", in->path, strerror(errno)) : cut(in, what);
}

/* The next line, without its newline, and not hashed yet. */
static raffle_rc read_line(input *in, const char *what)
{
    size_t n = 0;
    for (int c; (c = getc_unlocked(in->file)) != '\n'; in->line[n++] = (char)c)
        if (c == EOF || n == LINE_MOST)
            return no_more(in, what);
    in->line[n] = '\0';
    in->length = n;
    return RAFFLE_OK;
}

static void hash_line(input *in)
{
    in->line[in->length] = '\n';
    rf_sha256_add(in->hash, in->line, in->length + 1);
    in->line[in->length] = '\0';
}

static raffle_rc take_line(input *in, const char *what)
{
    raffle_rc rc = read_line(in, what);
    if (rc == RAFFLE_OK)
        hash_line(in);
    return rc;
}

/* A line's next word, up to a space or the end. */
static rf_span next_word(const input *in, size_t *at)
{
    const char *from = in->line + *at;
    const char *space = memchr(from, ' ', in->length - *at);
    const size_t n = space != NULL ? (size_t)(space - from) : in->length - *at;
    *at += space != NULL ? n + 1 : n;
    return (rf_span){from, n};
}

/* "name A B …": `n` words after the name, none of them empty, and nothing else. */
static bool words(const input *in, const char *name, size_t n, rf_span *out)
{
    size_t at = 0;
    rf_span word = next_word(in, &at);
    if (word.length != strlen(name) || memcmp(word.data, name, word.length) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        out[i] = next_word(in, &at);
        if (out[i].length == 0)
            return false;
    }
    return at == in->length && in->line[in->length - 1] != ' ';
}

static bool number(const rf_span *word, uint64_t max, uint64_t *out)
{
    return rf_decimal_parse(word->data, word->length, max, out);
}

/* --- what stands in it --- */

static raffle_rc take_head(input *in)
{
    rf_span word;
    uint64_t logs;
    char origin[RAFFLE_ORIGIN_SIZE] = "";
    raffle_rc rc = take_line(in, "its first line");
    if (rc == RAFFLE_OK &&
        (in->length != sizeof RF_BACKUP_MAGIC - 1 || memcmp(in->line, RF_BACKUP_MAGIC, in->length) != 0))
        return strncmp(in->line, RF_BACKUP_MAGIC, sizeof RF_BACKUP_MAGIC - 2) == 0
                   ? rf_fail(in->err, RAFFLE_NEWER, "this version of the library does not read \"%.40s\"", in->line)
                   : rf_fail(in->err, RAFFLE_CORRUPT, "%.150s is no backup", in->path);
    if (rc == RAFFLE_OK)
        rc = take_line(in, "origin");
    if (rc != RAFFLE_OK)
        return rc;
    if (!words(in, "origin", 1, &word) || !rf_origin_valid(word.data, word.length))
        return cut(in, "origin");
    memcpy(origin, word.data, word.length);
    rc = take_line(in, "logs");
    if (rc != RAFFLE_OK)
        return rc;
    if (!words(in, "logs", 1, &word) || !number(&word, RAFFLE_UNIT_MAX + 1, &logs) || logs == 0)
        return cut(in, "logs");
    in->logs = (size_t)logs;
    in->size = calloc(in->logs, sizeof *in->size);
    if (in->size == NULL)
        return rf_nomem(in->err);
    return in->sink->begin != NULL ? in->sink->begin(in->sink->ctx, origin, in->logs, in->err) : RAFFLE_OK;
}

static raffle_rc take_record(input *in, uint64_t index)
{
    raffle_rc rc = take_line(in, "a record");
    if (rc == RAFFLE_OK && (in->length == 0 || in->length > RAFFLE_RECORD_MAX))
        rc = cut(in, "a record");
    if (rc != RAFFLE_OK)
        return rc;
    char *swap = in->leaf;
    in->leaf = in->line;
    in->leaf_length = in->length;
    in->line = swap;
    rc = take_line(in, "a private part");
    if (rc == RAFFLE_OK && in->length > RAFFLE_PRIVATE_MAX)
        rc = cut(in, "a private part");
    if (rc != RAFFLE_OK || in->sink->record == NULL)
        return rc;
    const raffle_record record = {.struct_size = sizeof record,
                                  .index = index,
                                  .leaf = in->leaf,
                                  .leaf_length = (uint32_t)in->leaf_length,
                                  .private_part = in->length > 0 ? in->line : NULL,
                                  .private_length = (uint32_t)in->length};
    return in->sink->record(in->sink->ctx, &record, in->err);
}

static raffle_rc take_records(input *in, uint32_t log)
{
    rf_span word[2];
    uint64_t named, size;
    raffle_rc rc = RAFFLE_OK;
    if (!words(in, "log", 2, word) || !number(&word[0], RF_LOG_MAX, &named) || named != log ||
        !number(&word[1], RF_LOG_RECORDS_MAX, &size))
        return cut(in, "a log's first line");
    in->size[log] = size;
    if (in->sink->log != NULL)
        rc = in->sink->log(in->sink->ctx, log, size, in->err);
    for (uint64_t i = 0; rc == RAFFLE_OK && i < size; i++)
        rc = take_record(in, i);
    return rc;
}

/* "note SIZE LENGTH", and so many bytes. `last`: the size of the note before it. */
static raffle_rc take_note(input *in, uint32_t log, uint64_t *last)
{
    rf_span word[2];
    uint64_t size, length;
    if (!words(in, "note", 2, word) || !number(&word[0], RF_LOG_RECORDS_MAX, &size) ||
        !number(&word[1], RF_NOTE_MAX, &length) || length == 0 || size <= *last)
        return cut(in, "a note");
    *last = size;
    if (fread(in->note, 1, (size_t)length, in->file) != length)
        return no_more(in, "a note");
    rf_sha256_add(in->hash, in->note, length);
    return in->sink->note != NULL ? in->sink->note(in->sink->ctx, log, size, in->note, (size_t)length, in->err)
                                  : RAFFLE_OK;
}

/* That nothing could be hashed says nothing of the backup. */
static raffle_rc hash_so_far(input *in, uint8_t hash[32])
{
    rf_sha256_so_far(in->hash, hash);
    return rf_sha256_ok(in->hash) ? RAFFLE_OK
                                  : rf_fail(in->err, RAFFLE_IO, "SHA-256 failed in the cryptographic library");
}

/* A log, and the line after it. */
static raffle_rc take_log(input *in, uint32_t log)
{
    rf_span word[2];
    uint64_t last = 0;
    raffle_rc rc = take_records(in, log);
    if (rc == RAFFLE_OK)
        rc = read_line(in, "what follows a log");
    while (rc == RAFFLE_OK && words(in, "note", 2, word)) {
        hash_line(in);
        rc = take_note(in, log, &last);
        if (rc == RAFFLE_OK)
            rc = read_line(in, "what follows a note");
    }
    return log == 0 && rc == RAFFLE_OK ? hash_so_far(in, in->end->control) : rc;
}

/* By scope, then by their bytes, a beginning before what it begins. */
static bool comes_after(const raffle_store_key *a, const raffle_store_key *b)
{
    const uint32_t common = a->length < b->length ? a->length : b->length;
    const int differ = memcmp(a->key, b->key, common);
    if (a->scope != b->scope)
        return a->scope > b->scope;
    return differ != 0 ? differ > 0 : a->length > b->length;
}

/* `last`: the key before it. */
static raffle_rc take_key(input *in, const rf_span word[4], raffle_store_key *last)
{
    raffle_store_key key = {.struct_size = sizeof key};
    uint64_t scope, log, index;
    key.length = (uint32_t)(word[1].length / 2);
    if (!number(&word[0], RF_SCOPE_MAX, &scope) || word[1].length > 2 * RAFFLE_STORE_KEY_MAX ||
        !rf_hex_decode(key.key, key.length, word[1].data, word[1].length) || !number(&word[2], in->logs - 1, &log) ||
        !number(&word[3], RF_LOG_RECORDS_MAX, &index) || log == 0 || index >= in->size[log])
        return cut(in, "a key");
    key.scope = (uint32_t)scope;
    key.log = (uint32_t)log;
    key.index = index;
    if (!comes_after(&key, last))
        return cut(in, "a key");
    *last = key;
    return in->sink->key != NULL ? in->sink->key(in->sink->ctx, &key, in->err) : RAFFLE_OK;
}

static raffle_rc take_keys(input *in)
{
    rf_span word[4];
    raffle_store_key last = {.scope = 0};
    raffle_rc rc = RAFFLE_OK;
    while (rc == RAFFLE_OK && words(in, "key", 4, word)) {
        hash_line(in);
        rc = take_key(in, word, &last);
        if (rc == RAFFLE_OK)
            rc = read_line(in, "what follows a key");
    }
    return rc;
}

/* "answer BASE64" and "end HEX", of which the second is the hash of all before it, and then nothing. */
static raffle_rc take_end(input *in)
{
    rf_span word;
    uint8_t hash[32], says[32];
    size_t n = 0;
    if (!words(in, "answer", 1, &word) ||
        !rf_base64_decode(in->end->signature, sizeof in->end->signature, &n, word.data, word.length) ||
        n != sizeof in->end->signature)
        return cut(in, "its signature");
    raffle_rc rc = hash_so_far(in, in->end->hash);
    hash_line(in);
    if (rc == RAFFLE_OK)
        rc = hash_so_far(in, hash);
    if (rc == RAFFLE_OK)
        rc = read_line(in, "its end");
    if (rc != RAFFLE_OK)
        return rc;
    if (!words(in, "end", 1, &word) || !rf_hex_decode(says, sizeof says, word.data, word.length) ||
        memcmp(says, hash, sizeof hash) != 0 || getc_unlocked(in->file) != EOF)
        return cut(in, "its end");
    return RAFFLE_OK;
}

static raffle_rc take_all(input *in)
{
    raffle_rc rc = take_head(in);
    if (rc == RAFFLE_OK)
        rc = read_line(in, "a log's first line");
    for (uint32_t log = 0; rc == RAFFLE_OK && log < in->logs; log++) {
        hash_line(in);
        rc = take_log(in, log);
    }
    if (rc == RAFFLE_OK)
        rc = take_keys(in);
    return rc == RAFFLE_OK ? take_end(in) : rc;
}

static raffle_rc allocate(input *in)
{
    if (sodium_init() < 0)
        return rf_fail(in->err, RAFFLE_IO, "libsodium finds no source of randomness");
    in->line = sodium_malloc(LINE_MOST + 1);
    in->leaf = sodium_malloc(LINE_MOST + 1);
    in->note = malloc(RF_NOTE_MAX);
    in->buffer = sodium_malloc(BUFFER);
    in->hash = rf_sha256_new();
    return in->hash == NULL || in->line == NULL || in->leaf == NULL || in->note == NULL || in->buffer == NULL ||
                   setvbuf(in->file, in->buffer, _IOFBF, BUFFER) != 0
               ? rf_nomem(in->err)
               : RAFFLE_OK;
}

raffle_rc rf_backup_read(const char *path, const rf_backup_sink *sink, rf_backup_end *end, raffle_error *err)
{
    input in = {.path = path, .sink = sink, .end = end, .err = err};
    in.file = fopen(path, "re");
    if (in.file == NULL)
        return rf_fail(err, errno == ENOENT ? RAFFLE_NOT_FOUND : RAFFLE_IO, "%.150s: %s", path, strerror(errno));
    raffle_rc rc = allocate(&in);
    if (rc == RAFFLE_OK)
        rc = take_all(&in);
    (void)fclose(in.file);
    sodium_free(in.buffer);
    sodium_free(in.line);
    sodium_free(in.leaf);
    free(in.note);
    rf_sha256_free(in.hash);
    free(in.size);
    return rc;
}
