/* SPDX-License-Identifier: Apache-2.0 */
/* Reading rules, but for the prizes: one small reader a field; what must fit together; the defaults. */
#include "rules_parse.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <stdlib.h>
#include <string.h>

enum {
    SELLER = 1 << RAFFLE_SELLER,
    SUPERVISOR = 1 << RAFFLE_SUPERVISOR,
    MANAGER = 1 << RAFFLE_MANAGER,
    ADMINISTRATOR = 1 << RAFFLE_ADMINISTRATOR,
    AUDITOR = 1 << RAFFLE_AUDITOR,
    SYSTEM = 1 << RAFFLE_SYSTEM
};

static const uint32_t default_roles[RF_OPS] = {
    [RF_OP_ACK] = MANAGER,
    [RF_OP_APPROVE] = SUPERVISOR | MANAGER | ADMINISTRATOR,
    [RF_OP_CASH] = SUPERVISOR | MANAGER,
    [RF_OP_CLAIM] = SUPERVISOR | MANAGER,
    [RF_OP_CLOCK] = SUPERVISOR | MANAGER | ADMINISTRATOR,
    [RF_OP_CLOSE] = SUPERVISOR | MANAGER,
    [RF_OP_DRAW] = MANAGER,
    [RF_OP_ERASE] = MANAGER | ADMINISTRATOR,
    [RF_OP_EVENT] = SELLER | SUPERVISOR | MANAGER | ADMINISTRATOR | AUDITOR | SYSTEM,
    [RF_OP_FORFEIT] = MANAGER,
    [RF_OP_PRINT] = SELLER | SUPERVISOR | MANAGER | SYSTEM,
    [RF_OP_REPRINT] = SUPERVISOR | MANAGER,
    [RF_OP_RESTORE] = MANAGER | ADMINISTRATOR,
    [RF_OP_SEAL] = MANAGER,
    [RF_OP_SELL] = SELLER | SUPERVISOR | MANAGER | SYSTEM,
    [RF_OP_UNITS] = MANAGER | ADMINISTRATOR,
    [RF_OP_VERIFY] = SUPERVISOR | MANAGER,
    [RF_OP_VOID] = SUPERVISOR | MANAGER,
};

uint32_t rf_op_default(rf_op op)
{
    return default_roles[op];
}

static const int64_t money_max = INT64_C(1000000000000);

/* --- tiers --- */

static raffle_rc tier_name(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_word(p, at, ((rf_tier *)to)->name);
}

static raffle_rc tier_count(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, 1000000, &((rf_tier *)to)->count);
}

static raffle_rc tier_price(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, money_max, &((rf_tier *)to)->price);
}

static raffle_rc read_tier(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    static const rf_rules_field fields[] = {
        {"name", tier_name, true}, {"count", tier_count, true}, {"price", tier_price, true}};
    rf_rules *rules = to;
    raffle_rc rc = rf_rules_object(p, at, fields, 3, &rules->tier[i]);
    for (size_t k = 0; rc == RAFFLE_OK && k < i; k++)
        if (strcmp(rules->tier[k].name, rules->tier[i].name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another tier has", at->text,
                           rules->tier[i].name);
    return rc;
}

static raffle_rc rules_tiers(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    raffle_rc rc = rf_rules_array(p, at, RF_TIERS_MAX, read_tier, to, &((rf_rules *)to)->tiers);
    return rc == RAFFLE_OK && ((rf_rules *)to)->tiers == 0 ? rf_rules_fault(p, RAFFLE_INVALID, at, "has no element")
                                                           : rc;
}

/* --- units --- */

static raffle_rc unit_name(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_unit_rule *)to)->name);
}

static raffle_rc unit_quota(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, RF_JSON_INT_MAX, &((rf_unit_rule *)to)->quota);
}

static raffle_rc read_unit(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    static const rf_rules_field fields[] = {{"name", unit_name, true}, {"quota", unit_quota, false}};
    rf_rules *rules = to;
    rules->unit[i].quota = 0;
    raffle_rc rc = rf_rules_object(p, at, fields, 2, &rules->unit[i]);
    for (size_t k = 0; rc == RAFFLE_OK && k < i; k++)
        if (strcmp(rules->unit[k].name, rules->unit[i].name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another unit has", at->text,
                           rules->unit[i].name);
    return rc;
}

static raffle_rc rules_units(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_array(p, at, RF_UNITS_IN_RULES, read_unit, to, &((rf_rules *)to)->units);
}

/* --- zone, rng, roles, sales --- */

static raffle_rc zone_from(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_time(p, at, &((rf_zone *)to)->from);
}

static raffle_rc zone_offset(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    int64_t offset = 0;
    raffle_rc rc = rf_rules_int(p, at, -1080, 1080, &offset);
    ((rf_zone *)to)->offset = (int32_t)offset;
    return rc;
}

static raffle_rc read_zone(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    static const rf_rules_field fields[] = {{"from", zone_from, true}, {"offset", zone_offset, true}};
    rf_rules *rules = to;
    raffle_rc rc = rf_rules_object(p, at, fields, 2, &rules->zone[i]);
    if (rc == RAFFLE_OK && i > 0 && rules->zone[i].from <= rules->zone[i - 1].from)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.from\" is not after the one before it", at->text);
    return rc;
}

static raffle_rc rules_zone(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_array(p, at, RF_ZONES_MAX, read_zone, to, &((rf_rules *)to)->zones);
}

static raffle_rc read_provider(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    char *name = ((rf_rules *)to)->provider[i];
    return rf_rules_text(p, at, name);
}

static raffle_rc rules_rng(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    p->default_rng = false;
    return rf_rules_array(p, at, RF_PROVIDERS_MAX, read_provider, to, &((rf_rules *)to)->providers);
}

static raffle_rc read_role(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    char word[RAFFLE_WORD_SIZE];
    (void)i;
    raffle_rc rc = rf_rules_word(p, at, word);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_role role = raffle_role_parse(word);
    if (role == 0)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" is \"%s\", which is no role", at->text, word);
    *(uint32_t *)to |= UINT32_C(1) << role;
    return RAFFLE_OK;
}

static raffle_rc rules_roles(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    rf_rules *rules = to;
    const char *name;
    size_t length, count;
    if (rf_json_peek(&p->in) != RF_JSON_OBJECT || !rf_json_enter_object(&p->in))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        rf_rules_path member = rf_rules_member(at, name, length);
        unsigned op = 0;
        while (op < RF_OPS && (strlen(rf_op_name(op)) != length || memcmp(rf_op_name(op), name, length) != 0))
            op++;
        if (op == RF_OPS)
            return rf_rules_fault(p, RAFFLE_INVALID, &member, "is no operation");
        rules->roles[op] = 0;
        raffle_rc rc = rf_rules_array(p, &member, 6, read_role, &rules->roles[op], &count);
        if (rc != RAFFLE_OK)
            return rc;
        if (count == 0)
            return rf_rules_fault(p, RAFFLE_INVALID, &member, "has no element");
    }
    return p->in.fault == NULL ? RAFFLE_OK : rf_rules_fault(p, RAFFLE_INVALID, at, "");
}

static raffle_rc sales_opens(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_time(p, at, &((rf_rules *)to)->opens);
}

static raffle_rc sales_closes(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_time(p, at, &((rf_rules *)to)->closes);
}

static raffle_rc sales_order_tickets(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, RAFFLE_ORDER_MAX, &((rf_rules *)to)->order_tickets);
}

static raffle_rc sales_buyer_tickets(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, 1000000, &((rf_rules *)to)->buyer_tickets);
}

static raffle_rc rules_sales(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const rf_rules_field fields[] = {{"opens", sales_opens, true},
                                            {"closes", sales_closes, true},
                                            {"order_tickets", sales_order_tickets, false},
                                            {"buyer_tickets", sales_buyer_tickets, false}};
    rf_rules *rules = to;
    raffle_rc rc = rf_rules_object(p, at, fields, 4, rules);
    if (rc == RAFFLE_OK && rules->closes <= rules->opens)
        return rf_rules_fault(p, RAFFLE_INVALID, at, "closes at or before it opens");
    return rc;
}

static raffle_rc watch_failures(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, 1000, &((rf_rules *)to)->watch_failures);
}

static raffle_rc watch_minutes(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, 10080, &((rf_rules *)to)->watch_minutes);
}

static raffle_rc rules_watch(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const rf_rules_field fields[] = {{"failures", watch_failures, true}, {"minutes", watch_minutes, true}};
    return rf_rules_object(p, at, fields, 2, to);
}

static raffle_rc series_name(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_rules *)to)->series);
}

static raffle_rc series_number(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 1, 1000000, &((rf_rules *)to)->series_number);
}

static raffle_rc rules_series(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const rf_rules_field fields[] = {{"name", series_name, true}, {"number", series_number, true}};
    return rf_rules_object(p, at, fields, 2, to);
}

/* --- the top --- */

static raffle_rc rules_origin(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_origin(p, at, ((rf_rules *)to)->origin);
}

static raffle_rc rules_name(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_rules *)to)->name);
}

static raffle_rc rules_organisation(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_rules *)to)->organisation);
}

static raffle_rc rules_licence(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_rules *)to)->licence);
}

static raffle_rc rules_place(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_text(p, at, ((rf_rules *)to)->place);
}

static raffle_rc rules_currency(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    char *currency = ((rf_rules *)to)->currency;
    raffle_rc rc = rf_rules_string(p, at, currency, 7);
    if (rc != RAFFLE_OK)
        return rc;
    for (size_t i = 0; i < 3; i++)
        if (currency[i] < 'A' || currency[i] > 'Z' || currency[3] != 0)
            return rf_rules_fault(p, RAFFLE_INVALID, at, "must be three capital letters, as in ISO 4217");
    return RAFFLE_OK;
}

/* Three years is the least that a regulator asks for whose period is known: docs/guide/retention.md. */
static raffle_rc rules_keep_years(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 3, 100, &((rf_rules *)to)->keep_years);
}

static raffle_rc rules_digits(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_int(p, at, 0, 4, &((rf_rules *)to)->digits);
}

static raffle_rc rules_rehearsal(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    return rf_rules_bool(p, at, &((rf_rules *)to)->rehearsal);
}

static raffle_rc rules_beacon(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    static const char *const words[] = {"none", "quicknet"};
    size_t i = 0;
    raffle_rc rc = rf_rules_choice(p, at, words, 2, &i);
    ((rf_rules *)to)->beacon = i == 1;
    return rc;
}

static raffle_rc read_policy_line(rf_rules_input *p, const rf_rules_path *at, size_t i, void *to)
{
    rf_rules *rules = to;
    (void)i;
    const size_t room = sizeof rules->policy - rules->policy_length - 1;
    char *line = rules->policy + rules->policy_length;
    if (room == 0)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" goes beyond the %d bytes of a policy", at->text,
                       RF_POLICY_MAX);
    raffle_rc rc = rf_rules_string(p, at, line, room < RF_POLICY_LINE_MAX ? room : RF_POLICY_LINE_MAX);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t length = strlen(line);
    if (!rf_text_valid(line, length, RF_POLICY_LINE_MAX))
        return rf_rules_fault(p, RAFFLE_INVALID, at, "is no line of text");
    line[length] = '\n';
    rules->policy_length += length + 1;
    return RAFFLE_OK;
}

/* They are frozen as they are given, so that a policy can be compared byte by byte with what its witnesses were told. */
static raffle_rc read_policy(rf_rules_input *p, const rf_rules_path *at, rf_rules *rules)
{
    size_t lines = 0;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_rules_array(p, at, RF_POLICY_LINES, read_policy_line, rules, &lines);
    if (rc != RAFFLE_OK)
        return rc;
    rf_policy *policy = malloc(sizeof *policy);
    if (policy == NULL)
        return rf_nomem(p->err);
    rc = rf_policy_parse(policy, rules->policy, rules->policy_length, &why);
    free(policy);
    return rc == RAFFLE_OK ? rc : rf_fail(p->err, rc, "rules: \"%s\": %s", at->text, why.message);
}

static raffle_rc rules_witnesses(rf_rules_input *p, const rf_rules_path *at, void *to)
{
    char text[RAFFLE_WORD_SIZE];
    if (rf_json_peek(&p->in) == RF_JSON_ARRAY)
        return read_policy(p, at, to);
    raffle_rc rc = rf_rules_string(p, at, text, RAFFLE_WORD_MAX);
    if (rc == RAFFLE_OK && strcmp(text, "none") != 0)
        return rf_rules_fault(p, RAFFLE_INVALID, at, "must be \"none\", or an array of a policy's lines");
    return rc;
}

static bool all_by_drum(const rf_rules *rules)
{
    for (size_t i = 0; i < rules->prizes; i++)
        if (!rules->prize[i].drum)
            return false;
    return true;
}

static raffle_rc check_whole(const rf_rules *rules, raffle_error *err)
{
    if (rules->providers == 0 && !all_by_drum(rules))
        return rf_fail(err, RAFFLE_INVALID, "rules: \"rng\" has no element, and not every prize is drawn from a drum");
    for (size_t i = 0; i < rules->providers; i++)
        if (strcmp(rules->provider[i], "test") == 0 && !rules->rehearsal)
            return rf_fail(err, RAFFLE_REHEARSAL, "rules: \"rng\" allows \"test\", which only a rehearsal may");
    int64_t places = 0;
    for (size_t i = 0; i < rules->prizes; i++) {
        raffle_rc rc = rf_rules_check_prize(rules, i, err);
        if (rc != RAFFLE_OK)
            return rc;
        places += rules->prize[i].winners + rules->prize[i].alternates;
    }
    if (places > RF_PLACES_PER_PRIZE)
        return rf_fail(err, RAFFLE_LIMIT,
                       "rules: the prizes have %lld winners and alternates together; %d are the most",
                       (long long)places, RF_PLACES_PER_PRIZE);
    return RAFFLE_OK;
}

/* No member stands twice, anywhere: the readers see their own members and neighbours only. Comes last, as it cannot name the field. */
static raffle_rc check_unique(const char *json, size_t length, raffle_error *err)
{
    const char *what = NULL;
    size_t at = 0;
    char *canonical = malloc(length + 1);
    if (canonical == NULL)
        return rf_nomem(err);
    const bool good = rf_json_canonicalise(json, length, canonical, length + 1, &what, &at) != SIZE_MAX;
    free(canonical);
    return good ? RAFFLE_OK
                : rf_fail(err, RAFFLE_INVALID, "the rules are not JSON that can be read: %s at byte %zu",
                          what ? what : "malformed", at);
}

/* Prizes name tiers, whichever stands first. */
static raffle_rc read_tiers_first(rf_rules_input *p)
{
    const char *name, *any;
    size_t length;
    if (!rf_json_enter_object(&p->in))
        return rf_rules_fault(p, RAFFLE_INVALID, &p->at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        rf_rules_path member = rf_rules_member(&p->at, name, length);
        if (length == 5 && memcmp(name, "tiers", 5) == 0)
            return rules_tiers(p, &member, p->rules);
        if (!rf_json_take_any(&p->in, &any, &length))
            return rf_rules_fault(p, RAFFLE_INVALID, &member, "");
    }
    return RAFFLE_OK;
}

raffle_rc rf_rules_parse(rf_rules *rules, const char *json, size_t length, raffle_error *err)
{
    static const rf_rules_field fields[] = {
        {"origin", rules_origin, true},
        {"name", rules_name, true},
        {"organisation", rules_organisation, true},
        {"licence", rules_licence, false},
        {"place", rules_place, false},
        {"currency", rules_currency, true},
        {"digits", rules_digits, false},
        {"keep_years", rules_keep_years, false},
        {"rehearsal", rules_rehearsal, false},
        {"sales", rules_sales, true},
        {"series", rules_series, false},
        {"zone", rules_zone, false},
        {"tiers", rules_tiers, true},
        {"units", rules_units, false},
        {"prizes", rf_rules_read_prizes, true},
        {"rng", rules_rng, false},
        {"roles", rules_roles, false},
        {"beacon", rules_beacon, false},
        {"watch", rules_watch, false},
        {"witnesses", rules_witnesses, false},
    };
    rf_rules_input p = {.rules = rules, .err = err, .default_rng = true};
    if (length > 4 * RF_RULES_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the rules have %zu bytes; %d are the most", length, 4 * RF_RULES_MAX);
    memset(rules, 0, sizeof *rules);
    rules->digits = 2;
    rules->order_tickets = 100;
    memcpy(rules->roles, default_roles, sizeof rules->roles);
    rf_json_reader_init(&p.in, json, length, false);
    raffle_rc rc = read_tiers_first(&p);
    if (rc != RAFFLE_OK)
        return rc;
    rf_json_reader_init(&p.in, json, length, false);
    rc = rf_rules_object(&p, &p.at, fields, sizeof fields / sizeof fields[0], rules);
    if (rc == RAFFLE_OK && !rf_json_done(&p.in))
        rc = rf_fail(err, RAFFLE_INVALID, "the rules go on after their end, at byte %zu", p.in.at);
    if (rc == RAFFLE_OK)
        rc = check_unique(json, length, err);
    if (rc == RAFFLE_OK && p.default_rng && !all_by_drum(rules))
        memcpy(rules->provider[rules->providers++], "system", 7);
    return rc == RAFFLE_OK ? check_whole(rules, err) : rc;
}
