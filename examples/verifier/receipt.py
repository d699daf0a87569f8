# SPDX-License-Identifier: Apache-2.0
"""Receipts (docs/spec/receipts.md): read to the last byte, and verified by the control key alone."""
import re

import merkle
import note
import records
from policy import Policy
from unit_log import void_root

HEADER, PROOF = "libraffle/receipt/v1", "c2sp.org/tlog-proof@v1"
MOST, LEAF_MOST, HASHES = 131072, 4096, 63
TITLE = re.compile(r"(promise|drum|void) ([a-z0-9.-]+(?:/[a-z0-9._-]+)*) ([1-9][0-9]{0,4})/(0|[1-9][0-9]{0,12})")
NUMBER = re.compile("0|[1-9][0-9]{0,12}")


class BadReceipt(ValueError):
    """A receipt that does not hold."""


def need(good, sentence):
    if not good:
        raise BadReceipt(sentence)


class Lines:
    def __init__(self, data):
        need(len(data) <= MOST, "it is longer than any receipt")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise BadReceipt("it is not UTF-8") from None
        need(text.endswith("\n"), "its last line is not ended")
        self.lines, self.at = text[:-1].split("\n"), 0

    def more(self):
        return self.at < len(self.lines)

    def peek(self):
        need(self.more(), "it ends too early")
        return self.lines[self.at]

    def take(self):
        line = self.peek()
        self.at += 1
        return line

    def after(self, word):
        line = self.take()
        need(line.startswith(word + " "), f"line {self.at} does not begin with {word}")
        return line[len(word) + 1:]

    def number(self, text):
        need(NUMBER.fullmatch(text) and int(text) <= 2**40, f"line {self.at} holds no number")
        return int(text)

    def hashes(self):
        found = []
        while (line := self.take()) != "":
            found.append(note.unbase64(line))
            need(len(found[-1]) == 32 and len(found) <= HASHES, f"line {self.at} is no hash, or one too many")
        return found


class Part:
    """A C2SP tlog-proof with the leaf in `extra`."""

    def __init__(self, lines, name):
        need(lines.take() == f"part {name}" and lines.take() == PROOF, f"line {lines.at} does not begin the part {name}")
        self.name, self.leaf = name, note.unbase64(lines.after("extra"))
        need(len(self.leaf) <= (records.LEAF_MOST if name == "raffle.open" else LEAF_MOST), f"the {name} is too long")
        self.index, self.hashes = lines.number(lines.after("index")), lines.hashes()
        first = lines.at
        while lines.more() and not lines.peek().startswith("part "):
            lines.at += 1
        self.note = "".join(line + "\n" for line in lines.lines[first:lines.at]).encode()

    def record(self, says):
        """The record, which is in the tree that the checkpoint names."""
        need(merkle.included(self.index, says.size, merkle.leaf_hash(self.leaf), self.hashes, says.root), f"the proof of the {self.name} does not hold")
        record = records.read(self.leaf)
        need(record["t"] == self.name, f"the {self.name} is a {record['t']}")
        return record


def check_lines(parsed, vkey, policy):
    """The log's own signature, then those of the policy's witnesses in its order, and nobody else's. Returns who cosigned."""
    names = [(vkey.name, vkey.id)]
    names += [(w.name, w.id) for w in policy.witnesses.values() if (w.name, w.id) in parsed.signatures] if policy else []
    need(parsed.order == names, f"the checkpoint of {vkey.name} has signatures of others, or in another order")
    return policy.cosigned(parsed) if policy else set()


def check_neighbours(serial, shown, voids, root):
    """That the ticket is not among the voids: those before and after it are next to each other."""
    before = [one for one in shown if one[0] < serial][-1:]
    after = [one for one in shown if one[0] > serial][:1]
    need(shown == before + after, "the voids that are shown are not the ticket's neighbours")
    place = before[0][1] + 1 if before else 0
    need(after[0][1] == place if after else place == voids, "the voids that are shown are not next to each other")
    need(voids or root == void_root([]), "without voids their root is not that of nothing")


def read_voids(lines):
    need(lines.take() == "part voids", "the voids are missing")
    shown = []
    while lines.more():
        serial, _, place = lines.after("void").partition(" ")
        shown.append((lines.number(serial), lines.number(place), lines.hashes()))
    need(len(shown) <= 2, "more than two voids are shown")
    return shown


def verify_receipt(data, key):
    """What a good receipt says; raises ValueError for any other."""
    lines = Lines(data)
    need(lines.take() == HEADER, "it is no receipt of version 1")
    title = TITLE.fullmatch(lines.take())
    need(title and int(title[3]) <= 65535 and int(title[4]) <= 2**40, "its second line says no ticket")
    proves, origin, unit, serial = title[1], title[2], int(title[3]), int(title[4])
    need(key.type == note.ED25519 and origin == key.name, "it is of another raffle than the key")
    opening = Part(lines, "raffle.open") if lines.peek() == "part raffle.open" else None
    enrol, sale = Part(lines, "unit.enrol"), Part(lines, "sale")
    seal_unit, seal = (None, None) if proves == "promise" else (Part(lines, "seal.unit"), Part(lines, "seal"))
    shown = [] if proves == "promise" else read_voids(lines)
    need(not lines.more(), "it goes on after its end")
    need(all(part is None or part.note == enrol.note for part in (opening, seal_unit, seal)), "the parts of the control log have not one checkpoint")

    policy = Policy(records.read(opening.leaf)["rules"]["witnesses"]) if opening else None  # proved below
    control = note.checkpoint_of(enrol.note, key)
    cosigned = check_lines(note.Note(enrol.note), key, policy)
    if opening:
        opened = opening.record(control)
        need(opening.index == 0 and opened["rules"]["origin"] == origin and note.read_vkey(opened["key"]) == key, "its raffle.open is another raffle's")
    enrolled = enrol.record(control)
    vkey = note.read_vkey(enrolled["key"])
    need(enrolled["unit"] == unit and vkey.name == f"{origin}/unit/{unit}", "the enrolment is another unit's")
    tree = note.checkpoint_of(sale.note, vkey)
    check_lines(note.Note(sale.note), vkey, policy)
    need(sale.index == serial, "the proof is of another ticket")
    sold = sale.record(tree)
    says = {"proves": proves, "origin": origin, "unit": unit, "serial": serial, "first": sold["n"], "count": sold["count"], "tier": sold["tier"],
            "price": sold["price"], "at": sold["at"], "witnesses": len(cosigned), "quorum": policy.reached(cosigned) if policy else False}
    if proves != "promise":
        says.update(check_seal(seal_unit, seal, control, tree, unit))
        check_voids(proves, serial, shown, seal_unit.record(control))
    return says


def check_seal(seal_unit, seal, control, tree, unit):
    sealed, whole = seal_unit.record(control), seal.record(control)
    need(sealed["unit"] == unit and (sealed["size"], sealed["root"]) == (tree.size, tree.root.hex()), "the unit's checkpoint is not the one that was sealed")
    need(seal.index == whole["first"] + whole["units"] and seal_unit.index == whole["first"] + unit - 1 and unit <= whole["units"], "the seal is another")
    return {"seal": seal.index, "kind": whole["kind"], "voids": sealed["voids"]}


def check_voids(proves, serial, shown, sealed):
    root = bytes.fromhex(sealed["void_root"])
    if proves == "void":
        need([one[0] for one in shown] == [serial], "the ticket is not shown among the voids")
    else:
        check_neighbours(serial, shown, sealed["voids"], root)
    for one, place, hashes in shown:
        need(one < 2**40 and merkle.included(place, sealed["voids"], merkle.leaf_hash(one.to_bytes(5, "big")), hashes, root), f"the proof of void {one} does not hold")
