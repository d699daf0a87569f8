// SPDX-License-Identifier: Apache-2.0

package raffle

// Backups, and mirrors (GLI-31 5.7; docs/spec/backup.md).

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"context"
	"io"
	"unsafe"
)

// Backup writes a backup while the raffle goes on: all records with what is private of them, checkpoints and key rows, and no keys.
//
// C: raffle_backup
func (r *Raffle) Backup(ctx context.Context, to io.Writer) error {
	return toWriter(ctx, to, func(w unsafe.Pointer) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_backup(p, writeFunction, w, e) })
	})
}

// BackupInfo is what a backup holds.
//
// C: raffle_backup_info_init
type BackupInfo struct {
	Units   uint32
	Control uint64 // records of the control log
	Records uint64 // of all logs
	Keys    uint64 // rows of keys
	Origin  string
	Key     string // the control key, which signed it
}

// BackupVerify checks the backup in the file path, all of it and by itself. key is the control key that must have signed; optional.
//
// C: raffle_backup_verify
func BackupVerify(path, key string) (BackupInfo, error) {
	var a args
	var c C.raffle_backup_info
	C.raffle_backup_info_init(&c, C.sizeof_raffle_backup_info)
	cPath, cKey := a.text("path", path), a.optional("key", key)
	if err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_backup_verify(cPath, cKey, &c, e) }); err != nil {
		return BackupInfo{}, err
	}
	return BackupInfo{uint32(c.units), uint64(c.control), uint64(c.records), uint64(c.keys), text(c.origin[:]), text(c.key[:])}, nil
}

// Restore puts the raffle of a backup back into store, which holds none, after all of it was checked, against itself, the keys and the anchor, and opens it. by, a manager
// or administrator, goes on record; nil: the copy is to become a mirror, and must not be sold from.
//
// C: raffle_restore
func Restore(path, store, keys string, host *Host, by *Actor) (*Raffle, error) {
	var a args
	var out *C.raffle
	cPath, cStore, cKeys, cBy := a.text("path", path), a.text("store", store), a.optional("keys", keys), a.second(by)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_restore(cPath, cStore, cKeys, lent.table(), cBy, &out, e)
	})
	return opened(out, lent, err)
}

// RestoreWith is [Restore] over a store and keys of the host's own.
//
// C: raffle_restore_with
func RestoreWith(path string, store *Store, keys *Keys, host *Host, by *Actor) (*Raffle, error) {
	var a args
	var out *C.raffle
	cPath, cBy := a.text("path", path), a.second(by)
	lent := lend(&a, host)
	err := with(&a, store, keys, func(s *C.raffle_store, k *C.raffle_keys, e *C.raffle_error) C.raffle_rc {
		return C.raffle_restore_with(cPath, s, k, lent.table(), cBy, &out, e)
	})
	return opened(out, lent, err)
}

// MirrorInfo is what a mirror got.
//
// C: raffle_mirror_info_init
type MirrorInfo struct {
	Units   uint32 // of whose logs it has all that was there
	Copied  uint64 // records, by this call
	Records uint64 // of all its logs now
}

// Mirror gives mirror, opened over a store that [Restore] filled with nil for by, all records that the raffle has and it has not. One goroutine at a time for a mirror.
//
// C: raffle_mirror
func (r *Raffle) Mirror(mirror *Raffle) (MirrorInfo, error) {
	if mirror == nil {
		return MirrorInfo{}, freed("Raffle")
	}
	if err := mirror.handle.enter(); err != nil {
		return MirrorInfo{}, err
	}
	defer mirror.handle.leave()
	var a args
	var c C.raffle_mirror_info
	C.raffle_mirror_info_init(&c, C.sizeof_raffle_mirror_info)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_mirror(p, (*C.raffle)(mirror.handle.p), &c, e)
	})
	if err != nil {
		return MirrorInfo{}, err
	}
	return MirrorInfo{uint32(c.units), uint64(c.copied), uint64(c.records)}, nil
}
