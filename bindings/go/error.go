// SPDX-License-Identifier: Apache-2.0

package raffle

// How calls fail: the status every call returns, and the sentence that names the value at fault.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Status is what a call returned, without its sentence. It is an error by itself, so that errors.Is(err, ErrWindow) asks for it. The numbers are frozen;
// [Status.Name] and [Status.Error] know those of the library that is linked, newer ones included.
type Status int32

// The statuses. 1-19: the arguments. 20-39: the state of the raffle. 40-59: the surroundings. 60-79: integrity. 80-99: randomness.
const (
	ErrMisuse       Status = C.RAFFLE_MISUSE       // the program is wrong: a NULL, a struct_size, a handle entered from its own callback
	ErrInvalid      Status = C.RAFFLE_INVALID      // a value is malformed or out of range
	ErrLimit        Status = C.RAFFLE_LIMIT        // beyond a limit of the rules or of the format
	ErrNotFound     Status = C.RAFFLE_NOT_FOUND    // no such ticket, order, prize, unit, file
	ErrExists       Status = C.RAFFLE_EXISTS       // it is there already
	ErrMismatch     Status = C.RAFFLE_MISMATCH     // the order key, number or key is known, with other content
	ErrRole         Status = C.RAFFLE_ROLE         // this role may not do this
	ErrApproval     Status = C.RAFFLE_APPROVAL     // a second approver is missing, is the first one again, or may not approve
	ErrUnsupported  Status = C.RAFFLE_UNSUPPORTED  // not in this build, or not by this provider
	ErrTooSmall     Status = C.RAFFLE_TOO_SMALL    // the caller's buffer; the length that is needed was stored
	ErrWindow       Status = C.RAFFLE_WINDOW       // outside the sales window
	ErrDisabled     Status = C.RAFFLE_DISABLED     // the unit is not enrolled, not enabled or un-enrolled
	ErrClosed       Status = C.RAFFLE_CLOSED       // the unit, or the raffle's sales, are closed
	ErrQuota        Status = C.RAFFLE_QUOTA        // the unit's quota of draw numbers is used up
	ErrVoided       Status = C.RAFFLE_VOIDED       // the ticket is void
	ErrDrawn        Status = C.RAFFLE_DRAWN        // the ticket holds a place in a result, or the prize is drawn already
	ErrNotSealed    Status = C.RAFFLE_NOT_SEALED   // the seal that this needs is missing
	ErrNotAcked     Status = C.RAFFLE_NOT_ACKED    // the voids of the seal are not acknowledged (GLI-31 2.6.3)
	ErrSequence     Status = C.RAFFLE_SEQUENCE     // out of order: an earlier step, or an earlier prize, comes first
	ErrDrawOpen     Status = C.RAFFLE_DRAW_OPEN    // an intent is open; only its draw may go on
	ErrEmpty        Status = C.RAFFLE_EMPTY        // nothing was sold: there is nothing to draw from
	ErrUnreconciled Status = C.RAFFLE_UNRECONCILED // a unit's sales are not all in
	ErrClock        Status = C.RAFFLE_CLOCK        // the clock went back or leapt; a supervisor must write `clock.reset`
	ErrRehearsal    Status = C.RAFFLE_REHEARSAL    // only a rehearsal may do this
	ErrQuorum       Status = C.RAFFLE_QUORUM       // too few of the witnesses that the rules ask for have cosigned, or not in time
	ErrAway         Status = C.RAFFLE_AWAY         // the unit's log lives elsewhere (till.h), or the control log does: what is asked for happens there
	ErrExpired      Status = C.RAFFLE_EXPIRED      // the time in which it could be done is over: a claim period
	ErrPapers       Status = C.RAFFLE_PAPERS       // it is paid out against papers, which nobody has seen (GLI-31 2.7.1)
	ErrNomem        Status = C.RAFFLE_NOMEM
	ErrIO           Status = C.RAFFLE_IO
	ErrBusy         Status = C.RAFFLE_BUSY           // locked by somebody else for longer than the call may wait
	ErrFull         Status = C.RAFFLE_FULL           // no space left
	ErrReadonly     Status = C.RAFFLE_READONLY       // the store, its file or its opening allows no writing
	ErrTimeout      Status = C.RAFFLE_TIMEOUT        // out of time; nothing was written
	ErrUnknown      Status = C.RAFFLE_UNKNOWN        // out of time or connection; it may have been written
	ErrHost         Status = C.RAFFLE_HOST           // a callback of the host failed; raffle_error.token is its own
	ErrForked       Status = C.RAFFLE_FORKED         // the handle was made before fork(), in the parent
	ErrCorrupt      Status = C.RAFFLE_CORRUPT        // bytes are not what was written
	ErrHalted       Status = C.RAFFLE_HALTED         // this handle found corruption before, and stays halted (GLI-31 3.4.4)
	ErrHistory      Status = C.RAFFLE_HISTORY        // the log is smaller than, or no extension of, what was seen before: a restored or cloned store
	ErrNotRaffle    Status = C.RAFFLE_NOT_RAFFLE     // the file or database holds no raffle
	ErrNewer        Status = C.RAFFLE_NEWER          // written in a newer format than this build reads
	ErrNetworkFS    Status = C.RAFFLE_NETWORK_FS     // a network file system, whose locks cannot be trusted
	ErrKey          Status = C.RAFFLE_KEY            // keys are missing, unreadable, or not those that the log names
	ErrSignature    Status = C.RAFFLE_SIGNATURE      // a signature is missing or wrong
	ErrProof        Status = C.RAFFLE_PROOF          // a proof does not prove it
	ErrErased       Status = C.RAFFLE_ERASED         // the private part that this needs has been erased
	ErrStateDiffers Status = C.RAFFLE_STATE_DIFFERS  // folding the records again gives other totals than were kept
	ErrRNG          Status = C.RAFFLE_RNG            // the provider failed
	ErrRNGUnhealthy Status = C.RAFFLE_RNG_UNHEALTHY  // its output failed a health test
	ErrRNGNotPinned Status = C.RAFFLE_RNG_NOT_PINNED // the rules do not allow this provider
	ErrRNGSeed      Status = C.RAFFLE_RNG_SEED       // it handed out the same seed again
)

// Name is the status as written in C, "RAFFLE_WINDOW".
//
// C: raffle_rc_name
func (s Status) Name() string { return C.GoString(C.raffle_rc_name(C.raffle_rc(s))) }

// Error is a few words for the status, "outside the sales window".
//
// C: raffle_rc_text
func (s Status) Error() string { return C.GoString(C.raffle_rc_text(C.raffle_rc(s))) }

// Error is a call that failed. errors.Is finds its Status, and what a callback of the host failed with, when one did.
//
// C: raffle_error_init
type Error struct {
	RC      Status // the status that the call returned
	Detail  uint32 // a line of a file, or an element of an array, counted from 1; 0: none
	Token   uint64 // when a callback failed with an Error of its own: the Token of that
	Message string // one sentence, naming the value at fault; never a secret, a PIN or a validation number

	token uint64 // in C: which of the failures of callbacks it was
	cause error
}

// Error is the sentence.
func (e *Error) Error() string {
	if e.Message == "" {
		return "raffle: " + e.RC.Error()
	}
	return "raffle: " + e.Message
}

// Unwrap gives the status, and the cause when there is one: a callback's error, or the context's.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.RC}
	}
	return []error{e.RC, e.cause}
}

// PanicError is a panic in a callback, which was recovered before it reached C, and is carried to the caller as this error.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine, in the callback
}

// Error names the value.
func (p *PanicError) Error() string { return fmt.Sprintf("panic in a callback: %v", p.Value) }

// Unwrap gives the value when it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

func invalid(format string, arguments ...any) *Error {
	return &Error{RC: ErrInvalid, Message: fmt.Sprintf(format, arguments...)}
}

// nonsense is what a callback gave that it must not.
func nonsense(format string, arguments ...any) *Error {
	return &Error{RC: ErrHost, Message: fmt.Sprintf(format, arguments...)}
}

func freed(what string) *Error {
	return &Error{RC: ErrMisuse, Message: "this " + what + " was freed, or never made", cause: os.ErrClosed}
}

// newError is a raffle_error that is ready to be filled.
var newError = func() (e C.raffle_error) {
	C.raffle_error_init(&e, C.sizeof_raffle_error)
	return e
}()

// failure is the Error of a call that returned rc.
func failure(rc C.raffle_rc, e *C.raffle_error) *Error {
	err := &Error{RC: Status(rc), Detail: uint32(e.detail), Message: text(e.message[:]), token: uint64(e.token)}
	if err.cause = recall(err.token); err.cause != nil {
		if own, ok := err.cause.(*Error); ok {
			err.Token = own.Token
		}
	}
	return err
}

// withContext adds why time was up.
func withContext(ctx context.Context, err error) error {
	e, ok := err.(*Error)
	if !ok || e.cause != nil || (e.RC != ErrTimeout && e.RC != ErrUnknown) {
		return err
	}
	e.cause = over(ctx)
	if until, limited := ctx.Deadline(); limited && e.cause == nil && (e.RC == ErrTimeout || !time.Now().Before(until)) {
		e.cause = context.DeadlineExceeded // the library's clock was first. An ErrUnknown may come of a connection, or an anchor, as well
	}
	return err
}

// ended is the failure of a call whose context was over before it began; nil when it is not.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &Error{RC: ErrTimeout, Message: "the context ended before the call began: nothing was written", cause: over(ctx)}
}

// over is why a context ended, nil when it did not: its error, and its cause when that is another.
func over(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || cause == err {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
