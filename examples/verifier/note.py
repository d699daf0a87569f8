# SPDX-License-Identifier: Apache-2.0
"""Signed notes, verifier keys, checkpoints and cosignatures: C2SP signed-note and tlog-checkpoint v1.0.0, tlog-cosignature v1 (docs/spec/logs.md)."""
import base64
import binascii
import hashlib
import re
from typing import NamedTuple

import ed25519

MOST = 16384
LINES = 64
ED25519, COSIGNATURE = 1, 4
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
SIZE = re.compile("0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """A note that is malformed, or not signed by whom it must be."""


class Vkey(NamedTuple):
    name: str
    id: bytes
    type: int
    key: bytes


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{text[:60]!r} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise BadNote(f"{text[:60]!r} is not canonical base64")
    return data


def good_name(name):
    return name != "" and "+" not in name and not any(c.isspace() for c in name)


def read_vkey(text):
    """`name+8hex+base64(type || key)`."""
    name, plus, rest = text.partition("+")
    digits, other, encoded = rest.partition("+")
    if not plus or not other or not good_name(name) or not re.fullmatch("[0-9a-f]{8}", digits):
        raise BadNote(f"{text[:60]!r} is no verifier key")
    data = unbase64(encoded)
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
        raise BadNote(f"the key of {name} is of no type that is known")
    vkey = Vkey(name, hashlib.sha256(name.encode() + b"\n" + data).digest()[:4], data[0], data[1:])
    if vkey.id.hex() != digits:
        raise BadNote(f"the id of the key of {name} is not its own")
    return vkey


class Note:
    """A note's text, and its signatures by name and id; nothing is verified yet."""

    def __init__(self, data):
        if len(data) > MOST:
            raise BadNote("a note is too long")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise BadNote("a note is not UTF-8") from None
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or CONTROL.search(whole) or not lines.endswith("\n"):
            raise BadNote("a note is not a text, an empty line and signature lines")
        self.text = text + "\n"
        self.order, self.signatures = [], {}
        for line in lines[:-1].split("\n"):
            self._take(line)
        if len(self.order) > LINES:
            raise BadNote("a note has too many signatures")

    def _take(self, line):
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014" or not good_name(words[1]):
            raise BadNote(f"{line[:60]!r} is no signature line")
        data = unbase64(words[2])
        if len(data) < 5 or (words[1], data[:4]) in self.signatures:
            raise BadNote(f"the signature line of {words[1]} is too short or stands twice")
        self.order.append((words[1], data[:4]))
        self.signatures[words[1], data[:4]] = data[4:]

    def verify(self, vkey):
        """Raises BadNote unless this Ed25519 key signed."""
        signature = self.signatures.get((vkey.name, vkey.id))
        if signature is None or vkey.type != ED25519 or not ed25519.verify(vkey.key, self.text.encode(), signature):
            raise BadNote(f"the note is not signed by {vkey.name}")

    def cosigned(self, vkey):
        """The time of the witness's cosignature, or None without one; a wrong one raises BadNote."""
        data = self.signatures.get((vkey.name, vkey.id))
        if data is None:
            return None
        seconds = int.from_bytes(data[:8], "big")
        message = f"cosignature/v1\ntime {seconds}\n{self.text}".encode()
        if len(data) != 72 or seconds >= 2**63 or not ed25519.verify(vkey.key, message, data[8:]):
            raise BadNote(f"the cosignature of {vkey.name} is wrong")
        return seconds

    def checkpoint(self):
        """What the note says of a log: three lines, and nothing else."""
        lines = self.text.split("\n")
        if len(lines) != 4 or lines[0] == "" or not SIZE.fullmatch(lines[1]) or len(unbase64(lines[2])) != 32:
            raise BadNote("the note is no checkpoint")
        return Checkpoint(lines[0], int(lines[1]), unbase64(lines[2]))


def checkpoint_of(data, vkey):
    """The checkpoint in these bytes, signed by its log's key."""
    note = Note(data)
    says = note.checkpoint()
    if says.origin != vkey.name:
        raise BadNote(f"it is a checkpoint of {says.origin}, and not of {vkey.name}")
    note.verify(vkey)
    return says
