/* SPDX-License-Identifier: Apache-2.0 */
/* A log's handle: opening, catching up, and the checks at opening and before the first write (GLI-31 3.4.3, 3.4.4). */
#include "log_impl.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Waits by the monotonic clock: the system's may be set while we wait. */
static void init_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

raffle_rc rf_log_open(raffle_store *store, uint32_t number, const char *origin, const rf_log_fold *fold, bool threads,
                      rf_log **out, raffle_error *err)
{
    raffle_store_head *head = malloc(sizeof *head);
    rf_log *log = calloc(1, sizeof *log);
    raffle_rc rc = RAFFLE_NOMEM;
    if (head == NULL || log == NULL || strlen(origin) >= sizeof log->origin)
        goto out;
    log->number = number;
    log->fold = *fold;
    memcpy(log->origin, origin, strlen(origin) + 1);
    log->last = &log->first;
    log->worker = rf_worker_new(threads);
    log->tree.hash = rf_sha256_new();
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->view, NULL);
    init_condition(&log->free);
    init_condition(&log->arrived);
    log->store = rf_store_ref(store);
    log->tree.store = store;
    log->tree.log = number;
    if (log->worker == NULL || log->tree.hash == NULL)
        goto out;
    raffle_store_head_init(head, sizeof *head);
    rc = rf_store_head(store, number, head, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_range(&log->tree, head->size, &log->range, err);
    if (rc != RAFFLE_OK)
        goto out;
    rf_log_publish(log);
    *out = log;
    log = NULL;
out:
    if (rc == RAFFLE_NOMEM)
        rf_nomem(err);
    if (log != NULL && log->store != NULL)
        rf_log_free(log);
    else
        free(log);
    free(head);
    return rc;
}

void rf_log_free(rf_log *log)
{
    if (log == NULL)
        return;
    rf_worker_free(log->worker);
    rf_sha256_free(log->tree.hash);
    rf_buffers_free(log->buffers);
    raffle_store_free(log->store);
    pthread_mutex_destroy(&log->lock);
    pthread_mutex_destroy(&log->view);
    pthread_cond_destroy(&log->free);
    pthread_cond_destroy(&log->arrived);
    free(log);
}

/* --- leading --- */

void rf_log_lead(rf_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->outsiders++;
    while (log->leading && !log->handed)
        pthread_cond_wait(&log->free, &log->lock);
    log->outsiders--;
    log->handed = false;
    log->leading = log->busy = log->outside = true;
    log->leader = pthread_self();
    pthread_mutex_unlock(&log->lock);
}

/* To somebody without a request, or to the first in the queue, who alone is woken; in turn when both wait. It is handed over: who comes by meanwhile
 * would have it before the one who is woken, again and again. */
void rf_log_pass_on(rf_log *log)
{
    const bool queue_first = log->outside && log->first != NULL;
    log->leading = log->busy = log->outside = false;
    if (log->outsiders > 0 && !queue_first) {
        log->leading = log->handed = true;
        pthread_cond_signal(&log->free);
    } else if (log->first != NULL) {
        log->leading = true;
        log->first->lead = true;
        sem_post(&log->first->woken);
    }
}

void rf_log_follow(rf_log *log)
{
    pthread_mutex_lock(&log->lock);
    rf_log_pass_on(log);
    pthread_mutex_unlock(&log->lock);
}

void rf_log_publish(rf_log *log)
{
    uint8_t root[32];
    rf_range_root(log->tree.hash, &log->range, root);
    pthread_mutex_lock(&log->view);
    log->view_size = log->range.size;
    memcpy(log->view_root, root, 32);
    pthread_mutex_unlock(&log->view);
}

static raffle_rc stopped(rf_log *log)
{
    pthread_mutex_lock(&log->view);
    raffle_rc rc = log->stopped;
    pthread_mutex_unlock(&log->view);
    return rc;
}

bool rf_log_halted(rf_log *log)
{
    return stopped(log) != RAFFLE_OK;
}

bool rf_log_forked(rf_log *log)
{
    return stopped(log) == RAFFLE_HISTORY;
}

raffle_rc rf_log_writable(rf_log *log, raffle_error *err)
{
    raffle_rc why = stopped(log);
    if (why == RAFFLE_OK)
        return RAFFLE_OK;
    if (why == RAFFLE_HISTORY)
        return rf_fail(err, RAFFLE_HISTORY, "%s is behind what was seen of it, or is another history: it is read-only",
                       log->origin);
    return rf_fail(err, RAFFLE_HALTED, "%s was found damaged (%s) and is halted", log->origin, raffle_rc_name(why));
}

uint64_t rf_log_size(rf_log *log)
{
    pthread_mutex_lock(&log->view);
    uint64_t size = log->view_size;
    pthread_mutex_unlock(&log->view);
    return size;
}

void rf_log_root(rf_log *log, uint64_t *size, uint8_t root[32])
{
    pthread_mutex_lock(&log->view);
    *size = log->view_size;
    memcpy(root, log->view_root, 32);
    pthread_mutex_unlock(&log->view);
}

const char *rf_log_origin(const rf_log *log)
{
    return log->origin;
}

/* --- catching up --- */

enum {
    WITHIN_MAX = 4096 /* records that are caught up while others wait for the store: some milliseconds */
};

static raffle_rc follow_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    rf_log *log = ctx;
    uint8_t leaf[32];
    if (record->index != log->range.size)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of %s came where %llu was asked for",
                       (unsigned long long)record->index, log->origin, (unsigned long long)log->range.size);
    rf_leaf_hash(log->tree.hash, leaf, record->leaf, record->leaf_length);
    raffle_rc rc = log->fold.apply(log->fold.ctx, record, leaf, err);
    if (rc == RAFFLE_OK)
        rf_range_push(log->tree.hash, &log->range, leaf, NULL, NULL);
    return rc;
}

void rf_log_stop_if_damaged(rf_log *log, raffle_rc rc)
{
    if (rc >= RAFFLE_CORRUPT && rc < RAFFLE_RNG)
        rf_log_stop(log, rc);
}

static raffle_rc read_size(rf_log *log, uint64_t *size, raffle_error *err)
{
    raffle_store_head *head = malloc(sizeof *head);
    if (head == NULL)
        return rf_nomem(err);
    raffle_store_head_init(head, sizeof *head);
    raffle_rc rc = rf_store_head(log->store, log->number, head, err);
    rf_log_stop_if_damaged(log, rc);
    *size = head->size;
    free(head);
    return rc;
}

/* Records are given to a fold that is whole: one that a failed commit left behind would take them for damage. */
raffle_rc rf_log_catch_up(rf_log *log, raffle_error *err)
{
    uint64_t size = 0;
    raffle_rc rc = log->fold.refresh(log->fold.ctx, err);
    if (rc == RAFFLE_OK)
        rc = read_size(log, &size, err);
    if (rc != RAFFLE_OK || size == log->range.size)
        return rc;
    if (size > log->unknown_at)
        rf_log_note_settled(log, true);
    if (size < log->range.size) {
        rf_log_stop(log, RAFFLE_HISTORY);
        return rf_fail(err, RAFFLE_HISTORY, "%s has shrunk from %llu records to %llu", log->origin,
                       (unsigned long long)log->range.size, (unsigned long long)size);
    }
    rc = rf_store_read(log->store, log->number, log->range.size, size - log->range.size, follow_record, log, err);
    if (rc == RAFFLE_OK && log->range.size != size)
        rc = rf_fail(err, RAFFLE_CORRUPT, "record %llu of %s is missing", (unsigned long long)log->range.size,
                     log->origin);
    rf_log_stop_if_damaged(log, rc);
    rf_log_publish(log);
    return rc;
}

raffle_rc rf_log_catch_up_within(rf_log *log, uint64_t size, const raffle_store_batch *batch, raffle_error *err)
{
    const uint64_t from = log->range.size;
    if (batch->read == NULL || log->number == 0 || size < from || size - from > WITHIN_MAX)
        return rf_fail(err, RAFFLE_BUSY, "%s has grown", log->origin);
    raffle_rc rc = batch->read(batch->ctx, from, size - from, follow_record, log, err);
    if (rc == RAFFLE_OK && log->range.size != size)
        rc = rf_fail(err, RAFFLE_BUSY, "%s grows in this transaction", log->origin);
    if (rc == RAFFLE_OK && size > log->unknown_at)
        rf_log_note_settled(log, true);
    rf_log_stop_if_damaged(log, rc);
    rf_log_publish(log);
    return rc;
}

raffle_rc rf_log_refresh(rf_log *log, raffle_error *err)
{
    rf_log_lead(log);
    raffle_rc rc = rf_log_catch_up(log, err);
    rf_log_follow(log);
    return rc;
}

/* --- the anchor and the newest checkpoint --- */

static raffle_rc fork_found(rf_log *log, raffle_error *err, const char *where, uint64_t size)
{
    rf_log_stop(log, RAFFLE_HISTORY);
    return rf_fail(err, RAFFLE_HISTORY, "%s has %llu records; its %s saw %llu, or others: a restored or copied store",
                   log->origin, (unsigned long long)log->range.size, where, (unsigned long long)size);
}

/* Compares the root at a size that somebody saw with that of the records here, among them those that another process wrote meanwhile. */
static raffle_rc compare_root(rf_log *log, const char *where, uint64_t size, const uint8_t root[32], raffle_error *err)
{
    uint8_t mine[32];
    raffle_rc caught_up = size > log->range.size ? rf_log_catch_up(log, err) : RAFFLE_OK;
    if (caught_up != RAFFLE_OK)
        return caught_up;
    if (size > log->range.size)
        return fork_found(log, err, where, size);
    if (size == log->range.size) {
        rf_range_root(log->tree.hash, &log->range, mine);
    } else {
        raffle_rc rc = rf_tree_root(&log->tree, size, mine, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return memcmp(mine, root, 32) == 0 ? RAFFLE_OK : fork_found(log, err, where, size);
}

raffle_rc rf_log_check_anchor(rf_log *log, raffle_error *err)
{
    uint64_t size;
    uint8_t root[32];
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_anchor_get(log->store, log->number, &size, root, &quiet);
    rf_log_stop_if_damaged(log, rc);
    if (rc != RAFFLE_OK)
        return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &quiet);
    return compare_root(log, "anchor", size, root, err);
}

static raffle_rc not_signed(const rf_log *log, uint64_t size, raffle_error *err)
{
    return rf_fail(err, RAFFLE_CORRUPT, "the checkpoint of %s at size %llu is not one that its key signed", log->origin,
                   (unsigned long long)size);
}

raffle_rc rf_log_check_note(rf_log *log, const rf_vkey *vkey, uint64_t size, const char *bytes, size_t length,
                            raffle_error *err)
{
    rf_checkpoint checkpoint;
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, bytes, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&checkpoint, note->text, note->text_length, err);
    free(note);
    if (rc == RAFFLE_NOMEM)
        return rc;
    if (rc != RAFFLE_OK || checkpoint.size != size)
        return not_signed(log, size, err);
    if (strcmp(checkpoint.origin, log->origin) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the checkpoint of %s at size %llu is that of %s", log->origin,
                       (unsigned long long)size, checkpoint.origin);
    log->checked = size < log->range.size ? size : log->range.size;
    return compare_root(log, "checkpoint", size, checkpoint.root, err);
}

static raffle_rc check_newest_note(rf_log *log, const rf_vkey *vkey, raffle_error *err)
{
    uint64_t size;
    size_t length;
    char *bytes = malloc(RF_NOTE_MAX);
    if (bytes == NULL)
        return rf_nomem(err);
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(log->store, log->number, UINT64_MAX, &size, bytes, RF_NOTE_MAX, &length, &quiet);
    if (rc == RAFFLE_OK)
        rc = rf_log_check_note(log, vkey, size, bytes, length, err);
    else
        rc = rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &quiet);
    free(bytes);
    return rc;
}

raffle_rc rf_log_check_seen(rf_log *log, const char *where, uint64_t size, const uint8_t root[32], raffle_error *err)
{
    rf_log_lead(log);
    raffle_rc rc = size > log->range.size ? rf_log_catch_up(log, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        rc = compare_root(log, where, size, root, err);
    rf_log_stop_if_damaged(log, rc);
    rf_log_follow(log);
    return rc;
}

raffle_rc rf_log_check(rf_log *log, const rf_vkey *vkey, raffle_error *err)
{
    rf_log_lead(log);
    raffle_error found = RAFFLE_ERROR_INIT;
    raffle_rc rc = check_newest_note(log, vkey, &found);
    if (rc == RAFFLE_OK)
        rc = rf_log_check_anchor(log, &found);
    rf_log_follow(log);
    if (rc == RAFFLE_OK || rc == RAFFLE_HISTORY)
        return RAFFLE_OK; /* another history is marked: it can be read, and not written */
    if (rc == RAFFLE_CORRUPT)
        rf_log_stop(log, rc);
    return rf_fail_as(err, &found);
}

/* --- before the first write --- */

typedef struct rehash {
    rf_log *log;
    rf_range range;
} rehash;

static raffle_rc rehash_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    rehash *again = ctx;
    uint8_t leaf[32];
    if (record->index != again->range.size)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of %s is missing", (unsigned long long)again->range.size,
                       again->log->origin);
    rf_leaf_hash(again->log->tree.hash, leaf, record->leaf, record->leaf_length);
    rf_range_push(again->log->tree.hash, &again->range, leaf, NULL, NULL);
    return RAFFLE_OK;
}

static raffle_rc verify_since(rf_log *log, uint64_t from, raffle_error *err)
{
    uint8_t mine[32], again_root[32];
    rehash again = {.log = log};
    raffle_rc rc = rf_tree_range(&log->tree, from, &again.range, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_read(log->store, log->number, from, log->range.size - from, rehash_record, &again, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_range_root(log->tree.hash, &log->range, mine);
    rf_range_root(log->tree.hash, &again.range, again_root);
    if (again.range.size != log->range.size || memcmp(mine, again_root, 32) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the records of %s from %llu on are not those that were hashed",
                       log->origin, (unsigned long long)from);
    return RAFFLE_OK;
}

raffle_rc rf_log_verify_once(rf_log *log, bool full, raffle_error *err)
{
    if (log->verified && !full)
        return RAFFLE_OK;
    raffle_rc rc = verify_since(log, full ? 0 : log->checked, err);
    if (rc == RAFFLE_OK)
        log->verified = true;
    else if (rc == RAFFLE_CORRUPT)
        rf_log_stop(log, rc);
    return rc;
}

raffle_rc rf_log_verify(rf_log *log, bool full, raffle_error *err)
{
    rf_log_lead(log);
    raffle_rc rc = rf_log_verify_once(log, full, err);
    rf_log_follow(log);
    return rc;
}

/* --- roots and proofs, for any thread --- */

/* A tree with a hash of its own. */
static raffle_rc borrow_tree(rf_log *log, rf_tree *tree, raffle_error *err)
{
    *tree = (rf_tree){log->store, rf_sha256_new(), log->number};
    return tree->hash == NULL ? rf_nomem(err) : RAFFLE_OK;
}

static raffle_rc check_size(rf_log *log, uint64_t size, raffle_error *err)
{
    const uint64_t there = rf_log_size(log);
    return size <= there ? RAFFLE_OK
                         : rf_fail(err, RAFFLE_NOT_FOUND, "%s has %llu records, not %llu", log->origin,
                                   (unsigned long long)there, (unsigned long long)size);
}

raffle_rc rf_log_root_at(rf_log *log, uint64_t size, uint8_t root[32], raffle_error *err)
{
    rf_tree tree;
    raffle_rc rc = check_size(log, size, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = borrow_tree(log, &tree, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_root(&tree, size, root, err);
    rf_sha256_free(tree.hash);
    return rc;
}

raffle_rc rf_log_range_at(rf_log *log, uint64_t size, rf_range *range, raffle_error *err)
{
    rf_tree tree;
    raffle_rc rc = check_size(log, size, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = borrow_tree(log, &tree, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_range(&tree, size, range, err);
    rf_sha256_free(tree.hash);
    return rc;
}

raffle_rc rf_log_inclusion(rf_log *log, uint64_t index, uint64_t size, uint8_t (*proof)[32], size_t *n,
                           raffle_error *err)
{
    rf_tree tree;
    if (size > rf_log_size(log))
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s has fewer than %llu records", log->origin, (unsigned long long)size);
    raffle_rc rc = borrow_tree(log, &tree, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_inclusion(&tree, index, size, proof, n, err);
    rf_sha256_free(tree.hash);
    return rc;
}

raffle_rc rf_log_consistency(rf_log *log, uint64_t old_size, uint64_t size, uint8_t (*proof)[32], size_t *n,
                             raffle_error *err)
{
    rf_tree tree;
    if (size > rf_log_size(log))
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s has fewer than %llu records", log->origin, (unsigned long long)size);
    raffle_rc rc = borrow_tree(log, &tree, err);
    if (rc == RAFFLE_OK)
        rc = rf_tree_consistency(&tree, old_size, size, proof, n, err);
    rf_sha256_free(tree.hash);
    return rc;
}
