# SPDX-License-Identifier: Apache-2.0
"""The fold of a unit's log: which record may follow which, and what they add up to (docs/spec/records.md, sales.md)."""
from canonical_json import INT_MAX
from records import UNIT_TYPES, milliseconds

NUMBER_MAX = 2**40 - 1


class Refused(ValueError):
    """A record that is not allowed in its place; the text says why."""


def need(condition, sentence):
    if not condition:
        raise Refused(sentence)


def check_common(record, last_at, roles):
    """The time and the role of a record in any log."""
    reset = record["t"] == "event" and record["code"] == "clock.reset"
    need(reset or record["at_ms"] >= last_at, f"{record['at']} is before the record before it")
    if "ok" in record:
        need(record["ok"] in roles["approve"], f"a {record['ok']} may not approve")


def check_role(record, roles, operation):
    need(record["by"] in roles[operation], f"a {record['by']} may not do this: {operation}")


class UnitLog:
    def __init__(self, unit, rules, open_hash):
        self.unit, self.rules, self.open_hash = unit, rules, open_hash
        self.tiers = {tier["name"]: tier for tier in rules["tiers"]}
        self.opens, self.closes = milliseconds(rules["sales"]["opens"]), milliseconds(rules["sales"]["closes"])
        self.size, self.next, self.last_at, self.closed, self.resync = 0, 1, 0, False, False
        self.tickets = self.numbers = self.gross = self.voids = self.void_numbers = self.void_gross = 0
        self.void_serials, self.by_tier = set(), {name: 0 for name in self.tiers}
        self.latest, self.set_back = 0, False  # time of any record so far; whether the clock was set back
        self.sold_late, self.sold_at = None, []  # the first sale after the log had passed the end of the sales; index and time of each

    def totals(self):
        return {name: getattr(self, name) for name in ("tickets", "numbers", "gross", "voids", "void_numbers", "void_gross")}

    def apply(self, record):
        """Takes the next record, or raises Refused and leaves all as it is."""
        roles = self.rules["roles"]
        need(record["t"] in UNIT_TYPES, f"a {record['t']} is not for a unit's log")
        need(not self.closed, "the log is closed")
        need((self.size == 0) == (record["t"] == "unit.start"), "a unit's log begins with unit.start, and has one")
        check_common(record, self.last_at, roles)
        if self.resync and "n" in record:
            self.next, self.resync = record["n"], False
        need(record.get("n") == self.next, f"n is {record.get('n')}; the next draw number is {self.next}")
        need("ask" not in record, "nobody is asked in a unit's log")
        need(record["t"] != "event" or record.get("first", -1) < self.size, "the session that ends began earlier")
        {"unit.start": self._start, "sale": self._sale, "void": self._void, "unit.close": self._close,
         "event": lambda r: check_role(r, roles, "clock" if r["code"] == "clock.reset" else "event")}[record["t"]](record)
        if record["t"] == "sale":
            self.sold_at.append((self.size, record["at_ms"]))
            if self.latest >= self.closes and self.sold_late is None:
                self.sold_late = self.size
        self._follow(record)

    def _follow(self, record):
        self.size += 1
        self.last_at = record["at_ms"]
        self.set_back = self.set_back or self.last_at < self.latest
        self.latest = max(self.latest, self.last_at)

    def skip(self, record):
        """After a record that was refused, or that cannot be read (None): the next one is judged as it would have been."""
        if record is None:
            self.size += 1
        else:
            self._follow(record)
            self.closed = self.closed or record["t"] == "unit.close"
        self.resync = True

    def _start(self, record):
        need(record["unit"] == self.unit, f"the log is one of unit {record['unit']}")
        need(record["open"] == self.open_hash.hex(), "the log is one of another raffle")

    def _sale(self, record):
        check_role(record, self.rules["roles"], "sell")
        tier = self.tiers.get(record["tier"])
        need(tier is not None, f"there is no tier {record['tier']}")
        need((record["count"], record["price"]) == (tier["count"], tier["price"]), "count or price are not the tier's")
        need(self.opens <= record["at_ms"] < self.closes, f"{record['at']} is outside the sales window")
        need(self.gross + record["price"] <= INT_MAX, "the sum is beyond 2^53 - 1")
        need(self.numbers + record["count"] <= NUMBER_MAX, "a draw number is beyond 2^40 - 1")
        self.tickets += 1
        self.by_tier[record["tier"]] += 1
        self.numbers += record["count"]
        self.gross += record["price"]
        self.next += record["count"]

    def _void(self, record):
        check_role(record, self.rules["roles"], "void")
        need(record["unit"] == self.unit, f"the ticket is one of unit {record['unit']}")
        need(record["serial"] < self.size, f"there is no ticket {record['serial']} yet")
        need(record["serial"] not in self.void_serials, f"ticket {record['serial']} is void already")
        need(self.voids < self.tickets and self.void_numbers + record["count"] <= self.numbers
             and self.void_gross + record["price"] <= self.gross, "more is void than was sold")
        self.void_serials.add(record["serial"])
        self.voids += 1
        self.void_numbers += record["count"]
        self.void_gross += record["price"]

    def _close(self, record):
        check_role(record, self.rules["roles"], "close")
        for name, value in self.totals().items():
            need(record[name] == value, f"{name} is {record[name]}; the records add up to {value}")
        self.closed = True
