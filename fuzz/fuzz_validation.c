/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs type: validation numbers, draw numbers, times and store URIs, each read and written again. */
#include "bytes.h"
#include "fuzz.h"
#include "number.h"
#include "timestamp.h"
#include "uri.h"
#include "validation.h"

static rf_sha256 *hash;
static const uint8_t unit_key[32] = {1, 2, 3};

/* --- validation numbers --- */

/* The number of a ticket is read as that ticket's, and is no other's. */
static void check_made(uint32_t unit, uint64_t serial, int64_t at)
{
    char text[RF_VN_SIZE];
    rf_vn vn;
    rf_vn_make(hash, text, unit_key, unit, serial, at);
    fuzz_require(strlen(text) == RF_VN_SIZE - 1 && rf_vn_parse(&vn, text, strlen(text), NULL) == RAFFLE_OK,
                 "a number that was made is read");
    fuzz_require(vn.unit == unit && rf_vn_serial(hash, &vn, unit_key) == serial, "it gives its unit and its serial");
    fuzz_require(rf_vn_check(hash, &vn, unit_key, serial, at), "it is right for its ticket");
    fuzz_require(!rf_vn_check(hash, &vn, unit_key, serial ^ 1, at) && !rf_vn_check(hash, &vn, unit_key, serial, at ^ 1),
                 "it is wrong for another serial and for another time");
}

static void check_validation(const char *text, size_t length)
{
    rf_vn vn;
    if (rf_vn_parse(&vn, text, length, NULL) != RAFFLE_OK)
        return;
    const uint64_t serial = rf_vn_serial(hash, &vn, unit_key);
    fuzz_require(vn.unit >= 1 && vn.unit <= RAFFLE_UNIT_MAX && serial <= RF_NUMBER_MAX,
                 "a number that is accepted is of a unit and a serial");
    fuzz_require(!rf_vn_check(hash, &vn, unit_key, serial, 0), "a number is not right by chance");
    check_made(vn.unit, serial, (int64_t)rf_get_be(vn.tag, 7));
}

/* --- draw numbers --- */

static void check_number(const char *string)
{
    uint32_t unit = 0, unit_again = 0;
    uint64_t number = 0, number_again = 0;
    char out[RAFFLE_NUMBER_SIZE], again[RAFFLE_NUMBER_SIZE];
    if (raffle_number_parse(string, &unit, &number, NULL) != RAFFLE_OK)
        return;
    fuzz_require(unit >= 1 && unit <= RAFFLE_UNIT_MAX && number >= 1 && number <= RF_NUMBER_MAX,
                 "a draw number that is accepted is within its bounds");
    fuzz_require(raffle_number_format(unit, number, out, NULL) == RAFFLE_OK,
                 "a draw number that is accepted is printed");
    fuzz_require(raffle_number_parse(out, &unit_again, &number_again, NULL) == RAFFLE_OK && unit == unit_again &&
                     number == number_again,
                 "a printed draw number is read as the same");
    fuzz_require(raffle_number_format(unit_again, number_again, again, NULL) == RAFFLE_OK && strcmp(out, again) == 0,
                 "a draw number is printed the same");
    fuzz_require(strlen(string) <= strlen(out), "a draw number is not typed longer than it is printed");
}

/* --- times --- */

static void check_time(const char *text, size_t length)
{
    char out[RF_TIME_LENGTH], local[29];
    int64_t ms = -1;
    if (!rf_time_parse(text, length, &ms))
        return;
    fuzz_require(ms >= 0 && ms <= RF_TIME_MAX && rf_time_format(out, ms), "a time that is accepted can be written");
    fuzz_require(fuzz_same(out, sizeof out, text, length), "a time that is accepted is written as the same text");
    fuzz_require(rf_time_format_local(local, ms, 0) && memcmp(local, text, 23) == 0,
                 "at no offset it is the same time");
    const int32_t offset = (int32_t)(ms % 4000) - 2000;
    if (rf_time_format_local(local, ms, offset))
        fuzz_require(offset > -24 * 60 && offset < 24 * 60, "an offset is of less than a day");
}

/* Any number at all is a time that is read again, or none. */
static void check_milliseconds(int64_t ms)
{
    char out[RF_TIME_LENGTH], local[29];
    int64_t again = -1;
    bool good = rf_time_format(out, ms);
    fuzz_require(good == (ms >= 0 && ms <= RF_TIME_MAX), "times reach from 1970 to 9999");
    if (good)
        fuzz_require(rf_time_parse(out, sizeof out, &again) && again == ms,
                     "a time that was written is read as the same");
    rf_time_format_local(local, ms, (int32_t)(ms >> 32));
}

/* --- URIs --- */

static bool within(const rf_uri *uri, size_t at)
{
    return at < uri->used && memchr(uri->text + at, 0, uri->used - at) != NULL;
}

static void check_uri(const char *string)
{
    static rf_uri uri;
    if (rf_uri_parse(&uri, string, NULL) != RAFFLE_OK)
        return;
    fuzz_require(rf_uri_has_scheme(string) && strncmp(string, uri.scheme, strlen(uri.scheme)) == 0,
                 "a URI that is accepted begins with its scheme");
    fuzz_require(uri.used <= sizeof uri.text && within(&uri, uri.rest) && uri.queries <= RF_URI_QUERIES,
                 "a URI's parts are within its text");
    fuzz_require(uri.fragment == 0 || within(&uri, uri.fragment), "a URI's fragment is within its text");
    for (size_t i = 0; i < uri.queries; i++) {
        const size_t key = uri.query[i].key, value = uri.query[i].value;
        bool flag = false;
        fuzz_require(within(&uri, key) && within(&uri, value), "a URI's pairs are within its text");
        fuzz_require(rf_uri_get(&uri, uri.text + key) == uri.text + value, "a key gives its value");
        raffle_rc rc = rf_uri_flag(&uri, uri.text + key, &flag, NULL);
        fuzz_require(rc == RAFFLE_OK || rc == RAFFLE_INVALID, "a flag is 0, 1 or refused");
    }
    const char *const none[] = {NULL};
    fuzz_require(rf_uri_only(&uri, none, NULL) == (uri.queries == 0 ? RAFFLE_OK : RAFFLE_INVALID),
                 "a key that is not known is refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    if (hash == NULL)
        hash = rf_sha256_new();
    fuzz_require(hash != NULL, "there is a digest");
    char *string = fuzz_alloc(size + 1);
    if (size > 0)
        memcpy(string, data, size);
    string[size] = 0;
    check_validation(text, size);
    check_time(text, size);
    check_number(string);
    check_uri(string);
    if (size >= 8)
        check_milliseconds((int64_t)rf_get_be(data, 8));
    if (size >= 15)
        check_made(1 + (uint32_t)rf_get_be(data, 2) % RAFFLE_UNIT_MAX, rf_get_be(data + 2, 5),
                   (int64_t)rf_get_be(data + 7, 8));
    free(string);
    return 0;
}
