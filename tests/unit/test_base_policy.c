/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: what is no policy, the largest one, quorums over cosigned notes and their times, and merging cosignatures into a note. */
#include "bytes.h"
#include "policy.h"
#include "vectors.h"

#include <sodium.h>

static raffle_error err;
static rf_policy policy;
static rf_note note;
static char text[RF_POLICY_MAX + 64];

enum {
    TIME = 1700000000
};

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    raffle_error_init(&err, sizeof err);
}

/* Witness `i` of these tests: its key, its vkey, and a cosignature line over a note's text. */
static void keys_of(unsigned i, uint8_t public_key[32], uint8_t secret[64])
{
    uint8_t seed[32];
    memset(seed, (int)i + 1, sizeof seed);
    crypto_sign_seed_keypair(public_key, secret, seed);
}

static const char *vkey_of(unsigned i, uint8_t type)
{
    static char out[RF_VKEY_SIZE];
    char name[32];
    uint8_t public_key[32], secret[64];
    rf_vkey vkey;
    keys_of(i, public_key, secret);
    snprintf(name, sizeof name, "w%u.example", i);
    ck_assert_int_eq(rf_vkey_make(&vkey, name, type, public_key, &err), RAFFLE_OK);
    rf_vkey_format(&vkey, out);
    return out;
}

static size_t cosign(char *out, unsigned i, const char *over, uint64_t seconds)
{
    char message[RF_NOTE_MAX], name[32];
    uint8_t public_key[32], secret[64], raw[76];
    keys_of(i, public_key, secret);
    snprintf(name, sizeof name, "w%u.example", i);
    rf_key_id(raw, name, RF_NOTE_COSIGNATURE, public_key);
    rf_put_be(raw + 4, seconds, 8);
    const int n = snprintf(message, sizeof message, "cosignature/v1\ntime %llu\n%s", (unsigned long long)seconds, over);
    crypto_sign_detached(raw + 12, NULL, (uint8_t *)message, (size_t)n, secret);
    size_t at = (size_t)sprintf(out, "\xe2\x80\x94 %s ", name);
    at += rf_base64_encode(out + at, raw, sizeof raw);
    out[at++] = '\n';
    out[at] = 0;
    return at;
}

#define BODY "raffle.example/log1\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n"
#define OWN                                                                                                            \
    "\xe2\x80\x94 raffle.example/log1 "                                                                                \
    "jEaLg3a62T/EyZwhPUG1HP1yJnlnfBopJbjeW5WfBWBYCzs8FjZDQ6NsYw2biw7eXZxVspHV9He2WPhfdUkqeHJQuwc=\n"
#define THEIRS                                                                                                         \
    "\xe2\x80\x94 witness.example/w1 "                                                                                 \
    "IDJKvgAAAABlU/EA4psL2w6kvHjunCR6iRRvgW1vfNjzqReh15E9Y4oTdcW44LvHXlaXBM0A6gx3875GPmcFYk9HqMNrS9Qlp5auBA==\n"
/* Of the same key, at 1795405106, by transparency-dev/formats v0.1.1 (note.NewSignerForCosignatureV1). */
#define FORMATS                                                                                                        \
    "\xe2\x80\x94 witness.example/w1 "                                                                                 \
    "IDJKvgAAAABrA7UyJEBTTV+bPZhsxgW2O6MXE3dGqhjE3euQtoQHFDm2/xZAySiGkwJfOGMowKZ1ApfBP5Y0v3KpEzcG5lf4HcUKCw==\n"
#define THEIR_KEY "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"

static raffle_rc parse(const char *lines)
{
    raffle_error_init(&err, sizeof err);
    const size_t length = strlen(lines);
    char *copy = malloc(length + 1);
    memcpy(copy, lines, length);
    raffle_rc rc = rf_policy_parse(&policy, copy, length, &err);
    ck_assert_int_eq(err.rc, rc);
    ck_assert_int_eq(err.message[0] != 0, rc != RAFFLE_OK);
    free(copy);
    return rc;
}

/* Three witnesses, and more lines behind them. */
static const char *three(const char *more)
{
    size_t at = 0;
    for (unsigned i = 0; i < 3; i++)
        at += (size_t)sprintf(text + at, "witness %c %s\n", 'a' + (int)i, vkey_of(i, 4));
    strcpy(text + at, more);
    return text;
}

START_TEST(what_is_a_policy)
{
    ck_assert_int_eq(parse(three("quorum a\n")), RAFFLE_OK);
    ck_assert_uint_eq(policy.witnesses, 3);
    ck_assert_str_eq(policy.witness[2].vkey.name, "w2.example");
    ck_assert_int_eq(parse(three("group g 2 a b c\nquorum g\n")), RAFFLE_OK);
    ck_assert_uint_eq(policy.group[0].needed, 2);
    ck_assert_int_eq(parse(three("group g all a b\ngroup h any g c\nquorum h\n")), RAFFLE_OK);
    ck_assert_uint_eq(policy.group[0].needed, 2);
    ck_assert_uint_eq(policy.group[1].needed, 1);
    ck_assert_int_eq(parse("witness \xc3\xa9 " THEIR_KEY " https://w.example/x/\nquorum \xc3\xa9\n"), RAFFLE_OK);
    ck_assert_int_eq(parse("witness e " THEIR_KEY " http://127.0.0.1:8080\nquorum e\n"), RAFFLE_OK);
}
END_TEST

START_TEST(what_is_no_policy)
{
    static const char *const behind[] = {
        "",
        "quorum a",
        "quorum none\n",
        "quorum\n",
        "quorum \n",
        "quorum a b\n",
        "quorum a \n",
        "quorum  a\n",
        " quorum a\n",
        "quorum\ta\n",
        "quorum d\n",
        "quorum a\nquorum a\n",
        "quorum a\n\n",
        "\nquorum a\n",
        "# so\nquorum a\n",
        "quorum a\r\n",
        "Quorum a\n",
        "log x\nquorum a\n",
        "quorum \x01\n",
        "quorum \xff\n",
        "group g 2 a b c\n",
        "group g 0 a\nquorum g\n",
        "group g 4 a b c\nquorum g\n",
        "group g 02 a b\nquorum g\n",
        "group g -1 a\nquorum g\n",
        "group g some a\nquorum g\n",
        "group g all\nquorum g\n",
        "group g all \nquorum g\n",
        "group g all a \nquorum g\n",
        "group g all a  b\nquorum g\n",
        "group g all a a\nquorum g\n",
        "group g all a none\nquorum g\n",
        "group g all g\nquorum g\n",
        "group g all h\ngroup h all a\nquorum h\n",
        "group g all a\ngroup h all a\nquorum h\n",
        "group a all b\nquorum a\n",
        "group none all b\nquorum none\n",
        "group g 18446744073709551617 a\nquorum g\n",
        "group\nquorum a\n",
        "group g\nquorum a\n",
        "witness\nquorum a\n",
        "witness d\nquorum a\n",
        "witness d \nquorum a\n",
        "witness  d\nquorum a\n",
        "witness d x+00000000+y\nquorum a\n",
        "witness a " THEIR_KEY "\nquorum a\n",
        "witness none " THEIR_KEY "\nquorum a\n",
        "witness d " THEIR_KEY " \nquorum a\n",
        "witness d " THEIR_KEY " ftp://w.example\nquorum a\n",
        "witness d " THEIR_KEY " https://\nquorum a\n",
        "witness d " THEIR_KEY " http:///x\nquorum a\n",
        "witness d " THEIR_KEY " http://u@w.example\nquorum a\n",
        "witness d " THEIR_KEY " http://w.example?x\nquorum a\n",
        "witness d " THEIR_KEY " http://w.example x\nquorum a\n",
        "witness d " THEIR_KEY " http://\xc3\xa9.example\nquorum a\n",
        "witness d " THEIR_KEY "\nwitness e " THEIR_KEY "\nquorum a\n",
        "quorum d\nwitness d " THEIR_KEY "\n",
    };
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        ck_assert_msg(parse(three(behind[i])) == RAFFLE_INVALID, "taken: %s", behind[i]);
    ck_assert_int_eq(parse(""), RAFFLE_INVALID);
}
END_TEST

/* One key must not serve two, under whatever names, nor as a log's (C2SP tlog-cosignature). */
START_TEST(one_key_serves_one_witness)
{
    char lines[1200];
    uint8_t public_key[32], secret[64];
    rf_vkey other;
    char other_text[RF_VKEY_SIZE];
    keys_of(0, public_key, secret);
    ck_assert_int_eq(rf_vkey_make(&other, "elsewhere.example", 4, public_key, &err), RAFFLE_OK);
    rf_vkey_format(&other, other_text);
    snprintf(lines, sizeof lines, "witness a %s\nwitness b %s\nquorum a\n", vkey_of(0, 4), other_text);
    ck_assert_int_eq(parse(lines), RAFFLE_INVALID);
    ck_assert(strstr(err.message, "another witness") != NULL);
    snprintf(lines, sizeof lines, "witness a %s\nquorum a\n", vkey_of(0, 1));
    ck_assert_int_eq(parse(lines), RAFFLE_INVALID);
    ck_assert(strstr(err.message, "0x04") != NULL);
}
END_TEST

static size_t many(size_t witnesses, size_t groups)
{
    size_t at = 0;
    for (size_t i = 0; i < witnesses; i++)
        at += (size_t)sprintf(text + at, "witness w%zu %s\n", i, vkey_of((unsigned)i, 4));
    for (size_t i = 0; i < groups; i++)
        at += (size_t)sprintf(text + at, i == 0 ? "group g0 all w0\n" : "group g%zu any g%zu\n", i, i - 1);
    sprintf(text + at, "quorum w0\n");
    return at;
}

START_TEST(as_many_as_there_may_be)
{
    many(RF_POLICY_WITNESSES, RF_POLICY_GROUPS);
    ck_assert_int_eq(parse(text), RAFFLE_OK);
    ck_assert_uint_eq(policy.groups, RF_POLICY_GROUPS);
    many(RF_POLICY_WITNESSES + 1, 0);
    ck_assert_int_eq(parse(text), RAFFLE_LIMIT);
    many(1, RF_POLICY_GROUPS + 1);
    ck_assert_int_eq(parse(text), RAFFLE_LIMIT);
    memset(text, '\n', sizeof text);
    ck_assert_int_eq(rf_policy_parse(&policy, text, RF_POLICY_MAX + 1, &err), RAFFLE_LIMIT);
}
END_TEST

/* The last group of a chain of 32 is reached by its first witness. */
START_TEST(groups_of_groups)
{
    sprintf(text + many(2, RF_POLICY_GROUPS), "quorum g%d\n", RF_POLICY_GROUPS - 1);
    ck_assert_int_eq(rf_policy_parse(&policy, text, strlen(text), &err), RAFFLE_OK);
    ck_assert(rf_policy_reached(&policy, 1));
    ck_assert(!rf_policy_reached(&policy, 2));
    ck_assert(!rf_policy_reached(&policy, UINT64_C(1) << (RF_POLICY_WITNESSES + 31))); /* a group signs nothing */
}
END_TEST

static bool reached(const char *lines, uint64_t before, uint64_t *cosigned)
{
    char *copy = strdup(lines);
    ck_assert_int_eq(rf_note_parse(&note, copy, strlen(copy), &err), RAFFLE_OK);
    raffle_rc rc = rf_policy_cosigned(&policy, &note, before, cosigned, &err);
    free(copy);
    return rc == RAFFLE_OK && rf_policy_reached(&policy, *cosigned);
}

START_TEST(two_of_three_in_time)
{
    char signed_note[4096];
    uint64_t who = 0;
    char keep[4096];
    strcpy(keep, three("group g 2 a b c\nquorum g\n"));
    ck_assert_int_eq(rf_policy_parse(&policy, keep, strlen(keep), &err), RAFFLE_OK);
    size_t at = (size_t)sprintf(signed_note, "%s\n%s", BODY, OWN);
    ck_assert(!reached(signed_note, UINT64_MAX, &who));
    ck_assert_uint_eq(who, 0);
    at += cosign(signed_note + at, 0, BODY, TIME);
    ck_assert(!reached(signed_note, UINT64_MAX, &who));
    ck_assert_uint_eq(who, 1);
    at += cosign(signed_note + at, 7, BODY, TIME); /* no witness */
    ck_assert(!reached(signed_note, UINT64_MAX, &who));
    ck_assert_uint_eq(who, 1);
    at += cosign(signed_note + at, 2, BODY, TIME + 10);
    ck_assert(reached(signed_note, UINT64_MAX, &who));
    ck_assert_uint_eq(who, 5);
    ck_assert(reached(signed_note, TIME + 11, &who));
    ck_assert(!reached(signed_note, TIME + 10, &who)); /* at the time is not before it */
    ck_assert_uint_eq(who, 1);
    cosign(signed_note + at, 1, BODY "and a line", TIME); /* by a witness, over another text: the whole note is wrong */
    ck_assert(!reached(signed_note, UINT64_MAX, &who));
    ck_assert_int_eq(err.rc, RAFFLE_SIGNATURE);
    cosign(signed_note + at, 1, BODY, 0); /* right, and without a time */
    ck_assert(reached(signed_note, UINT64_MAX, &who));
    ck_assert_uint_eq(who, 5);
}
END_TEST

/* The note of another implementation (reference: tests/vectors/note.json). */
START_TEST(the_worked_example)
{
    uint64_t who = 0;
    static const char lines[] = "witness w " THEIR_KEY "\nquorum w\n";
    ck_assert_int_eq(rf_policy_parse(&policy, lines, strlen(lines), &err), RAFFLE_OK);
    ck_assert(reached(BODY "\n" OWN THEIRS, UINT64_MAX, &who));
    ck_assert(reached(BODY "\n" OWN THEIRS, TIME + 1, &who));
    ck_assert(!reached(BODY "\n" OWN THEIRS, TIME, &who));
    ck_assert(reached(BODY "\n" OWN FORMATS, 1795405107, &who));
    ck_assert(!reached(BODY "\n" OWN FORMATS, 1795405106, &who));
}
END_TEST

typedef struct merging {
    char note[RF_NOTE_MAX];
    size_t length;
    uint64_t by;
} merging;

static raffle_rc add(merging *m, const char *lines, size_t length)
{
    char *copy = malloc(length + 1);
    memcpy(copy, lines, length);
    raffle_error_init(&err, sizeof err);
    m->by = 0;
    raffle_rc rc = rf_policy_add(&policy, m->note, sizeof m->note, &m->length, copy, length, &m->by, &err);
    ck_assert_int_eq(err.rc, rc);
    free(copy);
    return rc;
}

static merging start(void)
{
    static char lines[4096];
    merging m = {.length = strlen(BODY "\n" OWN)};
    strcpy(lines, three("group g 2 a b c\nquorum g\n"));
    ck_assert_int_eq(rf_policy_parse(&policy, lines, strlen(lines), &err), RAFFLE_OK);
    memcpy(m.note, BODY "\n" OWN, m.length);
    return m;
}

START_TEST(cosignatures_are_merged)
{
    char lines[4096], first[512];
    merging m = start();
    const size_t own = m.length, n = cosign(first, 1, BODY, TIME);
    ck_assert_int_eq(add(&m, first, n), RAFFLE_OK);
    ck_assert_uint_eq(m.by, 2);
    ck_assert_uint_eq(m.length, own + n);
    ck_assert_mem_eq(m.note + own, first, n);
    ck_assert_int_eq(add(&m, first, n), RAFFLE_OK); /* again: nothing new */
    ck_assert_uint_eq(m.length, own + n);
    size_t at = cosign(lines, 1, BODY, TIME + 5); /* the first time stays */
    at += cosign(lines + at, 9, BODY, TIME);      /* unknown: left out */
    const size_t known = at;
    at += cosign(lines + at, 0, BODY, TIME);
    ck_assert_int_eq(add(&m, lines, at), RAFFLE_OK);
    ck_assert_uint_eq(m.by, 3);
    ck_assert_uint_eq(m.length, own + n + (at - known));
    ck_assert_mem_eq(m.note + own, first, n);
    ck_assert_mem_eq(m.note + own + n, lines + known, at - known);
    ck_assert_int_eq(rf_note_parse(&note, m.note, m.length, &err), RAFFLE_OK);
    ck_assert_uint_eq(note.signatures, 3);
}
END_TEST

START_TEST(what_is_not_merged)
{
    char lines[8192], good[512];
    merging m = start();
    const merging before = m;
    const size_t n = cosign(good, 0, BODY, TIME);
    size_t at = cosign(lines, 0, BODY, TIME);
    at += cosign(lines + at, 1, "raffle.example/log1\n601\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n", TIME);
    ck_assert_int_eq(add(&m, lines, at), RAFFLE_SIGNATURE); /* the second line is over another size */
    ck_assert_int_eq(add(&m, "", 0), RAFFLE_SIGNATURE);
    ck_assert_int_eq(add(&m, "\n", 1), RAFFLE_SIGNATURE);
    ck_assert_int_eq(add(&m, good, n - 1), RAFFLE_SIGNATURE); /* without its newline */
    ck_assert_int_eq(add(&m, OWN, strlen(OWN)), RAFFLE_SIGNATURE);
    for (size_t i = 0; i < n; i++) { /* cut anywhere, and every bit changed */
        ck_assert_int_eq(add(&m, good, i), RAFFLE_SIGNATURE);
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(lines, good, n);
            lines[i] ^= (char)(1 << bit);
            ck_assert_msg(add(&m, lines, n) == RAFFLE_SIGNATURE, "byte %zu bit %u", i, bit);
        }
    }
    sprintf(lines, "%s%s", good, good); /* twice */
    ck_assert_int_eq(add(&m, lines, 2 * n), RAFFLE_SIGNATURE);
    sprintf(lines, "%s\n%s", good, good); /* what would make the text longer */
    ck_assert_int_eq(add(&m, lines, 2 * n + 1), RAFFLE_SIGNATURE);
    char *large = malloc(RF_NOTE_MAX + 1);
    memset(large, 'a', RF_NOTE_MAX + 1);
    ck_assert_int_eq(add(&m, large, RF_NOTE_MAX + 1), RAFFLE_SIGNATURE);
    free(large);
    ck_assert_uint_eq(m.length, before.length);
    ck_assert_mem_eq(m.note, before.note, before.length);
}
END_TEST

START_TEST(a_note_without_room)
{
    char good[512];
    merging m = start();
    const size_t own = m.length, n = cosign(good, 0, BODY, TIME);
    for (size_t room = 0; room < n; room++) {
        uint64_t by;
        size_t length = own;
        ck_assert_int_eq(rf_policy_add(&policy, m.note, own + room, &length, good, n, &by, &err), RAFFLE_LIMIT);
        ck_assert_uint_eq(length, own);
    }
    ck_assert_int_eq(add(&m, good, n), RAFFLE_OK);
}
END_TEST

static void all(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, what_is_a_policy);
    tcase_add_test(tests, what_is_no_policy);
    tcase_add_test(tests, one_key_serves_one_witness);
    tcase_add_test(tests, as_many_as_there_may_be);
    tcase_add_test(tests, groups_of_groups);
    tcase_add_test(tests, two_of_three_in_time);
    tcase_add_test(tests, the_worked_example);
    tcase_add_test(tests, cosignatures_are_merged);
    tcase_add_test(tests, what_is_not_merged);
    tcase_add_test(tests, a_note_without_room);
}

int main(void)
{
    return run_tests("policy", all);
}
