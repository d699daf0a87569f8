/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of records, of whole logs as the fold takes them, of the voids of a seal, and of order keys. */
#include "vectors_impl.h"

#include "buyer.h"
#include "bytes.h"
#include "fold.h"
#include "order.h"
#include <string.h>

/* --- records --- */

static bool check_leaf(rf_vector *v, rf_span text)
{
    rf_record record;
    uint8_t hash[32];
    v->rc = rf_record_decode(&record, text.data, text.length, NULL);
    rf_leaf_hash(v->hash, hash, text.data, text.length);
    return v->rc == RAFFLE_OK && rf_vector_is(v, "type", rf_type_name(record.type)) &&
           rf_vector_hash_is(v, "leaf_hash", hash);
}

static bool check_private(rf_vector *v, rf_span text)
{
    rf_private part;
    uint8_t hash[32];
    v->rc = rf_private_decode(&part, text.data, text.length, NULL);
    rf_sha256_of(v->hash, hash, text.data, text.length);
    return v->rc == RAFFLE_OK && rf_vector_hash_is(v, "p", hash);
}

bool rf_vectors_record(rf_vector *v)
{
    const rf_span text = rf_vector_text_or_hex(v, "text", "hex");
    if (rf_vector_is(v, "kind", "leaf"))
        return check_leaf(v, text);
    return rf_vector_is(v, "kind", "private") ? check_private(v, text) : rf_vector_kind_fault(v);
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
    return rf_vector_hash_is(f->v, member, root);
}

static bool sums_are(rf_vector *v, const rf_seal_unit *sum)
{
    return rf_vector_number_is(v, "tickets", sum->tickets) && rf_vector_number_is(v, "numbers", sum->numbers) &&
           rf_vector_number_is(v, "gross", (uint64_t)sum->gross) && rf_vector_number_is(v, "voids", sum->voids) &&
           rf_vector_number_is(v, "void_numbers", sum->void_numbers) &&
           rf_vector_number_is(v, "void_gross", (uint64_t)sum->void_gross);
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
    return rf_vector_hash_is(v, "root", hash) && ascending;
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

/* --- buyers --- */

bool rf_vectors_buyer_key(rf_vector *v)
{
    uint8_t k[32], key[RF_BUYER_KEY_SIZE], expected[RF_BUYER_KEY_SIZE], hash[RF_BUYER_HASH_SIZE],
        row[RF_BUYER_ROW_SIZE];
    const rf_span buyer = rf_vector_text(v, "buyer");
    rf_vector_bytes(v, "key", k, sizeof k);
    rf_vector_bytes(v, "k", expected, sizeof expected);
    rf_buyer_key(v->hash, key, k, rf_vector_text(v, "origin").data);
    rf_buyer_hash(v->hash, hash, key, buyer.data, buyer.length);
    rf_buyer_row(row, hash, (uint32_t)rf_vector_number(v, "place"));
    return memcmp(key, expected, sizeof key) == 0 && rf_span_is(rf_vector_hex(v, "row"), row, sizeof row);
}
