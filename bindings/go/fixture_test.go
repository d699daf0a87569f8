// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"raffle.example/raffle"
)

// What the tests share: actors, a clock that is set, a raffle in a folder of its own.

var (
	seller     = raffle.Actor{ID: "ann", Role: raffle.Seller}
	supervisor = raffle.Actor{ID: "sue", Role: raffle.Supervisor}
	boss       = raffle.Actor{ID: "bob", Role: raffle.Manager}
	admin      = raffle.Actor{ID: "ada", Role: raffle.Administrator}
	background = context.Background()
)

const rulesHead = `{"origin": "raffle.example/go", "name": "Gala", "organisation": "Society", "currency": "CAD", "rehearsal": true,
 "sales": {"opens": "2026-11-15T01:00:00.000Z", "closes": "2026-11-15T05:00:00.000Z"}, "rng": ["test", "host:coin"], "watch": {"failures": 3, "minutes": 60},
 "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "ten", "count": 10, "price": 2000}], "units": [{"name": "web"}, {"name": "kiosk"}],
 "prizes": `

func rules(prizes string) []byte { return []byte(rulesHead + prizes + "}") }

const onePrize = `[{"name": "first", "share": 5000, "alternates": 1}]`

// clock goes a millisecond further at each look.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set("2026-11-15T02:00:00Z")
	return c
}

func (c *clock) set(at string) {
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		panic(err)
	}
	c.ms.Store(when.UnixMilli())
}

func (c *clock) now() (time.Time, error) { return time.UnixMilli(c.ms.Add(1)), nil }

// fixture is a raffle, and where it is.
type fixture struct {
	*testing.T
	*raffle.Raffle
	folder, store string
	clock         *clock
	host          *raffle.Host
}

func create(t *testing.T, prizes string) *fixture {
	t.Helper()
	f := &fixture{T: t, folder: t.TempDir(), clock: newClock()}
	f.store = filepath.Join(f.folder, "gala.raffle")
	f.host = &raffle.Host{Clock: f.clock.now}
	r, err := raffle.Create(f.store, "", f.host, rules(prizes), boss)
	must(t, err)
	f.Raffle = r
	t.Cleanup(func() { f.Raffle.Free() })
	return f
}

func (f *fixture) unit(number uint32) *raffle.Unit {
	f.T.Helper()
	u, err := f.UnitOpen(number)
	must(f.T, err)
	f.T.Cleanup(u.Free)
	return u
}

func (f *fixture) sell(n int, tier string) []raffle.Ticket {
	f.T.Helper()
	sales := make([]raffle.Sale, n)
	for i := range sales {
		sales[i].Tier = tier
	}
	tickets, err := f.unit(1).Sell(background, seller, sales...)
	must(f.T, err)
	return tickets
}

func (f *fixture) seal() raffle.SealInfo {
	f.T.Helper()
	seal, err := f.Seal(boss, nil, raffle.SealFinal)
	must(f.T, err)
	must(f.T, f.VoidsAck(boss, seal.Index))
	return seal
}

func (f *fixture) rng() *raffle.Rng {
	f.T.Helper()
	rng, err := raffle.RngOpen("test:seed=01", nil)
	must(f.T, err)
	f.T.Cleanup(rng.Free)
	return rng
}

func (f *fixture) draw(prize string) raffle.Pick {
	f.T.Helper()
	d, err := f.DrawBegin(boss, prize, &raffle.DrawOptions{Rng: f.rng()})
	must(f.T, err)
	defer d.Free()
	must(f.T, d.Finish(background, f.rng(), nil))
	pick, err := f.PickAt(prize, 1)
	must(f.T, err)
	return pick
}

// audit is that the audit finds no fault.
func (f *fixture) audit() raffle.Verdict {
	f.T.Helper()
	verdict, err := raffle.AuditStore(f.store, nil, "")
	must(f.T, err)
	if !verdict.Passed {
		f.T.Fatalf("the audit: %+v", verdict)
	}
	return verdict
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails is that err is this status, with a sentence that has these words.
func fails(t testing.TB, err error, status raffle.Status, words string) {
	t.Helper()
	var e *raffle.Error
	if !errors.Is(err, status) || !errors.As(err, &e) || e.RC != status || e.Message == "" || !strings.Contains(err.Error(), words) {
		t.Fatalf("%v, and not %s with %q", err, status.Name(), words)
	}
}

func equal[T comparable](t testing.TB, is, wanted T) {
	t.Helper()
	if is != wanted {
		t.Fatalf("%v, and not %v", is, wanted)
	}
}
