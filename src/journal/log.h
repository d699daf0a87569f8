/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log: append with group commit, read, checkpoint, and the checks that keep it one history.
 *
 * Invariants: 1 a record that was acknowledged is durable; 2 what the handle believes (size, range, fold) is a prefix of the store, and caught up
 * inside the same transaction that appends; 3 the anchor is written after each commit, and durably before a checkpoint leaves; 4 a checkpoint is
 * stored before it is released; 5 a handle that found corruption (halted) or another history (forked) never writes again.
 */
#ifndef RF_JOURNAL_LOG_H
#define RF_JOURNAL_LOG_H

#include "merkle.h"
#include "note.h"
#include "policy.h"
#include "store.h"
#include "worker.h"
#include <semaphore.h>

typedef struct rf_log rf_log;
typedef struct rf_txn rf_txn;

/* What the journal asks of those who give the records a meaning. The first four run in the thread that leads a commit. */
typedef struct rf_log_fold {
    void *ctx;
    /* Records that somebody else appended, in order: the state follows them. */
    raffle_rc (*apply)(void *ctx, const raffle_record *record, const uint8_t leaf_hash[32], raffle_error *err);
    /* Inside the transaction, before anything is built: RAFFLE_BUSY asks for `refresh` and another try. The state is remembered here … */
    raffle_rc (*begin)(void *ctx, uint64_t control_size, raffle_error *err);
    /* … and gone back to here, when the transaction fails. */
    void (*undo)(void *ctx);
    /* Outside of the transaction: catches up with whatever `begin` found missing. */
    raffle_rc (*refresh)(void *ctx, raffle_error *err);
    /* The state to be kept beside the head, at most RAFFLE_STORE_STATE_MAX bytes; 0: none. */
    size_t (*save)(void *ctx, uint8_t *out);
} rf_log_fold;

/* One caller's part of a commit. `build` adds its records and keys, and may be called again. A refusal before anything was added is kept in the
 * request's own context, and RAFFLE_OK returned: it costs the others nothing. After something was added it is returned, and the group is built again
 * without this request. RAFFLE_BUSY asks for `refresh` and another try; any other
 * status of the surroundings (40-59) ends the group. */
typedef struct rf_request {
    raffle_rc (*build)(void *ctx, rf_txn *txn, raffle_error *err);
    void *ctx;
    int32_t timeout_ms; /* negative: for ever. Once the store writes, the call waits for it */
    uint64_t rows;      /* that it writes at most, keys counted, for stores with a limit; 0: a handful */
    /* the log's own */
    int64_t until_us; /* monotonic */
    struct rf_request *next;
    size_t to_wake; /* once answered: how many of those after it in the list it wakes in turn */
    sem_t woken;    /* answered, or asked to lead */
    raffle_error error;
    raffle_rc rc;
    bool taken, lead;
    bool refused; /* answered by itself, whatever becomes of the group */
} rf_request;

/* Opens log `number` of the store, named `origin`; reads its size and range, and folds nothing. The store is referenced. */
raffle_rc rf_log_open(raffle_store *store, uint32_t number, const char *origin, const rf_log_fold *fold, bool threads,
                      rf_log **out, raffle_error *err);
void rf_log_free(rf_log *log);

/* Checks the newest checkpoint (signed by `vkey`, and its root that of the records) and the anchor. A history that differs marks the log forked and is
 * no failure here; RAFFLE_CORRUPT is. */
raffle_rc rf_log_check(rf_log *log, const rf_vkey *vkey, raffle_error *err);
/* Compares with a root that somebody, named by `where`, saw. RAFFLE_HISTORY: the log is smaller or another, and marked forked. */
raffle_rc rf_log_check_seen(rf_log *log, const char *where, uint64_t size, const uint8_t root[32], raffle_error *err);
/* Hashes the records since the newest checkpoint again and compares with the range; with `full`, all records. Done once a handle, before
 * its first write. RAFFLE_CORRUPT halts it. */
raffle_rc rf_log_verify(rf_log *log, bool full, raffle_error *err);

/* Catches up with the store: the fold is given the records that it has not seen. */
raffle_rc rf_log_refresh(rf_log *log, raffle_error *err);

/* Commits a request, together with those of other threads. On failure nothing of it is in the log, unless RAFFLE_UNKNOWN. */
raffle_rc rf_log_append(rf_log *log, rf_request *request, raffle_error *err);

/* Within `build`: the index of the next record; room for a leaf of up to `most` bytes; the record that was written there; and a unique key for the record with this index. `*taken`: somebody has it, and `owner` says who. */
uint64_t rf_txn_size(const rf_txn *txn);
raffle_rc rf_txn_room(rf_txn *txn, size_t most, char **room, raffle_error *err);
raffle_rc rf_txn_add(rf_txn *txn, size_t length, const char *private_part, size_t private_length, raffle_error *err);
/* The same with a leaf elsewhere, which stays where it is until the transaction ends. */
raffle_rc rf_txn_add_leaf(rf_txn *txn, const char *leaf, size_t length, const char *private_part, size_t private_length,
                          raffle_error *err);
raffle_rc rf_txn_key(rf_txn *txn, uint32_t scope, const uint8_t *key, size_t length, uint64_t index, bool *taken,
                     raffle_store_key *owner, raffle_error *err);
/* The root of the log including what was added so far. */
raffle_rc rf_txn_root(rf_txn *txn, uint8_t root[32], raffle_error *err);
/* Keeps a signed note over the log including what was added so far, in the same transaction. */
raffle_rc rf_txn_note(rf_txn *txn, const char *note, size_t length, raffle_error *err);
/* The worker, for what else can be computed beside the commit. */
rf_worker *rf_txn_worker(rf_txn *txn);

/* As of now, in this handle. */
uint64_t rf_log_size(rf_log *log);
void rf_log_root(rf_log *log, uint64_t *size, uint8_t root[32]);
const char *rf_log_origin(const rf_log *log);
bool rf_log_halted(rf_log *log);
bool rf_log_forked(rf_log *log);
/* Stops it for good, with this status as the reason. */
void rf_log_stop(rf_log *log, raffle_rc why);
/* What an operator should know of a log: it was stopped, its anchor was not written, a commit whose outcome was not known is settled. Each that
 * happened is given once, with its sentence. For any thread; costs nothing when there is none. */
typedef enum rf_notice {
    RF_NOTICE_NONE = 0,
    RF_NOTICE_STOPPED = 1,
    RF_NOTICE_ANCHOR = 2,
    RF_NOTICE_SETTLED = 4
} rf_notice;
rf_notice rf_log_notice(rf_log *log, raffle_error *out);
/* RAFFLE_HALTED, RAFFLE_HISTORY, or RAFFLE_OK: whether it may be written and signed. */
raffle_rc rf_log_writable(rf_log *log, raffle_error *err);

/* Proofs and roots from the store, in a hash of their own; any thread. */
raffle_rc rf_log_root_at(rf_log *log, uint64_t size, uint8_t root[32], raffle_error *err);
/* And the compact range, to be grown by records that are not there yet. */
raffle_rc rf_log_range_at(rf_log *log, uint64_t size, rf_range *range, raffle_error *err);
raffle_rc rf_log_inclusion(rf_log *log, uint64_t index, uint64_t size, uint8_t (*proof)[32], size_t *n,
                           raffle_error *err);
raffle_rc rf_log_consistency(rf_log *log, uint64_t old_size, uint64_t size, uint8_t (*proof)[32], size_t *n,
                             raffle_error *err);

/* Signs a message with the log's key. */
typedef raffle_rc (*rf_sign)(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64],
                             raffle_error *err);

/* Catches up, and gives a checkpoint over everything: anchored durably, stored, and only then handed out; `note` has RF_NOTE_MAX bytes. RAFFLE_HISTORY. */
raffle_rc rf_log_checkpoint(rf_log *log, const rf_vkey *vkey, rf_sign sign, void *sign_ctx, char *note, size_t *length,
                            uint64_t *size, raffle_error *err);

/* Adds what the policy's witnesses signed to the note that is kept for this size, durably; see rf_policy_add(). RAFFLE_NOT_FOUND: there is none; RAFFLE_HISTORY: it is not
 * the newest. Two processes that add at once can lose one's lines, which their witnesses give again. */
raffle_rc rf_log_cosign(rf_log *log, uint64_t size, const rf_policy *policy, const char *lines, size_t length,
                        uint64_t *by, raffle_error *err);

/* Makes sure that the anchor has everything that was committed, before a note leaves that was kept by rf_txn_note(). */
raffle_rc rf_log_anchor(rf_log *log, raffle_error *err);
/* The same when the last rf_log_anchor() failed, else nothing: what was committed then is made good before more is written. */
raffle_rc rf_log_anchor_again(rf_log *log, raffle_error *err);

#endif
