/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sales gathered for each unit, in the file's order, and sold up to a thousand tickets at a time. A unit's sales are sold before its actor changes,
 * all of them before a key comes again, so that of an order that was sent twice the first line is the sale.
 */
#ifndef CLI_IMPORT_BATCH_H
#define CLI_IMPORT_BATCH_H

#include "cli.h"
#include "import_line.h"

/* What became of the lines. */
typedef struct import_counts {
    uint64_t lines;    /* that were asked for */
    uint64_t sold;     /* orders */
    uint64_t tickets;  /* of them */
    uint64_t replayed; /* lines that had been done before: the order was sold, or void */
    uint64_t voids;    /* orders taken back */
    uint64_t bad;
} import_counts;

/* Told of each line that could not be done. */
typedef void (*import_bad)(void *ctx, uint64_t line, raffle_rc rc, const char *reason);

typedef struct import_batches import_batches;

import_batches *import_batches_new(cli *c, bool replay, import_counts *counts, import_bad bad, void *ctx);
void import_batches_free(import_batches *b);

/* Each of these returns false when nothing can go on, c->err says why: the store, the keys or the clock failed. */
bool import_add(import_batches *b, const import_line *line);
bool import_flush(import_batches *b);
/* Takes back an order, after everything before it was sold. */
bool import_void(import_batches *b, const import_line *line);

#endif
