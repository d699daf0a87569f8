/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers out of the drum, a line each. */
#include "draw_drum.h"

static const char *outcome_name(int32_t outcome)
{
    static const char *const names[] = {
        [RAFFLE_CALL_UNSOLD] = "unsold", [RAFFLE_CALL_VOID] = "void",     [RAFFLE_CALL_NOT_ENTERED] = "not-entered",
        [RAFFLE_CALL_AGAIN] = "again",   [RAFFLE_CALL_BARRED] = "barred", [RAFFLE_CALL_TAKEN] = "taken",
    };
    return outcome >= RAFFLE_CALL_UNSOLD && outcome <= RAFFLE_CALL_TAKEN ? names[outcome] : "unknown";
}

static void print_call(const cli *c, const raffle_call *call, json_t *calls)
{
    char number[RAFFLE_NUMBER_SIZE];
    cli_number(call->unit, call->number, number);
    if (!c->json) {
        printf("%s: %s", number, outcome_name(call->outcome));
        printf(call->place != 0 ? ", place %u\n" : "\n", call->place);
        return;
    }
    json_t *o = json_must(json_object());
    json_put(o, "number", json_string(number));
    json_put(o, "outcome", json_string(outcome_name(call->outcome)));
    json_put(o, "place", json_count(call->place));
    json_put(o, "serial", json_count(call->serial));
    json_add(calls, o);
}

/* All of them are numbers before the first is called. */
static int check_numbers(cli *c)
{
    uint32_t unit;
    uint64_t number;
    for (size_t i = 2; cli_positional(c, i) != NULL; i++)
        if (raffle_number_parse(cli_positional(c, i), &unit, &number, &c->err) != RAFFLE_OK)
            return cli_fail(c);
    return CLI_DONE;
}

int drum_calls(cli *c, raffle_draw *draw)
{
    raffle_call call;
    uint32_t unit;
    uint64_t number;
    int status = check_numbers(c);
    json_t *calls = json_must(json_array());
    for (size_t i = 2; status == CLI_DONE && cli_positional(c, i) != NULL; i++) {
        raffle_call_init(&call, sizeof call);
        if (raffle_number_parse(cli_positional(c, i), &unit, &number, &c->err) != RAFFLE_OK ||
            raffle_draw_call(draw, unit, number, &call, &c->err) != RAFFLE_OK)
            status = cli_fail(c);
        else
            print_call(c, &call, calls);
    }
    if (status != CLI_DONE || !c->json) {
        json_decref(calls);
        return status;
    }
    json_t *top = json_must(json_object());
    json_put(top, "calls", calls);
    json_end(top, true, stdout);
    return CLI_DONE;
}

int drum_end(cli *c, raffle_draw *draw, bool *ended)
{
    raffle_draw_info info;
    raffle_prize prize;
    raffle_finish_options how;
    raffle_draw_info_init(&info, sizeof info);
    raffle_prize_init(&prize, sizeof prize);
    raffle_finish_options_init(&how, sizeof how);
    how.ok = c->has_ok ? &c->ok : NULL;
    if (raffle_draw_describe(draw, &info, &c->err) != RAFFLE_OK ||
        raffle_prize_by_name(c->raffle, info.prize, &prize, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    *ended = info.taken == prize.winners + prize.alternates || cli_flag(c, "finish");
    if (!*ended) {
        cli_note(c, "%u of the %u places of %s are taken; the draw goes on", info.taken,
                 prize.winners + prize.alternates, info.prize);
        return CLI_DONE;
    }
    return raffle_draw_finish(draw, NULL, &how, CLI_TIMEOUT_MS, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}
