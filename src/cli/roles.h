/* SPDX-License-Identifier: Apache-2.0 */
/* The table of roles, for `raffle status`. */
#ifndef CLI_ROLES_H
#define CLI_ROLES_H

#include "cli.h"

/* Prints a line an operation. */
raffle_rc roles_print(cli *c);
/* [{"operation", "roles", "second", "when"}]. */
raffle_rc roles_json(cli *c, json_t *list);

#endif
