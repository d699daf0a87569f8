/* SPDX-License-Identifier: Apache-2.0 */
/* All that stands on a ticket, GLI-31 2.3.1 (a) to (h) and what lets its holder find the record, whatever it is then printed as. */
#ifndef CLI_TICKET_VIEW_H
#define CLI_TICKET_VIEW_H

#include "cli.h"

enum {
    TICKET_FIELDS = 18,
    TICKET_VALUE_SIZE = 256
};

typedef struct ticket_view {
    const raffle_ticket *ticket;
    raffle_unit_info unit;
    char validation[RAFFLE_VALIDATION_SIZE];
} ticket_view;

typedef struct ticket_field {
    const char *name;
    char value[TICKET_VALUE_SIZE];
} ticket_field;

/* Asks the library for what the ticket itself does not hold. */
raffle_rc ticket_view_get(cli *c, const raffle_ticket *ticket, ticket_view *view);
/* Wipes the validation number. */
void ticket_view_end(ticket_view *view);

/* The fields in their order; returns how many there are. */
size_t ticket_fields(const cli *c, const ticket_view *view, ticket_field field[TICKET_FIELDS]);

/* What a rehearsal's tickets say. */
#define TICKET_REHEARSAL "REHEARSAL: this ticket wins nothing"

/* What a ticket says that was printed again (GLI-31 3.3.2d). */
#define TICKET_REPRINT "REPRINT: this ticket was printed before"

/* "1-0000001 to 1-0000015", or one number. */
void ticket_numbers(const raffle_ticket *ticket, char *out, size_t size);

/* "1/42". */
void ticket_identity(const raffle_ticket *ticket, char out[40]);

#endif
