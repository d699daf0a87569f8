/* SPDX-License-Identifier: Apache-2.0 */
/* A seal as machines read it. */
#ifndef CLI_CMD_SEAL_H
#define CLI_CMD_SEAL_H

#include "cli.h"

/* "early" or "final". */
const char *seal_name(int32_t kind);

json_t *seal_json(const raffle_seal_info *seal);

#endif
