/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of tokens: what may stand there, what is refused by which name, and that no sentence holds a PIN. */
#include "pkcs11_uri.h"
#include "vectors.h"

static void noted(const char *text, const char *expected)
{
    rf_p11_uri uri;
    ck_assert_int_eq(rf_p11_uri_parse(&uri, text, NULL), RAFFLE_OK);
    ck_assert_str_eq(uri.noted, expected);
    rf_p11_uri_clear(&uri);
}

static void good(const char *text, const char *without_pin)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_p11_uri uri;
    ck_assert_msg(rf_p11_uri_parse(&uri, text, &err) == RAFFLE_OK, "%s: %s", text, err.message);
    ck_assert_str_eq(uri.text, without_pin);
    rf_p11_uri_clear(&uri);
}

/* Refused with all of `words`, which are parted by '|'. */
static void refused(const char *text, raffle_rc rc, const char *words)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_p11_uri uri;
    char word[64];
    ck_assert_msg(rf_p11_uri_parse(&uri, text, &err) == rc, "%s: %s", text, err.message);
    while (*words != '\0') {
        const size_t length = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        ck_assert_msg(strstr(err.message, word) != NULL, "%s: \"%s\" does not say \"%s\"", text, err.message, word);
        words += length + (words[length] == '|');
    }
    ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
    rf_p11_uri_clear(&uri);
}

START_TEST(good_ones)
{
    good("pkcs11:token=raffle", "pkcs11:token=raffle");
    good("pkcs11:serial=12ab", "pkcs11:serial=12ab");
    good("pkcs11:token=my%20raffle;serial=1;manufacturer=SoftHSM%20project;model=v2",
         "pkcs11:token=my%20raffle;serial=1;manufacturer=SoftHSM%20project;model=v2");
    good("pkcs11:token=a?module-path=/x.so&pin-value=s3cret", "pkcs11:token=a?module-path=/x.so");
    good("pkcs11:token=a?pin-value=s3cret&module-path=/x.so", "pkcs11:token=a?module-path=/x.so");
    good("pkcs11:token=a?pin-value=s3cret", "pkcs11:token=a");
    good("pkcs11:token=a?pin-source=/s3cret", "pkcs11:token=a");
    good("pkcs11:token=a?pin-source=file:/s3cret&module-name=softhsm2", "pkcs11:token=a?module-name=softhsm2");
    good("pkcs11:token=abcdefghijklmnopqrstuvwxyz012345", "pkcs11:token=abcdefghijklmnopqrstuvwxyz012345");
}
END_TEST

START_TEST(what_may_be_noted)
{
    noted("pkcs11:token=a;serial=1?pin-value=s3cret&module-path=/x.so", "pkcs11:token=a;serial=1?module-path=/x.so");
    noted("pkcs11:token=a?module-path=/x.so&pin-value=s3cret", "pkcs11:token=a?module-path=/x.so");
    noted("pkcs11:token=a?pin-value=s3cret", "pkcs11:token=a");
    noted("pkcs11:token=a?pin-source=/run/pin&module-path=/x.so",
          "pkcs11:token=a?pin-source=/run/pin&module-path=/x.so");
}
END_TEST

START_TEST(names)
{
    refused("pkcs11:slot-id=0", RAFFLE_INVALID, "slot-id|label");
    refused("pkcs11:token=a;slot-id=0", RAFFLE_INVALID, "slot-id");
    refused("pkcs11:slot-description=a", RAFFLE_INVALID, "slot-description");
    refused("pkcs11:token=a;slot-manufacturer=a", RAFFLE_INVALID, "slot-manufacturer");
    refused("pkcs11:token=a;object=key", RAFFLE_INVALID, "object");
    refused("pkcs11:token=a;type=private", RAFFLE_INVALID, "type");
    refused("pkcs11:token=a;id=%01", RAFFLE_INVALID, "id");
    refused("pkcs11:token=a;library-version=3", RAFFLE_INVALID, "library-version|module-path");
    refused("pkcs11:token=a;library-description=3", RAFFLE_INVALID, "library-description");
    refused("pkcs11:token=a;library-manufacturer=3", RAFFLE_INVALID, "library-manufacturer");
    refused("pkcs11:token=a;colour=red", RAFFLE_INVALID, "\"colour\"");
    refused("pkcs11:token=a?x-vendor=red", RAFFLE_INVALID, "\"x-vendor\"");
    refused("pkcs11:Token=a", RAFFLE_INVALID, "name of an attribute");
    refused("pkcs11:abcdefghijklmnopqrstuvwxyz0123456=a", RAFFLE_INVALID, "name of an attribute");
}
END_TEST

START_TEST(what_is_missing_or_too_much)
{
    refused("pkcs11:", RAFFLE_INVALID, "token=|serial=");
    refused("pkcs11:?module-path=/x.so", RAFFLE_INVALID, "token=|serial=");
    refused("pkcs11:manufacturer=a;model=b", RAFFLE_INVALID, "token=|serial=");
    refused("pkcs11:token=a;token=a", RAFFLE_INVALID, "token is given twice");
    refused("pkcs11:token=a?module-path=/a&module-path=/a", RAFFLE_INVALID, "module-path is given twice");
    refused("pkcs11:token=a?module-path=/a&module-name=b", RAFFLE_INVALID, "module-path|module-name|exclude");
    refused("pkcs11:token=a?pin-value=s3cret&pin-source=/s3cret", RAFFLE_INVALID, "pin-value|pin-source|exclude");
    refused("pkcs11:token=a?pin-value=s3cret&pin-value=s3cret", RAFFLE_INVALID, "pin-value is given twice");
    refused("pkcs11:token=a;module-path=/x.so", RAFFLE_INVALID, "module-path belongs after");
    refused("pkcs11:token=a;pin-value=s3cret", RAFFLE_INVALID, "pin-value belongs after");
    refused("pkcs11:token=a?serial=1", RAFFLE_INVALID, "serial belongs before");
    refused("pkcs11:token=", RAFFLE_INVALID, "token is empty");
    refused("pkcs11:token=a?pin-value=", RAFFLE_INVALID, "pin-value is empty");
    refused("pkcs11:token=a;", RAFFLE_INVALID, "'='");
    refused("pkcs11:token=a;;serial=1", RAFFLE_INVALID, "'='");
    refused("pkcs11:token=a?", RAFFLE_INVALID, "'='");
    refused("pkcs11:=a", RAFFLE_INVALID, "'='");
    refused("PKCS11:token=a", RAFFLE_INVALID, "pkcs11:");
    refused("token=a", RAFFLE_INVALID, "pkcs11:");
}
END_TEST

START_TEST(values)
{
    refused("pkcs11:token=my raffle", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a\tb", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a%0", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a%zz", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a%00", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=%00", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=abcdefghijklmnopqrstuvwxyz0123456", RAFFLE_INVALID, "token|32");
    refused("pkcs11:serial=0123456789abcdef0", RAFFLE_INVALID, "serial|16");
    refused("pkcs11:token=a/b", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a#b", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=\xc3\xa9", RAFFLE_INVALID, "token|%XX");
    refused("pkcs11:token=a?module-path=x.so", RAFFLE_INVALID, "module-path|root");
    refused("pkcs11:token=a?pin-value=s3cret#", RAFFLE_INVALID, "pin-value|%XX");
    refused("pkcs11:token=a?pin-value=s3cret%", RAFFLE_INVALID, "pin-value|%XX");
    refused("pkcs11:token=a?pin-source=|s3cret", RAFFLE_INVALID, "pin-source|command");
    refused("pkcs11:token=a?pin-source=%7Cs3cret", RAFFLE_INVALID, "pin-source|command");
    refused("pkcs11:token=a?pin-source=s3cret", RAFFLE_INVALID, "pin-source|root");
    refused("pkcs11:token=a?pin-source=file:s3cret", RAFFLE_INVALID, "pin-source|root");
    refused("pkcs11:token=a?pin-source=file://s3cret/a", RAFFLE_INVALID, "pin-source|root");
    refused("pkcs11:token=a?pin-source=https://s3cret/a", RAFFLE_INVALID, "pin-source|root");
}
END_TEST

/* A PIN that was not encoded falls apart into attributes: no part of it is said. */
START_TEST(pins_that_were_not_encoded)
{
    refused("pkcs11:token=a?pin-value=12&s3cret", RAFFLE_INVALID, "'='");
    refused("pkcs11:token=a?pin-value=12&s3cret=3", RAFFLE_INVALID, "not known|%26");
    refused("pkcs11:token=a?pin-s3cret=3", RAFFLE_INVALID, "\"pin\"");
    refused("pkcs11:token=a?pins3cret", RAFFLE_INVALID, "'='");
    refused("pkcs11:token=a?pin-value:s3cret", RAFFLE_INVALID, "'='");
}
END_TEST

START_TEST(too_long)
{
    char text[RF_P11_URI_MAX + 2] = "pkcs11:token=a?module-path=/";
    memset(text + strlen(text), 'x', RF_P11_URI_MAX + 1 - strlen(text));
    refused(text, RAFFLE_LIMIT, "2048");
    text[RF_P11_URI_MAX] = '\0';
    refused(text, RAFFLE_INVALID, "module-path|1024");
}
END_TEST

START_TEST(pins)
{
    char text[3 * RF_P11_PIN_MAX + 64] = "pkcs11:token=a?pin-value=user:p%26%2F%C3%A9/?";
    rf_p11_uri uri;
    ck_assert_int_eq(rf_p11_uri_parse(&uri, text, NULL), RAFFLE_OK);
    ck_assert_uint_eq(uri.pin->length, 12);
    ck_assert_mem_eq(uri.pin->bytes, "user:p&/\xc3\xa9/?", 12);
    rf_p11_uri_clear(&uri);
    const size_t prefix = strlen("pkcs11:token=a?pin-value=");
    for (size_t i = 0; i < RF_P11_PIN_MAX; i++)
        memcpy(text + prefix + 3 * i, "%41", 4);
    ck_assert_int_eq(rf_p11_uri_parse(&uri, text, NULL), RAFFLE_OK);
    ck_assert_uint_eq(uri.pin->length, RF_P11_PIN_MAX);
    rf_p11_uri_clear(&uri);
    memcpy(text + prefix + 3 * RF_P11_PIN_MAX, "s", 2);
    refused(text, RAFFLE_INVALID, "pin-value|255");
}
END_TEST

START_TEST(files_and_modules)
{
    static const char *const same[] = {"pkcs11:token=a?pin-source=/run/a%20b",
                                       "pkcs11:token=a?pin-source=file:/run/a%20b",
                                       "pkcs11:token=a?pin-source=file:///run/a%20b"};
    rf_p11_uri uri;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        ck_assert_int_eq(rf_p11_uri_parse(&uri, same[i], NULL), RAFFLE_OK);
        ck_assert_str_eq(uri.pin_file, "/run/a b");
        ck_assert_ptr_null(uri.pin);
        ck_assert_ptr_null(rf_p11_uri_module_path(&uri));
        rf_p11_uri_clear(&uri);
    }
    ck_assert_int_eq(rf_p11_uri_parse(&uri, "pkcs11:token=a%20b?module-path=/x%20y.so", NULL), RAFFLE_OK);
    ck_assert_str_eq(rf_p11_uri_module_path(&uri), "/x y.so");
    ck_assert_ptr_null(rf_p11_uri_module_name(&uri));
    ck_assert_mem_eq(p11_kit_uri_get_token_info(uri.parsed)->label, "a b                             ", 32);
    rf_p11_uri_clear(&uri);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, good_ones);
    tcase_add_test(tests, what_may_be_noted);
    tcase_add_test(tests, names);
    tcase_add_test(tests, what_is_missing_or_too_much);
    tcase_add_test(tests, values);
    tcase_add_test(tests, pins_that_were_not_encoded);
    tcase_add_test(tests, too_long);
    tcase_add_test(tests, pins);
    tcase_add_test(tests, files_and_modules);
}

int main(void)
{
    return run_tests("rng_pkcs11_uri", add);
}
