/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a published raffle. What is first read of a log, its checkpoint, decides which tiles it has as long as the store is open. */
#include "published/published.h"

#include "error.h"
#include "note.h"
#include "store.h"
#include "tile.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHED = 16, /* files: those that one thread walks through, and those that several look into */
    PATH_MOST = 128,
    LOG_PAGE = 256,
    LOG_PAGES = (RF_LOG_MAX + 1) / LOG_PAGE
};

/* A file as it was read, or why there is none. Shared until nobody uses it. */
typedef struct file {
    size_t users;
    uint64_t used; /* when it was last asked for */
    uint32_t log;
    rf_tile tile;
    raffle_error why; /* its rc: RAFFLE_OK, RAFFLE_NOT_FOUND or RAFFLE_CORRUPT */
    rf_bytes bytes;
} file;

typedef struct log_head {
    rf_checkpoint is;
    size_t note_length;
    char note[]; /* as it is published */
} log_head;

typedef struct log_page {
    log_head *head[LOG_PAGE];
} log_page;

/* What was read of a bundle. An audit checks the records when it reads them first, and looks into them again: whoever gives the files may not give others then. */
typedef struct seen_bundle {
    uint64_t key; /* log and index; 0: free */
    uint8_t hash[32];
} seen_bundle;

typedef struct published {
    rf_source source;
    pthread_mutex_t lock;       /* guards what follows; a log's head stays once it is there */
    size_t bundles, bundle_cap; /* a power of two, never full */
    seen_bundle *bundle;
    log_page *page[LOG_PAGES];
    uint64_t clock;
    file *cached[CACHED];
} published;

static void path_of(uint32_t log, const char *name, char out[PATH_MOST])
{
    if (log == 0)
        snprintf(out, PATH_MOST, "control/%s", name);
    else
        snprintf(out, PATH_MOST, "unit/%u/%s", log, name);
}

/* --- checkpoints --- */

static raffle_rc parse_head(const char *path, const rf_bytes *bytes, log_head **out, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_note *note = malloc(sizeof *note);
    log_head *head = malloc(sizeof *head + bytes->length);
    raffle_rc rc = note == NULL || head == NULL ? rf_nomem(&why)
                                                : rf_note_parse(note, (const char *)bytes->at, bytes->length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&head->is, note->text, note->text_length, &why);
    if (rc == RAFFLE_OK && head->is.size > RF_LOG_RECORDS_MAX)
        rc = rf_fail(&why, RAFFLE_LIMIT, "no log has %llu records", (unsigned long long)head->is.size);
    free(note);
    if (rc != RAFFLE_OK) {
        free(head);
        return rc == RAFFLE_NOMEM ? rf_nomem(err) : rf_fail(err, RAFFLE_CORRUPT, "%s: %s", path, why.message);
    }
    memcpy(head->note, bytes->at, bytes->length);
    head->note_length = bytes->length;
    *out = head;
    return RAFFLE_OK;
}

static raffle_rc load_head(const published *p, uint32_t log, log_head **out, raffle_error *err)
{
    char path[PATH_MOST];
    rf_bytes bytes = {0};
    path_of(log, "checkpoint", path);
    raffle_rc rc = p->source.get(p->source.ctx, path, RF_NOTE_MAX, &bytes, err);
    if (rc == RAFFLE_OK)
        rc = parse_head(path, &bytes, out, err);
    free(bytes.at);
    return rc;
}

/* Under the lock: where a log's head is kept, or NULL without memory. */
static log_head **place_of(published *p, uint32_t log)
{
    log_page **page = &p->page[log / LOG_PAGE];
    if (*page == NULL)
        *page = calloc(1, sizeof **page);
    return *page == NULL ? NULL : &(*page)->head[log % LOG_PAGE];
}

/* The log's head, the store's own; RAFFLE_NOT_FOUND: it has no checkpoint. */
static raffle_rc get_head(published *p, uint32_t log, const log_head **out, raffle_error *err)
{
    log_head *loaded = NULL;
    pthread_mutex_lock(&p->lock);
    log_head **place = place_of(p, log);
    *out = place == NULL ? NULL : *place;
    pthread_mutex_unlock(&p->lock);
    if (place == NULL)
        return rf_nomem(err);
    if (*out != NULL)
        return RAFFLE_OK;
    raffle_rc rc = load_head(p, log, &loaded, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&p->lock);
    if (*place == NULL) {
        *place = loaded;
        loaded = NULL;
    }
    *out = *place;
    pthread_mutex_unlock(&p->lock);
    free(loaded); /* another thread was first */
    return RAFFLE_OK;
}

/* Whether a log's checkpoint is still the one that was read first. */
static raffle_rc check_unchanged(published *p, uint32_t log, raffle_error *err)
{
    char path[PATH_MOST];
    const log_head *head;
    rf_bytes bytes = {0};
    raffle_rc rc = get_head(p, log, &head, err);
    path_of(log, "checkpoint", path);
    if (rc == RAFFLE_OK)
        rc = p->source.get(p->source.ctx, path, RF_NOTE_MAX, &bytes, err);
    if (rc == RAFFLE_OK && (bytes.length != head->note_length || memcmp(bytes.at, head->note, bytes.length) != 0))
        rc = rf_fail(err, RAFFLE_BUSY, "%s was published anew while it was read: read it again", head->is.origin);
    free(bytes.at);
    return rc;
}

/* --- tiles --- */

static void release(published *p, file *f)
{
    pthread_mutex_lock(&p->lock);
    const bool last = --f->users == 0;
    pthread_mutex_unlock(&p->lock);
    if (!last)
        return;
    free(f->bytes.at);
    free(f);
}

static bool same_tile(const file *f, uint32_t log, const rf_tile *tile)
{
    return f->log == log && f->tile.entries == tile->entries && f->tile.level == tile->level &&
           f->tile.index == tile->index;
}

static file *find_cached(published *p, uint32_t log, const rf_tile *tile)
{
    file *found = NULL;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; found == NULL && i < CACHED; i++)
        if (p->cached[i] != NULL && same_tile(p->cached[i], log, tile))
            found = p->cached[i];
    if (found != NULL) {
        found->users++;
        found->used = ++p->clock;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* In the place of the one that was asked for the longest ago. */
static void keep(published *p, file *f)
{
    size_t oldest = 0;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 1; i < CACHED && p->cached[oldest] != NULL; i++)
        if (p->cached[i] == NULL || p->cached[i]->used < p->cached[oldest]->used)
            oldest = i;
    file *old = p->cached[oldest];
    p->cached[oldest] = f;
    f->users++;
    f->used = ++p->clock;
    pthread_mutex_unlock(&p->lock);
    if (old != NULL)
        release(p, old);
}

/* --- bundles that are read again --- */

static seen_bundle *find_bundle(seen_bundle *bundle, size_t cap, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);
    while (bundle[at].key != 0 && bundle[at].key != key)
        at = (at + 1) & (cap - 1);
    return &bundle[at];
}

static bool grow_bundles(published *p)
{
    if (2 * (p->bundles + 1) <= p->bundle_cap)
        return true;
    const size_t cap = p->bundle_cap > 0 ? 2 * p->bundle_cap : 64;
    seen_bundle *larger = calloc(cap, sizeof *larger);
    if (larger == NULL)
        return false;
    for (size_t i = 0; i < p->bundle_cap; i++)
        if (p->bundle[i].key != 0)
            *find_bundle(larger, cap, p->bundle[i].key) = p->bundle[i];
    free(p->bundle);
    p->bundle = larger;
    p->bundle_cap = cap;
    return true;
}

/* Remembers a bundle, or compares it with what it was. */
static raffle_rc check_again(published *p, file *f, const char *path, raffle_error *err)
{
    seen_bundle is = {.key = (uint64_t)(f->log + 1) << 40 | f->tile.index};
    if (EVP_Q_digest(NULL, "SHA256", NULL, f->bytes.at, f->bytes.length, is.hash, NULL) != 1)
        return rf_nomem(err);
    pthread_mutex_lock(&p->lock);
    const bool room = grow_bundles(p);
    seen_bundle *was = room ? find_bundle(p->bundle, p->bundle_cap, is.key) : NULL;
    const bool same = was == NULL || was->key == 0 || memcmp(was->hash, is.hash, sizeof is.hash) == 0;
    if (was != NULL && was->key == 0) {
        *was = is;
        p->bundles++;
    }
    pthread_mutex_unlock(&p->lock);
    if (!same)
        rf_fail(&f->why, RAFFLE_CORRUPT, "%s has other bytes than when it was read first", path);
    return room ? RAFFLE_OK : rf_nomem(err);
}

/* What a tile's file must be, as far as it shows alone. */
static void judge(file *f, const char *path)
{
    const rf_tile *t = &f->tile;
    if (t->entries && !rf_bundle_valid(f->bytes.at, f->bytes.length, t->width))
        rf_fail(&f->why, RAFFLE_CORRUPT, "%s is not %u entries", path, t->width);
    else if (!t->entries && f->bytes.length != (size_t)t->width * 32)
        rf_fail(&f->why, RAFFLE_CORRUPT, "%s has %zu bytes, and not %u hashes", path, f->bytes.length, t->width);
}

/* A partial tile goes when two newer checkpoints were published. */
static raffle_rc check_missing(published *p, const file *f, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    const bool may_be_gone = f->tile.width < RF_TILE_WIDTH;
    return may_be_gone && check_unchanged(p, f->log, &why) == RAFFLE_BUSY ? rf_fail_as(err, &why) : RAFFLE_OK;
}

static raffle_rc load(published *p, file *f, raffle_error *err)
{
    char name[RF_TILE_PATH_SIZE], path[PATH_MOST];
    rf_tile_path(&f->tile, name);
    path_of(f->log, name, path);
    const size_t max = f->tile.entries ? (size_t)f->tile.width * (2 + RF_ENTRY_MAX) : (size_t)f->tile.width * 32;
    raffle_rc rc = p->source.get(p->source.ctx, path, max, &f->bytes, &f->why);
    if (rc == RAFFLE_OK)
        judge(f, path);
    if (rc == RAFFLE_OK && f->why.rc == RAFFLE_OK && f->tile.entries)
        return check_again(p, f, path, err);
    if (rc == RAFFLE_NOT_FOUND)
        return check_missing(p, f, err);
    if (rc == RAFFLE_OK || rc == RAFFLE_CORRUPT)
        return RAFFLE_OK;
    rf_fail_as(err, &f->why);
    return rc;
}

/* The tile's file, to be released; what is wrong with it is in it. */
static raffle_rc get_file(published *p, uint32_t log, const rf_tile *tile, file **out, raffle_error *err)
{
    *out = find_cached(p, log, tile);
    if (*out != NULL)
        return RAFFLE_OK;
    file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return rf_nomem(err);
    f->users = 1;
    f->why = (raffle_error)RAFFLE_ERROR_INIT;
    f->log = log;
    f->tile = *tile;
    raffle_rc rc = load(p, f, err);
    if (rc != RAFFLE_OK) {
        free(f->bytes.at);
        free(f);
        return rc;
    }
    keep(p, f);
    *out = f;
    return RAFFLE_OK;
}

/* --- the store's functions --- */

static raffle_rc get_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    const log_head *head;
    raffle_rc rc = get_head(ctx, 0, &head, err);
    if (rc == RAFFLE_OK && strlen(head->is.origin) >= RAFFLE_ORIGIN_SIZE)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the origin of control/checkpoint is too long");
    if (rc == RAFFLE_OK)
        memcpy(origin, head->is.origin, strlen(head->is.origin) + 1);
    return rc;
}

static raffle_rc read_only(raffle_error *err)
{
    return rf_fail(err, RAFFLE_READONLY, "a published raffle is a copy, and is never written");
}

static raffle_rc create(void *ctx, const char *origin, raffle_error *err)
{
    (void)ctx;
    (void)origin;
    return read_only(err);
}

/* A unit that has no checkpoint has no log here. */
static raffle_rc get_log(void *ctx, uint32_t log, raffle_store_head *out, raffle_error *err)
{
    const log_head *head, *control;
    raffle_rc rc = get_head(ctx, 0, &control, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = get_head(ctx, log, &head, err);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        return rc;
    out->log = log;
    out->size = rc == RAFFLE_OK ? head->is.size : 0;
    out->control_size = control->is.size;
    out->state_length = out->reserved = 0;
    return RAFFLE_OK;
}

static raffle_rc append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                        uint64_t *size, raffle_error *err)
{
    (void)ctx;
    (void)log;
    (void)fill;
    (void)fill_ctx;
    (void)timeout_ms;
    (void)size;
    return read_only(err);
}

/* The records [from, to) of one bundle. */
static raffle_rc give_entries(const file *f, uint64_t from, uint64_t to, raffle_store_sink_record sink, void *sink_ctx,
                              raffle_error *err)
{
    raffle_record record = {.struct_size = sizeof record, .index = f->tile.index * RF_TILE_WIDTH};
    const uint8_t *entry;
    size_t at = 0, length;
    raffle_rc rc = RAFFLE_OK;
    for (; rc == RAFFLE_OK && record.index < to && rf_bundle_next(f->bytes.at, f->bytes.length, &at, &entry, &length);
         record.index++) {
        record.leaf = (const char *)entry;
        record.leaf_length = (uint32_t)length;
        if (record.index >= from)
            rc = sink(sink_ctx, &record, err);
    }
    return rc;
}

static raffle_rc read_bundle(published *p, uint32_t log, const rf_tile *tile, uint64_t from, uint64_t to,
                             raffle_store_sink_record sink, void *sink_ctx, raffle_error *err)
{
    file *f = NULL;
    raffle_rc rc = get_file(p, log, tile, &f, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = f->why.rc == RAFFLE_OK ? give_entries(f, from, to, sink, sink_ctx, err)
                                : rf_fail(err, RAFFLE_CORRUPT, "%s", f->why.message);
    release(p, f);
    return rc;
}

static raffle_rc read_log(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                          void *sink_ctx, raffle_error *err)
{
    const log_head *head;
    raffle_rc rc = get_head(ctx, log, &head, err);
    if (rc != RAFFLE_OK)
        return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
    const uint64_t size = head->is.size, end = from >= size || count > size - from ? size : from + count;
    for (uint64_t at = from; rc == RAFFLE_OK && at < end;) {
        const uint64_t index = at / RF_TILE_WIDTH, next = (index + 1) * RF_TILE_WIDTH;
        const rf_tile tile = {.entries = true, .index = index, .width = rf_tile_width(size, 0, index)};
        rc = read_bundle(ctx, log, &tile, at, next < end ? next : end, sink, sink_ctx, err);
        at = next;
    }
    return rc;
}

/* The tile of hashes, released by the caller when this gives RAFFLE_OK; RAFFLE_NOT_FOUND. */
static raffle_rc get_tile(published *p, uint32_t log, uint32_t level, uint64_t index, file **out, raffle_error *err)
{
    const log_head *head;
    raffle_rc rc = get_head(p, log, &head, err);
    if (rc != RAFFLE_OK)
        return rc;
    const rf_tile tile = {.level = level, .index = index, .width = rf_tile_width(head->is.size, level, index)};
    if (tile.width == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "log %u has no such tile", log);
    file *f = NULL;
    rc = get_file(p, log, &tile, &f, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (f->why.rc != RAFFLE_OK) {
        rc = f->why.rc;
        rf_fail_as(err, &f->why);
        release(p, f);
        return rc;
    }
    *out = f;
    return RAFFLE_OK;
}

static raffle_rc get_node(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t hash[32], raffle_error *err)
{
    file *f = NULL;
    const size_t place = (size_t)(index % RF_TILE_WIDTH);
    if (level % RF_TILE_HEIGHT != 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "tiles have no hashes of level %u", level);
    raffle_rc rc = get_tile(ctx, log, level / RF_TILE_HEIGHT, index / RF_TILE_WIDTH, &f, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (place < f->tile.width)
        memcpy(hash, f->bytes.at + place * 32, 32);
    else
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "log %u has no such node", log);
    release(ctx, f);
    return rc;
}

static raffle_rc find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                      raffle_error *err)
{
    (void)ctx;
    (void)scope;
    (void)key;
    (void)length;
    (void)row;
    return rf_fail(err, RAFFLE_NOT_FOUND, "a published raffle has no keys");
}

static raffle_rc scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                      size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                      raffle_error *err)
{
    (void)ctx;
    (void)scope;
    (void)prefix;
    (void)prefix_length;
    (void)after;
    (void)after_length;
    (void)count;
    (void)sink;
    (void)sink_ctx;
    (void)err;
    return RAFFLE_OK;
}

static raffle_rc note_put(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    (void)ctx;
    (void)log;
    (void)size;
    (void)note;
    (void)length;
    return read_only(err);
}

static raffle_rc note_get(void *ctx, uint32_t log, uint64_t size, uint64_t *note_size, char *note, size_t cap,
                          size_t *length, raffle_error *err)
{
    const log_head *head;
    raffle_rc rc = get_head(ctx, log, &head, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (size != RF_NOTE_LATEST && size != head->is.size)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the published checkpoint is over %llu records",
                       (unsigned long long)head->is.size);
    *length = head->note_length;
    *note_size = head->is.size;
    if (cap < head->note_length)
        return rf_fail(err, RAFFLE_TOO_SMALL, "the checkpoint has %zu bytes", head->note_length);
    memcpy(note, head->note, head->note_length);
    return RAFFLE_OK;
}

static raffle_rc erase(void *ctx, uint32_t log, uint64_t index, raffle_error *err)
{
    (void)ctx;
    (void)log;
    (void)index;
    return read_only(err);
}

/* --- what only a published copy has --- */

static raffle_rc any_file(void *ctx, const char *path, char *out, size_t cap, size_t *length, raffle_error *err)
{
    published *p = ctx;
    rf_bytes bytes = {0};
    raffle_rc rc = p->source.get(p->source.ctx, path, cap, &bytes, err);
    if (rc == RAFFLE_OK) {
        memcpy(out, bytes.at, bytes.length);
        *length = bytes.length;
    }
    free(bytes.at);
    return rc;
}

static raffle_rc manifest(void *ctx, char *out, size_t cap, size_t *length, raffle_error *err)
{
    raffle_rc rc = check_unchanged(ctx, 0, err);
    return rc == RAFFLE_OK ? any_file(ctx, "manifest.json", out, cap, length, err) : rc;
}

static raffle_rc tile(void *ctx, uint32_t log, uint32_t level, uint64_t index, uint8_t *hashes, uint32_t *width,
                      raffle_error *err)
{
    file *f = NULL;
    raffle_rc rc = get_tile(ctx, log, level, index, &f, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(hashes, f->bytes.at, (size_t)f->tile.width * 32);
    *width = f->tile.width;
    release(ctx, f);
    return RAFFLE_OK;
}

static void close_store(void *ctx)
{
    published *p = ctx;
    for (size_t i = 0; i < CACHED; i++)
        if (p->cached[i] != NULL)
            release(p, p->cached[i]);
    for (size_t i = 0; i < LOG_PAGES; i++) {
        for (size_t k = 0; p->page[i] != NULL && k < LOG_PAGE; k++)
            free(p->page[i]->head[k]);
        free(p->page[i]);
    }
    free(p->bundle);
    if (p->source.free != NULL)
        p->source.free(p->source.ctx);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

raffle_rc rf_published_open(const rf_source *source, raffle_store_table *table, void **ctx, raffle_error *err)
{
    const log_head *head;
    raffle_error why = RAFFLE_ERROR_INIT;
    published *p = calloc(1, sizeof *p);
    if (p == NULL)
        return rf_nomem(err);
    pthread_mutex_init(&p->lock, NULL);
    p->source = *source;
    raffle_rc rc = get_head(p, 0, &head, &why);
    if (rc != RAFFLE_OK) {
        p->source.free = NULL; /* it stays the caller's */
        close_store(p);
        return rc == RAFFLE_NOT_FOUND ? rf_fail(err, RAFFLE_NOT_RAFFLE, "no raffle is published there: %s", why.message)
                                      : rf_fail_as(err, &why);
    }
    *table = (raffle_store_table){.struct_size = sizeof *table,
                                  .origin = get_origin,
                                  .create = create,
                                  .head = get_log,
                                  .append = append,
                                  .read = read_log,
                                  .node = get_node,
                                  .find = find,
                                  .scan = scan,
                                  .note_put = note_put,
                                  .note_get = note_get,
                                  .erase = erase,
                                  .manifest = manifest,
                                  .tile = tile,
                                  .file = any_file,
                                  .free = close_store};
    *ctx = p;
    return RAFFLE_OK;
}
