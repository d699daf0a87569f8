/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to the control log: each record is made, folded and encoded under its lock, and folded again from the store when a commit fails. */
#include "raffle_impl.h"

#include "error.h"
#include "sha256.h"
#include <sodium.h>
#include <string.h>

/* --- the fold's callbacks --- */

static raffle_rc apply_bytes(rf_control *control, const raffle_record *record, const uint8_t leaf_hash[32],
                             raffle_error *err)
{
    rf_record decoded;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_record_decode(&decoded, record->leaf, record->leaf_length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_control_apply(control, &decoded, leaf_hash, NULL, &why);
    if (rc == RAFFLE_OK || rc == RAFFLE_NOMEM || rc == RAFFLE_NEWER)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    /* A record that the fold refuses is damage: it was written by the same fold. */
    return rf_fail(err, RAFFLE_CORRUPT, "the control log, record %llu: %s", (unsigned long long)record->index,
                   why.message);
}

static raffle_rc follow(void *ctx, const raffle_record *record, const uint8_t leaf_hash[32], raffle_error *err)
{
    raffle *r = ctx;
    pthread_rwlock_wrlock(&r->control_lock);
    raffle_rc rc = apply_bytes(&r->control, record, leaf_hash, err);
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

typedef struct refold {
    rf_control control;
    rf_sha256 *hash;
} refold;

static raffle_rc refold_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    refold *again = ctx;
    uint8_t leaf_hash[32];
    rf_leaf_hash(again->hash, leaf_hash, record->leaf, record->leaf_length);
    return apply_bytes(&again->control, record, leaf_hash, err);
}

raffle_rc rf_control_refold(raffle *r, uint64_t size, rf_control *control, raffle_error *err)
{
    refold again = {.hash = rf_sha256_new()};
    if (again.hash == NULL)
        return rf_nomem(err);
    rf_control_init(&again.control);
    raffle_rc rc = size == 0 ? RAFFLE_OK : rf_store_read(r->store, 0, 0, size, refold_record, &again, err);
    if (rc == RAFFLE_OK && again.control.size != size)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the control log, record %llu: missing",
                     (unsigned long long)again.control.size);
    rf_sha256_free(again.hash);
    if (rc == RAFFLE_OK)
        *control = again.control;
    else
        rf_control_clear(&again.control);
    return rc;
}

/* Folds beside the state and takes its place at the end: no lock is held while the store is read. */
static raffle_rc refresh(void *ctx, raffle_error *err)
{
    raffle *r = ctx;
    rf_control fresh, old;
    if (!r->control_dirty)
        return RAFFLE_OK;
    raffle_rc rc = rf_control_refold(r, rf_log_size(r->log), &fresh, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_wrlock(&r->control_lock);
    old = r->control;
    r->control = fresh;
    r->control_dirty = false;
    pthread_rwlock_unlock(&r->control_lock);
    rf_control_clear(&old);
    return RAFFLE_OK;
}

static raffle_rc begin(void *ctx, uint64_t control_size, raffle_error *err)
{
    raffle *r = ctx;
    (void)control_size;
    return r->control_dirty ? rf_fail(err, RAFFLE_BUSY, "the control log must be folded again") : RAFFLE_OK;
}

/* What was applied may not be in the store: the state is folded again before it is used. */
static void undo(void *ctx)
{
    raffle *r = ctx;
    pthread_rwlock_wrlock(&r->control_lock);
    r->control_dirty = true;
    pthread_rwlock_unlock(&r->control_lock);
}

/* The control log's state is folded at every opening, and kept nowhere. */
static size_t save(void *ctx, uint8_t *out)
{
    (void)ctx;
    (void)out;
    return 0;
}

rf_log_fold rf_control_fold(raffle *r)
{
    return (rf_log_fold){r, follow, begin, undo, refresh, save};
}

/* --- appending --- */

typedef struct request {
    rf_control_op *op;
    rf_sha256 *hash;
    raffle_rc rc; /* a refusal: nothing was added */
    raffle_error *err;
    int64_t at;
    char private_part[RF_PRIVATE_ROOM]; /* of the record under way */
} request;

static size_t make_private(const rf_control_op *op, char *out, size_t cap)
{
    rf_private p = {.has = 0};
    if (op->more != NULL)
        p = *op->more;
    p.actor = rf_text_of(op->by->id);
    p.has |= rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT);
    randombytes_buf(p.salt, sizeof p.salt);
    if (op->ok != NULL && op->ok->struct_size != 0) {
        p.ok = rf_text_of(op->ok->id);
        p.has |= rf_bit(RF_P_OK);
    }
    if (op->text != NULL && op->text[0] != 0) {
        p.text = rf_text_of(op->text);
        p.has |= rf_bit(RF_P_TEXT);
    }
    if (op->keys != NULL) {
        p.keys = rf_text_of(op->keys);
        p.has |= rf_bit(RF_P_KEYS);
    }
    if (op->seller != NULL) {
        p.seller = rf_text_of(op->seller);
        p.has |= rf_bit(RF_P_SELLER);
    }
    return rf_private_encode(&p, out, cap);
}

static raffle_rc take_keys(rf_txn *txn, const rf_taken_list *taken, uint64_t index, raffle_error *err)
{
    raffle_store_key owner;
    bool is_taken = false;
    for (size_t i = 0; i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_rc rc = rf_txn_key(txn, key->scope, key->key, key->length, index, &is_taken, &owner, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (is_taken && key->scope == RF_SCOPE_VOID)
            return rf_fail(err, RAFFLE_VOIDED, "the ticket is void already, by record %llu of log %u",
                           (unsigned long long)owner.index, owner.log);
        if (is_taken)
            return rf_fail(err, RAFFLE_CORRUPT, "a key of record %llu is taken by record %llu of log %u",
                           (unsigned long long)index, (unsigned long long)owner.index, owner.log);
    }
    return RAFFLE_OK;
}

/* Sets what all records have. */
static void stamp(request *q, rf_record *record)
{
    record->at = q->at;
    record->by = q->op->by->role;
    record->has |= rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P);
    if (q->op->ok != NULL && q->op->ok->struct_size != 0 && record->type != RF_SEAL_UNIT &&
        record->type != RF_DRAW_PICKS) {
        record->ok = q->op->ok->role;
        record->has |= rf_bit(RF_F_OK);
    }
}

/* The fold gets what it will be given when the log is opened again, and not what this process has in mind: a record that nobody could read is not written. */
static raffle_rc add_record(request *q, rf_txn *txn, rf_record *record, char *private_part, size_t cap,
                            raffle_error *err)
{
    rf_record written;
    rf_taken_list taken;
    uint8_t leaf_hash[32];
    const uint64_t index = rf_txn_size(txn);
    size_t private_length = make_private(q->op, private_part, cap);
    if (private_length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the private part of a %s does not fit", rf_type_name(record->type));
    rf_sha256_of(q->hash, record->p, private_part, private_length);
    stamp(q, record);
    if (rf_record_lacks_approver(record))
        return rf_fail(err, RAFFLE_APPROVAL, "a %s needs a second approver", rf_type_name(record->type));
    char *room;
    raffle_rc rc = rf_txn_room(txn, RAFFLE_RECORD_MAX, &room, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_record_encode(record, room, RAFFLE_RECORD_MAX);
    if (length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "a %s does not fit into a record", rf_type_name(record->type));
    rf_leaf_hash(q->hash, leaf_hash, room, length);
    rc = rf_record_decode(&written, room, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_apply(&q->op->raffle->control, &written, leaf_hash, &taken, err);
    if (rc == RAFFLE_OK)
        rc = take_keys(txn, &taken, index, err);
    return rc == RAFFLE_OK ? rf_txn_add(txn, length, private_part, private_length, err) : rc;
}

static raffle_rc add_records(request *q, rf_txn *txn, size_t *added, raffle_error *err)
{
    for (size_t i = 0;; i++) {
        rf_record record = {0};
        raffle_rc rc = q->op->make(q->op->ctx, i, &record, err);
        if (rc == RAFFLE_NOT_FOUND && (i > 0 || q->op->first != NULL))
            return RAFFLE_OK;
        if (rc != RAFFLE_OK)
            return rc;
        rc = add_record(q, txn, &record, q->private_part, sizeof q->private_part, err);
        if (rc != RAFFLE_OK)
            return rc;
        (*added)++;
        uint8_t root[32];
        rc = rf_txn_root(txn, root, err); /* sends it to the store: the private part's memory is used again */
        if (rc != RAFFLE_OK)
            return rc;
    }
}

static raffle_rc sign(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64], raffle_error *err)
{
    raffle *r = ctx;
    return rf_keys_sign(r->keys, r->origin, "control", message, length, signature, err);
}

static raffle_rc add_note(raffle *r, rf_txn *txn, raffle_error *err)
{
    char text[RF_CHECKPOINT_TEXT_MAX], note[1024];
    uint8_t root[32], signature[64];
    raffle_rc rc = rf_txn_root(txn, root, err);
    size_t n = rf_checkpoint_format(text, sizeof text, r->origin, rf_txn_size(txn), root);
    if (rc == RAFFLE_OK)
        rc = sign(r, (const uint8_t *)text, n, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_note_format(note, sizeof note, text, n, &r->vkey, signature);
    return length > 0 ? rf_txn_note(txn, note, length, err) : rf_fail(err, RAFFLE_LIMIT, "the checkpoint does not fit");
}

static raffle_rc add_first(request *q, rf_txn *txn, raffle_error *err)
{
    pthread_rwlock_wrlock(&q->op->raffle->control_lock);
    raffle_rc rc = q->op->first(q->op->ctx, txn, err);
    pthread_rwlock_unlock(&q->op->raffle->control_lock);
    return rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    request *q = ctx;
    raffle *r = q->op->raffle;
    size_t added = 0;
    q->op->index = rf_txn_size(txn);
    const uint64_t size_before = r->control.size;
    /* The leader alone writes the state, and reads it without the lock, which is not held over the host's clock and keys. */
    raffle_rc rc = q->op->first != NULL ? add_first(q, txn, q->err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        rc = rf_clock_next(r, r->control.last_at, &r->last_clock, &r->last_monotonic, q->op->reset, &q->at, q->err);
    if (rc == RAFFLE_OK) {
        pthread_rwlock_wrlock(&r->control_lock);
        rc = add_records(q, txn, &added, q->err);
        pthread_rwlock_unlock(&r->control_lock);
    }
    if (rc == RAFFLE_OK && q->op->signed_note)
        rc = add_note(r, txn, q->err);
    const bool applied = r->control.size != size_before;
    q->rc = rc;
    /* A refusal that changed nothing is the request's own; what was applied in part takes the transaction with it. */
    return rc == RAFFLE_OK || !applied ? RAFFLE_OK
                                       : rf_fail(err, rc, "%s", q->err != NULL ? q->err->message : "refused");
}

raffle_rc rf_control_append(rf_control_op *op, raffle_error *err)
{
    raffle_error refusal = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_not_at_till(op->raffle, err);
    if (rc != RAFFLE_OK)
        return rc;
    request q = {.op = op, .hash = rf_sha256_new(), .err = &refusal};
    if (q.hash == NULL)
        return rf_nomem(err);
    rf_request r = {.build = build, .ctx = &q, .timeout_ms = rf_timeout(op->raffle)};
    rc = rf_log_append(op->raffle->log, &r, err);
    rf_sha256_free(q.hash);
    if (q.rc != RAFFLE_OK)
        rc = rf_fail_as(err, &refusal);
    (void)rf_log_refresh(op->raffle->log, NULL); /* what was committed stands; whoever comes next catches up */
    rf_tell_log(op->raffle, op->raffle->log);
    return rc;
}

static raffle_rc make_one(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    *record = *(const rf_record *)ctx;
    return RAFFLE_OK;
}

raffle_rc rf_control_put(rf_control_op *op, const rf_record *record, uint64_t *index, raffle_error *err)
{
    rf_record copy = *record;
    op->make = make_one;
    op->ctx = &copy;
    op->reset = record->type == RF_EVENT && rf_text_is(&record->code, "clock.reset");
    raffle_rc rc = rf_control_append(op, err);
    op->make = NULL;
    op->ctx = NULL;
    if (rc == RAFFLE_OK && index != NULL)
        *index = op->index;
    return rc;
}

raffle_rc rf_control_one(raffle *r, const raffle_actor *by, const raffle_actor *ok, const char *text,
                         const rf_record *record, uint64_t *index, raffle_error *err)
{
    rf_control_op op = {.raffle = r, .by = by, .ok = ok, .text = text};
    return rf_control_put(&op, record, index, err);
}

raffle_rc rf_control_cash(raffle *r, const raffle_actor *by, const char *seller, const char *text,
                          const rf_record *record, raffle_error *err)
{
    rf_record copy = *record;
    rf_control_op op = {.raffle = r, .by = by, .text = text, .seller = seller, .make = make_one, .ctx = &copy};
    return rf_control_append(&op, err);
}

raffle_rc rf_control_open(raffle *r, const raffle_actor *by, const char *keys, const rf_record *record,
                          raffle_error *err)
{
    rf_record copy = *record;
    rf_control_op op = {.raffle = r, .by = by, .keys = keys, .make = make_one, .ctx = &copy};
    return rf_control_append(&op, err);
}

/* --- anchor and checkpoints --- */

/* A witness goes no size back: a checkpoint beyond an intent that waits for it could keep the draw from its quorum for ever. Called by the log's leader. */
static raffle_rc sign_checkpoint(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64],
                                 raffle_error *err)
{
    const raffle *r = ctx;
    const rf_control *c = &r->control;
    if (r->rules->policy_length > 0 && c->open_prize >= 0 && c->size > c->prize[c->open_prize].intent + 1)
        return rf_fail(err, RAFFLE_DRAW_OPEN,
                       "the draw of \"%s\" is open: until its result, the witnesses get the checkpoint of its intent",
                       r->rules->prize[c->open_prize].name);
    return sign(ctx, message, length, signature, err);
}

raffle_rc rf_control_checkpoint(raffle *r, char *note, size_t *length, uint64_t *size, raffle_error *err)
{
    raffle_rc rc = rf_not_at_till(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_checkpoint(r->log, &r->vkey, sign_checkpoint, r, note, length, size, err);
    rf_tell_log(r, r->log);
    return rc;
}

raffle_rc rf_control_anchor(raffle *r, const char *what, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_log_anchor(r->log, &why);
    rf_tell_log(r, r->log);
    if (rc == RAFFLE_OK || rc == RAFFLE_HISTORY)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    rf_fail(err, RAFFLE_UNKNOWN, "%s is written, and the anchor of %s is not: %s", what, r->origin, why.message);
    if (err != NULL)
        err->token = why.token;
    return RAFFLE_UNKNOWN;
}
