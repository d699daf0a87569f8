/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle draw`: the intent, durable before any randomness is asked for, and then the result; in two commands or in one. */
#include "commands.h"
#include "draw_committed.h"
#include "draw_drum.h"
#include "places.h"
#include "witnesses.h"

#include <string.h>

static const option_spec options_of[] = {
    {"rng", "URI", "the provider of randomness: system:, or in rehearsals test:seed=HEX"},
    {"begin", NULL, "write the intent, and print its checkpoint to be cosigned; no randomness yet"},
    {"finish", NULL, "finish the draw that was begun"},
    {"manual", NULL, "drawn from a drum: the draw numbers that were drawn by hand follow, in their order"},
    {"reason", "WORD", "a redraw: why the place of the first draw is given away once more"},
    {"seed", "FILE", "committed: keeps the secret seed, from before the intent until the result"},
    {"seed-lost", NULL,
     "committed: the file is lost; a seed follows from the beacon's round a day later, and every audit says so"},
    {"quorum-late", NULL,
     "committed: too few witnesses cosigned before the round, and enough after it; every audit says so"},
    {"beacon", "SOURCE",
     "committed: the round's value: a file, the http(s):// address of a drand server, or a command that gets the "
     "round"},
    {"beacon-verifier", "COMMAND",
     "committed: gets the round and the value, and exits with 0 when it is good; RAFFLE_BEACON_VERIFIER"},
    {NULL, NULL, NULL},
};

/* What the command holds while it draws. */
typedef struct drawing {
    const char *prize;
    bool committed, drum;
    raffle_rng *rng;
    raffle_draw *draw;
    bool witnessed; /* by the quorum that the rules ask for, or they ask none */
} drawing;

static int begin(cli *c, drawing *d)
{
    bool made = false;
    raffle_draw_options how;
    raffle_draw_options_init(&how, sizeof how);
    how.rng = d->rng;
    how.ok = c->has_ok ? &c->ok : NULL;
    how.reason = cli_option(c, "reason");
    int status = d->committed ? committed_options(c, d->prize, d->rng, &how, &made) : CLI_DONE;
    if (status != CLI_DONE)
        return status;
    if (raffle_draw_begin(c->raffle, &c->by, d->prize, &how, &d->draw, &c->err) == RAFFLE_OK)
        return CLI_DONE;
    status = cli_fail(c);
    committed_undo(c, made);
    return status;
}

static int resume(cli *c, drawing *d)
{
    raffle_draw_info open;
    raffle_draw_info_init(&open, sizeof open);
    if (raffle_draw_pending(c->raffle, &open, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (strcmp(open.prize, d->prize) != 0)
        return cli_fail_as(c, RAFFLE_DRAW_OPEN, "the draw of \"%s\" was begun; only it may go on", open.prize);
    if (raffle_draw_resume(c->raffle, &c->by, c->has_ok ? &c->ok : NULL, &d->draw, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return CLI_DONE;
}

/* An intent that is open is taken up; else one is written. */
static int begin_or_resume(cli *c, drawing *d)
{
    if (c->info.drawing == 0)
        return begin(c, d);
    int status = resume(c, d);
    if (status == CLI_DONE)
        cli_note(c, "the draw of %s had been begun; it is resumed", d->prize);
    return status;
}

/* After the intent, and again before the end: what was cosigned is kept, and nobody is asked twice in vain. */
static int ask_witnesses(cli *c, drawing *d)
{
    raffle_draw_info info;
    raffle_draw_info_init(&info, sizeof info);
    if (raffle_draw_describe(d->draw, &info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return witnesses_for_draw(c, info.intent, &d->witnessed);
}

static int print_begun(cli *c, const drawing *d)
{
    char at[32];
    raffle_draw_info info;
    raffle_draw_info_init(&info, sizeof info);
    if (raffle_draw_describe(d->draw, &info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    const char *checkpoint = raffle_draw_checkpoint(d->draw);
    if (!c->json) {
        cli_note(c, "the draw of %s is begun: record %llu of the control log; its checkpoint:", info.prize,
                 (unsigned long long)info.intent);
        fputs(checkpoint, stdout);
        if (info.committed)
            cli_note(c, "it is finished with round %llu of the beacon, at %s", (unsigned long long)info.round,
                     cli_local(c, info.round_at, at));
        if (!d->witnessed)
            cli_note(c, "its witnesses are NO QUORUM yet; raffle witness asks them again");
        return CLI_DONE;
    }
    json_t *o = json_must(json_object()), *top = json_must(json_object());
    json_put(o, "prize", json_text(info.prize));
    json_put(o, "attempt", json_count(info.attempt));
    json_put(o, "index", json_count(info.intent));
    json_put(o, "at", json_time(info.at));
    json_put(o, "draw_numbers", json_count(info.numbers));
    if (info.committed) {
        json_put(o, "round", json_count(info.round));
        json_put(o, "round_at", json_time(info.round_at));
    }
    json_put(o, "witnessed", json_must(json_boolean(c->info.witnesses > 0 && d->witnessed)));
    json_put(o, "checkpoint", json_text(checkpoint));
    json_put(top, "intent", o);
    json_end(top, true, stdout);
    return CLI_DONE;
}

static int print_drawn(cli *c, const drawing *d)
{
    raffle_prize prize;
    raffle_prize_init(&prize, sizeof prize);
    return raffle_prize_by_name(c->raffle, d->prize, &prize, &c->err) == RAFFLE_OK ? prize_print(c, &prize)
                                                                                   : cli_fail(c);
}

static int call_numbers(cli *c, drawing *d)
{
    bool ended = false;
    int status = drum_calls(c, d->draw);
    if (status == CLI_DONE)
        status = drum_end(c, d->draw, &ended);
    return status == CLI_DONE && ended ? print_drawn(c, d) : status;
}

static int finish(cli *c, drawing *d)
{
    if (!d->witnessed)
        return cli_fail_as(c, RAFFLE_QUORUM, "too few witnesses have cosigned the intent for \"%s\"; the draw waits",
                           d->prize);
    if (d->drum)
        return call_numbers(c, d);
    if (!d->committed && raffle_draw_finish(d->draw, d->rng, NULL, CLI_TIMEOUT_MS, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = d->committed ? committed_finish(c, d->draw) : CLI_DONE;
    return status == CLI_DONE ? print_drawn(c, d) : status;
}

/* The options of one mode make no sense in the other. A prize that is not there is for the library to refuse. */
static int look_at_prize(cli *c, drawing *d)
{
    static const char *const ours[] = {"seed", "beacon", "beacon-verifier", "quorum-late"};
    raffle_prize prize;
    raffle_prize_init(&prize, sizeof prize);
    if (raffle_prize_by_name(c->raffle, d->prize, &prize, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    d->committed = prize.committed;
    for (size_t i = 0; !d->committed && i < sizeof ours / sizeof *ours; i++)
        if (cli_option(c, ours[i]) != NULL)
            return cli_usage(c, "--%s is for committed draws, and the seed of %s is random", ours[i], d->prize);
    d->drum = prize.drum;
    if (cli_flag(c, "manual") != d->drum && !(d->drum && cli_flag(c, "begin")))
        return cli_usage(
            c, d->drum ? "%s is drawn from a drum: --manual NUMBER ..." : "%s is drawn by an RNG, not --manual",
            d->prize);
    if (d->drum && cli_option(c, "rng") != NULL)
        return cli_usage(c, "%s is drawn from a drum, and takes no --rng", d->prize);
    if (!d->committed && !d->drum && cli_option(c, "rng") == NULL && !cli_flag(c, "begin"))
        return cli_usage(c, "--rng URI is missing");
    return CLI_DONE;
}

static int draw(cli *c, drawing *d)
{
    const char *uri = cli_option(c, "rng");
    if (uri != NULL && raffle_rng_open(uri, &c->host.table, &d->rng, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = cli_flag(c, "begin") ? begin(c, d) : cli_flag(c, "finish") ? resume(c, d) : begin_or_resume(c, d);
    if (status == CLI_DONE)
        status = ask_witnesses(c, d);
    if (status != CLI_DONE)
        return status;
    return cli_flag(c, "begin") ? print_begun(c, d) : finish(c, d);
}

static int run(cli *c)
{
    drawing d = {.prize = cli_positional(c, 1)};
    if (!cli_flag(c, "manual") && cli_positional(c, 2) != NULL)
        return cli_usage(c, "draw numbers follow --manual only");
    if (cli_flag(c, "begin") && cli_flag(c, "finish"))
        return cli_usage(c, "--begin and --finish exclude each other; a draw in one go takes neither");
    int status = cli_open(c, NEED_ACTOR);
    if (status == CLI_DONE)
        status = cli_self_verify(c);
    if (status == CLI_DONE)
        status = look_at_prize(c, &d);
    if (status == CLI_DONE)
        status = draw(c, &d);
    raffle_draw_free(d.draw);
    raffle_rng_free(d.rng);
    return status;
}

const command cmd_draw = {
    .name = "draw",
    .usage = "STORE PRIZE [--rng URI | --manual NUMBER...] [--begin | --finish] [--seed FILE | --seed-lost] "
             "[--quorum-late] [--beacon SOURCE] "
             "[--beacon-verifier COMMAND] [--reason WORD] --by ID:ROLE [--ok ID:ROLE]",
    .summary = "draw a prize, and print its places; a draw that was cut off is resumed",
    .example = "  raffle draw gala.raffle first --rng system: --by boss:manager\n"
               "  raffle draw gala.raffle car --rng kms:?region=ca-central-1 --seed car.seed --beacon "
               "https://api.drand.sh \\\n"
               "      --beacon-verifier \"python3 verify_quicknet.py\" --by boss:manager\n"
               "  raffle draw gala.raffle quilt --manual 1-0000042 2-0000007 --by boss:manager\n"
               "  raffle draw gala.raffle again --rng system: --reason unclaimed --by boss:manager --ok sue:supervisor",
    .options = options_of,
    .min = 2,
    .max = 1000,
    .run = run,
};
