/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of randomness, the draw and the validation number. */
#include "vectors_impl.h"

#include "bytes.h"
#include "select.h"
#include "validation.h"
#include <raffle/rng.h>
#include <stdio.h>
#include <string.h>

/* --- HMAC_DRBG --- */

static raffle_rc reseed_if(rf_vector *v, rf_drbg *d, const char *member, rf_span additional)
{
    if (!rf_vector_has(v, member))
        return RAFFLE_OK;
    const rf_span entropy = rf_vector_hex(v, member);
    return rf_drbg_reseed(d, entropy.data, entropy.length, additional.data, additional.length, NULL);
}

/* A Generate call; under prediction resistance the reseed takes its additional input (SP 800-90A section 9.3.1, step 7). */
static raffle_rc generate(rf_vector *v, rf_drbg *d, const char *entropy, const char *additional_member, uint8_t *out,
                          size_t length)
{
    rf_span additional = rf_vector_hex_if(v, additional_member);
    raffle_rc rc = reseed_if(v, d, entropy, additional);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_vector_has(v, entropy))
        additional.length = 0;
    return rf_drbg_generate(d, out, length, additional.data, additional.length, NULL);
}

static raffle_rc run_drbg(rf_vector *v, uint8_t *out, size_t length)
{
    rf_drbg d = {.hash = v->hash};
    const rf_span entropy = rf_vector_hex(v, "entropy"), nonce = rf_vector_hex(v, "nonce"),
                  personalisation = rf_vector_hex_if(v, "personalisation");
    raffle_rc rc = rf_drbg_instantiate(&d, v->hash, entropy.data, entropy.length, nonce.data, nonce.length,
                                       personalisation.data, personalisation.length, NULL);
    if (rc == RAFFLE_OK)
        rc = reseed_if(v, &d, "reseed_entropy", rf_vector_hex_if(v, "reseed_additional"));
    if (rc == RAFFLE_OK)
        rc = generate(v, &d, "pr_entropy_1", "additional_1", out, length);
    if (rc == RAFFLE_OK)
        rc = generate(v, &d, "pr_entropy_2", "additional_2", out, length);
    rf_drbg_clear(&d);
    return rc;
}

bool rf_check_hmac_drbg(rf_vector *v)
{
    const rf_span expected = rf_vector_hex(v, "output");
    const size_t length = rf_vector_has(v, "length") ? (size_t)rf_vector_number(v, "length") : expected.length;
    uint8_t *out = rf_vector_memory(v, length + 1);
    if (out == NULL)
        return false;
    v->rc = run_drbg(v, out, length);
    return v->rc == RAFFLE_OK && rf_span_is(expected, out, length);
}

/* --- the draw --- */

/* The bytes of the first Generate call, through a selection that serves nothing else. */
static bool first_is(rf_vector *v, const uint8_t *seed, const uint8_t *c, rf_span beacon)
{
    uint8_t first[64], expected[64];
    rf_select *s = NULL;
    uint64_t word = 0;
    rf_vector_bytes(v, "first", expected, sizeof expected);
    v->rc = rf_select_new(v->hash, seed, c, beacon.data, beacon.length, 1, &s, NULL);
    for (size_t at = 0; v->rc == RAFFLE_OK && at < sizeof first; at += 8) {
        v->rc = rf_select_word(s, &word, NULL);
        rf_put_be(first + at, word, 8);
    }
    rf_select_free(s);
    return v->rc == RAFFLE_OK && memcmp(first, expected, sizeof first) == 0;
}

static bool decimal_is(rf_span text, uint64_t value)
{
    uint64_t number = 0;
    return rf_decimal_parse(text.data, text.length, UINT64_MAX, &number) && number == value;
}

static bool picks_are(rf_vector *v, rf_select *s)
{
    size_t n;
    const rf_span *picks = rf_vector_list(v, "picks", &n);
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        uint64_t pick = 0;
        v->rc = rf_select_next(s, &pick, NULL);
        if (v->rc != RAFFLE_OK)
            return false;
        same &= decimal_is(picks[i], pick);
    }
    return same && rf_select_rejected(s) == rf_vector_number(v, "rejected");
}

bool rf_check_draw(rf_vector *v)
{
    uint8_t root[32], seed[RF_SEED_SIZE], c[32], commitment[32], expected_c[32], expected_commitment[32];
    rf_select *s = NULL;
    const rf_span beacon = rf_vector_hex(v, "beacon");
    rf_vector_bytes(v, "root", root, sizeof root);
    rf_vector_bytes(v, "seed", seed, sizeof seed);
    rf_vector_bytes(v, "commitment", expected_c, sizeof expected_c);
    rf_vector_bytes(v, "seed_commitment", expected_commitment, sizeof expected_commitment);
    rf_draw_commitment(v->hash, c, rf_vector_text(v, "origin").data, rf_vector_number(v, "intent"), root);
    rf_seed_commitment(v->hash, commitment, seed);
    v->rc = rf_select_new(v->hash, seed, c, beacon.data, beacon.length, rf_vector_number(v, "n"), &s, NULL);
    if (v->rc != RAFFLE_OK)
        return false;
    bool holds =
        memcmp(c, expected_c, sizeof c) == 0 && memcmp(commitment, expected_commitment, sizeof commitment) == 0;
    holds &= first_is(v, seed, c, beacon);
    holds &= picks_are(v, s);
    rf_select_free(s);
    return holds;
}

/* --- the provider `test:` --- */

static raffle_rc open_test(rf_vector *v, raffle_rng **rng)
{
    char uri[256];
    snprintf(uri, sizeof uri, "test:seed=%.200s", (const char *)rf_vector_text(v, "seed").data);
    return raffle_rng_open(uri, NULL, rng, NULL);
}

static bool stream_is(rf_vector *v, raffle_rng *rng)
{
    const rf_span expected = rf_vector_hex(v, "stream");
    uint8_t *out = rf_vector_memory(v, expected.length + 1);
    if (out == NULL)
        return false;
    v->rc = raffle_rng_fill(rng, out, expected.length, -1, NULL);
    return v->rc == RAFFLE_OK && rf_span_is(expected, out, expected.length);
}

static bool range_picks_are(rf_vector *v, raffle_rng *rng)
{
    size_t n;
    const rf_span *picks = rf_vector_list(v, "picks", &n);
    uint64_t *out = rf_vector_memory(v, (n + 1) * sizeof *out);
    if (out == NULL)
        return false;
    v->rc = raffle_rng_pick(rng, rf_vector_number(v, "range"), out, n, -1, NULL);
    bool same = v->rc == RAFFLE_OK;
    for (size_t i = 0; same && i < n; i++)
        same = decimal_is(picks[i], out[i]);
    return same;
}

/* Stream and picks each begin with the provider's first byte. */
bool rf_check_rng_test(rf_vector *v)
{
    raffle_rng *streaming = NULL, *picking = NULL;
    bool holds = false;
    v->rc = open_test(v, &streaming);
    if (v->rc == RAFFLE_OK)
        v->rc = open_test(v, &picking);
    if (v->rc == RAFFLE_OK)
        holds = stream_is(v, streaming) && range_picks_are(v, picking);
    raffle_rng_free(streaming);
    raffle_rng_free(picking);
    return holds;
}

/* --- the validation number --- */

bool rf_check_check37(rf_vector *v)
{
    const rf_span text = rf_vector_text(v, "text");
    const char *c = text.data;
    return text.length > 1 && rf_check37(c, text.length - 1) == c[text.length - 1];
}

static bool check_unit_key(rf_vector *v, const uint8_t ku[32])
{
    uint8_t expected[32];
    rf_vector_bytes(v, "unit_key", expected, sizeof expected);
    return memcmp(expected, ku, sizeof expected) == 0;
}

static bool check_making(rf_vector *v, const uint8_t ku[32])
{
    char out[RF_VN_SIZE];
    rf_vn_make(v->hash, out, ku, (uint32_t)rf_vector_number(v, "unit"), rf_vector_number(v, "serial"),
               (int64_t)rf_vector_number(v, "at"));
    return rf_vector_is(v, "number", out);
}

/* What was typed is the number of this ticket. */
static bool check_reading(rf_vector *v, const uint8_t ku[32])
{
    rf_vn vn;
    const rf_span text = rf_vector_text_or_hex(v, "text", "text_hex");
    v->rc = rf_vn_parse(&vn, text.data, text.length, NULL);
    if (v->rc != RAFFLE_OK)
        return false;
    const uint64_t serial = rf_vector_number(v, "serial");
    return vn.unit == rf_vector_number(v, "unit") && rf_vn_serial(v->hash, &vn, ku) == serial &&
           rf_vn_check(v->hash, &vn, ku, serial, (int64_t)rf_vector_number(v, "at"));
}

bool rf_check_validation(rf_vector *v)
{
    uint8_t k[32], ku[32];
    const uint64_t unit = rf_vector_number(v, "unit");
    rf_vector_bytes(v, "key", k, sizeof k);
    rf_vn_unit_key(v->hash, ku, k, rf_vector_text(v, "origin").data, (uint32_t)unit);
    if (rf_vector_is(v, "kind", "unit_key"))
        return check_unit_key(v, ku);
    if (rf_vector_is(v, "kind", "make"))
        return check_making(v, ku);
    if (rf_vector_is(v, "kind", "read"))
        return check_reading(v, ku);
    v->fault = "kind";
    return false;
}
