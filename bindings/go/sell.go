// SPDX-License-Identifier: Apache-2.0

package raffle

// Selling. Calls of many goroutines into one unit are gathered here, so that one of them is inside C and sells for all: a group commit needs no thread a caller.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Sell sells tickets, 1 to [SellMax], durably.
//
// Each line has its own outcome in Ticket.RC; the error is nil when every line was sold or replayed, else the first line's failure, with Detail its
// place, counted from 1, and the other lines stand: the tickets are given then, too. An order key that was sold before gives the first tickets.
//
// Calls of one actor that wait for the unit at the same time are merged into one commit. A context that ends before that gives [ErrTimeout], and nothing is written; one
// that ends later [ErrUnknown]: ask again, with the same order key. Both are the context's error, too. A call whose context can never end waits as long as it takes.
//
// C: raffle_unit_sell
func (u *Unit) Sell(ctx context.Context, by Actor, sales ...Sale) ([]Ticket, error) {
	if u == nil {
		return nil, freed("Unit")
	}
	if err := ended(ctx); err != nil {
		return nil, err
	}
	s, err := newSelling(ctx, by, sales)
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(u)
	if !u.desk.come(s) {
		return s.tickets, withContext(ctx, s.err)
	}
	select {
	case <-s.done:
		return s.tickets, withContext(ctx, s.err)
	case <-ctx.Done():
		return u.desk.leave(s)
	}
}

// selling is one call of Sell.
type selling struct {
	ctx     context.Context
	by      Actor
	sales   []Sale
	lines   []C.raffle_sale // the same for C
	tickets []Ticket        // the answer, and …
	err     error           // … its failure
	unsaid  bool            // whose sentence is not known
	done    chan struct{}   // closed when both are there
}

func newSelling(ctx context.Context, by Actor, sales []Sale) (*selling, error) {
	if len(sales) < 1 || len(sales) > SellMax {
		return nil, invalid("a call sells 1 to %d tickets, not %d", SellMax, len(sales))
	}
	s := &selling{ctx: ctx, by: by, lines: linesOf(len(sales)), done: make(chan struct{})}
	s.sales = append(s.sales, sales...)
	for i := range sales {
		if err := setLine(&s.lines[i], &sales[i]); err != nil {
			return nil, err.at(i)
		}
	}
	return s, nil
}

// linePool keeps arrays of lines: 300 bytes a line are much to make anew for each call.
var linePool sync.Pool

func linesOf(n int) []C.raffle_sale {
	if kept, ok := linePool.Get().(*[]C.raffle_sale); ok && cap(*kept) >= n {
		return (*kept)[:n]
	}
	return make([]C.raffle_sale, n)
}

func keepLines(lines []C.raffle_sale) {
	clear(lines) // a buyer's tag stays no longer than its call
	linePool.Put(&lines)
}

func setLine(c *C.raffle_sale, sale *Sale) *Error {
	var a fields
	*c = C.raffle_sale{struct_size: C.sizeof_raffle_sale, at: ms(sale.At)}
	a.fixed("order", c.order[:], sale.Order)
	a.fixed("tier", c.tier[:], sale.Tier)
	a.fixed("payment", c.payment[:], sale.Payment)
	a.fixed("buyer", c.buyer[:], sale.Buyer)
	a.fixed("channel", c.channel[:], sale.Channel)
	return a.err
}

// desk is where a unit's callers queue. One group is inside C at a time; who comes meanwhile is the next one.
type desk struct {
	handle *handle
	mu     sync.Mutex
	busy   bool       // a group is inside
	queue  []*selling // who waits

	// Of the group that is inside.
	lines   []C.raffle_sale
	tickets []C.raffle_ticket
}

// come sells at once when nobody is inside and the caller will wait whatever happens; else it queues, and says so.
func (d *desk) come(s *selling) (queued bool) {
	d.mu.Lock()
	if d.busy || s.ctx.Done() != nil {
		d.queue = append(d.queue, s)
		if !d.busy {
			d.busy = true
			go d.serve()
		}
		d.mu.Unlock()
		return true
	}
	d.busy = true
	d.mu.Unlock()
	d.sell([]*selling{s})
	d.mu.Lock()
	d.busy = len(d.queue) > 0
	if d.busy {
		go d.serve()
	}
	d.mu.Unlock()
	return false
}

// leave is for a caller whose context ended. Before its sale joined a group it is as if it had never come.
func (d *desk) leave(s *selling) ([]Ticket, error) {
	d.mu.Lock()
	for i, waiting := range d.queue {
		if waiting == s {
			d.queue = append(d.queue[:i:i], d.queue[i+1:]...)
			d.mu.Unlock()
			keepLines(s.lines)
			return nil, &Error{RC: ErrTimeout, Message: "the context ended before the sale began: nothing was written", cause: over(s.ctx)}
		}
	}
	d.mu.Unlock()
	select {
	case <-s.done:
		return s.tickets, withContext(s.ctx, s.err)
	default:
		return nil, &Error{RC: ErrUnknown, Message: "the context ended while the sale was being written: ask again with the same order key",
			cause: over(s.ctx)}
	}
}

// serve sells group after group, until nobody waits.
func (d *desk) serve() {
	for {
		d.mu.Lock()
		group := d.next()
		d.busy = len(group) > 0
		d.mu.Unlock()
		if len(group) == 0 {
			return
		}
		d.sell(group)
	}
}

// next takes the first of the queue and all who can go with it: the same actor, no order key twice (two calls must not become one order), and not too many lines.
func (d *desk) next() []*selling {
	var group, rest []*selling
	lines, keys := 0, map[string]bool{}
	for _, s := range d.queue {
		if len(group) > 0 && (s.by != group[0].by || lines+len(s.sales) > SellMax || s.sharesKey(keys)) {
			rest = append(rest, s)
			continue
		}
		group = append(group, s)
		lines += len(s.sales)
		for i := range s.sales {
			keys[s.sales[i].Order] = true
		}
	}
	d.queue = rest
	return group
}

func (s *selling) sharesKey(keys map[string]bool) bool {
	for i := range s.sales {
		if s.sales[i].Order != "" && keys[s.sales[i].Order] {
			return true
		}
	}
	return false
}

// untouched stands in the tickets before a call: a call that was refused as a whole leaves it.
const untouched = -1

// sell makes the call for a group, and answers each of it.
func (d *desk) sell(group []*selling) {
	wait := C.int32_t(0)
	for _, s := range group {
		wait = longer(wait, timeout(s.ctx))
	}
	err := d.call(group[0].by, d.gather(group), wait)
	clear(d.lines)
	d.lines = d.lines[:0]
	from := 0
	for _, s := range group {
		s.take(d.tickets[from:from+len(s.sales)], from, err)
		from += len(s.sales)
	}
	for _, s := range group {
		if s.unsaid {
			d.askAgain(s)
		}
		keepLines(s.lines)
		close(s.done)
	}
}

// gather puts the lines of a group side by side.
func (d *desk) gather(group []*selling) []C.raffle_sale {
	if len(group) == 1 {
		return group[0].lines
	}
	for _, s := range group {
		d.lines = append(d.lines, s.lines...)
	}
	return d.lines
}

func longer(a, b C.int32_t) C.int32_t {
	if a < 0 || b < 0 {
		return -1
	}
	return max(a, b)
}

// call is raffle_unit_sell; the tickets are in d.tickets.
func (d *desk) call(by Actor, lines []C.raffle_sale, wait C.int32_t) *Error {
	var a args
	actor := a.actor("by", by)
	if len(d.tickets) < len(lines) {
		d.tickets = make([]C.raffle_ticket, len(lines))
	}
	C.raffle_ticket_init(&d.tickets[0], C.sizeof_raffle_ticket)
	for i := range lines {
		d.tickets[i].rc = untouched
	}
	err := a.on(d.handle, func(p unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_sell((*C.raffle_unit)(p), actor, &lines[0], C.size_t(len(lines)), wait, &d.tickets[0], e)
	})
	failed, _ := err.(*Error)
	return failed
}

// take is the answer to the call's lines, which began at `from` in the group's.
func (s *selling) take(tickets []C.raffle_ticket, from int, err *Error) {
	if err != nil && tickets[0].rc == untouched {
		own := *err // the call was refused as a whole
		s.err = &own
		return
	}
	s.tickets = make([]Ticket, len(tickets))
	for i := range tickets {
		s.tickets[i] = ticketLike(&s.sales[i], &tickets[i])
	}
	first := s.failed(0)
	switch {
	case first == len(tickets):
	case int(err.Detail) == from+first+1 || concernsAll(err, s.tickets[first].RC):
		s.err = err.at(first)
	default:
		s.unsaid = true
	}
}

// failed is the first line from i on that failed, or their number.
func (s *selling) failed(i int) int {
	for i < len(s.tickets) && s.tickets[i].RC == 0 {
		i++
	}
	return i
}

// concernsAll says whether a line that failed with rc failed as the whole call did: not by its own fault.
func concernsAll(err *Error, rc Status) bool {
	return rc == err.RC && (rc == ErrClock || rc >= ErrNomem)
}

// at is the same failure, of the line at i: the sentence counts from the caller's first line, and not from the group's.
func (e *Error) at(i int) *Error {
	own := *e
	own.Detail = uint32(i + 1)
	if sentence, counted := strings.CutPrefix(e.Message, fmt.Sprintf("line %d: ", e.Detail)); counted {
		own.Message = fmt.Sprintf("line %d: %s", own.Detail, sentence)
	}
	return &own
}

// askAgain is for a call whose failure has no sentence, for C gives that of the group's first failure alone. Its orders that failed are sold again, each by itself. Nothing
// was written of them; one that is sold now is sold.
func (d *desk) askAgain(s *selling) {
	for i := s.failed(0); i < len(s.tickets); i = s.failed(i) {
		end := i + 1
		for end < len(s.sales) && s.sales[i].Order != "" && s.sales[end].Order == s.sales[i].Order {
			end++
		}
		err := d.call(s.by, s.lines[i:end], timeout(s.ctx))
		if err != nil {
			s.err = err.at(i)
			return
		}
		for k := i; k < end; k++ {
			s.tickets[k] = ticketLike(&s.sales[k], &d.tickets[k-i])
		}
	}
}

// ticketLike shares the strings of the sale.
func ticketLike(sale *Sale, c *C.raffle_ticket) Ticket {
	return Ticket{
		RC: Status(c.rc), Unit: uint32(c.unit), Count: uint32(c.count), Serial: uint64(c.serial), First: uint64(c.first), Price: int64(c.price),
		At: at(c.at), Flags: uint32(c.flags), Tier: textLike(sale.Tier, c.tier[:]), Order: textLike(sale.Order, c.order[:]),
	}
}
