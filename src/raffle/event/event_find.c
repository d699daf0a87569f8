/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding events (GLI-31 5.6.2). Each index is a list of keys that end with the event's place, in the order of places; a search walks those that its choices
 * name side by side, and reads what stands in all of them from the logs. What an index says is believed only when the record bears it out.
 */
#include "event_codes.h"
#include "fold_keys.h"
#include "unit_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "sha256.h"
#include "timestamp.h"
#include <stdlib.h>
#include <string.h>

enum {
    PLACE = RF_EVENT_PLACE,
    ROWS = 128, /* of a list, in memory */
    LISTS = 3   /* by log, component and code; or by time alone */
};

/* A list, and its next rows. */
typedef struct list {
    rf_taken prefix;
    size_t n, at;
    bool whole; /* these rows are the list's last */
    uint8_t row[ROWS][PLACE];
} list;

typedef struct search {
    raffle *raffle;
    raffle_event_query query;
    bool back;
    uint8_t next[PLACE], end[PLACE]; /* places from `next` to `end`, both included, in the search's direction */
    size_t lists;
    list list[LISTS];
    rf_sha256 *hash;
    raffle_error *err;
} search;

/* --- places --- */

/* Below 0 when `a` comes before `b`. */
static int order(const search *s, const uint8_t a[PLACE], const uint8_t b[PLACE])
{
    const int c = memcmp(a, b, PLACE);
    return s->back ? -c : c;
}

/* The next number up, or down; false when there is none. */
static bool step(uint8_t *place, bool down)
{
    const uint8_t over = down ? 0 : 0xff;
    size_t i = PLACE;
    while (i > 0 && place[i - 1] == over)
        i--;
    if (i == 0)
        return false;
    place[i - 1] = (uint8_t)(down ? place[i - 1] - 1 : place[i - 1] + 1);
    memset(place + i, down ? 0xff : 0, PLACE - i);
    return true;
}

static int64_t at_of(const uint8_t place[PLACE])
{
    return (int64_t)rf_get_be(place, 6);
}

static uint32_t log_of(const uint8_t place[PLACE])
{
    return (uint32_t)rf_get_be(place + 6, 2);
}

static uint64_t index_of(const uint8_t place[PLACE])
{
    return rf_get_be(place + 8, 5);
}

/* --- lists --- */

/* A key of an index names the record that it stands for: any other was not written by us. */
static raffle_rc take_row(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    list *l = ctx;
    if (key->length != l->prefix.length + PLACE)
        return rf_fail(err, RAFFLE_CORRUPT, "the index of events (scope %u) has a key of %u bytes", l->prefix.scope,
                       key->length);
    const uint8_t *place = key->key + l->prefix.length;
    if (key->log != log_of(place) || key->index != index_of(place))
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the index of events (scope %u) names record %llu of log %u by the key of record %llu of log %u",
                       l->prefix.scope, (unsigned long long)key->index, key->log, (unsigned long long)index_of(place),
                       log_of(place));
    memcpy(l->row[l->n++], place, PLACE);
    return RAFFLE_OK;
}

/* Rows from `from` on. The store's scans leave out where they begin: they begin one place earlier. */
static raffle_rc fill(const search *s, list *l, const uint8_t from[PLACE])
{
    uint8_t end[RAFFLE_STORE_KEY_MAX];
    size_t length = l->prefix.length + PLACE;
    memcpy(end, l->prefix.key, l->prefix.length);
    memcpy(end + l->prefix.length, from, PLACE);
    if (!step(end + l->prefix.length, !s->back))
        length = 0;
    l->n = l->at = 0;
    raffle_rc rc = (s->back ? rf_store_scan_back : rf_store_scan)(
        s->raffle->store, l->prefix.scope, l->prefix.key, l->prefix.length, end, length, ROWS, take_row, l, s->err);
    l->whole = l->n < ROWS;
    return rc;
}

/* The list's first row that does not come before `place`; NULL: there is none. */
static raffle_rc advance(const search *s, list *l, const uint8_t place[PLACE], const uint8_t **row)
{
    *row = NULL;
    while (l->at < l->n && order(s, l->row[l->at], place) < 0)
        l->at++;
    if (l->at == l->n && !l->whole) {
        raffle_rc rc = fill(s, l, place);
        if (rc != RAFFLE_OK)
            return rc;
    }
    if (l->at < l->n)
        *row = l->row[l->at];
    return RAFFLE_OK;
}

/* The next place that all lists have, from s->next on; `*found` is false at the end. */
static raffle_rc next_place(search *s, uint8_t place[PLACE], bool *found)
{
    const uint8_t *row;
    *found = false;
    memcpy(place, s->next, PLACE);
    for (size_t agreed = 0, i = 0; agreed < s->lists; i = (i + 1) % s->lists) {
        raffle_rc rc = advance(s, &s->list[i], place, &row);
        if (rc != RAFFLE_OK || row == NULL || order(s, row, s->end) > 0)
            return rc;
        agreed = memcmp(row, place, PLACE) == 0 ? agreed + 1 : 1;
        memcpy(place, row, PLACE);
    }
    *found = true;
    return RAFFLE_OK;
}

/* --- the record behind it --- */

typedef struct reading {
    const search *search;
    const uint8_t *place;
    raffle_event_hit *hit;
    bool seen;
} reading;

static bool take_text(const rf_private *p, rf_private_field field, const rf_text *text, char *out, size_t cap)
{
    return (p->has & rf_bit(field)) == 0 || rf_text_copy(text, out, cap);
}

/* What data.altered and remote.begin have. */
static bool take_details(const rf_private *p, raffle_event_hit *hit)
{
    return take_text(p, RF_P_ELEMENT, &p->element, hit->element, sizeof hit->element) &&
           take_text(p, RF_P_OLD, &p->old_value, hit->old_value, sizeof hit->old_value) &&
           take_text(p, RF_P_NEW, &p->new_value, hit->new_value, sizeof hit->new_value) &&
           take_text(p, RF_P_LOGIN, &p->login, hit->login, sizeof hit->login) &&
           take_text(p, RF_P_FROM, &p->from, hit->from, sizeof hit->from);
}

static bool take_texts(const rf_record *r, const rf_private *p, raffle_event_hit *hit)
{
    bool fits = rf_text_copy(&r->code, hit->code, sizeof hit->code);
    if (rf_has(r, RF_F_COMPONENT))
        fits = fits && rf_text_copy(&r->component, hit->component, sizeof hit->component);
    return fits && take_text(p, RF_P_ACTOR, &p->actor, hit->actor, sizeof hit->actor) &&
           take_text(p, RF_P_OK, &p->ok, hit->approver, sizeof hit->approver) &&
           take_text(p, RF_P_TEXT, &p->text, hit->text, sizeof hit->text) && take_details(p, hit);
}

static void take_numbers(const reading *in, const rf_record *r)
{
    raffle_event_hit *hit = in->hit;
    const rf_event_code *code = rf_event_code_find(&r->code);
    hit->log = log_of(in->place);
    hit->index = index_of(in->place);
    hit->at = r->at;
    hit->by = r->by;
    hit->ok = rf_has(r, RF_F_OK) ? r->ok : 0;
    hit->count = rf_has(r, RF_F_COUNT) ? r->count : -1;
    hit->unit = rf_has(r, RF_F_UNIT) ? (uint32_t)r->unit : 0;
    hit->serial = rf_has(r, RF_F_SERIAL) ? (uint64_t)r->serial : 0;
    hit->begin = rf_has(r, RF_F_FIRST) ? (uint64_t)r->first : 0;
    hit->severity = code != NULL ? code->severity : 0;
}

/* Whether the record is an event, and the one that the indexes say. */
static bool fits_index(const reading *in, const rf_record *r)
{
    const raffle_event_query *q = &in->search->query;
    return r->type == RF_EVENT && r->at == at_of(in->place) &&
           ((q->flags & RAFFLE_EVENT_IN_LOG) == 0 || log_of(in->place) == q->log) &&
           (q->code[0] == 0 || rf_text_is(&r->code, q->code)) &&
           (q->component[0] == 0 || (rf_has(r, RF_F_COMPONENT) && rf_text_is(&r->component, q->component)));
}

static raffle_rc take_private(const reading *in, const raffle_record *bytes, const rf_record *r, rf_private *p,
                              raffle_error *err)
{
    uint8_t hash[32];
    if (bytes->private_part == NULL || bytes->private_length == 0)
        return RAFFLE_OK;
    rf_sha256_of(in->search->hash, hash, bytes->private_part, bytes->private_length);
    if (memcmp(hash, r->p, sizeof hash) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the private part of record %llu of log %u is not the one that was written",
                       (unsigned long long)bytes->index, log_of(in->place));
    in->hit->has_private = 1;
    return rf_private_decode(p, bytes->private_part, bytes->private_length, err);
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reading *in = ctx;
    rf_record r;
    rf_private p = {.has = 0};
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && !fits_index(in, &r))
        rc = rf_fail(err, RAFFLE_CORRUPT, "an index of events names record %llu of log %u, which is another one",
                     (unsigned long long)bytes->index, log_of(in->place));
    if (rc == RAFFLE_OK)
        rc = take_private(in, bytes, &r, &p, err);
    if (rc == RAFFLE_OK && !take_texts(&r, &p, in->hit))
        rc = rf_fail(err, RAFFLE_CORRUPT, "a text of record %llu of log %u is too long",
                     (unsigned long long)bytes->index, log_of(in->place));
    if (rc != RAFFLE_OK)
        return rc;
    take_numbers(in, &r);
    in->seen = true;
    return RAFFLE_OK;
}

static raffle_rc read_hit(const search *s, const uint8_t place[PLACE], raffle_event_hit *hit)
{
    reading in = {.search = s, .place = place, .hit = hit};
    memset(hit, 0, sizeof *hit);
    hit->struct_size = sizeof *hit;
    raffle_rc rc = rf_store_read(s->raffle->store, log_of(place), index_of(place), 1, take_record, &in, s->err);
    if (rc == RAFFLE_OK && !in.seen)
        return rf_fail(s->err, RAFFLE_CORRUPT, "an index of events names record %llu of log %u, which there is not",
                       (unsigned long long)index_of(place), log_of(place));
    return rc;
}

/* --- what is asked for --- */

static raffle_rc check_code(const char *code, raffle_error *err)
{
    if (!rf_word_valid(code, strnlen(code, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        return rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a code", code);
    const rf_text word = rf_text_of(code);
    if (rf_event_code_find(&word) == NULL && !rf_event_code_own(code))
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no code \"%s\"; a host's own begin with \"x.\"", code);
    return RAFFLE_OK;
}

static raffle_rc check_times(const raffle_event_query *q, raffle_error *err)
{
    char text[RF_TIME_LENGTH];
    if (q->from < 0 || !rf_time_format(text, q->from) || q->to < 0 || !rf_time_format(text, q->to))
        return rf_fail(err, RAFFLE_INVALID, "a time is outside of the years 1970 to 9999");
    if (q->to != 0 && q->from >= q->to)
        return rf_fail(err, RAFFLE_INVALID, "an interval of events ends before it begins");
    return RAFFLE_OK;
}

static raffle_rc check_query(raffle *r, const raffle_event_query *q, raffle_error *err)
{
    rf_unit_row row;
    raffle_rc rc = check_times(q, err);
    if (rc == RAFFLE_OK &&
        (q->flags & ~(uint32_t)(RAFFLE_EVENT_NEWEST | RAFFLE_EVENT_IN_LOG | RAFFLE_EVENT_GO_ON)) != 0)
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "flags are %#x, which this version does not know", q->flags);
    if (rc == RAFFLE_OK && q->code[0] != 0)
        rc = check_code(q->code, err);
    if (rc == RAFFLE_OK && q->component[0] != 0 &&
        !rf_word_valid(q->component, strnlen(q->component, sizeof q->component), RAFFLE_WORD_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a component", q->component);
    if (rc == RAFFLE_OK && (q->flags & RAFFLE_EVENT_IN_LOG) != 0 && q->log != 0)
        rc = rf_unit_row_get(r, q->log, &row, err);
    if (rc == RAFFLE_OK && (q->flags & RAFFLE_EVENT_GO_ON) != 0 &&
        (q->last_at < 0 || q->last_at >> 48 != 0 || q->last_log > RAFFLE_UNIT_MAX || q->last_index >> 40 != 0))
        rc = rf_fail(err, RAFFLE_INVALID, "there can be no event where the search is to go on");
    return rc;
}

static void add_list(search *s, rf_taken prefix)
{
    list *l = &s->list[s->lists++];
    l->prefix = prefix;
    l->n = l->at = 0;
    l->whole = false;
}

static void choose_lists(search *s)
{
    const raffle_event_query *q = &s->query;
    const rf_text code = rf_text_of(q->code), component = rf_text_of(q->component);
    if ((q->flags & RAFFLE_EVENT_IN_LOG) != 0)
        add_list(s, rf_key_event_log(q->log));
    if (component.length > 0)
        add_list(s, rf_key_event_word(RF_SCOPE_COMPONENT, &component));
    if (code.length > 0)
        add_list(s, rf_key_event_word(RF_SCOPE_CODE, &code));
    if (s->lists == 0)
        add_list(s, rf_key_event_time());
}

/* The first and the last place; false: nothing lies between them. */
static bool choose_places(search *s)
{
    const raffle_event_query *q = &s->query;
    uint8_t low[PLACE], high[PLACE], last[PLACE];
    bool any = true;
    rf_event_place(low, q->from, 0, 0);
    memset(high, 0xff, PLACE);
    if (q->to != 0) {
        rf_event_place(high, q->to, 0, 0);
        any = step(high, true);
    }
    memcpy(s->next, s->back ? high : low, PLACE);
    memcpy(s->end, s->back ? low : high, PLACE);
    if ((q->flags & RAFFLE_EVENT_GO_ON) != 0) {
        rf_event_place(last, q->last_at, q->last_log, q->last_index);
        any = any && step(last, s->back);
        if (order(s, last, s->next) > 0)
            memcpy(s->next, last, PLACE);
    }
    return any && order(s, s->next, s->end) <= 0;
}

/* --- the search --- */

static raffle_rc walk(search *s, raffle_event_sink sink, void *ctx, int32_t *more)
{
    raffle_event_hit hit;
    uint8_t place[PLACE];
    bool found;
    for (uint64_t n = 0;; n++) {
        raffle_rc rc = next_place(s, place, &found);
        if (rc != RAFFLE_OK || !found)
            return rc;
        if (s->query.limit > 0 && n == s->query.limit) {
            *more = 1;
            return RAFFLE_OK;
        }
        rc = read_hit(s, place, &hit);
        if (rc == RAFFLE_OK)
            rc = sink(ctx, &hit, s->err);
        memcpy(s->next, place, PLACE);
        if (rc != RAFFLE_OK || !step(s->next, s->back))
            return rc;
    }
}

static raffle_rc find(raffle *r, const raffle_event_query *query, raffle_event_sink sink, void *ctx, int32_t *more,
                      raffle_error *err)
{
    search *s = malloc(sizeof *s);
    if (s == NULL)
        return rf_nomem(err);
    *s = (search){.raffle = r, .query = *query, .err = err, .hash = rf_sha256_new()};
    s->back = (query->flags & RAFFLE_EVENT_NEWEST) != 0;
    choose_lists(s);
    raffle_rc rc = s->hash == NULL ? rf_nomem(err) : RAFFLE_OK;
    if (rc == RAFFLE_OK && choose_places(s))
        rc = walk(s, sink, ctx, more);
    rf_sha256_free(s->hash);
    free(s);
    return rc;
}

raffle_rc raffle_event_find(raffle *r, const raffle_event_query *query, raffle_event_sink sink, void *ctx,
                            int32_t *more, raffle_error *err)
{
    raffle_event_query mine;
    int32_t unused;
    raffle_error own = RAFFLE_ERROR_INIT;
    err = err != NULL ? err : &own;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && sink == NULL)
        return rf_null(err, "sink");
    if (rc == RAFFLE_OK)
        rc = rf_struct_in(&mine, sizeof mine, query, "query", err);
    if (rc == RAFFLE_OK && rf_store_published(r->store))
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "a published copy has no indexes to find events by");
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = check_query(r, &mine, err);
    if (rc != RAFFLE_OK)
        return rc;
    more = more != NULL ? more : &unused;
    *more = 0;
    return find(r, &mine, sink, ctx, more, err);
}
