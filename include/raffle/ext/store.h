/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store must do, for hosts that bring their own. A store keeps one raffle: its logs (0 is the control log, n is sales
 * unit n), each an append-only list of records, and beside them what can be computed from the records: nodes of the Merkle
 * tree, unique keys, and a blob of state. The library's own stores use this table and nothing else.
 * Unstable until two stores and both bindings exist.
 */
#ifndef RAFFLE_EXT_STORE_H
#define RAFFLE_EXT_STORE_H

#include <raffle/ext/host.h>
#include <raffle/log.h>
#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_STORE_KEY_MAX = 64,     /* bytes of a key */
    RAFFLE_STORE_STATE_MAX = 4096, /* bytes of a log's state */
    RAFFLE_STORE_NOTE_MAX = 16384  /* bytes of a signed note */
};

/* A unique key and the record that took it. */
typedef struct raffle_store_key {
    uint32_t struct_size;
    uint32_t scope;  /* a small number; keys of different scopes are strangers */
    uint32_t length; /* 1 to RAFFLE_STORE_KEY_MAX */
    uint32_t log;    /* the log and … */
    uint64_t index;  /* … the index of the record */
    uint8_t key[RAFFLE_STORE_KEY_MAX];
} raffle_store_key;
RAFFLE_API void raffle_store_key_init(raffle_store_key *key, size_t size);

/* A log as it stands. */
typedef struct raffle_store_head {
    uint32_t struct_size;
    uint32_t log;
    uint64_t size;         /* records; 0 for a log that was never written */
    uint64_t control_size; /* of the control log, read in the same transaction */
    uint32_t state_length; /* 0: none was kept */
    uint32_t reserved;
    uint8_t state[RAFFLE_STORE_STATE_MAX];
} raffle_store_head;
RAFFLE_API void raffle_store_head_init(raffle_store_head *head, size_t size);

/* Takes a record, a key, during a read or a scan; RAFFLE_OK to go on, anything else ends it and is handed back. */
typedef raffle_rc (*raffle_store_sink_record)(void *sink_ctx, const raffle_record *record, raffle_error *err);
typedef raffle_rc (*raffle_store_sink_key)(void *sink_ctx, const raffle_store_key *key, raffle_error *err);

/* What a store hands to `fill`, to be called while `append` runs and never after. Each of these returns RAFFLE_OK or a failure,
 * upon which `fill` returns that failure and the store undoes everything. `fill` and sinks call nothing else of the store, and take no
 * lock that is held while the library is in any store function, so that a store may be one mutex. */
typedef struct raffle_store_batch {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /* Takes `n` keys in order, until one is taken already: `*done` keys were written, and when `*done` < n, `*owner` is the row
     * of the key at that place, as it was written first (perhaps in this very batch). */
    raffle_rc (*keys)(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                      raffle_error *err);
    /* Appends `n` records; their `index` continues the log without a gap. */
    raffle_rc (*records)(void *ctx, const raffle_record *records, size_t n, raffle_error *err);
    /* Keeps the hash of a complete subtree of 2^level leaves, level >= 8, the index-th of its level. */
    raffle_rc (*node)(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *err);
    /* Replaces the log's state. */
    raffle_rc (*state)(void *ctx, const uint8_t *state, size_t length, raffle_error *err);
    /* Keeps a signed note over a size of this log, in the same transaction; see note_put. */
    raffle_rc (*note)(void *ctx, uint64_t size, const char *note, size_t length, raffle_error *err);
    /* Optional: the log's records `from` … `from + count - 1` that were there before this transaction, all of them durably committed, as `read` of the table
     * gives them. With it a log that other processes write is caught up inside of the transaction; without it the append begins again after that,
     * and may be overtaken again. */
    raffle_rc (*read)(void *ctx, uint64_t from, uint64_t count, raffle_store_sink_record sink, void *sink_ctx,
                      raffle_error *err);
} raffle_store_batch;
RAFFLE_API void raffle_store_batch_init(raffle_store_batch *batch, size_t size);

/* Fills a batch. May be called again, from the beginning, after a conflict; in another call of `append`, too, when the first one's outcome is not
 * known. What it hands over may be other records each time. Every failure is handed back by `append`. */
typedef raffle_rc (*raffle_store_fill)(void *fill_ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                       raffle_error *err);

/*
 * A store. Every function may be called from any thread; several at once. `err` is never NULL.
 *
 * Structs that the library hands in to be filled (`head`, `row`, `owner`) come with its `struct_size`, which the store leaves as it is and writes
 * nothing beyond. Structs that the store hands out (to `fill` the head and the batch, to a sink a record or a key) have the store's own
 * `struct_size`, sizeof as it was compiled; arrays that it is given step by the first element's.
 *
 * A failure is one of these, and every other status counts as RAFFLE_HOST:
 *   RAFFLE_MISUSE, INVALID, LIMIT, UNSUPPORTED, TOO_SMALL                                      the call;
 *   RAFFLE_NOMEM, IO, BUSY, FULL, READONLY, TIMEOUT, UNKNOWN, HOST, FORKED                     the surroundings: it may be tried again;
 *   RAFFLE_CORRUPT, HALTED, HISTORY, NOT_RAFFLE, NEWER, NETWORK_FS, KEY, SIGNATURE, PROOF,
 *   ERASED, STATE_DIFFERS                                                                      integrity;
 *   and where it is said below RAFFLE_NOT_FOUND, EXISTS, MISMATCH. From `append`, what `fill` returned.
 * RAFFLE_CORRUPT and the others of integrity are for damage alone: a log whose records, or whose anchor, gave one is halted, and nothing more is
 * written to it through that handle.
 */
typedef struct raffle_store_table {
    uint32_t struct_size;
    uint32_t flags; /* zero */

    /* What a transaction may hold, rows of keys and nodes counted; 0: no limit. */
    uint64_t batch_rows;
    uint64_t batch_bytes;

    /* The raffle's origin, NUL-ended, or RAFFLE_NOT_FOUND when the store is empty. */
    raffle_rc (*origin)(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err);
    /* Makes the empty store hold this raffle. RAFFLE_EXISTS when it holds one, RAFFLE_MISMATCH when its anchor is another raffle's, RAFFLE_HISTORY when
     * that saw records of this one already. */
    raffle_rc (*create)(void *ctx, const char *origin, raffle_error *err);
    /* The log's size and state. A log that was never written has size 0. */
    raffle_rc (*head)(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err);
    /* All or nothing, and durable when it returns RAFFLE_OK. The store begins a transaction, takes its write lock where it has one,
     * reads the heads, and calls `fill`, in this or in another thread that is inside the store. RAFFLE_UNKNOWN: the outcome is not known. Then the
     * library repeats the append under the same size, within the call's time, and compares what `read` gives; so `head` and `read` show only what
     * is durably committed.
     * `*size` gets the log's size afterwards. */
    raffle_rc (*append)(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                        uint64_t *size, raffle_error *err);
    /* Records `from` … `from + count - 1`, in order, as far as there are any. A record that is missing before the log's end is
     * RAFFLE_CORRUPT. No transaction outlives the call. */
    raffle_rc (*read)(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                      void *sink_ctx, raffle_error *err);
    /* A node that was kept; RAFFLE_NOT_FOUND: compute it from the records. */
    raffle_rc (*node)(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err);
    /* The row of a key, or RAFFLE_NOT_FOUND. */
    raffle_rc (*find)(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                      raffle_error *err);
    /* The rows of `scope` whose key begins with `prefix` and is greater than `after` (length 0: from the first), in the order of
     * their bytes, at most `count` of them. */
    raffle_rc (*scan)(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                      size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                      raffle_error *err);
    /* Keeps a signed note over the first `size` records, durably. A smaller size than the latest is RAFFLE_HISTORY. Of one size
     * there is one note: the same text with other signatures replaces it, another text is RAFFLE_HISTORY. */
    raffle_rc (*note_put)(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err);
    /* The note of a size, or with size UINT64_MAX the latest, or RAFFLE_NOT_FOUND; at most `cap` bytes: RAFFLE_TOO_SMALL,
     * and `*length` says how many there are. */
    raffle_rc (*note_get)(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                          size_t *length, raffle_error *err);
    /* Erases the private part of a record, so that its bytes are gone from the store's files; fine when it is gone already. RAFFLE_NOT_FOUND:
     * there is no such record. */
    raffle_rc (*erase)(void *ctx, uint32_t log, uint64_t index, raffle_error *err);
    /* The anchor of design: what was last seen of a log, kept outside the store. `anchor_get` gives RAFFLE_NOT_FOUND when there
     * is none; `anchor_put` never goes back: a smaller size changes nothing, the same with another root is RAFFLE_HISTORY;
     * both give RAFFLE_MISMATCH when it is of another raffle; `durable`: it returns when the disk has it. Both
     * NULL: the host has no anchor, and a restored copy is found out by witnesses alone. */
    raffle_rc (*anchor_get)(void *ctx, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err);
    raffle_rc (*anchor_put)(void *ctx, uint32_t log, uint64_t size, const uint8_t root[32], int32_t durable,
                            raffle_error *err);
    /* Called once, after the last call, and not in a child of fork(). */
    void (*free)(void *ctx);

    /* Of a published copy, and all NULL for any other store: it holds records, tiles of hashes and checkpoints, and no keys, notes of older sizes or
     * private parts, which the audit then does not miss. `manifest`: the bytes of its manifest, at most `cap`, else RAFFLE_CORRUPT; RAFFLE_NOT_FOUND;
     * RAFFLE_BUSY: it was published anew since it was opened, and what was read may not fit together. The audit asks again when it found faults. */
    raffle_rc (*manifest)(void *ctx, char *out, size_t cap, size_t *length, raffle_error *err);
    /* The hashes of a tile (C2SP tlog-tiles), up to 256, 32 bytes each, and how many there are. RAFFLE_NOT_FOUND. */
    raffle_rc (*tile)(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t *hashes, uint32_t *width,
                      raffle_error *err);
    /* What else is published, by its path (docs/spec/publishing.md), at most `cap` bytes, else RAFFLE_CORRUPT. RAFFLE_NOT_FOUND. */
    raffle_rc (*file)(void *ctx, const char *path, char *out, size_t cap, size_t *length, raffle_error *err);

    /* Optional: `scan` backwards, the rows of `scope` whose key begins with `prefix` and is less than `before` (length 0: from the last), in falling
     * order. Without it the library scans forward over all of them to find the last ones. */
    raffle_rc (*scan_back)(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                           const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                           void *sink_ctx, raffle_error *err);

    /* Optional, and NULL together, for raffle_restore(): what `anchor_get` would give if this empty store held the raffle `origin`; and `create`, for a
     * raffle whose anchor saw records, which the library has compared. Without them `create` decides. */
    raffle_rc (*anchor_of)(void *ctx, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                           raffle_error *err);
    raffle_rc (*put_back)(void *ctx, const char *origin, raffle_error *err);
} raffle_store_table;

RAFFLE_API void raffle_store_table_init(raffle_store_table *table, size_t size);

/* A store handle over the host's table. `table` is copied, and `free` called when the last user of the handle is gone. RAFFLE_MISUSE when a
 * function other than the anchor's is missing. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_store_new(const raffle_store_table *table, void *ctx, raffle_store **out,
                                                       raffle_error *err);

/* A built-in store by URI: `sqlite:PATH[?anchor=file:PATH|none][&create=1][&readonly=1]`, or a plain path; a database,
 * `postgresql://user@host/database[?anchor=file:PATH][&create=1][&readonly=1][&…][#origin]` (docs/spec/store-postgres.md); or a published
 * raffle (publish.h), which can only be read: `folder:PATH`, the plain path of a folder, `http://…`, `https://…`. What raffle_open() does first.
 * `host` is optional; its `secret` may be called as long as the store is open. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_store_open(const char *uri, const raffle_host *host, raffle_store **out,
                                                        raffle_error *err);

RAFFLE_API void raffle_store_free(raffle_store *store);

RAFFLE_END

#endif
