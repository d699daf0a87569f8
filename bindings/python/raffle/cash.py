# SPDX-License-Identifier: Apache-2.0
"""Cash reconciliation: money that was counted, beside what the records say was taken, for a sales unit and for each seller."""
from dataclasses import dataclass
from typing import Optional

from ._border import call, optional_text
from ._border import text as text_of
from ._handles import Handle
from ._native import lib
from ._structs import Struct
from .actor import Actor, actor


@dataclass(frozen=True)
class CashInfo(Struct):
    """How a unit's or a seller's money stands, in minor units.

    C: raffle_cash_info_init
    """

    _c = "raffle_cash_info"
    unit: int
    tickets: int
    """Sold, void ones included."""
    voids: int
    """Of them void."""
    gross: int
    void_gross: int
    counted: int
    difference: int
    """counted - (gross - void_gross): less than 0 is short, more is over."""
    unknown: int
    """Tickets of the unit whose seller is not known any more: their private parts are erased."""


class Cash(Handle):
    """The calls of a raffle on money that was counted."""

    def cash(self, by: Actor, unit: int, kind: str, counted: int, seller: Optional[str] = None, text: Optional[str] = None) -> None:
        """Writes that money was counted: what a unit handed in, of one `kind`, "cash", "card". Several counts add up. `seller` and `text` are private.

        C: raffle_cash
        """
        call(lib.raffle_cash, self._get(), actor(by), unit, text_of(kind, "kind"), counted, optional_text(seller, "seller"), optional_text(text, "text"))

    def cash_balance(self, unit: int, seller: Optional[str] = None) -> CashInfo:
        """How a unit's money stands, all of it; or that of a seller there, for which the unit's records are all read.

        C: raffle_cash_balance
        """
        info = CashInfo._new()
        call(lib.raffle_cash_balance, self._get(), unit, optional_text(seller, "seller"), info)
        return CashInfo._read(info)
