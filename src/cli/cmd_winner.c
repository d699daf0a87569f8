/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a draw: the winner's ticket is verified, the winner made official, the prize claimed or forfeited. */
#include "commands.h"
#include "places.h"

#include <string.h>

#define PLACE_OPTION                                                                                                   \
    {                                                                                                                  \
        "place", "N", "the place in the result; default: 1"                                                            \
    }

static const option_spec validation_options[] = {
    PLACE_OPTION,
    {"validation", "-", "the ticket's validation number is a line of standard input"},
    {NULL, NULL, NULL},
};

static const option_spec claim_options[] = {
    PLACE_OPTION,
    {"validation", "-", "the ticket's validation number is a line of standard input"},
    {"papers", "TEXT", "the papers that the rules ask for were seen: what they are known by"},
    {"wait", NULL, "the ticket was presented in time, and papers are missing: the place waits for them"},
    {NULL, NULL, NULL},
};

static const option_spec official_options[] = {PLACE_OPTION, {NULL, NULL, NULL}};

static const option_spec pick_options[] = {
    PLACE_OPTION,
    {"envelope", "N", "the envelope that the winner chose"},
    {"found", NULL, "the ace was in it"},
    {"missed", NULL, "it was not"},
    {NULL, NULL, NULL},
};

static const option_spec forfeit_options[] = {
    PLACE_OPTION,
    {"reason", "WORD", "why the place is lost"},
    {NULL, NULL, NULL},
};

static int read_place(cli *c, uint32_t *place)
{
    uint64_t value = 1;
    if (!options_number(&c->options, "place", 1, UINT32_MAX, &value))
        return cli_usage_fault(c);
    *place = (uint32_t)value;
    return cli_open(c, NEED_ACTOR);
}

/* How the place stands now, and which alternate follows. */
static int print(cli *c, uint32_t place, uint32_t promoted)
{
    const char *prize = cli_positional(c, 1);
    raffle_pick pick;
    char number[RAFFLE_NUMBER_SIZE];
    raffle_pick_init(&pick, sizeof pick);
    if (raffle_pick_at(c->raffle, prize, place, &pick, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    cli_number(pick.unit, pick.number, number);
    if (!c->json) {
        printf("%s, place %u, %s: %s\n", prize, place, number, place_state_name(pick.state));
        if (promoted != 0)
            printf("place %u is promoted\n", promoted);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "prize", json_text(prize));
    json_put(o, "place", json_count(place));
    json_put(o, "number", json_string(number));
    json_put(o, "state", json_string(place_state_name(pick.state)));
    json_put(o, "promoted", json_count(promoted));
    json_end(o, true, stdout);
    return CLI_DONE;
}

/* The ticket is void since the seal, and the place lost: what was to be verified does not hold. */
static int refused(cli *c, uint32_t place, uint32_t promoted)
{
    int status = print(c, place, promoted);
    cli_note(c, promoted != 0 ? "the ticket is void: the place is refused"
                              : "the ticket is void: the place is refused, and no alternate is left");
    return status == CLI_DONE ? CLI_FAULT : status;
}

static int run_verify(cli *c)
{
    char validation[CLI_SECRET_SIZE];
    uint32_t place = 0, promoted = 0;
    raffle_pick now;
    raffle_pick_init(&now, sizeof now);
    int status = read_place(c, &place);
    if (status == CLI_DONE)
        status = cli_read_validation(c, validation);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc =
        raffle_winner_verify(c->raffle, &c->by, cli_positional(c, 1), place, validation, &now, &promoted, &c->err);
    explicit_bzero(validation, sizeof validation);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    return now.state == RAFFLE_PLACE_REFUSED ? refused(c, place, promoted) : print(c, place, 0);
}

static int run_official(cli *c)
{
    uint32_t place = 0;
    int status = read_place(c, &place);
    if (status != CLI_DONE)
        return status;
    return raffle_winner_official(c->raffle, &c->by, cli_positional(c, 1), place, &c->err) == RAFFLE_OK
               ? print(c, place, 0)
               : cli_fail(c);
}

static raffle_rc claim(cli *c, uint32_t place, const char *validation)
{
    const char *prize = cli_positional(c, 1), *papers = cli_option(c, "papers");
    if (cli_flag(c, "wait"))
        return raffle_claim_wait(c->raffle, &c->by, prize, place, validation, &c->err);
    return papers != NULL ? raffle_claim_papers(c->raffle, &c->by, &c->ok, prize, place, validation, papers, &c->err)
                          : raffle_claim(c->raffle, &c->by, &c->ok, prize, place, validation, &c->err);
}

static int run_claim(cli *c)
{
    char validation[CLI_SECRET_SIZE];
    uint32_t place = 0;
    if (cli_flag(c, "wait") && cli_option(c, "papers") != NULL)
        return cli_usage(c, "--wait and --papers exclude each other");
    if (cli_option(c, "ok") == NULL && !cli_flag(c, "wait"))
        return cli_usage(c, "paying a prize needs a second actor: --ok ID:ROLE");
    int status = read_place(c, &place);
    if (status == CLI_DONE)
        status = cli_read_validation(c, validation);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = claim(c, place, validation);
    explicit_bzero(validation, sizeof validation);
    return rc == RAFFLE_OK ? print(c, place, 0) : cli_fail(c);
}

static int run_pick(cli *c)
{
    uint32_t place = 0, promoted = 0;
    uint64_t envelope = 0;
    if (cli_option(c, "envelope") == NULL || cli_flag(c, "found") == cli_flag(c, "missed"))
        return cli_usage(c, "--envelope N and one of --found and --missed are needed");
    if (cli_option(c, "ok") == NULL)
        return cli_usage(c, "an envelope is opened in front of two: --ok ID:ROLE");
    if (!options_number(&c->options, "envelope", 1, UINT32_MAX, &envelope))
        return cli_usage_fault(c);
    int status = read_place(c, &place);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = raffle_winner_pick(c->raffle, &c->by, &c->ok, cli_positional(c, 1), place, (uint32_t)envelope,
                                      cli_flag(c, "found") ? RAFFLE_ACE_FOUND : RAFFLE_ACE_MISSED, &promoted, &c->err);
    return rc == RAFFLE_OK ? print(c, place, promoted) : cli_fail(c);
}

static int run_forfeit(cli *c)
{
    uint32_t place = 0, promoted = 0;
    const char *reason = cli_option(c, "reason");
    int status = reason != NULL ? read_place(c, &place) : cli_usage(c, "--reason WORD is missing");
    if (status != CLI_DONE)
        return status;
    raffle_rc rc = raffle_forfeit(c->raffle, &c->by, c->has_ok ? &c->ok : NULL, cli_positional(c, 1), place, reason,
                                  &promoted, &c->err);
    return rc == RAFFLE_OK ? print(c, place, promoted) : cli_fail(c);
}

const command cmd_verify_winner = {
    .name = "verify-winner",
    .usage = "STORE PRIZE [--place N] --validation - --by ID:ROLE",
    .summary = "compare the validation number on the ticket that is presented with the winning one",
    .example = "  raffle verify-winner gala.raffle first --validation - --by sue:supervisor < number.txt",
    .options = validation_options,
    .min = 2,
    .max = 2,
    .run = run_verify,
};

const command cmd_official = {
    .name = "official",
    .usage = "STORE PRIZE [--place N] --by ID:ROLE",
    .summary = "make the verified winner official",
    .example = "  raffle official gala.raffle first --by boss:manager",
    .options = official_options,
    .min = 2,
    .max = 2,
    .run = run_official,
};

const command cmd_claim = {
    .name = "claim",
    .usage = "STORE PRIZE [--place N] --validation - [--papers TEXT | --wait] --by ID:ROLE --ok ID:ROLE",
    .summary = "pay out a prize: two actors, and the ticket's validation number again",
    .example = "  raffle claim gala.raffle first --validation - --by boss:manager --ok sue:supervisor < number.txt",
    .options = claim_options,
    .min = 2,
    .max = 2,
    .run = run_claim,
};

const command cmd_forfeit = {
    .name = "forfeit",
    .usage = "STORE PRIZE [--place N] --reason WORD --by ID:ROLE [--ok ID:ROLE]",
    .summary = "take a place away; the next alternate is promoted",
    .example = "  raffle forfeit gala.raffle first --reason unclaimed --by boss:manager --ok sue:supervisor",
    .options = forfeit_options,
    .min = 2,
    .max = 2,
    .run = run_forfeit,
};

const command cmd_pick = {
    .name = "pick",
    .usage = "STORE PRIZE [--place N] --envelope N --found | --missed --by ID:ROLE --ok ID:ROLE",
    .summary = "the official winner opened an envelope: the ace was found, or missed",
    .example = "  raffle pick gala.raffle jackpot --envelope 17 --missed --by boss:manager --ok sue:supervisor",
    .options = pick_options,
    .min = 2,
    .max = 2,
    .run = run_pick,
};
