// SPDX-License-Identifier: Apache-2.0

package raffle

// Providers of randomness: the library's own, and those that are written in Go.

/*
#include <raffle/raffle.h>
#include <raffle/ext/rng.h>

extern raffle_rc raffleGoFill(void *, uint8_t *, size_t, size_t *, char *, int32_t, raffle_error *);
extern void raffleGoFree(void *);
*/
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// SeedSize is the bytes of a draw's seed.
const SeedSize = 48

// Provider is a provider of randomness that is written in Go: an HSM, a KMS client. Fill fills out, at most 1,024 bytes, wholly or fails; evidence, up to 64 bytes of printable
// ASCII, is what the provider's own records know the call by. It may be called by several goroutines at once. The context ends when the library waits no longer.
type Provider interface {
	Fill(ctx context.Context, out []byte) (evidence string, err error)
}

// Rng is a provider's handle: every byte of it goes through health tests. It may be used from any goroutine.
type Rng struct{ handle *handle }

func newRng(p *C.raffle_rng) *Rng {
	g := &Rng{}
	g.handle = own(g, "Rng", unsafe.Pointer(p), func(p unsafe.Pointer) { C.raffle_rng_free((*C.raffle_rng)(p)) })
	return g
}

// RngOpen opens a provider by URI: `system:`, `kms:?region=REGION`, `pkcs11:…`, and in rehearsals `test:seed=HEX` (docs/guide/randomness.md). host is optional.
//
// C: raffle_rng_open
func RngOpen(uri string, host *Host) (*Rng, error) {
	var a args
	var out *C.raffle_rng
	cURI := a.text("uri", uri)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_rng_open(cURI, lent.table(), &out, e) })
	lent.taken(err == nil)
	if err != nil {
		return nil, err
	}
	return newRng(out), nil
}

// RngNew is a handle over a provider of the host's own, under a name that the rules pin: "host:cloud".
//
// C: raffle_rng_new, raffle_rng_table_init
func RngNew(name string, provider Provider) (*Rng, error) {
	if provider == nil {
		return nil, &Error{RC: ErrMisuse, Message: "provider is nil"}
	}
	var a args
	var out *C.raffle_rng
	var table C.raffle_rng_table
	C.raffle_rng_table_init(&table, C.sizeof_raffle_rng_table)
	table.fill, table.free = (*[0]byte)(C.raffleGoFill), (*[0]byte)(C.raffleGoFree)
	cName, ctx := a.text("name", name), newCtx(provider)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_rng_new(cName, &table, ctx, &out, e) })
	if err != nil {
		freeCtx(ctx)
		return nil, err
	}
	return newRng(out), nil
}

func (g *Rng) call(ctx context.Context, a *args, f func(*C.raffle_rng, C.int32_t, *C.raffle_error) C.raffle_rc) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if g == nil {
		return freed("Rng")
	}
	defer runtime.KeepAlive(g)
	return withContext(ctx, a.on(g.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
		return f((*C.raffle_rng)(p), timeout(ctx), e)
	}))
}

// Free lets go of the provider.
//
// C: raffle_rng_free
func (g *Rng) Free() {
	if g != nil {
		g.handle.close()
	}
}

// Name is the name by which rules pin it; "" after Free.
//
// C: raffle_rng_name
func (g *Rng) Name() string {
	if g == nil || g.handle.enter() != nil {
		return ""
	}
	defer g.handle.leave()
	return C.GoString(C.raffle_rng_name((*C.raffle_rng)(g.handle.p)))
}

// Fill fills out with raw bytes, all of it or, when it fails, with zeros.
//
// C: raffle_rng_fill
func (g *Rng) Fill(ctx context.Context, out []byte) error {
	var a args
	return g.call(ctx, &a, func(p *C.raffle_rng, wait C.int32_t, e *C.raffle_error) C.raffle_rc {
		return C.raffle_rng_fill(p, octets(out), C.size_t(len(out)), wait, e)
	})
}

// NumbersMax is how many numbers one call of [Rng.Pick] or [Rng.Collect] gives at most, a gigabyte of them: out of memory, Go ends the process.
const NumbersMax = 1 << 27

// Pick gives picks of the numbers 0 … range - 1, in order, without replacement, chosen as a draw chooses them.
//
// C: raffle_rng_pick
func (g *Rng) Pick(ctx context.Context, of uint64, picks int) ([]uint64, error) {
	var a args
	if picks < 0 || picks > NumbersMax || uint64(picks) > of {
		return nil, invalid("%d picks of %d numbers", picks, of)
	}
	out := make([]uint64, picks)
	err := g.call(ctx, &a, func(p *C.raffle_rng, wait C.int32_t, e *C.raffle_error) C.raffle_rc {
		return C.raffle_rng_pick(p, C.uint64_t(of), (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(out))), C.size_t(picks), wait, e)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// How Rng.Collect picks; 0: as a draw.
const (
	CollectReplace uint32 = C.RAFFLE_COLLECT_REPLACE  // with replacement
	CollectOneSeed uint32 = C.RAFFLE_COLLECT_ONE_SEED // one seed for all draws of the call
)

// Collect makes many draws at once, for a lab's collection: draws times picks of the numbers 0 … range - 1, one draw after the other.
//
// C: raffle_rng_collect
func (g *Rng) Collect(ctx context.Context, flags uint32, of uint64, picks, draws int) ([]uint64, error) {
	var a args
	if picks < 1 || draws < 1 || picks > NumbersMax/draws {
		return nil, invalid("%d draws of %d picks", draws, picks)
	}
	out := make([]uint64, picks*draws)
	err := g.call(ctx, &a, func(p *C.raffle_rng, wait C.int32_t, e *C.raffle_error) C.raffle_rc {
		return C.raffle_rng_collect(p, C.uint32_t(flags), C.uint64_t(of), C.size_t(picks), (*C.uint64_t)(unsafe.Pointer(&out[0])), C.size_t(draws), wait, e)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Seed is the seed of a committed draw, and the commitment to it, which goes into the intent. The host keeps the seed secret and durable until the draw is
// finished.
//
// C: raffle_rng_seed
func (g *Rng) Seed(ctx context.Context) (seed [SeedSize]byte, commitment Hash, evidence string, err error) {
	var a args
	var c [C.RAFFLE_NAME_SIZE]C.char
	err = g.call(ctx, &a, func(p *C.raffle_rng, wait C.int32_t, e *C.raffle_error) C.raffle_rc {
		return C.raffle_rng_seed(p, octets(seed[:]), octets(commitment[:]), &c[0], wait, e)
	})
	if err != nil {
		return [SeedSize]byte{}, Hash{}, "", err
	}
	return seed, commitment, text(c[:]), nil
}

// SeedCommitment is the commitment to a seed that was kept.
//
// C: raffle_seed_commitment
func SeedCommitment(seed [SeedSize]byte) (commitment Hash, err error) {
	var a args
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_seed_commitment(octets(seed[:]), octets(commitment[:]), e)
	})
	return commitment, err
}

// Test is the start-up test now: 1,024 bytes that are tested and thrown away. [ErrRNGUnhealthy] stays, for good.
//
// C: raffle_rng_test
func (g *Rng) Test(ctx context.Context) error {
	var a args
	return g.call(ctx, &a, func(p *C.raffle_rng, wait C.int32_t, e *C.raffle_error) C.raffle_rc {
		return C.raffle_rng_test(p, wait, e)
	})
}
