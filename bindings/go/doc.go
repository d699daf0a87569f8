// SPDX-License-Identifier: Apache-2.0

// Package raffle binds libraffle: electronic raffles after GLI-31, in a log that anyone can replay.
//
// The names are the C API's: raffle_unit_sell is [Unit.Sell], struct raffle_seal_info is [SealInfo], RAFFLE_SOLD is ErrSold. The last line of each
// doc text says which calls it stands for. The C headers, include/raffle, say what each call does and how it fails; the rules at the top of raffle.h hold
// here, too, but for these.
//
// Handles ([Raffle], [Unit], [Draw], [Cursor], [Audit], [Rng], [Store], [Keys]) are let go of by Free, which may be called twice, and from any goroutine: a
// call that is inside the library ends first. What is not freed is freed by the garbage collector, some time. A call on a handle that was freed, or is nil,
// gives [ErrMisuse], which is [os.ErrClosed], too. Draws, cursors and audits are for one goroutine at a time; a second one waits.
//
// Failures are an [*Error], whose status [errors.Is] finds: errors.Is(err, raffle.ErrWindow). What a callback written in Go failed with is found there
// by [errors.Is] and [errors.As] unchanged; a panic in a callback comes back to the caller as a [*PanicError]. A callback must not end its
// goroutine (runtime.Goexit, testing.T.FailNow): that tears the library's frames off the stack, and is a panic that nobody should recover from.
//
// Calls that honour a [context.Context] take one: its deadline bounds what they wait for, and that it was cancelled is seen before they begin, and while they queue, write, read or tell
// their progress. The others wait at most as long as [Host].Timeout says, 10 seconds by default.
//
// A time is cut to milliseconds; the zero [time.Time] stands for the library's 0, "none".
package raffle
