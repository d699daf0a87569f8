// SPDX-License-Identifier: Apache-2.0

package raffle

// Keys: the library's own, and those that the host keeps.

/*
#include <raffle/raffle.h>
#include <raffle/ext/key.h>

extern raffle_rc raffleGoKeyMake(void *, char *, char *, raffle_error *);
extern raffle_rc raffleGoKeyPublic(void *, char *, char *, uint8_t *, raffle_error *);
extern raffle_rc raffleGoKeySign(void *, char *, char *, uint8_t *, size_t, uint8_t *, raffle_error *);
extern raffle_rc raffleGoKeyTicket(void *, char *, uint8_t *, raffle_error *);
extern raffle_rc raffleGoKeyUnitTicket(void *, char *, uint32_t, uint8_t *, raffle_error *);
extern raffle_rc raffleGoKeyUnitKeep(void *, char *, uint32_t, uint8_t *, raffle_error *);
extern void raffleGoFree(void *);
*/
import "C"

import "unsafe"

// KeyKeeper keeps a raffle's keys. They are asked for by name, "control", "unit-1", …, "ticket"; origin is the raffle's. It may be called by several goroutines at once, and signs inside of the store's
// transactions: others wait meanwhile.
type KeyKeeper interface {
	Make(origin, name string) error                                           // a key that does not exist, durably; ErrExists
	PublicKey(origin, name string) ([32]byte, error)                          // Ed25519; ErrNotFound
	Sign(origin, name string, message []byte) (signature [64]byte, err error) // RFC 8032, pure. message is valid during the call
	TicketKey(origin string) ([32]byte, error)
}

// UnitKeyKeeper is a [KeyKeeper] for tills, which have the ticket key of one unit.
type UnitKeyKeeper interface {
	KeyKeeper
	UnitTicketKey(origin string, unit uint32) ([32]byte, error)       // ErrNotFound
	UnitTicketKeyKeep(origin string, unit uint32, key [32]byte) error // durably; ErrExists
}

// Keys is a handle over keys.
type Keys struct{ handle *handle }

func newKeys(p *C.raffle_keys) *Keys {
	k := &Keys{}
	k.handle = own(k, "Keys", unsafe.Pointer(p), func(p unsafe.Pointer) { C.raffle_keys_free((*C.raffle_keys)(p)) })
	return k
}

// KeysOpen opens keys by URI: `file:DIR`, `pkcs11:…`. host is optional.
//
// C: raffle_keys_open
func KeysOpen(uri string, host *Host) (*Keys, error) {
	var a args
	var out *C.raffle_keys
	cURI := a.text("uri", uri)
	lent := lend(&a, host)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_keys_open(cURI, lent.table(), &out, e) })
	lent.taken(err == nil)
	if err != nil {
		return nil, err
	}
	return newKeys(out), nil
}

// KeysNew is a handle over keys of the host's own.
//
// C: raffle_keys_new, raffle_keys_table_init
func KeysNew(keeper KeyKeeper) (*Keys, error) {
	if keeper == nil {
		return nil, &Error{RC: ErrMisuse, Message: "keeper is nil"}
	}
	var a args
	var out *C.raffle_keys
	var table C.raffle_keys_table
	C.raffle_keys_table_init(&table, C.sizeof_raffle_keys_table)
	table.make, table.public_key = (*[0]byte)(C.raffleGoKeyMake), (*[0]byte)(C.raffleGoKeyPublic)
	table.sign, table.ticket_key = (*[0]byte)(C.raffleGoKeySign), (*[0]byte)(C.raffleGoKeyTicket)
	table.free = (*[0]byte)(C.raffleGoFree)
	if _, ok := keeper.(UnitKeyKeeper); ok {
		table.unit_ticket_key = (*[0]byte)(C.raffleGoKeyUnitTicket)
		table.unit_ticket_key_keep = (*[0]byte)(C.raffleGoKeyUnitKeep)
	}
	ctx := newCtx(keeper)
	err := a.try(func(e *C.raffle_error) C.raffle_rc { return C.raffle_keys_new(&table, ctx, &out, e) })
	if err != nil {
		freeCtx(ctx)
		return nil, err
	}
	return newKeys(out), nil
}

// Free lets go of the keys.
//
// C: raffle_keys_free
func (k *Keys) Free() {
	if k != nil {
		k.handle.close()
	}
}
