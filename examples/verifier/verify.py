#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a published raffle from its bytes to its winners, and receipts, sharing no code with libraffle: Python 3.9's standard library alone, written from docs/spec/.

    python3 verify.py FOLDER [--key VKEY] [--no-beacon] [--json]
    python3 verify.py --receipt FILE --key VKEY

Exit status: 0 it holds, 1 it could not be read, 2 usage, 3 a fault was found. README.md says what is not checked."""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "beacon")]
import merkle  # noqa: E402
import note  # noqa: E402
import records  # noqa: E402
import rules  # noqa: E402
from control_log import CLAIMED, OFFICIAL, VERIFIED, ControlLog  # noqa: E402
from draw_replay import Replayer  # noqa: E402
from faults import COMPLETENESS, INTEGRITY, Fault, Report  # noqa: E402
from folder import MANIFEST_MOST, Damaged, Folder, Missing, PublishedLog, manifest  # noqa: E402
from receipt import BadReceipt, verify_receipt  # noqa: E402
from unit_log import UnitLog  # noqa: E402


def beacon_good(round_, value):
    """Whether this is the signature of the round of drand's quicknet: BLS12-381, written out in examples/beacon/."""
    import bls12_381  # pylint: disable=import-outside-toplevel  # it takes a moment
    import quicknet  # pylint: disable=import-outside-toplevel
    try:
        quicknet.check(value.hex(), round_, bls12_381.verify)
    except ValueError:
        return False
    return True


class Audit:
    def __init__(self, folder, key, beacon):
        self.folder, self.pinned, self.report = Folder(folder), key, Report()
        self.control = ControlLog(key, Replayer(self._control_root, beacon, self.report))
        self.control.root_at = self._sealed_root
        self.hashes, self.counted, self.withheld = [], 0, False

    def fault(self, log, index, code, error, kind=INTEGRITY):
        self.report.add(kind, log, index, code, error)

    # --- a log's bytes ---

    def read_leaves(self, log):
        """Every leaf of a log, whose tiles, root and checkpoint are checked on the way; what is missing or damaged is reported."""
        leaves = []
        try:
            for leaf in log.entries():
                leaves.append(leaf)
        except (Missing, Damaged) as error:
            self.fault(log.number, len(leaves), "records", error, COMPLETENESS if isinstance(error, Missing) else INTEGRITY)
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        self.check_tree(log, hashes)
        return leaves, hashes

    def check_tree(self, log, hashes):
        try:
            log.check_tiles(hashes)
        except (Missing, Damaged) as error:
            self.fault(log.number, len(hashes), "tile", error, COMPLETENESS if isinstance(error, Missing) else INTEGRITY)
        if len(hashes) != log.says.size or merkle.root(hashes) != log.says.root:
            self.fault(log.number, log.says.size, "checkpoint", f"the root of {log.path} is not the one that its checkpoint names")

    def check_signature(self, log, vkey):
        try:
            note.checkpoint_of(log.data, vkey)
        except note.BadNote as error:
            self.fault(log.number, log.says.size, "checkpoint", error)

    def read_records(self, number, leaves):
        """The records of a log; None in place of those that are none."""
        self.counted += len(leaves)
        for index, leaf in enumerate(leaves):
            try:
                yield index, records.read(leaf)
            except records.BadRecord as error:
                self.fault(number, index, "record", error)
                yield index, None

    # --- the control log, and the units ---

    def _control_root(self, size):
        return merkle.root(self.hashes[:size])

    def _sealed_root(self, says, hashes):
        """A seal's root, against the unit's tree."""
        if len(hashes) < says["size"]:
            self.fault(says["unit"], len(hashes), "behind-seal", f"the log has {len(hashes)} records, a seal took {says['size']}", COMPLETENESS)
        elif merkle.root(hashes[:says["size"]]).hex() != says["root"]:
            raise Fault("seal", f"the root of unit {says['unit']} is another")

    def follow(self, number, log, found):
        """Gives records to a log's replay; what may not stand where it does is reported."""
        for index, record in found:
            if record is None:
                log.skip()
                continue
            try:
                log.take(record)
            except (Fault, note.BadNote) as error:
                self.report.fault(number, index, error if isinstance(error, Fault) else Fault("checkpoint", str(error)))
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                self.fault(number, index, "record", f"its rules or members cannot be made sense of: {error!r}")

    def read_unit(self, number, key, frozen, opened):
        """A unit's log and the hashes of its leaves."""
        try:
            log = PublishedLog(self.folder, f"unit/{number}", number)
            self.check_signature(log, note.read_vkey(key))
        except (Missing, Damaged, note.BadNote) as error:
            self.fault(number, 0, "checkpoint", error, COMPLETENESS if isinstance(error, Missing) else INTEGRITY)
            return UnitLog(number, frozen, opened), []
        if self.withheld:
            return None, self.read_hashes(log)
        unit = UnitLog(number, frozen, opened)
        leaves, hashes = self.read_leaves(log)
        self.follow(number, unit, self.read_records(number, leaves))
        return unit, hashes

    def read_hashes(self, log):
        """Of a unit whose records are withheld, the hashes of its leaves."""
        self.fault(log.number, log.says.size, "withheld", "the unit's records are not published", COMPLETENESS)
        try:
            hashes = log.published_hashes()
        except (Missing, Damaged) as error:
            self.fault(log.number, 0, "tile", error)
            return []
        self.check_tree(log, hashes)
        return hashes

    def check_manifest(self, key, enrolments):
        try:
            data = self.folder.read("manifest.json", MANIFEST_MOST)
        except (Missing, Damaged) as error:
            self.fault(0, 0, "manifest", error, COMPLETENESS)
            return
        self.withheld = data.startswith(b'{"entries":"control",')
        if data != manifest("control" if self.withheld else "all", self.control.vkey.name, key, enrolments):
            self.fault(0, 0, "manifest", "the manifest is not the one that follows from the control log")

    def run(self):
        log = PublishedLog(self.folder, "control", 0)
        leaves, self.hashes = self.read_leaves(log)
        found = list(self.read_records(0, leaves))
        opened = found[0][1] if found else None
        if opened is None or opened["t"] != "raffle.open":
            self.fault(0, 0, "open", "there is no raffle.open to judge the records by", COMPLETENESS)
            return
        try:
            rules.check(opened["rules"])
            self.control.vkey = self.pinned or note.read_vkey(opened["key"])
        except (Fault, note.BadNote) as error:
            self.fault(0, 0, "open", error)
            return
        self.check_signature(log, self.control.vkey)
        enrolments = [record for _, record in found if record is not None and record["t"] == "unit.enrol"]
        self.check_manifest(opened["key"], enrolments)
        self.control.unit_logs = [self.read_unit(i + 1, one["key"], opened["rules"], self.hashes[0]) for i, one in enumerate(enrolments)]
        self.follow(0, self.control, found)
        self.check_end()

    # --- what can be told at the end alone ---

    def check_end(self):
        for number, (unit, (log, _)) in enumerate(zip(self.control.units, self.control.unit_logs), 1):
            if log is None:
                continue
            if log.tickets and not unit.ever_enabled:
                self.fault(number, 0, "disabled", "the unit was never enabled, and sold")
            if log.next - 1 > unit.quota_most and not unit.unlimited:
                self.fault(number, 0, "quota", f"the unit sold {log.next - 1} numbers, and may sell {unit.quota_most}")
            if set(log.voids) & set(self.control.voids.get(number, {})):
                self.fault(number, 0, "void", "a ticket is void in both logs")
        for prize in self.control.prizes:
            for place, state in zip(prize.places, prize.states):
                log, _ = self.control.unit_logs[place["unit"] - 1] if place["unit"] <= len(self.control.unit_logs) else (None, None)
                void = log is not None and (place["serial"] in log.voids or place["serial"] in self.control.voids.get(place["unit"], {}))
                if void and state in (VERIFIED, OFFICIAL, CLAIMED):
                    self.fault(0, prize.result, "winner", f"a place is held by ticket {place['unit']}/{place['serial']}, which is void")

    def totals(self):
        sums = dict.fromkeys(records.SUMS, 0)
        for number, (log, _) in enumerate(self.control.unit_logs or [], 1):
            if log is not None:
                void = set(log.voids) | set(self.control.voids.get(number, {}))
                sums = {name: sums[name] + value for name, value in log.totals(log.size, void).items()}
        return {"tickets": sums["tickets"], "draw_numbers": sums["numbers"], "voids": sums["voids"], "gross": sums["gross"], "void_gross": sums["void_gross"],
                "pot": sums["gross"] - sums["void_gross"]}

    def verdict(self):
        wrong, missing = self.report.count(INTEGRITY), self.report.count(COMPLETENESS)
        for draw in self.report.draws:
            if draw["assurance"] == "certified" and wrong:
                draw["assurance"] = "operator-trusted"
        return {"passed": wrong + missing == 0, "integrity": wrong == 0, "completeness": missing == 0, "integrity_faults": wrong, "completeness_faults": missing,
                "key_pinned": self.pinned is not None, "records": self.counted, "withheld": self.withheld, **self.totals()}


# --- the command ---


def print_audit(audit, verdict):
    for name in ("records", "tickets", "voids", "draw_numbers", "gross", "void_gross", "pot"):
        print(f"{name:14}{verdict[name]:>20}")
    for draw in audit.report.draws:
        print(f"draw of {draw['prize']} (control record {draw['result']}): {draw['assurance']}; winners {' '.join(draw['winners']) or 'none'}")
    for fault in audit.report.faults:
        print(f"{fault['kind']}: log {fault['log']}, record {fault['index']}: {fault['code']}: {fault['message']}")
    for name, word in (("integrity", "right"), ("completeness", "there")):
        print(f"{name}: {'good; everything is ' + word if verdict[name] else 'FAILED'}")
    if not verdict["key_pinned"]:
        print("the control key is the one that the log names for itself; --key VKEY pins it")


def run_audit(arguments, key):
    audit = Audit(arguments.folder, key, (lambda *_: None) if arguments.no_beacon else beacon_good)
    try:
        audit.run()
    except (Missing, Damaged) as error:  # nothing is published there
        print(f"verify.py: {error}", file=sys.stderr)
        return 3 if isinstance(error, Damaged) else 1
    verdict = audit.verdict()
    if arguments.json:
        print(json.dumps({"verdict": verdict, "draws": audit.report.draws, "faults": audit.report.faults}, indent=2))
    else:
        print_audit(audit, verdict)
    return 0 if verdict["passed"] else 3


def run_receipt(arguments, key):
    try:
        with open(arguments.receipt, "rb") as file:
            says = verify_receipt(file.read(200000), key)
    except OSError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 1
    except (BadReceipt, records.BadRecord, note.BadNote, ValueError, KeyError, TypeError) as error:
        print(f"bad: {arguments.receipt}: {error}")
        return 3
    print(json.dumps(says) if arguments.json else f"good: ticket {says['unit']}/{says['serial']} of {says['origin']}: {says['proves']}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Verifies a published raffle, or a receipt of one.")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--receipt")
    parser.add_argument("--key", help="the control log's public key, from somebody you trust")
    parser.add_argument("--no-beacon", action="store_true", help="take the beacon's values as they stand")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if (arguments.folder is None) == (arguments.receipt is None) or (arguments.receipt and not arguments.key):
        parser.error("a folder, or --receipt FILE with --key VKEY")
    try:
        key = note.read_vkey(arguments.key) if arguments.key else None
    except note.BadNote as error:
        parser.error(str(error))
    return run_receipt(arguments, key) if arguments.receipt else run_audit(arguments, key)


if __name__ == "__main__":
    sys.exit(main())
