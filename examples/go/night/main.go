// SPDX-License-Identifier: Apache-2.0

// The draw of a night: seal, acknowledge, draw every prize that waits, and leave what is to be shown: the report, and the published log.
//
//	go run ./night [-rng URI] -by ID STORE FOLDER
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"raffle.example/raffle"
)

// sealed is the final seal, made now or before.
func sealed(r *raffle.Raffle, by raffle.Actor) error {
	seal, err := r.SealLatest(raffle.SealFinal)
	if errors.Is(err, raffle.ErrNotSealed) {
		seal, err = r.Seal(by, nil, raffle.SealFinal)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d tickets, %d draw numbers, %d tickets void\n", seal.Tickets, seal.Numbers, seal.Voids)
	if seal.Acknowledged {
		return nil
	}
	return r.VoidsAck(by, seal.Index)
}

// draw takes up a draw that was begun, or begins one.
func draw(ctx context.Context, r *raffle.Raffle, by raffle.Actor, prize string, rng *raffle.Rng) error {
	d, err := r.DrawResume(by, nil)
	if errors.Is(err, raffle.ErrNotFound) {
		d, err = r.DrawBegin(by, prize, &raffle.DrawOptions{Rng: rng})
	}
	if err != nil {
		return err
	}
	defer d.Free()
	return d.Finish(ctx, rng, nil)
}

func drawAll(ctx context.Context, r *raffle.Raffle, by raffle.Actor, rng *raffle.Rng) error {
	for prize, err := range r.Prizes() {
		if err == nil && prize.Waits {
			err = draw(ctx, r, by, prize.Name, rng)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", prize.Name, err)
		}
		for pick, err := range r.Picks(prize.Name) {
			if err != nil {
				return err
			}
			number, err := raffle.NumberFormat(pick.Unit, pick.Number)
			if err != nil {
				return err
			}
			fmt.Printf("%s, place %d: %s\n", prize.Name, pick.Place, number)
		}
	}
	return nil
}

func leave(ctx context.Context, r *raffle.Raffle, folder string) error {
	report, err := os.Create(filepath.Join(folder, "drawing.html"))
	if err != nil {
		return err
	}
	err = r.ReportWrite(ctx, report, raffle.ReportOptions{Name: "drawing", Format: raffle.ReportHTML})
	if closing := report.Close(); err == nil {
		err = closing // what is not on the disk is found out here
	}
	if err != nil {
		return err
	}
	_, err = r.Publish(ctx, filepath.Join(folder, "published"), nil)
	return err
}

func run(ctx context.Context, store, folder, uri string, by raffle.Actor) error {
	r, err := raffle.Open(store, "", nil)
	if err != nil {
		return err
	}
	defer r.Free()
	rng, err := raffle.RngOpen(uri, nil)
	if err != nil {
		return err
	}
	defer rng.Free()
	if err := sealed(r, by); err != nil {
		return err
	}
	if err := drawAll(ctx, r, by, rng); err != nil {
		return err
	}
	return leave(ctx, r, folder)
}

func main() {
	uri := flag.String("rng", "system:", "the provider of randomness")
	id := flag.String("by", "", "the event manager")
	flag.Parse()
	if flag.NArg() != 2 || *id == "" {
		log.Fatal("usage: night [-rng URI] -by ID STORE FOLDER")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), flag.Arg(1), *uri, raffle.Actor{ID: *id, Role: raffle.Manager}); err != nil {
		log.Fatal(err)
	}
}
