# SPDX-License-Identifier: Apache-2.0
"""What C writes piece by piece into a file of Python's or into a function, reads from one, and tells of its progress."""
import errno
import io
from typing import Any, Callable, Optional, Protocol, Union

from ._border import NULL, call
from ._callbacks import callback, lend
from ._native import ffi, lib


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


Writer = Union[Writable, Callable[[bytes], object]]
"""A binary file, or a function that gets bytes. What it returns does not matter; what it raises ends the call."""
Reader = Union[Readable, bytes, bytearray, memoryview]
"""A binary file, or all of the bytes."""
Progress = Callable[[int, int], object]
"""Called now and then with the records done and the records there are. What it raises ends the call."""


@callback("write")
def write(give: Callable[[bytes], object], data: Any, length: int, err: Any) -> None:
    give(bytes(ffi.buffer(data, length)) if length else b"")


@callback("read")
def read(take: Callable[[int], bytes], data: Any, cap: int, length: Any, err: Any) -> None:
    piece = take(cap)
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise TypeError(f"read gave {type(piece).__name__}, not bytes")
    if len(piece) > cap:
        raise ValueError(f"read gave {len(piece)} bytes where {cap} were asked for")
    ffi.memmove(data, piece, len(piece))
    length[0] = len(piece)


def progress(tell: Progress, done: int, total: int, err: Any) -> None:
    tell(done, total)


for options in ("audit", "publish", "report"):
    callback(f"{options}_options_progress")(progress)


def writing(function: Any, *arguments: Any, write: Writer) -> None:
    """A call that ends in a writer and its ctx."""
    ctx = ffi.new_handle(giver(write))
    try:
        call(function, *arguments, lib.raffle_py_write, ctx)
    finally:
        del arguments


def giver(write: Writer) -> Callable[[bytes], object]:
    """The function that takes a piece."""
    file: Optional[Callable[[bytes], object]] = getattr(write, "write", None)
    if file is None:
        if not callable(write):
            raise TypeError(f"write is a file or a function, not {type(write).__name__}")
        return write

    def whole(data: bytes) -> None:
        while data:
            done = file(data)
            if done == 0 or (done is None and isinstance(write, io.RawIOBase)):  # it would block, and the rest is not to be lost
                raise BlockingIOError(errno.EAGAIN, "the file takes nothing now")
            if not isinstance(done, int) or done >= len(data):  # an unbuffered file may take less
                return
            data = data[done:]

    return whole


def reader(source: Reader) -> Callable[[int], bytes]:
    """What gives the next bytes of a file or of bytes."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        rest = memoryview(source).cast("B")
        at = 0

        def take(size: int) -> bytes:
            nonlocal at
            piece = bytes(rest[at:at + size])
            at += len(piece)
            return piece

        return take
    found: Optional[Callable[[int], bytes]] = getattr(source, "read", None)
    if found is None:
        raise TypeError(f"read is a file or bytes, not {type(source).__name__}")
    return found


def set_progress(options: Any, name: str, tell: Optional[Progress]) -> Any:
    """Into a struct of options; what is returned lives as long as the call."""
    if tell is None:
        return NULL
    options.progress = getattr(lib, f"raffle_py_{name}_options_progress")
    options.progress_ctx = ctx = lend(tell, "progress")
    return ctx
