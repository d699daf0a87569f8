/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of an audit share. */
#ifndef RF_AUDIT_AUDIT_IMPL_H
#define RF_AUDIT_AUDIT_IMPL_H

#include "fold.h"
#include "notes.h"
#include "orders.h"
#include "promises.h"
#include "published.h"
#include "stamps.h"
#include "syncs.h"
#include "voids.h"

/* What a `seal.unit` record says, to be compared with the unit's log. */
typedef struct rf_sealed {
    rf_seal_unit says;
    uint64_t index; /* in the control log */
    int64_t at;
    uint64_t first;      /* of its run */
    int32_t kind;        /* of its seal; 0: the run was not finished, and counts for nothing */
    rf_tier_count *tier; /* tickets by tier; NULL: it does not say */
} rf_sealed;

/* What is known of a unit's log at a size that somebody named. */
typedef struct rf_mark {
    uint64_t size;
    bool reached;
    bool has_next;   /* the record behind is there, and */
    int64_t next_at; /* has this time */
    uint8_t root[32];
    rf_unit_state state;
    rf_tier_count *tier; /* tickets by tier, without voids; NULL: no prize asks for them */
} rf_mark;

typedef struct rf_unit_log {
    uint64_t size;
    rf_seen seen;
    rf_signer signer;
    size_t marks;
    rf_mark *mark;       /* ascending */
    rf_tier_count *tier; /* of all marks */
    rf_voids voids;      /* after the unit was checked: sorted, each ticket once */
} rf_unit_log;

/* From when on a unit might sell, or might not. */
typedef struct rf_switch {
    int64_t at;
    bool on;
} rf_switch;

/* What the control log ever allowed a unit, whatever the order; and when. */
typedef struct rf_allowed {
    bool enabled, unenrolled;
    uint64_t numbers; /* the largest quota */
    rf_switch *change;
    size_t changes;
} rf_allowed;

/* Each log has its own time. Two records of different logs that lie closer together may have been written in either order. */
enum {
    RF_DOUBT_MS = 60000,
    RF_SEALING_MS =
        600000 /* from the moment in which a seal takes a unit's records, which it reads all again, to that in which it is written */
};

struct raffle_audit {
    raffle_store *store;
    raffle_audit_options options;
    rf_sha256 *hash;
    char origin[RAFFLE_ORIGIN_SIZE];
    rf_faults faults;
    bool published; /* the store is a published copy … */
    bool withheld;  /* … without the units' entries */
    raffle_verdict verdict;
    raffle_audit_draw *draw;
    size_t draws;
    uint64_t done, total; /* records, for the progress */

    rf_control control; /* at the end of the control log */
    uint8_t root[32];   /* of all that was read of it */
    rf_seen control_seen;
    bool anchored; /* the anchor's root is that of the control log at its size */
    rf_signer signer;
    rf_stamps stamps; /* of a published copy */
    rf_promises promises;
    rf_sealed *sealed;
    size_t seals;
    rf_syncs syncs;
    struct rf_control_void {
        uint32_t unit;
        rf_void is;
    } * control_void; /* in the control log */
    size_t control_voids, control_void_cap;
    rf_allowed *allowed; /* [i]: unit i + 1, of those that were enrolled */
    size_t alloweds;
    bool set_back; /* the control log's clock: its times tell nothing about the units' */
    size_t units;  /* logs of units that there are, or must be */
    rf_unit_log *unit;
};

/* --- check_control.c --- */
/* Reads the control log, a batch at a time, and gives each record with its bytes, checked or not. */
typedef struct rf_control_sink {
    void *ctx;
    raffle_rc (*record)(void *ctx, const raffle_record *bytes, raffle_error *err);
    raffle_rc (*missing)(void *ctx, uint64_t index, const char *why, raffle_error *err);
} rf_control_sink;
raffle_rc rf_control_walk(raffle_audit *a, uint64_t size, const rf_control_sink *sink, raffle_error *err);
/* Checks the control log by itself, and collects what it says of the units. */
raffle_rc rf_check_control(raffle_audit *a, raffle_error *err);
/* Applies a record to a state that goes on whatever comes. */
raffle_rc rf_control_follow(rf_control *control, const rf_record *record, const uint8_t leaf_hash[32],
                            rf_taken_list *taken, raffle_error *why);

/* --- check_unit.c --- */
/* The unit's parts of all seals, in the order of the control log. */
const rf_sealed *rf_seals_of(const raffle_audit *a, uint32_t unit, size_t *n);
raffle_rc rf_check_units(raffle_audit *a, raffle_error *err);

/* --- check_draw.c --- */
/* Replays every result. */
raffle_rc rf_check_draws(raffle_audit *a, raffle_error *err);

raffle_rc rf_audit_progress(raffle_audit *a, uint64_t records, raffle_error *err);

#endif
