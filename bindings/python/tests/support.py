# SPDX-License-Identifier: Apache-2.0
"""What the tests share: rules, the people, a clock, how a raffle is sealed and drawn."""
import datetime
import os
import pathlib
import re
from typing import Any, Dict, List, Set, Tuple

import raffle
from raffle import Actor, Raffle, Role

SOURCE = pathlib.Path(os.environ.get("RAFFLE_SOURCE") or pathlib.Path(__file__).resolve().parents[3])
NOON = datetime.datetime(2026, 9, 21, 12, 0, tzinfo=datetime.timezone.utc)


def make_rules(**others: Any) -> Dict[str, Any]:
    rules: Dict[str, Any] = {
        "origin": "raffle.example/gala", "name": "Gala 50/50", "organisation": "Gala Society", "currency": "CAD", "rehearsal": True,
        "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
        "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "twenty", "count": 20, "price": 1000}],
        "prizes": [{"name": "first", "title": "Half of the pot", "share": 5000, "alternates": 1}],
        "rng": ["test", "system", "host:cloud"],
    }
    rules.update(others)
    return rules


class People:
    ann = Actor("ann", Role.SELLER)
    sue = Actor("sue", Role.SUPERVISOR)
    boss = Actor("boss", Role.MANAGER)
    deputy = Actor("deputy", Role.MANAGER)
    machine = Actor("web", Role.SYSTEM)


class Clock(raffle.Host):
    """A replayed clock, a second later each time."""

    replayed_clock = True

    def __init__(self) -> None:
        self.now = NOON
        self.released = 0
        self.lines: List[Tuple[raffle.LogLevel, str]] = []

    def clock(self) -> datetime.datetime:
        self.now += datetime.timedelta(seconds=1)
        return self.now

    def log(self, level: raffle.LogLevel, line: str) -> None:
        self.lines.append((level, line))

    def release(self) -> None:
        self.released += 1


def seal_and_ack(r: Raffle, people: People, kind: raffle.SealKind = raffle.SealKind.FINAL) -> raffle.SealInfo:
    seal = r.seal(people.boss, kind)
    r.voids_ack(people.boss, seal.index)
    return seal


def draw_one(r: Raffle, people: People, prize: str = "first") -> None:
    """Seals, acknowledges and draws."""
    seal_and_ack(r, people)
    with raffle.Rng.open("test:seed=0102") as rng, r.draw_begin(people.boss, prize) as draw:
        draw.finish(rng)


def exported() -> Set[str]:
    """What the library's version map lists."""
    return set(re.findall(r"^    (raffle_\w+);", (SOURCE / "src" / "libraffle.map").read_text(), re.MULTILINE))
