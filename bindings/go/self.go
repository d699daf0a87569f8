// SPDX-License-Identifier: Apache-2.0

package raffle

// The library against its maker's signed manifest (GLI-31 3.5, 5.8).

/*
#include <raffle/raffle.h>
*/
import "C"

// ManifestVerify says whether the file name, without folders, is in the manifest with this hash, and the manifest signed by vkey.
//
// C: raffle_manifest_verify
func ManifestVerify(manifest []byte, vkey, name string, hash Hash) error {
	var a args
	cKey, cName := a.text("vkey", vkey), a.text("name", name)
	return a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_manifest_verify(chars(manifest), C.size_t(len(manifest)), cKey, cName, octets(hash[:]), e)
	})
}

// SelfVerify is the same for the file that the library was loaded from: a program that links it statically is that file.
//
// C: raffle_self_verify
func SelfVerify(manifest []byte, vkey string) error {
	var a args
	cKey := a.text("vkey", vkey)
	return a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_self_verify(chars(manifest), C.size_t(len(manifest)), cKey, e)
	})
}

// SelfCheck is the same, and its outcome a significant event of the raffle: after `program.altered` no draw begins before the program is verified again.
//
// C: raffle_self_check
func (r *Raffle) SelfCheck(by Actor, manifest []byte, vkey string) error {
	var a args
	cBy, cKey := a.actor("by", by), a.text("vkey", vkey)
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_self_check(p, cBy, chars(manifest), C.size_t(len(manifest)), cKey, e)
	})
}
