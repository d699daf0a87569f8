/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests of a whole raffle. */
#include "fixture.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>

fixture fx;
const raffle_actor fx_seller = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER),
                   fx_super = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR),
                   fx_boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER),
                   fx_chief = RAFFLE_ACTOR_INIT("chief", RAFFLE_MANAGER),
                   fx_admin = RAFFLE_ACTOR_INIT("root", RAFFLE_ADMINISTRATOR),
                   fx_auditor = RAFFLE_ACTOR_INIT("lab", RAFFLE_AUDITOR),
                   fx_system = RAFFLE_ACTOR_INIT("kiosk", RAFFLE_SYSTEM);

/* --- the host --- */

static raffle_rc show_time(void *ctx, int64_t *ms, raffle_error *err)
{
    const fixture *f = ctx;
    if (f->clock_rc != RAFFLE_OK)
        return raffle_error_set(err, f->clock_rc, 4711, "the clock stands");
    *ms = f->now;
    return RAFFLE_OK;
}

/* Bytes that no seed of any test repeats, without chance. */
static void coin_bytes(uint64_t seed, uint8_t *out, size_t length)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < length; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (uint8_t)(x >> 32);
    }
}

static raffle_rc toss(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err)
{
    fixture *f = ctx;
    (void)timeout_ms;
    snprintf(evidence, RAFFLE_NAME_SIZE, "toss %llu", (unsigned long long)f->coins + 1);
    if (f->coin == FX_COIN_EXITS)
        _exit(77);
    if (f->coin == FX_COIN_FAILS)
        return raffle_error_set(err, RAFFLE_RNG, 99, "the coin stands on its edge");
    f->coins += f->coin != FX_COIN_AGAIN;
    coin_bytes(f->coins, out, length);
    if (f->coin == FX_COIN_SAME)
        memset(out, 0x55, length);
    *filled = f->coin == FX_COIN_SHORT ? length - 1 : length;
    return f->coin == FX_COIN_LIES ? 12345 : RAFFLE_OK;
}

raffle_rng *fx_new_rng(void)
{
    raffle_rng_table table;
    raffle_rng *rng = NULL;
    raffle_rng_table_init(&table, sizeof table);
    table.fill = toss;
    FX_OK(raffle_rng_new("host:coin", &table, &fx, &rng, &fx.err));
    return rng;
}

void fx_setup(void)
{
    memset(&fx, 0, sizeof fx);
    strcpy(fx.folder, "/tmp/raffle-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fx.folder));
    snprintf(fx.path, sizeof fx.path, "%s/r", fx.folder);
    snprintf(fx.store, sizeof fx.store, "sqlite:%s", fx.path);
    fx.now = FX_NOW;
    raffle_host_init(&fx.host, sizeof fx.host);
    fx.host.ctx = &fx;
    fx.host.clock = show_time;
    raffle_error_init(&fx.err, sizeof fx.err);
    fx.rng = fx_new_rng();
}

static void print_faults(const raffle_audit *audit)
{
    raffle_fault fault = RAFFLE_FAULT_INIT;
    for (uint64_t i = 0; i < 10 && raffle_audit_fault_at(audit, i, &fault, NULL) == RAFFLE_OK; i++)
        fprintf(stderr, "# fault %u/%llu %s: %s\n", fault.log, (unsigned long long)fault.index, fault.code,
                fault.message);
}

uint64_t fx_faults(void)
{
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    options.threads = 1;
    FX_OK(raffle_audit_run(fx.store, NULL, &options, &audit, &fx.err));
    FX_OK(raffle_audit_verdict(audit, &verdict, &fx.err));
    if (verdict.faults > 0 && !fx.spoilt)
        print_faults(audit);
    ck_assert_int_eq(verdict.passed, verdict.faults == 0);
    raffle_audit_free(audit);
    return verdict.faults;
}

void fx_teardown(void)
{
    fx_close();
    raffle_rng_free(fx.rng);
    if (!fx.spoilt && access(fx.path, F_OK) == 0)
        ck_assert_uint_eq(fx_faults(), 0);
    char command[80];
    snprintf(command, sizeof command, "rm -rf '%s'", fx.folder);
    ck_assert_int_eq(system(command), 0);
}

/* --- handles --- */

void fx_create(const char *rules)
{
    FX_OK(raffle_create(fx.store, NULL, &fx.host, rules, strlen(rules), &fx_boss, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
}

void fx_close(void)
{
    raffle_unit_free(fx.unit);
    raffle_free(fx.raffle);
    fx.unit = NULL;
    fx.raffle = NULL;
}

void fx_open(void)
{
    FX_OK(raffle_open(fx.store, NULL, &fx.host, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
}

raffle *fx_another(void)
{
    raffle *r = NULL;
    FX_OK(raffle_open(fx.store, NULL, &fx.host, &r, &fx.err));
    return r;
}

raffle_unit *fx_unit(uint32_t number)
{
    raffle_unit *u = NULL;
    FX_OK(raffle_unit_open(fx.raffle, number, &u, &fx.err));
    return u;
}

/* --- outcomes --- */

void fx_check_ok(const char *file, int line, const char *call, raffle_rc rc)
{
    ck_assert_msg(rc == RAFFLE_OK, "%s:%d: %s gives %s: %s", file, line, call, raffle_rc_name(rc), fx.err.message);
    ck_assert_msg(fx.err.rc == RAFFLE_OK && fx.err.message[0] == 0 && fx.err.detail == 0 && fx.err.token == 0,
                  "%s:%d: %s succeeds and says %s: %s", file, line, call, raffle_rc_name(fx.err.rc), fx.err.message);
}

static char last_message[sizeof fx.err.message];

void fx_check_fails(const char *file, int line, const char *call, raffle_rc wanted, raffle_rc rc)
{
    ck_assert_msg(rc == wanted, "%s:%d: %s gives %s, not %s: %s", file, line, call, raffle_rc_name(rc),
                  raffle_rc_name(wanted), fx.err.message);
    ck_assert_msg(fx.err.rc == rc && fx.err.message[0] != 0, "%s:%d: %s gives %s and says %s: %s", file, line, call,
                  raffle_rc_name(rc), raffle_rc_name(fx.err.rc), fx.err.message);
    memcpy(last_message, fx.err.message, sizeof last_message);
    raffle_error_init(&fx.err, sizeof fx.err);
}

void fx_said(const char *words)
{
    ck_assert_msg(strstr(last_message, words) != NULL, "\"%s\" is not in: %s", words, last_message);
}

static uint8_t roots[8][32];
static uint64_t sizes[8];
static uint32_t logs;

static void look(uint32_t log, uint64_t *size, uint8_t root[32])
{
    FX_OK(raffle_root(fx.raffle, log, UINT64_MAX, size, root, &fx.err));
}

void fx_remember(void)
{
    raffle_error_init(&fx.err, sizeof fx.err);
    logs = fx_info().units + 1;
    ck_assert_uint_le(logs, 8);
    for (uint32_t i = 0; i < logs; i++)
        look(i, &sizes[i], roots[i]);
}

void fx_check_same(const char *file, int line, const char *call)
{
    ck_assert_uint_eq(fx_info().units + 1, logs);
    for (uint32_t i = 0; i < logs; i++) {
        uint64_t size;
        uint8_t root[32];
        look(i, &size, root);
        ck_assert_msg(size == sizes[i] && memcmp(root, roots[i], 32) == 0, "%s:%d: %s changes log %u", file, line, call,
                      i);
    }
}

/* --- sales --- */

raffle_sale fx_line(const char *order, const char *tier)
{
    raffle_sale sale = RAFFLE_SALE_INIT;
    snprintf(sale.order, sizeof sale.order, "%s", order);
    snprintf(sale.tier, sizeof sale.tier, "%s", tier);
    return sale;
}

raffle_ticket fx_sell(const char *order, const char *tier)
{
    raffle_sale sale = fx_line(order, tier);
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err));
    ck_assert_int_eq(ticket.rc, RAFFLE_OK);
    return ticket;
}

void fx_sell_many(raffle_unit *unit, const char *tier, size_t n)
{
    raffle_sale *sale = calloc(n, sizeof *sale);
    raffle_ticket *ticket = calloc(n, sizeof *ticket);
    ck_assert(sale != NULL && ticket != NULL);
    for (size_t i = 0; i < n; i++) {
        char order[32];
        snprintf(order, sizeof order, "many-%llu", (unsigned long long)fx.sales++);
        sale[i] = fx_line(order, tier);
    }
    raffle_ticket_init(ticket, sizeof *ticket);
    FX_OK(raffle_unit_sell(unit, &fx_seller, sale, n, 20000, ticket, &fx.err));
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(ticket[i].rc, RAFFLE_OK);
    free(sale);
    free(ticket);
}

/* --- draws --- */

raffle_seal_info fx_seal(int32_t kind)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, kind, &seal, &fx.err));
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, seal.index, &fx.err));
    return seal;
}

void fx_draw(const char *prize)
{
    raffle_draw *draw = NULL;
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, prize, NULL, &draw, &fx.err));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err));
    raffle_draw_free(draw);
}

raffle_pick fx_pick(const char *prize, uint32_t place)
{
    raffle_pick pick = RAFFLE_PICK_INIT;
    FX_OK(raffle_pick_at(fx.raffle, prize, place, &pick, &fx.err));
    return pick;
}

const char *fx_validation(uint32_t unit, uint64_t serial, char out[RAFFLE_VALIDATION_SIZE])
{
    raffle_unit *u = fx_unit(unit);
    FX_OK(raffle_unit_validation(u, serial, out, &fx.err));
    raffle_unit_free(u);
    return out;
}

/* --- how it stands --- */

raffle_info fx_info(void)
{
    raffle_info info = RAFFLE_INFO_INIT;
    FX_OK(raffle_describe(fx.raffle, &info, &fx.err));
    return info;
}

raffle_unit_info fx_unit_info(uint32_t number)
{
    raffle_unit_info info = RAFFLE_UNIT_INFO_INIT;
    FX_OK(raffle_unit_describe(fx.raffle, number, &info, &fx.err));
    return info;
}

uint64_t fx_size(uint32_t log)
{
    uint64_t size;
    uint8_t root[32];
    look(log, &size, root);
    return size;
}

void fx_leaf(uint32_t log, uint64_t index, char *out, size_t cap)
{
    raffle_cursor *cursor = NULL;
    raffle_record record = {.struct_size = sizeof record};
    FX_OK(raffle_cursor_open(fx.raffle, log, index, &cursor, &fx.err));
    FX_OK(raffle_cursor_next(cursor, &record, &fx.err));
    ck_assert_uint_lt(record.leaf_length, cap);
    memcpy(out, record.leaf, record.leaf_length);
    out[record.leaf_length] = 0;
    raffle_cursor_free(cursor);
}

/* --- behind the library's back --- */

void fx_sql(int rows, const char *format, ...)
{
    sqlite3 *db;
    char sql[4096], *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    ck_assert(length >= 0 && (size_t)length < sizeof sql);
    ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
    ck_assert_int_eq(sqlite3_total_changes(db), rows);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    ck_assert(in != NULL && out != NULL);
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        ck_assert_uint_eq(fwrite(buffer, 1, n, out), n);
    fclose(in);
    fclose(out);
}

void fx_copy(const char *from, const char *to, bool anchor)
{
    char a[128], b[128];
    copy_file(from, to);
    if (!anchor)
        return;
    snprintf(a, sizeof a, "%s-anchor", from);
    snprintf(b, sizeof b, "%s-anchor", to);
    copy_file(a, b);
}

int fx_main(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *c = tcase_create(name);
    tcase_add_checked_fixture(c, fx_setup, fx_teardown);
    tcase_set_timeout(c, 120);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
