/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator with the database and all keys could write about winners, units and orders: well made records that the fold accepts, or must refuse. */
#include "audit_raffle.h"
#include <stdbool.h>

#define DAY INT64_C(86400000)

static bool passes(void)
{
    raffle_verdict v;
    raffle_audit *audit = ar_audit(1, &v);
    if (!v.passed)
        ar_print(audit);
    raffle_audit_free(audit);
    return v.passed == 1;
}

/* --- a small raffle, with a clock --- */

static int64_t now;
static raffle *small;
static raffle_rng *rng;

static raffle_rc show_time(void *ctx, int64_t *ms, raffle_error *err)
{
    (void)ctx;
    (void)err;
    *ms = now;
    return RAFFLE_OK;
}

static void open_small(void)
{
    raffle_host host = RAFFLE_HOST_INIT;
    host.clock = show_time;
    AR_OK(raffle_open(ar_path, NULL, &host, &small, &ar_err));
}

/* Two early prizes, of two winners each, drawn from one ticket of ten numbers and one of one. */
static void make_small(void)
{
    static const char rules[] =
        "{\"origin\":\"raffle.example/small\",\"name\":\"Audit\",\"organisation\":\"Club\",\"currency\":\"CAD\","
        "\"sales\":{\"opens\":\"2020-01-01T00:00:00.000Z\",\"closes\":\"2100-01-01T00:00:00.000Z\",\"order_tickets\":5}"
        ","
        "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000}],"

        "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"winners\":2,\"alternates\":3,\"claim_days\":30,\"one_"
        "win\":\"none\"},"
        "{\"name\":\"last\",\"claim_days\":0,\"one_win\":\"none\"}],\"rng\":[\"system\"]}";
    raffle_host host = RAFFLE_HOST_INIT;
    host.clock = show_time;
    now = INT64_C(1795291200000);
    snprintf(ar_path, sizeof ar_path, "%s/small-%ld", ar_folder, (long)getpid());
    AR_OK(raffle_create(ar_path, NULL, &host, rules, strlen(rules), &ar_boss, &small, &ar_err));
    AR_OK(raffle_rng_open("system:", NULL, &rng, &ar_err));
    ar_sell(small, 1, 1, 1, 1);
}

static void draw_bird(void)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    AR_OK(raffle_seal(small, &ar_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &ar_err));
    AR_OK(raffle_voids_ack(small, &ar_boss, seal.index, &ar_err));
}

static void close_small(void)
{
    raffle_free(small);
    small = NULL;
}

static void end_small(void)
{
    char command[200];
    close_small();
    raffle_rng_free(rng);
    snprintf(command, sizeof command, "rm -rf '%s.keys'", ar_path);
    ck_assert_int_eq(system(command), 0);
}

static void validation(char out[RAFFLE_VALIDATION_SIZE])
{
    raffle_unit *u;
    AR_OK(raffle_unit_open(small, 1, &u, &ar_err));
    AR_OK(raffle_unit_validation(u, 1, out, &ar_err));
    raffle_unit_free(u);
}

static uint64_t forge_verify(int place, const char *outcome, int promoted)
{
    char leaf[512], more[32] = "";
    if (promoted > 0)
        snprintf(more, sizeof more, "\"promoted\":%d,", promoted);
    snprintf(leaf, sizeof leaf,
             "{\"at\":\"@at\",\"by\":\"supervisor\",\"outcome\":\"%s\",\"p\":\"@p\",\"place\":%d,\"prize\":\"bird\",%s"
             "\"result\":%llu,\"t\":\"winner.verify\"}",
             outcome, place, more, (unsigned long long)ar_find(0, "draw.result", 0));
    return ar_forge(0, AR_ALONE, leaf);
}

/* --- voids and verifications --- */

/* The ticket was taken back between the seal and the draw. */
START_TEST(a_void_winner_is_refused_and_never_verified)
{
    char number[RAFFLE_VALIDATION_SIZE];
    uint32_t promoted = 0;
    make_small();
    draw_bird();
    AR_OK(raffle_void(small, &ar_sue, 1, 1, "refund", &ar_err));
    ar_draw(small, rng, "bird");
    close_small();
    ck_assert(passes());
    ar_copy(strrchr(ar_path, '/') + 1, "forged");
    const uint64_t index = forge_verify(1, "verified", 0);
    ar_expect_integrity(0, ar_find(0, "draw.result", 0),
                        "winner"); /* nobody can tell in which order, but one of the two is wrong */
    ck_assert_uint_eq(index, ar_find(0, "winner.verify", 0));
    ar_copy("forged", strrchr(ar_path, '/') + 1);
    open_small();
    validation(number);
    AR_OK(raffle_winner_verify(small, &ar_sue, "bird", 1, number, NULL, &promoted, &ar_err));
    ck_assert_uint_eq(promoted, 3);
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

START_TEST(a_void_winner_verified_hours_later)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    make_small();
    draw_bird();
    AR_OK(raffle_void(small, &ar_sue, 1, 1, "refund", &ar_err));
    ar_draw(small, rng, "bird");
    now += 3600000;
    AR_OK(raffle_event(small, &ar_sue, 0, "x.note", NULL, NULL, &ar_err));
    close_small();
    ar_copy(strrchr(ar_path, '/') + 1, "forged");
    ar_expect_integrity(0, forge_verify(1, "verified", 0), "winner");
    /* And without times: a seal took the void in. */
    ar_copy("forged", strrchr(ar_path, '/') + 1);
    now -= 3600000;
    open_small();
    AR_OK(raffle_event(small, &ar_sue, 0, "clock.reset", NULL, NULL, &ar_err));
    AR_OK(raffle_seal(small, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    close_small();
    ck_assert(passes());
    ar_expect_integrity(0, forge_verify(1, "verified", 0), "winner");
    end_small();
}
END_TEST

START_TEST(a_winner_that_was_not_void)
{
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    close_small();
    ck_assert(passes());
    ar_expect_integrity(0, forge_verify(1, "void", 3), "winner");
    end_small();
}
END_TEST

/* Refused first, and taken back afterwards, to make it look right. */
START_TEST(a_winner_that_was_voided_afterwards)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    uint64_t index;
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    close_small();
    forge_verify(1, "void", 3);
    index = forge_verify(2, "void", 4);
    now += 5 * 60000;
    char command[200];
    snprintf(command, sizeof command, "rm '%s-anchor'", ar_path);
    ck_assert_int_eq(system(command), 0);
    open_small();
    AR_OK(raffle_seal(small, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    close_small();
    ar_expect_integrity(0, index, "winner");
    ar_forge(0, AR_ALONE,
             "{\"at\":\"@at\",\"by\":\"supervisor\",\"count\":10,\"p\":\"@p\",\"price\":2000,\"reason\":\"refund\","
             "\"serial\":1,\"t\":\"void\",\"unit\":1}");
    ar_expect_integrity(0, index, "winner");
    end_small();
}
END_TEST

START_TEST(forfeited_and_then_taken_back)
{
    char number[RAFFLE_VALIDATION_SIZE];
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    validation(number);
    for (uint32_t place = 1; place <= 5; place++) {
        if (place < 3)
            AR_OK(raffle_winner_verify(small, &ar_sue, "bird", place, number, NULL, NULL, &ar_err));
        AR_OK(raffle_forfeit(small, &ar_boss, &ar_sue, "bird", place, "gone", NULL, &ar_err));
    }
    now += 10 * 60000;
    AR_OK(raffle_void(small, &ar_sue, 1, 1, "refund", &ar_err));
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

START_TEST(a_claimed_ticket_is_not_taken_back)
{
    uint64_t index;
    ar_use("good");
    char leaf[512], unit[8], serial[16], count[8], price[16];
    const unsigned long long result = ar_find(0, "draw.result", 1);
    ar_text(unit, sizeof unit, "SELECT json_extract(leaf, '$.places[%u].unit') FROM record WHERE id = %llu",
            ar_claimed - 1, result);
    ar_text(serial, sizeof serial, "SELECT json_extract(leaf, '$.places[%u].serial') FROM record WHERE id = %llu",
            ar_claimed - 1, result);
    ar_text(count, sizeof count, "SELECT json_extract(leaf, '$.count') FROM record WHERE id = %lld",
            ar_id((uint32_t)atoi(unit), (uint64_t)atoi(serial)));
    ar_text(price, sizeof price, "SELECT json_extract(leaf, '$.price') FROM record WHERE id = %lld",
            ar_id((uint32_t)atoi(unit), (uint64_t)atoi(serial)));
    snprintf(leaf, sizeof leaf,
             "{\"at\":\"@at\",\"by\":\"supervisor\",\"count\":%s,\"p\":\"@p\",\"price\":%s,\"reason\":\"refund\","
             "\"serial\":%s,\"t\":\"void\",\"unit\":%s}",
             count, price, serial, unit);
    index = ar_forge(0, AR_ALONE, leaf);
    ar_expect_integrity(0, index, "fold");
    ar_expect_integrity(0, result, "winner");
}
END_TEST

/* --- reports --- */

static raffle_rc count_bytes(void *ctx, const char *bytes, size_t n, raffle_error *err)
{
    (void)bytes;
    (void)err;
    *(size_t *)ctx += n;
    return RAFFLE_OK;
}

/* An event may name a unit that there is not; it must not keep an inspector from the exceptions. */
START_TEST(an_event_about_no_unit)
{
    size_t length = 0;
    raffle_report_options how = RAFFLE_REPORT_OPTIONS_INIT;
    make_small();
    close_small();
    ar_forge(0, AR_ALONE,
             "{\"at\":\"@at\",\"by\":\"manager\",\"code\":\"comm.fail\",\"p\":\"@p\",\"t\":\"event\",\"unit\":9}");
    char command[200];
    snprintf(command, sizeof command, "rm '%s-anchor'", ar_path);
    ck_assert_int_eq(system(command), 0);
    open_small();
    AR_OK(raffle_event_reindex(small, NULL, &ar_err));
    how.format = RAFFLE_REPORT_JSON;
    memcpy(how.name, "exceptions", sizeof "exceptions");
    AR_OK(raffle_report_write(small, &how, count_bytes, &length, &ar_err));
    ck_assert_uint_gt(length, 0);
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

/* --- forfeits --- */

static void forfeit_after(int64_t days, bool approved)
{
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    close_small();
    now += days * DAY; /* a fresh handle has no earlier reading to compare with */
    open_small();
    AR_OK(raffle_forfeit(small, &ar_boss, approved ? &ar_sue : NULL, "bird", 1, "gone", NULL, &ar_err));
    close_small();
}

START_TEST(a_claim_period_that_ended_early)
{
    forfeit_after(30, false);
    ck_assert(passes());
    now -= 29 * DAY;
    open_small();
    AR_OK(raffle_event(small, &ar_sue, 0, "clock.reset", NULL, NULL, &ar_err));
    close_small();
    ar_expect_integrity(0, ar_find(0, "forfeit", 0), "forfeit");
    end_small();
}
END_TEST

/* Without a claim period there is none that could have ended early. */
START_TEST(a_forfeit_that_never_needs_an_approver)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    AR_OK(raffle_seal(small, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    AR_OK(raffle_voids_ack(small, &ar_boss, seal.index, &ar_err));
    ar_draw(small, rng, "last");
    AR_OK(raffle_forfeit(small, &ar_boss, NULL, "last", 1, "gone", NULL, &ar_err));
    close_small();
    now -= DAY;
    open_small();
    AR_OK(raffle_event(small, &ar_sue, 0, "clock.reset", NULL, NULL, &ar_err));
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

START_TEST(a_clock_set_back_within_the_time_after)
{
    forfeit_after(40, false);
    now -= 9 * DAY;
    open_small();
    AR_OK(raffle_event(small, &ar_sue, 0, "clock.reset", NULL, NULL, &ar_err));
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

START_TEST(an_approved_forfeit_needs_no_clock)
{
    forfeit_after(31, true);
    now -= 31 * DAY;
    open_small();
    AR_OK(raffle_event(small, &ar_sue, 0, "clock.reset", NULL, NULL, &ar_err));
    close_small();
    ck_assert(passes());
    end_small();
}
END_TEST

START_TEST(another_alternate_than_the_next)
{
    uint64_t index;
    make_small();
    draw_bird();
    ar_draw(small, rng, "bird");
    close_small();
    char leaf[512];
    snprintf(leaf, sizeof leaf,
             "{\"at\":\"@at\",\"by\":\"manager\",\"ok\":\"manager\",\"p\":\"@p\",\"place\":1,\"prize\":\"bird\","
             "\"promoted\":4,\"reason\":\"gone\",\"result\":%llu,\"t\":\"forfeit\"}",
             (unsigned long long)ar_find(0, "draw.result", 0));
    index = ar_forge(0, AR_BOTH, leaf);
    ar_expect_integrity(0, index, "fold");
    end_small();
}
END_TEST

/* --- approvers --- */

START_TEST(approved_by_oneself)
{
    static const char *const parts[] = {
        "{\"actor\":\"mallory\",\"ok\":\"mallory\",\"salt\":\"00000000000000000000000000000000\"}", AR_ALONE, AR_BOTH};
    for (int i = 0; i < 3; i++) {
        make_small();
        draw_bird();
        ar_draw(small, rng, "bird");
        close_small();
        char leaf[512];
        snprintf(leaf, sizeof leaf,
                 "{\"at\":\"@at\",\"by\":\"manager\",\"ok\":\"manager\",\"p\":\"@p\",\"place\":1,\"prize\":\"bird\","
                 "\"promoted\":3,\"reason\":\"gone\",\"result\":%llu,\"t\":\"forfeit\"}",
                 (unsigned long long)ar_find(0, "draw.result", 0));
        const uint64_t index = ar_forge(0, parts[i], leaf);
        if (i < 2)
            ar_expect_integrity(0, index, "approver");
        else
            ck_assert(passes());
        end_small();
        ar_unuse();
    }
}
END_TEST

/* --- units and orders --- */

START_TEST(more_tickets_than_an_order_may_have)
{
    char part[200];
    make_small();
    close_small();
    for (int line = 0; line < 6; line++) {
        char leaf[300];
        snprintf(part, sizeof part,
                 "{\"actor\":\"ann\",\"line\":%d,\"lines\":6,\"order\":\"cart\",\"salt\":"
                 "\"00000000000000000000000000000000\"}",
                 line);
        snprintf(leaf, sizeof leaf,
                 "{\"at\":\"@at\",\"by\":\"seller\",\"count\":1,\"n\":%d,\"p\":\"@p\",\"price\":500,\"t\":\"sale\","
                 "\"tier\":\"one\"}",
                 11 + line);
        ar_forge(1, part, leaf);
    }
    ar_expect_integrity(1, 2, "order-lines");
    end_small();
}
END_TEST

static void unit_event(const char *leaf, const char *code)
{
    uint64_t index;
    make_small();
    close_small();
    index = ar_find(0, "unit.enable", 0);
    ar_sql(1, "UPDATE record SET leaf = json_set(leaf, '$.t', '%s') WHERE id = %llu", leaf, (unsigned long long)index);
    ar_expect_integrity(1, 2, code);
    end_small();
}

START_TEST(a_unit_that_was_never_enabled_sold)
{
    unit_event("unit.unenrol", "not-enabled");
}
END_TEST

START_TEST(more_numbers_than_the_unit_ever_had)
{
    static const struct {
        int quota;
        bool fine;
    } cases[] = {{9, false}, {10, true}, {0, true}};
    for (size_t i = 0; i < 3; i++) {
        raffle_verdict v;
        make_small();
        close_small();
        ar_sql(1, "UPDATE record SET leaf = json_set(leaf, '$.quota', %d) WHERE id = %llu", cases[i].quota,
               (unsigned long long)ar_find(0, "unit.enrol", 0));
        if (!cases[i].fine)
            ar_expect_integrity(1, 2, "quota");
        raffle_audit *audit = ar_audit(1, &v);
        ck_assert_uint_eq(ar_count(audit, RAFFLE_FAULT_INTEGRITY, 1, 2, "quota"), cases[i].fine ? 0 : 1);
        raffle_audit_free(audit);
        end_small();
        ar_unuse();
    }
}
END_TEST

START_TEST(rules_without_their_defaults)
{
    make_small();
    close_small();
    ar_sql(1, "UPDATE record SET leaf = json_remove(leaf, '$.rules.rehearsal') WHERE id = %d", 0);
    ar_expect_integrity(0, 0, "rules");
    end_small();
}
END_TEST

/* --- seals --- */

START_TEST(a_later_seal_that_takes_less)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    make_small();
    draw_bird();
    ar_sell(small, 1, 2, 3, 1);
    draw_bird();
    close_small();
    ck_assert(passes());
    (void)seal;
    /* The two runs of the early seals, one for the other. */
    ar_sql(3,
           "UPDATE record SET id = -1 WHERE id = %llu; UPDATE record SET id = %llu WHERE id = %llu;"
           "UPDATE record SET id = %llu WHERE id = -1",
           (unsigned long long)ar_find(0, "seal.unit", 0), (unsigned long long)ar_find(0, "seal.unit", 0),
           (unsigned long long)ar_find(0, "seal.unit", 1), (unsigned long long)ar_find(0, "seal.unit", 1));
    ar_expect_integrity(0, ar_find(0, "seal.unit", 1), "seal");
    end_small();
}
END_TEST

START_TEST(a_unit_called_unreconciled_to_leave_out_its_sales)
{
    ar_use("good");
    const uint64_t early = ar_find(0, "seal.unit", 0), last = ar_find(0, "seal.unit", 3);
    char size[32];
    ar_text(size, sizeof size, "SELECT json_extract(leaf, '$.size') FROM record WHERE id = %llu",
            (unsigned long long)early);
    ar_sql(1, "UPDATE record SET leaf = (SELECT leaf FROM record WHERE id = %llu) WHERE id = %llu",
           (unsigned long long)early, (unsigned long long)last);
    ar_leaf(0, last, "\"reconciled\":true", "\"reconciled\":false");
    ar_expect_incomplete(1, strtoull(size, NULL, 10), "left-out");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_void_winner_is_refused_and_never_verified,
                                  a_void_winner_verified_hours_later,
                                  a_winner_that_was_not_void,
                                  a_winner_that_was_voided_afterwards,
                                  forfeited_and_then_taken_back,
                                  a_claimed_ticket_is_not_taken_back,
                                  an_event_about_no_unit,
                                  a_claim_period_that_ended_early,
                                  a_forfeit_that_never_needs_an_approver,
                                  a_clock_set_back_within_the_time_after,
                                  an_approved_forfeit_needs_no_clock,
                                  another_alternate_than_the_next,
                                  approved_by_oneself,
                                  more_tickets_than_an_order_may_have,
                                  a_unit_that_was_never_enabled_sold,
                                  more_numbers_than_the_unit_ever_had,
                                  rules_without_their_defaults,
                                  a_later_seal_that_takes_less,
                                  a_unit_called_unreconciled_to_leave_out_its_sales};
    return ar_main("audit_places", tests, sizeof tests / sizeof *tests);
}
