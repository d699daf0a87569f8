// SPDX-License-Identifier: Apache-2.0

package raffle

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

// Durations and times at their ends: nothing wraps.

func TestWaits(t *testing.T) {
	for d, wanted := range map[time.Duration]int32{
		math.MinInt64: 0, -1: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, math.MaxInt64: math.MaxInt32,
	} {
		if is := int32(milliseconds(d)); is != wanted {
			t.Errorf("%d waits %d ms, and not %d", d, is, wanted)
		}
		if is := int32(waiting(d)); d < 0 && is != -1 || d >= 0 && is != wanted {
			t.Errorf("a host with %d waits %d ms", d, is)
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	defer cancel()
	if is := int32(timeout(ctx)); is != math.MaxInt32 {
		t.Errorf("until the year 9999 it waits %d ms", is)
	}
}

func TestTimes(t *testing.T) {
	for at, wanted := range map[time.Time]int64{
		{}: 0, time.UnixMilli(7): 7, time.UnixMilli(-7): -7, time.Unix(1<<62, 0): math.MaxInt64, time.Unix(-1<<62, 0): math.MinInt64,
		time.UnixMilli(1 << 53): 1 << 53, time.Unix(math.MaxInt64/1000+18446744073709551, 0): math.MaxInt64,
	} {
		if is := int64(ms(at)); is != wanted {
			t.Errorf("%v is %d, and not %d", at, is, wanted)
		}
	}
}

// A failure is the context's when time was up, and not because there is a limit that is far.
func TestWithContext(t *testing.T) {
	far, cancelFar := context.WithTimeout(context.Background(), time.Hour)
	defer cancelFar()
	over, cancelOver := context.WithTimeout(context.Background(), 0)
	defer cancelOver()
	for _, one := range []struct {
		ctx    context.Context
		rc     Status
		wanted bool
	}{
		{far, ErrUnknown, false}, {over, ErrUnknown, true}, {far, ErrTimeout, true}, {over, ErrTimeout, true}, {over, ErrIO, false},
		{context.Background(), ErrTimeout, false},
	} {
		if is := errors.Is(withContext(one.ctx, &Error{RC: one.rc}), context.DeadlineExceeded); is != one.wanted {
			t.Errorf("%s is the deadline's: %v", one.rc.Name(), is)
		}
	}
}

// What was sold together stays in nobody's memory, and each caller gets a failure of its own.
func TestGroupIsForgotten(t *testing.T) {
	var group []*selling
	for _, buyer := range []string{"b-1", "b-2"} {
		s, err := newSelling(context.Background(), Actor{"ann", Seller}, []Sale{{Tier: "one", Buyer: buyer}})
		if err != nil {
			t.Fatal(err)
		}
		group = append(group, s)
	}
	var d desk // of no unit: it refuses
	d.sell(group)
	for i, line := range d.lines[:cap(d.lines)] {
		if line.buyer[0] != 0 {
			t.Errorf("line %d has still its buyer", i)
		}
	}
	if !errors.Is(group[0].err, ErrMisuse) || group[0].err == group[1].err {
		t.Errorf("%v, %v", group[0].err, group[1].err)
	}
}
