// SPDX-License-Identifier: Apache-2.0

package main

// What the control log says of the raffle, its units and its seals (docs/spec/records.md, seal.md): as much as is needed to judge logs and receipts.

import (
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// totals are those of a seal.unit, a seal and a unit.close.
type totals struct {
	tickets, numbers, gross       int64
	voids, voidNumbers, voidGross int64
}

func totalsOf(o *object) totals {
	return totals{o.int("tickets"), o.int("numbers"), o.int("gross"), o.int("voids"), o.int("void_numbers"), o.int("void_gross")}
}

func (t totals) plus(u totals) totals {
	return totals{t.tickets + u.tickets, t.numbers + u.numbers, t.gross + u.gross,
		t.voids + u.voids, t.voidNumbers + u.voidNumbers, t.voidGross + u.voidGross}
}

// fit says whether sums are what a record can say. It is asked after each addition, so that none overflows.
func (t totals) fit() bool {
	for _, n := range []int64{t.tickets, t.numbers, t.gross, t.voids, t.voidNumbers, t.voidGross} {
		if n > maxInt {
			return false
		}
	}
	return true
}

// sealUnit is a unit's prefix in a seal. `before` is the index of its run's first record; -1 when the run never ended in a seal.
type sealUnit struct {
	index, before int64
	kind          string // of its seal
	size          int64
	root          tlog.Hash
	voidRoot      tlog.Hash
	note          string
	totals        totals
	reconciled    bool
}

// void is a ticket that the control log takes back.
type void struct {
	index, serial, count, price int64
}

// upload is what a unit that is away sent in, so far.
type upload struct {
	index, size, twice int64
	root               tlog.Hash
	note               string
}

// unit has a proof, the checkpoint of no records, when it is away.
type unit struct {
	number  int64
	origin  string
	vkey    string
	key     note.Verifier
	away    bool
	proof   string
	uploads []upload
	gone    bool // un-enrolled
	seals   []*sealUnit
	voids   []void
}

// uploaded is the newest upload; before the first one, nothing.
func (u *unit) uploaded() upload {
	if len(u.uploads) == 0 {
		return upload{root: emptyRoot}
	}
	return u.uploads[len(u.uploads)-1]
}

// seal is one that its run of seal.unit precedes.
type seal struct {
	index  int64
	kind   string
	totals totals
	units  int64
}

// signed is a checkpoint that a record of the control log quotes, of the control log's first `size` records.
type signed struct {
	index, size int64
	note        string
}

type control struct {
	origin    string
	vkey      string
	key       note.Verifier
	open      tlog.Hash // leaf hash of raffle.open
	witnesses *policy   // of the rules
	units     []*unit
	run       []*sealUnit
	seals     []seal
	final     []*sealUnit // of the final seal
	notes     []signed
}

func hashOf(o *object, name string) tlog.Hash {
	var h tlog.Hash
	text := o.text(name)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != text {
		o.fail(name, "hex32")
		return h
	}
	copy(h[:], raw)
	return h
}

// take reads the control log's next record.
func (c *control) take(index int64, leaf []byte) error {
	o, err := parseRecord(leaf)
	if err == nil {
		err = c.takeObject(index, o, leaf)
	}
	if err == nil {
		err = o.err
	}
	if err != nil {
		return fmt.Errorf("control/%d: %v", index, err)
	}
	return nil
}

func (c *control) takeObject(index int64, o *object, leaf []byte) error {
	kind := o.text("t")
	run := c.run
	if kind != "seal.unit" {
		c.run = nil
	}
	if (kind == "raffle.open") != (index == 0) {
		return errors.New("record 0, and no other, is `raffle.open`")
	}
	switch kind {
	case "raffle.open":
		c.open = tlog.RecordHash(leaf)
		return c.takeOpen(o)
	case "unit.enrol":
		return c.takeEnrol(o)
	case "unit.quota":
		return c.takeQuota(o)
	case "unit.unenrol":
		return c.takeUnenrol(o)
	case "unit.sync":
		return c.takeSync(index, o)
	case "seal.unit":
		return c.takeSealUnit(index, o)
	case "seal":
		return c.takeSeal(index, o, run)
	case "void":
		return c.takeVoid(index, o)
	case "draw.result", "draw.manual":
		c.notes = append(c.notes, signed{index, o.int("intent") + 1, o.text("note")})
		if o.int("intent") >= index {
			return errors.New("a result without an intent before it")
		}
	}
	return nil
}

func (c *control) takeOpen(o *object) error {
	if o.int("format") != 1 {
		return errors.New("`format` is not 1")
	}
	rules := o.object("rules")
	c.origin, c.vkey = rules.text("origin"), o.text("key")
	var err error
	if c.witnesses, err = policyOf(rules); err == nil {
		c.key, err = verifierOf(c.vkey, c.origin)
	}
	return firstError(rules.err, err)
}

func (c *control) takeEnrol(o *object) error {
	u := &unit{number: o.int("unit"), vkey: o.text("key"), away: o.has("away")}
	if u.away != o.has("note") || u.away && o.int("quota") == 0 {
		return errors.New("a unit that is away has a proof of its key and a quota, and no other has a proof")
	}
	if u.away {
		u.proof = o.text("note")
	}
	if u.number != int64(len(c.units))+1 || u.number > 65535 {
		return fmt.Errorf("unit %d follows unit %d", u.number, len(c.units))
	}
	var err error
	u.origin = fmt.Sprintf("%s/unit/%d", c.origin, u.number)
	u.key, err = verifierOf(u.vkey, u.origin)
	c.units = append(c.units, u)
	return err
}

func (c *control) unit(o *object) (*unit, error) {
	number := o.int("unit")
	if number < 1 || number > int64(len(c.units)) {
		return nil, fmt.Errorf("there is no unit %d", number)
	}
	return c.units[number-1], nil
}

func (c *control) takeQuota(o *object) error {
	u, err := c.unit(o)
	if err == nil && (u.gone || u.away && o.int("quota") == 0) {
		err = errors.New("a unit that was un-enrolled, or is away and has no quota")
	}
	return err
}

func (c *control) takeUnenrol(o *object) error {
	u, err := c.unit(o)
	if err != nil {
		return err
	}
	if u.gone || len(u.uploads) > 0 {
		return errors.New("a unit that was un-enrolled, or has uploaded")
	}
	u.gone = true
	return nil
}

// takeSync: uploads never shrink, and what a final seal took as all of a unit stays so.
func (c *control) takeSync(index int64, o *object) error {
	u, err := c.unit(o)
	if err != nil {
		return err
	}
	s := upload{index: index, size: o.int("size"), twice: o.int("twice"), root: hashOf(o, "root"), note: o.text("note")}
	before := u.uploaded()
	if !u.away || u.gone || s.size < 1 {
		return errors.New("an upload of a unit that is not away, or of nothing")
	}
	if s.size < before.size || s.twice < before.twice || s.size == before.size && s.root != before.root {
		return fmt.Errorf("an upload of %d records, after another one of %d", s.size, before.size)
	}
	if u.number <= int64(len(c.final)) && c.final[u.number-1].reconciled && c.final[u.number-1].size != s.size {
		return fmt.Errorf("an upload of %d records, after the final seal took all %d", s.size, c.final[u.number-1].size)
	}
	u.uploads = append(u.uploads, s)
	return nil
}

func (c *control) takeSealUnit(index int64, o *object) error {
	u, err := c.unit(o)
	if err != nil {
		return err
	}
	s := &sealUnit{index: index, before: -1, size: o.int("size"), root: hashOf(o, "root"), voidRoot: hashOf(o, "void_root"),
		note: o.text("note"), totals: totalsOf(o), reconciled: o.flag("reconciled")}
	if u.number != int64(len(c.run))+1 {
		return fmt.Errorf("unit %d is number %d of its run", u.number, len(c.run)+1)
	}
	decayed := !s.reconciled && s.size < u.uploaded().size
	if have := u.uploaded(); u.away && !decayed && (s.size != have.size || s.root != have.root) {
		return fmt.Errorf("unit %d is away, and uploaded other records than these %d", u.number, s.size)
	}
	u.seals = append(u.seals, s)
	c.run = append(c.run, s)
	return nil
}

func (c *control) takeSeal(index int64, o *object, run []*sealUnit) error {
	s := seal{index: index, kind: o.text("kind"), totals: totalsOf(o), units: o.int("units")}
	first, unreconciled := o.int("first"), int64(0)
	var sum totals
	for _, each := range run {
		if sum = sum.plus(each.totals); !sum.fit() {
			return errors.New("the sums of its units are more than a record can say")
		}
		each.before, each.kind = first, s.kind
		if !each.reconciled {
			unreconciled++
		}
	}
	if len(run) == 0 || len(run) != len(c.units) || s.units != int64(len(run)) || first != index-int64(len(run)) {
		return fmt.Errorf("a seal of %d units from %d on, after a run of %d of %d units", s.units, first, len(run), len(c.units))
	}
	if sum != s.totals || unreconciled != o.int("unreconciled") {
		return errors.New("the seal's sums are not those of its units")
	}
	c.seals = append(c.seals, s)
	if s.kind == "final" {
		c.final = run
	}
	return nil
}

func (c *control) takeVoid(index int64, o *object) error {
	u, err := c.unit(o)
	if err != nil {
		return err
	}
	u.voids = append(u.voids, void{index, o.int("serial"), o.int("count"), o.int("price")})
	return nil
}

// --- roots ---

var emptyRoot = rootOf(nil)

// rootOf is the RFC 6962 root over leaves, from x/mod's own stored hashes.
func rootOf(leaves [][]byte) tlog.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			found[i] = stored[x]
		}
		return found, nil
	})
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			panic(err) // the reader never fails
		}
		stored = append(stored, hashes...)
	}
	if len(leaves) == 0 {
		return sha256Of(nil)
	}
	root, err := tlog.TreeHash(int64(len(leaves)), reader)
	if err != nil {
		panic(err)
	}
	return root
}
