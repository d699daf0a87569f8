/* SPDX-License-Identifier: Apache-2.0 */
/* The Raffle Drawing Report, GLI-31 2.8.1(a): every place of every drawing, and the sums of the event. */
#include "prize_value.h"
#include "report_impl.h"

#include "error.h"
#include <stdlib.h>

static const rf_column columns[] = {
    {"prize", "Prize", RF_CELL_TEXT, 16, false},
    {"title", "Title", RF_CELL_TEXT, 20, false},
    {"value", "Value of the prize", RF_CELL_MONEY, 18, false},
    {"winners", "Winners", RF_CELL_COUNT, 7, false},
    {"numbers", "Numbers in the drum", RF_CELL_COUNT, 19, false},
    {"void_numbers", "Of them void", RF_CELL_COUNT, 12, false},
    {"attempt", "Attempt", RF_CELL_COUNT, 7, false},
    {"place", "Drawn as", RF_CELL_COUNT, 8, false},
    {"role", "Drawn for", RF_CELL_TEXT, 9, false},
    {"number", "Draw number", RF_CELL_TEXT, 14, false},
    {"unit", "Sales unit", RF_CELL_COUNT, 10, false},
    {"serial", "Ticket", RF_CELL_COUNT, 8, false},
    {"called_at", "Called at", RF_CELL_TIME, 29, false},
    {"status", "Status", RF_CELL_TEXT, 10, false},
};

static const char *status_name(int32_t state)
{
    static const char *const names[] = {[RAFFLE_PLACE_ALTERNATE] = "alternate",
                                        [RAFFLE_PLACE_DRAWN] = "drawn",
                                        [RAFFLE_PLACE_VERIFIED] = "verified",
                                        [RAFFLE_PLACE_OFFICIAL] = "official",
                                        [RAFFLE_PLACE_CLAIMED] = "claimed",
                                        [RAFFLE_PLACE_FORFEITED] = "forfeited",
                                        [RAFFLE_PLACE_REFUSED] = "refused",
                                        [RAFFLE_PLACE_MISSED] = "missed",
                                        [RAFFLE_PLACE_WAITING] = "waiting for papers",
                                        [RAFFLE_PLACE_EXPIRED] = "expired"};
    return state >= RAFFLE_PLACE_ALTERNATE && state <= RAFFLE_PLACE_EXPIRED && names[state] != NULL ? names[state]
                                                                                                    : "unknown";
}

static void put_value(rf_report *p, size_t prize)
{
    const rf_prize_worth worth = rf_prize_worth_of(&p->control, prize, NULL);
    if (worth.known)
        rf_row_money(p, worth.is.value);
    else
        rf_row_none(p);
}

/* The newest seal of the prize's kind is the one that it was drawn from, once it is drawn: a later one would need another intent. */
static void put_drum(rf_report *p, size_t prize)
{
    const rf_seal_state *seal = rf_control_seal(&p->control, (int)prize);
    const rf_prize_state *is = &p->control.prize[prize];
    if (seal->kind == 0) {
        rf_row_none(p);
        rf_row_none(p);
        return;
    }
    rf_row_count(p, (int64_t)(is->numbers > 0 ? is->numbers : seal->sum.numbers));
    if (is->numbers == 0 || seal->index == is->seal)
        rf_row_count(p, (int64_t)seal->sum.void_numbers);
    else
        rf_row_none(p);
}

static void begin_prize(rf_report *p, size_t prize)
{
    const rf_prize_rule *rule = &p->control.rules->prize[prize];
    rf_row_begin(p);
    rf_row_string(p, rule->name);
    rf_row_string(p, rule->title);
    put_value(p, prize);
    rf_row_count(p, rule->winners);
    put_drum(p, prize);
    rf_row_count(p, p->control.prize[prize].attempts);
}

static raffle_rc put_place(rf_report *p, size_t prize, size_t i)
{
    const rf_prize_state *is = &p->control.prize[prize];
    const rf_place_state *place = &is->place[i];
    begin_prize(p, prize);
    rf_row_count(p, (int64_t)i + 1);
    rf_row_string(p, (int64_t)i < p->control.rules->prize[prize].winners ? "winner" : "alternate");
    rf_row_number(p, place->place.unit, place->place.number);
    rf_row_count(p, place->place.unit);
    rf_row_count(p, (int64_t)place->place.serial);
    rf_row_time(p, place->called_at);
    rf_row_string(p, status_name(place->state));
    return rf_row_end(p);
}

/* A prize that waits has a row, so that it is seen, unless an interval is asked for, in which nothing was drawn. */
static raffle_rc put_waiting(rf_report *p, size_t prize)
{
    if (p->how.from != 0 || p->how.to != 0)
        return RAFFLE_OK;
    begin_prize(p, prize);
    for (size_t i = 0; i < 6; i++)
        rf_row_none(p);
    rf_row_string(p, p->control.prize[prize].state == RAFFLE_PRIZE_INTENT ? "being drawn" : "waiting");
    return rf_row_end(p);
}

static raffle_rc put_prize(rf_report *p, size_t prize, int64_t *awarded)
{
    const rf_prize_state *is = &p->control.prize[prize];
    raffle_rc rc = RAFFLE_OK;
    if (is->state != RAFFLE_PRIZE_DRAWN)
        return put_waiting(p, prize);
    if (!rf_report_in(p, is->result_at))
        return RAFFLE_OK;
    if (is->places > 0)
        rc = rf_report_add(p, awarded, rf_prize_awarded(&p->control, prize));
    for (size_t i = 0; i < is->places && rc == RAFFLE_OK; i++)
        rc = put_place(p, prize, i);
    return rc;
}

/* What the next raffle begins with; not there when no prize can be carried over. */
static raffle_rc put_carry(rf_report *p)
{
    int64_t sum = 0;
    bool can = false;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < p->control.rules->prizes && rc == RAFFLE_OK; i++) {
        const rf_prize_rule *rule = &p->control.rules->prize[i];
        const rf_prize_worth worth = rf_prize_worth_of(&p->control, i, NULL);
        can = can || rule->ace > 0 || rule->above == RF_ABOVE_CARRY;
        if (p->control.prize[i].state == RAFFLE_PRIZE_DRAWN && rf_report_in(p, p->control.prize[i].result_at))
            rc = rf_report_add(p, &sum, rf_prize_carry(&p->control, i, &worth.is));
    }
    if (rc == RAFFLE_OK && can)
        rf_total_money(p, "carry", "To be carried over to the next raffle", sum);
    return rc;
}

static raffle_rc sum_up(rf_report *p, const rf_tally *tally, int64_t awarded)
{
    rf_tally sum = {0};
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < p->units && rc == RAFFLE_OK; i++)
        rc = rf_report_tally_sum(p, &sum, &tally[i]);
    rf_total_tally(p, &sum);
    rf_total_money(p, "prizes", "Value of the prizes drawn", awarded);
    rf_total_money(p, "less_prizes", "Money taken less voided tickets and prizes drawn",
                   sum.gross - sum.void_gross - awarded);
    if (rc == RAFFLE_OK)
        rc = put_carry(p);
    return rc;
}

static raffle_rc run(rf_report *p)
{
    int64_t awarded = 0;
    rf_tally *tally = calloc(p->units + 1, sizeof *tally);
    if (tally == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < p->control.rules->prizes && rc == RAFFLE_OK; i++)
        rc = put_prize(p, i, &awarded);
    if (rc == RAFFLE_OK)
        rc = rf_report_tally_units(p, tally);
    if (rc == RAFFLE_OK)
        rc = sum_up(p, tally, awarded);
    free(tally);
    return rc;
}

const rf_report_def rf_report_drawing = {.name = "drawing",
                                         .title = "Raffle Drawing Report",
                                         .source = "GLI-31 2.8.1(a)",
                                         .columns = columns,
                                         .n = sizeof columns / sizeof *columns,
                                         .whole = true,
                                         .run = run};
