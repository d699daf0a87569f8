#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the codes of events in docs/guide/events.md and docs/spec/records.md against those of the build, and the search against the records: `raffle events` finds
what `raffle show` prints, in pages too, and so does the view event_index.

    RAFFLE=build/src/cli/raffle python3 tests/integration/events.py [--write]
"""
import itertools
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GUIDE = SOURCE / "docs/guide/events.md"
STORE = "events.raffle"
RULES = {
    "origin": "raffle.example/events", "name": "Events", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "units": [{"name": "a"}, {"name": "b"}],
    "prizes": [{"name": "one"}], "rng": ["test"],
}
HEAD = "| code | severity | about | GLI-31 | written by | |\n|---|---|---|---|---|---|\n"


class Fault(Exception):
    """Something that does not agree."""


def need(condition, sentence):
    if not condition:
        raise Fault(sentence)


def run(*arguments):
    return subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True, check=False)


def raffle(*arguments):
    done = run(*arguments)
    need(done.returncode == 0, f"raffle {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def refused(*arguments):
    done = run(*arguments)
    need(done.returncode != 0, f"raffle {' '.join(arguments)} was not refused")
    return done.stderr


# --- the codes ---

def row_of(code):
    return f"| `{code['code']}` | {code['severity']} | {code['component']} | {code['clause']} | {code['writers']} | {code['meaning']} |\n"


def check_guide(codes):
    text = GUIDE.read_text(encoding="utf-8")
    before, rest = text.split(HEAD, 1)
    after = rest[rest.index("\n\n") if not rest.startswith("\n") else 0:]
    right = before + HEAD + "".join(map(row_of, codes)) + "\n" + after.lstrip("\n")
    if "--write" in sys.argv:
        GUIDE.write_text(right, encoding="utf-8")
    else:
        need(text == right, "the table in docs/guide/events.md is not that of the build: run this with --write")


def check_spec(codes):
    """What the library writes stands in records.md, and there nothing that the table does not have."""
    page = (SOURCE / "docs/spec/records.md").read_text(encoding="utf-8")
    section = page.split("## Events that the library writes itself", 1)[1].split("\n## ", 1)[0]
    said = {code for cell in re.findall(r"^\| (`[^|]+`) \|", section, re.M) for code in re.findall(r"`([a-z.-]+)`", cell)}
    known = {code["code"] for code in codes}
    by_library = {code["code"] for code in codes if "library" in code["writers"]}
    need(said <= known, f"records.md names {said - known}, which are no codes")
    need(by_library <= said, f"records.md lacks {by_library - said}, which the library writes")


def check_sources(codes):
    """Every code that the library's sources write is in the table, as the library's."""
    written = set()
    for path in (SOURCE / "src/raffle").rglob("*.c"):
        text = path.read_text(encoding="utf-8")
        written |= set(re.findall(r"\.code = rf_text_of\(\"([a-z.-]+)\"\)|make_event\(\"([a-z.-]+)\"|write_event\([^;]*?\"([a-z]+\.[a-z-]+)\"", text))
    names = {name for found in written for name in found if name}
    by_library = {code["code"] for code in codes if "library" in code["writers"]}
    need(names, "no code is written in the sources")
    need(names <= by_library, f"the sources write {names - by_library}, which the table does not have as the library's")


# --- the search ---

def make():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    raffle("create", STORE, "--rules", "rules.json", "--by", "boss:manager")
    words = itertools.product(("printer.paper-out", "comm.fail", "x.door"), (None, "printer-1", "printer-10"), ("0", "1", "2"))
    for code, component, unit in words:
        raffle("event", STORE, code, *(["--unit", unit] if unit != "0" else []), *(["--component", component] if component else []),
               "--text", f"{code} {unit}", "--by", "ann:seller")
    raffle("event", STORE, "data.altered", "--unit", "2", "--component", "accounting", "--element", "float", "--old", "200", "--new", "250",
           "--text", "counted again", "--by", "sue:supervisor", "--ok", "boss:manager")


def records():
    """Every event, as the logs have it, by time, log and index."""
    found = []
    for log, name in enumerate(("control", "1", "2")):
        for line in raffle("show", STORE, name, "--json").splitlines():
            row = json.loads(line)
            leaf = row["leaf"]
            if leaf["t"] == "event":
                found.append({"at": leaf["at"], "log": log, "index": row["index"], "code": leaf["code"], "component": leaf.get("component")})
    return sorted(found, key=lambda e: (e["at"], e["log"], e["index"]))


def places(events):
    return [(e["at"], e["log"], e["index"], e["code"], e.get("component")) for e in events]


def ask(*arguments):
    return json.loads(raffle("events", STORE, "--json", *arguments))


def check_search(all_events):
    need(len(all_events) == 28, f"{len(all_events)} events were written")
    middle = all_events[13]["at"]
    for code, component, unit, newest in itertools.product((None, "comm.fail"), (None, "printer-1"), (None, "0", "2"), (False, True)):
        wanted = [e for e in all_events if code in (None, e["code"]) and component in (None, e["component"]) and unit in (None, str(e["log"]))]
        how = [*(["--code", code] if code else []), *(["--component", component] if component else []), *(["--unit", unit] if unit else [])]
        if newest:
            how.append("--newest")
            wanted.reverse()
        got = ask(*how)
        need(places(got["events"]) == places(wanted) and got["after"] is None, f"{how}: {got}")
        got = ask(*how, "--from", middle)
        need(places(got["events"]) == places(e for e in wanted if e["at"] >= middle), f"{how} from {middle}")
        got = ask(*how, "--to", middle)
        need(places(got["events"]) == places(e for e in wanted if e["at"] < middle), f"{how} to {middle}")


def check_pages(all_events):
    seen, after = [], []
    while True:
        page = ask("--newest", "--limit", "5", *after)
        seen += page["events"]
        if page["after"] is None:
            break
        after = ["--after", page["after"]]
    need(places(seen) == places(reversed(all_events)), "the pages together are not all events")


def check_bad_input():
    need("x." in refused("events", STORE, "--code", "printer.on-fire"), "an unknown code")
    need("no time" in refused("events", STORE, "--from", "yesterday"), "a time that is none")
    refused("events", STORE, "--from", "2026-11-22T00:00:00Z", "--to", "2026-11-21T00:00:00Z")
    refused("events", STORE, "--unit", "3")
    refused("events", STORE, "--unit", "65536")
    refused("events", STORE, "--limit", "0")
    refused("events", STORE, "--component", "two words")
    for place in ("", "1", "1/2", "2026-11-21T18:30:00.000Z/0", "2026-11-21T18:30:00.000Z/0/x", "2026-11-21T18:30:00.000Z/65536/0",
                  "2026-11-21T18:30:00.000Z/0/-1", "2026-11-21T18:30:00.000Z/0/99999999999999999999", "x" * 5000):
        refused("events", STORE, "--after", place)
    refused("events", "--codes", STORE)
    refused("events")


def check_view(all_events):
    database = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    by_time = "SELECT log, idx, at, code, component FROM event_index WHERE key >= x'07' AND key < x'08' ORDER BY key"
    rows = [(at, log, idx, code, component) for log, idx, at, code, component in database.execute(by_time)]
    need(rows == places(all_events), "event_index by time has other events")
    code = b"\x05comm.fail\x00"
    rows = database.execute("SELECT at, log, idx, code, component FROM event_index WHERE key > ? AND key < ? ORDER BY key", (code, code + b"\xff")).fetchall()
    need(rows == places(e for e in all_events if e["code"] == "comm.fail"), "event_index by code has other events")
    plan = str(database.execute("EXPLAIN QUERY PLAN " + by_time).fetchall())
    need("SEARCH k USING PRIMARY KEY (key>? AND key<?)" in plan, f"event_index does not go by the index: {plan}")
    database.close()


def check_missing(all_events):
    """Rows that are missing hide events; the audit says so, and they are written again."""
    database = sqlite3.connect(STORE)
    database.execute("DELETE FROM key WHERE key >= x'07' AND key < x'08'")
    database.commit()
    database.close()
    need(ask()["events"] == [], "events without an index were found")
    need(run("audit", STORE).stdout.count("key-missing") > 0, "the audit does not see that an index is gone")
    need(json.loads(raffle("events", STORE, "--reindex", "--json")) == {"added": len(all_events)}, "the index was not made again")
    need(places(ask()["events"]) == places(all_events), "the index that was made again finds other events")
    raffle("audit", STORE)


def check_forged():
    """An index that lies ends the search, and is what the audit finds."""
    database = sqlite3.connect(STORE)
    database.execute("UPDATE key SET id = id + 1 WHERE key = (SELECT max(key) FROM key WHERE key < x'08')")
    database.commit()
    database.close()
    need("names record" in refused("events", STORE, "--newest"), "a forged index")
    need("key-wrong" in run("audit", STORE).stdout, "the audit does not see a forged index")


def check():
    codes = json.loads(raffle("events", "--codes", "--json"))["codes"]
    check_guide(codes)
    check_spec(codes)
    check_sources(codes)
    make()
    all_events = records()
    check_search(all_events)
    check_pages(all_events)
    check_bad_input()
    check_view(all_events)
    check_missing(all_events)
    check_forged()
    print(f"{len(codes)} codes, {len(all_events)} events")


if __name__ == "__main__":
    try:
        check()
    except Fault as fault:
        sys.exit(f"events.py: {fault}")
