// SPDX-License-Identifier: Apache-2.0

package raffle

// The words that all share: actors and roles, hashes.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"encoding/hex"
)

// Role says who may do what; the rules freeze a list of roles for each operation. Numbers are frozen.
type Role int32

// The roles. Manager is GLI's event manager; System a machine that sells without an attendant.
const (
	Seller        Role = C.RAFFLE_SELLER
	Supervisor    Role = C.RAFFLE_SUPERVISOR
	Manager       Role = C.RAFFLE_MANAGER
	Administrator Role = C.RAFFLE_ADMINISTRATOR
	Auditor       Role = C.RAFFLE_AUDITOR
	System        Role = C.RAFFLE_SYSTEM
)

// String is "seller" … "system"; "" for another number.
//
// C: raffle_role_name
func (r Role) String() string { return C.GoString(C.raffle_role_name(C.raffle_role(r))) }

// RoleParse is the other way round; 0 for another word.
//
// C: raffle_role_parse
func RoleParse(name string) Role {
	var a args
	word := a.text("name", name)
	if a.err != nil {
		return 0
	}
	return Role(C.raffle_role_parse(word))
}

// Actor is who did it. The library records it and checks the role against the rules; that the person is who they say is for the host to check (GLI-31 5.2.2). The
// id is private and can be erased; the role is public.
type Actor struct {
	ID   string // the host's name for them, 1 to 64 bytes
	Role Role
}

// NewActor is an Actor that every call will take. [ErrInvalid] when id is empty or too long, or there is no such role.
//
// C: raffle_actor_init
func NewActor(id string, role Role) (Actor, error) {
	var a args
	var actor C.raffle_actor
	name := a.text("id", id)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_actor_init(&actor, C.sizeof_raffle_actor, name, C.raffle_role(role), e)
	})
	if err != nil {
		return Actor{}, err
	}
	return Actor{id, role}, nil
}

// Hash is a SHA-256.
type Hash [32]byte

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Sizes and limits of the format.
const (
	NameMax      = C.RAFFLE_NAME_MAX       // bytes of a name, an actor's id, an order key, a buyer's tag
	WordMax      = C.RAFFLE_WORD_MAX       // bytes of a tier, a prize, a reason, a code, a channel: [a-z0-9][a-z0-9._-]*
	TextMax      = C.RAFFLE_TEXT_MAX       // bytes of free text
	RecordMax    = C.RAFFLE_RECORD_MAX     // bytes of the longest record
	PrivateMax   = C.RAFFLE_PRIVATE_MAX    // bytes of the longest private part
	AwayHoursMax = C.RAFFLE_AWAY_HOURS_MAX // the longest time for which a unit that is away sells by itself
	UnitMax      = C.RAFFLE_UNIT_MAX       // the highest number of a sales unit
	SellMax      = C.RAFFLE_SELL_MAX       // lines of one call to Unit.Sell
	OrderMax     = C.RAFFLE_ORDER_MAX      // lines of one order
)
