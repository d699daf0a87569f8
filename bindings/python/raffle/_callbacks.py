# SPDX-License-Identifier: Apache-2.0
"""Callbacks from C into Python: who is called, and how what they raise comes back.

An exception cannot cross C. It is kept here under a number, which goes through the library as `raffle_error.token`; the call that entered C finds it by the
number and raises it again, the very object.
"""
import collections
import functools
import itertools
import sys
import threading
from types import TracebackType
from typing import Any, Callable, Deque, Dict, Optional, Tuple, Type

from ._native import ffi, lib
from .errors import Error

# --- exceptions on their way ---

# Of a group commit several callers get the same token; so the last ones are kept, not only until the first asks.
raised: Deque[Tuple[int, BaseException]] = collections.deque(maxlen=16)
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


def sentence(exception: BaseException) -> bytes:
    if isinstance(exception, Error):
        return exception.message.encode("utf-8", "backslashreplace")
    try:
        said = str(exception)
    except Exception:
        said = "its text could not be made"
    return f"{type(exception).__name__}: {said}".encode("utf-8", "backslashreplace")


def fail(err: Any, exception: BaseException) -> int:
    """The status of a callback that raised; `err` says so to the library."""
    rc = exception.rc if isinstance(exception, Error) and exception.rc else lib.RAFFLE_HOST
    return int(lib.raffle_error_set(err, rc, remember(exception), sentence(exception).replace(b"\0", b"?")))


# --- in which thread ---

class Inside(threading.local):
    """How many of the callbacks that must not call the library this thread is inside of."""

    depth = 0


inside = Inside()


# --- the functions that C calls ---

def callback(name: str, locked: bool = False) -> Callable[[Callable[..., Optional[int]]], Callable[..., Optional[int]]]:
    """The implementation of the callback `name`: gets the host's object and what C gave, `err` last, and returns a status or None.

    locked: locks of the library's may be held, so that calling it from there would wait for ever; the handles refuse it.
    """
    def decorate(function: Callable[..., Optional[int]]) -> Callable[..., Optional[int]]:
        @functools.wraps(function)
        def answer(ctx: Any, *arguments: Any) -> int:
            if locked:
                inside.depth += 1
            try:
                return function(ffi.from_handle(ctx), *arguments) or 0
            except BaseException as exception:  # also KeyboardInterrupt: it goes on where C was entered
                return fail(arguments[-1], exception)
            finally:
                if locked:
                    inside.depth -= 1

        ffi.def_extern(name=f"raffle_py_{name}", error=lib.RAFFLE_HOST)(answer)
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


# --- what C keeps ---

def lend(function: Any, what: str) -> Any:
    """A `ctx` for the time of one call: whoever takes it keeps it that long."""
    if not callable(function):
        raise TypeError(f"{what} is a function, not {type(function).__name__}")
    return ffi.new_handle(function)


kept: Dict[int, Any] = {}


def keep(host: object) -> Any:
    """A `ctx` for C, which keeps `host` alive until drop()."""
    handle = ffi.new_handle(host)
    kept[int(ffi.cast("uintptr_t", handle))] = handle
    return handle


def drop(ctx: Any) -> object:
    """Ends it, and gives the host's object."""
    host: object = ffi.from_handle(ctx)
    kept.pop(int(ffi.cast("uintptr_t", ctx)), None)
    return host
