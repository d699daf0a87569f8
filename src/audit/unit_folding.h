/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's log while it is folded, and the verdict on it: check_unit.c and unit_verdict.c. */
#ifndef RF_AUDIT_UNIT_FOLDING_H
#define RF_AUDIT_UNIT_FOLDING_H

#include "audit_impl.h"
#include "buyers.h"
#include "segment.h"

/* The log that is being folded. */
typedef struct rf_folding {
    raffle_audit *audit;
    rf_unit_frame frame;
    rf_unit_log *log;
    uint32_t number;
    uint64_t index;
    rf_unit_state state;
    rf_tier_count tier[RF_TIERS_MAX]; /* tickets by tier */
    int64_t latest;                   /* time of any record so far */
    bool set_back;                    /* the clock was, once */
    bool late;                        /* a sale after the end of the sales was reported */
    uint64_t barred, first_barred;    /* sales while the unit was not enabled, and the first of them */
    int64_t enabled_from, enabled_to; /* the last such time that a sale was in */
    bool resync;                      /* the record before was refused: the next draw number is taken from this one */
    rf_range range;
    size_t next_mark;
    rf_order_walk walk;
    rf_orders orders;
    rf_buyers buyers;
    rf_segment_frame segments;
} rf_folding;

/* Whether the unit's log lives elsewhere, and learns late what the control log says. */
static inline bool rf_folding_away(const rf_folding *f)
{
    const rf_control *c = &f->audit->control;
    return f->number <= c->units && c->unit[f->number - 1].away;
}

/* check_unit.c: the mark at a size; NULL: nobody named it. */
rf_mark *rf_mark_find(const rf_unit_log *u, uint64_t size);
/* unit_verdict.c: all of the log was folded. */
raffle_rc rf_unit_verdict(rf_folding *f, raffle_error *err);

#endif
