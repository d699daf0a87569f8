/* SPDX-License-Identifier: Apache-2.0 */
/* The fast reader of sales against the general decoder: what it accepts is canonical and means the same, for every byte in every place; and it
 * accepts the sales that there are. */
#include "sale.h"

#include "record.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rf_rules rules;
static rf_sale_memory memory;

static const char *const leaves[] = {
    "{\"at\":\"2026-11-22T21:08:39.852Z\",\"by\":\"seller\",\"count\":1,\"n\":17,\"p\":"
    "\"331d8f18166b7d488118c75602e9c626109c8a0d876d7a437438aae0f31dd573\","
    "\"price\":500,\"t\":\"sale\",\"tier\":\"one\"}",
    "{\"at\":\"1970-01-01T00:00:00.000Z\",\"by\":\"system\",\"count\":0,\"n\":9007199254740991,\"p\":"
    "\"00000000000000000000000000000000000000000000000000000000000000ff\",\"price\":0,\"t\":\"sale\",\"tier\":\"ten.of-"
    "them_0\"}",
};

static const char *const parts[] = {
    "{\"actor\":\"ann\",\"line\":0,\"lines\":1,\"order\":\"01a20516-50cd-7000-8000-000000000000\",\"salt\":"
    "\"ddfa0b8695224b5be3c786db3893e948\"}",
    "{\"actor\":\"a b~ "
    "c\",\"buyer\":\"B/1\",\"channel\":\"web\",\"line\":9,\"lines\":10,\"order\":\"o\",\"payment\":\"card\",\"salt\":"
    "\"00000000000000000000000000000000\"}",
};

static void make_rules(void)
{
    memset(&rules, 0, sizeof rules);
    rules.tiers = 2;
    strcpy(rules.tier[0].name, "one");
    strcpy(rules.tier[1].name, "ten.of-them_0");
    memset(&memory, 0, sizeof memory);
}

static bool canonical(const rf_record *r, const char *leaf, size_t length)
{
    char again[4096];
    return rf_record_encode(r, again, sizeof again) == length && memcmp(again, leaf, length) == 0;
}

static bool accepts(const char *leaf, size_t length)
{
    rf_sale_leaf fast;
    rf_record slow;
    if (!rf_sale_read(&memory, &rules, leaf, length, &fast))
        return false;
    ck_assert_msg(rf_record_decode(&slow, leaf, length, NULL) == RAFFLE_OK, "%.*s", (int)length, leaf);
    ck_assert_msg(canonical(&slow, leaf, length), "%.*s", (int)length, leaf);
    ck_assert_int_eq(slow.type, RF_SALE);
    ck_assert_int_eq(slow.at, fast.at);
    ck_assert_int_eq(slow.by, fast.by);
    ck_assert_int_eq(slow.count, fast.count);
    ck_assert_int_eq(slow.n, fast.n);
    ck_assert_int_eq(slow.price, fast.price);
    ck_assert(rf_text_is(&slow.tier, rules.tier[fast.tier].name));
    return true;
}

static bool accepts_private(const char *json, size_t length)
{
    char again[4096];
    rf_sale_private fast;
    rf_private slow;
    if (!rf_sale_read_private(json, length, &fast))
        return false;
    ck_assert_msg(rf_private_decode(&slow, json, length, NULL) == RAFFLE_OK, "%.*s", (int)length, json);
    ck_assert_uint_eq(rf_private_encode(&slow, again, sizeof again), length);
    ck_assert(memcmp(again, json, length) == 0);
    ck_assert_int_eq(slow.line, fast.line);
    ck_assert_int_eq(slow.lines, fast.lines);
    ck_assert_uint_eq(slow.order.length, fast.order_length);
    ck_assert(memcmp(slow.order.text, fast.order, fast.order_length) == 0);
    return true;
}

typedef bool judge(const char *text, size_t length);

START_TEST(sales_are_accepted)
{
    make_rules();
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < 2; i++)
            ck_assert(accepts(leaves[i], strlen(leaves[i])));
    for (size_t i = 0; i < 2; i++)
        ck_assert(accepts_private(parts[i], strlen(parts[i])));
}
END_TEST

/* Each text is ended by a page's worth of nothing: a reader that goes on past the end is found by the sanitizer. */
static void try_copy(judge *accept, const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    (void)accept(copy, length);
    free(copy);
}

static void every_byte(judge *accept, const char *text)
{
    const size_t n = strlen(text);
    char *work = malloc(n + 2);
    for (size_t at = 0; at < n; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(work, text, n + 1);
            work[at] = (char)byte;
            try_copy(accept, work, n);
        }
        for (int byte = 1; byte < 128; byte++) { /* inserted */
            memcpy(work, text, at);
            work[at] = (char)byte;
            memcpy(work + at + 1, text + at, n - at);
            try_copy(accept, work, n + 1);
        }
        memcpy(work, text, at); /* left out */
        memcpy(work + at, text + at + 1, n - at - 1);
        try_copy(accept, work, n - 1);
        try_copy(accept, text, at); /* cut off */
    }
    free(work);
}

START_TEST(every_byte_of_a_leaf)
{
    make_rules();
    for (size_t i = 0; i < 2; i++)
        every_byte(accepts, leaves[i]);
}
END_TEST

START_TEST(every_byte_of_a_private_part)
{
    for (size_t i = 0; i < 2; i++)
        every_byte(accepts_private, parts[i]);
}
END_TEST

/* Members in another order, twice, or from elsewhere; and texts at their bounds. */
START_TEST(other_shapes)
{
    char json[2048], text[600];
    make_rules();
    memset(text, 'x', sizeof text);
    for (int n = 510; n < 515; n++) {
        snprintf(
            json, sizeof json,
            "{\"actor\":\"%.*s\",\"line\":0,\"lines\":1,\"order\":\"o\",\"salt\":\"00000000000000000000000000000000\"}",
            n, text);
        ck_assert_int_eq(accepts_private(json, strlen(json)), n <= 512);
    }
    for (int n = 30; n < 35; n++) {
        snprintf(json, sizeof json,
                 "{\"actor\":\"a\",\"channel\":\"%.*s\",\"line\":0,\"lines\":1,\"order\":\"o\",\"salt\":"
                 "\"00000000000000000000000000000000\"}",
                 n, text);
        ck_assert_int_eq(accepts_private(json, strlen(json)), n <= 32);
    }
    ck_assert(!accepts_private("{}", 2));
    ck_assert(!accepts("", 0));
    ck_assert(!accepts("{}", 2));
}
END_TEST

/* What was remembered of one sale must not leak into the next. */
START_TEST(memory_is_harmless)
{
    char other[512];
    make_rules();
    ck_assert(accepts(leaves[0], strlen(leaves[0])));
    strcpy(other, leaves[0]);
    memcpy(strstr(other, "2026-11-22"), "2026-13-22", 10);
    ck_assert(!accepts(other, strlen(other)));
    ck_assert(accepts(leaves[0], strlen(leaves[0])));
    strcpy(other, leaves[0]);
    memcpy(strstr(other, "seller"), "sellex", 6);
    ck_assert(!accepts(other, strlen(other)));
    ck_assert(!accepts(other, strlen(other)));
    memcpy(strstr(other, "sellex"), "seller", 6);
    memcpy(strstr(other, "one\"}"), "onx\"}", 5);
    ck_assert(!accepts(other, strlen(other)));
    ck_assert(accepts(leaves[1], strlen(leaves[1])));
    ck_assert(accepts(leaves[0], strlen(leaves[0])));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_sale");
    TCase *c = tcase_create("sale");
    const TTest *const tests[] = {sales_are_accepted, every_byte_of_a_leaf, every_byte_of_a_private_part, other_shapes,
                                  memory_is_harmless};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
