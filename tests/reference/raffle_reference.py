#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole small raffle made in plain Python, standard library only, sharing no code with the library: its records, private parts, keys, checkpoints, seals and
draws, after docs/spec. All that would be random is a hash of a label.

    raffle_reference.py FOLDER [NUMBER]

publishes one, and writes its control key into FOLDER.key; with a number, one of that number's chance."""

import base64
import hashlib
import hmac
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "vectors" / "generate"))
import base  # noqa: E402
import draw_reference as draws  # noqa: E402
import tiles_reference as tiles  # noqa: E402
from replay_reference import void_root, walk  # noqa: E402

ROLES = ["seller", "supervisor", "manager", "administrator", "auditor", "system"]
OPEN, CLOSE = "2026-11-15T01:00:00.000Z", "2026-11-15T05:00:00.000Z"


def some(label, length):
    return hashlib.shake_256(label.encode()).digest(length)


class Witness:
    """One that cosigns every checkpoint of the control log (C2SP tlog-cosignature v1), at a time of its own."""

    def __init__(self, name, seconds=1763168400):
        self.name, self.key_name, self.seconds = name, f"witness.example/{name}", seconds
        self.seed = some("witness " + name, 32)
        self.key = base.public_key(self.seed)
        self.vkey = base.vkey(self.key_name, 4, self.key)

    def line(self, text):
        return base.line(self.key_name, base.key_id(self.key_name, 4, self.key), base.cosign(text, self.seed, self.seconds))


def rules(origin, prizes, tiers=("one", "ten"), witnesses="none"):
    """Frozen rules, every default written out."""
    may = {"ack": [2], "approve": [1, 2, 3], "claim": [1, 2], "clock": [1, 2, 3], "close": [1, 2], "draw": [2], "erase": [2, 3], "event": range(6), "forfeit": [2],
           "seal": [2], "sell": [0, 1, 2, 5], "units": [2, 3], "verify": [1, 2], "void": [1, 2]}
    twin = [{"count": 1, "name": "twin", "price": 500}] if "twin" in tiers else []
    return {
        "beacon": "none", "currency": "CAD", "digits": 2, "name": "Vectors", "organisation": "Society of Vectors", "origin": origin,
        "prizes": [{"alternates": 1, "beacon_delay": 0, "claim_days": 30, "one_win": "ticket", "seal": "final", "seed": "random", "tiers": list(tiers),
                    "title": prize["name"], "winners": 1, **prize} for prize in prizes],
        "rehearsal": True, "rng": ["test", "system"], "roles": {name: [ROLES[i] for i in who] for name, who in may.items()},
        "sales": {"closes": CLOSE, "opens": OPEN, "order_tickets": 100},
        "tiers": [{"count": 1, "name": "one", "price": 500}, {"count": 10, "name": "ten", "price": 2000}, *twin],
        "units": [], "witnesses": witnesses, "zone": [],
    }


class Log:
    """Records of a log, and what signs it."""

    def __init__(self, name, number):
        self.name, self.number, self.leaves, self.private, self.notes, self.cosigners = name, number, [], [], {}, []
        self.seed = some("key of " + name, 32)
        self.key = base.public_key(self.seed)
        self.vkey = base.vkey(name, 1, self.key)

    def add(self, record, private):
        """Appends a record, and returns its index."""
        part = tiles.canonical({"salt": some(f"salt {self.name} {len(self.leaves)}", 16).hex(), **private})
        self.leaves.append(tiles.canonical({**record, "p": hashlib.sha256(part).hexdigest()}))
        self.private.append(part)
        return len(self.leaves) - 1

    def root(self, size=None):
        return tiles.root(self.leaves[:size])

    def note(self, size=None):
        """The checkpoint of the first records."""
        size = len(self.leaves) if size is None else size
        if size not in self.notes:
            text = f"{self.name}\n{size}\n{base64.b64encode(self.root(size)).decode()}\n"
            own = base.line(self.name, base.key_id(self.name, 1, self.key), base.sign(self.seed, text.encode()))
            self.notes[size] = text + "\n" + own + "".join(witness.line(text) for witness in self.cosigners)
        return self.notes[size]


class Raffle:
    def __init__(self, origin="raffle.example/vectors", prizes=({"name": "main"}, {"name": "small"}), witnesses="none", cosigners=(), tiers=("one", "ten")):
        self.origin, self.rules, self.minute = origin, rules(origin, list(prizes), tiers, witnesses), 0
        self.control, self.units, self.tickets, self.voids, self.seal_at, self.won, self.held = Log(origin, 0), [], {}, {}, {}, [], set()
        self.control.cosigners = list(cosigners)
        self.secret = some("ticket key of " + origin, 32)
        commitment = hashlib.sha256(b"libraffle/ticket-key/v1\0" + origin.encode() + b"\0" + self.secret).hexdigest()
        self.write({"t": "raffle.open", "format": 1, "key": self.control.vkey, "rules": self.rules, "ticket_key": commitment})

    # --- the control log ---

    def at(self):
        self.minute += 1
        return f"2026-11-15T{1 + self.minute // 60:02}:{self.minute % 60:02}:00.000Z"

    def write(self, record, log=None, by="manager", **private):
        log = log or self.control
        return log.add({"at": self.at(), "by": by, **record}, {"actor": "boss", **private})

    def enrol(self, name, **away):
        """`away`: the members `away` and `quota` of a unit whose log lives elsewhere; its proof is added."""
        number = len(self.units) + 1
        unit = Log(f"{self.origin}/unit/{number}", number)
        unit_key = hmac.new(self.secret, b"libraffle/vn/unit/v1\0" + self.origin.encode() + b"\0" + number.to_bytes(2, "big"), hashlib.sha256).digest()
        commitment = hashlib.sha256(b"libraffle/unit-key/v1\0" + unit_key).hexdigest()
        self.units.append(unit)
        self.tickets[number], self.voids[number] = {}, {}
        proof = {"note": unit.note()} if away else {}
        self.write({"t": "unit.enrol", "key": unit.vkey, "name": name, "quota": 0, "ticket_key": commitment, "unit": number, **away, **proof})
        self.write({"t": "unit.enable", "unit": number})
        return unit

    # --- units ---

    def next_number(self, unit):
        return 1 + sum(count for count, _, _, _ in self.tickets[unit.number].values())

    def write_unit(self, unit, record, **private):
        if not unit.leaves and record["t"] != "unit.start":
            self.write_unit(unit, {"t": "unit.start", "by": "seller", "open": tiles.leaf_hash(self.control.leaves[0]).hex(), "unit": unit.number})
        return self.write({"n": self.next_number(unit), **record}, unit, **private)

    def sell(self, unit, tier, order, line=0, lines=1):
        count, price = {"one": (1, 500), "ten": (10, 2000), "twin": (1, 500)}[tier]
        n = self.next_number(unit)
        index = self.write_unit(unit, {"t": "sale", "by": "seller", "count": count, "price": price, "tier": tier}, line=line, lines=lines, order=order)
        self.tickets[unit.number][index] = (count, price, tier, n)
        return index

    def void(self, unit, serial, control=False):
        count, price, _, _ = self.tickets[unit.number][serial]
        record = {"t": "void", "by": "supervisor", "count": count, "price": price, "reason": "refund", "serial": serial, "unit": unit.number}
        index = self.write(record) if control else self.write_unit(unit, record)
        self.voids[unit.number][serial] = (0 if control else unit.number, index)

    def totals(self, unit, size=None, before=None):
        """What a seal says: of the unit's first `size` records, and of the control log's voids before a record."""
        size = len(unit.leaves) if size is None else size
        before = len(self.control.leaves) if before is None else before
        sold = {serial: ticket for serial, ticket in self.tickets[unit.number].items() if serial < size}
        void = [serial for serial, (log, index) in self.voids[unit.number].items() if serial in sold and index < (size if log else before)]
        return {"tickets": len(sold), "numbers": sum(t[0] for t in sold.values()), "gross": sum(t[1] for t in sold.values()), "voids": len(void),
                "void_numbers": sum(sold[s][0] for s in void), "void_gross": sum(sold[s][1] for s in void)}, void

    def by_tier(self, unit, void):
        """The tickets of a unit and those of them that are void, by tier."""
        tickets = self.tickets[unit.number]
        return [{"tickets": sum(tier == each["name"] for _, _, tier, _ in tickets.values()), "voids": sum(tickets[serial][2] == each["name"] for serial in void)}
                for each in self.rules["tiers"]]

    def close(self, unit):
        self.write_unit(unit, {"t": "unit.close", **self.totals(unit, before=0)[0]})

    def sync(self, unit, twice=0):
        """All that the unit has is uploaded."""
        return self.write({"t": "unit.sync", "note": unit.note(), "root": unit.root().hex(), "size": len(unit.leaves), "twice": twice, "unit": unit.number}, by="system")

    # --- seals ---

    def seal(self, kind):
        first, sums = len(self.control.leaves), {}
        for unit in self.units:
            totals, void = self.totals(unit, before=first)
            counts = {"tiers": self.by_tier(unit, void)} if any(prize.get("pot") == "entered" for prize in self.rules["prizes"]) else {}
            sums = {name: sums.get(name, 0) + value for name, value in totals.items()}
            self.write({"t": "seal.unit", "note": unit.note(), "reconciled": True, "root": unit.root().hex(), "size": len(unit.leaves), "unit": unit.number,
                        "void_root": void_root(void).hex(), **totals, **counts})
        index = self.write({"t": "seal", "first": first, "kind": kind, "units": len(self.units), "unreconciled": 0, **sums})
        self.seal_at[kind] = (index, first, [len(unit.leaves) for unit in self.units], sums)
        self.write({"t": "voids.ack", "seal": index, "voids": sums["voids"]})
        return index

    # --- draws ---

    def drum(self, kind):
        """The sealed numbers in their order: unit, number, serial, tier, whether it is void."""
        _, first, sizes, _ = self.seal_at[kind]
        for unit, size in zip(self.units, sizes):
            _, void = self.totals(unit, size, first)
            for serial, (count, _, tier, n) in sorted(self.tickets[unit.number].items()):
                if serial < size:
                    yield from ((unit.number, number, serial, tier, serial in void) for number in range(n, n + count))

    def draw(self, name, why=None, ok=None):
        """An intent, an asking and a result; returns the result's index. `why`: what a redraw's intent says."""
        prize = next(each for each in self.rules["prizes"] if each["name"] == name)
        kind = prize["seal"]
        seal, _, _, sums = self.seal_at[kind]
        intent = self.write({"t": "draw.intent", "attempt": 1, "numbers": sums["numbers"], "prize": name, "seal": seal, **(why or {})}, **({"ok": ok} if ok else {}))
        note = self.control.note()
        ask = self.write({"t": "event", "code": "draw.ask", "component": "test"})
        seed = some("seed of " + name, 48)
        words = draws.Words(draws.drbg_of(seed, draws.commitment(self.origin, intent, self.control.root(intent + 1)), b""))
        places, skipped, skips = walk(prize, self.drum(kind), words, self.won)
        winners = min(len(places), prize["winners"])
        self.held |= {(place["unit"], place["serial"]) for place in places}
        self.won += [(place["unit"], place["number"], place["serial"]) for place in places[:winners]]
        record = {"t": "draw.result", "alternates": len(places) - winners, "ask": ask, "attempt": 1, "intent": intent, "note": note, "numbers": sums["numbers"],
                  "prize": name, "provider": "test", "rejected": words.rejected, "seed": seed.hex(), "skipped_barred": skipped[3],
                  "skipped_not_entered": skipped[2], "skipped_void": skipped[1], "skips": hashlib.sha256(skips).hexdigest(), "winners": winners}
        return self.write({**record, **({"places": places} if places else {})})

    def verify(self, result, name):
        """From a drawn winner to a paid prize."""
        place = {"place": 1, "prize": name, "result": result}
        self.write({"t": "winner.verify", "outcome": "verified", **place})
        self.write({"t": "winner.official", **place})
        self.write({"t": "claim", "ok": "supervisor", **place}, ok="sue")

    # --- publishing ---

    def files(self, entries="all"):
        logs = [("control", self.control)] + [(f"unit/{unit.number}", unit) for unit in self.units]
        return tiles.folder([(path, log.leaves, log.note().encode()) for path, log in logs], entries)


def example():
    """Two units that sell and one that does not, orders of several tickets, voids in both logs, before and after an early seal; three draws, one paid prize."""
    r = Raffle(prizes=({"name": "bird", "seal": "early", "tiers": ["ten"]}, {"name": "main", "share": 5000, "winners": 2}, {"name": "small", "one_win": "number"}))
    web, till, spare = r.enrol("web"), r.enrol("till"), r.enrol("spare")
    for i in range(4):
        r.sell(web, "ten" if i % 2 else "one", f"web-{i}")
    r.void(web, 2)
    r.sell(till, "ten", "till-0", 0, 2)
    r.sell(till, "one", "till-0", 1, 2)
    r.seal("early")
    r.draw("bird")
    r.void(web, 3)
    r.sell(web, "ten", "web-4")
    for unit in (web, till, spare):
        r.close(unit)
    r.void(till, 2, control=True)
    r.seal("final")
    result = r.draw("main")
    r.verify(result, "main")
    r.draw("small")
    return r


def elsewhere():
    """A unit here, and one that is away: it uploads twice, the second time with its close; an order of it was sold here, too."""
    r = Raffle("raffle.example/elsewhere", ({"name": "main"},))
    web, tent = r.enrol("web"), r.enrol("tent", away=24, quota=100)
    r.sell(web, "ten", "order-1")
    r.sell(tent, "one", "order-2")
    r.sell(tent, "ten", "order-3")
    r.sync(tent)
    r.void(tent, 1)
    r.close(tent)
    r.sync(tent)
    r.close(web)
    r.seal("final")
    r.draw("main")
    return r


def growing():
    """Prizes that grow, from pots of some tiers alone, and one that gets what is above another's cap."""
    r = Raffle("raffle.example/growing", (
        {"name": "bird", "seal": "early", "tiers": ["ten"], "share": 2500, "pot": "entered", "minimum": 1000, "round": "nearest", "round_to": 10},
        {"name": "main", "share": 5000, "start": 1000, "carry": 250, "carry_from": "raffle.example/last", "cap": 2000, "above": "next"},
        {"name": "ones", "tiers": ["one"], "share": 10000, "pot": "entered", "winners": 3, "cap": 100000, "above": "carry"}))
    web, till = r.enrol("web"), r.enrol("till")
    for i, tier in enumerate(("ten", "one", "ten", "one", "one")):
        r.sell(web if i < 3 else till, tier, f"order-{i}")
    r.void(web, 1)
    r.seal("early")
    r.draw("bird")
    r.void(till, 1)
    r.sell(till, "ten", "order-5")
    for unit in (web, till):
        r.close(unit)
    r.void(web, 2, control=True)
    r.seal("final")
    r.draw("main")
    r.draw("ones")
    return r


def twins(right=True):
    """Two tiers of one count and price, of which a prize enters one; unless `right`, a seal that takes one's tickets for the other's."""
    r = Raffle("raffle.example/twins", ({"name": "main", "tiers": ["twin"], "share": 5000, "pot": "entered"},), tiers=("one", "ten", "twin"))
    web = r.enrol("web")
    for i, tier in enumerate(("one", "one", "twin", "ten")):
        r.sell(web, tier, f"order-{i}")
    r.void(web, 1)
    r.close(web)
    if not right:
        r.by_tier = lambda unit, void: [{"tickets": 1, "voids": 1}, {"tickets": 1, "voids": 0}, {"tickets": 2, "voids": 0}]
    r.seal("final")
    r.draw("main")
    return r


def ace():
    """Catch the ace: two of four envelopes miss, the third winner finds it, and is paid."""
    r = Raffle("raffle.example/ace", ({"name": "jackpot", "share": 5000, "ace": 4, "must_go": True, "alternates": 3}, {"name": "weekly", "share": 2000, "ace": 2}))
    web = r.enrol("web")
    for i in range(9):
        r.sell(web, "one", f"order-{i}")
    r.close(web)
    r.seal("final")
    result = r.draw("jackpot")
    drawn = json.loads(r.control.leaves[result])["places"]
    r.won += [(each["unit"], each["number"], each["serial"]) for each in drawn[1:3]]  # promoted below
    for number, envelope in ((1, 2), (2, 4), (3, 1)):
        place = {"place": number, "prize": "jackpot", "result": result}
        r.write({"t": "winner.verify", "outcome": "verified", **place})
        r.write({"t": "winner.official", **place})
        found = {"outcome": "found"} if number == 3 else {"outcome": "missed", "promoted": number + 1}
        r.write({"t": "winner.pick", "envelope": envelope, "ok": "supervisor", **found, **place}, ok="sue")
    r.write({"t": "claim", "ok": "supervisor", **place}, ok="sue")
    result = r.draw("weekly")
    place = {"place": 1, "prize": "weekly", "result": result}
    r.write({"t": "winner.verify", "outcome": "verified", **place})
    r.write({"t": "winner.official", **place})
    r.write({"t": "winner.pick", "envelope": 2, "ok": "supervisor", "outcome": "missed", **place}, ok="sue")
    return r


def again(fault=None):
    """Both winners of a prize and its alternate lose their places, which two redraws give away; by `fault` one of them is not as it must be."""
    r = Raffle("raffle.example/again", ({"name": "main", "amount": 1001, "winners": 2, "alternates": 1}, {"name": "second", "redraw_of": "main"}, {"name": "quilt"},
                                        {"name": "third", "redraw_of": "main"}))
    web = r.enrol("web")
    for i in range(12):
        r.sell(web, "ten" if i % 3 else "one", f"order-{i}")
    r.close(web)
    r.seal("final")
    result = r.draw("main")
    alternate = json.loads(r.control.leaves[result])["places"][2]
    r.won.append((alternate["unit"], alternate["number"], alternate["serial"]))  # promoted below
    lost = [{"place": 1, "promoted": 3}, {"place": 2}, {"place": 3}]
    for place in lost[:1] if fault == "no place is lost" else lost[:2] if fault == "one place is lost" else lost:
        r.write({"t": "forfeit", "ok": "supervisor", "prize": "main", "reason": "unclaimed", "result": result, **place}, ok="sue")
    why = {"ok": "supervisor", "reason": "unclaimed", "result": result}
    if fault in why:
        why.pop(fault)
    r.draw("second", {**why, **({"result": result - 1} if fault == "another result" else {})}, ok="sue" if "ok" in why else None)
    r.draw("quilt", why if fault == "no redraw" else None, ok="sue" if fault == "no redraw" else None)
    r.draw("third", {"ok": "supervisor", "reason": "unclaimed", "result": result}, ok="sue")
    return r


AGAIN_FAULTS = ("no place is lost", "one place is lost", "ok", "reason", "result", "another result", "no redraw")


def money(chance, last):
    """What a prize by chance is worth."""
    prize = {"share": chance.randint(0, 10000), "pot": chance.choice(("all", "entered"))} if chance.random() < 0.5 else {"amount": chance.randint(0, 5000)}
    if chance.random() < 0.5:
        prize |= {"start": chance.randint(0, 5000), "round": chance.choice(("down", "up", "nearest")), "round_to": 5}
    if chance.random() < 0.5:
        prize |= {"cap": 1000, "above": chance.choice(("keep", "carry") if last else ("keep", "carry", "next")), "minimum": chance.choice((0, 500, 1000))}
    return prize


def arbitrary(number):
    """A raffle of its own for each number: units, orders, voids, seals, rules and draws by chance."""
    chance = random.Random(number)
    tiers = lambda: sorted(chance.sample(["one", "ten"], chance.randint(1, 2)), key=["one", "ten"].index)  # noqa: E731
    prizes = [{"name": f"p{i}", "seal": "early" if i == 0 and chance.random() < 0.5 else "final", "winners": chance.randint(1, 4), "alternates": chance.randint(0, 3),
               "one_win": chance.choice(["none", "number", "ticket"]), "tiers": tiers()} for i in range(chance.randint(1, 5))]
    for i, prize in enumerate(prizes):
        prize.update(money(chance, i + 1 == len(prizes)))
    r = Raffle(f"raffle.example/arbitrary-{number}", prizes)
    units = [r.enrol(f"u{i}") for i in range(chance.randint(1, 4))]
    tents = [r.enrol(f"t{i}", away=chance.randint(0, 100), quota=10000) for i in range(chance.randint(0, 2))]
    selling = units + tents

    def trade(sales):
        for _ in range(sales):
            unit = chance.choice(selling)
            serial = r.sell(unit, chance.choice(["one", "ten"]), f"order {r.minute}")
            if chance.random() < 0.25:
                r.void(unit, serial)
            if unit in tents and chance.random() < 0.5:
                r.sync(unit)

    def close():
        while selling:
            unit = selling.pop()
            r.close(unit)
            if unit in tents:
                r.sync(unit)

    r.sell(units[0], "ten", "first")
    trade(chance.randint(0, 12))
    if prizes[0]["seal"] == "early":
        selling = list(tents)
        close()
        r.seal("early")
        r.draw("p0")
        selling = list(units)
    trade(chance.randint(0, 12))
    close()
    for unit in r.units:
        for serial in list(r.tickets[unit.number]):
            if serial not in r.voids[unit.number] and chance.random() < 0.1 and (unit.number, serial) not in r.held:
                r.void(unit, serial, control=True)
    r.seal("final")
    for prize in prizes:
        if prize["seal"] == "final":
            r.draw(prize["name"])
    return r


def witnessed(cosigners=(0, 1)):
    """A raffle whose rules ask for two of three witnesses, and whose control log some of them cosign."""
    three = [Witness(name) for name in ("a", "b", "c")]
    lines = [f"witness {each.name} {each.vkey}" for each in three] + ["group two 2 a b c", "quorum two"]
    r = Raffle("raffle.example/witnessed", ({"name": "main"},), lines, [three[i] for i in cosigners])
    web = r.enrol("web")
    for i in range(4):
        r.sell(web, "one", f"w-{i}")
    r.void(web, 2)
    r.close(web)
    r.seal("final")
    r.draw("main")
    return r


if __name__ == "__main__":
    made = arbitrary(int(sys.argv[2])) if len(sys.argv) > 2 else example()
    tiles.write(made.files(), sys.argv[1])
    pathlib.Path(sys.argv[1] + ".key").write_text(made.control.vkey + "\n", encoding="ascii")
