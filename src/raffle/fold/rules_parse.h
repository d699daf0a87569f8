/* SPDX-License-Identifier: Apache-2.0 */
/* What reading rules is made of: values, objects and arrays of JSON, each fault with the place where it is. */
#ifndef RF_RAFFLE_RULES_PARSE_H
#define RF_RAFFLE_RULES_PARSE_H

#include "rules.h"

/* A place in the rules, for the sentence: "prizes[2].winners". */
typedef struct rf_rules_path {
    char text[96];
} rf_rules_path;

/* Rules on their way in. */
typedef struct rf_rules_input {
    rf_json_reader in;
    rf_rules *rules;
    raffle_error *err;
    rf_rules_path at;
    bool default_rng; /* "rng" is not there */
} rf_rules_input;

/* Reads the value of a member into what `to` points at. */
typedef raffle_rc (*rf_rules_read)(rf_rules_input *p, const rf_rules_path *at, void *to);

typedef struct rf_rules_field {
    const char *name;
    rf_rules_read read;
    bool required;
} rf_rules_field;

/* Reads element `i` of an array. */
typedef raffle_rc (*rf_rules_element)(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to);

/* A value of its kind, within its bounds, or a sentence that names the place. RAFFLE_INVALID, RAFFLE_LIMIT. Strings are ended by a NUL: `max` bytes without it. */
rf_rules_path rf_rules_member(const rf_rules_path *parent, const char *name, size_t length);
raffle_rc rf_rules_fault(const rf_rules_input *p, raffle_rc rc, const rf_rules_path *at, const char *what);
raffle_rc rf_rules_int(rf_rules_input *p, const rf_rules_path *at, int64_t min, int64_t max, int64_t *out);
raffle_rc rf_rules_bool(rf_rules_input *p, const rf_rules_path *at, bool *out);
raffle_rc rf_rules_string(rf_rules_input *p, const rf_rules_path *at, char *out, size_t max);
raffle_rc rf_rules_text(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_NAME_SIZE]);
raffle_rc rf_rules_word(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_WORD_SIZE]);
raffle_rc rf_rules_time(rf_rules_input *p, const rf_rules_path *at, int64_t *out);
raffle_rc rf_rules_origin(rf_rules_input *p, const rf_rules_path *at, char out[RAFFLE_ORIGIN_SIZE]);
raffle_rc rf_rules_choice(rf_rules_input *p, const rf_rules_path *at, const char *const *words, size_t n, size_t *out);
raffle_rc rf_rules_object(rf_rules_input *p, const rf_rules_path *at, const rf_rules_field *fields, size_t n, void *to);
raffle_rc rf_rules_array(rf_rules_input *p, const rf_rules_path *at, size_t max, rf_rules_element read, void *to,
                         size_t *count);

/* --- rules_prizes.c --- */

/* The member "prizes"; the tiers are read before. */
raffle_rc rf_rules_read_prizes(rf_rules_input *p, const rf_rules_path *at, void *to);
/* What must fit together in prize `i`. RAFFLE_INVALID, RAFFLE_LIMIT. */
raffle_rc rf_rules_check_prize(const rf_rules *rules, size_t i, raffle_error *err);

#endif
