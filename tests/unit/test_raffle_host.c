/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is called for, and how: lines for the operator's log, and that no lock is held over its functions. */
#include "fixture.h"

#include "raffle_impl.h"
#include "sqlite.h"
#include <sys/stat.h>
#include <unistd.h>

/* --- the operator's log --- */

typedef struct line {
    int32_t level;
    char text[512];
} line;

static line lines[16];
static size_t told;

/* Whether a lock of the raffle's is free: the thread that asks would wait for itself. */
static void check_free(raffle *r)
{
    ck_assert_int_eq(pthread_mutex_trylock(&r->lock), 0);
    pthread_mutex_unlock(&r->lock);
    ck_assert_int_eq(pthread_rwlock_trywrlock(&r->control_lock), 0);
    pthread_rwlock_unlock(&r->control_lock);
}

/* No lock is held, and nothing is led: that would wait for itself until the test's time is out. */
static void take_line(void *ctx, int32_t level, const char *text)
{
    (void)ctx;
    ck_assert_uint_lt(told, sizeof lines / sizeof *lines);
    ck_assert_uint_lt(strlen(text), sizeof lines->text);
    lines[told].level = level;
    strcpy(lines[told++].text, text);
    if (fx.raffle == NULL)
        return;
    check_free(fx.raffle);
    rf_log *log = fx.raffle->log;
    if (!rf_log_halted(log))
        FX_OK(rf_log_refresh(log, &fx.err));
    rf_unit *u = rf_unit_opened(fx.raffle, 1);
    if (u != NULL && !rf_log_halted(u->log))
        FX_OK(rf_log_refresh(u->log, &fx.err));
}

static void listen(void)
{
    fx.host.log = take_line;
    told = 0;
}

/* One line was told since, of this level, with these words in it. */
static void expect_line(int32_t level, const char *words)
{
    ck_assert_uint_eq(told, 1);
    ck_assert_int_eq(lines[0].level, level);
    ck_assert_msg(strstr(lines[0].text, words) != NULL, "\"%s\" is not in: %s", words, lines[0].text);
    told = 0;
}

static raffle_rc sell(const char *order)
{
    raffle_sale sale = fx_line(order, "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    return raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err);
}

START_TEST(a_quiet_night_has_no_lines)
{
    listen();
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 20);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    fx_close();
    fx_open();
    fx_sell("a", "one");
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* Below a node that is kept: the first sale hashes it again. */
START_TEST(a_damaged_log_is_told)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    fx_close();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET leaf = '{}' WHERE id = %lld", (1LL << 40) + 9);
    listen();
    fx_open();
    ck_assert_uint_eq(told, 0);
    FX_FAILS(RAFFLE_CORRUPT, sell("late"));
    expect_line(RAFFLE_LOG_ERROR, "raffle.example/fixture/unit/1 was found damaged");
    FX_FAILS(RAFFLE_HALTED, sell("later"));
    ck_assert_uint_eq(told, 0); /* once */
}
END_TEST

/* Done behind the back of a handle that has sold. */
START_TEST(damage_that_a_seal_finds_is_told)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    fx_close();
    fx.spoilt = true;
    fx.host.log = take_line;
    fx_open();
    fx_sell("verified", "one");
    fx_sql(1, "UPDATE record SET leaf = '{}' WHERE id = %lld", (1LL << 40) + 9);
    FX_FAILS(RAFFLE_CORRUPT, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    expect_line(RAFFLE_LOG_ERROR, "raffle.example/fixture/unit/1 was found damaged");
}
END_TEST

START_TEST(another_history_is_told)
{
    char old[96];
    snprintf(old, sizeof old, "%s/old", fx.folder);
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 5);
    fx_close();
    fx_copy(fx.path, old, false);
    fx_open();
    fx_sell_many(fx.unit, "one", 5);
    fx_close();
    fx_copy(old, fx.path, false);
    fx.spoilt = true;
    listen();
    fx_open();
    expect_line(RAFFLE_LOG_ERROR, "raffle.example/fixture/unit/1 is behind");
}
END_TEST

/* --- the anchor --- */

static char anchor[128], aside[136];
static bool spoil;

/* Within the transaction, when the anchor has been compared. */
static raffle_rc clock_that_spoils(void *ctx, int64_t *ms, raffle_error *err)
{
    const fixture *f = ctx;
    (void)err;
    *ms = f->now;
    if (!spoil)
        return RAFFLE_OK;
    spoil = false;
    ck_assert_int_eq(rename(anchor, aside), 0);
    ck_assert_int_eq(mkdir(anchor, 0700), 0);
    return RAFFLE_OK;
}

START_TEST(an_anchor_that_cannot_be_written_is_told)
{
    listen();
    fx.host.clock = clock_that_spoils;
    fx_create(FX_RULES);
    snprintf(anchor, sizeof anchor, "%s-anchor", fx.path);
    snprintf(aside, sizeof aside, "%s-aside", fx.path);
    spoil = true;
    FX_OK(sell("a")); /* it is sold: the anchor is found behind by the next commit */
    expect_line(RAFFLE_LOG_WARNING, "anchor of raffle.example/fixture/unit/1 was not written");
    ck_assert_int_eq(rmdir(anchor), 0);
    ck_assert_int_eq(rename(aside, anchor), 0);
    FX_OK(sell("b"));
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* --- a commit whose outcome is not known --- */

static raffle_store_table real_store;
static enum {
    KNOWN,
    THERE,
    NOT_THERE
} outcome;

static raffle_rc append_in_doubt(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                                 uint64_t *size, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    if (outcome != NOT_THERE || log != 1)
        rc = real_store.append(ctx, log, fill, fill_ctx, timeout_ms, size, err);
    return outcome == KNOWN || log != 1 ? rc : raffle_error_set(err, RAFFLE_UNKNOWN, 0, "the line was cut");
}

/* Nor can the store be asked what became of it. */
static raffle_rc head_in_doubt(void *ctx, uint32_t log, raffle_store_head *head, raffle_error *err)
{
    return outcome != THERE ? real_store.head(ctx, log, head, err)
                            : raffle_error_set(err, RAFFLE_IO, 0, "the line is dead");
}

static raffle_rc read_in_doubt(void *ctx, uint32_t log, uint64_t from, uint64_t count, raffle_store_sink_record sink,
                               void *sink_ctx, raffle_error *err)
{
    return outcome != THERE ? real_store.read(ctx, log, from, count, sink, sink_ctx, err)
                            : raffle_error_set(err, RAFFLE_IO, 0, "the line is dead");
}

/* A sale while the line is cut, which comes back afterwards. */
static raffle_rc sell_cut(const char *order, int how)
{
    outcome = how;
    const raffle_rc rc = sell(order);
    outcome = KNOWN;
    return rc;
}

START_TEST(a_settled_commit_is_told)
{
    const rf_sqlite_options options = {.path = fx.path, .create = true, .timeout_ms = 5000};
    raffle_store *store = NULL;
    raffle_keys *keys = NULL;
    void *ctx = NULL;
    char folder[128];
    listen();
    snprintf(folder, sizeof folder, "file:%s.keys", fx.path);
    FX_OK(raffle_keys_open(folder, NULL, &keys, &fx.err));
    FX_OK(rf_sqlite_open(&options, &real_store, &ctx, &fx.err));
    raffle_store_table table = real_store;
    table.append = append_in_doubt;
    table.head = head_in_doubt;
    table.read = read_in_doubt;
    FX_OK(raffle_store_new(&table, ctx, &store, &fx.err));
    FX_OK(raffle_create_with(store, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
    fx_sell("first", "one");
    FX_FAILS(RAFFLE_UNKNOWN, sell_cut("there", THERE));
    ck_assert_uint_eq(told, 0);
    FX_OK(sell("there"));
    expect_line(RAFFLE_LOG_INFO, "record 2 whose outcome was not known is settled: the log goes on there");
    FX_FAILS(RAFFLE_UNKNOWN, sell_cut("not there", NOT_THERE));
    FX_OK(sell("not there"));
    expect_line(RAFFLE_LOG_INFO, "record 3 whose outcome was not known left nothing");
    ck_assert_uint_eq(fx_info().tickets, 3);
    fx_close();
    raffle_keys_free(keys);
    raffle_store_free(store);
}
END_TEST

/* --- no lock is held over a host's function --- */

static size_t clocks, secrets;

static raffle_rc clock_that_looks(void *ctx, int64_t *ms, raffle_error *err)
{
    const fixture *f = ctx;
    (void)err;
    *ms = f->now;
    clocks++;
    if (f->raffle != NULL)
        check_free(f->raffle);
    return RAFFLE_OK;
}

static raffle *opening;

static raffle_rc secret_that_looks(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length,
                                   raffle_error *err)
{
    (void)ctx;
    (void)err;
    ck_assert_str_eq(what, "ticket-key");
    ck_assert_uint_ge(cap, 32);
    memset(out, 0x44, 32);
    *length = 32;
    secrets++;
    if (opening != NULL)
        check_free(opening);
    return RAFFLE_OK;
}

START_TEST(no_lock_is_held_over_clock_and_secret)
{
    raffle_unit_options options;
    uint32_t number = 0;
    fx.host.clock = clock_that_looks;
    fx.host.secret = secret_that_looks;
    fx_create(FX_RULES);
    opening = fx.raffle;
    const size_t before = secrets;
    clocks = 0;
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    fx_sell("a", "one");
    ck_assert_uint_eq(clocks, 2);
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "second");
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
    raffle_unit_free(fx_unit(number)); /* opened for the first time */
    ck_assert_uint_ge(secrets, before + 2);
    opening = NULL;
}
END_TEST

FX_MAIN("raffle_host", a_quiet_night_has_no_lines, a_damaged_log_is_told, damage_that_a_seal_finds_is_told,
        another_history_is_told, an_anchor_that_cannot_be_written_is_told, a_settled_commit_is_told,
        no_lock_is_held_over_clock_and_secret)
