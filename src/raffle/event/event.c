/* SPDX-License-Identifier: Apache-2.0 */
/* Significant events (GLI-31 5.6): from the host, and those about validation numbers that failed. */
#include "event_codes.h"
#include "ticket.h"
#include "till_impl.h"

#include "abi.h"
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

static bool given(const char *text)
{
    return text != NULL && text[0] != 0;
}

static raffle_rc check_text(const char *text, size_t max, const char *name, raffle_error *err)
{
    if (given(text) && !rf_text_valid(text, strnlen(text, max + 1), max))
        return rf_fail(err, RAFFLE_INVALID, "an event's %s is at most %zu bytes of UTF-8 without control characters",
                       name, max);
    return RAFFLE_OK;
}

static raffle_rc check_words(const raffle_event_details *d, raffle_error *err)
{
    if (d->code == NULL)
        return rf_null(err, "code");
    if (!rf_word_valid(d->code, strnlen(d->code, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX) || !known_code(d->code))
        return rf_fail(err, RAFFLE_INVALID,
                       "\"%.40s\" is no code of an event that a host writes; its own begin with \"x.\"", d->code);
    if (d->component != NULL && !rf_word_valid(d->component, strnlen(d->component, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        return rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a component", d->component);
    return RAFFLE_OK;
}

static raffle_rc check_texts(const raffle_event_details *d, raffle_error *err)
{
    raffle_rc rc = check_text(d->text, RAFFLE_TEXT_MAX, "text", err);
    if (rc == RAFFLE_OK)
        rc = check_text(d->element, RAFFLE_NAME_MAX, "element", err);
    if (rc == RAFFLE_OK)
        rc = check_text(d->old_value, RAFFLE_TEXT_MAX, "old value", err);
    if (rc == RAFFLE_OK)
        rc = check_text(d->new_value, RAFFLE_TEXT_MAX, "new value", err);
    if (rc == RAFFLE_OK)
        rc = check_text(d->login, RAFFLE_NAME_MAX, "login", err);
    return rc == RAFFLE_OK ? check_text(d->from, RAFFLE_NAME_MAX, "place that it came from", err) : rc;
}

/* What each code must have, and what it alone may have (GLI-31 5.2.4, 6.3.2). */
static raffle_rc check_details(const raffle_event_details *d, raffle_error *err)
{
    const bool altered = strcmp(d->code, "data.altered") == 0, begins = strcmp(d->code, "remote.begin") == 0;
    if (altered && (!given(d->element) || !given(d->text) || !(given(d->old_value) || given(d->new_value))))
        return rf_fail(err, RAFFLE_INVALID,
                       "data.altered names the element, its old or new value, and in the text why");
    if (altered && d->ok == NULL)
        return rf_fail(err, RAFFLE_APPROVAL, "data.altered needs a second approver");
    if (!altered && (given(d->element) || given(d->old_value) || given(d->new_value)))
        return rf_fail(err, RAFFLE_INVALID, "element, old and new value are of data.altered, not of %s", d->code);
    if (begins && (!given(d->login) || !given(d->from)))
        return rf_fail(err, RAFFLE_INVALID, "remote.begin names the login, and from where");
    if (!begins && (given(d->login) || given(d->from)))
        return rf_fail(err, RAFFLE_INVALID, "login and from are of remote.begin, not of %s", d->code);
    if (d->begin != 0 && strcmp(d->code, "remote.end") != 0)
        return rf_fail(err, RAFFLE_INVALID, "begin is of remote.end, not of %s", d->code);
    return RAFFLE_OK;
}

/* --- the session that ends --- */

typedef struct session {
    uint64_t begin;
    int64_t began; /* 0: it was not found */
    bool ended;
} session;

static raffle_rc see_begin(void *ctx, const raffle_record *record, raffle_error *err)
{
    session *s = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, record->leaf, record->leaf_length, err);
    if (rc == RAFFLE_OK && r.type == RF_EVENT && rf_text_is(&r.code, "remote.begin"))
        s->began = r.at;
    return rc;
}

static raffle_rc see_end(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    session *s = ctx;
    (void)err;
    s->ended |= hit->begin == s->begin;
    return RAFFLE_OK;
}

/* Two that end one session at the same moment both may: the log then has two ends, and loses nothing. */
static raffle_rc check_session(raffle *r, const raffle_event_details *d, raffle_error *err)
{
    session s = {.begin = d->begin};
    raffle_event_query query = RAFFLE_EVENT_QUERY_INIT;
    raffle_rc rc = rf_store_read(r->store, d->unit, d->begin, 1, see_begin, &s, err);
    if (rc == RAFFLE_OK && s.began == 0)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "record %llu of log %u is no remote.begin", (unsigned long long)d->begin,
                     d->unit);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(query.code, "remote.end", sizeof "remote.end");
    query.flags = RAFFLE_EVENT_IN_LOG;
    query.log = d->unit;
    rc = raffle_event_find(r, &query, see_end, &s, NULL, err);
    if (rc == RAFFLE_OK && s.ended)
        rc = rf_fail(err, RAFFLE_EXISTS, "the remote access of record %llu was ended already",
                     (unsigned long long)d->begin);
    return rc;
}

/* --- writing --- */

/* An event on its way. */
typedef struct writing {
    raffle *raffle;
    raffle_actor by, ok; /* ok.struct_size 0: none */
    uint32_t unit;
    rf_record record;
    rf_private more;
    const char *text;
    uint64_t index;
    rf_unit_op op;
    bool full; /* the log said by evbuf.full that it has no room */
} writing;

static rf_record make_event(const char *code, const char *component)
{
    rf_record event = {.type = RF_EVENT, .has = rf_bit(RF_F_CODE), .code = rf_text_of(code)};
    if (component != NULL) {
        event.component = rf_text_of(component);
        event.has |= rf_bit(RF_F_COMPONENT);
    }
    return event;
}

static void put_more(rf_private *p, rf_private_field field, rf_text *to, const char *text)
{
    if (!given(text))
        return;
    *to = rf_text_of(text);
    p->has |= rf_bit(field);
}

static void make_writing(writing *w, const raffle_event_details *d)
{
    w->unit = d->unit;
    w->text = d->text;
    w->record = make_event(d->code, d->component);
    if (strcmp(d->code, "remote.end") == 0) {
        w->record.first = (int64_t)d->begin;
        w->record.has |= rf_bit(RF_F_FIRST);
    }
    put_more(&w->more, RF_P_ELEMENT, &w->more.element, d->element);
    put_more(&w->more, RF_P_OLD, &w->more.old_value, d->old_value);
    put_more(&w->more, RF_P_NEW, &w->more.new_value, d->new_value);
    put_more(&w->more, RF_P_LOGIN, &w->more.login, d->login);
    put_more(&w->more, RF_P_FROM, &w->more.from, d->from);
    if (w->ok.struct_size == 0 || d->unit == 0) /* into the control log, it is put there */
        return;
    put_more(&w->more, RF_P_OK, &w->more.ok, w->ok.id);
    w->record.ok = w->ok.role;
    w->record.has |= rf_bit(RF_F_OK);
}

/* A till's log takes so many events and no more, since an upload takes no more (GLI-31 5.6.1(g)): the last but those that are kept says so. */
static raffle_rc check_room(void *ctx, const rf_unit_state *state, rf_record *record, raffle_error *err)
{
    static const uint64_t room = RF_TILL_EVENTS_MAX - RF_TILL_EVENTS_KEPT;
    writing *w = ctx;
    const bool reset = rf_text_is(&record->code, "clock.reset");
    w->full = false;
    w->op.text = w->text;
    w->op.more = &w->more;
    if (w->raffle->till == 0 || state->events + 1 < (reset ? RF_TILL_EVENTS_MAX + 1 : room))
        return RAFFLE_OK;
    if (reset || state->events + 1 > room)
        return rf_fail(err, RAFFLE_LIMIT, "the till's log has %llu events, and room for no more; it goes on selling",
                       (unsigned long long)state->events);
    w->full = true;
    w->op.text = NULL;
    w->op.more = NULL;
    const int64_t at = record->at;
    *record = make_event("evbuf.full", NULL);
    record->at = at;
    return RAFFLE_OK;
}

static raffle_rc write_one(writing *w, raffle_error *err)
{
    rf_unit *u;
    if (w->unit == 0) {
        rf_control_op op = {.raffle = w->raffle, .by = &w->by, .ok = &w->ok, .text = w->text, .more = &w->more};
        return rf_control_put(&op, &w->record, &w->index, err);
    }
    raffle_rc rc = rf_unit_get(w->raffle, w->unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_enter_write(u, err);
    w->op = (rf_unit_op){.unit = u, .by = &w->by, .record = w->record, .check = check_room, .ctx = w};
    if (rc == RAFFLE_OK)
        rc = rf_unit_append(&w->op, err);
    w->index = w->op.index;
    if (rc == RAFFLE_OK && w->full)
        rc = rf_fail(err, RAFFLE_LIMIT,
                     "the till's log has room for no more events: an evbuf.full says so in its place");
    return rc;
}

static void count_lost(raffle *r, uint64_t events)
{
    pthread_mutex_lock(&r->lock);
    r->lost_events += events;
    pthread_mutex_unlock(&r->lock);
}

/* Events that found no disk are counted, and said first when there is room again. When that fails, it is for the next event to say: it must not keep this
 * one from the log, which may be the clock.reset that the log waits for. */
static void write_lost(const writing *next)
{
    raffle *r = next->raffle;
    pthread_mutex_lock(&r->lock);
    const uint64_t lost = r->lost_events;
    r->lost_events = 0;
    pthread_mutex_unlock(&r->lock);
    if (lost == 0)
        return;
    writing w = {.raffle = r, .by = next->by, .unit = next->unit, .record = make_event("evbuf.full", NULL)};
    w.record.count = (int64_t)lost;
    w.record.has |= rf_bit(RF_F_COUNT);
    if (write_one(&w, NULL) != RAFFLE_OK)
        count_lost(r, lost);
}

static raffle_rc write_event(writing *w, raffle_error *err)
{
    write_lost(w);
    raffle_rc rc = write_one(w, err);
    if (rc == RAFFLE_FULL)
        count_lost(w->raffle, 1);
    return rc;
}

raffle_rc raffle_event_write(raffle *r, const raffle_actor *by, const raffle_event_details *details, uint64_t *index,
                             raffle_error *err)
{
    raffle_event_details d;
    writing w = {.raffle = r};
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&w.by, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_in(&d, sizeof d, details, "details", err);
    if (rc == RAFFLE_OK)
        rc = check_words(&d, err);
    if (rc == RAFFLE_OK)
        rc = check_texts(&d, err);
    if (rc == RAFFLE_OK)
        rc = check_details(&d, err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&w.ok, d.ok, &w.by, err);
    if (rc == RAFFLE_OK && strcmp(d.code, "remote.end") == 0)
        rc = check_session(r, &d, err);
    if (rc != RAFFLE_OK)
        return rc;
    make_writing(&w, &d);
    rc = write_event(&w, err);
    if (rc == RAFFLE_OK && index != NULL)
        *index = w.index;
    return rc;
}

raffle_rc raffle_event(raffle *r, const raffle_actor *by, uint32_t unit, const char *code, const char *component,
                       const char *text, raffle_error *err)
{
    const raffle_event_details details = {
        .struct_size = sizeof details, .unit = unit, .code = code, .component = component, .text = text};
    return raffle_event_write(r, by, &details, NULL, err);
}

/* What was not written is counted again, and due with the next one that fails. */
static void take_back(raffle *r, uint64_t count)
{
    pthread_mutex_lock(&r->lock);
    r->failed_validations += count;
    r->failed_written = 0;
    pthread_mutex_unlock(&r->lock);
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
    const raffle_rc rc = rf_control_one(r, &system, NULL, NULL, &event, NULL, NULL);
    if (rc != RAFFLE_OK && rc != RAFFLE_UNKNOWN)
        take_back(r, count);
}
