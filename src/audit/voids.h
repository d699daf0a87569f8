/* SPDX-License-Identifier: Apache-2.0 */
/* The voids of one unit, from its own log and from the control log: each ticket once, each of a sale, with a key each; and what a seal says of them. */
#ifndef RF_AUDIT_VOIDS_H
#define RF_AUDIT_VOIDS_H

#include "faults.h"
#include "fold.h"
#include "store.h"

typedef struct rf_void {
    uint64_t serial;
    uint64_t index; /* of the record that says so … */
    uint32_t log;   /* … in this log: 0, or the unit */
    int32_t tier;   /* of its sale, which is known after rf_voids_check(); -1: there is none */
    uint32_t count;
    int64_t price, at;
} rf_void;

/* Zeroed: none. */
typedef struct rf_voids {
    rf_void *list;
    size_t n, cap;
} rf_voids;

raffle_rc rf_voids_add(rf_voids *voids, const rf_void *one, raffle_error *err);
void rf_voids_clear(rf_voids *voids);

/* Where the voids are checked: `size` records of the unit's log were read, `control_size` of the control log. */
typedef struct rf_void_frame {
    raffle_store *store;
    const rf_rules *rules; /* NULL: they are not known */
    uint32_t unit;
    uint64_t size, control_size;
    rf_faults *faults;
    int64_t doubt_ms; /* by which a void of the control log may be earlier than its sale, as clocks differ */
} rf_void_frame;

/* Sorts them by serial, reports those that come twice and keeps the first of them; compares each with its sale and its key, and the keys with them. */
raffle_rc rf_voids_check(const rf_void_frame *frame, rf_voids *voids, raffle_error *err);

/* The record that made a ticket void, or NULL. */
const rf_void *rf_voids_find(const rf_voids *voids, uint64_t serial);
/* Whether a ticket was void when `size` records of its unit and `control` of the control log counted. */
bool rf_voids_have(const rf_voids *voids, uint64_t serial, uint64_t size, uint64_t control);

/* How many of those that count are of each tier, added to `count`. */
void rf_voids_tiers(const rf_voids *voids, uint64_t size, uint64_t control, rf_tier_count *count);
/* The number, sums and void_root (design section 8) of those that count, into the members of `sum`. */
void rf_voids_sum(const rf_voids *voids, uint64_t size, uint64_t control, rf_sha256 *hash, rf_seal_unit *sum);

#endif
