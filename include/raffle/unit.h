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
/* Takes a unit out for good; only one that never sold, else RAFFLE_SEQUENCE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_unenrol(raffle *raffle_, const raffle_actor *by, uint32_t number,
                                                          raffle_error *err);

/* A handle to sell through. Freed by raffle_unit_free(); several handles to one unit share its log. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_open(raffle *raffle_, uint32_t number, raffle_unit **out,
                                                       raffle_error *err);
RAFFLE_API void raffle_unit_free(raffle_unit *unit);

/* Ends the unit's log: folds its records again, and writes `unit.close` with the totals. RAFFLE_STATE_DIFFERS: they are not those kept; the unit
 * is then halted. RAFFLE_CLOSED: it is closed. The final seal closes every unit of this store by itself. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_close(raffle_unit *unit, const raffle_actor *by, raffle_error *err);

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
} raffle_unit_info;
#define RAFFLE_UNIT_INFO_INIT RAFFLE_INIT_OF(raffle_unit_info)
RAFFLE_API void raffle_unit_info_init(raffle_unit_info *info, size_t size);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_describe(raffle *raffle_, uint32_t number, raffle_unit_info *info,
                                                           raffle_error *err);

RAFFLE_END

#endif
