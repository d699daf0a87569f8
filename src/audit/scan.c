/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of segments between the threads that check them and the one that folds them. */
#include "scan.h"

#include "error.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

typedef struct slot {
    rf_segment segment;
    size_t log;
    bool ready;
} slot;

typedef struct scan {
    const rf_scan_log *logs;
    size_t n;
    pthread_mutex_t lock; /* guards what follows, but for the segments, which are their slot's user's */
    pthread_cond_t changed;
    size_t log; /* the next segment to be checked: this log, from this record on */
    uint64_t from;
    uint64_t claimed, folded; /* segments */
    bool stopping;
    size_t slots;
    slot *slot;
} scan;

static slot *slot_of(scan *s, uint64_t number)
{
    return &s->slot[number % s->slots];
}

/* --- claiming --- */

static uint64_t segment_end(const rf_scan_log *log, uint64_t from)
{
    return log->size - from > RF_SEGMENT_SIZE ? from + RF_SEGMENT_SIZE : log->size;
}

static void skip_done_logs(scan *s)
{
    while (s->log < s->n && s->from >= s->logs[s->log].size) {
        s->log++;
        s->from = 0;
    }
}

/* Under the lock: the next segment into a free slot, or NULL when there is none now. */
static slot *claim(scan *s)
{
    skip_done_logs(s);
    if (s->stopping || s->log == s->n || s->claimed - s->folded == s->slots)
        return NULL;
    slot *c = slot_of(s, s->claimed++);
    const rf_scan_log *log = &s->logs[s->log];
    c->log = s->log;
    c->ready = false;
    c->segment.log = log->log;
    c->segment.from = s->from;
    c->segment.to = s->from = segment_end(log, s->from);
    return c;
}

/* Which is the first size wanted above this one. */
static size_t first_above(const rf_scan_log *log, uint64_t size)
{
    size_t low = 0, high = log->wants;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (log->want[middle] <= size)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The sizes inside a segment at which the root is wanted. */
static bool make_cuts(const rf_scan_log *log, rf_segment *s)
{
    size_t first = first_above(log, s->from), n = 0;
    while (first + n < log->wants && log->want[first + n] < s->to)
        n++;
    s->cuts = n;
    free(s->cut);
    s->cut = n > 0 ? malloc(n * sizeof *s->cut) : NULL;
    if (n > 0 && s->cut == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        s->cut[i].size = log->want[first + i];
    return true;
}

/* Outside of the lock. */
static void check(scan *s, rf_segment_worker *w, slot *c)
{
    c->segment.error = (raffle_error)RAFFLE_ERROR_INIT;
    if (make_cuts(&s->logs[c->log], &c->segment))
        rf_segment_run(w, &c->segment);
    else
        c->segment.rc = rf_nomem(&c->segment.error);
}

/* --- the threads --- */

typedef struct helper {
    scan *scan;
    rf_segment_worker *worker;
    pthread_t thread;
    bool running;
} helper;

static bool all_claimed(scan *s)
{
    skip_done_logs(s);
    return s->stopping || s->log == s->n;
}

static void *help(void *ctx)
{
    helper *h = ctx;
    scan *s = h->scan;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        slot *c = claim(s);
        if (c != NULL) {
            pthread_mutex_unlock(&s->lock);
            check(s, h->worker, c);
            pthread_mutex_lock(&s->lock);
            c->ready = true;
            pthread_cond_broadcast(&s->changed);
        } else if (all_claimed(s)) {
            break;
        } else {
            pthread_cond_wait(&s->changed, &s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* The thread inherits the mask: signals are the host's. A thread that cannot be had is done without. */
static void start(helper *h)
{
    sigset_t all, old;
    sigfillset(&all);
    if (h->worker == NULL || pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
        return;
    h->running = pthread_create(&h->thread, NULL, help, h) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* --- the calling thread --- */

/* The next segment in order, checked by whoever, or NULL at the end. */
static slot *next_in_order(scan *s, rf_segment_worker *w)
{
    pthread_mutex_lock(&s->lock);
    slot *c = NULL;
    while (!(s->folded < s->claimed && slot_of(s, s->folded)->ready)) {
        slot *mine = claim(s);
        if (mine == NULL && s->folded == s->claimed)
            break;
        if (mine == NULL) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        check(s, w, mine);
        pthread_mutex_lock(&s->lock);
        mine->ready = true;
    }
    if (s->folded < s->claimed)
        c = slot_of(s, s->folded);
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void finish_slot(scan *s, bool skip_log)
{
    pthread_mutex_lock(&s->lock);
    slot *c = slot_of(s, s->folded++);
    if (skip_log && s->log == c->log) {
        s->log++;
        s->from = 0;
    }
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static raffle_rc fold_all(scan *s, rf_segment_worker *w, const rf_scan_sink *sink, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    size_t at = 0;      /* the log that is being folded */
    bool ended = false; /* before its size: what comes of it is left out */
    for (slot *c; rc == RAFFLE_OK && (c = next_in_order(s, w)) != NULL; finish_slot(s, ended)) {
        for (; rc == RAFFLE_OK && at < c->log; at++, ended = false)
            rc = sink->done(sink->ctx, at, err);
        if (rc == RAFFLE_OK && c->segment.rc != RAFFLE_OK)
            rc = rf_fail_as(err, &c->segment.error);
        if (rc == RAFFLE_OK && !ended)
            rc = sink->segment(sink->ctx, at, &c->segment, err);
        ended = ended || c->segment.ended;
    }
    for (; rc == RAFFLE_OK && at < s->n; at++)
        rc = sink->done(sink->ctx, at, err);
    return rc;
}

static bool make_slots(scan *s, const rf_segment_frame *frame, unsigned threads)
{
    s->slots = threads == 1 ? 1 : threads + 2;
    s->slot = calloc(s->slots, sizeof *s->slot);
    for (size_t i = 0; s->slot != NULL && i < s->slots; i++) {
        s->slot[i].segment.frame = frame;
        s->slot[i].segment.brief = malloc(RF_SEGMENT_SIZE * sizeof *s->slot[i].segment.brief);
        if (s->slot[i].segment.brief == NULL)
            return false;
    }
    return s->slot != NULL;
}

static void free_slots(scan *s)
{
    for (size_t i = 0; s->slot != NULL && i < s->slots; i++) {
        rf_segment *segment = &s->slot[i].segment;
        rf_faults_clear(&segment->faults);
        free(segment->brief);
        free(segment->leaves);
        free(segment->cut);
    }
    free(s->slot);
}

static void stop(scan *s, helper *helpers, unsigned n)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < n; i++) {
        if (helpers[i].running)
            pthread_join(helpers[i].thread, NULL);
        rf_segment_worker_free(helpers[i].worker);
    }
}

raffle_rc rf_scan(const rf_segment_frame *frame, unsigned threads, const rf_scan_log *logs, size_t n,
                  const rf_scan_sink *sink, raffle_error *err)
{
    scan s = {.logs = logs, .n = n};
    raffle_rc rc = RAFFLE_NOMEM;
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.changed, NULL);
    helper *helpers = calloc(threads, sizeof *helpers); /* [0] is the calling thread's */
    if (helpers != NULL && make_slots(&s, frame, threads) && (helpers[0].worker = rf_segment_worker_new()) != NULL) {
        for (unsigned i = 1; i < threads; i++) {
            helpers[i] = (helper){.scan = &s, .worker = rf_segment_worker_new()};
            start(&helpers[i]);
        }
        rc = fold_all(&s, helpers[0].worker, sink, err);
    } else {
        rc = rf_nomem(err);
    }
    if (helpers != NULL)
        stop(&s, helpers, threads);
    free(helpers);
    free_slots(&s);
    pthread_cond_destroy(&s.changed);
    pthread_mutex_destroy(&s.lock);
    return rc;
}
