#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes every report of a raffle in every format, and holds rows and totals against what `raffle show` gives, added up here again; then proves them,
from the store and from a published folder, and not when they were altered.

    RAFFLE=build/src/cli/raffle RAFFLE_PYTHON=venv/bin/python python3 tests/integration/report.py
"""
import collections
import csv
import io
import json
import os
import pathlib
import random
import subprocess

STORE = "report.raffle"
TIERS = {"one": (1, 500), "ten": (10, 2000), "free": (3, 0)}
NAMES = ["drawing", "exceptions", "tickets", "sales", "voids", "unit-events", "corruption", "events", "summary", "accounts", "units"]
RULES = {
    "origin": "raffle.example/report", "name": "=Report <&>", "organisation": "Club, \"one\"", "licence": "L-1", "place": "Arena",
    "series": {"name": "<Weekly>, \"draw\"", "number": 7},
    "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "zone": [{"from": "2020-01-01T00:00:00.000Z", "offset": -420}],
    "tiers": [{"name": name, "count": count, "price": price} for name, (count, price) in TIERS.items()],
    "units": [{"name": "a", "quota": 9000}, {"name": "b", "quota": 5000}, {"name": "idle", "quota": 100}],
    "prizes": [{"name": "first", "title": "Half", "share": 5000, "alternates": 2}, {"name": "car", "amount": 12345}, {"name": "last"}],
    "rng": ["test"],
}


def run(*arguments, status=0):
    done = subprocess.run([os.environ["RAFFLE"], *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == status, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout.decode()


def make():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    pathlib.Path("empty.json").write_text(json.dumps({**RULES, "origin": "raffle.example/empty"}), encoding="utf-8")
    chance = random.Random(2811)
    rows = ["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by"]
    rows += [f"sale,,{1 + i % 2},o{i},{chance.choice(list(TIERS))},{chance.randint(1, 3)},,,,,ann{i % 7}:seller" for i in range(600)]
    rows += [f"void,,,o{i},,,,,,{chance.choice(['refund', 'misprint', 'error'])},sue:supervisor" for i in range(0, 600, 9)]
    pathlib.Path("sales.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    boss, ok = ("--by", "boss:manager"), ("--ok", "sue:supervisor")
    run("create", "empty.raffle", "--rules", "empty.json", *boss)
    run("create", STORE, "--rules", "rules.json", *boss)
    run("import", STORE, "sales.csv", "--by", "till:system")
    run("event", STORE, "printer.failure", "--unit", "2", "--component", "printer-3", "--text", "-1+2 \"x\"", "--by", "ann:seller")
    run("unit", "quota", STORE, "1", "9500", *boss)
    run("event", STORE, "x.door", *boss)
    run("seal", STORE, *boss)
    run("void", STORE, "--order", "o10", "--reason", "error", "--by", "sue:supervisor")
    run("ack", STORE, *boss)
    run("draw", STORE, "first", "--rng", "test:seed=01", *boss)
    run("draw", STORE, "car", "--rng", "test:seed=02", *boss)
    run("forfeit", STORE, "first", "--place", "1", "--reason", "gone", *boss, *ok)


def records():
    out = []
    for log in ("control", "1", "2", "3"):
        for line in run("show", STORE, log, "--private", "--json").splitlines():
            entry = json.loads(line)
            out.append({"log": 0 if log == "control" else int(log), "index": entry["index"], "private": entry["private"], **entry["leaf"]})
    return out


def report(name, *options, store=STORE):
    return json.loads(run("report", store, name, "--format", "json", *options))


def rows(made):
    names = [c["name"] for c in made["columns"]]
    return [dict(zip(names, row, strict=True)) for row in made["rows"]]


def number(unit, n):
    return f"{unit}-{n:07}"


class Night:
    """What the records say."""

    def __init__(self, every, inside=lambda at: True):
        self.all = every
        self.sale = {(r["log"], r["index"]): r for r in every if r["t"] == "sale"}
        self.sales = [r for r in every if r["t"] == "sale" and inside(r["at"])]
        self.voids = [r for r in every if r["t"] == "void" and inside(r["at"])]

    def sums(self, sale=lambda r: True, void=lambda r: True):
        sales, voids = [r for r in self.sales if sale(r)], [r for r in self.voids if void(r)]
        totals = {"tickets": len(sales), "numbers": sum(r["count"] for r in sales), "gross": sum(r["price"] for r in sales),
                  "voids": len(voids), "void_numbers": sum(r["count"] for r in voids), "void_gross": sum(r["price"] for r in voids)}
        return {**totals, "net": totals["gross"] - totals["void_gross"]}


def within(part, whole):
    for name, value in part.items():
        assert whole[name] == value, (name, value, whole)


def check_sales(night, made):
    within(night.sums(), made["totals"])
    for row in rows(made):
        unit = row["unit"]
        within(night.sums(lambda r: r["log"] == unit, lambda r: r["unit"] == unit), row)
        mine = [r for r in night.sales if r["log"] == unit]
        assert row["first"] == number(unit, mine[0]["n"]) and row["last"] == number(unit, mine[-1]["n"] + mine[-1]["count"] - 1)
        assert row["misprints"] == sum(r["unit"] == unit and r["reason"] == "misprint" for r in night.voids)
    assert [r["unit"] for r in rows(made)] == sorted({r["log"] for r in night.sales})


def check_tickets(night, made):
    void = {(r["unit"], r["serial"]) for r in night.all if r["t"] == "void"}
    want = [{"unit": r["log"], "serial": r["index"], "first": number(r["log"], r["n"]), "last": number(r["log"], r["n"] + r["count"] - 1),
             "numbers": r["count"], "price": r["price"], "tier": r["tier"], "sold_at": r["at"],
             "status": "void" if (r["log"], r["index"]) in void else "sold"} for r in night.sales]
    assert rows(made) == want
    assert made["totals"]["voids"] == sum(w["status"] == "void" for w in want)


def check_voids(night, made):
    control = [r for r in night.voids if r["log"] == 0]
    got = rows(made)
    assert len(got) == len(night.voids) and len(control) > 0
    for row, r in zip(got, [r for r in night.voids if r["log"] > 0] + control, strict=True):
        sale = night.sale[r["unit"], r["serial"]]
        within({"unit": r["unit"], "serial": r["serial"], "first": number(r["unit"], sale["n"]), "price": sale["price"], "numbers": sale["count"],
                "sold_at": sale["at"], "voided_at": r["at"], "reason": r["reason"], "by": r["by"], "actor": r["private"]["actor"]}, row)
        validation = json.loads(run("ticket", STORE, "--ticket", f"{r['unit']}/{r['serial']}", "--format", "json"))["tickets"][0]["validation"] if r in control else None
        assert row["validation"] and (validation is None or row["validation"] == validation)


def check_summary(night, made):
    for row in rows(made):
        tier = row["tier"]
        within(night.sums(lambda r: r["tier"] == tier, lambda r: night.sale[r["unit"], r["serial"]]["tier"] == tier), row)
        assert (row["count"], row["price"]) == TIERS[tier]
    sums = night.sums()
    within(sums, made["totals"])
    within({"available": 9500 + 5000 + 100, "unsold": 9500 + 5000 + 100 - sums["numbers"], "cash": None}, made["totals"])


def prizes(night):
    seal = next(r for r in night.all if r["t"] == "seal")
    return (seal["gross"] - seal["void_gross"]) // 2, 12345


def check_accounts(night, made):
    sums, won = night.sums(), sum(prizes(night))
    assert rows(made) == [{"proceeds": sums["net"], "prizes": won, "expenses": None, "good_cause": None, "left": sums["net"] - won,
                           "tickets": sums["tickets"] - sums["voids"], "numbers": sums["numbers"] - sums["void_numbers"],
                           "unsold": 14600 - sums["numbers"]}]


def check_drawing(night, made):
    results = {r["prize"]: r for r in night.all if r["t"] == "draw.result"}
    values, got, at = dict(zip(("first", "car"), prizes(night), strict=True)), rows(made), 0
    for prize in ("first", "car"):
        for i, place in enumerate(results[prize]["places"]):
            row = got[at]
            at += 1
            within({"prize": prize, "value": values[prize], "place": i + 1, "number": number(place["unit"], place["number"]),
                    "serial": place["serial"], "called_at": results[prize]["at"], "numbers": results[prize]["numbers"]}, row)
    assert [r["status"] for r in got] == ["forfeited", "drawn", "alternate", "drawn", "waiting"]
    within({**night.sums(), "prizes": sum(values.values())}, made["totals"])


def check_exceptions(night, made):
    kinds = collections.Counter(r["t"] for r in night.all)
    within({"parameters": sum(n for t, n in kinds.items() if t.startswith("unit.") and t not in ("unit.start", "unit.close")),
            "voids": kinds["void"], "failures": 1, "corrections": 1}, made["totals"])
    change = next(r for r in rows(made) if r["what"] == "unit.quota")
    within({"before": "quota 9000", "after": "quota 9500", "subject": "unit 1", "actor": "boss"}, change)
    forfeit = next(r for r in rows(made) if r["what"] == "forfeit")
    within({"approver": "sue", "ok": "supervisor", "reason": "gone"}, forfeit)


def check_events(night, made):
    want = [(r["log"], r["index"], r["at"], r["code"], r["private"].get("text")) for r in night.all if r["t"] == "event"]
    assert [(r["log"], r["record"], r["at"], r["code"], r["text"]) for r in rows(made)] == want and len(want) >= 3


def check_unit_events(night, made):
    want = [(r["log"], r["index"]) for r in night.all if r["t"] != "sale" and (r["log"] > 0 or "unit" in r)]
    assert [(r["log"], r["record"]) for r in rows(made)] == want


def check_units(night, made):
    enrolled = [r for r in night.all if r["t"] == "unit.enrol"]
    got = rows(made)
    assert len(got) == len(enrolled) > 1
    for row, unit in zip(got, enrolled, strict=True):
        sales = [r for r in night.sales if r["log"] == unit["unit"]]
        within({"unit": unit["unit"], "name": unit["name"], "key": unit["key"], "tickets": len(sales), "numbers": sum(r["count"] for r in sales),
                "operator": sales[-1]["private"]["actor"] if sales else None, "last_at": sales[-1]["at"] if sales else None, "failures": 0}, row)
    assert made["totals"]["units"] == len(enrolled)


CHECKS = {"drawing": check_drawing, "exceptions": check_exceptions, "tickets": check_tickets, "sales": check_sales, "voids": check_voids,
          "unit-events": check_unit_events, "events": check_events, "summary": check_summary, "accounts": check_accounts, "units": check_units,
          "corruption": lambda night, made: None}


def check_csv(name, made):
    text = run("report", STORE, name, "--format", "csv")
    assert text.endswith("\r\n")
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(line) for line in lines}) == 1
    assert ["head", "Raffle", "'=Report <&>"] in [line[:3] for line in lines]
    assert sum(line[0] == "row" for line in lines) == len(made["rows"])
    assert {line[1] for line in lines if line[0] == "total"} == set(made["totals"])
    money = [(i, c) for i, c in enumerate(made["columns"]) if c["kind"] == "money"]
    for line, row in zip((line for line in lines if line[0] == "row"), made["rows"], strict=True):
        for i, _ in money:
            assert line[i + 1] == ("" if row[i] is None else f"{row[i] / 100:.2f}")


HTML = """
import sys, html5lib
page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(sys.stdin.buffer.read(), transport_encoding="utf-8")
assert not page.findall(".//script") and not page.findall(".//img") and page.findall(".//thead")
assert page.find(".//h1/..") is not None
print(len(page.findall(".//tbody/tr")))
"""


def check_html(name, made):
    text = run("report", STORE, name, "--format", "html")
    assert "REHEARSAL" in text and "<&>" not in text and "-07:00" in text
    python = os.environ.get("RAFFLE_PYTHON", "python3")
    done = subprocess.run([python, "-c", HTML], input=text.encode(), stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) >= len(made["rows"]) + len(made["totals"])


def check_proof(name, made):
    path = pathlib.Path(f"{name}.json")
    run("report", STORE, name, "--format", "json", "--out", str(path), "--by", "ann:seller")
    run("verify", "--report", str(path), STORE)
    answer = json.loads(run("verify", "--report", str(path), "public", "--json"))
    assert answer["good"] and answer["rows"] == len(made["rows"]) and answer["notes"] == 4
    private = [i for i, c in enumerate(made["columns"]) if c["private"]]
    assert answer["private_cells"] == sum(row[i] is not None for row in made["rows"] for i in private)
    whole = path.read_text(encoding="utf-8")
    for what, other in (('"net":', '"net":1'), ('"activity":true', '"activity":false'), ('"size":', '"size":1'), ("2-00", "2-01"),
                        ('"origin":"raffle.example/report', '"origin":"raffle.example/other')):
        if what in whole:
            pathlib.Path("altered.json").write_text(whole.replace(what, other, 1), encoding="utf-8")
            assert "bad: altered.json" in run("verify", "--report", "altered.json", STORE, status=3)
    run("verify", "--report", str(path), "empty.raffle", status=3)


def check_refusals():
    run("report", STORE, "takings", status=1)
    pathlib.Path("kept.txt").write_text("an older report", encoding="utf-8")
    run("report", STORE, "sales", "--from", "2026-01-01T00:00:00Z", "--to", "2025-01-01T00:00:00Z", "--out", "kept.txt", status=1)
    assert pathlib.Path("kept.txt").read_text(encoding="utf-8") == "an older report" and not pathlib.Path("kept.txt.part").exists()
    run("report", STORE, "sales", "--from", "yesterday", status=2)
    run("report", STORE, "sales", "--format", "pdf", status=2)
    run("report", STORE, "sales", "--unit", "4", status=1)
    run("report", STORE, "drawing", "--unit", "1", status=1)


def check_empty():
    for name in NAMES:
        made = report(name, store="empty.raffle")
        text = run("report", "empty.raffle", name)
        assert made["activity"] == bool(made["rows"]) == ("No activity" not in text)
        assert all(not value for key, value in made["totals"].items() if key in ("tickets", "gross", "voids", "prizes"))


def main():
    make()
    every = records()
    key = every[0]["key"]
    run("publish", STORE, "public")
    night = Night(every)
    for name in NAMES:
        made = report(name)
        assert made["raffle"]["rehearsal"] and made["raffle"]["licence"] == "L-1" and made["raffle"]["series"] == RULES["series"]
        CHECKS[name](night, made)
        check_csv(name, made)
        check_html(name, made)
        check_proof(name, made)
    middle = sorted(r["at"] for r in night.sales)[len(night.sales) // 2]
    for options, inside in ((("--from", middle), lambda at: at >= middle), (("--to", middle), lambda at: at < middle)):
        check_sales(Night(every, inside), report("sales", *options))
        check_tickets(Night(every, inside), report("tickets", *options))
    check_tickets(Night([r for r in every if r["log"] in (0, 2)]), report("tickets", "--unit", "2"))
    run("verify", "--report", "sales.json", "public", "--key", key)
    run("verify", "--report", "sales.json", "public", "--key", key[:-4] + "AAA=", status=1)
    check_refusals()
    check_empty()
    print(f"{len(NAMES)} reports of {len(every)} records")


if __name__ == "__main__":
    main()
