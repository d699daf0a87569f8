# SPDX-License-Identifier: Apache-2.0
"""What a prize is worth, from docs/spec/prizes.md, in fractions and not in the library's integers."""

import math
from fractions import Fraction

MOST = 2**53 - 1


def worth(rule, pot, passed=0):
    """Value, overflow, each winner's part and the remainder, of a rule (the members of a prize) by its pot and what the prize before it passed on."""
    total = Fraction(pot * rule["share"], 10000) if "share" in rule else Fraction(rule.get("amount", 0))
    total += rule.get("start", 0) + rule.get("carry", 0) + passed
    total = max(min(total, MOST), rule.get("minimum", 0))
    overflow = 0
    if "cap" in rule and total > rule["cap"]:
        overflow = math.floor(total - rule["cap"])
        total = Fraction(rule["cap"])
    step = rule.get("round_to", 1)
    way = rule.get("round", "down")
    steps = {"down": math.floor, "up": math.ceil, "nearest": lambda x: math.floor(x + Fraction(1, 2))}[way](total / step)
    if steps * step > MOST:
        steps -= 1
    value = steps * step
    return value, overflow, value // rule.get("winners", 1), value % rule.get("winners", 1)


def chain(prizes, pots):
    """The same for all prizes of a raffle, in their order: what is above a cap goes on to the next where the rules say so."""
    passed, out = 0, []
    for prize, pot in zip(prizes, pots):
        out.append(worth(prize, pot, passed))
        passed = out[-1][1] if prize.get("above") == "next" else 0
    return out
