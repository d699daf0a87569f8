# SPDX-License-Identifier: Apache-2.0
"""Callbacks from C into Python: who is called, and how what they raise comes back.

An exception cannot cross C. It is kept here under a number, which goes through the library as `raffle_error.token`; the call that entered C finds it by the
number and raises it again, the very object.
"""
import collections
import contextlib
import functools
import itertools
import os
import sys
import threading
from types import TracebackType
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple, Type

from ._native import ffi, lib
from .errors import Error

# --- exceptions on their way ---

# The calls that are inside of C. Of a group commit several get the same number; so what was raised is kept until all of them have returned, and no longer: an exception
# keeps the frames that it passed, and all that they know. By the error that each call has for itself; set and deleted without a call of Python's, after which Ctrl-C may come.
running: Dict[Any, None] = {}
raised: Deque[Tuple[int, BaseException]] = collections.deque(maxlen=64)
tokens = itertools.count(1)


def remember(exception: BaseException) -> int:
    for token, known in tuple(raised):
        if known is exception:
            return token
    token = next(tokens)
    raised.append((token, exception))
    return token


def recall(token: int) -> Optional[BaseException]:
    for known, exception in tuple(raised):
        if known == token:
            return exception
    return None


def forget() -> None:
    """Once no call is running: what was raised up to now, and not what a call that begins meanwhile gets to hear."""
    if raised:
        old = tuple(raised)
        if not running:
            for known in old:
                with contextlib.suppress(ValueError):  # another thread was here
                    raised.remove(known)


def sentence(exception: BaseException) -> bytes:
    """What the library says of it, and logs perhaps, whatever the class does."""
    try:
        said = str(exception)
    except Exception:
        said = "its text could not be made"
    if not isinstance(exception, Error):
        said = f"{type(exception).__name__}: {said}"
    return said.encode("utf-8", "backslashreplace").replace(b"\0", b"?")


def fail(err: Any, exception: BaseException) -> int:
    """The status of a callback that raised; `err` says so to the library."""
    rc = 0
    if isinstance(exception, Error):
        rc = exception.rc
        exception._of_call = False  # perhaps another call's, which this one only passes on
    if not isinstance(rc, int) or not 0 < rc < 2**31:
        rc = lib.RAFFLE_HOST
    return int(lib.raffle_error_set(err, rc, remember(exception), sentence(exception)))


def interrupted(kind: Type[BaseException], exception: BaseException, trace: TracebackType) -> int:
    """The same, when a signal's handler raised outside of the host's code: in `answer`, below, perhaps ahead of its `finally` or in it."""
    known = trace.tb_frame.f_locals
    if "depth" in known:
        leave(known["thread"], known["depth"])
    return fail(known["arguments"][-1], exception.with_traceback(trace))


# --- in which thread ---

# The threads that are inside of a callback which must not call the library, and of how many of these.
inside: Dict[int, int] = {}


def leave(thread: int, depth: int) -> None:
    """As it was when the callback began."""
    if depth:
        inside[thread] = depth
    else:
        inside.pop(thread, None)


def forget_others() -> None:
    """In a child of fork() there is no other thread, and a new one may get an old one's number."""
    here = threading.get_ident()
    for thread in [thread for thread in inside if thread != here]:
        del inside[thread]
    running.clear()


os.register_at_fork(after_in_child=forget_others)

# --- the functions that C calls ---

def callback(name: str, locked: bool = False, owner: Callable[[Any], Any] = ffi.from_handle) -> Callable[[Callable[..., Optional[int]]], Callable[..., Optional[int]]]:
    """The implementation of the callback `name`: gets the host's object and what C gave, `err` last, and returns a status or None.

    locked: locks of the library's may be held, so that calling it from there would wait for ever; the handles refuse it. owner: finds the object by C's `ctx`.
    """
    def decorate(function: Callable[..., Optional[int]]) -> Callable[..., Optional[int]]:
        @functools.wraps(function)
        def answer(ctx: Any, *arguments: Any) -> int:
            thread = threading.get_ident()
            depth = inside.get(thread, 0)
            try:
                if locked:
                    inside[thread] = depth + 1
                return function(owner(ctx), *arguments) or 0
            except BaseException as exception:  # also KeyboardInterrupt: it goes on where C was entered
                return fail(arguments[-1], exception)
            finally:
                leave(thread, depth)

        ffi.def_extern(name=f"raffle_py_{name}", error=lib.RAFFLE_HOST, onerror=interrupted)(answer)
        return function
    return decorate


def notice(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The implementation of a callback that cannot fail: what it raises goes to `sys.unraisablehook`."""
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def answer(ctx: Any, *arguments: Any) -> None:
            try:
                function(ctx, *arguments)
            except BaseException as exception:
                sys.unraisablehook(Unraisable(exception, function))

        ffi.def_extern(name=f"raffle_py_{name}")(answer)
        return function
    return decorate


class Unraisable:
    """What `sys.unraisablehook` takes."""

    exc_type: Type[BaseException]
    exc_value: Optional[BaseException]
    exc_traceback: Optional[TracebackType]
    err_msg: Optional[str] = "Exception ignored in a callback of raffle"
    object: Any

    def __init__(self, exception: BaseException, where: Any) -> None:
        self.exc_type = type(exception)
        self.exc_value = exception
        self.exc_traceback = exception.__traceback__
        self.object = where


# --- who is called ---

def lend(function: Any, what: str) -> Any:
    """A `ctx` for the time of one call: whoever takes it keeps it that long."""
    if not callable(function):
        raise TypeError(f"{what} is a function, not {type(function).__name__}")
    return ffi.new_handle(function)


# What C keeps. By a number and not by an address: one that is gone is no pointer to nothing.
kept: Dict[int, Any] = {}
numbers = itertools.count(1)


def keep(host: object) -> Any:
    """A `ctx` for C, which keeps `host` alive until drop()."""
    number = next(numbers)
    kept[number] = host
    return ffi.cast("void *", number)


def owner_of(ctx: Any) -> Any:
    """Whom keep() kept."""
    return kept[int(ffi.cast("uintptr_t", ctx))]


def drop(ctx: Any) -> Any:
    """Ends it, and gives the host; None when that was done."""
    return kept.pop(int(ffi.cast("uintptr_t", ctx)), None)
