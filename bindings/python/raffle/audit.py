# SPDX-License-Identifier: Apache-2.0
"""The audit: replays a raffle from its store, or from what is published of it, and trusts nothing that can be computed. It needs no secret."""
import datetime
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Optional, Tuple, Union

from ._border import Document, StrPath, call, document, integer, optional_text, path, text
from ._callbacks import callback, lend
from ._handles import OneThread
from ._native import ffi, lib
from ._structs import Number, Struct
from ._writers import Progress, set_progress
from .beacon import BeaconVerify
from .draw import each
from .host import Host, Lent
from .store import Store
from .unit import put_text


@dataclass(frozen=True)
class Verdict(Struct):
    """What an audit found, in two verdicts: integrity (what is there is right) and completeness (what must be there is there).

    C: raffle_verdict_init
    """

    _c = "raffle_verdict"
    draws: int
    """Draws that were replayed."""
    passed: bool
    """Everything was read, and there is no fault of either kind."""
    key_pinned: bool
    """The control key was the caller's, not only the one that the log names for itself."""
    records: int
    """Records that were read."""
    faults: int
    """Of both kinds."""
    integrity: int
    """Faults of integrity."""
    incomplete: int
    """Faults of completeness."""
    private_missing: int
    """Records whose private part was erased or withheld; no fault."""
    tickets: int
    numbers: int
    voids: int
    gross: int
    void_gross: int
    currency: str
    """ISO 4217; "" when the rules are not known."""
    digits: int
    """Of its minor unit: 2 for CAD."""
    withheld: bool
    """A published copy without the units' records: tickets, numbers, voids and money are not known."""
    timestamps: int
    """Of a published copy: time stamps that are right, …"""
    timestamps_trusted: int
    """… of them, by one of the authorities."""
    stamped_at: Optional[datetime.datetime]
    """What the newest of them says."""
    receipts: int
    """That were given, …"""
    receipts_kept: int
    """… of them, good ones whose ticket is where they say."""


class FaultKind(Number):
    """What a fault is of."""

    INTEGRITY = lib.RAFFLE_FAULT_INTEGRITY
    COMPLETENESS = lib.RAFFLE_FAULT_COMPLETENESS


@dataclass(frozen=True)
class Fault(Struct):
    """One fault. At most 1,000 are kept; all are counted.

    C: raffle_fault_init
    """

    _c = "raffle_fault"
    kind: FaultKind
    log: int
    """0: control, n: unit n."""
    index: int
    """Of the record; the log's size when it concerns the log as a whole."""
    code: str
    """What kind of fault, a stable word."""
    message: str


class Assurance(Number):
    """What is proved of a draw."""

    VERIFIABLE = lib.RAFFLE_ASSURANCE_VERIFIABLE
    """Committed seed, verified beacon, witnesses in time: nobody could choose the winner."""
    CERTIFIED = lib.RAFFLE_ASSURANCE_CERTIFIED
    """The pinned, certified provider; that it was asked once is the operator's word."""
    OPERATOR = lib.RAFFLE_ASSURANCE_OPERATOR
    """The operator's word alone, or a rehearsal."""
    WRONG = lib.RAFFLE_ASSURANCE_WRONG
    """The result does not follow from its seed."""


@dataclass(frozen=True)
class AuditDraw(Struct):
    """A draw that was replayed.

    C: raffle_audit_draw_init
    """

    _c = "raffle_audit_draw"
    assurance: Assurance
    prize: str
    provider: str
    result: int
    """Index in the control log."""
    attempt: int
    """1: the first intent for this prize."""
    asked: int
    """How often the provider was asked under this intent."""
    redraw_excluded: bool
    """A witness or anchor rules out a hidden second draw."""
    places: int
    numbers: int
    """Draw numbers in the drum, void ones included."""
    skipped: int
    """Of those that came up."""
    committed: bool
    """The seed was committed to before the intent, and a beacon mixed in."""
    beacon_verified: bool
    """Its value was verified here, by `beacon`."""
    seed_lost: bool
    """The seed was lost, and another one followed from a later round; a fault of completeness."""
    witnessed: bool
    """The witnesses' quorum cosigned the intent, in a committed draw before the beacon's round."""
    round: int
    """The beacon's."""


Receipts = Union[Mapping[str, Document], Iterable[Tuple[str, Document]]]


class Receiving:
    """The receipts of an audit, one after the other; what was given last is kept, for C reads it until it asks again."""

    def __init__(self, receipts: Receipts) -> None:
        pairs = receipts.items() if isinstance(receipts, Mapping) else receipts
        self.rest = iter(pairs)
        self.alive: Any = None


@callback("audit_options_receipt")
def receipt(receiving: Receiving, i: int, name: Any, content: Any, length: Any, err: Any) -> int:
    try:
        known, data = next(receiving.rest)
    except StopIteration:
        return int(lib.RAFFLE_NOT_FOUND)
    taken, length[0] = document(data, "a receipt")
    receiving.alive = ffi.new("char[]", text(known, "name")), taken
    name[0], content[0] = receiving.alive
    return 0


class Audit(OneThread):
    """An audit that was run. One thread at a time.

    C: raffle_audit_free
    """

    _c = "raffle_audit"

    @classmethod
    def run(cls, store: Union[StrPath, Store], *, host: Optional[Host] = None, threads: int = 0, control_key: str = "", progress: Optional[Progress] = None,
            beacon: Optional[BeaconVerify] = None, authorities: Optional[str] = None, receipts: Optional[Receipts] = None) -> "Audit":
        """Audits a store: it was read to its end, and the verdicts are in the audit, good or bad: look at `verdict().passed`.

        threads: 0 for as many as there are processors. control_key: the vkey that must have signed; without it the one that the log names, which proves nothing
        about who. beacon: verifies the values of committed draws. authorities: certificates, PEM, to one of which every time stamp of a published copy must
        lead. receipts: names and texts, which the logs must bear out.

        C: raffle_audit_run, raffle_audit_run_with, raffle_audit_options_init
        """
        options = ffi.new("raffle_audit_options *")
        lib.raffle_audit_options_init(options, ffi.sizeof("raffle_audit_options"))
        options.threads = integer(threads, "threads")
        put_text(options, "control_key", control_key)
        alive = [set_progress(options, "audit", progress)]
        if beacon is not None:
            options.beacon = lib.raffle_py_beacon_verify
            alive.append(lend(beacon, "beacon"))
            options.beacon_ctx = alive[-1]
        if authorities is not None:
            alive.append(ffi.new("char[]", text(authorities, "authorities")))
            options.authorities = alive[-1]
        if receipts is not None:
            alive.append(ffi.new_handle(Receiving(receipts)))
            options.receipt = lib.raffle_py_audit_options_receipt
            options.receipt_ctx = alive[-1]
        if isinstance(store, Store):
            made = cls._make(lib.raffle_audit_run_with, store._get(), options)
        else:
            with Lent(host) as lent:
                made = cls._make(lib.raffle_audit_run, path(store, "store"), lent, options)
        del alive  # as long as the call
        return made

    def verdict(self) -> Verdict:
        """What it found.

        C: raffle_audit_verdict
        """
        out = Verdict._new()
        self._call(lib.raffle_audit_verdict, out)
        return Verdict._read(out)

    def fault_at(self, i: int) -> Fault:
        """The fault at `i`, from 0 on.

        C: raffle_audit_fault_at
        """
        out = Fault._new()
        self._call(lib.raffle_audit_fault_at, i, out)
        return Fault._read(out)

    def faults(self) -> Iterator[Fault]:
        """The faults that were kept."""
        return each(self.fault_at)

    def draw_at(self, i: int) -> AuditDraw:
        """The draw at `i`, from 0 on.

        C: raffle_audit_draw_at
        """
        out = AuditDraw._new()
        self._call(lib.raffle_audit_draw_at, i, out)
        return AuditDraw._read(out)

    def draws(self) -> Iterator[AuditDraw]:
        """The draws."""
        return each(self.draw_at)


def audit_store(store: StrPath, control_key: Optional[str] = None, host: Optional[Host] = None) -> Verdict:
    """The same in one call.

    C: raffle_audit_store
    """
    verdict = Verdict._new()
    with Lent(host) as lent:
        call(lib.raffle_audit_store, path(store, "store"), lent, optional_text(control_key, "control_key"), verdict)
    return Verdict._read(verdict)
