/* SPDX-License-Identifier: Apache-2.0 */
/* Self-verification: a manifest that its maker signed, altered in every byte, and a raffle that begins no draw while a program is another one. */
#include "fixture.h"

#include "bytes.h"
#include "note.h"
#include <sodium.h>

static uint8_t secret[crypto_sign_SECRETKEYBYTES];
static char vkey[RF_VKEY_SIZE], own[256];
static uint8_t own_hash[32];

static void named_maker(const char *name, uint8_t type, uint8_t first)
{
    const uint8_t seed[32] = {first};
    uint8_t public_key[32];
    rf_vkey key;
    ck_assert_int_eq(crypto_sign_seed_keypair(public_key, secret, seed), 0);
    ck_assert_int_eq(rf_vkey_make(&key, name, type, public_key, NULL), RAFFLE_OK);
    rf_vkey_format(&key, vkey);
}

/* A maker's key. All makers give theirs the same name. */
static void maker(uint8_t first)
{
    named_maker("maker.example/release", RF_NOTE_ED25519, first);
}

/* The maker's key, and the file that these tests were loaded from. */
static void begin(void)
{
    char path[4096];
    maker(7);
    FX_OK(raffle_self_hash(path, sizeof path, own_hash, &fx.err));
    snprintf(own, sizeof own, "%s", strrchr(path, '/') + 1);
}

static size_t sign(char *out, size_t cap, const char *text)
{
    uint8_t signature[64];
    rf_vkey key;
    ck_assert_int_eq(rf_vkey_parse(&key, vkey, strlen(vkey), NULL), RAFFLE_OK);
    ck_assert_int_eq(crypto_sign_detached(signature, NULL, (const uint8_t *)text, strlen(text), secret), 0);
    const size_t n = rf_note_format(out, cap, text, strlen(text), &key, signature);
    ck_assert_uint_gt(n, 0);
    return n;
}

static size_t manifest_of(char *out, size_t cap, const uint8_t hash[32], const char *name)
{
    char text[1024], digits[65] = "";
    rf_hex_encode(digits, hash, 32);
    snprintf(text, sizeof text, "libraffle/manifest/v1\n%064d  other\n%s  %s\n", 0, digits, name);
    return sign(out, cap, text);
}

START_TEST(the_library_is_the_one_that_was_signed)
{
    char manifest[2048];
    uint8_t other[32] = {1};
    begin();
    size_t n = manifest_of(manifest, sizeof manifest, own_hash, own);
    FX_OK(raffle_self_verify(manifest, n, vkey, &fx.err));
    FX_OK(raffle_manifest_verify(manifest, n, vkey, own, own_hash, &fx.err));
    FX_FAILS(RAFFLE_CORRUPT, raffle_manifest_verify(manifest, n, vkey, own, other, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_manifest_verify(manifest, n, vkey, "none", own_hash, &fx.err));
    n = manifest_of(manifest, sizeof manifest, other, own);
    FX_FAILS(RAFFLE_CORRUPT, raffle_self_verify(manifest, n, vkey, &fx.err));
    n = manifest_of(manifest, sizeof manifest, own_hash, "another");
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_self_verify(manifest, n, vkey, &fx.err));
}
END_TEST

START_TEST(a_manifest_altered_in_any_byte)
{
    char manifest[2048], altered[2048];
    begin();
    const size_t n = manifest_of(manifest, sizeof manifest, own_hash, own);
    for (size_t i = 0; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(altered, manifest, n);
            altered[i] = (char)(altered[i] ^ 1 << bit);
            const raffle_rc rc = raffle_self_verify(altered, n, vkey, NULL);
            ck_assert_msg(rc == RAFFLE_SIGNATURE || rc == RAFFLE_INVALID, "byte %zu, bit %d: %d", i, bit, rc);
        }
    }
    for (size_t i = 0; i < n; i++)
        ck_assert_int_ne(raffle_self_verify(manifest, i, vkey, NULL), RAFFLE_OK);
}
END_TEST

START_TEST(what_is_no_manifest)
{
    static const char *const texts[] = {"libraffle/manifest/v2\n",
                                        "libraffle/manifest/v1",
                                        "libraffle/manifest/v1\n0000  x\n",
                                        "libraffle/manifest/v1\n%H  a/b\n",
                                        "libraffle/manifest/v1\n%H  \n",
                                        "libraffle/manifest/v1\n%H %N\n",
                                        "libraffle/manifest/v1\n%H  two words\n",
                                        "libraffle/manifest/v1\n%H  %N\n%H  %N\n",
                                        "libraffle/manifest/v1\n%H  %N\n\n%H  y\n",
                                        "x\n"};
    char manifest[4096], text[2048], digits[65] = "";
    begin();
    rf_hex_encode(digits, own_hash, 32);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t used = 0;
        for (const char *at = texts[i]; *at != 0; at++)
            used += (size_t)(*at != '%' ? snprintf(text + used, sizeof text - used, "%c", *at)
                                        : snprintf(text + used, sizeof text - used, "%s", *++at == 'H' ? digits : own));
        if (text[used - 1] != '\n')
            continue;
        const size_t n = sign(manifest, sizeof manifest, text);
        ck_assert_msg(raffle_self_verify(manifest, n, vkey, NULL) == RAFFLE_INVALID, "%zu", i);
    }
    const size_t n = manifest_of(manifest, sizeof manifest, own_hash, own);
    FX_FAILS(RAFFLE_INVALID, raffle_self_verify(manifest, n, "no key", &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_self_verify(NULL, 0, vkey, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_self_verify(manifest, n, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_manifest_verify(manifest, n, vkey, NULL, own_hash, &fx.err));
}
END_TEST

static raffle_rc check(const char *manifest, size_t n)
{
    return raffle_self_check(fx.raffle, &fx_system, manifest, n, vkey, &fx.err);
}

START_TEST(no_draw_begins_while_a_program_is_another_one)
{
    char good[2048], bad[2048];
    uint8_t other[32] = {1};
    raffle_draw *draw = NULL;
    begin();
    const size_t n = manifest_of(good, sizeof good, own_hash, own), m = manifest_of(bad, sizeof bad, other, own);
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(check(good, n));
    FX_FAILS(RAFFLE_CORRUPT, check(bad, m));
    FX_REFUSED(RAFFLE_HALTED, raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    fx_close();
    fx_open(); /* in no process */
    FX_REFUSED(RAFFLE_HALTED, raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    fx_sell("b", "one"); /* what is sold is on record all the same */
    FX_OK(check(good, n));
    fx_draw("bird");
    good[n - 5] = good[n - 5] == 'A' ? 'B' : 'A'; /* in the signature */
    FX_FAILS(RAFFLE_SIGNATURE, check(good, n));
    char leaf[512];
    fx_leaf(0, fx_size(0) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"program.altered\""));
    FX_FAILS(RAFFLE_INVALID, check("nothing", 7));
    fx_leaf(0, fx_size(0) - 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"program.altered\""));
    FX_REFUSED(RAFFLE_INVALID, raffle_self_check(fx.raffle, &fx_system, good, n, "no key", &fx.err));
    FX_REFUSED(RAFFLE_MISUSE, raffle_self_check(fx.raffle, &fx_system, good, n, NULL, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_event(fx.raffle, &fx_boss, 0, "program.verified", NULL, NULL, &fx.err));
}
END_TEST

/* Whoever may write events may hold a program to a manifest of their own: it lifts nothing that another's found. */
START_TEST(nobody_makes_a_program_good_with_a_key_of_their_own)
{
    char good[2048], bad[2048], own_good[2048], own_bad[2048], own_key[RF_VKEY_SIZE];
    uint8_t other[32] = {1};
    raffle_draw *draw = NULL;
    begin();
    const size_t n = manifest_of(good, sizeof good, own_hash, own), m = manifest_of(bad, sizeof bad, other, own);
    maker(8);
    const size_t own_n = manifest_of(own_good, sizeof own_good, own_hash, own);
    const size_t own_m = manifest_of(own_bad, sizeof own_bad, other, own);
    memcpy(own_key, vkey, sizeof own_key);
    maker(7);
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);

    FX_FAILS(RAFFLE_CORRUPT, check(bad, m));
    FX_REFUSED(RAFFLE_ROLE, raffle_self_check(fx.raffle, &fx_seller, own_good, own_n, own_key, &fx.err));
    FX_OK(check(good, n));

    /* Nor by a finding of their own, before or after. */
    FX_FAILS(RAFFLE_CORRUPT, raffle_self_check(fx.raffle, &fx_seller, own_bad, own_m, own_key, &fx.err));
    FX_FAILS(RAFFLE_CORRUPT, check(bad, m));
    FX_FAILS(RAFFLE_CORRUPT, raffle_self_check(fx.raffle, &fx_seller, own_bad, own_m, own_key, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_self_check(fx.raffle, &fx_seller, own_good, own_n, own_key, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, check(good, n));
    FX_REFUSED(RAFFLE_HALTED, raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));

    FX_OK(raffle_self_check(fx.raffle, &fx_boss, good, n, vkey, &fx.err));
    FX_OK(raffle_self_check(fx.raffle, &fx_seller, own_good, own_n, own_key, &fx.err)); /* while nothing is amiss */
    fx_draw("bird");
}
END_TEST

/* What is written once is read for ever, by this library and by others. */
START_TEST(a_key_whose_name_a_record_escapes)
{
    char good[2048], bad[2048];
    uint8_t other[32] = {1};
    begin();
    fx_create(FX_RULES);
    named_maker("maker\"s\\own", RF_NOTE_ED25519, 7);
    const size_t n = manifest_of(good, sizeof good, own_hash, own), m = manifest_of(bad, sizeof bad, other, own);
    FX_FAILS(RAFFLE_CORRUPT, check(bad, m));
    FX_OK(check(good, n));
    fx_close();
    fx_open();
    FX_OK(check(good, n));
}
END_TEST

START_TEST(a_key_that_no_record_may_hold)
{
    char manifest[2048];
    begin();
    const size_t n = manifest_of(manifest, sizeof manifest, own_hash, own);
    fx_create(FX_RULES);
    named_maker("maker.example/release", RF_NOTE_COSIGNATURE, 7);
    FX_FAILS(RAFFLE_INVALID, raffle_self_verify(manifest, n, vkey, &fx.err));
    FX_REFUSED(RAFFLE_INVALID, check(manifest, n));
    named_maker("maker\x7f", RF_NOTE_ED25519, 7);
    FX_REFUSED(RAFFLE_INVALID, check(manifest, n));
    named_maker("maker\xc2\x9f", RF_NOTE_ED25519, 7);
    FX_REFUSED(RAFFLE_INVALID, check(manifest, n));
}
END_TEST

FX_MAIN("raffle_self", the_library_is_the_one_that_was_signed, a_manifest_altered_in_any_byte, what_is_no_manifest,
        no_draw_begins_while_a_program_is_another_one, nobody_makes_a_program_good_with_a_key_of_their_own,
        a_key_whose_name_a_record_escapes, a_key_that_no_record_may_hold)
