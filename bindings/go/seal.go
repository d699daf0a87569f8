// SPDX-License-Identifier: Apache-2.0

package raffle

// Seals: the signed moment that a drum is filled from (GLI-31 2.6.2, 4.4.1).

/*
#include <raffle/raffle.h>
*/
import "C"

import "time"

// SealKind tells seals apart.
type SealKind int32

// The kinds of seals.
const (
	SealEarly SealKind = C.RAFFLE_SEAL_EARLY // for the prizes whose seal is early; selling goes on
	SealFinal SealKind = C.RAFFLE_SEAL_FINAL // closes every unit first
)

// SealInfo is a seal, and what it holds.
//
// C: raffle_seal_info_init
type SealInfo struct {
	Kind         SealKind
	Index        uint64 // of the `seal` record in the control log: the seal's name
	At           time.Time
	Units        uint32
	Unreconciled uint32 // units that entered with less than all their sales
	Tickets      uint64 // sold, void ones included
	Numbers      uint64
	Voids        uint64 // tickets that were void at the seal
	Gross        int64
	VoidGross    int64
	Acknowledged bool
}

func newSealInfo(c *C.raffle_seal_info) SealInfo {
	return SealInfo{
		Kind: SealKind(c.kind), Index: uint64(c.index), At: at(c.at), Units: uint32(c.units), Unreconciled: uint32(c.unreconciled),
		Tickets: uint64(c.tickets), Numbers: uint64(c.numbers), Voids: uint64(c.voids), Gross: int64(c.gross), VoidGross: int64(c.void_gross),
		Acknowledged: c.acknowledged != 0,
	}
}

// Seal folds every unit's records again, compares, and writes the seal. With ok, a second approver, it goes on without what is missing: [ErrUnreconciled]. On
// [ErrUnknown] the seal is written, and given; the anchor is not.
//
// C: raffle_seal
func (r *Raffle) Seal(by Actor, ok *Actor, kind SealKind) (SealInfo, error) {
	var a args
	var c C.raffle_seal_info
	C.raffle_seal_info_init(&c, C.sizeof_raffle_seal_info)
	cBy, cOk := a.actor("by", by), a.second(ok)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_seal(p, cBy, cOk, C.int32_t(kind), &c, e)
	})
	if err != nil && !is(err, ErrUnknown) {
		return SealInfo{}, err
	}
	return newSealInfo(&c), err
}

// VoidsAck is the event manager's word that the voids of a seal are reconciled; no draw before it (GLI-31 2.6.3). seal: SealInfo.Index.
//
// C: raffle_voids_ack
func (r *Raffle) VoidsAck(by Actor, seal uint64) error {
	var a args
	cBy := a.actor("by", by)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_voids_ack(p, cBy, C.uint64_t(seal), e)
	})
}

// SealLatest is the newest seal of a kind. [ErrNotSealed].
//
// C: raffle_seal_latest
func (r *Raffle) SealLatest(kind SealKind) (SealInfo, error) {
	var a args
	var c C.raffle_seal_info
	C.raffle_seal_info_init(&c, C.sizeof_raffle_seal_info)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_seal_latest(p, C.int32_t(kind), &c, e)
	})
	if err != nil {
		return SealInfo{}, err
	}
	return newSealInfo(&c), nil
}
