# SPDX-License-Identifier: Apache-2.0
"""Selling tickets, finding them again, voiding them, and the validation number that a claim must show."""
import array
import datetime
import operator
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union, overload

from ._border import Buffer, call, integer, optional_ms_of, string_out, text
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Struct
from .actor import Actor, actor
from .errors import Error, Invalid


class Sale(NamedTuple):
    """One ticket to be sold. Lines that follow one another with the same order key are one order, sold all or none; a line with "" is an order of its own.

    C: raffle_sale_init
    """

    tier: str
    """A tier of the rules."""
    order: str = ""
    """The host's key for the order; "": the library makes one. UUIDv7 is fastest."""
    payment: str = ""
    """Private: the payment's reference."""
    buyer: str = ""
    """Private: the host's opaque tag for the buyer."""
    channel: str = ""
    """Private: web, till, kiosk …"""
    at: Optional[datetime.datetime] = None
    """None: the clock. Else a replayed time; `Rehearsal` unless the clock is replayed."""


@dataclass(frozen=True)
class Ticket(Struct):
    """A ticket, sold: draw numbers `first` … `first + count - 1` of `unit`.

    C: raffle_ticket_init
    """

    _c = "raffle_ticket"
    rc: int
    """Of this line, where a call sells several; 0: it was sold."""
    unit: int
    """With `serial`: the ticket's identity."""
    count: int
    serial: int
    """Index of its record in the unit's log."""
    first: int
    price: int
    """In minor units of the rules' currency."""
    at: Optional[datetime.datetime]
    """None: the line was not sold."""
    flags: int
    tier: str
    order: str
    """Also of a line that failed, the key that the library made included; "" when it was erased."""

    @property
    def replayed(self) -> bool:
        """The order had been sold before; these are its tickets."""
        return bool(self.flags & lib.RAFFLE_TICKET_REPLAYED)

    @property
    def void(self) -> bool:
        """The ticket is void."""
        return bool(self.flags & lib.RAFFLE_TICKET_VOID)

    @property
    def reprinted(self) -> bool:
        """It was printed again: what is printed says so (GLI-31 3.3.2d)."""
        return bool(self.flags & lib.RAFFLE_TICKET_REPRINTED)

    @property
    def numbers(self) -> List[str]:
        """Its draw numbers as they are printed."""
        return [number_format(self.unit, self.first + i) for i in range(self.count)]


SALE = {name: (member.offset, ffi.sizeof(member.type)) for name, member in ffi.typeof("raffle_sale").fields}
SALE_SIZE = ffi.sizeof("raffle_sale")
TICKET = {name: member for name, member in ffi.typeof("raffle_ticket").fields}
TICKET_SIZE = ffi.sizeof("raffle_ticket")
ARRAY_CODES = {"int32_t": "i", "int": "i", "uint32_t": "I", "unsigned int": "I", "int64_t": "q", "long": "q", "uint64_t": "Q", "unsigned long": "Q"}


class Tickets(Sequence[Ticket]):
    """What a call sold, a ticket a line: a sequence over the library's own array, which makes a `Ticket` of what is asked for. `column()` gives a member of all."""

    def __init__(self, tickets: Any, n: int) -> None:
        self._tickets = tickets
        self._n = n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, i: int) -> Ticket: ...

    @overload
    def __getitem__(self, i: slice) -> List[Ticket]: ...

    def __getitem__(self, i: Union[int, slice]) -> Union[Ticket, List[Ticket]]:
        if isinstance(i, slice):
            return [self[at] for at in range(*i.indices(self._n))]
        at = operator.index(i)
        if at < 0:
            at += self._n
        if not 0 <= at < self._n:
            raise IndexError(f"there are {self._n} tickets")
        return Ticket._read(self._tickets + at)

    def __iter__(self) -> Iterator[Ticket]:
        layout = Ticket._lay()
        return map(Ticket._of, layout.form.iter_unpack(ffi.buffer(self._tickets, TICKET_SIZE * self._n)))

    def __repr__(self) -> str:
        return f"<{self._n} tickets>"

    def __reduce__(self) -> Any:
        return tickets_of, (bytes(ffi.buffer(self._tickets, TICKET_SIZE * self._n)),)

    def column(self, name: str) -> "array.array[int]":
        """The member `name`, a number, of every ticket: "serial", "first", "count", "price", "rc", "at" in milliseconds …"""
        member = TICKET.get(name)
        code = member and ARRAY_CODES.get(member.type.cname)
        if member is None or code is None:
            raise ValueError(f"a ticket has no number {name!r}")
        out = array.array(code, bytes(array.array(code).itemsize * self._n))
        if self._n:
            lib.raffle_py_get_values(ffi.cast("char *", self._tickets) + member.offset, TICKET_SIZE, ffi.from_buffer(out), out.itemsize, self._n)
        return out


def tickets_of(data: bytes) -> Tickets:
    """From another process."""
    n = len(data) // TICKET_SIZE
    tickets = ffi.new("raffle_ticket[]", n)
    ffi.memmove(tickets, data, n * TICKET_SIZE)
    return Tickets(tickets, n)


# --- a batch on its way into C ---

Texts = Union[str, Sequence[str], Buffer]
Times = Union[Sequence[Optional[datetime.datetime]], "array.array[int]", Buffer]


class Cart:
    """An array of lines, filled column by column."""

    def __init__(self, n: int) -> None:
        self.n = n = integer(n, "n")
        if not 1 <= n <= lib.RAFFLE_SELL_MAX:
            raise ValueError(f"a call sells 1 to {lib.RAFFLE_SELL_MAX} lines, not {n}")
        self.sales = ffi.new("raffle_sale[]", n)
        self.first = ffi.cast("char *", self.sales)
        lib.raffle_sale_init(self.sales, SALE_SIZE)

    def texts(self, name: str, values: Texts) -> None:
        """A column of text: one value for all lines, a value a line, or bytes with a line feed after each."""
        if isinstance(values, str):
            self.same(name, values)
        elif isinstance(values, (bytes, bytearray, memoryview)):
            self.lines(name, values)
        else:
            self.values(name, values)

    def same(self, name: str, value: str) -> None:
        offset, cap = SALE[name]
        data = text(value, name)
        if len(data) >= cap:
            raise Invalid(f"{name} has {len(data)} bytes, and {cap - 1} may be", detail=1)
        if data:
            lib.raffle_py_put_text(self.first + offset, SALE_SIZE, data, len(data), self.n)

    def lines(self, name: str, values: Buffer) -> None:
        data = ffi.from_buffer(values)
        length = len(data)
        put = self.put(name, data, length - (length > 0 and data[length - 1] == b"\n"), b"\n")
        if put != self.n:
            _, cap = SALE[name]
            raise Invalid(f"line {put + 1}: {name} is missing, has more than {cap - 1} bytes or a NUL character, or more lines follow", detail=put + 1)

    def values(self, name: str, values: Sequence[str]) -> None:
        if len(values) != self.n:
            raise ValueError(f"{name} has {len(values)} values for {self.n} lines")
        data = "\0".join(values).encode("utf-8")
        if len(data) == self.n - 1:  # every value is empty
            return
        if data.count(b"\0") != self.n - 1 or self.put(name, data, len(data), b"\0") != self.n:
            raise self.fault(name, values)

    def put(self, name: str, data: Any, length: int, separator: bytes) -> int:
        """How many lines fit."""
        offset, cap = SALE[name]
        return int(lib.raffle_py_put_texts(self.first + offset, SALE_SIZE, cap, data, length, separator, self.n))

    def fault(self, name: str, values: Sequence[str]) -> Invalid:
        """Of the first value that cannot be put into its line."""
        _, cap = SALE[name]
        for line, value in enumerate(values, 1):
            size = len(value.encode("utf-8"))
            if "\0" in value:
                return Invalid(f"line {line}: {name} has a NUL character", detail=line)
            if size >= cap:
                return Invalid(f"line {line}: {name} has {size} bytes, and {cap - 1} may be", detail=line)
        raise AssertionError(f"{name} fits")

    def times(self, values: Times) -> None:
        if not isinstance(values, (array.array, bytes, bytearray, memoryview)):
            values = array.array("q", [optional_ms_of(value, "at") for value in values])
        data = memoryview(values)
        if data.format not in ("q", "l", "b", "B", "c"):
            raise TypeError(f"at is a buffer of int64, not of {data.format!r}")
        data = data.cast("B")
        if len(data) != 8 * self.n:
            raise ValueError(f"at has {len(data)} bytes for {self.n} lines of 8")
        lib.raffle_py_put_values(self.first + SALE["at"][0], SALE_SIZE, ffi.from_buffer(data), 8, self.n)


def cart_of(sales: Iterable[Sale]) -> Cart:
    """From objects."""
    lines = sales if isinstance(sales, (list, tuple)) else list(sales)
    for kind in set(map(type, lines)):
        if not issubclass(kind, Sale):
            raise TypeError(f"a line is a Sale, not {kind.__name__}")
    cart = Cart(len(lines))
    tiers, orders, payments, buyers, channels, ats = zip(*lines)
    for name, values in (("tier", tiers), ("order", orders), ("payment", payments), ("buyer", buyers), ("channel", channels)):
        cart.texts(name, values)
    if ats.count(None) < cart.n:
        cart.times(ats)
    return cart


def sell(unit: Handle, by: Actor, cart: Cart, timeout_ms: int) -> Tickets:
    out = ffi.new("raffle_ticket[]", cart.n)
    lib.raffle_ticket_init(out, TICKET_SIZE)
    tickets = Tickets(out, cart.n)
    try:
        call(lib.raffle_unit_sell, unit._get(), actor(by), cart.sales, cart.n, timeout_ms, out)
    except Error as no:
        if no._of_call:  # and not what a callback raised, which other callers get, too
            no.tickets = tickets
        raise
    return tickets


# --- the calls ---

class Sales(Handle):
    """The calls of a raffle on tickets."""

    def order_tickets(self, order: str) -> Tickets:
        """The tickets of an order. `NotFound`, `Erased`.

        C: raffle_order_tickets
        """
        key, cap, n = text(order, "order"), 4, ffi.new("size_t *")
        while True:
            out = ffi.new("raffle_ticket[]", cap)
            lib.raffle_ticket_init(out, TICKET_SIZE)
            call(lib.raffle_order_tickets, self._get(), key, out, cap, n)
            if n[0] <= cap:
                return Tickets(out, n[0])
            cap = n[0]

    def ticket_get(self, unit: int, serial: int) -> Ticket:
        """A ticket by its identity.

        C: raffle_ticket_get
        """
        out = Ticket._new()
        call(lib.raffle_ticket_get, self._get(), unit, serial, out)
        return Ticket._read(out)

    def ticket_by_number(self, number: str) -> Ticket:
        """A ticket by one of its draw numbers, as printed.

        C: raffle_ticket_by_number
        """
        out = Ticket._new()
        call(lib.raffle_ticket_by_number, self._get(), text(number, "number"), out)
        return Ticket._read(out)

    def ticket_by_validation(self, validation: str) -> Ticket:
        """A ticket by its validation number as somebody typed it. `Invalid`: mistyped, or of another raffle; one that fails is counted, and written as an event
        at most once a minute.

        C: raffle_ticket_by_validation
        """
        out = Ticket._new()
        call(lib.raffle_ticket_by_validation, self._get(), text(validation, "validation"), out)
        return Ticket._read(out)

    def void(self, by: Actor, unit: int, serial: int, reason: str) -> None:
        """Takes a ticket back, whole: its draw numbers are dead for good (GLI-31 2.3.3). reason: "refund", "payment", "misprint", "error" or "other".

        C: raffle_void
        """
        call(lib.raffle_void, self._get(), actor(by), unit, serial, text(reason, "reason"))

    def ticket_erase(self, by: Actor, unit: int, serial: int) -> None:
        """Erases the private part of a ticket's record: the proofs stay whole. What was erased cannot be read again, by anybody.

        C: raffle_ticket_erase
        """
        call(lib.raffle_ticket_erase, self._get(), actor(by), unit, serial)


def number_format(unit: int, number: int) -> str:
    """A printed draw number, U-NNNNNNN with at least seven digits.

    C: raffle_number_format
    """
    return string_out(lib.raffle_number_format, unit, number, cap=lib.RAFFLE_NUMBER_SIZE)


def number_parse(number: str) -> Tuple[int, int]:
    """And back: unit and number.

    C: raffle_number_parse
    """
    unit, value = ffi.new("uint32_t *"), ffi.new("uint64_t *")
    call(lib.raffle_number_parse, text(number, "number"), unit, value)
    return int(unit[0]), int(value[0])
