// SPDX-License-Identifier: Apache-2.0

package raffle

// How a call is made: arguments into C, results out of it. What goes in is Go memory without pointers, or pinned, and is kept by nobody after the call.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"bytes"
	"context"
	"math"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// fields fills the arrays of a struct. The first value that does not fit is the failure.
type fields struct{ err *Error }

func (f *fields) fail(err *Error) {
	if f.err == nil {
		f.err = err
	}
}

// fixed copies s into an array that is zero.
func (f *fields) fixed(name string, out []C.char, s string) {
	if len(s) >= len(out) {
		f.fail(invalid("%s has %d bytes: too long", name, len(s)))
		return
	}
	if strings.IndexByte(s, 0) >= 0 {
		f.fail(invalid("%s holds a NUL byte", name))
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(out)), s)
}

// args converts the arguments of one call. The first that cannot be is the call's failure.
type args struct {
	fields
	members []unsafe.Pointer // what structs of the call point to
}

// try makes a call that needs no handle. What is pinned is pinned here and nowhere else: a pin that is forgotten ends the process.
func (a *args) try(f func(*C.raffle_error) C.raffle_rc) error {
	if a.err != nil {
		return a.err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, p := range a.members {
		pin.Pin(p)
	}
	e := newError
	if rc := f(&e); rc != C.RAFFLE_OK {
		return failure(rc, &e)
	}
	return nil
}

// on makes a call on a handle.
func (a *args) on(h *handle, f func(unsafe.Pointer, *C.raffle_error) C.raffle_rc) error {
	if err := h.enter(); err != nil {
		return err
	}
	defer h.leave()
	return a.try(func(e *C.raffle_error) C.raffle_rc { return f(h.p, e) })
}

// text is s as C has it.
func (a *args) text(name, s string) *C.char {
	if strings.IndexByte(s, 0) >= 0 {
		a.fail(invalid("%s holds a NUL byte", name))
	}
	ended := make([]byte, len(s)+1)
	copy(ended, s)
	return (*C.char)(unsafe.Pointer(&ended[0]))
}

// optional is text, and NULL for "".
func (a *args) optional(name, s string) *C.char {
	if s == "" {
		return nil
	}
	return a.text(name, s)
}

// pinned is optional, for a member of a struct.
func (a *args) pinned(name, s string) *C.char {
	c := a.optional(name, s)
	if c != nil {
		a.members = append(a.members, unsafe.Pointer(c))
	}
	return c
}

// actor is who does it.
func (a *args) actor(name string, by Actor) *C.raffle_actor {
	actor := &C.raffle_actor{struct_size: C.sizeof_raffle_actor, role: C.raffle_role(by.Role)}
	a.fixed(name, actor.id[:], by.ID)
	return actor
}

// second is an approver who may be missing.
func (a *args) second(ok *Actor) *C.raffle_actor {
	if ok == nil {
		return nil
	}
	return a.actor("ok", *ok)
}

// pinnedActor is second, for a member of a struct.
func (a *args) pinnedActor(ok *Actor) *C.raffle_actor {
	actor := a.second(ok)
	if actor != nil {
		a.members = append(a.members, unsafe.Pointer(actor))
	}
	return actor
}

// ms is a time as C has it.
func ms(at time.Time) C.int64_t {
	if at.IsZero() {
		return 0
	}
	return milli(at)
}

// milli is at.UnixMilli, which wraps where 64 bits do not suffice: such a time stays out of every range.
func milli(at time.Time) C.int64_t {
	switch seconds := at.Unix(); {
	case seconds > math.MaxInt64/1000-1:
		return math.MaxInt64
	case seconds < math.MinInt64/1000+1:
		return math.MinInt64
	}
	return C.int64_t(at.UnixMilli())
}

// timeout is how long a call may block, for a context that has not ended.
func timeout(ctx context.Context) C.int32_t {
	until, limited := ctx.Deadline()
	if !limited {
		return -1
	}
	return milliseconds(time.Until(until))
}

// milliseconds rounds up, and stays in bounds.
func milliseconds(d time.Duration) C.int32_t {
	whole := d / time.Millisecond
	if d%time.Millisecond > 0 {
		whole++
	}
	return C.int32_t(min(max(0, whole), math.MaxInt32))
}

func chars(b []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))) }

func octets(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

// text is the string in a fixed array, up to its NUL.
func text(c []C.char) string {
	b := unsafe.Slice((*byte)(unsafe.Pointer(&c[0])), len(c))
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	return string(b)
}

// textLike is text, without memory of its own when it is what s says.
func textLike(s string, c []C.char) string {
	b := unsafe.Slice((*byte)(unsafe.Pointer(&c[0])), len(c))
	if len(s) < len(b) && b[len(s)] == 0 && string(b[:len(s)]) == s {
		return s
	}
	return text(c)
}

func hash(c *[32]C.uint8_t) Hash { return *(*Hash)(unsafe.Pointer(c)) }

// at is a time; 0 is none.
func at(ms C.int64_t) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

func number(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// sized makes a call that fills a buffer, again with a larger one when the first was too small.
func sized(size int, f func(out *C.char, cap C.size_t, length *C.size_t) error) ([]byte, error) {
	for {
		out := make([]byte, size)
		var length C.size_t
		err := f(chars(out), C.size_t(size), &length)
		if err == nil {
			return out[:length:length], nil
		}
		if e, ok := err.(*Error); !ok || e.RC != ErrTooSmall || int(length) < size {
			return nil, err
		}
		size = int(length) + 1
	}
}
