#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the views of a SQLite store against docs/spec/store-sqlite.md: the columns that the page names, and in every row what the records say, taken
from their JSON here again.

    RAFFLE=build/src/cli/raffle python3 tests/integration/views.py
"""
import datetime
import json
import os
import pathlib
import re
import sqlite3
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STORE = "views.raffle"
WINNERS, ALTERNATES, SALES = 1100, 3, 130  # of ten numbers each
RULES = {
    "origin": "raffle.example/views", "name": "Views", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}],
    "units": [{"name": "a"}, {"name": "b", "quota": 5000}],
    "prizes": [{"name": "many", "winners": WINNERS, "alternates": ALTERNATES, "one_win": "number"}, {"name": "one"},
               {"name": "barrel", "draw": "drum", "winners": 2, "one_win": "none"},
               {"name": "ace", "share": 1000, "ace": 3, "papers_above": 1, "one_win": "none"}],
    "rng": ["test"],
}


def raffle(*arguments, stdin=None):
    return subprocess.run([os.environ["RAFFLE"], *arguments], check=True, stdout=subprocess.PIPE, input=stdin, text=True).stdout


def make():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    lines = ["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by"]
    lines += [f"sale,,{1 + i % 2},order-{i},ten,1,,,,,ann:seller" for i in range(SALES)]
    lines += ["void,,,order-7,,,,,,refund,sue:supervisor"]
    pathlib.Path("sales.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    boss = ("--by", "boss:manager")
    raffle("create", STORE, "--rules", "rules.json", *boss)
    raffle("import", STORE, "sales.csv", "--by", "till:system")
    raffle("event", STORE, "printer.paper-out", "--unit", "2", "--component", "printer-3", "--by", "ann:seller")
    raffle("event", STORE, "x.door", *boss)
    raffle("seal", STORE, *boss)
    raffle("void", STORE, "--order", "order-9", "--reason", "error", "--by", "sue:supervisor")
    raffle("ack", STORE, *boss)
    raffle("draw", STORE, "many", "--rng", "test:seed=01", *boss)
    raffle("draw", STORE, "one", "--rng", "test:seed=02", *boss)
    raffle("forfeit", STORE, "many", "--place", "2", "--reason", "gone", *boss, "--ok", "sue:supervisor")
    raffle("draw", STORE, "barrel", "--begin", *boss, "--ok", "sue:supervisor")
    raffle("draw", STORE, "barrel", "--manual", "1-0000001", "1-9999999", "2-0000001", *boss)
    raffle("draw", STORE, "ace", "--rng", "test:seed=03", *boss)
    winner = next(prize for prize in json.loads(raffle("status", STORE, "--json"))["prizes"] if prize["name"] == "ace")["places"][0]
    validation = json.loads(raffle("ticket", STORE, "--ticket", winner["ticket"], "--json"))["tickets"][0]["validation"] + "\n"
    raffle("verify-winner", STORE, "ace", "--validation", "-", "--by", "sue:supervisor", stdin=validation)
    raffle("official", STORE, "ace", "--by", "sue:supervisor")
    raffle("pick", STORE, "ace", "--envelope", "2", "--found", "--by", "sue:supervisor", "--ok", "boss:manager")
    raffle("claim", STORE, "ace", "--validation", "-", "--wait", "--by", "sue:supervisor", "--ok", "boss:manager", stdin=validation)


def places(entries):
    rows, picks = [], []
    for e in entries:
        if e["type"] == "draw.intent":
            picks = []
        elif e["type"] == "draw.call":
            picks += [e["json"]] if e["json"]["outcome"] == "taken" else []
        elif e["type"] == "draw.picks":
            picks += e["json"]["places"]
        elif e["type"] in ("draw.result", "draw.manual"):
            r = e["json"]
            picks += r.get("places", [])
            assert len(picks) == r["winners"] + r["alternates"]
            rows += [{**p, "idx": e["idx"], "prize": r["prize"], "attempt": r["attempt"], "place": i + 1} for i, p in enumerate(picks)]
    return rows


def keys_of(event):
    """The keys that an event is found by (docs/spec/sales.md), each with the byte of its scope."""
    at = datetime.datetime.strptime(event["at"], "%Y-%m-%dT%H:%M:%S.%f%z") - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    log = event["log"].to_bytes(2, "big")
    place = (at // datetime.timedelta(milliseconds=1)).to_bytes(6, "big") + log + event["idx"].to_bytes(5, "big")
    words = [(b"\x05", event["code"])] + ([(b"\x04", event["component"])] if "component" in event else [])
    return [b"\x07" + place, b"\x03" + log + b"e" + place] + [scope + word.encode() + b"\0" + place for scope, word in words]


def expected(entries):
    """The rows of each view, as dictionaries with at least its columns."""
    full = [{**e["json"], **e} for e in entries]
    control = [e for e in full if e["log"] == 0]
    return {
        "entry": full,
        "ticket": [{**e, "unit": e["log"], "serial": e["idx"], "first_number": e["n"], "last_number": e["n"] + e["count"] - 1}
                   for e in full if e["type"] == "sale"],
        "void": [e for e in full if e["type"] == "void"],
        "unit": [e for e in control if e["type"].startswith("unit.")],
        "seal": [e for e in control if e["type"] in ("seal", "seal.unit")],
        "draw": [e for e in control if e["type"].startswith("draw.")],
        "place": places(entries),
        "claim": [e for e in control if e["type"] in ("winner.verify", "winner.official", "winner.pick", "claim", "claim.wait", "forfeit")],
        "event": [e for e in control if e["type"] == "event"],
        "unit_event": [{**e, "unit": e["log"]} for e in full if e["type"] == "event" and e["log"] > 0],
        "event_index": [{**e, "key": key} for e in full if e["type"] == "event" for key in keys_of(e)],
    }


def entries_of(db):
    for rowid, leaf, private in db.execute("SELECT id, leaf, private FROM record ORDER BY id"):
        record = json.loads(leaf)
        yield {"log": rowid >> 40, "idx": rowid & (1 << 40) - 1, "type": record["t"], "at": record["at"], "role": record["by"],
               "leaf": leaf, "private": private, "json": record}


def columns_in_page():
    page = (SOURCE / "docs/spec/store-sqlite.md").read_text(encoding="utf-8")
    table = page.split("| view | columns | of |", 1)[1].split("\n\n", 1)[0]
    return {name: re.findall(r"`([a-z_]+)`", columns) for name, columns in re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", table, re.M)}


def main():
    make()
    db = sqlite3.connect(STORE)
    page = columns_in_page()
    there = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    assert sorted(there) == sorted(page), (there, list(page))
    rows = expected(list(entries_of(db)))
    for view, columns in page.items():
        cursor = db.execute(f"SELECT * FROM {view}")
        assert [c[0] for c in cursor.description] == columns, (view, [c[0] for c in cursor.description], columns)
        found = sorted(cursor.fetchall(), key=repr)
        wanted = sorted((tuple(row.get(c) for c in columns) for row in rows[view]), key=repr)
        assert wanted and found == wanted, (view, len(found), len(wanted))
    assert [row["place"] for row in rows["place"] if row["prize"] == "many"] == list(range(1, WINNERS + ALTERNATES + 1))
    print(f"{len(page)} views")


if __name__ == "__main__":
    main()
