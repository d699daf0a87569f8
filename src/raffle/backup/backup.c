/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a backup (GLI-31 5.7; docs/spec/backup.md): checkpoints first, then the records under them, the notes and keys that are no function of them, and the control key's word
 * for all. */
#include "backup_impl.h"
#include "unit_impl.h"

#include "bytes.h"
#include "error.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER = 65536,
    CHUNK = 1024, /* rows that are read at once */
    TRIES = 16    /* for a moment in which the control log rests */
};

/* A log as it was when the backup was begun, and its newest checkpoint, which is of these records unless some were lost. */
typedef struct part {
    uint64_t size, note_size;
    size_t note_length;
    char *note;
} part;

typedef struct writer {
    raffle *raffle;
    raffle_write write;
    void *ctx;
    rf_sha256 *hash;
    char *buffer; /* secret: what is private goes through it */
    size_t used;
    size_t parts;
    part *part; /* [0]: the control log's */
    size_t intents;
    uint64_t *intent; /* the control log's size after each draw.intent */
    rf_record record;
} writer;

/* A walk over the keys of a scope. */
typedef struct keys_walk {
    writer *writer;
    uint64_t seen;
    size_t length;
    uint8_t after[RAFFLE_STORE_KEY_MAX];
} keys_walk;

/* --- bytes --- */

static raffle_rc flush(writer *w, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    if (w->used == 0)
        return RAFFLE_OK;
    raffle_rc rc = w->write(w->ctx, w->buffer, w->used, &theirs);
    w->used = 0;
    return rc == RAFFLE_OK ? rc : rf_fail_host(err, "the backup could not be written", &theirs);
}

static raffle_rc put(writer *w, const char *bytes, size_t n, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    rf_sha256_add(w->hash, bytes, n);
    while (rc == RAFFLE_OK && n > 0) {
        const size_t room = BUFFER - w->used, some = n < room ? n : room;
        memcpy(w->buffer + w->used, bytes, some);
        w->used += some;
        bytes += some;
        n -= some;
        rc = w->used == BUFFER ? flush(w, err) : RAFFLE_OK;
    }
    return rc;
}

__attribute__((format(printf, 3, 4))) static raffle_rc put_line(writer *w, raffle_error *err, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return n < 0 || (size_t)n >= sizeof line ? rf_fail(err, RAFFLE_LIMIT, "a line of the backup is too long")
                                             : put(w, line, (size_t)n, err);
}

static raffle_rc put_note(writer *w, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    raffle_rc rc = put_line(w, err, "note %" PRIu64 " %zu\n", size, length);
    return rc == RAFFLE_OK ? put(w, note, length, err) : rc;
}

/* --- the moment that is kept --- */

static raffle_rc keep_note(part *p, const char *note, size_t length, uint64_t note_size, uint64_t size,
                           raffle_error *err)
{
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return rf_nomem(err);
    memcpy(copy, note, length);
    free(p->note);
    *p = (part){.size = size, .note_size = note_size, .note_length = length, .note = copy};
    return RAFFLE_OK;
}

/* The newest checkpoint that is stored, with the records that it is of, or those that are left of them. */
static raffle_rc keep_stored(writer *w, const rf_unit *u, uint64_t left, char *note, raffle_error *err)
{
    uint64_t size = 0;
    size_t length = 0;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_store_note_get(w->raffle->store, u->number, RF_NOTE_LATEST, &size, note, RF_NOTE_MAX, &length, &quiet);
    if (rc == RAFFLE_NOT_FOUND) {
        w->part[u->number].size = left;
        return RAFFLE_OK;
    }
    return rc == RAFFLE_OK ? keep_note(&w->part[u->number], note, length, size, left < size ? left : size, err)
                           : rf_fail_as(err, &quiet);
}

/* A log that is damaged, or lost its end, is kept as far as it can be folded. */
static raffle_rc keep_rest(writer *w, rf_unit *u, char *note, raffle_error *err)
{
    rf_unit_state state;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_unit_refold(u, rf_log_size(u->log), &state, &why);
    return rc == RAFFLE_OK || rc == RAFFLE_CORRUPT ? keep_stored(w, u, state.size, note, err) : rf_fail_as(err, &why);
}

/* A till signs the checkpoints of its unit itself: what it uploaded last is kept. */
static raffle_rc keep_unit(writer *w, uint32_t number, char *note, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state state;
    uint64_t size = 0;
    size_t length = 0;
    raffle_rc rc = rf_unit_get(w->raffle, number, &u, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_log_halted(u->log) || rf_log_forked(u->log))
        return keep_rest(w, u, note, err);
    rc = rf_unit_current(u, &state, err);
    if (rc != RAFFLE_OK || state.size == 0)
        return rc;
    if (u->away)
        return keep_stored(w, u, state.size, note, err);
    rc = rf_unit_checkpoint(u, note, &length, &size, err);
    return rc == RAFFLE_OK && size > 0 ? keep_note(&w->part[number], note, length, size, size, err) : rc;
}

static size_t count_units(raffle *r)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const size_t units = r->control.units;
    pthread_rwlock_unlock(&r->control_lock);
    return units;
}

static raffle_rc keep_all(writer *w, char *note, raffle_error *err)
{
    uint64_t size = 0;
    size_t length = 0;
    raffle_rc rc = rf_control_checkpoint(w->raffle, note, &length, &size, err);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t parts = count_units(w->raffle) + 1;
    part *grown = realloc(w->part, parts * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    w->part = grown;
    for (; w->parts < parts; w->parts++)
        w->part[w->parts] = (part){.size = 0};
    rc = keep_note(&w->part[0], note, length, size, size, err);
    for (uint32_t i = 1; rc == RAFFLE_OK && i < parts; i++)
        rc = keep_unit(w, i, note, err);
    return rc;
}

/* What the units' logs have rests on the control log: it must be the same after their checkpoints as before. */
static raffle_rc keep_moment(writer *w, raffle_error *err)
{
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = RAFFLE_BUSY;
    for (int i = 0; rc == RAFFLE_BUSY && i < TRIES; i++) {
        rc = keep_all(w, note, err);
        if (rc == RAFFLE_OK)
            rc = rf_log_refresh(w->raffle->log, err);
        if (rc == RAFFLE_OK && rf_log_size(w->raffle->log) != w->part[0].size)
            rc = rf_fail(err, RAFFLE_BUSY, "the control log did not rest while the backup was begun");
    }
    free(note);
    return rc;
}

/* --- records, notes, keys --- */

static raffle_rc put_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    writer *w = ctx;
    if (memchr(bytes->leaf, '\n', bytes->leaf_length) != NULL ||
        (bytes->private_part != NULL && memchr(bytes->private_part, '\n', bytes->private_length) != NULL))
        return rf_fail(err, RAFFLE_CORRUPT, "record %" PRIu64 " of a log is not one line of text", bytes->index);
    raffle_rc rc = put(w, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK)
        rc = put(w, "\n", 1, err);
    if (rc == RAFFLE_OK && bytes->private_part != NULL)
        rc = put(w, bytes->private_part, bytes->private_length, err);
    return rc == RAFFLE_OK ? put(w, "\n", 1, err) : rc;
}

/* A sink asks a store nothing else (raffle/ext/store.h): the intents' notes are read behind the records. */
static raffle_rc remember_intent(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    writer *w = ctx;
    raffle_rc rc = rf_record_decode(&w->record, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK || w->record.type != RF_DRAW_INTENT || bytes->index + 1 >= w->part[0].size)
        return rc;
    uint64_t *grown = realloc(w->intent, (w->intents + 1) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    w->intent = grown;
    w->intent[w->intents++] = bytes->index + 1;
    return RAFFLE_OK;
}

/* The checkpoint of an intent, as its witnesses cosigned it, which a draw that is open still needs, and its auditors later. */
static raffle_rc put_intent(writer *w, uint64_t at, char *note, raffle_error *err)
{
    uint64_t size;
    size_t length;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(w->raffle->store, 0, at, &size, note, RF_NOTE_MAX, &length, &quiet);
    if (rc == RAFFLE_NOT_FOUND)
        return RAFFLE_OK;
    return rc == RAFFLE_OK ? put_note(w, size, note, length, err) : rf_fail_as(err, &quiet);
}

static raffle_rc put_intents(writer *w, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    for (size_t i = 0; rc == RAFFLE_OK && i < w->intents; i++)
        rc = put_intent(w, w->intent[i], note, err);
    free(note);
    return rc;
}

static raffle_rc put_records(writer *w, uint32_t log, raffle_store_sink_record put_one, raffle_error *err)
{
    const uint64_t size = w->part[log].size;
    raffle_rc rc = RAFFLE_OK;
    for (uint64_t i = 0; rc == RAFFLE_OK && i < size; i += CHUNK)
        rc = rf_store_read(w->raffle->store, log, i, size - i < CHUNK ? size - i : CHUNK, put_one, w, err);
    return rc;
}

static raffle_rc put_log(writer *w, uint32_t log, raffle_error *err)
{
    const part *p = &w->part[log];
    raffle_rc rc = put_line(w, err, "log %" PRIu32 " %" PRIu64 "\n", log, p->size);
    if (rc == RAFFLE_OK)
        rc = put_records(w, log, put_record, err);
    if (rc == RAFFLE_OK && log == 0)
        rc = put_records(w, log, remember_intent, err);
    if (rc == RAFFLE_OK && log == 0)
        rc = put_intents(w, err);
    return rc == RAFFLE_OK && p->note != NULL ? put_note(w, p->note_size, p->note, p->note_length, err) : rc;
}

/* What was sold since the moment that is kept has keys, too: they are not of it. Those of the control log follow from its records. */
static raffle_rc put_key(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    keys_walk *k = ctx;
    writer *w = k->writer;
    char digits[2 * RAFFLE_STORE_KEY_MAX + 1];
    memcpy(k->after, key->key, key->length);
    k->length = key->length;
    k->seen++;
    if (key->log == 0 || key->log >= w->parts || key->index >= w->part[key->log].size)
        return RAFFLE_OK;
    rf_hex_encode(digits, key->key, key->length);
    digits[2 * key->length] = '\0';
    return put_line(w, err, "key %" PRIu32 " %s %" PRIu32 " %" PRIu64 "\n", key->scope, digits, key->log, key->index);
}

static raffle_rc put_keys(writer *w, uint32_t scope, raffle_error *err)
{
    keys_walk k = {.writer = w};
    raffle_rc rc;
    do {
        k.seen = 0;
        rc = rf_store_scan(w->raffle->store, scope, NULL, 0, k.after, k.length, CHUNK, put_key, &k, err);
    } while (rc == RAFFLE_OK && k.seen == CHUNK);
    return rc;
}

/* --- the whole --- */

void rf_backup_answered(uint8_t out[RF_BACKUP_ANSWER], const uint8_t hash[32])
{
    memcpy(out, RF_BACKUP_MAGIC, sizeof RF_BACKUP_MAGIC); /* with its zero byte */
    memcpy(out + sizeof RF_BACKUP_MAGIC, hash, 32);
}

static raffle_rc hash_so_far(const writer *w, uint8_t hash[32], raffle_error *err)
{
    rf_sha256_so_far(w->hash, hash);
    return rf_sha256_ok(w->hash) ? RAFFLE_OK : rf_fail(err, RAFFLE_IO, "SHA-256 failed in the cryptographic library");
}

static raffle_rc put_end(writer *w, raffle_error *err)
{
    uint8_t hash[32], message[RF_BACKUP_ANSWER], signature[64];
    char answer[96] = "", digits[65] = "";
    raffle_rc rc = hash_so_far(w, hash, err);
    rf_backup_answered(message, hash);
    if (rc == RAFFLE_OK)
        rc = rf_keys_sign(w->raffle->keys, w->raffle->origin, "control", message, sizeof message, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_base64_encode(answer, signature, sizeof signature);
    rc = put_line(w, err, "answer %.88s\n", answer);
    if (rc == RAFFLE_OK)
        rc = hash_so_far(w, hash, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_hex_encode(digits, hash, 32);
    rc = put_line(w, err, "end %.64s\n", digits);
    return rc == RAFFLE_OK ? flush(w, err) : rc;
}

static raffle_rc put_all(writer *w, raffle_error *err)
{
    raffle_rc rc = put_line(w, err, "%s\norigin %s\nlogs %zu\n", RF_BACKUP_MAGIC, w->raffle->origin, w->parts);
    for (uint32_t log = 0; rc == RAFFLE_OK && log < w->parts; log++)
        rc = put_log(w, log, err);
    for (uint32_t scope = RF_SCOPE_ORDER; rc == RAFFLE_OK && scope <= RF_SCOPE_BUYER; scope++)
        rc = put_keys(w, scope, err);
    return rc == RAFFLE_OK ? put_end(w, err) : rc;
}

raffle_rc raffle_backup(raffle *r, raffle_write write, void *ctx, raffle_error *err)
{
    writer w = {.raffle = r, .write = write, .ctx = ctx};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && write == NULL)
        rc = rf_null(err, "write");
    if (rc != RAFFLE_OK)
        return rc;
    w.hash = rf_sha256_new();
    w.buffer = sodium_malloc(BUFFER);
    rc = w.hash == NULL || w.buffer == NULL ? rf_nomem(err) : keep_moment(&w, err);
    if (rc == RAFFLE_OK)
        rc = put_all(&w, err);
    for (size_t i = 0; i < w.parts; i++)
        free(w.part[i].note);
    free(w.part);
    free(w.intent);
    sodium_free(w.buffer);
    rf_sha256_free(w.hash);
    return rc;
}
