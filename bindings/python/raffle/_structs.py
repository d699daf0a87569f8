# SPDX-License-Identifier: Apache-2.0
"""Structs of C as frozen dataclasses: read by the layout that the compiler gave, into the types that the dataclass names."""
import datetime
import enum
import struct
import typing
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple, Type, TypeVar

from ._border import time_of
from ._native import ffi, lib

new, buffer = ffi.new, ffi.buffer

CODES = {"int32_t": "i", "uint32_t": "I", "int64_t": "q", "uint64_t": "Q", "int": "i", "unsigned int": "I", "long": "q", "unsigned long": "Q"}

S = TypeVar("S", bound="Struct")
Converter = Optional[Callable[[Any], Any]]


class Number(enum.IntEnum):
    """A number of C's with a name. One that a newer library gives has the name `OTHER_` and the number."""

    @classmethod
    def _missing_(cls, value: object) -> Optional["Number"]:
        if not isinstance(value, int):
            return None
        other = int.__new__(cls, value)
        other._name_ = f"OTHER_{value}"
        other._value_ = value
        return other


# --- from C's values to Python's ---

def text_of(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode()


def static_text_of(address: int) -> str:
    return str(ffi.string(ffi.cast("char *", address)).decode("utf-8"))


def optional_time_of(ms: int) -> Optional[datetime.datetime]:
    return time_of(ms) if ms else None


def converter(hint: Any, pointer: bool) -> Converter:
    """How a member becomes what its dataclass says."""
    if hint is int or hint is bytes:
        return None
    if hint is bool:
        return bool
    if hint is str:
        return static_text_of if pointer else text_of
    if hint is datetime.datetime:
        return time_of
    if hint == Optional[datetime.datetime]:
        return optional_time_of
    if isinstance(hint, type) and issubclass(hint, enum.IntEnum):
        return hint
    raise AssertionError(f"no converter for {hint}")


class Layout:
    """Where the members of a C struct are, for struct.unpack, and how each becomes Python's."""

    def __init__(self, cls: Type["Struct"]) -> None:
        hints = typing.get_type_hints(cls)
        self.pointer = ffi.typeof(cls._c + " *")
        self.size: int = ffi.sizeof(cls._c)
        self.init: Any = getattr(lib, cls._c + "_init", None)
        names: List[str] = []
        converters: List[Converter] = []
        form, end = "=", 0
        for name, member in ffi.typeof(cls._c).fields:
            known = name + "_" if name + "_" in hints else name
            if known not in hints:
                continue
            pointer = member.type.kind == "pointer"
            code = "Q" if pointer else f"{ffi.sizeof(member.type)}s" if member.type.kind == "array" else CODES[member.type.cname]
            form += f"{member.offset - end}x{code}"
            end = member.offset + ffi.sizeof(member.type)
            names.append(known)
            converters.append(converter(hints[known], pointer))
        self.form = struct.Struct(form + f"{self.size - end}x")
        assert self.form.size == self.size
        self.unpack = self.form.unpack
        # One expression for all members, as namedtuple has its own made: four times as fast as a loop, and batches of tickets come this way.
        values = (f"{name!r}: " + (f"v[{i}]" if convert is None else f"c[{i}](v[{i}])") for i, (name, convert) in enumerate(zip(names, converters)))
        self.members: Callable[[Tuple[Any, ...]], Dict[str, Any]] = eval(f"lambda v: {{{', '.join(values)}}}", {"c": converters})


class Struct:
    """A struct that the library fills."""

    _c: ClassVar[str]
    _layout: ClassVar[Layout]

    @classmethod
    def _lay(cls) -> Layout:
        try:
            return cls._layout
        except AttributeError:
            cls._layout = Layout(cls)
            return cls._layout

    @classmethod
    def _new(cls) -> Any:
        """One for C to fill."""
        layout = cls._lay()
        out = new(layout.pointer)
        layout.init(out, layout.size)
        return out

    @classmethod
    def _of(cls: Type[S], values: Tuple[Any, ...]) -> S:
        """From the members as struct.unpack gives them."""
        made = object.__new__(cls)
        made.__dict__.update(cls._layout.members(values))  # the dataclass is frozen, so that its members are set where they are kept
        return made

    @classmethod
    def _read(cls: Type[S], pointer: Any) -> S:
        layout = cls._lay()
        made = object.__new__(cls)
        made.__dict__.update(layout.members(layout.unpack(buffer(pointer, layout.size))))
        return made
