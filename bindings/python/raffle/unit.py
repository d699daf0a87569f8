# SPDX-License-Identifier: Apache-2.0
"""Sales units (GLI: RSU): enrolled, enabled, disabled, closed; each owns one log."""
import datetime
from dataclasses import dataclass
from typing import Any, Iterable, Optional, Tuple, Union

from ._border import Document, call, document, integer, optional_text, string_out, text, text_out
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Struct
from ._writers import Writer, writing
from .actor import Actor, actor
from .sale import Cart, Sale, Texts, Tickets, Times, cart_of, sell


@dataclass(frozen=True)
class UnitInfo(Struct):
    """How a unit stands.

    C: raffle_unit_info_init
    """

    _c = "raffle_unit_info"
    number: int
    name: str
    key: str
    """Public key as a vkey."""
    enabled: bool
    closed: bool
    unenrolled: bool
    halted: bool
    """Damaged, or behind its anchor: read only."""
    quota: int
    """0: no limit."""
    size: int
    """Records."""
    tickets: int
    numbers: int
    voids: int
    gross: int
    void_gross: int
    last_at: Optional[datetime.datetime]
    """Time of the newest record."""
    away: bool
    """Its log is in a store of its own."""
    hours: int
    """Then, for which it sells by itself; 0: no limit."""
    heard: Optional[datetime.datetime]
    """When the control log last spoke of it so that these hours began anew."""
    synced: int
    """Records that it uploaded."""
    twice: int
    """Orders of those that another unit sold, too."""
    left_numbers: int
    """Draw numbers, and …"""
    left_gross: int
    """… money, of what the final seal left out and is in the store since."""
    unreconciled: bool
    """The final seal took less than all its sales."""
    printed: int
    """Draw numbers that have counterfoils: the first ones."""
    failures: int
    """Validations that failed since it was enabled, or one passed."""
    seen: Optional[datetime.datetime]
    """When one passed, or it was enabled."""


@dataclass(frozen=True)
class UnitCloseInfo(Struct):
    """What a good receipt of a close says: all that the unit wrote.

    C: raffle_unit_close_info_init
    """

    _c = "raffle_unit_close_info"
    unit: int
    origin: str
    """The raffle's."""
    size: int
    """Records of its log, the close being the last, …"""
    root: bytes
    """… and their root."""
    at: datetime.datetime
    """When it was closed."""
    tickets: int
    """Void ones included, as in what follows."""
    numbers: int
    gross: int
    voids: int
    """Tickets, draw numbers and price of the void ones."""
    void_numbers: int
    void_gross: int


class Unit(Handle):
    """A handle to sell through. Several to one unit share its log. Any thread: what threads sell at once is committed together.

    C: raffle_unit_open, raffle_unit_free
    """

    _c = "raffle_unit"

    def sell(self, by: Actor, sales: Union[Sale, Iterable[Sale]], timeout_ms: int = 10000) -> Tickets:
        """Sells tickets, durably; up to 10,000 at once.

        When lines fail, the first one's failure is raised, with its place in `detail`; the others stand: `error.tickets` has each line's `rc`. After `Unknown`
        ask again with the same order keys: an order that was sold before gives the first tickets.

        C: raffle_unit_sell
        """
        return sell(self, by, cart_of([sales] if isinstance(sales, Sale) else sales), timeout_ms)

    def sell_columns(self, by: Actor, n: int, *, tier: Texts, order: Texts = "", payment: Texts = "", buyer: Texts = "", channel: Texts = "",
                     at: Optional[Times] = None, timeout_ms: int = 10000) -> Tickets:
        """The same for `n` lines that are given as columns, which is faster: each is one `str` for all lines, a sequence with a `str` a line, or bytes (anything with
        a buffer) with a line feed after each value; `at` is a sequence of times, or a buffer of int64 milliseconds.

        C: raffle_unit_sell
        """
        cart = Cart(n)
        for name, values in (("tier", tier), ("order", order), ("payment", payment), ("buyer", buyer), ("channel", channel)):
            cart.texts(name, values)
        if at is not None:
            cart.times(at)
        return sell(self, by, cart, timeout_ms)

    def validation(self, serial: int) -> str:
        """The validation number of a ticket, made on request and kept nowhere (GLI-31 2.3.2). A secret of the buyer's: print it, do not log it.

        C: raffle_unit_validation
        """
        return string_out(lib.raffle_unit_validation, self._get(), serial, cap=lib.RAFFLE_VALIDATION_SIZE)

    def close(self, by: Actor) -> None:
        """Ends the unit's log, for good: folds its records again, and writes `unit.close` with the totals. `free()` is what releases the handle.

        C: raffle_unit_close
        """
        call(lib.raffle_unit_close, self._get(), actor(by))

    def export(self, challenge: str, write: Writer) -> None:
        """At a till: writes all records that the raffle has not, as it says in its challenge, signed by the unit's key.

        C: raffle_unit_export
        """
        writing(lib.raffle_unit_export, self._get(), text(challenge, "challenge"), write=write)


class Units(Handle):
    """The calls of a raffle on its units."""

    def unit_enrol(self, by: Actor, name: str, *, quota: int = 0, away: bool = False, hours: int = 0, key: str = "", proof: str = "") -> int:
        """Enrols the next unit, disabled (GLI-31 6.1.3), and gives its number. quota: the most draw numbers it may sell; 0: no limit. Of a till elsewhere, which
        needs a quota: `away`, the `hours` for which it may sell by itself, and `key` and `proof` as unit_apply() gave them. `Exists`: a unit has this name.

        C: raffle_unit_enrol, raffle_unit_options_init
        """
        options = ffi.new("raffle_unit_options *")
        lib.raffle_unit_options_init(options, ffi.sizeof("raffle_unit_options"))
        options.quota, options.away, options.hours = integer(quota, "quota"), bool(away), integer(hours, "hours")
        for member, value in (("name", name), ("key", key), ("proof", proof)):
            put_text(options, member, value)
        number = ffi.new("uint32_t *")
        call(lib.raffle_unit_enrol, self._get(), actor(by), options, number)
        return int(number[0])

    def unit_enable(self, by: Actor, number: int) -> None:
        """Enabled units sell. `Closed`: the unit was closed. `Exists`: it is enabled.

        C: raffle_unit_enable
        """
        call(lib.raffle_unit_enable, self._get(), actor(by), number)

    def unit_disable(self, by: Actor, number: int, reason: str) -> None:
        """A disabled unit is refused by every sale that begins later, in every process. `reason` is a word.

        C: raffle_unit_disable
        """
        call(lib.raffle_unit_disable, self._get(), actor(by), number, text(reason, "reason"))

    def unit_quota(self, by: Actor, number: int, quota: int) -> None:
        """Replaces the quota; not below what was sold: `Limit`.

        C: raffle_unit_quota
        """
        call(lib.raffle_unit_quota, self._get(), actor(by), number, quota)

    def unit_unenrol(self, by: Actor, number: int) -> None:
        """Takes a unit out for good; only one that never sold.

        C: raffle_unit_unenrol
        """
        call(lib.raffle_unit_unenrol, self._get(), actor(by), number)

    def unit_open(self, number: int) -> Unit:
        """A handle to sell through.

        C: raffle_unit_open
        """
        return Unit._make(lib.raffle_unit_open, self._get(), number)

    def unit_describe(self, number: int) -> UnitInfo:
        """How a unit stands.

        C: raffle_unit_describe
        """
        info = UnitInfo._new()
        call(lib.raffle_unit_describe, self._get(), number, info)
        return UnitInfo._read(info)

    def unit_close_receipt(self, number: int) -> str:
        """The receipt of a unit's close (GLI-31 2.6.2), a C2SP tlog-proof. `Sequence`: the unit is not closed.

        C: raffle_unit_close_receipt
        """
        return text_out(lib.raffle_unit_close_receipt, self._get(), number, cap=lib.RAFFLE_CLOSE_RECEIPT_MAX + 1).decode()

    def unit_validated(self, by: Actor, number: int, passed: bool, text: Optional[str] = None) -> bool:
        """Says how a validation of a unit went (GLI-31 5.4.2); whether it was disabled by it.

        C: raffle_unit_validated
        """
        disabled = ffi.new("int32_t *")
        call(lib.raffle_unit_validated, self._get(), actor(by), number, bool(passed), optional_text(text, "text"), disabled)
        return bool(disabled[0])

    def units_watch(self, by: Actor) -> Tuple[int, int]:
        """To be called now and then: each enabled unit of which nothing was heard for the minutes of the rules' `watch` gets an event. How many did, and how many
        were disabled.

        C: raffle_units_watch
        """
        silent, disabled = ffi.new("uint32_t *"), ffi.new("uint32_t *")
        call(lib.raffle_units_watch, self._get(), actor(by), silent, disabled)
        return int(silent[0]), int(disabled[0])


def put_text(struct: Any, member: str, value: str) -> None:
    """Into a fixed array of a struct, which keeps its last byte zero."""
    data = text(value, member)
    room = ffi.sizeof(getattr(struct, member)) - 1
    if len(data) > room:
        raise ValueError(f"{member} has {len(data)} bytes, and {room} may be")
    setattr(struct, member, data)


def unit_close_verify(receipt: Document, unit_key: str) -> UnitCloseInfo:
    """Verifies the receipt of a close, without a store or a network. `unit_key`, the unit's vkey, is the only trust.

    C: raffle_unit_close_verify
    """
    data, length = document(receipt, "receipt")
    info = UnitCloseInfo._new()
    call(lib.raffle_unit_close_verify, data, length, text(unit_key, "unit_key"), info)
    return UnitCloseInfo._read(info)
