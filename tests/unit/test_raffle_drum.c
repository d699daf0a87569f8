/* SPDX-License-Identifier: Apache-2.0 */
/* Who wins: each result is compared with a walk over all draw numbers that is too plain to be wrong, from the seed that the record gives. */
#include "fixture.h"

#include "bytes.h"
#include "note.h"
#include "select.h"
#include <jansson.h>

enum {
    NUMBERS_MAX = 100000,
    PLACES_MAX = 2000
};

/* One draw number as the oracle knows it. */
typedef struct chance {
    uint32_t unit;
    uint64_t number, serial;
    char tier[40];
    bool is_void, won_number, won_ticket;
} chance;

static chance drum[NUMBERS_MAX];
static size_t drum_size;

/* Every number of every unit, in order, from the leaves themselves. */
static void fill_drum(void)
{
    drum_size = 0;
    for (uint32_t unit = 1; unit <= fx_info().units; unit++) {
        raffle_cursor *cursor = NULL;
        raffle_record record = {.struct_size = sizeof record};
        FX_OK(raffle_cursor_open(fx.raffle, unit, 0, &cursor, &fx.err));
        while (raffle_cursor_next(cursor, &record, NULL) == RAFFLE_OK) {
            json_t *leaf = json_loadb(record.leaf, record.leaf_length, 0, NULL);
            ck_assert_ptr_nonnull(leaf);
            if (strcmp(json_string_value(json_object_get(leaf, "t")), "sale") == 0) {
                const uint64_t count = (uint64_t)json_integer_value(json_object_get(leaf, "count"));
                for (uint64_t k = 0; k < count; k++) {
                    chance *c = &drum[drum_size++];
                    ck_assert_uint_lt(drum_size, NUMBERS_MAX);
                    *c = (chance){.unit = unit,
                                  .number = (uint64_t)json_integer_value(json_object_get(leaf, "n")) + k,
                                  .serial = record.index};
                    strcpy(c->tier, json_string_value(json_object_get(leaf, "tier")));
                }
            }
            json_decref(leaf);
        }
        raffle_cursor_free(cursor);
    }
}

static void mark_void(uint32_t unit, uint64_t serial)
{
    FX_OK(raffle_void(fx.raffle, &fx_super, unit, serial, "refund", &fx.err));
}

static void take_voids(void)
{
    for (size_t i = 0; i < drum_size; i++) {
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        if (i > 0 && drum[i - 1].serial == drum[i].serial && drum[i - 1].unit == drum[i].unit) {
            drum[i].is_void = drum[i - 1].is_void;
            continue;
        }
        FX_OK(raffle_ticket_get(fx.raffle, drum[i].unit, drum[i].serial, &ticket, &fx.err));
        drum[i].is_void = ticket.flags & RAFFLE_TICKET_VOID;
    }
}

typedef struct rule {
    const char *prize;
    const char *tiers; /* the names, each followed by a comma; NULL: all */
    size_t winners, alternates;
    enum {
        NONE,
        NUMBER,
        TICKET
    } one_win;
} rule;

static json_t *result_leaf(const char *prize)
{
    static char bytes[70000];
    raffle_prize p = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, prize, &p, &fx.err));
    fx_leaf(0, p.result, bytes, sizeof bytes);
    json_t *leaf = json_loads(bytes, 0, NULL);
    ck_assert_ptr_nonnull(leaf);
    return leaf;
}

static uint64_t number_of(const json_t *leaf, const char *name)
{
    const json_t *value = json_object_get(leaf, name);
    ck_assert(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

/* The permutation's elements, each pick by below() and a plain swap in an array of all numbers. */
static void permute(const json_t *leaf, uint64_t *order)
{
    uint8_t seed[48], c[32];
    rf_note note;
    rf_checkpoint checkpoint;
    rf_select *words = NULL;
    rf_sha256 *hash = rf_sha256_new();
    const char *hex = json_string_value(json_object_get(leaf, "seed"));
    const char *text = json_string_value(json_object_get(leaf, "note"));
    ck_assert(rf_hex_decode(seed, 48, hex, 96));
    ck_assert_int_eq(rf_note_parse(&note, text, strlen(text), NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_checkpoint_parse(&checkpoint, note.text, note.text_length, NULL), RAFFLE_OK);
    ck_assert_uint_eq(checkpoint.size, number_of(leaf, "intent") + 1);
    rf_draw_commitment(hash, c, "raffle.example/fixture", checkpoint.size - 1, checkpoint.root);
    ck_assert_int_eq(rf_select_new(hash, seed, c, NULL, 0, drum_size, &words, NULL), RAFFLE_OK);
    for (uint64_t i = 0; i < drum_size; i++)
        order[i] = i;
    for (uint64_t i = 0; i < drum_size; i++) {
        uint64_t j, kept = order[i];
        ck_assert_int_eq(rf_select_below(words, drum_size - i, &j, NULL), RAFFLE_OK);
        order[i] = order[i + j];
        order[i + j] = kept;
    }
    rf_select_free(words);
    rf_sha256_free(hash);
}

static bool enters(const rule *r, const chance *c)
{
    char name[48];
    snprintf(name, sizeof name, "%s,", c->tier);
    return r->tiers == NULL || strstr(r->tiers, name) != NULL;
}

/* In this walk a place bars its number, or its ticket, for the places after it. */
static bool repeats(const rule *r, const chance *const *places, size_t n, const chance *c)
{
    for (size_t i = 0; i < n && r->one_win != NONE; i++)
        if (places[i] == c || (r->one_win == TICKET && places[i]->unit == c->unit && places[i]->serial == c->serial))
            return true;
    return false;
}

static void check_result(const rule *r)
{
    static uint64_t order[NUMBERS_MAX];
    static const chance *places[PLACES_MAX];
    size_t n = 0, is_void = 0, not_entered = 0, barred = 0;
    json_t *leaf = result_leaf(r->prize);
    permute(leaf, order);
    for (size_t i = 0; i < drum_size && n < r->winners + r->alternates; i++) {
        const chance *c = &drum[order[i]];
        if (c->is_void)
            is_void++;
        else if (!enters(r, c))
            not_entered++;
        else if ((r->one_win == NUMBER && c->won_number) || (r->one_win == TICKET && c->won_ticket) ||
                 repeats(r, places, n, c))
            barred++;
        else
            places[n++] = c;
    }
    const size_t winners = n < r->winners ? n : r->winners;
    ck_assert_uint_eq(number_of(leaf, "winners"), winners);
    ck_assert_uint_eq(number_of(leaf, "alternates"), n - winners);
    ck_assert_uint_eq(number_of(leaf, "skipped_void"), is_void);
    ck_assert_uint_eq(number_of(leaf, "skipped_not_entered"), not_entered);
    ck_assert_uint_eq(number_of(leaf, "skipped_barred"), barred);
    ck_assert_uint_eq(number_of(leaf, "numbers"), drum_size);
    json_decref(leaf);
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, r->prize, &prize, &fx.err));
    ck_assert_uint_eq(prize.places, n);
    for (uint32_t i = 0; i < n; i++) {
        raffle_pick pick = fx_pick(r->prize, i + 1);
        ck_assert_uint_eq(pick.unit, places[i]->unit);
        ck_assert_uint_eq(pick.number, places[i]->number);
        ck_assert_uint_eq(pick.serial, places[i]->serial);
        ck_assert_int_eq(pick.state, i < winners ? RAFFLE_PLACE_DRAWN : RAFFLE_PLACE_ALTERNATE);
        for (size_t k = 0; i < winners && k < drum_size; k++) {
            drum[k].won_number = drum[k].won_number || &drum[k] == places[i];
            drum[k].won_ticket =
                drum[k].won_ticket || (drum[k].unit == places[i]->unit && drum[k].serial == places[i]->serial);
        }
    }
    raffle_pick none = RAFFLE_PICK_INIT;
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_pick_at(fx.raffle, r->prize, (uint32_t)n + 1, &none, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_pick_at(fx.raffle, r->prize, 0, &none, &fx.err));
}

static void draw_and_check(const rule *r)
{
    fx_draw(r->prize);
    check_result(r);
}

#define UNITS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"}],"

START_TEST(all_rules_of_one_win)
{
    static const rule rules[] = {{"p1", NULL, 5, 3, TICKET},        {"p2", NULL, 5, 3, NUMBER},
                                 {"p3", NULL, 5, 3, NONE},          {"p4", "ten,", 6, 6, TICKET},
                                 {"p5", "one,free,", 4, 4, NUMBER}, {"p6", NULL, 8, 2, TICKET}};
    fx_create(FX_HEAD FX_TIERS UNITS
              "\"prizes\":[{\"name\":\"p1\",\"winners\":5,\"alternates\":3},"
              "{\"name\":\"p2\",\"winners\":5,\"alternates\":3,\"one_win\":\"number\"},"
              "{\"name\":\"p3\",\"winners\":5,\"alternates\":3,\"one_win\":\"none\"},"
              "{\"name\":\"p4\",\"winners\":6,\"alternates\":6,\"tiers\":[\"ten\"]},"
              "{\"name\":\"p5\",\"winners\":4,\"alternates\":4,\"tiers\":[\"one\",\"free\"],\"one_win\":\"number\"},"
              "{\"name\":\"p6\",\"winners\":8,\"alternates\":2}]}");
    for (uint32_t unit = 1; unit <= 4; unit++) {
        raffle_unit *u = fx_unit(unit);
        if (unit == 3) { /* one that sold nothing in between */
            raffle_unit_free(u);
            continue;
        }
        fx_sell_many(u, "one", 3 * unit);
        fx_sell_many(u, "ten", 4);
        fx_sell_many(u, "free", 2);
        raffle_unit_free(u);
        mark_void(unit, 2);
        mark_void(unit, 3 * unit + 3);
    }
    fx_seal(RAFFLE_SEAL_FINAL);
    fill_drum();
    take_voids();
    mark_void(1, 4); /* after the seal: it takes part, and is refused when it wins */
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        draw_and_check(&rules[i]);
}
END_TEST

START_TEST(more_winners_than_numbers)
{
    static const rule rules[] = {
        {"a", NULL, 40, 5, NONE}, {"b", NULL, 40, 5, NUMBER}, {"c", "one,", 40, 40, TICKET}, {"d", NULL, 3, 9, TICKET}};
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"a\",\"winners\":40,\"alternates\":5,\"one_win\":\"none\"},"
                               "{\"name\":\"b\",\"winners\":40,\"alternates\":5,\"one_win\":\"number\"},"
                               "{\"name\":\"c\",\"winners\":40,\"alternates\":40,\"tiers\":[\"one\"]},"
                               "{\"name\":\"d\",\"winners\":3,\"alternates\":9}]}");
    fx_sell_many(fx.unit, "ten", 2);
    fx_sell_many(fx.unit, "one", 3);
    mark_void(1, 4);
    fx_seal(RAFFLE_SEAL_FINAL);
    fill_drum();
    take_voids();
    for (size_t i = 0; i < 4; i++)
        draw_and_check(&rules[i]); /* from the second on nobody is left */
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "a", &prize, &fx.err));
    ck_assert_uint_eq(prize.places, 22);
    FX_OK(raffle_prize_by_name(fx.raffle, "d", &prize, &fx.err));
    ck_assert_uint_eq(prize.places, 0);
}
END_TEST

START_TEST(a_drum_of_one_number)
{
    static const rule one = {"p", NULL, 1, 1, TICKET};
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"p\",\"alternates\":1}]}");
    fx_sell("a", "one");
    fx_seal(RAFFLE_SEAL_FINAL);
    fill_drum();
    draw_and_check(&one);
    ck_assert_uint_eq(fx_pick("p", 1).number, 1);
}
END_TEST

START_TEST(a_drum_of_void_numbers)
{
    static const rule none = {"p", NULL, 1, 1, TICKET};
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"p\",\"alternates\":1}]}");
    fx_sell_many(fx.unit, "ten", 2);
    mark_void(1, 1);
    mark_void(1, 2);
    fx_seal(RAFFLE_SEAL_FINAL);
    fill_drum();
    take_voids();
    draw_and_check(&none);
}
END_TEST

/* The index of the first record of the result at `place` 1, and the types around it. */
static size_t count_picks(const char *prize)
{
    static char bytes[70000];
    raffle_prize p = RAFFLE_PRIZE_INIT;
    size_t n = 0;
    FX_OK(raffle_prize_by_name(fx.raffle, prize, &p, &fx.err));
    for (uint64_t i = p.result; i-- > 0; n++) {
        fx_leaf(0, i, bytes, sizeof bytes);
        if (strstr(bytes, "\"t\":\"draw.picks\"") == NULL)
            break;
    }
    return n;
}

START_TEST(many_winners_take_several_records)
{
    static const rule rules[] = {{"p500", NULL, 500, 0, NONE},
                                 {"p501", NULL, 501, 0, NONE},
                                 {"p1000", NULL, 900, 100, NONE},
                                 {"p1200", NULL, 1200, 20, NUMBER}};
    static const size_t picks[] = {0, 1, 1, 2};
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"p500\",\"winners\":500,\"one_win\":\"none\"},"
                               "{\"name\":\"p501\",\"winners\":501,\"one_win\":\"none\"},"
                               "{\"name\":\"p1000\",\"winners\":900,\"alternates\":100,\"one_win\":\"none\"},"
                               "{\"name\":\"p1200\",\"winners\":1200,\"alternates\":20,\"one_win\":\"number\"}]}");
    fx_sell_many(fx.unit, "ten", 500);
    fx_sell_many(fx.unit, "one", 100);
    mark_void(1, 77);
    fx_seal(RAFFLE_SEAL_FINAL);
    fill_drum();
    take_voids();
    for (size_t i = 0; i < 4; i++) {
        draw_and_check(&rules[i]);
        ck_assert_uint_eq(count_picks(rules[i].prize), picks[i]);
    }
    fx_close();
    fx_open(); /* the fold puts them together again */
    ck_assert_int_eq(fx_pick("p1200", 1200).state, RAFFLE_PLACE_DRAWN);
    ck_assert_int_eq(fx_pick("p1200", 1201).state, RAFFLE_PLACE_ALTERNATE);
}
END_TEST

START_TEST(an_early_seal_draws_from_its_prefix)
{
    static const rule bird = {"bird", NULL, 1, 1, TICKET}, first = {"first", NULL, 1, 2, TICKET};
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 4);
    mark_void(1, 2);
    fx_seal(RAFFLE_SEAL_EARLY);
    fill_drum();
    take_voids();
    fx_sell_many(fx.unit, "ten", 30);
    mark_void(1, 3); /* after the seal: its number stays in the early drum */
    draw_and_check(&bird);
    fx_seal(RAFFLE_SEAL_FINAL);
    raffle_pick winner = fx_pick("bird", 1);
    fill_drum();
    take_voids();
    for (size_t i = 0; i < drum_size; i++)
        drum[i].won_ticket = drum[i].unit == winner.unit && drum[i].serial == winner.serial;
    draw_and_check(&first);
}
END_TEST

FX_MAIN("raffle_drum", all_rules_of_one_win, more_winners_than_numbers, a_drum_of_one_number, a_drum_of_void_numbers,
        many_winners_take_several_records, an_early_seal_draws_from_its_prefix)
