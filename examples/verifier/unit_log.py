# SPDX-License-Identifier: Apache-2.0
"""A sales unit's log, replayed (docs/spec/sales.md, seal.md): what was sold, what was taken back, and what a seal may say of it."""
import merkle
import records
from faults import Fault


class UnitLog:
    """`number`, the rules, and the leaf hash of raffle.open, which the unit's first record names."""

    def __init__(self, number, rules, opened):
        self.number, self.rules, self.opened = number, rules, opened
        self.tiers = {tier["name"]: tier for tier in rules["tiers"]}
        self.opens, self.closes = (records.milliseconds(rules["sales"][name]) for name in ("opens", "closes"))
        self.size, self.next, self.last = 0, 1, 0
        self.tickets, self.serials, self.voids = [], {}, {}  # serial, first number, count, tier, price; its place there; serial: index and time
        self.closed_at = None

    def take(self, record):
        """The next record; raises Fault when it may not stand here."""
        try:
            self._judge(record)
            getattr(self, "_" + record["t"].replace(".", "_"))(record)
        finally:
            self.last = record["ms"]
            self.size += 1

    def skip(self):
        """A record that could not be read."""
        self.size += 1

    def _judge(self, record):
        kind = record["t"]
        if kind not in ("unit.start", "sale", "void", "event", "unit.close"):
            raise Fault("record", f"a {kind} has no place in a unit's log")
        if (kind == "unit.start") != (self.size == 0):
            raise Fault("record", f"record {self.size} is a {kind}")
        if self.closed_at is not None:
            raise Fault("closed", f"a {kind} after the unit was closed")
        if record["ms"] < self.last and record.get("code") != "clock.reset":
            raise Fault("time", "it is earlier than the record before it")
        if record.get("n") != self.next:
            expected, self.next = self.next, record.get("n", self.next)  # told once, and not again for each record that follows
            raise Fault("number", f"n is {self.next}, and the next draw number {expected}")

    def _role(self, record, operation):
        if record["by"] not in self.rules["roles"][operation]:
            raise Fault("role", f"the role {record['by']} may not {operation}")

    def _unit_start(self, record):
        if record["unit"] != self.number or record["open"] != self.opened.hex():
            raise Fault("record", "unit.start is that of another unit or raffle")

    def _sale(self, record):
        self._role(record, "sell")
        tier = self.tiers.get(record["tier"])
        if tier is None or (tier["count"], tier["price"]) != (record["count"], record["price"]):
            raise Fault("sale", "count and price are not those of its tier")
        if not self.opens <= record["ms"] < self.closes:
            raise Fault("sale", "it was sold outside of the sales window")
        self.serials[self.size] = len(self.tickets)
        self.tickets.append((self.size, self.next, record["count"], record["tier"], record["price"]))
        self.next += record["count"]

    def _void(self, record):
        self._role(record, "void")
        if record["unit"] != self.number:
            raise Fault("void", "it is the void of another unit's ticket")
        self.check_void(record)
        self.voids[record["serial"]] = (self.size, record["ms"])

    def check_void(self, record):
        """A void of one of this unit's tickets, in whatever log it stands."""
        at = self.serials.get(record["serial"])
        if at is None or (self.tickets[at][2], self.tickets[at][4]) != (record["count"], record["price"]) or record["reason"] not in records.VOID_REASONS:
            raise Fault("void", f"ticket {self.number}/{record['serial']} is none, or not of this count and price, or the reason is none")
        if record["serial"] in self.voids:
            raise Fault("void", f"ticket {self.number}/{record['serial']} is void already")

    def _event(self, record):
        self._role(record, "clock" if record["code"] == "clock.reset" else "event")

    def _unit_close(self, record):
        self._role(record, "close")
        totals = self.totals(self.size, set(self.voids))
        if any(record[name] != totals[name] for name in records.SUMS):
            raise Fault("close", "the totals are not what the records add up to")
        self.closed_at = self.size

    # --- what seals say ---

    def sold_before(self, size):
        return [ticket for ticket in self.tickets if ticket[0] < size]

    def totals(self, size, void):
        """Sums over the first `size` records, with the serials that are void."""
        sold = self.sold_before(size)
        taken = [ticket for ticket in sold if ticket[0] in void]
        return {"tickets": len(sold), "numbers": sum(t[2] for t in sold), "gross": sum(t[4] for t in sold),
                "voids": len(taken), "void_numbers": sum(t[2] for t in taken), "void_gross": sum(t[4] for t in taken)}

    def void_by(self, size, control_voids, first):
        """The serials that are void by a record of the first `size` here, or of the control log before its record `first`; `control_voids`: serial: index."""
        here = {serial for serial, (index, _) in self.voids.items() if index < size}
        there = {serial for serial, (index, _) in control_voids.items() if index < first}
        return {serial for serial in here | there if serial < size}


def void_root(serials):
    return merkle.root([merkle.leaf_hash(serial.to_bytes(5, "big")) for serial in sorted(serials)])
