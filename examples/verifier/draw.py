# SPDX-License-Identifier: Apache-2.0
"""A draw again, from its seed: docs/spec/draw.md, steps 3 to 9, and the seed that stands in for a lost one."""
import bisect
import hashlib
from typing import NamedTuple

from hmac_drbg import HmacDrbg

VOID, NOT_ENTERED, BARRED = 1, 2, 3
REJECTED_IN_A_ROW_MAX = 256


def commitment(origin, intent, root):
    """C of step 3. `root`: of the control log's first `intent + 1` records."""
    return hashlib.sha256(b"libraffle/draw/v1\x00" + origin.encode() + b"\x00" + intent.to_bytes(8, "big") + root).digest()


def fallback_seed(c, value):
    """E of a committed draw whose seed is lost, from the value of a round a day later."""
    return hashlib.sha384(b"libraffle/fallback/v1\x00" + c + value).digest()


class Words:
    """Steps 4 to 6."""

    def __init__(self, seed, c, beacon):
        self.drbg = HmacDrbg(seed[:32], seed[32:48], hashlib.sha256(c + beacon).digest())
        self.words, self.rejected = [], 0

    def next(self):
        if not self.words:
            data = self.drbg.generate(64)
            self.words = [int.from_bytes(data[i:i + 8], "big") for i in range(0, 64, 8)]
        return self.words.pop(0)

    def below(self, n):
        limit = 2**64 - 2**64 % n
        for _ in range(REJECTED_IN_A_ROW_MAX):
            word = self.next()
            if word < limit:
                return word % n
            self.rejected += 1
        raise ValueError(f"{REJECTED_IN_A_ROW_MAX} words in a row were rejected")


def permutation(words, count):
    """Step 7: the elements 0 … count - 1, shuffled from the front; only those that moved are kept."""
    moved = {}
    for i in range(count):
        j = i + words.below(count - i)
        yield moved.get(j, j)
        moved[j] = moved.pop(i, i)


class Ticket(NamedTuple):
    unit: int
    serial: int
    tier: str


class Outcome:
    def __init__(self):
        self.places, self.skipped, self.skips = [], {VOID: 0, NOT_ENTERED: 0, BARRED: 0}, hashlib.sha256()

    def skip(self, reason, unit, number):
        self.skipped[reason] += 1
        self.skips.update(bytes([reason]) + unit.to_bytes(2, "big") + number.to_bytes(5, "big"))


def walk(words, numbers_of_units, ticket_of, is_void, prize, winners):
    """Step 8. `numbers_of_units`: how many draw numbers each unit has at the seal; `winners`: the places that ever were a winner's before."""
    ends, total = [], 0
    for numbers in numbers_of_units:
        total += numbers
        ends.append(total)
    one_win, wanted = prize["one_win"], prize["winners"] + prize["alternates"]
    won = {(w.unit, w.number if one_win == "number" else w.serial) for w in winners} if one_win != "none" else set()
    outcome = Outcome()
    for element in permutation(words, total):
        unit = bisect.bisect_right(ends, element) + 1
        number = element - (ends[unit - 2] if unit > 1 else 0) + 1
        ticket = ticket_of(unit, number)
        key = (unit, number if one_win == "number" else ticket.serial)
        if is_void(unit, ticket.serial):
            outcome.skip(VOID, unit, number)
        elif ticket.tier not in prize["tiers"]:
            outcome.skip(NOT_ENTERED, unit, number)
        elif key in won:
            outcome.skip(BARRED, unit, number)
        else:
            outcome.places.append({"number": number, "serial": ticket.serial, "unit": unit})
            if one_win != "none":
                won.add(key)
        if len(outcome.places) == wanted:
            break
    return outcome
