/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets of each buyer, where the rules limit them: eight bytes of keyed hash a ticket, and where it stands. What was erased is not counted. */
#ifndef RF_AUDIT_BUYERS_H
#define RF_AUDIT_BUYERS_H

#include "faults.h"
#include <stddef.h>

typedef struct rf_bought {
    uint64_t print, index;
    uint32_t log;
} rf_bought;

/* Zeroed: none. */
typedef struct rf_buyers {
    rf_bought *list;
    size_t n, cap;
} rf_buyers;

/* A ticket of the buyer with this print. RAFFLE_NOMEM. */
raffle_rc rf_buyers_add(rf_buyers *buyers, uint64_t print, uint32_t log, uint64_t index, raffle_error *err);
/* Reports each buyer with more than `limit` tickets, at the first that is too many: those of lower units and serials count first. Void ones count. */
void rf_buyers_check(rf_buyers *buyers, uint64_t limit, rf_faults *faults);
void rf_buyers_clear(rf_buyers *buyers);

#endif
