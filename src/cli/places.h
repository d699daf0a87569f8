/* SPDX-License-Identifier: Apache-2.0 */
/* A prize and the places of its result, as people and machines read them. */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

#include "cli.h"

/* "drawn", "verified" … */
const char *place_state_name(int32_t state);
const char *prize_state_name(int32_t state);

/* The prize with its places; or, as JSON, {"prize": {…, "places": […]}}. Says what failed, and returns how the command ends. */
int prize_print(cli *c, const raffle_prize *prize);

/* The prize as JSON; with its places when it is drawn. NULL: c->err says why. */
json_t *prize_json(cli *c, const raffle_prize *prize);

#endif
