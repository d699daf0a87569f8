# SPDX-License-Identifier: Apache-2.0
"""Makes records for a unit's log, likely ones mostly: each from what the verifier's fold has come to. Not a void of a ticket that is void: who
refuses that is the library's store, and not its fold."""
import records
from chance import CLOSES, MAKERS, NO_HASH, OPENS, moment

KINDS = {"sale": 8, "void": 1, "event": 3, "unit.close": 0.05, "unit.start": 0.05}
EVENTS = ("x.a", "clock.reset", "draw.ask", "draw.ask-failed", "remote.begin", "remote.end", "data.altered", "unit.seen", "private.erased", "program.altered",
          "validation.failed")


class UnitRecords:
    def __init__(self, chance, log):
        self.chance, self.log = chance, log

    def some(self):
        if self.chance.often(0.005):
            return [{**self.base("cash"), "unit": 1, "kind": "cash", "counted": 5}]
        kind = self.chance.weighed(KINDS) if self.log.size > 0 else "unit.start" if self.chance.often(0.9) else "sale"
        record = getattr(self, kind.replace(".", "_"))(self.base(kind))
        return [record] if record else []

    def base(self, kind):
        chance, log = self.chance, self.log
        step = chance.choice((0, 1)) if chance.often(0.95) else chance.choice((-1, 1000, 60000, 600000))
        at = max(log.last_at, OPENS) + step
        if chance.often(0.01):
            at = chance.choice((OPENS, CLOSES)) + chance.choice((-1, 0))
        usual = "supervisor" if kind in ("void", "unit.close") else "seller"
        by = usual if chance.often(0.95) else chance.choice(records.ROLES)
        return {"t": kind, "at": moment(at), "by": by, "p": NO_HASH, "n": chance.near(log.next, 1) if chance.often(0.5) else log.next}

    def unit_start(self, record):
        return {**record, "unit": self.chance.near(self.log.unit, 1), "open": self.log.open_hash.hex() if self.chance.often(0.95) else NO_HASH}

    def sale(self, record):
        chance, tier = self.chance, self.chance.choice(self.log.rules["tiers"])
        record.update(tier=tier["name"] if chance.often(0.97) else "none", count=tier["count"], price=tier["price"])
        if chance.often(0.03):
            record["count"] = chance.choice((0, 1, 10, 1000000, 1000001))
        if chance.often(0.03):
            record["price"] = chance.near(record["price"])
        return record

    def void(self, record):
        chance, log = self.chance, self.log
        serial = chance.near(chance.randint(1, max(1, log.size)), 1)
        if serial in log.void_serials:
            return None
        return {**record, "unit": chance.near(log.unit, 1), "serial": serial, "count": chance.choice((1, 10)), "price": chance.choice((300, 2000)),
                "reason": chance.choice(("refund", "misprint", "x"))}

    def event(self, record):
        chance, log = self.chance, self.log
        code = record["code"] = chance.choice(EVENTS)
        if code == "clock.reset" and chance.often(0.7):
            record.update(at=moment(max(0, log.last_at - chance.choice((0, 60000)))), by="supervisor")
        if (code == "remote.end") == chance.often(0.95):
            record["first"] = chance.near(chance.randint(0, log.size))
        if code.startswith("program.") == chance.often(0.95):
            record["key"] = chance.choice(MAKERS)
        for name, values in (("ask", (1, 5)), ("unit", (1, 9)), ("serial", (0, 1, 2**40 - 1, 2**40)), ("ok", ("supervisor", "seller"))):
            if chance.often(0.1):
                record[name] = chance.choice(values)
        return record

    def unit_close(self, record):
        record.update(self.log.totals())
        if self.chance.often(0.2):
            record["gross"] += 1
        return record
