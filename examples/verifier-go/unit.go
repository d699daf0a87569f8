// SPDX-License-Identifier: Apache-2.0

package main

// A unit's records, folded as far as seals speak of them: tickets, voids and their sums (docs/spec/sales.md, seal.md).

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"golang.org/x/mod/sumdb/tlog"
)

func sha256Of(data []byte) tlog.Hash {
	return tlog.Hash(sha256.Sum256(data))
}

type ticket struct {
	count, price int64
}

// fold is a unit's log, record by record.
type fold struct {
	unit    *unit
	open    tlog.Hash
	tickets map[int64]ticket
	voids   []void // of this log, by their index
	void    map[int64]bool
	next    int64 // draw number
	sums    totals
	at      map[int64]totals // sums without voids, at each size that a seal names
	closed  bool
	size    int64
}

func newFold(u *unit, open tlog.Hash) *fold {
	f := &fold{unit: u, open: open, tickets: map[int64]ticket{}, void: map[int64]bool{}, next: 1, at: map[int64]totals{}}
	for _, s := range u.seals {
		f.at[s.size] = totals{}
	}
	return f
}

func (f *fold) take(index int64, leaf []byte) error {
	o, err := parseRecord(leaf)
	if err == nil {
		err = f.takeObject(index, o)
	}
	if err == nil {
		err = o.err
	}
	if err != nil {
		return fmt.Errorf("unit/%d/%d: %v", f.unit.number, index, err)
	}
	f.size = index + 1
	if _, named := f.at[index+1]; named {
		f.at[index+1] = f.sums
	}
	return nil
}

func (f *fold) takeObject(index int64, o *object) error {
	kind := o.text("t")
	if f.closed {
		return errors.New("a record after `unit.close`")
	}
	if n := o.int("n"); n != f.next {
		return fmt.Errorf("`n` is %d, and the next draw number %d", n, f.next)
	}
	if (kind == "unit.start") != (index == 0) {
		return errors.New("record 0, and no other, is `unit.start`")
	}
	switch kind {
	case "unit.start":
		if hashOf(o, "open") != f.open || o.int("unit") != f.unit.number {
			return errors.New("the start of another unit, or in another raffle")
		}
	case "sale":
		return f.takeSale(index, o)
	case "void":
		return f.takeVoid(index, o)
	case "unit.close":
		f.closed = true
		if totalsOf(o) != f.sums {
			return errors.New("the totals of `unit.close` are not the records'")
		}
	}
	return nil
}

func (f *fold) takeSale(index int64, o *object) error {
	t := ticket{o.int("count"), o.int("price")}
	f.tickets[index] = t
	f.next += t.count
	f.sums = f.sums.plus(totals{tickets: 1, numbers: t.count, gross: t.price})
	if !f.sums.fit() {
		return errors.New("the unit's sums are more than a record can say")
	}
	return nil
}

func (f *fold) takeVoid(index int64, o *object) error {
	v := void{index, o.int("serial"), o.int("count"), o.int("price")}
	if o.int("unit") != f.unit.number {
		return errors.New("a void of another unit's ticket")
	}
	if err := f.addVoid(v); err != nil {
		return err
	}
	f.voids = append(f.voids, v)
	f.sums = f.sums.plus(totals{voids: 1, voidNumbers: v.count, voidGross: v.price})
	return nil
}

func (f *fold) addVoid(v void) error {
	if sold, ok := f.tickets[v.serial]; !ok || sold != (ticket{v.count, v.price}) || f.void[v.serial] {
		return fmt.Errorf("the void of %d/%d is of no ticket, of another one, or a second one", f.unit.number, v.serial)
	}
	f.void[v.serial] = true
	return nil
}

// finish takes the voids of the control log, and compares each seal that ended.
func (f *fold) finish() error {
	for _, v := range f.unit.voids {
		if err := f.addVoid(v); err != nil {
			return fmt.Errorf("control/%d: %v", v.index, err)
		}
	}
	for _, s := range f.unit.seals {
		if s.before < 0 {
			continue
		}
		if err := f.checkSeal(s); err != nil {
			return fmt.Errorf("control/%d, seal of unit %d: %v", s.index, f.unit.number, err)
		}
	}
	return nil
}

func (f *fold) checkSeal(s *sealUnit) error {
	var serials []int64
	sums := f.at[s.size]
	sums.voids, sums.voidNumbers, sums.voidGross = 0, 0, 0
	count := func(v void) {
		sums = sums.plus(totals{voids: 1, voidNumbers: v.count, voidGross: v.price})
		serials = append(serials, v.serial)
	}
	for _, v := range f.voids {
		if v.index < s.size {
			count(v)
		}
	}
	for _, v := range f.unit.voids {
		if v.index < s.before && v.serial < s.size {
			count(v)
		}
	}
	if s.reconciled && (s.kind == "final" || f.unit.away) && !(f.closed && s.size == f.size) {
		return errors.New("it takes all of a unit, and does not end in its close")
	}
	if sums != s.totals {
		return fmt.Errorf("its totals are %v, and the records' %v", s.totals, sums)
	}
	if voidRoot(serials) != s.voidRoot {
		return errors.New("its `void_root` is not that of its void tickets")
	}
	return nil
}

// voidRoot is the root over the serials of void tickets, five bytes each.
func voidRoot(serials []int64) tlog.Hash {
	sort.Slice(serials, func(i, j int) bool { return serials[i] < serials[j] })
	leaves := make([][]byte, len(serials))
	for i, serial := range serials {
		leaves[i] = serialLeaf(serial)
	}
	return rootOf(leaves)
}

func serialLeaf(serial int64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(serial))
	return b[3:]
}
