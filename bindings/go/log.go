// SPDX-License-Identifier: Apache-2.0

package raffle

// Logs: records, checkpoints, proofs (RFC 6962; C2SP tlog-checkpoint).

/*
#include <raffle/raffle.h>

// Bytes as bytes: of a void pointer cgo looks at all that it points into, and refuses bytes that lie beside a Go pointer.
static raffle_rc leaf_hash(const uint8_t *leaf, size_t length, uint8_t *hash, raffle_error *err)
{
    return raffle_leaf_hash(leaf, length, hash, err);
}
*/
import "C"

import (
	"iter"
	"math"
	"sync"
	"unsafe"
)

// Latest is, for a size, all that is there now, or the newest checkpoint.
const Latest = math.MaxUint64

// Record is a record of a log.
//
// C: raffle_record_init
type Record struct {
	Index   uint64
	Leaf    []byte // canonical JSON
	Private []byte // nil: there is none, or it was erased
}

func newRecord(c *C.raffle_record) Record {
	r := Record{Index: uint64(c.index), Leaf: C.GoBytes(unsafe.Pointer(c.leaf), C.int(c.leaf_length))}
	if c.private_part != nil {
		r.Private = C.GoBytes(unsafe.Pointer(c.private_part), C.int(c.private_length))
	}
	return r
}

// Cursor walks over the records of a log. One goroutine at a time uses it; others wait.
type Cursor struct {
	handle *handle
	turn   sync.Mutex
}

// CursorOpen begins a walk over the records of a log, 0 the control log, from an index on, to the size that it has now.
//
// C: raffle_cursor_open
func (r *Raffle) CursorOpen(log uint32, from uint64) (*Cursor, error) {
	var a args
	var out *C.raffle_cursor
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_cursor_open(p, C.uint32_t(log), C.uint64_t(from), &out, e)
	})
	if err != nil {
		return nil, err
	}
	c := &Cursor{}
	c.handle = own(c, "Cursor", unsafe.Pointer(out), func(p unsafe.Pointer) { C.raffle_cursor_free((*C.raffle_cursor)(p)) })
	return c, nil
}

// Next is the next record. [ErrNotFound]: the end; what was written since follows when it is asked again.
//
// C: raffle_cursor_next
func (c *Cursor) Next() (Record, error) {
	if c == nil {
		return Record{}, freed("Cursor")
	}
	var a args
	var record Record
	c.turn.Lock()
	defer c.turn.Unlock()
	err := a.on(c.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
		var one C.raffle_record
		C.raffle_record_init(&one, C.sizeof_raffle_record)
		rc := C.raffle_cursor_next((*C.raffle_cursor)(p), &one, e)
		if rc == C.RAFFLE_OK {
			record = newRecord(&one)
		}
		return rc
	})
	return record, err
}

// Free ends the walk.
//
// C: raffle_cursor_free
func (c *Cursor) Free() {
	if c != nil {
		c.handle.close()
	}
}

// Records walks over the records of a log, 0 the control log, from an index on, to the size that it has when the walk begins.
func (r *Raffle) Records(log uint32, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		c, err := r.CursorOpen(log, from)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer c.Free()
		for {
			record, err := c.Next()
			if is(err, ErrNotFound) || !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// Root is the root of the first size records, or with [Latest] of all that are there, and how many those are.
//
// C: raffle_root
func (r *Raffle) Root(log uint32, size uint64) (root Hash, of uint64, err error) {
	var a args
	var n C.uint64_t
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_root(p, C.uint32_t(log), C.uint64_t(size), &n, octets(root[:]), e)
	})
	if err != nil {
		return Hash{}, 0, err
	}
	return root, uint64(n), nil
}

// Checkpoint signs the log as it is now, and keeps and gives the signed note.
//
// C: raffle_checkpoint
func (r *Raffle) Checkpoint(log uint32) (string, error) {
	note, err := sized(C.RAFFLE_NOTE_SIZE, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_checkpoint(p, C.uint32_t(log), out, cap, length, e)
		})
	})
	return string(note), err
}

// CheckpointGet is the checkpoint that was kept for size, or with [Latest] the newest; it needs no keys.
//
// C: raffle_checkpoint_get
func (r *Raffle) CheckpointGet(log uint32, size uint64) (string, error) {
	note, err := sized(C.RAFFLE_NOTE_SIZE, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_checkpoint_get(p, C.uint32_t(log), C.uint64_t(size), out, cap, length, e)
		})
	})
	return string(note), err
}

// CheckpointInfo is what a checkpoint says.
//
// C: raffle_checkpoint_info_init
type CheckpointInfo struct {
	Log    uint32 // 0: the control log
	Size   uint64
	Root   Hash
	Origin string // the raffle's
}

// CheckpointVerify verifies a checkpoint without a raffle: it is one of the log that key, a vkey, is named for, and signed by it.
//
// C: raffle_checkpoint_verify
func CheckpointVerify(note, key string) (CheckpointInfo, error) {
	var a args
	var c C.raffle_checkpoint_info
	C.raffle_checkpoint_info_init(&c, C.sizeof_raffle_checkpoint_info)
	cKey, bytes := a.text("key", key), []byte(note)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_checkpoint_verify(chars(bytes), C.size_t(len(bytes)), cKey, &c, e)
	})
	if err != nil {
		return CheckpointInfo{}, err
	}
	return CheckpointInfo{uint32(c.log), uint64(c.size), hash(&c.root), text(c.origin[:])}, nil
}

// LeafHash is the leaf hash of a record (RFC 6962 §2.1).
//
// C: raffle_leaf_hash
func LeafHash(leaf []byte) (out Hash, err error) {
	var a args
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.leaf_hash(octets(leaf), C.size_t(len(leaf)), octets(out[:]), e)
	})
	return out, err
}

const proofMax = 64 // hashes

func proof(f func(out *C.uint8_t, n *C.size_t) error) ([]Hash, error) {
	out := make([]Hash, proofMax)
	var n C.size_t
	if err := f((*C.uint8_t)(unsafe.Pointer(&out[0])), &n); err != nil {
		return nil, err
	}
	return out[:n:n], nil
}

// Inclusion is the proof that record index is among the first size records, leaf sibling first.
//
// C: raffle_inclusion
func (r *Raffle) Inclusion(log uint32, index, size uint64) ([]Hash, error) {
	return proof(func(out *C.uint8_t, n *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_inclusion(p, C.uint32_t(log), C.uint64_t(index), C.uint64_t(size), out, n, e)
		})
	})
}

// Consistency is the proof that the first size records begin with the first oldSize.
//
// C: raffle_consistency
func (r *Raffle) Consistency(log uint32, oldSize, size uint64) ([]Hash, error) {
	return proof(func(out *C.uint8_t, n *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_consistency(p, C.uint32_t(log), C.uint64_t(oldSize), C.uint64_t(size), out, n, e)
		})
	})
}

func hashes(proof []Hash) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(proof))) }

// InclusionVerify verifies what [Raffle.Inclusion] gives, without a raffle. [ErrProof].
//
// C: raffle_inclusion_verify
func InclusionVerify(index, size uint64, leafHash Hash, proof []Hash, root Hash) error {
	var a args
	return a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_inclusion_verify(C.uint64_t(index), C.uint64_t(size), octets(leafHash[:]), hashes(proof), C.size_t(len(proof)), octets(root[:]), e)
	})
}

// ConsistencyVerify verifies what [Raffle.Consistency] gives, without a raffle. [ErrProof].
//
// C: raffle_consistency_verify
func ConsistencyVerify(oldSize, size uint64, oldRoot, root Hash, proof []Hash) error {
	var a args
	return a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_consistency_verify(C.uint64_t(oldSize), C.uint64_t(size), octets(oldRoot[:]), octets(root[:]), hashes(proof), C.size_t(len(proof)), e)
	})
}
