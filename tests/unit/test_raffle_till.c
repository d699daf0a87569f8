/* SPDX-License-Identifier: Apache-2.0 */
/* Tills elsewhere: enrolled with a proof, installed from a kit, selling by themselves, uploading, caught when there are two; and seals with them. */
#include "fixture.h"
#include "keys.h"
#include "merkle.h"
#include "note.h"
#include "record.h"
#include "stream.h"
#include "unit_impl.h"

#include <raffle/till.h>
#include <sodium.h>
#include <unistd.h>

/* What travels. */
typedef struct parcel {
    char *bytes;
    size_t length, cap;
    size_t fails_after; /* bytes; 0: never */
} parcel;

typedef struct till {
    char store[200], keys[200];
    raffle *raffle;
    raffle_unit *unit;
} till;

static till tent;
static parcel box;

static raffle_rc pack(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    parcel *p = ctx;
    if (p->fails_after > 0 && p->length + length > p->fails_after)
        return raffle_error_set(err, RAFFLE_FULL, 7, "the stick is full");
    if (p->length + length > p->cap) {
        p->cap = 2 * (p->length + length);
        p->bytes = realloc(p->bytes, p->cap);
        ck_assert_ptr_nonnull(p->bytes);
    }
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
    return RAFFLE_OK;
}

static void empty(parcel *p)
{
    free(p->bytes);
    memset(p, 0, sizeof *p);
}

static raffle_rc apply(const char *keys, uint32_t unit, raffle_unit_options *o)
{
    raffle_unit_options_init(o, sizeof *o);
    snprintf(o->name, sizeof o->name, "tent %u", unit);
    o->quota = 50;
    o->away = 1;
    o->hours = 24;
    return raffle_unit_apply(keys, NULL, "raffle.example/fixture", unit, o->key, o->proof, &fx.err);
}

/* A till for the next unit, which is enabled when `enabled`. */
static void make_till(till *t, bool enabled)
{
    raffle_unit_options o;
    uint32_t number = 0;
    const uint32_t next = fx_info().units + 1;
    snprintf(t->store, sizeof t->store, "sqlite:%s/tent-%u.raffle", fx.folder, next);
    snprintf(t->keys, sizeof t->keys, "file:%s/tent-%u.keys", fx.folder, next);
    FX_OK(apply(t->keys, next, &o));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    ck_assert_uint_eq(number, next);
    if (enabled)
        FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
    empty(&box);
    FX_OK(raffle_unit_kit(fx.raffle, number, pack, &box, &fx.err));
    FX_OK(raffle_unit_install(t->store, t->keys, &fx.host, box.bytes, box.length, NULL, &t->raffle, &fx.err));
    FX_OK(raffle_unit_open(t->raffle, number, &t->unit, &fx.err));
}

static void drop_till(till *t)
{
    raffle_unit_free(t->unit);
    raffle_free(t->raffle);
    memset(t, 0, sizeof *t);
}

static void reopen_till(till *t, uint32_t number)
{
    raffle_unit_free(t->unit);
    raffle_free(t->raffle);
    FX_OK(raffle_open(t->store, t->keys, &fx.host, &t->raffle, &fx.err));
    FX_OK(raffle_unit_open(t->raffle, number, &t->unit, &fx.err));
}

static raffle_rc sell(const till *t, const char *order, const char *tier)
{
    raffle_sale sale = fx_line(order, tier);
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    return raffle_unit_sell(t->unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err);
}

/* What the till has to upload now, under a fresh challenge. */
static raffle_rc export(const till *t, uint32_t number)
{
    char challenge[RAFFLE_CHALLENGE_SIZE];
    FX_OK(raffle_unit_challenge(fx.raffle, number, challenge, &fx.err));
    empty(&box);
    return raffle_unit_export(t->unit, challenge, pack, &box, &fx.err);
}

static raffle_rc take(raffle_upload_info *info)
{
    raffle_upload_info_init(info, sizeof *info);
    return raffle_unit_upload(fx.raffle, &fx_boss, box.bytes, box.length, info, &fx.err);
}

static raffle_upload_info upload(const till *t, uint32_t number)
{
    raffle_upload_info info;
    FX_OK(export(t, number));
    FX_OK(take(&info));
    return info;
}

static raffle_rc inform(const till *t, uint32_t number, uint64_t from)
{
    empty(&box);
    FX_OK(raffle_unit_news(fx.raffle, number, from, pack, &box, &fx.err));
    return raffle_unit_update(t->raffle, box.bytes, box.length, &fx.err);
}

static void begin(void)
{
    fx_create(FX_HEAD FX_TIERS
              "\"prizes\":[{\"name\":\"first\",\"alternates\":2,\"share\":5000},{\"name\":\"second\"}]}");
    fx_sell("office-1", "ten");
}

static void end(void)
{
    drop_till(&tent);
    empty(&box);
}

START_TEST(from_the_application_to_the_draw)
{
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(sell(&tent, "b", "one"));
    FX_OK(raffle_void(tent.raffle, &fx_super, 2, 2, "refund", &fx.err));
    raffle_upload_info info = upload(&tent, 2);
    ck_assert_uint_eq(info.records, 4);
    ck_assert_uint_eq(info.taken, 4);
    ck_assert_uint_eq(info.numbers, 11);
    ck_assert_uint_eq(info.twice, 0);
    ck_assert_int_eq(info.closed, 0);
    FX_OK(inform(&tent, 2, info.control_size));
    FX_OK(sell(&tent, "c", "ten"));
    FX_OK(raffle_unit_close(tent.unit, &fx_super, &fx.err));
    info = upload(&tent, 2);
    ck_assert_uint_eq(info.taken, 2);
    ck_assert_uint_eq(info.size, 6);
    ck_assert_int_eq(info.closed, 1);
    raffle_unit_info unit = fx_unit_info(2);
    ck_assert_int_eq(unit.away, 1);
    ck_assert_uint_eq(unit.hours, 24);
    ck_assert_uint_eq(unit.synced, 6);
    ck_assert_uint_eq(unit.numbers, 21);
    ck_assert_int_eq(unit.closed, 1);
    fx_seal(RAFFLE_SEAL_FINAL);
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    FX_OK(raffle_seal_latest(fx.raffle, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 0);
    ck_assert_uint_eq(seal.numbers, 31);
    ck_assert_uint_eq(seal.voids, 1);
    fx_draw("first");
    fx_draw("second");
    end();
}
END_TEST

/* The same validation numbers on both sides: K_u is what it is derived to be. */
START_TEST(a_ticket_of_the_till_is_known_at_the_raffle)
{
    char there[RAFFLE_VALIDATION_SIZE], here[RAFFLE_VALIDATION_SIZE];
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(raffle_unit_validation(tent.unit, 1, there, &fx.err));
    (void)upload(&tent, 2);
    raffle_unit *unit = fx_unit(2);
    FX_OK(raffle_unit_validation(unit, 1, here, &fx.err));
    ck_assert_str_eq(there, here);
    raffle_unit_free(unit);
    end();
}
END_TEST

START_TEST(each_side_writes_its_own)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_unit *elsewhere;
    raffle_unit_options o;
    uint32_t number = 0;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    FX_FAILS(RAFFLE_AWAY, raffle_seal(tent.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    FX_FAILS(RAFFLE_AWAY, raffle_unit_enable(tent.raffle, &fx_boss, 2, &fx.err));
    FX_FAILS(RAFFLE_AWAY, raffle_event(tent.raffle, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    FX_OK(raffle_event(tent.raffle, &fx_boss, 2, "x.a", NULL, NULL, &fx.err));
    FX_OK(raffle_unit_open(tent.raffle, 1, &elsewhere, &fx.err));
    const till other = {.unit = elsewhere};
    FX_FAILS(RAFFLE_AWAY, sell(&other, "x", "one"));
    raffle_unit_free(elsewhere);
    raffle_unit *away = fx_unit(2);
    const till here = {.unit = away};
    FX_REFUSED(RAFFLE_AWAY, sell(&here, "x", "one"));
    FX_REFUSED(RAFFLE_AWAY, raffle_unit_close(away, &fx_boss, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_unit_export(away, "x", pack, &box, &fx.err));
    raffle_unit_free(away);
    (void)upload(&tent, 2);
    FX_REFUSED(RAFFLE_AWAY, raffle_void(fx.raffle, &fx_super, 2, 1, "refund", &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_kit(fx.raffle, 1, pack, &box, &fx.err));
    FX_REFUSED(RAFFLE_LIMIT, raffle_unit_quota(fx.raffle, &fx_boss, 2, 0, &fx.err));
    FX_OK(apply(tent.keys, 2, &o));
    snprintf(o.name, sizeof o.name, "another");
    FX_REFUSED(RAFFLE_MISMATCH, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    end();
}
END_TEST

START_TEST(an_application_that_is_none)
{
    raffle_unit_options o, good;
    uint32_t number = 0;
    char keys[128];
    begin();
    snprintf(keys, sizeof keys, "file:%s/tent.keys", fx.folder);
    FX_OK(apply(keys, 2, &good));
    o = good;
    o.proof[strlen(o.proof) - 30] = o.proof[strlen(o.proof) - 30] == 'A' ? 'B' : 'A';
    FX_REFUSED(RAFFLE_SIGNATURE, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    o = good;
    o.proof[0] = '\0';
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    o = good;
    o.key[0] = '\0';
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    o = good;
    o.quota = 0;
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    o = good;
    o.hours = RAFFLE_AWAY_HOURS_MAX + 1;
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    o = good;
    o.away = 0;
    FX_REFUSED(RAFFLE_INVALID, raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &good, &number, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_unit_apply(keys, NULL, "No Origin", 2, o.key, o.proof, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_unit_apply(keys, NULL, "raffle.example/fixture", 0, o.key, o.proof, &fx.err));
    end();
}
END_TEST

START_TEST(a_till_halts_at_its_quota_and_its_hours)
{
    begin();
    make_till(&tent, true);
    for (int i = 0; i < 5; i++) {
        char order[8];
        snprintf(order, sizeof order, "a%d", i);
        FX_OK(sell(&tent, order, "ten"));
    }
    FX_FAILS(RAFFLE_QUOTA, sell(&tent, "b", "one"));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 2, 60, &fx.err));
    FX_FAILS(RAFFLE_QUOTA, sell(&tent, "b", "one")); /* it has not heard of it */
    FX_OK(inform(&tent, 2, 0));
    FX_OK(sell(&tent, "b", "one"));
    end();
}
END_TEST

START_TEST(a_till_that_hears_nothing_stops)
{
    raffle_unit_options o;
    uint32_t number;
    begin();
    snprintf(tent.store, sizeof tent.store, "sqlite:%s/short.raffle", fx.folder);
    snprintf(tent.keys, sizeof tent.keys, "file:%s/short.keys", fx.folder);
    FX_OK(apply(tent.keys, 2, &o));
    o.hours = 2;
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, &box, &fx.err));
    FX_OK(raffle_unit_install(tent.store, tent.keys, &fx.host, box.bytes, box.length, NULL, &tent.raffle, &fx.err));
    FX_OK(raffle_unit_open(tent.raffle, 2, &tent.unit, &fx.err));
    FX_OK(sell(&tent, "a", "one"));
    fx.now += 2 * FX_HOUR - 1000;
    reopen_till(&tent, 2); /* the clock's leap is another matter */
    FX_OK(sell(&tent, "b", "one"));
    fx.now += 1001;
    FX_FAILS(RAFFLE_AWAY, sell(&tent, "c", "one"));
    FX_OK(sell(&tent, "a", "one")); /* sold already */
    fx_close();
    fx_open();
    const raffle_upload_info info = upload(&tent, 2);
    FX_FAILS(RAFFLE_AWAY, sell(&tent, "c", "one"));
    FX_OK(inform(&tent, 2, info.control_size));
    FX_OK(sell(&tent, "c", "one"));
    end();
}
END_TEST

START_TEST(the_same_upload_again)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    FX_OK(take(&info));
    const uint64_t size = fx_size(0);
    FX_OK(take(&info));
    ck_assert_uint_eq(info.taken, 0);
    ck_assert_uint_eq(info.size, 2);
    ck_assert_uint_eq(fx_size(0), size);
    fx.now += 1000;
    info = upload(&tent, 2); /* nothing new; but it was heard of */
    ck_assert_uint_eq(info.records, 0);
    ck_assert_uint_eq(fx_size(0), size + 1);
    ck_assert_int_eq(fx_unit_info(2).heard, fx.now);
    end();
}
END_TEST

/* Cut off or altered at any byte it changes nothing; whole it is taken. */
START_TEST(every_byte_of_an_upload)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(sell(&tent, "b", "one"));
    FX_OK(export(&tent, 2));
    const size_t length = box.length;
    const uint64_t control = fx_size(0);
    for (size_t i = 0; i < length; i++) {
        box.length = i;
        ck_assert_int_ne(take(&info), RAFFLE_OK);
        box.length = length;
        box.bytes[i] ^= 1;
        ck_assert_int_ne(take(&info), RAFFLE_OK);
        box.bytes[i] ^= 1;
    }
    raffle_error_init(&fx.err, sizeof fx.err);
    ck_assert_uint_eq(fx_size(0), control);
    ck_assert_uint_eq(fx_size(2), 0);
    FX_OK(take(&info));
    ck_assert_uint_eq(info.taken, 3);
    end();
}
END_TEST

/* Rewrites the hash at the end, so that what lies below it is judged. */
static void seal_box(void)
{
    unsigned char hash[32];
    char *end = box.bytes + box.length - 69;
    ck_assert_mem_eq(end, "end ", 4);
    crypto_hash_sha256(hash, (unsigned char *)box.bytes, (unsigned long long)(end - box.bytes));
    for (int i = 0; i < 32; i++)
        snprintf(end + 4 + 2 * i, 3, "%02x", hash[i]);
    box.bytes[box.length - 1] = '\n';
}

START_TEST(every_byte_of_an_upload_under_its_hash)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    char *good = malloc(box.length);
    memcpy(good, box.bytes, box.length);
    const uint64_t control = fx_size(0);
    for (size_t i = 0; i < box.length - 70; i++) {
        memcpy(box.bytes, good, box.length);
        box.bytes[i] ^= 1;
        seal_box();
        ck_assert_msg(take(&info) != RAFFLE_OK, "byte %zu", i);
    }
    free(good);
    raffle_error_init(&fx.err, sizeof fx.err);
    ck_assert_uint_eq(fx_size(0), control);
    end();
}
END_TEST

/* Whoever carries the upload takes the buyers out, who stand under no checkpoint. */
START_TEST(a_private_part_taken_out_on_the_way)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    char *part = strstr(box.bytes, "\n{\"actor\"") + 1;
    char *rest = strchr(part, '\n');
    memmove(part, rest, (size_t)(box.bytes + box.length - rest));
    box.length -= (size_t)(rest - part);
    seal_box();
    FX_REFUSED(RAFFLE_SIGNATURE, take(&info));
    end();
}
END_TEST

START_TEST(challenges)
{
    raffle_upload_info info;
    char challenge[RAFFLE_CHALLENGE_SIZE], old[RAFFLE_CHALLENGE_SIZE];
    till other = {.raffle = NULL};
    begin();
    make_till(&tent, true);
    make_till(&other, true);
    FX_OK(raffle_unit_challenge(fx.raffle, 2, challenge, &fx.err));
    FX_FAILS(RAFFLE_MISMATCH, raffle_unit_export(other.unit, challenge, pack, &box, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_unit_export(tent.unit, "libraffle/challenge/v1 x", pack, &box, &fx.err));
    memcpy(old, challenge, sizeof old);
    FX_OK(sell(&tent, "a", "one"));
    /* Nobody else tells a till what the raffle has: at any byte it is refused, and goes on selling. */
    for (size_t i = 0; old[i] != '\0'; i++) {
        memcpy(challenge, old, sizeof challenge);
        challenge[i] = challenge[i] == '1' ? '2' : '1';
        ck_assert_int_ne(raffle_unit_export(tent.unit, challenge, pack, &box, &fx.err), RAFFLE_OK);
        ck_assert_int_ne(fx.err.rc, RAFFLE_HISTORY);
        raffle_error_init(&fx.err, sizeof fx.err);
    }
    FX_OK(sell(&tent, "b", "one"));
    empty(&box);
    FX_OK(raffle_unit_export(tent.unit, old, pack, &box, &fx.err));
    fx.now += RAFFLE_CHALLENGE_LIFE_MS + 1;
    FX_REFUSED(RAFFLE_SEQUENCE, take(&info));
    fx.now -= RAFFLE_CHALLENGE_LIFE_MS + 1;
    box.fails_after = box.length + 10;
    ck_assert_int_eq(raffle_unit_export(tent.unit, old, pack, &box, &fx.err), RAFFLE_HOST);
    ck_assert_uint_eq(fx.err.token, 7);
    raffle_error_init(&fx.err, sizeof fx.err);
    drop_till(&other);
    end();
}
END_TEST

START_TEST(an_order_that_was_sold_twice)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "office-1", "ten"));
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(raffle_unit_close(tent.unit, &fx_super, &fx.err));
    const raffle_upload_info info = upload(&tent, 2);
    ck_assert_uint_eq(info.twice, 1);
    ck_assert_uint_eq(fx_unit_info(2).twice, 1);
    FX_REFUSED(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    fx_said("unit 2 (uploaded orders that were sold twice)");
    FX_OK(raffle_void(fx.raffle, &fx_super, 2, 1, "error", &fx.err)); /* it is closed: here */
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 0);
    ck_assert_uint_eq(seal.voids, 1);
    end();
}
END_TEST

START_TEST(a_seal_without_a_till)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    till never = {.raffle = NULL};
    begin();
    make_till(&tent, true);
    make_till(&never, true);
    FX_OK(sell(&tent, "a", "ten"));
    (void)upload(&tent, 2);
    FX_OK(sell(&tent, "b", "ten"));
    FX_REFUSED(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    fx_said("unit 2 (away, not closed), 3 (away, has uploaded nothing)");
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 2);
    ck_assert_uint_eq(seal.numbers, 20);
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, seal.index, &fx.err));
    /* Found again: what it sold is kept, and not drawn. */
    const raffle_upload_info info = upload(&tent, 2);
    ck_assert_int_eq(info.excepted, 1);
    const raffle_unit_info unit = fx_unit_info(2);
    ck_assert_int_eq(unit.unreconciled, 1);
    ck_assert_uint_eq(unit.left_numbers, 10);
    ck_assert_int_eq(unit.left_gross, 2000);
    fx_draw("first");
    fx_draw("second");
    drop_till(&never);
    fx.spoilt = true; /* the audit says what was left out: completeness */
    ck_assert_uint_gt(fx_faults(), 0);
    end();
}
END_TEST

/* The newer came whole and broke off before its unit.sync; then the older comes, of which nothing is new. */
START_TEST(an_older_upload_after_a_newer)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    const parcel older = box;
    box = (parcel){.bytes = NULL};
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(export(&tent, 2));
    fx.now -= 10000;
    FX_FAILS(RAFFLE_CLOCK, take(&info));
    fx.now += 10000;
    ck_assert_uint_eq(fx_unit_info(2).size, 3);
    ck_assert_uint_eq(fx_unit_info(2).synced, 0);
    empty(&box);
    box = older;
    FX_OK(take(&info));
    ck_assert_uint_eq(info.taken, 0);
    ck_assert_uint_eq(fx_unit_info(2).synced, 2);
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 1);
    ck_assert_uint_eq(seal.numbers, 20);
    end();
    fx.spoilt = true; /* the audit says what was left out: completeness */
    ck_assert_uint_gt(fx_faults(), 0);
}
END_TEST

/* A clock that lets another upload come in when it is first asked. */
static raffle_rc crossing_clock(void *ctx, int64_t *ms, raffle_error *err)
{
    parcel *newer = ctx;
    raffle_upload_info info = RAFFLE_UPLOAD_INFO_INIT;
    (void)err;
    *ms = fx.now;
    if (newer->bytes == NULL)
        return RAFFLE_OK;
    const parcel p = *newer;
    newer->bytes = NULL;
    FX_OK(raffle_unit_upload(fx.raffle, &fx_boss, p.bytes, p.length, &info, &fx.err));
    free(p.bytes);
    return RAFFLE_OK;
}

/* Overtaken by a newer one: nothing is wrong with either. */
START_TEST(uploads_that_cross)
{
    raffle_upload_info info;
    raffle *r = NULL;
    raffle_host host = fx.host;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    const parcel older = box;
    box = (parcel){.bytes = NULL};
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(export(&tent, 2));
    parcel newer = box;
    fx.now -= 10000;
    FX_FAILS(RAFFLE_CLOCK, take(&info)); /* all rows, and no unit.sync */
    fx.now += 10000;
    host.clock = crossing_clock;
    host.ctx = &newer;
    box = older;
    FX_OK(raffle_open(fx.store, NULL, &host, &r, &fx.err));
    ck_assert_ptr_nonnull(newer.bytes); /* opening asks no clock */
    raffle_upload_info_init(&info, sizeof info);
    FX_OK(raffle_unit_upload(r, &fx_boss, box.bytes, box.length, &info, &fx.err));
    ck_assert_ptr_null(newer.bytes);
    ck_assert_uint_eq(fx_unit_info(2).synced, 3);
    raffle_free(r);
    end();
}
END_TEST

/* --- an upload while a seal is made --- */

/* Keys that let somebody else in when the last unit's checkpoint is signed. */
typedef struct busy_keys {
    raffle_keys *inner;
    bool uploaded;
    const char *rival; /* the name of a unit that somebody else enrols while a key is made */
    unsigned made;
} busy_keys;

static raffle_rc busy_make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    busy_keys *busy = ctx;
    raffle_unit_options o;
    uint32_t number;
    busy->made++;
    if (busy->rival != NULL) {
        raffle_unit_options_init(&o, sizeof o);
        snprintf(o.name, sizeof o.name, "%s", busy->rival);
        busy->rival = NULL;
        FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    }
    return rf_keys_make(busy->inner, origin, name, err);
}

static raffle_rc busy_public_key(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    return rf_keys_public_key(((busy_keys *)ctx)->inner, origin, name, out, err);
}

static raffle_rc busy_ticket_key(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    return rf_keys_ticket_key(((busy_keys *)ctx)->inner, origin, out, err);
}

static raffle_rc busy_sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                           uint8_t out[64], raffle_error *err)
{
    busy_keys *busy = ctx;
    raffle_upload_info info;
    if (strcmp(name, "unit-3") == 0 && !busy->uploaded) {
        busy->uploaded = true;
        FX_OK(take(&info)); /* by another handle */
    }
    return rf_keys_sign(busy->inner, origin, name, message, length, out, err);
}

static raffle *open_with_busy_keys(busy_keys *busy)
{
    raffle_keys_table table;
    raffle_store *store = NULL;
    raffle_keys *keys = NULL;
    raffle *r = NULL;
    char uri[200];
    snprintf(uri, sizeof uri, "file:%s.keys", fx.path);
    FX_OK(raffle_keys_open(uri, NULL, &busy->inner, &fx.err));
    raffle_keys_table_init(&table, sizeof table);
    table.make = busy_make;
    table.public_key = busy_public_key;
    table.ticket_key = busy_ticket_key;
    table.sign = busy_sign;
    FX_OK(raffle_keys_new(&table, busy, &keys, &fx.err));
    FX_OK(raffle_store_open(fx.store, &fx.host, &store, &fx.err));
    FX_OK(raffle_open_with(store, keys, &fx.host, &r, &fx.err));
    raffle_keys_free(keys);
    raffle_store_free(store);
    return r;
}

/* What came in after the till's part was taken is in the seal that follows. */
START_TEST(an_upload_while_a_seal_is_made)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    busy_keys busy = {.uploaded = false};
    uint32_t number = 0;
    raffle_unit_options o;
    begin();
    make_till(&tent, true);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "gate");
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    ck_assert_uint_eq(number, 3);
    FX_OK(sell(&tent, "a", "ten"));
    (void)upload(&tent, 2);
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(raffle_unit_close(tent.unit, &fx_super, &fx.err));
    FX_OK(export(&tent, 2));
    raffle *r = open_with_busy_keys(&busy);
    FX_OK(raffle_seal(r, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert(busy.uploaded);
    ck_assert_uint_eq(seal.unreconciled, 0);
    ck_assert_uint_eq(seal.numbers, 30);
    raffle_free(r);
    raffle_keys_free(busy.inner);
    end();
}
END_TEST

START_TEST(two_tills_with_one_key)
{
    raffle_upload_info info;
    char path[100], copy[100], challenge[RAFFLE_CHALLENGE_SIZE];
    till clone = {.raffle = NULL};
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    drop_till(&tent);
    snprintf(path, sizeof path, "%s/tent-2.raffle", fx.folder);
    snprintf(copy, sizeof copy, "%s/clone.raffle", fx.folder);
    fx_copy(path, copy, false);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s", path);
    snprintf(clone.store, sizeof clone.store, "sqlite:%s", copy);
    snprintf(tent.keys, sizeof tent.keys, "file:%s/tent-2.keys", fx.folder);
    memcpy(clone.keys, tent.keys, sizeof clone.keys);
    reopen_till(&tent, 2);
    reopen_till(&clone, 2);
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(sell(&clone, "c", "one"));
    FX_OK(raffle_unit_challenge(fx.raffle, 2, challenge, &fx.err));
    empty(&box);
    FX_OK(raffle_unit_export(tent.unit, challenge, pack, &box, &fx.err));
    FX_OK(take(&info));
    empty(&box);
    FX_OK(raffle_unit_export(clone.unit, challenge, pack, &box, &fx.err));
    FX_FAILS(RAFFLE_HISTORY, take(&info));
    fx_said("differ at record 2");
    ck_assert_int_eq(fx_unit_info(2).enabled, 0);
    ck_assert_uint_eq(fx_size(2), 3);
    const uint64_t control = fx_size(0);
    FX_FAILS(RAFFLE_HISTORY, take(&info)); /* again: it is disabled already, and this is kept, too */
    ck_assert_uint_eq(fx_size(0), control + 1);
    FX_OK(export(&tent, 2));
    FX_FAILS(RAFFLE_DISABLED, take(&info));
    FX_FAILS(RAFFLE_HISTORY, export(&clone, 2)); /* the challenge says what the raffle has */
    FX_FAILS(RAFFLE_HISTORY, sell(&clone, "d", "one"));
    reopen_till(&clone, 2);
    FX_FAILS(RAFFLE_HISTORY, sell(&clone, "d", "one"));
    drop_till(&clone);
    end();
}
END_TEST

START_TEST(a_till_restored_from_an_older_copy)
{
    char path[100], copy[100];
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    drop_till(&tent);
    snprintf(path, sizeof path, "%s/tent-2.raffle", fx.folder);
    snprintf(copy, sizeof copy, "%s/old.raffle", fx.folder);
    fx_copy(path, copy, false);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s", path);
    snprintf(tent.keys, sizeof tent.keys, "file:%s/tent-2.keys", fx.folder);
    reopen_till(&tent, 2);
    FX_OK(sell(&tent, "b", "one"));
    (void)upload(&tent, 2);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s", copy);
    reopen_till(&tent, 2);
    FX_FAILS(RAFFLE_HISTORY, export(&tent, 2));
    FX_FAILS(RAFFLE_HISTORY, sell(&tent, "c", "one"));
    end();
}
END_TEST

/* --- what a till with our keys and another program may send --- */

typedef struct forgery {
    raffle_keys *keys;
    rf_range range;
    rf_sha256 *hash;
    char *bytes; /* leaves, one after the other */
    size_t length;
    uint64_t n;
} forgery;

static void forge(forgery *f, rf_record r)
{
    uint8_t leaf_hash[32];
    r.has |= rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N);
    char *leaf = f->bytes + f->length;
    const size_t n = rf_record_encode(&r, leaf, 1024);
    ck_assert_uint_gt(n, 0);
    rf_leaf_hash(f->hash, leaf_hash, leaf, n);
    rf_range_push(f->hash, &f->range, leaf_hash, NULL, NULL);
    f->length += n;
    f->bytes[f->length++] = '\0';
    f->n++;
}

static raffle_rc sign_forgery(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64],
                              raffle_error *err)
{
    return rf_keys_sign(((forgery *)ctx)->keys, "raffle.example/fixture", "unit-2", message, length, signature, err);
}

static void begin_forgery(forgery *f, uint64_t records)
{
    *f = (forgery){.hash = rf_sha256_new(), .bytes = malloc((records + 4) * 1024)};
    rf_range_init(&f->range);
    FX_OK(raffle_keys_open(tent.keys, NULL, &f->keys, &fx.err));
}

static rf_record forged_start(void)
{
    rf_record r = {.type = RF_UNIT_START,
                   .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_OPEN),
                   .at = FX_NOW,
                   .by = RAFFLE_SELLER,
                   .n = 1,
                   .unit = 2};
    memcpy(r.open, fx_info().rules_hash, 32);
    return r;
}

static rf_record forged_sale(int64_t n, int64_t at)
{
    return (rf_record){.type = RF_SALE,
                       .has = rf_bit(RF_F_COUNT) | rf_bit(RF_F_PRICE) | rf_bit(RF_F_TIER),
                       .at = at,
                       .by = RAFFLE_SELLER,
                       .n = n,
                       .count = 1,
                       .price = 500,
                       .tier = rf_text_of("one")};
}

static rf_record forged_event(int64_t n)
{
    return (rf_record){.type = RF_EVENT,
                       .has = rf_bit(RF_F_CODE),
                       .at = FX_NOW,
                       .by = RAFFLE_SUPERVISOR,
                       .n = n,
                       .code = rf_text_of("x.a")};
}

static raffle_rc put_forgery(rf_stream_writer *w, const forgery *f)
{
    const char *leaf = f->bytes;
    raffle_rc rc = RAFFLE_OK;
    for (uint64_t i = 0; rc == RAFFLE_OK && i < f->n; i++, leaf += strlen(leaf) + 1) {
        const raffle_record record = {.leaf = leaf, .leaf_length = (uint32_t)strlen(leaf)};
        rc = rf_stream_record(w, &record, &fx.err);
    }
    return rc;
}

/* Signs and sends it, rightly in every respect but what the records say. */
static raffle_rc send_forgery(forgery *f)
{
    char text[RF_CHECKPOINT_TEXT_MAX], note[1024];
    uint8_t root[32], signature[64];
    rf_stream_writer w = {0};
    rf_vkey vkey;
    rf_stream s = {.kind = RF_STREAM_UPLOAD, .unit = 2, .log = 2, .to = f->n};
    raffle_upload_info info;
    const raffle_unit_info unit = fx_unit_info(2);
    FX_OK(rf_vkey_parse(&vkey, unit.key, strlen(unit.key), &fx.err));
    strcpy(s.origin, "raffle.example/fixture");
    FX_OK(raffle_unit_challenge(fx.raffle, 2, s.challenge, &fx.err));
    rf_range_root(f->hash, &f->range, root);
    const size_t n = rf_checkpoint_format(text, sizeof text, vkey.name, f->n, root);
    FX_OK(sign_forgery(f, (const uint8_t *)text, n, signature, &fx.err));
    const size_t length = rf_note_format(note, sizeof note, text, n, &vkey, signature);
    empty(&box);
    FX_OK(rf_stream_begin(&w, &s, pack, &box, &fx.err));
    FX_OK(put_forgery(&w, f));
    FX_OK(rf_stream_finish(&w, note, length, sign_forgery, f, &fx.err));
    rf_stream_end(&w);
    raffle_keys_free(f->keys);
    rf_sha256_free(f->hash);
    free(f->bytes);
    return take(&info);
}

START_TEST(records_that_another_program_made)
{
    forgery f;
    begin();
    make_till(&tent, true);
    begin_forgery(&f, 3); /* a draw number is left out */
    forge(&f, forged_start());
    forge(&f, forged_sale(1, FX_NOW));
    forge(&f, forged_sale(3, FX_NOW));
    FX_REFUSED(RAFFLE_CORRUPT, send_forgery(&f));
    fx_said("record 2 of the upload");
    begin_forgery(&f, 3); /* its clock went back */
    forge(&f, forged_start());
    forge(&f, forged_sale(1, FX_NOW));
    forge(&f, forged_sale(2, FX_NOW - 1));
    FX_REFUSED(RAFFLE_CLOCK, send_forgery(&f));
    begin_forgery(&f, 1); /* of another raffle */
    rf_record start = forged_start();
    start.open[0] ^= 1;
    forge(&f, start);
    FX_REFUSED(RAFFLE_MISMATCH, send_forgery(&f));
    begin_forgery(&f, 2); /* after the sales had ended */
    forge(&f, forged_start());
    forge(&f, forged_sale(1, FX_NOW + 12 * FX_HOUR));
    FX_REFUSED(RAFFLE_WINDOW, send_forgery(&f));
    begin_forgery(&f, 60); /* more than it may */
    forge(&f, forged_start());
    for (int64_t i = 1; i <= 51; i++)
        forge(&f, forged_sale(i, FX_NOW));
    FX_REFUSED(RAFFLE_QUOTA, send_forgery(&f));
    begin_forgery(&f, 100002); /* no end of events */
    forge(&f, forged_start());
    for (int i = 0; i <= 100000; i++)
        forge(&f, forged_event(1));
    FX_REFUSED(RAFFLE_LIMIT, send_forgery(&f));
    begin_forgery(&f, 2); /* and one that is as it should be */
    forge(&f, forged_start());
    forge(&f, forged_sale(1, FX_NOW));
    FX_OK(send_forgery(&f));
    end();
}
END_TEST

/* --- a log full of events --- */

typedef struct filling {
    rf_unit *unit;
    rf_sha256 *hash;
    uint64_t events;
    char private_part[64];
} filling;

static raffle_rc fill(void *ctx, rf_txn *txn, raffle_error *err)
{
    static const char part[] = "{\"actor\":\"ann\",\"salt\":\"00000000000000000000000000000000\"}";
    filling *f = ctx;
    raffle_rc rc = RAFFLE_OK;
    for (uint64_t i = 0; rc == RAFFLE_OK && i < f->events; i++) {
        rf_record r = forged_event((int64_t)f->unit->state.next);
        r.has |= rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N);
        rf_sha256_of(f->hash, r.p, part, sizeof part - 1);
        rc = rf_unit_add(f->unit, txn, &r, part, sizeof part - 1, err);
    }
    return rc;
}

/* Many at once, as no call of a host's can. */
static void write_events(rf_unit *unit, uint64_t events)
{
    filling f = {.unit = unit, .hash = rf_sha256_new(), .events = events};
    rf_request request = {.build = fill, .ctx = &f, .timeout_ms = 60000};
    FX_OK(rf_log_append(unit->log, &request, &fx.err));
    rf_sha256_free(f.hash);
}

static raffle_event_hit newest;

static raffle_rc keep_hit(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)ctx;
    (void)err;
    newest = *hit;
    return RAFFLE_OK;
}

static void expect_newest(const char *code)
{
    raffle_event_query query = RAFFLE_EVENT_QUERY_INIT;
    query.flags = RAFFLE_EVENT_NEWEST;
    query.limit = 1;
    FX_OK(raffle_event_find(tent.raffle, &query, keep_hit, NULL, NULL, &fx.err));
    ck_assert_str_eq(newest.code, code);
}

static raffle_rc till_event(const char *code, const char *text)
{
    return raffle_event(tent.raffle, &fx_boss, 2, code, NULL, text, &fx.err);
}

START_TEST(the_last_event_says_that_there_is_no_room)
{
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    write_events(tent.unit->unit, 99898);
    FX_OK(till_event("x.a", NULL));
    FX_FAILS(RAFFLE_LIMIT, till_event("x.b", "lost"));
    expect_newest("evbuf.full");
    ck_assert_str_eq(newest.text, "");
    FX_FAILS(RAFFLE_LIMIT, till_event("x.c", NULL));
    expect_newest("evbuf.full");
    for (int i = 0; i < 100; i++)
        FX_OK(till_event("clock.reset", NULL));
    FX_FAILS(RAFFLE_LIMIT, till_event("clock.reset", NULL));
    FX_OK(sell(&tent, "b", "ten"));
    const raffle_upload_info info = upload(&tent, 2);
    ck_assert_uint_eq(info.numbers, 20);
    end();
}
END_TEST

START_TEST(what_a_person_must_decide)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 2, 5, &fx.err)); /* the till does not know */
    FX_REFUSED(RAFFLE_QUOTA, take(&info));
    FX_OK(raffle_unit_quota(fx.raffle, &fx_boss, 2, 50, &fx.err));
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 2, "lost", &fx.err));
    FX_REFUSED(RAFFLE_DISABLED, take(&info));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_upload(fx.raffle, &fx_seller, box.bytes, box.length, NULL, &fx.err));
    FX_OK(raffle_unit_upload(fx.raffle, &fx_system, box.bytes, box.length, NULL, &fx.err));
    fx.now += FX_HOUR;
    reopen_till(&tent, 2);
    FX_OK(sell(&tent, "b", "ten"));
    fx.now -= FX_HOUR;
    FX_OK(export(&tent, 2));
    FX_REFUSED(RAFFLE_CLOCK, take(&info));
    end();
}
END_TEST

START_TEST(a_ticket_taken_back_on_both_sides)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    (void)upload(&tent, 2);
    FX_OK(raffle_unit_disable(fx.raffle, &fx_boss, 2, "lost", &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 2, 1, "refund", &fx.err));
    FX_OK(raffle_void(tent.raffle, &fx_super, 2, 1, "refund", &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_OK(export(&tent, 2));
    FX_REFUSED(RAFFLE_VOIDED, take(&info));
    end();
}
END_TEST

/* A till takes back what has won the early draw: not before the place is lost. */
START_TEST(a_winner_taken_back_at_the_till)
{
    raffle_upload_info info;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    make_till(&tent, true);
    for (int i = 0; i < 5; i++) {
        char order[8];
        snprintf(order, sizeof order, "a%d", i);
        FX_OK(sell(&tent, order, "ten"));
    }
    (void)upload(&tent, 2);
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, seal.index, &fx.err));
    fx_draw("bird");
    const raffle_pick winner = fx_pick("bird", 1);
    ck_assert_uint_eq(winner.unit, 2);
    FX_OK(raffle_void(tent.raffle, &fx_super, 2, winner.serial, "refund", &fx.err)); /* it knows of no draw */
    FX_OK(export(&tent, 2));
    FX_REFUSED(RAFFLE_DRAWN, take(&info));
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_chief, "bird", 1, "refunded", NULL, &fx.err));
    FX_OK(take(&info));
    ck_assert_uint_eq(info.taken, 1);
    fx.spoilt = true; /* a draw from an early seal without all sales: completeness */
    ck_assert_uint_eq(fx_faults(), 1);
    end();
}
END_TEST

/* A kit that was altered, and its hash made right again, leaves nothing behind. */
START_TEST(a_kit_that_somebody_altered)
{
    raffle *out = NULL;
    char store[160], folder[160];
    begin();
    make_till(&tent, true);
    empty(&box);
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, &box, &fx.err));
    snprintf(store, sizeof store, "sqlite:%s/x.raffle", fx.folder);
    snprintf(folder, sizeof folder, "%s/tent-2.keys/ticket-2.key", fx.folder);
    ck_assert_int_eq(remove(folder), 0);
    for (size_t i = 0; i < box.length - 70; i += 5) {
        box.bytes[i] ^= 1;
        seal_box();
        ck_assert_int_ne(raffle_unit_install(store, tent.keys, NULL, box.bytes, box.length, NULL, &out, &fx.err),
                         RAFFLE_OK);
        box.bytes[i] ^= 1;
        FILE *kept = fopen(folder, "rb");
        ck_assert_msg(kept == NULL, "after byte %zu a key is kept", i);
    }
    ck_assert_ptr_null(out);
    seal_box();
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_OK(raffle_unit_install(store, tent.keys, &fx.host, box.bytes, box.length, NULL, &out, &fx.err));
    raffle_free(out);
    end();
}
END_TEST

START_TEST(kits_and_news_of_others)
{
    raffle *out = NULL;
    char store[160], keys[160];
    begin();
    make_till(&tent, true);
    snprintf(store, sizeof store, "sqlite:%s/x.raffle", fx.folder);
    snprintf(keys, sizeof keys, "file:%s/x.keys", fx.folder);
    empty(&box);
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, &box, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_unit_install(store, keys, NULL, box.bytes, box.length, NULL, &out, &fx.err));
    FX_FAILS(RAFFLE_EXISTS,
             raffle_unit_install(tent.store, tent.keys, NULL, box.bytes, box.length, NULL, &out, &fx.err));
    FX_FAILS(RAFFLE_KEY,
             raffle_unit_install(store, tent.keys, NULL, box.bytes, box.length, "other+key", &out, &fx.err));
    FX_FAILS(RAFFLE_MISMATCH, raffle_unit_update(tent.raffle, box.bytes, box.length, &fx.err)); /* a kit, no news */
    for (size_t i = 0; i < box.length; i += 7) {
        box.bytes[i] ^= 1;
        ck_assert_int_ne(raffle_unit_install(store, tent.keys, NULL, box.bytes, box.length, NULL, &out, &fx.err),
                         RAFFLE_OK);
        box.bytes[i] ^= 1;
    }
    ck_assert_ptr_null(out);
    FX_FAILS(RAFFLE_INVALID, raffle_unit_update(fx.raffle, box.bytes, box.length, &fx.err)); /* no till */
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_unit_news(fx.raffle, 2, 1000, pack, &box, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.b", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_SEQUENCE, inform(&tent, 2, fx_size(0))); /* a gap */
    FX_OK(inform(&tent, 2, 0));
    FX_OK(inform(&tent, 2, 0));
    end();
}
END_TEST

/* Its disk died, its key did not, and a kit of today makes its store anew: the control log in it knows of records that are not here. */
START_TEST(a_till_made_anew_after_an_upload)
{
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    (void)upload(&tent, 2);
    drop_till(&tent);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s/anew.raffle", fx.folder);
    snprintf(tent.keys, sizeof tent.keys, "file:%s/tent-2.keys", fx.folder);
    empty(&box);
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, &box, &fx.err));
    FX_OK(raffle_unit_install(tent.store, tent.keys, &fx.host, box.bytes, box.length, NULL, &tent.raffle, &fx.err));
    FX_OK(raffle_unit_open(tent.raffle, 2, &tent.unit, &fx.err));
    FX_FAILS(RAFFLE_HISTORY, sell(&tent, "b", "one"));
    FX_FAILS(RAFFLE_HISTORY, raffle_unit_close(tent.unit, &fx_super, &fx.err));
    ck_assert_uint_eq(fx_unit_info(2).enabled, 1);
    end();
}
END_TEST

/* The same of a copy that hears the news while it is open. */
START_TEST(a_restored_till_that_hears_of_its_upload)
{
    char path[100], copy[100];
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    drop_till(&tent);
    snprintf(path, sizeof path, "%s/tent-2.raffle", fx.folder);
    snprintf(copy, sizeof copy, "%s/old.raffle", fx.folder);
    fx_copy(path, copy, false);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s", path);
    snprintf(tent.keys, sizeof tent.keys, "file:%s/tent-2.keys", fx.folder);
    reopen_till(&tent, 2);
    FX_OK(sell(&tent, "b", "one"));
    (void)upload(&tent, 2);
    snprintf(tent.store, sizeof tent.store, "sqlite:%s", copy);
    reopen_till(&tent, 2);
    FX_OK(inform(&tent, 2, 0));
    FX_FAILS(RAFFLE_HISTORY, sell(&tent, "c", "one"));
    reopen_till(&tent, 2);
    FX_FAILS(RAFFLE_HISTORY, sell(&tent, "c", "one"));
    end();
}
END_TEST

/* What decayed at the raffle accuses no till. */
START_TEST(a_row_that_decayed_here)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(export(&tent, 2));
    FX_OK(take(&info));
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '\"price\":2000', '\"price\":2001') WHERE id = %lld",
           (2LL << 40) + 1);
    FX_FAILS(RAFFLE_CORRUPT, take(&info));
    ck_assert_int_eq(fx_unit_info(2).enabled, 1);
    ck_assert_int_eq(fx_unit_info(2).halted, 1);
    FX_FAILS(RAFFLE_HALTED, take(&info));
    fx.spoilt = true;
    end();
}
END_TEST

/* A till whose rows decayed at the raffle does not keep the raffle from its draw: two take what is whole of it, and say so. */
START_TEST(a_seal_without_what_decayed_here)
{
    raffle_upload_info info;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    begin();
    make_till(&tent, true);
    fx_sell("here", "one");
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    FX_OK(take(&info));
    FX_OK(sell(&tent, "b", "ten"));
    FX_OK(sell(&tent, "c", "one"));
    FX_OK(export(&tent, 2));
    FX_OK(take(&info));
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '\"price\":2000', '\"price\":2001') WHERE id = %lld",
           (2LL << 40) + 2);
    FX_FAILS(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 1);
    ck_assert_uint_eq(seal.tickets, 3); /* the two that were sold here, and what the first upload brought */
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, seal.index, &fx.err));
    fx.spoilt = true;
    end();
}
END_TEST

START_TEST(a_seal_without_anything_that_is_whole)
{
    raffle_upload_info info;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    begin();
    make_till(&tent, true);
    fx_sell("here", "one");
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(export(&tent, 2));
    FX_OK(take(&info));
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '\"price\":2000', '\"price\":2001') WHERE id = %lld",
           (2LL << 40) + 1);
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_chief, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 1);
    ck_assert_uint_eq(seal.tickets, 2); /* those that were sold here */
    fx.spoilt = true;
    end();
}
END_TEST

/* Another process took the upload: this one's handle has not seen its rows. */
START_TEST(a_seal_after_an_upload_by_another)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_upload_info info = RAFFLE_UPLOAD_INFO_INIT;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "ten"));
    FX_OK(raffle_unit_close(tent.unit, &fx_super, &fx.err));
    FX_OK(export(&tent, 2));
    raffle *r = fx_another();
    ck_assert_uint_eq(fx_unit_info(2).size, 0);
    FX_OK(raffle_unit_upload(r, &fx_boss, box.bytes, box.length, &info, &fx.err));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 0);
    raffle_free(r);
    end();
}
END_TEST

START_TEST(a_till_that_uploaded_stays_enrolled)
{
    begin();
    make_till(&tent, true);
    FX_OK(raffle_event(tent.raffle, &fx_super, 2, "printer.paper-out", NULL, NULL, &fx.err));
    (void)upload(&tent, 2); /* it sold nothing yet */
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
    fx_said("unit 2 has uploaded records");
    FX_OK(inform(&tent, 2, 0));
    FX_OK(sell(&tent, "a", "one"));
    end();
}
END_TEST

/* Nobody at the raffle can know that it sold: it can still be opened, and its tickets be taken back. */
START_TEST(a_till_that_was_unenrolled)
{
    raffle_upload_info info;
    begin();
    make_till(&tent, true);
    FX_OK(sell(&tent, "a", "one"));
    FX_OK(raffle_unit_unenrol(fx.raffle, &fx_boss, 2, &fx.err));
    FX_OK(inform(&tent, 2, 0));
    FX_FAILS(RAFFLE_DISABLED, sell(&tent, "b", "one"));
    reopen_till(&tent, 2);
    FX_FAILS(RAFFLE_DISABLED, sell(&tent, "b", "one"));
    FX_OK(raffle_void(tent.raffle, &fx_super, 2, 1, "refund", &fx.err));
    FX_OK(export(&tent, 2));
    FX_REFUSED(RAFFLE_DISABLED, take(&info));
    fx_said("was un-enrolled for good");
    FX_REFUSED(RAFFLE_UNRECONCILED, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, NULL, &fx.err));
    end();
}
END_TEST

/* A kit that is refused leaves no file. */
START_TEST(a_refused_kit_leaves_no_store)
{
    raffle *out = NULL;
    char store[160], path[100];
    begin();
    make_till(&tent, true);
    snprintf(path, sizeof path, "%s/refused.raffle", fx.folder);
    snprintf(store, sizeof store, "sqlite:%s", path);
    FX_FAILS(RAFFLE_CORRUPT, raffle_unit_install(store, tent.keys, NULL, "no kit", 6, NULL, &out, &fx.err));
    ck_assert_int_ne(access(path, F_OK), 0);
    end();
}
END_TEST

/* The other one's unit has the name: a call that is repeated, or made by two, enrols one. */
START_TEST(two_enrol_under_one_name)
{
    busy_keys busy = {.rival = "gate"};
    uint32_t number = 0;
    raffle_unit_options o;
    begin();
    raffle *r = open_with_busy_keys(&busy);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "gate");
    FX_FAILS(RAFFLE_EXISTS, raffle_unit_enrol(r, &fx_boss, &o, &number, &fx.err));
    ck_assert_uint_eq(number, 2);
    ck_assert_uint_eq(fx_info().units, 2);
    raffle_free(r);
    raffle_keys_free(busy.inner);
    end();
}
END_TEST

/* Who may not enrol makes no key either. */
START_TEST(a_refused_enrolment_makes_no_key)
{
    busy_keys busy = {.made = 0};
    uint32_t number = 0;
    raffle_unit_options o;
    begin();
    raffle *r = open_with_busy_keys(&busy);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "gate");
    FX_REFUSED(RAFFLE_ROLE, raffle_unit_enrol(r, &fx_seller, &o, &number, &fx.err));
    ck_assert_uint_eq(busy.made, 0);
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_REFUSED(RAFFLE_CLOSED, raffle_unit_enrol(r, &fx_boss, &o, &number, &fx.err));
    ck_assert_uint_eq(busy.made, 0);
    raffle_free(r);
    raffle_keys_free(busy.inner);
    end();
}
END_TEST

static void count_release(void *ctx)
{
    (*(unsigned *)ctx)++;
}

/* The host's ctx is the library's when the call succeeds, and is released once then. */
START_TEST(a_refused_application_releases_no_host)
{
    unsigned released = 0;
    raffle_host host = RAFFLE_HOST_INIT;
    char keys[128], key[RAFFLE_VKEY_SIZE] = "k", proof[RAFFLE_PROOF_SIZE] = "p";
    host.ctx = &released;
    host.release = count_release;
    snprintf(keys, sizeof keys, "file:%s/tent.keys", fx.folder);
    FX_FAILS(RAFFLE_INVALID, raffle_unit_apply(keys, &host, "raffle.example/fixture", 0, key, proof, &fx.err));
    ck_assert_uint_eq(released, 0);
    ck_assert_str_eq(key, "k");
    ck_assert_str_eq(proof, "p");
    FX_OK(raffle_unit_apply(keys, &host, "raffle.example/fixture", 2, key, proof, &fx.err));
    ck_assert_uint_eq(released, 1);
}
END_TEST

FX_MAIN("raffle_till", from_the_application_to_the_draw, a_ticket_of_the_till_is_known_at_the_raffle,
        each_side_writes_its_own, an_application_that_is_none, a_till_halts_at_its_quota_and_its_hours,
        a_till_that_hears_nothing_stops, the_same_upload_again, every_byte_of_an_upload,
        every_byte_of_an_upload_under_its_hash, a_private_part_taken_out_on_the_way, challenges,
        an_order_that_was_sold_twice, a_seal_without_a_till, an_older_upload_after_a_newer, uploads_that_cross,
        an_upload_while_a_seal_is_made, two_tills_with_one_key, a_till_restored_from_an_older_copy,
        records_that_another_program_made, the_last_event_says_that_there_is_no_room, what_a_person_must_decide,
        a_ticket_taken_back_on_both_sides, kits_and_news_of_others, a_winner_taken_back_at_the_till,
        a_kit_that_somebody_altered, a_till_made_anew_after_an_upload, a_restored_till_that_hears_of_its_upload,
        a_row_that_decayed_here, a_seal_without_what_decayed_here, a_seal_without_anything_that_is_whole,
        a_seal_after_an_upload_by_another, a_till_that_was_unenrolled, a_till_that_uploaded_stays_enrolled,
        a_refused_kit_leaves_no_store, two_enrol_under_one_name, a_refused_enrolment_makes_no_key,
        a_refused_application_releases_no_host)
