# SPDX-License-Identifier: Apache-2.0
"""How calls fail: an exception for each status, in five families, with the library's sentence.

`Error` is the root. The families are those of the statuses' numbers: `ArgumentsError`, `StateError`, `SurroundingsError`, `IntegrityError`,
`RandomnessError`. What Python has a word for is that, too: `Invalid` is a `ValueError`, `NotFound` a `LookupError`.

A callback that raises does not become one of these: the call that entered C raises the very exception that the callback raised.
"""
from typing import TYPE_CHECKING, Dict, Optional, Type

from ._native import ffi, lib

if TYPE_CHECKING:
    from .sale import Tickets


class Error(Exception):
    """A call that failed. `str(error)` is the library's sentence, which names the value at fault and never a secret. A host's callback may raise any of
    these to fail with its status.

    C: raffle_error_init, raffle_error_set
    """

    rc: int = 0
    """The status, as in C."""
    _of_call = False
    """The library's own, for one call; else it was made elsewhere, and several may get it."""

    def __init__(self, message: str = "", *, rc: Optional[int] = None, detail: int = 0, token: int = 0) -> None:
        super().__init__(message)
        self.message = message
        if rc is not None:
            self.rc = rc
        self.detail = detail
        """A line of a file, or an element of an array, counted from 1; 0: none."""
        self.token = token
        """By what the binding knows the exception of a callback; else 0."""
        self.tickets: Optional["Tickets"] = None
        """Of a sale of several lines: what became of each, those that were sold included."""


def rc_name(rc: int) -> str:
    """The name of a status as written in C, "RAFFLE_OK"; "RAFFLE_?" for a number this build does not know.

    C: raffle_rc_name
    """
    return str(ffi.string(lib.raffle_rc_name(rc)).decode())


def rc_text(rc: int) -> str:
    """A few words for a status, "outside the sales window".

    C: raffle_rc_text
    """
    return str(ffi.string(lib.raffle_rc_text(rc)).decode())


class ArgumentsError(Error):
    """The arguments are at fault."""


class StateError(Error):
    """The raffle does not stand so that it could be done."""


class SurroundingsError(Error):
    """Disk, memory, time, a lock, a callback: it may be tried again."""


class IntegrityError(Error):
    """What is stored, signed or proved is not what it must be."""


class RandomnessError(Error):
    """The provider of randomness."""


class Misuse(ArgumentsError, RuntimeError):
    """The program is wrong: a NULL, a handle entered from its own callback. (RAFFLE_MISUSE)"""

    rc = lib.RAFFLE_MISUSE


class Invalid(ArgumentsError, ValueError):
    """A value is malformed or out of range. (RAFFLE_INVALID)"""

    rc = lib.RAFFLE_INVALID


class Limit(ArgumentsError, ValueError):
    """Beyond a limit of the rules or of the format. (RAFFLE_LIMIT)"""

    rc = lib.RAFFLE_LIMIT


class NotFound(ArgumentsError, LookupError):
    """No such ticket, order, prize, unit, file. (RAFFLE_NOT_FOUND)"""

    rc = lib.RAFFLE_NOT_FOUND


class Exists(ArgumentsError):
    """It is there already. (RAFFLE_EXISTS)"""

    rc = lib.RAFFLE_EXISTS


class Mismatch(ArgumentsError):
    """The order key, number or key is known, with other content. (RAFFLE_MISMATCH)"""

    rc = lib.RAFFLE_MISMATCH


class Role(ArgumentsError):
    """This role may not do this. (RAFFLE_ROLE)"""

    rc = lib.RAFFLE_ROLE


class Approval(ArgumentsError):
    """A second approver is missing, is the first one again, or may not approve. (RAFFLE_APPROVAL)"""

    rc = lib.RAFFLE_APPROVAL


class Unsupported(ArgumentsError):
    """Not in this build, or not by this provider. (RAFFLE_UNSUPPORTED)"""

    rc = lib.RAFFLE_UNSUPPORTED


class TooSmall(ArgumentsError):
    """The caller's buffer; the length that is needed was stored. (RAFFLE_TOO_SMALL)"""

    rc = lib.RAFFLE_TOO_SMALL


class Window(StateError):
    """Outside the sales window. (RAFFLE_WINDOW)"""

    rc = lib.RAFFLE_WINDOW


class Disabled(StateError):
    """The unit is not enrolled, not enabled or un-enrolled. (RAFFLE_DISABLED)"""

    rc = lib.RAFFLE_DISABLED


class Closed(StateError):
    """The unit, or the raffle's sales, are closed. (RAFFLE_CLOSED)"""

    rc = lib.RAFFLE_CLOSED


class Quota(StateError):
    """The unit's quota of draw numbers is used up. (RAFFLE_QUOTA)"""

    rc = lib.RAFFLE_QUOTA


class Voided(StateError):
    """The ticket is void. (RAFFLE_VOIDED)"""

    rc = lib.RAFFLE_VOIDED


class Drawn(StateError):
    """The ticket holds a place in a result, or the prize is drawn already. (RAFFLE_DRAWN)"""

    rc = lib.RAFFLE_DRAWN


class NotSealed(StateError):
    """The seal that this needs is missing. (RAFFLE_NOT_SEALED)"""

    rc = lib.RAFFLE_NOT_SEALED


class NotAcked(StateError):
    """The voids of the seal are not acknowledged (GLI-31 2.6.3). (RAFFLE_NOT_ACKED)"""

    rc = lib.RAFFLE_NOT_ACKED


class Sequence(StateError):
    """Out of order: an earlier step, or an earlier prize, comes first. (RAFFLE_SEQUENCE)"""

    rc = lib.RAFFLE_SEQUENCE


class DrawOpen(StateError):
    """An intent is open; only its draw may go on. (RAFFLE_DRAW_OPEN)"""

    rc = lib.RAFFLE_DRAW_OPEN


class Empty(StateError):
    """Nothing was sold: there is nothing to draw from. (RAFFLE_EMPTY)"""

    rc = lib.RAFFLE_EMPTY


class Unreconciled(StateError):
    """A unit's sales are not all in. (RAFFLE_UNRECONCILED)"""

    rc = lib.RAFFLE_UNRECONCILED


class Clock(StateError):
    """The clock went back or leapt; a supervisor must write `clock.reset`. (RAFFLE_CLOCK)"""

    rc = lib.RAFFLE_CLOCK


class Rehearsal(StateError):
    """Only a rehearsal may do this. (RAFFLE_REHEARSAL)"""

    rc = lib.RAFFLE_REHEARSAL


class Quorum(StateError):
    """Too few of the witnesses that the rules ask for have cosigned, or not in time. (RAFFLE_QUORUM)"""

    rc = lib.RAFFLE_QUORUM


class Away(StateError):
    """The unit's log lives elsewhere (till.h), or the control log does: what is asked for happens there. (RAFFLE_AWAY)"""

    rc = lib.RAFFLE_AWAY


class Expired(StateError):
    """The time in which it could be done is over: a claim period. (RAFFLE_EXPIRED)"""

    rc = lib.RAFFLE_EXPIRED


class Papers(StateError):
    """It is paid out against papers, which nobody has seen (GLI-31 2.7.1). (RAFFLE_PAPERS)"""

    rc = lib.RAFFLE_PAPERS


class Nomem(SurroundingsError, MemoryError):
    """No memory. (RAFFLE_NOMEM)"""

    rc = lib.RAFFLE_NOMEM


class Io(SurroundingsError):
    """Reading or writing failed. (RAFFLE_IO)"""

    rc = lib.RAFFLE_IO


class Busy(SurroundingsError):
    """Locked by somebody else for longer than the call may wait. (RAFFLE_BUSY)"""

    rc = lib.RAFFLE_BUSY


class Full(SurroundingsError):
    """No space left. (RAFFLE_FULL)"""

    rc = lib.RAFFLE_FULL


class Readonly(SurroundingsError):
    """The store, its file or its opening allows no writing. (RAFFLE_READONLY)"""

    rc = lib.RAFFLE_READONLY


class Timeout(SurroundingsError):
    """Out of time; nothing was written. (RAFFLE_TIMEOUT)"""

    rc = lib.RAFFLE_TIMEOUT


class Unknown(SurroundingsError):
    """Out of time or connection; it may have been written. (RAFFLE_UNKNOWN)"""

    rc = lib.RAFFLE_UNKNOWN


class Host(SurroundingsError):
    """A callback of the host failed; and what it raised is not known any more. (RAFFLE_HOST)"""

    rc = lib.RAFFLE_HOST


class Forked(SurroundingsError):
    """The handle was made before fork(), in the parent. (RAFFLE_FORKED)"""

    rc = lib.RAFFLE_FORKED


class Corrupt(IntegrityError):
    """Bytes are not what was written. (RAFFLE_CORRUPT)"""

    rc = lib.RAFFLE_CORRUPT


class Halted(IntegrityError):
    """This handle found corruption before, and stays halted (GLI-31 3.4.4). (RAFFLE_HALTED)"""

    rc = lib.RAFFLE_HALTED


class History(IntegrityError):
    """The log is smaller than, or no extension of, what was seen before: a restored or cloned store. (RAFFLE_HISTORY)"""

    rc = lib.RAFFLE_HISTORY


class NotRaffle(IntegrityError):
    """The file or database holds no raffle. (RAFFLE_NOT_RAFFLE)"""

    rc = lib.RAFFLE_NOT_RAFFLE


class Newer(IntegrityError):
    """Written in a newer format than this build reads. (RAFFLE_NEWER)"""

    rc = lib.RAFFLE_NEWER


class NetworkFs(IntegrityError):
    """A network file system, whose locks cannot be trusted. (RAFFLE_NETWORK_FS)"""

    rc = lib.RAFFLE_NETWORK_FS


class Key(IntegrityError):
    """Keys are missing, unreadable, or not those that the log names. (RAFFLE_KEY)"""

    rc = lib.RAFFLE_KEY


class Signature(IntegrityError):
    """A signature is missing or wrong. (RAFFLE_SIGNATURE)"""

    rc = lib.RAFFLE_SIGNATURE


class Proof(IntegrityError):
    """A proof does not prove it. (RAFFLE_PROOF)"""

    rc = lib.RAFFLE_PROOF


class Erased(IntegrityError):
    """The private part that this needs has been erased. (RAFFLE_ERASED)"""

    rc = lib.RAFFLE_ERASED


class StateDiffers(IntegrityError):
    """Folding the records again gives other totals than were kept. (RAFFLE_STATE_DIFFERS)"""

    rc = lib.RAFFLE_STATE_DIFFERS


class Rng(RandomnessError):
    """The provider failed. (RAFFLE_RNG)"""

    rc = lib.RAFFLE_RNG


class RngUnhealthy(RandomnessError):
    """Its output failed a health test. (RAFFLE_RNG_UNHEALTHY)"""

    rc = lib.RAFFLE_RNG_UNHEALTHY


class RngNotPinned(RandomnessError):
    """The rules do not allow this provider. (RAFFLE_RNG_NOT_PINNED)"""

    rc = lib.RAFFLE_RNG_NOT_PINNED


class RngSeed(RandomnessError):
    """It handed out the same seed again. (RAFFLE_RNG_SEED)"""

    rc = lib.RAFFLE_RNG_SEED


FAMILIES = ((19, ArgumentsError), (39, StateError), (59, SurroundingsError), (79, IntegrityError), (99, RandomnessError))

CLASSES: Dict[int, Type[Error]] = {kind.rc: kind for _, family in FAMILIES for kind in family.__subclasses__()}


def class_of(rc: int) -> Type[Error]:
    """The exception of a status; of one that a newer library gives, its family."""
    return CLASSES.get(rc) or next((family for last, family in FAMILIES if 0 < rc <= last), Error)
