// SPDX-License-Identifier: Apache-2.0

package raffle

// Witnesses (C2SP tlog-witness): who cosigns checkpoints; the transport is the host's.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"iter"
	"math"
)

// Witness is a witness that the rules name.
//
// C: raffle_witness_init
type Witness struct {
	Name string
	VKey string // its public key, for cosignatures
	URL  string // without a last '/'; "": the rules give none
}

// WitnessAt is the witness at i, from 0 on, in the rules' order. [ErrNotFound] beyond the last.
//
// C: raffle_witness_at
func (r *Raffle) WitnessAt(i uint32) (Witness, error) {
	var a args
	var c C.raffle_witness
	C.raffle_witness_init(&c, C.sizeof_raffle_witness)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_witness_at(p, C.uint32_t(i), &c, e) })
	if err != nil {
		return Witness{}, err
	}
	return Witness{text(c.name[:]), text(c.vkey[:]), text(c.url[:])}, nil
}

// Witnesses walks over the witnesses, in the rules' order.
func (r *Raffle) Witnesses() iter.Seq2[Witness, error] { return walk(r.WitnessAt) }

// WitnessPolicy is the rules' policy, lines of C2SP tlog-policy. [ErrNotFound]: the rules ask no witnesses.
//
// C: raffle_witness_policy
func (r *Raffle) WitnessPolicy() (string, error) {
	policy, err := sized(4096, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_witness_policy(p, out, cap, length, e)
		})
	})
	return string(policy), err
}

// WitnessRequest is what asks a witness to cosign the checkpoint that is kept for size, given that the last one it cosigned is over oldSize records: 0 when that is not known.
//
// C: raffle_witness_request
func (r *Raffle) WitnessRequest(log uint32, size, oldSize uint64) ([]byte, error) {
	return sized(C.RAFFLE_WITNESS_REQUEST_SIZE, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_witness_request(p, C.uint32_t(log), C.uint64_t(size), C.uint64_t(oldSize), out, cap, length, e)
		})
	})
}

// WitnessAnswer judges the answer of the witness at i: its HTTP status and body. With again [Latest] its cosignatures were verified and are kept; with another one the last
// that it cosigned is over so many records: build the request anew with it, a few times at most.
//
// C: raffle_witness_answer
func (r *Raffle) WitnessAnswer(i, log uint32, size uint64, status int, body []byte) (again uint64, err error) {
	var a args
	var c C.uint64_t
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_witness_answer(p, C.uint32_t(i), C.uint32_t(log), C.uint64_t(size), C.int32_t(min(max(status, math.MinInt32), math.MaxInt32)), chars(body), C.size_t(len(body)), &c, e)
	})
	return uint64(c), err
}

// CheckpointCosign adds cosignatures that came another way: signature lines, each with its newline, for the checkpoint that is kept for size.
//
// C: raffle_checkpoint_cosign
func (r *Raffle) CheckpointCosign(log uint32, size uint64, lines string) error {
	var a args
	bytes := []byte(lines)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_checkpoint_cosign(p, C.uint32_t(log), C.uint64_t(size), chars(bytes), C.size_t(len(bytes)), e)
	})
}

// CheckpointQuorum says whether the kept checkpoint carries the cosignatures of the rules' quorum, whatever their times.
//
// C: raffle_checkpoint_quorum
func (r *Raffle) CheckpointQuorum(log uint32, size uint64) (bool, error) {
	var a args
	var c C.int32_t
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_checkpoint_quorum(p, C.uint32_t(log), C.uint64_t(size), &c, e)
	})
	return c != 0, err
}
