/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle seal` and `raffle ack`: the frozen sales that a draw is drawn from, and the manager's word that their voids are reconciled. */
#include "cmd_seal.h"
#include "commands.h"

static const option_spec seal_options[] = {
    {"early", NULL, "an early seal: selling goes on; default: the final one, which closes every unit"},
    {NULL, NULL, NULL},
};

static const option_spec ack_options[] = {
    {"early", NULL, "the newest early seal; default: the final one"},
    {NULL, NULL, NULL},
};

static int kind_of(const cli *c)
{
    return cli_flag(c, "early") ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL;
}

const char *seal_name(int32_t kind)
{
    return kind == RAFFLE_SEAL_EARLY ? "early" : "final";
}

json_t *seal_json(const raffle_seal_info *seal)
{
    json_t *o = json_must(json_object());
    json_put(o, "kind", json_string(seal_name(seal->kind)));
    json_put(o, "index", json_count(seal->index));
    json_put(o, "at", json_time(seal->at));
    json_put(o, "units", json_count(seal->units));
    json_put(o, "unreconciled", json_count(seal->unreconciled));
    json_put(o, "tickets", json_count(seal->tickets));
    json_put(o, "draw_numbers", json_count(seal->numbers));
    json_put(o, "voids", json_count(seal->voids));
    json_put(o, "gross", json_integer(seal->gross));
    json_put(o, "void_gross", json_integer(seal->void_gross));
    json_put(o, "pot", json_integer(seal->gross - seal->void_gross));
    json_put(o, "acknowledged", json_boolean(seal->acknowledged));
    return o;
}

static void row(table *t, const char *name, const char *value)
{
    table_add(t, "%s", name);
    table_add(t, "%s", value);
}

static int print(const cli *c, const raffle_seal_info *seal, const char *what)
{
    static const column columns[] = {{NULL, false}, {NULL, true}};
    char text[MONEY_SIZE], local[32];
    table t;
    if (c->json) {
        json_t *top = json_must(json_object());
        json_put(top, "seal", seal_json(seal));
        json_end(top, true, stdout);
        return CLI_DONE;
    }
    printf("%s seal, record %llu of the control log, %s: %s\n", seal_name(seal->kind), (unsigned long long)seal->index,
           cli_local(c, seal->at, local), what);
    table_begin(&t, columns, 2);
    count_format(seal->tickets, text);
    row(&t, "tickets sold", text);
    count_format(seal->voids, text);
    row(&t, "of them void", text);
    count_format(seal->numbers, text);
    row(&t, "draw numbers", text);
    row(&t, "taken", cli_money(c, seal->gross, text));
    row(&t, "given back", cli_money(c, seal->void_gross, text));
    row(&t, "pot", cli_money(c, seal->gross - seal->void_gross, text));
    table_end(&t, stdout);
    if (seal->unreconciled > 0)
        printf("%u of %u sales units are UNRECONCILED: they entered with less than all their sales\n",
               seal->unreconciled, seal->units);
    return CLI_DONE;
}

static int run_seal(cli *c)
{
    raffle_seal_info seal;
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    raffle_seal_info_init(&seal, sizeof seal);
    if (raffle_seal(c->raffle, &c->by, c->has_ok ? &c->ok : NULL, kind_of(c), &seal, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return print(c, &seal, "sealed");
}

static int run_ack(cli *c)
{
    raffle_seal_info seal;
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    raffle_seal_info_init(&seal, sizeof seal);
    raffle_rc rc = raffle_seal_latest(c->raffle, kind_of(c), &seal, &c->err);
    if (rc == RAFFLE_OK)
        rc = raffle_voids_ack(c->raffle, &c->by, seal.index, &c->err);
    if (rc == RAFFLE_OK)
        rc = raffle_seal_latest(c->raffle, kind_of(c), &seal, &c->err);
    return rc == RAFFLE_OK ? print(c, &seal, "its voids are acknowledged") : cli_fail(c);
}

const command cmd_seal = {
    .name = "seal",
    .usage = "STORE [--early] --by ID:ROLE [--ok ID:ROLE]",
    .summary = "freeze the sales that a draw is drawn from; the final seal closes every sales unit",
    .example = "  raffle seal gala.raffle --by boss:manager",
    .options = seal_options,
    .min = 1,
    .max = 1,
    .run = run_seal,
};

const command cmd_ack = {
    .name = "ack",
    .usage = "STORE [--early] --by ID:ROLE",
    .summary = "confirm that the voids of the newest seal are reconciled; no draw before it",
    .example = "  raffle ack gala.raffle --by boss:manager",
    .options = ack_options,
    .min = 1,
    .max = 1,
    .run = run_ack,
};
