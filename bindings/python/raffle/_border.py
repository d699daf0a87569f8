# SPDX-License-Identifier: Apache-2.0
"""Values on their way into C and back: text, bytes, times, and a call's failure as an exception."""
import datetime
import operator
import os
from typing import Any, List, Optional, Tuple, Type, Union

from ._callbacks import forget, recall, running
from ._native import ffi
from .errors import Error, TooSmall, class_of

Buffer = Union[bytes, bytearray, memoryview]
Document = Union[str, bytes, bytearray, memoryview]
"""A text that travels: a note, a kit, a receipt. `str` is taken as UTF-8."""
StrPath = Union[str, "os.PathLike[str]"]

NULL = ffi.NULL
LATEST = 2**64 - 1

ERROR = ffi.typeof("raffle_error *")
ERROR_SIZE = ffi.sizeof("raffle_error")
PASSED = (ffi.CData, int, bytes)
spare: List[Any] = []
"""Errors that no call uses: as many as were ever at work at once."""

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)


# --- calls ---

def call(function: Any, *arguments: Any) -> None:
    """Calls C, with an error of its own last; a failure is raised."""
    try:
        err = spare.pop()
    except IndexError:
        err = ffi.new(ERROR)
        err.struct_size = ERROR_SIZE
    running[err] = None
    try:
        for argument in arguments:
            if not isinstance(argument, PASSED):
                integer(argument, "a number")  # for cffi takes all that int() takes, and cuts a Decimal
        rc = function(*arguments, err)
        if rc:
            raise failure(rc, err)
    finally:
        del arguments  # or the failure's traceback would keep a handle from being freed; so elsewhere
        running.pop(err, None)
        spare.append(err)
        forget()


def failure(rc: int, err: Any) -> BaseException:
    """The exception of a call that failed: that of the callback which did, or the status's own."""
    token = err.token
    if token:
        exception = recall(token)
        if exception is not None:
            return exception
    kind: Type[Error] = class_of(rc)
    made = kind(ffi.string(err.message).decode("utf-8", "replace"), rc=rc, detail=err.detail, token=token)
    made._of_call = not token  # with one it was a callback's, of which there were too many since to keep them
    return made


def text_out(function: Any, *arguments: Any, cap: int) -> bytes:
    """What a call writes as text into a buffer; once more with a larger one when it says that it needs that."""
    length = ffi.new("size_t *")
    out = ffi.new("char[]", cap)
    try:
        try:
            call(function, *arguments, out, cap, length)
        except TooSmall:
            out = ffi.new("char[]", length[0] + 1)
            call(function, *arguments, out, length[0] + 1, length)
    finally:
        del arguments
    return bytes(ffi.buffer(out, length[0]))


def string_out(function: Any, *arguments: Any, cap: int) -> str:
    """What a call writes as a string into an array of a known size."""
    out = ffi.new("char[]", cap)
    try:
        call(function, *arguments, out)
    finally:
        del arguments
    return string(out)


# --- text and bytes ---

def string(pointer: Any) -> str:
    return str(ffi.string(pointer).decode("utf-8"))


def text(value: str, what: str) -> bytes:
    """A string for C, which ends at a NUL."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a str, not {type(value).__name__}")
    data = value.encode("utf-8")
    if b"\0" in data:
        raise ValueError(f"{what} has a NUL character")
    return data


def optional_text(value: Optional[str], what: str) -> Any:
    return NULL if value is None else text(value, what)


def path(value: StrPath, what: str) -> bytes:
    """A path or URI."""
    return text(os.fspath(value), what)


def document(value: Document, what: str) -> Tuple[Any, int]:
    """A text with its length, as an array of C that keeps the bytes alive, and a number."""
    if isinstance(value, str):
        value = value.encode("utf-8")
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{what} is a str or bytes, not {type(value).__name__}")
    data = bytes(value)  # a copy of what others could change meanwhile
    return ffi.from_buffer("char[]", data), len(data)


def fixed(value: Buffer, size: int, what: str) -> Any:
    """Exactly so many bytes."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{what} is bytes, not {type(value).__name__}")
    data = bytes(value)
    if len(data) != size:
        raise ValueError(f"{what} has {len(data)} bytes, not {size}")
    return octets(data)


def octets(data: bytes) -> Any:
    """A copy, for C; never empty, so that it points to something."""
    out = ffi.new("uint8_t[]", max(len(data), 1))
    ffi.memmove(out, data, len(data))
    return out


# --- times ---

def ms_of(value: datetime.datetime, what: str) -> int:
    """Milliseconds since 1970."""
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"{what} is a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{what} has no time zone")
    return (value - EPOCH) // MILLISECOND


def optional_ms_of(value: Optional[datetime.datetime], what: str) -> int:
    """The same; 0 stands for none."""
    ms = 0 if value is None else ms_of(value, what)
    if ms == 0 and value is not None:
        raise ValueError(f"{what} is the first millisecond of 1970, which stands for none")
    return ms


def time_of(ms: int) -> datetime.datetime:
    return EPOCH + ms * MILLISECOND


# --- numbers ---

def integer(value: int, what: str) -> int:
    """An int, or what Python takes for an index: no float and no Decimal, which would be cut, and no str."""
    try:
        return int(operator.index(value))
    except TypeError:
        raise TypeError(f"{what} is an int, not {type(value).__name__}") from None


def array_size(value: int, what: str) -> int:
    """How many elements the caller asks for."""
    size = integer(value, what)
    if size < 0:
        raise ValueError(f"{what} is {size}")
    return size
