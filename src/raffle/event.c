/* SPDX-License-Identifier: Apache-2.0 */
/* Significant events (GLI-31 5.6): from the host, and those about validation numbers that failed. */
#include "event_codes.h"
#include "ticket.h"
#include "unit_impl.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <string.h>

/* Whether a host may write it: what the library alone writes is not a host's to claim. */
static bool known_code(const char *code)
{
    const rf_text word = rf_text_of(code);
    const rf_event_code *row = rf_event_code_find(&word);
    return row != NULL ? (row->writers & RAFFLE_EVENT_BY_HOST) != 0 : rf_event_code_own(code);
}

static raffle_rc check(const char *code, const char *component, const char *text, raffle_error *err)
{
    if (code == NULL)
        return rf_null(err, "code");
    if (!rf_word_valid(code, strnlen(code, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX) || !known_code(code))
        return rf_fail(err, RAFFLE_INVALID,
                       "\"%.40s\" is no code of an event that a host writes; its own begin with \"x.\"", code);
    if (component != NULL && !rf_word_valid(component, strnlen(component, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        return rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a component", component);
    if (text != NULL && text[0] != 0 && !rf_text_valid(text, strnlen(text, RAFFLE_TEXT_MAX + 1), RAFFLE_TEXT_MAX))
        return rf_fail(err, RAFFLE_INVALID, "an event's text is at most %d bytes of UTF-8 without control characters",
                       RAFFLE_TEXT_MAX);
    return RAFFLE_OK;
}

static rf_record make_event(const char *code, const char *component)
{
    rf_record event = {.type = RF_EVENT, .has = rf_bit(RF_F_CODE), .code = rf_text_of(code)};
    if (component != NULL) {
        event.component = rf_text_of(component);
        event.has |= rf_bit(RF_F_COMPONENT);
    }
    return event;
}

raffle_rc raffle_event(raffle *r, const raffle_actor *by, uint32_t unit, const char *code, const char *component,
                       const char *text, raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = check(code, component, text, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record event = make_event(code, component);
    if (unit == 0)
        return rf_control_one(r, &actor, NULL, text, &event, NULL, err);
    rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_enter_write(u, err);
    rf_unit_op op = {.unit = u, .by = &actor, .text = text, .record = event};
    return rc == RAFFLE_OK ? rf_unit_append(&op, err) : rc;
}

void rf_validation_failed(raffle *r)
{
    static const int64_t minute_ms = 60000;
    static const raffle_actor system = RAFFLE_ACTOR_INIT("libraffle", RAFFLE_SYSTEM);
    const int64_t now = rf_clock_monotonic();
    pthread_mutex_lock(&r->lock);
    uint64_t count = ++r->failed_validations;
    const bool due = r->failed_written == 0 || now - r->failed_written >= minute_ms;
    if (due) {
        r->failed_validations = 0;
        r->failed_written = now;
    }
    pthread_mutex_unlock(&r->lock);
    if (!due || r->keys == NULL || r->till != 0)
        return;
    rf_record event = make_event("validation.failed", NULL);
    event.count = (int64_t)count;
    event.has |= rf_bit(RF_F_COUNT);
    (void)rf_control_one(r, &system, NULL, NULL, &event, NULL, NULL);
}
