/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over events (GLI-31 5.6): what each needs, and the few that mean something to it. */
#include "fold_event.h"

#include "error.h"
#include "fold_draw.h"
#include "fold_keys.h"
#include "fold_units.h"
#include "note.h"
#include <string.h>

static bool of_program(const rf_record *r)
{
    return rf_text_is(&r->code, "program.altered") || rf_text_is(&r->code, "program.verified");
}

/* A key whose name holds a quote stands in the record with an escape. One for cosignatures signs no manifest. */
static raffle_rc read_maker(const rf_record *r, rf_vkey *maker, raffle_error *err)
{
    char text[RF_VKEY_SIZE];
    if (!rf_text_copy(&r->key, text, sizeof text))
        return rf_fail(err, RAFFLE_INVALID, "the maker's key in a \"%.*s\" is too long", (int)r->code.length,
                       r->code.text);
    raffle_rc rc = rf_vkey_parse(maker, text, strlen(text), err);
    return rc != RAFFLE_OK || maker->type == RF_NOTE_ED25519
               ? rc
               : rf_fail(err, RAFFLE_INVALID, "the maker's key '%s' is of type 0x%02x, not 0x01", maker->name,
                         maker->type);
}

/* Whose manifest it was stands in what was found, and nowhere else. */
static raffle_rc check_maker(const rf_record *r, raffle_error *err)
{
    rf_vkey maker;
    if (of_program(r) != rf_has(r, RF_F_KEY))
        return rf_fail(err, RAFFLE_CORRUPT, "a \"%.*s\" %s", (int)r->code.length, r->code.text,
                       of_program(r) ? "names no maker's key" : "names a maker's key");
    return of_program(r) ? read_maker(r, &maker, err) : RAFFLE_OK;
}

raffle_rc rf_event_check(const rf_record *r, uint64_t index, raffle_error *err)
{
    if (rf_has(r, RF_F_UNIT) && (r->unit < 1 || r->unit > RAFFLE_UNIT_MAX))
        return rf_fail(err, RAFFLE_CORRUPT, "an event about unit %lld, which there cannot be", (long long)r->unit);
    if (rf_has(r, RF_F_SERIAL) && (r->serial < 1 || r->serial >= INT64_C(1) << 40))
        return rf_fail(err, RAFFLE_CORRUPT, "an event about ticket %lld, which there cannot be", (long long)r->serial);
    const bool ends = rf_text_is(&r->code, "remote.end");
    if (ends != rf_has(r, RF_F_FIRST) || (ends && (uint64_t)r->first >= index))
        return rf_fail(err, RAFFLE_CORRUPT, "a \"%.*s\" %s", (int)r->code.length, r->code.text,
                       ends ? "names no record before it that began it" : "names a record that began it");
    if (rf_text_is(&r->code, "data.altered") && !rf_has(r, RF_F_OK)) /* GLI-31 5.2.4: supervised */
        return rf_fail(err, RAFFLE_APPROVAL, "data that was altered needs a second approver");
    return check_maker(r, err);
}

/* What an event is part of: the library writes some itself, within an operation that needs a role of its own. */
static rf_op event_op(const rf_record *r)
{
    if (rf_text_is(&r->code, "clock.reset"))
        return RF_OP_CLOCK;
    if ((r->code.length >= 5 && memcmp(r->code.text, "draw.", 5) == 0) || rf_text_is(&r->code, "rng.unhealthy"))
        return RF_OP_DRAW;
    if (rf_text_is(&r->code, "raffle.restored"))
        return RF_OP_RESTORE;
    return rf_text_is(&r->code, "private.erased") ? RF_OP_ERASE : RF_OP_EVENT;
}

static raffle_rc check_erasure(const rf_control *c, const rf_record *r, raffle_error *err)
{
    const int64_t until = rf_rules_kept_until(c->rules);
    if (!rf_text_is(&r->code, "private.erased") || r->at >= until)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_LIMIT, "private parts are kept for %lld years, for %lld more days",
                   (long long)c->rules->keep_years, (long long)((until - r->at + 86399999) / 86400000));
}

/* GLI-31 3.5.2, 5.8.1. A program that one maker's manifest disowned is not made good by the manifest of another: else whoever may write events could sign one. Keys
 * are compared, and not their names, which anybody can give to a key. */
static raffle_rc apply_program(rf_control *c, const rf_record *r, raffle_error *err)
{
    rf_vkey maker;
    if (!of_program(r))
        return RAFFLE_OK;
    raffle_rc rc = read_maker(r, &maker, err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool same = memcmp(c->altered_key, maker.key, sizeof maker.key) == 0 && !c->altered_by_two;
    if (rf_text_is(&r->code, "program.altered")) {
        c->altered_by_two = c->altered != 0 && !same;
        c->altered = c->size;
        memcpy(c->altered_key, maker.key, sizeof maker.key);
        return RAFFLE_OK;
    }
    if (c->altered != 0 && !same && !rf_rules_may(c->rules, RF_OP_APPROVE, r->by))
        return rf_fail(err, RAFFLE_ROLE,
                       "a program was found to be another one by another maker's manifest, by record %llu: the role %s "
                       "may not approve",
                       (unsigned long long)c->altered, raffle_role_name(r->by));
    c->altered = 0;
    return RAFFLE_OK;
}

raffle_rc rf_control_event(rf_control *c, const rf_record *r, rf_taken_list *taken, raffle_error *err)
{
    /* That somebody guesses validation numbers is the library's own remark, which no rule keeps it from making. */
    const bool own = rf_text_is(&r->code, "validation.failed") && r->by == RAFFLE_SYSTEM;
    raffle_rc rc = own ? RAFFLE_OK : rf_control_role(c, event_op(r), r->by, err);
    if (rc == RAFFLE_OK)
        rc = rf_event_check(r, c->size, err);
    if (rc == RAFFLE_OK)
        rc = check_erasure(c, r, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_event(c, r, err);
    if (rc == RAFFLE_OK)
        rc = apply_program(c, r, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_units_event(c, r);
    rf_take_event(taken, r, 0, c->size);
    c->events++;
    return RAFFLE_OK;
}
