#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The published folder of docs/spec/publishing.md in plain Python, standard library only, sharing no code with the library: tiles, entry bundles, paths, the
manifest. `folder` makes a whole one from records and checkpoints.

    tiles_reference.py STORE FOLDER

publishes a SQLite store so, each log as far as its newest checkpoint."""

import base64
import hashlib
import json
import pathlib
import sqlite3
import sys

WIDTH = 256


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes):
    """The root over hashes of complete subtrees of one size (RFC 6962 section 2.1)."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(fold(hashes[:k]), fold(hashes[k:]))


def inclusion(hashes, m):
    """The inclusion proof of leaf hash m (RFC 6962 section 2.1.1)."""
    if len(hashes) == 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return inclusion(hashes[:k], m) + [fold(hashes[k:])] if m < k else inclusion(hashes[k:], m - k) + [fold(hashes[:k])]


def consistency(hashes, m, whole=True):
    """The consistency proof from the first m leaf hashes to all (RFC 6962 section 2.1.2)."""
    if m == len(hashes):
        return [] if whole else [fold(hashes)]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return consistency(hashes[:k], m, whole) + [fold(hashes[k:])] if m <= k else consistency(hashes[k:], m - k, False) + [fold(hashes[:k])]


def tile_number(n):
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def tile_path(level, tile, width):
    """`level` is a number, or "entries"."""
    return f"tile/{level}/{tile_number(tile)}" + (f".p/{width}" if width < WIDTH else "")


def levels(hashes):
    """The hashes of level 0, 8, 16, …, none of them empty."""
    while hashes:
        yield hashes
        hashes = [fold(hashes[i:i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]


def bundle(leaves):
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def log_files(leaves, with_entries=True):
    """Path in the log's folder, and bytes, of every tile of a log."""
    files = {}
    for level, hashes in enumerate(levels([leaf_hash(leaf) for leaf in leaves])):
        for tile in range((len(hashes) + WIDTH - 1) // WIDTH):
            part = hashes[tile * WIDTH:(tile + 1) * WIDTH]
            files[tile_path(level, tile, len(part))] = b"".join(part)
    for tile in range((len(leaves) + WIDTH - 1) // WIDTH if with_entries else 0):
        part = leaves[tile * WIDTH:(tile + 1) * WIDTH]
        files[tile_path("entries", tile, len(part))] = bundle(part)
    return files


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def manifest(control, entries="all"):
    """From the control log's records."""
    records = [json.loads(leaf) for leaf in control]
    origin = records[0]["rules"]["origin"]
    logs = [{"key": records[0]["key"], "name": origin, "path": "control"}]
    for record in records:
        if record["t"] == "unit.enrol":
            unit = record["unit"]
            logs.append({"key": record["key"], "name": f"{origin}/unit/{unit}", "path": f"unit/{unit}"})
    return canonical({"entries": entries, "format": 1, "logs": logs, "origin": origin})


def root(leaves):
    return fold([leaf_hash(leaf) for leaf in leaves])


def checkpoint_tree(note):
    """Size and root that a note's text names."""
    lines = note.decode().split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def folder(logs, entries="all"):
    """Every file of a published folder. `logs`: (path, leaves, note); each note is of the log's first records, all others are left out."""
    files = {}
    for path, leaves, note in logs:
        size, expected = checkpoint_tree(note)
        leaves = leaves[:size]
        if root(leaves) != expected:
            raise ValueError(f"the note of {path} has another root")
        if path == "control":
            files["manifest.json"] = manifest(leaves, entries)
        with_entries = entries == "all" or path == "control"
        files[path + "/checkpoint"] = note
        files.update({f"{path}/{name}": data for name, data in log_files(leaves, with_entries).items()})
    return files


# --- from a store ---


def leaves_of(db, log):
    """A log's leaves, as they are (docs/spec/store-sqlite.md)."""
    rows = db.execute("select leaf from record where id >= ? and id < ? order by id", (log << 40, (log + 1) << 40))
    return [leaf if isinstance(leaf, bytes) else leaf.encode() for (leaf,) in rows]


def logs_of(store):
    """Folder, leaves and newest note of each log that has a note."""
    with sqlite3.connect(f"file:{pathlib.Path(store).resolve()}?mode=ro", uri=True) as db:
        notes = dict(db.execute("select log, note from note order by size").fetchall())
        return [(f"unit/{log}" if log else "control", leaves_of(db, log), notes[log].encode()) for log in sorted(notes)]


def write(files, target):
    for name, data in files.items():
        path = pathlib.Path(target, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    write(folder(logs_of(sys.argv[1])), sys.argv[2])
