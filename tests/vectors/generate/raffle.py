#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes record.json, fold.json, tile.json, void_root.json, order_key.json and buyer_key.json beside this folder with tests/reference/raffle_reference.py, which makes a whole raffle without
the library."""
import copy
import hashlib
import hmac
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reference"))
import raffle_reference as reference  # noqa: E402
import tiles_reference as tiles  # noqa: E402
from base import write  # noqa: E402

SOURCE = "tests/reference/raffle_reference.py after docs/spec"
MOST = 2**53 - 1


# --- records ---


def leaf(name, text, valid=True, **changes):
    if isinstance(text, dict):
        text = tiles.canonical(text)
    case = {"name": name, "kind": "leaf", "valid": valid, "text": text.decode()}
    if valid:
        case.update({"type": json.loads(text)["t"], "leaf_hash": tiles.leaf_hash(text).hex()})
    else:
        case["error"] = "RAFFLE_CORRUPT"
    return {**case, **changes}


def private(name, text, valid=True):
    case = {"name": name, "kind": "private", "valid": valid, "text": text.decode()}
    return {**case, **({"p": hashlib.sha256(text).hexdigest()} if valid else {"error": "RAFFLE_CORRUPT"})}


def records(raffle, elsewhere, growing):
    """The first record of each type, and each with what must not be; and those of a unit that is away, and of tickets by tier."""
    seen, cases = set(), []
    for log in [raffle.control, *raffle.units, elsewhere.control, growing.control, reference.ace().control]:
        for text in log.leaves:
            record = json.loads(text)
            kind = record["t"] + (" of a unit that is away" if "away" in record else " by tier" if "tiers" in record else "")
            if kind not in seen:
                seen.add(kind)
                cases.append(leaf(kind, text))
                cases += [leaf(f"{kind}: {name}", changed, False) for name, changed in refused(record)]
    cases += away_records(elsewhere.control)
    cases += [private(f"a private part of {log.name}", log.private[-1]) for log in raffle.units]
    part = json.loads(raffle.control.private[0])
    cases += [
        private("a private part without a salt", tiles.canonical({"actor": "boss"}), False),
        private("a private part with a short salt", tiles.canonical({**part, "salt": "00" * 15}), False),
        private("a private part with an unknown member", tiles.canonical({**part, "zone": "x"}), False),
        private("a private part that is no object", b"[]", False),
    ]
    write("record", SOURCE, cases)


def away_records(control):
    """Members of a unit that is away, which its enrolment has, or its uploads."""
    enrol, sync = (json.loads(control.leaves[index_of(control.leaves, kind, skip)]) for kind, skip in (("unit.enrol", 1), ("unit.sync", 0)))
    for name, changes in (("`note` a number", {"note": 1}), ("`note` of 16,385 bytes", {"note": "n" * 16385}), ("`note` empty", {"note": ""}),
                          ("`away` true", {"away": True}), ("`away` an object", {"away": {}})):
        yield leaf(f"unit.enrol of a unit that is away: {name}", {**enrol, **changes}, False)
    for name, changes in (("`root` too short", {"root": sync["root"][:-2]}), ("`root` in upper case", {"root": "A" * 64}), ("`twice` negative", {"twice": -1}),
                          ("`twice` a text", {"twice": "0"}), ("`note` of 16,385 bytes", {"note": "n" * 16385}), ("`n`, which no such record has", {"n": 1}),
                          ("`ok`, which it has not", {"ok": "supervisor"}), ("`unit` beyond 2^53-1", {"unit": MOST + 1})):
        yield leaf(f"unit.sync: {name}", {**sync, **changes}, False)
    for name in ("note", "root", "size", "twice", "unit"):
        yield leaf(f"unit.sync: no `{name}`", {member: value for member, value in sync.items() if member != name}, False)


def refused(record):
    text = tiles.canonical(record)
    yield "white space", text.replace(b",", b", ", 1)
    yield "a newline after it", text + b"\n"
    yield "an unknown member", tiles.canonical({**record, "zzz": 1})
    yield "two members exchanged", exchanged(record)
    yield "no `p`", tiles.canonical({name: value for name, value in record.items() if name != "p"})
    yield "no `at`", tiles.canonical({name: value for name, value in record.items() if name != "at"})
    yield "an unknown type", tiles.canonical({**record, "t": "sales"})
    yield "a role that is none", tiles.canonical({**record, "by": "king"})
    yield "a day that is not", tiles.canonical({**record, "at": "2026-02-29T00:00:00.000Z"})
    yield "a time without its thousandths", tiles.canonical({**record, "at": "2026-11-15T01:00:00Z"})
    yield "`p` in upper case", tiles.canonical({**record, "p": "A" * 64})
    yield "`p` too short", tiles.canonical({**record, "p": record["p"][:-2]})
    for name, value in record.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield f"`{name}` negative", tiles.canonical({**record, name: -1})
            yield f"`{name}` a text", tiles.canonical({**record, name: str(value)})
            yield f"`{name}` beyond 2^53-1", tiles.canonical({**record, name: MOST + 1})
            yield f"`{name}` a fraction", text.replace(f'"{name}":{value}'.encode(), f'"{name}":{value}.0'.encode(), 1)
            break


def exchanged(record):
    first, second = sorted(record)[:2]
    changed = {second: record[second], first: record[first], **{name: record[name] for name in sorted(record)[2:]}}
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False).encode()


# --- whole logs ---


def texts(leaves):
    return [each.decode() for each in leaves]


def fold_control(name, leaves, **expected):
    return {"name": name, "valid": "error" not in expected, "control": texts(leaves), **expected}


def sums(seal):
    return {name: seal[name] for name in ("tickets", "numbers", "gross", "voids", "void_numbers", "void_gross")}


def fold_unit(name, raffle, unit, leaves, **expected):
    case = {"name": name, "valid": "error" not in expected, "control": texts(raffle.control.leaves[:1]), "unit": unit.number, "records": texts(leaves),
            "root": raffle.control.root(1).hex()}
    return {**case, **expected}


def changed(leaves, index, **members):
    record = json.loads(leaves[index])
    record.update(members)
    return leaves[:index] + [tiles.canonical({name: value for name, value in record.items() if value is not None})] + leaves[index + 1:]


def index_of(leaves, kind, skip=0):
    return [i for i, each in enumerate(leaves) if json.loads(each)["t"] == kind][skip]


def control_cases(raffle):
    leaves = raffle.control.leaves
    seal = index_of(leaves, "seal", 1)
    record = json.loads(leaves[seal])
    yield fold_control("a whole control log", leaves, root=tiles.root(leaves).hex(), **sums(record))
    early = index_of(leaves, "seal")
    yield fold_control("as far as the early seal", leaves[:early + 1], root=tiles.root(leaves[:early + 1]).hex(), **sums(json.loads(leaves[early])))
    for name in sums(record):
        yield fold_control(f"a seal with one more of `{name}`", changed(leaves[:seal + 1], seal, **{name: record[name] + 1}), error="RAFFLE_STATE_DIFFERS")
    yield fold_control("a seal that begins a record later", changed(leaves[:seal + 1], seal, first=record["first"] + 1), error="RAFFLE_CORRUPT")
    yield fold_control("a seal of one unit less", changed(leaves[:seal + 1], seal, units=record["units"] - 1), error="RAFFLE_CORRUPT")
    yield fold_control("a seal that says a unit is unreconciled", changed(leaves[:seal + 1], seal, unreconciled=1, ok="supervisor"), error="RAFFLE_STATE_DIFFERS")
    unit = record["first"]
    yield fold_control("a seal without its second unit", leaves[:unit + 1] + leaves[unit + 2:], error="RAFFLE_SEQUENCE")
    yield fold_control("more voids than tickets in a seal.unit", changed(leaves[:unit + 1], unit, voids=MOST), error="RAFFLE_CORRUPT")
    yield fold_control("sums beyond 2^53-1", wide(leaves[:seal + 1], unit), error="RAFFLE_LIMIT")
    ack = index_of(leaves, "voids.ack", 1)
    yield fold_control("an acknowledgement of other voids", changed(leaves[:ack + 1], ack, voids=0), error="RAFFLE_STATE_DIFFERS")
    yield fold_control("a draw before its voids are acknowledged", leaves[:ack] + leaves[ack + 1:ack + 2], error="RAFFLE_NOT_ACKED")
    yield fold_control("a log without raffle.open", leaves[1:], error="RAFFLE_CORRUPT")
    yield fold_control("raffle.open twice", leaves[:1] + leaves[:1], error="RAFFLE_CORRUPT")
    yield fold_control("a unit enrolled twice", leaves[:2] + leaves[1:2], error="RAFFLE_CORRUPT")
    yield fold_control("a record earlier than the one before", changed(leaves[:3], 2, at="2026-11-15T00:00:00.000Z"), error="RAFFLE_CLOCK")
    yield from event_cases(leaves, seal)
    result = index_of(leaves, "draw.result", 1)
    yield fold_control("a result of another intent", changed(leaves[:result + 1], result, intent=1), error="RAFFLE_NOT_FOUND")
    yield fold_control("a result that nobody asked for", leaves[:result - 1] + leaves[result:result + 1], error="RAFFLE_SEQUENCE")
    yield fold_control("a result with a place too many", changed(leaves[:result + 1], result, winners=3), error="RAFFLE_CORRUPT")
    claim = index_of(leaves, "claim")
    yield fold_control("a claim without a second approver", changed(leaves[:claim + 1], claim, ok=None), error="RAFFLE_CORRUPT")
    yield fold_control("a claim before the winner is official", leaves[:claim - 1] + leaves[claim:claim + 1], error="RAFFLE_SEQUENCE")
    yield fold_control("a claim twice", leaves[:claim + 1] + leaves[claim:claim + 1], error="RAFFLE_SEQUENCE")


def inserted(leaves, index, **record):
    """Another record at `index`, of the time of the one before."""
    value = {"at": json.loads(leaves[index - 1])["at"], "by": "manager", "p": "00" * 32, **record}
    return leaves[:index] + [tiles.canonical(value)] + leaves[index:]


def event_cases(leaves, seal):
    """Events after a seal that say too little, and some that say enough."""
    after = leaves[:seal + 1]

    def told(**members):
        return inserted(after, seal + 1, t="event", **members)

    def good(name, made):
        return fold_control(name, made, root=tiles.root(made).hex(), **sums(json.loads(leaves[seal])))

    began = told(code="remote.begin")
    yield good("remote access that ends", inserted(began, seal + 2, t="event", code="remote.end", first=seal + 1))
    yield fold_control("remote access that ends and never began", told(code="remote.end"), error="RAFFLE_CORRUPT")
    yield fold_control("remote access that ends before it began", told(code="remote.end", first=seal + 1), error="RAFFLE_CORRUPT")
    yield fold_control("an event that names where it began", told(code="x.door", first=1), error="RAFFLE_CORRUPT")
    yield good("altered data that a supervisor approved", told(code="data.altered", ok="supervisor"))
    yield fold_control("altered data that nobody approved", told(code="data.altered"), error="RAFFLE_APPROVAL")
    yield fold_control("altered data that a seller approved", told(code="data.altered", ok="seller"), error="RAFFLE_APPROVAL")


def elsewhere_cases(raffle):
    """A unit that is away: what of its enrolment, its uploads and what seals take of them must be refused, and what not."""
    leaves, empty = raffle.control.leaves, hashlib.sha256(b"").hexdigest()
    enrol, first, second, run, seal = (index_of(leaves, kind, skip) for kind, skip in
                                       (("unit.enrol", 1), ("unit.sync", 0), ("unit.sync", 1), ("seal.unit", 0), ("seal", 0)))
    part, intent, upload = run + 1, index_of(leaves, "draw.intent"), json.loads(leaves[second])
    total = sums(json.loads(leaves[seal]))

    def good(name, made):
        return fold_control(name, made, root=tiles.root(made).hex(), **total)

    def bad(name, made, error):
        return fold_control(name, made, error=error)

    def again(at, **changes):
        """The second upload again, in front of record `at`."""
        return inserted(leaves, at, **{**{k: v for k, v in upload.items() if k not in ("at", "p")}, **changes})

    def enrolled(**changes):
        return changed(leaves[:enrol + 1], enrol, **changes)

    def shifted(made, at, **changes):
        return changed(made, at, first=json.loads(made[at])["first"] + 1, **changes)

    yield good("a control log with a unit that is away", leaves)
    yield good("an upload by a manager", changed(leaves[:seal + 1], first, by="manager"))
    yield good("a unit that is away without a limit of hours", changed(leaves[:seal + 1], enrol, away=0))
    yield good("a unit that is away for 100,000 hours", changed(leaves[:seal + 1], enrol, away=100000))
    yield bad("a unit that is away without a proof", enrolled(note=None), "RAFFLE_CORRUPT")
    yield bad("a proof of a unit that is not away", enrolled(away=None), "RAFFLE_CORRUPT")
    yield bad("a unit that is away without a quota", enrolled(quota=0), "RAFFLE_LIMIT")
    yield bad("a unit that is away for 100,001 hours", enrolled(away=100001), "RAFFLE_LIMIT")
    quota = {"t": "unit.quota", "unit": 2}
    yield bad("a quota of 0 for a unit that is away", inserted(leaves[:enrol + 1], enrol + 1, **quota, quota=0), "RAFFLE_LIMIT")
    yield good("another quota for a unit that is away", shifted(inserted(leaves[:seal + 1], enrol + 1, **quota, quota=7), seal + 1))
    yield bad("an upload of a unit that is here", changed(leaves[:first + 1], first, unit=1), "RAFFLE_CORRUPT")
    yield bad("an upload of a unit that was never enrolled", changed(leaves[:first + 1], first, unit=3), "RAFFLE_NOT_FOUND")
    yield bad("an upload of nothing", changed(leaves[:first + 1], first, size=0, root=empty), "RAFFLE_CORRUPT")
    yield bad("an upload by a seller", changed(leaves[:first + 1], first, by="seller"), "RAFFLE_ROLE")
    yield bad("an upload of fewer records than before", changed(leaves[:second + 1], second, size=json.loads(leaves[first])["size"] - 1), "RAFFLE_HISTORY")
    yield bad("an upload of as many other records", changed(leaves[:second + 1], second, size=json.loads(leaves[first])["size"]), "RAFFLE_HISTORY")
    yield bad("fewer orders sold twice than before", changed(leaves[:second + 1], first, twice=1), "RAFFLE_HISTORY")
    yield good("the same upload again", shifted(again(second + 1)[:seal + 2], seal + 1))
    yield bad("a unit un-enrolled that has uploaded", inserted(leaves[:first + 1], first + 1, t="unit.unenrol", unit=2), "RAFFLE_SEQUENCE")
    yield bad("an upload of a unit that was un-enrolled", inserted(leaves[:first + 1], first, t="unit.unenrol", unit=2), "RAFFLE_DISABLED")
    yield bad("an upload while a draw is open", again(intent + 1)[:intent + 2], "RAFFLE_DRAW_OPEN")
    yield bad("an upload in a unit's place in a seal", again(part)[:part + 2], "RAFFLE_SEQUENCE")
    size = json.loads(leaves[part])["size"]
    yield bad("a seal of less than was uploaded", changed(leaves[:part + 1], part, size=size - 1), "RAFFLE_CORRUPT")
    yield bad("a seal of more than was uploaded", changed(leaves[:part + 1], part, size=size + 1), "RAFFLE_CORRUPT")
    yield bad("a seal of other records than were uploaded", changed(leaves[:part + 1], part, root=empty), "RAFFLE_CORRUPT")
    without = leaves[:first] + leaves[first + 1:second] + leaves[second + 1:seal + 1]
    yield bad("a seal of records that were never uploaded", without[:-1], "RAFFLE_CORRUPT")
    yield nothing_uploaded(without, empty)
    yield bad("an order sold twice, and nobody approved the seal", changed(leaves[:seal + 1], second, twice=1), "RAFFLE_APPROVAL")
    yield bad("an order sold twice, and a seller approved the seal", changed(changed(leaves[:seal + 1], second, twice=1), seal, ok="seller"), "RAFFLE_APPROVAL")
    yield good("an order sold twice, and a supervisor approved the seal", changed(changed(leaves[:seal + 1], second, twice=1), seal, ok="supervisor"))
    yield good("the same upload after the final seal", again(seal + 1)[:seal + 2])
    yield bad("more uploaded than the final seal took", again(seal + 1, size=size + 1)[:seal + 2], "RAFFLE_CLOSED")
    left_out = changed(changed(leaves, part, reconciled=False), seal, unreconciled=1, ok="supervisor")
    yield good("more uploaded of a unit that the final seal left out", inserted(left_out, seal + 1, **{**{k: v for k, v in upload.items() if k not in ("at", "p")}, "size": size + 1})[:seal + 2])
    yield good("a unit disabled by the system", shifted(inserted(leaves[:seal + 1], second + 1, t="unit.disable", by="system", reason="forked", unit=2), seal + 1))
    yield bad("a unit enabled by the system", changed(leaves[:enrol + 2], enrol + 1, by="system"), "RAFFLE_ROLE")


def growing_cases(raffle, plain):
    """Seals that count their tickets by tier."""
    leaves = raffle.control.leaves
    part, seal = index_of(leaves, "seal.unit"), index_of(leaves, "seal", 1)
    record = json.loads(leaves[part])
    ones, tens = record["tiers"]

    def bad(name, error="RAFFLE_STATE_DIFFERS", **members):
        return fold_control(name, changed(leaves[:part + 1], part, **members), error=error)

    yield fold_control("a seal of tickets by tier", leaves, root=tiles.root(leaves).hex(), **sums(json.loads(leaves[seal])))
    yield bad("a pot of some tiers, and a seal that does not count them", "RAFFLE_CORRUPT", tiers=None)
    yield bad("a tier less than the rules have", "RAFFLE_CORRUPT", tiers=[ones])
    yield bad("a tier more than the rules have", "RAFFLE_CORRUPT", tiers=[ones, tens, {"tickets": 0, "voids": 0}])
    yield bad("a tier without its voids", "RAFFLE_CORRUPT", tiers=[ones, {"tickets": 2}])
    yield bad("a tier with a member of its own", "RAFFLE_CORRUPT", tiers=[ones, {**tens, "zone": 1}])
    yield bad("a tier that counts no integer", "RAFFLE_CORRUPT", tiers=[ones, {"tickets": 2.5, "voids": 1}])
    yield bad("a ticket too many of a tier", tiers=[ones, {**tens, "tickets": tens["tickets"] + 1}])
    yield bad("a void too many of a tier", tiers=[ones, {**tens, "voids": tens["voids"] + 1}])
    yield bad("the tiers exchanged", tiers=[tens, ones])
    yield bad("more voids than tickets of a tier", tiers=[{"tickets": 0, "voids": 1}, {"tickets": 3, "voids": 0}])
    yield bad("tiers beyond 2^64 together", tiers=[ones, {"tickets": MOST, "voids": 0}])
    yield bad("voids beyond 2^64 together", tiers=[ones, {"tickets": MOST, "voids": MOST}])
    leaves, part = plain.control.leaves, index_of(plain.control.leaves, "seal.unit")
    yield bad("a seal that counts tickets by tier for no prize", "RAFFLE_CORRUPT", tiers=[{"tickets": 2, "voids": 0}, {"tickets": 2, "voids": 1}])


def ace_cases(raffle):
    """Envelopes, one of which has the ace."""
    leaves, seal = raffle.control.leaves, json.loads(raffle.control.leaves[index_of(raffle.control.leaves, "seal")])
    first, second, third, last = (index_of(leaves, "winner.pick", skip) for skip in range(4))
    claim = index_of(leaves, "claim")

    def bad(name, made, error):
        return fold_control(name, made, error=error)

    def picked(name, at, error, **members):
        return bad(name, changed(leaves[:at + 1], at, **members), error)

    yield fold_control("an ace that is found by the third who chooses, and one that is missed", leaves, root=tiles.root(leaves).hex(), **sums(seal))
    yield picked("an envelope beyond the last", first, "RAFFLE_INVALID", envelope=5)
    yield picked("no envelope", first, "RAFFLE_CORRUPT", envelope=0)
    yield picked("an envelope that was opened before", second, "RAFFLE_EXISTS", envelope=2)
    yield picked("an envelope opened by one alone", first, "RAFFLE_CORRUPT", ok=None)
    yield picked("an envelope opened before a seller", first, "RAFFLE_APPROVAL", ok="seller")
    yield picked("an envelope opened by a seller", first, "RAFFLE_ROLE", by="seller")
    yield picked("an ace that is neither found nor missed", first, "RAFFLE_CORRUPT", outcome="void")
    yield picked("who misses, and nobody is promoted", first, "RAFFLE_CORRUPT", promoted=None)
    yield picked("who misses, and the wrong alternate is promoted", first, "RAFFLE_CORRUPT", promoted=3)
    yield picked("who finds, and an alternate is promoted", first, "RAFFLE_CORRUPT", outcome="found")
    yield picked("who misses a prize that need not go, and an alternate is promoted", last, "RAFFLE_CORRUPT", promoted=2)
    yield bad("an envelope opened before the winner is official", leaves[:first - 1] + leaves[first:first + 1], "RAFFLE_SEQUENCE")
    yield bad("the ace found twice", inserted(leaves[:third + 1], third + 1, **{**{k: v for k, v in json.loads(leaves[third]).items() if k not in ("at", "p")}, "envelope": 3}), "RAFFLE_SEQUENCE")
    yield bad("a claim before the ace is found", leaves[:third] + leaves[claim:claim + 1], "RAFFLE_SEQUENCE")
    yield bad("a claim of who missed", changed(leaves[:third], third - 1, **{**json.loads(leaves[claim]), "place": 1}), "RAFFLE_SEQUENCE")
    fewer = changed(leaves, 0, rules={**raffle.rules, "prizes": [{**raffle.rules["prizes"][0], "ace": 2}, *raffle.rules["prizes"][1:]]})
    yield bad("the last envelope misses", changed(fewer[:second + 1], second, envelope=1), "RAFFLE_INVALID")
    without = changed(leaves, 0, rules={**raffle.rules, "prizes": [{k: v for k, v in raffle.rules["prizes"][0].items() if k not in ("ace", "must_go")}, *raffle.rules["prizes"][1:]]})
    yield bad("an envelope of a prize without an ace", without[:first + 1], "RAFFLE_SEQUENCE")


def away_from_buyers(raffle):
    """Rules that limit a buyer's tickets have no unit that is away."""
    leaves = raffle.control.leaves
    enrol, rules = index_of(leaves, "unit.enrol", 1), json.loads(leaves[0])["rules"]
    limited = {**rules, "sales": {**rules["sales"], "buyer_tickets": 5}}
    yield fold_control("a unit that is away where a buyer's tickets are counted", changed(leaves[:enrol + 1], 0, rules=limited), error="RAFFLE_UNSUPPORTED")


def nothing_uploaded(leaves, empty):
    """A seal of a unit that is away and of which nothing came."""
    last, none = len(leaves) - 1, {"tickets": 0, "numbers": 0, "gross": 0, "voids": 0, "void_numbers": 0, "void_gross": 0}
    note = json.loads(leaves[index_of(leaves, "unit.enrol", 1)])["note"]
    leaves = changed(leaves, last - 1, size=0, root=empty, void_root=empty, reconciled=False, note=note, **none)
    here = sums(json.loads(leaves[last - 2]))
    leaves = changed(leaves, last, first=json.loads(leaves[last])["first"] - 2, unreconciled=1, ok="supervisor", **here)
    return fold_control("a seal of a unit of which nothing was uploaded", leaves, root=tiles.root(leaves).hex(), **here)


def wide(leaves, first):
    for i in (first, first + 1):
        leaves = changed(leaves, i, gross=MOST)
    return leaves


def unit_cases(raffle):
    for unit in raffle.units:
        totals, _ = raffle.totals(unit, before=0)
        yield fold_unit(f"unit {unit.number}'s log", raffle, unit, unit.leaves, unit_root=unit.root().hex(), **totals)
    web = raffle.units[0]
    leaves, close = web.leaves, len(web.leaves) - 1
    yield fold_unit("as far as its second ticket", raffle, web, leaves[:3], unit_root=web.root(3).hex(), tickets=2, numbers=11, gross=2500, voids=0)
    record = json.loads(leaves[close])
    for name in sums(record):
        yield fold_unit(f"a close with one more of `{name}`", raffle, web, changed(leaves, close, **{name: record[name] + 1}), error="RAFFLE_STATE_DIFFERS")
    yield fold_unit("a gap in the draw numbers", raffle, web, changed(leaves[:3], 2, n=3), error="RAFFLE_CORRUPT")
    yield fold_unit("a draw number issued again", raffle, web, changed(leaves[:3], 2, n=1), error="RAFFLE_CORRUPT")
    yield fold_unit("another price than the tier's", raffle, web, changed(leaves[:2], 1, price=1), error="RAFFLE_INVALID")
    yield fold_unit("another count than the tier's", raffle, web, changed(leaves[:2], 1, count=2), error="RAFFLE_INVALID")
    yield fold_unit("a tier that is not in the rules", raffle, web, changed(leaves[:2], 1, tier="two"), error="RAFFLE_NOT_FOUND")
    yield fold_unit("a role that may not sell", raffle, web, changed(leaves[:2], 1, by="auditor"), error="RAFFLE_ROLE")
    yield fold_unit("a sale when sales are closed", raffle, web, changed(leaves[:2], 1, at=reference.CLOSE), error="RAFFLE_WINDOW")
    yield fold_unit("the void of a later record", raffle, web, changed(leaves[:6], 5, serial=6), error="RAFFLE_NOT_FOUND")
    yield fold_unit("the void of another unit's ticket", raffle, web, changed(leaves[:6], 5, unit=2), error="RAFFLE_NOT_FOUND")
    yield fold_unit("a sale after the close", raffle, web, leaves + changed(leaves, 1, n=record["n"], at=record["at"])[1:2], error="RAFFLE_CLOSED")
    yield fold_unit("no unit.start", raffle, web, leaves[1:], error="RAFFLE_CORRUPT")
    yield fold_unit("unit.start twice", raffle, web, leaves[:1] * 2, error="RAFFLE_CORRUPT")
    yield fold_unit("the start of another unit", raffle, raffle.units[1], leaves[:1], error="RAFFLE_MISMATCH")
    yield fold_unit("the start in another raffle", raffle, web, changed(leaves[:1], 0, open="00" * 32), error="RAFFLE_MISMATCH")
    yield fold_unit("a record of the control log", raffle, web, leaves[:1] + raffle.control.leaves[2:3], error="RAFFLE_CORRUPT")


# --- tiles ---


def tile_paths():
    def case(name, size, level, index, width, path, valid=True, entries=False):
        return {"name": name, "kind": "path", "valid": valid, "size": str(size), "level": level, "index": str(index), "entries": entries, "width": width, "path": path}

    def good(size, level, index, entries=False):
        width = min(tiles.WIDTH, (size >> 8 * level) - tiles.WIDTH * index)
        name = f"{'bundle' if entries else f'level {level}'}, {index} of {size}"
        return case(name, size, level, index, width, tiles.tile_path("entries" if entries else level, index, width), entries=entries)

    assert tiles.tile_path(0, 1234067, 256) == "tile/0/x001/x234/067"
    for size, level, index in [(1, 0, 0), (255, 0, 0), (256, 0, 0), (256, 1, 0), (257, 0, 1), (70000, 0, 272), (70000, 0, 273), (70000, 1, 0), (70000, 1, 1), (70000, 2, 0),
                               (2**40, 0, 1234067), (2**40, 0, 2**32 - 1), (2**40, 1, 2**24 - 1), (2**40, 4, 0), (2**40, 3, 255), (256000, 0, 999), (256001, 0, 1000),
                               (2**40 - 1, 0, 2**32 - 1)]:
        yield good(size, level, index)
        if level == 0:
            yield good(size, level, index, True)
    yield case("a tile of a log of nothing", 0, 0, 0, 0, "tile/0/000", False)
    yield case("an empty tile", 256, 0, 1, 0, "tile/0/001.p/0", False)
    yield case("an empty level", 255, 1, 0, 0, "tile/1/000", False)
    yield case("a partial tile hashed into the next level", 257, 1, 0, 2, "tile/1/000.p/2", False)
    yield case("a partial tile's path for a full one", 256, 0, 0, 256, "tile/0/000.p/256", False)
    yield case("a full tile's path for a partial one", 255, 0, 0, 255, "tile/0/000", False)
    yield case("another width", 7, 0, 0, 6, "tile/0/000.p/6", False)
    yield case("no zeros", 7, 0, 0, 7, "tile/0/0.p/7", False)
    yield case("no x", 512000, 0, 1234, 256, "tile/0/001/234", False)
    yield case("an x in the last group", 512000, 0, 1234, 256, "tile/0/x001/x234", False)
    yield case("x/mod's height", 7, 0, 0, 7, "tile/8/0/000.p/7", False)
    yield case("x/mod's data", 7, 0, 0, 7, "tile/data/000.p/7", False, True)


def tile_hashes():
    entries = [f"entry {i}".encode() for i in range(70000)]
    levels = {}

    def case(name, size, level, index, valid=True, /, **changes):
        if size not in levels:
            levels[size] = list(tiles.levels([tiles.leaf_hash(entry) for entry in entries[:size]]))
        part = levels[size][level][index * tiles.WIDTH:(index + 1) * tiles.WIDTH]
        return {"name": name, "kind": "hashes", "valid": valid, "size": size, "level": level, "index": index, "width": len(part), "last": part[-1].hex(),
                "sha256": hashlib.sha256(b"".join(part)).hexdigest(), **changes}

    for size, level, index in [(1, 0, 0), (7, 0, 0), (256, 0, 0), (256, 1, 0), (600, 0, 0), (600, 0, 2), (600, 1, 0), (70000, 1, 1), (70000, 2, 0)]:
        yield case(f"hashes of level {level}, tile {index} of {size}", size, level, index)
    yield case("the tile of another size", 600, 0, 2, False, size=601)
    yield case("the root of a partial tile as a hash of level 1", 7, 0, 0, False, level=1, width=1, last=tiles.root(entries[:7]).hex())
    yield case("a bit of the last hash changed", 7, 0, 0, False, last="00" * 32)
    yield case("another digest", 7, 0, 0, False, sha256="00" * 32)


def bundles():
    def case(name, data, entries, valid=True):
        return {"name": "bundle: " + name, "kind": "bundle", "valid": valid, "bundle": data.hex(), "list": [entry.hex() for entry in entries]}

    two = [b"a", b"bc"]
    full = [bytes([i]) * (1 + i % 5) for i in range(256)]
    yield case("two entries", tiles.bundle(two), two)
    yield case("256 entries", tiles.bundle(full), full)
    yield case("257 entries", tiles.bundle(full + two[:1]), full + two[:1], False)
    yield case("a byte after it", tiles.bundle(two) + b"\0", two, False)
    yield case("the last byte missing", tiles.bundle(two)[:-1], two, False)
    yield case("one entry for two", tiles.bundle(two[:1]), two, False)
    yield case("an entry that is not counted", tiles.bundle(two), two[:1], False)
    yield case("entries exchanged", tiles.bundle(two), two[::-1], False)
    yield case("an empty entry", tiles.bundle([b"a", b""]), [b"a", b""], False)
    yield case("lengths of the smaller byte first", b"\1\0a\2\0bc", two, False)
    yield case("half a length", b"\0\1a\0", two, False)


# --- void_root, order keys ---


def void_roots():
    def case(name, serials, valid=True, root=None):
        found = root or reference.void_root([int(each) for each in serials if 0 < int(each) < 2**40])
        return {"name": name, "valid": valid, "serials": [str(each) for each in serials], "root": found.hex()}

    good = reference.void_root([2, 5, 9])
    cases = [
        case("the specification's: ticket 2", [2]), case("no voids", []), case("two", [2, 5]), case("three", [2, 5, 9]),
        case("the first serial and the last", [1, 2**40 - 1]), case("255, 256, 65535, 65536", [255, 256, 65535, 65536]),
        case("a hundred", list(range(1, 300, 3))),
        case("descending", [9, 5, 2], False, good), case("one twice", [2, 5, 5, 9], False, good), case("one missing", [2, 9], False, good),
        case("another serial", [2, 5, 8], False, good), case("serial 0", [0, 2, 5, 9], False, good), case("serial 2^40", [2, 5, 2**40], False, good),
        case("of eight bytes each", [2], False, tiles.root([(2).to_bytes(8, "big")])),
        case("little-endian", [2], False, tiles.root([(2).to_bytes(5, "little")])),
        case("without the leaf's prefix", [2], False, hashlib.sha256((2).to_bytes(5, "big")).digest()),
    ]
    assert cases[0]["root"] == "d9c807b270afc4a7fae1a3d6cba7ca846c516483484b6b461778b2fca8bd3410"
    write("void_root", "docs/spec/seal.md; " + SOURCE, cases)


def siphash128(key, data):
    """SipHash-2-4-128 of Aumasson and Bernstein."""
    mask = 2**64 - 1
    k0, k1 = (int.from_bytes(key[i:i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> 64 - bits) & mask

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & mask
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    out = (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")
    v[1] ^= 0xDD
    rounds(4)
    return out + (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")


def order_keys():
    secret, origin = bytes.fromhex("3944928e3ce9ff48a29d916b0b767a7c4676559b7298740ee32f2120278b31a8"), "raffle.example/gala"

    def case(name, order, valid=True, time="", origin=origin, **members):
        k = hmac.new(secret, b"libraffle/order/v1\0" + origin.encode(), hashlib.sha256).digest()[:16]
        row = bytes.fromhex(time) + siphash128(k, order.encode())
        return {"name": name, "valid": valid, "key": secret.hex(), "origin": origin, "order": order, "k": k.hex(), "row": row.hex(), **members}

    uuid = "019a5e50-7b1c-7def-8123-456789abcdef"
    cases = [
        case("the specification's", "web-81723"), case("the specification's UUIDv7", uuid, time="019a5e507b1c"),
        case("the same in upper case is another key", uuid.upper(), time="019a5e507b1c"), case("one byte", "a"), case("64 bytes", "o" * 64), case("UTF-8", "commande-é"),
        *[case(f"{n} bytes", "k" * n) for n in (7, 8, 15, 16)],
        case("another raffle", "web-81723", origin="raffle.example/other"),
        case("a UUIDv4 has no time", uuid[:14] + "4" + uuid[15:]), case("no hyphen at 8", uuid[:8] + "0" + uuid[9:]), case("a digit that is none", "g" + uuid[1:]),
        case("a UUIDv7 in braces", "{" + uuid + "}"), case("a letter in its random part is the host's affair", uuid[:-1] + "z", time="019a5e507b1c"),
        case("a UUIDv7 without its time", uuid, False), case("a time that is not there", "web-81723", False, time="019a5e507b1c"),
    ]
    assert cases[0]["k"] == "5e2545eaffe5b8a5636351b814bc2ef5" and cases[0]["row"] == "54d7b86040d7065da4cef5b934724f3b"
    assert cases[1]["row"] == "019a5e507b1c7514ae6e8334d5fe8dbe03eb04b8d06b"
    good = cases[0]
    cases += [
        {**copy.deepcopy(good), "name": "another key K", "valid": False, "key": "00" * 32},
        {**copy.deepcopy(good), "name": "another order", "valid": False, "order": "web-81724"},
        {**copy.deepcopy(good), "name": "a row of 64 bits", "valid": False, "row": good["row"][:16]},
    ]
    write("order_key", "docs/spec/sales.md; SipHash in plain Python; " + SOURCE, cases)


def buyer_keys():
    secret, origin = bytes.fromhex("3944928e3ce9ff48a29d916b0b767a7c4676559b7298740ee32f2120278b31a8"), "raffle.example/gala"

    def case(name, buyer, place, valid=True, **members):
        k = hmac.new(secret, b"libraffle/buyer/v1\0" + members.get("origin", origin).encode(), hashlib.sha256).digest()
        row = hmac.new(k, buyer.encode(), hashlib.sha256).digest()[:16] + place.to_bytes(4, "big")
        return {"name": name, "valid": valid, "key": secret.hex(), "origin": origin, "buyer": buyer, "place": place, "k": k.hex(), "row": row.hex(), **members}

    first = case("a buyer's first ticket", "b-7731", 1)
    cases = [first, case("the second", "b-7731", 2), case("the millionth", "b-7731", 1000000), case("the shortest tag", "b", 1), case("the longest", "b" * 64, 5),
             case("a tag that is no ASCII", "\u5473\u564c", 3), case("another raffle", "b-7731", 1, origin="raffle.example/gala-2"),
             {**case("another place", "b-7731", 1, False), "place": 2}, {**case("another tag", "b-7731", 1, False), "buyer": "b-7732"},
             case("the key of another raffle", "b-7731", 1, False, k=case("", "b", 1, origin="raffle.example/gala-2")["k"]),
             case("a row without its place", "b-7731", 1, False, row=first["row"][:32])]
    write("buyer_key", "docs/spec/sales.md; " + SOURCE, cases)


def main():
    raffle, elsewhere = reference.example(), reference.elsewhere()
    records(raffle, elsewhere, reference.growing())
    write("fold", SOURCE, [*control_cases(raffle), *unit_cases(raffle), *elsewhere_cases(elsewhere),
                           *ace_cases(reference.ace()), *away_from_buyers(elsewhere), *growing_cases(reference.growing(), raffle)])
    write("tile", "C2SP tlog-tiles v0.1.0; tests/reference/tiles_reference.py", [*tile_paths(), *tile_hashes(), *bundles()])
    void_roots()
    order_keys()
    buyer_keys()


if __name__ == "__main__":
    main()
