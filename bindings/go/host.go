// SPDX-License-Identifier: Apache-2.0

package raffle

// What a host may give a raffle: its clock, its secrets, its log.

/*
#include <raffle/raffle.h>
#include <raffle/ext/host.h>

extern raffle_rc raffleGoClock(void *, int64_t *, raffle_error *);
extern raffle_rc raffleGoSecret(void *, char *, uint8_t *, size_t, size_t *, raffle_error *);
extern void raffleGoLog(void *, int32_t, char *);
extern void raffleGoRelease(void *);
*/
import "C"

import (
	"time"
	"unsafe"
)

// LogLevel says how urgent a line of the operator's log is.
type LogLevel int32

// The levels.
const (
	LogError   LogLevel = C.RAFFLE_LOG_ERROR
	LogWarning LogLevel = C.RAFFLE_LOG_WARNING
	LogInfo    LogLevel = C.RAFFLE_LOG_INFO
)

// What Host.Flags say.
const (
	HostReplayedClock uint32 = C.RAFFLE_HOST_REPLAYED_CLOCK // the clock replays recorded times; for rehearsals
	HostNoThreads     uint32 = C.RAFFLE_HOST_NO_THREADS     // no helper thread
	HostVerifyFull    uint32 = C.RAFFLE_HOST_VERIFY_FULL    // opening checks every record, not the newest checkpoint alone
)

// Host is what a raffle is opened with. A nil *Host, and a nil function, is the default. The functions may be called from any goroutine, several at once, and call nothing of this package.
//
// C: raffle_host_init
type Host struct {
	Flags   uint32                            // Host…
	Timeout time.Duration                     // how long a call without a timeout of its own may wait; 0: 10 s; negative: for ever
	Clock   func() (time.Time, error)         // the time; be quick: others wait for the log meanwhile
	Secret  func(what string) ([]byte, error) // "ticket-key", "pin:<uri>", "password:<uri>", "aws-credentials" …; ErrNotFound: there is none. What is given is copied, and then wiped
	Log     func(level LogLevel, line string) // what asks for a person
	Release func()                            // the last handle of the call that took this host is gone
}

// lending is a host on its way into C.
type lending struct {
	c   *C.raffle_host
	ctx unsafe.Pointer
}

// lend makes the table of a host; taken must follow.
func lend(a *args, host *Host) *lending {
	l := &lending{}
	if host == nil {
		return l
	}
	l.c = &C.raffle_host{}
	C.raffle_host_init(l.c, C.sizeof_raffle_host)
	l.c.flags = C.uint32_t(host.Flags)
	l.c.timeout_ms = waiting(host.Timeout)
	if a.err != nil {
		return l
	}
	kept := *host
	l.ctx = newCtx(&kept)
	l.c.ctx, l.c.release = l.ctx, (*[0]byte)(C.raffleGoRelease)
	if host.Clock != nil {
		l.c.clock = (*[0]byte)(C.raffleGoClock)
	}
	if host.Secret != nil {
		l.c.secret = (*[0]byte)(C.raffleGoSecret)
	}
	if host.Log != nil {
		l.c.log = (*[0]byte)(C.raffleGoLog)
	}
	return l
}

// waiting is Host.Timeout as C has it: no duration but 0 becomes the default.
func waiting(d time.Duration) C.int32_t {
	if d < 0 {
		return -1
	}
	return milliseconds(d)
}

func (l *lending) table() *C.raffle_host { return l.c }

// taken says whether the call succeeded: then C releases the host, when the last handle is gone.
func (l *lending) taken(yes bool) {
	if !yes && l.ctx != nil {
		freeCtx(l.ctx)
	}
}
