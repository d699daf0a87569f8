// SPDX-License-Identifier: Apache-2.0

package raffle

// Drawing a prize, in steps that survive a crash.

/*
#include <raffle/raffle.h>

extern raffle_rc raffleGoBeacon(void *, uint64_t, uint8_t *, raffle_error *);
*/
import "C"

import (
	"context"
	"iter"
	"sync"
	"time"
	"unsafe"
)

// How a prize stands: Prize.State.
const (
	PrizeWaiting int32 = C.RAFFLE_PRIZE_WAITING // not drawn
	PrizeIntent  int32 = C.RAFFLE_PRIZE_INTENT  // its draw was begun
	PrizeDrawn   int32 = C.RAFFLE_PRIZE_DRAWN
)

// Prize is a prize of the rules, and how it stands.
//
// C: raffle_prize_init
type Prize struct {
	State      int32 // Prize…
	Name       string
	Title      string
	Seal       SealKind
	Winners    uint32
	Alternates uint32
	Attempt    uint32 // of the intent or result; 0: none
	Result     uint64 // index of the draw.result in the control log, when drawn
	Places     uint32 // in the result
	Committed  bool   // its seed is committed to before the intent, and a beacon mixed in
	Value      int64  // of all its winners together: of its seal's pot; before the seal, of the pot now
	Drum       bool   // drawn by hand, from counterfoils
	Estimate   bool   // before the seal, of a value that depends on sales
	Overflow   int64  // what is above its cap
	Each       int64  // what each of Winners gets, …
	Remainder  int64  // … and what is left of the value when they are paid
	Carry      int64  // what the rules of the next raffle have as `carry`
	Ace        uint32 // envelopes that its winner chooses from; 0: it has no ace
	MustGo     bool   // the next alternate chooses when the ace was missed; else the prize is carried over
	RedrawOf   string // the prize whose lost place it gives away once more; "": it is a prize of its own
	Waits      bool   // it can be drawn when its turn comes; else it is drawn, or a redraw for which no place is without a winner
}

func (r *Raffle) prize(a *args, f func(*C.raffle, *C.raffle_prize, *C.raffle_error) C.raffle_rc) (Prize, error) {
	var c C.raffle_prize
	C.raffle_prize_init(&c, C.sizeof_raffle_prize)
	if err := r.call(a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return f(p, &c, e) }); err != nil {
		return Prize{}, err
	}
	return Prize{
		State: int32(c.state), Name: text(c.name[:]), Title: text(c.title[:]), Seal: SealKind(c.seal), Winners: uint32(c.winners),
		Alternates: uint32(c.alternates), Attempt: uint32(c.attempt), Result: uint64(c.result), Places: uint32(c.places), Committed: c.committed != 0,
		Value: int64(c.value), Drum: c.drum != 0, Estimate: c.estimate != 0, Overflow: int64(c.overflow), Each: int64(c.each),
		Remainder: int64(c.remainder), Carry: int64(c.carry), Ace: uint32(c.ace), MustGo: c.must_go != 0,
		RedrawOf: text(c.redraw_of[:]), Waits: c.waits != 0,
	}, nil
}

// PrizeAt is the prize at i, from 0 on, in drawing order; [ErrNotFound] beyond the last.
//
// C: raffle_prize_at
func (r *Raffle) PrizeAt(i uint32) (Prize, error) {
	var a args
	return r.prize(&a, func(p *C.raffle, c *C.raffle_prize, e *C.raffle_error) C.raffle_rc {
		return C.raffle_prize_at(p, C.uint32_t(i), c, e)
	})
}

// PrizeByName is the prize of this name. [ErrNotFound].
//
// C: raffle_prize_by_name
func (r *Raffle) PrizeByName(name string) (Prize, error) {
	var a args
	cName := a.text("name", name)
	return r.prize(&a, func(p *C.raffle, c *C.raffle_prize, e *C.raffle_error) C.raffle_rc {
		return C.raffle_prize_by_name(p, cName, c, e)
	})
}

// Prizes walks over the prizes, in drawing order.
func (r *Raffle) Prizes() iter.Seq2[Prize, error] { return walk(r.PrizeAt) }

// DrawOptions are what the intent may bring along: optional for a random draw, and needed for a committed one.
//
// C: raffle_draw_options_init
type DrawOptions struct {
	Rng        *Rng   // the provider that will be asked, or gave the seed: refused now, when the rules do not allow it or it is not healthy
	Commitment Hash   // a committed draw: what Rng.Seed gave beside the seed, …
	Evidence   string // … which the host keeps secret, and does not lose
	Ok         *Actor // a second approver, which a redraw needs, and a drum where draw numbers have no counterfoil
	Reason     string // of a redraw, a word
}

// What FinishOptions.Flags say.
const (
	FinishSeedLost   uint32 = C.RAFFLE_FINISH_SEED_LOST   // the committed seed is lost: another one follows from Fallback, and the audit reports it
	FinishQuorumLate uint32 = C.RAFFLE_FINISH_QUORUM_LATE // the witnesses cosigned the intent, and too few of them before the round
)

// FinishOptions are what a committed draw is finished with.
//
// C: raffle_finish_options_init
type FinishOptions struct {
	Flags    uint32           // Finish…
	Round    uint64           // the beacon's round that the intent fixes: DrawInfo.Round
	Beacon   [BeaconSize]byte // its value
	Seed     [SeedSize]byte   // the seed; zero when it is lost
	Fallback [BeaconSize]byte // when it is lost: the value of DrawInfo.FallbackRound
	Verify   BeaconVerify     // of the values; needed
	Ok       *Actor           // a second approver, which a drum draw needs that ends before every place is taken
}

// DrawInfo says how a draw stands.
//
// C: raffle_draw_info_init
type DrawInfo struct {
	Attempt       uint32 // 1: the first intent for this prize
	Intent        uint64 // index of the draw.intent in the control log
	At            time.Time
	Numbers       uint64 // in the drum
	Asked         uint32 // how often a provider was asked under this intent
	Pending       bool   // its last answer is lost; asking again needs a second approver
	Finished      bool   // the result is written
	Committed     bool   // a committed draw, of which the intent fixes what follows
	Prize         string
	Round         uint64    // the beacon's round, …
	RoundAt       time.Time // … and its time: the draw is finished from then on
	FallbackRound uint64    // the round that counts when the committed seed is lost, 24 hours later
	FallbackAt    time.Time
	Drum          bool   // a drum draw, …
	Taken         uint32 // … whose first places are taken, …
	Calls         uint64 // … by so many numbers that were called
}

func newDrawInfo(c *C.raffle_draw_info) DrawInfo {
	return DrawInfo{
		Attempt: uint32(c.attempt), Intent: uint64(c.intent), At: at(c.at), Numbers: uint64(c.numbers), Asked: uint32(c.asked), Pending: c.pending != 0,
		Finished: c.finished != 0, Committed: c.committed != 0, Prize: text(c.prize[:]), Round: uint64(c.round), RoundAt: at(c.round_at),
		FallbackRound: uint64(c.fallback_round), FallbackAt: at(c.fallback_at), Drum: c.drum != 0, Taken: uint32(c.taken), Calls: uint64(c.calls),
	}
}

// Draw is a draw that was begun. One goroutine at a time uses it; others wait.
type Draw struct {
	handle *handle
	turn   sync.Mutex
}

func newDraw(err error, out **C.raffle_draw) (*Draw, error) {
	if err != nil {
		return nil, err
	}
	d := &Draw{}
	d.handle = own(d, "Draw", unsafe.Pointer(*out), func(p unsafe.Pointer) { C.raffle_draw_free((*C.raffle_draw)(p)) })
	return d, nil
}

func (d *Draw) call(a *args, f func(*C.raffle_draw, *C.raffle_error) C.raffle_rc) error {
	if d == nil {
		return freed("Draw")
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	return a.on(d.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc { return f((*C.raffle_draw)(p), e) })
}

// Free lets go of the draw. One that is not finished stays open, and is taken up by [Raffle.DrawResume].
//
// C: raffle_draw_free
func (d *Draw) Free() {
	if d != nil {
		d.handle.close()
	}
}

// DrawBegin writes the intent, durably, before any randomness is asked for, and signs its checkpoint. options may be nil.
//
// C: raffle_draw_begin
func (r *Raffle) DrawBegin(by Actor, prize string, options *DrawOptions) (*Draw, error) {
	var a args
	var out *C.raffle_draw
	var c *C.raffle_draw_options
	cBy, cPrize := a.actor("by", by), a.text("prize", prize)
	if options != nil {
		c = &C.raffle_draw_options{}
		C.raffle_draw_options_init(c, C.sizeof_raffle_draw_options)
		*(*Hash)(unsafe.Pointer(&c.commitment)) = options.Commitment
		a.fixed("evidence", c.evidence[:], options.Evidence)
		c.ok, c.reason = a.pinnedActor(options.Ok), a.pinned("reason", options.Reason)
		if options.Rng != nil {
			if err := options.Rng.handle.enter(); err != nil {
				return nil, err
			}
			defer options.Rng.handle.leave()
			c.rng = (*C.raffle_rng)(options.Rng.handle.p)
		}
	}
	return newDraw(r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_draw_begin(p, cBy, cPrize, c, &out, e)
	}), &out)
}

// DrawResume takes up the open intent after a crash, a failed provider or a pause; [ErrNotFound] when none is open. When the provider had been asked and its answer is
// lost, asking again needs a second approver: [ErrApproval] without ok.
//
// C: raffle_draw_resume
func (r *Raffle) DrawResume(by Actor, ok *Actor) (*Draw, error) {
	var a args
	var out *C.raffle_draw
	cBy, cOk := a.actor("by", by), a.second(ok)
	return newDraw(r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_draw_resume(p, cBy, cOk, &out, e) }), &out)
}

// DrawPending is the open intent, or [ErrNotFound].
//
// C: raffle_draw_pending
func (r *Raffle) DrawPending() (DrawInfo, error) {
	var a args
	var c C.raffle_draw_info
	C.raffle_draw_info_init(&c, C.sizeof_raffle_draw_info)
	if err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_draw_pending(p, &c, e) }); err != nil {
		return DrawInfo{}, err
	}
	return newDrawInfo(&c), nil
}

// Describe says how the draw stands.
//
// C: raffle_draw_describe
func (d *Draw) Describe() (DrawInfo, error) {
	var a args
	var c C.raffle_draw_info
	C.raffle_draw_info_init(&c, C.sizeof_raffle_draw_info)
	if err := d.call(&a, func(p *C.raffle_draw, e *C.raffle_error) C.raffle_rc { return C.raffle_draw_describe(p, &c, e) }); err != nil {
		return DrawInfo{}, err
	}
	return newDrawInfo(&c), nil
}

// Checkpoint is the checkpoint over the intent, a signed note to be cosigned or published, as it was when the draw was begun or resumed.
//
// C: raffle_draw_checkpoint
func (d *Draw) Checkpoint() (string, error) {
	var a args
	var note string
	err := d.call(&a, func(p *C.raffle_draw, _ *C.raffle_error) C.raffle_rc {
		note = C.GoString(C.raffle_draw_checkpoint(p))
		return C.RAFFLE_OK
	})
	return note, err
}

// Finish asks the provider for the seed, selects, and writes the result, durably. A draw that failed stays open, and the call may be made again, but for [ErrUnknown]: it is finished, and the
// anchor is not written. A committed draw asks nobody: rng is nil, and options are needed. A drum draw ends here, once its numbers were called; rng is nil. The context's deadline is the provider's, too.
//
// C: raffle_draw_finish
func (d *Draw) Finish(ctx context.Context, rng *Rng, options *FinishOptions) error {
	if err := ended(ctx); err != nil {
		return err
	}
	var a args
	var c *C.raffle_finish_options
	var cRng *C.raffle_rng
	if options != nil {
		c = &C.raffle_finish_options{}
		C.raffle_finish_options_init(c, C.sizeof_raffle_finish_options)
		c.flags, c.round = C.uint32_t(options.Flags), C.uint64_t(options.Round)
		*(*[BeaconSize]byte)(unsafe.Pointer(&c.beacon)) = options.Beacon
		*(*[SeedSize]byte)(unsafe.Pointer(&c.seed)) = options.Seed
		*(*[BeaconSize]byte)(unsafe.Pointer(&c.fallback)) = options.Fallback
		defer func() { c.seed = [SeedSize]C.uint8_t{} }()
		c.ok = a.pinnedActor(options.Ok)
		if options.Verify != nil {
			c.verify, c.verify_ctx = (*[0]byte)(C.raffleGoBeacon), newCtx(options.Verify)
			defer freeCtx(c.verify_ctx)
		}
	}
	if rng != nil {
		if err := rng.handle.enter(); err != nil {
			return err
		}
		defer rng.handle.leave()
		cRng = (*C.raffle_rng)(rng.handle.p)
	}
	return withContext(ctx, d.call(&a, func(p *C.raffle_draw, e *C.raffle_error) C.raffle_rc {
		if err := ended(ctx); err != nil { // while it was another's turn: nobody is asked any more
			return answer(e, err)
		}
		return C.raffle_draw_finish(p, cRng, c, timeout(ctx), e)
	}))
}

// What became of a draw number that was called in a drum draw: Call.Outcome. The first that holds, in this order. Numbers are frozen.
const (
	CallUnsold     int32 = C.RAFFLE_CALL_UNSOLD      // not among the draw numbers of the seal
	CallVoid       int32 = C.RAFFLE_CALL_VOID        // its ticket was void at the seal
	CallNotEntered int32 = C.RAFFLE_CALL_NOT_ENTERED // its tier takes no part in this prize
	CallAgain      int32 = C.RAFFLE_CALL_AGAIN       // it has a place in this draw already
	CallBarred     int32 = C.RAFFLE_CALL_BARRED      // the prize's one-win rule
	CallTaken      int32 = C.RAFFLE_CALL_TAKEN       // it takes the next place
)

// Call is a draw number that was called, and what became of it.
//
// C: raffle_call_init
type Call struct {
	Outcome int32  // Call…
	Unit    uint32 // the draw number: Unit-Number
	Place   uint32 // that it takes; 0: none
	Number  uint64
	Serial  uint64 // of its ticket; 0: not sold
}

// Call says that a draw number was drawn from the drum by hand and called: it is verified as sold and valid, and written, whether it takes a place or is rejected (GLI-31 2.6.4).
//
// C: raffle_draw_call
func (d *Draw) Call(unit uint32, number uint64) (Call, error) {
	var a args
	var c C.raffle_call
	C.raffle_call_init(&c, C.sizeof_raffle_call)
	err := d.call(&a, func(p *C.raffle_draw, e *C.raffle_error) C.raffle_rc {
		return C.raffle_draw_call(p, C.uint32_t(unit), C.uint64_t(number), &c, e)
	})
	if err != nil {
		return Call{}, err
	}
	return Call{int32(c.outcome), uint32(c.unit), uint32(c.place), uint64(c.number), uint64(c.serial)}, nil
}

// DrawAbort ends the open intent of a random draw or of a drum without a result, with a second approver and a reason. Every report shows it.
//
// C: raffle_draw_abort
func (r *Raffle) DrawAbort(by, ok Actor, reason string) error {
	var a args
	cBy, cOk, cReason := a.actor("by", by), a.actor("ok", ok), a.text("reason", reason)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_draw_abort(p, cBy, cOk, cReason, e) })
}
