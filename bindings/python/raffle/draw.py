# SPDX-License-Identifier: Apache-2.0
"""Drawing a prize, in steps that survive a crash, and what follows: verification, the official result, claims, forfeits."""
import datetime
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Tuple

from ._border import NULL, Buffer, call, fixed, integer, string, text
from ._callbacks import lend
from ._handles import Handle, OneThread, given, optional_handle
from ._native import ffi, lib
from ._structs import Number, Struct
from .actor import Actor, actor, optional_actor
from .beacon import BeaconVerify
from .errors import NotFound
from .rng import Rng, Seed
from .seal import SealKind
from .unit import put_text


class PrizeState(Number):
    """How a prize stands."""

    WAITING = lib.RAFFLE_PRIZE_WAITING
    """Not drawn."""
    INTENT = lib.RAFFLE_PRIZE_INTENT
    """Its draw was begun."""
    DRAWN = lib.RAFFLE_PRIZE_DRAWN


class CallOutcome(Number):
    """What became of a draw number that was called in a drum draw."""

    UNSOLD = lib.RAFFLE_CALL_UNSOLD
    VOID = lib.RAFFLE_CALL_VOID
    NOT_ENTERED = lib.RAFFLE_CALL_NOT_ENTERED
    AGAIN = lib.RAFFLE_CALL_AGAIN
    BARRED = lib.RAFFLE_CALL_BARRED
    TAKEN = lib.RAFFLE_CALL_TAKEN
    """It takes the next place."""


class PlaceState(Number):
    """How a place in a result stands. A winner goes drawn, verified, official, claimed; an alternate waits until a forfeit promotes it."""

    ALTERNATE = lib.RAFFLE_PLACE_ALTERNATE
    DRAWN = lib.RAFFLE_PLACE_DRAWN
    VERIFIED = lib.RAFFLE_PLACE_VERIFIED
    OFFICIAL = lib.RAFFLE_PLACE_OFFICIAL
    CLAIMED = lib.RAFFLE_PLACE_CLAIMED
    FORFEITED = lib.RAFFLE_PLACE_FORFEITED
    REFUSED = lib.RAFFLE_PLACE_REFUSED
    """The ticket was found void after the seal."""
    MISSED = lib.RAFFLE_PLACE_MISSED
    """Its winner did not find the ace."""
    WAITING = lib.RAFFLE_PLACE_WAITING
    """Claimed in time; papers are missing."""
    EXPIRED = lib.RAFFLE_PLACE_EXPIRED
    """Forfeited when the claim period was over."""


class Ace(Number):
    """What the envelope of a catch-the-ace held."""

    MISSED = lib.RAFFLE_ACE_MISSED
    FOUND = lib.RAFFLE_ACE_FOUND


@dataclass(frozen=True)
class Prize(Struct):
    """A prize, and how it stands.

    C: raffle_prize_init
    """

    _c = "raffle_prize"
    state: PrizeState
    name: str
    title: str
    seal: SealKind
    winners: int
    alternates: int
    attempt: int
    """Of the intent or result; 0: none."""
    result: int
    """Index of the draw.result in the control log, when drawn."""
    places: int
    """In the result."""
    committed: bool
    """Its seed is committed to before the intent, and a beacon mixed in; else random."""
    value: int
    """Of all its winners together, in minor units: of its seal's pot; before the seal, of the pot now."""
    drum: bool
    """Drawn by hand, from counterfoils; else by an RNG."""
    estimate: bool
    """Before the seal, of a value that depends on sales."""
    overflow: int
    """What is above its cap."""
    each: int
    """What each of `winners` gets, …"""
    remainder: int
    """… and what is left of the value when they are paid."""
    carry: int
    """What the rules of the next raffle have as `carry`."""
    ace: int
    """Envelopes that its winner chooses from; 0: it has no ace."""
    must_go: bool
    """The next alternate chooses when the ace was missed; else the prize is carried over."""
    redraw_of: str
    """The prize whose lost place it gives away once more; "": it is a prize of its own."""
    waits: bool
    """It can be drawn when its turn comes; else it is drawn, or a redraw for which no place is without a winner."""


@dataclass(frozen=True)
class DrawInfo(Struct):
    """How a draw stands.

    C: raffle_draw_info_init
    """

    _c = "raffle_draw_info"
    attempt: int
    """1: the first intent for this prize."""
    intent: int
    """Index of the draw.intent in the control log."""
    at: datetime.datetime
    numbers: int
    """In the drum."""
    asked: int
    """How often a provider was asked under this intent."""
    pending: bool
    """Its last answer is lost; asking again needs a second approver."""
    finished: bool
    """The result is written."""
    committed: bool
    """A committed draw, of which the intent fixes what follows."""
    prize: str
    round: int
    """The beacon's round, …"""
    round_at: Optional[datetime.datetime]
    """… and its time: the draw is finished from then on."""
    fallback_round: int
    """The round that counts when the committed seed is lost, 24 hours later."""
    fallback_at: Optional[datetime.datetime]
    drum: bool
    """A drum draw, …"""
    taken: int
    """… whose first places are taken, …"""
    calls: int
    """… by so many numbers that were called."""


@dataclass(frozen=True)
class Call(Struct):
    """A draw number that was called in a drum draw.

    C: raffle_call_init
    """

    _c = "raffle_call"
    outcome: CallOutcome
    unit: int
    place: int
    """That it takes; 0: none."""
    number: int
    serial: int
    """Of its ticket; 0: not sold."""


@dataclass(frozen=True)
class Pick(Struct):
    """A place in a prize's result.

    C: raffle_pick_init
    """

    _c = "raffle_pick"
    place: int
    """From 1; winners first, then alternates, in the order drawn."""
    state: PlaceState
    unit: int
    number: int
    """The draw number: `unit`-`number`."""
    serial: int
    """Of its ticket."""
    called_at: Optional[datetime.datetime]
    """When its number was drawn."""
    claim_by: Optional[datetime.datetime]
    """Claimed until then, before a forfeit needs no second approver; None: no limit."""
    found: bool
    """Of a prize with an ace: its winner found it, and may claim."""


class Draw(OneThread):
    """A draw that was begun. One thread at a time.

    C: raffle_draw_free
    """

    _c = "raffle_draw"

    def describe(self) -> DrawInfo:
        """How it stands.

        C: raffle_draw_describe
        """
        info = DrawInfo._new()
        self._call(lib.raffle_draw_describe, info)
        return DrawInfo._read(info)

    def checkpoint(self) -> str:
        """The checkpoint over the intent, a signed note to be cosigned or published; as it was when the draw was begun or resumed.

        C: raffle_draw_checkpoint
        """
        with self._alone():
            pointer = self._get()  # until the string is copied, whoever frees it meanwhile
            return string(lib.raffle_draw_checkpoint(pointer))

    def finish(self, rng: Optional[Rng] = None, *, round: int = 0, beacon: Optional[Buffer] = None, seed: Optional[Buffer] = None,
               fallback: Optional[Buffer] = None, verify: Optional[BeaconVerify] = None, seed_lost: bool = False, quorum_late: bool = False,
               ok: Optional[Actor] = None, timeout_ms: int = 10000) -> None:
        """Asks the provider for the seed, selects, and writes the result, durably. When the provider fails nothing was drawn, the intent stays open, and the call
        may be made again.

        A committed draw asks nobody: it takes the beacon's `round` and value, the `seed`, and what verifies the value; when the seed is lost, `seed_lost` and
        `fallback`, the value of the fallback round. A drum draw ends here, once its numbers were called; with `ok`, a second approver, before every place is taken.

        C: raffle_draw_finish, raffle_finish_options_init
        """
        options, ctx = ffi.new("raffle_finish_options *"), None
        lib.raffle_finish_options_init(options, ffi.sizeof("raffle_finish_options"))
        options.flags = lib.RAFFLE_FINISH_SEED_LOST * bool(seed_lost) | lib.RAFFLE_FINISH_QUORUM_LATE * bool(quorum_late)
        options.round = integer(round, "round")
        for member, value in (("beacon", beacon), ("seed", seed), ("fallback", fallback)):
            if value is not None:
                ffi.memmove(getattr(options, member), fixed(value, 48, member), 48)
        if verify is not None:
            options.verify = lib.raffle_py_beacon_verify
            options.verify_ctx = ctx = lend(verify, "verify")
        options.ok = optional_actor(ok)
        try:
            self._call(lib.raffle_draw_finish, optional_handle(rng, Rng, "rng"), options, timeout_ms)
        finally:
            ffi.memmove(options.seed, bytes(48), 48)
            del ctx  # it lives as long as the call

    def call(self, unit: int, number: int) -> Call:
        """A draw number that was drawn from the drum by hand and called: verified, and written, whether it takes a place or is rejected, durably (GLI-31 2.6.4).

        C: raffle_draw_call
        """
        out = Call._new()
        self._call(lib.raffle_draw_call, unit, number, out)
        return Call._read(out)


class Draws(Handle):
    """The calls of a raffle on its prizes and draws."""

    def prize_at(self, i: int) -> Prize:
        """The prize at `i`, from 0 on, in drawing order.

        C: raffle_prize_at
        """
        out = Prize._new()
        call(lib.raffle_prize_at, self._get(), i, out)
        return Prize._read(out)

    def prize_by_name(self, name: str) -> Prize:
        """The prize of this name.

        C: raffle_prize_by_name
        """
        out = Prize._new()
        call(lib.raffle_prize_by_name, self._get(), text(name, "name"), out)
        return Prize._read(out)

    def prizes(self) -> Iterator[Prize]:
        """The prizes, in drawing order."""
        return each(self.prize_at)

    def draw_begin(self, by: Actor, prize: str, *, rng: Optional[Rng] = None, seed: Optional[Seed] = None, commitment: Optional[Buffer] = None, evidence: str = "",
                   ok: Optional[Actor] = None, reason: Optional[str] = None) -> Draw:
        """Begins: writes the intent, durably, before any randomness is asked for, and signs its checkpoint. rng: the provider that will be asked, or gave the seed,
        refused now when the rules do not allow it. A committed draw needs the `seed`, of which the commitment and evidence are used, or these two alone. ok: a
        second approver, which a redraw needs, and a drum where draw numbers have no counterfoil. reason: of a redraw, a word.

        C: raffle_draw_begin, raffle_draw_options_init
        """
        options = ffi.new("raffle_draw_options *")
        lib.raffle_draw_options_init(options, ffi.sizeof("raffle_draw_options"))
        if seed is not None:
            given(seed, Seed, "seed")
            commitment, evidence = seed.commitment, seed.evidence
        if commitment is not None:
            ffi.memmove(options.commitment, fixed(commitment, 32, "commitment"), 32)
        put_text(options, "evidence", evidence)
        options.ok = optional_actor(ok)
        word = options.reason = NULL if reason is None else ffi.new("char[]", text(reason, "reason"))
        pointer = options.rng = optional_handle(rng, Rng, "rng")
        try:
            return Draw._make(lib.raffle_draw_begin, self._get(), actor(by), text(prize, "prize"), options)
        finally:
            del pointer, word  # they live as long as the call

    def draw_pending(self) -> Optional[DrawInfo]:
        """The open intent, or None.

        C: raffle_draw_pending
        """
        info = DrawInfo._new()
        try:
            call(lib.raffle_draw_pending, self._get(), info)
        except NotFound as no:
            if not no._of_call:
                raise
            return None
        return DrawInfo._read(info)

    def draw_resume(self, by: Actor, ok: Optional[Actor] = None) -> Draw:
        """Takes up the open intent after a crash, a failed provider or a pause. When the provider had been asked and its answer is lost, asking again needs a second
        approver.

        C: raffle_draw_resume
        """
        return Draw._make(lib.raffle_draw_resume, self._get(), actor(by), optional_actor(ok))

    def draw_abort(self, by: Actor, ok: Actor, reason: str) -> None:
        """Ends the open intent of a random draw or of a drum without a result, with a second approver and a reason.

        C: raffle_draw_abort
        """
        call(lib.raffle_draw_abort, self._get(), actor(by), actor(ok, "ok"), text(reason, "reason"))

    def pick_at(self, prize: str, place: int) -> Pick:
        """A place, from 1 on, of a prize's result. `NotFound`: not drawn, or no such place.

        C: raffle_pick_at
        """
        out = Pick._new()
        call(lib.raffle_pick_at, self._get(), text(prize, "prize"), place, out)
        return Pick._read(out)

    def picks(self, prize: str) -> Iterator[Pick]:
        """The places of a prize's result; none before it is drawn. `NotFound`: there is no such prize."""
        name = self.prize_by_name(prize).name
        return each(lambda i: self.pick_at(name, i + 1))

    def winner_verify(self, by: Actor, prize: str, place: int, validation: str) -> Tuple[Pick, int]:
        """Compares the validation number on the ticket that is presented with the winning draw number (GLI-31 2.6.5) and writes that it was verified. When the
        ticket is void since the seal, the place is refused instead: how the place stands now, and the alternate's place that was promoted, 0 for none.

        C: raffle_winner_verify
        """
        now, promoted = Pick._new(), ffi.new("uint32_t *")
        call(lib.raffle_winner_verify, self._get(), actor(by), text(prize, "prize"), place, text(validation, "validation"), now, promoted)
        return Pick._read(now), int(promoted[0])

    def winner_official(self, by: Actor, prize: str, place: int) -> None:
        """The verified winner becomes official.

        C: raffle_winner_official
        """
        call(lib.raffle_winner_official, self._get(), actor(by), text(prize, "prize"), place)

    def winner_pick(self, by: Actor, ok: Actor, prize: str, place: int, envelope: int, outcome: Ace) -> int:
        """The official winner of a prize with an ace opened an envelope, from 1 on, in front of two. The alternate's place that was promoted, 0 for none.

        C: raffle_winner_pick
        """
        promoted = ffi.new("uint32_t *")
        call(lib.raffle_winner_pick, self._get(), actor(by), actor(ok, "ok"), text(prize, "prize"), place, envelope, outcome, promoted)
        return int(promoted[0])

    def claim(self, by: Actor, ok: Actor, prize: str, place: int, validation: str) -> None:
        """The prize is paid out: two actors, and the ticket's validation number again (GLI-31 2.7.1).

        C: raffle_claim
        """
        call(lib.raffle_claim, self._get(), actor(by), actor(ok, "ok"), text(prize, "prize"), place, text(validation, "validation"))

    def claim_wait(self, by: Actor, prize: str, place: int, validation: str) -> None:
        """The official winner presents the ticket in time, and papers are missing: the place waits for them.

        C: raffle_claim_wait
        """
        call(lib.raffle_claim_wait, self._get(), actor(by), text(prize, "prize"), place, text(validation, "validation"))

    def claim_papers(self, by: Actor, ok: Actor, prize: str, place: int, validation: str, papers: str) -> None:
        """As claim(), of a prize for which papers are asked: they were seen. `papers`: what the host knows them by; private.

        C: raffle_claim_papers
        """
        call(lib.raffle_claim_papers, self._get(), actor(by), actor(ok, "ok"), text(prize, "prize"), place, text(validation, "validation"), text(papers, "papers"))

    def forfeit(self, by: Actor, prize: str, place: int, reason: str, ok: Optional[Actor] = None) -> int:
        """The place is lost, with a reason; the alternate's place that is promoted, 0: none is left. Before the claim period is over it needs `ok`.

        C: raffle_forfeit
        """
        promoted = ffi.new("uint32_t *")
        call(lib.raffle_forfeit, self._get(), actor(by), optional_actor(ok), text(prize, "prize"), place, text(reason, "reason"), promoted)
        return int(promoted[0])


def each(at: Any) -> Iterator[Any]:
    """What `at` gives for 0, 1, … until the library says that there is none; a callback's `NotFound` is no end."""
    i = 0
    while True:
        try:
            yield at(i)
        except NotFound as no:
            if not no._of_call:
                raise
            return
        i += 1
