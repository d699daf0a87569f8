// SPDX-License-Identifier: Apache-2.0

package raffle

// Which library this is, and that it does what the published vectors say.

/*
#include <raffle/raffle.h>
*/
import "C"

// Version is the version of the library that is linked, "1.2.3".
//
// C: raffle_version
func Version() string { return C.GoString(C.raffle_version()) }

// Build is how it was built, as one JSON object (GLI-31 3.5.1).
//
// C: raffle_build
func Build() string { return C.GoString(C.raffle_build()) }

// SelfHash is the file that the library was loaded from, or the program when it was linked in, and its SHA-256 (GLI-31 3.6.1).
//
// C: raffle_self_hash
func SelfHash() (path string, hash Hash, err error) {
	var a args
	var out [4096]C.char
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_self_hash(&out[0], C.size_t(len(out)), octets(hash[:]), e)
	})
	if err != nil {
		return "", Hash{}, err
	}
	return text(out[:]), hash, nil
}

// Vectors runs one file of published vectors (tests/vectors) against this build. [ErrMismatch]: failed cases did not give what the file says.
//
// C: raffle_vectors
func Vectors(json []byte) (passed, failed uint64, err error) {
	var a args
	var p, f C.uint64_t
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_vectors(chars(json), C.size_t(len(json)), &p, &f, e)
	})
	return uint64(p), uint64(f), err
}
