/* SPDX-License-Identifier: Apache-2.0 */
/* Drum draws (GLI-31 2.6.4, 4.1.1): each number that is called is verified like one that an RNG drew, and written before anybody goes on. */
#include "draw_impl.h"

#include "abi.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

static const rf_prize_rule *rule_of(const raffle_draw *draw)
{
    return &draw->raffle->rules->prize[draw->prize];
}

static raffle_rc check_drum(const raffle_draw *draw, raffle_error *err)
{
    return rule_of(draw)->drum
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_SEQUENCE, "\"%s\" is drawn by an RNG: no number is called", rule_of(draw)->name);
}

/* --- a number --- */

typedef struct calling {
    raffle_draw *draw;
    uint64_t calls; /* before this one */
    rf_call call;
    uint32_t place; /* that it takes; 0: none */
} calling;

/* Judged by a state of its own: the store is not read under the control log's lock. */
static raffle_rc judge(calling *q, uint32_t unit, uint64_t number, raffle_error *err)
{
    raffle *r = q->draw->raffle;
    rf_control control;
    raffle_rc rc = rf_control_refold(r, rf_log_size(r->log), &control, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (control.open_prize != q->draw->prize) {
        rf_control_clear(&control);
        return rf_draw_check_open(q->draw, err);
    }
    rf_at_seal seal = {r, rf_control_seal(&control, q->draw->prize)};
    const rf_drum drum = {r->store, &control, q->draw->prize, rf_void_at_seal, &seal};
    q->calls = control.calls;
    rc = rf_drum_call(&drum, unit, number, &q->call, err);
    rf_control_clear(&control);
    return rc;
}

static raffle_rc make_call(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    calling *q = ctx;
    const rf_control *c = &q->draw->raffle->control;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    if (c->calls != q->calls)
        return rf_fail(err, RAFFLE_SEQUENCE, "another number was called for \"%s\" at the same time",
                       rule_of(q->draw)->name);
    record->type = RF_DRAW_CALL;
    record->intent = (int64_t)q->draw->intent;
    record->unit = q->call.place.unit;
    record->number = (int64_t)q->call.place.number;
    record->outcome = rf_text_of(rf_outcome_name(q->call.outcome));
    record->has = rf_bit(RF_F_INTENT) | rf_bit(RF_F_UNIT) | rf_bit(RF_F_NUMBER) | rf_bit(RF_F_OUTCOME);
    if (q->call.outcome != RF_OUTCOME_UNSOLD) {
        record->serial = (int64_t)q->call.place.serial;
        record->has |= rf_bit(RF_F_SERIAL);
    }
    q->place = q->call.outcome == RF_OUTCOME_TAKEN ? (uint32_t)c->picks + 1 : 0;
    return RAFFLE_OK;
}

static void give_call(const calling *q, raffle_call *call)
{
    const raffle_call mine = {.outcome = RAFFLE_CALL_UNSOLD + (int32_t)q->call.outcome,
                              .unit = q->call.place.unit,
                              .place = q->place,
                              .number = q->call.place.number,
                              .serial = q->call.place.serial};
    if (call != NULL)
        rf_struct_out(call, rf_struct_size(call), &mine, sizeof mine);
}

raffle_rc raffle_draw_call(raffle_draw *draw, uint32_t unit, uint64_t number, raffle_call *call, raffle_error *err)
{
    char printed[RAFFLE_NUMBER_SIZE];
    calling q = {.draw = draw};
    if (draw == NULL)
        return rf_null(err, "draw");
    raffle *r = draw->raffle;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && call != NULL)
        rc = rf_struct_check(call, "call", err);
    if (rc == RAFFLE_OK)
        rc = check_drum(draw, err);
    if (rc == RAFFLE_OK)
        rc = raffle_number_format(unit, number, printed, err); /* refuses what no draw number can be */
    if (rc == RAFFLE_OK)
        rc = rf_draw_check_open(draw, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_witnessed(draw, false, err);
    if (rc == RAFFLE_OK)
        rc = judge(&q, unit, number, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_control_op op = {.raffle = r, .by = &draw->by, .make = make_call, .ctx = &q};
    rc = rf_control_append(&op, err);
    if (rc == RAFFLE_OK)
        give_call(&q, call);
    return rc;
}

/* --- the end --- */

static raffle_rc make_end(void *ctx, size_t i, rf_record *record, raffle_error *err)
{
    const raffle_draw *draw = ctx;
    const rf_control *c = &draw->raffle->control;
    if (i > 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "one record");
    const rf_prize_state *p = &c->prize[draw->prize];
    const size_t winners = c->picks < (size_t)rule_of(draw)->winners ? c->picks : (size_t)rule_of(draw)->winners;
    *record =
        (rf_record){.type = RF_DRAW_MANUAL,
                    .has = rf_bit(RF_F_PRIZE) | rf_bit(RF_F_ATTEMPT) | rf_bit(RF_F_INTENT) | rf_bit(RF_F_NOTE) |
                           rf_bit(RF_F_NUMBERS) | rf_bit(RF_F_COUNT) | rf_bit(RF_F_WINNERS) | rf_bit(RF_F_ALTERNATES),
                    .prize = rf_text_of(rule_of(draw)->name),
                    .attempt = p->attempts,
                    .intent = (int64_t)draw->intent,
                    .note = {draw->cosigned, draw->cosigned_length, false},
                    .numbers = (int64_t)p->numbers,
                    .count = (int64_t)c->calls,
                    .winners = (int64_t)winners,
                    .alternates = (int64_t)(c->picks - winners)};
    return RAFFLE_OK;
}

static raffle_rc read_options(const raffle_draw *draw, const raffle_finish_options *options, raffle_actor *ok,
                              raffle_error *err)
{
    static const raffle_finish_options nothing;
    raffle_finish_options o;
    raffle_rc rc = options == NULL ? RAFFLE_OK : rf_struct_in(&o, sizeof o, options, "options", err);
    if (rc != RAFFLE_OK)
        return rc;
    const raffle_actor *approver = options == NULL ? NULL : o.ok;
    if (options != NULL) {
        o.ok = NULL;
        o.struct_size = 0;
        if (memcmp(&o, &nothing, sizeof o) != 0)
            return rf_fail(err, RAFFLE_INVALID, "options: a drum draw takes a second approver at most");
    }
    return rf_approver_in(ok, approver, &draw->by, err);
}

raffle_rc rf_draw_finish_drum(raffle_draw *draw, const raffle_rng *rng, const raffle_finish_options *options,
                              raffle_error *err)
{
    raffle *r = draw->raffle;
    raffle_actor ok;
    uint8_t root[32];
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && rng != NULL)
        rc = rf_fail(err, RAFFLE_INVALID, "\"%s\" is drawn from a drum: no provider is asked", rule_of(draw)->name);
    if (rc == RAFFLE_OK)
        rc = read_options(draw, options, &ok, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_check_open(draw, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_witnessed(draw, false, err);
    if (rc == RAFFLE_OK)
        rc = rf_draw_check_note(draw, root, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_control_op op = {.raffle = r, .by = &draw->by, .ok = &ok, .make = make_end, .ctx = draw, .signed_note = true};
    rc = rf_control_append(&op, err);
    return rc == RAFFLE_OK ? rf_control_anchor(r, "the end of the draw", err) : rc;
}
