// SPDX-License-Identifier: Apache-2.0

package raffle

// Stores: the library's own, and those that are written in Go.

/*
#include <raffle/raffle.h>
#include <raffle/ext/store.h>

extern raffle_rc raffleGoStoreOrigin(void *, char *, raffle_error *);
extern raffle_rc raffleGoStoreCreate(void *, char *, raffle_error *);
extern raffle_rc raffleGoStoreHead(void *, uint32_t, raffle_store_head *, raffle_error *);
extern raffle_rc raffleGoStoreAppend(void *, uint32_t, raffle_store_fill, void *, int32_t, uint64_t *, raffle_error *);
extern raffle_rc raffleGoStoreRead(void *, uint32_t, uint64_t, uint64_t, raffle_store_sink_record, void *, raffle_error *);
extern raffle_rc raffleGoStoreNode(void *, uint32_t, uint32_t, uint64_t, uint8_t *, raffle_error *);
extern raffle_rc raffleGoStoreFind(void *, uint32_t, uint8_t *, size_t, raffle_store_key *, raffle_error *);
extern raffle_rc raffleGoStoreScan(void *, uint32_t, uint8_t *, size_t, uint8_t *, size_t, uint64_t, raffle_store_sink_key, void *, raffle_error *);
extern raffle_rc raffleGoStoreScanBack(void *, uint32_t, uint8_t *, size_t, uint8_t *, size_t, uint64_t, raffle_store_sink_key, void *, raffle_error *);
extern raffle_rc raffleGoStoreNotePut(void *, uint32_t, uint64_t, char *, size_t, raffle_error *);
extern raffle_rc raffleGoStoreNoteGet(void *, uint32_t, uint64_t, uint64_t *, char *, size_t, size_t *, raffle_error *);
extern raffle_rc raffleGoStoreErase(void *, uint32_t, uint64_t, raffle_error *);
extern raffle_rc raffleGoStoreAnchorGet(void *, uint32_t, uint64_t *, uint8_t *, raffle_error *);
extern raffle_rc raffleGoStoreAnchorPut(void *, uint32_t, uint64_t, uint8_t *, int32_t, raffle_error *);
extern raffle_rc raffleGoStoreAnchorOf(void *, char *, uint32_t, uint64_t *, uint8_t *, raffle_error *);
extern raffle_rc raffleGoStorePutBack(void *, char *, raffle_error *);
extern raffle_rc raffleGoStoreManifest(void *, char *, size_t, size_t *, raffle_error *);
extern raffle_rc raffleGoStoreTile(void *, uint32_t, uint32_t, uint64_t, uint8_t *, uint32_t *, raffle_error *);
extern raffle_rc raffleGoStoreFile(void *, char *, char *, size_t, size_t *, raffle_error *);
extern void raffleGoFree(void *);
extern raffle_rc raffleGoBatchKeys(void *, raffle_store_key *, size_t, size_t *, raffle_store_key *, raffle_error *);
extern raffle_rc raffleGoBatchRecords(void *, raffle_record *, size_t, raffle_error *);
extern raffle_rc raffleGoBatchNode(void *, uint32_t, uint64_t, uint8_t *, raffle_error *);
extern raffle_rc raffleGoBatchState(void *, uint8_t *, size_t, raffle_error *);
extern raffle_rc raffleGoBatchNote(void *, uint64_t, char *, size_t, raffle_error *);
extern raffle_rc raffleGoBatchRead(void *, uint64_t, uint64_t, raffle_store_sink_record, void *, raffle_error *);

static raffle_rc call_fill(raffle_store_fill fill, void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err)
{
    return fill(ctx, head, batch, err);
}

static raffle_rc call_record(raffle_store_sink_record sink, void *ctx, const raffle_record *record, raffle_error *err)
{
    return sink(ctx, record, err);
}

static raffle_rc call_key(raffle_store_sink_key sink, void *ctx, const raffle_store_key *key, raffle_error *err)
{
    return sink(ctx, key, err);
}
*/
import "C"

import (
	"math"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// StoreKey is a unique key and the record that took it.
//
// C: raffle_store_key_init
type StoreKey struct {
	Scope uint32 // a small number; keys of different scopes are strangers
	Log   uint32 // the log and …
	Index uint64 // … the index of the record
	Key   []byte // 1 to 64 bytes
}

// StoreHead is a log as it stands.
//
// C: raffle_store_head_init
type StoreHead struct {
	Log         uint32
	Size        uint64 // records; 0 for a log that was never written
	ControlSize uint64 // of the control log, read in the same transaction
	State       []byte // nil: none was kept
}

// StoreBatch is what a store hands to the filling of [HostStore].Append, which calls it while Append runs and never after. A failure is returned by the filling, and undoes everything.
//
// C: raffle_store_batch_init
type StoreBatch interface {
	Keys(keys []StoreKey) (done int, owner StoreKey, err error) // takes keys in order, until one is taken already: whose row owner then is
	Records(records []Record) error                             // their Index continues the log without a gap
	Node(level uint32, index uint64, hash Hash) error           // of a complete subtree of 2^level leaves
	State(state []byte) error                                   // replaces the log's
	Note(size uint64, note []byte) error                        // a signed note over a size of this log
}

// StoreBatchReader is a StoreBatch that can read the log inside of the transaction, which spares appends that others overtake.
type StoreBatchReader interface {
	StoreBatch
	Read(from, count uint64, take func(Record) error) error
}

// HostStore is a store that is written in Go: what include/raffle/ext/store.h asks of one, function by function. Slices are valid during the call; every function may be called by
// several goroutines at once. What fill and take give after the function that got them has returned is [ErrMisuse]. Failures are statuses of this package, [ErrIO], or an [*Error]; any other error counts as [ErrHost].
//
// C: raffle_store_table_init
type HostStore interface {
	Origin() (string, error) // ErrNotFound: the store is empty
	Create(origin string) error
	Head(log uint32) (StoreHead, error)
	Append(log uint32, fill func(head StoreHead, batch StoreBatch) error, timeout time.Duration) (size uint64, err error) // all or nothing, and durable; timeout < 0: no limit
	Read(log uint32, from, count uint64, take func(Record) error) error
	Node(log, level uint32, index uint64) (Hash, error) // ErrNotFound
	Find(scope uint32, key []byte) (StoreKey, error)    // ErrNotFound
	Scan(scope uint32, prefix, after []byte, count uint64, take func(StoreKey) error) error
	NotePut(log uint32, size uint64, note []byte) error
	NoteGet(log uint32, size uint64) (of uint64, note []byte, err error) // size Latest: the newest. ErrNotFound
	Erase(log uint32, index uint64) error                                // ErrNotFound
	Free()                                                               // called once, after the last call
}

// StoreLimits is a [HostStore] whose transactions hold so much; 0: no limit.
type StoreLimits interface {
	BatchLimits() (rows, bytes uint64)
}

// StoreAnchor is a [HostStore] with an anchor: what was last seen of a log, kept outside.
type StoreAnchor interface {
	AnchorGet(log uint32) (size uint64, root Hash, err error)
	AnchorPut(log uint32, size uint64, root Hash, durable bool) error
}

// StorePutBack is a [HostStore] that a backup can be put back into, behind its anchor.
type StorePutBack interface {
	AnchorOf(origin string, log uint32) (size uint64, root Hash, err error)
	PutBack(origin string) error
}

// StoreScanBack is a [HostStore] that scans backwards, too: the rows less than before, in falling order.
type StoreScanBack interface {
	ScanBack(scope uint32, prefix, before []byte, count uint64, take func(StoreKey) error) error
}

// StorePublished is a [HostStore] over a published copy.
type StorePublished interface {
	Manifest() ([]byte, error)
	Tile(log, level uint32, index uint64) ([]Hash, error)
	File(path string) ([]byte, error)
}

// Store is a handle over a store.
type Store struct{ handle *handle }

func newStore(p *C.raffle_store) *Store {
	s := &Store{}
	s.handle = own(s, "Store", unsafe.Pointer(p), func(p unsafe.Pointer) { C.raffle_store_free((*C.raffle_store)(p)) })
	return s
}

// StoreOpen opens a store by URI: `sqlite:PATH`, a plain path, `postgresql://…`, `folder:PATH`, `https://…`. host is optional.
//
// C: raffle_store_open
func StoreOpen(uri string, host *Host) (*Store, error) {
	var a args
	var out *C.raffle_store
	cURI := a.text("uri", uri)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_store_open(cURI, lent.table(), &out, e) })
	lent.taken(err == nil)
	if err != nil {
		return nil, err
	}
	return newStore(out), nil
}

// StoreNew is a handle over a store of the host's own.
//
// C: raffle_store_new
func StoreNew(store HostStore) (*Store, error) {
	if store == nil {
		return nil, &Error{RC: ErrMisuse, Message: "store is nil"}
	}
	var a args
	var out *C.raffle_store
	var t C.raffle_store_table
	C.raffle_store_table_init(&t, C.sizeof_raffle_store_table)
	fillTable(&t, store)
	ctx := newCtx(store)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_store_new(&t, ctx, &out, e) })
	if err != nil {
		freeCtx(ctx)
		return nil, err
	}
	return newStore(out), nil
}

func fillTable(t *C.raffle_store_table, store HostStore) {
	t.origin, t.create, t.head = (*[0]byte)(C.raffleGoStoreOrigin), (*[0]byte)(C.raffleGoStoreCreate), (*[0]byte)(C.raffleGoStoreHead)
	t.append, t.read, t.node = (*[0]byte)(C.raffleGoStoreAppend), (*[0]byte)(C.raffleGoStoreRead), (*[0]byte)(C.raffleGoStoreNode)
	t.find, t.scan = (*[0]byte)(C.raffleGoStoreFind), (*[0]byte)(C.raffleGoStoreScan)
	t.note_put, t.note_get = (*[0]byte)(C.raffleGoStoreNotePut), (*[0]byte)(C.raffleGoStoreNoteGet)
	t.erase, t.free = (*[0]byte)(C.raffleGoStoreErase), (*[0]byte)(C.raffleGoFree)
	if limits, ok := store.(StoreLimits); ok {
		rows, bytes := limits.BatchLimits()
		t.batch_rows, t.batch_bytes = C.uint64_t(rows), C.uint64_t(bytes)
	}
	if _, ok := store.(StoreAnchor); ok {
		t.anchor_get, t.anchor_put = (*[0]byte)(C.raffleGoStoreAnchorGet), (*[0]byte)(C.raffleGoStoreAnchorPut)
	}
	if _, ok := store.(StorePutBack); ok {
		t.anchor_of, t.put_back = (*[0]byte)(C.raffleGoStoreAnchorOf), (*[0]byte)(C.raffleGoStorePutBack)
	}
	if _, ok := store.(StoreScanBack); ok {
		t.scan_back = (*[0]byte)(C.raffleGoStoreScanBack)
	}
	if _, ok := store.(StorePublished); ok {
		t.manifest, t.tile, t.file = (*[0]byte)(C.raffleGoStoreManifest), (*[0]byte)(C.raffleGoStoreTile), (*[0]byte)(C.raffleGoStoreFile)
	}
}

// Free lets go of the store.
//
// C: raffle_store_free
func (s *Store) Free() {
	if s != nil {
		s.handle.close()
	}
}

// --- what crosses ---

func newStoreKey(c *C.raffle_store_key) StoreKey {
	return StoreKey{uint32(c.scope), uint32(c.log), uint64(c.index), C.GoBytes(unsafe.Pointer(&c.key[0]), C.int(min(c.length, C.RAFFLE_STORE_KEY_MAX)))}
}

// setStoreKey leaves struct_size as it is.
func setStoreKey(c *C.raffle_store_key, key StoreKey) error {
	if len(key.Key) < 1 || len(key.Key) > C.RAFFLE_STORE_KEY_MAX {
		return nonsense("a key of %d bytes", len(key.Key))
	}
	c.scope, c.log, c.index, c.length = C.uint32_t(key.Scope), C.uint32_t(key.Log), C.uint64_t(key.Index), C.uint32_t(len(key.Key))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&c.key[0])), C.RAFFLE_STORE_KEY_MAX), key.Key)
	return nil
}

// setStoreHead leaves struct_size as it is.
func setStoreHead(c *C.raffle_store_head, head StoreHead) error {
	if len(head.State) > C.RAFFLE_STORE_STATE_MAX {
		return nonsense("a state of %d bytes", len(head.State))
	}
	c.log, c.size, c.control_size, c.state_length = C.uint32_t(head.Log), C.uint64_t(head.Size), C.uint64_t(head.ControlSize), C.uint32_t(len(head.State))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&c.state[0])), C.RAFFLE_STORE_STATE_MAX), head.State)
	return nil
}

// loan is what C lends a store for the time of one call, a fill or a sink: C keeps it on its stack. A store that calls it later, or from another goroutine while the call ends, is refused.
type loan struct {
	mu   sync.Mutex
	over bool
}

func (l *loan) use(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return &Error{RC: ErrMisuse, Message: "what a store is lent was called after the call that it was lent for"}
	}
	return f()
}

func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

// lentFor is f for the time of the loan.
func lentFor[T any](l *loan, f func(T) error) func(T) error {
	return func(one T) error { return l.use(func() error { return f(one) }) }
}

// takeRecord hands a record to C's sink.
func takeRecord(l *loan, sink C.raffle_store_sink_record, ctx unsafe.Pointer) func(Record) error {
	return lentFor(l, func(record Record) error {
		var pin runtime.Pinner
		defer pin.Unpin()
		if len(record.Leaf) == 0 || len(record.Leaf) > math.MaxInt32 || len(record.Private) > math.MaxInt32 {
			return nonsense("a record with a leaf of %d bytes, and %d private ones", len(record.Leaf), len(record.Private))
		}
		c := C.raffle_record{struct_size: C.sizeof_raffle_record, index: C.uint64_t(record.Index)}
		pin.Pin(&record.Leaf[0])
		c.leaf, c.leaf_length = chars(record.Leaf), C.uint32_t(len(record.Leaf))
		if record.Private != nil {
			part := record.Private
			if len(part) == 0 {
				part = []byte{0}
			}
			pin.Pin(&part[0])
			c.private_part, c.private_length = chars(part), C.uint32_t(len(record.Private))
		}
		e := newError
		if rc := C.call_record(sink, ctx, &c, &e); rc != C.RAFFLE_OK {
			return failure(rc, &e)
		}
		return nil
	})
}

// takeKey hands a key to C's sink.
func takeKey(l *loan, sink C.raffle_store_sink_key, ctx unsafe.Pointer) func(StoreKey) error {
	return lentFor(l, func(key StoreKey) error {
		c := C.raffle_store_key{struct_size: C.sizeof_raffle_store_key}
		if err := setStoreKey(&c, key); err != nil {
			return err
		}
		e := newError
		if rc := C.call_key(sink, ctx, &c, &e); rc != C.RAFFLE_OK {
			return failure(rc, &e)
		}
		return nil
	})
}

// filling is what a Go store calls in Append: C's fill, over a batch whose functions are those of the Go store's.
func filling(l *loan, fill C.raffle_store_fill, fillCtx unsafe.Pointer) func(StoreHead, StoreBatch) error {
	return func(head StoreHead, batch StoreBatch) error {
		return l.use(func() error { return fillWith(fill, fillCtx, head, batch) })
	}
}

func fillWith(fill C.raffle_store_fill, fillCtx unsafe.Pointer, head StoreHead, batch StoreBatch) error {
	var cHead C.raffle_store_head
	var cBatch C.raffle_store_batch
	C.raffle_store_head_init(&cHead, C.sizeof_raffle_store_head)
	C.raffle_store_batch_init(&cBatch, C.sizeof_raffle_store_batch)
	if err := setStoreHead(&cHead, head); err != nil {
		return err
	}
	cBatch.keys, cBatch.records, cBatch.node = (*[0]byte)(C.raffleGoBatchKeys), (*[0]byte)(C.raffleGoBatchRecords), (*[0]byte)(C.raffleGoBatchNode)
	cBatch.state, cBatch.note = (*[0]byte)(C.raffleGoBatchState), (*[0]byte)(C.raffleGoBatchNote)
	if _, ok := batch.(StoreBatchReader); ok {
		cBatch.read = (*[0]byte)(C.raffleGoBatchRead)
	}
	cBatch.ctx = newCtx(batch)
	defer freeCtx(cBatch.ctx)
	e := newError
	if rc := C.call_fill(fill, fillCtx, &cHead, &cBatch, &e); rc != C.RAFFLE_OK {
		return failure(rc, &e)
	}
	return nil
}

// stepped is element i of an array that steps by its first element's struct_size.
func stepped[T any](first *T, structSize C.uint32_t, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(first), uintptr(i)*uintptr(structSize)))
}
