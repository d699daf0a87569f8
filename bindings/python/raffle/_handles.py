# SPDX-License-Identifier: Apache-2.0
"""Handles: one owner for each, freed once, and never while a call uses it."""
import atexit
import contextlib
import threading
import weakref
from types import TracebackType
from typing import Any, ClassVar, Iterable, Iterator, Optional, Type, TypeVar

from ._border import NULL, call
from ._callbacks import drop, inside, keep
from ._native import ffi, lib
from .errors import Misuse

H = TypeVar("H", bound="Handle")
T = TypeVar("T")

alive: "weakref.WeakSet[Handle]" = weakref.WeakSet()


class Handle:
    """A handle of the library's. It is freed by `free()`, at the end of a `with`, or with the object; a second time does nothing. In C each keeps alive what it
    was made from, so that the order does not matter. Another thread that is inside a call goes on; the handle is freed when that returns.
    """

    _c: ClassVar[str]
    _guarded: ClassVar[bool] = True
    """Whether a callback that the library waits for may not use it."""
    _ptr: Any

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} is made by open() or by a method, not by calling it")

    @classmethod
    def _own(cls: Type[H], pointer: Any) -> H:
        """Takes over a handle that C made. What keeps the pointer is counted: the last one, the object or a call that is running, frees the handle."""
        made = object.__new__(cls)
        made._ptr = pointer
        made._made()
        alive.add(made)
        return made

    def _made(self) -> None:
        """What else there is to it."""

    @classmethod
    def _make(cls: Type[H], function: Any, *arguments: Any) -> H:
        """The handle that a call gives by its out-parameter."""
        out, pointer = ffi.new(cls._c + " **"), None
        try:
            call(function, *arguments, out)
        finally:
            del arguments
            if out[0] != NULL:  # also when Ctrl-C came while C was at work
                pointer = ffi.gc(out[0], getattr(lib, cls._c + "_free"))
        return cls._own(pointer)

    @classmethod
    def _over(cls: Type[H], table: object, names: Iterable[str], *before: Any, **numbers: int) -> H:
        """A handle over a host's table: of the functions `names`, which C calls, and of numbers. `before`: what the call takes before it."""
        functions = ffi.new(cls._c + "_table *")
        getattr(lib, cls._c + "_table_init")(functions, ffi.sizeof(cls._c + "_table"))
        for name in names:
            setattr(functions, name, getattr(lib, f"raffle_py_{cls._c[len('raffle_'):]}_table_{name}"))
        for name, number in numbers.items():
            setattr(functions, name, number)
        ctx = keep(table)
        try:
            return cls._make(getattr(lib, cls._c + "_new"), *before, functions, ctx)
        except BaseException:
            drop(ctx)
            raise

    def _get(self) -> Any:
        """The pointer, for a call."""
        pointer = self._ptr
        if pointer is None:
            raise ValueError(f"this {type(self).__name__} was freed")
        if inside and self._guarded and threading.get_ident() in inside:
            raise Misuse("a callback that the library waits for may not call it")
        return pointer

    def free(self) -> None:
        """Releases the handle."""
        self._ptr = None

    @property
    def freed(self) -> bool:
        """Whether it was."""
        return self._ptr is None

    def __enter__(self: H) -> H:
        if self._ptr is None:
            raise ValueError(f"this {type(self).__name__} was freed")
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.free()

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} is a handle, which cannot be copied")


class OneThread(Handle):
    """A handle that one thread at a time may use: a second one that comes meanwhile is refused."""

    _busy: threading.Lock

    def _made(self) -> None:
        self._busy = threading.Lock()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise Misuse(f"this {type(self).__name__} is in use by another call")
        try:
            yield
        finally:
            self._busy.release()

    def _call(self, function: Any, *arguments: Any) -> None:
        with self._alone():
            try:
                call(function, self._get(), *arguments)
            finally:
                del arguments


def optional_handle(value: Optional[Handle], kind: Type[Handle], what: str) -> Any:
    """The pointer of a handle that may be left out."""
    return NULL if value is None else given(value, kind, what)._get()


def check_table(table: object, kind: type) -> None:
    """That a host's table is one."""
    if not isinstance(table, kind):
        raise TypeError(f"table is of {kind.__name__}, not {type(table).__name__}")


def given(value: object, kind: Type[T], what: str) -> T:
    """What the caller must give."""
    if not isinstance(value, kind):
        raise TypeError(f"{what} is of {kind.__name__}, not {type(value).__name__}")
    return value


@atexit.register
def free_all() -> None:
    """Before the interpreter is taken down: freeing may call back into it."""
    while True:
        try:
            handles = list(alive)
            break
        except RuntimeError:  # another thread made one
            continue
    for handle in handles:
        handle.free()
