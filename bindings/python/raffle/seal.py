# SPDX-License-Identifier: Apache-2.0
"""Seals: the frozen prefix of every unit's log that a draw is drawn from, and the acknowledgement of its voids."""
import datetime
from dataclasses import dataclass
from typing import Optional

from ._border import call
from ._handles import Handle
from ._native import lib
from ._structs import Number, Struct
from .actor import Actor, actor, optional_actor


class SealKind(Number):
    """Which prizes it is for."""

    EARLY = lib.RAFFLE_SEAL_EARLY
    """For the prizes whose seal is early; selling goes on."""
    FINAL = lib.RAFFLE_SEAL_FINAL
    """Closes every unit first."""


@dataclass(frozen=True)
class SealInfo(Struct):
    """A seal, and the sums that it froze.

    C: raffle_seal_info_init
    """

    _c = "raffle_seal_info"
    kind: SealKind
    index: int
    """Of the `seal` record in the control log: the seal's name."""
    at: datetime.datetime
    units: int
    unreconciled: int
    """Units that entered with less than all their sales."""
    tickets: int
    """Sold, void ones included."""
    numbers: int
    voids: int
    """Tickets that were void at the seal."""
    gross: int
    void_gross: int
    acknowledged: bool


class Seals(Handle):
    """The calls of a raffle on its seals."""

    def seal(self, by: Actor, kind: SealKind, ok: Optional[Actor] = None) -> SealInfo:
        """Folds every unit's records again, compares, and writes the seal. With `ok`, a second approver, it goes on without what is missing: `Unreconciled`.
        After `Unknown` the seal is written, and the anchor is not.

        C: raffle_seal
        """
        info = SealInfo._new()
        call(lib.raffle_seal, self._get(), actor(by), optional_actor(ok), kind, info)
        return SealInfo._read(info)

    def voids_ack(self, by: Actor, seal: int) -> None:
        """The event manager's word that the voids of a seal are reconciled; no draw before it (GLI-31 2.6.3). `seal`: its index.

        C: raffle_voids_ack
        """
        call(lib.raffle_voids_ack, self._get(), actor(by), seal)

    def seal_latest(self, kind: SealKind) -> SealInfo:
        """The newest seal of a kind. `NotSealed`.

        C: raffle_seal_latest
        """
        info = SealInfo._new()
        call(lib.raffle_seal_latest, self._get(), kind, info)
        return SealInfo._read(info)
