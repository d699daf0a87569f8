#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receipts after docs/spec/receipts.md in plain Python, sharing no code with the library: their parts, which a caller may alter, and their text."""

import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiles_reference as tiles  # noqa: E402


def b64(data):
    return base64.b64encode(data).decode()


class Part:
    """A tlog-proof: a record, its place, the proof, and the checkpoint."""

    def __init__(self, name, leaves, index, size, note):
        hashes = [tiles.leaf_hash(leaf) for leaf in leaves[:size]]
        self.name, self.leaf, self.index, self.note = name, leaves[index], index, note
        self.proof = tiles.inclusion(hashes, index)

    def text(self):
        hashes = "".join(b64(each) + "\n" for each in self.proof)
        return f"part {self.name}\nc2sp.org/tlog-proof@v1\nextra {b64(self.leaf)}\nindex {self.index}\n{hashes}\n{self.note}"


class Void:
    """A serial, its place among the voids, and the proof."""

    def __init__(self, serials, place):
        self.serial, self.place = serials[place], place
        self.proof = tiles.inclusion([tiles.leaf_hash(serial.to_bytes(5, "big")) for serial in serials], place)

    def text(self):
        return f"void {self.serial} {self.place}\n" + "".join(b64(each) + "\n" for each in self.proof) + "\n"


class Receipt:
    """A ticket's receipt: a promise, or with a seal's kind the proof that it was in the drum, or void. `opened`: with the part raffle.open."""

    def __init__(self, raffle, unit, serial, kind=None, opened=False):
        self.header, self.origin, self.unit, self.serial = "libraffle/receipt/v1", raffle.origin, unit, serial
        control, log = raffle.control, raffle.units[unit - 1]
        size = len(control.leaves)
        records = [json.loads(leaf) for leaf in control.leaves]
        enrol = next(i for i, record in enumerate(records) if record["t"] == "unit.enrol" and record["unit"] == unit)
        self.parts, self.near, self.proves = [Part("unit.enrol", control.leaves, enrol, size, control.note())], [], "promise"
        unit_size = len(log.leaves)
        if kind is not None:
            seal, first, sizes, _ = raffle.seal_at[kind]
            unit_size = sizes[unit - 1]
            void = sorted(raffle.totals(log, unit_size, first)[1])
            self.near = [Void(void, i) for i in self.shown(void)]
            self.proves = "void" if serial in void else "drum"
        self.parts.append(Part("sale", log.leaves, serial, unit_size, log.note(unit_size)))
        if kind is not None:
            self.parts += [Part("seal.unit", control.leaves, first + unit - 1, size, control.note()), Part("seal", control.leaves, seal, size, control.note())]
        if opened:
            self.parts.insert(0, Part("raffle.open", control.leaves, 0, size, control.note()))

    def shown(self, void):
        """The ticket's place among the voids, or those of its neighbours."""
        if self.serial in void:
            return [void.index(self.serial)]
        place = sum(serial < self.serial for serial in void)
        return [i for i in (place - 1, place) if 0 <= i < len(void)]

    def part(self, name):
        return next(part for part in self.parts if part.name == name)

    def text(self):
        voids = "" if self.proves == "promise" else "part voids\n" + "".join(void.text() for void in self.near)
        return f"{self.header}\n{self.proves} {self.origin} {self.unit}/{self.serial}\n" + "".join(part.text() for part in self.parts) + voids
