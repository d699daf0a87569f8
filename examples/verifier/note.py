# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes and checkpoints, v1.0.0 (docs/spec/logs.md): verifier keys, signatures, and what a checkpoint says."""
import base64
import binascii
import hashlib
import re
from typing import NamedTuple

import ed25519
from canonical_json import Malformed

ED25519, COSIGNATURE = 1, 4  # the types of signatures that are known here
NOTE_MAX = 16384
SIGNATURES_MAX = 64
NAME_BYTES_MAX = 255
SIZE_MAX = 2**63 - 1


def decode_base64(text):
    """Standard base64 with its padding, in its one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"no base64: {error}") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed("the base64 is not in its one form")
    return data


class Vkey(NamedTuple):
    name: str
    key_id: bytes
    type: int
    key: bytes


def parse_vkey(text):
    """`name+8 hex digits+base64(type || key)`; the digits must be those that follow from the rest."""
    match = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text)
    if not match:
        raise Malformed("no verifier key: it is not name+hash+base64")
    name, digits, data = match[1], match[2], decode_base64(match[3])
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE) or len(name.encode("utf-8")) > NAME_BYTES_MAX:
        raise Malformed("a verifier key has a byte of type, 01 or 04, and 32 of key")
    if hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8] != digits:
        raise Malformed("the hash in a verifier key is not its own")
    return Vkey(name, bytes.fromhex(digits), data[0], data[1:])


class Signature(NamedTuple):
    name: str
    key_id: bytes
    data: bytes


class Note(NamedTuple):
    text: bytes
    signatures: list


def parse_note(data):
    """The text up to its last newline, an empty line, and signatures, a line each."""
    if len(data) > NOTE_MAX:
        raise Malformed(f"a note has more than {NOTE_MAX} bytes")
    if any(byte < 0x20 and byte != 0x0A for byte in data):
        raise Malformed("a note has a control character")
    text, gap, lines = data.rpartition(b"\n\n")
    if not gap or not text or not lines.endswith(b"\n"):
        raise Malformed("no note: it has no text, no signature or no end")
    try:
        lines = lines.decode("utf-8").split("\n")[:-1]
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a note is not UTF-8") from error
    if len(lines) > SIGNATURES_MAX:
        raise Malformed(f"a note has more than {SIGNATURES_MAX} signatures")
    signatures = [parse_signature(line) for line in lines]
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise Malformed("a note has two signatures by one key")
    return Note(text + b"\n", signatures)


def parse_signature(line):
    match = re.fullmatch(r"— ([^+\s]+) ([A-Za-z0-9+/=]+)", line)
    if not match:
        raise Malformed("a line of signatures is none")
    data = decode_base64(match[2])
    if len(data) < 5 or len(match[1].encode("utf-8")) > NAME_BYTES_MAX:
        raise Malformed("a signature is too short, or its name too long")
    return Signature(match[1], data[:4], data[4:])


class Checkpoint(NamedTuple):
    name: str
    size: int
    root: bytes
    note: Note


def parse_checkpoint(data):
    """Three lines: the log's name, its size, its root."""
    note = parse_note(data)
    lines = note.text.decode("utf-8").split("\n")
    if len(lines) != 4:
        raise Malformed("a checkpoint has three lines")
    if not re.fullmatch(r"[^+\s]+", lines[0]) or len(lines[0].encode("utf-8")) > NAME_BYTES_MAX:
        raise Malformed("a checkpoint begins with the log's name")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]) or int(lines[1]) > SIZE_MAX:
        raise Malformed("a checkpoint's size is no decimal number")
    root = decode_base64(lines[2])
    if len(root) != 32:
        raise Malformed("a checkpoint's root has not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, note)


def signed_checkpoint(data, vkey):
    """The checkpoint, when it is of the key's log and the key signed it. Signatures of others are not looked at here."""
    checkpoint = parse_checkpoint(data)
    if checkpoint.name != vkey.name:
        raise Malformed(f"the checkpoint is one of {checkpoint.name!r}")
    own = next((s for s in checkpoint.note.signatures if (s.name, s.key_id) == (vkey.name, vkey.key_id)), None)
    if own is None:
        raise Malformed("the log's key did not sign the checkpoint")
    if vkey.type != ED25519 or not ed25519.verify(vkey.key, checkpoint.note.text, own.data):
        raise Malformed("the checkpoint's signature is not the log's")
    return checkpoint
