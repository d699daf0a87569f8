/* SPDX-License-Identifier: Apache-2.0 */
/* How long the acceptance plan of a lab takes here: 20 collections, 2.7 billion draws, 31.85 billion picks. */
#ifndef CLI_SAMPLE_PLAN_H
#define CLI_SAMPLE_PLAN_H

#include "cli.h"

enum {
    SAMPLE_SEED = 48 /* bytes of the provider that seed a draw */
};

/* Measures each collection for a moment and prints the time that it takes, on one core, before anything is written. */
int sample_plan(cli *c, raffle_rng *rng);

#endif
