/* SPDX-License-Identifier: Apache-2.0 */
/* A till elsewhere: its key and the proof of it, its store made from a kit, what it exports, and what it learns of the control log. */
#include "till_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "validation.h"
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- its key --- */

static raffle_rc prove(raffle_keys *keys, const char *origin, const char *name, const rf_vkey *vkey, char *proof,
                       raffle_error *err)
{
    char text[RF_CHECKPOINT_TEXT_MAX];
    uint8_t signature[64];
    const size_t n = rf_checkpoint_format(text, sizeof text, vkey->name, 0, rf_empty_root);
    raffle_rc rc = rf_keys_sign(keys, origin, name, (const uint8_t *)text, n, signature, err);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t length = rf_note_format(proof, RAFFLE_PROOF_SIZE - 1, text, n, vkey, signature);
    proof[length] = '\0';
    return length > 0 ? RAFFLE_OK : rf_fail(err, RAFFLE_LIMIT, "the proof does not fit");
}

raffle_rc raffle_unit_apply_with(raffle_keys *keys, const char *origin, uint32_t unit, char key[RAFFLE_VKEY_SIZE],
                                 char proof[RAFFLE_PROOF_SIZE], raffle_error *err)
{
    char name[16], log[RAFFLE_ORIGIN_SIZE + 16], made[RAFFLE_PROOF_SIZE] = "";
    uint8_t public_key[32];
    rf_vkey vkey;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    if (keys == NULL || origin == NULL || key == NULL || proof == NULL)
        return rf_null(err, keys == NULL ? "keys" : origin == NULL ? "origin" : key == NULL ? "key" : "proof");
    if (unit < 1 || unit > RAFFLE_UNIT_MAX || !rf_origin_valid(origin, strnlen(origin, RAFFLE_ORIGIN_SIZE)))
        return rf_fail(err, RAFFLE_INVALID, "there is no unit %u, or \"%.200s\" is no origin", unit, origin);
    (void)snprintf(name, sizeof name, "unit-%u", unit);
    (void)snprintf(log, sizeof log, "%s/unit/%u", origin, unit);
    raffle_rc rc = rf_keys_make(keys, origin, name, &quiet);
    if (rc != RAFFLE_OK && rc != RAFFLE_EXISTS)
        return rf_fail_as(err, &quiet);
    rc = rf_keys_public_key(keys, origin, name, public_key, err);
    if (rc == RAFFLE_OK)
        rc = rf_vkey_make(&vkey, log, RF_NOTE_ED25519, public_key, err);
    if (rc == RAFFLE_OK)
        rc = prove(keys, origin, name, &vkey, made, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_vkey_format(&vkey, key);
    memcpy(proof, made, sizeof made);
    return RAFFLE_OK;
}

raffle_rc raffle_unit_apply(const char *keys, const raffle_host *host, const char *origin, uint32_t unit,
                            char key[RAFFLE_VKEY_SIZE], char proof[RAFFLE_PROOF_SIZE], raffle_error *err)
{
    raffle_keys *k = NULL;
    raffle_host lent, mine;
    raffle_rc rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK)
        rc = rf_host_in(&mine, host, err);
    if (rc == RAFFLE_OK)
        rc = raffle_keys_open(keys, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_apply_with(k, origin, unit, key, proof, err);
    raffle_keys_free(k);
    if (rc == RAFFLE_OK && mine.release != NULL)
        mine.release(mine.ctx);
    return rc;
}

/* --- streams of a log --- */

typedef struct copying {
    rf_stream_writer *writer;
    bool private_parts;
} copying;

static raffle_rc copy_record(void *ctx, const raffle_record *record, raffle_error *err)
{
    const copying *c = ctx;
    raffle_record copy = *record;
    if (!c->private_parts) {
        copy.private_part = NULL;
        copy.private_length = 0;
    }
    return rf_stream_record(c->writer, &copy, err);
}

raffle_rc rf_stream_log(rf_stream_writer *w, raffle_store *store, const rf_stream *s, bool private_parts,
                        raffle_error *err)
{
    copying c = {w, private_parts};
    return s->to > s->from ? rf_store_read(store, s->log, s->from, s->to - s->from, copy_record, &c, err) : RAFFLE_OK;
}

raffle_rc rf_stream_checkpoint(const rf_stream *s, const rf_vkey *vkey, rf_checkpoint *out, raffle_error *err)
{
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, s->note, s->note_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(out, note->text, note->text_length, err);
    if (rc == RAFFLE_OK && (strcmp(out->origin, vkey->name) != 0 || out->size != s->to))
        rc = rf_fail(err, RAFFLE_CORRUPT, "the checkpoint is of %llu records of %s, and the stream of %llu of %s",
                     (unsigned long long)out->size, out->origin, (unsigned long long)s->to, vkey->name);
    free(note);
    return rc == RAFFLE_INVALID ? rf_fail(err, RAFFLE_CORRUPT, "the checkpoint in the stream is malformed") : rc;
}

/* --- export --- */

static raffle_rc check_challenge(const rf_unit *u, const char *challenge, rf_challenge *c, raffle_error *err)
{
    const raffle *r = u->raffle;
    if (r->till != u->number)
        return rf_fail(err, RAFFLE_INVALID, "unit %u's log is not this store's own: its till exports it", u->number);
    return rf_challenge_verify(r, u->number, challenge, c, err);
}

/* What the raffle has of this unit must be the beginning of what is here: else another till sells under its key, or this store is an old copy, and its
 * log is never written again, whoever opens it: the anchor gets a size that this store does not reach. */
static raffle_rc compare_with_raffle(rf_unit *u, const rf_challenge *c, raffle_error *err)
{
    raffle_rc rc = rf_log_check_seen(u->log, "raffle's challenge", c->size, c->root, err);
    const uint64_t size = rf_log_size(u->log);
    raffle_error why = RAFFLE_ERROR_INIT;
    if (rc == RAFFLE_HISTORY && rf_store_anchor_put(u->raffle->store, u->number, c->size > size ? c->size : size + 1,
                                                    c->root, true, &why) != RAFFLE_OK)
        rc = rf_fail(err, RAFFLE_HISTORY,
                     "the raffle has other records of unit %u than this till; and the anchor, by which it would stay "
                     "stopped, could not be written: %s",
                     u->number, why.message);
    rf_tell_log(u->raffle, u->log);
    return rc;
}

static raffle_rc sign_answer(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64], raffle_error *err)
{
    char name[16];
    const rf_unit *u = ctx;
    (void)snprintf(name, sizeof name, "unit-%u", u->number);
    return rf_keys_sign(u->raffle->keys, u->raffle->origin, name, message, length, signature, err);
}

static raffle_rc export(rf_unit *u, const rf_challenge *c, const char *challenge, raffle_write write, void *ctx,
                        raffle_error *err)
{
    rf_stream_writer w = {0};
    rf_stream s = {.kind = RF_STREAM_UPLOAD, .unit = u->number, .log = u->number, .from = c->size};
    size_t length;
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    memcpy(s.origin, u->raffle->origin, sizeof s.origin);
    (void)snprintf(s.challenge, sizeof s.challenge, "%s", challenge);
    s.control = rf_log_size(u->raffle->log);
    raffle_rc rc = rf_unit_checkpoint(u, note, &length, &s.to, err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_begin(&w, &s, write, ctx, err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_log(&w, u->raffle->store, &s, true, err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_finish(&w, note, length, sign_answer, u, err);
    rf_stream_end(&w);
    free(note);
    return rc;
}

raffle_rc raffle_unit_export(raffle_unit *unit, const char *challenge, raffle_write write, void *ctx, raffle_error *err)
{
    rf_challenge c;
    if (unit == NULL || challenge == NULL || write == NULL)
        return rf_null(err, unit == NULL ? "unit" : challenge == NULL ? "challenge" : "write");
    rf_unit *u = unit->unit;
    raffle_rc rc = rf_enter_unit_write(u->raffle, err);
    if (rc == RAFFLE_OK)
        rc = check_challenge(u, challenge, &c, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_enter_write(u, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_refresh(u->log, err);
    if (rc == RAFFLE_OK)
        rc = compare_with_raffle(u, &c, err);
    return rc == RAFFLE_OK ? export(u, &c, challenge, write, ctx, err) : rc;
}

/* --- what it learns of the control log --- */

typedef struct learning {
    raffle *raffle;
    const rf_stream *stream;
    rf_sha256 *hash;
    raffle_rc rc; /* a refusal */
    raffle_error *err;
} learning;

/* A void that is here already is its own: the control log may take back what it took back. */
static raffle_rc take_keys(rf_txn *txn, const rf_taken_list *taken, uint64_t index, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_store_key owner;
        bool is_taken;
        rc = rf_txn_key(txn, key->scope, key->key, key->length, index, &is_taken, &owner, err);
    }
    return rc;
}

static raffle_rc learn_record(learning *l, rf_txn *txn, const raffle_record *bytes, raffle_error *err)
{
    rf_record record;
    rf_taken_list taken;
    uint8_t leaf_hash[32];
    const uint64_t index = rf_txn_size(txn);
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_leaf_hash(l->hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    pthread_rwlock_wrlock(&l->raffle->control_lock);
    rc = rf_control_apply(&l->raffle->control, &record, leaf_hash, &taken, err);
    pthread_rwlock_unlock(&l->raffle->control_lock);
    if (rc == RAFFLE_OK)
        rc = take_keys(txn, &taken, index, err);
    return rc == RAFFLE_OK ? rf_txn_add_leaf(txn, bytes->leaf, bytes->leaf_length, NULL, 0, err) : rc;
}

static raffle_rc learn_records(learning *l, rf_txn *txn, raffle_error *err)
{
    const rf_stream *s = l->stream;
    const char *at = s->records;
    raffle_record record;
    raffle_rc rc = RAFFLE_OK;
    if (rf_txn_size(txn) < s->from)
        return rf_fail(err, RAFFLE_SEQUENCE, "the news begin at record %llu of the control log; %llu are here",
                       (unsigned long long)s->from, (unsigned long long)rf_txn_size(txn));
    for (uint64_t i = s->from; rc == RAFFLE_OK && i < s->to; i++) {
        rf_stream_next(&at, &record);
        if (i >= rf_txn_size(txn))
            rc = learn_record(l, txn, &record, err);
    }
    return rc;
}

/* What was learnt is what the raffle signed. */
static raffle_rc learn_note(const learning *l, rf_txn *txn, raffle_error *err)
{
    rf_checkpoint checkpoint;
    rf_vkey vkey;
    uint8_t root[32];
    const char *key = l->raffle->control.key;
    raffle_rc rc = rf_vkey_parse(&vkey, key, strlen(key), err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_checkpoint(l->stream, &vkey, &checkpoint, err);
    if (rc == RAFFLE_OK)
        rc = rf_txn_root(txn, root, err);
    if (rc == RAFFLE_OK && memcmp(root, checkpoint.root, 32) != 0)
        rc = rf_fail(err, RAFFLE_HISTORY, "with these records the control log would be another than the raffle signed");
    return rc == RAFFLE_OK ? rf_txn_note(txn, l->stream->note, l->stream->note_length, err) : rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    learning *l = ctx;
    const uint64_t before = l->raffle->control.size;
    l->rc = RAFFLE_OK;
    if (rf_txn_size(txn) >= l->stream->to)
        return RAFFLE_OK;
    l->rc = learn_records(l, txn, l->err);
    if (l->rc == RAFFLE_OK)
        l->rc = learn_note(l, txn, l->err);
    /* A refusal that changed nothing is the call's own; what was applied in part takes the transaction with it. */
    return l->rc == RAFFLE_OK || l->raffle->control.size == before ? RAFFLE_OK : rf_fail_as(err, l->err);
}

static raffle_rc learn(raffle *r, const rf_stream *s, raffle_error *err)
{
    raffle_error refusal = RAFFLE_ERROR_INIT;
    learning l = {.raffle = r, .stream = s, .hash = rf_sha256_new(), .err = &refusal};
    if (l.hash == NULL)
        return rf_nomem(err);
    rf_request request = {.build = build, .ctx = &l, .timeout_ms = rf_timeout(r)};
    raffle_rc rc = rf_log_append(r->log, &request, err);
    rf_sha256_free(l.hash);
    if (l.rc != RAFFLE_OK)
        rc = rf_fail_as(err, &refusal);
    (void)rf_log_refresh(r->log, NULL); /* after a failure the state is folded again */
    rf_tell_log(r, r->log);
    return rc;
}

/* News of fewer records than are here must be of the same ones. */
static raffle_rc check_known(raffle *r, const rf_stream *s, raffle_error *err)
{
    rf_checkpoint checkpoint;
    uint8_t root[32];
    raffle_rc rc = rf_stream_checkpoint(s, &r->vkey, &checkpoint, err);
    if (rc != RAFFLE_OK || s->to > rf_log_size(r->log))
        return rc;
    rc = rf_log_root_at(r->log, s->to, root, err);
    if (rc == RAFFLE_OK && memcmp(root, checkpoint.root, 32) != 0)
        rc = rf_fail(err, RAFFLE_HISTORY, "the raffle signed another control log than the one that is here");
    return rc;
}

raffle_rc raffle_unit_update(raffle *r, const char *news, size_t length, raffle_error *err)
{
    rf_stream s;
    raffle_rc rc = rf_enter_unit_write(r, err);
    if (rc == RAFFLE_OK && news == NULL)
        rc = rf_null(err, "news");
    if (rc == RAFFLE_OK && r->till == 0)
        rc = rf_fail(err, RAFFLE_INVALID, "this is no till: its control log is its own");
    if (rc == RAFFLE_OK)
        rc = rf_stream_read(&s, RF_STREAM_NEWS, news, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(s.origin, r->origin) != 0 || s.unit != r->till || s.log != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "these are news of log %u of %s, for unit %u", s.log, s.origin, s.unit);
    rc = check_known(r, &s, err);
    return rc == RAFFLE_OK ? learn(r, &s, err) : rc;
}

/* --- install --- */

typedef struct installation {
    rf_stream kit;
    raffle_store *store;
    raffle_keys *keys;
    const char *control_key;
    rf_control control; /* folded from the kit alone, before anything is made */
    rf_range range;
    rf_sha256 *hash;
    uint8_t *ku;
} installation;

static raffle_rc fold_kit(installation *in, raffle_error *err)
{
    const char *at = in->kit.records;
    raffle_rc rc = RAFFLE_OK;
    rf_range_init(&in->range);
    for (uint64_t i = in->kit.from; rc == RAFFLE_OK && i < in->kit.to; i++) {
        raffle_record bytes;
        rf_record record;
        uint8_t leaf_hash[32];
        rf_stream_next(&at, &bytes);
        rf_leaf_hash(in->hash, leaf_hash, bytes.leaf, bytes.leaf_length);
        rf_range_push(in->hash, &in->range, leaf_hash, NULL, NULL);
        rc = rf_record_decode(&record, bytes.leaf, bytes.leaf_length, err);
        if (rc == RAFFLE_OK)
            rc = rf_control_apply(&in->control, &record, leaf_hash, NULL, err);
    }
    return rc;
}

/* The control log in the kit is what its control key signed: before any of it, or K_u, is kept. */
static raffle_rc check_signed(const installation *in, raffle_error *err)
{
    rf_checkpoint checkpoint;
    rf_vkey vkey;
    uint8_t root[32];
    raffle_rc rc = rf_vkey_parse(&vkey, in->control.key, strlen(in->control.key), err);
    if (rc == RAFFLE_OK)
        rc = rf_stream_checkpoint(&in->kit, &vkey, &checkpoint, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_range_root(in->hash, &in->range, root);
    return memcmp(root, checkpoint.root, 32) == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_PROOF, "the kit's control log is not the one that its control key signed");
}

/* That the kit is this unit's, for the key that is here, and K_u what the control log commits to. */
static raffle_rc check_kit(installation *in, raffle_error *err)
{
    const rf_stream *kit = &in->kit;
    uint8_t commitment[32], public_key[32];
    char name[16];
    rf_vkey vkey;
    if (kit->log != 0 || kit->from != 0 || kit->to == 0 || kit->unit < 1 || kit->unit > in->control.units ||
        !in->control.unit[kit->unit - 1].away || strcmp(in->control.rules->origin, kit->origin) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the kit is not that of a unit of %s which is away", kit->origin);
    if (in->control_key != NULL && strcmp(in->control_key, in->control.key) != 0)
        return rf_fail(err, RAFFLE_KEY, "the kit is of a raffle with another control key: %s", in->control.key);
    const rf_unit_row *row = &in->control.unit[kit->unit - 1];
    if (!rf_hex_decode(in->ku, 32, kit->ticket_key.data, kit->ticket_key.length))
        return rf_fail(err, RAFFLE_CORRUPT, "the kit's ticket key is malformed");
    rf_unit_key_commitment(in->hash, in->ku, commitment);
    if (sodium_memcmp(commitment, row->ticket_key, 32) != 0)
        return rf_fail(err, RAFFLE_KEY, "the kit's ticket key is not the one that unit %u was enrolled with",
                       kit->unit);
    (void)snprintf(name, sizeof name, "unit-%u", kit->unit);
    raffle_rc rc = rf_vkey_parse(&vkey, row->key, strlen(row->key), err);
    if (rc == RAFFLE_OK)
        rc = rf_keys_public_key(in->keys, kit->origin, name, public_key, err);
    if (rc == RAFFLE_NOT_FOUND || (rc == RAFFLE_OK && memcmp(public_key, vkey.key, 32) != 0))
        rc = rf_fail(err, RAFFLE_KEY, "the keys do not hold the key %s, which unit %u was enrolled with", row->key,
                     kit->unit);
    return rc;
}

/* The empty store, or one whose installation was cut off, gets the control log. */
static raffle_rc fill_store(const installation *in, raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_origin(in->store, origin, &quiet);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_store_create(in->store, in->kit.origin, err);
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &quiet);
    raffle_store_head head;
    raffle_store_head_init(&head, sizeof head);
    rc = rf_store_head(in->store, 0, &head, err);
    if (rc == RAFFLE_OK && (head.size > 0 || strcmp(origin, in->kit.origin) != 0))
        rc = rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s already", origin);
    return rc;
}

static raffle_rc read_kit(installation *in, const char *kit, size_t length, raffle_error *err)
{
    rf_control_init(&in->control);
    in->hash = rf_sha256_new();
    in->ku = sodium_malloc(32);
    if (in->hash == NULL || in->ku == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_stream_read(&in->kit, RF_STREAM_KIT, kit, length, err);
    if (rc == RAFFLE_OK)
        rc = fold_kit(in, err);
    if (rc == RAFFLE_OK)
        rc = check_kit(in, err);
    return rc == RAFFLE_OK ? check_signed(in, err) : rc;
}

/* A host that keeps secrets may keep this one, too. */
static raffle_rc keep_ticket_key(const installation *in, const raffle_host *host, raffle_error *err)
{
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_keys_unit_ticket_key_keep(in->keys, in->kit.origin, in->kit.unit, in->ku, &quiet);
    if (rc == RAFFLE_OK || rc == RAFFLE_EXISTS || (rc == RAFFLE_UNSUPPORTED && host->secret != NULL))
        return RAFFLE_OK;
    return rf_fail_as(err, &quiet);
}

static raffle_rc write_control_log(const installation *in, raffle_error *err)
{
    raffle *bare;
    raffle_rc rc = rf_raffle_bare(in->store, in->kit.origin, &bare, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = learn(bare, &in->kit, err);
    rf_raffle_unref(bare);
    return rc;
}

static raffle_rc install(installation *in, const raffle_host *host, raffle **out, raffle_error *err)
{
    raffle_host mine;
    raffle_rc rc = rf_host_in(&mine, host, err);
    if (rc == RAFFLE_OK)
        rc = fill_store(in, err);
    if (rc == RAFFLE_OK)
        rc = keep_ticket_key(in, &mine, err);
    if (rc == RAFFLE_OK)
        rc = write_control_log(in, err);
    return rc == RAFFLE_OK ? raffle_open_with(in->store, in->keys, host, out, err) : rc;
}

static void drop(installation *in)
{
    rf_control_clear(&in->control);
    rf_sha256_free(in->hash);
    sodium_free(in->ku);
}

raffle_rc raffle_unit_install_with(raffle_store *store, raffle_keys *keys, const raffle_host *host, const char *kit,
                                   size_t length, const char *control_key, raffle **out, raffle_error *err)
{
    if (store == NULL || keys == NULL || kit == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : keys == NULL ? "keys" : kit == NULL ? "kit" : "out");
    installation in = {.store = store, .keys = keys, .control_key = control_key};
    raffle_rc rc = read_kit(&in, kit, length, err);
    if (rc == RAFFLE_OK)
        rc = install(&in, host, out, err);
    drop(&in);
    return rc;
}

/* Once before the store is opened, so that a refusal leaves no file. */
static raffle_rc try_kit(raffle_keys *keys, const char *kit, size_t length, const char *control_key, raffle_error *err)
{
    installation in = {.keys = keys, .control_key = control_key};
    raffle_rc rc = read_kit(&in, kit, length, err);
    drop(&in);
    return rc;
}

raffle_rc raffle_unit_install(const char *store, const char *keys, const raffle_host *host, const char *kit,
                              size_t length, const char *control_key, raffle **out, raffle_error *err)
{
    raffle_store *s = NULL;
    raffle_keys *k = NULL;
    char beside[RAFFLE_TEXT_MAX];
    raffle_host lent;
    if (store == NULL || kit == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : kit == NULL ? "kit" : "out");
    raffle_rc rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK && keys == NULL) {
        rc = rf_default_keys(store, beside, err);
        keys = beside;
    }
    if (rc == RAFFLE_OK)
        rc = raffle_keys_open(keys, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = try_kit(k, kit, length, control_key, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_open(store, &lent, true, &s, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_install_with(s, k, host, kit, length, control_key, out, err);
    raffle_keys_free(k);
    raffle_store_free(s);
    return rc;
}
