/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the codes of events. */
#ifndef RF_RAFFLE_EVENT_CODES_H
#define RF_RAFFLE_EVENT_CODES_H

#include "record.h"

/* What the Exception Report (GLI-31 2.8.1(b)) takes an event for. */
typedef enum rf_event_kind {
    RF_EVENT_NORMAL,
    RF_EVENT_CORRECTION,
    RF_EVENT_FAILURE
} rf_event_kind;

typedef struct rf_event_code {
    const char *code, *component, *clause, *meaning;
    int32_t severity;
    uint32_t writers;
    rf_event_kind kind;
} rf_event_code;

/* NULL: it is not in the table. */
const rf_event_code *rf_event_code_find(const rf_text *code);
/* A host's own: "x.", and the rest of a word. */
bool rf_event_code_own(const char *code);

#endif
