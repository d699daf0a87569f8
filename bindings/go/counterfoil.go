// SPDX-License-Identifier: Apache-2.0

package raffle

// Counterfoils of drum draws (GLI-31 2.4.1), and what is printed again.

/*
#include <raffle/raffle.h>

extern raffle_rc raffleGoCounterfoil(void *, raffle_counterfoil *, raffle_error *);
*/
import "C"

import (
	"iter"
	"time"
)

// What Counterfoil.Flags say.
const (
	CounterfoilVoid      uint32 = C.RAFFLE_COUNTERFOIL_VOID      // its ticket is void: it is not to be printed
	CounterfoilPrinted   uint32 = C.RAFFLE_COUNTERFOIL_PRINTED   // Print covered it, when it was not void
	CounterfoilReprinted uint32 = C.RAFFLE_COUNTERFOIL_REPRINTED // and Reprint again: mark it
	CounterfoilInDrum    uint32 = C.RAFFLE_COUNTERFOIL_IN_DRUM   // void, and was not when it went to print: it may lie in the drum, and is taken out (GLI-31 2.6.3)
)

// Counterfoil is what a counterfoil shows.
type Counterfoil struct {
	Flags      uint32 // Counterfoil…
	Unit       uint32 // the draw number: Unit-Number
	Number     uint64
	Serial     uint64 // of its ticket
	At         time.Time
	Price      int64
	Validation string // of the ticket; a secret of the buyer's
}

func newCounterfoil(c *C.raffle_counterfoil) Counterfoil {
	return Counterfoil{uint32(c.flags), uint32(c.unit), uint64(c.number), uint64(c.serial), at(c.at), int64(c.price), text(c.validation[:])}
}

// stack takes counterfoils for one call.
type stack struct{ taken []Counterfoil }

const counterfoilPage = 1024

func (r *Raffle) counterfoils(unit uint32, first, count uint64) ([]Counterfoil, error) {
	var a args
	var s stack
	ctx := newCtx(&s)
	defer freeCtx(ctx)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_counterfoils(p, C.uint32_t(unit), C.uint64_t(first), C.uint64_t(count), (*[0]byte)(C.raffleGoCounterfoil), ctx, e)
	})
	return s.taken, err
}

// Counterfoils walks over count counterfoils of a unit, from draw number first on, in order; 0: up to the last that is sold. [ErrNotFound]: there is no such number.
//
// C: raffle_counterfoils
func (r *Raffle) Counterfoils(unit uint32, first, count uint64) iter.Seq2[Counterfoil, error] {
	return func(yield func(Counterfoil, error) bool) {
		first, count := first, count // of this walk
		if count == 0 {
			info, err := r.UnitDescribe(unit)
			if err == nil && info.Numbers < first {
				err = &Error{RC: ErrNotFound, Message: "unit has no such draw number"}
			}
			if err != nil {
				yield(Counterfoil{}, err)
				return
			}
			count = info.Numbers - first + 1
		}
		for count > 0 {
			page, err := r.counterfoils(unit, first, min(count, counterfoilPage))
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			if err != nil {
				yield(Counterfoil{}, err)
				return
			}
			first, count = first+uint64(len(page)), count-uint64(len(page))
		}
	}
}

// Print writes that the counterfoils first … first + count - 1 of a unit go to print, in order: first is UnitInfo.Printed + 1.
//
// C: raffle_print
func (r *Raffle) Print(by Actor, unit uint32, first, count uint64) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_print(p, cBy, C.uint32_t(unit), C.uint64_t(first), C.uint64_t(count), e)
	})
}

// Reprint writes that counterfoils which were printed are printed again: by two, with a reason, a word (GLI-31 2.4.2).
//
// C: raffle_reprint
func (r *Raffle) Reprint(by, ok Actor, unit uint32, first, count uint64, reason string) error {
	var a args
	cBy, cOk, cReason := a.actor("by", by), a.actor("ok", ok), a.text("reason", reason)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_reprint(p, cBy, cOk, C.uint32_t(unit), C.uint64_t(first), C.uint64_t(count), cReason, e)
	})
}

// TicketReprint writes that a ticket is printed again (GLI-31 3.3.2d).
//
// C: raffle_ticket_reprint
func (r *Raffle) TicketReprint(by, ok Actor, unit uint32, serial uint64, reason string) error {
	var a args
	cBy, cOk, cReason := a.actor("by", by), a.actor("ok", ok), a.text("reason", reason)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_reprint(p, cBy, cOk, C.uint32_t(unit), C.uint64_t(serial), cReason, e)
	})
}
