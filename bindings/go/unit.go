// SPDX-License-Identifier: Apache-2.0

package raffle

// Sales units (GLI: RSU): enrolled, enabled, disabled, closed; each owns one log.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"iter"
	"runtime"
	"time"
	"unsafe"
)

// UnitOptions say what a new unit is to be.
//
// C: raffle_unit_options_init
type UnitOptions struct {
	Name  string // unlike that of the others
	Quota uint64 // the most draw numbers it may sell; 0: no limit
	// Of a till elsewhere, which needs a quota; else zero.
	Away  bool   // its log is in a store of its own, and comes here by uploads
	Hours uint32 // for which it may sell after it last heard from the raffle; 0: no limit
	Key   string // its public key, and …
	Proof string // … the proof that it has it: UnitApply
}

// UnitEnrol enrols the next unit, disabled (GLI-31 6.1.3), and gives its number. [ErrExists]: a unit has this name, and the number is its.
//
// C: raffle_unit_enrol
func (r *Raffle) UnitEnrol(by Actor, options UnitOptions) (uint32, error) {
	var a args
	var c C.raffle_unit_options
	var out C.uint32_t
	C.raffle_unit_options_init(&c, C.sizeof_raffle_unit_options)
	c.quota, c.away, c.hours = C.uint64_t(options.Quota), number(options.Away), C.uint32_t(options.Hours)
	a.fixed("name", c.name[:], options.Name)
	a.fixed("key", c.key[:], options.Key)
	a.fixed("proof", c.proof[:], options.Proof)
	cBy := a.actor("by", by)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_unit_enrol(p, cBy, &c, &out, e) })
	return uint32(out), err
}

// UnitEnable lets a unit sell. [ErrClosed]: it was closed, and is never enabled again (GLI-31 2.6.2).
//
// C: raffle_unit_enable
func (r *Raffle) UnitEnable(by Actor, unit uint32) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_enable(p, cBy, C.uint32_t(unit), e)
	})
}

// UnitDisable has every sale of the unit refused that begins later, in every process. reason is a word, kept in the log.
//
// C: raffle_unit_disable
func (r *Raffle) UnitDisable(by Actor, unit uint32, reason string) error {
	var a args
	cBy, cReason := a.actor("by", by), a.text("reason", reason)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_disable(p, cBy, C.uint32_t(unit), cReason, e)
	})
}

// UnitQuota replaces the quota; not below what was sold: [ErrLimit].
//
// C: raffle_unit_quota
func (r *Raffle) UnitQuota(by Actor, unit uint32, quota uint64) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_quota(p, cBy, C.uint32_t(unit), C.uint64_t(quota), e)
	})
}

// UnitUnenrol takes a unit out for good; only one that never sold, else [ErrSequence].
//
// C: raffle_unit_unenrol
func (r *Raffle) UnitUnenrol(by Actor, unit uint32) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_unenrol(p, cBy, C.uint32_t(unit), e)
	})
}

// Unit is a sales unit to sell through. It may be used from any goroutine; those that sell at once are gathered, see [Unit.Sell]. Open a unit once and share it.
type Unit struct {
	handle *handle
	desk   desk
}

// UnitOpen opens a unit. [ErrNotFound].
//
// C: raffle_unit_open
func (r *Raffle) UnitOpen(unit uint32) (*Unit, error) {
	var a args
	var out *C.raffle_unit
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_open(p, C.uint32_t(unit), &out, e)
	})
	if err != nil {
		return nil, err
	}
	u := &Unit{}
	u.handle = own(u, "Unit", unsafe.Pointer(out), func(p unsafe.Pointer) { C.raffle_unit_free((*C.raffle_unit)(p)) })
	u.desk.handle = u.handle
	return u, nil
}

func (u *Unit) call(a *args, f func(*C.raffle_unit, *C.raffle_error) C.raffle_rc) error {
	if u == nil {
		return freed("Unit")
	}
	defer runtime.KeepAlive(u)
	return a.on(u.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc { return f((*C.raffle_unit)(p), e) })
}

// Free lets go of the unit; sales that are waiting are refused as on a freed handle.
//
// C: raffle_unit_free
func (u *Unit) Free() {
	if u != nil {
		u.handle.close()
	}
}

// Close ends the unit's log: folds its records again, and writes `unit.close` with the totals. The final seal closes every unit of its store by itself.
//
// C: raffle_unit_close
func (u *Unit) Close(by Actor) error {
	var a args
	cBy := a.actor("by", by)
	return u.call(&a, func(p *C.raffle_unit, e *C.raffle_error) C.raffle_rc { return C.raffle_unit_close(p, cBy, e) })
}

// UnitCloseReceipt is the receipt of a unit's close (GLI-31 2.6.2): text, docs/spec/receipts.md. [ErrSequence]: the unit is not closed.
//
// C: raffle_unit_close_receipt
func (r *Raffle) UnitCloseReceipt(unit uint32) ([]byte, error) {
	return sized(C.RAFFLE_CLOSE_RECEIPT_MAX+1, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_unit_close_receipt(p, C.uint32_t(unit), out, cap, length, e)
		})
	})
}

// UnitCloseInfo is what a good receipt of a close says: all that the unit wrote. Voids in the control log, of its tickets by others, are not among its own.
//
// C: raffle_unit_close_info_init
type UnitCloseInfo struct {
	Unit        uint32
	Origin      string // the raffle's
	Size        uint64 // records of its log, the close being the last, …
	Root        Hash   // … and their root
	At          time.Time
	Tickets     uint64 // void ones included, as in what follows
	Numbers     uint64
	Gross       int64
	Voids       uint64 // tickets, draw numbers and price of the void ones
	VoidNumbers uint64
	VoidGross   int64
}

// UnitCloseVerify verifies the receipt of a close, without a store or a network. unitKey is the unit's vkey, from somebody you trust: the only trust.
//
// C: raffle_unit_close_verify
func UnitCloseVerify(receipt []byte, unitKey string) (UnitCloseInfo, error) {
	var a args
	var c C.raffle_unit_close_info
	C.raffle_unit_close_info_init(&c, C.sizeof_raffle_unit_close_info)
	key := a.text("unit key", unitKey)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_close_verify(chars(receipt), C.size_t(len(receipt)), key, &c, e)
	})
	if err != nil {
		return UnitCloseInfo{}, err
	}
	return UnitCloseInfo{
		Unit: uint32(c.unit), Origin: text(c.origin[:]), Size: uint64(c.size), Root: hash(&c.root), At: at(c.at), Tickets: uint64(c.tickets),
		Numbers: uint64(c.numbers), Gross: int64(c.gross), Voids: uint64(c.voids), VoidNumbers: uint64(c.void_numbers), VoidGross: int64(c.void_gross),
	}, nil
}

// UnitInfo says how a unit stands.
//
// C: raffle_unit_info_init
type UnitInfo struct {
	Number       uint32
	Name         string
	Key          string // public key as a vkey
	Enabled      bool
	Closed       bool
	Unenrolled   bool
	Halted       bool   // damaged, or behind its anchor: read only
	Quota        uint64 // 0: no limit
	Size         uint64 // records
	Tickets      uint64 // as in Info
	Numbers      uint64
	Voids        uint64
	Gross        int64
	VoidGross    int64
	LastAt       time.Time // of the newest record
	Away         bool      // its log is in a store of its own
	Hours        uint32    // then, for which it sells by itself; 0: no limit
	Heard        time.Time // when the control log last spoke of it so that these hours began anew
	Synced       uint64    // records that it uploaded
	Twice        uint64    // orders of those that another unit sold, too
	LeftNumbers  uint64    // draw numbers, and …
	LeftGross    int64     // … money, of what the final seal left out and is in the store since
	Unreconciled bool      // the final seal took less than all its sales
	Printed      uint64    // draw numbers that have counterfoils: the first ones
	Failures     uint64    // validations that failed since it was enabled, or one passed
	Seen         time.Time // when one passed, or it was enabled
}

// UnitDescribe says how a unit stands.
//
// C: raffle_unit_describe
func (r *Raffle) UnitDescribe(unit uint32) (UnitInfo, error) {
	var a args
	var c C.raffle_unit_info
	C.raffle_unit_info_init(&c, C.sizeof_raffle_unit_info)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_describe(p, C.uint32_t(unit), &c, e)
	})
	if err != nil {
		return UnitInfo{}, err
	}
	return UnitInfo{
		Number: uint32(c.number), Name: text(c.name[:]), Key: text(c.key[:]), Enabled: c.enabled != 0, Closed: c.closed != 0, Unenrolled: c.unenrolled != 0,
		Halted: c.halted != 0, Quota: uint64(c.quota), Size: uint64(c.size), Tickets: uint64(c.tickets), Numbers: uint64(c.numbers), Voids: uint64(c.voids),
		Gross: int64(c.gross), VoidGross: int64(c.void_gross), LastAt: at(c.last_at), Away: c.away != 0, Hours: uint32(c.hours), Heard: at(c.heard),
		Synced: uint64(c.synced), Twice: uint64(c.twice), LeftNumbers: uint64(c.left_numbers), LeftGross: int64(c.left_gross),
		Unreconciled: c.unreconciled != 0, Printed: uint64(c.printed), Failures: uint64(c.failures), Seen: at(c.seen),
	}, nil
}

// Units walks over the units, 1, 2, ….
func (r *Raffle) Units() iter.Seq2[UnitInfo, error] {
	return walk(func(i uint32) (UnitInfo, error) { return r.UnitDescribe(i + 1) })
}

// UnitValidated says how the validation of a unit went, by whoever talks to it (GLI-31 5.4.2), and gives whether the unit was disabled by it. note: private, optional.
//
// C: raffle_unit_validated
func (r *Raffle) UnitValidated(by Actor, unit uint32, passed bool, note string) (disabled bool, err error) {
	var a args
	var out C.int32_t
	cBy, cText := a.actor("by", by), a.optional("text", note)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_validated(p, cBy, C.uint32_t(unit), number(passed), cText, &out, e)
	})
	return out != 0, err
}

// UnitsWatch is to be called now and then: each enabled unit that was silent for too long gets an event. It gives how many were, and were disabled.
//
// C: raffle_units_watch
func (r *Raffle) UnitsWatch(by Actor) (silent, disabled uint32, err error) {
	var a args
	var s, d C.uint32_t
	cBy := a.actor("by", by)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_units_watch(p, cBy, &s, &d, e) })
	return uint32(s), uint32(d), err
}
