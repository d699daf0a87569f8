// SPDX-License-Identifier: Apache-2.0

// A raffle from Go by cgo, from its making to its audit, over the clock, the provider of randomness and the store of callbacks.go.
//
//	CGO_CFLAGS="-I../../../include -IBUILD/include" CGO_LDFLAGS=-LBUILD/src LD_LIBRARY_PATH=BUILD/src go run .
//
// or, installed, with `pkg-config --cflags libraffle` and `pkg-config --libs-only-L libraffle` in these variables.
package main

/*
#cgo LDFLAGS: -lraffle
#include <raffle/ext/key.h>
#include <raffle/ext/rng.h>
#include <raffle/ext/store.h>
#include <raffle/raffle.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"unsafe"
)

const noon = 1790000000000
const rules = `{"origin": "raffle.example/smoke-go", "name": "Smoke", "organisation": "Smoke Society", "currency": "CAD", "rehearsal": true,
 "sales": {"opens": "2026-09-01T00:00:00.000Z", "closes": "2026-12-31T00:00:00.000Z"},
 "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "twenty", "count": 20, "price": 1000}],
 "prizes": [{"name": "first", "title": "Half of the pot", "share": 5000, "alternates": 1}], "rng": ["host:smoke"]}`

func try(call func(*C.raffle_error) C.raffle_rc) error {
	var err C.raffle_error
	C.raffle_error_init(&err, C.sizeof_raffle_error)
	if rc := call(&err); rc != C.RAFFLE_OK {
		check(rc == err.rc, "%v is returned, %v stands in the error", status(rc), status(err.rc))
		return failure{rc, uint64(err.token), C.GoString(&err.message[0])}
	}
	return nil
}

func must(call func(*C.raffle_error) C.raffle_rc) {
	if err := try(call); err != nil {
		panic(err)
	}
}

func refused(rc C.raffle_rc, token uint64, call func(*C.raffle_error) C.raffle_rc) string {
	var f failure
	err := try(call)
	check(errors.As(err, &f) && f.rc == rc && f.token == token, "%v, token %d", err, f.token)
	return f.message
}

func check(good bool, format string, args ...any) {
	if !good {
		panic(fmt.Errorf(format, args...))
	}
}

// text is a C string for as long as the program runs.
func text(s string) *C.char { return C.CString(s) }

func put(to []C.char, s string) {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), len(to)-1), s)
}

func actor(name string, role C.raffle_role) *C.raffle_actor {
	a := new(C.raffle_actor)
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_actor_init(a, C.sizeof_raffle_actor, text(name), role, err)
	})
	return a
}

var ann, sue, boss = actor("ann", C.RAFFLE_SELLER), actor("sue", C.RAFFLE_SUPERVISOR), actor("boss", C.RAFFLE_MANAGER)

// selling is one call: a ticket of the tier for each order key.
func selling(till *C.raffle_unit, tier string, orders ...string) ([]C.raffle_ticket, func(*C.raffle_error) C.raffle_rc) {
	sales, tickets := make([]C.raffle_sale, len(orders)), make([]C.raffle_ticket, len(orders))
	for i, order := range orders {
		C.raffle_sale_init(&sales[i], C.sizeof_raffle_sale)
		put(sales[i].order[:], order)
		put(sales[i].tier[:], tier)
	}
	C.raffle_ticket_init(&tickets[0], C.sizeof_raffle_ticket)
	return tickets, func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_sell(till, ann, &sales[0], C.size_t(len(sales)), 10000, &tickets[0], err)
	}
}

func sell(till *C.raffle_unit, tier string, orders ...string) []C.raffle_ticket {
	tickets, call := selling(till, tier, orders...)
	must(call)
	return tickets
}

func validation(till *C.raffle_unit, serial C.uint64_t) *C.char {
	out := new([C.RAFFLE_VALIDATION_SIZE]C.char)
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_unit_validation(till, serial, &out[0], err) })
	return &out[0]
}

func crowd(till *C.raffle_unit) {
	var done sync.WaitGroup
	for n := 0; n < 4; n++ {
		done.Add(1)
		go func(n int) {
			defer done.Done()
			for i := 0; i < 5; i++ {
				sell(till, "one", fmt.Sprintf("till-%d-%d", n, i))
			}
		}(n)
	}
	done.Wait()
}

func sales(r *C.raffle, till *C.raffle_unit, h *host, s *store) C.uint64_t {
	first, again := sell(till, "one", "web-1")[0], sell(till, "one", "web-1")[0]
	check(again.serial == first.serial && again.flags == C.RAFFLE_TICKET_REPLAYED && first.flags == 0, "the retry sold again")
	pair := sell(till, "twenty", "web-2", "web-2")
	check(pair[1].serial == pair[0].serial+1 && pair[1].first == pair[0].first+20 && pair[0].at > noon, "the order is no order")
	sell(till, "one", strings.Split(strings.Repeat(",", 299), ",")...) // enough for a kept node
	crowd(till)

	before := s.copyRows()
	tickets, call := selling(till, "one", "web-3")
	h.stopped = true
	refused(C.RAFFLE_HOST, 11, call)
	h.stopped, s.broken = false, true
	refused(C.RAFFLE_HOST, 0, call)
	check(reflect.DeepEqual(before, s.rows), "a failed sale left something")
	s.broken = false
	must(call)
	check(tickets[0].flags == 0, "the failed sale had been written")

	var found C.raffle_ticket
	C.raffle_ticket_init(&found, C.sizeof_raffle_ticket)
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_ticket_by_validation(r, validation(till, pair[0].serial), &found, err)
	})
	check(found.serial == pair[0].serial && C.GoString(&found.order[0]) == "web-2", "another ticket has this validation number")
	void := func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_void(r, sue, 1, pair[1].serial, text("refund"), err)
	}
	must(void)
	refused(C.RAFFLE_VOIDED, 0, void)
	return 1 + 2 + 300 + 20 + 1
}

func draw(r *C.raffle, till *C.raffle_unit, h *host) (seal C.raffle_seal_info) {
	var begun *C.raffle_draw
	var pick C.raffle_pick
	C.raffle_seal_info_init(&seal, C.sizeof_raffle_seal_info)
	C.raffle_pick_init(&pick, C.sizeof_raffle_pick)
	first, rng := text("first"), newRandom(h)
	pickAt := func(err *C.raffle_error) C.raffle_rc { return C.raffle_pick_at(r, first, 1, &pick, err) }
	finish := func(err *C.raffle_error) C.raffle_rc { return C.raffle_draw_finish(begun, rng, nil, 5000, err) }
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_seal(r, boss, nil, C.RAFFLE_SEAL_FINAL, &seal, err)
	})
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_voids_ack(r, boss, seal.index, err) })
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_draw_begin(r, boss, first, nil, &begun, err) })
	check(strings.Contains(refused(C.RAFFLE_HOST, 4711, finish), "dice"), "the provider's sentence is lost")
	must(finish)
	must(pickAt)
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_winner_verify(r, boss, first, 1, validation(till, pick.serial), nil, nil, err)
	})
	must(pickAt)
	check(pick.state == C.RAFFLE_PLACE_VERIFIED, "the winner is not verified")
	C.raffle_rng_free(rng)
	C.raffle_draw_free(begun)
	return seal
}

func audit(s *C.raffle_store) (verdict C.raffle_verdict) {
	var report *C.raffle_audit
	C.raffle_verdict_init(&verdict, C.sizeof_raffle_verdict)
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_audit_run_with(s, nil, &report, err) })
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_audit_verdict(report, &verdict, err) })
	C.raffle_audit_free(report)
	return verdict
}

// falsify changes one price.
func falsify(s *store) {
	for k, r := range s.rows {
		if k.kind == "record" && k.log == 1 && strings.Contains(r.bytes, `"price":500`) {
			r.bytes = strings.Replace(r.bytes, `"price":500`, `"price":400`, 1)
			s.rows[k] = r
			return
		}
	}
	panic("nothing was sold for 500")
}

func night(folder string) {
	var keys *C.raffle_keys
	var r *C.raffle
	var till *C.raffle_unit
	h, s := &host{ms: noon}, &store{rows: map[rowKey]row{}}
	kept := newStore(s)
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_keys_open(text("file:"+folder+"/keys"), nil, &keys, err)
	})
	must(func(err *C.raffle_error) C.raffle_rc {
		return C.raffle_create_with(kept, keys, hostTable(h), text(rules), C.size_t(len(rules)), boss, &r, err)
	})
	C.raffle_keys_free(keys)
	must(func(err *C.raffle_error) C.raffle_rc { return C.raffle_unit_open(r, 1, &till, err) })
	sold := sales(r, till, h, s)
	seal := draw(r, till, h)
	C.raffle_free(r)
	C.raffle_unit_free(till)
	check(seal.tickets == sold && seal.voids == 1 && h.freed == 2 && s.freed == 0, "freed: host %d, store %d", h.freed, s.freed)

	verdict := audit(kept)
	check(verdict.passed == 1 && verdict.tickets == sold && verdict.voids == 1 && verdict.draws == 1, "the audit says %+v", verdict)
	falsify(s)
	verdict = audit(kept)
	check(verdict.passed == 0 && verdict.integrity > 0, "a falsified price passed")
	C.raffle_store_free(kept)
	check(s.freed == 1, "the store was freed %d times", s.freed)
}

func main() {
	folder, err := os.MkdirTemp("", "smoke")
	check(err == nil, "%v", err)
	defer os.RemoveAll(folder)
	night(folder)
	fmt.Println("ok")
}
