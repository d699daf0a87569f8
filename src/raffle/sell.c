/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one call that sells. Lines are checked in the caller's thread; private parts are made and hashed by the worker, a chunk ahead of the leader,
 * who takes the order's key, folds and encodes; what was sold before, or refused, is looked up afterwards by its order key.
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
    CHUNK = 128,         /* lines whose private parts are made together */
    PRIVATE_MOST = 1024, /* bytes of a line's private part: five texts, every character escaped */
    INLINE_LINES = 16    /* a shorter call makes its private parts in the caller's thread */
};

/* --- checking lines, before the log is touched --- */

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
    return s->channel[0] == 0 || rf_word_valid(s->channel, strnlen(s->channel, sizeof s->channel), RAFFLE_WORD_MAX) ? -1 : 4;
}

/* The first failure is the call's sentence. */
static raffle_rc refuse(rf_sell *q, size_t i, raffle_rc rc, const char *sentence)
{
    q->line[i].rc = rc;
    if (q->first_fault == SIZE_MAX || i < q->first_fault) {
        q->first_fault = i;
        (void)rf_fail_at(&q->fault, rc, (uint32_t)i + 1, "line %zu: %s", i + 1, sentence);
    }
    return rc;
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

/* Lines that follow one another with one key are one order: all fail when one does. */
static void group_orders(rf_sell *q)
{
    for (size_t i = 0, end; i < q->n; i = end) {
        const char *order = rf_sell_line(q, i)->order;
        for (end = i + 1; end < q->n && order[0] != 0 && strncmp(order, rf_sell_line(q, end)->order, RAFFLE_NAME_SIZE) == 0; end++)
            continue;
        raffle_rc rc = RAFFLE_OK;
        for (size_t k = i; k < end && rc == RAFFLE_OK; k++)
            rc = q->line[k].rc;
        if (rc == RAFFLE_OK && end - i > (size_t)q->unit->raffle->rules->order_tickets)
            rc = refuse(q, i, RAFFLE_LIMIT, "the order has more tickets than the rules allow");
        for (size_t k = i; k < end; k++) {
            q->line[k].order_first = (uint32_t)i;
            q->line[k].order_lines = (uint32_t)(end - i);
            if (rc != RAFFLE_OK && q->line[k].rc == RAFFLE_OK)
                q->line[k].rc = rc;
        }
    }
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

/* --- private parts, in the worker --- */

static void put_text(rf_private *p, rf_private_field field, rf_text *text, const char *value)
{
    if (value[0] == 0)
        return;
    *text = rf_text_of(value);
    p->has |= rf_bit(field);
}

static void make_private(rf_sell *q, size_t i, const uint8_t salt[16], rf_sell_chunk *chunk)
{
    const raffle_sale *s = rf_sell_line(q, i);
    rf_sell_line_state *line = &q->line[i];
    const char *order = rf_sell_order(q, i);
    rf_private p = {.has = rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT) | rf_bit(RF_P_LINE) | rf_bit(RF_P_LINES) | rf_bit(RF_P_ORDER),
                    .actor = q->actor,
                    .line = (int64_t)i - line->order_first,
                    .lines = line->order_lines,
                    .order = rf_text_of(order)};
    put_text(&p, RF_P_BUYER, &p.buyer, s->buyer);
    put_text(&p, RF_P_CHANNEL, &p.channel, s->channel);
    put_text(&p, RF_P_PAYMENT, &p.payment, s->payment);
    memcpy(p.salt, salt, 16);
    line->private_part = chunk->arena + chunk->used;
    line->private_length = (uint32_t)rf_private_encode(&p, chunk->arena + chunk->used, PRIVATE_MOST);
    chunk->used += line->private_length;
    rf_sha256_of(q->hash, line->p, line->private_part, line->private_length);
    if (p.line == 0)
        line->order_hash_length = (uint32_t)rf_order_hash(line->order_hash, q->unit->raffle->order_key, order, p.order.length);
}

static void make_chunk(void *ctx)
{
    rf_sell_chunk *chunk = ctx;
    uint8_t salt[CHUNK][16];
    const size_t n = chunk->end - chunk->begin;
    randombytes_buf(salt, n * 16);
    chunk->used = 0;
    for (size_t i = 0; i < n; i++)
        if (chunk->sell->line[chunk->begin + i].rc != RAFFLE_INVALID)
            make_private(chunk->sell, chunk->begin + i, salt[i], chunk);
}

static rf_sell_chunk *chunk_of(rf_sell *q, size_t begin)
{
    return &q->chunk[begin / CHUNK];
}

static void prepare(rf_sell *q, rf_txn *txn, size_t begin)
{
    if (begin >= q->n || q->prepared)
        return;
    rf_sell_chunk *chunk = chunk_of(q, begin);
    chunk->task = (rf_task){.run = make_chunk, .ctx = chunk};
    rf_worker_submit(rf_txn_worker(txn), &chunk->task);
}

static void wait_prepared(rf_sell *q, rf_txn *txn, size_t begin)
{
    if (begin < q->n && !q->prepared)
        rf_worker_wait(rf_txn_worker(txn), &chunk_of(q, begin)->task);
}

/* --- in the transaction --- */

/* What may refuse a whole call, whatever its lines say: looked at under the control log's lock. */
static void judge_unit(rf_sell *q)
{
    raffle *r = q->unit->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_unit_row *row = &r->control.unit[q->unit->number - 1];
    q->quota = row->quota;
    q->refusal = RAFFLE_OK;
    if (r->control.final.kind != 0 || q->unit->state.closed) {
        q->refusal = RAFFLE_CLOSED;
        snprintf(q->refusal_text, sizeof q->refusal_text, "unit %u is closed", q->unit->number);
    } else if (!row->enabled) {
        q->refusal = RAFFLE_DISABLED;
        snprintf(q->refusal_text, sizeof q->refusal_text, "unit %u is %s", q->unit->number, row->unenrolled ? "un-enrolled" : "not enabled");
    } else if (!rf_rules_may(r->rules, RF_OP_SELL, q->by->role)) {
        q->refusal = RAFFLE_ROLE;
        snprintf(q->refusal_text, sizeof q->refusal_text, "the role %s may not sell", raffle_role_name(q->by->role));
    }
    pthread_rwlock_unlock(&r->control_lock);
}

static int64_t line_time(const rf_sell *q, size_t i)
{
    int64_t at = rf_sell_line(q, i)->at;
    if (at == 0)
        return q->at;
    return at > q->unit->state.last_at ? at : q->unit->state.last_at;
}

/* What may refuse one order: everything that the fold would refuse, and the quota, which it does not know. */
static raffle_rc judge_order(rf_sell *q, size_t i, char sentence[120])
{
    const rf_rules *rules = q->unit->raffle->rules;
    const size_t lines = q->line[i].order_lines;
    const int64_t at = line_time(q, i);
    uint64_t numbers = 0;
    for (size_t k = i; k < i + lines; k++)
        numbers += (uint64_t)rules->tier[q->line[k].tier].count;
    if (q->refusal != RAFFLE_OK) {
        memcpy(sentence, q->refusal_text, sizeof q->refusal_text);
        return q->refusal;
    }
    if (at < rules->opens || at >= rules->closes) {
        snprintf(sentence, 120, at < rules->opens ? "the sales window opens in %lld s" : "the sales window closed %lld s ago",
                 (long long)(at < rules->opens ? rules->opens - at : at - rules->closes) / 1000);
        return RAFFLE_WINDOW;
    }
    if (q->quota > 0 && q->unit->state.numbers + numbers > q->quota) {
        snprintf(sentence, 120, "unit %u has %llu of its %llu draw numbers left", q->unit->number,
                 (unsigned long long)(q->quota > q->unit->state.numbers ? q->quota - q->unit->state.numbers : 0), (unsigned long long)q->quota);
        return RAFFLE_QUOTA;
    }
    return RAFFLE_OK;
}

static raffle_rc add_line(rf_sell *q, rf_txn *txn, size_t i, int64_t at, raffle_error *err)
{
    rf_unit *u = q->unit;
    rf_sell_line_state *line = &q->line[i];
    const rf_tier *tier = &u->raffle->rules->tier[line->tier];
    rf_record r;
    r.type = RF_SALE;
    r.has = rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N) | rf_bit(RF_F_COUNT) | rf_bit(RF_F_PRICE) |
            rf_bit(RF_F_TIER);
    r.at = at;
    r.by = q->by->role;
    r.n = (int64_t)u->state.next;
    r.count = tier->count;
    r.price = tier->price;
    r.tier = rf_text_of(tier->name);
    memcpy(r.p, line->p, 32);
    line->serial = rf_txn_size(txn);
    line->first = u->state.next;
    line->at = at;
    char *room;
    raffle_rc rc = rf_txn_room(txn, 512, &room, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_record_encode(&r, room, 512);
    rc = length == 0 ? rf_fail(err, RAFFLE_LIMIT, "a sale does not fit into a record") : rf_unit_apply(&u->frame, &u->state, &r, NULL, err);
    return rc == RAFFLE_OK ? rf_txn_add(txn, length, line->private_part, line->private_length, err) : rc;
}

static raffle_rc sell_order(rf_sell *q, rf_txn *txn, size_t i, raffle_error *err)
{
    rf_sell_line_state *line = &q->line[i];
    char sentence[120];
    raffle_store_key owner;
    bool taken;
    if (line->rc != RAFFLE_OK)
        return RAFFLE_OK;
    raffle_rc rc = judge_order(q, i, sentence);
    if (rc != RAFFLE_OK) {
        refuse(q, i, rc, sentence);
        line->outcome = RF_SELL_REFUSED;
        return RAFFLE_OK;
    }
    rc = rf_txn_key(txn, RF_SCOPE_ORDER, line->order_hash, line->order_hash_length, rf_txn_size(txn), &taken, &owner, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (taken) {
        line->outcome = RF_SELL_TAKEN;
        line->owner_log = owner.log;
        line->owner_index = owner.index;
        return RAFFLE_OK;
    }
    line->outcome = RF_SELL_SOLD;
    const int64_t at = line_time(q, i);
    for (size_t k = i; rc == RAFFLE_OK && k < i + line->order_lines; k++)
        rc = add_line(q, txn, k, at, err);
    return rc;
}

/* Undoes what an earlier try of the same transaction left in the lines. */
static void start_over(rf_sell *q)
{
    q->first_fault = q->checked_fault;
    for (size_t i = 0; i < q->n; i++) {
        if (q->line[i].outcome == RF_SELL_REFUSED)
            q->line[i].rc = RAFFLE_OK;
        q->line[i].outcome = RF_SELL_NONE;
    }
}

static raffle_rc sell_lines(rf_sell *q, rf_txn *txn, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    size_t prepared_to = 0; /* lines whose private parts are there */
    prepare(q, txn, 0);
    for (size_t i = 0; rc == RAFFLE_OK && i < q->n; i += q->line[i].order_lines) {
        while (prepared_to < q->n && prepared_to < i + q->line[i].order_lines) {
            wait_prepared(q, txn, prepared_to);
            prepared_to += CHUNK;
            prepare(q, txn, prepared_to);
        }
        rc = sell_order(q, txn, i, err);
    }
    if (rc != RAFFLE_OK)
        wait_prepared(q, txn, prepared_to); /* nobody writes into memory that is about to be freed */
    else
        q->prepared = true; /* another try finds them there */
    return rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    rf_sell *q = ctx;
    rf_unit *u = q->unit;
    start_over(q);
    q->stopped = rf_clock_next(u->raffle, u->state.last_at, &u->last_clock, &u->last_monotonic, false, &q->at, &q->fault);
    if (q->stopped != RAFFLE_OK)
        return RAFFLE_OK;
    judge_unit(q);
    raffle_rc rc = q->refusal == RAFFLE_OK ? rf_unit_begin_log(u, txn, q->hash, q->by, q->at, q->start, sizeof q->start, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    q->base = rf_txn_size(txn);
    pthread_mutex_lock(&u->lock);
    rc = sell_lines(q, txn, err);
    pthread_mutex_unlock(&u->lock);
    return rc;
}

/* --- the call --- */

static raffle_rc make_memory(rf_sell *q, raffle_error *err)
{
    const size_t chunks = (q->n + CHUNK - 1) / CHUNK;
    q->line = calloc(q->n, sizeof *q->line);
    q->chunk = calloc(chunks, sizeof *q->chunk);
    q->arena = malloc(q->n * PRIVATE_MOST); /* room for the longest; what is short touches little of it */
    q->hash = rf_sha256_new();
    if (q->line == NULL || q->chunk == NULL || q->arena == NULL || q->hash == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < chunks; i++)
        q->chunk[i] = (rf_sell_chunk){.sell = q,
                                      .arena = q->arena + i * CHUNK * PRIVATE_MOST,
                                      .begin = i * CHUNK,
                                      .end = i + 1 < chunks ? (i + 1) * CHUNK : q->n};
    return RAFFLE_OK;
}

static void free_memory(rf_sell *q)
{
    rf_sha256_free(q->hash);
    free(q->line);
    free(q->chunk);
    free(q->arena);
    free(q->made);
}

static raffle_rc check_lines(rf_sell *q, raffle_error *err)
{
    raffle_rc rc = make_missing_keys(q, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < q->n; i++)
        check_line(q, i);
    if (rc != RAFFLE_OK)
        return rc;
    group_orders(q);
    q->checked_fault = q->first_fault;
    if (q->n < INLINE_LINES) {
        make_chunk(chunk_of(q, 0));
        q->prepared = true;
    }
    return RAFFLE_OK;
}

static raffle_rc sell(rf_sell *q, int32_t timeout_ms, raffle_error *err)
{
    raffle_rc rc = check_lines(q, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_request request = {.build = build, .ctx = q, .timeout_ms = timeout_ms};
    rc = rf_log_append(q->unit->log, &request, err);
    if (rc == RAFFLE_OK && q->stopped != RAFFLE_OK)
        rc = rf_fail_as(err, &q->fault);
    return rc;
}

static raffle_rc check_arguments(raffle_unit *unit, const raffle_sale *sales, size_t n, const raffle_ticket *tickets, raffle_error *err)
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
        return rf_fail(err, RAFFLE_MISUSE, "sales and tickets step by %u and %u bytes", sales->struct_size, tickets->struct_size);
    for (size_t i = 0; sales->struct_size > sizeof(raffle_sale) && i < n; i++) {
        raffle_sale copy;
        const uint8_t *element = (const uint8_t *)sales + i * sales->struct_size;
        if (i == 0 && (rc = rf_struct_in(&copy, sizeof copy, element, "sales", err)) != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

raffle_rc raffle_unit_sell(raffle_unit *unit, const raffle_actor *by, const raffle_sale *sales, size_t n, int32_t timeout_ms,
                           raffle_ticket *tickets, raffle_error *err)
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
                 .first_fault = SIZE_MAX,
                 .fault = RAFFLE_ERROR_INIT};
    rc = rf_unit_enter_write(q.unit, &mine);
    if (rc == RAFFLE_OK)
        rc = make_memory(&q, &mine);
    if (rc == RAFFLE_OK)
        rc = sell(&q, timeout_ms, &mine);
    rc = rf_sell_answer(&q, rc, &mine, tickets, err);
    free_memory(&q);
    return rc;
}
