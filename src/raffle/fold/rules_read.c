/* SPDX-License-Identifier: Apache-2.0 */
/* Reading rules, one small reader a field; what must fit together; the defaults. */
#include "rules.h"

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

/* --- where a fault is --- */

/* A place in the rules, for the sentence: "prizes[2].winners". */
typedef struct path {
    char text[96];
} path;

typedef struct parse {
    rf_json_reader in;
    rf_rules *rules;
    raffle_error *err;
    path at;
    bool default_rng; /* "rng" is not there */
} parse;

static path path_member(const path *parent, const char *name, size_t length)
{
    path p;
    size_t parent_length = strnlen(parent->text, sizeof parent->text);
    size_t n = length < 32 ? length : 32;
    if (parent_length + n + 2 > sizeof p.text)
        parent_length = 0;
    memcpy(p.text, parent->text, parent_length);
    if (parent_length > 0)
        p.text[parent_length++] = '.';
    memcpy(p.text + parent_length, name, n);
    p.text[parent_length + n] = 0;
    return p;
}

static path path_element(const path *parent, size_t i)
{
    path p = *parent;
    char number[24];
    size_t digits = 0, length = strlen(p.text);
    do
        number[digits++] = (char)('0' + i % 10);
    while ((i /= 10) > 0);
    if (length + digits + 3 > sizeof p.text)
        return p;
    p.text[length++] = '[';
    while (digits > 0)
        p.text[length++] = number[--digits];
    p.text[length++] = ']';
    p.text[length] = 0;
    return p;
}

static raffle_rc fault(const parse *p, raffle_rc rc, const path *at, const char *what)
{
    if (p->in.fault != NULL)
        return rf_fail(p->err, RAFFLE_INVALID, "the rules are not JSON that can be read: %s at byte %zu (%s)",
                       p->in.fault, p->in.at, at->text[0] ? at->text : "top level");
    return rf_fail(p->err, rc, "rules: \"%s\" %s", at->text[0] ? at->text : "top level", what);
}

/* --- values --- */

static raffle_rc read_int(parse *p, const path *at, int64_t min, int64_t max, int64_t *out)
{
    int64_t value;
    if (rf_json_peek(&p->in) != RF_JSON_INT || !rf_json_take_int(&p->in, &value))
        return fault(p, RAFFLE_INVALID, at, "must be an integer");
    if (value < min || value > max)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" is %lld; it must be %lld to %lld", at->text,
                       (long long)value, (long long)min, (long long)max);
    *out = value;
    return RAFFLE_OK;
}

static raffle_rc read_bool(parse *p, const path *at, bool *out)
{
    if (rf_json_peek(&p->in) != RF_JSON_BOOL || !rf_json_take_bool(&p->in, out))
        return fault(p, RAFFLE_INVALID, at, "must be true or false");
    return RAFFLE_OK;
}

/* A string into a fixed array; `max` bytes at most. */
static raffle_rc read_string(parse *p, const path *at, char *out, size_t max)
{
    rf_json_text text;
    if (rf_json_peek(&p->in) != RF_JSON_STRING || !rf_json_take_string(&p->in, &text))
        return fault(p, RAFFLE_INVALID, at, "must be a string");
    size_t length = rf_json_unescape(&text, out, max);
    if (length == SIZE_MAX)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" is longer than %zu bytes", at->text, max);
    out[length] = 0;
    return strlen(out) == length ? RAFFLE_OK : fault(p, RAFFLE_INVALID, at, "holds a NUL character");
}

static raffle_rc read_text(parse *p, const path *at, char out[RAFFLE_NAME_SIZE])
{
    raffle_rc rc = read_string(p, at, out, RAFFLE_NAME_MAX);
    if (rc == RAFFLE_OK && !rf_text_valid(out, strlen(out), RAFFLE_NAME_MAX))
        return fault(p, RAFFLE_INVALID, at, "must be 1 to 64 bytes of UTF-8 without control characters");
    return rc;
}

static raffle_rc read_word(parse *p, const path *at, char out[RAFFLE_WORD_SIZE])
{
    raffle_rc rc = read_string(p, at, out, RAFFLE_WORD_MAX);
    if (rc == RAFFLE_OK && !rf_word_valid(out, strlen(out), RAFFLE_WORD_MAX))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "rules: \"%s\" is \"%s\"; a word is 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit",
                       at->text, out);
    return rc;
}

static raffle_rc read_time(parse *p, const path *at, int64_t *out)
{
    char text[32];
    raffle_rc rc = read_string(p, at, text, sizeof text - 1);
    if (rc == RAFFLE_OK && !rf_time_parse(text, strlen(text), out))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "rules: \"%s\" is \"%s\"; a time is written like 2026-11-21T18:30:00.000Z", at->text, text);
    return rc;
}

static raffle_rc read_origin(parse *p, const path *at, char out[RAFFLE_ORIGIN_SIZE])
{
    raffle_rc rc = read_string(p, at, out, 200);
    if (rc == RAFFLE_OK && !rf_origin_valid(out, strlen(out)))
        return rf_fail(
            p->err, RAFFLE_INVALID,
            "rules: \"%s\" is \"%s\"; it is written like raffle.example/gala-2026, without a segment \"unit\"",
            at->text, out);
    return rc;
}

/* One of `n` words; stores which. */
static raffle_rc read_choice(parse *p, const path *at, const char *const *words, size_t n, size_t *out)
{
    char text[RAFFLE_WORD_SIZE];
    raffle_rc rc = read_string(p, at, text, RAFFLE_WORD_MAX);
    if (rc != RAFFLE_OK)
        return rc;
    for (*out = 0; *out < n; (*out)++)
        if (strcmp(words[*out], text) == 0)
            return RAFFLE_OK;
    return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" is \"%s\", which is none of its choices (\"%s\", \"%s\" …)",
                   at->text, text, words[0], words[1]);
}

/* --- objects: a reader for each member, found by name --- */

typedef raffle_rc (*read_fn)(parse *p, const path *at, void *to);

typedef struct field {
    const char *name;
    read_fn read;
    bool required;
} field;

static const field *find_field(const field *fields, size_t n, const char *name, size_t length, uint32_t *seen)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(fields[i].name) != length || memcmp(fields[i].name, name, length) != 0)
            continue;
        if (*seen & UINT32_C(1) << i)
            return NULL;
        *seen |= UINT32_C(1) << i;
        return &fields[i];
    }
    return NULL;
}

static raffle_rc read_object(parse *p, const path *at, const field *fields, size_t n, void *to)
{
    const char *name;
    size_t length;
    uint32_t seen = 0;
    if (rf_json_peek(&p->in) != RF_JSON_OBJECT || !rf_json_enter_object(&p->in))
        return fault(p, RAFFLE_INVALID, at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        path member = path_member(at, name, length);
        const field *f = find_field(fields, n, name, length, &seen);
        if (f == NULL)
            return fault(p, RAFFLE_INVALID, &member, "is not a member that rules have here, or stands twice");
        raffle_rc rc = f->read(p, &member, to);
        if (rc != RAFFLE_OK)
            return rc;
    }
    if (p->in.fault != NULL)
        return fault(p, RAFFLE_INVALID, at, "");
    for (size_t i = 0; i < n; i++) {
        path member = path_member(at, fields[i].name, strlen(fields[i].name));
        if (fields[i].required && !(seen & UINT32_C(1) << i))
            return fault(p, RAFFLE_INVALID, &member, "is missing");
    }
    return RAFFLE_OK;
}

typedef raffle_rc (*element_fn)(parse *p, const path *at, size_t i, void *to);

static raffle_rc read_array(parse *p, const path *at, size_t max, element_fn read, void *to, size_t *count)
{
    if (rf_json_peek(&p->in) != RF_JSON_ARRAY || !rf_json_enter_array(&p->in))
        return fault(p, RAFFLE_INVALID, at, "must be an array");
    for (*count = 0; rf_json_next_element(&p->in); (*count)++) {
        path element = path_element(at, *count);
        if (*count == max)
            return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" has more than %zu elements", at->text, max);
        raffle_rc rc = read(p, &element, *count, to);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return p->in.fault == NULL ? RAFFLE_OK : fault(p, RAFFLE_INVALID, at, "");
}

/* --- tiers --- */

static raffle_rc tier_name(parse *p, const path *at, void *to)
{
    return read_word(p, at, ((rf_tier *)to)->name);
}

static raffle_rc tier_count(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, 1000000, &((rf_tier *)to)->count);
}

static raffle_rc tier_price(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &((rf_tier *)to)->price);
}

static raffle_rc read_tier(parse *p, const path *at, size_t i, void *to)
{
    static const field fields[] = {{"name", tier_name, true}, {"count", tier_count, true}, {"price", tier_price, true}};
    rf_rules *rules = to;
    raffle_rc rc = read_object(p, at, fields, 3, &rules->tier[i]);
    for (size_t k = 0; rc == RAFFLE_OK && k < i; k++)
        if (strcmp(rules->tier[k].name, rules->tier[i].name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another tier has", at->text,
                           rules->tier[i].name);
    return rc;
}

static raffle_rc rules_tiers(parse *p, const path *at, void *to)
{
    raffle_rc rc = read_array(p, at, RF_TIERS_MAX, read_tier, to, &((rf_rules *)to)->tiers);
    return rc == RAFFLE_OK && ((rf_rules *)to)->tiers == 0 ? fault(p, RAFFLE_INVALID, at, "has no element") : rc;
}

/* --- prizes --- */

/* Which tiers are entered may stand before the tiers are known: names are kept and looked up at the end. */
typedef struct prize_parse {
    rf_prize_rule *rule;
    size_t entered;
    char tier[RF_TIERS_MAX][RAFFLE_WORD_SIZE];
    bool given;
} prize_parse;

static rf_prize_rule *prize_rule(void *to)
{
    return ((prize_parse *)to)->rule;
}

static raffle_rc prize_name(parse *p, const path *at, void *to)
{
    return read_word(p, at, prize_rule(to)->name);
}

static raffle_rc prize_title(parse *p, const path *at, void *to)
{
    return read_text(p, at, prize_rule(to)->title);
}

static raffle_rc prize_seal(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"early", "final"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 2, &i);
    prize_rule(to)->seal = i == 0 ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL;
    return rc;
}

static raffle_rc prize_winners(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, RF_PLACES_PER_PRIZE, &prize_rule(to)->winners);
}

static raffle_rc prize_alternates(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, RF_PLACES_PER_PRIZE, &prize_rule(to)->alternates);
}

static raffle_rc prize_one_win(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"none", "number", "ticket"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 3, &i);
    prize_rule(to)->one_win = (rf_one_win)i;
    return rc;
}

static raffle_rc prize_claim_days(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, 3650, &prize_rule(to)->claim_days);
}

static raffle_rc prize_amount(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->amount);
}

static raffle_rc prize_papers_above(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->papers_above);
}

static raffle_rc prize_share(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, 10000, &prize_rule(to)->share);
}

static raffle_rc prize_start(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->start);
}

static raffle_rc prize_carry(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->carry);
}

static raffle_rc prize_carry_from(parse *p, const path *at, void *to)
{
    return read_origin(p, at, prize_rule(to)->carry_from);
}

static raffle_rc prize_minimum(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->minimum);
}

static raffle_rc prize_cap(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, money_max, &prize_rule(to)->cap);
}

static raffle_rc prize_above(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"keep", "carry", "next"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 3, &i);
    prize_rule(to)->above = (rf_above)(i + RF_ABOVE_KEEP);
    return rc;
}

static raffle_rc prize_round(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"down", "up", "nearest"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 3, &i);
    prize_rule(to)->round = (rf_round)(i + RF_ROUND_DOWN);
    return rc;
}

static raffle_rc prize_ace(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, RF_ENVELOPES_MAX, &prize_rule(to)->ace);
}

static raffle_rc prize_must_go(parse *p, const path *at, void *to)
{
    return read_bool(p, at, &prize_rule(to)->must_go);
}

static raffle_rc prize_round_to(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, money_max, &prize_rule(to)->round_to);
}

static raffle_rc prize_pot(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"all", "entered"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 2, &i);
    prize_rule(to)->pot = (rf_pot)(i + RF_POT_ALL);
    return rc;
}

static raffle_rc prize_seed(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"random", "committed"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 2, &i);
    prize_rule(to)->committed = i == 1;
    return rc;
}

static raffle_rc prize_draw(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"rng", "drum"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 2, &i);
    prize_rule(to)->drum = i == 1;
    return rc;
}

static raffle_rc prize_beacon_delay(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, RF_BEACON_DELAY_MAX, &prize_rule(to)->beacon_delay);
}

static raffle_rc prize_tier(parse *p, const path *at, size_t i, void *to)
{
    return read_word(p, at, ((prize_parse *)to)->tier[i]);
}

static raffle_rc prize_tiers(parse *p, const path *at, void *to)
{
    prize_parse *q = to;
    q->given = true;
    raffle_rc rc = read_array(p, at, RF_TIERS_MAX, prize_tier, q, &q->entered);
    return rc == RAFFLE_OK && q->entered == 0 ? fault(p, RAFFLE_INVALID, at, "has no element") : rc;
}

static raffle_rc enter_tiers(parse *p, const path *at, const rf_rules *rules, const prize_parse *q)
{
    q->rule->entered = q->given ? 0 : rules->tiers == 64 ? UINT64_MAX : (UINT64_C(1) << rules->tiers) - 1;
    for (size_t i = 0; i < q->entered; i++) {
        int tier = rf_rules_tier(rules, q->tier[i], strlen(q->tier[i]));
        if (tier < 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.tiers\" names \"%s\", which is no tier", at->text,
                           q->tier[i]);
        q->rule->entered |= UINT64_C(1) << tier;
    }
    return RAFFLE_OK;
}

static raffle_rc read_prize(parse *p, const path *at, size_t i, void *to)
{
    static const field fields[] = {
        {"name", prize_name, true},
        {"title", prize_title, false},
        {"seal", prize_seal, false},
        {"winners", prize_winners, false},
        {"alternates", prize_alternates, false},
        {"one_win", prize_one_win, false},
        {"claim_days", prize_claim_days, false},
        {"draw", prize_draw, false},
        {"papers_above", prize_papers_above, false},
        {"amount", prize_amount, false},
        {"share", prize_share, false},
        {"start", prize_start, false},
        {"carry", prize_carry, false},
        {"carry_from", prize_carry_from, false},
        {"minimum", prize_minimum, false},
        {"cap", prize_cap, false},
        {"above", prize_above, false},
        {"round", prize_round, false},
        {"round_to", prize_round_to, false},
        {"pot", prize_pot, false},
        {"ace", prize_ace, false},
        {"must_go", prize_must_go, false},
        {"seed", prize_seed, false},
        {"beacon_delay", prize_beacon_delay, false},
        {"tiers", prize_tiers, false},
    };
    rf_rules *rules = to;
    rf_prize_rule *rule = &rules->prize[i];
    prize_parse *q = calloc(1, sizeof *q);
    if (q == NULL)
        return rf_nomem(p->err);
    *rule = (rf_prize_rule){.seal = RAFFLE_SEAL_FINAL,
                            .winners = 1,
                            .claim_days = 30,
                            .one_win = RF_ONE_WIN_TICKET,
                            .papers_above = -1,
                            .amount = -1,
                            .share = -1,
                            .start = -1,
                            .carry = -1,
                            .minimum = -1,
                            .cap = -1};
    q->rule = rule;
    raffle_rc rc = read_object(p, at, fields, sizeof fields / sizeof fields[0], q);
    if (rc == RAFFLE_OK)
        rc = enter_tiers(p, at, rules, q);
    free(q);
    if (rc != RAFFLE_OK)
        return rc;
    if (rule->title[0] == 0)
        memcpy(rule->title, rule->name, sizeof rule->name);
    if (rule->amount >= 0 && rule->share >= 0)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" has both an amount and a share", at->text);
    for (size_t k = 0; k < i; k++)
        if (strcmp(rules->prize[k].name, rule->name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another prize has", at->text,
                           rule->name);
    if (i > 0 && rule->seal == RAFFLE_SEAL_EARLY && rules->prize[i - 1].seal == RAFFLE_SEAL_FINAL)
        return rf_fail(
            p->err, RAFFLE_INVALID,
            "rules: \"%s.seal\" is \"early\", after a prize of the final seal: prizes stand in drawing order",
            at->text);
    return RAFFLE_OK;
}

static raffle_rc rules_prizes(parse *p, const path *at, void *to)
{
    raffle_rc rc = read_array(p, at, RF_PRIZES_MAX, read_prize, to, &((rf_rules *)to)->prizes);
    return rc == RAFFLE_OK && ((rf_rules *)to)->prizes == 0 ? fault(p, RAFFLE_INVALID, at, "has no element") : rc;
}

/* --- units --- */

static raffle_rc unit_name(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_unit_rule *)to)->name);
}

static raffle_rc unit_quota(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, RF_JSON_INT_MAX, &((rf_unit_rule *)to)->quota);
}

static raffle_rc read_unit(parse *p, const path *at, size_t i, void *to)
{
    static const field fields[] = {{"name", unit_name, true}, {"quota", unit_quota, false}};
    rf_rules *rules = to;
    rules->unit[i].quota = 0;
    raffle_rc rc = read_object(p, at, fields, 2, &rules->unit[i]);
    for (size_t k = 0; rc == RAFFLE_OK && k < i; k++)
        if (strcmp(rules->unit[k].name, rules->unit[i].name) == 0)
            return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.name\" is \"%s\", which another unit has", at->text,
                           rules->unit[i].name);
    return rc;
}

static raffle_rc rules_units(parse *p, const path *at, void *to)
{
    return read_array(p, at, RF_UNITS_IN_RULES, read_unit, to, &((rf_rules *)to)->units);
}

/* --- zone, rng, roles, sales --- */

static raffle_rc zone_from(parse *p, const path *at, void *to)
{
    return read_time(p, at, &((rf_zone *)to)->from);
}

static raffle_rc zone_offset(parse *p, const path *at, void *to)
{
    int64_t offset = 0;
    raffle_rc rc = read_int(p, at, -1080, 1080, &offset);
    ((rf_zone *)to)->offset = (int32_t)offset;
    return rc;
}

static raffle_rc read_zone(parse *p, const path *at, size_t i, void *to)
{
    static const field fields[] = {{"from", zone_from, true}, {"offset", zone_offset, true}};
    rf_rules *rules = to;
    raffle_rc rc = read_object(p, at, fields, 2, &rules->zone[i]);
    if (rc == RAFFLE_OK && i > 0 && rules->zone[i].from <= rules->zone[i - 1].from)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s.from\" is not after the one before it", at->text);
    return rc;
}

static raffle_rc rules_zone(parse *p, const path *at, void *to)
{
    return read_array(p, at, RF_ZONES_MAX, read_zone, to, &((rf_rules *)to)->zones);
}

static raffle_rc read_provider(parse *p, const path *at, size_t i, void *to)
{
    char *name = ((rf_rules *)to)->provider[i];
    return read_text(p, at, name);
}

static raffle_rc rules_rng(parse *p, const path *at, void *to)
{
    p->default_rng = false;
    return read_array(p, at, RF_PROVIDERS_MAX, read_provider, to, &((rf_rules *)to)->providers);
}

static raffle_rc read_role(parse *p, const path *at, size_t i, void *to)
{
    char word[RAFFLE_WORD_SIZE];
    (void)i;
    raffle_rc rc = read_word(p, at, word);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_role role = raffle_role_parse(word);
    if (role == 0)
        return rf_fail(p->err, RAFFLE_INVALID, "rules: \"%s\" is \"%s\", which is no role", at->text, word);
    *(uint32_t *)to |= UINT32_C(1) << role;
    return RAFFLE_OK;
}

static raffle_rc rules_roles(parse *p, const path *at, void *to)
{
    rf_rules *rules = to;
    const char *name;
    size_t length, count;
    if (rf_json_peek(&p->in) != RF_JSON_OBJECT || !rf_json_enter_object(&p->in))
        return fault(p, RAFFLE_INVALID, at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        path member = path_member(at, name, length);
        unsigned op = 0;
        while (op < RF_OPS && (strlen(rf_op_name(op)) != length || memcmp(rf_op_name(op), name, length) != 0))
            op++;
        if (op == RF_OPS)
            return fault(p, RAFFLE_INVALID, &member, "is no operation");
        rules->roles[op] = 0;
        raffle_rc rc = read_array(p, &member, 6, read_role, &rules->roles[op], &count);
        if (rc != RAFFLE_OK)
            return rc;
        if (count == 0)
            return fault(p, RAFFLE_INVALID, &member, "has no element");
    }
    return p->in.fault == NULL ? RAFFLE_OK : fault(p, RAFFLE_INVALID, at, "");
}

static raffle_rc sales_opens(parse *p, const path *at, void *to)
{
    return read_time(p, at, &((rf_rules *)to)->opens);
}

static raffle_rc sales_closes(parse *p, const path *at, void *to)
{
    return read_time(p, at, &((rf_rules *)to)->closes);
}

static raffle_rc sales_order_tickets(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, RAFFLE_ORDER_MAX, &((rf_rules *)to)->order_tickets);
}

static raffle_rc sales_buyer_tickets(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, 1000000, &((rf_rules *)to)->buyer_tickets);
}

static raffle_rc rules_sales(parse *p, const path *at, void *to)
{
    static const field fields[] = {{"opens", sales_opens, true},
                                   {"closes", sales_closes, true},
                                   {"order_tickets", sales_order_tickets, false},
                                   {"buyer_tickets", sales_buyer_tickets, false}};
    rf_rules *rules = to;
    raffle_rc rc = read_object(p, at, fields, 4, rules);
    if (rc == RAFFLE_OK && rules->closes <= rules->opens)
        return fault(p, RAFFLE_INVALID, at, "closes at or before it opens");
    return rc;
}

static raffle_rc watch_failures(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, 1000, &((rf_rules *)to)->watch_failures);
}

static raffle_rc watch_minutes(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, 10080, &((rf_rules *)to)->watch_minutes);
}

static raffle_rc rules_watch(parse *p, const path *at, void *to)
{
    static const field fields[] = {{"failures", watch_failures, true}, {"minutes", watch_minutes, true}};
    return read_object(p, at, fields, 2, to);
}

static raffle_rc series_name(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_rules *)to)->series);
}

static raffle_rc series_number(parse *p, const path *at, void *to)
{
    return read_int(p, at, 1, 1000000, &((rf_rules *)to)->series_number);
}

static raffle_rc rules_series(parse *p, const path *at, void *to)
{
    static const field fields[] = {{"name", series_name, true}, {"number", series_number, true}};
    return read_object(p, at, fields, 2, to);
}

/* --- the top --- */

static raffle_rc rules_origin(parse *p, const path *at, void *to)
{
    return read_origin(p, at, ((rf_rules *)to)->origin);
}

static raffle_rc rules_name(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_rules *)to)->name);
}

static raffle_rc rules_organisation(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_rules *)to)->organisation);
}

static raffle_rc rules_licence(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_rules *)to)->licence);
}

static raffle_rc rules_place(parse *p, const path *at, void *to)
{
    return read_text(p, at, ((rf_rules *)to)->place);
}

static raffle_rc rules_currency(parse *p, const path *at, void *to)
{
    char *currency = ((rf_rules *)to)->currency;
    raffle_rc rc = read_string(p, at, currency, 7);
    if (rc != RAFFLE_OK)
        return rc;
    for (size_t i = 0; i < 3; i++)
        if (currency[i] < 'A' || currency[i] > 'Z' || currency[3] != 0)
            return fault(p, RAFFLE_INVALID, at, "must be three capital letters, as in ISO 4217");
    return RAFFLE_OK;
}

/* Three years is the least that a regulator asks for whose period is known: docs/guide/retention.md. */
static raffle_rc rules_keep_years(parse *p, const path *at, void *to)
{
    return read_int(p, at, 3, 100, &((rf_rules *)to)->keep_years);
}

static raffle_rc rules_digits(parse *p, const path *at, void *to)
{
    return read_int(p, at, 0, 4, &((rf_rules *)to)->digits);
}

static raffle_rc rules_rehearsal(parse *p, const path *at, void *to)
{
    return read_bool(p, at, &((rf_rules *)to)->rehearsal);
}

static raffle_rc rules_beacon(parse *p, const path *at, void *to)
{
    static const char *const words[] = {"none", "quicknet"};
    size_t i = 0;
    raffle_rc rc = read_choice(p, at, words, 2, &i);
    ((rf_rules *)to)->beacon = i == 1;
    return rc;
}

static raffle_rc read_policy_line(parse *p, const path *at, size_t i, void *to)
{
    rf_rules *rules = to;
    (void)i;
    const size_t room = sizeof rules->policy - rules->policy_length - 1;
    char *line = rules->policy + rules->policy_length;
    if (room == 0)
        return rf_fail(p->err, RAFFLE_LIMIT, "rules: \"%s\" goes beyond the %d bytes of a policy", at->text,
                       RF_POLICY_MAX);
    raffle_rc rc = read_string(p, at, line, room < RF_POLICY_LINE_MAX ? room : RF_POLICY_LINE_MAX);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t length = strlen(line);
    if (!rf_text_valid(line, length, RF_POLICY_LINE_MAX))
        return fault(p, RAFFLE_INVALID, at, "is no line of text");
    line[length] = '\n';
    rules->policy_length += length + 1;
    return RAFFLE_OK;
}

/* They are frozen as they are given, so that a policy can be compared byte by byte with what its witnesses were told. */
static raffle_rc read_policy(parse *p, const path *at, rf_rules *rules)
{
    size_t lines = 0;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = read_array(p, at, RF_POLICY_LINES, read_policy_line, rules, &lines);
    if (rc != RAFFLE_OK)
        return rc;
    rf_policy *policy = malloc(sizeof *policy);
    if (policy == NULL)
        return rf_nomem(p->err);
    rc = rf_policy_parse(policy, rules->policy, rules->policy_length, &why);
    free(policy);
    return rc == RAFFLE_OK ? rc : rf_fail(p->err, rc, "rules: \"%s\": %s", at->text, why.message);
}

static raffle_rc rules_witnesses(parse *p, const path *at, void *to)
{
    char text[RAFFLE_WORD_SIZE];
    if (rf_json_peek(&p->in) == RF_JSON_ARRAY)
        return read_policy(p, at, to);
    raffle_rc rc = read_string(p, at, text, RAFFLE_WORD_MAX);
    if (rc == RAFFLE_OK && strcmp(text, "none") != 0)
        return fault(p, RAFFLE_INVALID, at, "must be \"none\", or an array of a policy's lines");
    return rc;
}

/* A committed draw without a beacon would be its operator's choice, and a round that is near could be known before the intent is published. */
static raffle_rc check_beacon(const rf_rules *rules, const rf_prize_rule *prize, raffle_error *err)
{
    if (!prize->committed && prize->beacon_delay != 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: \"beacon_delay\" of prize \"%s\" is for a committed seed",
                       prize->name);
    if (!prize->committed)
        return RAFFLE_OK;
    if (!rules->beacon)
        return rf_fail(err, RAFFLE_INVALID, "rules: the committed seed of prize \"%s\" needs a \"beacon\"",
                       prize->name);
    if (prize->beacon_delay < RF_BEACON_DELAY_MIN)
        return rf_fail(err, RAFFLE_LIMIT, "rules: \"beacon_delay\" of prize \"%s\" is %lld seconds, fewer than %d",
                       prize->name, (long long)prize->beacon_delay, RF_BEACON_DELAY_MIN);
    return RAFFLE_OK;
}

static bool all_by_drum(const rf_rules *rules)
{
    for (size_t i = 0; i < rules->prizes; i++)
        if (!rules->prize[i].drum)
            return false;
    return true;
}

static raffle_rc check_drum(const rf_prize_rule *prize, raffle_error *err)
{
    return prize->drum && prize->committed
               ? rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is drawn from a drum, and has no seed to commit to",
                         prize->name)
               : RAFFLE_OK;
}

/* Members that say what becomes of money, of a prize that is none. */
static bool has_idle_member(const rf_prize_rule *prize)
{
    return prize->cap >= 0 || prize->above != 0 || prize->round != 0 || prize->round_to != 0;
}

/* The guarantee and the cap hold whichever way is rounded: both are amounts that rounding leaves alone. */
static raffle_rc check_bounds(const rf_prize_rule *prize, raffle_error *err)
{
    const int64_t step = prize->round_to > 0 ? prize->round_to : 1;
    if (prize->cap >= 0 && prize->minimum > prize->cap)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has a minimum of %lld above its cap of %lld",
                       prize->name, (long long)prize->minimum, (long long)prize->cap);
    if ((prize->cap > 0 && prize->cap % step != 0) || (prize->minimum > 0 && prize->minimum % step != 0))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: the minimum and the cap of prize \"%s\" must be multiples of its \"round_to\", %lld",
                       prize->name, (long long)step);
    return RAFFLE_OK;
}

static raffle_rc check_carry(const rf_rules *rules, const rf_prize_rule *prize, raffle_error *err)
{
    if ((prize->carry >= 0) != (prize->carry_from[0] != 0))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: prize \"%s\" has one of \"carry\" and \"carry_from\" without the other", prize->name);
    if (strcmp(prize->carry_from, rules->origin) == 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is carried over from this raffle itself", prize->name);
    return RAFFLE_OK;
}

/* One winner chooses at a time, and what is not found is carried over. */
static raffle_rc check_ace(const rf_prize_rule *prize, raffle_error *err)
{
    if (prize->must_go && prize->ace == 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" must go, and has no \"ace\"", prize->name);
    if (prize->ace > 0 && (prize->winners != 1 || !rf_prize_is_money(prize)))
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has an \"ace\", and is not money for one winner",
                       prize->name);
    return RAFFLE_OK;
}

static raffle_rc check_money(const rf_rules *rules, size_t i, raffle_error *err)
{
    const rf_prize_rule *prize = &rules->prize[i];
    if (!rf_prize_is_money(prize) && has_idle_member(prize))
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" is no money that could be capped or rounded",
                       prize->name);
    if (prize->pot != 0 && prize->share < 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has a \"pot\", and no share of it", prize->name);
    if (prize->above != 0 && prize->cap < 0)
        return rf_fail(err, RAFFLE_INVALID, "rules: prize \"%s\" has an \"above\", and no \"cap\"", prize->name);
    if (prize->above == RF_ABOVE_NEXT && (i + 1 == rules->prizes || !rf_prize_is_money(&rules->prize[i + 1])))
        return rf_fail(err, RAFFLE_INVALID,
                       "rules: what is above the cap of prize \"%s\" goes to the next, and none that is money follows",
                       prize->name);
    raffle_rc rc = check_ace(prize, err);
    if (rc == RAFFLE_OK)
        rc = check_bounds(prize, err);
    return rc == RAFFLE_OK ? check_carry(rules, prize, err) : rc;
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
        raffle_rc rc = check_beacon(rules, &rules->prize[i], err);
        if (rc == RAFFLE_OK)
            rc = check_drum(&rules->prize[i], err);
        if (rc == RAFFLE_OK)
            rc = check_money(rules, i, err);
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
static raffle_rc read_tiers_first(parse *p)
{
    const char *name, *any;
    size_t length;
    if (!rf_json_enter_object(&p->in))
        return fault(p, RAFFLE_INVALID, &p->at, "must be an object");
    while (rf_json_next_key(&p->in, &name, &length)) {
        path member = path_member(&p->at, name, length);
        if (length == 5 && memcmp(name, "tiers", 5) == 0)
            return rules_tiers(p, &member, p->rules);
        if (!rf_json_take_any(&p->in, &any, &length))
            return fault(p, RAFFLE_INVALID, &member, "");
    }
    return RAFFLE_OK;
}

raffle_rc rf_rules_parse(rf_rules *rules, const char *json, size_t length, raffle_error *err)
{
    static const field fields[] = {
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
        {"prizes", rules_prizes, true},
        {"rng", rules_rng, false},
        {"roles", rules_roles, false},
        {"beacon", rules_beacon, false},
        {"watch", rules_watch, false},
        {"witnesses", rules_witnesses, false},
    };
    parse p = {.rules = rules, .err = err, .default_rng = true};
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
    rc = read_object(&p, &p.at, fields, sizeof fields / sizeof fields[0], rules);
    if (rc == RAFFLE_OK && !rf_json_done(&p.in))
        rc = rf_fail(err, RAFFLE_INVALID, "the rules go on after their end, at byte %zu", p.in.at);
    if (rc == RAFFLE_OK)
        rc = check_unique(json, length, err);
    if (rc == RAFFLE_OK && p.default_rng && !all_by_drum(rules))
        memcpy(rules->provider[rules->providers++], "system", 7);
    return rc == RAFFLE_OK ? check_whole(rules, err) : rc;
}
