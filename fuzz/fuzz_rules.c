/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: the frozen form of what is accepted is canonical, gives the same rules, and freezes to itself. */
#include "fuzz.h"
#include "rules.h"

enum {
    FROZEN_SIZE = 4 * RF_RULES_MAX /* more than rules of the greatest numbers need when their names are short */
};

/* The questions that are asked of rules, with hostile arguments. */
static void check_questions(const rf_rules *rules)
{
    for (size_t i = 0; i < rules->tiers; i++)
        fuzz_require(rf_rules_tier(rules, rules->tier[i].name, strlen(rules->tier[i].name)) == (int)i,
                     "a tier is found by its name");
    for (size_t i = 0; i < rules->prizes; i++)
        fuzz_require(rf_rules_prize(rules, rules->prize[i].name, strlen(rules->prize[i].name)) == (int)i,
                     "a prize is found by its name");
    for (size_t i = 0; i < rules->providers; i++)
        fuzz_require(rf_rules_provider(rules, rules->provider[i]), "a provider is found by its name");
    fuzz_require(rules->tiers > 0 && rules->prizes > 0 && rules->providers > 0 && rules->opens < rules->closes,
                 "rules have tiers, prizes, providers and a time of sale");
    fuzz_require(!rf_rules_may(rules, RF_OP_DRAW, INT32_MAX) && !rf_rules_may(rules, RF_OP_DRAW, INT32_MIN),
                 "no other role may do anything");
    const int32_t offset = rf_rules_offset(rules, INT64_MAX);
    fuzz_require(offset >= -1080 && offset <= 1080, "an offset is of a few hours");
}

/* --- the same rules: member by member, since padding says nothing --- */

static bool same_head(const rf_rules *a, const rf_rules *b)
{
    return strcmp(a->origin, b->origin) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->organisation, b->organisation) == 0 && strcmp(a->licence, b->licence) == 0 &&
           strcmp(a->place, b->place) == 0 && strcmp(a->currency, b->currency) == 0 && a->digits == b->digits &&
           a->rehearsal == b->rehearsal && a->opens == b->opens && a->closes == b->closes &&
           a->order_tickets == b->order_tickets && memcmp(a->roles, b->roles, sizeof a->roles) == 0;
}

static bool same_prize(const rf_prize_rule *a, const rf_prize_rule *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->title, b->title) == 0 && a->seal == b->seal &&
           a->entered == b->entered && a->winners == b->winners && a->alternates == b->alternates &&
           a->claim_days == b->claim_days && a->one_win == b->one_win && a->amount == b->amount && a->share == b->share;
}

static bool same_lists(const rf_rules *a, const rf_rules *b)
{
    bool same = a->tiers == b->tiers && a->prizes == b->prizes && a->units == b->units && a->zones == b->zones &&
                a->providers == b->providers;
    for (size_t i = 0; same && i < a->tiers; i++)
        same = strcmp(a->tier[i].name, b->tier[i].name) == 0 && a->tier[i].count == b->tier[i].count &&
               a->tier[i].price == b->tier[i].price;
    for (size_t i = 0; same && i < a->prizes; i++)
        same = same_prize(&a->prize[i], &b->prize[i]);
    for (size_t i = 0; same && i < a->units; i++)
        same = strcmp(a->unit[i].name, b->unit[i].name) == 0 && a->unit[i].quota == b->unit[i].quota;
    for (size_t i = 0; same && i < a->zones; i++)
        same = a->zone[i].from == b->zone[i].from && a->zone[i].offset == b->zone[i].offset;
    for (size_t i = 0; same && i < a->providers; i++)
        same = strcmp(a->provider[i], b->provider[i]) == 0;
    return same;
}

static void check_frozen(const rf_rules *rules, char *frozen, char *again)
{
    size_t n = rf_rules_format(rules, frozen, FROZEN_SIZE);
    if (n == 0)
        return; /* create refuses rules whose frozen form is too long */
    rf_json_reader r;
    const char *json;
    size_t length;
    rf_json_reader_init(&r, frozen, n, true);
    fuzz_require(rf_json_take_any(&r, &json, &length) && rf_json_done(&r), "the frozen form is canonical");

    rf_rules *second = fuzz_alloc(sizeof *second);
    fuzz_require(rf_rules_parse(second, frozen, n, NULL) == RAFFLE_OK, "the frozen form is accepted");
    fuzz_require(same_head(rules, second) && same_lists(rules, second), "the frozen form gives the same rules");
    fuzz_require(fuzz_same(frozen, n, again, rf_rules_format(second, again, FROZEN_SIZE)),
                 "the frozen form freezes to itself");
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rf_rules *rules = fuzz_alloc(sizeof *rules);
    if (rf_rules_parse(rules, (const char *)data, size, NULL) == RAFFLE_OK) {
        char *frozen = fuzz_alloc(2 * (size_t)FROZEN_SIZE);
        check_questions(rules);
        check_frozen(rules, frozen, frozen + FROZEN_SIZE);
        free(frozen);
    }
    free(rules);
    return 0;
}
