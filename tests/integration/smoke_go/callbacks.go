// SPDX-License-Identifier: Apache-2.0

package main

// What the host brings, written in Go: a clock, a provider of randomness, and a store that is a map under one mutex. C calls the
// exported functions; `ctx` is a cell of C memory with a cgo.Handle, since a Handle that poses as a pointer is none to Go's collector.

/*
#include <raffle/ext/rng.h>
#include <raffle/ext/store.h>
#include <raffle/raffle.h>
#include <stdlib.h>

extern raffle_rc smokeClock(void *, int64_t *, raffle_error *);
extern raffle_rc smokeRandom(void *, uint8_t *, size_t, size_t *, char *, int32_t, raffle_error *);
extern raffle_rc smokeOrigin(void *, char *, raffle_error *);
extern raffle_rc smokeCreate(void *, char *, raffle_error *);
extern raffle_rc smokeHead(void *, uint32_t, raffle_store_head *, raffle_error *);
extern raffle_rc smokeAppend(void *, uint32_t, raffle_store_fill, void *, int32_t, uint64_t *, raffle_error *);
extern raffle_rc smokeRead(void *, uint32_t, uint64_t, uint64_t, raffle_store_sink_record, void *, raffle_error *);
extern raffle_rc smokeNode(void *, uint32_t, uint32_t, uint64_t, uint8_t *, raffle_error *);
extern raffle_rc smokeFind(void *, uint32_t, uint8_t *, size_t, raffle_store_key *, raffle_error *);
extern raffle_rc smokeScan(void *, uint32_t, uint8_t *, size_t, uint8_t *, size_t, uint64_t, raffle_store_sink_key, void *, raffle_error *);
extern raffle_rc smokeNotePut(void *, uint32_t, uint64_t, char *, size_t, raffle_error *);
extern raffle_rc smokeNoteGet(void *, uint32_t, uint64_t, uint64_t *, char *, size_t, size_t *, raffle_error *);
extern raffle_rc smokeErase(void *, uint32_t, uint64_t, raffle_error *);
extern raffle_rc smokeBatchKeys(void *, raffle_store_key *, size_t, size_t *, raffle_store_key *, raffle_error *);
extern raffle_rc smokeBatchRecords(void *, raffle_record *, size_t, raffle_error *);
extern raffle_rc smokeBatchNode(void *, uint32_t, uint64_t, uint8_t *, raffle_error *);
extern raffle_rc smokeBatchState(void *, uint8_t *, size_t, raffle_error *);
extern raffle_rc smokeBatchNote(void *, uint64_t, char *, size_t, raffle_error *);
extern void smokeFree(void *);

static inline raffle_rc smoke_fill(raffle_store_fill f, void *ctx, raffle_store_head *head, raffle_store_batch *batch, raffle_error *err)
{
    return f(ctx, head, batch, err);
}
static inline raffle_rc smoke_record(raffle_store_sink_record f, void *ctx, raffle_record *record, raffle_error *err)
{
    return f(ctx, record, err);
}
static inline raffle_rc smoke_key(raffle_store_sink_key f, void *ctx, raffle_store_key *key, raffle_error *err)
{
    return f(ctx, key, err);
}
*/
import "C"

import (
	"crypto/sha512"
	"fmt"
	"math"
	"runtime/cgo"
	"sort"
	"strings"
	"sync"
	"unsafe"
)

// status is what a fill or a sink of the library's gave: its sentence stands in err already.
type status C.raffle_rc

func (s status) Error() string { return C.GoString(C.raffle_rc_name(C.raffle_rc(s))) }

// failure is a call that failed, or what a callback wants to fail with.
type failure struct {
	rc      C.raffle_rc
	token   uint64
	message string
}

func (f failure) Error() string { return fmt.Sprintf("%v: %s", status(f.rc), f.message) }

func newCtx(v any) unsafe.Pointer {
	ctx := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(ctx) = cgo.NewHandle(v)
	return ctx
}

func report(err *C.raffle_error, result error) C.raffle_rc {
	f := failure{rc: C.RAFFLE_HOST}
	switch e := result.(type) {
	case nil:
		return C.RAFFLE_OK
	case status:
		return C.raffle_rc(e)
	case failure:
		f = e
	default:
		f.message = e.Error()
	}
	message := C.CString(f.message)
	defer C.free(unsafe.Pointer(message))
	return C.raffle_error_set(err, f.rc, C.uint64_t(f.token), message)
}

// within runs a callback: no panic goes through C.
func within[T any](ctx unsafe.Pointer, err *C.raffle_error, body func(T) error) (rc C.raffle_rc) {
	defer func() {
		if p := recover(); p != nil {
			rc = report(err, fmt.Errorf("panic: %v", p))
		}
	}()
	return report(err, body((*(*cgo.Handle)(ctx)).Value().(T)))
}

// host is a clock that counts up, and a provider that is no good at first.
type host struct {
	sync.Mutex
	ms      int64
	stopped bool
	asked   int
	freed   int
}

//export smokeClock
func smokeClock(ctx unsafe.Pointer, ms *C.int64_t, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(h *host) error {
		h.Lock()
		defer h.Unlock()
		if h.stopped {
			return failure{C.RAFFLE_IO, 11, "the clock stopped"}
		}
		h.ms += 1000
		*ms = C.int64_t(h.ms)
		return nil
	})
}

//export smokeRandom
func smokeRandom(ctx unsafe.Pointer, out *C.uint8_t, length C.size_t, filled *C.size_t,
	evidence *C.char, timeout C.int32_t, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(h *host) error {
		h.asked++
		if h.asked == 1 {
			return failure{C.RAFFLE_HOST, 4711, "the dice fell off the table"}
		}
		bytes := bytesAt(out, length)
		for done := 0; done < len(bytes); {
			random := sha512.Sum512([]byte{byte(h.asked), byte(done / sha512.Size)})
			done += copy(bytes[done:], random[:])
		}
		*filled = length
		return nil
	})
}

func (h *host) released() { h.freed++ }

//export smokeFree
func smokeFree(ctx unsafe.Pointer) {
	(*(*cgo.Handle)(ctx)).Value().(interface{ released() }).released()
	(*(*cgo.Handle)(ctx)).Delete()
	C.free(ctx)
}

// store keeps rows by kind and key. A failed append goes back to the copy that it began with.
type store struct {
	sync.Mutex
	rows   map[rowKey]row
	log    C.uint32_t // of the append that runs
	broken bool
	freed  int
}

type rowKey struct {
	kind string
	log  C.uint32_t // or a key's scope
	n    C.uint64_t
	name string
}

type row struct {
	bytes, private string
	log            C.uint32_t
	n              C.uint64_t
}

func (s *store) released() { s.freed++ }

func (s *store) row(kind string, log C.uint32_t, n C.uint64_t, name string) (row, error) {
	if r, ok := s.rows[rowKey{kind, log, n, name}]; ok {
		return r, nil
	}
	return row{}, failure{rc: C.RAFFLE_NOT_FOUND, message: "no " + kind}
}

func (s *store) fillHead(log C.uint32_t, head *C.raffle_store_head) {
	state := s.rows[rowKey{kind: "state", log: log}].bytes
	head.log, head.size, head.control_size = log, s.rows[rowKey{kind: "size", log: log}].n, s.rows[rowKey{kind: "size"}].n
	head.state_length = C.uint32_t(copy(bytesAt(&head.state[0], C.size_t(len(state))), state))
}

func (s *store) fillKey(k rowKey, r row, out *C.raffle_store_key) {
	out.scope, out.log, out.index = k.log, r.log, r.n
	out.length = C.uint32_t(copy(bytesAt(&out.key[0], C.RAFFLE_STORE_KEY_MAX), k.name))
}

func (s *store) addNote(log C.uint32_t, size C.uint64_t, note string) error {
	text := func(note string) string { return note[:strings.LastIndex(note, "\n\n")] }
	known, ok := s.rows[rowKey{kind: "note", log: log, n: size}]
	if size < s.rows[rowKey{kind: "latest", log: log}].n || ok && text(known.bytes) != text(note) {
		return failure{rc: C.RAFFLE_HISTORY, message: "another note is there"}
	}
	s.rows[rowKey{kind: "latest", log: log}], s.rows[rowKey{kind: "note", log: log, n: size}] = row{n: size}, row{bytes: note}
	return nil
}

func bytesAt(p *C.uint8_t, n C.size_t) []byte { return unsafe.Slice((*byte)(p), n) }

func stringAt(p *C.uint8_t, n C.size_t) string { return string(bytesAt(p, n)) }

func charsAt(p *C.char, n C.size_t) string { return C.GoStringN(p, C.int(n)) }

// locked is within for the store: its mutex is not reentrant, and the contract says that this suffices.
func locked(ctx unsafe.Pointer, err *C.raffle_error, body func(*store) error) C.raffle_rc {
	return within(ctx, err, func(s *store) error {
		s.Lock()
		defer s.Unlock()
		return body(s)
	})
}

//export smokeOrigin
func smokeOrigin(ctx unsafe.Pointer, origin *C.char, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		r, e := s.row("origin", 0, 0, "")
		copy(unsafe.Slice((*byte)(unsafe.Pointer(origin)), C.RAFFLE_ORIGIN_SIZE), r.bytes+"\x00")
		return e
	})
}

//export smokeCreate
func smokeCreate(ctx unsafe.Pointer, origin *C.char, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		if _, e := s.row("origin", 0, 0, ""); e == nil {
			return failure{rc: C.RAFFLE_EXISTS, message: "there is a raffle"}
		}
		s.rows[rowKey{kind: "origin"}] = row{bytes: C.GoString(origin)}
		return nil
	})
}

//export smokeHead
func smokeHead(ctx unsafe.Pointer, log C.uint32_t, head *C.raffle_store_head, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error { s.fillHead(log, head); return nil })
}

//export smokeAppend
func smokeAppend(ctx unsafe.Pointer, log C.uint32_t, fill C.raffle_store_fill, fillCtx unsafe.Pointer, timeout C.int32_t,
	size *C.uint64_t, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		before, done := s.copyRows(), false
		defer func() {
			if !done {
				s.rows = before
			}
		}()
		var head C.raffle_store_head
		var batch C.raffle_store_batch
		C.raffle_store_head_init(&head, C.sizeof_raffle_store_head)
		C.raffle_store_batch_init(&batch, C.sizeof_raffle_store_batch)
		batch.ctx = ctx
		batch.keys, batch.records = (*[0]byte)(C.smokeBatchKeys), (*[0]byte)(C.smokeBatchRecords)
		batch.node, batch.state, batch.note = (*[0]byte)(C.smokeBatchNode), (*[0]byte)(C.smokeBatchState), (*[0]byte)(C.smokeBatchNote)
		s.log = log
		s.fillHead(log, &head)
		if rc := C.smoke_fill(fill, fillCtx, &head, &batch, err); rc != C.RAFFLE_OK {
			return status(rc)
		}
		if s.broken {
			panic("the disk is on fire")
		}
		*size, done = s.rows[rowKey{kind: "size", log: log}].n, true
		return nil
	})
}

func (s *store) copyRows() map[rowKey]row {
	rows := make(map[rowKey]row, len(s.rows))
	for k, r := range s.rows {
		rows[k] = r
	}
	return rows
}

// The batch's functions run while smokeAppend holds the mutex.

//export smokeBatchKeys
func smokeBatchKeys(ctx unsafe.Pointer, keys *C.raffle_store_key, n C.size_t, done *C.size_t,
	owner *C.raffle_store_key, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(s *store) error {
		for i, key := range unsafe.Slice(keys, n) {
			k := rowKey{kind: "key", log: key.scope, name: stringAt(&key.key[0], C.size_t(key.length))}
			if taken, ok := s.rows[k]; ok {
				s.fillKey(k, taken, owner)
				return nil
			}
			s.rows[k] = row{log: key.log, n: key.index}
			*done = C.size_t(i + 1)
		}
		return nil
	})
}

//export smokeBatchRecords
func smokeBatchRecords(ctx unsafe.Pointer, records *C.raffle_record, n C.size_t, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(s *store) error {
		for _, r := range unsafe.Slice(records, n) {
			s.rows[rowKey{kind: "record", log: s.log, n: r.index}] = row{bytes: charsAt(r.leaf, C.size_t(r.leaf_length)),
				private: charsAt(r.private_part, C.size_t(r.private_length))}
			s.rows[rowKey{kind: "size", log: s.log}] = row{n: r.index + 1}
		}
		return nil
	})
}

//export smokeBatchNode
func smokeBatchNode(ctx unsafe.Pointer, level C.uint32_t, index C.uint64_t, hash *C.uint8_t,
	err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(s *store) error {
		s.rows[rowKey{"node", s.log, index, fmt.Sprint(level)}] = row{bytes: stringAt(hash, 32)}
		return nil
	})
}

//export smokeBatchState
func smokeBatchState(ctx unsafe.Pointer, state *C.uint8_t, length C.size_t, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(s *store) error {
		s.rows[rowKey{kind: "state", log: s.log}] = row{bytes: stringAt(state, length)}
		return nil
	})
}

//export smokeBatchNote
func smokeBatchNote(ctx unsafe.Pointer, size C.uint64_t, note *C.char, length C.size_t, err *C.raffle_error) C.raffle_rc {
	return within(ctx, err, func(s *store) error { return s.addNote(s.log, size, charsAt(note, length)) })
}

//export smokeRead
func smokeRead(ctx unsafe.Pointer, log C.uint32_t, from, count C.uint64_t,
	sink C.raffle_store_sink_record, sinkCtx unsafe.Pointer, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		for i := from; i < from+count && i < s.rows[rowKey{kind: "size", log: log}].n; i++ {
			r, e := s.row("record", log, i, "")
			if e != nil {
				return failure{rc: C.RAFFLE_CORRUPT, message: e.Error()}
			}
			if rc := s.give(i, r, sink, sinkCtx, err); rc != C.RAFFLE_OK {
				return status(rc)
			}
		}
		return nil
	})
}

// give copies a record into C memory: what C is handed may hold no pointers to Go's.
func (s *store) give(index C.uint64_t, r row, sink C.raffle_store_sink_record,
	sinkCtx unsafe.Pointer, err *C.raffle_error) C.raffle_rc {
	var record C.raffle_record
	C.raffle_record_init(&record, C.sizeof_raffle_record)
	record.index, record.leaf, record.leaf_length = index, C.CString(r.bytes), C.uint32_t(len(r.bytes))
	defer C.free(unsafe.Pointer(record.leaf))
	if r.private != "" {
		record.private_part, record.private_length = C.CString(r.private), C.uint32_t(len(r.private))
		defer C.free(unsafe.Pointer(record.private_part))
	}
	return C.smoke_record(sink, sinkCtx, &record, err)
}

//export smokeNode
func smokeNode(ctx unsafe.Pointer, log, level C.uint32_t, index C.uint64_t, hash *C.uint8_t,
	err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		r, e := s.row("node", log, index, fmt.Sprint(level))
		copy(bytesAt(hash, 32), r.bytes)
		return e
	})
}

//export smokeFind
func smokeFind(ctx unsafe.Pointer, scope C.uint32_t, key *C.uint8_t, length C.size_t,
	out *C.raffle_store_key, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		k := rowKey{kind: "key", log: scope, name: stringAt(key, length)}
		r, e := s.row("key", scope, 0, k.name)
		s.fillKey(k, r, out)
		return e
	})
}

//export smokeScan
func smokeScan(ctx unsafe.Pointer, scope C.uint32_t, prefix *C.uint8_t, prefixLength C.size_t, after *C.uint8_t, afterLength C.size_t,
	count C.uint64_t, sink C.raffle_store_sink_key, sinkCtx unsafe.Pointer, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		var found []rowKey
		for k := range s.rows {
			wanted := strings.HasPrefix(k.name, stringAt(prefix, prefixLength)) && k.name > stringAt(after, afterLength)
			if k.kind == "key" && k.log == scope && wanted {
				found = append(found, k)
			}
		}
		sort.Slice(found, func(i, j int) bool { return found[i].name < found[j].name })
		for i := 0; i < len(found) && C.uint64_t(i) < count; i++ {
			var key C.raffle_store_key
			C.raffle_store_key_init(&key, C.sizeof_raffle_store_key)
			s.fillKey(found[i], s.rows[found[i]], &key)
			if rc := C.smoke_key(sink, sinkCtx, &key, err); rc != C.RAFFLE_OK {
				return status(rc)
			}
		}
		return nil
	})
}

//export smokeNotePut
func smokeNotePut(ctx unsafe.Pointer, log C.uint32_t, size C.uint64_t, note *C.char,
	length C.size_t, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error { return s.addNote(log, size, charsAt(note, length)) })
}

//export smokeNoteGet
func smokeNoteGet(ctx unsafe.Pointer, log C.uint32_t, size C.uint64_t, noteSize *C.uint64_t,
	note *C.char, room C.size_t, length *C.size_t, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		if size == math.MaxUint64 {
			size = s.rows[rowKey{kind: "latest", log: log}].n
		}
		r, e := s.row("note", log, size, "")
		if e == nil && C.size_t(len(r.bytes)) > room {
			e = failure{rc: C.RAFFLE_TOO_SMALL, message: "the note is longer"}
		}
		if e == nil {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(note)), room), r.bytes)
		}
		*noteSize, *length = size, C.size_t(len(r.bytes))
		return e
	})
}

//export smokeErase
func smokeErase(ctx unsafe.Pointer, log C.uint32_t, index C.uint64_t, err *C.raffle_error) C.raffle_rc {
	return locked(ctx, err, func(s *store) error {
		r, e := s.row("record", log, index, "")
		if e == nil {
			s.rows[rowKey{kind: "record", log: log, n: index}] = row{bytes: r.bytes}
		}
		return e
	})
}

func hostTable(h *host) *C.raffle_host {
	t := new(C.raffle_host)
	C.raffle_host_init(t, C.sizeof_raffle_host)
	t.flags, t.ctx = C.RAFFLE_HOST_REPLAYED_CLOCK, newCtx(h)
	t.clock, t.release = (*[0]byte)(C.smokeClock), (*[0]byte)(C.smokeFree)
	return t
}

func newRandom(h *host) (rng *C.raffle_rng) {
	var t C.raffle_rng_table
	C.raffle_rng_table_init(&t, C.sizeof_raffle_rng_table)
	t.fill, t.free = (*[0]byte)(C.smokeRandom), (*[0]byte)(C.smokeFree)
	name := C.CString("host:smoke")
	defer C.free(unsafe.Pointer(name))
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_rng_new(name, &t, newCtx(h), &rng, err) })
	return rng
}

func newStore(s *store) (out *C.raffle_store) {
	var t C.raffle_store_table
	C.raffle_store_table_init(&t, C.sizeof_raffle_store_table)
	t.origin, t.create, t.head = (*[0]byte)(C.smokeOrigin), (*[0]byte)(C.smokeCreate), (*[0]byte)(C.smokeHead)
	t.append, t.read, t.node = (*[0]byte)(C.smokeAppend), (*[0]byte)(C.smokeRead), (*[0]byte)(C.smokeNode)
	t.find, t.scan, t.erase = (*[0]byte)(C.smokeFind), (*[0]byte)(C.smokeScan), (*[0]byte)(C.smokeErase)
	t.note_put, t.note_get, t.free = (*[0]byte)(C.smokeNotePut), (*[0]byte)(C.smokeNoteGet), (*[0]byte)(C.smokeFree)
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_store_new(&t, newCtx(s), &out, err) })
	return out
}
