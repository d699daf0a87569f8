/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restoring a backup (GLI-31 5.7.2; docs/spec/backup.md): all of it is checked, against itself, the keys and the anchor, before the store is touched. The control log comes last and in one
 * transaction, with what is said about the restoring: until then nothing opens.
 */
#include "backup_impl.h"
#include "open_impl.h"

#include "bytes.h"
#include "error.h"
#include "fold_draw.h"
#include "store.h"
#include "unit_impl.h"
#include <inttypes.h>
#include <raffle/ext/key.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 4096,       /* written at once, at most */
    ARENA = 8 << 20,   /* bytes of them */
    NODES = ROWS / 128 /* complete subtrees that they can end: one in 256, and those above */
};

/* What the anchor says of a log. */
typedef struct anchored {
    uint64_t size;
    uint8_t root[32];
    bool known;
    bool sure; /* that nothing is lost */
} anchored;

typedef struct kept_node {
    uint32_t level;
    uint64_t index;
    uint8_t hash[32];
} kept_node;

typedef struct restoring {
    rf_backup_facts facts;
    const char *path;
    const raffle_actor *by; /* NULL: a mirror is made */
    raffle_store *store;
    bool begun;     /* one that was cut off left some of this there */
    raffle *raffle; /* a handle over the store whose control log is still to be written */
    anchored *anchor;
    rf_sha256 *hash;
    uint32_t log;
    uint64_t there; /* records of it in the store already */
    rf_range range;
    /* Rows on their way; the first `same` of the records are in the store. */
    size_t same, most, n, used, keys, nodes;
    raffle_record *record;
    raffle_store_key *key;
    char *arena;
    kept_node node[NODES];
    /* The last transaction's. */
    rf_txn *txn;
    rf_control_op op;
    uint32_t next_unit;
    rf_record decoded;
} restoring;

/* --- the keys and the anchor, before anything is written --- */

static raffle_rc check_keys(const restoring *r, raffle_keys *keys, raffle_error *err)
{
    uint8_t public_key[32];
    raffle_rc rc = rf_keys_public_key(keys, r->facts.origin, "control", public_key, err);
    if (rc == RAFFLE_NOT_FOUND || (rc == RAFFLE_OK && memcmp(public_key, r->facts.vkey.key, 32) != 0))
        return rf_fail(err, RAFFLE_KEY, "the keys do not hold the control key of the backup: %s", r->facts.control.key);
    return rc;
}

static raffle_rc differs(const restoring *r, uint32_t log, raffle_error *err)
{
    const rf_backup_log *l = &r->facts.log[log];
    return rf_fail(err, RAFFLE_HISTORY,
                   "the anchor saw %" PRIu64 " records of log %" PRIu32 " of %s, and the backup holds %" PRIu64
                   ", or others: it is not put back",
                   r->anchor[log].size, log, r->facts.origin, l->size);
}

static raffle_rc ask_anchor(restoring *r, bool *again, raffle_error *err)
{
    for (uint32_t log = 0; log < r->facts.logs; log++) {
        const rf_backup_log *l = &r->facts.log[log];
        anchored *a = &r->anchor[log];
        raffle_error quiet = RAFFLE_ERROR_INIT;
        raffle_rc rc = rf_store_anchor_of(r->store, r->facts.origin, log, &a->size, a->root, &quiet);
        if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
            return rf_fail_as(err, &quiet);
        a->known = rc == RAFFLE_OK;
        if (a->known && ((log == 0 && a->size > l->size) || (a->size == l->size && memcmp(a->root, l->root, 32) != 0)))
            return differs(r, log, err);
        *again = *again || (a->known && a->size < l->size);
    }
    return RAFFLE_OK;
}

static raffle_rc begin_log(void *ctx, uint32_t log, uint64_t size, raffle_error *err)
{
    restoring *r = ctx;
    (void)size;
    (void)err;
    r->log = log;
    rf_range_init(&r->range);
    return RAFFLE_OK;
}

static raffle_rc compare_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    restoring *r = ctx;
    const anchored *a = &r->anchor[r->log];
    uint8_t hash[32];
    rf_leaf_hash(r->hash, hash, bytes->leaf, bytes->leaf_length);
    rf_range_push(r->hash, &r->range, hash, NULL, NULL);
    if (!a->known || a->size != r->range.size)
        return RAFFLE_OK;
    rf_range_root(r->hash, &r->range, hash);
    return memcmp(hash, a->root, 32) == 0 ? RAFFLE_OK : differs(r, r->log, err);
}

static raffle_rc changed(const restoring *r, raffle_error *err)
{
    return rf_fail(err, RAFFLE_CORRUPT, "%.150s was changed while it was read", r->path);
}

static raffle_rc check_same(const restoring *r, const rf_backup_end *end, raffle_error *err)
{
    return memcmp(end->hash, r->facts.end.hash, 32) == 0 ? RAFFLE_OK : changed(r, err);
}

/* A backup's checkpoints were anchored before they were signed. So an anchor that has less of any log is older than the backup, and tells of no unit that it
 * sold nothing since. A till's checkpoints are its own. */
static bool is_older(const restoring *r, uint32_t log)
{
    const rf_backup_log *l = &r->facts.log[log];
    const bool away = log > 0 && r->facts.control.unit[log - 1].away;
    return !away && l->whole && l->size > 0 && (!r->anchor[log].known || r->anchor[log].size < l->size);
}

static void judge_anchor(restoring *r)
{
    bool older = false;
    for (uint32_t log = 0; log < r->facts.logs; log++)
        older = older || is_older(r, log);
    for (uint32_t log = 0; log < r->facts.logs; log++) {
        anchored *a = &r->anchor[log];
        a->sure = !older && a->known && r->facts.log[log].whole && a->size == r->facts.log[log].size;
    }
}

/* What the anchor saw is the beginning of what the backup holds. */
static raffle_rc check_anchor(restoring *r, raffle_error *err)
{
    bool again = false;
    rf_backup_end end;
    const rf_backup_sink sink = {.ctx = r, .log = begin_log, .record = compare_record};
    r->anchor = calloc(r->facts.logs, sizeof *r->anchor);
    if (r->anchor == NULL)
        return rf_nomem(err);
    raffle_rc rc = ask_anchor(r, &again, err);
    if (rc == RAFFLE_OK)
        judge_anchor(r);
    if (rc == RAFFLE_OK && again)
        rc = rf_backup_read(r->path, &sink, &end, err);
    return rc == RAFFLE_OK && again ? check_same(r, &end, err) : rc;
}

/* Whether a unit could sell what was sold since. One elsewhere is not sold from here. */
static bool is_risky(const restoring *r, uint32_t unit)
{
    const rf_unit_row *row = &r->facts.control.unit[unit - 1];
    return row->enabled && !row->away && !r->facts.log[unit].closed && !r->anchor[unit].sure;
}

/* Whether the unit can be disabled: not while a draw is open, and not by everybody who may restore. The fold would refuse it, when all units are written. */
static raffle_rc check_risk(const restoring *r, uint32_t unit, raffle_error *err)
{
    const rf_control *c = &r->facts.control;
    if (c->open_prize >= 0)
        return rf_fail(err, RAFFLE_DRAW_OPEN,
                       "a draw is open, and no anchor tells that unit %" PRIu32 " lost nothing: it would have to be "
                       "disabled, which waits for the draw",
                       unit);
    if (r->by->role != RAFFLE_SYSTEM && !rf_rules_may(c->rules, RF_OP_UNITS, r->by->role))
        return rf_fail(err, RAFFLE_ROLE,
                       "no anchor tells that unit %" PRIu32
                       " lost nothing: it would have to be disabled, which the role %s may not",
                       unit, raffle_role_name(r->by->role));
    return RAFFLE_OK;
}

static raffle_rc check_risks(const restoring *r, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t unit = 1; rc == RAFFLE_OK && r->by != NULL && unit < r->facts.logs; unit++)
        if (is_risky(r, unit))
            rc = check_risk(r, unit, err);
    return rc;
}

/* --- rows of units --- */

/* A key that is there already was written before the restoring was cut off, if it is of the same record. */
static raffle_rc fill_keys(const restoring *r, const raffle_store_batch *batch, raffle_error *err)
{
    raffle_store_key owner = {.struct_size = sizeof owner};
    raffle_rc rc = RAFFLE_OK;
    for (size_t at = 0, done = 0; rc == RAFFLE_OK && at < r->keys; at++) {
        rc = batch->keys(batch->ctx, r->key + at, r->keys - at, &done, &owner, err);
        at += rc == RAFFLE_OK ? done : 0;
        if (rc == RAFFLE_OK && at < r->keys && (owner.log != r->key[at].log || owner.index != r->key[at].index))
            rc = rf_fail(err, RAFFLE_EXISTS,
                         "a key of record %" PRIu64 " of log %" PRIu32 " is another record's in the store",
                         r->key[at].index, r->key[at].log);
    }
    return rc;
}

static raffle_rc fill(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    const restoring *r = ctx;
    const size_t rest = r->n - r->same;
    if (rest > 0 && head->size != r->record[r->same].index)
        return rf_fail(err, RAFFLE_EXISTS, "somebody else writes to the store");
    raffle_rc rc = rest > 0 ? batch->records(batch->ctx, r->record + r->same, rest, err) : RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < r->nodes; i++)
        rc = batch->node(batch->ctx, r->node[i].level, r->node[i].index, r->node[i].hash, err);
    return rc == RAFFLE_OK ? fill_keys(r, batch, err) : rc;
}

static bool same_bytes(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

static raffle_rc compare_there(void *ctx, const raffle_record *theirs, raffle_error *err)
{
    restoring *r = ctx;
    const raffle_record *mine = &r->record[r->same++];
    return same_bytes(mine->leaf, mine->leaf_length, theirs->leaf, theirs->leaf_length) &&
                   same_bytes(mine->private_part, mine->private_length, theirs->private_part, theirs->private_length)
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_EXISTS,
                         "record %" PRIu64 " of log %" PRIu32
                         ", which a restoring that was cut off left in the store, is not the backup's",
                         theirs->index, r->log);
}

static raffle_rc skip_there(restoring *r, raffle_error *err)
{
    const uint64_t first = r->n > 0 ? r->record[0].index : r->there;
    if (first >= r->there)
        return RAFFLE_OK;
    const uint64_t count = r->there - first < r->n ? r->there - first : r->n;
    raffle_rc rc = rf_store_read(r->store, r->log, first, count, compare_there, r, err);
    return rc == RAFFLE_OK && r->same < count
               ? rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 " lacks records that the store counts", r->log)
               : rc;
}

static raffle_rc flush(restoring *r, raffle_error *err)
{
    const uint32_t log = r->n > 0 ? r->log : 0;
    raffle_rc rc = skip_there(r, err);
    if (rc == RAFFLE_OK && r->n - r->same + r->keys > 0)
        rc = rf_store_append(r->store, log, fill, r, -1, err);
    sodium_memzero(r->arena, r->used);
    r->n = r->same = r->used = r->keys = r->nodes = 0;
    return rc;
}

static void take_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    restoring *r = ctx;
    if (level < RF_NODE_LEVEL_MIN || (index + 1) << level <= r->there)
        return;
    r->node[r->nodes].level = level;
    r->node[r->nodes].index = index;
    memcpy(r->node[r->nodes++].hash, hash, 32);
}

static const char *keep(restoring *r, const char *bytes, size_t n)
{
    char *at = r->arena + r->used;
    if (n > 0)
        memcpy(at, bytes, n);
    r->used += n;
    return at;
}

static raffle_rc write_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    restoring *r = ctx;
    uint8_t hash[32];
    const size_t length = (size_t)bytes->leaf_length + bytes->private_length;
    if (r->log == 0)
        return RAFFLE_OK;
    raffle_rc rc = r->n == r->most || r->used + length > ARENA ? flush(r, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    raffle_record *copy = &r->record[r->n++];
    *copy = *bytes;
    copy->leaf = keep(r, bytes->leaf, bytes->leaf_length);
    if (bytes->private_part != NULL)
        copy->private_part = keep(r, bytes->private_part, bytes->private_length);
    rf_leaf_hash(r->hash, hash, copy->leaf, copy->leaf_length);
    rf_range_push(r->hash, &r->range, hash, take_node, r);
    return RAFFLE_OK;
}

static raffle_rc begin_rows(void *ctx, uint32_t log, uint64_t size, raffle_error *err)
{
    restoring *r = ctx;
    raffle_store_head head = {.struct_size = sizeof head};
    raffle_rc rc = flush(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_head(r->store, log, &head, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (head.size > size)
        return rf_fail(err, RAFFLE_EXISTS,
                       "the store holds %" PRIu64 " records of log %" PRIu32 ", and the backup %" PRIu64, head.size,
                       log, size);
    r->there = head.size;
    return begin_log(r, log, size, err);
}

/* A note that is there is not put again: a later one may be there, too. */
static bool has_note(const restoring *r, uint32_t log, uint64_t size, const char *note, size_t length)
{
    uint64_t at;
    size_t found = 0;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    char *there = r->begun ? malloc(RF_NOTE_MAX) : NULL;
    const bool has = there != NULL &&
                     rf_store_note_get(r->store, log, size, &at, there, RF_NOTE_MAX, &found, &quiet) == RAFFLE_OK &&
                     found == length && memcmp(there, note, length) == 0;
    free(there);
    return has;
}

/* The control log's newest comes with its records. */
static raffle_rc write_note(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err)
{
    restoring *r = ctx;
    if (log == 0 && size == r->facts.log[0].size)
        return RAFFLE_OK;
    raffle_rc rc = flush(r, err);
    if (rc == RAFFLE_OK && has_note(r, log, size, note, length))
        return RAFFLE_OK;
    return rc == RAFFLE_OK ? rf_store_note_put(r->store, log, size, note, length, err) : rc;
}

static raffle_rc write_key(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    restoring *r = ctx;
    raffle_rc rc = r->n > 0 || r->keys == r->most ? flush(r, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK)
        r->key[r->keys++] = *key;
    return rc;
}

static raffle_rc write_units(restoring *r, raffle_error *err)
{
    rf_backup_end end;
    const rf_backup_sink sink = {r, NULL, begin_rows, write_record, write_note, write_key};
    raffle_rc rc = rf_backup_read(r->path, &sink, &end, err);
    if (rc == RAFFLE_OK)
        rc = flush(r, err);
    return rc == RAFFLE_OK ? check_same(r, &end, err) : rc;
}

/* --- the control log, in one transaction --- */

static raffle_rc take_key_of(restoring *r, const rf_taken_list *taken, uint64_t index, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_store_key owner;
        bool is_taken;
        rc = rf_txn_key(r->txn, key->scope, key->key, key->length, index, &is_taken, &owner, err);
        if (rc == RAFFLE_OK && is_taken)
            rc = rf_fail(err, RAFFLE_CORRUPT, "a key of the control log stands twice in the backup");
    }
    return rc;
}

/* The end of what is wanted of the file; no failure. */
static raffle_rc stop(void *ctx, uint32_t log, uint64_t size, raffle_error *err)
{
    (void)ctx;
    (void)size;
    return log == 0 ? RAFFLE_OK : rf_fail(err, RAFFLE_NOT_FOUND, "the control log has ended");
}

static raffle_rc write_control_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    restoring *r = ctx;
    rf_taken_list taken;
    uint8_t hash[32];
    char *room;
    raffle_rc rc = rf_record_decode(&r->decoded, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_leaf_hash(r->hash, hash, bytes->leaf, bytes->leaf_length);
    rc = rf_control_apply(&r->raffle->control, &r->decoded, hash, &taken, err);
    if (rc == RAFFLE_OK)
        rc = take_key_of(r, &taken, bytes->index, err);
    if (rc == RAFFLE_OK)
        rc = rf_txn_room(r->txn, bytes->leaf_length, &room, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(room, bytes->leaf, bytes->leaf_length);
    rc = rf_txn_add(r->txn, bytes->leaf_length, bytes->private_part, bytes->private_length, err);
    return rc == RAFFLE_OK ? rf_txn_root(r->txn, hash, err)
                           : rc; /* sends it: the private part's memory is the reader's */
}

static raffle_rc write_control_note(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length,
                                    raffle_error *err)
{
    restoring *r = ctx;
    return log == 0 && size == r->facts.log[0].size ? rf_txn_note(r->txn, note, length, err) : RAFFLE_OK;
}

static raffle_rc write_control(void *ctx, rf_txn *txn, raffle_error *err)
{
    restoring *r = ctx;
    rf_backup_end end;
    const rf_backup_sink sink = {r, NULL, stop, write_control_record, write_control_note, NULL};
    r->txn = txn;
    r->next_unit = 0;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_backup_read(r->path, &sink, &end, &why);
    if (rc != RAFFLE_OK && !(rc == RAFFLE_NOT_FOUND && rf_txn_size(txn) == r->facts.log[0].size))
        return rf_fail_as(err, &why);
    return memcmp(end.control, r->facts.end.control, 32) == 0 ? RAFFLE_OK : changed(r, err);
}

/* The event first, then the units. */
static raffle_rc make_record(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    restoring *r = ctx;
    if (r->by == NULL)
        return rf_fail(err, RAFFLE_NOT_FOUND, "a mirror's records are those of its raffle");
    if (i == 0) {
        *record = (rf_record){.type = RF_EVENT,
                              .has = rf_bit(RF_F_CODE) | rf_bit(RF_F_COMPONENT),
                              .code = rf_text_of("raffle.restored"),
                              .component = rf_text_of("store")};
        return RAFFLE_OK;
    }
    do
        r->next_unit++;
    while (r->next_unit < r->facts.logs && !is_risky(r, r->next_unit));
    if (r->next_unit >= r->facts.logs)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no unit is left");
    *record = (rf_record){.type = RF_UNIT_DISABLE,
                          .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_REASON),
                          .unit = r->next_unit,
                          .reason = rf_text_of("restored")};
    return RAFFLE_OK;
}

static raffle_rc append_control(restoring *r, raffle_error *err)
{
    char text[128], digits[65] = "";
    const raffle_actor nobody = {.struct_size = sizeof nobody, .role = RAFFLE_SYSTEM, .id = "mirror"};
    rf_hex_encode(digits, r->facts.end.hash, 32);
    (void)snprintf(text, sizeof text, "from a backup of %zu logs, %s", r->facts.logs, digits);
    r->op = (rf_control_op){.raffle = r->raffle,
                            .by = r->by != NULL ? r->by : &nobody,
                            .text = text,
                            .first = write_control,
                            .make = make_record,
                            .ctx = r};
    return rf_control_append(&r->op, err);
}

/* --- the whole --- */

/* An empty store, or one in which a restoring of this raffle was cut off: without a record of the control log. */
static raffle_rc check_empty(restoring *r, raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_store_head head = {.struct_size = sizeof head};
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_origin(r->store, origin, &quiet);
    if (rc == RAFFLE_NOT_FOUND)
        return RAFFLE_OK;
    if (rc == RAFFLE_OK)
        rc = rf_store_head(r->store, 0, &head, &quiet);
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &quiet);
    r->begun = strcmp(origin, r->facts.origin) == 0 && head.size == 0;
    return r->begun
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s; a backup goes into an empty one", origin);
}

static raffle_rc allocate(restoring *r, raffle_error *err)
{
    const uint64_t rows = rf_store_batch_rows(r->store) / 3;
    r->most = rows == 0 || rows > ROWS ? ROWS : (size_t)rows;
    r->record = calloc(r->most, sizeof *r->record);
    r->key = calloc(r->most, sizeof *r->key);
    r->arena = malloc(ARENA);
    r->hash = rf_sha256_new();
    return r->record == NULL || r->key == NULL || r->arena == NULL || r->hash == NULL ? rf_nomem(err) : RAFFLE_OK;
}

static raffle_rc write_all(restoring *r, raffle_keys *keys, const raffle_host *host, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    if (r->begun)
        rf_store_put_back_again(r->store);
    else
        rc = rf_store_put_back(r->store, r->facts.origin, err);
    if (rc == RAFFLE_OK)
        rc = write_units(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_raffle_new(r->store, keys, host, &r->raffle, err);
    if (rc != RAFFLE_OK)
        return rc;
    memcpy(r->raffle->origin, r->facts.origin, sizeof r->facts.origin);
    rc = rf_raffle_open_log(r->raffle, err);
    return rc == RAFFLE_OK ? append_control(r, err) : rc;
}

/* The anchor has what was put back, so that it is not put back again from less. */
static raffle_rc anchor_all(raffle *r, raffle_error *err)
{
    raffle_rc rc = rf_log_anchor(r->log, err);
    for (uint32_t i = 1; rc == RAFFLE_OK && i <= r->control.units; i++) {
        rf_unit *u;
        rc = rf_unit_get(r, i, &u, err);
        if (rc == RAFFLE_OK && !rf_log_halted(u->log) && !rf_log_forked(u->log) && rf_log_size(u->log) > 0)
            rc = rf_log_anchor(u->log, err);
    }
    return rc;
}

static raffle_rc restore(restoring *r, raffle_keys *keys, const raffle_host *host, raffle **out, raffle_error *err)
{
    raffle_rc rc = check_keys(r, keys, err);
    if (rc == RAFFLE_OK)
        rc = check_empty(r, err);
    if (rc == RAFFLE_OK)
        rc = allocate(r, err);
    if (rc == RAFFLE_OK)
        rc = check_anchor(r, err);
    if (rc == RAFFLE_OK)
        rc = check_risks(r, err);
    if (rc == RAFFLE_OK)
        rc = write_all(r, keys, host, err);
    rf_store_put_back_over(r->store);
    if (rc == RAFFLE_OK)
        rc = raffle_open_with(r->store, keys, host, out, err);
    if (rc != RAFFLE_OK)
        return rc;
    (*out)->owns_host = false; /* until nothing can fail any more */
    rc = anchor_all(*out, err);
    if (rc == RAFFLE_OK) {
        (*out)->owns_host = true;
        return RAFFLE_OK;
    }
    raffle_free(*out);
    *out = NULL;
    return rc;
}

static void drop(restoring *r)
{
    rf_raffle_unref(r->raffle);
    if (r->arena != NULL)
        sodium_memzero(r->arena, r->used);
    free(r->arena);
    free(r->record);
    free(r->key);
    free(r->anchor);
    rf_sha256_free(r->hash);
    rf_backup_facts_clear(&r->facts);
    free(r);
}

static raffle_rc begin(const char *path, const raffle_actor *by, raffle_actor *actor, restoring **out,
                       raffle_error *err)
{
    raffle_rc rc = by != NULL ? rf_actor_in(actor, by, "by", err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return rf_nomem(err);
    (*out)->path = path;
    (*out)->by = by != NULL ? actor : NULL;
    rc = rf_backup_check(path, NULL, &(*out)->facts, err);
    return rc == RAFFLE_OK && by != NULL ? rf_control_role(&(*out)->facts.control, RF_OP_RESTORE, actor->role, err)
                                         : rc;
}

raffle_rc raffle_restore_with(const char *path, raffle_store *store, raffle_keys *keys, const raffle_host *host,
                              const raffle_actor *by, raffle **out, raffle_error *err)
{
    raffle_actor actor;
    restoring *r = NULL;
    if (path == NULL || store == NULL || keys == NULL || out == NULL)
        return rf_null(err, path == NULL ? "path" : store == NULL ? "store" : keys == NULL ? "keys" : "out");
    raffle_rc rc = begin(path, by, &actor, &r, err);
    if (rc == RAFFLE_OK) {
        r->store = store;
        rc = restore(r, keys, host, out, err);
    }
    if (r != NULL)
        drop(r);
    return rc;
}

/* --- by URI --- */

raffle_rc raffle_restore(const char *path, const char *store, const char *keys, const raffle_host *host,
                         const raffle_actor *by, raffle **out, raffle_error *err)
{
    char beside[RAFFLE_TEXT_MAX];
    raffle_actor actor;
    raffle_host lent;
    raffle_keys *k = NULL;
    restoring *r = NULL;
    if (path == NULL || store == NULL || out == NULL)
        return rf_null(err, path == NULL ? "path" : store == NULL ? "store" : "out");
    /* Checked before the store is opened, so that a refusal leaves no file. */
    raffle_rc rc = begin(path, by, &actor, &r, err);
    if (rc == RAFFLE_OK)
        rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK && keys == NULL) {
        rc = rf_default_keys(store, beside, err);
        keys = beside;
    }
    if (rc == RAFFLE_OK)
        rc = raffle_keys_open(keys, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = check_keys(r, k, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_open(store, &lent, true, &r->store, err);
    raffle_store *s = r != NULL ? r->store : NULL;
    if (rc == RAFFLE_OK)
        rc = restore(r, k, host, out, err);
    if (r != NULL)
        drop(r);
    raffle_keys_free(k);
    raffle_store_free(s);
    return rc;
}
