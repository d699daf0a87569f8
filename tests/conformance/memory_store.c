/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory. It takes an append into a batch first, and moves it over when `fill` has succeeded. */
#include "memory_store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOGS = 65536
};

typedef struct record {
    char *leaf, *part;
    uint32_t leaf_length, part_length;
} record;

typedef struct log {
    record *records;
    size_t count, cap;
    uint8_t state[RAFFLE_STORE_STATE_MAX];
    size_t state_length;
} log;

typedef struct node {
    uint32_t log, level;
    uint64_t index;
    uint8_t hash[32];
} node;

typedef struct note {
    uint32_t log;
    uint64_t size;
    char *text;
    size_t length;
} note;

struct memory_store {
    pthread_mutex_t lock;
    char origin[RAFFLE_ORIGIN_SIZE];
    log *logs[LOGS];
    raffle_store_key *keys; /* in the order of scope and bytes */
    size_t key_count, key_cap;
    node *nodes;
    size_t node_count;
    note *notes; /* in the order they came */
    size_t note_count;
};

memory_store *memory_store_new(void)
{
    memory_store *m = calloc(1, sizeof *m);
    if (m != NULL)
        pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void free_record(record *r)
{
    free(r->leaf);
    free(r->part);
}

static void free_store(void *ctx)
{
    memory_store *m = ctx;
    for (size_t i = 0; i < LOGS; i++) {
        for (size_t j = 0; m->logs[i] != NULL && j < m->logs[i]->count; j++)
            free_record(&m->logs[i]->records[j]);
        if (m->logs[i] != NULL)
            free(m->logs[i]->records);
        free(m->logs[i]);
    }
    for (size_t i = 0; i < m->note_count; i++)
        free(m->notes[i].text);
    free(m->notes);
    free(m->nodes);
    free(m->keys);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static raffle_rc fail(raffle_error *err, raffle_rc rc, const char *text)
{
    return raffle_error_set(err, rc, 0, text);
}

static raffle_rc get_origin(void *ctx, char origin[RAFFLE_ORIGIN_SIZE], raffle_error *err)
{
    memory_store *m = ctx;
    pthread_mutex_lock(&m->lock);
    memcpy(origin, m->origin, RAFFLE_ORIGIN_SIZE);
    pthread_mutex_unlock(&m->lock);
    return origin[0] == '\0' ? fail(err, RAFFLE_NOT_FOUND, "no raffle yet") : RAFFLE_OK;
}

static raffle_rc create(void *ctx, const char *origin, raffle_error *err)
{
    memory_store *m = ctx;
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&m->lock);
    if (m->origin[0] != '\0')
        rc = fail(err, RAFFLE_EXISTS, "there is a raffle");
    else
        strncpy(m->origin, origin, sizeof m->origin - 1);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static size_t size_of(const memory_store *m, uint32_t number)
{
    return m->logs[number] == NULL ? 0 : m->logs[number]->count;
}

static void fill_head(const memory_store *m, uint32_t number, raffle_store_head *head)
{
    const log *l = m->logs[number];
    head->log = number;
    head->size = size_of(m, number);
    head->control_size = size_of(m, 0);
    head->state_length = l == NULL ? 0 : (uint32_t)l->state_length;
    if (l != NULL)
        memcpy(head->state, l->state, l->state_length);
}

static raffle_rc get_head(void *ctx, uint32_t number, raffle_store_head *head, raffle_error *err)
{
    memory_store *m = ctx;
    (void)err;
    pthread_mutex_lock(&m->lock);
    fill_head(m, number, head);
    pthread_mutex_unlock(&m->lock);
    return RAFFLE_OK;
}

/* --- appending --- */

typedef struct batch {
    memory_store *m;
    uint32_t number;
    size_t base;             /* the log's size before */
    raffle_store_key *added; /* keys to take back */
    size_t added_count;
    bool has_state;
    uint8_t state[RAFFLE_STORE_STATE_MAX];
    size_t state_length;
    size_t nodes_before, notes_before;
} batch;

static int compare_keys(const raffle_store_key *a, uint32_t scope, const uint8_t *key, size_t length)
{
    if (a->scope != scope)
        return a->scope < scope ? -1 : 1;
    size_t common = a->length < length ? a->length : length;
    int order = common == 0 ? 0 : memcmp(a->key, key, common);
    return order != 0 ? order : (a->length > length) - (a->length < length);
}

/* Where the key is, or would be. */
static size_t place_of(const memory_store *m, uint32_t scope, const uint8_t *key, size_t length)
{
    size_t low = 0, high = m->key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(&m->keys[middle], scope, key, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const memory_store *m, size_t at, uint32_t scope, const uint8_t *key, size_t length)
{
    return at < m->key_count && compare_keys(&m->keys[at], scope, key, length) == 0;
}

static void *grow(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? realloc(items, (count == 0 ? 1 : 2 * count) * size) : items;
}

static bool insert_key(batch *b, size_t at, const raffle_store_key *key)
{
    memory_store *m = b->m;
    raffle_store_key *keys = grow(m->keys, m->key_count, sizeof *keys);
    if (keys == NULL)
        return false;
    m->keys = keys;
    raffle_store_key *added = grow(b->added, b->added_count, sizeof *added);
    if (added == NULL)
        return false;
    b->added = added;
    memmove(keys + at + 1, keys + at, (m->key_count - at) * sizeof *keys);
    keys[at] = *key;
    keys[at].struct_size = sizeof *keys;
    m->key_count++;
    added[b->added_count++] = *key;
    return true;
}

static raffle_rc batch_keys(void *ctx, const raffle_store_key *keys, size_t n, size_t *done, raffle_store_key *owner,
                            raffle_error *err)
{
    batch *b = ctx;
    for (*done = 0; *done < n; (*done)++) {
        const raffle_store_key *k = &keys[*done];
        size_t at = place_of(b->m, k->scope, k->key, k->length);
        if (is_at(b->m, at, k->scope, k->key, k->length)) {
            *owner = b->m->keys[at];
            return RAFFLE_OK;
        }
        if (!insert_key(b, at, k))
            return fail(err, RAFFLE_NOMEM, "out of memory");
    }
    return RAFFLE_OK;
}

static bool copy_bytes(char **out, uint32_t *out_length, const char *in, uint32_t length)
{
    *out_length = length;
    *out = in == NULL ? NULL : malloc(length);
    if (*out != NULL)
        memcpy(*out, in, length);
    return in == NULL || *out != NULL;
}

static raffle_rc batch_records(void *ctx, const raffle_record *records, size_t n, raffle_error *err)
{
    batch *b = ctx;
    log *l = b->m->logs[b->number];
    for (size_t i = 0; i < n; i++) {
        if (records[i].index != l->count)
            return fail(err, RAFFLE_INVALID, "a gap");
        record *grown = grow(l->records, l->count, sizeof *grown);
        if (grown == NULL)
            return fail(err, RAFFLE_NOMEM, "out of memory");
        l->records = grown;
        record *r = &grown[l->count++];
        *r = (record){NULL, NULL, 0, 0};
        if (!copy_bytes(&r->leaf, &r->leaf_length, records[i].leaf, records[i].leaf_length) ||
            !copy_bytes(&r->part, &r->part_length, records[i].private_part, records[i].private_length))
            return fail(err, RAFFLE_NOMEM, "out of memory");
    }
    return RAFFLE_OK;
}

static raffle_rc batch_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32], raffle_error *err)
{
    batch *b = ctx;
    memory_store *m = b->m;
    node *nodes = grow(m->nodes, m->node_count, sizeof *nodes);
    if (nodes == NULL)
        return fail(err, RAFFLE_NOMEM, "out of memory");
    m->nodes = nodes;
    nodes[m->node_count] = (node){.log = b->number, .level = level, .index = index};
    memcpy(nodes[m->node_count++].hash, hash, 32);
    return RAFFLE_OK;
}

static raffle_rc batch_state(void *ctx, const uint8_t *state, size_t length, raffle_error *err)
{
    batch *b = ctx;
    (void)err;
    b->has_state = true;
    b->state_length = length;
    memcpy(b->state, state, length);
    return RAFFLE_OK;
}

static size_t text_length(const char *text, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] == '\n' && text[i + 1] == '\n')
            at = i + 1;
    }
    return at;
}

static note *latest_note(memory_store *m, uint32_t number)
{
    note *latest = NULL;
    for (size_t i = 0; i < m->note_count; i++) {
        if (m->notes[i].log == number)
            latest = &m->notes[i];
    }
    return latest;
}

/* A note that replaces another one is added too: the last one of a size counts. */
static raffle_rc add_note(memory_store *m, uint32_t number, uint64_t size, const char *text, size_t length,
                          raffle_error *err)
{
    const note *latest = latest_note(m, number);
    if (latest != NULL && size < latest->size)
        return fail(err, RAFFLE_HISTORY, "a smaller size");
    size_t signed_length = text_length(text, length);
    if (latest != NULL && size == latest->size &&
        (signed_length != text_length(latest->text, latest->length) || memcmp(text, latest->text, signed_length) != 0))
        return fail(err, RAFFLE_HISTORY, "another text");
    note *notes = grow(m->notes, m->note_count, sizeof *notes);
    if (notes == NULL)
        return fail(err, RAFFLE_NOMEM, "out of memory");
    m->notes = notes;
    note *n = &notes[m->note_count];
    *n = (note){.log = number, .size = size, .length = length, .text = malloc(length)};
    if (n->text == NULL)
        return fail(err, RAFFLE_NOMEM, "out of memory");
    memcpy(n->text, text, length);
    m->note_count++;
    return RAFFLE_OK;
}

static raffle_rc batch_note(void *ctx, uint64_t size, const char *text, size_t length, raffle_error *err)
{
    batch *b = ctx;
    return add_note(b->m, b->number, size, text, length, err);
}

static void undo(batch *b)
{
    memory_store *m = b->m;
    log *l = m->logs[b->number];
    while (l->count > b->base)
        free_record(&l->records[--l->count]);
    for (size_t i = 0; i < b->added_count; i++) {
        const raffle_store_key *k = &b->added[i];
        size_t at = place_of(m, k->scope, k->key, k->length);
        memmove(m->keys + at, m->keys + at + 1, (m->key_count - at - 1) * sizeof *m->keys);
        m->key_count--;
    }
    m->node_count = b->nodes_before;
    while (m->note_count > b->notes_before)
        free(m->notes[--m->note_count].text);
}

static raffle_rc append_locked(memory_store *m, uint32_t number, raffle_store_fill fill, void *fill_ctx, uint64_t *size,
                               raffle_error *err)
{
    if (m->logs[number] == NULL)
        m->logs[number] = calloc(1, sizeof *m->logs[number]);
    log *l = m->logs[number];
    if (l == NULL)
        return fail(err, RAFFLE_NOMEM, "out of memory");
    batch b = {
        .m = m, .number = number, .base = l->count, .nodes_before = m->node_count, .notes_before = m->note_count};
    raffle_store_head head = {.struct_size = sizeof head};
    fill_head(m, number, &head);
    const raffle_store_batch functions = {.struct_size = sizeof functions,
                                          .ctx = &b,
                                          .keys = batch_keys,
                                          .records = batch_records,
                                          .node = batch_node,
                                          .state = batch_state,
                                          .note = batch_note};
    raffle_rc rc = fill(fill_ctx, &head, &functions, err);
    if (rc != RAFFLE_OK)
        undo(&b);
    else if (b.has_state) {
        memcpy(l->state, b.state, b.state_length);
        l->state_length = b.state_length;
    }
    free(b.added);
    *size = l->count;
    return rc;
}

static raffle_rc append(void *ctx, uint32_t number, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                        uint64_t *size, raffle_error *err)
{
    memory_store *m = ctx;
    (void)timeout_ms;
    pthread_mutex_lock(&m->lock);
    raffle_rc rc = append_locked(m, number, fill, fill_ctx, size, err);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- reading --- */

static raffle_rc read_records(void *ctx, uint32_t number, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                              void *sink_ctx, raffle_error *err)
{
    memory_store *m = ctx;
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&m->lock);
    for (uint64_t i = from; rc == RAFFLE_OK && i < size_of(m, number) && i - from < count; i++) {
        const record *r = &m->logs[number]->records[i];
        const raffle_record given = {.struct_size = sizeof given,
                                     .leaf = r->leaf,
                                     .leaf_length = r->leaf_length,
                                     .private_part = r->part,
                                     .private_length = r->part_length,
                                     .index = i};
        rc = sink(sink_ctx, &given, err);
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static raffle_rc get_node(void *ctx, uint32_t number, uint32_t level, uint64_t index, uint8_t hash[32],
                          raffle_error *err)
{
    memory_store *m = ctx;
    raffle_rc rc = RAFFLE_NOT_FOUND;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->node_count; i++) {
        const node *n = &m->nodes[i];
        if (n->log == number && n->level == level && n->index == index) {
            memcpy(hash, n->hash, 32);
            rc = RAFFLE_OK;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return rc == RAFFLE_OK ? rc : fail(err, rc, "no such node");
}

static raffle_rc find(void *ctx, uint32_t scope, const uint8_t *key, size_t length, raffle_store_key *row,
                      raffle_error *err)
{
    memory_store *m = ctx;
    pthread_mutex_lock(&m->lock);
    size_t at = place_of(m, scope, key, length);
    bool found = is_at(m, at, scope, key, length);
    if (found)
        *row = m->keys[at];
    pthread_mutex_unlock(&m->lock);
    return found ? RAFFLE_OK : fail(err, RAFFLE_NOT_FOUND, "no such key");
}

static raffle_rc scan(void *ctx, uint32_t scope, const uint8_t *prefix, size_t prefix_length, const uint8_t *after,
                      size_t after_length, uint64_t count, raffle_store_sink_key sink, void *sink_ctx,
                      raffle_error *err)
{
    memory_store *m = ctx;
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; rc == RAFFLE_OK && count > 0 && i < m->key_count; i++) {
        const raffle_store_key *k = &m->keys[i];
        bool begins = k->scope == scope && k->length >= prefix_length &&
                      (prefix_length == 0 || memcmp(k->key, prefix, prefix_length) == 0);
        if (!begins || (after_length > 0 && compare_keys(k, scope, after, after_length) <= 0))
            continue;
        count--;
        rc = sink(sink_ctx, k, err);
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static raffle_rc note_put(void *ctx, uint32_t number, uint64_t size, const char *text, size_t length, raffle_error *err)
{
    memory_store *m = ctx;
    pthread_mutex_lock(&m->lock);
    raffle_rc rc = add_note(m, number, size, text, length, err);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static raffle_rc note_get(void *ctx, uint32_t number, uint64_t size, uint64_t *note_size, char *text, size_t cap,
                          size_t *length, raffle_error *err)
{
    memory_store *m = ctx;
    const note *found = NULL;
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->note_count; i++) {
        if (m->notes[i].log == number && (size == UINT64_MAX || m->notes[i].size == size))
            found = &m->notes[i];
    }
    if (found == NULL) {
        rc = fail(err, RAFFLE_NOT_FOUND, "no such note");
    } else {
        *note_size = found->size;
        *length = found->length;
        if (found->length > cap)
            rc = fail(err, RAFFLE_TOO_SMALL, "the note is longer");
        else
            memcpy(text, found->text, found->length);
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static raffle_rc erase(void *ctx, uint32_t number, uint64_t index, raffle_error *err)
{
    memory_store *m = ctx;
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&m->lock);
    if (index >= size_of(m, number)) {
        rc = fail(err, RAFFLE_NOT_FOUND, "no such record");
    } else {
        record *r = &m->logs[number]->records[index];
        free(r->part);
        r->part = NULL;
        r->part_length = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

void memory_store_table(raffle_store_table *table)
{
    raffle_store_table_init(table, sizeof *table);
    table->origin = get_origin;
    table->create = create;
    table->head = get_head;
    table->append = append;
    table->read = read_records;
    table->node = get_node;
    table->find = find;
    table->scan = scan;
    table->note_put = note_put;
    table->note_get = note_get;
    table->erase = erase;
    table->free = free_store;
}
