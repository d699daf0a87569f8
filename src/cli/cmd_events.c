/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle events`: significant events found by time, log, component and code; and the table of codes. */
#include "commands.h"
#include "times.h"

#include <string.h>

enum {
    LIMIT = 100,
    LIMIT_MAX = 100000,
    PLACE_SIZE = 64
};

static const option_spec options_of[] = {
    {"from", "TIME", "from this time on, RFC 3339"},
    {"to", "TIME", "before this time"},
    {"unit", "N", "in this sales unit's log; 0: in the control log; default: in all"},
    {"component", "WORD", "of this component: printer-3"},
    {"code", "CODE", "with this code: printer.paper-out"},
    {"newest", NULL, "the newest first"},
    {"limit", "N", "at most so many, up to 100000; default: 100"},
    {"after", "PLACE", "those that follow this one, as the command said when there were more"},
    {"reindex", NULL, "write what the indexes of events lack, from the records; finds nothing"},
    {"codes", NULL, "the codes that there are; without a STORE"},
    {NULL, NULL, NULL},
};

/* --- codes --- */

static const char *writers(uint32_t bits)
{
    static const char *const names[] = {"", "host", "library", "host, library"};
    return names[bits & 3];
}

static void print_codes_json(void)
{
    raffle_event_code code = RAFFLE_EVENT_CODE_INIT;
    json_t *all = json_must(json_array()), *o = json_must(json_object());
    for (uint32_t i = 0; raffle_event_code_get(i, &code, NULL) == RAFFLE_OK; i++) {
        json_t *row = json_must(json_object());
        json_put(row, "code", json_text(code.code));
        json_put(row, "severity", json_text(raffle_event_severity_name(code.severity)));
        json_put(row, "component", json_text(code.component));
        json_put(row, "clause", json_text(code.clause));
        json_put(row, "writers", json_text(writers(code.writers)));
        json_put(row, "meaning", json_text(code.meaning));
        json_add(all, row);
    }
    json_put(o, "codes", all);
    json_end(o, true, stdout);
}

static void print_codes(void)
{
    static const column columns[] = {{"code", false},   {"severity", false},   {"component", false},
                                     {"GLI-31", false}, {"written by", false}, {"meaning", false}};
    raffle_event_code code = RAFFLE_EVENT_CODE_INIT;
    table t;
    table_begin(&t, columns, sizeof columns / sizeof *columns);
    for (uint32_t i = 0; raffle_event_code_get(i, &code, NULL) == RAFFLE_OK; i++) {
        table_add(&t, "%s", code.code);
        table_add(&t, "%s", raffle_event_severity_name(code.severity));
        table_add(&t, "%s", code.component);
        table_add(&t, "%s", code.clause);
        table_add(&t, "%s", writers(code.writers));
        table_add(&t, "%s", code.meaning);
    }
    table_end(&t, stdout);
}

/* --- what is asked for --- */

/* TIME/LOG/INDEX. */
static bool parse_place(const char *text, raffle_event_query *query)
{
    char copy[PLACE_SIZE];
    uint64_t log = 0;
    if (!cli_copy(copy, sizeof copy, text))
        return false;
    char *first = strchr(copy, '/');
    char *second = first != NULL ? strchr(first + 1, '/') : NULL;
    if (second == NULL)
        return false;
    *first = *second = 0;
    if (!time_parse(copy, &query->last_at) || !number_parse(first + 1, &log) || log > RAFFLE_UNIT_MAX ||
        !number_parse(second + 1, &query->last_index))
        return false;
    query->last_log = (uint32_t)log;
    query->flags |= RAFFLE_EVENT_GO_ON;
    return true;
}

static int take_words(cli *c, raffle_event_query *query)
{
    const char *code = cli_option(c, "code"), *component = cli_option(c, "component"), *after = cli_option(c, "after");
    if (code != NULL && !cli_copy(query->code, sizeof query->code, code))
        return cli_usage(c, "--code is longer than a code can be");
    if (component != NULL && !cli_copy(query->component, sizeof query->component, component))
        return cli_usage(c, "--component is longer than a word can be");
    if ((code != NULL && code[0] == 0) || (component != NULL && component[0] == 0))
        return cli_usage(c, "--code and --component are words");
    if (after != NULL && !parse_place(after, query))
        return cli_usage(c, "--after is \"%.40s\", which is no place of an event", after);
    return CLI_DONE;
}

static int take_options(cli *c, raffle_event_query *query)
{
    uint64_t unit = 0, limit = LIMIT;
    raffle_event_query_init(query, sizeof *query);
    if (!options_number(&c->options, "unit", 0, RAFFLE_UNIT_MAX, &unit) ||
        !options_number(&c->options, "limit", 1, LIMIT_MAX, &limit))
        return cli_usage_fault(c);
    query->log = (uint32_t)unit;
    query->limit = (uint32_t)limit;
    if (cli_option(c, "unit") != NULL)
        query->flags |= RAFFLE_EVENT_IN_LOG;
    if (cli_flag(c, "newest"))
        query->flags |= RAFFLE_EVENT_NEWEST;
    int status = cli_time(c, "from", &query->from);
    if (status == CLI_DONE)
        status = cli_time(c, "to", &query->to);
    return status == CLI_DONE ? take_words(c, query) : status;
}

/* --- what is found --- */

typedef struct finding {
    const cli *c;
    table table;
    json_t *events;
    char last[PLACE_SIZE];
} finding;

static void json_some(json_t *o, const char *name, const char *text)
{
    if (text[0] != 0)
        json_put(o, name, json_text(text));
}

static json_t *json_hit(const raffle_event_hit *hit)
{
    json_t *o = json_must(json_object());
    json_put(o, "at", json_time(hit->at));
    json_put(o, "log", json_count(hit->log));
    json_put(o, "index", json_count(hit->index));
    json_put(o, "code", json_text(hit->code));
    if (hit->severity != 0)
        json_put(o, "severity", json_text(raffle_event_severity_name(hit->severity)));
    json_some(o, "component", hit->component);
    if (hit->count >= 0)
        json_put(o, "count", json_count((uint64_t)hit->count));
    if (hit->unit != 0)
        json_put(o, "unit", json_count(hit->unit));
    if (hit->serial != 0)
        json_put(o, "serial", json_count(hit->serial));
    if (hit->begin != 0)
        json_put(o, "began", json_count(hit->begin));
    json_put(o, "by", json_text(raffle_role_name(hit->by)));
    if (hit->ok != 0)
        json_put(o, "ok", json_text(raffle_role_name(hit->ok)));
    if (!hit->has_private)
        return o;
    json_put(o, "actor", json_text(hit->actor));
    json_some(o, "approver", hit->approver);
    json_some(o, "text", hit->text);
    json_some(o, "element", hit->element);
    json_some(o, "old", hit->old_value);
    json_some(o, "new", hit->new_value);
    json_some(o, "login", hit->login);
    json_some(o, "from", hit->from);
    return o;
}

/* What else there is to say of it, in a line; each piece with two blanks before it. */
static void describe(const raffle_event_hit *hit, char *out, size_t cap)
{
    FILE *to = fmemopen(out, cap, "w");
    if (to == NULL)
        return;
    if (hit->serial != 0)
        fprintf(to, "  ticket %u/%llu", hit->unit, (unsigned long long)hit->serial);
    else if (hit->unit != 0)
        fprintf(to, "  unit %u", hit->unit);
    if (hit->count >= 0)
        fprintf(to, "  count %lld", (long long)hit->count);
    if (hit->begin != 0)
        fprintf(to, "  began in record %llu", (unsigned long long)hit->begin);
    if (hit->login[0] != 0)
        fprintf(to, "  %s from %s", hit->login, hit->from);
    if (hit->element[0] != 0)
        fprintf(to, "  %s: \"%s\" became \"%s\"", hit->element, hit->old_value, hit->new_value);
    if (hit->approver[0] != 0)
        fprintf(to, "  approved by %s", hit->approver);
    if (hit->text[0] != 0)
        fprintf(to, "  %s", hit->text);
    fclose(to);
    text_clean(out);
}

static void add_row(finding *f, const raffle_event_hit *hit)
{
    char at[32], text[1536] = "", actor[RAFFLE_NAME_SIZE];
    memcpy(actor, hit->actor, sizeof actor);
    text_clean(actor);
    describe(hit, text, sizeof text);
    table_add(&f->table, "%s", cli_local(f->c, hit->at, at));
    if (hit->log == 0)
        table_add(&f->table, "control");
    else
        table_add(&f->table, "unit %u", hit->log);
    table_add(&f->table, "%llu", (unsigned long long)hit->index);
    table_add(&f->table, "%s", hit->severity != 0 ? raffle_event_severity_name(hit->severity) : "");
    table_add(&f->table, "%s", hit->code);
    table_add(&f->table, "%s", hit->component);
    table_add(&f->table, "%s%s%s", actor, actor[0] != 0 ? ":" : "", raffle_role_name(hit->by));
    table_add(&f->table, "%s", text[0] != 0 ? text + 2 : "");
}

static raffle_rc take_hit(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    finding *f = ctx;
    char at[TIME_SIZE];
    (void)err;
    time_format(hit->at, at);
    snprintf(f->last, sizeof f->last, "%s/%u/%llu", at, hit->log, (unsigned long long)hit->index);
    if (f->c->json)
        json_add(f->events, json_hit(hit));
    else
        add_row(f, hit);
    return RAFFLE_OK;
}

static void print_json(const finding *f, int32_t more)
{
    json_t *o = json_must(json_object());
    json_put(o, "events", f->events);
    json_put(o, "after", more ? json_text(f->last) : json_must(json_null()));
    json_end(o, true, stdout);
}

static int find(cli *c, const raffle_event_query *query)
{
    static const column columns[] = {{"at", false},   {"log", false},       {"record", true}, {"severity", false},
                                     {"code", false}, {"component", false}, {"by", false},    {"", false}};
    finding f = {.c = c, .events = json_must(json_array())};
    int32_t more = 0;
    table_begin(&f.table, columns, sizeof columns / sizeof *columns);
    raffle_rc rc = raffle_event_find(c->raffle, query, take_hit, &f, &more, &c->err);
    const bool none = f.last[0] == 0;
    table_end(&f.table, stdout);
    if (rc == RAFFLE_OK && c->json) {
        print_json(&f, more);
        return CLI_DONE;
    }
    json_decref(f.events);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    if (none)
        printf("no such events\n");
    if (more)
        printf("there are more: --after %s\n", f.last);
    return CLI_DONE;
}

static int list_codes(cli *c)
{
    if (c->options.positionals != 0)
        return cli_usage(c, "--codes are those of every STORE, and take none");
    if (c->json)
        print_codes_json();
    else
        print_codes();
    return CLI_DONE;
}

static int reindex(cli *c)
{
    uint64_t added = 0;
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    if (raffle_event_reindex(c->raffle, &added, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("%llu rows of indexes were missing\n", (unsigned long long)added);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "added", json_count(added));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int run(cli *c)
{
    raffle_event_query query;
    if (cli_flag(c, "codes"))
        return list_codes(c);
    if (c->options.positionals != 1)
        return cli_usage(c, "the events of which STORE?");
    if (cli_flag(c, "reindex"))
        return reindex(c);
    int status = take_options(c, &query);
    if (status == CLI_DONE)
        status = cli_open(c, NEED_READING);
    return status == CLI_DONE ? find(c, &query) : status;
}

const command cmd_events = {
    .name = "events",
    .usage = "STORE [--from TIME] [--to TIME] [--unit N] [--component WORD] [--code CODE] [--newest] [--limit N] "
             "[--after PLACE] | STORE --reindex | --codes",
    .summary = "find significant events by time, log, component and code",
    .example = "  raffle events gala.raffle --newest --limit 20\n"
               "  raffle events gala.raffle --code printer.paper-out --from 2026-11-21T18:00:00.000Z\n"
               "  raffle events --codes",
    .options = options_of,
    .min = 0,
    .max = 1,
    .run = run,
};
