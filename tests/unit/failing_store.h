/* SPDX-License-Identifier: Apache-2.0 */
/* A store over another one whose surroundings fail: one kind of call, at once or later, with a status, a sentence and a token. */
#ifndef TESTS_UNIT_FAILING_STORE_H
#define TESTS_UNIT_FAILING_STORE_H

#include "store.h"
#include <stdatomic.h>

typedef enum failing_call {
    FAILING_NONE,
    FAILING_ORIGIN,
    FAILING_HEAD,
    FAILING_READ,
    FAILING_NODE,
    FAILING_FIND,
    FAILING_SCAN,
    FAILING_NOTE,
    FAILING_ANCHOR,
    FAILING_CALLS, /* those that reading makes; and two of writing */
    FAILING_APPEND,
    FAILING_ERASE
} failing_call;

typedef struct failing_store {
    raffle_store *inner; /* freed with the store over it */
    failing_call which;
    raffle_rc rc;
    uint64_t batch_rows; /* what it says that a transaction may hold */
    raffle_rc refused;   /* not RAFFLE_OK: in place of what a batch was refused with */
    bool refills;        /* asks for another batch when one was refused */
    atomic_int good;     /* calls that still succeed; an audit makes them from several threads */
} failing_store;

static inline raffle_store *failing_inner(void *ctx)
{
    return ((failing_store *)ctx)->inner;
}

static inline raffle_rc failing(void *ctx, failing_call which, raffle_error *err)
{
    failing_store *f = ctx;
    return f->which == which && atomic_fetch_sub(&f->good, 1) <= 0
               ? raffle_error_set(err, f->rc, 42, "the cable is out")
               : RAFFLE_OK;
}

static inline raffle_rc failing_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_ORIGIN, err);
    return rc == RAFFLE_OK ? rf_store_origin(failing_inner(ctx), origin, err) : rc;
}

static inline raffle_rc failing_create(void *ctx, const char *origin, raffle_error *err)
{
    return rf_store_create(failing_inner(ctx), origin, err);
}

static inline raffle_rc failing_head(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_HEAD, err);
    return rc == RAFFLE_OK ? rf_store_head(failing_inner(ctx), log, head, err) : rc;
}

static inline raffle_rc failing_read(void *ctx, uint32_t log, uint64_t from, uint64_t count,
                                     raffle_store_sink_record sink, void *sink_ctx, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_READ, err);
    return rc == RAFFLE_OK ? rf_store_read(failing_inner(ctx), log, from, count, sink, sink_ctx, err) : rc;
}

static inline raffle_rc failing_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32],
                                     raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_NODE, err);
    return rc == RAFFLE_OK ? rf_store_node(failing_inner(ctx), log, level, index, hash, err) : rc;
}

static inline raffle_rc failing_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length,
                                     raffle_store_key *row, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_FIND, err);
    return rc == RAFFLE_OK ? rf_store_find(failing_inner(ctx), scope, key, length, row, err) : rc;
}

static inline raffle_rc failing_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                                     const uint8_t *after, size_t after_length, uint64_t count,
                                     raffle_store_sink_key sink, void *sink_ctx, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_SCAN, err);
    return rc == RAFFLE_OK ? rf_store_scan(failing_inner(ctx), scope, prefix, prefix_length, after, after_length, count,
                                           sink, sink_ctx, err)
                           : rc;
}

static inline raffle_rc failing_note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length,
                                         raffle_error *err)
{
    return rf_store_note_put(failing_inner(ctx), log, size, note, length, err);
}

static inline raffle_rc failing_note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note,
                                         size_t cap, size_t *length, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_NOTE, err);
    return rc == RAFFLE_OK ? rf_store_note_get(failing_inner(ctx), log, size, note_size, note, cap, length, err) : rc;
}

static inline raffle_rc failing_erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_ERASE, err);
    return rc == RAFFLE_OK ? rf_store_erase(failing_inner(ctx), log, index, err) : rc;
}

static inline raffle_rc failing_anchor_get(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err)
{
    raffle_rc rc = failing(ctx, FAILING_ANCHOR, err);
    return rc == RAFFLE_OK ? rf_store_anchor_get(failing_inner(ctx), log, size, root, err) : rc;
}

static inline raffle_rc failing_anchor_put(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32],
                                           int32_t durable, raffle_error *err)
{
    return rf_store_anchor_put(failing_inner(ctx), log, size, root, durable, err);
}

static inline raffle_rc failing_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx,
                                       int32_t timeout_ms, uint64_t *size, raffle_error *err)
{
    const failing_store *f = ctx;
    raffle_store_head head;
    raffle_rc rc = failing(ctx, FAILING_APPEND, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_append(failing_inner(ctx), log, fill, fill_ctx, timeout_ms, err);
    if (rc != RAFFLE_OK && f->refills)
        rc = rf_store_append(failing_inner(ctx), log, fill, fill_ctx, timeout_ms, err);
    if (rc != RAFFLE_OK && f->refused != RAFFLE_OK)
        return raffle_error_set(err, f->refused, 42, "the cable is out");
    if (rc == RAFFLE_OK)
        rc = rf_store_head(failing_inner(ctx), log, &head, err);
    *size = rc == RAFFLE_OK ? head.size : 0;
    return rc;
}

static inline void failing_free(void *ctx)
{
    raffle_store_free(failing_inner(ctx));
}

static inline void failing_store_table(raffle_store_table *table)
{
    raffle_store_table_init(table, sizeof *table);
    table->origin = failing_origin;
    table->create = failing_create;
    table->head = failing_head;
    table->append = failing_append;
    table->read = failing_read;
    table->node = failing_node;
    table->find = failing_find;
    table->scan = failing_scan;
    table->note_put = failing_note_put;
    table->note_get = failing_note_get;
    table->erase = failing_erase;
    table->anchor_get = failing_anchor_get;
    table->anchor_put = failing_anchor_put;
    table->free = failing_free;
}

static inline raffle_rc failing_store_new(failing_store *f, raffle_store **out, raffle_error *err)
{
    raffle_store_table table;
    failing_store_table(&table);
    table.batch_rows = f->batch_rows;
    return raffle_store_new(&table, f, out, err);
}

#endif
