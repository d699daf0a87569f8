// SPDX-License-Identifier: Apache-2.0

package raffle

// Tickets: what is asked for, what was sold, finding them again, voiding them, and the validation number that a claim must show. Selling is in sell.go.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"time"
)

// Sale is one ticket to be sold. Lines that follow one another with the same order key are one order, sold all or none, [OrderMax] at most; a line with "" is an order
// of its own.
//
// C: raffle_sale_init
type Sale struct {
	At      time.Time // zero: the clock. Else a replayed time; ErrRehearsal unless the clock is replayed
	Order   string    // the host's key for the order; "": the library makes one. UUIDv7 is fastest
	Tier    string    // a tier of the rules
	Payment string    // optional and private: the payment's reference
	Buyer   string    // private: the host's opaque tag for the buyer; optional, unless the rules limit a buyer's tickets
	Channel string    // optional and private: web, till, kiosk …
}

// What Ticket.Flags say.
const (
	TicketReplayed  uint32 = C.RAFFLE_TICKET_REPLAYED  // the order had been sold before; these are its tickets
	TicketVoid      uint32 = C.RAFFLE_TICKET_VOID      // the ticket is void
	TicketReprinted uint32 = C.RAFFLE_TICKET_REPRINTED // it was printed again: what is printed says so (GLI-31 3.3.2d)
)

// Ticket is a ticket, sold: draw numbers First … First + Count - 1 of Unit.
//
// C: raffle_ticket_init
type Ticket struct {
	RC     Status // of this line, where a call sells several; 0: it was sold
	Unit   uint32 // with Serial: the ticket's identity
	Count  uint32 // draw numbers
	Serial uint64 // index of its record in the unit's log
	First  uint64
	Price  int64
	At     time.Time
	Flags  uint32 // Ticket…
	Tier   string
	Order  string // also of a line that failed, the key that the library made included; "" when it was erased
}

func newTicket(c *C.raffle_ticket) Ticket {
	return Ticket{
		RC: Status(c.rc), Unit: uint32(c.unit), Count: uint32(c.count), Serial: uint64(c.serial), First: uint64(c.first), Price: int64(c.price),
		At: at(c.at), Flags: uint32(c.flags), Tier: text(c.tier[:]), Order: text(c.order[:]),
	}
}

// Validation is the validation number of a ticket, made on request and kept nowhere (GLI-31 2.3.2). A secret of the buyer's: print it, do not log it.
//
// C: raffle_unit_validation
func (u *Unit) Validation(serial uint64) (string, error) {
	var a args
	var out [C.RAFFLE_VALIDATION_SIZE]C.char
	err := u.call(&a, func(p *C.raffle_unit, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_validation(p, C.uint64_t(serial), &out[0], e)
	})
	if err != nil {
		return "", err
	}
	return text(out[:]), nil
}

// OrderTickets are the tickets of an order. [ErrNotFound], [ErrErased].
//
// C: raffle_order_tickets
func (r *Raffle) OrderTickets(order string) ([]Ticket, error) {
	var a args
	var n C.size_t
	cOrder := a.text("order", order)
	tickets := make([]C.raffle_ticket, 8)
	for {
		C.raffle_ticket_init(&tickets[0], C.sizeof_raffle_ticket)
		err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_order_tickets(p, cOrder, &tickets[0], C.size_t(len(tickets)), &n, e)
		})
		if err != nil {
			return nil, err
		}
		if int(n) <= len(tickets) {
			break
		}
		tickets = make([]C.raffle_ticket, n)
	}
	out := make([]Ticket, n)
	for i := range out {
		out[i] = newTicket(&tickets[i])
	}
	return out, nil
}

func (r *Raffle) ticket(a *args, f func(*C.raffle, *C.raffle_ticket, *C.raffle_error) C.raffle_rc) (Ticket, error) {
	var c C.raffle_ticket
	C.raffle_ticket_init(&c, C.sizeof_raffle_ticket)
	if err := r.call(a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return f(p, &c, e) }); err != nil {
		return Ticket{}, err
	}
	return newTicket(&c), nil
}

// TicketGet is a ticket by its identity. [ErrNotFound].
//
// C: raffle_ticket_get
func (r *Raffle) TicketGet(unit uint32, serial uint64) (Ticket, error) {
	var a args
	return r.ticket(&a, func(p *C.raffle, c *C.raffle_ticket, e *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_get(p, C.uint32_t(unit), C.uint64_t(serial), c, e)
	})
}

// TicketByNumber is a ticket by one of its draw numbers, as printed.
//
// C: raffle_ticket_by_number
func (r *Raffle) TicketByNumber(number string) (Ticket, error) {
	var a args
	cNumber := a.text("number", number)
	return r.ticket(&a, func(p *C.raffle, c *C.raffle_ticket, e *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_by_number(p, cNumber, c, e)
	})
}

// TicketByValidation is a ticket by its validation number as somebody typed it. [ErrInvalid]: mistyped, or of another raffle; one that fails is counted.
//
// C: raffle_ticket_by_validation
func (r *Raffle) TicketByValidation(validation string) (Ticket, error) {
	var a args
	cValidation := a.text("the validation number", validation)
	return r.ticket(&a, func(p *C.raffle, c *C.raffle_ticket, e *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_by_validation(p, cValidation, c, e)
	})
}

// NumberFormat is a draw number as printed, U-NNNNNNN with at least seven digits.
//
// C: raffle_number_format
func NumberFormat(unit uint32, number uint64) (string, error) {
	var a args
	var out [C.RAFFLE_NUMBER_SIZE]C.char
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_number_format(C.uint32_t(unit), C.uint64_t(number), &out[0], e)
	})
	if err != nil {
		return "", err
	}
	return text(out[:]), nil
}

// NumberParse is the other way round.
//
// C: raffle_number_parse
func NumberParse(printed string) (unit uint32, number uint64, err error) {
	var a args
	var u C.uint32_t
	var n C.uint64_t
	cText := a.text("the number", printed)
	err = a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_number_parse(cText, &u, &n, e) })
	return uint32(u), uint64(n), err
}

// Void takes a ticket back, whole: its draw numbers are dead for good (GLI-31 2.3.3). reason: "refund", "payment", "misprint", "error" or "other".
//
// C: raffle_void
func (r *Raffle) Void(by Actor, unit uint32, serial uint64, reason string) error {
	var a args
	cBy, cReason := a.actor("by", by), a.text("reason", reason)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_void(p, cBy, C.uint32_t(unit), C.uint64_t(serial), cReason, e)
	})
}

// TicketErase erases the private part of a ticket's record (order key, buyer, payment, actor): the proofs stay whole. What was erased cannot be read again, by
// anybody. [ErrLimit]: the rules' keep_years are not over.
//
// C: raffle_ticket_erase
func (r *Raffle) TicketErase(by Actor, unit uint32, serial uint64) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_erase(p, cBy, C.uint32_t(unit), C.uint64_t(serial), e)
	})
}
