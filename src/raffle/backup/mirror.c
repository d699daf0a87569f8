/* SPDX-License-Identifier: Apache-2.0 */
/* A mirror (GLI-31 5.7.1): a second store that gets the records of a raffle's logs as they grow, through its own journal and fold, so that it can take over. */
#include "raffle_impl.h"

#include "abi.h"
#include "buyer.h"
#include "error.h"
#include "order.h"
#include "unit_impl.h"
#include <raffle/backup.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 1024,     /* records that are copied in one transaction */
    ARENA = 4 << 20, /* bytes of them */
    KEYS = 2 * ROWS  /* of orders and of buyers; the others follow from the records */
};

typedef struct extra_key {
    uint32_t scope, length;
    uint64_t index;
    uint8_t key[RAFFLE_STORE_KEY_MAX];
} extra_key;

typedef struct erasure {
    uint32_t unit;
    uint64_t serial;
} erasure;

typedef struct mirroring {
    raffle *from, *to;
    raffle_mirror_info *info;
    rf_sha256 *hash;
    /* The log under way: `unit` is the mirror's, NULL for the control log. */
    uint32_t number;
    rf_log *source, *log;
    rf_unit *unit;
    /* Records that were read and are to be appended. */
    size_t n, used, keys, next_key;
    raffle_record *record;
    extra_key *key;
    char *arena;
    uint64_t first; /* index of the first one */
    raffle_rc rc;   /* a refusal */
    raffle_error *err;
    rf_record decoded;
    rf_private private_part;
    char *note;
    /* Whose private parts were erased, by control records that were copied. */
    size_t erasures, erasure_cap;
    erasure *erasure;
} mirroring;

void raffle_mirror_info_init(raffle_mirror_info *info, size_t size)
{
    rf_struct_init(info, size);
}

/* --- reading --- */

static const char *keep(mirroring *m, const char *bytes, size_t n)
{
    char *at = m->arena + m->used;
    memcpy(at, bytes, n);
    m->used += n;
    return at;
}

/* What does not fit waits for the next transaction. */
static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    mirroring *m = ctx;
    if (m->n == ROWS || m->used + bytes->leaf_length + bytes->private_length > ARENA)
        return rf_fail(err, RAFFLE_TOO_SMALL, "enough for one transaction");
    raffle_record *copy = &m->record[m->n++];
    *copy = *bytes;
    copy->leaf = keep(m, bytes->leaf, bytes->leaf_length);
    if (bytes->private_part != NULL)
        copy->private_part = keep(m, bytes->private_part, bytes->private_length);
    return RAFFLE_OK;
}

static raffle_rc add_key(mirroring *m, uint32_t scope, uint64_t index, const uint8_t *key, size_t length,
                         raffle_error *err)
{
    if (m->keys == KEYS)
        return rf_fail(err, RAFFLE_CORRUPT, "the raffle's store has more keys of log %u than it has sales", m->number);
    extra_key *k = &m->key[m->keys++];
    *k = (extra_key){.scope = scope, .length = (uint32_t)length, .index = index};
    memcpy(k->key, key, length);
    return RAFFLE_OK;
}

/* An order that two units sold is the first one's, also here. */
static raffle_rc find_order(mirroring *m, uint64_t index, raffle_error *err)
{
    char order[RAFFLE_NAME_SIZE];
    uint8_t key[RF_ORDER_HASH_MAX];
    raffle_store_key owner = {.struct_size = sizeof owner};
    raffle_error quiet = RAFFLE_ERROR_INIT;
    const rf_private *p = &m->private_part;
    if (!(p->has & rf_bit(RF_P_ORDER)) || p->line != 0 || !rf_text_copy(&p->order, order, sizeof order))
        return RAFFLE_OK;
    const size_t length = rf_order_hash(key, m->from->order_key, order, strlen(order));
    raffle_rc rc = rf_store_find(m->from->store, RF_SCOPE_ORDER, key, length, &owner, &quiet);
    if (rc != RAFFLE_OK)
        return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &quiet);
    return owner.log == m->number && owner.index == index ? add_key(m, RF_SCOPE_ORDER, index, key, length, err)
                                                          : RAFFLE_OK;
}

typedef struct looking {
    mirroring *m;
    uint64_t index;
} looking;

static raffle_rc take_buyer(void *ctx, const raffle_store_key *row, raffle_error *err)
{
    const looking *l = ctx;
    return row->log == l->m->number && row->index == l->index
               ? add_key(l->m, RF_SCOPE_BUYER, l->index, row->key, row->length, err)
               : RAFFLE_OK;
}

static raffle_rc find_buyer(mirroring *m, uint64_t index, raffle_error *err)
{
    char tag[RAFFLE_NAME_SIZE];
    uint8_t hash[RF_BUYER_HASH_SIZE];
    looking l = {m, index};
    const rf_private *p = &m->private_part;
    if (m->from->rules->buyer_tickets == 0 || !(p->has & rf_bit(RF_P_BUYER)) ||
        !rf_text_copy(&p->buyer, tag, sizeof tag))
        return RAFFLE_OK;
    rf_buyer_hash(m->hash, hash, m->from->buyer_key, tag, strlen(tag));
    return rf_store_scan(m->from->store, RF_SCOPE_BUYER, hash, sizeof hash, NULL, 0, UINT64_MAX, take_buyer, &l, err);
}

/* The keys of a sale are of what is private; an erased one's are the copy's that the mirror was made from. */
static raffle_rc find_keys(mirroring *m, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < m->n && m->unit != NULL; i++) {
        const raffle_record *r = &m->record[i];
        if (r->private_part == NULL)
            continue;
        rc = rf_private_decode(&m->private_part, r->private_part, r->private_length, err);
        if (rc == RAFFLE_OK)
            rc = find_order(m, r->index, err);
        if (rc == RAFFLE_OK)
            rc = find_buyer(m, r->index, err);
    }
    return rc;
}

static raffle_rc read_some(mirroring *m, uint64_t from, uint64_t until, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    sodium_memzero(m->arena, m->used);
    m->n = m->used = m->keys = 0;
    m->first = from;
    raffle_rc rc =
        rf_store_read(m->from->store, m->number, from, until - from < ROWS ? until - from : ROWS, take_record, m, &why);
    if (rc != RAFFLE_OK && !(rc == RAFFLE_TOO_SMALL && m->n > 0))
        return rf_fail_as(err, &why);
    return find_keys(m, err);
}

/* --- appending --- */

static raffle_rc take_keys(mirroring *m, rf_txn *txn, const rf_taken_list *taken, uint64_t index, raffle_error *err)
{
    raffle_store_key owner;
    bool is_taken = false;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && !is_taken && i < taken->n; i++)
        rc = rf_txn_key(txn, taken->key[i].scope, taken->key[i].key, taken->key[i].length, index, &is_taken, &owner,
                        err);
    for (; rc == RAFFLE_OK && !is_taken && m->next_key < m->keys && m->key[m->next_key].index == index; m->next_key++)
        rc = rf_txn_key(txn, m->key[m->next_key].scope, m->key[m->next_key].key, m->key[m->next_key].length, index,
                        &is_taken, &owner, err);
    return rc == RAFFLE_OK && is_taken
               ? rf_fail(err, RAFFLE_HISTORY, "a key of record %llu of log %u is another record's in the mirror",
                         (unsigned long long)index, m->number)
               : rc;
}

static raffle_rc apply(mirroring *m, const raffle_record *bytes, rf_taken_list *taken, raffle_error *err)
{
    uint8_t leaf_hash[32];
    raffle *to = m->to;
    raffle_rc rc = rf_record_decode(&m->decoded, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (m->unit != NULL) {
        pthread_mutex_lock(&m->unit->lock);
        rc = rf_unit_apply(&m->unit->frame, &m->unit->state, &m->decoded, taken, err);
        pthread_mutex_unlock(&m->unit->lock);
        return rc;
    }
    rf_leaf_hash(m->hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    pthread_rwlock_wrlock(&to->control_lock);
    rc = rf_control_apply(&to->control, &m->decoded, leaf_hash, taken, err);
    pthread_rwlock_unlock(&to->control_lock);
    return rc;
}

static raffle_rc add_records(mirroring *m, rf_txn *txn, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < m->n; i++) {
        rf_taken_list taken = {.n = 0};
        const raffle_record *r = &m->record[i];
        rc = apply(m, r, &taken, err);
        if (rc == RAFFLE_OK)
            rc = take_keys(m, txn, &taken, r->index, err);
        if (rc == RAFFLE_OK)
            rc = rf_txn_add_leaf(txn, r->leaf, r->leaf_length, r->private_part, r->private_length, err);
    }
    return rc;
}

static raffle_rc build(void *ctx, rf_txn *txn, raffle_error *err)
{
    mirroring *m = ctx;
    m->next_key = 0;
    m->rc = RAFFLE_OK;
    if (rf_txn_size(txn) != m->first)
        m->rc = rf_fail(m->err, RAFFLE_BUSY, "somebody else writes to the mirror");
    if (m->rc != RAFFLE_OK)
        return RAFFLE_OK;
    m->rc = add_records(m, txn, m->err);
    return m->rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, m->err);
}

static raffle_rc append_some(mirroring *m, raffle_error *err)
{
    raffle_error refusal = RAFFLE_ERROR_INIT;
    rf_request request = {.build = build, .ctx = m, .timeout_ms = rf_timeout(m->to), .rows = 2 * m->n};
    m->err = &refusal;
    raffle_rc rc = rf_log_append(m->log, &request, err);
    if (m->unit == NULL)
        (void)rf_log_refresh(m->log, NULL); /* after a failure the state is folded again */
    if (m->rc != RAFFLE_OK)
        return rf_fail_as(err, &refusal);
    if (rc == RAFFLE_OK)
        m->info->copied += m->n;
    return rc;
}

/* --- notes and erasures --- */

static raffle_rc copy_note(mirroring *m, uint64_t at, uint64_t most, raffle_error *err)
{
    uint64_t size = 0;
    size_t length = 0;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_note_get(m->from->store, m->number, at, &size, m->note, RF_NOTE_MAX, &length, &quiet);
    if (rc != RAFFLE_OK)
        return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &quiet);
    return size <= most ? rf_store_note_put(m->to->store, m->number, size, m->note, length, err) : RAFFLE_OK;
}

static raffle_rc remember_erasure(mirroring *m, raffle_error *err)
{
    if (m->erasures == m->erasure_cap) {
        const size_t cap = m->erasure_cap > 0 ? 2 * m->erasure_cap : 64;
        erasure *grown = realloc(m->erasure, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        m->erasure = grown;
        m->erasure_cap = cap;
    }
    m->erasure[m->erasures++] = (erasure){(uint32_t)m->decoded.unit, (uint64_t)m->decoded.serial};
    return RAFFLE_OK;
}

static bool is_erasure(const rf_record *r)
{
    return r->type == RF_EVENT && rf_text_is(&r->code, "private.erased") && rf_has(r, RF_F_UNIT) &&
           rf_has(r, RF_F_SERIAL);
}

static raffle_rc find_erasure(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    mirroring *m = ctx;
    raffle_rc rc = rf_record_decode(&m->decoded, bytes->leaf, bytes->leaf_length, err);
    return rc == RAFFLE_OK && is_erasure(&m->decoded) ? remember_erasure(m, err) : rc;
}

/* The event comes before the erasure, and what copied it may have ended between the two: the first call through a handle, and one after a failure, look at
 * all that were ever asked for. */
static raffle_rc remember_all(mirroring *m, raffle_error *err)
{
    m->erasures = 0;
    return rf_store_read(m->to->store, 0, 0, rf_log_size(m->to->log), find_erasure, m, err);
}

static raffle_rc see_part(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    bool *there = ctx;
    (void)err;
    *there = bytes->private_part != NULL;
    return RAFFLE_OK;
}

/* After the units' records are here. */
static raffle_rc erase_all(mirroring *m, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < m->erasures; i++) {
        const erasure *e = &m->erasure[i];
        bool there = false;
        rc = rf_store_read(m->to->store, e->unit, e->serial, 1, see_part, &there, err);
        if (rc == RAFFLE_OK && there)
            rc = rf_store_erase(m->to->store, e->unit, e->serial, err);
    }
    return rc;
}

/* What the control log's records ask for beside them: the notes of intents, and erasures. */
static raffle_rc follow_some(mirroring *m, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < m->n; i++) {
        const raffle_record *r = &m->record[i];
        rc = rf_record_decode(&m->decoded, r->leaf, r->leaf_length, err);
        if (rc == RAFFLE_OK && m->decoded.type == RF_DRAW_INTENT)
            rc = copy_note(m, r->index + 1, r->index + 1, err);
        if (rc == RAFFLE_OK && is_erasure(&m->decoded))
            rc = remember_erasure(m, err);
    }
    return rc;
}

/* --- a log --- */

/* The mirror's records are the first of the raffle's. */
static raffle_rc compare(const mirroring *m, uint64_t until, raffle_error *err)
{
    uint64_t size;
    uint8_t mine[32], theirs[32];
    rf_log_root(m->log, &size, mine);
    if (size > until)
        return rf_fail(err, RAFFLE_HISTORY, "the mirror has %llu records of %s, and the raffle %llu",
                       (unsigned long long)size, rf_log_origin(m->log), (unsigned long long)until);
    raffle_rc rc = size > 0 ? rf_log_root_at(m->source, size, theirs, err) : RAFFLE_OK;
    if (rc == RAFFLE_OK && size > 0 && memcmp(mine, theirs, 32) != 0)
        rc = rf_fail(err, RAFFLE_HISTORY, "the mirror's %llu records of %s are not the raffle's",
                     (unsigned long long)size, rf_log_origin(m->log));
    return rc;
}

static raffle_rc copy_log(mirroring *m, raffle_error *err)
{
    raffle_rc rc = rf_log_refresh(m->source, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_refresh(m->log, err);
    const uint64_t until = rf_log_size(m->source);
    if (rc == RAFFLE_OK)
        rc = compare(m, until, err);
    for (uint64_t at = rf_log_size(m->log); rc == RAFFLE_OK && at < until; at += m->n) {
        rc = read_some(m, at, until, err);
        if (rc == RAFFLE_OK)
            rc = append_some(m, err);
        if (rc == RAFFLE_OK && m->unit == NULL)
            rc = follow_some(m, err);
    }
    if (rc == RAFFLE_OK)
        rc = copy_note(m, RF_NOTE_LATEST, until, err);
    m->info->records += rf_log_size(m->log);
    return rc;
}

/* One that is damaged, or lost its end, stays as it was copied. */
static raffle_rc copy_unit(mirroring *m, uint32_t number, raffle_error *err)
{
    rf_unit *source;
    raffle_rc rc = rf_unit_get(m->from, number, &source, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(m->to, number, &m->unit, err);
    if (rc != RAFFLE_OK)
        return rc;
    m->number = number;
    m->source = source->log;
    m->log = m->unit->log;
    if (rf_log_halted(m->source) || rf_log_forked(m->source)) {
        m->info->records += rf_log_size(m->log);
        return RAFFLE_OK;
    }
    rc = rf_unit_enter_upload(m->unit, err);
    if (rc == RAFFLE_OK)
        rc = copy_log(m, err);
    m->info->units += rc == RAFFLE_OK;
    return rc;
}

static raffle_rc copy_all(mirroring *m, raffle_error *err)
{
    m->number = 0;
    m->source = m->from->log;
    m->log = m->to->log;
    m->unit = NULL;
    const bool again = !m->to->mirrored;
    m->to->mirrored = false;
    raffle_rc rc = copy_log(m, err);
    if (rc == RAFFLE_OK && again)
        rc = remember_all(m, err);
    pthread_rwlock_rdlock(&m->to->control_lock);
    const size_t units = m->to->control.units;
    pthread_rwlock_unlock(&m->to->control_lock);
    for (uint32_t i = 1; rc == RAFFLE_OK && i <= units; i++)
        rc = copy_unit(m, i, err);
    if (rc == RAFFLE_OK)
        rc = erase_all(m, err);
    m->to->mirrored = rc == RAFFLE_OK;
    return rc;
}

/* --- the call --- */

static raffle_rc check(raffle *from, raffle *to, raffle_error *err)
{
    raffle_rc rc = rf_enter(from, err);
    if (rc == RAFFLE_OK && to == NULL)
        rc = rf_null(err, "mirror");
    if (rc == RAFFLE_OK)
        rc = rf_not_at_till(from, err);
    if (rc == RAFFLE_OK && from->keys == NULL)
        rc = rf_fail(err, RAFFLE_KEY, "the raffle %s was opened without keys, to be read", from->origin);
    if (rc == RAFFLE_OK && from->store == to->store)
        rc = rf_fail(err, RAFFLE_MISUSE, "mirror: it is the raffle itself");
    if (rc == RAFFLE_OK)
        rc = rf_enter_write(to, err);
    if (rc == RAFFLE_OK && memcmp(from->open, to->open, sizeof from->open) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the mirror is of the raffle %s, and not of this one of %s", to->origin,
                     from->origin);
    return rc;
}

static void drop(mirroring *m)
{
    if (m->arena != NULL)
        sodium_memzero(m->arena, m->used);
    free(m->arena);
    free(m->record);
    free(m->key);
    free(m->note);
    free(m->erasure);
    rf_sha256_free(m->hash);
    free(m);
}

raffle_rc raffle_mirror(raffle *r, raffle *mirror, raffle_mirror_info *info, raffle_error *err)
{
    raffle_mirror_info mine = {.units = 0};
    raffle_rc rc = check(r, mirror, err);
    if (rc == RAFFLE_OK && info != NULL)
        rc = rf_struct_check(info, "info", err);
    if (rc != RAFFLE_OK)
        return rc;
    mirroring *m = calloc(1, sizeof *m);
    if (m == NULL)
        return rf_nomem(err);
    m->from = r;
    m->to = mirror;
    m->info = &mine;
    m->hash = rf_sha256_new();
    m->record = calloc(ROWS, sizeof *m->record);
    m->key = calloc(KEYS, sizeof *m->key);
    m->arena = malloc(ARENA);
    m->note = malloc(RF_NOTE_MAX);
    rc = m->hash == NULL || m->record == NULL || m->key == NULL || m->arena == NULL || m->note == NULL
             ? rf_nomem(err)
             : copy_all(m, err);
    drop(m);
    if (info != NULL)
        rf_struct_out(info, info->struct_size, &mine, sizeof mine);
    return rc;
}
