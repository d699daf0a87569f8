/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as they are frozen into raffle.open, with every default spelt out; and what is asked of them. */
#include "rules.h"

#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <string.h>

static const char *const op_names[RF_OPS] = {
    [RF_OP_ACK] = "ack",         [RF_OP_APPROVE] = "approve", [RF_OP_CASH] = "cash",   [RF_OP_CLAIM] = "claim",
    [RF_OP_CLOCK] = "clock",     [RF_OP_CLOSE] = "close",     [RF_OP_DRAW] = "draw",   [RF_OP_ERASE] = "erase",
    [RF_OP_EVENT] = "event",     [RF_OP_FORFEIT] = "forfeit", [RF_OP_PRINT] = "print", [RF_OP_REPRINT] = "reprint",
    [RF_OP_RESTORE] = "restore", [RF_OP_SEAL] = "seal",       [RF_OP_SELL] = "sell",   [RF_OP_UNITS] = "units",
    [RF_OP_VERIFY] = "verify",   [RF_OP_VOID] = "void",
};

const char *rf_op_name(rf_op op)
{
    return op_names[op];
}

/* --- the frozen form --- */

static void put_text(rf_json_writer *w, const char *name, const char *text)
{
    if (text[0] == 0)
        return;
    rf_json_key(w, name, strlen(name));
    rf_json_string(w, text, strlen(text));
}

static void put_int(rf_json_writer *w, const char *name, int64_t value)
{
    rf_json_key(w, name, strlen(name));
    rf_json_int(w, value);
}

static void put_given(rf_json_writer *w, const char *name, int64_t value)
{
    if (value >= 0)
        put_int(w, name, value);
}

/* One of the words behind words[0], which stands for what was not given. */
static void put_choice(rf_json_writer *w, const char *name, const char *const *words, unsigned which)
{
    if (which != 0)
        put_text(w, name, words[which]);
}

static void put_time(rf_json_writer *w, const char *name, int64_t at)
{
    char text[RF_TIME_LENGTH + 1] = "";
    if (!rf_time_format(text, at))
        w->ok = false;
    put_text(w, name, text);
}

static void put_prize(rf_json_writer *w, const rf_rules *rules, const rf_prize_rule *prize)
{
    static const char *const one_win[] = {"none", "number", "ticket"};
    static const char *const above[] = {"", "keep", "carry", "next"}, *const pot[] = {"", "all", "entered"};
    static const char *const round[] = {"", "down", "up", "nearest"};
    rf_json_begin_object(w);
    put_choice(w, "above", above, prize->above);
    if (prize->ace > 0)
        put_int(w, "ace", prize->ace);
    put_int(w, "alternates", prize->alternates);
    put_given(w, "amount", prize->amount);
    put_int(w, "beacon_delay", prize->beacon_delay);
    put_given(w, "cap", prize->cap);
    put_given(w, "carry", prize->carry);
    put_text(w, "carry_from", prize->carry_from);
    put_int(w, "claim_days", prize->claim_days);
    if (prize->drum)
        put_text(w, "draw", "drum");
    put_given(w, "minimum", prize->minimum);
    if (prize->must_go) {
        rf_json_key(w, "must_go", 7);
        rf_json_bool(w, true);
    }
    put_text(w, "name", prize->name);
    put_text(w, "one_win", one_win[prize->one_win]);
    put_given(w, "papers_above", prize->papers_above);
    put_choice(w, "pot", pot, prize->pot);
    if (prize->redraw_of >= 0)
        put_text(w, "redraw_of", rules->prize[prize->redraw_of].name);
    put_choice(w, "round", round, prize->round);
    if (prize->round_to > 0)
        put_int(w, "round_to", prize->round_to);
    put_text(w, "seal", prize->seal == RAFFLE_SEAL_EARLY ? "early" : "final");
    put_text(w, "seed", prize->committed ? "committed" : "random");
    put_given(w, "share", prize->share);
    put_given(w, "start", prize->start);
    rf_json_key(w, "tiers", 5);
    rf_json_begin_array(w);
    for (size_t i = 0; i < rules->tiers; i++)
        if (prize->entered & UINT64_C(1) << i)
            rf_json_string(w, rules->tier[i].name, strlen(rules->tier[i].name));
    rf_json_end_array(w);
    put_text(w, "title", prize->title);
    put_int(w, "winners", prize->winners);
    rf_json_end_object(w);
}

/* Operations that came after the first frozen rules are written when they differ from their default: what was frozen keeps its bytes. */
static bool written(const rf_rules *rules, rf_op op)
{
    const bool later = op == RF_OP_CASH || op == RF_OP_PRINT || op == RF_OP_REPRINT || op == RF_OP_RESTORE;
    return !later || rules->roles[op] != rf_op_default(op);
}

static void put_roles(rf_json_writer *w, const rf_rules *rules)
{
    rf_json_key(w, "roles", 5);
    rf_json_begin_object(w);
    for (unsigned op = 0; op < RF_OPS; op++) {
        if (!written(rules, op))
            continue;
        rf_json_key(w, op_names[op], strlen(op_names[op]));
        rf_json_begin_array(w);
        for (raffle_role role = RAFFLE_SELLER; role <= RAFFLE_SYSTEM; role++)
            if (rules->roles[op] & UINT32_C(1) << role)
                rf_json_string(w, raffle_role_name(role), strlen(raffle_role_name(role)));
        rf_json_end_array(w);
    }
    rf_json_end_object(w);
}

static void put_series(rf_json_writer *w, const rf_rules *rules)
{
    if (rules->series[0] == 0)
        return;
    rf_json_key(w, "series", 6);
    rf_json_begin_object(w);
    put_text(w, "name", rules->series);
    put_int(w, "number", rules->series_number);
    rf_json_end_object(w);
}

static void put_tiers(rf_json_writer *w, const rf_rules *rules)
{
    rf_json_key(w, "tiers", 5);
    rf_json_begin_array(w);
    for (size_t i = 0; i < rules->tiers; i++) {
        rf_json_begin_object(w);
        put_int(w, "count", rules->tier[i].count);
        put_text(w, "name", rules->tier[i].name);
        put_int(w, "price", rules->tier[i].price);
        rf_json_end_object(w);
    }
    rf_json_end_array(w);
}

static void put_units(rf_json_writer *w, const rf_rules *rules)
{
    rf_json_key(w, "units", 5);
    rf_json_begin_array(w);
    for (size_t i = 0; i < rules->units; i++) {
        rf_json_begin_object(w);
        put_text(w, "name", rules->unit[i].name);
        put_int(w, "quota", rules->unit[i].quota);
        rf_json_end_object(w);
    }
    rf_json_end_array(w);
}

static void put_zone(rf_json_writer *w, const rf_rules *rules)
{
    rf_json_key(w, "zone", 4);
    rf_json_begin_array(w);
    for (size_t i = 0; i < rules->zones; i++) {
        rf_json_begin_object(w);
        put_time(w, "from", rules->zone[i].from);
        put_int(w, "offset", rules->zone[i].offset);
        rf_json_end_object(w);
    }
    rf_json_end_array(w);
}

static void put_watch(rf_json_writer *w, const rf_rules *rules)
{
    if (rules->watch_failures == 0)
        return;
    rf_json_key(w, "watch", 5);
    rf_json_begin_object(w);
    put_int(w, "failures", rules->watch_failures);
    put_int(w, "minutes", rules->watch_minutes);
    rf_json_end_object(w);
}

static void put_witnesses(rf_json_writer *w, const rf_rules *rules)
{
    if (rules->policy_length == 0) {
        put_text(w, "witnesses", "none");
        return;
    }
    rf_json_key(w, "witnesses", 9);
    rf_json_begin_array(w);
    for (const char *at = rules->policy, *end = at + rules->policy_length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        rf_json_string(w, at, (size_t)(newline - at));
        at = newline + 1;
    }
    rf_json_end_array(w);
}

size_t rf_rules_format(const rf_rules *rules, char *out, size_t cap)
{
    rf_json_writer w;
    rf_json_init(&w, out, cap);
    rf_json_begin_object(&w);
    put_text(&w, "beacon", rules->beacon ? "quicknet" : "none");
    put_text(&w, "currency", rules->currency);
    put_int(&w, "digits", rules->digits);
    if (rules->keep_years > 0)
        put_int(&w, "keep_years", rules->keep_years);
    put_text(&w, "licence", rules->licence);
    put_text(&w, "name", rules->name);
    put_text(&w, "organisation", rules->organisation);
    put_text(&w, "origin", rules->origin);
    put_text(&w, "place", rules->place);
    rf_json_key(&w, "prizes", 6);
    rf_json_begin_array(&w);
    for (size_t i = 0; i < rules->prizes; i++)
        put_prize(&w, rules, &rules->prize[i]);
    rf_json_end_array(&w);
    rf_json_key(&w, "rehearsal", 9);
    rf_json_bool(&w, rules->rehearsal);
    rf_json_key(&w, "rng", 3);
    rf_json_begin_array(&w);
    for (size_t i = 0; i < rules->providers; i++)
        rf_json_string(&w, rules->provider[i], strlen(rules->provider[i]));
    rf_json_end_array(&w);
    put_roles(&w, rules);
    rf_json_key(&w, "sales", 5);
    rf_json_begin_object(&w);
    if (rules->buyer_tickets > 0)
        put_int(&w, "buyer_tickets", rules->buyer_tickets);
    put_time(&w, "closes", rules->closes);
    put_time(&w, "opens", rules->opens);
    put_int(&w, "order_tickets", rules->order_tickets);
    rf_json_end_object(&w);
    put_series(&w, rules);
    put_tiers(&w, rules);
    put_units(&w, rules);
    put_watch(&w, rules);
    put_witnesses(&w, rules);
    put_zone(&w, rules);
    rf_json_end_object(&w);
    return w.ok ? w.length : 0;
}

/* --- questions --- */

/* A year counts 366 days, so that none of the calendar's is longer. */
int64_t rf_rules_kept_until(const rf_rules *rules)
{
    return rules->keep_years == 0 ? INT64_MIN : rules->closes + rules->keep_years * 366 * INT64_C(86400000);
}

bool rf_prize_is_money(const rf_prize_rule *prize)
{
    return prize->amount >= 0 || prize->share >= 0 || prize->start >= 0 || prize->carry >= 0 || prize->minimum >= 0;
}

int rf_rules_tier(const rf_rules *rules, const char *name, size_t length)
{
    for (size_t i = 0; i < rules->tiers; i++)
        if (strlen(rules->tier[i].name) == length && memcmp(rules->tier[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

int rf_rules_prize(const rf_rules *rules, const char *name, size_t length)
{
    for (size_t i = 0; i < rules->prizes; i++)
        if (strlen(rules->prize[i].name) == length && memcmp(rules->prize[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

/* An entry allows the provider of that name; "kms:REGION" any key store there, "pkcs11:LABEL" a token by its label alone, and "pkcs11:/SERIAL"
 * by its serial number alone. A name with '@' is that of a foreign endpoint, which nothing but its whole name allows. */
static bool allows(const char *entry, const char *name)
{
    const char *slash = strchr(name, '/'), *colon = strchr(name, ':');
    if (strcmp(entry, name) == 0)
        return true;
    if (slash == NULL || colon == NULL || slash < colon || strchr(name, '@') != NULL || strncmp(name, "host:", 5) == 0)
        return false;
    const size_t scheme = (size_t)(colon - name) + 1, first = (size_t)(slash - name);
    if (strlen(entry) == first && strncmp(entry, name, first) == 0)
        return true;
    return strncmp(name, "pkcs11:", 7) == 0 && strncmp(entry, name, scheme) == 0 && strcmp(entry + scheme, slash) == 0;
}

bool rf_rules_provider(const rf_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->providers; i++)
        if (allows(rules->provider[i], name))
            return true;
    return false;
}

bool rf_rules_may(const rf_rules *rules, rf_op op, raffle_role role)
{
    return role >= RAFFLE_SELLER && role <= RAFFLE_SYSTEM && (rules->roles[op] & UINT32_C(1) << role) != 0;
}

int32_t rf_rules_offset(const rf_rules *rules, int64_t at)
{
    int32_t offset = 0;
    for (size_t i = 0; i < rules->zones && rules->zone[i].from <= at; i++)
        offset = rules->zone[i].offset;
    return offset;
}
