/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing streams of records: lines of text, and a hash at the end that tells a stream which was cut off from a whole one. */
#include "stream.h"

#include "bytes.h"
#include "error.h"
#include "note.h"
#include "record.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BUFFER = 65536,
    HEADER_LINE_MAX = RAFFLE_CHALLENGE_SIZE + 64
};

static const char *const kinds[] = {[RF_STREAM_KIT] = "kit", [RF_STREAM_NEWS] = "news", [RF_STREAM_UPLOAD] = "upload"};
static const char magic[] = "libraffle/stream/v1";

/* --- reading --- */

/* What is left of a stream. */
typedef struct input {
    const char *at, *end;
    raffle_error *err;
} input;

static raffle_rc cut(const input *in, const char *what)
{
    return rf_fail(in->err, RAFFLE_CORRUPT, "the stream was cut off or altered: %s is missing or malformed", what);
}

/* The next line, without its newline; false when there is none. */
static bool take_line(input *in, rf_span *line)
{
    const char *end = memchr(in->at, '\n', (size_t)(in->end - in->at));
    if (end == NULL)
        return false;
    *line = (rf_span){in->at, (size_t)(end - in->at)};
    in->at = end + 1;
    return true;
}

/* The value of a line "name value". */
static raffle_rc take_value(input *in, const char *name, rf_span *value)
{
    const size_t n = strlen(name);
    rf_span line;
    if (!take_line(in, &line) || line.length <= n + 1 || line.length > HEADER_LINE_MAX ||
        memcmp(line.data, name, n) != 0 || ((const char *)line.data)[n] != ' ')
        return cut(in, name);
    *value = (rf_span){(const char *)line.data + n + 1, line.length - n - 1};
    return RAFFLE_OK;
}

static raffle_rc take_number(input *in, const char *name, uint64_t max, uint64_t *out)
{
    rf_span value = {NULL, 0};
    raffle_rc rc = take_value(in, name, &value);
    return rc != RAFFLE_OK || rf_decimal_parse(value.data, value.length, max, out) ? rc : cut(in, name);
}

static raffle_rc take_kind(input *in, rf_stream_kind kind)
{
    rf_span value = {NULL, 0};
    raffle_rc rc = take_value(in, magic, &value);
    if (rc != RAFFLE_OK)
        return rc;
    if (value.length == strlen(kinds[kind]) && memcmp(value.data, kinds[kind], value.length) == 0)
        return RAFFLE_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (value.length == strlen(kinds[i]) && memcmp(value.data, kinds[i], value.length) == 0)
            return rf_fail(in->err, RAFFLE_MISMATCH, "this is a stream of kind \"%s\", not \"%s\"", kinds[i],
                           kinds[kind]);
    return cut(in, "its kind");
}

static raffle_rc take_origin(input *in, rf_stream *s)
{
    rf_span value = {NULL, 0};
    raffle_rc rc = take_value(in, "origin", &value);
    if (rc != RAFFLE_OK)
        return rc;
    if (!rf_origin_valid(value.data, value.length))
        return cut(in, "origin");
    memcpy(s->origin, value.data, value.length);
    s->origin[value.length] = '\0';
    return RAFFLE_OK;
}

static raffle_rc take_challenge(input *in, rf_stream *s)
{
    rf_span value = {NULL, 0};
    raffle_rc rc = take_number(in, "control", (uint64_t)RF_JSON_INT_MAX, &s->control);
    if (rc == RAFFLE_OK)
        rc = take_value(in, "challenge", &value);
    if (rc != RAFFLE_OK)
        return rc;
    if (value.length >= sizeof s->challenge || memchr(value.data, '\0', value.length) != NULL)
        return cut(in, "challenge");
    memcpy(s->challenge, value.data, value.length);
    s->challenge[value.length] = '\0';
    return RAFFLE_OK;
}

static raffle_rc take_header(input *in, rf_stream *s)
{
    uint64_t number;
    raffle_rc rc = take_kind(in, s->kind);
    if (rc == RAFFLE_OK)
        rc = take_origin(in, s);
    if (rc == RAFFLE_OK)
        rc = take_number(in, "unit", RAFFLE_UNIT_MAX, &number);
    if (rc != RAFFLE_OK)
        return rc;
    s->unit = (uint32_t)number;
    if (s->kind == RF_STREAM_KIT)
        rc = take_value(in, "ticket-key", &s->ticket_key);
    if (s->kind == RF_STREAM_UPLOAD)
        rc = take_challenge(in, s);
    if (rc == RAFFLE_OK)
        rc = take_number(in, "log", RAFFLE_UNIT_MAX, &number);
    s->log = (uint32_t)number;
    if (rc == RAFFLE_OK)
        rc = take_number(in, "from", (uint64_t)RF_JSON_INT_MAX, &s->from);
    if (rc == RAFFLE_OK)
        rc = take_number(in, "to", (uint64_t)RF_JSON_INT_MAX, &s->to);
    return rc == RAFFLE_OK && s->from > s->to ? cut(in, "to") : rc;
}

static raffle_rc take_records(input *in, rf_stream *s)
{
    rf_span leaf, private_part;
    s->records = in->at;
    for (uint64_t i = s->from; i < s->to; i++)
        if (!take_line(in, &leaf) || leaf.length < 1 || leaf.length > RAFFLE_RECORD_MAX ||
            !take_line(in, &private_part) || private_part.length > RAFFLE_PRIVATE_MAX)
            return rf_fail(in->err, RAFFLE_CORRUPT, "the stream was cut off or altered at record %llu of %llu",
                           (unsigned long long)i, (unsigned long long)s->to);
    return RAFFLE_OK;
}

static raffle_rc take_note(input *in, rf_stream *s)
{
    uint64_t length;
    raffle_rc rc = take_number(in, "note", RF_NOTE_MAX, &length);
    if (rc != RAFFLE_OK)
        return rc;
    if (length > (size_t)(in->end - in->at) || length == 0)
        return cut(in, "note");
    s->note = in->at;
    s->note_length = (size_t)length;
    in->at += length;
    return RAFFLE_OK;
}

/* Of all that stands before it: private parts, too, which no checkpoint covers, cannot be taken out on the way. */
static raffle_rc take_answer(input *in, const char *bytes, rf_stream *s)
{
    rf_span value = {NULL, 0};
    size_t n = 0;
    if (s->kind != RF_STREAM_UPLOAD)
        return RAFFLE_OK;
    (void)crypto_hash_sha256(s->answered, (const uint8_t *)bytes, (size_t)(in->at - bytes));
    raffle_rc rc = take_value(in, "answer", &value);
    if (rc == RAFFLE_OK && (!rf_base64_decode(s->answer, sizeof s->answer, &n, value.data, value.length) || n != 64))
        rc = cut(in, "answer");
    return rc;
}

static raffle_rc take_end(input *in, const char *bytes)
{
    rf_span value = {NULL, 0};
    uint8_t hash[32], said[32];
    const size_t length = (size_t)(in->at - bytes);
    raffle_rc rc = take_value(in, "end", &value);
    if (rc != RAFFLE_OK)
        return rc;
    (void)crypto_hash_sha256(hash, (const uint8_t *)bytes, length);
    if (!rf_hex_decode(said, 32, value.data, value.length) || memcmp(hash, said, 32) != 0 || in->at != in->end)
        return rf_fail(in->err, RAFFLE_CORRUPT, "the stream was altered: the hash at its end is not its own");
    return RAFFLE_OK;
}

raffle_rc rf_stream_read(rf_stream *s, rf_stream_kind kind, const char *bytes, size_t length, raffle_error *err)
{
    input in = {bytes, bytes + length, err};
    memset(s, 0, sizeof *s);
    s->kind = kind;
    raffle_rc rc = take_header(&in, s);
    if (rc == RAFFLE_OK)
        rc = take_records(&in, s);
    if (rc == RAFFLE_OK)
        rc = take_note(&in, s);
    if (rc == RAFFLE_OK)
        rc = take_answer(&in, bytes, s);
    return rc == RAFFLE_OK ? take_end(&in, bytes) : rc;
}

void rf_stream_next(const char **at, raffle_record *record)
{
    const char *leaf = *at, *private_part = (const char *)rawmemchr(leaf, '\n') + 1;
    const char *end = rawmemchr(private_part, '\n');
    record->leaf = leaf;
    record->leaf_length = (uint32_t)(private_part - 1 - leaf);
    record->private_part = end > private_part ? private_part : NULL;
    record->private_length = (uint32_t)(end - private_part);
    *at = end + 1;
}

/* --- writing --- */

static raffle_rc flush(rf_stream_writer *w, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    if (w->used == 0)
        return RAFFLE_OK;
    raffle_rc rc = w->write(w->ctx, w->buffer, w->used, &theirs);
    w->used = 0;
    return rc == RAFFLE_OK ? rc : rf_fail_host(err, "the stream could not be written", &theirs);
}

static raffle_rc put(rf_stream_writer *w, const char *bytes, size_t n, raffle_error *err)
{
    (void)crypto_hash_sha256_update(&w->hash, (const uint8_t *)bytes, n);
    while (n > 0) {
        const size_t room = BUFFER - w->used, part = n < room ? n : room;
        memcpy(w->buffer + w->used, bytes, part);
        w->used += part;
        bytes += part;
        n -= part;
        raffle_rc rc = w->used == BUFFER ? flush(w, err) : RAFFLE_OK;
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

__attribute__((format(printf, 3, 4))) static raffle_rc put_line(rf_stream_writer *w, raffle_error *err,
                                                                const char *format, ...)
{
    char line[2 * RAFFLE_CHALLENGE_SIZE];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return n < 0 || (size_t)n >= sizeof line ? rf_fail(err, RAFFLE_LIMIT, "a line of the stream is too long")
                                             : put(w, line, (size_t)n, err);
}

/* Not by a formatting function of libc's, whose buffers nobody wipes. */
static raffle_rc put_ticket_key(rf_stream_writer *w, const uint8_t key[32], raffle_error *err)
{
    char line[76] = "ticket-key ";
    rf_hex_encode(line + 11, key, 32);
    line[75] = '\n';
    raffle_rc rc = put(w, line, sizeof line, err);
    sodium_memzero(line, sizeof line);
    return rc;
}

raffle_rc rf_stream_begin(rf_stream_writer *w, const rf_stream *s, raffle_write write, void *ctx, raffle_error *err)
{
    *w = (rf_stream_writer){.write = write, .ctx = ctx, .buffer = sodium_malloc(BUFFER)};
    (void)crypto_hash_sha256_init(&w->hash);
    if (w->buffer == NULL)
        return rf_nomem(err);
    raffle_rc rc = put_line(w, err, "%s %s\norigin %s\nunit %u\n", magic, kinds[s->kind], s->origin, s->unit);
    if (rc == RAFFLE_OK && s->kind == RF_STREAM_KIT)
        rc = put_ticket_key(w, s->ticket_key.data, err);
    if (rc == RAFFLE_OK && s->kind == RF_STREAM_UPLOAD)
        rc = put_line(w, err, "control %llu\nchallenge %s\n", (unsigned long long)s->control, s->challenge);
    return rc == RAFFLE_OK ? put_line(w, err, "log %u\nfrom %llu\nto %llu\n", s->log, (unsigned long long)s->from,
                                      (unsigned long long)s->to)
                           : rc;
}

raffle_rc rf_stream_record(rf_stream_writer *w, const raffle_record *record, raffle_error *err)
{
    raffle_rc rc = put(w, record->leaf, record->leaf_length, err);
    if (rc == RAFFLE_OK)
        rc = put(w, "\n", 1, err);
    if (rc == RAFFLE_OK)
        rc = put(w, record->private_part, record->private_length, err);
    return rc == RAFFLE_OK ? put(w, "\n", 1, err) : rc;
}

static void hash_so_far(const rf_stream_writer *w, uint8_t hash[32])
{
    crypto_hash_sha256_state state = w->hash;
    (void)crypto_hash_sha256_final(&state, hash);
}

static raffle_rc put_answer(rf_stream_writer *w, rf_stream_sign sign, void *ctx, raffle_error *err)
{
    uint8_t hash[32], message[RF_ANSWER_SIZE], signature[64];
    char answer[96] = "";
    hash_so_far(w, hash);
    rf_stream_answered(message, hash);
    raffle_rc rc = sign(ctx, message, sizeof message, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_base64_encode(answer, signature, sizeof signature);
    return put_line(w, err, "answer %.88s\n", answer);
}

raffle_rc rf_stream_finish(rf_stream_writer *w, const char *note, size_t length, rf_stream_sign sign, void *ctx,
                           raffle_error *err)
{
    uint8_t hash[32];
    char digits[64];
    raffle_rc rc = put_line(w, err, "note %zu\n", length);
    if (rc == RAFFLE_OK)
        rc = put(w, note, length, err);
    if (rc == RAFFLE_OK && sign != NULL)
        rc = put_answer(w, sign, ctx, err);
    if (rc != RAFFLE_OK)
        return rc;
    hash_so_far(w, hash);
    rf_hex_encode(digits, hash, 32);
    rc = put_line(w, err, "end %.64s\n", digits);
    return rc == RAFFLE_OK ? flush(w, err) : rc;
}

void rf_stream_end(rf_stream_writer *w)
{
    sodium_free(w->buffer);
    sodium_memzero(w, sizeof *w);
}

void rf_stream_answered(uint8_t out[RF_ANSWER_SIZE], const uint8_t hash[32])
{
    static const char label[] = "libraffle/upload/v1";
    memcpy(out, label, sizeof label);
    memcpy(out + sizeof label, hash, 32);
}
