# SPDX-License-Identifier: Apache-2.0
"""Significant events (GLI-31 5.6): what the host reports, what the library writes by itself, and how they are found again."""
import datetime
from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, NamedTuple, Optional

from ._border import NULL, call, integer, ms_of, optional_ms_of, optional_text, string, text
from ._callbacks import callback, lend
from ._handles import Handle, given
from ._native import ffi, lib
from ._structs import Number, Struct
from .actor import Actor, Role, actor, optional_actor
from .draw import each
from .unit import put_text


class EventSeverity(Number):
    """How bad an event is."""

    NONE = 0
    """Its code is not in the table."""
    INFO = lib.RAFFLE_EVENT_INFO
    WARNING = lib.RAFFLE_EVENT_WARNING
    """Somebody should look."""
    ALARM = lib.RAFFLE_EVENT_ALARM
    """Somebody must."""


@dataclass(frozen=True)
class EventCode(Struct):
    """A code of the table in docs/guide/events.md.

    C: raffle_event_code_init
    """

    _c = "raffle_event_code"
    severity: EventSeverity
    writers: int
    code: str
    component: str
    """The kind of component that it is about: "printer"."""
    clause: str
    """Of GLI-31: "5.6.1(c)"; or "-"."""
    meaning: str
    """Half a sentence."""

    @property
    def by_host(self) -> bool:
        """The host may write it."""
        return bool(self.writers & lib.RAFFLE_EVENT_BY_HOST)

    @property
    def by_library(self) -> bool:
        """The library writes it."""
        return bool(self.writers & lib.RAFFLE_EVENT_BY_LIBRARY)


@dataclass(frozen=True)
class EventHit(Struct):
    """An event that was found. Texts are empty where there is none.

    C: raffle_event_hit_init
    """

    _c = "raffle_event_hit"
    log: int
    """The log that it stands in."""
    index: int
    at: datetime.datetime
    by: Role
    ok: int
    """The second approver's role, or 0."""
    code: str
    component: str
    count: int
    """-1: it counts nothing."""
    unit: int
    """What it is about: a unit, or 0, …"""
    severity: EventSeverity
    serial: int
    """… and a ticket of it, or 0."""
    has_private: bool
    """Whether the private part is there."""
    actor: str
    approver: str
    text: str
    element: str
    """data.altered, …"""
    old_value: str
    new_value: str
    login: str
    """remote.begin, …"""
    from_: str
    begin: int
    """remote.end: the index of its remote.begin."""


class Found(NamedTuple):
    """What a search gave."""

    events: List[EventHit]
    more: bool
    """The limit ended it, and there are more."""


@callback("event_sink")
def event_sink(take: Callable[[EventHit], object], hit: Any, err: Any) -> None:
    take(EventHit._read(hit))


class Events(Handle):
    """The calls of a raffle on events."""

    def event(self, by: Actor, unit: int, code: str, component: Optional[str] = None, text: Optional[str] = None) -> None:
        """Writes an event to the log of a unit, or with 0 to the control log. docs/guide/events.md lists the known codes; others begin with "x.". `text` is private.

        C: raffle_event
        """
        call(lib.raffle_event, self._get(), actor(by), unit, needed(code, "code"), optional_text(component, "component"), optional_text(text, "text"))

    def event_write(self, by: Actor, code: str, *, unit: int = 0, component: Optional[str] = None, text: Optional[str] = None, ok: Optional[Actor] = None,
                    element: Optional[str] = None, old_value: Optional[str] = None, new_value: Optional[str] = None, login: Optional[str] = None,
                    from_: Optional[str] = None, begin: int = 0) -> int:
        """Writes an event with all that can be said of it, and gives its index in its log. data.altered takes `element`, `old_value`, `new_value` and `ok`;
        remote.begin `login` and `from_`; remote.end `begin`, the index of what it ends.

        C: raffle_event_write, raffle_event_details_init
        """
        details = ffi.new("raffle_event_details *")
        lib.raffle_event_details_init(details, ffi.sizeof("raffle_event_details"))
        details.unit, details.begin, details.ok = integer(unit, "unit"), integer(begin, "begin"), optional_actor(ok)
        texts = {"code": code, "component": component, "text": text, "element": element, "old_value": old_value, "new_value": new_value, "login": login, "from": from_}
        alive = {name: ffi.from_buffer("char[]", needed(value, name) + b"\0") for name, value in texts.items() if value is not None}
        for name, data in alive.items():
            setattr(details, name, data)
        index = ffi.new("uint64_t *")
        call(lib.raffle_event_write, self._get(), actor(by), details, index)
        return int(index[0])

    def event_find(self, *, code: str = "", component: str = "", log: Optional[int] = None, from_: Optional[datetime.datetime] = None,
                   to: Optional[datetime.datetime] = None, limit: int = 1000, newest: bool = False, after: Optional[EventHit] = None) -> Found:
        """Finds events by time, log, component and code (GLI-31 5.6.2), in the order of their times; newest: the newest first. after: behind this one, in the same
        order, to go on where an earlier search ended.

        C: raffle_event_find, raffle_event_query_init
        """
        found: List[EventHit] = []
        more = self.event_each(found.append, code=code, component=component, log=log, from_=from_, to=to, limit=limit, newest=newest, after=after)
        return Found(found, more)

    def event_each(self, take: Callable[[EventHit], object], *, code: str = "", component: str = "", log: Optional[int] = None,
                   from_: Optional[datetime.datetime] = None, to: Optional[datetime.datetime] = None, limit: int = 1000, newest: bool = False,
                   after: Optional[EventHit] = None) -> bool:
        """The same, a call of `take` for each event; whether there are more. What it raises ends the search. It may read the raffle.

        C: raffle_event_find
        """
        query = ffi.new("raffle_event_query *")
        lib.raffle_event_query_init(query, ffi.sizeof("raffle_event_query"))
        query.limit, query.log = integer(limit, "limit"), 0 if log is None else integer(log, "log")
        setattr(query, "from", 0 if from_ is None else ms_of(from_, "from_"))
        query.to = optional_ms_of(to, "to")
        put_text(query, "code", code)
        put_text(query, "component", component)
        query.flags = lib.RAFFLE_EVENT_NEWEST * bool(newest) | lib.RAFFLE_EVENT_IN_LOG * (log is not None)
        if after is not None:
            given(after, EventHit, "after")
            query.flags |= lib.RAFFLE_EVENT_GO_ON
            query.last_at, query.last_log, query.last_index = ms_of(after.at, "after"), after.log, after.index
        ctx, more = lend(take, "take"), ffi.new("int32_t *")
        call(lib.raffle_event_find, self._get(), query, lib.raffle_py_event_sink, ctx, more)
        return bool(more[0])

    def event_reindex(self) -> int:
        """Writes the rows that the indexes of events lack, from the records of all logs; how many.

        C: raffle_event_reindex
        """
        added = ffi.new("uint64_t *")
        call(lib.raffle_event_reindex, self._get(), added)
        return int(added[0])


def needed(value: Optional[str], what: str) -> bytes:
    if value is None:
        raise TypeError(f"{what} is a str, not None")
    return text(value, what)


def event_code_get(i: int) -> EventCode:
    """Code `i` of the table, from 0 on, in the order of their names.

    C: raffle_event_code_get
    """
    out = EventCode._new()
    call(lib.raffle_event_code_get, i, out)
    return EventCode._read(out)


def event_codes() -> Iterator[EventCode]:
    """The table of codes."""
    return each(event_code_get)


def event_severity_name(severity: int) -> Optional[str]:
    """"info", "warning", "alarm"; None for another number.

    C: raffle_event_severity_name
    """
    name = lib.raffle_event_severity_name(severity)
    return None if name == NULL else string(name)


