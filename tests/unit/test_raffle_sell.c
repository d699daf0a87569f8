/* SPDX-License-Identifier: Apache-2.0 */
/* Selling: tickets and their numbers, every refusal, batches, threads, handles and processes. */
#include "fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sells lines that were made; the call's status is the caller's matter. */
static raffle_rc sell(raffle_unit *unit, const raffle_actor *by, const raffle_sale *sales, size_t n,
                      raffle_ticket *tickets)
{
    for (size_t i = 0; i < n; i++)
        raffle_ticket_init(&tickets[i], sizeof tickets[i]);
    return raffle_unit_sell(unit, by, sales, n, 5000, tickets, &fx.err);
}

static raffle_rc sell_one(const raffle_actor *by, raffle_sale sale)
{
    raffle_ticket ticket;
    raffle_rc rc = sell(fx.unit, by, &sale, 1, &ticket);
    ck_assert_int_eq(ticket.rc, rc);
    return rc;
}

START_TEST(tickets_follow_one_another)
{
    fx_create(FX_RULES);
    const char *tiers[] = {"one", "ten", "free", "one"};
    const uint64_t first[] = {1, 2, 12, 15};
    const uint32_t count[] = {1, 10, 3, 1};
    const int64_t price[] = {500, 2000, 0, 500};
    for (size_t i = 0; i < 4; i++) {
        char order[8];
        snprintf(order, sizeof order, "o-%zu", i);
        fx.now++;
        raffle_ticket t = fx_sell(order, tiers[i]);
        ck_assert_uint_eq(t.serial, i + 1);
        ck_assert_uint_eq(t.first, first[i]);
        ck_assert_uint_eq(t.count, count[i]);
        ck_assert_int_eq(t.price, price[i]);
        ck_assert_int_eq(t.at, fx.now);
        ck_assert_uint_eq(t.unit, 1);
        ck_assert_uint_eq(t.flags, 0);
        ck_assert_str_eq(t.tier, tiers[i]);
        ck_assert_str_eq(t.order, order);
    }
    raffle_info info = fx_info();
    ck_assert_uint_eq(info.tickets, 4);
    ck_assert_uint_eq(info.numbers, 15);
    ck_assert_int_eq(info.gross, 3000);
    ck_assert_int_eq(info.pot, 3000);
}
END_TEST

START_TEST(a_sale_is_within_the_window)
{
    fx_create(FX_RULES);
    fx.now = FX_NOW - FX_HOUR; /* the first millisecond */
    fx_sell("a", "one");
    fx.now = FX_NOW + 9 * FX_HOUR - 1; /* the last; the leap is another test's matter */
    fx_close();
    fx_open();
    fx_sell("b", "one");
    fx.now++;
    FX_REFUSED(RAFFLE_WINDOW, sell_one(&fx_seller, fx_line("c", "one")));
    fx_said("closed 0 s ago");
}
END_TEST

START_TEST(a_refused_sale_leaves_an_empty_unit_empty)
{
    fx_create(FX_RULES);
    fx.now = FX_NOW - FX_HOUR - 1;
    FX_REFUSED(RAFFLE_WINDOW, sell_one(&fx_seller, fx_line("early", "one")));
    fx_said("line 1");
    FX_REFUSED(RAFFLE_NOT_FOUND, sell_one(&fx_seller, fx_line("x", "two")));
    FX_REFUSED(RAFFLE_INVALID, sell_one(&fx_seller, fx_line("x", "")));
    FX_REFUSED(RAFFLE_ROLE, sell_one(&fx_auditor, fx_line("x", "one")));
    ck_assert_uint_eq(fx_size(1), 0);
}
END_TEST

START_TEST(a_role_that_may_not_sell)
{
    fx_create(FX_RULES);
    fx_sell("a", "one");
    FX_REFUSED(RAFFLE_ROLE, sell_one(&fx_auditor, fx_line("x", "one")));
    fx_said("auditor");
    FX_REFUSED(RAFFLE_ROLE, sell_one(&fx_admin, fx_line("x", "one")));
    FX_OK(sell_one(&fx_system, fx_line("b", "one")));
    FX_OK(sell_one(&fx_super, fx_line("c", "one")));
    raffle_actor odd = fx_seller;
    odd.id[0] = 0;
    raffle_sale sale = fx_line("x", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_sell(fx.unit, &odd, &sale, 1, 0, &ticket, &fx.err));
    odd = fx_seller;
    odd.role = 7;
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_sell(fx.unit, &odd, &sale, 1, 0, &ticket, &fx.err));
}
END_TEST

START_TEST(every_malformed_field_is_named)
{
    fx_create(FX_RULES);
    raffle_sale sale;
    struct {
        const char *name;
        char *at;
        size_t size;
        bool word;
    } field[] = {{"order", sale.order, sizeof sale.order, false},
                 {"tier", sale.tier, sizeof sale.tier, true},
                 {"payment", sale.payment, sizeof sale.payment, false},
                 {"buyer", sale.buyer, sizeof sale.buyer, false},
                 {"channel", sale.channel, sizeof sale.channel, true}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        const char *bad[] = {"a\tb", "\x7f", "\xc3(", "\xed\xa0\x80", "\xff"};
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            sale = fx_line("x", "one");
            strcpy(field[i].at, bad[k]);
            FX_REFUSED(RAFFLE_INVALID, sell_one(&fx_seller, sale));
            fx_said(field[i].name);
        }
        sale = fx_line("x", "one");
        memset(field[i].at, 'a', field[i].size); /* without its end */
        FX_REFUSED(RAFFLE_INVALID, sell_one(&fx_seller, sale));
        fx_said(field[i].name);
        sale = fx_line("x", "one");
        memset(field[i].at, 'a', field[i].word ? 33 : 65);
        field[i].at[field[i].word ? 33 : 65] = 0;
        FX_REFUSED(RAFFLE_INVALID, sell_one(&fx_seller, sale));
        fx_said(field[i].name);
    }
    sale = fx_line("x", "one");
    sale.at = FX_NOW;
    FX_REFUSED(RAFFLE_REHEARSAL, sell_one(&fx_seller, sale));
}
END_TEST

START_TEST(the_longest_fields_are_kept)
{
    fx_create(FX_RULES);
    raffle_sale sale = fx_line("x", "one");
    memset(sale.order, '"', 64);
    memset(sale.payment, '\\', 64);
    memset(sale.buyer, '"', 64);
    memset(sale.channel, 'c', 32);
    sale.order[64] = 0;
    FX_OK(sell_one(&fx_seller, sale));
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_OK(raffle_ticket_get(fx.raffle, 1, 1, &ticket, &fx.err));
    ck_assert_str_eq(ticket.order, sale.order);
}
END_TEST

START_TEST(a_call_has_1_to_10000_lines_and_an_order_at_most_100)
{
    fx_create(FX_RULES);
    static raffle_sale sale[10001];
    static raffle_ticket ticket[10001];
    for (size_t i = 0; i < 10001; i++)
        sale[i] = fx_line("", "one");
    FX_REFUSED(RAFFLE_INVALID, sell(fx.unit, &fx_seller, sale, 10001, ticket));
    fx_said("10001");
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_sell(fx.unit, &fx_seller, sale, 0, 0, ticket, &fx.err));
    for (size_t i = 0; i < 101; i++)
        strcpy(sale[i].order, "large");
    FX_REFUSED(RAFFLE_LIMIT, sell(fx.unit, &fx_seller, sale, 101, ticket));
    fx_said("101 tickets; the rules allow 100");
    ck_assert_int_eq(ticket[100].rc, RAFFLE_LIMIT);
    FX_OK(sell(fx.unit, &fx_seller, sale, 100, ticket));
    ck_assert_uint_eq(ticket[99].first, 100);
}
END_TEST

START_TEST(lines_have_their_own_outcome_and_orders_are_whole)
{
    fx_create(FX_RULES);
    raffle_sale sale[7] = {fx_line("a", "one"), fx_line("b", "ten"),  fx_line("b", "none"), fx_line("b", "one"),
                           fx_line("c", "ten"), fx_line("d", "lost"), fx_line("", "one")};
    raffle_ticket ticket[7];
    raffle_rc rc = sell(fx.unit, &fx_seller, sale, 7, ticket);
    ck_assert_uint_eq(fx.err.detail, 3);
    FX_FAILS(RAFFLE_NOT_FOUND, rc);
    fx_said("line 3: there is no tier \"none\"");
    const raffle_rc wanted[] = {RAFFLE_OK, RAFFLE_NOT_FOUND, RAFFLE_NOT_FOUND, RAFFLE_NOT_FOUND,
                                RAFFLE_OK, RAFFLE_NOT_FOUND, RAFFLE_OK};
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(ticket[i].rc, wanted[i]);
    ck_assert_uint_eq(ticket[0].first, 1);
    ck_assert_uint_eq(ticket[4].first, 2);
    ck_assert_uint_eq(ticket[6].first, 12);
    ck_assert_str_eq(ticket[2].order, "b");
    ck_assert_uint_eq(strlen(ticket[6].order), 36);
    ck_assert_uint_eq(fx_info().tickets, 3);
}
END_TEST

/* Sells `n` lines in one call, every `skip`-th of a tier that there is not, and compares with what the records say. */
static void sell_batch(size_t n, size_t skip)
{
    raffle_sale *sale = calloc(n, sizeof *sale);
    raffle_ticket *ticket = calloc(n, sizeof *ticket);
    raffle_unit_info before = fx_unit_info(1);
    uint64_t next = before.numbers + 1, serial = before.size > 0 ? before.size : 1;
    for (size_t i = 0; i < n; i++)
        sale[i] = fx_line("", skip > 0 && i % skip == skip - 1 ? "lost" : i % 3 == 0 ? "ten" : "one");
    raffle_rc rc = sell(fx.unit, &fx_seller, sale, n, ticket);
    if (skip > 0 && n >= skip)
        FX_FAILS(RAFFLE_NOT_FOUND, rc);
    else
        FX_OK(rc);
    for (size_t i = 0; i < n; i++) {
        if (skip > 0 && i % skip == skip - 1) {
            ck_assert_int_eq(ticket[i].rc, RAFFLE_NOT_FOUND);
            continue;
        }
        ck_assert_int_eq(ticket[i].rc, RAFFLE_OK);
        ck_assert_uint_eq(ticket[i].serial, serial++);
        ck_assert_uint_eq(ticket[i].first, next);
        ck_assert_uint_eq(ticket[i].count, i % 3 == 0 ? 10 : 1);
        next += ticket[i].count;
    }
    ck_assert_uint_eq(fx_unit_info(1).numbers, next - 1);
    ck_assert_uint_eq(fx_unit_info(1).size, serial);
    for (size_t i = 0; i < n; i += n / 7 + 1) {
        raffle_ticket again = RAFFLE_TICKET_INIT;
        if (ticket[i].rc != RAFFLE_OK)
            continue;
        FX_OK(raffle_ticket_get(fx.raffle, 1, ticket[i].serial, &again, &fx.err));
        ck_assert_mem_eq(&again, &ticket[i], sizeof again);
    }
    free(sale);
    free(ticket);
}

START_TEST(batches_of_every_size)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1000, 1025};
    fx_create(FX_RULES);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t skip = 0; skip < 10; skip += 3)
            sell_batch(sizes[i], skip);
    fx_close();
    fx_open();
    sell_batch(100, 0);
}
END_TEST

START_TEST(a_batch_of_10000)
{
    fx_create(FX_RULES);
    sell_batch(10000, 0);
    sell_batch(10000, 7);
}
END_TEST

START_TEST(a_batch_without_threads)
{
    fx.host.flags = RAFFLE_HOST_NO_THREADS;
    fx_create(FX_RULES);
    sell_batch(3000, 0);
    sell_batch(1000, 11);
}
END_TEST

START_TEST(structs_step_by_their_size)
{
    struct {
        raffle_sale sale;
        uint64_t more;
    } sale[3] = {0};
    struct {
        raffle_ticket ticket;
        uint64_t more;
    } ticket[3];
    fx_create(FX_RULES);
    memset(ticket, 0xee, sizeof ticket);
    for (size_t i = 0; i < 3; i++)
        sale[i].sale = fx_line(i == 0 ? "a" : i == 1 ? "b" : "c", "one");
    sale[0].sale.struct_size = sizeof sale[0];
    ticket[0].ticket.struct_size = sizeof ticket[0];
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, &sale[0].sale, 3, 0, &ticket[0].ticket, &fx.err));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(ticket[i].ticket.struct_size, sizeof ticket[i]);
        ck_assert_uint_eq(ticket[i].ticket.serial, i + 1);
        ck_assert_uint_eq(ticket[i].more, 0);
    }
    uint32_t small[6] = {sizeof small, 0xee, 0xee, 0xee, 0xee, 0xee}; /* struct_size, rc, unit, count, serial */
    raffle_sale one = fx_line("d", "ten");
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, &one, 1, 0, (raffle_ticket *)(void *)small, &fx.err));
    ck_assert_uint_eq(small[1], 0);
    ck_assert_uint_eq(small[3], 10);
    ck_assert_uint_eq(small[4], 4);
    for (size_t i = 0; i < 3; i++) {
        sale[i].more = i == 1; /* a byte that this version does not know, in the second */
        sale[i].sale.order[0] = (char)('p' + i);
    }
    FX_REFUSED(RAFFLE_UNSUPPORTED,
               raffle_unit_sell(fx.unit, &fx_seller, &sale[0].sale, 3, 0, &ticket[0].ticket, &fx.err));
    raffle_ticket plain = RAFFLE_TICKET_INIT;
    one.struct_size = 0;
    FX_REFUSED(RAFFLE_MISUSE, raffle_unit_sell(fx.unit, &fx_seller, &one, 1, 0, &plain, &fx.err));
    one.struct_size = sizeof one;
    plain.struct_size = 0;
    FX_REFUSED(RAFFLE_MISUSE, raffle_unit_sell(fx.unit, &fx_seller, &one, 1, 0, &plain, &fx.err));
}
END_TEST

#define DEAR_RULES                                                                                                     \
    FX_HEAD "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},"                                                 \
            "{\"name\":\"dear\",\"count\":1000000,\"price\":1000000000000}]," FX_PRIZES "}"

START_TEST(what_a_record_can_say_is_the_limit)
{
    fx_create(DEAR_RULES);
    static raffle_sale sale[9010];
    static raffle_ticket ticket[9010];
    for (size_t i = 0; i < 9010; i++)
        sale[i] = fx_line("", "dear");
    FX_FAILS(RAFFLE_LIMIT, sell(fx.unit, &fx_seller, sale, 9010, ticket)); /* 9007 * 10^12 < 2^53 */
    for (size_t i = 0; i < 9010; i++)
        ck_assert_int_eq(ticket[i].rc, i < 9007 ? RAFFLE_OK : RAFFLE_LIMIT);
    ck_assert_uint_eq(fx_info().tickets, 9007);
    FX_REFUSED(RAFFLE_LIMIT, sell_one(&fx_seller, fx_line("x", "dear")));
    FX_OK(sell_one(&fx_seller, fx_line("y", "one")));
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
}
END_TEST

/* --- state of the unit --- */

START_TEST(a_unit_that_is_not_enabled_or_closed)
{
    fx_create(FX_RULES);
    fx_sell("a", "one");
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 1, "lunch", &fx.err));
    FX_REFUSED(RAFFLE_DISABLED, sell_one(&fx_seller, fx_line("b", "one")));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 1, &fx.err));
    FX_OK(sell_one(&fx_seller, fx_line("b", "one")));
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    FX_REFUSED(RAFFLE_CLOSED, sell_one(&fx_seller, fx_line("c", "one")));
}
END_TEST

START_TEST(the_quota)
{
    fx_create(FX_HEAD FX_TIERS "\"units\":[{\"name\":\"till\",\"quota\":25}]," FX_PRIZES "}");
    raffle_sale sale[3] = {fx_line("a", "ten"), fx_line("b", "ten"), fx_line("c", "ten")};
    raffle_ticket ticket[3];
    FX_FAILS(RAFFLE_QUOTA, sell(fx.unit, &fx_seller, sale, 3, ticket));
    fx_said("5 of its 25 draw numbers left");
    ck_assert_int_eq(ticket[1].rc, RAFFLE_OK);
    ck_assert_int_eq(ticket[2].rc, RAFFLE_QUOTA);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err)); /* dead numbers count */
    FX_REFUSED(RAFFLE_QUOTA, sell_one(&fx_seller, fx_line("d", "ten")));
    FX_OK(sell_one(&fx_seller, fx_line("e", "free")));
    FX_OK(sell_one(&fx_seller, fx_line("f", "one")));
    FX_OK(sell_one(&fx_seller, fx_line("g", "one")));
    FX_REFUSED(RAFFLE_QUOTA, sell_one(&fx_seller, fx_line("h", "one")));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 1, 26, &fx.err));
    FX_OK(sell_one(&fx_seller, fx_line("h", "one")));
}
END_TEST

START_TEST(a_clock_that_fails)
{
    fx_create(FX_RULES);
    fx_sell("a", "one");
    raffle_sale sale[2] = {fx_line("b", "one"), fx_line("a", "one")};
    raffle_ticket ticket[2];
    fx.clock_rc = RAFFLE_IO;
    raffle_rc rc = sell(fx.unit, &fx_seller, sale, 2, ticket);
    ck_assert_uint_eq(fx.err.token, 4711);
    FX_FAILS(RAFFLE_HOST, rc);
    fx_said("the clock stands");
    ck_assert_int_eq(ticket[0].rc, RAFFLE_HOST);
    ck_assert_int_eq(ticket[1].rc, RAFFLE_OK); /* sold before */
    ck_assert_uint_eq(ticket[1].flags, RAFFLE_TICKET_REPLAYED);
    fx.clock_rc = RAFFLE_OK;
    fx.now = -1;
    FX_REFUSED(RAFFLE_CLOCK, sell_one(&fx_seller, fx_line("b", "one")));
    fx.now = FX_NOW;
    FX_OK(sell_one(&fx_seller, fx_line("b", "one")));
}
END_TEST

/* --- threads, handles, processes --- */

enum {
    THREADS = 16,
    CALLS = 25
};

typedef struct seller {
    raffle_unit *unit;
    unsigned number;
    uint64_t first[CALLS][3];
    bool failed;
} seller;

static void *sell_small(void *ctx)
{
    seller *s = ctx;
    for (unsigned i = 0; i < CALLS; i++) {
        raffle_sale sale[3];
        raffle_ticket ticket[3];
        const size_t n = 1 + (i + s->number) % 3;
        for (size_t k = 0; k < n; k++) {
            char order[32];
            snprintf(order, sizeof order, "t-%u-%u-%zu", s->number, i, i % 2 ? k : 0);
            sale[k] = fx_line(order, k == 1 ? "ten" : "one");
            raffle_ticket_init(&ticket[k], sizeof ticket[k]);
        }
        s->failed = s->failed || raffle_unit_sell(s->unit, &fx_seller, sale, n, -1, ticket, NULL) != RAFFLE_OK;
        for (size_t k = 0; k < 3; k++)
            s->first[i][k] = k < n ? ticket[k].first : 0;
    }
    return NULL;
}

static void run_sellers(raffle_unit *const *units, size_t n)
{
    static seller s[THREADS];
    static char taken[THREADS * CALLS * 33];
    pthread_t thread[THREADS];
    uint64_t numbers = 0;
    memset(s, 0, sizeof s);
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < THREADS; i++) {
        s[i].unit = units[i % n];
        s[i].number = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, sell_small, &s[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        ck_assert(!s[i].failed);
        for (unsigned c = 0; c < CALLS; c++) {
            for (unsigned k = 0; k < 3 && s[i].first[c][k] > 0; k++) {
                const uint64_t count = k == 1 ? 10 : 1;
                for (uint64_t x = s[i].first[c][k]; x < s[i].first[c][k] + count; x++)
                    ck_assert_int_eq(taken[x]++, 0);
                numbers += count;
            }
        }
    }
    ck_assert_uint_eq(fx_info().numbers, numbers);
    for (uint64_t x = 1; x <= numbers; x++)
        ck_assert_int_eq(taken[x], 1);
    ck_assert_uint_eq(fx_unit_info(1).numbers, numbers);
    ck_assert_uint_eq(fx_unit_info(1).size, fx_info().tickets + 1);
}

START_TEST(sixteen_threads_into_one_unit)
{
    fx_create(FX_RULES);
    raffle_unit *second = fx_unit(1);
    raffle_unit *units[] = {fx.unit, second};
    run_sellers(units, 2);
    raffle_unit_free(second);
}
END_TEST

START_TEST(sixteen_threads_over_two_handles)
{
    fx_create(FX_RULES);
    raffle *other = fx_another();
    raffle_unit *second = NULL;
    FX_OK(raffle_unit_open(other, 1, &second, &fx.err));
    raffle_unit *units[] = {fx.unit, second};
    run_sellers(units, 2);
    raffle_unit_free(second);
    raffle_free(other);
}
END_TEST

START_TEST(two_handles_take_turns)
{
    fx_create(FX_RULES);
    raffle *other = fx_another();
    raffle_unit *unit[2] = {fx.unit, NULL};
    FX_OK(raffle_unit_open(other, 1, &unit[1], &fx.err));
    for (uint64_t i = 0; i < 60; i++) {
        char order[16];
        snprintf(order, sizeof order, "turn-%u", (unsigned)i);
        raffle_sale sale = fx_line(order, "one");
        raffle_ticket ticket;
        FX_OK(sell(unit[(i / 1) % 2], &fx_seller, &sale, 1, &ticket));
        ck_assert_uint_eq(ticket.first, i + 1);
        FX_OK(sell(unit[(i + 1) % 2], &fx_seller, &sale, 1, &ticket)); /* the other one knows it */
        ck_assert_uint_eq(ticket.first, i + 1);
        ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPLAYED);
    }
    FX_OK(raffle_unit_disable(other, &fx_boss, 1, "till-fault", &fx.err));
    FX_FAILS(RAFFLE_DISABLED, sell_one(&fx_seller, fx_line("late", "one")));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 1, &fx.err));
    raffle_sale sale = fx_line("again", "one");
    raffle_ticket ticket;
    FX_OK(sell(unit[1], &fx_seller, &sale, 1, &ticket));
    FX_OK(raffle_unit_close(unit[1], &fx_boss, &fx.err));
    FX_FAILS(RAFFLE_CLOSED, sell_one(&fx_seller, fx_line("late", "one")));
    raffle_unit_free(unit[1]);
    raffle_free(other);
}
END_TEST

/* A process of its own: opens the raffle, sells, and says by its status whether all went well. */
static void child(unsigned number)
{
    raffle *r = NULL;
    raffle_unit *u = NULL;
    bool good = raffle_open(fx.store, NULL, &fx.host, &r, &fx.err) == RAFFLE_OK &&
                raffle_unit_open(r, 1, &u, &fx.err) == RAFFLE_OK;
    for (unsigned i = 0; good && i < 40; i++) {
        char order[32];
        snprintf(order, sizeof order, "p-%u-%u", number, i);
        raffle_sale sale = fx_line(order, "ten");
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        good = raffle_unit_sell(u, &fx_seller, &sale, 1, -1, &ticket, &fx.err) == RAFFLE_OK;
    }
    if (!good)
        fprintf(stderr, "# process %u: %s\n", number, fx.err.message);
    raffle_unit_free(u);
    raffle_free(r);
    _exit(good ? 0 : 1);
}

START_TEST(processes_sell_into_one_unit)
{
    pid_t pid[4];
    fx_create(FX_RULES);
    fx_close();
    for (unsigned i = 0; i < 4; i++)
        if ((pid[i] = fork()) == 0)
            child(i);
    for (unsigned i = 0; i < 4; i++) {
        int status;
        ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
        ck_assert_int_eq(status, 0);
    }
    fx_open();
    ck_assert_uint_eq(fx_info().tickets, 160);
    ck_assert_uint_eq(fx_info().numbers, 1600);
}
END_TEST

START_TEST(a_store_that_somebody_else_locks)
{
    sqlite3 *db;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    raffle_sale sale = fx_line("b", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_REFUSED(RAFFLE_BUSY, raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 0, &ticket, &fx.err));
    FX_REFUSED(RAFFLE_BUSY, raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 100, &ticket, &fx.err));
    ck_assert_int_eq(ticket.rc, RAFFLE_BUSY);
    ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    FX_OK(raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 0, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, 0);
}
END_TEST

FX_MAIN("raffle_sell", tickets_follow_one_another, a_sale_is_within_the_window,
        a_refused_sale_leaves_an_empty_unit_empty, a_role_that_may_not_sell, every_malformed_field_is_named,
        the_longest_fields_are_kept, a_call_has_1_to_10000_lines_and_an_order_at_most_100,
        lines_have_their_own_outcome_and_orders_are_whole, batches_of_every_size, a_batch_of_10000,
        a_batch_without_threads, structs_step_by_their_size, what_a_record_can_say_is_the_limit,
        a_unit_that_is_not_enabled_or_closed, the_quota, a_clock_that_fails, sixteen_threads_into_one_unit,
        sixteen_threads_over_two_handles, two_handles_take_turns, processes_sell_into_one_unit,
        a_store_that_somebody_else_locks)
