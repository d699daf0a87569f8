/* SPDX-License-Identifier: Apache-2.0 */
/* A draw's handle, shared by draw.c and draw_finish.c. */
#ifndef RF_RAFFLE_DRAW_IMPL_H
#define RF_RAFFLE_DRAW_IMPL_H

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

#endif
