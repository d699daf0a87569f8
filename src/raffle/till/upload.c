/* SPDX-License-Identifier: Apache-2.0 */
/* The raffle's side of units that are away: kits, challenges, news, and uploads, which are verified and folded whole ahead of their first row. */
#include "till_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "fold_draw.h"
#include "fold_keys.h"
#include "order.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 2500,    /* records of an upload in one transaction, while no store says less */
    AHEAD_MS = 60000 /* a till's clock may be ahead of the raffle's by so much */
};

void raffle_upload_info_init(raffle_upload_info *info, size_t size)
{
    rf_struct_init(info, size);
}

/* --- kits, news, challenges --- */

static raffle_rc get_away(raffle *r, uint32_t number, rf_unit **u, rf_unit_row *row, raffle_error *err)
{
    raffle_rc rc = rf_unit_get(r, number, u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_row_get(r, number, row, err);
    if (rc == RAFFLE_OK && !row->away)
        rc = rf_fail(err, RAFFLE_INVALID, "unit %u is not away: its log is here", number);
    return rc;
}

/* The control log from record `from` on, with the key in a kit. */
static raffle_rc write_control(raffle *r, rf_stream *s, raffle_write write, void *ctx, raffle_error *err)
{
    rf_stream_writer w = {0};
    size_t length;
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    memcpy(s->origin, r->origin, sizeof s->origin);
    raffle_rc rc = rf_control_checkpoint(r, note, &length, &s->to, err);
    if (rc == RAFFLE_OK && s->from > s->to)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "the control log has %llu records, and not %llu", (unsigned long long)s->to,
                     (unsigned long long)s->from);
    if (rc == RAFFLE_OK)
        rc = rf_stream_begin(&w, s, write, ctx, err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_log(&w, r->store, s, false, err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_finish(&w, note, length, NULL, NULL, err);
    rf_stream_end(&w);
    free(note);
    return rc;
}

raffle_rc raffle_unit_kit(raffle *r, uint32_t unit, raffle_write write, void *ctx, raffle_error *err)
{
    rf_unit *u;
    rf_unit_row row;
    rf_stream s = {.kind = RF_STREAM_KIT, .unit = unit};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && write == NULL)
        rc = rf_null(err, "write");
    if (rc == RAFFLE_OK)
        rc = get_away(r, unit, &u, &row, err);
    if (rc != RAFFLE_OK)
        return rc;
    uint8_t *ku = sodium_malloc(32);
    rc = ku == NULL ? rf_nomem(err) : rf_raffle_unit_ticket_key(r, unit, ku, err);
    s.ticket_key = (rf_span){ku, 32};
    if (rc == RAFFLE_OK)
        rc = write_control(r, &s, write, ctx, err);
    sodium_free(ku);
    return rc;
}

raffle_rc raffle_unit_news(raffle *r, uint32_t unit, uint64_t from, raffle_write write, void *ctx, raffle_error *err)
{
    rf_unit *u;
    rf_unit_row row;
    rf_stream s = {.kind = RF_STREAM_NEWS, .unit = unit, .from = from};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && write == NULL)
        rc = rf_null(err, "write");
    if (rc == RAFFLE_OK)
        rc = get_away(r, unit, &u, &row, err);
    return rc == RAFFLE_OK ? write_control(r, &s, write, ctx, err) : rc;
}

raffle_rc raffle_unit_challenge(raffle *r, uint32_t unit, char out[RAFFLE_CHALLENGE_SIZE], raffle_error *err)
{
    rf_unit *u;
    rf_unit_row row;
    uint64_t size;
    uint8_t root[32];
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && out == NULL)
        rc = rf_null(err, "out");
    if (rc == RAFFLE_OK)
        rc = get_away(r, unit, &u, &row, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_enter_upload(u, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_refresh(u->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_log_root(u->log, &size, root);
    return rf_challenge_make(r, unit, size, root, out, err);
}

/* --- an upload --- */

typedef struct uploading {
    raffle *raffle;
    rf_unit *unit;
    rf_unit_row row;
    bool sealed; /* the final seal is there */
    rf_stream stream;
    rf_challenge challenge;
    rf_checkpoint checkpoint;
    rf_sha256 *hash;
    rf_unit_state state; /* after all of its records */
    uint64_t here;       /* records of the unit that are here */
    uint64_t forked;     /* the first record that differs from the one here; UINT64_MAX: none */
    /* while it is appended */
    const char *at;
    uint64_t next;
    raffle_rc rc;
    raffle_error *err;
} uploading;

/* Who sent it: the unit's key has signed all of it, the challenge too. */
static raffle_rc check_answer(uploading *up, raffle_error *err)
{
    uint8_t answered[RF_ANSWER_SIZE];
    rf_stream_answered(answered, up->stream.answered);
    if (crypto_sign_verify_detached(up->stream.answer, answered, sizeof answered, up->unit->vkey.key) != 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the upload is not signed by the key of unit %u, or was altered",
                       up->unit->number);
    return rf_stream_checkpoint(&up->stream, &up->unit->vkey, &up->checkpoint, err);
}

static raffle_rc check_frame(uploading *up, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    uint8_t root[32];
    if (s->log != s->unit)
        return rf_fail(err, RAFFLE_CORRUPT, "the upload of unit %u is of log %u", s->unit, s->log);
    raffle_rc rc = rf_challenge_verify(up->raffle, s->unit, s->challenge, &up->challenge, err);
    if (rc == RAFFLE_OK)
        rc = rf_challenge_fresh(up->raffle, &up->challenge, err);
    if (rc == RAFFLE_OK)
        rc = check_answer(up, err);
    if (rc == RAFFLE_OK && s->from != up->challenge.size)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the upload begins at record %llu, and its challenge says %llu",
                     (unsigned long long)s->from, (unsigned long long)up->challenge.size);
    if (rc == RAFFLE_OK && s->from > up->here)
        rc = rf_fail(err, RAFFLE_HISTORY, "%llu records of unit %u were here when it was challenged; there are %llu",
                     (unsigned long long)s->from, s->unit, (unsigned long long)up->here);
    if (rc == RAFFLE_OK)
        rc = rf_log_root_at(up->unit->log, s->from, root, err);
    if (rc == RAFFLE_OK && memcmp(root, up->challenge.root, 32) != 0)
        rc = rf_fail(err, RAFFLE_HISTORY, "other records of unit %u were here when it was challenged", s->unit);
    return rc;
}

/* --- its records, before anything is written --- */

static raffle_rc check_private(const uploading *up, const rf_record *record, const raffle_record *bytes,
                               raffle_error *err)
{
    uint8_t p[32];
    rf_private private_part;
    if (bytes->private_part == NULL)
        return RAFFLE_OK; /* erased */
    rf_sha256_of(up->hash, p, bytes->private_part, bytes->private_length);
    if (memcmp(p, record->p, 32) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "its private part is another one");
    return rf_private_decode(&private_part, bytes->private_part, bytes->private_length, err);
}

/* What a result gave a place to is taken back nowhere until that place is lost: else a till undid a draw that somebody did not like. */
static raffle_rc check_drawn(const uploading *up, const rf_record *record, raffle_error *err)
{
    raffle *r = up->raffle;
    pthread_rwlock_rdlock(&r->control_lock);
    const bool holds = rf_control_holds_place(&r->control, up->unit->number, (uint64_t)record->serial);
    pthread_rwlock_unlock(&r->control_lock);
    return holds ? rf_fail(err, RAFFLE_DRAWN,
                           "ticket %u/%lld holds a place in a result: once that is forfeited, upload again",
                           up->unit->number, (long long)record->serial)
                 : RAFFLE_OK;
}

/* The till took back a ticket that was taken back here, when it was disabled: which of them counts, a person must decide. */
static raffle_rc check_void(const uploading *up, const rf_record *record, raffle_error *err)
{
    raffle_store_key owner = {.struct_size = sizeof owner};
    raffle_error why = RAFFLE_ERROR_INIT;
    const rf_taken key = rf_key_void(up->unit->number, (uint64_t)record->serial);
    raffle_rc rc = rf_store_find(up->raffle->store, key.scope, key.key, key.length, &owner, &why);
    if (rc == RAFFLE_OK && owner.log != up->unit->number)
        return rf_fail(err, RAFFLE_VOIDED, "ticket %u/%lld was taken back here, by record %llu of the control log",
                       up->unit->number, (long long)record->serial, (unsigned long long)owner.index);
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &why);
}

static raffle_rc check_record(uploading *up, uint64_t index, const raffle_record *bytes, raffle_error *err)
{
    rf_record record;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_apply(&up->unit->frame, &up->state, &record, NULL, err);
    if (rc == RAFFLE_OK)
        rc = check_private(up, &record, bytes, err);
    if (rc != RAFFLE_OK || record.type != RF_VOID || index < up->here)
        return rc;
    rc = check_drawn(up, &record, err);
    return rc == RAFFLE_OK ? check_void(up, &record, err) : rc;
}

/* Those that are here, side by side with the upload's. */
typedef struct comparing {
    uploading *up;
    const char *at;
} comparing;

static raffle_rc compare_record(void *ctx, const raffle_record *mine, raffle_error *err)
{
    comparing *c = ctx;
    raffle_record theirs;
    (void)err;
    rf_stream_next(&c->at, &theirs);
    const bool same =
        theirs.leaf_length == mine->leaf_length && memcmp(theirs.leaf, mine->leaf, mine->leaf_length) == 0;
    if (!same && c->up->forked == UINT64_MAX)
        c->up->forked = mine->index;
    return RAFFLE_OK;
}

static raffle_rc compare_with_here(uploading *up, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    const uint64_t end = s->to < up->here ? s->to : up->here;
    comparing c = {up, s->records};
    up->forked = UINT64_MAX;
    return end > s->from ? rf_store_read(up->raffle->store, s->unit, s->from, end - s->from, compare_record, &c, err)
                         : RAFFLE_OK;
}

/* What differs may have decayed here, and then nobody is accused: all records are hashed again. */
static raffle_rc check_here(const uploading *up, raffle_error *err)
{
    raffle_rc rc = rf_log_verify(up->unit->log, true, err);
    rf_tell_log(up->raffle, up->unit->log);
    return rc;
}

/* The tree over what was here and what is sent has the root that the unit signed: nothing was altered on the way. */
static raffle_rc check_root(const uploading *up, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    const char *at = s->records;
    rf_range range;
    uint8_t leaf_hash[32], root[32];
    raffle_rc rc = rf_log_range_at(up->unit->log, s->from, &range, err);
    if (rc != RAFFLE_OK)
        return rc;
    for (uint64_t i = s->from; i < s->to; i++) {
        raffle_record bytes;
        rf_stream_next(&at, &bytes);
        rf_leaf_hash(up->hash, leaf_hash, bytes.leaf, bytes.leaf_length);
        rf_range_push(up->hash, &range, leaf_hash, NULL, NULL);
    }
    rf_range_root(up->hash, &range, root);
    return memcmp(root, up->checkpoint.root, 32) == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_PROOF, "the records are not those that unit %u signed: altered on their way",
                         s->unit);
}

static raffle_rc fold_records(uploading *up, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    const char *at = s->records;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_unit_refold(up->unit, s->from, &up->state, err);
    for (uint64_t i = s->from; rc == RAFFLE_OK && i < s->to; i++) {
        raffle_record bytes;
        rf_stream_next(&at, &bytes);
        rc = check_record(up, i, &bytes, &why);
        if (rc != RAFFLE_OK)
            rc = rf_fail(err, rc, "record %llu of the upload: %s", (unsigned long long)i, why.message);
    }
    return rc;
}

/* What a person may decide otherwise, and then upload it again. */
static raffle_rc check_limits(const uploading *up, raffle_error *err)
{
    int64_t now;
    raffle_rc rc = rf_clock_read(up->raffle, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!(up->raffle->host.flags & RAFFLE_HOST_REPLAYED_CLOCK) && up->state.last_at - now > AHEAD_MS)
        return rf_fail(err, RAFFLE_CLOCK, "the newest record of unit %u is %lld s ahead of this clock",
                       up->unit->number, (long long)(up->state.last_at - now) / 1000);
    if (up->state.numbers > up->row.quota)
        return rf_fail(err, RAFFLE_QUOTA,
                       "unit %u sold %llu draw numbers, and its quota is %llu: raise it, or refuse them",
                       up->unit->number, (unsigned long long)up->state.numbers, (unsigned long long)up->row.quota);
    if (up->state.events > RF_TILL_EVENTS_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "unit %u wrote %llu events, and a till's log may hold %d", up->unit->number,
                       (unsigned long long)up->state.events, (int)RF_TILL_EVENTS_MAX);
    return RAFFLE_OK;
}

/* --- two tills with one key --- */

/* "size root signature" of the checkpoint in the upload, the last two in base64: with the unit's name and key, all that is needed to verify it. */
static raffle_rc write_evidence(const uploading *up, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err)
{
    char root[64] = "", line[128] = "";
    uint8_t signature[68];
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, up->stream.note, up->stream.note_length, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < note->signatures; i++) {
        if (memcmp(note->signature[i].id, up->unit->vkey.id, 4) != 0 || note->signature[i].body_length != 64)
            continue;
        memcpy(signature, note->signature[i].id, 4);
        memcpy(signature + 4, note->signature[i].body, 64);
        rf_base64_encode(line, signature, sizeof signature);
    }
    free(note);
    rf_base64_encode(root, up->checkpoint.root, 32);
    (void)snprintf(out, RAFFLE_TEXT_MAX + 1, "%llu %s %s", (unsigned long long)up->checkpoint.size, root, line);
    return rc;
}

/* Both histories are signed: the unit is disabled, or was before, and the other checkpoint is kept beside that (design section 12). */
static raffle_rc record_fork(const uploading *up, const raffle_actor *by, raffle_error *err)
{
    char text[RAFFLE_TEXT_MAX + 1];
    const rf_record disable = {.type = RF_UNIT_DISABLE,
                               .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_REASON),
                               .unit = up->unit->number,
                               .reason = rf_text_of("forked")};
    const rf_record event = {.type = RF_EVENT,
                             .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_CODE),
                             .unit = up->unit->number,
                             .code = rf_text_of("unit.forked")};
    raffle_rc rc = write_evidence(up, text, err);
    if (rc == RAFFLE_OK)
        rc = rf_control_one(up->raffle, by, NULL, text, up->row.enabled ? &disable : &event, NULL, err);
    return rc == RAFFLE_OK
               ? rf_fail(err, RAFFLE_HISTORY,
                         "unit %u signed two histories, which differ at record %llu: two tills sell under its "
                         "key, or one was set back; it is disabled, and the other checkpoint is kept",
                         up->unit->number, (unsigned long long)up->forked)
               : rc;
}

/* --- its rows --- */

static raffle_rc take_keys(const uploading *up, rf_txn *txn, const rf_taken_list *taken, uint64_t index,
                           raffle_error *err)
{
    for (size_t i = 0; i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_store_key owner;
        bool is_taken;
        raffle_rc rc = rf_txn_key(txn, key->scope, key->key, key->length, index, &is_taken, &owner, err);
        if (rc == RAFFLE_OK && is_taken)
            rc = rf_fail(err, key->scope == RF_SCOPE_VOID ? RAFFLE_VOIDED : RAFFLE_CORRUPT,
                         "a key of record %llu of unit %u is taken by record %llu of log %u", (unsigned long long)index,
                         up->unit->number, (unsigned long long)owner.index, owner.log);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

/* The key of the order that a record is the first line of: its length, 0 when it is none or its private part is erased. */
static size_t order_key_of(const uploading *up, const raffle_record *bytes, uint8_t out[RF_ORDER_HASH_MAX])
{
    char order[RAFFLE_NAME_SIZE];
    rf_private p;
    if (bytes->private_part == NULL ||
        rf_private_decode(&p, bytes->private_part, bytes->private_length, NULL) != RAFFLE_OK ||
        !(p.has & rf_bit(RF_P_ORDER)) || p.line != 0 || !rf_text_copy(&p.order, order, sizeof order))
        return 0;
    return rf_order_hash(out, up->raffle->order_key, order, strlen(order));
}

/* An order that was sold elsewhere stays with whoever was first here: it is counted afterwards, and a seal says so. */
static raffle_rc take_order(const uploading *up, rf_txn *txn, const raffle_record *bytes, uint64_t index,
                            raffle_error *err)
{
    uint8_t key[RF_ORDER_HASH_MAX];
    raffle_store_key owner;
    bool is_taken;
    const size_t length = order_key_of(up, bytes, key);
    return length > 0 ? rf_txn_key(txn, RF_SCOPE_ORDER, key, length, index, &is_taken, &owner, err) : RAFFLE_OK;
}

static raffle_rc add_row(uploading *up, rf_txn *txn, const raffle_record *bytes, raffle_error *err)
{
    rf_unit *u = up->unit;
    rf_record record;
    rf_taken_list taken;
    const uint64_t index = rf_txn_size(txn);
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (record.type == RF_VOID) /* again: a draw may have come in between */
        rc = check_drawn(up, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&u->lock);
    rc = rf_unit_apply(&u->frame, &u->state, &record, &taken, err);
    pthread_mutex_unlock(&u->lock);
    if (rc == RAFFLE_OK)
        rc = take_keys(up, txn, &taken, index, err);
    if (rc == RAFFLE_OK && record.type == RF_SALE)
        rc = take_order(up, txn, bytes, index, err);
    return rc == RAFFLE_OK
               ? rf_txn_add_leaf(txn, bytes->leaf, bytes->leaf_length, bytes->private_part, bytes->private_length, err)
               : rc;
}

/* A record may need a key, and some a kept node. */
static uint64_t batch_of(const uploading *up)
{
    const uint64_t most = rf_store_batch_rows(up->raffle->store) / 3;
    return most == 0 || most > BATCH ? BATCH : most;
}

static raffle_rc add_rows(uploading *up, rf_txn *txn, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    const char *at = up->at;
    raffle_rc rc = RAFFLE_OK;
    for (uint64_t i = up->next; rc == RAFFLE_OK && i < s->to && i < up->next + batch_of(up); i++) {
        raffle_record bytes;
        rf_stream_next(&at, &bytes);
        rc = add_row(up, txn, &bytes, err);
    }
    return rc == RAFFLE_OK && rf_txn_size(txn) == s->to ? rf_txn_note(txn, s->note, s->note_length, err) : rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    uploading *up = ctx;
    raffle *r = up->raffle;
    const uint64_t before = rf_txn_size(txn);
    up->rc = RAFFLE_OK;
    pthread_rwlock_rdlock(&r->control_lock);
    raffle_rc rc = rf_unit_control_same(up->unit, err);
    const rf_unit_row *row = rf_control_unit(&r->control, up->unit->number);
    const bool may = row->enabled || r->control.final.kind != 0, open = r->control.open_prize >= 0;
    const uint64_t quota = row->quota;
    pthread_rwlock_unlock(&r->control_lock);
    if (rc != RAFFLE_OK)
        return rc;
    if (before != up->next)
        up->rc = rf_fail(up->err, RAFFLE_BUSY, "another upload of unit %u is under way", up->unit->number);
    else if (!may)
        up->rc = rf_fail(up->err, RAFFLE_DISABLED, "unit %u was disabled", up->unit->number);
    else if (open)
        up->rc = rf_fail(up->err, RAFFLE_DRAW_OPEN, "a draw was begun: upload after its result");
    else if (up->state.numbers > quota)
        up->rc = rf_fail(up->err, RAFFLE_QUOTA, "the quota of unit %u was lowered", up->unit->number);
    if (up->rc != RAFFLE_OK)
        return RAFFLE_OK;
    up->rc = add_rows(up, txn, up->err);
    return up->rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, up->err);
}

static raffle_rc append_batch(uploading *up, raffle_error *err)
{
    raffle_error refusal = RAFFLE_ERROR_INIT;
    rf_request request = {.build = build, .ctx = up, .timeout_ms = rf_timeout(up->raffle), .rows = 2 * batch_of(up)};
    up->err = &refusal;
    raffle_rc rc = rf_log_append(up->unit->log, &request, err);
    rf_tell_log(up->raffle, up->unit->log);
    return up->rc != RAFFLE_OK ? rf_fail_as(err, &refusal) : rc;
}

/* From the first record that is not here on. */
static raffle_rc append_rows(uploading *up, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    raffle_record skipped;
    raffle_rc rc = RAFFLE_OK;
    up->at = s->records;
    up->next = s->from;
    for (; up->next < up->here; up->next++)
        rf_stream_next(&up->at, &skipped);
    while (rc == RAFFLE_OK && up->next < s->to) {
        rc = append_batch(up, err);
        for (uint64_t i = 0; rc == RAFFLE_OK && i < batch_of(up) && up->next < s->to; i++, up->next++)
            rf_stream_next(&up->at, &skipped);
    }
    return rc;
}

/* --- unit.sync --- */

typedef struct counting {
    const uploading *up;
    uint64_t twice;
} counting;

static raffle_rc count_twice(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    counting *c = ctx;
    uint8_t key[RF_ORDER_HASH_MAX];
    raffle_store_key owner = {.struct_size = sizeof owner};
    rf_record record;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    const size_t length = rc == RAFFLE_OK && record.type == RF_SALE ? order_key_of(c->up, bytes, key) : 0;
    if (length > 0)
        rc = rf_store_find(c->up->raffle->store, RF_SCOPE_ORDER, key, length, &owner, err);
    if (length > 0 && rc == RAFFLE_OK && (owner.log != c->up->unit->number || owner.index != bytes->index))
        c->twice++;
    return rc;
}

static raffle_rc make_sync(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    const rf_record *sync = ctx;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    *record = *sync;
    return RAFFLE_OK;
}

/* Whether a newer upload came in meanwhile, which says all that this one would have. */
static bool was_overtaken(const uploading *up)
{
    rf_unit_row row;
    return !rf_log_halted(up->raffle->log) && rf_unit_row_get(up->raffle, up->unit->number, &row, NULL) == RAFFLE_OK &&
           row.sync_size > up->stream.to;
}

/* The same upload again says nothing new; one under a challenge that was given since the last tells that the till is still there. */
static raffle_rc write_sync(uploading *up, const raffle_actor *by, uint64_t *twice, raffle_error *err)
{
    const rf_stream *s = &up->stream;
    counting c = {up, up->row.twice};
    *twice = c.twice;
    if (s->to == 0 || s->to < up->row.sync_size ||
        (s->to == up->row.sync_size && up->challenge.issued <= up->row.heard))
        return RAFFLE_OK;
    raffle_rc rc = s->to > up->row.sync_size ? rf_store_read(up->raffle->store, s->unit, up->row.sync_size,
                                                             s->to - up->row.sync_size, count_twice, &c, err)
                                             : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    rf_record sync = {.type = RF_UNIT_SYNC,
                      .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_SIZE) | rf_bit(RF_F_ROOT) | rf_bit(RF_F_NOTE) |
                             rf_bit(RF_F_TWICE),
                      .unit = s->unit,
                      .size = (int64_t)s->to,
                      .twice = (int64_t)c.twice,
                      .note = {s->note, s->note_length, false}};
    memcpy(sync.root, up->checkpoint.root, 32);
    rf_control_op op = {.raffle = up->raffle, .by = by, .make = make_sync, .ctx = &sync, .signed_note = true};
    raffle_error why = RAFFLE_ERROR_INIT;
    rc = rf_control_append(&op, &why);
    *twice = c.twice;
    if (rc != RAFFLE_OK && !(rc == RAFFLE_HISTORY && was_overtaken(up)))
        return rf_fail_as(err, &why);
    return rf_control_anchor(up->raffle, "the upload", err);
}

/* --- the call --- */

static raffle_rc check_may(const uploading *up, const raffle_actor *by, raffle_error *err)
{
    const raffle *r = up->raffle;
    if (by->role != RAFFLE_SYSTEM && !rf_rules_may(r->rules, RF_OP_UNITS, by->role))
        return rf_fail(err, RAFFLE_ROLE, "the role %s may not take an upload", raffle_role_name(by->role));
    if (up->row.unenrolled)
        return rf_fail(err, RAFFLE_DISABLED, "unit %u was un-enrolled for good, and nothing of it is taken",
                       up->unit->number);
    if (!up->row.enabled && !up->sealed)
        return rf_fail(err, RAFFLE_DISABLED, "unit %u is not enabled: enable it when what it sold shall stand",
                       up->unit->number);
    return RAFFLE_OK;
}

static raffle_rc look_around(uploading *up, raffle_error *err)
{
    raffle *r = up->raffle;
    raffle_rc rc = get_away(r, up->stream.unit, &up->unit, &up->row, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    const int open = r->control.open_prize;
    up->sealed = r->control.final.kind != 0;
    pthread_rwlock_unlock(&r->control_lock);
    if (open >= 0)
        return rf_fail(err, RAFFLE_DRAW_OPEN, "the draw of \"%s\" is open: upload after its result",
                       r->rules->prize[open].name);
    rc = rf_unit_enter_upload(up->unit, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_refresh(up->unit->log, err);
    up->here = rf_log_size(up->unit->log);
    return rc;
}

static raffle_rc verify(uploading *up, const raffle_actor *by, raffle_error *err)
{
    raffle_rc rc = check_frame(up, err);
    if (rc == RAFFLE_OK)
        rc = check_root(up, err);
    if (rc == RAFFLE_OK)
        rc = compare_with_here(up, err);
    if (rc == RAFFLE_OK && up->forked != UINT64_MAX)
        rc = check_here(up, err);
    if (rc == RAFFLE_OK && up->forked != UINT64_MAX)
        rc = record_fork(up, by, err);
    if (rc == RAFFLE_OK)
        rc = check_may(up, by, err);
    if (rc == RAFFLE_OK)
        rc = fold_records(up, err);
    return rc == RAFFLE_OK ? check_limits(up, err) : rc;
}

static void give(const uploading *up, uint64_t twice, raffle_upload_info *info)
{
    raffle *r = up->raffle;
    const rf_stream *s = &up->stream;
    raffle_upload_info mine = {.unit = s->unit,
                               .records = s->to - s->from,
                               .taken = s->to > up->here ? s->to - up->here : 0,
                               .size = s->to > up->here ? s->to : up->here,
                               .numbers = up->state.numbers,
                               .twice = twice,
                               .control_size = s->control,
                               .closed = up->state.closed};
    if (s->to < up->here) { /* newer ones are here */
        pthread_mutex_lock(&up->unit->lock);
        mine.numbers = up->unit->state.numbers;
        mine.closed = up->unit->state.closed;
        pthread_mutex_unlock(&up->unit->lock);
    }
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_seal_state *final = &r->control.final;
    mine.excepted = final->kind != 0 && s->unit <= final->units && final->unit[s->unit - 1].size < s->to;
    pthread_rwlock_unlock(&r->control_lock);
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
}

static raffle_rc upload(uploading *up, const raffle_actor *by, uint64_t *twice, raffle_error *err)
{
    raffle_rc rc = look_around(up, err);
    if (rc == RAFFLE_OK)
        rc = verify(up, by, err);
    if (rc == RAFFLE_OK)
        rc = append_rows(up, err);
    return rc == RAFFLE_OK ? write_sync(up, by, twice, err) : rc;
}

raffle_rc raffle_unit_upload(raffle *r, const raffle_actor *by, const char *bytes, size_t length,
                             raffle_upload_info *info, raffle_error *err)
{
    raffle_actor actor;
    uint64_t twice = 0;
    uploading up = {.raffle = r};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && bytes == NULL)
        rc = rf_null(err, "bytes");
    if (rc == RAFFLE_OK && info != NULL)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_read(&up.stream, RF_STREAM_UPLOAD, bytes, length, err);
    if (rc == RAFFLE_OK && strcmp(up.stream.origin, r->origin) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the upload is of %s", up.stream.origin);
    if (rc != RAFFLE_OK)
        return rc;
    up.hash = rf_sha256_new();
    rc = up.hash == NULL ? rf_nomem(err) : upload(&up, &actor, &twice, err);
    rf_sha256_free(up.hash);
    if (rc == RAFFLE_OK && info != NULL)
        give(&up, twice, info);
    return rc;
}
