/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of tickets and of closes: what is read is written as the same bytes; what is verified says what can be, and says it again; and its last byte counts. */
#include "fuzz.h"
#include "receipt_text.h"
#include <raffle/unit.h>

#include <sodium.h>

/* Whose receipts are in the corpus: of tickets, and of a close. */
static const char key[] = "raffle.example/rc+035f0cef+AW36T2J5t2VK6veGs0YmBVP6CEQfmY2FU3lvDNnW3eJN";
static const char unit_key[] = "raffle.example/rc/unit/1+36e1c950+Ad0P5Zj0x2hMDNXCF1XLmRPKEnRU9iYMZ1eRdGFTJbPT";

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

static void check_proof_text(const char *text, size_t length)
{
    static rf_receipt_part part;
    static char leaf[RF_RECEIPT_LEAF_MAX], again[RAFFLE_RECEIPT_MAX];
    if (rf_tlog_proof_read(&part, leaf, text, length, NULL) != RAFFLE_OK)
        return;
    const size_t n = rf_tlog_proof_write(&part, again, sizeof again);
    fuzz_require(fuzz_same(again, n, text, length), "a proof that is read is written as the same text");
    fuzz_require(rf_tlog_proof_write(&part, again, n - 1) == 0, "a proof does not fit into less than its length");
}

static void check_ticket(const char *text, size_t size)
{
    raffle_receipt_info info = RAFFLE_RECEIPT_INFO_INIT, again = RAFFLE_RECEIPT_INFO_INIT;
    if (raffle_receipt_verify(text, size, key, &info, NULL) != RAFFLE_OK)
        return;
    fuzz_require(info.unit >= 1 && info.serial >= 1 && info.count >= 1 && info.serial < info.unit_size,
                 "a good receipt is of a ticket in its log");
    fuzz_require(raffle_receipt_verify(text, size, key, &again, NULL) == RAFFLE_OK &&
                     memcmp(&info, &again, sizeof info) == 0,
                 "a good receipt says the same each time");
    fuzz_require(raffle_receipt_verify(text, size - 1, key, NULL, NULL) != RAFFLE_OK,
                 "a good receipt is good to its last byte alone");
}

static void check_close(const char *text, size_t size)
{
    raffle_unit_close_info info = RAFFLE_UNIT_CLOSE_INFO_INIT, again = RAFFLE_UNIT_CLOSE_INFO_INIT;
    if (raffle_unit_close_verify(text, size, unit_key, &info, NULL) != RAFFLE_OK)
        return;
    fuzz_require(info.unit == 1 && info.voids <= info.tickets && info.tickets <= info.numbers &&
                     info.tickets + info.voids + 2 <= info.size,
                 "a good close is one that its log can have");
    fuzz_require(raffle_unit_close_verify(text, size, unit_key, &again, NULL) == RAFFLE_OK &&
                     memcmp(&info, &again, sizeof info) == 0,
                 "a good close says the same each time");
    fuzz_require(raffle_unit_close_verify(text, size - 1, unit_key, NULL, NULL) != RAFFLE_OK,
                 "a good close is good to its last byte alone");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    fuzz_require(sodium_init() >= 0, "libsodium is ready");
    if (size <= RAFFLE_RECEIPT_MAX) {
        check_text(text, size);
        check_proof_text(text, size);
    }
    check_ticket(text, size);
    check_close(text, size);
    return 0;
}
