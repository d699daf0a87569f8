# SPDX-License-Identifier: Apache-2.0
"""Verifies the receipt of a ticket, offline and with the control log's key alone: docs/spec/receipts.md, whose numbers stand at the steps."""
import re

import merkle
import note
import records
import rules
from canonical_json import Malformed
from policy import Policy

RECEIPT_MAX, LEAF_MAX, HASHES_MAX = 131072, 4096, 63
SERIAL_MAX = 2**40
CONTROL_PARTS = ("raffle.open", "unit.enrol", "seal.unit", "seal")


class Bad(ValueError):
    """A receipt that does not prove what it says; the text says why."""


def need(condition, sentence):
    if not condition:
        raise Bad(sentence)


class Lines:
    """A receipt line by line; each has one spelling, and ends in a newline."""

    def __init__(self, data):
        need(len(data) <= RECEIPT_MAX, f"a receipt has at most {RECEIPT_MAX} bytes")
        need(data.endswith(b"\n"), "a receipt ends in a newline")
        try:
            self.lines, self.at = data.decode("utf-8").split("\n")[:-1], 0
        except UnicodeDecodeError as error:
            raise Bad("a receipt is UTF-8") from error

    def peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else None

    def next(self):
        need(self.at < len(self.lines), "the receipt ends too early")
        self.at += 1
        return self.lines[self.at - 1]

    def match(self, expression, what):
        match = re.fullmatch(expression, self.next())
        need(match, f"line {self.at} is not {what}")
        return match

    def hashes(self):
        """Up to an empty line."""
        found = []
        while self.peek() != "":
            found.append(note.decode_base64(self.next()))
            need(len(found[-1]) == 32 and len(found) <= HASHES_MAX, f"line {self.at} is no hash, or one too many")
        self.next()
        return found


NUMBER = "(0|[1-9][0-9]{0,12})"


class Proof:
    """A C2SP tlog-proof, which stands alone when it is cut out."""

    def __init__(self, lines, leaf_max):
        lines.match(r"c2sp\.org/tlog-proof@v1", "the header of a tlog-proof")
        self.leaf = note.decode_base64(lines.match("extra ([A-Za-z0-9+/=]+)", "extra and a record in base64")[1])
        need(len(self.leaf) <= leaf_max, f"a record of a receipt has at most {leaf_max} bytes")
        self.index = int(lines.match(f"index {NUMBER}", "an index")[1])
        self.hashes = lines.hashes()
        text = [lines.next() for _ in range(4)]
        need(text[3] == "", "a checkpoint has three lines, and an empty one")
        while (lines.peek() or "").startswith("— "):
            text.append(lines.next())
        self.checkpoint = ("\n".join(text) + "\n").encode()

    def check(self, root, size, kind):
        """Step 3: included with exactly as many hashes as it must have, and a canonical record of its type."""
        need(merkle.included(merkle.leaf_hash(self.leaf), self.index, size, self.hashes, root), f"the proof of {kind} does not hold")
        record = records.decode(self.leaf)
        need(record["t"] == kind, f"what is proved is a {record['t']}, and not a {kind}")
        return record


class VoidProof:
    def __init__(self, lines):
        match = lines.match(f"void {NUMBER} {NUMBER}", "a void's serial and place")
        self.serial, self.place = int(match[1]), int(match[2])
        self.hashes = lines.hashes()


class Receipt:
    """The form, to its last byte."""

    def __init__(self, data):
        lines = Lines(data)
        lines.match("libraffle/receipt/v1", "libraffle/receipt/v1")
        match = lines.match(rf"(promise|drum|void) (\S+) {NUMBER}/{NUMBER}", "what is proved, of which ticket")
        self.proves, self.origin, self.unit, self.serial = match[1], match[2], int(match[3]), int(match[4])
        need(1 <= self.unit <= 65535 and self.serial <= SERIAL_MAX, "there is no such ticket")
        self.parts, self.voids = {}, []
        wanted = ["unit.enrol", "sale"] + ([] if self.proves == "promise" else ["seal.unit", "seal", "voids"])
        if lines.peek() == "part raffle.open":
            wanted.insert(0, "raffle.open")
        for part in wanted:
            lines.match(re.escape(f"part {part}"), f"part {part}")
            if part == "voids":
                while lines.peek() is not None:
                    self.voids.append(VoidProof(lines))
            else:
                self.parts[part] = Proof(lines, records.LEAF_MAX if part == "raffle.open" else LEAF_MAX)
        need(lines.peek() is None, "something follows the receipt")


def check_signatures(checkpoint, vkey, policy):
    """Step 8: beside the log's own signature there are cosignatures of witnesses that the rules name, each right, and nothing else."""
    others = [s for s in checkpoint.note.signatures if (s.name, s.key_id) != (vkey.name, vkey.key_id)]
    need(policy is not None or not others, "a signature stands there that nothing vouches for")
    if policy is None:
        return None
    known = [(witness.name, witness.key_id) for witness in policy.witnesses.values()]
    names = [(s.name, s.key_id) for s in checkpoint.note.signatures]
    need(names == [(vkey.name, vkey.key_id)] + [name for name in known if name in names],
         "a signature is of no witness that the rules name, or not in its place")
    return policy.is_reached(policy.cosigned(checkpoint.note))


def check_voids(receipt, seal_unit):
    """Step 7: the ticket's place among the voids, or its two neighbours there."""
    voids, root, serial = seal_unit["voids"], bytes.fromhex(seal_unit["void_root"]), receipt.serial
    for void in receipt.voids:
        leaf = merkle.leaf_hash(void.serial.to_bytes(5, "big")) if void.serial < 2**40 else b""
        need(merkle.included(leaf, void.place, voids, void.hashes, root), f"the proof of void {void.serial} does not hold")
    if receipt.proves == "void":
        need([void.serial for void in receipt.voids] == [serial], "the void that is shown is not the ticket's")
        return
    before = [void for void in receipt.voids if void.serial < serial]
    after = [void for void in receipt.voids if void.serial > serial]
    need(receipt.voids == before + after and len(before) <= 1 and len(after) <= 1, "a void is shown that is no neighbour")
    if not receipt.voids:
        need(voids == 0 and root == merkle.EMPTY_ROOT, "no void is shown, and there are some")
        return
    first = after[0].place if after else voids
    need(first == (before[0].place + 1 if before else 0), "the voids that are shown are not next to each other")


def verify(data, vkey):
    """All steps, or Bad or Malformed. `vkey`: the control log's, from somebody the reader trusts. The answer says what is proved."""
    receipt, key = Receipt(data), note.parse_vkey(vkey)
    need(receipt.origin == key.name, f"the receipt is one of {receipt.origin}")
    parts = receipt.parts
    control = parts["unit.enrol"].checkpoint
    need(all(parts[name].checkpoint == control for name in CONTROL_PARTS if name in parts), "the control checkpoints are not the same")
    checkpoint = note.signed_checkpoint(control, key)
    found = {name: parts[name].check(checkpoint.root, checkpoint.size, name) for name in CONTROL_PARTS if name in parts}

    enrol = found["unit.enrol"]
    unit_key = note.parse_vkey(enrol["key"])
    need(enrol["unit"] == receipt.unit and unit_key.name == f"{receipt.origin}/unit/{receipt.unit}", "the enrolment is of another unit")
    unit = note.signed_checkpoint(parts["sale"].checkpoint, unit_key)
    sale = parts["sale"].check(unit.root, unit.size, "sale")
    need(parts["sale"].index == receipt.serial, "the sale is another ticket")

    policy = None
    if "raffle.open" in found:
        opened = found["raffle.open"]
        need(parts["raffle.open"].index == 0 and opened["key"] == vkey, "it is no raffle.open of this raffle")
        rules.check(opened["rules"])
        need(opened["rules"]["origin"] == receipt.origin and opened["rules"]["witnesses"] != "none", "its rules are of another raffle, or name no witness")
        policy = Policy(opened["rules"]["witnesses"])
    quorum = check_signatures(checkpoint, key, policy)
    check_signatures(unit, unit_key, policy)

    if receipt.proves != "promise":
        seal_unit, seal = found["seal.unit"], found["seal"]
        need((seal_unit["unit"], seal_unit["size"], seal_unit["root"]) == (receipt.unit, unit.size, unit.root.hex()),
             "the seal is over other records of the unit")
        need(receipt.unit <= seal["units"] and parts["seal"].index == seal["first"] + seal["units"]
             and parts["seal.unit"].index == seal["first"] + receipt.unit - 1, "the parts of the seal do not belong together")
        check_voids(receipt, seal_unit)
    return {"proves": receipt.proves, "origin": receipt.origin, "ticket": f"{receipt.unit}/{receipt.serial}", "tier": sale["tier"],
            "price": sale["price"], "sold": sale["at"], "first_number": sale["n"], "last_number": sale["n"] + sale["count"] - 1,
            "seal": found["seal"]["kind"] if "seal" in found else None, "quorum": quorum}


__all__ = ["Bad", "Malformed", "verify"]
