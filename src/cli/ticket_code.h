/* SPDX-License-Identifier: Apache-2.0 */
/* What a ticket's QR codes say: its own, for whoever checks it at a counter; and the address where its receipt is. */
#ifndef CLI_TICKET_CODE_H
#define CLI_TICKET_CODE_H

#include "qr.h"
#include "ticket_view.h"

enum {
    TICKET_CODE_SIZE = 320,
    TICKET_ADDRESS_MAX = 512
};

/* "RFL1:ORIGIN:U/SERIAL:VALIDATION", in capitals (docs/spec/validation.md). It holds the validation number, as the ticket does. */
void ticket_code(const cli *c, const ticket_view *view, char out[TICKET_CODE_SIZE]);

/* The value of --address for this ticket, {unit} and {serial} in it replaced; "" without one. It is no secret, so one that holds the
 * ticket's validation number is refused, as is what is no http(s) address. Says what is wrong, and returns how the command ends. */
int ticket_address(cli *c, const ticket_view *view, char out[TICKET_ADDRESS_MAX]);

#endif
