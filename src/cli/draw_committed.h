/* SPDX-License-Identifier: Apache-2.0 */
/* What `raffle draw` does for a committed prize: the seed is kept in a file before the intent, and revealed with the beacon's round after it. */
#ifndef CLI_DRAW_COMMITTED_H
#define CLI_DRAW_COMMITTED_H

#include "cli.h"

/* Takes a seed from the provider into the file in --seed, or the one that is there, and fills what the intent needs. */
int committed_options(cli *c, raffle_rng *rng, raffle_draw_options *how);
/* Waits for the round, gets and verifies it, and writes the result. */
int committed_finish(cli *c, raffle_draw *draw);

#endif
