/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a raffle's and a unit's handle, shared by the files of the domain. */
#ifndef RF_RAFFLE_RAFFLE_IMPL_H
#define RF_RAFFLE_RAFFLE_IMPL_H

#include "fold.h"
#include "keys.h"
#include "log.h"
#include "void_list.h"
#include <pthread.h>
#include <raffle/raffle.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Tickets by tier: tier_tally.c. */
typedef struct rf_tier_tally rf_tier_tally;

/* One sales unit inside a raffle's handle, made when it is first needed; handles to it share it. */
typedef struct rf_unit {
    raffle *raffle;
    uint32_t number;
    rf_log *log;
    rf_vkey vkey;
    rf_unit_frame frame;
    rf_sha256 *state_hash; /* the leader's */
    uint8_t *ku;           /* K_u, in secure memory; NULL without keys */
    /* Owned by whoever leads the log; `lock` guards reading it beside. */
    pthread_mutex_t lock;
    rf_unit_state state, before;
    bool building;                      /* `state` may hold what a transaction has not committed; `before` does not */
    rf_tier_tally *tally;               /* NULL: nobody asked */
    uint64_t control_size;              /* of the control log, in the transaction under way */
    int64_t last_clock, last_monotonic; /* of the last reading; 0: none */
    uint64_t synced;                    /* records of a till's own log that the raffle's unit.sync was compared with */
    bool verified;
    bool away; /* its log is written elsewhere: here it is read, and takes uploads */
    /* The voids of the seal that receipts were last made for: a function of the records under the seal, kept because a unit's may be many. */
    pthread_mutex_t voids_lock;
    rf_void_list voids;
} rf_unit;

/* 256 units. A place is filled once, by whoever opened the unit first, and read without a lock: also in a forked child, where one may be held for
 * ever. */
typedef struct rf_unit_page {
    _Atomic(rf_unit *) unit[256];
} rf_unit_page;

/* What a raffle's handle and its units', draws' and cursors' keep alive. */
struct raffle {
    pthread_mutex_t lock; /* guards refs, verified, failed_*, lost_events */
    size_t refs;
    pid_t pid;
    raffle_store *store;
    raffle_keys *keys; /* NULL: read only */
    raffle_host host;
    bool owns_host;
    bool mirrored; /* the last raffle_mirror() into it ended well; of the one thread that may call it */
    uint32_t
        till; /* the unit whose keys alone are here: the control log and other units are written elsewhere; 0: the raffle's own */
    char origin[RAFFLE_ORIGIN_SIZE];
    rf_rules *rules;  /* frozen: the same as control.rules, and never replaced */
    uint8_t open[32]; /* leaf hash of raffle.open */
    rf_log *log;
    rf_vkey vkey;
    /* The control log's state: written by whoever leads its log, under `control_lock`; read under it too. */
    pthread_rwlock_t control_lock;
    rf_control control;
    bool control_dirty;                 /* something was applied that was not committed: fold again */
    int64_t last_clock, last_monotonic; /* the leader's */
    bool verified;
    uint8_t *order_key;                /* keys the hash of order keys; in secure memory; NULL without keys */
    uint8_t *buyer_key;                /* the same of buyers' tags; NULL also at a till */
    _Atomic(rf_unit_page *) page[256]; /* [(n - 1) / 256] holds unit n; NULL: none of them was opened */
    rf_tier_tally *tally;              /* of the control log's voids; under `lock` */
    uint64_t failed_validations;       /* since the last event about them */
    int64_t failed_written;            /* when that was written; 0: never */
    uint64_t lost_events;              /* that found no disk, since the last event about them */
};

struct raffle_unit {
    rf_unit *unit;
};

/* Takes and drops a reference to a raffle. */
raffle *rf_raffle_ref(raffle *r);
void rf_raffle_unref(raffle *r);

/* A handle over a store whose control log is still to be written, with neither rules nor keys. */
raffle_rc rf_raffle_bare(raffle_store *store, const char *origin, raffle **out, raffle_error *err);
/* "file:" and the store's path with ".keys". */
raffle_rc rf_default_keys(const char *store, char out[RAFFLE_TEXT_MAX], raffle_error *err);
/* The host as it is lent to stores and keys that the raffle's handle keeps: it is released once, with the handle. */
raffle_rc rf_lend_host(raffle_host *lent, const raffle_host *host, raffle_error *err);

/* What every public call begins with: RAFFLE_MISUSE for NULL, RAFFLE_FORKED in a child. */
raffle_rc rf_enter(const raffle *r, raffle_error *err);
/* The same for calls that write: RAFFLE_KEY without keys, RAFFLE_AWAY at a till, RAFFLE_HALTED, RAFFLE_HISTORY; catches up with the control log. */
raffle_rc rf_enter_write(raffle *r, raffle_error *err);
/* RAFFLE_AWAY at a till. */
raffle_rc rf_not_at_till(const raffle *r, raffle_error *err);
/* The same for those that may write to a unit alone: also at its till. */
raffle_rc rf_enter_unit_write(raffle *r, raffle_error *err);
/* The ticket key K into secure memory, wiped by the caller. */
raffle_rc rf_raffle_ticket_key(raffle *r, uint8_t k[32], raffle_error *err);
/* The ticket key K_u of a unit: what a till has of its own, anybody else from K. `ku` is secure memory. */
raffle_rc rf_raffle_unit_ticket_key(raffle *r, uint32_t unit, uint8_t ku[32], raffle_error *err);
/* SHA-256("libraffle/unit-key/v1" || 0 || K_u), as it stands in unit.enrol. */
void rf_unit_key_commitment(rf_sha256 *hash, const uint8_t ku[32], uint8_t out[32]);
/* What the control log says of a unit. RAFFLE_NOT_FOUND. */
raffle_rc rf_unit_row_get(raffle *r, uint32_t number, rf_unit_row *row, raffle_error *err);
/* Makes a key that is not there. */
raffle_rc rf_raffle_make_key(raffle *r, const char *name, raffle_error *err);
/* How long a call without a timeout may wait. */
int32_t rf_timeout(const raffle *r);

/* The unit with this number: RAFFLE_NOT_FOUND when none was enrolled. The raffle's, valid as long as it. Opened without a lock. */
raffle_rc rf_unit_get(raffle *r, uint32_t number, rf_unit **out, raffle_error *err);
/* The same when it is open already, else NULL. */
rf_unit *rf_unit_opened(raffle *r, uint32_t number);
/* A copy of the unit's state after catching up: of committed records alone. */
raffle_rc rf_unit_current(rf_unit *u, rf_unit_state *state, raffle_error *err);

/* The time for the next record of a log whose newest record is of `last_at` (design section 7). `last_clock` and `last_monotonic` are the log's
 * readings. `reset`: the record is an event clock.reset. */
raffle_rc rf_clock_next(raffle *r, int64_t last_at, int64_t *last_clock, int64_t *last_monotonic, bool reset,
                        int64_t *at, raffle_error *err);
/* What follows from a reading of `now` alone. */
raffle_rc rf_clock_read(raffle *r, int64_t *now, raffle_error *err);

/* Checks an actor that a caller handed in, into `out`. */
raffle_rc rf_actor_in(raffle_actor *out, const raffle_actor *by, const char *name, raffle_error *err);
/* And a second approver, who must be somebody else. `ok` may be NULL: then out->struct_size is 0. */
raffle_rc rf_approver_in(raffle_actor *out, const raffle_actor *ok, const raffle_actor *by, raffle_error *err);

/* --- tell.c: the operator's log; never with a lock held, nor while a log is led --- */

/* One line, as it is. */
void rf_tell(const raffle *r, int32_t level, const char *line);
/* What happened to a log and was not told yet. `log` may be NULL. */
void rf_tell_log(const raffle *r, rf_log *log);

/* --- control.c: appending to the control log --- */

enum {
    RF_PRIVATE_ROOM = 4096 /* bytes of the private part of any record but a sale */
};

/* Records that go into the control log together. `make` fills record `i` (its at, by, ok, p and type's own members set), with the index it will
 * have, or says by RAFFLE_NOT_FOUND that there are no more; it runs under the control lock, with the state as it is after the records before. */
typedef struct rf_control_op {
    raffle *raffle;
    const raffle_actor *by, *ok; /* ok: NULL, or with struct_size 0, for none */
    const char *text;            /* private text, or NULL */
    const char *keys;            /* private: where the keys are */
    const char *seller;          /* private: whose money was counted, or NULL */
    const rf_private *more;      /* optional: what else the private part has */
    raffle_rc (*make)(void *ctx, size_t i, rf_record *record, raffle_error *err);
    /* Optional: what else goes into the same transaction, before; then `make` may have no record at all. */
    raffle_rc (*first)(void *ctx, rf_txn *txn, raffle_error *err);
    void *ctx;
    bool reset;       /* an event clock.reset */
    bool signed_note; /* a checkpoint over exactly these records is kept with them */
    uint64_t index;   /* out: of the first record */
} rf_control_op;

raffle_rc rf_control_append(rf_control_op *op, raffle_error *err);
/* Folds the first `size` records of the control log into a state of the caller's, to be cleared by rf_control_clear(). */
raffle_rc rf_control_refold(raffle *r, uint64_t size, rf_control *control, raffle_error *err);
/* The callbacks of the control log. */
rf_log_fold rf_control_fold(raffle *r);
/* One record, of an op without `make`; and the same by a plain function. */
raffle_rc rf_control_put(rf_control_op *op, const rf_record *record, uint64_t *index, raffle_error *err);
raffle_rc rf_control_one(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *text,
                         const rf_record *record, uint64_t *index, raffle_error *err);

/* One record about money that was counted; `seller` and `text` may be NULL. */
raffle_rc rf_control_cash(raffle *r, const raffle_actor *by, const char *seller, const char *text,
                          const rf_record *record, raffle_error *err);

/* The first record of all. */
raffle_rc rf_control_open(raffle *r, const raffle_actor *by, const char *keys, const rf_record *record,
                          raffle_error *err);

/* The checkpoint of a log, signed with its key; `note` has RF_NOTE_MAX bytes. */
raffle_rc rf_control_checkpoint(raffle *r, char *note, size_t *length, uint64_t *size, raffle_error *err);
/* After a commit of records with a note: RAFFLE_UNKNOWN says that `what` is written and the anchor is not; rf_enter_write() tries it again. */
raffle_rc rf_control_anchor(raffle *r, const char *what, raffle_error *err);
raffle_rc rf_unit_checkpoint(rf_unit *u, char *note, size_t *length, uint64_t *size, raffle_error *err);

#endif
