/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records (docs/spec/records.md): the public leaf and the private part, as flat structs with a bit for each member that is there. One table
 * says each member's name and kind, one table says which members each type of record has; encoding and strict decoding follow from them.
 */
#ifndef RF_RAFFLE_RECORD_H
#define RF_RAFFLE_RECORD_H

#include "json.h"
#include <raffle/types.h>

/* The types of records; the numbers are this build's own, the names in the records count. */
typedef enum rf_type {
    RF_CASH,
    RF_CLAIM,
    RF_CLAIM_WAIT,
    RF_DRAW_ABORT,
    RF_DRAW_CALL,
    RF_DRAW_INTENT,
    RF_DRAW_MANUAL,
    RF_DRAW_PICKS,
    RF_DRAW_RESULT,
    RF_EVENT,
    RF_FORFEIT,
    RF_PRINT,
    RF_RAFFLE_OPEN,
    RF_REPRINT,
    RF_SALE,
    RF_SEAL,
    RF_SEAL_UNIT,
    RF_UNIT_CLOSE,
    RF_UNIT_DISABLE,
    RF_UNIT_ENABLE,
    RF_UNIT_ENROL,
    RF_UNIT_QUOTA,
    RF_UNIT_START,
    RF_UNIT_SYNC,
    RF_UNIT_UNENROL,
    RF_VOID,
    RF_VOIDS_ACK,
    RF_WINNER_OFFICIAL,
    RF_WINNER_PICK,
    RF_WINNER_VERIFY,
    RF_TYPES
} rf_type;

/* The members of leaves, in the order of their names, which is the order of the bytes. */
typedef enum rf_field {
    RF_F_ALTERNATES,
    RF_F_ASK,
    RF_F_AT,
    RF_F_ATTEMPT,
    RF_F_AWAY,
    RF_F_BEACON,
    RF_F_BY,
    RF_F_CODE,
    RF_F_COMMITMENT,
    RF_F_COMPONENT,
    RF_F_COUNT,
    RF_F_COUNTED,
    RF_F_ENVELOPE,
    RF_F_EVIDENCE,
    RF_F_FALLBACK,
    RF_F_FIRST,
    RF_F_FORMAT,
    RF_F_GROSS,
    RF_F_INTENT,
    RF_F_KEY,
    RF_F_KIND,
    RF_F_N,
    RF_F_NAME,
    RF_F_NOTE,
    RF_F_NUMBER,
    RF_F_NUMBERS,
    RF_F_OK,
    RF_F_OPEN,
    RF_F_OUTCOME,
    RF_F_P,
    RF_F_PAPERS,
    RF_F_PLACE,
    RF_F_PLACES,
    RF_F_PRICE,
    RF_F_PRIZE,
    RF_F_PROMOTED,
    RF_F_PROVIDER,
    RF_F_QUOTA,
    RF_F_REASON,
    RF_F_RECONCILED,
    RF_F_REJECTED,
    RF_F_RESULT,
    RF_F_ROOT,
    RF_F_ROUND,
    RF_F_RULES,
    RF_F_SEAL,
    RF_F_SEED,
    RF_F_SERIAL,
    RF_F_SIZE,
    RF_F_SKIPPED_BARRED,
    RF_F_SKIPPED_NOT_ENTERED,
    RF_F_SKIPPED_VOID,
    RF_F_SKIPS,
    RF_F_T,
    RF_F_TICKET_KEY,
    RF_F_TICKETS,
    RF_F_TIER,
    RF_F_TIERS,
    RF_F_TWICE,
    RF_F_UNIT,
    RF_F_UNITS,
    RF_F_UNRECONCILED,
    RF_F_VOID_GROSS,
    RF_F_VOID_NUMBERS,
    RF_F_VOID_ROOT,
    RF_F_VOIDS,
    RF_F_WINNERS,
    RF_FIELDS
} rf_field;

/* A text: of a decoded record as it stands between its quotes, `escaped` when it holds escapes; else plain. Points into the record. */
typedef rf_json_text rf_text;

/* A set of members, a bit each: there are more than 64. */
__extension__ typedef unsigned __int128 rf_members;

/* A leaf. A member counts when its bit is set in `has`. Texts, `rules`, `places` and `tiers` point into the bytes that were decoded, or to what the
 * maker of the record keeps alive. */
typedef struct rf_record {
    rf_members has;
    rf_type type;
    raffle_role by, ok;
    bool papers, reconciled;
    int64_t at;
    int64_t alternates, ask, attempt, away, count, counted, envelope, first, format, gross, intent, n, number, numbers,
        place, price, promoted, quota, rejected, result, round, seal, serial, size, skipped_barred, skipped_not_entered,
        skipped_void, tickets, twice, unit, units, unreconciled, void_gross, void_numbers, voids, winners;
    rf_text code, component, evidence, key, kind, name, note, outcome, places, prize, provider, reason, rules, tier,
        tiers;
    uint8_t commitment[32], open[32], p[32], root[32], skips[32], ticket_key[32], void_root[32];
    uint8_t seed[48], beacon[48], fallback[48];
} rf_record;

/* The members of private parts. */
typedef enum rf_private_field {
    RF_P_ACTOR,
    RF_P_BUYER,
    RF_P_CHANNEL,
    RF_P_ELEMENT,
    RF_P_FROM,
    RF_P_KEYS,
    RF_P_LINE,
    RF_P_LINES,
    RF_P_LOGIN,
    RF_P_NEW,
    RF_P_OK,
    RF_P_OLD,
    RF_P_ORDER,
    RF_P_PAYMENT,
    RF_P_SALT,
    RF_P_SELLER,
    RF_P_TEXT,
    RF_PRIVATE_FIELDS
} rf_private_field;

typedef struct rf_private {
    rf_members has;
    int64_t line, lines; /* of an order: this line, from 0, and how many there are */
    rf_text actor, buyer, channel, element, from, keys, login, new_value, ok, old_value, order, payment, seller, text;
    uint8_t salt[16];
} rf_private;

static inline rf_members rf_bit(unsigned field)
{
    return (rf_members)1 << field;
}

static inline bool rf_has(const rf_record *r, rf_field field)
{
    return (r->has & rf_bit(field)) != 0;
}

/* A text from a NUL-ended string; and whether a text is this word, of characters that a record never escapes: another is copied first. */
rf_text rf_text_of(const char *string);
bool rf_text_is(const rf_text *text, const char *word);
/* Copies a text, unescaped and NUL-ended; false when it does not fit. */
bool rf_text_copy(const rf_text *text, char *out, size_t cap);

/* The name of a type, "sale". */
const char *rf_type_name(rf_type type);

/* Whether records of this type name a second approver, and this one does not. */
bool rf_record_lacks_approver(const rf_record *r);

/* Encodes a leaf; the type and the members that are set must fit together, which the encoder checks as the decoder does. Returns the length,
 * or 0 when they do not, or when `cap` is too small. */
size_t rf_record_encode(const rf_record *r, char *out, size_t cap);
/* Decodes a leaf strictly: canonical bytes, a known type, exactly the members that it must have and may have, each of its kind and bounds. RAFFLE_CORRUPT. */
raffle_rc rf_record_decode(rf_record *r, const char *leaf, size_t length, raffle_error *err);

size_t rf_private_encode(const rf_private *p, char *out, size_t cap);
raffle_rc rf_private_decode(rf_private *p, const char *json, size_t length, raffle_error *err);

/* The places of a draw.result or draw.picks: an array of {"number","serial","unit"}. */
typedef struct rf_place {
    uint64_t number, serial;
    uint32_t unit;
} rf_place;
enum {
    RF_PLACES_MAX = 500 /* of them in one record */
};
void rf_places_encode(rf_json_writer *w, const rf_place *places, size_t n);
/* Stores their number; RAFFLE_CORRUPT: malformed, or more than `cap`. */
raffle_rc rf_places_decode(const rf_text *json, rf_place *places, size_t cap, size_t *n, raffle_error *err);

/* The tiers of a seal.unit: an array of {"tickets","voids"}, one for each tier of the rules. */
typedef struct rf_tier_count {
    uint64_t tickets, voids; /* sold; and of those, void */
} rf_tier_count;
void rf_tier_counts_encode(rf_json_writer *w, const rf_tier_count *count, size_t n);
/* Exactly `n` of them. RAFFLE_CORRUPT. */
raffle_rc rf_tier_counts_decode(const rf_text *json, rf_tier_count *count, size_t n, raffle_error *err);

#endif
