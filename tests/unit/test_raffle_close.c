/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of units' closes: at the unit, after the final seal, of a till that uploaded; and that no byte of one can be another. */
#include "fixture.h"

#include "merkle.h"
#include "receipt_text.h"
#include <raffle/till.h>
#include <sodium.h>

#define TWO_UNITS FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}"

static char text[RAFFLE_RECEIPT_MAX + 2];
static size_t length;
static char key[RAFFLE_VKEY_SIZE];
static raffle_unit_close_info info;

static raffle_rc make(raffle *of, uint32_t unit)
{
    return raffle_unit_close_receipt(of, unit, text, sizeof text, &length, &fx.err);
}

static raffle_rc verify(void)
{
    info = (raffle_unit_close_info)RAFFLE_UNIT_CLOSE_INFO_INIT;
    return raffle_unit_close_verify(text, length, key, &info, &fx.err);
}

static void take_key(uint32_t unit)
{
    memcpy(key, fx_unit_info(unit).key, sizeof key);
}

/* Makes and verifies it, here or at a till; what it says is what the unit's state is. */
static void proves(raffle *of, uint32_t unit)
{
    raffle_unit_info state = RAFFLE_UNIT_INFO_INIT;
    uint8_t root[32];
    FX_OK(make(of, unit));
    ck_assert_uint_eq(strlen(text), length);
    ck_assert_uint_le(length, RAFFLE_CLOSE_RECEIPT_MAX);
    FX_OK(raffle_unit_describe(of, unit, &state, &fx.err));
    memcpy(key, state.key, sizeof key);
    FX_OK(verify());
    FX_OK(raffle_root(of, unit, UINT64_MAX, NULL, root, &fx.err));
    ck_assert_str_eq(info.origin, "raffle.example/fixture");
    ck_assert_uint_eq(info.unit, unit);
    ck_assert_uint_eq(info.size, state.size);
    ck_assert_mem_eq(info.root, root, 32);
    ck_assert_uint_eq(info.tickets, state.tickets);
    ck_assert_uint_eq(info.numbers, state.numbers);
    ck_assert_int_eq(info.gross, state.gross);
    ck_assert_uint_eq(info.voids, state.voids);
    ck_assert_int_eq(info.void_gross, state.void_gross);
    ck_assert_int_eq(info.at, state.last_at);
}

static void close_unit(uint32_t number)
{
    raffle_unit *unit = fx_unit(number);
    FX_OK(raffle_unit_close(unit, &fx_super, &fx.err));
    raffle_unit_free(unit);
}

/* A unit of three tickets, one of them void, that is closed. */
static void closed(void)
{
    fx_create(TWO_UNITS);
    fx_sell("a", "ten");
    fx_sell("b", "one");
    fx_sell("c", "free");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "refund", &fx.err));
    fx.now += 5000;
    close_unit(1);
    proves(fx.raffle, 1);
}

START_TEST(what_the_unit_sold)
{
    closed();
    ck_assert_uint_eq(info.size, 6);
    ck_assert_uint_eq(info.tickets, 3);
    ck_assert_uint_eq(info.numbers, 14);
    ck_assert_int_eq(info.gross, 2500);
    ck_assert_uint_eq(info.voids, 1);
    ck_assert_uint_eq(info.void_numbers, 10);
    ck_assert_int_eq(info.void_gross, 2000);
    ck_assert_int_eq(info.at, FX_NOW + 5000);
}
END_TEST

START_TEST(the_same_each_time)
{
    char first[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    closed();
    memcpy(first, text, length + 1);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "refund", &fx.err)); /* in the control log */
    proves(fx.raffle, 1);
    ck_assert_str_eq(text, first);
    ck_assert_uint_eq(info.voids, 1);
    fx_seal(RAFFLE_SEAL_FINAL);
    proves(fx.raffle, 1);
    ck_assert_str_eq(text, first);
}
END_TEST

START_TEST(the_final_seal_closes_and_keeps_a_checkpoint)
{
    raffle *reader = NULL;
    fx_create(TWO_UNITS);
    fx_sell_many(fx.unit, "one", 20);
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    proves(reader, 1);
    ck_assert_uint_eq(info.tickets, 20);
    proves(reader, 2); /* which never sold */
    ck_assert_uint_eq(info.size, 2);
    ck_assert_uint_eq(info.tickets, 0);
    raffle_free(reader);
}
END_TEST

START_TEST(at_the_edges_of_the_tree)
{
    static const size_t sales[] = {1, 2, 3, 6, 7, 254, 255};
    fx_create(FX_RULES);
    for (uint32_t i = 0; i < sizeof sales / sizeof *sales; i++) {
        raffle_unit_options o;
        uint32_t number;
        raffle_unit_options_init(&o, sizeof o);
        snprintf(o.name, sizeof o.name, "edge %u", i);
        FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
        FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
        raffle_unit *unit = fx_unit(number);
        fx_sell_many(unit, "one", sales[i]);
        raffle_unit_free(unit);
        close_unit(number);
        proves(fx.raffle, number);
        ck_assert_uint_eq(info.size, sales[i] + 2);
    }
}
END_TEST

START_TEST(refusals)
{
    raffle *reader = NULL;
    char small[16];
    size_t again = 0;
    fx_create(TWO_UNITS);
    fx_sell("a", "ten");
    FX_REFUSED(RAFFLE_SEQUENCE, make(fx.raffle, 1));
    fx_said("unit 1 is not closed");
    FX_REFUSED(RAFFLE_SEQUENCE, make(fx.raffle, 2));
    FX_REFUSED(RAFFLE_NOT_FOUND, make(fx.raffle, 3));
    FX_REFUSED(RAFFLE_NOT_FOUND, make(fx.raffle, 0));
    close_unit(1);
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    FX_FAILS(RAFFLE_KEY, make(reader, 1));
    fx_said("without keys");
    proves(fx.raffle, 1);
    FX_OK(raffle_unit_close_receipt(reader, 1, text, sizeof text, &again, &fx.err)); /* under what is kept now */
    raffle_free(reader);
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_unit_close_receipt(fx.raffle, 1, small, sizeof small, &length, &fx.err));
    ck_assert_uint_eq(length, again);
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_unit_close_receipt(fx.raffle, 1, NULL, 0, &length, &fx.err));
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_unit_close_receipt(fx.raffle, 1, text, again, &length, &fx.err));
    FX_OK(raffle_unit_close_receipt(fx.raffle, 1, text, again + 1, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_receipt(fx.raffle, 1, NULL, 4, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_receipt(fx.raffle, 1, text, sizeof text, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_receipt(NULL, 1, text, sizeof text, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_verify(NULL, 0, key, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_verify(text, length, NULL, NULL, &fx.err));
    info.struct_size = 0;
    FX_FAILS(RAFFLE_MISUSE, raffle_unit_close_verify(text, length, key, &info, &fx.err));
    FX_OK(raffle_unit_close_verify(text, length, key, NULL, &fx.err));
}
END_TEST

/* The checkpoint was signed over other records than are there now. */
START_TEST(a_store_that_does_not_bear_it_out)
{
    closed();
    fx.spoilt = true;
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '\"gross\":2500', '\"gross\":2000') WHERE id = %lld",
           (1LL << 40) + 5);
    FX_FAILS(RAFFLE_PROOF, make(fx.raffle, 1));
    fx_said("the proof of the unit.close does not hold");
    fx_sql(1, "UPDATE record SET leaf = '{}' WHERE id = %lld", (1LL << 40) + 5);
    FX_FAILS(RAFFLE_PROOF, make(fx.raffle, 1));
}
END_TEST

/* --- a till elsewhere --- */

typedef struct parcel {
    char bytes[65536];
    size_t length;
} parcel;

static parcel box;

static raffle_rc pack(void *ctx, const char *bytes, size_t n, raffle_error *err)
{
    parcel *p = ctx;
    (void)err;
    ck_assert_uint_le(n, sizeof p->bytes - p->length);
    memcpy(p->bytes + p->length, bytes, n);
    p->length += n;
    return RAFFLE_OK;
}

static raffle *make_till(void)
{
    char store[120], keys[120];
    raffle_unit_options o;
    raffle *till = NULL;
    uint32_t number;
    snprintf(store, sizeof store, "sqlite:%s/tent.raffle", fx.folder);
    snprintf(keys, sizeof keys, "file:%s/tent.keys", fx.folder);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "tent");
    o.quota = 50;
    o.away = 1;
    FX_OK(raffle_unit_apply(keys, NULL, "raffle.example/fixture", 2, o.key, o.proof, &fx.err));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
    box.length = 0;
    FX_OK(raffle_unit_kit(fx.raffle, number, pack, &box, &fx.err));
    FX_OK(raffle_unit_install(store, keys, &fx.host, box.bytes, box.length, NULL, &till, &fx.err));
    return till;
}

static void upload(raffle_unit *unit)
{
    char challenge[RAFFLE_CHALLENGE_SIZE];
    raffle_upload_info up;
    raffle_upload_info_init(&up, sizeof up);
    FX_OK(raffle_unit_challenge(fx.raffle, 2, challenge, &fx.err));
    box.length = 0;
    FX_OK(raffle_unit_export(unit, challenge, pack, &box, &fx.err));
    FX_OK(raffle_unit_upload(fx.raffle, &fx_boss, box.bytes, box.length, &up, &fx.err));
}

/* The same receipt on both sides: the raffle gives what the till signed. */
START_TEST(of_a_till_elsewhere)
{
    char there[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    raffle_unit *unit;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    fx_create(FX_RULES);
    raffle *till = make_till();
    FX_OK(raffle_unit_open(till, 2, &unit, &fx.err));
    raffle_sale sale = fx_line("a", "ten");
    FX_OK(raffle_unit_sell(unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err));
    upload(unit);
    FX_FAILS(RAFFLE_SEQUENCE, make(till, 2));
    FX_OK(raffle_unit_close(unit, &fx_super, &fx.err));
    FX_FAILS(RAFFLE_SEQUENCE, make(till, 1));
    proves(till, 2);
    memcpy(there, text, length + 1);
    FX_FAILS(RAFFLE_SEQUENCE, make(fx.raffle, 2)); /* the close is still at the till */
    upload(unit);
    proves(fx.raffle, 2);
    ck_assert_str_eq(text, there);
    ck_assert_uint_eq(info.numbers, 10);
    raffle_unit_free(unit);
    raffle_free(till);
    fx_seal(RAFFLE_SEAL_FINAL);
    proves(fx.raffle, 2);
    ck_assert_str_eq(text, there);
}
END_TEST

/* --- altered ones --- */

START_TEST(every_byte_counts)
{
    char good[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    closed();
    memcpy(good, text, length);
    const size_t n = length;
    for (size_t i = 0; i < n; i++) {
        for (int to = 0; to < 256; to++) {
            text[i] = (char)to;
            ck_assert_msg(text[i] == good[i] || verify() != RAFFLE_OK, "byte %zu, %d for '%c'", i, to, good[i]);
        }
        text[i] = good[i];
        memmove(text + i, good + i + 1, n - i - 1); /* left out */
        length = n - 1;
        ck_assert_msg(verify() != RAFFLE_OK, "without byte %zu", i);
        memcpy(text + i + 1, good + i, n - i); /* twice */
        text[i] = good[i];
        length = n + 1;
        ck_assert_msg(verify() != RAFFLE_OK, "byte %zu twice", i);
        memcpy(text, good, n);
        length = i; /* cut off */
        ck_assert_msg(verify() != RAFFLE_OK, "%zu bytes", i);
        length = n;
    }
    raffle_error_init(&fx.err, sizeof fx.err);
    FX_OK(verify());
}
END_TEST

/* Replaces `from` by `to`, verifies, which must fail so and say this, and puts the receipt back. */
static void altered(raffle_rc wanted, const char *words, const char *from, const char *to)
{
    char good[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    const size_t n = length;
    memcpy(good, text, n + 1);
    char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "\"%s\" is not there", from);
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
    length = strlen(text);
    FX_FAILS(wanted, verify());
    fx_said(words);
    memcpy(text, good, n + 1);
    length = n;
}

START_TEST(what_is_altered_is_named)
{
    closed();
    altered(RAFFLE_INVALID, "line 1", "tlog-proof@v1", "tlog-proof@v2");
    altered(RAFFLE_INVALID, "line 2", "extra ", "extra  ");
    altered(RAFFLE_INVALID, "line 3", "index 5", "index 05");
    altered(RAFFLE_PROOF, "the proof of the unit.close does not hold", "index 5", "index 4");
    altered(RAFFLE_PROOF, "is said to be at 6 of 6", "index 5", "index 6");
    altered(RAFFLE_SIGNATURE, "is wrong", "fixture/unit/1\n6\n", "fixture/unit/1\n7\n");
    altered(RAFFLE_SIGNATURE, "not signed by", "\xe2\x80\x94 raffle.example/fixture/unit/1 ",
            "\xe2\x80\x94 raffle.example/fixture/unit/2 ");
}
END_TEST

/* --- forged ones: the unit's own signatures, put together to say something else --- */

static uint8_t secret[64];
static rf_vkey signer;

/* A unit's key that we have. */
static void own_key(void)
{
    uint8_t public_key[32];
    ck_assert_int_eq(crypto_sign_keypair(public_key, secret), 0);
    FX_OK(rf_vkey_make(&signer, "raffle.example/forged/unit/7", RF_NOTE_ED25519, public_key, &fx.err));
    rf_vkey_format(&signer, key);
}

/* A log of `size` equal leaves, signed, of which `index` is shown, by its proof. */
static void forge(const char *origin, const char *leaf, uint64_t size, uint64_t index)
{
    static char note[RF_NOTE_MAX];
    static rf_receipt_part part;
    char head[RF_CHECKPOINT_TEXT_MAX];
    uint8_t node[3][32], signature[64];
    rf_sha256 *hash = rf_sha256_new();
    ck_assert_ptr_nonnull(hash);
    ck_assert(size <= 2);
    rf_leaf_hash(hash, node[0], leaf, strlen(leaf));
    rf_node_hash(hash, node[1], node[0], node[0]);
    rf_sha256_free(hash);
    const size_t n = rf_checkpoint_format(head, sizeof head, origin, size, node[size - 1]);
    crypto_sign_detached(signature, NULL, (const uint8_t *)head, n, secret);
    part.note = note;
    part.note_length = rf_note_format(note, sizeof note, head, n, &signer, signature);
    part.leaf = leaf;
    part.leaf_length = strlen(leaf);
    part.proof.index = index;
    part.proof.hashes = size - 1;
    memcpy(part.proof.hash[0], node[0], 32);
    length = rf_tlog_proof_write(&part, text, sizeof text);
    ck_assert_uint_gt(length, 0);
}

#define CLOSE(n, numbers, tickets, void_gross, void_numbers, voids)                                                    \
    "{\"at\":\"2026-11-21T20:00:00.000Z\",\"by\":\"manager\",\"gross\":500,\"n\":" n ",\"numbers\":" numbers           \
    ",\"p\":\"e685cf1a4b564348787527cbee7a3bb6326e9b67119394ea014eecec00b63815\",\"t\":\"unit.close\","                \
    "\"tickets\":" tickets ",\"void_gross\":" void_gross ",\"void_numbers\":" void_numbers ",\"voids\":" voids "}"

START_TEST(totals_that_cannot_be)
{
    static const char *const bad[] = {
        CLOSE("2", "0", "0", "0", "0", "0"),   CLOSE("1", "1", "0", "0", "0", "0"), CLOSE("1", "0", "1", "0", "0", "0"),
        CLOSE("1", "0", "0", "501", "0", "0"), CLOSE("1", "0", "0", "0", "1", "0"), CLOSE("1", "0", "0", "0", "0", "1"),
        CLOSE("2", "1", "1", "0", "0", "0")}; /* the last: no room for a sale between start and close */
    own_key();
    forge(signer.name, CLOSE("1", "0", "0", "0", "0", "0"), 2, 1);
    FX_OK(verify());
    ck_assert_str_eq(info.origin, "raffle.example/forged");
    ck_assert_uint_eq(info.unit, 7);
    ck_assert_int_eq(info.gross, 500);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        forge(signer.name, bad[i], 2, 1);
        FX_FAILS(RAFFLE_CORRUPT, verify());
        fx_said("cannot add up");
    }
    forge(signer.name, CLOSE("1", "0", "0", "0", "0", "0"), 1, 0);
    FX_FAILS(RAFFLE_CORRUPT, verify());
}
END_TEST

START_TEST(other_records_and_logs)
{
    own_key();
    forge(signer.name, CLOSE("1", "0", "0", "0", "0", "0"), 2, 0);
    FX_FAILS(RAFFLE_MISMATCH, verify());
    fx_said("not the last");
    forge("raffle.example/forged/unit/8", CLOSE("1", "0", "0", "0", "0", "0"), 2, 1);
    FX_FAILS(RAFFLE_MISMATCH, verify());
    fx_said("of another log");
    forge(signer.name, CLOSE("01", "0", "0", "0", "0", "0"), 2, 1);
    FX_FAILS(RAFFLE_CORRUPT, verify());
    forge(signer.name, "{\"at\":1,\"by\":\"manager\"}", 2, 1);
    FX_FAILS(RAFFLE_CORRUPT, verify());
}
END_TEST

START_TEST(a_close_that_is_a_sale)
{
    rf_receipt *receipt = malloc(sizeof *receipt);
    static char ticket[RAFFLE_RECEIPT_MAX + 1];
    ck_assert_ptr_nonnull(receipt);
    closed();
    FX_OK(raffle_receipt(fx.raffle, 1, 2, ticket, sizeof ticket, &length, &fx.err));
    FX_OK(rf_receipt_read(receipt, ticket, length, &fx.err));
    length = rf_tlog_proof_write(&receipt->sale, text, sizeof text);
    free(receipt);
    FX_FAILS(RAFFLE_MISMATCH, verify());
    fx_said("is a sale, not a unit.close");
}
END_TEST

/* What nothing vouches for is refused: lines behind it, somebody's signature beside the unit's. */
START_TEST(what_is_added_is_refused)
{
    closed();
    const size_t n = length;
    length += (size_t)snprintf(text + n, sizeof text - n, "\xe2\x80\x94 witness.example/w AAAAAAAA\n");
    FX_FAILS(RAFFLE_SIGNATURE, verify());
    fx_said("signatures of others");
    length = n + (size_t)snprintf(text + n, sizeof text - n, "part sale\n");
    FX_FAILS(RAFFLE_INVALID, verify());
    fx_said("one more than a proof has");
    length = n + (size_t)snprintf(text + n, sizeof text - n, "\n");
    FX_FAILS(RAFFLE_INVALID, verify());
}
END_TEST

START_TEST(hostile_input)
{
    char *bytes = malloc(RAFFLE_CLOSE_RECEIPT_MAX + 1);
    ck_assert_ptr_nonnull(bytes);
    closed();
    for (int fill = 0; fill < 256; fill++) {
        memset(bytes, fill, RAFFLE_CLOSE_RECEIPT_MAX + 1);
        FX_FAILS(RAFFLE_LIMIT, raffle_unit_close_verify(bytes, RAFFLE_CLOSE_RECEIPT_MAX + 1, key, NULL, &fx.err));
        FX_FAILS(RAFFLE_INVALID, raffle_unit_close_verify(bytes, RAFFLE_CLOSE_RECEIPT_MAX, key, NULL, &fx.err));
        for (size_t i = 0; i < length; i += 13) { /* a good beginning, and this for ever */
            memcpy(bytes, text, i);
            ck_assert_int_ne(raffle_unit_close_verify(bytes, RAFFLE_CLOSE_RECEIPT_MAX, key, NULL, &fx.err), RAFFLE_OK);
            memset(bytes, fill, i);
        }
    }
    FX_FAILS(RAFFLE_INVALID, raffle_unit_close_verify("", 0, key, NULL, &fx.err));
    free(bytes);
}
END_TEST

START_TEST(other_keys)
{
    raffle_info about = RAFFLE_INFO_INIT;
    closed();
    take_key(2);
    FX_FAILS(RAFFLE_SIGNATURE, verify());
    FX_OK(raffle_describe(fx.raffle, &about, &fx.err));
    memcpy(key, about.control_key, sizeof key);
    FX_FAILS(RAFFLE_INVALID, verify());
    fx_said("no unit's");
    strcpy(key, "x");
    FX_FAILS(RAFFLE_INVALID, verify());
    own_key();
    FX_FAILS(RAFFLE_SIGNATURE, verify());
}
END_TEST

FX_MAIN("close", what_the_unit_sold, the_same_each_time, the_final_seal_closes_and_keeps_a_checkpoint,
        at_the_edges_of_the_tree, refusals, a_store_that_does_not_bear_it_out, of_a_till_elsewhere, every_byte_counts,
        what_is_altered_is_named, totals_that_cannot_be, other_records_and_logs, a_close_that_is_a_sale,
        what_is_added_is_refused, hostile_input, other_keys)
