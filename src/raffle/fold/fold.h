/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fold: all state of a raffle is what applying its records one by one gives (design: raffle logic, which GLI examines). Live operations and
 * the audit call the same functions. Each applies one record or changes nothing, and says which unique keys the record takes.
 */
#ifndef RF_RAFFLE_FOLD_H
#define RF_RAFFLE_FOLD_H

#include "merkle.h"
#include "record.h"
#include "rules.h"
#include <raffle/draw.h>

/* Scopes of unique keys in the store. */
enum {
    RF_SCOPE_ORDER = 1,     /* keyed hash of an order key: see order.h */
    RF_SCOPE_VOID = 2,      /* u16be(unit) || u40be(serial) */
    RF_SCOPE_LOG = 3,       /* u16be(log) || 'v' || u40be(ordinal): voids, counted from 0;
                               u16be(log) || 'e' || u48be(at) || u16be(log) || u40be(index): events */
    RF_SCOPE_COMPONENT = 4, /* component || 0 || u48be(at) || u16be(log) || u40be(index) */
    RF_SCOPE_CODE = 5,      /* code || 0 || u48be(at) || u16be(log) || u40be(index) */
    RF_SCOPE_CLAIM = 6,     /* u40be(result) || u32be(place) */
    RF_SCOPE_TIME = 7,      /* u48be(at) || u16be(log) || u40be(index): events */
    RF_SCOPE_BUYER = 8      /* keyed hash of a buyer's tag || u32be(ordinal): see buyer.h */
};

typedef struct rf_taken {
    uint32_t scope, length;
    uint8_t key[64];
} rf_taken;

/* The keys that one record takes, but for a sale's order key and buyer, which are private. */
typedef struct rf_taken_list {
    size_t n;
    rf_taken key[4];
} rf_taken_list;

/* --- a unit's log --- */

/* What stays the same while a unit's log is folded. */
typedef struct rf_unit_frame {
    const rf_rules *rules;
    uint32_t unit;
    uint8_t open[32]; /* leaf hash of raffle.open */
} rf_unit_frame;

/* A unit's state. Flat, so that a copy is a snapshot. */
typedef struct rf_unit_state {
    uint64_t size; /* records folded */
    uint64_t next; /* draw number */
    uint64_t tickets, numbers, voids, void_numbers, events;
    int64_t gross, void_gross, last_at;
    int32_t closed;
    int32_t unused; /* zero */
} rf_unit_state;

void rf_unit_state_init(rf_unit_state *s);
/* Whether this many numbers more, for this much, still fit into what a draw number and a record can say. */
bool rf_unit_has_room(const rf_unit_state *s, uint64_t numbers, int64_t gross);
raffle_rc rf_unit_apply(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r, rf_taken_list *taken,
                        raffle_error *err);

/* --- the control log --- */

typedef struct rf_unit_row {
    char name[RAFFLE_NAME_SIZE];
    char key[RAFFLE_VKEY_SIZE];
    uint8_t ticket_key[32];
    uint64_t quota;
    uint64_t index; /* of its unit.enrol */
    bool enabled, unenrolled;
    bool was_enabled;       /* ever */
    int64_t counted;        /* money that was counted */
    uint64_t control_voids; /* of its tickets, in this log */
    int64_t control_void_gross;
    uint64_t failures; /* validations that failed since it was enabled, or one passed (GLI-31 5.4.2) */
    int64_t seen;      /* when one passed, or it was enabled */
    int64_t missed;    /* when it was last said to be silent; 0: not since */
    uint64_t printed;  /* draw numbers that have counterfoils: the first ones */
    /* Of one whose log lives elsewhere: */
    bool away;
    uint32_t away_hours; /* for which it may sell after it heard from the raffle; 0: no limit */
    uint64_t sync_size;  /* records that it uploaded, */
    uint64_t sync_index; /* as this unit.sync says; 0: none */
    uint64_t twice;      /* orders of those that another unit sold too */
    int64_t heard;       /* time of the newest record about it that keeps it selling */
    uint8_t sync_root[32];
} rf_unit_row;

typedef struct rf_seal_unit {
    uint64_t size, tickets, numbers, voids, void_numbers;
    int64_t gross, void_gross;
    uint8_t root[32], void_root[32];
    uint32_t unit;
    bool reconciled;
} rf_seal_unit;

/* A finished seal, the newest of its kind; or, with `kind` 0, none. */
typedef struct rf_seal_state {
    int32_t kind;
    bool acknowledged;
    uint64_t index, first, unreconciled;
    int64_t at;
    size_t units;
    rf_seal_unit *unit;               /* `units` of them, unit 1 first */
    rf_seal_unit sum;                 /* of the totals */
    rf_tier_count tier[RF_TIERS_MAX]; /* of all units; zero when the rules do not ask for them */
} rf_seal_state;

typedef struct rf_place_state {
    rf_place place;
    int32_t state;     /* RAFFLE_PLACE_… */
    int64_t called_at; /* when its number was drawn */
    int64_t since;     /* from when on its claim period runs: its result, or its promotion */
    bool found;        /* of a prize with an ace: its winner has it */
} rf_place_state;

/* Counterfoils that were printed, or, again, of a range or of a ticket (GLI-31 2.4, 3.3.2d). */
typedef struct rf_printed {
    uint32_t unit;
    uint64_t first, count; /* draw numbers; of a ticket's reprint 0 */
    uint64_t serial;       /* a ticket's reprint; else 0 */
    uint64_t size;         /* what was void by then was not printed: in these records of the unit's log, */
    uint64_t index;        /* and in the control log's before this one */
} rf_printed;

typedef struct rf_printed_list {
    size_t n, cap;
    rf_printed *at;
} rf_printed_list;

typedef struct rf_prize_state {
    int32_t state; /* RAFFLE_PRIZE_… */
    uint32_t attempts;
    uint64_t seal;         /* index of the seal that it was, or is being, drawn from */
    uint64_t numbers, pot; /* of that seal */
    uint64_t intent, result;
    int64_t intent_at, result_at;
    int64_t known_at;                /* of a result: from when on somebody could know it */
    uint8_t commitment[32];          /* of the open intent of a committed draw, */
    char provider[RAFFLE_NAME_SIZE]; /* and who gave its seed */
    uint64_t opened;                 /* bit i: the ace was not in envelope i + 1 */
    size_t places;
    rf_place_state *place;
} rf_prize_state;

typedef struct rf_control {
    uint64_t size;
    int64_t last_at;
    uint64_t voids, void_numbers, events; /* voids written here, for units that were closed */
    int64_t void_gross;
    uint8_t open[32]; /* leaf hash of raffle.open */
    char key[RAFFLE_VKEY_SIZE];
    uint8_t ticket_key[32]; /* commitment to K */
    rf_rules *rules;
    size_t units;
    rf_unit_row *unit; /* [i] is unit i + 1 */
    rf_seal_state early, final;
    size_t run; /* seal.unit records of a run that is not finished */
    rf_seal_unit *run_unit;
    rf_tier_count run_tier[RF_TIERS_MAX];
    rf_prize_state *prize; /* rules->prizes of them */
    int open_prize;        /* whose intent is open, or -1 */
    uint32_t asked;        /* under the open intent */
    uint64_t ask;          /* index of the asking whose answer is not written; 0: none */
    int64_t ask_at;        /* and its time */
    size_t picks;          /* places of draw.picks records under the open intent */
    rf_place_state *pick;
    uint64_t calls; /* numbers called under the open intent of a drum draw; ask_at is the time of the first */
    rf_printed_list printed, reprinted;
    uint64_t
        altered; /* index of the event that says that a program is another one; 0: none, or it was verified since */
    uint8_t altered_key[32]; /* the maker's by whose manifest it was found */
    bool altered_by_two;     /* and before by another's */
} rf_control;

void rf_control_init(rf_control *c);
void rf_control_clear(rf_control *c);
/* Applies the record whose leaf hash is `leaf_hash`; its index is c->size. RAFFLE_NOMEM leaves the state as it was. */
raffle_rc rf_control_apply(rf_control *c, const rf_record *r, const uint8_t leaf_hash[32], rf_taken_list *taken,
                           raffle_error *err);

/* What the log says of a unit; of one that it does not know, any more or yet, that it is un-enrolled: an enrolment that failed is taken back. */
const rf_unit_row *rf_control_unit(const rf_control *c, uint32_t number);
/* Whether a unit that is away uploaded an order that another unit sold, too. */
bool rf_units_twice(const rf_control *c);
/* The newest seal that a prize is drawn from; its kind is 0 when there is none. */
const rf_seal_state *rf_control_seal(const rf_control *c, int prize);
/* The beacon's round of a committed prize whose intent is written. */
uint64_t rf_control_round(const rf_control *c, int prize);
/* Whether a void may have this reason (docs/spec/records.md). RAFFLE_INVALID. */
raffle_rc rf_void_reason(const rf_text *reason, raffle_error *err);
/* What every event must fulfil that is to be record `index` of a log: unit and ticket are ones that there can be, a session's end names an earlier record, nobody alters data
 * alone, and a maker's key stands where a manifest was held against a program. RAFFLE_CORRUPT, RAFFLE_APPROVAL, RAFFLE_INVALID. */
raffle_rc rf_event_check(const rf_record *r, uint64_t index, raffle_error *err);
/* Whether the witnesses that the rules ask for have cosigned the checkpoint of a prize's intent, with times before `before` seconds (UINT64_MAX: any). RAFFLE_QUORUM;
 * RAFFLE_SIGNATURE: a cosignature is wrong; RAFFLE_MISMATCH: a checkpoint of something else. RAFFLE_OK also when the rules ask none. */
raffle_rc rf_control_quorum(const rf_control *c, int prize, const char *note, size_t length, uint64_t before,
                            raffle_error *err);
/* The same for a record's note. */
raffle_rc rf_control_quorum_of(const rf_control *c, int prize, const rf_text *text, uint64_t before, raffle_error *err);
/* Until when cosignatures are in time, in seconds: a committed draw's round, of which nobody can know anything before. */
uint64_t rf_control_cosign_before(const rf_control *c, int prize);
/* Whether a prize waits to be drawn: a redraw only while a place of the prize that it redraws is lost, has gone to no alternate, and to no other redraw. */
bool rf_control_waits(const rf_control *c, size_t prize);
/* The prize that is next, or -1 when none waits. */
int rf_control_next_prize(const rf_control *c);
/* The place of the alternate that takes over when a place of this prize is lost now, 0 when none is left: the first that the one-win rule does
 * not bar. */
uint32_t rf_control_promotion(const rf_control *c, int prize);
/* Whether a place in this state is nobody's any more. */
bool rf_place_lost(int32_t state);
/* Until when a place of a prize is claimed; 0: no limit. And whether each of the prize's winners is paid out against papers. */
int64_t rf_control_claim_by(const rf_control *c, int prize, const rf_place_state *place);
bool rf_control_papers(const rf_control *c, int prize);
/* Whether the rule bars a number: it holds, or held, a winner's place in the result of a prize. */
bool rf_control_barred(const rf_control *c, rf_one_win rule, const rf_place *place);

#endif
