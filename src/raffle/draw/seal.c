/* SPDX-License-Identifier: Apache-2.0 */
/* Seals (design section 8; GLI-31 2.6.1): every unit's records are folded again, and their sizes, roots and totals written into the control log. */
#include "fold_tiers.h"
#include "ticket.h"
#include "unit_impl.h"
#include "void_list.h"

#include "abi.h"
#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One unit's part of a seal. */
typedef struct part {
    rf_seal_unit unit;
    uint64_t synced;     /* of one that is away: what it had uploaded */
    rf_tier_count *tier; /* of each tier, when the rules ask for them; else NULL */
    char *note, *tiers;  /* `tiers`: the counts as the record has them */
    size_t note_length, tiers_length;
} part;

typedef struct sealing {
    raffle *raffle;
    const raffle_actor *by, *ok;
    int32_t kind;
    size_t units;
    part *part;
    rf_seal_unit sum;
    uint64_t control_voids; /* in the control log when the voids were collected */
    rf_sha256 *hash;
} sealing;

/* --- voids of a unit --- */

enum {
    VOID_GAP = 256 /* records between two voids that are read along: a question to a server costs more than they do */
};

/* The void tickets of a unit, as they come along. */
typedef struct void_sum {
    const rf_rules *rules;
    const rf_void_list *list;
    size_t next;
    part *part;
} void_sum;

static raffle_rc take_ticket(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    rf_record record;
    void_sum *sum = ctx;
    const rf_void_list *list = sum->list;
    if (sum->next == list->n || list->serial[sum->next] != bytes->index)
        return RAFFLE_OK;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && record.type != RF_SALE)
        rc = rf_fail(err, RAFFLE_CORRUPT, "record %llu of unit %u, which is void, is a %s",
                     (unsigned long long)bytes->index, list->unit, rf_type_name(record.type));
    if (rc != RAFFLE_OK)
        return rc;
    sum->part->unit.void_numbers += (uint64_t)record.count;
    sum->part->unit.void_gross += record.price;
    if (sum->part->tier != NULL)
        rf_tiers_voided(sum->rules, &record, sum->part->tier);
    sum->next++;
    return RAFFLE_OK;
}

/* The end of the voids from `first` on whose tickets lie close together. */
static size_t run_end(const rf_void_list *list, size_t first)
{
    size_t end = first + 1;
    while (end < list->n && list->serial[end] - list->serial[end - 1] <= VOID_GAP)
        end++;
    return end;
}

static raffle_rc read_voids(const sealing *s, const rf_void_list *list, part *p, raffle_error *err)
{
    void_sum sum = {s->raffle->rules, list, 0, p};
    while (sum.next < list->n) {
        const size_t first = sum.next, end = run_end(list, first);
        const uint64_t from = list->serial[first], count = list->serial[end - 1] - from + 1;
        raffle_rc rc = rf_store_read(s->raffle->store, list->unit, from, count, take_ticket, &sum, err);
        if (rc == RAFFLE_OK && sum.next != end)
            rc = rf_fail(err, RAFFLE_CORRUPT, "unit %u: ticket %llu, which is void, is missing", list->unit,
                         (unsigned long long)list->serial[sum.next]);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

static raffle_rc sum_voids(const sealing *s, const rf_void_list *list, part *p, raffle_error *err)
{
    rf_range range;
    rf_range_init(&range);
    for (size_t i = 0; i < list->n; i++) {
        uint8_t hash[32];
        rf_void_leaf_hash(s->hash, list->serial[i], hash);
        rf_range_push(s->hash, &range, hash, NULL, NULL);
    }
    p->unit.voids = list->n;
    rf_range_root(s->hash, &range, p->unit.void_root);
    return read_voids(s, list, p, err);
}

static raffle_rc add_voids(const sealing *s, part *p, raffle_error *err)
{
    rf_void_list list = {.unit = p->unit.unit, .size = p->unit.size, .control = UINT64_MAX};
    raffle_rc rc = rf_void_list_read(s->raffle->store, &list, err);
    if (rc == RAFFLE_OK)
        rc = sum_voids(s, &list, p, err);
    rf_void_list_clear(&list);
    return rc;
}

/* --- a unit --- */

static raffle_rc sign(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64], raffle_error *err)
{
    rf_unit *u = ctx;
    char name[16];
    (void)snprintf(name, sizeof name, "unit-%u", u->number);
    return rf_keys_sign(u->raffle->keys, u->raffle->origin, name, message, length, signature, err);
}

static raffle_rc take_word(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    rf_record record;
    raffle_rc rc = rf_record_decode(&record, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && (!rf_has(&record, RF_F_NOTE) || !rf_text_copy(&record.note, ctx, RF_NOTE_MAX)))
        rc = rf_fail(err, RAFFLE_CORRUPT, "record %llu of the control log has no checkpoint of a unit that is away",
                     (unsigned long long)bytes->index);
    return rc;
}

/* The last word of a unit that is away, in the control log: the checkpoint in its newest unit.sync, and before that the proof in its unit.enrol. Not
 * from the notes, which have that of an upload's last row: one that found its rows here already left none (docs/model.md). */
static raffle_rc get_word(const rf_unit *u, const rf_unit_row *row, char *note, size_t *length, raffle_error *err)
{
    const uint64_t index = row->sync_size == 0 ? row->index : row->sync_index;
    note[0] = 0;
    raffle_rc rc = rf_store_read(u->raffle->store, 0, index, 1, take_word, note, err);
    *length = strlen(note);
    return rc;
}

/* What a unit that is away signed last of what is here. */
static raffle_rc take_away_note(rf_unit *u, char *note, size_t *length, uint64_t *size, raffle_error *err)
{
    rf_unit_row row;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc =
        rf_store_note_get(u->raffle->store, u->number, RF_NOTE_LATEST, size, note, RF_NOTE_MAX, length, &why);
    if (rc != RAFFLE_NOT_FOUND)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    rc = rf_unit_row_get(u->raffle, u->number, &row, err);
    if (rc != RAFFLE_OK)
        return rc;
    *size = row.sync_size;
    return get_word(u, &row, note, length, err);
}

raffle_rc rf_unit_checkpoint(rf_unit *u, char *note, size_t *length, uint64_t *size, raffle_error *err)
{
    if (u->away && u->raffle->till != 0)
        return rf_fail(err, RAFFLE_AWAY, "this is the till of another unit than %u", u->number);
    if (u->away)
        return take_away_note(u, note, length, size, err);
    raffle_rc rc = rf_log_checkpoint(u->log, &u->vkey, sign, u, note, length, size, err);
    rf_tell_log(u->raffle, u->log);
    return rc;
}

static void set_sales(rf_seal_unit *unit, const rf_unit_state *state)
{
    unit->tickets = state->tickets;
    unit->numbers = state->numbers;
    unit->gross = state->gross;
}

/* The prefix that is signed, from its records: other ones than were signed are damage. */
static raffle_rc count_prefix(const sealing *s, rf_unit *u, part *p, const uint8_t root[32], rf_unit_state *state,
                              raffle_error *err)
{
    rf_seal_unit *unit = &p->unit;
    if (p->tier != NULL)
        memset(p->tier, 0, s->raffle->rules->tiers * sizeof *p->tier);
    raffle_rc rc = rf_unit_refold_root(u, unit->size, s->hash, state, unit->root, p->tier, err);
    if (rc == RAFFLE_OK && memcmp(unit->root, root, 32) != 0)
        rc = rf_fail(err, RAFFLE_CORRUPT, "unit %u: its first %llu records are not those that were signed", u->number,
                     (unsigned long long)unit->size);
    if (rc != RAFFLE_OK)
        return rc;
    set_sales(unit, state);
    return add_voids(s, p, err);
}

/* All that the unit has. Damage that is found now halts it: sealed again, with a second approver, it enters unreconciled. */
static raffle_rc take_all(const sealing *s, rf_unit *u, part *p, raffle_error *err)
{
    rf_unit_state state;
    uint8_t root[32];
    p->unit.reconciled = true;
    raffle_rc rc = rf_unit_checkpoint(u, p->note, &p->note_length, &p->unit.size, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_root_at(u->log, p->unit.size, root, err);
    if (rc == RAFFLE_OK)
        rc = count_prefix(s, u, p, root, &state, err);
    if (rc == RAFFLE_CORRUPT) {
        rf_log_stop(u->log, rc);
        rf_tell_log(u->raffle, u->log);
    }
    if (rc == RAFFLE_OK && s->kind == RAFFLE_SEAL_FINAL && !state.closed)
        rc = rf_fail(err, RAFFLE_BUSY, "unit %u came in while the final seal was being made", u->number);
    return rc;
}

/* --- a unit that is damaged or behind its anchor --- */

static raffle_rc get_note(const rf_unit *u, uint64_t wanted, part *p, uint64_t *size, raffle_error *err)
{
    return rf_store_note_get(u->raffle->store, u->number, wanted, size, p->note, RF_NOTE_MAX, &p->note_length, err);
}

/* The newest note of fewer than `below` records. A store finds a note by its size alone: what is rare may be slow. */
static raffle_rc get_note_below(const rf_unit *u, uint64_t below, part *p, uint64_t *size, raffle_error *err)
{
    while (below-- > 1) {
        raffle_rc rc = get_note(u, below, p, size, err);
        if (rc != RAFFLE_NOT_FOUND && rc != RAFFLE_CORRUPT)
            return rc;
    }
    return rf_fail(err, RAFFLE_NOT_FOUND, "unit %u has no older note", u->number);
}

static raffle_rc read_note(const rf_unit *u, const part *p, uint64_t size, uint8_t root[32], raffle_error *err)
{
    rf_checkpoint checkpoint;
    rf_note note;
    raffle_rc rc = rf_note_parse(&note, p->note, p->note_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(&note, &u->vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&checkpoint, note.text, note.text_length, err);
    if (rc == RAFFLE_NOMEM)
        return rc;
    if (rc != RAFFLE_OK || strcmp(checkpoint.origin, rf_log_origin(u->log)) != 0 || checkpoint.size != size)
        return rf_fail(err, RAFFLE_CORRUPT, "the note that is kept for %llu records of unit %u is none of its own",
                       (unsigned long long)size, u->number);
    memcpy(root, checkpoint.root, 32);
    return RAFFLE_OK;
}

/* `*good`: how many records can be folded, of those that were looked at. */
static raffle_rc try_note(const sealing *s, rf_unit *u, part *p, uint64_t size, uint64_t *good, raffle_error *err)
{
    rf_unit_state state = {.size = size};
    uint8_t root[32];
    p->unit = (rf_seal_unit){.unit = u->number, .size = size};
    raffle_rc rc = read_note(u, p, size, root, err);
    if (rc == RAFFLE_OK)
        rc = count_prefix(s, u, p, root, &state, err);
    *good = state.size;
    return rc;
}

static raffle_rc take_nothing(rf_unit *u, part *p, raffle_error *err)
{
    if (p->tier != NULL)
        memset(p->tier, 0, u->raffle->rules->tiers * sizeof *p->tier);
    char text[RF_CHECKPOINT_TEXT_MAX];
    uint8_t signature[64];
    p->unit = (rf_seal_unit){.unit = u->number};
    memcpy(p->unit.root, rf_empty_root, 32);
    memcpy(p->unit.void_root, rf_empty_root, 32);
    size_t n = rf_checkpoint_format(text, sizeof text, rf_log_origin(u->log), 0, rf_empty_root);
    raffle_rc rc = sign(u, (const uint8_t *)text, n, signature, err);
    if (rc == RAFFLE_OK)
        p->note_length = rf_note_format(p->note, RF_NOTE_MAX, text, n, &u->vkey, signature);
    return rc;
}

/* The newest prefix that was signed, still is what it was, and can be folded; without one, nothing. */
static raffle_rc take_last_good(const sealing *s, rf_unit *u, part *p, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    uint64_t good = UINT64_MAX, size = rf_log_size(u->log) + 1;
    raffle_rc rc = get_note(u, RF_NOTE_LATEST, p, &size, &why);
    for (;;) {
        if (rc == RAFFLE_OK)
            rc = try_note(s, u, p, size, &good, &why);
        if (rc == RAFFLE_OK)
            return RAFFLE_OK;
        if (rc == RAFFLE_NOT_FOUND)
            return take_nothing(u, p, err);
        if (rc != RAFFLE_CORRUPT)
            return rf_fail_as(err, &why);
        rc = get_note_below(u, good < size ? good + 1 : size, p, &size, &why);
    }
}

/* --- a unit that is away --- */

/* Its newest unit.sync of at most so many records; `size` 0: there is none. */
typedef struct older {
    uint32_t unit;
    uint64_t most, size;
    uint8_t root[32];
    char *note;
} older;

static raffle_rc take_older(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    older *o = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK || r.type != RF_UNIT_SYNC || r.unit != o->unit || (uint64_t)r.size > o->most ||
        (uint64_t)r.size < o->size)
        return rc;
    if (!rf_text_copy(&r.note, o->note, RF_NOTE_MAX))
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of the control log has no checkpoint of a unit that is away",
                       (unsigned long long)bytes->index);
    o->size = (uint64_t)r.size;
    memcpy(o->root, r.root, 32);
    return RAFFLE_OK;
}

/* What it uploaded before, of which at most `good` records are what they were: rows decayed here. Without one, nothing, under its enrolment's proof. */
static raffle_rc take_older_sync(const sealing *s, rf_unit *u, part *p, uint64_t good, raffle_error *err)
{
    rf_unit_row row;
    rf_unit_state state = {.size = 0};
    older o = {.unit = u->number, .most = good, .note = p->note};
    memcpy(o.root, rf_empty_root, 32);
    raffle_rc rc = rf_unit_row_get(s->raffle, u->number, &row, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_read(s->raffle->store, 0, 0, rf_log_size(s->raffle->log), take_older, &o, err);
    if (rc == RAFFLE_OK && o.size == 0) {
        row.sync_size = 0;
        rc = get_word(u, &row, p->note, &p->note_length, err);
    }
    if (rc != RAFFLE_OK)
        return rc;
    p->note_length = strlen(p->note);
    p->unit = (rf_seal_unit){.unit = u->number, .size = o.size};
    raffle_error why = RAFFLE_ERROR_INIT;
    rc = count_prefix(s, u, p, o.root, &state, &why);
    if (rc == RAFFLE_CORRUPT && o.size > 0)
        return take_older_sync(s, u, p, state.size < o.size ? state.size : o.size - 1, err);
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
}

/* What it uploaded last. It is all there when that is its log's end; what it sold since, nobody here can know. */
static raffle_rc take_synced(const sealing *s, rf_unit *u, part *p, raffle_error *err)
{
    rf_unit_row row;
    rf_unit_state state;
    raffle_rc rc = rf_unit_row_get(s->raffle, u->number, &row, err);
    if (rc == RAFFLE_OK)
        rc = get_word(u, &row, p->note, &p->note_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    p->unit.size = p->synced = row.sync_size;
    raffle_error why = RAFFLE_ERROR_INIT;
    state.size = 0;
    rc = count_prefix(s, u, p, row.sync_root, &state, &why);
    if (rc == RAFFLE_CORRUPT && s->ok->struct_size != 0 && row.sync_size > 0)
        return take_older_sync(s, u, p, state.size < row.sync_size ? state.size : row.sync_size - 1, err);
    p->unit.reconciled = rc == RAFFLE_OK && state.closed != 0;
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
}

static raffle_rc seal_unit(const sealing *s, rf_unit *u, part *p, raffle_error *err)
{
    p->unit.unit = u->number;
    p->note = malloc(RF_NOTE_MAX);
    p->tier = rf_tiers_counted(s->raffle->rules) ? calloc(s->raffle->rules->tiers, sizeof *p->tier) : NULL;
    if (p->note == NULL || (p->tier == NULL && rf_tiers_counted(s->raffle->rules)))
        return rf_nomem(err);
    if (u->away)
        return take_synced(s, u, p, err);
    return rf_log_halted(u->log) ? take_last_good(s, u, p, err) : take_all(s, u, p, err);
}

/* The counts by tier, as the record has them. */
static raffle_rc write_tiers(const sealing *s, part *p, raffle_error *err)
{
    if (p->tier == NULL)
        return RAFFLE_OK;
    p->tiers = malloc(RF_TIERS_JSON_MAX);
    if (p->tiers == NULL)
        return rf_nomem(err);
    p->tiers_length = rf_tiers_format(s->raffle->rules, p->tier, p->tiers, RF_TIERS_JSON_MAX);
    char *fitting = realloc(p->tiers, p->tiers_length + 1); /* of thousands of units only what they need */
    p->tiers = fitting != NULL ? fitting : p->tiers;
    free(p->tier);
    p->tier = NULL;
    return RAFFLE_OK;
}

/* What a record cannot say is refused before it is summed up. */
static raffle_rc add_to_sum(rf_seal_unit *sum, const rf_seal_unit *u, raffle_error *err)
{
    const uint64_t most = (uint64_t)RF_JSON_INT_MAX;
    sum->tickets += u->tickets;
    sum->numbers += u->numbers;
    sum->voids += u->voids;
    sum->void_numbers += u->void_numbers;
    sum->gross += u->gross;
    sum->void_gross += u->void_gross;
    if (sum->numbers > most || sum->tickets > most || sum->gross > RF_JSON_INT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the units up to %u have sold more than a seal can say", u->unit);
    return RAFFLE_OK;
}

static raffle_rc take_units(sealing *s, raffle_error *err)
{
    s->sum = (rf_seal_unit){0};
    pthread_rwlock_rdlock(&s->raffle->control_lock);
    s->units = s->raffle->control.units;
    s->control_voids = s->raffle->control.voids;
    pthread_rwlock_unlock(&s->raffle->control_lock);
    /* What was counted there may be of a transaction under way: its keys are in the store when that has ended. */
    raffle_rc rc = rf_log_refresh(s->raffle->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    s->part = calloc(s->units > 0 ? s->units : 1, sizeof *s->part);
    if (s->part == NULL)
        return rf_nomem(err);
    for (uint32_t i = 0; rc == RAFFLE_OK && i < s->units; i++) {
        rf_unit *u;
        rc = rf_unit_get(s->raffle, i + 1, &u, err);
        if (rc == RAFFLE_OK)
            rc = seal_unit(s, u, &s->part[i], err);
        if (rc == RAFFLE_OK)
            rc = write_tiers(s, &s->part[i], err);
        if (rc == RAFFLE_OK)
            rc = add_to_sum(&s->sum, &s->part[i].unit, err);
    }
    return rc;
}

static void drop_units(sealing *s)
{
    for (size_t i = 0; s->part != NULL && i < s->units; i++) {
        free(s->part[i].note);
        free(s->part[i].tier);
        free(s->part[i].tiers);
    }
    free(s->part);
    s->part = NULL;
}

/* --- the records --- */

static void set_totals(rf_record *r, const rf_seal_unit *t)
{
    r->tickets = (int64_t)t->tickets;
    r->numbers = (int64_t)t->numbers;
    r->voids = (int64_t)t->voids;
    r->void_numbers = (int64_t)t->void_numbers;
    r->gross = t->gross;
    r->void_gross = t->void_gross;
    r->has |= rf_bit(RF_F_TICKETS) | rf_bit(RF_F_NUMBERS) | rf_bit(RF_F_VOIDS) | rf_bit(RF_F_VOID_NUMBERS) |
              rf_bit(RF_F_GROSS) | rf_bit(RF_F_VOID_GROSS);
}

static void make_seal_unit(const part *p, rf_record *r)
{
    r->type = RF_SEAL_UNIT;
    set_totals(r, &p->unit);
    r->unit = p->unit.unit;
    r->size = (int64_t)p->unit.size;
    r->reconciled = p->unit.reconciled;
    r->note = (rf_text){p->note, p->note_length, false};
    memcpy(r->root, p->unit.root, 32);
    memcpy(r->void_root, p->unit.void_root, 32);
    r->has |= rf_bit(RF_F_UNIT) | rf_bit(RF_F_SIZE) | rf_bit(RF_F_RECONCILED) | rf_bit(RF_F_NOTE) | rf_bit(RF_F_ROOT) |
              rf_bit(RF_F_VOID_ROOT);
    if (p->tiers != NULL) {
        r->tiers = (rf_text){p->tiers, p->tiers_length, false};
        r->has |= rf_bit(RF_F_TIERS);
    }
}

static void make_seal(const sealing *s, rf_record *r)
{
    r->type = RF_SEAL;
    for (size_t i = 0; i < s->units; i++)
        r->unreconciled += !s->part[i].unit.reconciled;
    set_totals(r, &s->sum);
    r->kind = rf_text_of(s->kind == RAFFLE_SEAL_EARLY ? "early" : "final");
    r->first = (int64_t)(s->raffle->control.size - s->units);
    r->units = (int64_t)s->units;
    r->has |= rf_bit(RF_F_KIND) | rf_bit(RF_F_FIRST) | rf_bit(RF_F_UNITS) | rf_bit(RF_F_UNRECONCILED);
}

/* Whether what was taken still is what the control log says. */
static bool still_so(const sealing *s)
{
    const rf_control *c = &s->raffle->control;
    if (c->voids != s->control_voids || c->units != s->units)
        return false;
    for (size_t i = 0; i < s->units; i++)
        if (c->unit[i].away && c->unit[i].sync_size != s->part[i].synced)
            return false;
    return true;
}

static raffle_rc make_record(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    const sealing *s = ctx;
    if (i == 0 && !still_so(s))
        return rf_fail(err, RAFFLE_BUSY, "a void, a unit or an upload came in while the seal was being made");
    if (i > s->units)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no more");
    if (i < s->units)
        make_seal_unit(&s->part[i], record);
    else
        make_seal(s, record);
    return RAFFLE_OK;
}

/* --- the call --- */

/* What must hold before anything is closed for good. */
static raffle_rc check_before(const sealing *s, raffle_error *err)
{
    raffle *r = s->raffle;
    raffle_rc rc = RAFFLE_OK;
    bool waits = false;
    if (s->kind != RAFFLE_SEAL_EARLY && s->kind != RAFFLE_SEAL_FINAL)
        return rf_fail(err, RAFFLE_INVALID, "%d is no kind of seal", s->kind);
    if (!rf_rules_may(r->rules, RF_OP_SEAL, s->by->role) ||
        (s->kind == RAFFLE_SEAL_FINAL && !rf_rules_may(r->rules, RF_OP_CLOSE, s->by->role)))
        return rf_fail(err, RAFFLE_ROLE, "the role %s may not seal", raffle_role_name(s->by->role));
    if (s->ok->struct_size != 0 && !rf_rules_may(r->rules, RF_OP_APPROVE, s->ok->role))
        return rf_fail(err, RAFFLE_APPROVAL, "the role %s may not be the second approver",
                       raffle_role_name(s->ok->role));
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    for (size_t i = 0; i < c->rules->prizes; i++)
        waits = waits || (c->rules->prize[i].seal == s->kind && rf_control_waits(c, i));
    if (c->open_prize >= 0)
        rc = rf_fail(err, RAFFLE_DRAW_OPEN, "the draw of \"%s\" is open", c->rules->prize[c->open_prize].name);
    else if (c->final.kind != 0)
        rc = rf_fail(err, RAFFLE_CLOSED, "the final seal is there, and no other follows it");
    else if (s->kind == RAFFLE_SEAL_EARLY && !waits)
        rc = rf_fail(err, RAFFLE_SEQUENCE, "no prize waits for an early seal");
    pthread_rwlock_unlock(&r->control_lock);
    return rc;
}

static size_t count_units(raffle *r)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const size_t units = r->control.units;
    pthread_rwlock_unlock(&r->control_lock);
    return units;
}

/* Units whose sales are not all in, as a list for a person. */
typedef struct open_units {
    char list[200];
    size_t length, n, left; /* named, and not named for want of room */
} open_units;

static void name_unit(open_units *o, const rf_unit *u, const char *why)
{
    const int n =
        snprintf(o->list + o->length, sizeof o->list - o->length, "%s%u (%s)", o->n > 0 ? ", " : "", u->number, why);
    o->n++;
    if (n < 0 || (size_t)n >= sizeof o->list - o->length) {
        o->list[o->length] = '\0';
        o->left++;
    } else {
        o->length += (size_t)n;
    }
}

/* What keeps a unit from being sealed whole; NULL: nothing. A store that cannot be asked now says nothing of the unit. */
static raffle_rc find_open(rf_unit *u, const rf_unit_row *row, const char **why, raffle_error *err)
{
    rf_unit_state state = {.size = 0};
    raffle_error damage = RAFFLE_ERROR_INIT;
    raffle_rc rc = RAFFLE_OK;
    *why = NULL;
    if (!rf_log_halted(u->log) && u->away && row->sync_size > 0)
        rc = rf_unit_current(u, &state, &damage);
    if (rf_log_halted(u->log) || rc == RAFFLE_CORRUPT)
        *why = "damaged, or behind its anchor";
    else if (rc != RAFFLE_OK)
        return rf_fail_as(err, &damage);
    else if (u->away && row->sync_size == 0)
        *why = "away, has uploaded nothing";
    else if (u->away && (row->sync_size != state.size || !state.closed))
        *why = "away, not closed";
    else if (row->twice > 0)
        *why = "uploaded orders that were sold twice";
    return RAFFLE_OK;
}

/* With a second approver a unit may be sealed without its last records, and an order may stand twice. */
static raffle_rc check_units(const sealing *s, raffle_error *err)
{
    open_units o = {.n = 0};
    const size_t units = count_units(s->raffle);
    for (uint32_t i = 1; s->ok->struct_size == 0 && i <= units; i++) {
        rf_unit *u;
        rf_unit_row row;
        const char *why = NULL;
        raffle_rc rc = rf_unit_get(s->raffle, i, &u, err);
        if (rc == RAFFLE_OK)
            rc = rf_unit_row_get(s->raffle, i, &row, err);
        if (rc == RAFFLE_OK)
            rc = find_open(u, &row, &why, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (why != NULL)
            name_unit(&o, u, why);
    }
    if (o.n == 0)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_UNRECONCILED, "not all sales are in: unit %s%s; a second approver may seal all the same",
                   o.list, o.left > 0 ? " and others" : "");
}

static raffle_rc close_units(const sealing *s, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    const size_t units = count_units(s->raffle);
    for (uint32_t i = 1; rc == RAFFLE_OK && s->kind == RAFFLE_SEAL_FINAL && i <= units; i++) {
        rf_unit *u;
        rc = rf_unit_get(s->raffle, i, &u, err);
        if (rc == RAFFLE_OK && !rf_log_halted(u->log) && !u->away)
            rc = rf_unit_close(u, s->by, err);
    }
    return rc;
}

static raffle_rc write_seal(sealing *s, raffle_error *err)
{
    enum {
        TRIES = 8
    };
    raffle_error busy = RAFFLE_ERROR_INIT; /* of a try that another follows */
    raffle_rc rc = RAFFLE_BUSY;
    for (int i = 0; rc == RAFFLE_BUSY && i < TRIES; i++) {
        rc = close_units(s, &busy); /* again: a unit may have come in */
        if (rc == RAFFLE_OK)
            rc = take_units(s, &busy);
        rf_control_op op = {
            .raffle = s->raffle, .by = s->by, .ok = s->ok, .make = make_record, .ctx = s, .signed_note = true};
        if (rc == RAFFLE_OK)
            rc = rf_control_append(&op, &busy);
        drop_units(s);
    }
    return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &busy);
}

static void give(raffle *r, int32_t kind, raffle_seal_info *info)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_seal_state *s = kind == RAFFLE_SEAL_EARLY ? &r->control.early : &r->control.final;
    raffle_seal_info mine = {.kind = s->kind,
                             .index = s->index,
                             .at = s->at,
                             .units = (uint32_t)s->units,
                             .unreconciled = (uint32_t)s->unreconciled,
                             .tickets = s->sum.tickets,
                             .numbers = s->sum.numbers,
                             .voids = s->sum.voids,
                             .gross = s->sum.gross,
                             .void_gross = s->sum.void_gross,
                             .acknowledged = s->acknowledged};
    pthread_rwlock_unlock(&r->control_lock);
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
}

raffle_rc raffle_seal(raffle *r, const raffle_actor *by, const raffle_actor *ok, int32_t kind, raffle_seal_info *info,
                      raffle_error *err)
{
    raffle_actor actor, approver;
    sealing s = {.raffle = r, .by = &actor, .ok = &approver, .kind = kind};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = rf_approver_in(&approver, ok, &actor, err);
    if (rc == RAFFLE_OK && info != NULL)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK)
        rc = check_before(&s, err);
    if (rc == RAFFLE_OK)
        rc = check_units(&s, err);
    if (rc != RAFFLE_OK)
        return rc;
    s.hash = rf_sha256_new();
    rc = s.hash == NULL ? rf_nomem(err) : write_seal(&s, err);
    rf_sha256_free(s.hash);
    if (rc == RAFFLE_OK && info != NULL)
        give(r, kind, info);
    return rc == RAFFLE_OK ? rf_control_anchor(r, "the seal", err) : rc;
}

static raffle_rc make_ack(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    *record = *(const rf_record *)ctx;
    return RAFFLE_OK;
}

raffle_rc raffle_voids_ack(raffle *r, const raffle_actor *by, uint64_t seal, raffle_error *err)
{
    raffle_actor actor;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && seal > (uint64_t)RF_JSON_INT_MAX)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "record %llu is not the newest seal of its kind", (unsigned long long)seal);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {.type = RF_VOIDS_ACK, .has = rf_bit(RF_F_SEAL) | rf_bit(RF_F_VOIDS), .seal = (int64_t)seal};
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_seal_state *s =
        r->control.final.kind != 0 && r->control.final.index == seal ? &r->control.final : &r->control.early;
    record.voids = (int64_t)s->sum.voids;
    pthread_rwlock_unlock(&r->control_lock);
    rf_control_op op = {.raffle = r, .by = &actor, .make = make_ack, .ctx = &record, .signed_note = true};
    rc = rf_control_append(&op, err);
    return rc == RAFFLE_OK ? rf_control_anchor(r, "the acknowledgement", err) : rc;
}

raffle_rc raffle_seal_latest(raffle *r, int32_t kind, raffle_seal_info *info, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK && kind != RAFFLE_SEAL_EARLY && kind != RAFFLE_SEAL_FINAL)
        rc = rf_fail(err, RAFFLE_INVALID, "%d is no kind of seal", kind);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    const bool there = (kind == RAFFLE_SEAL_EARLY ? r->control.early.kind : r->control.final.kind) != 0;
    pthread_rwlock_unlock(&r->control_lock);
    if (!there)
        return rf_fail(err, RAFFLE_NOT_SEALED, "there is no %s seal", kind == RAFFLE_SEAL_EARLY ? "early" : "final");
    give(r, kind, info);
    return RAFFLE_OK;
}
