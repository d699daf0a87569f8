// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"raffle.example/raffle"
)

// Bad input: each gives an error with a sentence, and the process goes on.

func TestBadValues(t *testing.T) {
	f := create(t, onePrize)
	u := f.unit(1)
	sell := func(sale raffle.Sale) error {
		_, err := u.Sell(background, seller, sale)
		return err
	}
	fails(t, sell(raffle.Sale{Tier: "o\x00ne"}), raffle.ErrInvalid, "NUL")
	fails(t, sell(raffle.Sale{Tier: strings.Repeat("o", 1000)}), raffle.ErrInvalid, "1000 bytes")
	fails(t, sell(raffle.Sale{Tier: "none"}), raffle.ErrNotFound, "none")
	fails(t, sell(raffle.Sale{Tier: "one", Order: "\xff\xfe"}), raffle.ErrInvalid, "")
	fails(t, sell(raffle.Sale{Tier: "one", Buyer: "a\nb"}), raffle.ErrInvalid, "")
	fails(t, sell(raffle.Sale{Tier: "one", At: time.UnixMilli(math.MaxInt64)}), raffle.ErrRehearsal, "")
	_, err := u.Sell(background, seller)
	fails(t, err, raffle.ErrInvalid, "0")
	_, err = u.Sell(background, seller, make([]raffle.Sale, raffle.SellMax+1)...)
	fails(t, err, raffle.ErrInvalid, "10001")
	_, err = u.Sell(background, raffle.Actor{}, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrInvalid, "")
	_, err = u.Sell(background, raffle.Actor{ID: "a", Role: 77}, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrInvalid, "")
	_, err = raffle.NewActor("", raffle.Seller)
	fails(t, err, raffle.ErrInvalid, "")
	_, err = raffle.NewActor(strings.Repeat("a", 65), raffle.Seller)
	fails(t, err, raffle.ErrInvalid, "")
	ann, err := raffle.NewActor("ann", raffle.Seller)
	must(t, err)
	equal(t, ann, seller)
	_, err = f.TicketGet(math.MaxUint32, math.MaxUint64)
	fails(t, err, raffle.ErrNotFound, "")
	_, err = f.TicketByNumber("1-99999999999999999999")
	fails(t, err, raffle.ErrInvalid, "")
	_, err = f.TicketByValidation("\x00")
	fails(t, err, raffle.ErrInvalid, "NUL")
	_, err = f.OrderTickets("none")
	fails(t, err, raffle.ErrNotFound, "order")
	_, err = raffle.NumberFormat(math.MaxUint32, math.MaxUint64)
	fails(t, err, raffle.ErrInvalid, "")
	_, _, err = raffle.NumberParse("")
	fails(t, err, raffle.ErrInvalid, "")
	_, err = f.LocalTime(time.UnixMilli(math.MinInt64))
	fails(t, err, raffle.ErrInvalid, "")
	_, err = f.TierAt(math.MaxUint32)
	fails(t, err, raffle.ErrNotFound, "")
	_, err = f.PrizeAt(math.MaxUint32)
	fails(t, err, raffle.ErrNotFound, "")
	_, err = f.OperationAt(math.MaxUint32)
	fails(t, err, raffle.ErrNotFound, "")
	_, _, err = f.Root(math.MaxUint32, math.MaxUint64-1)
	if err == nil {
		t.Fatal("a root of log 4294967295")
	}
	_, err = f.Seal(boss, nil, 77)
	fails(t, err, raffle.ErrInvalid, "77")
	fails(t, f.Void(supervisor, 1, math.MaxUint64, "refund"), raffle.ErrNotFound, "")
	_, err = raffle.Open("", "", nil)
	if err == nil {
		t.Fatal("an empty path opens")
	}
	_, err = raffle.Open("a\x00b", "", nil)
	fails(t, err, raffle.ErrInvalid, "NUL")
	_, err = raffle.RngOpen("none:", nil)
	if err == nil {
		t.Fatal("the provider none: opens")
	}
	_, err = raffle.KeysOpen("none:", nil)
	if err == nil {
		t.Fatal("the keys none: open")
	}
	_, err = raffle.ReceiptVerify(nil, "")
	if err == nil {
		t.Fatal("nothing is a receipt")
	}
	_, err = raffle.UnitCloseVerify([]byte("no"), "no")
	fails(t, err, raffle.ErrInvalid, "")
	_, err = raffle.RngNew("system", nil)
	fails(t, err, raffle.ErrMisuse, "nil")
	_, err = raffle.KeysNew(nil)
	fails(t, err, raffle.ErrMisuse, "nil")
	_, err = raffle.StoreNew(nil)
	fails(t, err, raffle.ErrMisuse, "nil")
	_, err = raffle.CreateWith(nil, nil, nil, rules(onePrize), boss)
	fails(t, err, raffle.ErrMisuse, "nil")
	var e *raffle.Error
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"}, raffle.Sale{Tier: "none"})
	equal(t, errors.As(err, &e), true)
	equal(t, e.Detail, 2)
	equal(t, (&raffle.Error{RC: raffle.ErrWindow}).Error(), "raffle: "+raffle.ErrWindow.Error())
}

func TestFreedHandles(t *testing.T) {
	f := create(t, onePrize)
	u, err := f.UnitOpen(1)
	must(t, err)
	u.Free()
	u.Free()
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrMisuse, "freed")
	equal(t, errors.Is(err, os.ErrClosed), true)
	_, err = u.Validation(1)
	fails(t, err, raffle.ErrMisuse, "Unit")
	fails(t, u.Close(boss), raffle.ErrMisuse, "")
	f.Raffle.Free()
	f.Raffle.Free()
	_, err = f.Describe()
	fails(t, err, raffle.ErrMisuse, "Raffle")
	for _, err := range f.Records(0, 0) {
		fails(t, err, raffle.ErrMisuse, "")
	}
	var never raffle.Raffle
	_, err = never.Describe()
	fails(t, err, raffle.ErrMisuse, "never made")
	_, err = never.Mirror(nil)
	fails(t, err, raffle.ErrMisuse, "")
	var rng *raffle.Rng
	fails(t, rng.Fill(background, nil), raffle.ErrMisuse, "")
	var store raffle.Store
	_, err = raffle.OpenWith(&store, nil, nil)
	fails(t, err, raffle.ErrMisuse, "")
}

// Frees while others call: each call ends well, or says that the handle is gone.
func TestFreedWhileInUse(t *testing.T) {
	f := create(t, onePrize)
	for range 20 {
		u, err := f.UnitOpen(1)
		must(t, err)
		var all sync.WaitGroup
		for range 4 {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					if _, err := u.Sell(background, seller, raffle.Sale{Tier: "one"}); err != nil {
						if !errors.Is(err, os.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			}()
		}
		u.Free()
		all.Wait()
	}
	f.audit()
}

// What is refused before it comes to the call leaves nothing pinned: a pin that is forgotten ends the process at the next collection.
func TestRefusedWithPins(t *testing.T) {
	f := create(t, onePrize)
	f.sell(3, "one")
	f.seal()
	d, err := f.DrawBegin(boss, "first", nil)
	must(t, err)
	defer d.Free()
	rng := f.rng()
	rng.Free()
	_, err = f.DrawBegin(boss, "first", &raffle.DrawOptions{Rng: rng, Ok: &supervisor, Reason: "again"})
	fails(t, err, raffle.ErrMisuse, "Rng")
	fails(t, d.Finish(background, rng, &raffle.FinishOptions{Ok: &supervisor}), raffle.ErrMisuse, "Rng")
	_, err = raffle.AuditRunWith(background, nil, &raffle.AuditOptions{Authorities: "none"})
	fails(t, err, raffle.ErrMisuse, "nil")
	for range 5 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

// A nil handle is refused as one that was freed; to free it is fine, as in C.
func TestNilHandles(t *testing.T) {
	var (
		r     *raffle.Raffle
		u     *raffle.Unit
		d     *raffle.Draw
		c     *raffle.Cursor
		a     *raffle.Audit
		g     *raffle.Rng
		store *raffle.Store
		keys  *raffle.Keys
	)
	for _, free := range []func(){r.Free, u.Free, d.Free, c.Free, a.Free, g.Free, store.Free, keys.Free} {
		free()
	}
	_, err := r.Describe()
	fails(t, err, raffle.ErrMisuse, "Raffle")
	_, err = r.EventWrite(boss, raffle.EventDetails{Code: "x.door", Text: "open"})
	fails(t, err, raffle.ErrMisuse, "Raffle")
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrMisuse, "Unit")
	_, err = u.Validation(1)
	fails(t, err, raffle.ErrMisuse, "Unit")
	_, err = d.Describe()
	fails(t, err, raffle.ErrMisuse, "Draw")
	fails(t, d.Finish(background, nil, nil), raffle.ErrMisuse, "Draw")
	_, err = c.Next()
	fails(t, err, raffle.ErrMisuse, "Cursor")
	_, err = a.Verdict()
	fails(t, err, raffle.ErrMisuse, "Audit")
	fails(t, g.Test(background), raffle.ErrMisuse, "Rng")
	equal(t, g.Name(), "")
	for _, err := range r.Units() {
		fails(t, err, raffle.ErrMisuse, "Raffle")
	}
}

// A handle whose last use is a call is there for that call, whatever the garbage collector does before it is inside.
func TestCollectedAtTheLastCall(t *testing.T) {
	f := create(t, onePrize)
	until := time.Now().Add(3 * time.Second)
	go func() {
		for time.Now().Before(until) {
			runtime.GC()
		}
	}()
	var all sync.WaitGroup
	for range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(until) {
				u, err := f.UnitOpen(1)
				if err == nil {
					_, err = u.Validation(0)
				}
				if errors.Is(err, raffle.ErrMisuse) {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
}

// Bytes may lie beside pointers, in one allocation: cgo is not to take them for what they are not.
func TestBytesBesidePointers(t *testing.T) {
	type message struct {
		body [100]byte
		next *int
	}
	m := &message{next: new(int)}
	_, err := raffle.LeafHash(m.body[:])
	must(t, err)
	_, err = raffle.TimestampQuery(m.body[:])
	must(t, err)
	_, err = raffle.TimestampVerify(m.body[:], m.body[:], "")
	fails(t, err, raffle.ErrInvalid, "")
	rng, err := raffle.RngOpen("test:seed=01", nil)
	must(t, err)
	defer rng.Free()
	must(t, rng.Fill(background, m.body[:]))
	_, _, err = raffle.Vectors(m.body[:])
	fails(t, err, raffle.ErrInvalid, "")
}
