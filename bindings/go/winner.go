// SPDX-License-Identifier: Apache-2.0

package raffle

// What follows a draw: the places of a result, verification, the official result, claims, forfeits.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"iter"
	"time"
)

// How a place in a result stands: Pick.State.
const (
	PlaceAlternate int32 = C.RAFFLE_PLACE_ALTERNATE
	PlaceDrawn     int32 = C.RAFFLE_PLACE_DRAWN
	PlaceVerified  int32 = C.RAFFLE_PLACE_VERIFIED
	PlaceOfficial  int32 = C.RAFFLE_PLACE_OFFICIAL
	PlaceClaimed   int32 = C.RAFFLE_PLACE_CLAIMED
	PlaceForfeited int32 = C.RAFFLE_PLACE_FORFEITED
	PlaceRefused   int32 = C.RAFFLE_PLACE_REFUSED // the ticket was found void after the seal
	PlaceMissed    int32 = C.RAFFLE_PLACE_MISSED  // its winner did not find the ace
	PlaceWaiting   int32 = C.RAFFLE_PLACE_WAITING // claimed in time; papers are missing
	PlaceExpired   int32 = C.RAFFLE_PLACE_EXPIRED // forfeited when the claim period was over
)

// Pick is a place in a result.
//
// C: raffle_pick_init
type Pick struct {
	Place    uint32 // from 1; winners first, then alternates, in the order drawn
	State    int32  // Place…
	Unit     uint32
	Number   uint64    // the draw number: Unit-Number
	Serial   uint64    // of its ticket
	CalledAt time.Time // when its number was drawn
	ClaimBy  time.Time // claimed until then, before a forfeit needs no second approver; zero: no limit
	Found    bool      // of a prize with an ace: its winner found it, and may claim
}

func newPick(c *C.raffle_pick) Pick {
	return Pick{uint32(c.place), int32(c.state), uint32(c.unit), uint64(c.number), uint64(c.serial), at(c.called_at), at(c.claim_by), c.found != 0}
}

// PickAt is a place, from 1 on, of a prize's result. [ErrNotFound]: not drawn, or no such place.
//
// C: raffle_pick_at
func (r *Raffle) PickAt(prize string, place uint32) (Pick, error) {
	var a args
	var c C.raffle_pick
	C.raffle_pick_init(&c, C.sizeof_raffle_pick)
	cPrize := a.text("prize", prize)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_pick_at(p, cPrize, C.uint32_t(place), &c, e)
	})
	if err != nil {
		return Pick{}, err
	}
	return newPick(&c), nil
}

// Picks walks over the places of a prize's result, winners first; over nothing when it is not drawn.
func (r *Raffle) Picks(prize string) iter.Seq2[Pick, error] {
	return walk(func(i uint32) (Pick, error) { return r.PickAt(prize, i+1) })
}

// WinnerVerify compares the validation number on the ticket that is presented with the winning draw number (GLI-31 2.6.5) and writes that it was verified. When the ticket is void
// since the seal, the place is refused instead, and the next alternate promoted: its place, or 0 for none.
//
// C: raffle_winner_verify
func (r *Raffle) WinnerVerify(by Actor, prize string, place uint32, validation string) (now Pick, promoted uint32, err error) {
	var a args
	var c C.raffle_pick
	var next C.uint32_t
	C.raffle_pick_init(&c, C.sizeof_raffle_pick)
	cBy, cPrize, cValidation := a.actor("by", by), a.text("prize", prize), a.text("the validation number", validation)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_winner_verify(p, cBy, cPrize, C.uint32_t(place), cValidation, &c, &next, e)
	})
	if err != nil {
		return Pick{}, 0, err
	}
	return newPick(&c), uint32(next), nil
}

// WinnerOfficial makes the verified winner official. [ErrSequence].
//
// C: raffle_winner_official
func (r *Raffle) WinnerOfficial(by Actor, prize string, place uint32) error {
	var a args
	cBy, cPrize := a.actor("by", by), a.text("prize", prize)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_winner_official(p, cBy, cPrize, C.uint32_t(place), e)
	})
}

// What was in the envelope: WinnerPick.
const (
	AceMissed int32 = C.RAFFLE_ACE_MISSED
	AceFound  int32 = C.RAFFLE_ACE_FOUND
)

// WinnerPick says that the official winner of a prize with an ace opened an envelope, 1 … Prize.Ace, in front of two. With [AceMissed] the place is lost: when the prize must go, the next
// alternate is promoted; its place, or 0 for none.
//
// C: raffle_winner_pick
func (r *Raffle) WinnerPick(by, ok Actor, prize string, place, envelope uint32, outcome int32) (promoted uint32, err error) {
	var a args
	var next C.uint32_t
	cBy, cOk, cPrize := a.actor("by", by), a.actor("ok", ok), a.text("prize", prize)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_winner_pick(p, cBy, cOk, cPrize, C.uint32_t(place), C.uint32_t(envelope), C.int32_t(outcome), &next, e)
	})
	return uint32(next), err
}

// Claim says that the prize is paid out: two actors, and the ticket's validation number again (GLI-31 2.7.1). [ErrExpired]: the claim period is over. [ErrPapers]: the rules ask for papers.
//
// C: raffle_claim
func (r *Raffle) Claim(by, ok Actor, prize string, place uint32, validation string) error {
	var a args
	cBy, cOk, cPrize, cValidation := a.actor("by", by), a.actor("ok", ok), a.text("prize", prize), a.text("the validation number", validation)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_claim(p, cBy, cOk, cPrize, C.uint32_t(place), cValidation, e)
	})
}

// ClaimWait says that the official winner presents the ticket in time, and papers are missing: the place waits for them, beyond the claim period, too.
//
// C: raffle_claim_wait
func (r *Raffle) ClaimWait(by Actor, prize string, place uint32, validation string) error {
	var a args
	cBy, cPrize, cValidation := a.actor("by", by), a.text("prize", prize), a.text("the validation number", validation)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_claim_wait(p, cBy, cPrize, C.uint32_t(place), cValidation, e)
	})
}

// ClaimPapers is [Raffle.Claim] of a prize for which papers are asked: they were seen. papers: what the host knows them by; private.
//
// C: raffle_claim_papers
func (r *Raffle) ClaimPapers(by, ok Actor, prize string, place uint32, validation, papers string) error {
	var a args
	cBy, cOk, cPrize := a.actor("by", by), a.actor("ok", ok), a.text("prize", prize)
	cValidation, cPapers := a.text("the validation number", validation), a.text("papers", papers)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_claim_papers(p, cBy, cOk, cPrize, C.uint32_t(place), cValidation, cPapers, e)
	})
}

// Forfeit says that the place is lost, with a reason; the next alternate is promoted: its place, or 0 when none is left. Before the claim period is over, and of a place that
// waits for papers, it needs a second approver: [ErrApproval].
//
// C: raffle_forfeit
func (r *Raffle) Forfeit(by Actor, ok *Actor, prize string, place uint32, reason string) (promoted uint32, err error) {
	var a args
	var next C.uint32_t
	cBy, cOk, cPrize, cReason := a.actor("by", by), a.second(ok), a.text("prize", prize), a.text("reason", reason)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_forfeit(p, cBy, cOk, cPrize, C.uint32_t(place), cReason, &next, e)
	})
	return uint32(next), err
}
