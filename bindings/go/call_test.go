// SPDX-License-Identifier: Apache-2.0

package raffle

import (
	"context"
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
