# SPDX-License-Identifier: Apache-2.0
"""From a seed to the places (docs/spec/draw.md, steps 3 to 9)."""
import bisect
import hashlib

from hmac_drbg import HmacDrbg

VOID, NOT_ENTERED, BARRED = 1, 2, 3
GENESIS, PERIOD, FALLBACK_ROUNDS = 1692803367, 3, 28800  # drand's quicknet


def commitment(origin, intent, root):
    """C, which binds the draw to every record up to its intent."""
    return hashlib.sha256(b"libraffle/draw/v1\0" + origin.encode() + b"\0" + intent.to_bytes(8, "big") + root).digest()


def seed_commitment(seed):
    return hashlib.sha256(b"libraffle/seed/v1\0" + seed).digest()


def fallback_seed(c, value):
    return hashlib.sha384(b"libraffle/fallback/v1\0" + c + value).digest()


def round_at(ms):
    """The beacon's first round whose time is at or after this one, in milliseconds."""
    return 1 if ms <= GENESIS * 1000 else 1 - (GENESIS * 1000 - ms) // (PERIOD * 1000)


def time_of(round_):
    return (GENESIS + PERIOD * (round_ - 1)) * 1000


class Words:
    """Successive 64-bit words, and how many were rejected."""

    def __init__(self, seed, c, beacon):
        self.drbg = HmacDrbg(seed[:32], seed[32:], hashlib.sha256(c + beacon).digest())
        self.words, self.rejected = [], 0

    def next(self):
        if not self.words:
            data = self.drbg.generate(64)
            self.words = [int.from_bytes(data[i:i + 8], "big") for i in range(0, 64, 8)]
        return self.words.pop(0)

    def below(self, n):
        limit = 2**64 - 2**64 % n
        while (word := self.next()) >= limit:
            self.rejected += 1
        return word % n


def permutation(words, n):
    """Fisher-Yates from the front, of which only displaced elements are kept."""
    moved = {}
    for i in range(n):
        j = i + words.below(n - i)
        chosen = moved.get(j, j)
        moved[j] = moved.pop(i, i)
        yield chosen


class Drum:
    """The sealed numbers, and what is known of each. `units`: for each unit of the seal its sold tickets (serial, first number, count, tier, price), ascending, and the
    serials that were void at the seal."""

    def __init__(self, units):
        self.units, self.until, total = units, [], 0
        for tickets, _ in units:
            total += sum(ticket[2] for ticket in tickets)
            self.until.append(total)
        self.numbers = total

    def look(self, element):
        """Unit, number, serial, tier, and whether it is void."""
        unit = bisect.bisect_right(self.until, element)
        number = element - (self.until[unit - 1] if unit else 0) + 1
        tickets, void = self.units[unit]
        serial, _, _, tier, _ = tickets[_find(tickets, number)]
        return unit + 1, number, serial, tier, serial in void


def _find(tickets, number):
    low, high = 0, len(tickets)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tickets[middle][1] <= number else (low, middle)
    return low


class Drawn:
    def __init__(self):
        self.places, self.skipped, self.skips = [], {VOID: 0, NOT_ENTERED: 0, BARRED: 0}, hashlib.sha256()

    def skip(self, reason, unit, number):
        self.skipped[reason] += 1
        self.skips.update(bytes([reason]) + unit.to_bytes(2, "big") + number.to_bytes(5, "big"))


def key_of(one_win, unit, number, serial):
    """What the one-win rule counts by."""
    return None if one_win == "none" else (unit, number) if one_win == "number" else (unit, serial)


def walk(prize, drum, words, winners):
    """The places, and what was skipped. `winners`: unit, number and serial of every place that is or was a winner's."""
    drawn, wanted, rule = Drawn(), prize["winners"] + prize["alternates"], prize["one_win"]
    barred = {key_of(rule, *place) for place in winners}
    for element in permutation(words, drum.numbers):
        unit, number, serial, tier, void = drum.look(element)
        key = key_of(rule, unit, number, serial)
        if void or tier not in prize["tiers"] or (key is not None and key in barred):
            drawn.skip(VOID if void else NOT_ENTERED if tier not in prize["tiers"] else BARRED, unit, number)
            continue
        drawn.places.append({"number": number, "serial": serial, "unit": unit})
        barred.add(key)
        if len(drawn.places) == wanted:
            break
    return drawn
