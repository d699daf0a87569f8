/* SPDX-License-Identifier: Apache-2.0 */
/* Making and opening: what is refused, keys, and stores that were altered, cut, restored or locked. */
#include "fixture.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static raffle_rc create(const raffle_actor *by, const char *rules)
{
    raffle *r = NULL;
    raffle_rc rc = raffle_create(fx.store, NULL, &fx.host, rules, strlen(rules), by, &r, &fx.err);
    ck_assert_int_eq(r != NULL, rc == RAFFLE_OK);
    raffle_free(r);
    return rc;
}

static raffle_rc open_full(raffle **out)
{
    raffle_host host = fx.host;
    host.flags |= RAFFLE_HOST_VERIFY_FULL;
    return raffle_open(fx.store, NULL, &host, out, &fx.err);
}

static raffle_rc sell_one(const char *order)
{
    raffle_sale sale = fx_line(order, "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    return raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err);
}

static void nothing_was_made(void)
{
    char keys[96];
    snprintf(keys, sizeof keys, "%s.keys", fx.path);
    ck_assert_int_ne(access(fx.path, F_OK), 0);
    ck_assert_int_ne(access(keys, F_OK), 0);
}

/* --- create --- */

START_TEST(a_refused_creation_makes_nothing)
{
    FX_FAILS(RAFFLE_ROLE, create(&fx_seller, FX_RULES));
    nothing_was_made();
    FX_FAILS(RAFFLE_ROLE, create(&fx_super, FX_RULES));
    FX_FAILS(RAFFLE_INVALID, create(&fx_boss, "{}"));
    FX_FAILS(RAFFLE_INVALID, create(&fx_boss, ""));
    raffle_actor nobody = fx_boss;
    nobody.id[0] = 0;
    FX_FAILS(RAFFLE_INVALID, create(&nobody, FX_RULES));
    fx.host.flags = RAFFLE_HOST_REPLAYED_CLOCK;
    FX_FAILS(RAFFLE_REHEARSAL, create(&fx_boss, FX_RULES));
    fx.host.flags = 64;
    FX_FAILS(RAFFLE_UNSUPPORTED, create(&fx_boss, FX_RULES));
    nothing_was_made();
}
END_TEST

/* Neither the next opening nor an audit could read where they are. */
START_TEST(keys_at_a_path_that_cannot_be_noted)
{
    static const char *const names[] = {"a\tb", "a\xc2\x9f", "a\xff"};
    raffle *r = NULL;
    char keys[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(keys, sizeof keys, "file:%s/%s.keys", fx.folder, names[i]);
        FX_FAILS(RAFFLE_INVALID,
                 raffle_create(fx.store, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err));
        nothing_was_made();
    }
    snprintf(keys, sizeof keys, "file:%s/a%%09b.keys", fx.folder);
    FX_OK(raffle_create(fx.store, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err));
    raffle_free(r);
    FX_OK(open_full(&r));
    raffle_free(r);
}
END_TEST

START_TEST(a_store_holds_one_raffle)
{
    FX_OK(create(&fx_admin, FX_RULES));
    fx_open();
    FX_REFUSED(RAFFLE_EXISTS, create(&fx_boss, FX_RULES));
    FX_REFUSED(RAFFLE_EXISTS, create(&fx_boss, FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"p\"}]}"));
    ck_assert_uint_eq(fx_info().control_size, 3); /* raffle.open, unit.enrol, unit.enable */
}
END_TEST

START_TEST(a_creation_that_was_cut_off_is_finished)
{
    static const char rules[] =
        FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\",\"quota\":9}]," FX_PRIZES "}";
    fx_create(rules);
    raffle_info whole = fx_info();
    ck_assert_uint_eq(whole.control_size, 5);
    fx_close();
    for (int kept = 1; kept < 5; kept++) {
        char anchor[96];
        snprintf(anchor, sizeof anchor, "%s-anchor", fx.path);
        ck_assert_int_eq(unlink(anchor), 0);
        fx_sql(5 - kept, "DELETE FROM record WHERE id >= %d AND id < 1000", kept);
        fx_sql(1, "UPDATE log SET size = %d WHERE log = 0", kept);
        raffle *r = NULL;
        FX_FAILS(RAFFLE_EXISTS,
                 raffle_create(fx.store, NULL, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err));
        FX_OK(raffle_create(fx.store, NULL, &fx.host, rules, strlen(rules), &fx_boss, &r, &fx.err));
        raffle_free(r);
        fx_open();
        ck_assert_uint_eq(fx_info().control_size, 5);
        ck_assert_uint_eq(fx_unit_info(2).quota, 9);
        ck_assert_int_eq(fx_unit_info(2).enabled, 1);
        fx_close();
    }
    fx_open();
    fx_sell("a", "one");
}
END_TEST

START_TEST(what_is_described_is_what_the_rules_say)
{
    raffle_tier tier = RAFFLE_TIER_INIT;
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    char local[32] = "untouched";
    fx_create(FX_HEAD FX_TIERS "\"licence\":\"L-1\",\"series\":{\"name\":\"Weekly\",\"number\":12},\"place\":\"Hall\","
                               "\"zone\":[{\"from\":\"2026-11-01T09:00:00.000Z\",\"offset\":-420}],"
                               "\"digits\":3," FX_PRIZES "}");
    raffle_info info = fx_info();
    ck_assert_str_eq(info.origin, "raffle.example/fixture");
    ck_assert_str_eq(info.name, "Fixture");
    ck_assert_str_eq(info.licence, "L-1");
    ck_assert_str_eq(info.series, "Weekly");
    ck_assert_uint_eq(info.series_number, 12);
    ck_assert_str_eq(info.place, "Hall");
    ck_assert_str_eq(info.currency, "CAD");
    ck_assert_uint_eq(info.digits, 3);
    ck_assert_int_eq(info.opens, FX_NOW - FX_HOUR);
    ck_assert_int_eq(info.closes, FX_NOW + 9 * FX_HOUR);
    ck_assert_uint_eq(info.tiers, 3);
    ck_assert_uint_eq(info.prizes, 3);
    ck_assert_uint_eq(info.units, 1);
    FX_OK(raffle_tier_at(fx.raffle, 1, &tier, &fx.err));
    ck_assert_str_eq(tier.name, "ten");
    ck_assert_uint_eq(tier.count, 10);
    ck_assert_int_eq(tier.price, 2000);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_tier_at(fx.raffle, 3, &tier, &fx.err));
    FX_OK(raffle_prize_at(fx.raffle, 1, &prize, &fx.err));
    ck_assert_str_eq(prize.name, "first");
    ck_assert_int_eq(prize.value, 0);
    ck_assert_int_eq(prize.estimate, 1);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_prize_at(fx.raffle, 3, &prize, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_prize_by_name(fx.raffle, "none", &prize, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_local_time(fx.raffle, -1, local, &fx.err));
    ck_assert_str_eq(local, "untouched");
    FX_OK(raffle_local_time(fx.raffle, FX_NOW, local, &fx.err));
    ck_assert_str_eq(local, "2026-11-21T13:00:00.000-07:00");
}
END_TEST

/* --- opening --- */

START_TEST(without_keys_a_raffle_is_read)
{
    raffle *r = NULL;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_sale sale = fx_line("b", "one");
    raffle_unit *unit = NULL;
    raffle_draw *draw = NULL;
    uint32_t number;
    raffle_unit_options options;
    char note[2048], validation[RAFFLE_VALIDATION_SIZE];
    size_t length, n;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "x");
    FX_OK(raffle_open(fx.store, "", &fx.host, &r, &fx.err));
    FX_OK(raffle_ticket_get(r, 1, 1, &ticket, &fx.err));
    ck_assert_str_eq(ticket.order, "a");
    FX_OK(raffle_unit_open(r, 1, &unit, &fx.err));
    fx_remember();
    FX_FAILS(RAFFLE_KEY, raffle_unit_sell(unit, &fx_seller, &sale, 1, 0, &ticket, &fx.err));
    ck_assert_int_eq(ticket.rc, RAFFLE_KEY);
    FX_FAILS(RAFFLE_KEY, raffle_void(r, &fx_super, 1, 1, "refund", &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_unit_close(unit, &fx_boss, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_seal(r, &fx_boss, NULL, RAFFLE_SEAL_FINAL, NULL, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_voids_ack(r, &fx_boss, 1, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_draw_begin(r, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_draw_resume(r, &fx_boss, NULL, &draw, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_draw_abort(r, &fx_boss, &fx_chief, "x", &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_event(r, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_event(r, &fx_boss, 1, "x.a", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_unit_enrol(r, &fx_boss, &options, &number, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_unit_disable(r, &fx_boss, 1, "x", &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_ticket_erase(r, &fx_boss, 1, 1, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_checkpoint(r, 0, note, sizeof note, &length, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_unit_validation(unit, 1, validation, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_order_tickets(r, "a", NULL, 0, &n, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_winner_official(r, &fx_boss, "bird", 1, &fx.err));
    fx_check_same(__FILE__, __LINE__, "a raffle without keys");
    raffle_unit_free(unit);
    raffle_free(r);
}
END_TEST

START_TEST(the_keys_of_another_raffle)
{
    char other[96], keys[112];
    raffle *r = NULL;
    static const char rules[] =
        "{\"origin\":\"raffle.example/other\",\"name\":\"O\",\"organisation\":\"O\",\"currency\":\"CAD\","
        "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"}," FX_TIERS
        "\"prizes\":[{\"name\":\"p\"}]}";
    snprintf(other, sizeof other, "%s/other", fx.folder);
    snprintf(keys, sizeof keys, "file:%s/other.keys", fx.folder);
    fx_create(FX_RULES);
    fx_close();
    FX_OK(raffle_create(other, NULL, &fx.host, rules, strlen(rules), &fx_boss, &r, &fx.err));
    raffle_free(r);
    r = NULL;
    raffle_rc rc = raffle_open(fx.store, keys, &fx.host, &r, &fx.err);
    ck_assert(rc == RAFFLE_KEY || rc == RAFFLE_MISMATCH);
    FX_FAILS(rc, rc);
    snprintf(keys, sizeof keys, "file:%s/nowhere", fx.folder);
    FX_FAILS(RAFFLE_KEY, raffle_open(fx.store, keys, &fx.host, &r, &fx.err));
    snprintf(keys, sizeof keys, "file:%s/other.keys", fx.folder);
    unlink(other);
    strcat(other, "-anchor");
    unlink(other);
    other[strlen(other) - 7] = 0;
    FX_FAILS(RAFFLE_MISMATCH, raffle_create(other, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err));
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(what_is_no_raffle)
{
    raffle *r = NULL;
    char path[96];
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_open(fx.store, NULL, NULL, &r, &fx.err));
    snprintf(path, sizeof path, "%s/text", fx.folder);
    FILE *f = fopen(path, "w");
    fputs("this is no database, and it is longer than the header of one would be, which has a hundred bytes\n", f);
    fclose(f);
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(path, NULL, NULL, &r, &fx.err));
    FX_FAILS(RAFFLE_UNSUPPORTED, raffle_open("nosuch:thing", NULL, NULL, &r, &fx.err));
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/empty", fx.folder);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(path, NULL, NULL, &r, &fx.err));
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(a_host_is_released_once)
{
    raffle_host bad = RAFFLE_HOST_INIT;
    raffle *r = NULL;
    fx_create(FX_RULES);
    fx_close();
    bad.struct_size = 0;
    FX_FAILS(RAFFLE_MISUSE, raffle_open(fx.store, NULL, &bad, &r, &fx.err));
    struct {
        raffle_host host;
        uint64_t more;
    } longer = {.host = fx.host, .more = 0};
    longer.host.struct_size = sizeof longer;
    FX_OK(raffle_open(fx.store, NULL, &longer.host, &r, &fx.err));
    raffle_free(r);
    longer.more = 1;
    r = NULL;
    FX_FAILS(RAFFLE_UNSUPPORTED, raffle_open(fx.store, NULL, &longer.host, &r, &fx.err));
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(a_read_only_store)
{
    char uri[128];
    raffle *r = NULL;
    raffle_unit *unit = NULL;
    raffle_sale sale = fx_line("b", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    snprintf(uri, sizeof uri, "%s?readonly=1", fx.store);
    FX_OK(raffle_open(uri, NULL, &fx.host, &r, &fx.err));
    FX_OK(raffle_unit_open(r, 1, &unit, &fx.err));
    fx_remember();
    FX_FAILS(RAFFLE_READONLY, raffle_unit_sell(unit, &fx_seller, &sale, 1, 0, &ticket, &fx.err));
    FX_FAILS(RAFFLE_READONLY, raffle_event(r, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_READONLY, raffle_void(r, &fx_super, 1, 1, "refund", &fx.err));
    fx_check_same(__FILE__, __LINE__, "a read-only store");
    FX_OK(raffle_ticket_get(r, 1, 1, &ticket, &fx.err));
    raffle_unit_free(unit);
    raffle_free(r);
}
END_TEST

/* --- the anchor of another raffle --- */

static void copy_path(char out[96], const char *name)
{
    snprintf(out, 96, "%s/%s", fx.folder, name);
}

static void expect_other_anchor(void)
{
    fx_said("-anchor is of the raffle raffle.example/other, not of raffle.example/fixture");
}

/* At opening, at an audit, and under a handle that is open: both raffles are named, and nothing is halted for good. */
START_TEST(the_anchor_of_another_raffle)
{
    static const char other[] =
        "{\"origin\":\"raffle.example/other\",\"name\":\"Other\",\"organisation\":\"Society\",\"currency\":\"CAD\","
        "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"
        "\"rng\":[\"system\"]," FX_TIERS FX_PRIZES "}";
    char uri[120], anchor[96], mine[96], path[96];
    raffle *r = NULL;
    raffle_audit *audit = NULL;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 2);
    snprintf(uri, sizeof uri, "sqlite:%s/other", fx.folder);
    FX_OK(raffle_create(uri, NULL, &fx.host, other, strlen(other), &fx_boss, &r, &fx.err));
    raffle_free(r);
    r = NULL;
    copy_path(mine, "mine");
    copy_path(path, "other-anchor");
    copy_path(anchor, "r-anchor");
    ck_assert_int_eq(rename(anchor, mine), 0);
    ck_assert_int_eq(rename(path, anchor), 0);
    FX_FAILS(RAFFLE_MISMATCH, sell_one("late"));
    expect_other_anchor();
    FX_FAILS(RAFFLE_MISMATCH, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    expect_other_anchor();
    FX_FAILS(RAFFLE_MISMATCH, raffle_open(fx.store, NULL, &fx.host, &r, &fx.err));
    expect_other_anchor();
    FX_OK(raffle_audit_run(fx.store, NULL, NULL, &audit, &fx.err));
    FX_OK(raffle_audit_fault_at(audit, 0, &fault, &fx.err));
    ck_assert_str_eq(fault.code, "anchor");
    ck_assert_ptr_nonnull(strstr(fault.message, "raffle.example/other, not of raffle.example/fixture"));
    raffle_audit_free(audit);
    ck_assert_int_eq(rename(mine, anchor), 0);
    FX_OK(sell_one("late"));
    fx_seal(RAFFLE_SEAL_EARLY);
}
END_TEST

/* --- restored from an older copy --- */

START_TEST(a_unit_restored_from_an_older_copy)
{
    char old[96];
    copy_path(old, "old");
    fx_create(FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}");
    raffle_unit *second = fx_unit(2);
    char note[2048];
    size_t length;
    fx_sell_many(fx.unit, "one", 5);
    FX_OK(raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
    fx_sell_many(fx.unit, "one", 3);
    fx_sell_many(second, "ten", 2);
    raffle_unit_free(second);
    fx_close();
    fx_copy(fx.path, old, false);
    fx_open();
    fx_sell_many(fx.unit, "one", 10); /* the control log does not grow: the copy of it is whole */
    fx_close();
    fx_copy(old, fx.path, false);
    fx.spoilt = true;
    fx_open();
    ck_assert_int_eq(fx_unit_info(1).halted, 1);
    ck_assert_int_eq(fx_unit_info(2).halted, 0);
    ck_assert_int_eq(fx_info().halted, 1);
    FX_REFUSED(RAFFLE_HISTORY, sell_one("late"));
    FX_REFUSED(RAFFLE_HISTORY, raffle_event(fx.raffle, &fx_boss, 1, "x.a", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_HISTORY, raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
    FX_REFUSED(RAFFLE_HISTORY, raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    second = fx_unit(2);
    fx_sell_many(second, "ten", 1); /* the others go on */
    raffle_unit_free(second);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 8, "refund",
                      &fx.err)); /* into the control log, of a ticket that the seal will lose */
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "refund", &fx.err));
    FX_REFUSED(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, NULL, &fx.err));
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_super, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 1);
    ck_assert_uint_eq(seal.tickets, 5 + 3); /* the newest signed prefix, and unit 2 */
    ck_assert_uint_eq(seal.numbers, 5 + 30);
    ck_assert_uint_eq(seal.voids, 1);
    ck_assert_int_eq(seal.void_gross, 500);
}
END_TEST

START_TEST(a_control_log_restored_from_an_older_copy)
{
    char old[96];
    raffle_draw *draw = NULL;
    copy_path(old, "old");
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 5);
    fx_close();
    fx_copy(fx.path, old, false);
    fx_open();
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_close();
    fx_copy(old, fx.path, false);
    fx.spoilt = true;
    fx_open();
    ck_assert_int_eq(fx_info().halted, 1);
    FX_REFUSED(RAFFLE_HISTORY, raffle_seal(fx.raffle, &fx_boss, &fx_super, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    FX_REFUSED(RAFFLE_HISTORY, raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_HISTORY, raffle_event(fx.raffle, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_HISTORY, sell_one("late"));
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_OK(raffle_ticket_get(fx.raffle, 1, 5, &ticket, &fx.err));
}
END_TEST

START_TEST(a_store_that_shrinks_under_an_open_handle)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 5);
    fx.spoilt = true;
    fx_sql(1, "DELETE FROM record WHERE id = %lld", (1LL << 40) + 5);
    fx_sql(1, "UPDATE log SET size = 5 WHERE log = 1");
    FX_FAILS(RAFFLE_HISTORY, sell_one("late"));
    FX_FAILS(RAFFLE_HISTORY, sell_one("later"));
}
END_TEST

/* --- altered bytes --- */

/* Alters byte `at` of a record's leaf or private part. Returns false beyond its end. */
static bool alter(uint32_t log, uint64_t index, bool private_part, int at, char to)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    const char *column = private_part ? "private" : "leaf";
    char sql[256];
    ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
    snprintf(
        sql, sizeof sql,
        "UPDATE record SET %s = substr(%s, 1, %d) || char(%d) || substr(%s, %d) WHERE id = %lld AND length(%s) > %d",
        column, column, at, to, column, at + 2, (long long)(((uint64_t)log << 40) + index), column, at);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    const bool altered = sqlite3_changes(db) == 1;
    sqlite3_close(db);
    return altered;
}

/* The store is found damaged, or its unit is: nothing is sold any more. */
static void must_be_found(uint32_t log, int at)
{
    raffle *r = NULL;
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_rc rc = open_full(&r);
    if (rc != RAFFLE_OK) {
        ck_assert_msg(rc == RAFFLE_CORRUPT, "byte %d of a record of log %u: %s", at, log, raffle_rc_name(rc));
        raffle_error_init(&fx.err, sizeof fx.err);
        return;
    }
    FX_OK(raffle_describe(r, &info, &fx.err));
    ck_assert_msg(info.halted, "byte %d of a record of log %u is altered, and not found", at, log);
    raffle_free(r);
}

static void alter_every_byte(uint32_t log, uint64_t index)
{
    char good[96], leaf[2048];
    copy_path(good, "good");
    fx_leaf(log, index, leaf, sizeof leaf);
    fx_close();
    fx_copy(fx.path, good, false);
    fx.spoilt = true;
    for (int at = 0; leaf[at] != 0; at++) {
        ck_assert(alter(log, index, false, at, leaf[at] == '1' ? '2' : leaf[at] == 'a' ? 'b' : '1'));
        must_be_found(log, at);
        fx_copy(good, fx.path, false);
    }
}

START_TEST(every_byte_of_a_sale)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    alter_every_byte(1, 2);
}
END_TEST

START_TEST(every_byte_of_a_sale_under_a_kept_node)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    alter_every_byte(1, 7);
}
END_TEST

START_TEST(every_byte_of_a_control_record)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    alter_every_byte(0, 2);
}
END_TEST

START_TEST(a_quick_opening_finds_it_before_the_first_sale)
{
    char note[2048];
    size_t length;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    FX_OK(raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
    fx_sell_many(fx.unit, "one", 300); /* after the checkpoint, and under a node */
    fx_close();
    fx.spoilt = true;
    ck_assert(alter(1, 400, false, 30, '9'));
    fx_open();
    FX_FAILS(RAFFLE_CORRUPT, sell_one("a"));
    FX_FAILS(RAFFLE_HALTED, sell_one("b"));
    ck_assert_int_eq(fx_unit_info(1).halted, 1);
    FX_FAILS(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, NULL, &fx.err));
}
END_TEST

START_TEST(the_kept_state_is_a_cache)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 20);
    raffle_unit_info before = fx_unit_info(1);
    fx_close();
    fx_sql(1, "UPDATE log SET state = x'00' WHERE log = 1");
    fx_open();
    raffle_unit_info after = fx_unit_info(1);
    ck_assert_mem_eq(&before, &after, sizeof before);
    fx_close();
    fx_sql(1, "UPDATE log SET state = NULL WHERE log = 1");
    fx_open();
    after = fx_unit_info(1);
    ck_assert_mem_eq(&before, &after, sizeof before);
    fx_sell("a", "one");
    fx_seal(RAFFLE_SEAL_FINAL);
}
END_TEST

FX_MAIN("raffle_open", a_refused_creation_makes_nothing, keys_at_a_path_that_cannot_be_noted, a_store_holds_one_raffle,
        a_creation_that_was_cut_off_is_finished, what_is_described_is_what_the_rules_say, without_keys_a_raffle_is_read,
        the_keys_of_another_raffle, what_is_no_raffle, a_host_is_released_once, a_read_only_store,
        the_anchor_of_another_raffle, a_unit_restored_from_an_older_copy, a_control_log_restored_from_an_older_copy,
        a_store_that_shrinks_under_an_open_handle, every_byte_of_a_sale, every_byte_of_a_sale_under_a_kept_node,
        every_byte_of_a_control_record, a_quick_opening_finds_it_before_the_first_sale, the_kept_state_is_a_cache)
