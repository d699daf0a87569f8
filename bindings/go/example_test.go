// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"raffle.example/raffle"
)

const exampleRules = `{"origin": "raffle.example/gala", "name": "Gala 50/50", "organisation": "Gala Society", "currency": "CAD", "rehearsal": true,
 "sales": {"opens": "2026-11-21T18:00:00.000Z", "closes": "2026-11-22T05:00:00.000Z"}, "rng": ["test"],
 "tiers": [{"name": "three", "count": 3, "price": 500}, {"name": "twenty", "count": 20, "price": 1000}],
 "prizes": [{"name": "first", "title": "Half of the pot", "share": 5000}]}`

// aFolder is one for an example, and its end.
func aFolder() (string, func()) {
	folder, err := os.MkdirTemp("", "raffle")
	if err != nil {
		log.Fatal(err)
	}
	return folder, func() { os.RemoveAll(folder) }
}

// A night: rules, sales, the seal, the draw, and a receipt that its buyer checks.
func Example() {
	folder, end := aFolder()
	defer end()
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	host := &raffle.Host{Clock: func() (time.Time, error) { return now, nil }} // yours is the system's: leave Clock out
	boss, ann := raffle.Actor{ID: "bob", Role: raffle.Manager}, raffle.Actor{ID: "ann", Role: raffle.Seller}

	r, err := raffle.Create(filepath.Join(folder, "gala.raffle"), "", host, []byte(exampleRules), boss)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Free()
	unit, err := r.UnitOpen(1)
	if err != nil {
		log.Fatal(err)
	}
	defer unit.Free()
	tickets, err := unit.Sell(context.Background(), ann, raffle.Sale{Order: "shop-4711", Tier: "twenty"}, raffle.Sale{Order: "shop-4711", Tier: "three"})
	if err != nil {
		log.Fatal(err)
	}
	for _, ticket := range tickets {
		number, _ := raffle.NumberFormat(ticket.Unit, ticket.First)
		fmt.Println(ticket.Tier, number, ticket.Count)
	}

	seal, err := r.Seal(boss, nil, raffle.SealFinal)
	if err == nil {
		err = r.VoidsAck(boss, seal.Index)
	}
	if err != nil {
		log.Fatal(err)
	}
	rng, err := raffle.RngOpen("test:seed=05", nil) // "system:", "kms:…", "pkcs11:…"
	if err != nil {
		log.Fatal(err)
	}
	defer rng.Free()
	draw, err := r.DrawBegin(boss, "first", &raffle.DrawOptions{Rng: rng})
	if err != nil {
		log.Fatal(err)
	}
	defer draw.Free()
	if err := draw.Finish(context.Background(), rng, nil); err != nil {
		log.Fatal(err)
	}
	for pick, err := range r.Picks("first") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("place", pick.Place, "of unit", pick.Unit)
	}

	info, err := r.Describe()
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := r.Receipt(tickets[0].Unit, tickets[0].Serial)
	if err != nil {
		log.Fatal(err)
	}
	said, err := raffle.ReceiptVerify(receipt, info.ControlKey)
	fmt.Println("in the drum:", err == nil && said.Proves == raffle.ReceiptDrum)
	// Output:
	// twenty 1-0000001 20
	// three 1-0000021 3
	// place 1 of unit 1
	// in the drum: true
}

// A failure has a status to ask for and a sentence to show.
func ExampleError() {
	err := raffle.RulesCheck([]byte(`{"origin": "raffle.example/gala"}`))
	var e *raffle.Error
	fmt.Println(errors.Is(err, raffle.ErrInvalid), errors.As(err, &e))
	fmt.Println(e)
	// Output:
	// true true
	// raffle: rules: "name" is missing
}

// An order key makes a sale safe to repeat: the second time gives the first tickets.
func ExampleUnit_Sell() {
	folder, end := aFolder()
	defer end()
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	host := &raffle.Host{Clock: func() (time.Time, error) { return now, nil }}
	r, err := raffle.Create(filepath.Join(folder, "gala.raffle"), "", host, []byte(exampleRules), raffle.Actor{ID: "bob", Role: raffle.Manager})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Free()
	unit, err := r.UnitOpen(1)
	if err != nil {
		log.Fatal(err)
	}
	defer unit.Free()
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		tickets, err := unit.Sell(ctx, raffle.Actor{ID: "shop", Role: raffle.System}, raffle.Sale{Order: "cart-12", Tier: "three"})
		cancel()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(tickets[0].First, tickets[0].Flags&raffle.TicketReplayed != 0)
	}
	// Output:
	// 1 false
	// 1 true
}
