# SPDX-License-Identifier: Apache-2.0
"""A dishonest organiser: writes a published control log of fewer than 256 records anew, rightly hashed and rightly signed with the raffle's own key."""
import base64
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess

PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")


def digest(data):
    return hashlib.sha256(data).digest()


def root_of(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else digest(b"")
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return digest(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:]))


def leaf_hashes(leaves):
    return [digest(b"\x00" + leaf) for leaf in leaves]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Signer:
    """The key in a file of a raffle's keys' folder."""

    def __init__(self, path):
        text = pathlib.Path(path).read_text(encoding="ascii").strip().removeprefix("PRIVATE+KEY+")
        self.name, key_id, seed = text.split("+", 2)
        self.id = bytes.fromhex(key_id)
        self.der = PKCS8_ED25519 + base64.b64decode(seed)[1:]

    def sign(self, text):
        pathlib.Path("forge.der").write_bytes(self.der)
        pathlib.Path("forge.text").write_bytes(text)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "forge.der", "-in", "forge.text"],
                              check=True, capture_output=True).stdout

    def checkpoint(self, leaves):
        text = f"{self.name}\n{len(leaves)}\n{base64.b64encode(root_of(leaf_hashes(leaves))).decode()}\n"
        signature = base64.b64encode(self.id + self.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.name} {signature}\n"


def read_leaves(log):
    bundle, = (pathlib.Path(log) / "tile/entries/000.p").iterdir()
    data, leaves, at = bundle.read_bytes(), [], 0
    while at < len(data):
        length, = struct.unpack_from(">H", data, at)
        leaves.append(data[at + 2:at + 2 + length])
        at += 2 + length
    return leaves


def write_log(log, leaves, signer):
    """In the place of what is there."""
    assert len(leaves) < 256
    shutil.rmtree(pathlib.Path(log) / "tile")
    for kind, data in (("entries", b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)), ("0", b"".join(leaf_hashes(leaves)))):
        folder = pathlib.Path(log) / "tile" / kind / "000.p"
        folder.mkdir(parents=True)
        (folder / str(len(leaves))).write_bytes(data)
    (pathlib.Path(log) / "checkpoint").write_text(signer.checkpoint(leaves), encoding="utf-8")


def forge(folder, keys, index, change, resign_intent=False):
    """Changes the control log's record at `index` by `change(record)`, and signs the log anew; with `resign_intent` also the results' checkpoints over
    their intents."""
    signer = Signer(pathlib.Path(keys) / "control.key")
    leaves = read_leaves(pathlib.Path(folder) / "control")
    record = json.loads(leaves[index])
    change(record)
    leaves[index] = canonical(record)
    for i, leaf in enumerate(leaves):
        record = json.loads(leaf)
        if resign_intent and record["t"] == "draw.result":
            record["note"] = signer.checkpoint(leaves[:record["intent"] + 1])
            leaves[i] = canonical(record)
    write_log(pathlib.Path(folder) / "control", leaves, signer)
