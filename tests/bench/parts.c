/* SPDX-License-Identifier: Apache-2.0 */
/* The cost of a sale, split: what encoding, hashing and the order key cost by themselves, and what is left for the store. */
#include "bench.h"

#include "json.h"
#include "merkle.h"
#include "order.h"
#include "record.h"
#include <stdio.h>
#include <string.h>

enum {
    ROUNDS = 200000
};

static rf_record make_sale(void)
{
    rf_record r = {.type = RF_SALE};
    r.has = rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N) | rf_bit(RF_F_COUNT) |
            rf_bit(RF_F_PRICE) | rf_bit(RF_F_TIER);
    r.at = INT64_C(1790000000000);
    r.by = RAFFLE_SELLER;
    r.n = 1234567;
    r.count = 10;
    r.price = 1000;
    r.tier = rf_text_of("10-for-10");
    return r;
}

static rf_private make_private(const char *order)
{
    return (rf_private){.has = rf_bit(RF_P_ACTOR) | rf_bit(RF_P_LINE) | rf_bit(RF_P_LINES) | rf_bit(RF_P_ORDER) |
                               rf_bit(RF_P_SALT),
                        .actor = rf_text_of("ann"),
                        .lines = 1,
                        .order = rf_text_of(order)};
}

static double encode(char *leaf, size_t *leaf_length, char *private_part, size_t *private_length)
{
    char order[RAFFLE_NAME_SIZE];
    bench_order_key(order, BENCH_UUID7, 1, 1);
    rf_record r = make_sale();
    rf_private p = make_private(order);
    double began = bench_now();
    for (int i = 0; i < ROUNDS; i++) {
        r.n++;
        p.salt[0]++;
        *leaf_length = rf_record_encode(&r, leaf, 512);
        *private_length = rf_private_encode(&p, private_part, 1024);
    }
    return (bench_now() - began) / ROUNDS;
}

static double hash(rf_sha256 *h, const char *leaf, size_t leaf_length, const char *private_part, size_t private_length)
{
    uint8_t out[32];
    rf_range range;
    rf_range_init(&range);
    double began = bench_now();
    for (int i = 0; i < ROUNDS; i++) {
        rf_sha256_of(h, out, private_part, private_length);
        rf_leaf_hash(h, out, leaf, leaf_length);
        rf_range_push(h, &range, out, NULL, NULL);
    }
    return (bench_now() - began) / ROUNDS;
}

static double key(void)
{
    char order[RAFFLE_NAME_SIZE];
    uint8_t out[RF_ORDER_HASH_MAX], secret[RF_ORDER_KEY_SIZE] = {1};
    bench_order_key(order, BENCH_UUID7, 1, 1);
    double began = bench_now();
    for (int i = 0; i < ROUNDS; i++) {
        order[35] = (char)('0' + i % 10);
        rf_order_hash(out, secret, order, 36);
    }
    return (bench_now() - began) / ROUNDS;
}

int bench_split(void)
{
    char leaf[512], private_part[1024], folder[256];
    size_t leaf_length = 0, private_length = 0;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit *unit = NULL;
    rf_sha256 *h = rf_sha256_new();
    double encoding = encode(leaf, &leaf_length, private_part, &private_length);
    double hashing = hash(h, leaf, leaf_length, private_part, private_length);
    double keying = key();
    bench_folder(folder);
    raffle *r = bench_create(folder, "[{\"name\":\"first\"}]");
    bench_check(raffle_unit_open(r, 1, &unit, &err), &err, "unit");
    double whole = bench_sell(unit, 1, 200000, 1000, BENCH_UUID7) / 200000;
    printf("  a sale in a batch of 1,000: %.2f us; leaf %zu bytes, private part %zu\n", whole * 1e6, leaf_length,
           private_length);
    printf("  by themselves: encode %.2f us, hash %.2f us, key %.2f us; two thirds of them beside the store, in the "
           "worker\n",
           encoding * 1e6, hashing * 1e6, keying * 1e6);
    printf("  the store and the rest: at least %.2f us\n", (whole - encoding - hashing - keying) * 1e6);
    rf_sha256_free(h);
    raffle_unit_free(unit);
    raffle_free(r);
    bench_remove(folder);
    return 0;
}
