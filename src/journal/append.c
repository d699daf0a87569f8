/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: one leader builds everybody's records into one transaction, while the worker hashes what was built before. */
#include "log_impl.h"

#include "error.h"
#include "timestamp.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHUNK_RECORDS =
        512, /* records that go to the store together: each wakes the worker once, which costs some microseconds */
    CHUNK_BYTES = 2 * 65536, /* room for their leaves: a chunk is full when the longest record no longer fits */
    CHUNKS = 3,              /* one is filled, one hashed, one waits */
    INLINE_RECORDS = 16,     /* fewer are hashed at once: waking the worker costs more */
    TRIES = 16,  /* of a transaction that others keep overtaking, when no time is left; while there is, it goes on */
    HANDFUL = 8, /* rows of a request that is not a sale of many */
    GATHER_US_MAX = 20000 /* a leader waits for others */
};

/* Leaves on their way to the store. */
typedef struct chunk {
    rf_log *log;
    size_t n, used;
    bool hashing;
    rf_task task;
    raffle_record record[CHUNK_RECORDS];
    char bytes[CHUNK_BYTES];
} chunk;

typedef struct kept_node {
    uint64_t index;
    uint32_t level;
    uint8_t hash[32];
} kept_node;

typedef struct rf_txn_buffers {
    chunk chunk[CHUNKS];
    kept_node *node;
    size_t nodes, node_cap;
    bool nomem;      /* a node found no memory */
    rf_range before; /* to go back to */
} rf_txn_buffers;

struct rf_txn {
    rf_log *log;
    const raffle_store_batch *batch;
    uint64_t size;
    unsigned current; /* chunk being filled */
};

void rf_buffers_free(rf_txn_buffers *buffers)
{
    if (buffers != NULL)
        free(buffers->node);
    free(buffers);
}

/* --- hashing, in the worker --- */

static void keep_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    rf_txn_buffers *b = ctx;
    if (level < RF_TREE_KEPT_LEVEL || b->nomem)
        return;
    if (b->nodes == b->node_cap) {
        size_t cap = b->node_cap > 0 ? 2 * b->node_cap : 64;
        kept_node *grown = realloc(b->node, cap * sizeof *grown);
        if (grown == NULL) {
            b->nomem = true;
            return;
        }
        b->node = grown;
        b->node_cap = cap;
    }
    b->node[b->nodes] = (kept_node){.index = index, .level = level};
    memcpy(b->node[b->nodes++].hash, hash, 32);
}

static void hash_chunk(void *ctx)
{
    chunk *c = ctx;
    rf_log *log = c->log;
    uint8_t leaf[32];
    for (size_t i = 0; i < c->n; i++) {
        rf_leaf_hash(log->tree.hash, leaf, c->record[i].leaf, c->record[i].leaf_length);
        rf_range_push(log->tree.hash, &log->range, leaf, keep_node, log->buffers);
    }
}

static void wait_chunk(rf_log *log, chunk *c)
{
    if (c->hashing)
        rf_worker_wait(log->worker, &c->task);
    c->hashing = false;
}

static void wait_chunks(rf_log *log)
{
    for (unsigned i = 0; i < CHUNKS; i++)
        wait_chunk(log, &log->buffers->chunk[i]);
}

/* --- what `build` may call --- */

uint64_t rf_txn_size(const rf_txn *txn)
{
    return txn->size;
}

rf_worker *rf_txn_worker(rf_txn *txn)
{
    return txn->log->worker;
}

/* Hands the chunk to the worker and to the store, and turns to the next. */
static raffle_rc flush(rf_txn *txn, raffle_error *err)
{
    rf_log *log = txn->log;
    chunk *c = &log->buffers->chunk[txn->current];
    if (c->n == 0)
        return RAFFLE_OK;
    c->task = (rf_task){.run = hash_chunk, .ctx = c};
    c->hashing = c->n >= INLINE_RECORDS;
    if (c->hashing)
        rf_worker_submit(log->worker, &c->task);
    raffle_rc rc = txn->batch->records(txn->batch->ctx, c->record, c->n, err);
    rf_log_stop_if_damaged(log, rc);
    if (!c->hashing) {
        wait_chunks(log); /* the range grows in order */
        hash_chunk(c);
    }
    txn->current = (txn->current + 1) % CHUNKS;
    chunk *next = &log->buffers->chunk[txn->current];
    wait_chunk(log, next);
    next->n = next->used = 0;
    return rc;
}

raffle_rc rf_txn_room(rf_txn *txn, size_t most, char **room, raffle_error *err)
{
    chunk *c = &txn->log->buffers->chunk[txn->current];
    raffle_rc rc = c->n == CHUNK_RECORDS || CHUNK_BYTES - c->used < most ? flush(txn, err) : RAFFLE_OK;
    c = &txn->log->buffers->chunk[txn->current];
    *room = c->bytes + c->used;
    return rc;
}

raffle_rc rf_txn_add(rf_txn *txn, size_t length, const char *private_part, size_t private_length, raffle_error *err)
{
    chunk *c = &txn->log->buffers->chunk[txn->current];
    raffle_rc rc = rf_txn_add_leaf(txn, c->bytes + c->used, length, private_part, private_length, err);
    if (rc == RAFFLE_OK)
        c->used += length;
    return rc;
}

raffle_rc rf_txn_add_leaf(rf_txn *txn, const char *leaf, size_t length, const char *private_part, size_t private_length,
                          raffle_error *err)
{
    chunk *c = &txn->log->buffers->chunk[txn->current];
    raffle_rc rc = c->n == CHUNK_RECORDS ? flush(txn, err) : RAFFLE_OK;
    c = &txn->log->buffers->chunk[txn->current];
    if (rc != RAFFLE_OK)
        return rc;
    if (length == 0 || length > RAFFLE_RECORD_MAX || private_length > RAFFLE_PRIVATE_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a record of %s would have %zu bytes, and %zu private ones", txn->log->origin,
                       length, private_length);
    c->record[c->n++] = (raffle_record){.struct_size = sizeof(raffle_record),
                                        .leaf_length = (uint32_t)length,
                                        .leaf = leaf,
                                        .private_part = private_part,
                                        .private_length = (uint32_t)private_length,
                                        .index = txn->size++};
    return RAFFLE_OK;
}

raffle_rc rf_txn_key(rf_txn *txn, uint32_t scope, const uint8_t *key, size_t length, uint64_t index, bool *taken,
                     raffle_store_key *owner, raffle_error *err)
{
    raffle_store_key row = {
        .struct_size = sizeof row, .scope = scope, .length = (uint32_t)length, .log = txn->log->number, .index = index};
    size_t done = 0;
    memcpy(row.key, key, length);
    owner->struct_size = sizeof *owner;
    raffle_rc rc = txn->batch->keys(txn->batch->ctx, &row, 1, &done, owner, err);
    *taken = rc == RAFFLE_OK && done == 0;
    return rc;
}

raffle_rc rf_txn_root(rf_txn *txn, uint8_t root[32], raffle_error *err)
{
    raffle_rc rc = flush(txn, err);
    wait_chunks(txn->log);
    if (rc == RAFFLE_OK)
        rf_range_root(txn->log->tree.hash, &txn->log->range, root);
    return rc;
}

raffle_rc rf_txn_note(rf_txn *txn, const char *note, size_t length, raffle_error *err)
{
    return txn->batch->note(txn->batch->ctx, txn->size, note, length, err);
}

/* --- one transaction --- */

typedef enum outcome {
    DONE,
    NOTHING, /* no request had anything to write */
    AGAIN,   /* somebody else appended in between */
    WITHOUT, /* a request was refused after it had added something: once more without it */
    FAILED
} outcome;

typedef struct commit {
    rf_log *log;
    rf_request *group;
    outcome outcome;
    raffle_rc filled;    /* what was handed to the store */
    rf_request *refused; /* by this call of the store's, or NULL */
    bool begun;          /* the fold remembers where to go back to */
} commit;

static raffle_rc write_nodes(const rf_log *log, const raffle_store_batch *batch, raffle_error *err)
{
    const rf_txn_buffers *b = log->buffers;
    if (b->nomem)
        return rf_nomem(err);
    for (size_t i = 0; i < b->nodes; i++) {
        raffle_rc rc = batch->node(batch->ctx, b->node[i].level, b->node[i].index, b->node[i].hash, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

static raffle_rc write_state(const rf_log *log, const raffle_store_batch *batch, raffle_error *err)
{
    uint8_t state[RAFFLE_STORE_STATE_MAX];
    size_t length = log->fold.save(log->fold.ctx, state);
    return length > 0 ? batch->state(batch->ctx, state, length, err) : RAFFLE_OK;
}

/* The surroundings (40-59) fail for everybody; any other status is about the one request. */
static bool is_its_own(raffle_rc rc)
{
    return rc < RAFFLE_NOMEM || rc >= RAFFLE_CORRUPT;
}

static void refuse(rf_request *r, raffle_rc rc, const raffle_error *why)
{
    r->refused = true;
    r->rc = rc;
    r->error = *why;
}

static raffle_rc build_requests(commit *t, rf_txn *txn, raffle_error *err)
{
    for (rf_request *r = t->group; r != NULL; r = r->next) {
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = r->refused ? RAFFLE_OK : r->build(r->ctx, txn, &why);
        if (rc == RAFFLE_OK)
            continue;
        if (is_its_own(rc)) {
            refuse(r, rc, &why);
            t->refused = r;
            t->outcome = WITHOUT;
        } else if (rc == RAFFLE_BUSY) {
            t->outcome = AGAIN;
        }
        return rf_fail_as(err, &why);
    }
    return RAFFLE_OK;
}

static raffle_rc build_group(commit *t, const raffle_store_batch *batch, uint64_t size, raffle_error *err)
{
    rf_log *log = t->log;
    rf_txn txn = {log, batch, size, 0};
    log->buffers->chunk[0].n = log->buffers->chunk[0].used = 0;
    raffle_rc rc = build_requests(t, &txn, err);
    if (rc == RAFFLE_OK)
        rc = flush(&txn, err);
    wait_chunks(log);
    if (rc == RAFFLE_OK && txn.size == size) {
        t->outcome = NOTHING;
        return RAFFLE_BUSY; /* rolls back what is empty */
    }
    if (rc == RAFFLE_OK)
        rc = write_nodes(log, batch, err);
    return rc == RAFFLE_OK ? write_state(log, batch, err) : rc;
}

static void roll_back(commit *t)
{
    if (t->begun)
        t->log->fold.undo(t->log->fold.ctx);
    t->begun = false;
    t->log->range = t->log->buffers->before;
}

/* What was refused in a transaction that is begun anew, or that came to nothing for another reason, may have been so for what is not there. */
static void take_back_refusal(commit *t)
{
    if (t->refused != NULL)
        t->refused->refused = false;
    t->refused = NULL;
}

static raffle_rc fill_once(commit *t, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    rf_log *log = t->log;
    t->outcome = FAILED;
    roll_back(t); /* may be a second call, after a conflict */
    log->buffers->nodes = 0;
    log->buffers->nomem = false;
    if (head->size != log->range.size) {
        raffle_rc rc = rf_log_catch_up_within(log, head->size, batch, err);
        if (rc == RAFFLE_BUSY)
            t->outcome = AGAIN;
        log->buffers->before = log->range;
        if (rc != RAFFLE_OK)
            return rc;
    }
    raffle_rc rc = log->fold.begin(log->fold.ctx, head->control_size, err);
    if (rc == RAFFLE_BUSY)
        t->outcome = AGAIN;
    if (rc != RAFFLE_OK)
        return rc;
    t->begun = true;
    return build_group(t, batch, head->size, err);
}

static raffle_rc fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    commit *t = ctx;
    take_back_refusal(t);
    return t->filled = fill_once(t, head, batch, err);
}

static raffle_rc make_buffers(rf_log *log, raffle_error *err)
{
    if (log->buffers != NULL)
        return RAFFLE_OK;
    log->buffers = calloc(1, sizeof *log->buffers);
    if (log->buffers == NULL)
        return rf_nomem(err);
    for (unsigned i = 0; i < CHUNKS; i++)
        log->buffers->chunk[i].log = log;
    return RAFFLE_OK;
}

/* After a commit: the anchor follows (invariant 3). That it could not is for the next commit to find out, and for the operator. */
static void committed(rf_log *log)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_log_publish(log);
    raffle_rc rc = rf_store_anchor_put(log->store, log->number, log->view_size, log->view_root, false, &why);
    rf_log_note_anchor(log, false, rc, &why);
    rf_log_note_settled(log, false);
}

static raffle_rc try_commit(commit *t, int32_t timeout_ms, raffle_error *err)
{
    rf_log *log = t->log;
    log->buffers->before = log->range;
    t->outcome = FAILED;
    t->filled = RAFFLE_OK;
    t->refused = NULL;
    t->begun = false;
    raffle_rc rc = rf_store_append(log->store, log->number, fill, t, timeout_ms, err);
    if (rc == RAFFLE_OK && t->outcome == FAILED && log->range.size > log->buffers->before.size) {
        t->outcome = DONE;
        committed(log);
        return RAFFLE_OK;
    }
    roll_back(t);
    if (rc != t->filled) {
        take_back_refusal(t);
        t->outcome = t->outcome == AGAIN ? AGAIN : FAILED;
    }
    if (rc == RAFFLE_UNKNOWN)
        rf_log_note_unknown(log);
    if (rc == RAFFLE_OK)
        return rf_fail(err, RAFFLE_HOST, "the store says that it appended to %s, and did not", log->origin);
    if (t->outcome == FAILED)
        rf_log_stop_if_damaged(log, rc);
    /* A repetition that was refused, after an append whose outcome is not known, tells nothing of that. */
    return t->outcome == FAILED || rc == RAFFLE_UNKNOWN ? rc : RAFFLE_OK;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* What is left for the request whose time ends first; negative: no end. */
static int32_t time_left(const commit *t)
{
    int64_t until = INT64_MAX;
    for (const rf_request *r = t->group; r != NULL; r = r->next)
        if (!r->refused && r->until_us < until)
            until = r->until_us;
    if (until == INT64_MAX)
        return -1;
    const int64_t left = (until - now_us() + 999) / 1000;
    return left > 0 ? (int32_t)left : 0;
}

static size_t count_waiting(const commit *t)
{
    size_t n = 0;
    for (const rf_request *r = t->group; r != NULL; r = r->next)
        n += !r->refused;
    return n;
}

/* Nothing was written and somebody's time is over: that is their answer alone. Whether others go on, without them. */
static bool drop_late(commit *t, raffle_rc rc, const raffle_error *why)
{
    const size_t before = count_waiting(t);
    const int64_t now = now_us();
    for (rf_request *r = t->group; r != NULL; r = r->next)
        if (!r->refused && r->until_us <= now)
            refuse(r, rc, why);
    const size_t left = count_waiting(t);
    return left > 0 && left < before;
}

static raffle_rc overtaken(const rf_log *log, unsigned tries, raffle_error *err)
{
    return rf_fail(err, RAFFLE_BUSY, "%s was appended to by others %u times in a row", log->origin, tries);
}

/* One try; RAFFLE_OK with an outcome that wants another one, or that is the end. */
static raffle_rc try_in_time(commit *t, unsigned *tries, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    const int32_t left = time_left(t);
    raffle_rc rc = try_commit(t, left, &why);
    if (rc == RAFFLE_OK && t->outcome == AGAIN && ++*tries >= TRIES && left == 0)
        rc = overtaken(t->log, *tries, &why);
    if ((rc == RAFFLE_BUSY || rc == RAFFLE_TIMEOUT) && drop_late(t, rc, &why)) {
        t->outcome = WITHOUT;
        rc = RAFFLE_OK;
    }
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
}

static raffle_rc commit_group(commit *t, raffle_error *err)
{
    rf_log *log = t->log;
    unsigned tries = 0;
    raffle_rc rc = rf_log_writable(log, err);
    if (rc == RAFFLE_OK)
        rc = make_buffers(log, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_check_anchor(log, err);
    while (rc == RAFFLE_OK && count_waiting(t) > 0) {
        rc = try_in_time(t, &tries, err);
        if (rc != RAFFLE_OK || (t->outcome != AGAIN && t->outcome != WITHOUT))
            return rc;
        rc = rf_log_catch_up(log, err);
    }
    return rc;
}

/* --- the queue --- */

static struct timespec in_us(int64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    us = us > 0 ? us : 0;
    int64_t ns = t.tv_nsec + us % 1000000 * 1000;
    t.tv_sec += us / 1000000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

/* Who is to lead goes to the front: a group is led by its first. */
static void enqueue(rf_log *log, rf_request *r, bool lead)
{
    r->lead = lead;
    log->leading = true;
    if (lead) {
        r->next = log->first;
        log->first = r;
        if (r->next == NULL)
            log->last = &r->next;
    } else {
        r->next = NULL;
        *log->last = r;
        log->last = &r->next;
    }
    if (++log->queued == log->wanted)
        pthread_cond_signal(&log->arrived);
}

static void dequeue(rf_log *log, rf_request *r)
{
    rf_request **at = &log->first;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (*at == NULL)
        log->last = at;
    log->queued--;
}

/* Those who were answered a moment ago come back now: a leader who has time waits for a group as large as the last, at most as long as a commit
 * takes. */
static void gather(rf_log *log)
{
    if (log->last_group < 2 || log->queued >= log->last_group)
        return;
    const int64_t left = log->first->until_us - now_us();
    struct timespec until = in_us(left < log->last_commit_us ? left : log->last_commit_us);
    log->wanted = log->last_group;
    while (log->queued < log->wanted)
        if (pthread_cond_timedwait(&log->arrived, &log->lock, &until) == ETIMEDOUT)
            break;
    log->wanted = 0;
}

/* The last of those who fit into one transaction of the store together; the first does in any case. */
static rf_request *last_that_fits(const rf_log *log)
{
    const uint64_t most = rf_store_batch_rows(log->store);
    rf_request *last = log->first;
    uint64_t rows = HANDFUL; /* the head; the state, a note */
    for (rf_request *r = last; r != NULL; r = r->next) {
        const uint64_t own = r->rows > 0 ? r->rows : HANDFUL;
        rows += own + own / 256 + 1; /* nodes */
        if (most > 0 && rows > most)
            break;
        last = r;
    }
    return last;
}

/* What does not fit stays in the queue, for the next leader. */
static rf_request *take_group(rf_log *log)
{
    rf_request *group = log->first, *last = last_that_fits(log);
    log->first = last->next;
    if (log->first == NULL)
        log->last = &log->first;
    last->next = NULL;
    log->last_group = 0;
    for (rf_request *r = group; r != NULL; r = r->next) {
        r->taken = true;
        log->last_group++;
    }
    log->queued -= log->last_group;
    return group;
}

/* Wakes the `n` requests from `first` on: the first of each half, who wakes the rest of it, so that all processors share the work and nobody
 * waits for thirty others to be woken before. A request may be gone as soon as it is woken. */
static void wake(rf_request *first, size_t n)
{
    while (n > 0) {
        const size_t half = (n + 1) / 2;
        rf_request *rest = first;
        for (size_t i = 0; i < half; i++)
            rest = rest->next;
        first->to_wake = half - 1;
        sem_post(&first->woken);
        first = rest;
        n -= half;
    }
}

/* The leader is the first of its group. */
static void answer(rf_request *group, raffle_rc rc, const raffle_error *error)
{
    size_t others = 0;
    for (rf_request *r = group; r != NULL; r = r->next) {
        if (!r->refused) {
            r->rc = rc;
            r->error = *error;
        }
        others += r != group;
    }
    if (others > 0)
        wake(group->next, others);
}

/* Called with the lock, which it gives up for the commit; the group is answered without it. */
static void lead_group(rf_log *log)
{
    raffle_error error = RAFFLE_ERROR_INIT;
    log->leader = pthread_self();
    log->busy = true;
    gather(log);
    commit t = {.log = log, .group = take_group(log)};
    pthread_mutex_unlock(&log->lock);
    int64_t began = now_us();
    raffle_rc rc = commit_group(&t, &error);
    int64_t took = now_us() - began;
    answer(t.group, rc, &error);
    pthread_mutex_lock(&log->lock);
    /* A store that was locked, or failed, tells nothing of how long a commit takes. */
    log->last_commit_us = rc != RAFFLE_OK ? 0 : took < GATHER_US_MAX ? took : GATHER_US_MAX;
    rf_log_pass_on(log);
}

/* Waits to be answered or to lead; false when the request's time ran out while it was still in the queue, and it is out of it. */
static bool wait_turn(rf_log *log, rf_request *r)
{
    const struct timespec until = in_us(r->timeout_ms < 0 ? 0 : r->until_us - now_us());
    bool timed = r->timeout_ms >= 0;
    for (;;) {
        if ((timed ? sem_clockwait(&r->woken, CLOCK_MONOTONIC, &until) : sem_wait(&r->woken)) == 0)
            return true;
        if (errno != ETIMEDOUT)
            continue; /* a signal */
        pthread_mutex_lock(&log->lock);
        const bool waits = !r->taken && !r->lead;
        if (waits)
            dequeue(log, r);
        pthread_mutex_unlock(&log->lock);
        if (waits)
            return false;
        timed = false; /* somebody is committing it, or it leads now */
    }
}

static raffle_rc append(rf_log *log, rf_request *r, raffle_error *err)
{
    pthread_mutex_lock(&log->lock);
    if (log->busy && pthread_equal(log->leader, pthread_self())) {
        pthread_mutex_unlock(&log->lock);
        return rf_fail(err, RAFFLE_MISUSE, "%s is entered again from a callback of its own", log->origin);
    }
    enqueue(log, r, !log->leading);
    const bool waits = !r->lead;
    pthread_mutex_unlock(&log->lock);
    if (waits && !wait_turn(log, r))
        return rf_fail(err, RAFFLE_TIMEOUT, "%s was busy for longer than %d ms", log->origin, r->timeout_ms);
    if (r->lead) {
        pthread_mutex_lock(&log->lock);
        lead_group(log);
        pthread_mutex_unlock(&log->lock);
    } else {
        wake(r->next, r->to_wake);
    }
    return r->rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &r->error);
}

raffle_rc rf_log_append(rf_log *log, rf_request *r, raffle_error *err)
{
    r->taken = r->lead = r->refused = false;
    r->until_us = r->timeout_ms < 0 ? INT64_MAX : now_us() + (int64_t)r->timeout_ms * 1000;
    if (sem_init(&r->woken, 0, 0) != 0)
        return rf_fail(err, RAFFLE_NOMEM, "no semaphore is to be had");
    raffle_rc rc = append(log, r, err);
    sem_destroy(&r->woken);
    return rc;
}
