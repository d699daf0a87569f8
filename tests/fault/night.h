/* SPDX-License-Identifier: Apache-2.0 */
/* A whole small raffle night in steps, each a call or two that may fail and be repeated. */
#ifndef RF_TESTS_NIGHT_H
#define RF_TESTS_NIGHT_H

#include <raffle/ext/host.h>
#include <raffle/raffle.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct night {
    char folder[64];
    char uri[256], keys[80]; /* keys: as they are to be made, or "" for where they are by default */
    raffle_host host;
    raffle_rng *rng;
    raffle *raffle;
    raffle_unit *unit; /* unit 1 */
    raffle_draw *draw;
} night;

typedef struct night_step {
    const char *name;
    raffle_rc (*run)(night *n, raffle_error *err);
    raffle_rc already; /* what the step gives when it was done and nobody knew; RAFFLE_OK: it may be done again */
    bool handle;       /* makes what later steps use, and nothing durable */
} night_step;

extern const night_step night_steps[];
extern const size_t night_step_count;

/* A folder of its own, in memory where there is such a place; and all of it away again. */
void night_begin(night *n);
void night_end(night *n);
/* Opens the raffle that is there, as a new process would. */
raffle_rc night_open(night *n, raffle_error *err);
/* Does a step once more; with `perhaps` it may have been done already. */
raffle_rc night_again(night *n, const night_step *step, bool perhaps, raffle_error *err);
/* Whether the orders of this step can be found; and whether every fact of the night is there, and the audit finds no fault: NULL, or what is wrong. */
bool night_has_sales(night *n, size_t step);
const char *night_check(night *n);

#endif
