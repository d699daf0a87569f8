/* SPDX-License-Identifier: Apache-2.0 */
/* drand's quicknet: the times of its rounds, the JSON in which they are published, and what a committed draw makes of them. */
#include "beacon.h"

#include "bytes.h"
#include "error.h"
#include "json.h"
#include "timestamp.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

/* Chain 52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971: these two are part of what that hash is over. */
static const int64_t genesis_ms = INT64_C(1692803367000);
static const int64_t period_ms = 3000;

enum {
    JSON_MAX = 4096
};

/* --- times --- */

uint64_t raffle_beacon_round(int64_t at)
{
    if (at <= genesis_ms)
        return 1;
    return (uint64_t)((at - genesis_ms - 1) / period_ms) + 2;
}

int64_t raffle_beacon_time(uint64_t round)
{
    const uint64_t last = (uint64_t)((RF_TIME_MAX - genesis_ms) / period_ms) + 1;
    return round == 0 || round > last ? -1 : genesis_ms + (int64_t)(round - 1) * period_ms;
}

/* --- JSON --- */

typedef struct published {
    int64_t round;
    uint8_t signature[RF_BEACON_SIZE], randomness[32];
    bool has_round, has_signature, has_randomness;
} published;

static bool take_hex(rf_json_reader *in, uint8_t *out, size_t n)
{
    rf_json_text text;
    return rf_json_take_string(in, &text) && !text.escaped && text.length == 2 * n &&
           rf_hex_decode(out, n, text.text, text.length);
}

static bool is_name(const char *name, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(name, word, length) == 0;
}

/* What other members say (a chained beacon's previous signature) is not used; a second one of the same name is refused. */
static bool take_member(rf_json_reader *in, const char *name, size_t length, published *p)
{
    const char *json;
    size_t json_length;
    bool *seen = NULL;
    bool good;
    if (is_name(name, length, "round")) {
        seen = &p->has_round;
        good = rf_json_take_int(in, &p->round) && p->round > 0;
    } else if (is_name(name, length, "signature")) {
        seen = &p->has_signature;
        good = take_hex(in, p->signature, sizeof p->signature);
    } else if (is_name(name, length, "randomness")) {
        seen = &p->has_randomness;
        good = take_hex(in, p->randomness, sizeof p->randomness);
    } else {
        return rf_json_take_any(in, &json, &json_length);
    }
    if (!good || *seen)
        return false;
    *seen = true;
    return true;
}

static raffle_rc read_published(const char *json, size_t length, published *p, raffle_error *err)
{
    rf_json_reader in;
    const char *name;
    size_t name_length;
    rf_json_reader_init(&in, json, length, false);
    if (!rf_json_enter_object(&in))
        return rf_fail(err, RAFFLE_INVALID, "the beacon's round is not a JSON object");
    while (rf_json_next_key(&in, &name, &name_length))
        if (!take_member(&in, name, name_length, p))
            return rf_fail(err, RAFFLE_INVALID, "the beacon's round: \"%.*s\" is malformed, or stands twice",
                           (int)(name_length < 20 ? name_length : 20), name);
    if (!rf_json_done(&in))
        return rf_fail(err, RAFFLE_INVALID, "the beacon's round is not JSON that can be read: %s at byte %zu",
                       in.fault != NULL ? in.fault : "more follows it", in.at);
    if (!p->has_round || !p->has_signature)
        return rf_fail(err, RAFFLE_INVALID, "the beacon's round: \"%s\" is missing",
                       p->has_round ? "signature" : "round");
    return RAFFLE_OK;
}

static raffle_rc check_randomness(const published *p, raffle_error *err)
{
    uint8_t digest[32];
    if (!p->has_randomness)
        return RAFFLE_OK;
    if (EVP_Digest(p->signature, sizeof p->signature, digest, NULL, EVP_sha256(), NULL) != 1)
        return rf_fail(err, RAFFLE_RNG, "SHA-256 failed in the cryptographic library");
    if (memcmp(digest, p->randomness, sizeof digest) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the randomness of round %" PRId64 " is not the SHA-256 of its signature",
                       p->round);
    return RAFFLE_OK;
}

raffle_rc raffle_beacon_parse(const char *json, size_t length, uint64_t *round, uint8_t value[RAFFLE_BEACON_SIZE],
                              raffle_error *err)
{
    published p = {0};
    if (json == NULL || round == NULL || value == NULL)
        return rf_null(err, json == NULL ? "json" : round == NULL ? "round" : "value");
    if (length > JSON_MAX)
        return rf_fail(err, RAFFLE_INVALID, "the beacon's round has %zu bytes, more than %d", length, JSON_MAX);
    raffle_rc rc = read_published(json, length, &p, err);
    if (rc == RAFFLE_OK)
        rc = check_randomness(&p, err);
    if (rc != RAFFLE_OK)
        return rc;
    *round = (uint64_t)p.round;
    memcpy(value, p.signature, sizeof p.signature);
    return RAFFLE_OK;
}

/* --- in a draw --- */

raffle_rc rf_beacon_check(raffle_beacon_verify verify, void *ctx, uint64_t round, const uint8_t value[RF_BEACON_SIZE],
                          raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    if (verify == NULL)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "nothing was given that verifies round %" PRIu64 " of the beacon",
                       round);
    raffle_rc rc = verify(ctx, round, value, &theirs);
    if (rc == RAFFLE_OK)
        return rc;
    theirs.message[sizeof theirs.message - 1] = 0;
    if (theirs.message[0] == 0)
        rf_fail(&theirs, rc, "the value is not that of round %" PRIu64 " of the beacon", round);
    theirs.rc = rc == RAFFLE_SIGNATURE ? rc : RAFFLE_HOST;
    return rf_fail_as(err, &theirs);
}

raffle_rc rf_beacon_fallback(uint8_t seed[RF_SEED_SIZE], const uint8_t c[32], const uint8_t beacon[RF_BEACON_SIZE],
                             raffle_error *err)
{
    static const char label[] = "libraffle/fallback/v1"; /* with its NUL */
    uint8_t bytes[sizeof label + 32 + RF_BEACON_SIZE];
    memcpy(bytes, label, sizeof label);
    memcpy(bytes + sizeof label, c, 32);
    memcpy(bytes + sizeof label + 32, beacon, RF_BEACON_SIZE);
    if (EVP_Digest(bytes, sizeof bytes, seed, NULL, EVP_sha384(), NULL) != 1)
        return rf_fail(err, RAFFLE_RNG, "SHA-384 failed in the cryptographic library");
    return RAFFLE_OK;
}
