// SPDX-License-Identifier: Apache-2.0

package raffle

// The beacon of committed draws: drand's quicknet.

/*
#include <raffle/raffle.h>
*/
import "C"

import "time"

// BeaconSize is the bytes of a round's value: a compressed BLS12-381 signature in G1.
const BeaconSize = C.RAFFLE_BEACON_SIZE

// BeaconVerify verifies a round's value: the BLS signature under quicknet's public key. nil: it is good; [ErrSignature]: it is not; anything else: it could not be found
// out.
type BeaconVerify func(round uint64, value [BeaconSize]byte) error

// BeaconRound is the first round whose time is at or after t.
//
// C: raffle_beacon_round
func BeaconRound(t time.Time) uint64 { return uint64(C.raffle_beacon_round(milli(t))) }

// BeaconTime is a round's time; the zero time for round 0 or one beyond the year 9999.
//
// C: raffle_beacon_time
func BeaconTime(round uint64) time.Time {
	ms := C.raffle_beacon_time(C.uint64_t(round))
	if ms < 0 {
		return time.Time{}
	}
	return at(ms)
}

// BeaconParse reads what drand's servers publish of a round, JSON. Nothing is verified beyond its form: see [BeaconVerify].
//
// C: raffle_beacon_parse
func BeaconParse(json []byte) (round uint64, value [BeaconSize]byte, err error) {
	var a args
	var cRound C.uint64_t
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_beacon_parse(chars(json), C.size_t(len(json)), &cRound, octets(value[:]), e)
	})
	if err != nil {
		return 0, [BeaconSize]byte{}, err
	}
	return uint64(cRound), value, nil
}
