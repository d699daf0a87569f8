/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: the frozen prefix of every unit's log that a draw is drawn from, and the acknowledgement of its voids. */
#ifndef RAFFLE_SEAL_H
#define RAFFLE_SEAL_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_SEAL_EARLY = 1, /* for the prizes whose seal is early; selling goes on */
    RAFFLE_SEAL_FINAL = 2  /* closes every unit first */
};

typedef struct raffle_seal_info {
    uint32_t struct_size;
    int32_t kind;   /* RAFFLE_SEAL_… */
    uint64_t index; /* of the `seal` record in the control log: the seal's name */
    int64_t at;
    uint32_t units;
    uint32_t unreconciled; /* units that entered with less than all their sales */
    uint64_t tickets;      /* sold, void ones included */
    uint64_t numbers;
    uint64_t voids; /* tickets that were void at the seal */
    int64_t gross;
    int64_t void_gross;
    int32_t acknowledged;
    int32_t reserved;
} raffle_seal_info;
#define RAFFLE_SEAL_INFO_INIT RAFFLE_INIT_OF(raffle_seal_info)
RAFFLE_API void raffle_seal_info_init(raffle_seal_info *info, size_t size);

/* Folds every unit's records again, compares, and writes the seal. `info` (optional) gets it. RAFFLE_STATE_DIFFERS, RAFFLE_SEQUENCE (no prize waits for
 * an early seal), RAFFLE_CLOSED (the final seal is there), RAFFLE_DRAW_OPEN, RAFFLE_UNRECONCILED: a unit is damaged or behind its anchor,
 * or is away and has not closed and uploaded all, or uploaded orders that were sold twice; the sentence names each. With `ok` (optional), a second approver
 * whose role may, the seal goes on without what is missing. RAFFLE_CORRUPT: a unit was found damaged by
 * this call, and the next takes it for unreconciled; but for one that is away, of which no seal takes less than it uploaded: that store is to be
 * restored first. RAFFLE_LIMIT: the sums are more than a record can say. RAFFLE_BUSY: sales, voids or uploads came in again and again meanwhile: call again. RAFFLE_UNKNOWN: the seal is written,
 * `info` filled, and the anchor is not; the next call that writes tries it again, so that calling this again gives RAFFLE_CLOSED once all is well. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_seal(raffle *raffle_, const raffle_actor *by, const raffle_actor *ok,
                                                  int32_t kind, raffle_seal_info *info, raffle_error *err);

/* The event manager's word that the voids of a seal are reconciled; no draw before it (GLI-31 2.6.3). `seal`: its index. RAFFLE_NOT_FOUND
 * (it is not the newest of its kind), RAFFLE_EXISTS, RAFFLE_ROLE, RAFFLE_UNKNOWN (it is written, and the anchor is not: call it again). */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_voids_ack(raffle *raffle_, const raffle_actor *by, uint64_t seal,
                                                       raffle_error *err);

/* The newest seal of a kind. RAFFLE_NOT_SEALED. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_seal_latest(raffle *raffle_, int32_t kind, raffle_seal_info *info,
                                                         raffle_error *err);

RAFFLE_END

#endif
