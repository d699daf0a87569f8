/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a raffle (docs/guide/rules.md): read from JSON with a sentence for each fault, completed with the defaults, and frozen as canonical
 * JSON in raffle.open. */
#ifndef RF_RAFFLE_RULES_H
#define RF_RAFFLE_RULES_H

#include "json.h"
#include "policy.h"
#include <raffle/seal.h>
#include <raffle/types.h>

enum {
    RF_RULES_MAX = 60000, /* bytes of the frozen form: raffle.open must fit into a record */
    RF_TIERS_MAX = 64,
    RF_PRIZES_MAX = 256,
    RF_PLACES_PER_PRIZE = 100000,
    RF_UNITS_IN_RULES = 256,
    RF_ZONES_MAX = 16,
    RF_PROVIDERS_MAX = 8
};

/* What can be done, for the table of roles. */
typedef enum rf_op {
    RF_OP_ACK,
    RF_OP_APPROVE, /* being the second approver */
    RF_OP_CASH,
    RF_OP_CLAIM,
    RF_OP_CLOCK,
    RF_OP_CLOSE,
    RF_OP_DRAW,
    RF_OP_ERASE,
    RF_OP_EVENT,
    RF_OP_FORFEIT,
    RF_OP_PRINT,
    RF_OP_REPRINT,
    RF_OP_RESTORE,
    RF_OP_SEAL,
    RF_OP_SELL,
    RF_OP_UNITS,
    RF_OP_VERIFY,
    RF_OP_VOID,
    RF_OPS
} rf_op;

typedef enum rf_one_win {
    RF_ONE_WIN_NONE,
    RF_ONE_WIN_NUMBER,
    RF_ONE_WIN_TICKET
} rf_one_win;

/* What is above a prize's cap; and how a prize is rounded. 0: the rules do not say, which means the first. */
typedef enum rf_above {
    RF_ABOVE_KEEP = 1, /* stays with the organisation */
    RF_ABOVE_CARRY,    /* is carried to the next raffle */
    RF_ABOVE_NEXT      /* goes to the next prize of this raffle */
} rf_above;

typedef enum rf_round {
    RF_ROUND_DOWN = 1,
    RF_ROUND_UP,
    RF_ROUND_NEAREST
} rf_round;

typedef enum rf_pot {
    RF_POT_ALL = 1,
    RF_POT_ENTERED /* of the tiers that the prize enters */
} rf_pot;

typedef struct rf_tier {
    char name[RAFFLE_WORD_SIZE];
    int64_t count, price;
} rf_tier;

enum {
    RF_ENVELOPES_MAX = 54 /* a pack of cards, with its jokers */
};

enum {
    RF_BEACON_DELAY_MIN = 60, /* seconds: time for the intent to be cosigned and published */
    RF_BEACON_DELAY_MAX = 7 * 86400
};

typedef struct rf_prize_rule {
    char name[RAFFLE_WORD_SIZE], title[RAFFLE_NAME_SIZE];
    int32_t seal;     /* RAFFLE_SEAL_EARLY or _FINAL */
    uint64_t entered; /* bit i: tier i takes part */
    int64_t winners, alternates, claim_days;
    rf_one_win one_win;
    bool drum;      /* its numbers are drawn by hand, from counterfoils, and no RNG is asked (GLI-31 2.4.1, 4.1.1) */
    bool committed; /* the seed is committed to before the intent, and a beacon is mixed in */
    int64_t beacon_delay;  /* seconds from the intent to the beacon's round; 0: no beacon */
    int64_t papers_above;  /* of one winner: what is more is paid out against papers (GLI-31 2.7.1); -1: never asked */
    int64_t amount, share; /* of all winners together: minor units, or basis points of the seal's pot; -1: not given */
    int64_t start, carry, minimum, cap; /* minor units; -1: not given */
    int64_t round_to;                   /* 0: not given, which means 1 */
    rf_above above;
    rf_round round;
    rf_pot pot;
    int64_t ace;  /* envelopes that the winner chooses from, one of which has the ace; 0: it is no such prize */
    bool must_go; /* until one finds it, the next alternate chooses */
    char carry_from[RAFFLE_ORIGIN_SIZE]; /* the raffle that `carry` comes from */
    int32_t
        redraw_of; /* an earlier prize of which it is drawn again for one lost place; -1: it is a prize of its own */
} rf_prize_rule;

typedef struct rf_unit_rule {
    char name[RAFFLE_NAME_SIZE];
    int64_t quota;
} rf_unit_rule;

typedef struct rf_zone {
    int64_t from;
    int32_t offset; /* minutes */
} rf_zone;

typedef struct rf_rules {
    char origin[RAFFLE_ORIGIN_SIZE];
    char name[RAFFLE_NAME_SIZE], organisation[RAFFLE_NAME_SIZE], licence[RAFFLE_NAME_SIZE], place[RAFFLE_NAME_SIZE];
    char series[RAFFLE_NAME_SIZE]; /* of raffles; "": none is named */
    int64_t series_number;         /* which of them this is */
    char currency[8];
    int64_t digits;
    int64_t keep_years; /* for which private parts are kept; 0: the rules do not say */
    bool rehearsal;
    bool beacon; /* quicknet is named */
    int64_t opens, closes;
    int64_t order_tickets;                 /* the most tickets of one order */
    int64_t watch_failures, watch_minutes; /* of units (GLI-31 5.4.2); 0: nobody is watched */
    int64_t buyer_tickets;                 /* of one buyer; 0: no limit */
    size_t tiers, prizes, units, zones, providers;
    rf_tier tier[RF_TIERS_MAX];
    rf_prize_rule prize[RF_PRIZES_MAX];
    rf_unit_rule unit[RF_UNITS_IN_RULES];
    rf_zone zone[RF_ZONES_MAX];
    char provider[RF_PROVIDERS_MAX][RAFFLE_NAME_SIZE];
    uint32_t roles[RF_OPS]; /* bit r: role r may */
    size_t
        policy_length; /* the witnesses: lines of a C2SP tlog-policy as they were given, each with its newline; 0: none are asked */
    char policy[RF_POLICY_MAX];
} rf_rules;

/* Before it no private part may be erased: `keep_years` after the end of the sales; INT64_MIN: at once. */
int64_t rf_rules_kept_until(const rf_rules *rules);
/* Reads rules. RAFFLE_INVALID, RAFFLE_LIMIT, RAFFLE_UNSUPPORTED; the sentence names the field. */
raffle_rc rf_rules_parse(rf_rules *rules, const char *json, size_t length, raffle_error *err);
/* The frozen form, with every default spelt out. Returns its length, 0 when it does not fit. Parsing it gives the same rules. */
size_t rf_rules_format(const rf_rules *rules, char *out, size_t cap);

/* Whether a prize is money: else nothing is added up, capped or rounded. */
bool rf_prize_is_money(const rf_prize_rule *prize);
/* The index of a tier, a prize, or -1. */
int rf_rules_tier(const rf_rules *rules, const char *name, size_t length);
int rf_rules_prize(const rf_rules *rules, const char *name, size_t length);
bool rf_rules_provider(const rf_rules *rules, const char *name);
bool rf_rules_may(const rf_rules *rules, rf_op op, raffle_role role);
/* The offset from UTC that holds at a time, in minutes. */
int32_t rf_rules_offset(const rf_rules *rules, int64_t at);
const char *rf_op_name(rf_op op);
/* The roles that may do it where the rules say nothing, a bit each. */
uint32_t rf_op_default(rf_op op);

#endif
