// SPDX-License-Identifier: Apache-2.0

// The benchmark of the Go binding: the same work from Go and from C, in turns, the median of six.
//
//	go run ./bench [-sales N]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"raffle.example/raffle"
	"raffle.example/raffle/internal/inc"
)

const (
	runs  = 6
	lines = 1000
	calls = 200000
)

const rules = `{"origin": "raffle.example/bench", "name": "Bench", "organisation": "Bench", "currency": "CAD", "rehearsal": true,
 "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"}, "rng": ["test"],
 "tiers": [{"name": "ten", "count": 10, "price": 2000}], "prizes": [{"name": "first"}]}`

var (
	boss   = raffle.Actor{ID: "bob", Role: raffle.Manager}
	seller = raffle.Actor{ID: "ann", Role: raffle.Seller}
)

func main() {
	sales := flag.Int("sales", 50000, "tickets that each run sells")
	flag.Parse()
	if err := bench(*sales / lines); err != nil {
		log.Fatal(err)
	}
}

func bench(batches int) error {
	folder, err := os.MkdirTemp("", "raffle-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	store := filepath.Join(folder, "bench.raffle")
	r, err := raffle.Create(store, "", nil, []byte(rules), boss)
	if err != nil {
		return err
	}
	r.Free()
	if err := selling(store, batches); err != nil {
		return err
	}
	if err := calling(); err != nil {
		return err
	}
	return leaking(store)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func sell(store string, run, batches int) (float64, error) {
	r, err := raffle.Open(store, "", nil)
	if err != nil {
		return 0, err
	}
	defer r.Free()
	u, err := r.UnitOpen(1)
	if err != nil {
		return 0, err
	}
	defer u.Free()
	batch := make([]raffle.Sale, lines)
	began := time.Now()
	for b := range batches {
		for i := range batch {
			batch[i] = raffle.Sale{Tier: "ten", Order: fmt.Sprintf("g-%d-%d-%d", run, b, i)}
		}
		if _, err := u.Sell(context.Background(), seller, batch...); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

// pair is a run from both sides; the one that goes first has the smaller store, so they take turns.
func pair(store string, run, batches int) (g, c float64, err error) {
	if run%2 == 0 {
		c = inc.Sell(store, run, batches, lines)
	}
	g, err = sell(store, run, batches)
	if run%2 == 1 {
		c = inc.Sell(store, run, batches, lines)
	}
	if err == nil && c <= 0 {
		err = fmt.Errorf("selling from C failed")
	}
	return g, c, err
}

func selling(store string, batches int) error {
	var inGo, inC, ratios []float64
	for run := range runs + 1 {
		g, c, err := pair(store, run, batches)
		if err != nil {
			return err
		}
		if run > 0 { // the first warms up
			inGo, inC, ratios = append(inGo, g), append(inC, c), append(ratios, c/g)
		}
	}
	tickets := float64(batches * lines)
	fmt.Printf("selling in batches of %d: %.0f tickets a second from Go, %.0f from C, ratio %.2f\n", lines, tickets/median(inGo), tickets/median(inC), median(ratios))
	return nil
}

func calling() error {
	var inGo, inC []float64
	for range runs {
		inC = append(inC, inc.NumberFormat(calls))
		began := time.Now()
		for i := range calls {
			if _, err := raffle.NumberFormat(1, uint64(i)+1); err != nil {
				return err
			}
		}
		inGo = append(inGo, time.Since(began).Seconds())
	}
	fmt.Printf("a call: %.0f ns from Go, %.0f ns from C, %.0f ns more\n", median(inGo)/calls*1e9, median(inC)/calls*1e9, (median(inGo)-median(inC))/calls*1e9)
	return nil
}

// leaking makes a million calls, that succeed and that fail, and compares what both heaps hold before and after.
func leaking(store string) error {
	r, err := raffle.Open(store, "", nil)
	if err != nil {
		return err
	}
	defer r.Free()
	work := func(n int) {
		for i := range n {
			_, _ = raffle.NumberFormat(1, uint64(i))
			if _, err := r.TierAt(7); err == nil {
				log.Fatal("a tier that is not there")
			}
			if i%100 == 0 {
				u, err := r.UnitOpen(1)
				if err != nil {
					log.Fatal(err)
				}
				u.Free()
			}
		}
	}
	heaps := func() (uint64, uint64) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, inc.InUse()
	}
	work(10000)
	goBefore, cBefore := heaps()
	work(500000)
	goAfter, cAfter := heaps()
	fmt.Printf("a million calls: Go's heap %+d bytes, C's %+d\n", int64(goAfter)-int64(goBefore), int64(cAfter)-int64(cBefore))
	if goAfter > goBefore+1<<18 || cAfter > cBefore+1<<18 {
		return fmt.Errorf("it leaks")
	}
	return nil
}
