// SPDX-License-Identifier: Apache-2.0

package raffle

// Time stamps (RFC 3161): queries and responses; the transport is the host's.

/*
#include <raffle/raffle.h>

// Bytes as bytes, see log.go.
static raffle_rc timestamp_query(const uint8_t *data, size_t length, uint8_t *out, size_t cap, size_t *used, raffle_error *err)
{
    return raffle_timestamp_query(data, length, out, cap, used, err);
}

static raffle_rc timestamp_verify(const uint8_t *data, size_t length, const uint8_t *response, size_t response_length, const char *authorities,
                                  raffle_timestamp *out, raffle_error *err)
{
    return raffle_timestamp_verify(data, length, response, response_length, authorities, out, err);
}
*/
import "C"

import (
	"time"
	"unsafe"
)

// Timestamp is what a good time stamp says.
//
// C: raffle_timestamp_init
type Timestamp struct {
	Trusted   bool      // the signer's certificate leads to one of the caller's authorities
	At        time.Time // the authority's
	Authority string    // the common name of the signer's certificate
}

func newTimestamp(c *C.raffle_timestamp) Timestamp {
	return Timestamp{c.trusted != 0, at(c.at), text(c.authority[:])}
}

func timestampQuery(f func(out *C.uint8_t, cap C.size_t, length *C.size_t) error) ([]byte, error) {
	return sized(C.RAFFLE_TIMESTAMP_QUERY_MAX, func(out *C.char, cap C.size_t, length *C.size_t) error {
		return f((*C.uint8_t)(unsafe.Pointer(out)), cap, length)
	})
}

// TimestampQuery is the query (TimeStampReq, DER) for data, to be sent as application/timestamp-query.
//
// C: raffle_timestamp_query
func TimestampQuery(data []byte) ([]byte, error) {
	return timestampQuery(func(out *C.uint8_t, cap C.size_t, length *C.size_t) error {
		var a args
		return a.try(func(e *C.raffle_error) C.raffle_rc {
			return C.timestamp_query(octets(data), C.size_t(len(data)), out, cap, length, e)
		})
	})
}

// TimestampVerify verifies a response (TimeStampResp, DER) over exactly these data, offline. authorities: the certificates that are trusted, PEM; "": anybody may have
// stamped, and Trusted is false.
//
// C: raffle_timestamp_verify
func TimestampVerify(data, response []byte, authorities string) (Timestamp, error) {
	var a args
	var c C.raffle_timestamp
	C.raffle_timestamp_init(&c, C.sizeof_raffle_timestamp)
	cAuthorities := a.optional("authorities", authorities)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.timestamp_verify(octets(data), C.size_t(len(data)), octets(response), C.size_t(len(response)), cAuthorities, &c, e)
	})
	if err != nil {
		return Timestamp{}, err
	}
	return newTimestamp(&c), nil
}

// TimestampBegin keeps a copy of the control log's checkpoint as it is published in folder, and gives the query for it, and its size.
//
// C: raffle_timestamp_begin
func TimestampBegin(folder string) (query []byte, size uint64, err error) {
	var c C.uint64_t
	query, err = timestampQuery(func(out *C.uint8_t, cap C.size_t, length *C.size_t) error {
		var a args
		cFolder := a.text("folder", folder)
		return a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_timestamp_begin(cFolder, &c, out, cap, length, e) })
	})
	return query, uint64(c), err
}

// TimestampFinish verifies the response to that query, as [TimestampVerify] does, and publishes it.
//
// C: raffle_timestamp_finish
func TimestampFinish(folder string, size uint64, response []byte, authorities string) (Timestamp, error) {
	var a args
	var c C.raffle_timestamp
	C.raffle_timestamp_init(&c, C.sizeof_raffle_timestamp)
	cFolder, cAuthorities := a.text("folder", folder), a.optional("authorities", authorities)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_timestamp_finish(cFolder, C.uint64_t(size), octets(response), C.size_t(len(response)), cAuthorities, &c, e)
	})
	if err != nil {
		return Timestamp{}, err
	}
	return newTimestamp(&c), nil
}
