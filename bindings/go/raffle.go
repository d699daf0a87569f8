// SPDX-License-Identifier: Apache-2.0

package raffle

// A raffle as a whole: made from rules, opened, described.

/*
#include <raffle/raffle.h>
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
#if RAFFLE_VERSION_MAJOR != 0 || RAFFLE_VERSION_MINOR < 1
#error "this binding is for libraffle 0.1 and newer ones of that major version"
#endif
*/
import "C"

import (
	"iter"
	"runtime"
	"time"
	"unsafe"
)

// Raffle is a raffle in a store. It may be used from any goroutine.
type Raffle struct{ handle *handle }

func newRaffle(p *C.raffle) *Raffle {
	r := &Raffle{}
	r.handle = own(r, "Raffle", unsafe.Pointer(p), func(p unsafe.Pointer) { C.raffle_free((*C.raffle)(p)) })
	return r
}

func (r *Raffle) call(a *args, f func(*C.raffle, *C.raffle_error) C.raffle_rc) error {
	if r == nil {
		return freed("Raffle")
	}
	defer runtime.KeepAlive(r)
	return a.on(r.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc { return f((*C.raffle)(p), e) })
}

// Free lets go of the raffle. Units, draws and cursors that are still there keep working.
//
// C: raffle_free
func (r *Raffle) Free() {
	if r != nil {
		r.handle.close()
	}
}

// Create makes a raffle in an empty or new store: its control log with the frozen rules (docs/guide/rules.md), its keys, and its sales units, enrolled and enabled, as the rules list
// them. keys "" is a folder beside the store. host is optional.
//
// C: raffle_create
func Create(store, keys string, host *Host, rules []byte, by Actor) (*Raffle, error) {
	var a args
	cStore, cKeys, cBy := a.text("store", store), a.optional("keys", keys), a.actor("by", by)
	lent := lend(&a, host)
	var out *C.raffle
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_create(cStore, cKeys, lent.table(), chars(rules), C.size_t(len(rules)), cBy, &out, e)
	})
	return opened(out, lent, err)
}

// CreateWith is [Create] over a store and keys of the host's own, which may be freed afterwards.
//
// C: raffle_create_with
func CreateWith(store *Store, keys *Keys, host *Host, rules []byte, by Actor) (*Raffle, error) {
	var a args
	cBy := a.actor("by", by)
	lent := lend(&a, host)
	var out *C.raffle
	err := with(&a, store, keys, func(s *C.raffle_store, k *C.raffle_keys, e *C.raffle_error) C.raffle_rc {
		return C.raffle_create_with(s, k, lent.table(), chars(rules), C.size_t(len(rules)), cBy, &out, e)
	})
	return opened(out, lent, err)
}

// NoKeys is for [Open]: the raffle can then be read, audited and proved, not changed.
const NoKeys = "none:"

// Open opens a raffle. keys "" are those that [Create] noted; [NoKeys]: none. host is optional.
//
// C: raffle_open
func Open(store, keys string, host *Host) (*Raffle, error) {
	var a args
	cStore, cKeys := a.text("store", store), a.optional("keys", keys)
	if keys == NoKeys {
		cKeys = a.text("keys", "")
	}
	lent := lend(&a, host)
	var out *C.raffle
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_open(cStore, cKeys, lent.table(), &out, e) })
	return opened(out, lent, err)
}

// OpenWith is [Open] over a store and keys of the host's own, which may be freed afterwards; without keys, nil, the raffle can only be read.
//
// C: raffle_open_with
func OpenWith(store *Store, keys *Keys, host *Host) (*Raffle, error) {
	var a args
	lent := lend(&a, host)
	var out *C.raffle
	err := with(&a, store, keys, func(s *C.raffle_store, k *C.raffle_keys, e *C.raffle_error) C.raffle_rc {
		return C.raffle_open_with(s, k, lent.table(), &out, e)
	})
	return opened(out, lent, err)
}

// opened ends a call that took a host: that is C's now, or nobody's.
func opened(out *C.raffle, lent *lending, err error) (*Raffle, error) {
	lent.taken(err == nil)
	if err != nil {
		return nil, err
	}
	return newRaffle(out), nil
}

// with makes a call over a store and keys, which may be nil.
func with(a *args, store *Store, keys *Keys, f func(*C.raffle_store, *C.raffle_keys, *C.raffle_error) C.raffle_rc) error {
	if store == nil {
		return &Error{RC: ErrMisuse, Message: "store is nil"}
	}
	defer runtime.KeepAlive(store)
	return a.on(store.handle, func(s unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
		var k unsafe.Pointer
		if keys != nil {
			if keys.handle.enter() != nil {
				return answer(e, keys.handle.gone())
			}
			defer keys.handle.leave()
			k = keys.handle.p
		}
		return f((*C.raffle_store)(s), (*C.raffle_keys)(k), e)
	})
}

// RulesCheck checks rules without making anything: the same faults as [Create].
//
// C: raffle_rules_check
func RulesCheck(rules []byte) error {
	var a args
	return a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_rules_check(chars(rules), C.size_t(len(rules)), e)
	})
}

// Info says what a raffle is, and how it stands.
//
// C: raffle_info_init
type Info struct {
	Rehearsal    bool
	Origin       string
	Name         string
	Organisation string
	Licence      string
	Currency     string    // ISO 4217
	Digits       uint32    // of its minor unit: 2 for CAD
	Opens        time.Time // the sales window
	Closes       time.Time
	RulesHash    Hash   // leaf hash of raffle.open, printed on every ticket
	ControlKey   string // the control log's public key as a vkey (C2SP signed-note)
	ControlSize  uint64 // records in the control log
	Units        uint32
	Tiers        uint32
	Prizes       uint32
	Halted       bool   // a log of this handle was found damaged
	Tickets      uint64 // sold, by all units and as of now, void ones included
	Numbers      uint64 // draw numbers sold, void ones included
	Voids        uint64 // tickets that are void
	Gross        int64  // money taken, void tickets included
	VoidGross    int64
	Pot          int64  // Gross - VoidGross
	Closed       bool   // the final seal is there
	Drawing      bool   // an intent is open
	Place        string // where it takes place; "": the rules name none
	Witnesses    uint32 // that the rules ask
	Till         uint32 // the unit whose till this is: its keys alone are here; 0: none
	Series       string // that the raffle is one of; "": the rules name none
	SeriesNumber uint32 // which one of them; 0: none
	BuyerTickets uint32 // the most tickets of one buyer; 0: no limit
}

// Describe says what the raffle is, and how it stands.
//
// C: raffle_describe
func (r *Raffle) Describe() (Info, error) {
	var a args
	var c C.raffle_info
	C.raffle_info_init(&c, C.sizeof_raffle_info)
	if err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_describe(p, &c, e) }); err != nil {
		return Info{}, err
	}
	return Info{
		Rehearsal: c.rehearsal != 0, Origin: text(c.origin[:]), Name: text(c.name[:]), Organisation: text(c.organisation[:]), Licence: text(c.licence[:]),
		Currency: text(c.currency[:]), Digits: uint32(c.digits), Opens: at(c.opens), Closes: at(c.closes), RulesHash: hash(&c.rules_hash),
		ControlKey: text(c.control_key[:]), ControlSize: uint64(c.control_size), Units: uint32(c.units), Tiers: uint32(c.tiers), Prizes: uint32(c.prizes),
		Halted: c.halted != 0, Tickets: uint64(c.tickets), Numbers: uint64(c.numbers), Voids: uint64(c.voids), Gross: int64(c.gross),
		VoidGross: int64(c.void_gross), Pot: int64(c.pot), Closed: c.closed != 0, Drawing: c.drawing != 0, Place: text(c.place[:]),
		Witnesses: uint32(c.witnesses), Till: uint32(c.till), Series: text(c.series[:]), SeriesNumber: uint32(c.series_number),
		BuyerTickets: uint32(c.buyer_tickets),
	}, nil
}

// Tier is a price tier: Count draw numbers for Price.
//
// C: raffle_tier_init
type Tier struct {
	Name  string
	Count uint32
	Price int64
}

// TierAt is the tier at i, from 0 on, in the rules' order; [ErrNotFound] beyond the last.
//
// C: raffle_tier_at
func (r *Raffle) TierAt(i uint32) (Tier, error) {
	var a args
	var c C.raffle_tier
	C.raffle_tier_init(&c, C.sizeof_raffle_tier)
	if err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_tier_at(p, C.uint32_t(i), &c, e) }); err != nil {
		return Tier{}, err
	}
	return Tier{text(c.name[:]), uint32(c.count), int64(c.price)}, nil
}

// Tiers walks over the tiers, in the rules' order.
func (r *Raffle) Tiers() iter.Seq2[Tier, error] { return walk(r.TierAt) }

// walk makes a sequence of what stands at 0, 1, …, up to ErrNotFound. Another failure is its last element.
func walk[T any](at func(uint32) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := uint32(0); ; i++ {
			one, err := at(i)
			if is(err, ErrNotFound) || !yield(one, err) || err != nil {
				return
			}
		}
	}
}

func is(err error, rc Status) bool {
	e, ok := err.(*Error)
	return ok && e.RC == rc
}

// LocalTime is at as the event's local time: "2026-11-21T18:30:00.000-07:00". [ErrInvalid] outside the years 1970 to 9999.
//
// C: raffle_local_time
func (r *Raffle) LocalTime(at time.Time) (string, error) {
	var a args
	var out [32]C.char
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_local_time(p, milli(at), &out[0], e)
	})
	if err != nil {
		return "", err
	}
	return text(out[:]), nil
}
