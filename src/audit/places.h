/* SPDX-License-Identifier: Apache-2.0 */
/* What the fold cannot judge of places: whether a ticket was void when it was verified, and whether a claim period was really over (GLI-31 2.7.1). */
#ifndef RF_AUDIT_PLACES_H
#define RF_AUDIT_PLACES_H

#include "audit_impl.h"

/* A forfeit that nobody approved, because its claim period was over. */
typedef struct rf_lapsed {
    uint64_t index;
    int64_t due; /* the end of the period */
} rf_lapsed;

/* Zeroed: none. */
typedef struct rf_places {
    rf_lapsed *lapsed;
    size_t n, cap;
    int64_t latest; /* time of any record so far */
} rf_places;

/* The next record of the control log, before the fold takes it: `control` is the state until then. The units were checked before. */
raffle_rc rf_places_follow(raffle_audit *a, rf_places *places, const rf_control *control, const rf_record *record,
                           raffle_error *err);
/* The end of the control log: nobody holds a verified place with a void ticket. */
void rf_places_end(raffle_audit *a, const rf_control *control);
void rf_places_clear(rf_places *places);

#endif
