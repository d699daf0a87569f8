/* SPDX-License-Identifier: Apache-2.0 */
/* A draw's handle, shared by draw.c and draw_finish.c. */
#ifndef RF_RAFFLE_DRAW_IMPL_H
#define RF_RAFFLE_DRAW_IMPL_H

#include "drum.h"
#include "provider.h"
#include "raffle_impl.h"

struct raffle_draw {
    raffle *raffle;
    int prize;
    uint64_t intent;
    raffle_actor by;
    uint8_t *seed; /* in secure memory */
    bool has_seed;
    uint64_t ask;                    /* index of the asking that gave the seed */
    char provider[RAFFLE_NAME_SIZE]; /* that gave the seed */
    char evidence[RAFFLE_NAME_SIZE]; /* by what its own records know the call, or "" */
    size_t note_length, cosigned_length;
    char note[RF_NOTE_MAX + 1];
    char cosigned[RF_NOTE_MAX + 1]; /* the same as it is kept now, with what its witnesses added; for the result */
};

/* Whether the rules allow the provider. RAFFLE_RNG_NOT_PINNED, RAFFLE_REHEARSAL. */
raffle_rc rf_draw_provider(const raffle *r, const raffle_rng *rng, raffle_error *err);

/* After a provider failed: the operator's log is told, and an event `rng.unhealthy` written when its output failed a health test (GLI-31 4.2.2). */
void rf_draw_provider_failed(raffle *r, const raffle_actor *by, const raffle_rng *rng, const raffle_error *why);

/* Writes an event of the draw. `ask`: the asking that it ends, or 0; `index` (optional): the event's own. */
raffle_rc rf_draw_write_event(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *code,
                              const char *provider, uint64_t ask, uint64_t *index, raffle_error *err);

/* Whether a ticket was void at a seal; for rf_drum.is_void. */
typedef struct rf_at_seal {
    raffle *raffle;
    const rf_seal_state *seal;
} rf_at_seal;
raffle_rc rf_void_at_seal(void *ctx, uint32_t unit, uint64_t serial, bool *out, raffle_error *err);

/* That the draw's intent is open. RAFFLE_DRAWN, RAFFLE_NOT_FOUND. */
raffle_rc rf_draw_check_open(const raffle_draw *draw, raffle_error *err);
/* That the witnesses have cosigned the intent's checkpoint, which is read anew: with times before somebody can know the outcome, or `late`. RAFFLE_QUORUM. */
raffle_rc rf_draw_witnessed(raffle_draw *draw, bool late, raffle_error *err);
/* That this checkpoint is over exactly the records up to the intent; and their root. */
raffle_rc rf_draw_check_note(const raffle_draw *draw, uint8_t root[32], raffle_error *err);
/* The end of a drum draw. */
raffle_rc rf_draw_finish_drum(raffle_draw *draw, const raffle_rng *rng, const raffle_finish_options *options,
                              raffle_error *err);

#endif
