# SPDX-License-Identifier: Apache-2.0
"""Every public function and method, given anything: an exception that says why, and the process alive. RAFFLE_JUNK_SEEDS says how often."""
import inspect
import os
import pathlib
import random
from typing import Any, Callable, Iterator, List, Tuple

import pytest

import raffle
from raffle import Actor, Raffle, Role, Rng, Sale
from support import NOON, People, make_rules

# Not these: they make raffles, wait for ever or take all of the memory when they are asked to; test_handles.py has their bad values.
LEFT_OUT = {"free", "create", "open", "new", "restore", "unit_install", "fill", "pick", "collect", "run", "audit_store", "vectors"}
JUNK: List[Any] = [None, True, 0, 1, 2, -1, 2**31, 2**32, 2**53, 2**63, 2**64 - 1, 2**64, -2**63 - 1, 1.5, float("nan"), "", "first", "one", "1-0000001", "\0", "a\0b", "\ud800", "\n", "x" * 300,
                   "x" * 100000, "€" * 30, b"", b"\0", b"\xff" * 32, bytes(48), bytearray(32), memoryview(bytes(32)), [], [b"x" * 32], (), {}, object(), Role.MANAGER, 99, NOON,
                   NOON.replace(tzinfo=None), len, str.upper, Sale("one"), [Sale("one")] * 2, [Sale("no-such")], Sale, Actor("ann", Role.SELLER), Actor("boss", Role.MANAGER),
                   Actor("deputy", Role.MANAGER), Actor("sue", Role.SUPERVISOR)]
ACTORS = [one for one in JUNK if isinstance(one, Actor)]


def callables(handles: List[Any]) -> Iterator[Tuple[str, Callable[..., Any]]]:
    for name in raffle.__all__:
        one = getattr(raffle, name)
        if inspect.isfunction(one) and name not in LEFT_OUT:
            yield name, one
    for handle in handles:
        for name, one in inspect.getmembers(handle, inspect.ismethod):
            if not name.startswith("_") and name not in LEFT_OUT:
                yield f"{type(handle).__name__}.{name}", one


def arguments(function: Callable[..., Any], chance: random.Random) -> Tuple[List[Any], Any]:
    positional, named = [], {}
    for parameter in inspect.signature(function).parameters.values():
        value = chance.choice(ACTORS if parameter.name in ("by", "ok") and chance.random() < 0.8 else JUNK)
        if parameter.kind is parameter.KEYWORD_ONLY:
            if chance.random() < 0.5:
                named[parameter.name] = value
        elif parameter.default is parameter.empty or chance.random() < 0.5:
            positional.append(value)
        else:
            break
    return positional, named


@pytest.mark.parametrize("seed", range(int(os.environ.get("RAFFLE_JUNK_SEEDS", "3"))))
def test_anything(tmp_path: pathlib.Path, people: People, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chance, done, refused = random.Random(seed), 0, 0
    with Raffle.create("junk.raffle", make_rules(), people.boss) as r, r.unit_open(1) as unit, Rng.open("test:seed=01") as rng, r.cursor_open() as cursor:
        unit.sell(people.ann, [Sale("one")] * 5)
        with raffle.Audit.run("junk.raffle") as audit:
            for name, function in callables([r, unit, rng, cursor, audit]):
                for _ in range(25):
                    positional, named = arguments(function, chance)
                    try:
                        answer = function(*positional, **named)
                        if inspect.isgenerator(answer):
                            next(answer, None)
                        if isinstance(answer, raffle.Draw):
                            answer.free()
                        done += 1
                    except (raffle.Error, TypeError, ValueError, OverflowError) as no:
                        assert str(no), (name, positional, named)
                        refused += 1
        assert r.describe().tickets >= 5 and not r.describe().halted
    assert done > 100 and refused > 1000
    assert os.path.exists("junk.raffle") and raffle.audit_store("junk.raffle").integrity == 0
