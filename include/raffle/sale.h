/* SPDX-License-Identifier: Apache-2.0 */
/* Selling tickets, finding them again, voiding them, and the validation number that a claim must show. */
#ifndef RAFFLE_SALE_H
#define RAFFLE_SALE_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* One ticket to be sold. Lines that follow one another with the same order key are one order, sold all or none, RAFFLE_ORDER_MAX at most; a line
 * with "" is an order of its own. No pointers. */
typedef struct raffle_sale {
    uint32_t struct_size;
    uint32_t reserved; /* zero */
    int64_t at;        /* 0: the clock. Else a replayed time; RAFFLE_REHEARSAL unless the clock is replayed */
    char order[RAFFLE_NAME_SIZE];   /* the host's key for the order; "": the library makes one. UUIDv7 is fastest */
    char tier[RAFFLE_WORD_SIZE];    /* a tier of the rules */
    char payment[RAFFLE_NAME_SIZE]; /* optional and private: the payment's reference */
    char buyer
        [RAFFLE_NAME_SIZE]; /* private: the host's opaque tag for the buyer; optional, unless the rules limit a buyer's tickets */
    char channel[RAFFLE_WORD_SIZE]; /* optional and private: web, till, kiosk … */
} raffle_sale;
#define RAFFLE_SALE_INIT RAFFLE_INIT_OF(raffle_sale)
RAFFLE_API void raffle_sale_init(raffle_sale *sale, size_t size);

enum {
    RAFFLE_TICKET_REPLAYED = 1, /* the order had been sold before; these are its tickets */
    RAFFLE_TICKET_VOID = 2,     /* the ticket is void */
    RAFFLE_TICKET_REPRINTED = 4 /* it was printed again: what is printed says so (GLI-31 3.3.2d) */
};

/* A ticket, sold. Draw numbers `first` … `first + count - 1` of `unit`. No pointers. */
typedef struct raffle_ticket {
    uint32_t struct_size;
    raffle_rc rc;    /* of this line, where a call sells several */
    uint32_t unit;   /* with `serial`: the ticket's identity */
    uint32_t count;  /* draw numbers */
    uint64_t serial; /* index of its record in the unit's log */
    uint64_t first;
    int64_t price;
    int64_t at;
    uint32_t flags; /* RAFFLE_TICKET_… */
    uint32_t reserved;
    char tier[RAFFLE_WORD_SIZE];
    char order
        [RAFFLE_NAME_SIZE]; /* also of a line that failed, the key that the library made included; "" when it was erased */
} raffle_ticket;
#define RAFFLE_TICKET_INIT RAFFLE_INIT_OF(raffle_ticket)
RAFFLE_API void raffle_ticket_init(raffle_ticket *ticket, size_t size);

/*
 * Sells `n` tickets, 1 to RAFFLE_SELL_MAX, durably. Concurrent calls into one unit are committed together.
 *
 * Each line has its own outcome in tickets[i].rc; the call returns RAFFLE_OK when every line was sold or replayed, else the first
 * line's failure, with err->detail its place, counted from 1, and the other lines stand. A failure that stopped the whole call (RAFFLE_IO, RAFFLE_BUSY, RAFFLE_FULL,
 * RAFFLE_TIMEOUT, RAFFLE_UNKNOWN, RAFFLE_CLOCK, …) is in every line.
 *
 * An order key that was sold before gives the first tickets, from whichever unit, whatever the state: the same tiers, buyer and
 * payment in the same order. Other content is RAFFLE_MISMATCH; RAFFLE_ERASED when too little of the first is left to tell.
 *
 * A line's failures: RAFFLE_INVALID (a field; a key that comes again after another one in the same call), RAFFLE_NOT_FOUND (the tier), RAFFLE_WINDOW, RAFFLE_DISABLED, RAFFLE_CLOSED, RAFFLE_QUOTA, RAFFLE_LIMIT (the tickets of an order; of a buyer), RAFFLE_ROLE, RAFFLE_MISMATCH.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_sell(raffle_unit *unit, const raffle_actor *by,
                                                       const raffle_sale *sales, size_t n, int32_t timeout_ms,
                                                       raffle_ticket *tickets, raffle_error *err);

/* The validation number of a ticket, made on request and kept nowhere (GLI-31 2.3.2). A secret of the buyer's: print it,
 * do not log it. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_validation(raffle_unit *unit, uint64_t serial,
                                                             char out[RAFFLE_VALIDATION_SIZE], raffle_error *err);

/* The tickets of an order. Stores their number in `*n`, and the first `cap` of them. RAFFLE_NOT_FOUND, RAFFLE_ERASED. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_order_tickets(raffle *raffle_, const char *order, raffle_ticket *tickets,
                                                           size_t cap, size_t *n, raffle_error *err);

/* A ticket by its identity, by one of its draw numbers, or by its validation number as somebody typed it (hyphens, spaces and
 * case do not matter). RAFFLE_NOT_FOUND; RAFFLE_INVALID: mistyped, or of another raffle; a validation number that fails is counted, and
 * written as an event at most once a minute. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_ticket_get(raffle *raffle_, uint32_t unit, uint64_t serial,
                                                        raffle_ticket *ticket, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_ticket_by_number(raffle *raffle_, const char *number,
                                                              raffle_ticket *ticket, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_ticket_by_validation(raffle *raffle_, const char *validation,
                                                                  raffle_ticket *ticket, raffle_error *err);

/* A printed draw number, U-NNNNNNN with at least seven digits, and back. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_number_format(uint32_t unit, uint64_t number, char out[RAFFLE_NUMBER_SIZE],
                                                           raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_number_parse(const char *text, uint32_t *unit, uint64_t *number,
                                                          raffle_error *err);

/* Takes a ticket back, whole: its draw numbers are dead for good (GLI-31 2.3.3). Written to the unit's log while that is open, else to
 * the control log. `reason`: "refund", "payment", "misprint", "error" or "other". RAFFLE_NOT_FOUND, RAFFLE_VOIDED, RAFFLE_DRAWN (it holds a place in a
 * result), RAFFLE_DRAW_OPEN (only for the control log), RAFFLE_ROLE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_void(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                  uint64_t serial, const char *reason, raffle_error *err);

/* Erases the private part of a ticket's record (order key, buyer, payment, actor): the proofs stay whole. Needs the role for
 * "erase". What was erased cannot be read again, by anybody. RAFFLE_LIMIT: the rules' `keep_years` are not over. RAFFLE_NOT_FOUND, RAFFLE_ROLE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_ticket_erase(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                          uint64_t serial, raffle_error *err);

RAFFLE_END

#endif
