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

rf_taken rf_key_void_ordinal(uint32_t log, uint64_t ordinal)
{
    rf_taken t = {.scope = RF_SCOPE_LOG, .length = 8};
    rf_put_be(t.key, log, 2);
    t.key[2] = 'v';
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

void rf_event_place(uint8_t out[RF_EVENT_PLACE], int64_t at, uint32_t log, uint64_t index)
{
    rf_put_be(out, (uint64_t)at, 6);
    rf_put_be(out + 6, log, 2);
    rf_put_be(out + 8, index, 5);
}

rf_taken rf_key_event_log(uint32_t log)
{
    rf_taken t = {.scope = RF_SCOPE_LOG, .length = 3};
    rf_put_be(t.key, log, 2);
    t.key[2] = 'e';
    return t;
}

/* Ended by a zero byte, which no word has: none is found by a longer one that begins with it. */
rf_taken rf_key_event_word(uint32_t scope, const rf_text *word)
{
    rf_taken t = {.scope = scope};
    size_t n = word->length < RAFFLE_WORD_MAX ? word->length : RAFFLE_WORD_MAX;
    memcpy(t.key, word->text, n);
    t.length = (uint32_t)n + 1;
    return t;
}

rf_taken rf_key_event_time(void)
{
    return (rf_taken){.scope = RF_SCOPE_TIME};
}

void rf_take(rf_taken_list *taken, rf_taken key)
{
    if (taken != NULL)
        taken->key[taken->n++] = key;
}

static void take_at(rf_taken_list *taken, rf_taken key, const uint8_t place[RF_EVENT_PLACE])
{
    memcpy(key.key + key.length, place, RF_EVENT_PLACE);
    key.length += RF_EVENT_PLACE;
    rf_take(taken, key);
}

void rf_take_event(rf_taken_list *taken, const rf_record *event, uint32_t log, uint64_t index)
{
    uint8_t place[RF_EVENT_PLACE];
    rf_event_place(place, event->at, log, index);
    take_at(taken, rf_key_event_time(), place);
    take_at(taken, rf_key_event_log(log), place);
    take_at(taken, rf_key_event_word(RF_SCOPE_CODE, &event->code), place);
    if (rf_has(event, RF_F_COMPONENT))
        take_at(taken, rf_key_event_word(RF_SCOPE_COMPONENT, &event->component), place);
}
