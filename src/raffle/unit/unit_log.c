/* SPDX-License-Identifier: Apache-2.0 */
/* Records into a unit's log, one at a time: its start, voids, events and its close. Sales are in sell.c. */
#include "unit_impl.h"

#include "error.h"
#include "fold_keys.h"
#include <sodium.h>
#include <string.h>

raffle_rc rf_unit_add(rf_unit *u, rf_txn *txn, rf_record *record, const char *private_part, size_t private_length,
                      raffle_error *err)
{
    rf_taken_list taken;
    raffle_store_key owner;
    bool is_taken = false;
    const uint64_t index = rf_txn_size(txn);
    char *room;
    raffle_rc rc = rf_txn_room(txn, 4096, &room, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_record_encode(record, room, 4096);
    if (length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "a %s does not fit into a record", rf_type_name(record->type));
    pthread_mutex_lock(&u->lock);
    const rf_unit_state before = u->state;
    rc = rf_unit_apply(&u->frame, &u->state, record, &taken, err);
    pthread_mutex_unlock(&u->lock);
    for (size_t i = 0; rc == RAFFLE_OK && i < taken.n; i++) {
        const rf_taken *key = &taken.key[i];
        rc = rf_txn_key(txn, key->scope, key->key, key->length, index, &is_taken, &owner, err);
        if (rc == RAFFLE_OK && is_taken)
            rc = key->scope == RF_SCOPE_VOID ? rf_fail(err, RAFFLE_VOIDED, "ticket %u/%lld is void already", u->number,
                                                       (long long)record->serial)
                                             : rf_fail(err, RAFFLE_CORRUPT, "a key of record %llu of unit %u is taken",
                                                       (unsigned long long)index, u->number);
    }
    if (rc == RAFFLE_OK)
        return rf_txn_add(txn, length, private_part, private_length, err);
    pthread_mutex_lock(&u->lock);
    u->state = before;
    pthread_mutex_unlock(&u->lock);
    return rc;
}

static size_t make_private(const raffle_actor *by, const char *text, const rf_private *more, char *out, size_t cap)
{
    rf_private p = {.has = 0};
    if (more != NULL)
        p = *more;
    p.actor = rf_text_of(by->id);
    p.has |= rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT);
    randombytes_buf(p.salt, sizeof p.salt);
    if (text != NULL && text[0] != 0) {
        p.text = rf_text_of(text);
        p.has |= rf_bit(RF_P_TEXT);
    }
    return rf_private_encode(&p, out, cap);
}

/* Sets what all records of a unit have, and adds it. */
static raffle_rc add_plain(rf_unit *u, rf_txn *txn, rf_sha256 *hash, const raffle_actor *by, const char *text,
                           const rf_private *more, int64_t at, rf_record *record, char *private_part, size_t cap,
                           raffle_error *err)
{
    size_t length = make_private(by, text, more, private_part, cap);
    if (length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the private part of a %s does not fit", rf_type_name(record->type));
    rf_sha256_of(hash, record->p, private_part, length);
    record->at = at;
    record->by = by->role;
    record->n = (int64_t)u->state.next;
    record->has |= rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N);
    return rf_unit_add(u, txn, record, private_part, length, err);
}

raffle_rc rf_unit_begin_log(rf_unit *u, rf_txn *txn, rf_sha256 *hash, const raffle_actor *by, int64_t at,
                            char *private_part, size_t cap, raffle_error *err)
{
    if (u->state.size > 0)
        return RAFFLE_OK;
    rf_record start = {.type = RF_UNIT_START, .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_OPEN), .unit = u->number};
    memcpy(start.open, u->frame.open, 32);
    return add_plain(u, txn, hash, by, NULL, NULL, at, &start, private_part, cap, err);
}

typedef struct request {
    rf_unit_op *op;
    rf_sha256 *hash;
    raffle_error *err;
    raffle_rc rc;
    char start[512], private_part[RF_PRIVATE_ROOM];
} request;

static raffle_rc build_record(request *q, rf_txn *txn, raffle_error *err)
{
    rf_unit_op *op = q->op;
    rf_unit *u = op->unit;
    const bool reset = op->record.type == RF_EVENT && rf_text_is(&op->record.code, "clock.reset");
    rf_record record = op->record;
    int64_t at;
    raffle_rc rc = rf_clock_next(u->raffle, u->state.last_at, &u->last_clock, &u->last_monotonic, reset, &at, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_begin_log(u, txn, q->hash, op->by, at, q->start, sizeof q->start, err);
    record.at = at;
    if (rc == RAFFLE_OK && op->check != NULL)
        rc = op->check(op->ctx, &u->state, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    op->index = rf_txn_size(txn);
    return add_plain(u, txn, q->hash, op->by, op->text, op->more, at, &record, q->private_part, sizeof q->private_part,
                     err);
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    request *q = ctx;
    raffle *r = q->op->unit->raffle;
    const uint64_t before = rf_txn_size(txn);
    pthread_rwlock_rdlock(&r->control_lock);
    raffle_rc rc = rf_unit_control_same(q->op->unit, err);
    pthread_rwlock_unlock(&r->control_lock);
    if (rc != RAFFLE_OK)
        return rc;
    q->rc = build_record(q, txn, q->err);
    return q->rc == RAFFLE_OK || rf_txn_size(txn) == before ? RAFFLE_OK : rf_fail_as(err, q->err);
}

raffle_rc rf_unit_append(rf_unit_op *op, raffle_error *err)
{
    raffle_error refusal = RAFFLE_ERROR_INIT;
    request q = {.op = op, .hash = rf_sha256_new(), .err = &refusal};
    if (q.hash == NULL)
        return rf_nomem(err);
    rf_request r = {.build = build, .ctx = &q, .timeout_ms = rf_timeout(op->unit->raffle)};
    raffle_rc rc = rf_log_append(op->unit->log, &r, err);
    rf_tell_log(op->unit->raffle, op->unit->log);
    rf_sha256_free(q.hash);
    return q.rc != RAFFLE_OK ? rf_fail_as(err, &refusal) : rc;
}

/* --- the close --- */

static raffle_rc set_totals(void *ctx, const rf_unit_state *state, rf_record *record, raffle_error *err)
{
    const rf_unit_state *folded = ctx;
    if (state->size != (folded->size == 0 ? 1 : folded->size))
        return rf_fail(err, RAFFLE_BUSY, "records came in while the unit was being closed; close it again");
    record->tickets = (int64_t)state->tickets;
    record->numbers = (int64_t)state->numbers;
    record->voids = (int64_t)state->voids;
    record->void_numbers = (int64_t)state->void_numbers;
    record->gross = state->gross;
    record->void_gross = state->void_gross;
    return RAFFLE_OK;
}

static bool same_state(const rf_unit_state *a, const rf_unit_state *b)
{
    return a->size == b->size && a->next == b->next && a->tickets == b->tickets && a->numbers == b->numbers &&
           a->voids == b->voids && a->void_numbers == b->void_numbers && a->events == b->events &&
           a->gross == b->gross && a->void_gross == b->void_gross && a->last_at == b->last_at && a->closed == b->closed;
}

/* Folds everything again, what an earlier try has not, and halts the unit when that gives another state (design section 3). */
static raffle_rc fold_again(rf_unit *u, rf_unit_state *folded, raffle_error *err)
{
    rf_unit_state kept;
    raffle_rc rc = rf_unit_current(u, &kept, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_refold_on(u, kept.size, folded, err);
    if (rc == RAFFLE_OK && !same_state(&kept, folded))
        rc = rf_fail(err, RAFFLE_STATE_DIFFERS, "unit %u: its %llu records give other totals than were kept", u->number,
                     (unsigned long long)kept.size);
    if (rc == RAFFLE_CORRUPT || rc == RAFFLE_STATE_DIFFERS) {
        rf_log_stop(u->log, rc);
        rf_tell_log(u->raffle, u->log);
    }
    return rc;
}

raffle_rc rf_unit_close(rf_unit *u, const raffle_actor *by, raffle_error *err)
{
    enum {
        TRIES = 64 /* the first reads the unit; each of the others what came in meanwhile */
    };
    rf_unit_state folded;
    rf_unit_op op = {.unit = u, .by = by, .check = set_totals, .ctx = &folded};
    op.record.type = RF_UNIT_CLOSE;
    op.record.has = rf_bit(RF_F_TICKETS) | rf_bit(RF_F_NUMBERS) | rf_bit(RF_F_VOIDS) | rf_bit(RF_F_VOID_NUMBERS) |
                    rf_bit(RF_F_GROSS) | rf_bit(RF_F_VOID_GROSS);
    rf_unit_state_init(&folded);
    raffle_rc rc = rf_unit_enter_write(u, err);
    raffle_error busy = RAFFLE_ERROR_INIT; /* of a try that another follows */
    for (int i = 0; rc == RAFFLE_OK && i < TRIES; i++) {
        rc = fold_again(u, &folded, err);
        if (rc != RAFFLE_OK || folded.closed)
            return rc;
        rc = rf_unit_append(&op, &busy);
        if (rc != RAFFLE_BUSY)
            return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &busy);
        rc = RAFFLE_OK;
    }
    return rc != RAFFLE_OK
               ? rc
               : rf_fail(err, RAFFLE_BUSY, "unit %u goes on selling; disable it before it is closed", u->number);
}
