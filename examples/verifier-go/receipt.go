// SPDX-License-Identifier: Apache-2.0

package main

// A receipt (docs/spec/receipts.md): its parts are C2SP tlog-proofs; the control key proves the unit's key, and that one the sale.

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	maxReceipt = 131072
	maxLeaf    = 4096
	maxHashes  = 63
	maxUnit    = 65535
	maxOpen    = 65535
)

// part is a tlog-proof: a record, its place, and the checkpoint that it is proved under.
type part struct {
	leaf  []byte
	index int64
	proof tlog.RecordProof
	note  []byte
}

// listed is a serial among the voids of a seal.unit.
type listed struct {
	serial, index int64
	proof         tlog.RecordProof
}

type receipt struct {
	proves       string // promise, drum or void
	open         *part  // when the rules name witnesses
	witnesses    *policy
	origin       string
	vkey         string // of the control log
	unit, serial int64
	enrol, sale  part
	sealUnit     part // this, the seal and the voids: not of a promise
	seal         part
	near         []listed
}

// --- reading: every line has one spelling ---

type lines struct {
	text string
	err  error
}

func (l *lines) fail(format string, values ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, values...)
	}
}

func (l *lines) take() string {
	at := strings.IndexByte(l.text, '\n')
	if at < 0 {
		l.fail("a line is missing, or not ended by a newline")
		l.text = ""
		return ""
	}
	line := l.text[:at]
	l.text = l.text[at+1:]
	return line
}

func (l *lines) expect(line string) {
	if have := l.take(); have != line {
		l.fail("a line is %.80q, and not %q", have, line)
	}
}

func (l *lines) number(text string, most int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most || strconv.FormatInt(n, 10) != text {
		l.fail("%.40q is no number up to %d", text, most)
	}
	return n
}

// after is a line without its first word.
func (l *lines) after(word string) string {
	line := l.take()
	if !strings.HasPrefix(line, word) {
		l.fail("a line is %.80q, and does not begin with %q", line, word)
		return ""
	}
	return line[len(word):]
}

func (l *lines) bytes(text string, most int) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) == 0 || len(data) > most || strings.ContainsAny(text, "\r\n") {
		l.fail("%.80q is no canonical base64 of at most %d bytes", text, most)
	}
	return data
}

// hashes are those up to a blank line.
func (l *lines) hashes() tlog.RecordProof {
	proof := tlog.RecordProof{}
	for line := l.take(); line != "" && l.err == nil; line = l.take() {
		var hash tlog.Hash
		if copy(hash[:], l.bytes(line, tlog.HashSize)) != tlog.HashSize || len(proof) == maxHashes {
			l.fail("%.80q is no hash, or one too many", line)
		}
		proof = append(proof, hash)
	}
	return proof
}

// note is all up to the next part: none of its lines can begin so.
func (l *lines) note() []byte {
	var note []byte
	for l.text != "" && l.err == nil && !strings.HasPrefix(l.text, "part ") {
		note = append(note, l.take()+"\n"...)
	}
	return note
}

func (l *lines) part(title string, most int) part {
	var p part
	l.expect("part " + title)
	l.expect("c2sp.org/tlog-proof@v1")
	p.leaf = l.bytes(l.after("extra "), most)
	p.index = l.number(l.after("index "), maxRecords-1)
	p.proof = l.hashes()
	p.note = l.note()
	return p
}

func (l *lines) voids() []listed {
	var near []listed
	l.expect("part voids")
	for l.text != "" && l.err == nil {
		words := strings.Split(l.after("void "), " ")
		if len(words) != 2 || len(near) == 2 {
			l.fail("a void has not two numbers, or is a third one")
			break
		}
		near = append(near, listed{l.number(words[0], maxRecords-1), l.number(words[1], maxRecords-1), l.hashes()})
	}
	return near
}

func (l *lines) title(r *receipt) {
	words := strings.Split(l.take(), " ")
	if len(words) != 3 || !strings.Contains(words[2], "/") {
		l.fail("the second line is not what it proves, an origin and a ticket")
		return
	}
	r.proves, r.origin = words[0], words[1]
	ticket := strings.SplitN(words[2], "/", 2)
	r.unit, r.serial = l.number(ticket[0], maxUnit), l.number(ticket[1], maxRecords-1)
	if r.proves != "promise" && r.proves != "drum" && r.proves != "void" || r.unit == 0 {
		l.fail("the second line begins with none of promise, drum and void, or names unit 0")
	}
}

func readReceipt(text []byte) (*receipt, error) {
	if len(text) > maxReceipt {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(text), maxReceipt)
	}
	r, l := &receipt{}, &lines{text: string(text)}
	l.expect("libraffle/receipt/v1")
	l.title(r)
	if strings.HasPrefix(l.text, "part raffle.open\n") {
		open := l.part("raffle.open", maxOpen)
		r.open = &open
	}
	r.enrol, r.sale = l.part("unit.enrol", maxLeaf), l.part("sale", maxLeaf)
	if r.proves != "promise" {
		r.sealUnit, r.seal = l.part("seal.unit", maxLeaf), l.part("seal", maxLeaf)
		r.near = l.voids()
	}
	if l.text != "" {
		l.fail("more follows")
	}
	return r, l.err
}

// --- verifying ---

// checkReceipt says whether all parts of a receipt hold under the control key alone.
func checkReceipt(text []byte, vkey string) *verdict {
	v := &verdict{}
	key, err := verifierOf(vkey, strings.SplitN(vkey, "+", 2)[0])
	if v.fault("the control key", err) {
		return v
	}
	r, err := readReceipt(text)
	if err == nil {
		r.vkey = vkey
		err = r.check(key, v)
	}
	v.fault("receipt", err)
	return v
}

func (r *receipt) check(key note.Verifier, v *verdict) error {
	if r.origin != key.Name() {
		return fmt.Errorf("it is of %.200q, and the key of %q", r.origin, key.Name())
	}
	if err := r.checkOpen(key); err != nil {
		return err
	}
	head, err := r.openChecked(r.enrol.note, key)
	if err != nil {
		return fmt.Errorf("the control log's checkpoint: %v", err)
	}
	if r.witnesses != nil {
		v.say("witnesses   %d of %d cosigned the control checkpoint: quorum reached: %v", len(head.sigs)-1, len(r.witnesses.witnesses), r.witnesses.reached(head.sigs))
	}
	unitKey, err := r.checkEnrol(head)
	if err != nil {
		return err
	}
	unitHead, err := r.openChecked(r.sale.note, unitKey)
	if err != nil {
		return fmt.Errorf("the unit's checkpoint: %v", err)
	}
	sale, err := r.sale.record(unitHead, "sale")
	if err != nil {
		return err
	}
	if r.sale.index != r.serial {
		return fmt.Errorf("the ticket is %d, and the proof of record %d", r.serial, r.sale.index)
	}
	v.say("ticket      %d/%d of %s: %s, numbers %d to %d, price %d", r.unit, r.serial, r.origin, sale.text("tier"), sale.int("n"),
		sale.int("n")+sale.int("count")-1, sale.int("price"))
	if sale.err != nil || r.proves == "promise" {
		v.say("proves      it is in its unit's signed log of %d records", unitHead.tree.N)
		return sale.err
	}
	return r.checkSealed(head, unitHead, v)
}

// checkOpen: the rules, when they name witnesses, are the log's first record.
func (r *receipt) checkOpen(key note.Verifier) error {
	if r.open == nil {
		return nil
	}
	head, err := openCheckpoint(r.open.note, key, nil)
	if err != nil {
		return fmt.Errorf("the control log's checkpoint: %v", err)
	}
	open, err := r.open.record(head, "raffle.open")
	if err != nil {
		return err
	}
	rules := open.object("rules")
	if string(r.open.note) != string(r.enrol.note) || r.open.index != 0 || rules.text("origin") != r.origin || open.text("key") != r.vkey {
		return errors.New("`raffle.open` is not this raffle's")
	}
	if r.witnesses, err = policyOf(rules); err == nil && r.witnesses == nil {
		err = errors.New("the part `raffle.open` of rules without witnesses")
	}
	return firstError(open.err, rules.err, err)
}

// openChecked: the log's signature, then cosignatures in the policy's order, and no other line, since nothing vouches for its bytes.
func (r *receipt) openChecked(text []byte, key note.Verifier) (*checkpoint, error) {
	c, err := openCheckpoint(text, key, r.witnesses)
	if err != nil {
		return nil, err
	}
	last := -1
	for i, sig := range c.sigs {
		place := r.witnesses.order(sig)
		if i > 0 && place <= last || i == 0 && place >= 0 {
			return nil, errors.New("signatures out of their order")
		}
		last = place
	}
	if c.others > 0 {
		return nil, errors.New("a signature that nobody can verify")
	}
	return c, nil
}

// record checks the proof of a part, and reads the record, which must be of this type.
func (p *part) record(head *checkpoint, kind string) (*object, error) {
	if p.index >= head.tree.N {
		return nil, fmt.Errorf("%s: record %d of %d", kind, p.index, head.tree.N)
	}
	if err := tlog.CheckRecord(p.proof, head.tree.N, head.tree.Hash, p.index, tlog.RecordHash(p.leaf)); err != nil {
		return nil, fmt.Errorf("%s: %v", kind, err)
	}
	o, err := parseRecord(p.leaf)
	if err == nil && o.text("t") != kind {
		err = fmt.Errorf("a %.40q, and no %s", o.text("t"), kind)
	}
	return o, err
}

func (r *receipt) checkEnrol(head *checkpoint) (note.Verifier, error) {
	enrol, err := r.enrol.record(head, "unit.enrol")
	if err != nil {
		return nil, err
	}
	vkey, unit := enrol.text("key"), enrol.int("unit")
	if enrol.err != nil || unit != r.unit {
		return nil, fmt.Errorf("the enrolment is of unit %d, and the ticket of unit %d", unit, r.unit)
	}
	return verifierOf(vkey, fmt.Sprintf("%s/unit/%d", r.origin, unit))
}

func (r *receipt) checkSealed(head, unitHead *checkpoint, v *verdict) error {
	if string(r.sealUnit.note) != string(r.enrol.note) || string(r.seal.note) != string(r.enrol.note) {
		return errors.New("the parts of the control log have not the same checkpoint")
	}
	sealed, err := r.sealUnit.record(head, "seal.unit")
	if err != nil {
		return err
	}
	if sealed.int("unit") != r.unit || sealed.int("size") != unitHead.tree.N || hashOf(sealed, "root") != unitHead.tree.Hash {
		return errors.New("the unit's checkpoint is not the one that was sealed")
	}
	seal, err := r.seal.record(head, "seal")
	if err != nil {
		return err
	}
	first, units := seal.int("first"), seal.int("units")
	if r.seal.index-first != units || r.unit > units || r.sealUnit.index != first+r.unit-1 {
		return fmt.Errorf("record %d is no seal.unit of unit %d in the seal of record %d", r.sealUnit.index, r.unit, r.seal.index)
	}
	kind := seal.text("kind")
	if kind != "early" && kind != "final" {
		return fmt.Errorf("a seal of the kind %.40q", kind)
	}
	if err := r.checkVoids(sealed.int("voids"), hashOf(sealed, "void_root")); err != nil {
		return err
	}
	if r.proves == "drum" {
		v.say("proves      it is in the %s seal of record %d, and not void there: it is drawn from", kind, r.seal.index)
	} else {
		v.say("proves      it is in the %s seal of record %d, and void: it is not drawn from", kind, r.seal.index)
	}
	return firstError(sealed.err, seal.err)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkVoids: a void ticket is shown in the list of voids; for another its neighbours are, and the list ascends.
func (r *receipt) checkVoids(voids int64, root tlog.Hash) error {
	for _, each := range r.near {
		if each.index >= voids {
			return fmt.Errorf("void %d of %d", each.index, voids)
		}
		if err := tlog.CheckRecord(each.proof, voids, root, each.index, tlog.RecordHash(serialLeaf(each.serial))); err != nil {
			return fmt.Errorf("the void %d: %v", each.serial, err)
		}
	}
	if voids == 0 && root != emptyRoot {
		return errors.New("no voids, under another root than that of nothing")
	}
	if r.proves == "void" {
		if len(r.near) != 1 || r.near[0].serial != r.serial {
			return errors.New("the ticket is not shown among the voids")
		}
		return nil
	}
	return r.checkNeighbours(voids)
}

func (r *receipt) checkNeighbours(voids int64) error {
	place, near := int64(0), r.near // where the ticket would be among the voids
	if len(near) > 0 && near[0].serial < r.serial {
		place, near = near[0].index+1, near[1:]
	}
	switch {
	case len(near) == 0 && place == voids:
		return nil
	case len(near) == 1 && near[0].serial > r.serial && near[0].index == place:
		return nil
	}
	return fmt.Errorf("the voids that are shown are not the neighbours of %d", r.serial)
}
