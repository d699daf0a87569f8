// SPDX-License-Identifier: Apache-2.0

package raffle

// Significant events (GLI-31 5.6): codes, writing, finding.

/*
#include <raffle/raffle.h>

extern raffle_rc raffleGoEvent(void *, raffle_event_hit *, raffle_error *);
*/
import "C"

import (
	"iter"
	"time"
)

// How bad an event is: EventCode.Severity.
const (
	EventInfo    int32 = C.RAFFLE_EVENT_INFO
	EventWarning int32 = C.RAFFLE_EVENT_WARNING // somebody should look
	EventAlarm   int32 = C.RAFFLE_EVENT_ALARM   // somebody must
)

// Who writes it: EventCode.Writers.
const (
	EventByHost    uint32 = C.RAFFLE_EVENT_BY_HOST
	EventByLibrary uint32 = C.RAFFLE_EVENT_BY_LIBRARY
)

// EventCode is a code of the table in docs/guide/events.md.
//
// C: raffle_event_code_init
type EventCode struct {
	Severity  int32  // Event…
	Writers   uint32 // EventBy…
	Code      string // "printer.paper-out"
	Component string // the kind of component that it is about: "printer"
	Clause    string // of GLI-31: "5.6.1(c)"; or "-"
	Meaning   string // half a sentence
}

// EventCodeGet is code i of the table, from 0 on. [ErrNotFound] beyond the last.
//
// C: raffle_event_code_get
func EventCodeGet(i uint32) (EventCode, error) {
	var a args
	var code EventCode
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		var c C.raffle_event_code
		C.raffle_event_code_init(&c, C.sizeof_raffle_event_code)
		rc := C.raffle_event_code_get(C.uint32_t(i), &c, e)
		if rc == C.RAFFLE_OK {
			code = EventCode{int32(c.severity), uint32(c.writers), C.GoString(c.code), C.GoString(c.component), C.GoString(c.clause), C.GoString(c.meaning)}
		}
		return rc
	})
	return code, err
}

// EventCodes walks over the table.
func EventCodes() iter.Seq2[EventCode, error] { return walk(EventCodeGet) }

// EventSeverityName is "info", "warning", "alarm"; "" for another number.
//
// C: raffle_event_severity_name
func EventSeverityName(severity int32) string {
	return C.GoString(C.raffle_event_severity_name(C.int32_t(severity)))
}

// Event writes an event to the log of a unit, or with 0 to the control log. code is a word of the table, or one that begins with "x."; component and text are optional, text is
// private.
//
// C: raffle_event
func (r *Raffle) Event(by Actor, unit uint32, code, component, text string) error {
	var a args
	cBy, cCode, cComponent, cText := a.actor("by", by), a.text("code", code), a.optional("component", component), a.optional("text", text)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_event(p, cBy, C.uint32_t(unit), cCode, cComponent, cText, e)
	})
}

// EventDetails are all that can be said of an event; "" is none. Those from Text on are private.
//
// C: raffle_event_details_init
type EventDetails struct {
	Unit      uint32 // into its log; 0: into the control log
	Code      string
	Component string
	Ok        *Actor // a second approver; data.altered needs one
	Text      string // data.altered: why; remote.begin: what for; remote.end: what was done
	Element   string // data.altered (GLI-31 5.2.4): what was altered outside of the log
	OldValue  string
	NewValue  string
	Login     string // remote.begin (GLI-31 6.3.2): under which login, …
	From      string // … and from where
	Begin     uint64 // remote.end: the index of the remote.begin that it ends
}

// EventWrite writes an event, and gives its index in its log. What the code does not know is refused.
//
// C: raffle_event_write
func (r *Raffle) EventWrite(by Actor, details EventDetails) (index uint64, err error) {
	var a args
	var out C.uint64_t
	c := &C.raffle_event_details{}
	C.raffle_event_details_init(c, C.sizeof_raffle_event_details)
	c.unit, c.begin = C.uint32_t(details.Unit), C.uint64_t(details.Begin)
	c.code, c.component, c.text = a.pinned("code", details.Code), a.pinned("component", details.Component), a.pinned("text", details.Text)
	c.element, c.old_value, c.new_value = a.pinned("element", details.Element), a.pinned("old value", details.OldValue), a.pinned("new value", details.NewValue)
	c.login, c.from, c.ok = a.pinned("login", details.Login), a.pinned("from", details.From), a.pinnedActor(details.Ok)
	cBy := a.actor("by", by)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_event_write(p, cBy, c, &out, e) })
	return uint64(out), err
}

// EventQuery says which events; whatever is zero does not choose.
//
// C: raffle_event_query_init
type EventQuery struct {
	From, To  time.Time // from this time on, and before that one
	Code      string
	Component string
	Log       *uint32   // of this log alone: a unit's number, or 0 for the control log
	Newest    bool      // the newest first, and not the oldest
	Limit     uint32    // at most so many; 0: 1,000
	After     *EventHit // goes on behind this one, in the order asked for
}

// EventHit is an event.
//
// C: raffle_event_hit_init
type EventHit struct {
	Log        uint32 // the log that it stands in
	Index      uint64
	At         time.Time
	By         Role
	Ok         Role // the second approver's, or 0
	Code       string
	Component  string
	Count      int64  // -1: it counts nothing
	Unit       uint32 // what it is about: a unit, or 0, …
	Serial     uint64 // … and a ticket of it, or 0
	Severity   int32  // of its code; 0: it is not in the table
	HasPrivate bool   // the private part is there, which holds what follows
	Actor      string
	Approver   string
	Text       string
	Element    string
	OldValue   string
	NewValue   string
	Login      string
	From       string
	Begin      uint64 // remote.end: the index of its remote.begin
}

func newEventHit(c *C.raffle_event_hit) EventHit {
	return EventHit{
		Log: uint32(c.log), Index: uint64(c.index), At: at(c.at), By: Role(c.by), Ok: Role(c.ok), Code: text(c.code[:]), Component: text(c.component[:]),
		Count: int64(c.count), Unit: uint32(c.unit), Serial: uint64(c.serial), Severity: int32(c.severity), HasPrivate: c.has_private != 0,
		Actor: text(c.actor[:]), Approver: text(c.approver[:]), Text: text(c.text[:]), Element: text(c.element[:]), OldValue: text(c.old_value[:]),
		NewValue: text(c.new_value[:]), Login: text(c.login[:]), From: text(c.from[:]), Begin: uint64(c.begin),
	}
}

const eventPage = 1000

// gathering takes events for one call.
type gathering struct{ hits []EventHit }

// EventFind finds events by time, log, component and code, in the order of their times; more: the limit ended it, and there are more.
//
// C: raffle_event_find
func (r *Raffle) EventFind(query EventQuery) (hits []EventHit, more bool, err error) {
	var a args
	var c C.raffle_event_query
	var cMore C.int32_t
	C.raffle_event_query_init(&c, C.sizeof_raffle_event_query)
	c.from, c.to, c.limit = ms(query.From), ms(query.To), C.uint32_t(query.Limit)
	if c.limit == 0 {
		c.limit = eventPage
	}
	a.fixed("code", c.code[:], query.Code)
	a.fixed("component", c.component[:], query.Component)
	if query.Newest {
		c.flags |= C.RAFFLE_EVENT_NEWEST
	}
	if query.Log != nil {
		c.flags |= C.RAFFLE_EVENT_IN_LOG
		c.log = C.uint32_t(*query.Log)
	}
	if query.After != nil {
		c.flags |= C.RAFFLE_EVENT_GO_ON
		c.last_at, c.last_index, c.last_log = ms(query.After.At), C.uint64_t(query.After.Index), C.uint32_t(query.After.Log)
	}
	var found gathering
	ctx := newCtx(&found)
	defer freeCtx(ctx)
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_event_find(p, &c, (*[0]byte)(C.raffleGoEvent), ctx, &cMore, e)
	})
	if err != nil {
		return nil, false, err
	}
	return found.hits, cMore != 0, nil
}

// Events walks over events, [EventQuery].Limit of them at a time, to the last.
func (r *Raffle) Events(query EventQuery) iter.Seq2[EventHit, error] {
	return func(yield func(EventHit, error) bool) {
		query := query // of this walk
		for {
			hits, more, err := r.EventFind(query)
			if err != nil {
				yield(EventHit{}, err)
				return
			}
			for i := range hits {
				if !yield(hits[i], nil) {
					return
				}
			}
			if !more || len(hits) == 0 {
				return
			}
			query.After = &hits[len(hits)-1]
		}
	}
}

// EventReindex writes the rows that the indexes of events lack, and gives how many.
//
// C: raffle_event_reindex
func (r *Raffle) EventReindex() (added uint64, err error) {
	var a args
	var out C.uint64_t
	err = r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_event_reindex(p, &out, e) })
	return uint64(out), err
}
