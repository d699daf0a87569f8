/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the unique keys that records take, for the fold and for those who look them up. */
#ifndef RF_RAFFLE_FOLD_KEYS_H
#define RF_RAFFLE_FOLD_KEYS_H

#include "fold.h"

rf_taken rf_key_void(uint32_t unit, uint64_t serial);
rf_taken rf_key_ordinal(uint32_t log, char kind, uint64_t ordinal);
rf_taken rf_key_claim(uint64_t result, uint64_t place);
rf_taken rf_key_word(uint32_t scope, const rf_text *word, int64_t at, uint32_t log, uint64_t index);

/* Adds a key to a list, when there is one. */
void rf_take(rf_taken_list *taken, rf_taken key);

#endif
