/* SPDX-License-Identifier: Apache-2.0 */
/* Records, private parts and lists of places: what is accepted is encoded as the same bytes, and its texts are texts. */
#include "bytes.h"
#include "fuzz.h"
#include "record.h"

enum {
    TEXT_SIZE = 4096
};

/* A text that may be shown: no control character hides in its escapes. */
static void check_text(bool given, const rf_text *text)
{
    char plain[TEXT_SIZE];
    if (!given)
        return;
    size_t length = rf_json_unescape(text, plain, sizeof plain);
    fuzz_require(length < sizeof plain && rf_text_valid(plain, length, sizeof plain),
                 "a text is UTF-8 without control characters");
    fuzz_require(rf_text_copy(text, plain, sizeof plain) && strlen(plain) == length, "a text is copied whole");
}

static void check_record(const char *leaf, size_t length)
{
    rf_record r;
    if (rf_record_decode(&r, leaf, length, NULL) != RAFFLE_OK)
        return;
    char *out = fuzz_alloc(length);
    fuzz_require(fuzz_same(out, rf_record_encode(&r, out, length), leaf, length),
                 "a record that is accepted is encoded as the same bytes");
    fuzz_require(rf_record_encode(&r, out, length - 1) == 0, "a record does not fit into less than its length");
    free(out);
    check_text(rf_has(&r, RF_F_KEY), &r.key);
    check_text(rf_has(&r, RF_F_NAME), &r.name);
    check_text(rf_has(&r, RF_F_PROVIDER), &r.provider);
}

static void check_private(const char *json, size_t length)
{
    rf_private p;
    if (rf_private_decode(&p, json, length, NULL) != RAFFLE_OK)
        return;
    char *out = fuzz_alloc(length);
    fuzz_require(fuzz_same(out, rf_private_encode(&p, out, length), json, length),
                 "a private part that is accepted is encoded as the same bytes");
    free(out);
    check_text(true, &p.actor);
    check_text((p.has & rf_bit(RF_P_BUYER)) != 0, &p.buyer);
    check_text((p.has & rf_bit(RF_P_KEYS)) != 0, &p.keys);
    check_text((p.has & rf_bit(RF_P_OK)) != 0, &p.ok);
    check_text((p.has & rf_bit(RF_P_ORDER)) != 0, &p.order);
    check_text((p.has & rf_bit(RF_P_PAYMENT)) != 0, &p.payment);
    check_text((p.has & rf_bit(RF_P_TEXT)) != 0, &p.text);
}

static void check_places(const char *json, size_t length)
{
    rf_place places[RF_PLACES_MAX];
    size_t n = 0;
    if (rf_places_decode(&(rf_text){json, length, false}, places, RF_PLACES_MAX, &n, NULL) != RAFFLE_OK)
        return;
    rf_json_writer w;
    char *out = fuzz_alloc(length);
    rf_json_init(&w, out, length);
    rf_places_encode(&w, places, n);
    fuzz_require(w.ok && fuzz_same(out, w.length, json, length),
                 "places that are accepted are encoded as the same bytes");
    free(out);
    if (n > 0)
        fuzz_require(rf_places_decode(&(rf_text){json, length, false}, places, n - 1, &n, NULL) == RAFFLE_CORRUPT,
                     "more places than there is room for are refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    check_record(json, size);
    check_private(json, size);
    check_places(json, size);
    return 0;
}
