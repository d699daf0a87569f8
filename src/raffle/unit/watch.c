/* SPDX-License-Identifier: Apache-2.0 */
/* Watching the units (GLI-31 5.4.2): validations that pass and fail, silence, and shutting out whoever fails too often. */
#include "unit_impl.h"

#include "bytes.h"
#include "error.h"
#include <string.h>

static const int64_t minute_ms = 60000;

/* What became of a validation, and what follows from it. */
typedef struct validation {
    const raffle *raffle;
    uint32_t unit;
    const char *code;
    bool disables; /* out */
    int64_t count;
    int64_t now, sold_at; /* of a silence: when it is judged, and the unit's newest record */
} validation;

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whoever sells, uploads or was validated is heard. What was said to be silent is silent anew after as many minutes. */
static bool is_silent(const validation *v, const rf_unit_row *u)
{
    const int64_t heard = later(later(u->seen, u->missed), u->away ? u->heard : v->sold_at);
    return u->enabled && v->now - heard >= v->raffle->rules->watch_minutes * minute_ms;
}

static bool fails(const validation *v)
{
    return strcmp(v->code, "unit.seen") != 0;
}

/* While a draw is open the control log takes events only: the next failure shuts the unit out. */
static bool too_many(const validation *v, const rf_control *c)
{
    const int64_t most = c->rules->watch_failures;
    const rf_unit_row *u = rf_control_unit(c, v->unit);
    return fails(v) && most > 0 && u->enabled && c->open_prize < 0 && v->count >= most;
}

static void make_event(validation *v, const rf_control *c, rf_record *record)
{
    v->count = fails(v) ? (int64_t)rf_control_unit(c, v->unit)->failures + 1 : 0;
    *record = (rf_record){.type = RF_EVENT,
                          .has = rf_bit(RF_F_CODE) | rf_bit(RF_F_UNIT) | (fails(v) ? rf_bit(RF_F_COUNT) : 0),
                          .code = rf_text_of(v->code),
                          .unit = v->unit,
                          .count = v->count};
}

static raffle_rc make_records(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    validation *v = ctx;
    const rf_control *c = &v->raffle->control;
    if (i == 0) {
        /* Within the transaction: somebody else may have heard of it, or said so, since. */
        if (strcmp(v->code, "unit.silent") == 0 && !is_silent(v, rf_control_unit(c, v->unit)))
            return rf_fail(err, RAFFLE_SEQUENCE, "unit %u is silent no more", v->unit);
        v->disables = false; /* also when the transaction is begun again */
        make_event(v, c, record);
        return RAFFLE_OK;
    }
    if (i == 1)
        v->disables = too_many(v, c);
    if (i > 1 || !v->disables)
        return rf_fail(err, RAFFLE_NOT_FOUND, "no more");
    *record = (rf_record){.type = RF_UNIT_DISABLE,
                          .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_REASON),
                          .unit = v->unit,
                          .reason = rf_text_of("failures")};
    return RAFFLE_OK;
}

static raffle_rc check_role(const raffle *r, const raffle_actor *by, raffle_error *err)
{
    return by->role == RAFFLE_SYSTEM || rf_rules_may(r->rules, RF_OP_UNITS, by->role)
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_ROLE, "the role %s may not change units", raffle_role_name(by->role));
}

static raffle_rc write_validation(raffle *r, const raffle_actor *by, const char *text, validation *v, raffle_error *err)
{
    rf_control_op op = {.raffle = r, .by = by, .text = text, .make = make_records, .ctx = v};
    return rf_control_append(&op, err);
}

/* Whether it is worth a record that a unit is well. */
static bool is_news(const raffle *r, const rf_unit_row *u, int64_t now)
{
    return u->failures > 0 || (r->rules->watch_minutes > 0 && now - u->seen >= r->rules->watch_minutes * minute_ms / 2);
}

raffle_rc raffle_unit_validated(raffle *r, const raffle_actor *by, uint32_t number, int32_t passed, const char *text,
                                int32_t *disabled, raffle_error *err)
{
    raffle_actor actor;
    rf_unit_row row;
    int64_t now = 0;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = check_role(r, &actor, err);
    if (rc == RAFFLE_OK && text != NULL && text[0] != 0 &&
        !rf_text_valid(text, strnlen(text, RAFFLE_TEXT_MAX + 1), RAFFLE_TEXT_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a text is at most %d bytes of UTF-8 without control characters",
                     RAFFLE_TEXT_MAX);
    if (rc == RAFFLE_OK)
        rc = rf_unit_row_get(r, number, &row, err);
    if (rc == RAFFLE_OK)
        rc = rf_clock_read(r, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    validation v = {.raffle = r, .unit = number, .code = passed != 0 ? "unit.seen" : "unit.auth-failed"};
    if (passed == 0 || is_news(r, &row, now))
        rc = write_validation(r, &actor, text, &v, err);
    if (rc == RAFFLE_OK && disabled != NULL)
        *disabled = v.disables;
    return rc;
}

/* --- silence --- */

static raffle_rc read_unit(raffle *r, uint32_t number, bool *closed, int64_t *sold_at, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state state;
    raffle_rc rc = rf_unit_get(r, number, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc != RAFFLE_OK)
        return rc;
    *closed = state.closed;
    *sold_at = state.last_at;
    return RAFFLE_OK;
}

static raffle_rc watch_unit(raffle *r, const raffle_actor *by, uint32_t number, int64_t now, validation *v,
                            raffle_error *err)
{
    rf_unit_row row;
    bool closed = false;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_unit_row_get(r, number, &row, err);
    *v = (validation){.raffle = r, .unit = number, .code = NULL, .now = now};
    if (rc != RAFFLE_OK || !row.enabled)
        return rc;
    rc = read_unit(r, number, &closed, &v->sold_at, err);
    if (rc != RAFFLE_OK || closed || !is_silent(v, &row))
        return rc;
    v->code = "unit.silent";
    rc = write_validation(r, by, NULL, v, &why);
    if (rc == RAFFLE_OK)
        return RAFFLE_OK;
    v->code = NULL;
    return rc == RAFFLE_SEQUENCE ? RAFFLE_OK : rf_fail_as(err, &why);
}

raffle_rc raffle_units_watch(raffle *r, const raffle_actor *by, uint32_t *silent, uint32_t *disabled, raffle_error *err)
{
    raffle_actor actor;
    validation v;
    int64_t now = 0;
    uint32_t quiet = 0, out = 0;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = check_role(r, &actor, err);
    if (rc == RAFFLE_OK && r->rules->watch_failures == 0)
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "the rules have no \"watch\"");
    if (rc == RAFFLE_OK)
        rc = rf_clock_read(r, &now, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_rwlock_rdlock(&r->control_lock);
    const uint32_t units = (uint32_t)r->control.units;
    pthread_rwlock_unlock(&r->control_lock);
    for (uint32_t number = 1; rc == RAFFLE_OK && number <= units; number++) {
        rc = watch_unit(r, &actor, number, now, &v, err);
        quiet += rc == RAFFLE_OK && v.code != NULL;
        out += rc == RAFFLE_OK && v.disables;
    }
    if (silent != NULL)
        *silent = quiet;
    if (disabled != NULL)
        *disabled = out;
    return rc;
}
