// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"raffle.example/raffle"
)

// What is written in Go and called by C: hosts, providers, keys, writers. Their errors come back unchanged, and their panics as errors.

var errOwn = errors.New("the host's own")

// coin is a provider.
type coin struct {
	fill  func(ctx context.Context, out []byte) (string, error)
	freed chan struct{}
}

func (c *coin) Fill(ctx context.Context, out []byte) (string, error) { return c.fill(ctx, out) }
func (c *coin) Free()                                                { close(c.freed) }

func newCoin(t *testing.T, fill func(context.Context, []byte) (string, error)) (*raffle.Rng, *coin) {
	t.Helper()
	c := &coin{fill, make(chan struct{})}
	rng, err := raffle.RngNew("host:coin", c)
	must(t, err)
	return rng, c
}

func honest(_ context.Context, out []byte) (string, error) {
	_, err := rand.Read(out)
	return "request-7", err
}

func TestProvider(t *testing.T) {
	rng, c := newCoin(t, honest)
	equal(t, rng.Name(), "host:coin")
	must(t, rng.Test(background))
	out := make([]byte, 5000)
	must(t, rng.Fill(background, out))
	equal(t, bytes.Equal(out, make([]byte, 5000)), false)
	picks, err := rng.Pick(background, 49, 6)
	must(t, err)
	equal(t, len(picks), 6)
	many, err := rng.Collect(background, raffle.CollectOneSeed, 49, 6, 100)
	must(t, err)
	equal(t, len(many), 600)
	_, _, evidence, err := rng.Seed(background)
	must(t, err)
	equal(t, evidence, "request-7")
	_, err = rng.Pick(background, 5, 6)
	fails(t, err, raffle.ErrInvalid, "6 picks")
	_, err = rng.Pick(background, math.MaxUint64, 1<<30)
	fails(t, err, raffle.ErrInvalid, "picks")
	_, err = rng.Collect(background, 0, math.MaxUint64, 1<<20, 1<<20)
	fails(t, err, raffle.ErrInvalid, "draws")
	_, err = rng.Collect(background, 0, 5, 0, 1)
	fails(t, err, raffle.ErrInvalid, "")
	rng.Free()
	rng.Free()
	<-c.freed
	fails(t, rng.Fill(background, out), raffle.ErrMisuse, "freed")
	equal(t, rng.Name(), "")
}

func TestProviderDraws(t *testing.T) {
	f := create(t, onePrize)
	f.sell(9, "one")
	f.seal()
	var ask error
	rng, _ := newCoin(t, func(ctx context.Context, out []byte) (string, error) {
		if ask != nil {
			return "", ask
		}
		return honest(ctx, out)
	})
	defer rng.Free()
	d, err := f.DrawBegin(boss, "first", &raffle.DrawOptions{Rng: rng})
	must(t, err)
	defer d.Free()
	ask = errOwn
	err = d.Finish(background, rng, nil)
	fails(t, err, raffle.ErrHost, "the host's own")
	equal(t, errors.Is(err, errOwn), true)
	ask = nil
	must(t, d.Finish(background, rng, nil))
	f.audit()
}

func TestProvidersThatFail(t *testing.T) {
	for name, one := range map[string]struct {
		fill   func(context.Context, []byte) (string, error)
		status raffle.Status
		words  string
	}{
		"an error":                 {func(context.Context, []byte) (string, error) { return "", errOwn }, raffle.ErrHost, "the host's own"},
		"an empty sentence":        {func(context.Context, []byte) (string, error) { return "", errors.New("") }, raffle.ErrHost, ""},
		"a status":                 {func(context.Context, []byte) (string, error) { return "", raffle.ErrTimeout }, raffle.ErrTimeout, ""},
		"a panic":                  {func(context.Context, []byte) (string, error) { panic(errOwn) }, raffle.ErrHost, "panic"},
		"a panic with nil":         {func(context.Context, []byte) (string, error) { panic(nil) }, raffle.ErrHost, "panic"},
		"a panic with a nil error": {func(context.Context, []byte) (string, error) { panic((*raffle.Error)(nil)) }, raffle.ErrHost, "panic"},
		"a nil error":              {func(context.Context, []byte) (string, error) { var e *raffle.Error; return "", e }, raffle.ErrHost, "nil pointer"},
		"zeros":                    {func(context.Context, []byte) (string, error) { return "", nil }, raffle.ErrRNGUnhealthy, "repetition"},
		"a long evidence": {func(_ context.Context, out []byte) (string, error) {
			_, _ = rand.Read(out)
			return strings.Repeat("e", 100), nil
		}, raffle.ErrHost, "evidence"},
		"a NUL in the evidence": {func(_ context.Context, out []byte) (string, error) {
			_, _ = rand.Read(out)
			return "a\x00b", nil
		}, raffle.ErrHost, "evidence"},
		"a NUL in the error": {func(context.Context, []byte) (string, error) { return "", errors.New("a\x00b\xff") }, raffle.ErrHost, "a?b"},
	} {
		rng, _ := newCoin(t, one.fill)
		err := rng.Fill(background, make([]byte, 64))
		var e *raffle.Error
		if !errors.As(err, &e) || e.RC != one.status && !(one.status == raffle.ErrTimeout && e.RC == raffle.ErrHost) || !strings.Contains(err.Error(), one.words) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "a panic") {
			var p *raffle.PanicError
			equal(t, errors.As(err, &p) && len(p.Stack) > 0, true)
		}
		if name == "a panic" {
			equal(t, errors.Is(err, errOwn), true)
		}
		rng.Free()
	}
}

// What a provider writes after its Fill has returned reaches nobody.
func TestProviderThatIsLate(t *testing.T) {
	var late []byte
	rng, _ := newCoin(t, func(ctx context.Context, out []byte) (string, error) {
		late = out
		return honest(ctx, out)
	})
	defer rng.Free()
	out := make([]byte, 64)
	must(t, rng.Fill(background, out))
	equal(t, bytes.Equal(out, make([]byte, 64)), false)
	before := bytes.Clone(out)
	copy(late, make([]byte, 64))
	equal(t, bytes.Equal(out, before), true)
}

// A provider waits until nobody does any more.
func TestProviderWithAContext(t *testing.T) {
	rng, _ := newCoin(t, func(ctx context.Context, out []byte) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	defer rng.Free()
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	err := rng.Fill(ctx, make([]byte, 8))
	equal(t, errors.Is(err, context.DeadlineExceeded), true)
	<-ctx.Done()
	err = rng.Fill(ctx, make([]byte, 8))
	fails(t, err, raffle.ErrTimeout, "ended")
	equal(t, errors.Is(err, context.DeadlineExceeded), true)
}

// A callback that ends its goroutine ends the process, and says why: what it leaves of the library's frames would do so later, and not say.
func TestCallbackThatEndsItsGoroutine(t *testing.T) {
	const child = "RAFFLE_TEST_ENDS"
	if os.Getenv(child) == "" {
		command := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		command.Env = append(os.Environ(), child+"=1")
		said, err := command.CombinedOutput()
		equal(t, err != nil && bytes.Contains(said, []byte("a callback ended its goroutine")), true)
		return
	}
	rng, _ := newCoin(t, func(context.Context, []byte) (string, error) { runtime.Goexit(); return "", nil })
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = rng.Fill(background, make([]byte, 8))
	}()
	<-done
}

// pocket keeps keys in memory.
type pocket struct {
	mu   sync.Mutex
	keys map[string]ed25519.PrivateKey
	unit map[uint32][32]byte
	fail error
}

func newPocket() *pocket {
	return &pocket{keys: map[string]ed25519.PrivateKey{}, unit: map[uint32][32]byte{}}
}

func (p *pocket) Make(origin, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys[origin+name] != nil {
		return raffle.ErrExists
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	p.keys[origin+name] = key
	return err
}

func (p *pocket) get(origin, name string) (ed25519.PrivateKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	if p.keys[origin+name] == nil {
		return nil, raffle.ErrNotFound
	}
	return p.keys[origin+name], nil
}

func (p *pocket) PublicKey(origin, name string) (out [32]byte, err error) {
	key, err := p.get(origin, name)
	if err == nil {
		copy(out[:], key.Public().(ed25519.PublicKey))
	}
	return out, err
}

func (p *pocket) Sign(origin, name string, message []byte) (out [64]byte, err error) {
	key, err := p.get(origin, name)
	if err == nil {
		copy(out[:], ed25519.Sign(key, message))
	}
	return out, err
}

func (p *pocket) TicketKey(origin string) (out [32]byte, err error) {
	key, err := p.get(origin, "ticket")
	if err == nil {
		copy(out[:], key.Seed())
	}
	return out, err
}

func (p *pocket) UnitTicketKey(_ string, unit uint32) ([32]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, ok := p.unit[unit]; ok {
		return key, nil
	}
	return [32]byte{}, raffle.ErrNotFound
}

func (p *pocket) UnitTicketKeyKeep(_ string, unit uint32, key [32]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.unit[unit]; ok {
		return raffle.ErrExists
	}
	p.unit[unit] = key
	return nil
}

func TestKeysInGo(t *testing.T) {
	p := newPocket()
	keys, err := raffle.KeysNew(p)
	must(t, err)
	folder := t.TempDir()
	store, err := raffle.StoreOpen("sqlite:"+filepath.Join(folder, "a.raffle")+"?create=1", nil)
	must(t, err)
	c := newClock()
	host := &raffle.Host{Clock: c.now}
	r, err := raffle.CreateWith(store, keys, host, rules(onePrize), boss)
	must(t, err)
	defer r.Free()
	u, err := r.UnitOpen(1)
	must(t, err)
	defer u.Free()
	tickets, err := u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
	validation, err := u.Validation(tickets[0].Serial)
	must(t, err)
	equal(t, len(validation) > 10, true)
	p.mu.Lock()
	p.fail = errOwn
	p.mu.Unlock()
	_, err = r.Checkpoint(1)
	equal(t, errors.Is(err, errOwn) && errors.Is(err, raffle.ErrHost), true)
	p.mu.Lock()
	p.fail = nil
	p.mu.Unlock()
	_, err = r.Checkpoint(1)
	must(t, err)

	// A till of it, whose keys are kept in Go, too.
	mine := newPocket()
	tillKeys, err := raffle.KeysNew(mine)
	must(t, err)
	key, proof, err := raffle.UnitApplyWith(tillKeys, "raffle.example/go", 3)
	must(t, err)
	_, err = r.UnitEnrol(boss, raffle.UnitOptions{Name: "tent", Quota: 9, Away: true, Key: key, Proof: proof})
	must(t, err)
	must(t, r.UnitEnable(boss, 3))
	var kit bytes.Buffer
	must(t, r.UnitKit(background, 3, &kit))
	second, err := raffle.StoreOpen("sqlite:"+filepath.Join(folder, "t.raffle")+"?create=1", nil)
	must(t, err)
	till, err := raffle.UnitInstallWith(second, tillKeys, host, kit.Bytes(), "")
	must(t, err)
	equal(t, len(mine.unit), 1)
	till.Free()
	second.Free()
	tillKeys.Free()
	store.Free()
	keys.Free()
	_, err = raffle.OpenWith(store, keys, host)
	fails(t, err, raffle.ErrMisuse, "freed")
	read, err := raffle.Open(filepath.Join(folder, "a.raffle"), raffle.NoKeys, nil)
	must(t, err)
	_, err = read.Checkpoint(0)
	fails(t, err, raffle.ErrKey, "")
	read.Free()
}

func TestHosts(t *testing.T) {
	f := create(t, onePrize)
	folder := t.TempDir()
	released := make(chan struct{})
	failing := error(nil)
	asked := map[string]bool{}
	host := &raffle.Host{
		Flags: raffle.HostNoThreads | raffle.HostVerifyFull, Timeout: time.Second,
		Clock: func() (time.Time, error) {
			if failing != nil {
				return time.Time{}, failing
			}
			return f.clock.now()
		},
		Secret:  func(what string) ([]byte, error) { asked[what] = true; return nil, raffle.ErrNotFound },
		Log:     func(raffle.LogLevel, string) { panic("nowhere to go") },
		Release: func() { close(released) },
	}
	r, err := raffle.Create(filepath.Join(folder, "b.raffle"), "", host, rules(onePrize), boss)
	must(t, err)
	u, err := r.UnitOpen(1)
	must(t, err)
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
	failing = errOwn
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	equal(t, errors.Is(err, errOwn) && errors.Is(err, raffle.ErrHost), true)
	failing = &raffle.Error{RC: raffle.ErrBusy, Detail: 4, Token: 99, Message: "the clock is away"}
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrHost, "the clock is away")
	equal(t, errors.Is(err, failing), true)
	r.Free()
	select {
	case <-released:
		t.Fatal("the host was released while a unit is open")
	default:
	}
	failing = nil
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
	u.Free()
	<-released
	equal(t, asked["ticket-key"], true)

	// A host whose call failed is not released by C.
	bad := &raffle.Host{Release: func() { t.Error("released") }, Clock: f.clock.now}
	_, err = raffle.Open(filepath.Join(folder, "none.raffle"), "", bad)
	fails(t, err, raffle.ErrNotFound, "none.raffle")
	_, err = raffle.Open(filepath.Join(folder, "b.raffle"), "", &raffle.Host{Flags: 1 << 20})
	if err == nil {
		t.Fatal("unknown flags are taken")
	}
	wild, err := raffle.Open(filepath.Join(folder, "b.raffle"), "", &raffle.Host{Clock: func() (time.Time, error) { return time.Date(500000, 1, 1, 0, 0, 0, 0, time.UTC), nil }})
	must(t, err)
	w, err := wild.UnitOpen(1)
	must(t, err)
	if _, err = w.Sell(background, seller, raffle.Sale{Tier: "one"}); err == nil {
		t.Fatal("a sale in the year 500000")
	}
	w.Free()
	wild.Free()
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

type readerFunc func([]byte) (int, error)

func (r readerFunc) Read(p []byte) (int, error) { return r(p) }

func TestWritersAndReaders(t *testing.T) {
	f := create(t, onePrize)
	f.sell(5, "one")
	options := raffle.ReportOptions{Name: "drawing", Format: raffle.ReportText}
	err := f.ReportWrite(background, writerFunc(func([]byte) (int, error) { return 0, errOwn }), options)
	equal(t, errors.Is(err, errOwn), true)
	err = f.ReportWrite(background, writerFunc(func([]byte) (int, error) { return 0, nil }), options)
	equal(t, errors.Is(err, io.ErrShortWrite), true)
	err = f.Backup(background, writerFunc(func([]byte) (int, error) { panic(errOwn) }))
	equal(t, errors.Is(err, errOwn), true)
	fails(t, f.Backup(background, nil), raffle.ErrMisuse, "nil")
	_, err = f.ReportVerify(background, readerFunc(func([]byte) (int, error) { return 0, errOwn }))
	equal(t, errors.Is(err, errOwn), true)
	_, err = f.ReportVerify(background, readerFunc(func([]byte) (int, error) { return -7, nil }))
	fails(t, err, raffle.ErrHost, "-7")
	_, err = f.ReportVerify(background, readerFunc(func([]byte) (int, error) { return 0, nil }))
	equal(t, errors.Is(err, io.ErrNoProgress), true)
	_, err = f.ReportVerify(background, nil)
	fails(t, err, raffle.ErrMisuse, "nil")
	ctx, cancel := context.WithCancelCause(background)
	_, err = f.Publish(ctx, filepath.Join(f.folder, "p"), &raffle.PublishOptions{Progress: func(uint64, uint64) error { cancel(errOwn); return nil }})
	if err != nil {
		equal(t, errors.Is(err, errOwn) && errors.Is(err, context.Canceled), true)
	}
	cancel(errOwn)
	err = f.Backup(ctx, io.Discard)
	equal(t, errors.Is(err, errOwn) && errors.Is(err, context.Canceled), true)
	_, err = raffle.AuditRun(background, f.store, nil, &raffle.AuditOptions{Progress: func(uint64, uint64) error { return errOwn }})
	equal(t, errors.Is(err, errOwn), true)
	_, err = raffle.AuditRun(background, f.store, nil, &raffle.AuditOptions{Receipts: func() (string, []byte, error) { return "", nil, errOwn }})
	equal(t, errors.Is(err, errOwn), true)
	gone := fmt.Errorf("receipt 7: %w", raffle.ErrNotFound) // not the end of the receipts
	_, err = raffle.AuditRun(background, f.store, nil, &raffle.AuditOptions{Receipts: func() (string, []byte, error) { return "", nil, gone }})
	fails(t, err, raffle.ErrHost, "receipt 7")
	equal(t, errors.Is(err, gone), true)
}

// Handles that nobody frees are freed by the garbage collector.
func TestCollected(t *testing.T) {
	done := make(chan struct{})
	func() {
		c := newClock()
		r, err := raffle.Create(filepath.Join(t.TempDir(), "c.raffle"), "", &raffle.Host{Clock: c.now, Release: func() { close(done) }}, rules(onePrize), boss)
		must(t, err)
		_, err = r.Describe()
		must(t, err)
	}()
	for {
		runtime.GC()
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// A draw whose context ends while another goroutine has its turn asks nobody.
func TestFinishThatWaited(t *testing.T) {
	f := create(t, onePrize)
	f.sell(9, "one")
	f.seal()
	asked, answer := make(chan struct{}, 9), make(chan struct{})
	rng, _ := newCoin(t, func(context.Context, []byte) (string, error) {
		asked <- struct{}{}
		<-answer
		return "", errOwn
	})
	defer rng.Free()
	d, err := f.DrawBegin(boss, "first", nil)
	must(t, err)
	defer d.Free()
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- d.Finish(background, rng, nil) }()
	<-asked
	ctx, cancel := context.WithCancel(background)
	go func() { second <- d.Finish(ctx, rng, nil) }()
	time.Sleep(20 * time.Millisecond)
	cancel()
	close(answer)
	err = <-first
	equal(t, errors.Is(err, errOwn), true)
	err = <-second
	fails(t, err, raffle.ErrTimeout, "ended")
	equal(t, errors.Is(err, context.Canceled), true)
	equal(t, len(asked), 0)
}

// What asks for a person is told to the host.
func TestHostIsTold(t *testing.T) {
	f := create(t, onePrize)
	f.sell(3, "one")
	f.seal()
	var told []string
	r, err := raffle.Open(f.store, "", &raffle.Host{Clock: f.clock.now, Log: func(level raffle.LogLevel, line string) {
		equal(t, level, raffle.LogWarning)
		told = append(told, line)
		panic("nowhere to go")
	}})
	must(t, err)
	defer r.Free()
	rng, _ := newCoin(t, func(context.Context, []byte) (string, error) { return "", errOwn })
	defer rng.Free()
	d, err := r.DrawBegin(boss, "first", nil)
	must(t, err)
	defer d.Free()
	err = d.Finish(background, rng, nil)
	equal(t, errors.Is(err, errOwn), true)
	equal(t, len(told) == 1 && strings.Contains(told[0], errOwn.Error()), true)
}
