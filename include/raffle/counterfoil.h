/* SPDX-License-Identifier: Apache-2.0 */
/* Counterfoils for drum draws: one for each draw number, printed once and on record; and tickets or counterfoils printed again (GLI-31 2.4, 3.3.2). */
#ifndef RAFFLE_COUNTERFOIL_H
#define RAFFLE_COUNTERFOIL_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_COUNTERFOIL_VOID = 1,      /* its ticket is void: it is not to be printed */
    RAFFLE_COUNTERFOIL_PRINTED = 2,   /* raffle_print() covered it, when it was not void */
    RAFFLE_COUNTERFOIL_REPRINTED = 4, /* and raffle_reprint() again: mark it */
    RAFFLE_COUNTERFOIL_IN_DRUM =
        8 /* void, and was not when it went to print: it may lie in the drum, and is taken out (GLI-31 2.6.3) */
};

/* What a counterfoil shows (GLI-31 2.4.1), with the event's place from raffle_info. */
typedef struct raffle_counterfoil {
    uint32_t struct_size;
    uint32_t flags; /* RAFFLE_COUNTERFOIL_… */
    uint32_t unit;  /* the draw number: `unit`-`number` */
    uint32_t reserved;
    uint64_t number;
    uint64_t serial;                         /* of its ticket */
    int64_t at;                              /* when that was sold */
    int64_t price;                           /* of the ticket */
    char validation[RAFFLE_VALIDATION_SIZE]; /* of the ticket; a secret of the buyer's */
} raffle_counterfoil;

/* Gets one counterfoil, valid during the call; anything but RAFFLE_OK ends the walk with it. */
typedef raffle_rc (*raffle_counterfoil_take)(void *ctx, const raffle_counterfoil *counterfoil, raffle_error *err);

/* Hands over `count` counterfoils of a unit, from draw number `first` on, in order; 0: up to the last that is sold. Needs the ticket key. RAFFLE_NOT_FOUND: there is no
 * such number. What is sold while it runs is not waited for. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_counterfoils(raffle *raffle_, uint32_t unit, uint64_t first,
                                                          uint64_t count, raffle_counterfoil_take take, void *ctx,
                                                          raffle_error *err);

/* Writes that the counterfoils `first` … `first + count - 1` of a unit go to print, but for those of tickets that are void by now. It is written first, and what
 * raffle_counterfoils() then shows as printed and not void is printed: whatever is void later may lie in the drum. They go to print in order: `first` is the one after the last that is printed, raffle_unit_info.printed + 1. RAFFLE_SEQUENCE: it is not; RAFFLE_NOT_FOUND: they are not sold; RAFFLE_ROLE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_print(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                   uint64_t first, uint64_t count, raffle_error *err);

/* Writes that counterfoils which were printed are printed again, or a ticket is: by two, with a reason, a word (GLI-31 2.4.2, 3.3.2d). RAFFLE_NOT_FOUND: they were
 * not printed, or there is no such ticket; RAFFLE_VOIDED; RAFFLE_APPROVAL, RAFFLE_ROLE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_reprint(raffle *raffle_, const raffle_actor *by, const raffle_actor *ok,
                                                     uint32_t unit, uint64_t first, uint64_t count, const char *reason,
                                                     raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_ticket_reprint(raffle *raffle_, const raffle_actor *by,
                                                            const raffle_actor *ok, uint32_t unit, uint64_t serial,
                                                            const char *reason, raffle_error *err);

RAFFLE_END

#endif
