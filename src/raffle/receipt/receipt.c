/* SPDX-License-Identifier: Apache-2.0 */
/* Making a receipt: the newest seal that covers the ticket, records and proofs from the store, checkpoints that are kept or signed now. */
#include "receipt_make.h"
#include "ticket.h"
#include "unit_impl.h"
#include "void_list.h"

#include "error.h"
#include "record.h"
#include <raffle/seal.h>
#include <stdlib.h>
#include <string.h>

/* What the control log says of the unit, copied under its lock. */
typedef struct frame {
    uint64_t enrol;  /* index of its unit.enrol */
    int32_t kind;    /* of the seal that covers the ticket; 0: none does */
    uint64_t first;  /* of that seal: the index of its first seal.unit, */
    uint64_t seal;   /* and of itself */
    uint64_t sealed; /* records of the unit that it covers */
    uint8_t void_root[32];
} frame;

typedef struct making {
    raffle *raffle;
    rf_unit *unit;
    frame frame;
    rf_receipt receipt;
    rf_policy policy; /* when the rules name witnesses; its texts are not used */
    rf_sha256 *hash;
    char control_note[RF_NOTE_MAX], unit_note[RF_NOTE_MAX];
    char text[RAFFLE_RECEIPT_MAX];
    size_t length;
} making;

/* --- which seal --- */

static bool covers(const rf_seal_state *s, uint32_t unit, uint64_t serial)
{
    return s->kind != 0 && unit <= s->units && serial < s->unit[unit - 1].size;
}

static raffle_rc read_frame(making *m, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    raffle *r = m->raffle;
    const uint32_t unit = m->receipt.unit;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    const rf_seal_state *s = covers(&c->final, unit, m->receipt.serial)   ? &c->final
                             : covers(&c->early, unit, m->receipt.serial) ? &c->early
                                                                          : NULL;
    m->frame = (frame){.enrol = rf_control_unit(c, unit)->index};
    if (s != NULL) {
        m->frame.kind = s->kind;
        m->frame.first = s->first;
        m->frame.seal = s->index;
        m->frame.sealed = s->unit[unit - 1].size;
        memcpy(m->frame.void_root, s->unit[unit - 1].void_root, 32);
    }
    m->receipt.has_open = c->rules->policy_length > 0;
    if (m->receipt.has_open)
        rc = rf_policy_parse(&m->policy, c->rules->policy, c->rules->policy_length, err);
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

/* --- voids --- */

static void show_void(making *m, const rf_void_list *list, size_t place)
{
    rf_receipt_void *v = &m->receipt.near[m->receipt.voids++];
    v->serial = list->serial[place];
    v->proof.index = place;
    v->proof.hashes = rf_void_list_prove(list, m->hash, place, v->proof.hash);
}

/* The list under the seal, read when it is another's: what a seal covers does not change, and a list that is not the seal's is not kept. */
static raffle_rc get_voids(const making *m, raffle_error *err)
{
    uint8_t root[32];
    rf_void_list *list = &m->unit->voids;
    if (list->node != NULL && list->size == m->frame.sealed && list->control == m->frame.first)
        return RAFFLE_OK;
    rf_void_list_clear(list);
    *list = (rf_void_list){.unit = m->receipt.unit, .size = m->frame.sealed, .control = m->frame.first};
    raffle_rc rc = rf_void_list_read(m->raffle->store, list, err);
    if (rc == RAFFLE_OK)
        rc = rf_void_list_hash(list, m->hash, root, err);
    if (rc == RAFFLE_OK && memcmp(root, m->frame.void_root, sizeof root) != 0)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the voids of unit %u are not those that the seal at %llu counted",
                     list->unit, (unsigned long long)m->frame.seal);
    if (rc != RAFFLE_OK)
        rf_void_list_clear(list);
    return rc;
}

static void show_near(making *m, const rf_void_list *list)
{
    rf_receipt *out = &m->receipt;
    const size_t place = rf_void_list_place(list, out->serial);
    const bool is_void = place < list->n && list->serial[place] == out->serial;
    out->proves = is_void ? RAFFLE_RECEIPT_VOID : RAFFLE_RECEIPT_DRUM;
    if (!is_void && place > 0)
        show_void(m, list, place - 1);
    if (place < list->n)
        show_void(m, list, place);
}

static raffle_rc show_voids(making *m, raffle_error *err)
{
    pthread_mutex_lock(&m->unit->voids_lock);
    raffle_rc rc = get_voids(m, err);
    if (rc == RAFFLE_OK)
        show_near(m, &m->unit->voids);
    pthread_mutex_unlock(&m->unit->voids_lock);
    return rc;
}

/* What the receipt proves. One that says less than is known, of a ticket that is void now, is not given. */
static raffle_rc judge(making *m, raffle_error *err)
{
    rf_sold sold;
    rf_receipt *out = &m->receipt;
    raffle_rc rc = rf_sold_read(m->raffle, out->unit, out->serial, 1, &sold, err);
    if (rc != RAFFLE_OK)
        return rc;
    out->proves = RAFFLE_RECEIPT_PROMISE;
    if (m->frame.kind != 0)
        rc = show_voids(m, err);
    if (rc == RAFFLE_OK && (sold.ticket.flags & RAFFLE_TICKET_VOID) != 0 && out->proves != RAFFLE_RECEIPT_VOID)
        rc = rf_fail(err, RAFFLE_VOIDED, "ticket %u/%llu is void, and no seal that covers it says so", out->unit,
                     (unsigned long long)out->serial);
    return rc;
}

/* --- checkpoints --- */

static raffle_rc may_sign(making *m, raffle_error *err)
{
    return m->raffle->keys != NULL
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_KEY,
                         "no checkpoint covers ticket %u/%llu, and the raffle was opened without keys to sign one",
                         m->receipt.unit, (unsigned long long)m->receipt.serial);
}

static const rf_policy *policy_of(const making *m)
{
    return m->receipt.has_open ? &m->policy : NULL;
}

static raffle_rc control_note(making *m, size_t *length, uint64_t *size, raffle_error *err)
{
    const uint64_t index = m->frame.kind != 0 ? m->frame.seal : m->frame.enrol;
    raffle_rc rc = rf_receipt_kept_note(m->raffle, 0, index, m->control_note, length, size, err);
    if (rc == RAFFLE_NOT_FOUND)
        rc = may_sign(m, err) == RAFFLE_OK ? rf_control_checkpoint(m->raffle, m->control_note, length, size, err)
                                           : RAFFLE_KEY;
    return rc == RAFFLE_OK ? rf_receipt_keep_lines(&m->raffle->vkey, policy_of(m), m->control_note, length, err) : rc;
}

/* The note in a seal.unit, for `unit_note`. */
static raffle_rc take_sealed_note(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    making *m = ctx;
    rf_record record;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && (record.type != RF_SEAL_UNIT || !rf_text_copy(&record.note, m->unit_note, RF_NOTE_MAX)))
        rc = rf_fail(err, RAFFLE_CORRUPT, "record %llu of the control log is no seal.unit with a note",
                     (unsigned long long)bytes->index);
    return rc;
}

/* Of exactly the sealed size: the one that is kept, with its cosignatures, or, of a copy that keeps the newest alone, the one in the seal.unit. */
static raffle_rc sealed_note(making *m, size_t *length, uint64_t *size, raffle_error *err)
{
    const uint32_t unit = m->receipt.unit;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_store_note_get(m->raffle->store, unit, m->frame.sealed, size, m->unit_note, RF_NOTE_MAX, length, &why);
    if (rc != RAFFLE_NOT_FOUND)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    m->unit_note[0] = 0;
    rc = rf_store_read(m->raffle->store, 0, m->frame.first + unit - 1, 1, take_sealed_note, m, err);
    *size = m->frame.sealed;
    *length = strlen(m->unit_note);
    return rc;
}

static raffle_rc unit_note(making *m, size_t *length, uint64_t *size, raffle_error *err)
{
    raffle_rc rc;
    if (m->frame.kind != 0)
        rc = sealed_note(m, length, size, err);
    else
        rc = rf_receipt_kept_note(m->raffle, m->receipt.unit, m->receipt.serial, m->unit_note, length, size, err);
    if (rc == RAFFLE_NOT_FOUND && m->frame.kind == 0)
        rc = may_sign(m, err) == RAFFLE_OK ? rf_unit_checkpoint(m->unit, m->unit_note, length, size, err) : RAFFLE_KEY;
    return rc == RAFFLE_OK ? rf_receipt_keep_lines(&m->unit->vkey, policy_of(m), m->unit_note, length, err) : rc;
}

/* --- records and proofs --- */

static raffle_rc prove(making *m, uint32_t number, uint64_t index, uint64_t size, rf_receipt_part *part,
                       raffle_error *err)
{
    rf_receipt *out = &m->receipt;
    const size_t most = part == &out->open ? RAFFLE_RECORD_MAX : RF_RECEIPT_LEAF_MAX;
    part->proof.index = index;
    raffle_rc rc = rf_receipt_prove(m->raffle, number, size, out->leaves + out->used, most, part, err);
    out->used += part->leaf_length;
    return rc;
}

static raffle_rc prove_control(making *m, uint64_t index, uint64_t size, size_t note_length, rf_receipt_part *part,
                               raffle_error *err)
{
    part->note = m->control_note;
    part->note_length = note_length;
    return prove(m, 0, index, size, part, err);
}

static raffle_rc fill_control(making *m, raffle_error *err)
{
    size_t length;
    uint64_t size;
    rf_receipt *out = &m->receipt;
    raffle_rc rc = control_note(m, &length, &size, err);
    if (rc == RAFFLE_OK && out->has_open)
        rc = prove_control(m, 0, size, length, &out->open, err);
    if (rc == RAFFLE_OK)
        rc = prove_control(m, m->frame.enrol, size, length, &out->enrol, err);
    if (rc == RAFFLE_OK && m->frame.kind != 0)
        rc = prove_control(m, m->frame.first + out->unit - 1, size, length, &out->seal_unit, err);
    if (rc == RAFFLE_OK && m->frame.kind != 0)
        rc = prove_control(m, m->frame.seal, size, length, &out->seal, err);
    return rc;
}

static raffle_rc fill_unit(making *m, raffle_error *err)
{
    uint64_t size;
    rf_receipt *out = &m->receipt;
    out->sale.note = m->unit_note;
    raffle_rc rc = unit_note(m, &out->sale.note_length, &size, err);
    return rc == RAFFLE_OK ? prove(m, out->unit, out->serial, size, &out->sale, err) : rc;
}

/* --- the call --- */

static raffle_rc make(making *m, raffle_error *err)
{
    char key[RF_VKEY_SIZE];
    raffle_rc rc = rf_receipt_enter(m->raffle, m->receipt.unit, &m->unit, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = read_frame(m, err);
    if (rc == RAFFLE_OK)
        rc = judge(m, err);
    if (rc == RAFFLE_OK)
        rc = fill_unit(m, err);
    if (rc == RAFFLE_OK)
        rc = fill_control(m, err);
    if (rc != RAFFLE_OK)
        return rc;
    m->length = rf_receipt_write(&m->receipt, m->text, sizeof m->text);
    if (m->length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the receipt is longer than %d bytes", RAFFLE_RECEIPT_MAX);
    rf_vkey_format(&m->raffle->vkey, key);
    return raffle_receipt_verify(m->text, m->length, key, NULL, err);
}

raffle_rc raffle_receipt(raffle *r, uint32_t unit, uint64_t serial, char *out, size_t cap, size_t *length,
                         raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && (length == NULL || (out == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "out");
    if (rc != RAFFLE_OK)
        return rc;
    making *m = malloc(sizeof *m);
    if (m == NULL)
        return rf_nomem(err);
    m->raffle = r;
    m->receipt.unit = unit;
    m->receipt.serial = serial;
    m->receipt.voids = 0;
    m->receipt.used = 0;
    memcpy(m->receipt.origin, r->origin, sizeof m->receipt.origin);
    m->hash = rf_sha256_new();
    rc = m->hash == NULL ? rf_nomem(err) : make(m, err);
    rf_sha256_free(m->hash);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_give(m->text, m->length, out, cap, length, err);
    free(m);
    return rc;
}
