/* SPDX-License-Identifier: Apache-2.0 */
/* Order keys are unique in a raffle (design section 7): eight bytes of keyed hash an order, and those that are equal are looked at again. */
#ifndef RF_AUDIT_ORDERS_H
#define RF_AUDIT_ORDERS_H

#include "faults.h"
#include "segment.h"

typedef struct rf_orders {
    uint64_t *print;
    size_t n, cap;
} rf_orders;

/* Where the lines of an order stand, while a unit's log is walked. Zeroed at first. */
typedef struct rf_order_walk {
    uint64_t print;
    uint32_t next, lines; /* 0 of 0: no order is open */
    bool unknown;         /* the record before had no private part */
} rf_order_walk;

/* The next record of a unit's log is a sale whose private part is there. RAFFLE_NOMEM. */
raffle_rc rf_orders_add(rf_orders *orders, rf_order_walk *walk, rf_faults *faults, uint32_t log, uint64_t index,
                        const rf_brief *brief, raffle_error *err);
/* It is one that nothing is known of: it may be a line of any order. */
void rf_orders_unknown(rf_order_walk *walk);
/* It is something else, or the log's end: no order may be open. */
void rf_orders_end(rf_order_walk *walk, rf_faults *faults, uint32_t log, uint64_t size);
/* Finds the keys that came twice, and reads the logs again for where. Leaves the list empty. Of units that are away as many are no fault as the
 * control log says. */
raffle_rc rf_orders_check(rf_orders *orders, const rf_segment_frame *frame, const uint64_t *size, size_t logs,
                          const rf_control *control, rf_faults *faults, raffle_error *err);
void rf_orders_clear(rf_orders *orders);

/* Moves the prints that occur more than once to the front, each once; returns their number, and adds to `*extra` how often one came again. At
 * most `cap` are moved. Exposed for its test. */
size_t rf_prints_twice(uint64_t *print, size_t n, size_t cap, uint64_t *extra);

#endif
