/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of order keys: the time of a UUIDv7 in front, the keyed hash against a SipHash written from the paper, and what is no UUIDv7. */
#include "order.h"

#include "vectors.h"
#include <openssl/hmac.h>

static const uint8_t counting[RF_ORDER_KEY_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const char uuid7[] = "019aa82b-c000-7a5c-8d3e-0123456789ab";

/* --- SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012, and its reference code), as plainly as it goes --- */

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], unsigned n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t word_of(const uint8_t *bytes, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

static void finish(uint64_t v[4], uint8_t out[8])
{
    rounds(v, 4);
    uint64_t word = v[0] ^ v[1] ^ v[2] ^ v[3];
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(word >> 8 * i);
}

static void naive_siphash(uint8_t out[16], const uint8_t key[16], const uint8_t *bytes, size_t length)
{
    const uint64_t k0 = word_of(key, 8), k1 = word_of(key + 8, 8);
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    for (; length - at >= 8; at += 8)
        absorb(v, word_of(bytes + at, 8));
    absorb(v, word_of(bytes + at, length - at) | (uint64_t)(length & 0xff) << 56);
    v[2] ^= 0xee;
    finish(v, out);
    v[1] ^= 0xdd;
    finish(v, out + 8);
}

/* --- hashing --- */

/* Hashes the order, checks the hash behind the time and that nothing is written behind it; whether there is a time. */
static bool hash_with(const uint8_t key[RF_ORDER_KEY_SIZE], const char *order, size_t length,
                      uint8_t out[RF_ORDER_HASH_MAX])
{
    uint8_t row[RF_ORDER_HASH_MAX + 8], naive[16];
    memset(row, 0x5a, sizeof row);
    size_t n = rf_order_hash(row, key, order, length);
    ck_assert_msg(n == 16 || n == RF_ORDER_HASH_MAX, "%zu bytes", n);
    naive_siphash(naive, key, (const uint8_t *)order, length);
    ck_assert_mem_eq(row + n - 16, naive, 16);
    for (size_t i = RF_ORDER_HASH_MAX; i < sizeof row; i++)
        ck_assert_uint_eq(row[i], 0x5a);
    memset(out, 0, RF_ORDER_HASH_MAX);
    memcpy(out, row, n);
    return n == RF_ORDER_HASH_MAX;
}

static bool has_time(const char *order, size_t length)
{
    uint8_t row[RF_ORDER_HASH_MAX];
    return hash_with(counting, order, length, row);
}

static uint64_t time_of(const char *order)
{
    uint8_t row[RF_ORDER_HASH_MAX];
    ck_assert_msg(hash_with(counting, order, strlen(order), row), "%s", order);
    uint64_t time = 0;
    for (unsigned i = 0; i < 6; i++)
        time = time << 8 | row[i];
    return time;
}

static void uuid_at(char out[37], uint64_t ms, unsigned rest)
{
    snprintf(out, 37, "%08x-%04x-7%03x-8%03x-%012x", (uint32_t)(ms >> 16), (unsigned)(ms & 0xffff), rest & 0xfff,
             rest >> 12 & 0xfff, rest);
}

START_TEST(the_naive_siphash_is_the_published_one)
{
    /* The first two of vectors_sip128 in the reference code: of no bytes, and of the byte 00. */
    static const char *const published[] = {"a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45"};
    for (size_t length = 0; length < 2; length++) {
        uint8_t want[16], got[16];
        vector_unhex(published[length], want, sizeof want);
        naive_siphash(got, counting, counting, length);
        ck_assert_mem_eq(got, want, 16);
    }
}
END_TEST

START_TEST(every_length_of_a_key)
{
    char order[65];
    for (size_t i = 0; i < sizeof order; i++)
        order[i] = (char)(i * 37 + 200);
    for (size_t length = 0; length <= 64; length++)
        ck_assert(!has_time(order, length));
}
END_TEST

START_TEST(a_uuidv7_keeps_its_time)
{
    ck_assert_uint_eq(time_of(uuid7), UINT64_C(0x019aa82bc000));
    ck_assert_uint_eq(time_of("00000000-0000-7000-8000-000000000000"), 0);
    ck_assert_uint_eq(time_of("ffffffff-ffff-7fff-bfff-ffffffffffff"), UINT64_C(0xffffffffffff));
    ck_assert_uint_eq(time_of("01234567-89ab-7def-8000-000000000000"), UINT64_C(0x0123456789ab));
    for (unsigned bit = 0; bit < 48; bit++) {
        char order[37];
        uuid_at(order, UINT64_C(1) << bit, bit);
        ck_assert_uint_eq(time_of(order), UINT64_C(1) << bit);
    }
}
END_TEST

START_TEST(rows_stand_in_the_order_of_time)
{
    uint8_t before[RF_ORDER_HASH_MAX] = {0}, row[RF_ORDER_HASH_MAX];
    uint64_t ms = 0;
    for (unsigned i = 1; i < 3000; i++) {
        char order[37];
        ms += UINT64_C(1) << i % 34;
        uuid_at(order, ms, i * 2654435761u); /* whatever follows the time */
        ck_assert(hash_with(counting, order, 36, row));
        ck_assert_int_lt(memcmp(before, row, sizeof row), 0);
        memcpy(before, row, sizeof row);
    }
}
END_TEST

START_TEST(the_key_decides_the_hash_and_not_the_time)
{
    uint8_t row[RF_ORDER_HASH_MAX], other[RF_ORDER_HASH_MAX], key[RF_ORDER_KEY_SIZE];
    ck_assert(hash_with(counting, uuid7, 36, row));
    for (unsigned bit = 0; bit < 8 * RF_ORDER_KEY_SIZE; bit++) {
        memcpy(key, counting, sizeof key);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(hash_with(key, uuid7, 36, other));
        ck_assert_mem_eq(row, other, 6);
        ck_assert_mem_ne(row + 6, other + 6, 16);
    }
}
END_TEST

START_TEST(case_is_the_same_time_and_another_key)
{
    uint8_t row[RF_ORDER_HASH_MAX], other[RF_ORDER_HASH_MAX];
    ck_assert(hash_with(counting, uuid7, 36, row));
    ck_assert(hash_with(counting, "019AA82B-C000-7A5C-8D3E-0123456789AB", 36, other));
    ck_assert_mem_eq(row, other, 6);
    ck_assert_mem_ne(row + 6, other + 6, 16);
    ck_assert_uint_eq(time_of("aAbBcCdD-eEfF-7000-8000-000000000000"), UINT64_C(0xaabbccddeeff));
}
END_TEST

START_TEST(other_versions_have_no_time)
{
    char order[37];
    for (const char *version = "012345689abcdefABCDEF-"; *version != 0; version++) {
        memcpy(order, uuid7, sizeof order);
        order[14] = *version;
        ck_assert_msg(!has_time(order, 36), "%s", order);
    }
}
END_TEST

/* docs/spec/sales.md: the places of the hyphens, of the version and of the time's digits count, the others do not. */
START_TEST(every_byte_of_a_uuidv7_altered)
{
    for (size_t at = 0; at < 36; at++) {
        for (int c = 0; c < 256; c++) {
            char order[37];
            memcpy(order, uuid7, sizeof order);
            order[at] = (char)c;
            bool fits = true;
            if (at == 8 || at == 13 || at == 18 || at == 23)
                fits = c == '-';
            else if (at == 14)
                fits = c == '7';
            else if (at < 13)
                fits = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;
            ck_assert_msg(has_time(order, 36) == fits, "byte %zu is %d", at, c);
        }
    }
}
END_TEST

START_TEST(other_lengths_and_forms_have_no_time)
{
    static const char *const forms[] = {
        "{019aa82b-c000-7a5c-8d3e-0123456789ab}", "urn:uuid:019aa82b-c000-7a5c-8d3e-0123456789ab",
        "019aa82bc0007a5c8d3e0123456789ab",       " 19aa82b-c000-7a5c-8d3e-0123456789ab",
        "019aa82b-c000-7a5c-8d3e-0123456789abc",  "order-1"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        ck_assert_msg(!has_time(forms[i], strlen(forms[i])), "%s", forms[i]);
    for (size_t length = 0; length < 36; length++) { /* read no further than it is long */
        char *cut = malloc(length + 1);
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, uuid7, length);
        ck_assert(!has_time(cut, length));
        free(cut);
    }
}
END_TEST

START_TEST(the_hash_key_is_the_raffles_own)
{
    static const char *const origins[] = {"", "raffle.example/gala", "raffle.example/galas"};
    uint8_t k[32], key[3][RF_ORDER_KEY_SIZE], other[RF_ORDER_KEY_SIZE], mac[32];
    rf_sha256 *h = rf_sha256_new();
    ck_assert_ptr_nonnull(h);
    for (size_t i = 0; i < sizeof k; i++)
        k[i] = (uint8_t)(7 * i + 1);
    for (size_t i = 0; i < 3; i++) {
        char text[64] = "libraffle/order/v1"; /* and a zero byte */
        unsigned length = sizeof mac;
        strcpy(text + 19, origins[i]);
        HMAC(EVP_sha256(), k, sizeof k, (const uint8_t *)text, 19 + strlen(origins[i]), mac, &length);
        rf_order_key(h, key[i], k, origins[i]);
        ck_assert_mem_eq(key[i], mac, RF_ORDER_KEY_SIZE);
        for (size_t j = 0; j < i; j++)
            ck_assert_mem_ne(key[i], key[j], RF_ORDER_KEY_SIZE);
    }
    k[31] ^= 1;
    rf_order_key(h, other, k, origins[1]);
    ck_assert_mem_ne(other, key[1], RF_ORDER_KEY_SIZE);
    rf_sha256_free(h);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_naive_siphash_is_the_published_one);
    tcase_add_test(tests, every_length_of_a_key);
    tcase_add_test(tests, a_uuidv7_keeps_its_time);
    tcase_add_test(tests, rows_stand_in_the_order_of_time);
    tcase_add_test(tests, the_key_decides_the_hash_and_not_the_time);
    tcase_add_test(tests, case_is_the_same_time_and_another_key);
    tcase_add_test(tests, other_versions_have_no_time);
    tcase_add_test(tests, every_byte_of_a_uuidv7_altered);
    tcase_add_test(tests, other_lengths_and_forms_have_no_time);
    tcase_add_test(tests, the_hash_key_is_the_raffles_own);
}

int main(void)
{
    return run_tests("order", add);
}
