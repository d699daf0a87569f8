/* SPDX-License-Identifier: Apache-2.0 */
/* What `raffle draw` does for a committed prize: the seed is kept in a file before the intent, and revealed with the beacon's round after it. */
#ifndef CLI_DRAW_COMMITTED_H
#define CLI_DRAW_COMMITTED_H

#include "cli.h"

/* Takes a seed from the provider into the file in --seed, or the one that is there from the same provider for the same prize, and fills what the intent
 * needs. `*made`: the file is new. */
int committed_options(cli *c, const char *prize, raffle_rng *rng, raffle_draw_options *how, bool *made);
/* After an intent that was refused: takes a new file away again. One whose outcome is not known stays. */
void committed_undo(cli *c, bool made);
/* Waits for the round, gets and verifies it, and writes the result. */
int committed_finish(cli *c, raffle_draw *draw);

#endif
