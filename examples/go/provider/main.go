// SPDX-License-Identifier: Apache-2.0

// A provider of the host's own, "host:two": bytes of two sources, each XORed with the other, so that one alone cannot choose them. The second is any program that writes
// random bytes; an HSM's or a KMS's client goes in the same place.
//
//	go run ./provider -by ID STORE PRIZE COMMAND [ARGUMENT ...]
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"flag"
	"fmt"
	"io"
	"log"
	"os/exec"
	"strconv"

	"raffle.example/raffle"
)

// two is a raffle.Provider.
type two struct{ command []string }

// Fill asks the command for as many bytes, as its last argument, and XORs them with the kernel's.
func (t two) Fill(ctx context.Context, out []byte) (string, error) {
	command := exec.CommandContext(ctx, t.command[0], append(t.command[1:len(t.command):len(t.command)], strconv.Itoa(len(out)))...)
	second, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.command[0], err)
	}
	if len(second) != len(out) {
		return "", fmt.Errorf("%s gave %d bytes, not %d", t.command[0], len(second), len(out))
	}
	if _, err := io.ReadFull(rand.Reader, out); err != nil {
		return "", err
	}
	if bytes.Equal(out, second) {
		return "", fmt.Errorf("both sources are one")
	}
	subtle.XORBytes(out, out, second)
	clear(second)
	return "two sources", nil
}

func run(store, prize, id string, command []string) error {
	rng, err := raffle.RngNew("host:two", two{command})
	if err != nil {
		return err
	}
	defer rng.Free()
	r, err := raffle.Open(store, "", nil)
	if err != nil {
		return err
	}
	defer r.Free()
	draw, err := r.DrawBegin(raffle.Actor{ID: id, Role: raffle.Manager}, prize, &raffle.DrawOptions{Rng: rng})
	if err != nil {
		return err
	}
	defer draw.Free()
	if err := draw.Finish(context.Background(), rng, nil); err != nil {
		return err
	}
	for pick, err := range r.Picks(prize) {
		if err != nil {
			return err
		}
		fmt.Printf("place %d: %d-%07d\n", pick.Place, pick.Unit, pick.Number)
	}
	return nil
}

func main() {
	id := flag.String("by", "", "the event manager")
	flag.Parse()
	if flag.NArg() < 3 || *id == "" {
		log.Fatal("usage: provider -by ID STORE PRIZE COMMAND [ARGUMENT ...]")
	}
	if err := run(flag.Arg(0), flag.Arg(1), *id, flag.Args()[2:]); err != nil {
		log.Fatal(err)
	}
}
