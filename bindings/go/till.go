// SPDX-License-Identifier: Apache-2.0

package raffle

// Tills elsewhere: a unit with a store and a key of its own, which sells without a link and uploads (docs/spec/till.md).

/*
#include <raffle/raffle.h>
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
*/
import "C"

import (
	"context"
	"io"
	"runtime"
	"unsafe"
)

// UnitApply makes, at the till, the key of a unit of the raffle origin, or takes the one that is there: its public key, and the proof that the till has it, for [UnitOptions].
//
// C: raffle_unit_apply
func UnitApply(keys string, host *Host, origin string, unit uint32) (key, proof string, err error) {
	var a args
	var cKey [C.RAFFLE_VKEY_SIZE]C.char
	var cProof [C.RAFFLE_PROOF_SIZE]C.char
	cKeys, cOrigin := a.text("keys", keys), a.text("origin", origin)
	lent := lend(&a, host)
	err = a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_apply(cKeys, lent.table(), cOrigin, C.uint32_t(unit), &cKey[0], &cProof[0], e)
	})
	lent.taken(err == nil)
	if err != nil {
		return "", "", err
	}
	return text(cKey[:]), text(cProof[:]), nil
}

// UnitApplyWith is [UnitApply] over keys of the host's own.
//
// C: raffle_unit_apply_with
func UnitApplyWith(keys *Keys, origin string, unit uint32) (key, proof string, err error) {
	if keys == nil {
		return "", "", freed("Keys")
	}
	defer runtime.KeepAlive(keys)
	var a args
	var cKey [C.RAFFLE_VKEY_SIZE]C.char
	var cProof [C.RAFFLE_PROOF_SIZE]C.char
	cOrigin := a.text("origin", origin)
	err = a.on(keys.handle, func(k unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_apply_with((*C.raffle_keys)(k), cOrigin, C.uint32_t(unit), &cKey[0], &cProof[0], e)
	})
	if err != nil {
		return "", "", err
	}
	return text(cKey[:]), text(cProof[:]), nil
}

// UnitInstall makes a till from its kit in an empty or new store, and opens it. controlKey is the raffle's control key, known from elsewhere; optional.
//
// C: raffle_unit_install
func UnitInstall(store, keys string, host *Host, kit []byte, controlKey string) (*Raffle, error) {
	var a args
	var out *C.raffle
	cStore, cKeys, cKey := a.text("store", store), a.text("keys", keys), a.optional("control key", controlKey)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_install(cStore, cKeys, lent.table(), chars(kit), C.size_t(len(kit)), cKey, &out, e)
	})
	return opened(out, lent, err)
}

// UnitInstallWith is [UnitInstall] over a store and keys of the host's own.
//
// C: raffle_unit_install_with
func UnitInstallWith(store *Store, keys *Keys, host *Host, kit []byte, controlKey string) (*Raffle, error) {
	var a args
	var out *C.raffle
	cKey := a.optional("control key", controlKey)
	lent := lend(&a, host)
	err := with(&a, store, keys, func(s *C.raffle_store, k *C.raffle_keys, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_install_with(s, k, lent.table(), chars(kit), C.size_t(len(kit)), cKey, &out, e)
	})
	return opened(out, lent, err)
}

// Export writes, at the till, all records that the raffle has not, as it says in its challenge, signed by the unit's key.
//
// C: raffle_unit_export
func (u *Unit) Export(ctx context.Context, challenge string, to io.Writer) error {
	var a args
	cChallenge := a.text("challenge", challenge)
	return toWriter(ctx, to, func(w unsafe.Pointer) error {
		return u.call(&a, func(p *C.raffle_unit, e *C.raffle_error) C.raffle_rc {
			return C.raffle_unit_export(p, cChallenge, writeFunction, w, e)
		})
	})
}

// UnitUpdate takes, at the till, what the control log has become: [Raffle.UnitNews].
//
// C: raffle_unit_update
func (r *Raffle) UnitUpdate(news []byte) error {
	var a args
	return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_update(p, chars(news), C.size_t(len(news)), e)
	})
}

// UnitKit writes the kit of a unit that is away: the key with which its validation numbers are made, and the control log. Secret; may be written again.
//
// C: raffle_unit_kit
func (r *Raffle) UnitKit(ctx context.Context, unit uint32, to io.Writer) error {
	return toWriter(ctx, to, func(w unsafe.Pointer) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_unit_kit(p, C.uint32_t(unit), writeFunction, w, e)
		})
	})
}

// UnitChallenge is a line that says what the raffle has of the unit, signed so that it is known again; fresh for an hour.
//
// C: raffle_unit_challenge
func (r *Raffle) UnitChallenge(unit uint32) (string, error) {
	var a args
	var out [C.RAFFLE_CHALLENGE_SIZE]C.char
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_challenge(p, C.uint32_t(unit), &out[0], e)
	})
	if err != nil {
		return "", err
	}
	return text(out[:]), nil
}

// UploadInfo says what became of an upload.
//
// C: raffle_upload_info_init
type UploadInfo struct {
	Unit        uint32
	Records     uint64 // in the upload
	Taken       uint64 // of those, that were new here
	Size        uint64 // of the unit's log: all that was ever uploaded
	Numbers     uint64 // draw numbers sold, in all
	Twice       uint64 // orders, in all, that another unit, or the unit before, sold under the same order key
	ControlSize uint64 // of the control log at the till when it exported: what UnitNews begins at
	Closed      bool   // the unit's log has come to its end
	Excepted    bool   // a final seal was made without these: they are kept, and never drawn
}

// UnitUpload takes an upload: it is verified and folded whole, ahead of its first row. The same one again changes nothing.
//
// C: raffle_unit_upload
func (r *Raffle) UnitUpload(by Actor, upload []byte) (UploadInfo, error) {
	var a args
	var c C.raffle_upload_info
	C.raffle_upload_info_init(&c, C.sizeof_raffle_upload_info)
	cBy := a.actor("by", by)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_unit_upload(p, cBy, chars(upload), C.size_t(len(upload)), &c, e)
	})
	if err != nil {
		return UploadInfo{}, err
	}
	return UploadInfo{
		Unit: uint32(c.unit), Records: uint64(c.records), Taken: uint64(c.taken), Size: uint64(c.size), Numbers: uint64(c.numbers), Twice: uint64(c.twice),
		ControlSize: uint64(c.control_size), Closed: c.closed != 0, Excepted: c.excepted != 0,
	}, nil
}

// UnitNews writes the control log from a record on, with its checkpoint, for a till that knows what is before.
//
// C: raffle_unit_news
func (r *Raffle) UnitNews(ctx context.Context, unit uint32, from uint64, to io.Writer) error {
	return toWriter(ctx, to, func(w unsafe.Pointer) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_unit_news(p, C.uint32_t(unit), C.uint64_t(from), writeFunction, w, e)
		})
	})
}
