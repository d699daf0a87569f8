/* SPDX-License-Identifier: Apache-2.0 */
/* Retries: an order key that was sold before gives the first tickets, from wherever and in whatever state, or says why not. */
#include "failing_store.h"
#include "fixture.h"
#include <unistd.h>

static raffle_rc sell(raffle_unit *unit, const raffle_sale *sales, size_t n, raffle_ticket *tickets)
{
    for (size_t i = 0; i < n; i++)
        raffle_ticket_init(&tickets[i], sizeof tickets[i]);
    return raffle_unit_sell(unit, &fx_seller, sales, n, 5000, tickets, &fx.err);
}

#define TWO_UNITS FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}"

/* The same tickets as before, but for the flags. */
static void same(const raffle_ticket *again, const raffle_ticket *first, uint32_t flags)
{
    raffle_ticket wanted = *first;
    wanted.flags = RAFFLE_TICKET_REPLAYED | flags;
    ck_assert_mem_eq(again, &wanted, sizeof wanted);
}

START_TEST(the_same_content_gives_the_first_tickets)
{
    fx_create(TWO_UNITS);
    raffle_sale sale[3] = {fx_line("cart", "one"), fx_line("cart", "ten"), fx_line("cart", "one")};
    raffle_ticket first[3], again[3];
    raffle_unit *second = fx_unit(2);
    strcpy(sale[1].buyer, "b-17");
    strcpy(sale[2].payment, "card \"7\"");
    FX_OK(sell(fx.unit, sale, 3, first));
    fx_remember();
    FX_OK(sell(fx.unit, sale, 3, again));
    for (size_t i = 0; i < 3; i++)
        same(&again[i], &first[i], 0);
    FX_OK(sell(second, sale, 3, again)); /* through another unit */
    for (size_t i = 0; i < 3; i++)
        same(&again[i], &first[i], 0);
    strcpy(sale[0].channel, "kiosk"); /* how it came is no content */
    FX_OK(sell(second, sale, 3, again));
    same(&again[0], &first[0], 0);
    fx_check_same(__FILE__, __LINE__, "a retry");
    ck_assert_uint_eq(fx_size(2), 0);
    raffle_unit_free(second);
}
END_TEST

START_TEST(whatever_the_state)
{
    fx_create(TWO_UNITS);
    raffle_sale sale = fx_line("cart", "ten"), other = fx_line("new", "ten");
    raffle_ticket first, again;
    raffle_unit *second = fx_unit(2);
    FX_OK(sell(fx.unit, &sale, 1, &first));
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 1, "lunch", &fx.err));
    FX_FAILS(RAFFLE_DISABLED, sell(fx.unit, &other, 1, &again));
    FX_OK(sell(fx.unit, &sale, 1, &again));
    same(&again, &first, 0);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, first.serial, "refund", &fx.err));
    FX_OK(sell(second, &sale, 1, &again));
    same(&again, &first, RAFFLE_TICKET_VOID);
    fx.now += 11 * FX_HOUR; /* after the window, in a new handle: the clock did not leap */
    raffle_unit_free(second);
    fx_close();
    fx_open();
    FX_FAILS(RAFFLE_WINDOW, sell((second = fx_unit(2)), &other, 1, &again));
    FX_OK(sell(second, &sale, 1, &again));
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_remember();
    FX_OK(sell(fx.unit, &sale, 1, &again));
    same(&again, &first, RAFFLE_TICKET_VOID);
    FX_OK(sell(second, &sale, 1, &again));
    FX_FAILS(RAFFLE_CLOSED, sell(second, &other, 1, &again));
    FX_OK(raffle_unit_sell(second, &fx_auditor, &sale, 1, 0, &again, &fx.err));
    same(&again, &first, RAFFLE_TICKET_VOID);
    fx_check_same(__FILE__, __LINE__, "a retry");
    raffle_unit_free(second);
}
END_TEST

START_TEST(other_content_is_a_mismatch)
{
    fx_create(FX_RULES);
    raffle_sale sale[3] = {fx_line("cart", "one"), fx_line("cart", "ten"), fx_line("cart", "one")};
    raffle_ticket ticket[3];
    strcpy(sale[0].buyer, "b-17");
    FX_OK(sell(fx.unit, sale, 3, ticket));
    fx_sell("after", "one");
    raffle_sale odd[3];
    for (int kind = 0; kind < 6; kind++) {
        size_t n = 3;
        memcpy(odd, sale, sizeof odd);
        if (kind == 0)
            strcpy(odd[1].tier, "one");
        else if (kind == 1)
            odd[0].buyer[0] = 0;
        else if (kind == 2)
            strcpy(odd[2].payment, "p");
        else if (kind == 3)
            n = 2; /* fewer lines */
        else if (kind == 4)
            n = 1;
        else
            strcpy(odd[2].buyer, "b-17");
        FX_REFUSED(RAFFLE_MISMATCH, sell(fx.unit, odd, n, ticket));
        fx_said("line 1");
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq(ticket[i].rc, RAFFLE_MISMATCH);
            ck_assert_str_eq(ticket[i].order, "cart");
            ck_assert_uint_eq(ticket[i].serial, 0);
        }
    }
    raffle_sale more[4] = {sale[0], sale[1], sale[2], sale[2]};
    raffle_ticket four[4];
    FX_REFUSED(RAFFLE_MISMATCH, sell(fx.unit, more, 4, four));
    raffle_sale last[2] = {fx_line("after", "one"), fx_line("after", "one")}; /* beyond the log's end */
    FX_REFUSED(RAFFLE_MISMATCH, sell(fx.unit, last, 2, four));
}
END_TEST

static void reopen_at(int64_t now)
{
    fx_close();
    fx.now = now;
    fx_open();
}

START_TEST(what_the_rules_keep_is_not_erased)
{
    const int64_t kept_until =
        1795323600000 + 3 * 366 * INT64_C(86400000); /* 2026-11-22T05:00Z, the end of the sales */
    fx_create(FX_HEAD "\"keep_years\":3," FX_TIERS FX_PRIZES "}");
    raffle_sale sale = fx_line("cart", "one");
    raffle_ticket ticket;
    FX_OK(sell(fx.unit, &sale, 1, &ticket));
    FX_REFUSED(RAFFLE_LIMIT, raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    reopen_at(kept_until - 1);
    FX_REFUSED(RAFFLE_LIMIT, raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    FX_OK(raffle_ticket_get(fx.raffle, 1, 1, &ticket, &fx.err));
    ck_assert_str_eq(ticket.order, "cart");
    reopen_at(kept_until);
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    FX_OK(raffle_ticket_get(fx.raffle, 1, 1, &ticket, &fx.err));
    ck_assert_str_eq(ticket.order, "");
}
END_TEST

START_TEST(after_erasure_nobody_can_tell)
{
    fx_create(FX_RULES);
    raffle_sale sale[2] = {fx_line("cart", "one"), fx_line("cart", "ten")};
    raffle_ticket ticket[2];
    size_t n;
    FX_OK(sell(fx.unit, sale, 2, ticket));
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, ticket[1].serial, &fx.err));
    FX_REFUSED(RAFFLE_ERASED, sell(fx.unit, sale, 2, ticket));
    ck_assert_int_eq(ticket[0].rc, RAFFLE_ERASED);
    FX_OK(raffle_order_tickets(fx.raffle, "cart", ticket, 2, &n, &fx.err));
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(ticket[0].order, "cart");
    ck_assert_str_eq(ticket[1].order, "");
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err));
    FX_REFUSED(RAFFLE_ERASED, sell(fx.unit, sale, 2, ticket));
    FX_REFUSED(RAFFLE_ERASED, raffle_order_tickets(fx.raffle, "cart", ticket, 2, &n, &fx.err));
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 1, &fx.err)); /* it is gone: fine */
    FX_REFUSED(RAFFLE_ROLE, raffle_ticket_erase(fx.raffle, &fx_seller, 1, 1, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_ticket_erase(fx.raffle, &fx_boss, 1, 3, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_ticket_erase(fx.raffle, &fx_boss, 1, 0, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_ticket_erase(fx.raffle, &fx_boss, 2, 1, &fx.err));
}
END_TEST

START_TEST(erased_texts_are_gone_from_the_files)
{
    static const char secret[] = "SECRET-BUYER-4711";
    fx_create(FX_RULES);
    raffle_sale sale = fx_line("SECRET-ORDER-4711", "one");
    raffle_ticket ticket;
    strcpy(sale.buyer, secret);
    FX_OK(sell(fx.unit, &sale, 1, &ticket));
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, ticket.serial, &fx.err));
    static const char *const parts[] = {"", "-wal"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        static char bytes[1 << 20];
        snprintf(path, sizeof path, "%s%s", fx.path, parts[i]);
        FILE *f = fopen(path, "rb");
        if (f == NULL)
            continue;
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        ck_assert_ptr_null(memmem(bytes, n, "SECRET-", 7));
    }
}
END_TEST

START_TEST(the_library_makes_a_key)
{
    fx_create(FX_RULES);
    raffle_sale sale[3] = {fx_line("", "one"), fx_line("", "one"), fx_line("", "ten")};
    raffle_ticket ticket[3], again;
    size_t n;
    FX_OK(sell(fx.unit, sale, 3, ticket));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(strlen(ticket[i].order), 36);
        ck_assert_int_eq(ticket[i].order[14], '7');
        ck_assert(i == 0 || strcmp(ticket[i].order, ticket[i - 1].order) != 0);
        FX_OK(raffle_order_tickets(fx.raffle, ticket[i].order, &again, 0, &n, &fx.err));
        ck_assert_uint_eq(n, 1);
        strcpy(sale[i].order, ticket[i].order);
    }
    fx_remember();
    for (size_t i = 0; i < 3; i++) {
        FX_OK(sell(fx.unit, &sale[i], 1, &again));
        same(&again, &ticket[i], 0);
    }
    fx_check_same(__FILE__, __LINE__, "a retry");
    sale[0].order[0] = 0;
    strcpy(sale[0].tier, "lost");
    FX_FAILS(RAFFLE_NOT_FOUND, sell(fx.unit, sale, 1, &again));
    ck_assert_uint_eq(strlen(again.order), 36); /* also of a line that failed */
}
END_TEST

START_TEST(a_key_further_up)
{
    fx_create(FX_RULES);
    raffle_sale sale[4] = {fx_line("a", "one"), fx_line("b", "one"), fx_line("a", "one"), fx_line("c", "one")};
    raffle_ticket ticket[4];
    raffle_rc rc = sell(fx.unit, sale, 4, ticket);
    ck_assert_uint_eq(fx.err.detail, 3);
    FX_FAILS(RAFFLE_INVALID, rc);
    fx_said("further up");
    ck_assert_int_eq(ticket[0].rc, RAFFLE_OK);
    ck_assert_int_eq(ticket[2].rc, RAFFLE_INVALID);
    ck_assert_int_eq(ticket[3].rc, RAFFLE_OK);
    ck_assert_uint_eq(ticket[3].first, 3);
    FX_REFUSED(RAFFLE_INVALID, sell(fx.unit, sale, 4, ticket)); /* a retry of the whole call says the same */
    ck_assert_uint_eq(ticket[0].flags, RAFFLE_TICKET_REPLAYED);
    ck_assert_int_eq(ticket[2].rc, RAFFLE_INVALID);
    raffle_sale bad[3] = {fx_line("d", "lost"), fx_line("e", "one"), fx_line("d", "one")};
    rc = sell(fx.unit, bad, 3, ticket);
    FX_FAILS(RAFFLE_NOT_FOUND, rc);
    ck_assert_int_eq(ticket[0].rc, RAFFLE_NOT_FOUND);
    ck_assert_int_eq(ticket[1].rc, RAFFLE_OK);
    ck_assert_int_eq(ticket[2].rc, RAFFLE_INVALID);
}
END_TEST

START_TEST(large_calls_are_retried_whole)
{
    static raffle_sale sale[2000];
    static raffle_ticket first[2000], again[2000];
    fx_create(FX_RULES);
    for (size_t i = 0; i < 2000; i++) {
        char order[32];
        snprintf(order, sizeof order, "order-%zu", i / 4);
        sale[i] = fx_line(order, i % 5 == 0 ? "ten" : "one");
    }
    FX_OK(sell(fx.unit, sale, 1000, first));
    FX_OK(sell(fx.unit, sale, 2000, again)); /* half of it is new */
    for (size_t i = 0; i < 1000; i++)
        same(&again[i], &first[i], 0);
    for (size_t i = 1000; i < 2000; i++)
        ck_assert_uint_eq(again[i].flags, 0);
    ck_assert_uint_eq(again[1000].first, first[999].first + first[999].count);
    memcpy(first, again, sizeof first);
    fx_remember();
    FX_OK(sell(fx.unit, sale, 2000, again));
    for (size_t i = 0; i < 2000; i++)
        same(&again[i], &first[i], 0);
    fx_check_same(__FILE__, __LINE__, "a retry");
}
END_TEST

START_TEST(orders_are_found)
{
    fx_create(FX_RULES);
    raffle_sale sale[3] = {fx_line("cart", "one"), fx_line("cart", "ten"), fx_line("cart", "one")};
    raffle_ticket ticket[3], one = RAFFLE_TICKET_INIT;
    size_t n = 7;
    FX_OK(sell(fx.unit, sale, 3, ticket));
    FX_OK(raffle_order_tickets(fx.raffle, "cart", &one, 1, &n, &fx.err));
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(&one, &ticket[0], sizeof one);
    FX_OK(raffle_order_tickets(fx.raffle, "cart", NULL, 0, &n, &fx.err));
    n = 7;
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_order_tickets(fx.raffle, "cart2", &one, 1, &n, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_order_tickets(fx.raffle, "", &one, 1, &n, &fx.err));
    char longest[80] = "cart";
    memset(longest, 'x', 79);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_order_tickets(fx.raffle, longest, &one, 1, &n, &fx.err));
    ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(an_order_that_cannot_be_read_is_no_success)
{
    fx_create(FX_RULES);
    raffle_sale sale[2] = {fx_line("cart", "one"), fx_line("more", "one")};
    raffle_ticket ticket[2];
    FX_OK(sell(fx.unit, sale, 1, ticket));
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET private = '{\"actor\":7}' WHERE id = %lld", (1LL << 40) + 1);
    FX_FAILS(RAFFLE_CORRUPT, sell(fx.unit, sale, 2, ticket));
    ck_assert_int_eq(ticket[0].rc, RAFFLE_CORRUPT);
    ck_assert_int_eq(ticket[1].rc, RAFFLE_OK);
    fx_sql(1, "UPDATE record SET leaf = '{}' WHERE id = %lld", (1LL << 40) + 1);
    FX_FAILS(RAFFLE_CORRUPT, sell(fx.unit, sale, 1, ticket));
    ck_assert_int_eq(ticket[0].rc, RAFFLE_CORRUPT);
}
END_TEST

/* --- when nothing can be sold --- */

/* Of a call that fails as a whole, the orders that were sold before are answered. */
static void sold_before_and_not(raffle_rc refused, size_t n)
{
    static raffle_sale sale[100];
    static raffle_ticket ticket[100];
    for (size_t i = 0; i < n; i++) {
        char order[16];
        snprintf(order, sizeof order, "new-%zu", i);
        sale[i] = fx_line(order, "one");
    }
    sale[n - 2] = fx_line("cart", "one");
    sale[n - 1] = fx_line("cart", "ten");
    ck_assert_int_eq(sell(fx.unit, sale, n, ticket), refused);
    ck_assert_int_eq(fx.err.rc, refused);
    for (size_t i = 0; i < n - 2; i++) {
        ck_assert_int_eq(ticket[i].rc, refused);
        ck_assert_str_eq(ticket[i].order, sale[i].order);
        ck_assert_uint_eq(ticket[i].serial, 0);
    }
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(ticket[n - 2 + i].rc, RAFFLE_OK);
        ck_assert_uint_eq(ticket[n - 2 + i].serial, 1 + i);
        ck_assert_uint_eq(ticket[n - 2 + i].flags, RAFFLE_TICKET_REPLAYED);
    }
    strcpy(sale[n - 1].tier,
           "one"); /* other content stays a mismatch, and a key that was never sold the call's failure */
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_FAILS(RAFFLE_MISMATCH, sell(fx.unit, sale + n - 2, 2, ticket));
    fx_said("line 1");
    sale[0].order[0] = 0;
    FX_FAILS(refused, sell(fx.unit, sale, 1, ticket));
    strcpy(sale[n - 1].tier, "lost");
    FX_FAILS(RAFFLE_NOT_FOUND, sell(fx.unit, sale + n - 2, 2, ticket));
    ck_assert_int_eq(ticket[0].rc, RAFFLE_NOT_FOUND);
}

static void sell_cart(void)
{
    raffle_sale sale[2] = {fx_line("cart", "one"), fx_line("cart", "ten")};
    raffle_ticket ticket[2];
    fx_create(FX_RULES);
    FX_OK(sell(fx.unit, sale, 2, ticket));
    fx_sell("after", "one");
}

START_TEST(while_the_clock_fails)
{
    sell_cart();
    fx_remember();
    fx.clock_rc = RAFFLE_IO;
    for (size_t n = 3; n <= 100; n += 97) {
        sold_before_and_not(RAFFLE_HOST, n);
        raffle_error_init(&fx.err, sizeof fx.err);
    }
    fx.clock_rc = RAFFLE_OK;
    fx.now -= FX_HOUR;
    sold_before_and_not(RAFFLE_CLOCK, 50);
    fx.now += FX_HOUR;
    raffle_error_init(&fx.err, sizeof fx.err);
    fx_check_same(__FILE__, __LINE__, "a retry");
}
END_TEST

/* The order is read from a log that is halted: by its anchor, or as its newest record is damaged. */
START_TEST(while_the_unit_is_halted)
{
    char anchor[100];
    sell_cart();
    fx_close();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, 'seller', 'manager') WHERE id = %lld", (1LL << 40) + 3);
    for (size_t n = 3; n <= 30; n += 27) {
        fx_open();
        sold_before_and_not(RAFFLE_HISTORY, n);
        raffle_error_init(&fx.err, sizeof fx.err);
        fx_close();
    }
    snprintf(anchor, sizeof anchor, "%s-anchor", fx.path);
    ck_assert_int_eq(unlink(anchor), 0);
    fx_sql(1, "UPDATE log SET state = NULL WHERE log = %d", 1);
    fx_sql(1, "UPDATE record SET leaf = '{}' WHERE id = %lld", (1LL << 40) + 3);
    fx_open();
    for (size_t n = 3; n <= 30; n += 27) {
        sold_before_and_not(RAFFLE_HALTED, n);
        raffle_error_init(&fx.err, sizeof fx.err);
    }
}
END_TEST

START_TEST(while_the_unit_is_disabled_or_closed_elsewhere)
{
    raffle *other;
    raffle_unit *unit = NULL;
    sell_cart();
    other = fx_another();
    FX_OK(raffle_unit_disable(other, &fx_boss, 1, "lunch", &fx.err));
    sold_before_and_not(RAFFLE_DISABLED, 3);
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_OK(raffle_unit_enable(other, &fx_boss, 1, &fx.err));
    FX_OK(raffle_unit_open(other, 1, &unit, &fx.err));
    FX_OK(raffle_unit_close(unit, &fx_boss, &fx.err));
    raffle_unit_free(unit);
    sold_before_and_not(RAFFLE_CLOSED, 3);
    raffle_error_init(&fx.err, sizeof fx.err);
    sold_before_and_not(RAFFLE_CLOSED, 60);
    raffle_error_init(&fx.err, sizeof fx.err);
    raffle_free(other);
}
END_TEST

/* --- a store that fails --- */

START_TEST(what_kept_it_from_being_read_is_handed_on)
{
    static const failing_call calls[] = {FAILING_READ, FAILING_FIND};
    raffle_sale sale[2] = {fx_line("cart", "one"), fx_line("cart", "ten")};
    raffle_ticket ticket[2];
    static failing_store f; /* used until the fixture is torn down */
    raffle_store *store = NULL;
    raffle_keys *keys = NULL;
    char folder[100];
    sell_cart();
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 1, "lunch", &fx.err));
    fx_close();
    snprintf(folder, sizeof folder, "file:%s.keys", fx.path);
    FX_OK(raffle_keys_open(folder, NULL, &keys, &fx.err));
    FX_OK(raffle_store_open(fx.store, NULL, &f.inner, &fx.err));
    FX_OK(failing_store_new(&f, &store, &fx.err));
    FX_OK(raffle_open_with(store, keys, &fx.host, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
    FX_OK(sell(fx.unit, sale, 2, ticket));
    for (size_t i = 0; i < 2; i++) {
        f.which = calls[i];
        f.rc = RAFFLE_HOST;
        ck_assert_int_eq(sell(fx.unit, sale, 2, ticket), RAFFLE_HOST);
        ck_assert_str_eq(fx.err.message, "line 1: the cable is out");
        ck_assert_uint_eq(fx.err.token, 42);
        ck_assert_uint_eq(fx.err.detail, 1);
        ck_assert_int_eq(ticket[0].rc, RAFFLE_HOST);
        ck_assert_int_eq(ticket[1].rc, RAFFLE_HOST);
    }
    raffle_error_init(&fx.err, sizeof fx.err);
    f.which = FAILING_NONE;
    FX_OK(sell(fx.unit, sale, 2, ticket));
    raffle_keys_free(keys);
    raffle_store_free(store);
}
END_TEST

FX_MAIN("raffle_retry", the_same_content_gives_the_first_tickets, whatever_the_state, other_content_is_a_mismatch,
        what_the_rules_keep_is_not_erased, after_erasure_nobody_can_tell, erased_texts_are_gone_from_the_files,
        the_library_makes_a_key, a_key_further_up, large_calls_are_retried_whole, orders_are_found,
        an_order_that_cannot_be_read_is_no_success, while_the_clock_fails, while_the_unit_is_halted,
        while_the_unit_is_disabled_or_closed_elsewhere, what_kept_it_from_being_read_is_handed_on)
