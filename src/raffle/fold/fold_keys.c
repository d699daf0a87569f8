/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of unique keys: big-endian, so that their order is the order of what they stand for. */
#include "fold_keys.h"

#include "bytes.h"
#include <string.h>

rf_taken rf_key_void(uint32_t unit, uint64_t serial)
{
    rf_taken t = {.scope = RF_SCOPE_VOID, .length = 7};
    rf_put_be(t.key, unit, 2);
    rf_put_be(t.key + 2, serial, 5);
    return t;
}

rf_taken rf_key_ordinal(uint32_t log, char kind, uint64_t ordinal)
{
    rf_taken t = {.scope = RF_SCOPE_ORDINAL, .length = 8};
    rf_put_be(t.key, log, 2);
    t.key[2] = (uint8_t)kind;
    rf_put_be(t.key + 3, ordinal, 5);
    return t;
}

rf_taken rf_key_claim(uint64_t result, uint64_t place)
{
    rf_taken t = {.scope = RF_SCOPE_CLAIM, .length = 9};
    rf_put_be(t.key, result, 5);
    rf_put_be(t.key + 5, place, 4);
    return t;
}

rf_taken rf_key_word(uint32_t scope, const rf_text *word, int64_t at, uint32_t log, uint64_t index)
{
    rf_taken t = {.scope = scope};
    size_t n = word->length < RAFFLE_WORD_MAX ? word->length : RAFFLE_WORD_MAX;
    memcpy(t.key, word->text, n);
    rf_put_be(t.key + n + 1, (uint64_t)at, 6);
    rf_put_be(t.key + n + 7, log, 2);
    rf_put_be(t.key + n + 9, index, 5);
    t.length = (uint32_t)n + 14;
    return t;
}

void rf_take(rf_taken_list *taken, rf_taken key)
{
    if (taken != NULL)
        taken->key[taken->n++] = key;
}
