/* SPDX-License-Identifier: Apache-2.0 */
/* Seals and their acknowledgement: what they count, in which order they may come, and units that are not all there. */
#include "fixture.h"

#include "merkle.h"
#include "note.h"
#include <jansson.h>

static raffle_rc seal(const raffle_actor *by, const raffle_actor *ok, int32_t kind)
{
    return raffle_seal(fx.raffle, by, ok, kind, NULL, &fx.err);
}

#define THREE_UNITS FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]," FX_PRIZES "}"

/* The parsed leaf of a record of the control log. */
static json_t *control_leaf(uint64_t index)
{
    static char bytes[70000];
    fx_leaf(0, index, bytes, sizeof bytes);
    json_t *leaf = json_loads(bytes, 0, NULL);
    ck_assert_ptr_nonnull(leaf);
    return leaf;
}

static int64_t number_of(const json_t *leaf, const char *name)
{
    ck_assert(json_is_integer(json_object_get(leaf, name)));
    return json_integer_value(json_object_get(leaf, name));
}

static const char *text_of(const json_t *leaf, const char *name)
{
    ck_assert(json_is_string(json_object_get(leaf, name)));
    return json_string_value(json_object_get(leaf, name));
}

static void hex(char out[65], const uint8_t in[32])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", in[i]);
}

/* The root over these serials, each a leaf of five big-endian bytes. */
static void void_root(char out[65], const uint64_t *serials, size_t n)
{
    rf_sha256 *hash = rf_sha256_new();
    rf_range range;
    uint8_t root[32];
    rf_range_init(&range);
    for (size_t i = 0; i < n; i++) {
        uint8_t leaf[5], leaf_hash[32];
        for (size_t k = 0; k < 5; k++)
            leaf[k] = (uint8_t)(serials[i] >> (32 - 8 * k));
        rf_leaf_hash(hash, leaf_hash, leaf, 5);
        rf_range_push(hash, &range, leaf_hash, NULL, NULL);
    }
    rf_range_root(hash, &range, root);
    rf_sha256_free(hash);
    hex(out, root);
}

START_TEST(a_final_seal_covers_every_unit)
{
    static const uint64_t voids[] = {2, 5, 7};
    char wanted[65];
    uint8_t root[32];
    fx_create(THREE_UNITS);
    raffle_unit *third = fx_unit(3);
    fx_sell_many(fx.unit, "one", 5);
    fx_sell_many(fx.unit, "ten", 2);
    fx_sell_many(third, "free", 2);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 7, "refund", &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "refund", &fx.err));
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 5, "refund", &fx.err)); /* by now into the control log */
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 3, "lunch", &fx.err));
    raffle_seal_info info = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_int_eq(info.kind, RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(info.units, 3);
    ck_assert_uint_eq(info.unreconciled, 0);
    ck_assert_uint_eq(info.tickets, 9);
    ck_assert_uint_eq(info.numbers, 31);
    ck_assert_uint_eq(info.voids, 3);
    ck_assert_int_eq(info.gross, 6500);
    ck_assert_int_eq(info.void_gross, 3000);
    ck_assert_int_eq(info.acknowledged, 0);
    json_t *leaf = control_leaf(info.index);
    ck_assert_int_eq(number_of(leaf, "first"), (int64_t)info.index - 3);
    ck_assert_int_eq(number_of(leaf, "void_numbers"), 12);
    ck_assert_str_eq(text_of(leaf, "kind"), "final");
    json_decref(leaf);
    for (uint32_t unit = 1; unit <= 3; unit++) {
        rf_note note;
        rf_vkey vkey;
        rf_checkpoint checkpoint;
        raffle_unit_info u = fx_unit_info(unit);
        leaf = control_leaf(info.index - 4 + unit);
        ck_assert_int_eq(number_of(leaf, "unit"), unit);
        ck_assert_uint_eq((uint64_t)number_of(leaf, "size"), u.size);
        ck_assert_int_eq(u.closed, 1);
        FX_OK(raffle_root(fx.raffle, unit, u.size, NULL, root, &fx.err));
        hex(wanted, root);
        ck_assert_str_eq(text_of(leaf, "root"), wanted);
        void_root(wanted, voids, unit == 1 ? 3 : 0);
        ck_assert_str_eq(text_of(leaf, "void_root"), wanted);
        const char *text = text_of(leaf, "note");
        ck_assert_int_eq(rf_note_parse(&note, text, strlen(text), NULL), RAFFLE_OK);
        ck_assert_int_eq(rf_vkey_parse(&vkey, u.key, strlen(u.key), NULL), RAFFLE_OK);
        ck_assert_int_eq(rf_note_verify(&note, &vkey, NULL), RAFFLE_OK);
        ck_assert_int_eq(rf_checkpoint_parse(&checkpoint, note.text, note.text_length, NULL), RAFFLE_OK);
        ck_assert_uint_eq(checkpoint.size, u.size);
        json_decref(leaf);
    }
    raffle_unit_free(third);
}
END_TEST

START_TEST(who_may_seal_and_when)
{
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    FX_FAILS(RAFFLE_NOT_SEALED, raffle_seal_latest(fx.raffle, RAFFLE_SEAL_EARLY, &info, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_seal_latest(fx.raffle, 3, &info, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, seal(&fx_boss, NULL, 0));
    FX_REFUSED(RAFFLE_INVALID, seal(&fx_boss, NULL, 3));
    FX_REFUSED(RAFFLE_ROLE, seal(&fx_super, NULL, RAFFLE_SEAL_EARLY));
    FX_REFUSED(RAFFLE_ROLE, seal(&fx_admin, NULL, RAFFLE_SEAL_FINAL));
    FX_REFUSED(RAFFLE_APPROVAL, seal(&fx_boss, &fx_boss, RAFFLE_SEAL_EARLY));
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_sell("b", "one"); /* selling goes on */
    fx_draw("bird");
    FX_REFUSED(RAFFLE_SEQUENCE, seal(&fx_boss, NULL, RAFFLE_SEAL_EARLY));
    FX_OK(seal(&fx_boss, &fx_super, RAFFLE_SEAL_FINAL)); /* an approver does no harm */
    FX_REFUSED(RAFFLE_CLOSED, seal(&fx_boss, NULL, RAFFLE_SEAL_FINAL));
    FX_REFUSED(RAFFLE_CLOSED, seal(&fx_boss, NULL, RAFFLE_SEAL_EARLY));
    ck_assert_int_eq(fx_info().closed, 1);
}
END_TEST

START_TEST(who_may_acknowledge_and_what)
{
    raffle_seal_info first = RAFFLE_SEAL_INFO_INIT, second = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_voids_ack(fx.raffle, &fx_boss, 0, &fx.err));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &first, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_voids_ack(fx.raffle, &fx_super, first.index, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_voids_ack(fx.raffle, &fx_boss, first.index - 1, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_voids_ack(fx.raffle, &fx_boss, UINT64_MAX, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_voids_ack(fx.raffle, &fx_boss, first.index | UINT64_C(1) << 63, &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &second, &fx.err));
    ck_assert_uint_eq(second.voids, 1);
    FX_REFUSED(RAFFLE_NOT_FOUND,
               raffle_voids_ack(fx.raffle, &fx_boss, first.index, &fx.err)); /* there is a newer one */
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, second.index, &fx.err));
    FX_REFUSED(RAFFLE_EXISTS, raffle_voids_ack(fx.raffle, &fx_boss, second.index, &fx.err));
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_EARLY, &second, &fx.err));
    ck_assert_int_eq(second.acknowledged, 1);
    raffle_seal_info last = RAFFLE_SEAL_INFO_INIT;
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &last, &fx.err));
    FX_REFUSED(RAFFLE_EXISTS, raffle_voids_ack(fx.raffle, &fx_boss, second.index, &fx.err));
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, last.index, &fx.err));
}
END_TEST

START_TEST(seals_with_voids_between_and_after)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 10);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 3, "refund", &fx.err));
    raffle_seal_info early = fx_seal(RAFFLE_SEAL_EARLY);
    ck_assert_uint_eq(early.voids, 1);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 4, "refund", &fx.err));
    fx_draw("bird");
    fx_sell_many(fx.unit, "ten", 3);
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    for (uint64_t serial = 11; serial <= 15; serial++) { /* 11 is the void of 3, and 12 that of 4 */
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        if (serial <= 12)
            FX_FAILS(RAFFLE_NOT_FOUND, raffle_ticket_get(fx.raffle, 1, serial, &ticket, &fx.err));
        else
            FX_OK(raffle_ticket_get(fx.raffle, 1, serial, &ticket, &fx.err));
    }
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 14, "refund", &fx.err));
    raffle_seal_info last = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(last.voids, 3);
    ck_assert_uint_eq(last.tickets, 13);
    ck_assert_uint_eq(last.numbers, 40);
    ck_assert_int_eq(last.gross, 11000);
    ck_assert_int_eq(last.void_gross, 3000);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 15, "refund", &fx.err));
    fx_draw("first");
    fx_draw("second");
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_EARLY, &early, &fx.err));
    ck_assert_uint_eq(early.voids, 1);
}
END_TEST

START_TEST(units_that_came_and_went)
{
    raffle_unit_options options;
    uint32_t number = 0;
    fx_create(FX_RULES);
    fx_sell("a", "one");
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "kiosk");
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
    ck_assert_uint_eq(number, 2);
    raffle_seal_info early = fx_seal(RAFFLE_SEAL_EARLY);
    ck_assert_uint_eq(early.units, 2);
    FX_OK(raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
    fx_draw("bird");
    raffle_seal_info last = fx_seal(RAFFLE_SEAL_FINAL);
    ck_assert_uint_eq(last.units, 2);
    ck_assert_uint_eq(last.numbers, 1);
    strcpy(options.name, "late");
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
}
END_TEST

START_TEST(a_state_that_was_altered_stops_the_seal)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 20);
    fx_close();
    fx.spoilt = true;
    /* A leaf that claims another price, in the middle: the totals no longer follow. */
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '\"price\":500', '\"price\":400') WHERE id = %lld",
           (1LL << 40) + 9);
    FX_OK(raffle_open(fx.store, NULL, &fx.host, &fx.raffle, &fx.err));
    FX_FAILS(RAFFLE_UNRECONCILED, seal(&fx_boss, NULL, RAFFLE_SEAL_FINAL));
    fx_said("unit 1");
    FX_FAILS(RAFFLE_APPROVAL, seal(&fx_boss, &fx_auditor, RAFFLE_SEAL_FINAL));
    FX_OK(seal(&fx_boss, &fx_super, RAFFLE_SEAL_FINAL));
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_FINAL, &info, &fx.err));
    ck_assert_uint_eq(info.unreconciled, 1);
    ck_assert_uint_eq(info.tickets, 0); /* no checkpoint was ever signed: it enters empty */
}
END_TEST

FX_MAIN("raffle_seal", a_final_seal_covers_every_unit, who_may_seal_and_when, who_may_acknowledge_and_what,
        seals_with_voids_between_and_after, units_that_came_and_went, a_state_that_was_altered_stops_the_seal)
