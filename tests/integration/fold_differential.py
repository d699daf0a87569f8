#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fold, which is in C, and that of examples/verifier, which shares nothing with it, judge the same records: made by chance, from fixed seeds, into nights
that come far. Whatever one of them takes and the other refuses is a failure."""
import collections
import json
import os
import sqlite3
import subprocess
import sys

SOURCE, BUILD, RAFFLE = os.environ["RAFFLE_SOURCE"], os.environ["RAFFLE_BUILD"], os.environ["RAFFLE"]
sys.path[:0] = [os.path.join(SOURCE, "tests", part) for part in ("differential", "verifier")] + [os.path.join(SOURCE, "examples", "verifier")]

import canonical_json
import chance
import control_log
import control_records
import merkle
import records
import rules_records
import unit_log
import unit_records
from canonical_json import Malformed
from unit_log import Refused

NIGHTS, SIGNED_NIGHTS, CONTROL_RECORDS, UNITS, UNIT_RECORDS, OPENINGS = 40, 8, 1200, 20, 800, 1000
RULES = {
    "prizes": chance.rules([
        {"name": "bird", "seal": "early", "alternates": 2, "winners": 2, "claim_days": 1, "amount": 1000, "papers_above": 400},
        {"name": "ace", "share": 5000, "pot": "entered", "tiers": ["ten"], "ace": 3, "must_go": True, "alternates": 3, "claim_days": 0},
        {"name": "drum", "draw": "drum", "winners": 2, "alternates": 1, "one_win": "number"},
        {"name": "again", "redraw_of": "drum", "one_win": "none"},
        {"name": "bell", "one_win": "none", "share": 1000, "cap": 200, "above": "next", "claim_days": 2},
        {"name": "last", "amount": 5, "ace": 2, "alternates": 1, "one_win": "ticket", "papers_above": 100}]),
    "committed": chance.rules([
        {"name": "first", "seed": "committed", "beacon_delay": 60, "alternates": 1, "winners": 2},
        {"name": "again", "redraw_of": "first", "seed": "committed", "beacon_delay": 90, "alternates": 1},
        {"name": "second", "seed": "committed", "beacon_delay": 3600, "share": 5000, "papers_above": 10, "claim_days": 3}], beacon="quicknet"),
    "crowd": chance.rules([{"name": "many", "winners": 600, "alternates": 500, "one_win": "none"}, {"name": "again", "redraw_of": "many"},
                           {"name": "car", "amount": 500, "ace": 3, "alternates": 2}], buyer_tickets=50),
    "witnessed": chance.rules([{"name": "first", "seal": "early", "alternates": 2}, {"name": "drum", "draw": "drum"}, {"name": "last"}], witnesses=control_records.POLICY),
}


def opening(name):
    """raffle.open of a raffle with these rules, as the library freezes them."""
    with open(f"{name}.json", "w", encoding="utf-8") as out:
        json.dump(RULES[name], out)
    subprocess.run([RAFFLE, "create", f"{name}.raffle", "--rules", f"{name}.json", "--by", "boss:manager"], check=True, capture_output=True,
                   env={**os.environ, "RAFFLE_CLOCK": chance.moment(chance.OPENS - chance.DAY)})
    with sqlite3.connect(f"{name}.raffle") as store:
        leaf, = store.execute("SELECT leaf FROM entry WHERE log = 0 AND idx = 0").fetchone()
    leaf = leaf.encode() if isinstance(leaf, str) else leaf
    with open(f"{name}.open", "wb") as out:
        out.write(leaf + b"\n")
    return leaf


class Night:
    """One log, as the verifier judged it: each record's bytes, and the reason for which it was refused, or None."""

    def __init__(self, title):
        self.title, self.judged, self.counts = title, [], collections.Counter()

    def judge(self, leaf, apply):
        reason = None
        try:
            apply(records.decode(leaf), leaf)
        except (Malformed, Refused) as refusal:
            reason = str(refusal)
        self.judged.append((leaf, reason))
        record = json.loads(leaf)
        self.counts[record.get("t"), reason is None] += 1
        if record.get("t") == "event" and reason is None:
            self.counts["event " + record["code"], True] += 1
        return reason is None


def control_night(first, title, seed):
    """A control log of the rules. What the verifier refuses is not part of it."""
    night, log, dice = Night(title), control_log.ControlLog(), chance.Chance(seed)
    make = control_records.ControlRecords(dice, log, json.loads(first))

    def apply(record, leaf):
        run = log.run
        try:
            log.apply(record, merkle.leaf_hash(leaf))
        except Refused:
            log.run = run  # an audit goes on behind the record that it refuses; here it never was
            raise
        log.follow(record)

    for record in make.openings():
        night.judge(canonical_json.encode(record), apply)
    while len(night.judged) < CONTROL_RECORDS and not (make.is_over() and dice.often(0.02)):
        for record in make.some():
            night.judge(canonical_json.encode(dice.damage(record)), apply)
    night.counts["redraw", True] = sum(draw.intent.prize.name == "again" for draw in log.draws)
    night.counts["crowd", True] = sum(len(draw.places) == 1100 for draw in log.draws)
    return night


def unit_night(first, title, seed):
    night, dice = Night(title), chance.Chance(seed)
    log = unit_log.UnitLog(1, records.decode(first)["rules"], merkle.leaf_hash(first))
    make = unit_records.UnitRecords(dice, log)
    while len(night.judged) < UNIT_RECORDS and not (log.closed and dice.often(0.2)):
        for record in make.some():
            night.judge(canonical_json.encode(dice.damage(record)), lambda taken, _: log.apply(taken))
    return night


def opened(first, seed):
    """Control logs that are opened once each, with rules that are good or are not."""
    dice, nights = chance.Chance(seed), []
    make = rules_records.RulesRecords(dice, json.loads(first))
    for i in range(OPENINGS):
        night = Night(f"opening {i} of seed {seed}")
        night.judge(canonical_json.encode(make.some()), lambda record, leaf: control_log.ControlLog().apply(record, leaf))
        nights.append(night)
    return nights


def ask_library(name, nights, begin):
    """What the library's fold says of each record of these nights."""
    lines = b"".join(begin + b"\n" + b"".join(leaf + b"\n" for leaf, _ in night.judged) for night in nights)
    done = subprocess.run([os.path.join(BUILD, "tests", "differential", "fold_lines"), f"{name}.open"], input=lines, capture_output=True, check=True)
    return iter(done.stdout.decode().splitlines())


def compare(name, nights, begin):
    answers = ask_library(name, nights, begin)
    for night in nights:
        for index, (leaf, reason) in enumerate(night.judged):
            answer = next(answers)
            if (answer == "taken") != (reason is None):
                sys.exit(f"FAILED: {night.title}, line {index + 1}: the library: {answer}; the verifier: {reason or 'taken'}\n{leaf.decode()[:2000]}")
    assert next(answers, None) is None, "the library answered more often than it was asked"


def check_reach(counts):
    """That chance came everywhere, or this test says less than it seems to."""
    wanted = {(kind, True): 20 for kind in records.TYPES} | {(kind, False): 5 for kind in records.TYPES}
    wanted.update({("draw.picks", True): 5, ("unit.unenrol", True): 5, ("unit.close", True): 5, ("redraw", True): 5, ("crowd", True): 2})
    wanted.update({("event " + code, True): 5 for code in set(control_records.EVENTS + control_records.ASKING + unit_records.EVENTS)})
    short = {key: (counts[key], least) for key, least in wanted.items() if counts[key] < least}
    if short:
        sys.exit(f"FAILED: too few (found, wanted): {short}")


def main():
    counts, taken, refused = collections.Counter(), 0, 0
    for part, name in enumerate(RULES):
        first = opening(name)
        count = SIGNED_NIGHTS if "witnesses" in RULES[name] else NIGHTS  # the verifier's signatures are slow
        nights = [control_night(first, f"{name}, control log of seed {seed}", seed) for seed in range(part * NIGHTS, part * NIGHTS + count)]
        units = [unit_night(first, f"{name}, unit's log of seed {seed}", seed) for seed in range(part * UNITS, (part + 1) * UNITS)]
        nights += opened(first, part)
        compare(name, nights, b"control")
        compare(name, units, b"unit 1")
        for night in nights + units:
            counts.update(night.counts)
            taken += sum(reason is None for _, reason in night.judged)
            refused += sum(reason is not None for _, reason in night.judged)
    check_reach(counts)
    print(f"{taken} records that both take, {refused} that both refuse")


if __name__ == "__main__":
    main()
