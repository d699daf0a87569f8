/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of unit.h: enrolment, enabling, handles, how a unit stands (GLI-31 3.2.5, 5.4, 6.1.3). */
#include "unit_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which K_u the unit's validation numbers are made with. */
static raffle_rc unit_key_commitment(raffle *r, uint32_t number, uint8_t out[32], raffle_error *err)
{
    rf_sha256 *hash = rf_sha256_new();
    uint8_t *ku = sodium_malloc(32);
    raffle_rc rc = hash == NULL || ku == NULL ? rf_nomem(err) : rf_raffle_unit_ticket_key(r, number, ku, err);
    if (rc == RAFFLE_OK)
        rf_unit_key_commitment(hash, ku, out);
    sodium_free(ku);
    rf_sha256_free(hash);
    return rc;
}

/* The key that this store's units have: made here. */
static raffle_rc make_key(raffle *r, uint32_t number, const char *origin, rf_vkey *vkey, raffle_error *err)
{
    char name[16];
    uint8_t public_key[32];
    snprintf(name, sizeof name, "unit-%u", number);
    raffle_rc rc = rf_raffle_make_key(r, name, err);
    if (rc == RAFFLE_OK)
        rc = rf_keys_public_key(r->keys, r->origin, name, public_key, err);
    return rc == RAFFLE_OK ? rf_vkey_make(vkey, origin, RF_NOTE_ED25519, public_key, err) : rc;
}

/* A till's own key, and its signature over an empty log: that whoever sent the key can sign with it, for this unit of this raffle. */
static raffle_rc check_proof(const rf_vkey *vkey, const char *proof, size_t length, raffle_error *err)
{
    rf_checkpoint checkpoint;
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, proof, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&checkpoint, note->text, note->text_length, err);
    if (rc == RAFFLE_OK && (strcmp(checkpoint.origin, vkey->name) != 0 || checkpoint.size != 0 ||
                            memcmp(checkpoint.root, rf_empty_root, 32) != 0 || note->signatures != 1))
        rc = rf_fail(err, RAFFLE_INVALID, "the proof is not %s's signature alone over its empty log", vkey->name);
    free(note);
    return rc;
}

static raffle_rc take_key(const raffle_unit_options *o, const char *origin, rf_vkey *vkey, raffle_error *err)
{
    raffle_rc rc = rf_vkey_parse(vkey, o->key, strnlen(o->key, sizeof o->key), err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(vkey->name, origin) != 0 || vkey->type != RF_NOTE_ED25519)
        return rf_fail(err, RAFFLE_MISMATCH, "the key is that of %s; the next unit is %s", vkey->name, origin);
    return check_proof(vkey, o->proof, strnlen(o->proof, sizeof o->proof), err);
}

static uint32_t find_name(raffle *r, const char *name)
{
    uint32_t number = 0;
    pthread_rwlock_rdlock(&r->control_lock);
    for (size_t i = 0; number == 0 && i < r->control.units; i++)
        if (strcmp(r->control.unit[i].name, name) == 0)
            number = (uint32_t)i + 1;
    pthread_rwlock_unlock(&r->control_lock);
    return number;
}

typedef struct enrolment {
    const raffle *raffle;
    rf_record record;
} enrolment;

/* The key was made for one number: when somebody else took that, it is done again for the next. */
static raffle_rc make_enrolment(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    const enrolment *e = ctx;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    if ((uint64_t)e->record.unit != e->raffle->control.units + 1)
        return rf_fail(err, RAFFLE_BUSY, "unit %lld was enrolled by somebody else", (long long)e->record.unit);
    *record = e->record;
    return RAFFLE_OK;
}

static raffle_rc get_key(raffle *r, const raffle_unit_options *o, uint32_t number, char key[RF_VKEY_SIZE],
                         raffle_error *err)
{
    char origin[RAFFLE_ORIGIN_SIZE + 16];
    rf_vkey vkey;
    snprintf(origin, sizeof origin, "%s/unit/%u", r->origin, number);
    raffle_rc rc = o->away ? take_key(o, origin, &vkey, err) : make_key(r, number, origin, &vkey, err);
    if (rc == RAFFLE_OK)
        rf_vkey_format(&vkey, key);
    return rc;
}

static void set_away(const raffle_unit_options *o, rf_record *record)
{
    if (!o->away)
        return;
    record->away = (int64_t)o->hours;
    record->note = rf_text_of(o->proof);
    record->has |= rf_bit(RF_F_AWAY) | rf_bit(RF_F_NOTE);
}

/* What the fold would refuse, ahead of the key that is made for the unit. `*next`: the number that it gets, or has. */
static raffle_rc check_next(raffle *r, const raffle_actor *by, const char *name, uint32_t *next, raffle_error *err)
{
    if (!rf_rules_may(r->rules, RF_OP_UNITS, by->role))
        return rf_fail(err, RAFFLE_ROLE, "the role %s may not %s", raffle_role_name(by->role), rf_op_name(RF_OP_UNITS));
    pthread_rwlock_rdlock(&r->control_lock);
    const uint32_t units = (uint32_t)r->control.units;
    const bool sealed = r->control.final.kind != 0;
    pthread_rwlock_unlock(&r->control_lock);
    *next = find_name(r, name);
    if (*next != 0)
        return rf_fail(err, RAFFLE_EXISTS, "unit %u is called \"%s\"", *next, name);
    *next = units + 1;
    if (sealed)
        return rf_fail(err, RAFFLE_CLOSED, "after the final seal no unit is enrolled");
    return units < RAFFLE_UNIT_MAX ? RAFFLE_OK
                                   : rf_fail(err, RAFFLE_LIMIT, "a raffle has at most %d units", RAFFLE_UNIT_MAX);
}

static raffle_rc enrol_next(raffle *r, const raffle_actor *by, const raffle_unit_options *o, uint32_t *number,
                            raffle_error *err)
{
    char key[RF_VKEY_SIZE];
    uint32_t next = 0;
    raffle_rc rc = check_next(r, by, o->name, &next, err);
    if (rc == RAFFLE_EXISTS)
        *number = next;
    if (rc != RAFFLE_OK)
        return rc;
    enrolment e = {
        r,
        {.type = RF_UNIT_ENROL,
         .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_NAME) | rf_bit(RF_F_KEY) | rf_bit(RF_F_TICKET_KEY) | rf_bit(RF_F_QUOTA),
         .unit = next,
         .name = rf_text_of(o->name),
         .quota = (int64_t)o->quota}};
    rc = get_key(r, o, next, key, err);
    if (rc == RAFFLE_OK)
        rc = unit_key_commitment(r, next, e.record.ticket_key, err);
    if (rc != RAFFLE_OK)
        return rc;
    e.record.key = rf_text_of(key);
    set_away(o, &e.record);
    rf_control_op op = {.raffle = r, .by = by, .make = make_enrolment, .ctx = &e};
    rc = rf_control_append(&op, err);
    if (rc == RAFFLE_OK)
        *number = next;
    return rc;
}

raffle_rc rf_unit_enrol(raffle *r, const raffle_actor *by, const raffle_unit_options *options, uint32_t *number,
                        raffle_error *err)
{
    enum {
        TRIES = 8
    };
    raffle_error busy = RAFFLE_ERROR_INIT; /* of a try that another follows */
    raffle_rc rc = RAFFLE_BUSY;
    for (int i = 0; rc == RAFFLE_BUSY && i < TRIES; i++)
        rc = enrol_next(r, by, options, number, &busy);
    return rc == RAFFLE_OK ? RAFFLE_OK : rf_fail_as(err, &busy);
}

raffle_rc rf_unit_change(raffle *r, const raffle_actor *by, rf_type type, uint32_t number, const char *reason,
                         uint64_t quota, raffle_error *err)
{
    rf_record record = {.type = type, .has = rf_bit(RF_F_UNIT), .unit = number};
    if (type == RF_UNIT_DISABLE) {
        record.reason = rf_text_of(reason);
        record.has |= rf_bit(RF_F_REASON);
    }
    if (type == RF_UNIT_QUOTA) {
        record.quota = (int64_t)quota;
        record.has |= rf_bit(RF_F_QUOTA);
    }
    return rf_control_one(r, by, NULL, NULL, &record, NULL, err);
}

static raffle_rc enter(raffle *r, const raffle_actor *by, raffle_actor *actor, raffle_error *err)
{
    raffle_rc rc = rf_enter_write(r, err);
    return rc == RAFFLE_OK ? rf_actor_in(actor, by, "by", err) : rc;
}

static raffle_rc check_away(const raffle_unit_options *o, raffle_error *err)
{
    if (o->away != 0 && o->away != 1)
        return rf_fail(err, RAFFLE_INVALID, "options.away is 0 or 1, not %d", o->away);
    if (!o->away && (o->hours != 0 || o->key[0] != 0 || o->proof[0] != 0))
        return rf_fail(err, RAFFLE_INVALID, "hours, key and proof are those of a unit that is away");
    if (o->away && o->quota == 0)
        return rf_fail(err, RAFFLE_INVALID, "a unit that is away needs a quota (GLI-31 6.1.4)");
    if (o->away && o->hours > RAFFLE_AWAY_HOURS_MAX)
        return rf_fail(err, RAFFLE_INVALID, "%u hours are more than %d", o->hours, RAFFLE_AWAY_HOURS_MAX);
    return RAFFLE_OK;
}

raffle_rc raffle_unit_enrol(raffle *r, const raffle_actor *by, const raffle_unit_options *options, uint32_t *number,
                            raffle_error *err)
{
    raffle_actor actor;
    raffle_unit_options o;
    raffle_rc rc = enter(r, by, &actor, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (number == NULL)
        return rf_null(err, "number");
    if (!rf_text_valid(o.name, strnlen(o.name, sizeof o.name), RAFFLE_NAME_MAX))
        return rf_fail(err, RAFFLE_INVALID, "a unit's name is 1 to 64 bytes of UTF-8 without control characters");
    if (o.quota > (uint64_t)RF_JSON_INT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a quota of %llu is more than a record can say", (unsigned long long)o.quota);
    rc = check_away(&o, err);
    return rc == RAFFLE_OK ? rf_unit_enrol(r, &actor, &o, number, err) : rc;
}

/* The unit as it is now. */
static raffle_rc enter_unit(raffle *r, const raffle_actor *by, raffle_actor *actor, uint32_t number, rf_unit **u,
                            rf_unit_state *state, raffle_error *err)
{
    raffle_rc rc = enter(r, by, actor, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, number, u, err);
    return rc == RAFFLE_OK ? rf_unit_current(*u, state, err) : rc;
}

raffle_rc raffle_unit_enable(raffle *r, const raffle_actor *by, uint32_t number, raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    rf_unit_state state;
    raffle_rc rc = enter_unit(r, by, &actor, number, &u, &state, err);
    if (rc == RAFFLE_OK && state.closed)
        rc = rf_fail(err, RAFFLE_CLOSED, "unit %u was closed, and is never enabled again", number);
    return rc == RAFFLE_OK ? rf_unit_change(r, &actor, RF_UNIT_ENABLE, number, NULL, 0, err) : rc;
}

raffle_rc raffle_unit_disable(raffle *r, const raffle_actor *by, uint32_t number, const char *reason, raffle_error *err)
{
    raffle_actor actor;
    rf_unit_row row;
    raffle_rc rc = enter(r, by, &actor, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (reason == NULL)
        return rf_null(err, "reason");
    if (!rf_word_valid(reason, strnlen(reason, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        return rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a reason", reason);
    rc = rf_unit_row_get(r, number, &row, err);
    return rc == RAFFLE_OK ? rf_unit_change(r, &actor, RF_UNIT_DISABLE, number, reason, 0, err) : rc;
}

raffle_rc raffle_unit_quota(raffle *r, const raffle_actor *by, uint32_t number, uint64_t quota, raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    rf_unit_state state;
    raffle_rc rc = enter_unit(r, by, &actor, number, &u, &state, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (quota > (uint64_t)RF_JSON_INT_MAX || (quota > 0 && quota < state.numbers))
        return rf_fail(err, RAFFLE_LIMIT, "a quota of %llu for unit %u, which has sold %llu draw numbers",
                       (unsigned long long)quota, number, (unsigned long long)state.numbers);
    return rf_unit_change(r, &actor, RF_UNIT_QUOTA, number, NULL, quota, err);
}

static raffle_rc check_unsold(const rf_unit *u, const rf_unit_state *state, raffle_error *err)
{
    return state->tickets == 0 ? RAFFLE_OK
                               : rf_fail(err, RAFFLE_SEQUENCE, "unit %u has sold %llu tickets, and stays enrolled",
                                         u->number, (unsigned long long)state->tickets);
}

/* What the fold would refuse, ahead of the record that disables the unit: one that stays enrolled goes on selling. */
static raffle_rc check_unenrol(raffle *r, const raffle_actor *by, const rf_unit *u, const rf_unit_row *row,
                               raffle_error *err)
{
    if (!rf_rules_may(r->rules, RF_OP_UNITS, by->role))
        return rf_fail(err, RAFFLE_ROLE, "the role %s may not %s", raffle_role_name(by->role), rf_op_name(RF_OP_UNITS));
    pthread_rwlock_rdlock(&r->control_lock);
    const bool sealed = r->control.final.kind != 0;
    pthread_rwlock_unlock(&r->control_lock);
    if (sealed)
        return rf_fail(err, RAFFLE_CLOSED, "after the final seal no unit is un-enrolled");
    return row->sync_size == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_SEQUENCE, "unit %u has uploaded records, and stays enrolled", u->number);
}

/* No commit that begins after this sells in the unit: then it is looked at for good. */
static raffle_rc stop_selling(raffle *r, const raffle_actor *by, rf_unit *u, raffle_error *err)
{
    rf_unit_state state;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_unit_change(r, by, RF_UNIT_DISABLE, u->number, "unenrol", 0, &quiet);
    if (rc != RAFFLE_OK && rc != RAFFLE_EXISTS) /* by somebody else, meanwhile */
        return rf_fail_as(err, &quiet);
    rc = rf_unit_current(u, &state, err);
    return rc == RAFFLE_OK ? check_unsold(u, &state, err) : rc;
}

raffle_rc raffle_unit_unenrol(raffle *r, const raffle_actor *by, uint32_t number, raffle_error *err)
{
    raffle_actor actor;
    rf_unit *u;
    rf_unit_row row;
    rf_unit_state state;
    raffle_rc rc = enter_unit(r, by, &actor, number, &u, &state, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_row_get(r, number, &row, err);
    if (rc == RAFFLE_OK)
        rc = check_unsold(u, &state, err);
    if (rc == RAFFLE_OK && row.enabled)
        rc = check_unenrol(r, &actor, u, &row, err);
    if (rc == RAFFLE_OK && row.enabled)
        rc = stop_selling(r, &actor, u, err);
    return rc == RAFFLE_OK ? rf_unit_change(r, &actor, RF_UNIT_UNENROL, number, NULL, 0, err) : rc;
}

/* --- handles --- */

raffle_rc raffle_unit_open(raffle *r, uint32_t number, raffle_unit **out, raffle_error *err)
{
    rf_unit *u;
    raffle_rc rc = rf_enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (out == NULL)
        return rf_null(err, "out");
    rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, number, &u, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_unit *unit = calloc(1, sizeof *unit);
    if (unit == NULL)
        return rf_nomem(err);
    unit->unit = u;
    rf_raffle_ref(r);
    *out = unit;
    return RAFFLE_OK;
}

void raffle_unit_free(raffle_unit *unit)
{
    if (unit == NULL)
        return;
    rf_raffle_unref(unit->unit->raffle);
    free(unit);
}

raffle_rc raffle_unit_close(raffle_unit *unit, const raffle_actor *by, raffle_error *err)
{
    raffle_actor actor;
    rf_unit_state state;
    if (unit == NULL)
        return rf_null(err, "unit");
    rf_unit *u = unit->unit;
    raffle_rc rc = rf_enter_unit_write(u->raffle, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && !rf_rules_may(u->raffle->rules, RF_OP_CLOSE, actor.role))
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not close", raffle_role_name(actor.role));
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc == RAFFLE_OK && state.closed)
        return rf_fail(err, RAFFLE_CLOSED, "unit %u is closed already", u->number);
    return rc == RAFFLE_OK ? rf_unit_close(u, &actor, err) : rc;
}

/* Under the control log's lock: what came in after the final seal had counted the unit without it. */
static void set_left_out(const raffle *r, const rf_unit_state *s, raffle_unit_info *info)
{
    const rf_seal_state *final = &r->control.final;
    if (final->kind == 0 || info->number > final->units || final->unit[info->number - 1].reconciled)
        return;
    const rf_seal_unit *sealed = &final->unit[info->number - 1];
    info->unreconciled = 1;
    info->left_numbers = s->numbers > sealed->numbers ? s->numbers - sealed->numbers : 0;
    info->left_gross = s->gross > sealed->gross ? s->gross - sealed->gross : 0;
}

raffle_rc raffle_unit_describe(raffle *r, uint32_t number, raffle_unit_info *info, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state s;
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK)
        rc = rf_log_halted(r->log) ? RAFFLE_OK : rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, number, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &s, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_unit_info mine = {.number = number,
                             .closed = s.closed,
                             .halted = rf_log_halted(u->log),
                             .size = s.size,
                             .tickets = s.tickets,
                             .numbers = s.numbers,
                             .voids = s.voids,
                             .gross = s.gross,
                             .void_gross = s.void_gross,
                             .last_at = s.last_at};
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_unit_row *row = rf_control_unit(&r->control, number);
    memcpy(mine.name, row->name, sizeof mine.name);
    memcpy(mine.key, row->key, sizeof mine.key);
    mine.enabled = row->enabled;
    mine.unenrolled = row->unenrolled;
    mine.quota = row->quota;
    mine.away = row->away;
    mine.hours = row->away_hours;
    mine.heard = row->heard;
    mine.synced = row->sync_size;
    mine.twice = row->twice;
    mine.printed = row->printed;
    mine.failures = row->failures;
    mine.seen = row->seen;
    set_left_out(r, &s, &mine);
    pthread_rwlock_unlock(&r->control_lock);
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return RAFFLE_OK;
}
