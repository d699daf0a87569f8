/* SPDX-License-Identifier: Apache-2.0 */
/* Sales units (GLI: RSU): enrolled, enabled, disabled, closed; each owns one log. */
#ifndef RAFFLE_UNIT_H
#define RAFFLE_UNIT_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* What a new unit is to be. */
typedef struct raffle_unit_options {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t quota;              /* the most draw numbers it may sell; 0: no limit */
    char name[RAFFLE_NAME_SIZE]; /* unlike that of the others */
    /* Of a till elsewhere (till.h), which needs a quota; else zero. */
    int32_t away;                  /* 0 or 1: its log is in a store of its own, and comes here by uploads */
    uint32_t hours;                /* for which it may sell after it last heard from the raffle; 0: no limit */
    char key[RAFFLE_VKEY_SIZE];    /* its public key, and … */
    char proof[RAFFLE_PROOF_SIZE]; /* … the proof that it has it: raffle_unit_apply() */
} raffle_unit_options;
RAFFLE_API void raffle_unit_options_init(raffle_unit_options *options, size_t size);

/* Enrols the next unit, with a key of its own (made here, or a till's), disabled (GLI-31 6.1.3), and stores its number, 1, 2, …. RAFFLE_EXISTS: a unit has this
 * name, and `*number` is its. A seal that is final ends enrolment: RAFFLE_CLOSED. Of a till elsewhere: RAFFLE_MISMATCH, its key is that of
 * another unit than the next one; RAFFLE_INVALID, RAFFLE_SIGNATURE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_enrol(raffle *raffle_, const raffle_actor *by,
                                                        const raffle_unit_options *options, uint32_t *number,
                                                        raffle_error *err);
/* Enabled units sell. RAFFLE_CLOSED: the unit was closed, and is never enabled again (GLI-31 2.6.2). RAFFLE_EXISTS: it is enabled. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_enable(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                         raffle_error *err);
/* A disabled unit is refused by every sale that begins later, in every process. `reason` is a word, kept in the log. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_disable(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                          const char *reason, raffle_error *err);
/* Replaces the quota; not below what was sold: RAFFLE_LIMIT. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_quota(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                        uint64_t quota, raffle_error *err);
/* Takes a unit out for good; only one that never sold, else RAFFLE_SEQUENCE. One that may sell is disabled first, with the reason "unenrol", and stays so if it sold just then. One that is away and uploaded nothing may have sold: nothing of it is taken
 * afterwards, and the seal needs a second approver. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_unenrol(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                          raffle_error *err);

/* A handle to sell through. Freed by raffle_unit_free(); several handles to one unit share its log. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_open(raffle *raffle_, uint32_t number, raffle_unit **out,
                                                       raffle_error *err);
RAFFLE_API void raffle_unit_free(raffle_unit *unit);

/* Ends the unit's log: folds its records again, and writes `unit.close` with the totals. RAFFLE_STATE_DIFFERS: they are not those kept; the unit
 * is then halted. RAFFLE_CLOSED: it is closed. RAFFLE_BUSY: sales came in again and again while it was folded: disable it, or call again. The final seal closes every unit of this store by itself.
 * raffle_unit_close_receipt() gives what proves it. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_close(raffle_unit *unit, const raffle_actor *by, raffle_error *err);

enum {
    RAFFLE_CLOSE_RECEIPT_MAX = 8192 /* bytes of the longest receipt of a close; usual ones have 550 to 1,600 */
};

/* The receipt of a unit's close (GLI-31 2.6.2): text, docs/spec/receipts.md, NUL-ended; a C2SP tlog-proof of its `unit.close` under the unit's signed
 * checkpoint, which ends in it. At the till, and at the raffle once the close was uploaded. RAFFLE_CLOSE_RECEIPT_MAX + 1 bytes always suffice, else RAFFLE_TOO_SMALL,
 * and `*length` says what is needed, the NUL left out. Takes the checkpoint that is kept when it covers the close, and signs one when not: RAFFLE_KEY when
 * the raffle was opened without keys. RAFFLE_SEQUENCE: the unit is not closed. RAFFLE_NOT_FOUND: there is no such unit. The receipt is verified before it is
 * given: RAFFLE_CORRUPT, RAFFLE_PROOF or RAFFLE_SIGNATURE when the store does not bear it out. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_close_receipt(raffle *raffle_, uint32_t number, char *out, size_t cap,
                                                                size_t *length, raffle_error *err);

/* What a good receipt of a close says: all that the unit wrote. Voids in the control log, of its tickets by others, are not among its own. */
typedef struct raffle_unit_close_info {
    uint32_t struct_size;
    uint32_t unit;
    char origin[RAFFLE_ORIGIN_SIZE]; /* the raffle's */
    uint64_t size;                   /* records of its log, the close being the last, … */
    uint8_t root[32];                /* … and their root */
    int64_t at;                      /* when it was closed */
    uint64_t tickets;                /* void ones included, as in what follows */
    uint64_t numbers;
    int64_t gross;
    uint64_t voids; /* tickets, draw numbers and price of the void ones */
    uint64_t void_numbers;
    int64_t void_gross;
} raffle_unit_close_info;
#define RAFFLE_UNIT_CLOSE_INFO_INIT RAFFLE_INIT_OF(raffle_unit_close_info)
RAFFLE_API void raffle_unit_close_info_init(raffle_unit_close_info *info, size_t size);

/* Verifies it, without a store or a network. `unit_key` is the unit's vkey, from somebody you trust: the only trust. `info` (optional) is filled when all of it
 * holds. RAFFLE_INVALID: it is none, err->detail is the line; or the key is no unit's. RAFFLE_LIMIT: longer than RAFFLE_CLOSE_RECEIPT_MAX. RAFFLE_MISMATCH: it
 * proves another record, or the log goes on after it. RAFFLE_SIGNATURE: its checkpoint is another unit's, not signed by the key, or by somebody else, too.
 * RAFFLE_PROOF: the proof does not hold, or has not exactly the length that it must have. RAFFLE_CORRUPT: what is proved is no record, or has totals that cannot be. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_close_verify(const char *receipt, size_t length, const char *unit_key,
                                                               raffle_unit_close_info *info, raffle_error *err);

/* How a unit stands. */
typedef struct raffle_unit_info {
    uint32_t struct_size;
    uint32_t number;
    char name[RAFFLE_NAME_SIZE];
    char key[RAFFLE_VKEY_SIZE]; /* public key as a vkey */
    int32_t enabled;
    int32_t closed;
    int32_t unenrolled;
    int32_t halted;   /* damaged, or behind its anchor: read only */
    uint64_t quota;   /* 0: no limit */
    uint64_t size;    /* records */
    uint64_t tickets; /* as in raffle_info */
    uint64_t numbers;
    uint64_t voids;
    int64_t gross;
    int64_t void_gross;
    int64_t last_at;       /* time of the newest record; 0: none */
    int32_t away;          /* its log is in a store of its own: till.h */
    uint32_t hours;        /* then, for which it sells by itself; 0: no limit */
    int64_t heard;         /* when the control log last spoke of it so that these hours began anew */
    uint64_t synced;       /* records that it uploaded */
    uint64_t twice;        /* orders of those that another unit sold, too */
    uint64_t left_numbers; /* draw numbers, and … */
    int64_t
        left_gross; /* … money, of what the final seal left out and is in the store since; up to its quota more may be out */
    int32_t unreconciled; /* the final seal took less than all its sales */
    int32_t reserved;
    uint64_t printed;  /* draw numbers that have counterfoils: the first ones */
    uint64_t failures; /* validations that failed since it was enabled, or one passed */
    int64_t seen;      /* when one passed, or it was enabled */
} raffle_unit_info;
#define RAFFLE_UNIT_INFO_INIT RAFFLE_INIT_OF(raffle_unit_info)
RAFFLE_API void raffle_unit_info_init(raffle_unit_info *info, size_t size);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_describe(raffle *raffle_, uint32_t number, raffle_unit_info *info,
                                                           raffle_error *err);

/* Whoever talks to the units validates them, and says here how it went (GLI-31 5.4.2). One that passed is written as the event `unit.seen` when the unit had failed, or nothing was
 * written for half the minutes of the rules' `watch`; one that failed always, as `unit.auth-failed`, and when it fails for as many times as `watch` says, one after
 * the other, the unit is disabled in the same append. `*disabled` (optional) says whether it was. `text`: private, optional. The role needs that for `units`, or is
 * `system`. RAFFLE_NOT_FOUND, RAFFLE_ROLE, RAFFLE_INVALID. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_validated(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                            int32_t passed, const char *text, int32_t *disabled,
                                                            raffle_error *err);
/* To be called now and then: each enabled unit of which nothing was heard for the minutes of the rules' `watch`, neither a validation nor a record, gets an event
 * `unit.silent`, which counts as a validation that failed. `*silent` and `*disabled` (optional): how many did, and were disabled. RAFFLE_UNSUPPORTED: the rules watch nobody. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_units_watch(raffle *raffle_, const raffle_actor *by, uint32_t *silent,
                                                         uint32_t *disabled, raffle_error *err);

RAFFLE_END

#endif
