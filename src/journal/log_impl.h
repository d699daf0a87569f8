/* SPDX-License-Identifier: Apache-2.0 */
/* What log.c, append.c and checkpoint.c share: the inside of a log. */
#ifndef RF_JOURNAL_LOG_IMPL_H
#define RF_JOURNAL_LOG_IMPL_H

#include "log.h"
#include "tree.h"
#include <pthread.h>
#include <stdatomic.h>

struct rf_txn_buffers; /* append.c: leaves on their way to the store */

struct rf_log {
    raffle_store *store;
    uint32_t number;
    char origin[RAFFLE_ORIGIN_SIZE + 16];
    rf_log_fold fold;
    rf_worker *worker;

    /* `lock` guards the queue and who leads; whoever leads owns what is below it without the lock. */
    pthread_mutex_t lock;
    pthread_cond_t free;    /* nobody leads: for those who lead without a request */
    pthread_cond_t arrived; /* `wanted` requests are queued: for a leader who waits for more */
    pthread_t leader;       /* valid while `busy` */
    rf_request *first, **last;
    size_t queued, wanted, last_group;
    size_t outsiders; /* who wait to lead without a request */
    int64_t last_commit_us;
    bool leading; /* somebody leads, or was asked to */
    bool busy;    /* … and is at it */
    bool outside; /* … without a request */
    bool handed;  /* leading was given to those who wait for `free`, of whom nobody has woken yet */

    /* Owned by the leader; `view` guards the copies that others look at. */
    rf_tree tree;
    rf_range range; /* of the records that the fold has seen; range.size is the log's size for this handle */
    bool verified;
    bool unknown;     /* whether a commit at `unknown_at` is there */
    uint64_t checked; /* size of the newest checkpoint, which rf_log_check() compared */
    struct rf_txn_buffers *buffers;
    uint64_t unknown_at;

    atomic_uint notices; /* RF_NOTICE_…, not told yet */
    pthread_mutex_t view;
    uint64_t view_size;
    uint8_t view_root[32];
    raffle_error anchor_error; /* of the last attempt */
    uint64_t settled_at;
    bool unanchored; /* the last rf_log_anchor() failed */
    bool settled_there;
    raffle_rc stopped; /* RAFFLE_OK, or why nothing is written any more: RAFFLE_HISTORY, or what was found corrupt */
};

/* Become the leader, waiting for the present one; and stop being it, with the lock held or not. */
void rf_log_lead(rf_log *log);
void rf_log_follow(rf_log *log);
void rf_log_pass_on(rf_log *log);
/* As the leader: refreshes the fold and catches up; publishes size and root to `view`. */
raffle_rc rf_log_catch_up(rf_log *log, raffle_error *err);
/* The same inside of a transaction, in which the log has `size` records, without refreshing the fold; RAFFLE_BUSY when it is not to be done there. */
raffle_rc rf_log_catch_up_within(rf_log *log, uint64_t size, const raffle_store_batch *batch, raffle_error *err);
void rf_log_publish(rf_log *log);
/* As the leader: compares with the anchor; catches up when it is ahead, and marks the log forked when it still is. */
raffle_rc rf_log_check_anchor(rf_log *log, raffle_error *err);
/* As the leader: stops the log when this status tells of damage (invariant 5). */
void rf_log_stop_if_damaged(rf_log *log, raffle_rc rc);
/* As the leader: that a note which the store keeps for `size` is the log's own, signed by `vkey` over the records here. RAFFLE_CORRUPT; RAFFLE_HISTORY:
 * over others, and the log is stopped. */
raffle_rc rf_log_check_note(rf_log *log, const rf_vkey *vkey, uint64_t size, const char *bytes, size_t length,
                            raffle_error *err);
/* As the leader: rf_log_verify(). */
raffle_rc rf_log_verify_once(rf_log *log, bool full, raffle_error *err);
/* notice.c: how the anchor was written; that a commit's outcome is not known, and that it is, as the leader. */
void rf_log_note_anchor(rf_log *log, bool durable, raffle_rc rc, const raffle_error *why);
void rf_log_note_unknown(rf_log *log);
void rf_log_note_settled(rf_log *log, bool there);
void rf_buffers_free(struct rf_txn_buffers *buffers);

#endif
