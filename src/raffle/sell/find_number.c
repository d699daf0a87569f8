/* SPDX-License-Identifier: Apache-2.0 */
/* Interpolation over the records' `n`, with a bisection in every other step, so that no distribution makes it slow. */
#include "find_number.h"

#include "error.h"
#include <string.h>

typedef struct probe {
    rf_record record;
    rf_ticket_at ticket; /* when it is a sale */
    bool sale;
    size_t seen;
} probe;

static raffle_rc take(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    probe *p = ctx;
    raffle_rc rc = rf_record_decode(&p->record, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!rf_has(&p->record, RF_F_N))
        return rf_fail(err, RAFFLE_CORRUPT, "a record of a unit's log does not count draw numbers");
    p->sale = p->record.type == RF_SALE;
    if (p->sale) {
        p->ticket = (rf_ticket_at){.serial = bytes->index,
                                   .first = (uint64_t)p->record.n,
                                   .count = p->record.count,
                                   .price = p->record.price,
                                   .at = p->record.at};
        if (!rf_text_copy(&p->record.tier, p->ticket.tier, sizeof p->ticket.tier))
            return rf_fail(err, RAFFLE_CORRUPT, "a tier's name is too long");
    }
    p->seen++;
    return RAFFLE_OK;
}

static raffle_rc look(raffle_store *store, uint32_t unit, uint64_t index, probe *p, raffle_error *err)
{
    p->seen = 0;
    raffle_rc rc = rf_store_read(store, unit, index, 1, take, p, err);
    if (rc == RAFFLE_OK && p->seen != 1)
        return rf_fail(err, RAFFLE_CORRUPT, "record %llu of unit %u is missing", (unsigned long long)index, unit);
    return rc;
}

/* Where `number` would lie if numbers were spread evenly over [low, high), whose `n` run from low_n to high_n. */
static uint64_t guess(uint64_t low, uint64_t high, uint64_t low_n, uint64_t high_n, uint64_t number)
{
    double share = high_n > low_n ? (double)(number - low_n) / (double)(high_n - low_n) : 0;
    uint64_t at = low + (uint64_t)(share * (double)(high - low));
    return at >= high ? high - 1 : at;
}

raffle_rc rf_find_number(raffle_store *store, uint32_t unit, uint64_t size, uint64_t numbers, uint64_t number,
                         rf_ticket_at *ticket, raffle_error *err)
{
    uint64_t low = 0, high = size; /* the sale is in [low, high) */
    uint64_t low_n = 1, high_n = numbers + 1;
    probe p;
    if (number < 1 || number > numbers)
        return rf_fail(err, RAFFLE_NOT_FOUND, "unit %u sold no draw number %llu", unit, (unsigned long long)number);
    for (unsigned step = 0; low < high; step++) {
        uint64_t at = step % 3 == 2 ? low + (high - low) / 2 : guess(low, high, low_n, high_n, number);
        raffle_rc rc = look(store, unit, at, &p, err);
        if (rc != RAFFLE_OK)
            return rc;
        const uint64_t n = (uint64_t)p.record.n;
        if (p.sale && n <= number && number < n + (uint64_t)p.record.count) {
            *ticket = p.ticket;
            return RAFFLE_OK;
        }
        if (n > number) {
            high = at;
            high_n = n;
        } else {
            low = at + 1;
            low_n = p.sale ? n + (uint64_t)p.record.count : n;
        }
    }
    return rf_fail(err, RAFFLE_CORRUPT, "unit %u: no sale holds draw number %llu of its %llu", unit,
                   (unsigned long long)number, (unsigned long long)numbers);
}
