// SPDX-License-Identifier: Apache-2.0

package main

// The form of a record (docs/spec/records.md): which members each type has, and what each member is. A type or a member that is not here is of a newer format.

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// types: the members beside `at`, `by`, `p` and `t`; those with a question mark may be missing.
var types = map[string]string{
	"raffle.open":     "format key rules ticket_key",
	"unit.enrol":      "away? key name note? quota ticket_key unit",
	"unit.enable":     "unit",
	"unit.disable":    "reason unit",
	"unit.quota":      "quota unit",
	"unit.unenrol":    "unit",
	"unit.sync":       "note root size twice unit",
	"unit.start":      "n open unit",
	"sale":            "count n price tier",
	"void":            "count n? price reason serial unit",
	"unit.close":      "gross n numbers tickets void_gross void_numbers voids",
	"seal.unit":       "gross note numbers reconciled root size tickets tiers? unit void_gross void_numbers void_root voids",
	"seal":            "first gross kind numbers ok? tickets units unreconciled void_gross void_numbers voids",
	"voids.ack":       "seal voids",
	"draw.intent":     "attempt commitment? evidence? numbers ok? prize provider? reason? result? seal",
	"draw.call":       "intent number outcome serial? unit",
	"draw.manual":     "alternates attempt count intent note numbers ok? prize winners",
	"draw.picks":      "first intent places",
	"draw.result":     "alternates ask? attempt beacon? evidence? fallback? intent note numbers places? prize provider rejected round? seed skipped_barred skipped_not_entered skipped_void skips winners",
	"draw.abort":      "attempt intent ok prize reason",
	"winner.verify":   "outcome place prize promoted? result",
	"winner.pick":     "envelope ok outcome place prize promoted? result",
	"winner.official": "place prize result",
	"cash":            "counted kind unit",
	"claim":           "ok papers? place prize result",
	"claim.wait":      "place prize result",
	"print":           "count first size unit",
	"reprint":         "count? first? ok reason serial? unit",
	"forfeit":         "ok? place prize promoted? reason result",
	"event":           "ask? code component? count? first? key? n? ok? serial? size? unit?",
}

var (
	hex32 = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hex48 = regexp.MustCompile(`^[0-9a-f]{96}$`)
	word  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
	role  = regexp.MustCompile(`^(seller|supervisor|manager|administrator|auditor|system)$`)
)

// forms of members that are texts; all others but `reconciled`, `papers`, `rules`, `places`, `tiers` and those in `free` are ints.
var forms = map[string]*regexp.Regexp{
	"beacon": hex48, "by": role, "code": word, "commitment": hex32, "component": word, "fallback": hex48, "kind": word, "ok": role,
	"open": hex32, "outcome": regexp.MustCompile(`^(verified|void|found|missed|unsold|not-entered|again|barred|taken)$`), "p": hex32, "prize": word, "reason": word, "root": hex32, "seed": hex48, "skips": hex32,
	"t": word, "ticket_key": hex32, "tier": word, "void_root": hex32,
}

// free are texts of at most so many bytes.
var free = map[string]int{"evidence": 512, "key": 512, "name": 64, "note": maxNote, "provider": 512}

// least and most of ints that are not 0 to 2^53 - 1.
var (
	least = map[string]int64{"ask": 1, "attempt": 1, "envelope": 1, "n": 1, "number": 1, "place": 1, "promoted": 1, "serial": 1, "unit": 1}
	most  = map[string]int64{"away": 100000, "serial": maxRecords - 1, "unit": maxUnit}
)

// maxTicket is the most draw numbers of one.
const maxTicket = 1000000

// parseRecord reads a leaf, which must be a record of format 1.
func parseRecord(leaf []byte) (*object, error) {
	o, err := parseObject(leaf)
	if err != nil {
		return nil, err
	}
	names, known := types[o.text("t")]
	if !known {
		return nil, fmt.Errorf("a record of the type %.40q", o.text("t"))
	}
	count := 0
	for _, name := range strings.Fields("at by p t " + names) {
		required := !strings.HasSuffix(name, "?")
		name = strings.TrimSuffix(name, "?")
		if o.has(name) {
			o.check(name)
			count++
		} else if required {
			return nil, fmt.Errorf("no `%s`", name)
		}
	}
	if n := o.members["count"]; o.text("t") == "sale" && n != nil && (o.int("count") < 1 || o.int("count") > maxTicket) {
		return nil, fmt.Errorf("a ticket of %v draw numbers", n)
	}
	if count != len(o.members) {
		return nil, errors.New("a member that the type has not")
	}
	return o, o.err
}

func (o *object) check(name string) {
	form, isForm := forms[name]
	limit, isFree := free[name]
	switch {
	case name == "at":
		o.checkTime(o.text(name))
	case name == "reconciled" || name == "papers":
		o.flag(name)
	case name == "rules":
		o.object(name)
	case name == "places", name == "tiers":
		if _, ok := o.members[name].([]any); !ok {
			o.fail(name, "array")
		}
	case isForm:
		if !form.MatchString(o.text(name)) {
			o.fail(name, "text of its form")
		}
	case isFree:
		if s := o.text(name); s == "" || len(s) > limit || !utf8.ValidString(s) {
			o.fail(name, "text of its length")
		}
	default:
		o.checkInt(name, o.int(name))
	}
}

func (o *object) checkTime(text string) {
	const layout = "2006-01-02T15:04:05.000Z"
	at, err := time.Parse(layout, text)
	if err != nil || at.Format(layout) != text || at.Year() < 1970 {
		o.fail("at", "time")
	}
}

func (o *object) checkInt(name string, n int64) {
	limit, limited := most[name]
	if n < least[name] || limited && n > limit {
		o.fail(name, "int of its range")
	}
}
