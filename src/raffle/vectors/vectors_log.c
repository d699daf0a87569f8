/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of records, of whole logs as the fold takes them, of tiles, of the voids of a seal, of receipts and of order keys. */
#include "vectors_impl.h"

#include "bytes.h"
#include "fold.h"
#include "order.h"
#include "tile.h"
#include <raffle/receipt.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRIES_MAX = 100000 /* that a case has hashed */
};

static bool hash_is(rf_vector *v, const char *member, const uint8_t hash[32])
{
    uint8_t expected[32];
    rf_vector_bytes(v, member, expected, sizeof expected);
    return memcmp(expected, hash, sizeof expected) == 0;
}

static bool kind_fault(rf_vector *v)
{
    v->fault = v->fault == NULL ? "kind" : v->fault;
    return false;
}

/* A number that the case need not name. */
static bool number_is(rf_vector *v, const char *member, uint64_t number)
{
    return !rf_vector_has(v, member) || rf_vector_number(v, member) == number;
}

/* --- records --- */

static bool check_leaf(rf_vector *v, rf_span text)
{
    rf_record record;
    uint8_t hash[32];
    v->rc = rf_record_decode(&record, text.data, text.length, NULL);
    rf_leaf_hash(v->hash, hash, text.data, text.length);
    return v->rc == RAFFLE_OK && rf_vector_is(v, "type", rf_type_name(record.type)) && hash_is(v, "leaf_hash", hash);
}

static bool check_private(rf_vector *v, rf_span text)
{
    rf_private part;
    uint8_t hash[32];
    v->rc = rf_private_decode(&part, text.data, text.length, NULL);
    rf_sha256_of(v->hash, hash, text.data, text.length);
    return v->rc == RAFFLE_OK && hash_is(v, "p", hash);
}

bool rf_vectors_record(rf_vector *v)
{
    const rf_span text = rf_vector_text_or_hex(v, "text", "hex");
    if (rf_vector_is(v, "kind", "leaf"))
        return check_leaf(v, text);
    return rf_vector_is(v, "kind", "private") ? check_private(v, text) : kind_fault(v);
}

/* --- logs, record by record --- */

typedef struct folding {
    rf_vector *v;
    rf_control control;
    rf_unit_frame frame;
    rf_unit_state unit;
    rf_range control_range, unit_range;
} folding;

static raffle_rc take_control(folding *f, rf_span leaf)
{
    rf_record record;
    rf_taken_list taken = {0};
    uint8_t hash[32];
    raffle_rc rc = rf_record_decode(&record, leaf.data, leaf.length, NULL);
    rf_leaf_hash(f->v->hash, hash, leaf.data, leaf.length);
    if (rc == RAFFLE_OK)
        rc = rf_control_apply(&f->control, &record, hash, &taken, NULL);
    rf_range_push(f->v->hash, &f->control_range, hash, NULL, NULL);
    return rc;
}

static raffle_rc take_unit(folding *f, rf_span leaf)
{
    rf_record record;
    rf_taken_list taken = {0};
    uint8_t hash[32];
    raffle_rc rc = rf_record_decode(&record, leaf.data, leaf.length, NULL);
    rf_leaf_hash(f->v->hash, hash, leaf.data, leaf.length);
    if (rc == RAFFLE_OK)
        rc = rf_unit_apply(&f->frame, &f->unit, &record, &taken, NULL);
    rf_range_push(f->v->hash, &f->unit_range, hash, NULL, NULL);
    return rc;
}

static raffle_rc take_all(folding *f, const char *member, raffle_rc (*take)(folding *, rf_span))
{
    size_t n;
    const rf_span *leaves = rf_vector_list(f->v, member, &n);
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < n; i++)
        rc = take(f, leaves[i]);
    return rc;
}

static bool root_is(const folding *f, const char *member, const rf_range *range)
{
    uint8_t root[32];
    rf_range_root(f->v->hash, range, root);
    return hash_is(f->v, member, root);
}

static bool sums_are(rf_vector *v, const rf_seal_unit *sum)
{
    return number_is(v, "tickets", sum->tickets) && number_is(v, "numbers", sum->numbers) &&
           number_is(v, "gross", (uint64_t)sum->gross) && number_is(v, "voids", sum->voids) &&
           number_is(v, "void_numbers", sum->void_numbers) && number_is(v, "void_gross", (uint64_t)sum->void_gross);
}

static bool fold_unit(folding *f)
{
    rf_vector *v = f->v;
    if (f->control.rules == NULL)
        return false;
    f->frame.rules = f->control.rules;
    f->frame.unit = (uint32_t)rf_vector_number(v, "unit");
    memcpy(f->frame.open, f->control.open, sizeof f->frame.open);
    v->rc = take_all(f, "records", take_unit);
    const rf_seal_unit sum = {.tickets = f->unit.tickets,
                              .numbers = f->unit.numbers,
                              .gross = f->unit.gross,
                              .voids = f->unit.voids,
                              .void_numbers = f->unit.void_numbers,
                              .void_gross = f->unit.void_gross};
    return v->rc == RAFFLE_OK && root_is(f, "unit_root", &f->unit_range) && sums_are(v, &sum);
}

/* Sums are the unit's when it has records, else those of the newest seal. */
static bool fold_logs(folding *f)
{
    f->v->rc = take_all(f, "control", take_control);
    if (f->v->rc != RAFFLE_OK || !root_is(f, "root", &f->control_range))
        return false;
    if (rf_vector_has(f->v, "records"))
        return fold_unit(f);
    return sums_are(f->v, f->control.final.kind != 0 ? &f->control.final.sum : &f->control.early.sum);
}

bool rf_vectors_fold(rf_vector *v)
{
    folding f = {.v = v};
    rf_control_init(&f.control);
    rf_unit_state_init(&f.unit);
    rf_range_init(&f.control_range);
    rf_range_init(&f.unit_range);
    const bool holds = fold_logs(&f);
    rf_control_clear(&f.control);
    return holds;
}

/* --- tiles --- */

static bool check_path(rf_vector *v)
{
    char path[RF_TILE_PATH_SIZE];
    const uint64_t level = rf_vector_number(v, "level");
    rf_tile tile = {
        .entries = rf_vector_bool(v, "entries"), .level = (uint32_t)level, .index = rf_vector_number(v, "index")};
    tile.width = level > UINT32_MAX ? 0 : rf_tile_width(rf_vector_number(v, "size"), tile.level, tile.index);
    rf_tile_path(&tile, path);
    return tile.width > 0 && rf_vector_number(v, "width") == tile.width && rf_vector_is(v, "path", path);
}

static bool check_bundle(rf_vector *v)
{
    size_t n, at = 0, length;
    const uint8_t *entry;
    const rf_span bundle = rf_vector_hex(v, "bundle"), *entries = rf_vector_hex_list(v, "list", &n);
    if (n > RF_TILE_WIDTH || !rf_bundle_valid(bundle.data, bundle.length, (uint32_t)n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!rf_bundle_next(bundle.data, bundle.length, &at, &entry, &length) || !rf_span_is(entries[i], entry, length))
            return false;
    return true;
}

/* The root of the leaves "entry <from>" to "entry <to - 1>". */
static void entries_root(rf_vector *v, uint64_t from, uint64_t to, uint8_t root[32])
{
    rf_range range;
    char entry[32];
    uint8_t hash[32];
    rf_range_init(&range);
    for (uint64_t i = from; i < to; i++) {
        const int length = snprintf(entry, sizeof entry, "entry %llu", (unsigned long long)i);
        rf_leaf_hash(v->hash, hash, entry, (size_t)length);
        rf_range_push(v->hash, &range, hash, NULL, NULL);
    }
    rf_range_root(v->hash, &range, root);
}

static bool check_hashes(rf_vector *v)
{
    uint8_t hash[32], digest[32];
    const uint64_t size = rf_vector_number(v, "size"), level = rf_vector_number(v, "level"),
                   index = rf_vector_number(v, "index");
    const uint32_t width = level > 2 ? 0 : rf_tile_width(size, (uint32_t)level, index);
    uint8_t *tile = rf_vector_memory(v, RF_TILE_BYTES);
    if (tile == NULL || width == 0 || size > ENTRIES_MAX || rf_vector_number(v, "width") != width)
        return false;
    for (uint32_t i = 0; i < width; i++) {
        const uint64_t at = index * RF_TILE_WIDTH + i;
        entries_root(v, at << (RF_TILE_HEIGHT * level), (at + 1) << (RF_TILE_HEIGHT * level), hash);
        memcpy(tile + 32 * (size_t)i, hash, 32);
    }
    rf_sha256_of(v->hash, digest, tile, 32 * (size_t)width);
    return hash_is(v, "last", hash) && hash_is(v, "sha256", digest);
}

bool rf_vectors_tile(rf_vector *v)
{
    if (rf_vector_is(v, "kind", "path"))
        return check_path(v);
    if (rf_vector_is(v, "kind", "bundle"))
        return check_bundle(v);
    return rf_vector_is(v, "kind", "hashes") ? check_hashes(v) : kind_fault(v);
}

/* --- the voids of a seal --- */

bool rf_vectors_void_root(rf_vector *v)
{
    rf_range range;
    size_t n;
    uint8_t leaf[5], hash[32];
    bool ascending = true;
    uint64_t serial = 0, last = 0;
    const rf_span *serials = rf_vector_list(v, "serials", &n);
    rf_range_init(&range);
    for (size_t i = 0; i < n; i++, last = serial) {
        ascending &=
            rf_decimal_parse(serials[i].data, serials[i].length, (UINT64_C(1) << 40) - 1, &serial) && serial > last;
        rf_put_be(leaf, serial, sizeof leaf);
        rf_leaf_hash(v->hash, hash, leaf, sizeof leaf);
        rf_range_push(v->hash, &range, hash, NULL, NULL);
    }
    rf_range_root(v->hash, &range, hash);
    return hash_is(v, "root", hash) && ascending;
}

/* --- receipts --- */

static const char *proves(const raffle_receipt_info *info)
{
    return info->proves == RAFFLE_RECEIPT_PROMISE ? "promise" : info->proves == RAFFLE_RECEIPT_DRUM ? "drum" : "void";
}

bool rf_vectors_receipt(rf_vector *v)
{
    raffle_receipt_info info = RAFFLE_RECEIPT_INFO_INIT;
    const rf_span receipt = rf_vector_text(v, "receipt"), key = rf_vector_text(v, "control_key");
    v->rc = raffle_receipt_verify(receipt.data, receipt.length, key.data, &info, NULL);
    return v->rc == RAFFLE_OK && rf_vector_is(v, "proves", proves(&info)) && rf_vector_number(v, "unit") == info.unit &&
           rf_vector_number(v, "serial") == info.serial && number_is(v, "seal", info.seal) &&
           number_is(v, "voids", info.voids);
}

/* --- order keys --- */

bool rf_vectors_order_key(rf_vector *v)
{
    uint8_t k[32], key[RF_ORDER_KEY_SIZE], expected[RF_ORDER_KEY_SIZE], row[RF_ORDER_HASH_MAX];
    const rf_span order = rf_vector_text(v, "order");
    rf_vector_bytes(v, "key", k, sizeof k);
    rf_vector_bytes(v, "k", expected, sizeof expected);
    rf_order_key(v->hash, key, k, rf_vector_text(v, "origin").data);
    const size_t length = rf_order_hash(row, key, order.data, order.length);
    return memcmp(key, expected, sizeof key) == 0 && rf_span_is(rf_vector_hex(v, "row"), row, length);
}
