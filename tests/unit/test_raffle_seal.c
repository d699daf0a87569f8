/* SPDX-License-Identifier: Apache-2.0 */
/* Seals and their acknowledgement: what they count, in which order they may come, and units that are not all there. */
#include "fixture.h"

#include "merkle.h"
#include "note.h"
#include "raffle_impl.h"
#include "store.h"
#include <jansson.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* --- keys of a host, that do something in between --- */

static void (*when_signing)(const char *name);

static void make_pair(const char *name, uint8_t public_key[32], uint8_t secret[64])
{
    uint8_t seed[32] = {7};
    memcpy(seed + 1, name, strlen(name));
    crypto_sign_seed_keypair(public_key, secret, seed);
}

static raffle_rc hook_make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    (void)ctx;
    (void)origin;
    (void)name;
    (void)err;
    return RAFFLE_OK;
}

static raffle_rc hook_public_key(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    uint8_t secret[64];
    (void)ctx;
    (void)origin;
    (void)err;
    make_pair(name, out, secret);
    return RAFFLE_OK;
}

static raffle_rc hook_sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                           uint8_t out[64], raffle_error *err)
{
    uint8_t public_key[32], secret[64];
    (void)ctx;
    (void)origin;
    (void)err;
    make_pair(name, public_key, secret);
    crypto_sign_detached(out, NULL, message, length, secret);
    if (fx.raffle != NULL) { /* no lock of the raffle's is held over the keys */
        ck_assert_int_eq(pthread_rwlock_trywrlock(&fx.raffle->control_lock), 0);
        pthread_rwlock_unlock(&fx.raffle->control_lock);
    }
    if (when_signing != NULL)
        when_signing(name);
    return RAFFLE_OK;
}

static raffle_rc hook_ticket_key(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    (void)ctx;
    (void)origin;
    (void)err;
    memset(out, 0x33, 32);
    return RAFFLE_OK;
}

static raffle_store *hook_store;
static raffle_keys *hook_keys;

static void create_with_hook(const char *rules)
{
    char uri[160];
    raffle_keys_table table;
    snprintf(uri, sizeof uri, "%s?create=1", fx.store);
    raffle_keys_table_init(&table, sizeof table);
    table.make = hook_make;
    table.public_key = hook_public_key;
    table.sign = hook_sign;
    table.ticket_key = hook_ticket_key;
    FX_OK(raffle_store_open(uri, NULL, &hook_store, &fx.err));
    FX_OK(raffle_keys_new(&table, NULL, &hook_keys, &fx.err));
    FX_OK(raffle_create_with(hook_store, hook_keys, &fx.host, rules, strlen(rules), &fx_boss, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
}

static void drop_hook(void)
{
    when_signing = NULL;
    raffle_keys_free(hook_keys);
    raffle_store_free(hook_store);
}

/* Another process's handle: a store of its own. */
static raffle *another_with_hook(raffle_store **store)
{
    raffle *r = NULL;
    FX_OK(raffle_store_open(fx.store, NULL, store, &fx.err));
    FX_OK(raffle_open_with(*store, hook_keys, &fx.host, &r, &fx.err));
    return r;
}

/* --- two handles --- */

/* Without an anchor nothing tells a handle that another one sold. */
START_TEST(a_seal_covers_what_another_handle_sold)
{
    raffle_unit *unit = NULL;
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    snprintf(fx.store, sizeof fx.store, "sqlite:%.70s?anchor=none", fx.path);
    fx_create(FX_RULES);
    fx_sell("mine", "one");
    raffle *other = fx_another();
    FX_OK(raffle_unit_open(other, 1, &unit, &fx.err));
    fx_sell_many(unit, "one", 50);
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &info, &fx.err));
    ck_assert_uint_eq(info.tickets, 51);
    ck_assert_int_eq(info.gross, 51 * 500);
    raffle_unit_free(unit);
    raffle_free(other);
}
END_TEST

static raffle *late_raffle;

/* While unit 1 is sealed, another handle enrols and enables a unit, and sells there. */
static void enrol_late(const char *name)
{
    raffle_unit *unit = NULL;
    raffle_unit_options options;
    uint32_t number = 0;
    if (strcmp(name, "unit-1") != 0)
        return;
    when_signing = NULL;
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "late");
    FX_OK(raffle_unit_enrol(late_raffle, &fx_boss, &options, &number, &fx.err));
    FX_OK(raffle_unit_enable(late_raffle, &fx_boss, number, &fx.err));
    FX_OK(raffle_unit_open(late_raffle, number, &unit, &fx.err));
    fx_sell_many(unit, "one", 3);
    raffle_unit_free(unit);
}

START_TEST(a_unit_that_comes_in_during_the_final_seal_is_closed)
{
    raffle_store *store = NULL;
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    create_with_hook(FX_RULES);
    fx_sell("a", "one");
    late_raffle = another_with_hook(&store);
    when_signing = enrol_late;
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &info, &fx.err));
    ck_assert(when_signing == NULL);
    ck_assert_uint_eq(info.units, 2);
    ck_assert_uint_eq(info.tickets, 4);
    ck_assert_int_eq(fx_unit_info(2).closed, 1);
    raffle_free(late_raffle);
    raffle_store_free(store);
    drop_hook();
}
END_TEST

/* --- damage --- */

static void checkpoint(void)
{
    char note[4096];
    size_t length = 0;
    FX_OK(raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
}

static const struct damage {
    const char *sql;
    uint64_t tickets; /* that an unreconciled seal takes */
} damages[] = {
    /* a record that cannot be folded, under a kept node; another that can; and one under the first note */
    {"UPDATE record SET leaf = replace(leaf, '\"price\":500', '\"price\":400') WHERE id = (1 << 40) + 400", 300},
    {"UPDATE record SET leaf = replace(leaf, '\"tier\":\"one\"', '\"tier\":\"ten\"'), private = NULL "
     "WHERE id = (1 << 40) + 400",
     300},
    {"UPDATE record SET leaf = substr(leaf, 1, instr(leaf, '\"p\":\"') + 4) || "
     "iif(substr(leaf, instr(leaf, '\"p\":\"') + 5, 1) = 'f', '0', 'f') || "
     "substr(leaf, instr(leaf, '\"p\":\"') + 6) WHERE id = (1 << 40) + 400",
     300},
    {"UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 100", 0},
    /* the same, and the newest note is none; and a void that is kept nowhere */
    {"UPDATE record SET leaf = '{}' WHERE id = (1 << 40) + 400; UPDATE note SET note = 'none' WHERE log = 1 AND size > "
     "400",
     300},
};

/* Signed at 301 and at 601 records, and damaged below a node that is kept: what was signed at 301 is sealed. */
START_TEST(damage_under_a_kept_node_is_sealed_without)
{
    const struct damage *d = &damages[_i / 2];
    const int32_t kind = _i % 2 == 0 ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL;
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 7, "refund", &fx.err));
    checkpoint();
    fx_sell_many(fx.unit, "one", 299);
    checkpoint();
    fx_close();
    fx.spoilt = true;
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, d->sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_ge(sqlite3_total_changes(db), 1);
    sqlite3_close(db);
    FX_OK(raffle_open(fx.store, NULL, &fx.host, &fx.raffle, &fx.err));
    raffle_rc rc = seal(&fx_boss, NULL, kind);
    ck_assert_msg(rc == RAFFLE_CORRUPT || rc == RAFFLE_UNRECONCILED, "%s: %s", raffle_rc_name(rc), fx.err.message);
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_FAILS(RAFFLE_UNRECONCILED, seal(&fx_boss, NULL, kind));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_super, kind, &info, &fx.err));
    ck_assert_uint_eq(info.unreconciled, 1);
    ck_assert_uint_eq(info.tickets, d->tickets);
    ck_assert_uint_eq(info.voids, d->tickets > 0);
    ck_assert_int_eq(info.gross, (int64_t)d->tickets * 500);
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, info.index, &fx.err));
}
END_TEST

/* A void's key that cannot be one makes the whole unit's voids uncountable, but not the raffle unsealable. */
START_TEST(damage_among_the_voids_is_sealed_without)
{
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 10);
    checkpoint();
    fx_sell_many(fx.unit, "one", 10);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 15, "refund", &fx.err));
    checkpoint();
    fx.spoilt = true;
    fx_sql(1, "UPDATE key SET id = 9 << 40 WHERE hex(key) LIKE '__0001000000000F'");
    FX_FAILS(RAFFLE_CORRUPT, seal(&fx_boss, NULL, RAFFLE_SEAL_EARLY));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_super, RAFFLE_SEAL_EARLY, &info, &fx.err));
    ck_assert_uint_eq(info.unreconciled, 1);
    ck_assert_uint_eq(info.tickets, 0);
}
END_TEST

/* Also where none is needed; and before a unit is closed for a seal that is then refused. */
START_TEST(an_approver_who_may_not_approve)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    FX_REFUSED(RAFFLE_APPROVAL, raffle_seal(fx.raffle, &fx_boss, &fx_seller, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_seal(fx.raffle, &fx_boss, &fx_seller, RAFFLE_SEAL_FINAL, NULL, &fx.err));
    ck_assert_int_eq(fx_unit_info(1).closed, 0);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    fx.now += 60 * FX_DAY;
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_APPROVAL, raffle_forfeit(fx.raffle, &fx_boss, &fx_seller, "bird", 1, "gone", NULL, &fx.err));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, NULL, "bird", 1, "gone", NULL, &fx.err));
}
END_TEST

/* --- sums --- */

START_TEST(sums_beyond_a_record_are_refused)
{
    static const char rules[] =
        FX_HEAD "\"tiers\":[{\"name\":\"dear\",\"count\":1,\"price\":1000000000000}],"
                "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"prizes\":[{\"name\":\"first\",\"amount\":1}]}";
    raffle_info info = RAFFLE_INFO_INIT;
    fx_create(rules);
    raffle_unit *second = fx_unit(2);
    fx_sell_many(fx.unit, "dear", 9007);
    FX_OK(raffle_describe(fx.raffle, &info, &fx.err));
    ck_assert_int_eq(info.gross, INT64_C(9007000000000000));
    fx_sell_many(second, "dear", 1);
    FX_FAILS(RAFFLE_LIMIT, raffle_describe(fx.raffle, &info, &fx.err));
    FX_FAILS(RAFFLE_LIMIT, seal(&fx_boss, NULL, RAFFLE_SEAL_FINAL));
    raffle_unit_free(second);
}
END_TEST

/* --- the anchor cannot be written --- */

static char anchor_path[128], aside[136];

static void spoil_anchor(const char *name)
{
    if (strcmp(name, "control") != 0)
        return;
    when_signing = NULL;
    ck_assert_int_eq(rename(anchor_path, aside), 0);
    ck_assert_int_eq(mkdir(anchor_path, 0700), 0);
}

static void mend_anchor(void)
{
    ck_assert_int_eq(rmdir(anchor_path), 0);
    ck_assert_int_eq(rename(aside, anchor_path), 0);
}

static void check_anchored(void)
{
    uint64_t size = 0, seen = 0;
    uint8_t root[32], anchored[32];
    FX_OK(raffle_root(fx.raffle, 0, UINT64_MAX, &size, root, &fx.err));
    FX_OK(rf_store_anchor_get(hook_store, 0, &seen, anchored, &fx.err));
    ck_assert_uint_eq(seen, size);
    ck_assert_mem_eq(anchored, root, 32);
}

START_TEST(a_seal_whose_anchor_fails_is_healed)
{
    raffle_seal_info info = RAFFLE_SEAL_INFO_INIT, again = RAFFLE_SEAL_INFO_INIT;
    create_with_hook(FX_RULES);
    snprintf(anchor_path, sizeof anchor_path, "%s-anchor", fx.path);
    snprintf(aside, sizeof aside, "%s-aside", fx.path);
    fx_sell("a", "one");
    when_signing = spoil_anchor;
    FX_FAILS(RAFFLE_UNKNOWN, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &info, &fx.err));
    fx_said("the seal is written");
    ck_assert_int_eq(info.kind, RAFFLE_SEAL_FINAL);
    FX_FAILS(RAFFLE_IO, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &again, &fx.err));
    fx_said("not anchored");
    mend_anchor();
    FX_FAILS(RAFFLE_CLOSED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &again, &fx.err));
    check_anchored();
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_FINAL, &again, &fx.err));
    ck_assert_uint_eq(again.index, info.index);
    when_signing = spoil_anchor;
    FX_FAILS(RAFFLE_UNKNOWN, raffle_voids_ack(fx.raffle, &fx_boss, info.index, &fx.err));
    fx_said("the acknowledgement is written");
    mend_anchor();
    FX_FAILS(RAFFLE_EXISTS, raffle_voids_ack(fx.raffle, &fx_boss, info.index, &fx.err));
    check_anchored();
    drop_hook();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("raffle_seal");
    TCase *c = tcase_create("raffle_seal");
    tcase_add_checked_fixture(c, fx_setup, fx_teardown);
    tcase_set_timeout(c, 120);
    const TTest *const tests[] = {a_final_seal_covers_every_unit,
                                  who_may_seal_and_when,
                                  who_may_acknowledge_and_what,
                                  seals_with_voids_between_and_after,
                                  units_that_came_and_went,
                                  a_state_that_was_altered_stops_the_seal,
                                  a_seal_covers_what_another_handle_sold,
                                  a_unit_that_comes_in_during_the_final_seal_is_closed,
                                  damage_among_the_voids_is_sealed_without,
                                  sums_beyond_a_record_are_refused,
                                  a_seal_whose_anchor_fails_is_healed,
                                  an_approver_who_may_not_approve};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, damage_under_a_kept_node_is_sealed_without, 0, 2 * (int)(sizeof damages / sizeof *damages));
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
