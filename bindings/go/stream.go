// SPDX-License-Identifier: Apache-2.0

package raffle

// What the library writes and reads piece by piece: io.Writer and io.Reader behind its callbacks, and progress that a context ends.

/*
#include <raffle/raffle.h>

extern raffle_rc raffleGoWrite(void *, char *, size_t, raffle_error *);
extern raffle_rc raffleGoRead(void *, char *, size_t, size_t *, raffle_error *);
extern raffle_rc raffleGoProgress(void *, uint64_t, uint64_t, raffle_error *);
*/
import "C"

import (
	"context"
	"io"
	"unsafe"
)

var (
	writeFunction    = (*[0]byte)(C.raffleGoWrite)
	readFunction     = (*[0]byte)(C.raffleGoRead)
	progressFunction = (*[0]byte)(C.raffleGoProgress)
)

// writing is an io.Writer that a context ends: the call's error is the context's, too.
type writing struct {
	ctx context.Context
	to  io.Writer
}

func (w *writing) write(bytes []byte) error {
	if err := over(w.ctx); err != nil {
		return err
	}
	n, err := w.to.Write(bytes)
	if err == nil && n < len(bytes) {
		err = io.ErrShortWrite
	}
	return err
}

// emptyReads is how often a reader may give nothing, one time after the other: as often as bufio lets it.
const emptyReads = 100

// reading is an io.Reader that a context ends.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r *reading) read(bytes []byte) (int, error) {
	for tries := 0; len(bytes) > 0; tries++ {
		if err := over(r.ctx); err != nil {
			return 0, err
		}
		n, err := r.from.Read(bytes)
		if n < 0 || n > len(bytes) {
			return 0, nonsense("a reader gave %d of %d bytes", n, len(bytes))
		}
		if n > 0 || err == io.EOF {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		if tries == emptyReads {
			return 0, io.ErrNoProgress
		}
	}
	return 0, nil
}

// Progress is told how many records are done, and how many there are. An error of its ends the call, which gives it back.
type Progress func(done, total uint64) error

// progressing is a Progress that a context ends.
type progressing struct {
	ctx  context.Context
	tell Progress
}

func (p *progressing) progress(done, total uint64) error {
	if err := over(p.ctx); err != nil || p.tell == nil {
		return err
	}
	return p.tell(done, total)
}

// toWriter makes a call whose callback is writeFunction.
func toWriter(ctx context.Context, to io.Writer, f func(ctx unsafe.Pointer) error) error {
	if to == nil {
		return &Error{RC: ErrMisuse, Message: "the writer is nil"}
	}
	if err := ended(ctx); err != nil {
		return err
	}
	w := newCtx(&writing{ctx, to})
	defer freeCtx(w)
	return f(w)
}
