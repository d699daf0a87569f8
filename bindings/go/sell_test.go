// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"raffle.example/raffle"
)

// Many goroutines sell through one unit: they are gathered, and each gets its own answer.

func TestManySell(t *testing.T) {
	f := create(t, onePrize)
	u := f.unit(1)
	const goroutines, each = 64, 20
	serials := sync.Map{}
	var all sync.WaitGroup
	for g := range goroutines {
		all.Add(1)
		go func() {
			defer all.Done()
			by := seller
			if g%4 == 0 {
				by = raffle.Actor{ID: "cal", Role: raffle.Seller}
			}
			for i := range each {
				ctx, cancel := background, context.CancelFunc(func() {})
				if g%2 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Minute)
				}
				order := fmt.Sprintf("%d-%d", g, i)
				tickets, err := u.Sell(ctx, by, raffle.Sale{Tier: "one", Order: order}, raffle.Sale{Tier: "none", Order: order + "x"})
				cancel()
				var e *raffle.Error
				if !errors.As(err, &e) || e.RC != raffle.ErrNotFound || e.Detail != 2 || e.Message != `line 2: there is no tier "none"` {
					t.Errorf("%v", err)
					return
				}
				if tickets[0].RC != 0 || tickets[0].Order != order || tickets[1].RC != raffle.ErrNotFound {
					t.Errorf("%+v", tickets)
				}
				if _, there := serials.LoadOrStore(tickets[0].Serial, true); there {
					t.Errorf("serial %d is sold twice", tickets[0].Serial)
				}
			}
		}()
	}
	all.Wait()
	equal(t, f.audit().Tickets, goroutines*each)
}

// The same order key by many at once is one order.
func TestOneOrderByMany(t *testing.T) {
	f := create(t, onePrize)
	u := f.unit(1)
	var all sync.WaitGroup
	var sold, replayed atomic.Int64
	for range 32 {
		all.Add(1)
		go func() {
			defer all.Done()
			tickets, err := u.Sell(background, seller, raffle.Sale{Tier: "ten", Order: "the same"})
			if err != nil {
				t.Error(err)
				return
			}
			if tickets[0].Flags&raffle.TicketReplayed != 0 {
				replayed.Add(1)
			} else {
				sold.Add(1)
			}
		}()
	}
	all.Wait()
	equal(t, sold.Load(), 1)
	equal(t, replayed.Load(), 31)
}

// A context that ended before nothing writes; one that ends while the sale waits writes nothing, or says that it is not known.
func TestContextsOfSales(t *testing.T) {
	f := create(t, onePrize)
	u := f.unit(1)
	ctx, cancel := context.WithCancelCause(background)
	cancel(errOwn)
	_, err := u.Sell(ctx, seller, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrTimeout, "nothing was written")
	equal(t, errors.Is(err, errOwn) && errors.Is(err, context.Canceled), true)
	equal(t, f.audit().Tickets, 0)
	var all sync.WaitGroup
	var sold, unknown atomic.Int64
	for i := range 200 {
		all.Add(1)
		go func() {
			defer all.Done()
			ctx, cancel := context.WithTimeout(background, time.Duration(i%20)*100*time.Microsecond)
			defer cancel()
			_, err := u.Sell(ctx, seller, raffle.Sale{Tier: "one", Order: fmt.Sprint(i)})
			switch {
			case err == nil:
				sold.Add(1)
			case errors.Is(err, raffle.ErrUnknown):
				unknown.Add(1)
			case errors.Is(err, raffle.ErrTimeout) && errors.Is(err, context.DeadlineExceeded):
			default:
				t.Error(err)
			}
		}()
	}
	all.Wait()
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one", Order: "last"}) // behind all that were inside
	must(t, err)
	tickets := f.audit().Tickets
	if least := uint64(sold.Load()) + 1; tickets < least || tickets > least+uint64(unknown.Load()) {
		t.Fatalf("%d tickets, where %d were sold and %d are not known", tickets, sold.Load(), unknown.Load())
	}
}

// Everything at once: actors, tiers, failures, contexts that end, and one caller with as many lines as a call may have. Nobody gets another's answer, nothing is sold twice or lost, and no goroutine is left.
func TestGatheredInAStorm(t *testing.T) {
	f := create(t, onePrize)
	u := f.unit(1)
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	var sold, unknown atomic.Int64
	for g := range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			dice := rand.New(rand.NewPCG(uint64(g), 0))
			by := raffle.Actor{ID: fmt.Sprint("s", g%3), Role: raffle.Seller}
			for i := range 15 {
				sales, bad := storm(dice, g, i)
				ctx, cancel := context.WithCancel(background)
				if g%4 == 1 {
					time.AfterFunc(time.Duration(dice.IntN(15000))*time.Microsecond, cancel)
				}
				tickets, err := u.Sell(ctx, by, sales...)
				cancel()
				var e *raffle.Error
				if errors.Is(err, context.Canceled) {
					if errors.Is(err, raffle.ErrUnknown) {
						unknown.Add(int64(len(sales)))
					}
					continue
				}
				if bad >= 0 && (!errors.As(err, &e) || e.RC != raffle.ErrNotFound || int(e.Detail) != bad+1) || bad < 0 && err != nil || len(tickets) != len(sales) {
					t.Errorf("%d tickets, line %d is bad: %v", len(tickets), bad, err)
					return
				}
				for k, ticket := range tickets {
					if ticket.Order != sales[k].Order || (ticket.RC == 0) != (sales[k].Tier != "none") || ticket.RC == 0 && ticket.Tier != sales[k].Tier {
						t.Errorf("%+v for %+v", ticket, sales[k])
					}
					if ticket.RC == 0 {
						sold.Add(1)
					}
				}
				if last := tickets[len(tickets)-1]; i%5 == 0 && last.RC == 0 {
					if again, err := f.OrderTickets(last.Order); err != nil || again[0].Serial != last.Serial || again[0].First != last.First {
						t.Errorf("%+v, and then %+v: %v", last, again, err)
					}
				}
			}
		}()
	}
	all.Wait()
	for wait := 0; runtime.NumGoroutine() > before && wait < 200; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
	equal(t, runtime.NumGoroutine() <= before, true)
	if tickets := int64(f.audit().Tickets); tickets < sold.Load() || tickets > sold.Load()+unknown.Load() {
		t.Errorf("%d tickets, where %d were sold and %d are not known", tickets, sold.Load(), unknown.Load())
	}
}

// storm is what goroutine g sells in its turn i, and the first line of it that fails; -1: none.
func storm(dice *rand.Rand, g, i int) (sales []raffle.Sale, bad int) {
	n := 1 + dice.IntN(4)
	if g == 0 && i < 2 {
		n = raffle.SellMax
	}
	bad = -1
	for k := range n {
		tier := []string{"one", "ten"}[dice.IntN(2)]
		if g%5 == 2 && dice.IntN(3) == 0 {
			tier = "none"
			if bad < 0 {
				bad = k
			}
		}
		sales = append(sales, raffle.Sale{Tier: tier, Order: fmt.Sprintf("%d-%d-%d", g, i, k), Buyer: fmt.Sprint("b", g)})
	}
	return sales, bad
}
