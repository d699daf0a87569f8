/* SPDX-License-Identifier: Apache-2.0 */
/* Sales units: enrolled, enabled, disabled, closed, un-enrolled, and their quotas. */
#include "fixture.h"

#include <pthread.h>

static raffle_rc enrol(const raffle_actor *by, const char *name, uint64_t quota, uint32_t *number)
{
    raffle_unit_options options;
    raffle_unit_options_init(&options, sizeof options);
    snprintf(options.name, sizeof options.name, "%.71s", name);
    options.quota = quota;
    return raffle_unit_enrol(fx.raffle, by, &options, number, &fx.err);
}

static raffle_rc sell_one(raffle_unit *unit, const char *order)
{
    raffle_sale sale = fx_line(order, "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    return raffle_unit_sell(unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err);
}

START_TEST(a_new_unit_is_disabled)
{
    uint32_t number = 0;
    fx_create(FX_RULES);
    FX_OK(enrol(&fx_admin, "Kiosk \xc3\x89", 5, &number));
    ck_assert_uint_eq(number, 2);
    raffle_unit_info info = fx_unit_info(2);
    ck_assert_str_eq(info.name, "Kiosk \xc3\x89");
    ck_assert_uint_eq(info.quota, 5);
    ck_assert_int_eq(info.enabled, 0);
    ck_assert_int_eq(info.closed, 0);
    ck_assert_uint_eq(info.size, 0);
    ck_assert_int_eq(info.last_at, 0);
    ck_assert_ptr_nonnull(strstr(info.key, "raffle.example/fixture/unit/2+"));
    raffle_unit *unit = fx_unit(2);
    FX_REFUSED(RAFFLE_DISABLED, sell_one(unit, "a"));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_REFUSED(RAFFLE_EXISTS, raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_OK(sell_one(unit, "a"));
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 2, "lunch", &fx.err));
    FX_REFUSED(RAFFLE_EXISTS, raffle_unit_disable(fx.raffle, &fx_boss, 2, "lunch", &fx.err));
    raffle_unit_free(unit);
}
END_TEST

START_TEST(what_is_refused)
{
    uint32_t number = 77;
    raffle_unit *unit = NULL;
    raffle_unit_info info = RAFFLE_UNIT_INFO_INIT;
    char name[80];
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    FX_REFUSED(RAFFLE_ROLE, enrol(&fx_super, "x", 0, &number));
    FX_REFUSED(RAFFLE_INVALID, enrol(&fx_boss, "", 0, &number));
    FX_REFUSED(RAFFLE_INVALID, enrol(&fx_boss, "a\nb", 0, &number));
    memset(name, 'n', 65);
    name[65] = 0;
    FX_REFUSED(RAFFLE_INVALID, enrol(&fx_boss, name, 0, &number));
    FX_REFUSED(RAFFLE_LIMIT, enrol(&fx_boss, "x", UINT64_C(1) << 53, &number));
    ck_assert_uint_eq(number, 77);
    FX_REFUSED(RAFFLE_EXISTS, enrol(&fx_boss, "unit 1", 0, &number));
    ck_assert_uint_eq(number, 1);
    for (uint32_t n = 0; n <= 2; n += 2) {
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_enable(fx.raffle, &fx_boss, n, &fx.err));
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_disable(fx.raffle, &fx_boss, n, "x", &fx.err));
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_quota(fx.raffle, &fx_boss, n, 5, &fx.err));
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_unenrol(fx.raffle, &fx_boss, n, &fx.err));
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_open(fx.raffle, n, &unit, &fx.err));
        FX_REFUSED(RAFFLE_NOT_FOUND, raffle_unit_describe(fx.raffle, n, &info, &fx.err));
    }
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_disable(fx.raffle, &fx_seller, 1, "x", &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_quota(fx.raffle, &fx_super, 1, 50, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_disable(fx.raffle, &fx_boss, 1, "Two words", &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_disable(fx.raffle, &fx_boss, 1, "", &fx.err));
    FX_REFUSED(RAFFLE_LIMIT, raffle_unit_quota(fx.raffle, &fx_boss, 1, 9, &fx.err));
    FX_REFUSED(RAFFLE_LIMIT, raffle_unit_quota(fx.raffle, &fx_boss, 1, UINT64_MAX, &fx.err));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 1, 10, &fx.err));
    FX_REFUSED(RAFFLE_QUOTA, sell_one(fx.unit, "b"));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 1, 0, &fx.err)); /* no limit */
    FX_OK(sell_one(fx.unit, "b"));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_unit_unenrol(fx.raffle, &fx_boss, 1, &fx.err));
    ck_assert_ptr_null(unit);
}
END_TEST

START_TEST(a_unit_is_closed_for_good)
{
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_close(fx.unit, &fx_seller, &fx.err));
    FX_OK(raffle_unit_close(fx.unit, &fx_super, &fx.err));
    raffle_unit_info info = fx_unit_info(1);
    ck_assert_int_eq(info.closed, 1);
    ck_assert_uint_eq(info.size, 3);
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    FX_REFUSED(RAFFLE_CLOSED, sell_one(fx.unit, "b"));
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_enable(fx.raffle, &fx_boss, 1, &fx.err));
    FX_REFUSED(RAFFLE_CLOSED, raffle_event(fx.raffle, &fx_boss, 1, "x.a", NULL, NULL, &fx.err));
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 1, "done", &fx.err));
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_enable(fx.raffle, &fx_boss, 1, &fx.err));
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_CLOSED, sell_one(fx.unit, "b"));
    ck_assert_int_eq(fx_unit_info(1).closed, 1);
}
END_TEST

START_TEST(an_empty_unit_is_closed)
{
    char leaf[1024];
    fx_create(FX_RULES);
    FX_OK(raffle_unit_close(fx.unit, &fx_super, &fx.err));
    ck_assert_uint_eq(fx_size(1), 2);
    fx_leaf(1, 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"t\":\"unit.close\""));
    ck_assert_ptr_nonnull(strstr(leaf, "\"tickets\":0"));
}
END_TEST

typedef struct race {
    raffle_unit *unit;
    char order[16];
    raffle_rc rc;
} race;

static void *sell_in_race(void *ctx)
{
    race *sale = ctx;
    const raffle_sale line = fx_line(sale->order, "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_error err = RAFFLE_ERROR_INIT;
    sale->rc = raffle_unit_sell(sale->unit, &fx_seller, &line, 1, -1, &ticket, &err);
    return NULL;
}

/* Either it sold, or it was taken out. */
START_TEST(a_unit_that_sells_while_it_is_taken_out)
{
    fx_create(FX_RULES);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t number = 0;
        race sale = {.unit = NULL};
        pthread_t seller;
        snprintf(sale.order, sizeof sale.order, "race %u", i);
        FX_OK(enrol(&fx_boss, sale.order, 0, &number));
        FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
        sale.unit = fx_unit(number);
        ck_assert_int_eq(pthread_create(&seller, NULL, sell_in_race, &sale), 0);
        const raffle_rc out = raffle_unit_unenrol(fx.raffle, &fx_boss, number, NULL);
        ck_assert_int_eq(pthread_join(seller, NULL), 0);
        ck_assert_int_eq(out, sale.rc == RAFFLE_OK ? RAFFLE_SEQUENCE : RAFFLE_OK);
        ck_assert_int_eq(sale.rc, sale.rc == RAFFLE_OK ? RAFFLE_OK : RAFFLE_DISABLED);
        raffle_unit_free(sale.unit);
    }
}
END_TEST

START_TEST(a_unit_that_never_sold_is_taken_out)
{
    uint32_t number = 0;
    fx_create(FX_RULES);
    FX_OK(enrol(&fx_boss, "kiosk", 0, &number));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    raffle_unit *unit = fx_unit(2);
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_unenrol(fx.raffle, &fx_super, 2, &fx.err));
    FX_OK(raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
    ck_assert_int_eq(fx_unit_info(2).unenrolled, 1);
    ck_assert_int_eq(fx_unit_info(2).enabled, 0);
    FX_REFUSED(RAFFLE_DISABLED, sell_one(unit, "a"));
    FX_REFUSED(RAFFLE_DISABLED, raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_REFUSED(RAFFLE_DISABLED, raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
    FX_REFUSED(RAFFLE_EXISTS, enrol(&fx_boss, "kiosk", 0, &number)); /* its name is gone for good */
    raffle_unit_free(unit);
}
END_TEST

/* Not even by a record that disables it. */
START_TEST(a_unit_that_stays_is_left_alone)
{
    uint32_t number = 0;
    fx_create(FX_RULES);
    FX_OK(enrol(&fx_boss, "kiosk", 0, &number));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_unenrol(fx.raffle, &fx_system, 2, &fx.err)); /* who may disable it */
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
}
END_TEST

START_TEST(many_units)
{
    uint32_t number = 0;
    char name[16];
    fx_create(FX_RULES);
    for (uint32_t i = 2; i <= 40; i++) {
        snprintf(name, sizeof name, "till %u", i);
        FX_OK(enrol(&fx_boss, name, i, &number));
        ck_assert_uint_eq(number, i);
        FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, i, &fx.err));
        raffle_unit *unit = fx_unit(i);
        snprintf(name, sizeof name, "order-%u", i);
        FX_OK(sell_one(unit, name));
        raffle_unit_free(unit);
    }
    raffle_seal_info seal = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(seal.units, 40);
    ck_assert_uint_eq(seal.tickets, 39);
}
END_TEST

enum {
    ENROLLERS = 6
};

typedef struct enroller {
    raffle *raffle;
    char name[16];
    uint32_t number;
    raffle_rc rc;
} enroller;

static void *enrol_one(void *ctx)
{
    enroller *e = ctx;
    raffle_unit_options options;
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, e->name);
    e->rc = raffle_unit_enrol(e->raffle, &fx_boss, &options, &e->number, NULL);
    return NULL;
}

START_TEST(units_enrolled_at_once)
{
    pthread_t thread[ENROLLERS];
    enroller e[ENROLLERS];
    bool seen[ENROLLERS + 2] = {false};
    fx_create(FX_RULES);
    raffle *other = fx_another();
    for (int i = 0; i < ENROLLERS; i++) {
        e[i] = (enroller){.raffle = i % 2 == 0 ? fx.raffle : other};
        snprintf(e[i].name, sizeof e[i].name, "till %d", i);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, enrol_one, &e[i]), 0);
    }
    for (int i = 0; i < ENROLLERS; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_int_eq(e[i].rc, RAFFLE_OK);
        ck_assert(e[i].number >= 2 && e[i].number < ENROLLERS + 2 && !seen[e[i].number]);
        seen[e[i].number] = true;
    }
    raffle_free(other);
}
END_TEST

START_TEST(another_handle_enrols)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_unit_options options;
    uint32_t number = 0;
    char validation[RAFFLE_VALIDATION_SIZE];
    fx_create(FX_RULES);
    raffle *other = fx_another();
    raffle_unit *unit = NULL;
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "kiosk");
    FX_OK(raffle_unit_enrol(other, &fx_boss, &options, &number, &fx.err));
    FX_OK(raffle_unit_enable(other, &fx_boss, 2, &fx.err));
    FX_OK(raffle_unit_open(other, 2, &unit, &fx.err));
    FX_OK(sell_one(unit, "a"));
    FX_OK(raffle_unit_validation(unit, 1, validation, &fx.err));
    FX_OK(raffle_ticket_get(fx.raffle, 2, 1, &ticket, &fx.err)); /* the first handle has not seen the unit yet */
    raffle_free(other);
    other = fx_another();
    FX_OK(raffle_ticket_by_validation(fx.raffle, validation, &ticket, &fx.err));
    raffle_unit_free(unit);
    raffle_free(other);
}
END_TEST

START_TEST(tickets_are_found_by_their_numbers)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    fx_sell("b", "ten");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    fx_sell("c", "free");
    static const struct {
        const char *number;
        uint64_t serial;
    } known[] = {{"1-0000001", 1}, {"1-0000002", 2}, {"1-0000011", 2}, {"1-0000012", 4}, {"1-0000014", 4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        FX_OK(raffle_ticket_by_number(fx.raffle, known[i].number, &ticket, &fx.err));
        ck_assert_uint_eq(ticket.serial, known[i].serial);
    }
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_ticket_by_number(fx.raffle, "1-0000015", &ticket, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_ticket_by_number(fx.raffle, "2-0000001", &ticket, &fx.err));
    static const char *const bad[] = {"", "1", "1-", "1-0000000", "x-0000001", "1-000000a", "0-0000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raffle_rc rc = raffle_ticket_by_number(fx.raffle, bad[i], &ticket, &fx.err);
        ck_assert_msg(rc == RAFFLE_INVALID || rc == RAFFLE_NOT_FOUND, "%s: %s", bad[i], raffle_rc_name(rc));
        raffle_error_init(&fx.err, sizeof fx.err);
    }
}
END_TEST

FX_MAIN("raffle_units", a_new_unit_is_disabled, what_is_refused, a_unit_is_closed_for_good, an_empty_unit_is_closed,
        a_unit_that_sells_while_it_is_taken_out, a_unit_that_never_sold_is_taken_out, a_unit_that_stays_is_left_alone,
        many_units, units_enrolled_at_once, another_handle_enrols, tickets_are_found_by_their_numbers)
