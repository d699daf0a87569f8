#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a raffle that was published as a folder, from its bytes to its winners, in Python's standard library alone.

    python3 verify.py FOLDER [--key VKEY] [--json]
    python3 verify.py --receipt FILE --key VKEY

Written from docs/spec/ of libraffle, and shares no code with it. Exit status 0: all is right and complete; 3: it is not, with the reasons;
2: the command line is wrong; 1: the folder cannot be read at all. Read this file from top to bottom: it is the verification in its order.
"""
import argparse
import bisect
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "beacon"))

import bls12_381
import canonical_json
import draw
import merkle
import note
import quicknet
import receipt
import records
import tiles
from canonical_json import Malformed
from control_log import FALLBACK_ROUNDS, LOST, ControlLog, time_of_round
from unit_log import Refused, UnitLog

INTEGRITY, COMPLETENESS = "integrity", "completeness"  # what is there is right; what must be there is there
FAULTS_KEPT = 1000
DOUBT_MS = 60000  # two logs' clocks may differ by this much
SEALING_MS = 600000  # a seal takes this long, from the moment in which it takes a unit's records until it is written
MANIFEST_MAX = 64 * 1024 * 1024

# --- faults ---


class Report:
    """What is wrong, and counts of what was read."""

    def __init__(self):
        self.faults, self.count, self.records = [], {INTEGRITY: 0, COMPLETENESS: 0}, 0

    def add(self, kind, log, index, code, message):
        self.count[kind] += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append({"kind": kind, "log": log, "index": index, "code": code, "message": str(message)})

    def wrong(self, log, index, code, message):
        self.add(INTEGRITY, log, index, code, message)

    def total(self):
        return sum(self.count.values())


# --- a published log: its checkpoint, its tiles, its records one after the other ---


class PublishedLog:
    """`take(index, leaf, leaf_hash)` gets each record in its order."""

    def __init__(self, report, folder, path, number):
        self.report, self.folder, self.number = report, os.path.join(folder, path), number
        self.tree, self.log, self.checkpoint, self.roots = merkle.Tree(), None, None, {0: merkle.EMPTY_ROOT}
        self.first_numbers = []  # of each bundle, the draw number that is next before it

    def open(self):
        """The checkpoint: a promise of so many records with this root, until the records are read."""
        try:
            self.note = tiles.read_file(os.path.join(self.folder, "checkpoint"), note.NOTE_MAX)
            self.checkpoint = note.parse_checkpoint(self.note)
            self.log = tiles.Log(self.folder, self.checkpoint.size)
        except OSError as error:
            self.report.add(COMPLETENESS, self.number, 0, "missing", error)
        except Malformed as reason:
            self.report.wrong(self.number, 0, "checkpoint", reason)
        return self.log is not None

    def has_entries(self):
        return self.log is not None and self.log.has_entries

    def read(self, take, marks=()):
        """Hashes and hands over every record. The roots at the sizes in `marks` are kept."""
        full_tiles = []
        self.mark(marks)
        try:
            for hashes, leaves in self.log.tiles():
                for hashed, leaf in zip(hashes, leaves):
                    take(self.tree.size, leaf, hashed)
                    self.tree.append(hashed)
                    self.mark(marks)
                if len(hashes) == tiles.WIDTH:
                    full_tiles.append(merkle.root_of(hashes))
            self.log.check_upper_tiles(full_tiles)
        except OSError as error:
            self.report.add(COMPLETENESS, self.number, self.tree.size, "missing", error)
        except Malformed as reason:
            self.report.wrong(self.number, self.tree.size, "tile", reason)
        self.report.records += self.tree.size if self.has_entries() else 0

    def mark(self, marks):
        if self.tree.size in marks:
            self.roots[self.tree.size] = self.tree.root()

    def check_signature(self, vkey):
        """The checkpoint is the log's own, and over exactly these records."""
        try:
            note.signed_checkpoint(self.note, vkey)
        except Malformed as reason:
            self.report.wrong(self.number, self.checkpoint.size, "checkpoint", reason)
        if self.tree.size == self.checkpoint.size and self.tree.root() != self.checkpoint.root:
            self.report.wrong(self.number, self.checkpoint.size, "checkpoint", "the records are not those that were signed")

    def record(self, index):
        """Again, by its index."""
        if not 0 <= index < self.tree.size or not self.has_entries():
            raise Malformed(f"log {self.number} has no record {index} here")
        return canonical_json.decode(self.log.leaf(index))

    def decoded(self, index, leaf):
        """The record of a leaf, or None, which is reported."""
        try:
            return records.decode(leaf)
        except Malformed as reason:
            self.report.wrong(self.number, index, "not-canonical", reason)
            return None


# --- 1. the control log: all that is not a single sale ---


def read_control(report, folder):
    """The published log, and its fold; None where nothing can be read."""
    log, control = PublishedLog(report, folder, "control", 0), ControlLog()
    if not log.open():
        return None, None

    def take(index, leaf, hashed):
        record = log.decoded(index, leaf)
        try:
            if record is not None and (index == 0 or control.rules is not None):
                control.apply(record, hashed)
        except Refused as reason:
            report.wrong(0, index, "fold", reason)
        control.follow(record)
        if control.intent is not None and control.intent.index == index:
            copy = merkle.Tree()
            copy.size, copy.subtrees = log.tree.size, list(log.tree.subtrees)
            copy.append(hashed)
            control.intent.root = copy.root()

    log.read(take)
    for index in control.backdated:
        report.wrong(0, index, "backdated", "the intent is earlier than a record before it: its beacon's round may have been known")
    for index in control.late_claims:
        report.wrong(0, index, "claim", "the claim period was over when the clock was set back, and the claim came after that")
    for index in control.too_early:
        report.wrong(0, index, "forfeit", "nobody approved it, and the clock that had ended the claim period was set back afterwards")
    return log, control


def check_control_key(report, log, control, key):
    """The key that raffle.open names must be the one that the reader trusts, and must have signed."""
    if key is not None and key != control.key:
        report.wrong(0, 0, "control-key", f"raffle.open names the control key {control.key}, and not the one that was asked for")
    log.check_signature(control.vkey)


def check_manifest(report, folder, control):
    """It follows from the control log. Whether single sales are withheld is all that it says by itself, and the answer."""
    origin = control.rules["origin"]
    logs = [{"key": control.key, "name": origin, "path": "control"}]
    logs += [{"key": unit.key, "name": f"{origin}/unit/{unit.number}", "path": f"unit/{unit.number}"} for unit in control.units]
    withheld = False
    try:
        data = tiles.read_file(os.path.join(folder, "manifest.json"), MANIFEST_MAX)
        withheld = data.startswith(b'{"entries":"control"')
        if data != canonical_json.encode({"entries": "control" if withheld else "all", "format": 1, "logs": logs, "origin": origin}):
            report.wrong(0, 0, "manifest", "manifest.json is not what follows from the control log")
    except OSError as error:
        report.add(COMPLETENESS, 0, 0, "missing", error)
    except Malformed as reason:
        report.wrong(0, 0, "manifest", reason)
    return withheld


# --- 2. the units' logs: every ticket ---


class UnitResult:
    """A unit's log as it was read. `at_size`: its totals at each size that a seal names; `next_at`: the time of the record behind."""

    def __init__(self, log, fold):
        self.log, self.fold, self.at_size, self.next_at, self.voids = log, fold, {}, {}, {}

    def ticket(self, number):
        """The ticket of a draw number. Records carry the next draw number: it is searched for by halving, first among the bundles."""
        starts = self.log.first_numbers
        first = (bisect.bisect_right(starts, number) - 1) * tiles.WIDTH
        low, high = first, min(first + tiles.WIDTH, self.log.tree.size)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.log.record(middle)["n"] <= number else (low, middle)
        for index in range(low, first - 1, -1):
            record = self.log.record(index)
            if record["t"] == "sale":
                if not record["n"] <= number < record["n"] + record["count"]:
                    break
                return draw.Ticket(self.fold.unit, index, record["tier"])
        raise Malformed(f"unit {self.fold.unit} sold no draw number {number}")


def read_unit(report, folder, control, unit, withheld):
    log = PublishedLog(report, folder, f"unit/{unit.number}", unit.number)
    fold = UnitLog(unit.number, control.rules, control.open_hash)
    result = UnitResult(log, fold)
    if not log.open():
        return result
    sealed = {each.record["size"] for each in control.seal_units if each.record["unit"] == unit.number}
    if withheld:
        log.log.has_entries = False
        report.add(COMPLETENESS, unit.number, log.log.size, "withheld", f"the {log.log.size} records of unit {unit.number} are not published")

    def take(index, leaf, _):
        if index in sealed:
            result.at_size[index] = (fold.totals(), dict(fold.by_tier), fold.closed)
        if leaf is None:
            return
        record = log.decoded(index, leaf)
        if record is not None and index in sealed:
            result.next_at[index] = record["at_ms"]
        if index % tiles.WIDTH == 0:
            log.first_numbers.append(fold.next)
        try:
            if record is not None:
                fold.apply(record)
        except Refused as reason:
            report.wrong(unit.number, index, "fold", reason)
            fold.skip(record)
        if record is None:
            fold.skip(record)
        if record is not None and record["t"] == "void" and record["unit"] == unit.number:
            take_void(report, result, index, record)

    log.read(take, sealed.union(record["size"] for _, record in unit.syncs))
    result.at_size[log.tree.size] = (fold.totals(), dict(fold.by_tier), fold.closed)
    log.check_signature(note.parse_vkey(unit.key))
    return result


def take_void(report, result, index, record):
    if record["serial"] in result.voids:
        report.wrong(result.log.number, index, "void-twice", f"ticket {result.log.number}/{record['serial']} is void already")
    else:
        result.voids[record["serial"]] = (result.log.number, index, record)


def check_voids(report, control, units):
    """Those of the control log join those of their units; then each is compared with the ticket that it takes back."""
    for (unit, serial), (index, record) in control.voids.items():
        voids = units[unit - 1].voids
        if serial in voids:
            report.wrong(0, index, "void-twice", f"ticket {unit}/{serial} is void already")
        else:
            voids[serial] = (0, index, record)
    for result in units:
        if not result.log.has_entries():
            continue
        for serial, (log, index, record) in sorted(result.voids.items()):
            try:
                sale = result.log.record(serial)
                if sale["t"] != "sale" or (sale["count"], sale["price"]) != (record["count"], record["price"]):
                    report.wrong(log, index, "void", f"{result.log.number}/{serial} is no ticket of these numbers and this price")
                elif log == 0 and was_foreseen(control, result, index, record, records.milliseconds(sale["at"])):
                    report.wrong(log, index, "void", f"{result.log.number}/{serial} was void before it was sold")
            except (Malformed, OSError) as reason:
                report.wrong(log, index, "void", f"there is no ticket {result.log.number}/{serial}: {reason}")


def have_clocks(control, result):
    """Whether times of the two logs can be compared, but for a minute."""
    return not (control.rules["rehearsal"] or control.set_back or result.fold.set_back)


def was_foreseen(control, result, index, record, sold_at):
    """Whether a void of the control log is earlier than its sale: a seal after it took all of the unit, and had no such ticket; or the times tell."""
    for each in control.seal_units:
        said = each.record
        if said["unit"] == record["unit"] and each.kind and said["reconciled"] and each.index > index and said["size"] <= record["serial"]:
            return True
    return have_clocks(control, result) and sold_at - record["at_ms"] > DOUBT_MS


def check_allowed(report, control, units):
    """A unit sells when it is enabled, and within its quota. Both may change; the most that ever held is asked for."""
    for unit, result in zip(control.units, units):
        if result.fold.tickets > 0 and not unit.ever_enabled:
            report.wrong(unit.number, result.log.tree.size, "not-enabled", f"unit {unit.number} sold, and was never enabled")
        elif result.fold.tickets > 0 and unit.unenrolled:
            report.wrong(unit.number, result.log.tree.size, "not-enabled", f"unit {unit.number} sold, and was un-enrolled")
        elif not unit.away and have_clocks(control, result):  # one that is away learns late of a switch
            check_switches(report, unit, result)
        if result.fold.sold_late is not None:
            report.wrong(unit.number, result.fold.sold_late, "window", "a sale, though the log had passed the end of the sales: its clock was set back")
        if 0 not in unit.quotas and result.fold.numbers > max(unit.quotas):
            report.wrong(unit.number, result.log.tree.size, "quota", f"unit {unit.number} sold more numbers than any of its quotas")


def check_switches(report, unit, result):
    """Each sale is within a minute of a time in which the unit was enabled, or before the first of them."""
    starts = [float("-inf")] + [at for at, _ in unit.switches[1:]]
    ends = [at for at, _ in unit.switches[1:]] + [float("inf")]
    times = [(start - DOUBT_MS, end + DOUBT_MS) for (_, on), start, end in zip(unit.switches, starts, ends) if on]
    barred = [index for index, at in result.fold.sold_at if not any(start <= at <= end for start, end in times)]
    if barred:
        report.wrong(unit.number, barred[0], "not-enabled", f"unit {unit.number} sold {len(barred)} tickets when it was not enabled")


# --- 3. the seals: what was frozen is what the units have ---


def check_seals(report, control, units):
    largest = {}
    for each in control.seal_units:
        said, result = each.record, units[each.record["unit"] - 1]
        unit = control.units[said["unit"] - 1]
        check_unit_note(report, unit, each.index, said, said["size"], said["root"], "seal")
        if said["size"] > result.log.tree.size:
            report.add(COMPLETENESS, said["unit"], result.log.tree.size, "behind-seal", f"seal record {each.index} counts {said['size']} records")
            continue
        if said["size"] < largest.get(said["unit"], 0) and said["reconciled"] and each.kind is not None:
            report.wrong(0, each.index, "seal", "an earlier seal took more records of the unit")
        if each.kind is not None:
            largest[said["unit"]] = max(said["size"], largest.get(said["unit"], 0))
        check_seal_unit(report, each, result, unit.away)
        if each.kind == "early" and said["reconciled"] and have_clocks(control, result):
            check_early(report, each, result)


def check_early(report, each, result):
    """No close shows where the unit's records ended when an early seal took them; their times do."""
    said = each.record
    if result.next_at.get(said["size"], said["at_ms"]) < said["at_ms"] - SEALING_MS:
        report.wrong(0, each.index, "seal", f"the early seal says that it took all of unit {said['unit']}, and left out records from long before it")


def check_unit_note(report, unit, index, record, size, root, code):
    """The unit's own key signed exactly this prefix."""
    try:
        checkpoint = note.signed_checkpoint(record["note"].encode("utf-8"), note.parse_vkey(unit.key))
        if (checkpoint.size, checkpoint.root.hex()) != (size, root):
            report.wrong(0, index, code, f"the note of unit {unit.number} in this {record['t']} is over other records")
    except Malformed as reason:
        report.wrong(0, index, "checkpoint", reason)


def voids_at(result, size, first):
    """Serials and records of the tickets of a sealed prefix that are void: by their unit's log up to `size`, or by the control log before `first`."""
    return {serial: record for serial, (log, index, record) in result.voids.items() if serial < size and index < (first if log == 0 else size)}


def check_seal_unit(report, each, result, away):
    said, unit = each.record, result.log.number
    if result.log.roots[said["size"]].hex() != said["root"]:
        report.wrong(0, each.index, "seal", f"the root of the first {said['size']} records of unit {unit} is another")
    more = result.log.tree.size - said["size"]
    if each.kind == "final" and not said["reconciled"]:
        report.add(COMPLETENESS, unit, said["size"], "left-out", f"the final seal took the unit without all that it sold; {more} records that it left out are here")
    if each.kind == "final" and said["reconciled"] and more > 0:
        report.wrong(unit, said["size"], "after-seal", f"{more} records follow the final seal")
    if not result.log.has_entries():
        return
    totals, by_tier, closed = result.at_size[said["size"]]
    voids = voids_at(result, said["size"], each.first)
    true = {"tickets": totals["tickets"], "numbers": totals["numbers"], "gross": totals["gross"], "voids": len(voids),
            "void_numbers": sum(r["count"] for r in voids.values()), "void_gross": sum(r["price"] for r in voids.values()),
            "void_root": merkle.root_of(merkle.leaf_hash(serial.to_bytes(5, "big")) for serial in sorted(voids)).hex()}
    for name, value in true.items():
        if said[name] != value:
            report.wrong(0, each.index, "seal", f"{name} of unit {unit} is {value}, not {said[name]}")
    if "tiers" in said:
        check_tiers(report, each, result, by_tier, voids)
    if said["reconciled"] and not closed and (each.kind == "final" or away and each.kind == "early"):
        report.wrong(0, each.index, "seal", f"what the {each.kind} seal takes of unit {unit} does not end in its close")


def check_tiers(report, each, result, by_tier, voids):
    """A void names its ticket; the ticket names its tier."""
    void = {name: 0 for name in by_tier}
    for serial in voids:
        try:
            tier = result.log.record(serial).get("tier")
        except (Malformed, OSError):
            continue  # it was reported
        if tier in void:
            void[tier] += 1
    true = [{"tickets": tickets, "voids": void[name]} for name, tickets in by_tier.items()]
    if true != each.record["tiers"]:
        report.wrong(0, each.index, "seal", f"the tiers of unit {result.log.number} are {true}")


def check_uploads(report, control, units):
    """A unit that is away showed its key by signing that it has no records; then it signed each upload, which its log begins with."""
    for unit, result in zip(control.units, units):
        if unit.away:
            check_unit_note(report, unit, unit.index, unit.enrolled, 0, merkle.EMPTY_ROOT.hex(), "checkpoint")
        for index, record in unit.syncs:
            check_unit_note(report, unit, index, record, record["size"], record["root"], "sync")
            if record["size"] <= result.log.tree.size and result.log.roots[record["size"]].hex() != record["root"]:
                report.wrong(0, index, "sync", f"the root of the first {record['size']} records of unit {unit.number} is another")
        if unit.syncs and unit.syncs[-1][1]["size"] > result.log.tree.size:
            report.add(COMPLETENESS, unit.number, result.log.tree.size, "behind-sync", f"it uploaded {unit.syncs[-1][1]['size']} records")


# --- 4. the draws: from the seed to the winners ---


def check_intent_note(report, control, each):
    try:
        checkpoint = note.signed_checkpoint(each.record["note"].encode("utf-8"), control.vkey)
        if (checkpoint.size, checkpoint.root) != (each.intent.index + 1, each.intent.root):
            report.wrong(0, each.index, "draw", "the intent's checkpoint is over other records")
    except Malformed as reason:
        report.wrong(0, each.index, "checkpoint", reason)


def judge(report, control, units, each):
    """A drum draw again: every number that was called, by the units' logs. No beacon is verified."""
    check_intent_note(report, control, each)
    intent, rule = each.intent, each.intent.prize.rule
    for index, call in intent.calls:
        if call["outcome"] == "unsold":
            continue  # the seal tells
        size = intent.seal.run[call["unit"] - 1].record["size"]
        try:
            ticket = units[call["unit"] - 1].ticket(call["number"])
        except (ValueError, OSError, KeyError, TypeError, IndexError) as reason:
            report.wrong(0, index, "draw", f"it cannot be judged: {reason}")
            continue
        void = ticket.serial in voids_at(units[call["unit"] - 1], size, intent.seal.first)
        judged = "void" if void else "not-entered" if ticket.tier not in rule["tiers"] else None
        says = call["outcome"] if call["outcome"] in ("void", "not-entered") else None
        if ticket.serial != call["serial"] or judged != says:
            report.wrong(0, index, "draw", "the number that was called is another ticket's, or is judged otherwise")
    return False


def check_prints(report, control, units):
    """Counterfoils are those of draw numbers that were sold by then."""
    for index, record in control.prints:
        try:
            last = units[record["unit"] - 1].ticket(record["first"] + record["count"] - 1)
            if last.serial < record["size"]:
                continue
        except (ValueError, OSError, KeyError, TypeError, IndexError):
            pass
        report.wrong(0, index, "print", "counterfoils of draw numbers that were not sold by then")


def replay(report, control, units, each):
    """One draw again. What it says is in faults; the result is whether its beacon was verified."""
    record, intent, origin = each.record, each.intent, control.rules["origin"]

    def wrong(message):
        report.wrong(0, each.index, "draw", message)

    check_intent_note(report, control, each)
    c = draw.commitment(origin, intent.index, intent.root)
    verified = check_beacon(report, each, c, wrong) if "beacon" in record else False
    sizes = [said.record["size"] for said in intent.seal.run]
    voids = [voids_at(result, size, intent.seal.first) for result, size in zip(units, sizes)]
    words = draw.Words(bytes.fromhex(record["seed"]), c, bytes.fromhex(record.get("beacon", "")))
    try:
        outcome = draw.walk(words, [said.record["numbers"] for said in intent.seal.run],
                            lambda unit, number: units[unit - 1].ticket(number),
                            lambda unit, serial: serial in voids[unit - 1],
                            intent.prize.rule, control.winners[:each.winners_before])
    except (ValueError, OSError, KeyError, TypeError, IndexError) as reason:
        wrong(f"it cannot be replayed: {reason}")
        return verified
    winners = min(len(outcome.places), intent.prize.rule["winners"])
    if outcome.places != each.places or (winners, len(outcome.places) - winners) != (record["winners"], record["alternates"]):
        wrong("the places are not those that follow from the seed")
    if words.rejected != record["rejected"]:
        wrong("the number of rejected words is another")
    skipped = [outcome.skipped[reason] for reason in (draw.VOID, draw.NOT_ENTERED, draw.BARRED)]
    if skipped != [record["skipped_void"], record["skipped_not_entered"], record["skipped_barred"]] \
            or outcome.skips.hexdigest() != record["skips"]:
        wrong("the draw numbers that were skipped are others")
    return verified


def check_beacon(report, each, c, wrong):
    """The BLS signature of the round; and of the later one, from which the seed follows when the first one is lost."""
    record, before = each.record, report.total()
    rounds = [(record["round"], record["beacon"])]
    if "fallback" in record:
        rounds.append((record["round"] + FALLBACK_ROUNDS, record["fallback"]))
    for number, value in rounds:
        try:
            quicknet.check(value, number, bls12_381.verify)
        except ValueError as reason:
            report.wrong(0, each.index, "beacon", f"round {number} of quicknet: {reason}")
    verified = report.total() == before
    if "fallback" in record:
        if draw.fallback_seed(c, bytes.fromhex(record["fallback"])).hex() != record["seed"]:
            wrong("the seed is not the one that follows from the later round")
        report.add(COMPLETENESS, 0, each.index, "seed-lost", "the seed that the intent committed to is lost")
    return verified


def is_witnessed(control, record):
    """Whether the quorum cosigned the intent, and before anybody could know the beacon's value."""
    if control.policy is None:
        return False
    before = time_of_round(record["round"]) // 1000 if "round" in record else 2**63
    try:
        cosigned = control.policy.cosigned(note.parse_note(record["note"].encode("utf-8")), before)
    except Malformed:
        return False  # which the fold says
    return control.policy.is_reached(cosigned)


def assurance(control, record, faults, verified, witnessed):
    if faults:
        return "wrong"
    if control.rules["rehearsal"] or record["t"] == "draw.manual" or record["provider"] == "test":
        return "operator-trusted"
    if "beacon" in record:
        return "verifiable" if verified and witnessed else "operator-trusted"
    return "certified"


def check_draws(report, control, units, withheld):
    """What is proved of each draw; nothing of those that cannot be replayed, as what was sold is withheld."""
    lines = []
    for each in control.draws:
        before, record = report.total(), each.record
        lacking = each.intent.seal.record["unreconciled"] if each.intent.seal.kind == "early" else 0  # of a final seal its units are told
        if lacking:
            report.add(COMPLETENESS, 0, each.index, "left-out", f"what was drawn from is a seal that took {lacking} units without all that they sold")
            before += 1
        if withheld:
            report.add(COMPLETENESS, 0, each.index, "withheld", f"the draw of {record['prize']} cannot be replayed: what was sold is not published")
            continue
        by_hand = record["t"] == "draw.manual"
        verified = (judge if by_hand else replay)(report, control, units, each)
        witnessed = is_witnessed(control, record)
        proved = assurance(control, record, report.total() - before, verified, witnessed)
        if control.policy is not None and not witnessed:
            report.add(COMPLETENESS, 0, each.index, "quorum-late", "the witnesses cosigned the intent when its round was due, or later")
        lines.append({
            "prize": record["prize"], "assurance": proved, "provider": "drum" if by_hand else record["provider"],
            "committed": "beacon" in record, "result": each.index, "attempt": record["attempt"], "asked": each.intent.asked,
            "redraw_excluded": witnessed, "witnessed": witnessed, "places": len(each.places), "draw_numbers": record["numbers"],
            "skipped": len(each.intent.calls) - len(each.places) if by_hand
            else record["skipped_void"] + record["skipped_not_entered"] + record["skipped_barred"],
        })
        if "beacon" in record:
            lines[-1].update(round=record["round"], beacon_verified=verified, seed_lost="fallback" in record)
    return lines


# --- 5. the winners: nobody's place is held by a void ticket ---


def before_by_seals(control, place, void_index, index):
    """Whether a void in the unit's log is before record `index` of the control log, as far as seals tell; else None. One that is away counts from its upload."""
    unit = control.units[place.unit - 1]
    if unit.away:
        return next((at < index for at, record in unit.syncs if void_index < record["size"]), False)
    for seal in control.seals:
        if place.unit > len(seal.run):
            continue
        said = seal.run[place.unit - 1]
        if said.index < index and void_index < said.record["size"]:
            return True
        if said.index > index and said.record["reconciled"] and void_index >= said.record["size"]:
            return False
    return None


def was_void(control, result, place, index, at, if_unknown):
    """Whether the place's ticket was void when record `index` of the control log was written. Seals tell the order of two logs; else their times."""
    if place.serial not in result.voids:
        return False
    log, void_index, record = result.voids[place.serial]
    if log == 0:
        return void_index < index
    sealed = before_by_seals(control, place, void_index, index)
    if sealed is not None:
        return sealed
    if abs(record["at_ms"] - at) > DOUBT_MS:
        return record["at_ms"] < at
    return if_unknown


def was_taken_back(control, result, prize, place):
    """Whether the place's ticket was taken back in its unit's log when its draw's outcome was known: with the result, the asking for its seed, or the beacon's round."""
    log, void_index, record = result.voids.get(place.serial, (0, 0, None))
    if log == 0:
        return False
    drawn = next(each for each in control.draws if each.index == prize.result)
    sealed = before_by_seals(control, place, void_index, prize.result)
    known_at = min(drawn.record["at_ms"], outcome_known_at(drawn))
    return sealed is False or sealed is None and record["at_ms"] > known_at + DOUBT_MS


def outcome_known_at(drawn):
    if "round" in drawn.record:
        return time_of_round(drawn.record["round"])
    calls = drawn.intent.calls
    return calls[0][1]["at_ms"] if calls else drawn.intent.asked_at or drawn.record["at_ms"]


def check_winners(report, control, units):
    for index, record, place in control.verifications:
        says_void = record["outcome"] == "void"
        if place.unit > len(units):
            continue
        result, prize = units[place.unit - 1], next(p for p in control.prizes if p.name == record["prize"])
        if was_void(control, result, place, index, record["at_ms"], says_void) != says_void:
            report.wrong(0, index, "winner", f"ticket {place.unit}/{place.serial} was {'not ' if says_void else ''}void then")
        elif says_void and was_taken_back(control, result, prize, place):
            report.wrong(0, index, "winner", f"ticket {place.unit}/{place.serial} was taken back when it was known that it had won")
    for prize in control.prizes:
        for number, place in enumerate(prize.places, 1):
            if place.unit > len(units) or place.serial not in units[place.unit - 1].voids or place.state in LOST:
                continue
            if place.state in ("verified", "official", "waiting", "claimed") or was_taken_back(control, units[place.unit - 1], prize, place):
                report.wrong(0, prize.result, "winner", f"place {number} is held by ticket {place.unit}/{place.serial}, which is void")


# --- all of it ---


def verify_folder(folder, key=None):
    """The audit of a published folder: a dict of verdict, draws and faults, as `raffle audit --json` prints it."""
    report, units, lines, withheld = Report(), [], [], False
    log, control = read_control(report, folder)
    if control is not None and control.rules is None:
        report.add(COMPLETENESS, 0, 0, "open", "there is no raffle.open to judge the records by")
    if control is not None and control.rules is not None:
        check_control_key(report, log, control, key)
        withheld = check_manifest(report, folder, control)
        units = [read_unit(report, folder, control, unit, withheld) for unit in control.units]
        check_voids(report, control, units)
        check_allowed(report, control, units)
        check_seals(report, control, units)
        check_uploads(report, control, units)
        lines = check_draws(report, control, units, withheld)
        if not withheld:
            check_prints(report, control, units)
            check_winners(report, control, units)
    for line in lines:  # a draw proves little when the records around it are not right
        if report.count[INTEGRITY] > 0 and line["assurance"] != "wrong":
            line["assurance"] = "operator-trusted"
    voids = [] if withheld else [record for result in units for _, _, record in result.voids.values()]
    gross, void_gross = sum(result.fold.gross for result in units), sum(record["price"] for record in voids)
    verdict = {
        "passed": report.total() == 0, "integrity": report.count[INTEGRITY] == 0, "completeness": report.count[COMPLETENESS] == 0,
        "integrity_faults": report.count[INTEGRITY], "completeness_faults": report.count[COMPLETENESS],
        "key_pinned": key is not None and control is not None and control.rules is not None and key == control.key,
        "records": report.records, "private_missing": report.records, "withheld": withheld, "tickets": sum(result.fold.tickets for result in units),
        "draw_numbers": sum(result.fold.numbers for result in units), "voids": len(voids), "gross": gross, "void_gross": void_gross,
        "pot": gross - void_gross,
    }
    places = [] if control is None else [
        {"prize": prize.name, "place": i, "unit": p.unit, "number": p.number, "serial": p.serial, "state": p.state}
        for prize in control.prizes for i, p in enumerate(prize.places, 1)]
    return {"verdict": verdict, "draws": lines, "places": places, "faults": report.faults}


def print_folder(audit):
    verdict = audit["verdict"]
    for name in ("records", "tickets", "voids", "draw_numbers", "gross", "void_gross", "pot"):
        print(f"{name:<14}{verdict[name]:>14,}")
    for line in audit["draws"]:
        print(f"\ndraw of {line['prize']} (control record {line['result']}): {line['assurance']}")
        print(f"    {line['places']} places from {line['draw_numbers']} draw numbers, {line['skipped']} passed over; "
              f"provider {line['provider']}, asked {line['asked']} times, attempt {line['attempt']}")
        if line["committed"]:
            print(f"    round {line['round']} of quicknet {'verified' if line['beacon_verified'] else 'NOT VERIFIED'}")
        for place in audit["places"]:
            if place["prize"] == line["prize"]:
                print(f"    {place['place']:>6}. {place['unit']}-{place['number']:07d} of ticket {place['unit']}/{place['serial']}: {place['state']}")
    print()
    for fault in audit["faults"]:
        print(f"{fault['kind']}: log {fault['log']}, record {fault['index']}: {fault['code']}: {fault['message']}")
    print("integrity:", "good" if verdict["integrity"] else f"{verdict['integrity_faults']} faults")
    print("completeness:", "good" if verdict["completeness"] else f"{verdict['completeness_faults']} faults")
    if not verdict["key_pinned"]:
        print("the control key is the one that the log names for itself; --key VKEY pins it")


def verify_receipt(path, key, as_json):
    try:
        answer = {"good": True, **receipt.verify(tiles.read_file(path, receipt.RECEIPT_MAX), key)}
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except (receipt.Bad, Malformed) as reason:
        answer = {"good": False, "reason": str(reason)}
    if as_json:
        print(json.dumps(answer, indent=2))
    elif answer["good"]:
        numbers = f"numbers {answer['first_number']} to {answer['last_number']}"
        print(f"good: ticket {answer['ticket']} of {answer['origin']}, {numbers}, {answer['tier']}: {answer['proves']}")
    else:
        print(f"bad: {answer['reason']}")
    return 0 if answer["good"] else 3


def main():
    parser = argparse.ArgumentParser(description="verifies a raffle that was published as a folder, or the receipt of a ticket")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--receipt", metavar="FILE")
    parser.add_argument("--key", metavar="VKEY", help="the control log's verifier key, from somebody you trust")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if (options.folder is None) == (options.receipt is None) or (options.receipt and not options.key):
        parser.error("give a FOLDER, or --receipt FILE and --key VKEY")
    if options.key:
        try:
            note.parse_vkey(options.key)
        except Malformed as reason:
            parser.error(f"--key: {reason}")
    if options.receipt:
        return verify_receipt(options.receipt, options.key, options.json)
    if not os.path.isdir(options.folder):
        print(f"{options.folder} is no folder", file=sys.stderr)
        return 1
    audit = verify_folder(options.folder, options.key)
    if options.json:
        print(json.dumps(audit, indent=2))
    else:
        print_folder(audit)
    return 0 if audit["verdict"]["passed"] else 3


if __name__ == "__main__":
    sys.exit(main())
