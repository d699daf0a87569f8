/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of hashing, the Merkle tree, canonical JSON, signed notes and checkpoints, and time stamps. */
#include "vectors_impl.h"

#include "merkle.h"
#include "note.h"
#include <raffle/timestamp.h>
#include <sodium.h>
#include <string.h>

/* --- hashing --- */

bool rf_check_sha256(rf_vector *v)
{
    uint8_t digest[32], expected[32];
    const rf_span message = rf_vector_hex(v, "message");
    rf_vector_bytes(v, "digest", expected, sizeof expected);
    rf_sha256_of(v->hash, digest, message.data, message.length);
    return memcmp(digest, expected, sizeof digest) == 0;
}

bool rf_check_hmac_sha256(rf_vector *v)
{
    uint8_t mac[32], expected[32];
    const rf_span key = rf_vector_hex(v, "key"), message = rf_vector_hex(v, "message");
    rf_vector_bytes(v, "mac", expected, sizeof expected);
    rf_hmac_spans(v->hash, mac, key.data, key.length, &message, 1);
    return memcmp(mac, expected, sizeof mac) == 0;
}

/* --- the Merkle tree --- */

static bool check_root(rf_vector *v)
{
    rf_range range;
    uint8_t leaf[32], root[32], expected[32];
    size_t n;
    const rf_span *leaves = rf_vector_hex_list(v, "leaves", &n);
    rf_vector_bytes(v, "root", expected, sizeof expected);
    rf_range_init(&range);
    for (size_t i = 0; i < n; i++) {
        rf_leaf_hash(v->hash, leaf, leaves[i].data, leaves[i].length);
        rf_range_push(v->hash, &range, leaf, NULL, NULL);
    }
    rf_range_root(v->hash, &range, root);
    return memcmp(root, expected, sizeof root) == 0;
}

static bool check_inclusion(rf_vector *v)
{
    uint8_t leaf[32], root[32];
    size_t n;
    const uint8_t(*proof)[32] = rf_vector_hashes(v, "proof", &n);
    rf_vector_bytes(v, "leaf_hash", leaf, sizeof leaf);
    rf_vector_bytes(v, "root", root, sizeof root);
    return rf_inclusion_check(v->hash, rf_vector_number(v, "index"), rf_vector_number(v, "size"), leaf, proof, n, root);
}

static bool check_consistency(rf_vector *v)
{
    uint8_t old_root[32], root[32];
    size_t n;
    const uint8_t(*proof)[32] = rf_vector_hashes(v, "proof", &n);
    rf_vector_bytes(v, "old_root", old_root, sizeof old_root);
    rf_vector_bytes(v, "root", root, sizeof root);
    return rf_consistency_check(v->hash, rf_vector_number(v, "old_size"), rf_vector_number(v, "size"), old_root, root,
                                proof, n);
}

bool rf_check_merkle(rf_vector *v)
{
    if (rf_vector_is(v, "kind", "root"))
        return check_root(v);
    if (rf_vector_is(v, "kind", "inclusion"))
        return check_inclusion(v);
    return rf_vector_is(v, "kind", "consistency") ? check_consistency(v) : rf_vector_kind_fault(v);
}

/* --- canonical JSON --- */

static bool is_canonical(rf_span text)
{
    rf_json_reader r;
    const char *json;
    size_t length;
    rf_json_reader_init(&r, text.data, text.length, true);
    return rf_json_take_any(&r, &json, &length) && rf_json_done(&r);
}

static bool check_rewrite(rf_vector *v, rf_span text)
{
    const char *fault;
    size_t at;
    char *out = rf_vector_memory(v, text.length + 1);
    const size_t length =
        out == NULL ? SIZE_MAX : rf_json_canonicalise(text.data, text.length, out, text.length, &fault, &at);
    if (length == SIZE_MAX)
        return false;
    return is_canonical((rf_span){out, length}) && rf_span_is(rf_vector_text(v, "canonical"), out, length);
}

bool rf_check_json(rf_vector *v)
{
    const rf_span text = rf_vector_text_or_hex(v, "text", "hex");
    if (rf_vector_is(v, "kind", "canonical"))
        return is_canonical(text);
    return rf_vector_is(v, "kind", "rewrite") ? check_rewrite(v, text) : rf_vector_kind_fault(v);
}

/* --- notes --- */

static bool vkey_of(rf_vector *v, rf_vkey *vkey)
{
    const rf_span text = rf_vector_text(v, "vkey");
    return rf_vkey_parse(vkey, text.data, text.length, NULL) == RAFFLE_OK;
}

static bool check_vkey(rf_vector *v)
{
    rf_vkey vkey;
    char text[RF_VKEY_SIZE];
    uint8_t key[32], id[4];
    if (!vkey_of(v, &vkey))
        return false;
    rf_vector_bytes(v, "key", key, sizeof key);
    rf_vector_bytes(v, "key_id", id, sizeof id);
    rf_vkey_format(&vkey, text);
    return rf_vector_is(v, "vkey", text) && rf_vector_is(v, "key_name", vkey.name) &&
           rf_vector_number(v, "key_type") == vkey.type && memcmp(vkey.key, key, sizeof key) == 0 &&
           memcmp(vkey.id, id, sizeof id) == 0;
}

/* A key that is malformed is the file's fault, not the note's. */
static bool note_of(rf_vector *v, rf_note *note, rf_vkey *vkey)
{
    const rf_span bytes = rf_vector_text_or_hex(v, "note", "note_hex");
    if (!vkey_of(v, vkey)) {
        v->fault = "vkey";
        return false;
    }
    return rf_note_parse(note, bytes.data, bytes.length, NULL) == RAFFLE_OK;
}

static bool check_cosignature(rf_vector *v, const rf_note *note, const rf_vkey *vkey)
{
    uint64_t seconds = 0;
    return rf_note_verify_cosignature(note, vkey, &seconds, NULL) == RAFFLE_OK &&
           rf_vector_number(v, "seconds") == seconds;
}

static bool check_signing(rf_vector *v)
{
    uint8_t seed[32], public_key[32], secret[crypto_sign_SECRETKEYBYTES], signature[64];
    rf_vkey vkey;
    const rf_span text = rf_vector_text(v, "text");
    char *note = rf_vector_memory(v, RF_NOTE_MAX);
    rf_vector_bytes(v, "seed", seed, sizeof seed);
    crypto_sign_seed_keypair(public_key, secret, seed);
    crypto_sign_detached(signature, NULL, text.data, text.length, secret);
    sodium_memzero(secret, sizeof secret);
    if (note == NULL ||
        rf_vkey_make(&vkey, rf_vector_text(v, "key_name").data, RF_NOTE_ED25519, public_key, NULL) != RAFFLE_OK)
        return false;
    const size_t length = rf_note_format(note, RF_NOTE_MAX, text.data, text.length, &vkey, signature);
    return length > 0 && rf_span_is(rf_vector_text(v, "note"), note, length);
}

bool rf_vectors_note(rf_vector *v)
{
    rf_vkey vkey;
    const bool plain = rf_vector_is(v, "kind", "note");
    if (rf_vector_is(v, "kind", "vkey"))
        return check_vkey(v);
    if (rf_vector_is(v, "kind", "sign"))
        return check_signing(v);
    if (!plain && !rf_vector_is(v, "kind", "cosignature"))
        return rf_vector_kind_fault(v);
    rf_note *note = rf_vector_memory(v, sizeof *note);
    if (note == NULL || !note_of(v, note, &vkey))
        return false;
    return plain ? rf_note_verify(note, &vkey, NULL) == RAFFLE_OK : check_cosignature(v, note, &vkey);
}

bool rf_check_checkpoint(rf_vector *v)
{
    rf_checkpoint checkpoint;
    uint8_t root[32];
    char text[RF_CHECKPOINT_TEXT_MAX + 64];
    const rf_span bytes = rf_vector_text_or_hex(v, "text", "text_hex");
    if (rf_checkpoint_parse(&checkpoint, bytes.data, bytes.length, NULL) != RAFFLE_OK)
        return false;
    rf_vector_bytes(v, "root", root, sizeof root);
    const size_t length = rf_checkpoint_format(text, sizeof text, checkpoint.origin, checkpoint.size, checkpoint.root);
    return rf_span_is(bytes, text, length) && rf_vector_is(v, "origin", checkpoint.origin) &&
           rf_vector_number(v, "size") == checkpoint.size && memcmp(root, checkpoint.root, sizeof root) == 0;
}

/* --- time stamps --- */

static bool check_query(rf_vector *v, const rf_span *data)
{
    size_t length;
    uint8_t query[RAFFLE_TIMESTAMP_QUERY_MAX];
    const rf_span expected = rf_vector_hex(v, "query");
    v->rc = raffle_timestamp_query(data->data, data->length, query, sizeof query, &length, NULL);
    return v->rc == RAFFLE_OK && rf_span_is(expected, query, length);
}

/* Without `authorities` the signer is anybody. */
static bool check_response(rf_vector *v, const rf_span *data)
{
    static const uint8_t none[1];
    raffle_timestamp says = RAFFLE_TIMESTAMP_INIT;
    const rf_span response = rf_vector_hex(v, "response"), authority = rf_vector_text(v, "authority");
    const uint64_t at = rf_vector_number(v, "at");
    const bool trusted = rf_vector_has(v, "authorities");
    const char *authorities = trusted ? rf_vector_text(v, "authorities").data : NULL;
    v->rc = raffle_timestamp_verify(data->data, data->length, response.length > 0 ? response.data : none,
                                    response.length, authorities, &says, NULL);
    return v->rc == RAFFLE_OK && says.trusted == trusted && at == (uint64_t)says.at &&
           rf_span_is(authority, says.authority, strlen(says.authority));
}

bool rf_check_timestamp(rf_vector *v)
{
    const rf_span data = rf_vector_text(v, "data");
    if (rf_vector_is(v, "kind", "query"))
        return check_query(v, &data);
    if (rf_vector_is(v, "kind", "response"))
        return check_response(v, &data);
    return rf_vector_kind_fault(v);
}
