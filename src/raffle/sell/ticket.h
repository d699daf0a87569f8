/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets read back from their records. */
#ifndef RF_RAFFLE_TICKET_H
#define RF_RAFFLE_TICKET_H

#include "raffle_impl.h"

/* A sale as it stands in the log, with what its private part still says. */
typedef struct rf_sold {
    raffle_ticket ticket;
    bool has_private;
    int64_t line, lines;
    char buyer[RAFFLE_NAME_SIZE], payment[RAFFLE_NAME_SIZE];
} rf_sold;

/* The sales `index` … `index + n - 1` of a unit's log, with whether they are void. RAFFLE_NOT_FOUND: one of them is no sale. */
raffle_rc rf_sold_read(raffle *r, uint32_t unit, uint64_t index, size_t n, rf_sold *sold, raffle_error *err);
/* The sale that a draw number belongs to, found by interpolation over `n` among the first `size` records. RAFFLE_NOT_FOUND. */
raffle_rc rf_sold_by_number(raffle *r, uint32_t unit, uint64_t number, uint64_t size, rf_sold *sold, raffle_error *err);
/* Whether a ticket is void, and by which record. `*log` 0: the control log. */
raffle_rc rf_void_find(raffle *r, uint32_t unit, uint64_t serial, bool *is_void, uint32_t *log, uint64_t *index,
                       raffle_error *err);
/* Where an order key was sold first. RAFFLE_NOT_FOUND. */
raffle_rc rf_order_find(raffle *r, const char *order, uint32_t *log, uint64_t *index, raffle_error *err);
/* That a sale which an order's key names is one of that order, as far as its private part still says: the table of keys is a cache, and no reason to
 * show somebody the ticket of another. RAFFLE_CORRUPT. */
raffle_rc rf_sold_check_order(const rf_sold *sold, const char *order, raffle_error *err);
/* Counts a validation number that failed, and writes them as one event a minute (design section 11). */
void rf_validation_failed(raffle *r);
/* The ticket that a validation number is of. RAFFLE_INVALID: mistyped, or of another raffle. Does not count failures. */
raffle_rc rf_validation_find(raffle *r, const char *validation, rf_sold *sold, raffle_error *err);

#endif
