/* SPDX-License-Identifier: Apache-2.0 */
/* A `print` names a size of its unit's log: the record before it tells how many draw numbers were sold by then. */
#include "prints.h"

#include "error.h"

typedef struct last {
    uint64_t numbers;
    bool seen;
} last;

static raffle_rc take(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    last *l = ctx;
    rf_record r;
    (void)err;
    if (rf_record_decode(&r, bytes->leaf, bytes->leaf_length, NULL) != RAFFLE_OK || !rf_has(&r, RF_F_N))
        return RAFFLE_OK;
    l->numbers = (uint64_t)r.n - 1 + (r.type == RF_SALE ? (uint64_t)r.count : 0);
    l->seen = true;
    return RAFFLE_OK;
}

raffle_rc rf_check_print(raffle_audit *a, const rf_record *print, uint64_t index, raffle_error *err)
{
    last l = {0};
    raffle_error why = RAFFLE_ERROR_INIT;
    const uint64_t size = (uint64_t)print->size, end = (uint64_t)print->first + (uint64_t)print->count - 1;
    if (a->withheld)
        return RAFFLE_OK;
    if ((uint64_t)print->unit <= a->units && size >= 1 && size <= a->unit[print->unit - 1].size) {
        raffle_rc rc = rf_store_read(a->store, (uint32_t)print->unit, size - 1, 1, take, &l, &why);
        if (rc != RAFFLE_OK)
            return rf_fault_or_fail(&a->faults, 0, index, "print", &why, err);
    }
    if (!l.seen || end > l.numbers)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, "print",
                 "unit %lld had sold %llu draw numbers when counterfoils up to %llu went to print",
                 (long long)print->unit, (unsigned long long)l.numbers, (unsigned long long)end);
    return RAFFLE_OK;
}
