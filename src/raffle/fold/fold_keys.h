/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the unique keys that records take, for the fold and for those who look them up. */
#ifndef RF_RAFFLE_FOLD_KEYS_H
#define RF_RAFFLE_FOLD_KEYS_H

#include "fold.h"

rf_taken rf_key_void(uint32_t unit, uint64_t serial);
rf_taken rf_key_void_ordinal(uint32_t log, uint64_t ordinal);
rf_taken rf_key_claim(uint64_t result, uint64_t place);

/* The keys of events, by which they are found (GLI-31 5.6.2): what they are found by, then their place, which is the same in all of them. */
enum {
    RF_EVENT_PLACE = 13 /* u48be(at) || u16be(log) || u40be(index) */
};
void rf_event_place(uint8_t out[RF_EVENT_PLACE], int64_t at, uint32_t log, uint64_t index);
/* The beginning of the keys of a log, a word of `scope`, or all: `length` says how much of the key it is. */
rf_taken rf_key_event_log(uint32_t log);
rf_taken rf_key_event_word(uint32_t scope, const rf_text *word);
rf_taken rf_key_event_time(void);

/* Adds a key to a list, when there is one; and all those of the event that is record `index` of a log. */
void rf_take(rf_taken_list *taken, rf_taken key);
void rf_take_event(rf_taken_list *taken, const rf_record *event, uint32_t log, uint64_t index);

#endif
