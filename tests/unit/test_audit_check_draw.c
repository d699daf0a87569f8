/* SPDX-License-Identifier: Apache-2.0 */
/* One alteration of a draw each: the replay must differ, and say so. */
#include "audit_raffle.h"

static void expect_assurance(uint32_t draw, int32_t assurance)
{
    raffle_verdict v;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    raffle_audit *audit = ar_audit(1, &v);
    AR_OK(raffle_audit_draw_at(audit, draw, &d, &ar_err));
    ck_assert_int_eq(d.assurance, assurance);
    raffle_audit_free(audit);
}

static void expect_wrong(int draw)
{
    ar_expect_integrity(0, ar_find(0, "draw.result", draw), "draw");
    expect_assurance((uint32_t)draw, RAFFLE_ASSURANCE_WRONG);
}

/* Replaces the first character after `before` by another hex digit or decimal digit. */
static void change_digit(uint64_t index, const char *before)
{
    char from[64], to[64];
    ar_text(from, sizeof from, "SELECT substr(leaf, instr(leaf, '%s'), %zu) FROM record WHERE id = %lld", before,
            strlen(before) + 1, ar_id(0, index));
    strcpy(to, from);
    to[strlen(before)] = from[strlen(before)] == '7' ? '8' : '7';
    ar_leaf(0, index, from, to);
}

START_TEST(seed)
{
    for (int i = 0; i < 3; i++) {
        ar_use("good");
        change_digit(ar_find(0, "draw.result", i), "\"seed\":\"");
        expect_wrong(i);
        ar_unuse();
    }
    ar_use("good");
}
END_TEST

START_TEST(number_of_a_place)
{
    ar_use("good");
    change_digit(ar_find(0, "draw.result", 1), "\"places\":[{\"number\":");
    expect_wrong(1);
}
END_TEST

START_TEST(serial_of_a_place)
{
    ar_use("good");
    change_digit(ar_find(0, "draw.result", 1), "\"serial\":");
    expect_wrong(1);
}
END_TEST

START_TEST(place_in_a_record_of_picks)
{
    ar_use("good");
    change_digit(ar_find(0, "draw.picks", 0), "\"places\":[{\"number\":");
    expect_wrong(2);
}
END_TEST

START_TEST(unit_of_a_place)
{
    uint64_t index;
    char unit[32];
    ar_use("good");
    index = ar_find(0, "draw.result", 1);
    ar_text(unit, sizeof unit,
            "SELECT '\"unit\":' || json_extract(leaf, '$.places[0].unit') FROM record WHERE id = %lld",
            ar_id(0, index));
    ar_leaf(0, index, unit, "\"unit\":3");
    expect_wrong(1);
}
END_TEST

START_TEST(rejected_and_skipped)
{
    static const char *const members[] = {"rejected", "skipped_barred", "skipped_not_entered", "skipped_void"};
    for (size_t i = 0; i < 4; i++) {
        char from[40], to[40];
        uint64_t index;
        ar_use("good");
        index = ar_find(0, "draw.result", 0);
        snprintf(from, sizeof from, "\"%s\":", members[i]);
        snprintf(to, sizeof to, "\"%s\":1", members[i]);
        ar_text(to + strlen(to), 8, "SELECT json_extract(leaf, '$.%s') FROM record WHERE id = %lld", members[i],
                ar_id(0, index));
        ar_text(from + strlen(from), 8, "SELECT json_extract(leaf, '$.%s') FROM record WHERE id = %lld", members[i],
                ar_id(0, index));
        ar_leaf(0, index, from, to);
        expect_wrong(0);
        ar_unuse();
    }
    ar_use("good");
}
END_TEST

START_TEST(hash_of_the_skipped)
{
    ar_use("good");
    change_digit(ar_find(0, "draw.result", 0), "\"skips\":\"");
    expect_wrong(0);
}
END_TEST

/* What was sealed or drawn before is in the root that the seed is bound to. */
START_TEST(record_before_the_intent)
{
    ar_use("good");
    ar_sql(1, "UPDATE record SET leaf = replace(leaf, '\"by\":\"manager\"', '\"by\":\"administrator\"') WHERE id = 2");
    expect_wrong(0);
    expect_wrong(1);
    expect_wrong(2);
}
END_TEST

START_TEST(checkpoint_of_the_intent)
{
    uint64_t index;
    char note[600], other[600];
    ar_use("good");
    index = ar_find(0, "draw.result", 1);
    ar_text(note, sizeof note,
            "SELECT substr(leaf, instr(leaf, '\"note\":'), instr(leaf, '\",\"numbers\"') - instr(leaf, '\"note\":')) "
            "FROM record WHERE id = %lld",
            ar_id(0, index));
    ar_text(other, sizeof other,
            "SELECT substr(leaf, instr(leaf, '\"note\":'), instr(leaf, '\",\"numbers\"') - instr(leaf, '\"note\":')) "
            "FROM record WHERE id = %lld",
            ar_id(0, ar_find(0, "draw.result", 0)));
    ar_leaf(0, index, note, other);
    expect_wrong(1);
    ar_leaf(0, index, "\"note\":\"raffle", "\"note\":\"rafflf");
    ar_expect_integrity(0, index, "checkpoint");
    expect_assurance(1, RAFFLE_ASSURANCE_WRONG);
}
END_TEST

START_TEST(provider_that_the_rules_do_not_allow)
{
    uint64_t index;
    ar_use("good");
    index = ar_find(0, "draw.result", 1);
    ar_leaf(0, index, "\"provider\":\"system\"", "\"provider\":\"mine\"");
    ar_expect_integrity(0, index, "fold");
    expect_assurance(1, RAFFLE_ASSURANCE_WRONG);
    ar_expect_integrity(0, ar_find(0, "winner.verify", 0), "fold");
    expect_assurance(2, RAFFLE_ASSURANCE_WRONG); /* the next intent's root is over the altered record */
}
END_TEST

/* A void of a winner that the records forgot: the walk would have skipped it. */
START_TEST(sale_that_won_was_void)
{
    uint64_t serial, unit;
    ar_use("good");
    serial = ar_number("SELECT json_extract(leaf, '$.places[0].serial') FROM record WHERE id < (1 << 40) AND "
                       "json_extract(leaf, '$.t') = 'draw.result'");
    unit = ar_number("SELECT json_extract(leaf, '$.places[0].unit') FROM record WHERE id < (1 << 40) AND "
                     "json_extract(leaf, '$.t') = 'draw.result'");
    ck_assert_uint_eq(unit, 1);
    ar_sql(1, "UPDATE record SET leaf = replace(leaf, '\"serial\":10', '\"serial\":%llu') WHERE id = %lld",
           (unsigned long long)serial, ar_id(1, AR_VOID_FIRST));
    expect_wrong(0);
}
END_TEST

START_TEST(asking_again_is_counted)
{
    ar_use("good");
    ar_leaf(0, ar_find(0, "event", 0), "\"code\":\"draw.ask\"", "\"code\":\"draw.askk\"");
    ar_expect_integrity(0, ar_find(0, "draw.result", 0), "fold"); /* a seed that nobody was asked for */
    expect_assurance(0, RAFFLE_ASSURANCE_WRONG);
}
END_TEST

/* --- rehearsals --- */

static const char rehearsal_rules[] =
    "{\"origin\":\"raffle.example/"
    "rehearsal\",\"name\":\"Audit\",\"organisation\":\"Club\",\"currency\":\"CAD\",\"rehearsal\":true,"
    "\"sales\":{\"opens\":\"2020-01-01T00:00:00.000Z\",\"closes\":\"2100-01-01T00:00:00.000Z\"},"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000}],"
    "\"prizes\":[{\"name\":\"first\",\"tiers\":[\"ten\"]},{\"name\":\"second\",\"winners\":3}],\"rng\":[\"system\","
    "\"test\"]}";

START_TEST(a_rehearsal_proves_nothing)
{
    char path[160];
    raffle *r;
    raffle_rng *rng;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_draw *draw;
    raffle_verdict v;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    snprintf(path, sizeof path, "%s/rehearsal-%ld", ar_folder, (long)getpid());
    snprintf(ar_path, sizeof ar_path, "%s", path);
    AR_OK(raffle_create(path, NULL, NULL, rehearsal_rules, strlen(rehearsal_rules), &ar_boss, &r, &ar_err));
    AR_OK(raffle_rng_open("system:", NULL, &rng, &ar_err));
    ar_sell(r, 1, 0, 50, 1);
    AR_OK(raffle_seal(r, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    AR_OK(raffle_voids_ack(r, &ar_boss, seal.index, &ar_err));
    AR_OK(raffle_draw_begin(r, &ar_boss, "first", NULL, &draw, &ar_err));
    raffle_draw_free(draw);
    AR_OK(raffle_draw_abort(r, &ar_boss, &ar_sue, "rain", &ar_err));
    ar_draw(r, rng, "first");
    ar_draw(r, rng, "second");
    raffle_free(r);
    raffle_rng_free(rng);
    raffle_audit *audit = ar_audit(1, &v);
    ar_print(audit);
    ck_assert_int_eq(v.passed, 1);
    ck_assert_uint_eq(v.draws, 2);
    AR_OK(raffle_audit_draw_at(audit, 0, &d, &ar_err));
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_OPERATOR);
    ck_assert_uint_eq(d.attempt, 2);
    raffle_audit_free(audit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {seed,
                                  number_of_a_place,
                                  serial_of_a_place,
                                  place_in_a_record_of_picks,
                                  unit_of_a_place,
                                  rejected_and_skipped,
                                  hash_of_the_skipped,
                                  record_before_the_intent,
                                  checkpoint_of_the_intent,
                                  provider_that_the_rules_do_not_allow,
                                  sale_that_won_was_void,
                                  asking_again_is_counted,
                                  a_rehearsal_proves_nothing};
    return ar_main("audit_check_draw", tests, sizeof tests / sizeof *tests);
}
