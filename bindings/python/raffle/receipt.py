# SPDX-License-Identifier: Apache-2.0
"""Receipts: what the holder of a ticket takes home, and anybody verifies offline with the control log's public key alone."""
import datetime
from dataclasses import dataclass
from typing import Optional

from ._border import Document, call, document, text, text_out
from ._handles import Handle
from ._native import lib
from ._structs import Number, Struct


class ReceiptProves(Number):
    """What a receipt proves."""

    PROMISE = lib.RAFFLE_RECEIPT_PROMISE
    """The sale is in its unit's signed log: no seal covers it so far."""
    DRUM = lib.RAFFLE_RECEIPT_DRUM
    """A seal covers it, and it is not among the seal's voids: it is drawn from."""
    VOID = lib.RAFFLE_RECEIPT_VOID
    """A seal covers it, and it is among the seal's voids: it is not drawn from."""


@dataclass(frozen=True)
class ReceiptInfo(Struct):
    """What a good receipt says, as of its checkpoints: a ticket can be voided later.

    C: raffle_receipt_info_init
    """

    _c = "raffle_receipt_info"
    proves: ReceiptProves
    origin: str
    tier: str
    unit: int
    """With `serial`: the ticket's identity."""
    count: int
    serial: int
    first: int
    """Its draw numbers are first … first + count - 1."""
    price: int
    at: datetime.datetime
    """When it was sold."""
    unit_size: int
    """Records that the unit's checkpoint covers, …"""
    control_size: int
    """… and the control log's."""
    seal_kind: int
    """A SealKind; 0 in a promise, like all that follows."""
    seal: int
    """Index of the `seal` record: the seal's name."""
    seal_at: Optional[datetime.datetime]
    voids: int
    """Tickets of the unit that were void at the seal."""
    quorum: bool
    """The raffle's rules name witnesses, and their quorum cosigned the control log's checkpoint."""
    witnesses: int
    """Who cosigned it."""


class Receipts(Handle):
    """Receipts of a raffle."""

    def receipt(self, unit: int, serial: int) -> str:
        """The receipt of a ticket: of the final seal when it covers the ticket, else of the newest early one, else a promise. `Voided`: it is void, and no seal says
        so yet.

        C: raffle_receipt
        """
        return text_out(lib.raffle_receipt, self._get(), unit, serial, cap=16384).decode()


def receipt_verify(receipt: Document, control_key: str) -> ReceiptInfo:
    """Verifies a receipt, without a store or a network. `control_key`, the control log's vkey, from somebody you trust, is the only trust. `Invalid`: it is no
    receipt, `detail` is the line; `Signature`, `Proof`, `Mismatch`, `Corrupt`.

    C: raffle_receipt_verify
    """
    data, length = document(receipt, "receipt")
    info = ReceiptInfo._new()
    call(lib.raffle_receipt_verify, data, length, text(control_key, "control_key"), info)
    return ReceiptInfo._read(info)
