// SPDX-License-Identifier: Apache-2.0

package raffle

// Receipts: what proves to a buyer, without trusting the operator, that a ticket is in the drum (docs/spec/receipts.md).

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"io"
	"time"
)

// What a receipt proves: ReceiptInfo.Proves.
const (
	ReceiptPromise int32 = C.RAFFLE_RECEIPT_PROMISE // the sale is in its unit's signed log: no seal covers it so far
	ReceiptDrum    int32 = C.RAFFLE_RECEIPT_DRUM    // a seal covers it, and it is not among the seal's voids: it is drawn from
	ReceiptVoid    int32 = C.RAFFLE_RECEIPT_VOID    // a seal covers it, and it is among the seal's voids: it is not drawn from
)

// ReceiptMax is the bytes of the longest receipt.
const ReceiptMax = C.RAFFLE_RECEIPT_MAX

// Receipt is the receipt of a ticket: text.
//
// C: raffle_receipt
func (r *Raffle) Receipt(unit uint32, serial uint64) ([]byte, error) {
	return sized(16384, func(out *C.char, cap C.size_t, length *C.size_t) error {
		var a args
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_receipt(p, C.uint32_t(unit), C.uint64_t(serial), out, cap, length, e)
		})
	})
}

// WriteReceipt writes the receipt of a ticket.
func (r *Raffle) WriteReceipt(to io.Writer, unit uint32, serial uint64) error {
	receipt, err := r.Receipt(unit, serial)
	if err == nil {
		_, err = to.Write(receipt)
	}
	return err
}

// ReceiptInfo is what a good receipt says.
//
// C: raffle_receipt_info_init
type ReceiptInfo struct {
	Proves      int32 // Receipt…
	Origin      string
	Tier        string
	Unit        uint32 // with Serial: the ticket's identity
	Count       uint32
	Serial      uint64
	First       uint64 // its draw numbers are First … First + Count - 1
	Price       int64
	At          time.Time // when it was sold
	UnitSize    uint64    // records that the unit's checkpoint covers, …
	ControlSize uint64    // … and the control log's
	SealKind    SealKind  // 0 in a promise, like what follows
	Seal        uint64    // index of the `seal` record
	SealAt      time.Time
	Voids       uint64 // tickets of the unit that were void at the seal
	Quorum      bool   // the rules name witnesses, and their quorum cosigned the control log's checkpoint
	Witnesses   uint32 // who cosigned it
}

// ReceiptVerify verifies a receipt, without a store or a network. controlKey is the control log's vkey, from somebody you trust: the only trust.
//
// C: raffle_receipt_verify
func ReceiptVerify(receipt []byte, controlKey string) (ReceiptInfo, error) {
	var a args
	var c C.raffle_receipt_info
	C.raffle_receipt_info_init(&c, C.sizeof_raffle_receipt_info)
	cKey := a.text("control key", controlKey)
	err := a.try(func(e *C.raffle_error) C.raffle_rc {
		return C.raffle_receipt_verify(chars(receipt), C.size_t(len(receipt)), cKey, &c, e)
	})
	if err != nil {
		return ReceiptInfo{}, err
	}
	return ReceiptInfo{
		Proves: int32(c.proves), Origin: text(c.origin[:]), Tier: text(c.tier[:]), Unit: uint32(c.unit), Count: uint32(c.count), Serial: uint64(c.serial),
		First: uint64(c.first), Price: int64(c.price), At: at(c.at), UnitSize: uint64(c.unit_size), ControlSize: uint64(c.control_size),
		SealKind: SealKind(c.seal_kind), Seal: uint64(c.seal), SealAt: at(c.seal_at), Voids: uint64(c.voids), Quorum: c.quorum != 0,
		Witnesses: uint32(c.witnesses),
	}, nil
}
