/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of log.h: records in order, checkpoints, roots and proofs. */
#include "unit_impl.h"

#include "abi.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

/* --- which log --- */

static raffle_rc get_log(raffle *r, uint32_t number, rf_log **log, rf_unit **unit, raffle_error *err)
{
    rf_unit *u = NULL;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK && number > 0)
        rc = rf_unit_get(r, number, &u, err);
    if (rc != RAFFLE_OK)
        return rc;
    *log = number == 0 ? r->log : u->log;
    if (unit != NULL)
        *unit = u;
    return number == 0 || rf_log_halted(u->log) ? RAFFLE_OK : rf_log_refresh(u->log, err);
}

raffle_rc rf_log_named(raffle *r, uint32_t number, rf_log **log, const rf_vkey **vkey, raffle_error *err)
{
    rf_unit *u = NULL;
    raffle_rc rc = get_log(r, number, log, &u, err);
    if (rc == RAFFLE_OK)
        *vkey = number == 0 ? &r->vkey : &u->vkey;
    return rc;
}

/* --- cursors --- */

enum {
    CHUNK = 256 /* records that are read together */
};

struct raffle_cursor {
    raffle *raffle;
    rf_log *log;
    uint32_t number;
    uint64_t next; /* index of the next record to be read from the store */
    size_t n, at;  /* records in memory, and the next of them */
    raffle_record record[CHUNK];
    char *bytes;
    size_t used, cap;
};

raffle_rc raffle_cursor_open(raffle *r, uint32_t log, uint64_t from, raffle_cursor **out, raffle_error *err)
{
    rf_log *l;
    raffle_rc rc = get_log(r, log, &l, NULL, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (out == NULL)
        return rf_null(err, "out");
    raffle_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return rf_nomem(err);
    cursor->raffle = rf_raffle_ref(r);
    cursor->log = l;
    cursor->number = log;
    cursor->next = from;
    *out = cursor;
    return RAFFLE_OK;
}

void raffle_cursor_free(raffle_cursor *cursor)
{
    if (cursor == NULL)
        return;
    rf_raffle_unref(cursor->raffle);
    free(cursor->bytes);
    free(cursor);
}

/* Copies what the store shows into the cursor's memory; offsets first, pointers once the memory no longer moves. */
static raffle_rc keep(void *ctx, const raffle_record *record, raffle_error *err)
{
    raffle_cursor *c = ctx;
    size_t need = c->used + record->leaf_length + record->private_length;
    if (need > c->cap) {
        size_t cap = need + (need >> 1) + 4096;
        char *grown = realloc(c->bytes, cap);
        if (grown == NULL)
            return rf_nomem(err);
        c->bytes = grown;
        c->cap = cap;
    }
    c->record[c->n] = *record;
    memcpy(c->bytes + c->used, record->leaf, record->leaf_length);
    c->used += record->leaf_length;
    if (record->private_part != NULL)
        memcpy(c->bytes + c->used, record->private_part, record->private_length);
    c->used += record->private_length;
    c->n++;
    return RAFFLE_OK;
}

static void set_pointers(raffle_cursor *c)
{
    size_t at = 0;
    for (size_t i = 0; i < c->n; i++) {
        c->record[i].leaf = c->bytes + at;
        at += c->record[i].leaf_length;
        c->record[i].private_part = c->record[i].private_part != NULL ? c->bytes + at : NULL;
        at += c->record[i].private_length;
    }
}

static raffle_rc read_chunk(raffle_cursor *c, raffle_error *err)
{
    c->n = c->at = c->used = 0;
    raffle_rc rc = rf_store_read(c->raffle->store, c->number, c->next, CHUNK, keep, c, err);
    if (rc != RAFFLE_OK) {
        c->n = 0;
        return rc;
    }
    set_pointers(c);
    c->next += c->n;
    return c->n > 0 ? RAFFLE_OK
                    : rf_fail(err, RAFFLE_NOT_FOUND, "%s has %llu records", rf_log_origin(c->log),
                              (unsigned long long)c->next);
}

raffle_rc raffle_cursor_next(raffle_cursor *cursor, raffle_record *record, raffle_error *err)
{
    if (cursor == NULL)
        return rf_null(err, "cursor");
    raffle_rc rc = rf_enter(cursor->raffle, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(record, "record", err);
    if (rc == RAFFLE_OK && cursor->at == cursor->n)
        rc = read_chunk(cursor, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_struct_out(record, rf_struct_size(record), &cursor->record[cursor->at++], sizeof *record);
    return RAFFLE_OK;
}

/* --- roots, checkpoints, proofs --- */

raffle_rc raffle_root(raffle *r, uint32_t log, uint64_t size, uint64_t *size_out, uint8_t root[32], raffle_error *err)
{
    rf_log *l;
    uint8_t mine[32];
    raffle_rc rc = get_log(r, log, &l, NULL, err);
    if (rc == RAFFLE_OK && root == NULL)
        rc = rf_null(err, "root");
    if (rc != RAFFLE_OK)
        return rc;
    if (size == UINT64_MAX)
        rf_log_root(l, &size, mine);
    else
        rc = rf_log_root_at(l, size, mine, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(root, mine, 32);
    if (size_out != NULL)
        *size_out = size;
    return RAFFLE_OK;
}

static raffle_rc give_note(const char *bytes, size_t n, char *note, size_t cap, size_t *length, raffle_error *err)
{
    *length = n;
    if (note == NULL || cap < n + 1)
        return rf_fail(err, RAFFLE_TOO_SMALL, "the checkpoint needs %zu bytes, and %zu are there", n + 1, cap);
    memcpy(note, bytes, n);
    note[n] = 0;
    return RAFFLE_OK;
}

raffle_rc raffle_checkpoint(raffle *r, uint32_t log, char *note, size_t cap, size_t *length, raffle_error *err)
{
    rf_log *l;
    rf_unit *u;
    size_t n;
    uint64_t size;
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc == RAFFLE_OK)
        rc = get_log(r, log, &l, &u, err);
    if (rc == RAFFLE_OK && (length == NULL || (note == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "note");
    if (rc != RAFFLE_OK)
        return rc;
    char *bytes = malloc(RF_NOTE_MAX);
    if (bytes == NULL)
        return rf_nomem(err);
    rc = log == 0 ? rf_control_checkpoint(r, bytes, &n, &size, err) : rf_unit_checkpoint(u, bytes, &n, &size, err);
    if (rc == RAFFLE_OK)
        rc = give_note(bytes, n, note, cap, length, err);
    free(bytes);
    return rc;
}

raffle_rc raffle_checkpoint_get(raffle *r, uint32_t log, uint64_t size, char *note, size_t cap, size_t *length,
                                raffle_error *err)
{
    rf_log *l;
    size_t n;
    uint64_t found;
    raffle_rc rc = get_log(r, log, &l, NULL, err);
    if (rc == RAFFLE_OK && (length == NULL || (note == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "note");
    if (rc != RAFFLE_OK)
        return rc;
    char *bytes = malloc(RF_NOTE_MAX);
    if (bytes == NULL)
        return rf_nomem(err);
    rc = rf_store_note_get(r->store, log, size, &found, bytes, RF_NOTE_MAX, &n, err);
    if (rc == RAFFLE_OK)
        rc = give_note(bytes, n, note, cap, length, err);
    free(bytes);
    return rc;
}

raffle_rc raffle_leaf_hash(const void *leaf, size_t length, uint8_t out[32], raffle_error *err)
{
    if ((leaf == NULL && length > 0) || out == NULL)
        return rf_null(err, out == NULL ? "out" : "leaf");
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    rf_leaf_hash(hash, out, leaf, length);
    rf_sha256_free(hash);
    return RAFFLE_OK;
}

raffle_rc raffle_inclusion(raffle *r, uint32_t log, uint64_t index, uint64_t size, uint8_t *proof, size_t *n,
                           raffle_error *err)
{
    rf_log *l;
    raffle_rc rc = get_log(r, log, &l, NULL, err);
    if (rc == RAFFLE_OK && (proof == NULL || n == NULL))
        rc = rf_null(err, proof == NULL ? "proof" : "n");
    return rc == RAFFLE_OK ? rf_log_inclusion(l, index, size, (uint8_t(*)[32])(void *)proof, n, err) : rc;
}

raffle_rc raffle_consistency(raffle *r, uint32_t log, uint64_t old_size, uint64_t size, uint8_t *proof, size_t *n,
                             raffle_error *err)
{
    rf_log *l;
    raffle_rc rc = get_log(r, log, &l, NULL, err);
    if (rc == RAFFLE_OK && (proof == NULL || n == NULL))
        rc = rf_null(err, proof == NULL ? "proof" : "n");
    return rc == RAFFLE_OK ? rf_log_consistency(l, old_size, size, (uint8_t(*)[32])(void *)proof, n, err) : rc;
}

raffle_rc raffle_inclusion_verify(uint64_t index, uint64_t size, const uint8_t leaf_hash[32], const uint8_t *proof,
                                  size_t n, const uint8_t root[32], raffle_error *err)
{
    if (leaf_hash == NULL || root == NULL || (proof == NULL && n > 0))
        return rf_null(err, leaf_hash == NULL ? "leaf_hash" : root == NULL ? "root" : "proof");
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    const bool holds =
        rf_inclusion_check(hash, index, size, leaf_hash, (const uint8_t(*)[32])(const void *)proof, n, root);
    rf_sha256_free(hash);
    return holds ? RAFFLE_OK
                 : rf_fail(err, RAFFLE_PROOF, "the %zu hashes do not prove record %llu of %llu", n,
                           (unsigned long long)index, (unsigned long long)size);
}

raffle_rc raffle_consistency_verify(uint64_t old_size, uint64_t size, const uint8_t old_root[32],
                                    const uint8_t root[32], const uint8_t *proof, size_t n, raffle_error *err)
{
    if (old_root == NULL || root == NULL || (proof == NULL && n > 0))
        return rf_null(err, old_root == NULL ? "old_root" : root == NULL ? "root" : "proof");
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    const bool holds =
        rf_consistency_check(hash, old_size, size, old_root, root, (const uint8_t(*)[32])(const void *)proof, n);
    rf_sha256_free(hash);
    return holds ? RAFFLE_OK
                 : rf_fail(err, RAFFLE_PROOF, "the %zu hashes do not prove that %llu records extend %llu", n,
                           (unsigned long long)size, (unsigned long long)old_size);
}

void raffle_record_init(raffle_record *record, size_t size)
{
    rf_struct_init(record, size);
}
