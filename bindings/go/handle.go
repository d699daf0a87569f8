// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package raffle

// Handles: each C handle has one owner, and is freed when the owner and every call that is inside of it have let go.

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// handle is a C handle and who uses it: its owner, until it is closed, and the calls that are inside.
type handle struct {
	p      unsafe.Pointer
	free   func(unsafe.Pointer)
	what   string
	uses   atomic.Int64
	closed atomic.Bool
}

// own makes owner the owner of p. The cleanup is a net for owners that forget to close. Who calls keeps the owner alive until the call is inside of the handle: else a
// collection in between would free it as one that nobody has any more.
func own[T any](owner *T, what string, p unsafe.Pointer, free func(unsafe.Pointer)) *handle {
	h := &handle{p: p, free: free, what: what}
	h.uses.Store(1)
	runtime.AddCleanup(owner, (*handle).close, h)
	return h
}

// enter keeps the handle from being freed until leave.
func (h *handle) enter() error {
	if h == nil || h.closed.Load() {
		return h.gone()
	}
	for {
		n := h.uses.Load()
		if n == 0 {
			return h.gone()
		}
		if h.uses.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

func (h *handle) leave() {
	if h.uses.Add(-1) == 0 {
		h.free(h.p)
	}
}

// close lets go for the owner, once.
func (h *handle) close() {
	if h != nil && !h.closed.Swap(true) {
		h.leave()
	}
}

func (h *handle) gone() error {
	if h == nil {
		return freed("handle")
	}
	return freed(h.what)
}
