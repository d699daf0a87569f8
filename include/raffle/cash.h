/* SPDX-License-Identifier: Apache-2.0 */
/* Cash reconciliation: money that was counted, beside what the records say was taken, for a sales unit and for each seller. */
#ifndef RAFFLE_CASH_H
#define RAFFLE_CASH_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* Writes that money was counted: what a unit handed in, of one `kind`, a word: "cash", "card". Several counts add up. `counted`: minor units, 0 to 2^53-1. `seller`: whose,
 * as the actor of the sales is called; `text`; both optional and private. RAFFLE_NOT_FOUND, RAFFLE_INVALID, RAFFLE_ROLE; RAFFLE_DRAW_OPEN: after the draw. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_cash(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                  const char *kind, int64_t counted, const char *seller,
                                                  const char *text, raffle_error *err);

/* Money in minor units. */
typedef struct raffle_cash_info {
    uint32_t struct_size;
    uint32_t unit;
    uint64_t tickets; /* sold, void ones included */
    uint64_t voids;   /* of them void */
    int64_t gross;
    int64_t void_gross;
    int64_t counted;
    int64_t difference; /* counted - (gross - void_gross): less than 0 is short, more is over */
    uint64_t unknown;   /* tickets of the unit whose seller is not known any more: their private parts are erased */
} raffle_cash_info;
RAFFLE_API void raffle_cash_info_init(raffle_cash_info *info, size_t size);

/* How a unit's money stands, all of it; or with `seller` (optional) that of a seller there, for which the unit's records are all read. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_cash_balance(raffle *raffle_, uint32_t unit, const char *seller,
                                                          raffle_cash_info *info, raffle_error *err);

RAFFLE_END

#endif
