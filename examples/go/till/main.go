// SPDX-License-Identifier: Apache-2.0

// A till that works offline: what goes to and fro between it and the office are files, on a stick or by any other way.
//
//	till apply    KEYS ORIGIN UNIT             at the till: its key and the proof, for the office
//	till enrol    STORE NAME KEY PROOF         at the office: the unit's number; its kit goes to kit.bin
//	till install  TILL KEYS KIT                at the till
//	till sell     TILL KEYS UNIT TIER COUNT    at the till: sells without a link
//	till ask      STORE UNIT                   at the office: the challenge
//	till export   TILL KEYS UNIT CHALLENGE     at the till: what was sold goes to upload.bin
//	till upload   STORE UPLOAD                 at the office: takes it; the news goes to news.bin
//	till update   TILL KEYS NEWS               at the till
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	"raffle.example/raffle"
)

var (
	manager = raffle.Actor{ID: "office", Role: raffle.Manager}
	seller  = raffle.Actor{ID: "tent", Role: raffle.Seller}
	all     = context.Background()
)

// with opens a raffle for the time of a call; keys "" are those that it was made with.
func with(store, keys string, f func(*raffle.Raffle) error) error {
	r, err := raffle.Open(store, keys, nil)
	if err != nil {
		return err
	}
	defer r.Free()
	return f(r)
}

func number(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}

// withUnit opens a till, and its unit.
func withUnit(store, keys, unit string, f func(*raffle.Unit) error) error {
	n, err := number(unit)
	if err != nil {
		return err
	}
	return with(store, keys, func(r *raffle.Raffle) error {
		u, err := r.UnitOpen(n)
		if err != nil {
			return err
		}
		defer u.Free()
		return f(u)
	})
}

// save writes a file whole, for its owner alone; none is left when what makes it fails.
func save(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = write(file); err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

func apply(a []string) error {
	unit, err := number(a[2])
	if err != nil {
		return err
	}
	key, proof, err := raffle.UnitApply(a[0], nil, a[1], unit)
	if err != nil {
		return err
	}
	fmt.Println(key)
	return save("proof.txt", func(w io.Writer) error { _, err := io.WriteString(w, proof); return err })
}

func enrol(a []string) error {
	proof, err := os.ReadFile(a[3])
	if err != nil {
		return err
	}
	return with(a[0], "", func(r *raffle.Raffle) error {
		unit, err := r.UnitEnrol(manager, raffle.UnitOptions{Name: a[1], Quota: 1000, Away: true, Hours: 24, Key: a[2], Proof: string(proof)})
		if err == nil {
			err = r.UnitEnable(manager, unit)
		}
		if err != nil {
			return err
		}
		fmt.Println(unit)
		return save("kit.bin", func(w io.Writer) error { return r.UnitKit(all, unit, w) })
	})
}

func install(a []string) error {
	kit, err := os.ReadFile(a[2])
	if err != nil {
		return err
	}
	till, err := raffle.UnitInstall(a[0], a[1], nil, kit, "")
	if err == nil {
		till.Free()
	}
	return err
}

func sell(a []string) error {
	count, err := number(a[4])
	if err != nil {
		return err
	}
	return withUnit(a[0], a[1], a[2], func(u *raffle.Unit) error {
		for range count {
			tickets, err := u.Sell(all, seller, raffle.Sale{Tier: a[3]})
			if err != nil {
				return err
			}
			first, err := raffle.NumberFormat(tickets[0].Unit, tickets[0].First)
			if err != nil {
				return err
			}
			fmt.Println(first)
		}
		return nil
	})
}

func ask(a []string) error {
	unit, err := number(a[1])
	if err != nil {
		return err
	}
	return with(a[0], "", func(r *raffle.Raffle) error {
		challenge, err := r.UnitChallenge(unit)
		if err == nil {
			fmt.Println(challenge)
		}
		return err
	})
}

func export(a []string) error {
	return withUnit(a[0], a[1], a[2], func(u *raffle.Unit) error {
		return save("upload.bin", func(w io.Writer) error { return u.Export(all, a[3], w) })
	})
}

func upload(a []string) error {
	bytes, err := os.ReadFile(a[1])
	if err != nil {
		return err
	}
	return with(a[0], "", func(r *raffle.Raffle) error {
		info, err := r.UnitUpload(manager, bytes)
		if err != nil {
			return err
		}
		fmt.Printf("unit %d: %d records taken, %d draw numbers in all\n", info.Unit, info.Taken, info.Numbers)
		return save("news.bin", func(w io.Writer) error { return r.UnitNews(all, info.Unit, info.ControlSize, w) })
	})
}

func update(a []string) error {
	news, err := os.ReadFile(a[2])
	if err != nil {
		return err
	}
	return with(a[0], a[1], func(r *raffle.Raffle) error { return r.UnitUpdate(news) })
}

func main() {
	commands := map[string]struct {
		run       func([]string) error
		arguments int
	}{
		"apply": {apply, 3}, "enrol": {enrol, 4}, "install": {install, 3}, "sell": {sell, 5}, "ask": {ask, 2}, "export": {export, 4}, "upload": {upload, 2},
		"update": {update, 3},
	}
	if len(os.Args) < 2 || commands[os.Args[1]].arguments != len(os.Args)-2 {
		log.Fatal("usage: till apply|enrol|install|sell|ask|export|upload|update …, see the top of the file")
	}
	if err := commands[os.Args[1]].run(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
