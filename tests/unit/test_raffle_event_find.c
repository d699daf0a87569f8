/* SPDX-License-Identifier: Apache-2.0 */
/* Events found by time, log, component and code, against a list that the test keeps itself; and what forged indexes lead to. */
#include "fixture.h"

enum {
    EVENTS = 420,
    MOST = EVENTS + 8
};

/* The test's own list. */
typedef struct entry {
    int64_t at;
    uint32_t log;
    uint64_t index;
    const char *code, *component;
} entry;

static entry kept[MOST], wanted[MOST];
static raffle_event_hit found[MOST];
static size_t kept_n, wanted_n, found_n;
static raffle_event_query query;

static const char rules[] = FX_HEAD FX_TIERS FX_PRIZES ",\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]}";

static void begin(void)
{
    kept_n = 0;
    fx_create(rules);
}

static raffle_rc gather(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)ctx;
    (void)err;
    ck_assert_uint_lt(found_n, MOST);
    ck_assert_uint_eq(hit->struct_size, sizeof *hit);
    found[found_n++] = *hit;
    return RAFFLE_OK;
}

static void write_event(const raffle_actor *by, uint32_t log, const char *code, const char *component, const char *text)
{
    FX_OK(raffle_event(fx.raffle, by, log, code, component, text, &fx.err));
    kept[kept_n++] = (entry){fx.now, log, fx_size(log) - 1, code, component};
}

/* Of three logs, five codes and four components, some at the same time; and once the clock goes back in one log. */
static void write_many(size_t n)
{
    static const char *const codes[] = {"x.a", "x.ab", "printer.paper-out", "comm.fail", "comm.up"};
    static const char *const components[] = {NULL, "printer-1", "printer-10", "gate"};
    uint32_t dice = 12345;
    for (size_t i = 0; i < n; i++) {
        dice = dice * 1103515245 + 12345;
        const uint32_t log = (dice >> 16) % 3;
        fx.now += (dice >> 20) % 3 == 0 ? 0 : 40;
        write_event(&fx_boss, log, codes[(dice >> 18) % 5], components[(dice >> 24) % 4], NULL);
        if (i == n / 2) {
            fx.now -= 500;
            for (uint32_t l = 0; l < 3; l++)
                write_event(&fx_boss, l, "clock.reset", "clock", "went back");
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int sign = (query.flags & RAFFLE_EVENT_NEWEST) != 0 ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -sign : sign;
    if (x->log != y->log)
        return x->log < y->log ? -sign : sign;
    return x->index < y->index ? -sign : x->index > y->index ? sign : 0;
}

static bool chosen(const entry *e)
{
    return e->at >= query.from && (query.to == 0 || e->at < query.to) &&
           ((query.flags & RAFFLE_EVENT_IN_LOG) == 0 || e->log == query.log) &&
           (query.code[0] == 0 || strcmp(e->code, query.code) == 0) &&
           (query.component[0] == 0 || (e->component != NULL && strcmp(e->component, query.component) == 0));
}

static void choose(void)
{
    wanted_n = 0;
    for (size_t i = 0; i < kept_n; i++)
        if (chosen(&kept[i]))
            wanted[wanted_n++] = kept[i];
    qsort(wanted, wanted_n, sizeof *wanted, by_place);
}

static void ask(uint32_t flags, uint32_t log, const char *component, const char *code)
{
    query = (raffle_event_query)RAFFLE_EVENT_QUERY_INIT;
    query.flags = flags;
    query.log = log;
    snprintf(query.component, sizeof query.component, "%s", component);
    snprintf(query.code, sizeof query.code, "%s", code);
}

static raffle_rc find(void)
{
    int32_t more = 9;
    found_n = 0;
    return raffle_event_find(fx.raffle, &query, gather, NULL, &more, &fx.err);
}

static void same(size_t from, size_t n)
{
    ck_assert_uint_eq(found_n, n);
    for (size_t i = 0; i < n; i++) {
        const entry *e = &wanted[from + i];
        const raffle_event_hit *hit = &found[i];
        ck_assert_int_eq(hit->at, e->at);
        ck_assert_uint_eq(hit->log, e->log);
        ck_assert_uint_eq(hit->index, e->index);
        ck_assert_str_eq(hit->code, e->code);
        ck_assert_str_eq(hit->component, e->component != NULL ? e->component : "");
    }
}

/* In pages of seven, which together are what was found at once. */
static void page(void)
{
    int32_t more = 1;
    query.limit = 7;
    for (size_t from = 0; more == 1; from += 7) {
        found_n = 0;
        FX_OK(raffle_event_find(fx.raffle, &query, gather, NULL, &more, &fx.err));
        const size_t left = wanted_n - from;
        same(from, left < 7 ? left : 7);
        ck_assert_int_eq(more, left > 7);
        if (found_n == 0)
            break;
        query.flags |= RAFFLE_EVENT_GO_ON;
        query.last_at = found[found_n - 1].at;
        query.last_log = found[found_n - 1].log;
        query.last_index = found[found_n - 1].index;
    }
}

static void ask_all_ways(int64_t from, int64_t to)
{
    static const char *const codes[] = {"", "x.a", "comm.up", "clock.reset", "printer.paper-low"};
    static const char *const components[] = {"", "printer-1", "gate", "nobody"};
    for (size_t i = 0; i < 5 * 4 * 4 * 2; i++) {
        const uint32_t log = (uint32_t)(i / 20 % 4);
        const uint32_t newest = i / 80 == 0 ? 0 : RAFFLE_EVENT_NEWEST;
        ask(newest | (log < 3 ? RAFFLE_EVENT_IN_LOG : 0), log < 3 ? log : 0, components[i / 5 % 4], codes[i % 5]);
        query.from = from;
        query.to = to;
        choose();
        FX_OK(find());
        same(0, wanted_n);
        page();
    }
}

START_TEST(finds_what_was_written)
{
    begin();
    fx_sell("a", "ten");
    write_many(EVENTS);
    ask_all_ways(0, 0);
    ask_all_ways(FX_NOW + 2000, FX_NOW + 6000);
    ask_all_ways(kept[100].at, kept[101].at + 1);
    ask_all_ways(kept[100].at, 0);
    ask(0, 0, "", "");
    FX_OK(find());
    ck_assert_uint_eq(found_n, EVENTS + 3);
}
END_TEST

START_TEST(what_a_hit_says)
{
    begin();
    FX_OK(raffle_event(fx.raffle, &fx_super, 2, "printer.paper-out", "printer-1", "a \"roll\"", &fx.err));
    ask(0, 0, "", "");
    FX_OK(find());
    ck_assert_uint_eq(found_n, 1);
    const raffle_event_hit *hit = &found[0];
    ck_assert_uint_eq(hit->log, 2);
    ck_assert_int_eq(hit->by, RAFFLE_SUPERVISOR);
    ck_assert_int_eq(hit->ok, 0);
    ck_assert_int_eq(hit->count, -1);
    ck_assert_int_eq(hit->severity, RAFFLE_EVENT_WARNING);
    ck_assert_uint_eq(hit->unit, 0);
    ck_assert_int_eq(hit->has_private, 1);
    ck_assert_str_eq(hit->text, "a \"roll\"");
    ck_assert_str_eq(hit->actor, fx_super.id);
    fx_sell("a", "one");
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    ask(RAFFLE_EVENT_NEWEST, 0, "", "private.erased");
    FX_OK(find());
    ck_assert_uint_eq(found_n, 1);
    ck_assert_uint_eq(found[0].unit, 1);
    ck_assert_uint_eq(found[0].serial, 1);
}
END_TEST

/* A reader without keys, and one who reads while the raffle goes on. */
static raffle_rc write_one(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)hit;
    (*(int *)ctx)++;
    return raffle_event(fx.raffle, &fx_boss, 0, "x.later", NULL, NULL, err);
}

static raffle_rc enough(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)hit;
    (*(int *)ctx)++;
    return raffle_error_set(err, RAFFLE_HOST, 0, "enough");
}

START_TEST(sinks)
{
    raffle *reader = NULL;
    int calls = 0;
    begin();
    write_many(20);
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    ask(0, 0, "", "x.a");
    choose();
    FX_OK(raffle_event_find(reader, &query, write_one, &calls, NULL, &fx.err));
    ck_assert_int_eq(calls, (int)wanted_n);
    raffle_free(reader);
    calls = 0;
    FX_FAILS(RAFFLE_HOST, raffle_event_find(fx.raffle, &query, enough, &calls, NULL, &fx.err));
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(refusals)
{
    int32_t more = 7;
    begin();
    write_many(5);
    ask(0, 0, "", "");
    FX_FAILS(RAFFLE_MISUSE, raffle_event_find(NULL, &query, gather, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_event_find(fx.raffle, NULL, gather, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_event_find(fx.raffle, &query, NULL, NULL, NULL, &fx.err));
    ck_assert_int_eq(raffle_event_find(NULL, &query, gather, NULL, &more, NULL), RAFFLE_MISUSE);
    ck_assert_int_eq(more, 7);
    ask(8, 0, "", "");
    FX_FAILS(RAFFLE_UNSUPPORTED, find());
    ask(0, 0, "", "printer.on-fire");
    FX_FAILS(RAFFLE_NOT_FOUND, find());
    fx_said("printer.on-fire");
    ask(0, 0, "", "Printer");
    FX_FAILS(RAFFLE_INVALID, find());
    ask(0, 0, "two words", "");
    FX_FAILS(RAFFLE_INVALID, find());
    ask(0, 0, "", "x.a");
    memset(query.code, 'a', sizeof query.code);
    FX_FAILS(RAFFLE_INVALID, find());
    memset(query.component, 'a', sizeof query.component);
    query.code[0] = 0;
    FX_FAILS(RAFFLE_INVALID, find());
    ask(RAFFLE_EVENT_IN_LOG, 3, "", "");
    FX_FAILS(RAFFLE_NOT_FOUND, find());
    ask(RAFFLE_EVENT_IN_LOG, UINT32_MAX, "", "");
    FX_FAILS(RAFFLE_NOT_FOUND, find());
}
END_TEST

START_TEST(impossible_times)
{
    static const int64_t times[][2] = {{5, 5},         {6, 5},         {-1, 0},        {0, -1},
                                       {INT64_MAX, 0}, {0, INT64_MAX}, {INT64_MIN, 5}, {FX_NOW, 1}};
    begin();
    write_many(5);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ask(i % 2 == 0 ? 0 : RAFFLE_EVENT_NEWEST, 0, "", "");
        query.from = times[i][0];
        query.to = times[i][1];
        FX_FAILS(RAFFLE_INVALID, find());
    }
    ask(RAFFLE_EVENT_GO_ON, 0, "", "");
    query.last_log = 65536;
    FX_FAILS(RAFFLE_INVALID, find());
    query.last_log = 0;
    query.last_index = UINT64_C(1) << 40;
    FX_FAILS(RAFFLE_INVALID, find());
    query.last_index = 0;
    query.last_at = -1;
    FX_FAILS(RAFFLE_INVALID, find());
    query.last_at = INT64_C(1) << 48;
    FX_FAILS(RAFFLE_INVALID, find());
    ask(RAFFLE_EVENT_GO_ON, 0, "", ""); /* behind the first place that there can be, and behind the last */
    FX_OK(find());
    ck_assert_uint_eq(found_n, kept_n);
    query.last_at = (INT64_C(1) << 48) - 1;
    query.last_log = 65535;
    query.last_index = (UINT64_C(1) << 40) - 1;
    FX_OK(find());
    ck_assert_uint_eq(found_n, 0);
    query.flags |= RAFFLE_EVENT_NEWEST;
    FX_OK(find());
    ck_assert_uint_eq(found_n, kept_n);
    query.last_at = query.last_log = 0;
    query.last_index = 0;
    FX_OK(find());
    ck_assert_uint_eq(found_n, 0);
}
END_TEST

START_TEST(a_published_copy_has_no_index)
{
    char folder[160], uri[180];
    raffle *copy = NULL;
    begin();
    write_many(5);
    snprintf(folder, sizeof folder, "%s/p", fx.folder);
    snprintf(uri, sizeof uri, "folder:%s", folder);
    FX_OK(raffle_publish(fx.raffle, folder, NULL, NULL, &fx.err));
    FX_OK(raffle_open(uri, NULL, &fx.host, &copy, &fx.err));
    ask(0, 0, "", "");
    FX_FAILS(RAFFLE_UNSUPPORTED, raffle_event_find(copy, &query, gather, NULL, NULL, &fx.err));
    raffle_free(copy);
}
END_TEST

/* --- forged indexes --- */

/* An event in each log, and a sale; closed, to be altered. */
static void to_be_altered(void)
{
    begin();
    fx_sell("a", "one");
    for (uint32_t log = 0; log < 3; log++)
        write_event(&fx_boss, log, "x.a", "gate", NULL);
    fx_close();
    fx.spoilt = true;
}

/* Every row of an index, of another record than it says, of a record that is no such event, or of none. */
static void forge(const char *sql, int rows)
{
    to_be_altered();
    fx_sql(rows, "%s", sql);
    fx_open();
    for (uint32_t newest = 0; newest < 2; newest++) {
        ask(newest, 0, "", "");
        FX_FAILS(RAFFLE_CORRUPT, find());
    }
}

START_TEST(a_row_of_another_record)
{
    forge("UPDATE key SET id = id + 1 WHERE key >= x'07' AND key < x'08'", 3);
}
END_TEST

START_TEST(a_row_of_another_log)
{
    forge("UPDATE key SET id = 1099511627776 * 2 WHERE key >= x'07' AND key < x'08'", 3);
}
END_TEST

START_TEST(a_row_of_another_length)
{
    forge("INSERT INTO key (key, id) VALUES (x'0700', 1)", 1);
}
END_TEST

START_TEST(a_row_of_a_sale)
{
    forge("INSERT INTO key (key, id) VALUES (x'0701a2000000000001' || x'0000000001', 1099511627777);"
          "UPDATE key SET key = CAST(key AS BLOB) WHERE typeof(key) = 'text'",
          2);
}
END_TEST

START_TEST(a_row_of_no_record)
{
    forge("INSERT INTO key (key, id) VALUES (x'0701a200000000000000000fffff', 1048575)", 1);
}
END_TEST

START_TEST(rows_under_another_code)
{
    to_be_altered();
    fx_sql(3, "UPDATE key SET key = CAST(x'05' || 'x.b' || substr(key, 5) AS BLOB) WHERE key >= x'05' AND key < x'06'");
    fx_open();
    ask(0, 0, "", "x.b");
    FX_FAILS(RAFFLE_CORRUPT, find());
    fx_said("another");
    fx_close();
    ck_assert_uint_gt(fx_faults(), 0);
    fx_open();
}
END_TEST

START_TEST(rows_under_another_component)
{
    to_be_altered();
    fx_sql(3,
           "UPDATE key SET key = CAST(x'04' || 'door' || substr(key, 6) AS BLOB) WHERE key >= x'04' AND key < x'05'");
    fx_open();
    ask(RAFFLE_EVENT_NEWEST, 0, "door", "");
    FX_FAILS(RAFFLE_CORRUPT, find());
    ask(0, 0, "gate", "");
    FX_OK(find());
    ck_assert_uint_eq(found_n, 0);
    fx_close();
    ck_assert_uint_gt(fx_faults(), 0);
    fx_open();
}
END_TEST

/* What an index leaves out the audit finds, of each index. */
START_TEST(missing_rows)
{
    static const char *const index[] = {"x'030000' AND key < x'0301'", "x'04' AND key < x'05'", "x'05' AND key < x'06'",
                                        "x'07' AND key < x'08'"};
    to_be_altered();
    ck_assert_uint_eq(fx_faults(), 0);
    for (uint64_t i = 0, rows = 0; i < 4; i++) {
        fx_sql(3, "DELETE FROM key WHERE key >= %s", index[i]);
        rows += 3;
        ck_assert_uint_eq(fx_faults(), rows);
    }
    fx_open();
}
END_TEST

/* Which are made again from the records, and only those. */
START_TEST(indexes_made_again)
{
    uint64_t added = 9;
    begin();
    write_many(300);
    fx_sell("a", "one");
    FX_OK(raffle_event_reindex(fx.raffle, &added, &fx.err));
    ck_assert_uint_eq(added, 0);
    fx_close();
    fx_sql(303, "DELETE FROM key WHERE key >= x'07' AND key < x'08'");
    fx_sql(1, "DELETE FROM key WHERE key = (SELECT min(key) FROM key WHERE key >= x'05')");
    fx.spoilt = true;
    ck_assert_uint_eq(fx_faults(), 304);
    fx.spoilt = false;
    fx_open();
    FX_OK(raffle_event_reindex(fx.raffle, &added, &fx.err));
    ck_assert_uint_eq(added, 304);
    FX_OK(raffle_event_reindex(fx.raffle, NULL, &fx.err));
    ask_all_ways(0, 0);
    fx_sell("b", "one"); /* the state beside the log is as it was */
    FX_FAILS(RAFFLE_MISUSE, raffle_event_reindex(NULL, &added, &fx.err));
}
END_TEST

START_TEST(a_wrong_row_is_not_mended)
{
    raffle *reader = NULL;
    uint64_t added = 9;
    to_be_altered();
    fx_sql(1, "UPDATE key SET id = id + 1 WHERE key = (SELECT max(key) FROM key WHERE key < x'08')");
    fx_open();
    FX_FAILS(RAFFLE_CORRUPT, raffle_event_reindex(fx.raffle, &added, &fx.err));
    ck_assert_uint_eq(added, 0);
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_event_reindex(reader, &added, &fx.err));
    raffle_free(reader);
}
END_TEST

START_TEST(another_private_part)
{
    to_be_altered();
    fx_sql(1, "UPDATE record SET private = replace(private, '\"actor\":\"', '\"actor\":\"b') WHERE leaf LIKE '%%x.a%%' "
              "AND id < 100");
    fx_open();
    ask(0, 0, "", "x.a");
    FX_FAILS(RAFFLE_CORRUPT, find());
    fx_said("private");
}
END_TEST

/* --- codes --- */

START_TEST(codes)
{
    raffle_event_code code = RAFFLE_EVENT_CODE_INIT;
    char last[RAFFLE_WORD_SIZE] = "";
    uint32_t n = 0;
    begin();
    for (; raffle_event_code_get(n, &code, NULL) == RAFFLE_OK; n++) {
        ck_assert_int_lt(strcmp(last, code.code), 0);
        ck_assert_ptr_nonnull(raffle_event_severity_name(code.severity));
        ck_assert_uint_ge(code.writers, 1);
        ck_assert_uint_le(code.writers, 3);
        ck_assert(code.component[0] != 0 && code.clause[0] != 0 && code.meaning[0] != 0);
        ask(0, 0, "", code.code);
        FX_OK(find());
        ck_assert_uint_eq(found_n, 0);
        snprintf(last, sizeof last, "%s", code.code);
    }
    ck_assert_uint_gt(n, 20);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_event_code_get(n, &code, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_event_code_get(UINT32_MAX, &code, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_event_code_get(0, NULL, &fx.err));
    ck_assert_ptr_null(raffle_event_severity_name(0));
    ck_assert_ptr_null(raffle_event_severity_name(4));
}
END_TEST

/* Whom the table names as its writer, and nobody else, may write a code; three need more than a code (test_raffle_event.c). */
START_TEST(a_host_writes_what_the_table_says)
{
    raffle_event_code code = RAFFLE_EVENT_CODE_INIT;
    begin();
    for (uint32_t i = 0; raffle_event_code_get(i, &code, NULL) == RAFFLE_OK; i++) {
        const bool more = strcmp(code.code, "data.altered") == 0 || strncmp(code.code, "remote.", 7) == 0;
        if (more || (code.writers & RAFFLE_EVENT_BY_HOST) == 0)
            FX_REFUSED(strcmp(code.code, "remote.end") == 0 ? RAFFLE_NOT_FOUND : RAFFLE_INVALID,
                       raffle_event(fx.raffle, &fx_boss, 0, code.code, NULL, NULL, &fx.err));
        else
            FX_OK(raffle_event(fx.raffle, &fx_boss, 0, code.code, NULL, NULL, &fx.err));
    }
    FX_REFUSED(RAFFLE_INVALID, raffle_event(fx.raffle, &fx_boss, 0, "printer.on-fire", NULL, NULL, &fx.err));
}
END_TEST

FX_MAIN("raffle_event_find", finds_what_was_written, what_a_hit_says, sinks, refusals, impossible_times,
        a_published_copy_has_no_index, a_row_of_another_record, a_row_of_another_log, a_row_of_another_length,
        a_row_of_a_sale, a_row_of_no_record, rows_under_another_code, rows_under_another_component, missing_rows,
        indexes_made_again, a_wrong_row_is_not_mended, another_private_part, codes, a_host_writes_what_the_table_says)
