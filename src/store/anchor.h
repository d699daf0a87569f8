/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anchor file: what was last seen of each log, kept outside the store, so that a restored copy of the store is found out
 * (design §13). A header line, then two slots of 512 bytes a log, written in turn, each with a checksum: a torn write leaves
 * the older value.
 */
#ifndef RF_STORE_ANCHOR_H
#define RF_STORE_ANCHOR_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct rf_anchor rf_anchor;

/* Takes note of the path, an absolute one; the file is opened for each call, and made by the first put. */
raffle_rc rf_anchor_new(const char *path, rf_anchor **out, raffle_error *err);
void rf_anchor_free(rf_anchor *anchor);

/* RAFFLE_NOT_FOUND when nothing was kept, RAFFLE_MISMATCH for another raffle's anchor, RAFFLE_CORRUPT when both slots are damaged. */
raffle_rc rf_anchor_get(rf_anchor *anchor, const char *origin, uint32_t log, uint64_t *size, uint8_t root[32],
                        raffle_error *err);

/* RAFFLE_HISTORY when it saw records of the raffle's control log already: a raffle whose store is lost is put back, and not made anew. */
raffle_rc rf_anchor_unseen(rf_anchor *anchor, const char *origin, raffle_error *err);

/* A smaller size changes nothing. The same size with another root is RAFFLE_HISTORY. `durable`: the disk has it on return. */
raffle_rc rf_anchor_put(rf_anchor *anchor, const char *origin, uint32_t log, uint64_t size, const uint8_t root[32],
                        bool durable, raffle_error *err);

#endif
