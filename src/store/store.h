/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store as the layers above call it: the functions of raffle_store_table with their arguments checked, and everything that
 * comes back from a store checked too, so that a damaged or hostile one gives RAFFLE_CORRUPT and never harm.
 */
#ifndef RF_STORE_STORE_H
#define RF_STORE_STORE_H

#include <raffle/ext/store.h>
#include <stdbool.h>

enum {
    RF_LOG_MAX = RAFFLE_UNIT_MAX, /* the highest log */
    RF_SCOPE_MAX = 255,           /* the highest scope of keys */
    RF_NODE_LEVEL_MIN = 8         /* nodes below it are computed from the records */
};
#define RF_LOG_RECORDS_MAX (UINT64_C(1) << 40) /* serials have five bytes (design §11) */
#define RF_NOTE_LATEST UINT64_MAX

/* raffle_store_open(), which with `create` makes what is not there. */
raffle_rc rf_store_open(const char *uri, const raffle_host *host, bool create, raffle_store **out, raffle_error *err);
/* The path of a store with a suffix: where what belongs to it lies. RAFFLE_INVALID: it has none, or it does not fit. */
raffle_rc rf_store_beside(const char *store, const char *suffix, char *out, size_t cap, raffle_error *err);

/* Another user of the handle; released by raffle_store_free(). NULL for NULL. */
raffle_store *rf_store_ref(raffle_store *store);

/* The functions of raffle_store_table; see there. `store` and outputs may not be NULL. */
raffle_rc rf_store_origin(raffle_store *store, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err);
raffle_rc rf_store_create(raffle_store *store, const char *origin, raffle_error *err);
/* Of an empty store: what its anchor saw of a raffle, RAFFLE_NOT_FOUND when nothing, or when that cannot be asked; and making it hold that raffle nevertheless. From then on, until it
 * is over, the anchor is left alone: what is put back is behind it. */
raffle_rc rf_store_anchor_of(raffle_store *store, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                             raffle_error *err);
raffle_rc rf_store_put_back(raffle_store *store, const char *origin, raffle_error *err);
void rf_store_put_back_again(raffle_store *store); /* that was cut off */
void rf_store_put_back_over(raffle_store *store);
/* Sets head->struct_size itself. */
raffle_rc rf_store_head(raffle_store *store, uint32_t log, raffle_store_head *head, raffle_error *err);
/* `fill` may run in another thread than the caller's, while the caller waits. The head it is given is whole, the batch checked. */
raffle_rc rf_store_append(raffle_store *store, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                          raffle_error *err);
/* What one append may hold, rows of keys and nodes counted; 0: no limit. */
uint64_t rf_store_batch_rows(const raffle_store *store);
uint64_t rf_store_batch_bytes(const raffle_store *store);
raffle_rc rf_store_read(raffle_store *store, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                        void *sink_ctx, raffle_error *err);
raffle_rc rf_store_node(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32],
                        raffle_error *err);
/* Sets row->struct_size itself. */
raffle_rc rf_store_find(raffle_store *store, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                        raffle_error *err);
raffle_rc rf_store_scan(raffle_store *store, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                        const uint8_t *after, size_t after_length, uint64_t count, raffle_store_sink_key sink,
                        void *sink_ctx, raffle_error *err);
/* The rows before `before` (length 0: the last), in falling order. A store that cannot go back is scanned forward from the prefix's first row: slow, with
 * memory for `count` rows, at most RF_SCAN_BACK_MAX. */
enum {
    RF_SCAN_BACK_MAX = 4096
};
raffle_rc rf_store_scan_back(raffle_store *store, uint32_t scope, const uint8_t *prefix, size_t prefix_length,
                             const uint8_t *before, size_t before_length, uint64_t count, raffle_store_sink_key sink,
                             void *sink_ctx, raffle_error *err);
raffle_rc rf_store_note_put(raffle_store *store, uint32_t log, uint64_t size, const char *note, size_t length,
                            raffle_error *err);
raffle_rc rf_store_note_get(raffle_store *store, uint32_t log, uint64_t size, uint64_t *note_size, char *note,
                            size_t cap, size_t *length, raffle_error *err);
raffle_rc rf_store_erase(raffle_store *store, uint32_t log, uint64_t index, raffle_error *err);
/* Without an anchor: RAFFLE_NOT_FOUND, and RAFFLE_OK for doing nothing. */
raffle_rc rf_store_anchor_get(raffle_store *store, uint32_t log, uint64_t *size, uint8_t root[32], raffle_error *err);
raffle_rc rf_store_anchor_put(raffle_store *store, uint32_t log, uint64_t size, const uint8_t root[32], bool durable,
                              raffle_error *err);
bool rf_store_has_anchor(const raffle_store *store);
/* Whether it is a published copy; of one the manifest, the hashes of a tile, and any other file. */
bool rf_store_published(const raffle_store *store);
raffle_rc rf_store_manifest(raffle_store *store, char *out, size_t cap, size_t *length, raffle_error *err);
raffle_rc rf_store_file(raffle_store *store, const char *path, char *out, size_t cap, size_t *length,
                        raffle_error *err);
raffle_rc rf_store_tile(raffle_store *store, uint32_t log, uint32_t level, uint64_t index, uint8_t hashes[8192],
                        uint32_t *width, raffle_error *err);

/* How keys are ordered: by their bytes, a prefix before what it begins. Below, at or above 0. */
int rf_key_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length);

/* The length of a note's signed text, which ends before the last empty line; 0 when there is none. */
size_t rf_note_text_length(const char *note, size_t length);
/* A note on its way into a log, and what is kept there: a log never signs two histories, and never goes back. RAFFLE_HISTORY. */
typedef struct rf_note_at {
    uint64_t size;
    const char *note;
    size_t length;
} rf_note_at;
raffle_rc rf_note_may_follow(uint32_t log, const rf_note_at *kept, const rf_note_at *next, raffle_error *err);

#endif
