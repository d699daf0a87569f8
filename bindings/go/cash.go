// SPDX-License-Identifier: Apache-2.0

package raffle

// Money that was counted, against what was sold.

/*
#include <raffle/raffle.h>
*/
import "C"

// Cash writes that money was counted: what a unit handed in, of one kind, a word: "cash", "card". seller, as the actor of the sales is called, and note are optional and private.
//
// C: raffle_cash
func (r *Raffle) Cash(by Actor, unit uint32, kind string, counted int64, seller, note string) error {
	var a args
	cBy, cKind, cSeller, cNote := a.actor("by", by), a.text("kind", kind), a.optional("seller", seller), a.optional("text", note)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_cash(p, cBy, C.uint32_t(unit), cKind, C.int64_t(counted), cSeller, cNote, e)
	})
}

// CashInfo is how money stands.
//
// C: raffle_cash_info_init
type CashInfo struct {
	Unit       uint32
	Tickets    uint64 // sold, void ones included
	Voids      uint64 // of them void
	Gross      int64
	VoidGross  int64
	Counted    int64
	Difference int64  // Counted - (Gross - VoidGross): less than 0 is short, more is over
	Unknown    uint64 // tickets whose seller is not known any more: their private parts are erased
}

// CashBalance is how a unit's money stands, all of it; or, with a seller, that of one seller there, for which the unit's records are all read.
//
// C: raffle_cash_balance
func (r *Raffle) CashBalance(unit uint32, seller string) (CashInfo, error) {
	var a args
	var c C.raffle_cash_info
	C.raffle_cash_info_init(&c, C.sizeof_raffle_cash_info)
	cSeller := a.optional("seller", seller)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_cash_balance(p, C.uint32_t(unit), cSeller, &c, e)
	})
	if err != nil {
		return CashInfo{}, err
	}
	return CashInfo{
		Unit: uint32(c.unit), Tickets: uint64(c.tickets), Voids: uint64(c.voids), Gross: int64(c.gross), VoidGross: int64(c.void_gross),
		Counted: int64(c.counted), Difference: int64(c.difference), Unknown: uint64(c.unknown),
	}, nil
}
