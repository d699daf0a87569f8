/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: what they refuse, what they add up, and that a report of which any byte was changed is found out. */
#include "fixture.h"

#include <raffle/report.h>

enum {
    CAP = 1 << 20
};

static char made[CAP + 1];
static size_t length;
static raffle_report_options how;
static raffle_report_info info;

static raffle_rc gather(void *ctx, const char *bytes, size_t n, raffle_error *err)
{
    (void)ctx;
    if (n > CAP - length)
        return raffle_error_set(err, RAFFLE_FULL, 0, "the report is longer than a test's");
    memcpy(made + length, bytes, n);
    length += n;
    made[length] = 0;
    return RAFFLE_OK;
}

static void ask(const char *name, int32_t format)
{
    how = (raffle_report_options)RAFFLE_REPORT_OPTIONS_INIT;
    how.format = format;
    snprintf(how.name, sizeof how.name, "%s", name);
}

static raffle_rc write_it(void)
{
    length = 0;
    return raffle_report_write(fx.raffle, &how, gather, NULL, &fx.err);
}

static const char *make(const char *name, int32_t format)
{
    ask(name, format);
    FX_OK(write_it());
    return made;
}

/* Gives the report in pieces of `step` bytes. */
typedef struct source {
    const char *bytes;
    size_t left, step;
} source;

static raffle_rc give(void *ctx, char *bytes, size_t cap, size_t *n, raffle_error *err)
{
    source *s = ctx;
    (void)err;
    *n = s->left < s->step ? s->left : s->step;
    *n = *n < cap ? *n : cap;
    memcpy(bytes, s->bytes, *n);
    s->bytes += *n;
    s->left -= *n;
    return RAFFLE_OK;
}

static raffle_rc verify(size_t step)
{
    source s = {made, length, step};
    info = (raffle_report_info)RAFFLE_REPORT_INFO_INIT;
    return raffle_report_verify(fx.raffle, give, &s, &info, &fx.err);
}

static void has(const char *words)
{
    ck_assert_msg(strstr(made, words) != NULL, "%s is not in: %s", words, made);
}

/* Five tickets, of which one is void before the final seal and one after it; the bird and the first prize are drawn. */
static void a_night(void)
{
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_sell("b", "one");
    FX_OK(raffle_event(fx.raffle, &fx_super, 1, "printer.paper-out", "printer-1", "=changed", &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "misprint", &fx.err));
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    fx.now += FX_HOUR;
    fx_sell("c", "ten");
    fx_sell("d", "free");
    fx_sell("e", "one");
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 6, "refund", &fx.err));
    fx_draw("first");
}

START_TEST(refusals)
{
    fx_create(FX_RULES);
    ask("sales", RAFFLE_REPORT_TEXT);
    ck_assert_int_eq(raffle_report_write(fx.raffle, NULL, gather, NULL, &fx.err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_report_write(fx.raffle, &how, NULL, NULL, &fx.err), RAFFLE_MISUSE);
    ask("takings", RAFFLE_REPORT_TEXT);
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it());
    fx_said("takings");
    ask("sales", 5);
    FX_REFUSED(RAFFLE_INVALID, write_it());
    ask("sales", RAFFLE_REPORT_TEXT);
    how.unit = 2;
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it());
    ask("drawing", RAFFLE_REPORT_TEXT);
    how.unit = 1;
    FX_REFUSED(RAFFLE_INVALID, write_it());
    ask("sales", RAFFLE_REPORT_TEXT);
    memcpy(how.maker, "a\nb", 4);
    FX_REFUSED(RAFFLE_INVALID, write_it());
}
END_TEST

START_TEST(impossible_intervals)
{
    static const int64_t intervals[][2] = {{FX_NOW, FX_NOW}, {FX_NOW, FX_NOW - 1}, {-1, 0}, {0, -1}, {INT64_MAX, 0}};
    fx_create(FX_RULES);
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
        ask("sales", RAFFLE_REPORT_JSON);
        how.from = intervals[i][0];
        how.to = intervals[i][1];
        FX_REFUSED(RAFFLE_INVALID, write_it());
        ck_assert_uint_eq(length, 0);
    }
}
END_TEST

START_TEST(names)
{
    uint32_t n = 0;
    for (; raffle_report_name(n) != NULL; n++) {
        ck_assert_ptr_nonnull(raffle_report_title(n));
        ck_assert_ptr_nonnull(raffle_report_source(n));
    }
    ck_assert_uint_eq(n, 11);
    ck_assert_ptr_null(raffle_report_title(n));
    ck_assert_ptr_null(raffle_report_source(n));
}
END_TEST

/* Unit 1 was enrolled, which is an exception and an event of it; of everything else there is nothing, but for prizes that wait. */
START_TEST(nothing_was_sold)
{
    static const char *const quiet[] = {"tickets", "sales", "voids", "corruption", "events", "summary", "accounts"};
    fx_create(FX_RULES);
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) {
        for (int32_t format = RAFFLE_REPORT_TEXT; format <= RAFFLE_REPORT_HTML; format++) {
            make(quiet[i], format);
            has(format == RAFFLE_REPORT_JSON ? "\"activity\":false" : "No activity in this interval.");
        }
        make(quiet[i], RAFFLE_REPORT_JSON);
        FX_OK(verify(SIZE_MAX));
        ck_assert_uint_eq(info.rows, 0);
    }
    make("drawing", RAFFLE_REPORT_TEXT);
    has("waiting");
    make("exceptions", RAFFLE_REPORT_TEXT);
    has("unit.enrol");
}
END_TEST

START_TEST(totals)
{
    a_night();
    make("sales", RAFFLE_REPORT_JSON);
    has("\"rows\":[\n[1,\"unit 1\",5,\"1-0000001\",\"1-0000025\",25,5000,2,4,500,1,1,4500]]");
    has("\"tickets\":5,\n\"numbers\":25,\n\"gross\":5000,\n\"voids\":2,\n\"void_numbers\":4,\n\"void_gross\":500,"
        "\n\"net\":"
        "4500");
    make("accounts", RAFFLE_REPORT_JSON);
    has("\"rows\":[\n[4500,4750,null,null,-250,3,21,null]]");
    make("accounts", RAFFLE_REPORT_CSV);
    has("row,45.00,47.50,,,-2.50,3,21,\r\n");
    make("summary", RAFFLE_REPORT_JSON);
    has("[\"one\",1,500,2,2,1000,1,1,500,500],\n[\"ten\",10,2000,2,20,4000,0,0,0,4000],\n[\"free\",3,0,1,3,0,1,3,0,0]"
        "]");
    has("\"adjusted\":-250");
    make("tickets", RAFFLE_REPORT_JSON);
    has("[1,2,\"1-0000011\",\"1-0000011\",1,500,\"one\",\"2026-11-21T20:00:00.000Z\",\"void\"]");
    has("[1,6,\"1-0000022\",\"1-0000024\",3,0,\"free\",\"2026-11-21T21:00:00.000Z\",\"void\"]");
    has("\"voids\":2,\n\"void_numbers\":4,\n\"void_gross\":500}");
}
END_TEST

/* What raffle_cash() wrote is what there is; it is the raffle's, whichever unit it was counted for. */
START_TEST(money_that_was_counted)
{
    a_night();
    make("summary", RAFFLE_REPORT_JSON);
    has("\"cash\":null,\n\"long_short\":null");
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "cash", 3000, "ann", NULL, &fx.err));
    FX_OK(raffle_cash(fx.raffle, &fx_super, 1, "card", 1400, NULL, NULL, &fx.err));
    make("summary", RAFFLE_REPORT_JSON);
    has("\"cash\":4400,\n\"long_short\":-100");
    FX_OK(verify(SIZE_MAX));
    ask("summary", RAFFLE_REPORT_JSON);
    how.to = FX_NOW + FX_HOUR;
    FX_OK(write_it());
    has("\"cash\":null,\n\"long_short\":null");
}
END_TEST

START_TEST(an_interval)
{
    a_night();
    ask("sales", RAFFLE_REPORT_JSON);
    how.to = FX_NOW + FX_HOUR;
    FX_OK(write_it());
    has("[1,\"unit 1\",2,\"1-0000001\",\"1-0000011\",11,2500,1,1,500,1,1,2000]");
    FX_OK(verify(SIZE_MAX));
    ck_assert_int_eq(info.to, FX_NOW + FX_HOUR);
    how.from = how.to;
    how.to = 0;
    FX_OK(write_it());
    has("[1,\"unit 1\",3,\"1-0000012\",\"1-0000025\",14,2500,1,3,0,0,0,2500]");
    ask("drawing", RAFFLE_REPORT_JSON);
    how.from = FX_NOW - FX_HOUR;
    how.to = FX_NOW;
    FX_OK(write_it());
    has("\"activity\":false");
}
END_TEST

START_TEST(winners_and_validation_numbers)
{
    char number[RAFFLE_VALIDATION_SIZE], words[200];
    a_night();
    make("drawing", RAFFLE_REPORT_JSON);
    raffle_pick pick = fx_pick("bird", 1);
    snprintf(words, sizeof words, "[\"bird\",\"bird\",2500,1,11,1,1,1,\"winner\",\"1-%07llu\",1,%llu,",
             (unsigned long long)pick.number, (unsigned long long)pick.serial);
    has(words);
    has("\"second\",\"second\",0,2,25,1,0,null,null,null,null,null,null,\"waiting\"]");
    has("\"prizes\":4750");
    make("voids", RAFFLE_REPORT_JSON);
    snprintf(words, sizeof words, "[1,2,\"1-0000011\",\"1-0000011\",1,\"%s\",500,", fx_validation(1, 2, number));
    has(words);
    ck_assert_ptr_null(strstr(make("tickets", RAFFLE_REPORT_JSON), number));
}
END_TEST

/* Every report, in pieces of one byte, and after the raffle has gone on. */
START_TEST(verified)
{
    const char *name;
    a_night();
    for (uint32_t i = 0; (name = raffle_report_name(i)) != NULL; i++) {
        make(name, RAFFLE_REPORT_JSON);
        FX_OK(verify(1));
        FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.later", NULL, NULL, &fx.err));
        FX_OK(verify(SIZE_MAX));
        ck_assert_str_eq(info.name, name);
        ck_assert_uint_eq(info.private_cells, 0);
        ck_assert_uint_gt(info.notes, 0);
        ck_assert_int_eq(info.made, fx.now);
    }
}
END_TEST

/* Also every byte of the notes; who made it is nobody's record, and empty here. */
START_TEST(any_altered_byte)
{
    a_night();
    make("drawing", RAFFLE_REPORT_JSON);
    for (size_t i = 0; i < length; i++) {
        made[i] ^= 1;
        ck_assert_msg(verify(SIZE_MAX) != RAFFLE_OK, "byte %zu of %zu: %.80s", i, length, made + i);
        made[i] ^= 1;
    }
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_OK(verify(SIZE_MAX));
}
END_TEST

START_TEST(cut_off)
{
    a_night();
    make("voids", RAFFLE_REPORT_JSON);
    const size_t whole = length;
    for (length = 0; length < whole; length++)
        ck_assert_int_ne(verify(SIZE_MAX), RAFFLE_OK);
    raffle_error_init(&fx.err, sizeof fx.err);
    memcpy(made + whole, "\n", 2);
    length = whole + 1;
    FX_FAILS(RAFFLE_MISMATCH, verify(SIZE_MAX));
}
END_TEST

START_TEST(no_report)
{
    fx_create(FX_RULES);
    static const char *const texts[] = {"", "{}", "{},\n\"draws_aborted\":", "[[[[,\n\"draws_aborted\":"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        length = (size_t)snprintf(made, sizeof made, "%s", texts[i]);
        FX_FAILS(RAFFLE_INVALID, verify(SIZE_MAX));
    }
    make("sales", RAFFLE_REPORT_TEXT);
    FX_FAILS(RAFFLE_INVALID, verify(SIZE_MAX));
}
END_TEST

/* Private columns are empty without keys or parts, and compared where they are on both sides. */
START_TEST(private_cells)
{
    a_night();
    make("voids", RAFFLE_REPORT_JSON);
    raffle *whole = fx.raffle, *reader;
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    fx.raffle = reader;
    FX_OK(verify(SIZE_MAX));
    ck_assert_uint_eq(info.private_cells, 2);
    make("voids", RAFFLE_REPORT_JSON);
    has("1,null,500,");
    fx.raffle = whole;
    FX_OK(verify(SIZE_MAX));
    ck_assert_uint_eq(info.private_cells, 2);
    raffle_free(reader);
}
END_TEST

START_TEST(hostile_texts)
{
    fx_create("{\"origin\":\"raffle.example/"
              "fixture\",\"name\":\"<b>&\\\"'\",\"organisation\":\"=1+1,\\\"x\\\"\",\"currency\":\"CAD\","
              "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"
              "\"rng\":[\"system\",\"host:coin\"]," FX_TIERS FX_PRIZES "}");
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.text", NULL, "@sum(\"<script>\")", &fx.err));
    make("events", RAFFLE_REPORT_CSV);
    has("head,Organisation,\"'=1+1,\"\"x\"\"\",");
    has(",\"'@sum(\"\"<script>\"\")\",,,,,\r\n");
    make("events", RAFFLE_REPORT_HTML);
    has("&lt;b&gt;&amp;&quot;&#39;");
    has("@sum(&quot;&lt;script&gt;&quot;)");
    ck_assert_ptr_null(strstr(made, "<script"));
    make("events", RAFFLE_REPORT_JSON);
    has("\"@sum(\\\"<script>\\\")\"");
}
END_TEST

static raffle_rc fail_write(void *ctx, const char *bytes, size_t n, raffle_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)n;
    return raffle_error_set(err, RAFFLE_FULL, 7, "the disk is full");
}

static raffle_rc stop(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    (void)err;
    ck_assert_uint_le(done, total);
    ++*(int *)ctx;
    return RAFFLE_TIMEOUT;
}

START_TEST(the_host_ends_it)
{
    int asked = 0;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 9000);
    ask("tickets", RAFFLE_REPORT_CSV);
    ck_assert_int_eq(raffle_report_write(fx.raffle, &how, fail_write, NULL, &fx.err), RAFFLE_HOST);
    ck_assert_uint_eq(fx.err.token, 7);
    ck_assert_ptr_nonnull(strstr(fx.err.message, "the disk is full"));
    raffle_error_init(&fx.err, sizeof fx.err);
    how.progress = stop;
    how.progress_ctx = &asked;
    FX_FAILS(RAFFLE_TIMEOUT, write_it());
    ck_assert_int_eq(asked, 1);
}
END_TEST

/* What is damaged is refused by every report, but for the one that is there to say so: with what is read before the damage. */
START_TEST(a_damaged_unit)
{
    a_night();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '2000', '2001') WHERE id = %lld", (1LL << 40) + 5);
    ask("sales", RAFFLE_REPORT_JSON);
    FX_FAILS(RAFFLE_CORRUPT, write_it());
    make("corruption", RAFFLE_REPORT_JSON);
    has("[1,\"unit 1\",null,\"damaged\",2500,500,2,11,");
    has("\"units\":1");
    FX_FAILS(RAFFLE_HISTORY, verify(SIZE_MAX));
}
END_TEST

/* Nothing that a record says is impossible, and it is not what was signed. */
START_TEST(an_altered_record)
{
    a_night();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, 'misprint', 'refund') WHERE id = %lld", (1LL << 40) + 4);
    ask("voids", RAFFLE_REPORT_JSON);
    FX_FAILS(RAFFLE_CORRUPT, write_it());
    fx_said("root");
}
END_TEST

/* The private part is no leaf; its hash is in one. */
START_TEST(an_altered_private_part)
{
    a_night();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET private = replace(private, '=changed', '=altered') WHERE id = %lld", (1LL << 40) + 3);
    ask("events", RAFFLE_REPORT_JSON);
    FX_FAILS(RAFFLE_CORRUPT, write_it());
    fx_said("private");
    make("sales", RAFFLE_REPORT_JSON);
    FX_OK(verify(SIZE_MAX));
}
END_TEST

FX_MAIN("report", refusals, impossible_intervals, names, nothing_was_sold, totals, money_that_was_counted, an_interval,
        winners_and_validation_numbers, verified, any_altered_byte, cut_off, no_report, private_cells, hostile_texts,
        the_host_ends_it, a_damaged_unit, an_altered_record, an_altered_private_part)
