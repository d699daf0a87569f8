// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"raffle.example/raffle"
)

// A store in Go: one mutex, maps and slices. A whole raffle runs over it, and its failures come back as they are.

type memoryNote struct {
	size uint64
	text []byte
}

type memoryAnchor struct {
	size uint64
	root raffle.Hash
}

type memoryStore struct {
	mu      sync.Mutex
	origin  string
	records map[uint32][]raffle.Record
	state   map[uint32][]byte
	nodes   map[[3]uint64]raffle.Hash
	keys    map[string]raffle.StoreKey // by scope and key
	notes   map[uint32][]memoryNote
	anchors map[uint32]memoryAnchor
	fail    func(what string) error
	freed   chan struct{}
}

func newMemoryStore() *memoryStore {
	return &memoryStore{
		records: map[uint32][]raffle.Record{}, state: map[uint32][]byte{}, nodes: map[[3]uint64]raffle.Hash{}, keys: map[string]raffle.StoreKey{},
		notes: map[uint32][]memoryNote{}, anchors: map[uint32]memoryAnchor{}, fail: func(string) error { return nil }, freed: make(chan struct{}),
	}
}

func keyOf(scope uint32, key []byte) string { return fmt.Sprintf("%03d/%s", scope, key) }

func (m *memoryStore) enter(what string) (func(), error) {
	m.mu.Lock()
	if err := m.fail(what); err != nil {
		m.mu.Unlock()
		return nil, err
	}
	return m.mu.Unlock, nil
}

func (m *memoryStore) BatchLimits() (rows, bytes uint64) { return 500, 1 << 20 }

func (m *memoryStore) Origin() (string, error) {
	leave, err := m.enter("origin")
	if err != nil {
		return "", err
	}
	defer leave()
	if m.origin == "" {
		return "", raffle.ErrNotFound
	}
	return m.origin, nil
}

func (m *memoryStore) Create(origin string) error { return m.PutBack(origin) }

func (m *memoryStore) PutBack(origin string) error {
	leave, err := m.enter("create")
	if err != nil {
		return err
	}
	defer leave()
	if m.origin != "" {
		return raffle.ErrExists
	}
	m.origin = origin
	return nil
}

func (m *memoryStore) head(log uint32) raffle.StoreHead {
	return raffle.StoreHead{Log: log, Size: uint64(len(m.records[log])), ControlSize: uint64(len(m.records[0])), State: m.state[log]}
}

func (m *memoryStore) Head(log uint32) (raffle.StoreHead, error) {
	leave, err := m.enter("head")
	if err != nil {
		return raffle.StoreHead{}, err
	}
	defer leave()
	return m.head(log), nil
}

// memoryBatch is a transaction: what is written is undone unless it is kept.
type memoryBatch struct {
	m     *memoryStore
	log   uint32
	size  int
	taken []string
	nodes [][3]uint64
	state []byte
	note  *memoryNote
}

func (b *memoryBatch) Keys(keys []raffle.StoreKey) (int, raffle.StoreKey, error) {
	for i, key := range keys {
		name := keyOf(key.Scope, key.Key)
		if owner, there := b.m.keys[name]; there {
			return i, owner, nil
		}
		b.m.keys[name] = key
		b.taken = append(b.taken, name)
	}
	return len(keys), raffle.StoreKey{}, nil
}

func (b *memoryBatch) Records(records []raffle.Record) error {
	for _, record := range records {
		if record.Index != uint64(len(b.m.records[b.log])) {
			return raffle.ErrMisuse
		}
		b.m.records[b.log] = append(b.m.records[b.log], record)
	}
	return nil
}

func (b *memoryBatch) Node(level uint32, index uint64, hash raffle.Hash) error {
	at := [3]uint64{uint64(b.log), uint64(level), index}
	b.m.nodes[at] = hash
	b.nodes = append(b.nodes, at)
	return nil
}

func (b *memoryBatch) State(state []byte) error {
	b.state = bytes.Clone(state)
	return nil
}

func (b *memoryBatch) Note(size uint64, note []byte) error {
	b.note = &memoryNote{size, bytes.Clone(note)}
	return nil
}

func (b *memoryBatch) Read(from, count uint64, take func(raffle.Record) error) error {
	return b.m.read(b.log, from, count, uint64(b.size), take)
}

func (b *memoryBatch) undo() {
	b.m.records[b.log] = b.m.records[b.log][:b.size]
	for _, name := range b.taken {
		delete(b.m.keys, name)
	}
	for _, at := range b.nodes {
		delete(b.m.nodes, at)
	}
}

func (m *memoryStore) Append(log uint32, fill func(raffle.StoreHead, raffle.StoreBatch) error, _ time.Duration) (uint64, error) {
	leave, err := m.enter("append")
	if err != nil {
		return 0, err
	}
	defer leave()
	b := &memoryBatch{m: m, log: log, size: len(m.records[log])}
	kept := false
	defer func() {
		if !kept {
			b.undo()
		}
	}()
	if err = fill(m.head(log), b); err == nil {
		err = m.fail("commit")
	}
	if err == nil && b.note != nil {
		err = m.keepNote(log, b.note.size, b.note.text)
	}
	if err != nil {
		return 0, err
	}
	kept = true
	if b.state != nil {
		m.state[log] = b.state
	}
	return uint64(len(m.records[log])), nil
}

func (m *memoryStore) read(log uint32, from, count, size uint64, take func(raffle.Record) error) error {
	for i := from; i < size && i-from < count; i++ {
		if err := take(m.records[log][i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryStore) Read(log uint32, from, count uint64, take func(raffle.Record) error) error {
	leave, err := m.enter("read")
	if err != nil {
		return err
	}
	defer leave()
	return m.read(log, from, count, uint64(len(m.records[log])), take)
}

func (m *memoryStore) Node(log, level uint32, index uint64) (raffle.Hash, error) {
	leave, err := m.enter("node")
	if err != nil {
		return raffle.Hash{}, err
	}
	defer leave()
	hash, there := m.nodes[[3]uint64{uint64(log), uint64(level), index}]
	if !there {
		return hash, raffle.ErrNotFound
	}
	return hash, nil
}

func (m *memoryStore) Find(scope uint32, key []byte) (raffle.StoreKey, error) {
	leave, err := m.enter("find")
	if err != nil {
		return raffle.StoreKey{}, err
	}
	defer leave()
	row, there := m.keys[keyOf(scope, key)]
	if !there {
		return row, raffle.ErrNotFound
	}
	return row, nil
}

// rows are those of a scope that begin with prefix, in the order of their bytes.
func (m *memoryStore) rows(scope uint32, prefix []byte) []raffle.StoreKey {
	var rows []raffle.StoreKey
	for _, row := range m.keys {
		if row.Scope == scope && bytes.HasPrefix(row.Key, prefix) {
			rows = append(rows, row)
		}
	}
	sort.Slice(rows, func(i, k int) bool { return bytes.Compare(rows[i].Key, rows[k].Key) < 0 })
	return rows
}

func some(rows []raffle.StoreKey, count uint64, take func(raffle.StoreKey) error) error {
	for i := 0; i < len(rows) && uint64(i) < count; i++ {
		if err := take(rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryStore) Scan(scope uint32, prefix, after []byte, count uint64, take func(raffle.StoreKey) error) error {
	leave, err := m.enter("scan")
	if err != nil {
		return err
	}
	defer leave()
	rows := slices.DeleteFunc(m.rows(scope, prefix), func(k raffle.StoreKey) bool { return len(after) > 0 && bytes.Compare(k.Key, after) <= 0 })
	return some(rows, count, take)
}

func (m *memoryStore) ScanBack(scope uint32, prefix, before []byte, count uint64, take func(raffle.StoreKey) error) error {
	leave, err := m.enter("scan")
	if err != nil {
		return err
	}
	defer leave()
	rows := slices.DeleteFunc(m.rows(scope, prefix), func(k raffle.StoreKey) bool { return len(before) > 0 && bytes.Compare(k.Key, before) >= 0 })
	slices.Reverse(rows)
	return some(rows, count, take)
}

func (m *memoryStore) keepNote(log uint32, size uint64, note []byte) error {
	kept := m.notes[log]
	if n := len(kept); n > 0 && size < kept[n-1].size {
		return raffle.ErrHistory
	} else if n > 0 && size == kept[n-1].size {
		kept[n-1].text = bytes.Clone(note)
		return nil
	}
	m.notes[log] = append(kept, memoryNote{size, bytes.Clone(note)})
	return nil
}

func (m *memoryStore) NotePut(log uint32, size uint64, note []byte) error {
	leave, err := m.enter("note_put")
	if err != nil {
		return err
	}
	defer leave()
	return m.keepNote(log, size, note)
}

func (m *memoryStore) NoteGet(log uint32, size uint64) (uint64, []byte, error) {
	leave, err := m.enter("note_get")
	if err != nil {
		return 0, nil, err
	}
	defer leave()
	for i := len(m.notes[log]) - 1; i >= 0; i-- {
		if one := m.notes[log][i]; size == raffle.Latest || one.size == size {
			return one.size, one.text, nil
		}
	}
	return 0, nil, raffle.ErrNotFound
}

func (m *memoryStore) Erase(log uint32, index uint64) error {
	leave, err := m.enter("erase")
	if err != nil {
		return err
	}
	defer leave()
	if index >= uint64(len(m.records[log])) {
		return raffle.ErrNotFound
	}
	m.records[log][index].Private = nil
	return nil
}

func (m *memoryStore) AnchorGet(log uint32) (uint64, raffle.Hash, error) {
	leave, err := m.enter("anchor")
	if err != nil {
		return 0, raffle.Hash{}, err
	}
	defer leave()
	a, there := m.anchors[log]
	if !there {
		return 0, a.root, raffle.ErrNotFound
	}
	return a.size, a.root, nil
}

func (m *memoryStore) AnchorOf(_ string, log uint32) (uint64, raffle.Hash, error) {
	return m.AnchorGet(log)
}

func (m *memoryStore) AnchorPut(log uint32, size uint64, root raffle.Hash, _ bool) error {
	leave, err := m.enter("anchor")
	if err != nil {
		return err
	}
	defer leave()
	if size > m.anchors[log].size {
		m.anchors[log] = memoryAnchor{size, root}
	}
	return nil
}

func (m *memoryStore) Free() { close(m.freed) }

func TestStoreInGo(t *testing.T) {
	m := newMemoryStore()
	store, err := raffle.StoreNew(m)
	must(t, err)
	keys, err := raffle.KeysNew(newPocket())
	must(t, err)
	defer keys.Free()
	c := newClock()
	r, err := raffle.CreateWith(store, keys, &raffle.Host{Clock: c.now}, rules(onePrize), boss)
	must(t, err)
	f := &fixture{T: t, Raffle: r, clock: c, folder: t.TempDir()}
	tickets := f.sell(700, "one")
	equal(t, len(m.records[1]), 701)
	must(t, f.Void(supervisor, 1, tickets[3].Serial, "refund"))
	must(t, f.TicketErase(admin, 1, tickets[3].Serial))
	must(t, f.Event(supervisor, 0, "x.door", "", "open"))
	hits, _, err := f.EventFind(raffle.EventQuery{Code: "x.door", Newest: true})
	must(t, err)
	equal(t, hits[0].Text, "open")

	// Its failures come back as they are, and nothing is written.
	before := len(m.records[1])
	u := f.unit(1)
	for _, cause := range []error{errOwn, raffle.ErrFull, &raffle.Error{RC: raffle.ErrIO, Message: "the disk is gone"}} {
		m.set(func(what string) error {
			if what == "commit" {
				return cause
			}
			return nil
		})
		_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
		equal(t, errors.Is(err, cause) || err.Error() == "raffle: the disk is gone", true)
	}
	m.set(func(what string) error {
		if what == "commit" {
			panic(errOwn)
		}
		return nil
	})
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	equal(t, errors.Is(err, errOwn), true)
	m.set(func(string) error { return nil })
	equal(t, len(m.records[1]), before)
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)

	f.seal()
	f.draw("first")
	a, err := raffle.AuditRunWith(background, store, nil)
	must(t, err)
	verdict, err := a.Verdict()
	must(t, err)
	a.Free()
	equal(t, verdict.Passed && verdict.PrivateMissing == 1, true)

	// From this store into a file, and back into another one in Go.
	path := filepath.Join(f.folder, "backup")
	var bytes bytes.Buffer
	must(t, f.Backup(background, &bytes))
	must(t, os.WriteFile(path, bytes.Bytes(), 0o600))
	other := newMemoryStore()
	into, err := raffle.StoreNew(other)
	must(t, err)
	again, err := raffle.RestoreWith(path, into, keys, &raffle.Host{Clock: c.now}, &boss)
	must(t, err)
	info, err := again.Describe()
	must(t, err)
	equal(t, info.Tickets, 701)
	again.Free()
	into.Free()
	<-other.freed
	r.Free()
	u.Free()
	store.Free()
}

func (m *memoryStore) set(fail func(string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// A store that answers nonsense is found out.
type badStore struct{ *memoryStore }

func (badStore) Origin() (string, error) { return string(make([]byte, 4096)), nil }

func TestStoresThatLie(t *testing.T) {
	store, err := raffle.StoreNew(badStore{newMemoryStore()})
	must(t, err)
	defer store.Free()
	_, err = raffle.OpenWith(store, nil, nil)
	fails(t, err, raffle.ErrHost, "4096")
	if _, err = raffle.AuditRunWith(background, store, nil); err == nil {
		t.Fatal("it is audited")
	}
}

// published reads a published folder as a store in Go.
type published struct {
	*memoryStore
	folder string
}

func (p published) File(path string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(p.folder, path))
	if errors.Is(err, os.ErrNotExist) {
		return nil, raffle.ErrNotFound
	}
	return text, err
}

func (p published) Manifest() ([]byte, error) { return p.File("manifest.json") }

func (p published) Tile(uint32, uint32, uint64) ([]raffle.Hash, error) {
	return nil, raffle.ErrNotFound
}

func TestPublishedStoreInGo(t *testing.T) {
	f := create(t, onePrize)
	f.sell(3, "one")
	folder := filepath.Join(f.folder, "published")
	_, err := f.Publish(background, folder, nil)
	must(t, err)
	m := newMemoryStore()
	m.origin = "raffle.example/go"
	store, err := raffle.StoreNew(published{m, folder})
	must(t, err)
	defer store.Free()
	a, err := raffle.AuditRunWith(background, store, nil)
	if err == nil { // its tiles are missing: that is a fault, or cannot be read
		verdict, err := a.Verdict()
		must(t, err)
		equal(t, verdict.Passed, false)
		a.Free()
	}
}

// lateStore calls what it was lent when its functions have returned, or just then.
type lateStore struct {
	*memoryStore
	hasty bool
	fills []func() error
	takes []func() error
	keys  []func() error
}

func (l *lateStore) Append(log uint32, fill func(raffle.StoreHead, raffle.StoreBatch) error, wait time.Duration) (uint64, error) {
	head := l.head(log)
	late := func() error { return fill(head, &memoryBatch{m: newMemoryStore(), log: log}) }
	l.fills = append(l.fills, late)
	if l.hasty {
		go func() { _ = late() }()
		return 0, raffle.ErrTimeout
	}
	return l.memoryStore.Append(log, fill, wait)
}

func (l *lateStore) Read(log uint32, from, count uint64, take func(raffle.Record) error) error {
	l.takes = append(l.takes, func() error { return take(l.records[0][0]) })
	return l.memoryStore.Read(log, from, count, take)
}

func (l *lateStore) Scan(scope uint32, prefix, after []byte, count uint64, take func(raffle.StoreKey) error) error {
	l.keys = append(l.keys, func() error { return take(raffle.StoreKey{Scope: scope, Key: []byte("k")}) })
	return l.memoryStore.Scan(scope, prefix, after, count, take)
}

func (l *lateStore) ScanBack(scope uint32, prefix, before []byte, count uint64, take func(raffle.StoreKey) error) error {
	l.keys = append(l.keys, func() error { return take(raffle.StoreKey{Scope: scope, Key: []byte("k")}) })
	return l.memoryStore.ScanBack(scope, prefix, before, count, take)
}

func TestStoreThatIsLate(t *testing.T) {
	m := &lateStore{memoryStore: newMemoryStore()}
	store, err := raffle.StoreNew(m)
	must(t, err)
	defer store.Free()
	keys, err := raffle.KeysNew(newPocket())
	must(t, err)
	defer keys.Free()
	r, err := raffle.CreateWith(store, keys, &raffle.Host{Clock: newClock().now, Flags: raffle.HostNoThreads}, rules(onePrize), boss)
	must(t, err)
	defer r.Free()
	u, err := r.UnitOpen(1)
	must(t, err)
	defer u.Free()
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
	for _, err := range r.Records(1, 0) {
		must(t, err)
	}
	_, _, err = r.EventFind(raffle.EventQuery{Newest: true})
	must(t, err)
	for _, late := range [][]func() error{m.fills, m.takes, m.keys} {
		equal(t, len(late) > 0, true)
		for _, call := range late {
			fails(t, call(), raffle.ErrMisuse, "after the call")
		}
	}
	m.hasty = true
	for range 50 {
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		if _, err = u.Sell(ctx, seller, raffle.Sale{Tier: "one"}); err == nil {
			t.Error("a store that wrote nothing sold")
		}
		cancel()
	}
	m.hasty = false
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
}

// tiled is a published store in Go whose records are those of the raffle's own store, and whose tiles are in the folder.
type tiled struct{ published }

func (p tiled) Tile(log, level uint32, index uint64) ([]raffle.Hash, error) {
	folder := "control"
	if log > 0 {
		folder = fmt.Sprintf("unit/%d", log)
	}
	found, _ := filepath.Glob(filepath.Join(p.folder, folder, fmt.Sprintf("tile/%d/%03d*", level, index), "*"))
	if len(found) != 1 {
		return nil, raffle.ErrNotFound
	}
	hashes, err := os.ReadFile(found[0])
	if err != nil {
		return nil, err
	}
	var tile []raffle.Hash
	for ; len(hashes) >= 32; hashes = hashes[32:] {
		tile = append(tile, raffle.Hash(hashes[:32]))
	}
	return tile, nil
}

func (tiled) Free() {} // the records are another handle's

// memoryRaffle is a raffle over a store in Go, and its keys.
func memoryRaffle(t *testing.T, store raffle.HostStore) (*raffle.Raffle, *raffle.Keys) {
	t.Helper()
	s, err := raffle.StoreNew(store)
	must(t, err)
	keys, err := raffle.KeysNew(newPocket())
	must(t, err)
	r, err := raffle.CreateWith(s, keys, &raffle.Host{Clock: newClock().now}, rules(onePrize), boss)
	must(t, err)
	t.Cleanup(r.Free)
	t.Cleanup(s.Free)
	t.Cleanup(keys.Free)
	return r, keys
}

func TestTilesInGo(t *testing.T) {
	m := newMemoryStore()
	r, _ := memoryRaffle(t, m)
	f := &fixture{T: t, Raffle: r}
	f.sell(9, "one")
	folder := filepath.Join(t.TempDir(), "published")
	_, err := f.Publish(background, folder, nil)
	must(t, err)
	store, err := raffle.StoreNew(tiled{published{m, folder}})
	must(t, err)
	defer store.Free()
	a, err := raffle.AuditRunWith(background, store, nil)
	must(t, err)
	defer a.Free()
	for fault, err := range a.Faults() {
		t.Errorf("%+v %v", fault, err)
	}
	verdict, err := a.Verdict()
	must(t, err)
	equal(t, verdict.Passed && verdict.Tickets == 9, true)
}

// sameStore is a memoryStore that another handle frees.
type sameStore struct{ *memoryStore }

func (sameStore) Free() {}

// Two handles over one store sell through the same unit, as two processes do: each catches up inside of its append.
func TestStoreOfTwo(t *testing.T) {
	m := newMemoryStore()
	r, keys := memoryRaffle(t, m)
	second, err := raffle.StoreNew(sameStore{m})
	must(t, err)
	c := newClock()
	other, err := raffle.OpenWith(second, keys, &raffle.Host{Clock: c.now})
	must(t, err)
	second.Free()
	defer other.Free()
	var units []*raffle.Unit
	for _, one := range []*raffle.Raffle{r, other} {
		u, err := one.UnitOpen(1)
		must(t, err)
		defer u.Free()
		units = append(units, u)
	}
	for i := range uint64(20) {
		tickets, err := units[i%2].Sell(background, seller, raffle.Sale{Tier: "one"})
		must(t, err)
		equal(t, tickets[0].First, i+1)
	}
}
