# SPDX-License-Identifier: Apache-2.0
"""What a host may lend to a raffle: its clock, its secrets, its log."""
import datetime
from typing import Any, Optional, Union

from ._border import EPOCH, MILLISECOND, NULL, integer, ms_of, string
from ._callbacks import callback, drop, keep, notice, owner_of
from ._native import ffi, lib
from ._structs import Number
from .errors import NotFound

Time = Union[datetime.datetime, int]


class LogLevel(Number):
    """How much a line of the operator's log matters."""

    ERROR = lib.RAFFLE_LOG_ERROR
    WARNING = lib.RAFFLE_LOG_WARNING
    INFO = lib.RAFFLE_LOG_INFO


class Host:
    """What a raffle is created or opened with. Methods that a subclass defines are called; for the others the library does as it does by default. They run in
    threads that are inside a call, while others may be waiting: be quick, and from `clock` and `secret` call nothing of the library. What they raise is raised
    by the call that needed them.

    C: raffle_host_init
    """

    replayed_clock: bool = False
    """The clock replays recorded times; only a rehearsal may be opened or created with it."""
    no_threads: bool = False
    """No helper thread; hashing is then done by the calling thread."""
    verify_full: bool = False
    """Opening checks every record, not the newest checkpoint alone."""
    timeout_ms: int = 0
    """How long a call without a timeout of its own may wait; 0: 10 seconds; negative: for ever."""

    def clock(self) -> Time:
        """The time, as a `datetime` with a time zone or as milliseconds since 1970. Default: the system's clock."""
        return (datetime.datetime.now(datetime.timezone.utc) - EPOCH) // MILLISECOND

    def secret(self, what: str) -> Optional[bytes]:
        """A secret that the host keeps, or None: "ticket-key", "unit-ticket-key", "pin:<uri>", "password:<uri>", "aws-credentials"."""
        return None

    def log(self, level: LogLevel, line: str) -> None:
        """A line for the operator's log. What it raises goes to `sys.unraisablehook`."""

    def release(self) -> None:
        """Called once for each call that took this host and succeeded, when the last handle from it is freed."""


@callback("host_clock", locked=True, owner=owner_of)
def clock(host: Host, ms: Any, err: Any) -> None:
    now = host.clock()
    ms[0] = ms_of(now, "the clock's time") if isinstance(now, datetime.datetime) else integer(now, "the clock's time")


@callback("host_secret", locked=True, owner=owner_of)
def secret(host: Host, what: Any, out: Any, cap: int, length: Any, err: Any) -> None:
    found = host.secret(string(what))
    if found is None:
        raise NotFound("the host has no such secret")
    if len(found) > cap:
        raise ValueError(f"the secret has {len(found)} bytes, and {cap} may be")
    ffi.memmove(out, found, len(found))
    length[0] = len(found)


@notice("host_log")
def log(ctx: Any, level: int, line: Any) -> None:
    host: Host = owner_of(ctx)
    host.log(LogLevel(level), string(line))


@notice("host_release")
def release(ctx: Any) -> None:
    host: Optional[Host] = drop(ctx)
    if host is not None:
        host.release()


class Lent:
    """A host for the time of one call: C's once that succeeded, else given back.

        with Lent(host) as pointer: call(…, pointer, …)
    """

    def __init__(self, host: Optional[Host]) -> None:
        if host is not None and not isinstance(host, Host):
            raise TypeError(f"host is a Host, not {type(host).__name__}")
        self.host = host
        self.ctx = NULL

    def __enter__(self) -> Any:
        if self.host is None:
            return NULL
        kind = type(self.host)
        made = ffi.new("raffle_host *")
        lib.raffle_host_init(made, ffi.sizeof("raffle_host"))
        made.flags = (lib.RAFFLE_HOST_REPLAYED_CLOCK * bool(self.host.replayed_clock) | lib.RAFFLE_HOST_NO_THREADS * bool(self.host.no_threads) |
                      lib.RAFFLE_HOST_VERIFY_FULL * bool(self.host.verify_full))
        made.timeout_ms = integer(self.host.timeout_ms, "timeout_ms")
        if kind.clock is not Host.clock:
            made.clock = lib.raffle_py_host_clock
        if kind.secret is not Host.secret:
            made.secret = lib.raffle_py_host_secret
        if kind.log is not Host.log:
            made.log = lib.raffle_py_host_log
        made.release = lib.raffle_py_host_release
        made.ctx = self.ctx = keep(self.host)
        return made

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        if value is not None and self.ctx != NULL:
            drop(self.ctx)
