/* SPDX-License-Identifier: Apache-2.0 */
/* Finding keys and walking them in the order of their bytes, which is that of their texts. */
#include "postgres/db.h"

#include "error.h"
#include <inttypes.h>
#include <string.h>

enum {
    CHUNK = 1024 /* keys of one answer */
};

/* --- one key --- */

typedef struct finding {
    rf_pg_read read; /* first */
    int32_t raffle;
    rf_pg_key key;
    raffle_store_key *row;
} finding;

static raffle_rc take_key(const finding *f, const PGresult *r, raffle_error *err)
{
    raffle_store_key row;
    rf_pg_key found;
    if (PQntuples(r) == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no such key of scope %.2s", f->key.hex);
    if (!rf_pg_key_take(r, 0, &row))
        return rf_fail(err, RAFFLE_CORRUPT, "a key of scope %.2s names no record", f->key.hex);
    rf_pg_key_from(&found, &row);
    if (strcmp(found.hex, f->key.hex) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "a key of scope %.2s was asked for, and another came", f->key.hex);
    *f->row = row;
    return RAFFLE_OK;
}

static raffle_rc run_find(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    const finding *f = (const finding *)read;
    rf_pg_params p = {.n = 0};
    rf_pg_array texts = {.bytes = NULL};
    PGresult *r = NULL;
    rf_pg_array_reset(&texts, RF_PG_TEXT);
    raffle_rc rc = rf_pg_array_add(&texts, f->key.hex, f->key.length, err);
    if (rc == RAFFLE_OK) {
        rf_pg_int4(&p, (uint32_t)f->raffle);
        rf_pg_array_param(&p, &texts);
        rc = rf_pg_ask(c, RF_PG_KEYS_GET, &p, "read a key", &r, err);
    }
    if (rc == RAFFLE_OK)
        rc = take_key(f, r, err);
    rf_pg_array_free(&texts);
    PQclear(r);
    return rc;
}

raffle_rc rf_pg_find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                     raffle_error *err)
{
    finding f = {.read = {.run = run_find}, .row = row};
    f.key.length = (uint8_t)rf_pg_key_hex(f.key.hex, scope, key, length);
    raffle_rc rc = rf_pg_raffle(ctx, &f.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &f.read, err) : rc;
}

/* --- walking --- */

/* Texts [from, to) of keys, the last ones first when it goes back. */
typedef struct span {
    rf_pg_read read; /* first */
    bool back;
    int32_t raffle;
    char from[RF_PG_KEY_SIZE + 2], to[RF_PG_KEY_SIZE + 2];
    uint64_t left;
    raffle_store_sink_key sink;
    void *sink_ctx;
} span;

/* The least text greater than every one that begins with that of `scope` and `key`; beyond ff…ff a letter. */
static void after_all(char to[RF_PG_KEY_SIZE], uint32_t scope, const uint8_t *key, size_t length)
{
    uint8_t bytes[RAFFLE_STORE_KEY_MAX + 1] = {(uint8_t)scope};
    size_t n = length + 1;
    if (length > 0)
        memcpy(bytes + 1, key, length);
    while (n > 0 && bytes[n - 1] == 0xff)
        n--;
    memcpy(to, "g", 2);
    if (n == 0)
        return;
    bytes[n - 1]++;
    (void)rf_pg_key_hex(to, bytes[0], bytes + 1, n - 1);
}

/* The least text greater than a key's: one byte longer. */
static void just_after(char *text)
{
    memcpy(text + strlen(text), "00", 3);
}

static raffle_rc give_keys(span *s, const PGresult *r, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (int i = 0; rc == RAFFLE_OK && i < PQntuples(r) && s->left > 0; i++) {
        raffle_store_key row;
        rf_pg_key key;
        if (!rf_pg_key_take(r, i, &row))
            return rf_fail(err, RAFFLE_CORRUPT, "a row of the keys of scope %.2s is damaged", s->from);
        rf_pg_key_from(&key, &row);
        if (strcmp(key.hex, s->from) < 0 || strcmp(key.hex, s->to) >= 0)
            return rf_fail(err, RAFFLE_CORRUPT, "the keys of scope %.2s came out of order", s->from);
        memcpy(s->back ? s->to : s->from, key.hex, (size_t)key.length + 1);
        if (!s->back)
            just_after(s->from);
        s->left--;
        s->read.started = true;
        rc = s->sink(s->sink_ctx, &row, err);
    }
    return rc;
}

static raffle_rc scan_chunk(rf_pg_conn *c, span *s, bool *more, raffle_error *err)
{
    const uint64_t limit = s->left < CHUNK ? s->left : CHUNK;
    c->until = rf_pg_deadline(c->owner->timeout_ms); /* of each answer: what the sink does takes its own time */
    rf_pg_params p = {.n = 0};
    PGresult *r = NULL;
    rf_pg_int4(&p, (uint32_t)s->raffle);
    rf_pg_text(&p, s->from);
    rf_pg_text(&p, s->to);
    rf_pg_int8(&p, limit);
    raffle_rc rc = rf_pg_ask(c, s->back ? RF_PG_KEYS_SCAN_BACK : RF_PG_KEYS_SCAN, &p, "walk the keys", &r, err);
    *more = rc == RAFFLE_OK && (uint64_t)PQntuples(r) == limit && s->left > limit;
    if (rc == RAFFLE_OK)
        rc = give_keys(s, r, err);
    PQclear(r);
    return rc;
}

static raffle_rc run_scan(rf_pg_conn *c, rf_pg_read *read, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (bool more = true; rc == RAFFLE_OK && more;)
        rc = scan_chunk(c, (span *)read, &more, err);
    return rc;
}

raffle_rc rf_pg_scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                     size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx, raffle_error *err)
{
    span s = {.read = {.run = run_scan}, .left = count, .sink = sink, .sink_ctx = sink_ctx};
    after_all(s.to, scope, prefix, prefix_length);
    (void)rf_pg_key_hex(s.from, scope, prefix, prefix_length);
    if (after_length > 0 && rf_key_compare(after, after_length, prefix, prefix_length) >= 0) {
        (void)rf_pg_key_hex(s.from, scope, after, after_length);
        just_after(s.from);
    }
    raffle_rc rc = rf_pg_raffle(ctx, &s.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &s.read, err) : rc;
}

raffle_rc rf_pg_scan_back(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *before,
                          size_t before_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                          raffle_error *err)
{
    span s = {.read = {.run = run_scan}, .back = true, .left = count, .sink = sink, .sink_ctx = sink_ctx};
    char end[RF_PG_KEY_SIZE];
    after_all(s.to, scope, prefix, prefix_length);
    (void)rf_pg_key_hex(s.from, scope, prefix, prefix_length);
    (void)rf_pg_key_hex(end, scope, before, before_length);
    if (before_length > 0 && strcmp(end, s.to) < 0)
        memcpy(s.to, end, strlen(end) + 1);
    raffle_rc rc = rf_pg_raffle(ctx, &s.raffle, err);
    return rc == RAFFLE_OK ? rf_pg_read_run(ctx, &s.read, err) : rc;
}
