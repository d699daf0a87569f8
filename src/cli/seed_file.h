/* SPDX-License-Identifier: Apache-2.0 */
/* The file in which the command keeps the secret seed of a committed draw, from before its intent until its result. */
#ifndef CLI_SEED_FILE_H
#define CLI_SEED_FILE_H

#include "cli.h"

enum {
    SEED_SIZE = 48
};

typedef struct kept_seed {
    uint8_t seed[SEED_SIZE];
    char provider[RAFFLE_NAME_SIZE]; /* who gave it, for the draw of which prize of which raffle */
    char origin[RAFFLE_ORIGIN_SIZE];
    char prize[RAFFLE_WORD_SIZE];
    char evidence[RAFFLE_NAME_SIZE]; /* by what the provider's own records know it, or "" */
} kept_seed;

/* Writes a new file that only its owner can read, durably; one that is there stays as it is, and is a failure. Reads it; `*there` (optional): false,
 * and no failure, when there is none. Each returns how the command ends. */
int seed_file_write(cli *c, const char *path, const kept_seed *kept);
int seed_file_read(cli *c, const char *path, kept_seed *kept, bool *there);
/* Takes the file away: its seed is public, or was refused. Returns how the command ends. */
int seed_file_remove(cli *c, const char *path);

#endif
