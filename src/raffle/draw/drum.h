/* SPDX-License-Identifier: Apache-2.0 */
/* The drum: which ticket each element of the permutation is, and who of them wins (design section 9, steps 8 to 10; GLI-31 4.4.1). The live draw and the
 * audit call it, with their own knowledge of voids. */
#ifndef RF_RAFFLE_DRUM_H
#define RF_RAFFLE_DRUM_H

#include "fold_drum.h"
#include "select.h"
#include "store.h"

typedef struct rf_drum {
    raffle_store *store;
    const rf_control *control; /* as it is at the draw */
    int prize;
    /* Whether a ticket was void at the seal. */
    raffle_rc (*is_void)(void *ctx, uint32_t unit, uint64_t serial, bool *out, raffle_error *err);
    void *ctx;
} rf_drum;

typedef struct rf_drawn {
    size_t winners, alternates; /* `winners + alternates` places */
    rf_place *place;
    uint64_t skipped_void, skipped_not_entered, skipped_barred, rejected;
    uint8_t skips
        [32]; /* SHA-256 over the skipped: a byte for the reason (1 void, 2 not entered, 3 barred), u16be(unit), u40be(number) each */
} rf_drawn;

/* Walks the permutation. The result is cleared by rf_drawn_clear(). */
raffle_rc rf_drum_draw(const rf_drum *drum, rf_select *permutation, rf_drawn *drawn, raffle_error *err);
void rf_drawn_clear(rf_drawn *drawn);

/* What becomes of one number that is called in a drum draw (GLI-31 2.6.4), judged by the open intent's seal and the places so far. `control` is as it is then. */
typedef struct rf_call {
    rf_place place; /* the serial is 0 when it was not sold */
    rf_outcome outcome;
} rf_call;
raffle_rc rf_drum_call(const rf_drum *drum, uint32_t unit, uint64_t number, rf_call *call, raffle_error *err);

/* What the permutation follows from. */
typedef struct rf_draw_input {
    const char *origin;
    uint64_t intent;       /* its index, */
    const uint8_t *root;   /* and the control log's root over it: 32 bytes */
    const uint8_t *seed;   /* E: RF_SEED_SIZE bytes */
    const uint8_t *beacon; /* B: RF_BEACON_SIZE bytes, or NULL in a random draw */
    uint64_t numbers;
} rf_draw_input;

/* The whole of step 4 to 10: the permutation, and its walk. */
raffle_rc rf_drum_run(const rf_drum *drum, const rf_draw_input *input, rf_drawn *drawn, raffle_error *err);

#endif
