/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: each field with each fault, defaults, and the frozen form as a fixed point. */
#include "rules.h"

#include "fixture.h"
#include <jansson.h>

#define WITNESS_KEY "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"

static rf_rules rules;
static raffle_error err;
static char text[300000];

static const char whole[] =
    "{\"origin\":\"raffle.example/"
    "gala\",\"name\":\"Gala\",\"organisation\":\"Society\",\"licence\":\"L\",\"place\":\"Hall\","
    "\"series\":{\"name\":\"Weekly\",\"number\":12},\"keep_years\":3,\"currency\":\"CAD\",\"digits\":2,\"rehearsal\":"
    "false,"
    "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\",\"order_tickets\":50,"
    "\"buyer_tickets\":7},"
    "\"zone\":[{\"from\":\"2026-11-01T09:00:00.000Z\",\"offset\":-420}],"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000}],"
    "\"units\":[{\"name\":\"till\",\"quota\":100}],"
    "\"prizes\":[{\"name\":\"bird\",\"title\":\"Early "
    "bird\",\"seal\":\"early\",\"winners\":1,\"alternates\":1,\"one_win\":"
    "\"number\",\"claim_days\":30,\"amount\":2500,\"seed\":\"random\",\"beacon_delay\":0,\"tiers\":[\"one\"]},"
    "{\"name\":\"first\",\"share\":5000},"
    "{\"name\":\"jackpot\",\"share\":1000,\"pot\":\"entered\",\"start\":1,\"carry\":2,\"carry_from\":\"raffle.example/"
    "last\",\"minimum\":0,\"cap\":1000000000000,\"above\":\"carry\",\"round\":\"nearest\",\"round_to\":1,"
    "\"ace\":7,\"must_go\":true}],"
    "\"rng\":[\"system\"],\"roles\":{\"sell\":[\"seller\"]},\"beacon\":\"none\",\"witnesses\":\"none\"}";

static raffle_rc parse(const char *json, size_t length)
{
    raffle_error_init(&err, sizeof err);
    raffle_rc rc = rf_rules_parse(&rules, json, length, &err);
    ck_assert_int_eq(err.rc, rc);
    ck_assert_int_eq(err.message[0] != 0, rc != RAFFLE_OK);
    raffle_error public_error = RAFFLE_ERROR_INIT;
    ck_assert_int_eq(raffle_rules_check(json, length, &public_error), rc);
    return rc;
}

static raffle_rc parse_json(const json_t *value)
{
    size_t length = json_dumpb(value, text, sizeof text, JSON_COMPACT | JSON_ENCODE_ANY);
    ck_assert_uint_le(length, sizeof text);
    return parse(text, length);
}

static json_t *load(void)
{
    json_t *value = json_loads(whole, 0, NULL);
    ck_assert_ptr_nonnull(value);
    return value;
}

/* "prizes[0].name": where a member is. */
static json_t *locate(json_t *root, const char *path, char name[40])
{
    json_t *at = root;
    while (strpbrk(path, ".[") != NULL) {
        size_t n = strcspn(path, ".[");
        char step[40] = "";
        memcpy(step, path, n);
        at = json_object_get(at, step);
        path += n;
        if (*path == '[') {
            at = json_array_get(at, strtoul(path + 1, NULL, 10));
            path = strchr(path, ']') + 1;
        }
        path += *path == '.';
        ck_assert_ptr_nonnull(at);
    }
    strcpy(name, path);
    return at;
}

/* A policy is frozen as it is given, line by line. */
START_TEST(witnesses_are_frozen)
{
    static const char *const lines[] = {"witness a " WITNESS_KEY " https://w.example/raffle", "group all any a",
                                        "quorum all"};
    char frozen[20000];
    json_t *root = load(), *policy = json_array();
    for (size_t i = 0; i < 3; i++)
        json_array_append_new(policy, json_string(lines[i]));
    json_object_set_new(root, "witnesses", policy);
    ck_assert_int_eq(parse_json(root), RAFFLE_OK);
    ck_assert_uint_eq(rules.policy_length, strlen(lines[0]) + strlen(lines[1]) + strlen(lines[2]) + 3);
    const size_t length = rf_rules_format(&rules, frozen, sizeof frozen);
    ck_assert_uint_gt(length, 0);
    json_t *again = json_loadb(frozen, length, 0, NULL);
    ck_assert(json_equal(json_object_get(again, "witnesses"), json_object_get(root, "witnesses")));
    ck_assert_int_eq(parse(frozen, length), RAFFLE_OK);
    ck_assert_uint_eq(rf_rules_format(&rules, text, sizeof text), length);
    ck_assert_mem_eq(text, frozen, length);
    json_decref(again);
    json_decref(root);
}
END_TEST

/* The rules with one member replaced (NULL: removed) are refused so, and the sentence names the member. */
static void fault(const char *path, const char *json, raffle_rc rc)
{
    char name[40];
    json_t *root = load(), *parent = locate(root, path, name);
    if (json == NULL)
        json_object_del(parent, name);
    else
        json_object_set_new(parent, name, json_loads(json, JSON_DECODE_ANY, NULL));
    ck_assert_msg(parse_json(root) == rc, "%s = %s: %s, %s", path, json ? json : "missing", raffle_rc_name(err.rc),
                  err.message);
    if (rc !=
        RAFFLE_OK) /* what is no JSON of the profile is named by its byte, and the member of the top that it is in */
        ck_assert_msg(strstr(err.message, name) != NULL || (strstr(err.message, "at byte") != NULL &&
                                                            strncmp(strstr(err.message, " (") + 2, path, 4) == 0),
                      "%s is not named: %s", path, err.message);
    json_decref(root);
}

static const char long_text[] = "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""; /* 65 */
static const char long_word[] = "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"";                                 /* 33 */

START_TEST(the_rules_as_they_are)
{
    ck_assert_int_eq(parse(whole, strlen(whole)), RAFFLE_OK);
    ck_assert_str_eq(rules.origin, "raffle.example/gala");
    ck_assert_uint_eq(rules.tiers, 2);
    ck_assert_uint_eq(rules.prizes, 3);
    ck_assert_int_eq(rules.order_tickets, 50);
    ck_assert_uint_eq(rules.prize[0].entered, 1);
    ck_assert_uint_eq(rules.prize[1].entered, 3);
    ck_assert_int_eq(rules.prize[0].one_win, RF_ONE_WIN_NUMBER);
    ck_assert_int_eq(rules.prize[1].share, 5000);
    ck_assert_int_eq(rules.prize[1].amount, -1);
    ck_assert_str_eq(rules.prize[1].title, "first");
    ck_assert_int_eq(rules.unit[0].quota, 100);
    ck_assert(rf_rules_may(&rules, RF_OP_SELL, RAFFLE_SELLER));
    ck_assert(!rf_rules_may(&rules, RF_OP_SELL, RAFFLE_MANAGER));
    ck_assert(!rf_rules_may(&rules, RF_OP_SELL, 0));
    ck_assert(!rf_rules_may(&rules, RF_OP_SELL, 7));
    ck_assert(!rf_rules_may(&rules, RF_OP_SELL, 33));
}
END_TEST

START_TEST(every_member_of_a_wrong_type)
{
    static const char *const strings[] = {"origin",
                                          "name",
                                          "organisation",
                                          "licence",
                                          "place",
                                          "currency",
                                          "sales.opens",
                                          "sales.closes",
                                          "zone[0].from",
                                          "tiers[0].name",
                                          "units[0].name",
                                          "prizes[0].name",
                                          "prizes[0].title",
                                          "prizes[0].seal",
                                          "prizes[0].one_win",
                                          "prizes[0].seed",
                                          "beacon",
                                          "witnesses",
                                          "prizes[2].above",
                                          "prizes[2].round",
                                          "prizes[2].pot",
                                          "prizes[2].carry_from"};
    static const char *const integers[] = {"digits",
                                           "sales.order_tickets",
                                           "sales.buyer_tickets",
                                           "zone[0].offset",
                                           "tiers[0].count",
                                           "tiers[0].price",
                                           "units[0].quota",
                                           "prizes[0].winners",
                                           "prizes[0].alternates",
                                           "prizes[0].claim_days",
                                           "prizes[0].amount",
                                           "prizes[1].share",
                                           "prizes[0].beacon_delay",
                                           "prizes[2].start",
                                           "prizes[2].carry",
                                           "prizes[2].minimum",
                                           "prizes[2].cap",
                                           "prizes[2].round_to"};
    static const char *const arrays[] = {"zone", "tiers", "units", "prizes", "rng", "prizes[0].tiers", "roles.sell"};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        fault(strings[i], "7", RAFFLE_INVALID);
        fault(strings[i], "[]", RAFFLE_INVALID);
        fault(strings[i], "{}", RAFFLE_INVALID);
        fault(strings[i], "true", RAFFLE_INVALID);
        fault(strings[i], "null", RAFFLE_INVALID);
    }
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        fault(integers[i], "\"7\"", RAFFLE_INVALID);
        fault(integers[i], "7.5", RAFFLE_INVALID);
        fault(integers[i], "1e2", RAFFLE_INVALID);
        fault(integers[i], "[]", RAFFLE_INVALID);
        fault(integers[i], "false", RAFFLE_INVALID);
    }
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        fault(arrays[i], "{}", RAFFLE_INVALID);
        fault(arrays[i], "\"a\"", RAFFLE_INVALID);
        fault(arrays[i], "[7]", RAFFLE_INVALID);
        fault(arrays[i], "[[]]", RAFFLE_INVALID);
    }
    fault("rehearsal", "1", RAFFLE_INVALID);
    fault("rehearsal", "\"true\"", RAFFLE_INVALID);
    fault("sales", "[]", RAFFLE_INVALID);
    fault("roles", "[]", RAFFLE_INVALID);
}
END_TEST

START_TEST(texts_words_and_times)
{
    static const char *const texts[] = {"series.name", "name",          "organisation",   "licence",
                                        "place",       "units[0].name", "prizes[0].title"};
    static const char *const words[] = {"tiers[0].name", "prizes[1].name"};
    static const char *const times[] = {"sales.opens", "sales.closes", "zone[0].from"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fault(texts[i], "\"\"", RAFFLE_INVALID);
        fault(texts[i], long_text, RAFFLE_LIMIT);
        fault(texts[i], "\"a\\nb\"", RAFFLE_INVALID);
        fault(texts[i], "\"a\\u007fb\"", RAFFLE_INVALID);
        fault(texts[i], "\"a\\u0085b\"", RAFFLE_INVALID);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        fault(words[i], "\"\"", RAFFLE_INVALID);
        fault(words[i], long_word, RAFFLE_LIMIT);
        fault(words[i], "\"One\"", RAFFLE_INVALID);
        fault(words[i], "\"a b\"", RAFFLE_INVALID);
        fault(words[i], "\"-a\"", RAFFLE_INVALID);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        fault(times[i], "\"\"", RAFFLE_INVALID);
        fault(times[i], "\"2026-11-21T19:00:00Z\"", RAFFLE_INVALID);
        fault(times[i], "\"2026-11-21T19:00:00.000+00:00\"", RAFFLE_INVALID);
        fault(times[i], "\"2026-02-29T19:00:00.000Z\"", RAFFLE_INVALID);
        fault(times[i], "\"2026-11-21T19:00:00.000Z and then some more\"", RAFFLE_LIMIT);
    }
    fault("origin", "\"\"", RAFFLE_INVALID);
    fault("origin", "\"Raffle.example/a\"", RAFFLE_INVALID);
    fault("origin", "\"raffle.example/unit/1\"", RAFFLE_INVALID);
    fault("origin", "\"raffle.example//a\"", RAFFLE_INVALID);
    fault("origin", "\"/a\"", RAFFLE_INVALID);
    fault("currency", "\"CA\"", RAFFLE_INVALID);
    fault("currency", "\"CADS\"", RAFFLE_INVALID);
    fault("currency", "\"cad\"", RAFFLE_INVALID);
    fault("currency", "\"\"", RAFFLE_INVALID);
    fault("currency", "\"CANADIAN\"", RAFFLE_LIMIT);
    fault("prizes[0].seal", "\"late\"", RAFFLE_INVALID);
    fault("prizes[0].one_win", "\"all\"", RAFFLE_INVALID);
    fault("prizes[0].seed", "\"best\"", RAFFLE_INVALID);
    fault("prizes[0].beacon_delay", "604801", RAFFLE_LIMIT);
    fault("prizes[0].beacon_delay", "-1", RAFFLE_LIMIT);
    fault("beacon", "\"drand\"", RAFFLE_INVALID);
    fault("witnesses", "\"w\"", RAFFLE_INVALID);
    fault("witnesses", "[7]", RAFFLE_INVALID);
    fault("witnesses", "[\"quorum none\"]", RAFFLE_INVALID);
    fault("witnesses", "[\"witness a " WITNESS_KEY "\"]", RAFFLE_INVALID); /* no quorum */
    fault("witnesses", "[\"witness a " WITNESS_KEY "\",\"quorum a\"]", RAFFLE_OK);
    fault("witnesses", "[\"witness a " WITNESS_KEY "\",\"\",\"quorum a\"]", RAFFLE_INVALID);
    fault("witnesses", "[\"witness a " WITNESS_KEY "\\nquorum a\"]", RAFFLE_INVALID); /* one line is one element */
    fault("witnesses", "[\"witness a " WITNESS_KEY "\",\"quorum b\"]", RAFFLE_INVALID);
}
END_TEST

static void range(const char *path, int64_t min, int64_t max)
{
    char value[32];
    snprintf(value, sizeof value, "%lld", (long long)min);
    fault(path, value, RAFFLE_OK);
    snprintf(value, sizeof value, "%lld", (long long)max);
    fault(path, value, RAFFLE_OK);
    snprintf(value, sizeof value, "%lld", (long long)min - 1);
    fault(path, value, RAFFLE_LIMIT);
    if (max < INT64_C(9007199254740991)) {
        snprintf(value, sizeof value, "%lld", (long long)max + 1);
        fault(path, value, RAFFLE_LIMIT);
    }
    fault(path, "9007199254740992", RAFFLE_INVALID); /* no integer of the profile */
}

START_TEST(every_number_at_and_beyond_its_limits)
{
    range("digits", 0, 4);
    range("keep_years", 3, 100);
    range("series.number", 1, 1000000);
    range("sales.order_tickets", 1, 1000);
    range("sales.buyer_tickets", 0, 1000000);
    range("zone[0].offset", -1080, 1080);
    range("tiers[0].count", 1, 1000000);
    range("tiers[0].price", 0, INT64_C(1000000000000));
    range("units[0].quota", 0, INT64_C(9007199254740991));
    range("prizes[0].claim_days", 0, 3650);
    range("prizes[0].amount", 0, INT64_C(1000000000000));
    range("prizes[1].share", 0, 10000);
    range("prizes[2].start", 0, INT64_C(1000000000000));
    range("prizes[2].carry", 0, INT64_C(1000000000000));
    range("prizes[2].minimum", 0, INT64_C(1000000000000));
    range("prizes[2].cap", 0, INT64_C(1000000000000));
    range("prizes[2].round_to", 1, INT64_C(1000000000000));
    range("prizes[2].ace", 1, 54);
    fault("prizes[0].winners", "0", RAFFLE_LIMIT);
    fault("prizes[0].winners", "100001", RAFFLE_LIMIT);
    fault("prizes[0].winners", "99997", RAFFLE_OK); /* with an alternate, and winners of the other prizes: 100,000 */
    json_t *root = load();
    json_object_set_new(json_array_get(json_object_get(root, "prizes"), 0), "winners", json_integer(99998));
    ck_assert_int_eq(parse_json(root), RAFFLE_LIMIT);
    json_decref(root);
    fault("prizes[0].alternates", "-1", RAFFLE_LIMIT);
    fault("prizes[0].alternates", "99997", RAFFLE_OK);
}
END_TEST

START_TEST(members_that_are_missing)
{
    static const char *const required[] = {
        "origin",       "name",           "organisation",  "currency",       "sales",          "sales.opens",
        "sales.closes", "tiers",          "tiers[1].name", "tiers[1].count", "tiers[1].price", "units[0].name",
        "prizes",       "prizes[1].name", "zone[0].from",  "zone[0].offset", "series.name",    "series.number"};
    static const char *const optional[] = {"licence",
                                           "keep_years",
                                           "series",
                                           "place",
                                           "digits",
                                           "rehearsal",
                                           "sales.order_tickets",
                                           "sales.buyer_tickets",
                                           "zone",
                                           "units",
                                           "units[0].quota",
                                           "prizes[0].title",
                                           "prizes[0].seal",
                                           "prizes[0].winners",
                                           "prizes[0].alternates",
                                           "prizes[0].one_win",
                                           "prizes[0].claim_days",
                                           "prizes[0].amount",
                                           "prizes[1].share",
                                           "prizes[2].start",
                                           "prizes[2].minimum",
                                           "prizes[2].above",
                                           "prizes[2].round",
                                           "prizes[2].round_to",
                                           "prizes[2].pot",
                                           "prizes[0].seed",
                                           "prizes[0].beacon_delay",
                                           "prizes[0].tiers",
                                           "rng",
                                           "roles",
                                           "roles.sell",
                                           "beacon",
                                           "witnesses"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        fault(required[i], NULL, RAFFLE_INVALID);
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
        fault(optional[i], NULL, RAFFLE_OK);
}
END_TEST

START_TEST(members_that_are_unknown_or_stand_twice)
{
    static const char *const places[] = {"colour",          "sales.colour",     "zone[0].colour", "tiers[0].colour",
                                         "units[0].colour", "prizes[0].colour", "roles.colour"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        fault(places[i], "[\"seller\"]", RAFFLE_INVALID);
    static const char *const twice[] = {"\"digits\":2,", "\"name\":\"Gala\",", "\"count\":1,", "\"winners\":1,"};
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) { /* beside itself, and after another */
        const char *at = strstr(whole, twice[i]);
        int before = (int)(at - whole), n = snprintf(text, sizeof text, "%.*s%s%s", before, whole, twice[i], at);
        ck_assert_int_eq(parse(text, (size_t)n), RAFFLE_INVALID);
    }
    int n = snprintf(text, sizeof text, "%.*s,\"name\":\"Gala\"}", (int)strlen(whole) - 1, whole);
    ck_assert_int_eq(parse(text, (size_t)n), RAFFLE_INVALID);
    n = snprintf(text, sizeof text, "%.*s,\"tiers\":[]}", (int)strlen(whole) - 1, whole);
    ck_assert_int_eq(parse(text, (size_t)n), RAFFLE_INVALID);
}
END_TEST

static void refused(const char *member, const char *json, raffle_rc rc, const char *words)
{
    json_t *root = load();
    json_object_set_new(root, member, json_loads(json, JSON_DECODE_ANY, NULL));
    ck_assert_msg(parse_json(root) == rc, "%s: %s: %s", json, raffle_rc_name(err.rc), err.message);
    ck_assert_msg(strstr(err.message, words) != NULL, "\"%s\" is not in: %s", words, err.message);
    json_decref(root);
}

START_TEST(what_must_fit_together)
{
    refused("sales", "{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-21T19:00:00.000Z\"}", RAFFLE_INVALID,
            "sales");
    refused("tiers", "[]", RAFFLE_INVALID, "tiers");
    refused("prizes", "[]", RAFFLE_INVALID, "prizes");
    refused("rng", "[]", RAFFLE_INVALID, "rng");
    refused("tiers", "[{\"name\":\"one\",\"count\":1,\"price\":5},{\"name\":\"one\",\"count\":2,\"price\":5}]",
            RAFFLE_INVALID, "tiers[1].name");
    refused("units", "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"a\"}]", RAFFLE_INVALID, "units[2].name");
    refused("prizes", "[{\"name\":\"a\"},{\"name\":\"a\"}]", RAFFLE_INVALID, "prizes[1].name");
    refused("prizes", "[{\"name\":\"a\"},{\"name\":\"b\",\"seal\":\"early\"}]", RAFFLE_INVALID, "prizes[1].seal");
    refused("prizes", "[{\"name\":\"a\",\"amount\":1,\"share\":1}]", RAFFLE_INVALID, "prizes[0]");
    refused("prizes", "[{\"name\":\"a\",\"tiers\":[\"two\"]}]", RAFFLE_INVALID, "two");
    refused("prizes", "[{\"name\":\"a\",\"tiers\":[]}]", RAFFLE_INVALID, "tiers");
    refused("rng", "[\"test\"]", RAFFLE_REHEARSAL, "test");
    refused("roles", "{\"sell\":[\"boss\"]}", RAFFLE_INVALID, "boss");
    refused("roles", "{\"sell\":[]}", RAFFLE_INVALID, "sell");
    refused("roles", "{\"steal\":[\"seller\"]}", RAFFLE_INVALID, "steal");
    refused(
        "zone",
        "[{\"from\":\"2026-11-01T09:00:00.000Z\",\"offset\":1},{\"from\":\"2026-11-01T09:00:00.000Z\",\"offset\":2}]",
        RAFFLE_INVALID, "zone[1].from");
    refused("rng", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", RAFFLE_LIMIT, "rng");
}
END_TEST

/* One prize with these members, or two prizes. */
static void money(const char *members, raffle_rc rc, const char *words)
{
    char json[400];
    snprintf(json, sizeof json, "[{\"name\":\"a\",%s}]", members);
    refused("prizes", json, rc, words);
}

START_TEST(what_a_prize_is_worth_must_fit_together)
{
    money("\"start\":1,\"minimum\":500,\"cap\":500,\"round_to\":500", RAFFLE_OK, "");
    money("\"cap\":500", RAFFLE_INVALID, "no money");
    money("\"round\":\"up\"", RAFFLE_INVALID, "no money");
    money("\"round_to\":5", RAFFLE_INVALID, "no money");
    money("\"amount\":5,\"pot\":\"all\"", RAFFLE_INVALID, "no share");
    money("\"amount\":5,\"above\":\"keep\"", RAFFLE_INVALID, "no \"cap\"");
    money("\"share\":5,\"minimum\":501,\"cap\":500", RAFFLE_INVALID, "501");
    money("\"share\":5,\"minimum\":7,\"round_to\":5", RAFFLE_INVALID, "multiples");
    money("\"share\":5,\"cap\":7,\"round_to\":5", RAFFLE_INVALID, "multiples");
    money("\"carry\":5", RAFFLE_INVALID, "carry_from");
    money("\"share\":5,\"carry_from\":\"raffle.example/last\"", RAFFLE_INVALID, "carry_from");
    money("\"carry\":5,\"carry_from\":\"raffle.example/gala\"", RAFFLE_INVALID, "itself");
    money("\"carry\":5,\"carry_from\":\"raffle.example/unit\"", RAFFLE_INVALID, "carry_from");
    money("\"share\":5,\"above\":\"away\",\"cap\":1", RAFFLE_INVALID, "above");
    money("\"share\":5,\"round\":\"even\"", RAFFLE_INVALID, "round");
    money("\"share\":5,\"pot\":\"half\"", RAFFLE_INVALID, "pot");
    money("\"share\":5,\"ace\":2,\"must_go\":false", RAFFLE_OK, "");
    money("\"share\":5,\"must_go\":true", RAFFLE_INVALID, "no \"ace\"");
    money("\"share\":5,\"ace\":2,\"must_go\":1", RAFFLE_INVALID, "must_go");
    money("\"share\":5,\"ace\":\"2\"", RAFFLE_INVALID, "ace");
    money("\"ace\":2", RAFFLE_INVALID, "not money for one winner");
    money("\"share\":5,\"ace\":2,\"winners\":2", RAFFLE_INVALID, "not money for one winner");
    money("\"share\":5,\"cap\":1,\"above\":\"next\"", RAFFLE_INVALID, "none that is money follows");
    money("\"share\":5,\"cap\":1,\"above\":\"next\"},{\"name\":\"b\"", RAFFLE_INVALID, "none that is money follows");
    money("\"share\":5,\"cap\":1,\"above\":\"next\"},{\"name\":\"b\",\"amount\":0", RAFFLE_OK, "");
    money("\"share\":5},{\"name\":\"b\",\"redraw_of\":\"c\"", RAFFLE_INVALID, "no earlier prize");
    money("\"redraw_of\":\"b\"},{\"name\":\"b\"", RAFFLE_INVALID, "no earlier prize");
    money("\"share\":5},{\"name\":\"b\",\"redraw_of\":7", RAFFLE_INVALID, "redraw_of");
    money("\"seal\":\"early\"},{\"name\":\"b\",\"redraw_of\":\"a\"", RAFFLE_INVALID, "another seal");
    money("\"share\":5},{\"name\":\"b\",\"redraw_of\":\"a\",\"winners\":2", RAFFLE_INVALID, "more than one winner");
    money("\"share\":5},{\"name\":\"b\",\"redraw_of\":\"a\",\"amount\":2", RAFFLE_INVALID, "money of its own");
    money("\"share\":5,\"ace\":2},{\"name\":\"b\",\"redraw_of\":\"a\"", RAFFLE_INVALID, "an ace");
    money("\"share\":5},{\"name\":\"b\",\"redraw_of\":\"a\"},{\"name\":\"c\",\"redraw_of\":\"b\"", RAFFLE_OK, "");
}
END_TEST

/* What a laboratory hashed keeps its bytes: a member that was not given is not written. */
START_TEST(what_is_not_given_is_not_frozen)
{
    static char frozen[RF_RULES_MAX];
    static const char *const members[] = {"\"keep_years\"",    "\"ace\"",     "\"must_go\"", "\"series\"",
                                          "\"buyer_tickets\"", "\"above\"",   "\"cap\"",     "\"carry\"",
                                          "\"carry_from\"",    "\"minimum\"", "\"pot\"",     "\"round\"",
                                          "\"round_to\"",      "\"start\""};
    ck_assert_int_eq(parse(whole, strlen(whole)), RAFFLE_OK);
    size_t n = rf_rules_format(&rules, frozen, sizeof frozen - 1);
    frozen[n] = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ck_assert_ptr_nonnull(strstr(frozen, members[i]));
    json_t *plain = load();
    json_object_del(plain, "series");
    json_object_del(plain, "keep_years");
    json_object_del(json_object_get(plain, "sales"), "buyer_tickets");
    json_object_set_new(plain, "prizes", json_loads("[{\"name\":\"a\",\"share\":5000}]", 0, NULL));
    ck_assert_int_eq(parse_json(plain), RAFFLE_OK);
    json_decref(plain);
    n = rf_rules_format(&rules, frozen, sizeof frozen - 1);
    frozen[n] = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ck_assert_ptr_null(strstr(frozen, members[i]));
}
END_TEST

static void many(const char *member, size_t n, raffle_rc rc)
{
    json_t *root = load(), *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_pack("{s:o}", "name", json_sprintf("x%zu", i)));
    if (strcmp(member, "tiers") == 0) {
        for (size_t i = 0; i < n; i++)
            json_object_update_new(json_array_get(array, i), json_pack("{s:i,s:i}", "count", 1, "price", 1));
        json_object_set_new(root, "prizes", json_loads("[{\"name\":\"p\"}]", 0, NULL));
    }
    json_object_set_new(root, member, array);
    ck_assert_msg(parse_json(root) == rc, "%zu %s: %s", n, member, err.message);
    json_decref(root);
}

START_TEST(as_many_as_there_may_be)
{
    many("tiers", 64, RAFFLE_OK);
    ck_assert_uint_eq(rules.prize[0].entered, UINT64_MAX);
    many("tiers", 65, RAFFLE_LIMIT);
    many("units", 256, RAFFLE_OK);
    many("units", 257, RAFFLE_LIMIT);
    many("prizes", 200, RAFFLE_OK);
    many("prizes", 257, RAFFLE_LIMIT);
    many("prizes", 256, RAFFLE_OK);
}
END_TEST

START_TEST(rules_that_do_not_fit_into_a_record)
{
    json_t *root = load(), *prizes = json_array();
    char title[65];
    memset(title, '"', 64); /* escaped, each */
    title[64] = 0;
    for (size_t i = 0; i < 256; i++)
        json_array_append_new(
            prizes, json_pack("{s:o,s:s}", "name", json_sprintf("prize-with-a-long-name-%09zu", i), "title", title));
    json_object_set_new(root, "prizes", prizes);
    size_t length = json_dumpb(root, text, sizeof text, JSON_COMPACT);
    raffle_error public_error = RAFFLE_ERROR_INIT;
    ck_assert_int_eq(raffle_rules_check(text, length, &public_error), RAFFLE_LIMIT);
    memset(text, ' ', sizeof text);
    ck_assert_int_eq(parse(text, 240001), RAFFLE_LIMIT);
    json_decref(root);
}
END_TEST

START_TEST(what_is_no_json)
{
    static const char *const bad[] = {
        "",    " ",       "{",        "[]",  "7",          "\"a\"",       "{}{}",
        "{,}", "{\"a\"}", "{\"a\":}", "nul", "{\"a\":1,}", "{\"a\":'1'}", "\xef\xbb\xbf{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(parse(bad[i], strlen(bad[i])) == RAFFLE_INVALID, "%s: %s", bad[i], err.message);
    for (size_t n = 0; n < strlen(whole); n++) /* cut anywhere */
        ck_assert_int_eq(parse(whole, n), RAFFLE_INVALID);
    int n = snprintf(text, sizeof text, "%s x", whole);
    ck_assert_int_eq(parse(text, (size_t)n), RAFFLE_INVALID);
    n = snprintf(text, sizeof text, " \n\t%s \n", whole);
    ck_assert_int_eq(parse(text, (size_t)n), RAFFLE_OK);
}
END_TEST

START_TEST(providers_by_what_they_are_pinned)
{
    static const struct {
        const char *entry, *name;
        bool allowed;
    } cases[] = {
        {"pkcs11:Gala HSM/0123ab", "pkcs11:Gala HSM/0123ab", true},
        {"pkcs11:Gala HSM", "pkcs11:Gala HSM/0123ab", true},
        {"pkcs11:/0123ab", "pkcs11:Gala HSM/0123ab", true},
        {"pkcs11:Gala", "pkcs11:Gala HSM/0123ab", false},
        {"pkcs11:", "pkcs11:Gala HSM/0123ab", false},
        {"pkcs11:/0123", "pkcs11:Gala HSM/0123ab", false},
        {"pkcs11:Gala HSM/0123abc", "pkcs11:Gala HSM/0123ab", false},
        {"kms:ca-central-1", "kms:ca-central-1", true},
        {"kms:ca-central-1", "kms:ca-central-1/cks-1", true},
        {"kms:ca-central-1/cks-1", "kms:ca-central-1", false},
        {"kms:ca-central-1", "kms:ca-central-1@127.0.0.1:4000", false},
        {"kms:ca-central-1", "kms:ca-central-1/cks-1@127.0.0.1:4000", false},
        {"kms:ca-central-1/cks-1", "kms:ca-central-1/cks-1@127.0.0.1:4000", false},
        {"kms:/cks-1@127.0.0.1:4000", "kms:ca-central-1/cks-1@127.0.0.1:4000", false},
        {"kms:ca-central-1/cks-1@127.0.0.1:4000", "kms:ca-central-1/cks-1@127.0.0.1:4000", true},
        {"kms:/cks-1", "kms:ca-central-1/cks-1", false},
        {"kms:/cks-1", "pkcs11:Gala/cks-1", false},
        {"host:a", "host:a", true},
        {"host:a", "host:b", false},
        {"system", "system", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rules = (rf_rules){.providers = 1};
        strcpy(rules.provider[0], cases[i].entry);
        ck_assert_msg(rf_rules_provider(&rules, cases[i].name) == cases[i].allowed, "%s, %s", cases[i].entry,
                      cases[i].name);
    }
}
END_TEST

START_TEST(a_committed_seed_and_its_beacon)
{
    static const char form[] =
        "{\"origin\":\"x\",\"name\":\"n\",\"organisation\":\"o\",\"currency\":\"EUR\","
        "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"
        "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":5}],%s"
        "\"prizes\":[{\"name\":\"a\",\"seed\":\"committed\",\"beacon_delay\":%d}]}";
    char json[1024];
    static const struct {
        int delay;
        raffle_rc rc;
    } cases[] = {{0, RAFFLE_LIMIT}, {59, RAFFLE_LIMIT}, {60, RAFFLE_OK}, {604800, RAFFLE_OK}, {604801, RAFFLE_LIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = snprintf(json, sizeof json, form, "\"beacon\":\"quicknet\",", cases[i].delay);
        ck_assert_int_eq(parse(json, (size_t)n), cases[i].rc);
        n = snprintf(json, sizeof json, form, "", cases[i].delay); /* without a beacon */
        ck_assert_int_ne(parse(json, (size_t)n), RAFFLE_OK);
    }
    const int n = snprintf(json, sizeof json, form, "\"beacon\":\"quicknet\",", 3600);
    ck_assert_int_eq(parse(json, (size_t)n), RAFFLE_OK);
    ck_assert(rules.beacon && rules.prize[0].committed);
    ck_assert_int_eq(rules.prize[0].beacon_delay, 3600);
    char frozen[4096];
    const size_t length = rf_rules_format(&rules, frozen, sizeof frozen);
    ck_assert_int_eq(parse(frozen, length), RAFFLE_OK);
    ck_assert(rules.beacon && rules.prize[0].committed && rules.prize[0].beacon_delay == 3600);
}
END_TEST

START_TEST(tiers_after_prizes)
{
    static const char late[] =
        "{\"prizes\":[{\"name\":\"a\",\"tiers\":[\"ten\"]},{\"name\":\"b\"}],\"origin\":\"x\",\"name\":\"n\","
        "\"organisation\":\"o\",\"currency\":\"EUR\",\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\","
        "\"closes\":\"2026-11-22T05:00:00.000Z\"},\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":5},"
        "{\"name\":\"ten\",\"count\":9,\"price\":5}]}";
    ck_assert_int_eq(parse(late, strlen(late)), RAFFLE_OK);
    ck_assert_uint_eq(rules.prize[0].entered, 2);
    ck_assert_uint_eq(rules.prize[1].entered, 3);
    ck_assert_int_eq(rules.digits, 2);
    ck_assert_int_eq(rules.order_tickets, 100);
    ck_assert_int_eq(rules.rehearsal, 0);
    ck_assert_uint_eq(rules.providers, 1);
    ck_assert(rf_rules_provider(&rules, "system"));
    ck_assert(!rf_rules_provider(&rules, "sys"));
    ck_assert_uint_eq(rules.units, 0);
    ck_assert_int_eq(rules.prize[1].seal, RAFFLE_SEAL_FINAL);
    ck_assert_int_eq(rules.prize[1].winners, 1);
    ck_assert_int_eq(rules.prize[1].alternates, 0);
    ck_assert_int_eq(rules.prize[1].one_win, RF_ONE_WIN_TICKET);
    ck_assert_int_eq(rules.prize[1].claim_days, 30);
    for (raffle_role role = RAFFLE_SELLER; role <= RAFFLE_SYSTEM; role++)
        ck_assert_int_eq(rf_rules_may(&rules, RF_OP_DRAW, role), role == RAFFLE_MANAGER);
}
END_TEST

static void fixed_point(const char *json, size_t length)
{
    static char once[RF_RULES_MAX], again[RF_RULES_MAX];
    ck_assert_int_eq(parse(json, length), RAFFLE_OK);
    rf_rules *first = malloc(sizeof *first);
    *first = rules;
    size_t n = rf_rules_format(&rules, once, sizeof once);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(parse(once, n), RAFFLE_OK);
    ck_assert_mem_eq(first, &rules, sizeof rules);
    ck_assert_uint_eq(rf_rules_format(&rules, again, sizeof again), n);
    ck_assert_mem_eq(once, again, n);
    for (size_t cap = 0; cap < n; cap += 7)
        ck_assert_uint_eq(rf_rules_format(&rules, again, cap), 0);
    free(first);
}

START_TEST(the_frozen_form_is_a_fixed_point)
{
    fixed_point(whole, strlen(whole));
    static const char odd[] =
        "{\"origin\":\"x\",\"name\":\"a \\\"b\\\" \\\\ \xc3\xa9\",\"organisation\":\"o\",\"currency\":\"JPY\","
        "\"digits\":0,\"rehearsal\":true,\"rng\":[\"test\",\"host:x\"],\"sales\":{\"opens\":"
        "\"1970-01-01T00:00:00.000Z\",\"closes\":\"9999-12-31T23:59:59.999Z\"},\"tiers\":[{\"name\":\"z\","
        "\"count\":1000000,\"price\":0}],\"prizes\":[{\"name\":\"p\",\"one_win\":\"none\",\"amount\":0}],"
        "\"roles\":{\"ack\":[\"system\",\"seller\",\"seller\"],\"void\":[\"auditor\"]}}";
    fixed_point(odd, strlen(odd));
    ck_assert_uint_eq(rules.roles[RF_OP_ACK], 1u << RAFFLE_SYSTEM | 1u << RAFFLE_SELLER);
}
END_TEST

START_TEST(offsets_hold_from_their_time_on)
{
    json_t *root = load();
    json_object_set_new(root, "zone",
                        json_loads("[{\"from\":\"2026-03-08T10:00:00.000Z\",\"offset\":-360},"
                                   "{\"from\":\"2026-11-01T09:00:00.000Z\",\"offset\":-420}]",
                                   0, NULL));
    ck_assert_int_eq(parse_json(root), RAFFLE_OK);
    json_decref(root);
    const int64_t spring = INT64_C(1772964000000), autumn = INT64_C(1793523600000);
    ck_assert_int_eq(rf_rules_offset(&rules, spring - 1), 0);
    ck_assert_int_eq(rf_rules_offset(&rules, spring), -360);
    ck_assert_int_eq(rf_rules_offset(&rules, autumn - 1), -360);
    ck_assert_int_eq(rf_rules_offset(&rules, autumn), -420);
}
END_TEST

FX_MAIN("raffle_rules", the_rules_as_they_are, witnesses_are_frozen, every_member_of_a_wrong_type,
        texts_words_and_times, every_number_at_and_beyond_its_limits, members_that_are_missing,
        members_that_are_unknown_or_stand_twice, what_must_fit_together, what_a_prize_is_worth_must_fit_together,
        what_is_not_given_is_not_frozen, as_many_as_there_may_be, rules_that_do_not_fit_into_a_record, what_is_no_json,
        providers_by_what_they_are_pinned, a_committed_seed_and_its_beacon, tiers_after_prizes,
        the_frozen_form_is_a_fixed_point, offsets_hold_from_their_time_on)
