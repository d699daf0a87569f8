#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes prize.json beside this folder with tests/reference/prize_reference.py: each step of a prize's value, its edges, and rules by chance."""

import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent / "reference"))
from prize_reference import MOST, worth  # noqa: E402

MONEY = 10**12

EDGES = [
    ("nothing", {}, 12345, 0),
    ("an amount", {"amount": 2500}, 12345, 0),
    ("half of the pot", {"share": 5000}, 2001, 0),
    ("half of the pot, rounded up", {"share": 5000, "round": "up"}, 2001, 0),
    ("half of the pot, to the nearest: a half goes up", {"share": 5000, "round": "nearest"}, 2001, 0),
    ("less than a half goes down", {"share": 4999, "round": "nearest"}, 1000, 0),
    ("nothing to be rounded up", {"share": 5000, "round": "up"}, 2000, 0),
    ("a ten-thousandth is rounded up to a whole step", {"share": 1, "round": "up", "round_to": 500}, 1, 0),
    ("half of a step goes up", {"share": 5000, "round": "nearest", "round_to": 5}, 5, 0),
    ("a ten-thousandth below half of a step", {"share": 4999, "round": "nearest", "round_to": 1}, 1, 0),
    ("half of a step of money that is whole", {"amount": 250, "round": "nearest", "round_to": 500}, 0, 0),
    ("just below it", {"amount": 249, "round": "nearest", "round_to": 500}, 0, 0),
    ("an odd step", {"amount": 7, "round": "nearest", "round_to": 5}, 0, 0),
    ("its half", {"share": 5000, "start": 2, "round": "nearest", "round_to": 5}, 1, 0),
    ("what the organiser puts in", {"share": 5000, "start": 1000}, 300, 0),
    ("what an earlier raffle left", {"share": 5000, "carry": 777}, 300, 0),
    ("both, and what the prize before passed on", {"share": 2500, "start": 1, "carry": 20}, 4000, 300),
    ("a guarantee that is needed", {"share": 5000, "minimum": 100000}, 199998, 0),
    ("one that is just met", {"share": 5000, "minimum": 100000}, 200000, 0),
    ("one that is met but for a fraction", {"share": 5000, "minimum": 100000, "round": "up"}, 199999, 0),
    ("a guarantee counts what is put in", {"share": 5000, "start": 600, "minimum": 1000}, 1000, 0),
    ("a guarantee of nothing", {"share": 5000, "minimum": 0}, 0, 0),
    ("a cap that is not reached", {"share": 5000, "cap": 1000}, 1999, 0),
    ("a cap that is reached", {"share": 5000, "cap": 1000}, 2000, 0),
    ("a fraction above the cap", {"share": 5000, "cap": 1000, "round": "up"}, 2001, 0),
    ("a minor unit above the cap", {"share": 5000, "cap": 1000}, 2002, 0),
    ("a fraction below the cap goes up to it, not beyond", {"share": 5000, "cap": 1000, "round": "up"}, 1999, 0),
    ("far above the cap", {"share": 10000, "cap": 2500000}, 987654321, 0),
    ("a cap of nothing", {"share": 5000, "cap": 0}, 2001, 0),
    ("cap and minimum are one", {"share": 5000, "cap": 500, "minimum": 500}, 2000, 0),
    ("cap, then rounding", {"share": 5000, "cap": 1000, "round_to": 500}, 1998, 0),
    ("minimum, then rounding", {"share": 5000, "minimum": 1000, "round_to": 500}, 3, 0),
    ("what was passed on goes on", {"amount": 100, "cap": 150}, 0, 1000),
    ("three winners", {"share": 5000, "winners": 3}, 2000, 0),
    ("more winners than money", {"amount": 2, "winners": 100000}, 0, 0),
    ("no pot", {"share": 10000}, 0, 0),
    ("the largest pot, all of it", {"share": 10000}, MOST, 0),
    ("and half of it", {"share": 5000, "round": "up"}, MOST, 0),
    ("and a basis point", {"share": 1, "round": "nearest"}, MOST, 0),
    ("more than an amount can say", {"share": 10000, "start": MONEY, "carry": MONEY}, MOST, MOST),
    ("the same with a cap", {"share": 10000, "start": MONEY, "carry": MONEY, "cap": MONEY}, MOST, MOST),
    ("rounding up stays within what an amount can say", {"share": 10000, "round": "up", "round_to": MONEY}, MOST, 0),
    ("to the nearest as well", {"share": 10000, "round": "nearest", "round_to": MONEY}, MOST, MOST),
    ("the largest of all", {"amount": MONEY, "start": MONEY, "carry": MONEY, "minimum": MONEY, "cap": MONEY, "round_to": MONEY, "winners": 100000}, MOST, MOST),
]


def by_chance(rng):
    """A rule that is no fault: the minimum at most the cap, both multiples of the step."""
    sizes = (10, 1000, 10**6, MONEY)
    rule = {}
    if rng.random() < 0.8:
        rule["share"] = rng.choice((0, 1, 3333, 5000, 6667, 9999, 10000, rng.randint(0, 10000)))
    elif rng.random() < 0.7:
        rule["amount"] = rng.randint(0, rng.choice(sizes))
    for name in ("start", "carry"):
        if rng.random() < 0.4:
            rule[name] = rng.randint(0, rng.choice(sizes))
    if rng.random() < 0.6:
        rule["round"] = rng.choice(("down", "up", "nearest"))
    if rng.random() < 0.5:
        rule["round_to"] = rng.choice((1, 2, 3, 5, 7, 100, 500, 10000))
    step = rule.get("round_to", 1)
    if rng.random() < 0.5:
        rule["cap"] = rng.randint(0, rng.choice(sizes)) // step * step
    if rng.random() < 0.5:
        rule["minimum"] = rng.randint(0, rule.get("cap", rng.choice(sizes))) // step * step
    if rng.random() < 0.5:
        rule["winners"] = rng.choice((1, 2, 3, 7, 100))
    return rule, rng.randint(0, rng.choice((100, 10**4, 10**8, MOST))), rng.choice((0, 0, rng.randint(0, 10**6)))


def case(name, rule, pot, passed):
    value, overflow, each, remainder = worth(rule, pot, passed)
    return {"name": name, "valid": True, **rule, "pot": pot, "passed": passed, "value": value, "overflow": overflow, "each": each, "remainder": remainder}


def wrong(base, name, member, by):
    return {**base, "name": name, "valid": False, member: base[member] + by}


def main():
    rng = random.Random("libraffle prize")
    cases = [case(*edge) for edge in EDGES]
    cases += [case(f"by chance {i + 1}", *by_chance(rng)) for i in range(400)]
    base = case("", {"share": 5000, "cap": 1000, "winners": 3}, 4001, 0)
    cases += [wrong(base, f"another {member}", member, 1) for member in ("value", "overflow", "each", "remainder", "cap")]
    vectors = {"format": "libraffle-vectors-1", "algorithm": "prize", "source": "docs/spec/prizes.md; tests/reference/prize_reference.py", "cases": cases}
    (HERE / "prize.json").write_text(json.dumps(vectors, indent=1) + "\n", encoding="utf-8")


main()
