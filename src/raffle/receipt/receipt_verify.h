/* SPDX-License-Identifier: Apache-2.0 */
/* raffle_receipt_verify() with the roots that a good receipt stands on, for who holds a log against it. */
#ifndef RF_RAFFLE_RECEIPT_VERIFY_H
#define RF_RAFFLE_RECEIPT_VERIFY_H

#include <raffle/receipt.h>

/* Of info->control_size records of the control log, and info->unit_size of the unit's. */
typedef struct rf_receipt_roots {
    uint8_t control[32], unit[32];
} rf_receipt_roots;

/* `info` and `roots` are optional. */
raffle_rc rf_receipt_verify(const char *receipt, size_t length, const char *control_key, raffle_receipt_info *info,
                            rf_receipt_roots *roots, raffle_error *err);

#endif
