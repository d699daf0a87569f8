/* SPDX-License-Identifier: Apache-2.0 */
/* What a raffle is and how it stands: the descriptions of open.h and draw.h, and the `_init` functions of the domain's structs. */
#include "fold_tiers.h"
#include "tier_tally.h"

#include "abi.h"
#include "error.h"
#include "timestamp.h"
#include <string.h>

static raffle_rc enter(raffle *r, const void *out, const char *name, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(out, name, err);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    return rc;
}

/* The lines that define one; there are no others that begin so. */
static uint32_t count_witnesses(const rf_rules *rules)
{
    uint32_t n = 0;
    const char *end = rules->policy + rules->policy_length;
    for (const char *at = rules->policy; at < end; at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1)
        n += strncmp(at, "witness ", 8) == 0;
    return n;
}

static void describe_rules(const raffle *r, raffle_info *info)
{
    const rf_rules *rules = r->rules;
    info->rehearsal = rules->rehearsal;
    memcpy(info->origin, rules->origin, sizeof info->origin);
    memcpy(info->name, rules->name, sizeof info->name);
    memcpy(info->organisation, rules->organisation, sizeof info->organisation);
    memcpy(info->licence, rules->licence, sizeof info->licence);
    memcpy(info->place, rules->place, sizeof info->place);
    memcpy(info->series, rules->series, sizeof info->series);
    info->series_number = (uint32_t)rules->series_number;
    info->buyer_tickets = (uint32_t)rules->buyer_tickets;
    memcpy(info->currency, rules->currency, sizeof info->currency);
    info->digits = (uint32_t)rules->digits;
    info->opens = rules->opens;
    info->closes = rules->closes;
    memcpy(info->rules_hash, r->open, sizeof info->rules_hash);
    info->tiers = (uint32_t)rules->tiers;
    info->prizes = (uint32_t)rules->prizes;
    info->witnesses = count_witnesses(rules);
    info->till = r->till;
}

static void describe_control(raffle *r, raffle_info *info)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    memcpy(info->control_key, c->key, sizeof info->control_key);
    info->control_size = c->size;
    info->units = (uint32_t)c->units;
    info->voids = c->voids;
    info->void_gross = c->void_gross;
    info->closed = c->final.kind != 0;
    info->drawing = c->open_prize >= 0;
    pthread_rwlock_unlock(&r->control_lock);
    info->halted = rf_log_halted(r->log);
}

/* Sums stay within what a record can say, as those of a seal do. */
static raffle_rc add_unit(raffle_info *info, uint32_t number, const rf_unit_state *s, raffle_error *err)
{
    info->tickets += s->tickets;
    info->numbers += s->numbers;
    info->voids += s->voids;
    info->gross += s->gross;
    info->void_gross += s->void_gross;
    if (info->gross > RF_JSON_INT_MAX || info->void_gross > RF_JSON_INT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the units up to %u have sold for more than an amount can say", number);
    return RAFFLE_OK;
}

static raffle_rc add_units(raffle *r, raffle_info *info, raffle_error *err)
{
    for (uint32_t number = 1; number <= info->units; number++) {
        rf_unit *u;
        rf_unit_state s;
        raffle_rc rc = rf_unit_get(r, number, &u, err);
        if (rc == RAFFLE_OK)
            rc = rf_unit_current(u, &s, err);
        if (rc == RAFFLE_OK)
            rc = add_unit(info, number, &s, err);
        if (rc != RAFFLE_OK)
            return rc;
        info->halted |= rf_log_halted(u->log);
    }
    info->pot = info->gross - info->void_gross;
    return RAFFLE_OK;
}

raffle_rc raffle_describe(raffle *r, raffle_info *info, raffle_error *err)
{
    raffle_info mine = {0};
    raffle_rc rc = enter(r, info, "info", err);
    if (rc != RAFFLE_OK)
        return rc;
    describe_rules(r, &mine);
    describe_control(r, &mine);
    rc = add_units(r, &mine, err);
    if (rc == RAFFLE_OK)
        rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return rc;
}

raffle_rc raffle_tier_at(raffle *r, uint32_t i, raffle_tier *tier, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(tier, "tier", err);
    if (rc == RAFFLE_OK && i >= r->rules->tiers)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "there are %zu tiers, and none at %u", r->rules->tiers, i);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_tier mine = {.count = (uint32_t)r->rules->tier[i].count, .price = r->rules->tier[i].price};
    memcpy(mine.name, r->rules->tier[i].name, sizeof mine.name);
    rf_struct_out(tier, rf_struct_size(tier), &mine, sizeof mine);
    return RAFFLE_OK;
}

raffle_rc raffle_local_time(raffle *r, int64_t at, char out[32], raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (out == NULL)
        return rf_null(err, "out");
    char text[32] = "";
    if (!rf_time_format_local(text, at, rf_rules_offset(r->rules, at)))
        return rf_fail(err, RAFFLE_INVALID, "%lld ms is no time between 1970 and 9999", (long long)at);
    memcpy(out, text, sizeof text);
    return RAFFLE_OK;
}

/* --- prizes --- */

/* What the units have sold by now, as raffle_describe() says it. */
static raffle_rc read_live(raffle *r, rf_live_pot *live, raffle_error *err)
{
    raffle_info info = {0};
    describe_control(r, &info);
    raffle_rc rc = add_units(r, &info, err);
    live->all = info.pot;
    return rc == RAFFLE_OK && rf_tiers_counted(r->rules) ? rf_tier_tally_all(r, info.units, live, err) : rc;
}

static bool needs_live(raffle *r, size_t i)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const bool needs = rf_prize_needs_live(&r->control, i);
    pthread_rwlock_unlock(&r->control_lock);
    return needs;
}

/* A seal that comes in between makes the live pot needless, and none takes a pot away again. */
static void describe_value(const raffle *r, size_t i, const rf_live_pot *live, raffle_prize *prize)
{
    const rf_prize_worth worth = rf_prize_worth_of(&r->control, i, live);
    prize->value = worth.is.value;
    prize->overflow = worth.is.overflow;
    prize->each = worth.is.each;
    prize->remainder = worth.is.remainder;
    prize->estimate = worth.estimate;
    prize->carry = rf_prize_carry(&r->control, i, &worth.is);
}

raffle_rc raffle_prize_at(raffle *r, uint32_t i, raffle_prize *prize, raffle_error *err)
{
    raffle_rc rc = enter(r, prize, "prize", err);
    if (rc == RAFFLE_OK && i >= r->rules->prizes)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "there are %zu prizes, and none at %u", r->rules->prizes, i);
    rf_live_pot live = {0};
    if (rc == RAFFLE_OK && needs_live(r, i))
        rc = read_live(r, &live, err);
    if (rc != RAFFLE_OK)
        return rc;
    const rf_prize_rule *rule = &r->rules->prize[i];
    raffle_prize mine = {.seal = rule->seal,
                         .winners = (uint32_t)rule->winners,
                         .alternates = (uint32_t)rule->alternates,
                         .committed = rule->committed,
                         .ace = (uint32_t)rule->ace,
                         .must_go = rule->must_go,
                         .drum = rule->drum};
    memcpy(mine.name, rule->name, sizeof mine.name);
    memcpy(mine.title, rule->title, sizeof mine.title);
    if (rule->redraw_of >= 0)
        memcpy(mine.redraw_of, r->rules->prize[rule->redraw_of].name, sizeof mine.redraw_of);
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_prize_state *p = &r->control.prize[i];
    mine.state = p->state;
    mine.attempt = p->attempts;
    mine.result = p->result;
    mine.places = (uint32_t)p->places;
    mine.waits = rf_control_waits(&r->control, i);
    describe_value(r, i, &live, &mine);
    pthread_rwlock_unlock(&r->control_lock);
    rf_struct_out(prize, rf_struct_size(prize), &mine, sizeof mine);
    return RAFFLE_OK;
}

raffle_rc raffle_prize_by_name(raffle *r, const char *name, raffle_prize *prize, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (name == NULL)
        return rf_null(err, "name");
    int i = rf_rules_prize(r->rules, name, strnlen(name, RAFFLE_WORD_SIZE));
    if (i < 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there is no prize \"%.40s\"", name);
    return raffle_prize_at(r, (uint32_t)i, prize, err);
}

/* --- _init functions --- */

void raffle_host_init(raffle_host *host, size_t size)
{
    rf_struct_init(host, size);
}

void raffle_event_code_init(raffle_event_code *code, size_t size)
{
    rf_struct_init(code, size);
}

void raffle_event_details_init(raffle_event_details *details, size_t size)
{
    rf_struct_init(details, size);
}

void raffle_event_query_init(raffle_event_query *query, size_t size)
{
    rf_struct_init(query, size);
}

void raffle_event_hit_init(raffle_event_hit *hit, size_t size)
{
    rf_struct_init(hit, size);
}

void raffle_info_init(raffle_info *info, size_t size)
{
    rf_struct_init(info, size);
}

void raffle_tier_init(raffle_tier *tier, size_t size)
{
    rf_struct_init(tier, size);
}

void raffle_unit_options_init(raffle_unit_options *options, size_t size)
{
    rf_struct_init(options, size);
}

void raffle_unit_info_init(raffle_unit_info *info, size_t size)
{
    rf_struct_init(info, size);
}

void raffle_sale_init(raffle_sale *sale, size_t size)
{
    rf_struct_init(sale, size);
}

void raffle_ticket_init(raffle_ticket *ticket, size_t size)
{
    rf_struct_init(ticket, size);
}

void raffle_seal_info_init(raffle_seal_info *info, size_t size)
{
    rf_struct_init(info, size);
}

void raffle_prize_init(raffle_prize *prize, size_t size)
{
    rf_struct_init(prize, size);
}

void raffle_draw_options_init(raffle_draw_options *options, size_t size)
{
    rf_struct_init(options, size);
}

void raffle_finish_options_init(raffle_finish_options *options, size_t size)
{
    rf_struct_init(options, size);
}

void raffle_draw_info_init(raffle_draw_info *info, size_t size)
{
    rf_struct_init(info, size);
}

void raffle_call_init(raffle_call *call, size_t size)
{
    rf_struct_init(call, size);
}

void raffle_pick_init(raffle_pick *pick, size_t size)
{
    rf_struct_init(pick, size);
}
