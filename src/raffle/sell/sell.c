/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one call that sells. The worker checks lines, and makes and hashes their private parts, ahead of the leader, who takes the order's key, folds
 * and encodes; what was sold before, or refused, is looked up afterwards by its order key.
 */
#include "sell_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRIDE = 64,         /* lines between two words about how far the worker is */
    PRIVATE_MOST = 1024, /* bytes of a line's private part: five texts, every character escaped */
    LEAF_MOST = 320,     /* bytes of its leaf */
    INLINE_LINES = 16    /* a shorter call makes its private parts in the caller's thread */
};

/* --- checking lines --- */

const raffle_sale *rf_sell_line(const rf_sell *q, size_t i)
{
    return (const raffle_sale *)(const void *)((const char *)q->sales + i * q->step);
}

static const char *const field_faults[] = {"order", "tier", "payment", "buyer", "channel"};

static bool optional_text(const char *text, size_t size, size_t max)
{
    return text[0] == 0 || rf_text_valid(text, strnlen(text, size), max);
}

/* The number of the first field that is malformed, or -1. */
static int malformed_field(const raffle_sale *s)
{
    if (!optional_text(s->order, sizeof s->order, RAFFLE_NAME_MAX))
        return 0;
    if (!rf_word_valid(s->tier, strnlen(s->tier, sizeof s->tier), RAFFLE_WORD_MAX))
        return 1;
    if (!optional_text(s->payment, sizeof s->payment, RAFFLE_NAME_MAX))
        return 2;
    if (!optional_text(s->buyer, sizeof s->buyer, RAFFLE_NAME_MAX))
        return 3;
    return s->channel[0] == 0 || rf_word_valid(s->channel, strnlen(s->channel, sizeof s->channel), RAFFLE_WORD_MAX) ? -1
                                                                                                                    : 4;
}

raffle_rc rf_sell_fail(rf_sell_fault *fault, size_t i, raffle_rc rc, const char *sentence)
{
    if (i < fault->line) {
        fault->line = i;
        (void)rf_fail_at(&fault->error, rc, (uint32_t)i + 1, "line %zu: %s", i + 1, sentence);
    }
    return rc;
}

static void refuse(rf_sell *q, size_t i, raffle_rc rc, const char *sentence)
{
    q->line[i].rc = rf_sell_fail(&q->checked, i, rc, sentence);
}

static void check_line(rf_sell *q, size_t i)
{
    const raffle_sale *s = rf_sell_line(q, i);
    rf_sell_line_state *line = &q->line[i];
    char sentence[120];
    int bad = malformed_field(s);
    if (bad >= 0) {
        snprintf(sentence, sizeof sentence, "the %s is malformed or too long", field_faults[bad]);
        refuse(q, i, RAFFLE_INVALID, sentence);
        return;
    }
    line->tier = rf_rules_tier(q->unit->raffle->rules, s->tier, strlen(s->tier));
    if (line->tier < 0) {
        snprintf(sentence, sizeof sentence, "there is no tier \"%s\"", s->tier);
        refuse(q, i, RAFFLE_NOT_FOUND, sentence);
        return;
    }
    if (s->buyer[0] == 0 && q->unit->raffle->rules->buyer_tickets > 0) {
        refuse(q, i, RAFFLE_INVALID, "the rules limit a buyer's tickets, and it has no buyer");
        return;
    }
    if (s->at == 0)
        return;
    if (!(q->unit->raffle->host.flags & RAFFLE_HOST_REPLAYED_CLOCK))
        refuse(q, i, RAFFLE_REHEARSAL, "a time of its own needs a rehearsal and a replayed clock");
    else if (s->at < 0 || s->at > RF_TIME_MAX)
        refuse(q, i, RAFFLE_INVALID, "its time is not between 1970 and 9999");
}

/* A key for an order that came without: a UUIDv7 (RFC 9562 section 5.7). */
static void make_order_key(char out[RAFFLE_NAME_SIZE])
{
    static const char digit[] = "0123456789abcdef";
    uint8_t b[16];
    randombytes_buf(b, sizeof b);
    rf_put_be(b, (uint64_t)rf_clock_now(), 6);
    b[6] = (uint8_t)(0x70 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digit[b[i] >> 4];
        out[at++] = digit[b[i] & 15];
    }
    memset(out + at, 0, RAFFLE_NAME_SIZE - at);
}

const char *rf_sell_order(const rf_sell *q, size_t i)
{
    const rf_sell_line_state *line = &q->line[i];
    return line->made != 0 ? q->made[line->made - 1] : rf_sell_line(q, i)->order;
}

static int compare_orders(const rf_sell *q, size_t i, size_t k)
{
    return strncmp(rf_sell_line(q, i)->order, rf_sell_line(q, k)->order, RAFFLE_NAME_SIZE);
}

/* Lines that follow one another with one key are one order. Returns whether the keys ascend: then none comes again. */
static bool group_orders(rf_sell *q)
{
    bool ascend = true;
    for (size_t i = 0, end; i < q->n; i = end) {
        int order = -1;
        for (end = i + 1; end < q->n; end++)
            if ((order = compare_orders(q, i, end)) != 0 || rf_sell_line(q, i)->order[0] == 0)
                break;
        ascend = ascend && (order < 0 || rf_sell_line(q, i)->order[0] == 0);
        for (size_t k = i; k < end; k++) {
            q->line[k].order_first = (uint32_t)i;
            q->line[k].order_lines = (uint32_t)(end - i);
        }
    }
    return ascend;
}

/* FNV-1a: keys that collide cost time and nothing else. */
static uint64_t hash_order(const char *order)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < RAFFLE_NAME_SIZE && order[i] != 0; i++)
        h = (h ^ (uint8_t)order[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* Refuses each order whose key stands further up in the call, with another order in between. */
static raffle_rc refuse_repeated(rf_sell *q, raffle_error *err)
{
    size_t cap = 64;
    while (cap < 2 * q->n)
        cap *= 2;
    uint32_t *seen = calloc(cap, sizeof *seen); /* 1 + the first line of an order; 0 is free */
    if (seen == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < q->n; i += q->line[i].order_lines) {
        if (rf_sell_line(q, i)->order[0] == 0)
            continue;
        size_t at = hash_order(rf_sell_line(q, i)->order) & (cap - 1);
        while (seen[at] != 0 && compare_orders(q, i, seen[at] - 1) != 0)
            at = (at + 1) & (cap - 1);
        if (seen[at] != 0)
            refuse(q, i, RAFFLE_INVALID, "its order key stands further up, after which another order came");
        else
            seen[at] = (uint32_t)i + 1;
    }
    free(seen);
    return RAFFLE_OK;
}

static raffle_rc make_missing_keys(rf_sell *q, raffle_error *err)
{
    size_t missing = 0;
    for (size_t i = 0; i < q->n; i++)
        missing += rf_sell_line(q, i)->order[0] == 0;
    if (missing == 0)
        return RAFFLE_OK;
    q->made = calloc(missing, sizeof *q->made);
    if (q->made == NULL)
        return rf_nomem(err);
    missing = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (rf_sell_line(q, i)->order[0] != 0)
            continue;
        make_order_key(q->made[missing]);
        q->line[i].made = (uint32_t)++missing;
    }
    return RAFFLE_OK;
}

/* --- private parts, with the checks before them, in the worker --- */

static void put_text(rf_private *p, rf_private_field field, rf_text *text, const char *value)
{
    if (value[0] == 0)
        return;
    *text = rf_text_of(value);
    p->has |= rf_bit(field);
}

static void make_private(rf_sell *q, size_t i, const uint8_t salt[16])
{
    const raffle_sale *s = rf_sell_line(q, i);
    rf_sell_line_state *line = &q->line[i];
    const char *order = rf_sell_order(q, i);
    rf_private p = {.has = rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT) | rf_bit(RF_P_LINE) | rf_bit(RF_P_LINES) |
                           rf_bit(RF_P_ORDER),
                    .actor = q->actor,
                    .line = (int64_t)i - line->order_first,
                    .lines = line->order_lines,
                    .order = rf_text_of(order)};
    put_text(&p, RF_P_BUYER, &p.buyer, s->buyer);
    put_text(&p, RF_P_CHANNEL, &p.channel, s->channel);
    put_text(&p, RF_P_PAYMENT, &p.payment, s->payment);
    memcpy(p.salt, salt, 16);
    line->private_part = q->arena + q->arena_used;
    line->private_length = (uint32_t)rf_private_encode(&p, q->arena + q->arena_used, PRIVATE_MOST);
    q->arena_used += line->private_length;
    rf_sha256_of(q->hash, line->p, line->private_part, line->private_length);
    if (p.line == 0)
        line->order_hash_length =
            (uint32_t)rf_order_hash(line->order_hash, q->unit->raffle->order_key, order, p.order.length);
}

static void make_sale(const rf_sell *q, size_t i, uint64_t first, int64_t at, rf_record *r)
{
    const rf_tier *tier = &q->unit->raffle->rules->tier[q->line[i].tier];
    r->type = RF_SALE;
    r->has = rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N) | rf_bit(RF_F_COUNT) |
             rf_bit(RF_F_PRICE) | rf_bit(RF_F_TIER);
    r->at = at;
    r->by = q->by->role;
    r->n = (int64_t)first;
    r->count = tier->count;
    r->price = tier->price;
    r->tier = rf_text_of(tier->name);
    memcpy(r->p, q->line[i].p, 32);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The leaf, should no order before this line be dropped; `next` and `last_at` go along. */
static void make_leaf(rf_sell *q, size_t i, uint64_t *next, int64_t *last_at)
{
    rf_sell_line_state *line = &q->line[i];
    const rf_tier *tier = &q->unit->raffle->rules->tier[line->tier];
    const int64_t own = rf_sell_line(q, line->order_first)->at;
    rf_record r;
    line->first = *next;
    line->at = later(own == 0 ? q->at : own, *last_at);
    make_sale(q, i, line->first, line->at, &r);
    line->leaf = q->arena + q->arena_used;
    line->leaf_length = (uint32_t)rf_record_encode(&r, q->arena + q->arena_used, LEAF_MOST);
    q->arena_used += line->leaf_length;
    *next += (uint64_t)tier->count;
    *last_at = later(*last_at, line->at);
}

static void report(rf_sell *q, size_t prepared)
{
    pthread_mutex_lock(&q->lock);
    q->prepared = prepared;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
}

static void make_privates(void *ctx)
{
    rf_sell *q = ctx;
    uint8_t salt[STRIDE][16];
    uint64_t next = q->ahead_next;
    int64_t last_at = q->ahead_last_at;
    q->arena_used = 0;
    for (size_t begin = 0; begin < q->n; begin += STRIDE) {
        const size_t n = q->n - begin < STRIDE ? q->n - begin : STRIDE;
        randombytes_buf(salt, n * 16);
        for (size_t i = 0; i < n; i++) {
            check_line(q, begin + i);
            if (q->line[begin + i].rc != RAFFLE_OK)
                continue;
            make_private(q, begin + i, salt[i]);
            if (q->ahead)
                make_leaf(q, begin + i, &next, &last_at);
        }
        report(q, begin + n);
    }
}

/* Waits until the first `n` lines have their private parts. */
static void wait_prepared(rf_sell *q, size_t n)
{
    pthread_mutex_lock(&q->lock);
    while (q->prepared < n)
        pthread_cond_wait(&q->more, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

/* --- in the transaction --- */

/* A till that has heard nothing for as long as it may sell by itself (GLI-31 6.1.4). */
static bool heard_nothing(const rf_unit_row *row, int64_t at)
{
    static const int64_t hour_ms = 3600000;
    return row->away && row->away_hours > 0 && at - row->heard > (int64_t)row->away_hours * hour_ms;
}

/* What may refuse a whole call, whatever its lines say: looked at under the control log's lock. */
static raffle_rc judge_unit(rf_sell *q, raffle_error *err)
{
    raffle *r = q->unit->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    raffle_rc rc = rf_unit_control_same(q->unit, err);
    const rf_unit_row *row = rf_control_unit(&r->control, q->unit->number);
    q->quota = row->quota;
    q->refusal = RAFFLE_OK;
    if (r->control.final.kind != 0 || q->unit->state.closed) {
        q->refusal = RAFFLE_CLOSED;
        snprintf(q->refusal_text, sizeof q->refusal_text, "unit %u is closed", q->unit->number);
    } else if (!row->enabled) {
        q->refusal = RAFFLE_DISABLED;
        snprintf(q->refusal_text, sizeof q->refusal_text, "unit %u is %s", q->unit->number,
                 row->unenrolled ? "un-enrolled" : "not enabled");
    } else if (heard_nothing(row, q->at)) {
        q->refusal = RAFFLE_AWAY;
        snprintf(q->refusal_text, sizeof q->refusal_text,
                 "unit %u has heard nothing for %u hours: upload, and update it", q->unit->number, row->away_hours);
    } else if (!rf_rules_may(r->rules, RF_OP_SELL, q->by->role)) {
        q->refusal = RAFFLE_ROLE;
        snprintf(q->refusal_text, sizeof q->refusal_text, "the role %s may not sell", raffle_role_name(q->by->role));
    }
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

/* The time of the record before the next one; that of unit.start, when this sale will be the first. */
static int64_t last_time(const rf_sell *q)
{
    return q->unit->state.size == 0 ? q->at : q->unit->state.last_at;
}

static int64_t line_time(const rf_sell *q, size_t i)
{
    const int64_t own = rf_sell_line(q, i)->at;
    return later(own == 0 ? q->at : own,
                 last_time(q)); /* replayed times of the group's earlier calls may lie after `at` */
}

/* What may refuse one order: everything that the fold would refuse, and the quota, which it does not know. */
static raffle_rc judge_order(rf_sell *q, size_t i, char sentence[120])
{
    const rf_rules *rules = q->unit->raffle->rules;
    const size_t lines = q->line[i].order_lines;
    const int64_t at = line_time(q, i);
    uint64_t numbers = 0;
    int64_t gross = 0;
    if (lines > (uint64_t)rules->order_tickets) {
        snprintf(sentence, 120, "the order has %zu tickets; the rules allow %lld", lines,
                 (long long)rules->order_tickets);
        return RAFFLE_LIMIT;
    }
    for (size_t k = i; k < i + lines; k++) {
        numbers += (uint64_t)rules->tier[q->line[k].tier].count;
        gross += rules->tier[q->line[k].tier].price;
    }
    if (q->refusal != RAFFLE_OK) {
        memcpy(sentence, q->refusal_text, sizeof q->refusal_text);
        return q->refusal;
    }
    if (at < rules->opens || at >= rules->closes) {
        snprintf(sentence, 120,
                 at < rules->opens ? "the sales window opens in %lld s" : "the sales window closed %lld s ago",
                 (long long)(at < rules->opens ? rules->opens - at : at - rules->closes) / 1000);
        return RAFFLE_WINDOW;
    }
    if (q->quota > 0 && q->unit->state.numbers + numbers > q->quota) {
        snprintf(sentence, 120, "unit %u has %llu of its %llu draw numbers left", q->unit->number,
                 (unsigned long long)(q->quota > q->unit->state.numbers ? q->quota - q->unit->state.numbers : 0),
                 (unsigned long long)q->quota);
        return RAFFLE_QUOTA;
    }
    if (!rf_unit_has_room(&q->unit->state, numbers, gross)) {
        snprintf(sentence, 120, "unit %u has sold as much as a record can say", q->unit->number);
        return RAFFLE_LIMIT;
    }
    return RAFFLE_OK;
}

/* The leaf that was made ahead, when it came true; else one that is made now. */
static raffle_rc add_leaf(rf_sell *q, rf_txn *txn, size_t i, const rf_record *r, bool came_true, raffle_error *err)
{
    const rf_sell_line_state *line = &q->line[i];
    char *room;
    if (came_true)
        return rf_txn_add_leaf(txn, line->leaf, line->leaf_length, line->private_part, line->private_length, err);
    raffle_rc rc = rf_txn_room(txn, LEAF_MOST, &room, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_record_encode(r, room, LEAF_MOST);
    if (length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "a sale does not fit into a record");
    return rf_txn_add(txn, length, line->private_part, line->private_length, err);
}

static raffle_rc add_line(rf_sell *q, rf_txn *txn, size_t i, int64_t at, raffle_error *err)
{
    rf_unit *u = q->unit;
    rf_sell_line_state *line = &q->line[i];
    const bool came_true = line->leaf_length > 0 && line->first == u->state.next && line->at == at;
    rf_record r;
    make_sale(q, i, u->state.next, at, &r);
    line->serial = rf_txn_size(txn);
    line->first = u->state.next;
    line->at = at;
    raffle_rc rc = rf_unit_apply(&u->frame, &u->state, &r, NULL, err);
    return rc == RAFFLE_OK ? add_leaf(q, txn, i, &r, came_true, err) : rc;
}

/* All lines of an order fail when one does. */
static bool fails_with_order(rf_sell *q, size_t i)
{
    const size_t end = i + q->line[i].order_lines;
    raffle_rc rc = RAFFLE_OK;
    for (size_t k = i; k < end && rc == RAFFLE_OK; k++)
        rc = q->line[k].rc;
    for (size_t k = i; k < end && rc != RAFFLE_OK; k++)
        q->line[k].rc = q->line[k].rc == RAFFLE_OK ? rc : q->line[k].rc;
    return rc != RAFFLE_OK;
}

/* Only what is sold begins a log: a refusal leaves an empty one empty. The unit's lock is held, and is taken by those who add; the call's own
 * hash is the worker's by now. */
static raffle_rc begin_log(rf_sell *q, rf_txn *txn, raffle_error *err)
{
    rf_unit *u = q->unit;
    if (u->state.size > 0)
        return RAFFLE_OK;
    pthread_mutex_unlock(&u->lock);
    raffle_rc rc = rf_unit_begin_log(u, txn, u->state_hash, q->by, q->at, q->start, sizeof q->start, err);
    pthread_mutex_lock(&u->lock);
    return rc;
}

static raffle_rc sell_order(rf_sell *q, rf_txn *txn, size_t i, raffle_error *err)
{
    rf_sell_line_state *line = &q->line[i];
    const uint64_t index = rf_txn_size(txn) + (q->unit->state.size == 0); /* after unit.start */
    char sentence[120];
    raffle_store_key owner;
    bool taken;
    if (fails_with_order(q, i))
        return RAFFLE_OK;
    raffle_rc rc = judge_order(q, i, sentence);
    if (rc == RAFFLE_OK)
        rc = rf_sell_judge_buyers(q, i, sentence);
    if (rc != RAFFLE_OK) {
        line->rc = rf_sell_fail(&q->judged, i, rc, sentence);
        line->outcome = RF_SELL_REFUSED;
        return RAFFLE_OK;
    }
    rc = rf_txn_key(txn, RF_SCOPE_ORDER, line->order_hash, line->order_hash_length, index, &taken, &owner, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (taken) {
        line->outcome = RF_SELL_TAKEN;
        line->owner_log = owner.log;
        line->owner_index = owner.index;
        return RAFFLE_OK;
    }
    line->outcome = RF_SELL_SOLD;
    rc = begin_log(q, txn, err);
    const int64_t at = line_time(q, i);
    for (size_t k = i; rc == RAFFLE_OK && k < i + line->order_lines; k++) {
        rc = add_line(q, txn, k, at, err);
        if (rc == RAFFLE_OK)
            rc = rf_sell_take_place(q, txn, k, err);
    }
    return rc;
}

/* Undoes what an earlier try of the same transaction left in the lines. */
static void start_over(rf_sell *q)
{
    q->judged.line = SIZE_MAX;
    rf_sell_start_buyers(q);
    for (size_t i = 0; i < q->n; i++) {
        if (q->line[i].outcome == RF_SELL_REFUSED)
            q->line[i].rc = RAFFLE_OK;
        q->line[i].outcome = RF_SELL_NONE;
    }
}

static raffle_rc sell_lines(rf_sell *q, rf_txn *txn, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    const bool submitted = q->n >= INLINE_LINES;
    size_t ready = submitted ? 0 : q->n;
    if (submitted) {
        q->prepared = 0; /* also in another try, when the numbers and the time are others */
        q->ahead = true;
        q->ahead_next = q->unit->state.next;
        q->ahead_last_at = last_time(q);
        q->task = (rf_task){.run = make_privates, .ctx = q};
        rf_worker_submit(rf_txn_worker(txn), &q->task);
    }
    for (size_t i = 0; rc == RAFFLE_OK && i < q->n; i += q->line[i].order_lines) {
        const size_t end = i + q->line[i].order_lines;
        if (end > ready) {
            ready = end + STRIDE < q->n ? end + STRIDE : q->n;
            wait_prepared(q, ready);
        }
        rc = sell_order(q, txn, i, err);
    }
    if (submitted)
        rf_worker_wait(rf_txn_worker(txn), &q->task);
    return rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    rf_sell *q = ctx;
    rf_unit *u = q->unit;
    start_over(q);
    q->stopped =
        rf_clock_next(u->raffle, u->state.last_at, &u->last_clock, &u->last_monotonic, false, &q->at, &q->clock_fault);
    if (q->stopped != RAFFLE_OK)
        return RAFFLE_OK;
    raffle_rc rc = judge_unit(q, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&u->lock);
    rc = sell_lines(q, txn, err);
    pthread_mutex_unlock(&u->lock);
    return rc;
}

/* --- the call --- */

static raffle_rc make_memory(rf_sell *q, raffle_error *err)
{
    q->line = calloc(q->n, sizeof *q->line);
    q->arena = malloc(q->n * (PRIVATE_MOST + LEAF_MOST)); /* room for the longest; what is short touches little of it */
    q->hash = rf_sha256_new();
    if (q->line == NULL || q->arena == NULL || q->hash == NULL)
        return rf_nomem(err);
    return RAFFLE_OK;
}

static void free_memory(rf_sell *q)
{
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->more);
    rf_sha256_free(q->hash);
    free(q->line);
    free(q->arena);
    free(q->made);
    free(q->buyer);
}

static raffle_rc prepare_lines(rf_sell *q, raffle_error *err)
{
    raffle_rc rc = make_missing_keys(q, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!group_orders(q))
        rc = refuse_repeated(q, err);
    if (rc == RAFFLE_OK)
        rc = rf_sell_find_buyers(q, err);
    if (rc == RAFFLE_OK && q->n < INLINE_LINES)
        make_privates(q);
    return rc;
}

static raffle_rc append(rf_sell *q, int32_t timeout_ms, raffle_error *err)
{
    rf_request request = {
        .build = build, .ctx = q, .timeout_ms = timeout_ms, .rows = (uint64_t)(q->buyers > 0 ? 3 : 2) * q->n};
    return rf_log_append(q->unit->log, &request, err);
}

/* Again, while others sell to the same buyers in between. */
static raffle_rc sell(rf_sell *q, int32_t timeout_ms, raffle_error *err)
{
    enum {
        TRIES = 64
    };
    raffle_rc rc = rf_unit_enter_write(q->unit, err);
    for (int i = 0; rc == RAFFLE_OK && i < TRIES; i++) {
        raffle_error why = RAFFLE_ERROR_INIT;
        rc = append(q, timeout_ms, &why);
        if (!q->recount) {
            rc = rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
            break;
        }
        rc = rf_sell_recount_buyers(q, err);
        q->recount = rc == RAFFLE_OK && i + 1 == TRIES;
    }
    if (q->recount)
        rc = rf_fail(err, RAFFLE_BUSY, "others sold to the same buyers again and again");
    if (rc == RAFFLE_OK && q->stopped != RAFFLE_OK)
        rc = rf_fail_as(err, &q->clock_fault);
    return rc;
}

/* Whether a call that failed as a whole is answered order by order: some may have been sold before. Not when the handle or memory is at fault,
 * nor when time is up. */
static bool may_hold_retries(raffle_rc rc)
{
    return rc != RAFFLE_MISUSE && rc != RAFFLE_FORKED && rc != RAFFLE_NOMEM && rc != RAFFLE_BUSY &&
           rc != RAFFLE_TIMEOUT && rc != RAFFLE_UNKNOWN;
}

/* Nothing was sold. Orders are as if refused, but for those that could never have been sold. */
static void refuse_all(rf_sell *q, raffle_rc rc)
{
    start_over(q);
    for (size_t i = 0; q->n >= INLINE_LINES && i < q->n; i++)
        if (q->line[i].rc == RAFFLE_OK)
            check_line(q, i); /* the worker may not have come to it */
    for (size_t i = 0; i < q->n; i += q->line[i].order_lines) {
        if (fails_with_order(q, i))
            continue;
        q->line[i].outcome = q->line[i].made == 0 ? RF_SELL_REFUSED : RF_SELL_NONE;
        for (size_t k = i; k < i + q->line[i].order_lines; k++)
            q->line[k].rc = rc;
    }
}

static raffle_rc check_arguments(raffle_unit *unit, const raffle_sale *sales, size_t n, const raffle_ticket *tickets,
                                 raffle_error *err)
{
    if (unit == NULL)
        return rf_null(err, "unit");
    raffle_rc rc = rf_struct_check(sales, "sales", err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(tickets, "tickets", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (n < 1 || n > RAFFLE_SELL_MAX)
        return rf_fail(err, RAFFLE_INVALID, "a call sells 1 to %d tickets, not %zu", RAFFLE_SELL_MAX, n);
    if (sales->struct_size % 8 != 0 || tickets->struct_size % 8 != 0 || sales->struct_size < sizeof(raffle_sale))
        return rf_fail(err, RAFFLE_MISUSE, "sales and tickets step by %u and %u bytes", sales->struct_size,
                       tickets->struct_size);
    for (size_t i = 0; i < n; i++)
        for (size_t k = sizeof(raffle_sale); k < sales->struct_size; k++)
            if (((const uint8_t *)sales)[i * sales->struct_size + k] != 0)
                return rf_fail(err, RAFFLE_UNSUPPORTED,
                               "sales[%zu]: byte %zu is set, which this version of the library does not know", i, k);
    return RAFFLE_OK;
}

/* Orders are told apart by the ticket key, also those that were sold before. */
static raffle_rc enter(const raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && r->order_key == NULL)
        return rf_fail(err, RAFFLE_KEY, "the raffle %s was opened without keys, to be read", r->origin);
    return rc;
}

raffle_rc raffle_unit_sell(raffle_unit *unit, const raffle_actor *by, const raffle_sale *sales, size_t n,
                           int32_t timeout_ms, raffle_ticket *tickets, raffle_error *err)
{
    raffle_actor actor;
    raffle_error mine = RAFFLE_ERROR_INIT;
    raffle_rc rc = check_arguments(unit, sales, n, tickets, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_sell q = {.unit = unit->unit,
                 .by = &actor,
                 .actor = rf_text_of(actor.id),
                 .sales = sales,
                 .step = sales->struct_size,
                 .n = n,
                 .checked = {SIZE_MAX, RAFFLE_ERROR_INIT},
                 .judged = {SIZE_MAX, RAFFLE_ERROR_INIT},
                 .clock_fault = RAFFLE_ERROR_INIT};
    pthread_mutex_init(&q.lock, NULL);
    pthread_cond_init(&q.more, NULL);
    rc = enter(q.unit->raffle, &mine);
    if (rc == RAFFLE_OK)
        rc = make_memory(&q, &mine);
    if (rc == RAFFLE_OK)
        rc = prepare_lines(&q, &mine);
    if (rc == RAFFLE_OK) {
        rc = sell(&q, timeout_ms, &mine);
        rf_tell_log(q.unit->raffle, q.unit->log);
        q.by_order = rc == RAFFLE_OK || may_hold_retries(rc);
        if (rc != RAFFLE_OK && q.by_order)
            refuse_all(&q, rc);
    }
    rc = rf_sell_answer(&q, &mine, rc, tickets, err);
    free_memory(&q);
    return rc;
}
