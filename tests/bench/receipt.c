/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of a large raffle: what making and verifying one costs, before a seal and after it among many voids, and how large they are. */
#include "bench.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECEIPTS = 500
};

static void control_key(raffle *r, char out[RAFFLE_VKEY_SIZE])
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_info info = RAFFLE_INFO_INIT;
    bench_check(raffle_describe(r, &info, &err), &err, "describe");
    snprintf(out, RAFFLE_VKEY_SIZE, "%s", info.control_key);
}

/* Each has two signatures to verify: what is left is parsing and hashing. */
static double signature_cost(void)
{
    unsigned char pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES], sig[crypto_sign_BYTES],
        text[200] = {0};
    int bad = 0;
    crypto_sign_keypair(pk, sk);
    crypto_sign_detached(sig, NULL, text, sizeof text, sk);
    const double began = bench_now();
    for (int i = 0; i < RECEIPTS; i++)
        bad |= crypto_sign_verify_detached(sig, text, sizeof text, pk);
    return bad == 0 ? (bench_now() - began) / RECEIPTS : 0;
}

/* Receipts of tickets from all over the log. A void one, or one that no receipt is given for, is not among them. */
static void measure(raffle *r, const char *what)
{
    static char text[RAFFLE_RECEIPT_MAX + 1];
    char key[RAFFLE_VKEY_SIZE];
    raffle_error err = RAFFLE_ERROR_INIT;
    double making[RECEIPTS], verifying[RECEIPTS];
    size_t length = 0, bytes = 0, largest = 0;
    control_key(r, key);
    double began = bench_now();
    bench_check(raffle_receipt(r, 1, 1, text, sizeof text, &length, &err), &err, "first receipt");
    const double first = bench_now() - began;
    for (uint64_t i = 0; i < RECEIPTS; i++) {
        const uint64_t serial = 1 + (i * UINT64_C(7919) * 131 % (bench_sales() / 2)) * 2;
        began = bench_now();
        bench_check(raffle_receipt(r, 1, serial, text, sizeof text, &length, &err), &err, "receipt");
        making[i] = bench_now() - began;
        began = bench_now();
        bench_check(raffle_receipt_verify(text, length, key, NULL, &err), &err, "verify");
        verifying[i] = bench_now() - began;
        bytes += length;
        largest = length > largest ? length : largest;
    }
    printf("  %s: the first made in %.1f ms, others in %.0f us, verified in %.0f us; %zu bytes, at most %zu\n", what,
           first * 1e3, bench_median(making, RECEIPTS) * 1e6, bench_median(verifying, RECEIPTS) * 1e6, bytes / RECEIPTS,
           largest);
}

/* Of tickets with even serials, whose receipts are not asked for. */
static void take_back(raffle *r)
{
    static const raffle_actor sue = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR);
    raffle_error err = RAFFLE_ERROR_INIT;
    const uint64_t n = bench_voids() < bench_sales() / 4 ? bench_voids() : bench_sales() / 4;
    const uint64_t step = bench_sales() / 2 / n;
    for (uint64_t i = 0; i < n; i++)
        bench_check(raffle_void(r, &sue, 1, 2 + 2 * step * i, "refund", &err), &err, "void");
    printf("  (%llu tickets are void)\n", (unsigned long long)n);
}

int bench_receipt(void)
{
    bench_large_make();
    raffle *r = bench_large_open();
    measure(r, "promises");
    take_back(r);
    (void)bench_large_seal(r);
    measure(r, "after a seal");
    printf("  of verifying, two signatures by libsodium alone: %.0f us\n", 2 * signature_cost() * 1e6);
    raffle_free(r);
    return 0;
}
