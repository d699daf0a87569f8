/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the rules' witnesses to cosign a checkpoint, over the network. */
#ifndef CLI_WITNESSES_H
#define CLI_WITNESSES_H

#include "cli.h"

/* What came of asking one. */
typedef struct witness_answer {
    raffle_witness witness;
    raffle_error err; /* rc RAFFLE_OK: it has cosigned */
    bool asked;
} witness_answer;

enum {
    WITNESSES_MAX = 32
};

/* Asks one after the other for the checkpoint that is kept for `size`; without `all`, until the quorum is there, when it is not there at once. What they answer is in `answers`, of which there
 * are c->info.witnesses. Returns how the command ends: a witness that does not answer is no failure, and whether the quorum is reached is in `*reached`. */
int witnesses_ask(cli *c, uint32_t log, uint64_t size, bool all, witness_answer *answers, bool *reached);

/* The same for an intent, with a line on stderr for each witness that did not cosign. */
int witnesses_for_draw(cli *c, uint64_t intent, bool *reached);

#endif
