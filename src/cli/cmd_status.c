/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle status`: what the raffle is, and how its units, prizes and seals stand. */
#include "cmd_seal.h"
#include "commands.h"
#include "places.h"
#include "roles.h"

static const option_spec options_of[] = {
    {"prize", "NAME", "this prize alone, with the places of its result"},
    {"roles", NULL, "who may do what by the rules, and what takes two"},
    {NULL, NULL, NULL},
};

/* --- what can fail is read by these --- */

static raffle_rc tier_at(cli *c, uint32_t i, raffle_tier *tier)
{
    raffle_tier_init(tier, sizeof *tier);
    return raffle_tier_at(c->raffle, i, tier, &c->err);
}

static raffle_rc unit_at(cli *c, uint32_t number, raffle_unit_info *unit)
{
    raffle_unit_info_init(unit, sizeof *unit);
    return raffle_unit_describe(c->raffle, number, unit, &c->err);
}

static raffle_rc prize_at(cli *c, uint32_t i, raffle_prize *prize)
{
    raffle_prize_init(prize, sizeof *prize);
    return raffle_prize_at(c->raffle, i, prize, &c->err);
}

/* RAFFLE_NOT_SEALED: there is none, which is no failure here. */
static raffle_rc seal_at(cli *c, int32_t kind, raffle_seal_info *seal)
{
    raffle_seal_info_init(seal, sizeof *seal);
    return raffle_seal_latest(c->raffle, kind, seal, &c->err);
}

static const char *unit_state(const raffle_unit_info *unit)
{
    return unit->halted       ? "HALTED"
           : unit->unenrolled ? "un-enrolled"
           : unit->closed     ? "closed"
           : unit->enabled    ? unit->away ? "enabled, away" : "enabled"
                              : "disabled";
}

static const char *raffle_state(const raffle_info *info)
{
    return info->halted    ? "HALTED: a log is damaged"
           : info->drawing ? "a draw is begun"
           : info->closed  ? "closed"
                           : "open";
}

/* --- for machines --- */

static json_t *raffle_json(const raffle_info *info)
{
    json_t *o = json_must(json_object());
    json_put(o, "origin", json_text(info->origin));
    json_put(o, "name", json_text(info->name));
    json_put(o, "organisation", json_text(info->organisation));
    json_put(o, "licence", json_text(info->licence));
    if (info->series[0] != 0)
        json_put(o, "series", series_json(info));
    if (info->buyer_tickets > 0)
        json_put(o, "buyer_tickets", json_count(info->buyer_tickets));
    json_put(o, "rehearsal", json_boolean(info->rehearsal));
    json_put(o, "currency", json_text(info->currency));
    json_put(o, "digits", json_count(info->digits));
    json_put(o, "opens", json_time(info->opens));
    json_put(o, "closes", json_time(info->closes));
    json_put(o, "rules_hash", json_hex(info->rules_hash, sizeof info->rules_hash));
    json_put(o, "control_key", json_text(info->control_key));
    json_put(o, "control_size", json_count(info->control_size));
    json_put(o, "tickets", json_count(info->tickets));
    json_put(o, "draw_numbers", json_count(info->numbers));
    json_put(o, "voids", json_count(info->voids));
    json_put(o, "gross", json_integer(info->gross));
    json_put(o, "void_gross", json_integer(info->void_gross));
    json_put(o, "pot", json_integer(info->pot));
    json_put(o, "closed", json_boolean(info->closed));
    json_put(o, "drawing", json_boolean(info->drawing));
    json_put(o, "halted", json_boolean(info->halted));
    return o;
}

static raffle_rc tiers_json(cli *c, json_t *list)
{
    raffle_tier tier;
    for (uint32_t i = 0; i < c->info.tiers; i++) {
        raffle_rc rc = tier_at(c, i, &tier);
        if (rc != RAFFLE_OK)
            return rc;
        json_t *o = json_must(json_object());
        json_put(o, "name", json_text(tier.name));
        json_put(o, "count", json_count(tier.count));
        json_put(o, "price", json_integer(tier.price));
        json_add(list, o);
    }
    return RAFFLE_OK;
}

/* How much more a unit may have sold than anybody here knows; UINT64_MAX: it has no quota. */
static uint64_t may_be_out(const raffle_unit_info *unit)
{
    if (unit->quota == 0)
        return UINT64_MAX;
    return unit->quota > unit->numbers && !unit->closed ? unit->quota - unit->numbers : 0;
}

/* Of a unit that the final seal did not reconcile (GLI-31 2.8.1(g)). */
static void put_left_out(json_t *o, const raffle_unit_info *unit)
{
    const uint64_t out = may_be_out(unit);
    json_put(o, "left_numbers", json_count(unit->left_numbers));
    json_put(o, "left_gross", json_integer(unit->left_gross));
    json_put(o, "may_be_out", out == UINT64_MAX ? json_null() : json_count(out));
}

static json_t *unit_json(const raffle_unit_info *unit)
{
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(unit->number));
    json_put(o, "name", json_text(unit->name));
    json_put(o, "state", json_string(unit_state(unit)));
    json_put(o, "quota", json_count(unit->quota));
    json_put(o, "size", json_count(unit->size));
    json_put(o, "tickets", json_count(unit->tickets));
    json_put(o, "draw_numbers", json_count(unit->numbers));
    json_put(o, "voids", json_count(unit->voids));
    json_put(o, "gross", json_integer(unit->gross));
    json_put(o, "void_gross", json_integer(unit->void_gross));
    json_put(o, "last_at", unit->last_at != 0 ? json_time(unit->last_at) : json_null());
    json_put(o, "key", json_text(unit->key));
    json_put(o, "away", json_boolean(unit->away));
    if (unit->away) {
        json_put(o, "hours", json_count(unit->hours));
        json_put(o, "heard", json_time(unit->heard));
        json_put(o, "synced", json_count(unit->synced));
        json_put(o, "twice", json_count(unit->twice));
    }
    if (unit->unreconciled)
        put_left_out(o, unit);
    return o;
}

static raffle_rc units_json(cli *c, json_t *list)
{
    raffle_unit_info unit;
    for (uint32_t number = 1; number <= c->info.units; number++) {
        raffle_rc rc = unit_at(c, number, &unit);
        if (rc != RAFFLE_OK)
            return rc;
        json_add(list, unit_json(&unit));
    }
    return RAFFLE_OK;
}

static raffle_rc prizes_json(cli *c, json_t *list)
{
    raffle_prize prize;
    for (uint32_t i = 0; i < c->info.prizes; i++) {
        raffle_rc rc = prize_at(c, i, &prize);
        json_t *o = rc == RAFFLE_OK ? prize_json(c, &prize) : NULL;
        if (o == NULL)
            return c->err.rc;
        json_add(list, o);
    }
    return RAFFLE_OK;
}

static raffle_rc seals_json(cli *c, json_t *list)
{
    raffle_seal_info seal;
    for (int32_t kind = RAFFLE_SEAL_EARLY; kind <= RAFFLE_SEAL_FINAL; kind++) {
        raffle_rc rc = seal_at(c, kind, &seal);
        if (rc == RAFFLE_OK)
            json_add(list, seal_json(&seal));
        else if (rc != RAFFLE_NOT_SEALED)
            return rc;
    }
    return RAFFLE_OK;
}

static int print_json(cli *c)
{
    json_t *top = json_must(json_object());
    json_t *tiers = json_must(json_array()), *units = json_must(json_array()), *prizes = json_must(json_array()),
           *seals = json_must(json_array()), *roles = json_must(json_array());
    json_put(top, "raffle", raffle_json(&c->info));
    json_put(top, "tiers", tiers);
    json_put(top, "units", units);
    json_put(top, "prizes", prizes);
    json_put(top, "seals", seals);
    json_put(top, "roles", roles);
    if (tiers_json(c, tiers) != RAFFLE_OK || units_json(c, units) != RAFFLE_OK || prizes_json(c, prizes) != RAFFLE_OK ||
        seals_json(c, seals) != RAFFLE_OK || roles_json(c, roles) != RAFFLE_OK) {
        json_decref(top);
        return cli_fail(c);
    }
    json_end(top, true, stdout);
    return CLI_DONE;
}

/* --- for people --- */

static void print_raffle(const cli *c)
{
    char opens[32], closes[32], gross[MONEY_SIZE], given_back[MONEY_SIZE], pot[MONEY_SIZE];
    printf("%s, %s%s\n", c->info.name, c->info.origin, c->info.rehearsal ? ", a REHEARSAL" : "");
    if (c->info.series[0] != 0)
        printf("%s, number %u\n", c->info.series, c->info.series_number);
    printf("%s%s%s\n", c->info.organisation, c->info.licence[0] != 0 ? ", licence " : "", c->info.licence);
    printf("sales from %s to %s; %s\n", cli_local(c, c->info.opens, opens), cli_local(c, c->info.closes, closes),
           raffle_state(&c->info));
    printf("pot %s: taken %s, given back %s\n", cli_money(c, c->info.pot, pot), cli_money(c, c->info.gross, gross),
           cli_money(c, c->info.void_gross, given_back));
}

static raffle_rc print_tiers(cli *c)
{
    static const column columns[] = {{"tier", false}, {"draw numbers", true}, {"price", true}};
    raffle_tier tier;
    raffle_rc rc = RAFFLE_OK;
    char money[MONEY_SIZE];
    table t;
    table_begin(&t, columns, 3);
    for (uint32_t i = 0; i < c->info.tiers && (rc = tier_at(c, i, &tier)) == RAFFLE_OK; i++) {
        table_add(&t, "%s", tier.name);
        table_add(&t, "%u", tier.count);
        table_add(&t, "%s", cli_money(c, tier.price, money));
    }
    putchar('\n');
    table_end(&t, stdout);
    return rc;
}

static void add_counts(table *t, const cli *c, uint64_t tickets, uint64_t voids, uint64_t numbers, int64_t pot)
{
    char text[MONEY_SIZE];
    count_format(tickets, text);
    table_add(t, "%s", text);
    count_format(voids, text);
    table_add(t, "%s", text);
    count_format(numbers, text);
    table_add(t, "%s", text);
    table_add(t, "%s", cli_money(c, pot, text));
}

static raffle_rc print_units(cli *c)
{
    static const column columns[] = {{"unit", true}, {"name", false},        {"state", false}, {"tickets", true},
                                     {"void", true}, {"draw numbers", true}, {"pot", true}};
    raffle_unit_info unit;
    raffle_rc rc = RAFFLE_OK;
    table t;
    table_begin(&t, columns, 7);
    for (uint32_t number = 1; number <= c->info.units && (rc = unit_at(c, number, &unit)) == RAFFLE_OK; number++) {
        table_add(&t, "%u", unit.number);
        table_add(&t, "%s", unit.name);
        table_add(&t, "%s", unit_state(&unit));
        add_counts(&t, c, unit.tickets, unit.voids, unit.numbers, unit.gross - unit.void_gross);
    }
    table_add(&t, "%s", "");
    table_add(&t, "all");
    table_add(&t, "%s", "");
    add_counts(&t, c, c->info.tickets, c->info.voids, c->info.numbers, c->info.pot);
    putchar('\n');
    table_end(&t, stdout);
    return rc;
}

/* Units whose sales are not all in the final seal: their numbers and money, and what may still be out (GLI-31 2.8.1(g)). */
static raffle_rc print_corruption(cli *c)
{
    raffle_unit_info unit;
    raffle_rc rc = RAFFLE_OK;
    char numbers[MONEY_SIZE], gross[MONEY_SIZE], out[MONEY_SIZE];
    for (uint32_t number = 1; number <= c->info.units && (rc = unit_at(c, number, &unit)) == RAFFLE_OK; number++) {
        if (!unit.unreconciled)
            continue;
        count_format(unit.left_numbers, numbers);
        if (may_be_out(&unit) == UINT64_MAX)
            (void)snprintf(out, sizeof out, "any number");
        else
            count_format(may_be_out(&unit), out);
        printf("\nNOT RECONCILED: unit %u \"%s\": %s draw numbers for %s came in after the final seal; %s more may be "
               "out\n",
               unit.number, unit.name, numbers, cli_money(c, unit.left_gross, gross), out);
    }
    return rc;
}

/* What the rules of the next raffle have as `carry`, of prizes that are drawn. */
static raffle_rc print_carry(cli *c)
{
    raffle_prize prize;
    raffle_rc rc = RAFFLE_OK;
    char money[MONEY_SIZE];
    for (uint32_t i = 0; i < c->info.prizes && (rc = prize_at(c, i, &prize)) == RAFFLE_OK; i++)
        if (prize.carry > 0 && prize.state == RAFFLE_PRIZE_DRAWN)
            printf("to be carried over to the next raffle, of %s: %s\n", prize.name, cli_money(c, prize.carry, money));
    return rc;
}

static raffle_rc print_prizes(cli *c)
{
    static const column columns[] = {{"prize", false}, {"title", false}, {"seal", false},       {"winners", true},
                                     {"value", true},  {"state", false}, {"first place", false}};
    raffle_prize prize;
    raffle_pick pick;
    raffle_rc rc = RAFFLE_OK;
    char money[MONEY_SIZE], number[RAFFLE_NUMBER_SIZE];
    table t;
    table_begin(&t, columns, 7);
    for (uint32_t i = 0; i < c->info.prizes && (rc = prize_at(c, i, &prize)) == RAFFLE_OK; i++) {
        raffle_pick_init(&pick, sizeof pick);
        table_add(&t, "%s", prize.name);
        table_add(&t, "%s", prize.title);
        table_add(&t, "%s", seal_name(prize.seal));
        table_add(&t, "%u", prize.winners);
        table_add(&t, "%s%s", prize.value > 0 ? cli_money(c, prize.value, money) : "",
                  prize.value > 0 && prize.estimate ? " (estimate)" : "");
        table_add(&t, "%s",
                  prize.waits || prize.state != RAFFLE_PRIZE_WAITING ? prize_state_name(prize.state) : "not needed");
        if (prize.state == RAFFLE_PRIZE_DRAWN && prize.places > 0 &&
            raffle_pick_at(c->raffle, prize.name, 1, &pick, &c->err) == RAFFLE_OK)
            table_add(&t, "%s, %s", cli_number(pick.unit, pick.number, number), place_state_name(pick.state));
        else
            table_add(&t, "%s", "");
    }
    putchar('\n');
    table_end(&t, stdout);
    return rc == RAFFLE_OK ? print_carry(c) : rc;
}

static raffle_rc print_seals(cli *c)
{
    static const column columns[] = {{"seal", false},        {"at", false}, {"tickets", true}, {"void", true},
                                     {"draw numbers", true}, {"pot", true}, {"voids", false}};
    raffle_seal_info seal;
    raffle_rc rc = RAFFLE_OK;
    char local[32];
    table t;
    table_begin(&t, columns, 7);
    for (int32_t kind = RAFFLE_SEAL_EARLY; kind <= RAFFLE_SEAL_FINAL; kind++) {
        rc = seal_at(c, kind, &seal);
        if (rc == RAFFLE_NOT_SEALED)
            continue;
        if (rc != RAFFLE_OK)
            break;
        table_add(&t, "%s", seal_name(seal.kind));
        table_add(&t, "%s", cli_local(c, seal.at, local));
        add_counts(&t, c, seal.tickets, seal.voids, seal.numbers, seal.gross - seal.void_gross);
        table_add(&t, "%s", seal.acknowledged ? "acknowledged" : "not acknowledged");
    }
    if (t.cells > 0)
        putchar('\n');
    table_end(&t, stdout);
    return rc == RAFFLE_NOT_SEALED ? RAFFLE_OK : rc;
}

static int run(cli *c)
{
    raffle_prize prize;
    const char *name = cli_option(c, "prize");
    int status = cli_open(c, NEED_READING);
    if (status != CLI_DONE)
        return status;
    if (name != NULL) {
        raffle_prize_init(&prize, sizeof prize);
        return raffle_prize_by_name(c->raffle, name, &prize, &c->err) == RAFFLE_OK ? prize_print(c, &prize)
                                                                                   : cli_fail(c);
    }
    if (c->json)
        return print_json(c);
    if (cli_flag(c, "roles"))
        return roles_print(c) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
    print_raffle(c);
    if (print_tiers(c) != RAFFLE_OK || print_units(c) != RAFFLE_OK || print_corruption(c) != RAFFLE_OK ||
        print_prizes(c) != RAFFLE_OK || print_seals(c) != RAFFLE_OK)
        return cli_fail(c);
    return CLI_DONE;
}

const command cmd_status = {
    .name = "status",
    .usage = "STORE [--prize NAME | --roles]",
    .summary = "how the raffle stands: its tiers, sales units, prizes, seals and pot",
    .example = "  raffle status gala.raffle\n  raffle status gala.raffle --prize first --json",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
