/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment: up to 2^14 records of a unit's log, read and checked on their own by any thread, and handed on as little as the fold needs. It begins
 * at a multiple of its size, so that its nodes are nodes of the log's tree.
 */
#ifndef RF_AUDIT_SEGMENT_H
#define RF_AUDIT_SEGMENT_H

#include "leaf.h"
#include "merkle.h"
#include "published.h"
#include "sale.h"
#include "store.h"

enum {
    RF_SEGMENT_LEVEL = 14,
    RF_SEGMENT_SIZE = 1 << RF_SEGMENT_LEVEL,
    RF_SEGMENT_NODES = RF_SEGMENT_SIZE >> (RF_NODE_LEVEL_MIN - 1) /* more than those that are kept */
};

typedef enum rf_brief_kind {
    RF_BRIEF_SALE,
    RF_BRIEF_FULL, /* the leaf's bytes are in the segment: `n` says where, `count` how many */
    RF_BRIEF_LOST  /* missing or damaged: nothing is known of it */
} rf_brief_kind;

/* What the fold needs of a record. */
typedef struct rf_brief {
    uint64_t order; /* keyed hash of the order key, */
    uint64_t buyer; /* and of the buyer's tag; 0: there is none */
    int64_t at, n, price;
    uint32_t count;
    uint16_t line, lines;
    uint8_t kind, by, tier;
    bool has_order;
} rf_brief;

/* What all segments share. */
typedef struct rf_segment_frame {
    raffle_store *store;
    const rf_rules *rules; /* NULL: not known; sales are then handed on whole */
    uint8_t order_key[16];
    bool withheld; /* of a published copy without records: its leaf hashes are all that is read */
} rf_segment_frame;

/* A size at which the log's root is wanted, and the segment's part of it. */
typedef struct rf_cut {
    uint64_t size;
    rf_range range;
} rf_cut;

typedef struct rf_segment {
    const rf_segment_frame *frame;
    uint32_t log;
    uint64_t from, to; /* records [from, to) */
    raffle_rc rc;
    raffle_error error;
    rf_faults faults;
    uint64_t private_missing;
    rf_range range; /* of the records [from, to) alone */
    size_t cuts;    /* wanted: sizes in (from, to), ascending */
    rf_cut *cut;
    rf_brief *brief; /* RF_SEGMENT_SIZE of them */
    char *leaves;    /* of full records */
    size_t leaves_length, leaves_cap;
    bool ended; /* `to` was taken back: the log holds less than its head says */
} rf_segment;

/* What a thread works with. */
typedef struct rf_segment_worker rf_segment_worker;
rf_segment_worker *rf_segment_worker_new(void);
void rf_segment_worker_free(rf_segment_worker *w);

/* Reads and checks. A store that cannot be read is left in `rc` and `error`. */
void rf_segment_run(rf_segment_worker *w, rf_segment *segment);

/* The keyed hash of an order key as it stands between its quotes. */
uint64_t rf_order_print(const uint8_t key[16], const char *order, size_t length);

#endif
