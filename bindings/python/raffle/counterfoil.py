# SPDX-License-Identifier: Apache-2.0
"""Counterfoils for drum draws: one for each draw number, printed once and on record; and tickets or counterfoils printed again (GLI-31 2.4, 3.3.2)."""
import datetime
from dataclasses import dataclass, field
from typing import Any, Callable, List

from ._border import call, text
from ._callbacks import callback, lend
from ._handles import Handle
from ._native import lib
from ._structs import Struct
from .actor import Actor, actor


@dataclass(frozen=True)
class Counterfoil(Struct):
    """What a counterfoil shows (GLI-31 2.4.1), with the event's place from Info."""

    _c = "raffle_counterfoil"
    flags: int
    unit: int
    """The draw number: `unit`-`number`."""
    number: int
    serial: int
    """Of its ticket."""
    at: datetime.datetime
    """When that was sold."""
    price: int
    """Of the ticket."""
    validation: str = field(repr=False)
    """Of the ticket; a secret of the buyer's."""

    @property
    def void(self) -> bool:
        """Its ticket is void: it is not to be printed."""
        return bool(self.flags & lib.RAFFLE_COUNTERFOIL_VOID)

    @property
    def printed(self) -> bool:
        """print() covered it, when it was not void."""
        return bool(self.flags & lib.RAFFLE_COUNTERFOIL_PRINTED)

    @property
    def reprinted(self) -> bool:
        """And reprint() again: mark it."""
        return bool(self.flags & lib.RAFFLE_COUNTERFOIL_REPRINTED)

    @property
    def in_drum(self) -> bool:
        """Void, and was not when it went to print: it may lie in the drum, and is taken out (GLI-31 2.6.3)."""
        return bool(self.flags & lib.RAFFLE_COUNTERFOIL_IN_DRUM)


@callback("counterfoil_take")
def counterfoil_take(take: Callable[[Counterfoil], object], counterfoil: Any, err: Any) -> None:
    take(Counterfoil._read(counterfoil))


class Counterfoils(Handle):
    """The calls of a raffle on counterfoils."""

    def counterfoils(self, unit: int, first: int = 1, count: int = 0) -> List[Counterfoil]:
        """`count` counterfoils of a unit, from draw number `first` on, in order; 0: up to the last that is sold.

        C: raffle_counterfoils
        """
        found: List[Counterfoil] = []
        self.counterfoil_each(found.append, unit, first, count)
        return found

    def counterfoil_each(self, take: Callable[[Counterfoil], object], unit: int, first: int = 1, count: int = 0) -> None:
        """The same, a call of `take` for each. What it raises ends the walk.

        C: raffle_counterfoils
        """
        ctx = lend(take, "take")
        call(lib.raffle_counterfoils, self._get(), unit, first, count, lib.raffle_py_counterfoil_take, ctx)

    def print(self, by: Actor, unit: int, first: int, count: int) -> None:
        """Writes that counterfoils go to print, but for those of tickets that are void by now. They go in order: `first` is UnitInfo.printed + 1.

        C: raffle_print
        """
        call(lib.raffle_print, self._get(), actor(by), unit, first, count)

    def reprint(self, by: Actor, ok: Actor, unit: int, first: int, count: int, reason: str) -> None:
        """Writes that counterfoils which were printed are printed again: by two, with a reason, a word (GLI-31 2.4.2).

        C: raffle_reprint
        """
        call(lib.raffle_reprint, self._get(), actor(by), actor(ok, "ok"), unit, first, count, text(reason, "reason"))

    def ticket_reprint(self, by: Actor, ok: Actor, unit: int, serial: int, reason: str) -> None:
        """The same of a ticket (GLI-31 3.3.2d).

        C: raffle_ticket_reprint
        """
        call(lib.raffle_ticket_reprint, self._get(), actor(by), actor(ok, "ok"), unit, serial, text(reason, "reason"))
