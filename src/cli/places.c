/* SPDX-License-Identifier: Apache-2.0 */
/* A prize and the places of its result. */
#include "places.h"

#include "cmd_seal.h"

const char *place_state_name(int32_t state)
{
    static const char *const names[] = {
        [RAFFLE_PLACE_ALTERNATE] = "alternate", [RAFFLE_PLACE_DRAWN] = "drawn",
        [RAFFLE_PLACE_VERIFIED] = "verified",   [RAFFLE_PLACE_OFFICIAL] = "official",
        [RAFFLE_PLACE_CLAIMED] = "claimed",     [RAFFLE_PLACE_FORFEITED] = "forfeited",
        [RAFFLE_PLACE_REFUSED] = "refused",     [RAFFLE_PLACE_WAITING] = "waiting for papers",
        [RAFFLE_PLACE_EXPIRED] = "expired",     [RAFFLE_PLACE_MISSED] = "missed",
    };
    return state >= RAFFLE_PLACE_ALTERNATE && state <= RAFFLE_PLACE_EXPIRED && names[state] != NULL ? names[state]
                                                                                                    : "unknown";
}

const char *prize_state_name(int32_t state)
{
    return state == RAFFLE_PRIZE_WAITING  ? "waiting"
           : state == RAFFLE_PRIZE_INTENT ? "begun"
           : state == RAFFLE_PRIZE_DRAWN  ? "drawn"
                                          : "unknown";
}

static raffle_rc place_at(cli *c, const raffle_prize *prize, uint32_t place, raffle_pick *pick,
                          char number[RAFFLE_NUMBER_SIZE])
{
    raffle_pick_init(pick, sizeof *pick);
    raffle_rc rc = raffle_pick_at(c->raffle, prize->name, place, pick, &c->err);
    if (rc == RAFFLE_OK)
        cli_number(pick->unit, pick->number, number);
    return rc;
}

static raffle_rc places_json(cli *c, const raffle_prize *prize, json_t *list)
{
    raffle_pick pick;
    char number[RAFFLE_NUMBER_SIZE], identity[40];
    for (uint32_t place = 1; prize->state == RAFFLE_PRIZE_DRAWN && place <= prize->places; place++) {
        raffle_rc rc = place_at(c, prize, place, &pick, number);
        if (rc != RAFFLE_OK)
            return rc;
        json_t *o = json_must(json_object());
        snprintf(identity, sizeof identity, "%u/%llu", pick.unit, (unsigned long long)pick.serial);
        json_put(o, "place", json_count(pick.place));
        json_put(o, "state", json_string(place_state_name(pick.state)));
        json_put(o, "number", json_string(number));
        json_put(o, "ticket", json_string(identity));
        json_put(o, "unit", json_count(pick.unit));
        json_put(o, "serial", json_count(pick.serial));
        json_add(list, o);
    }
    return RAFFLE_OK;
}

json_t *prize_json(cli *c, const raffle_prize *prize)
{
    json_t *o = json_must(json_object()), *list = json_must(json_array());
    json_put(o, "name", json_text(prize->name));
    json_put(o, "title", json_text(prize->title));
    json_put(o, "state", json_string(prize_state_name(prize->state)));
    json_put(o, "seal", json_string(seal_name(prize->seal)));
    json_put(o, "winners", json_count(prize->winners));
    json_put(o, "alternates", json_count(prize->alternates));
    json_put(o, "value", json_integer(prize->value));
    json_put(o, "estimate", json_boolean(prize->estimate));
    json_put(o, "overflow", json_integer(prize->overflow));
    json_put(o, "each", json_integer(prize->each));
    json_put(o, "remainder", json_integer(prize->remainder));
    json_put(o, "carry", json_integer(prize->carry));
    if (prize->ace > 0) {
        json_put(o, "ace", json_count(prize->ace));
        json_put(o, "must_go", json_boolean(prize->must_go));
    }
    if (prize->redraw_of[0] != 0) {
        json_put(o, "redraw_of", json_text(prize->redraw_of));
        json_put(o, "waits", json_boolean(prize->waits));
    }
    json_put(o, "attempt", json_count(prize->attempt));
    if (prize->state == RAFFLE_PRIZE_DRAWN)
        json_put(o, "result", json_count(prize->result));
    json_put(o, "places", list);
    if (places_json(c, prize, list) == RAFFLE_OK)
        return o;
    json_decref(o);
    return NULL;
}

static int print_places(cli *c, const raffle_prize *prize)
{
    static const column columns[] = {{"place", true}, {"draw number", false}, {"ticket", false}, {"state", false}};
    raffle_pick pick;
    char number[RAFFLE_NUMBER_SIZE];
    raffle_rc rc = RAFFLE_OK;
    table t;
    table_begin(&t, columns, 4);
    for (uint32_t place = 1; place <= prize->places && (rc = place_at(c, prize, place, &pick, number)) == RAFFLE_OK;
         place++) {
        table_add(&t, "%u", pick.place);
        table_add(&t, "%s", number);
        table_add(&t, "%u/%llu", pick.unit, (unsigned long long)pick.serial);
        table_add(&t, "%s", place_state_name(pick.state));
    }
    table_end(&t, stdout);
    return rc == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

int prize_print(cli *c, const raffle_prize *prize)
{
    char money[MONEY_SIZE];
    if (c->json) {
        json_t *o = prize_json(c, prize);
        if (o == NULL)
            return cli_fail(c);
        json_t *top = json_must(json_object());
        json_put(top, "prize", o);
        json_end(top, true, stdout);
        return CLI_DONE;
    }
    printf("%s%s%s, %s", prize->name, prize->title[0] != 0 ? ": " : "", prize->title, prize_state_name(prize->state));
    if (prize->value > 0)
        printf(", %s", cli_money(c, prize->value, money));
    if (prize->redraw_of[0] != 0)
        printf(", a redraw of %s%s", prize->redraw_of,
               prize->state == RAFFLE_PRIZE_WAITING && !prize->waits ? ", not needed" : "");
    if (prize->attempt > 1)
        printf(", ATTEMPT %u", prize->attempt);
    printf("%s\n", c->info.rehearsal ? ", a REHEARSAL" : "");
    return prize->state == RAFFLE_PRIZE_DRAWN ? print_places(c, prize) : CLI_DONE;
}
