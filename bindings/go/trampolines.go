// SPDX-License-Identifier: Apache-2.0

package raffle

// The functions that C calls. Each finds its Go value behind `ctx`, lets no panic through, and answers by a status.

/*
#include <raffle/raffle.h>
#include <raffle/ext/store.h>
*/
import "C"

import (
	"context"
	"strings"
	"time"
	"unsafe"
)

// view is C memory as a slice, valid during the callback.
func view(p unsafe.Pointer, n C.size_t) []byte { return unsafe.Slice((*byte)(p), n) }

// copied stores what a callback gave into C's buffer.
func copied(out unsafe.Pointer, cap C.size_t, length *C.size_t, bytes []byte) error {
	if C.size_t(len(bytes)) > cap {
		*length = C.size_t(len(bytes))
		return &Error{RC: ErrTooSmall, Message: "the caller's buffer is too small"}
	}
	copy(view(out, cap), bytes)
	*length = C.size_t(len(bytes))
	return nil
}

// --- the host ---

//export raffleGoClock
func raffleGoClock(ctx unsafe.Pointer, ms *C.int64_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		now, err := behind[*Host](ctx).Clock()
		if err == nil {
			*ms = milli(now)
		}
		return err
	})
}

//export raffleGoSecret
func raffleGoSecret(ctx unsafe.Pointer, what *C.char, out *C.uint8_t, cap C.size_t, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		secret, err := behind[*Host](ctx).Secret(C.GoString(what))
		defer clear(secret)
		if err != nil {
			return err
		}
		return copied(unsafe.Pointer(out), cap, length, secret)
	})
}

//export raffleGoLog
func raffleGoLog(ctx unsafe.Pointer, level C.int32_t, line *C.char) {
	quiet(func() { behind[*Host](ctx).Log(LogLevel(level), C.GoString(line)) })
}

//export raffleGoRelease
func raffleGoRelease(ctx unsafe.Pointer) {
	host := behind[*Host](ctx)
	freeCtx(ctx)
	if host.Release != nil {
		quiet(host.Release)
	}
}

//export raffleGoBeacon
func raffleGoBeacon(ctx unsafe.Pointer, round C.uint64_t, value *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return behind[BeaconVerify](ctx)(uint64(round), [BeaconSize]byte(view(unsafe.Pointer(value), BeaconSize)))
	})
}

// raffleGoFree ends a value that C held: a provider, keys, a store.
//
//export raffleGoFree
func raffleGoFree(ctx unsafe.Pointer) {
	value := behind[any](ctx)
	freeCtx(ctx)
	if owner, ok := value.(interface{ Free() }); ok {
		quiet(owner.Free)
	}
}

//export raffleGoFill
func raffleGoFill(ctx unsafe.Pointer, out *C.uint8_t, length C.size_t, filled *C.size_t, evidence *C.char, timeoutMs C.int32_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		until, cancel := context.Background(), func() {}
		if timeoutMs >= 0 {
			until, cancel = context.WithTimeout(until, time.Duration(timeoutMs)*time.Millisecond)
		}
		defer cancel()
		bytes := make([]byte, length) // and not C's: who gives up when the context ends may have somebody who writes here still
		defer clear(bytes)
		said, err := behind[Provider](ctx).Fill(until, bytes)
		if err != nil {
			return err
		}
		if len(said) >= C.RAFFLE_NAME_SIZE || strings.IndexByte(said, 0) >= 0 {
			return nonsense("the evidence has %d bytes, or a NUL", len(said))
		}
		copy(view(unsafe.Pointer(out), length), bytes)
		copy(view(unsafe.Pointer(evidence), C.RAFFLE_NAME_SIZE), said+"\x00")
		*filled = length
		return nil
	})
}

// --- bytes, progress, and what is walked over ---

//export raffleGoWrite
func raffleGoWrite(ctx unsafe.Pointer, bytes *C.char, length C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[*writing](ctx).write(view(unsafe.Pointer(bytes), length)) })
}

//export raffleGoRead
func raffleGoRead(ctx unsafe.Pointer, bytes *C.char, cap C.size_t, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		n, err := behind[*reading](ctx).read(view(unsafe.Pointer(bytes), cap))
		*length = C.size_t(n)
		return err
	})
}

//export raffleGoProgress
func raffleGoProgress(ctx unsafe.Pointer, done, total C.uint64_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[*progressing](ctx).progress(uint64(done), uint64(total)) })
}

//export raffleGoReceipt
func raffleGoReceipt(ctx unsafe.Pointer, _ C.uint64_t, name, receipt **C.char, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[*giving](ctx).give(name, receipt, length) })
}

//export raffleGoEvent
func raffleGoEvent(ctx unsafe.Pointer, hit *C.raffle_event_hit, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		found := behind[*gathering](ctx)
		found.hits = append(found.hits, newEventHit(hit))
		return nil
	})
}

//export raffleGoCounterfoil
func raffleGoCounterfoil(ctx unsafe.Pointer, one *C.raffle_counterfoil, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		s := behind[*stack](ctx)
		s.taken = append(s.taken, newCounterfoil(one))
		return nil
	})
}

// --- keys ---

//export raffleGoKeyMake
func raffleGoKeyMake(ctx unsafe.Pointer, origin, name *C.char, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[KeyKeeper](ctx).Make(C.GoString(origin), C.GoString(name)) })
}

//export raffleGoKeyPublic
func raffleGoKeyPublic(ctx unsafe.Pointer, origin, name *C.char, out *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		key, err := behind[KeyKeeper](ctx).PublicKey(C.GoString(origin), C.GoString(name))
		copy(view(unsafe.Pointer(out), 32), key[:])
		return err
	})
}

//export raffleGoKeySign
func raffleGoKeySign(ctx unsafe.Pointer, origin, name *C.char, message *C.uint8_t, length C.size_t, out *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		signature, err := behind[KeyKeeper](ctx).Sign(C.GoString(origin), C.GoString(name), view(unsafe.Pointer(message), length))
		copy(view(unsafe.Pointer(out), 64), signature[:])
		return err
	})
}

//export raffleGoKeyTicket
func raffleGoKeyTicket(ctx unsafe.Pointer, origin *C.char, out *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		key, err := behind[KeyKeeper](ctx).TicketKey(C.GoString(origin))
		copy(view(unsafe.Pointer(out), 32), key[:])
		clear(key[:])
		return err
	})
}

//export raffleGoKeyUnitTicket
func raffleGoKeyUnitTicket(ctx unsafe.Pointer, origin *C.char, unit C.uint32_t, out *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		key, err := behind[UnitKeyKeeper](ctx).UnitTicketKey(C.GoString(origin), uint32(unit))
		copy(view(unsafe.Pointer(out), 32), key[:])
		clear(key[:])
		return err
	})
}

//export raffleGoKeyUnitKeep
func raffleGoKeyUnitKeep(ctx unsafe.Pointer, origin *C.char, unit C.uint32_t, key *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return behind[UnitKeyKeeper](ctx).UnitTicketKeyKeep(C.GoString(origin), uint32(unit), [32]byte(view(unsafe.Pointer(key), 32)))
	})
}

// --- stores ---

//export raffleGoStoreOrigin
func raffleGoStoreOrigin(ctx unsafe.Pointer, out *C.char, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		origin, err := behind[HostStore](ctx).Origin()
		if err == nil && (len(origin) >= C.RAFFLE_ORIGIN_SIZE || strings.IndexByte(origin, 0) >= 0) {
			err = nonsense("an origin of %d bytes, or with a NUL", len(origin))
		}
		if err == nil {
			copy(view(unsafe.Pointer(out), C.RAFFLE_ORIGIN_SIZE), origin+"\x00")
		}
		return err
	})
}

//export raffleGoStoreCreate
func raffleGoStoreCreate(ctx unsafe.Pointer, origin *C.char, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[HostStore](ctx).Create(C.GoString(origin)) })
}

//export raffleGoStoreHead
func raffleGoStoreHead(ctx unsafe.Pointer, log C.uint32_t, out *C.raffle_store_head, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		head, err := behind[HostStore](ctx).Head(uint32(log))
		if err != nil {
			return err
		}
		return setStoreHead(out, head)
	})
}

//export raffleGoStoreAppend
func raffleGoStoreAppend(ctx unsafe.Pointer, log C.uint32_t, fill C.raffle_store_fill, fillCtx unsafe.Pointer, timeoutMs C.int32_t, out *C.uint64_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		var l loan
		defer l.end()
		wait := time.Duration(-1)
		if timeoutMs >= 0 {
			wait = time.Duration(timeoutMs) * time.Millisecond
		}
		size, err := behind[HostStore](ctx).Append(uint32(log), filling(&l, fill, fillCtx), wait)
		if err == nil {
			*out = C.uint64_t(size)
		}
		return err
	})
}

//export raffleGoStoreRead
func raffleGoStoreRead(ctx unsafe.Pointer, log C.uint32_t, from, count C.uint64_t, sink C.raffle_store_sink_record, sinkCtx unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		var l loan
		defer l.end()
		return behind[HostStore](ctx).Read(uint32(log), uint64(from), uint64(count), takeRecord(&l, sink, sinkCtx))
	})
}

//export raffleGoStoreNode
func raffleGoStoreNode(ctx unsafe.Pointer, log, level C.uint32_t, index C.uint64_t, out *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		hash, err := behind[HostStore](ctx).Node(uint32(log), uint32(level), uint64(index))
		copy(view(unsafe.Pointer(out), 32), hash[:])
		return err
	})
}

//export raffleGoStoreFind
func raffleGoStoreFind(ctx unsafe.Pointer, scope C.uint32_t, key *C.uint8_t, length C.size_t, row *C.raffle_store_key, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		found, err := behind[HostStore](ctx).Find(uint32(scope), view(unsafe.Pointer(key), length))
		if err != nil {
			return err
		}
		return setStoreKey(row, found)
	})
}

//export raffleGoStoreScan
func raffleGoStoreScan(ctx unsafe.Pointer, scope C.uint32_t, prefix *C.uint8_t, prefixLength C.size_t, after *C.uint8_t, afterLength C.size_t, count C.uint64_t,
	sink C.raffle_store_sink_key, sinkCtx unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		var l loan
		defer l.end()
		return behind[HostStore](ctx).Scan(uint32(scope), view(unsafe.Pointer(prefix), prefixLength), view(unsafe.Pointer(after), afterLength), uint64(count),
			takeKey(&l, sink, sinkCtx))
	})
}

//export raffleGoStoreScanBack
func raffleGoStoreScanBack(ctx unsafe.Pointer, scope C.uint32_t, prefix *C.uint8_t, prefixLength C.size_t, before *C.uint8_t, beforeLength C.size_t, count C.uint64_t,
	sink C.raffle_store_sink_key, sinkCtx unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		var l loan
		defer l.end()
		return behind[StoreScanBack](ctx).ScanBack(uint32(scope), view(unsafe.Pointer(prefix), prefixLength), view(unsafe.Pointer(before), beforeLength), uint64(count),
			takeKey(&l, sink, sinkCtx))
	})
}

//export raffleGoStoreNotePut
func raffleGoStoreNotePut(ctx unsafe.Pointer, log C.uint32_t, size C.uint64_t, note *C.char, length C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return behind[HostStore](ctx).NotePut(uint32(log), uint64(size), view(unsafe.Pointer(note), length))
	})
}

//export raffleGoStoreNoteGet
func raffleGoStoreNoteGet(ctx unsafe.Pointer, log C.uint32_t, size C.uint64_t, of *C.uint64_t, out *C.char, cap C.size_t, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		n, note, err := behind[HostStore](ctx).NoteGet(uint32(log), uint64(size))
		if err != nil {
			return err
		}
		*of = C.uint64_t(n)
		return copied(unsafe.Pointer(out), cap, length, note)
	})
}

//export raffleGoStoreErase
func raffleGoStoreErase(ctx unsafe.Pointer, log C.uint32_t, index C.uint64_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[HostStore](ctx).Erase(uint32(log), uint64(index)) })
}

//export raffleGoStoreAnchorGet
func raffleGoStoreAnchorGet(ctx unsafe.Pointer, log C.uint32_t, size *C.uint64_t, root *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return anchored(size, root)(behind[StoreAnchor](ctx).AnchorGet(uint32(log))) })
}

// anchored stores what an anchor gave.
func anchored(size *C.uint64_t, root *C.uint8_t) func(uint64, Hash, error) error {
	return func(n uint64, hash Hash, err error) error {
		if err == nil {
			*size = C.uint64_t(n)
			copy(view(unsafe.Pointer(root), 32), hash[:])
		}
		return err
	}
}

//export raffleGoStoreAnchorPut
func raffleGoStoreAnchorPut(ctx unsafe.Pointer, log C.uint32_t, size C.uint64_t, root *C.uint8_t, durable C.int32_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return behind[StoreAnchor](ctx).AnchorPut(uint32(log), uint64(size), Hash(view(unsafe.Pointer(root), 32)), durable != 0)
	})
}

//export raffleGoStoreAnchorOf
func raffleGoStoreAnchorOf(ctx unsafe.Pointer, origin *C.char, log C.uint32_t, size *C.uint64_t, root *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return anchored(size, root)(behind[StorePutBack](ctx).AnchorOf(C.GoString(origin), uint32(log)))
	})
}

//export raffleGoStorePutBack
func raffleGoStorePutBack(ctx unsafe.Pointer, origin *C.char, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[StorePutBack](ctx).PutBack(C.GoString(origin)) })
}

//export raffleGoStoreManifest
func raffleGoStoreManifest(ctx unsafe.Pointer, out *C.char, cap C.size_t, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		bytes, err := behind[StorePublished](ctx).Manifest()
		if err != nil {
			return err
		}
		return copied(unsafe.Pointer(out), cap, length, bytes)
	})
}

//export raffleGoStoreTile
func raffleGoStoreTile(ctx unsafe.Pointer, log, level C.uint32_t, index C.uint64_t, hashes *C.uint8_t, width *C.uint32_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		tile, err := behind[StorePublished](ctx).Tile(uint32(log), uint32(level), uint64(index))
		if err == nil && len(tile) > 256 {
			err = nonsense("a tile of %d hashes", len(tile))
		}
		if err != nil {
			return err
		}
		copy(unsafe.Slice((*Hash)(unsafe.Pointer(hashes)), 256), tile)
		*width = C.uint32_t(len(tile))
		return nil
	})
}

//export raffleGoStoreFile
func raffleGoStoreFile(ctx unsafe.Pointer, path, out *C.char, cap C.size_t, length *C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		bytes, err := behind[StorePublished](ctx).File(C.GoString(path))
		if err != nil {
			return err
		}
		return copied(unsafe.Pointer(out), cap, length, bytes)
	})
}

// --- batches ---

//export raffleGoBatchKeys
func raffleGoBatchKeys(ctx unsafe.Pointer, keys *C.raffle_store_key, n C.size_t, done *C.size_t, owner *C.raffle_store_key, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		list := make([]StoreKey, n)
		for i := range list {
			list[i] = newStoreKey(stepped(keys, keys.struct_size, i))
		}
		taken, row, err := behind[StoreBatch](ctx).Keys(list)
		if err != nil {
			return err
		}
		*done = C.size_t(taken)
		if taken < len(list) {
			return setStoreKey(owner, row)
		}
		return nil
	})
}

//export raffleGoBatchRecords
func raffleGoBatchRecords(ctx unsafe.Pointer, records *C.raffle_record, n C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		list := make([]Record, n)
		for i := range list {
			list[i] = newRecord(stepped(records, records.struct_size, i))
		}
		return behind[StoreBatch](ctx).Records(list)
	})
}

//export raffleGoBatchNode
func raffleGoBatchNode(ctx unsafe.Pointer, level C.uint32_t, index C.uint64_t, hash *C.uint8_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		return behind[StoreBatch](ctx).Node(uint32(level), uint64(index), Hash(view(unsafe.Pointer(hash), 32)))
	})
}

//export raffleGoBatchState
func raffleGoBatchState(ctx unsafe.Pointer, state *C.uint8_t, length C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[StoreBatch](ctx).State(view(unsafe.Pointer(state), length)) })
}

//export raffleGoBatchNote
func raffleGoBatchNote(ctx unsafe.Pointer, size C.uint64_t, note *C.char, length C.size_t, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error { return behind[StoreBatch](ctx).Note(uint64(size), view(unsafe.Pointer(note), length)) })
}

//export raffleGoBatchRead
func raffleGoBatchRead(ctx unsafe.Pointer, from, count C.uint64_t, sink C.raffle_store_sink_record, sinkCtx unsafe.Pointer, e *C.raffle_error) C.raffle_rc {
	return guard(e, func() error {
		var l loan
		defer l.end()
		return behind[StoreBatchReader](ctx).Read(uint64(from), uint64(count), takeRecord(&l, sink, sinkCtx))
	})
}
