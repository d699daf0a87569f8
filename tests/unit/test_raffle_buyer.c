/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of a buyer's tickets: over orders, units, handles and threads; refusals take nothing, retries are answered, voids give nothing back. */
#include "fixture.h"

#include <pthread.h>

#define LIMIT 5
#define RULES                                                                                                          \
    "{\"origin\":\"raffle.example/buyer\",\"name\":\"Fixture\",\"organisation\":\"Society\",\"currency\":\"CAD\","     \
    "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\",\"buyer_tickets\":5},"  \
    "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"rng\":[\"system\"]," FX_TIERS FX_PRIZES "}"

static raffle_sale line(const char *order, const char *buyer)
{
    raffle_sale sale = fx_line(order, "one");
    snprintf(sale.buyer, sizeof sale.buyer, "%s", buyer);
    return sale;
}

/* An order of `n` tickets of one buyer. */
static raffle_rc buy(raffle_unit *unit, const char *order, const char *buyer, size_t n)
{
    raffle_sale sale[40];
    raffle_ticket ticket[40];
    for (size_t i = 0; i < n; i++) {
        sale[i] = line(order, buyer);
        raffle_ticket_init(&ticket[i], sizeof ticket[i]);
    }
    raffle_rc rc = raffle_unit_sell(unit, &fx_seller, sale, n, 20000, ticket, &fx.err);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(ticket[i].rc, rc);
    return rc;
}

START_TEST(a_buyer_has_so_many_tickets)
{
    fx_create(RULES);
    raffle_unit *other = fx_unit(2);
    ck_assert_uint_eq(fx_info().buyer_tickets, LIMIT);
    FX_OK(buy(fx.unit, "o-1", "ann", 2));
    FX_OK(buy(other, "o-2", "ann", 2));
    FX_OK(buy(other, "o-3", "bob", 5));
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-4", "ann", 2));
    fx_said("4 of the 5 tickets");
    FX_OK(buy(fx.unit, "o-5", "ann", 1));
    FX_REFUSED(RAFFLE_LIMIT, buy(other, "o-6", "ann", 1));
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-7", "cid", 6));
    FX_OK(buy(fx.unit, "o-7", "cid", 5));
    raffle_unit_free(other);
    ck_assert_uint_eq(fx_info().tickets, 15);
}
END_TEST

START_TEST(a_sale_needs_its_buyer)
{
    fx_create(RULES);
    FX_REFUSED(RAFFLE_INVALID, buy(fx.unit, "o-1", "", 1));
    fx_said("no buyer");
    raffle_sale sale[2] = {line("o-2", "ann"), line("o-2", "")};
    raffle_ticket ticket[2] = {RAFFLE_TICKET_INIT, RAFFLE_TICKET_INIT};
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_sell(fx.unit, &fx_seller, sale, 2, 5000, ticket, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, buy(fx.unit, "o-3", "", 20));
    FX_OK(buy(fx.unit, "o-4", "ann", 5));
}
END_TEST

START_TEST(a_retry_is_answered_at_the_limit)
{
    fx_create(RULES);
    FX_OK(buy(fx.unit, "o-1", "ann", 5));
    FX_OK(buy(fx.unit, "o-1", "ann", 5));
    FX_OK(buy(fx.unit, "o-1", "ann", 5));
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-2", "ann", 1));
    ck_assert_uint_eq(fx_info().tickets, 5);
}
END_TEST

START_TEST(a_void_gives_nothing_back)
{
    fx_create(RULES);
    FX_OK(buy(fx.unit, "o-1", "ann", 5));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-2", "ann", 1));
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-2", "ann", 1));
}
END_TEST

/* One order may be of several buyers; it is sold when each of them may have what it has in it. */
START_TEST(an_order_of_several_buyers)
{
    fx_create(RULES);
    raffle_sale sale[4] = {line("o-1", "ann"), line("o-1", "bob"), line("o-1", "ann"), line("o-1", "ann")};
    raffle_ticket ticket[4];
    for (size_t i = 0; i < 4; i++)
        raffle_ticket_init(&ticket[i], sizeof ticket[i]);
    FX_OK(buy(fx.unit, "o-0", "ann", 3));
    FX_REFUSED(RAFFLE_LIMIT, raffle_unit_sell(fx.unit, &fx_seller, sale, 4, 5000, ticket, &fx.err));
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, sale, 3, 5000, ticket, &fx.err));
    FX_OK(buy(fx.unit, "o-2", "bob", 4));
    FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "o-3", "bob", 1));
}
END_TEST

/* Enough lines that the worker makes them. */
START_TEST(a_call_of_many_orders)
{
    enum {
        N = 200
    };
    static raffle_sale sale[N];
    static raffle_ticket ticket[N];
    size_t sold = 0;
    fx_create(RULES);
    for (size_t i = 0; i < N; i++) {
        char order[16], buyer[16];
        snprintf(order, sizeof order, "o-%zu", i);
        snprintf(buyer, sizeof buyer, "buyer-%zu", i % 10);
        sale[i] = line(order, buyer);
        raffle_ticket_init(&ticket[i], sizeof ticket[i]);
    }
    FX_FAILS(RAFFLE_LIMIT, raffle_unit_sell(fx.unit, &fx_seller, sale, N, 20000, ticket, &fx.err));
    for (size_t i = 0; i < N; i++) {
        ck_assert_int_eq(ticket[i].rc, i < 50 ? RAFFLE_OK : RAFFLE_LIMIT);
        sold += ticket[i].rc == RAFFLE_OK;
    }
    ck_assert_uint_eq(fx_info().tickets, sold);
}
END_TEST

/* --- races --- */

enum {
    THREADS = 8,
    BUYERS = 6,
    CALLS = 30
};

typedef struct shopper {
    raffle_unit *unit;
    unsigned number, sold[BUYERS];
    bool wrong;
} shopper;

static void *shop(void *ctx)
{
    shopper *s = ctx;
    for (unsigned i = 0; i < CALLS; i++) {
        raffle_sale sale[3];
        raffle_ticket ticket[3];
        char order[32], buyer[16];
        const size_t n = 1 + (i + s->number) % 3;
        snprintf(order, sizeof order, "o-%u-%u", s->number, i);
        snprintf(buyer, sizeof buyer, "buyer-%u", i % BUYERS);
        for (size_t k = 0; k < n; k++) {
            sale[k] = line(order, buyer);
            raffle_ticket_init(&ticket[k], sizeof ticket[k]);
        }
        raffle_rc rc = raffle_unit_sell(s->unit, &fx_seller, sale, n, -1, ticket, NULL);
        s->wrong = s->wrong || (rc != RAFFLE_OK && rc != RAFFLE_LIMIT);
        s->sold[i % BUYERS] += rc == RAFFLE_OK ? (unsigned)n : 0;
    }
    return NULL;
}

START_TEST(nobody_gets_more_by_hurrying)
{
    static shopper s[THREADS];
    pthread_t thread[THREADS];
    fx_create(RULES);
    raffle *another = fx_another();
    raffle_unit *unit[4] = {fx.unit, fx_unit(2), NULL, NULL};
    FX_OK(raffle_unit_open(another, 1, &unit[2], &fx.err));
    FX_OK(raffle_unit_open(another, 2, &unit[3], &fx.err));
    memset(s, 0, sizeof s);
    for (unsigned i = 0; i < THREADS; i++) {
        s[i].unit = unit[i % 4];
        s[i].number = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, shop, &s[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned b = 0; b < BUYERS; b++) {
        unsigned sold = 0;
        for (unsigned i = 0; i < THREADS; i++)
            sold += s[i].sold[b];
        ck_assert_uint_le(sold, LIMIT);
        char buyer[16], order[16];
        snprintf(buyer, sizeof buyer, "buyer-%u", b);
        snprintf(order, sizeof order, "last-%u", b);
        if (sold < LIMIT)
            FX_OK(buy(fx.unit, order, buyer, LIMIT - sold));
        FX_REFUSED(RAFFLE_LIMIT, buy(fx.unit, "more", buyer, 1));
    }
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert(!s[i].wrong);
    ck_assert_uint_eq(fx_info().tickets, LIMIT * BUYERS);
    for (size_t i = 1; i < 4; i++)
        raffle_unit_free(unit[i]);
    raffle_free(another);
}
END_TEST

/* --- the audit --- */

START_TEST(the_audit_counts)
{
    fx_create(RULES);
    FX_OK(buy(fx.unit, "o-1", "ann", 5));
    FX_OK(buy(fx.unit, "o-2",
              "b\xc3\xb6"
              "b",
              5));
    ck_assert_uint_eq(fx_faults(), 0);
    fx.spoilt = true;
    fx_close();
    fx_sql(10, "DELETE FROM key WHERE key >= x'08' AND key < x'09'");
    fx_open();
    FX_OK(buy(fx.unit, "o-3", "ann", 1));
    ck_assert_uint_eq(fx_faults(), 1);
    FX_OK(buy(fx.unit, "o-4",
              "b\xc3\xb6"
              "b",
              2));
    ck_assert_uint_eq(fx_faults(), 2);
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    ck_assert_uint_eq(fx_faults(), 1); /* what is erased is counted no more */
}
END_TEST

FX_MAIN("raffle_buyer", a_buyer_has_so_many_tickets, a_sale_needs_its_buyer, a_retry_is_answered_at_the_limit,
        a_void_gives_nothing_back, an_order_of_several_buyers, a_call_of_many_orders, nobody_gets_more_by_hurrying,
        the_audit_counts)
