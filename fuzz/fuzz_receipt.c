/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what is read is written as the same bytes; what is verified says a ticket that can be, and says it again; and its last byte counts. */
#include "fuzz.h"
#include "receipt_text.h"

#include <sodium.h>

/* Whose receipts are in the corpus. */
static const char key[] = "raffle.example/rc+035f0cef+AW36T2J5t2VK6veGs0YmBVP6CEQfmY2FU3lvDNnW3eJN";

static void check_text(const char *text, size_t length)
{
    static rf_receipt receipt;
    static char again[RAFFLE_RECEIPT_MAX];
    if (rf_receipt_read(&receipt, text, length, NULL) != RAFFLE_OK)
        return;
    const size_t n = rf_receipt_write(&receipt, again, sizeof again);
    fuzz_require(fuzz_same(again, n, text, length), "a receipt that is read is written as the same text");
    fuzz_require(rf_receipt_write(&receipt, again, n - 1) == 0, "a receipt does not fit into less than its length");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    raffle_receipt_info info = RAFFLE_RECEIPT_INFO_INIT, again = RAFFLE_RECEIPT_INFO_INIT;
    fuzz_require(sodium_init() >= 0, "libsodium is ready");
    if (size <= RAFFLE_RECEIPT_MAX)
        check_text(text, size);
    if (raffle_receipt_verify(text, size, key, &info, NULL) != RAFFLE_OK)
        return 0;
    fuzz_require(info.unit >= 1 && info.serial >= 1 && info.count >= 1 && info.serial < info.unit_size,
                 "a good receipt is of a ticket in its log");
    fuzz_require(raffle_receipt_verify(text, size, key, &again, NULL) == RAFFLE_OK &&
                     memcmp(&info, &again, sizeof info) == 0,
                 "a good receipt says the same each time");
    fuzz_require(raffle_receipt_verify(text, size - 1, key, NULL, NULL) != RAFFLE_OK,
                 "a good receipt is good to its last byte alone");
    return 0;
}
