/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what they prove before and after seals, at every edge of the trees, and that no byte of one can be another. */
#include "fixture.h"

#include "merkle.h"
#include "receipt_text.h"
#include <raffle/receipt.h>
#include <sodium.h>

#define TWO_UNITS FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}"

static char text[RAFFLE_RECEIPT_MAX + 2];
static size_t length;
static char key[RAFFLE_VKEY_SIZE];
static raffle_receipt_info info;

/* The control log's public key, from its first record. */
static const char *control_key(void)
{
    char leaf[70000];
    fx_leaf(0, 0, leaf, sizeof leaf);
    const char *from = strstr(leaf, "\"key\":\"") + 7;
    snprintf(key, sizeof key, "%.*s", (int)strcspn(from, "\""), from);
    return key;
}

static raffle_rc make(uint32_t unit, uint64_t serial)
{
    return raffle_receipt(fx.raffle, unit, serial, text, sizeof text, &length, &fx.err);
}

static raffle_rc verify(void)
{
    info = (raffle_receipt_info)RAFFLE_RECEIPT_INFO_INIT;
    return raffle_receipt_verify(text, length, key, &info, &fx.err);
}

/* Makes and verifies a receipt, which must prove this. */
static void proves(uint32_t unit, uint64_t serial, int32_t wanted)
{
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    control_key();
    FX_OK(make(unit, serial));
    ck_assert_uint_eq(strlen(text), length);
    FX_OK(verify());
    FX_OK(raffle_ticket_get(fx.raffle, unit, serial, &ticket, &fx.err));
    ck_assert_int_eq(info.proves, wanted);
    ck_assert_str_eq(info.origin, "raffle.example/fixture");
    ck_assert_str_eq(info.tier, ticket.tier);
    ck_assert_uint_eq(info.unit, unit);
    ck_assert_uint_eq(info.serial, serial);
    ck_assert_uint_eq(info.first, ticket.first);
    ck_assert_uint_eq(info.count, ticket.count);
    ck_assert_int_eq(info.price, ticket.price);
    ck_assert_int_eq(info.at, ticket.at);
    ck_assert_uint_gt(info.unit_size, serial);
}

static void take_back(uint32_t unit, uint64_t serial)
{
    FX_OK(raffle_void(fx.raffle, &fx_super, unit, serial, "refund", &fx.err));
}

START_TEST(a_promise)
{
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    raffle_ticket ticket = fx_sell("b", "free");
    proves(1, ticket.serial, RAFFLE_RECEIPT_PROMISE);
    ck_assert_uint_eq(info.unit_size, 3);
    ck_assert_int_eq(info.seal_kind, 0);
    ck_assert_uint_eq(info.seal, 0);
    proves(1, 1, RAFFLE_RECEIPT_PROMISE); /* under the checkpoint that is kept */
    ck_assert_uint_eq(info.unit_size, 3);
    fx_sell("c", "one");
    proves(1, 3, RAFFLE_RECEIPT_PROMISE);
    ck_assert_uint_eq(info.unit_size, 4);
}
END_TEST

START_TEST(promises_at_the_edges_of_the_tree)
{
    fx_create(FX_RULES);
    static const uint64_t sizes[] = {2, 3, 4, 5, 8, 9, 255, 256, 257, 300};
    uint64_t size = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (; size < sizes[i]; size++) {
            char order[24];
            snprintf(order, sizeof order, "o%llu", (unsigned long long)size);
            fx_sell(order, "one");
        }
        proves(1, size - 1, RAFFLE_RECEIPT_PROMISE);
        ck_assert_uint_eq(info.unit_size, size);
        proves(1, 1, RAFFLE_RECEIPT_PROMISE);
    }
}
END_TEST

START_TEST(a_seal_makes_a_promise_a_proof)
{
    fx_create(TWO_UNITS);
    raffle_unit *other = fx_unit(2);
    fx_sell_many(fx.unit, "ten", 3);
    fx_sell_many(other, "one", 5);
    raffle_seal_info early = fx_seal(RAFFLE_SEAL_EARLY);
    for (uint64_t serial = 1; serial <= 5; serial++) {
        proves(2, serial, RAFFLE_RECEIPT_DRUM);
        ck_assert_int_eq(info.seal_kind, RAFFLE_SEAL_EARLY);
        ck_assert_uint_eq(info.seal, early.index);
        ck_assert_int_eq(info.seal_at, early.at);
    }
    fx_sell_many(other, "one", 1);
    proves(2, 6, RAFFLE_RECEIPT_PROMISE); /* the seal does not cover it */
    raffle_seal_info final = fx_seal(RAFFLE_SEAL_FINAL);
    proves(2, 6, RAFFLE_RECEIPT_DRUM);
    ck_assert_uint_eq(info.seal, final.index);
    proves(1, 1, RAFFLE_RECEIPT_DRUM);
    ck_assert_int_eq(info.seal_kind, RAFFLE_SEAL_FINAL);
    raffle_unit_free(other);
}
END_TEST

/* Each ticket of 40 against each number of voids: first, last, between, neighbours of each other. */
START_TEST(neighbours_show_that_a_ticket_is_not_void)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 40);
    static const uint64_t voids[] = {20, 21, 1, 40, 7, 33};
    static const size_t rounds[] = {0, 1, 2, 4, 6};
    bool is_void[41] = {false};
    for (size_t i = 0, done = 0; i < sizeof rounds / sizeof *rounds; i++) {
        for (; done < rounds[i]; done++) {
            take_back(1, voids[done]);
            is_void[voids[done]] = true;
        }
        fx_seal(i + 1 < sizeof rounds / sizeof *rounds ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL);
        for (uint64_t serial = 1; serial <= 40; serial++) {
            proves(1, serial, is_void[serial] ? RAFFLE_RECEIPT_VOID : RAFFLE_RECEIPT_DRUM);
            ck_assert_uint_eq(info.voids, rounds[i]);
        }
    }
}
END_TEST

/* So many voids that the tree has nodes of every level that is kept, under one seal after another. */
START_TEST(many_voids)
{
    static const uint64_t upto[] = {110, 210};
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 210);
    uint64_t serial = 1;
    for (size_t i = 0; i < 2; i++) {
        for (; serial <= upto[i]; serial++)
            if (serial % 3 != 0)
                take_back(1, serial);
        fx_seal(i == 0 ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL);
        for (uint64_t k = 1; k <= 210; k++)
            proves(1, k, k % 3 != 0 && k <= upto[i] ? RAFFLE_RECEIPT_VOID : RAFFLE_RECEIPT_DRUM);
        ck_assert_uint_eq(info.voids, upto[i] / 3 * 2 + upto[i] % 3);
    }
}
END_TEST

/* A list that is not the seal's proves nothing, and is not kept until the store is mended. */
START_TEST(voids_that_the_store_has_lost)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 5);
    take_back(1, 2);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx.spoilt = true;
    fx_sql(1, "UPDATE key SET id = id + 1000 WHERE hex(key) LIKE '__00010000000002'");
    FX_FAILS(RAFFLE_CORRUPT, make(1, 3));
    fx_said("voids of unit 1");
    fx_sql(1, "UPDATE key SET id = id - 1000 WHERE hex(key) LIKE '__00010000000002'");
    proves(1, 3, RAFFLE_RECEIPT_DRUM);
}
END_TEST

START_TEST(a_void_that_no_seal_says_gets_no_receipt)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 4);
    take_back(1, 1);
    FX_REFUSED(RAFFLE_VOIDED, make(1, 1));
    fx_seal(RAFFLE_SEAL_EARLY);
    proves(1, 1, RAFFLE_RECEIPT_VOID);
    take_back(1, 2);
    FX_REFUSED(RAFFLE_VOIDED, make(1, 2));
    fx_seal(RAFFLE_SEAL_FINAL);
    proves(1, 2, RAFFLE_RECEIPT_VOID);
    take_back(1, 3); /* in the control log, after the final seal */
    FX_REFUSED(RAFFLE_VOIDED, make(1, 3));
    proves(1, 4, RAFFLE_RECEIPT_DRUM);
    ck_assert_uint_eq(info.voids, 2);
    proves(1, 1, RAFFLE_RECEIPT_VOID);
}
END_TEST

START_TEST(refusals)
{
    raffle *reader = NULL;
    char small[16];
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 2);
    FX_REFUSED(RAFFLE_NOT_FOUND, make(1, 0)); /* unit.start */
    FX_REFUSED(RAFFLE_NOT_FOUND, make(1, 3));
    FX_REFUSED(RAFFLE_NOT_FOUND, make(1, UINT64_MAX));
    FX_REFUSED(RAFFLE_NOT_FOUND, make(2, 1));
    FX_REFUSED(RAFFLE_NOT_FOUND, make(0, 1));
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_receipt(reader, 1, 1, text, sizeof text, &length, &fx.err));
    proves(1, 1, RAFFLE_RECEIPT_PROMISE);
    size_t again = 0;
    FX_OK(raffle_receipt(reader, 1, 2, text, sizeof text, &again, &fx.err)); /* under what was signed */
    raffle_free(reader);
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_receipt(fx.raffle, 1, 2, small, sizeof small, &length, &fx.err));
    ck_assert_uint_eq(length, again);
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_receipt(fx.raffle, 1, 2, NULL, 0, &length, &fx.err));
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_receipt(fx.raffle, 1, 2, text, again, &length, &fx.err));
    FX_OK(raffle_receipt(fx.raffle, 1, 2, text, again + 1, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt(fx.raffle, 1, 2, NULL, 4, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt(fx.raffle, 1, 2, text, sizeof text, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt(NULL, 1, 2, text, sizeof text, &length, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt_verify(NULL, 0, key, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt_verify(text, length, NULL, NULL, &fx.err));
    info.struct_size = 0;
    FX_FAILS(RAFFLE_MISUSE, raffle_receipt_verify(text, length, key, &info, &fx.err));
    FX_OK(raffle_receipt_verify(text, length, key, NULL, &fx.err));
}
END_TEST

/* --- altered ones --- */

/* A raffle with a void between two tickets, a receipt of each kind of which is in `text`. */
static void sealed_receipt(uint64_t serial, int32_t wanted)
{
    fx_create(TWO_UNITS);
    raffle_unit *other = fx_unit(2);
    fx_sell_many(fx.unit, "one", 1);
    fx_sell_many(other, "ten", 6);
    take_back(2, 2);
    take_back(2, 5);
    fx_seal(RAFFLE_SEAL_FINAL);
    raffle_unit_free(other);
    proves(2, serial, wanted);
}

static void every_byte_counts(void)
{
    static char good[RAFFLE_RECEIPT_MAX + 1];
    const uint8_t flips[] = {0x01, 0x02, 0x20, 0x40, 0x80};
    memcpy(good, text, length);
    const size_t n = length;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof flips; k++) {
            text[i] = (char)(good[i] ^ flips[k]);
            ck_assert_msg(verify() != RAFFLE_OK, "byte %zu, '%c' for '%c'", i, text[i], good[i]);
        }
        text[i] = good[i];
        memmove(text + i, good + i + 1, n - i - 1); /* left out */
        length = n - 1;
        ck_assert_msg(verify() != RAFFLE_OK || memcmp(text, good, n) == 0, "without byte %zu", i);
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

START_TEST(every_byte_of_a_promise_counts)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 5);
    proves(1, 3, RAFFLE_RECEIPT_PROMISE);
    every_byte_counts();
}
END_TEST

START_TEST(every_byte_of_a_sealed_receipt_counts)
{
    sealed_receipt(3, RAFFLE_RECEIPT_DRUM);
    every_byte_counts();
}
END_TEST

START_TEST(every_byte_of_a_void_receipt_counts)
{
    sealed_receipt(5, RAFFLE_RECEIPT_VOID);
    every_byte_counts();
}
END_TEST

/* Replaces the n-th `from` by `to`, verifies, which must fail so and say this, and puts the receipt back. */
static void altered(raffle_rc wanted, const char *words, size_t nth, const char *from, const char *to)
{
    static char good[RAFFLE_RECEIPT_MAX + 1];
    const size_t n = length;
    memcpy(good, text, n + 1);
    char *at = text;
    for (size_t i = 0; (at = strstr(at, from)) != NULL && i < nth; i++)
        at++;
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
    sealed_receipt(3, RAFFLE_RECEIPT_DRUM);
    altered(RAFFLE_NEWER, "version", 0, "receipt/v1", "receipt/v2");
    altered(RAFFLE_INVALID, "line 1", 0, "libraffle", "Libraffle");
    altered(RAFFLE_INVALID, "line 2", 0, "drum ", "dram ");
    altered(RAFFLE_MISMATCH, "key", 0, "drum raffle.example/fixture", "drum raffle.example/other");
    altered(RAFFLE_INVALID, "origin", 0, "drum raffle.example/fixture", "drum raffle.example/unit/2");
    altered(RAFFLE_INVALID, "ticket", 0, " 2/3\n", " 02/3\n");
    altered(RAFFLE_INVALID, "ticket", 0, " 2/3\n", " 0/3\n");
    altered(RAFFLE_INVALID, "ticket", 0, " 2/3\n", " 65536/3\n");
    altered(RAFFLE_INVALID, "ticket", 0, " 2/3\n", " 2/99999999999999\n");
    altered(RAFFLE_INVALID, "ticket", 0, " 2/3\n", " 2/3\r\n");
    altered(RAFFLE_MISMATCH, "record 3", 0, " 2/3\n", " 2/4\n");
    altered(RAFFLE_MISMATCH, "unit 1", 0, " 2/3\n", " 1/3\n");
    altered(RAFFLE_MISMATCH, "voids", 0, "drum ", "void ");
    altered(RAFFLE_INVALID, "one more", 0, "drum ", "promise ");
    altered(RAFFLE_INVALID, "unit.enrol", 0, "part unit.enrol", "part sale");
    altered(RAFFLE_INVALID, "tlog-proof", 0, "tlog-proof@v1", "tlog-proof@v2");
    altered(RAFFLE_INVALID, "extra", 0, "extra ", "extra  ");
    altered(RAFFLE_INVALID, "index", 1, "index 3", "index +3");
    altered(RAFFLE_INVALID, "index", 1, "index 3", "index 03");
    altered(RAFFLE_MISMATCH, "record 5", 1, "index 3", "index 5");
    altered(RAFFLE_PROOF, "is said to be at 99", 0, "index 3", "index 99");
    altered(RAFFLE_INVALID, "no valid key name", 0, "\xe2\x80\x94 raffle.example/fixture ", "\xe2\x80\x94 ");
    altered(RAFFLE_SIGNATURE, "not signed by", 0, "\xe2\x80\x94 raffle.example/fixture ",
            "\xe2\x80\x94 raffle.example/other ");
}
END_TEST

/* --- forged ones: real records and real signatures, put together to say something else --- */

static rf_receipt forged, other;

static void read_into(rf_receipt *receipt, uint32_t unit, uint64_t serial)
{
    static char kept[2][RAFFLE_RECEIPT_MAX + 1]; /* the notes point into it */
    char *to = kept[receipt == &other];
    FX_OK(make(unit, serial));
    memcpy(to, text, length + 1);
    FX_OK(rf_receipt_read(receipt, to, length, &fx.err));
}

/* Makes the part prove another record of the log, under the same checkpoint. */
static void point(rf_receipt_part *part, uint32_t log, uint64_t index, uint64_t size)
{
    static char leaf[RF_RECEIPT_LEAF_MAX];
    fx_leaf(log, index, leaf, sizeof leaf);
    part->leaf_length = strlen(leaf);
    part->leaf = leaf;
    part->proof.index = index;
    FX_OK(raffle_inclusion(fx.raffle, log, index, size, part->proof.hash[0], &part->proof.hashes, &fx.err));
}

static void fails(raffle_rc wanted, const char *words)
{
    length = rf_receipt_write(&forged, text, sizeof text);
    ck_assert_uint_gt(length, 0);
    FX_FAILS(wanted, verify());
    fx_said(words);
}

START_TEST(what_is_read_is_written_again)
{
    sealed_receipt(3, RAFFLE_RECEIPT_DRUM);
    static char again[RAFFLE_RECEIPT_MAX];
    FX_OK(rf_receipt_read(&forged, text, length, &fx.err));
    ck_assert_uint_eq(rf_receipt_write(&forged, again, sizeof again), length);
    ck_assert_mem_eq(again, text, length);
    for (size_t cap = 0; cap < length; cap++)
        ck_assert_uint_eq(rf_receipt_write(&forged, again, cap), 0);
}
END_TEST

START_TEST(a_record_that_is_no_sale)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    take_back(1, 3);
    proves(1, 1, RAFFLE_RECEIPT_PROMISE);
    const uint64_t control_size = info.control_size;
    read_into(&forged, 1, 1);
    for (uint64_t index = 0; index <= 4; index += 4) {
        forged.serial = index;
        point(&forged.sale, 1, index, 5);
        fails(RAFFLE_MISMATCH, index == 0 ? "is a unit.start, not a sale" : "is a void, not a sale");
    }
    read_into(&forged, 1, 1);
    point(&forged.enrol, 0, 0, control_size);
    fails(RAFFLE_MISMATCH, "not a unit.enrol");
}
END_TEST

START_TEST(another_units_key)
{
    fx_create(TWO_UNITS);
    raffle_unit *two = fx_unit(2);
    fx_sell_many(fx.unit, "one", 1);
    fx_sell_many(two, "one", 1);
    raffle_unit_free(two);
    control_key();
    read_into(&forged, 1, 1);
    read_into(&other, 2, 1);
    forged.enrol = other.enrol;
    fails(RAFFLE_MISMATCH, "the enrolment is of unit 2");
    forged.unit = 2;
    fails(RAFFLE_SIGNATURE, "not signed by 'raffle.example/fixture/unit/2'");
}
END_TEST

START_TEST(neighbours_that_are_none)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 8);
    for (uint64_t serial = 2; serial <= 6; serial += 2)
        take_back(1, serial);
    fx_seal(RAFFLE_SEAL_FINAL);
    control_key();
    read_into(&forged, 1, 4); /* void, said to lie between 2 and 6 */
    forged.proves = RAFFLE_RECEIPT_DRUM;
    forged.voids = 2;
    read_into(&other, 1, 3);
    forged.near[0] = other.near[0];
    read_into(&other, 1, 5);
    forged.near[1] = other.near[1];
    fails(RAFFLE_PROOF, "not the neighbours of 4");
    forged.near[1].proof.index = 1;
    fails(RAFFLE_PROOF, "the proof of the void has 1 hashes; at 1 of 3 it has 2");
    forged.voids = 1;
    fails(RAFFLE_PROOF, "of 3 voids none after 4");
    forged.voids = 0;
    fails(RAFFLE_PROOF, "of 3 voids none after 4");
    forged.near[0] = other.near[1]; /* 6 alone, as if it were the first */
    forged.voids = 1;
    fails(RAFFLE_PROOF, "not the neighbours");
    forged.near[0] = other.near[0]; /* 4 itself */
    fails(RAFFLE_PROOF, "not the neighbours");
    forged.near[0].serial = 3; /* one that is not in the tree */
    forged.near[1] = other.near[1];
    forged.voids = 2;
    fails(RAFFLE_PROOF, "void does not hold");
    forged.near[0].serial = UINT64_C(1) << 40;
    forged.serial = forged.near[0].serial;
    fails(RAFFLE_MISMATCH, "the proof is of record 4");
    read_into(&forged, 1, 3); /* not void, said to be */
    forged.proves = RAFFLE_RECEIPT_VOID;
    fails(RAFFLE_MISMATCH, "not the ticket's");
    forged.voids = 1;
    forged.near[0].serial = 3;
    fails(RAFFLE_PROOF, "void does not hold");
}
END_TEST

START_TEST(proofs_of_another_length)
{
    sealed_receipt(3, RAFFLE_RECEIPT_DRUM);
    read_into(&forged, 2, 3);
    forged.sale.proof.hashes--;
    fails(RAFFLE_PROOF, "the proof of the sale has");
    forged.sale.proof.hashes += 2;
    memset(forged.sale.proof.hash[forged.sale.proof.hashes - 1], 7, 32);
    fails(RAFFLE_PROOF, "the proof of the sale has");
    forged.sale.proof.hashes = RF_RECEIPT_HASHES;
    fails(RAFFLE_PROOF, "the proof of the sale has 63 hashes");
    forged.sale.proof.hashes = RF_RECEIPT_HASHES + 1;
    fails(RAFFLE_INVALID, "64th hash");
    read_into(&forged, 2, 3);
    forged.near[1].proof.hashes++;
    fails(RAFFLE_PROOF, "the proof of the void has 2 hashes; at 1 of 2 it has 1");
}
END_TEST

START_TEST(seals_that_do_not_fit)
{
    fx_create(TWO_UNITS);
    raffle_unit *two = fx_unit(2);
    fx_sell_many(fx.unit, "one", 3);
    fx_sell_many(two, "one", 3);
    raffle_unit_free(two);
    const raffle_seal_info early = fx_seal(RAFFLE_SEAL_EARLY), final = fx_seal(RAFFLE_SEAL_FINAL);
    proves(1, 1, RAFFLE_RECEIPT_DRUM);
    const uint64_t control_size = info.control_size;
    read_into(&forged, 1, 1);
    point(&forged.seal, 0, early.index, control_size); /* an older seal */
    fails(RAFFLE_MISMATCH, "is none of unit 1 in the seal");
    read_into(&forged, 1, 1);
    point(&forged.seal_unit, 0, early.index - 2, control_size);
    fails(RAFFLE_MISMATCH, "not the one that was sealed");
    point(&forged.seal_unit, 0, final.index - 1, control_size);
    fails(RAFFLE_MISMATCH, "the seal.unit is of unit 2");
    point(&forged.seal_unit, 0, final.index, control_size);
    fails(RAFFLE_MISMATCH, "is a seal, not a seal.unit");
    read_into(&forged, 1, 1);
    point(&forged.seal, 0, final.index - 1, control_size);
    fails(RAFFLE_MISMATCH, "is a seal.unit, not a seal");
    read_into(&forged, 1, 1);
    read_into(&other, 2, 1);
    forged.seal.note = other.sale.note;
    forged.seal.note_length = other.sale.note_length;
    fails(RAFFLE_MISMATCH, "not the same checkpoint");
}
END_TEST

START_TEST(checkpoints_that_are_none)
{
    static char note[RF_NOTE_MAX];
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 3);
    proves(1, 2, RAFFLE_RECEIPT_PROMISE);
    read_into(&forged, 1, 2);
    const rf_receipt_part good = forged.sale;
    forged.sale.note = forged.enrol.note;
    forged.sale.note_length = forged.enrol.note_length;
    fails(RAFFLE_SIGNATURE, "not signed by");
    const char *line = memmem(good.note, good.note_length, "\xe2\x80\x94", 3);
    const size_t signature = (size_t)(good.note + good.note_length - line);
    memcpy(note, good.note, good.note_length);
    memcpy(note + good.note_length, line, signature); /* the same signature again */
    forged.sale.note = note;
    forged.sale.note_length = good.note_length + signature;
    fails(RAFFLE_INVALID, "a second one by");
    memcpy(note + good.note_length, "\xe2\x80\x94 witness.example/w AAAAAAAA\n", 31); /* somebody else's beside it */
    forged.sale.note_length = good.note_length + 31;
    fails(RAFFLE_SIGNATURE, "signatures of others");
    forged.sale.note_length = (size_t)(line - good.note); /* unsigned */
    fails(RAFFLE_INVALID, "signature lines");
    forged.sale.note_length = 0;
    fails(RAFFLE_INVALID, "signature lines");
    memcpy(note + good.note_length, "trailing\n", 9);
    forged.sale.note_length = good.note_length + 9;
    fails(RAFFLE_INVALID, "signature line 2");
    memcpy(note + good.note_length, "part sale\n", 10);
    forged.sale.note_length = good.note_length + 10;
    fails(RAFFLE_INVALID, "one more than a promise has");
}
END_TEST

START_TEST(hostile_input)
{
    const size_t huge = 8 * (size_t)RAFFLE_RECEIPT_MAX;
    char *bytes = malloc(huge);
    ck_assert_ptr_nonnull(bytes);
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 1);
    proves(1, 1, RAFFLE_RECEIPT_PROMISE);
    for (int fill = 0; fill < 256; fill++) {
        memset(bytes, fill, huge);
        FX_FAILS(RAFFLE_LIMIT, raffle_receipt_verify(bytes, huge, key, NULL, &fx.err));
        FX_FAILS(RAFFLE_LIMIT, raffle_receipt_verify(bytes, RAFFLE_RECEIPT_MAX + 1, key, NULL, &fx.err));
        FX_FAILS(RAFFLE_INVALID, raffle_receipt_verify(bytes, RAFFLE_RECEIPT_MAX, key, NULL, &fx.err));
        for (size_t i = 0; i < length; i += 13) { /* a good beginning, and this for ever */
            memcpy(bytes, text, i);
            raffle_rc rc = raffle_receipt_verify(bytes, RAFFLE_RECEIPT_MAX, key, NULL, &fx.err);
            ck_assert_int_ne(rc, RAFFLE_OK);
            memset(bytes, fill, i);
        }
    }
    FX_FAILS(RAFFLE_INVALID, raffle_receipt_verify("", 0, key, NULL, &fx.err));
    free(bytes);
}
END_TEST

START_TEST(other_keys)
{
    char vkey_text[RAFFLE_VKEY_SIZE];
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 2);
    proves(1, 1, RAFFLE_RECEIPT_PROMISE);
    uint8_t pk[32], sk[64];
    rf_vkey vkey;
    ck_assert_int_eq(crypto_sign_keypair(pk, sk), 0);
    FX_OK(rf_vkey_make(&vkey, "raffle.example/fixture", RF_NOTE_ED25519, pk, &fx.err));
    rf_vkey_format(&vkey, vkey_text);
    FX_FAILS(RAFFLE_SIGNATURE, raffle_receipt_verify(text, length, vkey_text, NULL, &fx.err));
    FX_OK(rf_vkey_make(&vkey, "raffle.example/other", RF_NOTE_ED25519, pk, &fx.err));
    rf_vkey_format(&vkey, vkey_text);
    FX_FAILS(RAFFLE_MISMATCH, raffle_receipt_verify(text, length, vkey_text, NULL, &fx.err));
    fx_said("raffle.example/other");
    FX_OK(rf_vkey_make(&vkey, "raffle.example/fixture", RF_NOTE_COSIGNATURE, pk, &fx.err));
    rf_vkey_format(&vkey, vkey_text);
    FX_FAILS(RAFFLE_INVALID, raffle_receipt_verify(text, length, vkey_text, NULL, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_receipt_verify(text, length, "", NULL, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_receipt_verify(text, length, "raffle.example/fixture", NULL, &fx.err));
}
END_TEST

FX_MAIN("receipt", what_is_read_is_written_again, a_record_that_is_no_sale, another_units_key, neighbours_that_are_none,
        proofs_of_another_length, seals_that_do_not_fit, checkpoints_that_are_none, hostile_input, a_promise,
        promises_at_the_edges_of_the_tree, a_seal_makes_a_promise_a_proof, neighbours_show_that_a_ticket_is_not_void,
        a_void_that_no_seal_says_gets_no_receipt, refusals, every_byte_of_a_promise_counts,
        every_byte_of_a_sealed_receipt_counts, every_byte_of_a_void_receipt_counts, what_is_altered_is_named,
        other_keys, many_voids, voids_that_the_store_has_lost)
