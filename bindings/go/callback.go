// SPDX-License-Identifier: Apache-2.0

package raffle

// How C comes back: the values that stand behind a `ctx`, and how a failure of theirs crosses C unchanged. The functions that C calls are in trampolines.go.

/*
#include <raffle/raffle.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"runtime/cgo"
	"runtime/debug"
	"strings"
	"sync"
	"unsafe"
)

// newCtx is a value as a `ctx`: a cell of C memory that holds its handle. freeCtx undoes it.
func newCtx(value any) unsafe.Pointer {
	ctx := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(ctx) = cgo.NewHandle(value)
	return ctx
}

func freeCtx(ctx unsafe.Pointer) {
	(*(*cgo.Handle)(ctx)).Delete()
	C.free(ctx)
}

// behind is the value of a ctx.
func behind[T any](ctx unsafe.Pointer) T { return (*(*cgo.Handle)(ctx)).Value().(T) }

// causesKept is how many failures of callbacks are remembered: more than can be on their way to callers at once.
const causesKept = 4096

// causes are the latest failures of callbacks. One stays here until others push it out, for C may hand the same token to several callers.
var causes struct {
	sync.Mutex
	last uint64
	kept [causesKept]error
}

// remember keeps err, and gives the token that C carries.
func remember(err error) uint64 {
	causes.Lock()
	defer causes.Unlock()
	causes.last++
	causes.kept[causes.last%causesKept] = err
	return causes.last
}

// recall is the error of a token, or nil.
func recall(token uint64) error {
	if token == 0 {
		return nil
	}
	causes.Lock()
	defer causes.Unlock()
	if token > causes.last || causes.last-token >= causesKept {
		return nil
	}
	return causes.kept[token%causesKept]
}

// answer is what a callback returns to C. Errors without a status count as RAFFLE_HOST.
//
// C: raffle_error_set
func answer(e *C.raffle_error, err error) C.raffle_rc {
	if err == nil {
		return C.RAFFLE_OK
	}
	rc, detail, sentence, token := ErrHost, uint32(0), "", uint64(0)
	var own *Error
	var status Status
	switch {
	case errors.As(err, &own):
		rc, detail, sentence, token = own.RC, own.Detail, own.Message, own.token
	case errors.As(err, &status):
		rc = status
	}
	if rc <= 0 {
		rc = ErrHost
	}
	if sentence == "" {
		sentence = err.Error()
	}
	if token == 0 || err != error(own) {
		token = remember(err)
	}
	tell(e, rc, token, sentence)
	e.detail = C.uint32_t(detail)
	return C.raffle_rc(rc)
}

func tell(e *C.raffle_error, rc Status, token uint64, sentence string) {
	line := C.CString(strings.ReplaceAll(strings.ToValidUTF8(sentence, "?"), "\x00", "?"))
	defer C.free(unsafe.Pointer(line))
	C.raffle_error_set(e, C.raffle_rc(rc), C.uint64_t(token), line)
}

const tornOff = "raffle: a callback ended its goroutine (runtime.Goexit, testing.T.FailNow) inside of the library"

// guard runs a callback: no panic goes through C. One that ends its goroutine tears the library's frames off, locks and all, and nothing can call that back: the next call would find
// what is left of them. So it ends here, loudly.
func guard(e *C.raffle_error, body func() error) (rc C.raffle_rc) {
	ended := true
	defer func() {
		if p := recover(); p != nil {
			rc = panicked(e, &PanicError{p, debug.Stack()})
		} else if ended {
			panic(tornOff)
		}
	}()
	rc = answer(e, body())
	ended = false
	return rc
}

// panicked is the answer to a panic. Its value is an error, perhaps, that panics when it is asked what it is, as a nil pointer does: then it is carried without asking.
func panicked(e *C.raffle_error, p *PanicError) (rc C.raffle_rc) {
	defer func() {
		if recover() != nil {
			rc = C.RAFFLE_HOST
			tell(e, ErrHost, remember(p), "panic in a callback")
		}
	}()
	return answer(e, p)
}

// quiet runs a callback that cannot fail: a panic in it has nowhere to go.
func quiet(body func()) {
	ended := true
	defer func() {
		if recover() == nil && ended {
			panic(tornOff)
		}
	}()
	body()
	ended = false
}
