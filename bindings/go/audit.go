// SPDX-License-Identifier: Apache-2.0

package raffle

// Audits: everything that is there is read again, and judged (docs/spec/audit.md).

/*
#include <raffle/raffle.h>
#include <stdlib.h>

extern raffle_rc raffleGoBeacon(void *, uint64_t, uint8_t *, raffle_error *);
extern raffle_rc raffleGoReceipt(void *, uint64_t, char **, char **, size_t *, raffle_error *);
*/
import "C"

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"
	"unsafe"
)

// Verdict is what an audit found, in two verdicts: integrity (what is there is right) and completeness (what must be there is there).
//
// C: raffle_verdict_init
type Verdict struct {
	Draws             uint32 // that were replayed
	Passed            bool   // everything was read, and there is no fault of either kind
	KeyPinned         bool   // the control key was the caller's
	Records           uint64
	Faults            uint64 // of both kinds
	Integrity         uint64 // faults of integrity
	Incomplete        uint64 // faults of completeness
	PrivateMissing    uint64 // records whose private part was erased or withheld; no fault
	Tickets           uint64
	Numbers           uint64
	Voids             uint64
	Gross             int64
	VoidGross         int64
	Currency          string
	Digits            uint32
	Withheld          bool      // a published copy without the units' records
	Timestamps        uint64    // of a published copy: time stamps that are right …
	TimestampsTrusted uint64    // … of them, by one of the options' authorities
	StampedAt         time.Time // what the newest of them says
	Receipts          uint64    // that the options gave …
	ReceiptsKept      uint64    // … of them, good ones whose ticket is where they say
}

func newVerdict(c *C.raffle_verdict) Verdict {
	return Verdict{
		Draws: uint32(c.draws), Passed: c.passed != 0, KeyPinned: c.key_pinned != 0, Records: uint64(c.records), Faults: uint64(c.faults),
		Integrity: uint64(c.integrity), Incomplete: uint64(c.incomplete), PrivateMissing: uint64(c.private_missing), Tickets: uint64(c.tickets),
		Numbers: uint64(c.numbers), Voids: uint64(c.voids), Gross: int64(c.gross), VoidGross: int64(c.void_gross), Currency: text(c.currency[:]),
		Digits: uint32(c.digits), Withheld: c.withheld != 0, Timestamps: uint64(c.timestamps), TimestampsTrusted: uint64(c.timestamps_trusted),
		StampedAt: at(c.stamped_at), Receipts: uint64(c.receipts), ReceiptsKept: uint64(c.receipts_kept),
	}
}

// What kind a fault is: Fault.Kind.
const (
	FaultIntegrity    int32 = C.RAFFLE_FAULT_INTEGRITY
	FaultCompleteness int32 = C.RAFFLE_FAULT_COMPLETENESS
)

// Fault is one fault. At most 1,000 are kept; all are counted.
//
// C: raffle_fault_init
type Fault struct {
	Kind    int32  // Fault…
	Log     uint32 // 0: control
	Index   uint64 // of the record; the log's size when it concerns the log as a whole
	Code    string // a stable word: "not-canonical", "checkpoint", "draw" …
	Message string
}

// What is proved of a draw: AuditDraw.Assurance.
const (
	AssuranceVerifiable int32 = C.RAFFLE_ASSURANCE_VERIFIABLE // committed seed, verified beacon, witnesses in time: nobody could choose the winner
	AssuranceCertified  int32 = C.RAFFLE_ASSURANCE_CERTIFIED  // the pinned, certified provider; that it was asked once is the operator's word
	AssuranceOperator   int32 = C.RAFFLE_ASSURANCE_OPERATOR   // the operator's word alone, or a rehearsal
	AssuranceWrong      int32 = C.RAFFLE_ASSURANCE_WRONG      // the result does not follow from its seed
)

// AuditDraw is a draw that was replayed.
//
// C: raffle_audit_draw_init
type AuditDraw struct {
	Assurance      int32 // Assurance…
	Prize          string
	Provider       string
	Result         uint64 // index in the control log
	Attempt        uint32 // 1: the first intent for this prize
	Asked          uint32 // how often the provider was asked under this intent
	RedrawExcluded bool   // a witness or anchor rules out a hidden second draw
	Places         uint32
	Numbers        uint64 // draw numbers in the drum, void ones included
	Skipped        uint64 // of those that came up
	Committed      bool
	BeaconVerified bool // by the options' hook
	SeedLost       bool
	Witnessed      bool
	Round          uint64 // the beacon's
}

// AuditOptions say how it is audited.
//
// C: raffle_audit_options_init
type AuditOptions struct {
	Threads     uint32                                          // 0: as many as there are processors; at most 64
	ControlKey  string                                          // the vkey that must have signed; "": the one that the log names, which then proves nothing about who
	Progress    Progress                                        // called now and then
	Beacon      BeaconVerify                                    // verifies the beacon's values of committed draws; without it they are taken as they stand
	Authorities string                                          // certificates, PEM, to one of which every time stamp of a published copy must lead; "": any
	Receipts    func() (name string, receipt []byte, err error) // gives the next receipt that must be borne out, and io.EOF after the last
}

// Audit is an audit that was made. One goroutine at a time uses it; others wait.
type Audit struct {
	handle *handle
	turn   sync.Mutex
}

// giving gives an audit its receipts; what it gave last is C memory until the next.
type giving struct {
	next       func() (string, []byte, error)
	name, text *C.char
}

func (g *giving) forget() {
	C.free(unsafe.Pointer(g.name))
	C.free(unsafe.Pointer(g.text))
	g.name, g.text = nil, nil
}

func (g *giving) give(name, receipt **C.char, length *C.size_t) error {
	g.forget()
	called, text, err := g.next()
	if errors.Is(err, io.EOF) {
		return ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		return &Error{RC: ErrHost, Message: err.Error(), cause: err} // in C it would be the end, too: those that follow would not be asked for
	}
	if err != nil {
		return err
	}
	g.name, g.text = C.CString(called), (*C.char)(C.CBytes(text))
	*name, *receipt, *length = g.name, g.text, C.size_t(len(text))
	return nil
}

// lendAudit makes the options; end undoes it.
func lendAudit(ctx context.Context, a *args, options *AuditOptions) (c *C.raffle_audit_options, end func()) {
	var cleanup []func()
	if options == nil {
		options = &AuditOptions{}
	}
	c = &C.raffle_audit_options{}
	C.raffle_audit_options_init(c, C.sizeof_raffle_audit_options)
	c.threads = C.uint32_t(options.Threads)
	a.fixed("control key", c.control_key[:], options.ControlKey)
	c.authorities = a.pinned("authorities", options.Authorities)
	lent := func(value any) unsafe.Pointer {
		p := newCtx(value)
		cleanup = append(cleanup, func() { freeCtx(p) })
		return p
	}
	c.progress, c.progress_ctx = progressFunction, lent(&progressing{ctx, options.Progress})
	if options.Beacon != nil {
		c.beacon, c.beacon_ctx = (*[0]byte)(C.raffleGoBeacon), lent(options.Beacon)
	}
	if options.Receipts != nil {
		g := &giving{next: options.Receipts}
		c.receipt, c.receipt_ctx = (*[0]byte)(C.raffleGoReceipt), lent(g)
		cleanup = append(cleanup, g.forget)
	}
	return c, func() {
		for _, f := range cleanup {
			f()
		}
	}
}

func audited(out *C.raffle_audit, err error) (*Audit, error) {
	if err != nil {
		return nil, err
	}
	x := &Audit{}
	x.handle = own(x, "Audit", unsafe.Pointer(out), func(p unsafe.Pointer) { C.raffle_audit_free((*C.raffle_audit)(p)) })
	return x, nil
}

// AuditRun audits a store, or a published folder. nil: it was read to its end, and the verdict is in the audit, good or bad. host and options may be nil.
//
// C: raffle_audit_run
func AuditRun(ctx context.Context, store string, host *Host, options *AuditOptions) (*Audit, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	var a args
	var out *C.raffle_audit
	cStore := a.text("store", store)
	c, end := lendAudit(ctx, &a, options)
	defer end()
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_audit_run(cStore, lent.table(), c, &out, e) })
	lent.taken(err == nil)
	return audited(out, err)
}

// AuditRunWith is [AuditRun] over a store of the host's own.
//
// C: raffle_audit_run_with
func AuditRunWith(ctx context.Context, store *Store, options *AuditOptions) (*Audit, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	var a args
	var out *C.raffle_audit
	c, end := lendAudit(ctx, &a, options)
	defer end()
	err := with(&a, store, nil, func(s *C.raffle_store, _ *C.raffle_keys, e *C.raffle_error) C.raffle_rc {
		return C.raffle_audit_run_with(s, c, &out, e)
	})
	return audited(out, err)
}

// Free lets go of the audit.
//
// C: raffle_audit_free
func (x *Audit) Free() {
	if x != nil {
		x.handle.close()
	}
}

func (x *Audit) call(f func(*C.raffle_audit, *C.raffle_error) C.raffle_rc) error {
	if x == nil {
		return freed("Audit")
	}
	var a args
	x.turn.Lock()
	defer x.turn.Unlock()
	return a.on(x.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc { return f((*C.raffle_audit)(p), e) })
}

// Verdict is what it found.
//
// C: raffle_audit_verdict
func (x *Audit) Verdict() (Verdict, error) {
	var c C.raffle_verdict
	C.raffle_verdict_init(&c, C.sizeof_raffle_verdict)
	if err := x.call(func(p *C.raffle_audit, e *C.raffle_error) C.raffle_rc { return C.raffle_audit_verdict(p, &c, e) }); err != nil {
		return Verdict{}, err
	}
	return newVerdict(&c), nil
}

// FaultAt is the fault at i, from 0 on; [ErrNotFound] beyond the last that is kept.
//
// C: raffle_audit_fault_at
func (x *Audit) FaultAt(i uint32) (Fault, error) {
	var c C.raffle_fault
	C.raffle_fault_init(&c, C.sizeof_raffle_fault)
	err := x.call(func(p *C.raffle_audit, e *C.raffle_error) C.raffle_rc {
		return C.raffle_audit_fault_at(p, C.uint64_t(i), &c, e)
	})
	if err != nil {
		return Fault{}, err
	}
	return Fault{int32(c.kind), uint32(c.log), uint64(c.index), text(c.code[:]), text(c.message[:])}, nil
}

// Faults walks over the faults that are kept.
func (x *Audit) Faults() iter.Seq2[Fault, error] { return walk(x.FaultAt) }

// DrawAt is the draw at i, from 0 on; [ErrNotFound] beyond the last.
//
// C: raffle_audit_draw_at
func (x *Audit) DrawAt(i uint32) (AuditDraw, error) {
	var c C.raffle_audit_draw
	C.raffle_audit_draw_init(&c, C.sizeof_raffle_audit_draw)
	err := x.call(func(p *C.raffle_audit, e *C.raffle_error) C.raffle_rc {
		return C.raffle_audit_draw_at(p, C.uint32_t(i), &c, e)
	})
	if err != nil {
		return AuditDraw{}, err
	}
	return AuditDraw{
		Assurance: int32(c.assurance), Prize: text(c.prize[:]), Provider: text(c.provider[:]), Result: uint64(c.result), Attempt: uint32(c.attempt),
		Asked: uint32(c.asked), RedrawExcluded: c.redraw_excluded != 0, Places: uint32(c.places), Numbers: uint64(c.numbers), Skipped: uint64(c.skipped),
		Committed: c.committed != 0, BeaconVerified: c.beacon_verified != 0, SeedLost: c.seed_lost != 0, Witnessed: c.witnessed != 0, Round: uint64(c.round),
	}, nil
}

// Draws walks over the draws.
func (x *Audit) Draws() iter.Seq2[AuditDraw, error] { return walk(x.DrawAt) }

// AuditStore is an audit in one call. host may be nil, and controlKey "".
//
// C: raffle_audit_store
func AuditStore(store string, host *Host, controlKey string) (Verdict, error) {
	var a args
	var c C.raffle_verdict
	C.raffle_verdict_init(&c, C.sizeof_raffle_verdict)
	cStore, cKey := a.text("store", store), a.optional("control key", controlKey)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_audit_store(cStore, lent.table(), cKey, &c, e) })
	lent.taken(err == nil)
	if err != nil {
		return Verdict{}, err
	}
	return newVerdict(&c), nil
}
