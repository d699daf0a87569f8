/* SPDX-License-Identifier: Apache-2.0 */
/* A case of a vector file: its members, read and checked, for the algorithms that run it. */
#ifndef RF_RAFFLE_VECTORS_IMPL_H
#define RF_RAFFLE_VECTORS_IMPL_H

#include "json.h"
#include "sha256.h"

enum {
    RF_VECTOR_MEMBERS = 32
};

typedef struct rf_vector_member {
    const char *name, *json;
    size_t name_length, length;
} rf_vector_member;

typedef struct rf_vector {
    rf_sha256 *hash;
    size_t members;
    rf_vector_member member[RF_VECTOR_MEMBERS];
    uint8_t *scratch; /* what a case needs, all gone with it */
    size_t cap, used;
    raffle_rc rc;      /* what the algorithm returned, for the member `error` */
    const char *fault; /* the first member that is missing or malformed; sticks. What was read of it is empty or zero */
    bool exhausted;    /* `scratch` was too small */
} rf_vector;

bool rf_vector_has(const rf_vector *v, const char *member);
/* A string, ended by NUL. */
rf_span rf_vector_text(rf_vector *v, const char *member);
bool rf_vector_is(rf_vector *v, const char *member, const char *text);
/* Bytes in hex; a member that is missing is of length 0 for rf_vector_hex_if. */
rf_span rf_vector_hex(rf_vector *v, const char *member);
rf_span rf_vector_hex_if(rf_vector *v, const char *member);
/* Exactly `n` bytes; zeros otherwise. */
void rf_vector_bytes(rf_vector *v, const char *member, uint8_t *out, size_t n);
/* A string, or when there is no such member, bytes in hex. */
rf_span rf_vector_text_or_hex(rf_vector *v, const char *text, const char *hex);
/* A number that is not negative, as an integer or as a string of digits. */
uint64_t rf_vector_number(rf_vector *v, const char *member);
bool rf_vector_bool(rf_vector *v, const char *member);
/* An array of strings; one of bytes in hex; and one of hashes. */
const rf_span *rf_vector_list(rf_vector *v, const char *member, size_t *n);
const rf_span *rf_vector_hex_list(rf_vector *v, const char *member, size_t *n);
const uint8_t (*rf_vector_hashes(rf_vector *v, const char *member, size_t *n))[32];

/* Whether a member is this hash; this number, or not there. */
bool rf_vector_hash_is(rf_vector *v, const char *member, const uint8_t hash[32]);
bool rf_vector_number_is(rf_vector *v, const char *member, uint64_t number);
/* The algorithm has no such kind of case. */
bool rf_vector_kind_fault(rf_vector *v);

/* Memory for a result; NULL and `exhausted` when there is none left. */
void *rf_vector_memory(rf_vector *v, size_t size);
/* Whether two runs of bytes are the same. */
bool rf_span_is(rf_span a, const void *data, size_t length);

/* Whether the case's claim holds in this build; the runner compares it with `valid`. */
typedef bool (*rf_vector_check)(rf_vector *v);

bool rf_check_sha256(rf_vector *v);
bool rf_check_hmac_sha256(rf_vector *v);
bool rf_check_merkle(rf_vector *v);
bool rf_check_json(rf_vector *v);
bool rf_vectors_note(rf_vector *v);
bool rf_check_checkpoint(rf_vector *v);
bool rf_check_hmac_drbg(rf_vector *v);
bool rf_check_draw(rf_vector *v);
bool rf_check_rng_test(rf_vector *v);
bool rf_check_validation(rf_vector *v);
bool rf_check_check37(rf_vector *v);
bool rf_check_timestamp(rf_vector *v);
bool rf_vectors_policy(rf_vector *v);
bool rf_vectors_prize(rf_vector *v);
bool rf_vectors_receipt(rf_vector *v);
bool rf_vectors_record(rf_vector *v);
bool rf_vectors_tile(rf_vector *v);
bool rf_vectors_fold(rf_vector *v);
bool rf_vectors_void_root(rf_vector *v);
bool rf_vectors_buyer_key(rf_vector *v);
bool rf_vectors_order_key(rf_vector *v);

#endif
