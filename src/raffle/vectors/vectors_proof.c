/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of what others are shown: tiles, receipts, and witnesses' quorums. */
#include "vectors_impl.h"

#include "policy.h"
#include "tile.h"
#include <raffle/receipt.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRIES_MAX = 100000 /* that a case has hashed */
};

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
    return rf_vector_hash_is(v, "last", hash) && rf_vector_hash_is(v, "sha256", digest);
}

bool rf_vectors_tile(rf_vector *v)
{
    if (rf_vector_is(v, "kind", "path"))
        return check_path(v);
    if (rf_vector_is(v, "kind", "bundle"))
        return check_bundle(v);
    return rf_vector_is(v, "kind", "hashes") ? check_hashes(v) : rf_vector_kind_fault(v);
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
           rf_vector_number(v, "serial") == info.serial && rf_vector_number_is(v, "seal", info.seal) &&
           rf_vector_number_is(v, "voids", info.voids);
}

/* --- witnesses --- */

static bool cosigned_are(rf_vector *v, const rf_policy *policy, uint64_t cosigned)
{
    size_t n, at = 0;
    const rf_span *names = rf_vector_list(v, "cosigned", &n);
    for (size_t i = 0; i < policy->witnesses; i++) {
        const rf_policy_text *name = &policy->witness[i].name;
        if ((cosigned >> i & 1) == 0)
            continue;
        if (at == n || !rf_span_is(names[at++], name->text, name->length))
            return false;
    }
    return at == n && rf_policy_reached(policy, cosigned) == rf_vector_bool(v, "reached");
}

static bool check_quorum(rf_vector *v, const rf_policy *policy)
{
    uint64_t cosigned = 0;
    const rf_span text = rf_vector_text(v, "note");
    const uint64_t before = rf_vector_has(v, "before") ? rf_vector_number(v, "before") : UINT64_MAX;
    rf_note *note = rf_vector_memory(v, sizeof *note);
    if (note == NULL)
        return false;
    v->rc = rf_note_parse(note, text.data, text.length, NULL);
    if (v->rc == RAFFLE_OK)
        v->rc = rf_policy_cosigned(policy, note, before, &cosigned, NULL);
    return v->rc == RAFFLE_OK && cosigned_are(v, policy, cosigned);
}

bool rf_vectors_policy(rf_vector *v)
{
    const rf_span text = rf_vector_text(v, "policy");
    rf_policy *policy = rf_vector_memory(v, sizeof *policy);
    if (policy == NULL)
        return false;
    v->rc = rf_policy_parse(policy, text.data, text.length, NULL);
    if (rf_vector_is(v, "kind", "policy"))
        return v->rc == RAFFLE_OK;
    if (!rf_vector_is(v, "kind", "quorum"))
        return rf_vector_kind_fault(v);
    return v->rc == RAFFLE_OK && check_quorum(v, policy);
}
