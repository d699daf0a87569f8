/* SPDX-License-Identifier: Apache-2.0 */
/* The selection over a generator that is stuck: this program brings functions of its own in the place of hmac_drbg.c. */
#include "error.h"
#include "select.h"
#include "vectors.h"

/* The state's first byte is how many words of ones come before zeros. */
raffle_rc rf_drbg_generate(rf_drbg *d, uint8_t *out, size_t length, const uint8_t *additional, size_t additional_length,
                           raffle_error *err)
{
    (void)additional;
    (void)additional_length;
    (void)err;
    for (size_t at = 0; at < length; at += 8) {
        memset(out + at, d->reseed_counter > 0 ? 0xff : 0, 8);
        if (d->reseed_counter > 0)
            d->reseed_counter--;
    }
    return RAFFLE_OK;
}

raffle_rc rf_drbg_instantiate(rf_drbg *d, rf_sha256 *hash, const uint8_t *entropy, size_t entropy_length,
                              const uint8_t *nonce, size_t nonce_length, const uint8_t *personalisation,
                              size_t personalisation_length, raffle_error *err)
{
    (void)d, (void)hash, (void)entropy, (void)entropy_length, (void)nonce, (void)nonce_length, (void)personalisation,
        (void)personalisation_length;
    return rf_fail(err, RAFFLE_RNG, "the stuck generator needs no seed");
}

static rf_select *after_ones(uint64_t words)
{
    rf_drbg d = {.reseed_counter = words};
    rf_select *s = NULL;
    ck_assert_int_eq(rf_select_over(&d, 10, &s, NULL), RAFFLE_OK);
    return s;
}

START_TEST(one_word_less_than_the_bound)
{
    rf_select *s = after_ones(RF_REJECT_MAX - 1);
    uint64_t pick = 99;
    ck_assert_int_eq(rf_select_next(s, &pick, NULL), RAFFLE_OK);
    ck_assert_uint_eq(pick, 0);
    ck_assert_uint_eq(rf_select_rejected(s), RF_REJECT_MAX - 1);
    rf_select_free(s);
}
END_TEST

/* The words are good again afterwards, but a generator that was called broken stays so: no retry may change a draw. */
START_TEST(as_many_words_as_the_bound)
{
    rf_select *s = after_ones(RF_REJECT_MAX);
    raffle_error err = {.struct_size = sizeof err};
    uint64_t pick = 99;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rf_select_next(s, &pick, &err), RAFFLE_RNG);
    ck_assert_int_eq(rf_select_below(s, 8, &pick, NULL), RAFFLE_RNG);
    ck_assert_uint_eq(pick, 99);
    ck_assert_ptr_nonnull(strstr(err.message, "256 words in a row"));
    ck_assert_uint_eq(rf_select_rejected(s), RF_REJECT_MAX);
    rf_select_free(s);
}
END_TEST

/* 2^64 is a multiple of a power of two: even a word of ones is accepted. */
START_TEST(powers_of_two_reject_nothing)
{
    rf_select *s = after_ones(1000);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = 0;
        ck_assert_int_eq(rf_select_below(s, UINT64_C(1) << bit, &value, NULL), RAFFLE_OK);
        ck_assert_uint_eq(value, (UINT64_C(1) << bit) - 1);
    }
    ck_assert_uint_eq(rf_select_rejected(s), 0);
    rf_select_free(s);
}
END_TEST

START_TEST(a_selection_that_cannot_be_seeded)
{
    static const uint8_t zeros[48];
    rf_select *s = NULL;
    ck_assert_int_eq(rf_select_new(NULL, zeros, zeros, zeros, 47, 10, &s, NULL), RAFFLE_INVALID);
    rf_sha256 *h = rf_sha256_new();
    ck_assert_int_eq(rf_select_new(h, zeros, zeros, NULL, 0, 10, &s, NULL), RAFFLE_RNG);
    ck_assert_ptr_null(s);
    rf_sha256_free(h);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, one_word_less_than_the_bound);
    tcase_add_test(tests, as_many_words_as_the_bound);
    tcase_add_test(tests, powers_of_two_reject_nothing);
    tcase_add_test(tests, a_selection_that_cannot_be_seeded);
}

int main(void)
{
    return run_tests("rng_reject", add);
}
