# SPDX-License-Identifier: Apache-2.0
"""The binding and the headers say the same: statuses, structs, and a line `C:` for every exported call."""
import enum
import inspect
import pickle
import pkgutil
import re
from typing import Iterator, List, Type

import pytest

import raffle
from support import SOURCE, exported
from raffle import _border, _structs, errors
from raffle._native import ffi, lib

MODULES = [getattr(raffle, name) if hasattr(raffle, name) and inspect.ismodule(getattr(raffle, name)) else __import__(f"raffle.{name}", fromlist=["x"])
           for _, name, _ in pkgutil.iter_modules(raffle.__path__) if name not in ("__main__", "_native")]
STATUSES = {int(number): name for name, number in re.findall(r"^\s+(RAFFLE_\w+)\s*=\s*(\d+)", (SOURCE / "include/raffle/error.h").read_text(), re.MULTILINE)}
STRUCTS = [one for module in MODULES for _, one in inspect.getmembers(module, inspect.isclass)
           if issubclass(one, _structs.Struct) and one is not _structs.Struct and one.__module__ == module.__name__]


def test_each_status_has_its_exception() -> None:
    assert len(STATUSES) > 50
    for rc, name in STATUSES.items():
        if rc == 0:
            continue
        kind = errors.class_of(rc)
        assert "RAFFLE_" + re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).upper() == name == raffle.rc_name(rc)
        assert kind.rc == rc and name in (kind.__doc__ or "") and raffle.rc_text(rc)
        family = next(family for last, family in errors.FAMILIES if rc <= last)
        assert issubclass(kind, family) and issubclass(family, raffle.Error)


def test_an_error_is_as_the_library_initialises_it() -> None:
    """The border sets the size by itself, for every call makes one."""
    mine, theirs = ffi.new(_border.ERROR), ffi.new(_border.ERROR)
    mine.struct_size = _border.ERROR_SIZE
    ffi.memmove(theirs, b"\xa5" * _border.ERROR_SIZE, _border.ERROR_SIZE)
    lib.raffle_error_init(theirs, _border.ERROR_SIZE)
    assert bytes(ffi.buffer(mine)) == bytes(ffi.buffer(theirs))


def test_a_status_of_a_newer_library_has_its_family() -> None:
    assert errors.class_of(19) is raffle.ArgumentsError and errors.class_of(39) is raffle.StateError
    assert errors.class_of(12345) is raffle.Error and raffle.rc_name(12345) == "RAFFLE_?"


def test_exceptions_are_pickled_and_are_what_python_calls_them() -> None:
    error = raffle.NotFound("no prize \"x\"", detail=3, token=4)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.detail, again.token, again.rc) == (raffle.NotFound, "no prize \"x\"", 3, 4, lib.RAFFLE_NOT_FOUND)
    assert issubclass(raffle.Invalid, ValueError) and issubclass(raffle.NotFound, LookupError) and issubclass(raffle.Nomem, MemoryError)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_each_struct_has_all_members(struct: Type[_structs.Struct]) -> None:
    members = {name for name, _ in ffi.typeof(struct._c).fields} - {"struct_size", "reserved"}
    assert {name.rstrip("_") for name in struct.__dataclass_fields__} == members  # type: ignore[attr-defined]
    if hasattr(lib, struct._c + "_init"):
        assert f"C: {struct._c}_init" in (struct.__doc__ or "")
    layout = struct._lay()
    assert layout.size == ffi.sizeof(struct._c)


def documented() -> Iterator[str]:
    """What follows "C:" in every doc text."""
    for module in MODULES:
        for _, one in inspect.getmembers(module):
            if getattr(one, "__module__", None) != module.__name__:
                continue
            docs: List[str] = [one.__doc__ or ""]
            if inspect.isclass(one):
                docs += [member.__doc__ or "" for member in vars(one).values() if member.__doc__]
                docs += [member.__func__.__doc__ or "" for member in vars(one).values() if isinstance(member, classmethod)]
            for doc in docs:
                for line in re.findall(r"^\s*C: (.*)$", doc, re.MULTILINE):
                    yield from (name.strip() for name in line.split(","))


def test_each_exported_call_is_named() -> None:
    assert set(documented()) == exported()


def test_numbers_are_those_of_the_headers() -> None:
    names = {name for name in dir(lib) if name.startswith("RAFFLE_")}
    assert {f"RAFFLE_{role.name}" for role in raffle.Role} <= names
    for kind, prefix in ((raffle.PlaceState, "RAFFLE_PLACE_"), (raffle.PrizeState, "RAFFLE_PRIZE_"), (raffle.SealKind, "RAFFLE_SEAL_"), (raffle.CallOutcome, "RAFFLE_CALL_"),
                         (raffle.Assurance, "RAFFLE_ASSURANCE_"), (raffle.FaultKind, "RAFFLE_FAULT_"), (raffle.ReportFormat, "RAFFLE_REPORT_"), (raffle.Second, "RAFFLE_SECOND_"),
                         (raffle.Ace, "RAFFLE_ACE_"), (raffle.LogLevel, "RAFFLE_LOG_")):
        assert issubclass(kind, enum.IntEnum)
        assert {prefix + one.name for one in kind} == {name for name in names if name.startswith(prefix)}, kind
        assert all(getattr(lib, prefix + one.name) == one for one in kind)


def test_a_number_of_a_newer_library_is_kept() -> None:
    assert raffle.PlaceState(99) == 99 and raffle.PlaceState(99).name == "OTHER_99"
    with pytest.raises(ValueError):
        raffle.PlaceState("claimed")


def test_all_is_there() -> None:
    assert all(hasattr(raffle, name) for name in raffle.__all__)
    assert {"Host", "Role", "Rng"} <= set(vars(errors)) and not issubclass(raffle.Host, Exception)
