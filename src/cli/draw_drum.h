/* SPDX-License-Identifier: Apache-2.0 */
/* What `raffle draw` does for a prize that is drawn from a drum: calls the numbers that were drawn by hand, and ends the draw. */
#ifndef CLI_DRAW_DRUM_H
#define CLI_DRAW_DRUM_H

#include "cli.h"

/* Calls the numbers among the positionals from the third on, in their order, and prints what became of each. */
int drum_calls(cli *c, raffle_draw *draw);
/* Ends the draw when every place is taken, or with --finish; `*ended` says whether it did. */
int drum_end(cli *c, raffle_draw *draw, bool *ended);

#endif
