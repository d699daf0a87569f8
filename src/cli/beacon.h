/* SPDX-License-Identifier: Apache-2.0 */
/* Where the command gets the value of a beacon's round, and what verifies it: files, servers and other programs. */
#ifndef CLI_BEACON_H
#define CLI_BEACON_H

#include "cli.h"

/* The value of a round from `source`: an http(s):// address of a drand server; a file; or else a command, which gets the round as its last argument.
 * The file, or what the command prints, is the JSON that drand's servers publish. Returns how the command ends. */
int beacon_get(cli *c, const char *source, uint64_t round, uint8_t value[RAFFLE_BEACON_SIZE]);

/* The command that verifies: the value of --beacon-verifier, or RAFFLE_BEACON_VERIFIER; NULL: neither. */
const char *beacon_verifier(const cli *c);
/* A raffle_beacon_verify whose `ctx` points to such a command, a const char *. It gets the round and the value in hexadecimal as its last arguments; it exits with 0 for a good
 * value, with 1 for a bad one, and with anything else when it could not find out. */
raffle_rc beacon_verify(void *ctx, uint64_t round, const uint8_t value[RAFFLE_BEACON_SIZE], raffle_error *err);

#endif
